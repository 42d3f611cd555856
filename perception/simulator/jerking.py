"""The jerk, written at the end of a script: dip, drive, catch in the split or half squat, recovery."""

import numpy as np

from perception.simulator.bar_path import GRAVITY_M_S2
from perception.simulator.endings import miss, slip
from perception.simulator.movements import (
    ARMS_OUT,
    HEEL_UP_DEG,
    OVER_TRUNK_DEG,
    RACK_TRUNK_DEG,
    STAND_KNEE_DEG,
    stop,
    to_apex,
    turnover_speed,
)
from perception.simulator.script import NARROW, STRAIGHT_DEG, TURN_OUT_DEG, WIDE, Pass, Script, go
from perception.simulator.technique import JerkSpec

REAR_KNEE_DEG = 160.0  # deg, the rear knee in the split is bent at least so much
SPLIT_OUT_DEG, SPLIT_HALF = 8.0, 0.07  # turn-out and half the width of the split over stature, judged from films


def split_feet(script: Script, j: JerkSpec, bar_x_m: float) -> tuple[float, float, float, float]:
    """Return where front and rear ankle land with the foot flat, the heel of the rear foot, and the hips' height."""
    f, h = script.frame, script.frame.body.height_m
    length, rear_heel = j.split_ratio * h, 38.0
    along, raised = f.toes_up(rear_heel, SPLIT_OUT_DEG)
    hip_x = bar_x_m + 0.02 - f.body.trunk_m * np.cos(np.deg2rad(OVER_TRUNK_DEG))
    out, up = np.cos(np.deg2rad(SPLIT_OUT_DEG)), np.cos(np.deg2rad(rear_heel))
    toe = (f.body.foot_m - f.body.heel_behind_m) * out
    feet_ahead = (f.foot_middle_m(SPLIT_OUT_DEG) - along + toe - 0.5 * f.body.foot_m * up * out) / 2
    middle = bar_x_m - j.bar_to_foot_m - float(feet_ahead)
    front, rear = middle + 0.5 * length, middle - 0.5 * length
    leg = f.leg_m(j.front_knee_deg, SPLIT_HALF * h)
    hip_y = f.body.ankle_height_m + float(np.sqrt(leg**2 - (front - hip_x) ** 2))
    long = f.leg_m(REAR_KNEE_DEG, SPLIT_HALF * h)
    hip_y = min(hip_y, f.body.ankle_height_m + raised + float(np.sqrt(long**2 - (rear - hip_x) ** 2)))
    return front, rear - along, rear_heel, hip_y


def jerk(script: Script, j: JerkSpec, is_missed: bool = False, is_behind: bool = False) -> None:
    """Write dip, drive, catch in the split or half squat, and the way of the feet into it; or a miss."""
    f, h, mark = script.frame, script.frame.body.height_m, script.mark
    y0, x0 = script.bar_m, script.x[-1][1]
    fall, is_soft = j.turnover_ratio * GRAVITY_M_S2, j.drop_m < 0.001 and not is_missed
    catch_x = x0 + j.dip_forward_m + j.drive_forward_m
    over = float(np.sqrt(f.reach_m(j.elbow_deg) ** 2 - 0.02**2))
    if j.split_ratio > 0:
        shoulder_m = split_feet(script, j, catch_x)[3] + f.body.trunk_m * np.sin(np.deg2rad(OVER_TRUNK_DEG))
        catch_m = shoulder_m + over - f.rest_m
    else:
        landed = (catch_x - j.bar_to_foot_m - f.foot_middle_m(), WIDE * h)
        catch_m = script.posture("over", j.front_knee_deg, 84.0, catch_x, 0.02, j.elbow_deg, landed=landed)
        shoulder_m = catch_m - over + f.rest_m
    peak_m = y0 + 0.012 * h
    speed = turnover_speed(peak_m, catch_m + j.drop_m - (0.05 if is_missed and not is_behind else 0.0), fall, is_soft)
    push = _dip(script, j)
    rise = peak_m - script.bar_m
    drive_s = (np.sqrt(speed**2 / 4 + push * rise / 3) - speed / 2) * 6 / push if push else 2 * rise / speed
    mark["peak_s"] = script.knots.add(float(drive_s), speed, 0.0)
    mark["apex_s"] = to_apex(script, speed, fall, is_soft)
    _drive_body(script, j, speed, x0)
    lock_s = mark["apex_s"] + 0.05
    if is_missed and is_behind:
        slip(script, fall, 0.26, 1.7, catch_x)
        lock_s += 0.03
    elif is_missed:
        miss(script, fall, 0.2, 0.75, (catch_x - 0.04, shoulder_m), down_s=lock_s, trunk_deg=87.0)
    else:
        stop(script, j.drop_m, fall)
        lock_s = mark["apex_s"] + 0.35 * (mark["catch_s"] - mark["apex_s"])
        _lock(script, j, lock_s)
    _land(script, j, catch_x, mark["peak_s"] - 0.01, lock_s)


def _dip(script: Script, j: JerkSpec) -> float:
    """Write the dip; return the upward acceleration at its bottom."""
    mark, depth = script.mark, j.dip_ratio * script.frame.body.height_m
    mark |= {"begin_s": script.now_s, "dip_start_s": script.now_s}
    brake_s = 0.45 * j.dip_s
    speed = depth / (0.5 * j.dip_s + (0.5 if j.pause_s else 0.6333) * brake_s)
    script.knots.add(j.dip_s, -speed, 0.0)
    push = 0.0 if j.pause_s else 1.6 * speed / brake_s
    mark["dip_bottom_s"] = script.knots.add(brake_s, 0.0, push)
    script.wait(j.pause_s)
    return push


def _drive_body(script: Script, j: JerkSpec, speed: float, x0: float) -> None:
    """Write bar, trunk, heels and shoulders from the dip until the lifter is stretched above the feet."""
    f, mark = script.frame, script.mark
    drive_from, peak = mark["dip_bottom_s"] + j.pause_s, mark["peak_s"]
    leave_s, top_s = peak - 0.015, peak + 0.1
    script.hold("rack", leave_s)
    on_shoulders = f.offset("rack", np.array(RACK_TRUNK_DEG), np.array(0.0), np.array(0.0))
    rise = 0.36 * speed * (top_s - peak)
    lift = float(script.heights(np.array([peak]))[0]) + f.rest_m + float(on_shoulders[1]) + rise
    x = x0 + j.dip_forward_m + j.drive_forward_m
    script.passes.append(Pass(top_s, (x + float(on_shoulders[0]) - 0.01, lift), (0.0, 0.0), (0.0, -11.0)))
    go(script.x, mark["begin_s"], mark["dip_bottom_s"], x0 + j.dip_forward_m)
    go(script.x, drive_from, peak, x)
    go(script.trunk, mark["begin_s"], mark["dip_bottom_s"], RACK_TRUNK_DEG - 100 * j.dip_forward_m)
    go(script.trunk, drive_from, peak, RACK_TRUNK_DEG)
    go(script.wrist, leave_s, leave_s + 0.2, 0.0)
    for foot in script.feet.values():
        foot.step(drive_from + 0.3 * (peak - drive_from), peak + 0.03, 0.0, heel=HEEL_UP_DEG)


def _lock(script: Script, j: JerkSpec, lock_s: float) -> None:
    """Write the arms' way from the shoulders to the lock overhead."""
    mark, top_s, leave_s = script.mark, script.mark["peak_s"] + 0.1, script.mark["peak_s"] - 0.015
    script.face.append((top_s + 0.3 * (lock_s - top_s), -0.085 * script.frame.body.height_m))
    script.holds.append((lock_s, script.now_s, "over"))
    go(script.trunk, script.trunk[-1][0], lock_s, OVER_TRUNK_DEG if j.split_ratio else 84.0)
    go(script.ahead, leave_s, lock_s, 0.02)
    go(script.elbow, leave_s, lock_s, j.elbow_deg)
    if j.pressed_out:
        go(script.elbow, mark["catch_s"] + 0.06, mark["catch_s"] + 0.5, STRAIGHT_DEG)
    script.pole.append((leave_s, lock_s, ARMS_OUT))


def _land(script: Script, j: JerkSpec, catch_x: float, start_s: float, end_s: float) -> None:
    """Write the feet's way into split or half squat."""
    h = script.frame.body.height_m
    if j.split_ratio > 0:
        front, rear, heel, _ = split_feet(script, j, catch_x)
        script.feet["left"].step(start_s, end_s, 0.07, x=front, z=SPLIT_HALF * h, out=SPLIT_OUT_DEG, heel=0.0)
        script.feet["right"].step(start_s, end_s - 0.03, 0.04, x=rear, z=SPLIT_HALF * h, out=SPLIT_OUT_DEG, heel=heel)
        return
    ankle = catch_x - j.bar_to_foot_m - script.frame.foot_middle_m()
    for foot in script.feet.values():
        foot.step(start_s, end_s, 0.05, x=ankle, z=WIDE * h, heel=0.0)


def recover_jerk(script: Script, j: JerkSpec) -> None:
    """Write the recovery: front foot back first, then the rear foot forward."""
    mark, f, h = script.mark, script.frame, script.frame.body.height_m
    x = script.x[-1][1]
    mark["rise_s"] = script.wait(j.bottom_s)
    rise_s, end_s = mark["rise_s"], mark["rise_s"] + j.recovery_s
    if j.split_ratio > 0:
        home = {"x": x - f.foot_middle_m(), "z": (NARROW + 0.01) * h, "out": TURN_OUT_DEG, "heel": 0.0}
        script.feet["left"].step(rise_s, rise_s + 0.28 * j.recovery_s, 0.03, **home)
        script.feet["right"].step(rise_s + 0.28 * j.recovery_s, rise_s + 0.68 * j.recovery_s, 0.03, **home)
    middle = script.middle_foot_m()
    elbow = script.elbow[-1][1]
    standing_m = script.posture("over", STAND_KNEE_DEG, OVER_TRUNK_DEG, middle, ahead_m=0.02, elbow_deg=elbow)
    mark["standing_s"] = script.rise(standing_m, j.recovery_s, 0.7)
    go(script.trunk, rise_s, end_s, OVER_TRUNK_DEG)
    go(script.x, rise_s, end_s, middle)
    script.hold("over", script.now_s)
