"""Whatever a bar and a body do, and however badly they are seen, the analysis says something or nothing and never stops."""

import numpy as np
import pytest

from coach.domain.lift import LiftName
from perception.lifts import declined_stretches, find_lifts, relocate
from perception.readings import Context, read_bar
from perception.scale import Scale
from perception.view import Look
from tests.perception import made_up_kinds as made
from tests.perception.made_up_kinds import BENT_M, RACK_M, STANDING_M, STATURE_M, MadeUpLift, Seen, observe

CONTEXT = Context(Scale(0.005, 0.01, 0.005, 0.04, "plate"), Look("side", "right", 0.0, 1.0), STATURE_M, 80.0, 60.0)
HOW_SEEN = (Seen(), Seen(30.0, 0.004), Seen(25.0, 0.009, is_hands=True))
TOLD: tuple[LiftName | None, ...] = (None, "snatch", "clean", "jerk", "squat", "deadlift", "pull")
N_MOVEMENTS = 40


def any_movement(random: np.random.Generator) -> MadeUpLift:
    """Return up to six pulls, rises, descents, rests and jerks in any order, from floor, hang, shoulders or overhead."""
    lift = made.begin(random.choice([0.0, 0.4, RACK_M, 1.6]), (BENT_M, STANDING_M)[random.integers(2)])
    for _ in range(random.integers(1, 7)):
        body = (STANDING_M[0] - random.uniform(0, 0.7), STANDING_M[1] - random.uniform(0, 0.6))
        match random.integers(5):
            case 0:
                lift = made.pull(lift, random.uniform(0.8, 2.6), random.choice([0.0, 0.02, 0.12, 0.3]), body)
            case 1:
                lift = made.rest(lift, random.uniform(0.05, 1.2))
            case 2:
                lift = made.jerk(lift, drop_m=random.choice([0.0, 0.03]))
            case _:
                lift = made.rise(lift, random.uniform(-0.9, 0.9), random.uniform(0.3, 2.2), body)
    return lift


@pytest.mark.parametrize("seed", range(3))
def test_any_movement_is_analysed_without_a_stop(seed: int) -> None:
    random = np.random.default_rng(seed)
    n_lifts = 0
    for _ in range(N_MOVEMENTS):
        lift = any_movement(random)
        lost_s = random.uniform(0, lift.end_s)
        for curve, body in observe(lift, HOW_SEEN[random.integers(3)], seed, (lost_s, lost_s + random.uniform(0, 1))):
            told = TOLD[random.integers(len(TOLD))]
            for found in (lifts := find_lifts(curve, body, STATURE_M, told)):
                relocate(curve, found, STATURE_M)
                read_bar(curve, found, CONTEXT)
            declined_stretches(curve, body, STATURE_M, lifts)
            n_lifts += len(lifts)

    assert n_lifts >= 10
