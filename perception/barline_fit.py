"""How large a plate is and where its centre lies in each frame, to parts of a pixel, from outlines and colours."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perception.barline_edges import N_SAMPLES, SAMPLE_REACH
from perception.pose import Floats, Image

Floats32 = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

SIZE_BAND = 0.20  # relative, about the size at which boxes were found, in which their true size is looked for
FIT_BAND = 0.022  # plate heights: edges that are farther from the size apart do not belong to one box
LEAST_BAND_PX = 1.0  # px
HALF_TRUST = 2.0  # grey levels a pixel, strength of an edge that is half trusted
UPPER, LOWER = 1.0, 0.7  # trust in the edges of a plate; shadows lie below
MATCH_SAMPLES = np.linspace(-0.6, 0.6, 49)  # plate heights about the centre that are compared with the bar as learnt
PLATE_STRIP = 1  # of the three strips, the one through the plate
INSIDE = np.abs(MATCH_SAMPLES) < 0.45
EDGES = tuple(int(np.argmin(np.abs(MATCH_SAMPLES - at))) for at in (-0.44, 0.44))
BEYOND = (MATCH_SAMPLES < -0.55, MATCH_SAMPLES > 0.55)
MATCH_SHIFTS = np.linspace(-0.16, 0.16, 21)  # plate heights about the box at which it is looked for
LEARN_ROUNDS = 2
MOST_LEARNT = 150  # frames from which it is learnt
FRAMES_AT_ONCE = 100
FRAME_LEVELS = 5.0  # grey levels by which the same thing differs from frame to frame
MOST_OFF = 9.0  # variances; what differs more counts no more
SIZE_SD_PX = 0.35  # px, edges lie this far inside or outside the true outline, whatever the number of frames
MIN_FRAMES = 10  # from which the looks of a bar are learnt


def common_size(edge: Floats, strength: Floats, usual_px: float) -> tuple[float, float]:
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


def rarity(y_px: Floats, band_px: float) -> Floats:
    """Return (N,) weights by which every height of the bar counts the same, however long it stayed there."""
    count = (np.abs(y_px[:, None] - y_px[None, :]) < band_px).sum(axis=1)
    return np.asarray(1 / count)


def centres_by_edges(edge: Floats, strength: Floats, height_px: float) -> tuple[Floats, Bools]:
    """Return (N,) y of the centre of one plate by its upper and lower edge, and whether both say the same.

    Args:
        edge: (N, 4, P), as in BarEnds.
        strength: (N, 4, P).
        height_px: Of the plate.
    """
    band = _band(height_px)
    guesses = [edge[:, 0] + height_px / 2, edge[:, 1] - height_px / 2]
    trusts = [UPPER * _trust(strength[:, 0], HALF_TRUST), LOWER * _trust(strength[:, 1], HALF_TRUST)]
    plain = np.abs(guesses[0][:, 0] - guesses[1][:, 0]) < band
    return _voted(guesses, trusts, band), plain


def centres_across(edge: Floats, strength: Floats, width_px: float, height_px: float) -> Floats:
    """Return (N,) x of the centre of one plate by its left and right edge; NaN where neither is seen.

    Args:
        edge: (N, 4, P), as in BarEnds.
        strength: (N, 4, P).
        width_px: Of all plates on that sleeve.
        height_px: Of the largest.
    """
    guesses = [edge[:, 2] + width_px / 2, edge[:, 3] - width_px / 2]
    return _voted(guesses, [_trust(strength[:, k], HALF_TRUST) for k in (2, 3)], _band(height_px))


def _band(height_px: float) -> float:
    return max(LEAST_BAND_PX, FIT_BAND * height_px)


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """What one plate and the bar beside it look like: colours of D samples about its centre, and how much they vary.

    What belongs to the bar keeps its colours from height to height, what lies behind does not. So where mean and
    variance are taken over all heights, each sample counts as much as it belongs to the bar, and shadows and stripes
    behind do not pull.
    """

    mean: Floats32
    variance: Floats32
    height_px: float

    def cost(self, strips: Image, boxes: Floats, centre_px: Floats) -> Floats:
        """Return (N, S), how unlike plate, bar and what mostly surrounds them N strips are about S centres each.

        Args:
            strips: (N, 3, N_SAMPLES, 3), as in BarEnds.
            boxes: (N, 2), centre and height of the boxes about which they were read, px.
            centre_px: (N, S), y of the centres.
        """
        off = (_shown(strips, boxes, centre_px, self.height_px) - self.mean) ** 2 / self.variance
        return np.asarray(np.minimum(off, MOST_OFF).mean(axis=2), np.float64)

    def plate_cost(self, strips: Image, boxes: Floats, centre_px: Floats) -> Floats:
        """Return the same for the plate alone, whatever surrounds it: inside like it, beyond its edges not.

        About 1 for the plate, 4 and more for other things.
        """
        shape = (len(MATCH_SAMPLES), -1, 3)
        mean, variance = (z.reshape(shape)[:, PLATE_STRIP] for z in (self.mean, self.variance))
        seen = _shown(strips, boxes, centre_px, self.height_px)
        seen = seen.reshape(*seen.shape[:2], *shape)[..., PLATE_STRIP, :]
        off = np.minimum((seen[:, :, INSIDE] - mean[INSIDE]) ** 2 / variance[INSIDE], MOST_OFF)
        cost = np.asarray(off.mean(axis=(2, 3)), np.float64)
        for edge, beyond in zip(EDGES, BEYOND, strict=True):
            like = (seen[:, :, beyond] - mean[edge]) ** 2 / variance[edge]
            cost += (MOST_OFF - np.minimum(like.max(axis=3), MOST_OFF)).mean(axis=2) / 2
        return cost


def learn_looks(strips: Image, boxes: Floats, y_px: Floats, weight: Floats, height_px: float) -> Looks | None:
    """Return what one plate and the bar beside it look like, learnt while the bar moves; None from too few frames.

    Args:
        strips: (N, 3, N_SAMPLES, 3), as in BarEnds.
        boxes: (N, 2), centre and height of the boxes about which they were read, px.
        y_px: (N,), first guess of the centre.
        weight: (N,), how much each frame counts; 0 for frames with a bad guess.
        height_px: Of the plate.
    """
    learn = np.flatnonzero((weight > 0) & np.isfinite(y_px))
    if len(learn) < MIN_FRAMES:
        return None
    learn = learn[:: max(1, len(learn) // MOST_LEARNT)]
    y = y_px[learn]
    for _ in range(LEARN_ROUNDS):
        seen = _shown(strips[learn], boxes[learn], y[:, None], height_px)[:, 0]
        share = np.where(np.isfinite(y), weight[learn], 0.0)[:, None].astype(np.float32)
        share /= share.sum()
        mean = (share * seen).sum(axis=0)
        looks = Looks(mean, (share * (seen - mean) ** 2).sum(axis=0) + FRAME_LEVELS**2, height_px)
        y = _places(strips[learn], boxes[learn], looks)
        if not np.isfinite(y).any():
            return None
    return looks


def centres_by_looks(strips: Image, boxes: Floats, looks: Looks) -> Floats:
    """Return (N,) y of the centre of one plate by what it and the bar beside it look like; NaN where it does not."""
    parts = range(0, len(boxes), FRAMES_AT_ONCE)  # so that memory does not grow with the clip
    cut = [slice(i, i + FRAMES_AT_ONCE) for i in parts]
    return np.concatenate([_places(strips[part], boxes[part], looks) for part in cut])


def lowest(cost: Floats, centre_px: Floats) -> Floats:
    """Return (N,) the place of the lowest cost between evenly spaced centres, to parts of a step; NaN at either end.

    Args:
        cost: (N, S).
        centre_px: (N, S).
    """
    k = np.clip(np.argmin(cost, axis=1), 1, cost.shape[1] - 2)
    rows = np.arange(len(cost))
    a, b, c = (cost[rows, k + step] for step in (-1, 0, 1))
    bend = a - 2 * b + c
    is_lowest = (b <= a) & (b <= c) & (bend > 0)
    shift = 0.5 * (a - c) / np.where(is_lowest, bend, 1.0) * (centre_px[:, 1] - centre_px[:, 0])
    return np.where(is_lowest, centre_px[rows, k] + shift, np.nan)


def _places(strips: Image, boxes: Floats, looks: Looks) -> Floats:
    """Return (N,) the y at which each strip is most like the bar, between the shifts; NaN at either end of them."""
    here = boxes[:, :1] + MATCH_SHIFTS * looks.height_px
    return lowest(looks.cost(strips, boxes, here), here)


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
