"""One pass over the frames of a clip: people, discs and plates edge-on about their hands, cuts, what the camera does."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coach.domain.settings import AnalysisSettings
from perception.athlete import BODY_SHARE, TRUNK_SHARE, across_px, ahead_px, body_length_px
from perception.barline import BarEnds, BarEndWatch, no_ends
from perception.camera import FrameWatch
from perception.camera_track import CameraTrack, still_camera
from perception.discs import BODY_MEMORY, Discs, DiscWatch, Turned, no_discs, turned
from perception.marker_clip import MarkerClip, find_marker_file, open_markers
from perception.marker_pose import MarkerPose
from perception.pose import POSES, Floats, Image, Person, PoseEstimator
from perception.registration import boxes_about
from perception.roll import SeenLines
from perception.seeking import Box, PlaceFinder, Seeks
from perception.spool import Spool
from perception.video import Clip, Frame, open_clip, read_frames
from perception.view import AHEAD, SPREAD

OnProgress = Callable[[str, int, int], None]
MOST_FRAMES_WAITING = 3  # frames held for the search beside, so that memory stays constant
SIDE_BELOW, FRONT_ABOVE = 0.8, 0.35  # shoulder and hip spread over trunk; from the front about 1.1, from the side 0.1
TURN_MEMORY = 0.9  # a frame
FACING_MEMORY = 0.97  # a frame: which way somebody faces changes less often than feet are mistaken
TURNED_ABOVE = 0.42  # shoulder and hip spread over trunk from which discs may be ellipses, about 22 degrees
EDGE_ON_DEG = 77.0  # deg, a turn beyond which discs are too narrow to be looked for; from in front it shows as 80 to 90


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """What one pass over the frames leaves."""

    estimator: str
    weights_sha256: str
    times_s: Floats
    people: Spool[list[Person]]
    discs: Spool[Discs]
    ends: Spool[BarEnds]
    camera: CameraTrack
    lines: tuple[SeenLines, ...]
    changes: Floats
    cuts: tuple[int, ...]
    size_px: tuple[int, int]
    warnings: tuple[str, ...]
    markers: MarkerPose | None = None


def watch_clip(clip_path: Path, settings: AnalysisSettings, on_progress: OnProgress | None) -> tuple[Clip, Watched]:
    """Return a clip and what is seen in its frames, or what markers tell where a file of markers stands in for it.

    Raises:
        InputError: The file cannot be used.
        SetupError: The pose estimator, its weights or a reader of the file is missing.
    """
    if (told := open_markers(clip_path, settings)) is not None:
        return told.clip, _watch_markers(told)
    clip, markers = open_clip(clip_path), find_marker_file(clip_path, settings)
    options = {"markers": markers, "rate_hz": clip.header_frame_rate_hz or None} if settings.pose == "trc" else {}
    return clip, watch_frames(clip, POSES.load(settings.pose, **options), settings, on_progress)


def _watch_markers(told: MarkerClip) -> Watched:
    """Return markers as if an estimator had found them in the pictures drawn of them."""
    n = len(told.people)
    people: Spool[list[Person]] = Spool()
    discs: Spool[Discs] = Spool()
    ends: Spool[BarEnds] = Spool()
    for found in told.people:
        people.append(found)
        discs.append(no_discs())
        ends.append(no_ends())
    size = (told.clip.width_px, told.clip.height_px)
    return Watched(
        estimator="trc",
        weights_sha256=told.clip.sha256,
        times_s=told.markers.pose.times_s,
        people=people,
        discs=discs,
        ends=ends,
        camera=still_camera(n, size),
        lines=(),
        changes=np.full(n, np.nan),
        cuts=(),
        size_px=size,
        warnings=told.warnings,
        markers=told.markers,
    )


def watch_frames(
    clip: Clip, estimator: PoseEstimator, settings: AnalysisSettings, on_progress: OnProgress | None
) -> Watched:
    """Read every frame once and keep what was seen, not the pictures.

    While the pose of a frame is estimated the next one is decoded, and background and bar of the one before are looked at.
    """
    watch, search = FrameWatch(), _BarSearch(settings.plate_diameter_m)
    reader = read_frames(clip)
    times: list[float] = []
    people: Spool[list[Person]] = Spool()
    discs: Spool[Discs] = Spool()
    ends: Spool[BarEnds] = Spool()
    waiting: deque[Future[Box | None]] = deque()

    def look(frame: Frame, before: list[Person], now: list[Person], is_cut: bool) -> Box | None:
        watch.follow(frame.image, frame.time_s, boxes_about(before), is_cut=is_cut)
        found_discs, found_ends = search.observe(frame.image, now, is_cut)
        discs.append(found_discs)
        ends.append(found_ends)
        return search.place_of_unseen(frame.image, now)

    found: list[Person] = []
    with ThreadPoolExecutor(1) as beside:
        for frame in _ahead(iter(reader)):
            is_cut = watch.find_cut(frame.image)
            if is_cut:
                estimator.reset()
            before, found = found, estimator.estimate(frame.image)
            people.append(found)
            waiting.append(beside.submit(look, frame, before, found, is_cut))
            times.append(frame.time_s)
            if len(waiting) > MOST_FRAMES_WAITING:
                unseen = waiting.popleft().result()
                if unseen is not None and isinstance(estimator, Seeks):
                    estimator.seek(unseen)
            if on_progress:
                on_progress("pose", len(times), max(clip.header_n_frames, len(times)))
        for late in waiting:
            late.result()
    seconds = np.array(times)
    if settings.frame_rate_hz is not None:
        seconds = np.arange(len(times)) / settings.frame_rate_hz
    return Watched(
        estimator=estimator.name,
        weights_sha256=estimator.weights_sha256,
        times_s=seconds,
        people=people,
        discs=discs,
        ends=ends,
        camera=watch.track(),
        lines=watch.lines(),
        changes=np.array(watch.changes),
        cuts=tuple(watch.cuts),
        size_px=(clip.width_px, clip.height_px),
        warnings=reader.warnings,
    )


def _ahead(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Yield the same frames, each read while the one before it is looked at."""
    with ThreadPoolExecutor(1) as beside:
        coming = beside.submit(next, frames, None)
        while (frame := coming.result()) is not None:
            coming = beside.submit(next, frames, None)
            yield frame


class _BarSearch:
    """Looks for the bar as the turn of the people lets expect it: a disc from the side, two plates edge-on from in front."""

    def __init__(self, plate_diameter_m: float) -> None:
        self._discs, self._ends, self._places = DiscWatch(), BarEndWatch(plate_diameter_m), PlaceFinder()
        self._body_px: dict[int, float] = {}
        self._spread: dict[int, float] = {}
        self._across: dict[int, float] = {}
        self._ahead: dict[int, float] = {}

    def observe(self, image_rgb: Image, people: list[Person], is_cut: bool) -> tuple[Discs, BarEnds]:
        """Return what may be the bar in the next frame."""
        if is_cut:
            self._discs.reset()
            self._ends.reset()
            self._places.reset()
            self._body_px.clear()
            self._spread.clear()
            self._across.clear()
            self._ahead.clear()
        spreads = [spread for person in people if np.isfinite(spread := self._spread_of(person))]
        turns = self._turns(people)
        from_side = not spreads or min(spreads) < SIDE_BELOW
        from_front = not spreads or max(spreads) > FRONT_ABOVE
        holders = people if from_side else [person for person in people if person.person_id in turns]
        return (
            self._discs.observe(image_rgb, holders, turns),
            self._ends.observe(image_rgb, people) if from_front else no_ends(),
        )

    def place_of_unseen(self, image_rgb: Image, people: list[Person]) -> Box | None:
        """Return the part of this frame in which somebody may be who is not seen; None where there is no sign of it."""
        return self._places.observe(image_rgb, people)

    def _turns(self, people: list[Person]) -> dict[int, Turned]:
        """Return how the bar of the largest person is turned, unless that one stands square or faces the camera.

        Those who watch stand any way, and farther off.
        """
        sizes = {one.person_id: self._body_px[one.person_id] for one in people if one.person_id in self._body_px}
        if not sizes:
            return {}
        key = max(sizes, key=lambda one: sizes[one])
        spread, ahead = self._spread.get(key, 0.0), self._ahead.get(key, 0.0)
        yaw = float(np.degrees(np.arctan2(spread / SPREAD, abs(ahead) / AHEAD)))
        if not (spread > TURNED_ABOVE and yaw < EDGE_ON_DEG):
            return {}
        return {key: turned(yaw, -float(np.sign(self._across[key] * ahead)))}

    def _spread_of(self, person: Person) -> float:
        """Return how far shoulders and hips are apart over the length of the trunk, lately."""
        key, points = person.person_id, person.points_px[None]
        body = float(body_length_px(points)[0])
        kept = BODY_MEMORY * self._body_px.get(key, 0.0)
        if not np.isfinite(body):
            return self._spread.get(key, float("nan"))
        self._body_px[key] = max(kept, body)
        trunk = max(TRUNK_SHARE / BODY_SHARE * self._body_px[key], 1.0)
        across = float((across_px(points, "shoulder") + across_px(points, "hip"))[0]) / trunk
        ahead = float(ahead_px(points)[0]) / trunk
        self._across[key] = _smoothed(self._across.get(key, across), across, FACING_MEMORY)
        self._ahead[key] = _smoothed(self._ahead.get(key, ahead), ahead, FACING_MEMORY)
        self._spread[key] = _smoothed(self._spread.get(key, abs(across)), abs(across), TURN_MEMORY)
        return self._spread[key]


def _smoothed(before: float, now: float, memory: float) -> float:
    return memory * before + (1 - memory) * now if np.isfinite(now) else before
