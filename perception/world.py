"""The body in metres over time, from one side view: constant bones, feet on the floor, hands on the bar.

All frames are solved at once. The unknowns are splines of the joint directions, so bones keep their length while the
smoothing works on angles; keypoints, the floor and the bar are data, each with its standard deviation.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.interpolate import BSpline
from scipy.sparse import block_diag, csr_matrix, kron
from scipy.sparse import eye as identity
from scipy.sparse.linalg import splu

from perception.pose import Floats, check_shape, freeze
from perception.skeleton import N_STATES, PLACES, Bones, chain, chain_com

Mask = npt.NDArray[np.bool_]

DEGREE = 5  # of the splines: acceleration stays smooth
KNOT_S = 0.030  # s between knots: twice finer than the fastest movement that keypoints of one camera resolve
USUAL_RATE_HZ = 30.0  # Hz, keypoint errors last 0.1 s, so more frames a second do not add knowledge
PLACE_SD_M = {"toe": 0.05, "heel": 0.05, "ankle": 0.045, "knee": 0.035, "hip": 0.025, "shoulder": 0.018, "ear": 0.022}
"""SD of a keypoint about the joint, in metres; from simulated lifts, see `simulator.pose_noise`."""
STRAY = 2.5  # SDs beyond which a keypoint counts less (Cauchy weights)
ROUNDS = 12  # of Gauss-Newton; later ones move nothing
CUTOFF_HZ = 4.0  # Hz, gain 1/2 of a joint angle that only one keypoint tells
FOOT_SD_M, FOOT_SD_M_S = 0.006, 0.02  # m, m/s, a shoe on the floor
LOOSE_SD_M, LOOSE_SD_M_S = 0.06, 0.8  # m, m/s, while the feet move
FLAT_SD_RAD, RAISED_SD_RAD = 0.04, 0.5  # rad, pitch of a foot that stands flat, and of one that need not
ARM_SD_M = 0.008  # m, shoulder to bar with straight arms
HEAD_SD_RAD = 0.35  # rad, head against trunk
PRIOR_SD = 0.05  # relative, bones of people of one height; source: spread between the sexes in de Leva 1996
SEEN_SD = 0.05  # relative, the middle of seen lengths; from simulated lifts
STRAIGHT_KNEE_SD_RAD = 0.02  # rad, knees do not bend forward beyond this


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """What is known of one lift in the plane of the lift; x forward, y up from the floor, metres.

    Attributes:
        times_s: (T,), increasing.
        places_m: (T, 7, 2), keypoints as in `PLACES`, the middle of both sides; NaN where unknown.
        sd_m: (T, 7), what each is worth; ignored where NaN.
        bar_m: (T, 2), the bar, where the hands are while they hold it; NaN where unknown.
        is_held: (T,), hands on the bar.
        is_straight: (T,), arms straight between shoulder and bar.
        stands: (T,), toes on the floor and not moving.
        is_flat: (T,), heels down too.
    """

    times_s: Floats
    places_m: Floats
    sd_m: Floats
    bar_m: Floats
    is_held: Mask
    is_straight: Mask
    stands: Mask
    is_flat: Mask

    def __post_init__(self) -> None:
        t, k = len(self.times_s), len(PLACES)
        check_shape("places_m", self.places_m, (t, k, 2))
        check_shape("sd_m", self.sd_m, (t, k))
        check_shape("bar_m", self.bar_m, (t, 2))
        for name in ("is_held", "is_straight", "stands", "is_flat"):
            check_shape(name, getattr(self, name), (t,))
        freeze(self.times_s, self.places_m, self.sd_m, self.bar_m)


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """The solved chain over time.

    Attributes:
        states: Spline of the (N_STATES,) states against seconds.
        bones: Their lengths.
        start_s, end_s: Where it may be evaluated.
        residual_m: (T, 7), distance of each keypoint from the chain; NaN where unknown.
        weights: (T, 7), 0 to 1, what was left of each keypoint's weight: small for strays.
    """

    states: BSpline
    bones: Bones
    start_s: float
    end_s: float
    residual_m: Floats
    weights: Floats

    def places_m(self, times_s: Floats) -> Floats:
        """Return (T, 7, 2), the chain at each time; held at the ends outside."""
        return chain(self.states(np.clip(times_s, self.start_s, self.end_s)), self.bones)

    def com_m(self, times_s: Floats, hands_m: Floats) -> Floats:
        """Return (T, 2), the body's centre of mass with the hands at `hands_m` (T, 2)."""
        return chain_com(self.places_m(times_s), hands_m, self.bones)

    def angles_deg(self, times_s: Floats) -> dict[str, Floats]:
        """Return ankle, knee and hip angle and the trunk from horizontal, (T,) each; a straight limb is 180."""
        q = self.states(np.clip(times_s, self.start_s, self.end_s))
        places = chain(q, self.bones)
        at = {name: places[:, i] for i, name in enumerate(PLACES)}
        trunk = 90 - np.degrees(q[:, 5])
        return {
            "ankle": _angle_deg(at["knee"], at["ankle"], at["toe"]),
            "knee": _angle_deg(at["hip"], at["knee"], at["ankle"]),
            "hip": _angle_deg(at["shoulder"], at["hip"], at["knee"]),
            "trunk": trunk,
        }


def _angle_deg(a: Floats, b: Floats, c: Floats) -> Floats:
    u, v = a - b, c - b
    cross = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    return np.asarray(np.degrees(np.arctan2(np.abs(cross), np.sum(u * v, axis=1))))


class _Basis:
    """Splines on even knots over the lift, and the smoothness they are asked for."""

    def __init__(self, times_s: Floats) -> None:
        start, end = float(times_s[0]), float(times_s[-1])
        n = max(4, round((end - start) / KNOT_S))
        inner = np.linspace(start, end, n + 1)
        self.knots = np.concatenate([[start] * DEGREE, inner, [end] * DEGREE])
        self.n = len(self.knots) - DEGREE - 1
        self.at_frames = self.design(times_s, 0)
        self.rate_at_frames = self.design(times_s, 1)
        dense = np.linspace(start, end, 4 * n + 1)
        third = self.design(dense, 3)
        self.jerk = csr_matrix(third.T @ third) * float(dense[1] - dense[0])

    def design(self, times_s: Floats, order: int) -> csr_matrix:
        """Return (T, n), the value or derivative of each spline at each time."""
        if order == 0:
            return csr_matrix(BSpline.design_matrix(times_s, self.knots, DEGREE))
        each = BSpline(self.knots, np.eye(self.n), DEGREE)
        return csr_matrix(each(times_s, nu=order))

    def spline(self, coefficients: Floats) -> BSpline:
        return BSpline(self.knots, coefficients.reshape(self.n, N_STATES), DEGREE)


def _smoothness(bones: Bones) -> Floats:
    """Return (N_STATES,), the weight of the squared jerk of each state.

    With data of SD s, f times a second, the gain is 1 / (1 + weight s^2 / f w^6): a Butterworth filter of third order
    run forth and back, halved at CUTOFF_HZ.
    """
    sd = np.array([0.05, 0.05, 0.06 / bones.foot_m] + [0.05 / bones.shank_m] + [0.04 / bones.trunk_m] * 2 + [0.2])
    return np.asarray(USUAL_RATE_HZ / (sd**2 * (2 * np.pi * CUTOFF_HZ) ** 6))


def first_guess(seen: Observed) -> Floats:
    """Return (T, N_STATES) from the keypoints as they come, gaps filled in a straight line."""
    t, p = seen.times_s, {name: seen.places_m[:, i] for i, name in enumerate(PLACES)}

    def direction(a: str, b: str, fallback: float) -> Floats:
        u = p[b] - p[a]
        return _fill(t, np.arctan2(u[:, 0], u[:, 1]), fallback)

    toe_x = np.nanmedian(p["toe"][:, 0]) if np.isfinite(p["toe"]).any() else float(np.nanmedian(seen.bar_m[:, 0]))
    flat = np.zeros_like(t)
    return np.column_stack(
        [
            np.full_like(t, toe_x),
            flat,
            flat,
            direction("ankle", "knee", 0.3),
            direction("knee", "hip", -0.5),
            direction("hip", "shoulder", 0.5),
            direction("shoulder", "ear", 0.3),
        ]
    )


def _fill(t: Floats, z: Floats, fallback: float) -> Floats:
    known = np.isfinite(z)
    return np.interp(t, t[known], z[known]) if known.any() else np.full_like(t, fallback)


def solve(seen: Observed, bones: Bones, start: Motion | None = None, rounds: int = ROUNDS) -> Motion:
    """Return the chain that fits keypoints, floor and bar best, in the sense of weighted least squares.

    Gauss-Newton on spline coefficients; keypoints that stray lose weight (Cauchy) from round to round.

    Args:
        seen: The data, at least 8 frames.
        bones: Lengths.
        start: Where to begin; default the keypoints as they come.
        rounds: Of Gauss-Newton.

    Raises:
        ValueError: Too few frames.
    """
    t = seen.times_s
    if len(t) < 8:
        raise ValueError(f"solving the body needs 8 frames, got {len(t)}")
    basis = _Basis(t)
    guess = start.states(np.clip(t, start.start_s, start.end_s)) if start is not None else first_guess(seen)
    prior = kron(basis.jerk, np.diag(_smoothness(bones)), format="csc")
    spread = kron(basis.at_frames, identity(N_STATES), format="csr")
    c = _project(basis, guess)
    lengths = np.gradient(t) * USUAL_RATE_HZ
    for _ in range(rounds):
        q = (spread @ c).reshape(len(t), N_STATES)
        rate = (basis.rate_at_frames @ c.reshape(basis.n, N_STATES))[:, 0]
        residual, jacobian = _residuals(q, seen, bones, lengths)
        rows = csr_matrix(block_diag(list(jacobian), format="csr") @ spread)
        slide = _foot_slides(basis, seen, lengths)
        gradient = rows.T @ residual.ravel() + slide.T @ _slide_weights(rate, seen, lengths) + prior @ c
        c = c - splu(csr_matrix(rows.T @ rows + slide.T @ slide + prior).tocsc()).solve(gradient)
    q = (spread @ c).reshape(len(t), N_STATES)
    away = np.linalg.norm(seen.places_m - chain(q, bones), axis=2)
    return Motion(basis.spline(c), bones, float(t[0]), float(t[-1]), away, _cauchy(away, seen.sd_m))


def _project(basis: _Basis, states: Floats) -> Floats:
    """Return the spline coefficients nearest to states at the frames, in one vector."""
    a = csr_matrix(basis.at_frames.T @ basis.at_frames + 1e-6 * basis.jerk / basis.jerk.diagonal().max())
    a = a + 1e-9 * identity(basis.n)
    return np.asarray(splu(a.tocsc()).solve(np.asarray(basis.at_frames.T @ states))).ravel()


def _cauchy(away_m: Floats, sd_m: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(1 / (1 + (away_m / (STRAY * sd_m)) ** 2))


def _slide_weights(rate: Floats, seen: Observed, lengths: Floats) -> Floats:
    return np.asarray(rate * np.sqrt(lengths) / np.where(seen.stands, FOOT_SD_M_S, LOOSE_SD_M_S))


def _foot_slides(basis: _Basis, seen: Observed, lengths: Floats) -> csr_matrix:
    """Return (T, n N_STATES): a standing foot has no speed forward."""
    weight = np.sqrt(lengths) / np.where(seen.stands, FOOT_SD_M_S, LOOSE_SD_M_S)
    one = np.zeros((1, N_STATES))
    one[0, 0] = 1.0
    return csr_matrix(kron(csr_matrix(basis.rate_at_frames.multiply(weight[:, None])), one))


def _residuals(q: Floats, seen: Observed, bones: Bones, lengths: Floats) -> tuple[Floats, Floats]:
    """Return weighted residuals (T, R) and their derivatives by the states (T, R, N_STATES)."""
    value = _misfit(q, seen, bones, q)
    jacobian = np.empty((*value.shape, N_STATES))
    for i in range(N_STATES):
        moved = q.copy()
        moved[:, i] += 1e-6
        jacobian[:, :, i] = (_misfit(moved, seen, bones, q) - value) / 1e-6
    share = np.sqrt(lengths)[:, None]
    return value * share, jacobian * share[..., None]


def _misfit(q: Floats, seen: Observed, bones: Bones, weighed_at: Floats) -> Floats:
    """Return (T, R): keypoints, floor, arms, feet, head and knees, each over its SD; strays weighed at fixed states."""
    places = chain(q, bones)
    known = np.isfinite(seen.places_m).all(axis=2)
    away = np.linalg.norm(seen.places_m - chain(weighed_at, bones), axis=2)
    weight = np.where(known, np.sqrt(_cauchy(away, seen.sd_m)) / seen.sd_m, 0.0)
    points = np.nan_to_num(places - seen.places_m) * weight[..., None]
    floor = q[:, 1] / np.where(seen.stands, FOOT_SD_M, LOOSE_SD_M)
    flat = q[:, 2] / np.where(seen.is_flat, FLAT_SD_RAD, RAISED_SD_RAD)
    through = np.minimum(q[:, 2], 0.0) / FLAT_SD_RAD
    head = (q[:, 6] - 0.65 * q[:, 5]) / HEAD_SD_RAD
    knee = np.minimum(q[:, 3] - q[:, 4], 0.0) / STRAIGHT_KNEE_SD_RAD
    rest = np.column_stack([floor, flat, through, head, knee, _arms(places, seen, bones)])
    return np.concatenate([points.reshape(len(q), -1), rest], axis=1)


def _arms(places: Floats, seen: Observed, bones: Bones) -> Floats:
    """Return (T,): straight arms hold the bar at `reach_m`; bent ones nearer, never farther."""
    apart = np.linalg.norm(places[:, PLACES.index("shoulder")] - seen.bar_m, axis=1)
    excess = np.nan_to_num((apart - bones.reach_m) / ARM_SD_M)
    return np.where(seen.is_straight, excess, np.where(seen.is_held, np.maximum(excess, 0.0), 0.0))


def fit_bones(seen: Observed, stature_m: float, usual: Bones) -> Bones:
    """Return bone lengths from the body's proportions and the keypoints, one each for the clip.

    The proportions are trusted to PRIOR_SD; the robust middle of the seen lengths to SEEN_SD, since keypoints sit off
    the joints by centimetres. The reach is the middle distance of shoulders and bar while the arms are straight.
    """
    p = {name: seen.places_m[:, i] for i, name in enumerate(PLACES)}
    sd = {name: seen.sd_m[:, i] for i, name in enumerate(PLACES)}
    found: dict[str, float] = {}
    for bone, a, b in (("shank_m", "ankle", "knee"), ("thigh_m", "knee", "hip"), ("trunk_m", "hip", "shoulder")):
        length = np.linalg.norm(p[a] - p[b], axis=1)
        good = np.isfinite(length) & (sd[a] <= 1.5 * PLACE_SD_M[a]) & (sd[b] <= 1.5 * PLACE_SD_M[b])
        expected = float(getattr(usual, bone))
        if good.sum() < 8:
            found[bone] = expected
            continue
        middle = float(np.clip(np.percentile(length[good], 60), 0.85 * expected, 1.15 * expected))
        found[bone] = float(np.average([expected, middle], weights=[PRIOR_SD**-2, SEEN_SD**-2]))
    ear = np.linalg.norm(p["ear"] - p["shoulder"], axis=1)
    if np.isfinite(ear).sum() >= 8:
        found["head_m"] = float(np.clip(np.nanmedian(ear), 0.7 * usual.head_m, 1.4 * usual.head_m))
    arm = np.linalg.norm(p["shoulder"] - seen.bar_m, axis=1)[seen.is_straight]
    if np.isfinite(arm).sum() >= 3:
        found["reach_m"] = float(np.clip(np.nanmedian(arm), 0.6 * usual.arm_m, 1.05 * usual.arm_m))
    return replace(usual, stature_m=stature_m, **found)
