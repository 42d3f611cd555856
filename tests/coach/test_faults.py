"""The judge: gates, levels, the lifter's own spread, order, and the reasons for silence."""

import math
from typing import Literal

import pytest

from coach.domain.lift import Lift, Outcome
from coach.faults import MAX_LOW_CONFIDENCE, clearly_good, explain_silence, judge, may_cue, normal_share_above
from tests.coach.made_up_lifts import CLEAN, FAULTY, LIBRARY, clean_lift, faulty_lift, make_camera, make_lift, view_of

SIDE = make_camera("side")


def found(lift: Lift, view: str = "side", history: tuple[Lift, ...] = ()) -> list[str]:
    return [f.fault for f in judge(lift, make_camera(view), LIBRARY, history)]  # type: ignore[arg-type]


def test_every_measurable_fault_has_a_faulty_value_here_or_needs_history() -> None:
    assert {f.id for f in LIBRARY.measurable_faults()} - set(FAULTY) == {"low_peak_velocity"}


@pytest.mark.parametrize("fault", sorted(FAULTY))
def test_moving_one_measure_from_clean_to_faulty_and_back_makes_and_ends_the_finding(fault: str) -> None:
    view = view_of(fault)

    assert found(clean_lift(fault), view) == []
    assert found(faulty_lift(fault), view) == [fault]


@pytest.mark.parametrize("fault", sorted(FAULTY))
def test_a_fault_is_silent_in_every_view_that_cannot_show_it(fault: str) -> None:
    for view in {"side", "front", "rear", "oblique", "unknown"} - set(LIBRARY.faults[fault].needs_view):
        assert fault not in found(faulty_lift(fault), view)
        assert "view" in explain_silence(faulty_lift(fault), make_camera(view), LIBRARY)[fault]  # type: ignore[arg-type]


@pytest.mark.parametrize("fault", sorted(FAULTY))
def test_a_fault_is_silent_when_its_measure_is_too_uncertain(fault: str) -> None:
    record = LIBRARY.faults[fault]
    limit = record.max_measurement_sd
    assert limit is not None
    name = record.measures[0]
    beyond = 1.01 * limit if record.direction == "above" else -1.01 * limit
    unsure = make_lift({name: record.threshold.fault + beyond}, lift=clean_lift(fault).lift, sd={name: 1.01 * limit})

    assert fault not in found(unsure, view_of(fault))
    assert (
        explain_silence(unsure, make_camera(view_of(fault)), LIBRARY)[fault] == "the measurement is not precise enough"
    )


@pytest.mark.parametrize(("source", "is_said"), [("plate", True), ("body", False)])
def test_a_coarse_measure_of_the_plate_shows_a_fault_that_is_far_beyond_its_threshold(
    source: Literal["plate", "body"], is_said: bool
) -> None:
    record = LIBRARY.faults["transition_velocity_loss"]
    name, sd = record.measures[0], 1.5 * (record.max_measurement_sd or 0.0)
    lift = make_lift({name: record.threshold.fault + 3 * sd}, sd={name: sd})
    measure = lift.measures[name].model_copy(update={"source": source})

    said = found(lift.model_copy(update={"measures": {**lift.measures, name: measure}}))

    assert ("transition_velocity_loss" in said) == is_said


@pytest.mark.parametrize("fault", sorted(f.id for f in LIBRARY.measurable_faults() if f.needs_catch))
@pytest.mark.parametrize("outcome", ["not_caught", "no_attempt"])
def test_a_bar_that_was_not_caught_has_no_catch_faults(fault: str, outcome: Outcome) -> None:
    lift = faulty_lift(fault).model_copy(update={"outcome": outcome}) if fault in FAULTY else faulty_lift("jump_back")

    assert fault not in found(lift, view_of(fault))


def test_a_missed_lift_still_shows_the_faults_of_its_pull() -> None:
    lift = make_lift({"bar_forward_loop_m": 0.19, "bar_drop_m": 0.9}, outcome="not_caught")

    assert found(lift) == ["bar_swing_forward"]


@pytest.mark.parametrize("name", ["squat", "deadlift", "pull", "unknown"])
def test_other_lifts_are_not_judged_as_snatches(name: str) -> None:
    lift = faulty_lift("catch_forward").model_copy(update={"lift": name})

    assert found(lift) == []


def test_a_clean_is_not_judged_by_the_drop_of_a_snatch() -> None:
    assert found(faulty_lift("drop_large_snatch").model_copy(update={"lift": "clean"})) == []


def test_a_measure_that_is_absent_is_silent_and_says_so() -> None:
    lift = make_lift({"bar_forward_loop_m": None})

    assert explain_silence(lift, SIDE, LIBRARY)["bar_swing_forward"] == "it was not measured in this lift"


def test_silence_for_want_of_a_measure_repeats_the_reason_of_the_measuring() -> None:
    lift = make_lift({"bar_forward_loop_m": None}, not_measured={"bar_forward_loop_m": "the camera moved"})

    assert explain_silence(lift, SIDE, LIBRARY)["bar_swing_forward"] == "the camera moved"
    assert explain_silence(lift, SIDE, LIBRARY, language="zh-Hant")["bar_swing_forward"] == "鏡頭有移動"


def test_every_fault_is_either_found_or_explained() -> None:
    lift = faulty_lift("bar_swing_forward")

    assert set(found(lift)) | set(explain_silence(lift, SIDE, LIBRARY)) == set(LIBRARY.faults)


def test_reasons_for_silence_come_in_the_language_of_the_athlete() -> None:
    assert explain_silence(make_lift(), SIDE, LIBRARY, language="zh-Hant")["bar_swing_forward"] == "在範圍內"


@pytest.mark.parametrize(
    ("loop_m", "level"),
    [(0.101, None), (0.103, None), (0.106, "watch"), (0.142, "watch"), (0.146, "fault")],
)
def test_a_level_needs_the_value_beyond_its_threshold_by_a_margin_that_makes_it_likely(
    loop_m: float, level: str | None
) -> None:
    findings = judge(make_lift({"bar_forward_loop_m": loop_m}), SIDE, LIBRARY)

    assert [f.level for f in findings] == ([] if level is None else [level])


def test_confidence_is_the_normal_probability_of_lying_beyond_the_watch_threshold() -> None:
    (finding,) = judge(make_lift({"bar_forward_loop_m": 0.106}), SIDE, LIBRARY)

    assert finding.confidence == pytest.approx(0.5 * math.erfc(-0.006 / (0.005 * math.sqrt(2))), abs=1e-3)


def test_the_normal_share_is_a_step_without_error() -> None:
    assert (normal_share_above(1.0, 1.1, 0.0), normal_share_above(1.0, 0.9, 0.0)) == (1.0, 0.0)
    assert normal_share_above(1.0, 1.0, 0.3) == pytest.approx(0.5)


def test_a_drift_no_larger_than_twice_its_error_is_not_called_a_drift() -> None:
    assert found(make_lift({"bar_forward_off_floor_m": 0.011}, sd={"bar_forward_off_floor_m": 0.006})) == []
    assert found(make_lift({"bar_forward_off_floor_m": 0.011}, sd={"bar_forward_off_floor_m": 0.004})) == [
        "bar_forward_off_floor"
    ]


@pytest.mark.parametrize("fault", sorted(f for f in FAULTY if LIBRARY.faults[f].confidence == "low"))
def test_a_record_of_low_confidence_never_gives_the_level_fault(fault: str) -> None:
    lift = faulty_lift(fault)
    (finding,) = judge(lift, make_camera(view_of(fault)), LIBRARY)

    assert finding.level == "watch"
    assert finding.confidence <= MAX_LOW_CONFIDENCE
    assert may_cue(finding, lift, LIBRARY)


def test_a_record_of_low_confidence_between_its_thresholds_is_not_cued() -> None:
    lift = make_lift({"bar_drop_m": 0.24})
    (finding,) = judge(lift, SIDE, LIBRARY)

    assert not may_cue(finding, lift, LIBRARY)


def test_a_watch_is_cued_only_when_two_of_the_last_three_lifts_show_it() -> None:
    lift = make_lift({"bar_forward_loop_m": 0.12})
    once = make_lift({"bar_forward_loop_m": 0.125}, outcome="not_caught")
    clean = make_lift()
    (finding,) = judge(lift, SIDE, LIBRARY)

    assert finding.level == "watch"
    assert not may_cue(finding, lift, LIBRARY)
    assert not may_cue(finding, lift, LIBRARY, (once, once, clean, clean))
    assert may_cue(finding, lift, LIBRARY, (clean, once, once))
    assert may_cue(finding, lift, LIBRARY, (once, clean, once))


def own_lifts(name: str, values: tuple[float, ...], outcome: Outcome = "caught") -> tuple[Lift, ...]:
    return tuple(make_lift({name: value}, outcome=outcome) for value in values)


def test_a_value_inside_the_lifters_own_spread_is_no_fault() -> None:
    lift = make_lift({"bar_forward_loop_m": 0.16})
    history = own_lifts("bar_forward_loop_m", (0.14, 0.155, 0.17, 0.15))

    assert found(lift) == ["bar_swing_forward"]
    assert found(lift, history=history) == []
    assert "own made lifts" in explain_silence(lift, SIDE, LIBRARY, history)["bar_swing_forward"]


def test_missed_lifts_and_too_few_lifts_do_not_excuse_a_value() -> None:
    lift = make_lift({"bar_forward_loop_m": 0.16})

    assert found(lift, history=own_lifts("bar_forward_loop_m", (0.14, 0.155, 0.17), "not_caught")) == [
        "bar_swing_forward"
    ]
    assert found(lift, history=own_lifts("bar_forward_loop_m", (0.15, 0.17))) == ["bar_swing_forward"]


def test_a_value_worse_than_the_own_spread_stays_a_fault() -> None:
    history = own_lifts("bar_forward_loop_m", (0.10, 0.105, 0.11, 0.10))

    assert found(make_lift({"bar_forward_loop_m": 0.19}), history=history) == ["bar_swing_forward"]


def test_low_speed_is_judged_against_the_own_lifts_only() -> None:
    slow = make_lift({"bar_peak_velocity_m_s": 1.55})
    history = own_lifts("bar_peak_velocity_m_s", (1.84, 1.86, 1.85, 1.87))

    assert found(slow) == []
    assert "three" in explain_silence(slow, SIDE, LIBRARY)["low_peak_velocity"]
    assert found(slow, history=history) == ["low_peak_velocity"]
    assert found(make_lift({"bar_peak_velocity_m_s": 1.82}), history=history) == []


def test_the_cause_stands_before_its_effect() -> None:
    lift = make_lift({"bar_to_foot_catch_m": 0.15, "foot_jump_m": 0.09, "bar_forward_loop_m": 0.19})

    assert found(lift)[0] == "bar_swing_forward"
    with_start = make_lift({"bar_forward_loop_m": 0.19, "bar_forward_off_floor_m": 0.045})
    assert found(with_start) == ["bar_forward_off_floor", "bar_swing_forward"]


def test_what_is_clearly_good_is_never_near_a_threshold_nor_of_low_confidence() -> None:
    good = [f.id for f in clearly_good(make_lift({"bar_forward_loop_m": 0.095}), SIDE, LIBRARY)]

    assert "hips_shoot" in good
    assert "bar_swing_forward" not in good
    assert not [f for f in good if LIBRARY.faults[f].confidence == "low"]


def test_judging_does_not_read_old_findings() -> None:
    lift = faulty_lift("bar_swing_forward")
    judged = lift.model_copy(update={"findings": judge(lift, SIDE, LIBRARY), "measures": make_lift().measures})

    assert found(judged) == []
    assert set(CLEAN) == set(judged.measures)
