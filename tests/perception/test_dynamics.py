"""Forces of lifter and bar on the floor against closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.dynamics import System, ground_force, impulse_ratio, moving_system, phase_force, rates, system_work

G = 9.81
BODY_KG, BAR_KG = 70.0, 100.0


def system(t: np.ndarray, com_y: np.ndarray, bar_y: np.ndarray) -> System:
    zero = np.zeros_like(t)
    return moving_system(t, np.column_stack([zero, com_y]), np.column_stack([zero, bar_y]), BODY_KG, BAR_KG)


def test_standing_still_the_floor_carries_body_and_bar() -> None:
    t = np.arange(0, 1, 0.002)
    force = ground_force(system(t, np.full_like(t, 1.0), np.full_like(t, 0.5)))
    assert force[:, 1] == pytest.approx((BODY_KG + BAR_KG) * G)
    assert force[:, 0] == pytest.approx(0.0, abs=1e-9)


def test_in_free_fall_the_floor_carries_nothing() -> None:
    t = np.arange(0, 0.4, 0.002)
    fall = 2.0 + 0.5 * t - G * t**2 / 2
    assert ground_force(system(t, fall, fall))[:, 1] == pytest.approx(0.0, abs=1e-4)


def test_a_lifter_on_a_spring_feels_the_spring() -> None:
    """Body and bar as one mass on a spring: m g + k (y0 - y), here with 1.5 Hz and 8 cm."""
    t = np.arange(0, 1, 0.002)
    w = 2 * np.pi * 1.5
    y = 1.0 + 0.08 * np.cos(w * t)
    force = ground_force(system(t, y, y))[2:-2, 1]
    spring = (BODY_KG + BAR_KG) * w**2
    assert force == pytest.approx((BODY_KG + BAR_KG) * G - spring * (y - 1.0)[2:-2], rel=1e-3, abs=1.0)


@given(st.floats(0.3, 2.5), st.floats(0.3, 1.5), st.floats(0.1, 0.6))
def test_momentum_and_the_force_curve_agree(bar_m_s: float, body_m_s: float, start_s: float) -> None:
    t = np.arange(0, 1.2, 0.002)
    rise = t - np.sin(2 * np.pi * t / 1.2) * 1.2 / (2 * np.pi)
    moved = system(t, 1.0 + body_m_s * rise / 2, 0.2 + bar_m_s * rise / 2)
    assert impulse_ratio(moved, start_s, 1.1) == pytest.approx(1.0, abs=1e-3)
    inside = (t >= start_s) & (t <= 1.1)
    mean = phase_force(moved, start_s, 1.1).mean_force_n
    assert mean == pytest.approx(float(np.mean(ground_force(moved)[inside, 1])), rel=0.01)


def test_a_phase_from_rest_to_rest_has_the_weight_as_mean_force() -> None:
    t = np.arange(0, 2, 0.002)
    y = 0.5 * (1 - np.cos(np.pi * t / 2)) ** 2
    part = phase_force(system(t, y, 2 * y), 0.01, 1.99)
    assert part.weight_ratio == pytest.approx(1.0, abs=0.01)
    assert part.impulse_n_s == pytest.approx(part.mean_force_n * 1.98)


def test_work_is_energy_gained_of_body_and_bar_apart() -> None:
    t = np.arange(0, 1.001, 0.002)
    body, bar = system_work(system(t, 0.9 + 0.1 * t**2, 0.2 + 0.6 * t**2), 0.0, 0.9)
    assert body == pytest.approx(BODY_KG * (G * 0.1 * 0.81 + 0.5 * 0.18**2), rel=1e-3)
    assert bar == pytest.approx(BAR_KG * (G * 0.6 * 0.81 + 0.5 * 1.08**2), rel=1e-3)


def test_rates_of_a_parabola_are_exact_inside() -> None:
    t = np.arange(0, 1, 0.002)
    speed, acceleration = rates(t, np.column_stack([t, 3 * t**2]))
    assert speed[1:-1, 1] == pytest.approx(6 * t[1:-1])
    assert acceleration[:, 1] == pytest.approx(6.0, abs=1e-6)


def test_phases_without_length_and_masses_below_zero_are_refused() -> None:
    t = np.arange(0, 1, 0.002)
    with pytest.raises(ValueError, match="must last"):
        phase_force(system(t, t, t), 0.5, 0.5)
    with pytest.raises(ValueError, match="positive"):
        moving_system(t, np.zeros((len(t), 2)), np.zeros((len(t), 2)), -1.0, 20.0)
