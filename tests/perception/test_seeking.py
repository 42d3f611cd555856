"""Where people are sought whom the pose estimator does not see."""

from collections.abc import Callable
from pathlib import Path

import pytest

from coach.domain.settings import AnalysisSettings
from perception.pose import Image, Person
from perception.seeking import LOOK_EVERY, LOOK_OFTEN, LOOK_RARELY, PATIENCE, SURE_LOOKS, Box, PlaceFinder
from perception.video import VideoWriter, open_clip
from perception.watch import MOST_FRAMES_WAITING, watch_frames
from tests.perception.conftest import Canvas

Finder = Callable[[int, list[Person]], list[Box | None]]
CENTRE_PX, RADIUS_PX = (200.0, 100.0), 24.0


@pytest.fixture(scope="module")
def picture(wall: Canvas) -> Image:
    return wall.disc(CENTRE_PX, RADIUS_PX, (200, 40, 40)).image()


@pytest.fixture
def finder(picture: Image) -> Finder:
    places = PlaceFinder()
    return lambda n, people: [places.observe(picture, people) for _ in range(n)]


def beside(holding: Callable[..., Person], off_px: float) -> list[Person]:
    return [holding((CENTRE_PX[0] + off_px, CENTRE_PX[1]), px_per_m=50.0)]


def test_about_a_disc_that_nobody_is_at_somebody_is_sought_at_once_and_in_several_parts(
    finder: Finder, holding: Callable[..., Person]
) -> None:
    asked = finder(3 * LOOK_OFTEN, beside(holding, -150.0))

    parts = [part for part in asked if part is not None]
    assert [i for i, part in enumerate(asked) if part] == [0, LOOK_OFTEN, 2 * LOOK_OFTEN]
    assert len(set(parts)) == 3
    for left, top, right, bottom in parts:
        assert left < CENTRE_PX[0] - RADIUS_PX < CENTRE_PX[0] + RADIUS_PX < right
        assert 0 <= top < CENTRE_PX[1] - RADIUS_PX < CENTRE_PX[1] + 4 * RADIUS_PX < bottom <= 240


@pytest.mark.parametrize("off_px", [0.0, 30.0, -30.0])
def test_nobody_is_sought_where_somebody_is_at_the_disc(
    finder: Finder, holding: Callable[..., Person], off_px: float
) -> None:
    assert finder(3 * LOOK_EVERY, beside(holding, off_px)) == [None] * 3 * LOOK_EVERY


def test_nobody_is_sought_where_there_is_no_disc() -> None:
    places, plain = PlaceFinder(), Canvas.textured(640, 480).image()

    assert [places.observe(plain, []) for _ in range(2 * LOOK_EVERY)] == [None] * 2 * LOOK_EVERY


def test_a_lifter_lost_for_a_moment_is_not_sought_and_one_who_stays_lost_is(
    finder: Finder, holding: Callable[..., Person]
) -> None:
    there, gone = beside(holding, 0.0), beside(holding, -150.0)
    finder(2, there + gone)

    asked = finder(SURE_LOOKS * LOOK_OFTEN, gone)

    assert [i for i, part in enumerate(asked) if part] == [(SURE_LOOKS - 1) * LOOK_OFTEN]
    assert finder(2 * LOOK_OFTEN, there + gone) == [None] * 2 * LOOK_OFTEN


def test_looks_in_vain_become_rare_and_begin_anew_after_a_cut(picture: Image) -> None:
    places = PlaceFinder()
    early = [places.observe(picture, []) for _ in range(PATIENCE * LOOK_OFTEN)]

    late = [places.observe(picture, []) for _ in range(LOOK_RARELY)]
    places.reset()

    assert sum(part is not None for part in early) == PATIENCE
    assert sum(part is not None for part in late) == 1
    assert places.observe(picture, []) is not None


class Asked:
    """An estimator that sees one person and writes down where it is asked to look, and before which frame."""

    name, weights_sha256 = "asked", "0" * 64

    def __init__(self, seen: list[Person]) -> None:
        self.seen, self.n_frames = seen, 0
        self.asked: list[tuple[int, Box]] = []

    def estimate(self, image_rgb: Image) -> list[Person]:
        self.n_frames += 1
        return self.seen

    def seek(self, part_px: Box) -> None:
        self.asked.append((self.n_frames, part_px))

    def reset(self) -> None:
        pass


def test_an_estimator_is_asked_a_few_frames_later_and_always_before_the_same_ones(
    picture: Image, holding: Callable[..., Person], tmp_path: Path
) -> None:
    with VideoWriter(tmp_path / "lift.mp4", width_px=320, height_px=240, frame_rate_hz=30.0) as writer:
        for i in range(2 * LOOK_OFTEN + MOST_FRAMES_WAITING + 2):
            writer.write(picture, i / 30)
    clip = open_clip(tmp_path / "lift.mp4")

    def asked() -> list[tuple[int, Box]]:
        estimator = Asked(beside(holding, -150.0))
        watch_frames(clip, estimator, AnalysisSettings(), None)
        return estimator.asked

    first = asked()

    assert [n for n, _ in first] == [i + MOST_FRAMES_WAITING + 1 for i in (0, LOOK_OFTEN, 2 * LOOK_OFTEN)]
    assert asked() == first
