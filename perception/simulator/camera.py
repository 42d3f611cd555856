"""A level pinhole camera around the lifter, and the pixels of points in metres."""

from dataclasses import dataclass

import numpy as np

from coach.domain.lift import Facing
from perception.pose import Floats
from perception.simulator.spec import CameraSpec, VideoSpec


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """Place and directions in the axes of the lift (x forward, y up from the floor, z to the lifter's right)."""

    position_m: Floats
    forward: Floats
    right: Floats
    up: Floats
    focal_px: float
    width_px: int
    height_px: int

    def depth_m(self, points_m: Floats) -> Floats:
        """Return the distance along the optical axis of points (..., 3)."""
        return np.asarray((points_m - self.position_m) @ self.forward)

    def project(self, points_m: Floats) -> Floats:
        """Return pixels (..., 2), x right and y down, of points (..., 3); pixel centres at half integers."""
        seen = points_m - self.position_m
        scale = self.focal_px / (seen @ self.forward)
        x = self.width_px / 2 + scale * (seen @ self.right)
        return np.stack([x, self.height_px / 2 - scale * (seen @ self.up)], axis=-1)


def camera_of(spec: CameraSpec, video: VideoSpec) -> Camera:
    """Return the camera: on the athlete's left or right, or in front."""
    angle = {"front": 0.0, "left": -90.0, "right": 90.0}["front" if spec.view == "front" else spec.athlete_side]
    turn = np.deg2rad(angle + spec.yaw_deg)
    away = np.array([np.cos(turn), 0.0, np.sin(turn)])
    forward, up = -away, np.array([0.0, 1.0, 0.0])
    return Camera(
        position_m=np.array([spec.aim_x_m, spec.height_m, 0.0]) + spec.distance_m * away,
        forward=forward,
        right=np.cross(forward, up),
        up=up,
        focal_px=spec.focal_px,
        width_px=video.width_px,
        height_px=video.height_px,
    )


def facing(spec: CameraSpec) -> Facing:
    """Return the way the athlete faces in the picture."""
    return "camera" if spec.view == "front" else spec.athlete_side
