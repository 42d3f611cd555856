"""The lifter and the bar as simple solids around their keypoints."""

from itertools import pairwise

import numpy as np

from perception.pose import INDEX, Floats
from perception.simulator.bar_path import BarState
from perception.simulator.body import Body
from perception.simulator.shapes import ASIDE, Shape, axes_along, ball, capsule, cylinder, ellipsoid, limb, shadow
from perception.simulator.spec import BarSpec, Clothes, Face, Rgb

STEEL: Rgb = (0.62, 0.63, 0.66)
DARK: Rgb = (0.08, 0.07, 0.06)
WHITE: Rgb = (0.92, 0.92, 0.9)
SLEEVE_START_M = 0.655  # m, from the middle of the bar, IWF TCRR
SLEEVE_END_M = 1.10  # m, half of a 2.2 m bar, IWF TCRR
GRIP_RADIUS_M = 0.014  # m, 28 mm bar, IWF TCRR
SLEEVE_RADIUS_M = 0.025  # m, 50 mm sleeve, IWF TCRR
COLLAR_M = 0.03  # m, width of the ring between bar and discs
BENDS_FROM_M = 0.3  # m, from the middle of the bar: between the hands it is drawn straight


class _Figure:
    """One person in one posture: named points, sizes and colours."""

    def __init__(self, points: Floats, body: Body, girth: float, clothes: Clothes) -> None:
        self.p = points
        self.h = body.height_m
        self.girth = girth * body.height_m
        self.clothes = clothes
        self.hip = (self["left_hip"] + self["right_hip"]) / 2
        self.neck = (self["left_shoulder"] + self["right_shoulder"]) / 2
        self.trunk_axes = axes_along(self.neck - self.hip, ASIDE)

    def __getitem__(self, name: str) -> Floats:
        return np.asarray(self.p[INDEX[name]])

    def at(self, up: float, ahead_m: float = 0.0, aside_m: float = 0.0) -> Floats:
        """Return a point on the trunk: `up` from hips (0) to shoulders (1), ahead and to the right in metres."""
        front, right = self.trunk_axes[:, 0], self.trunk_axes[:, 1]
        return np.asarray(self.hip + (self.neck - self.hip) * up + front * ahead_m + right * aside_m)

    def trunk(self) -> list[Shape]:
        """Return chest, back, belly and hips."""
        g, c = self.girth, self.clothes
        parts = [
            ellipsoid(self.at(0.70, 0.004 * g), self.trunk_axes, (0.068 * g, 0.098 * g, 0.115 * g), c.shirt),
            ellipsoid(self.at(0.86, -0.008 * g), self.trunk_axes, (0.052 * g, 0.112 * g, 0.055 * g), c.shirt),
            ellipsoid(self.at(0.38), self.trunk_axes, (0.061 * g, 0.083 * g, 0.105 * g), c.shirt),
            ellipsoid(self.at(0.06), self.trunk_axes, (0.066 * g, 0.093 * g, 0.075 * g), c.shorts),
        ]
        if c.has_belt:
            parts.append(ellipsoid(self.at(0.27), self.trunk_axes, (0.069 * g, 0.092 * g, 0.032 * g), DARK))
        for sign in (-1, 1):
            parts.append(ball(self.at(-0.02, -0.03 * g, 0.042 * g * sign), 0.052 * g, c.shorts))
            parts.append(
                ellipsoid(
                    self.at(0.80, 0.03 * g, 0.045 * g * sign),
                    self.trunk_axes,
                    (0.036 * g, 0.05 * g, 0.045 * g),
                    c.shirt,
                )
            )
        return parts

    def head(self) -> list[Shape]:
        """Return neck, skull, face, hair, eyes and ears."""
        h, c = self.h, self.clothes
        middle, nose = (self["left_ear"] + self["right_ear"]) / 2, self["nose"]
        ahead = (nose - middle) / np.linalg.norm(nose - middle)
        up = np.cross(ASIDE, ahead)
        axes = np.column_stack([ahead, ASIDE, -up])
        face = middle + ahead * 0.012 * h
        lips: Rgb = (0.75 * c.skin[0], 0.5 * c.skin[1], 0.5 * c.skin[2])
        parts = [
            capsule(self.at(0.97, 0.0), middle - up * 0.02 * h, 0.034 * h, c.skin),
            ellipsoid(face + up * 0.008 * h, axes, (0.053 * h, 0.043 * h, 0.064 * h), c.skin),
            ellipsoid(face + ahead * 0.012 * h - up * 0.03 * h, axes, (0.038 * h, 0.033 * h, 0.04 * h), c.skin),
            ellipsoid(middle + up * 0.026 * h - ahead * 0.008 * h, axes, (0.054 * h, 0.046 * h, 0.053 * h), c.hair),
            ellipsoid(nose - ahead * 0.007 * h, axes, (0.012 * h, 0.008 * h, 0.012 * h), c.skin),
            ellipsoid(face + ahead * 0.042 * h - up * 0.031 * h, axes, (0.007 * h, 0.015 * h, 0.004 * h), lips),
        ]
        for sign in (-1, 1):
            aside = ASIDE * sign
            parts += [
                ellipsoid(middle + aside * 0.043 * h, axes, (0.011 * h, 0.005 * h, 0.017 * h), c.skin),
                ball(face + ahead * 0.0445 * h + up * 0.012 * h + aside * 0.017 * h, 0.0062 * h, DARK),
                ellipsoid(
                    face + ahead * 0.046 * h + up * 0.022 * h + aside * 0.018 * h,
                    axes,
                    (0.005 * h, 0.012 * h, 0.003 * h),
                    c.hair,
                ),
            ]
        return parts

    def arm(self, side: str) -> list[Shape]:
        """Return shoulder, upper arm, forearm and hand."""
        g, c = self.girth, self.clothes
        shoulder, elbow, wrist, hand = (self[f"{side}_{n}"] for n in ("shoulder", "elbow", "wrist", "hand"))
        upper = c.shirt if c.sleeves else c.skin
        beyond = hand + (hand - wrist) * 0.3
        return [
            ball(shoulder, 0.039 * g, c.shirt),
            limb(shoulder, elbow, -0.05, 0.62, 0.035 * g, upper),
            capsule(shoulder, elbow, 0.0245 * g, c.skin),
            limb(elbow, wrist, -0.08, 0.68, 0.0275 * g, c.skin),
            capsule(elbow, wrist, 0.018 * g, c.skin),
            capsule(elbow + (wrist - elbow) * 0.88, wrist, 0.0195 * g, WHITE),
            ellipsoid(
                (wrist + hand) / 2, axes_along(hand - wrist, ASIDE), (0.016 * g, 0.024 * g, 0.033 * self.h), c.skin
            ),
            ellipsoid(
                (hand + beyond) / 2, axes_along(hand - wrist, ASIDE), (0.021 * g, 0.026 * g, 0.018 * self.h), c.skin
            ),
        ]

    def leg(self, side: str) -> list[Shape]:
        """Return thigh, shank and shoe."""
        g, c, h = self.girth, self.clothes, self.h
        hip, knee, ankle, heel, toe = (self[f"{side}_{n}"] for n in ("hip", "knee", "ankle", "heel", "toe"))
        shank = c.shorts if c.long_legs else c.skin
        along = toe - heel
        up = np.cross(np.cross(along, ankle - heel), along)
        up = up / np.linalg.norm(up)
        axes = axes_along(along, np.cross(along, up))
        sleeve = DARK if c.has_knee_sleeves else shank
        stripe = axes_along(knee - hip, ASIDE)[:, 1] * (1 if side == "right" else -1)
        return [
            capsule(hip, hip + (knee - hip) * 0.62, 0.052 * g, c.shorts),
            limb(hip, knee, -0.1, 0.85, 0.058 * g, c.shorts),
            capsule(hip, knee, 0.036 * g, shank),
            limb(hip, knee, 0.3, 1.05, 0.045 * g, shank),
            ball(knee, 0.039 * g, sleeve),
            capsule(knee + (hip - knee) * 0.1, knee + (ankle - knee) * 0.12, 0.037 * g, sleeve),
            capsule(hip + stripe * 0.051 * g, hip + (knee - hip) * 0.6 + stripe * 0.05 * g, 0.012 * g, WHITE),
            limb(knee, ankle, -0.05, 0.62, 0.038 * g, shank),
            capsule(knee, ankle, 0.023 * g, shank),
            capsule(ankle, ankle + (knee - ankle) * 0.12, 0.026 * g, WHITE),
            ellipsoid(heel + along * 0.45 + up * 0.022 * h, axes, (0.024 * h, 0.026 * h, 0.082 * h), c.shoes),
            ellipsoid(heel + along * 0.22 + up * 0.03 * h, axes, (0.03 * h, 0.024 * h, 0.042 * h), c.shoes),
            ellipsoid(heel + along * 0.77 + up * 0.017 * h, axes, (0.018 * h, 0.027 * h, 0.04 * h), c.shoes),
            Shape("box", heel + along * 0.5 + up * 0.005 * h, axes, (0.005 * h, 0.024 * h, 0.07 * h), WHITE),
        ]


def person(points: Floats, body: Body, girth: float, clothes: Clothes) -> list[Shape]:
    """Return one person.

    Args:
        points: (K, 3), keypoints; x forward, y up from the floor, z to the person's right.
        body: Bone lengths.
        girth: 1 for a lean person, more for a heavy one.
        clothes: What the person wears.
    """
    figure = _Figure(points, body, girth, clothes)
    parts = [*figure.trunk(), *figure.head()]
    for side in ("left", "right"):
        parts += [*figure.arm(side), *figure.leg(side)]
    return parts


def plate_face_m(bar: BarSpec) -> float:
    """Return how far the outer face of the outermost full-sized disc is from the middle of the bar."""
    widths = [
        w for w, d in zip(bar.disc_widths_m, bar.disc_diameters_m, strict=True) if d >= bar.plate_diameter_m - 1e-9
    ]
    return SLEEVE_START_M + COLLAR_M + sum(widths)


def disc(
    centre: Floats,
    axis: Floats,
    diameter_m: float,
    width_m: float,
    colour: Rgb,
    roll_rad: float,
    face: Face = "lettered",
    shine: float = 0.3,
) -> Shape:
    """Return one disc whose lettering turns with the bar; `axis` points outward."""
    out = np.array([np.cos(roll_rad), np.sin(roll_rad), 0.0])
    radius = diameter_m / 2
    return Shape("disc", centre, axes_along(axis, out), (radius, radius, width_m / 2), colour, shine, face=face)


def bend_m(bar: BarSpec, offset_m: float, out_m: Floats | float) -> Floats:
    """Return how far above the hands' bar a bent bar is, at `out_m` from its middle: level, then a parabola.

    Args:
        bar: The bar.
        offset_m: Height of the middle of the discs above that of the hands.
        out_m: Distance from the middle of the bar.
    """
    share = np.maximum(np.asarray(out_m) - BENDS_FROM_M, 0.0) / (discs_middle_m(bar) - BENDS_FROM_M)
    return np.asarray(offset_m * np.where(share < 1, share**2, 2 * share - 1))


def discs_middle_m(bar: BarSpec) -> float:
    """Return how far the middle of the discs of one side is from the middle of the bar."""
    return SLEEVE_START_M + COLLAR_M + sum(bar.disc_widths_m) / 2


def loaded_bar(centre: Floats, bar: BarSpec, roll_rad: float, offset_m: float = 0.0) -> list[Shape]:
    """Return bar, sleeves, collars and discs around `centre` (3,), along z; the discs `offset_m` above it."""
    parts = []
    for sign in (-1.0, 1.0):
        parts += _half_bar(centre, bar, roll_rad, offset_m, sign)
    if offset_m == 0.0:
        return [cylinder(centre, ASIDE, GRIP_RADIUS_M, SLEEVE_START_M, STEEL, 0.6), *parts]
    knots = np.linspace(-SLEEVE_START_M, SLEEVE_START_M, 11)
    line = centre + np.column_stack([0 * knots, bend_m(bar, offset_m, abs(knots)), knots])
    return [*parts, *(capsule(a, b, GRIP_RADIUS_M, STEEL) for a, b in pairwise(line))]


def _half_bar(centre: Floats, bar: BarSpec, roll_rad: float, offset_m: float, sign: float) -> list[Shape]:
    """Return sleeve, collars and discs of the side that `sign` says, square to the bent bar."""
    slope = 2 * offset_m / (discs_middle_m(bar) - BENDS_FROM_M)
    axis = np.array([0.0, slope, sign]) / np.hypot(1, slope)

    def at(out_m: float) -> Floats:
        return np.asarray(centre + np.array([0.0, float(bend_m(bar, offset_m, out_m)), sign * out_m]))

    sleeve, half = (SLEEVE_START_M + SLEEVE_END_M) / 2, (SLEEVE_END_M - SLEEVE_START_M) / 2
    parts = [
        cylinder(at(sleeve), axis, SLEEVE_RADIUS_M, half, STEEL, 0.6),
        cylinder(at(SLEEVE_START_M + COLLAR_M / 2), axis, 0.04, COLLAR_M / 2, STEEL, 0.6),
    ]
    out = SLEEVE_START_M + COLLAR_M
    for width, diameter, colour in zip(bar.disc_widths_m, bar.disc_diameters_m, bar.disc_colours, strict=True):
        middle = at(out + width / 2)
        parts.append(disc(middle, axis, diameter, width - 0.002, colour, roll_rad, bar.faces, bar.shine))
        out += width
    return [*parts, cylinder(at(out + 0.02), axis, 0.045, 0.02, STEEL, 0.6)]


def lifter_and_bar(
    points: Floats,
    state: BarState,
    index: int,
    body: Body,
    girth: float,
    clothes: Clothes,
    bar: BarSpec,
    offset_m: float = 0.0,
) -> list[Shape]:
    """Return everything that moves at one time: `points` (T, K, 3) and `state` at `index`; discs `offset_m` higher."""
    x, y = state.position_m[index]
    centre = np.array([x, y + bar.plate_diameter_m / 2, 0.0])
    return [
        *person(points[index], body, girth, clothes),
        *loaded_bar(centre, bar, 0.4 + 0.9 * x, offset_m),
        *_shadows(points[index], centre, bar),
    ]


def _shadows(points: Floats, centre: Floats, bar: BarSpec) -> list[Shape]:
    """Return soft-looking patches under feet, body and discs; real shadows would double the cost of a frame."""
    feet = points[[INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("heel", "toe")]].mean(axis=0)
    hips = (points[INDEX["left_hip"]] + points[INDEX["right_hip"]]) / 2
    middle = np.array([(feet[0] + hips[0]) / 2, 0.0, 0.0])
    parts = [shadow(middle, 0.3, 0.38, 0.22), shadow(middle, 0.2, 0.28, 0.22)]
    strength = 0.45 / (1 + 3 * max(0.0, float(centre[1]) - bar.plate_diameter_m / 2))
    out = SLEEVE_START_M + COLLAR_M + sum(bar.disc_widths_m) / 2
    for sign in (-1.0, 1.0):
        parts.append(shadow(centre + ASIDE * sign * out, 0.16, 0.02 + sum(bar.disc_widths_m) / 2, strength))
    return parts
