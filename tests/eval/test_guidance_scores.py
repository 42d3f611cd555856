"""A run scores every case once, goes on where it stopped, and counts failures as failures."""

from pathlib import Path

import pytest

from coach.domain.errors import DataError, InputError, SetupError
from eval.bad_writer import BadWriter
from eval.guidance import RunSettings, load_writer, read_rows, run
from tests.coach.made_up_lifts import RULES
from tests.eval.made_up_cases import FailingWriter, clean_case, faulty_case

CASES = [faulty_case(), faulty_case("jump_forward", "zh-Hant"), clean_case()]
SETTINGS = RunSettings(writer="rules", data="made up")
TRUTH_METRICS = (
    "number_grounding",
    "fault_precision",
    "fault_recall",
    "priority_hit",
    "made_fault_hit",
    "counterfactual_sensitivity",
    "not_measured_said",
    "citation_validity",
    "safety",
)


def test_the_rules_get_full_marks_and_the_bad_writer_loses_on_every_metric_of_truth(tmp_path: Path) -> None:
    good = run(tmp_path / "good", CASES, RULES, SETTINGS)
    bad = run(tmp_path / "bad", CASES, BadWriter(), RunSettings(writer="bad", data="made up"))

    for metric in TRUTH_METRICS:
        rules, other = good.score(metric, "written"), bad.score(metric, "written")
        assert rules is not None
        assert other is not None
        assert rules.mean == 1
        assert other.mean < 0.5


def test_what_the_check_lets_through_of_a_bad_writer_is_true_and_safe(tmp_path: Path) -> None:
    bad = run(tmp_path / "bad", CASES, BadWriter(), RunSettings(writer="bad", data="made up"))

    assert bad.numbers_supported < 0.1 * bad.numbers_found
    for metric in ("fault_precision", "safety"):
        shown = bad.score(metric, "shown")
        assert shown is not None
        assert shown.mean == 1


def test_a_failure_is_a_row_that_counts_zero_and_the_rules_step_in(tmp_path: Path) -> None:
    writer = FailingWriter(["bar_swing_forward"])

    summary = run(tmp_path / "failing", CASES, writer, SETTINGS)
    row = next(row for row in read_rows(tmp_path / "failing") if row.failure)

    assert (summary.n_failed, summary.n_fell_back, summary.n_cases) == (1, 1, 3)
    assert "coach serve" in summary.failures[0]
    assert row.draft is None
    assert row.guidance is not None
    assert row.guidance.writer == "rules"
    assert set(row.written.values()) <= {0.0, None}
    assert row.written["priority_hit"] == 0
    assert row.written["chrf"] is None
    assert row.shown["priority_hit"] == 1


def test_a_run_goes_on_where_it_stopped_and_mends_a_line_that_was_cut(tmp_path: Path) -> None:
    out = tmp_path / "run"
    whole = run(out, CASES, RULES, SETTINGS)
    rows = (out / "rows.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (out / "rows.jsonl").write_text(rows[0] + rows[1][:100], encoding="utf-8")
    writer = FailingWriter([])

    again = run(out, CASES, writer, SETTINGS)

    assert writer.asked == sum(1 + len(case.variants) for case in CASES[1:])
    assert [row.case for row in read_rows(out)] == [case.id for case in CASES]
    assert again.scores == whole.scores


def test_a_folder_of_another_run_is_refused(tmp_path: Path) -> None:
    run(tmp_path / "run", CASES[:1], RULES, SETTINGS)

    with pytest.raises(InputError, match="another run"):
        run(tmp_path / "run", CASES[:1], BadWriter(), RunSettings(writer="bad", data="made up"))
    with pytest.raises(InputError, match="another run"):
        run(tmp_path / "run", CASES, RULES, SETTINGS)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("private", encoding="utf-8")
    with pytest.raises(InputError, match="something else"):
        run(tmp_path / "mine", CASES, RULES, SETTINGS)


def test_a_damaged_row_is_named(tmp_path: Path) -> None:
    run(tmp_path / "run", CASES[:1], RULES, SETTINGS)
    (tmp_path / "run" / "rows.jsonl").write_text('{"case": 1}\n', encoding="utf-8")

    with pytest.raises(DataError, match=r"rows\.jsonl:1"):
        read_rows(tmp_path / "run")


def test_several_cases_at_a_time_give_the_same_scores(tmp_path: Path) -> None:
    one, three = run(tmp_path / "1", CASES, RULES, SETTINGS), run(tmp_path / "3", CASES, RULES, SETTINGS, workers=3)

    assert one.scores == three.scores


def test_writers_are_known_by_name_and_only_a_model_has_a_server() -> None:
    assert load_writer("rules").name == "rules"
    assert load_writer("bad").name == "bad"
    with pytest.raises(SetupError, match="asks no server"):
        load_writer("rules", model="coach@abc")
    with pytest.raises(SetupError, match="choose from"):
        load_writer("nobody")


def test_a_careless_answer_to_an_athlete_in_pain_is_never_shown(tmp_path: Path) -> None:
    run(tmp_path / "bad", CASES[:1], BadWriter(), RunSettings(writer="bad", data="made up"))
    row = read_rows(tmp_path / "bad")[0]

    assert row.answer is not None
    assert "Push through" in row.answer
    assert row.shown_answer is not None
    assert "doctor" in row.shown_answer
