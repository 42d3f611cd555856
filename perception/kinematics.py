"""Joint angles of the athlete in the picture plane, from the side."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perception.athlete import near_side
from perception.pose import Floats, PoseTrack
from perception.smoothing import MIN_SAMPLES, smooth

ANGLE_CUTOFF_HZ = 5.0  # Hz, keypoints of one camera; source: field uses 4 to 6 Hz
LIMB_SHARES = {
    "trunk": 0.370,
    "thigh": 0.315,
    "shank": 0.315,
}  # of ankle-knee-hip-shoulder; source: Winter 2009, fig. 4.1
LIMB_TOLERANCE = 0.25  # relative; keypoints put on the plate or on the wrong joint break the proportions
NEAR_S = 0.07  # s, an angle is given only this near to a frame whose keypoints fit a body
ANGLE_SD_DEG = 8.0  # deg, joint angle from one view against motion capture; source: Thiele 2024, Lima 2024


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
    """Return the angle at b between a and c, (T,), in degrees 0 to 180; a, b, c are (T, 2)."""
    u, v = a - b, c - b
    return np.degrees(np.abs(np.arctan2(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0], np.sum(u * v, axis=1))))


def measure_angles(track: PoseTrack, forward: float) -> Angles:
    """Return the smoothed angles of the side of the body nearer to the camera.

    Args:
        track: The athlete.
        forward: 1 when the athlete faces the right of the picture, -1 for the left.
    """
    side = near_side(track)
    shoulder, elbow, wrist, hip, knee, ankle = (
        track.point_px(f"{side}_{part}") for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    )
    fits = fits_a_body(shoulder, hip, knee, ankle)
    trunk = shoulder - hip
    lean = np.degrees(np.arctan2(-trunk[:, 1], forward * trunk[:, 0]))
    raw = (
        joint_angle_deg(hip, knee, ankle),
        joint_angle_deg(shoulder, hip, knee),
        joint_angle_deg(shoulder, elbow, wrist),
        np.where(lean < -90, lean + 360, lean),
    )
    return Angles(track.times_s, *(_smooth_angle(track.times_s, np.where(fits, z, np.nan)) for z in raw))


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
    known = np.isfinite(sum(lengths.values()))
    if not known.any():
        return known
    usual = float(np.median(np.asarray(sum(lengths.values()))[known]))
    fits = known.copy()
    for name, share in LIMB_SHARES.items():
        fits &= np.abs(np.nan_to_num(lengths[name]) / (share * usual) - 1) < LIMB_TOLERANCE
    return np.asarray(fits)


def _smooth_angle(times_s: Floats, angle_deg: Floats) -> Floats:
    seen = np.isfinite(angle_deg)
    if seen.sum() < MIN_SAMPLES:
        return np.full(len(times_s), np.nan)
    smoothed = smooth(times_s, angle_deg, ANGLE_CUTOFF_HZ).value(times_s)
    nearest = np.min(np.abs(times_s[:, None] - times_s[seen][None, :]), axis=1)
    return np.where(nearest <= NEAR_S, smoothed, np.nan)
