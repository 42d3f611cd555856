"""Folders of simulated clips with their truth beside them."""

import logging
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import cv2
import numpy as np
import numpy.typing as npt

from perception.pose import Floats, Image
from perception.simulator.filming import TIME_BASE_HZ, Film
from perception.simulator.lift_plan import LiftChoice, planned_spec
from perception.simulator.mannequin import lifter_and_bar
from perception.simulator.people import moving_people
from perception.simulator.random_filming import filmed
from perception.simulator.random_spec import random_spec
from perception.simulator.render import Stage
from perception.simulator.shapes import Shape
from perception.simulator.simulation import Motion, simulate
from perception.simulator.spec import Filming, LiftSpec, VideoSpec, View
from perception.simulator.surroundings import surroundings_of
from perception.simulator.technique import Fault
from perception.simulator.truth import frame_times, truth_of

CLIP_NAME = "lift.mp4"
TRUTH_NAME = "truth.json"
BLUR_STEP_PX = 1.5  # px, the bar may move this far between two exposures that are averaged
MAX_EXPOSURES = 5  # a cap on the cost of one frame
NOISE_ROOM_PX = 64  # px by which the noise is larger than the picture

STILL = Filming()
Floats32 = npt.NDArray[np.float32]

logger = logging.getLogger(__name__)

__all__ = ["frames_of", "random_spec", "write_dataset", "write_lift"]


def _exposures(film: Film, motion: Motion) -> list[Floats]:
    """Return for each frame the times that are averaged: one where nothing moves fast, more where bar or camera do."""
    spec, times_s = film.spec, film.times_s
    speed = np.linalg.norm(motion.bar(times_s).velocity_m_s, axis=1)
    near_m = np.maximum(np.array([film.cameras[shot].distance_m for shot in film.shots]) - 0.8, 1.0)
    focal_px = np.array([film.camera(i).focal_px for i in range(len(times_s))])
    moved_px = speed * spec.video.exposure_s * focal_px / near_m
    half = spec.video.exposure_s / 2
    if film.is_moving:
        moved_px = np.maximum(moved_px, [_swept_px(film, i, half) for i in range(len(times_s))])
    counts = np.clip(np.ceil(moved_px / BLUR_STEP_PX), 1, MAX_EXPOSURES).astype(int)
    return [t + (np.linspace(-half, half, 2 * n + 1)[1::2]) for t, n in zip(times_s, counts, strict=True)]


def _swept_px(film: Film, frame: int, half_s: float) -> float:
    """Return how far the lifter's place moves in the picture because the camera does, while the shutter is open."""
    time_s = float(film.times_s[frame])
    ends = [film.camera(frame, time_s + side * half_s).project(np.array([0.0, 1.0, 0.0])) for side in (-1, 1)]
    return float(np.linalg.norm(ends[1] - ends[0]))


class _Sensor:
    """The sensor's gain, gamma and noise."""

    def __init__(self, video: VideoSpec, rng: np.random.Generator) -> None:
        """Draw noise once, a little larger than the picture: each frame takes a piece of it from another place."""
        self._levels = (np.clip(np.arange(256) / 255 * video.gain, 0, 1) ** video.gamma * 255).astype(np.float32)
        size = (video.height_px + NOISE_ROOM_PX, video.width_px + NOISE_ROOM_PX, 1)
        noise = rng.standard_normal(size, dtype=np.float32) * video.noise_levels
        self._noise = np.repeat(noise, 3, axis=2)
        self._size, self._rng = (video.height_px, video.width_px), rng

    def develop(self, picture: Image | Floats32) -> Image:
        """Return what the sensor makes of a picture (H, W, 3) of 0 to 255, whole numbers or a mean of several."""
        if picture.dtype == np.uint8:
            level = cv2.LUT(picture, self._levels)
        else:
            level = np.interp(picture, np.arange(256), self._levels).astype(np.float32)
        top, left = self._rng.integers(NOISE_ROOM_PX, size=2)
        noise = self._noise[top : top + self._size[0], left : left + self._size[1]]
        return np.asarray(cv2.add(level, noise[:, :: self._rng.choice((-1, 1))], dtype=cv2.CV_8U), dtype=np.uint8)


def frames_of(spec: LiftSpec) -> Iterator[Image]:
    """Draw the frames of a clip one by one, (H, W, 3) RGB.

    Raises:
        SetupError: mujoco or a way to draw without a screen is missing.
    """
    motion = simulate(spec)
    film = Film(spec, motion, frame_times(spec, motion))
    exposures = _exposures(film, motion)
    flat_s = np.concatenate(exposures)
    points, state, offsets_m = motion.keypoints(flat_s), motion.bar(flat_s), film.offsets_m(flat_s)
    girth = float(np.sqrt(spec.lifter.mass_kg / spec.lifter.height_m**2 / 23.0))
    sensor = _Sensor(spec.video, np.random.default_rng([spec.seed, 11]))

    def shapes(i: int) -> list[Shape]:
        return lifter_and_bar(points, state, i, motion.body, girth, spec.look, spec.bar, float(offsets_m[i]))

    with ExitStack() as stack:
        stages = {}
        for shot in np.unique(film.shots).tolist():
            camera = film.still_camera(shot)
            others, around = moving_people(spec, camera), surroundings_of(spec, camera)
            drawn = [*shapes(0), *others(float(flat_s[0]))]
            stages[shot] = stack.enter_context(Stage(camera, around, spec.look.light, drawn)), others
        first = 0
        for frame, times_s in enumerate(exposures):
            stage, others = stages[int(film.shots[frame])]
            taken = [
                stage.draw([*shapes(first + i), *others(float(t))], film.camera(frame, float(t)))
                for i, t in enumerate(times_s)
            ]
            first += len(times_s)
            yield sensor.develop(taken[0] if len(taken) == 1 else np.asarray(np.mean(taken, axis=0), dtype=np.float32))


def _write_video(path: Path, frames: Iterator[Image], video: VideoSpec, times_s: Sequence[float]) -> None:
    """Write H.264 with exact timestamps, playable while it loads."""
    rate = video.frame_rate_hz
    is_even = video.timing in ("true", "slow")
    base = 1 / rate if is_even else Fraction(1, TIME_BASE_HZ)
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = video.width_px, video.height_px, "yuv420p"
        # With macroblock trees x264 writes another file each time, even from the same pictures in one thread.
        stream.options = {"crf": str(video.crf), "preset": "veryfast", "x264-params": "mbtree=0"}
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = stream.time_base = base
        for i, (image, time_s) in enumerate(zip(frames, times_s, strict=True)):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts, frame.time_base = i if is_even else round(time_s * TIME_BASE_HZ), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def write_lift(spec: LiftSpec, folder: Path, clip_name: str = CLIP_NAME) -> Path:
    """Draw a lift and write clip and truth into a new folder; return the clip's path.

    Everything is written beside the folder first, so that the folder is either complete or not there.

    Raises:
        SetupError: mujoco or a way to draw without a screen is missing.
    """
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    truth = truth_of(spec, simulate(spec), clip_name)
    _write_video(unfinished / clip_name, frames_of(spec), spec.video, truth.times_s)
    (unfinished / TRUTH_NAME).write_text(truth.model_dump_json(), encoding="utf-8")
    (unfinished / "spec.json").write_text(spec.model_dump_json(indent=1), encoding="utf-8")
    unfinished.rename(folder)
    return folder / clip_name


def plan_dataset(
    *,
    n: int,
    seed: int,
    lift: LiftChoice = "snatch",
    fault: Fault | Literal["mixed"] | None = None,
    view: View | Literal["mixed"] = "side",
    filming: Filming = STILL,
) -> list[LiftSpec]:
    """Return the specs of a set: each depends on its own number and `seed` only.

    Mixed lifts go round through all kinds, mixed faults through none and those that the lift can show, with some lifts
    missed or lost. Mixed views go round through side, front, rear and oblique.
    """
    return [
        filmed(planned_spec(i, seed, lift, fault, view), filming, i, np.random.default_rng([seed, i, 29]))
        for i in range(n)
    ]


def _write_numbered(job: tuple[LiftSpec, Path]) -> Path:
    return write_lift(*job)


def write_dataset(
    out: Path,
    *,
    n: int,
    seed: int,
    lift: LiftChoice = "snatch",
    fault: Fault | Literal["mixed"] | None = None,
    view: View | Literal["mixed"] = "side",
    filming: Filming = STILL,
    workers: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write `n` lifts to `out/0000`, `out/0001`, …; folders that are there already are left as they are.

    Args:
        out: Folder of the set, made if missing.
        n: Number of lifts.
        seed: The same seed gives the same set; a longer set starts with the shorter one.
        lift: Which lift; "mixed" for all in turn.
        fault: One fault for all, None for clean lifts, "mixed" for all in turn, some of them missed.
        view: Where the camera stands; "mixed" for all views in turn.
        filming: How the camera is held and moves, the times of frames, and what goes on around the lifter.
        workers: Number of processes.
        on_progress: Called with (done, total) after each lift.

    Returns:
        The folders, in order.

    Raises:
        SetupError: mujoco or a way to draw without a screen is missing.
    """
    out.mkdir(parents=True, exist_ok=True)
    folders = [out / f"{i:04d}" for i in range(n)]
    jobs = list(
        zip(plan_dataset(n=n, seed=seed, lift=lift, fault=fault, view=view, filming=filming), folders, strict=True)
    )
    open_jobs = [job for job in jobs if not (job[1] / TRUTH_NAME).exists()]
    done = n - len(open_jobs)
    logger.info("%d of %d lifts are there already", done, n)
    for _ in _run(open_jobs, workers):
        done += 1
        if on_progress:
            on_progress(done, n)
    return folders


def _keep_to_one_core() -> None:
    """Let a worker draw and compute in its own process: threads of several workers would fight for the same cores."""
    os.environ.setdefault("LP_NUM_THREADS", "0")  # of Mesa's software renderer
    cv2.setNumThreads(1)


def _run(jobs: list[tuple[LiftSpec, Path]], workers: int) -> Iterator[Path]:
    if workers <= 1:
        yield from map(_write_numbered, jobs)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_keep_to_one_core) as pool:
        for written in as_completed([pool.submit(_write_numbered, job) for job in jobs]):
            yield written.result()
