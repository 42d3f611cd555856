"""Plates edge-on found as pairs of boxes in drawn pictures with exact truth, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from perception.barline import BarEndWatch, no_ends
from perception.barline_edges import read_outline
from perception.pose import Image
from tests.perception.made_up_front import HEIGHT_PX, SIZE_PX, FrontView

VIEW = FrontView()


@pytest.mark.parametrize("colour", [(190, 30, 40), (220, 200, 40), (235, 235, 230), (25, 25, 28), (30, 50, 170)])
def test_plates_of_any_colour_are_the_best_pair(colour: tuple[int, int, int]) -> None:
    view = replace(VIEW, colour=colour)

    found = BarEndWatch().observe(view.image(), [view.person()])

    assert np.abs(found.end_px[0] - view.ends_px).max() < 4
    assert found.height_px[0] == pytest.approx(HEIGHT_PX, rel=0.10)


@pytest.mark.parametrize("tilt_px", [-12.0, 0.0, 12.0])
def test_a_tilted_bar_has_one_end_higher(tilt_px: float) -> None:
    view = replace(VIEW, tilt_px=tilt_px)

    found = BarEndWatch().observe(view.image(), [view.person()])

    assert found.end_px[0, 1, 1] - found.end_px[0, 0, 1] == pytest.approx(tilt_px, abs=4)


def test_a_mirrored_picture_gives_mirrored_plates() -> None:
    view = replace(VIEW, middle_px=(200.0, 160.0), tilt_px=8.0)
    mirrored = replace(view, middle_px=(SIZE_PX[0] - 1 - 200.0, 160.0), tilt_px=-8.0)

    one = BarEndWatch().observe(view.image(), [view.person()]).end_px[0]
    other = BarEndWatch().observe(np.ascontiguousarray(view.image()[:, ::-1]), [mirrored.person()]).end_px[0]

    assert SIZE_PX[0] - 1 - other[::-1, 0] == pytest.approx(one[:, 0], abs=3)
    assert other[::-1, 1] == pytest.approx(one[:, 1], abs=3)


def test_a_wall_without_a_bar_has_no_good_pair() -> None:
    empty = np.full_like(VIEW.image(), 110)

    found = BarEndWatch().observe(empty, [VIEW.person()])

    assert len(found.score) == 0


def test_nobody_in_the_picture_means_no_pair() -> None:
    assert len(BarEndWatch().observe(VIEW.image(), []).score) == len(no_ends().score) == 0


def test_an_end_that_gets_hidden_is_kept_where_it_should_be() -> None:
    watch = BarEndWatch()
    for _ in range(3):
        watch.observe(VIEW.image(), [VIEW.person()])

    found = watch.observe(replace(VIEW, hidden=(1,)).image(), [VIEW.person()])

    assert np.abs(found.end_px[0, 0] - VIEW.ends_px[0]).max() < 4
    assert found.score[0, 1] < 0.3 < found.score[0, 0]


def test_pictures_that_end_within_the_plates_do_no_harm() -> None:
    image: Image = np.ascontiguousarray(VIEW.image()[:, 100:])
    moved = replace(VIEW, middle_px=(110.0, 170.0))

    found = BarEndWatch().observe(image, [moved.person()])

    assert np.isfinite(found.end_px[found.score[:, 0] > 0]).all()


@pytest.mark.parametrize("blur_px", [0, 5])
def test_the_outline_is_read_to_a_fifth_of_a_pixel_even_in_motion(blur_px: int) -> None:
    view = replace(VIEW, middle_px=(210.5, 130.25), blur_px=blur_px)
    x, y = view.ends_px[0]

    edge, _ = read_outline(view.image(), np.array([x + 1.0, y - 1.5]), 13.0, 1.04 * HEIGHT_PX)

    middle = (edge[0, 0] + edge[1, 0]) / 2
    assert middle == pytest.approx(y - 0.5, abs=0.2)
    assert edge[1, 0] - edge[0, 0] == pytest.approx(HEIGHT_PX, abs=0.4)
