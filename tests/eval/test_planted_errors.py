"""The check takes planted errors out and leaves true sentences alone, in every wording and number format we know."""

import pytest

from coach.wording import has_right_script
from eval.meta import BAR, MetaScores, run
from eval.paraphrases import PARAPHRASES, is_left_alone, true_sentences
from eval.planted import correct, is_caught, plantings
from tests.coach.made_up_lifts import LIBRARY
from tests.eval.made_up_cases import FAULTS, faulty_case

KINDS = {
    "wrong number",
    "number and interval moved",
    "wrong unit",
    "wrong sign",
    "wrong direction",
    "number of another measure",
    "interval widened",
    "interval narrowed",
    "invented frame",
    "fault not found, as a priority",
    "fault not found, named",
    "referee decision",
    "diagnosis",
    "injury",
    "load on the body",
    "pain and drugs",
    "body and champions",
    "number of nothing measured",
    "generic advice",
    "wrong language",
}


@pytest.fixture(scope="module")
def scores() -> MetaScores:
    return run(n=10)


def test_planted_errors_are_caught(scores: MetaScores) -> None:
    table = "\n".join(f"{k.name}: {k.right} of {k.n}  {'; '.join(k.wrong)}" for k in scores.planted)

    assert {kind.name for kind in scores.planted} == KINDS
    assert sum(kind.n for kind in scores.planted) >= 200
    assert scores.caught_share >= BAR, table


def test_errors_in_numbers_are_all_caught(scores: MetaScores) -> None:
    """Nothing that a lift can refute passes: claims in free words are the only kind that may slip through."""
    of_words = {"referee decision", "diagnosis", "injury", "load on the body", "pain and drugs", "body and champions"}
    table = {kind.name: kind.wrong for kind in scores.planted if kind.name not in of_words and kind.right < kind.n}

    assert table == {}


def test_true_sentences_are_left_alone(scores: MetaScores) -> None:
    table = "\n".join(f"{k.name}: {k.right} of {k.n}  {'; '.join(k.wrong)}" for k in scores.left_alone)

    assert scores.left_share >= BAR, table
    assert scores.n_forms >= 60


def test_there_are_sixty_true_sentences_over_two_languages() -> None:
    texts = {p.text for language in ("en", "zh-Hant") for p in PARAPHRASES[language]}  # type: ignore[index]

    assert len(texts) >= 60
    assert all(has_right_script(p.text, "zh-Hant") for p in PARAPHRASES["zh-Hant"])


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("language", ["en", "zh-Hant"])
def test_guidance_before_planting_passes_whole_and_every_planting_changes_it(fault: str, language: str) -> None:
    case = faulty_case(fault, language)  # type: ignore[arg-type]
    draft = correct(case, LIBRARY)

    for planted in plantings(case, LIBRARY, seed=1):
        assert planted.draft != draft
        assert planted.sentence
    assert any(is_caught(planted, case, LIBRARY) for planted in plantings(case, LIBRARY, seed=1))


def test_number_formats_of_one_measure_are_all_the_same_fact() -> None:
    case = faulty_case("jump_forward")

    told = [sentence for p, sentence in true_sentences(case, LIBRARY) if p.measure == "bar_max_height_m"]

    assert "The bar rose to 1.10 m (1.09–1.11 m), frame 43." in told
    assert "Its highest point was 110 cm above where it started." in told
    assert all(is_left_alone(sentence, case, LIBRARY) for sentence in told)
