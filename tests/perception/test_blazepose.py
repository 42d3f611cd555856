"""Who is followed from frame to frame, with networks that are told what to see."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from perception.blazepose_math import Floats32, Roi, make_anchors
from perception.poses import blazepose
from perception.poses.blazepose import REDETECT_FRAMES, BlazePose

IMAGE = np.zeros((448, 448, 3), np.uint8)
BODY_PX = 80.0  # hip to the rim of the body


@dataclass
class Scene:
    """People by the pixel of their hips; the detector sees those in `detectable`, the landmarker all near the crop."""

    people: list[tuple[float, float]] = field(default_factory=list)
    detectable: bool = True
    upside_down: bool = False
    n_detections: int = 0
    n_looks: int = 0


class Detector:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def run(self, inputs: Floats32) -> None:
        self.scene.n_detections += 1

    def output(self, *shape: int) -> Floats32:
        boxes, logits = np.zeros((1, 2254, 12), np.float32), np.full((1, 2254, 1), -9, np.float32)
        rim = BODY_PX if self.scene.upside_down else -BODY_PX
        for i, (x, y) in enumerate(self.scene.people if self.scene.detectable else []):
            points = np.array([x, y, 30, 30, x, y, x, y + rim, 0, 0, 0, 0]) / 2
            points[[0, 1, 4, 5, 6, 7]] -= np.tile(make_anchors()[i] * 224, 3)
            boxes[0, i], logits[0, i] = points, 3
        return boxes if shape == (1, 2254, 12) else logits


class Landmarker:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.roi = Roi(0, 0, 1, 0)

    def run(self, inputs: Floats32) -> None:
        self.scene.n_looks += 1

    def output(self, *shape: int) -> Floats32:
        near = [p for p in self.scene.people if np.hypot(p[0] - self.roi.x_px, p[1] - self.roi.y_px) < 60]
        if shape == (1, 1):
            return np.array([[1.0 if near else 0.0]], np.float32)
        if shape == (1, 64, 64, 39):
            return np.full(shape, -9, np.float32)
        if shape == (1, 117):
            return np.zeros(shape, np.float32)
        nearest = min(near, key=lambda p: np.hypot(p[0] - self.roi.x_px, p[1] - self.roi.y_px))
        points = np.tile(np.array(nearest, np.float64), (39, 1))
        points[:11] -= (0, 60)
        points[34] -= (0, BODY_PX)
        table = np.zeros((39, 5), np.float32)
        table[:, :2] = (points - (self.roi.x_px, self.roi.y_px)) / self.roi.size_px * 256 + 128
        return table.reshape(1, 195)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def make(scene: Scene, monkeypatch: pytest.MonkeyPatch, max_people: int = 3) -> BlazePose:
    landmarker = Landmarker(scene)

    def crop(image: np.ndarray, roi: Roi) -> np.ndarray:
        landmarker.roi = Roi(roi.x_px, roi.y_px, roi.size_px, 0.0)
        return np.zeros((1, 256, 256, 3), np.float32)

    monkeypatch.setattr(blazepose, "crop", crop)
    return BlazePose(Detector(scene), landmarker, max_people, "0" * 64)  # type: ignore[arg-type]


def ids(estimator: BlazePose) -> list[int]:
    return sorted(person.person_id for person in estimator.estimate(IMAGE))


def test_following_one_person_costs_one_look_a_frame(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.people = [(200, 200)]
    estimator = make(scene, monkeypatch)
    for i in range(60):
        scene.people = [(200 + i, 200)]
        person = estimator.estimate(IMAGE)[0]
        assert person.person_id == 0
        assert person.points_px[0] == pytest.approx([200 + i, 140], abs=1e-3)
    assert scene.n_looks == 60
    assert scene.n_detections == 60 // REDETECT_FRAMES


def test_a_newcomer_is_found_within_half_a_second(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.people = [(100, 200)]
    estimator = make(scene, monkeypatch)
    assert ids(estimator) == [0]
    scene.people = [(100, 200), (300, 200)]
    seen = [ids(estimator) for _ in range(REDETECT_FRAMES)]
    assert seen[-1] == [0, 1]


def test_a_lost_person_found_again_at_once_keeps_the_id(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.people = [(100, 200)]
    estimator = make(scene, monkeypatch)
    assert ids(estimator) == [0]
    scene.people = []
    assert [ids(estimator) for _ in range(10)] == [[]] * 10
    scene.people = [(110, 200)]
    assert ids(estimator) == [0]


def test_somebody_at_another_place_or_much_later_is_somebody_else(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.people = [(100, 200)]
    estimator = make(scene, monkeypatch)
    ids(estimator)
    scene.people = [(300, 200)]
    assert ids(estimator) == [1]
    scene.people = []
    for _ in range(60):
        ids(estimator)
    scene.people = [(300, 200)]
    assert ids(estimator) == [2]


def test_a_second_track_of_the_same_person_is_dropped(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.people = [(115, 200), (175, 200)]
    estimator = make(scene, monkeypatch)
    assert ids(estimator) == [0, 1]
    scene.people, scene.detectable = [(145, 200)], False
    assert len(ids(estimator)) == 1


def test_nobody_moves_a_third_of_a_body_in_one_frame(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.people = [(200, 200)]
    estimator = make(scene, monkeypatch)
    assert ids(estimator) == [0]
    scene.people, scene.detectable = [(255, 200)], False
    assert ids(estimator) == []


def test_after_a_cut_only_the_detector_is_trusted(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.people = [(100, 200)]
    estimator = make(scene, monkeypatch)
    assert ids(estimator) == [0]
    scene.people = [(300, 200), (110, 200)]
    before = scene.n_detections
    assert len(estimator.estimate(IMAGE + 200)) == 2
    assert scene.n_detections > before


def test_a_flash_does_not_lose_a_person_the_detector_misses(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.people = [(100, 200)]
    estimator = make(scene, monkeypatch)
    assert ids(estimator) == [0]
    scene.detectable = False
    assert [person.person_id for person in estimator.estimate(IMAGE + 200)] == [0]


def test_no_more_people_than_asked_for(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.people = [(60, 200), (160, 200), (260, 200), (360, 200)]
    assert len(ids(make(scene, monkeypatch, max_people=2))) == 2
    assert len(ids(make(scene, monkeypatch, max_people=1))) == 1


def test_discs_that_look_like_people_upside_down_are_left_out(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.people = [(100, 200)]
    estimator = make(scene, monkeypatch)
    ids(estimator)
    scene.people, scene.upside_down = [(100, 200), (300, 200)], True
    assert [ids(estimator) for _ in range(REDETECT_FRAMES)] == [[0]] * REDETECT_FRAMES


def test_where_somebody_is_sought_is_looked_at_in_the_next_frame_only(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimator = make(scene, monkeypatch)
    scene.people = [(100, 224)]
    assert ids(estimator) == [0]
    parts: list[object] = []
    look_in = estimator._detect_in
    monkeypatch.setattr(estimator, "_detect_in", lambda image, part: (parts.append(part), look_in(image, part))[1])
    scene.people.append((330, 224))

    estimator.seek((0, 0, 448, 448))
    with_newcomer = ids(estimator)
    n_parts = len(parts)
    ids(estimator)

    assert with_newcomer == [0, 1]
    assert parts == [(0, 0, 448, 448)]
    assert len(parts) == n_parts


def test_reset_forgets_people_but_never_gives_an_id_twice(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.people = [(100, 200)]
    estimator = make(scene, monkeypatch)
    assert ids(estimator) == [0]
    estimator.reset()
    assert ids(estimator) == [1]


def test_wrong_images_are_refused(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    estimator = make(scene, monkeypatch)
    with pytest.raises(ValueError, match="expected shape"):
        estimator.estimate(np.zeros((10, 10), np.uint8))
    with pytest.raises(ValueError, match="no pixels"):
        estimator.estimate(np.zeros((0, 10, 3), np.uint8))


def test_at_least_one_person_must_be_asked_for() -> None:
    with pytest.raises(ValueError, match="max_people"):
        blazepose.create(max_people=0)
