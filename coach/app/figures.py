"""Plots one can point at: height and speed of the bar over time with the instants, and the bar path from the side."""

from pathlib import Path
from typing import Any, NamedTuple

import plotly.graph_objects as go
import pyarrow.parquet as pq
from plotly.subplots import make_subplots

from coach.domain.lift import InstantName, Lift
from coach.domain.words import instant_words

BLUE, VERMILION = "#3b82c4", "#d8641f"  # told apart with any colour vision, seen on white and on black
SOFT, LINE = "#7d8898", "rgba(125,136,152,0.25)"
MARGIN_S = 0.3  # s shown before the first and after the last instant
_COLUMNS = ["time_s", "bar_x_m", "bar_y_m", "bar_velocity_y_m_s", "bar_speed_m_s"]
_MARKED: tuple[InstantName, ...] = ("lift_off", "dip_bottom", "power_position", "peak_velocity", "max_height", "catch")


class Figures(NamedTuple):
    """The plots of one lift; None where nothing was measured to be drawn."""

    over_time: go.Figure | None
    path: go.Figure | None


def draw_figures(folder: Path, lift: Lift, *, seen_from_side: bool) -> Figures:
    """Return the plots of a lift of an analysis in `folder`."""
    track = _read(folder / "tracks.parquet", lift)
    has_height = sum(y is not None for y in track["bar_y_m"]) > 1
    has_path = seen_from_side and sum(x is not None for x in track["bar_x_m"]) > 1
    return Figures(
        over_time=_draw_over_time(track, lift) if has_height else None,
        path=_draw_path(track, lift) if has_height and has_path else None,
    )


def _read(path: Path, lift: Lift) -> dict[str, list[Any]]:
    """Return the columns of the track around one lift; None where the bar was not seen."""
    columns: dict[str, list[Any]] = pq.read_table(path, columns=_COLUMNS).to_pydict()
    times = [i.time_s for i in lift.instants.values() if i is not None]
    if not times:
        return columns
    first, last = min(times) - MARGIN_S, max(times) + MARGIN_S
    inside = [i for i, t in enumerate(columns["time_s"]) if first <= t <= last]
    return {name: [values[i] for i in inside] for name, values in columns.items()}


def _draw_over_time(track: dict[str, list[Any]], lift: Lift) -> go.Figure:
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.07)
    rows = ((1, "bar_velocity_y_m_s", "upward speed", "m/s", VERMILION), (2, "bar_y_m", "height", "m", BLUE))
    for row, column, name, unit, colour in rows:
        figure.add_trace(
            go.Scatter(
                x=track["time_s"],
                y=track[column],
                mode="lines",
                name=name,
                line={"color": colour, "width": 2.5},
                hovertemplate=f"%{{y:.2f}} {unit}<extra>{name}</extra>",
            ),
            row=row,
            col=1,
        )
        figure.update_yaxes(title_text=f"{name} ({unit})", row=row, col=1)
    for words, time_s in _marks(lift):
        figure.add_vline(x=time_s, line={"color": SOFT, "width": 1, "dash": "dot"}, row="all", col=1)
        figure.add_annotation(
            x=time_s, y=1.0, yref="paper", text=words, textangle=-35, showarrow=False, xanchor="left",
            yanchor="bottom", font={"size": 11, "color": SOFT},
        )  # fmt: skip
    figure.update_xaxes(title_text="time (s)", row=2, col=1)
    figure.update_layout(hovermode="x unified", **_layout(440, top_px=64))
    return _plain_axes(figure)


def _draw_path(track: dict[str, list[Any]], lift: Lift) -> go.Figure:
    x, y, speed = track["bar_x_m"], track["bar_y_m"], track["bar_speed_m_s"]
    figure = go.Figure(
        go.Scatter(
            x=x,
            y=y,
            customdata=[[t, s] for t, s in zip(track["time_s"], speed, strict=True)],
            mode="lines+markers",
            line={"color": SOFT, "width": 1.5},
            marker={
                "color": speed,
                "colorscale": "Viridis",
                "size": 7,
                "colorbar": {"title": {"text": "m/s", "side": "top"}, "thickness": 10, "len": 0.6, "outlinewidth": 0},
            },
            hovertemplate="%{x:.2f} m forward, %{y:.2f} m high<br>%{customdata[1]:.2f} m/s<extra>%{customdata[0]:.2f} s</extra>",
        )
    )
    for words, time_s in _marks(lift):
        i = min(range(len(x)), key=lambda k: abs(track["time_s"][k] - time_s))
        if x[i] is not None and y[i] is not None:
            figure.add_annotation(x=x[i], y=y[i], text=words, ax=48, ay=-14, arrowcolor=SOFT, font={"size": 11})
    reach = max(0.3, 1.3 * max(abs(v) for v in x if v is not None))
    figure.add_vline(x=0, line={"color": SOFT, "width": 1, "dash": "dash"})
    figure.update_xaxes(title_text="← toward the lifter · from lift-off (m) · forward →", range=[-reach, reach])
    figure.update_yaxes(title_text="height above rest (m)", scaleanchor="x", scaleratio=1)
    figure.update_layout(hovermode="closest", **_layout(520))
    return _plain_axes(figure)


def _marks(lift: Lift) -> list[tuple[str, float]]:
    return [
        (instant_words(name, lift.lift), i.time_s) for name in _MARKED if (i := lift.instants.get(name)) is not None
    ]


def _layout(height_px: int, top_px: int = 14) -> dict[str, Any]:
    return {
        "height": height_px,
        "showlegend": False,
        "margin": {"l": 56, "r": 12, "t": top_px, "b": 44},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": SOFT, "size": 12},
        "dragmode": False,
    }


def _plain_axes(figure: go.Figure) -> go.Figure:
    figure.update_xaxes(gridcolor=LINE, zeroline=False, fixedrange=True)
    figure.update_yaxes(gridcolor=LINE, zerolinecolor=LINE, fixedrange=True)
    return figure
