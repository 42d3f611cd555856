"""Net moments in the plane against hand calculations."""

import numpy as np
import pytest

from perception.dynamics import moving_system
from perception.moments import (
    LUMBAR_SHARE,
    Piece,
    averaged,
    body_pieces,
    cross,
    joint_moments,
    load_on,
    pressure_x,
    residual_ratio,
)
from perception.pose import Floats
from perception.skeleton import PLACES, Bones, chain, chain_com, usual_bones

G = 9.81
MASS_KG, BAR_KG = 75.0, 100.0
T = np.arange(0, 0.4, 0.002)


def bent_over(bar_x: float = 0.0) -> tuple[Bones, Floats, Floats]:
    """Return a lifter who stands still, leaning over a bar at the shins, and where the bar is."""
    bones = usual_bones(1.75)
    states = np.tile([0.12, 0.0, 0.0, 0.25, -0.95, 0.95, 0.6], (len(T), 1))
    shoulder = chain(states, bones)[0, PLACES.index("shoulder")]
    return bones, states, np.tile([shoulder[0] + bar_x, 0.4], (len(T), 1))


def test_a_weight_held_at_arms_length_needs_weight_times_lever() -> None:
    hand = np.tile([0.6, 1.0], (len(T), 1))
    force, moment = load_on(T, [Piece(5.0, hand, 0.02, np.zeros(len(T)))], np.zeros((len(T), 2)), 0 * hand, 0 * T)
    assert force[:, 1] == pytest.approx(5 * G)
    assert moment == pytest.approx(0.6 * 5 * G)


def test_a_swinging_pendulum_needs_no_moment_at_its_pivot() -> None:
    """A rod on a hinge, solved in small steps: its equation of motion is that the pivot's moment is zero."""
    t = np.arange(0, 1.0, 0.0005)
    length, mass = 0.8, 3.0
    angle, rate = np.empty_like(t), 0.0
    angle[0] = -np.pi / 2 + 0.6
    for i in range(1, len(t)):
        rate += -1.5 * G / length * np.cos(angle[i - 1]) * 0.0005
        angle[i] = angle[i - 1] + rate * 0.0005
    com = length / 2 * np.column_stack([np.cos(angle), np.sin(angle)])
    rod = Piece(mass, com, mass * length**2 / 12, angle)
    _, moment = load_on(t, [rod], np.zeros_like(com), np.zeros_like(com), np.zeros_like(t))
    assert moment[2:-2] == pytest.approx(0.0, abs=0.02 * mass * G * length)


def test_two_joined_rods_pass_their_load_on_as_one_body() -> None:
    t = np.arange(0, 1.0, 0.001)
    a, b = 0.3 * np.sin(5 * t), 0.5 * np.cos(4 * t)
    elbow = 0.3 * np.column_stack([np.cos(a), np.sin(a)])
    tip = elbow + 0.25 * np.column_stack([np.cos(b), np.sin(b)])
    upper, lower = Piece(2.0, elbow / 2, 0.015, a), Piece(1.0, (elbow + tip) / 2, 0.005, b)
    zero = np.zeros_like(elbow)
    force, moment = load_on(t, [lower], elbow, zero, np.zeros_like(t))
    alone = load_on(t, [upper], zero, -force, -moment + cross(elbow, -force))
    whole = load_on(t, [upper, lower], zero, zero, np.zeros_like(t))
    assert alone[0] == pytest.approx(whole[0])
    assert alone[1] == pytest.approx(whole[1])


def test_standing_still_the_pressure_is_under_the_common_centre_of_mass() -> None:
    bones, states, bar = bent_over()
    com = chain_com(chain(states, bones), bar, bones)
    system = moving_system(T, com, bar, MASS_KG, BAR_KG)
    expected = (MASS_KG * com[0, 0] + BAR_KG * bar[0, 0]) / (MASS_KG + BAR_KG)
    where, up = pressure_x(system, body_pieces(states, bar, bones, MASS_KG))
    assert where == pytest.approx(expected, abs=2e-3)
    assert up == pytest.approx(system.weight_n, rel=1e-3)


def test_the_hip_of_a_still_lifter_carries_what_is_above_it_times_its_lever() -> None:
    bones, states, bar = bent_over()
    system = moving_system(T, chain_com(chain(states, bones), bar, bones), bar, MASS_KG, BAR_KG)
    moments = joint_moments(system, states, bones)
    hip = chain(states, bones)[0, PLACES.index("hip")]
    pieces = body_pieces(states, bar, bones, MASS_KG)
    above = sum(
        p.mass_kg * (p.com_m[0, 0] - hip[0]) for n, p in pieces.items() if n in ("pelvis", "thorax", "head", "arm")
    )
    assert moments.hip_nm == pytest.approx(G * (above + BAR_KG * (bar[0, 0] - hip[0])), rel=0.02)
    assert residual_ratio(moments, T[0], T[-1]) < 0.02


def test_pieces_keep_the_mass_of_the_body_and_the_trunk_its_centre() -> None:
    bones, states, bar = bent_over()
    pieces = body_pieces(states, bar, bones, MASS_KG)
    assert sum(p.mass_kg for p in pieces.values()) == pytest.approx(MASS_KG, rel=1e-3)
    com = sum(p.mass_kg * p.com_m[0] for p in pieces.values()) / MASS_KG
    assert com == pytest.approx(chain_com(chain(states, bones), bar, bones)[0], abs=2e-3)
    assert 0.15 <= LUMBAR_SHARE <= 0.20


def test_a_bar_held_far_in_front_of_the_toes_contradicts_itself_by_the_weight_times_what_is_missing() -> None:
    bones, states, bar = bent_over(bar_x=0.6)
    system = moving_system(T, chain_com(chain(states, bones), bar, bones), bar, MASS_KG, BAR_KG)
    moments = joint_moments(system, states, bones)
    toe_x = chain(states, bones)[0, PLACES.index("toe"), 0]
    beyond_m = moments.pressure_x_m[0] - toe_x
    assert beyond_m > 0.1
    assert moments.residual_nm == pytest.approx(system.weight_n * beyond_m, rel=0.03)
    assert residual_ratio(moments, T[0], T[-1]) > 0.2


def test_a_lifter_in_free_fall_has_no_place_of_the_force_and_no_sound_moment() -> None:
    bones, states, bar = bent_over()
    com = chain_com(chain(states, bones), bar, bones)
    fall = np.column_stack([np.zeros_like(T), -G * T**2 / 2])
    falling = states.copy()
    falling[:, 1] += fall[:, 1]
    moments = joint_moments(moving_system(T, com + fall, bar + fall, MASS_KG, BAR_KG), falling, bones)
    assert np.isnan(moments.pressure_x_m[5:-5]).all()
    assert residual_ratio(moments, T[0], T[-1]) == float("inf")
    assert moments.hip_nm[80:-80] == pytest.approx(0.0, abs=2.0)


def test_an_average_keeps_a_line_and_takes_the_jitter() -> None:
    assert averaged(T, 3 * T)[60:-60] == pytest.approx(3 * T[60:-60])
    jitter = np.where(np.arange(len(T)) % 2, 1.0, -1.0)
    assert np.abs(averaged(T, jitter)[30:-30]).max() < 0.05
