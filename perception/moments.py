"""Net joint moments in the plane of the lift, both legs and both arms as one: a trend within one lifter, no more.

An error of 2 cm in a joint or in the pressure under the foot changes a moment by 50 N m at 2500 N, and one camera sees
joints to 3 cm. So these curves are for comparing the shape of lifts of one person. The knee's moment, the load on the
spine and left against right are never given.
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
PRESSURE_OUTSIDE_M = 0.03  # m, beyond heel or toe: such a frame contradicts itself
LEAST_FORCE = 0.3  # of the weight, below which the place of the force on the floor says nothing
LARGEST_RESIDUAL = 0.20  # of the moment at L5/S1, top-down against bottom-up


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Moments over T times in N m; positive opens the joint (extension). NaN where they contradict themselves.

    Attributes:
        times_s: (T,).
        hip_nm: Both legs together.
        lumbar_nm: At L5/S1, from the bar downward.
        residual_ratio: Top-down against bottom-up at L5/S1, over the larger of both.
        pressure_x_m: Centre of pressure, forward, before it is held inside the foot.
        is_sound: Pressure under the foot and residual below LARGEST_RESIDUAL.
    """

    times_s: Floats
    hip_nm: Floats
    lumbar_nm: Floats
    residual_ratio: Floats
    pressure_x_m: Floats
    is_sound: np.ndarray[tuple[int], np.dtype[np.bool_]]


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


def pressure_x(system: System, pieces: dict[str, Piece]) -> Floats:
    """Return (T,), where the force of the floor acts, forward, from the motion of all pieces and the bar; NaN unweighted.

    x = sum [m x (g + a_y) - m y a_x + I alpha] / F_y.
    """
    ground = np.zeros((len(system.times_s), 2))
    force, turning = load_on(
        system.times_s, list(pieces.values()), ground, np.zeros_like(ground), np.zeros(len(ground))
    )
    bar = system.bar_mass_kg * (system.bar_m_s2 + np.array([0.0, GRAVITY_M_S2]))
    up = (force + bar)[:, 1]
    where = np.full(len(up), np.nan)
    np.divide(turning + cross(system.bar_m, bar), up, out=where, where=up > LEAST_FORCE * system.weight_n)
    return where


def joint_moments(system: System, states: Floats, bones: Bones, sex: Sex = "unknown") -> Moments:
    """Return hip and L5/S1 moments while the bar is off the floor and the feet stand.

    The hip is reached from the floor (force at the pressure, held inside the foot), L5/S1 from the bar as well. When
    the pressure comes from the same motion both ways agree by construction, so the check bites exactly where the
    pressure had to be moved into the foot; it does not see an error common to both.

    Args:
        system: Paths and masses.
        states: (T, N_STATES), the chain at the same times.
        bones: Its lengths.
        sex: For the segment table.
    """
    t, hands = system.times_s, system.bar_m
    pieces = body_pieces(states, hands, bones, system.body_mass_kg, sex)
    places = dict(zip(PLACES, np.moveaxis(chain(states, bones), -2, 0), strict=True))
    pressure = pressure_x(system, pieces)
    held = np.clip(pressure, places["heel"][:, 0], places["toe"][:, 0])
    floor = ground_force(system)
    at = np.column_stack([held, np.zeros(len(t))])
    hip, lumbar = places["hip"], places["hip"] + LUMBAR_SHARE * (places["shoulder"] - places["hip"])
    legs = [pieces[n] for n in ("foot", "shank", "thigh")]
    _, on_legs = load_on(t, legs, hip, floor, cross(at - hip, floor))
    _, on_lower = load_on(t, [*legs, pieces["pelvis"]], lumbar, floor, cross(at - lumbar, floor))
    bar = -system.bar_mass_kg * (system.bar_m_s2 + np.array([0.0, GRAVITY_M_S2]))
    upper = [pieces[n] for n in ("thorax", "head", "arm")]
    _, on_upper = load_on(t, upper, lumbar, bar, cross(hands - lumbar, bar))
    apart = np.abs(on_upper + on_lower) / np.maximum(np.maximum(np.abs(on_upper), np.abs(on_lower)), 1e-9)
    outside = ~(np.abs(pressure - held) <= PRESSURE_OUTSIDE_M)
    sound = ~outside & (apart < LARGEST_RESIDUAL)
    # seen with the athlete facing +x, a moment from x to y on the upper body opens hip and back
    out = Moments(
        times_s=t.copy(),
        hip_nm=np.where(outside, np.nan, -on_legs),
        lumbar_nm=np.where(sound, on_upper, np.nan),
        residual_ratio=apart,
        pressure_x_m=pressure,
        is_sound=sound,
    )
    freeze(out.times_s, out.hip_nm, out.lumbar_nm, out.residual_ratio, out.pressure_x_m, out.is_sound)
    return out
