"""Clips that are harder than a lone lifter before a camera that sees everything: what can be measured is, no more."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from coach.domain.lift import Report
from perception.video import open_clip
from tests.e2e.demo_lift import LAST_FRAME, TOLERANCE_S, check_same_lift, frames_of, only_lift

if TYPE_CHECKING:
    import subprocess

    from tests.conftest import Ended

Analyse = Callable[..., Report]
WriteClip = Callable[..., Path]
LIFTER = slice(110, 540)  # columns of the demo that hold the lifter and the bar until the lift is over
UPRIGHT = slice(215, 575)  # columns of the demo that a phone held upright would have seen
IN_THE_AIR = 49  # frame of the demo between peak speed and apex
N_BETWEEN = 12


def _images(path: Path, last: int = LAST_FRAME) -> Iterator[np.ndarray]:
    return (frame.image for frame in frames_of(path, last=last))


def test_of_several_people_the_one_who_lifts_is_measured(
    analyse: Analyse, write_clip: WriteClip, demo_clip_path: Path, demo_truth: dict[str, Any], tmp_path: Path
) -> None:
    waiting = next(frames_of(demo_clip_path)).image[:, LIFTER][:, ::-1]  # crouches over a bar of his own, facing right
    both = (np.hstack([waiting, image[:, LIFTER]]) for image in _images(demo_clip_path))

    report = analyse(write_clip(tmp_path / "several.mp4", both))

    check_same_lift(report, demo_truth)
    assert (report.camera.view, report.camera.facing) == ("side", "left")


def test_a_narrow_upright_picture_is_enough(
    analyse: Analyse, write_clip: WriteClip, demo_clip_path: Path, demo_truth: dict[str, Any], tmp_path: Path
) -> None:
    images = (frame.image[:, UPRIGHT] for frame in frames_of(demo_clip_path))

    check_same_lift(analyse(write_clip(tmp_path / "upright.mp4", images)), demo_truth)


@pytest.mark.parametrize(
    "rows_cut_off",
    [
        pytest.param(180, id="apex just outside"),
        pytest.param(190, id="apex outside"),
        pytest.param(240, id="everything above the hips outside"),
    ],
)
def test_a_bar_that_leaves_the_picture_has_no_apex(
    rows_cut_off: int,
    coach: Callable[..., "Ended"],
    write_clip: WriteClip,
    demo_clip_path: Path,
    demo_truth: dict[str, Any],
    tmp_path: Path,
) -> None:
    clip = write_clip(tmp_path / "low.mp4", (image[rows_cut_off:] for image in _images(demo_clip_path)))

    ended = coach("analyze", clip, "--json", "--out", tmp_path / "out", "--no-video")

    if ended.code == 1:
        assert "whole plate in the picture" in ended.err
        return
    assert ended.code == 0, ended.err
    lift = only_lift(Report.model_validate_json(ended.out))
    assert lift.outcome != "caught"
    for name in ("bar_max_height_m", "bar_catch_height_m", "bar_drop_m", "time_peak_to_catch_s"):
        assert name not in lift.measures, lift.measures[name]
        assert lift.not_measured[name]
    for name in ("start", "peak_velocity"):
        instant = lift.instants[name]
        true_s = demo_truth["instants"][name]["time_s"]
        assert instant is None or instant.time_s == pytest.approx(true_s, abs=TOLERANCE_S), name


def test_the_parts_before_and_after_a_cut_are_measured_for_themselves(
    analyse: Analyse, write_clip: WriteClip, demo_clip_path: Path, demo_truth: dict[str, Any], tmp_path: Path
) -> None:
    def cut() -> Iterator[np.ndarray]:
        yield from _images(demo_clip_path, IN_THE_AIR)
        height, width = next(_images(demo_clip_path)).shape[:2]
        stripes = np.arange(height)[:, None, None] // 40 % 2 * 200 + 30
        yield from [np.broadcast_to(stripes, (height, width, 3)).astype(np.uint8)] * N_BETWEEN
        yield from _images(demo_clip_path)

    report = analyse(write_clip(tmp_path / "cut.mp4", cut()))

    again = IN_THE_AIR + N_BETWEEN
    assert report.camera.cuts == (IN_THE_AIR, again)
    assert any(f"{IN_THE_AIR}, {again}" in warning for warning in report.warnings)
    for lift in report.lifts:
        frames = [instant.frame for instant in lift.instants.values() if instant is not None]
        frames += [measure.frame for measure in lift.measures.values() if measure.frame is not None]
        assert max(frames) < IN_THE_AIR or min(frames) >= again
    caught = [lift for lift in report.lifts if lift.outcome == "caught"]
    check_same_lift(report.model_copy(update={"lifts": tuple(caught)}), demo_truth, shift_s=again / 30)
    broken_off = [lift for lift in report.lifts if lift.outcome != "caught"]
    assert all(lift.instants["catch"] is None for lift in broken_off)
    assert all("bar_max_height_m" in lift.not_measured for lift in broken_off)


def test_of_a_clip_that_breaks_off_what_was_seen_is_measured(
    analyse: Analyse, demo_clip_path: Path, demo_truth: dict[str, Any], tmp_path: Path
) -> None:
    whole = demo_clip_path.read_bytes()
    clip = tmp_path / "broken.mp4"
    clip.write_bytes(whole[: round(0.85 * len(whole))])

    report = analyse(clip)

    assert LAST_FRAME < report.clip.n_frames < open_clip(demo_clip_path).header_n_frames
    missing = f"only {report.clip.n_frames} of {open_clip(demo_clip_path).header_n_frames} frames could be decoded"
    assert any(missing in warning for warning in report.warnings)
    check_same_lift(report, demo_truth)


@pytest.fixture(scope="module")
def slow_motion(
    write_clip: WriteClip,
    demo_clip_path: Path,
    start: Callable[..., "subprocess.Popen[str]"],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Report, Report]:
    """Return the reports of the demo played at half speed: as the file says, and with the true rate told."""
    folder = tmp_path_factory.mktemp("slow")
    images = (frame.image for frame in frames_of(demo_clip_path))
    write_clip(folder / "slow.mp4", images, (2 * frame.time_s for frame in frames_of(demo_clip_path)))

    def run(*options: str) -> Report:
        process = start("analyze", "slow.mp4", "--json", "--no-video", "--overwrite", *options, cwd=folder)
        stdout, stderr = process.communicate()
        assert process.returncode == 0, stderr
        return Report.model_validate_json(stdout)

    return run(), run("--fps", "30")


def test_slow_motion_is_measured_once_the_true_rate_is_told(
    slow_motion: tuple[Report, Report], demo_truth: dict[str, Any]
) -> None:
    believed, told = slow_motion

    check_same_lift(told, demo_truth)
    assert "bar_peak_velocity_m_s" in only_lift(told).measures
    assert "bar_peak_velocity_m_s" not in only_lift(believed).measures
    assert "bar_peak_velocity_m_s" in only_lift(believed).not_measured
    assert not any("--fps" in warning for warning in told.warnings)


def test_slow_motion_is_noticed_by_how_the_bar_falls(slow_motion: tuple[Report, Report]) -> None:
    believed, _ = slow_motion

    assert any("--fps" in warning for warning in believed.warnings)
