"""What every pose estimator must do, whichever file of `perception/poses` it is.

An estimator whose weights are not on this machine runs with random ones where its packages are: that holds its shapes,
but it sees nobody, so the tests of what it sees are skipped and say so.
"""

import importlib
import importlib.util
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from coach.domain.errors import SetupError
from perception.pose import INDEX, KEYPOINTS, POSES, Image, PoseEstimator
from perception.video import open_clip, read_frames
from perception.weights import list_weights
from tests.perception.marker_makers import as_halpe, write_trc_file

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "perception" / "simulator" / "demo" / "snatch.mp4"
CLIPS = (DEMO, ROOT.parent / "shared" / "clips" / "snatch_side_480p.mp4")
START_S, END_S = 2.0, 2.5
IGNORES_PICTURES = "it tells what stands in a file and does not look at pictures"
SEES_NOBODY = "random weights see nobody: the real ones are not on this machine"


@dataclass(frozen=True)
class Tried:
    """An estimator under test; `blind` says why it cannot see, `deaf` why pictures and resets mean nothing to it."""

    estimator: PoseEstimator
    blind: str = ""
    deaf: str = ""


def random_rtmpose(folder: Path) -> PoseEstimator:
    from tests.perception.random_networks import write_detector, write_pose_network

    detector, pose = write_detector(folder / "yolox.onnx"), write_pose_network(folder / "pose.onnx")
    return POSES.load("rtmpose", detector_path=detector, pose_path=pose)


def random_vitpose(folder: Path) -> PoseEstimator:
    from tests.perception.random_vitpose import write_vitpose

    write_vitpose(folder)
    return POSES.load("vitpose", pose_path=folder / "pose", detector_path=folder / "detector", device="cpu")


def random_mmpose(folder: Path) -> PoseEstimator:
    """Return MMPose of the environment that is named, with a model that its package describes; no weights fetched."""
    from perception.poses.mmpose import PYTHON_VARIABLE

    python = os.environ.get(PYTHON_VARIABLE)
    if python is None:
        pytest.skip(f"{PYTHON_VARIABLE} is not set: docs/pose-backends.md tells how to make an environment for MMPose")
    packages = "lib/python3*/site-packages/mmpose/.mim/configs/body_2d_keypoint/rtmpose/body8"
    (config,) = Path(python).parents[1].glob(f"{packages}/rtmpose-t_*-halpe26-256x192.py")
    return POSES.load("mmpose", model=str(config))


RANDOM: dict[str, tuple[tuple[str, ...], Callable[[Path], PoseEstimator]]] = {
    "mmpose": ((), random_mmpose),
    "rtmpose": (("rtmlib", "onnx"), random_rtmpose),
    "vitpose": (("torch", "torchvision", "transformers"), random_vitpose),
}


def file_of_the_demo(folder: Path) -> Tried:
    """Return what reads the true keypoints of the frames below out of a file, as a pose program writes it."""
    truth = json.loads(DEMO.with_name("truth.json").read_text(encoding="utf-8"))
    points, times = np.array(truth["keypoints_px"]), np.array(truth["times_s"])
    wanted = times >= START_S - 1e-6
    flat = np.concatenate([points, np.ones((*points.shape[:2], 1))], axis=2)[wanted]
    markers = {name: flat[:, i] for i, name in enumerate(truth["keypoint_names"])}
    path = write_trc_file(folder / "px.trc", times[wanted] - times[wanted][0], as_halpe(markers), "px")
    return Tried(POSES.load("trc", markers=path), deaf=IGNORES_PICTURES)


def load(name: str, folder: Path) -> Tried:
    """Return the estimator with its own weights or random ones, or skip where its packages are not here."""
    if name == "trc":
        return file_of_the_demo(folder)
    try:
        return Tried(POSES.load(name))
    except SetupError as problem:
        has_weights = all(status.is_present for status in list_weights() if status.weight.bundle == name)
        if name == "blazepose" and has_weights:
            raise
        if name in RANDOM and all(importlib.util.find_spec(package) for package in RANDOM[name][0]):
            return Tried(RANDOM[name][1](folder), blind=SEES_NOBODY)
        pytest.skip(str(problem))


@pytest.fixture(params=POSES.names())
def tried(request: pytest.FixtureRequest, tmp_path: Path) -> Tried:
    return load(request.param, tmp_path)


@pytest.fixture
def estimator(tried: Tried) -> PoseEstimator:
    return tried.estimator


@pytest.fixture
def seeing(tried: Tried) -> PoseEstimator:
    """An estimator that finds people."""
    if tried.blind:
        pytest.skip(tried.blind)
    return tried.estimator


@pytest.fixture
def looking(tried: Tried) -> PoseEstimator:
    """An estimator that finds people in pictures."""
    if tried.blind or tried.deaf:
        pytest.skip(tried.blind or tried.deaf)
    return tried.estimator


@pytest.fixture(scope="module")
def frames() -> list[Image]:
    """Half a second of a lift, from where the lifter stands up with the bar."""
    for path in CLIPS:
        if path.is_file():
            return [frame.image for frame in read_frames(open_clip(path), start_s=START_S, end_s=END_S)]
    pytest.skip(f"no clip to look at: {CLIPS[0].relative_to(ROOT)} does not exist")


def test_there_are_estimators() -> None:
    assert {"blazepose", "mmpose", "rtmpose", "trc", "vitpose"} <= set(POSES.names())


@pytest.mark.parametrize("name", POSES.names())
def test_every_file_of_the_folder_makes_an_estimator(name: str) -> None:
    try:
        module = importlib.import_module(f"perception.poses.{name}")
    except ModuleNotFoundError as problem:
        pytest.skip(f"{name} needs {problem.name}")
    assert callable(module.create)


def test_an_estimator_tells_its_name_and_its_weights(estimator: PoseEstimator) -> None:
    assert estimator.name in POSES.names()
    assert len(estimator.weights_sha256) == 64
    assert set(estimator.weights_sha256) <= set("0123456789abcdef")


def test_whoever_is_found_has_every_keypoint_or_says_that_it_is_unknown(
    estimator: PoseEstimator, frames: list[Image]
) -> None:
    for image in frames[:4]:
        for person in estimator.estimate(image):
            assert person.points_px.shape == (len(KEYPOINTS), 2)
            assert person.world_m.shape == (len(KEYPOINTS), 3)
            assert np.all((person.visibility >= 0) & (person.visibility <= 1))
            assert 0 <= person.score <= 1
            assert np.all(np.isnan(person.points_px).any(axis=1) <= (person.visibility < 0.5))


def test_the_lifter_is_found_and_followed(seeing: PoseEstimator, frames: list[Image]) -> None:
    people = [seeing.estimate(image) for image in frames]
    assert all(people)
    assert len({min(found, key=lambda p: p.person_id).person_id for found in people}) == 1
    height, width = frames[0].shape[:2]
    for person in (person for found in people for person in found):
        known = person.points_px[~np.isnan(person.points_px).any(axis=1)]
        assert np.all(np.abs(known - (width / 2, height / 2)) < (width, height))


def test_a_standing_lifter_has_shoulders_above_hips_above_ankles(seeing: PoseEstimator, frames: list[Image]) -> None:
    person = max(seeing.estimate(frames[0]), key=lambda p: np.ptp(p.points_px[:, 1]))
    y = {part: person.points_px[[INDEX[f"{s}_{part}"] for s in ("left", "right")], 1].mean() for part in PARTS}
    assert y["shoulder"] < y["hip"] < y["ankle"]
    if not np.isnan(person.world_m).all():
        up = {p: person.world_m[[INDEX[f"{s}_{p}"] for s in ("left", "right")], 1].mean() for p in PARTS}
        assert up["shoulder"] < up["hip"] < up["ankle"]
        assert 0.3 < up["hip"] - up["shoulder"] < 0.8


PARTS = ("shoulder", "hip", "ankle")


def test_an_empty_picture_has_nobody(looking: PoseEstimator) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (240, 320, 3), np.uint8)
    for image in (np.zeros((480, 640, 3), np.uint8), np.full((64, 48, 3), 255, np.uint8), noise):
        looking.reset()
        assert looking.estimate(image) == []


def test_reset_makes_the_next_frame_the_first(looking: PoseEstimator, frames: list[Image]) -> None:
    first = looking.estimate(frames[0])
    for image in frames[1:6]:
        looking.estimate(image)
    looking.reset()
    again = looking.estimate(frames[0])
    assert len(again) == len(first)
    for one, other in zip(first, again, strict=True):
        assert one.points_px == pytest.approx(other.points_px, abs=1e-3, nan_ok=True)


def test_the_picture_is_left_as_it_was(estimator: PoseEstimator, frames: list[Image]) -> None:
    image = frames[0].copy()
    image.setflags(write=False)
    estimator.estimate(image)
    assert np.array_equal(image, frames[0])


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield
