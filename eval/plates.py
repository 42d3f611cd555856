"""Scores the plate finder on single pictures with labelled boxes, and draws the pictures it fails on."""

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from pydantic import Field

from coach.domain.base import Record
from coach.domain.errors import DataError, SetupError
from eval.accuracy import Row
from perception.any_way_up import people_any_way_up
from perception.plate_finder import PlateFind, find_plates
from perception.pose import POSES, Image

NEAR = 0.1  # of the plate's size (the box's mean side): centre and half axes must be this near
STRICT = 0.05  # of the plate's size: half axes within a tenth of the radius
CONFIDENT = 0.6  # from this confidence a wrong find counts as a confident one
BORDER_PX = 1.0  # px: a box this near to the picture's border is cut
FULL_SHARE, WRONG_SHARE = 0.90, 0.05  # the bar
ROUND = 0.95  # shorter over longer side of the box, from which the plate faces the camera
SIZES = (0.07, 0.12)  # of the picture's long side, radii between small, middle and large
TILE_PX, TILES_A_ROW = 320, 5

OnProgress = Callable[[int, int], None]


class Box(Record):
    """A labelled box, in pixels."""

    x0_px: float
    y0_px: float
    x1_px: float
    y1_px: float

    @property
    def centre_px(self) -> tuple[float, float]:
        """Middle of the box."""
        return (self.x0_px + self.x1_px) / 2, (self.y0_px + self.y1_px) / 2

    @property
    def half_size_px(self) -> tuple[float, float]:
        """Half of its width and of its height."""
        return (self.x1_px - self.x0_px) / 2, (self.y1_px - self.y0_px) / 2


class PictureScore(Record):
    """What was found in one picture beside its labelled plate.

    `centre_error` and `radius_error` (the worse of both half axes) are in units of the plate's size, None where nothing
    was found or nothing is labelled; with several labelled plates the nearest counts.
    """

    image: str
    clip: str
    boxes: tuple[Box, ...] = ()
    is_whole: bool = False
    aspect: float | None = None
    size: float | None = None
    confidence: float = 0.0
    centre_error: float | None = None
    radius_error: float | None = None
    found: tuple[float, ...] = Field(default=(), description="x, y, long and short half axis in px, tilt in degrees")

    @property
    def is_right(self) -> bool:
        """Whether the first find is a labelled plate, to a tenth of its size."""
        return self.worst_error < NEAR

    @property
    def worst_error(self) -> float:
        """The larger of both errors."""
        if self.centre_error is None or self.radius_error is None:
            return float("inf")
        return max(self.centre_error, self.radius_error)

    @property
    def is_confident_and_wrong(self) -> bool:
        """Whether the first find is told with confidence and is no labelled plate."""
        return self.confidence >= CONFIDENT and not self.is_right


class PlateScores(Record):
    """All scores of one run."""

    rows: tuple[Row, ...]
    pictures: tuple[PictureScore, ...]


def run(folder: Path, out: Path | None = None, on_progress: OnProgress | None = None) -> PlateScores:
    """Look for the plate in every picture of a folder, and compare with its boxes.

    Args:
        folder: Has `boxes.csv` (image, clip, class, x0_px, y0_px, x1_px, y1_px) and `images/`.
        out: Folder for `failures.png`, the pictures where the find is wrong; None to draw nothing.
        on_progress: Called with pictures done and in all.

    Raises:
        SetupError: The folder has no labels or no pictures.
        DataError: A line of the labels cannot be read.
    """
    labels = read_boxes(folder)
    paths = sorted(p for p in (folder / "images").glob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not paths:
        raise SetupError(f"{folder / 'images'} holds no pictures; give the folder of labelled plates")
    estimator = POSES.load("blazepose")
    scores = []
    for done, path in enumerate(paths):
        if on_progress:
            on_progress(done, len(paths))
        image = read_picture(path)
        finds = find_plates(image, people_any_way_up(estimator, image))
        clip, boxes = labels.get(path.name, ("", ()))
        scores.append(score_picture(path.name, clip, boxes, finds, image.shape[:2]))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        draw_failures(folder, scores, out / "failures.png")
    return PlateScores(rows=tuple(plate_rows(scores)), pictures=tuple(scores))


def read_boxes(folder: Path) -> dict[str, tuple[str, tuple[Box, ...]]]:
    """Return clip and plate boxes of each labelled picture by its name.

    Raises:
        SetupError: There is no `boxes.csv`.
        DataError: A line lacks a column or a number.
    """
    path = folder / "boxes.csv"
    if not path.is_file():
        raise SetupError(f"{folder} holds no boxes.csv; give the folder of labelled plates")
    labels: dict[str, tuple[str, tuple[Box, ...]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                box = Box(**{k: float(row[k]) for k in ("x0_px", "y0_px", "x1_px", "y1_px")})
                name, clip, kind = row["image"], row["clip"], row["class"]
            except (KeyError, TypeError, ValueError) as problem:
                raise DataError(f"{path}:{number}: {problem}; needs image, clip, class and four sides") from problem
            before = labels.get(name, (clip, ()))[1]
            labels[name] = (clip, (*before, box) if kind == "plate" else before)
    return labels


def read_picture(path: Path) -> Image:
    """Return a picture as (H, W, 3) RGB.

    Raises:
        DataError: It cannot be read.
    """
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise DataError(f"{path} is no picture that can be read")
    return np.asarray(picture, dtype=np.uint8)


def score_picture(
    name: str, clip: str, boxes: Sequence[Box], finds: Sequence[PlateFind], shape: tuple[int, ...]
) -> PictureScore:
    """Return how the first find compares with the labelled boxes of a picture of (height, width)."""
    blank = PictureScore(image=name, clip=clip, boxes=tuple(boxes))
    whole = [box for box in boxes if _is_whole(box, shape)]
    if boxes:
        wide, high = (whole or list(boxes))[0].half_size_px
        aspect, size = min(wide, high) / max(wide, high), (wide + high) / 2 / max(shape)
        blank = blank.model_copy(update={"is_whole": bool(whole), "aspect": aspect, "size": size})
    if not finds:
        return blank
    first = finds[0]
    found = (*map(float, first.centre_px), *map(float, first.half_axes_px), first.tilt_deg)
    errors = [errors_of(first, box) for box in boxes]
    centre, radius = min(errors, key=max, default=(None, None))
    return blank.model_copy(
        update={"confidence": first.confidence, "found": found, "centre_error": centre, "radius_error": radius}
    )


def errors_of(find: PlateFind, box: Box) -> tuple[float, float]:
    """Return the errors of the centre and of the worse half axis, in units of the plate's size."""
    size = sum(box.half_size_px)
    away = float(np.hypot(*(find.centre_px - np.array(box.centre_px))))
    return away / size, max(abs(f - b) for f, b in zip(find.half_size_px, box.half_size_px, strict=True)) / size


def _is_whole(box: Box, shape: tuple[int, ...]) -> bool:
    inside = box.x1_px < shape[1] - 1 - BORDER_PX and box.y1_px < shape[0] - 1 - BORDER_PX
    return inside and min(box.x0_px, box.y0_px) > BORDER_PX


def plate_rows(scores: Sequence[PictureScore]) -> list[Row]:
    """Return the table: found and wrong, then by halves, aspect and size."""
    whole = [s for s in scores if s.is_whole]
    rows = [
        _right("whole plates: centre and radius within 0.1 of its size", whole, FULL_SHARE),
        _wrong("pictures with a confident wrong find", scores, WRONG_SHARE),
        _wrong("  where a plate is labelled", [s for s in scores if s.boxes]),
        _wrong("  where none is labelled", [s for s in scores if not s.boxes]),
        _row("  found with confidence", [s.is_right and s.confidence >= CONFIDENT for s in whole]),
        _row("  radius within 0.05 of its size", [s.is_right and (s.radius_error or 0.0) < STRICT for s in whole]),
        _clips_row(whole),
    ]
    for name, odd in (("even-numbered pictures", 0), ("odd-numbered pictures", 1)):
        half = [s for i, s in enumerate(scores) if i % 2 == odd]
        rows += [_right(name, [s for s in half if s.is_whole], FULL_SHARE), _wrong(f"{name}, wrong", half, WRONG_SHARE)]
    rows += [
        _right(f"facing the camera (aspect >= {ROUND})", [s for s in whole if (s.aspect or 0) >= ROUND]),
        _right(f"turned (aspect < {ROUND})", [s for s in whole if (s.aspect or 0) < ROUND]),
    ]
    edges = (0.0, *SIZES, np.inf)
    names = (f"radius below {SIZES[0]} of the picture", f"{SIZES[0]} to {SIZES[1]}", f"above {SIZES[1]}")
    for name, low, high in zip(names, edges[:-1], edges[1:], strict=True):
        rows.append(_right(name, [s for s in whole if low <= (s.size or 0) < high]))
    return rows


def _right(what: str, scores: Sequence[PictureScore], bar: float | None = None) -> Row:
    return _row(what, [s.is_right for s in scores], None if bar is None else (">=", bar))


def _wrong(what: str, scores: Sequence[PictureScore], bar: float | None = None) -> Row:
    return _row(what, [s.is_confident_and_wrong for s in scores], None if bar is None else ("<=", bar))


def _row(what: str, flags: Sequence[bool], bar: tuple[str, float] | None = None) -> Row:
    if not flags:
        return Row(what=what, n=0, result="-")
    share = float(np.mean(flags))
    row = Row(what=what, n=len(flags), result=f"{100 * share:.1f} %")
    if bar is None:
        return row
    sign, value = bar
    reached = share >= value if sign == ">=" else share <= value
    return row.model_copy(update={"bar": f"{sign} {100 * value:.0f} %", "reached": reached})


def _clips_row(whole: Iterable[PictureScore]) -> Row:
    """Return the mean over clips: frames of one clip are alike, and some clips have many."""
    clips: dict[str, list[bool]] = {}
    for score in whole:
        clips.setdefault(score.clip, []).append(score.is_right)
    shares = [float(np.mean(flags)) for flags in clips.values()]
    result = f"{100 * np.mean(shares):.1f} %" if shares else "-"
    return Row(what="  mean over clips, each counted once", n=len(shares), result=result)


def draw_failures(folder: Path, scores: Sequence[PictureScore], path: Path) -> None:
    """Write a sheet of the pictures whose find is wrong or whose whole plate was not found, the surest mistake first.

    Labelled boxes are green; the find is red where it was told with confidence, else blue.
    """
    failed = [s for s in scores if not s.is_right and (s.is_whole or s.confidence >= CONFIDENT)]
    tiles = [_tile(read_picture(folder / "images" / s.image), s) for s in sorted(failed, key=lambda s: -s.confidence)]
    tiles += [np.zeros((TILE_PX, TILE_PX, 3), np.uint8)] * (-len(tiles) % TILES_A_ROW or TILES_A_ROW * (not tiles))
    rows = [np.hstack(tiles[i : i + TILES_A_ROW]) for i in range(0, len(tiles), TILES_A_ROW)]
    cv2.imwrite(str(path), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


def _tile(image: Image, score: PictureScore) -> Image:
    shrink = TILE_PX / max(image.shape[:2])
    small = cv2.resize(image, (0, 0), fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    for box in score.boxes:
        corners = [round(v * shrink) for v in (box.x0_px, box.y0_px, box.x1_px, box.y1_px)]
        cv2.rectangle(small, corners[:2], corners[2:], (0, 220, 0), 1)
    if score.found:
        x, y, long, short = (round(v * shrink) for v in score.found[:4])
        colour = (255, 40, 40) if score.confidence >= CONFIDENT else (60, 120, 255)
        cv2.ellipse(small, (x, y), (long, short), score.found[4], 0, 360, colour, 2, cv2.LINE_AA)
    tile = np.zeros((TILE_PX, TILE_PX, 3), np.uint8)
    tile[: small.shape[0], : small.shape[1]] = small[:TILE_PX, :TILE_PX]
    words = f"{Path(score.image).stem}  {score.confidence:.2f}"
    cv2.putText(tile, words, (4, TILE_PX - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 0), 1, cv2.LINE_AA)
    return tile
