"""Clips that phones and editors really make, and names that people really give: measured like any other."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from coach.domain.lift import Report
from coach.session import read_report
from perception.video import open_clip
from tests.e2e.demo_lift import check_same_lift, frames_of

if TYPE_CHECKING:
    from tests.conftest import Ended

Analyse = Callable[..., Report]


@pytest.mark.parametrize(
    "name",
    ["""my best "80" 'ever'\n抓舉; rm -rf $HOME & 80%.mp4""", "films/../-rf.mp4", os.fsdecode(b"caf\xe9.mp4")],
    ids=["quotes newline chinese", "dots and dash", "not utf-8"],
)
def test_any_name_will_do(
    name: str,
    coach: Callable[..., "Ended"],
    demo_clip_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "films").mkdir()
    shutil.copy(demo_clip_path, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())

    ended = coach("analyze", "--no-video", "--", name)

    assert ended.code == 0, ended.err
    (out_dir,) = set(tmp_path.iterdir()) - before
    assert out_dir.name.endswith("-lift")
    assert out_dir.name.isprintable()
    assert read_report(out_dir).lifts
    assert not (out_dir / "annotated.mp4").exists()
    assert (out_dir / "report.html").exists()


def test_a_variable_rate_and_a_late_first_timestamp_do_not_move_the_instants(
    analyse: Analyse, write_clip: Callable[..., Path], demo_clip_path: Path, demo_truth: dict[str, Any], tmp_path: Path
) -> None:
    dropped = np.random.default_rng(7).random(10_000) < 0.12
    kept = [n for n, _ in enumerate(frames_of(demo_clip_path)) if n == 0 or not dropped[n]]
    times = [frame.time_s + 1.5 for n, frame in enumerate(frames_of(demo_clip_path)) if n in set(kept)]
    images = (frame.image for n, frame in enumerate(frames_of(demo_clip_path)) if n in set(kept))
    clip = write_clip(tmp_path / "variable.mp4", images, times)

    report = analyse(clip)

    assert report.clip.is_variable_rate
    assert report.clip.n_frames == len(kept)
    check_same_lift(report, demo_truth)


def test_a_clip_with_a_rotation_flag_is_turned_upright(
    analyse: Analyse, write_clip: Callable[..., Path], demo_clip_path: Path, demo_truth: dict[str, Any], tmp_path: Path
) -> None:
    times = [frame.time_s for frame in frames_of(demo_clip_path)]
    lying = write_clip(tmp_path / "lying.mp4", (np.rot90(frame.image) for frame in frames_of(demo_clip_path)), times)
    clip = _with_rotation(lying, tmp_path / "flagged.mp4", -90)

    report = analyse(clip)

    size = open_clip(demo_clip_path)
    assert report.clip.rotation_deg in (90, 270)
    assert (report.clip.width_px, report.clip.height_px) == (size.width_px, size.height_px)
    check_same_lift(report, demo_truth)


def _with_rotation(source: Path, target: Path, degrees: int) -> Path:
    """Set the turn in the film's track header, as phones do; PyAV does not write display matrices."""
    matrices = {0: (1, 0, 0, 1), -90: (0, 1, -1, 0)}
    data = bytearray(source.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    for place, value in zip((0, 1, 3, 4), matrices[degrees], strict=True):
        data[at + 4 * place : at + 4 * place + 4] = (value * 0x10000).to_bytes(4, "big", signed=True)
    target.write_bytes(data)
    with av.open(str(target)) as container:
        assert next(container.decode(video=0)).rotation % 360 in (90, 270)
    return target
