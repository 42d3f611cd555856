"""Runs are compared case by case, and the page holds everything it shows."""

import re
from pathlib import Path

import pytest

from coach.domain.errors import InputError
from eval.bad_writer import BadWriter
from eval.compare import compare
from eval.guidance import RunSettings, run
from eval.page import meaning, write_page
from tests.coach.made_up_lifts import RULES
from tests.eval.made_up_cases import FAULTS, FailingWriter, faulty_case

CASES = [faulty_case(fault, language) for fault in FAULTS[:3] for language in ("en", "zh-Hant")]  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("runs")
    writers = {"rules": RULES, "bad": BadWriter(), "failing": FailingWriter(["jump_forward"])}
    for name, writer in writers.items():
        run(root / name, CASES, writer, RunSettings(writer=name, data="made up"))
    return [root / name for name in writers]


def test_the_bad_writer_is_really_worse_and_the_same_writer_is_not(folders: list[Path]) -> None:
    compared = compare([folders[0], folders[1]])
    found = compared.difference("number_grounding", "written", "bad")

    assert found is not None
    assert found.is_real
    assert found.mean < -0.9
    same = compare([folders[0], folders[0]])
    assert not any(d.interval.is_real for d in same.differences)
    assert same.worst == ()


def test_a_failing_writer_loses_the_cases_it_failed_on(folders: list[Path]) -> None:
    compared = compare([folders[0], folders[2]])
    found = compared.difference("priority_hit", "written", "failing")

    assert found is not None
    assert found.mean == pytest.approx(-1 / 3)
    assert {worst.case.made_fault for worst in compared.worst} == {"jump_forward"}
    assert {worst.run for worst in compared.worst} == {"failing"}


def test_other_cases_an_unfinished_run_and_a_single_one_are_refused(folders: list[Path], tmp_path: Path) -> None:
    run(tmp_path / "other", CASES[:2], RULES, RunSettings(writer="rules", data="other"))
    with pytest.raises(InputError, match="other cases"):
        compare([folders[0], tmp_path / "other"])
    with pytest.raises(InputError, match="two folders"):
        compare([folders[0]])
    with pytest.raises(InputError, match="cannot be read"):
        compare([tmp_path / "nothing", folders[0]])
    (tmp_path / "other" / "rows.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="not finished"):
        compare([tmp_path / "other", tmp_path / "other"])


def test_the_page_is_one_file_that_needs_no_network_and_runs_no_script(folders: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "deep" / "report.html"
    write_page(compare(folders), out)
    html = out.read_text(encoding="utf-8")

    assert "default-src 'none'" in html
    assert "<script" not in html
    assert not re.search(r"""(?:src|href)\s*=|url\(|@import""", html)
    assert html.count("<svg") >= 20


def test_the_page_shows_scores_verdicts_failures_and_what_was_taken_out(folders: list[Path], tmp_path: Path) -> None:
    write_page(compare(folders), tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")

    for wanted in (
        "number grounding",
        "compared with rules",
        "worse",
        "real",
        "As shown to the athlete",
        "coach serve",
    ):
        assert wanted in html
    assert "<del>This will injure your back sooner or later.</del>" in html


def test_what_a_model_writes_cannot_become_part_of_the_page(tmp_path: Path) -> None:
    class Sly(FailingWriter):
        def write(self, *args, **kwargs):  # type: ignore[no-untyped-def]
            draft = super().write(*args, **kwargs)
            return draft.model_copy(update={"strength": "<img src=x onerror=alert(1)>", "priorities": ()})

    for name, writer in (("rules", RULES), ("sly", Sly([]))):
        run(tmp_path / name, CASES[:1], writer, RunSettings(writer=name, data="made up"))
    write_page(compare([tmp_path / "rules", tmp_path / "sly"]), tmp_path / "report.html")

    assert "<img" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_metric_says_what_it_asks() -> None:
    assert meaning("safety").startswith("Whether a text keeps to")
