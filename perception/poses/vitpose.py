"""ViTPose through transformers: the 17 keypoints of COCO, people found by RT-DETR; accurate, slow without a GPU.

COCO has no feet and no hands: heels and toes stay unknown, and a hand is drawn out of its forearm.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    RTDetrForObjectDetection,
    RTDetrImageProcessor,
    VitPoseForPoseEstimation,
    VitPoseImageProcessor,
)
from transformers.utils.logging import disable_progress_bar

from coach.domain.errors import SetupError
from coach.hub import MODELS, find_source, models_folder
from perception.following import Found
from perception.keypoint_sets import COCO_17, to_canonical
from perception.pose import Floats, Image, PoseEstimator
from perception.top_down import TopDown

PERSON_SCORE = 0.5  # of the detector
MIN_SCORE = 0.3  # mean score of the keypoints below which a box holds nobody
POSE_VARIABLE, DETECTOR_VARIABLE = "LIFTCOACH_VITPOSE_POSE", "LIFTCOACH_VITPOSE_DETECTOR"
N_KEYPOINTS = 17
COCO_EXPERT = 0  # of ViTPose+, whose experts know one data set each


@dataclass(frozen=True, slots=True)
class _Networks:
    """The two networks, each with what prepares its input and reads its output."""

    detector: Any
    detector_processor: Any
    pose: Any
    pose_processor: Any
    device: str

    def detect(self, image: Image) -> list[Floats]:
        # A copy, because torch warns of pictures that must not be written to.
        inputs = self.detector_processor(images=image.copy(), return_tensors="pt").to(self.device)
        with torch.inference_mode():
            outputs = self.detector(**inputs)
        found = self.detector_processor.post_process_object_detection(
            outputs, threshold=PERSON_SCORE, target_sizes=[image.shape[:2]]
        )[0]
        names = self.detector.config.id2label
        is_person = [names[int(label)] == "person" for label in found["labels"]]
        return list(found["boxes"].double().cpu().numpy()[is_person].reshape(-1, 4))

    def look(self, image: Image, boxes: list[Floats]) -> list[Found]:
        if not boxes:
            return []
        corners = np.array(boxes)
        coco = [np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)]  # left, top, width, height
        inputs = self.pose_processor(image.copy(), boxes=coco, return_tensors="pt").to(self.device)
        if getattr(self.pose.config.backbone_config, "num_experts", 1) > 1:
            inputs["dataset_index"] = torch.full((len(boxes),), COCO_EXPERT, device=self.device)
        with torch.inference_mode():
            outputs = self.pose(**inputs)
        found = self.pose_processor.post_process_pose_estimation(outputs, boxes=coco)[0]
        people = []
        for one in found:
            points, scores = (one[key].double().cpu().numpy() for key in ("keypoints", "scores"))
            score = float(np.clip(scores, 0, 1).mean())
            if score >= MIN_SCORE:
                people.append(Found(*to_canonical(points, scores, COCO_17), score))
        return people


def create(
    *,
    max_people: int = 3,
    pose_path: str | Path | None = None,
    detector_path: str | Path | None = None,
    device: str | None = None,
) -> PoseEstimator:
    """Return a ViTPose estimator.

    Args:
        max_people: How many people to follow at most; each costs one run of the pose network a frame.
        pose_path: A folder with a ViTPose of 17 keypoints, or the name of one that lies in the hub's own cache; None
            takes that of `LIFTCOACH_VITPOSE_POSE`, else the fetched one.
        detector_path: The same for an RT-DETR (`LIFTCOACH_VITPOSE_DETECTOR`).
        device: Such as "cuda:0"; None takes a GPU where there is one.

    Raises:
        SetupError: The weights are missing, or not what they should be.
    """
    pose_name = _chosen(pose_path, POSE_VARIABLE, "vitpose-base")
    detector_name = _chosen(detector_path, DETECTOR_VARIABLE, "rtdetr-r50")
    where = device or ("cuda" if torch.cuda.is_available() else "cpu")
    pose, pose_processor = _load(VitPoseForPoseEstimation, VitPoseImageProcessor, pose_name, where)
    detector, detector_processor = _load(RTDetrForObjectDetection, RTDetrImageProcessor, detector_name, where)
    if pose.config.num_labels != N_KEYPOINTS:
        raise SetupError(f"{pose_name} gives {pose.config.num_labels} keypoints: take a ViTPose for COCO, with 17")
    if "person" not in detector.config.id2label.values():
        raise SetupError(f"{detector_name} knows no persons: take an RT-DETR trained on COCO")
    both = hashlib.sha256(f"{_sha256(pose)}{_sha256(detector)}".encode()).hexdigest()
    networks = _Networks(detector, detector_processor, pose, pose_processor, where)
    return TopDown("vitpose", both, networks.detect, networks.look, max_people)


def _chosen(path: str | Path | None, variable: str, model: str) -> str:
    named = path or os.environ.get(variable)
    if named:
        return str(named)
    if find_source(model) is None:
        raise SetupError(f"the weights {MODELS[model].repository} are not on this machine: coach models fetch vitpose")
    return str(models_folder() / model)


def _load(kind: Any, processor: Any, name: str, device: str) -> tuple[Any, Any]:
    """Return a network ready to run, and its processor; nothing is downloaded here."""
    disable_progress_bar()
    try:
        network = kind.from_pretrained(name, local_files_only=True).to(device).eval()
        return network, processor.from_pretrained(name, local_files_only=True)
    except (OSError, ValueError) as problem:
        raise SetupError(f"{name} is no {kind.__name__} on this machine: {problem}") from problem


def _sha256(network: Any) -> str:
    """Return the SHA-256 over the weights of a network, in the order of their names."""
    digest = hashlib.sha256()
    for name, values in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(values.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
