"""What the body adds to a lift: phases of the pull by the knee, places over the feet."""

from collections.abc import Mapping

import numpy as np

from coach.domain.lift import InstantName
from coach.domain.measures import Limit, Measure
from perception.instants import LiftTimes
from perception.kinematics import Angles
from perception.measures import make_measure
from perception.pose import Floats, PoseTrack
from perception.readings import Context

KNEE_REBEND_DEG = 4.0  # deg, a smaller re-bend is within the jitter of the keypoints
FOOT_SD_M = 0.065  # m, mid-foot from heel and toe keypoints, and the hands against the bar; from simulated lifts
WRISTS_SD_M = 0.03  # m, one wrist against the other from in front or behind; simulated lifts have 0.02


def pull_phases(angles: Angles, times: Mapping[InstantName, float]) -> dict[InstantName, float]:
    """Return the end of the first pull and the power position: the knee's first maximum and the minimum after it.

    Both are absent when the knee does not re-bend by more than the keypoints jitter.

    Source: Musser et al. 2014, J Strength Cond Res 28:1636-1648 (phases by the knee angle).
    """
    inside = (
        (angles.times_s >= times["lift_off"])
        & (angles.times_s <= times["peak_velocity"])
        & np.isfinite(angles.knee_deg)
    )
    t, knee = angles.times_s[inside], angles.knee_deg[inside]
    best: tuple[float, int, int] | None = None
    for i in range(1, len(knee) - 1):
        if knee[i] >= knee[i - 1] and knee[i] >= knee[i + 1]:
            low = i + int(np.argmin(knee[i:]))
            rebend = float(knee[i] - knee[low])
            if low < len(knee) - 1 and rebend > KNEE_REBEND_DEG and (best is None or rebend > best[0]):
                best = (rebend, i, low)
    if best is None:
        return {}
    return {"end_first_pull": float(t[best[1]]), "power_position": float(t[best[2]])}


def place_measures(
    track: PoseTrack,
    hands_px: Floats,
    lift: LiftTimes,
    context: Context,
    forward: float,
    *,
    hands_agree: bool,
) -> tuple[dict[str, Measure], dict[str, str]]:
    """Return where the feet are under the bar, how they moved, and whether the wrists are level.

    The hands stand for the bar here: they are in the athlete's own plane, the near plate is not.
    """
    measures: dict[str, Measure] = {}
    reasons: dict[str, str] = {}
    at = lift.times_s
    for name in ("bar_to_foot_catch_m", "foot_jump_m", "left_right_wrist_height_m"):
        reason = _why_no_place(name, context, at)
        if reason is None and name == "bar_to_foot_catch_m" and not hands_agree:
            reason = "the hands were hidden and do not agree with the plate"
        if reason is not None:
            reasons[name] = reason
            continue
        value = _place(name, track, hands_px, at, forward) * context.scale.body_m_per_px
        if not np.isfinite(value):
            reasons[name] = "the feet or the hands were hidden"
            continue
        pose_sd = WRISTS_SD_M if name == "left_right_wrist_height_m" else FOOT_SD_M
        errors: dict[Limit, float] = {"pose": pose_sd, "scale": context.scale.body_relative_sd * abs(float(value))}
        measures[name] = make_measure(name, float(value), errors, "body", at["catch"], track.times_s)
    return measures, reasons


def _why_no_place(name: str, context: Context, at: Mapping[InstantName, float]) -> str | None:
    reason = context.why_not(name)
    if reason is not None:
        return reason
    if "catch" not in at:
        return "the lift was not caught"
    if not context.scale.is_known:
        return "no scale: neither a plate seen from the side nor the athlete's height (--height) was there"
    return None


def _place(name: str, track: PoseTrack, hands_px: Floats, at: Mapping[InstantName, float], forward: float) -> float:
    def around(z: Floats, time_s: float) -> float:
        near = (np.abs(track.times_s - time_s) <= 0.08) & np.isfinite(z)
        return float(np.median(z[near])) if near.any() else float("nan")

    parts = [track.point_px(f"{side}_{part}")[:, 0] for side in ("left", "right") for part in ("heel", "toe")]
    foot = np.mean(parts, axis=0)
    if name == "bar_to_foot_catch_m":
        return forward * (around(hands_px[:, 0], at["catch"]) - around(foot, at["catch"]))
    if name == "foot_jump_m":
        return forward * (around(foot, at["catch"]) - around(foot, min(at.values())))
    left, right = (track.point_px(f"{side}_wrist")[:, 1] for side in ("left", "right"))
    return around(left - right, at["catch"])
