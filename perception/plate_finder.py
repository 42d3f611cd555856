"""The near plate in a single picture: discs of every size voted for, their rims fitted, the one in the hands chosen."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from perception.disc_evidence import Evidence, Holders, confidence, holders, score, weigh
from perception.disc_votes import vote_circles
from perception.pose import Floats, Image, Person, check_shape, freeze
from perception.rings import WHOLE_DISC, Pyramid, Rings, fit_circles, fit_ellipses, joined, upright_rings

LONG_SIDE_PX = 640  # px, larger pictures are shrunk to this, smaller ones are left
SMALLEST = 0.03  # of the long side, the smallest radius that is looked for; the largest is 16 times that
N_OCTAVES = 4
VOTE_RADIUS_PX = 10.0  # px, in each octave the picture is scaled until its smallest radius is this large
VOTE_RADII = VOTE_RADIUS_PX * np.geomspace(1.0, 2.0, 9)[:-1]
EDGE_SHARE = 70  # percentile of gradients, against those around them, above which an edge votes
EDGE_FLOOR = 50.0  # Scharr units, 16 to a grey level a pixel: below this a gradient is noise
PER_OCTAVE = 12  # places kept of each octave, the best anywhere
PER_OCTAVE_IN_HAND = 6  # further places kept of each octave, the best a plate in somebody's hands can take
IN_HAND = 0.35  # statures from a hand
HELD_SIZES = (0.09, 0.32)  # statures, radii of what is held
N_JUDGED = 18  # discs whose rings are looked at
CLEAR_SCORE = 1.0  # of the best disc; below, discs that are turned to the side are looked for as well
FLAT = 0.7  # width over height of those to begin with
MAX_RINGS = 4  # of each disc
RING_SHARE = 0.35  # of a disc's best ring: weaker ones are not tried
RING_RANGE = (0.60, 1.75)  # of the voted radius
SAME_PLACE, SAME_SIZE = 0.15, 0.10  # of the radius: two fits this near are one
CONCENTRIC = 0.16  # of the larger radius, between the centres of rings of one disc
OUTER = (1.06, 2.2)  # of a ring's radius, where the rim of the same disc may lie
OUTER_RIM = (0.55, 0.50)  # rim and least rim that an outer ring must have
OUTER_GIVES, OUTER_SCORE = 1.3, 2.0  # evidence and score that an outer ring may lack against the best
MAX_FINDS = 3


@dataclass(frozen=True, slots=True, eq=False)
class PlateFind:
    """A plate in a picture.

    Attributes:
        centre_px: (2,), x right and y down.
        half_axes_px: (2,), the longer and the shorter.
        tilt_deg: Direction of the longer one, from x towards y, -90 to 90.
        confidence: 0 to 1, share of finds like this that are the near plate of the bar.
    """

    centre_px: Floats
    half_axes_px: Floats
    tilt_deg: float
    confidence: float

    def __post_init__(self) -> None:
        check_shape("centre_px", self.centre_px, (2,))
        check_shape("half_axes_px", self.half_axes_px, (2,))
        freeze(self.centre_px, self.half_axes_px)

    @property
    def half_size_px(self) -> tuple[float, float]:
        """Half of the width and of the height of the box around the plate."""
        long, short = self.half_axes_px
        cos, sin = np.cos(np.radians(self.tilt_deg)), np.sin(np.radians(self.tilt_deg))
        return float(np.hypot(long * cos, short * sin)), float(np.hypot(long * sin, short * cos))


def find_plates(image_rgb: Image, people: Sequence[Person] | None = None) -> list[PlateFind]:
    """Return discs that may be the near plate of the bar, the likeliest first.

    Edges vote for circles in four octaves of radius; the places with most votes are unrolled, ellipses are fitted to
    their rings, and each is judged by how much of its rim is seen, by its face, and by where hands and bodies are.

    Args:
        image_rgb: (H, W, 3).
        people: Who was found in the picture. With nobody the choice is by size and rim alone, and confidence is low.
    """
    small, shrink = _shrunk(image_rgb)
    held_by = holders(people or (), shrink, max(small.shape[:2]))
    pyramid = Pyramid(small)
    rings, votes = _fitted(pyramid, small, held_by, 1.0)
    seen, values = _judged(pyramid, rings, votes, held_by)
    if values.max(initial=-np.inf) < CLEAR_SCORE:
        flat_rings, flat_votes = _fitted(pyramid, small, held_by, FLAT)
        rings, votes = joined(rings, flat_rings), np.concatenate([votes, flat_votes])
        seen, values = _judged(pyramid, rings, votes, held_by)
    is_held = len(held_by.stature_px) > 0
    return [
        _find(rings, i, shrink, confidence(float(values[first]), is_held)) for first, i in _chosen(rings, seen, values)
    ]


def _judged(pyramid: Pyramid, rings: Rings, votes: Floats, held_by: Holders) -> tuple[Evidence, Floats]:
    seen = weigh(pyramid.unroll(rings, WHOLE_DISC), rings, votes)
    return seen, score(seen, held_by.prior(rings))


def _shrunk(image_rgb: Image) -> tuple[Image, float]:
    height, width = image_rgb.shape[:2]
    shrink = min(1.0, LONG_SIDE_PX / max(height, width))
    if shrink == 1.0:
        return image_rgb, 1.0
    size = (max(4, round(width * shrink)), max(4, round(height * shrink)))
    return np.asarray(cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8), shrink


def _voted_places(image: Image, held_by: Holders, aspect: float) -> Floats:
    """Return rows x, y, half height, votes over circumference, of discs this much narrower than high."""
    height, width = image.shape[:2]
    rows = []
    for octave in range(N_OCTAVES):
        scale = VOTE_RADIUS_PX / (SMALLEST * max(height, width) * 2**octave)
        size = (max(8, round(width * scale / aspect)), max(8, round(height * scale)))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        votes = vote_circles(*_edges_that_stand_out(np.asarray(small, np.uint8)), small.shape[:2], VOTE_RADII)
        best = votes.max(axis=0)
        ys, xs = np.nonzero((best == cv2.dilate(best, np.ones((7, 7), np.uint8))) & (best > 0))
        radius = VOTE_RADII[votes.argmax(axis=0)[ys, xs]] / scale
        at = (np.stack([xs, ys], axis=1) + 0.5) / (size[0] / width, size[1] / height) - 0.5
        rows.append(_most_voted(np.column_stack([at, radius, best[ys, xs]]), held_by))
    return np.concatenate(rows)


def _most_voted(places: Floats, held_by: Holders) -> Floats:
    """Return the places with most votes, and further ones where hands could hold a plate of that size."""
    places = places[np.argsort(-places[:, 3], kind="stable")]
    share = places[:, 2] / held_by.stature_px[:, None]
    in_hand = held_by.away(places[:, :2]) < IN_HAND
    in_hand &= (share > HELD_SIZES[0]) & (share < HELD_SIZES[1])
    further = np.flatnonzero(in_hand[:, PER_OCTAVE:].any(axis=0))[:PER_OCTAVE_IN_HAND] + PER_OCTAVE
    return np.concatenate([places[:PER_OCTAVE], places[further]])


def _edges_that_stand_out(small: Image) -> tuple[Floats, Floats, Floats, Floats]:
    """Return positions and unit gradients of edges that are strong for their neighbourhood, dim ones in the dark too."""
    smooth = cv2.GaussianBlur(small, (0, 0), 0.8).astype(np.float32)
    gx, gy = cv2.Scharr(smooth, cv2.CV_32F, 1, 0), cv2.Scharr(smooth, cv2.CV_32F, 0, 1)
    power = gx * gx + gy * gy
    channel = power.argmax(axis=2)[..., None]
    gx, gy = (np.take_along_axis(g, channel, 2)[..., 0] for g in (gx, gy))
    size = np.sqrt(np.take_along_axis(power, channel, 2)[..., 0])
    relative = size / (cv2.GaussianBlur(size, (0, 0), VOTE_RADIUS_PX) + 30.0)
    ys, xs = np.nonzero((relative > np.percentile(relative, EDGE_SHARE)) & (size > EDGE_FLOOR))
    strength = size[ys, xs]
    return xs.astype(float), ys.astype(float), gx[ys, xs] / strength, gy[ys, xs] / strength


def _fitted(pyramid: Pyramid, image: Image, held_by: Holders, aspect: float) -> tuple[Rings, Floats]:
    """Return ellipses fitted to the rings about the most promising places, and the votes of their places."""
    places = _voted_places(image, held_by, aspect)
    rings = fit_circles(pyramid, upright_rings(places[:, :2], places[:, 2], np.full(len(places), aspect)))
    votes = np.tile(places[:, 3], 2)
    seen, values = _judged(pyramid, rings, votes, held_by)
    kept = _apart(rings, values)[:N_JUDGED]
    which, times = _rings_of(seen.profile[kept])
    source = kept[which]
    return fit_ellipses(pyramid, rings.pick(source).scaled(times)), votes[source]


def _apart(rings: Rings, values: Floats) -> npt.NDArray[np.int64]:
    """Return indices, best first, without those that fit the same ring as a better one."""
    radius, kept = rings.radius_px, list[int]()
    for i in np.argsort(-values, kind="stable"):
        away = np.linalg.norm(rings.centre_px[kept] - rings.centre_px[i], axis=1) / radius[kept]
        if not ((away < SAME_PLACE) & (np.abs(np.log(radius[kept] / radius[i])) < SAME_SIZE)).any():
            kept.append(int(i))
    return np.array(kept, dtype=np.int64)


def _rings_of(profile: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return the rings that show in the profiles of discs: whose each is, and its radius over the disc's."""
    beside = np.pad(profile, ((0, 0), (1, 1)))
    is_peak = (profile >= beside[:, :-2]) & (profile > beside[:, 2:])
    is_peak &= np.abs(WHOLE_DISC - np.mean(RING_RANGE)) < np.ptp(RING_RANGE) / 2
    height = np.where(is_peak, profile - np.median(profile, axis=1)[:, None], 0.0)
    order = np.argsort(-height, axis=1, kind="stable")[:, :MAX_RINGS]
    value = np.take_along_axis(height, order, 1)
    which, place = np.nonzero((value > 0) & (value >= RING_SHARE * value[:, :1]))
    times = WHOLE_DISC[order[which, place]]
    fresh = np.abs(times - 1) > SAME_SIZE
    return np.concatenate([np.arange(len(profile)), which[fresh]]), np.concatenate(
        [np.ones(len(profile)), times[fresh]]
    )


def _chosen(rings: Rings, seen: Evidence, values: Floats) -> list[tuple[int, int]]:
    """Return pairs of indices, the best ring of each disc and its outermost ring, the best disc first."""
    radius = rings.radius_px
    left = np.ones(len(values), dtype=bool)
    out: list[tuple[int, int]] = []
    while left.any() and len(out) < MAX_FINDS:
        first = last = int(np.argmax(np.where(left, values, -np.inf)))
        while True:
            times = radius / radius[last]
            fits = np.linalg.norm(rings.centre_px - rings.centre_px[last], axis=1) < CONCENTRIC * radius
            fits &= (times > OUTER[0]) & (times < OUTER[1]) & (values > values[first] - OUTER_SCORE)
            fits &= seen.total > seen.total[last] - OUTER_GIVES
            fits &= (seen.rim > OUTER_RIM[0]) & (seen.least_rim > OUTER_RIM[1])
            if not fits.any():
                break
            last = int(np.argmax(np.where(fits, values, -np.inf)))
        out.append((first, last))
        left &= np.linalg.norm(rings.centre_px - rings.centre_px[last], axis=1) > np.maximum(radius, radius[last])
    return out


def _find(rings: Rings, i: int, shrink: float, sure: float) -> PlateFind:
    half, vectors = np.linalg.eigh(rings.shape_px[i])
    tilt = float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])))
    centre = (rings.centre_px[i] + 0.5) / shrink - 0.5
    return PlateFind(centre, half[::-1] / shrink, (tilt + 90) % 180 - 90, sure)
