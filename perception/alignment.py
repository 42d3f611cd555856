"""Two analysed lifts on one clock: curves of the bar read from `tracks.parquet`, aligned at the instants both have."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from coach.domain.errors import DataError, InputError
from coach.domain.lift import InstantName, Lift
from perception.pose import Floats, check_shape, freeze
from perception.smoothing import runs

ANCHORS: tuple[InstantName, ...] = ("dip_start", "lift_off", "dip_bottom", "peak_velocity", "max_height", "catch")
"""Instants at which two lifts are laid over each other, in the order of time."""
STEPS = 60  # points between two anchors
LEAST_S = 0.04  # s, a shorter departure is not told


@dataclass(frozen=True, slots=True, eq=False)
class BarCurves:
    """The bar of one lift, frame by frame.

    Attributes:
        times_s: (N,), of the clip.
        forward_m, height_m: (N,), from the first anchor of the lift; NaN where not seen.
        velocity_m_s: (N,), upward.
    """

    times_s: Floats
    forward_m: Floats
    height_m: Floats
    velocity_m_s: Floats

    def __post_init__(self) -> None:
        arrays = (self.times_s, self.forward_m, self.height_m, self.velocity_m_s)
        for name, array in zip(("times_s", "forward_m", "height_m", "velocity_m_s"), arrays, strict=True):
            check_shape(name, array, (len(self.times_s),))
        freeze(*arrays)


def read_curves(folder: Path, lift: Lift) -> BarCurves:
    """Return the bar of one lift of an analysed clip.

    Args:
        folder: Of the analysis.
        lift: One of its lifts.

    Raises:
        InputError: The folder has no tracks.
        DataError: They cannot be read, or the bar was not measured in metres.
    """
    path = folder / "tracks.parquet"
    if not path.is_file():
        raise InputError(f"{folder} holds no tracks.parquet: give the folder that `coach analyze` wrote")
    try:
        table = pq.read_table(path, columns=["time_s", "bar_x_m", "bar_y_m", "bar_velocity_y_m_s"])
    except (OSError, ValueError) as problem:
        raise DataError(f"{path} cannot be read: analyse the clip again ({problem})") from problem
    times, x, y, v = (np.array(column.to_pylist(), dtype=float) for column in table.columns)
    anchors = _anchor_times(lift)
    inside = (times >= min(anchors.values()) - 0.5) & (times <= max(anchors.values()) + 0.5)
    if np.isfinite(y[inside]).sum() < 2:
        raise DataError(f"{path}: lift {lift.number} has no bar in metres, so its curves cannot be compared")
    first = int(np.argmin(np.abs(times - min(anchors.values()))))
    return BarCurves(times[inside], x[inside] - x[first], y[inside] - y[first], v[inside])


def _anchor_times(lift: Lift) -> dict[InstantName, float]:
    times = {name: at.time_s for name in ANCHORS if (at := lift.instants.get(name)) is not None}
    if len(times) < 2:
        raise DataError(f"lift {lift.number} has fewer than two instants to align at")
    return times


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """Two lifts point by point between the instants both have.

    Attributes:
        anchors: The instants, in the order of time; `STEPS` points lie between two of them.
        first_s, second_s: (N,), seconds after the first anchor in each lift.
        first, second: (N, 3), forward and height in metres, upward velocity in m/s; NaN where not seen.
    """

    anchors: tuple[InstantName, ...]
    first_s: Floats
    second_s: Floats
    first: Floats
    second: Floats

    @property
    def difference(self) -> Floats:
        """Return (N, 3), second minus first."""
        return np.asarray(self.second - self.first)


def align(first: BarCurves, first_lift: Lift, second: BarCurves, second_lift: Lift) -> Aligned:
    """Lay two lifts over each other: between two shared instants time runs evenly from one to the other in both.

    Raises:
        DataError: They share fewer than two instants.
    """
    one, other = _anchor_times(first_lift), _anchor_times(second_lift)
    shared = tuple(name for name in ANCHORS if name in one and name in other)
    if len(shared) < 2:
        raise DataError("the two lifts share fewer than two instants, so they cannot be laid over each other")
    grid = np.arange((len(shared) - 1) * STEPS + 1) / STEPS
    clocks = [np.interp(grid, np.arange(len(shared)), [at[name] for name in shared]) for at in (one, other)]
    rows = [_sample(curves, clock) for curves, clock in zip((first, second), clocks, strict=True)]
    return Aligned(shared, clocks[0] - clocks[0][0], clocks[1] - clocks[1][0], rows[0], rows[1])


def _sample(curves: BarCurves, times_s: Floats) -> Floats:
    columns = (curves.forward_m, curves.height_m, curves.velocity_m_s)
    return np.stack([np.interp(times_s, curves.times_s, column) for column in columns], axis=1)


@dataclass(frozen=True, slots=True)
class Departure:
    """A stretch in which two curves are farther apart than their errors explain.

    Attributes:
        after: The instant it follows.
        start_s, end_s: In seconds after the first anchor of the first lift.
        largest: Second minus first where it is largest, in the unit of the curve.
    """

    after: InstantName
    start_s: float
    end_s: float
    largest: float


def departures(aligned: Aligned, column: int, smallest_real: float) -> list[Departure]:
    """Return where one column of two aligned lifts differs by more than the smallest real difference."""
    apart = aligned.difference[:, column]
    out = []
    for a, b in runs(np.nan_to_num(np.abs(apart)) > smallest_real):
        if aligned.first_s[b - 1] - aligned.first_s[a] >= LEAST_S:
            top = a + int(np.argmax(np.abs(apart[a:b])))
            after = aligned.anchors[min(a // STEPS, len(aligned.anchors) - 2)]
            out.append(Departure(after, float(aligned.first_s[a]), float(aligned.first_s[b - 1]), float(apart[top])))
    return out
