"""Simple solids to draw: boxes, capsules, ellipsoids and cylinders placed between points."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from perception.pose import Floats
from perception.simulator.spec import Rgb

Kind = Literal["capsule", "ellipsoid", "cylinder", "box"]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A solid; `axes` (3, 3) has its own axes as columns, the third along its length; sizes are half lengths."""

    kind: Kind
    centre_m: Floats
    axes: Floats
    sizes_m: tuple[float, float, float]
    colour: Rgb
    shine: float = 0.1
    alpha: float = 1.0


def axes_along(direction: Floats, aside: Floats) -> Floats:
    """Return a right-handed frame: third axis along `direction`, second as near `aside` as can be."""
    third = direction / np.linalg.norm(direction)
    second = aside - (aside @ third) * third
    if np.linalg.norm(second) < 1e-6:
        second = np.cross(third, np.array([0.0, 0.0, 1.0]) if abs(third[2]) < 0.9 else np.array([1.0, 0.0, 0.0]))
    second = second / np.linalg.norm(second)
    return np.column_stack([np.cross(second, third), second, third])


ASIDE = np.array([0.0, 0.0, 1.0])


def capsule(a: Floats, b: Floats, radius_m: float, colour: Rgb) -> Shape:
    """Return a capsule whose hemispheres are centred on `a` and `b`."""
    half = float(np.linalg.norm(b - a)) / 2
    return Shape("capsule", (a + b) / 2, axes_along(b - a, ASIDE), (radius_m, radius_m, half), colour)


def ellipsoid(centre: Floats, axes: Floats, sizes_m: tuple[float, float, float], colour: Rgb) -> Shape:
    """Return an ellipsoid."""
    return Shape("ellipsoid", centre, axes, sizes_m, colour)


def limb(a: Floats, b: Floats, start: float, end: float, radius_m: float, colour: Rgb) -> Shape:
    """Return an ellipsoid around the line from `a` to `b`, from `start` to `end` as shares of it: a muscle."""
    low, high = a + (b - a) * start, a + (b - a) * end
    half = float(np.linalg.norm(high - low)) / 2
    return Shape("ellipsoid", (low + high) / 2, axes_along(b - a, ASIDE), (radius_m, radius_m, half), colour)


def ball(centre: Floats, radius_m: float, colour: Rgb) -> Shape:
    """Return a sphere."""
    return Shape("ellipsoid", centre, np.eye(3), (radius_m, radius_m, radius_m), colour)


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
