"""The lifter's body: bone lengths from stature, and limbs placed by two-bone inverse kinematics."""

from dataclasses import dataclass

import numpy as np

from perception.pose import INDEX, KEYPOINTS, Floats
from perception.simulator.spec import LifterSpec

ANKLE_HEIGHT = 0.039  # of stature, Winter 2009, figure 4.1
SHOULDER_HALF = 0.112  # of stature; joint centres, inside Winter's biacromial 0.259 / 2
HIP_HALF = 0.053  # of stature; joint centres, inside Winter's bitrochanteric 0.191 / 2
EAR_ABOVE_SHOULDER = 0.115  # of stature, Winter's chin-to-vertex and shoulder heights
EAR_HALF = 0.044  # of stature, half a head's breadth
NOSE_AHEAD = 0.066  # of stature, from the ear axis to the tip of the nose
HEEL_SHARE = 0.25  # of the foot that lies behind the ankle
RACKED_WRIST = (0.0, -0.6, 0.6)  # from knuckles to wrist with the bar on the front of the shoulders, by eye
BEND_SHARES = (0.25, 0.5, 0.75, 1.0)  # of the wanted bend of the wrist, the last that the arm reaches
SIDES = (("left", -1), ("right", 1))  # and the sign of z on that side

_REFERENCE_M = {
    "female": (1.735, 0.2751, 0.2643, 0.0780, 0.4979, 0.3685, 0.4386, 0.2283),
    "male": (1.741, 0.2817, 0.2689, 0.0862, 0.5155, 0.4222, 0.4403, 0.2581),
}
"""Stature, upper arm, forearm, hand to knuckles, mid-shoulder to mid-hip, thigh, shank to ankle joint, foot, in
metres. Source: de Leva 1996, J Biomech 29:1223, table 4."""


@dataclass(frozen=True, slots=True)
class Body:
    """Bone lengths and widths of one lifter, in metres."""

    height_m: float
    upper_arm_m: float
    forearm_m: float
    hand_m: float
    trunk_m: float
    thigh_m: float
    shank_m: float
    foot_m: float
    ankle_height_m: float
    shoulder_half_m: float
    hip_half_m: float

    @property
    def arm_m(self) -> float:
        """Shoulder to knuckles with a straight arm."""
        return self.upper_arm_m + self.forearm_m + self.hand_m

    @property
    def heel_behind_m(self) -> float:
        """Horizontal distance from heel to ankle with the foot flat."""
        return HEEL_SHARE * self.foot_m

    def leg_m(self, knee_deg: Floats | float) -> Floats:
        """Return the hip-ankle distance at a knee angle (180 = straight), by the law of cosines."""
        product = 2 * self.thigh_m * self.shank_m * np.cos(np.deg2rad(knee_deg))
        return np.asarray(np.sqrt(self.thigh_m**2 + self.shank_m**2 - product))

    def knee_deg(self, leg_m: Floats) -> Floats:
        """Return the knee angle at a hip-ankle distance."""
        cosine = (self.thigh_m**2 + self.shank_m**2 - leg_m**2) / (2 * self.thigh_m * self.shank_m)
        return np.asarray(np.rad2deg(np.arccos(np.clip(cosine, -1, 1))))


def body_of(lifter: LifterSpec) -> Body:
    """Scale the reference lengths to the lifter's stature, limbs longer or shorter by their factors."""
    stature, upper_arm, forearm, hand, trunk, thigh, shank, foot = _REFERENCE_M[lifter.sex]
    h = lifter.height_m
    arm = h / stature * lifter.arm_factor
    leg = h / stature * lifter.leg_factor
    return Body(
        height_m=h,
        upper_arm_m=upper_arm * arm,
        forearm_m=forearm * arm,
        hand_m=hand * arm,
        trunk_m=trunk * h / stature - (thigh + shank) * (leg - h / stature),
        thigh_m=thigh * leg,
        shank_m=shank * leg,
        foot_m=foot * h / stature,
        ankle_height_m=ANKLE_HEIGHT * h,
        shoulder_half_m=SHOULDER_HALF * h,
        hip_half_m=HIP_HALF * h,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Posture:
    """What fixes the whole body over T times, but for the arms; x forward, y up from the floor, z to the right.

    Attributes:
        hip_m: (T, 2), middle of the hips in the sagittal plane.
        trunk_deg: (T,), from horizontal, 90 = upright.
        heel_deg: (T,), pitch of the foot about the toe tip, 0 = flat.
        ankle_x_m: Ankle with the foot flat; feet only turn about its place.
        stance_m: (T,), half the distance between the ankles.
        hop_m: (T,), how far the feet are off the floor.
        turn_out_deg: (T,), toes and knees out.
    """

    hip_m: Floats
    trunk_deg: Floats
    heel_deg: Floats
    ankle_x_m: Floats | float
    stance_m: Floats
    hop_m: Floats
    turn_out_deg: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Foot:
    """One foot over T times: (T, 3) ankle, heel and toe, and (T,) how far toes and knee turn out."""

    ankle: Floats
    heel: Floats
    toe: Floats
    turn_out_deg: Floats


def bend(a: Floats, c: Floats, first_m: float, second_m: float, pole: Floats) -> Floats:
    """Return the (T, 3) middle joint between `a` and `c` on the side of `pole`.

    Raises:
        ValueError: The two bones do not reach, by more than a micrometre.
    """
    along = c - a
    distance = np.linalg.norm(along, axis=-1)
    if np.any(distance > first_m + second_m + 1e-6) or np.any(distance < abs(first_m - second_m) - 1e-6):
        raise ValueError(
            f"bones {first_m:.3f} and {second_m:.3f} m cannot span {distance.min():.4f} to {distance.max():.4f} m"
        )
    unit = along / distance[..., None]
    side = pole - np.sum(pole * unit, axis=-1, keepdims=True) * unit
    side = side / np.linalg.norm(side, axis=-1, keepdims=True)
    reach = (first_m**2 - second_m**2 + distance**2) / (2 * distance)
    rise = np.sqrt(np.maximum(first_m**2 - reach**2, 0))
    return np.asarray(a + unit * reach[..., None] + side * rise[..., None])


def _columns(x: Floats | float, y: Floats | float, z: Floats | float) -> Floats:
    return np.stack(np.broadcast_arrays(x, y, z), axis=-1).astype(np.float64)


def feet(body: Body, posture: Posture, sign: int) -> tuple[Floats, Floats, Floats]:
    """Return (T, 3) ankle, heel and toe; `sign` is -1 for the left foot, +1 for the right.

    The foot is one rigid piece; it turns out about the flat-footed ankle and pitches about the toe tip.
    """
    out = np.deg2rad(posture.turn_out_deg)
    ahead = _columns(np.cos(out), 0.0, sign * np.sin(out))
    toe = _columns(posture.ankle_x_m, posture.hop_m, sign * posture.stance_m) + ahead * (
        body.foot_m - body.heel_behind_m
    )
    pitch = np.deg2rad(posture.heel_deg)

    def behind(along_m: float, up_m: float) -> Floats:
        back = along_m * np.cos(pitch) - up_m * np.sin(pitch)
        rise = along_m * np.sin(pitch) + up_m * np.cos(pitch)
        return np.asarray(toe - ahead * back[..., None] + _columns(0.0, rise, 0.0))

    return behind(body.foot_m - body.heel_behind_m, body.ankle_height_m), behind(body.foot_m, 0.0), toe


def _head(body: Body, trunk_deg: Floats, neck: Floats) -> dict[str, Floats]:
    """Return nose and ears; the neck extends when the trunk leans, so that the lifter looks ahead."""
    lean = 90 - trunk_deg
    up = np.deg2rad(trunk_deg + 0.35 * lean)
    gaze = np.deg2rad(trunk_deg + 0.75 * lean - 90)
    h = body.height_m
    middle = neck + _columns(np.cos(up), np.sin(up), 0.0) * (EAR_ABOVE_SHOULDER * h)
    ears = {
        f"{name}_ear": middle + np.array([0, 0, sign * EAR_HALF * h]) for name, sign in (("left", -1), ("right", 1))
    }
    return {"nose": middle + _columns(np.cos(gaze), np.sin(gaze), 0.0) * (NOSE_AHEAD * h), **ears}


def place(body: Body, posture: Posture, hands: dict[str, Floats], elbow_pole: Floats) -> Floats:
    """Return the (T, K, 3) keypoints of a body in `posture` that holds its hands at `hands`.

    Args:
        body: Bone lengths.
        posture: Hips, trunk and feet.
        hands: (T, 3) knuckles, for "left" and "right".
        elbow_pole: (T, 3), where the right elbow points; mirrored for the left.
    """
    ground = {side: Foot(*feet(body, posture, sign), posture.turn_out_deg) for side, sign in SIDES}
    return assemble(body, posture.hip_m, posture.trunk_deg, ground, hands, elbow_pole)


def assemble(
    body: Body,
    hip_m: Floats,
    trunk_deg: Floats,
    ground: dict[str, Foot],
    hands: dict[str, Floats],
    elbow_pole: Floats,
    wrist_bend: Floats | None = None,
) -> Floats:
    """Return the (T, K, 3) keypoints of a body between its hands and its feet, which need not mirror each other.

    Args:
        body: Bone lengths.
        hip_m: (T, 2), middle of the hips in the sagittal plane.
        trunk_deg: (T,), from horizontal, 90 = upright.
        ground: Feet, for "left" and "right".
        hands: (T, 3) knuckles, for "left" and "right".
        elbow_pole: (T, 3), where the right elbow points; mirrored for the left.
        wrist_bend: (T,), 0 with hand and forearm in line, 1 bent back as under a bar on the shoulders; None is 0.
    """
    trunk = np.deg2rad(trunk_deg)
    hip = _columns(hip_m[:, 0], hip_m[:, 1], 0.0)
    neck = hip + _columns(np.cos(trunk), np.sin(trunk), 0.0) * body.trunk_m
    points = _head(body, trunk_deg, neck)
    for side, sign in SIDES:
        foot = ground[side]
        out = np.deg2rad(foot.turn_out_deg)
        shoulder = neck + np.array([0, 0, sign * body.shoulder_half_m])
        joint = hip + np.array([0, 0, sign * body.hip_half_m])
        mirrored = elbow_pole * np.array([1, 1, sign])
        elbow = bend(shoulder, hands[side], body.upper_arm_m, body.forearm_m + body.hand_m, mirrored)
        wrist = elbow + (hands[side] - elbow) * (body.forearm_m / (body.forearm_m + body.hand_m))
        if wrist_bend is not None:
            wrist = _bent_back(body, shoulder, wrist, hands[side], wrist_bend, np.array(RACKED_WRIST) * [1, 1, sign])
            elbow = bend(shoulder, wrist, body.upper_arm_m, body.forearm_m, mirrored)
        knee = bend(joint, foot.ankle, body.thigh_m, body.shank_m, _columns(np.cos(out), 0.0, sign * np.sin(out)))
        parts = {"shoulder": shoulder, "elbow": elbow, "wrist": wrist, "hand": hands[side], "hip": joint}
        parts |= {"knee": knee, "ankle": foot.ankle, "heel": foot.heel, "toe": foot.toe}
        points |= {f"{side}_{name}": value for name, value in parts.items()}
    result = np.empty((len(trunk), len(KEYPOINTS), 3))
    for name, value in points.items():
        result[:, INDEX[name]] = value
    return result


def _bent_back(body: Body, shoulder: Floats, wrist: Floats, hand: Floats, wrist_bend: Floats, racked: Floats) -> Floats:
    """Return the (T, 3) wrist bent from in line with the forearm towards `racked`, less where the arm does not reach."""
    straight = (wrist - hand) / body.hand_m
    for share in BEND_SHARES:
        back = straight + share * wrist_bend[:, None] * (racked - straight)
        bent = hand + body.hand_m * back / np.linalg.norm(back, axis=-1, keepdims=True)
        reaches = np.linalg.norm(bent - shoulder, axis=-1, keepdims=True) <= body.upper_arm_m + body.forearm_m
        wrist = np.where(reaches, bent, wrist)
    return np.asarray(wrist)


def angle_deg(a: Floats, b: Floats, c: Floats) -> Floats:
    """Return the angle at `b` between `a` and `c`, points (..., D), in degrees."""
    u, v = a - b, c - b
    cosine = np.sum(u * v, axis=-1) / (np.linalg.norm(u, axis=-1) * np.linalg.norm(v, axis=-1))
    return np.asarray(np.rad2deg(np.arccos(np.clip(cosine, -1, 1))))
