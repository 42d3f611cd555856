"""Which lift, fault and ending each clip of a data set gets."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from coach.domain.lift import Outcome
from perception.simulator.random_spec import random_spec
from perception.simulator.simulation import simulate
from perception.simulator.spec import FAULTS, VIEWS, Fault, LiftSpec, View
from perception.simulator.technique import FAULTS_OF, LiftKind, check_fault

LiftChoice = Literal[LiftKind, "mixed"]
LIFT_CHOICES: tuple[LiftChoice, ...] = (*get_args(LiftKind), "mixed")
MISSED_SHARE = 0.2  # of random lifts that may be missed
FAULTY_SHARE = 0.6  # of the lifts of a mixed set that can have a fault

MOST_DRAWS = 10  # of lifter and technique, until one can be made
TIMES_TRIED = 400  # of a clip

ROUND: tuple[tuple[LiftKind, str], ...] = (
    ("snatch", "full"),
    ("clean_and_jerk", "split"),
    ("squat", ""),
    ("clean", "full"),
    ("jerk", "split"),
    ("deadlift", ""),
    ("snatch", "power"),
    ("clean", "power"),
    ("clean_and_jerk", "split"),
    ("pull", "snatch"),
    ("snatch", "full"),
    ("jerk", "power"),
    ("clean", "hang power"),
    ("squat", ""),
    ("clean_and_jerk", "split"),
    ("snatch", "hang"),
    ("deadlift", ""),
    ("pull", "clean"),
    ("clean", "block"),
    ("clean_and_jerk", "power"),
)
"""Lifts and variants of a mixed set, in turn; a set of one lift goes round its own."""


@dataclass(frozen=True, slots=True)
class _Ending:
    outcome: Outcome | None = None
    is_behind: bool = False


def planned_spec(
    i: int,
    seed: int,
    lift: LiftChoice,
    fault: Fault | Literal["mixed"] | None,
    view: View | Literal["mixed"],
) -> LiftSpec:
    """Return the spec of the `i`-th clip of a set; it depends on `i` and `seed` only."""
    rng = np.random.default_rng([seed, i])
    if lift == "snatch":
        return _plain_snatch(i, rng, fault, view)
    own_round = [entry for entry in ROUND if lift in ("mixed", entry[0])]
    kind, variant = own_round[i % len(own_round)]
    seen = VIEWS[(i + i // len(own_round)) % len(VIEWS)] if view == "mixed" else view
    number = int(rng.integers(2**31))
    own = _fault(rng, kind, variant, fault)
    ending = _ending(rng, kind, own) if fault == "mixed" else _Ending()
    for _ in range(MOST_DRAWS):
        spec = random_spec(
            number,
            lift=kind,
            variant=variant,
            fault=own,
            outcome=ending.outcome,
            missed_behind=ending.is_behind,
            view=seen,
        )
        if _is_possible(spec):
            break
        number = int(rng.integers(2**31))
    return spec


def _is_possible(spec: LiftSpec) -> bool:
    """Return whether the lifter's proportions can make this lift; about one in a hundred cannot."""
    try:
        motion = simulate(spec)
        motion.keypoints(np.linspace(motion.start_s, motion.end_s, TIMES_TRIED))
    except ValueError:
        return False
    return True


def _plain_snatch(
    i: int, rng: np.random.Generator, fault: Fault | Literal["mixed"] | None, view: View | Literal["mixed"]
) -> LiftSpec:
    """Mixed faults go round through none and the four of the plain snatch; a fifth of those that can be missed are."""
    own = (None, *FAULTS)[i % 5] if fault == "mixed" else fault
    may_miss = fault == "mixed" and own in (None, "bar_forward_off_floor", "bar_swing_forward")
    missed = may_miss and rng.random() < MISSED_SHARE
    seen = VIEWS[i // 5 % len(VIEWS)] if view == "mixed" else view
    return random_spec(int(rng.integers(2**31)), fault=own, missed=missed, view=seen)


def _can_show(kind: LiftKind, variant: str, fault: Fault) -> bool:
    try:
        check_fault(kind, variant, fault, "caught")
    except ValueError:
        return False
    return True


def _fault(
    rng: np.random.Generator, kind: LiftKind, variant: str, fault: Fault | Literal["mixed"] | None
) -> Fault | None:
    """Return the fault of one lift: the wanted one where it can be shown, or any in a mixed set."""
    draw, is_faulty = float(rng.random()), rng.random() < FAULTY_SHARE
    if fault is None:
        return None
    if fault != "mixed":
        return fault if _can_show(kind, variant, fault) else None
    possible = [f for f in FAULTS_OF[kind] if _can_show(kind, variant, f)]
    return possible[int(draw * len(possible))] if possible and is_faulty else None


def _ending(rng: np.random.Generator, kind: LiftKind, fault: Fault | None) -> _Ending:
    """Return how a lift of a mixed set ends: a fifth of those without a fault are lost, a third of them behind."""
    draw, falls_behind = float(rng.random()), bool(rng.random() < 1 / 3)
    if fault is not None or kind in ("pull", "squat", "deadlift") or draw > MISSED_SHARE:
        return _Ending()
    outcome: Outcome = "not_caught" if draw < 0.65 * MISSED_SHARE else "caught_then_lost"
    return _Ending(outcome, falls_behind and kind != "clean")
