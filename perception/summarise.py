"""From a clip to the facts of its lifts: one pass over the frames, then everything else on small arrays."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from coach.domain.errors import InputError
from coach.domain.lift import INSTANTS, CameraFacts, Facing, Instant, InstantName, Lift, PoseFacts, Report, View
from coach.domain.measures import MEASURES, Measure
from coach.domain.settings import AnalysisSettings
from perception.athlete import choose_athlete, hands_midpoint_px, stature_px
from perception.bar import PLATE_CUTOFF_HZ, BarCurve, BarSamples, agreement, fit_curve, sample_bar, stretches
from perception.body import judge_kind, place_measures, pull_phases, starts_at_the_floor
from perception.camera import FrameWatch, estimate_facing, estimate_view
from perception.clip_checks import safe_name
from perception.discs import PLATE_SHARE_OF_STATURE, Discs, DiscWatch, find_disc, join_discs, no_discs
from perception.force import GRAVITY_M_S2, bar_force, free_fall_gravity
from perception.instants import LiftTimes, find_lifts
from perception.kinematics import measure_angles
from perception.marker_clip import find_marker_file, open_markers, plate_of, scale_of
from perception.marker_pose import MarkerPose
from perception.measures import Context, Spread, angle_measures, bar_measures, make_measure, read_bar, spread_by_noise
from perception.plate import PlateTrack, moving_disc, track_plate
from perception.pose import POSES, Floats, Image, Person, PoseEstimator, PoseTrack
from perception.scale import DEFAULT_STATURE_M, Scale, find_scale
from perception.smoothing import runs
from perception.tracks import BarTrack, Tracks
from perception.video import Clip, clip_facts, open_clip, read_frames

OnProgress = Callable[[str, int, int], None]
MIN_PLATE_SHARE = 0.4  # of frames of a lift: below this the hands are the better track
MIN_ATHLETE_FRAMES = 10
OWN_SD_S: dict[InstantName, float] = {"lift_off": 0.015, "end_first_pull": 0.05, "power_position": 0.05}
"""What an instant leaves open beyond noise: the first millimetres are carried back, knees turn slowly."""
LOOK_BACK_S = 2.5  # s before the plate was first seen
AFTER_S = 1.0  # s after its highest place, where nothing is measured any more
SHORTEST_RUN = 3  # frames; a shorter gap is bridged
WORTH_READING = 6  # frames in all; fewer are not worth a second pass
SURE_RIM = 0.45  # share of the rim seen above which a frame is not looked at again
ROUND = -0.06  # flattening of a disc turned by 20 degrees
ALIKE = 0.8  # correlation of plate and hands going up and down, on the bar it is above 0.9
FAR_APART_M = 0.12  # m, perspective alone puts them up to 0.1 m apart
MOST_FRAMES_WAITING = 3  # frames held for the discs, so that memory stays constant
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


@dataclass(frozen=True, slots=True, eq=False)
class _Watched:
    """What one pass over the frames leaves."""

    times_s: Floats
    people: list[list[Person]]
    discs: list[Discs]
    cuts: tuple[int, ...]
    is_moving: bool
    image_centre_px: tuple[float, float]
    warnings: tuple[str, ...]
    markers: MarkerPose | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """One stretch between cuts: frames [start, stop) and what was found in them."""

    start: int
    stop: int
    pose: PoseTrack
    hands_px: Floats
    plate: PlateTrack
    view: View
    facing: Facing
    scale: Scale
    work_scale: Scale
    samples: BarSamples
    curves: list[tuple[int, int, BarCurve]]
    lifts: list[tuple[BarCurve, LiftTimes]]
    stature_m: float


def analyse_clip(clip_path: Path, settings: AnalysisSettings, on_progress: OnProgress | None = None) -> Analysis:
    """Return everything measured in one clip.

    Args:
        clip_path: The video, or a file of markers (`.trc`, `.c3d`).
        settings: What the user told; checked here.
        on_progress: Called with the stage ("pose", "bar"), frames done and frames in all.

    Raises:
        InputError: The file cannot be used, or no athlete, bar or lift was found; the message says how to film.
        SetupError: The pose estimator or its weights are missing.
    """
    settings = settings.checked()
    clip, watched, estimator, weights_sha256 = _watch_anything(clip_path, settings, on_progress)
    facts = clip_facts(clip, watched.times_s)
    edges = [0, *watched.cuts, len(watched.times_s)]
    scenes = [scene for a, b in pairwise(edges) if (scene := _look_at_scene(clip, watched, a, b, settings)) is not None]
    _require_lifts(watched, scenes, clip_path)
    if on_progress:
        on_progress("bar", 0, 1)
    lifts, warnings = _measure_lifts(watched, scenes, settings, facts.frame_rate_hz)
    main = next((s for s in scenes if s.lifts), scenes[0])
    n_athlete = sum(int(np.isfinite(s.pose.points_px[:, 0, 0]).sum()) for s in scenes)
    report = Report(
        clip=facts,
        pose=PoseFacts(estimator=estimator, weights_sha256=weights_sha256, n_frames_with_athlete=n_athlete),
        scale=main.scale.facts(),
        camera=CameraFacts(view=main.view, facing=main.facing, is_moving=watched.is_moving, cuts=watched.cuts),
        lifts=tuple(lifts),
        warnings=tuple(dict.fromkeys((*watched.warnings, *_clip_warnings(watched, facts.is_variable_rate), *warnings))),
    )
    if on_progress:
        on_progress("bar", 1, 1)
    return Analysis(clip, report, _join_tracks(watched, scenes, settings))


def _watch_anything(
    clip_path: Path, settings: AnalysisSettings, on_progress: OnProgress | None
) -> tuple[Clip, _Watched, str, str]:
    """Return clip, what was seen in it, and name and hash of what saw it: an estimator, or a file of markers."""
    if (told := open_markers(clip_path, settings)) is not None:
        clip, times = told.clip, told.markers.pose.times_s
        discs, middle = [no_discs()] * len(times), ((clip.width_px - 1) / 2, (clip.height_px - 1) / 2)
        watched = _Watched(times, told.people, discs, (), False, middle, told.warnings, told.markers)
        return clip, watched, "trc", clip.sha256
    clip, markers = open_clip(clip_path), find_marker_file(clip_path, settings)
    options = {"markers": markers, "rate_hz": clip.header_frame_rate_hz or None} if settings.pose == "trc" else {}
    estimator = POSES.load(settings.pose, **options)
    return clip, _watch(clip, estimator, settings, on_progress), estimator.name, estimator.weights_sha256


def _watch(
    clip: Clip, estimator: PoseEstimator, settings: AnalysisSettings, on_progress: OnProgress | None
) -> _Watched:
    """Read every frame once: people, discs about their hands, cuts, camera motion."""
    watch, discs_watch = FrameWatch(), DiscWatch()
    reader = read_frames(clip)
    times: list[float] = []
    people: list[list[Person]] = []
    discs: list[Future[Discs]] = []
    with ThreadPoolExecutor(1) as beside:  # discs of one frame are found while the pose of the next is estimated
        for frame in reader:
            is_cut = watch.observe(frame.image, frame.time_s)
            if is_cut:
                estimator.reset()
            found = estimator.estimate(frame.image)
            people.append(found)
            discs.append(beside.submit(_find_discs, discs_watch, frame.image, found, is_cut))
            times.append(frame.time_s)
            if len(discs) > MOST_FRAMES_WAITING:
                discs[-MOST_FRAMES_WAITING].result()
            if on_progress:
                on_progress("pose", len(times), max(clip.header_n_frames, len(times)))
    seconds = np.array(times)
    if settings.frame_rate_hz is not None:
        seconds = np.arange(len(times)) / settings.frame_rate_hz
    return _Watched(
        times_s=seconds,
        people=people,
        discs=[d.result() for d in discs],
        cuts=tuple(watch.cuts),
        is_moving=watch.is_moving,
        image_centre_px=((clip.width_px - 1) / 2, (clip.height_px - 1) / 2),
        warnings=reader.warnings,
    )


def _find_discs(watch: DiscWatch, image_rgb: Image, people: list[Person], is_cut: bool) -> Discs:
    if is_cut:
        watch.reset()
    return watch.observe(image_rgb, people)


def _look_at_scene(clip: Clip, watched: _Watched, start: int, stop: int, settings: AnalysisSettings) -> _Scene | None:
    """Find athlete, camera view, plate, scale and lifts between two cuts; None without an athlete."""
    times = watched.times_s[start:stop]
    discs = watched.discs[start:stop]
    people = watched.people[start:stop]
    several = len({person.person_id for frame in people for person in frame}) > 1
    pose = choose_athlete(times, people, moving_disc(times, discs) if several else None)
    if np.isfinite(pose.points_px[:, 0, 0]).sum() < MIN_ATHLETE_FRAMES:
        return None
    hands = hands_midpoint_px(pose.points_px, pose.visibility)
    view = estimate_view(pose)
    facing = estimate_facing(pose, view)
    size = stature_px(pose)
    middle, expected = watched.image_centre_px, PLATE_SHARE_OF_STATURE * size
    markers = watched.markers
    plate = track_plate(times, discs, hands, expected, middle)
    if markers is not None:
        plate = plate_of(markers, settings.plate_diameter_m)
    elif settings.frame_rate_hz is None and (again := _look_again(clip, times, discs, plate)) is not None:
        plate = track_plate(times, again, hands, expected, middle, plate.radius_px)
    if view in ("oblique", "unknown") and _shows_its_face(plate):
        view = "side"
        facing = estimate_facing(pose, view)
    scale = find_scale(plate, size, settings, view) if markers is None else scale_of(markers)
    work = scale if scale.is_known else _guess_scale(size)
    stature = settings.height_m or float(np.clip(size * work.body_m_per_px, 1.4, 2.1))
    forward = -1.0 if facing == "left" else 1.0
    samples = sample_bar(
        times, plate, hands, work, forward, use_plate=scale.method in ("plate", "given") and _plate_is_better(plate)
    )
    if markers is not None:
        samples = replace(samples, cutoff_hz=PLATE_CUTOFF_HZ)  # hands with markers are as steady as a disc
    curves = [(a, b, fit_curve(samples, a, b)) for a, b in stretches(samples)]
    bar_px = plate.centre_px if samples.source == "plate" else hands
    lifts = [
        (curve, lift)
        for _, _, curve in curves
        for lift in find_lifts(curve.y, curve.x, stature)
        if starts_at_the_floor(pose, bar_px, lift.times_s["lift_off"], work.bar_m_per_px, stature)
    ]
    return _Scene(start, stop, pose, hands, plate, view, facing, scale, work, samples, curves, lifts, stature)


def _look_again(clip: Clip, times_s: Floats, discs: list[Discs], plate: PlateTrack) -> list[Discs] | None:
    """Read frames anew that show the plate badly, now that its radius is known; None if there are none.

    A lifter who crouches behind the plate is often found only after the bar has left the floor, and a ring inside the
    disc may have been taken for its rim.
    """
    unsure = plate.confidence < SURE_RIM
    seen = np.flatnonzero(np.isfinite(plate.centre_px[:, 0]) & ~unsure)
    if not len(seen):
        return None
    apex = seen[np.argmin(plate.centre_px[seen, 1])]
    soon = (times_s >= times_s[seen[0]] - LOOK_BACK_S) & (times_s <= times_s[apex] + AFTER_S)
    unsure &= soon
    wanted = [i for a, b in runs(unsure) if b - a >= SHORTEST_RUN for i in range(a, b)]
    if len(wanted) < WORTH_READING:
        return None
    out = list(discs)
    for frame in read_frames(clip, start_s=float(times_s[wanted[0]]), end_s=float(times_s[wanted[-1]])):
        i = int(np.argmin(np.abs(times_s - frame.time_s)))
        if unsure[i]:
            near = plate.centre_px[seen[np.argmin(np.abs(seen - i))]]
            out[i] = join_discs(out[i], find_disc(frame.image, near, plate.radius_px))
    return out


def _guess_scale(size_px: float) -> Scale:
    """Return a scale good enough to find instants with, but not to say a length."""
    guess = DEFAULT_STATURE_M / size_px
    return Scale(guess, 0.1, guess, 0.1, "none")


def _shows_its_face(plate: PlateTrack) -> bool:
    """Return whether the disc is round, so the camera looks along the bar: surer than limbs that hide each other."""
    return _plate_is_better(plate) and plate.flattening > ROUND


def _plate_is_better(plate: PlateTrack) -> bool:
    return bool(plate.is_found and np.mean(np.isfinite(plate.centre_px[:, 0])) >= MIN_PLATE_SHARE)


def _require_lifts(watched: _Watched, scenes: list[_Scene], clip_path: Path) -> None:
    name, n = safe_name(clip_path, 80), len(watched.times_s)
    if not any(watched.people):
        raise InputError(f"no person found in {name} (0 of {n} frames): {HOW_TO_FILM}")
    if not scenes:
        raise InputError(f"nobody stays in the picture of {name} long enough to be measured: {HOW_TO_FILM}")
    if any(s.lifts for s in scenes):
        return
    if not any(s.plate.is_found or len(s.curves) for s in scenes):
        raise InputError(f"no bar found in {name} (0 of {n} frames): {HOW_TO_FILM}")
    raise InputError(f"no lift found in {name}: nobody pulls a bar from the floor in these {n} frames; {HOW_TO_FILM}")


def _clip_warnings(watched: _Watched, is_variable_rate: bool) -> list[str]:
    out = []
    if is_variable_rate:
        out.append("the frame rate varies; times come from the container")
    if watched.is_moving:
        out.append("the camera moves: paths and distances are less sure, use a tripod")
    if watched.cuts:
        frames = ", ".join(str(c) for c in watched.cuts)
        out.append(f"the clip is cut at frame {frames}: each part was analysed for itself")
    return out


def _measure_lifts(
    watched: _Watched, scenes: list[_Scene], settings: AnalysisSettings, frame_rate_hz: float
) -> tuple[list[Lift], list[str]]:
    lifts: list[Lift] = []
    warnings: list[str] = []
    for scene in scenes:
        for curve, found in scene.lifts:
            lift, said = _measure_lift(watched, scene, curve, found, settings, frame_rate_hz, len(lifts) + 1)
            lifts.append(lift)
            warnings.extend(said)
    return lifts, warnings


def _measure_lift(
    watched: _Watched,
    scene: _Scene,
    curve: BarCurve,
    found: LiftTimes,
    settings: AnalysisSettings,
    frame_rate_hz: float,
    number: int,
) -> tuple[Lift, list[str]]:
    forward = -1.0 if scene.facing == "left" else 1.0
    angles = measure_angles(scene.pose, forward)
    phases = pull_phases(angles, found.times_s) if scene.view == "side" else {}
    lift = LiftTimes(found.times_s | phases, found.outcome, found.rest_m, found.end_s, found.has_rest)
    bar_px = scene.plate.centre_px if scene.samples.source == "plate" else scene.hands_px
    fall = _free_fall(scene, lift)
    scale = _widen_by_fall(scene.scale, fall)
    context = Context(scale, scene.view, scene.stature_m, settings.bar_mass_kg, frame_rate_hz)
    readings = read_bar(curve, lift, context)
    spread = spread_by_noise(scene.samples, curve, lift, context)
    alike, apart = _agreement(scene, lift)
    measures, reasons = bar_measures(readings, spread, context, scene.samples.source, watched.times_s)
    moving = watched.is_moving
    for more, less in (
        angle_measures(angles, lift, context, watched.times_s),
        place_measures(
            scene.pose, scene.hands_px, lift, context, forward, is_moving=moving, hands_agree=not apart > FAR_APART_M
        ),
    ):
        measures |= more
        reasons |= less
    warnings = _judge_agreement(alike, apart)
    if fall is not None:
        measures["free_fall_gravity_m_s2"] = make_measure(
            "free_fall_gravity_m_s2", *fall, "plate", None, watched.times_s
        )
        warnings += _judge_fall(*fall)
    kind, outcome = judge_kind(scene.pose, bar_px, lift, readings["bar_max_height_m"].value, scene.stature_m)
    return (
        Lift(
            lift=settings.lift or kind,
            number=number,
            outcome=outcome,
            instants=_instants(lift, spread, watched.times_s, frame_rate_hz),
            measures=measures,
            not_measured=_complete_reasons(measures, reasons, lift, settings),
        ),
        warnings,
    )


def _agreement(scene: _Scene, lift: LiftTimes) -> tuple[float, float]:
    """Return how plate and hands agree during this lift; NaN when the hands are the bar."""
    if scene.samples.source != "plate":
        return float("nan"), float("nan")
    start, end = lift.times_s["lift_off"] - 0.3, lift.times_s.get("catch", lift.times_s["max_height"])
    return agreement(scene.pose.times_s, scene.plate, scene.hands_px, start, end, scene.work_scale.bar_m_per_px)


def _judge_agreement(alike: float, apart: float) -> list[str]:
    if alike < ALIKE:
        return ["plate and hands do not move alike: the disc that was followed may not be on this bar"]
    if apart > FAR_APART_M:
        return [
            f"hands and plate were found {100 * apart:.0f} cm apart, because the plate hides the hands: "
            "the bar is taken from the plate, places of the body are less sure"
        ]
    return []


def _free_fall(scene: _Scene, lift: LiftTimes) -> tuple[float, float] | None:
    """Return the acceleration of the bar when it is dropped afterwards, and its SD, in m/s2."""
    if not scene.scale.is_known or scene.samples.source != "plate":
        return None
    fall = free_fall_gravity(scene.samples.times_s, scene.samples.y_m, lift.times_s["max_height"])
    if fall is None:
        return None
    value, error = fall
    sd = float(np.hypot(max(1.3 * error, 0.2), scene.scale.bar_relative_sd * value))
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
    """Return a reason for every measure of the catalogue that is absent."""
    out: dict[str, str] = {}
    for name, info in MEASURES.items():
        if name in measures:
            continue
        if name in reasons:
            out[name] = reasons[name]
        elif name == "elbow_bend_pull_deg":
            out[name] = "from the side a wide grip hides how far the arms bend, and one camera cannot tell"
        elif name == "ground_force_peak_n":
            out[name] = "needs the whole body in 3D, which this version does not measure"
        elif name == "free_fall_gravity_m_s2":
            out[name] = "the bar was not dropped freely in view"
        elif info.unit in ("N", "N s", "J", "W") and settings.bar_mass_kg is None:
            out[name] = "the mass of the bar was not told (--bar-mass)"
        elif "transition" in name or "first_pull" in name or "second_pull" in name:
            out[name] = "no clear transition between first and second pull was seen"
        elif "catch" not in lift.times_s:
            out[name] = "the lift was not caught"
        else:
            out[name] = "not seen in this clip"
    return out


def _join_tracks(watched: _Watched, scenes: list[_Scene], settings: AnalysisSettings) -> Tracks:
    """Return pose and bar of all scenes on the frames of the clip."""
    n = len(watched.times_s)
    k = scenes[0].pose.points_px.shape[1]
    points, world, visibility = np.full((n, k, 2), np.nan), np.full((n, k, 3), np.nan), np.zeros((n, k))
    plate, hands = np.full((n, 2), np.nan), np.full((n, 2), np.nan)
    flat = {name: np.full(n, np.nan) for name in ("radius", "x", "y", "vx", "vy", "force")}
    confidence = np.zeros(n)
    for scene in scenes:
        part = slice(scene.start, scene.stop)
        points[part], world[part], visibility[part] = scene.pose.points_px, scene.pose.world_m, scene.pose.visibility
        plate[part], hands[part] = scene.plate.centre_px, scene.hands_px
        confidence[part] = scene.plate.confidence
        flat["radius"][part] = np.where(np.isfinite(scene.plate.centre_px[:, 0]), scene.plate.radius_px, np.nan)
        if scene.scale.is_known:
            _fill_metric(flat, scene, settings.bar_mass_kg)
    main = next((s for s in scenes if s.lifts), scenes[0])
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


def _fill_metric(flat: dict[str, Floats], scene: _Scene, mass_kg: float | None) -> None:
    """Write the smooth bar of one scene in place; origin is the first lift-off of the scene."""
    times = scene.samples.times_s
    if scene.lifts:
        curve, lift = scene.lifts[0]
        x0, y0 = float(curve.x.value(np.array([lift.times_s["lift_off"]]))[0]), lift.rest_m
    else:
        x0, y0 = float(np.nanmedian(scene.samples.x_m)), float(np.nanmin(scene.samples.y_m))
    for a, b, curve in scene.curves:
        part, t = slice(scene.start + a, scene.start + b), times[a:b]
        flat["x"][part], flat["y"][part] = curve.x.value(t) - x0, curve.y.value(t) - y0
        flat["vx"][part], flat["vy"][part] = curve.x.rate(t), curve.y.rate(t)
        if mass_kg is not None and scene.samples.source == "plate":
            flat["force"][part] = bar_force(curve, t, mass_kg)
