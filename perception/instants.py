"""The instants of one lift inside a known rise of the bar, by rules that hold on real lifts.

The field defines the start as the first speed above 10 % of the maximum, peak velocity as the largest upward speed, max
height as the highest position and the catch as the first turning point after it. Over a whole clip these fail: the
recovery stands higher than the apex and the drop is faster than the pull. Here each is found inside one lift.

Source: knowledge sheet of biomechanics, 1.4.
"""

from dataclasses import dataclass

import numpy as np

from coach.domain.lift import InstantName, LiftName, Outcome
from perception.bar import BarCurve
from perception.pose import Floats
from perception.smoothing import runs

STEP_S = 0.002  # s, grid on which the smooth curves are read
START_SHARE = 0.10  # share of this lift's peak upward speed that marks the start (field definition)
QUIET_S = 0.040  # s, shortest run below the start speed that counts as rest
DESCENT_M_S = -0.15  # m/s, slower than this the bar has not really come down
LOWERED_M_S = -0.3  # m/s, rest before such a movement down does not belong to the pull after it
STILL_M_S = 0.10  # m/s, speed of a turning point
LOW_M, HIGH_M = 0.006, 0.018  # m, heights passed after lift-off from which its time is found
GROWTH = 2.6  # exponent of height against time just after lift-off; from 8 mm at 0.118 s with 0.18 m/s
EARLIEST_S = 0.35  # s, the bar has not left its rest earlier than this before it reaches the start speed
RECOVERING_M = 0.03  # m, above the apex the lifter is standing up, and what falls later is not the catch
NO_DROP_S = 0.25  # s, after slowing below 10 % of the peak without turning: caught without a drop
SMALLEST_DROP_M = 0.015  # m, a smaller drop is within what noise and bar whip do


@dataclass(frozen=True, slots=True, eq=False)
class LiftTimes:
    """Instants of one lift, in seconds of the clip; an instant that does not exist is absent.

    Attributes:
        times_s: Time by instant.
        outcome: How the lift ended. A squat or deadlift that was stood up is "caught", a pull always "not_caught".
        rest_m: Height of the resting bar in the unit and origin of the track: on the floor, where a hang lift begins,
            or on the shoulders before the dip.
        end_s: End of what belongs to this lift: lost from sight, dropped, or the hold.
        has_rest: False when the bar was never still before the pull (touch and go, hang).
        kind: Which lift this is.
        variant: "full", "power" or "split" by how it was caught, "hang" or "block" by where it began, else "".
        note: What makes the outcome unsure, in plain words; empty when nothing does.
    """

    times_s: dict[InstantName, float]
    outcome: Outcome
    rest_m: float
    end_s: float
    has_rest: bool
    kind: LiftName = "unknown"
    variant: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """A bar curve read on a fine even grid of N times.

    Attributes:
        t: (N,), seconds; height, x: (N,), metres; up: (N,), upward speed; speed: (N,), speed in the plane, m/s.
        noise_m: SD of one raw sample about the curve.
    """

    t: Floats
    height: Floats
    x: Floats
    up: Floats
    speed: Floats
    noise_m: float

    @property
    def smallest_drop_m(self) -> float:
        """Return the least descent that is one."""
        return max(SMALLEST_DROP_M, 4 * self.noise_m)

    def index(self, time_s: float) -> int:
        """Return the grid index nearest to a time."""
        return int(np.clip(round((time_s - float(self.t[0])) / STEP_S), 0, len(self.t) - 1))

    def until(self, stop: int) -> "Motion":
        """Return the motion before a grid index."""
        return Motion(self.t[:stop], self.height[:stop], self.x[:stop], self.up[:stop], self.speed[:stop], self.noise_m)


@dataclass(frozen=True, slots=True)
class Top:
    """The end of a rise: grid indices of its fastest and its highest moment, and whether the bar stayed up there."""

    peak: int
    apex: int
    stays: bool


def read_motion(curve: BarCurve, start_s: float = -np.inf, end_s: float = np.inf) -> Motion:
    """Return the curve on the grid, within a span of time."""
    t = np.arange(max(curve.y.start_s, start_s), min(curve.y.end_s, end_s), STEP_S)
    up = curve.y.rate(t)
    return Motion(t, curve.y.value(t), curve.x.value(t), up, np.hypot(up, curve.x.rate(t)), curve.y.noise_sd)


def find_top(m: Motion, a: int, b: int) -> Top:
    """Return the fastest and the highest moment of the rise [a, b).

    The highest is where the speed falls through zero; when it does not within 0.25 s of slowing below a tenth of the
    peak, the bar stays there and it is the moment of slowing down.
    """
    peak = a + int(np.argmax(m.up[a:b]))
    falling = np.flatnonzero(m.up[peak:] <= 0)
    slow = np.flatnonzero(m.up[peak:] < START_SHARE * m.up[peak])
    if not len(slow):
        return Top(peak, len(m.t) - 1, False)
    limit = peak + slow[0] + round(NO_DROP_S / STEP_S)
    if len(falling) and peak + falling[0] <= limit:
        return Top(peak, int(peak + falling[0]), False)
    return Top(peak, int(min(peak + slow[0], len(m.t) - 1)), True)


def pull_times(m: Motion, top: Top, *, from_floor: bool) -> tuple[dict[InstantName, float], float, bool]:
    """Return the instants up to max height of a pull, the height of the bar before it, and whether it was still.

    Lift-off exists only where the bar lay on the floor.
    """
    start, has_rest = _start(m, top.peak)
    left_s, rest = _leaving(m.t, m.height, start, top.peak)
    times: dict[InstantName, float] = {"lift_off": left_s} if from_floor else {}
    times |= {
        "start": float(m.t[start]),
        "peak_velocity": vertex(m.t, m.up, top.peak),
        "max_height": float(m.t[top.apex]),
    }
    return times, rest, has_rest


def dip_times(m: Motion, a: int, top: Top) -> tuple[dict[InstantName, float], float]:
    """Return the instants up to max height of a lift that begins with a descent, and the height before it.

    The start is the first upward speed above a tenth of the peak, after the lowest place.
    """
    bottom = a + int(np.argmin(m.height[a : top.peak + 1]))
    before = m.up[: bottom + 1]
    level = plateau(m, bottom)
    fastest = level + int(np.argmin(before[level:]))
    quiet = np.flatnonzero(before[:fastest] > START_SHARE * before[fastest])
    slow = int(quiet[-1]) if len(quiet) else level
    left_s, rest = _leaving(m.t, -m.height, slow, fastest)
    quick = np.flatnonzero(m.up[: top.peak] < START_SHARE * m.up[top.peak])
    start = max(bottom, int(quick[-1]) + 1 if len(quick) else bottom)
    times: dict[InstantName, float] = {
        "dip_start": left_s,
        "dip_bottom": float(m.t[bottom]),
        "start": float(m.t[start]),
        "peak_velocity": vertex(m.t, m.up, top.peak),
        "max_height": float(m.t[top.apex]),
    }
    return times, -rest


def plateau(m: Motion, bottom: int) -> int:
    """Return the index of the highest place before a descent: upward moves under 3 cm on the way do not end it."""
    highest = bottom
    for i in range(bottom, -1, -25):
        if m.height[i] > m.height[highest]:
            highest = i
        elif m.height[i] < m.height[highest] - 0.03:
            break
        if (highest - i) * STEP_S > 1.0:
            break
    return highest


def find_catch(m: Motion, apex: int) -> int | None:
    """Return the index of the first turning point after a real descent, or None."""
    height, up = m.height, m.up
    recovering = np.flatnonzero(height[apex:] > height[apex] + RECOVERING_M)
    stop = apex + int(recovering[0]) if len(recovering) else len(height)
    if float(np.min(height[apex:stop])) > height[apex] - m.smallest_drop_m:
        return None
    fast = np.flatnonzero(up[apex:stop] < DESCENT_M_S)
    if not len(fast):
        return _soft_turn(m, apex, stop)
    slow = np.flatnonzero(up[apex + fast[0] :] >= -STILL_M_S)
    return int(apex + fast[0] + slow[0]) if len(slow) else None


def _soft_turn(m: Motion, apex: int, stop: int) -> int | None:
    """Return the lowest place before a rise by the smallest drop, where the bar never came down fast."""
    low = apex + int(np.argmin(m.height[apex:stop]))
    rises = float(np.max(m.height[low:], initial=m.height[low])) >= m.height[low] + m.smallest_drop_m
    return low if rises else None


def vertex(t: Floats, z: Floats, i: int) -> float:
    """Return the time of the extreme of the parabola through three grid points."""
    if not 0 < i < len(t) - 1:
        return float(t[i])
    bend = z[i - 1] - 2 * z[i] + z[i + 1]
    return float(t[i]) if bend == 0 else float(t[i] + 0.5 * STEP_S * (z[i - 1] - z[i + 1]) / bend)


def _start(m: Motion, peak: int) -> tuple[int, bool]:
    """Return the index after the last quiet run before the peak, and whether there was one since the bar came down."""
    lowered = np.flatnonzero(m.up[:peak] < LOWERED_M_S)
    earliest = int(lowered[-1]) if len(lowered) else 0
    for a, b in reversed(runs(m.speed[:peak] < START_SHARE * m.up[peak])):
        if a >= earliest and (b - a) * STEP_S >= QUIET_S:
            return min(b, len(m.t) - 1), True
    recent = (m.t >= max(m.t[peak] - 1.5, m.t[earliest])) & (m.t <= m.t[peak])
    return int(np.flatnonzero(recent)[0] + np.argmin(m.speed[recent])), False


def _leaving(t: Floats, height: Floats, start: int, fast: int) -> tuple[float, float]:
    """Return the time at which the bar left its rest height before index `start`, and that height.

    The first millimetres drown in noise and in the smoothing, so the times at which 6 and 18 mm are passed are carried
    back along height ~ (t - t0) ** 2.6.
    """
    before = (t >= t[start] - 0.7) & (t <= t[start] - 0.2)
    rest = float(np.median(height[before])) if before.any() else float(height[start])
    low, high = (_last_below(height[: fast + 1], rest + rise) for rise in (LOW_M, HIGH_M))
    if low is None or high is None or high <= low:
        return float(t[start]), rest
    ratio = (HIGH_M / LOW_M) ** (1 / GROWTH)
    moment = float(t[low]) - float(t[high] - t[low]) / (ratio - 1)
    return float(np.clip(moment, max(t[0], t[start] - EARLIEST_S), t[start])), rest


def _last_below(height: Floats, level: float) -> int | None:
    low = np.flatnonzero(height <= level)
    return int(low[-1]) if len(low) else None
