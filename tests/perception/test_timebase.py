"""The clock of a clip: made-up lifts filmed at one rate and played at another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.domain.measures import MEASURES
from perception.bar import BarCurve
from perception.flights import find_bounces
from perception.force import free_fall_gravity
from perception.lifts import find_lifts
from perception.measure_lift import pull_times
from perception.timebase import (
    TIMED_UNITS,
    PullTimes,
    TimeBase,
    bounce_gravity,
    check_time_base,
    find_copies,
    search_factor,
)
from tests.perception.conftest import MadeUpBar, exact_track


def played(snatch: MadeUpBar, factor: float, *, scale: float = 1.0) -> TimeBase:
    """Return what is said of a lift whose file runs `factor` times slower than life."""
    t, _, y = snatch.sampled(60.0, noise_m=0.001)
    t, y = t * factor, y * scale
    at = {name: snatch.marks[name] * factor for name in ("lift_off", "peak_velocity", "max_height", "stands")}
    pull = PullTimes(
        at["lift_off"],
        at["peak_velocity"],
        at["max_height"],
        scale * float(snatch.up[: round(at["max_height"] / factor / 0.0005)].max()) / factor,
    )
    fall = free_fall_gravity(t, y, at["stands"])
    return check_time_base([pull], fall, bounce_gravity(t, y, at["stands"]), 0.015)


def test_a_true_clock_is_fine(snatch: MadeUpBar) -> None:
    found = played(snatch, 1.0)

    assert found.verdict == "fine"
    assert found.low <= 1 <= found.high
    assert found.warning is None
    assert all(found.why_not(unit) is None for unit in TIMED_UNITS)


@pytest.mark.parametrize("factor", [1.25, 2.0, 4.0, 8.0])
def test_slow_motion_is_found_with_its_factor(snatch: MadeUpBar, factor: float) -> None:
    found = played(snatch, factor)

    assert found.verdict == "slow_motion"
    assert found.factor == pytest.approx(factor, rel=0.06)
    assert found.warning is not None
    assert "--fps" in found.warning


@pytest.mark.parametrize("factor", [0.5, 0.8])
def test_a_clip_that_runs_too_fast_is_found(snatch: MadeUpBar, factor: float) -> None:
    assert played(snatch, factor).verdict == "fast"


@pytest.mark.parametrize("scale", [0.97, 1.03])
def test_a_scale_a_little_off_is_not_taken_for_a_wrong_clock(snatch: MadeUpBar, scale: float) -> None:
    assert played(snatch, 1.0, scale=scale).verdict == "fine"


def test_a_wrong_clock_takes_speeds_and_times_and_leaves_heights_and_angles(snatch: MadeUpBar) -> None:
    found = played(snatch, 4.0)
    gone = {m.id for m in MEASURES.values() if found.why_not(m.unit) is not None}

    assert {"bar_peak_velocity_m_s", "time_start_to_peak_s", "bar_work_j", "bar_peak_force_n"} <= gone
    assert not {"bar_max_height_m", "bar_forward_loop_m", "knee_angle_catch_deg"} & gone


def test_a_pull_and_its_rise_alone_tell_slow_motion() -> None:
    found = check_time_base([PullTimes(1.0, 2.7, 3.3, 0.95)], None, (), 0.02)

    assert found.verdict == "slow_motion"


def test_a_slow_pull_alone_proves_nothing() -> None:
    """A heavy pull may rise slowly and stop early; without a second sign the clock is not blamed."""
    assert check_time_base([PullTimes(None, 2.0, 2.6, 0.95)], None, (), 0.02).verdict == "unsure"
    assert check_time_base([PullTimes(1.0, 1.9, 2.4, 0.95)], None, (), 0.02).verdict != "slow_motion"


def test_a_squat_may_be_slow() -> None:
    found = check_time_base([PullTimes(1.0, 3.0, 4.5, 0.5, is_explosive=False)], None, (), 0.02)

    assert found.verdict == "unsure"
    assert found.warning is None


def test_a_bar_guided_down_by_hands_is_no_slow_motion() -> None:
    found = check_time_base([PullTimes(1.0, 1.85, 2.12, 1.85)], (7.8, 0.2), (), 0.015)

    assert found.verdict == "fine"


def test_a_rate_that_was_told_is_checked_too() -> None:
    found = check_time_base([PullTimes(1.0, 2.7, 3.3, 0.95)], (2.4, 0.1), (), 0.02, told_rate_hz=30)

    assert found.warning is not None
    assert "with --fps 30" in found.warning
    assert "check that rate" in found.warning


@pytest.mark.parametrize("factor", [4.0, 8.0])
def test_a_lift_at_another_speed_is_told_whether_it_is_found_as_it_is_or_by_turning_the_clock(
    snatch: MadeUpBar, factor: float
) -> None:
    t, x, y = snatch.sampled(120.0)

    def pulls_at(speed: float) -> list[PullTimes]:
        times = t * factor / speed
        up, along = exact_track(times, y), exact_track(times, x)
        curve = BarCurve(along, up)
        return [pull_times(lift, curve) for lift in find_lifts(curve, None, 1.7)]

    as_it_is = pulls_at(1.0)
    found = check_time_base(as_it_is, None, (), 0.02) if as_it_is else search_factor(pulls_at, 0.02)

    assert found is not None
    assert found.verdict == "slow_motion"
    assert found.factor == pytest.approx(factor, rel=0.35)


def test_nothing_to_go_by_is_unsure_and_silent() -> None:
    found = check_time_base([], None, (), 0.02)

    assert (found.verdict, found.warning) == ("unsure", None)


def test_bounces_fall_with_gravity(snatch: MadeUpBar) -> None:
    t, _, y = snatch.sampled(60.0, noise_m=0.0005)

    found = bounce_gravity(t, y, snatch.marks["stands"])

    assert len(found) >= 1
    assert all(value == pytest.approx(9.81, abs=3 * sd + 0.1) for value, sd in found)


def test_a_bar_put_down_does_not_bounce(bar: MadeUpBar) -> None:
    held = bar.pull().rest(0.15).stand_up().rest(0.5).then((0.8, -0.9), (0.8, 0.0)).rest(0.5)
    t, _, y = held.sampled(60.0, noise_m=0.0005)

    assert find_bounces(t, y, held.marks["stands"]) == []


@given(every=st.integers(2, 8), seed=st.integers(0, 100))
@settings(max_examples=30, deadline=None)
def test_regular_copies_tell_the_rate_before_the_conversion(every: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    changes = random.uniform(1.0, 2.0, 120)
    changes[every - 1 :: every] = random.uniform(0, 0.05, len(changes[every - 1 :: every]))
    changes[0] = np.nan

    found = find_copies(changes, 30.0)

    assert found.every == pytest.approx(every)
    assert found.warning is not None
    assert f"about {30 * (1 - 1 / every):.0f} to 30" in found.warning


def test_a_clip_in_which_nobody_moves_for_a_while_has_no_copies() -> None:
    changes = np.concatenate([np.full(60, 0.05), np.random.default_rng(0).uniform(1, 2, 60), np.full(60, 0.05)])

    assert find_copies(changes, 30.0).n_copies < 8
    assert find_copies(changes, 30.0).every is None
