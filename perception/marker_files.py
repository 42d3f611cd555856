"""Marker files: the positions of named points over time, from `.trc` (text) and `.c3d` (binary)."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from coach.domain.errors import InputError, SetupError
from perception.clip_checks import check_file, safe_name
from perception.pose import Floats, check_shape, freeze

ENDINGS = (".trc", ".c3d")
MOST_BYTES = 1 << 30
MOST_FRAMES = 60_000  # as many as a clip may have
LARGEST_BODY_M = 8.0  # m, from the farthest marker to the farthest, bar overhead and clutter included
_METRES = {"m": 1.0, "meter": 1.0, "meters": 1.0, "cm": 0.01, "mm": 0.001, "millimeters": 0.001, "in": 0.0254}
_HEADER_LINES = 5  # of a TRC file: kind, names and values of the settings, marker names, axes
_FIRST_MARKER = 2  # column of a TRC file, after frame number and time


@dataclass(frozen=True, slots=True, eq=False)
class MarkerTrial:
    """Markers over T frames, in metres and in the file's own axes; NaN where a marker was not seen.

    Attributes:
        times_s: (T,), from 0, strictly increasing.
        names: M names as they stand in the file.
        points_m: (T, M, 3).
        rate_hz: Frames per second.
    """

    times_s: Floats
    names: tuple[str, ...]
    points_m: Floats
    rate_hz: float

    def __post_init__(self) -> None:
        check_shape("points_m", self.points_m, (len(self.times_s), len(self.names), 3))
        freeze(self.times_s, self.points_m)


@dataclass(frozen=True, slots=True, eq=False)
class PixelTrial:
    """Points over T frames in pixels of a clip, x right and y down, as Sports2D 0.8 writes them; NaN where not seen.

    Attributes:
        times_s: (T,), from the file, strictly increasing.
        names: M names as they stand in the file.
        points_px: (T, M, 2).
    """

    times_s: Floats
    names: tuple[str, ...]
    points_px: Floats

    def __post_init__(self) -> None:
        check_shape("points_px", self.points_px, (len(self.times_s), len(self.names), 2))
        freeze(self.times_s, self.points_px)


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """What stands in a file: times (T,), names, values (T, M, 3) in its own unit."""

    times_s: Floats
    names: tuple[str, ...]
    values: Floats
    unit: str


def is_marker_file(path: Path) -> bool:
    """Return whether a file is a marker file, by the ending of its name."""
    return path.suffix.lower() in ENDINGS


def read_markers(path: Path) -> MarkerTrial:
    """Return the markers of a `.trc` or `.c3d` file in metres.

    A marker that lies at exactly (0, 0, 0) counts as not seen: that is how some programs write a gap.

    Raises:
        InputError: The file cannot be used; the message says why.
        SetupError: It is a `.c3d` file and ezc3d is not installed.
    """
    table, name = _read(path), safe_name(path, 80)
    if table.unit == "px":
        raise InputError(f"{name} is in pixels of a clip: coach analyze CLIP --pose trc --markers {name}")
    if table.unit not in _METRES:
        raise InputError(f"{name}: unit '{table.unit}' is not known; choose from {', '.join([*_METRES, 'px'])}")
    times = table.times_s - table.times_s[0]
    rate_hz = 1.0 / float(np.median(np.diff(times)))
    return MarkerTrial(times, table.names, table.values * _METRES[table.unit], rate_hz)


def read_pixel_markers(path: Path) -> PixelTrial:
    """Return the points of a `.trc` file whose unit is px.

    Raises:
        InputError: The file cannot be used, or is not in pixels.
    """
    table = _read(path)
    if table.unit != "px":
        name = safe_name(path, 80)
        raise InputError(
            f"{name} is in {table.unit} and does not say where the camera of the clip stood: coach analyze {name}"
        )
    return PixelTrial(table.times_s, table.names, table.values[..., :2])


def unit_of(path: Path) -> Literal["m", "px"]:
    """Return whether a marker file holds lengths or pixels of a clip.

    Raises:
        InputError, SetupError: As `read_markers`.
    """
    return "px" if _read(path).unit == "px" else "m"


def _read(path: Path) -> _Table:
    name = safe_name(path, 80)
    check_file(path, name, MOST_BYTES)
    if not is_marker_file(path):
        raise InputError(f"{name} is no marker file; give one that ends in {' or '.join(ENDINGS)}")
    table = _read_trc(path, name) if path.suffix.lower() == ".trc" else _read_c3d(path, name)
    n_frames = len(table.times_s)
    if n_frames > MOST_FRAMES:
        raise InputError(f"{name} has {n_frames} frames, the limit is {MOST_FRAMES}; cut it to the lift")
    if n_frames < 2:
        raise InputError(f"{name} has {n_frames} frame(s); a lift needs more")
    if not (np.isfinite(table.times_s).all() and (np.diff(table.times_s) > 0).all()):
        raise InputError(f"{name}: its times do not increase; export it again")
    values = table.values.copy()
    values[(values == 0).all(axis=2)] = np.nan
    unit = "px" if table.unit == "m" and _is_too_large(values) else table.unit
    return _Table(table.times_s, table.names, values, unit)


def _is_too_large(values_m: Floats) -> bool:
    """Return whether a body would be larger than any: Sports2D says "m" in its files of pixels too."""
    spans = np.fmax.reduce(values_m, axis=1) - np.fmin.reduce(values_m, axis=1)
    return bool(np.isfinite(spans).any() and np.nanmedian(np.fmax.reduce(spans, axis=1)) > LARGEST_BODY_M)


def _read_trc(path: Path, name: str) -> _Table:
    """Read the tab-separated text that OpenSim, OpenCap, Pose2Sim and Sports2D write."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as problem:
        raise InputError(f"{name} is no TRC file: it is not text") from problem
    if len(lines) <= _HEADER_LINES or not lines[0].startswith("PathFileType"):
        raise InputError(f"{name} is no TRC file: it does not begin with PathFileType and a header of 5 lines")
    settings = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=False))
    names = tuple(cell.strip() for cell in lines[3].split("\t")[_FIRST_MARKER:] if cell.strip())
    if not names:
        raise InputError(f"{name} names no markers in its 4th line")
    width = _FIRST_MARKER + 3 * len(names)
    rows = "\n".join(_padded(line, width) for line in lines[_HEADER_LINES:] if line.strip())
    try:
        table = np.genfromtxt(io.StringIO(rows), delimiter="\t", filling_values=np.nan, ndmin=2, usecols=range(width))
    except ValueError as problem:
        raise InputError(f"{name}: its rows are not {width} columns of numbers: {problem}") from problem
    values = table[:, _FIRST_MARKER:].reshape(-1, len(names), 3)
    return _Table(table[:, 1], names, values, settings.get("Units", "").strip().lower())


def _padded(line: str, width: int) -> str:
    """Return a row with as many columns as there should be: markers missing at its end may have no tabs."""
    return line + "\t" * max(0, width - 1 - line.count("\t"))


def _read_c3d(path: Path, name: str) -> _Table:
    try:
        import ezc3d
    except ModuleNotFoundError as problem:
        raise SetupError("reading .c3d needs the package 'ezc3d': pip install 'liftcoach[trc]'") from problem
    try:
        content = ezc3d.c3d(str(path))
    except (OSError, RuntimeError, ValueError, IndexError) as problem:
        raise InputError(f"{name} is no C3D file that can be read: {problem}") from problem
    settings = content["parameters"]["POINT"]
    values = np.moveaxis(np.asarray(content["data"]["points"], dtype=np.float64)[:3], 0, 2).transpose(1, 0, 2)
    names = [
        str(label).strip()
        for key in ("LABELS", *(f"LABELS{i}" for i in range(2, 9)))
        for label in settings.get(key, {"value": []})["value"]
    ]
    names = (names + [f"*{i}" for i in range(len(names), values.shape[1])])[: values.shape[1]]
    rates = settings["RATE"]["value"]
    rate_hz = float(rates[0]) if len(rates) else 0.0
    if not names or rate_hz <= 0:
        raise InputError(f"{name} holds no markers, or does not tell their rate")
    units = settings["UNITS"]["value"]
    unit = str(units[0]).strip().lower() if len(units) else "mm"
    return _Table(np.arange(len(values)) / rate_hz, tuple(names), values, unit)
