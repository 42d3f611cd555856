"""Angles of knee, hip, elbow and trunk over time, from the pose of the athlete."""

import numpy as np

from coach.domain.lift import CameraFacts
from perception.athlete import near_side
from perception.kinematics import measure_angles
from perception.pose import INDEX, Floats, PoseTrack

SEEN = 0.3  # visibility below which a joint is a guess and its angle is left out

_JOINTS = {
    "knee": ("hip", "knee", "ankle"),
    "hip": ("shoulder", "hip", "knee"),
    "elbow": ("shoulder", "elbow", "wrist"),
}


def joint_angles(pose: PoseTrack, camera: CameraFacts) -> dict[str, Floats]:
    """Return `left_knee`, `right_knee`, ... `trunk` in degrees, each (T,), NaN where a joint was not seen.

    A straight limb is 180. The trunk is the line from hip to shoulder: 0 lies forward, 90 is upright, more leans back.
    A side view gives the smoothed angles that the measures are read from, of the near side only; other views give the
    3D estimate of both sides as it comes.
    """
    if camera.view == "side":
        return _from_the_side(pose, camera)
    points = world_forward_up_right(pose, camera)
    angles = {
        f"{side}_{joint}": _angle_at(points, pose.visibility, [INDEX[f"{side}_{part}"] for part in parts])
        for joint, parts in _JOINTS.items()
        for side in ("left", "right")
    }
    return angles | {"trunk": _trunk(points, pose.visibility)}


def _from_the_side(pose: PoseTrack, camera: CameraFacts) -> dict[str, Floats]:
    near = near_side(pose)
    angles = measure_angles(pose, -1.0 if camera.facing == "left" else 1.0)
    seen = {"knee": angles.knee_deg, "hip": angles.hip_deg, "elbow": angles.elbow_deg}
    hidden = np.full(len(pose.times_s), np.nan)
    both = {
        f"{side}_{joint}": seen[joint] if side == near else hidden for joint in _JOINTS for side in ("left", "right")
    }
    return both | {"trunk": angles.trunk_deg}


def world_forward_up_right(pose: PoseTrack, camera: CameraFacts) -> Floats:
    """Return (T, K, 3) metres about the hip centre: forward, up, and to the athlete's right.

    Where the facing is unknown, forward is the right of the picture.
    """
    x, y, z = np.moveaxis(pose.world_m, -1, 0)
    forward, right = {
        "left": (-x, z),
        "camera": (-z, -x),
        "away": (z, x),
    }.get(camera.facing, (x, -z))
    return np.stack([forward, -y, right], axis=-1)


def _angle_at(points: Floats, visibility: Floats, joints: list[int]) -> Floats:
    before, middle, after = (points[:, joint] for joint in joints)
    u, v = before - middle, after - middle
    product = np.linalg.norm(u, axis=-1) * np.linalg.norm(v, axis=-1)
    cosine = np.full(len(product), np.nan)
    np.divide((u * v).sum(axis=-1), product, out=cosine, where=product > 0)
    angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return np.where(visibility[:, joints].min(axis=1) >= SEEN, angle, np.nan)


def _trunk(points: Floats, visibility: Floats) -> Floats:
    line = _middle(points, visibility, "shoulder") - _middle(points, visibility, "hip")
    across = np.copysign(np.hypot(line[:, 0], line[:, 2]), line[:, 0])
    return np.asarray(np.degrees(np.arctan2(line[:, 1], across)))


def _middle(points: Floats, visibility: Floats, part: str) -> Floats:
    """Return (T, 3), the mean of left and right where both are seen, else the one that is."""
    pair = [INDEX[f"left_{part}"], INDEX[f"right_{part}"]]
    weight = (visibility[:, pair] >= SEEN)[..., None] & np.isfinite(points[:, pair])
    total, count = np.where(weight, points[:, pair], 0.0).sum(axis=1), weight.sum(axis=1)
    middle = np.full(total.shape, np.nan)
    np.divide(total, count, out=middle, where=count > 0)
    return middle
