"""Which kind of lift a rise of the bar was, by where the bar is held, how it flew and where the body was."""

import numpy as np

from coach.domain.lift import LiftName, Outcome
from perception.instants import STEP_S, Motion, Top
from perception.outcome import Ending
from perception.places import Places

DEADLIFT_RISE = 0.24  # of stature, least rise to straight arms standing
PULL_SPEED_M_S, PULL_STOP_S = (1.0, 0.1), (0.13, 0.02)  # with their spread: a pull against a deadlift
STOPPING, STOPPED = 0.5, 0.1  # of the peak, between which the time is taken
PULL_FAMILY_RISE = 0.47  # of stature, a bar that rises higher was not pulled with straight arms
LEAST_CLEAN = 0.40  # of stature, a bar that rises less cannot be on the shoulders, whatever they seem to be
NO_ATTEMPT = 0.20  # of stature, a bar that rises less has not clearly passed the knee; source: knee 0.285, plate 0.13
HIP_DROP = 0.15  # of stature, hips that fall this far after the pull went under the bar
MISS_APEX, MISS_PEAK_M_S = (0.57, 0.05), (1.65, 0.15)  # of stature and m/s with their spread: missed snatch or clean
MISS_OVER = (-0.33, 0.02)  # of stature, bar over the shoulders in the pull with its spread; counts one at most
GRIP, SUREST = (0.41, 0.03), 4.0  # of stature with its spread, wrists apart: a snatch's against a clean's
LIFTED_M = 0.02  # m, a bar this far over its lowest place is lifted
STANDING_RISE = 0.88  # of stature over the floor's rest: overhead against on the shoulders, standing
STANDING_SURE = 0.08  # of stature beyond which that decides
CATCH_OVER = (0.13, 0.06)  # of stature over the shoulders at the catch: overhead against on the shoulders
APEX_RISE = (0.58, 0.06)  # of stature, highest place before the catch
PULL_CATCH = -0.13  # of stature over the shoulders, a bar that turns lower was not caught on them
POWER_HIPS = 0.06  # of stature, hips this far over the knees in the catch are a power catch
SPLIT_APART, SPLIT_STEP = 0.20, 0.035  # of stature, ankles further apart than in the dip: from the side, from the front
LAY_S, LAY_M = 0.8, 0.05  # s before the start and m: a bar on blocks does not move


def judge_kind(places: Places, top: Top, low_m: float, ending: Ending, *, from_floor: bool) -> tuple[LiftName, Outcome]:
    """Return which lift a rise from the floor or the hang is, and its outcome.

    A caught bar is told by where it is held: standing, in the catch, and by its height before. One that stays hanging
    from straight arms is a deadlift or a pull. A missed one is told by height, speed, and whether the body went under.
    """
    m, h = places.motion, places.stature_m
    rise = float(m.height[top.apex] - low_m) / h
    if from_floor and rise < NO_ATTEMPT:
        return "pull", "no_attempt"
    if ending.outcome != "not_caught" and not _hangs(places, top, rise, ending):
        return ("snatch" if _is_overhead(places, top, low_m, ending) else "clean"), ending.outcome
    if rise < PULL_FAMILY_RISE and not (places.hips_fell(float(m.t[top.peak]), float(m.t[top.apex]) + 0.35) > HIP_DROP):
        kind: LiftName = "pull" if not from_floor or _is_pulled(m, top) else "deadlift"
        return kind, outcome_as(kind, places, top, low_m, ending)
    return _missed(places, top, rise, low_m), "not_caught"


def _is_pulled(m: Motion, top: Top) -> bool:
    """Return whether a bar that stays on straight arms was pulled, not lifted: faster, and stopped sooner.

    A pull is fast until its end and then stops by its own weight; a deadlift slows down from half way on.
    """
    peak_m_s = float(m.up[top.peak])
    share = m.up[top.peak : top.apex + 1] / peak_m_s
    fast = int(np.flatnonzero(share >= STOPPING)[-1])
    stop_s = int(np.sum(share[fast:] > STOPPED)) * STEP_S
    by_speed = np.clip((peak_m_s - PULL_SPEED_M_S[0]) / PULL_SPEED_M_S[1], -4, 4)
    return bool(by_speed + np.clip((PULL_STOP_S[0] - stop_s) / PULL_STOP_S[1], -3, 3) > 0)


def _missed(places: Places, top: Top, rise: float, low_m: float) -> LiftName:
    """Return what was tried: a snatch goes higher and faster, with a wider grip, which brings the shoulders nearer to it."""
    m = places.motion
    score = (rise - MISS_APEX[0]) / MISS_APEX[1] + (float(m.up[top.peak]) - MISS_PEAK_M_S[0]) / MISS_PEAK_M_S[1]
    over = np.array([places.over_shoulders(t) for t in _while_pulled(m, top, low_m)])
    if np.isfinite(over).any():
        score += np.clip((np.nanmedian(over) - MISS_OVER[0]) / MISS_OVER[1], -1, 1)
    return "snatch" if score + _by_grip(places, top, low_m) > 0 else "clean"


def _while_pulled(m: Motion, top: Top, low_m: float) -> list[float]:
    """Return some times at which the bar hangs from straight arms on its way up."""
    lying = np.flatnonzero(m.height[: top.peak + 1] < low_m + LIFTED_M)
    first = lying[-1] if len(lying) else 0
    return [float(t) for t in m.t[np.linspace(first, top.peak, 9).astype(int)[1:6]]]


def _by_grip(places: Places, top: Top, low_m: float) -> float:
    """Return how plainly the hands are as far apart as in a snatch, or -1 times as near as in a clean; 0 from the side."""
    if places.body is None:
        return 0.0
    grip = np.array([places.body.near(places.body.grip_m, t) for t in _while_pulled(places.motion, top, low_m)])
    if not np.isfinite(grip).any():
        return 0.0
    return float(np.clip((np.nanmedian(grip) / places.stature_m - GRIP[0]) / GRIP[1], -SUREST, SUREST))


def outcome_as(kind: LiftName, places: Places, top: Top, low_m: float, ending: Ending) -> Outcome:
    """Return the outcome by the rules of one kind."""
    rise = float(places.motion.height[top.apex] - low_m) / places.stature_m
    if kind == "deadlift":
        return "caught" if rise >= DEADLIFT_RISE else "not_caught"
    return "not_caught" if kind == "pull" else ending.outcome


def _hangs(places: Places, top: Top, rise: float, ending: Ending) -> bool:
    """Return whether a bar that seems caught hangs from the arms below the shoulders."""
    over = places.over_shoulders(_held_s(places, top, ending))
    if rise < LEAST_CLEAN and "recovered" not in ending.times_s:
        return True
    if not np.isfinite(over):
        return rise < PULL_FAMILY_RISE and "recovered" not in ending.times_s
    return bool(over < PULL_CATCH)


def _held_s(places: Places, top: Top, ending: Ending) -> float:
    """Return a moment at which the bar is held: standing, else in the catch, else at its highest."""
    at = ending.times_s
    return at.get("recovered", at.get("catch", float(places.motion.t[top.apex])))


def _is_overhead(places: Places, top: Top, low_m: float, ending: Ending) -> bool:
    """Return whether a caught bar went overhead: by its height standing, else by signs in units of their spread.

    Standing the two differ by 0.4 of stature whatever the estimator makes of hidden shoulders.
    """
    m, h, at = places.motion, places.stature_m, ending.times_s
    if "recovered" in at:
        beyond = (places.bar_m(at["recovered"] + 0.2) - low_m) / h - STANDING_RISE
        if abs(beyond) > STANDING_SURE:
            return bool(beyond > 0)
    signs = [(float(m.height[top.apex] - low_m) / h, APEX_RISE)]
    if "catch" in at:
        over = places.over_shoulders(at["catch"])
        signs += [(over, CATCH_OVER)] if np.isfinite(over) else []
    score = sum(np.clip((value - middle) / spread, -3, 3) for value, (middle, spread) in signs)
    return bool(score + _by_grip(places, top, low_m) > 0)


def hang_or_block(m: Motion, start_s: float) -> str:
    """Return "block" for a bar that was never higher before its lift and lay still, "hang" for one let down to it."""
    before, just = m.t < start_s, (m.t > start_s - LAY_S) & (m.t < start_s - 0.2)
    if not just.any():
        return "hang"
    lay_m = float(np.median(m.height[just]))
    was_higher = float(np.max(m.height[before])) > lay_m + LAY_M
    return "hang" if was_higher or float(np.ptp(m.height[just])) > LAY_M / 2 else "block"


def depth_of_catch(places: Places, ending: Ending) -> str:
    """Return "full" or "power" by the hips against the knees in the catch, "" when hidden or not caught."""
    if places.body is None or "catch" not in ending.times_s:
        return ""
    at, body = ending.times_s["catch"], places.body
    over = (body.near(body.hip_y_m, at) - body.near(body.knee_y_m, at)) / places.stature_m
    return "" if not np.isfinite(over) else "power" if over > POWER_HIPS else "full"


def split_or_power(places: Places, dip_s: float, ending: Ending) -> str:
    """Return "split" or "power" by how far the ankles part in the catch of a jerk, "" when hidden or missed."""
    if places.body is None or "catch" not in ending.times_s:
        return ""
    body, at_s = places.body, ending.times_s["catch"] + 0.05

    def parted(time_s: float) -> tuple[float, float]:
        ahead = abs(body.near(body.left_ankle_x_m, time_s) - body.near(body.right_ankle_x_m, time_s))
        return ahead / places.stature_m, body.near(body.ankle_step_m, time_s) / places.stature_m

    (ahead, step), (ahead_before, step_before) = parted(at_s), parted(dip_s)
    if not np.isfinite(ahead):
        return ""
    return "split" if ahead - ahead_before > SPLIT_APART or step - step_before > SPLIT_STEP else "power"
