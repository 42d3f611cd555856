"""The commands from end to end, on five lifts."""

import json
from pathlib import Path

from typer.testing import CliRunner

from coach.commands.evaluate import HELD_OUT_SEED, META_SEED, app
from eval import cases, meta

RUNNER = CliRunner()


def test_two_writers_are_scored_and_put_side_by_side(tmp_path: Path) -> None:
    for writer in ("rules", "bad"):
        ended = RUNNER.invoke(
            app,
            [
                "guidance",
                "--writer",
                writer,
                "--n",
                "5",
                "--language",
                "mixed",
                "--out",
                str(tmp_path / writer),
                "--json",
            ],
        )
        assert ended.exit_code == 0, ended.output
        assert json.loads(ended.stdout)["n_cases"] == 5
    ended = RUNNER.invoke(
        app, ["compare", str(tmp_path / "rules"), str(tmp_path / "bad"), "--out", str(tmp_path / "report.html")]
    )

    assert ended.exit_code == 0, ended.output
    assert "number grounding" in ended.stdout
    assert "Where a run loses most" in (tmp_path / "report.html").read_text(encoding="utf-8")
    again = RUNNER.invoke(
        app, ["guidance", "--data", str(tmp_path / "rules" / "cases.jsonl"), "--out", str(tmp_path / "again")]
    )
    assert again.exit_code == 0, again.output
    assert "0 of 5 cases failed" in again.stdout


def test_the_check_is_scored_with_counts_by_kind() -> None:
    ended = RUNNER.invoke(app, ["meta", "--n", "1"])

    assert ended.exit_code == 0, ended.output
    assert "wrong number" in ended.stdout
    assert "planted errors caught:" in ended.stdout


def test_the_commands_know_the_seeds_without_loading_what_draws_them() -> None:
    assert HELD_OUT_SEED == cases.HELD_OUT_SEED
    assert META_SEED == meta.META_SEED


def test_every_command_of_the_group_has_its_help() -> None:
    for command in ("perception", "guidance", "compare", "text", "meta"):
        ended = RUNNER.invoke(app, [command, "--help"])

        assert ended.exit_code == 0
        assert "Usage" in ended.stdout
