"""How much speaks for a disc in a picture being the near plate of the bar: its rim, its face, hands and bodies."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from perception.athlete import BODY_SHARE, body_length_px, hands_midpoint_px
from perception.pose import INDEX, Floats, Person, check_shape, freeze
from perception.rings import N_RAYS, WHOLE_DISC, Rings, Unrolled, rim_edges

ON_RIM = 0.05  # of the radius: edges this near belong to the rim
RIM_NOISE = 3.0  # grey levels, added to what an edge is compared with
FACE = (0.30, 0.92)  # of the radius, the face of the disc between sleeve and rim
HAND_REACH = 0.22  # statures from a hand that cost nothing: half of all plates are within 0.13, nine in ten within 0.29
HAND_COST = (6.0, 3.0)  # of score for each stature beyond; at most
LEAST_OF_STATURE, MOST_OF_STATURE = 0.115, 0.26  # plate radius over stature; crouching bodies measure too small
SMALL_COST, LARGE_COST = (5.0, 3.0), (2.0, 2.0)  # of score for each e-fold beyond; at most
USUAL_OF_PICTURE = 0.10  # radius over the long side
SIZE_GAIN, SIZE_GAIN_ALONE = 1.5, 2.0  # of score for each e-fold: of discs alike the nearer one is the larger
SIZE_RANGE = (0.03, 0.20)  # of the long side, where size counts
PLAIN_EVIDENCE, SURPLUS = 1.5, 0.45  # evidence beyond the first counts this much: a clear disc need not be the bar's
POOR_EVIDENCE, LACK = 0.5, 0.5  # evidence short of the first counts this much more: hands alone make no plate
CONFIDENCE_SLOPE, CONFIDENCE_SHIFT = 1.6, 0.6  # logistic of the score, by hand from how often scores were right
CONFIDENCE_ALONE = 0.65  # times that where nobody is seen who could hold it: clocks and wheels look the same


@dataclass(frozen=True, slots=True, eq=False)
class Holders:
    """Who may hold the bar, P people.

    Attributes:
        hands_px: (P, 3, 2), both hands and what is taken for their middle; NaN where unknown.
        stature_px: (P,), standing height that each body's parts add up to.
        long_side_px: Of the picture.
    """

    hands_px: Floats
    stature_px: Floats
    long_side_px: float

    def __post_init__(self) -> None:
        check_shape("hands_px", self.hands_px, (len(self.stature_px), 3, 2))
        freeze(self.hands_px, self.stature_px)

    def away(self, points_px: Floats) -> Floats:
        """Return (P, N), how far points are from the nearest hand of each person, in statures; NaN where unknown."""
        gap = np.linalg.norm(self.hands_px[:, None] - points_px[None, :, None], axis=3)
        return np.asarray(np.fmin.reduce(gap, axis=2) / self.stature_px[:, None])

    def prior(self, rings: Rings) -> Floats:
        """Return (N,), what place and size alone say for a disc being the near plate."""
        radius = rings.radius_px
        size = np.log(np.clip(radius / self.long_side_px, *SIZE_RANGE) / USUAL_OF_PICTURE)
        if not len(self.stature_px):
            return np.asarray(SIZE_GAIN_ALONE * size)
        share = radius / self.stature_px[:, None]
        cost = _cost(self.away(rings.centre_px) - HAND_REACH, *HAND_COST)
        cost = cost + _cost(np.log(LEAST_OF_STATURE / share), *SMALL_COST)
        cost = cost + _cost(np.log(share / MOST_OF_STATURE), *LARGE_COST)
        return np.asarray(SIZE_GAIN * size - cost.min(axis=0))


def holders(people: Sequence[Person], scale: float, long_side_px: float) -> Holders:
    """Return who may hold the bar in a picture that was scaled by `scale` after they were found."""
    hands, statures = [], []
    for person in people:
        stature = float(body_length_px(person.points_px[None])[0]) / BODY_SHARE
        middle = hands_midpoint_px(person.points_px[None], person.visibility[None])[0]
        both = person.points_px[[INDEX["left_hand"], INDEX["right_hand"]]]
        if np.isfinite(stature) and stature > 0 and np.isfinite([*both, middle]).any():
            hands.append(np.stack([*both, middle]) * scale)
            statures.append(stature * scale)
    return Holders(np.array(hands).reshape(-1, 3, 2), np.array(statures), long_side_px)


def _cost(excess: Floats, slope: float, most: float) -> Floats:
    return np.asarray(np.clip(slope * np.nan_to_num(excess, nan=0.0), 0, most))


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is seen of N discs.

    Attributes:
        rim: (N,), 0 to 1, mean over the rays of the edge on the rim against all edges of the ray.
        least_rim: (N,), the same in the second worst of eight parts of the rim.
        total: (N,), all in one, in the units of the score; about 0 for half a plate, 2 and more for a whole one.
        profile: (N, S), the rim's measure at every distance of WHOLE_DISC.
    """

    rim: Floats
    least_rim: Floats
    total: Floats
    profile: Floats


def weigh(seen: Unrolled, rings: Rings, votes: Floats) -> Evidence:
    """Return what speaks for N ellipses being discs.

    Args:
        seen: The picture about them, at the distances WHOLE_DISC.
        rings: The ellipses.
        votes: (N,), share of the circumference that voted for each place.
    """
    slope = seen.slope
    at_rim = np.abs(WHOLE_DISC - 1) <= ON_RIM + 1e-6
    offset, _ = rim_edges(slope, WHOLE_DISC, ON_RIM + 0.02)
    edge = slope[:, :, at_rim].max(axis=2)
    usual = np.sqrt((slope[:, :, (WHOLE_DISC > 0.6) & (WHOLE_DISC < 1.5)] ** 2).mean(axis=2)) + RIM_NOISE
    on_rim = np.where(np.abs(offset) < ON_RIM, edge / (edge + usual), 0.0)
    rim, least = on_rim.mean(axis=1), np.quantile(on_rim.reshape(len(edge), 8, N_RAYS // 8).mean(axis=2), 0.25, axis=1)
    profile = (slope / (slope + usual[..., None])).mean(axis=1)
    background = np.median(profile, axis=1)
    lead = profile[:, at_rim].max(axis=1) - background
    middle = profile[:, (WHOLE_DISC >= 0.10) & (WHOLE_DISC < 0.45)].max(axis=1)
    face = seen.colours[:, :, (FACE[0] < WHOLE_DISC) & (FACE[1] > WHOLE_DISC)].mean(axis=3)
    uneven = np.median(face.std(axis=1), axis=1)
    axes = np.linalg.eigvalsh(rings.shape_px)
    total = (
        10 * (rim - 0.60)
        + 5 * (least - 0.55)
        + 5 * (lead - 0.30)
        + 1.5 * (np.minimum(votes, 1.2) - 0.4)
        + 4 * (np.minimum(middle, 0.35) - 0.25)
        - 2 * np.clip((uneven - 20) / 30, 0, 2)
        - 5 * np.clip(0.88 - axes[:, 0] / axes[:, 1], 0, 1)
    )
    return Evidence(rim, least, total, profile)


def score(seen: Evidence, prior: Floats) -> Floats:
    """Return (N,), evidence and prior together, above 0 for what is more likely the near plate than not."""
    surplus = np.maximum(seen.total - PLAIN_EVIDENCE, 0)
    lack = np.maximum(POOR_EVIDENCE - seen.total, 0)
    return np.asarray(np.minimum(seen.total, PLAIN_EVIDENCE) + SURPLUS * surplus - LACK * lack + prior)


def confidence(value: float, is_held: bool) -> float:
    """Return from 0 to 1 how many finds of this score are right; `is_held` when people were seen."""
    share = 1 / (1 + np.exp(-(CONFIDENCE_SLOPE * value + CONFIDENCE_SHIFT)))
    return float(share if is_held else CONFIDENCE_ALONE * share)
