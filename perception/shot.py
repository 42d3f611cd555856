"""One shot of a clip, from cut to cut: the athlete, where the camera stands, plate, scale, bar and lifts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from coach.domain.settings import PLATE_DIAMETER_M, AnalysisSettings
from perception.athlete import choose_athlete, hands_midpoint_px, heads_of, stature_px
from perception.bar import PLATE_CUTOFF_HZ, BarCurve, BarSamples, agreement, fit_curve, sample_bar, stretches
from perception.barline import no_ends
from perception.barline_again import find_again, frames_to_read
from perception.barline_track import BarLineTrack, track_bar_line
from perception.body_signals import BodySignals, measure_body, plane_rise
from perception.camera_track import CameraTrack
from perception.discs import PLATE_SHARE_OF_STATURE, Discs
from perception.front import front_scale, is_better_than_hands, sample_bar_line
from perception.instants import LiftTimes
from perception.lifts import cleans_before_jerks, find_lifts, without_bounces
from perception.marker_clip import plate_of, scale_of
from perception.marker_pose import MarkerPose
from perception.plate import PlateTrack, moving_disc, no_plate, track_plate
from perception.plate_again import badly_seen, look_again
from perception.pose import Floats, Image, PoseTrack
from perception.roll import Roll, estimate_roll, level, plumb_fall
from perception.scale import DEFAULT_STATURE_M, Scale, find_scale, line_scale
from perception.steady import SteadyDiscs, level_plate, level_pose, steady_pose
from perception.video import Clip, read_frames
from perception.view import Look, estimate_facing, estimate_look, near_side
from perception.watch import Watched

MIN_PLATE_SHARE = 0.4  # of frames of a lift: below this the hands are the better track
MIN_ATHLETE_FRAMES = 10
WORTH_ANOTHER = 0.7  # of the frames read again: with fewer left, reading those once more may find the plate in them
MOST_READINGS, SAME_SHAPE = 2, 0.05  # times that frames are read again, and flattening that needs no other time
ROUND_SD_DEG = 8.0  # deg, yaw that a round disc leaves open
LIKELY_RADIUS = (0.82, 1.28)  # of what stature and plate diameter let expect
CLEAR_RADIUS = (0.60, 1.60)  # likewise where the rim is so clear that the body may be measured wrong
CLEAR_RIM = 0.6  # usual share of the rim, with which a disc is a plate though the body behind it measures wrong
LEAST_ON_WAY = 3  # frames in the middle half of the way that a plate goes
LEAST_TRAVEL = 1.5  # radii that a plate is lifted
BEFORE_S = 0.3  # s before a lift in which hands and bar are still together
LEAST_ALIKE = 0.5  # correlation of heights of disc and hands; on one bar it is above 0.9
NARROW_FROM_DEG = (
    58.0  # deg, yaw from which both plates edge-on, where they are found, are better than one narrow ellipse
)
ROUND = -0.06  # flattening of a disc turned by 20 degrees


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One shot: frames [start, stop) and what was found in them, as a still and level camera would have seen it.

    Attributes:
        start, stop: Frames of the clip.
        size_px: Of the pictures, width and height.
        pose, hands_px, plate, line: The athlete, the midpoint of the hands, the near plate and both plates edge-on.
        seen: The same as the pictures show them.
        look, roll: Where the camera stands about the athlete, and how it is tilted.
        scale: Pixels to metres; not known where nothing tells it.
        work_scale: The same, or a guess that is good enough to find instants with.
        samples, curves: The bar in metres, and its smooth stretches with their frames in the shot.
        body, stature_m: Of the athlete, in the axes of the bar.
        lifts: With the curve each was found on.
    """

    start: int
    stop: int
    size_px: tuple[int, int]
    pose: PoseTrack
    hands_px: Floats
    plate: PlateTrack
    line: BarLineTrack
    seen: "Seen"
    look: Look
    roll: Roll
    scale: Scale
    work_scale: Scale
    samples: BarSamples
    curves: list[tuple[int, int, BarCurve]]
    body: BodySignals
    stature_m: float
    lifts: list[tuple[BarCurve, LiftTimes]]

    @property
    def centre_px(self) -> tuple[float, float]:
        """Middle of the pictures."""
        return (self.size_px[0] - 1) / 2, (self.size_px[1] - 1) / 2

    @property
    def forward(self) -> float:
        """1 when the athlete faces the right of the picture, -1 for the left."""
        return -1.0 if self.look.facing == "left" else 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Athlete and bar where the frames of a shot show them; `plate_px` is (T, 2), of the disc or between both plates."""

    pose: PoseTrack
    hands_px: Floats
    plate_px: Floats


def look_at_shot(
    clip: Clip, watched: Watched, start: int, stop: int, settings: AnalysisSettings, *, use_plate: bool = True
) -> Shot | None:
    """Find athlete, camera, bar, scale and lifts between two cuts; None without an athlete."""
    times, camera = watched.times_s[start:stop], watched.camera
    discs: Sequence[Discs] = watched.discs[start:stop]
    people = watched.people[start:stop]
    several = len({person.person_id for frame in people for person in frame}) > 1
    moving = moving_disc(times, discs, heads_of(people)) if several else None
    discs = discs if moving is None else moving[1]
    found = choose_athlete(times, people, None if moving is None else moving[0])
    if np.isfinite(found.points_px[:, 0, 0]).sum() < MIN_ATHLETE_FRAMES:
        return None
    moves = camera.moves_at(start)
    discs = SteadyDiscs(discs, camera, start) if moves else discs
    pose = steady_pose(found, camera, start) if moves else found
    hands = hands_midpoint_px(pose.points_px, pose.visibility)
    plate = no_plate(times)
    if watched.markers is not None:
        plate = plate_of(watched.markers, settings.plate_diameter_m)
    elif use_plate:
        reads_again = settings.frame_rate_hz is None
        plate = _find_plate(clip if reads_again else None, watched, start, times, discs, pose, hands)
        expected = PLATE_SHARE_OF_STATURE * stature_px(pose) * settings.plate_diameter_m / PLATE_DIAMETER_M
        held = is_lifted(plate, expected) and (not _may_be_turned(pose, plate) or goes_with_hands(plate, hands))
        plate = plate if held else no_plate(times)
    look = _look(pose, plate)
    in_front = watched.ends[start:stop] if use_plate else [no_ends()] * len(times)
    line = track_bar_line(
        times, in_front, hands_midpoint_px(found.points_px, found.visibility), settings.plate_diameter_m
    )
    is_narrow = abs(look.yaw_deg) > NARROW_FROM_DEG and line.is_found and is_better_than_hands(line, hands)
    if look.view in ("front", "rear") or is_narrow:
        plate = no_plate(times)
    if not plate.is_found and settings.frame_rate_hz is None:
        line = _line_again(clip, times, line)
    roll = _roll(watched, start, stop, times, plate)
    seen = Seen(found, hands_midpoint_px(found.points_px, found.visibility), _as_shown(plate, line, camera, start))
    steady_line = replace(line, end_px=level(camera.steady(line.end_px, start), roll.roll_deg, watched.size_px))
    return _measure_bar(
        (start, stop, watched.size_px),
        level_pose(pose, roll.roll_deg, watched.size_px),
        level_plate(plate, roll.roll_deg, watched.size_px),
        steady_line,
        seen,
        look,
        roll,
        settings,
        watched.markers,
    )


def _find_plate(
    clip: Clip | None,
    watched: Watched,
    start: int,
    times_s: Floats,
    discs: Sequence[Discs],
    pose: PoseTrack,
    hands_px: Floats,
) -> PlateTrack:
    """Return the near plate; frames of `clip` that show it badly are read again."""
    expected = PLATE_SHARE_OF_STATURE * stature_px(pose)
    middle = ((watched.size_px[0] - 1) / 2, (watched.size_px[1] - 1) / 2)
    side = near_side(estimate_look(pose))
    plate = track_plate(times_s, discs, hands_px, expected, middle, near_side=side)
    wanted = badly_seen(plate)
    for _ in range(MOST_READINGS):
        if clip is None or not wanted:
            break
        discs = look_again(clip, watched.camera, start, discs, plate, wanted)
        before, n_wanted = plate.flattening, len(wanted)
        plate = track_plate(times_s, discs, hands_px, expected, middle, plate.radius_px, side)
        wanted = badly_seen(plate)
        if abs(plate.flattening - before) < SAME_SHAPE and len(wanted) > WORTH_ANOTHER * n_wanted:
            break
    return plate


def _look(pose: PoseTrack, plate: PlateTrack) -> Look:
    """Return where the camera stands; a round disc plainly lifted is seen from the side, whatever the limbs say."""
    look = estimate_look(pose, plate)
    if look.view == "side" or not (plate.is_found and plate.flattening > ROUND and _is_clear(plate)):
        return look
    return Look("side", estimate_facing(pose, "side"), 0.0, ROUND_SD_DEG)


def _roll(watched: Watched, start: int, stop: int, times_s: Floats, plate: PlateTrack) -> Roll:
    lines = [seen for seen in watched.lines if start <= seen.frame < stop]
    fall = None
    if plate.is_found:
        fall = plumb_fall(times_s, plate.centre_px, float(times_s[np.nanargmin(plate.centre_px[:, 1])]))
    moving = watched.camera if watched.camera.moves_at(start) else None
    return estimate_roll(lines, moving, watched.size_px, fall)


def _as_shown(plate: PlateTrack, line: BarLineTrack, camera: CameraTrack, start: int) -> Floats:
    return camera.to_frames(plate.centre_px, start) if plate.is_found or not line.is_found else line.centre_px


def _measure_bar(
    part: tuple[int, int, tuple[int, int]],
    pose: PoseTrack,
    plate: PlateTrack,
    line: BarLineTrack,
    seen: Seen,
    look: Look,
    roll: Roll,
    settings: AnalysisSettings,
    markers: MarkerPose | None,
) -> Shot:
    hands, size, size_px = hands_midpoint_px(pose.points_px, pose.visibility), stature_px(pose), part[2]
    has_line = not plate.is_found and line.is_found and is_better_than_hands(line, hands)
    scale = find_scale(plate, size, settings, look.view)
    if markers is not None:
        scale = scale_of(markers)
    elif has_line:
        scale = line_scale(front_scale(line, settings, is_turned=look.view == "oblique"), size, settings, look.view)
    work = scale if scale.is_known else _guess_scale(size)
    stature = settings.height_m or float(np.clip(size * work.body_m_per_px, 1.4, 2.1))
    forward = -1.0 if look.facing == "left" else 1.0
    if has_line:
        samples = sample_bar_line(line, hands, work.bar_m_per_px)
    else:
        samples = sample_bar(pose.times_s, plate, hands, work, forward, use_plate=plate.is_found)
    if markers is not None:
        samples = replace(samples, cutoff_hz=PLATE_CUTOFF_HZ)  # hands with markers are as steady as a disc
    curves = [(a, b, fit_curve(samples, a, b)) for a, b in stretches(samples)]
    middle_row_px = (size_px[1] - 1) / 2
    rise = plane_rise(work.bar_m_per_px, work.body_m_per_px, middle_row_px) if plate.is_found or has_line else None
    body = measure_body(pose, hands, samples, work.body_m_per_px, forward, rise, look.yaw_deg)
    lifts = [(curve, lift) for _, _, curve in curves for lift in find_lifts(curve, body, stature, settings.lift)]
    if look.view == "oblique" and samples.source == "plate" and markers is None:
        lifts = [(curve, lift) for curve, lift in lifts if _is_in_hands(lift, plate, hands)]
    lifts = without_bounces(lifts, [curve for _, _, curve in curves])
    paired = cleans_before_jerks([lift for _, lift in lifts])
    lifts = [(curve, lift) for (curve, _), lift in zip(lifts, paired, strict=True)]
    return Shot(*part, pose, hands, plate, line, seen, look, roll, scale, work, samples, curves, body, stature, lifts)


def _line_again(clip: Clip, times_s: Floats, line: BarLineTrack) -> BarLineTrack:
    """Return the bar line with frames read anew that did not show it, now that it is known what it looks like."""
    wanted = frames_to_read(line)
    if not wanted.any():
        return line
    first_s, last_s = (float(times_s[i]) for i in np.flatnonzero(wanted)[[0, -1]])

    def frames() -> Iterator[tuple[int, Image]]:
        for frame in read_frames(clip, start_s=first_s, end_s=last_s):
            i = int(np.argmin(np.abs(times_s - frame.time_s)))
            if wanted[i]:
                yield i, frame.image

    return find_again(line, frames())


def _guess_scale(size_px: float) -> Scale:
    """Return a scale good enough to find instants with, but not to say a length."""
    guess = DEFAULT_STATURE_M / size_px
    return Scale(guess, 0.1, guess, 0.1, "none")


def is_lifted(plate: PlateTrack, expected_px: float) -> bool:
    """Return whether the disc is the bar's: seen often enough, about as large as a plate must look, and lifted.

    Two discs at rest on a rack, one seen after the other, are never seen between their places.
    """
    if not plate.is_found or np.mean(np.isfinite(plate.centre_px[:, 0])) < MIN_PLATE_SHARE:
        return False
    low, high = (share * expected_px for share in (CLEAR_RADIUS if _is_clear(plate) else LIKELY_RADIUS))
    height = plate.centre_px[np.isfinite(plate.centre_px[:, 1]), 1]
    top, bottom = np.percentile(height, [5, 95])
    on_way = np.sum(np.abs(height - (top + bottom) / 2) < (bottom - top) / 4)
    is_moved = bottom - top > LEAST_TRAVEL * plate.radius_px and on_way >= LEAST_ON_WAY
    return bool(low < plate.radius_px < high and is_moved)


def _is_clear(plate: PlateTrack) -> bool:
    """Return whether the rim is seen so well that it is a plate's; bodies in front of a wall show less of a circle."""
    return float(np.median(plate.confidence)) >= CLEAR_RIM


def _may_be_turned(pose: PoseTrack, plate: PlateTrack) -> bool:
    """Return whether the bar may not be square to the view, so that other discs than its own may be in sight."""
    return plate.flattening < ROUND or (estimate_look(pose).view == "oblique" and not _is_clear(plate))


def _is_in_hands(lift: LiftTimes, plate: PlateTrack, hands_px: Floats) -> bool:
    """Return whether the hands go with the bar in a lift; from askew the plate does not hide them.

    A bar that bounces after it was dropped, and was lost from sight on its way, rises without them.
    """
    end = lift.times_s.get("catch", lift.times_s["max_height"])
    start = min(lift.times_s.values()) - BEFORE_S
    return not agreement(plate.times_s, plate, hands_px, start, end, 1.0)[0] < LEAST_ALIKE


def goes_with_hands(plate: PlateTrack, hands_px: Floats) -> bool:
    """Return whether a disc goes up and down as the hands do; a disc on a rack or another bar does not.

    Until it is highest, or all the time: a bar is dropped from hands that stay up, a squat is highest at its start.

    Args:
        plate: The disc.
        hands_px: (T, 2), midpoint of the hands; NaN where unknown.
    """
    apex = float(plate.times_s[np.nanargmin(plate.centre_px[:, 1])])
    times, ends = plate.times_s, (apex, float(plate.times_s[-1]))
    alike = [agreement(times, plate, hands_px, float(times[0]), end, 1.0)[0] for end in ends]
    return not max(alike) < LEAST_ALIKE
