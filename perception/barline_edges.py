"""Reading the outline of a plate edge-on, and the colours down it and beside it, to parts of a pixel."""

import numpy as np
import scipy.ndimage

from perception.pose import Floats, Image

N_PEAKS = 3  # edges kept at each side of a box
EDGE_REACH = 0.16  # plate heights about the expected edge in which its peaks are looked for
EDGE_BLUR = 0.03  # plate heights, SD of the blur before edges are read: motion blur makes edges wide
LEAST_STEP = 1.0  # grey levels a pixel; weaker edges are noise
STRIP_SPANS = ((0.02, 0.16), (0.02, 0.30))  # plate heights inwards and outwards of a box: collar, shaft and sleeve
SAMPLE_REACH = 0.8  # plate heights
N_SAMPLES = 65


def read_outline(image_rgb: Image, centre_px: Floats, width_px: float, height_px: float) -> tuple[Floats, Floats]:
    """Return (4, N_PEAKS) places of edges at top, bottom, left and right of a box, and their strengths.

    Args:
        image_rgb: (H, W, 3).
        centre_px: (2,), of the box.
        width_px: Of the box, about.
        height_px: Of the box, about.

    Returns:
        y of the level and x of the upright edges to parts of a pixel, strongest first, NaN where there is no further
        one; strengths in grey levels a pixel.
    """
    (x, y), width, height = centre_px, width_px, height_px
    reach = EDGE_REACH * height + 1
    core, rows = 0.38 * width, 0.34 * height
    lids = _strip(image_rgb, (x - core, x + core), (y - height / 2 - reach - 4, y + height / 2 + reach + 4))
    walls = _strip(image_rgb, (x - width / 2 - reach - 4, x + width / 2 + reach + 4), (y - rows, y + rows))
    positions, strengths = np.full((4, N_PEAKS), np.nan), np.zeros((4, N_PEAKS))
    for first, (part, start), middle, size in ((0, lids, y, height), (2, walls, x, width)):
        along = first // 2
        if part.shape[along] < 8 or part.shape[1 - along] < 1:
            continue
        line = part.mean(axis=1 - along, dtype=np.float32)
        line = scipy.ndimage.gaussian_filter1d(line, max(0.8, EDGE_BLUR * height), axis=0, mode="nearest")
        slope = np.zeros(len(line))
        slope[1:-1] = np.abs(line[2:] - line[:-2]).max(axis=1) / 2
        at = np.arange(len(line)) + start[1 - along]
        for k, sign in enumerate((-1, 1)):
            near = np.abs(at - (middle + sign * size / 2)) < reach
            place, strengths[first + k] = _line_peaks(np.where(near, slope, 0.0))
            positions[first + k] = start[1 - along] + place
    return positions, strengths


def read_strips(image_rgb: Image, centre_px: Floats, width_px: float, height_px: float, outward: int) -> Image:
    """Return (3, N_SAMPLES, 3), colours down three strips: beside the plate inwards, the plate, and outwards.

    Args:
        image_rgb: (H, W, 3).
        centre_px: (2,), of the box.
        width_px: Of the box.
        height_px: Of the box; samples reach from SAMPLE_REACH heights above its centre to as much below.
        outward: -1 for the plate at the left of the picture, 1 for the one at the right.
    """
    (x, y), height, half = centre_px, height_px, width_px / 2
    rows = y + np.linspace(-SAMPLE_REACH, SAMPLE_REACH, N_SAMPLES) * height
    blur = SAMPLE_REACH * height / N_SAMPLES
    inwards, outwards = (half + np.array(span) * height for span in STRIP_SPANS)
    out = np.zeros((3, N_SAMPLES, 3), np.uint8)
    for k, (first, last) in enumerate((sorted(-inwards), (-0.76 * half, 0.76 * half), outwards)):
        low, high = sorted((x + outward * first, x + outward * last))
        part, start = _strip(image_rgb, (low, high), (rows[0] - 3 * blur, rows[-1] + 3 * blur))
        if min(part.shape[:2]) < 1:
            continue
        line = scipy.ndimage.gaussian_filter1d(part.mean(axis=1, dtype=np.float32), max(blur, 0.5), axis=0)
        at = np.arange(len(line)) + start[1]
        out[k] = np.stack([np.interp(rows, at, line[:, c]) for c in range(3)], axis=1)
    return out


def _strip(image_rgb: Image, x: tuple[float, float], y: tuple[float, float]) -> tuple[Image, tuple[int, int]]:
    """Return the part of the picture between two x and two y, at least a pixel wide, and the x and y where it starts."""
    x0, y0 = max(0, round(x[0])), max(0, round(y[0]))
    return image_rgb[y0 : max(round(y[1]) + 1, 0), x0 : max(round(x[1]) + 1, 0)], (x0, y0)


def _line_peaks(slope: Floats) -> tuple[Floats, Floats]:
    """Return indices of the N_PEAKS strongest local maxima, to parts of a sample, and their heights."""
    position, strength = np.full(N_PEAKS, np.nan), np.zeros(N_PEAKS)
    a, b, c = slope[:-2], slope[1:-1], slope[2:]
    peaks = np.flatnonzero((b >= a) & (b > c) & (b > LEAST_STEP) & (a > 0) & (c > 0))
    peaks = peaks[np.argsort(-b[peaks])][:N_PEAKS]
    bend = a[peaks] - 2 * b[peaks] + c[peaks]
    position[: len(peaks)] = peaks + 1 + 0.5 * (a[peaks] - c[peaks]) / np.where(bend == 0, -1, bend)
    strength[: len(peaks)] = b[peaks]
    return position, strength
