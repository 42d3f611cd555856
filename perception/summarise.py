"""From a clip to the facts of its lifts: one pass over the frames, then everything else on small arrays."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from coach.domain.errors import InputError
from coach.domain.lift import CameraFacts, Lift, LiftName, PoseFacts, Report
from coach.domain.settings import AnalysisSettings
from perception.bar import fit_curve
from perception.bar_end import track_bar_end
from perception.clip_checks import safe_name
from perception.force import bar_force
from perception.hip_trend import HipTrend
from perception.lifts import declined_stretches, find_lifts
from perception.measure_lift import check_clock, measure_lift, pull_times
from perception.plate import PlateTrack
from perception.pose import Floats, Image, PoseTrack
from perception.readings import beginning
from perception.shot import Shot, look_at_shot
from perception.timebase import PullTimes, find_copies, search_factor
from perception.tracks import BarTrack, Tracks
from perception.video import Clip, clip_facts, read_frames
from perception.watch import OnProgress, Watched, watch_clip

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
        clip_path: The video, or a file of markers (`.trc`, `.c3d`).
        settings: What the user told; checked here.
        on_progress: Called with the stage ("pose", "bar"), frames done and frames in all.

    Raises:
        InputError: The file cannot be used, or no athlete, bar or lift was found; the message says how to film.
        SetupError: The pose estimator or its weights are missing.
    """
    settings = settings.checked()
    clip, watched = watch_clip(clip_path, settings, on_progress)
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
    lifts, warnings, hips = _measure_lifts(watched, shots, settings, facts.frame_rate_hz)
    main = next((s for s in shots if s.lifts), shots[0])
    n_athlete = sum(int(np.isfinite(s.pose.points_px[:, 0, 0]).sum()) for s in shots)
    report = Report(
        clip=facts,
        pose=PoseFacts(
            estimator=watched.estimator, weights_sha256=watched.weights_sha256, n_frames_with_athlete=n_athlete
        ),
        scale=main.scale.facts(),
        camera=_camera_facts(watched, main),
        lifts=tuple(lifts),
        warnings=tuple(
            dict.fromkeys(
                (
                    *watched.warnings,
                    *_clip_warnings(watched, facts.is_variable_rate, facts.frame_rate_hz),
                    *_declined(shots, watched.cuts),
                    *warnings,
                )
            )
        ),
    )
    return Analysis(clip, report, replace(_join_tracks(watched, shots, settings), hips=hips))


def _slow_motion(shot: Shot) -> str | None:
    """Return the warning that the clip is not at life's speed, where lifts are found at another one only."""

    def pulls_at(factor: float) -> list[PullTimes]:
        quick = replace(shot.samples, times_s=shot.samples.times_s / factor)
        curves = [fit_curve(quick, a, b) for a, b, _ in shot.curves]
        return [pull_times(lift, curve) for curve in curves for lift in find_lifts(curve, None, shot.stature_m)]

    clock = search_factor(pulls_at, shot.work_scale.bar_relative_sd)
    return None if clock is None else clock.warning


def follow_bar_end(analysis: Analysis, on_progress: OnProgress | None = None) -> Analysis:
    """Return the analysis with the end of the near sleeve followed too, where the plate was seen from the side.

    It reads the frames once more, so it is left out where only measures are wanted.
    """
    bar, camera = analysis.tracks.bar, analysis.report.camera
    radius = bar.plate_radius_px[np.isfinite(bar.plate_radius_px)]
    if camera.view not in ("side", "oblique") or camera.cuts or not len(radius):
        return analysis
    n = len(bar.times_s)
    plate = PlateTrack(
        bar.times_s.copy(), bar.plate_px.copy(), bar.plate_confidence.copy(), float(np.median(radius)), 0.0, 0.0
    )

    def images() -> Iterator[Image]:
        for i, frame in enumerate(read_frames(analysis.clip)):
            if on_progress:
                on_progress("bar end", i + 1, n)
            if i < n:
                yield frame.image

    end = track_bar_end(images(), plate).end_px
    return replace(analysis, tracks=replace(analysis.tracks, bar=replace(bar, end_px=end)))


def _camera_facts(watched: Watched, main: Shot) -> CameraFacts:
    residual = watched.camera.residual_of(main.start, main.stop) if watched.camera.is_moving else float("nan")
    return CameraFacts(
        view=main.look.view,
        facing=main.look.facing,
        is_moving=watched.camera.is_moving,
        cuts=watched.cuts,
        yaw_deg=_known(main.look.yaw_deg),
        roll_deg=_known(main.roll.roll_deg) if main.roll.is_known else None,
        residual_px=_known(residual),
    )


def _known(value: float) -> float | None:
    return round(value, 2) if np.isfinite(value) else None


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
    declined = [*filter(None, (_slow_motion(shot) for shot in shots)), *_declined(shots, watched.cuts)]
    why = declined[0] if declined else f"nobody lifts a bar in these {n} frames"
    raise InputError(f"no lift found in {name}: {why}; {HOW_TO_FILM}")


def _clip_warnings(watched: Watched, is_variable_rate: bool, frame_rate_hz: float) -> list[str]:
    out = []
    if is_variable_rate:
        out.append("the frame rate varies; times come from the container")
    if watched.camera.is_moving:
        out.append("the camera moves: it was followed by the background; a tripod makes paths and distances surer")
    copies = find_copies(watched.changes, frame_rate_hz)
    if copies.warning:
        out.append(copies.warning)
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
) -> tuple[list[Lift], list[str], dict[int, HipTrend | str]]:
    lifts: list[Lift] = []
    hips: dict[int, HipTrend | str] = {}
    warnings: list[str] = []
    for shot in shots:
        clock = check_clock(shot, settings)
        for curve, found in shot.lifts:
            first, last = (
                int(np.searchsorted(watched.times_s, s)) for s in (beginning(found), max(found.times_s.values()))
            )
            lift, said, hip = measure_lift(
                shot,
                curve,
                found,
                watched.times_s,
                settings,
                frame_rate_hz,
                len(lifts) + 1,
                clock=clock,
                spoiled=watched.camera.why_spoiled(first, last + 1),
            )
            lifts.append(lift)
            hips[lift.number] = hip
            warnings.extend(said)
        warnings += [clock.warning] if clock.warning and shot.lifts else []
    return lifts, warnings, hips


def _join_tracks(watched: Watched, shots: list[Shot], settings: AnalysisSettings) -> Tracks:
    """Return pose and bar of all shots on the frames of the clip."""
    n = len(watched.times_s)
    k = shots[0].pose.points_px.shape[1]
    points, world, visibility = np.full((n, k, 2), np.nan), np.full((n, k, 3), np.nan), np.zeros((n, k))
    plate, hands, end = (np.full((n, 2), np.nan) for _ in range(3))
    flat = {name: np.full(n, np.nan) for name in ("radius", "x", "y", "vx", "vy", "force")}
    confidence = np.zeros(n)
    for shot in shots:
        part = slice(shot.start, shot.stop)
        pose = shot.seen.pose
        points[part], world[part], visibility[part] = pose.points_px, pose.world_m, pose.visibility
        plate[part], hands[part] = shot.seen.plate_px, shot.seen.hands_px
        is_line = shot.line.is_found and not shot.plate.is_found
        confidence[part] = shot.line.confidence if is_line else shot.plate.confidence
        radius = shot.line.height_px / 2 if is_line else shot.plate.radius_px
        flat["radius"][part] = np.where(np.isfinite(shot.seen.plate_px[:, 0]), radius, np.nan)
        if shot.scale.is_known:
            _fill_metric(flat, shot, settings.bar_mass_kg)
    main = next((s for s in shots if s.lifts), shots[0])
    bar = BarTrack(
        times_s=watched.times_s.copy(),
        plate_px=plate,
        plate_radius_px=flat["radius"],
        plate_confidence=confidence,
        hands_px=hands,
        end_px=end,
        x_m=flat["x"],
        y_m=flat["y"],
        velocity_x_m_s=flat["vx"],
        velocity_y_m_s=flat["vy"],
        force_n=flat["force"],
        source=main.samples.source,
    )
    camera = watched.camera if watched.camera.is_moving else None
    return Tracks(PoseTrack(watched.times_s.copy(), points, world, visibility), bar, camera)


def _fill_metric(flat: dict[str, Floats], shot: Shot, mass_kg: float | None) -> None:
    """Write the smooth bar of one shot in place; origin is the first start in it, the lowest place where none was seen."""
    times = shot.samples.times_s
    begun = [(curve, lift) for curve, lift in shot.lifts if "start" in lift.times_s]
    if begun:
        curve, lift = begun[0]
        x0, y0 = float(curve.x.value(np.array([beginning(lift)]))[0]), lift.rest_m
    else:
        x0, y0 = float(np.nanmedian(shot.samples.x_m)), float(np.nanmin(shot.samples.y_m))
    for a, b, curve in shot.curves:
        part, t = slice(shot.start + a, shot.start + b), times[a:b]
        flat["x"][part], flat["y"][part] = curve.x.value(t) - x0, curve.y.value(t) - y0
        flat["vx"][part], flat["vy"][part] = curve.x.rate(t), curve.y.rate(t)
        if mass_kg is not None and shot.samples.source == "plate":
            flat["force"][part] = bar_force(curve, t, mass_kg)
