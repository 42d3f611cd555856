"""Centre of mass of the simulated lifter, and the force of the floor under the feet, by de Leva's segments."""

from typing import Literal

import numpy as np

from perception.pose import INDEX, Floats
from perception.simulator.bar_path import GRAVITY_M_S2
from perception.simulator.curves import step

SEGMENTS: dict[str, tuple[str, str, dict[str, tuple[float, float]]]] = {
    "head": ("ear", "ear", {"female": (0.0668, 0.5), "male": (0.0694, 0.5)}),
    "trunk": ("shoulder", "hip", {"female": (0.4257, 0.3782), "male": (0.4346, 0.4310)}),
    "upper_arm": ("shoulder", "elbow", {"female": (0.0255, 0.5754), "male": (0.0271, 0.5772)}),
    "forearm": ("elbow", "wrist", {"female": (0.0138, 0.4559), "male": (0.0162, 0.4574)}),
    "hand": ("wrist", "hand", {"female": (0.0056, 0.7474), "male": (0.0061, 0.7900)}),
    "thigh": ("hip", "knee", {"female": (0.1478, 0.3612), "male": (0.1416, 0.4095)}),
    "shank": ("knee", "ankle", {"female": (0.0481, 0.4352), "male": (0.0433, 0.4395)}),
    "foot": ("heel", "toe", {"female": (0.0129, 0.4014), "male": (0.0137, 0.4415)}),
}
"""Ends of each segment, and by sex its share of body mass and where its mass lies from the first end. Head and trunk
are between the middles of left and right, the mass of the head between the ears; the rest is on both sides.

Source: de Leva 1996, J Biomech 29:1223, table 4, with the ends at the joint centres where given."""

TAKE_S = 0.25  # s, before lift-off in which the hands take the weight of the resting bar, and after landing give it up
Sex = Literal["female", "male"]


def centre_of_mass(points: Floats, sex: Sex) -> Floats:
    """Return (T, 2), forward and up, of the body whose keypoints (T, K, 3) are given; the bar is not in it."""
    total, masses = np.zeros((len(points), 2)), 0.0
    for name, (first, last, by_sex) in SEGMENTS.items():
        mass, along = by_sex[sex]
        share = mass if name in ("head", "trunk") else 2 * mass
        a, b = (
            (points[:, INDEX[f"left_{part}"], :2] + points[:, INDEX[f"right_{part}"], :2]) / 2 for part in (first, last)
        )
        total += share * (a + (b - a) * along)
        masses += share
    return np.asarray(total / masses)


def held_share(times_s: Floats, rests: list[tuple[float, float]], release_s: float | None) -> Floats:
    """Return (T,), the share of m (g + a) of the bar that the hands carry.

    All of it off the floor; nothing while the bar rests on floor or blocks, but for the moments after landing and before
    lift-off in which the load passes over; nothing once it is let go.

    Args:
        times_s: When.
        rests: (landing, lift-off) of each rest with the hands at the bar.
        release_s: When the hands let go.
    """
    share = np.ones(len(times_s))
    for landing_s, lift_off_s in rests:
        take_s = min(TAKE_S, (lift_off_s - landing_s) / 2)
        if take_s > 0:
            taken = step(times_s, lift_off_s - take_s, lift_off_s)
            share *= 1 - step(times_s, landing_s, landing_s + take_s) * (1 - taken)
    if release_s is not None:
        share = np.where(times_s >= release_s, 0.0, share)
    return share


def ground_force(com_y_m: Floats, step_s: float, body_kg: float, hands_n: Floats) -> Floats:
    """Return (T,), the vertical force of the floor under the feet in N.

    Args:
        com_y_m: (T,), height of the body's centre of mass at evenly spaced times.
        step_s: Time between them.
        body_kg: Mass of the body.
        hands_n: (T,), force of the hands on the bar, up.
    """
    acceleration = np.zeros(len(com_y_m))
    acceleration[1:-1] = np.diff(com_y_m, 2) / step_s**2
    return np.asarray(body_kg * (GRAVITY_M_S2 + acceleration) + hands_n)
