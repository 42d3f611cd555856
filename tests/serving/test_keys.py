import stat
from pathlib import Path

import pytest

from coach.domain.errors import SetupError
from serving.keys import key_path, make_key, read_key


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFTCOACH_DATA", str(tmp_path / "data"))


def test_a_key_is_made_once_and_only_its_user_can_read_it() -> None:
    assert read_key() is None

    key = make_key()

    assert len(key) >= 32
    assert make_key() == key == read_key()
    assert stat.S_IMODE(key_path().stat().st_mode) == 0o600


def test_an_empty_key_file_is_made_anew() -> None:
    key_path().parent.mkdir()
    key_path().write_text("\n")

    assert make_key() == read_key() != ""


def test_a_key_that_cannot_be_written_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the way")

    with pytest.raises(SetupError, match="LIFTCOACH_API_KEY"):
        make_key()
