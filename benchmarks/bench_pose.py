"""Bare decode and pose loop over a clip: the yardstick for the whole analysis. Prints one JSON line.

python benchmarks/bench_pose.py [CLIP] [--pose NAME] [--max-people N]
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from benchmarks.setting import commit, machine
from perception.pose import POSES, PoseEstimator
from perception.simulator.demo_clip import demo_clip
from perception.video import Clip, open_clip, read_frames


def main() -> None:
    options = parse()
    clip = open_clip(options.clip)
    chosen = {} if options.max_people is None else {"max_people": options.max_people}
    estimator = POSES.load(options.pose, **chosen)
    decode_s = time_decoding(clip)
    times_ms, n_people, wall_s = time_pose(clip, estimator)
    result = {
        "name": f"pose_{options.pose}",
        "n": len(times_ms),
        "median_ms": round(float(np.median(times_ms)), 2),
        "p95_ms": round(float(np.percentile(times_ms, 95)), 2),
        "fps": round(len(times_ms) / wall_s, 1),
        "decode_fps": round(len(times_ms) / decode_s, 1),
        "people_per_frame": round(n_people / len(times_ms), 2),
        "clip": f"{clip.path.name} {clip.width_px}x{clip.height_px}",
        "machine": machine(),
        "commit": commit(),
    }
    print(json.dumps(result))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path, nargs="?", default=demo_clip())
    parser.add_argument("--pose", default="blazepose", choices=POSES.names())
    parser.add_argument("--max-people", type=int)
    return parser.parse_args()


def time_decoding(clip: Clip) -> float:
    """Return the seconds that reading every frame as RGB takes, without pose."""
    start = time.perf_counter()
    for _ in read_frames(clip):
        pass
    return time.perf_counter() - start


def time_pose(clip: Clip, estimator: PoseEstimator) -> tuple[list[float], int, float]:
    """Return milliseconds of pose for each frame, people found in all, and seconds for decoding and pose."""
    times_ms, n_people = [], 0
    start = time.perf_counter()
    for frame in read_frames(clip):
        before = time.perf_counter()
        n_people += len(estimator.estimate(frame.image))
        times_ms.append((time.perf_counter() - before) * 1e3)
    return times_ms, n_people, time.perf_counter() - start


if __name__ == "__main__":
    main()
