"""Pull, catch, recovery and squat, written at the end of a script, and what all movements share."""

from collections.abc import Callable

import numpy as np

from perception.simulator.bar_path import GRAVITY_M_S2
from perception.simulator.script import (
    NARROW,
    STRAIGHT_DEG,
    WIDE,
    Held,
    Hold,
    Pass,
    Script,
    go,
)
from perception.simulator.technique import CatchSpec, PullSpec, SquatSpec

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


def time_at(script: Script, height_m: float, start_s: float) -> float:
    """Return when the bar, rising from `start_s` on, comes to a height."""
    dense = np.linspace(start_s, script.now_s, 4001)
    return float(dense[int(np.argmax(script.heights(dense) >= height_m))])


def turnover_speed(peak_m: float, apex_m: float, fall: float, is_soft: bool) -> float:
    """Return the peak speed with which the bar comes from `peak_m` to rest at `apex_m`."""
    rise_m = apex_m - peak_m
    if rise_m < 0.02:
        raise ValueError(f"the catch leaves {rise_m:.3f} m for the turnover")
    return float(np.sqrt(rise_m * fall / (0.75 if is_soft else _TURN_AREA)))


def to_apex(script: Script, speed: float, fall: float, is_soft: bool) -> float:
    """Write the turnover: the bar slows to rest, with the acceleration of the fall that follows or softly."""
    if is_soft:
        return script.knots.add(1.5 * speed / fall, 0.0, 0.0)
    return script.knots.add(speed / (_TURN * fall), 0.0, -fall)


def power_trunk_deg(p: PullSpec) -> float:
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
        speed = turnover_speed(peak_m, apex_m, fall, is_soft)
    power_m = script.posture("below", p.power_knee_deg, power_trunk_deg(p), x0 - p.toward_m)
    mark |= {"begin_s": start_s}
    if p.start == "floor":
        first_pull(script, p, power_m, x0)
        low = p.first_pull_speed_m_s * (1 - p.transition_loss_ratio)
        mark["peak_s"] = script.knots.add(2 * (peak_m - script.bar_m) / (low + speed), speed, 0.0)
    else:
        mark["peak_s"] = script.knots.add(2 * (peak_m - script.bar_m) / speed, speed, 0.0)
        mark["power_s"] = time_at(script, power_m, start_s)
    mark["apex_s"] = to_apex(script, speed, fall, is_soft)
    _pull_bar_x(script, p, x0)
    _pull_body(script, p, shoulder, speed)


def first_pull(script: Script, p: PullSpec, power_m: float, x0: float) -> None:
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
            knee_s = min(time_at(script, script.knee_rise_m(), mark["begin_s"]), back_s - 0.05)
            script.x.insert(-1, (knee_s, x0 + p.off_floor_m, 0.0))
    else:
        go(script.x, mark["begin_s"], back_s, x0 - p.toward_m)
    script.x.append((mark["peak_s"] + 0.45 * (mark["apex_s"] - mark["peak_s"]), x0 - p.toward_m + p.loop_m, 0.0))


def pull_trunk(script: Script, p: PullSpec) -> None:
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
    script.trunk.append((power, power_trunk_deg(p), _still_knee(script, power, power_trunk_deg(p))))
    script.ahead.append((power, 0.0, 0.0))
    if p.elbow_deg < STRAIGHT_DEG:
        go(script.elbow, begin + 0.3 * (power - begin), power, p.elbow_deg)


def _pull_body(script: Script, p: PullSpec, shoulder: tuple[float, float], speed: float) -> None:
    """Write trunk, arms, heels and the extended posture of a pull."""
    mark, power = script.mark, script.mark["power_s"]
    top_s = mark["peak_s"] + 0.015
    pull_trunk(script, p)
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
    stop(script, c.drop_m, fall)
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


def stop(script: Script, drop_m: float, fall: float) -> None:
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
