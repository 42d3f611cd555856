"""The demo as a user runs it: `coach demo` in a process of its own, without a network."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import av
import pyarrow.parquet as pq
import pytest

from coach.domain.guidance import Guidance
from coach.domain.lift import Report
from coach.domain.settings import AnalysisSettings
from coach.session import Run, read_guidances, read_report

if TYPE_CHECKING:
    from tests.conftest import Ended
    from tests.e2e.conftest import DemoRun

MAX_ERROR_FRAMES = 2
FILES = (
    "report.json",
    "guidance.json",
    "settings.json",
    "annotated.mp4",
    "report.html",
    "tracks.parquet",
    "tracks.csv",
    "pose.trc",
    "angles.mot",
)


@pytest.fixture(scope="session")
def report(demo_run: "DemoRun") -> Report:
    return read_report(demo_run.out_dir)


@pytest.fixture(scope="session")
def guidance(demo_run: "DemoRun", report: Report) -> Guidance:
    return read_guidances(demo_run.out_dir, report)[1]


def test_every_file_of_an_analysis_is_there_and_nothing_else(demo_run: "DemoRun") -> None:
    names = {entry.name for entry in demo_run.out_dir.iterdir()}

    assert names == {*FILES, "keyframes", "plots"}
    assert all((demo_run.out_dir / name).stat().st_size > 100 for name in FILES)
    assert [entry.name for entry in demo_run.out_dir.parent.iterdir()] == ["demo-lift"]


def test_one_snatch_is_found_and_everything_a_report_promises_stands_in_it(report: Report) -> None:
    (lift,) = report.lifts

    assert (lift.lift, lift.outcome, lift.number) == ("snatch", "caught", 1)
    assert report.camera.view == "side"
    assert set(lift.measures) & set(lift.not_measured) == set()
    assert len(lift.measures) > 15


@pytest.mark.parametrize("name", ["start", "peak_velocity", "max_height", "catch"])
def test_the_instants_are_where_the_simulation_put_them(
    report: Report, demo_truth: dict[str, object], name: str
) -> None:
    (lift,) = report.lifts
    found, truth = lift.instants[name], demo_truth["instants"][name]

    assert found is not None
    assert abs(found.time_s - truth["time_s"]) <= MAX_ERROR_FRAMES / report.clip.frame_rate_hz


def test_every_keyframe_of_the_report_is_a_picture_in_the_folder(demo_run: "DemoRun", report: Report) -> None:
    keyframes = report.lifts[0].keyframes

    assert {"peak_velocity", "max_height", "catch"} <= {keyframe.instant for keyframe in keyframes}
    for keyframe in keyframes:
        assert (demo_run.out_dir / keyframe.path).read_bytes()[:2] == b"\xff\xd8"


def test_the_annotated_video_plays_in_a_browser_and_has_every_frame(demo_run: "DemoRun", report: Report) -> None:
    path = demo_run.out_dir / "annotated.mp4"
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert sum(1 for _ in container.decode(stream)) == report.clip.n_frames
    assert path.read_bytes().index(b"moov") < path.read_bytes().index(b"mdat")


def test_the_table_of_tracks_has_one_row_per_frame(demo_run: "DemoRun", report: Report) -> None:
    table = pq.read_table(demo_run.out_dir / "tracks.parquet")

    assert table.num_rows == report.clip.n_frames
    assert "time_s" in table.column_names


def test_the_page_stands_on_its_own(demo_run: "DemoRun") -> None:
    page = (demo_run.out_dir / "report.html").read_text(encoding="utf-8")

    references = re.findall(r"""(?:src|href)=["']([^"'#][^"']*)""", page)
    assert [ref for ref in references if not ref.startswith("data:")] == []
    assert "http://" not in re.sub(r"http://www\.w3\.org/\S+", "", page)


def test_every_number_of_the_guidance_is_supported(guidance: Guidance) -> None:
    assert guidance.check.numbers_found == guidance.check.numbers_supported
    assert guidance.strength
    assert len(guidance.priorities) <= 2


def test_the_evidence_of_every_priority_was_measured(report: Report, guidance: Guidance) -> None:
    for priority in guidance.priorities:
        assert priority.evidence
        assert set(priority.evidence) <= set(report.lifts[0].measures)


def test_the_guidance_is_printed_and_the_paths_go_to_stderr(demo_run: "DemoRun", guidance: Guidance) -> None:
    def flat(text: str) -> str:
        return re.sub(r"[\s│]+", " ", text)

    for priority in guidance.priorities:
        assert priority.cue in flat(demo_run.stdout)
    assert "Traceback" not in demo_run.stderr
    for name in FILES:
        assert f"demo-lift/{name}" in demo_run.stderr
    assert "annotated.mp4" not in demo_run.stdout


def test_the_settings_lie_beside_the_results(demo_run: "DemoRun") -> None:
    run = Run.model_validate_json((demo_run.out_dir / "settings.json").read_bytes())

    assert run.is_demo
    assert run.settings == AnalysisSettings.model_validate(run.settings.model_dump())


def test_a_question_is_answered_from_the_measures(demo_run: "DemoRun", coach: Callable[..., "Ended"]) -> None:
    ended = coach("ask", demo_run.out_dir, "How fast was the bar?")

    assert ended.code == 0
    assert ended.err == ""
    assert "m/s" in ended.out


def test_pain_in_a_question_gets_a_referral_and_no_technique(
    demo_run: "DemoRun", guidance: Guidance, coach: Callable[..., "Ended"]
) -> None:
    ended = coach("ask", demo_run.out_dir, "My shoulder hurts when I catch the bar. What should I change?")

    assert ended.code == 0
    assert not any(priority.cue in ended.out for priority in guidance.priorities)
    assert not re.search(r"\d+(\.\d+)? (m|cm|m/s|deg|°)\b", ended.out)


def test_an_answer_comes_in_the_language_asked_for(demo_run: "DemoRun", coach: Callable[..., "Ended"]) -> None:
    ended = coach("ask", demo_run.out_dir, "槓鈴最快有多快？", "--language", "zh-Hant")

    assert ended.code == 0
    assert re.search(r"[\u4e00-\u9fff]", ended.out)


def test_the_second_demo_replaces_the_first_and_the_json_is_the_report(
    demo_run: "DemoRun", report: Report, start: Callable[..., object], tmp_path: Path
) -> None:
    out_dir = tmp_path / "demo-lift"
    out_dir.mkdir()
    (out_dir / "settings.json").write_bytes((demo_run.out_dir / "settings.json").read_bytes())

    process = start("demo", "--json", cwd=tmp_path)
    stdout, stderr = process.communicate()

    assert process.returncode == 0, stderr
    again = Report.model_validate_json(stdout)
    assert json.loads(stdout) == json.loads((out_dir / "report.json").read_text())
    assert again.lifts[0].instants == report.lifts[0].instants
    assert again.lifts[0].measures == report.lifts[0].measures


def test_a_demo_does_not_replace_what_is_not_a_demo(coach: Callable[..., "Ended"], tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("{}")

    ended = coach("demo", "--out", tmp_path)

    assert ended.code == 1
    assert "--overwrite" in ended.err
    assert (tmp_path / "report.json").read_text() == "{}"
