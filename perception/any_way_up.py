"""People in a single picture that may lie on its side: estimators look for people who stand."""

import numpy as np

from perception.pose import Floats, Image, Person, PoseEstimator

QUARTER_TURNS = (1, 3, 2)  # anticlockwise, tried one after the other when nobody stands


def people_any_way_up(estimator: PoseEstimator, image_rgb: Image) -> list[Person]:
    """Return the people in a picture; when there are none, whoever is surest in the picture turned by quarters.

    Args:
        estimator: Is reset before every look, so pictures need not have to do with each other.
        image_rgb: (H, W, 3).
    """
    estimator.reset()
    people = estimator.estimate(image_rgb)
    if people:
        return people
    height, width = image_rgb.shape[:2]
    turned = []
    for turns in QUARTER_TURNS:
        estimator.reset()
        found = estimator.estimate(np.ascontiguousarray(np.rot90(image_rgb, turns)))
        turned += [_turned_back(person, turns, width, height) for person in found]
    return [max(turned, key=lambda person: person.score)] if turned else []


def _turned_back(person: Person, turns: int, width: int, height: int) -> Person:
    """Return the person in the picture before it was turned anticlockwise."""
    x, y = person.points_px.T
    last_x, last_y = width - 1, height - 1
    points = {1: (last_x - y, x), 2: (last_x - x, last_y - y), 3: (y, last_y - x)}[turns]
    wx, wy, wz = person.world_m.T
    world = {1: (-wy, wx, wz), 2: (-wx, -wy, wz), 3: (wy, -wx, wz)}[turns]
    return Person(_columns(points), _columns(world), person.visibility.copy(), person.score, person.person_id)


def _columns(values: tuple[Floats, ...]) -> Floats:
    return np.stack(values, axis=1)
