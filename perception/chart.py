"""The velocity plot docked to the annotated video: drawn once per lift, then only its cursor moves."""

from dataclasses import dataclass

import cv2
import numpy as np

from perception.drawing import (
    GRID,
    MUTED,
    PANEL,
    WHITE,
    draw_coloured_line,
    draw_dot,
    draw_text,
    speed_colours,
    text_size,
)
from perception.pose import Floats, Image


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """What a chart shows.

    Attributes:
        times_s: (T,); values: (T,), NaN where not measured; share: (T,), speed over top speed, for the colours.
        title: Name and unit, such as `bar velocity up, m/s`.
        has_numbers: False when the values have no scale; the axis then stays without numbers.
        marks: (time in seconds, name) of the instants, in order.
        window_s: First and last time shown.
    """

    times_s: Floats
    values: Floats
    share: Floats
    title: str
    has_numbers: bool
    marks: tuple[tuple[float, str], ...]
    window_s: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """A drawn chart: `played` in full strength, `coming` faint, and the plot area in it (left, top, right, bottom)."""

    curve: Curve
    played: Image
    coming: Image
    area: tuple[int, int, int, int]
    value_range: tuple[float, float]

    def draw(self, canvas: Image, left: int, top: int, time_s: float) -> None:
        """Copy the chart into the canvas with everything after `time_s` faint and the cursor at `time_s`."""
        height, width = self.played.shape[:2]
        first, last = self.curve.window_s
        x = self._x(float(np.clip(time_s, first, last)))
        split = round(x)
        place = canvas[top : top + height, left : left + width]
        place[:, :split] = self.played[:, :split]
        place[:, split:] = self.coming[:, split:]
        if first <= time_s <= last:
            self._draw_cursor(place, x, time_s)

    def _draw_cursor(self, place: Image, x: float, time_s: float) -> None:
        size = max(2, self.played.shape[1] // 320)
        cv2.line(place, (round(x), self.area[1]), (round(x), self.area[3]), WHITE, max(1, size // 2), cv2.LINE_AA)
        i = int(np.argmin(np.abs(self.curve.times_s - time_s)))
        value = self.curve.values[i]
        if np.isfinite(value):
            draw_dot(place, x, self._y(float(value)), 2.6 * size, PANEL)
            draw_dot(place, x, self._y(float(value)), 2.0 * size, WHITE)

    def _x(self, time_s: float) -> float:
        first, last = self.curve.window_s
        return self.area[0] + (time_s - first) / (last - first) * (self.area[2] - self.area[0])

    def _y(self, value: float) -> float:
        low, high = self.value_range
        return self.area[3] - (value - low) / (high - low) * (self.area[3] - self.area[1])


def make_chart(curve: Curve, width_px: int, height_px: int, text_px: int) -> Chart:
    """Draw a chart of the given size once; names of instants stand above the plot in as many rows as they need."""
    small = max(10, round(text_px * 0.82))
    pad = text_px // 2
    left = pad + (text_size("−0.0", small)[0] + pad if curve.has_numbers else 0)
    rows = _label_rows(curve, left, width_px - pad, small)
    line = text_size("x", small)[1]
    top = pad // 2 + (max(rows, default=-1) + 1) * line + line // 3
    area = (left, min(top, height_px - 2 * line), width_px - pad, height_px - pad - line)
    blank = np.empty((height_px, width_px, 3), dtype=np.uint8)
    blank[:] = PANEL
    chart = Chart(curve, blank, blank.copy(), area, _value_range(curve))
    for image, strength in ((chart.coming, 0.30), (chart.played, 1.0)):
        _draw_axes(image, chart, small, pad)
        _draw_curve(image, chart, strength)
        _draw_marks(image, chart, rows, small, pad // 2)
    return chart


def _value_range(curve: Curve) -> tuple[float, float]:
    inside = (curve.times_s >= curve.window_s[0]) & (curve.times_s <= curve.window_s[1])
    values = curve.values[inside & np.isfinite(curve.values)]
    if not len(values):
        return -0.5, 1.0
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    room = 0.08 * max(high - low, 1e-6)
    return low - room, high + room


def _label_rows(curve: Curve, left: int, right: int, size_px: int) -> list[int]:
    """Return the row of each mark's name, so that names run neither into each other nor into the title."""
    first, last = curve.window_s
    title_left = right - text_size(curve.title, size_px)[0] - size_px
    ends: list[float] = []
    rows = []
    for time_s, name in curve.marks:
        width = text_size(name, size_px, bold=True)[0]
        x = left + (time_s - first) / (last - first) * (right - left)
        start = float(np.clip(x - width / 2, left, right - width))
        row = next((i for i, end in enumerate(ends) if start > end + size_px / 2), len(ends))
        if row == 0 and start + width > title_left:
            ends = ends or [float(left)]
            row = next((i for i, end in enumerate(ends) if i > 0 and start > end + size_px / 2), len(ends))
        ends[row : row + 1] = [start + width]
        rows.append(row)
    return rows


def _draw_axes(image: Image, chart: Chart, size_px: int, pad: int) -> None:
    left, _, right, _ = chart.area
    draw_text(image, chart.curve.title, right, pad // 2, size_px, MUTED, align="right")
    low, high = chart.value_range
    if chart.curve.has_numbers:
        step = next((s for s in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0) if (high - low) / s <= 5), 10.0)
        for value in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step:
            y = round(chart._y(float(value)))
            cv2.line(image, (left, y), (right, y), GRID, 1)
            text = f"{value:.1f}".replace("-", "−") if abs(value) > 1e-9 else "0"
            draw_text(image, text, left - pad / 2, y - text_size("0", size_px)[1] / 2, size_px, MUTED, align="right")
    zero = round(chart._y(0.0))
    cv2.line(image, (left, zero), (right, zero), MUTED, 1)
    _draw_seconds(image, chart, size_px)


def _draw_seconds(image: Image, chart: Chart, size_px: int) -> None:
    first, last = chart.curve.window_s
    left, _, right, bottom = chart.area
    room = max(1.0, (right - left) / (1.5 * text_size("10.0 s", size_px)[0]))
    step = next((s for s in (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0) if (last - first) / s <= room), 60.0)
    for time_s in np.arange(np.ceil(first / step), np.floor(last / step) + 1) * step:
        x = round(chart._x(float(time_s)))
        cv2.line(image, (x, bottom), (x, bottom + 3), MUTED, 1)
        text = f"{time_s:.1f} s"
        half = text_size(text, size_px)[0] / 2
        draw_text(image, text, float(np.clip(x, left + half, right - half)), bottom + 3, size_px, MUTED, align="middle")


def _draw_curve(image: Image, chart: Chart, strength: float) -> None:
    curve = chart.curve
    inside = np.flatnonzero((curve.times_s >= curve.window_s[0]) & (curve.times_s <= curve.window_s[1]))
    if len(inside) < 2:
        return
    colours = speed_colours(curve.share[inside]).astype(float)
    paint = (colours * strength + np.array(PANEL) * (1 - strength)).astype(np.uint8)
    points = np.array([(chart._x(float(curve.times_s[i])), chart._y(float(curve.values[i]))) for i in inside])
    draw_coloured_line(image, points, paint, max(2, image.shape[1] // 230))


def _draw_marks(image: Image, chart: Chart, rows: list[int], size_px: int, first_row_px: int) -> None:
    left, _, right, bottom = chart.area
    line = text_size("x", size_px)[1]
    for (time_s, name), row in zip(chart.curve.marks, rows, strict=True):
        x = chart._x(time_s)
        width = text_size(name, size_px, bold=True)[0]
        name_top = first_row_px + row * line
        cv2.line(image, (round(x), name_top + line), (round(x), bottom), MUTED, 1)
        middle = float(np.clip(x, left + width / 2, right - width / 2))
        draw_text(image, name, middle, name_top, size_px, WHITE, bold=True, align="middle")
        value = float(np.interp(time_s, chart.curve.times_s, chart.curve.values))
        if np.isfinite(value):
            draw_dot(image, x, chart._y(value), max(3.0, size_px * 0.25), WHITE)
