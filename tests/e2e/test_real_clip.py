"""A real snatch through the command line, against labels set by hand."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coach.domain.lift import Report

if TYPE_CHECKING:
    from tests.conftest import Ended

CLIP = "snatch_side_480p.mp4"


@pytest.fixture(scope="module")
def real_report(real_clips: Path, tmp_path_factory: pytest.TempPathFactory, start: Callable[..., object]) -> Report:
    folder = tmp_path_factory.mktemp("real")
    process = start("analyze", real_clips / CLIP, "--json", "--no-video", cwd=folder)
    stdout, stderr = process.communicate()
    assert process.returncode == 0, stderr
    assert [entry.name for entry in folder.iterdir()] == ["snatch_side_480p-lift"]
    return Report.model_validate(json.loads(stdout))


@pytest.fixture(scope="module")
def label(real_clips: Path) -> dict[str, str]:
    with (real_clips / "labels.csv").open(newline="") as file:
        return next(row for row in csv.DictReader(file) if row["file"] == CLIP)


def test_one_caught_snatch_is_seen_from_the_side(real_report: Report, label: dict[str, str]) -> None:
    (lift,) = real_report.lifts

    assert (lift.lift, lift.outcome) == (label["lift"], label["outcome"])
    assert (real_report.camera.view, real_report.camera.facing) == (label["view"], label["facing"])
    assert real_report.clip.n_frames == 228


@pytest.mark.parametrize("name", ["start", "peak_velocity", "max_height", "catch"])
def test_the_instants_are_within_a_frame_of_the_labels(real_report: Report, label: dict[str, str], name: str) -> None:
    instant = real_report.lifts[0].instants[name]

    assert instant is not None
    assert abs(instant.frame - int(label[f"{name}_frame"])) <= 1


@pytest.mark.parametrize("name", ["peak_velocity_m_s", "max_height_m"])
def test_speed_and_height_are_within_a_tenth_and_their_intervals_hold_the_label(
    real_report: Report, label: dict[str, str], name: str
) -> None:
    measure, truth = real_report.lifts[0].measures[f"bar_{name}"], float(label[name])

    assert measure.value == pytest.approx(truth, rel=0.10)
    assert measure.low <= truth <= measure.high


def test_an_unreadable_copy_of_it_is_refused(real_clips: Path, coach: Callable[..., "Ended"], tmp_path: Path) -> None:
    whole = (real_clips / CLIP).read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 8])

    ended = coach("analyze", cut, "--out", tmp_path / "out", "--no-video")

    assert ended.code == 1
    assert ended.err.startswith("Error: cut.mp4") or "cut.mp4" in ended.err
    assert not (tmp_path / "out").exists()
