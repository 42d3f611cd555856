"""The instants of one lift inside a known rise of the bar, by rules that hold on real lifts.

The field defines the start as the first speed above 10 % of the maximum, peak velocity as the largest upward speed, max
height as the highest position and the catch as the first turning point after it. Over a whole clip these fail: the
recovery stands higher than the apex and the drop is faster than the pull. Here each is found inside one lift.

Source: knowledge sheet of biomechanics, 1.4.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from coach.domain.lift import InstantName, LiftName, Outcome
from perception.bar import BarCurve
from perception.pose import Floats
from perception.smoothing import runs

STEP_S = 0.002  # s, grid on which the smooth curves are read
START_SHARE = 0.10  # share of this lift's peak upward speed that marks the start (field definition)
QUIET_S = 0.040  # s, shortest run below the start speed that counts as rest
WAIT_S = 0.080  # s, the same in a jerk, so that the turning point of the dip is not taken
DESCENT_M_S = -0.12  # m/s, slower than this the bar has not really come down
FALLING = 1.1  # of the speed of a turning point, on a softer curve a descent is faster than this
LOWERED_M_S = -0.3  # m/s, rest before such a movement down does not belong to the pull after it
STILL_M_S = 0.10  # m/s, speed of a turning point
PASSED_M, PASSED_SOFT_M = (0.02, 0.06), (0.03, 0.10)  # m, heights passed from which the start is carried back
SOFT_HZ = 6.0  # Hz, a curve cut off below this is one of the hands, and noisy
FULL_HZ, SOFTER = 7.0, 1.2  # Hz and exponent: a softer curve turns more slowly; from simulated lifts
PEAK_S = 0.04  # s on each side of the fastest moment that are read at least
SLOW_PEAK_M_S, SLOW_REACH_S, SLOW_SD_S = 0.88, 0.4, 0.06  # m/s and s: a slower peak is that of averaged speeds
NEARLY_PEAK = 0.9  # of the peak speed: a slow lift is nearly as fast for long
GROWTH = 2.6  # exponent of height against time just after lift-off; from 8 mm at 0.118 s with 0.18 m/s
LANDING = 2.75  # the same for the end of a descent; from simulated squats
CUT_IN_S = 0.10  # s after the first sight of a bar that was not still: it was going up by then, its start was not seen
REST_S = (0.7, 0.2)  # s before a start, between which the bar rests
MOVING_M_S, SETTLED_S = 0.15, 0.05  # m/s, a bar that moved back so fast just before rests only since then, and s
MOVED_M = 0.01  # m, a bar that was so much lower then did not rest
LANDS_M = (0.012, 0.048)  # m over its lowest place, from which the end of a descent is carried on
AGREE_S = 0.15  # s at 1 m/s or faster, more for slower lifts: a start carried back further had no rest before it
EARLIEST_S = 0.35  # s, the bar has not left its rest earlier than this before it reaches the start speed
FALLS_WITHIN_S = 0.40  # s after max height in which a descent to the catch is under way
SOFT_TURN_M = (0.03, 0.05)  # m, a smaller soft descent is no drop; of plate and hands
SOFT_TURN_S = 0.6  # s after max height in which a bar that never came down fast turns
RECOVERING_M = 0.03  # m, above the apex the lifter is standing up, and what falls later is not the catch
NO_DROP_S = 0.25  # s, after slowing below 10 % of the peak without turning: caught without a drop
SMALLEST_DROP_M = 0.010  # m, a smaller drop is within what noise and bar whip do


@dataclass(frozen=True, slots=True, eq=False)
class LiftTimes:
    """Instants of one lift, in seconds of the clip; an instant that does not exist is absent.

    Attributes:
        times_s: Time by instant.
        outcome: How the lift ended. A squat or deadlift that was stood up is "caught", a pull always "not_caught".
        rest_m: Height of the resting bar in the unit and origin of the track: on the floor, where a hang lift begins,
            or on the shoulders before the dip. Without a start only a guess of the floor, which no measure may use.
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
        cutoff_hz: Of the smoothing.
    """

    t: Floats
    height: Floats
    x: Floats
    up: Floats
    speed: Floats
    noise_m: float
    cutoff_hz: float

    @property
    def smallest_drop_m(self) -> float:
        """Return the least descent that is one."""
        return max(SMALLEST_DROP_M, 4 * self.noise_m)

    @property
    def still_m_s(self) -> float:
        """Return the speed below which the bar turns: the field's 0.10 m/s, more on a softer curve."""
        return float(STILL_M_S * max(1.0, FULL_HZ / self.cutoff_hz) ** SOFTER)

    def index(self, time_s: float) -> int:
        """Return the grid index nearest to a time."""
        return int(np.clip(round((time_s - float(self.t[0])) / STEP_S), 0, len(self.t) - 1))

    def until(self, stop: int) -> "Motion":
        """Return the motion before a grid index."""
        t, height, x, up, speed = (z[:stop] for z in (self.t, self.height, self.x, self.up, self.speed))
        return Motion(t, height, x, up, speed, self.noise_m, self.cutoff_hz)


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
    speed = np.hypot(up, curve.x.rate(t))
    return Motion(t, curve.y.value(t), curve.x.value(t), up, speed, curve.y.noise_sd, curve.y.cutoff_hz)


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

    Lift-off exists only where the bar lay on the floor. Where the bar is first seen on its way up there is neither start
    nor lift-off, and the height before is not known: that of the first sight is returned.
    """
    start, has_rest = _start(m, top.peak)
    if not has_rest and float(m.t[start] - m.t[0]) <= CUT_IN_S:
        seen: dict[InstantName, float] = {
            "peak_velocity": _peak_s(m, top.peak),
            "max_height": float(m.t[top.apex]),
        }
        return seen, float(m.height[0]), False
    left_s, start_s, rest = _leaving(m, m.height, start, top.peak)
    rest = min(rest, float(m.height[start]))
    if not from_floor:
        start_s = min(start_s, float(m.t[start]))  # from the hang the bar goes back to the hip before it goes up
    times: dict[InstantName, float] = {"lift_off": left_s} if from_floor else {}
    times |= {
        "start": start_s if has_rest else float(m.t[start]),
        "peak_velocity": _peak_s(m, top.peak),
        "max_height": float(m.t[top.apex]),
    }
    return times, rest, has_rest


def dip_times(m: Motion, a: int, top: Top, kind: LiftName) -> tuple[dict[InstantName, float], float]:
    """Return the instants up to max height of a lift that begins with a descent, and the height before it.

    The start of a jerk is the end of the last 80 ms in which the bar was slower than a tenth of the peak: in the dip,
    unless the lifter waits at its bottom. The start of a squat is the first upward speed above a tenth of its peak.
    """
    bottom = a + int(np.argmin(m.height[a : top.peak + 1]))
    level = plateau(m, bottom)
    fastest = level + int(np.argmin(m.up[level : bottom + 1]))
    moving = np.flatnonzero(m.up[:fastest] > START_SHARE * m.up[fastest])
    slow = int(moving[-1]) if len(moving) else level
    left_s, _, rest = _leaving(m, -m.height, slow, fastest, rest_m=_turned_at(m, slow, level))
    times: dict[InstantName, float] = {
        "dip_start": left_s,
        "dip_bottom": _landing(m, fastest, bottom),
        "start": _squat_start(m, bottom, top) if kind == "squat" else _jerk_start(m, slow, fastest, bottom, top),
        "peak_velocity": _peak_s(m, top.peak),
        "max_height": float(m.t[top.apex]),
    }
    return times, -rest


def _turned_at(m: Motion, slow: int, top: int) -> float | None:
    """Return minus the height of a bar that goes down where it had come up just before, so that it did not rest."""
    before = (m.t >= m.t[slow] - REST_S[0]) & (m.t <= m.t[slow] - REST_S[1])
    high = float(m.height[top])
    return -high if before.any() and float(np.median(m.height[before])) < high - MOVED_M else None


def _landing(m: Motion, fastest: int, bottom: int) -> float:
    """Return when a descent ended: at the lowest place, or sooner where the bar waits there."""
    near, far = (fastest + np.flatnonzero(m.height[fastest : bottom + 1] > m.height[bottom] + h) for h in LANDS_M)
    if not len(near) or not len(far):
        return float(m.t[bottom])
    ratio = (LANDS_M[1] / LANDS_M[0]) ** (1 / LANDING)
    return float(m.t[near[-1]] + min((near[-1] - far[-1]) / (ratio - 1), bottom - near[-1]) * STEP_S)


def _jerk_start(m: Motion, slow: int, fastest: int, bottom: int, top: Top) -> float:
    limit = START_SHARE * float(m.up[top.peak])
    waits = [run for run in runs(m.speed[: top.peak] < limit) if (run[1] - run[0]) * STEP_S >= WAIT_S]
    if waits and waits[-1][1] > bottom:
        return float(m.t[waits[-1][1]])
    return _leaving(m, -m.height, slow, fastest, pass_m_s=limit)[1]


def _squat_start(m: Motion, bottom: int, top: Top) -> float:
    slow_up = np.flatnonzero(m.up[: top.peak] < START_SHARE * m.up[top.peak])
    start = max(bottom, int(slow_up[-1]) + 1 if len(slow_up) else bottom)
    start_s = _leaving(m, m.height, start, top.peak, rest_m=float(m.height[bottom]))[1]
    return start_s if start_s >= m.t[bottom] else float(m.t[start])


def plateau(m: Motion, bottom: int) -> int:
    """Return the index of the highest place before a descent: upward moves under 5 cm on the way do not end it."""
    highest = bottom
    for i in range(bottom, -1, -25):
        if m.height[i] > m.height[highest]:
            highest = i
        elif m.height[i] < m.height[highest] - 0.05:
            break
        if (highest - i) * STEP_S > 1.0:
            break
    return highest


def arrival_s(m: Motion, top: Top) -> float:
    """Return when a rise that ends at a stand came to rest: the start of a lift, seen backward in time.

    A bar that goes down again at once has its highest moment where the speed falls through zero.
    """
    after = slice(top.apex, top.apex + round(NO_DROP_S / STEP_S))
    if float(np.max(np.abs(m.up[after]), initial=0.0)) > 2 * START_SHARE * m.up[top.peak]:
        return float(m.t[top.apex])
    flipped = Motion(-m.t[::-1], -m.height[::-1], m.x[::-1], m.up[::-1], m.speed[::-1], m.noise_m, m.cutoff_hz)
    last = len(m.t) - 1
    slow = top.peak + int(np.flatnonzero(m.up[top.peak :] < START_SHARE * m.up[top.peak])[0])
    forward = Motion(flipped.t, m.height[::-1], flipped.x, flipped.up, flipped.speed, m.noise_m, m.cutoff_hz)
    rest_m = _turned_at(forward, last - slow, last - top.apex)
    left_s, _, _ = _leaving(flipped, flipped.height, last - slow, last - top.peak, rest_m=rest_m)
    return -left_s


def find_catch(m: Motion, apex: int) -> int | None:
    """Return the index of the first turning point after a real descent, or None."""
    height, up = m.height, m.up
    recovering = np.flatnonzero(height[apex:] > height[apex] + RECOVERING_M)
    stop = apex + int(recovering[0]) if len(recovering) else len(height)
    if float(np.min(height[apex:stop])) > height[apex] - m.smallest_drop_m:
        return None
    soon = min(stop, apex + round(FALLS_WITHIN_S / STEP_S))
    fast = np.flatnonzero(up[apex:soon] < min(DESCENT_M_S, -FALLING * m.still_m_s))
    if not len(fast):
        return _soft_turn(m, apex, stop)
    slow = np.flatnonzero(up[apex + fast[0] :] >= -m.still_m_s)
    return int(apex + fast[0] + slow[0]) if len(slow) else None


def _soft_turn(m: Motion, apex: int, stop: int) -> int | None:
    """Return the lowest place before a rise by the smallest drop, where the bar never came down fast."""
    stop = min(stop, apex + round(SOFT_TURN_S / STEP_S))
    low = apex + int(np.argmin(m.height[apex:stop]))
    rises = float(np.max(m.height[low:], initial=m.height[low])) >= m.height[low] + m.smallest_drop_m
    least_m = SOFT_TURN_M[1] if m.cutoff_hz < SOFT_HZ else SOFT_TURN_M[0]
    return low if rises and float(m.height[apex] - m.height[low]) >= least_m else None


def _peak_s(m: Motion, i: int) -> float:
    """Return the time of the peak speed: of the cubic through all that is nearly as fast, because the peak is flat.

    In a slow lift a place that is off by a centimetre makes a moment faster than the peak, so it is looked for on
    speeds averaged over some time.
    """
    if m.up[i] < SLOW_PEAK_M_S:
        near = slice(max(0, i - round(SLOW_REACH_S / STEP_S)), i + round(SLOW_REACH_S / STEP_S) + 1)
        calm = gaussian_filter1d(m.up, SLOW_SD_S / STEP_S)
        m, i = replace(m, up=calm), near.start + int(np.argmax(calm[near]))
    w = min(round(PEAK_S / STEP_S), i, len(m.t) - 1 - i)
    if w < 2:
        return float(m.t[i])
    slower = np.flatnonzero(m.up < NEARLY_PEAK * m.up[i])
    k = int(np.searchsorted(slower, i))
    first = int(slower[k - 1]) + 1 if k else 0
    last = int(slower[k]) - 1 if k < len(slower) else len(m.t) - 1
    around = np.arange(min(first, i - w), max(last, i + w) + 1)
    time_s = (around - i) * STEP_S
    fitted = np.polyval(np.polyfit(time_s, m.up[around], 3), time_s)
    return float(m.t[around[np.argmax(fitted)]])


def _start(m: Motion, peak: int) -> tuple[int, bool]:
    """Return the index after the last quiet run before the peak, and whether there was one since the bar came down."""
    lowered = np.flatnonzero(m.up[:peak] < LOWERED_M_S)
    earliest = int(lowered[-1]) if len(lowered) else 0
    for a, b in reversed(runs(m.speed[:peak] < START_SHARE * m.up[peak])):
        if a >= earliest and (b - a) * STEP_S >= QUIET_S:
            return min(b, len(m.t) - 1), True
    recent = (m.t >= max(m.t[peak] - 1.5, m.t[earliest])) & (m.t <= m.t[peak])
    return int(np.flatnonzero(recent)[0] + np.argmin(m.speed[recent])), False


def _leaving(
    m: Motion,
    height: Floats,
    start: int,
    fast: int,
    *,
    rest_m: float | None = None,
    pass_m_s: float | None = None,
) -> tuple[float, float, float]:
    """Return when the bar left its rest, when it passed the start speed, and the height of its rest.

    The first millimetres drown in noise and in the smoothing, so the times at which two heights are passed are carried
    back along height ~ (t - t0) ** 2.6. Index `start` is where the speed itself passes; far from it there was no rest.
    """
    t = m.t
    before = (t >= t[start] - REST_S[0]) & (t <= t[start] - REST_S[1])
    back = np.flatnonzero(m.up[:start] * np.sign(m.up[fast]) < -MOVING_M_S)
    if len(back) and t[back[-1]] > t[start] - REST_S[0]:
        before = (t > t[back[-1]] + SETTLED_S) & (t <= t[start] - SETTLED_S)
    rest = min(float(np.median(height[before])), float(height[start])) if before.any() else float(height[start])
    rest = rest if rest_m is None else rest_m
    levels = PASSED_SOFT_M if m.cutoff_hz < SOFT_HZ else PASSED_M
    low, high = (_last_below(height[: fast + 1], rest + rise) for rise in levels)
    if low is None or high is None or high <= low:
        return float(t[start]), float(t[start]), rest
    ratio = (levels[1] / levels[0]) ** (1 / GROWTH)
    left_s = float(t[low]) - float(t[high] - t[low]) / (ratio - 1)
    steepness = levels[1] / (float(t[high]) - left_s) ** GROWTH
    passed_m_s = START_SHARE * abs(float(m.up[fast])) if pass_m_s is None else pass_m_s
    start_s = left_s + float(passed_m_s / (GROWTH * steepness)) ** (1 / (GROWTH - 1))
    if abs(start_s - float(t[start])) > AGREE_S * max(1.0, 1.0 / abs(float(m.up[fast]))):
        start_s = float(t[start])
    return float(np.clip(left_s, max(t[0], start_s - EARLIEST_S), start_s)), start_s, rest


def _last_below(height: Floats, level: float) -> int | None:
    low = np.flatnonzero(height <= level)
    return int(low[-1]) if len(low) else None
