"""Plots of two lifts laid over each other: bar paths, and speed and height over time."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from coach.domain.words import INSTANT_WORDS
from perception.alignment import STEPS, Aligned
from perception.plots import BLUE, DPI, INK, SOFT, VERMILION, plain_axes

_NAMES = (("first", BLUE, "-"), ("second", VERMILION, (0, (5, 2))))


def write_comparison_plots(
    aligned: Aligned, smallest_real_m_s: float | None, out_dir: Path, *, shows_paths: bool
) -> list[tuple[Path, str]]:
    """Write the plots into an existing folder and return their paths with what each shows.

    Args:
        aligned: The two lifts.
        smallest_real_m_s: Smallest real difference of speed, drawn as a band about zero; None without one.
        out_dir: Where `compare-*.png` go.
        shows_paths: Whether both were filmed from the side, so that forward travel means something.
    """
    wanted = [("speed", draw_speeds(aligned, smallest_real_m_s), "Upward speed of the bar, aligned at the instants")]
    if shows_paths:
        wanted.insert(0, ("paths", draw_paths(aligned), "Bar paths from the side, laid over each other at the start"))
    out = []
    for name, figure, caption in wanted:
        path = out_dir / f"compare-{name}.png"
        FigureCanvasAgg(figure)
        figure.savefig(path, dpi=DPI, facecolor="white", bbox_inches="tight", pad_inches=0.12)
        out.append((path, caption))
    return out


def draw_paths(aligned: Aligned) -> Figure:
    """Draw forward against height of both lifts, with a mark at every shared instant."""
    figure = Figure(figsize=(4.8, 6.4))
    axes = plain_axes(figure, 1, 1, 1)
    for (name, colour, style), rows in zip(_NAMES, (aligned.first, aligned.second), strict=True):
        axes.plot(rows[:, 0], rows[:, 1], color=colour, linestyle=style, linewidth=2.5, label=name)
        axes.plot(rows[::STEPS, 0], rows[::STEPS, 1], "o", color="white", markeredgecolor=colour, markersize=7)
    axes.axvline(0, color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
    reach = max(0.24, 1.25 * float(np.nanmax(np.abs(np.stack([aligned.first[:, 0], aligned.second[:, 0]])))))
    axes.set_xlim(-reach, reach)
    axes.set_aspect("equal")
    axes.set_xlabel("← toward the lifter      from the start (m)      forward →", color=INK, fontsize=9)
    axes.set_ylabel("height above the start (m)", color=INK)
    axes.legend(frameon=False)
    return figure


def draw_speeds(aligned: Aligned, smallest_real_m_s: float | None) -> Figure:
    """Draw both speeds over the first lift's clock, and below their difference with the band of errors."""
    figure = Figure(figsize=(7.2, 5.6))
    top, below = plain_axes(figure, 2, 1, 1), plain_axes(figure, 2, 1, 2)
    t = aligned.first_s
    for (name, colour, style), rows in zip(_NAMES, (aligned.first, aligned.second), strict=True):
        top.plot(t, rows[:, 2], color=colour, linestyle=style, linewidth=2, label=name)
    top.set_ylabel("upward speed (m/s)", color=INK)
    top.legend(frameon=False)
    if smallest_real_m_s is not None:
        below.axhspan(-smallest_real_m_s, smallest_real_m_s, color=SOFT, alpha=0.18, linewidth=0)
    below.plot(t, aligned.difference[:, 2], color=INK, linewidth=1.6)
    below.axhline(0, color=SOFT, linewidth=1)
    below.set_ylabel("second − first (m/s)", color=INK)
    below.set_xlabel("time in the first lift (s); the grey band is the error of measuring", color=INK, fontsize=9)
    for axes in (top, below):
        _mark_instants(axes, aligned, named=axes is top)
    return figure


def _mark_instants(axes: Axes, aligned: Aligned, *, named: bool) -> None:
    for i, name in enumerate(aligned.anchors):
        at = float(aligned.first_s[i * STEPS])
        axes.axvline(at, color=SOFT, linewidth=0.8, linestyle=(0, (2, 3)))
        if named:
            axes.annotate(
                INSTANT_WORDS[name], (at, 1.0), xycoords=("data", "axes fraction"), fontsize=8, rotation=30, color=INK
            )
