"""Random techniques for every lift but the plain snatch: one fault of a wanted strength, or none."""

from typing import Any

import numpy as np

from coach.domain.lift import Outcome
from perception.simulator.technique import (
    CatchSpec,
    DeadliftSpec,
    Fault,
    JerkSpec,
    LiftKind,
    Moves,
    PullSpec,
    Setup,
    SquatSpec,
    Start,
    check_fault,
)

Rng = np.random.Generator

_MOVED: dict[Fault, tuple[str, str, float, float]] = {
    "bar_forward_off_floor": ("pull", "off_floor_m", 0.034, 0.06),
    "bar_swing_forward": ("pull", "loop_m", 0.152, 0.182),
    "hips_shoot": ("pull", "trunk_loss_deg", 16.0, 22.0),
    "early_arm_bend": ("pull", "elbow_deg", 142.0, 130.0),
    "transition_velocity_loss": ("pull", "transition_loss_ratio", 0.23, 0.38),
    "incomplete_extension": ("pull", "extended_trunk_deg", 72.0, 64.0),
    "layback_excess": ("pull", "extended_trunk_deg", 119.5, 122.5),
    "jump_forward": ("catch", "foot_jump_m", 0.075, 0.13),
    "jump_back": ("catch", "foot_jump_m", -0.195, -0.24),
    "catch_forward": ("catch", "bar_to_foot_m", 0.112, 0.145),
    "catch_behind": ("catch", "bar_to_foot_m", -0.112, -0.14),
    "press_out": ("catch", "elbow_deg", 156.0, 142.0),
    "soft_elbows": ("catch", "elbow_deg", 160.0, 150.0),
    "trunk_collapse": ("catch", "trunk_deg", 47.0, 41.0),
    "dip_forward": ("jerk", "dip_forward_m", 0.036, 0.06),
    "dip_deep": ("jerk", "dip_ratio", 0.156, 0.175),
    "dip_shallow": ("jerk", "dip_ratio", 0.046, 0.036),
    "dip_pause": ("jerk", "pause_s", 0.14, 0.3),
    "drive_forward": ("jerk", "drive_forward_m", 0.057, 0.09),
    "split_short": ("jerk", "split_ratio", 0.265, 0.22),
}
"""The part and the number that each fault moves, and from where to where: strength 0 and 1."""


def _between(rng: Rng, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def random_moves(
    rng: Rng,
    lift: LiftKind,
    *,
    variant: str = "",
    fault: Fault | None = None,
    strength: float | None = None,
    outcome: Outcome | None = None,
    is_behind: bool = False,
    reps: int | None = None,
) -> Moves:
    """Return a technique with this fault and no other.

    Args:
        rng: Source of everything that is not given.
        lift: Which lift.
        variant: Words of "hang", "block", "power", "split"; of a pull, "snatch" or "clean" last.
        fault: The one fault, or None.
        strength: 0 just beyond the fault's threshold, 1 far beyond; None draws it.
        outcome: Of the last lift; None for a lift that is made.
        is_behind: A lost bar falls behind.
        reps: Repetitions of pull, squat and deadlift; None draws one to three.

    Raises:
        ValueError: A fault, variant or outcome that this lift cannot have.
    """
    wanted = outcome or ("not_caught" if lift == "pull" else "caught")
    _check(lift, variant, wanted, is_behind)
    check_fault(lift, variant, fault, wanted)
    words = variant.split()
    share = 0.0 if fault is None else _between(rng, 0, 1) if strength is None else strength
    parts: dict[str, Any] = {}
    if lift in ("snatch", "clean", "clean_and_jerk", "pull"):
        parts["pull"] = random_pull(rng, lift, words)
    if lift in ("snatch", "clean", "clean_and_jerk"):
        is_power = "power" in words and lift != "clean_and_jerk"
        parts["catch"] = random_catch(rng, lift, is_power, wanted == "caught_no_drop")
    if lift in ("jerk", "clean_and_jerk"):
        parts["jerk"] = random_jerk(rng, "power" in words)
    if lift == "squat":
        parts["squat"] = random_squat(rng)
    if lift == "deadlift":
        parts["deadlift"] = random_deadlift(rng)
    if fault is not None:
        _make_faulty(parts, lift, fault, share)
    return _moves(rng, lift, parts, variant, fault, share, wanted, is_behind, reps)


def _check(lift: LiftKind, variant: str, outcome: Outcome, is_behind: bool) -> None:
    words = set(variant.split())
    allowed = {
        "snatch": {"hang", "block", "power", "full"},
        "clean": {"hang", "block", "power", "full"},
        "clean_and_jerk": {"power", "split"},
        "jerk": {"power", "split"},
        "pull": {"hang", "block", "snatch", "clean"},
    }.get(lift, set())
    if words - allowed:
        raise ValueError(f"no {variant} {lift}; choose from: {', '.join(sorted(allowed)) or 'no variant'}")
    if lift in ("squat", "deadlift") and outcome != "caught":
        raise ValueError(f"a simulated {lift} is always stood up")
    if lift == "pull" and outcome != "not_caught":
        raise ValueError("a pull is never caught")
    if outcome == "no_attempt":
        raise ValueError("every simulated lift is an attempt")
    if outcome == "caught_no_drop" and ("power" not in words or lift not in ("snatch", "clean")):
        raise ValueError("only a power snatch or power clean is caught without a drop")
    if is_behind and (lift not in ("snatch", "jerk", "clean_and_jerk") or outcome not in _LOST):
        raise ValueError("only a snatch or jerk that is not kept falls behind the lifter")


_LOST: tuple[Outcome, ...] = ("not_caught", "caught_then_lost")


def _make_faulty(parts: dict[str, Any], lift: LiftKind, fault: Fault, share: float) -> None:
    """Move the one number that the fault is about, and what has to go with it."""
    part, name, weak, strong = _MOVED[fault]
    if part == "catch" and lift in ("jerk", "clean_and_jerk") and (lift == "jerk" or fault in _OVERHEAD):
        part = "jerk"
    update: dict[str, Any] = {name: weak + share * (strong - weak)}
    if fault == "bar_forward_off_floor":
        update["toward_m"] = 0.005
    if fault == "hips_shoot":
        update["start_trunk_deg"] = parts["pull"].start_trunk_deg + 8.0
    if fault == "catch_forward" and part == "jerk" and parts["jerk"].split_ratio:
        update["split_ratio"] = 0.455
    if fault == "catch_behind" and part == "catch":
        update["trunk_deg"] = parts["catch"].trunk_deg + 8.0
    if fault == "bar_swing_forward":
        update["stop_s"] = 0.14
    if fault == "layback_excess":
        update["power_knee_deg"] = parts["pull"].power_knee_deg - 7.0
    if fault == "trunk_collapse":
        update |= {"knee_deg": 98.0, "drop_m": 0.2 if parts["catch"].drop_m > 0.08 else parts["catch"].drop_m}
    if fault == "press_out":
        update["pressed_out"] = True
    if fault == "dip_pause":
        update["dip_s"] = 0.3
    if fault == "dip_shallow":
        update |= {"dip_s": 0.22, "turnover_ratio": 0.5}
    if fault == "split_short":
        update |= {"front_knee_deg": 112.0, "turnover_ratio": 0.66}
    parts[part] = parts[part].model_copy(update=update)


_OVERHEAD: tuple[Fault, ...] = ("catch_behind", "press_out", "soft_elbows")


def _moves(
    rng: Rng,
    lift: LiftKind,
    parts: dict[str, Any],
    variant: str,
    fault: Fault | None,
    strength: float,
    outcome: Outcome,
    is_behind: bool,
    reps: int | None,
) -> Moves:
    starts_on_floor = lift not in ("jerk", "squat") and not set(variant.split()) & {"hang", "block"}
    setups: tuple[Setup, ...] = ("still", "reach", "roll", "regrip")
    setup = setups[int(rng.choice(4, p=[0.55, 0.2, 0.15, 0.1]))] if starts_on_floor else "still"
    is_repeated = lift in ("pull", "squat", "deadlift")
    drawn = int(rng.integers(1, 4)) if is_repeated else 1
    if reps is not None and reps > 1 and not is_repeated:
        raise ValueError(f"one {lift} a clip")
    return Moves(
        variant=variant,
        fault=fault,
        fault_strength=strength,
        outcome=outcome,
        missed_behind=is_behind,
        reps=reps or drawn,
        rest_s=0.0 if rng.random() < 0.4 else _between(rng, 0.4, 1.2),
        setup=setup,
        setup_s=_between(rng, 0.7, 1.5) if setup == "still" else _between(rng, 1.4, 1.9),
        bar_to_ankle_m=_between(rng, 0.092, 0.108),
        lowered=is_repeated and bool(rng.random() < 0.7),
        hold_s=_between(rng, 1.15, 1.6),
        tail_s=_between(rng, 1.2, 1.8),
        restitution=_between(rng, 0.3, 0.5),
        **parts,
    )


def random_pull(rng: Rng, lift: LiftKind, words: list[str]) -> PullSpec:
    """Return a pull without faults."""
    start: Start = "hang" if "hang" in words else "blocks" if "block" in words else "floor"
    is_snatch = lift == "snatch" or "snatch" in words
    return PullSpec(
        start=start,
        first_pull_speed_m_s=_between(rng, 0.92, 1.12) if is_snatch else _between(rng, 0.82, 1.0),
        transition_loss_ratio=_between(rng, 0.0, 0.06),
        peak_speed_m_s=_between(rng, 0.95, 1.3),
        turnover_ratio=_between(rng, 0.76, 0.84) if "power" in words else _between(rng, 0.82, 0.92),
        toward_m=_between(rng, 0.026, 0.045),
        loop_m=_between(rng, 0.042, 0.07),
        start_trunk_deg=_between(rng, 29, 34) if is_snatch else _between(rng, 31, 36),
        shoulder_ahead_m=_between(rng, 0.015, 0.04),
        end_pull_knee_deg=_between(rng, 145, 150),
        power_knee_deg=_between(rng, 128, 133),
    )


def random_catch(rng: Rng, lift: LiftKind, is_power: bool, is_soft: bool) -> CatchSpec:
    """Return a catch without faults, in the full squat or the half squat."""
    if lift == "snatch":
        knee = _between(rng, 90, 102) if is_power else _between(rng, 42, 52)
        trunk = _between(rng, 68, 73) if is_power else _between(rng, 61, 66)
    else:
        knee = _between(rng, 98, 112) if is_power else _between(rng, 64, 72)
        trunk = _between(rng, 77, 82) if is_power else _between(rng, 70, 75)
    drop = 0.0 if is_soft else _between(rng, 0.025, 0.05) if is_power else _between(rng, 0.11, 0.17)
    return CatchSpec(
        knee_deg=knee,
        trunk_deg=trunk,
        drop_m=drop,
        bar_to_foot_m=_between(rng, -0.015, 0.02),
        foot_jump_m=_between(rng, -0.04, 0.005),
        bottom_s=_between(rng, 0.2, 0.6),
        recovery_s=_between(rng, 1.3, 1.9),
    )


def random_jerk(rng: Rng, is_power: bool) -> JerkSpec:
    """Return a jerk without faults, into the split or the half squat."""
    return JerkSpec(
        dip_ratio=_between(rng, 0.085, 0.115),
        dip_s=_between(rng, 0.25, 0.3),
        dip_forward_m=_between(rng, -0.004, 0.005),
        drive_forward_m=_between(rng, -0.012, 0.01),
        turnover_ratio=_between(rng, 0.54, 0.62) if is_power else _between(rng, 0.58, 0.68),
        split_ratio=0.0 if is_power else _between(rng, 0.47, 0.52),
        front_knee_deg=_between(rng, 108, 118) if is_power else _between(rng, 116, 124),
        drop_m=_between(rng, 0.022, 0.04),
        rerack_m=_between(rng, 0.02, 0.05),
        bottom_s=_between(rng, 0.3, 0.7),
        recovery_s=_between(rng, 1.3, 1.8),
    )


def random_squat(rng: Rng) -> SquatSpec:
    """Return a back squat at least as deep as parallel."""
    return SquatSpec(
        knee_deg=_between(rng, 58, 74),
        trunk_deg=_between(rng, 52, 60),
        descent_s=_between(rng, 1.1, 1.9),
        bottom_s=0.0 if rng.random() < 0.6 else _between(rng, 0.2, 0.6),
        ascent_s=_between(rng, 1.0, 1.9),
    )


def random_deadlift(rng: Rng) -> DeadliftSpec:
    """Return a deadlift."""
    return DeadliftSpec(
        start_trunk_deg=_between(rng, 33, 39),
        rise_s=_between(rng, 1.1, 2.0),
        stand_s=_between(rng, 0.4, 0.9),
        lower_s=_between(rng, 1.1, 1.7),
    )
