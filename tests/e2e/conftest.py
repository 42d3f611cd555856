"""Clips made on the fly, and one demo analysis that many tests look at."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from coach.domain.lift import Report
from coach.session import read_report

if TYPE_CHECKING:
    from tests.conftest import Ended

ROOT = Path(__file__).resolve().parents[2]
NO_NETWORK = "import socket; socket.socket.connect = socket.getaddrinfo = None"


@dataclass(frozen=True)
class DemoRun:
    """The demo as a user runs it: its folder, and what it printed."""

    out_dir: Path
    stdout: str
    stderr: str


def start_coach(*arguments: object, cwd: Path) -> "subprocess.Popen[str]":
    """Start the `coach` command in a process of its own."""
    code = f"{NO_NETWORK}; from coach.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="session")
def start() -> Callable[..., "subprocess.Popen[str]"]:
    """Return the function that starts the command in a process of its own."""
    return start_coach


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    """Run `coach demo` once for all tests."""
    folder = tmp_path_factory.mktemp("demo")
    process = start_coach("demo", cwd=folder)
    stdout, stderr = process.communicate()
    assert process.returncode == 0, stderr
    return DemoRun(folder / "demo-lift", stdout, stderr)


WriteClip = Callable[..., Path]


@pytest.fixture(scope="session")
def write_clip() -> WriteClip:
    """Return a function that encodes RGB pictures at given times into a video file."""

    def write(
        path: Path, images: Iterable[np.ndarray], times_s: Iterable[float] | None = None, codec: str = "libx264"
    ) -> Path:
        with av.open(str(path.absolute()), "w", format="mp4") as container:
            stream = container.add_stream(codec, rate=30, options={"preset": "ultrafast", "crf": "20"})
            stream.pix_fmt = "yuv420p"
            stream.codec_context.time_base = Fraction(1, 90_000)
            times = iter(times_s) if times_s is not None else (n / 30 for n in range(10**6))
            for n, (image, time_s) in enumerate(zip(images, times, strict=False)):
                if n == 0:
                    stream.height, stream.width = image.shape[:2]
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
                frame.pts, frame.time_base = round(time_s * 90_000), Fraction(1, 90_000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write


@pytest.fixture(scope="session")
def gradient() -> np.ndarray:
    """Return a picture with nobody in it."""
    row = np.linspace(0, 255, 320, dtype=np.uint8)
    return np.broadcast_to(row[None, :, None], (240, 320, 3)).copy()


@pytest.fixture(scope="session")
def demo_clip_path() -> Path:
    """Return the clip that comes with the coach."""
    from perception.simulator.demo_clip import demo_clip

    return demo_clip()


@pytest.fixture(scope="session")
def demo_truth(demo_clip_path: Path) -> dict[str, Any]:
    """Return what the simulation knows about the demo clip."""
    truth = json.loads((demo_clip_path.parent / "truth.json").read_text(encoding="utf-8"))
    assert isinstance(truth, dict)
    return truth


@pytest.fixture
def analyse(coach: Callable[..., "Ended"], tmp_path: Path) -> Callable[..., Report]:
    """Return a function that analyses a clip through the command line, without drawing."""

    def run(clip: Path | str, *options: str) -> Report:
        ended = coach("analyze", clip, "--out", tmp_path / "out", "--no-video", "--bar-mass", "60", *options)
        assert ended.code == 0, ended.err
        return read_report(tmp_path / "out")

    return run
