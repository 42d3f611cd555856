"""RTMPose with networks of random weights: shapes, following and errors, not accuracy."""

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rtmlib", reason="rtmlib is not installed: pip install --no-deps rtmlib")
pytest.importorskip("onnx", reason="onnx is not installed, so no network with random weights can be made")

from coach.domain.errors import SetupError
from perception.pose import INDEX, POSES
from perception.poses import rtmpose
from perception.weights import file_sha256
from tests.perception.random_networks import write_detector, write_pose_network

IMAGE = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    write_detector(folder / "yolox.onnx", side_px=64)
    write_detector(folder / "rtmdet.onnx", side_px=96)
    write_pose_network(folder / "pose.onnx")
    return folder


@pytest.fixture(params=["yolox.onnx", "rtmdet.onnx"])
def estimator(request: pytest.FixtureRequest, folder: Path):
    return POSES.load("rtmpose", detector_path=folder / request.param, pose_path=folder / "pose.onnx")


def test_the_pose_lies_in_the_box_that_was_found(estimator):
    """The detector says 0.3 to 0.7 by 0.1 to 0.9 of a square, which is the picture's longer side."""
    (person,) = estimator.estimate(IMAGE)
    shoulders = person.points_px[[INDEX["left_shoulder"], INDEX["right_shoulder"]]].mean(axis=0)
    assert shoulders[0] == pytest.approx(0.5 * 320, abs=3)
    assert 0.1 * 320 < shoulders[1] < 0.5 * 320
    assert np.isnan(person.world_m).all()
    assert person.score == pytest.approx(0.9, abs=0.05)


def test_the_detector_runs_on_the_first_frame_and_every_fifteenth(estimator, monkeypatch):
    calls: list[str] = []
    detect = estimator._detect
    monkeypatch.setattr(estimator, "_detect", lambda image: calls.append("detection") or detect(image))
    for i in range(32):
        calls.append(f"frame {i}")
        assert [person.person_id for person in estimator.estimate(IMAGE)] == [0]
    before = [a for a, b in itertools.pairwise(calls) if b == "detection"]
    assert before == ["frame 0", "frame 15", "frame 30"]


def test_nothing_is_said_on_standard_output(folder, capsys):
    POSES.load("rtmpose", detector_path=folder / "yolox.onnx", pose_path=folder / "pose.onnx")
    assert capsys.readouterr().out == ""


def test_paths_may_be_given_by_the_environment(folder, monkeypatch):
    monkeypatch.setenv(rtmpose.DETECTOR_VARIABLE, str(folder / "yolox.onnx"))
    monkeypatch.setenv(rtmpose.POSE_VARIABLE, str(folder / "pose.onnx"))
    one = POSES.load("rtmpose")
    assert one.weights_sha256 != file_sha256(folder / "pose.onnx")
    assert one.weights_sha256 == POSES.load("rtmpose").weights_sha256


def test_missing_weights_name_the_command_to_type(tmp_path, monkeypatch):
    monkeypatch.setenv("LIFTCOACH_CACHE", str(tmp_path))
    with pytest.raises(SetupError, match="coach models fetch rtmpose"):
        POSES.load("rtmpose")
    with pytest.raises(SetupError, match=r"no file nowhere\.onnx"):
        POSES.load("rtmpose", detector_path="nowhere.onnx")


def test_a_file_that_is_no_network_and_one_for_another_body_are_refused(folder, tmp_path):
    (tmp_path / "text.onnx").write_text("not a network")
    with pytest.raises(SetupError, match="no network"):
        POSES.load("rtmpose", detector_path=folder / "yolox.onnx", pose_path=tmp_path / "text.onnx")
    with pytest.raises(SetupError, match="26 keypoints"):
        POSES.load("rtmpose", detector_path=folder / "yolox.onnx", pose_path=folder / "yolox.onnx")


def test_without_rtmlib_the_extra_to_install_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "rtmlib", None)
    monkeypatch.delitem(sys.modules, "perception.poses.rtmpose", raising=False)
    with pytest.raises(SetupError, match="rtmlib"):
        POSES.load("rtmpose")
