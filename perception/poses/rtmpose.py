"""RTMPose on ONNX Runtime through rtmlib: 26 keypoints of body and feet (Halpe 26), found by a YOLOX or RTMDet."""

import contextlib
import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors
from rtmlib import YOLOX, RTMDet, RTMPose

from coach.domain.errors import SetupError
from perception.following import Found
from perception.keypoint_sets import COCO_17, HALPE_26, to_canonical
from perception.pose import Floats, Image, PoseEstimator
from perception.top_down import TopDown
from perception.weights import file_sha256, weight_path

MIN_SCORE = 0.3  # mean score of the body's keypoints below which a box holds nobody
DETECTOR_VARIABLE, POSE_VARIABLE = "LIFTCOACH_RTMPOSE_DETECTOR", "LIFTCOACH_RTMPOSE_POSE"
N_KEYPOINTS = 26
_LOAD_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)


@dataclass(frozen=True, slots=True)
class _Networks:
    """rtmlib's two loaded networks."""

    detector: Any
    pose: Any

    def detect(self, image: Image) -> list[Floats]:
        boxes = np.asarray(self.detector(cv2.cvtColor(image, cv2.COLOR_RGB2BGR)), dtype=np.float64)
        return list(boxes.reshape(-1, 4))

    def look(self, image: Image, boxes: list[Floats]) -> list[Found]:
        if not boxes:
            return []
        # rtmlib's examples hand over BGR; the network was trained on RGB (its mean and SD are in that order).
        points, scores = self.pose(image, bboxes=boxes)
        found = []
        for at, sure in zip(points.astype(np.float64), scores.astype(np.float64), strict=True):
            score = float(np.clip(sure[list(COCO_17.values())], 0, 1).mean())
            if score >= MIN_SCORE:
                found.append(Found(*to_canonical(at, sure, HALPE_26), score))
        return found


def create(
    *, max_people: int = 3, detector_path: str | Path | None = None, pose_path: str | Path | None = None
) -> PoseEstimator:
    """Return an RTMPose estimator.

    Args:
        max_people: How many people to follow at most; each costs one run of the pose network a frame.
        detector_path: An ONNX file of YOLOX or RTMDet (a name with "rtmdet"); None takes that of
            `LIFTCOACH_RTMPOSE_DETECTOR`, else the fetched one.
        pose_path: An ONNX file of RTMPose for Halpe 26; None takes that of `LIFTCOACH_RTMPOSE_POSE`, else the fetched.

    Raises:
        SetupError: The weights are missing, or not what they should be.
    """
    detector = _chosen(detector_path, DETECTOR_VARIABLE, "rtmpose_people")
    pose = _chosen(pose_path, POSE_VARIABLE, "rtmpose_body")
    both = hashlib.sha256(f"{file_sha256(detector)}{file_sha256(pose)}".encode()).hexdigest()
    networks = _Networks(_load_detector(detector), _load_pose(pose))
    return TopDown("rtmpose", both, networks.detect, networks.look, max_people)


def _chosen(path: str | Path | None, variable: str, weight: str) -> Path:
    named = path or os.environ.get(variable)
    if not named:
        return weight_path(weight)
    if not Path(named).is_file():
        raise SetupError(f"no file {named}: give an ONNX file ({variable} or the estimator's options)")
    return Path(named)


def _load_detector(path: Path) -> Any:
    tool = _load(RTMDet if "rtmdet" in path.name.lower() else YOLOX, path)
    height, width = _input_size(tool)
    tool.model_input_size = (height, width) if height and width else tool.model_input_size
    return tool


def _load_pose(path: Path) -> Any:
    tool = _load(RTMPose, path)
    height, width = _input_size(tool)
    tool.model_input_size = (width, height) if height and width else tool.model_input_size
    if N_KEYPOINTS not in tool.session.get_outputs()[0].shape:
        raise SetupError(f"{path} does not give {N_KEYPOINTS} keypoints: take an RTMPose for Halpe 26 (body with feet)")
    return tool


def _load(kind: Any, path: Path) -> Any:
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # rtmlib prints; standard output is for results
            return kind(str(path), backend="onnxruntime", device="cpu")
    except _LOAD_ERRORS as problem:
        raise SetupError(f"{path} is no network that ONNX Runtime can load: {problem}") from problem


def _input_size(tool: Any) -> tuple[int, int]:
    """Return height and width of the network's input; 0 where its file leaves them open."""
    height, width = tool.session.get_inputs()[0].shape[2:]
    return (height, width) if isinstance(height, int) and isinstance(width, int) else (0, 0)
