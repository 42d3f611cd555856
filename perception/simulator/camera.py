"""A pinhole camera around the lifter, still or moving, and the pixels of points in metres."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from coach.domain.lift import Facing
from perception.pose import Floats
from perception.simulator.spec import CameraSpec, MovementSpec, VideoSpec

UP = np.array([0.0, 1.0, 0.0])
SHAKE_HZ = (0.25, 5.0)  # Hz, the band of a hand-held camera; faster tremor is what stabilisers take away
N_SHAKES = 14  # sines in that band
PAN_S = (-4.0, 6.0)  # s after lift-off between which a slow pan turns; then it stands
BAR_MIDDLE_M = 0.9  # m, bar height at which a following camera is not tilted


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


def project_each(cameras: Sequence[Camera], points_m: Floats) -> Floats:
    """Return pixels (T, ..., 2) of points (T, ..., 3), each row seen by its own camera."""
    return np.stack([camera.project(row) for camera, row in zip(cameras, points_m, strict=True)])


def azimuth_deg(spec: CameraSpec) -> float:
    """Return where the camera stands around the lifter: 0 in front, 90 at the right, -90 at the left, 180 behind."""
    square = {"left": -90.0, "right": 90.0}[spec.athlete_side]
    square = {"front": 0.0, "rear": 180.0}.get(spec.view, square)
    return (square + spec.yaw_deg + 180.0) % 360.0 - 180.0


def camera_of(spec: CameraSpec, video: VideoSpec) -> Camera:
    """Return the camera as it stands before it moves."""
    turn = np.deg2rad(azimuth_deg(spec))
    away = np.array([np.cos(turn), 0.0, np.sin(turn)])
    forward, right, up = turned(-away, np.cross(-away, UP), UP, 0.0, spec.pitch_deg, spec.roll_deg)
    return Camera(
        position_m=np.array([spec.aim_x_m, spec.height_m, 0.0]) + spec.distance_m * away,
        forward=forward,
        right=right,
        up=up,
        focal_px=spec.focal_px,
        width_px=video.width_px,
        height_px=video.height_px,
    )


def turned(
    forward: Floats, right: Floats, up: Floats, pan_deg: float, pitch_deg: float, roll_deg: float
) -> tuple[Floats, Floats, Floats]:
    """Return three directions after a turn to the right, then one upward, then one clockwise about the axis."""
    pan, pitch, roll = np.deg2rad([pan_deg, pitch_deg, roll_deg])
    forward, right = np.cos(pan) * forward + np.sin(pan) * right, np.cos(pan) * right - np.sin(pan) * forward
    forward, up = np.cos(pitch) * forward + np.sin(pitch) * up, np.cos(pitch) * up - np.sin(pitch) * forward
    right, up = np.cos(roll) * right - np.sin(roll) * up, np.cos(roll) * up + np.sin(roll) * right
    return forward, right, up


def is_moving(movement: MovementSpec) -> bool:
    """Return whether a camera with this movement does not stand still."""
    return movement != MovementSpec(seed=movement.seed)


@lru_cache(maxsize=8)
def _shakes(seed: int) -> tuple[Floats, Floats, Floats]:
    """Return rates in Hz, phases and weights (6, N) of the sines of six shakes of SD 1, with less of the faster."""
    rng = np.random.default_rng([seed, 13])
    rates = np.exp(rng.uniform(np.log(SHAKE_HZ[0]), np.log(SHAKE_HZ[1]), (6, N_SHAKES)))
    phases, weights = rng.uniform(0, 2 * np.pi, (6, N_SHAKES)), 1 / rates
    return rates, phases, weights / np.sqrt((weights**2).sum(axis=1, keepdims=True) / 2)


def _shake(movement: MovementSpec, time_s: float) -> Floats:
    """Return six values of SD 1 at `time_s`, band-limited."""
    rates, phases, weights = _shakes(movement.seed)
    return np.asarray((weights * np.sin(2 * np.pi * rates * time_s + phases)).sum(axis=1))


def camera_at(spec: CameraSpec, video: VideoSpec, time_s: float, ratio: float = 0.0, bar_m: float = 0.0) -> Camera:
    """Return the camera at one time.

    Args:
        spec: The camera and how it moves.
        video: The picture.
        time_s: Seconds after lift-off.
        ratio: Share of the clip that has passed, for the zoom.
        bar_m: Height of the bar above the floor as a following operator sees it; `filming.cameras_of` makes him late.
    """
    still, move = camera_of(spec, video), spec.movement
    if not is_moving(move):
        return still
    wobble = _shake(move, time_s)
    pan = move.shake_deg * wobble[0] + move.pan_deg_s * float(np.clip(time_s, *PAN_S))
    follow = move.follow_ratio * np.rad2deg(np.arctan2(bar_m - BAR_MIDDLE_M, spec.distance_m))
    pitch = move.shake_deg * wobble[1] + follow
    eased = ratio * ratio * (3 - 2 * ratio)
    forward, right, up = turned(still.forward, still.right, still.up, pan, pitch, move.shake_deg * wobble[2])
    return Camera(
        position_m=still.position_m + move.shake_m * wobble[3:],
        forward=forward,
        right=right,
        up=up,
        focal_px=still.focal_px * move.zoom_ratio**eased,
        width_px=still.width_px,
        height_px=still.height_px,
    )


def angles_deg(camera: Camera) -> tuple[float, float, float]:
    """Return heading, pitch and roll of a camera: its `azimuth_deg` seen from itself, up (+) and clockwise (+)."""
    f = camera.forward
    pitch = np.arcsin(np.clip(f[1], -1, 1))
    roll = np.arctan2(-camera.right[1], camera.up[1])
    heading = np.arctan2(-f[2], -f[0])
    return float(np.rad2deg(heading)), float(np.rad2deg(pitch)), float(np.rad2deg(roll))


def facing(spec: CameraSpec) -> Facing:
    """Return the way the athlete faces in the picture."""
    if spec.view in ("front", "rear"):
        return "camera" if spec.view == "front" else "away"
    return spec.athlete_side
