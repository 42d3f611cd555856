"""Where discs may be in a picture: every strong edge votes for the centres of circles that it may be on."""

import cv2
import numpy as np
import numpy.typing as npt

from perception.pose import Floats, Image

VOTE_RADIUS_PX = 14.0  # working size: the plate is shrunk to this radius before edges vote
OUTER_RING = 0.4  # of the best ring's votes: an outer ring with fewer is not the rim
WIDER = 1.25  # times the reach to both sides where the bar does not point at the camera
MAX_DISCS = 3  # discs kept for each frame and person


def vote_discs(
    image_rgb: Image, centre_px: Floats, reach_px: float, radius_px: float, radii: Floats, stretch: float = 1.0
) -> Floats:
    """Return discs in a window as rows x, y, radius, score, stretch, best first.

    Every strong edge votes for centres at each radius along its gradient, both ways (the rim may be darker or lighter
    than what is behind it). The gradient is taken in the colour channel where it is largest. The window's x axis is
    stretched before, so that a disc that is turned about the vertical becomes round.

    Args:
        image_rgb: (H, W, 3).
        centre_px: Middle of the window.
        reach_px: Half its side.
        radius_px: Expected radius, half the height of the disc; `radii` are tried in units of it.
        radii: (R,), ascending.
        stretch: Height over width of the discs.
    """
    height, width = image_rgb.shape[:2]
    across = reach_px if stretch == 1.0 else WIDER * reach_px
    x0, x1 = (int(np.clip(centre_px[0] + s * across, 0, width)) for s in (-1, 1))
    y0, y1 = (int(np.clip(centre_px[1] + s * reach_px, 0, height)) for s in (-1, 1))
    if min(x1 - x0, y1 - y0) < radius_px or radius_px < 6:
        return np.zeros((0, 5))
    shrink = VOTE_RADIUS_PX / radius_px
    small = resized(image_rgb[y0:y1, x0:x1], shrink, stretch=stretch)
    xs, ys, ux, uy = strong_edges(small)
    if len(xs) == 0:
        return np.zeros((0, 5))
    rows = _peaks(vote_circles(xs, ys, ux, uy, small.shape[:2], VOTE_RADIUS_PX * radii), VOTE_RADIUS_PX * radii)
    rows[:, :2] = (rows[:, :2] + 0.5) / (shrink * stretch, shrink) - 0.5 + (x0, y0)
    rows[:, 2] /= shrink
    return np.column_stack([rows, np.full(len(rows), stretch)])


def resized(image: Image, scale: float, least_linear: float = 1.0, stretch: float = 1.0) -> Image:
    """Return a picture at another size, its x axis stretched too; one made smaller than `least_linear` is averaged."""
    how = cv2.INTER_AREA if scale < least_linear else cv2.INTER_LINEAR
    size = (max(4, round(image.shape[1] * scale * stretch)), max(4, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=how), dtype=np.uint8)


def strong_edges(small: Image) -> tuple[Floats, Floats, Floats, Floats]:
    """Return positions and unit gradients of the strongest 30 % of pixels."""
    smooth = cv2.GaussianBlur(small, (0, 0), 0.8)
    gx, gy = cv2.Scharr(smooth, cv2.CV_32F, 1, 0), cv2.Scharr(smooth, cv2.CV_32F, 0, 1)
    power = gx * gx + gy * gy
    channel = power.argmax(axis=2)[..., None]
    gx, gy = (np.take_along_axis(g, channel, 2)[..., 0] for g in (gx, gy))
    size = np.sqrt(np.take_along_axis(power, channel, 2)[..., 0])
    ys, xs = np.nonzero(size > max(float(np.percentile(size, 70)), 50.0))
    strength = size[ys, xs]
    return xs.astype(float), ys.astype(float), gx[ys, xs] / strength, gy[ys, xs] / strength


def vote_circles(
    xs: Floats, ys: Floats, ux: Floats, uy: Floats, shape: tuple[int, int], radii: Floats
) -> npt.NDArray[np.float32]:
    """Return (R, h, w), votes over circumference for each radius and pixel."""
    pad = int(np.ceil(radii[-1])) + 2
    height, width = shape[0] + 2 * pad, shape[1] + 2 * pad
    steps = np.concatenate([radii, -radii])[:, None]
    cx = np.rint(xs + steps * ux).astype(np.int32) + pad
    cy = np.rint(ys + steps * uy).astype(np.int32) + pad
    layer = np.tile(np.arange(len(radii)), 2)[:, None]
    cells = (layer * height + cy) * width + cx
    votes = np.bincount(cells.ravel(), minlength=len(radii) * height * width).reshape(len(radii), height, width)
    scores = np.empty(votes.shape, np.float32)
    for i, (count, r) in enumerate(zip(votes.astype(np.float32), radii, strict=True)):
        sigma = 0.08 * float(r)
        scores[i] = cv2.GaussianBlur(count, (0, 0), sigma) * (sigma * sigma / float(r))
    return scores[:, pad:-pad, pad:-pad]


def _peaks(scores: npt.NDArray[np.float32], radii: Floats) -> Floats:
    """Return rows x, y, radius, score of the highest local maxima.

    Rings inside a disc vote for the same centre as its rim, so of the rings about a centre that have nearly as many
    votes as the best the outermost is taken.
    """
    best = scores.max(axis=0)
    ys, xs = np.nonzero((best == cv2.dilate(best, np.ones((7, 7), np.uint8))) & (best > 0.15))
    order = np.argsort(-best[ys, xs])[:MAX_DISCS]
    rows = []
    for y, x in zip(ys[order], xs[order], strict=True):
        around = scores[:, max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].max(axis=(1, 2))
        ring = np.concatenate([[0.0], around, [0.0]])
        is_ring = (ring[1:-1] >= ring[:-2]) & (ring[1:-1] >= ring[2:]) & (around > OUTER_RING * around.max())
        rows.append((x, y, radii[np.flatnonzero(is_ring)[-1]], best[y, x]))
    return np.array(rows, dtype=float).reshape(-1, 4)
