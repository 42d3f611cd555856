"""Poses and discs as a still and level camera would have seen them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from perception.camera_track import CameraTrack
from perception.discs import Discs
from perception.plate import PlateTrack
from perception.pose import PoseTrack
from perception.roll import level


def steady_pose(track: PoseTrack, camera: CameraTrack, first: int) -> PoseTrack:
    """Return the pose in the picture of the scene's first frame; NaN where the background was lost.

    Args:
        track: Of consecutive frames.
        camera: Of the whole clip.
        first: Frame of the clip that the track begins with.
    """
    return replace(track, points_px=camera.steady(track.points_px, first))


def steady_discs(discs: Sequence[Discs], camera: CameraTrack, first: int) -> list[Discs]:
    """Return discs of consecutive frames in the picture of the scene's first frame; none where the background was lost.

    A rim keeps its rays: turned by the few degrees that a camera shakes, a disc is the same.
    """
    out = []
    for i, found in enumerate(discs):
        if not camera.moves_at(first + i) or not len(found.centre_px):
            out.append(found)
            continue
        centre = camera.to_reference(found.centre_px, first + i)
        scale = np.array([camera.scales_at(c[None], first + i)[0] for c in found.centre_px])
        keep = np.isfinite(scale)
        out.append(
            Discs(
                centre[keep],
                (found.radius_px * scale)[keep],
                found.score[keep],
                (found.rim_px * scale[:, None, None])[keep].astype(np.float32),
                found.rim_strength[keep],
            )
        )
    return out


def level_pose(track: PoseTrack, roll_deg: float, size_px: tuple[int, int]) -> PoseTrack:
    """Return the pose turned so that plumb is upright in the picture."""
    return replace(track, points_px=level(track.points_px, roll_deg, size_px))


def level_plate(plate: PlateTrack, roll_deg: float, size_px: tuple[int, int]) -> PlateTrack:
    """Return the plate turned so that plumb is upright in the picture."""
    return replace(plate, centre_px=level(plate.centre_px, roll_deg, size_px))
