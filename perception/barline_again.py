"""Frames in which the pair of plates was not found, read again for what the bar is known to look like."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from perception.barline_edges import read_outline, read_strips
from perception.barline_fit import Looks, centres_by_edges, lowest
from perception.barline_track import MOST_UNLIKE, BarLineTrack, without_strays
from perception.pose import Floats, Image

LOOK_BACK_S = 2.5  # s before the pair was first seen
AFTER_S = 1.0  # s after it was last at its highest place, where nothing is measured any more
NEARLY_UP = 0.3  # plate heights below its highest place: the last of several repetitions is as high as the first
WORTH_READING = 6  # frames in all; fewer are not worth a second pass
BELOW, ABOVE = 1.3, 0.3  # plate heights under the lowest and over the highest place seen, at which it is looked for
STEP, CHUNK = 0.016, 12  # plate heights between places that are tried, and how many of them to each side of one reading
CLEARLY = 0.65  # of the cost at every other place
SAME = 0.3  # cost by which two sights of one thing differ; two bars alike have nearly none
ELSEWHERE = 0.3  # plate heights away that is another place
MOST_REFINED = 0.04  # plate heights by which edges may move what the colours found
CONFIDENCE = 0.7  # of a frame that was read again: sure of the place, not of the tilt

Bools = npt.NDArray[np.bool_]


def frames_to_read(track: BarLineTrack) -> Bools:
    """Return (T,), which frames should be read again: unseen ones while the bar is lifted; none if they are few."""
    y = track.centre_px[:, 1]
    seen = np.flatnonzero(np.isfinite(y))
    if not len(seen) or None in track.looks:
        return np.zeros(len(y), np.bool_)
    last = seen[np.flatnonzero(y[seen] < y[seen].min() + NEARLY_UP * track.height_px)[-1]]
    first_s, last_s = track.times_s[seen[0]] - LOOK_BACK_S, track.times_s[last] + AFTER_S
    wanted = ~np.isfinite(y) & (track.times_s >= first_s) & (track.times_s <= last_s)
    return np.asarray(wanted & (wanted.sum() >= WORTH_READING), np.bool_)


def find_again(track: BarLineTrack, frames: Iterable[tuple[int, Image]]) -> BarLineTrack:
    """Return the track with the bar also in frames that are read again.

    Both plates must look as they do elsewhere, at the same height but for the usual tilt, and at that height only.

    Args:
        track: With what the plates look like.
        frames: Index and picture, (H, W, 3), of each.
    """
    left, right = track.looks
    if left is None or right is None:
        return track
    known = np.flatnonzero(np.isfinite(track.end_px).all(axis=(1, 2)))
    if not len(known):
        return track
    x = [np.interp(track.times_s, track.times_s[known], track.end_px[known, side, 0]) for side in (0, 1)]
    tilt = float(np.median(track.end_px[known, 1, 1] - track.end_px[known, 0, 1]))
    height, y = track.height_px, track.centre_px[:, 1]
    low, high = float(np.nanmin(y)) - ABOVE * height, float(np.nanmax(y)) + BELOW * height
    end_px, confidence = track.end_px.copy(), track.confidence.copy()
    for i, image in frames:
        chunk = CHUNK * STEP * height
        places = np.arange(max(low, 0.0), min(high, image.shape[0]), 2 * chunk) + chunk
        cost = _costs(image, left, float(x[0][i]), -tilt / 2, track.width_px[0], -1, places)
        cost += _costs(image, right, float(x[1][i]), tilt / 2, track.width_px[1], 1, places)
        middle = _place(cost / 2, places, height)
        if middle is not None:
            about = np.array([[x[0][i], middle - tilt / 2], [x[1][i], middle + tilt / 2]])
            end_px[i] = [_by_outline(image, at, width, height) for at, width in zip(about, track.width_px, strict=True)]
            confidence[i] = CONFIDENCE
    end_px = without_strays(track.times_s, end_px)
    return replace(track, end_px=end_px, confidence=np.where(np.isfinite(end_px).any(axis=(1, 2)), confidence, 0.0))


def _by_outline(image: Image, about_px: Floats, width_px: float, height_px: float) -> Floats:
    """Return (2,), the centre of a plate by its upper and lower edge, or the place itself where they are not there."""
    edge, strength = read_outline(image, about_px, width_px, height_px)
    y, _ = centres_by_edges(edge[None], strength[None], height_px)
    near = np.isfinite(y[0]) and abs(float(y[0]) - about_px[1]) < MOST_REFINED * height_px
    return np.array([about_px[0], y[0] if near else about_px[1]])


def _costs(
    image: Image, looks: Looks, x_px: float, shift_px: float, width_px: float, outward: int, places: Floats
) -> Floats:
    """Return (P * S,), how unlike itself one plate is at heights about each of P places."""
    height = looks.height_px
    boxes = np.stack([places + shift_px, np.full(len(places), height)], axis=1)
    strips = np.stack([read_strips(image, np.array([x_px, y]), width_px, height, outward) for y, _ in boxes])
    return looks.plate_cost(strips, boxes, boxes[:, :1] + _shifts(height)).ravel()


def _shifts(height_px: float) -> Floats:
    return np.asarray(np.arange(-CHUNK, CHUNK) * STEP * height_px, np.float64)


def _place(cost: Floats, places: Floats, height_px: float) -> float | None:
    """Return where the cost is lowest, if it is low there and nowhere else."""
    at = (places[:, None] + _shifts(height_px)).ravel()
    best = int(np.argmin(cost))
    others = cost[np.abs(at - at[best]) > ELSEWHERE * height_px]
    if cost[best] > MOST_UNLIKE or cost[best] + SAME > CLEARLY * (np.min(others, initial=np.inf) + SAME):
        return None
    place = float(lowest(cost[None], at[None])[0])
    return place if np.isfinite(place) else None
