"""Real clips turned, darkened, made small and squeezed: what a phone or a web site may do to them changes no instant."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from coach.domain.lift import Lift, Report
from coach.domain.settings import AnalysisSettings
from perception.pose import Image
from perception.summarise import analyse_clip

SNATCH = {"start": 46, "peak_velocity": 64, "max_height": 73, "catch": 81}
SQUAT = {"dip_bottom": 162, "peak_velocity": 223, "max_height": 249}
CLEAN = {"start": 20, "peak_velocity": 44, "max_height": 50, "catch": 60}

REPEATABLE = {"x264-params": "mbtree=0"}
"""With macroblock trees x264 writes another file each time, and a test passes or fails by chance."""

WAYS: dict[str, Callable[[Image], Image]] = {
    "mirrored": lambda picture: picture[:, ::-1],
    "dark": lambda picture: np.asarray(255 * (picture / 255.0) ** 1.8, np.uint8),
    "grey": lambda picture: np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2),
    "small": lambda picture: _scaled(picture, 0.5),
    "tilted": lambda picture: _tilted(picture, 3.0),
    "squeezed": lambda picture: picture,
    "between bars": lambda picture: np.pad(picture, ((0, 0), (picture.shape[1] // 2,) * 2, (0, 0)), constant_values=16),
}


def _scaled(picture: Image, factor: float) -> Image:
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))


def _tilted(picture: Image, degrees: float) -> Image:
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return np.asarray(cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REPLICATE))


def analysed(clip: Path, way: str, folder: Path, *, shrink: float = 1.0, every: int = 1) -> Report:
    """Return the report of a clip of which every picture, or every n-th, was changed in one way."""
    changed = folder / "changed.mp4"
    with av.open(str(clip)) as source, av.open(str(changed), "w") as container:
        shown = source.streams.video[0]
        rate = Fraction(shown.average_rate or 30).limit_denominator(1001) / every
        stream = container.add_stream(
            "libx264", rate, options={**REPEATABLE, "crf": "36" if way == "squeezed" else "20"}
        )
        for i, frame in enumerate(source.decode(shown)):
            if i % every:
                continue
            picture = WAYS[way](_scaled(frame.to_ndarray(format="rgb24"), shrink))
            height, width = (n - n % 2 for n in picture.shape[:2])
            if not stream.codec_context.is_open:
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            even = np.ascontiguousarray(picture[:height, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        container.mux(stream.encode(None))
    return analyse_clip(changed, AnalysisSettings()).report


def off(lift: Lift, expected: dict[str, int], every: int = 1) -> dict[str, float]:
    found = {name: lift.instants[name] for name in expected}
    return {name: one.frame - expected[name] / every if one else float("inf") for name, one in found.items()}


@pytest.mark.parametrize("way", list(WAYS))
def test_a_snatch_keeps_its_instants(real_clips: Path, tmp_path: Path, way: str) -> None:
    report = analysed(real_clips / "snatch_side_480p.mp4", way, tmp_path)

    (lift,) = report.lifts
    assert (lift.lift, lift.outcome, report.camera.view) == ("snatch", "caught", "side")
    assert max(map(abs, off(lift, SNATCH).values())) <= 1
    assert lift.measures["bar_peak_velocity_m_s"].value == pytest.approx(1.96, rel=0.05)
    assert lift.measures["bar_max_height_m"].value == pytest.approx(1.13, rel=0.03)


def test_half_the_frames_tell_the_same(real_clips: Path, tmp_path: Path) -> None:
    (lift,) = analysed(real_clips / "snatch_side_480p.mp4", "mirrored", tmp_path, every=2).lifts

    assert max(map(abs, off(lift, SNATCH, every=2).values())) <= 1


@pytest.mark.parametrize("way", ["mirrored", "dark", "tilted", "squeezed"])
def test_a_squat_keeps_its_instants_where_a_like_plate_is_behind(real_clips: Path, tmp_path: Path, way: str) -> None:
    (lift,) = analysed(real_clips / "squat_side_60fps.mp4", way, tmp_path, shrink=0.5).lifts

    assert (lift.lift, lift.outcome) == ("squat", "caught")
    assert max(map(abs, off(lift, SQUAT).values())) <= 3
    assert lift.measures["bar_rise_m"].value == pytest.approx(0.75, rel=0.04)


@pytest.mark.parametrize("way", ["mirrored", "small", "between bars"])
def test_a_clean_from_in_front_keeps_its_instants_and_its_cuts(real_clips: Path, tmp_path: Path, way: str) -> None:
    report = analysed(real_clips / "clean_and_jerk_front_cut.mp4", way, tmp_path)

    (lift,) = report.lifts
    assert (lift.lift, report.camera.view, report.camera.cuts) == ("clean", "front", (108, 155))
    assert max(map(abs, off(lift, CLEAN).values())) <= 2
