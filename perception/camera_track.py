"""The camera over a clip: what maps each frame to the first one of its scene, how well, and whether it moves at all."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.ndimage

from perception.pose import Floats, check_shape, freeze

STILL_PX = 0.6  # px in a picture of 640 x 480, 2.2 mm on a plate of 60 px radius: what moves less is a still camera
STILL_SHARE = 0.95  # of frames; a dropped bar makes the floor tremble for some
RESTING_SHARE = 0.25  # of the corners, that stay where they were before a camera that stands still
RESTING_OFTEN = 0.9  # of the frames
SMOOTH_FRAMES = 5  # a median over these takes single wrong fits out of the judgement
LARGEST_RESIDUAL_PX = 3.0  # px in a picture of 640 x 480
LOST_SHARE = 0.2  # of a lift's frames in which the background may be lost
FEW_INLIERS = 10  # corners below which a frame counts as hardly followed
LONGEST_HOLE = 5  # frames bridged by a straight line
AT = np.array([[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]])  # of the picture, where motion is judged


@dataclass(frozen=True, slots=True, eq=False)
class CameraTrack:
    """What the camera did over T frames; exactly nothing where it stood still.

    Attributes:
        matrices: (T, 3, 3), frame to the first frame of its scene, in pixels; NaN where the background was lost.
        inlier_px: (T,), root mean square distance of the background's corners from the model.
        residual_px: (T,), the same over four fifths of all corners off people: what one motion cannot explain, as when
            the camera is carried past things at different depths.
        n_inliers: (T,), corners that agree.
        scene_starts: First frame of each scene.
        scene_moves: Whether the camera moves in it.
        size_px: Width and height.
    """

    matrices: Floats
    inlier_px: Floats
    residual_px: Floats
    n_inliers: Floats
    scene_starts: tuple[int, ...]
    scene_moves: tuple[bool, ...]
    size_px: tuple[int, int]

    def __post_init__(self) -> None:
        t = len(self.matrices)
        check_shape("matrices", self.matrices, (t, 3, 3))
        for name in ("inlier_px", "residual_px", "n_inliers"):
            check_shape(name, getattr(self, name), (t,))
        freeze(self.matrices, self.inlier_px, self.residual_px, self.n_inliers)

    @property
    def is_moving(self) -> bool:
        """Whether the camera moves in any scene."""
        return any(self.scene_moves)

    def moves_at(self, frame: int) -> bool:
        """Return whether the camera moves in the scene of this frame."""
        return self.scene_moves[int(np.searchsorted(self.scene_starts, frame, side="right")) - 1]

    def to_reference(self, points_px: Floats, frame: int) -> Floats:
        """Return points (..., 2) of a frame where the first frame of its scene would show them; NaN if not followed."""
        return move_points(self.matrices[frame], points_px)

    def from_reference(self, points_px: Floats, frame: int) -> Floats:
        """Return points (..., 2) of the scene's first frame where this frame shows them."""
        matrix = self.matrices[frame]
        if not np.isfinite(matrix).all():
            return np.full(np.shape(points_px), np.nan)
        return move_points(np.linalg.inv(matrix), points_px)

    def similarity(self, frame: int) -> tuple[float, float, Floats]:
        """Return scale, rotation in degrees (clockwise in the picture) and shift (2,) at the middle of a frame."""
        middle = (np.array(self.size_px, dtype=float) - 1) / 2
        a, b = self.to_reference(middle + np.array([[-0.5, 0.0], [0.5, 0.0]]), frame)
        step = b - a
        turn = float(np.degrees(np.arctan2(step[1], step[0])))
        return float(np.linalg.norm(step)), turn, np.asarray((a + b) / 2 - middle)

    def steady(self, points_px: Floats, first: int = 0) -> Floats:
        """Return points (T, ..., 2) of consecutive frames from `first` on, in the scene's first frame."""
        if not any(self.moves_at(first + i) for i in range(len(points_px))):
            return np.array(points_px, dtype=float)
        return np.stack([self.to_reference(p, first + i) for i, p in enumerate(points_px)])

    def to_frames(self, points_px: Floats, first: int = 0) -> Floats:
        """Undo `steady`: return points (T, ..., 2) where consecutive frames from `first` on show them."""
        if not any(self.moves_at(first + i) for i in range(len(points_px))):
            return np.array(points_px, dtype=float)
        return np.stack([self.from_reference(p, first + i) for i, p in enumerate(points_px)])

    def scales_at(self, points_px: Floats, first: int = 0) -> Floats:
        """Return (T,), how much larger things about points (T, 2) are in the scene's first frame."""
        step = np.array([[-0.5, 0.0], [0.5, 0.0], [0.0, -0.5], [0.0, 0.5]])
        left, right, top, bottom = np.moveaxis(self.steady(points_px[:, None, :] + step, first), 1, 0)
        area = np.abs(np.cross(_deep(right - left), _deep(bottom - top))[:, 2])
        return np.asarray(np.sqrt(area))

    def why_spoiled(self, start: int, stop: int) -> str | None:
        """Return why places measured in frames [start, stop) mean nothing; None where they hold.

        A blank background tells nothing and is taken for a still one. A camera that moved is no reason when the background was followed: residual at most 3 px in a picture of
        640 x 480.
        """
        part = slice(start, stop)
        least = FEW_INLIERS if self.moves_at(start) else 1
        n_lost, n = int(np.sum(~(self.n_inliers[part] >= least))), stop - start
        scene = int(np.searchsorted(self.scene_starts, start, side="right")) - 1
        ends = (*self.scene_starts[1:], len(self.matrices))
        is_blank = not np.any(self.n_inliers[self.scene_starts[scene] : ends[scene]] > 0)
        if n_lost > LOST_SHARE * n and not is_blank:
            return f"the camera moved and the background could not be followed (lost in {n_lost} of {n} frames): use a tripod"
        if not self.moves_at(start):
            return None
        worst = float(np.nanpercentile(self.residual_px[part], 90))
        if worst > LARGEST_RESIDUAL_PX * _size(self.size_px):
            return f"the camera moved and the background could not be followed (residual {worst:.1f} px): use a tripod"
        return None

    def residual_of(self, start: int, stop: int) -> float:
        """Return the median residual over frames [start, stop), in pixels, for the report; NaN when never followed."""
        known = self.residual_px[start:stop]
        known = known[np.isfinite(known)]
        return float(np.median(known)) if len(known) else float("nan")


def still_camera(n_frames: int, size_px: tuple[int, int]) -> CameraTrack:
    """Return the track of a camera that is known to stand still."""
    nothing, none = np.tile(np.eye(3), (n_frames, 1, 1)), np.zeros(n_frames)
    return CameraTrack(nothing, none, none.copy(), none.copy(), (0,), (False,), size_px)


def move_points(matrix: Floats, points_px: Floats) -> Floats:
    """Return points (..., 2) moved by a 3 x 3 matrix."""
    moved = points_px @ matrix[:2, :2].T + matrix[:2, 2]
    return np.asarray(moved / (points_px @ matrix[2, :2] + matrix[2, 2])[..., None])


def settle(
    matrices: Floats,
    inlier_px: Floats,
    residual_px: Floats,
    n_inliers: Floats,
    resting: Floats,
    scene_starts: tuple[int, ...],
    size_px: tuple[int, int],
) -> CameraTrack:
    """Judge each scene: a still camera becomes exactly the identity, short holes of a moving one are bridged."""
    out = matrices.copy()
    moves = []
    for start, stop in pairwise([*scene_starts, len(matrices)]):
        part = matrices[start:stop]
        is_moving = _moves(part, size_px) and not _rests(resting[start:stop])
        moves.append(is_moving)
        out[start:stop] = _bridged(part) if is_moving else np.eye(3)
    return CameraTrack(out, inlier_px, residual_px, n_inliers, scene_starts, tuple(moves), size_px)


def _moves(matrices: Floats, size_px: tuple[int, int]) -> bool:
    """Return whether points about the middle leave their place by more than a still camera's would.

    Of four the median counts, because where no corners lie the model only guesses.
    """
    followed = np.isfinite(matrices[:, 0, 0])
    if followed.sum() < 2:
        return False
    points = AT * np.array(size_px, dtype=float)
    path = np.stack([move_points(m, points) - points for m in matrices[followed]])
    path = scipy.ndimage.median_filter(path, size=(min(SMOOTH_FRAMES, len(path)), 1, 1), mode="nearest")
    away = np.median(np.linalg.norm(path - np.median(path, axis=0), axis=2), axis=1)
    return bool(np.quantile(away, STILL_SHARE) > STILL_PX * _size(size_px)) or bool(followed.mean() < 1 - LOST_SHARE)


def _rests(resting: Floats) -> bool:
    """Return whether nearly always so many corners stay exactly where they were that those which move are on somebody."""
    known = resting[np.isfinite(resting)]
    return bool(len(known)) and bool(np.mean(known >= RESTING_SHARE) >= RESTING_OFTEN)


def _size(size_px: tuple[int, int]) -> float:
    """Return how large a picture is over one of 640 x 480, as a length."""
    return float(np.sqrt(size_px[0] * size_px[1] / (640 * 480)))


def _bridged(matrices: Floats) -> Floats:
    """Fill holes of at most LONGEST_HOLE frames between followed ones with a straight line."""
    out = matrices.copy()
    followed = np.flatnonzero(np.isfinite(matrices[:, 0, 0]))
    for a, b in pairwise(followed):
        if 1 < b - a <= LONGEST_HOLE + 1:
            share = (np.arange(a + 1, b) - a)[:, None, None] / (b - a)
            out[a + 1 : b] = (1 - share) * matrices[a] + share * matrices[b]
    return out


def _deep(vectors: Floats) -> Floats:
    return np.concatenate([vectors, np.zeros((len(vectors), 1))], axis=1)
