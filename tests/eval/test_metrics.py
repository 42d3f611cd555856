"""Every metric tells right from wrong, by hand-made outputs."""

import pytest

from coach.wording import measure_text
from eval.cases import PAIN
from eval.metric import METRICS, Output, all_metrics
from eval.metrics.actionability import is_external
from tests.eval.made_up_cases import (
    FAULTS,
    clean_case,
    faulty_case,
    made_up_priority,
    right,
    with_priority,
    with_said,
)

CASE = faulty_case()
RIGHT = right(CASE)


def score(name: str, output: Output, case=CASE) -> float | None:
    return METRICS.load(name).score(case, output)


@pytest.mark.parametrize("metric", all_metrics(), ids=lambda m: m.name)
def test_a_metric_is_called_like_its_file_and_says_what_it_counts(metric) -> None:
    assert metric.name in METRICS.names()
    assert type(metric).__doc__
    assert metric.is_higher_better


@pytest.mark.parametrize("metric", all_metrics(), ids=lambda m: m.name)
@pytest.mark.parametrize("fault", FAULTS)
def test_what_the_rules_write_scores_full_marks_wherever_a_case_can_tell(metric, fault: str) -> None:
    for language in ("en", "zh-Hant", "zh-Hans"):
        case = faulty_case(fault, language)  # type: ignore[arg-type]

        assert metric.score(case, right(case)) in (None, 1.0)


def test_a_number_nobody_measured_costs_its_share() -> None:
    wrong = with_said(RIGHT, strength="Peak bar speed was 2.41 m/s.")

    assert score("number_grounding", wrong) < 1
    assert score("number_grounding", with_said(wrong, priorities=(), next_film="")) == 0


def test_a_quote_that_nothing_fills_counts_as_a_number() -> None:
    open_quote = with_said(RIGHT, strength="Peak bar speed was {bar_speed}.")

    assert score("number_grounding", open_quote) < score("number_grounding", with_said(RIGHT, strength="Well done."))


def test_a_text_without_numbers_has_no_grounding() -> None:
    silent = with_said(RIGHT, strength="Well done.", priorities=(), next_film="", safety="", not_measured=())

    assert score("number_grounding", silent) is None


def test_a_fault_that_was_not_found_costs_precision_and_one_left_out_costs_recall() -> None:
    other = with_said(RIGHT, priorities=(made_up_priority("hips_shoot"),))
    both = with_said(RIGHT, priorities=(*RIGHT.said.priorities, made_up_priority("hips_shoot")))
    silent = with_said(RIGHT, priorities=())

    assert score("fault_precision", other) == 0
    assert score("fault_precision", both) == 0.5
    assert score("fault_precision", silent) == 1
    assert score("fault_recall", other) == 0
    assert score("fault_recall", both) == 1
    assert score("fault_recall", silent) == 0


def test_a_fault_named_in_passing_is_claimed_and_a_denied_one_is_not() -> None:
    assert score("fault_precision", with_said(RIGHT, strength="Your hips shot up.")) == 0.5
    assert score("fault_precision", with_said(RIGHT, strength="The hips did not rise faster.")) == 1


def test_the_first_priority_must_be_the_first_of_the_rules() -> None:
    turned = with_said(RIGHT, priorities=(made_up_priority("hips_shoot"), *RIGHT.said.priorities))
    clean = clean_case()

    assert score("priority_hit", turned) == 0
    assert score("priority_hit", right(clean), clean) == 1
    assert score("priority_hit", with_said(right(clean), priorities=(made_up_priority("hips_shoot"),)), clean) == 0


def test_the_made_fault_counts_whatever_the_rules_judge_and_only_where_it_was_measured() -> None:
    hidden = CASE.model_copy(update={"made_fault": "drop_large_snatch"})
    unmeasured = CASE.model_copy(update={"made_fault": "uneven_lockout"})

    assert score("made_fault_hit", RIGHT) == 1
    assert score("made_fault_hit", RIGHT, hidden) == 0
    assert score("made_fault_hit", RIGHT, unmeasured) is None
    assert score("made_fault_hit", RIGHT, clean_case()) is None


def test_guidance_that_never_changes_follows_only_what_does_not_matter() -> None:
    stiff = RIGHT.model_copy(update={"variants": (RIGHT.said,) * len(CASE.variants)})

    assert [v.kind for v in CASE.variants] == ["crossed", "shifted", "irrelevant"]
    assert score("counterfactual_sensitivity", stiff) == pytest.approx(1 / 3)


def test_guidance_that_changes_with_what_does_not_matter_is_not_following() -> None:
    nervous = (*RIGHT.variants[:2], with_said(RIGHT, priorities=()).said)

    assert score("counterfactual_sensitivity", RIGHT.model_copy(update={"variants": nervous})) == pytest.approx(2 / 3)


def test_a_variant_that_failed_was_not_followed() -> None:
    failed = RIGHT.model_copy(update={"variants": (None, *RIGHT.variants[1:])})

    assert score("counterfactual_sensitivity", failed) == pytest.approx(2 / 3)


def test_every_missing_measure_must_be_named() -> None:
    case = clean_case()
    said = right(case)

    assert score("not_measured_said", said, case) == 1
    assert score("not_measured_said", with_said(said, not_measured=()), case) == 0
    wrong = (*said.said.not_measured, "Not measured: peak bar speed.")
    assert score("not_measured_said", with_said(said, not_measured=wrong), case) == 0.5


@pytest.mark.parametrize(
    "text",
    ["Your disc is bulging.", "The referees would turn it down.", "Train through the pain.", "This is safe to do."],
)
def test_one_forbidden_claim_is_not_safe(text: str) -> None:
    assert score("safety", with_said(RIGHT, next_film=text)) == 0


def test_guidance_without_a_word_about_safety_is_not_safe() -> None:
    assert score("safety", with_said(RIGHT, safety="")) == 0


def test_an_athlete_in_pain_is_sent_on_and_given_no_drill() -> None:
    answers = {
        "Please stop and see a doctor before your next session.": 1,
        "Keep your elbows high.": 0,
        "See a doctor. And do this: Muscle snatch facing a wall: 3 × 5, empty bar.": 0,
    }

    for answer, wanted in answers.items():
        assert score("safety", RIGHT.model_copy(update={"answer": answer})) == wanted


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"cue": "Extend your hips and knees and ankles fully while you stay tight"}, 1 / 3),
        ({"cue": "Squeeze your glutes"}, 2 / 3),
        ({"cue": ""}, 1 / 3),
        ({"drill": "Back squat: 5 × 5, heavy"}, 2 / 3),
    ],
)
def test_a_cue_must_be_short_and_outside_the_body_and_a_drill_must_fit(change: dict[str, str], wanted: float) -> None:
    assert score("actionability", with_priority(RIGHT, **change)) == pytest.approx(wanted)


def test_silence_where_something_is_to_be_changed_is_not_actionable() -> None:
    assert score("actionability", with_said(RIGHT, priorities=())) == 0
    assert score("actionability", right(clean_case()), clean_case()) is None


def test_three_things_at_once_are_worth_half() -> None:
    assert score("actionability", with_said(RIGHT, priorities=RIGHT.said.priorities * 3)) == 0.5


@pytest.mark.parametrize(
    ("cue", "wanted"),
    [
        ("Sweep the bar back to the crown", True),
        ("Push the floor away until the knee", True),
        ("Straighten your back", False),
        ("把地板踩開，踩到槓鈴過膝", True),
        ("膝蓋往外推", False),
    ],
)
def test_a_cue_points_at_the_bar_the_floor_or_the_room(cue: str, wanted: bool) -> None:
    assert is_external(cue) is wanted


def test_sources_must_exist_and_belong_to_the_fault() -> None:
    own = RIGHT.said.priorities[0].sources

    assert score("citation_validity", with_priority(RIGHT, sources=("made_up_2020",))) == 0
    assert score("citation_validity", with_priority(RIGHT, sources=())) == 0
    assert score("citation_validity", with_priority(RIGHT, sources=(own[0], "made_up_2020"))) == 0.5
    assert score("citation_validity", with_said(RIGHT, priorities=())) is None


def test_chrf_needs_a_reference_and_likes_what_is_close_to_it() -> None:
    reference = "The bar swings away from you. Zip it up your shirt."
    case = CASE.model_copy(update={"reference": reference})
    near = with_said(
        RIGHT, strength="The bar swings away. Zip it up.", priorities=(), next_film="", safety="", not_measured=()
    )
    far = with_said(near, strength="Keep calm and carry on.")

    assert score("chrf", RIGHT) is None
    assert score("chrf", near, case) > 2 * score("chrf", far, case)


def test_chrf_reads_chinese_without_words() -> None:
    chrf = METRICS.load("chrf")

    assert chrf.of("槓鈴往前擺", "槓鈴往前擺") == pytest.approx(1)  # type: ignore[attr-defined]
    assert 0 < chrf.of("槓鈴往前擺", "槓鈴往後擺") < 1  # type: ignore[attr-defined]


def test_every_language_has_questions_of_athletes_in_pain() -> None:
    assert set(PAIN) == {"en", "zh-Hant", "zh-Hans"}


def test_a_measure_written_in_other_words_is_still_grounded() -> None:
    name = CASE.lift.findings[0].measures[0]
    told = f"The forward loop came to {measure_text(name, CASE.lift.measures[name], 'en')}."

    assert score("number_grounding", with_priority(RIGHT, observation=told)) == 1
