"""ViTPose and RT-DETR with random weights from small configurations: shapes, loading and errors, not accuracy."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'liftcoach[vitpose]'")
pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")

from coach.domain.errors import SetupError
from perception.keypoint_sets import COCO_17
from perception.pose import INDEX, POSES
from tests.perception.random_vitpose import write_vitpose

IMAGE = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vitpose")
    write_vitpose(folder)
    return folder


@pytest.fixture
def estimator(folder: Path):
    return POSES.load("vitpose", pose_path=folder / "pose", detector_path=folder / "detector", device="cpu")


def test_the_pose_is_looked_for_in_the_box(estimator):
    estimator._detect = lambda image: [np.array([100.0, 20.0, 200.0, 220.0])]
    (found,) = estimator._look(IMAGE, estimator._detect(IMAGE)) or [None]
    if found is None:
        pytest.skip("random weights were sure of nobody")
    known = found.points_px[[INDEX[name] for name in COCO_17]]
    assert ((known > (50, -30)) & (known < (250, 270))).all()
    assert np.isnan(found.points_px[INDEX["left_toe"]]).all()


def test_a_picture_goes_through_both_networks(estimator):
    for person in estimator.estimate(IMAGE):
        assert person.points_px.shape == (21, 2)
        assert np.isnan(person.world_m).all()


def test_boxes_of_the_detector_are_pixels_of_the_picture(estimator):
    for box in estimator._detect(IMAGE):
        assert box.shape == (4,)
        assert ((box > -50) & (box < 370)).all()


def test_the_hash_is_that_of_the_weights(folder, estimator):
    again = POSES.load("vitpose", pose_path=folder / "pose", detector_path=folder / "detector", device="cpu")
    assert again.weights_sha256 == estimator.weights_sha256
    assert len(again.weights_sha256) == 64


def test_missing_weights_name_the_command_to_type(tmp_path, monkeypatch):
    monkeypatch.setenv("LIFTCOACH_CACHE", str(tmp_path))
    with pytest.raises(SetupError, match="coach models fetch vitpose"):
        POSES.load("vitpose")


def test_a_folder_without_a_model_and_a_wrong_model_are_told(folder, tmp_path):
    with pytest.raises(SetupError, match="is no VitPose"):
        POSES.load("vitpose", pose_path=tmp_path, detector_path=folder / "detector")
    with pytest.raises(SetupError, match="knows no persons"):
        POSES.load("vitpose", pose_path=folder / "pose", detector_path=folder / "blind")
