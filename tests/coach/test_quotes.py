"""Quotes of measures: filled from the lift, never from the writer."""

import pytest

from coach.domain.guidance import Language
from coach.quotes import fill, has_open_quote, quote
from coach.wording import measure_text
from tests.coach.made_up_lifts import FAULTY, LIBRARY, RULES, faulty_lift, make_lift, make_report, view_of

LANGUAGES: tuple[Language, ...] = ("en", "zh-Hant", "zh-Hans")
LIFT = make_lift()


def test_a_quote_becomes_value_and_interval() -> None:
    filled = fill("The bar dropped {bar_drop_m}.", LIFT, LIBRARY, "en")

    assert filled.text == f"The bar dropped {measure_text('bar_drop_m', LIFT.measures['bar_drop_m'], 'en')}."
    assert (filled.n_quotes, filled.unknown) == (1, ())


def test_a_quote_follows_its_measure() -> None:
    other = make_lift({"bar_drop_m": 0.21})

    assert fill("{bar_drop_m}", LIFT, LIBRARY, "en").text != fill("{bar_drop_m}", other, LIBRARY, "en").text


@pytest.mark.parametrize("written", ["{bar_drop}", "{knee_angle_catch_deg}", "{bar_drop_m.speed}", "{}", "{0}"])
def test_a_quote_of_what_was_not_measured_stays_as_written(written: str) -> None:
    filled = fill(f"It was {written}.", LIFT, LIBRARY, "en")

    assert filled.text == f"It was {written}."
    assert filled.unknown == (written,)


def test_frame_direction_and_mirror_can_be_quoted() -> None:
    lift = make_lift({"bar_to_foot_catch_m": -0.05})
    measure = lift.measures["bar_to_foot_catch_m"]

    assert fill("{bar_to_foot_catch_m.frame}", lift, LIBRARY, "en").text == str(measure.frame)
    assert "back" in fill("{bar_to_foot_catch_m.directed}", lift, LIBRARY, "en").text
    assert fill("{-bar_to_foot_catch_m}", lift, LIBRARY, "en").text.startswith("5 cm")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("fault", sorted(FAULTY))
def test_what_the_rules_say_survives_quoting_and_filling(fault: str, language: Language) -> None:
    report = make_report(faulty_lift(fault), view=view_of(fault))
    lift = report.lifts[0]
    draft = RULES.write(report, lift, LIBRARY, language)
    texts = [(draft.strength, ()), *((p.observation, p.evidence) for p in draft.priorities)]

    for text, evidence in texts:
        quoted = quote(text, lift, LIBRARY, language, evidence)
        assert fill(quoted, lift, LIBRARY, language).text == text
        assert not any(c.isdigit() for c in quoted.split("{")[0])
        assert "{" in quoted or not any(c.isdigit() for c in text)


def test_an_open_quote_is_noticed_in_a_stream() -> None:
    assert has_open_quote("The bar dropped {bar_dr")
    assert not has_open_quote("The bar dropped {bar_drop_m} and")
