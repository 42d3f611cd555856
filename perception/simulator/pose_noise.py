"""Keypoints and plate as an estimator would see a simulated lift, without pictures: projected joints plus errors.

The errors are those of BlazePose on ten rendered lifts from the side, measured about the true joints in the body's own
scale: SD and how long they last while the joint is seen, a constant offset, and a guess that drifts upward while the
plate hides it.
"""

from dataclasses import dataclass

import numpy as np

from perception.plate import PlateTrack
from perception.pose import INDEX, KEYPOINTS, Floats, PoseTrack
from perception.simulator.camera import Camera, camera_of
from perception.simulator.mannequin import plate_face_m
from perception.simulator.simulation import Motion
from perception.simulator.spec import LiftSpec

LASTS_S = 0.10  # s, errors of neighbouring frames are alike for so long (e-fold); measured 0.05 to 0.2
HIDDEN_LASTS_S = 0.25  # s, the same for guesses behind the plate
HIDDEN_UP_M, HIDDEN_SD_M = (0.10, 0.08), (0.05, 0.10)  # m, shins behind the plate: guessed too high; forward, up
RIM = 1.05  # of the plate's radius, inside which a joint is hidden
PLATE_SD_PX = 0.5  # px, centre of a fitted disc; measured 0.3 to 0.7
SIDE_SD_M = 0.008  # m, by which the errors of left and right differ: they are mostly common


@dataclass(frozen=True, slots=True)
class JointNoise:
    """Errors of one kind of keypoint in metres: constant offset (forward, up) and its SD over lifts, and moving SD."""

    offset_m: tuple[float, float]
    offset_sd_m: float
    sd_m: float


NOISE: dict[str, JointNoise] = {
    "toe": JointNoise((-0.02, 0.045), 0.02, 0.030),
    "heel": JointNoise((0.0, 0.06), 0.03, 0.035),
    "ankle": JointNoise((0.0, 0.05), 0.03, 0.030),
    "knee": JointNoise((0.0, -0.024), 0.015, 0.030),
    "hip": JointNoise((0.027, 0.0), 0.015, 0.019),
    "shoulder": JointNoise((0.0, 0.0), 0.010, 0.016),
    "ear": JointNoise((0.024, -0.019), 0.010, 0.016),
}
OTHERS = JointNoise((0.0, 0.0), 0.02, 0.04)
"""Nose, elbows, wrists and hands."""


def wander(random: np.random.Generator, times_s: Floats, lasts_s: float) -> Floats:
    """Return (T, 2) of errors with SD 1 that forget themselves after `lasts_s`, whatever the frame rate."""
    keep = np.exp(-np.diff(times_s) / lasts_s)
    out = np.empty((len(times_s), 2))
    out[0] = random.normal(size=2)
    for i, r in enumerate(keep):
        out[i + 1] = r * out[i] + np.sqrt(1 - r * r) * random.normal(size=2)
    return out


def observe_lift(
    spec: LiftSpec, motion: Motion, times_s: Floats, random: np.random.Generator, strength: float = 1.0
) -> tuple[PoseTrack, PlateTrack]:
    """Return pose and plate of a simulated lift as analysed pictures would give them.

    Args:
        spec: Who lifts what, and where the camera stands.
        motion: The lift.
        times_s: (T,) after lift-off; the tracks count from the first.
        random: Source of the errors.
        strength: Factor on all errors of keypoints and plate.
    """
    camera = camera_of(spec.camera, spec.video)
    plate = _plate(spec, motion, camera, times_s, random, strength)
    points = motion.keypoints(times_s)
    px = camera.project(points)
    body_m_per_px = camera.depth_m(np.array([[0.0, 1.0, 0.0]]))[0] / camera.focal_px
    forward = float(np.sign(camera.right[0]))
    hidden = np.linalg.norm(px - plate.centre_px[:, None], axis=2) < RIM * plate.radius_px
    visibility = np.where(hidden, 0.4, 0.95)
    for part in dict.fromkeys(name.split("_")[-1] for name in KEYPOINTS):
        for_both = _errors(part, times_s, random)
        for side in ("left", "right"):
            name = f"{side}_{part}" if f"{side}_{part}" in INDEX else part
            i = INDEX[name]
            seen, guessed = for_both
            error = np.where(hidden[:, i, None], guessed, seen) + SIDE_SD_M * wander(random, times_s, LASTS_S)
            px[:, i] += strength * error * np.array([forward, -1.0]) / body_m_per_px
    world = points - points[:, [INDEX["left_hip"], INDEX["right_hip"]]].mean(axis=1, keepdims=True)
    return PoseTrack(times_s - times_s[0], px, world * np.array([1.0, -1.0, -1.0]), visibility), plate


def _errors(part: str, times_s: Floats, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Return (T, 2) metres forward and up of a joint that is seen, and of one that is guessed behind the plate."""
    noise = NOISE.get(part, OTHERS)
    constant = np.array(noise.offset_m) + noise.offset_sd_m * random.normal(size=2)
    seen = constant + noise.sd_m * wander(random, times_s, LASTS_S)
    if part in ("hip", "shoulder", "ear", "nose"):
        return seen, seen
    up = np.abs(HIDDEN_UP_M[0] + HIDDEN_UP_M[1] * random.normal())
    low = up if part in ("ankle", "heel", "toe") else 0.0
    return seen, seen + np.array([0.0, low]) + np.array(HIDDEN_SD_M) * wander(random, times_s, HIDDEN_LASTS_S)


def _plate(
    spec: LiftSpec, motion: Motion, camera: Camera, times_s: Floats, random: np.random.Generator, strength: float
) -> PlateTrack:
    state = motion.bar(times_s)
    near = float(np.sign(camera.position_m[2])) * plate_face_m(spec.bar)
    centre = np.column_stack([state.position_m, np.full(len(times_s), near)])
    centre[:, 1] += spec.bar.plate_diameter_m / 2
    radius = camera.focal_px * spec.bar.plate_diameter_m / 2 / float(np.median(camera.depth_m(centre)))
    px = camera.project(centre) + strength * PLATE_SD_PX * random.normal(size=(len(times_s), 2))
    return PlateTrack(times_s - times_s[0], px, np.ones(len(times_s)), float(radius), 0.3, 0.0)
