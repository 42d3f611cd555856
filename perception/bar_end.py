"""The near end of the bar: small discs in front of the plate, and the one that moves as perspective lets it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from perception.disc_votes import strong_edges, vote_circles
from perception.plate import WEAK_SHARE, PlateTrack
from perception.pose import Floats, Image, check_shape, freeze
from perception.rings import Pyramid, fit_circles, upright_rings

WORK_RADIUS_PX = 110.0  # px, the plate is scaled to this radius before the end is looked for
END_RADII = np.geomspace(0.050, 0.135, 9)  # of the plate's: 25 mm over 225 mm, up to 30 % larger because nearer
REACH = 1.15  # plate radii about its centre, where the end may be seen
N_CANDIDATES = 8  # small discs kept of each frame
LEAST_VOTES = 0.35  # of the circumference
NEARER = (0.03, 0.60)  # how much more than the plate the end moves; 0.42 m of sleeve at 1.1 to 14 m
TOLERANCE = 0.06  # plate radii about where perspective puts the end; bars turn a little
SLACK = 0.18  # plate radii from where it is expected that its disc may be, as far as the plate's own centre jitters
RIM_SHIFT = 0.4  # of its own radius that an end's rim may be from where votes put it
LEAST_TRAVEL = 1.0  # plate radii between frames that tell the end from what is painted on the plate
N_ASKED = 120  # frames in which it is counted how many discs a motion explains
FULL_VOTES = 1.2  # of the circumference: more say no more
N_PAIRS = 60  # pairs of frames that are asked how the end moves
MIN_SHARE = 0.4  # of the frames with a plate that must show the end where it is expected
KEEP_UP = 0.5  # of the way to where it was seen that the expectation follows in a frame
STEADY_FRAMES = 6  # frames before and after that say where the end must be
LEAST_LEADS = 6  # of those frames that must show it
STEADY_PLATE = 0.04  # plate radii from there
LONGEST_GAP_S = 0.40  # s, without a sure sight of the plate that a straight line bridges
MOST_TURNED = 0.35  # plate radii from where perspective alone puts it, as far as a bar turns in a lift
GAP_SLACK = 0.01  # plate radii a frame that it may turn away unseen


@dataclass(frozen=True, slots=True, eq=False)
class SmallDiscs:
    """Small discs in front of a plate in one frame, n of them.

    Attributes:
        centre_px: (n, 2); radius_px: (n,); votes: (n,), over circumference.
    """

    centre_px: Floats
    radius_px: Floats
    votes: Floats


@dataclass(frozen=True, slots=True, eq=False)
class BarEndTrack:
    """The near end of the bar over T frames.

    Attributes:
        end_px: (T, 2), sub-pixel; NaN where not seen.
        confidence: (T,), 0 to 1.
        nearer: How much more than the plate it moves in the picture, 0 for the plate itself; NaN when not found.
    """

    end_px: Floats
    confidence: Floats
    nearer: float

    def __post_init__(self) -> None:
        check_shape("end_px", self.end_px, (len(self.confidence), 2))
        freeze(self.end_px, self.confidence)


def no_small_discs() -> SmallDiscs:
    """Return an empty set of discs."""
    return SmallDiscs(np.zeros((0, 2)), np.zeros(0), np.zeros(0))


def track_bar_end(images_rgb: Iterable[Image], plate: PlateTrack) -> BarEndTrack:
    """Return the bar's near end in every frame, from the frames in order and the plate that was followed in them."""
    sure = plate.confidence >= WEAK_SHARE * float(np.median(plate.confidence))
    centres = _bridged(plate.times_s, np.where(sure[:, None], plate.centre_px, np.nan))
    discs = [small_discs(image, at, plate.radius_px) for image, at in zip(images_rgb, centres, strict=True)]
    return link_bar_end(discs, centres, plate.radius_px)


def _bridged(times_s: Floats, centre_px: Floats) -> Floats:
    """Return the centres with gaps up to LONGEST_GAP_S filled by straight lines."""
    seen = np.flatnonzero(np.isfinite(centre_px[:, 0]))
    out = centre_px.copy()
    for before, after in pairwise(seen):
        if after - before > 1 and times_s[after] - times_s[before] <= LONGEST_GAP_S:
            share = (times_s[before + 1 : after] - times_s[before]) / (times_s[after] - times_s[before])
            out[before + 1 : after] = centre_px[before] + share[:, None] * (centre_px[after] - centre_px[before])
    return out


def small_discs(image_rgb: Image, centre_px: Floats, radius_px: float) -> SmallDiscs:
    """Return discs of the size of a bar's end in front of a plate.

    Args:
        image_rgb: (H, W, 3).
        centre_px: (2,), of the plate; none are found where it is NaN.
        radius_px: Of the plate.
    """
    if not np.isfinite([*centre_px, radius_px]).all():
        return no_small_discs()
    height, width = image_rgb.shape[:2]
    x0, x1 = (int(np.clip(centre_px[0] + s * REACH * radius_px, 0, width)) for s in (-1, 1))
    y0, y1 = (int(np.clip(centre_px[1] + s * REACH * radius_px, 0, height)) for s in (-1, 1))
    if min(x1 - x0, y1 - y0) < 8:
        return no_small_discs()
    crop = image_rgb[y0:y1, x0:x1]
    scale = WORK_RADIUS_PX / radius_px
    size = (max(8, round((x1 - x0) * scale)), max(8, round((y1 - y0) * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = np.asarray(cv2.resize(crop, size, interpolation=how), dtype=np.uint8)
    radii = WORK_RADIUS_PX * END_RADII
    votes = vote_circles(*strong_edges(small), small.shape[:2], radii)
    at, layer, value = _peaks(votes)
    at = _on_rims(small, at, radii[layer])
    shrink = np.array([size[0] / (x1 - x0), size[1] / (y1 - y0)])
    return SmallDiscs((at + 0.5) / shrink - 0.5 + (x0, y0), radii[layer] / scale, value)


def _on_rims(small: Image, at: Floats, radius: Floats) -> Floats:
    """Return centres moved to the middle of their rims, sub-pixel; those whose rim leads away stay."""
    if not len(at):
        return at
    fitted = fit_circles(Pyramid(small), upright_rings(at, radius, np.ones(len(at)))).centre_px[: len(at)]
    is_near = np.linalg.norm(fitted - at, axis=1) < RIM_SHIFT * radius
    return np.where(is_near[:, None], fitted, at)


def _peaks(
    votes: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]",
) -> tuple[Floats, "np.ndarray[tuple[int], np.dtype[np.int64]]", Floats]:
    best = votes.max(axis=0)
    ys, xs = np.nonzero((best == cv2.dilate(best, np.ones((7, 7), np.uint8))) & (best > LEAST_VOTES))
    inner = (xs > 0) & (ys > 0) & (xs < best.shape[1] - 1) & (ys < best.shape[0] - 1)
    ys, xs = ys[inner], xs[inner]
    order = np.argsort(-best[ys, xs], kind="stable")[:N_CANDIDATES]
    ys, xs = ys[order], xs[order]
    shift = np.stack(
        [
            _vertex(best[ys, xs - 1], best[ys, xs], best[ys, xs + 1]),
            _vertex(best[ys - 1, xs], best[ys, xs], best[ys + 1, xs]),
        ],
        axis=1,
    )
    return np.stack([xs, ys], axis=1) + shift, votes[:, ys, xs].argmax(axis=0), best[ys, xs].astype(float)


def _vertex(left: Floats, here: Floats, right: Floats) -> Floats:
    """Return where the parabola through three samples has its top, in samples from the middle one."""
    bend = (left - 2 * here + right).astype(float)
    return np.asarray(np.where(bend < -1e-6, 0.5 * (left - right) / np.where(bend < -1e-6, bend, 1.0), 0.0))


def link_bar_end(discs: Sequence[SmallDiscs], plate_px: Floats, plate_radius_px: float) -> BarEndTrack:
    """Return the small disc that moves like the end of a sleeve on this plate.

    A bar that keeps its direction while it is moved about runs to one vanishing point V, and so
    end - centre = nearer * (centre - V), with one `nearer` above 0 for the clip: what is painted on the plate has 0.
    The pair (nearer, V) with most votes is taken; then the disc nearest to it is followed, as the bar turns a little.

    Args:
        discs: Small discs of each of T frames.
        plate_px: (T, 2), centre of the plate; NaN where not seen.
        plate_radius_px: Its radius.
    """
    n = len(discs)
    none = BarEndTrack(np.full((n, 2), np.nan), np.zeros(n), float("nan"))
    seen = int(np.isfinite(plate_px[:, 0]).sum())
    model = _perspective(discs, plate_px, plate_radius_px)
    if model is None:
        return none
    nearer, shift = model
    end, confidence = _followed(discs, plate_px * (1 + nearer) + shift, plate_radius_px)
    end, confidence = _steady(discs, end, confidence, plate_radius_px)
    return none if np.isfinite(end[:, 0]).sum() < MIN_SHARE * seen else BarEndTrack(end, confidence, nearer)


def _perspective(discs: Sequence[SmallDiscs], plate_px: Floats, radius: float) -> tuple[float, Floats] | None:
    """Return `nearer` and -nearer * V of the small disc with most votes; None when the plate hardly moves."""
    frames = [i for i, d in enumerate(discs) if len(d.votes) and np.isfinite(plate_px[i, 0])]
    some = frames[:: max(1, len(frames) // N_ASKED)]
    few, there = [discs[i] for i in some], plate_px[some]
    best, model = 0.0, None
    for i, j in _far_pairs(there, LEAST_TRAVEL * radius):
        for nearer, shift in _motions(few, there, i, j, radius):
            value = float(_best_votes(few, there * (1 + nearer) + shift, radius).sum())
            if value > best:
                best, model = value, (nearer, shift)
    return model


def _far_pairs(plate_px: Floats, least_px: float) -> list[tuple[int, int]]:
    """Return pairs of frames between which the plate travelled at least this far, N_PAIRS at most."""
    away = np.linalg.norm(plate_px[:, None] - plate_px[None], axis=2)
    one, other = np.nonzero(np.triu(away > least_px))
    chosen = np.random.default_rng(0).permutation(len(one))[:N_PAIRS]
    return list(zip(one[chosen].tolist(), other[chosen].tolist(), strict=True))


def _motions(
    discs: Sequence[SmallDiscs], plate_px: Floats, i: int, j: int, radius: float
) -> list[tuple[float, Floats]]:
    """Return `nearer` and -nearer * V of every disc of frame i that may be the bar's end and one of frame j."""
    moved = plate_px[i] - plate_px[j]
    off_i, off_j = discs[i].centre_px - plate_px[i], discs[j].centre_px - plate_px[j]
    change = off_i[:, None] - off_j[None]
    nearer = change @ moved / (moved @ moved)
    across = np.linalg.norm(change - nearer[..., None] * moved, axis=2)
    fits = (nearer > NEARER[0]) & (nearer < NEARER[1]) & (across < 2 * TOLERANCE * radius)
    return [(float(nearer[a, b]), off_i[a] - nearer[a, b] * plate_px[i]) for a, b in np.argwhere(fits)]


def _best_votes(discs: Sequence[SmallDiscs], expected_px: Floats, radius: float) -> Floats:
    """Return (T,), the votes of the disc nearest to where the end is expected, fewer the farther it is from there."""
    worth = np.zeros(len(discs))
    for i, here in enumerate(discs):
        away = np.linalg.norm(here.centre_px - expected_px[i], axis=1) / (TOLERANCE * radius)
        near = np.minimum(here.votes, FULL_VOTES) * np.exp(-0.5 * away**2)
        worth[i] = np.max(np.nan_to_num(near), initial=0.0)
    return worth


def _followed(discs: Sequence[SmallDiscs], expected_px: Floats, radius: float) -> tuple[Floats, Floats]:
    """Return the disc of each frame that goes on from where the end is expected, followed both ways from the surest.

    What the bar turns moves the end away from where perspective alone puts it; from frame to frame that is little.
    """
    end, confidence = np.full(expected_px.shape, np.nan), np.zeros(len(discs))
    first = int(_best_votes(discs, expected_px, radius).argmax())
    for order in (range(first, len(discs)), range(first, -1, -1)):
        off, gap = np.zeros(2), 0
        for i in order:
            away = np.linalg.norm(discs[i].centre_px - expected_px[i] - off, axis=1)
            away = away / (radius * (SLACK + GAP_SLACK * gap))
            turned = np.linalg.norm(discs[i].centre_px - expected_px[i], axis=1)
            fits = (away < 1) & (turned < MOST_TURNED * radius)
            worth = np.where(fits, np.minimum(discs[i].votes, FULL_VOTES) * (1 - away**2), 0.0)
            gap += 1
            if len(worth) and worth.max() > 0:
                end[i], confidence[i] = discs[i].centre_px[worth.argmax()], min(1.0, float(worth.max()))
                off, gap = off + KEEP_UP * (end[i] - expected_px[i] - off), 0
    return end, confidence


def _steady(discs: Sequence[SmallDiscs], end_px: Floats, confidence: Floats, radius: float) -> tuple[Floats, Floats]:
    """Return the discs that lie where those of the frames about them lead to; NaN where there is none."""
    steady, sure = np.full(end_px.shape, np.nan), np.zeros(len(end_px))
    seen = np.isfinite(end_px[:, 0])
    for i in np.flatnonzero(seen).tolist():
        near = np.arange(max(0, i - STEADY_FRAMES), min(len(end_px), i + STEADY_FRAMES + 1))
        near = near[seen[near]]
        lead = _led_to((near - i).astype(float), end_px[near])
        if lead is None:
            continue
        away = np.linalg.norm(discs[i].centre_px - lead, axis=1)
        k = int(away.argmin())
        if away[k] < STEADY_PLATE * radius:
            steady[i], sure[i] = discs[i].centre_px[k], confidence[i]
    return steady, sure


def _led_to(when: Floats, where_px: Floats) -> Floats | None:
    """Return (2,), the value at 0 of a parabola through most of the points; None with too few of them."""
    if len(when) < LEAST_LEADS:
        return None
    design = np.stack([np.ones(len(when)), when, when**2], axis=1).astype(float)
    kept = np.ones(len(when), dtype=bool)
    for _ in range(3):
        fit = np.linalg.lstsq(design[kept], where_px[kept], rcond=None)[0]
        off = np.linalg.norm(where_px - design @ fit, axis=1)
        kept = off <= max(3 * float(np.median(off)), 1.0)
    return np.asarray(fit[0])
