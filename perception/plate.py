"""The near plate over time: one disc chosen in each frame, one outer radius for the clip, sub-pixel centres from the rim."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from perception.disc_votes import MAX_DISCS
from perception.discs import GOOD_SCORE, PLAUSIBLE_RADIUS, RAYS, Discs
from perception.plate_rim import (
    MIN_FRAMES,
    MIN_RIM_SHARE,
    RIM_BAND,
    Rims,
    companion_ring,
    first_radius,
    first_shape,
    fit_centres,
    fit_rims,
    growth_of,
    share_on_rim,
)
from perception.pose import Floats, check_shape, freeze
from perception.spool import Spool

PLATE_RADIUS_M = 0.225  # m, to turn pixels into speeds before the scale is known
TOP_SPEED_M_S = 6.5  # m/s, a bar dropped from overhead reaches 6
UNSEEN = 0.30  # reward of "not seen", in units of the disc score
MIN_SIZED_FRAMES = 8  # frames with a disc of a plausible size that outweigh the expected radius
LOOK_BACK = 6  # frames with discs that a path may skip
LONGEST_GAP_S = 1.2  # s, a path may bridge
HAND_REACH = 2.2  # plate radii from the hands that cost nothing
MOST_AT_REST = 4  # places at which discs that do not move are left out
ON_HEAD, MOSTLY_HEAD = 0.6, 0.5  # radii from a head, and share of frames, of a disc that is one
CLEARER_THAN_HEADS = 0.9  # score of a plate that hides a head; heads themselves get up to 0.87
AWAY_COST = 0.08  # of score for each radius beyond; small, because hidden hands are guessed
FAR_SIDE = (0.5, 1.5)  # radii past the hands from which an ellipse, or a round disc, is the bar's far plate
MOST_SHAPED = 240  # frames that are measured at a time
MOST_FITTED = 120  # frames from which radius and flattening are taken
LEAST_AWAY = 0.3  # of the radius between hands and disc, below which it is not told on which side the bar goes on
IN_THE_MIDDLE, MIN_IN_THE_MIDDLE = 1.4, 8  # radii from the middle of the picture, and frames, without discs behind
MOST_STACK = 0.055  # of the radius, that discs behind may add to it
RING_SURE, RING_SD = 0.7, 0.05  # usual share of a rim below which it may be a ring inside it, and what that leaves open
WHOLE_RIM = 0.75  # usual share of the rim that must be seen there
WEAK_SHARE = 0.5  # of the usual share of the rim: with less, a place must be near the way between surer ones
MOST_AWAY = 0.4  # radii that it may be from where the plate is between surer frames
LEAST_RIM = 0.42  # share of the rim that the best tenth of frames shows; with less it is a body, not a plate
CLEAR_SHARE = 0.375  # of the best tenth's share: before the first and after the last place with as much is no plate
POOR_SHARE = 0.6  # of the usual share of the rim: with less the other discs of the frame are tried
PLAIN_SHARE = 0.75  # of the usual share of the rim: with less, a place must be within reach of those with more
LITTLE_AWAY = 0.15  # likewise, of a place that shows less than half of the usual share
BEND_M_S2 = 15.0  # m/s², a bar's way between two places bends by no more while it is in the hands
BETWEEN_TWO = 0.25  # radii that a centre is off at most which leans on the near plate and on the far one behind it
NEARLY_ROUND = -0.06  # flattening of a disc seen square from the side, or turned by 20 degrees
LEANING = 0.08  # radii that a centre is off which leans on the rim on one side and on a ring inside it on the other
STRAY_REACH = 1.5  # radii off the straight way between plain places: the most that is within reach


@dataclass(frozen=True, slots=True, eq=False)
class PlateTrack:
    """The near plate over T frames.

    Attributes:
        times_s: (T,).
        centre_px: (T, 2), sub-pixel; NaN where not seen.
        confidence: (T,), share of the rim that was seen, 0 to 1.
        radius_px: Radius of the outer rim (its vertical half axis), one for the clip; NaN when no plate was found.
        radius_sd_px: SD of the radius.
        flattening: Horizontal over vertical axis minus 1: 0 for a disc facing the camera, negative when it is turned.
    """

    times_s: Floats
    centre_px: Floats
    confidence: Floats
    radius_px: float
    radius_sd_px: float
    flattening: float

    def __post_init__(self) -> None:
        t = len(self.times_s)
        check_shape("centre_px", self.centre_px, (t, 2))
        check_shape("confidence", self.confidence, (t,))
        freeze(self.times_s, self.centre_px, self.confidence)

    @property
    def is_found(self) -> bool:
        """Whether there is a plate at all."""
        return bool(np.isfinite(self.radius_px))


def track_plate(
    times_s: Floats,
    discs: Sequence[Discs],
    hands_px: Floats,
    expected_px: float,
    image_centre_px: tuple[float, float],
    radius_px: float | None = None,
    near_side: float = 0.0,
) -> PlateTrack:
    """Return the plate that travels with the hands.

    A Viterbi path picks at most one disc a frame: discs with many votes, near the hands, without jumps no bar can make
    and with a steady radius. All edges on the rays of the chosen discs then give one outer radius and, frame by frame,
    the centre.

    Args:
        times_s: (T,).
        discs: Candidates of each frame.
        hands_px: (T, 2), midpoint of the hands; NaN where unknown.
        expected_px: Radius that the athlete's size lets expect.
        image_centre_px: Middle of the picture, where the camera looks straight at things.
        radius_px: Radius of the rim where it is known already.
        near_side: Where the near plate is from the hands on a bar that is turned, -1 left or 1 right; 0 where unknown.
    """
    path = link_discs(times_s, discs, hands_px, near_side)
    if np.sum(path >= 0) < MIN_FRAMES:
        return no_plate(times_s)
    return _measure(
        times_s, discs, path, expected_px, _Sight(np.array(image_centre_px), hands_px, near_side != 0), radius_px
    )


def moving_disc(
    times_s: Floats, discs: Sequence[Discs], heads_px: Sequence[Floats]
) -> tuple[Floats, Sequence[Discs]] | None:
    """Return the strongest disc that goes up and down by more than its diameter, and all discs but those at rest.

    Plates on a rack are seen better and longer than those that are lifted, so what does not move is left out, one
    place after the other, and so are round heads. The disc is (T, 2), NaN where not seen; None if no disc moves.

    Args:
        times_s: (T,).
        discs: Candidates of each frame.
        heads_px: (P, 2) for each frame, heads of the people in it.
    """
    for _ in range(MOST_AT_REST):
        path = link_discs(times_s, discs, np.full((len(discs), 2), np.nan))
        frames = np.flatnonzero(path >= 0)
        if len(frames) < 2 * MIN_FRAMES:
            return None
        out = np.full((len(discs), 2), np.nan)
        out[frames] = [discs[int(i)].centre_px[int(path[i])] for i in frames]
        radius, score = np.median(
            [(discs[int(i)].radius_px[int(path[i])], discs[int(i)].score[int(path[i])]) for i in frames], axis=0
        )
        low, high = np.nanpercentile(out[:, 1], [5, 95])
        on_heads = _share_on_heads(out[frames], [heads_px[int(i)] for i in frames], radius)
        if on_heads > MOSTLY_HEAD and score < CLEARER_THAN_HEADS:
            discs = _elsewhere(discs, heads_px, float(radius))
        elif high - low > 2 * radius:
            return (out, discs) if score > GOOD_SCORE else None
        else:
            discs = _elsewhere(discs, [np.nanmedian(out, axis=0)[None]] * len(discs), float(radius))
    return None


def _share_on_heads(centre_px: Floats, heads_px: Sequence[Floats], radius_px: float) -> float:
    """Return in what share of frames a disc lies on somebody's head."""
    away = [np.nanmin(np.linalg.norm(h - c, axis=1), initial=np.inf) for c, h in zip(centre_px, heads_px, strict=True)]
    return float(np.mean(np.array(away) < ON_HEAD * radius_px))


def _elsewhere(discs: Sequence[Discs], places_px: Sequence[Floats], radius_px: float) -> Sequence[Discs]:
    """Return discs without those at some places, (P, 2) for each frame."""
    left: Spool[Discs] = Spool()
    for here, places in zip(discs, places_px, strict=True):
        known = places[np.isfinite(places).all(axis=1)]
        apart = np.linalg.norm(here.centre_px[:, None] - known, axis=2)
        left.append(here.only(np.min(apart, axis=1, initial=np.inf) > radius_px))
    return left


def no_plate(times_s: Floats) -> PlateTrack:
    """Return the track of a plate that is never seen."""
    n = len(times_s)
    return PlateTrack(times_s.copy(), np.full((n, 2), np.nan), np.zeros(n), float("nan"), float("nan"), 0.0)


def link_discs(
    times_s: Floats, discs: Sequence[Discs], hands_px: Floats, near_side: float = 0.0
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return (T,), the index of the chosen disc of each frame, -1 where none is."""
    n = len(discs)
    total: list[Floats] = []
    back: list[list[tuple[int, int]]] = []
    lately: list[int] = []
    for i, here in enumerate(discs):
        gain = _unary(here, hands_px[i], near_side) - UNSEEN
        best, came = gain.copy(), [(-1, -1)] * len(gain)
        near = [j for j in lately if times_s[i] - times_s[j] <= LONGEST_GAP_S] if len(gain) else []
        if near:
            before = [(j, k) for j in near for k in range(len(total[j]))]
            since_s = np.array([times_s[i] - times_s[j] for j, _ in before])
            centre = np.concatenate([discs[j].centre_px for j in near])
            radius = np.concatenate([discs[j].radius_px for j in near])
            stretch = np.concatenate([discs[j].stretch for j in near])
            cost = _transition(here, centre, radius, stretch, since_s)
            step = np.concatenate([total[j] for j in near]) - cost + gain[:, None]
            pick = np.argmax(step, axis=1)
            value = step[np.arange(len(gain)), pick]
            for k in np.flatnonzero(value > best):
                best[k], came[k] = value[k], before[int(pick[k])]
        total.append(best)
        back.append(came)
        if len(gain):
            lately = [*lately[-LOOK_BACK:], i]
    return _trace(total, back, n)


def _trace(
    total: list[Floats], back: list[list[tuple[int, int]]], n: int
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    chosen = np.full(n, -1, dtype=np.int64)
    ends = [(float(row.max()), i, int(row.argmax())) for i, row in enumerate(total) if len(row)]
    if not ends:
        return chosen
    _, i, k = max(ends)
    while i >= 0:
        chosen[i] = k
        i, k = back[i][k]
    return chosen


def _unary(discs: Discs, hand_px: Floats, near_side: float) -> Floats:
    gain = np.minimum(discs.score, 1.0)
    if np.isfinite(hand_px).all() and len(gain):
        away = np.linalg.norm(discs.centre_px - hand_px, axis=1) / discs.radius_px
        gain = gain - AWAY_COST * np.clip(away - HAND_REACH, 0, 4)
        past = -near_side * (discs.centre_px[:, 0] - hand_px[0]) / discs.radius_px
        gain = gain - np.where(past > np.where(discs.stretch > 1, *FAR_SIDE), 1.0, 0.0)
    return np.asarray(gain)


def _transition(here: Discs, centre_px: Floats, radius_px: Floats, stretch: Floats, dt_s: Floats) -> Floats:
    """Return (n_here, n_there), the cost of moving from discs seen `dt_s` before; large beyond what a bar can do."""
    radius = np.sqrt(here.radius_px[:, None] * radius_px)
    step = np.linalg.norm(here.centre_px[:, None] - centre_px, axis=2)
    slack = 0.12 * radius  # the votes themselves jitter by this much
    speed = np.maximum(step - slack, 0) / radius * PLATE_RADIUS_M / dt_s
    growth = np.abs(np.log(here.radius_px[:, None] / radius_px))
    growth = growth + np.abs(np.log(here.stretch[:, None] / stretch))
    return np.asarray(0.03 * speed + 10.0 * (speed > TOP_SPEED_M_S) + 0.5 * growth)


@dataclass(frozen=True, slots=True, eq=False)
class _Sight:
    """What tells on which side of a disc the discs behind it show: the picture's middle and the (T, 2) hands.

    `is_turned` says whether the bar is known to be turned against the picture.
    """

    middle_px: Floats
    hands_px: Floats
    is_turned: bool

    def inner_side(self, discs: "_Chosen") -> float:
        """Return on which side of the discs the bar goes on to the hands, -1 left or 1 right; 0 where not told."""
        to_hands = (self.hands_px[discs.frames, 0] - discs.centre_px[:, 0]) / discs.radius_px
        known = to_hands[np.isfinite(to_hands)]
        side = float(np.median(known)) if len(known) else 0.0
        return float(np.sign(side)) if abs(side) > LEAST_AWAY else 0.0

    def behind(self, centre: Floats, discs: "_Chosen") -> Floats:
        """Return (N, 2), where the discs behind show past the near face: with a length of 1 they hide its rim there.

        Away from the middle of the picture one sees their edges on the inner side, the more the farther from it. When
        the bar is turned they show on the side of the hands.
        """
        arm = (self.middle_px - centre) / (2 * discs.radius_px[:, None])
        away = np.linalg.norm(arm, axis=1)
        return np.asarray(arm / np.maximum(away, 1.0)[:, None])


@dataclass(frozen=True, slots=True, eq=False)
class _Chosen:
    """The discs on the path, N of them: their frames, votes and edges."""

    frames: np.ndarray[tuple[int], np.dtype[np.int64]]
    centre_px: Floats
    radius_px: Floats
    stretch: Floats
    rows: Sequence[tuple[Discs, int]]

    def part(self, which: slice) -> "_Chosen":
        return _Chosen(
            self.frames[which], self.centre_px[which], self.radius_px[which], self.stretch[which], self.rows[which]
        )

    def at(self, which: np.ndarray[tuple[int], np.dtype[np.int64]]) -> "_Chosen":
        return _Chosen(
            self.frames[which],
            self.centre_px[which],
            self.radius_px[which],
            self.stretch[which],
            [self.rows[int(k)] for k in which],
        )


def _choose(discs: Sequence[Discs], path: np.ndarray[tuple[int], np.dtype[np.int64]]) -> _Chosen:
    return _chosen_of(discs, [(int(i), int(path[i])) for i in np.flatnonzero(path >= 0)])


def _chosen_of(discs: Sequence[Discs], places: Sequence[tuple[int, int]]) -> _Chosen:
    """Return discs by their frames and their places among the discs of the frame."""
    rows = [(discs[i], k) for i, k in places]
    return _Chosen(
        np.array([i for i, _ in places]),
        np.stack([d.centre_px[k] for d, k in rows]),
        np.array([d.radius_px[k] for d, k in rows]),
        np.array([d.stretch[k] for d, k in rows]),
        rows,
    )


def _measure(
    times_s: Floats,
    discs: Sequence[Discs],
    path: np.ndarray[tuple[int], np.dtype[np.int64]],
    expected_px: float,
    sight: _Sight,
    radius_px: float | None,
) -> PlateTrack:
    chosen = _choose(discs, path)
    voted = chosen.radius_px
    sized = (voted > PLAUSIBLE_RADIUS[0] * expected_px) & (voted < PLAUSIBLE_RADIUS[1] * expected_px)
    usual = float(np.median(voted[sized])) if sized.sum() >= MIN_SIZED_FRAMES else expected_px
    some = chosen.part(slice(None, None, max(1, len(voted) // MOST_FITTED)))
    rims, start = _gather(some, sight)
    shape = float(np.median(1 / chosen.stretch)) - 1
    radius = radius_px
    sweep = 0.0
    if shape < 0:
        first, shape, sweep = first_shape(rims, start, radius or usual, shape, sight.inner_side(chosen))
        radius = radius or first
        rims, start = replace(rims, sweep_px=sweep), start - np.array([sweep / 2, 0.0])
    elif radius is None:
        radius = first_radius(rims, start, usual, PLAUSIBLE_RADIUS[1] * expected_px, is_turned=sight.is_turned)
    _, _, radius, radius_sd, flattening = fit_rims(rims, start, radius, shape)
    if shape == 0:
        radius, radius_sd, flattening = _without_stack(chosen, sight, radius, radius_sd, flattening)
    growth = growth_of(rims, start, radius, flattening)
    rim = _Rim(radius, flattening, sweep, growth, sight)
    if not sweep:
        centre = rim.fit(some)[0]
        rim = replace(rim, companion=companion_ring(rims, centre, rim.size_px(centre), flattening))
    n = len(times_s)
    out, confidence = np.full((n, 2), np.nan), np.zeros(n)
    for first in range(0, len(voted), MOST_SHAPED):  # in parts, so that memory does not grow with the clip
        part = chosen.part(slice(first, first + MOST_SHAPED))
        centre, share = rim.fit(part)
        good = share >= MIN_RIM_SHARE
        out[part.frames[good]], confidence[part.frames] = centre[good], np.clip(share, 0, 1)
    _choose_again(times_s, discs, path, rim, out, confidence)
    seen = np.isfinite(out[:, 0])
    if seen.sum() < MIN_FRAMES or np.quantile(confidence[seen], 0.9) < LEAST_RIM:
        return no_plate(times_s)
    if shape == 0 and float(np.median(confidence[path >= 0])) < RING_SURE:
        radius_sd = float(np.hypot(radius_sd, RING_SD * radius))
    return PlateTrack(times_s.copy(), out, confidence, radius, radius_sd, flattening)


def _without_stack(
    chosen: _Chosen, sight: _Sight, radius_px: float, sd_px: float, flattening: float
) -> tuple[float, float, float]:
    """Return height, its SD and flattening of the near face, from frames in which no disc behind it shows.

    Away from the middle of the picture discs of the same colour show over or under the near one and make it up to 5 %
    too tall. Without such frames a disc that is a little taller than wide is either turned or a stack: it is taken for
    half of each, and the SD says so.
    """
    away = np.linalg.norm(sight.middle_px - chosen.centre_px, axis=1)
    near = np.flatnonzero(away < IN_THE_MIDDLE * radius_px)[:: max(1, len(away) // MOST_SHAPED)]
    if len(near) >= MIN_IN_THE_MIDDLE:
        rims, start = _gather(chosen.at(near), sight)
        _, share, radius, sd, flatter = fit_rims(rims, start, radius_px, flattening)
        if np.median(share) >= WHOLE_RIM and abs(radius / radius_px - 1) < MOST_STACK:
            return radius, sd, flatter
    if not -MOST_STACK < flattening < 0:
        return radius_px, sd_px, flattening
    radius = radius_px * (1 + flattening / 2)
    sd = float(np.hypot(sd_px, radius_px * flattening / np.sqrt(12)))
    return radius, sd, (1 + flattening) * radius_px / radius - 1


@dataclass(frozen=True, slots=True, eq=False)
class _Rim:
    """The rim that all frames share: its size and shape, and how its size changes over the picture.

    `companion` is the radius, over that of the rim, of a ring inside it that shows as well.
    """

    radius_px: float
    flattening: float
    sweep_px: float
    growth: Floats
    sight: _Sight
    companion: float | None = None

    def fit(self, part: _Chosen, aside: Floats | None = None) -> tuple[Floats, Floats]:
        """Return (N, 2), where the rim lies best on the edges of each disc, and (N,), the share of it that is there.

        The fit starts from the discs, or `aside` of them: (2,) radii.
        """
        rims, start = _gather(part, self.sight)
        rims, start = replace(rims, sweep_px=self.sweep_px), start - np.array([self.sweep_px / 2, 0.0])
        if aside is not None:
            start = start + self.radius_px * aside
        centre, share = self._fit(rims, start, 1.0)
        if self.companion is None:
            return centre, share
        best = share + self._share(rims, centre, self.companion)
        for times in (1.0, self.companion):
            for aside in LEANING * RAYS[:: len(RAYS) // 4]:
                other, seen = self._fit(rims, start + aside * self.radius_px, times)
                both = self._share(rims, other, 1.0) + self._share(rims, other, self.companion)
                better = np.flatnonzero(both > best)
                centre[better], share[better], best[better] = other[better], seen[better], both[better]
        return centre, share

    def _fit(self, rims: Rims, centre: Floats, times: float) -> tuple[Floats, Floats]:
        share = np.zeros(len(centre))
        for band in (0.16, 0.10, RIM_BAND):
            centre, share = fit_centres(rims, centre, self.size_px(centre, times), self.flattening, band)
        return centre, share

    def _share(self, rims: Rims, centre: Floats, times: float) -> Floats:
        return share_on_rim(rims, centre, self.size_px(centre, times), self.flattening)

    def size_px(self, centre: Floats, times: float = 1.0) -> Floats:
        """Return (N,), the rim's radius with its centre at (N, 2), or that of a ring `times` as large."""
        return np.asarray(times * self.radius_px * np.exp(self.growth[0] + centre @ self.growth[1:]))


def _choose_again(
    times_s: Floats,
    discs: Sequence[Discs],
    path: np.ndarray[tuple[int], np.dtype[np.int64]],
    rim: _Rim,
    out: Floats,
    confidence: Floats,
) -> None:
    """Look, in frames whose disc shows little of the rim, for another place that shows it where the plate may be.

    Before a wall with bricks, or of its own colour, votes may prefer something else; between the near plate and a far one
    of its colour a fit can lean on both, so it starts from places about the discs, too. `out`, (T, 2), and `confidence`,
    (T,), are changed in place; frames that still show little, elsewhere or beyond the surer ones, are left without a plate.
    """
    usual, best = (float(share) for share in np.quantile(confidence[path >= 0], [0.5, 0.9]))
    enough, poor, plain = WEAK_SHARE * usual, POOR_SHARE * usual, PLAIN_SHARE * usual
    if np.sum((confidence >= plain) & np.isfinite(out[:, 0])) < MIN_FRAMES:
        return

    def off_way(
        frames: np.ndarray[tuple[int], np.dtype[np.int64]], centre: Floats, share: float, most: float = MOST_AWAY
    ) -> Floats:
        """Return how far places are from the way between those with some share of the rim, over what is allowed."""
        sure = np.flatnonzero((confidence >= share) & np.isfinite(out[:, 0]))
        between = [np.interp(times_s[frames], times_s[sure], out[sure, d]) for d in (0, 1)]
        away = np.linalg.norm(centre - np.stack(between, axis=1), axis=1) / rim.radius_px
        since_s = np.min(np.abs(times_s[frames][:, None] - times_s[sure]), axis=1)
        return np.asarray(away / np.minimum(most + BEND_M_S2 / 2 * since_s**2 / PLATE_RADIUS_M, STRAY_REACH))

    left = np.flatnonzero((confidence < plain) & np.isfinite(out[:, 0]))
    stray = left[off_way(left, out[left], plain) > 1]
    out[stray], confidence[stray] = np.nan, 0.0
    weak = [i for i in np.flatnonzero(confidence < poor) if len(discs[int(i)].score)]
    around = RAYS[:: len(RAYS) // 8] if rim.flattening > NEARLY_ROUND else RAYS[:0]  # turned discs lean on more
    for first in range(0, len(weak), MOST_SHAPED // MAX_DISCS):
        part = weak[first : first + MOST_SHAPED // MAX_DISCS]
        some = _chosen_of(discs, [(int(i), k) for i in part for k in range(len(discs[int(i)].score))])
        for aside in BETWEEN_TWO * np.array([[0.0, 0.0], *around]):
            centre, share = rim.fit(some, aside)
            near = off_way(some.frames, centre, plain) < 1
            least = plain if aside.any() else enough
            for j in np.argsort(share):
                i = some.frames[j]
                if near[j] and share[j] > max(confidence[i], least):
                    out[i], confidence[i] = centre[j], min(share[j], 1.0)
    clear = np.flatnonzero(confidence >= max(enough, CLEAR_SHARE * best))
    out[: clear[0]], out[clear[-1] + 1 :] = np.nan, np.nan
    left = np.flatnonzero((confidence < enough) & np.isfinite(out[:, 0]))
    out[left[off_way(left, out[left], enough, LITTLE_AWAY) > 1]] = np.nan


def _gather(chosen: _Chosen, sight: _Sight) -> tuple[Rims, Floats]:
    """Return the edges of chosen discs as points, and the (N, 2) centres that were voted for."""
    centre = chosen.centre_px.copy()
    rho = np.stack([d.rim_px[k] for d, k in chosen.rows]).astype(float)
    strength = np.stack([d.rim_strength[k] for d, k in chosen.rows]).astype(float)
    arm = rho[..., None] * RAYS[None, :, None, :]
    arm[..., 0] /= chosen.stretch[:, None, None]
    points = centre[:, None, None, :] + arm
    points[~np.isfinite(rho)] = np.inf
    hidden = np.clip(sight.behind(centre, chosen) @ RAYS.T, 0, 1)
    return Rims(points, strength, 1 - 0.9 * hidden), centre
