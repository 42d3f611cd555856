"""The rim of a plate over many frames: one outer radius and shape for all of them, and the centre in each."""

from dataclasses import dataclass, replace

import numpy as np
import scipy.ndimage

from perception.pose import Floats

RIM_BAND = 0.055  # of the radius: edges this near to the circle belong to the rim
RING_SHARE = 0.35  # of the best ring's support: weaker ones are not the rim
RING_FLOOR = 0.08  # share of rays that must show a ring in the same place over the clip
MIN_FRAMES = 10  # with a rim, below this there is no plate
MOST_TRIED = 14  # frames on which first guesses are tried
NEARLY = 0.75  # of the greatest sharpness that a guess ends on: a larger ring with as much is the rim
MORE_RIM = 1.1  # times the rim that the sharpest guess shows, which outweighs sharpness
COMPANION = (0.55, 0.92)  # of the radius, where a ring is looked for that shows as well as the rim
AS_PLAIN = 0.8  # times what the rim shows
CONCENTRIC = 0.05  # of the radius, between the centres of rings of one disc
RING_STEP = 0.01  # of the radius, between the distances at which rings are looked for
RING_BINS = np.arange(0.5, 1.5, RING_STEP)  # of the radius
TALL_SD, NARROW_SD = 0.03, 0.06  # flattening of discs seen square: wider than tall by error, or turned a little
SWEEPS = (0.0, 0.15, 0.3, 0.45, 0.6)  # of the radius, how far the outline of a stack goes on past its near face
RADII_TURNED = (0.9, 1.0, 1.1, 1.22)  # times the voted radius
FLATTER = (1.0, 0.88, 0.78)  # times the voted width over height, tried where discs are ellipses
SIZES_TRIED = (0.90, 0.95, 1.05, 1.10)  # of the radius, in single frames of a disc that may change its size
AS_MUCH = 0.97  # of the most rim that a size shows: of those with as much the largest is the rim, the others its lip
SETTLED_PX = 0.03  # px, a fit whose centres all move by less is done
MOST_SIZED = 60  # frames whose size is fitted
GROWTH_NOISE = 0.015  # of the radius, SD of a frame's size about the plane
LEFT_OVER = 0.5  # of the sizes' median deviation that the plane must not exceed to be believed
LEAST_GROWTH, MOST_GROWTH = 0.03, 0.30  # of the radius along the way; less is noise, more is another disc
MIN_RADIUS_SD_PX = 0.1  # px, no edge is known better than this on average
FLATTEST, ROUNDEST = (
    -0.62,
    0.1,
)  # flattening of a disc turned by 68 degrees, and of one that is taller than wide by error
MIN_RIM_SHARE = 0.22  # share of rays on the rim below which the plate counts as not seen


@dataclass(frozen=True, slots=True, eq=False)
class Rims:
    """Edge points of the chosen discs for N frames.

    Attributes:
        points_px: (N, R, P, 2), infinitely far away where there is no edge; strength: (N, R, P).
        trust: (N, R), 0 to 1, how surely the outline in this direction is that of the near face.
        sweep_px: How far right of the near face the last disc of a stack ends, less than 0 for left; 0 for one disc.
    """

    points_px: Floats
    strength: Floats
    trust: Floats
    sweep_px: float = 0.0

    def part(self, which: slice) -> "Rims":
        """Return those of some frames."""
        return Rims(self.points_px[which], self.strength[which], self.trust[which], self.sweep_px)


def first_radius(rims: Rims, centre: Floats, voted_px: float, most_px: float, *, is_turned: bool) -> float:
    """Return the radius to begin with, found on a few frames.

    From between two rings the fit can end leaning on both, and a disc behind can lengthen the outline. So several
    guesses are followed. About the true centres all rings of a disc are sharp at once; of the guesses that are nearly
    as sharp as the sharpest, and concentric with it or with as much of a rim, and of those with plainly more of a rim,
    the largest is taken.

    Args:
        rims: Edges of N frames.
        centre: (N, 2), where the discs were voted for.
        voted_px: Radius that was voted for.
        most_px: Larger ones are something else.
        is_turned: Whether the bar is known to be turned against the picture, so that discs may be narrow.
    """
    some = slice(None, None, max(1, len(centre) // MOST_TRIED))
    few = rims.part(some)
    guesses = {voted_px, _outer_radius(few, centre[some], voted_px, most_px), *(r * voted_px for r in (0.9, 1.1, 1.2))}
    fits = [(c, r, q) for c, _, r, _, q in (fit_rims(few, centre[some], r, 0.0) for r in sorted(guesses))]
    sharp = [_sharpness(few, c, r, q, is_turned) for c, r, q in fits]
    seen = [float(np.mean(_nearest_edges(few, c, r, q, RIM_BAND)[2])) for c, r, q in fits]
    best = int(np.argmax(sharp))
    away = [float(np.median(np.linalg.norm(c - fits[best][0], axis=1))) / r for c, r, _ in fits]
    good = [
        r
        for (_, r, _), s, n, a in zip(fits, sharp, seen, away, strict=True)
        if r < most_px
        and ((s >= NEARLY * sharp[best] and (a < CONCENTRIC or n >= seen[best])) or n >= MORE_RIM * seen[best])
    ]
    return max(good, default=voted_px)


def _sharpness(rims: Rims, centre: Floats, radius: float, flattening: float, is_turned: bool) -> float:
    """Return how sharply rings stand out about these centres; less for a shape that such a disc hardly has."""
    over = _rings_about(rims, centre, np.full(len(centre), radius), flattening)
    unlikely = flattening / TALL_SD if flattening > 0 else 0.0 if is_turned else flattening / NARROW_SD
    return float(np.sum(np.maximum(over, 0) ** 2) / (1 + unlikely**2))


def companion_ring(rims: Rims, centre: Floats, radius: Floats, flattening: float) -> float | None:
    """Return the radius, over that of the rim (N,), of a ring inside it that shows about as well; None where none does.

    A lip is often plainer than the rim before a wall of its colour; where both are, the centre is beyond doubt.
    """
    over = _rings_about(rims, centre, radius, flattening)
    middle = (RING_BINS[:-1] + RING_BINS[1:]) / 2
    inside = (middle > COMPANION[0]) & (middle < COMPANION[1])
    rim = float(np.max(over[np.abs(middle - 1) < RIM_BAND]))
    best = int(np.argmax(np.where(inside, over, 0.0)))
    return float(middle[best]) if over[best] > max(AS_PLAIN * rim, RING_FLOOR) else None


def share_on_rim(rims: Rims, centre: Floats, radius: float | Floats, flattening: float) -> Floats:
    """Return (N,), the share of rays with an edge on a rim of this size about centres (N, 2)."""
    weight = _nearest_edges(rims, centre, radius, flattening, RIM_BAND)[2]
    return np.asarray(np.mean(weight > 0.2 * rims.trust, axis=1))


def first_shape(
    rims: Rims, centre: Floats, voted_px: float, flattening: float, inner_side: float
) -> tuple[float, float, float]:
    """Return radius, flattening and sweep to begin with for a disc that is turned, found on a few frames.

    The outline of a whole stack of discs looks like a larger and rounder disc. It is that of the near face, swept
    along the bar. So flatter faces and several sweeps are tried, and what shows most of a rim is taken.
    """
    some = slice(None, None, max(1, len(centre) // MOST_TRIED))
    few, start = rims.part(some), centre[some]
    best, most = (voted_px, flattening, 0.0), 0.0
    for share in SWEEPS if inner_side else (0.0,):
        sweep = share * inner_side * voted_px
        swept = replace(few, sweep_px=sweep)
        for times in FLATTER:
            for radius in RADII_TURNED:
                c, _, r, _, q = fit_rims(
                    swept, start - np.array([sweep / 2, 0.0]), radius * voted_px, (1 + flattening) * times - 1
                )
                seen = float(np.mean(_nearest_edges(swept, c, r, q, RIM_BAND)[2]))
                if seen > most:
                    best, most = (r, q, sweep), seen
    return best


def fit_rims(
    rims: Rims, centre: Floats, radius: float, flattening: float
) -> tuple[Floats, Floats, float, float, float]:
    """Return centres, shares of rays on the rim, radius, its SD and flattening, from a first guess of the shape."""
    centre, _ = fit_centres(rims, centre, radius, flattening, band=0.16)
    for band in (0.10, RIM_BAND, RIM_BAND):
        centre, share = fit_centres(rims, centre, radius, flattening, band)
        radius, radius_sd, flattening = _fit_shape(rims, centre, radius, flattening, share, band)
    centre, share = fit_centres(rims, centre, radius, flattening, RIM_BAND)
    return centre, share, radius, radius_sd, flattening


def growth_of(rims: Rims, centre: Floats, radius: float, flattening: float) -> Floats:
    """Return (3,), the logarithm of the disc's size over `radius`: at the picture's corner, and a pixel right and down.

    All are 0 where it keeps its size.

    A camera that is near, or not at the plate's height, sees the disc change its size along the way. Each frame's size
    is fitted with its centre, and a plane through the sizes taken that single frames cannot bend.
    """
    some = slice(None, None, max(1, len(centre) // MOST_SIZED))
    few = rims.part(some)
    once = _sized(few, centre[some], radius, radius, flattening)
    seen = once[2] >= MIN_RIM_SHARE
    if seen.sum() < MIN_FRAMES or np.ptp(np.quantile(np.log(once[1][seen]), [0.1, 0.9])) < LEAST_GROWTH:
        return np.zeros(3)  # sizes that scatter less than that do not grow
    tried = [once, *(_sized(few, centre[some], radius, times * radius, flattening) for times in SIZES_TRIED)]
    centres, sizes, shares = (np.stack(part) for part in zip(*tried, strict=True))
    best = np.argmax(np.where(shares >= AS_MUCH * shares.max(axis=0), sizes, 0.0), axis=0)
    centre, size, share = (part[best, np.arange(len(best))] for part in (centres, sizes, shares))
    good = share >= MIN_RIM_SHARE
    if good.sum() < MIN_FRAMES:
        return np.zeros(3)
    middle = np.median(centre[good], axis=0)
    offset = centre[good] - middle
    design, log_size, weight = np.column_stack([np.ones(good.sum()), offset]), np.log(size[good] / radius), share[good]
    ridge = np.diag([0.0, *(2 * [(0.3 * radius) ** 2])])
    for _ in range(10):
        plane = np.linalg.solve(design.T * weight @ design + ridge, design.T @ (weight * log_size))
        weight = share[good] / (1 + ((log_size - design @ plane) / GROWTH_NOISE) ** 2)
    change = float(np.ptp(np.quantile(offset @ plane[1:], [0.05, 0.95])))
    left, whole = (float(np.median(np.abs(off))) for off in (log_size - design @ plane, log_size - np.median(log_size)))
    if not (LEAST_GROWTH < change < MOST_GROWTH and left < LEFT_OVER * whole):
        return np.zeros(3)
    return np.array([plane[0] - middle @ plane[1:], *plane[1:]])


def _sized(
    rims: Rims, centre: Floats, radius: float, start_px: float, flattening: float
) -> tuple[Floats, Floats, Floats]:
    """Return the (N, 2) centres, (N,) radii and shares of the rim seen, each frame with a radius of its own."""
    size = np.full(len(centre), start_px)
    share = np.zeros(len(centre))
    for band in (0.16, 0.10, 0.07, RIM_BAND):
        centre, share = fit_centres(rims, centre, size, flattening, band)
        distance, normal, weight = _nearest_edges(rims, centre, size, flattening, band)
        design = np.concatenate([normal, np.ones((*distance.shape, 1))], axis=2)
        lhs = np.einsum("nr,nri,nrj->nij", weight, design, design) + np.diag([1e-3, 1e-3, 0.5])
        step = np.linalg.solve(lhs, np.einsum("nr,nri,nr->ni", weight, design, distance)[..., None])[..., 0]
        size = np.clip(size + np.clip(step[:, 2], -0.05 * radius, 0.05 * radius), 0.8 * radius, 1.2 * radius)
    return centre, size, share


def fit_centres(
    rims: Rims, centre: Floats, radius: float | Floats, flattening: float, band: float
) -> tuple[Floats, Floats]:
    """Return (N, 2) centres and the (N,) share of rays with an edge on the rim.

    `radius` is one for all frames or (N,). Four rounds of weighted Gauss-Newton on the signed distance to an ellipse of fixed size, on each ray the edge
    nearest to it; edges farther away than `band` radii weigh nothing (Tukey's biweight).
    """
    centre = centre.copy()
    most = 0.2 * np.broadcast_to(radius, len(centre))[:, None]
    weight = np.zeros(rims.trust.shape)
    for _ in range(4):
        distance, normal, weight = _nearest_edges(rims, centre, radius, flattening, band)
        weighted = (weight[..., None] * normal).transpose(0, 2, 1)
        step = np.linalg.solve(weighted @ normal + 1e-3 * np.eye(2), weighted @ distance[..., None])[..., 0]
        centre += np.clip(step, -most, most) * np.array([1 + flattening, 1.0])
        if np.max(np.abs(step)) < SETTLED_PX:
            break
    return centre, np.asarray(np.mean(weight > 0.2 * rims.trust, axis=1))


def _nearest_edges(
    rims: Rims, centre: Floats, radius: float | Floats, flattening: float, band: float
) -> tuple[Floats, Floats, Floats]:
    """Return (N, R) signed distance to the rim, (N, R, 2) outward normals, (N, R) weights of the best edge on each ray.

    Distances and normals are those of a picture whose x axis is stretched so that the disc is round.
    """
    across = rims.points_px[..., 0] - centre[:, 0, None, None]
    if rims.sweep_px:
        past = np.sign(rims.sweep_px) * across
        across -= np.sign(rims.sweep_px) * np.clip(past, 0.0, abs(rims.sweep_px))
    across /= 1 + flattening
    down = rims.points_px[..., 1] - centre[:, 1, None, None]
    size = np.broadcast_to(radius, len(centre))[:, None]
    off = np.sqrt(across * across + down * down) - size[..., None]
    nearest = np.argmin(np.abs(off), axis=2)
    nearest += off.shape[2] * np.arange(nearest.size).reshape(nearest.shape)
    distance, strength = off.take(nearest), rims.strength.take(nearest)
    arm = np.stack([across.take(nearest), down.take(nearest)], axis=2)
    nearness = np.maximum(1 - (distance / (band * size)) ** 2, 0.0)
    weight = nearness**2 * (strength / (strength + 20.0)) * rims.trust
    is_near = weight > 0
    distance = np.where(is_near, distance, 0.0)
    normal = np.where(is_near[..., None], arm, 0.0) / np.maximum(distance + size, 1e-6)[..., None]
    return distance, normal, weight


def _outer_radius(rims: Rims, centre: Floats, start_px: float, most_px: float) -> float:
    """Return the radius of the outermost ring that is concentric in most frames.

    Discs carry inner rings (lip, lettering, hub), and votes may have chosen one. Rings of the disc keep their radius
    from frame to frame, what lies behind it does not.
    """
    length = np.linalg.norm(rims.points_px - centre[:, None, None, :], axis=3) / start_px
    bins = np.arange(0.70, max(most_px / start_px, 1.2), RING_STEP)
    support = _ring_support(rims, length, bins, 5)
    middle = (bins[:-1] + bins[1:]) / 2
    is_peak = (support >= np.roll(support, 1)) & (support > np.roll(support, -1))
    over = _standing_out(support, 41)
    strong = is_peak & (over > RING_SHARE * over.max()) & (over > RING_FLOOR)
    return float(middle[np.flatnonzero(strong)[-1]] * start_px) if strong.any() else start_px


def _rings_about(rims: Rims, centre: Floats, radius: Floats, flattening: float) -> Floats:
    """Return how far rings stand out at each of RING_BINS about centres (N, 2) of discs with a radius each, (N,)."""
    off = rims.points_px - centre[:, None, None, :]
    length = np.hypot(off[..., 0] / (1 + flattening), off[..., 1]) / radius[:, None, None]
    return _standing_out(_ring_support(rims, length, RING_BINS, 3), 21)


def _ring_support(rims: Rims, length: Floats, bins: Floats, width: int) -> Floats:
    """Return the share of rays with an edge at each distance from the centre, over `width` bins."""
    weight = rims.strength / (rims.strength + 20.0) * rims.trust[..., None]
    known = np.isfinite(length)
    histogram, _ = np.histogram(length[known], bins, weights=weight[known])
    return np.asarray(np.convolve(histogram, np.ones(width), "same") / max(float(rims.trust.sum()), 1.0))


def _standing_out(support: Floats, size: int) -> Floats:
    """Return what stands out of the level of edges that are everywhere."""
    return np.asarray(support - scipy.ndimage.median_filter(support, size=size, mode="nearest"))


def _fit_shape(
    rims: Rims, centre: Floats, radius: float, flattening: float, share: Floats, band: float
) -> tuple[float, float, float]:
    """Return radius, its SD and flattening, from frames that show most of the rim.

    On the scaled circle a residual distance reads dr + dq * radius * cos(angle)^2 + the centre's own shift. Least squares
    over all frames at once, each frame's shift eliminated; the SD comes from leaving out one of eight groups in turn.
    """
    good = np.flatnonzero(share >= max(0.4, float(np.quantile(share, 0.3))))
    if len(good) < 8:
        return radius, 0.05 * radius, flattening
    distance, normal, weight = _nearest_edges(rims, centre, radius, flattening, band)
    design = np.stack([np.ones_like(distance), radius * normal[..., 0] ** 2], axis=2)[good]
    normal, distance, weight = normal[good], distance[good], weight[good]
    shift = np.einsum("nr,nri,nrj->nij", weight, normal, normal) + 1e-3 * np.eye(2)
    mixed = np.einsum("nr,nri,nrj->nij", weight, design, normal)
    own = np.einsum("nr,nri,nrj->nij", weight, design, design)
    gain = mixed @ np.linalg.inv(shift)
    lhs = own - gain @ mixed.transpose(0, 2, 1)
    rhs = np.einsum("nr,nri,nr->ni", weight, design, distance)
    rhs = rhs - np.einsum("nij,nr,nrj,nr->ni", gain, weight, normal, distance)
    dr, dq = _solve_shape(lhs, rhs)
    groups = np.arange(len(good)) % 8
    parts = np.array([_solve_shape(lhs[groups != g], rhs[groups != g])[0] for g in range(8)])
    sd = float(np.sqrt(7 / 8 * np.sum((parts - parts.mean()) ** 2)))
    wider = (1 + flattening) * dq  # dq is of the stretched circle
    return radius + dr, max(sd, MIN_RADIUS_SD_PX), float(np.clip(flattening + wider, FLATTEST, ROUNDEST))


def _solve_shape(lhs: Floats, rhs: Floats) -> tuple[float, float]:
    dr, dq = np.linalg.solve(lhs.sum(axis=0), rhs.sum(axis=0))
    return float(dr), float(dq)
