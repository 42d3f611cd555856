"""How a lift ends, written at the end of a script: bars that are dropped, lost in front or behind, or let go."""

import numpy as np

from perception.simulator.bar_path import GRAVITY_M_S2, LOWER_S
from perception.simulator.movements import ARMS_BACK, ARMS_OUT
from perception.simulator.script import NARROW, TURN_OUT_DEG, Pass, Script, go


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
