"""The whole analysis against the bare decode + pose loop of the same clip, in turns. Prints one JSON line.

python benchmarks/bench_analysis.py [--clip PATH] [--repeat N]

`ratio` is the median over the pairs of analysis over bare loop, `ratio_range` the least and the greatest of them.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from benchmarks.setting import commit, machine
from coach.domain.settings import AnalysisSettings
from perception.pose import POSES
from perception.simulator.demo_clip import demo_clip
from perception.summarise import analyse_clip
from perception.video import open_clip, read_frames


def main() -> None:
    options = parse()
    n_frames = time_bare(options.clip)[1]  # both once before they count: caches fill, threads start
    time_analysis(options.clip)
    pairs = np.array([(time_bare(options.clip)[0], time_analysis(options.clip)) for _ in range(options.repeat)])
    ratios = pairs[:, 1] / pairs[:, 0]
    result = {
        "name": "analysis",
        "n": options.repeat,
        "bare_median_s": round(float(np.median(pairs[:, 0])), 3),
        "analysis_median_s": round(float(np.median(pairs[:, 1])), 3),
        "ratio": round(float(np.median(ratios)), 3),
        "ratio_range": [round(float(ratios.min()), 3), round(float(ratios.max()), 3)],
        "frames": n_frames,
        "clip": options.clip.name,
        "machine": machine(),
        "commit": commit(),
    }
    print(json.dumps(result))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, default=demo_clip())
    parser.add_argument("--repeat", type=int, default=5, help="pairs of runs that count")
    return parser.parse_args()


def time_bare(clip_path: Path) -> tuple[float, int]:
    """Return the seconds that decoding and pose take, and the number of frames."""
    start = time.perf_counter()
    estimator = POSES.load(AnalysisSettings().pose)
    n_frames = 0
    for frame in read_frames(open_clip(clip_path)):
        estimator.estimate(frame.image)
        n_frames += 1
    return time.perf_counter() - start, n_frames


def time_analysis(clip_path: Path) -> float:
    """Return the seconds of the analysis without pictures."""
    start = time.perf_counter()
    analyse_clip(clip_path, AnalysisSettings())
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
