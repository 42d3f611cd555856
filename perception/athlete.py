"""Who the lifter is, where the hands are, and how large the body appears."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perception.pose import INDEX, KEYPOINTS, Floats, Person, PoseTrack

Ints = npt.NDArray[np.int64]

BODY_SHARE = 0.78  # of stature: shank + thigh + trunk (ankle to knee to hip to shoulder); source: Winter 2009, fig. 4.1
STANDING_PERCENTILE = 90  # of the body's lengths over the frames
TRUNK_SHARE = 0.288  # of stature, hip to shoulder; source: Winter 2009, fig. 4.1
MIN_TOGETHER = 12  # frames with a person and the moving disc
MOVED_SHARE = 0.3  # of the disc's travel that must fall into the time a person was seen
SMALL_SHARE = 0.5  # of the largest body: plate and arms overhead pass for a small person
STRAY_SHARE, TINY_SHARE = 0.1, 0.3  # of the frames and of the size of who is seen the longest; less is a stray find
STILL_HANDS, LIFTING_HANDS = 0.08, 0.4  # body lengths that hands go up and down: of who stands by, and of who lifts
BESIDE_DISC, MUCH_NEARER = 0.5, 0.5  # body lengths between hands and disc, at their nearest (25 %), of one beside it
GOES_WITH, GOES_ALONE = 0.6, 0.3  # correlation of hands and disc: of who lifts it, and of who stands behind it
MUCH_MORE = 10.0  # times the lifting score of who stands behind it
FAR_FROM_DISC = 0.6  # body lengths between hands and disc, of somebody else
SURE = 0.5  # visibility above which a keypoint counts as seen
LEGS_AND_TRUNK = [
    [INDEX[f"{side}_{part}"] for part in ("ankle", "knee", "hip", "shoulder")] for side in ("left", "right")
]


def choose_athlete(times_s: Floats, people: Sequence[Sequence[Person]], moving_px: Floats | None = None) -> PoseTrack:
    """Return the track of the person who lifts.

    That is who keeps the hands at the disc that moves, where there is one, else whose hands move the most over the feet.
    From the front somebody may stand behind the disc: then it is whose hands go up and down with it, or at all.

    Gaps of the chosen person are filled with whoever stands where the athlete last stood, because a tracker may lose
    and rename a person. What nobody fills stays NaN with visibility 0.

    Args:
        times_s: (T,), one for each frame.
        people: People found in each of the T frames.
        moving_px: (T, 2), a disc that goes up and down; NaN where not seen. None when no disc moves.
    """
    n, k = len(times_s), len(KEYPOINTS)
    places = _choose_places(_sightings(people, moving_px), n, moving_px)
    points, world, visibility = np.full((n, k, 2), np.nan), np.full((n, k, 3), np.nan), np.zeros((n, k))
    for i, frame in enumerate(people):
        if places[i] >= 0:
            person = frame[int(places[i])]
            points[i], world[i], visibility[i] = person.points_px, person.world_m, person.visibility
    return PoseTrack(times_s.copy(), points, world, visibility)


@dataclass(frozen=True, slots=True, eq=False)
class _Sightings:
    """What is known of everybody in every frame, a few numbers each; S sightings in the order of frames.

    Attributes:
        frame, place, person: (S,), frame, place among the people of that frame, and person_id.
        hip_px: (S, 2); length_px: (S,), see `body_length_px`.
        rise: (S,), hands over ankles in body lengths.
        away: (S,), hands from the moving disc in body lengths; NaN where there is none.
    """

    frame: Ints
    place: Ints
    person: Ints
    hip_px: Floats
    length_px: Floats
    rise: Floats
    away: Floats

    def of(self, person: int) -> npt.NDArray[np.bool_]:
        """Return (S,), which are of one person."""
        return np.asarray(self.person == person)


def _sightings(people: Sequence[Sequence[Person]], moving_px: Floats | None) -> _Sightings:
    numbers, rows = array("q"), array("d")
    for i, frame in enumerate(people):
        disc = np.full(2, np.nan) if moving_px is None else moving_px[i]
        for place, person in enumerate(frame):
            p = person.points_px
            hip, length = _middle(p, "hip"), float(body_length_px(p[None])[0])
            rise = float(_middle(p, "ankle")[1] - _middle(p, "hand")[1]) / max(length, 1.0)
            hands = hands_midpoint_px(p[None], person.visibility[None])[0]
            numbers.extend((i, place, person.person_id))
            rows.extend((*hip, length, rise, float(np.linalg.norm(hands - disc)) / length))
    whole, real = np.array(numbers, dtype=np.int64).reshape(-1, 3), np.array(rows).reshape(-1, 5)
    return _Sightings(whole[:, 0], whole[:, 1], whole[:, 2], real[:, :2], real[:, 2], real[:, 3], real[:, 4])


def _choose_places(seen: _Sightings, n_frames: int, moving_px: Floats | None) -> Ints:
    """Return (T,), the athlete's place among the people of each frame, -1 where not seen."""
    ids = np.unique(seen.person)
    chosen = np.full(n_frames, -1)
    if not len(ids):
        return chosen
    lifting = {i: _lifting_score(seen.rise[seen.of(i)], seen.length_px[seen.of(i)]) for i in ids}
    best = max(_people_among(seen, ids), key=lambda i: lifting[i])
    if moving_px is not None:
        nearest = _nearest_to_disc(seen, ids, moving_px, best)
        rests = lifting[best] > MUCH_MORE * lifting[nearest] and _goes_with(seen, nearest, moving_px) < GOES_ALONE
        rests &= _goes_with(seen, best, moving_px) > GOES_WITH
        travel = {i: _travel(seen.rise[seen.of(i)]) for i in (nearest, best)}
        stands = travel[nearest] < STILL_HANDS and travel[best] > LIFTING_HANDS
        best = best if rests or stands else nearest
    mine = seen.of(best)
    chosen[seen.frame[mine]] = np.flatnonzero(mine)
    usable = ~(seen.away > FAR_FROM_DISC)
    _fill(chosen, seen, usable, range(n_frames))
    _fill(chosen, seen, usable, range(n_frames - 1, -1, -1))
    return np.where(chosen >= 0, seen.place[chosen], -1)


def _people_among(seen: _Sightings, ids: Ints) -> list[int]:
    """Return who is no stray find: not tiny beside who is seen the longest, and seen for a tenth as long."""
    frames = {int(i): int(np.sum(seen.of(i))) for i in ids}
    longest = max(frames, key=lambda i: frames[i])
    least_px = TINY_SHARE * float(np.median(seen.length_px[seen.of(longest)]))
    sizes = {i: float(np.median(seen.length_px[seen.of(i)])) for i in frames}
    return [i for i in frames if i == longest or (frames[i] >= STRAY_SHARE * frames[longest] and sizes[i] >= least_px)]


def _nearest_to_disc(seen: _Sightings, ids: Ints, moving_px: Floats, otherwise: int) -> int:
    """Return the grown person whose hands nearly always (75 %) are nearest to the disc while it moves.

    Where those who are seen then stand beside it, that is who is plainly nearer while it rests: a plate may hide its
    lifter from an estimator as soon as he moves.
    """
    travel = float(np.nanmax(moving_px[:, 1]) - np.nanmin(moving_px[:, 1]))
    sizes = {i: float(np.median(seen.length_px[seen.of(i)])) for i in ids}
    near: dict[int, tuple[float, float]] = {}
    moving: list[int] = []
    for i in ids:
        mine = seen.of(i)
        known = seen.away[mine & np.isfinite(seen.away)]
        if len(known) < MIN_TOGETHER or sizes[i] <= SMALL_SHARE * max(sizes.values()):
            continue
        heights = moving_px[seen.frame[mine], 1]
        near[i] = float(np.percentile(known, 25)), float(np.percentile(known, 75))
        moving += [i] if float(np.nanmax(heights) - np.nanmin(heights)) > MOVED_SHARE * travel else []
    if not moving:
        return otherwise
    at_rest = min(near, key=lambda i: near[i][0])
    nearest_moving = min(near[i][0] for i in moving)
    if nearest_moving > BESIDE_DISC and near[at_rest][0] < MUCH_NEARER * nearest_moving:
        return at_rest
    return min(moving, key=lambda i: near[i][1])


def _goes_with(seen: _Sightings, person: int, moving_px: Floats) -> float:
    """Return how alike hands and disc go up and down (correlation); 0 where they are seldom seen together or rest."""
    mine = seen.of(person)
    height, hands = -moving_px[seen.frame[mine], 1], seen.rise[mine]
    both = np.isfinite(height) & np.isfinite(hands)
    if both.sum() < MIN_TOGETHER or np.ptp(height[both]) == 0 or np.ptp(hands[both]) == 0:
        return 0.0
    return float(np.corrcoef(height[both], hands[both])[0, 1])


def _travel(rise: Floats) -> float:
    """Return how far the hands go up and down over the feet, in body lengths, but for the outermost twentieths."""
    return float(np.ptp(np.percentile(rise, [5, 95])))


def _lifting_score(rise: Floats, length_px: Floats) -> float:
    """Return how much this person lifts: travel of the hands over the feet squared, times size, times root of frames."""
    return _travel(rise) ** 2 * float(np.sqrt(len(rise))) * float(np.median(length_px))


def _middle(points: Floats, part: str) -> Floats:
    return np.asarray((points[..., INDEX[f"left_{part}"], :] + points[..., INDEX[f"right_{part}"], :]) / 2)


def _fill(chosen: Ints, seen: _Sightings, usable: npt.NDArray[np.bool_], order: range) -> None:
    """Fill gaps in place, walking in one direction, with the nearest person within half a body length.

    `chosen` is (T,), numbers of sightings.
    """
    first = np.searchsorted(seen.frame, np.arange(len(chosen) + 1))
    last = -1
    for i in order:
        if chosen[i] < 0 and last >= 0:
            here = np.arange(first[i], first[i + 1])[usable[first[i] : first[i + 1]]]
            away = np.linalg.norm(seen.hip_px[here] - seen.hip_px[last], axis=1)
            if len(here) and away.min() < 0.5 * seen.length_px[last]:
                chosen[i] = here[int(np.argmin(away))]
        last = int(chosen[i]) if chosen[i] >= 0 else last


def body_length_px(points_px: Floats) -> Floats:
    """Return ankle-knee-hip-shoulder length for each frame, (T,), the longer of the two sides, in pixels."""
    lengths = np.linalg.norm(np.diff(points_px[:, LEGS_AND_TRUNK], axis=2), axis=3).sum(axis=2)
    return np.asarray(np.fmax(lengths[:, 0], lengths[:, 1]))


def stature_px(track: PoseTrack) -> float:
    """Return the standing height the athlete would have in the picture, in pixels; NaN without a pose.

    Limb lengths do not change with posture, but limbs that point at the camera look shorter: a lifter who bends is
    seen short from the front. Hence a high percentile over all frames, so that a tenth of them standing are enough.
    """
    lengths = body_length_px(track.points_px)
    return (
        float(np.nanpercentile(lengths, STANDING_PERCENTILE) / BODY_SHARE)
        if np.isfinite(lengths).any()
        else float("nan")
    )


def ahead_px(points_px: Floats) -> Floats:
    """Return how far toes are right of heels plus the nose right of the ears, in pixels: positive for who faces right.

    Args:
        points_px: (T, 21, 2).
    """
    toe, heel, ear = (
        (points_px[:, INDEX[f"left_{part}"]] + points_px[:, INDEX[f"right_{part}"]]) / 2
        for part in ("toe", "heel", "ear")
    )
    return np.asarray((toe - heel + points_px[:, INDEX["nose"]] - ear)[:, 0])


def across_px(points_px: Floats, part: str) -> Floats:
    """Return left minus right, x, of each frame, (T,): positive when the athlete faces the camera."""
    return np.asarray(points_px[:, INDEX[f"left_{part}"], 0] - points_px[:, INDEX[f"right_{part}"], 0])


def hands_midpoint_px(points_px: Floats, visibility: Floats) -> Floats:
    """Return (T, 2), the midpoint of the hands; the surer hand alone when the other is hidden behind the plate.

    Args:
        points_px: (T, K, 2).
        visibility: (T, K).
    """
    left, right = points_px[:, INDEX["left_hand"]], points_px[:, INDEX["right_hand"]]
    sure_left, sure_right = visibility[:, INDEX["left_wrist"]], visibility[:, INDEX["right_wrist"]]
    both = ((sure_left >= SURE) == (sure_right >= SURE)) | (np.abs(sure_left - sure_right) < 0.2)
    better = np.where((sure_left > sure_right)[:, None], left, right)
    return np.where(both[:, None], (left + right) / 2, better)


def near_side(track: PoseTrack) -> str:
    """Return "left" or "right": the side of the body the estimator sees better, over the whole track."""
    parts = ("shoulder", "hip", "knee", "ankle")
    seen = {
        side: float(np.mean(track.visibility[:, [INDEX[f"{side}_{part}"] for part in parts]]))
        for side in ("left", "right")
    }
    return "left" if seen["left"] >= seen["right"] else "right"


def heads_of(people: Sequence[Sequence[Person]]) -> list[Floats]:
    """Return for each frame (P, 2), the middle of everybody's head in pixels; NaN where it is not seen."""
    parts = [INDEX[name] for name in ("nose", "left_ear", "right_ear")]
    return [np.array([p.points_px[parts].mean(axis=0) for p in frame]).reshape(-1, 2) for frame in people]
