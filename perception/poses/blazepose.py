"""BlazePose full on LiteRT: 2D and world keypoints of several people, on a CPU, without MediaPipe.

About one run of the landmark network a frame and person; the detector runs when somebody is missing and every
`REDETECT_FRAMES` frames, so people who come into the picture are found.
"""

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from coach.domain.errors import SetupError
from perception.blazepose_math import (
    MIN_SCORE,
    Change,
    Floats32,
    Landmarks,
    Roi,
    crop,
    decode_detections,
    decode_landmarks,
    ease,
    letterbox,
    make_anchors,
    next_roi,
    roi_from_points,
    to_keypoints,
)
from perception.pose import Floats, Image, Person, PoseEstimator, check_shape
from perception.seeking import Box
from perception.weights import weight_path, weight_sha256

REDETECT_FRAMES = 15  # half a second at 30 fps: how long a newcomer may go unseen
REMEMBER_FRAMES = 30  # how long a lost person keeps the id when found again at the same place
SAME_DISTANCE = 0.25  # hips nearer than this share of the region: detector and track mean one person
DOUBLE_DISTANCE = 0.1  # likewise for hips or heads of two tracks, which agree better than detector and track
MAX_LEAN_RAD = 1.2  # beside somebody who is followed, only the upright count: discs look like people upside down
LARGEST_CHANGE = Change(0.2, 0.4, 0.5)  # in one frame; real lifts stayed below (0.12, 0.23, 0.13), a cut does not
THUMBNAIL_SIZE = 32
JUMP_LEVEL = 20.0  # mean change of 8-bit values: cuts gave 30 to 50, a lifter filling the picture 17, others below 4
HEAD_LANDMARKS = (0, 7, 8, 11, 12)  # nose, ears, shoulders
MUCH_LARGER = 1.2  # a newcomer this much larger takes the place of the smallest when there are too many
MIN_ROI_PX = 16.0
SMALLEST_PART_PX = 64  # a smaller part of the picture shows nobody that the whole one hides
LONG_PICTURE = 0.15  # spare length over width from which square parts are looked at


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
        self._next_id = 0
        self.reset()

    def reset(self) -> None:
        """Forget whom it was tracking, as at a camera cut; ids are not used again."""
        self._people: list[_Tracked] = []
        self._thumbnail: Floats | None = None
        self._lost: list[_Tracked] = []
        self._frame = -1
        self._last_detection = -REDETECT_FRAMES
        self._n_detections = 0
        self._sought: Box | None = None

    def seek(self, part_px: Box) -> None:
        """Look for people in a part of the next frame as well."""
        self._sought = part_px

    def estimate(self, image_rgb: Image) -> list[Person]:
        """Return the people in the next frame, the largest first.

        Args:
            image_rgb: (H, W, 3) uint8, RGB, upright.
        """
        check_shape("image_rgb", image_rgb, (None, None, 3))
        if image_rgb.size == 0:
            raise ValueError(f"image_rgb has no pixels: shape {image_rgb.shape}")
        self._frame += 1
        found = self._start_again(image_rgb) if self._has_jumped(image_rgb) else self._go_on(image_rgb)
        self._people = sorted(found, key=lambda person: -person.roi.size_px)[: self._max_people]
        return [_to_person(person) for person in self._people]

    def _go_on(self, image: Image) -> list[_Tracked]:
        before = self._people
        followed = [self._follow(image, person) for person in before]
        found = _without_doubles([person for person in followed if person is not None])
        if len(found) < max(1, len(before)) or self._frame - self._last_detection >= REDETECT_FRAMES:
            kept = {person.person_id for person in found}
            self._lost += [person for person in before if person.person_id not in kept]
            found = self._add_newcomers(image, found)
        if self._sought is not None:
            part, self._sought = self._sought, None
            found = self._add(image, found, self._detect_in(image, part))
        return found

    def _start_again(self, image: Image) -> list[_Tracked]:
        """Trust the detector alone: after a cut the network may see somebody in any region it is shown."""
        self._lost += self._people
        return self._add_newcomers(image, []) or self._go_on(image)

    def _has_jumped(self, image: Image) -> bool:
        """Tell whether the whole picture differs from the last, as at a cut; a false alarm costs one detection."""
        height, width = image.shape[:2]
        rows = np.linspace(0, height - 1, THUMBNAIL_SIZE).astype(int)
        columns = np.linspace(0, width - 1, THUMBNAIL_SIZE).astype(int)
        before, self._thumbnail = self._thumbnail, image[np.ix_(rows, columns)].astype(np.float64)
        return before is not None and float(np.abs(self._thumbnail - before).mean()) > JUMP_LEVEL

    def _follow(self, image: Image, person: _Tracked) -> _Tracked | None:
        """Look where the person was; None where nobody is, or somebody who cannot have moved there in one frame."""
        seen = self._look(image, person.roi, person.person_id)
        if seen is None or not Change.between(person.roi, seen.roi).within(LARGEST_CHANGE):
            return None
        return replace(seen, roi=ease(person.roi, seen.roi))

    def _look(self, image: Image, roi: Roi, person_id: int) -> _Tracked | None:
        """Run the landmark network on one region; None where it sees nobody."""
        if not MIN_ROI_PX <= roi.size_px <= 8 * max(image.shape[:2]):
            return None
        self._landmarker.run(crop(image, roi))
        flag = float(self._landmarker.output(1, 1)[0, 0])
        if flag < MIN_SCORE:
            return None
        raw, heatmaps, world = (self._landmarker.output(*shape)[0] for shape in ((1, 195), (1, 64, 64, 39), (1, 117)))
        landmarks = decode_landmarks(raw, flag, heatmaps, world, roi)
        where = next_roi(landmarks)
        return _Tracked(person_id, where, landmarks, self._frame) if where.size_px >= MIN_ROI_PX else None

    def _detect(self, image: Image) -> list[Roi]:
        """Return the regions of the people found, the largest first.

        The network sees 224 pixels, so a lifter far away in a wide picture is small to it: besides the whole picture it
        is shown a square part, in turns, and the place where somebody was lost.
        """
        self._n_detections += 1
        parts = [(0, 0, image.shape[1], image.shape[0]), *_square_part(image, self._n_detections)]
        if self._lost:
            parts.append(_part_about(image, self._lost[-1].roi))
        found = [roi for part in parts for roi in self._detect_in(image, part)]
        return sorted(found, key=lambda roi: -roi.size_px)

    def _detect_in(self, image: Image, part: Box) -> list[Roi]:
        x0, y0, x1, y1 = part
        if min(x1 - x0, y1 - y0) < SMALLEST_PART_PX:
            return []
        inputs, back = letterbox(np.ascontiguousarray(image[y0:y1, x0:x1]))
        self._detector.run(inputs)
        boxes, logits = self._detector.output(1, 2254, 12)[0], self._detector.output(1, 2254, 1)[0, :, 0]
        rows, _ = decode_detections(boxes, logits, self._anchors)
        points = rows[:, 4:8].reshape(-1, 2, 2) @ back[:, :2].T + back[:, 2] + (x0, y0)
        return [roi_from_points(hip, rim) for hip, rim in points]

    def _add_newcomers(self, image: Image, found: list[_Tracked]) -> list[_Tracked]:
        self._last_detection = self._frame
        self._lost = [person for person in self._lost if self._frame - person.seen <= REMEMBER_FRAMES]
        return self._add(image, found, self._detect(image))

    def _add(self, image: Image, found: list[_Tracked], detected: list[Roi]) -> list[_Tracked]:
        """Return those found and those of the regions, the largest first, in which somebody else is seen."""
        for roi in detected:
            smallest = min((person.roi.size_px for person in found), default=0.0)
            if len(found) >= self._max_people and roi.size_px < MUCH_LARGER * smallest:
                break
            is_followed = any(roi.distance(person.roi) < SAME_DISTANCE for person in found)
            if is_followed or (found and abs(roi.angle_rad) > MAX_LEAN_RAD):
                continue
            seen = self._look(image, roi, -1)
            if seen is not None:
                found = _without_doubles([*found, replace(seen, person_id=self._id_at(seen.roi))])
        return found

    def _id_at(self, roi: Roi) -> int:
        """Return the id of whoever was lost at this place, or a new one."""
        nearest = min(self._lost, key=lambda person: roi.distance(person.roi), default=None)
        if nearest is not None and roi.distance(nearest.roi) < SAME_DISTANCE:
            self._lost = [person for person in self._lost if person is not nearest]
            return nearest.person_id
        self._next_id += 1
        return self._next_id - 1


def _square_part(image: Image, turn: int) -> list[Box]:
    """Return the first, middle or last square of a picture that is longer than wide, by turn; nothing of a square one."""
    height, width = image.shape[:2]
    side, spare = min(height, width), abs(width - height)
    if spare < LONG_PICTURE * side:
        return []
    start = (spare // 2, 0, spare)[turn % 3]
    return [(start, 0, start + side, side)] if width > height else [(0, start, side, start + side)]


def _part_about(image: Image, roi: Roi) -> Box:
    """Return the part of the picture about a region, with room to move."""
    height, width = image.shape[:2]
    half = 0.8 * roi.size_px
    x0, x1 = (int(np.clip(roi.x_px + s * half, 0, width)) for s in (-1, 1))
    y0, y1 = (int(np.clip(roi.y_px + s * half, 0, height)) for s in (-1, 1))
    return x0, y0, x1, y1


def _without_doubles(people: list[_Tracked]) -> list[_Tracked]:
    """Drop tracks that came to follow a person whom a track before them in the list follows already."""
    kept: list[_Tracked] = []
    for person in people:
        if not any(_is_double(person, other) for other in kept):
            kept.append(person)
    return kept


def _is_double(one: _Tracked, other: _Tracked) -> bool:
    """Tell whether two tracks have the hips or the head of the same person."""
    if one.roi.distance(other.roi) < DOUBLE_DISTANCE:
        return True
    heads = [person.landmarks.points_px[list(HEAD_LANDMARKS)] for person in (one, other)]
    apart = np.linalg.norm(heads[0] - heads[1], axis=1).mean()
    return bool(apart < DOUBLE_DISTANCE * (one.roi.size_px + other.roi.size_px) / 2)


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
        with _quiet_stderr():
            self._interpreter: Any = Interpreter(model_path=str(path), num_threads=threads)
            self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = {tuple(d["shape"]): d["index"] for d in self._interpreter.get_output_details()}

    def run(self, inputs: Floats32) -> None:
        """Compute the outputs."""
        self._interpreter.set_tensor(self._input, inputs)
        self._interpreter.invoke()

    def output(self, *shape: int) -> Floats32:
        """Return a copy of the output of this shape, from the last run."""
        return cast(Floats32, self._interpreter.get_tensor(self._outputs[shape]))


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Keep what LiteRT's native code logs when it loads off the terminal; failures come as exceptions."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def create(*, max_people: int = 3, threads: int | None = None) -> PoseEstimator:
    """Return a BlazePose estimator; its weights must have been fetched.

    Args:
        max_people: How many people to follow at most; each costs one run of the landmark network a frame.
        threads: CPU threads of the networks; None takes two where there are two: more gain little or lose.

    Raises:
        SetupError: The weights or the LiteRT package are missing.
    """
    if max_people < 1:
        raise ValueError(f"max_people must be at least 1, got {max_people}")
    names = ("pose_detection", "pose_landmark_full")
    detector, landmarker = (_Network(weight_path(name), threads or min(2, os.cpu_count() or 1)) for name in names)
    both = hashlib.sha256("".join(weight_sha256(name) for name in names).encode()).hexdigest()
    return BlazePose(detector, landmarker, max_people, both)
