"""A marker file in the place of a clip: which file is meant, and what the rest of the analysis needs from it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coach.domain.settings import AnalysisSettings
from perception.clip_checks import safe_name
from perception.drawn import Drawing
from perception.marker_files import is_marker_file, read_markers, unit_of
from perception.marker_pose import RELATIVE_SD, MarkerPose, to_pose
from perception.plate import PlateTrack
from perception.pose import Floats, Person
from perception.poses.trc import markers_beside
from perception.scale import Scale
from perception.video import WRITER_TIME_BASE, Clip, Limits
from perception.weights import file_sha256

RADIUS_SD_PX = 0.1  # px of a plate that is told, not seen


@dataclass(frozen=True, slots=True, eq=False)
class MarkerClip:
    """Markers in the place of a clip.

    Attributes:
        clip: Without a video: a plain picture for each frame of the markers.
        markers: The lifter in it.
        people: The lifter as an estimator would tell: one person in each frame, nobody where no marker was seen.
        warnings: What the reader of a report should know.
    """

    clip: Clip
    markers: MarkerPose
    people: list[list[Person]]
    warnings: tuple[str, ...]


def find_marker_file(clip_path: Path, settings: AnalysisSettings) -> Path | None:
    """Return the file of an estimator `trc`: the one told, the clip itself, or the one beside the clip.

    None where another estimator was chosen and the clip is a video.
    """
    if is_marker_file(clip_path):
        return clip_path
    if settings.pose != "trc":
        return None
    return Path(settings.markers) if settings.markers else markers_beside(clip_path)


def open_markers(clip_path: Path, settings: AnalysisSettings) -> MarkerClip | None:
    """Return what stands in for a clip; None for a video whose pictures are to be looked at.

    Args:
        clip_path: A marker file, or a video: with markers in metres its pictures are not looked at.
        settings: Whether and which marker file is meant.

    Raises:
        InputError: The file cannot be used.
        SetupError: It is a `.c3d` file and ezc3d is not installed.
    """
    path = find_marker_file(clip_path, settings)
    if path is None or (path != clip_path and unit_of(path) == "px"):
        return None
    trial = read_markers(path)
    markers = to_pose(trial, path)
    said = [f"the lift was measured from markers ({safe_name(path, 80)}); its pictures are drawn"]
    if path != clip_path:
        name = safe_name(clip_path, 80)
        said.append(f"{name} was not looked at, because the markers do not tell where its camera stood")
    return MarkerClip(_clip(path, markers), markers, _people(markers), (*said, *markers.warnings))


def _clip(path: Path, markers: MarkerPose) -> Clip:
    times = markers.pose.times_s
    interval = float(np.median(np.diff(times)))
    return Clip(
        path=path,
        sha256=file_sha256(path),
        width_px=markers.width_px,
        height_px=markers.height_px,
        rotation_deg=0,
        header_n_frames=len(times),
        header_duration_s=float(times[-1]) + interval,
        header_frame_rate_hz=1 / interval,
        first_pts=0,
        time_base=WRITER_TIME_BASE,
        limits=Limits(),
        drawing=Drawing(markers.draw(), times),
    )


def _people(markers: MarkerPose) -> list[list[Person]]:
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
