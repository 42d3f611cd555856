"""The camera while frames stream by: cuts, motion of the background, and straight edges that show how it is tilted."""

import statistics
from collections.abc import Sequence

import cv2
import numpy as np

from perception.camera_track import CameraTrack
from perception.pose import Image
from perception.registration import BackgroundWatch, Box
from perception.roll import LineWatch, SeenLines
from perception.view import estimate_facing as estimate_facing
from perception.view import estimate_view as estimate_view

THUMB_PX = 72  # shorter side of the thumbnails compared for cuts
SAME_SCENE = 0.8  # correlation of thumbnails; a flash makes the same scene brighter, a cut shows another one
BLACK, BAR_LIT = 24, 0.05  # grey level of black bars, and share of a row or column of them that may be brighter
CUT_LEVEL = 18.0  # mean absolute grey difference of thumbnails; a lifter moving at 2 m/s stays below 4


class FrameWatch:
    """Watches the frames of one clip in order for cuts, camera motion and straight edges; keeps few pictures.

    Attributes:
        cuts: First frame after each cut.
        changes: Mean absolute grey difference of each frame to the one before, for `find_copies`; NaN for the first.
    """

    def __init__(self) -> None:
        self.cuts: list[int] = []
        self.changes: list[float] = []
        self._n_followed = 0
        self._last: Image | None = None
        self._recent: list[float] = []
        self._background = BackgroundWatch()
        self._lines = LineWatch()

    def observe(self, image_rgb: Image, time_s: float, boxes_px: Sequence[Box] = ()) -> bool:
        """Look at the next frame; return whether it is the first one after a cut.

        Args:
            image_rgb: (H, W, 3).
            time_s: Its time.
            boxes_px: About people and plates, from `boxes_about`; those of the frame before will do.
        """
        is_cut = self.find_cut(image_rgb)
        self.follow(image_rgb, time_s, boxes_px, is_cut=is_cut)
        return is_cut

    def find_cut(self, image_rgb: Image) -> bool:
        """Return whether the next frame is the first one after a cut: the quick half of `observe`."""
        step = max(1, min(image_rgb.shape[0] // THUMB_PX, image_rgb.shape[1] // THUMB_PX))
        thumb = np.ascontiguousarray(image_rgb[::step, ::step, 1])
        is_cut = self._is_cut(thumb)
        self._last = thumb
        if is_cut:
            self.cuts.append(len(self.changes) - 1)
            self._recent.clear()
        return is_cut

    def follow(self, image_rgb: Image, time_s: float, boxes_px: Sequence[Box], *, is_cut: bool) -> None:
        """Look at background and edges: the other half, which may run beside, frame after frame in the same order."""
        boxes = () if is_cut else boxes_px
        self._background.observe(image_rgb, boxes, is_cut=is_cut)
        self._lines.observe(image_rgb, time_s, self._n_followed, boxes)
        self._n_followed += 1

    def _is_cut(self, thumb: Image) -> bool:
        if self._last is None:
            self.changes.append(float("nan"))
            return False
        thumb, last = _without_bars(thumb, self._last)
        change = float(np.mean(cv2.absdiff(thumb, last)))
        self.changes.append(change)
        usual = statistics.median(self._recent) if self._recent else 0.0
        self._recent = [*self._recent[-14:], change]
        return change > max(CUT_LEVEL, 2 * usual) and _correlation(thumb, last) < SAME_SCENE

    @property
    def is_moving(self) -> bool:
        """Whether the background moved in any scene."""
        return self.track().is_moving

    def track(self) -> CameraTrack:
        """Return what the camera did over the frames seen so far."""
        return self._background.track()

    def lines(self) -> tuple[SeenLines, ...]:
        """Return straight edges of some frames, for `estimate_roll`."""
        return self._lines.seen()


def _without_bars(*pictures: Image) -> list[Image]:
    """Return grey pictures without black bars at their edges, which all scenes share."""
    lit = np.maximum.reduce(pictures) > BLACK
    (rows,), (columns,) = (np.nonzero(lit.mean(axis=axis) > BAR_LIT) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return list(pictures)
    return [one[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] for one in pictures]


def _correlation(a: Image, b: Image) -> float:
    """Return how alike two pictures are whatever their brightness and contrast, -1 to 1."""
    x, y = (z.astype(float) - float(z.mean()) for z in (a, b))
    size = float(np.sqrt(np.sum(x * x) * np.sum(y * y)))
    return float(np.sum(x * y)) / size if size > 0 else 0.0
