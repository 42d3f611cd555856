"""The bar seen from the front over time: one pair of plates in each frame, their centres to parts of a pixel, its tilt."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coach.domain.settings import AnalysisSettings
from perception.bar import BRIDGE_S, BarSamples, bridge
from perception.barline import ALIKE_LEVELS, INNER_DISTANCE_M, N_SAMPLES, SAMPLE_REACH, BarEnds
from perception.pose import Floats, Image, check_shape, freeze
from perception.smoothing import reject_outliers

Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

PLATE_M = 0.45  # m, to turn pixels into speeds before the scale is known
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
LIKE_GAIN = 0.25  # of score, for the colours and size that the path as a whole has
MIN_FRAMES = 10  # with a pair; below this there is no bar
SIZE_BAND = 0.20  # relative, about the size at which boxes were found, in which their true size is looked for
FIT_BAND = 0.022  # plate heights: edges that are farther from the size apart do not belong to one box
LEAST_BAND_PX = 1.0  # px
HALF_TRUST = 2.0  # grey levels a pixel, strength of an edge that is half trusted
UPPER, LOWER = 1.0, 0.7  # trust in the edges of a plate; shadows lie below
MATCH_SAMPLES = np.linspace(-0.6, 0.6, 49)  # plate heights about the centre that are compared with the bar as learnt
MATCH_SHIFTS = np.linspace(-0.16, 0.16, 21)  # plate heights about the box at which it is looked for
LEARN_ROUNDS = 2
MOST_LEARNT = 150  # frames from which it is learnt
FRAMES_AT_ONCE = 100
FRAME_LEVELS = 5.0  # grey levels by which the same thing differs from frame to frame
MOST_OFF = 9.0  # variances; what differs more counts no more
LEAST_SIDE = 0.30  # score of a side below which this end counts as hidden
SURE_SIDE = 0.62  # score of a side that is plainly seen
SIZE_SD_PX = 0.35  # px, edges lie this far inside or outside the true outline, whatever the number of frames
PLATE_SIZE_SD = 0.010  # relative, worn or odd plates
DISTANCE_SLACK = 0.05  # relative, by which the distance of the plates may differ from 1.31 m
SURE_ENOUGH = 0.5  # mean confidence above which the ends are a better bar than the hands
BARLINE_CUTOFF_HZ = 6.0  # Hz, for noise of 0.05 to 0.25 px, 0.3 to 2 mm; wrists have 4 Hz
TILT_HALF_S = 0.07  # s, frames about an instant from which the tilt is read
MIN_TILT_FRAMES = 3
END_SD_PX = 0.5  # px, by which an end is off for longer than that: shadows, light, worn edges


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
    """

    times_s: Floats
    end_px: Floats
    confidence: Floats
    height_px: float
    height_sd_px: float
    apart_px: float
    noise_px: float

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


def track_bar_line(times_s: Floats, ends: Sequence[BarEnds], hands_px: Floats) -> BarLineTrack:
    """Return the pair of plates that travels with the hands.

    A Viterbi path picks at most one pair a frame: strong, near the hands, without jumps no bar can make. A second one
    prefers the colours and the size that the first one mostly saw. The sizes of the boxes then come from all frames
    together, and in each frame the centre of a plate is the middle of the two edges that are its size apart.

    Args:
        times_s: (T,).
        ends: Candidates of each frame.
        hands_px: (T, 2), midpoint of the hands; NaN where unknown.
    """
    path = link_ends(times_s, ends, hands_px, None)
    if np.sum(path >= 0) < MIN_FRAMES:
        return _nothing(times_s)
    path = link_ends(times_s, ends, hands_px, _looks(ends, path))
    if np.sum(path >= 0) < MIN_FRAMES:
        return _nothing(times_s)
    track = _measure(times_s, ends, path)
    return track if _is_held(track, hands_px) else _nothing(times_s)


def _is_held(track: BarLineTrack, hands_px: Floats) -> bool:
    """Return whether the hands are on the bar often enough; before the grip and after the drop they are not."""
    away = np.abs(track.centre_px - hands_px) / track.height_px
    known = np.isfinite(away).all(axis=1)
    return bool(known.any() and np.mean((away[known] < HELD_REACH).all(axis=1)) >= LEAST_HELD)


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
    frames = np.flatnonzero(path >= 0)
    chosen = [(ends[int(i)], int(path[i])) for i in frames]
    boxes = np.stack([e.end_px[k] for e, k in chosen])
    edge = np.stack([e.edge_px[k] for e, k in chosen])
    strength = np.stack([e.edge_strength[k] for e, k in chosen])
    score = np.stack([e.score[k] for e, k in chosen])
    strips = np.stack([e.strips[k] for e, k in chosen])
    box_heights = np.array([e.height_px[k] for e, k in chosen])
    usual = float(np.median(box_heights))
    widths = np.median(np.stack([e.width_px[k] for e, k in chosen]), axis=0)
    rare = _rarity(boxes[:, :, 1].mean(axis=1), 0.12 * usual)
    height, height_sd = _size(edge[:, :, 0:2], strength[:, :, 0:2] * rare, usual)
    band = max(LEAST_BAND_PX, FIT_BAND * height)
    centre = np.full((len(frames), 2, 2), np.nan)
    for side in (0, 1):
        y, plain = _heights(edge[:, side], strength[:, side], height)
        read_at = np.stack([boxes[:, side, 1], box_heights], axis=1)
        y = _matched(strips[:, side], read_at, y, rare[:, 0, 0, 0] * plain, height)
        width, _ = _size(edge[:, [side], 2:4], strength[:, [side], 2:4] * rare, float(widths[side]))
        x = _voted(
            [edge[:, side, 2] + width / 2, edge[:, side, 3] - width / 2],
            [_trust(strength[:, side, k], HALF_TRUST) for k in (2, 3)],
            band,
        )
        seen = np.isfinite(y) & (score[:, side] >= LEAST_SIDE)
        centre[seen, side, 0] = np.where(np.isfinite(x), x, boxes[:, side, 0])[seen]
        centre[seen, side, 1] = y[seen]
        widths[side] = width
    apart = float(np.nanmedian(centre[:, 1, 0] - centre[:, 0, 0])) - float(widths.sum()) / 2
    n = len(times_s)
    out, confidence = np.full((n, 2, 2), np.nan), np.zeros(n)
    out[frames] = centre
    sure = np.clip((score - LEAST_SIDE) / (SURE_SIDE - LEAST_SIDE), 0, 1) * np.isfinite(centre[:, :, 1])
    confidence[frames] = 0.3 * sure.max(axis=1) + 0.7 * sure.min(axis=1)
    out = _without_strays(times_s, out)
    noise = _noise(out.mean(axis=1)[:, 1])
    return BarLineTrack(times_s.copy(), out, confidence, height, height_sd, apart, noise)


def _size(edge: Floats, strength: Floats, usual_px: float) -> tuple[float, float]:
    """Return the distance of opposite edges that most frames agree on, and its SD, in px.

    Args:
        edge: (N, S, 2, P), places of the edges on both opposite sides; NaN where there is none.
        strength: (N, S, 2, P).
        usual_px: The size of the boxes.
    """
    gap = (edge[:, :, 1, None, :] - edge[:, :, 0, :, None]).reshape(-1)
    weight = np.sqrt(strength[:, :, 1, None, :] * strength[:, :, 0, :, None]).reshape(-1)
    near = np.isfinite(gap) & (np.abs(gap - usual_px) < max(SIZE_BAND * usual_px, 3.0))
    if not near.any():
        return usual_px, 0.05 * usual_px
    gap, weight = gap[near], weight[near]
    blur = max(0.5, 0.01 * usual_px)
    grid = np.arange(gap.min() - 1, gap.max() + 1, 0.1)
    density = (weight * np.exp(-0.5 * ((grid[:, None] - gap) / blur) ** 2)).sum(axis=1)
    peak = grid[np.argmax(density)]
    close = np.abs(gap - peak) < 3 * blur
    mean = float(np.average(gap[close], weights=weight[close]))
    spread = float(np.sqrt(np.average((gap[close] - mean) ** 2, weights=weight[close])))
    return mean, float(np.hypot(spread / np.sqrt(close.sum() / 10), SIZE_SD_PX))


def _rarity(y_px: Floats, band_px: float) -> Floats:
    """Return (N, 1, 1, 1) weights by which every height of the bar counts the same, however long it stayed there."""
    count = (np.abs(y_px[:, None] - y_px[None, :]) < band_px).sum(axis=1)
    return np.asarray(1 / count)[:, None, None, None]


def _heights(edge: Floats, strength: Floats, height_px: float) -> tuple[Floats, Bools]:
    """Return (N,) y of the centre of one plate by its upper and lower edge, and whether both say the same.

    Args:
        edge: (N, 4, P), as in BarEnds.
        strength: (N, 4, P).
        height_px: Of the plate.
    """
    band = max(LEAST_BAND_PX, FIT_BAND * height_px)
    guesses = [edge[:, 0] + height_px / 2, edge[:, 1] - height_px / 2]
    trusts = [UPPER * _trust(strength[:, 0], HALF_TRUST), LOWER * _trust(strength[:, 1], HALF_TRUST)]
    plain = np.abs(guesses[0][:, 0] - guesses[1][:, 0]) < band
    return _voted(guesses, trusts, band), plain


def _matched(strips: Image, boxes: Floats, y_px: Floats, weight: Floats, height_px: float) -> Floats:
    """Return (N,) y of the centre of one plate by what it and the bar beside it look like, learnt while the bar moves.

    What belongs to the bar keeps its colours from height to height, what lies behind does not. So where mean and
    variance are taken over all heights, each sample counts as much as it belongs to the bar, and shadows and stripes
    behind do not pull.

    Args:
        strips: (N, 3, N_SAMPLES, 3), as in BarEnds.
        boxes: (N, 2), centre and height of the boxes about which they were read, px.
        y_px: (N,), first guess.
        weight: (N,), how much each frame counts for what the bar looks like; 0 for frames with a bad guess.
        height_px: Of the plate.
    """
    learn = np.flatnonzero((weight > 0) & np.isfinite(y_px))
    if len(learn) < MIN_FRAMES:
        return y_px
    learn = learn[:: max(1, len(learn) // MOST_LEARNT)]
    y = y_px[learn]
    for _ in range(LEARN_ROUNDS):
        seen = _shown(strips[learn], boxes[learn], y[:, None], height_px)[:, 0]
        share = np.where(np.isfinite(y), weight[learn], 0.0)[:, None].astype(np.float32)
        share /= share.sum()
        mean = (share * seen).sum(axis=0)
        variance = (share * (seen - mean) ** 2).sum(axis=0) + FRAME_LEVELS**2
        y = _places(strips[learn], boxes[learn], mean, variance, height_px)
        if not np.isfinite(y).any():
            return y_px
    parts = range(0, len(y_px), FRAMES_AT_ONCE)  # so that memory does not grow with the clip
    cut = [slice(i, i + FRAMES_AT_ONCE) for i in parts]
    return np.concatenate([_places(strips[part], boxes[part], mean, variance, height_px) for part in cut])


def _places(strips: Image, boxes: Floats, mean: Floats32, variance: Floats32, height_px: float) -> Floats:
    """Return (N,) the y at which each strip is most like the bar, between the shifts; NaN at either end of them."""
    here = boxes[:, :1] + MATCH_SHIFTS * height_px
    off = (_shown(strips, boxes, here, height_px) - mean) ** 2 / variance
    cost = np.minimum(off, MOST_OFF).sum(axis=2).astype(float)
    k = np.clip(np.argmin(cost, axis=1), 1, len(MATCH_SHIFTS) - 2)
    rows = np.arange(len(cost))
    a, b, c = (cost[rows, k + step] for step in (-1, 0, 1))
    bend = a - 2 * b + c
    is_lowest = (b <= a) & (b <= c) & (bend > 0)
    shift = 0.5 * (a - c) / np.where(is_lowest, bend, 1.0) * (MATCH_SHIFTS[1] - MATCH_SHIFTS[0]) * height_px
    return np.where(is_lowest, here[rows, k] + shift, np.nan)


def _shown(strips: Image, boxes: Floats, centre_px: Floats, height_px: float) -> Floats32:
    """Return (N, S, D), the colours of N strips about each of S centres (N, S), D samples in all; NaN centres: 0."""
    first = boxes[:, 0] - SAMPLE_REACH * boxes[:, 1]
    step = 2 * SAMPLE_REACH * boxes[:, 1] / (N_SAMPLES - 1)
    at = (np.nan_to_num(centre_px)[..., None] + MATCH_SAMPLES * height_px - first[:, None, None]) / step[:, None, None]
    low = np.clip(at.astype(np.int64), 0, N_SAMPLES - 2)
    part = np.clip(at - low, 0, 1).astype(np.float32)[..., None]
    flat = strips.transpose(0, 2, 1, 3).reshape(len(strips), N_SAMPLES, -1).astype(np.float32)
    rows = np.arange(len(strips))[:, None, None]
    values = flat[rows, low] * (1 - part) + flat[rows, low + 1] * part
    return np.asarray(values.reshape(*centre_px.shape, -1), np.float32)


def _voted(guesses: list[Floats], trusts: list[Floats], band_px: float) -> Floats:
    """Return (N,) the place that most of several guesses agree on; NaN where there is none.

    Args:
        guesses: Each (N, P), places; NaN where there is none.
        trusts: Each (N, P), 0 to 1.
        band_px: Guesses this far apart support each other by 0.6.
    """
    place, trust = np.concatenate(guesses, axis=1), np.concatenate(trusts, axis=1)
    trust = np.where(np.isfinite(place), trust, 0.0)
    near = np.exp(-0.5 * ((place[:, :, None] - place[:, None, :]) / band_px) ** 2)
    near = np.where(np.isfinite(near), near, 0.0) * trust[:, None, :]
    support = np.where(trust > 0, near.sum(axis=2), 0.0)
    rows, pick = np.arange(len(place)), np.argmax(support, axis=1)
    weight = near[rows, pick]
    total = weight.sum(axis=1)
    mean = (weight * np.nan_to_num(place)).sum(axis=1) / np.maximum(total, 1e-9)
    return np.where(total > 0, mean, np.nan)


def _trust(strength: Floats, half: float) -> Floats:
    return strength / (strength + half)


def _without_strays(times_s: Floats, end_px: Floats) -> Floats:
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


def front_scale(track: BarLineTrack, settings: AnalysisSettings) -> tuple[float, float]:
    """Return metres per pixel at the bar and its relative SD, from the height of the plates; NaN if there is no bar.

    Plates and hands lie in the plane of the bar, so there is no perspective to correct. The distance of the plates
    checks the height: it reads up to 5 % long, because plates are not always pushed home, and short when the bar is
    turned. What it disagrees beyond that widens the SD.
    """
    if not track.is_found:
        return float("nan"), float("nan")
    excess = scale_disagreement(track, settings)
    beyond = max(abs(excess) - DISTANCE_SLACK, 0.0) if np.isfinite(excess) else DISTANCE_SLACK
    sd = float(np.hypot(track.height_sd_px / track.height_px, PLATE_SIZE_SD))
    return settings.plate_diameter_m / track.height_px, float(np.hypot(sd, beyond / 2))


def scale_disagreement(track: BarLineTrack, settings: AnalysisSettings) -> float:
    """Return by how much the plates stand farther apart than their height lets expect, relative; NaN if unknown."""
    return track.apart_px / track.height_px * settings.plate_diameter_m / INNER_DISTANCE_M - 1


def is_better_than_hands(track: BarLineTrack) -> bool:
    """Return whether the bar line should be taken for the bar: found, and surely seen in most frames it was found in."""
    if not track.is_found:
        return False
    seen = np.isfinite(track.centre_px).all(axis=1)
    return bool(seen.sum() >= MIN_FRAMES and np.mean(track.confidence[seen]) >= SURE_ENOUGH)


def sample_bar_line(track: BarLineTrack, hands_px: Floats, m_per_px: float) -> BarSamples:
    """Return the bar in metres from its two ends, its middle; the hands bridge short gaps, shifted onto it.

    Args:
        track: Of the ends.
        hands_px: (T, 2), midpoint of the hands.
        m_per_px: From `front_scale`.

    Returns:
        Samples with x to the right of the picture, which from the front is the lifter's left.
    """
    flip = np.array([1.0, -1.0]) * m_per_px
    fused, weights = bridge(track.times_s, track.centre_px * flip, hands_px * flip)
    return BarSamples(track.times_s, fused[:, 0], fused[:, 1], weights, "plate", BARLINE_CUTOFF_HZ, BRIDGE_S)


def bar_tilt_at(track: BarLineTrack, time_s: float) -> tuple[float, float] | None:
    """Return the tilt of the bar at a time and its SD in degrees, from a line through the frames about it; None if unseen.

    The camera's own roll adds to it: take the tilt of the bar at rest on a level floor off.

    Args:
        track: Of the ends.
        time_s: When.

    Returns:
        Degrees, positive where the end at the right of the picture is higher.
    """
    near = (np.abs(track.times_s - time_s) <= TILT_HALF_S) & np.isfinite(track.tilt_deg)
    if near.sum() < MIN_TILT_FRAMES:
        return None
    t, tilt = track.times_s[near] - time_s, track.tilt_deg[near]
    design = np.stack([np.ones_like(t), t], axis=1)
    fit, *_ = np.linalg.lstsq(design, tilt, rcond=None)
    spread = float(np.sqrt(np.sum((tilt - design @ fit) ** 2) / (len(t) - 2)))
    span = track.apart_px + track.height_px / 4
    own = float(np.degrees(np.sqrt(2) * END_SD_PX / span))
    return float(fit[0]), float(np.hypot(spread / np.sqrt(len(t)), own))
