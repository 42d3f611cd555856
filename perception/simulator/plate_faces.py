"""The outer faces of weight plates: their solid of revolution, and pictures of lettering, holes and spokes."""

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from perception.pose import Floats, Image
from perception.simulator.spec import Face, Rgb

Indices = npt.NDArray[np.int_]
FACE_PX = 256
N_AROUND = 48  # sides of the drawn disc; its edge is within 0.1 % of a circle
_TEXTS = ("OLYMPIC TRAINING", "COMPETITION PLATE", "BUMPER  KG", "BARBELL CLUB")
_PROFILE = (
    (0.0, 1.0),
    (0.22, 1.0),
    (0.24, 0.72),
    (0.78, 0.72),
    (0.85, 1.0),
    (0.985, 1.0),
    (1.0, 0.93),
    (1.0, -0.93),
    (0.985, -1.0),
    (0.0, -1.0),
)
"""Radius and height of the section of a plate with a thick lip, over half its diameter and half its width."""


def disc_mesh() -> tuple[Floats, Floats, Floats, Indices]:
    """Return vertices (N, 3), normals (N, 3), picture coordinates (N, 2) and triangles (M, 3) of a disc of radius 1."""
    turn = 2 * np.pi * np.arange(N_AROUND + 1) / N_AROUND
    circle = np.column_stack([np.cos(turn), np.sin(turn)])
    larger = 1 + (np.pi / N_AROUND) ** 2 / 6  # so that the polygon is as large as the circle on average
    points: list[Floats] = []
    normals: list[Floats] = []
    places: list[Floats] = []
    triangles: list[Indices] = []
    for (r0, h0), (r1, h1) in pairwise(_PROFILE):
        first = len(points) * 2 * len(turn)
        outward = np.array([h0 - h1, r1 - r0]) / np.hypot(h0 - h1, r1 - r0)
        rings = [np.column_stack([circle * r * larger, np.full(len(turn), h)]) for r, h in ((r0, h0), (r1, h1))]
        points.append(np.vstack(rings))
        normals.append(np.vstack([np.column_stack([circle * outward[0], np.full(len(turn), outward[1])])] * 2))
        seen = [min(r, 0.96) if outward[1] > 0 else 0.96 for r in (r0, r1)]  # rim and back have the colour of the lip
        places.append(np.vstack([0.5 + 0.5 * circle * s for s in seen]))
        i = first + np.arange(N_AROUND)
        j = i + len(turn)
        triangles += [np.column_stack([i, j, j + 1]), np.column_stack([i, j + 1, i + 1])]
    return np.vstack(points), np.vstack(normals), np.vstack(places), np.vstack(triangles)


def shade(colour: Rgb, factor: float, lift: float = 0.0) -> Rgb:
    """Return the colour, darker or brighter by `factor` and paler by `lift`."""
    r, g, b = (min(1.0, max(0.0, c * factor + lift)) for c in colour)
    return r, g, b


def _paint(colour: Rgb) -> tuple[int, int, int]:
    r, g, b = (round(255 * c) for c in colour)
    return r, g, b


def _lettering(picture: Image, text: str, radius: float, colour: Rgb) -> None:
    """Write round a circle, twice; each letter is turned about its own middle."""
    middle, size = FACE_PX / 2, 26
    for i, letter in enumerate(text):
        for half in (0, 180):
            deg = half + (i - len(text) / 2) * 10.0
            tile = np.zeros((size, size), dtype=np.uint8)
            cv2.putText(tile, letter, (3, size - 5), cv2.FONT_HERSHEY_DUPLEX, 0.8, 255, 2, cv2.LINE_AA)
            at = middle + radius * np.array([np.sin(np.deg2rad(deg)), -np.cos(np.deg2rad(deg))])
            move = cv2.getRotationMatrix2D((size / 2, size / 2), -deg, 1.0)
            move[:, 2] = move[:, 2] + at - size / 2
            alpha = cv2.warpAffine(tile, move, (FACE_PX, FACE_PX))[..., None] / 255.0
            picture[:] = (picture * (1 - alpha) + np.array(_paint(colour)) * alpha).astype(np.uint8)


def face_picture(colour: Rgb, face: Face) -> Image:
    """Return (256, 256, 3): the face of a plate of this colour; its outer eighth has the plain colour."""
    picture = np.full((FACE_PX, FACE_PX, 3), _paint(colour), dtype=np.uint8)
    middle, half = (FACE_PX // 2, FACE_PX // 2), FACE_PX / 2
    pale, dark = shade(colour, 0.6, 0.38), shade(colour, 0.35)

    def ring(radius: float, paint: Rgb) -> None:
        cv2.circle(picture, middle, round(radius * half), _paint(paint), -1, cv2.LINE_AA)

    ring(0.85, shade(colour, 0.82))
    if face == "lettered":
        number = int(sum(colour) * 1000) % len(_TEXTS)
        _lettering(picture, _TEXTS[number], 0.66 * half, pale)
    for i in range({"holes": 6, "spokes": 5}.get(face, 0)):
        turn = 2 * np.pi * i / {"holes": 6, "spokes": 5}.get(face, 1)
        at = (round(half * (1 + 0.58 * np.cos(turn))), round(half * (1 + 0.58 * np.sin(turn))))
        size = (0.13, 0.13) if face == "holes" else (0.2, 0.16)
        axes = (round(size[0] * half), round(size[1] * half))
        cv2.ellipse(picture, at, axes, float(np.rad2deg(turn)), 0, 360, _paint(dark), -1, cv2.LINE_AA)
    ring(0.46, shade(colour, 1.1))
    if face == "spokes":
        cv2.circle(picture, middle, round(0.8 * half), _paint(pale), 2, cv2.LINE_AA)
    ring(0.24, (0.62, 0.63, 0.66))
    ring(0.11, (0.3, 0.3, 0.32))
    return picture
