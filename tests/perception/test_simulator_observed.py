"""Simulated lifts as arrays: exact without errors, reproducible with them, and the lifts found in them."""

from dataclasses import astuple

import numpy as np
import pytest

from perception.lifts import find_lifts
from perception.simulator.observed import Errors, Observed, observe
from perception.simulator.random_spec import random_spec
from perception.simulator.simulation import simulate
from perception.simulator.true_lift import Dense, find_instants, find_outcome

NONE = Errors(*[0.0] * len(astuple(Errors())))
KINDS = [
    ("snatch", "power", None),
    ("snatch", "", "not_caught"),
    ("clean", "hang power", None),
    ("clean_and_jerk", "split", None),
    ("jerk", "power", None),
    ("pull", "clean", None),
    ("squat", "", None),
    ("deadlift", "", None),
]
MERGED = {"caught_no_drop": "caught"}


def seen(
    lift: str,
    variant: str = "",
    outcome: str | None = None,
    seed: int = 3,
    view: str = "side",
    errors: Errors | None = None,
) -> tuple[Observed, list[tuple[str, str, dict[str, float]]]]:
    spec = random_spec(
        seed, lift=lift, variant=variant, outcome=outcome, view=view, reps=2 if lift == "squat" else None
    )
    motion = simulate(spec)
    times_s = np.arange(motion.start_s, motion.end_s, 1 / 60)
    dense, truth = Dense(spec, motion), []
    for plan in motion.lifts:
        at = find_instants(dense, plan)
        moments = {name: float(dense.times_s[i]) - times_s[0] for name, i in at.items()}
        truth.append((plan.kind, find_outcome(dense, plan, at), moments))
    told = {"stature_m": spec.lifter.height_m, "errors": errors, "seed": seed}
    return observe(motion, times_s, spec.camera, spec.video, **told), truth


@pytest.mark.parametrize("view", ["side", "front"])
@pytest.mark.parametrize(("lift", "variant", "outcome"), KINDS)
def test_lifts_are_found_with_kind_and_outcome(lift: str, variant: str, outcome: str | None, view: str) -> None:
    observed, truth = seen(lift, variant, outcome, view=view)

    found = [f for curve in observed.curves() for f in find_lifts(curve, observed.body(), observed.stature_m)]

    assert [f.kind for f in found] == [kind for kind, _, _ in truth]
    for one, (_, expected, _) in zip(found, truth, strict=True):
        assert MERGED.get(one.outcome, one.outcome) == MERGED.get(expected, expected)


@pytest.mark.parametrize("seed", [3, 20, 22])
def test_a_jerk_with_a_dip_of_a_sixth_of_the_height_is_still_a_jerk(seed: int) -> None:
    spec = random_spec(seed, lift="jerk", variant="split", fault="dip_deep", view="side")
    motion = simulate(spec)
    times_s = np.arange(motion.start_s, motion.end_s, 1 / 60)
    told = {"stature_m": spec.lifter.height_m, "seed": seed}
    observed = observe(motion, times_s, spec.camera, spec.video, **told)

    found = [f for curve in observed.curves() for f in find_lifts(curve, observed.body(), observed.stature_m)]

    assert [f.kind for f in found] == ["jerk"]


@pytest.mark.parametrize(("lift", "variant"), [("snatch", "power"), ("clean", ""), ("jerk", "split")])
def test_the_four_instants_are_within_two_frames_of_the_truth_from_the_side(lift: str, variant: str) -> None:
    off = []
    for seed in range(4):
        observed, truth = seen(lift, variant, seed=seed)
        (found,) = [f for curve in observed.curves() for f in find_lifts(curve, observed.body(), observed.stature_m)]
        off += [60 * abs(found.times_s[n] - truth[0][2][n]) for n in ("start", "peak_velocity", "max_height")]

    assert np.median(off) < 0.5
    assert np.max(off) < 3.5


def test_without_errors_the_bar_is_where_it_is() -> None:
    observed, _ = seen("clean", errors=NONE)
    bar_m = observed.samples.y_m - observed.samples.y_m[0]

    assert 0.75 * observed.stature_m < np.nanmax(bar_m) + 0.225 < 0.90 * observed.stature_m


def test_the_same_seed_gives_the_same_arrays_and_another_one_does_not() -> None:
    one, again, other = (seen("jerk", "split", seed=s)[0] for s in (3, 3, 4))

    np.testing.assert_array_equal(one.samples.y_m, again.samples.y_m)
    np.testing.assert_array_equal(one.pose.points_px, again.pose.points_px)
    assert not np.array_equal(one.samples.y_m[:100], other.samples.y_m[:100])


def test_errors_have_the_size_that_was_asked_for() -> None:
    clear, _ = seen("clean", errors=NONE)
    rough, _ = seen("clean", errors=Errors(plate_m=0.004, scale=0.0, plate_lost_share=0.0))

    assert np.std(rough.samples.y_m - clear.samples.y_m) == pytest.approx(0.004, rel=0.15)
