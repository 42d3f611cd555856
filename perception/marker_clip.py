"""A marker file in the place of a clip: which file is meant, and what the rest of the analysis needs from it."""

from pathlib import Path

import numpy as np

from coach.domain.settings import AnalysisSettings
from perception.marker_files import is_marker_file, read_markers, unit_of
from perception.marker_pose import RELATIVE_SD, MarkerPose, to_pose
from perception.plate import PlateTrack
from perception.pose import Floats, Person
from perception.poses.trc import markers_beside
from perception.scale import Scale
from perception.video import Clip, clip_of_drawing
from perception.weights import file_sha256

RADIUS_SD_PX = 0.1  # px of a plate that is told, not seen


def find_marker_file(clip_path: Path, settings: AnalysisSettings) -> Path | None:
    """Return the file of an estimator `trc`: the one told, the clip itself, or the one beside the clip.

    None where another estimator was chosen and the clip is a video.
    """
    if is_marker_file(clip_path):
        return clip_path
    if settings.pose != "trc":
        return None
    return Path(settings.markers) if settings.markers else markers_beside(clip_path)


def open_markers(path: Path, clip_path: Path) -> tuple[Clip, MarkerPose] | None:
    """Return what stands in for a clip, and the lifter in it; None for a file in pixels, which needs its clip.

    Args:
        path: The marker file.
        clip_path: What was to be analysed: that file, or a video whose pictures are then not looked at.

    Raises:
        InputError: The file cannot be used.
        SetupError: It is a `.c3d` file and ezc3d is not installed.
    """
    if path != clip_path and unit_of(path) == "px":
        return None
    trial = read_markers(path)
    markers = to_pose(trial, path)
    clip = clip_of_drawing(path, file_sha256(path), markers.draw(), trial.times_s)
    return clip, markers


def people_of(markers: MarkerPose) -> list[list[Person]]:
    """Return the lifter as an estimator would: one person in each frame, nobody where no marker was seen."""
    pose = markers.pose
    frames = zip(pose.points_px, pose.world_m, pose.visibility, strict=True)
    return [
        [Person(points.copy(), world.copy(), visibility.copy(), 1.0, 0)] if visibility.any() else []
        for points, world, visibility in frames
    ]


def plate_of(markers: MarkerPose, diameter_m: float) -> PlateTrack:
    """Return the bar's markers as the middle of a plate; not found where the bar has none."""
    times, bar = markers.pose.times_s, markers.bar_px
    centre: Floats = np.full((len(times), 2), np.nan) if bar is None else bar.copy()
    radius = float("nan") if bar is None else diameter_m / 2 / markers.m_per_px
    seen = np.asarray(np.isfinite(centre).all(axis=1), dtype=np.float64)
    return PlateTrack(times.copy(), centre, seen, radius, RADIUS_SD_PX, 0.0)


def scale_of(markers: MarkerPose) -> Scale:
    """Return the scale of the drawn picture, which is the same for bar and body."""
    return Scale(markers.m_per_px, RELATIVE_SD, markers.m_per_px, RELATIVE_SD, "given")
