"""Passwords, sessions and the brake on guessing."""

import json
import stat
from pathlib import Path

import pytest

from coach.app.accounts import MAX_FAILURES, SESSION_S, WINDOW_S, Accounts, Brake, Sessions, add_user
from coach.domain.errors import DataError, InputError


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accounts.json"


def test_only_the_right_password_of_the_right_name_fits(path: Path) -> None:
    add_user(path, "ann", "snatch and clean")
    add_user(path, "bob", "front squats 5x3")
    accounts = Accounts(path)

    assert accounts.is_right("ann", "snatch and clean")
    assert not accounts.is_right("ann", "front squats 5x3")
    assert not accounts.is_right("nobody", "snatch and clean")


def test_the_file_holds_no_password_and_only_its_owner_reads_it(path: Path) -> None:
    add_user(path, "ann", "snatch and clean")

    assert "snatch and clean" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_same_password_has_another_hash_for_each_name(path: Path) -> None:
    for name in ("ann", "bob"):
        add_user(path, name, "snatch and clean")

    known = json.loads(path.read_text())
    assert known["ann"] != known["bob"]


def test_a_new_password_replaces_the_old_one(path: Path) -> None:
    add_user(path, "ann", "snatch and clean")
    add_user(path, "ann", "clean and jerk")

    assert not Accounts(path).is_right("ann", "snatch and clean")


@pytest.mark.parametrize(("name", "password"), [("", "long enough 1"), ("a b", "long enough 1"), ("ann", "short")])
def test_a_poor_name_or_password_is_refused(path: Path, name: str, password: str) -> None:
    with pytest.raises(InputError):
        add_user(path, name, password)
    assert not path.exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"ann": "plain text"}', '{"ann": 3}'])
def test_a_file_that_is_none_of_accounts_is_refused(path: Path, text: str) -> None:
    path.write_text(text)

    with pytest.raises(DataError):
        Accounts(path)


def test_a_damaged_hash_lets_nobody_in(path: Path) -> None:
    path.write_text('{"ann": "scrypt$x"}')

    assert not Accounts(path).is_right("ann", "")


def test_a_session_ends_by_itself_and_by_logging_out() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    first, second = sessions.open("ann"), sessions.open("bob")

    assert sessions.name(first) == "ann"
    sessions.close(first)
    assert sessions.name(first) is None
    clock.now += SESSION_S + 1
    assert sessions.name(second) is None
    assert sessions.name(None) is None


def test_guessing_is_stopped_for_a_while() -> None:
    clock = Clock()
    brake = Brake(clock)
    for _ in range(MAX_FAILURES):
        assert brake.wait_s("name ann", "address 1") == 0
        brake.failed("name ann", "address 1")

    assert 0 < brake.wait_s("name ann", "address 2") <= WINDOW_S
    assert brake.wait_s("name bob", "address 2") == 0
    clock.now += WINDOW_S + 1
    assert brake.wait_s("name ann", "address 1") == 0


def test_a_right_password_takes_its_own_try_back_only() -> None:
    brake = Brake(Clock())
    for _ in range(MAX_FAILURES):
        brake.failed("name ann")
    brake.failed("name ann")
    brake.forget("name ann")

    assert brake.wait_s("name ann") > 0
