"""Force, work and power on the bar from its mass and smoothed track; energy and momentum first, peaks last."""

from dataclasses import dataclass

import numpy as np

from perception.bar import BarCurve
from perception.pose import Floats
from perception.smoothing import runs

GRAVITY_M_S2 = 9.81  # m/s2, standard acceleration, ISO 80000-3 rounded
FALL_LONGEST_S = 3.0  # s, from overhead to the floor takes 0.7, in slow motion longer
FALL_SLOWEST_M_S = -0.8  # m/s, slower parts may still be held
FALL_SHORTEST_S = 0.20  # s, a shorter fall does not tell its acceleration
FALL_AHEAD = 1.3  # of the square of the speed that its acceleration gives from rest: a faster bar was set down by hands


def bar_force(curve: BarCurve, times_s: Floats, mass_kg: float) -> Floats:
    """Return the vertical force on the bar at each time, in newtons.

    F = m (g + a), a from the smoothed height. The smoothing takes some of a short peak away.

    Args:
        curve: Track of the bar in metres.
        times_s: (T,).
        mass_kg: Mass of bar, plates and collars; more than 0.

    Returns:
        Array of shape (T,), positive up; NaN outside the track.

    Raises:
        ValueError: `mass_kg` is not positive.
    """
    if mass_kg <= 0:
        raise ValueError(f"mass_kg must be positive, got {mass_kg}")
    return np.asarray(mass_kg * (GRAVITY_M_S2 + curve.y.second_rate(times_s)))


@dataclass(frozen=True, slots=True)
class Effort:
    """Work, mean power, mean force and impulse on the bar in one phase."""

    work_j: float
    mean_power_w: float
    mean_force_n: float
    impulse_n_s: float


def effort(curve: BarCurve, start_s: float, end_s: float, mass_kg: float) -> Effort:
    """Return what was given to the bar between two times.

    Work = m (g dy + (v2^2 - v1^2) / 2) with v the speed in the plane, impulse = m (dv_y + g dt). Both need position and
    speed only, so they are two to five times surer than a peak force.

    Raises:
        ValueError: `end_s` is not after `start_s`, or `mass_kg` is not positive.

    Source: Garhammer 1993, J Strength Cond Res 7:76-89 (bar power from kinematics).
    """
    if end_s <= start_s or mass_kg <= 0:
        raise ValueError(f"effort needs a time span and a mass, got {start_s} to {end_s} s and {mass_kg} kg")
    at = np.array([start_s, end_s])
    y, vy, vx = curve.y.value(at), curve.y.rate(at), curve.x.rate(at)
    kinetic = 0.5 * float(vy[1] ** 2 + vx[1] ** 2 - vy[0] ** 2 - vx[0] ** 2)
    work = mass_kg * (GRAVITY_M_S2 * float(y[1] - y[0]) + kinetic)
    impulse = mass_kg * (float(vy[1] - vy[0]) + GRAVITY_M_S2 * (end_s - start_s))
    span = end_s - start_s
    return Effort(work, work / span, impulse / span, impulse)


def impulse_check(curve: BarCurve, times_s: Floats, start_s: float, end_s: float) -> float:
    """Return the force curve's integral over frames divided by the momentum it must explain; 1 when they agree.

    Independent of mass. A value off by more than 0.03 exposes a wrong filter, time base or too few frames.
    """
    inside = times_s[(times_s > start_s) & (times_s < end_s)]
    t = np.concatenate([[start_s], inside, [end_s]])
    integral = float(np.trapezoid(GRAVITY_M_S2 + curve.y.second_rate(t), t))
    v = curve.y.rate(np.array([start_s, end_s]))
    return integral / (float(v[1] - v[0]) + GRAVITY_M_S2 * (end_s - start_s))


def free_fall_gravity(times_s: Floats, height_m: Floats, after_s: float) -> tuple[float, float] | None:
    """Return the downward acceleration of a dropped bar and its standard error, in m/s2; None without a clear fall.

    A parabola is fitted to raw heights over the fastest unbroken fall after `after_s`. Hands that guide the bar make it
    smaller than gravity, a wrong scale or frame rate makes it larger or smaller. A bar that is lowered is no fall: it is
    faster than its acceleration can have made it on its way down, in any clock.

    Args:
        times_s: (T,).
        height_m: (T,), raw, up; NaN where not seen.
        after_s: Where the lift itself ended.
    """
    seen = np.isfinite(height_m) & (times_s > after_s)
    t, y = times_s[seen], height_m[seen]
    if len(t) < 6:
        return None
    best = _longest_fall(t, y)
    if best is None:
        return None
    first, last = best
    coefficients, covariance = np.polyfit(t[first : last + 1] - t[first], y[first : last + 1], 2, cov=True)
    gravity, end_m_s = -2 * coefficients[0], np.polyval(np.polyder(coefficients), t[last] - t[first])
    if end_m_s**2 > FALL_AHEAD * 2 * gravity * (np.max(y[: first + 1]) - y[last]):
        return None
    return float(gravity), float(2 * np.sqrt(covariance[0, 0]))


def _longest_fall(t: Floats, y: Floats) -> tuple[int, int] | None:
    """Return the first and last index of the deepest fall faster than FALL_SLOWEST_M_S, without its last sample.

    The last sample of a fall may already stand on the floor, and the first ones may still be held.
    """
    speed = np.concatenate([[0.0], np.diff(y) / np.diff(t)])
    best: tuple[float, int, int] | None = None
    for first, stop in runs(speed < FALL_SLOWEST_M_S):
        last = stop - 2
        if last - first >= 4 and FALL_SHORTEST_S <= t[last] - t[first] <= FALL_LONGEST_S:
            depth = float(y[first] - y[last])
            if depth > 0.3 and (best is None or depth > best[0]):
                best = (depth, first, last)
    return None if best is None else best[1:]
