"""The camera: cuts and motion while frames stream by, and view and facing from the athlete's pose."""

import cv2
import numpy as np

from coach.domain.lift import Facing, View
from perception.athlete import hands_midpoint_px
from perception.pose import INDEX, Floats, Image, PoseTrack

THUMB_PX = 72  # shorter side of the thumbnails compared for cuts
SAME_SCENE = 0.8  # correlation of thumbnails; a flash makes the same scene brighter, a cut shows another one
CUT_LEVEL = 18.0  # mean absolute grey difference of thumbnails; a lifter moving at 2 m/s stays below 4
MOTION_EVERY_S = 0.5  # s between the frames compared for camera motion
MOTION_WIDTH_PX = 320
SIDE_BELOW, FRONT_ABOVE = 0.40, 0.62  # shoulder and hip spread over trunk length


class FrameWatch:
    """Watches the frames of one clip in order for camera cuts and camera motion; keeps thumbnails only."""

    def __init__(self) -> None:
        self.cuts: list[int] = []
        self._n_frames = 0
        self._last: Image | None = None
        self._recent: list[float] = []
        self._reference: tuple[float, Image] | None = None
        self._shifts: list[tuple[float, float]] = []

    def observe(self, image_rgb: Image, time_s: float) -> bool:
        """Look at the next frame; return whether it is the first one after a cut."""
        step = max(1, min(image_rgb.shape[0] // THUMB_PX, image_rgb.shape[1] // THUMB_PX))
        thumb = np.ascontiguousarray(image_rgb[::step, ::step, 1])
        is_cut = self._is_cut(thumb)
        self._watch_motion(image_rgb, time_s, is_cut)
        self._last = thumb
        if is_cut:
            self.cuts.append(self._n_frames)
            self._recent.clear()
        self._n_frames += 1
        return is_cut

    def _is_cut(self, thumb: Image) -> bool:
        if self._last is None:
            return False
        change = float(np.mean(cv2.absdiff(thumb, self._last)))
        usual = float(np.median(self._recent)) if self._recent else 0.0
        self._recent = [*self._recent[-14:], change]
        return change > max(CUT_LEVEL, 2 * usual) and _correlation(thumb, self._last) < SAME_SCENE

    def _watch_motion(self, image_rgb: Image, time_s: float, is_cut: bool) -> None:
        if self._reference is not None and not is_cut and time_s - self._reference[0] < MOTION_EVERY_S:
            return
        height = max(2, round(image_rgb.shape[0] * MOTION_WIDTH_PX / image_rgb.shape[1]))
        small = cv2.resize(image_rgb[:, :, 1], (MOTION_WIDTH_PX, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
        if self._reference is not None and not is_cut:
            self._shifts.append(_background_shift(self._reference[1], small))
        self._reference = (time_s, small)

    @property
    def is_moving(self) -> bool:
        """Whether the background drifted by more than 1.5 % of the picture's width, or trembled by 0.5 % a step."""
        if len(self._shifts) < 2:
            return False
        path = np.cumsum(np.array(self._shifts), axis=0)
        drift = float(np.max(np.ptp(path, axis=0)))
        tremble = float(np.median(np.abs(np.array(self._shifts)).max(axis=1)))
        return drift > 0.015 * MOTION_WIDTH_PX or tremble > 0.005 * MOTION_WIDTH_PX


def _correlation(a: Image, b: Image) -> float:
    """Return how alike two pictures are whatever their brightness and contrast, -1 to 1."""
    x, y = (z.astype(float) - float(z.mean()) for z in (a, b))
    size = float(np.sqrt(np.sum(x * x) * np.sum(y * y)))
    return float(np.sum(x * y)) / size if size > 0 else 0.0


def _background_shift(before: Image, after: Image) -> tuple[float, float]:
    """Return the median shift of corners between two grey pictures, in pixels; most corners are background."""
    corners = cv2.goodFeaturesToTrack(before, maxCorners=150, qualityLevel=0.01, minDistance=6)
    if corners is None or len(corners) < 8:
        return 0.0, 0.0
    moved, found, _ = cv2.calcOpticalFlowPyrLK(before, after, corners, np.zeros_like(corners))
    steps = (moved - corners).reshape(-1, 2)[found.ravel() == 1]
    if len(steps) < 8:
        return 0.0, 0.0
    x, y = np.median(steps, axis=0)
    return float(x), float(y)


def estimate_view(track: PoseTrack) -> View:
    """Return where the camera stands, from how far shoulders and hips are apart in the picture.

    From the front shoulders and hips lie about 0.8 and 0.5 trunk lengths apart, from the side on top of each other.
    """
    p = track.points_px
    trunk = np.linalg.norm(_mid(p, "shoulder") - _mid(p, "hip"), axis=1)
    spread = np.abs(_across(p, "shoulder")) + np.abs(_across(p, "hip"))
    known = np.isfinite(trunk) & (trunk > 5)
    if known.sum() < 5:
        return "unknown"
    longest = np.nanpercentile(trunk[known], 75)
    ratio = float(np.median(spread[known])) / 1.3 / float(longest)
    if ratio < SIDE_BELOW:
        return "side"
    if ratio < FRONT_ABOVE:
        return "oblique"
    return "front" if np.nanmedian(_across(p, "shoulder")) > 0 else "rear"


def estimate_facing(track: PoseTrack, view: View) -> Facing:
    """Return which way the athlete faces in the picture: by toes and nose from the side, by the view else."""
    if view in ("front", "rear"):
        return "camera" if view == "front" else "away"
    if view == "unknown":
        return "unknown"
    p = track.points_px
    trunk = np.nanmedian(np.linalg.norm(_mid(p, "shoulder") - _mid(p, "hip"), axis=1))
    toes = _mid(p, "toe")[:, 0] - _mid(p, "heel")[:, 0]
    nose = p[:, INDEX["nose"], 0] - _mid(p, "ear")[:, 0]
    reach = (hands_midpoint_px(p, track.visibility) - _mid(p, "hip"))[:, 0]
    vote = (_known_median(toes) + _known_median(nose) + 0.5 * _known_median(reach)) / float(trunk)
    if not np.isfinite(vote) or abs(vote) < 0.05:
        return "unknown"
    return "right" if vote > 0 else "left"


def _known_median(values: Floats) -> float:
    """Return the median of what is known; 0 when nothing is, as with estimators that have no feet."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else 0.0


def _mid(points: Floats, part: str) -> Floats:
    return np.asarray((points[:, INDEX[f"left_{part}"]] + points[:, INDEX[f"right_{part}"]]) / 2)


def _across(points: Floats, part: str) -> Floats:
    """Return left minus right, x, for each frame: positive when the athlete faces the camera."""
    return np.asarray(points[:, INDEX[f"left_{part}"], 0] - points[:, INDEX[f"right_{part}"], 0])
