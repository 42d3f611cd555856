"""Training conversations: about every fault, only what was measured, and the same prompts as the product's."""

import re

import numpy as np
import pytest

from coach.check import check_text
from coach.domain.guidance import Language
from coach.domain.lift import Report
from coach.domain.passage import Passage
from coach.prompts import WrittenDraft, lift_turns
from coach.quotes import fill
from coach.session import judged
from coach.teacher import RulesTeacher
from corpus.examples import QUESTIONS, Scene, lift_example, may_show, passage_examples, varied, with_fault
from corpus.knowledge.library import load_library
from perception.simulator.random_spec import random_spec
from perception.simulator.reports import simulated_report

LIBRARY = load_library()
TEACHER = RulesTeacher(LIBRARY)
SIDE = simulated_report(random_spec(7, fault="bar_swing_forward"), 0)
FRONT = simulated_report(random_spec(7, view="front"), 0)
JERK = simulated_report(random_spec(7, lift="jerk"), 0)
FAULTS = [f.id for f in LIBRARY.measurable_faults() if f.reference == "absolute"]
LANGUAGES: tuple[Language, ...] = ("en", "zh-Hant", "zh-Hans")


def _scene(report: Report) -> Scene:
    return Scene(report=judged(report, LIBRARY), group="one")


def _passage(text: str, licence: str | None = "Apache-2.0") -> Passage:
    return Passage(
        id="p1", document_id="d1", text=text, sha256="0" * 64, language="en", place="Turnover › Elbows", licence=licence
    )


@pytest.mark.parametrize("name", FAULTS)
def test_a_lift_can_be_given_every_fault_that_can_be_measured(name: str) -> None:
    fault = LIBRARY.faults[name]
    report = next(report for report in (SIDE, FRONT, JERK) if may_show(report, fault))

    found = [
        {f.fault for f in judged(with_fault(report, fault, seed), LIBRARY).lifts[0].findings} for seed in range(12)
    ]

    assert sum(name in faults for faults in found) >= 6


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_of_an_example_is_quoted_and_supported(language: Language) -> None:
    for seed in range(6):
        scene = _scene(varied(SIDE, LIBRARY, seed))
        lift = scene.report.lifts[0]
        example = lift_example(scene, LIBRARY, language, TEACHER, (), seed)
        said = [t.text for t in example.turns if t.role == "assistant"]
        draft = WrittenDraft.model_validate_json(said[0])
        drills = tuple(
            line
            for f in lift.findings
            for d in LIBRARY.faults[f.fault].texts[language].drills
            if (line := d.line(language))
        )
        reasons = tuple(lift.not_measured.values())
        for text in (draft.strength, *(p.observation for p in draft.priorities), *said[1:]):
            filled = fill(text, lift, LIBRARY, language)
            checked = check_text(filled.text, lift, LIBRARY, trusted=(*drills, *reasons), language=language)
            assert filled.unknown == ()
            assert checked.numbers_found == checked.numbers_supported
        assert not re.search(r"\d", draft.strength.replace("{", "").replace("}", ""))


def test_an_example_begins_as_the_product_begins() -> None:
    scene = _scene(SIDE)
    example = lift_example(scene, LIBRARY, "en", TEACHER, (), 1)

    assert example.turns[:2] == lift_turns(scene.report, scene.report.lifts[0], LIBRARY, "en")
    assert [t.role for t in example.turns[2:]][::2] == ["assistant"] * (len(example.turns[2:]) // 2 + 1)


def test_pain_is_answered_with_a_referral_and_an_order_with_what_was_measured() -> None:
    scene = _scene(SIDE)
    pain, order = QUESTIONS["en"]["beyond"][0], QUESTIONS["en"]["beyond"][-1]

    assert "doctor" in TEACHER.answer(scene, "en", pain)
    assert "nine" not in TEACHER.answer(scene, "en", order)


def test_a_passage_becomes_an_example_of_its_document() -> None:
    text = (
        "Keep the elbows high and to the side while the bar passes the chest. Late elbows send the bar away from you."
    )
    (example,) = passage_examples([_scene(SIDE)], [_passage(text)], TEACHER, 0)

    assert example.group == "d1"
    assert example.passages == ("p1",)
    assert text in example.turns[-2].text
    assert example.turns[-1].text == text


@pytest.mark.parametrize(
    "passage",
    [
        _passage("A fine note on elbows that stay high.", licence=None),
        _passage("Your peak bar speed was 2.45 m/s and the drop to the catch 31 cm."),
    ],
)
def test_a_passage_without_licence_or_with_numbers_of_a_lift_teaches_nothing(passage: Passage) -> None:
    assert list(passage_examples([_scene(SIDE)], [passage], TEACHER, 0)) == []


def test_the_same_seed_asks_the_same() -> None:
    scene = _scene(SIDE)

    assert lift_example(scene, LIBRARY, "en", TEACHER, (), 4) == lift_example(scene, LIBRARY, "en", TEACHER, (), 4)
    assert np.unique([len(lift_example(scene, LIBRARY, "en", TEACHER, (), s).turns) for s in range(8)]).size > 1
