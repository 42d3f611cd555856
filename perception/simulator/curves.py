"""Smooth curves over time: through extremes, as smooth steps, and joined to what comes before."""

import numpy as np
from scipy.interpolate import BPoly

from perception.pose import Floats


def step(times_s: Floats, start_s: float, end_s: float) -> Floats:
    """Return 0 before `start_s`, 1 after `end_s`, and the minimum-jerk curve between; twice differentiable."""
    u = np.clip((times_s - start_s) / (end_s - start_s), 0, 1)
    return np.asarray(u**3 * (10 - 15 * u + 6 * u**2))


class ExtremesCurve:
    """A twice differentiable curve whose slope is zero at its knots and has one sign between them.

    Quintic pieces. At a knot where the direction turns, the curvature is set so that the extreme is sharp enough to
    be found; elsewhere it is zero. Outside the knots the curve is constant.
    """

    def __init__(self, times_s: list[float], values: list[float]) -> None:
        """Lay the curve through `values` at the rising `times_s`."""
        t, v = np.asarray(times_s, dtype=np.float64), np.asarray(values, dtype=np.float64)
        if np.any(np.diff(t) <= 0):
            raise ValueError(f"times must rise, got {times_s}")
        pull = 6 * np.diff(v) / np.diff(t) ** 2
        curvature = np.zeros(len(t))
        for i in range(1, len(t) - 1):
            before, after = pull[i - 1], pull[i]
            if before * after < 0:
                size = min(np.sqrt(-before * after), 1.4 * abs(before), 1.4 * abs(after))
                curvature[i] = np.sign(after) * size
        self.low_s, self.high_s = float(t[0]), float(t[-1])
        self._poly = BPoly.from_derivatives(t, [[a, 0.0, c] for a, c in zip(v, curvature, strict=True)])

    def __call__(self, times_s: Floats, order: int = 0) -> Floats:
        """Return the curve, or its derivative of `order`, at `times_s`."""
        inside = np.clip(times_s, self.low_s, self.high_s)
        value = self._poly(inside, nu=order)
        if order:
            value = np.where((times_s < self.low_s) | (times_s > self.high_s), 0.0, value)
        return np.asarray(value)


def smooth_through(rows: list[tuple[float, float, float]]) -> BPoly:
    """Return the quintic curve through (time, value, slope) with a continuous second derivative, zero at both ends.

    At inner knots the second derivative is the mean of what cubic pieces on either side would have.
    """
    t, v, s = np.array(rows).T
    h, rise = np.diff(t), np.diff(v)
    leaving = (6 * rise / h - 4 * s[:-1] - 2 * s[1:]) / h
    arriving = (-6 * rise / h + 2 * s[:-1] + 4 * s[1:]) / h
    second = np.zeros(len(t))
    second[1:-1] = (arriving[:-1] + leaving[1:]) / 2
    return BPoly.from_derivatives(t, np.column_stack([v, s, second]))


class KeyCurve:
    """A twice differentiable curve through key values at key times, constant before the first and after the last.

    Quintic pieces. A key without a slope rests there: its curvature is zero, or that of a turning point as in
    `ExtremesCurve`. A key with a slope is passed through, its curvature the mean of what cubics on either side have.
    """

    def __init__(self, rows: list[tuple[float, float, float]]) -> None:
        """Lay the curve through (time, value, slope); times rise, and the first and last slope count as zero."""
        t, v, s = np.array(rows, dtype=np.float64).T
        if np.any(np.diff(t) <= 0):
            raise ValueError(f"times must rise, got {t.tolist()}")
        self.low_s, self.high_s = float(t[0]), float(t[-1])
        if len(t) == 1:
            self._poly = BPoly.from_derivatives([t[0], t[0] + 1], [[v[0], 0.0, 0.0]] * 2)
            return
        h, rise = np.diff(t), np.diff(v)
        s[0] = s[-1] = 0.0
        second = np.zeros(len(t))
        for i in range(1, len(t) - 1):
            if s[i] == 0.0:
                second[i] = _turning(6 * rise[i - 1] / h[i - 1] ** 2, 6 * rise[i] / h[i] ** 2)
            else:
                arriving = (-6 * rise[i - 1] / h[i - 1] + 2 * s[i - 1] + 4 * s[i]) / h[i - 1]
                second[i] = (arriving + (6 * rise[i] / h[i] - 4 * s[i] - 2 * s[i + 1]) / h[i]) / 2
        self._poly = BPoly.from_derivatives(t, np.column_stack([v, s, second]))

    def __call__(self, times_s: Floats, order: int = 0) -> Floats:
        """Return the curve, or its derivative of `order`, at `times_s`."""
        value = self._poly(np.clip(times_s, self.low_s, self.high_s), nu=order)
        if order:
            value = np.where((times_s < self.low_s) | (times_s > self.high_s), 0.0, value)
        return np.asarray(value)


def _turning(before: float, after: float) -> float:
    """Return the curvature of a resting key from the pulls of the pieces before and after it."""
    if before * after >= 0:
        return 0.0
    return float(np.sign(after) * min(np.sqrt(-before * after), 1.4 * abs(before), 1.4 * abs(after)))
