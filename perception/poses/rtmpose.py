"""RTMPose on ONNX Runtime through rtmlib: 26 keypoints of body and feet (Halpe 26), found by a YOLOX or RTMDet.

The pose network runs once a frame and person, in the box the person had in the frame before; the detector, which is the
slower one, runs when somebody is missing and every `REDETECT_FRAMES` frames. There is no depth: `world_m` is NaN.
"""

import contextlib
import hashlib
import io
import os
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors
from rtmlib import YOLOX, RTMDet, RTMPose

from coach.domain.errors import SetupError
from perception.following import Follower, Found
from perception.keypoint_sets import COCO_17, HALPE_26, to_canonical
from perception.pose import Floats, Image, Person, PoseEstimator, check_shape
from perception.weights import file_sha256, weight_path

REDETECT_FRAMES = 15  # half a second at 30 fps: how long a newcomer may go unseen
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


class RtmPose:
    """Finds and follows people in the frames of one clip; keeps its state between frames."""

    name = "rtmpose"

    def __init__(self, detector: Any, network: Any, max_people: int, weights_sha256: str) -> None:
        """Take rtmlib's two loaded networks; `create` is the way to make one."""
        self.weights_sha256 = weights_sha256
        self._detector = detector
        self._network = network
        self._follower = Follower(max_people)
        self._max_people = max_people
        self.reset()

    def reset(self) -> None:
        """Forget whom it was tracking, as at a camera cut; ids are not used again."""
        self._follower.reset()
        self._since_detection = REDETECT_FRAMES

    def estimate(self, image_rgb: Image) -> list[Person]:
        """Return the people in the next frame, the largest first.

        Args:
            image_rgb: (H, W, 3) uint8, RGB, upright.
        """
        check_shape("image_rgb", image_rgb, (None, None, 3))
        self._since_detection += 1
        boxes = self._follower.boxes_px()
        is_due = self._since_detection >= REDETECT_FRAMES
        found = self._look(image_rgb, boxes)
        if is_due or len(found) < max(1, len(boxes)):
            # A box from the detector is cut anew: one that follows itself may drift off the body.
            found = self._look(image_rgb, self._detect(image_rgb))
        return self._follower.follow(found)

    def _detect(self, image: Image) -> list[Floats]:
        """Return the boxes of the largest people: left, top, right, bottom in pixels."""
        self._since_detection = 0
        boxes = np.asarray(self._detector(cv2.cvtColor(image, cv2.COLOR_RGB2BGR)), dtype=np.float64).reshape(-1, 4)
        sizes = (boxes[:, 2:] - boxes[:, :2]).clip(0).prod(axis=1)
        return [boxes[i] for i in np.argsort(-sizes)[: self._max_people] if sizes[i] > 0]

    def _look(self, image: Image, boxes: list[Floats]) -> list[Found]:
        if not boxes:
            return []
        # rtmlib's examples hand over BGR; the network was trained on RGB (its mean and SD are in that order).
        points, scores = self._network(image, bboxes=boxes)
        found = []
        for at, sure in zip(points, scores, strict=True):
            score = float(np.clip(sure[list(COCO_17.values())], 0, 1).mean())
            if score >= MIN_SCORE:
                found.append(Found(*to_canonical(at.astype(np.float64), sure.astype(np.float64), HALPE_26), score))
        return found


def _load(kind: Any, path: Path, is_pose: bool) -> Any:
    """Load one network, with the size of input that its file tells."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # rtmlib prints; standard output is for results
            tool = kind(str(path), backend="onnxruntime", device="cpu")
    except _LOAD_ERRORS as problem:
        raise SetupError(f"{path} is no network that ONNX Runtime can load: {problem}") from problem
    height, width = tool.session.get_inputs()[0].shape[2:]
    if isinstance(height, int) and isinstance(width, int):
        tool.model_input_size = (width, height) if is_pose else (height, width)
    if is_pose and N_KEYPOINTS not in tool.session.get_outputs()[0].shape:
        raise SetupError(f"{path} does not give {N_KEYPOINTS} keypoints: take an RTMPose for Halpe 26 (body with feet)")
    return tool


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
    kind = RTMDet if "rtmdet" in detector.name.lower() else YOLOX
    return cast(PoseEstimator, RtmPose(_load(kind, detector, False), _load(RTMPose, pose, True), max_people, both))


def _chosen(path: str | Path | None, variable: str, weight: str) -> Path:
    named = path or os.environ.get(variable)
    if not named:
        return weight_path(weight)
    if not Path(named).is_file():
        raise SetupError(f"no file {named}: give an ONNX file ({variable} or the estimator's options)")
    return Path(named)
