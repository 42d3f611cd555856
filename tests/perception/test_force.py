"""Force, work and impulse against mechanics."""

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline, PPoly, make_interp_spline

from perception.bar import BarCurve
from perception.force import GRAVITY_M_S2, bar_force, effort, free_fall_gravity, impulse_check
from perception.smoothing import SmoothTrack

if TYPE_CHECKING:
    from tests.perception.conftest import MadeUpBar

MASS_KG = 80.0
TIMES_S = np.arange(0, 1.5, 1 / 60)


def exact(times_s: np.ndarray, values: np.ndarray) -> SmoothTrack:
    spline = PPoly.from_spline(make_interp_spline(times_s, values, k=3))
    return SmoothTrack(spline, float(times_s[0]), float(times_s[-1]), 0.0, 100.0)


def curve_of(y: np.ndarray, x: np.ndarray | None = None, times_s: np.ndarray = TIMES_S) -> BarCurve:
    return BarCurve(exact(times_s, np.zeros(len(times_s)) if x is None else x), exact(times_s, y))


def test_bar_in_free_fall_feels_no_force() -> None:
    falling = curve_of(2.0 - 0.5 * GRAVITY_M_S2 * TIMES_S**2)

    assert bar_force(falling, TIMES_S, MASS_KG) == pytest.approx(np.zeros(len(TIMES_S)), abs=1e-6 * MASS_KG)


def test_bar_at_rest_feels_its_weight() -> None:
    """A 20 kg bar weighs 196.2 N."""
    assert bar_force(curve_of(np.full(len(TIMES_S), 0.3)), TIMES_S, 20.0) == pytest.approx(
        np.full(len(TIMES_S), 196.2), abs=1e-6
    )


def test_a_bar_driven_up_at_two_metres_per_second_squared_feels_that_above_its_weight() -> None:
    force = bar_force(curve_of(TIMES_S**2), TIMES_S, MASS_KG)

    assert force == pytest.approx(np.full(len(TIMES_S), MASS_KG * 11.81), rel=1e-6)


def test_there_is_no_force_outside_the_track() -> None:
    force = bar_force(curve_of(TIMES_S), np.array([-0.1, 0.5, 1.6]), MASS_KG)

    assert list(np.isnan(force)) == [True, False, True]


@pytest.mark.parametrize("mass_kg", [0.0, -20.0])
def test_a_bar_without_mass_is_refused(mass_kg: float) -> None:
    with pytest.raises(ValueError, match="mass"):
        bar_force(curve_of(TIMES_S), TIMES_S, mass_kg)
    with pytest.raises(ValueError, match="mass"):
        effort(curve_of(TIMES_S), 0.1, 0.5, mass_kg)


@pytest.mark.parametrize("end_s", [0.5, 0.4])
def test_effort_needs_time_to_pass(end_s: float) -> None:
    with pytest.raises(ValueError, match=r"0\.5 to"):
        effort(curve_of(TIMES_S), 0.5, end_s, MASS_KG)


def test_lifting_slowly_by_a_metre_costs_m_g_h() -> None:
    """100 kg raised 1 m at constant speed: 981 J."""
    given_to_bar = effort(curve_of(TIMES_S), 0.2, 1.2, 100.0)

    assert given_to_bar.work_j == pytest.approx(981, rel=1e-6)
    assert given_to_bar.mean_power_w == pytest.approx(981, rel=1e-6)
    assert given_to_bar.mean_force_n == pytest.approx(981, rel=1e-6)
    assert given_to_bar.impulse_n_s == pytest.approx(981, rel=1e-6)


def test_work_is_the_integral_of_force_over_the_path_in_both_directions(snatch: "MadeUpBar") -> None:
    curve = snatch.curve(120.0)
    start_s, end_s = 1.0, snatch.marks["peak_velocity"]
    t = np.linspace(start_s, end_s, 4001)
    power = bar_force(curve, t, MASS_KG) * curve.y.rate(t) + MASS_KG * curve.x.second_rate(t) * curve.x.rate(t)

    done = effort(curve, start_s, end_s, MASS_KG)

    assert done.work_j == pytest.approx(float(np.trapezoid(power, t)), rel=1e-4)
    assert done.mean_power_w == pytest.approx(done.work_j / (end_s - start_s))


def test_work_counts_forward_speed_too() -> None:
    up_only, both = curve_of(TIMES_S**2), curve_of(TIMES_S**2, TIMES_S**2)

    extra = effort(both, 0.0, 1.0, MASS_KG).work_j - effort(up_only, 0.0, 1.0, MASS_KG).work_j

    assert extra == pytest.approx(0.5 * MASS_KG * 2.0**2, rel=1e-6)


def test_impulse_is_the_integral_of_force_over_time(snatch: "MadeUpBar") -> None:
    curve = snatch.curve(120.0)
    t = np.linspace(1.0, snatch.marks["peak_velocity"], 4001)

    done = effort(curve, 1.0, snatch.marks["peak_velocity"], MASS_KG)

    assert done.impulse_n_s == pytest.approx(float(np.trapezoid(bar_force(curve, t, MASS_KG), t)), rel=1e-4)
    assert done.mean_force_n * (snatch.marks["peak_velocity"] - 1.0) == pytest.approx(done.impulse_n_s)


def test_work_and_impulse_on_a_smoothed_snatch_are_within_two_per_cent(snatch: "MadeUpBar") -> None:
    start_s, end_s = snatch.marks["lift_off"], snatch.marks["peak_velocity"]
    rise_m = float(np.interp(end_s, snatch.times_s, snatch.y))

    done = effort(snatch.curve(60.0), start_s, end_s, MASS_KG)

    assert done.work_j == pytest.approx(MASS_KG * (GRAVITY_M_S2 * rise_m + 0.5 * 1.8**2), rel=0.02)
    assert done.impulse_n_s == pytest.approx(MASS_KG * (1.8 + GRAVITY_M_S2 * (end_s - start_s)), rel=0.02)


@given(factor=st.floats(0.1, 10), split=st.floats(0.2, 1.2))
@settings(max_examples=20, deadline=None)
def test_effort_grows_with_mass_and_adds_up_over_time(factor: float, split: float) -> None:
    curve = curve_of(0.4 * TIMES_S**3, 0.1 * np.sin(TIMES_S))
    whole, first, second = (effort(curve, a, b, MASS_KG) for a, b in ((0.05, 1.4), (0.05, split), (split, 1.4)))

    assert first.work_j + second.work_j == pytest.approx(whole.work_j)
    assert first.impulse_n_s + second.impulse_n_s == pytest.approx(whole.impulse_n_s)
    heavier = effort(curve, 0.05, 1.4, factor * MASS_KG)
    assert heavier.work_j == pytest.approx(factor * whole.work_j)
    assert heavier.mean_force_n == pytest.approx(factor * whole.mean_force_n)


@pytest.mark.parametrize("rate_hz", [25.0, 30.0, 60.0])
def test_the_force_curve_explains_the_momentum_of_a_snatch(snatch: "MadeUpBar", rate_hz: float) -> None:
    curve = snatch.curve(rate_hz)

    assert impulse_check(curve, snatch.sampled(rate_hz)[0], 1.0, snatch.marks["peak_velocity"]) == pytest.approx(
        1.0, abs=0.01
    )


def test_too_few_frames_show_in_the_impulse_check(snatch: "MadeUpBar") -> None:
    curve = snatch.curve(60.0)

    ratio = impulse_check(curve, snatch.sampled(3.0)[0], 1.0, snatch.marks["peak_velocity"])

    assert abs(ratio - 1) > 0.02


@pytest.mark.parametrize("rate_hz", [25.0, 30.0, 59.94, 120.0])
def test_a_dropped_bar_falls_with_gravity(snatch: "MadeUpBar", rate_hz: float) -> None:
    t, _, y = snatch.sampled(rate_hz)

    found = free_fall_gravity(t, y, snatch.marks["max_height"])

    assert found is not None
    assert found[0] == pytest.approx(9.81, abs=0.15)


def test_the_fall_is_found_with_noise_and_its_error_is_honest(snatch: "MadeUpBar") -> None:
    off = []
    for seed in range(30):
        t, _, y = snatch.sampled(60.0, noise_m=0.003, seed=seed)
        found = free_fall_gravity(t, y, snatch.marks["max_height"])
        assert found is not None
        off.append((found[0] - 9.81) / max(found[1], 0.1))

    assert np.mean(np.abs(off) < 2) > 0.8


@given(factor=st.floats(0.5, 2), slower=st.floats(0.5, 4), shift=st.floats(-20, 20))
@settings(max_examples=20, deadline=None)
def test_a_wrong_scale_or_time_base_shows_in_the_fall(
    snatch: "MadeUpBar", factor: float, slower: float, shift: float
) -> None:
    t, _, y = snatch.sampled(60.0)
    after_s = snatch.marks["let_go"]
    plain = free_fall_gravity(t, y, after_s)
    found = free_fall_gravity(slower * t + shift, factor * y, slower * after_s + shift)

    if plain is not None and found is not None and slower < 1.1:
        assert found[0] == pytest.approx(plain[0] * factor / slower**2, rel=0.03)


def test_without_a_fall_nothing_is_said(bar: "MadeUpBar", snatch: "MadeUpBar") -> None:
    t, _, y = snatch.sampled(60.0)

    assert free_fall_gravity(t, y, snatch.marks["let_go"] + 0.7) is None  # only bounces are left
    held = bar.pull().rest(0.15).stand_up().rest(0.8)
    t, _, y = held.sampled(60.0)
    assert free_fall_gravity(t, y, held.marks["max_height"]) is None
    assert free_fall_gravity(t[:4], y[:4], -1.0) is None


@pytest.mark.parametrize("slower", [1.0, 2.0])
def test_a_bar_that_is_set_down_by_hands_is_no_fall_in_any_clock(slower: float) -> None:
    t = np.arange(0, 2, 1 / 60)
    since = np.maximum(t - 0.5, 0)

    assert free_fall_gravity(slower * t, 0.9 - np.minimum(1.8 * since, 0.8), 0.0) is None
    found = free_fall_gravity(slower * t, 0.9 - np.minimum(0.5 * 9.81 * since**2, 0.8), 0.0)
    assert found is not None
    assert found[0] == pytest.approx(9.81 / slower**2, rel=0.02)


def test_a_fall_seen_through_gaps_is_still_gravity(snatch: "MadeUpBar") -> None:
    t, _, y = snatch.sampled(60.0)
    y = y.copy()
    y[::4] = np.nan

    found = free_fall_gravity(t, y, snatch.marks["max_height"])

    assert found is not None
    assert found[0] == pytest.approx(9.81, abs=0.15)


def test_the_weight_of_a_made_up_track_agrees_with_an_independent_spline(snatch: "MadeUpBar") -> None:
    t, _, y = snatch.sampled(60.0)
    at = np.linspace(1.1, 1.6, 30)

    force = bar_force(snatch.curve(60.0), at, MASS_KG)
    other = MASS_KG * (GRAVITY_M_S2 + CubicSpline(t, y)(at, 2))

    assert np.mean(force) == pytest.approx(np.mean(other), rel=0.02)
