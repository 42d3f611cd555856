"""A clip analysed with a model that writes: through a real server on this machine, and without one."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coach.domain.guidance import Guidance
from coach.session import read_guidances, read_report
from coach.writers.vlm import as_written
from corpus.knowledge.library import load_library
from tests.serving.misbehaving import misbehaving, says

if TYPE_CHECKING:
    from tests.conftest import Ended
    from tests.e2e.conftest import DemoRun

Coach = Callable[..., "Ended"]


def analysed(coach: Coach, clip: Path, out: Path) -> tuple[Guidance, list[str], str]:
    """Analyse a clip with the model and return guidance, warnings of the report, and stderr."""
    ended = coach("analyze", clip, "--out", out, "--no-video", "--writer", "vlm", "--json")
    assert ended.code == 0, ended.err
    report = json.loads(ended.out)
    return Guidance.model_validate_json((out / "guidance.json").read_bytes()), report["warnings"], ended.err


def without_numbers(text: str) -> str:
    return re.sub(r"[0-9.]+", "#", text)


def test_a_model_sees_the_key_frames_and_writes_what_the_rules_would(
    coach: Coach, demo_run: "DemoRun", demo_clip_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = read_report(demo_run.out_dir)
    rules = read_guidances(demo_run.out_dir, report)[1]
    good = as_written(rules, report.lifts[0], load_library())
    lie = json.dumps(json.loads(good) | {"strength": "The bar moved at 9 m/s."})
    with misbehaving(says(lie), says(good)) as played:
        monkeypatch.setenv("LIFTCOACH_SERVER", played.url)
        guidance, warnings, err = analysed(coach, demo_clip_path, tmp_path / "out")

    assert (guidance.writer, guidance.model, guidance.check.removed) == ("vlm", "coach-tiny", ())
    assert [p.fault for p in guidance.priorities] == [p.fault for p in rules.priorities]
    assert without_numbers(guidance.strength) == without_numbers(rules.strength)  # the demo tells height and masses
    assert not any("writer" in warning for warning in warnings)
    assert "Note" not in err
    shown = [part["type"] for part in played.requests[0]["messages"][1]["content"]]
    assert shown == ["image_url"] * 4 + ["text"]


def test_without_a_server_the_rules_write_and_report_and_command_say_so(
    coach: Coach, demo_clip_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with misbehaving() as played:
        monkeypatch.setenv("LIFTCOACH_SERVER", played.url)
    guidance, warnings, err = analysed(coach, demo_clip_path, tmp_path / "out")

    assert guidance.writer == "rules"
    (notice,) = [warning for warning in warnings if "comes from the rules writer" in warning]
    assert f"{played.url} cannot be reached" in notice
    assert f"Note: {notice}" in err
    assert notice in (tmp_path / "out" / "report.html").read_text(encoding="utf-8").replace("&#39;", "'")
