"""Ellipses fitted to the rims of discs in a single picture: the picture unrolled about a centre, edges on every ray."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from perception.pose import Floats, Image, check_shape, freeze

N_RAYS = 72
WORK_RADIUS_PX = 26.0  # px, discs are shrunk to between this radius and its double before they are unrolled
STEP = 0.025  # of the radius, between samples on a ray
COARSE = np.arange(0.40, 1.65, 0.04)  # of the radius, where rims are looked for before that
NEAR_RIM = np.arange(0.65, 1.36, STEP)  # of the radius, where rims are looked for while an ellipse is fitted
WHOLE_DISC = np.arange(0.10, 1.90, STEP)  # of the radius, where a disc is judged
ALONG_RIM = 2.0  # rays, SD of the blur along the rim: only edges that go round with it survive
SNAP_MOVES = np.linspace(-0.24, 0.24, 7)  # of the radius, tried both ways about a voted centre
SNAP_GROWTHS = np.linspace(-0.27, 0.27, 10)  # of the radius, tried about a voted radius
CIRCLE_BANDS = (0.26, 0.18, 0.12)  # of the radius, how far an edge may be from the rim, round after round
ELLIPSE_BANDS = (0.14, 0.10, 0.08, 0.06)  # the same once the shape may change
ROUND_PRIOR = 2.0  # rays that speak for a shape that stays as it is
EDGE_FLOOR = 5.0  # grey levels: an edge of this size counts half
FLATTEST = 0.45  # minor over major axis; a disc seen flatter shows no rim

_ANGLES = np.linspace(0, 2 * np.pi, N_RAYS, endpoint=False)
UNITS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
"""(N_RAYS, 2) unit vectors, x right and y down."""


@dataclass(frozen=True, slots=True, eq=False)
class Rings:
    """N ellipses: centre + shape @ unit vector.

    Attributes:
        centre_px: (N, 2); shape_px: (N, 2, 2), symmetric, its eigenvalues are the half axes.
    """

    centre_px: Floats
    shape_px: Floats

    def __post_init__(self) -> None:
        check_shape("centre_px", self.centre_px, (len(self.shape_px), 2))
        check_shape("shape_px", self.shape_px, (None, 2, 2))
        freeze(self.centre_px, self.shape_px)

    @property
    def radius_px(self) -> Floats:
        """Radius of the circle with the same area, (N,)."""
        return np.asarray(np.sqrt(np.maximum(np.linalg.det(self.shape_px), 1e-9)))

    @property
    def half_size_px(self) -> Floats:
        """Half of the width and of the height of the box around each, (N, 2)."""
        return np.asarray(np.linalg.norm(self.shape_px, axis=2))

    def pick(self, index: npt.NDArray[np.int64]) -> "Rings":
        """Return some of them, in this order."""
        return Rings(self.centre_px[index], self.shape_px[index])

    def scaled(self, by: Floats) -> "Rings":
        """Return them larger by a factor each, (N,)."""
        return Rings(self.centre_px.copy(), self.shape_px * by[:, None, None])


def upright_rings(centre_px: Floats, half_height_px: Floats, aspect: Floats) -> Rings:
    """Return N ellipses of this half height, and half as wide as aspect times that."""
    shape = np.zeros((len(centre_px), 2, 2))
    shape[:, 0, 0], shape[:, 1, 1] = aspect * half_height_px, half_height_px
    return Rings(centre_px.copy(), shape)


def joined(one: Rings, other: Rings) -> Rings:
    """Return the ellipses of both."""
    return Rings(np.concatenate([one.centre_px, other.centre_px]), np.concatenate([one.shape_px, other.shape_px]))


@dataclass(frozen=True, slots=True, eq=False)
class Unrolled:
    """The picture about N ellipses, along rays in units of each ellipse.

    Attributes:
        colours: (N, N_RAYS, S, 3), not blurred.
        slope: (N, N_RAYS, S), grey levels of edges that run along the rim, in the colour in which they are largest.
        is_inside: (N, N_RAYS, S), whether that is inside the picture.
    """

    colours: npt.NDArray[np.uint8]
    slope: npt.NDArray[np.float32]
    is_inside: npt.NDArray[np.bool_]


class Pyramid:
    """A picture at halved sizes, to be unrolled about centres at the size that suits each disc."""

    def __init__(self, image_rgb: Image) -> None:
        self._levels = [image_rgb]

    def unroll(self, rings: Rings, rho: Floats) -> Unrolled:
        """Return the picture along the rays of ellipses at the distances `rho`, in their radii."""
        level = np.maximum(0, np.floor(np.log2(rings.radius_px / WORK_RADIUS_PX))).astype(int)
        reach = np.einsum("nij,rj->nri", rings.shape_px, UNITS)
        at = rings.centre_px[:, None, None, :] + reach[:, :, None, :] * rho[None, None, :, None]
        colours = np.zeros((*at.shape[:3], 3), np.uint8)
        for step in np.unique(level):
            image, shrink = self._level(int(step))
            there = ((at[level == step] + 0.5) * shrink - 0.5).astype(np.float32)
            rows = there.reshape(-1, len(rho), 2)
            rolled = [  # remap takes no more than 32767 rows at once
                cv2.remap(image, part[..., 0], part[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
                for part in np.array_split(rows, len(rows) // 20000 + 1)
            ]
            colours[level == step] = np.concatenate(rolled).reshape(*there.shape[:3], 3)
        height, width = self._levels[0].shape[:2]
        inside = (at >= 0).all(axis=3) & (at[..., 0] <= width - 1) & (at[..., 1] <= height - 1)
        return Unrolled(colours, _slope(colours, inside), inside)

    def _level(self, step: int) -> tuple[Image, Floats]:
        while len(self._levels) <= step:
            last = self._levels[-1]
            half = (max(4, last.shape[1] // 2), max(4, last.shape[0] // 2))
            self._levels.append(np.asarray(cv2.resize(last, half, interpolation=cv2.INTER_AREA), dtype=np.uint8))
        small, full = self._levels[step], self._levels[0]
        return small, np.array([small.shape[1] / full.shape[1], small.shape[0] / full.shape[0]])


def _slope(colours: npt.NDArray[np.uint8], inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Return the size of edges across the rays, after a blur from ray to ray that leaves only what goes round."""
    n, _, steps, _ = colours.shape
    if n == 0:
        return np.zeros(inside.shape, np.float32)
    pad = int(np.ceil(3 * ALONG_RIM))
    wrapped = np.concatenate([colours[:, -pad:], colours, colours[:, :pad]], axis=1).astype(np.float32)
    soft = cv2.GaussianBlur(wrapped.reshape(-1, steps, 3), (1, 2 * pad + 1), sigmaX=1.0, sigmaY=ALONG_RIM)
    soft = soft.reshape(n, -1, steps, 3)[:, pad:-pad]
    slope = np.zeros(inside.shape, np.float32)
    change = soft[:, :, 4:] + soft[:, :, 3:-1] - soft[:, :, 1:-3] - soft[:, :, :-4]
    slope[:, :, 2:-2] = np.abs(change).max(axis=3) / 2
    slope[:, :, 2:-2][~(inside[:, :, 4:] & inside[:, :, :-4])] = 0
    return slope


def fit_circles(pyramid: Pyramid, rings: Rings) -> Rings:
    """Return ellipses moved and sized to the edges on their rays, twice as many; their shape stays.

    The first half starts from where the ellipses are, the second from where most of a rim shows nearby: where other
    edges are stronger than the rim one of the two often leads astray, rarely both.
    """
    snapped = _snapped(pyramid, rings)
    rings = joined(rings, snapped)
    for band in CIRCLE_BANDS:
        rings = _moved(rings, *rim_edges(pyramid.unroll(rings, NEAR_RIM).slope, NEAR_RIM, band), is_shaped=False)
    return rings


def _snapped(pyramid: Pyramid, rings: Rings) -> Rings:
    """Return each of them where, of all small moves and growths, most of the rim shows."""
    slope = pyramid.unroll(rings, COARSE).slope
    clear = slope / (slope + np.sqrt((slope**2).mean(axis=2, keepdims=True)) + EDGE_FLOOR)
    dx, dy, grown = (a.ravel() for a in np.meshgrid(SNAP_MOVES, SNAP_MOVES, SNAP_GROWTHS, indexing="ij"))
    rho = 1 + grown[:, None] + np.stack([dx, dy], axis=1) @ UNITS.T
    place = np.clip(np.rint((rho - COARSE[0]) / (COARSE[1] - COARSE[0])).astype(int), 0, len(COARSE) - 1)
    flat = (np.arange(N_RAYS) * len(COARSE) + place).ravel()
    best = [int(np.argmax(c.ravel()[flat].reshape(place.shape).mean(axis=1))) for c in clear]
    centre = rings.centre_px + np.einsum("nij,nj->ni", rings.shape_px, np.stack([dx[best], dy[best]], axis=1))
    return Rings(centre, rings.shape_px * (1 + grown[best])[:, None, None])


def fit_ellipses(pyramid: Pyramid, rings: Rings) -> Rings:
    """Return ellipses moved, sized and shaped to the edges on their rays."""
    for band in ELLIPSE_BANDS:
        rings = _moved(rings, *rim_edges(pyramid.unroll(rings, NEAR_RIM).slope, NEAR_RIM, band), is_shaped=True)
    return rings


def rim_edges(slope: npt.NDArray[np.float32], rho: Floats, band: float) -> tuple[Floats, Floats]:
    """Return (N, R) offset of the best edge of each ray from the rim, in radii, and its weight from 0 to 1."""
    near = np.flatnonzero(np.abs(rho - 1) <= band)
    window = np.exp(-0.5 * ((rho[near] - 1) / (0.6 * band)) ** 2)
    pick = np.argmax(slope[:, :, near] * window, axis=2)[..., None] + near[0]
    left, here, right = (np.take_along_axis(slope, pick + k, 2)[..., 0].astype(float) for k in (-1, 0, 1))
    bend = left - 2 * here + right
    shift = np.where(bend < -1e-6, 0.5 * (left - right) / np.where(bend < -1e-6, bend, 1.0), 0.0)
    offset = rho[pick[..., 0]] - 1 + np.clip(shift, -0.5, 0.5) * STEP
    is_peak = (here >= left) & (here >= right)
    nearness = np.maximum(1 - (offset / (1.3 * band)) ** 2, 0) ** 2
    return offset, here / (here + EDGE_FLOOR) * np.where(is_peak, 1.0, 0.1) * nearness


def _moved(rings: Rings, offset: Floats, weight: Floats, is_shaped: bool) -> Rings:
    """Return the least-squares change of centre, size and shape, in each ellipse's own units."""
    x, y = UNITS[:, 0], UNITS[:, 1]
    design = np.stack([x, y, np.ones_like(x), x * x - y * y, 2 * x * y][: 5 if is_shaped else 3], axis=1)
    prior = np.diag([0.5, 0.5, 0.5, ROUND_PRIOR, ROUND_PRIOR][: design.shape[1]])
    lhs = np.einsum("nr,ri,rj->nij", weight, design, design, optimize=True) + prior
    rhs = np.einsum("nr,nr,ri->ni", weight, offset, design, optimize=True)
    step = np.zeros((len(offset), 5))
    step[:, : design.shape[1]] = np.clip(np.linalg.solve(lhs, rhs[..., None])[..., 0], -0.3, 0.3)
    centre = rings.centre_px + np.einsum("nij,nj->ni", rings.shape_px, step[:, :2])
    grown, wide, skew = step[:, 2], step[:, 3], step[:, 4]
    change = np.array([[1 + grown + wide, skew], [skew, 1 + grown - wide]]).transpose(2, 0, 1)
    return Rings(centre, _symmetric(rings.shape_px @ change))


def _symmetric(shape: Floats) -> Floats:
    """Return the symmetric matrices that draw the same ellipses, none flatter than FLATTEST."""
    values, vectors = np.linalg.eigh(shape @ shape.transpose(0, 2, 1))
    half = np.sqrt(np.maximum(values, 1e-6))
    half[:, 0] = np.maximum(half[:, 0], FLATTEST * half[:, 1])
    return np.asarray((vectors * half[:, None, :]) @ vectors.transpose(0, 2, 1))
