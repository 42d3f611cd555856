"""BlazePose full on LiteRT: 2D and world keypoints of several people, on a CPU, without MediaPipe.

About one run of the landmark network a frame and person; the detector runs when somebody is missing and every
`REDETECT_FRAMES` frames, so people who come into the picture are found.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from coach.domain.errors import SetupError
from perception.blazepose_math import (
    MIN_SCORE,
    Floats32,
    Landmarks,
    Roi,
    crop,
    decode_detections,
    decode_landmarks,
    letterbox,
    make_anchors,
    next_roi,
    roi_from_points,
    to_keypoints,
)
from perception.pose import Image, Person, PoseEstimator, check_shape
from perception.weights import WEIGHTS, weight_path

REDETECT_FRAMES = 15  # half a second at 30 fps: how long a newcomer may go unseen
REMEMBER_FRAMES = 30  # how long a lost person keeps the id when found again at the same place
SAME_OVERLAP = 0.35  # regions that overlap more than this are of one person
MIN_ROI_PX = 16.0


@dataclass(frozen=True, slots=True, eq=False)
class _Tracked:
    """One person followed from frame to frame; `seen` is the frame they were last found in."""

    person_id: int
    roi: Roi
    landmarks: Landmarks
    seen: int


class BlazePose:
    """Finds and follows people in the frames of one clip; keeps its state between frames."""

    name = "blazepose"

    def __init__(self, detector: "_Network", landmarker: "_Network", max_people: int, weights_sha256: str) -> None:
        """Take two loaded networks; `create` is the way to make one."""
        self.weights_sha256 = weights_sha256
        self._detector = detector
        self._landmarker = landmarker
        self._max_people = max_people
        self._anchors = make_anchors()
        self.reset()

    def reset(self) -> None:
        """Forget whom it was tracking, as at a camera cut; ids start again from 0."""
        self._people: list[_Tracked] = []
        self._lost: list[_Tracked] = []
        self._frame = -1
        self._last_detection = -REDETECT_FRAMES
        self._next_id = 0

    def estimate(self, image_rgb: Image) -> list[Person]:
        """Return the people in the next frame, the largest first.

        Args:
            image_rgb: (H, W, 3) uint8, RGB, upright.
        """
        check_shape("image_rgb", image_rgb, (None, None, 3))
        self._frame += 1
        before = self._people
        followed = [self._look(image_rgb, person.roi, person.person_id) for person in before]
        found = _without_doubles([person for person in followed if person is not None])
        if len(found) < max(1, len(before)) or self._frame - self._last_detection >= REDETECT_FRAMES:
            kept = {person.person_id for person in found}
            self._lost += [person for person in before if person.person_id not in kept]
            found = self._add_newcomers(image_rgb, found)
        self._people = sorted(found, key=lambda person: -person.roi.size_px)[: self._max_people]
        return [_to_person(person) for person in self._people]

    def _look(self, image: Image, roi: Roi, person_id: int) -> _Tracked | None:
        """Run the landmark network on one region; None where it sees nobody."""
        if not MIN_ROI_PX <= roi.size_px <= 8 * max(image.shape[:2]):
            return None
        outputs = self._landmarker.run(crop(image, roi))
        flag = float(outputs[(1, 1)].ravel()[0])
        if flag < MIN_SCORE:
            return None
        landmarks = decode_landmarks(outputs[(1, 195)][0], flag, outputs[(1, 64, 64, 39)][0], outputs[(1, 117)][0], roi)
        return _Tracked(person_id, next_roi(landmarks), landmarks, self._frame)

    def _detect(self, image: Image) -> list[Roi]:
        """Return the regions of the people in the whole picture, the largest first."""
        inputs, back = letterbox(image)
        outputs = self._detector.run(inputs)
        rows, _ = decode_detections(outputs[(1, 2254, 12)][0], outputs[(1, 2254, 1)][0, :, 0], self._anchors)
        points = rows[:, 4:8].reshape(-1, 2, 2) @ back[:, :2].T + back[:, 2]
        return sorted((roi_from_points(hip, rim) for hip, rim in points), key=lambda roi: -roi.size_px)

    def _add_newcomers(self, image: Image, found: list[_Tracked]) -> list[_Tracked]:
        self._last_detection = self._frame
        self._lost = [person for person in self._lost if self._frame - person.seen <= REMEMBER_FRAMES]
        for roi in self._detect(image):
            if len(found) >= self._max_people and roi.size_px <= min(person.roi.size_px for person in found):
                break
            if any(roi.overlap(person.roi) > SAME_OVERLAP for person in found):
                continue
            seen = self._look(image, roi, -1)
            if seen is not None:
                found = _without_doubles([*found, replace(seen, person_id=self._id_at(seen.roi))])
        return found

    def _id_at(self, roi: Roi) -> int:
        """Return the id of whoever was lost at this place, or a new one."""
        for person in sorted(self._lost, key=lambda person: -roi.overlap(person.roi)):
            if roi.overlap(person.roi) > SAME_OVERLAP:
                self._lost.remove(person)
                return person.person_id
        self._next_id += 1
        return self._next_id - 1


def _without_doubles(people: list[_Tracked]) -> list[_Tracked]:
    """Drop tracks that came to follow a person whom an older track follows already."""
    kept: list[_Tracked] = []
    for person in people:
        if all(person.roi.overlap(other.roi) <= 0.7 for other in kept):
            kept.append(person)
    return kept


def _to_person(tracked: _Tracked) -> Person:
    seen = tracked.landmarks
    return Person(
        points_px=to_keypoints(seen.points_px),
        world_m=to_keypoints(seen.world_m),
        visibility=to_keypoints(seen.visibility),
        score=min(1.0, seen.score),
        person_id=tracked.person_id,
    )


class _Network:
    """One network on LiteRT; its outputs are known by their shapes."""

    def __init__(self, path: Path, threads: int) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as problem:
            raise SetupError(f"blazepose needs LiteRT ({problem}): pip install ai-edge-litert") from problem
        self._interpreter: Any = Interpreter(model_path=str(path), num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = {tuple(d["shape"]): d["index"] for d in self._interpreter.get_output_details()}

    def run(self, inputs: Floats32) -> dict[tuple[int, ...], Floats32]:
        """Return every output by its shape; the arrays are copies."""
        self._interpreter.set_tensor(self._input, inputs)
        self._interpreter.invoke()
        return {shape: self._interpreter.get_tensor(index) for shape, index in self._outputs.items()}


def create(*, max_people: int = 3, threads: int | None = None) -> PoseEstimator:
    """Return a BlazePose estimator; its weights must have been fetched.

    Args:
        max_people: How many people to follow at most; each costs one run of the landmark network a frame.
        threads: CPU threads of the networks; None takes two.

    Raises:
        SetupError: The weights or the LiteRT package are missing.
    """
    if max_people < 1:
        raise ValueError(f"max_people must be at least 1, got {max_people}")
    names = ("pose_detection", "pose_landmark_full")
    detector, landmarker = (_Network(weight_path(name), threads or 2) for name in names)
    both = hashlib.sha256("".join(WEIGHTS[name].sha256 for name in names).encode()).hexdigest()
    return BlazePose(detector, landmarker, max_people, both)
