"""The plate in a single picture: drawn discs with exact truth, and hands that choose between them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from perception.plate_finder import PlateFind, find_plates
from perception.pose import Person

if TYPE_CHECKING:
    from tests.perception.conftest import Canvas

Holding = Callable[..., Person]
BLACK = (25, 25, 28)
RINGS = ((0.92, (45, 45, 48)), (0.45, (30, 30, 30)), (0.12, (200, 200, 205)))


@pytest.mark.parametrize("radius_px", [14.0, 30.0, 65.0])
def test_the_rim_of_a_plate_is_found_to_a_fraction_of_a_pixel(wall: "Canvas", radius_px: float) -> None:
    image = wall.disc((163.3, 118.7), radius_px, BLACK, RINGS).image()

    best = find_plates(image)[0]

    assert best.centre_px == pytest.approx((163.3, 118.7), abs=0.04 * radius_px)
    assert best.half_axes_px == pytest.approx((radius_px, radius_px), rel=0.06)


def test_a_plate_that_is_turned_is_an_ellipse(wall: "Canvas") -> None:
    image = wall.disc((150, 110), 40.0, BLACK, RINGS, squeeze=0.75).image()

    best = find_plates(image)[0]

    assert best.half_axes_px == pytest.approx((40.0, 30.0), rel=0.06)
    assert abs(best.tilt_deg) == pytest.approx(90, abs=8)
    assert best.half_size_px == pytest.approx((30.0, 40.0), rel=0.06)


def test_hands_choose_between_two_plates_alike(wall: "Canvas", holding: Holding) -> None:
    image = wall.disc((80, 130), 24.0, BLACK, RINGS).disc((240, 130), 24.0, BLACK, RINGS).image()

    left = find_plates(image, [holding((84, 126))])[0]
    right = find_plates(image, [holding((236, 126))])[0]

    assert left.centre_px[0] == pytest.approx(80, abs=1)
    assert right.centre_px[0] == pytest.approx(240, abs=1)


def test_of_two_plates_on_one_bar_the_larger_is_the_near_one(wall: "Canvas") -> None:
    image = wall.disc((90, 120), 40.0, BLACK, RINGS).disc((230, 110), 28.0, BLACK, RINGS).image()

    assert find_plates(image)[0].centre_px == pytest.approx((90, 120), abs=1)


def test_a_plate_in_nobodys_hands_is_told_with_less_confidence(wall: "Canvas", holding: Holding) -> None:
    image = wall.disc((160, 120), 24.0, BLACK, RINGS).image()

    held = find_plates(image, [holding((163, 117))])[0]
    alone = find_plates(image)[0]
    far = find_plates(image, [holding((20, 20))])[0]

    assert held.confidence > 0.9
    assert alone.confidence < 0.7
    assert far.confidence < held.confidence - 0.2


def test_a_wall_without_a_plate_gives_no_confident_find(wall: "Canvas", holding: Holding) -> None:
    finds = find_plates(wall.image(), [holding((160, 120))])

    assert all(find.confidence < 0.3 for find in finds)


@pytest.mark.parametrize("value", [0, 255])
def test_a_picture_of_one_colour_gives_nothing(value: int) -> None:
    assert find_plates(np.full((240, 320, 3), value, np.uint8)) == []


def test_a_large_picture_gives_its_own_pixels(wall: "Canvas", holding: Holding) -> None:
    small = wall.disc((163.3, 118.7), 30.0, BLACK, RINGS).image()
    large = np.asarray(cv2.resize(small, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC))

    best = find_plates(large, [holding((4 * 166.0, 4 * 115.0), px_per_m=400.0)])[0]

    assert best.centre_px == pytest.approx((4 * 163.8 - 0.5, 4 * 119.2 - 0.5), abs=2)
    assert best.half_axes_px == pytest.approx((120, 120), rel=0.05)


def test_a_mirrored_picture_gives_the_mirrored_find(wall: "Canvas", holding: Holding) -> None:
    image = wall.disc((100, 118.7), 30.0, BLACK, RINGS).image()
    mirrored = np.ascontiguousarray(image[:, ::-1])

    one, other = find_plates(image, [holding((104, 120))])[0], find_plates(mirrored, [holding((215, 120))])[0]

    assert one.centre_px[0] == pytest.approx(319 - other.centre_px[0], abs=0.5)
    assert one.confidence == pytest.approx(other.confidence, abs=0.05)


def test_a_find_with_a_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"centre_px: expected shape \(2,\), got \(3,\)"):
        PlateFind(np.zeros(3), np.ones(2), 0.0, 0.5)
