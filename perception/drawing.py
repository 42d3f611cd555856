"""Anti-aliased drawing on RGB pictures: text, limbs, paths, rings and the speed colours."""

import functools
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from perception.pose import BONES, INDEX, Floats, Image

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)
INK: Colour = (16, 20, 28)
PANEL: Colour = (18, 23, 33)
GRID: Colour = (52, 60, 76)
MUTED: Colour = (160, 170, 188)
LEFT: Colour = (86, 180, 233)  # sky blue of Okabe and Ito, told from orange with any colour vision
RIGHT: Colour = (240, 165, 30)

SURE = 0.5  # visibility from which a keypoint is drawn at full strength
UNSURE = 0.15  # visibility below which a keypoint is a guess and is not drawn

_SHIFT = 4  # OpenCV takes fixed-point coordinates; 4 fractional bits are 1/16 px
_FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"


def speed_colours(share: Floats) -> npt.NDArray[np.uint8]:
    """Return (N, 3) RGB colours for speeds as a share of the top speed; even steps look even (viridis).

    The darkest tenth is left out, because it cannot be seen on a dark gym floor; NaN gives grey.
    """
    levels = np.clip(np.nan_to_num(share, nan=0.0), 0, 1) * 225 + 30
    colours = cv2.applyColorMap(levels.astype(np.uint8).reshape(-1, 1), cv2.COLORMAP_VIRIDIS)
    rgb = np.ascontiguousarray(colours.reshape(-1, 3)[:, ::-1])
    rgb[np.isnan(share)] = MUTED
    return np.asarray(rgb, dtype=np.uint8)


@functools.lru_cache(maxsize=16)
def _font(size_px: int, bold: bool) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONTS / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")), size_px)


@functools.lru_cache(maxsize=2048)
def _text_mask(text: str, size_px: int, bold: bool) -> npt.NDArray[np.uint8]:
    font = _font(size_px, bold)
    ascent, descent = font.getmetrics()
    width = max(1, int(np.ceil(font.getlength(text))) + 1)
    mask = Pillow.new("L", (width, ascent + descent), 0)
    ImageDraw.Draw(mask).text((0, 0), text, fill=255, font=font)
    array = np.asarray(mask, dtype=np.uint8)
    array.setflags(write=False)
    return array


def text_size(text: str, size_px: int, bold: bool = False) -> tuple[int, int]:
    """Return width and height of a line of text in pixels."""
    height, width = _text_mask(text, size_px, bold).shape
    return width, height


def draw_text(
    image: Image,
    text: str,
    x: float,
    y: float,
    size_px: int,
    colour: Colour = WHITE,
    *,
    bold: bool = False,
    align: str = "left",
) -> None:
    """Write one line with its top at `y`; `x` is its left end, middle or right end by `align`; clipped at the edges."""
    mask = _text_mask(text, size_px, bold)
    left = round(x - {"left": 0.0, "middle": 0.5, "right": 1.0}[align] * mask.shape[1])
    _blend_mask(image, mask, left, round(y), colour)


def _blend_mask(image: Image, mask: npt.NDArray[np.uint8], left: int, top: int, colour: Colour) -> None:
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + mask.shape[1], image.shape[1]), min(top + mask.shape[0], image.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    alpha = mask[y0 - top : y1 - top, x0 - left : x1 - left, None].astype(np.uint16)
    place = image[y0:y1, x0:x1]
    paint = np.array(colour, dtype=np.uint16)
    place[:] = ((place * (255 - alpha) + paint * alpha + 127) // 255).astype(np.uint8)


def _fixed(points: Floats) -> npt.NDArray[np.int32]:
    return np.round(points * (1 << _SHIFT)).astype(np.int32)


def draw_line(image: Image, points_px: Floats, colour: Colour, width_px: int) -> None:
    """Draw a smooth open line through (N, 2) points, all finite."""
    cv2.polylines(image, [_fixed(points_px).reshape(-1, 1, 2)], False, colour, width_px, cv2.LINE_AA, _SHIFT)


def draw_dot(image: Image, x: float, y: float, radius_px: float, colour: Colour, width_px: int = -1) -> None:
    """Draw a disc, or a ring of `width_px`, with sub-pixel centre and radius."""
    scale = 1 << _SHIFT
    centre = (round(x * scale), round(y * scale))
    cv2.circle(image, centre, max(1, round(radius_px * scale)), colour, width_px, cv2.LINE_AA, _SHIFT)


def draw_coloured_line(image: Image, points_px: Floats, colours: npt.NDArray[np.uint8], width_px: int) -> None:
    """Draw a line through (N, 2) points, broken at NaN; piece i, i + 1 takes colour i + 1; runs of a colour at once."""
    for first, last in finite_runs(points_px.sum(axis=1)):
        piece, paint = points_px[first:last], colours[first:last]
        if len(piece) < 2:
            continue
        changes = np.flatnonzero((paint[1:] != paint[:-1]).any(axis=1)) + 1
        for a, b in zip([0, *changes], [*changes, len(piece)], strict=True):
            run = piece[max(a - 1, 0) : b]
            if len(run) > 1:
                draw_line(image, run, (int(paint[a, 0]), int(paint[a, 1]), int(paint[a, 2])), width_px)


def finite_runs(values: Floats) -> list[tuple[int, int]]:
    """Return (first, one past last) of each run of finite values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.isfinite(values).astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def draw_pose(image: Image, points_px: Floats, visibility: Floats, width_px: int) -> None:
    """Draw limbs and joints of one person; limbs the estimator doubts are faint, guessed ones are left out."""
    known = np.isfinite(points_px).all(axis=1) & (visibility >= UNSURE)
    if not known.any():
        return
    low = np.floor(points_px[known].min(axis=0)).astype(int) - 3 * width_px
    high = np.ceil(points_px[known].max(axis=0)).astype(int) + 3 * width_px
    x0, y0 = np.maximum(low, 0)
    x1, y1 = min(high[0], image.shape[1]), min(high[1], image.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    place = image[y0:y1, x0:x1]
    local = points_px - (x0, y0)
    for faint, strength in ((True, 0.45), (False, 0.85)):
        layer = place.copy()
        _draw_limbs(layer, local, np.where(known, visibility, 0.0), width_px, faint)
        cv2.addWeighted(layer, strength, place, 1 - strength, 0, dst=place)


def _draw_limbs(layer: Image, points: Floats, visibility: Floats, width_px: int, faint: bool) -> None:
    limbs = []
    for a, b in BONES:
        weakest = min(visibility[INDEX[a]], visibility[INDEX[b]])
        if weakest >= UNSURE and (weakest < SURE) == faint:
            limbs.append(points[[INDEX[a], INDEX[b]]])
    for limb in limbs:
        draw_line(layer, limb, INK, width_px + 2)
    for limb in limbs:
        draw_line(layer, limb, WHITE, width_px)
    for name, i in INDEX.items():
        if name != "nose" and not name.endswith("ear") and visibility[i] >= UNSURE and (visibility[i] < SURE) == faint:
            draw_dot(layer, points[i, 0], points[i, 1], width_px * 1.1, LEFT if name.startswith("left") else RIGHT)


def draw_label(image: Image, text: str, left: int, top: int, size_px: int, colour: Colour, ink: Colour = INK) -> None:
    """Draw text on a filled box with a little room around it."""
    width, height = text_size(text, size_px, bold=True)
    pad = max(3, size_px // 3)
    cv2.rectangle(image, (left, top), (left + width + 2 * pad, top + height + pad), colour, -1, cv2.LINE_AA)
    draw_text(image, text, left + pad, top + pad // 2, size_px, ink, bold=True)


def label_size(text: str, size_px: int) -> tuple[int, int]:
    """Return width and height of what `draw_label` draws."""
    width, height = text_size(text, size_px, bold=True)
    pad = max(3, size_px // 3)
    return width + 2 * pad, height + pad


def draw_speed_bar(image: Image, left: int, top: int, width_px: int, height_px: int) -> None:
    """Draw the legend of the speed colours, slow at the left."""
    colours = speed_colours(np.linspace(0, 1, width_px))
    image[top : top + height_px, left : left + width_px] = colours[None]
