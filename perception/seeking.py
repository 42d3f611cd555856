"""Where somebody may stand whom the pose estimator does not see: about a clear disc that nobody holds."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from perception.disc_votes import vote_discs
from perception.pose import Floats, Image, Person

LOOK_EVERY = 90  # frames between two looks at the whole picture; when somebody is lost there is one at once
LOOK_OFTEN = 5  # while the clearest disc is about nobody's body
SURE_LOOKS = 3  # in a row, from which somebody is looked for: a body that is lost for a moment is found again anyway
PATIENCE = 15  # looks in a row in vain, after which one is made every `LOOK_RARELY` frames
LOOK_RARELY = 60
CLEAR_SCORE = 0.5  # of a disc anywhere in the picture, from which somebody is looked for behind it; noise gets 0.38
ROOM = (2.0, 2.5)  # radii beside a body, and over or under it for arms that are not seen, in which a disc is its own
EXPECTED_SHARE = 0.08  # of the picture's height, radius of a plate near the camera: the picture is made small by it
RADII = np.geomspace(0.375, 1.5, 14)  # of the expected radius
PARTS = ((2.0, 3.0, 9.0), (2.0, 5.0, 10.0), (2.0, 4.0, 6.0))  # radii across, above and below a disc, in turns

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""


@runtime_checkable
class Seeks(Protocol):
    """An estimator that can be told where to look, because its detector sees only a small copy of the picture."""

    def seek(self, part_px: Box) -> None:
        """Look for people in a part of the next frame as well."""
        ...


class PlaceFinder:
    """Looks over whole pictures, now and then, for a clear disc that nobody who is seen has in the hands."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew, as at a camera cut."""
        self._until_look = 0
        self._in_vain = 0
        self._was_held = False
        self._n_people = 0

    def observe(self, image_rgb: Image, people: Sequence[Person]) -> Box | None:
        """Return the part of a frame in which somebody may be who is not seen; None where there is no sign of it.

        Args:
            image_rgb: (H, W, 3).
            people: Those who are seen.
        """
        self._until_look -= 1
        is_lost, self._n_people = len(people) < self._n_people, len(people)
        if self._until_look > 0 and not is_lost:
            return None
        height, width = image_rgb.shape[:2]
        middle, reach = np.array([width / 2, height / 2]), max(width, height) / 2
        discs = vote_discs(image_rgb, middle, reach, EXPECTED_SHARE * height, RADII)
        if not len(discs) or discs[0, 3] < CLEAR_SCORE or _is_held(discs[0], people):
            self._in_vain, self._until_look = 0, LOOK_EVERY
            self._was_held = self._was_held or len(people) > 0
            return None
        self._in_vain += 1
        self._until_look = LOOK_OFTEN if self._in_vain < PATIENCE else LOOK_RARELY
        part = PARTS[self._in_vain % len(PARTS)]
        is_sure = self._in_vain >= SURE_LOOKS or not self._was_held
        return _part_about(discs[0], part, image_rgb) if is_sure else None


def _is_held(disc: Floats, people: Sequence[Person]) -> bool:
    """Return whether the disc is about somebody's body: hands that it hides are guessed, so they do not decide."""
    room = disc[2] * np.array(ROOM)
    for one in people:
        low, high = np.nanmin(one.points_px, axis=0) - room, np.nanmax(one.points_px, axis=0) + room
        if ((low < disc[:2]) & (disc[:2] < high)).all():
            return True
    return False


def _part_about(disc: Floats, part: tuple[float, float, float], image_rgb: Image) -> Box:
    height, width = image_rgb.shape[:2]
    x, y, radius = disc[:3]
    across, above, below = (share * radius for share in part)
    left, right = np.clip([x - across, x + across], 0, width).astype(int)
    top, bottom = np.clip([y - above, y + below], 0, height).astype(int)
    return int(left), int(top), int(right), int(bottom)
