"""A simulated lift as a camera and estimators would have seen it, as arrays and without pictures: milliseconds a lift."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.ndimage import gaussian_filter1d

from coach.domain.lift import Facing, View
from perception.athlete import hands_midpoint_px, stature_px
from perception.bar import (
    BRIDGE_S,
    HANDS_CUTOFF_HZ,
    HANDS_GAP_S,
    PLATE_CUTOFF_HZ,
    BarCurve,
    BarSamples,
    fit_curve,
    stretches,
)
from perception.body_signals import BodySignals, measure_body, plane_rise
from perception.pose import INDEX, KEYPOINTS, Floats, PoseTrack
from perception.scale import STATURE_SD, Scale
from perception.simulator.bar_path import BarState
from perception.simulator.camera import Camera, camera_of, facing
from perception.simulator.spec import CameraSpec, VideoSpec

TOGETHER_S = 0.06  # s, SD of the kernel over which errors of an estimator hang together
PLATE_OUT_M = 0.70  # m, outer face of the near plate from the middle of the bar


class Moving(Protocol):
    """A simulated lift as functions of time."""

    def keypoints(self, times_s: Floats) -> Floats:
        """Return (T, K, 3) joints in metres: x forward, y up from the floor, z to the lifter's right."""
        ...

    def bar(self, times_s: Floats) -> BarState:
        """Return the bar in metres, up from its rest on the floor."""
        ...


@dataclass(frozen=True, slots=True)
class Errors:
    """How badly things are seen; SDs in metres at the lifter unless said otherwise.

    Attributes:
        plate_m: Of the plate's centre in one frame, white.
        hands_m: Of the bar by its hands or its line, hanging together over frames.
        joint_m: Of a joint over time, hanging together.
        joint_offset_m: Of a joint's place as the estimator learned it, constant in a clip.
        scale: Relative, of metres per pixel.
        plate_lost_share: Share of frames in which the plate is not found.
    """

    plate_m: float = 0.002
    hands_m: float = 0.010
    joint_m: float = 0.012
    joint_offset_m: float = 0.015
    scale: float = 0.02
    plate_lost_share: float = 0.03


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """What perception has of one clip before it looks for lifts.

    Attributes:
        hands_px: (T, 2), midpoint of the hands.
        true_scale: Metres per pixel of the bar without error.
        forward: 1 when the athlete faces the right of the picture, -1 for the left.
        middle_row_px: Of the picture.
    """

    pose: PoseTrack
    hands_px: Floats
    samples: BarSamples
    scale: Scale
    true_scale: float
    stature_m: float
    view: View
    facing: Facing
    forward: float
    middle_row_px: float

    def curves(self) -> list[BarCurve]:
        """Return the smooth curve of each unbroken stretch."""
        return [fit_curve(self.samples, a, b) for a, b in stretches(self.samples)]

    def body(self) -> BodySignals:
        """Return the places of the body in the axes of the bar."""
        rise = None
        if self.samples.source == "plate":
            rise = plane_rise(self.scale.bar_m_per_px, self.scale.body_m_per_px, self.middle_row_px)
        return measure_body(self.pose, self.hands_px, self.samples, self.scale.body_m_per_px, self.forward, rise)


def observe(
    motion: Moving,
    times_s: Floats,
    camera_spec: CameraSpec,
    video: VideoSpec,
    *,
    stature_m: float,
    plate_radius_m: float = 0.225,
    errors: Errors | None = None,
    seed: int = 0,
    knows_stature: bool = True,
) -> Observed:
    """Return one lift as seen in one camera: from the side by its near plate, from elsewhere by the hands.

    Args:
        motion: The lift.
        times_s: (T,), when frames were taken, in the time of the motion; the clip's own times begin at 0.
        camera_spec: Where the camera stands.
        video: Size of the picture.
        stature_m: The lifter's height.
        plate_radius_m: Height of the bar on the floor.
        errors: How badly things are seen; default as in good clips.
        seed: Of the errors.
        knows_stature: Whether the user told the height; else the body's scale comes from the plate.
    """
    errors = errors or Errors()
    random = np.random.default_rng(seed)
    camera = camera_of(camera_spec, video)
    pose = _seen_pose(motion, times_s, camera, camera_spec, errors, random)
    hands = hands_midpoint_px(pose.points_px, pose.visibility)
    forward = -1.0 if facing(camera_spec) == "left" else 1.0
    bar = motion.bar(times_s).position_m + np.array([0.0, plate_radius_m])
    is_side = camera_spec.view == "side"
    aside = (1.0 if camera_spec.athlete_side == "right" else -1.0) * PLATE_OUT_M if is_side else 0.0
    points = np.column_stack([bar, np.full(len(bar), aside)])
    true_scale = float(np.median(camera.depth_m(points))) / camera.focal_px
    metres = camera.project(points) * np.array([forward, -1.0]) * true_scale
    scale = _scale(true_scale, stature_m / stature_px(pose), errors, random, is_side=is_side, is_told=knows_stature)
    metres = metres * scale.bar_m_per_px / true_scale + _bar_error(times_s, errors, random, is_side)
    lost = random.random(len(bar)) < (errors.plate_lost_share if is_side else 0.0)
    metres[lost] = np.nan
    return Observed(
        pose=pose,
        hands_px=hands,
        samples=BarSamples(
            times_s - times_s[0],
            metres[:, 0],
            metres[:, 1],
            np.ones(len(bar)),
            "plate" if is_side else "hands",
            PLATE_CUTOFF_HZ if is_side else HANDS_CUTOFF_HZ,
            BRIDGE_S if is_side else HANDS_GAP_S,
        ),
        scale=scale,
        true_scale=true_scale,
        stature_m=stature_m if knows_stature else float(np.clip(stature_px(pose) * scale.body_m_per_px, 1.4, 2.1)),
        view=camera_spec.view,
        facing=facing(camera_spec),
        forward=forward,
        middle_row_px=(video.height_px - 1) / 2,
    )


def _seen_pose(
    motion: Moving,
    times_s: Floats,
    camera: Camera,
    camera_spec: CameraSpec,
    errors: Errors,
    random: np.random.Generator,
) -> PoseTrack:
    joints = motion.keypoints(times_s)
    px_per_m = camera.focal_px / camera.depth_m(joints)[..., None]
    shape = (len(times_s), len(KEYPOINTS), 2)
    shaken = _hanging_together(random.normal(size=shape), times_s) * errors.joint_m
    shaken = shaken + random.normal(scale=errors.joint_offset_m, size=shape[1:])
    visibility = np.full(shape[:2], 0.9)
    if camera_spec.view == "side":
        far = "left" if camera_spec.athlete_side == "right" else "right"
        visibility[:, [INDEX[name] for name in KEYPOINTS if name.startswith(far)]] = 0.5
    axes = np.stack([camera.right, -camera.up, camera.forward])
    middle = (joints[:, [INDEX["left_hip"]]] + joints[:, [INDEX["right_hip"]]]) / 2
    world = (joints - middle) @ axes.T
    world = world + _hanging_together(random.normal(size=world.shape), times_s) * 2 * errors.joint_m
    return PoseTrack(times_s - times_s[0], camera.project(joints) + shaken * px_per_m, world, visibility)


def _hanging_together(white: Floats, times_s: Floats) -> Floats:
    """Return noise of SD 1 that hangs together over time, along the first axis."""
    rate_hz = 1 / float(np.median(np.diff(times_s)))
    soft = gaussian_filter1d(white, TOGETHER_S * rate_hz, axis=0)
    return np.asarray(soft / max(float(np.std(soft)), 1e-12))


def _bar_error(times_s: Floats, errors: Errors, random: np.random.Generator, is_side: bool) -> Floats:
    white = random.normal(size=(len(times_s), 2))
    return white * errors.plate_m if is_side else _hanging_together(white, times_s) * errors.hands_m


def _scale(
    true_scale: float,
    by_height: float,
    errors: Errors,
    random: np.random.Generator,
    *,
    is_side: bool,
    is_told: bool,
) -> Scale:
    if not is_side:
        return Scale(by_height, STATURE_SD, by_height, STATURE_SD, "height")
    bar = true_scale * (1 + errors.scale * random.normal() / 2)
    return Scale(bar, errors.scale / 2, by_height if is_told else bar * 5.5 / 4.8, 0.06, "plate")
