"""Net joint moments in the plane of the lift, both legs and both arms as one: a trend within one lifter, no more.

An error of 2 cm in a joint or in the pressure under the foot changes a moment by 50 N m at 2500 N, and one camera sees
joints to 3 cm. So these curves are for comparing the shape of lifts of one person. The knee's moment, the load on the
spine and left against right are never given; the moment at L5/S1 only serves to check the motion.
"""

from dataclasses import dataclass

import numpy as np

from perception.dynamics import System, ground_force, rates
from perception.force import GRAVITY_M_S2
from perception.pose import Floats, freeze
from perception.segments import HEAD_LENGTH_SHARE, SEGMENTS, Segment, Sex
from perception.skeleton import ANGLES, PLACES, Bones, chain

LUMBAR_SHARE = 0.18  # of the line from hip to shoulder: L5/S1; biomechanics sheet 3.3
PELVIS_MASS = (0.1247, 0.1117)  # of body mass, lower trunk, (female, male); source: de Leva 1996, table 4
LEAST_FORCE = 0.3  # of the weight, below which the place of the force on the floor says nothing
AVERAGED_S = 0.10  # s, keypoint errors last as long, so what is faster tells nothing


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Moments over T times in N m, averaged over AVERAGED_S; positive opens the joint (extension).

    Attributes:
        times_s: (T,).
        hip_nm: Both legs together, from the bar downward: needs no force of the floor.
        lumbar_nm: At L5/S1, from the bar downward.
        residual_nm: At L5/S1, what is left between the way down from the bar and the way up from the floor; NaN where
            the floor carries next to nothing.
        pressure_x_m: Centre of pressure, forward, before it is held inside the foot; NaN likewise.
    """

    times_s: Floats
    hip_nm: Floats
    lumbar_nm: Floats
    residual_nm: Floats
    pressure_x_m: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One rigid piece in the plane: mass, centre (T, 2), inertia about it, and direction in radians (T,), from x to y."""

    mass_kg: float
    com_m: Floats
    inertia_kg_m2: float
    angle_rad: Floats


def cross(r: Floats, f: Floats) -> Floats:
    """Return the moment of force f at lever r, (T,): r_x f_y - r_y f_x, positive from x to y."""
    return np.asarray(r[..., 0] * f[..., 1] - r[..., 1] * f[..., 0])


def load_on(times_s: Floats, pieces: list[Piece], at_m: Floats, force: Floats, moment: Floats) -> tuple[Floats, Floats]:
    """Return force (T, 2) and moment (T,) about `at_m` that the rest of the body must put on these pieces.

    Newton and Euler for all pieces together: sum m a = F + given + weight, and moments about `at_m` alike. `force` and
    `moment` are what acts on the pieces besides, the moment taken about `at_m`.

    Source: biomechanics sheet 3.3; Winter 2009, chapter 5.
    """
    needed = np.zeros_like(at_m)
    turning = np.zeros(len(at_m))
    for piece in pieces:
        _, acceleration = rates(times_s, piece.com_m)
        _, spin = rates(times_s, piece.angle_rad[:, None])
        push = piece.mass_kg * (acceleration + np.array([0.0, GRAVITY_M_S2]))
        needed += push
        turning += piece.inertia_kg_m2 * spin[:, 0] + cross(piece.com_m - at_m, push)
    return needed - force, turning - moment


def body_pieces(
    states: Floats, hands_m: Floats, bones: Bones, mass_kg: float, sex: Sex = "unknown"
) -> dict[str, Piece]:
    """Return the pieces of the chain: foot, shank, thigh, pelvis, thorax, head, arm; both sides in one."""
    places = dict(zip(PLACES, np.moveaxis(chain(states, bones), -2, 0), strict=True))
    angle = {name: np.pi / 2 - states[..., 2 + i] for i, name in enumerate(ANGLES)}
    rows = {s.name: s for s in SEGMENTS}
    lumbar = places["hip"] + LUMBAR_SHARE * (places["shoulder"] - places["hip"])
    pelvis_share = sum(PELVIS_MASS) / 2 if sex == "unknown" else PELVIS_MASS[0 if sex == "female" else 1]

    def piece(segment: Segment, a: Floats, b: Floats, length: float, turn: Floats) -> Piece:
        mass = segment.mass(sex) * segment.n_sides * mass_kg
        com = a + segment.com(sex) * (b - a)
        return Piece(mass, com, mass * (segment.gyration(sex) * length) ** 2, turn)

    trunk = piece(rows["trunk"], places["shoulder"], places["hip"], bones.trunk_m, angle["trunk"])
    pelvis_com = (places["hip"] + lumbar) / 2
    pelvis = Piece(pelvis_share * mass_kg, pelvis_com, _rod(pelvis_share * mass_kg, bones, 0.5), angle["trunk"])
    thorax_kg = trunk.mass_kg - pelvis.mass_kg
    thorax_com = (trunk.mass_kg * trunk.com_m - pelvis.mass_kg * pelvis_com) / thorax_kg
    apart = (np.linalg.norm(z - trunk.com_m, axis=1)[0] for z in (pelvis_com, thorax_com))
    steiner = sum(m * d**2 for m, d in zip((pelvis.mass_kg, thorax_kg), apart, strict=True))
    thorax = Piece(
        thorax_kg, thorax_com, max(trunk.inertia_kg_m2 - pelvis.inertia_kg_m2 - steiner, 0.0), angle["trunk"]
    )
    head_m = HEAD_LENGTH_SHARE * bones.stature_m
    return {
        "foot": piece(rows["foot"], places["heel"], places["toe"], bones.foot_m, -states[..., 2]),
        "shank": piece(rows["shank"], places["knee"], places["ankle"], bones.shank_m, angle["shank"]),
        "thigh": piece(rows["thigh"], places["hip"], places["knee"], bones.thigh_m, angle["thigh"]),
        "pelvis": pelvis,
        "thorax": thorax,
        "head": piece(rows["head"], places["ear"], places["ear"], head_m, angle["head"]),
        "arm": _arm(places["shoulder"], hands_m, bones, mass_kg, sex),
    }


def _rod(mass_kg: float, bones: Bones, share: float) -> float:
    return mass_kg * (share * LUMBAR_SHARE * bones.trunk_m) ** 2 / 3


def _arm(shoulder: Floats, hands: Floats, bones: Bones, mass_kg: float, sex: Sex) -> Piece:
    """Return both arms as one straight piece from shoulder to bar."""
    rows = {s.name: s for s in SEGMENTS}
    starts = {"upper_arm": 0.0, "forearm": bones.upper_arm_m, "hand": bones.upper_arm_m + bones.forearm_m}
    lengths = {"upper_arm": bones.upper_arm_m, "forearm": bones.forearm_m, "hand": bones.hand_m}
    mass = {n: rows[n].mass(sex) * 2 * mass_kg for n in starts}
    along = {n: (starts[n] + rows[n].com(sex) * lengths[n]) / bones.arm_m for n in starts}
    total = sum(mass.values())
    middle = sum(mass[n] * along[n] for n in starts) / total
    own = sum(mass[n] * (rows[n].gyration(sex) * lengths[n]) ** 2 for n in starts)
    spread = sum(mass[n] * ((along[n] - middle) * bones.arm_m) ** 2 for n in starts)
    line = hands - shoulder
    turn = np.unwrap(np.arctan2(line[:, 1], line[:, 0]))
    return Piece(total, shoulder + middle * line, own + spread, turn)


def averaged(times_s: Floats, values: Floats) -> Floats:
    """Return values (T,) on an even grid, averaged over AVERAGED_S with a Hann window; ends are held."""
    half = max(1, round(AVERAGED_S / 2 / float(times_s[1] - times_s[0])))
    window = np.hanning(2 * half + 3)[1:-1]
    return np.convolve(np.pad(values, half, mode="edge"), window / window.sum(), mode="valid")


def pressure_x(system: System, pieces: dict[str, Piece]) -> tuple[Floats, Floats]:
    """Return (T,) twice: where the force of the floor acts, forward, from the motion of all pieces and the bar, and it.

    x = sum [m x (g + a_y) - m y a_x + I alpha] / F_y, both sides averaged. x is NaN where the force is below
    LEAST_FORCE of the weight.
    """
    ground = np.zeros((len(system.times_s), 2))
    force, turning = load_on(
        system.times_s, list(pieces.values()), ground, np.zeros_like(ground), np.zeros(len(ground))
    )
    bar = system.bar_mass_kg * (system.bar_m_s2 + np.array([0.0, GRAVITY_M_S2]))
    up = averaged(system.times_s, (force + bar)[:, 1])
    where = np.full(len(up), np.nan)
    whole = averaged(system.times_s, turning + cross(system.bar_m, bar))
    np.divide(whole, up, out=where, where=up > LEAST_FORCE * system.weight_n)
    return where, up


def joint_moments(system: System, states: Floats, bones: Bones, sex: Sex = "unknown") -> Moments:
    """Return the moments while the bar is off the floor and the feet stand, and how far they contradict themselves.

    Two ways lead to L5/S1: down from the bar through arms, head and thorax, and up from the floor through legs and
    pelvis. The force of the floor follows from the centre of mass, its place from the motion of all pieces, so both
    ways agree for a motion that a lifter can do; but the floor pushes inside the foot only, so what a motion would need
    beyond heel or toe stays as a residual. An error common to both ways does not show.

    Args:
        system: Paths and masses.
        states: (T, N_STATES), the chain at the same times.
        bones: Its lengths.
        sex: For the segment table.

    Source: biomechanics sheet 3.3; Winter 2009, chapter 5.
    """
    t, hands = system.times_s, system.bar_m
    pieces = body_pieces(states, hands, bones, system.body_mass_kg, sex)
    places = dict(zip(PLACES, np.moveaxis(chain(states, bones), -2, 0), strict=True))
    pressure, up = pressure_x(system, pieces)
    held = np.clip(pressure, places["heel"][:, 0], places["toe"][:, 0])
    floor = ground_force(system)
    hip, lumbar = places["hip"], places["hip"] + LUMBAR_SHARE * (places["shoulder"] - places["hip"])
    at = np.column_stack([np.nan_to_num(pressure), np.zeros(len(t))])
    lower = [pieces[n] for n in ("foot", "shank", "thigh", "pelvis")]
    _, on_lower = load_on(t, lower, lumbar, floor, cross(at - lumbar, floor))
    bar = -system.bar_mass_kg * (system.bar_m_s2 + np.array([0.0, GRAVITY_M_S2]))
    upper = [pieces[n] for n in ("thorax", "head", "arm")]
    _, on_upper = load_on(t, upper, lumbar, bar, cross(hands - lumbar, bar))
    _, on_trunk = load_on(t, [*upper, pieces["pelvis"]], hip, bar, cross(hands - hip, bar))
    # seen with the athlete facing +x, a moment from x to y on the upper body opens hip and back
    out = Moments(
        times_s=t.copy(),
        hip_nm=averaged(t, on_trunk),
        lumbar_nm=averaged(t, on_upper),
        residual_nm=averaged(t, on_upper + on_lower) + (pressure - held) * up,
        pressure_x_m=pressure,
    )
    freeze(out.times_s, out.hip_nm, out.lumbar_nm, out.residual_nm, out.pressure_x_m)
    return out


def residual_ratio(moments: Moments, start_s: float, end_s: float) -> float:
    """Return the root mean square of the residual at L5/S1 over its largest moment, between two times.

    Infinite where the floor carries next to nothing in between.
    """
    inside = (moments.times_s >= start_s) & (moments.times_s <= end_s)
    residual, peak = moments.residual_nm[inside], float(np.max(np.abs(moments.lumbar_nm[inside]), initial=0.0))
    if not np.isfinite(residual).all() or peak <= 0:
        return float("inf")
    return float(np.sqrt(np.mean(residual**2))) / peak
