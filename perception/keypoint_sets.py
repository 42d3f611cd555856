"""The keypoints of public data sets, as arrays, turned into the canonical ones: COCO 17 and Halpe 26."""

import numpy as np

from perception.pose import INDEX, KEYPOINTS, Floats

HAND_OVER_FOREARM = 0.31  # wrist to knuckles over elbow to wrist; source: de Leva 1996, table 4 (0.32 men, 0.30 women)
INFERRED = 0.5  # share of its visibility that a point keeps when it was only drawn out along its limb

_SIDES = ("left", "right")


def _paired(parts: tuple[tuple[str, int], ...]) -> dict[str, int]:
    """Return keypoint to index for parts whose left point stands before its right one."""
    return {f"{side}_{part}": first + i for part, first in parts for i, side in enumerate(_SIDES)}


COCO_17: dict[str, int] = {"nose": 0} | _paired(
    (("ear", 3), ("shoulder", 5), ("elbow", 7), ("wrist", 9), ("hip", 11), ("knee", 13), ("ankle", 15))
)
HALPE_26: dict[str, int] = COCO_17 | _paired((("toe", 20), ("heel", 24)))
"""Halpe 26 is COCO 17, then head, neck, pelvis, big toes, small toes and heels; `toe` is the big one."""


def to_canonical(points_px: Floats, scores: Floats, places: dict[str, int]) -> tuple[Floats, Floats]:
    """Return canonical points (K, 2) in pixels and visibilities (K,); NaN and 0 for what the set does not have.

    Neither set has knuckles. The hand is put 0.31 forearm lengths beyond the wrist, where the bar lies when the wrist
    is straight, and keeps half the visibility of the less visible of wrist and elbow.

    Args:
        points_px: (N, 2), points of the set; NaN where unknown.
        scores: (N,), clipped to 0 to 1.
        places: Canonical keypoint to index in the set: `COCO_17` or `HALPE_26`.
    """
    points, visibility = np.full((len(KEYPOINTS), 2), np.nan), np.zeros(len(KEYPOINTS))
    into, of = [INDEX[name] for name in places], list(places.values())
    points[into], visibility[into] = points_px[of], np.clip(np.nan_to_num(scores[of]), 0.0, 1.0)
    for side in _SIDES:
        elbow, wrist, hand = (INDEX[f"{side}_{part}"] for part in ("elbow", "wrist", "hand"))
        points[hand] = points[wrist] + HAND_OVER_FOREARM * (points[wrist] - points[elbow])
        visibility[hand] = INFERRED * min(visibility[wrist], visibility[elbow])
    visibility[~np.isfinite(points).all(axis=1)] = 0.0
    return points, visibility
