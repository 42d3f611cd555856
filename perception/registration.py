"""The background followed through a clip, so that a camera that pans, zooms or shakes can be taken out."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from perception.camera_track import CameraTrack, move_points, settle
from perception.pose import INDEX, Floats, Image, Person

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

WORK_AREA_PX = 480 * 360  # px, pictures are made this small
MOST_CORNERS = 500
TILES = (4, 3)  # across and down
MOST_IN_TILE = 12  # corners, so that somebody in front in a patterned shirt does not outvote the room
CORNER_QUALITY = 0.004  # of the best corner
CORNER_GAP_PX = 11.0  # px of the small picture, so that corners lie all over it
WINDOW_PX = 15  # px, side of the patch that is followed
PYRAMID_LEVELS = 3  # 15 px at an eighth of the size reaches jumps of 50 px
ENOUGH_CORNERS = 80
LIKE_LEVEL = 10.0  # grey levels that a patch may differ on average, else it is hidden
GATE_PX = 2.0  # px of the small picture: corners this far from the model are not background, or too near
NEARLY = 0.8  # of the most corners
RESTING_PX = 0.35  # px of the small picture, that a corner of a still room seems to move
CALM_SHARE = 0.8  # of the corners that rest when nothing moves at all
CALM_FRAMES = 6  # without motion, after which not every frame is looked at
LOOK_EVERY = 4
CALM_LEVELS = 1  # of the pyramid, enough to see that nothing has moved
REFINE_ROUNDS = 3
LEAST_INLIERS = 8
LEAST_SPREAD = 0.10  # of the picture's width: SD of where they lie, else a small thing may lead
LEAST_SHARE = 0.35  # of the corners off people that must agree, else the model may be of something else
KEYSTONE_FROM = 16  # inliers from which pan and tilt may turn rectangles into trapezes
KEYSTONE_RIDGE = 0.03  # a corner's noise, 0.2 px of 240, over the trapeze of a pan by 4 degrees
FAR_SHIFT = 0.22  # of the picture's width, from a keyframe; beyond it another one is taken
FAR_SCALE = 0.10  # change of size that patches still match
FAR_TURN_RAD = 0.09  # rad, likewise
NEAR = 0.6  # of these: an older keyframe this near is taken again
LEAST_LEFT = 0.4  # of a keyframe's corners that must still be found
MOST_KEYFRAMES = 16  # kept, so that memory stays constant
LEAST_OFF_PEOPLE = 0.2  # of the picture
SAME_LEVEL = 3.0  # grey levels, sensor noise and compression; a shift by a pixel changes a room by more
STRAY_AFTER = 8  # frames a corner may be off more often than on
PARALLAX_SHARE = 1.5  # of the picture's shift, by which near things may be off
TRIMMED = 0.8  # share of corners, the best ones, that the residual is taken over; the rest may move by itself
BOX_MARGIN = 0.12  # of a person's height
PLATE_REACH = (0.60, 0.22)  # of a person's height across and up and down about each hand, where bar and plates are


@dataclass(slots=True, eq=False)
class _Keyframe:
    """A picture whose corners are looked for in the frames about it."""

    grey: Image
    corners: npt.NDArray[np.float32]  # (N, 2)
    to_reference: Floats
    strays: Floats  # (N,), how much more often a corner was off than on


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """Keyframe to frame, and how well it holds."""

    matrix: Floats
    inlier_px: float
    residual_px: float
    n_inliers: int
    left: float
    resting: float


class BackgroundWatch:
    """Follows the background of the frames of one clip, in order; memory does not grow but by a matrix a frame.

    Corners of a keyframe are looked for in each frame and a similarity, with the trapeze that pan and tilt make, is
    fitted to most of them. While the camera stays near its first picture that is the keyframe, so nothing drifts; farther
    away new keyframes are linked to it, and left again as soon as an older one is near.
    """

    def __init__(self) -> None:
        self._matrices: list[Floats] = []
        self._quality: list[tuple[float, float, int, float]] = []
        self._scenes: list[int] = []
        self._keys: list[_Keyframe] = []
        self._key = 0
        self._guess = np.eye(3)
        self._last: tuple[Image, Floats, npt.NDArray[np.uint8]] | None = None
        self._size_px = (0, 0)
        self._n_calm = 0

    def observe(self, image_rgb: Image, boxes_px: Sequence[Box] = (), *, is_cut: bool = False) -> None:
        """Look at the next frame.

        Args:
            image_rgb: (H, W, 3).
            boxes_px: About people and plates, where nothing is background; those of the frame before will do.
            is_cut: Whether another scene begins.
        """
        self._size_px = (image_rgb.shape[1], image_rgb.shape[0])
        if is_cut or not self._matrices:
            self._scenes.append(len(self._matrices))
            self._keys, self._last, self._n_calm = [], None, 0
        elif self._n_calm >= CALM_FRAMES and len(self._matrices) % LOOK_EVERY:
            self._matrices.append(self._matrices[-1])
            self._quality.append(self._quality[-1])
            return
        grey, mask = _small_grey(image_rgb), _mask(image_rgb.shape, boxes_px)
        fit = self._follow(grey, mask)
        self._n_calm = self._n_calm + 1 if fit is not None and fit.resting >= CALM_SHARE else 0
        if fit is None:
            self._matrices.append(np.full((3, 3), np.nan))
            self._quality.append((np.nan, np.nan, 0, np.nan))
            return
        key = self._keys[self._key]
        to_reference = key.to_reference @ np.linalg.inv(fit.matrix)
        to_reference /= to_reference[2, 2]
        self._matrices.append(to_reference)
        self._quality.append((fit.inlier_px, fit.residual_px, fit.n_inliers, fit.resting))
        self._last = (grey, to_reference, mask)
        self._choose_keyframe(grey, mask, to_reference, fit.left)

    def track(self) -> CameraTrack:
        """Return the camera over all frames seen so far."""
        width, height = self._size_px
        small = _small_size(width, height)
        across, down = small[0] / max(width, 1), small[1] / max(height, 1)
        smaller = np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]])
        matrices = np.array(self._matrices).reshape(-1, 3, 3)
        quality = np.array(self._quality, dtype=float).reshape(-1, 4)
        return settle(
            np.linalg.inv(smaller) @ matrices @ smaller,
            quality[:, 0] / across,
            quality[:, 1] / across,
            quality[:, 2],
            quality[:, 3],
            tuple(self._scenes),
            self._size_px,
        )

    def _follow(self, grey: Image, mask: npt.NDArray[np.uint8]) -> _Fit | None:
        """Return keyframe to frame; a failure is tried once more from the frame before."""
        if not self._keys:
            if not self._add_keyframe(grey, mask, np.eye(3)):
                return None
            return _Fit(np.eye(3), 0.0, 0.0, len(self._keys[0].corners), 1.0, 1.0)
        key = self._keys[self._key]
        fit = None
        if self._n_calm >= CALM_FRAMES:
            fit = _match(key, grey, mask, self._guess, CALM_LEVELS)
        if fit is None or fit.resting < CALM_SHARE:
            fit = _match(key, grey, mask, self._guess) or _unchanged(key, grey, mask)
        if fit is None and self._last is not None:
            before, to_reference, old_mask = self._last
            if self._add_keyframe(before, old_mask, to_reference):
                fit = _match(self._keys[self._key], grey, mask, np.eye(3))
        if fit is not None:
            self._guess = fit.matrix
        return fit

    def _add_keyframe(self, grey: Image, mask: npt.NDArray[np.uint8], to_reference: Floats) -> bool:
        found = cv2.goodFeaturesToTrack(grey, MOST_CORNERS, CORNER_QUALITY, CORNER_GAP_PX, mask=mask)
        if found is None or len(found) < LEAST_INLIERS:
            return False
        corners = _spread(np.asarray(found, dtype=np.float32).reshape(-1, 2), grey.shape)
        if len(self._keys) >= MOST_KEYFRAMES:
            del self._keys[1]
        self._keys.append(_Keyframe(grey, corners, to_reference, np.zeros(len(corners))))
        self._key, self._guess = len(self._keys) - 1, np.eye(3)
        return True

    def _choose_keyframe(self, grey: Image, mask: npt.NDArray[np.uint8], to_reference: Floats, left: float) -> None:
        """Go back to the oldest keyframe that is near, or make one of this frame when all are far."""
        away = [_distance(np.linalg.inv(to_reference) @ key.to_reference, grey.shape) for key in self._keys]
        near = next((i for i in range(self._key) if away[i] < NEAR), self._key)
        if near != self._key:
            self._key = near
            self._guess = np.linalg.inv(to_reference) @ self._keys[near].to_reference
        elif away[self._key] > 1 or (left < LEAST_LEFT and away[self._key] > NEAR):
            others = [i for i in range(len(away)) if i != self._key and away[i] < NEAR]
            if others:
                self._key = others[0]
                self._guess = np.linalg.inv(to_reference) @ self._keys[others[0]].to_reference
            else:
                self._add_keyframe(grey, mask, to_reference)


def boxes_about(people: Sequence[Person]) -> list[Box]:
    """Return boxes about people, and about their hands as far as a plate may reach."""
    boxes: list[Box] = []
    for person in people:
        points = person.points_px[np.isfinite(person.points_px).all(axis=1)]
        if not len(points):
            continue
        low, high = points.min(axis=0), points.max(axis=0)
        tall = float(max(high[1] - low[1], high[0] - low[0]))
        boxes.append(_grown(low, high, BOX_MARGIN * tall, BOX_MARGIN * tall))
        for hand in ("left_hand", "right_hand"):
            at = person.points_px[INDEX[hand]]
            if np.isfinite(at).all():
                boxes.append(_grown(at, at, PLATE_REACH[0] * tall, PLATE_REACH[1] * tall))
    return boxes


def _grown(low: Floats, high: Floats, across: float, down: float) -> Box:
    return float(low[0] - across), float(low[1] - down), float(high[0] + across), float(high[1] + down)


def _small_size(width: int, height: int) -> tuple[int, int]:
    """Return the size at which pictures are compared."""
    shrink = min(1.0, float(np.sqrt(WORK_AREA_PX / max(width * height, 1))))
    return max(8, round(width * shrink)), max(8, round(height * shrink))


def _small_grey(image_rgb: Image) -> Image:
    green = cv2.extractChannel(image_rgb, 1)
    size = _small_size(green.shape[1], green.shape[0])
    if size[0] < green.shape[1]:
        green = cv2.resize(green, size, interpolation=cv2.INTER_AREA)
    return np.asarray(green, dtype=np.uint8)


def _mask(shape: tuple[int, ...], boxes_px: Sequence[Box]) -> npt.NDArray[np.uint8]:
    """Return 255 where background may be, in the small picture."""
    width, height = _small_size(shape[1], shape[0])
    shrink = width / shape[1]
    mask = np.full((height, width), 255, dtype=np.uint8)
    for box in boxes_px:
        left, top, right, bottom = (int(np.clip(v * shrink, 0, max(width, height))) for v in box)
        mask[top : bottom + 1, left : right + 1] = 0
    return mask


def _spread(corners: npt.NDArray[np.float32], shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Return the best corners of each tile of the picture, more from each where there are few; they come best first."""
    tile = (corners / np.array([shape[1], shape[0]]) * TILES).astype(int) @ np.array([1, TILES[0]])
    rank = np.zeros(len(corners), dtype=int)
    for t in range(TILES[0] * TILES[1]):
        rank[tile == t] = np.arange(np.sum(tile == t))
    most = next((n for n in range(MOST_IN_TILE, len(corners)) if np.sum(rank < n) >= ENOUGH_CORNERS), len(corners))
    return corners[rank < most]


def _match(
    key: _Keyframe, grey: Image, mask: npt.NDArray[np.uint8], guess: Floats, levels: int = PYRAMID_LEVELS
) -> _Fit | None:
    """Look for the corners of a keyframe in a frame and fit the camera's motion to most of them."""
    start = move_points(guess, key.corners.astype(float)).astype(np.float32)
    flown, status, unlike = cv2.calcOpticalFlowPyrLK(
        key.grey,
        grey,
        key.corners,
        start.copy(),
        winSize=(WINDOW_PX, WINDOW_PX),
        maxLevel=levels,
        criteria=(cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.02),
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        minEigThreshold=1e-3,
    )
    found = np.asarray(flown, dtype=np.float32)
    seen = (status.ravel() == 1) & _off_people(found, mask)
    seen &= unlike.ravel() < max(LIKE_LEVEL, 3 * float(np.median(unlike[seen]))) if seen.any() else seen
    usable = seen & (key.strays < STRAY_AFTER)
    if usable.sum() < LEAST_INLIERS:
        return None
    here, there = key.corners[usable].astype(float), found[usable].astype(float)
    resting = float(np.mean(np.linalg.norm(there - here, axis=1) < RESTING_PX))
    matrix = _fit_camera(here, there, grey.shape, guess)
    if matrix is None:
        return None
    off = np.linalg.norm(move_points(matrix, here) - there, axis=1)
    inlier = off < GATE_PX
    key.strays[usable] = np.clip(key.strays[usable] + np.where(inlier, -1, 1), -STRAY_AFTER, STRAY_AFTER)
    if inlier.sum() < max(LEAST_INLIERS, LEAST_SHARE * len(off)):
        return None
    if float(np.linalg.norm(here[inlier].std(axis=0))) < LEAST_SPREAD * grey.shape[1]:
        return None
    rms = float(np.sqrt(np.mean(off[inlier] ** 2)))
    unexplained = _unexplained(matrix, key.corners[seen], found[seen])
    return _Fit(matrix, rms, unexplained, int(inlier.sum()), float(np.mean(usable)), resting)


def _unexplained(matrix: Floats, here: npt.NDArray[np.float32], there: npt.NDArray[np.float32]) -> float:
    """Return the root mean square distance from the model of what may be background, its worst fifth left out.

    Things nearer than the rest may be off by as much as the picture itself was shifted; what is off by more moves by
    itself.
    """
    moved = move_points(matrix, here.astype(float))
    shift = float(np.median(np.linalg.norm(moved - here, axis=1)))
    off = np.sort(np.linalg.norm(moved - there, axis=1))
    off = off[off < GATE_PX + PARALLAX_SHARE * shift]
    return float(np.sqrt(np.mean(off[: max(LEAST_INLIERS, int(TRIMMED * len(off)))] ** 2)))


def _unchanged(key: _Keyframe, grey: Image, mask: npt.NDArray[np.uint8]) -> _Fit | None:
    """Return "no motion" where few corners are left, as behind a crowd, but all off people looks as in the keyframe."""
    here = mask > 0
    if here.mean() < LEAST_OFF_PEOPLE:
        return None
    change = float(np.mean(cv2.absdiff(key.grey, grey)[here]))
    return _Fit(np.eye(3), 0.0, 0.0, LEAST_INLIERS, 1.0, 1.0) if change < SAME_LEVEL else None


def _off_people(points: npt.NDArray[np.float32], mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Return which points lie in the picture and off the boxes."""
    height, width = mask.shape
    x, y = np.rint(points[:, 0]), np.rint(points[:, 1])
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    at = mask[np.clip(y, 0, height - 1).astype(int), np.clip(x, 0, width - 1).astype(int)]
    return np.asarray(inside & (at > 0), dtype=np.bool_)


def _fit_camera(here: Floats, there: Floats, shape: tuple[int, ...], guess: Floats) -> Floats | None:
    """Return the 3 x 3 motion that most corners agree on; None where no two pairs do.

    No motion, or that of the frame before, is begun with when it has nearly as many corners as the best step from there,
    so that somebody large in front takes over only when the background is gone.
    """
    found, _ = cv2.estimateAffinePartial2D(move_points(guess, here), there, ransacReprojThreshold=GATE_PX, maxIters=300)
    if found is None:
        return None
    tried = [np.eye(3), guess, np.vstack([found, [0.0, 0.0, 1.0]]) @ guess]
    counts = [int(np.sum(np.linalg.norm(move_points(m, here) - there, axis=1) < GATE_PX)) for m in tried]
    matrix = next(m for m, n in zip(tried, counts, strict=True) if n >= NEARLY * max(counts))
    for _ in range(REFINE_ROUNDS):
        off = np.linalg.norm(move_points(matrix, here) - there, axis=1)
        near = off < GATE_PX
        if near.sum() < LEAST_INLIERS:
            return matrix
        weight = (1 - (off[near] / GATE_PX) ** 2) ** 2
        matrix = _solve(here[near], there[near], weight, shape)
    return matrix


def _solve(here: Floats, there: Floats, weight: Floats, shape: tuple[int, ...]) -> Floats:
    """Return the weighted least-squares motion: a similarity, and two keystone terms held near 0.

    A camera that pans by a small angle shifts the picture and makes trapezes of rectangles:
    x' (1 + p x + q y) = a x - b y + c, y' (1 + p x + q y) = b x + a y + d, in units of half the picture's width.
    """
    middle, half = np.array([shape[1] - 1, shape[0] - 1]) / 2, shape[1] / 2
    (x, y), (u, v) = ((here - middle) / half).T, ((there - middle) / half).T
    one, none = np.ones_like(x), np.zeros_like(x)
    rows = np.concatenate(
        [
            np.stack([x, -y, one, none, -u * x, -u * y], axis=1),
            np.stack([y, x, none, one, -v * x, -v * y], axis=1),
        ]
    )
    twice = np.sqrt(np.concatenate([weight, weight]))[:, None]
    rows, right = rows * twice, np.concatenate([u, v]) * twice[:, 0]
    if len(here) < KEYSTONE_FROM:
        a, b, c, d = np.linalg.lstsq(rows[:, :4], right, rcond=None)[0]
        p = q = 0.0
    else:
        hold = KEYSTONE_RIDGE * np.eye(6)[4:]
        a, b, c, d, p, q = np.linalg.lstsq(np.vstack([rows, hold]), np.append(right, [0.0, 0.0]), rcond=None)[0]
    unit = np.array([[1 / half, 0, -middle[0] / half], [0, 1 / half, -middle[1] / half], [0, 0, 1]])
    motion = np.linalg.inv(unit) @ np.array([[a, -b, c], [b, a, d], [p, q, 1.0]]) @ unit
    return np.asarray(motion / motion[2, 2])


def _distance(matrix: Floats, shape: tuple[int, ...]) -> float:
    """Return how far a view is from a keyframe's, 1 where its patches begin not to match."""
    middle = np.array([shape[1] - 1, shape[0] - 1]) / 2
    shift = float(np.linalg.norm(move_points(matrix, middle) - middle)) / shape[1] / FAR_SHIFT
    step = move_points(matrix, middle + np.array([1.0, 0.0])) - move_points(matrix, middle)
    scale = abs(float(np.log(np.linalg.norm(step)))) / FAR_SCALE
    return max(shift, scale, abs(float(np.arctan2(step[1], step[0]))) / FAR_TURN_RAD)
