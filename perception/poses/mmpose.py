"""MMPose in an environment of its own, because what it needs clashes with everybody: spoken to over pipes.

`LIFTCOACH_MMPOSE_PYTHON` names the Python of that environment; `docs/pose-backends.md` tells how to make one.
"""

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
import weakref
from pathlib import Path
from typing import IO, Any

import numpy as np

from coach.domain.errors import SetupError
from perception import mmpose_worker
from perception.following import Follower, Found
from perception.keypoint_sets import COCO_17, HALPE_26, to_canonical
from perception.pose import Floats, Image, Person, PoseEstimator, check_shape
from perception.top_down import TopDown

PYTHON_VARIABLE, MODEL_VARIABLE = "LIFTCOACH_MMPOSE_PYTHON", "LIFTCOACH_MMPOSE_MODEL"
WEIGHTS_VARIABLE, DEVICE_VARIABLE = "LIFTCOACH_MMPOSE_WEIGHTS", "LIFTCOACH_MMPOSE_DEVICE"
DEFAULT_MODEL = "body26"  # RTMPose-m for Halpe 26, an alias of MMPose
START_S = 900.0  # s, MMPose may have to fetch its weights first
ANSWER_S = 120.0  # s for one picture, on a slow processor
MIN_SCORE = 0.3  # mean score of the body's keypoints below which there is nobody
SETS = {26: HALPE_26, 17: COCO_17}


class Worker:
    """The program in the other environment: one picture in, the people in it out."""

    def __init__(self, command: list[str]) -> None:
        """Start it and wait until its model is loaded.

        Raises:
            SetupError: It does not start, or ends; the message has its last words.
        """
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors
            )
        except OSError as problem:
            self._errors.close()
            raise SetupError(f"{command[0]} cannot be started ({problem}): check {PYTHON_VARIABLE}") from problem
        self.close = weakref.finalize(self, _end, self._process, self._errors)
        self.about = self._read(START_S)

    def look(self, image: Image) -> list[tuple[Floats, Floats]]:
        """Return points (N, 2) in pixels and scores (N,) of each person in a picture.

        Raises:
            SetupError: The worker ended, or gave no answer in time.
        """
        height, width = image.shape[:2]
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"height": height, "width": width}).encode() + b"\n")
            self._process.stdin.write(np.ascontiguousarray(image).data)
            self._process.stdin.flush()
        except OSError as problem:
            raise self._ended("MMPose ended") from problem
        people = self._read(ANSWER_S)["people"]
        return [
            (np.array(one["points"], dtype=np.float64)[:, :2], np.array(one["scores"], dtype=np.float64))
            for one in people
        ]

    def _read(self, timeout_s: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        watchdog = threading.Timer(timeout_s, self._process.kill)
        watchdog.start()
        line = self._process.stdout.readline()
        watchdog.cancel()
        if not line:
            raise self._ended(f"MMPose ended, or gave no answer in {timeout_s:.0f} s")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _ended(self, what: str) -> SetupError:
        """Return the error that tells what the worker said last."""
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        self.close()
        return SetupError(f"{what}: {lines[-1] if lines else 'it said nothing'}")


def _end(process: "subprocess.Popen[bytes]", errors: IO[bytes]) -> None:
    """Let a worker end: it stops when its standard input does."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(timeout=5.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
    errors.close()


class _EveryFrame:
    """People as the worker's own detector finds them, frame by frame."""

    name = "mmpose"

    def __init__(self, worker: Worker, places: dict[str, int], max_people: int) -> None:
        self.weights_sha256 = str(worker.about["weights_sha256"])
        self._worker = worker
        self._places = places
        self._follower = Follower(max_people)

    def reset(self) -> None:
        """Forget whom it was following."""
        self._follower.reset()

    def estimate(self, image_rgb: Image) -> list[Person]:
        """Return the people in the next frame, the largest first."""
        check_shape("image_rgb", image_rgb, (None, None, 3))
        return self._follower.follow(_found(self._worker.look(image_rgb), self._places, np.zeros(2)))


def create(*, max_people: int = 3, python: str | Path | None = None, model: str | None = None) -> PoseEstimator:
    """Return an estimator that asks MMPose in another environment.

    With MMDetection there, MMPose finds the people itself. Without, the whole picture is searched for one person, who
    is then followed in a box of their own.

    Args:
        max_people: How many people to follow at most.
        python: The Python of the environment; None takes `LIFTCOACH_MMPOSE_PYTHON`, else this one if it has MMPose.
        model: An alias of MMPose, or a config file; None takes `LIFTCOACH_MMPOSE_MODEL`, else body26. Weights for a
            config file are named by `LIFTCOACH_MMPOSE_WEIGHTS`; those of an alias MMPose fetches itself.

    Raises:
        SetupError: There is no such environment, MMPose does not start in it, or the model has other keypoints.
    """
    chosen = str(python or os.environ.get(PYTHON_VARIABLE) or "")
    if not chosen and importlib.util.find_spec("mmpose") is not None:
        chosen = sys.executable
    if not chosen:
        raise SetupError(
            f"mmpose lives in an environment of its own: make one as in docs/pose-backends.md and set {PYTHON_VARIABLE} "
            "to its Python"
        )
    command = [chosen, mmpose_worker.__file__, "--model", model or os.environ.get(MODEL_VARIABLE) or DEFAULT_MODEL]
    for option, variable in (("--weights", WEIGHTS_VARIABLE), ("--device", DEVICE_VARIABLE)):
        if value := os.environ.get(variable):
            command += [option, value]
    worker = Worker(command)
    places = SETS.get(int(worker.about["n_keypoints"]))
    if places is None:
        worker.close()
        raise SetupError(f"that model gives {worker.about['n_keypoints']} keypoints: take one for Halpe 26 or COCO 17")
    if worker.about["has_detector"]:
        return _EveryFrame(worker, places, max_people)
    boxes = _Boxes(worker, places)
    return TopDown("mmpose", str(worker.about["weights_sha256"]), boxes.detect, boxes.look, max_people)


class _Boxes:
    """Boxes cut out of the picture, each searched for one person."""

    def __init__(self, worker: Worker, places: dict[str, int]) -> None:
        self._worker = worker
        self._places = places

    def detect(self, image: Image) -> list[Floats]:
        height, width = image.shape[:2]
        return [np.array([0.0, 0.0, width, height])]

    def look(self, image: Image, boxes: list[Floats]) -> list[Found]:
        found: list[Found] = []
        limits = np.array([image.shape[1], image.shape[0]])
        for box in boxes:
            low, high = (np.clip(np.round(corner), 0, limits).astype(int) for corner in (box[:2], box[2:]))
            part = image[low[1] : high[1], low[0] : high[0]]
            if part.size:
                found += _found(self._worker.look(part), self._places, low.astype(np.float64))
        return found


def _found(people: list[tuple[Floats, Floats]], places: dict[str, int], origin_px: Floats) -> list[Found]:
    out = []
    for points, scores in people:
        score = float(np.clip(scores[list(COCO_17.values())], 0, 1).mean())
        if score >= MIN_SCORE:
            out.append(Found(*to_canonical(points + origin_px, scores, places), score))
    return out
