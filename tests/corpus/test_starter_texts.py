"""The starter corpus: enough passages, well tagged, in the right script, and nothing in them a coach must not say."""

import re
from collections import Counter
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from coach.claims import forbidden_claim
from coach.domain.passage import Passage
from coach.quantities import normalised
from coach.wording import has_right_script, sentences
from corpus.knowledge.library import load_library
from corpus.starter import open_starter

QUESTIONS = Path(__file__).parent / "search_questions.yaml"
PASSAGES = open_starter().passages()


def title(passage: Passage) -> str:
    """Return the heading of a passage, without that of its file."""
    return passage.place.split(" › ", 1)[1]


def _wrong(is_wrong: Callable[[Passage], object]) -> list[str]:
    """Return the titles of the passages for which `is_wrong` holds."""
    return [title(passage) for passage in PASSAGES if is_wrong(passage)]


def test_there_are_enough_passages_in_both_languages() -> None:
    n = Counter(passage.language for passage in PASSAGES)

    assert set(n) == {"en", "zh-Hant"}
    assert n["en"] >= 150
    assert n["zh-Hant"] >= 60


def test_a_title_belongs_to_one_passage() -> None:
    assert [name for name, n in Counter(title(p) for p in PASSAGES).items() if n > 1] == []


def test_passages_name_lifts_and_phases_that_the_library_knows() -> None:
    phases = {phase for fault in load_library().faults.values() for phase in fault.phase.split("/")}

    assert _wrong(lambda p: not p.tags.lifts) == []
    assert _wrong(lambda p: not p.tags.phases or set(p.tags.phases) - phases) == []


def test_every_text_may_be_shared() -> None:
    assert _wrong(lambda p: p.licence != "Apache-2.0") == []


def test_a_passage_is_in_the_script_of_its_language() -> None:
    assert (
        _wrong(lambda p: not has_right_script(f"{title(p)}{p.text}", "en" if p.language == "en" else "zh-Hant")) == []
    )


def test_a_passage_is_long_enough_to_help_and_short_enough_to_quote() -> None:
    def is_off(passage: Passage) -> bool:
        if passage.language == "en":
            return not 50 <= len(passage.text.split()) <= 130
        return not 80 <= len(re.sub(r"\s", "", passage.text)) <= 220

    assert _wrong(is_off) == []


def test_no_two_passages_say_nearly_the_same() -> None:
    shingles = [{text[i : i + 6] for i in range(len(text) - 5)} for text in (p.text.lower() for p in PASSAGES)]
    alike = [
        (title(PASSAGES[a]), title(PASSAGES[b]))
        for a, b in combinations(range(len(PASSAGES)), 2)
        if PASSAGES[a].language == PASSAGES[b].language
        and len(shingles[a] & shingles[b]) > 0.4 * min(len(shingles[a]), len(shingles[b]))
    ]

    assert alike == []


@pytest.mark.parametrize("passage", PASSAGES, ids=title)
def test_a_passage_claims_nothing_that_is_forbidden(passage: Passage) -> None:
    claims = {said: forbidden_claim(normalised(said)) for said in (title(passage), *sentences(passage.text))}

    assert {said: claim for said, claim in claims.items() if claim} == {}


def test_every_fault_of_the_library_is_spoken_of() -> None:
    assert sorted(set(load_library().faults) - {fault for passage in PASSAGES for fault in passage.tags.faults}) == []


def test_every_fault_that_can_be_measured_has_an_explanation_a_cue_and_a_drill() -> None:
    kinds: dict[str, Counter[str]] = {fault.id: Counter() for fault in load_library().measurable_faults()}
    for passage in PASSAGES:
        for fault in passage.tags.faults:
            if fault in kinds and passage.language == "en":
                kinds[fault][passage.tags.kind] += 1

    assert {fault: n for fault, n in kinds.items() if not {"explanation", "cue", "drill"} <= n.keys()} == {}


def test_every_fault_that_can_be_measured_is_spoken_of_in_chinese() -> None:
    spoken = {fault for passage in PASSAGES if passage.language == "zh-Hant" for fault in passage.tags.faults}

    assert sorted({fault.id for fault in load_library().measurable_faults()} - spoken) == []


def test_search_questions_expect_passages_that_exist_and_read_like_questions_not_quotes() -> None:
    questions = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    titles = {(passage.language, title(passage)) for passage in PASSAGES}
    texts = [passage.text.lower() for passage in PASSAGES]

    assert Counter(q["language"] for q in questions) == {"en": 20, "zh-Hant": 14, "zh-Hans": 6}
    for q in questions:
        language = "en" if q["language"] == "en" else "zh-Hant"
        assert 1 <= len(q["expect"]) <= 3, q
        assert all((language, name) in titles for name in q["expect"]), q
        assert has_right_script(q["question"], q["language"]), q
        assert not any(q["question"].lower().rstrip("?？") in text for text in texts), q
