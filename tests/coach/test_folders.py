import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coach.domain.errors import InputError, SetupError
from coach.domain.words import printable
from coach.folders import check_out, default_out, whole_folder

DEAD_PID = 2**22 + 1  # above the largest process number of Linux


def _ours(entry: Path) -> bool:
    return entry.name == "report.json"


def test_a_new_folder_appears_with_everything_in_it(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "out") as work_dir:
        (work_dir / "report.json").write_text("new")
        assert not (tmp_path / "out").exists()

    assert (tmp_path / "out" / "report.json").read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_missing_parents_are_made(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "a" / "b" / "out") as work_dir:
        (work_dir / "report.json").write_text("new")

    assert (tmp_path / "a" / "b" / "out" / "report.json").exists()


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_nothing_behind(tmp_path: Path, failure: type[BaseException]) -> None:
    def fail() -> None:
        with whole_folder(tmp_path / "a" / "b" / "out") as work_dir:
            (work_dir / "report.json").write_text("half")
            raise failure

    with pytest.raises(failure):
        fail()

    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_earlier_results_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("old")

    def fail() -> None:
        with whole_folder(tmp_path) as work_dir:
            (work_dir / "report.json").write_text("half")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()

    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("report.json", "old")]


def test_earlier_results_make_way_for_new_ones_in_the_same_folder(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("old")
    (tmp_path / "guidance.json").write_text("old")
    same_folder = tmp_path.stat().st_ino

    with whole_folder(tmp_path) as work_dir:
        (work_dir / "report.json").write_text("new")

    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("report.json", "new")]
    assert tmp_path.stat().st_ino == same_folder


def test_the_remains_of_a_killed_run_are_removed_and_those_of_a_running_one_are_not(tmp_path: Path) -> None:
    dead, alive = (tmp_path / f".out.partial-{pid}" for pid in (DEAD_PID, os.getppid()))
    for folder in (dead, alive, tmp_path / f".other.partial-{DEAD_PID}"):
        folder.mkdir()

    with whole_folder(tmp_path / "out"):
        pass

    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(
        ["out", alive.name, f".other.partial-{DEAD_PID}"]
    )


def test_a_full_disk_is_told_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"No space left.*free some space"), whole_folder(tmp_path / "out"):
        raise OSError(errno.ENOSPC, "No space left on device")

    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_of_a_parent_is_told_in_plain_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(InputError, match="is a file"):
        check_out(tmp_path / "file" / "out", _ours, overwrite=True)


def test_a_name_that_the_disk_cannot_hold_is_told_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too long"):
        check_out(tmp_path / ("x" * 300), _ours, overwrite=False)


def test_a_new_and_an_empty_folder_may_be_written(tmp_path: Path) -> None:
    check_out(tmp_path, _ours, overwrite=False)
    check_out(tmp_path / "new", _ours, overwrite=False)


def test_earlier_results_are_replaced_only_when_told(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("old")

    with pytest.raises(InputError, match="--overwrite"):
        check_out(tmp_path, _ours, overwrite=False)
    check_out(tmp_path, _ours, overwrite=True)


def test_a_folder_with_anything_else_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("old")
    (tmp_path / "thesis.tex").write_text("four years of work")

    with pytest.raises(InputError, match=r"thesis\.tex"):
        check_out(tmp_path, _ours, overwrite=True)


@pytest.mark.parametrize(
    ("clip", "folder"),
    [
        ("my_snatch.mp4", "my_snatch-lift"),
        ("films/抓舉 80公斤.MOV", "抓舉_80公斤-lift"),
        ("../../etc/passwd", "passwd-lift"),
        ('say "hi"\n.mp4', "say_hi-lift"),
        ("...mp4", "clip-lift"),
        ("-rf.mp4", "rf-lift"),
        ("x" * 300 + ".mp4", "x" * 180 + "-lift"),
    ],
)
def test_the_default_folder_keeps_the_name_and_drops_what_is_dangerous(clip: str, folder: str) -> None:
    assert default_out(Path(clip)) == Path(folder)


@given(st.text(min_size=1).filter(lambda name: "\0" not in name))
def test_the_default_folder_is_always_one_ordinary_name(name: str) -> None:
    folder = default_out(Path(name))

    assert len(folder.parts) == 1
    assert folder.name.endswith("-lift")
    assert not folder.name.startswith((".", "-"))
    assert len(folder.name.encode()) < 200
    assert folder.name.isprintable()


def test_a_path_is_shown_on_one_line_of_valid_text() -> None:
    assert printable(Path("舉重 a\nb\x1b[31m")) == "舉重 a\\nb\\x1b[31m"
    assert printable(os.fsdecode(b"\xff.mp4")) == "\\xff.mp4"
