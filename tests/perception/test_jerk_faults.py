"""Faults of the dip and the drive, from noisy tracks of simulated jerks to the finding and what is said of it."""

import numpy as np
import pytest

from coach.domain.lift import CameraFacts, Lift
from coach.domain.measures import Measure
from coach.faults import judge
from corpus.knowledge.library import load_library
from perception.lifts import find_lifts
from perception.measure_lift import dip_share
from perception.measures import bar_measures, spread_by_noise
from perception.readings import read_bar
from perception.simulator.random_spec import random_spec
from perception.simulator.reports import truth_of
from perception.simulator.simulation import simulate
from perception.simulator.technique import Fault
from perception.simulator.without_pictures import watch_simulated

LIBRARY, SIDE = load_library(), CameraFacts(view="side", facing="right", is_moving=False)
LINKED = ("dip_forward", "dip_deep", "dip_shallow", "dip_pause", "drive_forward")
COMPARED = ("dip_depth_stature_ratio", "dip_pause_s", "bar_forward_dip_m", "bar_forward_drive_m")
SEEDS = (0, 1, 2)


def jerk(seed: int, fault: Fault | None, strength: float | None = None) -> tuple[Lift, dict[str, float]]:
    """Return a simulated jerk as measured from noisy tracks, and its true measures."""
    spec = random_spec(seed, lift="jerk", view="side", fault=fault, strength=strength)
    motion = simulate(spec)
    truth = truth_of(spec, motion, "jerk.mp4")
    top = truth.instants["max_height"]
    assert top is not None
    seen = watch_simulated(
        spec, motion, motion.start_s, motion.start_s + top.time_s + 2.0, 60.0, np.random.default_rng(seed)
    )
    lift = find_lifts(seen.curve, seen.body, spec.lifter.height_m, "jerk")[0]
    spread = spread_by_noise(seen.samples, seen.curve, lift, seen.context)
    measures, reasons = bar_measures(
        read_bar(seen.curve, lift, seen.context), spread, seen.context, "plate", seen.pose.times_s
    )
    measures |= dip_share(measures, reasons, spec.lifter.height_m)[0]
    facts = Lift(lift="jerk", number=1, outcome="caught", instants={}, measures=measures, not_measured={})
    return facts, truth.measures


@pytest.mark.parametrize("seed", SEEDS)
def test_a_good_jerk_shows_none_of_them_and_its_intervals_hold_the_truth(seed: int) -> None:
    lift, truth = jerk(seed, None)

    assert not {f.fault for f in judge(lift, SIDE, LIBRARY)} & set(LINKED)
    held = [lift.measures[name].low <= truth[name] <= lift.measures[name].high for name in COMPARED]
    assert sum(held) >= len(held) - 1


@pytest.mark.parametrize(
    ("fault", "seed", "strength"),
    [
        *((fault, seed, 1.0) for fault in ("dip_forward", "dip_shallow", "dip_pause") for seed in SEEDS),
        *(("dip_deep", seed, 0.3) for seed in (0, 2, 5)),  # deeper ones are not always taken for jerks
    ],
)
def test_a_fault_made_in_the_dip_is_found_from_its_measure(fault: Fault, seed: int, strength: float) -> None:
    lift, truth = jerk(seed, fault, strength)
    record = LIBRARY.faults[fault]
    name = record.measures[0]
    beyond = (
        truth[name] < record.threshold.fault if record.direction == "below" else truth[name] > record.threshold.fault
    )
    found = {f.fault for f in judge(lift, SIDE, LIBRARY)}

    assert lift.measures[name].value == pytest.approx(truth[name], abs=4 * lift.measures[name].sd)
    assert beyond
    assert fault in found
    assert not {"dip_deep", "dip_shallow"} & found - {fault}


def test_depth_over_height_needs_a_height_that_was_told() -> None:
    depth = Measure(value=0.18, unit="m", low=0.175, high=0.185, source="plate", frame=80)

    told, _ = dip_share({"dip_depth_m": depth}, {}, 1.80)
    share = told["dip_depth_stature_ratio"]
    assert (share.value, share.unit, share.frame) == (pytest.approx(0.10), "1", 80)
    assert share.high - share.low > (0.185 - 0.175) / 1.80
    untold, why = dip_share({"dip_depth_m": depth}, {}, None)
    assert untold == {}
    assert "--height" in why["dip_depth_stature_ratio"]
    assert dip_share({}, {"dip_depth_m": "the bar was lost"}, 1.8)[1] == {"dip_depth_stature_ratio": "the bar was lost"}
