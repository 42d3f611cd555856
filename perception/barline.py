"""Finding the two plates edge-on in single frames of a front or rear view: a pair of upright boxes about the hands."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from perception.athlete import BODY_SHARE, body_length_px, hands_midpoint_px
from perception.barline_edges import N_PEAKS, N_SAMPLES, read_outline, read_strips
from perception.pose import INDEX, Floats, Image, Person

Floats32 = npt.NDArray[np.float32]

INNER_DISTANCE_M = 1.31  # m, between the collars of the sleeves, where the innermost plates begin; source: IWF TCRR
USUAL_STATURE_M = 1.70  # m, only for the expected size of a plate
STATURE_PER_SHOULDERS = 4.4  # standing height over the distance of the shoulder joints; legs look short in a crouch
WORK_PX = 28.0  # px, height of the plates in the picture in which boxes are searched
SEARCH_SCALES = np.geomspace(0.78, 1.30, 7)  # of the expected height, when nothing is known yet
BOX_WIDTHS = (3, 4, 5, 6, 8, 10, 12, 14, 17)  # px at the working size: 5 to 27 cm of plates on a sleeve
SEARCH_REACH = (0.55, 0.90)  # plate heights, right-left and up-down, about the middle of the hands
FOLLOW_REACH = (0.22, 0.36)  # the same about the predicted middle
APART_SD = 0.04  # relative, of the inner distance over the plate height
WIDTH_SD = 0.11  # plate heights, between both boxes; yaw shows the face of one
BAR_PX = 10  # px at the working size: the bar is free between hands and plate for 0.2 m in the widest grip
LEAST_PX = 10.0  # px, plates that look smaller are not looked for
TILT_SD = 0.08  # height difference over distance; 4.6 degrees, and mostly less
LEAST_OUTLINE = 0.3  # share of a box's outline that must be edge
WORTH_SCORE = 0.7  # of the best pair's score: weaker ones are not looked at
MOST_TILT = 0.16  # height difference over distance; 9 degrees
EDGE_HALF = (10.0, 24.0)  # grey levels, least and most step of an edge that counts half
EDGE_OVER_USUAL = 1.5  # that step over the 75th percentile of all steps in the window
SEARCH_EVERY = 20  # frames between full searches while a pair is followed, so that a wrong one is left again
SEARCH_LOST_EVERY = 3  # frames between full searches when none is; one more of them after each that failed
MOST_PATIENCE = 12  # frames
KEEP_SCORE = 0.42  # the same for the better end of a pair that goes on looking like the one followed
LIKE = 0.5  # likeness, 0 to 1, above which it does
STEADY_GAIN = 0.2  # of score, for a pair that looks like the one followed
HEIGHT_GAIN = 0.15  # share by which the height follows the edges from frame to frame
SAME_HEIGHT = 0.05  # relative, by which both sides may differ
GOOD_SCORE = 0.55  # of at most 1
MAX_PAIRS = 3
N_SIDES = 12  # boxes of each side that are paired
N_COLUMNS = 6
ALIKE_LEVELS = 45.0  # grey levels by which the colours of both boxes may differ, at which likeness is 1/e


@dataclass(frozen=True, slots=True, eq=False)
class BarEnds:
    """Pairs of boxes that may be the plates in one frame; n of them, best first.

    Attributes:
        end_px: (n, 2, 2), centre of the box at the left and at the right of the picture, x right and y down.
        height_px: (n,), expected plate height at which the pair was found.
        width_px: (n, 2), of the boxes.
        score: (n, 2), share of each box's outline that is an edge, times how alike both are.
        edge_px: (n, 2, 4, N_PEAKS), y of edges near top and bottom of each box and x near its left and right side; NaN
            where there is none.
        edge_strength: (n, 2, 4, N_PEAKS), grey levels a pixel.
        strips: (n, 2, 3, N_SAMPLES, 3), colours down the picture inwards of each box, through it, and outwards, from
            SAMPLE_REACH plate heights above its centre to as much below.
        colours: (n, 2, N_COLUMNS, 3), mean colour of columns from the inner to the outer side.
    """

    end_px: Floats
    height_px: Floats
    width_px: Floats
    score: Floats
    edge_px: Floats
    edge_strength: Floats
    colours: Floats
    strips: Image


def no_ends() -> BarEnds:
    """Return an empty set of pairs."""
    edges = np.zeros((0, 2, 4, N_PEAKS))
    colours = np.zeros((0, 2, N_COLUMNS, 3))
    strips = np.zeros((0, 2, 3, N_SAMPLES, 3), np.uint8)
    return BarEnds(np.zeros((0, 2, 2)), np.zeros(0), np.zeros((0, 2)), np.zeros((0, 2)), edges, edges, colours, strips)


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """A pair in the pixels of the frame."""

    ends: Floats
    height: float
    widths: Floats
    score: Floats
    colours: Floats
    edge_px: Floats
    edge_strength: Floats
    strips: Image

    @property
    def middle(self) -> Floats:
        return np.asarray(self.ends.mean(axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class _Boxes:
    """Boxes of one side: rows of inner x, centre y, width in px of the frame, and score; colours (n, N_COLUMNS, 3)."""

    rows: Floats
    colours: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Followed:
    pair: _Pair
    speed: Floats


class BarEndWatch:
    """Looks for the plates to both sides of everybody's hands, frame after frame, and follows the best pair of each.

    Args:
        plate_diameter_m: Of the largest plate; the distance of the plates over their height follows from it.
    """

    def __init__(self, plate_diameter_m: float = 0.45) -> None:
        self._apart = INNER_DISTANCE_M / plate_diameter_m
        self._diameter_m = plate_diameter_m
        self._followed: dict[int, _Followed] = {}
        self._body_px: dict[int, float] = {}
        self._search: dict[int, tuple[int, int]] = {}

    def observe(self, image_rgb: Image, people: Sequence[Person]) -> BarEnds:
        """Return the pairs of the next frame."""
        pairs = [pair for person in people for pair in self._observe_person(image_rgb, person)]
        return _joined(pairs) if pairs else no_ends()

    def reset(self) -> None:
        """Forget the plates, as at a camera cut."""
        self._followed.clear()
        self._body_px.clear()
        self._search.clear()

    def _observe_person(self, image_rgb: Image, person: Person) -> list[_Pair]:
        hands = hands_midpoint_px(person.points_px[None], person.visibility[None])[0]
        height = self._diameter_m / USUAL_STATURE_M * self._stature_px(person)
        last = self._followed.get(person.person_id)
        pairs: list[_Pair] = []
        if last is not None:
            pairs = _find_again(image_rgb, last, self._apart)
        if self._is_search_due(person.person_id, pairs) and np.isfinite(height) and np.isfinite(hands).all():
            searched = find_pairs(image_rgb, hands, height * SEARCH_SCALES, SEARCH_REACH, self._apart)
            pairs = _distinct([*pairs, *searched], None if last is None else last.pair)
        pairs = [_at_edges(image_rgb, pair) for pair in pairs]
        self._follow(person.person_id, pairs, last)
        return pairs

    def _is_search_due(self, person_id: int, pairs: list[_Pair]) -> bool:
        """Return whether to look everywhere: now and then while following, ever more rarely while nothing is found."""
        waited, patience = self._search.get(person_id, (0, 0))
        is_good = bool(pairs) and pairs[0].score.mean() >= GOOD_SCORE
        if waited < (SEARCH_EVERY if is_good else patience):
            self._search[person_id] = waited + 1, patience
            return False
        self._search[person_id] = 0, SEARCH_LOST_EVERY if is_good else min(patience + SEARCH_LOST_EVERY, MOST_PATIENCE)
        return True

    def _stature_px(self, person: Person) -> float:
        """Return the largest standing height that this person seemed to have so far, in pixels."""
        p = person.points_px
        shoulders = float(np.linalg.norm(p[INDEX["left_shoulder"]] - p[INDEX["right_shoulder"]]))
        now = np.fmax(float(body_length_px(p[None])[0]) / BODY_SHARE, STATURE_PER_SHOULDERS * shoulders)
        kept = 0.997 * self._body_px.get(person.person_id, 0.0)
        self._body_px[person.person_id] = float(np.fmax(np.fmin(now, 1.1 * kept) if kept else now, kept))
        return self._body_px[person.person_id]

    def _follow(self, person_id: int, pairs: list[_Pair], last: _Followed | None) -> None:
        best = pairs[0] if pairs else None
        goes_on = last is not None and best is not None and _likeness(best, last.pair) > LIKE
        if best is None or best.score.max() < (KEEP_SCORE if goes_on else GOOD_SCORE):
            self._followed.pop(person_id, None)
            return
        best = replace(best, height=best.height + HEIGHT_GAIN * (_seen_height(best) - best.height))
        if last is None:
            self._followed[person_id] = _Followed(best, np.zeros(2))
            return
        step = best.middle - last.pair.middle
        jumped = float(np.linalg.norm(step - last.speed)) > 0.5 * best.height
        speed = np.zeros(2) if jumped else 0.4 * last.speed + 0.6 * step
        self._followed[person_id] = _Followed(best, speed)


def _seen_height(pair: _Pair) -> float:
    """Return the height between the strongest edges, where both sides say about the same; else the pair's own."""
    gaps = pair.edge_px[:, 1, 0] - pair.edge_px[:, 0, 0]
    agree = np.isfinite(gaps).all() and abs(gaps[0] - gaps[1]) < SAME_HEIGHT * pair.height
    return float(gaps.mean()) if agree else pair.height


def find_pairs(
    image_rgb: Image,
    middle_px: Floats,
    heights_px: Sequence[float] | Floats,
    reach: tuple[float, float],
    apart: float,
) -> list[_Pair]:
    """Return pairs of upright boxes whose middle is near a place, best first.

    For each height the picture is shrunk so that plates are WORK_PX high, then every box on either side is scored by
    the edges along its outline and by the bar that enters it, and boxes are paired at the distance that bars have.

    Args:
        image_rgb: (H, W, 3).
        middle_px: (2,), where the middle of the bar is expected.
        heights_px: (S,), plate heights to try.
        reach: How far from there the middle may be, right-left and up-down, in plate heights.
        apart: Inner distance of the plates over their height.
    """
    found: list[_Pair] = []
    for height in heights_px:
        if height < LEAST_PX:
            continue
        left, right = _both_sides(image_rgb, middle_px, float(height), reach, apart, BOX_WIDTHS)
        found += _paired(left, right, middle_px, float(height), apart, reach)
    return _distinct(found, None)


def _find_again(image_rgb: Image, last: _Followed, apart: float) -> list[_Pair]:
    """Return pairs like the one followed, where it was heading; an end that is hidden now is put where it should be."""
    pair, ahead = last.pair, last.pair.middle + last.speed
    widths = _like(pair)
    sides = list(_both_sides(image_rgb, ahead, pair.height, FOLLOW_REACH, apart, widths))
    for k, sign in enumerate((-1, 1)):
        inner = pair.ends[k] + last.speed - (sign * pair.widths[k] / 2, 0)
        hidden = np.array([[*inner, pair.widths[k], 0.0]])
        colours = np.concatenate([sides[k].colours, pair.colours[k][None]])
        sides[k] = _Boxes(np.concatenate([sides[k].rows, hidden]), colours)
    return _distinct(_paired(sides[0], sides[1], ahead, pair.height, apart, FOLLOW_REACH), None)


def _both_sides(
    image_rgb: Image,
    middle_px: Floats,
    height_px: float,
    reach: tuple[float, float],
    apart: float,
    widths: Sequence[int],
) -> tuple[_Boxes, _Boxes]:
    slack = np.array([reach[0] + 2 * APART_SD * apart, reach[1] + 0.5 * MOST_TILT * apart])
    inner = middle_px + np.array([[-1.0, 0.0], [1.0, 0.0]]) * apart / 2 * height_px
    left, right = (_boxes(image_rgb, inner[k], slack, height_px, k == 0, widths) for k in (0, 1))
    return left, right


def _distinct(pairs: list[_Pair], like: _Pair | None) -> list[_Pair]:
    """Return the best few pairs at different places; one that looks `like` the pair followed so far is preferred."""
    kept: list[_Pair] = []
    for pair in sorted(
        pairs, key=lambda p: -float(p.score.sum()) - (2 * STEADY_GAIN * _likeness(p, like) if like else 0.0)
    ):
        if all(np.abs(pair.ends - other.ends).max() > 0.12 * pair.height for other in kept):
            kept.append(pair)
    return [pair for pair in kept[:MAX_PAIRS] if pair.score.sum() > WORTH_SCORE * kept[0].score.sum()]


def _likeness(pair: _Pair, other: _Pair) -> float:
    """Return how alike two pairs are in colour and size, 0 to 1."""
    levels = float(np.abs(pair.colours - other.colours).mean())
    return float(np.exp(-levels / ALIKE_LEVELS) * np.exp(-abs(np.log(pair.height / other.height)) / 0.15))


def _like(pair: _Pair) -> list[int]:
    """Return the widths of boxes about that of a pair."""
    width = float(pair.widths.mean()) / pair.height * WORK_PX
    nearest = int(np.argmin(np.abs(np.array(BOX_WIDTHS) - width)))
    return list(BOX_WIDTHS[max(0, nearest - 1) : nearest + 2])


def _boxes(
    image_rgb: Image, inner_px: Floats, slack: Floats, height_px: float, is_left: bool, widths: Sequence[int]
) -> _Boxes:
    """Return the best boxes of one side; the left one is mirrored, so that the inner edge comes first."""
    shrink = WORK_PX / height_px
    half = round(WORK_PX / 2)
    wide = round(slack[0] * WORK_PX)
    high = round(slack[1] * WORK_PX)
    before, after = wide + BAR_PX + 2, wide + max(widths) + 3
    small = _window(image_rgb, inner_px, (after, before) if is_left else (before, after), high + half + 3, shrink)
    small = np.ascontiguousarray(small[:, ::-1]) if is_left else small
    upright, level = _edges(small)
    corner = (half + 3, before - wide)
    score, best = _outlined(upright, level, corner, (2 * high + 1, 2 * wide + 1), widths)
    ys, xs = np.nonzero((score == cv2.dilate(score, np.ones((5, 5), np.uint8))) & (score > LEAST_OUTLINE))
    order = np.argsort(-score[ys, xs])[:N_SIDES]
    ys, xs = ys[order], xs[order]
    out = np.stack([xs - wide, ys - high, best[ys, xs], score[ys, xs]], axis=1).astype(float)
    places = zip(xs + corner[1], ys + corner[0], best[ys, xs], strict=True)
    colours = [_column_colours(small, int(x), int(y), int(w)) for x, y, w in places]
    out[:, :3] /= shrink
    out[:, 0] = inner_px[0] + (-out[:, 0] if is_left else out[:, 0])
    out[:, 1] += inner_px[1]
    return _Boxes(out, np.stack(colours) if colours else np.zeros((0, N_COLUMNS, 3)))


def _outlined(
    upright: Floats32, level: Floats32, corner: tuple[int, int], shape: tuple[int, int], widths: Sequence[int]
) -> tuple[Floats32, npt.NDArray[np.int32]]:
    """Return the share of edges along the outline of the best box at each place, with the bar entering, and its width.

    The corners are left out, because the face of a plate that is turned a little shows a narrow ellipse.

    Args:
        upright: (h, w), 0 to 1.
        level: (h, w), 0 to 1.
        corner: Row and column of the first place, the middle of an inner edge.
        shape: Rows and columns of places.
        widths: To try.
    """
    half = round(WORK_PX / 2)

    def part(of: Floats32, down: int, right: int) -> Floats32:
        y, x = corner[0] + down, corner[1] + right
        return of[y : y + shape[0], x : x + shape[1]]

    walls = np.asarray(cv2.blur(upright, (1, 2 * half - 9)), np.float32)
    bar = np.asarray(cv2.dilate(cv2.blur(level, (BAR_PX, 1)), np.ones((5, 1), np.uint8)), np.float32)
    inner = part(walls, 0, 0) + part(bar, 0, -BAR_PX // 2 - 2)
    score, best = np.zeros(shape, np.float32), np.zeros(shape, np.int32)
    for w in widths:
        lids = np.asarray(cv2.blur(level, (max(2, round(0.6 * w)), 1)), np.float32)
        here = (inner + part(walls, 0, w) + part(lids, -half, w // 2) + part(lids, half, w // 2)) / 5
        better = here > score
        score[better], best[better] = here[better], w
    return score, best


def _window(image_rgb: Image, at_px: Floats, wide: tuple[int, int], high: int, shrink: float) -> Image:
    """Return the part of the picture about a place at the working size, its outermost pixels repeated beyond it.

    Args:
        image_rgb: (H, W, 3).
        at_px: (2,), will be the pixel (wide[0], high).
        wide: Working pixels to the left and right.
        high: Working pixels above and below.
        shrink: Working pixels per pixel.
    """
    size = np.array([wide[0] + wide[1] + 1, 2 * high + 1])
    low = np.rint(at_px - (np.array([wide[0], high]) + 0.5) / shrink + 0.5).astype(int)
    up = low + np.maximum(np.rint(size / shrink).astype(int), 1)
    bounds = np.array([image_rgb.shape[1], image_rgb.shape[0]])
    first, last = np.clip(low, 0, bounds - 1), np.clip(up, 1, bounds)
    crop = image_rgb[first[1] : last[1], first[0] : last[0]]
    if (first != low).any() or (last != up).any():
        pad = np.maximum(np.stack([first - low, up - last]), 0)
        crop = np.pad(crop, (*[tuple(pad[:, k]) for k in (1, 0)], (0, 0)), mode="edge")
    how = cv2.INTER_AREA if shrink < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (int(size[0]), int(size[1])), interpolation=how), dtype=np.uint8)


def _edges(small: Image) -> tuple[Floats32, Floats32]:
    """Return how much each pixel is an upright and a level edge, 0 to 1, in the colour channel that shows it best."""
    upright, level = (
        np.abs(cv2.Scharr(small, cv2.CV_16S, dx, dy)).max(axis=2).astype(np.float32) / 16 for dx, dy in ((1, 0), (0, 1))
    )
    usual = float(np.percentile(np.maximum(upright, level), 75))
    half = float(np.clip(EDGE_OVER_USUAL * usual, *EDGE_HALF))  # a dark room has weak edges
    out = []
    for step, kernel in ((upright, np.ones((1, 3), np.uint8)), (level, np.ones((3, 1), np.uint8))):
        edge = step * step / (step * step + half * half)
        out.append(np.asarray((edge + cv2.dilate(edge, kernel)) / 2, np.float32))
    return out[0], out[1]


def _column_colours(small: Image, x: int, y: int, width: int) -> Floats:
    """Return (N_COLUMNS, 3), mean colours of a box from its inner side outwards, without the bar across its middle."""
    high = round(WORK_PX / 4) + 3
    above, below = small[y - high : y - 3, x + 1 : x + width], small[y + 4 : y + high + 1, x + 1 : x + width]
    columns = (above.mean(axis=0) + below.mean(axis=0)) / 2
    at = np.linspace(0, len(columns) - 1, N_COLUMNS).round().astype(int)
    return np.asarray(columns[at])


def _paired(
    left: _Boxes, right: _Boxes, middle_px: Floats, height_px: float, apart: float, reach: tuple[float, float]
) -> list[_Pair]:
    """Return pairs of boxes: as far apart as on a bar, level, equally wide and alike in colour."""
    if not len(left.rows) or not len(right.rows):
        return []
    a, b = left.rows[:, None], right.rows[None]
    gap, drop = b[..., 0] - a[..., 0], b[..., 1] - a[..., 1]
    off = ((a[..., :2] + b[..., :2]) / 2 - middle_px) / height_px
    wider = (a[..., 2] - b[..., 2]) / height_px
    odd = ((gap / (apart * height_px) - 1) / APART_SD) ** 2 + (wider / WIDTH_SD) ** 2 + (drop / gap / TILT_SD) ** 2
    fits = np.exp(-0.5 * odd)
    levels = np.abs(left.colours[:, None] - right.colours[None]).mean(axis=(2, 3))
    alike = np.exp(-levels / ALIKE_LEVELS)
    allowed = (np.abs(drop) < MOST_TILT * gap) & (np.abs(off) <= np.array(reach)).all(axis=2)
    share = np.where(allowed, 0.4 + 0.3 * fits + 0.3 * alike, 0.0)
    best = np.argsort(-share * (a[..., 3] + b[..., 3]), axis=None)[:MAX_PAIRS]
    unread = np.full((2, 4, N_PEAKS), np.nan), np.zeros((2, 4, N_PEAKS)), np.zeros((2, 3, N_SAMPLES, 3), np.uint8)
    out = []
    for i, j in zip(*np.unravel_index(best, share.shape), strict=True):
        if share[i, j] * (left.rows[i, 3] + right.rows[j, 3]) > 0:
            rows = np.stack([left.rows[i], right.rows[j]])
            ends = rows[:, :2] + np.stack([rows[:, 2] * (-0.5, 0.5), np.zeros(2)], axis=1)
            colours = np.stack([left.colours[i], right.colours[j]])
            out.append(_Pair(ends, height_px, rows[:, 2], share[i, j] * rows[:, 3], colours, *unread))
    return out


def _at_edges(image_rgb: Image, pair: _Pair) -> _Pair:
    """Return the pair with the edges along its boxes read to parts of a pixel."""
    boxes = [(pair.ends[k], float(pair.widths[k]), pair.height) for k in (0, 1)]
    outlines = [read_outline(image_rgb, *box) for box in boxes]
    strips = [read_strips(image_rgb, *box, outward) for box, outward in zip(boxes, (-1, 1), strict=True)]
    return replace(
        pair,
        edge_px=np.stack([edge for edge, _ in outlines]),
        edge_strength=np.stack([strength for _, strength in outlines]),
        strips=np.stack(strips),
    )


def _joined(pairs: list[_Pair]) -> BarEnds:
    """Return pairs of one frame as arrays."""
    return BarEnds(
        end_px=np.stack([pair.ends for pair in pairs]),
        height_px=np.array([pair.height for pair in pairs]),
        width_px=np.stack([pair.widths for pair in pairs]),
        score=np.stack([pair.score for pair in pairs]),
        edge_px=np.stack([pair.edge_px for pair in pairs]),
        edge_strength=np.stack([pair.edge_strength for pair in pairs]),
        colours=np.stack([pair.colours for pair in pairs]),
        strips=np.stack([pair.strips for pair in pairs]),
    )
