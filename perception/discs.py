"""Finding the near plate in single frames: discs voted for by edges about the hands, and their rims along rays."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from perception.athlete import BODY_SHARE, body_length_px, hands_midpoint_px
from perception.disc_votes import MAX_DISCS, resized, vote_discs
from perception.pose import Floats, Image, Person

PLATE_SHARE_OF_STATURE = 0.145  # plate radius 0.225 m over 1.70 m, seen 10 % larger because it is nearer than the body
SEARCH_RADII = np.geomspace(0.72, 1.55, 10)  # of the expected radius, when nothing is known yet
PLAUSIBLE_RADIUS = (0.70, 1.60)  # of the expected radius; a followed ring outside is searched anew
TRACK_RADII = np.geomspace(0.90, 1.11, 4)  # of the last radius, while a plate is followed
SEARCH_REACH = 3.2  # radii about the hands: hidden hands and perspective put the plate up to 2 radii away
TRACK_REACH = 1.9  # radii about the predicted centre
VOTE_EVERY = 3  # frames between votes while one disc alone is followed; in between its rim shows where it went
ALONE = 0.75  # of the best disc's score: with another one above it every frame is voted on
SURE_RIM_SHARE = 0.5  # share of rays with an edge on the rim from which a followed disc needs no vote
RIM_WANDER = 0.12  # of the radius, how far a rim may be from where it was expected
RIM_FIT = 0.04  # of the radius, how near to one circle the edges then lie
SEARCH_EVERY = 12  # frames between full searches while a plate is followed, so that a wrong one is left again
AWAY_COST = 0.15  # of score for each of two radii beyond the first between a disc and the hands
STEADY_GAIN = 0.2  # of score for a disc that goes on as the one followed did
STRETCHES = (1.0, 1.18, 1.4, 1.67, 2.0, 2.35)  # height over width of a disc turned by 0, 32, 44, 53, 60 and 65 degrees
TURN_REACH_DEG = 32.0  # deg between the turn that the body shows and that of a disc which is still looked for
TURN_COST = 0.03  # of score for a disc that is turned TURN_SD_DEG more or less than the body; four times at the double
MOST_TURN_COST = 0.2  # of score, so that a clear round disc is found whatever the body shows
TURN_SD_DEG = 12.0  # deg, error of the turn that shoulders and hips show
SLEEVE_RADII = 3.0  # of the plate's radius, from the middle of the bar to the near plate's face: 0.67 m over 0.225 m
CLEAR_SCORE = 1.3  # more votes do not count; shapes between two things get up to 1 where ellipses are looked for
FAR_IS_SMALLER = 0.2  # e-folds of size between near and far plate at most; what is larger than that is something else
NEAR_GAIN = 0.6  # of score for each e-fold of size: of two discs on one bar the larger is the nearer one
POOR_SHARE = 0.6  # of the followed disc's score: where the hands have less to show, they are mistaken
PATIENCE = 8  # searches at every stretch in vain, after which one is made every SEARCH_RARELY frames
SEARCH_RARELY = 6  # frames; most who stand askew hold no bar
SAME_PLACE = 0.5  # of the radius: two discs of different stretch that are nearer together are one
LEFT_FRAMES = 90  # for which the plate of somebody who is not seen any more is followed
GOOD_SCORE = 0.45  # votes over circumference; a plain disc in front of a plain wall scores about 1
PASSED_OVER = (-0.3, 0.0, 0.3)  # radii under where a plate is expected, at which it is looked for without votes
WORTH_SCORE = 0.5  # of the best disc's score: weaker ones are not looked at
N_RAYS = 64
N_PEAKS = 6  # edges kept on each ray
RIM_RADIUS_PX = 40.0  # the picture is shrunk to this plate radius before rims are read; not enlarged
RIM_RANGE = (0.55, 2.30)  # of the voted radius: votes may have chosen a ring inside the disc
RIM_STEPS = 106
HALVED = 0.6  # a rim that is made smaller than this is averaged, else four neighbours are enough
BODY_MEMORY = 0.997  # a frame: how slowly the largest body size seen is forgotten; crouching bodies look small

_ANGLES = np.linspace(0, 2 * np.pi, N_RAYS, endpoint=False)
RAYS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
"""(N_RAYS, 2) unit vectors, x right and y down."""


@dataclass(frozen=True, slots=True)
class Turned:
    """How the discs on a bar look that is turned against the picture.

    Attributes:
        yaw_deg: How far the lifter is off the square side view, 0 to 90, as shoulders and hips show it.
        near_side: Where the near plate is in the picture, -1 left or 1 right of the hands; 0 when that is not known.
        stretches: Heights over widths of discs that are looked for.
    """

    yaw_deg: float
    near_side: float
    stretches: tuple[float, ...]

    @property
    def away(self) -> float:
        """How far right of the hands the near plate is, in its radii."""
        return self.near_side * SLEEVE_RADII * float(np.sin(np.radians(self.yaw_deg)))


SQUARE = Turned(0.0, 0.0, (1.0,))
"""Seen square from the side: discs are round and in front of the hands."""


def turned(yaw_deg: float, near_side: float) -> Turned:
    """Return what to look for when the lifter is `yaw_deg` off the side view and the near plate is at this side.

    Round discs are always among it, for hidden limbs may show a turn that is not there.
    """
    most = min(yaw_deg, _turn_deg(STRETCHES[-1]))
    return Turned(
        yaw_deg, near_side, tuple(s for s in STRETCHES if s == 1 or abs(_turn_deg(s) - most) < TURN_REACH_DEG)
    )


def _turn_deg(stretch: float) -> float:
    return float(np.degrees(np.arccos(1 / stretch)))


def squeeze(stretch: float) -> Floats:
    """Return (2,), what x and y of a circle are multiplied by to give a disc of this height over width."""
    return np.array([1 / stretch, 1.0])


@dataclass(frozen=True, slots=True, eq=False)
class Discs:
    """Discs that may be the plate in one frame; n of them, best first.

    Attributes:
        centre_px: (n, 2); radius_px: (n,), half the height; score: (n,), votes over circumference.
        stretch: (n,), height over width with which the disc was looked for: 1 for a round one.
        rim_px: (n, N_RAYS, N_PEAKS), distance of edges from the centre along each ray, in a picture whose x axis is
            stretched so that the disc is round; NaN where there is none.
        rim_strength: (n, N_RAYS, N_PEAKS), grey levels across the edge, 0 to 255.
    """

    centre_px: Floats
    radius_px: Floats
    score: Floats
    stretch: Floats
    rim_px: npt.NDArray[np.float32]
    rim_strength: npt.NDArray[np.uint8]

    def only(self, chosen: npt.NDArray[np.bool_]) -> "Discs":
        """Return some of the discs; `chosen` is (n,)."""
        return Discs(
            self.centre_px[chosen],
            self.radius_px[chosen],
            self.score[chosen],
            self.stretch[chosen],
            self.rim_px[chosen],
            self.rim_strength[chosen],
        )


def no_discs() -> Discs:
    """Return an empty set of discs."""
    shape = (0, N_RAYS, N_PEAKS)
    none = np.zeros(0)
    return Discs(np.zeros((0, 2)), none, none, none, np.zeros(shape, np.float32), np.zeros(shape, np.uint8))


@dataclass(frozen=True, slots=True)
class _Followed:
    x: float
    y: float
    vx: float
    vy: float
    radius: float
    age: int
    score: float
    stretch: float
    is_alone: bool


class DiscWatch:
    """Looks for plates about the hands of everybody, frame after frame, and follows the best one of each person.

    The plate of somebody who is lost from sight, behind it or for a bystander, is followed on for a while.
    """

    def __init__(self) -> None:
        self._followed: dict[int, _Followed] = {}
        self._left_for: dict[int, int] = {}
        self._body_px: dict[int, float] = {}
        self._in_vain: dict[int, int] = {}

    def observe(self, image_rgb: Image, people: Sequence[Person], turns: Mapping[int, Turned] | None = None) -> Discs:
        """Return the discs of the next frame.

        Args:
            image_rgb: (H, W, 3).
            people: Who is seen in it.
            turns: How the bar of each person may be turned, by `person_id`; square from the side where nothing is told.
        """
        turns = turns or {}
        found = [self._observe_person(image_rgb, one, turns.get(one.person_id, SQUARE)) for one in people]
        here = {one.person_id for one in people}
        found += [self._observe_left(image_rgb, key) for key in self._followed.keys() - here]
        self._left_for = {key: n for key, n in self._left_for.items() if key not in here}
        return functools.reduce(join_discs, found, no_discs())

    def reset(self) -> None:
        """Forget the plates, as at a camera cut."""
        self._followed.clear()
        self._left_for.clear()
        self._body_px.clear()
        self._in_vain.clear()

    def _observe_person(self, image_rgb: Image, person: Person, turn: Turned) -> Discs:
        size = self._stature_px(person)
        hands = hands_midpoint_px(person.points_px[None], person.visibility[None])[0]
        if not np.isfinite(size) or not np.isfinite(hands).all():
            return no_discs()
        last = self._followed.get(person.person_id)
        radius = PLATE_SHARE_OF_STATURE * size
        low, high = (share * radius for share in PLAUSIBLE_RADIUS)
        if last is not None and last.age % SEARCH_EVERY and low <= last.radius <= high:
            if last.is_alone and last.age % VOTE_EVERY and (near := _follow_rim(image_rgb, last)) is not None:
                self._follow(person.person_id, near[0], last, hands, turn)
                return near[1]
            discs = _vote_ahead(image_rgb, last)
        else:
            if self._is_resting(person.person_id, turn):
                return no_discs()
            discs = _search(image_rgb, hands, radius, turn)
            if last is not None and discs[:, 3].max(initial=0.0) < POOR_SHARE * last.score:
                ahead = _vote_ahead(image_rgb, last)
                discs = ahead if ahead[:, 3].max(initial=0.0) > POOR_SHARE * last.score else discs
        self._follow(person.person_id, discs, last, hands, turn)
        discs = discs[:MAX_DISCS]
        return _with_rims(image_rgb, discs[discs[:, 3] > WORTH_SCORE * discs[0, 3]] if len(discs) else discs)

    def _observe_left(self, image_rgb: Image, person_id: int) -> Discs:
        """Follow the plate of somebody who is not seen in this frame, unless it is followed for another one."""
        last = self._followed[person_id]
        self._left_for[person_id] = count = self._left_for.get(person_id, 0) + 1
        others = [one for key, one in self._followed.items() if key != person_id and key not in self._left_for]
        if count > LEFT_FRAMES or any(np.hypot(one.x - last.x, one.y - last.y) < last.radius for one in others):
            del self._followed[person_id]
            return no_discs()
        if (near := _follow_rim(image_rgb, last)) is not None:
            rows, discs = near
        else:
            rows = _vote_ahead(image_rgb, last)[:MAX_DISCS]
            discs = _with_rims(image_rgb, rows)
        self._follow(person_id, rows, last, np.array([last.x, last.y]), SQUARE)
        return discs

    def _is_resting(self, person_id: int, turn: Turned) -> bool:
        """Return whether this frame is left out, because many searches at every stretch found nothing."""
        if turn.stretches == (1.0,) or person_id in self._followed:
            self._in_vain[person_id] = 0
            return False
        self._in_vain[person_id] = count = self._in_vain.get(person_id, 0) + 1
        return count > PATIENCE and count % SEARCH_RARELY > 0

    def _stature_px(self, person: Person) -> float:
        """Return the largest standing height that this person lately seemed to have, in pixels."""
        now = float(body_length_px(person.points_px[None])[0]) / BODY_SHARE
        kept = BODY_MEMORY * self._body_px.get(person.person_id, 0.0)
        if np.isfinite(now):
            self._body_px[person.person_id] = max(min(now, 1.1 * kept) if kept else now, kept)
        return self._body_px.get(person.person_id, float("nan"))

    def _follow(self, person_id: int, discs: Floats, last: _Followed | None, hands: Floats, turn: Turned) -> None:
        if len(discs) == 0 or discs[:, 3].max() < GOOD_SCORE:
            self._followed.pop(person_id, None)
            return
        chosen = _worth_following(discs, last, hands, turn)
        x, y, radius, score, stretch = (float(v) for v in discs[chosen])
        is_alone = all(other < ALONE * score for other in np.delete(discs[:, 3], chosen))
        if last is None or np.hypot(x - last.x - last.vx, y - last.y - last.vy) > last.radius:
            self._followed[person_id] = _Followed(x, y, 0.0, 0.0, radius, 1, score, stretch, is_alone)
            return
        keep = 0.6
        vx, vy = (1 - keep) * last.vx + keep * (x - last.x), (1 - keep) * last.vy + keep * (y - last.y)
        smooth_radius = 0.8 * last.radius + 0.2 * radius
        self._followed[person_id] = _Followed(x, y, vx, vy, smooth_radius, last.age + 1, score, stretch, is_alone)


def _vote_ahead(image_rgb: Image, last: _Followed) -> Floats:
    """Return discs where the followed one was heading, as rows."""
    centre = np.array([last.x + last.vx, last.y + last.vy])
    return vote_discs(image_rgb, centre, TRACK_REACH * last.radius, last.radius, TRACK_RADII, last.stretch)


def _search(image_rgb: Image, hands: Floats, radius: float, turn: Turned) -> Floats:
    """Return discs about the hands at every stretch that is likely, as rows, best first; one for each place."""
    reach = SEARCH_REACH * radius
    if turn.stretches == (1.0,):
        return vote_discs(image_rgb, hands, reach, radius, SEARCH_RADII)
    rows = []
    for stretch in turn.stretches:
        found = vote_discs(image_rgb, hands, reach, radius, SEARCH_RADII, stretch)
        found[:, 3] -= min(TURN_COST * ((_turn_deg(stretch) - turn.yaw_deg) / TURN_SD_DEG) ** 2, MOST_TURN_COST)
        rows.append(found)
    every = np.concatenate(rows)
    every = every[np.argsort(-every[:, 3])]
    kept: list[Floats] = []
    for row in every[every[:, 3] > 0]:
        if all(np.hypot(*(row[:2] - other[:2])) > SAME_PLACE * other[2] for other in kept):
            kept.append(row)
    return np.array(kept, dtype=float).reshape(-1, 5)


def _worth_following(discs: Floats, last: _Followed | None, hands: Floats, turn: Turned) -> int:
    """Return the disc that is most likely in the hands: strong, near them, and where the last one was heading.

    On a bar that points at the camera the near plate is away from the hands, and larger than the far one.
    """
    off = (discs[:, :2] - hands) / discs[:, 2:3]
    away = np.hypot(off[:, 0] - turn.away, off[:, 1])
    is_square = turn.stretches == (1.0,)
    gain = np.minimum(discs[:, 3], 1.0 if is_square else CLEAR_SCORE) - AWAY_COST * np.clip(away - 1, 0, 2)
    if not is_square:
        gain = gain + NEAR_GAIN * np.maximum(np.log(discs[:, 2] / discs[:, 2].max()), -FAR_IS_SMALLER)
    if last is not None:
        ahead = np.hypot(discs[:, 0] - last.x - last.vx, discs[:, 1] - last.y - last.vy)
        gain = gain + np.where(ahead < 0.5 * last.radius, STEADY_GAIN, 0.0)
    return int(np.argmax(gain))


def _follow_rim(image_rgb: Image, last: _Followed) -> tuple[Floats, Discs] | None:
    """Return a followed disc where its rim is now, as a row and as a disc; None when too little of the rim is there."""
    middle = np.array([last.x + last.vx, last.y + last.vy])
    rim, strength = read_rim(image_rgb, middle, last.radius, last.stretch)
    off = rim - last.radius
    cost = np.where(np.isfinite(off), np.abs(off), np.inf)
    nearest = np.take_along_axis(off, cost.argmin(axis=1)[:, None], 1)[:, 0]
    on_rim = cost.min(axis=1) < RIM_WANDER * last.radius
    if on_rim.mean() < SURE_RIM_SHARE:
        return None
    rays = RAYS[on_rim]
    shift = np.linalg.solve(rays.T @ rays + 1e-3 * np.eye(2), rays.T @ nearest[on_rim])
    rest = np.abs(off - (RAYS @ shift)[:, None])
    if np.mean(np.nanmin(np.where(np.isfinite(rest), rest, np.inf), axis=1) < RIM_FIT * last.radius) < SURE_RIM_SHARE:
        return None
    rim, centre = rim - (RAYS @ shift)[:, None], middle + shift * squeeze(last.stretch)
    row = np.array([[*centre, last.radius, last.score, last.stretch]])
    return row, Discs(
        centre[None],
        np.array([last.radius]),
        np.array([last.score]),
        np.array([last.stretch]),
        rim[None].astype(np.float32),
        np.clip(strength[None], 0, 255).astype(np.uint8),
    )


def find_disc(image_rgb: Image, near_px: Floats, radius_px: float, stretch: float = 1.0) -> Discs:
    """Return discs of a known radius about a place, and one at it without votes, for frames that show the bar badly.

    Args:
        image_rgb: (H, W, 3).
        near_px: (2,), where the plate was seen before or after.
        radius_px: Its radius, half its height.
        stretch: Its height over its width.
    """
    rows = vote_discs(image_rgb, near_px, SEARCH_REACH * radius_px, radius_px, TRACK_RADII, stretch)
    there = [[near_px[0], near_px[1] + share * radius_px, radius_px, 0.0, stretch] for share in PASSED_OVER]
    return _with_rims(image_rgb, np.concatenate([rows, there]))


def join_discs(one: Discs, other: Discs) -> Discs:
    """Return the discs of both."""
    return Discs(
        np.concatenate([one.centre_px, other.centre_px]),
        np.concatenate([one.radius_px, other.radius_px]),
        np.concatenate([one.score, other.score]),
        np.concatenate([one.stretch, other.stretch]),
        np.concatenate([one.rim_px, other.rim_px]),
        np.concatenate([one.rim_strength, other.rim_strength]),
    )


def _with_rims(image_rgb: Image, rows: Floats) -> Discs:
    """Return rows x, y, radius, score, stretch with the rims about them."""
    if not len(rows):
        return no_discs()
    rims = [read_rim(image_rgb, row[:2], row[2], row[4]) for row in rows]
    distance = np.stack([r[0] for r in rims]).astype(np.float32)
    strength = np.clip(np.stack([r[1] for r in rims]), 0, 255).astype(np.uint8)
    radius, score, stretch = rows[:, 2:].T.copy()
    return Discs(rows[:, :2].copy(), radius, score, stretch, distance, strength)


def read_rim(image_rgb: Image, centre_px: Floats, radius_px: float, stretch: float = 1.0) -> tuple[Floats, Floats]:
    """Return distance and strength of the strongest edges along rays from a centre, sub-pixel.

    Args:
        image_rgb: (H, W, 3).
        centre_px: (2,).
        radius_px: Where the rim is expected, half the height of the disc; edges are looked for from 0.55 to 2.3 of it.
        stretch: Height over width of the disc.

    Returns:
        (N_RAYS, N_PEAKS) distances in pixels of a picture stretched so that the disc is round, NaN where there is no
        further edge, and their strengths.
    """
    reach = RIM_RANGE[1] * radius_px + 3
    height, width = image_rgb.shape[:2]
    x0, x1 = max(0, int(centre_px[0] - reach)), min(width, int(centre_px[0] + reach) + 2)
    y0, y1 = max(0, int(centre_px[1] - reach)), min(height, int(centre_px[1] + reach) + 2)
    none = np.full((N_RAYS, N_PEAKS), np.nan)
    if x1 - x0 < 8 or y1 - y0 < 8:
        return none, np.zeros((N_RAYS, N_PEAKS))
    shrink = min(1.0, RIM_RADIUS_PX / radius_px)
    crop = image_rgb[y0:y1, x0:x1]
    if shrink < 1:
        crop = resized(crop, shrink, HALVED)
        shrink = crop.shape[1] / (x1 - x0)
    middle = (centre_px - (x0, y0) + 0.5) * shrink - 0.5
    rho = np.linspace(*RIM_RANGE, RIM_STEPS) * radius_px * shrink
    rays = RAYS * squeeze(stretch)
    x, y = ((middle[k] + np.outer(rays[:, k], rho)).astype(np.float32) for k in (0, 1))
    profile = cv2.remap(crop, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = (x >= 0) & (y >= 0) & (x <= crop.shape[1] - 1) & (y <= crop.shape[0] - 1)
    profile = cv2.GaussianBlur(profile.astype(np.float32), (5, 1), 1.2)
    slope = np.maximum.reduce(cv2.split(cv2.absdiff(profile[:, 2:], profile[:, :-2])))
    slope[~(inside[:, 2:] & inside[:, :-2])] = 0
    return _ray_peaks(slope, rho[1:-1] / shrink)


def _ray_peaks(slope: Floats, rho: Floats) -> tuple[Floats, Floats]:
    """Return the N_PEAKS strongest local maxima of each row with parabolic sub-sample positions."""
    left, here, right = slope[:, :-2], slope[:, 1:-1], slope[:, 2:]
    is_peak = (here >= left) & (here > right) & (here > 6)
    strength = np.where(is_peak, here, 0)
    order = np.argsort(-strength, axis=1)[:, :N_PEAKS]
    place = order + strength.shape[1] * np.arange(len(order))[:, None]
    best, a, b, c = (v.take(place) for v in (strength, left, here, right))
    bend = a - 2 * b + c
    shift = np.where(np.abs(bend) > 1e-6, 0.5 * (a - c) / np.where(bend == 0, 1, bend), 0.0)
    position = rho[order + 1] + shift * (rho[1] - rho[0])
    return np.where(best > 0, position, np.nan).astype(float), best.astype(float)
