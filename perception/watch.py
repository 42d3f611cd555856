"""One pass over the frames of a clip: people, discs about their hands, cuts, camera motion."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from coach.domain.settings import AnalysisSettings
from perception.camera import FrameWatch
from perception.discs import Discs, DiscWatch
from perception.pose import Floats, Image, Person, PoseEstimator
from perception.spool import Spool
from perception.video import Clip, read_frames

OnProgress = Callable[[str, int, int], None]
MOST_FRAMES_WAITING = 3  # frames held for the discs, so that memory stays constant


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """What one pass over the frames leaves."""

    estimator: str
    weights_sha256: str
    times_s: Floats
    people: Spool[list[Person]]
    discs: Spool[Discs]
    cuts: tuple[int, ...]
    is_moving: bool
    image_centre_px: tuple[float, float]
    warnings: tuple[str, ...]


def watch_frames(
    clip: Clip, estimator: PoseEstimator, settings: AnalysisSettings, on_progress: OnProgress | None
) -> Watched:
    """Read every frame once: people, discs about their hands, cuts, camera motion."""
    watch, discs_watch = FrameWatch(), DiscWatch()
    reader = read_frames(clip)
    times: list[float] = []
    people: Spool[list[Person]] = Spool()
    discs: Spool[Discs] = Spool()
    waiting: deque[Future[Discs]] = deque()
    with ThreadPoolExecutor(1) as beside:  # discs of one frame are found while the pose of the next is estimated
        for frame in reader:
            is_cut = watch.observe(frame.image, frame.time_s)
            if is_cut:
                estimator.reset()
            found = estimator.estimate(frame.image)
            people.append(found)
            waiting.append(beside.submit(_find_discs, discs_watch, frame.image, found, is_cut))
            times.append(frame.time_s)
            if len(waiting) > MOST_FRAMES_WAITING:
                discs.append(waiting.popleft().result())
            if on_progress:
                on_progress("pose", len(times), max(clip.header_n_frames, len(times)))
        for late in waiting:
            discs.append(late.result())
    seconds = np.array(times)
    if settings.frame_rate_hz is not None:
        seconds = np.arange(len(times)) / settings.frame_rate_hz
    return Watched(
        estimator=estimator.name,
        weights_sha256=estimator.weights_sha256,
        times_s=seconds,
        people=people,
        discs=discs,
        cuts=tuple(watch.cuts),
        is_moving=watch.is_moving,
        image_centre_px=((clip.width_px - 1) / 2, (clip.height_px - 1) / 2),
        warnings=reader.warnings,
    )


def _find_discs(watch: DiscWatch, image_rgb: Image, people: list[Person], is_cut: bool) -> Discs:
    if is_cut:
        watch.reset()
    return watch.observe(image_rgb, people)
