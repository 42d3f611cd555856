"""Angles of knee, hip, elbow and trunk over time, from the pose of the athlete."""

import numpy as np

from coach.domain.lift import CameraFacts
from perception.pose import INDEX, Floats, PoseTrack

SEEN = 0.3  # visibility below which a joint is a guess and its angle is left out

_JOINTS = {
    "knee": ("hip", "knee", "ankle"),
    "hip": ("shoulder", "hip", "knee"),
    "elbow": ("shoulder", "elbow", "wrist"),
}


def joint_angles(pose: PoseTrack, camera: CameraFacts) -> dict[str, Floats]:
    """Return `left_knee`, `right_knee`, ... `trunk` in degrees, each (T,), NaN where a joint was not seen.

    A straight limb is 180. The trunk is the line from mid-hip to mid-shoulder: 0 lies forward, 90 is upright, more
    leans back. Side views use the picture, which shows these angles as they are; other views use the 3D estimate.
    The angles of the far limbs in a side view are those of a partly hidden body.
    """
    points = _forward_up(pose, camera)
    angles = {
        f"{side}_{joint}": _angle_at(points, pose.visibility, [INDEX[f"{side}_{part}"] for part in parts])
        for joint, parts in _JOINTS.items()
        for side in ("left", "right")
    }
    return angles | {"trunk": _trunk(points, pose.visibility)}


def _forward_up(pose: PoseTrack, camera: CameraFacts) -> Floats:
    """Return (T, K, D) with forward in [..., 0] and up in [..., 1]."""
    if camera.view == "side":
        return np.asarray(pose.points_px * np.array([-1.0 if camera.facing == "left" else 1.0, -1.0]))
    return world_forward_up_right(pose, camera)


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
    across = line[:, 0] if points.shape[-1] == 2 else np.copysign(np.hypot(line[:, 0], line[:, 2]), line[:, 0])
    return np.asarray(np.degrees(np.arctan2(line[:, 1], across)))


def _middle(points: Floats, visibility: Floats, part: str) -> Floats:
    """Return (T, D), the mean of left and right where both are seen, else the one that is."""
    pair = [INDEX[f"left_{part}"], INDEX[f"right_{part}"]]
    weight = (visibility[:, pair] >= SEEN)[..., None] & np.isfinite(points[:, pair])
    total, count = np.where(weight, points[:, pair], 0.0).sum(axis=1), weight.sum(axis=1)
    middle = np.full(total.shape, np.nan)
    np.divide(total, count, out=middle, where=count > 0)
    return middle
