"""One lift of a shot measured: instants, measures with intervals, and a reason for every measure that is absent."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from coach.domain.lift import INSTANTS, Instant, InstantName, Lift, LiftName
from coach.domain.measures import MEASURES, Limit, Measure
from coach.domain.settings import AnalysisSettings
from perception.bar import BarCurve, agreement
from perception.body import place_measures, pull_phases
from perception.force import GRAVITY_M_S2, free_fall_gravity
from perception.front import bar_tilt_at
from perception.ground_force import forces_on_floor
from perception.hip_trend import HipTrend, hip_trend
from perception.instants import LiftTimes
from perception.kinematics import measure_angles
from perception.measures import Spread, angle_measures, bar_measures, make_measure, spread_by_noise
from perception.pose import Floats
from perception.readings import Context, beginning, read_bar
from perception.sagittal import SideView
from perception.scale import Scale
from perception.shot import Shot
from perception.timebase import FALL_FINE_M_S2, PullTimes, TimeBase, bounce_gravity, check_time_base

OWN_SD_S: dict[InstantName, float] = {
    "start": 0.012,
    "peak_velocity": 0.012,
    "lift_off": 0.015,
    "end_first_pull": 0.05,
    "power_position": 0.05,
}
"""What an instant leaves open beyond noise: the first millimetres are carried back, the plates swing after the bar's
middle when it is fastest, knees turn slowly. Read off simulated lifts."""
PULLED: tuple[LiftName, ...] = ("snatch", "clean", "pull", "unknown")
UNHURRIED: tuple[LiftName, ...] = ("squat", "deadlift", "pull")  # that may be slow, or stopped by the arms
ALIKE = 0.8  # correlation of plate and hands going up and down, on the bar it is above 0.9
OVER_THE_START = (
    "bar_max_height_m",
    "bar_catch_height_m",
    "bar_rise_m",
    "bar_mean_velocity_m_s",
    "time_start_to_peak_s",
)
FAR_APART_M = 0.12  # m, perspective alone puts them up to 0.1 m apart
TOLD_HEIGHT_SD_M = 0.01  # m, people tell their height to the nearest centimetre or two
Z90 = 1.645  # half width of a 90 % interval in SD
LARGEST_FALL_SD_M_S2 = 1.5  # m/s2, a fall known less well checks nothing
COMES_NEARER = 0.10  # of gravity, SD: a bar falls 0.3 to 0.6 m before the lifter, seen from there nearer and larger


def measure_lift(
    shot: Shot,
    curve: BarCurve,
    found: LiftTimes,
    times_s: Floats,
    settings: AnalysisSettings,
    frame_rate_hz: float,
    number: int,
    *,
    clock: TimeBase,
    spoiled: str | None,
) -> tuple[Lift, list[str], HipTrend | str]:
    """Return the facts of one lift, what must be said about how they were found, and how the moment at its hip goes.

    Args:
        shot: Where it was found.
        curve: The stretch of the bar it is on.
        found: Its instants.
        times_s: Of all frames of the clip.
        settings: What the user told.
        frame_rate_hz: Of the clip.
        number: Of the lift, from 1.
        clock: What the clip's clock is worth.
        spoiled: Why places in the picture mean nothing during this lift; None where they hold.
    """
    angles = measure_angles(shot.pose, shot.forward)
    has_phases = shot.look.view == "side" and found.kind in PULLED and "lift_off" in found.times_s
    lift = replace(found, times_s=found.times_s | pull_phases(angles, found.times_s)) if has_phases else found
    fall = _free_fall(shot, lift)
    plain_fall = fall if shot.look.view == "side" else None
    context = Context(
        _widen_by_fall(shot.scale, plain_fall),
        shot.look,
        shot.stature_m,
        settings.bar_mass_kg,
        frame_rate_hz,
        roll_sd_deg=shot.roll.sd_deg,
        spoiled=spoiled,
        clock=clock,
    )
    spread = spread_by_noise(shot.samples, curve, lift, context)
    alike, apart = _agreement(shot, lift)
    measures, reasons = bar_measures(read_bar(curve, lift, context), spread, context, shot.samples.source, times_s)
    for more, less in (
        angle_measures(angles, lift, context, times_s),
        _tilt(shot, lift, context, times_s),
        place_measures(shot.pose, shot.hands_px, lift, context, shot.forward, hands_agree=not apart > FAR_APART_M),
    ):
        measures |= more
        reasons |= less
    view = SideView(context.scale, shot.forward, shot.centre_px, settings.plate_diameter_m / 2, shot.stature_m)
    floor = forces_on_floor(
        shot.pose, shot.plate, shot.samples, curve, lift, view, context, settings.body_mass_kg, times_s
    )
    measures |= floor.measures
    reasons |= floor.reasons
    if fall is not None:
        measures["free_fall_gravity_m_s2"] = make_measure(
            "free_fall_gravity_m_s2", fall[0], {"scale": fall[1]}, "plate", None, times_s, context.view
        )
    more, less = dip_share(measures, reasons, settings.height_m)
    measures, reasons = measures | more, reasons | less
    measures = {name: m for name, m in measures.items() if MEASURES[name].belongs_to(lift.kind)}
    return (
        Lift(
            lift=lift.kind,
            number=number,
            outcome=lift.outcome,
            instants=_instants(lift, spread, times_s, frame_rate_hz),
            measures=measures,
            not_measured=_complete_reasons(measures, reasons, lift, settings),
        ),
        [
            *_judge_agreement(alike, apart),
            *_judge_fall(plain_fall),
            *([f"lift {number}: {lift.note}"] if lift.note else []),
        ],
        hip_trend(floor),
    )


def dip_share(
    measures: Mapping[str, Measure], reasons: Mapping[str, str], height_m: float | None
) -> tuple[dict[str, Measure], dict[str, str]]:
    """Return the depth of the dip over the athlete's height; only over one that was told, never over a guess."""
    name, depth = "dip_depth_stature_ratio", measures.get("dip_depth_m")
    if depth is None:
        return {}, {name: reasons["dip_depth_m"]} if "dip_depth_m" in reasons else {}
    if height_m is None:
        return {}, {name: "the height of the athlete was not told (--height)"}
    share = depth.value / height_m
    sd = float(np.hypot(depth.sd / height_m, TOLD_HEIGHT_SD_M / height_m * share))
    reach = Z90 * sd
    told = {"value": share, "unit": "1", "low": share - reach, "high": share + reach}
    return {name: depth.model_copy(update=told)}, {}


def _tilt(shot: Shot, lift: LiftTimes, context: Context, times_s: Floats) -> tuple[dict[str, Measure], dict[str, str]]:
    """Return how the bar tilts at the catch, lifter's right end higher (+): seen from the front it is at the left."""
    name = "bar_tilt_catch_deg"
    reason = context.why_not(name)
    if reason is None and "catch" in lift.times_s:
        seen = bar_tilt_at(shot.line, lift.times_s["catch"])
        if seen is not None:
            sign = -1.0 if shot.look.view == "front" else 1.0
            errors: dict[Limit, float] = {"noise": seen[1], "camera": shot.roll.sd_deg}
            at_s = lift.times_s["catch"]
            return {name: make_measure(name, sign * seen[0], errors, "plate", at_s, times_s, context.view)}, {}
        reason = "the ends of the bar were not both seen at the catch"
    return {}, {name: reason or "the lift was not caught"}


def check_clock(shot: Shot, settings: AnalysisSettings) -> TimeBase:
    """Return what the clip's clock is worth, by everything in a shot that gravity or a lifter's strength governs."""
    pulls = [pull_times(lift, curve) for curve, lift in shot.lifts]
    after_s = max((lift.times_s["max_height"] for _, lift in shot.lifts), default=0.0)
    relative_sd = shot.scale.bar_relative_sd if shot.scale.is_known else shot.work_scale.bar_relative_sd
    fall, bounces = None, []
    if shot.samples.source == "plate":
        fall = free_fall_gravity(shot.samples.times_s, shot.samples.y_m, after_s)
        bounces = bounce_gravity(shot.samples.times_s, shot.samples.y_m, after_s)
    return check_time_base(pulls, fall, bounces, relative_sd, settings.frame_rate_hz)


def pull_times(lift: LiftTimes, curve: BarCurve) -> PullTimes:
    """Return what the clock is judged by in one lift."""
    at = lift.times_s
    peak = float(curve.y.rate(np.array([at["peak_velocity"]]))[0])
    has_rest = lift.has_rest and lift.kind != "jerk"
    return PullTimes(
        at.get("lift_off") if has_rest else None,
        at["peak_velocity"],
        at["max_height"],
        peak,
        is_explosive=lift.kind not in UNHURRIED,
    )


def _agreement(shot: Shot, lift: LiftTimes) -> tuple[float, float]:
    """Return how plate and hands agree during this lift; NaN when the hands are the bar."""
    if shot.samples.source != "plate":
        return float("nan"), float("nan")
    start, end = beginning(lift) - 0.3, lift.times_s.get("catch", lift.times_s["max_height"])
    return agreement(shot.pose.times_s, shot.plate, shot.hands_px, start, end, shot.work_scale.bar_m_per_px)


def _judge_agreement(alike: float, apart: float) -> list[str]:
    if alike < ALIKE:
        return ["plate and hands do not move alike: the disc that was followed may not be on this bar"]
    if apart > FAR_APART_M:
        return [
            f"hands and plate were found {100 * apart:.0f} cm apart, because the plate hides the hands: "
            "the bar is taken from the plate, places of the body are less sure"
        ]
    return []


def _free_fall(shot: Shot, lift: LiftTimes) -> tuple[float, float] | None:
    """Return the acceleration of the bar when it is dropped afterwards, and its SD, in m/s2."""
    if not shot.scale.is_known or shot.samples.source != "plate":
        return None
    fall = free_fall_gravity(shot.samples.times_s, shot.samples.y_m, lift.times_s["max_height"])
    if fall is None:
        return None
    value, error = fall
    nearer = 0.0 if shot.look.view == "side" else COMES_NEARER
    sd = float(np.linalg.norm([max(1.3 * error, 0.2), shot.scale.bar_relative_sd * value, nearer * value]))
    return (value, sd) if sd < LARGEST_FALL_SD_M_S2 else None


def _widen_by_fall(scale: Scale, fall: tuple[float, float] | None) -> Scale:
    """Return a less sure scale when the bar seems to fall faster than things fall; hands can only slow it."""
    if fall is None or fall[0] <= FALL_FINE_M_S2[1]:
        return scale
    excess = fall[0] / GRAVITY_M_S2 - 1
    return replace(scale, bar_relative_sd=float(np.hypot(scale.bar_relative_sd, 0.5 * excess)))


def _judge_fall(fall: tuple[float, float] | None) -> list[str]:
    if fall is None or fall[0] <= FALL_FINE_M_S2[1]:
        return []
    return [f"the dropped bar seems to fall with {fall[0]:.1f} m/s² instead of 9.8: intervals were widened"]


def _instants(
    lift: LiftTimes, spread: Spread, times_s: Floats, frame_rate_hz: float
) -> dict[InstantName, Instant | None]:
    out: dict[InstantName, Instant | None] = dict.fromkeys(INSTANTS)
    for name in INSTANTS:
        if name in lift.times_s:
            time_s = lift.times_s[name]
            own = OWN_SD_S.get(name, 0.0)
            sd = float(np.linalg.norm([spread.instant_sd_s.get(name, 0.02), own, 0.29 / frame_rate_hz]))
            out[name] = Instant(frame=int(np.argmin(np.abs(times_s - time_s))), time_s=time_s, sd_s=sd)
    return out


def _complete_reasons(
    measures: dict[str, Measure], reasons: dict[str, str], lift: LiftTimes, settings: AnalysisSettings
) -> dict[str, str]:
    """Return a reason for every measure of this kind of lift that is absent."""
    out: dict[str, str] = {}
    for name, info in MEASURES.items():
        if name not in measures and info.belongs_to(lift.kind):
            out[name] = reasons.get(name) or _usual_reason(name, lift, settings)
    return out


def _usual_reason(name: str, lift: LiftTimes, settings: AnalysisSettings) -> str:
    """Return why a measure could not even be read."""
    if name == "elbow_bend_pull_deg":
        return "from the side a wide grip hides how far the arms bend, and one camera cannot tell"
    if name == "free_fall_gravity_m_s2":
        return "the bar was not dropped freely in view"
    if MEASURES[name].unit in ("N", "N s", "J", "W") and settings.bar_mass_kg is None:
        return "the mass of the bar was not told (--bar-mass)"
    if "start" not in lift.times_s and (name in OVER_THE_START or MEASURES[name].unit in ("N", "N s", "J", "W")):
        return "the bar was already going up when it was first seen"
    if "lift_off" not in lift.times_s and ("first_pull" in name or "off_floor" in name):
        return "the bar did not start from the floor"
    if "transition" in name or "first_pull" in name or "second_pull" in name:
        return "no clear transition between first and second pull was seen"
    if "catch" not in lift.times_s:
        return "the lift was not caught"
    return "not seen in this clip"
