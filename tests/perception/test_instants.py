"""Lifts, instants and outcomes on constructed bar paths whose truth is known."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perception.bar import BarCurve
from perception.instants import LiftTimes, find_top, pull_times, read_motion
from perception.lifts import find_lifts
from perception.smoothing import smooth

if TYPE_CHECKING:
    from tests.perception.conftest import MadeUpBar

STATURE_M = 1.70


def lifts_of(path: "MadeUpBar", rate_hz: float = 60.0, **noise: float) -> list[LiftTimes]:
    curve = path.curve(rate_hz, **noise)
    return find_lifts(curve, None, STATURE_M)


def only_lift(path: "MadeUpBar", rate_hz: float = 60.0, **noise: float) -> LiftTimes:
    (lift,) = lifts_of(path, rate_hz, **noise)
    return lift


def caught(path: "MadeUpBar") -> "MadeUpBar":
    return path.pull().rest(0.15).stand_up().rest(0.8)


@pytest.mark.parametrize("rate_hz", [25.0, 30.0, 50.0, 60.0])
def test_the_four_instants_of_a_snatch_are_within_half_a_frame(snatch: "MadeUpBar", rate_hz: float) -> None:
    lift = only_lift(snatch, rate_hz)

    assert lift.outcome == "caught"
    for name, truth_s in snatch.truth().items():
        assert lift.times_s[name] == pytest.approx(truth_s, abs=max(0.5 / rate_hz, 0.015)), name


@pytest.mark.parametrize(("rate_hz", "noise_m", "tolerance_s"), [(60.0, 0.003, 0.025), (30.0, 0.003, 0.035)])
def test_noise_of_a_plate_track_moves_the_instants_by_a_frame_or_so(
    snatch: "MadeUpBar", rate_hz: float, noise_m: float, tolerance_s: float
) -> None:
    truth = snatch.truth()
    drawn = [only_lift(snatch, rate_hz, noise_m=noise_m, seed=seed) for seed in range(20)]

    for name, truth_s in truth.items():
        off = np.abs([lift.times_s[name] - truth_s for lift in drawn])
        assert np.median(off) < tolerance_s, name
        assert np.max(off) < 3.5 * tolerance_s, name


def test_the_instants_come_in_order_between_lift_off_and_end(snatch: "MadeUpBar") -> None:
    lift = only_lift(snatch)
    names = ("lift_off", "start", "peak_velocity", "max_height", "catch", "recovered")

    moments = [lift.times_s[name] for name in names] + [lift.end_s]

    assert moments == sorted(moments)
    assert lift.rest_m == pytest.approx(0.0, abs=0.002)
    assert snatch.marks["lift_off"] - 0.01 <= lift.times_s["lift_off"] <= snatch.truth()["start"] + 0.01


def test_the_recovery_stands_higher_than_the_apex_and_is_not_max_height(snatch: "MadeUpBar") -> None:
    lift = only_lift(snatch)

    t, y = snatch.times_s, snatch.y
    assert np.interp(snatch.marks["stands"], t, y) > np.interp(snatch.marks["max_height"], t, y) + 0.4
    assert lift.times_s["max_height"] == pytest.approx(snatch.marks["max_height"], abs=0.02)
    assert lift.times_s["recovered"] == pytest.approx(snatch.marks["stands"], abs=0.10)


def test_a_quicker_recovery_than_pull_does_not_take_the_peak(bar: "MadeUpBar") -> None:
    path = bar.pull(1.3, drop_m=0.10).rest(0.15).stand_up(1.2).rest(0.6)

    lift = only_lift(path)

    assert np.max(path.up[round(path.marks["bottom"] / 0.0005) :]) > 1.3
    assert lift.times_s["peak_velocity"] == pytest.approx(path.marks["peak_velocity"], abs=0.03)


def test_hands_that_reach_down_before_the_pull_do_not_fire_the_start(bar: "MadeUpBar") -> None:
    path = caught(bar.then((0.4, -1.2), (0.4, 0.0)).rest(0.4))

    assert only_lift(path).times_s["start"] == pytest.approx(path.truth()["start"], abs=0.02)


def test_a_bar_rolled_along_the_floor_before_the_pull_does_not_fire_the_start(bar: "MadeUpBar") -> None:
    path = caught(bar.then((0.8, 0.0), forward=0.9).rest(0.4))

    assert only_lift(path).times_s["start"] == pytest.approx(path.truth()["start"], abs=0.02)


def test_walking_up_before_the_pull_does_not_fire_the_start(bar: "MadeUpBar") -> None:
    steps = [(0.15, 0.15), (0.15, -0.15)] * 3
    path = caught(bar.then(*steps, (0.15, 0.0), forward=0.5).rest(0.3))

    assert only_lift(path).times_s["start"] == pytest.approx(path.truth()["start"], abs=0.02)


def test_bounces_are_no_lifts(bar: "MadeUpBar") -> None:
    hard = caught(bar).fall(restitution=0.6, n_bounces=3)

    assert len(lifts_of(hard)) == 1
    assert np.max(hard.up[round(hard.marks["let_go"] / 0.0005) :]) > 2.5


@pytest.mark.parametrize("rate_hz", [25.0, 30.0, 60.0])
def test_a_dropped_miss_is_not_caught_and_has_no_catch(bar: "MadeUpBar", rate_hz: float) -> None:
    path = bar.pull(drop_m=0).fall()
    lift = only_lift(path, rate_hz)

    assert lift.outcome == "not_caught"
    assert "catch" not in lift.times_s
    assert "recovered" not in lift.times_s
    assert lift.times_s["max_height"] == pytest.approx(path.marks["max_height"], abs=0.02)


def test_a_catch_without_a_drop_happens_at_max_height(bar: "MadeUpBar") -> None:
    path = bar.pull(drop_m=0).rest(0.4).stand_up(0.5).rest(0.8)
    lift = only_lift(path)

    assert lift.outcome == "caught_no_drop"
    assert lift.times_s["catch"] == lift.times_s["max_height"]
    assert lift.times_s["max_height"] == pytest.approx(path.marks["max_height"], abs=0.05)


def test_a_bar_that_creeps_on_where_it_was_caught_is_highest_when_it_arrives(bar: "MadeUpBar") -> None:
    pulled = bar.pull(drop_m=0)
    since = pulled.times_s - pulled.marks["max_height"]
    creeping = np.where(since > -0.1, 0.05 * np.clip(1 - since / 0.2, 0, 1), 0.0)

    lift = only_lift(replace(pulled, up=np.maximum(pulled.up, creeping)).rest(0.3).stand_up(0.5).rest(0.8))

    assert lift.outcome == "caught_no_drop"
    assert lift.times_s["catch"] == lift.times_s["max_height"]
    assert lift.times_s["max_height"] == pytest.approx(pulled.marks["max_height"], abs=0.03)


def test_a_bar_that_falls_from_the_bottom_was_caught_then_lost(bar: "MadeUpBar") -> None:
    path = bar.pull().rest(0.3).fall()

    lift = only_lift(path)

    assert lift.outcome == "caught_then_lost"
    assert lift.times_s["catch"] == pytest.approx(path.truth()["catch"], abs=0.02)
    assert "recovered" not in lift.times_s
    assert lift.end_s < path.marks["let_go"] + 0.25


def test_two_reps_are_two_lifts_with_the_same_instants(snatch: "MadeUpBar") -> None:
    path = caught(snatch.rest(0.8)).fall()

    first, second = lifts_of(path)

    shift_s = path.marks["lift_off"] - snatch.marks["lift_off"]
    assert (first.outcome, second.outcome) == ("caught", "caught")
    for name in snatch.truth():
        assert second.times_s[name] - first.times_s[name] == pytest.approx(shift_s, abs=0.02), name


def test_a_rep_without_rest_on_the_floor_says_so(bar: "MadeUpBar") -> None:
    first = caught(bar)
    depth = float(first.y[-1])
    down = first.then((0.5, -1.2), (depth / 1.2 - 0.28, -1.2), (0.03, 0.4))
    again = down.then((0.3, 1.3), (0.2, 1.8), (0.16, 0.9), (0.14, 0.0)).rest(0.15).stand_up().rest(0.5)

    one, two = lifts_of(again)

    assert one.has_rest
    assert not two.has_rest
    assert two.times_s["start"] == pytest.approx(len(down.up) * 0.0005, abs=0.06)


def test_a_short_rise_is_no_lift_and_a_slow_one_to_the_hip_is_a_deadlift(bar: "MadeUpBar") -> None:
    slow = bar.then((0.4, 0.5), (0.6, 0.5), (0.3, 0.0)).rest(0.5)
    short = bar.then((0.12, 0.9), (0.12, 0.0)).rest(0.5)

    assert [(lift.kind, lift.outcome) for lift in lifts_of(slow)] == [("deadlift", "caught")]
    assert lifts_of(short) == []


def test_a_bar_that_never_passes_the_thighs_is_no_attempt(bar: "MadeUpBar") -> None:
    lift = only_lift(bar.then((0.25, 0.9), (0.25, 0.0)).rest(0.5).then((0.2, -0.9), (0.3, 0.0)).rest(0.3))

    assert lift.outcome == "no_attempt"
    assert "catch" not in lift.times_s


def seen_until(path: "MadeUpBar", end_s: float) -> list[LiftTimes]:
    t, x, y = path.sampled(60.0)
    kept = t < end_s
    return find_lifts(BarCurve(smooth(t[kept], x[kept], 7.0), smooth(t[kept], y[kept], 7.0)), None, STATURE_M)


@pytest.mark.parametrize("before_apex_s", [0.15, 0.05])
def test_a_bar_lost_in_the_turnover_keeps_its_start_and_peak_or_is_no_lift(
    bar: "MadeUpBar", before_apex_s: float
) -> None:
    path = bar.pull().rest(0.1)

    for lift in seen_until(path, path.marks["max_height"] - before_apex_s):
        for name in ("start", "peak_velocity"):
            assert lift.times_s[name] == pytest.approx(path.truth()[name], abs=0.02)


def test_a_bar_lost_while_it_still_speeds_up_is_no_lift(bar: "MadeUpBar") -> None:
    path = bar.pull().rest(0.1)

    assert seen_until(path, path.marks["peak_velocity"] - 0.02) == []


def test_a_bar_lost_in_the_middle_of_the_turnover_has_no_catch(bar: "MadeUpBar") -> None:
    path = bar.pull().rest(0.1)

    assert [
        name for lift in seen_until(path, path.marks["max_height"] - 0.15) for name in lift.times_s if name == "catch"
    ] == []


@pytest.mark.parametrize("after_apex_s", [0.02, 0.05])
def test_a_bar_lost_at_the_apex_has_no_catch(bar: "MadeUpBar", after_apex_s: float) -> None:
    path = bar.pull().rest(0.1)

    (lift,) = seen_until(path, path.marks["max_height"] + after_apex_s)

    assert "catch" not in lift.times_s
    assert lift.outcome not in ("caught", "caught_no_drop")


def test_a_power_catch_is_caught_wherever_the_track_began(bar: "MadeUpBar") -> None:
    overhead = replace(bar, floor_m=1.6)
    trial_m = 1.6 - float(overhead.then((1.2, -1.0), (1.2, 0.0)).y[-1])
    lowered = overhead.then((1.2, -1.6 / trial_m), (1.2, 0.0)).rest(0.8)

    lift = only_lift(lowered.pull(drop_m=0).rest(0.4).stand_up(0.5).rest(0.8))

    assert lift.rest_m == pytest.approx(0.0, abs=0.01)
    assert lift.outcome == "caught_no_drop"


@given(delay_s=st.floats(-50, 50), up_m=st.floats(-5, 5), forward_m=st.floats(-5, 5), mirrored=st.booleans())
@settings(max_examples=15, deadline=None)
def test_instants_move_with_the_clock_and_not_with_the_place_or_the_side(
    snatch: "MadeUpBar", delay_s: float, up_m: float, forward_m: float, mirrored: bool
) -> None:
    t, x, y = snatch.sampled(60.0)
    sign = -1 if mirrored else 1
    curve = BarCurve(smooth(t + delay_s, sign * x + forward_m, 7.0), smooth(t + delay_s, y + up_m, 7.0))
    moved = find_lifts(curve, None, STATURE_M)

    (lift,) = moved
    here = only_lift(snatch)
    assert lift.outcome == here.outcome
    assert lift.rest_m == pytest.approx(here.rest_m + up_m, abs=0.002)
    for name, time_s in here.times_s.items():
        assert lift.times_s[name] - delay_s == pytest.approx(time_s, abs=0.006), name


@given(rate_hz=st.floats(50, 240))
@settings(max_examples=15, deadline=None)
def test_instants_do_not_depend_on_the_frame_rate(snatch: "MadeUpBar", rate_hz: float) -> None:
    slow, fast = only_lift(snatch, rate_hz), only_lift(snatch, 240.0)

    for name in ("start", "peak_velocity", "max_height", "catch"):
        assert slow.times_s[name] == pytest.approx(fast.times_s[name], abs=0.006), name


@given(seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_variable_frame_times_do_not_move_the_instants(snatch: "MadeUpBar", seed: int) -> None:
    random = np.random.default_rng(seed)
    t = np.cumsum(random.uniform(0.012, 0.022, size=500))
    t = t[t < snatch.times_s[-1]]
    y, x = np.interp(t, snatch.times_s, snatch.y), np.interp(t, snatch.times_s, snatch.x)

    (lift,) = find_lifts(BarCurve(smooth(t, x, 7.0), smooth(t, y, 7.0)), None, STATURE_M)

    for name, truth_s in snatch.truth().items():
        assert lift.times_s[name] == pytest.approx(truth_s, abs=0.02), name


def test_a_bar_first_seen_on_its_way_up_has_no_start_but_a_peak_and_a_catch(snatch: "MadeUpBar") -> None:
    t, x, y = snatch.sampled(60.0)
    seen = t > snatch.truth()["peak_velocity"] - 0.25
    whole = only_lift(snatch)

    (lift,) = find_lifts(BarCurve(smooth(t[seen], x[seen], 7.0), smooth(t[seen], y[seen], 7.0)), None, STATURE_M)

    assert "start" not in lift.times_s
    assert "lift_off" not in lift.times_s
    for name in ("peak_velocity", "max_height", "catch"):
        assert lift.times_s[name] == pytest.approx(whole.times_s[name], abs=0.02), name


def moved(path: "MadeUpBar", metres: float, seconds: float) -> "MadeUpBar":
    """Move the bar up or down as smoothly as a hand does: with the least jerk, still at both ends.

    Source: Flash and Hogan 1985.
    """
    share = np.arange(0.0, 1.0, 0.0005 / seconds)
    up = 30 * share**2 * (1 - share) ** 2 * metres / seconds
    return replace(path, up=np.append(path.up, up), forward=np.append(path.forward, np.zeros(len(up))))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("down_s", [1.2, 2.0])
def test_of_two_squats_without_a_rest_one_ends_and_the_other_begins_where_the_bar_turns(
    bar: "MadeUpBar", down_s: float, seed: int
) -> None:
    once = moved(moved(replace(bar, floor_m=1.4), -0.6, 1.2), 0.6, 1.2)
    twice = moved(moved(once, -0.6, down_s), 0.6, 1.2).rest(1.0)

    first, second = lifts_of(twice, noise_m=0.001, seed=seed)

    turn_s = float(once.times_s[-1])
    assert (first.kind, second.kind) == ("squat", "squat")
    assert first.times_s["max_height"] == pytest.approx(turn_s, abs=2 / 60)
    assert second.times_s["dip_start"] == pytest.approx(turn_s, abs=2 / 60)


@pytest.mark.parametrize("seed", range(4))
def test_a_squat_that_waits_at_the_bottom_is_at_its_bottom_when_it_arrives(bar: "MadeUpBar", seed: int) -> None:
    down = moved(bar, -0.6, 1.2)
    path = moved(down.rest(0.8), 0.6, 1.2).rest(1.0)

    lift = only_lift(path, noise_m=0.002, seed=seed)

    arrives_s = float(down.times_s[-1])
    assert lift.kind == "squat"
    assert lift.times_s["dip_bottom"] == pytest.approx(arrives_s, abs=3 / 60)
    assert lift.times_s["start"] > arrives_s + 0.7


def test_the_peak_of_a_slow_lift_whose_speed_is_long_flat_is_within_two_frames(bar: "MadeUpBar") -> None:
    path = moved(bar, 0.55, 1.2).rest(0.8)
    peak_s = float(path.times_s[np.argmax(path.up)])

    drawn = [only_lift(path, noise_m=0.001, seed=seed) for seed in range(20)]

    off_s = np.array([lift.times_s["peak_velocity"] - peak_s for lift in drawn])
    assert [lift.kind for lift in drawn] == ["deadlift"] * 20
    assert np.sqrt(np.mean(off_s**2)) < 1.5 / 60
    assert np.abs(off_s).max() < 3 / 60


def test_a_hang_pull_begins_when_the_bar_goes_back_to_the_hip_and_one_from_the_floor_when_it_goes_up(
    bar: "MadeUpBar",
) -> None:
    pull = replace(bar, floor_m=0.5).pull()
    upward_s = pull.marks["lift_off"]
    share = np.clip((pull.times_s - upward_s + 0.05) / 0.25, 0, 1)
    path = replace(pull, forward=-0.6 * np.sin(np.pi * share)).rest(0.5)
    m = read_motion(path.curve())
    top = find_top(m, m.index(upward_s), m.index(pull.marks["max_height"]))

    hang, floor = (pull_times(m, top, from_floor=from_floor)[0] for from_floor in (False, True))

    assert hang["start"] == pytest.approx(path.truth()["start"], abs=0.02)
    assert floor["start"] == pytest.approx(pull.truth()["start"], abs=0.02)
    assert hang["start"] < floor["start"] - 0.08
    assert "lift_off" not in hang
