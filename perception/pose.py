"""Pose: the keypoints every estimator delivers, one person, one athlete's track, and the estimator protocol."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from coach.domain.backends import Backends

Floats = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]

KEYPOINTS: tuple[str, ...] = (
    "nose",
    *(
        f"{side}_{part}"
        for part in ("ear", "shoulder", "elbow", "wrist", "hand", "hip", "knee", "ankle", "heel", "toe")
        for side in ("left", "right")
    ),
)
"""Canonical keypoints; `hand` is the middle of the knuckles, where the bar is held. Left is the athlete's left."""

INDEX: dict[str, int] = {name: i for i, name in enumerate(KEYPOINTS)}

BONES: tuple[tuple[str, str], ...] = (
    ("left_shoulder", "right_shoulder"),
    ("left_hip", "right_hip"),
    *(
        (f"{side}_{a}", f"{side}_{b}")
        for side in ("left", "right")
        for a, b in (
            ("shoulder", "elbow"),
            ("elbow", "wrist"),
            ("wrist", "hand"),
            ("shoulder", "hip"),
            ("hip", "knee"),
            ("knee", "ankle"),
            ("ankle", "heel"),
            ("heel", "toe"),
            ("ankle", "toe"),
        )
    ),
)
"""Pairs of keypoints to draw as limbs."""


def check_shape(name: str, array: npt.NDArray[np.generic], shape: tuple[int | None, ...]) -> None:
    """Raise ValueError unless `array` has `shape`; None stands for any length."""
    fits = array.ndim == len(shape) and all(want in (None, got) for want, got in zip(shape, array.shape, strict=True))
    if not fits:
        raise ValueError(f"{name}: expected shape {shape}, got {array.shape}")


def freeze(*arrays: npt.NDArray[np.generic]) -> None:
    """Make arrays read-only."""
    for array in arrays:
        array.setflags(write=False)


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One person in one frame.

    Attributes:
        points_px: (K, 2), x right and y down, in pixels of the upright frame; NaN where unknown.
        world_m: (K, 3), metres about the hip centre, x right, y down, z away from the camera; NaN where unknown.
        visibility: (K,), 0 to 1.
        score: 0 to 1, how surely this is a person.
        person_id: Stays the same while this person is tracked from frame to frame.
    """

    points_px: Floats
    world_m: Floats
    visibility: Floats
    score: float
    person_id: int

    def __post_init__(self) -> None:
        k = len(KEYPOINTS)
        check_shape("points_px", self.points_px, (k, 2))
        check_shape("world_m", self.world_m, (k, 3))
        check_shape("visibility", self.visibility, (k,))
        freeze(self.points_px, self.world_m, self.visibility)


@dataclass(frozen=True, slots=True, eq=False)
class PoseTrack:
    """One person over all T frames of a clip; NaN (visibility 0) where not found.

    Attributes:
        times_s: (T,), container time minus the first.
        points_px: (T, K, 2); world_m: (T, K, 3); visibility: (T, K), as in `Person`.
    """

    times_s: Floats
    points_px: Floats
    world_m: Floats
    visibility: Floats

    def __post_init__(self) -> None:
        t, k = len(self.times_s), len(KEYPOINTS)
        check_shape("times_s", self.times_s, (t,))
        check_shape("points_px", self.points_px, (t, k, 2))
        check_shape("world_m", self.world_m, (t, k, 3))
        check_shape("visibility", self.visibility, (t, k))
        freeze(self.times_s, self.points_px, self.world_m, self.visibility)

    def point_px(self, name: str) -> Floats:
        """Return (T, 2), one keypoint over time in pixels."""
        return self.points_px[:, INDEX[name]]


class PoseEstimator(Protocol):
    """Finds people in the frames of one clip, in order."""

    name: str
    weights_sha256: str

    def estimate(self, image_rgb: Image) -> list[Person]:
        """Return the people in the next frame, an (H, W, 3) uint8 image in RGB."""
        ...

    def reset(self) -> None:
        """Forget whom it was tracking, as at a camera cut."""
        ...


POSES: Backends[PoseEstimator] = Backends("perception.poses", "pose estimator")
