"""Who the lifter is, where the hands are, and how large the body appears."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from perception.pose import INDEX, KEYPOINTS, Floats, Person, PoseTrack

BODY_SHARE = 0.78  # of stature: shank + thigh + trunk (ankle to knee to hip to shoulder); source: Winter 2009, fig. 4.1
MIN_TOGETHER = 12  # frames with a person and the moving disc
MOVED_SHARE = 0.3  # of the disc's travel that must fall into the time a person was seen
SMALL_SHARE = 0.5  # of the largest body: plate and arms overhead pass for a small person
FAR_FROM_DISC = 0.6  # body lengths between hands and disc, of somebody else
SURE = 0.5  # visibility above which a keypoint counts as seen


def choose_athlete(times_s: Floats, people: Sequence[Sequence[Person]], moving_px: Floats | None = None) -> PoseTrack:
    """Return the track of the person who lifts.

    That is who keeps the hands at the disc that moves, where there is one, else whose hands move the most over the body.

    Gaps of the chosen person are filled with whoever stands where the athlete last stood, because a tracker may lose
    and rename a person. What nobody fills stays NaN with visibility 0.

    Args:
        times_s: (T,), one for each frame.
        people: People found in each of the T frames.
        moving_px: (T, 2), a disc that goes up and down; NaN where not seen. None when no disc moves.
    """
    n, k = len(times_s), len(KEYPOINTS)
    chosen = _choose_people(people, moving_px)
    points, world, visibility = np.full((n, k, 2), np.nan), np.full((n, k, 3), np.nan), np.zeros((n, k))
    for i, person in enumerate(chosen):
        if person is not None:
            points[i], world[i], visibility[i] = person.points_px, person.world_m, person.visibility
    return PoseTrack(times_s.copy(), points, world, visibility)


def _choose_people(people: Sequence[Sequence[Person]], moving_px: Floats | None) -> list[Person | None]:
    by_id: dict[int, list[Person]] = {}
    frames: dict[int, list[int]] = {}
    for i, frame in enumerate(people):
        for person in frame:
            by_id.setdefault(person.person_id, []).append(person)
            frames.setdefault(person.person_id, []).append(i)
    if not by_id:
        return [None] * len(people)
    best = max(by_id, key=lambda i: _lifting_score(by_id[i]))
    if moving_px is not None:
        whole = float(np.nanmax(moving_px[:, 1]) - np.nanmin(moving_px[:, 1]))

        def moves(during: list[int]) -> bool:
            heights = moving_px[during, 1]
            heights = heights[np.isfinite(heights)]
            return len(heights) > 0 and float(np.ptp(heights)) > MOVED_SHARE * whole

        sizes = {i: float(np.median([body_length_px(p.points_px[None])[0] for p in t])) for i, t in by_id.items()}

        def is_grown(i: int) -> bool:
            return sizes[i] > SMALL_SHARE * max(sizes.values())

        away = {
            i: _hands_away(track, moving_px[frames[i]])
            for i, track in by_id.items()
            if moves(frames[i]) and is_grown(i)
        }
        near = min(away, key=lambda i: away[i], default=best)
        best = near if np.isfinite(away.get(near, np.inf)) else best
    chosen: list[Person | None] = [next((p for p in frame if p.person_id == best), None) for frame in people]
    near_disc = _near_disc(people, moving_px)
    _fill(chosen, near_disc, range(len(people)))
    _fill(chosen, near_disc, range(len(people) - 1, -1, -1))
    return chosen


def _near_disc(people: Sequence[Sequence[Person]], moving_px: Floats | None) -> Sequence[Sequence[Person]]:
    """Return the people of each frame without those whose hands are far from the moving disc."""
    if moving_px is None:
        return people
    return [
        [p for p in frame if not _hands_away([p], disc[None], least=1) > FAR_FROM_DISC]
        if np.isfinite(disc).all()
        else list(frame)
        for frame, disc in zip(people, moving_px, strict=True)
    ]


def _hands_away(track: list[Person], disc_px: Floats, least: int = MIN_TOGETHER) -> float:
    """Return how far the hands are from the disc in body lengths, nearly always (75 % of frames); inf if unknown."""
    points, visibility = np.stack([p.points_px for p in track]), np.stack([p.visibility for p in track])
    away = np.linalg.norm(hands_midpoint_px(points, visibility) - disc_px, axis=1) / body_length_px(points)
    known = np.isfinite(away)
    return float(np.percentile(away[known], 75)) if known.sum() >= least else float("inf")


def _lifting_score(track: list[Person]) -> float:
    """Return how much this person lifts: travel of the hands over the hips squared, times size, times root of frames."""
    rises = []
    for person in track:
        p = person.points_px
        trunk = np.linalg.norm(_middle(p, "shoulder") - _middle(p, "hip"))
        rises.append((_middle(p, "hip")[1] - _middle(p, "hand")[1]) / max(float(trunk), 1.0))
    travel = float(np.percentile(rises, 95) - np.percentile(rises, 5))
    size = float(np.median([body_length_px(p.points_px[None])[0] for p in track]))
    return travel**2 * float(np.sqrt(len(track))) * size


def _middle(points: Floats, part: str) -> Floats:
    return np.asarray((points[..., INDEX[f"left_{part}"], :] + points[..., INDEX[f"right_{part}"], :]) / 2)


def _fill(chosen: list[Person | None], people: Sequence[Sequence[Person]], order: range) -> None:
    """Fill gaps in place, walking in one direction, with the nearest person within half a body length."""
    last: Person | None = None
    for i in order:
        current = chosen[i]
        if current is None and last is not None and people[i]:
            here = _middle(last.points_px, "hip")
            near = min(people[i], key=lambda p: float(np.linalg.norm(_middle(p.points_px, "hip") - here)))
            reach = 0.5 * float(body_length_px(last.points_px[None])[0])
            if np.linalg.norm(_middle(near.points_px, "hip") - here) < reach:
                chosen[i] = current = near
        last = current or last


def body_length_px(points_px: Floats) -> Floats:
    """Return ankle-knee-hip-shoulder length for each frame, (T,), the longer of the two sides, in pixels."""

    def side(name: str) -> Floats:
        chain = [points_px[:, INDEX[f"{name}_{part}"]] for part in ("ankle", "knee", "hip", "shoulder")]
        return np.asarray(sum(np.linalg.norm(a - b, axis=1) for a, b in pairwise(chain)))

    return np.asarray(np.fmax(side("left"), side("right")))


def stature_px(track: PoseTrack) -> float:
    """Return the standing height the athlete would have in the picture, in pixels; NaN without a pose.

    Limb lengths do not change with posture, so the median over all frames is used. Limbs that point at the camera look
    shorter, hence the 75th percentile.
    """
    lengths = body_length_px(track.points_px)
    return float(np.nanpercentile(lengths, 75) / BODY_SHARE) if np.isfinite(lengths).any() else float("nan")


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
