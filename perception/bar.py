"""The bar in metres: plate and hands fused into one track, smoothed, with its noise."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from perception.plate import PlateTrack
from perception.pose import Floats
from perception.scale import Scale
from perception.smoothing import MIN_SAMPLES, SmoothTrack, reject_outliers, smooth, split_at_gaps

PLATE_CUTOFF_HZ = 7.0  # Hz, keeps a snatch's peak speed to 0.01 m/s; source: field uses 4 to 8 Hz
HANDS_CUTOFF_HZ = 4.0  # Hz, wrists are 5 to 10 times noisier
BRIDGE_S = 0.25  # s, longest gap of the plate bridged by the hands
BRIDGE_WEIGHT = 0.02  # hands are about 7 times noisier than the plate
HANDS_GAP_S = 0.2  # s, longest gap of the hands
ROBUST_ROUNDS = 2
ROBUST_FLOOR_M = 0.0012  # m, residual of a good plate frame
OUTLIER_FLOOR_M = 0.006  # m, smallest noise assumed when outliers are judged


@dataclass(frozen=True, slots=True, eq=False)
class BarSamples:
    """Positions of the bar in metres before smoothing, x forward and y up from any origin.

    Attributes:
        times_s: (T,); x_m, y_m: (T,), NaN where not seen; weights: (T,), 1 for the plate, less where hands bridge a gap.
        source: "plate" or "hands".
        cutoff_hz: For smoothing.
        longest_gap_s: Gaps above this break the track.
    """

    times_s: Floats
    x_m: Floats
    y_m: Floats
    weights: Floats
    source: Literal["plate", "hands"]
    cutoff_hz: float
    longest_gap_s: float


@dataclass(frozen=True, slots=True, eq=False)
class BarCurve:
    """One smooth stretch of the bar track in metres."""

    x: SmoothTrack
    y: SmoothTrack


def sample_bar(
    times_s: Floats, plate: PlateTrack, hands_px: Floats, scale: Scale, forward: float, *, use_plate: bool
) -> BarSamples:
    """Return the bar in metres from plate and hands.

    The plate gives the numbers. Where it is lost for a moment the hands carry it on, shifted by their offset from the
    plate before and after. Without a plate the hands midpoint is the bar.

    Args:
        times_s: (T,).
        plate: The near plate.
        hands_px: (T, 2), y down.
        scale: Metres per pixel.
        forward: 1 when the athlete faces the right of the picture, -1 for the left.
        use_plate: False to take the hands even if a disc was found.
    """
    if not (use_plate and plate.is_found):
        metres = _metres(hands_px, scale.bar_m_per_px, forward, 0.0)
        metres = reject_outliers(times_s, metres, half_window_s=0.2, threshold=4.0, floor=0.02)
        return BarSamples(
            times_s, metres[:, 0], metres[:, 1], np.ones(len(times_s)), "hands", HANDS_CUTOFF_HZ, HANDS_GAP_S
        )
    disc = _metres(plate.centre_px, scale.bar_m_per_px, forward, plate.flattening)
    disc = reject_outliers(times_s, disc, half_window_s=0.13, threshold=5.0, floor=OUTLIER_FLOOR_M)
    hands = _metres(hands_px, scale.bar_m_per_px, forward, plate.flattening)
    fused, weights = bridge(times_s, disc, hands)
    return BarSamples(times_s, fused[:, 0], fused[:, 1], weights, "plate", PLATE_CUTOFF_HZ, BRIDGE_S)


def _metres(points_px: Floats, m_per_px: float, forward: float, flattening: float) -> Floats:
    return np.asarray(points_px * np.array([forward / (1 + flattening), -1.0]) * m_per_px)


def bridge(times_s: Floats, disc: Floats, hands: Floats, longest_s: float = BRIDGE_S) -> tuple[Floats, Floats]:
    """Fill gaps of the plate with the hands plus their interpolated offset; return samples and weights.

    Args:
        times_s: (T,).
        disc: (T, 2), the plate in metres; NaN where not seen.
        hands: (T, 2), in metres.
        longest_s: Longest gap that is filled.
    """
    seen = np.asarray(np.isfinite(disc).all(axis=1), dtype=np.bool_)
    fused, weights = disc.copy(), np.where(seen, 1.0, 0.0)
    both = seen & np.isfinite(hands).all(axis=1)
    if both.sum() < 2:
        return fused, weights
    offset = np.stack([np.interp(times_s, times_s[both], (disc - hands)[both, d]) for d in (0, 1)], axis=1)
    for a, b in split_at_gaps(times_s, seen, longest_s):
        hole = ~seen & (np.arange(len(times_s)) >= a) & (np.arange(len(times_s)) < b)
        fused[hole] = (hands + offset)[hole]
        weights[hole] = np.where(np.isfinite(fused[hole]).all(axis=1), BRIDGE_WEIGHT, 0.0)
    fused[weights == 0] = np.nan
    return fused, np.where(weights == 0, BRIDGE_WEIGHT, weights)


def agreement(
    times_s: Floats, plate: PlateTrack, hands_px: Floats, start_s: float, end_s: float, m_per_px: float
) -> tuple[float, float]:
    """Return how alike plate and hands move up and down (correlation) and their median distance in metres.

    Seen from the side the hands are near the middle of the plate, give or take perspective; a disc that does not move
    with them is not on this bar. NaN when they are seen together for fewer than 8 frames.
    """
    inside = (times_s >= start_s) & (times_s <= end_s)
    both = inside & np.isfinite(plate.centre_px).all(axis=1) & np.isfinite(hands_px).all(axis=1)
    if both.sum() < MIN_SAMPLES:
        return float("nan"), float("nan")
    disc, hand = plate.centre_px[both], hands_px[both]
    if np.ptp(disc[:, 1]) == 0 or np.ptp(hand[:, 1]) == 0:
        return 0.0, float("nan")
    apart = float(np.median(np.linalg.norm(disc - hand, axis=1))) * m_per_px
    return float(np.corrcoef(disc[:, 1], hand[:, 1])[0, 1]), apart


def stretches(samples: BarSamples) -> list[tuple[int, int]]:
    """Return half-open frame ranges in which the bar was seen without a long gap."""
    seen = np.isfinite(samples.y_m) & np.isfinite(samples.x_m)
    parts = split_at_gaps(samples.times_s, seen, samples.longest_gap_s)
    return [(a, b) for a, b in parts if seen[a:b].sum() >= 2 * MIN_SAMPLES]


def fit_curve(samples: BarSamples, start: int, stop: int, *, robust: bool = True) -> BarCurve:
    """Return the smooth curve through frames [start, stop); `robust` gives stray frames less weight (Tukey)."""
    part = slice(start, stop)
    t, x, y, w = samples.times_s[part], samples.x_m[part], samples.y_m[part], samples.weights[part]
    for _ in range(ROBUST_ROUNDS if robust else 0):
        off = np.hypot(x - smooth(t, x, samples.cutoff_hz, w).value(t), y - smooth(t, y, samples.cutoff_hz, w).value(t))
        limit = 4.7 * max(1.4826 * float(np.nanmedian(off)) / 1.5, ROBUST_FLOOR_M)
        w = samples.weights[part] * np.maximum(1 - np.minimum(np.nan_to_num(off) / limit, 1) ** 2, 0.1) ** 2
    return BarCurve(smooth(t, x, samples.cutoff_hz, w), smooth(t, y, samples.cutoff_hz, w))
