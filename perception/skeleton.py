"""The body as a chain in the plane of the lift: bones of constant length, from the toes to the ears."""

from dataclasses import dataclass

import numpy as np

from perception.pose import Floats
from perception.segments import SEGMENTS, Sex

TURN_OUT_DEG = 20.0  # deg, toes and knees out; a usual stance, judged from films
ANKLE_HEIGHT = 0.039  # of stature; source: Winter 2009, fig. 4.1
HIP_HALF = 0.053  # of stature, joint centres, inside half of Winter's hip breadth 0.191
SHOULDER_HALF = 0.112  # of stature, joint centres, inside half of Winter's biacromial 0.259
ANKLE_HALF = 0.110  # of stature, half the stance between pull and catch, judged from films
HEEL_SHARE = 0.25  # of the foot that lies behind the ankle
_REFERENCE = {
    "shank": (0.4386, 0.4403),
    "thigh": (0.3685, 0.4222),
    "trunk": (0.4979, 0.5155),
    "foot": (0.2283, 0.2581),
    "upper_arm": (0.2751, 0.2817),
    "forearm": (0.2643, 0.2689),
    "hand": (0.0780, 0.0862),
}
"""Lengths in metres of women of 1.735 m and men of 1.741 m. Source: de Leva 1996, table 4 (thigh: joint centres)."""
_STATURE_M = (1.735, 1.741)
EAR_ABOVE_SHOULDER = 0.115  # of stature; source: Winter 2009, chin and shoulder heights

PLACES = ("toe", "heel", "ankle", "knee", "hip", "shoulder", "ear")
"""Places of the chain in the sagittal plane, the middle of left and right."""
ANGLES = ("foot", "shank", "thigh", "trunk", "head")
"""Directions in radians: foot pitch (0 = flat), the others from vertical, forward positive, each pointing up."""
N_STATES = 2 + len(ANGLES)
"""Toe x and y, then the angles."""


@dataclass(frozen=True, slots=True)
class Bones:
    """Lengths of one body in metres, constant over a clip; `reach_m` is shoulder to bar with straight arms, sagittal."""

    stature_m: float
    shank_m: float
    thigh_m: float
    trunk_m: float
    foot_m: float
    upper_arm_m: float
    forearm_m: float
    hand_m: float
    head_m: float
    reach_m: float

    @property
    def arm_m(self) -> float:
        """Shoulder to knuckles with a straight arm."""
        return self.upper_arm_m + self.forearm_m + self.hand_m


def usual_bones(stature_m: float) -> Bones:
    """Return the bones that a person of this height usually has, the mean of women and men; arms hang straight down."""
    share = {name: (f / _STATURE_M[0] + m / _STATURE_M[1]) / 2 for name, (f, m) in _REFERENCE.items()}
    length = {f"{name}_m": value * stature_m for name, value in share.items()}
    reach = length["upper_arm_m"] + length["forearm_m"] + length["hand_m"]
    return Bones(stature_m=stature_m, head_m=EAR_ABOVE_SHOULDER * stature_m, reach_m=reach, **length)


def chain(states: Floats, bones: Bones) -> Floats:
    """Return the places of the chain, (..., 7, 2) metres, for states (..., 7).

    Knees point as far outward as the toes, so shank and thigh lean out of the plane when the knee bends; their length
    in space is what stays constant.
    """
    toe = states[..., :2]
    foot, shank, thigh, trunk, head = np.moveaxis(states[..., 2:], -1, 0)
    out = np.deg2rad(TURN_OUT_DEG)
    ahead = (1 - HEEL_SHARE) * bones.foot_m * np.cos(out)
    whole = bones.foot_m * np.cos(out)
    ankle = toe + _turned(-ahead, ANKLE_HEIGHT * bones.stature_m, foot)
    heel = toe + _turned(-whole, 0.0, foot)
    lean, rise, aside = _shank(shank, bones)
    knee = ankle + np.stack([lean, rise], axis=-1)
    inward = (ANKLE_HALF - HIP_HALF) * bones.stature_m + aside
    seen = np.sqrt(np.maximum(bones.thigh_m**2 - inward**2, (0.3 * bones.thigh_m) ** 2))
    hip = knee + seen[..., None] * _direction(thigh)
    shoulder = hip + bones.trunk_m * _direction(trunk)
    ear = shoulder + bones.head_m * _direction(head)
    return np.stack([toe, heel, ankle, knee, hip, shoulder, ear], axis=-2)


def _shank(angle: Floats, bones: Bones) -> tuple[Floats, Floats, Floats]:
    """Return forward, up and outward travel from ankle to knee."""
    outward = np.tan(np.deg2rad(TURN_OUT_DEG)) * np.sin(angle)
    length = bones.shank_m / np.sqrt(1 + outward**2)
    return length * np.sin(angle), length * np.cos(angle), length * outward


def _turned(back: float, up: float, pitch: Floats) -> Floats:
    """Return a vector of the flat foot after pitching the heel up about the toe."""
    cosine, sine = np.cos(pitch), np.sin(pitch)
    return np.stack([back * cosine + up * sine, -back * sine + up * cosine], axis=-1)


def _direction(angle: Floats) -> Floats:
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1)


def chain_weights(bones: Bones, sex: Sex = "unknown") -> tuple[Floats, float]:
    """Return the weight of each place of the chain (7,) and of the hands in the body's centre of mass; sum 1.

    Arms count as lying on the line from shoulder to hand: exact while they are straight, off by under a centimetre
    of the body's centre when they are bent.
    """
    weights = dict.fromkeys(PLACES, 0.0)
    on_arm = {"shoulder": 0.0, "elbow": bones.upper_arm_m, "wrist": bones.upper_arm_m + bones.forearm_m}
    hands, total = 0.0, sum(s.mass(sex) * s.n_sides for s in SEGMENTS)
    for segment in SEGMENTS:
        share = segment.mass(sex) * segment.n_sides / total
        for place, part in ((segment.proximal, 1 - segment.com(sex)), (segment.distal, segment.com(sex))):
            if place in weights:
                weights[place] += share * part
                continue
            along = on_arm.get(place, bones.arm_m) / bones.arm_m
            weights["shoulder"] += share * part * (1 - along)
            hands += share * part * along
    return np.array([weights[p] for p in PLACES]), hands


def chain_com(places: Floats, hands: Floats, bones: Bones, sex: Sex = "unknown") -> Floats:
    """Return the body's centre of mass (..., 2) from the places (..., 7, 2) and the hands (..., 2)."""
    weights, of_hands = chain_weights(bones, sex)
    return np.asarray(np.einsum("k,...kd->...d", weights, places) + of_hands * hands)
