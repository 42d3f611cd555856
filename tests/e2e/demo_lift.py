"""The demo's lift in other people's clips: its frames, and whether a report tells of this very lift."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coach.domain.lift import Lift, Report
from perception.video import Frame, open_clip, read_frames

TOLERANCE_S = 0.07  # s, two frames at 30 a second
SPEED_TOLERANCE = 0.10  # of the peak speed: the pictures are encoded a second time
LAST_FRAME = 125  # the lifter stands with the bar overhead; the drop comes later


def frames_of(path: Path, first: int = 0, last: int = 10**6) -> Iterator[Frame]:
    """Yield the frames of a clip from `first` to before `last`."""
    for n, frame in enumerate(read_frames(open_clip(path))):
        if first <= n < last:
            yield frame


def only_lift(report: Report) -> Lift:
    """Return the lift of a report that has no other."""
    (lift,) = report.lifts
    return lift


def check_same_lift(report: Report, truth: dict[str, Any], shift_s: float = 0.0) -> None:
    """Fail unless the only lift of the report has the instants and the speed of the simulated one."""
    lift = only_lift(report)
    assert lift.outcome == "caught"
    for name in ("start", "peak_velocity", "max_height", "catch"):
        instant = lift.instants[name]
        assert instant is not None, name
        assert instant.time_s - shift_s == pytest.approx(truth["instants"][name]["time_s"], abs=TOLERANCE_S), name
    speed = truth["measures"]["bar_peak_velocity_m_s"]
    assert lift.measures["bar_peak_velocity_m_s"].value == pytest.approx(speed, rel=SPEED_TOLERANCE)
