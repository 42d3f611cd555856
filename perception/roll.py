"""How far the camera is tilted about its axis, from what falls and from what stands upright."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np

from perception.camera_track import CameraTrack
from perception.flights import find_bounces
from perception.pose import Floats, Image, check_shape, freeze
from perception.registration import Box
from perception.smoothing import runs

UNKNOWN_ROLL_SD_DEG = 0.35  # deg, a phone on a tripod of which nothing is known
LINES_EVERY_S = 1.5  # s between pictures whose edges are looked at
MOST_PICTURES = 32  # kept; of more every second one is dropped, so that memory stays constant
LINES_WIDTH_PX = 640
MOST_LINES = 120  # in one picture, the longest
SHORTEST_LINE = 0.05  # of the picture's width
LARGEST_TILT_DEG = 8.0  # deg, lines further off are not upright or level things of a tilted picture
BIN_DEG = 0.25
PEAK_WIDTH_DEG = 0.75  # deg, half the width of the heap of lines that counts
LEAST_LENGTH = 1.5  # pictures' widths of line in the heap of one picture, else there is too little to go by
LEAST_SHARE = 0.35  # of the length within LARGEST_TILT_DEG that must lie in the heap
UPRIGHT_SD_DEG = 0.25  # deg, walls and racks are built upright, lenses bend lines
LEVEL_SD_DEG = 0.45  # deg, edges of floor and walls, when the camera stands square to them
LEVEL_SD_PER_YAW = 0.1  # deg a deg of yaw, because edges that lead away seem tilted
SQUARE_WITHIN_DEG = 12.0  # deg of yaw, beyond it level edges tell nothing
FALL_SPEED = 0.5  # of the fastest fall, above which hands have let go
FALL_SD_DEG = 0.5  # deg, hands let go one after the other
BOUNCE_SD_DEG = 0.15  # deg, a bar that lands on one plate first
LARGEST_FALL_SD_DEG = 1.5
LEAST_FALL_SAMPLES = 7
APART = 2.5  # SDs that evidence may be apart before the surest alone is believed, less surely

Kind = Literal["fall", "upright", "level"]


@dataclass(frozen=True, slots=True, eq=False)
class SeenLines:
    """Straight edges of one frame.

    Attributes:
        frame: Which.
        ends_px: (N, 4), x1 y1 x2 y2.
    """

    frame: int
    ends_px: Floats

    def __post_init__(self) -> None:
        check_shape("ends_px", self.ends_px, (None, 4))
        freeze(self.ends_px)


@dataclass(frozen=True, slots=True)
class RollEvidence:
    """One thing that tells the roll."""

    kind: Kind
    roll_deg: float
    sd_deg: float


@dataclass(frozen=True, slots=True)
class Roll:
    """How the picture is tilted.

    Attributes:
        roll_deg: The camera turned clockwise (+) as its holder sees it, so that the picture leans to the left; 0 when
            nothing tells.
        sd_deg: Its SD.
        evidence: What told it, surest first.
    """

    roll_deg: float
    sd_deg: float
    evidence: tuple[RollEvidence, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether anything in the picture told it."""
        return bool(self.evidence)


class LineWatch:
    """Collects straight edges of a frame now and then."""

    def __init__(self) -> None:
        self._seen: list[SeenLines] = []
        self._next_s = 0.0
        self._every_s = LINES_EVERY_S
        self._detector = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD)

    def observe(self, image_rgb: Image, time_s: float, frame: int, boxes_px: Sequence[Box] = ()) -> None:
        """Look at a frame when it is time again."""
        if time_s < self._next_s:
            return
        self._next_s = time_s + self._every_s
        self._seen.append(SeenLines(frame, _find_lines(self._detector, image_rgb, boxes_px)))
        if len(self._seen) > MOST_PICTURES:
            self._seen = self._seen[::2]
            self._every_s *= 2

    def seen(self) -> tuple[SeenLines, ...]:
        """Return what was collected."""
        return tuple(self._seen)


def _find_lines(detector: cv2.LineSegmentDetector, image_rgb: Image, boxes_px: Sequence[Box]) -> Floats:
    """Return (N, 4) ends of the longest straight edges off the boxes, in pixels of the frame."""
    grey = cv2.extractChannel(image_rgb, 1)
    shrink = min(1.0, LINES_WIDTH_PX / grey.shape[1])
    if shrink < 1:
        grey = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    found = detector.detect(grey)[0]
    if found is None:
        return np.zeros((0, 4))
    ends = (found.reshape(-1, 4).astype(float) + 0.5) / shrink - 0.5
    length = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
    x, y = (ends[:, 0] + ends[:, 2]) / 2, (ends[:, 1] + ends[:, 3]) / 2
    keep = length > SHORTEST_LINE * image_rgb.shape[1]
    for left, top, right, bottom in boxes_px:
        keep &= ~((x > left) & (x < right) & (y > top) & (y < bottom))
    ends, length = ends[keep], length[keep]
    return np.asarray(ends[np.argsort(-length)[:MOST_LINES]])


def estimate_roll(
    lines: Sequence[SeenLines],
    camera: CameraTrack | None,
    size_px: tuple[int, int],
    fall: RollEvidence | None = None,
    yaw_deg: float = 0.0,
) -> Roll:
    """Return the roll of the camera in a scene from all that tells it.

    Evidence is weighted by its SD. Where it is further apart than it may be, the surest is believed, and half the gap
    to the rest added to its SD.

    Args:
        lines: Straight edges of frames of this scene.
        camera: Takes the frames to the scene's first one; None for a still camera.
        size_px: Width and height.
        fall: From `plumb_fall`, where the bar was dropped.
        yaw_deg: Off the square side view, -90 to 90; NaN when unknown.
    """
    told = [fall] if fall is not None else []
    ends = [_steadied(seen, camera) for seen in lines]
    if ends:
        told += [e for kind in ("upright", "level") if (e := _from_lines(ends, size_px, kind)) is not None]
    told = [e for e in (_if_square(e, yaw_deg) for e in told) if e is not None]
    if not told:
        return Roll(0.0, UNKNOWN_ROLL_SD_DEG)
    told.sort(key=lambda e: e.sd_deg)
    return _combine(told)


def _combine(told: list[RollEvidence]) -> Roll:
    best = told[0]
    agreed = [e for e in told if abs(e.roll_deg - best.roll_deg) <= APART * float(np.hypot(e.sd_deg, best.sd_deg))]
    weight = np.array([e.sd_deg**-2 for e in agreed])
    roll = float(np.average([e.roll_deg for e in agreed], weights=weight))
    sd = float(weight.sum() ** -0.5)
    if len(agreed) < len(told) and len(agreed) == 1:
        gap = min(abs(e.roll_deg - roll) for e in told[1:])
        sd = float(np.hypot(sd, min(gap / 2, 1.0)))
    is_at_one = len(agreed) == len(told)
    if is_at_one and sd > UNKNOWN_ROLL_SD_DEG and abs(roll) < 2 * float(np.hypot(sd, UNKNOWN_ROLL_SD_DEG)):
        # Weak evidence that fits an upright tripod is no worse than none.
        share = UNKNOWN_ROLL_SD_DEG**2 / (UNKNOWN_ROLL_SD_DEG**2 + sd**2)
        roll, sd = share * roll, float(np.sqrt(share)) * sd
    return Roll(roll, sd, tuple(agreed))


def _if_square(told: RollEvidence, yaw_deg: float) -> RollEvidence | None:
    """Return level edges less sure the less square the camera stands to them; None when it does not, or nobody knows."""
    if told.kind != "level":
        return told
    off = min(abs(yaw_deg), 90 - abs(yaw_deg))
    if not off <= SQUARE_WITHIN_DEG:
        return None
    return replace(told, sd_deg=float(np.hypot(told.sd_deg, LEVEL_SD_PER_YAW * off)))


def _steadied(seen: SeenLines, camera: CameraTrack | None) -> Floats:
    if camera is None or not camera.moves_at(seen.frame):
        return seen.ends_px
    moved = camera.to_reference(seen.ends_px.reshape(-1, 2, 2), seen.frame).reshape(-1, 4)
    return np.asarray(moved[np.isfinite(moved).all(axis=1)])


def _from_lines(
    pictures: Sequence[Floats], size_px: tuple[int, int], kind: Literal["upright", "level"]
) -> RollEvidence | None:
    """Return the roll that upright or level edges show; None where too few agree.

    A camera that looks up or down makes uprights lean toward the middle, in proportion to their place: lean = roll +
    k x. Level edges off the camera's own height lean likewise with y when the camera is not square to the wall. The
    slope k is fitted with the roll.
    """
    ends = np.concatenate(pictures) if len(pictures) else np.zeros((0, 4))
    tilt, place, length = _tilts(ends, size_px, kind)
    if length.sum() < LEAST_LENGTH * len(pictures):
        return None
    k = _lean(tilt, place, length)
    tilt = tilt - k * place
    bins = np.arange(-LARGEST_TILT_DEG, LARGEST_TILT_DEG + BIN_DEG, BIN_DEG)
    heap, _ = np.histogram(tilt, bins, weights=length)
    wide = np.convolve(heap, np.ones(round(2 * PEAK_WIDTH_DEG / BIN_DEG)), "same")
    peak = float(bins[int(np.argmax(wide))] + BIN_DEG / 2)
    for width in (2 * PEAK_WIDTH_DEG, PEAK_WIDTH_DEG, PEAK_WIDTH_DEG):
        near = np.abs(tilt - peak) < width
        if not near.any():
            return None
        peak = float(np.average(tilt[near], weights=length[near]))
    in_heap = float(length[near].sum())
    if in_heap < LEAST_LENGTH * len(pictures) or in_heap < LEAST_SHARE * float(length.sum()):
        return None
    spread = float(np.sqrt(np.average((tilt[near] - peak) ** 2, weights=length[near])))
    n_apart = max(1.0, near.sum() / len(pictures))
    own = UPRIGHT_SD_DEG if kind == "upright" else LEVEL_SD_DEG
    return RollEvidence(kind, -peak, float(np.hypot(own, spread / np.sqrt(n_apart))))


def _tilts(ends: Floats, size_px: tuple[int, int], kind: str) -> tuple[Floats, Floats, Floats]:
    """Return lean to the right in degrees, place from the middle and length, in widths of the picture, of nearly upright or level edges."""
    step = ends[:, 2:] - ends[:, :2]
    middle = (ends[:, :2] + ends[:, 2:]) / 2 - (np.array(size_px) - 1) / 2
    if kind == "upright":
        step = step * np.where(step[:, 1:] > 0, -1.0, 1.0)
        tilt = np.degrees(np.arctan2(step[:, 0], -step[:, 1]))
        place = middle[:, 0]
    else:
        step = step * np.where(step[:, :1] < 0, -1.0, 1.0)
        tilt = np.degrees(np.arctan2(step[:, 1], step[:, 0]))
        place = middle[:, 1]
    near = np.abs(tilt) < LARGEST_TILT_DEG
    length = np.linalg.norm(step, axis=1) / size_px[0]
    return tilt[near], place[near] / size_px[0], length[near]


def _lean(tilt: Floats, place: Floats, length: Floats) -> float:
    """Return how lean grows with place, in degrees a picture's width: the value that heaps the edges highest."""
    if (
        len(tilt) < 4
        or float(np.sqrt(np.average((place - np.average(place, weights=length)) ** 2, weights=length))) < 0.1
    ):
        return 0.0
    tried = np.arange(-24.0, 24.1, 0.5)
    turned = tilt[None, :] - tried[:, None] * place[None, :]
    bins = np.rint((turned + 3 * LARGEST_TILT_DEG) / BIN_DEG).astype(int)
    heights = np.zeros((len(tried), int(bins.max()) + 3))
    for row, at in zip(heights, bins, strict=True):
        np.add.at(row, np.maximum(at, 0), length)
    smooth = heights[:, :-2] + heights[:, 1:-1] + heights[:, 2:]
    score = smooth.max(axis=1) * (1 - 0.002 * np.abs(tried))
    return float(tried[int(np.argmax(score))])


def plumb_fall(times_s: Floats, points_px: Floats, after_s: float) -> RollEvidence | None:
    """Return the roll that a dropped bar shows: whatever its speed, it is accelerated straight down.

    A parabola in x and one in y are fitted to each free flight; the direction of the acceleration is plumb. Bounces
    count most, because hands guide the bar into its fall and only its fast part is free. A bar at rest over where it was
    lifted says nothing, because lifters move.

    Args:
        times_s: (T,).
        points_px: (T, 2), the plate's centre, y down; NaN where not seen.
        after_s: When the lift itself ended.
    """
    told = []
    for flight in find_bounces(times_s, -points_px[:, 1], after_s):
        roll, sd = _plumb(times_s[flight], points_px[flight])
        told.append((roll, float(np.hypot(sd, BOUNCE_SD_DEG))))
    fall = _fast_fall(times_s, points_px, after_s)
    if fall is not None:
        roll, sd = _plumb(times_s[fall], points_px[fall])
        told.append((roll, float(np.hypot(sd, FALL_SD_DEG))))
    rolls, sds = np.array(told).reshape(-1, 2).T
    good = sds < LARGEST_FALL_SD_DEG
    if not good.any():
        return None
    weight = sds[good] ** -2
    mean = float(np.average(rolls[good], weights=weight))
    off = float(np.sqrt(np.average((rolls[good] - mean) ** 2, weights=weight)))
    return RollEvidence("fall", mean, max(float(weight.sum() ** -0.5), off))


def _fast_fall(times_s: Floats, points_px: Floats, after_s: float) -> np.ndarray[tuple[int], np.dtype[np.int64]] | None:
    """Return the frames of the deepest fall in which it is fast, without the last, which may stand on the floor."""
    frames = np.flatnonzero(np.isfinite(points_px).all(axis=1) & (times_s > after_s))
    if len(frames) < LEAST_FALL_SAMPLES:
        return None
    t, y = times_s[frames], points_px[frames, 1]
    down = np.diff(y) / np.diff(t)
    falls = [(a, b - 1) for a, b in runs(down > FALL_SPEED * float(np.max(down))) if b - a >= LEAST_FALL_SAMPLES]
    if not falls:
        return None
    first, last = max(falls, key=lambda f: float(y[f[1]] - y[f[0]]))
    return frames[first : last + 1]


def _plumb(t: Floats, p: Floats) -> tuple[float, float]:
    """Return the roll in degrees and its SD from one free flight."""
    design = np.vander(t - t.mean(), 3)
    coefficients, squares, *_ = np.linalg.lstsq(design, p, rcond=None)
    noise = np.sqrt(squares / max(len(t) - 3, 1)) if len(squares) else np.zeros(2)
    sd = float(np.sqrt(np.linalg.inv(design.T @ design)[0, 0])) * float(np.linalg.norm(noise))
    ax, ay = coefficients[0]
    return float(np.degrees(np.arctan2(ax, ay))), float(np.degrees(sd / max(abs(ay), 1e-9)))


def level(points_px: Floats, roll_deg: float, size_px: tuple[int, int]) -> Floats:
    """Return points (..., 2) turned about the picture's middle so that plumb is upright.

    Args:
        points_px: y down.
        roll_deg: As in `Roll`.
        size_px: Width and height.
    """
    if roll_deg == 0:
        return np.array(points_px, dtype=float)
    r = -np.radians(roll_deg)
    turn = np.array([[np.cos(r), np.sin(r)], [-np.sin(r), np.cos(r)]])
    middle = (np.array(size_px, dtype=float) - 1) / 2
    return np.asarray((points_px - middle) @ turn.T + middle)
