"""Marker files for tests: the shipped simulated lift, whose every joint is known, under any names and axes."""

import json
from pathlib import Path

import numpy as np

from perception.simulator.demo_clip import demo_clip


def demo_truth() -> dict:
    return json.loads(demo_clip().with_name("truth.json").read_text(encoding="utf-8"))


def demo_markers() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return times (T,) and name to (T, 3) in metres, x forward, y up from the floor, z right; the bar by its ends."""
    truth = demo_truth()
    points = np.array(truth["keypoints_m"])
    markers = {name: points[:, i] for i, name in enumerate(truth["keypoint_names"])}
    bar = np.stack([truth["bar"]["x_m"], truth["bar"]["y_m"], np.zeros(len(points))], axis=1)
    markers |= {"bar_left": bar - np.array([0, 0, 0.65]), "bar_right": bar + np.array([0, 0, 0.65])}
    return np.array(truth["times_s"]), {k: v + np.array([0, truth["bar_rest_height_m"], 0]) for k, v in markers.items()}


def write_trc_file(
    path: Path, times_s: np.ndarray, markers: dict[str, np.ndarray], unit: str = "m", *, newline: str = "\n"
) -> Path:
    """Write a TRC file as Pose2Sim and OpenCap do: no empty line after the header, blanks where not seen."""
    n, rate = len(markers), f"{1 / np.median(np.diff(times_s)):.3f}"
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{path.name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{len(times_s)}\t{n}\t{unit}\t{rate}\t1\t{len(times_s)}",
        "Frame#\tTime\t" + "\t\t\t".join(markers) + "\t\t",
        "\t\t" + "\t".join(f"{axis}{k + 1}" for k in range(n) for axis in "XYZ"),
    ]
    for i, time_s in enumerate(times_s):
        cells = ["" if np.isnan(x) else f"{x:.6f}" for values in markers.values() for x in values[i]]
        lines.append("\t".join((str(i + 1), f"{time_s:.6f}", *cells)).rstrip("\t"))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline=newline)
    return path


def write_c3d_file(path: Path, rate_hz: float, markers: dict[str, np.ndarray], unit: str = "mm") -> Path:
    """Write a C3D file with ezc3d; values in metres, NaN where not seen."""
    import ezc3d

    content = ezc3d.c3d()
    content["parameters"]["POINT"]["RATE"]["value"] = [rate_hz]
    content["parameters"]["POINT"]["LABELS"]["value"] = list(markers)
    content["parameters"]["POINT"]["UNITS"]["value"] = [unit]
    values = np.stack(list(markers.values()), axis=1) * {"mm": 1000.0, "m": 1.0}[unit]
    content["data"]["points"] = np.concatenate([values, np.ones((*values.shape[:2], 1))], axis=2).transpose(2, 1, 0)
    content.write(str(path))
    return path


def as_plug_in_gait(markers: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the lift under Plug-in Gait's names and axes (z up, the lifter facing -y), without hands and hip joints.

    The pelvis is upright and its spines are put where Harrington's equations lead back to the hip joints.
    """
    width, depth = 0.24, 0.15
    middle = (markers["left_hip"] + markers["right_hip"]) / 2 + (
        0.24 * depth + 0.0099,
        0.30 * width + 0.0109,
        0.0,
    )
    out = {f"{s}ASI": middle + np.array([0, 0, sign * width / 2]) for s, sign in (("L", -1), ("R", 1))}
    out |= {f"{s}PSI": middle + np.array([-depth, 0, sign * 0.05]) for s, sign in (("L", -1), ("R", 1))}
    for side, s in (("left", "L"), ("right", "R")):
        for part, name in (
            *(("shoulder", "SHO"), ("elbow", "ELB"), ("knee", "KNE")),
            *(("ankle", "ANK"), ("heel", "HEE"), ("toe", "TOE")),
        ):
            out[f"{s}{name}"] = markers[f"{side}_{part}"]
        out[f"{s}WRA"], out[f"{s}WRB"] = (
            markers[f"{side}_wrist"] + (0.03, 0, 0),
            markers[f"{side}_wrist"] - (0.03, 0, 0),
        )
    return {f"Lifter:{k}": np.stack([-v[:, 2], -v[:, 0], v[:, 1]], axis=1) for k, v in out.items()}


HALPE_NAMES = {
    "nose": "Nose",
    **{
        f"{side}_{part}": f"{side[0].upper()}{name}"
        for side in ("left", "right")
        for part, name in (
            *(("shoulder", "Shoulder"), ("elbow", "Elbow"), ("wrist", "Wrist"), ("hip", "Hip")),
            *(("knee", "Knee"), ("ankle", "Ankle"), ("heel", "Heel"), ("toe", "BigToe")),
        )
    },
}
"""Our keypoint to its name in Pose2Sim, Sports2D and OpenCap."""


def as_halpe(markers: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {HALPE_NAMES[name]: values for name, values in markers.items() if name in HALPE_NAMES}
