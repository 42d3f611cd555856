"""A plausible made-up snatch as a Report and Tracks, for tests of pictures, plots and tables."""

import numpy as np
from scipy.interpolate import PchipInterpolator

from coach.domain.lift import CameraFacts, ClipFacts, Finding, Instant, Lift, PoseFacts, Report, ScaleFacts
from coach.domain.measures import Measure
from perception.pose import INDEX, KEYPOINTS, PoseTrack
from perception.tracks import BarTrack, Tracks

KEYS_S = [0.0, 1.40, 1.50, 1.70, 1.84, 1.97, 2.136, 2.30, 2.436, 2.57, 2.70, 3.20, 3.77, 30.0]
VELOCITY_M_S = [0.0, 0.0, 0.19, 1.22, 1.52, 1.60, 1.86, 1.05, 0.0, -0.75, 0.0, 0.85, 0.0, 0.0]
FORWARD_M = [0.0, 0.0, -0.002, -0.03, -0.055, -0.05, -0.04, -0.07, -0.09, -0.11, -0.13, -0.12, -0.10, -0.10]
INSTANTS_S = {
    "lift_off": 1.40,
    "start": 1.50,
    "end_first_pull": 1.84,
    "power_position": 1.97,
    "peak_velocity": 2.136,
    "max_height": 2.436,
    "catch": 2.70,
    "recovered": 3.77,
}
POSTURE_KEYS_S = [0.0, 1.5, 1.84, 2.136, 2.436, 2.70, 3.77]
POSTURES = {  # near side in px of a 640 x 480 picture with the plate resting at (322, 420), by POSTURE_KEYS_S
    "nose": [(269, 281), (276, 276), (272, 229), (350, 148), (351, 229), (310, 281), (338, 165)],
    "ear": [(287, 274), (294, 268), (289, 222), (362, 142), (364, 223), (323, 274), (351, 160)],
    "shoulder": [(305, 299), (295, 294), (290, 248), (357, 183), (362, 248), (340, 300), (345, 170)],
    "elbow": [(315, 338), (305, 334), (305, 292), (343, 222), (365, 225), (350, 265), (342, 132)],
    "wrist": [(322, 372), (322, 368), (322, 330), (333, 250), (342, 202), (348, 230), (341, 96)],
    "hand": [(322, 385), (322, 380), (326, 345), (331, 262), (341, 194), (348, 220), (341, 84)],
    "hip": [(387, 315), (384, 305), (372, 285), (352, 285), (362, 340), (375, 385), (354, 275)],
    "knee": [(338, 372), (338, 366), (340, 360), (336, 350), (322, 370), (310, 376), (348, 345)],
    "ankle": [(338, 432), (338, 432), (340, 428), (340, 424), (346, 432), (346, 432), (343, 422)],
    "heel": [(350, 444), (350, 444), (350, 442), (348, 436), (356, 444), (356, 444), (354, 436)],
    "toe": [(312, 448), (312, 448), (312, 446), (316, 442), (318, 448), (318, 448), (316, 440)],
}


def make_tracks(n_frames=228, rate_hz=29.97, m_per_px=1 / 196, size_px=(640, 480), has_scale=True, mass_kg=None):
    """Return tracks of a snatch facing left; `size_px` only stretches the picture."""
    times = np.arange(n_frames) / rate_hz
    height, forward = PchipInterpolator(KEYS_S, VELOCITY_M_S).antiderivative(), PchipInterpolator(KEYS_S, FORWARD_M)
    stretch = np.array(size_px) / (640, 480)
    plate = np.stack([322 - forward(times) / m_per_px, 420 - height(times) / m_per_px], axis=1) * stretch
    hands = plate + np.array([2.0, -1.0])
    blank = np.full(n_frames, np.nan)
    in_metres = (forward(times), height(times), forward(times, 1), height(times, 1)) if has_scale else (blank,) * 4
    force = mass_kg * (9.81 + height(times, 2)) if mass_kg is not None else blank
    bar = BarTrack(
        times,
        plate,
        np.full(n_frames, 0.225 / m_per_px * stretch[0]),
        np.full(n_frames, 0.9),
        hands,
        np.full((n_frames, 2), np.nan),
        *(np.array(a) for a in in_metres),
        force_n=np.array(force),
        source="plate",
    )
    return Tracks(pose=make_pose(times, stretch), bar=bar)


def make_pose(times, stretch):
    points = np.full((len(times), len(KEYPOINTS), 2), np.nan)
    visibility = np.zeros((len(times), len(KEYPOINTS)))
    for part, places in POSTURES.items():
        near = PchipInterpolator(POSTURE_KEYS_S, places, extrapolate=False)(np.minimum(times, POSTURE_KEYS_S[-1]))
        if part == "nose":
            points[:, INDEX[part]], visibility[:, INDEX[part]] = near * stretch, 0.9
            continue
        for side, shift, seen in (("left", 0, 0.95), ("right", -8, 0.3)):
            points[:, INDEX[f"{side}_{part}"]] = (near + np.array([shift, -3 if shift else 0])) * stretch
            visibility[:, INDEX[f"{side}_{part}"]] = seen
    world = np.full((len(times), len(KEYPOINTS), 3), np.nan)
    hip = (points[:, INDEX["left_hip"]] + points[:, INDEX["right_hip"]]) / 2
    world[:, :, :2] = (points - hip[:, None]) / 196
    world[:, :, 2] = [0.15 if name.startswith("right") else -0.15 for name in KEYPOINTS]
    return PoseTrack(times, points, world, visibility)


def make_report(
    n_frames=228, rate_hz=29.97, size_px=(640, 480), has_scale=True, file_name="snatch.mp4", instants_s=None, **lift
):
    """Return the report that belongs to `make_tracks`; further arguments replace fields of the lift."""
    times = INSTANTS_S if instants_s is None else instants_s
    fields = {
        "lift": "snatch",
        "number": 1,
        "outcome": "caught",
        "instants": {
            name: None
            if t is None
            else Instant(frame=round(t * rate_hz), time_s=round(t * rate_hz) / rate_hz, sd_s=0.02)
            for name, t in times.items()
        },
        "measures": MEASURES_MADE_UP if has_scale else {},
        "not_measured": NOT_MEASURED if has_scale else {"bar_peak_velocity_m_s": "no scale: the plate was not found"},
        "findings": (
            Finding(fault="forward_loop", level="fault", measures=("bar_forward_loop_m",), confidence=0.86),
            Finding(fault="early_arm_bend", level="watch", measures=("elbow_bend_pull_deg",), confidence=0.55),
        ),
    }
    return Report(
        clip=ClipFacts(
            file_name=file_name,
            sha256="5d" * 32,
            width_px=size_px[0],
            height_px=size_px[1],
            rotation_deg=0,
            n_frames=n_frames,
            duration_s=n_frames / rate_hz,
            frame_rate_hz=rate_hz,
            is_variable_rate=False,
        ),
        pose=PoseFacts(estimator="blazepose", weights_sha256="a1" * 32, n_frames_with_athlete=n_frames),
        scale=ScaleFacts(m_per_px=1 / 196, method="plate", relative_sd=0.03)
        if has_scale
        else ScaleFacts(m_per_px=None, method="none", relative_sd=None),
        camera=CameraFacts(view="side", facing="left", is_moving=False),
        lifts=(Lift.model_validate(fields | lift),),
        warnings=("A second person is in the picture from 4.1 s on.",),
    )


def _measure(value, unit, half, source="plate", frame=None):
    return Measure(value=value, unit=unit, low=value - half, high=value + half, source=source, frame=frame)


MEASURES_MADE_UP = {
    "bar_peak_velocity_m_s": _measure(1.86, "m/s", 0.11, frame=64),
    "bar_max_height_m": _measure(1.15, "m", 0.06, frame=73),
    "bar_catch_height_m": _measure(1.02, "m", 0.06, frame=81),
    "bar_drop_m": _measure(0.13, "m", 0.02, frame=81),
    "bar_forward_loop_m": _measure(0.052, "m", 0.014, frame=70),
    "bar_rearward_to_catch_m": _measure(0.041, "m", 0.015, frame=81),
    "transition_velocity_loss_ratio": _measure(0.04, "1", 0.03),
    "time_start_to_peak_s": _measure(0.64, "s", 0.05),
    "time_peak_to_catch_s": _measure(0.57, "s", 0.06),
    "knee_angle_start_deg": _measure(82.0, "deg", 9.0, "body", 45),
    "trunk_angle_start_deg": _measure(31.0, "deg", 6.0, "body", 45),
    "elbow_bend_pull_deg": _measure(16.0, "deg", 12.0, "body", 58),
}
NOT_MEASURED = {
    "bar_work_j": "the mass of the bar was not given",
    "bar_peak_force_n": "the mass of the bar was not given",
    "left_right_wrist_height_m": "a side view does not show it",
    "ground_force_peak_n": "the body mass was not given",
}
