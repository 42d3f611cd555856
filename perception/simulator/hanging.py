"""Movements of straight arms, written at the end of a script: pulls without a catch, deadlifts, the hang."""

import numpy as np

from perception.simulator.bar_path import GRAVITY_M_S2
from perception.simulator.movements import (
    ABOVE_KNEE_DEG,
    HANG_KNEE_DEG,
    HANG_TRUNK_DEG,
    STAND_KNEE_DEG,
    first_pull,
    power_trunk_deg,
    pull_trunk,
    time_at,
    to_apex,
)
from perception.simulator.script import STRAIGHT_DEG, Script, go
from perception.simulator.technique import DeadliftSpec, PullSpec


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
    power_m = script.posture("below", p.power_knee_deg, power_trunk_deg(p), x)
    fall = p.turnover_ratio * GRAVITY_M_S2
    speed = min(p.peak_speed_m_s, float(np.sqrt(0.6 * (apex_m - power_m) * fall / 0.75)))
    peak_m = apex_m - 0.75 * speed**2 / fall
    mark["begin_s"] = start_s
    low = 0.0
    if p.start == "floor":
        first_pull(script, p, power_m, x0)
        low = p.first_pull_speed_m_s * (1 - p.transition_loss_ratio)
    mark["peak_s"] = script.knots.add(2 * (peak_m - script.bar_m) / (low + speed), speed, 0.0)
    if p.start != "floor":
        mark["power_s"] = time_at(script, power_m, start_s)
    mark["apex_s"] = to_apex(script, speed, fall, True)
    stand_m = script.posture("below", HANG_KNEE_DEG, HANG_TRUNK_DEG, x0 - 0.045, -0.01)
    mark["stand_s"] = script.rise(stand_m, 0.5, 0.5) if abs(stand_m - apex_m) > 0.005 else script.wait(0.3)
    script.hold("below", script.now_s)
    pull_trunk(script, p)
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
