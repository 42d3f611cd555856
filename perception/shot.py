"""One shot of a clip, from cut to cut: the athlete, where the camera stands, plate, scale, bar and lifts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coach.domain.lift import Facing, View
from coach.domain.settings import AnalysisSettings
from perception.athlete import choose_athlete, hands_midpoint_px, stature_px
from perception.bar import BarCurve, BarSamples, fit_curve, sample_bar, stretches
from perception.body_signals import BodySignals, measure_body
from perception.camera import estimate_facing, estimate_view
from perception.discs import PLATE_SHARE_OF_STATURE, Discs, find_disc, join_discs, no_discs
from perception.instants import LiftTimes
from perception.lifts import find_lifts
from perception.plate import PlateTrack, moving_disc, track_plate
from perception.pose import Floats, PoseTrack
from perception.scale import DEFAULT_STATURE_M, Scale, find_scale
from perception.smoothing import runs
from perception.spool import Spool
from perception.video import Clip, read_frames
from perception.watch import Watched

MIN_PLATE_SHARE = 0.4  # of frames of a lift: below this the hands are the better track
MIN_ATHLETE_FRAMES = 10
LOOK_BACK_S = 2.5  # s before the plate was first seen
AFTER_S = 1.0  # s after its highest place, where nothing is measured any more
SHORTEST_RUN = 3  # frames; a shorter gap is bridged
WORTH_READING = 6  # frames in all; fewer are not worth a second pass
SURE_RIM = 0.45  # share of the rim seen above which a frame is not looked at again
ROUND = -0.06  # flattening of a disc turned by 20 degrees


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One shot: frames [start, stop) and what was found in them."""

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
    body: BodySignals
    lifts: list[tuple[BarCurve, LiftTimes]]
    stature_m: float


def look_at_shot(
    clip: Clip, watched: Watched, start: int, stop: int, settings: AnalysisSettings, *, use_plate: bool = True
) -> Shot | None:
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
    plate = track_plate(times, discs if use_plate else [no_discs()] * len(times), hands, expected, middle)
    if settings.frame_rate_hz is None and (again := _look_again(clip, times, discs, plate)) is not None:
        plate = track_plate(times, again, hands, expected, middle, plate.radius_px)
    if view in ("oblique", "unknown") and _shows_its_face(plate):
        view = "side"
        facing = estimate_facing(pose, view)
    scale = find_scale(plate, size, settings, view)
    work = scale if scale.is_known else _guess_scale(size)
    stature = settings.height_m or float(np.clip(size * work.body_m_per_px, 1.4, 2.1))
    forward = -1.0 if facing == "left" else 1.0
    samples = sample_bar(
        times, plate, hands, work, forward, use_plate=scale.method == "plate" and _plate_is_better(plate)
    )
    curves = [(a, b, fit_curve(samples, a, b)) for a, b in stretches(samples)]
    body = measure_body(pose, hands, samples, work.body_m_per_px, forward)
    lifts = [(curve, lift) for _, _, curve in curves for lift in find_lifts(curve, body, stature, settings.lift)]
    return Shot(start, stop, pose, hands, plate, view, facing, scale, work, samples, curves, body, lifts, stature)


def _look_again(clip: Clip, times_s: Floats, discs: Sequence[Discs], plate: PlateTrack) -> Sequence[Discs] | None:
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
    found: dict[int, Discs] = {}
    for frame in read_frames(clip, start_s=float(times_s[wanted[0]]), end_s=float(times_s[wanted[-1]])):
        i = int(np.argmin(np.abs(times_s - frame.time_s)))
        if unsure[i]:
            near = plate.centre_px[seen[np.argmin(np.abs(seen - i))]]
            found[i] = find_disc(frame.image, near, plate.radius_px)
    again: Spool[Discs] = Spool()
    for i, here in enumerate(discs):
        again.append(join_discs(here, found[i]) if i in found else here)
    return again


def _guess_scale(size_px: float) -> Scale:
    """Return a scale good enough to find instants with, but not to say a length."""
    guess = DEFAULT_STATURE_M / size_px
    return Scale(guess, 0.1, guess, 0.1, "none")


def _shows_its_face(plate: PlateTrack) -> bool:
    """Return whether the disc is round, so the camera looks along the bar: surer than limbs that hide each other."""
    return _plate_is_better(plate) and plate.flattening > ROUND


def _plate_is_better(plate: PlateTrack) -> bool:
    return bool(plate.is_found and np.mean(np.isfinite(plate.centre_px[:, 0])) >= MIN_PLATE_SHARE)
