"""MMPose's backend with a stand-in for the worker; with `LIFTCOACH_MMPOSE_PYTHON` set, the real one as well."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from coach.domain.errors import SetupError
from perception import mmpose_worker
from perception.pose import INDEX, POSES
from perception.poses import mmpose
from perception.poses.mmpose import PYTHON_VARIABLE
from tests.perception.figures import halpe_standing

IMAGE = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)

STAND_IN = '''
"""Answers like perception/mmpose_worker.py; what it does is told by the name of the model."""
import json, sys
model = sys.argv[sys.argv.index("--model") + 1]
points = json.loads(POINTS)
if model == "broken":
    print("no such model", file=sys.stderr); sys.exit(3)
n = 5 if model == "five" else 26
print(json.dumps({"n_keypoints": n, "has_detector": model == "detects", "weights_sha256": "ab" * 32}), flush=True)
while header := sys.stdin.buffer.readline():
    size = json.loads(header)
    data = sys.stdin.buffer.read(3 * size["height"] * size["width"])
    if model == "dies":
        print("out of memory", file=sys.stderr); sys.exit(1)
    person = {"points": [[x * size["width"], y * size["height"]] for x, y in points], "scores": [data[0] / 255] * 26}
    print(json.dumps({"people": [person]}), flush=True)
'''


REAL_PYTHON = os.environ.get(PYTHON_VARIABLE)
REAL_WORKER = mmpose_worker.__file__
CONFIG = "mmpose/.mim/configs/body_2d_keypoint/rtmpose/body8/rtmpose-t_8xb1024-700e_body8-halpe26-256x192.py"


@pytest.fixture(autouse=True)
def _stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text(STAND_IN.replace("POINTS", repr(json.dumps(halpe_standing().tolist()))), encoding="utf-8")
    monkeypatch.setattr(mmpose_worker, "__file__", str(worker))
    monkeypatch.setenv(PYTHON_VARIABLE, sys.executable)


def sure(image: np.ndarray, score: int = 230) -> np.ndarray:
    image = image.copy()
    image[:, :, 0] = score
    return image


@pytest.mark.parametrize("model", ["detects", "searches"])
def test_people_come_back_in_pixels_of_the_picture(model):
    estimator = POSES.load("mmpose", model=model)
    (person,) = estimator.estimate(sure(IMAGE))
    want = halpe_standing()[6] * (320, 240)
    assert person.points_px[INDEX["right_shoulder"]] == pytest.approx(want)
    assert person.score == pytest.approx(230 / 255)
    assert np.isnan(person.world_m).all()
    assert estimator.weights_sha256 == "ab" * 32


def test_without_a_detector_the_box_of_the_frame_before_is_searched():
    estimator = POSES.load("mmpose", model="searches")
    heights = [np.ptp(estimator.estimate(sure(IMAGE))[0].points_px[:, 1]) for _ in range(3)]
    assert heights[0] > heights[1]
    assert [person.person_id for person in estimator.estimate(sure(IMAGE))] == [0]


def test_whom_the_model_is_not_sure_of_is_nobody():
    assert POSES.load("mmpose", model="searches").estimate(sure(IMAGE, 20)) == []


@pytest.mark.parametrize(
    ("model", "reason"), [("broken", "MMPose ended.*no such model"), ("five", "gives 5 keypoints")]
)
def test_a_model_that_cannot_be_used_is_told(model, reason):
    with pytest.raises(SetupError, match=reason):
        POSES.load("mmpose", model=model)


def test_a_worker_that_dies_leaves_its_last_words():
    estimator = POSES.load("mmpose", model="dies")
    with pytest.raises(SetupError, match="out of memory"):
        estimator.estimate(IMAGE)


def test_an_environment_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setenv(PYTHON_VARIABLE, "/no/such/python")
    with pytest.raises(SetupError, match=f"check {PYTHON_VARIABLE}"):
        POSES.load("mmpose")


def test_without_an_environment_the_page_to_read_is_named(monkeypatch):
    monkeypatch.delenv(PYTHON_VARIABLE)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SetupError, match=rf"docs/pose-backends\.md and set {PYTHON_VARIABLE}"):
        mmpose.create()


def test_the_worker_imports_nothing_of_ours_and_nothing_by_accident():
    """It runs in an environment without Liftcoach, from a folder full of modules with common names."""
    path = Path(__file__).resolve().parents[2] / "perception" / "mmpose_worker.py"
    ended = subprocess.run([sys.executable, "-I", str(path), "--help"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "Liftcoach" in ended.stdout


@pytest.mark.skipif(REAL_PYTHON is None, reason=f"{PYTHON_VARIABLE} is not set: docs/pose-backends.md tells how")
def test_the_real_mmpose_answers_with_random_weights(monkeypatch):
    monkeypatch.setattr(mmpose_worker, "__file__", REAL_WORKER)
    monkeypatch.setattr(mmpose, "MIN_SCORE", 0.0)
    (config,) = Path(REAL_PYTHON).parents[1].glob(f"lib/python3*/site-packages/{CONFIG}")
    estimator = POSES.load("mmpose", python=REAL_PYTHON, model=str(config))
    (person,) = estimator.estimate(IMAGE)
    known = person.points_px[person.visibility > 0]
    assert ((known > (-120, -200)) & (known < (440, 440))).all()  # the box padded to 400 by 533 px, and drawn-out hands
