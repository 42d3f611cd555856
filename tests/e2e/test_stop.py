"""Ctrl-C, and output folders that exist: nothing half-written, nothing lost."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Ended

DEADLINE_S = 60.0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_analysis_that_is_stopped_leaves_nothing_behind(
    number: signal.Signals, code: int, start: Callable[..., object], demo_clip_path: Path, tmp_path: Path
) -> None:
    process = start("analyze", demo_clip_path, "--out", "results/out", cwd=tmp_path)
    _wait_for(lambda: any(tmp_path.rglob(".out.partial-*")))

    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=DEADLINE_S)

    assert process.returncode == code, stderr
    assert stdout == ""
    assert "Traceback" not in stderr
    assert list(tmp_path.iterdir()) == []


def _wait_for(is_there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not is_there():
        assert time.monotonic() < deadline


def test_an_existing_analysis_is_refused_unless_told(
    coach: Callable[..., "Ended"], demo_clip_path: Path, tmp_path: Path
) -> None:
    (tmp_path / "report.json").write_text("old")

    refused = coach("analyze", demo_clip_path, "--out", tmp_path)
    assert refused.code == 1
    assert "--overwrite" in refused.err
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("report.json", "old")]

    replaced = coach("analyze", demo_clip_path, "--out", tmp_path, "--overwrite", "--no-video")
    assert replaced.code == 0, replaced.err
    assert (tmp_path / "report.json").read_text().startswith("{")


def test_a_folder_with_a_users_own_files_is_never_replaced(
    coach: Callable[..., "Ended"], demo_clip_path: Path, tmp_path: Path
) -> None:
    (tmp_path / "diary.txt").write_text("mine")

    ended = coach("analyze", demo_clip_path, "--out", tmp_path, "--overwrite")

    assert ended.code == 1
    assert "diary.txt" in ended.err
    assert (tmp_path / "diary.txt").read_text() == "mine"
