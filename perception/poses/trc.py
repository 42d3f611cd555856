"""Poses from a file instead of a network: a `.trc` in pixels of the clip, such as Sports2D writes beside its video.

Markers in metres say nothing about the camera of a clip, so they are analysed without it: `perception/marker_pose.py`.
"""

from pathlib import Path

import numpy as np

from coach.domain.errors import SetupError
from perception.clip_checks import safe_name
from perception.marker_files import ENDINGS, read_pixel_markers
from perception.marker_pose import pose_in_pixels
from perception.pose import Image, Person, PoseEstimator, PoseTrack, check_shape
from perception.weights import file_sha256

HALF_FRAME = 0.51  # of the interval between rows: a frame farther from every row has nobody


class PoseFile:
    """Tells the pose of each frame from a file, one person; the pictures are not looked at."""

    name = "trc"

    def __init__(self, track: PoseTrack, rate_hz: float | None, weights_sha256: str) -> None:
        """Take the track of the file, in its own times; `create` is the way to make one."""
        self.weights_sha256 = weights_sha256
        self._track = track
        self._rate_hz = rate_hz
        self._reach_s = HALF_FRAME * float(np.median(np.diff(track.times_s)))
        self._frame = -1

    def reset(self) -> None:
        """Do nothing: the file goes on behind a camera cut."""

    def estimate(self, image_rgb: Image) -> list[Person]:
        """Return the person whom the file has in the next frame; nobody before its first and after its last row.

        Args:
            image_rgb: (H, W, 3) uint8; only its shape is checked.
        """
        check_shape("image_rgb", image_rgb, (None, None, 3))
        self._frame += 1
        row = self._row()
        if row is None or not self._track.visibility[row].any():
            return []
        points, world, visibility = (
            values[row].copy() for values in (self._track.points_px, self._track.world_m, self._track.visibility)
        )
        return [Person(points, world, visibility, float(visibility[visibility > 0].mean()), 0)]

    def _row(self) -> int | None:
        """Return the row of this frame: by its time where the rate of the clip is known, else by its number."""
        if self._rate_hz is None:
            return self._frame if self._frame < len(self._track.times_s) else None
        time_s = self._frame / self._rate_hz
        row = int(np.argmin(np.abs(self._track.times_s - time_s)))
        return row if abs(self._track.times_s[row] - time_s) <= self._reach_s else None


def markers_beside(clip_path: Path) -> Path | None:
    """Return the marker file that has the name of the clip but for its ending; None when there is none."""
    return next((path for ending in ENDINGS if (path := clip_path.with_suffix(ending)).is_file()), None)


def create(*, markers: str | Path | None = None, rate_hz: float | None = None) -> PoseEstimator:
    """Return an estimator that tells what stands in a file.

    Args:
        markers: A `.trc` in pixels of the clip.
        rate_hz: Frames per second of the clip; None takes one row for each frame.

    Raises:
        SetupError: No file was given.
        InputError: The file cannot be used, or is not in pixels.
    """
    if markers is None:
        raise SetupError("no marker file: put one beside the clip under its name, or give it with --markers FILE")
    path = Path(markers)
    trial = read_pixel_markers(path)
    track = pose_in_pixels(trial.times_s, trial.names, trial.points_px, safe_name(path, 80))
    return PoseFile(track, rate_hz, file_sha256(path))
