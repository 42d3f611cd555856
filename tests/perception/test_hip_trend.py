"""The moment at the hips as a trend: against the truth of simulated lifts, and withheld with its reason."""

from dataclasses import replace

import numpy as np
import pytest

from perception.ground_force import FloorForces, Loads, see_again, system_of
from perception.hip_trend import CONTRADICTS, HIDDEN, LARGEST_RESIDUAL, NO_PHASE, POSE_LOST, HipTrend, hip_trend
from perception.moments import joint_moments
from perception.readings import Context
from perception.simulator.motion import SnatchMotion
from perception.simulator.random_spec import random_spec
from perception.simulator.without_pictures import solve_simulated, true_hip_nm
from perception.skeleton import PLACES

SEEDS = (100, 101, 103, 104, 106, 107)


def forces(loads: Loads, context: Context) -> FloorForces:
    return FloorForces({}, {}, loads, see_again(loads, context), "")


@pytest.fixture(scope="module")
def seen() -> list[tuple[SnatchMotion, Loads, Context, float, HipTrend | str]]:
    out = []
    for seed in SEEDS:
        motion = SnatchMotion(random_spec(seed))
        loads, context, lift_off_s = solve_simulated(motion, 60.0, np.random.default_rng(seed))
        out.append((motion, loads, context, lift_off_s, hip_trend(forces(loads, context))))
    return out


@pytest.fixture(scope="module")
def shown(seen: list[tuple[SnatchMotion, Loads, Context, float, HipTrend | str]]) -> tuple[Loads, Context, HipTrend]:
    return next((loads, context, trend) for _, loads, context, _, trend in seen if isinstance(trend, HipTrend))


def test_the_band_holds_the_true_moment_and_is_no_wider_than_a_third(
    seen: list[tuple[SnatchMotion, Loads, Context, float, HipTrend | str]],
) -> None:
    held, reach = [], []
    for motion, loads, _, lift_off_s, trend in seen:
        if isinstance(trend, str):
            assert trend in (CONTRADICTS, NO_PHASE, POSE_LOST)
            continue
        times = trend.times_s - lift_off_s
        dense = np.arange(times[0] - 0.2, times[-1] + 0.2, 0.002)
        system = system_of(loads)
        own = joint_moments(system, loads.motion.states(system.times_s), loads.motion.bones)
        peak = np.max(np.abs(np.interp(trend.times_s, own.times_s, own.hip_nm)))
        truth = np.interp(times, dense, true_hip_nm(motion, dense)) / peak
        held += list((truth >= trend.low) & (truth <= trend.high))
        reach += list((trend.high - trend.low) / 2)
        assert trend.residual_ratio < LARGEST_RESIDUAL
        assert np.max(np.abs(trend.share)) == pytest.approx(1.0)
    assert len(held) > 60
    assert np.mean(held) >= 0.85
    assert np.mean(reach) < 0.33


def test_it_follows_the_first_pull_and_no_more(shown: tuple[Loads, Context, HipTrend]) -> None:
    loads, _, trend = shown
    assert trend.times_s[0] == pytest.approx(loads.lift.times_s["lift_off"])
    assert trend.times_s[-1] <= loads.lift.times_s["end_first_pull"] + 0.01


def test_a_motion_that_no_floor_could_bear_is_withheld(shown: tuple[Loads, Context, HipTrend]) -> None:
    loads, context, _ = shown
    shifted = loads.motion.states.c.copy()
    shifted[:, 0] -= 0.7  # the whole body 70 cm behind the bar that it holds
    moved = replace(loads.motion, states=type(loads.motion.states)(loads.motion.states.t, shifted, 5))
    assert hip_trend(forces(replace(loads, motion=moved), context)) == CONTRADICTS


def test_without_an_end_of_the_first_pull_or_without_a_pose_there_is_none(
    shown: tuple[Loads, Context, HipTrend],
) -> None:
    loads, context, _ = shown
    floor = forces(loads, context)
    times = {name: t for name, t in loads.lift.times_s.items() if name not in ("end_first_pull", "power_position")}
    unphased = replace(loads, lift=replace(loads.lift, times_s=times))
    assert hip_trend(replace(floor, loads=unphased)) == NO_PHASE
    lost = loads.seen.places_m.copy()
    middle = (loads.lift.times_s["lift_off"] + loads.lift.times_s["end_first_pull"]) / 2
    lost[np.abs(loads.seen.times_s - middle) < 0.12] = np.nan
    blind = replace(loads, seen=replace(loads.seen, places_m=lost))
    assert hip_trend(replace(floor, loads=blind)) == POSE_LOST


def test_hips_behind_the_plate_give_no_moment(shown: tuple[Loads, Context, HipTrend]) -> None:
    loads, context, _ = shown
    guessed = loads.seen.sd_m.copy()
    guessed[:, PLACES.index("hip")] = 0.2
    hidden = replace(loads, seen=replace(loads.seen, sd_m=guessed))
    assert hip_trend(replace(forces(loads, context), loads=hidden)) == HIDDEN


def test_the_reason_of_the_forces_is_the_reason_of_the_trend() -> None:
    why = "the mass of the body was not told (--body-mass)"
    assert hip_trend(FloorForces({}, {}, None, (), why)) == why
