"""Who is who from frame to frame, for pose networks that see each frame alone."""

from dataclasses import dataclass

import numpy as np

from perception.pose import KEYPOINTS, Floats, Person

SEEN = 0.3  # visibility above which a keypoint counts for the box about a person
BOX_MARGIN = 0.1  # share of the box's longer side added all round: the points end at ankles and ears
SAME_OVERLAP = 0.3  # overlap (intersection over union) of two boxes above which they hold the same person
DOUBLE_OVERLAP = 0.7  # likewise within one frame: two finds of one person
SAME_DISTANCE = 0.3  # of the box's height, between hips, when the boxes overlap too little: a squat halves the box
REMEMBER_FRAMES = 30  # how long a lost person keeps the id when found again at the same place
HIPS = [KEYPOINTS.index("left_hip"), KEYPOINTS.index("right_hip")]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """One person found in one frame: canonical points (K, 2) in pixels, visibility (K,), score 0 to 1."""

    points_px: Floats
    visibility: Floats
    score: float

    @property
    def box_px(self) -> Floats:
        """Return left, top, right and bottom about the points that are seen, with a margin."""
        return box_about(self.points_px, self.visibility)


@dataclass(frozen=True, slots=True, eq=False)
class _Followed:
    person_id: int
    box_px: Floats
    hips_px: Floats
    seen: int


class Follower:
    """Gives people found frame by frame ids that stay; an id is never used again."""

    def __init__(self, max_people: int) -> None:
        """Keep the largest `max_people` of each frame."""
        if max_people < 1:
            raise ValueError(f"max_people must be at least 1, got {max_people}")
        self._max_people = max_people
        self._next_id = 0
        self.reset()

    def reset(self) -> None:
        """Forget everybody, as at a camera cut."""
        self._known: list[_Followed] = []
        self._frame = -1

    def follow(self, found: list[Found]) -> list[Person]:
        """Return the people of the next frame, the largest first, each with an id."""
        self._frame += 1
        kept = _without_doubles(sorted(found, key=lambda one: -_area(one.box_px)))[: self._max_people]
        recent = [known for known in self._known if self._frame - known.seen <= REMEMBER_FRAMES]
        people, now = [], []
        for one in kept:
            person_id = self._id_of(one, recent)
            recent = [known for known in recent if known.person_id != person_id]
            now.append(_Followed(person_id, one.box_px, _hips(one), self._frame))
            world = np.full((len(KEYPOINTS), 3), np.nan)
            people.append(Person(one.points_px, world, one.visibility, one.score, person_id))
        self._known = [*now, *recent]
        return people

    def boxes_px(self) -> list[Floats]:
        """Return where the people of the last frame were."""
        return [known.box_px for known in self._known if known.seen == self._frame]

    def _id_of(self, one: Found, known: list[_Followed]) -> int:
        """Return the id of who overlaps most, else of whose hips are near, else a new one."""
        best = max(known, key=lambda other: overlap(one.box_px, other.box_px), default=None)
        if best is not None and overlap(one.box_px, best.box_px) >= SAME_OVERLAP:
            return best.person_id
        reach = SAME_DISTANCE * float(one.box_px[3] - one.box_px[1])
        near = [other for other in known if np.linalg.norm(_hips(one) - other.hips_px) < reach]
        if near:
            return min(near, key=lambda other: float(np.linalg.norm(_hips(one) - other.hips_px))).person_id
        self._next_id += 1
        return self._next_id - 1


def box_about(points_px: Floats, visibility: Floats) -> Floats:
    """Return (4,), left, top, right and bottom about the points that are seen, in pixels; NaN when none is.

    Args:
        points_px: (K, 2).
        visibility: (K,).
    """
    seen = points_px[(visibility >= SEEN) & np.isfinite(points_px).all(axis=1)]
    if not len(seen):
        return np.full(4, np.nan)
    low, high = seen.min(axis=0), seen.max(axis=0)
    margin = BOX_MARGIN * float((high - low).max())
    return np.concatenate([low - margin, high + margin])


def overlap(a: Floats, b: Floats) -> float:
    """Return intersection over union of two boxes (left, top, right, bottom), 0 to 1; 0 for boxes of NaN."""
    size = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    both = float(size[0] * size[1]) if (size > 0).all() else 0.0
    union = _area(a) + _area(b) - both
    return both / union if both > 0 and union > 0 else 0.0


def _area(box: Floats) -> float:
    width, height = box[2:] - box[:2]
    return float(width * height) if np.isfinite(box).all() else 0.0


def _hips(one: Found) -> Floats:
    return np.asarray(one.points_px[HIPS].mean(axis=0))


def _without_doubles(found: list[Found]) -> list[Found]:
    kept: list[Found] = []
    for one in found:
        if _area(one.box_px) > 0 and not any(overlap(one.box_px, other.box_px) > DOUBLE_OVERLAP for other in kept):
            kept.append(one)
    return kept
