"""The bar seen from the front over time: one pair of plates in each frame, their centres to parts of a pixel, its tilt."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perception.barline import ALIKE_LEVELS, INNER_DISTANCE_M, BarEnds
from perception.barline_fit import (
    Looks,
    centres_across,
    centres_by_edges,
    centres_by_looks,
    common_size,
    learn_looks,
    rarity,
)
from perception.pose import Floats, check_shape, freeze
from perception.smoothing import reject_outliers

Ints = npt.NDArray[np.int64]

PLATE_M = 0.45  # m, the usual plate; turns pixels into speeds before the scale is known
TOP_SPEED_M_S = 6.5  # m/s, a bar dropped from overhead reaches 6
UNSEEN = 0.52  # reward of "not seen", in units of the mean score of a pair; false pairs score 0.4 to 0.7
LOOK_BACK = 6  # frames with pairs that a path may skip
LONGEST_JUMP_S = 1.2  # s, a path may bridge
SLACK = 0.08  # plate heights by which a box jitters
HAND_REACH = np.array(
    [0.45, 0.2]
)  # plate heights, right-left and up-down, that pair and hands may be apart for nothing
AWAY_COST = 0.25  # of score for each plate height beyond
HELD_REACH = np.array([0.6, 0.3])  # plate heights; a pair farther from the hands is not held
LEAST_HELD = 0.4  # share of the frames with pair and hands in which it must be
LIFTED, LIFTED_CONFIDENCE = (
    1.0,
    0.75,
)  # plate heights up and down, and mean confidence: a pair that is a bar being lifted
CLOSEST, FARTHEST = 0.88, 1.20  # of 1.31 m: the outer ones of several plates stand up to 0.26 m farther apart
LIKE_GAIN = 0.25  # of score, for the colours and size that the path as a whole has
MIN_FRAMES = 10  # with a pair; below this there is no bar
LEAST_SIDE = 0.30  # score of a side below which this end counts as hidden
RARE_BAND = 0.12  # plate heights: frames with the bar this close in height share one vote on its size
ONE_END = 0.3  # confidence when only one end is surely seen
MOST_UNLIKE = 4.5  # cost of a plate that still looks like itself: the bar has 0.1 to 4.4, other things 4 to 8
MOSTLY_LIKE = 0.6  # share of frames that must, else what it looks like was learnt badly
PLAIN_SIDE = 0.8  # score of a side whose edges alone tell where it is
SURE_SIDE = 0.62  # score of a side that is plainly seen


@dataclass(frozen=True, slots=True, eq=False)
class BarLineTrack:
    """The two plates edge-on over T frames, first the one at the left of the picture.

    Attributes:
        times_s: (T,).
        end_px: (T, 2, 2), centre of each plate, x right and y down; NaN where it was not seen.
        confidence: (T,), how surely the pair is the bar, 0 to 1; 0 where not seen.
        height_px: Height of the plates, one for the clip; NaN when no bar was found.
        height_sd_px: Its SD.
        apart_px: Distance of the inner faces, one for the clip.
        noise_px: SD of one frame's height of the bar about its neighbours.
        width_px: Of each plate, one for the clip.
        looks: What each plate and the bar beside it look like; None where too few frames show it.
    """

    times_s: Floats
    end_px: Floats
    confidence: Floats
    height_px: float
    height_sd_px: float
    apart_px: float
    noise_px: float
    width_px: tuple[float, float] = (float("nan"), float("nan"))
    looks: tuple[Looks | None, Looks | None] = (None, None)

    def __post_init__(self) -> None:
        t = len(self.times_s)
        check_shape("end_px", self.end_px, (t, 2, 2))
        check_shape("confidence", self.confidence, (t,))
        freeze(self.times_s, self.end_px, self.confidence)

    @property
    def is_found(self) -> bool:
        """Whether there is a bar at all."""
        return bool(np.isfinite(self.height_px))

    @property
    def centre_px(self) -> Floats:
        """Return (T, 2), the middle of the bar; from one end and the usual span where the other is hidden."""
        span = self.end_px[:, 1] - self.end_px[:, 0]
        usual = _interpolated(self.times_s, span)
        middle = self.end_px.mean(axis=1)
        from_left, from_right = self.end_px[:, 0] + usual / 2, self.end_px[:, 1] - usual / 2
        middle = np.where(np.isfinite(middle), middle, from_left)
        return np.asarray(np.where(np.isfinite(middle), middle, from_right))

    @property
    def tilt_deg(self) -> Floats:
        """Return (T,), positive where the end at the right of the picture is higher."""
        span = self.end_px[:, 1] - self.end_px[:, 0]
        return np.asarray(np.degrees(np.arctan2(-span[:, 1], span[:, 0])))


def _interpolated(times_s: Floats, values: Floats) -> Floats:
    """Return (T, D) without gaps: linear in time between frames that are known; NaN if none is."""
    known = np.isfinite(values).all(axis=1)
    if not known.any():
        return np.full_like(values, np.nan)
    columns = [np.interp(times_s, times_s[known], values[known, d]) for d in range(values.shape[1])]
    return np.stack(columns, axis=1)


def track_bar_line(
    times_s: Floats, ends: Sequence[BarEnds], hands_px: Floats, plate_diameter_m: float = PLATE_M
) -> BarLineTrack:
    """Return the pair of plates that travels with the hands.

    A Viterbi path picks at most one pair a frame: strong, near the hands, without jumps no bar can make. A second one
    prefers the colours and the size that the first one mostly saw. The sizes of the boxes then come from all frames
    together, and in each frame the centre of a plate is the middle of the two edges that are its size apart.

    Args:
        times_s: (T,).
        ends: Candidates of each frame.
        hands_px: (T, 2), midpoint of the hands; NaN where unknown.
        plate_diameter_m: Of the largest plate; a pair that stands much farther apart or closer than 1.31 m is no bar.
    """
    path = link_ends(times_s, ends, hands_px, None)
    if np.sum(path >= 0) < MIN_FRAMES:
        return _nothing(times_s)
    path = link_ends(times_s, ends, hands_px, _looks(ends, path))
    if np.sum(path >= 0) < MIN_FRAMES:
        return _nothing(times_s)
    track = _measure(times_s, ends, path)
    apart_m = track.apart_px / track.height_px * plate_diameter_m
    is_bar = CLOSEST < apart_m / INNER_DISTANCE_M < FARTHEST and _is_held(track, hands_px)
    return track if is_bar else _nothing(times_s)


def _is_held(track: BarLineTrack, hands_px: Floats) -> bool:
    """Return whether the hands are on the bar often enough; before the grip and after the drop they are not.

    A pair that is plainly seen to be lifted must be where they are to the right and left only: hands behind the back of
    a lifter, or behind the legs, are badly seen.
    """
    centre = track.centre_px
    away = np.abs(centre - hands_px) / track.height_px
    known = np.isfinite(away).all(axis=1)
    if not known.any():
        return False
    seen = np.isfinite(centre[:, 1])
    travel = float(np.ptp(np.percentile(centre[seen, 1], [5, 95]))) / track.height_px
    is_lifted = travel >= LIFTED and float(np.mean(track.confidence[seen])) >= LIFTED_CONFIDENCE
    near = away[known] < HELD_REACH
    return bool(np.mean(near[:, 0] if is_lifted else near.all(axis=1)) >= LEAST_HELD)


def _nothing(times_s: Floats) -> BarLineTrack:
    n, nan = len(times_s), float("nan")
    return BarLineTrack(times_s.copy(), np.full((n, 2, 2), np.nan), np.zeros(n), nan, nan, nan, nan)


@dataclass(frozen=True, slots=True, eq=False)
class _Looks:
    """What the plates mostly look like: colours (2, C, 3), height in px."""

    colours: Floats
    height_px: float


def _looks(ends: Sequence[BarEnds], path: Ints) -> _Looks:
    chosen = [(ends[i], int(k)) for i, k in enumerate(path) if k >= 0]
    colours = np.median(np.stack([e.colours[k] for e, k in chosen]), axis=0)
    return _Looks(colours, float(np.median([e.height_px[k] for e, k in chosen])))


def link_ends(times_s: Floats, ends: Sequence[BarEnds], hands_px: Floats, looks: _Looks | None) -> Ints:
    """Return (T,), the index of the chosen pair of each frame, -1 where none is."""
    total: list[Floats] = []
    back: list[list[tuple[int, int]]] = []
    lately: list[int] = []
    for i, here in enumerate(ends):
        gain = _gain(here, hands_px[i], looks) - UNSEEN
        best, came = gain.copy(), [(-1, -1)] * len(gain)
        for j in lately if len(gain) else ():
            if times_s[i] - times_s[j] > LONGEST_JUMP_S:
                continue
            step = total[j][None, :] - _cost(here, ends[j], float(times_s[i] - times_s[j])) + gain[:, None]
            pick = np.argmax(step, axis=1)
            value = step[np.arange(len(gain)), pick]
            for k in np.flatnonzero(value > best):
                best[k], came[k] = value[k], (j, int(pick[k]))
        total.append(best)
        back.append(came)
        if len(gain):
            lately = [*lately[-LOOK_BACK:], i]
    return _traced(total, back)


def _traced(total: list[Floats], back: list[list[tuple[int, int]]]) -> Ints:
    chosen = np.full(len(total), -1, dtype=np.int64)
    last = max(((float(row.max()), i, int(row.argmax())) for i, row in enumerate(total) if len(row)), default=None)
    if last is None:
        return chosen
    _, i, k = last
    while i >= 0:
        chosen[i] = k
        i, k = back[i][k]
    return chosen


def _gain(ends: BarEnds, hand_px: Floats, looks: _Looks | None) -> Floats:
    """Return (n,), the worth of each pair by itself."""
    gain = ends.score.mean(axis=1)
    if np.isfinite(hand_px).all() and len(gain):
        away = np.abs(ends.end_px.mean(axis=1) - hand_px) / ends.height_px[:, None] - HAND_REACH
        gain = gain - AWAY_COST * np.clip(away, 0, 2).sum(axis=1)
    if looks is not None and len(gain):
        levels = np.abs(ends.colours - looks.colours).mean(axis=(1, 2, 3))
        size = np.abs(np.log(ends.height_px / looks.height_px))
        gain = gain + LIKE_GAIN * (2 * np.exp(-levels / ALIKE_LEVELS - size / 0.15) - 1)
    return np.asarray(gain)


def _cost(here: BarEnds, there: BarEnds, dt_s: float) -> Floats:
    """Return (n_here, n_there), the cost of moving between two frames; large beyond what a bar can do."""
    size = np.sqrt(here.height_px[:, None] * there.height_px[None, :])
    step = np.linalg.norm(here.end_px[:, None] - there.end_px[None, :], axis=3).max(axis=2) / size
    speed = np.maximum(step - SLACK, 0) * PLATE_M / dt_s
    growth = np.abs(np.log(here.height_px[:, None] / there.height_px[None, :]))
    return np.asarray(0.03 * speed + 10.0 * (speed > TOP_SPEED_M_S) + 0.5 * growth)


def _measure(times_s: Floats, ends: Sequence[BarEnds], path: Ints) -> BarLineTrack:
    chosen = [(i, ends[int(i)], int(path[i])) for i in np.flatnonzero(path >= 0)]
    boxes = np.stack([e.end_px[k] for _, e, k in chosen])
    box_heights = np.array([e.height_px[k] for _, e, k in chosen])
    edge, strength = (
        np.stack([e.edge_px[k] for _, e, k in chosen]),
        np.stack([e.edge_strength[k] for _, e, k in chosen]),
    )
    strips = np.stack([e.strips[k] for _, e, k in chosen])
    score = np.stack([e.score[k] for _, e, k in chosen])
    widths = np.median(np.stack([e.width_px[k] for _, e, k in chosen]), axis=0)
    rare = rarity(boxes[:, :, 1].mean(axis=1), RARE_BAND * float(np.median(box_heights)))
    weighed = strength * rare[:, None, None, None]
    height, height_sd = common_size(edge[:, :, 0:2], weighed[:, :, 0:2], float(np.median(box_heights)))
    centre = np.full((len(chosen), 2, 2), np.nan)
    learnt: list[Looks | None] = []
    for side in (0, 1):
        by_edges, plain = centres_by_edges(edge[:, side], strength[:, side], height)
        read_at = np.stack([boxes[:, side, 1], box_heights], axis=1)
        looks = learn_looks(strips[:, side], read_at, by_edges, rare * plain, height)
        y = by_edges if looks is None else centres_by_looks(strips[:, side], read_at, looks)
        y = np.where(np.isnan(y) & plain & (score[:, side] >= PLAIN_SIDE), by_edges, y)
        learnt.append(looks)
        widths[side], _ = common_size(edge[:, [side], 2:4], weighed[:, [side], 2:4], float(widths[side]))
        x = centres_across(edge[:, side], strength[:, side], float(widths[side]), height)
        seen = np.isfinite(y) & (score[:, side] >= LEAST_SIDE)
        if looks is not None:
            like = looks.plate_cost(strips[:, side], read_at, y[:, None])[:, 0] < MOST_UNLIKE
            seen &= like | (np.mean(like[seen]) < MOSTLY_LIKE)
        centre[seen, side, 0] = np.where(np.isfinite(x), x, boxes[:, side, 0])[seen]
        centre[seen, side, 1] = y[seen]
    frames = [i for i, _, _ in chosen]
    out, confidence = np.full((len(times_s), 2, 2), np.nan), np.zeros(len(times_s))
    out[frames] = without_strays(times_s[frames], centre)
    sure = np.clip((score - LEAST_SIDE) / (SURE_SIDE - LEAST_SIDE), 0, 1) * np.isfinite(out[frames, :, 1])
    confidence[frames] = ONE_END * sure.max(axis=1) + (1 - ONE_END) * sure.min(axis=1)
    between = centre[:, 1, 0] - centre[:, 0, 0]
    between = between[np.isfinite(between)]
    apart = float(np.median(between)) - float(widths.sum()) / 2 if len(between) else float("nan")
    noise = _noise(out.mean(axis=1)[:, 1])
    wide = (float(widths[0]), float(widths[1]))
    return BarLineTrack(times_s.copy(), out, confidence, height, height_sd, apart, noise, wide, (learnt[0], learnt[1]))


def without_strays(times_s: Floats, end_px: Floats) -> Floats:
    """Return the ends without frames that stick out from their neighbours."""
    out = end_px.copy()
    for side in (0, 1):
        out[:, side] = reject_outliers(times_s, end_px[:, side], half_window_s=0.13, threshold=5.0, floor=0.8)
    return out


def _noise(y_px: Floats) -> float:
    """Return the SD of one sample by its third differences, which a smooth path hardly has; NaN when too short."""
    third = np.diff(y_px, 3)
    third = third[np.isfinite(third)]
    return float(1.4826 * np.median(np.abs(third)) / np.sqrt(20)) if len(third) >= MIN_FRAMES else float("nan")
