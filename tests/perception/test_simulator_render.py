"""Simulated clips: drawn, written, decoded, resumed; and the shipped demo."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from coach.domain.errors import SetupError
from perception.simulator import dataset, render
from perception.simulator.camera import camera_of
from perception.simulator.dataset import frames_of, plan_dataset, write_dataset, write_lift
from perception.simulator.demo_clip import demo_clip, demo_spec
from perception.simulator.film_truth import marks_m
from perception.simulator.filming import Film
from perception.simulator.motion import simulate_snatch
from perception.simulator.random_filming import timed
from perception.simulator.random_spec import random_spec
from perception.simulator.render import Stage
from perception.simulator.shapes import ball, capsule
from perception.simulator.spec import Filming, LiftSpec
from perception.simulator.surroundings import surroundings_of
from perception.simulator.truth import frame_times, read_truth, truth_of


@pytest.fixture(scope="session")
def gl() -> None:
    try:
        render.load_mujoco()
    except SetupError as problem:
        pytest.skip(f"nothing can be drawn on this machine: {problem}")


def small(spec: LiftSpec, rate: str = "25", height_px: int = 120) -> LiftSpec:
    """Return the lift in a small picture, cut short before lift-off and after the release."""
    factor = height_px / spec.video.height_px
    video = spec.video.model_copy(
        update={
            "width_px": 2 * round(spec.video.width_px * factor / 2),
            "height_px": height_px,
            "rate": rate,
            "exposure_s": 0.001,
        }
    )
    snatch = spec.snatch.model_copy(
        update={"setup_s": 0.1, "reaches_down": False, "bottom_s": 0.1, "recovery_s": 1.0, "hold_s": 0.6, "tail_s": 0.2}
    )
    camera = spec.camera.model_copy(update={"focal_px": spec.camera.focal_px * factor})
    return spec.model_copy(update={"video": video, "snatch": snatch, "camera": camera})


@pytest.fixture(scope="module")
def clip(gl: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lift(small(random_spec(3)), tmp_path_factory.mktemp("lift") / "0000")


def decoded(path: Path) -> tuple[list[float], list[np.ndarray]]:
    with av.open(str(path)) as container:
        frames = [(float(f.pts * f.time_base), f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
    return [t for t, _ in frames], [image for _, image in frames]


def test_a_written_clip_decodes_to_the_frames_and_times_of_its_truth(clip):
    truth = read_truth(clip.with_name("truth.json"))
    times, images = decoded(clip)
    assert images[0].shape == (truth.height_px, truth.width_px, 3)
    assert np.array(times) == pytest.approx(np.array(truth.times_s), abs=1e-4)


def test_a_clip_can_be_played_by_a_browser(clip):
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
    head = clip.read_bytes()
    assert head.index(b"moov") < head.index(b"mdat")


def test_the_plate_is_drawn_where_the_truth_says(gl):
    """Without plate and with plate, the picture differs inside the stated circle and hardly outside the person."""
    spec = small(random_spec(3))
    spec = spec.model_copy(
        update={"video": spec.video.model_copy(update={"noise_levels": 0.0, "width_px": 640, "height_px": 480})}
    )
    spec = spec.model_copy(update={"camera": spec.camera.model_copy(update={"focal_px": spec.camera.focal_px * 4})})
    white = tuple((1.0, 1.0, 1.0) for _ in spec.bar.disc_colours)
    black = tuple((0.0, 0.0, 0.0) for _ in spec.bar.disc_colours)
    first = [
        next(frames_of(spec.model_copy(update={"bar": spec.bar.model_copy(update={"disc_colours": colours})}))).astype(
            float
        )
        for colours in (white, black)
    ]
    truth = truth_of(spec, simulate_snatch(spec), "lift.mp4")
    (cx, cy), radius = truth.bar.plate_px[0], truth.bar.plate_radius_px[0]
    changed = np.abs(first[0] - first[1]).max(axis=2) > 40
    y, x = np.mgrid[: changed.shape[0], : changed.shape[1]] + 0.5
    away = np.hypot(x - cx, y - cy)
    ring = (away > 0.88 * radius) & (away < 0.97 * radius)
    assert changed[ring].mean() > 0.98
    near = (away > 1.04 * radius) & (away < 1.1 * radius) & (y > cy)
    assert changed[near].mean() < 0.25


def test_blur_averages_exposures_only_while_the_bar_moves(gl):
    spec = small(random_spec(3), height_px=300)
    long = spec.model_copy(update={"video": spec.video.model_copy(update={"exposure_s": 1 / 60, "noise_levels": 0.0})})
    short = spec.model_copy(update={"video": spec.video.model_copy(update={"noise_levels": 0.0})})
    motion = simulate_snatch(spec)
    fast = int(np.argmin(abs(frame_times(spec, motion) - motion.times.peak_s)))
    for index, low, high in ((0, -1.0, 1e-9), (fast, 0.03, 60.0)):
        pair = []
        for one in (long, short):
            frames = frames_of(one)
            pair.append([next(frames) for _ in range(index + 1)][-1].astype(float))
            frames.close()
        assert low < np.abs(pair[0] - pair[1]).mean() < high


def test_the_same_spec_gives_the_same_pixels(gl):
    spec = small(random_spec(6, view="front"))
    a, b = frames_of(spec), frames_of(spec)
    assert np.array_equal(next(a), next(b))


def test_a_dataset_resumes_where_it_stopped(gl, tmp_path, monkeypatch):
    monkeypatch.setattr("perception.simulator.dataset.plan_dataset", lambda **k: [small(s) for s in plan_dataset(**k)])
    seen: list[tuple[int, int]] = []
    folders = write_dataset(tmp_path, n=1, seed=4)
    stamp = (folders[0] / "lift.mp4").stat().st_mtime_ns
    again = write_dataset(tmp_path, n=2, seed=4, on_progress=lambda done, total: seen.append((done, total)))
    assert (folders[0] / "lift.mp4").stat().st_mtime_ns == stamp
    assert again[0] == folders[0]
    assert seen == [(2, 2)]
    assert not list(tmp_path.glob("*.unfinished"))


def test_an_interrupted_lift_leaves_no_finished_folder(gl, tmp_path, monkeypatch):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("perception.simulator.dataset._write_video", stop)
    with pytest.raises(KeyboardInterrupt):
        write_lift(small(random_spec(3)), tmp_path / "0000")
    assert not (tmp_path / "0000").exists()


def test_without_any_gl_the_error_names_what_to_install(monkeypatch):
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(render, "_works", lambda backend: False)
    monkeypatch.setitem(sys.modules, "mujoco", None)
    monkeypatch.delitem(sys.modules, "mujoco")
    with pytest.raises(SetupError, match="libosmesa6"):
        render.load_mujoco()


def test_the_shipped_demo_matches_its_truth_and_is_small():
    clip = demo_clip()
    truth = read_truth(clip.with_name("truth.json"))
    times, images = decoded(clip)
    assert len(images) == len(truth.times_s)
    assert 4.5 < times[-1] < 7
    assert clip.stat().st_size < 1_000_000
    assert clip.with_name("truth.json").stat().st_size < 300_000
    assert truth.fault == "bar_swing_forward"
    assert truth.measures["bar_forward_loop_m"] > 0.16


def test_the_shipped_truth_is_what_the_demo_spec_gives_today():
    spec = demo_spec()
    truth = read_truth(demo_clip().with_name("truth.json"))
    now = truth_of(spec, simulate_snatch(spec), "snatch.mp4")
    assert now.instants == truth.instants
    assert now.measures == pytest.approx(truth.measures, abs=1e-4)
    assert camera_of(spec.camera, spec.video).width_px == truth.width_px


def test_finding_the_demo_needs_no_mujoco():
    code = "import sys; from perception.simulator.demo_clip import demo_clip; print(demo_clip().exists(), 'mujoco' in sys.modules)"
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    told = subprocess.run([sys.executable, "-c", code], check=True, cwd=root, env=environment, capture_output=True)
    assert told.stdout.split() == [b"True", b"False"]


@pytest.mark.parametrize("timing", ["jittered", "dropped", "slow"])
def test_uneven_and_slow_files_hold_the_times_of_their_truth(timing, tmp_path):
    """Written from grey pictures: only the timestamps are looked at."""
    spec = small(random_spec(3))
    spec = spec.model_copy(update={"video": timed(np.random.default_rng(1), spec.video, timing)})
    truth = truth_of(spec, simulate_snatch(spec), "lift.mp4")
    grey = np.full((spec.video.height_px, spec.video.width_px, 3), 90, dtype=np.uint8)
    path = tmp_path / "lift.mp4"
    dataset._write_video(path, iter([grey] * len(truth.times_s)), spec.video, truth.times_s)
    times, _ = decoded(path)
    assert np.array(times) == pytest.approx(np.array(truth.times_s), abs=2e-5)


def test_the_same_pictures_make_the_same_file_each_time(tmp_path):
    """Grain that moves over a pattern: what x264 needs to decide otherwise the next time."""
    spec = small(random_spec(3))
    video = spec.video.model_copy(update={"width_px": 540, "height_px": 960})
    random = np.random.default_rng(0)
    pattern = cv2.GaussianBlur(random.uniform(0, 255, (960, 600, 3)), (0, 0), 3) * 3 % 255
    frames = [
        np.clip(pattern[:, i : i + 540] + random.normal(0, 4, (960, 540, 3)), 0, 255).astype(np.uint8)
        for i in range(0, 60, 2)
    ]
    written = set()
    for i in range(4):
        path = tmp_path / f"{i}.mp4"
        dataset._write_video(path, iter(frames), video, [n / float(video.frame_rate_hz) for n in range(len(frames))])
        written.add(path.read_bytes())
    assert len(written) == 1


def test_a_part_of_the_picture_drawn_again_is_the_picture_drawn_whole(gl):
    """A still camera draws only around what moves, a moving one everything: both give the same pixels."""
    spec = small(random_spec(3))
    camera = camera_of(spec.camera, spec.video)
    scene = [capsule(np.array([0.0, 0.4, -0.2]), np.array([0.3, 1.2, 0.3]), 0.1, (0.8, 0.2, 0.2))]
    with Stage(camera, surroundings_of(spec, camera), 1.0, scene) as stage:
        part, whole = stage.draw(scene), stage.draw(scene, replace(camera))
        assert np.abs(part.astype(int) - whole).max() <= 12
        assert np.mean(part != whole) < 1e-3
        assert np.mean(part != stage.draw([])) > 0.01


def test_background_marks_of_a_moving_camera_are_where_the_background_is_drawn(gl):
    """A ball on the wall's mark, once white and once black, differs around the pixel that the truth gives."""
    (spec,) = dataset.plan_dataset(n=1, seed=6, filming=Filming(is_tilted=True, handling="shake"))
    spec = small(spec, height_px=240)
    motion = simulate_snatch(spec)
    truth = truth_of(spec, motion, "lift.mp4")
    film = Film(spec, motion, frame_times(spec, motion))
    mark = 3  # high on the wall, where nothing stands before it
    place = marks_m(spec.look, film.still_camera(0))[mark]
    white, black = ([ball(place, 0.06, (grey, grey, grey))] for grey in (1.0, 0.0))
    with Stage(film.still_camera(0), surroundings_of(spec, film.still_camera(0)), 1.0) as stage:
        for frame in (3, len(truth.times_s) - 3):
            camera = film.camera(frame)
            change = np.abs(stage.draw(white, camera).astype(int) - stage.draw(black, camera)).sum(axis=2)
            y, x = np.nonzero(change > 0.2 * change.max())
            found = np.array([x.mean(), y.mean()]) + 0.5
            assert found == pytest.approx(truth.camera.film.marks_px[frame][mark], abs=0.5)


def test_a_cut_is_drawn_with_the_other_camera(gl):
    (spec,) = dataset.plan_dataset(n=1, seed=3, filming=Filming(has_cut=True))
    spec = small(spec)
    cut = spec.cuts[0].model_copy(update={"start_ratio": 0.02, "end_ratio": 0.04})
    frames = frames_of(spec.model_copy(update={"cuts": (cut,)}))
    first = [next(frames).astype(float) for _ in range(6)]
    frames.close()
    steps = [np.abs(a - b).mean() for a, b in pairwise(first)]
    assert max(steps) > 5 * min(steps)


def test_people_who_walk_and_lift_around_are_drawn(gl):
    spec = small(random_spec(3))
    busy = spec.look.model_copy(update={"passer": "behind", "has_second_lifter": True})
    pictures = [next(frames_of(one)) for one in (spec, spec.model_copy(update={"look": busy}))]
    assert np.mean(np.abs(pictures[0].astype(int) - pictures[1]).max(axis=2) > 40) > 0.004
