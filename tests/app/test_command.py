"""`coach app` on the command line: what it refuses, and how somebody is let in."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from coach.app.accounts import Accounts
from coach.commands.app import app
from coach.domain.errors import InputError, SetupError


def test_a_person_is_added_with_a_password_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"

    ended = CliRunner().invoke(app, ["add-user", "ann", "--accounts", str(path)], input="snatch day\nsnatch day\n")

    assert ended.exit_code == 0, ended.output
    assert "snatch day" not in ended.output
    assert Accounts(path).is_right("ann", "snatch day")


def test_other_machines_are_let_in_only_with_accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFTCOACH_DATA", str(tmp_path))

    ended = CliRunner().invoke(app, ["--host", "0.0.0.0"])

    assert isinstance(ended.exception, SetupError)
    assert "--accounts" in str(ended.exception)


def test_a_file_of_accounts_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFTCOACH_DATA", str(tmp_path))

    ended = CliRunner().invoke(app, ["--accounts", str(tmp_path / "none.json")])

    assert isinstance(ended.exception, InputError)
    assert "add-user" in str(ended.exception)
