"""The whole body in space, in metres: from the solved chain of a side view, or from an estimator's depth elsewhere.

Axes: x forward (the way the lifter faces), y up from the floor, z to the lifter's right.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coach.domain.lift import CameraFacts
from perception.kinematics import ANGLE_SD_DEG, SEEN, world_forward_up_right
from perception.pose import INDEX, KEYPOINTS, Floats, PoseTrack, check_shape, freeze
from perception.skeleton import (
    ANKLE_HALF,
    ANKLE_HEIGHT,
    HEEL_SHARE,
    HIP_HALF,
    PLACES,
    SHOULDER_HALF,
    TURN_OUT_DEG,
    Bones,
    usual_bones,
)
from perception.smoothing import MIN_SAMPLES, smooth
from perception.world import Motion

Mask = npt.NDArray[np.bool_]

EAR_HALF = 0.044  # of stature, half a head's breadth
NOSE_AHEAD = 0.066  # of stature, from the ears' axis to the tip of the nose
STRAIGHT = 0.9995  # of the arm; fully straight it has no direction of the elbow
DEPTH_CUTOFF_HZ = 5.0  # Hz, directions of bones from one camera; source: field uses 4 to 6 Hz
_SIDES = (("left", -1.0), ("right", 1.0))
_TREE: tuple[tuple[str, str, str], ...] = (
    ("hip", "knee", "thigh_m"),
    ("knee", "ankle", "shank_m"),
    ("shoulder", "elbow", "upper_arm_m"),
    ("elbow", "wrist", "forearm_m"),
    ("wrist", "hand", "hand_m"),
)
"""Bones of each limb, from the trunk outward, with their length in `Bones`."""


@dataclass(frozen=True, slots=True, eq=False)
class Body3D:
    """Keypoints in space over T frames.

    Attributes:
        times_s: (T,).
        points_m: (T, K, 3), names as in `KEYPOINTS`; NaN where unknown.
        is_assumed: (K,) or (T, K), true where a keypoint's side-to-side place (side view) or depth is assumed, not seen.
    """

    times_s: Floats
    points_m: Floats
    is_assumed: Mask

    def __post_init__(self) -> None:
        check_shape("points_m", self.points_m, (len(self.times_s), len(KEYPOINTS), 3))
        check_shape("is_assumed", self.is_assumed, (len(self.times_s), len(KEYPOINTS)))
        freeze(self.times_s, self.points_m, self.is_assumed)


def body_from_side(motion: Motion, times_s: Floats, hands_m: Floats) -> Body3D:
    """Return both sides of the body around the solved chain of a side view.

    A side view does not see side to side: stance, hips, shoulders and grip get usual widths, the grip from how high
    straight arms hold the bar. Every bone has its constant length; hands are at `hands_m`, or as near as arms reach.

    Args:
        motion: The solved chain.
        times_s: (T,).
        hands_m: (T, 2), the bar where the hands hold it.
    """
    bones, places = motion.bones, motion.places_m(times_s)
    at = {name: places[:, i] for i, name in enumerate(PLACES)}
    out = np.deg2rad(TURN_OUT_DEG)
    h = bones.stature_m
    points = np.full((len(times_s), len(KEYPOINTS), 3), np.nan)
    aside = np.tan(out) * (at["knee"] - at["ankle"])[:, 0]
    grip = SHOULDER_HALF * h + float(np.sqrt(max(bones.arm_m**2 - bones.reach_m**2, 0.0)))
    for side, sign in _SIDES:
        foot = ANKLE_HALF * h
        widths: dict[str, Floats | float] = {
            "ankle": foot,
            "heel": foot - HEEL_SHARE * bones.foot_m * np.sin(out),
            "toe": foot + (1 - HEEL_SHARE) * bones.foot_m * np.sin(out),
            "knee": foot + aside,
            "hip": HIP_HALF * h,
            "shoulder": SHOULDER_HALF * h,
            "ear": EAR_HALF * h,
        }
        for name, width in widths.items():
            points[:, INDEX[f"{side}_{name}"]] = _in_space(at[name], sign * width)
        shoulder = points[:, INDEX[f"{side}_shoulder"]]
        _place_arm(points, side, shoulder, _in_space(hands_m, sign * grip), bones, sign)
    look = at["ear"] - at["shoulder"]
    ahead = np.column_stack([look[:, 1], -look[:, 0]]) / np.linalg.norm(look, axis=1, keepdims=True)
    points[:, INDEX["nose"]] = _in_space(at["ear"] + NOSE_AHEAD * h * ahead, 0.0)
    return Body3D(times_s.copy(), points, np.ones(points.shape[:2], dtype=bool))


def _in_space(places: Floats, z: Floats | float) -> Floats:
    return np.column_stack([places, np.broadcast_to(z, len(places))])


def _place_arm(points: Floats, side: str, shoulder: Floats, hand: Floats, bones: Bones, sign: float) -> None:
    """Write elbow, wrist and hand of one side in place: the elbow points back and outward."""
    line = hand - shoulder
    distance = np.linalg.norm(line, axis=1, keepdims=True)
    lower = bones.forearm_m + bones.hand_m
    unit = line / np.maximum(distance, 1e-9)
    span = np.clip(distance, abs(bones.upper_arm_m - lower) + 1e-6, STRAIGHT * bones.arm_m)
    pole = np.array([-0.75, 0.2, 0.45 * sign])
    across = pole - np.sum(pole * unit, axis=1, keepdims=True) * unit
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    along = (bones.upper_arm_m**2 - lower**2 + span**2) / (2 * span)
    off = np.sqrt(np.maximum(bones.upper_arm_m**2 - along**2, 0.0))
    elbow = shoulder + along * unit + off * across
    end = shoulder + span * unit
    points[:, INDEX[f"{side}_elbow"]] = elbow
    points[:, INDEX[f"{side}_wrist"]] = elbow + (end - elbow) * bones.forearm_m / lower
    points[:, INDEX[f"{side}_hand"]] = end


def body_from_depth(track: PoseTrack, camera: CameraFacts, stature_m: float) -> Body3D:
    """Return the body of a front, rear or oblique view from the estimator's own depth, with bones of constant length.

    Directions of bones are smoothed and lengths taken from stature, from the hips outward; the lowest foot stands on
    the floor. Places are about the middle of the hips, so nothing is said of the lifter's way across the floor. Depth
    of one camera is a guess: points whose bone points along the camera's axis, or that are hidden, are marked assumed.
    """
    raw = world_forward_up_right(track, camera)
    bones = usual_bones(stature_m)
    points = np.full_like(raw, np.nan)
    hidden = track.visibility < SEEN
    depth = 2 if camera.view == "side" else 0
    hips = raw[:, [INDEX["left_hip"], INDEX["right_hip"]]].mean(axis=1)
    shoulders = raw[:, [INDEX["left_shoulder"], INDEX["right_shoulder"]]].mean(axis=1)
    neck = _bone(track.times_s, shoulders - hips, bones.trunk_m)
    assumed = hidden.copy()
    for side, _ in _SIDES:
        for part, middle, half in (("hip", 0.0 * neck, HIP_HALF), ("shoulder", neck, SHOULDER_HALF)):
            other = "right" if side == "left" else "left"
            line = raw[:, INDEX[f"{side}_{part}"]] - raw[:, INDEX[f"{other}_{part}"]]
            points[:, INDEX[f"{side}_{part}"]] = middle + _bone(track.times_s, line, half * stature_m)
        for a, b, name in _TREE:
            i, j = INDEX[f"{side}_{a}"], INDEX[f"{side}_{b}"]
            bone = _bone(track.times_s, raw[:, j] - raw[:, i], float(getattr(bones, name)))
            points[:, j] = points[:, i] + bone
            assumed[:, j] |= np.abs(bone[:, depth]) > 0.7 * float(getattr(bones, name))
        for part in ("heel", "toe"):
            i = INDEX[f"{side}_{part}"]
            points[:, i] = points[:, INDEX[f"{side}_ankle"]] + raw[:, i] - raw[:, INDEX[f"{side}_ankle"]]
        ear = INDEX[f"{side}_ear"]
        points[:, ear] = neck + raw[:, ear] - shoulders
    points[:, INDEX["nose"]] = neck + raw[:, INDEX["nose"]] - shoulders
    ankles = points[:, [INDEX["left_ankle"], INDEX["right_ankle"]], 1]
    points[..., 1] += (ANKLE_HEIGHT * stature_m - ankles.min(axis=1))[:, None]
    return Body3D(track.times_s.copy(), points, assumed)


def _bone(times_s: Floats, line: Floats, length_m: float) -> Floats:
    """Return (T, 3), a bone of constant length in the smoothed direction of `line`; NaN where never seen."""
    if np.isfinite(line).all(axis=1).sum() < MIN_SAMPLES:
        return np.full_like(line, np.nan)
    smoothed = np.column_stack([smooth(times_s, line[:, d], DEPTH_CUTOFF_HZ).value(times_s) for d in range(3)])
    return np.asarray(length_m * smoothed / np.linalg.norm(smoothed, axis=1, keepdims=True))


def angle_sd_deg(solved_deg: Floats, seen_deg: Floats) -> Floats:
    """Return the SD of a joint angle: what one view leaves open, and half of how far body and picture disagree.

    Args:
        solved_deg: (T,), of the solved body.
        seen_deg: (T,), of the keypoints as they come; NaN where hidden, which then adds the usual SD once more.
    """
    apart = np.where(np.isfinite(seen_deg), 0.5 * np.abs(solved_deg - seen_deg), ANGLE_SD_DEG)
    return np.asarray(np.hypot(ANGLE_SD_DEG, apart))
