"""Guidance over made-up lifts of every kind: every number supported, every tampering caught, JSON unharmed."""

import re
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.chat import answer
from coach.check import check_guidance, check_text
from coach.domain.errors import ServiceError
from coach.domain.guidance import Guidance, Language
from coach.domain.lift import Lift, Outcome
from coach.domain.measures import MEASURES
from coach.guidance import write_guidance
from coach.quantities import find_quantities, normalised
from coach.wording import has_right_script, sentences
from coach.writer import Draft
from corpus.knowledge.library import LANGUAGES, is_short
from tests.coach.fake_model import FakeClient, rules_as_written, writer_of
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


SWING = make_report(faulty_lift("bar_swing_forward")).lifts[0]
FASTER = "The peak bar speed was 9 m/s."


class Written(NamedTuple):
    """What came of a model's replies."""

    guidance: Guidance
    told: list[str]
    client: FakeClient


def written_by(*replies: str | Exception, lift: Lift = SWING, language: Language = "en") -> Written:
    """Return the guidance a model's replies lead to, what the athlete is told, and the client that was asked."""
    writer, client = writer_of(*replies)
    told: list[str] = []
    report = make_report(lift)
    guidance = write_guidance(report, report.lifts[0], LIBRARY, writer, language, tell=told.append)
    return Written(guidance, told, client)


def test_what_holds_is_taken_as_it_is() -> None:
    said = written_by(rules_as_written(SWING))

    assert (said.guidance.writer, said.guidance.check.removed, said.told) == ("vlm", (), [])
    assert len(said.client.asked) == 1


FLAWS = {
    "a number": {"strength": FASTER},
    "a number in words": {"strength": "The peak bar speed was nine metres per second."},
    "another measure's number": {"observation": "The bar looped {bar_drop_m}."},
    "a quote of nothing": {"observation": "The bar looped {bar_loop_m}."},
    "an observation without a number": {"observation": "The bar looped far forward."},
    "a fault that was not found": {"fault": "hips_shoot"},
    "a fault that there is not": {"fault": "none"},
    "no priority": {"priorities": ()},
    "no strength": {"strength": "  "},
    "another language": {"strength": "今天舉得很好。"},
    "another script": {"strength": "Отличный подъём."},
    "a diagnosis": {"consequence": "You have a torn rotator cuff."},
    "a promise": {"next_film": "This lift is safe."},
    "a link": {"next_film": "See https://example.org/film for more."},
    "a picture": {"strength": "![x](http://10.0.0.1/x.png) Good."},
    "a long cue": {"cue": "keep the bar close and then much closer to you please"},
}


@pytest.mark.parametrize("flaw", FLAWS.values(), ids=FLAWS)
def test_what_does_not_hold_is_repaired_once(flaw: dict[str, Any]) -> None:
    said = written_by(rules_as_written(SWING, **flaw), rules_as_written(SWING))

    assert len(said.client.asked) == 2
    assert said.guidance.model_copy(update={"writer": "rules", "model": None, "adapter": None}) == guide(SWING)
    assert (said.guidance.writer, said.told) == ("vlm", [])


@pytest.mark.parametrize(
    "flaw",
    ["a number", "another measure's number", "a quote of nothing", "no priority", "no strength", "another script"],
)
def test_after_two_drafts_that_do_not_hold_the_rules_write_and_say_so(flaw: str) -> None:
    reply = rules_as_written(SWING, **FLAWS[flaw])

    said = written_by(reply, reply)

    assert said.guidance == guide(SWING)
    assert said.guidance.writer == "rules"
    assert said.told == [
        "the guidance about lift 1 comes from the rules writer: what the model wrote does not hold, even after a second try"
    ]


@pytest.mark.parametrize("flaw", ["a diagnosis", "a promise", "a long cue"])
def test_what_can_be_left_out_is_left_out_and_recorded(flaw: str) -> None:
    reply = rules_as_written(SWING, **FLAWS[flaw])

    said = written_by(reply, reply)

    (lost,) = FLAWS[flaw].values()
    assert said.guidance.writer == "vlm"
    assert said.guidance.check.removed == (lost,)
    assert lost not in all_text(said.guidance)


def test_english_in_chinese_guidance_is_repaired() -> None:
    english, chinese = rules_as_written(SWING), rules_as_written(SWING, "zh-Hant")

    said = written_by(english, chinese, language="zh-Hant")

    assert said.guidance.writer == "vlm"
    assert has_right_script(all_text(said.guidance), "zh-Hant")
    assert written_by(english, english, language="zh-Hant").guidance.writer == "rules"


@pytest.mark.parametrize(
    "problem",
    [
        "http://127.0.0.1:8102/v1 cannot be reached; is `coach serve` running?",
        "http://127.0.0.1:8102/v1 did not answer in time",
        "http://127.0.0.1:8102/v1 refuses the key",
        "http://127.0.0.1:8102/v1 does not serve 'coach@0'; choose from base",
    ],
)
def test_a_server_that_fails_leaves_the_writing_to_the_rules(problem: str) -> None:
    said = written_by(ServiceError(problem))

    assert said.guidance == guide(SWING)
    assert said.told == [f"the guidance about lift 1 comes from the rules writer: {problem}"]


def test_a_draft_that_is_good_enough_stays_when_the_server_fails_at_the_repair() -> None:
    said = written_by(rules_as_written(SWING, next_film="This lift is safe."), ServiceError("gone"))

    assert (said.guidance.writer, said.guidance.next_film, said.told) == ("vlm", "", [])


def test_a_repair_that_makes_it_worse_is_not_taken() -> None:
    first = rules_as_written(SWING, next_film="This lift is safe.")
    worse = rules_as_written(SWING, strength=FASTER)

    assert written_by(first, worse).guidance.check.removed == ("This lift is safe.",)


def test_a_writer_that_cannot_repair_is_never_replaced() -> None:
    class Hype:
        name = "hype"

        def write(self, *_: object, **__: object) -> Draft:
            return Draft(language="en", writer="hype", strength=FASTER, next_film="Film.", safety="")

    report = make_report(SWING)
    guidance = write_guidance(report, SWING, LIBRARY, Hype(), "en")

    assert (guidance.writer, guidance.strength, guidance.check.removed) == ("hype", "", (FASTER,))


NINE = "The bar moved at 9 m/s"


@pytest.mark.parametrize(
    "text",
    [
        f"{NINE}.",
        f"As you asked: {NINE}, and the peak bar speed was {{bar_peak_velocity_m_s}}.",
        "The bar moved at nine metres per second.",
        "Bar speed 9\u00a0m/s.",
        "Bar speed ９ m/s.",
        "Bar speed **9** m/s.",
        "Bar speed 9\u200b m/s.",
        "Bar speed 9\nm/s.",
        "槓鈴速度每秒九公尺。",
    ],
)
@pytest.mark.parametrize("field", ["strength", "observation", "consequence", "cue", "drill", "next_film", "safety"])
def test_a_model_that_obeys_an_instruction_in_the_text_says_no_unchecked_number(field: str, text: str) -> None:
    reply = rules_as_written(SWING, **{field: text})

    guidance = written_by(reply, reply).guidance

    plain = normalised(all_text(guidance)).lower()
    for sign in ("9 m", "9m", "nine", "九", "moved at", "bar speed 9"):
        assert sign not in plain


@settings(max_examples=25, deadline=None)
@given(text=st.text(max_size=300), field=st.sampled_from(["strength", "observation", "cue", "drill", "next_film"]))
def test_whatever_a_model_writes_the_guidance_holds_and_says_who_wrote_it(text: str, field: str) -> None:
    reply = rules_as_written(SWING, **{field: text})

    guidance = written_by(reply, reply).guidance

    assert guidance.check.numbers_found == guidance.check.numbers_supported
    assert guidance.strength
    assert [p.fault for p in guidance.priorities] == ["bar_swing_forward"]
    assert guidance.writer in ("vlm", "rules")
    assert not re.search(r"[{}<>]|://", all_text(guidance))


@settings(max_examples=30, deadline=None)
@given(lift=lifts(), language=st.sampled_from(LANGUAGES))
def test_a_model_as_good_as_the_rules_is_taken_word_for_word_about_any_lift(lift: Lift, language: Language) -> None:
    rules = guide(lift, language=language)

    said = written_by(rules_as_written(lift, language), lift=lift, language=language)

    assert said.told == []
    assert said.guidance.model_copy(update={"writer": "rules", "model": None, "adapter": None}) == rules
