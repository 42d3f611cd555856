"""The true ground force against two other routes: MuJoCo's inverse dynamics, and momentum of segments."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coach.domain.errors import SetupError
from perception.pose import INDEX
from perception.simulator.bar_path import GRAVITY_M_S2
from perception.simulator.dynamics import SEGMENTS, centre_of_mass, held_share
from perception.simulator.random_spec import random_spec
from perception.simulator.render import load_mujoco
from perception.simulator.simulation import Motion, simulate
from perception.simulator.spec import LiftSpec
from perception.simulator.true_lift import Dense

KINDS: list[dict[str, Any]] = [
    {"lift": "clean_and_jerk"},
    {"lift": "snatch", "variant": "full"},
    {"lift": "squat", "reps": 1},
    {"lift": "deadlift", "reps": 2},
    {"lift": "clean", "variant": "hang power"},
]
RADII = {"head": 0.376, "trunk": 0.358, "upper_arm": 0.269, "forearm": 0.265, "hand": 0.513}
RADII |= {"thigh": 0.329, "shank": 0.246, "foot": 0.245}
"""Radius of gyration over length, mediolateral, male: de Leva 1996, table 4."""


@pytest.fixture(scope="module", params=KINDS, ids=lambda k: "-".join(map(str, k.values())))
def case(request: pytest.FixtureRequest) -> tuple[LiftSpec, Motion, Dense]:
    spec = random_spec(11, **request.param)
    motion = simulate(spec)
    return spec, motion, Dense(spec, motion)


def segment_ends(points: np.ndarray, sex: str) -> list[tuple[str, float, np.ndarray, np.ndarray]]:
    """Return (name, mass share, place (T, 3) of the mass, axis (T, 3)) of the fourteen segments."""
    found = []
    for name, (first, last, by_sex) in SEGMENTS.items():
        mass, along = by_sex[sex]
        if name in ("head", "trunk"):
            a, b = ((points[:, INDEX[f"left_{p}"]] + points[:, INDEX[f"right_{p}"]]) / 2 for p in (first, last))
            if name == "head":
                b = (points[:, INDEX["left_shoulder"]] + points[:, INDEX["right_shoulder"]]) / 2
                along = 0.0
            found.append((name, mass, a + (b - a) * along, b - a))
            continue
        for side in ("left", "right"):
            a, b = points[:, INDEX[f"{side}_{first}"]], points[:, INDEX[f"{side}_{last}"]]
            found.append((name, mass, a + (b - a) * along, b - a))
    return found


def test_the_masses_are_those_of_the_published_table():
    path = Path(__file__).parents[2] / "corpus" / "knowledge" / "de_leva.csv"
    rows = {(r["segment"], r["sex"]): r for r in csv.DictReader(path.read_text(encoding="utf-8").splitlines())}
    names = {"trunk": "trunk_alt_midshoulder", "shank": "shank_alt_ajc"}
    for name, (_, _, by_sex) in SEGMENTS.items():
        for sex, (mass, along) in by_sex.items():
            row = rows[names.get(name, name), sex]
            assert mass == float(row["mass_fraction"])
            assert name == "head" or along == float(row["com_fraction_from_proximal"])


def test_a_body_has_one_mass():
    for sex in ("female", "male"):
        total = sum(by[sex][0] * (1 if n in ("head", "trunk") else 2) for n, (_, _, by) in SEGMENTS.items())
        assert total == pytest.approx(1.0, abs=2e-3)


def smooth_times(motion: Motion, dense: Dense) -> np.ndarray:
    """Return times at which no curve has a knot nearer than the differences reach, while the bar is held."""
    end = dense.times_s[-1] - 0.05 if motion.release_s is None else motion.release_s - 0.01
    return np.arange(motion.start_s + 0.05, end, 0.0137)


def hands_force(spec: LiftSpec, motion: Motion, times: np.ndarray, h: float) -> np.ndarray:
    """Return the force of the hands on the bar from its places, by differences."""
    y = np.stack([motion.bar(times + k * h).position_m[:, 1] for k in (-1, 0, 1)])
    acceleration = (y[0] - 2 * y[1] + y[2]) / h**2
    return spec.bar.mass_kg * (GRAVITY_M_S2 + acceleration) * held_share(times, motion.rests, motion.release_s)


def test_mujocos_inverse_dynamics_of_fourteen_free_bodies_gives_the_same_force(case):
    """Each segment is a free body with mass and inertia; what holds them all up, added, is the floor minus the bar."""
    try:
        mujoco = load_mujoco()
    except SetupError as problem:
        pytest.skip(str(problem))
    spec, motion, dense = case
    times, h = smooth_times(motion, dense), 5e-4
    frames = [segment_ends(motion.keypoints(times + k * h), spec.lifter.sex) for k in (-1, 0, 1)]
    bodies = ""
    for name, mass, _, axis in frames[1]:
        kg = mass * spec.lifter.mass_kg
        inertia = kg * (RADII[name] * float(np.linalg.norm(axis[0]))) ** 2
        bodies += f'<body><freejoint/><inertial pos="0 0 0" mass="{kg}" diaginertia="{inertia} {inertia} {inertia / 2}"/></body>'
    model = mujoco.MjModel.from_xml_string(
        f'<mujoco><option gravity="0 0 -{GRAVITY_M_S2}"/><worldbody>{bodies}</worldbody></mujoco>'
    )
    data = mujoco.MjData(model)
    found = np.empty(len(times))
    for i in range(len(times)):
        places = [poses(frame, i) for frame in frames]
        before, after = np.empty(model.nv), np.empty(model.nv)
        mujoco.mj_differentiatePos(model, before, h, places[0], places[1])
        mujoco.mj_differentiatePos(model, after, h, places[1], places[2])
        data.qpos[:], data.qvel[:], data.qacc[:] = places[1], (before + after) / 2, (after - before) / h
        mujoco.mj_inverse(model, data)
        found[i] = data.qfrc_inverse.reshape(-1, 6)[:, 2].sum()
    force = found + hands_force(spec, motion, times, h)
    assert_agrees(spec, dense, times, force)


def poses(frame: list[tuple[str, float, np.ndarray, np.ndarray]], i: int) -> np.ndarray:
    """Return places and quaternions of all segments, in MuJoCo's axes: forward, left, up."""
    parts = []
    for _, _, place, axis in frame:
        x, y, z = axis[i] / np.linalg.norm(axis[i])
        turned = np.array([1 + y, z, 0.0, -x]) if y > -0.999 else np.array([0.0, 1.0, 0.0, 0.0])
        parts.append(np.concatenate([place[i][[0, 2, 1]] * [1, -1, 1], turned / np.linalg.norm(turned)]))
    return np.concatenate(parts)


def assert_agrees(spec: LiftSpec, dense: Dense, times: np.ndarray, force: np.ndarray) -> None:
    """Within 0.5 % of the weight in the mean square, and nowhere but at knots of the curves off by 3 %."""
    weight = (spec.lifter.mass_kg + spec.bar.mass_kg) * GRAVITY_M_S2
    off = (force - dense.at(times, dense.ground_n)) / weight
    assert np.sqrt(np.mean(off**2)) < 0.005
    assert np.quantile(np.abs(off), 0.99) < 0.03


def test_the_rate_of_momentum_at_another_rate_gives_the_same_force(case):
    spec, motion, dense = case
    times, h = smooth_times(motion, dense), 2e-3
    momentum = []
    for k in (-0.5, 0.5):
        ends = [segment_ends(motion.keypoints(times + (k + j / 2) * h), spec.lifter.sex) for j in (-1, 1)]
        momentum.append(
            sum(
                mass * spec.lifter.mass_kg * (late[:, 1] - early[:, 1]) / h
                for (_, mass, early, _), (_, _, late, _) in zip(*ends, strict=True)
            )
        )
    body = (momentum[1] - momentum[0]) / h + spec.lifter.mass_kg * GRAVITY_M_S2
    assert_agrees(spec, dense, times, body + hands_force(spec, motion, times, h))


def test_impulse_is_the_gain_of_momentum_over_the_lift(case):
    spec, motion, dense = case
    end = dense.index(dense.times_s[-1] - 0.1 if motion.release_s is None else motion.release_s - 0.02)
    start = 20
    share = held_share(dense.times_s, motion.rests, motion.release_s)
    system = spec.lifter.mass_kg * GRAVITY_M_S2 + share * spec.bar.mass_kg * GRAVITY_M_S2
    impulse = np.trapezoid((dense.ground_n - system)[start : end + 1], dx=1e-3)
    body = spec.lifter.mass_kg * np.gradient(dense.com_m[:, 1], 1e-3)
    gained = body[end] - body[start] + spec.bar.mass_kg * (dense.v[end] - dense.v[start])
    assert impulse == pytest.approx(gained, abs=0.004 * np.trapezoid(system[start : end + 1], dx=1e-3))


def test_at_rest_the_floor_carries_the_weight(case):
    spec, motion, dense = case
    still = (dense.speed < 1e-9) & (np.abs(np.gradient(dense.com_m[:, 1], 1e-3)) < 1e-6)
    still[:3] = still[-3:] = False
    still = np.convolve(still, np.ones(9), "same") > 8.5
    assert still.sum() > 200
    share = held_share(dense.times_s, motion.rests, motion.release_s)
    weight = (spec.lifter.mass_kg + share * spec.bar.mass_kg) * GRAVITY_M_S2
    assert np.abs(dense.ground_n - weight)[still].max() < 5.0


def test_the_centre_of_mass_of_a_straight_body_is_at_the_known_height():
    """Standing at ease after the lift: 0.54 to 0.58 of stature over the floor (Winter 2009, chapter 4)."""
    spec = random_spec(11, lift="clean", variant="full")
    motion = simulate(spec)
    com = centre_of_mass(motion.keypoints(np.array([motion.end_s - 0.01])), spec.lifter.sex)[0, 1]
    assert 0.52 < com / spec.lifter.height_m < 0.58
