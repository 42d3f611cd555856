"""The movements of lifting, each written at the end of a script: pull, catch, recovery, dip and drive, squat, drop."""

from collections.abc import Callable

import numpy as np

from perception.simulator.bar_path import GRAVITY_M_S2, LOWER_S
from perception.simulator.script import (
    NARROW,
    STRAIGHT_DEG,
    TURN_OUT_DEG,
    WIDE,
    Held,
    Hold,
    Pass,
    Script,
    go,
)
from perception.simulator.technique import CatchSpec, DeadliftSpec, JerkSpec, PullSpec, SquatSpec

STAND_KNEE_DEG, RACK_TRUNK_DEG, OVER_TRUNK_DEG = 173.0, 88.0, 89.0  # deg, standing with the bar held
HANG_TRUNK_DEG, HANG_KNEE_DEG = 89.0, 169.0  # deg, standing with the bar in hanging arms
POWER_TRUNK_DEG = 64.0  # deg, from horizontal at the power position, judged from films
TRUNK_OPENS_DEG = 3.0  # deg, from lift-off to the end of the first pull, judged from films
HEEL_UP_DEG = 22.0  # deg, pitch of the foot at full extension, judged from films
LEAN_BACK_DEG = -2.0  # deg, hips from above the ankles at full extension
HIPS_FOLLOW = 0.42  # of a lean back beyond the usual, by which the hips go forward, so that the lifter keeps balance
ABOVE_KNEE_DEG = (146.0, 46.0)  # knee and trunk in the hang and on blocks, bar above the knee
BODY_RISES = 0.35  # of the bar's speed that the body still has at full extension; Hori 2007: 1.48 of 2.16 m/s
BODY_FALLS_M_S2 = -8.0  # m/s2, of the body at full extension, with nothing but the bar to push against
_DRAWN = 0.25  # of peak speed times the stopping time, by which the arms bend at full extension
ARMS_UP, ARMS_BACK, ARMS_FRONT = (-0.75, 0.55, 0.45), (-0.75, -0.55, 0.45), (0.75, -0.65, 0.0)
ARMS_LOW, ARMS_OUT = (-0.6, -0.8, 0.2), (-0.3, -0.25, 0.9)
_TURN = 0.7  # mean over largest acceleration in the turnover and the fall that follows
_TURN_AREA = 0.884  # rise in the turnover times its largest acceleration over the square of peak speed


def _still_knee(script: Script, time_s: float, trunk_deg: float) -> Callable[[Held], float]:
    """Return the trunk rate in deg/s, asked for later, that leaves the knee angle unchanged in a straight-armed pull."""
    f, ankle = script.frame, script.ankle_m()
    reach = float(f.reach_m(STRAIGHT_DEG))

    def rate(held: Held) -> float:
        h = 1e-4
        times = time_s + np.array([-h, 0.0, h])
        ahead = held.shoulder(times)
        angle = np.deg2rad(trunk_deg)
        shoulder = held.bar(times) + np.stack([ahead, np.sqrt(reach**2 - ahead**2)], axis=-1)
        hip = shoulder - f.body.trunk_m * np.array([np.cos(angle), np.sin(angle)])
        leg = hip[1] - np.array([ankle, f.body.ankle_height_m])
        turning = f.body.trunk_m * np.array([-np.sin(angle), np.cos(angle)])
        return float(np.rad2deg(leg @ (hip[2] - hip[0]) / (2 * h) / (leg @ turning)))

    return rate


def _time_at(script: Script, height_m: float, start_s: float) -> float:
    """Return when the bar, rising from `start_s` on, comes to a height."""
    dense = np.linspace(start_s, script.now_s, 4001)
    return float(dense[int(np.argmax(script.heights(dense) >= height_m))])


def _turnover(peak_m: float, apex_m: float, fall: float, is_soft: bool) -> float:
    """Return the peak speed with which the bar comes from `peak_m` to rest at `apex_m`."""
    rise_m = apex_m - peak_m
    if rise_m < 0.02:
        raise ValueError(f"the catch leaves {rise_m:.3f} m for the turnover")
    return float(np.sqrt(rise_m * fall / (0.75 if is_soft else _TURN_AREA)))


def _to_apex(script: Script, speed: float, fall: float, is_soft: bool) -> float:
    """Write the turnover: the bar slows to rest, with the acceleration of the fall that follows or softly."""
    if is_soft:
        return script.knots.add(1.5 * speed / fall, 0.0, 0.0)
    return script.knots.add(speed / (_TURN * fall), 0.0, -fall)


def _power_trunk_deg(p: PullSpec) -> float:
    """Return the trunk angle at the power position; who leans far back later is more upright then already."""
    return POWER_TRUNK_DEG + 0.12 * max(p.extended_trunk_deg - 95.0, 0.0)


def extended(script: Script, knee_deg: float, trunk_deg: float) -> tuple[float, float]:
    """Return the shoulders (forward, above the floor) at full extension on the toes."""
    f = script.frame
    along, up = f.toes_up(HEEL_UP_DEG)
    hips_deg = LEAN_BACK_DEG + HIPS_FOLLOW * max(trunk_deg - 95.0, 0.0)
    leg, lean, trunk = f.leg_m(knee_deg, script.half_stance_m()), np.deg2rad(hips_deg), np.deg2rad(trunk_deg)
    x = script.ankle_m() + along + leg * np.sin(lean) + f.body.trunk_m * np.cos(trunk)
    return float(x), float(f.body.ankle_height_m + up + leg * np.cos(lean) + f.body.trunk_m * np.sin(trunk))


def pull(script: Script, p: PullSpec, apex_m: float, is_soft: bool = False) -> None:
    """Write a pull from the present place of the bar to full extension, and the turnover to the apex."""
    x0, start_s, mark = script.x[-1][1], script.now_s, script.mark
    shoulder = extended(script, p.extended_knee_deg, p.extended_trunk_deg)
    reach = float(script.frame.reach_m(STRAIGHT_DEG))
    fall, speed = p.turnover_ratio * GRAVITY_M_S2, p.peak_speed_m_s
    for _ in range(12):
        peak_m = shoulder[1] - (reach - _DRAWN * speed * p.stop_s) - script.frame.rest_m
        speed = _turnover(peak_m, apex_m, fall, is_soft)
    power_m = script.posture("below", p.power_knee_deg, _power_trunk_deg(p), x0 - p.toward_m)
    mark |= {"begin_s": start_s}
    if p.start == "floor":
        _first_pull(script, p, power_m, x0)
        low = p.first_pull_speed_m_s * (1 - p.transition_loss_ratio)
        mark["peak_s"] = script.knots.add(2 * (peak_m - script.bar_m) / (low + speed), speed, 0.0)
    else:
        mark["peak_s"] = script.knots.add(2 * (peak_m - script.bar_m) / speed, speed, 0.0)
        mark["power_s"] = _time_at(script, power_m, start_s)
    mark["apex_s"] = _to_apex(script, speed, fall, is_soft)
    _pull_bar_x(script, p, x0)
    _pull_body(script, p, shoulder, speed)


def _first_pull(script: Script, p: PullSpec, power_m: float, x0: float) -> None:
    """Write the first pull and the slower transition to the power position."""
    v1, mark, start_s = p.first_pull_speed_m_s, script.mark, script.now_s
    end_trunk = p.start_trunk_deg - p.trunk_loss_deg + TRUNK_OPENS_DEG
    end_m = script.posture("below", p.end_pull_knee_deg, end_trunk, x0 - 0.6 * p.toward_m, ahead_m=0.04)
    low = v1 * (1 - p.transition_loss_ratio)
    if power_m < end_m + 0.03:
        raise ValueError(f"the power position is {power_m - end_m:.3f} m above the end of the first pull")
    first_s = (end_m - script.bar_m) / (0.5792 * v1)
    script.knots.add(0.4 * first_s, 0.5 * v1, 1.75 * v1 / first_s)
    mark["end_first_pull_s"] = script.knots.add(0.6 * first_s, v1, 0.0)
    transition_s = (power_m - end_m) / (0.5 * (v1 + low) * 1.03)
    script.knots.add(0.55 * transition_s, low, 0.0)
    mark |= {"lift_off_s": start_s, "power_s": mark["end_first_pull_s"] + transition_s}


def _pull_bar_x(script: Script, p: PullSpec, x0: float) -> None:
    """Write the way of the bar toward the body and forward again."""
    mark, back_s = script.mark, script.mark["power_s"] - 0.03
    if "end_first_pull_s" in mark:
        back_s = mark["end_first_pull_s"] + 0.6 * (mark["power_s"] - mark["end_first_pull_s"])
        go(script.x, mark["begin_s"], back_s, x0 - p.toward_m)
        if p.off_floor_m > 0:
            knee_s = min(_time_at(script, script.knee_rise_m(), mark["begin_s"]), back_s - 0.05)
            script.x.insert(-1, (knee_s, x0 + p.off_floor_m, 0.0))
    else:
        go(script.x, mark["begin_s"], back_s, x0 - p.toward_m)
    script.x.append((mark["peak_s"] + 0.45 * (mark["apex_s"] - mark["peak_s"]), x0 - p.toward_m + p.loop_m, 0.0))


def _pull_trunk(script: Script, p: PullSpec) -> None:
    """Write trunk and shoulders from the start of a pull to the power position, and how the arms bend on the way."""
    mark, begin, power = script.mark, script.mark["begin_s"], script.mark["power_s"]
    if "end_first_pull_s" in mark:
        end_s, first = mark["end_first_pull_s"], p.start_trunk_deg
        low = first - p.trunk_loss_deg
        if script.trunk[-1][0] < begin:
            script.trunk.append((begin, first, 0.0))
            script.ahead.append((begin, p.shoulder_ahead_m, 0.0))
        script.trunk.append((begin + 0.6 * (end_s - begin), low + (0.5 if low == first else 0.0), 0.0))
        script.trunk.append((end_s, low + TRUNK_OPENS_DEG, _still_knee(script, end_s, low + TRUNK_OPENS_DEG)))
        script.ahead.append((end_s, 0.04, 0.0))
    else:
        if script.trunk[-1][0] < begin:
            script.trunk.append((begin, script.trunk[-1][1], 0.0))
        if script.ahead[-1][0] < begin:
            script.ahead.append((begin, script.ahead[-1][1], 0.0))
    script.trunk.append((power, _power_trunk_deg(p), _still_knee(script, power, _power_trunk_deg(p))))
    script.ahead.append((power, 0.0, 0.0))
    if p.elbow_deg < STRAIGHT_DEG:
        go(script.elbow, begin + 0.3 * (power - begin), power, p.elbow_deg)


def _pull_body(script: Script, p: PullSpec, shoulder: tuple[float, float], speed: float) -> None:
    """Write trunk, arms, heels and the extended posture of a pull."""
    mark, power = script.mark, script.mark["power_s"]
    top_s = mark["peak_s"] + 0.015
    _pull_trunk(script, p)
    script.trunk.append((top_s, p.extended_trunk_deg, 0.0))
    script.ahead.append((top_s, -0.06, 0.0))
    free_s = max(top_s - p.stop_s, power + 0.01)
    script.hold("below", free_s)
    script.passes.append(Pass(top_s, shoulder, (0.0, BODY_RISES * speed), (0.0, BODY_FALLS_M_S2)))
    for foot in script.feet.values():
        foot.step(power + 0.2 * (mark["peak_s"] - power), mark["peak_s"] + 0.01, 0.0, heel=HEEL_UP_DEG)
        foot.step(mark["peak_s"] + 0.06, mark["peak_s"] + 0.28, 0.0, heel=0.0)


def jump(script: Script, forward_m: float) -> None:
    """Write the feet's way from the pull to the wider stance of the catch."""
    start_s, end_s = script.mark["peak_s"] + 0.03, max(script.mark["apex_s"], script.mark["peak_s"] + 0.27)
    wide = WIDE * script.frame.body.height_m
    for foot in script.feet.values():
        foot.step(start_s, end_s, 0.022, x=foot.x[-1][1] + forward_m, z=wide)


def catch(script: Script, c: CatchSpec, hold: Hold, catch_x_m: float, fall: float) -> None:
    """Write fall, stop and recovery after the apex, with the bar overhead or on the shoulders."""
    mark, top_s = script.mark, script.mark["peak_s"] + 0.015
    _stop(script, c.drop_m, fall)
    lock_s = mark["apex_s"] + (0.35 if hold == "over" else 0.7) * (mark["catch_s"] - mark["apex_s"])
    script.holds.append((lock_s, script.now_s, hold))
    if hold == "over":
        script.face.append((0.5 * (top_s + lock_s), -0.1 * script.frame.body.height_m))
    else:
        script.face.append((top_s + 0.65 * (lock_s - top_s), -0.075 * script.frame.body.height_m))
    go(script.x, script.x[-1][0], mark["catch_s"], catch_x_m)
    script.trunk.append((lock_s, c.trunk_deg, 0.0))
    script.ahead.append((lock_s, 0.035, 0.0))
    go(script.elbow, mark["peak_s"], lock_s, c.elbow_deg if hold == "over" else STRAIGHT_DEG)
    if hold == "rack":
        go(script.wrist, mark["peak_s"], top_s + 0.6 * (lock_s - top_s), 1.0)
    if c.pressed_out:
        go(script.elbow, mark["catch_s"] + 0.06, mark["catch_s"] + 0.5, STRAIGHT_DEG)
    if hold == "over":
        script.pole.append((mark["peak_s"] - 0.02, mark["apex_s"] + 0.1, ARMS_BACK))
    else:
        middle_s = 0.5 * (top_s + lock_s)
        script.pole.append((mark["peak_s"] - 0.05, middle_s, ARMS_LOW))
        script.pole.append((middle_s - 0.03, lock_s + 0.05, ARMS_FRONT))


def _stop(script: Script, drop_m: float, fall: float) -> None:
    """Write the fall from the apex to the catch, its stop with a small rebound, and a short stand."""
    mark = script.mark
    if drop_m < 0.001:
        mark["catch_s"] = script.now_s
        script.wait(0.15)
        return
    share = 1.2 if drop_m < 0.22 else 0.65
    fast_s = float(np.sqrt(drop_m / (fall * (0.4333 + 0.4433 * share))))
    speed, brake_s = _TURN * fall * fast_s, share * fast_s
    script.knots.add(fast_s, -speed, 0.0)
    stop = 1.6 * speed / brake_s
    mark["catch_s"] = script.knots.add(brake_s, 0.0, stop)
    rebound = min(0.08, 0.1 * speed)
    script.knots.add(rebound / (0.45 * stop), rebound, 0.0)
    script.wait(0.15)


def recover(script: Script, hold: Hold, bottom_s: float, recovery_s: float) -> None:
    """Write the stand in the squat and the rise from it."""
    mark, trunk = script.mark, OVER_TRUNK_DEG if hold == "over" else RACK_TRUNK_DEG
    middle = script.middle_foot_m()
    mark["rise_s"] = script.wait(bottom_s)
    standing_m = script.posture(hold, STAND_KNEE_DEG, trunk, middle, ahead_m=0.02, elbow_deg=script.elbow[-1][1])
    mark["standing_s"] = script.rise(standing_m, recovery_s, 0.45)
    go(script.trunk, mark["rise_s"] + 0.1, mark["standing_s"], trunk)
    go(script.ahead, mark["rise_s"], mark["standing_s"], 0.02)
    go(script.x, max(script.x[-1][0] + 0.1, mark["rise_s"]), mark["rise_s"] + 0.7 * recovery_s, middle)
    script.hold(hold, script.now_s)


def rerack(script: Script, move_m: float, for_s: float) -> None:
    """Write a small settling of the bar on the shoulders between clean and jerk, which is no dip."""
    start_s, high_m = script.now_s, script.bar_m
    script.rise(high_m - move_m, 0.45 * for_s)
    script.rise(high_m, 0.55 * for_s)
    script.hold("rack", script.now_s)
    narrow = (NARROW + 0.01) * script.frame.body.height_m
    for i, foot in enumerate(script.feet.values()):
        foot.step(start_s - 0.55 + 0.3 * i, start_s - 0.25 + 0.3 * i, 0.015, z=narrow)


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


REAR_KNEE_DEG = 160.0  # deg, the rear knee in the split is bent at least so much
SPLIT_OUT_DEG, SPLIT_HALF = 8.0, 0.07  # turn-out and half the width of the split over stature, judged from films


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
    speed = _turnover(peak_m, catch_m + j.drop_m - (0.05 if is_missed and not is_behind else 0.0), fall, is_soft)
    push = _dip(script, j)
    rise = peak_m - script.bar_m
    drive_s = (np.sqrt(speed**2 / 4 + push * rise / 3) - speed / 2) * 6 / push if push else 2 * rise / speed
    mark["peak_s"] = script.knots.add(float(drive_s), speed, 0.0)
    mark["apex_s"] = _to_apex(script, speed, fall, is_soft)
    _drive_body(script, j, speed, x0)
    lock_s = mark["apex_s"] + 0.05
    if is_missed and is_behind:
        slip(script, fall, 0.26, 1.7, catch_x)
        lock_s += 0.03
    elif is_missed:
        miss(script, fall, 0.2, 0.75, (catch_x - 0.04, shoulder_m), down_s=lock_s, trunk_deg=87.0)
    else:
        _stop(script, j.drop_m, fall)
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


def squat(script: Script, q: SquatSpec) -> None:
    """Write one back squat from standing to standing."""
    mark, x, trunk = script.mark, script.x[-1][1], script.trunk[-1][1]
    top_m, begin = script.bar_m, script.now_s
    low_m = script.posture("back", q.knee_deg, q.trunk_deg, x)
    bottom = script.rise(low_m, q.descent_s, 0.5)
    rise = script.wait(q.bottom_s)
    end = script.rise(top_m, q.ascent_s, 0.6)
    go(script.trunk, begin, bottom, q.trunk_deg)
    go(script.trunk, rise, end, trunk)
    script.hold("back", end)
    mark |= {"begin_s": begin, "dip_start_s": begin, "dip_bottom_s": bottom, "rise_s": rise, "standing_s": end}


def deadlift(script: Script, d: DeadliftSpec) -> None:
    """Write one deadlift from the floor to standing; `x` is where the bar stood."""
    x, begin, mark = script.x[-1][1], script.now_s, script.mark
    top_m = script.posture("below", STAND_KNEE_DEG, HANG_TRUNK_DEG, x - 0.045, ahead_m=-0.01)
    mark |= {"begin_s": begin, "standing_s": script.rise(top_m, d.rise_s, 0.45)}
    hang_on(script, begin, mark["standing_s"], d.start_trunk_deg, x)
    script.wait(d.stand_s)
    script.hold("below", script.now_s)


def hang_on(script: Script, start_s: float, end_s: float, floor_trunk_deg: float, x_m: float) -> None:
    """Write trunk and shoulders of straight arms between floor and hip, either way, by the height of the bar.

    The postures on the way are fixed in knee and trunk angle, so the legs always reach.
    """
    rows = hang_postures(script, floor_trunk_deg, x_m)
    times = np.linspace(start_s, end_s, 1201)
    heights = script.heights(times)
    up = heights[-1] > heights[0]
    for name in ("trunk", "ahead", "x"):
        if getattr(script, name)[-1][0] < start_s:
            getattr(script, name).append((start_s, rows[0 if up else -1][name], 0.0))
    for row in rows[1:-1] if up else rows[-2:0:-1]:
        passed = heights >= row["y"] if up else heights <= row["y"]
        time_s = float(times[int(np.argmax(passed))])
        speed = float(script.speeds(np.array([time_s]))[0])
        script.trunk.append((time_s, row["trunk"], row["trunk_per_m"] * speed))
        script.ahead.append((time_s, row["ahead"], row["ahead_per_m"] * speed))
        script.x.append((time_s, row["x"], row["x_per_m"] * speed))
    for name in ("trunk", "ahead", "x"):
        getattr(script, name).append((end_s, rows[-1 if up else 0][name], 0.0))


def hang_postures(script: Script, floor_trunk_deg: float, x_m: float) -> list[dict[str, float]]:
    """Return height, trunk, shoulders and place of the bar from floor to hip, with their slopes over the height."""
    keys = (
        (None, floor_trunk_deg, 0.025, 0.0),
        (146.0, floor_trunk_deg + 7, 0.035, -0.025),
        (161.0, floor_trunk_deg + 28, 0.02, -0.04),
        (STAND_KNEE_DEG, HANG_TRUNK_DEG, -0.01, -0.045),
    )
    rows = []
    for knee, trunk, ahead, x in keys:
        y = 0.0 if knee is None else script.posture("below", knee, trunk, x_m + x, ahead_m=ahead)
        rows.append({"y": y, "trunk": trunk, "ahead": ahead, "x": x_m + x})
    heights = np.array([row["y"] for row in rows])
    if np.any(np.diff(heights) < 0.02):
        raise ValueError(f"straight arms do not rise from posture to posture: {heights.round(3).tolist()}")
    for name in ("trunk", "ahead", "x"):
        slopes = np.gradient(np.array([row[name] for row in rows]), heights)
        for row, slope in zip(rows, slopes, strict=True):
            row[f"{name}_per_m"] = float(slope)
    return rows


def drop(script: Script, forward_m_s: float, tail_s: float) -> None:
    """Write the letting go of a held bar: hands push it forward while it comes to fall freely."""
    if script.holds[-1][2] == "below":
        let_go(script, tail_s)
        return
    start_s, x = script.now_s, script.x[-1][1]
    script.hold(script.holds[-1][2], start_s)
    release = script.knots.add(LOWER_S, -GRAVITY_M_S2 * LOWER_S / 2, -GRAVITY_M_S2)
    if script.x[-1][0] < start_s:
        script.x.append((start_s, x, 0.0))
    pushed = 0.5 * forward_m_s * LOWER_S
    script.x += [(release, x + pushed, forward_m_s), (release + 0.4, x + pushed + 0.2 * forward_m_s, 0.0)]
    script.passes.append(Pass(release, None))
    if script.holds[-1][2] == "rack":
        script.pole.append((start_s, release, (-0.1, -0.6, 0.8)))
    leave(script, release, tail_s)


def let_go(script: Script, tail_s: float) -> None:
    """Write the opening of hands from which the bar hangs still."""
    start_s = script.now_s
    script.hold("below", start_s)
    release = script.wait(0.12)
    script.passes.append(Pass(release, None))
    leave(script, release, tail_s)


def leave(script: Script, release_s: float, tail_s: float) -> None:
    """Write what the lifter does after letting go: stand at ease with the arms down."""
    if script.wrist[-1][1]:
        go(script.wrist, release_s, release_s + 0.5, 0.0)
    script.release_s, script.mark["release_s"] = release_s, release_s
    go(script.trunk, release_s, release_s + 1.1, 88.0)
    script.pole.append((release_s + 0.05, release_s + 0.7, (-0.45, -0.35, 0.6)))
    script.end_s = release_s + max(tail_s, 1.15)


def miss(
    script: Script,
    fall: float,
    after_s: float,
    forward_m_s: float,
    shoulder: tuple[float, float],
    down_s: float | None = None,
    trunk_deg: float = 74.0,
) -> None:
    """Write a bar lost in front after the apex: the hands push it away and let go.

    `shoulder` is where the shoulders are then, or have been since `down_s`.
    """
    if down_s is not None:
        script.passes.append(Pass(down_s, shoulder))
    start_s, x = script.x[-1][0], script.x[-1][1]
    release = script.knots.add(after_s, -(fall + GRAVITY_M_S2) / 2 * after_s, -GRAVITY_M_S2)
    pushed = 0.4 * forward_m_s * (release - start_s)
    script.x += [(release, x + pushed, forward_m_s), (release + 0.4, x + pushed + 0.2 * forward_m_s, 0.0)]
    script.trunk.append((release, trunk_deg, 0.0))
    script.passes.append(Pass(release, shoulder, (0.0, 0.0 if down_s else -0.2)))
    script.pole.append((script.mark["peak_s"], release, ARMS_OUT))


def slip(script: Script, fall: float, after_s: float, back_m_s: float, catch_x_m: float) -> None:
    """Write a bar that comes overhead and is lost behind."""
    apex = script.mark["apex_s"]
    lock_s, slip_s = apex + 0.3 * after_s, apex + 0.42 * after_s
    release = script.knots.add(after_s, -(fall + GRAVITY_M_S2) / 2 * after_s, -GRAVITY_M_S2)
    script.holds.append((lock_s, slip_s, "over"))
    script.face.append((0.5 * (script.mark["peak_s"] + lock_s), -0.1 * script.frame.body.height_m))
    script.x.append((slip_s, catch_x_m - 0.03, 0.0))
    moved = 0.5 * back_m_s * (release - slip_s)
    script.x += [
        (release, catch_x_m - 0.03 - moved, -back_m_s),
        (release + 0.4, catch_x_m - 0.03 - moved - 0.2 * back_m_s, 0.0),
    ]
    script.passes.append(Pass(release, None))
    script.ahead.append((lock_s, 0.035, 0.0))
    script.pole.append((script.mark["peak_s"] - 0.02, apex + 0.1, ARMS_BACK))


def step_away(script: Script, release_s: float, forward_m: float) -> None:
    """Write the feet's way out of split or squat after a lost bar: together, and away from where it falls."""
    middle = script.ankle_m() + forward_m
    home = {"x": middle, "z": (NARROW + 0.02) * script.frame.body.height_m, "heel": 0.0, "out": TURN_OUT_DEG}
    for i, foot in enumerate(script.feet.values()):
        foot.step(release_s + 0.08 + 0.2 * i, release_s + 0.5 + 0.25 * i, 0.03, **home)


def half_squat(script: Script, landed: tuple[float, float], knee_deg: float, trunk_deg: float) -> tuple[float, float]:
    """Return the shoulders (forward, above the floor) in a half squat with the hips behind the ankles."""
    f, trunk = script.frame, np.deg2rad(trunk_deg)
    leg, back = f.leg_m(knee_deg, landed[1]), 0.06 * f.body.height_m
    hip_y = f.body.ankle_height_m + float(np.sqrt(leg**2 - back**2))
    return landed[0] - back + f.body.trunk_m * float(np.cos(trunk)), hip_y + f.body.trunk_m * float(np.sin(trunk))


def hang(script: Script, lower_s: float, pause_s: float, x: float) -> None:
    """Write the bar's way from the hip down to above the knee, to `x` forward, and a stand there."""
    knee, trunk = ABOVE_KNEE_DEG
    low_m = script.posture("below", knee, trunk, x, ahead_m=0.04)
    end = script.rise(low_m, lower_s, 0.5)
    go(script.trunk, end - lower_s, end, trunk)
    go(script.ahead, end - lower_s, end, 0.04)
    go(script.x, end - lower_s, end, x)
    script.wait(pause_s)
    script.hold("below", script.now_s)


def finish_pull(script: Script, p: PullSpec, heel_deg: float, elbow_deg: float) -> None:
    """Write a pull without a catch: up to tall standing, and down to a stand with the bar hanging."""
    x0, start_s, mark = script.x[-1][1], script.now_s, script.mark
    x = x0 - p.toward_m
    apex_m = script.posture("below", 157.0, 91.0, x, -0.02, elbow_deg, heel_deg)
    power_m = script.posture("below", p.power_knee_deg, _power_trunk_deg(p), x)
    fall = p.turnover_ratio * GRAVITY_M_S2
    speed = min(p.peak_speed_m_s, float(np.sqrt(0.6 * (apex_m - power_m) * fall / 0.75)))
    peak_m = apex_m - 0.75 * speed**2 / fall
    mark["begin_s"] = start_s
    low = 0.0
    if p.start == "floor":
        _first_pull(script, p, power_m, x0)
        low = p.first_pull_speed_m_s * (1 - p.transition_loss_ratio)
    mark["peak_s"] = script.knots.add(2 * (peak_m - script.bar_m) / (low + speed), speed, 0.0)
    if p.start != "floor":
        mark["power_s"] = _time_at(script, power_m, start_s)
    mark["apex_s"] = _to_apex(script, speed, fall, True)
    stand_m = script.posture("below", HANG_KNEE_DEG, HANG_TRUNK_DEG, x0 - 0.045, -0.01)
    mark["stand_s"] = script.rise(stand_m, 0.5, 0.5) if abs(stand_m - apex_m) > 0.005 else script.wait(0.3)
    script.hold("below", script.now_s)
    _pull_trunk(script, p)
    script.trunk += [(mark["apex_s"], 91.0, 0.0), (mark["stand_s"], HANG_TRUNK_DEG, 0.0)]
    script.ahead += [(mark["apex_s"], -0.02, 0.0), (mark["stand_s"], -0.01, 0.0)]
    go(script.x, start_s, mark["power_s"], x)
    script.x.append((mark["stand_s"], x0 - 0.045, 0.0))
    if elbow_deg < STRAIGHT_DEG:
        go(script.elbow, mark["peak_s"], mark["apex_s"], elbow_deg)
        go(script.elbow, mark["apex_s"], mark["stand_s"], STRAIGHT_DEG)
    for foot in script.feet.values():
        foot.step(mark["power_s"], mark["apex_s"], 0.0, heel=heel_deg)
        foot.step(mark["apex_s"], mark["stand_s"], 0.0, heel=0.0)


def put_down(script: Script, in_s: float, floor_trunk_deg: float, x_m: float) -> None:
    """Write the bar's way from the hip to the floor in straight arms; `x_m` is where it stood."""
    start_s = script.now_s
    end = script.rise(script.floor_m, in_s, 0.55)
    hang_on(script, start_s, end, floor_trunk_deg, x_m)
    script.hold("below", end)
