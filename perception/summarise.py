"""From a clip to the facts of its lifts: one pass over the frames, then everything else on small arrays."""

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from coach.domain.errors import InputError
from coach.domain.lift import INSTANTS, CameraFacts, Instant, InstantName, Lift, LiftName, PoseFacts, Report
from coach.domain.measures import MEASURES, Measure
from coach.domain.settings import AnalysisSettings
from perception.bar import BarCurve, agreement
from perception.body import place_measures, pull_phases
from perception.clip_checks import safe_name
from perception.force import GRAVITY_M_S2, bar_force, free_fall_gravity
from perception.instants import LiftTimes
from perception.kinematics import measure_angles
from perception.lifts import declined_stretches
from perception.measures import Spread, angle_measures, bar_measures, make_measure, spread_by_noise
from perception.pose import POSES, Floats, PoseTrack
from perception.readings import Context, beginning, read_bar
from perception.scale import Scale
from perception.shot import Shot, look_at_shot
from perception.tracks import BarTrack, Tracks
from perception.video import Clip, clip_facts, open_clip
from perception.watch import OnProgress, Watched, watch_frames

OWN_SD_S: dict[InstantName, float] = {"lift_off": 0.015, "end_first_pull": 0.05, "power_position": 0.05}
"""What an instant leaves open beyond noise: the first millimetres are carried back, knees turn slowly."""
PULLED: tuple[LiftName, ...] = ("snatch", "clean", "pull", "unknown")
ALIKE = 0.8  # correlation of plate and hands going up and down, on the bar it is above 0.9
FAR_APART_M = 0.12  # m, perspective alone puts them up to 0.1 m apart
SLOW_MOTION_M_S2 = (3.0, 11.8)  # m/s2, a fall outside says that scale or time base are wrong; hands may slow it
FALL_FINE_M_S2 = 10.3  # m/s2, above this the scale is doubtful
LARGEST_FALL_SD_M_S2 = 1.5  # m/s2, a fall known less well checks nothing

HOW_TO_FILM = (
    "film from the side at hip height, 5 m away or more, with lifter and whole plate in the picture all the time"
)


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """One clip analysed: the facts for people and the tracks for pictures."""

    clip: Clip
    report: Report
    tracks: Tracks


def analyse_clip(clip_path: Path, settings: AnalysisSettings, on_progress: OnProgress | None = None) -> Analysis:
    """Return everything measured in one clip.

    Args:
        clip_path: The video.
        settings: What the user told; checked here.
        on_progress: Called with the stage ("pose", "bar"), frames done and frames in all.

    Raises:
        InputError: The file cannot be used, or no athlete, bar or lift was found; the message says how to film.
        SetupError: The pose estimator or its weights are missing.
    """
    settings = settings.checked()
    clip = open_clip(clip_path)
    watched = watch_frames(clip, POSES.load(settings.pose), settings, on_progress)
    if on_progress:
        on_progress("bar", 0, 1)
    analysis = measure_watched(clip, watched, settings)
    if on_progress:
        on_progress("bar", 1, 1)
    return analysis


def measure_watched(clip: Clip, watched: Watched, settings: AnalysisSettings, *, use_plate: bool = True) -> Analysis:
    """Return everything measured in a clip whose frames have been watched.

    Args:
        clip: The clip; some of its frames may be read again.
        watched: What was seen in its frames.
        settings: What the user told, checked.
        use_plate: False to do without the plate, as if it were hidden.

    Raises:
        InputError: No athlete, bar or lift was found.
    """
    facts = clip_facts(clip, watched.times_s)
    edges = [0, *watched.cuts, len(watched.times_s)]
    found = (look_at_shot(clip, watched, a, b, settings, use_plate=use_plate) for a, b in pairwise(edges))
    shots = [shot for shot in found if shot is not None]
    _require_lifts(watched, shots, clip.path)
    lifts, warnings = _measure_lifts(watched, shots, settings, facts.frame_rate_hz)
    main = next((s for s in shots if s.lifts), shots[0])
    n_athlete = sum(int(np.isfinite(s.pose.points_px[:, 0, 0]).sum()) for s in shots)
    report = Report(
        clip=facts,
        pose=PoseFacts(
            estimator=watched.estimator, weights_sha256=watched.weights_sha256, n_frames_with_athlete=n_athlete
        ),
        scale=main.scale.facts(),
        camera=CameraFacts(view=main.view, facing=main.facing, is_moving=watched.is_moving, cuts=watched.cuts),
        lifts=tuple(lifts),
        warnings=tuple(
            dict.fromkeys(
                (
                    *watched.warnings,
                    *_clip_warnings(watched, facts.is_variable_rate),
                    *_declined(shots, watched.cuts),
                    *warnings,
                )
            )
        ),
    )
    return Analysis(clip, report, _join_tracks(watched, shots, settings))


def _require_lifts(watched: Watched, shots: list[Shot], clip_path: Path) -> None:
    name, n = safe_name(clip_path, 80), len(watched.times_s)
    if not any(watched.people):
        raise InputError(f"no person found in {name} (0 of {n} frames): {HOW_TO_FILM}")
    if not shots:
        raise InputError(f"nobody stays in the picture of {name} long enough to be measured: {HOW_TO_FILM}")
    if any(s.lifts for s in shots):
        return
    if not any(s.plate.is_found or len(s.curves) for s in shots):
        raise InputError(f"no bar found in {name} (0 of {n} frames): {HOW_TO_FILM}")
    declined = _declined(shots, watched.cuts)
    why = declined[0] if declined else f"nobody lifts a bar in these {n} frames"
    raise InputError(f"no lift found in {name}: {why}; {HOW_TO_FILM}")


def _clip_warnings(watched: Watched, is_variable_rate: bool) -> list[str]:
    out = []
    if is_variable_rate:
        out.append("the frame rate varies; times come from the container")
    if watched.is_moving:
        out.append("the camera moves: paths and distances are less sure, use a tripod")
    if watched.cuts:
        frames = ", ".join(str(c) for c in watched.cuts)
        out.append(f"the clip is cut at frame {frames}: each part was analysed for itself")
    return out


def _declined(shots: list[Shot], cuts: tuple[int, ...]) -> list[str]:
    """Return the reasons why lifts that were under way could not be measured."""
    out: list[str] = []
    last: LiftName | None = None
    for shot in shots:
        cut = shot.start if shot.start in cuts else None
        for i, (_, _, curve) in enumerate(shot.curves):
            lifts = [lift for own, lift in shot.lifts if own is curve]
            spans = declined_stretches(
                curve, shot.body, shot.stature_m, lifts, cut_frame=cut if i == 0 else None, last_kind=last
            )
            out += [reason for _, _, reason in spans]
            last = lifts[-1].kind if lifts else last
    return out


def _measure_lifts(
    watched: Watched, shots: list[Shot], settings: AnalysisSettings, frame_rate_hz: float
) -> tuple[list[Lift], list[str]]:
    lifts: list[Lift] = []
    warnings: list[str] = []
    for shot in shots:
        for curve, found in shot.lifts:
            lift, said = _measure_lift(watched, shot, curve, found, settings, frame_rate_hz, len(lifts) + 1)
            lifts.append(lift)
            warnings.extend(said)
    return lifts, warnings


def _measure_lift(
    watched: Watched,
    shot: Shot,
    curve: BarCurve,
    found: LiftTimes,
    settings: AnalysisSettings,
    frame_rate_hz: float,
    number: int,
) -> tuple[Lift, list[str]]:
    forward = -1.0 if shot.facing == "left" else 1.0
    angles = measure_angles(shot.pose, forward)
    has_phases = shot.view == "side" and found.kind in PULLED and "lift_off" in found.times_s
    lift = replace(found, times_s=found.times_s | pull_phases(angles, found.times_s)) if has_phases else found
    fall = _free_fall(shot, lift)
    scale = _widen_by_fall(shot.scale, fall)
    context = Context(scale, shot.view, shot.stature_m, settings.bar_mass_kg, frame_rate_hz)
    readings = read_bar(curve, lift, context)
    spread = spread_by_noise(shot.samples, curve, lift, context)
    alike, apart = _agreement(shot, lift)
    measures, reasons = bar_measures(readings, spread, context, shot.samples.source, watched.times_s)
    moving = watched.is_moving
    for more, less in (
        angle_measures(angles, lift, context, watched.times_s),
        place_measures(
            shot.pose, shot.hands_px, lift, context, forward, is_moving=moving, hands_agree=not apart > FAR_APART_M
        ),
    ):
        measures |= more
        reasons |= less
    warnings = _judge_agreement(alike, apart)
    if fall is not None:
        measures["free_fall_gravity_m_s2"] = make_measure(
            "free_fall_gravity_m_s2", fall[0], {"scale": fall[1]}, "plate", None, watched.times_s
        )
        warnings += _judge_fall(*fall)
    if lift.note:
        warnings.append(f"lift {number}: {lift.note}")
    return (
        Lift(
            lift=lift.kind,
            number=number,
            outcome=lift.outcome,
            instants=_instants(lift, spread, watched.times_s, frame_rate_hz),
            measures={name: m for name, m in measures.items() if MEASURES[name].belongs_to(lift.kind)},
            not_measured=_complete_reasons(measures, reasons, lift, settings),
        ),
        warnings,
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
    sd = float(np.hypot(max(1.3 * error, 0.2), shot.scale.bar_relative_sd * value))
    return (value, sd) if sd < LARGEST_FALL_SD_M_S2 else None


def _widen_by_fall(scale: Scale, fall: tuple[float, float] | None) -> Scale:
    """Return a less sure scale when the bar seems to fall faster than things fall; hands can only slow it."""
    if fall is None or fall[0] <= FALL_FINE_M_S2:
        return scale
    excess = fall[0] / GRAVITY_M_S2 - 1
    return replace(scale, bar_relative_sd=float(np.hypot(scale.bar_relative_sd, 0.5 * excess)))


def _judge_fall(value: float, sd: float) -> list[str]:
    if value - 2 * sd > SLOW_MOTION_M_S2[1] or value + 2 * sd < SLOW_MOTION_M_S2[0]:
        return [
            f"the dropped bar falls with {value:.1f} m/s² instead of 9.8: frame rate or plate size is wrong; "
            "give the true recording rate with --fps or the plate with --plate-diameter"
        ]
    if value > FALL_FINE_M_S2:
        return [f"the dropped bar seems to fall with {value:.1f} m/s² instead of 9.8: intervals were widened"]
    return []


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
    if name == "ground_force_peak_n":
        return "needs the whole body in 3D, which this version does not measure"
    if "lift_off" not in lift.times_s and ("first_pull" in name or "off_floor" in name):
        return "the bar did not start from the floor"
    if "transition" in name or "first_pull" in name or "second_pull" in name:
        return "no clear transition between first and second pull was seen"
    if "catch" not in lift.times_s:
        return "the lift was not caught"
    return "not seen in this clip"


def _join_tracks(watched: Watched, shots: list[Shot], settings: AnalysisSettings) -> Tracks:
    """Return pose and bar of all shots on the frames of the clip."""
    n = len(watched.times_s)
    k = shots[0].pose.points_px.shape[1]
    points, world, visibility = np.full((n, k, 2), np.nan), np.full((n, k, 3), np.nan), np.zeros((n, k))
    plate, hands = np.full((n, 2), np.nan), np.full((n, 2), np.nan)
    flat = {name: np.full(n, np.nan) for name in ("radius", "x", "y", "vx", "vy", "force")}
    confidence = np.zeros(n)
    for shot in shots:
        part = slice(shot.start, shot.stop)
        points[part], world[part], visibility[part] = shot.pose.points_px, shot.pose.world_m, shot.pose.visibility
        plate[part], hands[part] = shot.plate.centre_px, shot.hands_px
        confidence[part] = shot.plate.confidence
        flat["radius"][part] = np.where(np.isfinite(shot.plate.centre_px[:, 0]), shot.plate.radius_px, np.nan)
        if shot.scale.is_known:
            _fill_metric(flat, shot, settings.bar_mass_kg)
    main = next((s for s in shots if s.lifts), shots[0])
    bar = BarTrack(
        times_s=watched.times_s.copy(),
        plate_px=plate,
        plate_radius_px=flat["radius"],
        plate_confidence=confidence,
        hands_px=hands,
        x_m=flat["x"],
        y_m=flat["y"],
        velocity_x_m_s=flat["vx"],
        velocity_y_m_s=flat["vy"],
        force_n=flat["force"],
        source=main.samples.source,
    )
    return Tracks(PoseTrack(watched.times_s.copy(), points, world, visibility), bar)


def _fill_metric(flat: dict[str, Floats], shot: Shot, mass_kg: float | None) -> None:
    """Write the smooth bar of one shot in place; origin is the first lift-off of the shot."""
    times = shot.samples.times_s
    if shot.lifts:
        curve, lift = shot.lifts[0]
        x0, y0 = float(curve.x.value(np.array([beginning(lift)]))[0]), lift.rest_m
    else:
        x0, y0 = float(np.nanmedian(shot.samples.x_m)), float(np.nanmin(shot.samples.y_m))
    for a, b, curve in shot.curves:
        part, t = slice(shot.start + a, shot.start + b), times[a:b]
        flat["x"][part], flat["y"][part] = curve.x.value(t) - x0, curve.y.value(t) - y0
        flat["vx"][part], flat["vy"][part] = curve.x.rate(t), curve.y.rate(t)
        if mass_kg is not None and shot.samples.source == "plate":
            flat["force"][part] = bar_force(curve, t, mass_kg)
