"""Cases are the same for the same seed, come from simulator, folders or files, and know what is to be expected."""

from pathlib import Path

import pytest

from coach.domain.errors import DataError, InputError
from coach.faults import judge
from coach.prompts import cueable
from eval.cases import HELD_OUT_SEED, folder_cases, read_cases, simulated_cases, write_cases
from eval.counterfactuals import variants_of
from finetune.tiny_data import HELD_OUT_SEED as TRAINING_ENDS
from tests.coach.made_up_lifts import LIBRARY, faulty_lift, guide, make_camera, make_report
from tests.eval.made_up_cases import FAULTS, clean_case, faulty_case

CASES = simulated_cases(8, LIBRARY, language="mixed")


def test_the_same_seed_gives_the_same_cases_and_another_one_others() -> None:
    assert simulated_cases(2, LIBRARY, language="mixed") == CASES[:2]
    assert simulated_cases(1, LIBRARY, seed=HELD_OUT_SEED + 1)[0].report != CASES[0].report


def test_cases_begin_where_training_ends() -> None:
    assert HELD_OUT_SEED >= TRAINING_ENDS


def test_simulated_cases_hold_both_languages_clean_lifts_and_faults_that_were_made() -> None:
    assert {case.language for case in CASES} == {"en", "zh-Hant"}
    assert {case.made_fault is None for case in CASES} == {True, False}
    assert all(case.question for case in CASES)
    assert all(case.truth for case in CASES)


def test_what_is_expected_is_what_the_rules_may_put_forward() -> None:
    for case in CASES:
        assert case.expected == tuple(f.fault for f in cueable(case.lift, LIBRARY))


def test_cases_come_back_from_a_file_as_they_were(tmp_path: Path) -> None:
    write_cases(tmp_path / "cases.jsonl", CASES)

    assert read_cases(tmp_path / "cases.jsonl") == CASES


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(f'{CASES[0].model_dump_json()}\n{{"id": "x"}}\n', encoding="utf-8")

    with pytest.raises(DataError, match=r"cases\.jsonl:2"):
        read_cases(path)


def test_a_file_without_cases_or_with_one_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    with pytest.raises(InputError, match="cannot be read"):
        read_cases(path)
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(InputError, match="no cases"):
        read_cases(path)
    write_cases(path, [CASES[0], CASES[0]])
    with pytest.raises(DataError, match="twice"):
        read_cases(path)


def test_every_guided_lift_of_a_folder_of_analyses_is_a_case(tmp_path: Path) -> None:
    lift = faulty_lift("bar_swing_forward")
    for name in ("monday", "tuesday"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.json").write_text(make_report(lift).model_dump_json(), encoding="utf-8")
        (tmp_path / name / "guidance.json").write_text(
            guide(lift, language="zh-Hant").model_dump_json(), encoding="utf-8"
        )

    cases = folder_cases(tmp_path, LIBRARY)

    assert [case.id for case in cases] == ["monday-1", "tuesday-1"]
    assert {case.language for case in cases} == {"zh-Hant"}
    assert cases[0].expected == ("bar_swing_forward",)
    assert folder_cases(tmp_path / "monday", LIBRARY, "en")[0].language == "en"


def test_a_folder_without_an_analysis_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="coach analyze"):
        folder_cases(tmp_path, LIBRARY)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_measure_moved_back_inside_takes_its_fault_away(fault: str) -> None:
    case = faulty_case(fault)
    crossed = next(v for v in case.variants if v.kind == "crossed")

    assert fault in case.expected
    assert fault not in crossed.expected
    report, lift = case.varied(crossed)
    assert lift.findings == judge(lift, report.camera, LIBRARY)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_measure_moved_further_keeps_its_fault_and_one_that_judges_nothing_keeps_all(fault: str) -> None:
    case = faulty_case(fault)

    for variant in case.variants:
        if variant.kind != "crossed":
            assert variant.expected == case.expected
            assert variant.moved != case.lift.measures[variant.measure]


def test_a_clean_lift_gets_a_fault_when_its_measure_crosses_the_threshold() -> None:
    case = clean_case()
    crossed = next(v for v in case.variants if v.kind == "crossed")

    assert case.expected == ()
    assert crossed.expected


def test_a_lift_without_measures_has_no_variants() -> None:
    bare = clean_case().lift.model_copy(update={"measures": {}, "findings": ()})

    assert variants_of(bare, make_camera(), LIBRARY) == ()
