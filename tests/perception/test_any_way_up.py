"""People who lie are found in the picture turned by a quarter, and told in the pixels of the picture as it was."""

import numpy as np
import pytest

from perception.any_way_up import people_any_way_up
from perception.pose import KEYPOINTS, Image, Person

WHITE = 255


class SeesUpright:
    """Finds somebody at the white pixel of pictures that are taller than wide."""

    name = "upright"
    weights_sha256 = ""

    def __init__(self) -> None:
        self.n_resets = 0

    def estimate(self, image_rgb: Image) -> list[Person]:
        height, width = image_rgb.shape[:2]
        if height < width:
            return []
        y, x = np.argwhere(image_rgb[..., 0] == WHITE)[0]
        k = len(KEYPOINTS)
        return [Person(np.full((k, 2), (x, y), float), np.full((k, 3), (0.0, -1.0, 0.2)), np.ones(k), 0.9, 0)]

    def reset(self) -> None:
        self.n_resets += 1


@pytest.mark.parametrize("size", [(40, 30), (30, 40)])
def test_a_point_lies_where_it_was_before_the_picture_was_turned(size: tuple[int, int]) -> None:
    image = np.zeros((*size, 3), np.uint8)
    image[7, 22] = WHITE

    people = people_any_way_up(SeesUpright(), image)

    assert people[0].points_px[0].tolist() == [22, 7]


def test_up_is_turned_back_with_the_body() -> None:
    image = np.zeros((30, 40, 3), np.uint8)
    image[7, 22] = WHITE

    person = people_any_way_up(SeesUpright(), image)[0]

    assert np.abs(person.world_m[0]) == pytest.approx((1, 0, 0.2))


def test_who_stands_is_looked_for_once() -> None:
    estimator = SeesUpright()
    image = np.zeros((40, 30, 3), np.uint8)
    image[7, 22] = WHITE

    people_any_way_up(estimator, image)

    assert estimator.n_resets == 1
