"""How a lift ended: caught, missed and where to, stood up, or lost from sight."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from coach.domain.lift import InstantName, Outcome
from perception.bar import BarCurve
from perception.body_signals import STANDING_HIP, BodySignals
from perception.instants import NO_DROP_S, STEP_S, LiftTimes, Motion, Top, find_catch

FREE_FALL_M_S = -2.6  # m/s, a bar that falls faster has been dropped: 0.35 m of free fall
DROPPED_M_S = -1.5  # m/s, after the catch so fast a bar is let go or thrown down
STANDING_M_S = 0.06  # m/s, slower than this for HOLD_S, and above the catch, is recovered
HOLD_S = 0.40  # s
STOOD_M = 0.15  # m, above the catch a still bar is that of a standing lifter
LEFT_M = 0.10  # m, so far under where it was held the bar is being let down, or dips for a jerk
UPRIGHT = 0.80  # of the standing height of the hips, lower ones are in a squat or a split
NEAR_TOP_M = 0.05  # m, below the highest place after the catch it is still up
CAUGHT_OVER = 0.15  # of stature, lowest catch over the floor
SOFT_S, SOFT_M = 0.6, 0.10  # s after max height in which a bar caught without a real drop stays up to so many m
KEPT_S = 1.0  # s after the bar was lost from sight in which the hands say whether it was kept
HANDS_UP = -0.15  # of stature, hands this high against the shoulders still hold the bar
DRIFT_M = 0.02  # m in 0.2 s, a missed bar that goes less far forward or back tells no direction
FRONT_M, BEHIND_M = 0.12, -0.10  # m from the middle of the feet, beyond this a bar is lost in front or behind


@dataclass(frozen=True, slots=True)
class Ending:
    """What came after the highest place: outcome, grid index of the lift's end, and the instants that exist."""

    outcome: Outcome
    end: int
    times_s: dict[InstantName, float]
    note: str = ""


def judge_catch(m: Motion, top: Top, low_m: float, height_m: float, body: BodySignals | None) -> Ending:
    """Return how a lift to shoulders or overhead ended.

    Args:
        m: The bar, until another lift begins.
        top: Its highest moment.
        low_m: Height of the bar on the floor, or a guess of it.
        height_m: Standing height of the athlete.
        body: Says what became of a bar that was lost from sight.
    """
    catch = find_catch(m, top.apex)
    if catch is None:
        return _without_turning(m, top, low_m, height_m, body)
    fell_m_s = float(np.min(m.up[top.apex : catch + 1]))
    if fell_m_s < FREE_FALL_M_S or m.height[catch] < low_m + CAUGHT_OVER * height_m:
        return Ending("not_caught", fallen_index(m, top.apex, low_m), {})
    return _after_catch(m, catch, low_m, height_m, body)


def _without_turning(m: Motion, top: Top, low_m: float, height_m: float, body: BodySignals | None) -> Ending:
    last = len(m.t) - 1
    fell_m_s, fell_m = float(np.min(m.up[top.apex :])), float(m.height[top.apex] - m.height[last])
    seen_s = (last - top.apex) * STEP_S
    is_falling = fell_m_s > FREE_FALL_M_S and m.up[last] < -0.1 and fell_m < 0.5
    if seen_s < NO_DROP_S or (is_falling and seen_s < SOFT_S):
        return _lost_from_sight(m, height_m, body)
    soft = m.height[top.apex : top.apex + round(SOFT_S / STEP_S)]
    if float(soft[0] - np.min(soft)) >= SOFT_M:
        return Ending("not_caught", fallen_index(m, top.apex, low_m), {})
    ending = _after_catch(m, top.apex, low_m, height_m, body)
    return Ending("caught_no_drop", ending.end, ending.times_s) if ending.outcome == "caught" else ending


def fallen_index(m: Motion, high: int, low_m: float) -> int:
    """Return where the bar has come down half the way from a high place, or the last index."""
    low = np.flatnonzero(m.height[high:] < low_m + 0.5 * (m.height[high] - low_m))
    return high + int(low[0]) if len(low) else len(m.t) - 1


def _lost_from_sight(m: Motion, height_m: float, body: BodySignals | None) -> Ending:
    """Say what the hands say: with no body in sight a lost bar is not caught, and the note tells why."""
    lost_s, last = float(m.t[-1]), len(m.t) - 1
    seen = "the bar was lost from sight in the turnover, so where it was caught is not measured"
    if body is None or body.hands_are_the_bar:
        return Ending("not_caught", last, {}, f"{seen}, nor whether it was")
    over = body.hands_y_m - body.shoulder_y_m
    after = body.between(over, lost_s + 0.3, lost_s + 0.3 + KEPT_S)
    if len(after) < 3:
        return Ending("not_caught", last, {}, f"{seen}, nor whether it was")
    kept = float(np.median(after)) > HANDS_UP * height_m
    return Ending("caught" if kept else "not_caught", last, {}, f"{seen}; the outcome is told by the hands alone")


def _after_catch(m: Motion, catch: int, low_m: float, height_m: float, body: BodySignals | None) -> Ending:
    """Look for the recovery (standing still, higher than the catch) before the bar comes down."""
    times: dict[InstantName, float] = {"catch": float(m.t[catch])}
    at_catch = float(m.height[catch])
    thrown = np.flatnonzero(m.up[catch:] < DROPPED_M_S)
    end = min(fallen_index(m, catch, low_m), catch + int(thrown[0]) if len(thrown) else len(m.t) - 1)
    stood = standing_index(m, catch, end, height_m, body)
    if stood is not None:
        left = np.flatnonzero(m.height[stood:] < m.height[stood] - LEFT_M)
        end = min(end, stood + int(left[0])) if len(left) else end
        return Ending("caught", end, times | {"recovered": float(m.t[stood])})
    highest = float(np.max(m.height[catch:end], initial=at_catch))
    return Ending("caught" if end == len(m.t) - 1 or highest > at_catch + 0.30 else "caught_then_lost", end, times)


def standing_index(m: Motion, catch: int, end: int, height_m: float, body: BodySignals | None) -> int | None:
    """Return where the bar is first held still over a standing lifter, or None.

    Clearly above the catch, or, after a catch high up, near the highest place it reaches. Still is judged by the slope
    over the whole hold, because noise alone makes a bar faster than that for a moment.
    """
    n = round(HOLD_S / STEP_S)
    held = m.height[catch : end + 1]
    if len(held) <= n:
        return None
    at_catch, top = float(held[0]), float(np.max(held))
    limit = at_catch + STOOD_M if top > at_catch + STOOD_M + NEAR_TOP_M else max(top - NEAR_TOP_M, at_catch + 0.01)
    centred = np.arange(n) - (n - 1) / 2
    slope = np.convolve(held, centred[::-1], "valid") / (np.sum(centred**2) * STEP_S)
    mean = np.convolve(held, np.full(n, 1 / n), "valid")
    still = np.flatnonzero((np.abs(slope) < STANDING_M_S) & (mean > limit))
    if body is not None and len(still):
        hips = np.interp(m.t[catch + still + n // 2], body.times_s, body.hip_y_m) - body.ground_m
        still = still[~(hips < UPRIGHT * STANDING_HIP * height_m)]
    if not len(still):
        return None
    first = catch + int(still[0])
    slow = np.flatnonzero(np.abs(m.up[first : first + n]) < STANDING_M_S)
    return first + (int(slow[0]) if len(slow) else n // 2)


def miss_direction(curve: BarCurve, lift: LiftTimes, body: BodySignals | None) -> Literal["front", "behind"] | None:
    """Return whether a bar that was not caught, or lost, went to the front or behind; None when it cannot be told.

    From the side only. Read 0.2 s after the highest place, or after the catch where there was one: how far the bar
    is then from the middle of the feet, else the way it goes.
    """
    if lift.outcome not in ("not_caught", "caught_then_lost") or lift.kind not in ("snatch", "clean", "jerk"):
        return None
    from_s = lift.end_s - 0.2 if "catch" in lift.times_s else lift.times_s["max_height"]
    first, then = (float(z) for z in curve.x.value(np.array([from_s, min(from_s + 0.2, curve.x.end_s)])))
    over_feet = then - body.near(body.foot_x_m, from_s) if body is not None else float("nan")
    if over_feet > FRONT_M:
        return "front"
    if over_feet < BEHIND_M:
        return "behind"
    return None if abs(then - first) < DRIFT_M else "front" if then > first else "behind"
