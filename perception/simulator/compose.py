"""Whole clips out of movements: each kind of lift from its set-up to the bar at rest."""

from typing import TypeVar

from perception.simulator.bar_path import GRAVITY_M_S2
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
    deadlift,
    drop,
    jerk,
    jump,
    pull,
    recover,
    recover_jerk,
    rerack,
    squat,
)
from perception.simulator.script import NARROW, WIDE, Hold, Script, frame_of, go, new_script
from perception.simulator.spec import LiftSpec
from perception.simulator.technique import CatchSpec, JerkSpec, Moves, PullSpec

T = TypeVar("T")
ARMS_ON_BACK = (-0.45, -0.8, 0.3)


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
    script = {
        "snatch": _olympic,
        "clean": _olympic,
        "clean_and_jerk": _olympic,
        "jerk": _jerk_only,
        "squat": _squats,
        "deadlift": _deadlifts,
    }[spec.lift](spec, m)
    script.start_s, script.restitution = -m.setup_s, m.restitution
    return script


def _from_floor(spec: LiftSpec, m: Moves, trunk_deg: float) -> Script:
    frame = frame_of(spec, "snatch" if spec.lift == "snatch" or m.variant == "snatch_pull" else "clean")
    script = new_script(frame, m.block_m, m.bar_to_ankle_m, NARROW * frame.body.height_m, trunk_deg)
    script.pole.append((0.0, 0.0, ARMS_UP))
    script.floor_m = m.block_m
    return script


def _olympic(spec: LiftSpec, m: Moves) -> Script:
    p, c = _needed(m.pull, "pull"), _needed(m.catch, "catch")
    script = _from_floor(spec, m, p.start_trunk_deg)
    hold: Hold = "over" if spec.lift == "snatch" else "rack"
    script.marks.append({})
    _pull_and_catch(script, p, c, hold)
    recover(script, hold, c.bottom_s, c.recovery_s)
    script.wait(m.hold_s)
    script.mark["end_s"] = script.now_s
    if spec.lift == "clean_and_jerk":
        j = _needed(m.jerk, "jerk")
        rerack(script, j.rerack_m, 0.9)
        script.wait(0.5)
        _jerk(script, j)
        script.wait(m.hold_s)
    drop(script, 0.75, m.tail_s)
    return script


def _pull_and_catch(script: Script, p: PullSpec, c: CatchSpec, hold: Hold) -> None:
    f = script.frame
    landed = (script.ankle_m() + c.foot_jump_m, WIDE * f.body.height_m)
    catch_x = landed[0] + f.foot_middle_m() + c.bar_to_foot_m
    catch_m = script.posture(hold, c.knee_deg, c.trunk_deg, catch_x, 0.035, c.elbow_deg, landed=landed)
    pull(script, p, catch_m + c.drop_m, is_soft=c.drop_m < 0.001)
    jump(script, c.foot_jump_m)
    catch(script, c, hold, catch_x, p.turnover_ratio * GRAVITY_M_S2)


def _jerk(script: Script, j: JerkSpec) -> None:
    script.marks.append({})
    jerk(script, j)
    recover_jerk(script, j)


def _standing(spec: LiftSpec, m: Moves, hold: Hold) -> Script:
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
    script = _standing(spec, m, "rack")
    _jerk(script, _needed(m.jerk, "jerk"))
    script.wait(m.hold_s)
    drop(script, 0.75, m.tail_s)
    return script


def _squats(spec: LiftSpec, m: Moves) -> Script:
    script = _standing(spec, m, "back")
    for i in range(m.reps):
        script.marks.append({})
        squat(script, _needed(m.squat, "squat"))
        script.wait(m.rest_s if i + 1 < m.reps else 0.0)
    script.end_s = script.now_s + m.tail_s
    return script


def _deadlifts(spec: LiftSpec, m: Moves) -> Script:
    d = _needed(m.deadlift, "deadlift")
    script = _from_floor(spec, m, d.start_trunk_deg)
    go(script.ahead, -9.0, -8.0, 0.025)
    for i in range(m.reps):
        script.marks.append({})
        deadlift(script, d)
        script.wait(m.rest_s if i + 1 < m.reps else 0.0)
    script.end_s = script.now_s + m.tail_s
    return script


def simulate_moves(spec: LiftSpec) -> LiftMotion:
    """Return the motion of a clip that is more than a plain snatch.

    Raises:
        ValueError: The lifter's proportions cannot make this lift.
    """
    return LiftMotion(script_of(spec))
