"""Joint angles of the athlete over time: what the measures are read from is also what pictures and files show."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from coach.domain.lift import CameraFacts
from perception.athlete import near_side
from perception.pose import INDEX, Floats, PoseTrack
from perception.smoothing import MIN_SAMPLES, smooth

ANGLE_CUTOFF_HZ = 5.0  # Hz, keypoints of one camera; source: field uses 4 to 6 Hz
LIMB_SHARES = {
    "trunk": 0.370,
    "thigh": 0.315,
    "shank": 0.315,
}  # of ankle-knee-hip-shoulder; source: Winter 2009, fig. 4.1
LIMB_TOLERANCE = 0.20  # relative; keypoints put on the plate or on the wrong joint break the proportions
NEAR_S = 0.07  # s, an angle is given only this near to a frame whose keypoints fit a body
ANGLE_SD_DEG = 8.0  # deg, joint angle from one view against motion capture; source: Thiele 2024, Lima 2024
SEEN = 0.3  # visibility below which a joint is a guess and its angle in 3D is left out

_JOINTS = {
    "knee": ("hip", "knee", "ankle"),
    "hip": ("shoulder", "hip", "knee"),
    "elbow": ("shoulder", "elbow", "wrist"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Angles:
    """Joint angles over T frames in degrees; NaN where unknown. Straight limbs are 180.

    Attributes:
        times_s, knee_deg, hip_deg, elbow_deg: (T,).
        trunk_deg: (T,), hip to shoulder from horizontal: 90 upright, less leaning forward, more leaning back.
    """

    times_s: Floats
    knee_deg: Floats
    hip_deg: Floats
    elbow_deg: Floats
    trunk_deg: Floats


def joint_angle_deg(a: Floats, b: Floats, c: Floats) -> Floats:
    """Return the angle at b between a and c, (T,), in degrees 0 to 180; NaN where a limb has no length.

    Args:
        a: (T, 2) in the picture or (T, 3) in space, as b and c.
        b: The joint.
        c: The other end.

    Source: Kahan 2006, How futile are mindless assessments of roundoff, on mangled angles (exact near 0 and 180).
    """
    u, v = a - b, c - b
    u_length, v_length = (np.linalg.norm(w, axis=-1, keepdims=True) for w in (u, v))
    apart = np.linalg.norm(u * v_length - v * u_length, axis=-1)
    along = np.linalg.norm(u * v_length + v * u_length, axis=-1)
    has_length = (u_length * v_length)[..., 0] > 0
    return np.where(has_length, np.degrees(2 * np.arctan2(apart, along)), np.nan)


def measure_angles(track: PoseTrack, forward: float) -> Angles:
    """Return the smoothed angles, in the picture plane, of the side of the body nearer to the camera.

    Args:
        track: The athlete, without a camera cut.
        forward: 1 when the athlete faces the right of the picture, -1 for the left.
    """
    side = near_side(track)
    shoulder, hip, knee, ankle = (track.point_px(f"{side}_{part}") for part in ("shoulder", "hip", "knee", "ankle"))
    fits = fits_a_body(shoulder, hip, knee, ankle)
    trunk = shoulder - hip
    lean = np.degrees(np.arctan2(-trunk[:, 1], forward * trunk[:, 0]))
    joints = (joint_angle_deg(*(track.point_px(f"{side}_{part}") for part in parts)) for parts in _JOINTS.values())
    raw = (*joints, np.where(lean < -90, lean + 360, lean))
    return Angles(track.times_s, *(_smooth_angle(track.times_s, np.where(fits, z, np.nan)) for z in raw))


def joint_angles(track: PoseTrack, camera: CameraFacts) -> dict[str, Floats]:
    """Return `left_knee`, `right_knee`, ... `trunk` in degrees over the whole clip, each (T,), NaN where not seen.

    A straight limb is 180. The trunk is the line from hip to shoulder: 0 lies forward, 90 is upright, more leans back.
    A side view gives `measure_angles` of each part between cuts, so of the near side only; other views give the 3D
    estimate of both sides as it comes.
    """
    if camera.view != "side":
        return _angles_in_space(track, camera)
    parts = [_angles_from_the_side(part, camera) for part in _between_cuts(track, camera.cuts)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _between_cuts(track: PoseTrack, cuts: tuple[int, ...]) -> Iterator[PoseTrack]:
    for a, b in pairwise((0, *cuts, len(track.times_s))):
        yield PoseTrack(track.times_s[a:b], track.points_px[a:b], track.world_m[a:b], track.visibility[a:b])


def _angles_from_the_side(track: PoseTrack, camera: CameraFacts) -> dict[str, Floats]:
    near = near_side(track)
    angles = measure_angles(track, -1.0 if camera.facing == "left" else 1.0)
    seen = {"knee": angles.knee_deg, "hip": angles.hip_deg, "elbow": angles.elbow_deg}
    hidden = np.full(len(track.times_s), np.nan)
    both = {
        f"{side}_{joint}": seen[joint] if side == near else hidden for joint in _JOINTS for side in ("left", "right")
    }
    return both | {"trunk": angles.trunk_deg}


def _angles_in_space(track: PoseTrack, camera: CameraFacts) -> dict[str, Floats]:
    points = world_forward_up_right(track, camera)
    angles = {
        f"{side}_{joint}": _seen_angle(points, track.visibility, [INDEX[f"{side}_{part}"] for part in parts])
        for joint, parts in _JOINTS.items()
        for side in ("left", "right")
    }
    line = _middle(points, track.visibility, "shoulder") - _middle(points, track.visibility, "hip")
    across = np.copysign(np.hypot(line[:, 0], line[:, 2]), line[:, 0])
    return angles | {"trunk": np.asarray(np.degrees(np.arctan2(line[:, 1], across)))}


def world_forward_up_right(track: PoseTrack, camera: CameraFacts) -> Floats:
    """Return (T, K, 3) metres about the hip centre: forward, up, and to the athlete's right.

    Where the facing is unknown, forward is the right of the picture.
    """
    x, y, z = np.moveaxis(track.world_m, -1, 0)
    forward, right = {
        "left": (-x, z),
        "camera": (-z, -x),
        "away": (z, x),
    }.get(camera.facing, (x, -z))
    return np.stack([forward, -y, right], axis=-1)


def _seen_angle(points: Floats, visibility: Floats, joints: list[int]) -> Floats:
    angle = joint_angle_deg(*(points[:, joint] for joint in joints))
    return np.where(visibility[:, joints].min(axis=1) >= SEEN, angle, np.nan)


def _middle(points: Floats, visibility: Floats, part: str) -> Floats:
    """Return (T, 3), the mean of left and right where both are seen, else the one that is."""
    pair = [INDEX[f"left_{part}"], INDEX[f"right_{part}"]]
    weight = (visibility[:, pair] >= SEEN)[..., None] & np.isfinite(points[:, pair])
    total, count = np.where(weight, points[:, pair], 0.0).sum(axis=1), weight.sum(axis=1)
    middle = np.full(total.shape, np.nan)
    np.divide(total, count, out=middle, where=count > 0)
    return middle


def fits_a_body(shoulder: Floats, hip: Floats, knee: Floats, ankle: Floats) -> npt.NDArray[np.bool_]:
    """Return (T,), whether trunk, thigh and shank have the proportions of a body seen from the side.

    From the side limbs move in the picture plane and keep their length. An estimator that guesses joints behind the
    plate breaks the proportions; angles from such a frame are not measured.
    """
    lengths = {
        "trunk": np.linalg.norm(shoulder - hip, axis=1),
        "thigh": np.linalg.norm(hip - knee, axis=1),
        "shank": np.linalg.norm(knee - ankle, axis=1),
    }
    whole = np.sum(list(lengths.values()), axis=0)
    known = np.asarray(np.isfinite(whole))
    if not known.any():
        return known
    usual = float(np.median(whole[known]))
    fits = known.copy()
    for name, share in LIMB_SHARES.items():
        fits &= np.abs(np.nan_to_num(lengths[name]) / (share * usual) - 1) < LIMB_TOLERANCE
    return np.asarray(fits)


def _smooth_angle(times_s: Floats, angle_deg: Floats) -> Floats:
    seen = np.isfinite(angle_deg)
    if seen.sum() < MIN_SAMPLES:
        return np.full(len(times_s), np.nan)
    smoothed = smooth(times_s, angle_deg, ANGLE_CUTOFF_HZ).value(times_s)
    return np.where(_nearest_s(times_s, times_s[seen]) <= NEAR_S, smoothed, np.nan)


def _nearest_s(times_s: Floats, known_s: Floats) -> Floats:
    """Return for each time how far away the nearest known one is; both ascend."""
    after = np.minimum(np.searchsorted(known_s, times_s), len(known_s) - 1)
    before = np.maximum(after - 1, 0)
    return np.asarray(np.minimum(np.abs(known_s[after] - times_s), np.abs(times_s - known_s[before])))
