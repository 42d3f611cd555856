"""Peak memory of the analysis of a long 1080p clip against that of a short one. Prints one JSON line.

python benchmarks/bench_memory.py [--minutes M] [--short-s S]

Both clips repeat the demo's lift, so the long one is a whole training session. Each is analysed in a process of its
own. On two cores the analysis takes about as long as the film.
"""

import argparse
import json
import resource
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from benchmarks.setting import commit, machine  # nothing heavy: a child's peak counts what its parent held

WIDTH_PX, HEIGHT_PX = 1920, 1080
T = TypeVar("T")


def main() -> None:
    options = parse()
    with tempfile.TemporaryDirectory() as folder:
        lap = Path(folder) / "lap.mp4"
        in_new_process(write_lap, lap)
        short, long = (in_new_process(measure, lap, seconds) for seconds in (options.short_s, 60.0 * options.minutes))
    added = long["peak_mb"] - short["peak_mb"]
    result = {
        "name": "memory",
        "n": 1,
        "short": short,
        "long": long,
        "ratio": round(long["peak_mb"] / short["peak_mb"], 3),
        "added_kb_per_frame": round(1024 * added / (long["frames"] - short["frames"]), 2),
        "clip": f"{WIDTH_PX}x{HEIGHT_PX}",
        "machine": machine(),
        "commit": commit(),
    }
    print(json.dumps(result))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=2.0, help="length of the long clip")
    parser.add_argument("--short-s", type=float, default=10.0, help="length of the short clip in seconds")
    return parser.parse_args()


def in_new_process(function: Callable[..., T], *arguments: object) -> T:
    """Return what a function returns in a fresh interpreter."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def write_lap(path: Path) -> None:
    """Write the demo's lift once, enlarged to 1080p, as a clip whose packets can be repeated."""
    import av

    from perception.simulator.demo_clip import demo_clip
    from perception.video import open_clip, read_frames

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        for frame in read_frames(open_clip(demo_clip())):
            picture = av.VideoFrame.from_ndarray(frame.image, format="rgb24")
            container.mux(stream.encode(picture.reformat(WIDTH_PX, HEIGHT_PX, "yuv420p")))
        container.mux(stream.encode(None))


def repeat_lap(lap: Path, path: Path, seconds: float) -> None:
    """Write a clip of this length by copying the packets of a lap again and again."""
    import av

    with av.open(str(lap)) as source, av.open(str(path), "w") as target:
        into = target.add_stream_from_template(source.streams.video[0])
        rate = source.streams.video[0].average_rate or Fraction(30)
        n, wanted = 0, round(seconds * rate)
        while n < wanted:
            source.seek(0)
            for packet in source.demux(video=0):
                if packet.dts is None or n == wanted:
                    continue
                packet.pts = packet.dts = round(n / rate / packet.time_base)
                packet.stream = into
                target.mux(packet)
                n += 1


def measure(lap: Path, seconds: float) -> dict[str, float]:
    """Return peak memory and frames of the analysis of a clip of this length."""
    from coach.domain.settings import AnalysisSettings
    from perception.summarise import analyse_clip

    path = lap.with_name("clip.mp4")
    repeat_lap(lap, path, seconds)
    report = analyse_clip(path, AnalysisSettings()).report
    per_mb = 1024**2 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes there, in KiB elsewhere
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / per_mb
    return {
        "peak_mb": round(peak_mb, 1),
        "seconds": round(report.clip.duration_s, 1),
        "frames": report.clip.n_frames,
        "lifts": len(report.lifts),
    }


if __name__ == "__main__":
    main()
