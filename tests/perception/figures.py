"""Figures for tests of what comes after a pose network."""

import numpy as np

_HALF = {
    "eye": (0.52, 0.09),
    "ear": (0.54, 0.10),
    "shoulder": (0.62, 0.22),
    "elbow": (0.66, 0.36),
    "wrist": (0.66, 0.48),
    "hip": (0.58, 0.50),
    "knee": (0.58, 0.70),
    "ankle": (0.58, 0.88),
}


def halpe_standing() -> np.ndarray:
    """Return (26, 2), a person in Halpe 26 order who faces the camera, as shares of a box's width and height."""
    points = [(0.50, 0.10)]
    for x, y in _HALF.values():
        points += [(x, y), (1 - x, y)]
    points += [(0.5, 0.04), (0.5, 0.18), (0.5, 0.5)]
    points += [(0.62, 0.93), (0.38, 0.93), (0.65, 0.92), (0.35, 0.92), (0.57, 0.90), (0.43, 0.90)]
    return np.array(points)
