"""A simulated lift from noisy tracks to its forces, without pictures: milliseconds instead of minutes, with truth."""

from dataclasses import dataclass

import numpy as np

from coach.domain.lift import InstantName
from coach.domain.settings import AnalysisSettings
from perception.athlete import hands_midpoint_px, stature_px
from perception.bar import BarCurve, BarSamples, fit_curve, sample_bar, stretches
from perception.body_signals import BodySignals, measure_body
from perception.dynamics import System, moving_system, rates
from perception.force import GRAVITY_M_S2
from perception.ground_force import Loads
from perception.lifts import find_lifts
from perception.moments import Piece, averaged, cross, load_on
from perception.plate import PlateTrack
from perception.pose import INDEX, Floats, PoseTrack
from perception.readings import Context
from perception.sagittal import SideView, solve_lift
from perception.scale import find_scale
from perception.segments import HEAD_LENGTH_SHARE, SEGMENTS, body_com
from perception.simulator.motion import SnatchMotion
from perception.simulator.pose_noise import observe_lift
from perception.simulator.simulation import Motion
from perception.simulator.spec import LiftSpec
from perception.simulator.true_lift import DENSE_HZ, Dense, find_instants
from perception.view import Look

SQUARE = Look("side", "unknown", 0.0, 4.0)  # simulated cameras stand within 4 degrees of square
BEFORE_S, AFTER_S = 1.0, 1.0  # s, of the clip before lift-off and after the apex
SET_UP_S = 0.5  # s, at rest before lift-off: every set-up lasts longer


def true_system(motion: SnatchMotion) -> System:
    """Return body and bar of a simulated lift from before lift-off to its apex, at 1 kHz, with the lifter's own sex."""
    spec = motion.spec
    t = np.arange(-SET_UP_S, motion.times.apex_s + 0.1, 1 / DENSE_HZ)
    com = body_com(motion.keypoints(t), spec.lifter.sex)[:, :2]
    bar = motion.bar(t).position_m + np.array([0.0, spec.bar.plate_diameter_m / 2])
    return moving_system(t, com, bar, spec.lifter.mass_kg, spec.bar.mass_kg)


def true_hip_nm(motion: SnatchMotion, times_s: Floats) -> Floats:
    """Return (T,), the net moment of both hips of a simulated lift in N m, from the bar downward; positive extends.

    From the lifter's own keypoints and sex, with bent arms as they are; averaged like the estimate.

    Args:
        motion: The lift.
        times_s: After lift-off of the simulation, on an even grid, with 0.1 s to spare at both ends.
    """
    spec, points = motion.spec, motion.keypoints(times_s)
    middle = {
        name: points[:, [INDEX[f"left_{name}"], INDEX[f"right_{name}"]], :2].mean(axis=1)
        for name in {place for s in SEGMENTS for place in (s.proximal, s.distal)}
    }
    pieces = []
    for segment in SEGMENTS:
        if segment.name in ("thigh", "shank", "foot"):
            continue
        a, b = middle[segment.proximal], middle[segment.distal]
        mass_kg = segment.mass(spec.lifter.sex) * segment.n_sides * spec.lifter.mass_kg
        is_head = segment.name == "head"
        length = (
            HEAD_LENGTH_SHARE * spec.lifter.height_m if is_head else float(np.median(np.linalg.norm(b - a, axis=1)))
        )
        turn = np.zeros(len(a)) if is_head else np.unwrap(np.arctan2(*(a - b)[:, ::-1].T))
        inertia = mass_kg * (segment.gyration(spec.lifter.sex) * length) ** 2
        pieces.append(Piece(mass_kg, a + segment.com(spec.lifter.sex) * (b - a), inertia, turn))
    bar = motion.bar(times_s).position_m + np.array([0.0, spec.bar.plate_diameter_m / 2])
    _, acceleration = rates(times_s, bar)
    weight = -spec.bar.mass_kg * (acceleration + np.array([0.0, GRAVITY_M_S2]))
    _, moment = load_on(times_s, pieces, middle["hip"], weight, cross(bar - middle["hip"], weight))
    return averaged(times_s, moment)


def true_instants(motion: SnatchMotion) -> dict[InstantName, float]:
    """Return the instants of a simulated lift that exist, in seconds after lift-off of the simulation."""
    dense = Dense(motion.spec, motion)
    return {name: float(dense.times_s[i]) for name, i in find_instants(dense, motion.lifts[0]).items()}


def solve_simulated(
    motion: SnatchMotion, rate_hz: float, random: np.random.Generator, strength: float = 1.0
) -> tuple[Loads, Context, float]:
    """Return the loads of a lift seen with an estimator's errors, what they depend on, and the time of lift-off.

    Args:
        motion: The lift, filmed from the side.
        rate_hz: Frames a second.
        random: Source of the errors.
        strength: Factor on all errors.
    """
    spec = motion.spec
    tracks = watch_simulated(spec, motion, -BEFORE_S, motion.times.apex_s + AFTER_S, rate_hz, random, strength)
    lift = find_lifts(tracks.curve, None, spec.lifter.height_m, "snatch")[0]
    centre = (spec.video.width_px / 2, spec.video.height_px / 2)
    radius_m, scale = spec.bar.plate_diameter_m / 2, tracks.context.scale
    view = SideView(scale, tracks.forward, centre, radius_m, spec.lifter.height_m)
    seen, body, lift = solve_lift(tracks.pose, tracks.plate, tracks.curve, lift, view)
    loads = Loads(seen, body, tracks.curve, tracks.samples, lift, view, spec.lifter.mass_kg, spec.bar.mass_kg)
    return loads, tracks.context, BEFORE_S


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """What analysed pictures of a simulated lift would give: tracks on their own clock, which starts at 0.

    Attributes:
        pose, plate: On every frame.
        samples, curve: The bar before and after smoothing.
        body: Places of the body in the axes of the curve, by which kinds of lifts are told apart.
        forward: 1 when the lifter faces the right of the picture, -1 for the left.
        context: Scale, view, height, bar mass and frame rate, all as told.
    """

    pose: PoseTrack
    plate: PlateTrack
    samples: BarSamples
    curve: BarCurve
    body: BodySignals
    forward: float
    context: Context


def watch_simulated(
    spec: LiftSpec,
    motion: Motion,
    start_s: float,
    end_s: float,
    rate_hz: float,
    random: np.random.Generator,
    strength: float = 1.0,
) -> Watched:
    """Return a simulated lift of any kind, filmed from the side, seen with an estimator's errors.

    Args:
        spec: Who lifts what, and where the camera stands.
        motion: The lift.
        start_s: Begin of the clip, on the simulation's clock.
        end_s: Its end.
        rate_hz: Frames a second.
        random: Source of the errors.
        strength: Factor on all errors.
    """
    times = np.arange(start_s, end_s, 1 / rate_hz)
    pose, plate = observe_lift(spec, motion, times, random, strength)
    told = AnalysisSettings(
        height_m=spec.lifter.height_m,
        bar_mass_kg=spec.bar.mass_kg,
        body_mass_kg=spec.lifter.mass_kg,
        plate_diameter_m=spec.bar.plate_diameter_m,
    )
    forward = -1.0 if spec.camera.athlete_side == "left" else 1.0
    scale = find_scale(plate, stature_px(pose), told, "side")
    hands = hands_midpoint_px(pose.points_px, pose.visibility)
    samples = sample_bar(times - start_s, plate, hands, scale, forward, use_plate=True)
    first, last = stretches(samples)[0]
    return Watched(
        pose=pose,
        plate=plate,
        samples=samples,
        curve=fit_curve(samples, first, last),
        body=measure_body(pose, hands, samples, scale.body_m_per_px, forward),
        forward=forward,
        context=Context(scale, SQUARE, spec.lifter.height_m, spec.bar.mass_kg, rate_hz),
    )
