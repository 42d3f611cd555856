"""The arithmetic around the two BlazePose networks: anchors, regions of interest, heat maps, projection.

Source: the published graph of MediaPipe 0.10 `pose_landmark` (Apache-2.0), whose numbers are the constants here.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from perception.pose import KEYPOINTS, Floats, Image

Floats32 = npt.NDArray[np.float32]

DETECTOR_SIZE_PX = 224
DETECTOR_STRIDES_PX = (8, 16, 32, 32, 32)
LANDMARK_SIZE_PX = 256
ANCHORS_PER_CELL = 2
MIN_SCORE = 0.5
MIN_OVERLAP = 0.3  # intersection over union from which detections are of one person
ROI_MARGIN = 1.25
N_LANDMARKS = 39  # 33 of the body, 2 for the next region, 4 not used
HEATMAP_WINDOW = 7
MIN_HEATMAP_PEAK = 0.5

_SOURCE: dict[str, tuple[int, ...]] = {
    "nose": (0,),
    **{
        f"{side}_{part}": tuple(left + k for left in lefts)
        for k, side in enumerate(("left", "right"))
        for part, lefts in {
            "ear": (7,),
            "shoulder": (11,),
            "elbow": (13,),
            "wrist": (15,),
            "hand": (17, 19),  # knuckles of little finger and index: the bar lies between them
            "hip": (23,),
            "knee": (25,),
            "ankle": (27,),
            "heel": (29,),
            "toe": (31,),
        }.items()
    },
}
_FIRST = np.array([_SOURCE[name][0] for name in KEYPOINTS])
_SECOND = np.array([_SOURCE[name][-1] for name in KEYPOINTS])


@dataclass(frozen=True, slots=True)
class Roi:
    """A square of the picture, turned so that the person stands upright in it; angle clockwise on screen."""

    x_px: float
    y_px: float
    size_px: float
    angle_rad: float

    def distance(self, other: "Roi") -> float:
        """Return how far apart the two centres are, in mean sizes; both centres are the hips of a person."""
        return math.hypot(self.x_px - other.x_px, self.y_px - other.y_px) * 2 / (self.size_px + other.size_px)


@dataclass(frozen=True, slots=True)
class Change:
    """How one region differs from another, free of scale: centre in mean sizes, size as a logarithm, angle in rad."""

    distance: float
    log_size: float
    angle_rad: float

    @classmethod
    def between(cls, old: Roi, new: Roi) -> "Change":
        """Return the change from `old` to `new`."""
        turn = (new.angle_rad - old.angle_rad + math.pi) % (2 * math.pi) - math.pi
        return cls(old.distance(new), math.log(new.size_px / old.size_px), turn)

    def within(self, most: "Change") -> bool:
        """Tell whether no part of the change is larger than in `most`."""
        return (
            self.distance <= most.distance
            and abs(self.log_size) <= most.log_size
            and abs(self.angle_rad) <= most.angle_rad
        )


def ease(old: Roi, new: Roi) -> Roi:
    """Return `new` with small changes damped and large ones taken whole.

    The keypoints of the network tremble with the region it is shown, and the region with the keypoints. Damping the
    region takes 20 to 45 % off the tremor of a lifter who stands still; it trails a moving one by 3 % of its size at
    most, well inside the margin, and the keypoints themselves are not filtered.
    """
    change = Change.between(old, new)
    move, grow, turn = (
        min(1.0, max(SMALLEST_SHARE, abs(part) / whole))
        for part, whole in (
            (change.distance, WHOLE_CHANGE.distance),
            (change.log_size, WHOLE_CHANGE.log_size),
            (change.angle_rad, WHOLE_CHANGE.angle_rad),
        )
    )
    return Roi(
        old.x_px + move * (new.x_px - old.x_px),
        old.y_px + move * (new.y_px - old.y_px),
        old.size_px * math.exp(grow * change.log_size),
        old.angle_rad + turn * change.angle_rad,
    )


WHOLE_CHANGE = Change(0.03, 0.15, 0.3)  # from one frame to the next: from here on it is motion and not tremor
SMALLEST_SHARE = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """What the landmark network saw in one region.

    Attributes:
        points_px: (39, 2) in pixels of the picture.
        world_m: (39, 3), metres about the hip centre, x right, y down, z away from the camera.
        visibility: (39,), 0 to 1.
        score: 0 to 1, whether a person is in the region at all.
    """

    points_px: Floats
    world_m: Floats
    visibility: Floats
    score: float


def sigmoid(values: npt.NDArray[np.floating]) -> Floats:
    """Return 1 / (1 + e^-x) without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * values.astype(np.float64))))


def make_anchors() -> Floats:
    """Return (2254, 2), the anchor centres of the detector, 0 to 1 of its input."""
    rows = []
    for stride in DETECTOR_STRIDES_PX:
        cells = DETECTOR_SIZE_PX // stride
        centres = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(centres, centres, indexing="ij")
        rows.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), ANCHORS_PER_CELL, axis=0))
    return _by_cell(rows)


def _by_cell(rows: list[Floats]) -> Floats:
    """Join layers; those of one stride share their cells, so they interleave cell by cell."""
    joined: list[Floats] = []
    for stride in sorted(set(DETECTOR_STRIDES_PX)):
        same = [r for r, s in zip(rows, DETECTOR_STRIDES_PX, strict=True) if s == stride]
        per_cell = [layer.reshape(-1, ANCHORS_PER_CELL, 2) for layer in same]
        joined.append(np.concatenate(per_cell, axis=1).reshape(-1, 2))
    return np.concatenate(joined)


def letterbox(image_rgb: Image) -> tuple[Floats32, Floats]:
    """Return the detector's input (1, 224, 224, 3) in -1 to 1, and the (2, 3) map from it back to pixels."""
    height, width = image_rgb.shape[:2]
    scale = max(height, width) / DETECTOR_SIZE_PX
    small = (max(1, round(width / scale)), max(1, round(height / scale)))
    # INTER_AREA, not the bilinear sampling of the original: a large picture shrunk without averaging aliases.
    resized = cv2.resize(image_rgb, small, interpolation=cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR)
    left, top = (DETECTOR_SIZE_PX - small[0]) // 2, (DETECTOR_SIZE_PX - small[1]) // 2
    # The border is black in the picture's scale, that is -1 in the network's.
    canvas = np.full((1, DETECTOR_SIZE_PX, DETECTOR_SIZE_PX, 3), -1, dtype=np.float32)
    canvas[0, top : top + small[1], left : left + small[0]] = resized.astype(np.float32) * (2 / 255) - 1
    return canvas, np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])


def decode_detections(boxes: Floats32, logits: Floats32, anchors: Floats) -> tuple[Floats, Floats]:
    """Return the people that the detector saw, best first.

    Args:
        boxes: (N, 12): centre, size and four points as offsets from the anchors in detector pixels.
        logits: (N,).
        anchors: (N, 2) from `make_anchors`.

    Returns:
        Rows (M, 12) of x0, y0, x1, y1 and four points in detector pixels, and their scores (M,).
    """
    scores = sigmoid(np.clip(logits, -100, 100))
    keep = scores >= MIN_SCORE
    raw, scores = boxes[keep].astype(np.float64), scores[keep]
    centre = np.tile(anchors[keep] * DETECTOR_SIZE_PX, 6)
    rows = raw + centre
    half = raw[:, 2:4] / 2
    middle = rows[:, 0:2].copy()
    rows[:, 0:2], rows[:, 2:4] = middle - half, middle + half
    return weighted_suppression(rows, scores)


def weighted_suppression(rows: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """Merge detections that overlap the best one by averaging them by score, then the next best, and so on."""
    merged, best_scores = [], []
    left = np.argsort(-scores, kind="stable")
    while len(left):
        same = overlaps(rows[left[0]], rows[left]) > MIN_OVERLAP
        same[0] = True
        group = left[same]
        merged.append(np.average(rows[group], axis=0, weights=scores[group]))
        best_scores.append(scores[left[0]])
        left = left[~same]
    return np.reshape(merged, (-1, 12)), np.array(best_scores)


def overlaps(box: Floats, boxes: Floats) -> Floats:
    """Return (N,), the intersection over union of one box x0, y0, x1, y1 with each of (N, ≥4)."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:4], boxes[:, 2:4])
    both = np.prod(np.maximum(high - low, 0), axis=1)
    area, areas = np.prod(box[2:4] - box[:2]), np.prod(boxes[:, 2:4] - boxes[:, :2], axis=1)
    return np.asarray(both / np.maximum(area + areas - both, 1e-9))


def roi_from_points(hip_px: Floats, rim_px: Floats) -> Roi:
    """Return the region around a person, from the hip centre and a point on the circle around the whole body."""
    dx, dy = (float(v) for v in rim_px - hip_px)
    size = 2 * float(np.hypot(dx, dy)) * ROI_MARGIN
    angle = np.pi / 2 - np.arctan2(-dy, dx)
    return Roi(float(hip_px[0]), float(hip_px[1]), size, float((angle + np.pi) % (2 * np.pi) - np.pi))


def crop(image_rgb: Image, roi: Roi) -> Floats32:
    """Return the region as the landmark network's input, (1, 256, 256, 3) in 0 to 1; edges are repeated outwards."""
    size = LANDMARK_SIZE_PX
    back = _crop_to_picture(roi)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    patch = cv2.warpAffine(image_rgb, back, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.multiply(patch[None], np.float32(1 / 255), dtype=np.float32)


def _crop_to_picture(roi: Roi) -> Floats:
    """Return the (2, 3) map from pixels of the crop to pixels of the picture."""
    scale, half = roi.size_px / LANDMARK_SIZE_PX, LANDMARK_SIZE_PX / 2
    turn = _rotation(roi.angle_rad) * scale
    offset = np.array([roi.x_px, roi.y_px]) - turn @ np.array([half, half])
    return np.column_stack([turn, offset])


def _rotation(angle_rad: float) -> Floats:
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[cos, -sin], [sin, cos]])


def decode_landmarks(raw: Floats32, flag: float, heatmaps: Floats32, world: Floats32, roi: Roi) -> Landmarks:
    """Return the landmarks in the picture from the outputs of the network.

    Args:
        raw: (195,): x, y, z in crop pixels, visibility and presence as logits, for 39 points.
        flag: 0 to 1, already a probability.
        heatmaps: (64, 64, 39), logits.
        world: (117,), metres in the turned crop's axes.
        roi: The region the crop was taken from.
    """
    table = raw.reshape(N_LANDMARKS, 5).astype(np.float64)
    refined = refine(table[:, :2] / LANDMARK_SIZE_PX, heatmaps)
    back = _crop_to_picture(roi)
    points = refined * LANDMARK_SIZE_PX @ back[:, :2].T + back[:, 2]
    metres = world.reshape(N_LANDMARKS, 3).astype(np.float64)
    metres[:, :2] = metres[:, :2] @ _rotation(roi.angle_rad).T
    return Landmarks(points, metres, sigmoid(table[:, 3]), flag)


def refine(points: Floats, heatmaps: Floats32) -> Floats:
    """Return points (39, 2), 0 to 1 of the crop, moved to the centre of mass of their heat map near them.

    A point moves only where the heat map's peak in a 7 × 7 window around it is at least one half.
    """
    size, reach = heatmaps.shape[0], HEATMAP_WINDOW // 2
    cells = np.floor(points * size).astype(int)
    steps = np.arange(-reach, reach + 1)
    columns, rows = cells[:, :1] + steps, cells[:, 1:] + steps
    fits_x, fits_y = (columns >= 0) & (columns < size), (rows >= 0) & (rows < size)
    index = np.arange(len(points))[:, None, None]
    window = sigmoid(heatmaps[np.clip(rows, 0, size - 1)[:, :, None], np.clip(columns, 0, size - 1)[:, None, :], index])
    window = window * (fits_y[:, :, None] & fits_x[:, None, :])
    mass = window.sum(axis=(1, 2))
    inside = np.all((cells >= 0) & (cells < size), axis=1)
    use = inside & (window.max(axis=(1, 2)) >= MIN_HEATMAP_PEAK)
    safe = np.where(use, mass, 1)
    x = (window.sum(axis=1) * columns).sum(axis=1) / safe / size
    y = (window.sum(axis=2) * rows).sum(axis=1) / safe / size
    return np.where(use[:, None], np.stack([x, y], axis=1), points)


def to_keypoints(values: Floats) -> Floats:
    """Return the canonical keypoints of an array over BlazePose landmarks (39, …): a hand is the mean of two knuckles."""
    return np.asarray((values[_FIRST] + values[_SECOND]) / 2)


def next_roi(landmarks: Landmarks) -> Roi:
    """Return where to look for this person in the next frame, from the two points the network adds for that."""
    return roi_from_points(landmarks.points_px[33], landmarks.points_px[34])
