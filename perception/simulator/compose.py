"""Whole clips out of movements: each kind of lift from its set-up to the bar at rest."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from coach.domain.lift import LiftName
from perception.simulator.bar_path import GRAVITY_M_S2
from perception.simulator.endings import drop, half_squat, leave, miss, slip, step_away
from perception.simulator.hanging import deadlift, finish_pull, hang, put_down
from perception.simulator.jerking import jerk, recover_jerk
from perception.simulator.lift_motion import LiftMotion
from perception.simulator.movements import (
    ABOVE_KNEE_DEG,
    ARMS_FRONT,
    ARMS_UP,
    HANG_KNEE_DEG,
    HANG_TRUNK_DEG,
    RACK_TRUNK_DEG,
    STAND_KNEE_DEG,
    catch,
    jump,
    pull,
    recover,
    rerack,
    squat,
)
from perception.simulator.script import NARROW, WIDE, Hold, LiftPlan, Script, frame_of, new_script
from perception.simulator.spec import LiftSpec
from perception.simulator.technique import JERK_FAULTS, CatchSpec, JerkSpec, Moves, PullSpec

HANG_AHEAD_M = 0.03  # m, the bar above the knee is ahead of its place at the hip
T = TypeVar("T")
ARMS_ON_BACK = (-0.45, -0.8, 0.3)
AWAY_M = 0.32  # m, a lifter jumps forward from under a bar lost behind


def _needed(part: T | None, name: str) -> T:
    if part is None:
        raise ValueError(f"this lift needs its {name}")
    return part


def script_of(spec: LiftSpec) -> Script:
    """Return the script of a clip that is more than a plain snatch.

    Raises:
        ValueError: A part that the lift needs is missing, or the lifter's proportions cannot make it.
    """
    m = _needed(spec.moves, "moves")
    kinds: dict[str, Callable[[LiftSpec, Moves], Script]] = {
        "snatch": _olympic,
        "clean": _olympic,
        "clean_and_jerk": _olympic,
        "jerk": _jerk_only,
        "pull": _pulls,
        "squat": _squats,
        "deadlift": _deadlifts,
    }
    script = kinds[spec.lift](spec, m)
    script.start_s, script.restitution = -m.setup_s, m.restitution
    _set_up(script, m)
    _plan(script, spec, m)
    return script


def simulate_moves(spec: LiftSpec) -> LiftMotion:
    """Return the motion of a clip that is more than a plain snatch.

    Raises:
        ValueError: The lifter's proportions cannot make this lift.
    """
    return LiftMotion(script_of(spec))


def _olympic(spec: LiftSpec, m: Moves) -> Script:
    p, c = _needed(m.pull, "pull"), _needed(m.catch, "catch")
    script = _at_the_bar(spec, m, p)
    hold: Hold = "over" if spec.lift == "snatch" else "rack"
    is_last = spec.lift != "clean_and_jerk"
    script.marks.append({})
    if is_last and m.outcome == "not_caught":
        _pull_and_miss(script, m, p, c, hold)
        return script
    _pull_and_catch(script, p, c, hold)
    if is_last and m.outcome == "caught_then_lost":
        _lose(script, m, c.bottom_s)
        return script
    recover(script, hold, c.bottom_s, c.recovery_s)
    script.wait(m.hold_s)
    script.hold(hold, script.now_s)
    if not is_last:
        j = _needed(m.jerk, "jerk")
        rerack(script, j.rerack_m, 0.9)
        script.wait(0.5)
        _jerk(script, m, j)
        return script
    drop(script, 0.75, m.tail_s)
    return script


def _at_the_bar(spec: LiftSpec, m: Moves, p: PullSpec) -> Script:
    """Return a script that begins with the hands at the bar: on the floor, on blocks, or hanging at the hip."""
    frame = frame_of(spec, "snatch" if spec.lift == "snatch" or m.variant.endswith("snatch") else "clean")
    h = frame.body.height_m
    if p.start == "hang":
        script = new_script(frame, 0.0, m.bar_to_ankle_m - 0.05, NARROW * h, HANG_TRUNK_DEG)
        script.ahead = [(-9.0, -0.01, 0.0)]
        script.base_m = script.posture("below", HANG_KNEE_DEG, HANG_TRUNK_DEG, 0.0, -0.01)
        hang(script, 0.8, 0.3, HANG_AHEAD_M)
    elif p.start == "blocks":
        knee, trunk = ABOVE_KNEE_DEG
        script = new_script(frame, 0.0, m.bar_to_ankle_m - 0.02, NARROW * h, trunk)
        script.ahead = [(-9.0, 0.04, 0.0)]
        script.base_m = script.floor_m = script.posture("below", knee, trunk, 0.0, 0.04)
    else:
        script = new_script(frame, 0.0, m.bar_to_ankle_m, NARROW * h, p.start_trunk_deg)
        script.ahead = [(-9.0, p.shoulder_ahead_m, 0.0)]
    script.pole.append((0.0, 0.0, ARMS_UP))
    return script


def _pull_and_catch(script: Script, p: PullSpec, c: CatchSpec, hold: Hold) -> None:
    landed, catch_x, catch_m = _catch_place(script, c, hold)
    pull(script, p, catch_m + c.drop_m, is_soft=c.drop_m < 0.001)
    jump(script, landed[0] - script.ankle_m())
    catch(script, c, hold, catch_x, p.turnover_ratio * GRAVITY_M_S2)


def _catch_place(script: Script, c: CatchSpec, hold: Hold) -> tuple[tuple[float, float], float, float]:
    """Return where the feet land (ankle forward, half stance), and where and how high the bar is caught."""
    f = script.frame
    landed = (script.ankle_m() + c.foot_jump_m, WIDE * f.body.height_m)
    catch_x = landed[0] + f.foot_middle_m() + c.bar_to_foot_m
    catch_m = script.posture(hold, c.knee_deg, c.trunk_deg, catch_x, 0.035, c.elbow_deg, landed=landed)
    return landed, catch_x, catch_m


def _pull_and_miss(script: Script, m: Moves, p: PullSpec, c: CatchSpec, hold: Hold) -> None:
    landed, catch_x, catch_m = _catch_place(script, c, hold)
    pull(script, p, catch_m + max(c.drop_m, 0.05))
    jump(script, landed[0] - script.ankle_m())
    fall = p.turnover_ratio * GRAVITY_M_S2
    if m.missed_behind:
        slip(script, fall, 0.26, 1.7, catch_x)
        script.trunk.append((script.mark["apex_s"] + 0.08, c.trunk_deg, 0.0))
    else:
        miss(script, fall, 0.18, 0.7, half_squat(script, landed, 98.0, 74.0))
    step_away(script, script.now_s, AWAY_M if m.missed_behind else 0.0)
    leave(script, script.now_s, m.tail_s)


def _lose(script: Script, m: Moves, bottom_s: float) -> None:
    """Write a caught bar that is lost before the lifter stands."""
    script.mark["rise_s"] = script.wait(bottom_s)
    script.hold(script.holds[-1][2], script.now_s)
    drop(script, -1.3 if m.missed_behind else 1.2, m.tail_s)
    step_away(script, script.now_s, AWAY_M if m.missed_behind else 0.0)


def _jerk(script: Script, m: Moves, j: JerkSpec) -> None:
    """Write a jerk and what becomes of it."""
    script.marks.append({})
    if m.outcome == "not_caught":
        jerk(script, j, is_missed=True, is_behind=m.missed_behind)
        step_away(script, script.now_s, AWAY_M if m.missed_behind else 0.0)
        leave(script, script.now_s, m.tail_s)
        return
    jerk(script, j)
    if m.outcome == "caught_then_lost":
        _lose(script, m, j.bottom_s)
        return
    recover_jerk(script, j)
    script.wait(m.hold_s)
    script.hold("over", script.now_s)
    drop(script, 0.75, m.tail_s)


def _standing(spec: LiftSpec, hold: Hold) -> Script:
    """Return a script that begins standing with the bar on the shoulders."""
    frame = frame_of(spec, "squat" if hold == "back" else "clean")
    h = frame.body.height_m
    half = (WIDE if hold == "back" else NARROW + 0.01) * h
    script = new_script(frame, 0.0, frame.foot_middle_m(), half, RACK_TRUNK_DEG)
    script.base_m = script.posture(hold, STAND_KNEE_DEG, RACK_TRUNK_DEG, 0.0)
    script.pole.append((0.0, 0.0, ARMS_ON_BACK if hold == "back" else ARMS_FRONT))
    script.holds.append((-9.0, 0.0, hold))
    script.wrist = [(-9.0, 0.0 if hold == "back" else 1.0, 0.0)]
    return script


def _jerk_only(spec: LiftSpec, m: Moves) -> Script:
    script = _standing(spec, "rack")
    _jerk(script, m, _needed(m.jerk, "jerk"))
    return script


def _squats(spec: LiftSpec, m: Moves) -> Script:
    script = _standing(spec, "back")
    for i in range(m.reps):
        script.marks.append({})
        squat(script, _needed(m.squat, "squat"))
        script.wait(m.rest_s if i + 1 < m.reps else 0.0)
    script.end_s = script.now_s + m.tail_s
    return script


def _deadlifts(spec: LiftSpec, m: Moves) -> Script:
    d = _needed(m.deadlift, "deadlift")
    script = _at_the_bar(spec, m, PullSpec(start_trunk_deg=d.start_trunk_deg, shoulder_ahead_m=0.025))
    for i in range(m.reps):
        script.marks.append({})
        deadlift(script, d)
        if i + 1 == m.reps and not m.lowered:
            drop(script, 0.1, m.tail_s)
            return script
        put_down(script, d.lower_s, d.start_trunk_deg, 0.0)
        script.rests.append((script.now_s, script.wait(m.rest_s) if i + 1 < m.reps else np.inf))
    script.end_s = script.now_s + m.tail_s
    return script


def _pulls(spec: LiftSpec, m: Moves) -> Script:
    p = _needed(m.pull, "pull")
    script = _at_the_bar(spec, m, p)
    is_snatch = m.variant.endswith("snatch")
    for i in range(m.reps):
        script.marks.append({})
        finish_pull(script, p, 5.0 if is_snatch else 12.0, 177.0 if is_snatch else 160.0)
        if i + 1 == m.reps and not m.lowered:
            drop(script, 0.1, m.tail_s)
            return script
        if p.start == "floor":
            put_down(script, 1.2, p.start_trunk_deg, script.x[-1][1] + 0.045)
        else:
            hang(script, 0.9, 0.0, HANG_AHEAD_M if p.start == "hang" else 0.0)
        landed_s, leaves_s = script.now_s, script.wait(m.rest_s) if i + 1 < m.reps else np.inf
        script.hold("below", script.now_s)
        if p.start != "hang":
            script.rests.append((landed_s, leaves_s))
    script.end_s = script.now_s + m.tail_s
    return script


def _set_up(script: Script, m: Moves) -> None:
    """Write what happens at a resting bar before the lift and must not count as one."""
    start, trunk = -m.setup_s, script.trunk[0][1]
    script.gripped_s = start
    if m.setup == "reach":
        down = start + 0.85
        script.hands_y = [(start + 0.1, 0.22, 0.0), (down, 0.0, 0.0)]
        script.hands_x = [(start + 0.1, -0.05, 0.0), (down, 0.0, 0.0)]
        script.trunk[:1] = [(start + 0.1, float(trunk) + 12.0, 0.0), (down, trunk, 0.0)]
        script.gripped_s = down
    if m.setup == "regrip":
        script.hands_y = [(start + 0.2, 0.0, 0.0), (start + 0.5, 0.06, 0.0), (start + 0.85, 0.0, 0.0)]
        script.gripped_s = start + 0.85
    if m.setup == "roll":
        script.x[:1] = [(start + 0.1, -0.07, 0.0), (start + 0.55, 0.025, 0.0), (start + 0.95, 0.0, 0.0)]


def _plan(script: Script, spec: LiftSpec, m: Moves) -> None:
    """Write down which lifts the clip holds, and when the bar rests."""
    start = m.pull.start if m.pull else "floor"
    on_floor = spec.lift not in ("jerk", "squat") and start != "hang"
    if on_floor:
        script.rests.insert(0, (script.start_s - 1.0, 0.0))
    begins = [mark["begin_s"] for mark in script.marks]
    for i, mark in enumerate(script.marks):
        is_jerk = spec.lift == "jerk" or (spec.lift == "clean_and_jerk" and i == 1)
        is_last = i + 1 == len(script.marks)
        is_own = spec.lift != "clean_and_jerk" or is_jerk == (m.fault in JERK_FAULTS)
        script.plans.append(
            LiftPlan(
                kind=_kind(spec, is_jerk),
                variant=_variant(m, is_jerk),
                fault=m.fault if is_own else None,
                fault_strength=m.fault_strength if is_own else 0.0,
                begin_s=mark["begin_s"],
                until_s=script.end_s if is_last else begins[i + 1],
                leaves_floor=on_floor and not is_jerk,
                has_first_pull="end_first_pull_s" in mark,
                release_s=script.release_s if is_last else None,
            )
        )


def _kind(spec: LiftSpec, is_jerk: bool) -> LiftName:
    if spec.lift == "clean_and_jerk":
        return "jerk" if is_jerk else "clean"
    return spec.lift


def _variant(m: Moves, is_jerk: bool) -> str:
    """Return "full", "power" or "split" by the catch, after "hang" or "block" by the start; "" without a catch."""
    if is_jerk:
        return "split" if m.jerk and m.jerk.split_ratio > 0 else "power"
    start = {"floor": "", "hang": "hang", "blocks": "block"}[m.pull.start if m.pull else "floor"]
    depth = "" if m.catch is None else "power" if "power" in m.variant.split() else "full"
    return f"{start} {depth}".strip()
