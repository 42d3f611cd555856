"""Simple solids to draw: boxes, capsules, ellipsoids and cylinders placed between points."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from perception.pose import Floats
from perception.simulator.spec import Face, Rgb

Kind = Literal["capsule", "ellipsoid", "cylinder", "box", "disc"]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A solid; `axes` (3, 3) has its own axes as columns, the third along its length; sizes are half lengths.

    A "disc" is a weight plate whose face, at the third axis, shows `face`.
    """

    kind: Kind
    centre_m: Floats
    axes: Floats
    sizes_m: tuple[float, float, float]
    colour: Rgb
    shine: float = 0.1
    alpha: float = 1.0
    face: Face = "plain"


def axes_along(direction: Floats, aside: Floats) -> Floats:
    """Return a right-handed frame: third axis along `direction`, second as near `aside` as can be.

    Written out in plain floats: a picture needs hundreds of frames, and numpy is ten times slower on three numbers.
    """
    x, y, z = direction.tolist()
    long = math.sqrt(x * x + y * y + z * z)
    x, y, z = x / long, y / long, z / long
    a, b, c = aside.tolist()
    along = a * x + b * y + c * z
    a, b, c = a - along * x, b - along * y, c - along * z
    wide = math.sqrt(a * a + b * b + c * c)
    if wide < 1e-6:
        a, b, c = (y, -x, 0.0) if abs(z) < 0.9 else (0.0, z, -y)
        wide = math.sqrt(a * a + b * b + c * c)
    a, b, c = a / wide, b / wide, c / wide
    return np.array([[b * z - c * y, a, x], [c * x - a * z, b, y], [a * y - b * x, c, z]])


ASIDE = np.array([0.0, 0.0, 1.0])
_ROUND = np.eye(3)


def capsule(a: Floats, b: Floats, radius_m: float, colour: Rgb) -> Shape:
    """Return a capsule whose hemispheres are centred on `a` and `b`."""
    half = math.dist(a, b) / 2
    return Shape("capsule", (a + b) / 2, axes_along(b - a, ASIDE), (radius_m, radius_m, half), colour)


def ellipsoid(centre: Floats, axes: Floats, sizes_m: tuple[float, float, float], colour: Rgb) -> Shape:
    """Return an ellipsoid."""
    return Shape("ellipsoid", centre, axes, sizes_m, colour)


def limb(a: Floats, b: Floats, start: float, end: float, radius_m: float, colour: Rgb) -> Shape:
    """Return an ellipsoid around the line from `a` to `b`, from `start` to `end` as shares of it: a muscle."""
    low, high = a + (b - a) * start, a + (b - a) * end
    half = math.dist(low, high) / 2
    return Shape("ellipsoid", (low + high) / 2, axes_along(b - a, ASIDE), (radius_m, radius_m, half), colour)


def ball(centre: Floats, radius_m: float, colour: Rgb) -> Shape:
    """Return a sphere."""
    return Shape("ellipsoid", centre, _ROUND, (radius_m, radius_m, radius_m), colour)


def cylinder(centre: Floats, axis: Floats, radius_m: float, half_m: float, colour: Rgb, shine: float = 0.3) -> Shape:
    """Return a cylinder around `axis`."""
    return Shape(
        "cylinder", centre, axes_along(axis, np.array([0.0, 1.0, 0.0])), (radius_m, radius_m, half_m), colour, shine
    )


def shadow(place: Floats, long_m: float, wide_m: float, alpha: float) -> Shape:
    """Return a dark patch on the floor under `place`, `long_m` forward and `wide_m` aside."""
    flat = np.column_stack([np.array([1.0, 0.0, 0.0]), ASIDE, np.array([0.0, -1.0, 0.0])])
    centre = np.array([place[0], 0.004, place[2]])
    return Shape("ellipsoid", centre, flat, (long_m, wide_m, 0.002), (0.02, 0.02, 0.02), 0.0, alpha)
