"""Folders of simulated clips with their truth beside them."""

import logging
import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Literal

import av
import numpy as np

from perception.pose import Floats, Image
from perception.simulator.camera import Camera, camera_of
from perception.simulator.mannequin import lifter_and_bar
from perception.simulator.motion import SnatchMotion, simulate_snatch
from perception.simulator.random_spec import random_spec
from perception.simulator.render import Stage
from perception.simulator.spec import FAULTS, Fault, LiftSpec, VideoSpec, View
from perception.simulator.surroundings import surroundings_of
from perception.simulator.truth import frame_times, truth_of

CLIP_NAME = "lift.mp4"
TRUTH_NAME = "truth.json"
BLUR_STEP_PX = 1.5  # px, the bar may move this far between two exposures that are averaged
MAX_EXPOSURES = 5  # a cap on the cost of one frame
MISSED_SHARE = 0.2  # of random lifts that may be missed

logger = logging.getLogger(__name__)

__all__ = ["frames_of", "random_spec", "write_dataset", "write_lift"]


def _exposures(spec: LiftSpec, camera: Camera, motion: SnatchMotion, times_s: Floats) -> list[Floats]:
    """Return for each frame the times that are averaged: one where nothing moves fast, more where the bar does."""
    speed = np.linalg.norm(motion.bar(times_s).velocity_m_s, axis=1)
    near_m = spec.camera.distance_m - 0.8
    moved_px = speed * spec.video.exposure_s * camera.focal_px / near_m
    counts = np.clip(np.ceil(moved_px / BLUR_STEP_PX), 1, MAX_EXPOSURES).astype(int)
    half = spec.video.exposure_s / 2
    return [t + (np.linspace(-half, half, 2 * n + 1)[1::2]) for t, n in zip(times_s, counts, strict=True)]


def _developed(picture: Floats, video: VideoSpec, rng: np.random.Generator) -> Image:
    """Return a picture (H, W, 3) of 0 to 255 with the sensor's gain, gamma and noise."""
    level = (np.clip(picture / 255, 0, 1) * video.gain) ** video.gamma * 255
    noise = rng.standard_normal(picture.shape[:2], dtype=np.float32)[..., None] * video.noise_levels
    return np.asarray(np.clip(level + noise, 0, 255), dtype=np.uint8)


def frames_of(spec: LiftSpec) -> Iterator[Image]:
    """Draw the frames of a clip one by one, (H, W, 3) RGB.

    Raises:
        SetupError: mujoco or a way to draw without a screen is missing.
    """
    motion, camera, look = simulate_snatch(spec), camera_of(spec.camera, spec.video), spec.look
    girth = float(np.sqrt(spec.lifter.mass_kg / spec.lifter.height_m**2 / 23.0))
    rng = np.random.default_rng([spec.seed, 11])
    with Stage(camera, surroundings_of(spec, camera), look.light) as stage:
        for times in _exposures(spec, camera, motion, frame_times(spec, motion)):
            points, state = motion.keypoints(times), motion.bar(times)
            total = np.zeros((camera.height_px, camera.width_px, 3), dtype=np.float32)
            for i in range(len(times)):
                total += stage.draw(lifter_and_bar(points, state, i, motion.body, girth, look, spec.bar))
            yield _developed(total / len(times), spec.video, rng)


def _write_video(path: Path, frames: Iterator[Image], video: VideoSpec) -> None:
    """Write H.264 with exact timestamps, playable while it loads."""
    rate = video.frame_rate_hz
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = video.width_px, video.height_px, "yuv420p"
        stream.options = {"crf": str(video.crf), "preset": "fast"}
        stream.codec_context.thread_count = 1
        for i, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts, frame.time_base = i, 1 / rate
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
    truth = truth_of(spec, simulate_snatch(spec), clip_name)
    _write_video(unfinished / clip_name, frames_of(spec), spec.video)
    (unfinished / TRUTH_NAME).write_text(truth.model_dump_json(), encoding="utf-8")
    (unfinished / "spec.json").write_text(spec.model_dump_json(indent=1), encoding="utf-8")
    unfinished.rename(folder)
    return folder / clip_name


def plan_dataset(
    *, n: int, seed: int, fault: Fault | Literal["mixed"] | None = None, view: View | Literal["mixed"] = "side"
) -> list[LiftSpec]:
    """Return the specs of a set: each depends on its own number and `seed` only.

    Mixed faults go round through none and every fault; a fifth of the lifts that can be missed are.
    """
    specs = []
    for i in range(n):
        rng = np.random.default_rng([seed, i])
        own = (None, *FAULTS)[i % 5] if fault == "mixed" else fault
        missed = (
            fault == "mixed"
            and own in (None, "bar_forward_off_floor", "bar_swing_forward")
            and rng.random() < MISSED_SHARE
        )
        seen: View = ("side", "front")[i // 5 % 2] if view == "mixed" else view
        specs.append(random_spec(int(rng.integers(2**31)), fault=own, missed=missed, view=seen))
    return specs


def _write_numbered(job: tuple[LiftSpec, Path]) -> Path:
    return write_lift(*job)


def write_dataset(
    out: Path,
    *,
    n: int,
    seed: int,
    lift: Literal["snatch"] = "snatch",
    fault: Fault | Literal["mixed"] | None = None,
    view: View | Literal["mixed"] = "side",
    workers: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write `n` lifts to `out/0000`, `out/0001`, …; folders that are there already are left as they are.

    Args:
        out: Folder of the set, made if missing.
        n: Number of lifts.
        seed: The same seed gives the same set; a longer set starts with the shorter one.
        lift: Which lift.
        fault: One fault for all, None for clean lifts, "mixed" for all in turn, some of them missed.
        view: Where the camera stands; "mixed" for side and front.
        workers: Number of processes.
        on_progress: Called with (done, total) after each lift.

    Returns:
        The folders, in order.

    Raises:
        SetupError: mujoco or a way to draw without a screen is missing.
    """
    if lift != "snatch":
        raise ValueError(f"no simulated {lift}; choose snatch")
    out.mkdir(parents=True, exist_ok=True)
    folders = [out / f"{i:04d}" for i in range(n)]
    jobs = list(zip(plan_dataset(n=n, seed=seed, fault=fault, view=view), folders, strict=True))
    open_jobs = [job for job in jobs if not (job[1] / TRUTH_NAME).exists()]
    done = n - len(open_jobs)
    logger.info("%d of %d lifts are there already", done, n)
    for _ in _run(open_jobs, workers):
        done += 1
        if on_progress:
            on_progress(done, n)
    return folders


def _run(jobs: list[tuple[LiftSpec, Path]], workers: int) -> Iterator[Path]:
    if workers <= 1:
        yield from map(_write_numbered, jobs)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_write_numbered, jobs)
