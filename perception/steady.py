"""What was seen in each frame, as a camera would have seen it that neither moves nor tilts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np

from perception.camera_track import CameraTrack
from perception.discs import Discs
from perception.plate import PlateTrack
from perception.pose import PoseTrack
from perception.roll import level


@dataclass(frozen=True, slots=True, eq=False)
class SteadyDiscs(Sequence[Discs]):
    """The discs of frames `first`, `first` + 1, … where the first frame of their scene would show them."""

    discs: Sequence[Discs]
    camera: CameraTrack
    first: int

    def __len__(self) -> int:
        return len(self.discs)

    @overload
    def __getitem__(self, index: int) -> Discs: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Discs]: ...
    def __getitem__(self, index: int | slice) -> Discs | Sequence[Discs]:
        if isinstance(index, slice):
            raise TypeError("steady discs are read one by one")
        return steady(self.discs[index], self.camera, self.first + index)


def steady(here: Discs, camera: CameraTrack, frame: int) -> Discs:
    """Return the discs of a frame where the first frame of its scene would show them; none if the camera was lost."""
    size = camera.similarity(frame)[0]
    if not np.isfinite(size):
        return here.only(np.zeros(len(here.score), dtype=bool))
    return replace(
        here,
        centre_px=camera.to_reference(here.centre_px, frame),
        radius_px=here.radius_px * size,
        rim_px=(here.rim_px * size).astype(np.float32),
    )


def steady_pose(pose: PoseTrack, camera: CameraTrack, first: int) -> PoseTrack:
    """Return the pose of frames from `first` on in the first frame of their scene."""
    points = camera.steady(pose.points_px, first)
    seen = np.where(np.isfinite(points).all(axis=2), pose.visibility, 0.0)
    return PoseTrack(pose.times_s.copy(), points, pose.world_m.copy(), seen)


def level_pose(pose: PoseTrack, roll_deg: float, size_px: tuple[int, int]) -> PoseTrack:
    """Return the pose turned so that plumb is upright."""
    if roll_deg == 0:
        return pose
    points = level(pose.points_px, roll_deg, size_px)
    return PoseTrack(pose.times_s.copy(), points, pose.world_m.copy(), pose.visibility.copy())


def level_plate(plate: PlateTrack, roll_deg: float, size_px: tuple[int, int]) -> PlateTrack:
    """Return the plate turned so that plumb is upright."""
    if roll_deg == 0:
        return plate
    return replace(plate, centre_px=level(plate.centre_px, roll_deg, size_px), confidence=plate.confidence.copy())
