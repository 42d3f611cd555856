"""Ground force of simulated lifts, seen with an estimator's errors, against truth; and when it is declined."""

from dataclasses import replace

import numpy as np
import pytest

from coach.domain.measures import MEASURES, Measure
from perception import ground_force as ground_force_module
from perception.dynamics import ground_force
from perception.ground_force import (
    FASTEST_COM_M_S,
    IDS,
    Loads,
    forces_on_floor,
    ground_measures,
    read_ground,
    see_again,
    system_of,
    trusted,
    why_not,
)
from perception.readings import Context
from perception.simulator.motion import SnatchMotion
from perception.simulator.pose_noise import observe_lift
from perception.simulator.random_spec import random_spec
from perception.simulator.without_pictures import solve_simulated, true_instants, true_system
from perception.view import Look

SEEDS = (0, 2, 6)


@pytest.fixture(scope="module")
def solved() -> list[tuple[dict[str, float], Loads, Context]]:
    out = []
    for seed in SEEDS:
        motion = SnatchMotion(random_spec(seed))
        truth = read_ground(true_system(motion), true_instants(motion))
        loads, context, _ = solve_simulated(motion, 60.0, np.random.default_rng(seed))
        out.append(({name: r.value for name, r in truth.items()}, loads, context))
    return out


@pytest.fixture(scope="module")
def measured(
    solved: list[tuple[dict[str, float], Loads, Context]],
) -> list[tuple[dict[str, float], dict[str, Measure]]]:
    return [(truth, ground(loads, context)[0]) for truth, loads, context in solved]


def ground(loads: Loads, context: Context) -> tuple[dict[str, Measure], dict[str, str]]:
    return ground_measures(loads, context, loads.seen.times_s, see_again(loads, context))


def test_mean_force_of_the_pull_and_the_first_pull_is_within_five_percent(
    measured: list[tuple[dict[str, float], dict[str, Measure]]],
) -> None:
    for truth, measures in measured:
        for name in ("ground_force_mean_pull_n", "ground_force_mean_first_pull_n"):
            if name in measures:
                assert measures[name].value == pytest.approx(truth[name], rel=0.05)
    assert all("ground_force_mean_pull_n" in m for _, m in measured)


def test_intervals_hold_the_truth_mostly(measured: list[tuple[dict[str, float], dict[str, Measure]]]) -> None:
    held = [
        m.low <= truth[name] <= m.high for truth, measures in measured for name, m in measures.items() if name in truth
    ]
    assert len(held) >= 12
    assert np.mean(held) >= 0.8


def test_work_of_body_and_bar_is_kept_apart_from_work_on_the_bar(
    solved: list[tuple[dict[str, float], Loads, Context]],
) -> None:
    _, loads, _ = solved[0]
    readings = read_ground(system_of(loads), loads.lift.times_s)
    bar_only = readings["system_work_j"].value - readings["body_work_j"].value
    at = loads.lift.times_s
    y, v = loads.curve.y, loads.curve.x
    ends = np.array([at["lift_off"], at["peak_velocity"]])
    speed = y.rate(ends) ** 2 + v.rate(ends) ** 2
    expected = loads.bar_mass_kg * (9.81 * np.diff(y.value(ends))[0] + np.diff(speed)[0] / 2)
    assert bar_only == pytest.approx(expected, rel=0.01)


def test_before_lift_off_the_curve_is_the_weight(solved: list[tuple[dict[str, float], Loads, Context]]) -> None:
    shares = []
    for _, loads, _ in solved:
        system = system_of(loads)
        start = ground_force(system)[system.times_s < loads.lift.times_s["lift_off"], 1]
        shares.append(float(np.mean(start)) / system.weight_n)
    assert np.median(shares) == pytest.approx(1.0, abs=0.15)


def test_every_id_is_in_the_catalogue_and_either_measured_or_declined(
    solved: list[tuple[dict[str, float], Loads, Context]],
) -> None:
    assert set(IDS) <= set(MEASURES)
    _, loads, context = solved[1]
    measures, reasons = ground(loads, context)
    assert set(measures) | set(reasons) == set(IDS)
    assert not set(measures) & set(reasons)


def test_no_moment_and_no_spine_load_is_in_the_catalogue() -> None:
    assert not [name for name, info in MEASURES.items() if "moment" in name or "spine" in name or info.unit == "N m"]


def test_forces_are_declined_with_the_reason(solved: list[tuple[dict[str, float], Loads, Context]]) -> None:
    _, loads, context = solved[0]
    front = why_not(loads, replace(context, look=Look("front", "camera", 90.0, 5.0)))
    assert front == "cannot be judged from the front; film from the side"
    hands = replace(loads, samples=replace(loads.samples, source="hands"))
    assert "plate" in (why_not(hands, context) or "")
    lost = loads.seen.places_m.copy()
    lost[::2] = np.nan
    unseen = replace(loads, seen=replace(loads.seen, places_m=lost))
    assert trusted(unseen.seen, 0.0, loads.lift.times_s["peak_velocity"])[0] < 0.7
    assert "did not fit a body" in (why_not(unseen, context) or "")


def test_a_body_that_jumps_faster_than_one_can_has_no_forces(
    solved: list[tuple[dict[str, float], Loads, Context]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, loads, context = solved[0]
    still = system_of(loads)
    jumps = replace(still, com_m_s=np.where(np.arange(len(still.times_s))[:, None] < 3, 20.0, still.com_m_s))

    assert np.max(np.abs(still.com_m_s)) < 0.5 * FASTEST_COM_M_S
    assert why_not(loads, context) is None
    monkeypatch.setattr(ground_force_module, "system_of", lambda _: jumps)
    assert "jumps" in (why_not(loads, context) or "")


def test_from_tracks_to_measures_in_one_call_and_masses_are_asked_for(
    solved: list[tuple[dict[str, float], Loads, Context]],
) -> None:
    motion = SnatchMotion(random_spec(SEEDS[0]))
    loads, context, _ = solve_simulated(motion, 60.0, np.random.default_rng(SEEDS[0]))
    frames_s = np.arange(-1.0, motion.times.apex_s + 1.0, 1 / 60)
    pose, plate = observe_lift(motion.spec, motion, frames_s, np.random.default_rng(SEEDS[0]))
    tracks = (pose, plate, loads.samples, loads.curve, loads.lift, loads.view)
    found = forces_on_floor(*tracks, context, motion.spec.lifter.mass_kg, pose.times_s)
    assert "ground_force_mean_pull_n" in found.measures
    assert found.loads is not None
    assert len(found.draws) > 5
    times = {name: t for name, t in loads.lift.times_s.items() if name != "lift_off"}
    drive = (pose, plate, loads.samples, loads.curve, replace(loads.lift, times_s=times, kind="jerk"), loads.view)
    assert "dip and drive" in forces_on_floor(*drive, context, 70.0, pose.times_s).reasons["ground_force_peak_n"]
    assert "--body-mass" in forces_on_floor(*tracks, context, None, pose.times_s).reasons["ground_force_peak_n"]
    assert found.reason == ""
    unweighed = forces_on_floor(*tracks, replace(context, bar_mass_kg=None), 70.0, pose.times_s)
    assert "--bar-mass" in unweighed.reasons["system_work_j"]
    assert unweighed.loads is None


def test_a_body_that_would_hang_on_the_floor_gives_no_peak(
    solved: list[tuple[dict[str, float], Loads, Context]],
) -> None:
    _, loads, context = solved[0]
    at = loads.lift.times_s
    thrown = loads.motion.states.c.copy()
    greville = np.array([loads.motion.states.t[i + 1 : i + 6].mean() for i in range(len(thrown))])
    near = np.exp(-(((greville - at["peak_velocity"] + 0.1) / 0.04) ** 2))
    thrown[:, 1] += 0.15 * near
    moved = replace(loads.motion, states=type(loads.motion.states)(loads.motion.states.t, thrown, 5))
    _, reasons = ground(replace(loads, motion=moved), context)
    assert reasons["ground_force_peak_n"]
    assert ground_force(system_of(replace(loads, motion=moved)))[:, 1].min() < 0


def test_a_peak_needs_fifty_frames_a_second_and_a_body_in_the_second_pull(
    solved: list[tuple[dict[str, float], Loads, Context]],
) -> None:
    _, loads, context = solved[0]
    _, slow = ground(loads, replace(context, frame_rate_hz=30.0))
    assert "50 frames a second" in slow["ground_force_peak_n"]
    late = np.abs(loads.seen.times_s - loads.lift.times_s["peak_velocity"] + 0.08) < 0.07
    lost = loads.seen.places_m.copy()
    lost[late] = np.nan
    measures, reasons = ground(replace(loads, seen=replace(loads.seen, places_m=lost)), context)
    assert reasons["ground_force_peak_n"] == "the pose was lost in this part of the pull"
    assert "ground_force_peak_n" not in measures


def test_smoothing_takes_of_the_short_peak_of_a_snatch_and_nothing_of_the_long_one_of_a_deadlift(
    solved: list[tuple[dict[str, float], Loads, Context]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ground_force_module.LARGEST_SD, "peak", 1.0)
    monkeypatch.setattr(ground_force_module, "_pulls_the_floor", lambda *_: False)
    _, loads, context = solved[0]
    weight = system_of(loads).weight_n

    sharp, slow = (
        ground(replace(loads, lift=replace(loads.lift, kind=kind)), context)[0]["ground_force_peak_n"].value
        for kind in ("snatch", "deadlift")
    )

    assert slow - weight == pytest.approx(0.8 * (sharp - weight), rel=1e-6)
