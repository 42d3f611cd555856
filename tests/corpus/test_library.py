"""The knowledge that ships: validated, complete in three languages, and honest about what it does not know."""

import shutil
from pathlib import Path

import pytest

from coach.claims import forbidden_claim
from coach.domain.errors import DataError
from coach.domain.measures import MEASURES
from coach.quantities import find_quantities, normalised
from coach.wording import has_right_script
from corpus.knowledge.library import FOLDER, LANGUAGES, Drill, is_short, load_library, read_library

LIBRARY = load_library()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the knowledge folder that a test may damage."""
    return Path(shutil.copytree(FOLDER, tmp_path / "knowledge"))


def damage(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_library_is_read_once() -> None:
    assert load_library() is LIBRARY


def test_it_holds_the_whole_fault_library() -> None:
    assert len(LIBRARY.faults) == 62
    assert len(LIBRARY.references) == 105
    assert len([t for t in LIBRARY.glossary if t.kind == "term"]) == 71


@pytest.mark.parametrize("fault", list(LIBRARY.faults.values()), ids=lambda f: f.id)
def test_every_cue_fits_in_eight_words(fault) -> None:  # type: ignore[no-untyped-def]
    for language in LANGUAGES:
        for cue in fault.texts[language].cues:
            assert is_short(cue, language)
    assert fault.texts["en"].cues
    assert fault.texts["en"].drills


@pytest.mark.parametrize("fault", list(LIBRARY.measurable_faults()), ids=lambda f: f.id)
def test_every_measurable_fault_speaks_three_languages(fault) -> None:  # type: ignore[no-untyped-def]
    for language in LANGUAGES:
        text = fault.texts[language]
        assert text.is_complete
        for part in (text.name, text.consequence, text.strength, text.absence, *text.cues, *text.causes):
            assert has_right_script(part, language)


@pytest.mark.parametrize("fault", list(LIBRARY.measurable_faults()), ids=lambda f: f.id)
def test_every_language_has_as_many_cues_drills_and_causes(fault) -> None:  # type: ignore[no-untyped-def]
    sizes = {(len(t.cues), len(t.drills), len(t.causes)) for t in fault.texts.values()}

    assert len(sizes) == 1


def spoken_texts() -> list[str]:
    texts = [p for g in LIBRARY.texts.values() for p in g.phrases.values()]
    for fault in LIBRARY.faults.values():
        for language, t in fault.texts.items():
            drills = [d.line(language) for d in t.drills]
            texts += [t.consequence, t.strength, t.absence, t.observation, t.safety, *t.causes, *t.cues, *drills]
    return [t for t in texts if t]


def test_nothing_the_library_says_is_a_forbidden_claim() -> None:
    claims = {text: forbidden_claim(normalised(text)) for text in spoken_texts()}

    assert len(claims) > 500
    assert {text: kind for text, kind in claims.items() if kind} == {}


def test_only_drills_and_filming_hold_numbers_of_their_own() -> None:
    for fault in LIBRARY.faults.values():
        for t in fault.texts.values():
            for part in (t.consequence, t.strength, t.absence, t.observation, t.safety, *t.causes, *t.cues):
                assert find_quantities(normalised(part)) == [], part


def test_no_name_of_a_measure_claims_a_fault() -> None:
    claims = [
        normalised(a).lower() for f in LIBRARY.faults.values() for t in f.texts.values() for a in (t.name, *t.aliases)
    ]
    for words in LIBRARY.measures.values():
        for text in words.texts.values():
            assert [c for c in claims if c in normalised(text.name).lower()] == []


def test_every_measure_has_words_in_three_languages() -> None:
    assert set(LIBRARY.measures) == set(MEASURES)
    assert all(set(words.texts) == set(LANGUAGES) for words in LIBRARY.measures.values())


def test_the_languages_share_one_set_of_phrases_and_braces() -> None:
    import string

    def braces(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    english = LIBRARY.texts["en"].phrases
    for language in LANGUAGES:
        assert set(LIBRARY.texts[language].phrases) == set(english)
        for key, text in LIBRARY.texts[language].phrases.items():
            assert braces(text) == braces(english[key]), key


def test_rows_of_low_confidence_never_judge() -> None:
    for lift in ("snatch", "clean", "jerk"):
        for measure in MEASURES:
            assert all(row.confidence != "low" for row in LIBRARY.judging_references(measure, lift))  # type: ignore[arg-type]
    assert [row.low for row in LIBRARY.judging_references("bar_peak_velocity_m_s", "snatch")] == [1.65]


def test_the_segments_weigh_one_body() -> None:
    """Source: de Leva 1996, Table 4: the main segments of a man and of a woman sum to the whole mass."""
    for sex in ("female", "male"):
        main = [
            s
            for s in LIBRARY.segments
            if s.sex == sex and s.definition == "main" and s.segment not in ("upper_trunk", "mid_trunk", "lower_trunk")
        ]
        assert sum(s.mass_fraction * s.count_in_body for s in main) == pytest.approx(1.0, abs=2e-4)


def test_a_drill_line_names_what_how_often_and_how_heavy() -> None:
    assert Drill(name="Snatch balance", dose="4 × 3", load="empty bar").line("en") == "Snatch balance: 4 × 3, empty bar"


@pytest.mark.parametrize(
    ("file_name", "old", "new", "message"),
    [
        ("faults.yaml", "measures: [bar_forward_loop_m]", "measures: [bar_loop]", "fault 22 (bar_swing_forward)"),
        ("faults.yaml", "threshold: {watch: 0.1, fault: 0.14}", "threshold: {watch: 0.2, fault: 0.14}", "beyond"),
        ("faults.yaml", "Zip the bar up your shirt", "Zip the bar all the way up along your own shirt", "too long"),
        ("faults.yaml", "dose: 5 × 3 s", "dose: often", "dose"),
        ("faults.yaml", "leads_to: [bar_forward_off_floor]", "leads_to: [nothing]", "which is no fault"),
        ("faults.yaml", "severity: high", "severity: awful", "severity"),
        ("faults.yaml", "- id: hips_shoot\n", "- id: start_hips_high\n", "occurs twice"),
        ("faults.yaml", "faults:", "faults: [", "not valid YAML"),
        ("reference_values.csv", ",1.65,2.05,", ",fast,2.05,", "reference_values.csv: line 2"),
        ("reference_values.csv", "drechsler_enc,page", "nobody,page", "nobody"),
        ("measures.yaml", "bar_drop_m:", "bar_dropped:", "no words for bar_drop_m"),
        ("de_leva.csv", "0.0668", "6.68", "de_leva.csv: line 2"),
        ("glossary.csv", "term,snatch", "word,snatch", "glossary.csv: line 2"),
    ],
)
def test_a_bad_record_is_refused_with_file_and_place(
    copy: Path, file_name: str, old: str, new: str, message: str
) -> None:
    damage(copy, file_name, old, new)

    with pytest.raises(DataError) as problem:
        read_library(copy)

    assert file_name in str(problem.value)
    assert message in str(problem.value)


def test_a_missing_file_says_what_to_do(copy: Path) -> None:
    (copy / "sources.yaml").unlink()

    with pytest.raises(DataError, match=r"sources\.yaml is missing .* reinstall"):
        read_library(copy)
