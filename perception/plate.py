"""The near plate over time: one disc chosen in each frame, one outer radius for the clip, sub-pixel centres from the rim."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.ndimage

from perception.discs import MAX_DISCS, PLAUSIBLE_RADIUS, RAYS, Discs
from perception.pose import Floats, check_shape, freeze

PLATE_RADIUS_M = 0.225  # m, to turn pixels into speeds before the scale is known
TOP_SPEED_M_S = 6.5  # m/s, a bar dropped from overhead reaches 6
UNSEEN = 0.30  # reward of "not seen", in units of the disc score
MIN_SIZED_FRAMES = 8  # frames with a disc of a plausible size that outweigh the expected radius
LOOK_BACK = 6  # frames with discs that a path may skip
LONGEST_GAP_S = 1.2  # s, a path may bridge
HAND_REACH = 2.2  # plate radii from the hands that cost nothing
AWAY_COST = 0.08  # of score for each radius beyond; small, because hidden hands are guessed
FAR_SIDE = (0.5, 1.5)  # radii past the hands from which an ellipse, or a round disc, is the bar's far plate
RIM_BAND = 0.055  # of the radius: edges this near to the circle belong to the rim
RING_SHARE = 0.35  # of the best ring's support: weaker ones are not the rim
RING_FLOOR = 0.08  # share of rays that must show a ring in the same place over the clip
MIN_FRAMES = 10  # with a rim, below this there is no plate
MOST_TRIED = 14  # frames on which first guesses are tried
MOST_SHAPED = 240  # frames that are measured at a time
NEARLY = 0.85  # of the most rim that a guess ends on: a larger ring with as much is the rim
SWEEPS = (0.0, 0.15, 0.3, 0.45, 0.6)  # of the radius, how far the outline of a stack goes on past its near face
RADII_TURNED = (0.9, 1.0, 1.1, 1.22)  # times the voted radius
FLATTER = (1.0, 0.88, 0.78)  # times the voted width over height, tried where discs are ellipses
SIZES_TRIED = (0.90, 0.95, 1.05, 1.10)  # of the radius, in single frames of a disc that may change its size
AS_MUCH = 0.97  # of the most rim that a size shows: of those with as much the largest is the rim, the others its lip
SETTLED_PX = 0.03  # px, a fit whose centres all move by less is done
MOST_FITTED = 120  # frames from which radius and flattening are taken
MOST_SIZED = 60  # frames whose size is fitted
GROWTH_NOISE = 0.015  # of the radius, SD of a frame's size about the plane
LEFT_OVER = 0.5  # of the sizes' median deviation that the plane must not exceed to be believed
LEAST_GROWTH, MOST_GROWTH = 0.03, 0.30  # of the radius along the way; less is noise, more is another disc
MIN_RADIUS_SD_PX = 0.1  # px, no edge is known better than this on average
FLATTEST, ROUNDEST = (
    -0.62,
    0.1,
)  # flattening of a disc turned by 68 degrees, and of one that is taller than wide by error
LEAST_AWAY = 0.3  # of the radius between hands and disc, below which it is not told on which side the bar goes on
WEAK_SHARE = 0.5  # of the usual share of the rim: with less another disc of the frame is tried
MOST_AWAY = 0.6  # radii that it may be from where the plate is between surer frames
MIN_RIM_SHARE = 0.22  # share of rays on the rim below which the plate counts as not seen


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
    return _measure(times_s, discs, path, expected_px, _Sight(np.array(image_centre_px), hands_px), radius_px)


def moving_disc(times_s: Floats, discs: Sequence[Discs]) -> Floats | None:
    """Return (T, 2), the strongest disc that goes up and down by more than its diameter; None if no disc does."""
    path = link_discs(times_s, discs, np.full((len(discs), 2), np.nan))
    frames = np.flatnonzero(path >= 0)
    if len(frames) < 2 * MIN_FRAMES:
        return None
    out = np.full((len(discs), 2), np.nan)
    out[frames] = [discs[int(i)].centre_px[int(path[i])] for i in frames]
    radius = float(np.median([discs[int(i)].radius_px[int(path[i])] for i in frames]))
    low, high = np.nanpercentile(out[:, 1], [5, 95])
    return out if high - low > 2 * radius else None


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
class _Rims:
    """Edge points of the chosen discs for N frames.

    Attributes:
        points_px: (N, R, P, 2), infinitely far away where there is no edge; strength: (N, R, P).
        trust: (N, R), 0 to 1, how surely the outline in this direction is that of the near face.
        sweep_px: How far right of the near face the last disc of a stack ends, less than 0 for left; 0 for one disc.
    """

    points_px: Floats
    strength: Floats
    trust: Floats
    sweep_px: float = 0.0

    def part(self, which: slice) -> "_Rims":
        return _Rims(self.points_px[which], self.strength[which], self.trust[which], self.sweep_px)


@dataclass(frozen=True, slots=True, eq=False)
class _Sight:
    """What tells on which side of a disc the discs behind it show: the picture's middle and the (T, 2) hands."""

    middle_px: Floats
    hands_px: Floats

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
        first, shape, sweep = _first_shape(rims, start, radius or usual, shape, sight.inner_side(chosen))
        radius = radius or first
        rims, start = replace(rims, sweep_px=sweep), start - np.array([sweep / 2, 0.0])
    elif radius is None:
        radius = _first_radius(rims, start, usual, PLAUSIBLE_RADIUS[1] * expected_px)
    _, _, radius, radius_sd, flattening = _fit_rims(rims, start, radius, shape)
    growth = _growth(rims, start, radius, flattening)
    rim = _Rim(radius, flattening, sweep, growth, sight)
    n = len(times_s)
    out, confidence = np.full((n, 2), np.nan), np.zeros(n)
    for first in range(0, len(voted), MOST_SHAPED):  # in parts, so that memory does not grow with the clip
        part = chosen.part(slice(first, first + MOST_SHAPED))
        centre, share = rim.fit(part)
        good = share >= MIN_RIM_SHARE
        out[part.frames[good]], confidence[part.frames] = centre[good], np.clip(share, 0, 1)
    _choose_again(times_s, discs, path, rim, out, confidence)
    if np.isfinite(out[:, 0]).sum() < MIN_FRAMES:
        return no_plate(times_s)
    return PlateTrack(times_s.copy(), out, confidence, radius, radius_sd, flattening)


@dataclass(frozen=True, slots=True, eq=False)
class _Rim:
    """The rim that all frames share: its size and shape, and how its size changes over the picture."""

    radius_px: float
    flattening: float
    sweep_px: float
    growth: Floats
    sight: _Sight

    def fit(self, part: _Chosen) -> tuple[Floats, Floats]:
        """Return (N, 2), where the rim lies best on the edges of each disc, and (N,), the share of it that is there."""
        rims, centre = _gather(part, self.sight)
        rims, centre = replace(rims, sweep_px=self.sweep_px), centre - np.array([self.sweep_px / 2, 0.0])
        share = np.zeros(len(centre))
        for band in (0.16, 0.10, RIM_BAND):
            size = self.radius_px * np.exp(self.growth[0] + centre @ self.growth[1:])
            centre, share = _fit_centres(rims, centre, size, self.flattening, band)
        return centre, share


def _choose_again(
    times_s: Floats,
    discs: Sequence[Discs],
    path: np.ndarray[tuple[int], np.dtype[np.int64]],
    rim: _Rim,
    out: Floats,
    confidence: Floats,
) -> None:
    """Look, in frames whose disc shows little of the rim, for another one that shows it where the plate may be.

    Before a wall with bricks, or of its own colour, votes may prefer something else. `out`, (T, 2), and `confidence`,
    (T,), are changed in place; frames that still show little, and elsewhere, are left without a plate.
    """
    enough = WEAK_SHARE * float(np.median(confidence[path >= 0]))
    if np.sum(confidence >= enough) < MIN_FRAMES:
        return

    def away(frames: np.ndarray[tuple[int], np.dtype[np.int64]], centre: Floats) -> Floats:
        sure = np.flatnonzero(confidence >= enough)
        between = [np.interp(times_s[frames], times_s[sure], out[sure, d]) for d in (0, 1)]
        return np.asarray(np.linalg.norm(centre - np.stack(between, axis=1), axis=1) / rim.radius_px)

    weak = [i for i in np.flatnonzero(confidence < enough) if len(discs[int(i)].score) > (path[i] >= 0)]
    for first in range(0, len(weak), MOST_SHAPED // MAX_DISCS):
        part = weak[first : first + MOST_SHAPED // MAX_DISCS]
        others = [(int(i), k) for i in part for k in range(len(discs[int(i)].score)) if k != path[i]]
        some = _chosen_of(discs, others)
        centre, share = rim.fit(some)
        near = away(some.frames, centre) < MOST_AWAY
        for j in np.argsort(share):
            i = some.frames[j]
            if near[j] and share[j] > max(confidence[i], enough):
                out[i], confidence[i] = centre[j], min(share[j], 1.0)
    left = np.flatnonzero((confidence < enough) & np.isfinite(out[:, 0]))
    out[left[away(left, out[left]) > MOST_AWAY]] = np.nan


def _gather(chosen: _Chosen, sight: _Sight) -> tuple[_Rims, Floats]:
    """Return the edges of chosen discs as points, and the (N, 2) centres that were voted for."""
    centre = chosen.centre_px.copy()
    rho = np.stack([d.rim_px[k] for d, k in chosen.rows]).astype(float)
    strength = np.stack([d.rim_strength[k] for d, k in chosen.rows]).astype(float)
    arm = rho[..., None] * RAYS[None, :, None, :]
    arm[..., 0] /= chosen.stretch[:, None, None]
    points = centre[:, None, None, :] + arm
    points[~np.isfinite(rho)] = np.inf
    hidden = np.clip(sight.behind(centre, chosen) @ RAYS.T, 0, 1)
    return _Rims(points, strength, 1 - 0.9 * hidden), centre


def _first_radius(rims: _Rims, centre: Floats, voted_px: float, most_px: float) -> float:
    """Return the radius to begin with, found on a few frames.

    From between two rings the fit can end leaning on both. So several guesses are followed, and of those that end on
    nearly the most of a rim the largest is taken.
    """
    some = slice(None, None, max(1, len(centre) // MOST_TRIED))
    few = rims.part(some)
    guesses = {voted_px, _outer_radius(few, centre[some], voted_px, most_px), *(r * voted_px for r in (0.9, 1.1, 1.2))}
    fits = [_fit_rims(few, centre[some], r, 0.0) for r in sorted(guesses)]
    seen = [float(np.mean(_nearest_edges(few, c, r, q, RIM_BAND)[2])) for c, _, r, _, q in fits]
    good = [fit[2] for fit, value in zip(fits, seen, strict=True) if value >= NEARLY * max(seen) and fit[2] < most_px]
    return max(good, default=voted_px)


def _first_shape(
    rims: _Rims, centre: Floats, voted_px: float, flattening: float, inner_side: float
) -> tuple[float, float, float]:
    """Return radius, flattening and sweep to begin with for a disc that is turned, found on a few frames.

    The outline of a whole stack of discs looks like a larger and rounder disc. It is that of the near face, swept
    along the bar. So flatter faces and several sweeps are tried, and what shows most of a rim is taken.
    """
    some = slice(None, None, max(1, len(centre) // MOST_TRIED))
    few, start = rims.part(some), centre[some]
    best, most = (voted_px, flattening, 0.0), 0.0
    for share in SWEEPS if inner_side else (0.0,):
        sweep = share * inner_side * voted_px
        swept = replace(few, sweep_px=sweep)
        for times in FLATTER:
            for radius in RADII_TURNED:
                c, _, r, _, q = _fit_rims(
                    swept, start - np.array([sweep / 2, 0.0]), radius * voted_px, (1 + flattening) * times - 1
                )
                seen = float(np.mean(_nearest_edges(swept, c, r, q, RIM_BAND)[2]))
                if seen > most:
                    best, most = (r, q, sweep), seen
    return best


def _fit_rims(
    rims: _Rims, centre: Floats, radius: float, flattening: float
) -> tuple[Floats, Floats, float, float, float]:
    """Return centres, shares of rays on the rim, radius, its SD and flattening, from a first guess of the shape."""
    centre, _ = _fit_centres(rims, centre, radius, flattening, band=0.16)
    for band in (0.10, RIM_BAND, RIM_BAND):
        centre, share = _fit_centres(rims, centre, radius, flattening, band)
        radius, radius_sd, flattening = _fit_shape(rims, centre, radius, flattening, share, band)
    centre, share = _fit_centres(rims, centre, radius, flattening, RIM_BAND)
    return centre, share, radius, radius_sd, flattening


def _growth(rims: _Rims, centre: Floats, radius: float, flattening: float) -> Floats:
    """Return (3,), the logarithm of the disc's size over `radius`: at the picture's corner, and a pixel right and down.

    All are 0 where it keeps its size.

    A camera that is near, or not at the plate's height, sees the disc change its size along the way. Each frame's size
    is fitted with its centre, and a plane through the sizes taken that single frames cannot bend.
    """
    some = slice(None, None, max(1, len(centre) // MOST_SIZED))
    few = rims.part(some)
    once = _sized(few, centre[some], radius, radius, flattening)
    seen = once[2] >= MIN_RIM_SHARE
    if seen.sum() < MIN_FRAMES or np.ptp(np.quantile(np.log(once[1][seen]), [0.1, 0.9])) < LEAST_GROWTH:
        return np.zeros(3)  # sizes that scatter less than that do not grow
    tried = [once, *(_sized(few, centre[some], radius, times * radius, flattening) for times in SIZES_TRIED)]
    centres, sizes, shares = (np.stack(part) for part in zip(*tried, strict=True))
    best = np.argmax(np.where(shares >= AS_MUCH * shares.max(axis=0), sizes, 0.0), axis=0)
    centre, size, share = (part[best, np.arange(len(best))] for part in (centres, sizes, shares))
    good = share >= MIN_RIM_SHARE
    if good.sum() < MIN_FRAMES:
        return np.zeros(3)
    middle = np.median(centre[good], axis=0)
    offset = centre[good] - middle
    design, log_size, weight = np.column_stack([np.ones(good.sum()), offset]), np.log(size[good] / radius), share[good]
    ridge = np.diag([0.0, *(2 * [(0.3 * radius) ** 2])])
    for _ in range(10):
        plane = np.linalg.solve(design.T * weight @ design + ridge, design.T @ (weight * log_size))
        weight = share[good] / (1 + ((log_size - design @ plane) / GROWTH_NOISE) ** 2)
    change = float(np.ptp(np.quantile(offset @ plane[1:], [0.05, 0.95])))
    left, whole = (float(np.median(np.abs(off))) for off in (log_size - design @ plane, log_size - np.median(log_size)))
    if not (LEAST_GROWTH < change < MOST_GROWTH and left < LEFT_OVER * whole):
        return np.zeros(3)
    return np.array([plane[0] - middle @ plane[1:], *plane[1:]])


def _sized(
    rims: _Rims, centre: Floats, radius: float, start_px: float, flattening: float
) -> tuple[Floats, Floats, Floats]:
    """Return the (N, 2) centres, (N,) radii and shares of the rim seen, each frame with a radius of its own."""
    size = np.full(len(centre), start_px)
    share = np.zeros(len(centre))
    for band in (0.16, 0.10, 0.07, RIM_BAND):
        centre, share = _fit_centres(rims, centre, size, flattening, band)
        distance, normal, weight = _nearest_edges(rims, centre, size, flattening, band)
        design = np.concatenate([normal, np.ones((*distance.shape, 1))], axis=2)
        lhs = np.einsum("nr,nri,nrj->nij", weight, design, design) + np.diag([1e-3, 1e-3, 0.5])
        step = np.linalg.solve(lhs, np.einsum("nr,nri,nr->ni", weight, design, distance)[..., None])[..., 0]
        size = np.clip(size + np.clip(step[:, 2], -0.05 * radius, 0.05 * radius), 0.8 * radius, 1.2 * radius)
    return centre, size, share


def _fit_centres(
    rims: _Rims, centre: Floats, radius: float | Floats, flattening: float, band: float
) -> tuple[Floats, Floats]:
    """Return (N, 2) centres and the (N,) share of rays with an edge on the rim.

    `radius` is one for all frames or (N,). Four rounds of weighted Gauss-Newton on the signed distance to an ellipse of fixed size, on each ray the edge
    nearest to it; edges farther away than `band` radii weigh nothing (Tukey's biweight).
    """
    centre = centre.copy()
    most = 0.2 * np.broadcast_to(radius, len(centre))[:, None]
    weight = np.zeros(rims.trust.shape)
    for _ in range(4):
        distance, normal, weight = _nearest_edges(rims, centre, radius, flattening, band)
        weighted = (weight[..., None] * normal).transpose(0, 2, 1)
        step = np.linalg.solve(weighted @ normal + 1e-3 * np.eye(2), weighted @ distance[..., None])[..., 0]
        centre += np.clip(step, -most, most) * np.array([1 + flattening, 1.0])
        if np.max(np.abs(step)) < SETTLED_PX:
            break
    return centre, np.mean(weight > 0.2 * rims.trust, axis=1)


def _nearest_edges(
    rims: _Rims, centre: Floats, radius: float | Floats, flattening: float, band: float
) -> tuple[Floats, Floats, Floats]:
    """Return (N, R) signed distance to the rim, (N, R, 2) outward normals, (N, R) weights of the best edge on each ray.

    Distances and normals are those of a picture whose x axis is stretched so that the disc is round.
    """
    across = rims.points_px[..., 0] - centre[:, 0, None, None]
    if rims.sweep_px:
        past = np.sign(rims.sweep_px) * across
        across -= np.sign(rims.sweep_px) * np.clip(past, 0.0, abs(rims.sweep_px))
    across /= 1 + flattening
    down = rims.points_px[..., 1] - centre[:, 1, None, None]
    size = np.broadcast_to(radius, len(centre))[:, None]
    off = np.sqrt(across * across + down * down) - size[..., None]
    nearest = np.argmin(np.abs(off), axis=2)
    nearest += off.shape[2] * np.arange(nearest.size).reshape(nearest.shape)
    distance, strength = off.take(nearest), rims.strength.take(nearest)
    arm = np.stack([across.take(nearest), down.take(nearest)], axis=2)
    nearness = np.maximum(1 - (distance / (band * size)) ** 2, 0.0)
    weight = nearness**2 * (strength / (strength + 20.0)) * rims.trust
    is_near = weight > 0
    distance = np.where(is_near, distance, 0.0)
    normal = np.where(is_near[..., None], arm, 0.0) / np.maximum(distance + size, 1e-6)[..., None]
    return distance, normal, weight


def _outer_radius(rims: _Rims, centre: Floats, start_px: float, most_px: float) -> float:
    """Return the radius of the outermost ring that is concentric in most frames.

    Discs carry inner rings (lip, lettering, hub), and votes may have chosen one. Rings of the disc keep their radius
    from frame to frame, what lies behind it does not.
    """
    length = np.linalg.norm(rims.points_px - centre[:, None, None, :], axis=3) / start_px
    weight = rims.strength / (rims.strength + 20.0) * rims.trust[..., None]
    bins = np.arange(0.70, max(most_px / start_px, 1.2), 0.01)
    known = np.isfinite(length)
    histogram, _ = np.histogram(length[known], bins, weights=weight[known])
    support = np.convolve(histogram, np.ones(5), "same") / max(float(rims.trust.sum()), 1.0)
    middle = (bins[:-1] + bins[1:]) / 2
    is_peak = (support >= np.roll(support, 1)) & (support > np.roll(support, -1))
    over = support - scipy.ndimage.median_filter(support, size=41, mode="nearest")
    strong = is_peak & (over > RING_SHARE * over.max()) & (over > RING_FLOOR)
    return float(middle[np.flatnonzero(strong)[-1]] * start_px) if strong.any() else start_px


def _fit_shape(
    rims: _Rims, centre: Floats, radius: float, flattening: float, share: Floats, band: float
) -> tuple[float, float, float]:
    """Return radius, its SD and flattening, from frames that show most of the rim.

    On the scaled circle a residual distance reads dr + dq * radius * cos(angle)^2 + the centre's own shift. Least squares
    over all frames at once, each frame's shift eliminated; the SD comes from leaving out one of eight groups in turn.
    """
    good = np.flatnonzero(share >= max(0.4, float(np.quantile(share, 0.3))))
    if len(good) < 8:
        return radius, 0.05 * radius, flattening
    distance, normal, weight = _nearest_edges(rims, centre, radius, flattening, band)
    design = np.stack([np.ones_like(distance), radius * normal[..., 0] ** 2], axis=2)[good]
    normal, distance, weight = normal[good], distance[good], weight[good]
    shift = np.einsum("nr,nri,nrj->nij", weight, normal, normal) + 1e-3 * np.eye(2)
    mixed = np.einsum("nr,nri,nrj->nij", weight, design, normal)
    own = np.einsum("nr,nri,nrj->nij", weight, design, design)
    gain = mixed @ np.linalg.inv(shift)
    lhs = own - gain @ mixed.transpose(0, 2, 1)
    rhs = np.einsum("nr,nri,nr->ni", weight, design, distance)
    rhs = rhs - np.einsum("nij,nr,nrj,nr->ni", gain, weight, normal, distance)
    dr, dq = _solve_shape(lhs, rhs)
    groups = np.arange(len(good)) % 8
    parts = np.array([_solve_shape(lhs[groups != g], rhs[groups != g])[0] for g in range(8)])
    sd = float(np.sqrt(7 / 8 * np.sum((parts - parts.mean()) ** 2)))
    wider = (1 + flattening) * dq  # dq is of the stretched circle
    return radius + dr, max(sd, MIN_RADIUS_SD_PX), float(np.clip(flattening + wider, FLATTEST, ROUNDEST))


def _solve_shape(lhs: Floats, rhs: Floats) -> tuple[float, float]:
    dr, dq = np.linalg.solve(lhs.sum(axis=0), rhs.sum(axis=0))
    return float(dr), float(dq)
