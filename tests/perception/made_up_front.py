"""A lifter's bar drawn from the front: two plates edge-on, shaft, sleeves and something behind, with exact places."""

from dataclasses import dataclass

import cv2
import numpy as np

from perception.pose import INDEX, KEYPOINTS, Floats, Image, Person

FINER = 4  # the picture is drawn this many times larger, so that places are exact to a hundredth of a pixel
HEIGHT_PX = 60.0
PX_PER_M = HEIGHT_PX / 0.45
SIZE_PX = (420, 330)
RED, GREY, WALL, STRIPE = (190, 30, 40), (170, 172, 175), (70, 105, 80), (30, 30, 34)
SHADOW = (45, 40, 38)


@dataclass(frozen=True)
class FrontView:
    """What is drawn.

    Attributes:
        middle_px: Middle of the bar.
        tilt_px: How much lower the end at the right is.
        colour: Of the plates.
        hidden: Sides (-1 left, 1 right) in front of which somebody stands.
        has_shadow: A dark blot under each plate, as on a floor.
        blur_px: Motion blur, up and down.
        out_m: How far the plates stand off the collars, as behind others that do not show.
    """

    middle_px: tuple[float, float] = (210.0, 170.0)
    tilt_px: float = 0.0
    colour: tuple[int, int, int] = RED
    hidden: tuple[int, ...] = ()
    has_shadow: bool = False
    blur_px: int = 0
    out_m: float = 0.0

    @property
    def ends_px(self) -> Floats:
        """Return (2, 2), the centres of the plates."""
        reach = (1.31 / 2 + 0.05 + self.out_m) * PX_PER_M
        x, y = self.middle_px
        return np.array([[x - reach, y - self.tilt_px / 2], [x + reach, y + self.tilt_px / 2]])

    def image(self) -> Image:
        """Draw it on a wall with a dark stripe, with a little noise."""
        width, height = SIZE_PX
        fine = np.full((height * FINER, width * FINER, 3), WALL, np.uint8)
        _box(fine, (0, 0.62 * height, width, 0.66 * height), STRIPE)
        left, right = self.ends_px
        ends = np.rint((self.ends_px + np.array([[-28, 0], [28, 0]])) * FINER).astype(int)
        cv2.line(fine, ends[0].tolist(), ends[1].tolist(), GREY, round(0.03 * PX_PER_M * FINER))
        for side, (x, y) in zip((-1, 1), (left, right), strict=True):
            if self.has_shadow:
                _box(fine, (x - 10, y + HEIGHT_PX / 2, x + 10, y + HEIGHT_PX / 2 + 3), SHADOW)
            _box(fine, (x - 6.5, y - HEIGHT_PX / 2, x + 6.5, y + HEIGHT_PX / 2), self.colour)
            if side in self.hidden:
                _box(fine, (x - 30, y - 60, x + 30, y + 60), WALL)
        if self.blur_px:
            fine = np.asarray(cv2.blur(fine, (1, self.blur_px * FINER)))
        small = cv2.resize(fine, SIZE_PX, interpolation=cv2.INTER_AREA).astype(float)
        noise = np.random.default_rng(0).normal(scale=2.0, size=small.shape)
        return np.clip(small + noise, 0, 255).astype(np.uint8)

    def person(self) -> Person:
        """Return a lifter of 1.70 m who holds the bar."""
        points = np.full((len(KEYPOINTS), 2), self.middle_px, dtype=float)
        for name, (right_m, up_m) in BODY_M.items():
            for side, sign in (("left", 1), ("right", -1)):
                shift = np.array([sign * right_m, -up_m]) * PX_PER_M
                points[INDEX[f"{side}_{name}"]] = np.array(self.middle_px) + shift
        return Person(points, np.zeros((len(KEYPOINTS), 3)), np.ones(len(KEYPOINTS)), 1.0, 0)


BODY_M = {
    "hand": (0.30, 0.0),
    "wrist": (0.30, 0.08),
    "shoulder": (0.19, 0.60),
    "hip": (0.12, 0.11),
    "knee": (0.12, -0.31),
    "ankle": (0.12, -0.73),
}


def _box(fine: Image, corners_px: tuple[float, float, float, float], colour: tuple[int, int, int]) -> None:
    left, top, right, bottom = (round(c * FINER) for c in corners_px)
    fine[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = colour
