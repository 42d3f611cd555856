"""The starter corpus: enough passages, well tagged, in the right script, and nothing in them a coach must not say."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import get_args

import pytest
import yaml

from coach.claims import forbidden_claim
from coach.domain.lift import LiftName
from coach.domain.passage import PassageKind
from coach.quantities import normalised
from coach.wording import has_right_script, sentences
from corpus.knowledge.library import load_library

TEXTS = Path(__file__).parents[2] / "corpus" / "starter_texts"
QUESTIONS = Path(__file__).parent / "search_questions.yaml"
_TAGS = re.compile(r"<!-- lifts: (.*?); phases: (.*?); faults: (.*?); kind: (\w+) -->")


@dataclass(frozen=True, slots=True)
class Written:
    """A passage as it stands in its file."""

    title: str
    language: str
    text: str
    lifts: tuple[str, ...]
    phases: tuple[str, ...]
    faults: tuple[str, ...]
    kind: str


def _read(path: Path) -> list[Written]:
    """Return the passages of one file."""
    _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    head = yaml.safe_load(front)
    assert set(head) == {"title", "language", "licence"}, path
    assert (head["language"], head["licence"]) == (path.parent.name, "Apache-2.0"), path
    passages = []
    for block in re.split(r"^## ", body, flags=re.M)[1:]:
        title, comment, text = block.split("\n", 2)
        tags = _TAGS.fullmatch(comment)
        assert tags, f"{path.name}: {title}: {comment}"
        lifts, phases, faults = (_names(tags.group(i)) for i in (1, 2, 3))
        passages.append(Written(title, head["language"], text.strip(), lifts, phases, faults, tags.group(4)))
    return passages


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(",") if name.strip())


PASSAGES = [passage for path in sorted(TEXTS.glob("*/*.md")) for passage in _read(path)]


def _wrong(is_wrong: Callable[[Written], object]) -> list[str]:
    """Return the titles of the passages for which `is_wrong` holds."""
    return [passage.title for passage in PASSAGES if is_wrong(passage)]


def test_there_are_enough_passages_in_both_languages() -> None:
    n = Counter(passage.language for passage in PASSAGES)

    assert set(n) == {"en", "zh-Hant"}
    assert n["en"] >= 150
    assert n["zh-Hant"] >= 60


def test_a_title_belongs_to_one_passage() -> None:
    assert [title for title, n in Counter(p.title for p in PASSAGES).items() if n > 1] == []


def test_tags_are_known_names() -> None:
    library = load_library()
    phases = {phase for fault in library.faults.values() for phase in fault.phase.split("/")}

    assert _wrong(lambda p: set(p.faults) - set(library.faults)) == []
    assert _wrong(lambda p: not p.phases or set(p.phases) - phases) == []
    assert _wrong(lambda p: not p.lifts or set(p.lifts) - set(get_args(LiftName))) == []
    assert _wrong(lambda p: p.kind not in get_args(PassageKind)) == []


def test_a_passage_is_in_the_script_of_its_language() -> None:
    assert _wrong(lambda p: not has_right_script(f"{p.title}{p.text}", p.language)) == []  # type: ignore[arg-type]


def test_a_passage_is_long_enough_to_help_and_short_enough_to_quote() -> None:
    def is_off(passage: Written) -> bool:
        if passage.language == "en":
            return not 50 <= len(passage.text.split()) <= 130
        return not 80 <= len(re.sub(r"\s", "", passage.text)) <= 220

    assert _wrong(is_off) == []


def test_no_two_passages_say_nearly_the_same() -> None:
    shingles = [{text[i : i + 6] for i in range(len(text) - 5)} for text in (p.text.lower() for p in PASSAGES)]
    alike = [
        (PASSAGES[a].title, PASSAGES[b].title)
        for a, b in combinations(range(len(PASSAGES)), 2)
        if PASSAGES[a].language == PASSAGES[b].language
        and len(shingles[a] & shingles[b]) > 0.4 * min(len(shingles[a]), len(shingles[b]))
    ]

    assert alike == []


@pytest.mark.parametrize("passage", PASSAGES, ids=lambda passage: passage.title)
def test_a_passage_claims_nothing_that_is_forbidden(passage: Written) -> None:
    claims = {said: forbidden_claim(normalised(said)) for said in (passage.title, *sentences(passage.text))}

    assert {said: claim for said, claim in claims.items() if claim} == {}


def test_every_fault_of_the_library_is_spoken_of() -> None:
    assert sorted(set(load_library().faults) - {fault for passage in PASSAGES for fault in passage.faults}) == []


def test_every_fault_that_can_be_measured_has_an_explanation_a_cue_and_a_drill() -> None:
    kinds: dict[str, Counter[str]] = {fault.id: Counter() for fault in load_library().measurable_faults()}
    for passage in PASSAGES:
        for fault in passage.faults:
            if fault in kinds and passage.language == "en":
                kinds[fault][passage.kind] += 1

    assert {fault: n for fault, n in kinds.items() if not {"explanation", "cue", "drill"} <= n.keys()} == {}


def test_every_fault_that_can_be_measured_is_spoken_of_in_chinese() -> None:
    spoken = {fault for passage in PASSAGES if passage.language == "zh-Hant" for fault in passage.faults}

    assert sorted({fault.id for fault in load_library().measurable_faults()} - spoken) == []


def test_search_questions_expect_passages_that_exist_and_read_like_questions_not_quotes() -> None:
    questions = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    titles = {(passage.language, passage.title) for passage in PASSAGES}
    texts = [passage.text.lower() for passage in PASSAGES]

    assert Counter(q["language"] for q in questions) == {"en": 20, "zh-Hant": 14, "zh-Hans": 6}
    for q in questions:
        language = "en" if q["language"] == "en" else "zh-Hant"
        assert 1 <= len(q["expect"]) <= 3, q
        assert all((language, title) in titles for title in q["expect"]), q
        assert has_right_script(q["question"], q["language"]), q
        assert not any(q["question"].lower().rstrip("?？") in text for text in texts), q
