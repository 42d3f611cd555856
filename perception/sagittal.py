"""What one side view tells of the body in the plane of the lift, in metres: keypoints, bar, floor and what is hidden."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from coach.domain.lift import InstantName
from perception.bar import BarCurve
from perception.body import pull_phases
from perception.instants import LiftTimes
from perception.kinematics import Angles
from perception.plate import PlateTrack
from perception.pose import INDEX, Floats, PoseTrack
from perception.scale import Scale
from perception.skeleton import ANKLE_HEIGHT, PLACES, usual_bones
from perception.smoothing import MIN_SAMPLES
from perception.world import PLACE_SD_M, Mask, Motion, Observed, fit_bones, solve

BEFORE_S, AFTER_S = 0.8, 0.8  # s, of the clip used around a lift
HIDDEN_SD_M = 0.20  # m, of a keypoint guessed behind the plate; from simulated lifts
RIM = 1.10  # of the plate's radius, inside which a joint is hidden or nearly so
STRAIGHT_SHARE = 0.3  # of the second pull in which arms are still straight
USUAL_SECOND_PULL_S = 0.15  # s, from the power position to peak speed; source: biomechanics sheet 2
STANDS_UNTIL_S = 0.02  # s after peak bar speed: before that somebody pushes the floor away
FOOT_SPEED_M_S, FOOT_HEIGHT_M = 0.5, 0.09  # m/s, m, an ankle that moves faster or is higher does not stand
FLOOR_SD_M = 0.03  # m, height of the floor from the resting plate, and from ankles
TRUNK_TOLERANCE, HEAD_TOLERANCE = 0.18, 0.45  # relative, keypoint noise of 3 cm on 0.5 and 0.2 m
ARM_TOLERANCE_M = 0.07  # m, shoulder to bar with straight arms
PHASE_STEP_S = 0.004  # s, on which turning points of the knee are looked for
FOOT_WINDOW_S = 0.15  # s, over which the speed of an ankle is read


@dataclass(frozen=True, slots=True, eq=False)
class SideView:
    """How pixels become metres in the plane of the lifter and in that of the near plate.

    Attributes:
        forward: 1 when the athlete faces the right of the picture, -1 for the left.
        centre_px: Middle of the picture, where the camera looks.
        plate_radius_m: Of the plate the bar rests on.
        stature_m: Standing height, or an estimate.
    """

    scale: Scale
    forward: float
    centre_px: tuple[float, float]
    plate_radius_m: float
    stature_m: float


def observe(pose: PoseTrack, plate: PlateTrack, curve: BarCurve, lift: LiftTimes, view: SideView) -> Observed:
    """Return what is known of the body and the bar in one lift.

    Both sides of the body are averaged by how well they are seen. The plate rests on the floor, so it tells how high
    the camera stands; both planes are then measured from the camera's axis.

    Raises:
        ValueError: Fewer than 8 frames of the lift have a pose and a bar.
    """
    first, last = lift.times_s["lift_off"] - BEFORE_S, _last_s(lift) + AFTER_S
    inside = (pose.times_s >= max(first, curve.y.start_s)) & (pose.times_s <= min(last, curve.y.end_s))
    if inside.sum() < MIN_SAMPLES:
        raise ValueError(f"a lift needs {MIN_SAMPLES} frames with pose and bar, got {int(inside.sum())}")
    t = pose.times_s[inside]
    camera_m = view.plate_radius_m - lift.rest_m - view.centre_px[1] * view.scale.bar_m_per_px
    places, sd = _places(pose, plate, inside, view, camera_m)
    places[..., 0] -= _start_x(curve, lift, view)
    bar, at = bar_m(curve, lift, view, t), lift.times_s
    peak = at["peak_velocity"]
    power = at.get("power_position", peak - USUAL_SECOND_PULL_S)
    straight = (t >= at["lift_off"] - 0.1) & (t <= power + STRAIGHT_SHARE * (peak - power))
    places[~_is_a_body(places, bar, straight)] = np.nan
    places[..., 1] += _floor_shift(places, sd, view.stature_m)
    stands = _stands(t, places, sd, at, view.stature_m)
    held = (t >= at["lift_off"] - 0.1) & (t <= lift.end_s) if "catch" in at else (t <= _last_s(lift))
    flat = stands & ((t <= power) | (t >= _last_s(lift)))
    _level_feet(places, sd, flat, view.stature_m)
    return Observed(t, places, sd, bar, held, straight, stands, flat)


def bar_m(curve: BarCurve, lift: LiftTimes, view: SideView, times_s: Floats) -> Floats:
    """Return (T, 2), the bar in the plane of the lift: forward from its place at lift-off, up from the floor."""
    axis = view.forward * view.centre_px[0] * view.scale.bar_m_per_px
    y = curve.y.value(times_s) - lift.rest_m + view.plate_radius_m
    return np.column_stack([curve.x.value(times_s) - axis - _start_x(curve, lift, view), y])


def _start_x(curve: BarCurve, lift: LiftTimes, view: SideView) -> float:
    """Return the bar's place at lift-off, forward from the camera's axis."""
    start_s = np.clip(lift.times_s["lift_off"], curve.x.start_s, curve.x.end_s)
    axis = view.forward * view.centre_px[0] * view.scale.bar_m_per_px
    return float(curve.x.value(np.array([start_s]))[0] - axis)


def solve_lift(
    pose: PoseTrack, plate: PlateTrack, curve: BarCurve, lift: LiftTimes, view: SideView
) -> tuple[Observed, Motion, LiftTimes]:
    """Return the data of one lift, the body that fits them, and the lift with its phases from that body's knee.

    The power position says until when arms are straight and heels down, so a found one is used in a second solution.
    """
    start = replace(
        lift, times_s={n: s for n, s in lift.times_s.items() if n not in ("end_first_pull", "power_position")}
    )
    seen = observe(pose, plate, curve, start, view)
    motion = solve(seen, fit_bones(seen, view.stature_m, usual_bones(view.stature_m)))
    phases = phases_of(motion, lift.times_s)
    found = replace(start, times_s=start.times_s | phases)
    if phases:
        seen = observe(pose, plate, curve, found, view)
        motion = solve(seen, fit_bones(seen, view.stature_m, motion.bones), motion)
    return seen, motion, found


def phases_of(motion: Motion, at: Mapping[InstantName, float]) -> dict[InstantName, float]:
    """Return the end of the first pull and the power position from the knee of the solved body.

    The same rule as `body.pull_phases`; on simulated keypoints its times are off by 0.02 s (SD), those from the
    picture by 0.12 s, because the plate hides the shins that the chain holds to the floor.
    """
    t = np.arange(at["lift_off"], at["peak_velocity"], PHASE_STEP_S)
    angles = motion.angles_deg(t)
    unused = np.full(len(t), np.nan)
    return pull_phases(Angles(t, angles["knee"], angles["hip"], unused, angles["trunk"]), at)


def _last_s(lift: LiftTimes) -> float:
    return lift.times_s.get("catch", lift.times_s.get("max_height", lift.end_s))


def _places(pose: PoseTrack, plate: PlateTrack, inside: Mask, view: SideView, camera_m: float) -> tuple[Floats, Floats]:
    """Return (T, 7, 2) metres and their (T, 7) SD: left and right together, hidden ones trusted little."""
    centre = plate.centre_px[inside]
    places, sds = [], []
    for name in PLACES:
        points, weights = [], []
        for side in ("left", "right"):
            i = INDEX[f"{side}_{name}"]
            px = pose.points_px[inside, i]
            hidden = np.linalg.norm(px - centre, axis=1) < RIM * plate.radius_px
            seen = np.clip(pose.visibility[inside, i], 0.1, 1.0)
            sd = np.where(hidden, np.maximum(HIDDEN_SD_M, PLACE_SD_M[name]), PLACE_SD_M[name] / np.sqrt(seen))
            points.append(px)
            weights.append(np.where(np.isfinite(px[:, 0]), sd**-2, 0.0))
        total = np.maximum(weights[0] + weights[1], 1e-12)
        mean = (
            np.nan_to_num(points[0]) * weights[0][:, None] + np.nan_to_num(points[1]) * weights[1][:, None]
        ) / total[:, None]
        mean[(weights[0] == 0) & (weights[1] == 0)] = np.nan
        places.append(mean)
        sds.append(np.maximum(weights[0], weights[1]).clip(1e-12) ** -0.5)
    px = np.stack(places, axis=1)
    body = view.scale.body_m_per_px
    x = view.forward * (px[..., 0] - view.centre_px[0]) * body
    y = camera_m - (px[..., 1] - view.centre_px[1]) * body
    return np.stack([x, y], axis=-1), np.stack(sds, axis=1)


def _is_a_body(places: Floats, bar: Floats, is_straight: Mask) -> Mask:
    """Return (T,), whether trunk, head and arms have the length that they have in most frames of this clip.

    In fast movement an estimator may let the whole body shrink for some frames; no single keypoint shows it.
    """
    hip, shoulder, ear = (places[:, PLACES.index(name)] for name in ("hip", "shoulder", "ear"))
    fits = np.isfinite(places[:, 0, 0])
    if not fits.any():
        return fits
    for a, b, share in ((hip, shoulder, TRUNK_TOLERANCE), (shoulder, ear, HEAD_TOLERANCE)):
        length = np.linalg.norm(a - b, axis=1)
        fits = fits & (np.abs(length / np.nanmedian(length) - 1) < share)
    arm = np.linalg.norm(shoulder - bar, axis=1)
    pulling = is_straight & np.isfinite(arm)
    if pulling.any():
        fits = fits & ~(pulling & (np.abs(arm - np.median(arm[pulling])) > ARM_TOLERANCE_M))
    return np.asarray(fits)


def _floor_shift(places: Floats, sd: Floats, stature_m: float) -> float:
    """Return how far the body must go up so that ankles that are seen stand at their height; half from the plate."""
    ankle = PLACES.index("ankle")
    good = np.isfinite(places[:, ankle, 1]) & (sd[:, ankle] < 1.3 * PLACE_SD_M["ankle"])
    if good.sum() < MIN_SAMPLES:
        return 0.0
    return 0.5 * float(np.clip(ANKLE_HEIGHT * stature_m - np.median(places[good, ankle, 1]), -0.15, 0.15))


def _level_feet(places: Floats, sd: Floats, is_flat: Mask, stature_m: float) -> None:
    """Move toes, heels and ankles, in place, to where they are while the foot stands flat in view.

    Estimators put them centimetres too high; uncorrected, that reads as heels which rise as soon as they may.
    """
    for name, height in (("toe", 0.0), ("heel", 0.0), ("ankle", ANKLE_HEIGHT * stature_m)):
        i = PLACES.index(name)
        good = is_flat & np.isfinite(places[:, i, 1]) & (sd[:, i] < 1.3 * PLACE_SD_M[name])
        if good.sum() >= MIN_SAMPLES:
            places[:, i, 1] += height - float(np.median(places[good, i, 1]))


def _stands(t: Floats, places: Floats, sd: Floats, at: Mapping[InstantName, float], stature_m: float) -> Mask:
    """Return (T,), whether the feet stand: they must while the bar is pulled, else by speed and height of the ankles.

    Somebody who pushes a bar up pushes the floor down. Ankles behind the plate tell nothing, and count as standing but
    for the time from peak speed to the catch.
    """
    ankle = PLACES.index("ankle")
    z = places[:, ankle]
    known = np.isfinite(z[:, 0]) & (sd[:, ankle] < 1.5 * PLACE_SD_M["ankle"])
    moves = np.zeros(len(t), dtype=bool)
    for i in np.flatnonzero(known):
        near = known & (np.abs(t - t[i]) <= FOOT_WINDOW_S / 2)
        if near.sum() >= 3:
            speed = np.polyfit(t[near] - t[i], z[near], 1)[0]
            high = float(np.median(z[near, 1])) > ANKLE_HEIGHT * stature_m + FOOT_HEIGHT_M
            moves[i] = np.linalg.norm(speed) > FOOT_SPEED_M_S or high
    peak, end = (
        at["peak_velocity"] + STANDS_UNTIL_S,
        at.get("catch", at.get("max_height", at["peak_velocity"] + USUAL_SECOND_PULL_S)),
    )
    pulls = (t >= at["lift_off"] - 0.3) & (t <= peak)
    turns = (t > peak) & (t < end)
    return np.asarray(pulls | ~(turns | moves))
