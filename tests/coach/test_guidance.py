"""Guidance over made-up lifts of every kind: every number supported, every tampering caught, JSON unharmed."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.chat import answer
from coach.check import check_guidance, check_text
from coach.domain.guidance import Guidance, Language
from coach.domain.lift import Lift, Outcome
from coach.domain.measures import MEASURES
from coach.quantities import find_quantities, normalised
from coach.wording import has_right_script, sentences
from coach.writer import Draft
from corpus.knowledge.library import LANGUAGES, is_short
from tests.coach.made_up_lifts import LIBRARY, all_text, faulty_lift, guide, make_camera, make_lift, make_report

RANGES = {
    "m": (-0.3, 1.6),
    "m/s": (0.2, 2.6),
    "s": (0.05, 1.5),
    "deg": (0.0, 190.0),
    "1": (-0.1, 1.2),
    "N": (200.0, 3000.0),
}
RANGES |= {"J": (100.0, 2000.0), "W": (100.0, 4000.0), "N s": (20.0, 600.0), "m/s2": (8.0, 11.0)}
OUTCOMES: tuple[Outcome, ...] = ("caught", "caught_no_drop", "not_caught", "caught_then_lost", "no_attempt")


@st.composite
def lifts(draw: st.DrawFn) -> Lift:
    """Draw a lift of any kind with any measures, large and small intervals."""
    names = draw(st.sets(st.sampled_from(sorted(MEASURES)), min_size=0, max_size=20))
    values = {name: draw(st.floats(*RANGES[MEASURES[name].unit], allow_nan=False)) for name in sorted(names)}
    scale = draw(st.sampled_from([0.0, 0.002, 0.01, 0.05]))
    sd = {name: scale * (RANGES[MEASURES[name].unit][1] - RANGES[MEASURES[name].unit][0]) for name in values}
    return make_lift(
        values,
        base={},
        lift=draw(st.sampled_from(["snatch", "clean", "jerk", "pull", "unknown"])),
        outcome=draw(st.sampled_from(OUTCOMES)),
        sd=sd,
        not_measured={"bar_peak_force_n": "the plate was seen in 40 % of 73 frames"}
        if "bar_peak_force_n" not in names
        else {},
    )


@settings(max_examples=60, deadline=None)
@given(lift=lifts(), view=st.sampled_from(["side", "front", "oblique"]), language=st.sampled_from(LANGUAGES))
def test_every_number_of_the_guidance_is_supported_and_nothing_is_lost(
    lift: Lift, view: Any, language: Language
) -> None:
    guidance = guide(lift, view, language)

    assert guidance.check.removed == ()
    assert guidance.check.numbers_found == guidance.check.numbers_supported
    assert len(guidance.priorities) <= 2
    assert all(is_short(p.cue, language) for p in guidance.priorities)
    assert guidance.strength
    assert Guidance.model_validate_json(guidance.model_dump_json()) == guidance


QUESTIONS = (
    "why did the bar swing forward?",
    "did I jump?",
    "did I finish the pull?",
    "how do I fix it?",
    "how was my lift?",
    "how was the catch?",
    "when was the catch?",
    "how sure are you about the drop?",
    "what was not measured?",
    "臀部有沒有先起？",
    "過渡階段怎麼樣？",
    "knees cave?",
)


@settings(max_examples=80, deadline=None)
@given(lift=lifts(), question=st.sampled_from(QUESTIONS), language=st.sampled_from(LANGUAGES))
def test_no_answer_loses_a_sentence_to_the_check(lift: Lift, question: str, language: Language) -> None:
    report = make_report(lift)
    said = answer(report, guide(lift, language=language), LIBRARY, question, language)

    assert said.check.removed == ()
    assert said.check.numbers_found == said.check.numbers_supported
    assert has_right_script(said.text, language)


def as_draft(guidance: Guidance) -> Draft:
    data = guidance.model_dump(exclude={"schema_version", "check"})
    return Draft.model_validate(data)


def tampered(draft: Draft, field: str, old: str, new: str) -> Draft:
    """Return the draft with one change in a field; `priorities.x` is a part of the first priority."""
    if field.startswith("priorities."):
        part = field.partition(".")[2]
        first = draft.priorities[0].model_copy(update={part: getattr(draft.priorities[0], part).replace(old, new, 1)})
        return draft.model_copy(update={"priorities": (first, *draft.priorities[1:])})
    return draft.model_copy(update={field: getattr(draft, field).replace(old, new, 1)})


def value_of(draft: Draft, field: str) -> str:
    part = field.partition(".")[2]
    return str(getattr(draft.priorities[0], part) if part else getattr(draft, field))


FIELDS = ("strength", "priorities.observation", "priorities.drill", "next_film")
FAULTS = (
    "bar_swing_forward",
    "hips_shoot",
    "jump_back",
    "transition_velocity_loss",
    "drop_large_snatch",
    "late_pull_under",
)


def tampered_digits(text: str) -> list[str]:
    """Return the text once for every digit in it, that digit moved by five."""
    return [text[: m.start()] + str((int(m.group()) + 5) % 10) + text[m.end() :] for m in re.finditer(r"\d", text)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("field", FIELDS)
def test_a_tampered_digit_in_any_sentence_takes_the_sentence_out(fault: str, language: Language, field: str) -> None:
    lift = make_report(faulty_lift(fault)).lifts[0]
    draft = as_draft(guide(lift, language=language))
    numbers = [s for s in sentences(value_of(draft, field)) if re.search(r"\d", s)]

    assert numbers
    for sentence in numbers:
        for changed in tampered_digits(sentence):
            guidance = check_guidance(tampered(draft, field, sentence, changed), lift, lift.findings, LIBRARY)
            assert changed not in all_text(guidance)
            assert changed in guidance.check.removed
            assert guidance.check.numbers_supported < guidance.check.numbers_found


UNITS = {
    "cm": "m",
    "m/s": "km/h",
    "°": " cm",
    "%": " cm",
    " s": " ms",
    " m": " mm",
    "公分": "公尺",
    "厘米": "毫米",
    "秒": "度",
    "度": "秒",
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("field", ["strength", "priorities.observation"])
def test_a_tampered_unit_in_any_sentence_takes_the_sentence_out(fault: str, language: Language, field: str) -> None:
    lift = make_report(faulty_lift(fault)).lifts[0]
    draft = as_draft(guide(lift, language=language))
    (sentence,) = [s for s in sentences(value_of(draft, field)) if re.search(r"\d", s)]
    unit = next(u for u in UNITS if re.search(rf"\d{re.escape(u)}|\d {re.escape(u)}", sentence))
    changed = re.sub(rf"(?<=\d)( ?){re.escape(unit)}", rf"\g<1>{UNITS[unit]}", sentence, count=1)

    assert changed != sentence
    guidance = check_guidance(tampered(draft, field, sentence, changed), lift, lift.findings, LIBRARY)
    assert changed not in all_text(guidance)
    assert changed in guidance.check.removed


@settings(max_examples=40, deadline=None)
@given(
    value=st.floats(0.15, 0.9),
    reach=st.floats(0.004, 0.02),
    claim=st.integers(1, 99),
    name=st.sampled_from(["forward loop", "drop"]),
)
def test_a_made_up_number_passes_only_when_it_is_the_measured_one(
    value: float, reach: float, claim: int, name: str
) -> None:
    ids = {"forward loop": "bar_forward_loop_m", "drop": "bar_drop_m"}
    other = next(i for n, i in ids.items() if n != name)
    lift = make_lift({ids[name]: value, other: claim / 100}, base={}, sd={ids[name]: reach})

    passed = check_text(f"The {name} was {claim} cm.", lift, LIBRARY).removed == ()

    assert passed == (abs(claim - 100 * value) <= 0.5 + 1e-6)


def test_the_written_guidance_says_only_numbers_that_can_be_traced() -> None:
    lift = make_report(faulty_lift("bar_swing_forward")).lifts[0]
    guidance = guide(lift)
    quantities = find_quantities(normalised(guidance.priorities[0].observation))
    measure = lift.measures["bar_forward_loop_m"]

    assert [q.numbers for q in quantities] == [
        pytest.approx((measure.value,), abs=0.005),
        pytest.approx((measure.low, measure.high), abs=0.005),
        (measure.frame,),
    ]


def test_guidance_rests_on_findings_of_the_lift_alone() -> None:
    lift = make_report(faulty_lift("bar_swing_forward")).lifts[0]
    draft = as_draft(guide(lift))

    assert check_guidance(draft, lift, (), LIBRARY).priorities == ()
    assert make_camera().view == "side"
