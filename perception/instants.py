"""Lifts in a bar track, their instants and outcome, by rules that hold on real lifts.

The field defines the start as the first speed above 10 % of the maximum, peak velocity as the largest upward speed, max
height as the highest position and the catch as the first turning point after it. Over a whole clip these fail: the
recovery stands higher than the apex and the drop is faster than the pull. Here each is found inside one lift.
"""

from dataclasses import dataclass

import numpy as np

from coach.domain.lift import InstantName, LiftName, Outcome
from perception.pose import Floats
from perception.smoothing import SmoothTrack, runs

STEP_S = 0.002  # s, grid on which the smooth curves are read
START_SHARE = 0.10  # share of this lift's peak upward speed that marks the start (field definition)
QUIET_S = 0.040  # s, shortest run below the start speed that counts as rest
MIN_PEAK_M_S = 0.6  # m/s, a slower rise is no pull
MAX_PEAK_M_S = 2.8  # m/s, no lifter moves a bar faster upward (elite snatch 2.05); such a track is not of a bar
MIN_RISE_M = 0.25  # m, a shorter rise is no pull
FLOOR_BAND_M = 0.15  # m, a pull from the floor begins inside this band above the lowest rest of the bar
BOUNCE_M_S = -1.5  # m/s, a rise right after such a fall is a bounce
DESCENT_M_S = -0.15  # m/s, slower than this the bar has not really come down
LOWERED_M_S = -0.3  # m/s, rest before such a movement down does not belong to the pull after it
STILL_M_S = 0.10  # m/s, speed of a turning point and of standing still
FREE_FALL_M_S = -2.6  # m/s, a bar that falls faster has been dropped: 0.35 m of free fall
STANDING_M_S = 0.06  # m/s, slower than this for HOLD_S, and above the catch, is recovered
HOLD_S = 0.40  # s
LOW_M, HIGH_M = 0.006, 0.018  # m, heights passed after lift-off from which its time is found
GROWTH = 2.6  # exponent of height against time just after lift-off; from 8 mm at 0.118 s with 0.18 m/s
RECOVERING_M = 0.03  # m, above the apex the lifter is standing up, and what falls later is not the catch
NO_DROP_S = 0.25  # s, after slowing below 10 % of the peak without turning: caught without a drop


@dataclass(frozen=True, slots=True, eq=False)
class LiftTimes:
    """Instants of one lift, in seconds of the clip; an instant that does not exist is absent.

    Attributes:
        times_s: Time by instant.
        outcome: How the lift ended.
        rest_m: Height of the resting bar in the unit and origin of the track.
        end_s: End of what belongs to this lift: lost from sight, dropped, or the hold.
        has_rest: False when the bar was never still before the pull (touch and go, hang).
    """

    times_s: dict[InstantName, float]
    outcome: Outcome
    rest_m: float
    end_s: float
    has_rest: bool
    kind: LiftName = "unknown"
    variant: str = ""
    note: str = ""


def find_lifts(y: SmoothTrack, x: SmoothTrack, height_m: float) -> list[LiftTimes]:
    """Return the lifts from the floor in one unbroken stretch of a bar track, in order of time.

    Args:
        y: Height of the bar in metres, up; any origin.
        x: Horizontal position of the bar in metres.
        height_m: Standing height of the athlete, or an estimate (only bands depend on it).
    """
    t = np.arange(y.start_s, y.end_s, STEP_S)
    if len(t) < 10:
        return []
    height, speed_up = y.value(t), y.rate(t)
    speed = np.hypot(speed_up, x.rate(t))
    floor = float(np.min(height))
    lifts: list[LiftTimes] = []
    for a, b in _rises(t, height, speed_up):
        if lifts and t[a] < lifts[-1].end_s:
            continue
        if height[a] > floor + FLOOR_BAND_M and lifts:
            continue
        if height[a] > floor + FLOOR_BAND_M + 0.25 * height_m:
            continue
        if _is_bounce(t, speed_up, a) or not _slows_down(speed_up, a, b):
            continue
        lifts.append(_locate(t, height, speed_up, speed, a, b, height_m, y.noise_sd))
    return lifts


def _rises(t: Floats, height: Floats, speed_up: Floats) -> list[tuple[int, int]]:
    """Return index ranges of rises fast and high enough to be a pull; falls under 3 cm do not break one."""
    merged: list[list[int]] = []
    for a, b in runs(speed_up > 0):
        if merged and height[merged[-1][1] - 1] - height[a] < 0.03 and t[a] - t[merged[-1][1] - 1] < 0.3:
            merged[-1][1] = b
        else:
            merged.append([a, b])
    return [
        (a, b)
        for a, b in merged
        if height[b - 1] - height[a] >= MIN_RISE_M and MIN_PEAK_M_S <= np.max(speed_up[a:b]) <= MAX_PEAK_M_S
    ]


def _is_bounce(t: Floats, speed_up: Floats, a: int) -> bool:
    before = (t >= t[a] - 0.25) & (t < t[a])
    return bool(before.any() and np.min(speed_up[before]) < BOUNCE_M_S)


def _slows_down(speed_up: Floats, a: int, b: int) -> bool:
    """Return whether the bar is seen until after its fastest moment; else it was lost in the pull."""
    peak = a + int(np.argmax(speed_up[a:b]))
    return bool(np.min(speed_up[peak:]) < START_SHARE * speed_up[peak])


def _locate(
    t: Floats, height: Floats, up: Floats, speed: Floats, a: int, b: int, height_m: float, noise_m: float
) -> LiftTimes:
    """Find the instants of the lift whose rise is [a, b)."""
    first_stop = a + int(np.argmax(up[a:b]))
    peak_m_s = float(up[first_stop])
    apex, dropless = _apex(t, up, first_stop, peak_m_s)
    start, has_rest = _start(t, up, speed, first_stop, peak_m_s)
    lift_off_s, rest = _lift_off(t, height, start, first_stop)
    times: dict[InstantName, float] = {
        "lift_off": lift_off_s,
        "start": float(t[start]),
        "peak_velocity": _vertex(t, up, first_stop),
        "max_height": float(t[apex]),
    }
    smallest = max(0.015, 4 * noise_m)
    catch = _catch(height, up, apex, smallest)
    outcome, end = _outcome(t, height, up, apex, catch, dropless, rest, height_m, times, smallest)
    return LiftTimes(times, outcome, rest, float(t[end]), has_rest)


def _vertex(t: Floats, z: Floats, i: int) -> float:
    """Return the time of the maximum of the parabola through three grid points."""
    if not 0 < i < len(t) - 1:
        return float(t[i])
    bend = z[i - 1] - 2 * z[i] + z[i + 1]
    return float(t[i]) if bend == 0 else float(t[i] + 0.5 * STEP_S * (z[i - 1] - z[i + 1]) / bend)


def _start(t: Floats, up: Floats, speed: Floats, peak: int, peak_m_s: float) -> tuple[int, bool]:
    """Return the index after the last quiet run before the peak, and whether there was one since the bar came down."""
    lowered = np.flatnonzero(up[:peak] < LOWERED_M_S)
    floor = int(lowered[-1]) if len(lowered) else 0
    quiet = runs(speed[:peak] < START_SHARE * peak_m_s)
    for a, b in reversed(quiet):
        if a >= floor and (b - a) * STEP_S >= QUIET_S:
            return min(b, len(t) - 1), True
    recent = (t >= max(t[peak] - 1.5, t[floor])) & (t <= t[peak])
    return int(np.flatnonzero(recent)[0] + np.argmin(speed[recent])), False


def _lift_off(t: Floats, height: Floats, start: int, peak: int) -> tuple[float, float]:
    """Return the time at which the bar left its rest height before the pull, and that height.

    The first millimetres drown in noise and in the smoothing, so the times at which 6 and 18 mm are passed are carried
    back along height ~ (t - t0) ** 2.6.
    """
    before = (t >= t[start] - 0.7) & (t <= t[start] - 0.2)
    rest = float(np.median(height[before])) if before.any() else float(height[start])
    low, high = (_last_below(height[: peak + 1], rest + rise) for rise in (LOW_M, HIGH_M))
    if low is None or high is None or high <= low:
        return float(t[start]), rest
    ratio = (HIGH_M / LOW_M) ** (1 / GROWTH)
    moment = float(t[low]) - float(t[high] - t[low]) / (ratio - 1)
    return float(np.clip(moment, max(t[0], t[start] - 0.35), t[start])), rest


def _last_below(height: Floats, level: float) -> int | None:
    low = np.flatnonzero(height <= level)
    return int(low[-1]) if len(low) else None


def _apex(t: Floats, up: Floats, peak: int, peak_m_s: float) -> tuple[int, bool]:
    """Return the index of max height, and whether the bar stayed up there without turning."""
    falling = np.flatnonzero(up[peak:] <= 0)
    slow = np.flatnonzero(up[peak:] < START_SHARE * peak_m_s)
    if not len(slow):
        return len(t) - 1, False
    limit = peak + slow[0] + round(NO_DROP_S / STEP_S)
    if len(falling) and peak + falling[0] <= limit:
        return int(peak + falling[0]), False
    return int(min(peak + slow[0], len(t) - 1)), True


def _catch(height: Floats, up: Floats, apex: int, smallest_m: float) -> int | None:
    """Return the index of the first turning point after a real descent, or None."""
    recovering = np.flatnonzero(height[apex:] > height[apex] + RECOVERING_M)
    stop = apex + int(recovering[0]) if len(recovering) else len(height)
    if float(np.min(height[apex:stop])) > height[apex] - smallest_m:
        return None
    fast = np.flatnonzero(up[apex:stop] < DESCENT_M_S)
    if not len(fast):
        return None
    slow = np.flatnonzero(up[apex + fast[0] :] >= -STILL_M_S)
    if not len(slow):
        return None
    return int(apex + fast[0] + slow[0])


def _outcome(
    t: Floats,
    height: Floats,
    up: Floats,
    apex: int,
    catch: int | None,
    dropless: bool,
    rest: float,
    height_m: float,
    times: dict[InstantName, float],
    smallest_m: float,
) -> tuple[Outcome, int]:
    """Judge how the lift ended; adds `catch` and `recovered` to `times`; returns the end index too."""
    if height[apex] < rest + 0.25 * height_m:
        return "no_attempt", apex
    if catch is None:
        return _without_turning(t, height, up, apex, dropless, rest, times, smallest_m)
    fell_m_s = float(np.min(up[apex : catch + 1]))
    if fell_m_s < FREE_FALL_M_S or height[catch] < rest + 0.15 * height_m:
        return "not_caught", catch
    times["catch"] = float(t[catch])
    return _after_catch(t, height, up, catch, rest, times)


def _without_turning(
    t: Floats,
    height: Floats,
    up: Floats,
    apex: int,
    dropless: bool,
    rest: float,
    times: dict[InstantName, float],
    smallest_m: float,
) -> tuple[Outcome, int]:
    if (len(t) - 1 - apex) * STEP_S < NO_DROP_S:  # lost from sight before it could be caught
        return "not_caught", len(t) - 1
    fell = float(np.min(up[apex:]))
    if not dropless and fell < FREE_FALL_M_S:
        return "not_caught", len(t) - 1
    if float(height[apex] - np.min(height[apex : apex + round(0.6 / STEP_S)])) < smallest_m:
        times["catch"] = times["max_height"]
        outcome, end = _after_catch(t, height, up, apex, rest, times)
        return ("caught_no_drop" if outcome == "caught" else outcome), end
    return "not_caught", len(t) - 1


def _after_catch(
    t: Floats, height: Floats, up: Floats, catch: int, rest: float, times: dict[InstantName, float]
) -> tuple[Outcome, int]:
    """Look for the recovery (standing still, higher than the catch) before the bar comes down."""
    down = np.flatnonzero((up[catch:] < BOUNCE_M_S) | (height[catch:] < rest + 0.5 * (height[catch] - rest)))
    end = catch + int(down[0]) if len(down) else len(t) - 1
    hold = round(HOLD_S / STEP_S)
    for a, b in runs(np.abs(up[catch:end]) < STANDING_M_S):
        if b - a >= hold and height[catch + a] > height[catch] + 0.15:
            times["recovered"] = float(t[catch + a])
            return "caught", end
    stood = len(down) == 0 or float(np.max(height[catch:end], initial=height[catch])) > height[catch] + 0.30
    return ("caught" if stood else "caught_then_lost"), end
