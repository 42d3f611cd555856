"""Body segments after de Leva: masses, centres of mass, radii of gyration, and the body's centre of mass."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from perception.pose import INDEX, KEYPOINTS, Floats

Sex = Literal["female", "male", "unknown"]
MUSCULAR_SD = 0.06  # relative, a lifter's mass fractions against the sample; biomechanics sheet 3.2: 5 to 10 %
HEAD_OFFSET_SD_M = 0.02  # m, centre of mass of the head about the middle of the ears


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment between two places of the body; each place is the middle of one or two kinds of keypoint.

    Attributes:
        name: As in the table of de Leva.
        proximal, distal: Keypoint without its side; "ear" for the head, whose centre is taken as both ends.
        mass_fraction: Of body mass, (female, male), one side.
        com_fraction: Centre of mass from the proximal end over length, (female, male).
        gyration_fraction: Radius about the transverse axis over length, (female, male).
        n_sides: 2 for limbs.
    """

    name: str
    proximal: str
    distal: str
    mass_fraction: tuple[float, float]
    com_fraction: tuple[float, float]
    gyration_fraction: tuple[float, float]
    n_sides: int

    def mass(self, sex: Sex) -> float:
        """Return the fraction of body mass of one side."""
        return _pick(self.mass_fraction, sex)

    def com(self, sex: Sex) -> float:
        """Return where the centre of mass lies, from the proximal end, over length."""
        return _pick(self.com_fraction, sex)

    def gyration(self, sex: Sex) -> float:
        """Return the radius of gyration about the transverse axis over length."""
        return _pick(self.gyration_fraction, sex)


# fmt: off
SEGMENTS: tuple[Segment, ...] = (
    Segment("head", "ear", "ear", (0.0668, 0.0694), (0.5, 0.5), (0.359, 0.376), 1),
    Segment("trunk", "shoulder", "hip", (0.4257, 0.4346), (0.3782, 0.4310), (0.361, 0.358), 1),
    Segment("upper_arm", "shoulder", "elbow", (0.0255, 0.0271), (0.5754, 0.5772), (0.260, 0.269), 2),
    Segment("forearm", "elbow", "wrist", (0.0138, 0.0162), (0.4559, 0.4574), (0.257, 0.265), 2),
    Segment("hand", "wrist", "hand", (0.0056, 0.0061), (0.7474, 0.7900), (0.454, 0.513), 2),
    Segment("thigh", "hip", "knee", (0.1478, 0.1416), (0.3612, 0.4095), (0.364, 0.329), 2),
    Segment("shank", "knee", "ankle", (0.0481, 0.0433), (0.4352, 0.4395), (0.263, 0.246), 2),
    Segment("foot", "heel", "toe", (0.0129, 0.0137), (0.4014, 0.4415), (0.279, 0.245), 2),
)
# fmt: on
"""Ends as pose keypoints have them: trunk from the middle of the shoulders, shank to the ankle joint, head about the
ears. Source: de Leva 1996, J Biomech 29:1223-1230, table 4 and its alternative end points."""

HEAD_LENGTH_SHARE = 0.117  # of stature, vertex to middle of the gonia; source: de Leva 1996, table 4


def _pick(pair: tuple[float, float], sex: Sex) -> float:
    female, male = pair
    return {"female": female, "male": male, "unknown": (female + male) / 2}[sex]


def com_weights(sex: Sex = "unknown") -> Floats:
    """Return (K,), the weight of each keypoint in the body's centre of mass; they add up to 1.

    Every segment's centre lies on the line between two keypoints, so the body's centre is a weighted mean of them.
    """
    weights = np.zeros(len(KEYPOINTS))
    total = sum(s.mass(sex) * s.n_sides for s in SEGMENTS)
    for segment in SEGMENTS:
        share = segment.mass(sex) * segment.n_sides / total / 2
        for side in ("left", "right"):
            weights[INDEX[f"{side}_{segment.proximal}"]] += share * (1 - segment.com(sex))
            weights[INDEX[f"{side}_{segment.distal}"]] += share * segment.com(sex)
    return weights


def body_com(points: Floats, sex: Sex = "unknown") -> Floats:
    """Return the body's centre of mass, (T, D), in the unit of `points`.

    Args:
        points: (T, K, D), names as in `KEYPOINTS`; any NaN among those with weight gives NaN.
        sex: Whose mass fractions; unknown takes the mean of both.
    """
    weights = com_weights(sex)
    used = weights > 0
    return np.asarray(np.einsum("k,tkd->td", weights[used], points[:, used]))


def com_sd_m(points_m: Floats) -> Floats:
    """Return (T, D), what unknown sex and muscular build leave open in the centre of mass, in metres.

    Half the difference of the sexes, and mass fractions of head and arms, trunk, and legs that differ by MUSCULAR_SD.
    """
    middle = body_com(points_m)
    apart = (body_com(points_m, "male") - body_com(points_m, "female")) / 2
    variance = apart**2
    for segment in SEGMENTS:
        ends = [points_m[:, [INDEX[f"{s}_{p}"] for s in ("left", "right")]] for p in (segment.proximal, segment.distal)]
        com = (1 - segment.com("unknown")) * ends[0].mean(axis=1) + segment.com("unknown") * ends[1].mean(axis=1)
        share = segment.mass("unknown") * segment.n_sides
        variance = variance + (MUSCULAR_SD * share * (com - middle)) ** 2
    return np.asarray(np.sqrt(variance))
