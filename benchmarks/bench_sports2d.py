"""Speed against Sports2D on the same clip with the same ONNX networks, in one run. Prints one JSON line.

SPORTS2D_PYTHON=/path/to/its/environment/bin/python python benchmarks/bench_sports2d.py [CLIP] [--size s|m] [--pictures]

Sports2D lives in an environment of its own (python -m venv E; E/bin/pip install sports2d==0.8.34). Each program runs in
a process of its own; importing is not counted, loading the networks is. Where the real weights were not fetched
(`coach models fetch rtmpose`), networks with random weights and as many multiplications stand in: they always find one
standing person, whom Sports2D takes through all of its steps. Liftcoach runs the same networks on every frame and then
goes on with the simulated lift's true keypoints, because there is no lift in somebody who stands.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.setting import commit, machine

ROOT = Path(__file__).resolve().parents[1]
PYTHON_VARIABLE = "SPORTS2D_PYTHON"
# Channels of five halving convolutions with about the multiplications of the real networks (10⁹, as MMPose counts).
SIZES = {
    "s": {"detector": (416, (64, 128, 256, 512, 1024)), "pose": (54, 108, 216, 432, 864), "stands_for": "3.2 and 0.7"},
    "m": {
        "detector": (640, (141, 282, 564, 1128, 2256)),
        "pose": (91, 182, 364, 728, 1456),
        "stands_for": "37 and 1.9",
    },
}
SPORTS2D = """
import json, os, sys, time
settings = json.loads(sys.argv[1])
os.environ["MPLBACKEND"] = "Agg"
from Sports2D import Sports2D
wall, cpu = time.perf_counter(), time.process_time()
Sports2D.process(settings)
took = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
print("\\n" + json.dumps(took))
"""


def main() -> None:
    options = parse()
    if options.ours:
        print(json.dumps(run_ours(options)))
        return
    python = os.environ.get(PYTHON_VARIABLE)
    if not python:
        print(f"skipped: set {PYTHON_VARIABLE} to the Python of an environment with sports2d==0.8.34", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory(prefix="liftcoach-") as scratch:
        detector, pose, weights = find_networks(Path(scratch), options.size)
        ours = measure_ours(options, detector, pose, weights)
        theirs = {
            every: measure_sports2d(python, options, detector, pose, every, Path(scratch)) for every in options.every
        }
    result = {
        "name": "sports2d",
        "clip": options.clip.name,
        "weights": weights,
        "pictures": options.pictures,
        "liftcoach_wall_s": round(ours["wall_s"], 2),
        "liftcoach_cpu_s": round(ours["cpu_s"], 2),
        "sports2d": {
            f"detector every {every} frames": {
                "wall_s": round(took["wall_s"], 2),
                "cpu_s": round(took["cpu_s"], 2),
                "wall_ratio": round(took["wall_s"] / ours["wall_s"], 2),
                "cpu_ratio": round(took["cpu_s"] / ours["cpu_s"], 2),
            }
            for every, took in theirs.items()
        },
        "machine": machine(),
        "commit": commit(),
    }
    print(json.dumps(result, ensure_ascii=False))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    demo = ROOT / "perception" / "simulator" / "demo" / "snatch.mp4"
    parser.add_argument("clip", type=Path, nargs="?", default=demo)
    parser.add_argument("--size", choices=SIZES, default="s", help="of the networks that stand in for missing weights")
    parser.add_argument("--pictures", action="store_true", help="with annotated video and plots, on both sides")
    parser.add_argument(
        "--every", type=int, nargs="+", default=[4, 15], help="Sports2D looks for people; its default: 4"
    )
    for name in ("--ours", "--detector", "--pose", "--weights"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    return parser.parse_args()


def find_networks(scratch: Path, size: str) -> tuple[Path, Path, str]:
    """Return detector, pose network and what they are: the fetched ones, else stand-ins written into `scratch`."""
    from coach.domain.errors import SetupError
    from perception.weights import weight_path
    from tests.perception.random_networks import write_detector, write_pose_network

    try:
        return weight_path("rtmpose_people"), weight_path("rtmpose_body"), "real: YOLOX-m, RTMPose-m"
    except SetupError:
        chosen = SIZES[size]
    side, channels = chosen["detector"]
    detector = write_detector(scratch / "yolox.onnx", side_px=side, channels=channels)
    pose = write_pose_network(scratch / "pose.onnx", channels=chosen["pose"])
    what = f"random, {chosen['stands_for']} 10⁹ multiplications as YOLOX and RTMPose of size {size}"
    return detector, pose, what


def measure_ours(options: argparse.Namespace, detector: Path, pose: Path, weights: str) -> dict[str, float]:
    command = [sys.executable, __file__, str(options.clip), "--ours", "yes", "--detector", str(detector)]
    command += ["--pose", str(pose), "--weights", weights, *(["--pictures"] if options.pictures else [])]
    return run(command)


def run(command: list[str]) -> dict[str, float]:
    """Return the JSON that a process prints last; its own words come out when it fails."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if ended.returncode != 0:
        raise SystemExit(f"{command[0]} failed:\n{ended.stdout[-3000:]}\n{ended.stderr[-3000:]}")
    took: dict[str, float] = json.loads(ended.stdout.strip().splitlines()[-1])
    return took


def run_ours(options: argparse.Namespace) -> dict[str, float]:
    """Analyse the clip in this process and write all files; return the seconds it took."""
    from coach.domain.settings import AnalysisSettings
    from perception import summarise
    from perception.exports import write_exports
    from perception.overlay import write_keyframes, write_pictures
    from perception.plots import write_plots

    with tempfile.TemporaryDirectory(prefix="liftcoach-") as folder:
        out, settings = Path(folder), AnalysisSettings(bar_mass_kg=90.0, pose="rtmpose")
        known = None if options.weights.startswith("real") else true_poses(options.clip, out)
        wall, cpu = time.perf_counter(), time.process_time()
        summarise.POSES = Chosen(options, known)  # type: ignore[assignment, misc]
        analysis = summarise.analyse_clip(options.clip, settings)
        write = write_pictures if options.pictures else write_keyframes
        report = write(analysis.clip, analysis.report, analysis.tracks, out)
        if options.pictures:
            write_plots(report, analysis.tracks, out)
        write_exports(report, analysis.tracks, out)
        return {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}


class Chosen:
    """Stands in for the registry: the networks of this run, and after them the true poses where those are random."""

    def __init__(self, options: argparse.Namespace, known: Path | None) -> None:
        self._options = options
        self._known = known

    def load(self, name: str, **_options: object) -> object:
        from perception.pose import POSES

        paid = POSES.load(name, detector_path=self._options.detector, pose_path=self._options.pose)
        return paid if self._known is None else Paid(paid, POSES.load("trc", markers=self._known))


class Paid:
    """Runs one estimator on every frame and tells the poses of another."""

    name = "rtmpose"

    def __init__(self, paid, known) -> None:
        self._paid, self._known, self.weights_sha256 = paid, known, paid.weights_sha256

    def reset(self) -> None:
        self._paid.reset()

    def estimate(self, image_rgb):
        assert self._paid.estimate(image_rgb), "the networks that stand in find one person in every picture"
        return self._known.estimate(image_rgb)


def true_poses(clip: Path, folder: Path) -> Path:
    """Return a file with the true keypoints of a simulated clip, in pixels."""
    import numpy as np

    from tests.perception.marker_makers import as_halpe, write_trc_file

    truth = json.loads(clip.with_name("truth.json").read_text(encoding="utf-8"))
    points = np.array(truth["keypoints_px"])
    flat = np.concatenate([points, np.ones((*points.shape[:2], 1))], axis=2)
    markers = {name: flat[:, i] for i, name in enumerate(truth["keypoint_names"])}
    return write_trc_file(folder / "known.trc", np.array(truth["times_s"]), as_halpe(markers), "px")


def measure_sports2d(
    python: str, options: argparse.Namespace, detector: Path, pose: Path, every: int, scratch: Path
) -> dict[str, float]:
    """Run Sports2D with its own defaults, but for windows on the screen and for what is not compared."""
    import onnx

    sizes = [onnx.load(path).graph.input[0].type.tensor_type.shape.dim for path in (detector, pose)]
    (_, _, det_h, det_w), (_, _, pose_h, pose_w) = [[d.dim_value for d in size] for size in sizes]
    networks = {
        **{"det_class": "YOLOX", "det_model": str(detector), "det_input_size": [det_h, det_w]},
        **{"pose_class": "RTMPose", "pose_model": str(pose), "pose_input_size": [pose_w, pose_h]},
    }
    settings = {
        "base": {
            "video_input": str(options.clip.resolve()),
            "result_dir": str(scratch / f"every{every}"),
            "person_ordering_method": "highest_likelihood",
            "show_realtime_results": False,
            "save_vid": options.pictures,
            "save_img": False,
        },
        "pose": {"mode": str(networks), "det_frequency": every, "device": "cpu", "backend": "onnxruntime"},
        "post-processing": {"show_graphs": False, "save_graphs": options.pictures},
    }
    took = run([python, "-c", SPORTS2D, json.dumps(settings)])
    if not list((scratch / f"every{every}").rglob("*_m_person*.trc")):
        raise SystemExit("Sports2D ended well but found nobody: nothing to compare")
    return took


if __name__ == "__main__":
    main()
