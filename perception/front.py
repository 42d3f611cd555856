"""What the bar gives when it is seen from the front or rear: the scale, samples for the smoothing, and its tilt."""

import numpy as np

from coach.domain.settings import AnalysisSettings
from perception.bar import BarSamples, bridge
from perception.barline import INNER_DISTANCE_M
from perception.barline_track import MIN_FRAMES, BarLineTrack
from perception.pose import Floats

PLATE_SIZE_SD = 0.010  # relative, worn or odd plates
DISTANCE_SLACK = 0.05  # relative, by which plates stand farther apart than 1.31 m where they are not pushed home
STACK_DOUBT = 0.1  # of the distance beyond: mostly the outer plates of several; 31 such heights were off by 1.5 % (SD)
SHORT = 0.03  # relative, nothing brings plates so much closer: their height took in a shadow or something behind
SHORT_SD = 0.04  # relative, of the distance of plates whose height is wrong
LEAST_RISE = 0.5  # of the farthest that the hands go up: a bar line from after that says nothing
FAST_S, FAST_RISE, SEEN_WHILE_FAST = 0.3, 0.3, 0.4  # s, plate heights in it, and share of frames with a pair then
SURE_ENOUGH = 0.5  # mean confidence above which the ends are a better bar than the hands
LEAST_SEEN = 0.6  # share of frames between the first and the last with a pair
SURE, LEAST_SEEN_SURELY = 0.8, 0.5  # mean confidence from which gaps in between matter less, and that share then
LEAST_TRAVEL = 0.6  # of the hands' way up and down
LIFTED = 0.75  # plate heights up and down of a bar that is plainly lifted, whatever the hands do afterwards
LINE_BRIDGE_S = 0.5  # s, longest gap bridged by the hands: no plate hides them
BARLINE_CUTOFF_HZ = 6.0  # Hz, for noise of 0.05 to 0.25 px, 0.3 to 2 mm; wrists have 4 Hz
TILT_HALF_S = 0.07  # s, frames about an instant from which the tilt is read
MIN_TILT_FRAMES = 3
SURE_TILT = 0.75  # confidence above which both ends are surely seen
END_SD_PX = 0.9  # px, by which an end is off for longer than that: shadows, light, other edges near by


def front_scale(track: BarLineTrack, settings: AnalysisSettings, *, is_turned: bool = False) -> tuple[float, float]:
    """Return metres per pixel at the bar and its relative SD, from the height of the plates; NaN if there is no bar.

    Plates and hands lie in the plane of the bar, so there is no perspective to correct. The distance of the plates
    checks the height. It reads long where plates are not pushed home, or where an inner plate is not told from what is
    behind it and the pair are the outer ones: the height holds. Short it reads only of a bar that `is_turned`; of one
    that is square to the camera the distance gives the scale then.
    """
    if not track.is_found:
        return float("nan"), float("nan")
    excess = scale_disagreement(track, settings)
    if excess < -SHORT and not is_turned:
        return INNER_DISTANCE_M / track.apart_px, SHORT_SD
    beyond = max(excess - DISTANCE_SLACK, 0.0) if np.isfinite(excess) else DISTANCE_SLACK
    sd = float(np.hypot(track.height_sd_px / track.height_px, PLATE_SIZE_SD))
    return settings.plate_diameter_m / track.height_px, float(np.hypot(sd, STACK_DOUBT * beyond))


def scale_disagreement(track: BarLineTrack, settings: AnalysisSettings) -> float:
    """Return by how much the plates stand farther apart than their height lets expect, relative; NaN if unknown."""
    return track.apart_px / track.height_px * settings.plate_diameter_m / INNER_DISTANCE_M - 1


def is_better_than_hands(track: BarLineTrack, hands_px: Floats) -> bool:
    """Return whether the bar line should be taken for the bar instead of the hands.

    It should when it is surely and mostly seen between its first and its last frame, and is plainly lifted or goes as
    far up and down as the hands do: pairs that were found at rest only and lost in the pull say nothing. Nor do those
    that were found only after the hands went up, or are not seen while they go up fastest.
    """
    height = track.centre_px[:, 1]
    seen = np.flatnonzero(np.isfinite(height))
    hands = hands_px[np.isfinite(hands_px[:, 1]), 1]
    if not track.is_found or len(seen) < MIN_FRAMES or len(hands) < MIN_FRAMES:
        return False
    share = len(seen) / (seen[-1] - seen[0] + 1)
    travel, hands_travel = (float(np.ptp(np.percentile(z, [5, 95]))) for z in (height[seen], hands))
    is_lifted = travel >= min(LEAST_TRAVEL * hands_travel, LIFTED * track.height_px)
    confidence = float(np.mean(track.confidence[seen]))
    least = LEAST_SEEN_SURELY if confidence >= SURE else LEAST_SEEN
    sees_rise = _risen_px(hands_px[seen[0] : seen[-1] + 1, 1]) >= LEAST_RISE * _risen_px(hands_px[:, 1])
    sees_rise &= _seen_while_fast(track, hands_px) >= SEEN_WHILE_FAST
    return share >= least and is_lifted and sees_rise and confidence >= SURE_ENOUGH


def _seen_while_fast(track: BarLineTrack, hands_px: Floats) -> float:
    """Return the share of frames with a pair about when the hands go up fastest, 1 where they never go up fast."""
    times_s, rows = track.times_s, hands_px[:, 1]
    known = np.isfinite(rows)
    before = np.interp(times_s - FAST_S, times_s[known], rows[known]) - rows
    if not np.nanmax(before) >= FAST_RISE * track.height_px:
        return 1.0
    fastest_s = float(times_s[np.nanargmax(before)])
    about = (times_s >= fastest_s - FAST_S) & (times_s <= fastest_s)
    return float(np.mean(np.isfinite(track.centre_px[about, 1])))


def _risen_px(y_px: Floats) -> float:
    """Return how far something goes up from a place before, at most."""
    known = y_px[np.isfinite(y_px)]
    return float(np.max(np.maximum.accumulate(known) - known, initial=0.0))


def sample_bar_line(track: BarLineTrack, hands_px: Floats, m_per_px: float) -> BarSamples:
    """Return the bar in metres from its two ends, its middle; the hands bridge short gaps, shifted onto it.

    Args:
        track: Of the ends.
        hands_px: (T, 2), midpoint of the hands.
        m_per_px: From `front_scale`.

    Returns:
        Samples with x to the right of the picture, which from the front is the lifter's left.
    """
    flip = np.array([1.0, -1.0]) * m_per_px
    fused, weights = bridge(track.times_s, track.centre_px * flip, hands_px * flip, LINE_BRIDGE_S)
    return BarSamples(track.times_s, fused[:, 0], fused[:, 1], weights, "plate", BARLINE_CUTOFF_HZ, LINE_BRIDGE_S)


def bar_tilt_at(track: BarLineTrack, time_s: float) -> tuple[float, float] | None:
    """Return the tilt of the bar at a time and its SD in degrees, from a line through the frames about it; None if unseen.

    The camera's own roll adds to it: take the tilt of the bar at rest on a level floor off.

    Args:
        track: Of the ends.
        time_s: When.

    Returns:
        Degrees, positive where the end at the right of the picture is higher.
    """
    sure = track.confidence >= SURE_TILT
    near = (np.abs(track.times_s - time_s) <= TILT_HALF_S) & np.isfinite(track.tilt_deg) & sure
    if near.sum() < MIN_TILT_FRAMES:
        return None
    t, tilt = track.times_s[near] - time_s, track.tilt_deg[near]
    design = np.stack([np.ones_like(t), t], axis=1)
    fit, *_ = np.linalg.lstsq(design, tilt, rcond=None)
    spread = float(np.sqrt(np.sum((tilt - design @ fit) ** 2) / (len(t) - 2)))
    span = track.apart_px + track.height_px / 4
    own = float(np.degrees(np.sqrt(2) * END_SD_PX / span))
    return float(fit[0]), float(np.hypot(spread / np.sqrt(len(t)), own))
