"""Which rises of the bar are lifts, and of what kind: from one unbroken bar curve and the body under it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np

from coach.domain.lift import InstantName, LiftName, Outcome
from perception.bar import BarCurve
from perception.body_signals import BodySignals
from perception.instants import (
    START_SHARE,
    STEP_S,
    LiftTimes,
    Motion,
    Top,
    arrival_s,
    dip_times,
    find_top,
    plateau,
    pull_times,
    read_motion,
)
from perception.kinds import PULL_CATCH, depth_of_catch, hang_or_block, judge_kind, outcome_as, split_or_power
from perception.outcome import Ending, judge_catch
from perception.places import Places
from perception.smoothing import runs

MAX_PEAK_M_S = (
    3.1  # m/s, no lifter moves a bar faster upward (elite snatch 2.05, a light bar more); such a track is not of a bar
)
SLOWEST_M_S = 0.15  # m/s, a heavy squat or deadlift still passes this at its fastest
MIN_RISE_M = 0.06  # m, a shorter rise is a re-rack, a breath or noise
PULL_RISE_M, PULL_PEAK_M_S = 0.25, 0.6  # m and m/s, a shorter or slower rise from the floor is no pull
BOUNCE_M_S = -1.5  # m/s, a rise right after such a fall may be a bounce
DROPPED_M_S, AFTER_DROP_S = -3.0, 1.2  # m/s, and s after it: a bar that fell so fast was let go, and bounces or rolls
BOUNCE_PEAK_S = 0.15  # s, a bounce is fastest when it leaves the floor, a pull much later
DIP = (0.03, 0.22)  # of stature, depth of the dip of a jerk; source: 8 to 13 % usual (Drechsler; Lake)
LEAST_RACK, MOST_RACK = (
    0.45,
    0.85,
)  # of stature over the floor's rest: on the shoulders of one who stands, and not overhead
DIP_HIPS = 0.50  # of standing, hips in the dip of a jerk are higher, in a squat or a full catch lower
LOOSE = 0.12  # of stature, by which hips under a bar on the shoulders cannot fall more than it: they are misplaced
DRIVE_M_S = 1.0  # m/s, slowest drive of a jerk
DRIVE_OVER = 0.08  # of stature, a jerk rises this far over the shoulders; source: 18 % usual (Lake)
AFTER_CATCH_S = 0.8  # s, an earlier rise after a catch is the recovery
SQUAT_DEPTH = 0.13  # of stature, a shallower descent is no squat
SQUAT_BACK = 0.08  # of stature, how near to its height before the bar comes back when it is stood up
SQUAT_FALL_M_S = -2.0  # m/s, nobody squats down faster
HIPS_SHARE = 0.55  # of the bar's way down, which the hips go down with it in a squat
PLAIN_RACK = (0.55, 0.90)  # of stature over the floor's rest, a bar that is on the shoulders of one who stands
PLAIN_BACK, PLAIN_ASIDE = 0.05, 0.10  # of stature, how near such a bar comes back, and how far it strays on its way
PLAIN_DOWN_S, PLAIN_UP_M_S = 0.7, 1.25  # s and m/s, a squat goes down no sooner and up no faster than that
WITH_BODY = 0.10  # of stature, bar and shoulders come down together in a squat
BENT = 0.04  # of stature, shoulders of a lifter bent for a hang lift under standing ones
HANG_RISE = (0.10, 0.15)  # of stature: a quick or a slow rise from the hang that is shorter is no lift
QUICK_HANG_M_S = 0.8  # m/s
HELD_S, HELD_M_S = 0.5, 0.05  # s and m/s: a bar that rises so slowly for so long is held, and another rise begins after
STANDS = 0.93  # of the hips' height standing
TAG_RISE = 0.17  # of stature, least rise of a slow pull from the floor: the knee
HANG_LOW, RACK_LOW = 0.15, 0.65  # of stature, about how far the floor's rest is under a hang and under the shoulders
AGAIN_S = 0.15  # s, how far the peak of the same lift moves on a slightly different curve
STAND_S = 1.5  # s of the curve after a squat or deadlift that are read again
LOOK_BACK_S = 2.0  # s of the curve before the first instant that are read again
HANDS_HIGH: tuple[LiftName, ...] = ("snatch", "clean", "jerk")
FLOOR_KINDS: tuple[LiftName, ...] = ("snatch", "clean", "pull", "deadlift", "unknown")


@dataclass(frozen=True, slots=True)
class _Rise:
    """A rise on grid indices [a, b), its top, and the highest place before it."""

    a: int
    b: int
    top: Top
    before: int


def find_lifts(
    curve: BarCurve,
    body: BodySignals | None,
    stature_m: float,
    wanted: LiftName | None = None,
    like: LiftTimes | None = None,
) -> list[LiftTimes]:
    """Return the lifts in one unbroken stretch of a bar track, in order of time.

    Repetitions to the hip are of one kind, that of most of them, because slow pulls and quick deadlifts look alike.

    Args:
        curve: The bar in metres, up from any origin.
        body: Places of the body in the axes of the curve; without it heights alone decide.
        stature_m: Standing height of the athlete, or an estimate (only bands depend on it).
        wanted: The kind the user told; it replaces the recognised one and its rules. Rises that cannot be of that
            kind are left out; a clean and a jerk belong together and are told apart in any case.
        like: A squat of the same set; others from the same height need no sight of the body.
    """
    motion = read_motion(curve)
    if len(motion.t) < 10:
        return []
    places = Places(motion, body, stature_m)
    rises = _rises(motion)
    lifts: list[LiftTimes] = []
    for n, rise in enumerate(rises):
        if lifts and motion.t[rise.a] < lifts[-1].end_s:
            continue
        lift = _lift_of(places, rises[n:], lifts, wanted, like)
        if lift is not None:
            lifts.append(lift)
    lifts = cleans_before_jerks(lifts)
    squat = next((lift for lift in lifts if lift.kind == "squat"), None)
    if like is None and squat is not None:
        return find_lifts(curve, body, stature_m, wanted, squat)
    kinds = [lift.kind for lift in lifts]
    if wanted is None and set(kinds) == {"pull", "deadlift"}:
        return find_lifts(curve, body, stature_m, "pull" if 2 * kinds.count("pull") > len(kinds) else "deadlift")
    return _without_empty_hands(lifts, body)


def cleans_before_jerks(lifts: list[LiftTimes]) -> list[LiftTimes]:
    """Return lifts in the order of time, those that a jerk follows as the cleans they must be."""
    return [_before_a_jerk(lift, later) for lift, later in zip_longest(lifts, lifts[1:])]


def without_bounces(
    lifts: Sequence[tuple[BarCurve, LiftTimes]], curves: Sequence[BarCurve]
) -> list[tuple[BarCurve, LiftTimes]]:
    """Return lifts without rises of a bar that was let fall: nobody has it in the hands again so soon.

    A bar seldom stays in sight when it hits the floor, so fall and bounce are on curves of their own.
    """

    def is_bounce(lift: LiftTimes) -> bool:
        first_s = min(lift.times_s.values())
        lately = np.linspace(first_s - AFTER_DROP_S, first_s, 37)
        return any(np.nanmin(curve.y.rate(lately), initial=0.0) < DROPPED_M_S for curve in curves)

    return [(curve, lift) for curve, lift in lifts if not is_bounce(lift)]


def _before_a_jerk(lift: LiftTimes, later: LiftTimes | None) -> LiftTimes:
    """Return a lift that a jerk follows as the clean it must be, caught if the bar came down and stopped."""
    if later is None or later.kind != "jerk" or lift.kind not in FLOOR_KINDS or "catch" not in lift.times_s:
        return lift
    is_made = lift.outcome in ("caught", "caught_no_drop")
    return replace(lift, kind="clean", outcome=lift.outcome if is_made else "caught")


def relocate(curve: BarCurve, lift: LiftTimes, stature_m: float) -> LiftTimes | None:
    """Return the same lift on a slightly different curve, or None when its rise is not there.

    Kind, variant, outcome and note stay; only the instants that the lift has are found again, those of the knee stay.
    """
    first = min(lift.times_s.values())
    stands = lift.kind in ("squat", "deadlift") or lift.outcome == "caught_no_drop"
    m = read_motion(curve, first - LOOK_BACK_S, lift.end_s + (STAND_S if stands else AGAIN_S))
    if len(m.t) < 10:
        return None
    peak_s = lift.times_s["peak_velocity"]
    near = [r for r in _rises(m) if abs(float(m.t[r.top.peak]) - peak_s) < AGAIN_S]
    if not near:
        return None
    rise = min(near, key=lambda r: abs(float(m.t[r.top.peak]) - peak_s))
    if "dip_start" in lift.times_s:
        times, rest = dip_times(m, rise.a, rise.top, lift.kind)
        has_rest, low = True, rest - RACK_LOW * stature_m
    else:
        from_floor = "lift_off" in lift.times_s
        times, rest, has_rest = pull_times(m, rise.top, from_floor=from_floor)
        low = rest if from_floor else rest - HANG_LOW * stature_m
        if "start" not in lift.times_s:
            rest = low = lift.rest_m
    if stands:
        times["max_height"] = arrival_s(m, rise.top)
    if "catch" in lift.times_s:
        times |= judge_catch(m, rise.top, low, stature_m, None).times_s
        if lift.outcome == "caught_no_drop":
            times["catch"] = times["max_height"]
    found: dict[InstantName, float] = {n: times.get(n, s) for n, s in lift.times_s.items() if n in times or _of_knee(n)}
    return replace(lift, times_s=found, rest_m=rest, has_rest=has_rest)


def _of_knee(name: InstantName) -> bool:
    return name in ("end_first_pull", "power_position")


def declined_stretches(
    curve: BarCurve,
    body: BodySignals | None,
    stature_m: float,
    lifts: list[LiftTimes],
    *,
    cut_frame: int | None = None,
    last_kind: LiftName | None = None,
) -> list[tuple[float, float, str]]:
    """Return spans of a stretch in which a lift was under way that cannot be measured, with the reason.

    Args:
        curve: The bar in metres.
        body: Places of the body; without it nothing is known to be overhead.
        stature_m: Standing height of the athlete, or an estimate.
        lifts: What it found.
        cut_frame: The first frame of this stretch when a camera cut precedes it.
        last_kind: The kind of the last lift before this stretch.
    """
    m = read_motion(curve)
    if len(m.t) < 10:
        return []
    places = Places(m, body, stature_m)
    first, last = float(m.t[0]), float(m.t[-1])
    out: list[tuple[float, float, str]] = []
    until = min((min(lift.times_s.values()) for lift in lifts), default=last)
    if body is not None and not _begins_on_the_body(lifts) and places.of(first + 0.1) == "overhead":
        when = f"right after the cut at frame {cut_frame}" if cut_frame is not None else "when it comes into view"
        what = "the jerk's dip and drive were" if last_kind == "clean" else "the lift that brought it there was"
        out.append((first, until, f"the bar is overhead {when}: {what} not filmed, so it cannot be measured"))
    out.extend(_cut_short(m, lifts))
    return out


def _begins_on_the_body(lifts: list[LiftTimes]) -> bool:
    return bool(lifts) and lifts[0].kind in ("squat", "jerk")


def _cut_short(m: Motion, lifts: list[LiftTimes]) -> list[tuple[float, float, str]]:
    """Return the rise at the very end of a stretch that still speeds up when it ends."""
    risen = runs(m.up > 0)
    if not risen or risen[-1][1] < len(m.t):
        return []
    a, b = risen[-1]
    if lifts and m.t[a] < lifts[-1].end_s:
        return []
    fast = float(np.max(m.up[a:b]))
    if fast < PULL_PEAK_M_S or m.up[-1] < START_SHARE * fast:
        return []
    return [
        (
            float(m.t[a]),
            float(m.t[-1]),
            "the bar is lost from sight, or the clip cut, while it is still going up: this lift cannot be measured",
        )
    ]


def _rises(m: Motion) -> list[_Rise]:
    """Return the rises that may be lifts; falls under 3 cm do not break one."""
    merged: list[list[int]] = []
    for a, b in runs(m.up > 0):
        if merged:
            last = merged[-1][1] - 1
            if m.height[last] - m.height[a] < 0.03 and m.t[a] - m.t[last] < 0.3:
                merged[-1][1] = b
                continue
        merged.append([a, b])
    return [
        _Rise(a, b, find_top(m, a, b), plateau(m, a))
        for a, b in (part for a, b in merged for part in _between_holds(m, a, b))
        if m.height[b - 1] - m.height[a] >= MIN_RISE_M and SLOWEST_M_S <= np.max(m.up[a:b]) <= MAX_PEAK_M_S
    ]


def _between_holds(m: Motion, a: int, b: int) -> list[tuple[int, int]]:
    """Return the parts of a rise before and after the bar was held still in it, as grid indices."""
    least = round(HELD_S / STEP_S)
    holds = [(a + i, a + j) for i, j in runs(m.up[a:b] < HELD_M_S) if j - i >= least]
    starts, ends = [a, *(j for _, j in holds)], [*(i for i, _ in holds), b]
    return [(i, j) for i, j in zip(starts, ends, strict=True) if j > i]


def _lift_of(
    places: Places, rises: list[_Rise], done: list[LiftTimes], wanted: LiftName | None, like: LiftTimes | None
) -> LiftTimes | None:
    """Return the lift that the first of `rises` is, or None."""
    m, rise = places.motion, rises[0]
    if not _slows_down(m, rise):
        return None
    if _is_jerk(places, rise, done, wanted):
        return _jerk(places, rises) if wanted in (None, "jerk", "clean") else None
    if _is_squat(places, rise, done, like):
        return _squat(places, rise) if wanted in (None, "squat") else None
    from_floor = _is_pull(places, rise)
    if from_floor is None or not (wanted in FLOOR_KINDS or wanted in (None, "jerk")):
        return None
    lift = _pull(places, rises, wanted if wanted in FLOOR_KINDS else None, from_floor=from_floor)
    return lift if wanted != "jerk" or lift.kind == "clean" else None


def _slows_down(m: Motion, rise: _Rise) -> bool:
    """Return whether the bar is seen until after its fastest moment; else it was lost in the rise."""
    peak = rise.top.peak
    return bool(np.min(m.up[peak:]) < START_SHARE * m.up[peak])


def _is_jerk(places: Places, rise: _Rise, done: list[LiftTimes], wanted: LiftName | None) -> bool:
    """Return whether a rise is the drive of a jerk: after a dip from the shoulders, fast, and up over them."""
    m, h = places.motion, places.stature_m
    dip = float(m.height[rise.before] - m.height[rise.a]) / h
    over = float(m.height[rise.top.apex] - m.height[rise.before]) / h
    slowest = 0.7 * DRIVE_M_S if wanted == "jerk" else DRIVE_M_S
    if not (DIP[0] <= dip <= DIP[1] and over >= DRIVE_OVER and m.up[rise.top.peak] >= slowest):
        return False
    if done and m.t[rise.a] < done[-1].times_s.get("catch", done[-1].times_s["max_height"]) + AFTER_CATCH_S:
        return False
    before_s, bottom_s = float(m.t[rise.before]), float(m.t[rise.a])
    is_low = places.hip_share(bottom_s) < DIP_HIPS and not places.hips_fell(before_s, bottom_s) > dip + LOOSE
    over_floor = places.over_floor(before_s)
    racked = places.of(before_s) in ("shoulders", "overhead") and LEAST_RACK < over_floor < MOST_RACK
    return racked and not is_low


def _is_squat(places: Places, rise: _Rise, done: list[LiftTimes], like: LiftTimes | None) -> bool:
    """Return whether a rise is the ascent of a squat: down and up again, the bar staying where it is on the body."""
    m, h = places.motion, places.stature_m
    before_s, bottom_s = float(m.t[rise.before]), float(m.t[rise.a])
    depth = float(m.height[rise.before] - m.height[rise.a]) / h
    short = float(m.height[rise.before] - m.height[rise.top.apex]) / h
    fastest = float(np.min(m.up[rise.before : rise.a + 1]))
    if depth < SQUAT_DEPTH or short < -SQUAT_BACK or fastest < SQUAT_FALL_M_S:
        return False
    if _is_plain_squat(places, rise, short):
        return True
    if places.hips_fell(before_s, bottom_s) < HIPS_SHARE * depth:
        return False  # a bar that is thrown up and caught on the shoulders goes down farther than the body
    others = [*done[-1:], *([like] if like else [])]
    if any(_is_same_squat(other, float(m.height[rise.before]), h) for other in others):
        return True
    slack = places.shoulders_sank(before_s, bottom_s)
    if not np.isfinite(slack):
        rested = any(lift.kind in FLOOR_KINDS for lift in done)
        return short < SQUAT_BACK and not rested and float(np.ptp(m.height[: rise.before + 1])) < SQUAT_DEPTH * h
    return abs(slack) < WITH_BODY and places.of(before_s) in ("shoulders", "overhead")


def _is_plain_squat(places: Places, rise: _Rise, short: float) -> bool:
    """Return whether the way of the bar alone shows a squat: slowly straight down from the shoulders, and up again.

    A plate on the shoulders hides head and trunk, and estimators fold the body onto it.
    """
    m, h = places.motion, places.stature_m
    way = slice(rise.before, rise.top.apex + 1)
    return bool(
        PLAIN_RACK[0] < places.over_floor(float(m.t[rise.before])) < PLAIN_RACK[1]
        and abs(short) < PLAIN_BACK
        and m.t[rise.a] - m.t[rise.before] > PLAIN_DOWN_S
        and m.up[rise.top.peak] < PLAIN_UP_M_S
        and np.ptp(m.x[way]) < PLAIN_ASIDE * h
    )


def _is_same_squat(last: LiftTimes, height_m: float, stature_m: float) -> bool:
    """Return whether a descent begins about where another squat of the set did: the body need not be seen again."""
    return last.kind == "squat" and abs(height_m - last.rest_m) < SQUAT_BACK * stature_m


def _is_pull(places: Places, rise: _Rise) -> bool | None:
    """Return whether a rise is a pull from the floor (True), from hang or blocks (False), or no pull (None)."""
    m, h, a = places.motion, places.stature_m, rise.a
    rise_m, peak_m_s = float(m.height[rise.top.apex] - m.height[a]), float(m.up[rise.top.peak])
    if _is_bounce(m, rise):
        return None
    place = places.of(float(m.t[a]))
    if place == "floor":
        quick = rise_m >= PULL_RISE_M and peak_m_s >= PULL_PEAK_M_S
        return True if quick or rise_m >= TAG_RISE * h else None
    least = HANG_RISE[0] if peak_m_s > QUICK_HANG_M_S else HANG_RISE[1]
    if place != "hang" or rise_m < least * h or peak_m_s < PULL_PEAK_M_S:
        return None
    if not np.isfinite(places.over_shoulders(float(m.t[a]))):
        return False if rise_m >= 0.25 * h else None
    return False if places.shoulders_under_standing(float(m.t[a])) > BENT else None


def _is_bounce(m: Motion, rise: _Rise) -> bool:
    before = (m.t >= m.t[rise.a] - 0.25) & (m.t < m.t[rise.a])
    fell = before.any() and float(np.min(m.up[before])) < BOUNCE_M_S
    return bool(fell and m.t[rise.top.peak] - m.t[rise.a] < BOUNCE_PEAK_S)


def _horizon(places: Places, rises: list[_Rise], done: LiftTimes) -> int:
    """Return the grid index before which everything belongs to a lift, its top at least: the dip of a jerk, else the end.

    Where the hands are the bar it ends, too, when they come up from a hang without a body that drives them: empty.
    """
    for later in rises[1:]:
        if _is_jerk(places, later, [done], None):
            return max(later.before, rises[0].top.apex + 1)
        if _is_empty(places, later):
            return max(later.a, rises[0].top.apex + 1)
    return len(places.motion.t)


def _is_empty(places: Places, rise: _Rise) -> bool:
    """Return whether hands that are taken for the bar leave it hanging or lying: fast, and the body just stands."""
    if places.body is None or not places.body.hands_are_the_bar or places.motion.up[rise.top.peak] < QUICK_HANG_M_S:
        return False
    at_s, top_s = float(places.motion.t[rise.a]), float(places.motion.t[rise.top.apex])
    return places.of(at_s) == "hang" and min(places.hip_share(at_s), places.hip_share(top_s)) > STANDS


def _pull(places: Places, rises: list[_Rise], wanted: LiftName | None, *, from_floor: bool) -> LiftTimes:
    """Return the lift that a rise from floor, hang or blocks is."""
    m, top, h = places.motion, rises[0].top, places.stature_m
    times, rest, has_rest = pull_times(m, top, from_floor=from_floor)
    is_begun = "start" in times
    under = places.floor_m if from_floor else min(places.floor_m, rest - HANG_LOW * h)
    from_floor = from_floor and is_begun
    low = rest if from_floor else under
    rest = rest if is_begun else low
    catch = judge_catch(m, top, low, h, places.body)
    sketch = LiftTimes(times | catch.times_s, catch.outcome, rest, float(m.t[catch.end]), has_rest)
    m = m.until(_horizon(places, rises, sketch))
    catch = judge_catch(m, top, low, h, places.body)
    kind, outcome = judge_kind(places, top, low, catch, from_floor=from_floor)
    if wanted is not None and wanted != kind:
        kind, outcome = wanted, outcome_as(wanted, places, top, low, catch)
    if kind in ("pull", "deadlift", "unknown") or outcome == "no_attempt":
        catch = Ending(outcome, top.apex, {})
    if kind == "deadlift" or outcome == "caught_no_drop":
        times["max_height"] = arrival_s(m, top)
    times |= catch.times_s
    if outcome == "caught_no_drop":
        times["catch"] = times["max_height"]
    variant = "" if from_floor or not is_begun else hang_or_block(m, times["start"])
    variant = f"{variant} {depth_of_catch(places, catch)}".strip()
    return LiftTimes(times, outcome, rest, float(m.t[catch.end]), has_rest, kind, variant, catch.note)


def _jerk(places: Places, rises: list[_Rise]) -> LiftTimes:
    """Return the jerk whose drive the first rise is; with a drop of a few centimetres or none it is simply caught."""
    m, h, rise = places.motion, places.stature_m, rises[0]
    times, rest = dip_times(m, rise.a, rise.top, "jerk")
    low = rest - RACK_LOW * h
    ending = judge_catch(m, rise.top, low, h, places.body)
    sketch = LiftTimes(times | ending.times_s, ending.outcome, rest, 0.0, True)
    ending = judge_catch(m.until(_horizon(places, rises, sketch)), rise.top, low, h, places.body)
    outcome: Outcome = "caught" if ending.outcome == "caught_no_drop" else ending.outcome
    over = places.over_shoulders(ending.times_s.get("catch", float(m.t[rise.top.apex])))
    if "catch" in ending.times_s and over < PULL_CATCH + 0.18:
        outcome, ending = "not_caught", Ending("not_caught", ending.end, {})
    variant = split_or_power(places, times["dip_start"], ending)
    return LiftTimes(times | ending.times_s, outcome, rest, float(m.t[ending.end]), True, "jerk", variant, ending.note)


def _squat(places: Places, rise: _Rise) -> LiftTimes:
    """Return the squat whose ascent a rise is: caught when it was stood up."""
    m = places.motion
    times, rest = dip_times(m, rise.a, rise.top, "squat")
    times["max_height"] = arrival_s(m, rise.top)
    stood = m.height[rise.top.apex] >= rest - SQUAT_BACK * places.stature_m
    place = places.of(float(m.t[rise.before]))
    variant = "overhead" if place == "overhead" else ""
    return LiftTimes(
        times, "caught" if stood else "not_caught", rest, float(m.t[rise.top.apex]), True, "squat", variant
    )


def _without_empty_hands(lifts: list[LiftTimes], body: BodySignals | None) -> list[LiftTimes]:
    """Leave out rises to the hip beside real lifts where the hands are the bar: they also come up without one."""
    if body is None or not body.hands_are_the_bar:
        return lifts
    if any(lift.kind in HANDS_HIGH for lift in lifts):
        return [lift for lift in lifts if lift.kind in HANDS_HIGH or lift.kind == "squat"]
    stood = any(lift.kind == "deadlift" and lift.outcome == "caught" for lift in lifts)
    return [lift for lift in lifts if not (stood and lift.kind == "deadlift" and lift.outcome == "not_caught")]
