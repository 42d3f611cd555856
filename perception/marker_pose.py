"""Markers in space made into a pose, a bar and a plain picture, as a level camera at the lifter's right would see them."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from coach.domain.errors import InputError
from perception.clip_checks import safe_name
from perception.marker_files import MarkerTrial
from perception.marker_names import Markers, find_bar, find_keypoints
from perception.pose import INDEX, KEYPOINTS, Floats, Image, PoseTrack, check_shape, freeze

PX_PER_M = 320.0  # px per m of the picture; a lifter of 1.75 m stands 560 px tall
MARGIN_M = 0.35  # m round everything that moves: room for the discs
LARGEST_PX = 1600.0  # px, longer side of the picture; whoever walks about is drawn smaller
RELATIVE_SD = 0.005  # of lengths: calibration of the cameras that saw the markers
NEEDED = ("shoulder", "hip", "knee", "ankle")
SHORTEST_FOOT_M = 0.08  # m, heel to toe along the floor that tells the facing
NARROWEST_M = 0.10  # m, between hips or shoulders that tells the facing
STILL_M = 0.005  # m, hips that never leave this are the origin of the file, not a lifter at rest
GROUND_RGB, WALL_RGB, LINE_RGB = (96, 102, 110), (38, 42, 48), (70, 76, 84)
LINE_EVERY_M = 0.5  # m between the lines on the wall


@dataclass(frozen=True, slots=True, eq=False)
class MarkerPose:
    """A lifter known from markers, seen from the side by a level camera without perspective.

    Attributes:
        pose: In pixels of that camera, x right is forward; visibility 1 for measured points, 0.5 for inferred ones.
        bar_px: (T, 2), the middle of the bar by its own markers; None without them.
        m_per_px: Metres per pixel, the same everywhere.
        width_px, height_px: Of the picture.
        floor_px: Row of the floor.
        used: Which markers each keypoint was taken from.
        warnings: What the reader of a report should know.
    """

    pose: PoseTrack
    bar_px: Floats | None
    m_per_px: float
    width_px: int
    height_px: int
    floor_px: float
    used: dict[str, str]
    warnings: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.bar_px is not None:
            check_shape("bar_px", self.bar_px, (len(self.pose.times_s), 2))
            freeze(self.bar_px)

    def draw(self) -> Image:
        """Return the plain picture behind the figure: wall with a line every half metre, and floor."""
        image = np.full((self.height_px, self.width_px, 3), WALL_RGB, np.uint8)
        floor = round(self.floor_px)
        step = LINE_EVERY_M / self.m_per_px
        for row in np.arange(self.floor_px, 0, -step):
            cv2.line(image, (0, round(row)), (self.width_px, round(row)), LINE_RGB, 1, cv2.LINE_AA)
        image[floor:] = GROUND_RGB
        return image


def to_pose(trial: MarkerTrial, path: Path) -> MarkerPose:
    """Return the pose and bar of a trial, whatever its axes and whatever its markers are called.

    Up is the axis of the file along which the shoulders are above the ankles. Forward is where the toes point, or what
    lies across hips and shoulders where feet have no markers.

    Args:
        trial: From `read_markers`.
        path: Its file, for messages.

    Raises:
        InputError: Markers of shoulders, hips, knees or ankles are missing, or do not tell up and forward.
    """
    name = safe_name(path, 80)
    markers = Markers(trial.names, trial.points_m)
    points, visibility = find_keypoints(markers)
    bar = find_bar(markers)
    _require(points, trial.names, name)
    axes = _axes(points, name)
    points = points @ axes.T
    bar = None if bar is None else bar @ axes.T
    warnings = []
    if _hips_are_the_origin(points):
        shift = _standing(points)
        points, bar = points + shift[:, None], None if bar is None else bar + shift
        warnings.append(
            "the markers are told about the hips, not in the room: the feet were put on the floor, "
            "so that heights are wrong while the lifter is in the air"
        )
    if bar is None:
        warnings.append("no markers on the bar (bar_left and bar_right): the hands are taken for it")
    if "nose" not in markers.used:
        # Frames with an athlete are counted by the nose; a point that scores 0 is trusted by nobody.
        points[:, INDEX["nose"]] = _middle(points, "shoulder")
    return _seen_from_the_side(trial.times_s, points, visibility, bar, markers.used, tuple(warnings))


def _require(points: Floats, names: tuple[str, ...], name: str) -> None:
    missing = [
        f"{side}_{part}"
        for part in NEEDED
        for side in ("left", "right")
        if np.isfinite(points[:, INDEX[f"{side}_{part}"], 0]).sum() < 2
    ]
    if missing:
        raise InputError(
            f"{name} has no markers for {', '.join(missing)}; it has {', '.join(names[:30])}: rename them as in "
            "docs/pose-backends.md"
        )


def _middle(points: Floats, part: str) -> Floats:
    return np.asarray((points[:, INDEX[f"left_{part}"]] + points[:, INDEX[f"right_{part}"]]) / 2)


def _across(points: Floats, part: str) -> Floats:
    return np.asarray(points[:, INDEX[f"right_{part}"]] - points[:, INDEX[f"left_{part}"]])


def _axes(points: Floats, name: str) -> Floats:
    """Return (3, 3), rows forward, up and right as unit vectors of the file's axes."""
    body = np.nanmedian(_middle(points, "shoulder") - _middle(points, "ankle"), axis=0)
    axis = int(np.argmax(np.abs(body)))
    up = np.zeros(3)
    up[axis] = np.sign(body[axis])
    level = np.eye(3) - np.outer(up, up)
    feet = level @ np.nanmean(_known(_middle(points, "toe") - _middle(points, "heel")), axis=0)
    if np.linalg.norm(feet) > SHORTEST_FOOT_M:
        forward = feet / np.linalg.norm(feet)
        return np.stack([forward, up, np.cross(forward, up)])
    right = level @ np.nanmean(_known((_across(points, "hip") + _across(points, "shoulder")) / 2), axis=0)
    if not np.linalg.norm(right) > NARROWEST_M:
        raise InputError(f"{name} does not tell which way the lifter faces: it needs markers at heels and toes")
    right /= np.linalg.norm(right)
    return np.stack([np.cross(up, right), up, right])


def _known(vectors: Floats) -> Floats:
    """Return the rows without NaN; one row of zeros when there is none."""
    known = vectors[np.isfinite(vectors).all(axis=1)]
    return known if len(known) else np.zeros((1, vectors.shape[1]))


def _hips_are_the_origin(points: Floats) -> bool:
    hips = _known(_middle(points, "hip"))
    return bool(np.ptp(hips, axis=0).max() < STILL_M and np.abs(hips).max() < STILL_M)


def _standing(points: Floats) -> Floats:
    """Return (T, 3), what must be added so that the lowest point of the feet is on the floor below the ankles' mean."""
    feet = [INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("ankle", "heel", "toe")]
    lowest = np.fmin.reduce(points[:, feet, 1], axis=1)
    ankles = _middle(points, "ankle")
    return np.stack([-ankles[:, 0], -lowest, -ankles[:, 2]], axis=1)


def _seen_from_the_side(
    times_s: Floats,
    points: Floats,
    visibility: Floats,
    bar: Floats | None,
    used: dict[str, str],
    warnings: tuple[str, ...],
) -> MarkerPose:
    """Return what the camera sees of points (T, K, 3) in metres, x forward, y up, z to the right."""
    everything = np.concatenate([points.reshape(-1, 3), np.zeros((0, 3)) if bar is None else bar])[:, :2]
    low, high = np.nanmin(everything, axis=0) - MARGIN_M, np.nanmax(everything, axis=0) + MARGIN_M
    px_per_m = min(PX_PER_M, LARGEST_PX / float((high - low).max()))

    def project(xyz: Floats) -> Floats:
        return np.stack([xyz[..., 0] - low[0], high[1] - xyz[..., 1]], axis=-1) * px_per_m

    hips = _middle(points, "hip")
    world = (points - hips[:, None]) * np.array([1.0, -1.0, -1.0])
    feet = [INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("ankle", "heel", "toe")]
    width, height = (2 * int(np.ceil(px_per_m * length / 2)) for length in high - low)
    return MarkerPose(
        pose=PoseTrack(times_s, project(points), world, visibility),
        bar_px=None if bar is None else project(bar),
        m_per_px=1 / px_per_m,
        width_px=width,
        height_px=height,
        floor_px=float(min((high[1] - np.nanmin(points[:, feet, 1])) * px_per_m, height - 1)),
        used=used,
        warnings=warnings,
    )


def pose_in_pixels(times_s: Floats, names: tuple[str, ...], points_px: Floats, name: str) -> PoseTrack:
    """Return the pose of points (T, M, 2) that are already pixels of a clip; there is no depth.

    Raises:
        InputError: Points of shoulders, hips, knees or ankles are missing.
    """
    points, visibility = find_keypoints(Markers(names, points_px))
    _require(points, names, name)
    if np.isnan(points[:, INDEX["nose"], 0]).all():
        points[:, INDEX["nose"]] = _middle(points, "shoulder")
    return PoseTrack(times_s, points, np.full((len(times_s), len(KEYPOINTS), 3), np.nan), visibility)
