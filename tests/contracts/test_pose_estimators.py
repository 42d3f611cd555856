"""What every pose estimator must do, whichever file of `perception/poses` it is."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from coach.domain.errors import SetupError
from perception.pose import INDEX, KEYPOINTS, POSES, Image, PoseEstimator
from perception.video import open_clip, read_frames
from perception.weights import list_weights

ROOT = Path(__file__).resolve().parents[2]
CLIPS = (
    ROOT / "perception" / "simulator" / "demo" / "snatch.mp4",
    ROOT.parent / "shared" / "clips" / "snatch_side_480p.mp4",
)


def load(name: str) -> PoseEstimator:
    """Return the estimator, or skip where its packages or weights are not here."""
    try:
        return POSES.load(name)
    except SetupError as problem:
        has_weights = all(status.is_present for status in list_weights() if status.weight.bundle == name)
        if name == "blazepose" and has_weights:
            raise
        pytest.skip(str(problem))


@pytest.fixture(params=POSES.names())
def estimator(request: pytest.FixtureRequest) -> PoseEstimator:
    return load(request.param)


@pytest.fixture(scope="module")
def frames() -> list[Image]:
    """Half a second of a lift, from where the lifter stands up with the bar."""
    for path in CLIPS:
        if path.is_file():
            return [frame.image for frame in read_frames(open_clip(path), start_s=2.0, end_s=2.5)]
    pytest.skip(f"no clip to look at: {CLIPS[0].relative_to(ROOT)} does not exist")


def test_there_is_an_estimator() -> None:
    assert "blazepose" in POSES.names()


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


def test_the_lifter_is_found_and_followed(estimator: PoseEstimator, frames: list[Image]) -> None:
    people = [estimator.estimate(image) for image in frames]
    assert all(people)
    assert len({min(found, key=lambda p: p.person_id).person_id for found in people}) == 1
    height, width = frames[0].shape[:2]
    for person in (person for found in people for person in found):
        assert person.points_px.shape == (len(KEYPOINTS), 2)
        assert person.world_m.shape == (len(KEYPOINTS), 3)
        assert np.all((person.visibility >= 0) & (person.visibility <= 1))
        assert 0 <= person.score <= 1
        known = person.points_px[~np.isnan(person.points_px).any(axis=1)]
        assert np.all(np.abs(known - (width / 2, height / 2)) < (width, height))
        assert np.all(np.isnan(person.points_px).any(axis=1) <= (person.visibility < 0.5))


def test_a_standing_lifter_has_shoulders_above_hips_above_ankles(estimator: PoseEstimator, frames: list[Image]) -> None:
    person = max(estimator.estimate(frames[0]), key=lambda p: np.ptp(p.points_px[:, 1]))
    y = {part: person.points_px[[INDEX[f"{s}_{part}"] for s in ("left", "right")], 1].mean() for part in PARTS}
    assert y["shoulder"] < y["hip"] < y["ankle"]
    if not np.isnan(person.world_m).all():
        up = {p: person.world_m[[INDEX[f"{s}_{p}"] for s in ("left", "right")], 1].mean() for p in PARTS}
        assert up["shoulder"] < up["hip"] < up["ankle"]
        assert 0.3 < up["hip"] - up["shoulder"] < 0.8


PARTS = ("shoulder", "hip", "ankle")


def test_an_empty_picture_has_nobody(estimator: PoseEstimator) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (240, 320, 3), np.uint8)
    for image in (np.zeros((480, 640, 3), np.uint8), np.full((64, 48, 3), 255, np.uint8), noise):
        estimator.reset()
        assert estimator.estimate(image) == []


def test_reset_makes_the_next_frame_the_first(estimator: PoseEstimator, frames: list[Image]) -> None:
    first = estimator.estimate(frames[0])
    for image in frames[1:6]:
        estimator.estimate(image)
    estimator.reset()
    again = estimator.estimate(frames[0])
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
