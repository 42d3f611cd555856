"""Where the camera stands about the lifter, and which way the lifter faces."""

import numpy as np

from coach.domain.lift import Facing, View
from perception.athlete import hands_midpoint_px
from perception.pose import INDEX, Floats, PoseTrack

SIDE_BELOW, FRONT_ABOVE = 0.40, 0.62  # shoulder and hip spread over trunk length


def estimate_view(track: PoseTrack) -> View:
    """Return where the camera stands, from how far shoulders and hips are apart in the picture.

    From the front shoulders and hips lie about 0.8 and 0.5 trunk lengths apart, from the side on top of each other.
    """
    p = track.points_px
    trunk = np.linalg.norm(_mid(p, "shoulder") - _mid(p, "hip"), axis=1)
    spread = np.abs(_across(p, "shoulder")) + np.abs(_across(p, "hip"))
    known = np.isfinite(trunk) & (trunk > 5)
    if known.sum() < 5:
        return "unknown"
    longest = np.nanpercentile(trunk[known], 75)
    ratio = float(np.median(spread[known])) / 1.3 / float(longest)
    if ratio < SIDE_BELOW:
        return "side"
    if ratio < FRONT_ABOVE:
        return "oblique"
    return "front" if np.nanmedian(_across(p, "shoulder")) > 0 else "rear"


def estimate_facing(track: PoseTrack, view: View) -> Facing:
    """Return which way the athlete faces in the picture: by toes and nose from the side, by the view else."""
    if view in ("front", "rear"):
        return "camera" if view == "front" else "away"
    if view == "unknown":
        return "unknown"
    p = track.points_px
    trunk = np.nanmedian(np.linalg.norm(_mid(p, "shoulder") - _mid(p, "hip"), axis=1))
    toes = _mid(p, "toe")[:, 0] - _mid(p, "heel")[:, 0]
    nose = p[:, INDEX["nose"], 0] - _mid(p, "ear")[:, 0]
    reach = (hands_midpoint_px(p, track.visibility) - _mid(p, "hip"))[:, 0]
    vote = float(np.nanmedian(toes) + np.nanmedian(nose) + 0.5 * np.nanmedian(reach)) / float(trunk)
    if not np.isfinite(vote) or abs(vote) < 0.05:
        return "unknown"
    return "right" if vote > 0 else "left"


def _mid(points: Floats, part: str) -> Floats:
    return np.asarray((points[:, INDEX[f"left_{part}"]] + points[:, INDEX[f"right_{part}"]]) / 2)


def _across(points: Floats, part: str) -> Floats:
    """Return left minus right, x, for each frame: positive when the athlete faces the camera."""
    return np.asarray(points[:, INDEX[f"left_{part}"], 0] - points[:, INDEX[f"right_{part}"], 0])
