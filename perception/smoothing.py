"""Smoothing of tracks with uneven times and gaps: outlier rejection, a spline of known cut-off, noise from residuals."""

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PPoly
from scipy.linalg import solveh_banded

from perception.pose import Floats

MIN_SAMPLES = 8  # below this a spline says nothing about speed


@dataclass(frozen=True, slots=True, eq=False)
class SmoothTrack:
    """A smoothed scalar over time, with its derivatives.

    Attributes:
        spline: Cubic spline of the value against seconds.
        start_s, end_s: Range in which it may be evaluated.
        noise_sd: SD of one raw sample about the curve, in the unit of the value.
        cutoff_hz: Frequency at which the amplitude is halved.
    """

    spline: PPoly
    start_s: float
    end_s: float
    noise_sd: float
    cutoff_hz: float

    def value(self, times_s: Floats) -> Floats:
        """Return the smoothed value at each time; NaN outside the track."""
        return self._evaluate(times_s, 0)

    def rate(self, times_s: Floats) -> Floats:
        """Return the first derivative per second; NaN outside the track."""
        return self._evaluate(times_s, 1)

    def second_rate(self, times_s: Floats) -> Floats:
        """Return the second derivative per second squared; NaN outside the track."""
        return self._evaluate(times_s, 2)

    def _evaluate(self, times_s: Floats, order: int) -> Floats:
        inside = (times_s >= self.start_s - 1e-9) & (times_s <= self.end_s + 1e-9)
        return np.where(inside, self.spline(np.clip(times_s, self.start_s, self.end_s), nu=order), np.nan)


def smooth(times_s: Floats, values: Floats, cutoff_hz: float, weights: Floats | None = None) -> SmoothTrack:
    """Fit a cubic smoothing spline that damps like a zero-lag Butterworth filter of fourth order.

    On even samples the spline minimising sum (x - z)^2 + lam * integral x''^2 has the gain 1 / (1 + lam w^4 / f_s),
    the gain of a second-order Butterworth filter run forth and back; here lam = f_s / (2 pi cutoff)^4. Unlike the filter
    it takes container times as they come and needs no padding at the ends.

    Args:
        times_s: (T,), increasing.
        values: (T,), NaN where missing; at least 8 finite.
        cutoff_hz: Frequency of gain 1/2 where the weight is 1.
        weights: (T,), 1 for a full sample, less for one that is known less well; default all 1.

    Raises:
        ValueError: Too few finite values.

    Source: Craven & Wahba 1979 (smoothing splines as Butterworth filters), Woltring 1986.
    """
    seen = np.isfinite(values)
    if seen.sum() < MIN_SAMPLES:
        raise ValueError(f"smoothing needs {MIN_SAMPLES} samples, got {int(seen.sum())}")
    t, z = times_s[seen], values[seen]
    rate_hz = 1.0 / float(np.median(np.diff(t)))
    w = np.ones(len(t)) if weights is None else weights[seen]
    spline, smoothed = _smoothing_spline(t, z, w, rate_hz / (2 * np.pi * cutoff_hz) ** 4)
    residual = z - smoothed
    noise = float(np.sqrt(np.average(residual**2, weights=w) / residual_gain(cutoff_hz, rate_hz)))
    return SmoothTrack(spline, float(t[0]), float(t[-1]), noise, cutoff_hz)


def _smoothing_spline(t: Floats, z: Floats, weights: Floats, lam: float) -> tuple[PPoly, Floats]:
    """Return the natural cubic spline that minimises sum w (z - s(t))^2 + lam * integral s''^2, and s(t).

    (R + lam Q' W^-1 Q) bend = Q' z and s(t) = z - lam W^-1 Q bend, with Q the second divided differences and bend the
    second derivatives at the inner knots.

    Source: Reinsch 1967, Green & Silverman 1994, section 2.3.
    """
    step = np.diff(t)
    first, last = 1 / step[:-1], 1 / step[1:]
    middle, loose = -(first + last), lam / weights
    bands = np.zeros((3, len(t) - 2))
    bands[2] = (step[:-1] + step[1:]) / 3
    bands[2] += first**2 * loose[:-2] + middle**2 * loose[1:-1] + last**2 * loose[2:]
    bands[1, 1:] = step[1:-1] / 6
    bands[1, 1:] += middle[:-1] * first[1:] * loose[1:-2] + last[:-1] * middle[1:] * loose[2:-1]
    bands[0, 2:] = last[:-2] * first[2:] * loose[2:-2]
    bend = np.zeros(len(t))
    bend[1:-1] = solveh_banded(bands, first * z[:-2] + middle * z[1:-1] + last * z[2:], check_finite=False)
    turn = np.diff(np.diff(bend) / step, prepend=0.0, append=0.0)
    smoothed = z - loose * turn
    rise = np.diff(smoothed) / step - step * (2 * bend[:-1] + bend[1:]) / 6
    return PPoly(np.stack([np.diff(bend) / (6 * step), bend[:-1] / 2, rise, smoothed[:-1]]), t), smoothed


def residual_gain(cutoff_hz: float, rate_hz: float) -> float:
    """Return the share of white-noise variance that the filter takes out (0 to 1)."""
    f = np.linspace(0, rate_hz / 2, 500)
    gain = 1 / (1 + (f / cutoff_hz) ** 4)
    return float(np.mean((1 - gain) ** 2))


def reject_outliers(times_s: Floats, values: Floats, *, half_window_s: float, threshold: float, floor: float) -> Floats:
    """Return values with NaN where they leave the local straight line by more than `threshold` robust SDs.

    A Hampel filter about the local line (not the local median, which cuts the peaks of fast movement).

    Args:
        times_s: (T,).
        values: (T,) or (T, D).
        half_window_s: Neighbours on each side.
        threshold: In robust SDs (1.4826 x median absolute deviation).
        floor: Smallest SD assumed, in the unit of the values.
    """
    table = values if values.ndim == 2 else values[:, None]
    out = table.copy()
    known = np.flatnonzero(np.isfinite(table).all(axis=1))
    for i in known:
        near = known[(np.abs(times_s[known] - times_s[i]) <= half_window_s) & (known != i)]
        if len(near) < 4:
            continue
        dt = times_s[near] - times_s[i]
        level = table[near] - _slopes(dt, table[near]) * dt[:, None]
        expected = np.median(level, axis=0)
        spread = 1.4826 * np.median(np.abs(level - expected), axis=0)
        if np.any(np.abs(table[i] - expected) > threshold * np.maximum(spread, floor)):
            out[i] = np.nan
    return out if values.ndim == 2 else out[:, 0]


def _slopes(dt: Floats, table: Floats) -> Floats:
    """Return the median slope over all pairs, one for each column."""
    a, b = _pairs(len(dt))
    return np.asarray(np.median((table[b] - table[a]) / (dt[b] - dt[a])[:, None], axis=0))


@functools.lru_cache(maxsize=64)
def _pairs(n: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the indices of all pairs of n things."""
    return np.triu_indices(n, 1)


def runs(mask: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the half-open index ranges where `mask` is true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def split_at_gaps(times_s: Floats, seen: npt.NDArray[np.bool_], longest_gap_s: float) -> list[tuple[int, int]]:
    """Return half-open index ranges of samples seen without a gap longer than `longest_gap_s`."""
    known = np.flatnonzero(seen)
    if not len(known):
        return []
    breaks = np.flatnonzero(np.diff(times_s[known]) > longest_gap_s) + 1
    return [(int(part[0]), int(part[-1]) + 1) for part in np.split(known, breaks)]
