"""The rules writer: what an athlete reads, in which order, and that it follows the measures."""

import pytest

from coach.domain.guidance import Language
from coach.domain.lift import Lift
from coach.guidance import write_guidance
from coach.wording import has_right_script, measure_text, shown
from corpus.knowledge.library import LANGUAGES, is_short
from tests.coach.made_up_lifts import (
    CLEAN,
    FAULTY,
    LIBRARY,
    RULES,
    all_text,
    clean_lift,
    faulty_lift,
    guide,
    make_lift,
    make_measure,
    make_report,
    view_of,
)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("fault", sorted(FAULTY))
def test_a_faulty_measure_becomes_the_priority_and_a_clean_one_silence(fault: str, language: Language) -> None:
    view = view_of(fault)
    faulty, clean = guide(faulty_lift(fault), view, language), guide(clean_lift(fault), view, language)

    assert [p.fault for p in faulty.priorities] == [fault]
    assert faulty.check.removed == clean.check.removed == ()
    assert clean.priorities == ()
    assert all_text(faulty) != all_text(clean)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("fault", sorted(FAULTY))
def test_the_priority_quotes_value_interval_and_frame_and_stays_short(fault: str, language: Language) -> None:
    lift = faulty_lift(fault)
    priority = guide(lift, view_of(fault), language).priorities[0]
    measure = lift.measures[LIBRARY.faults[fault].measures[0]]
    mirrored = measure.value < 0 and fault != "net_rearward_missing"

    assert measure_text(priority.evidence[0], measure, language, mirrored) in priority.observation
    assert str(measure.frame) in priority.observation
    assert priority.at_frame == measure.frame
    assert is_short(priority.cue, language)
    assert priority.sources


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("fault", sorted(FAULTY))
def test_every_word_is_in_the_script_of_the_language(fault: str, language: Language) -> None:
    lift = faulty_lift(fault).model_copy(update={"not_measured": {"bar_peak_force_n": "no bar mass given"}})

    assert has_right_script(all_text(guide(lift, view_of(fault), language)), language)


@pytest.mark.parametrize(("loop_m", "said"), [(0.19, "19 cm (18–20 cm)"), (0.23, "23 cm (22–24 cm)")])
def test_another_value_gives_another_number(loop_m: float, said: str) -> None:
    assert said in guide(make_lift({"bar_forward_loop_m": loop_m})).priorities[0].observation


def test_a_clean_lift_is_praised_by_number_and_left_alone() -> None:
    guidance = guide(make_lift())

    assert guidance.strength.startswith(
        "The bar stayed close as it left the floor. Drift off the floor: 3 cm (2–4 cm) back"
    )
    assert guidance.strength.endswith("Of the faults that could be judged, none was found.")
    assert guidance.priorities == ()


def test_a_watch_alone_is_not_cued_but_watched() -> None:
    guidance = guide(make_lift({"bar_forward_loop_m": 0.12}))

    assert guidance.priorities == ()
    assert "forward loop" in guidance.next_film


def test_a_repeated_watch_is_cued() -> None:
    lifts = tuple(make_lift({"bar_forward_loop_m": 0.12}, outcome="not_caught") for _ in range(2))
    report = make_report(make_lift({"bar_forward_loop_m": 0.12}))

    guidance = write_guidance(report, report.lifts[0], LIBRARY, RULES, "en", history=lifts)

    assert [p.fault for p in guidance.priorities] == ["bar_swing_forward"]


def test_at_most_two_priorities_the_cause_first() -> None:
    many = {
        LIBRARY.faults[f].measures[0]: FAULTY[f]
        for f in ("catch_forward", "jump_forward", "bar_swing_forward", "hips_shoot")
    }
    guidance = guide(make_lift(many))

    assert len(guidance.priorities) == 2
    assert guidance.priorities[0].fault == "hips_shoot"


def test_a_low_confidence_fault_is_worded_as_a_judgement() -> None:
    assert "coaching judgement" in guide(faulty_lift("drop_large_snatch")).priorities[0].observation
    assert "coaching judgement" not in guide(faulty_lift("bar_swing_forward")).priorities[0].observation


MISSED = {
    "bar_drop_m": None,
    "bar_to_foot_catch_m": None,
    "bar_catch_height_m": None,
    "time_peak_to_catch_s": None,
    "foot_jump_m": None,
}


def missed(**changes: float | None) -> Lift:
    return make_lift({**MISSED, "bar_rearward_to_catch_m": None, **changes}, outcome="not_caught")


def test_a_clean_is_not_sent_to_a_drill_of_the_snatch() -> None:
    lift = make_lift({"bar_forward_loop_m": 0.19}, lift="clean")

    assert guide(lift).priorities[0].drill.startswith("No-contact pull")
    assert guide(lift.model_copy(update={"lift": "snatch"})).priorities[0].drill.startswith("Muscle snatch")


def test_a_missed_lift_gets_no_catch_advice() -> None:
    lift = make_lift({"bar_drop_m": 0.9, "bar_to_foot_catch_m": 0.4, "foot_jump_m": 0.2}, outcome="not_caught")

    assert guide(lift).priorities == ()


def test_the_direction_of_a_miss_comes_from_the_measures() -> None:
    front = guide(missed(bar_to_foot_catch_m=0.32)).strength
    behind = guide(missed(bar_to_foot_catch_m=-0.32)).strength

    assert "went away in front" in front
    assert "32 cm (31–33 cm)" in front
    assert "ended behind you" in behind
    assert "32 cm (31–33 cm)" in behind
    assert "forward loop 19 cm" in guide(missed(bar_forward_loop_m=0.19)).strength
    assert "not measured" in guide(missed()).strength


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_lift_says_what_is_missing_and_how_to_film(language: Language) -> None:
    report = make_report()
    guidance = write_guidance(report, None, LIBRARY, RULES, language)

    assert guidance.strength == LIBRARY.texts[language].say("no_lift")
    assert guidance.not_measured
    assert "60" in guidance.next_film
    assert guidance.check.removed == ()


def test_a_lift_without_measures_says_so() -> None:
    guidance = guide(make_lift(base={}, not_measured={"bar_forward_loop_m": "the bar was lost in 80 of 90 frames"}))

    assert "nothing in it could be measured" in guidance.strength
    assert guidance.not_measured == ("Not measured (the bar was lost in 80 of 90 frames): forward loop.",)


def test_a_bar_that_stays_below_the_knee_is_not_judged() -> None:
    assert "not judged as a lift" in guide(make_lift(outcome="no_attempt")).strength


def test_what_was_not_measured_is_grouped_by_its_reason() -> None:
    reasons = {
        "bar_work_j": "no bar mass given",
        "bar_mean_power_w": "no bar mass given",
        "foot_jump_m": "the feet are hidden",
    }
    guidance = guide(make_lift({"foot_jump_m": None}, not_measured=reasons))

    assert guidance.not_measured[2:] == (
        "Not measured (no bar mass given): work on the bar; mean power on the bar.",
        "Not measured (the feet are hidden): foot jump.",
    )


def test_a_chinese_reader_gets_reasons_in_chinese() -> None:
    lift = make_lift(not_measured={"bar_work_j": "no bar mass given", "foot_jump_m": "the feet are hidden"})

    assert guide(lift, language="zh-Hant").not_measured[2:] == (
        "沒有量到（沒有輸入質量）：對槓鈴作功。",
        "沒有量到（身體看得不夠清楚）：腳步位移。",
    )


def test_the_strength_is_never_about_what_is_criticised() -> None:
    guidance = guide(make_lift({"bar_forward_off_floor_m": 0.045}))

    assert guidance.priorities[0].fault == "bar_forward_off_floor"
    assert "drift off the floor" not in guidance.strength.lower()


def test_a_front_view_asks_for_the_view_that_shows_its_fault() -> None:
    assert "from the front" in guide(faulty_lift("uneven_lockout"), "front").next_film


@pytest.mark.parametrize(
    ("name", "value", "sd", "text"),
    [
        ("bar_forward_loop_m", 0.162, 0.012, "16 cm (14–18 cm)"),
        ("bar_forward_loop_m", 0.045, 0.002, "4.5 cm (4.2–4.8 cm)"),
        ("bar_max_height_m", 1.1, 0.005, "1.10 m (1.09–1.11 m)"),
        ("transition_velocity_loss_ratio", 0.12, 0.012, "12% (10–14%)"),
        ("foot_jump_m", 0.0, 0.01, "0 cm (−2 to 2 cm)"),
        ("hip_angle_peak_deg", 171.4, 2.0, "171° (168–175°)"),
        ("bar_mean_power_w", 1520.0, 30.0, "1520 W (1471–1569 W)"),
    ],
)
def test_numbers_are_written_as_a_lifter_reads_them(name: str, value: float, sd: float, text: str) -> None:
    assert measure_text(name, make_measure(name, value, sd=sd), "en") == text


def test_a_mirrored_number_swaps_its_bounds() -> None:
    number = shown("foot_jump_m", make_measure("foot_jump_m", -0.12, sd=0.01)).mirrored()

    assert number.low < number.value < number.high
    assert number.value == pytest.approx(12.0)


def test_the_made_up_clean_lift_is_what_it_claims() -> None:
    assert make_report(make_lift()).lifts[0].findings == ()
    assert len(CLEAN) == 19
