import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coach.commands import terminal

if TYPE_CHECKING:
    from tests.conftest import Ended

Coach = Callable[..., "Ended"]


def test_the_version_is_that_of_the_installed_package(coach: Coach) -> None:
    ended = coach("--version")

    assert (ended.code, ended.out, ended.err) == (0, f"coach {version('liftcoach')}\n", "")


def test_the_help_names_every_command_that_exists(coach: Coach) -> None:
    ended = coach("--help")

    assert ended.code == 0
    for command in ("demo", "analyze", "ask", "simulate", "eval", "models", "doctor"):
        assert f" {command} " in ended.out


@pytest.mark.parametrize("arguments", [("fly",), ("analyze",), ("ask", "folder"), ("models", "fetch")])
def test_wrong_usage_ends_with_2_and_says_so_on_stderr(coach: Coach, arguments: tuple[str, ...]) -> None:
    ended = coach(*arguments)

    assert (ended.code, ended.out) == (2, "")
    assert "Usage" in ended.err


def test_an_error_with_control_characters_stays_on_one_line(
    coach: Coach, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    ended = coach("ask", "two\nlines\x1b[2J", "why?")

    assert ended.code == 1
    assert ended.err.count("\n") == 1
    assert "\x1b" not in ended.err


def test_a_bug_shows_its_traceback(coach: Coach, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise KeyError("bug")

    monkeypatch.setattr("coach.doctor.examine", broken)

    with pytest.raises(KeyError, match="bug"):
        coach("doctor")


def test_the_weights_are_listed_for_machines_and_people(coach: Coach) -> None:
    rows = json.loads(coach("models", "list", "--json").out)
    table = coach("models", "list").out

    weights = [row for row in rows if "bundle" in row]
    models = [row for row in rows if "repository" in row]
    assert "blazepose" in {row["bundle"] for row in weights}
    for row in weights:
        assert row["bundle"] == "rtmpose" or len(row["sha256"]) == 64
        assert row["sources"]
        assert row["file_name"] in table
    names = {"qwen3-vl-2b", "qwen3-vl-4b", "qwen3.5-4b", "vitpose-base", "rtdetr-r50"}
    assert names == {row["name"] for row in models}
    for row in models:
        assert row["repository"] in table
    assert all(row["licence"] for row in rows)
    assert len(weights) + len(models) == len(rows)


def test_both_models_of_vitpose_are_fetched_by_one_name(coach: Coach, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coach.hub.fetch", lambda name, on_progress: Path("models") / name)

    ended = coach("models", "fetch", "vitpose")

    assert ended.out.split() == ["models/vitpose-base", "models/rtdetr-r50"]
    assert "usyd-community/vitpose-base-simple, licence Apache-2.0" in ended.err


def test_unknown_weights_are_refused_with_the_names_there_are(coach: Coach) -> None:
    ended = coach("models", "fetch", "nonsense")

    assert ended.code == 1
    assert "choose from blazepose" in ended.err


def test_the_progress_is_quiet_when_nobody_watches(capfd: pytest.CaptureFixture[str]) -> None:
    with terminal.progress() as on_progress:
        on_progress("pose", 1, 10)
        on_progress("pose", 10, 10)

    assert capfd.readouterr() == ("", "")


def test_a_terminal_sees_stages_and_frames() -> None:
    pty = pytest.importorskip("pty")
    code = "from coach.commands.terminal import progress\nwith progress() as p:\n for i in range(3): p('pose', i, 3)\n p('bar', 5, 7)"
    here, there = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", code], stderr=there, env=os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    ) as process:
        assert process.wait() == 0
    os.close(there)
    seen = os.read(here, 100_000).decode()
    os.close(here)

    assert "pose" in seen
    assert "2/3" in seen
    assert "5/7" in seen


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_lets_the_program_clean_up_and_end_with_its_code(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    script = (
        "import signal, sys; from pathlib import Path; import coach.doctor\n"
        f"signal.signal({int(number)}, signal.SIG_DFL)\n"  # whoever runs the tests may ignore it
        "from coach.cli import main; from coach.folders import whole_folder\n"
        "def examine():\n"
        "    with whole_folder(Path('out')): print('ready', flush=True); signal.pause()\n"
        "coach.doctor.examine = examine; sys.argv = ['coach', 'doctor']; main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        _, err = process.communicate(timeout=30)

    assert process.returncode == code
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_that_became_another_error_is_still_an_interrupt(
    coach: Coach, monkeypatch: pytest.MonkeyPatch
) -> None:
    def import_that_is_interrupted() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt as problem:
            raise SyntaxError("cannot load a module") from problem

    monkeypatch.setattr("coach.doctor.examine", import_that_is_interrupted)

    ended = coach("doctor")

    assert (ended.code, ended.err) == (130, "Stopped.\n")


def test_an_interrupt_that_was_lost_stops_the_next_step() -> None:
    with terminal.progress() as on_progress:
        terminal.stop_signals.append(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            on_progress("pose", 1, 10)
    terminal.stop_signals.clear()


def test_the_help_answers_in_half_a_second() -> None:
    took_s = []
    for _ in range(3):
        before = time.process_time(), os.times()
        subprocess.run([sys.executable, "-m", "coach.cli"], check=True)
        after = os.times()
        took_s.append(after.children_user + after.children_system - before[1].children_user - before[1].children_system)

    assert min(took_s) < 0.5
