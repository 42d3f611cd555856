"""The accuracy of the measures as a page: tables written between two marks of a Markdown file, plots beside it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from coach.domain.errors import InputError
from coach.domain.measures import MEASURES
from eval.accuracy import COVERAGE, FEWEST_PAIRS, RATE_HZ, TRACK_WORDS, MeasureRow, Row, pairs_of, stage_errors
from eval.clip_scores import ClipScore, Track
from eval.perception import PerceptionScores
from perception.plots import BLUE, DPI, GREEN, INK, PURPLE, SOFT, VERMILION, plain_axes

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
_COLOURS = {"side": BLUE, "front": VERMILION, "rear": GREEN, "oblique": PURPLE}
_TRACK_STYLES: dict[Track, str | tuple[int, tuple[int, ...]]] = {
    "plate": "-",
    "hands": (0, (4, 2)),
    "bare": (0, (1, 1)),
}


def write_accuracy(scores: PerceptionScores, page: Path, how: str) -> list[Path]:
    """Put tables and plots into a page, between its two marks; what stands around them is kept.

    Args:
        scores: Of one run.
        page: A Markdown file with the marks; plots go to `images/` beside it.
        how: The command that made the scores.

    Raises:
        InputError: The page or its marks are missing.
    """
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    if BEGIN not in text or END not in text:
        raise InputError(f"{page} needs a line {BEGIN} and, below it, a line {END}: the tables go between them")
    folder = page.parent / "images"
    folder.mkdir(exist_ok=True)
    plots = [_save(figure, folder / f"accuracy-{name}.png") for name, figure in _plots(scores)]
    pictures = "\n\n".join(f"![{path.stem}](images/{path.name})" for path in plots)
    clips = sum(score.track != "hands" for score in scores.clips)
    body = "\n\n".join(
        (f"Made by `{how}`: {clips} simulated clips.", _summary(scores.rows), pictures, _measures(scores.measures))
    )
    before, after = text[: text.index(BEGIN)], text[text.index(END) :]
    page.write_text(f"{before}{BEGIN}\n\n{body}\n\n{after}", encoding="utf-8")
    return [page, *plots]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _summary(rows: Sequence[Row]) -> str:
    words = {True: "yes", False: "**no**", None: ""}
    return _table(
        ("what", "n", "result", "bar", "reached"),
        [(row.what.replace("  ", "· "), str(row.n), row.result, row.bar, words[row.reached]) for row in rows],
    )


def _measures(rows: Sequence[MeasureRow]) -> str:
    return _table(
        ("measure", "source", "n", "bias", "SD", "ICC", "90 % intervals hold the truth", "mostly limited by"),
        [
            (
                f"`{row.measure}`",
                row.source,
                str(row.n),
                f"{row.bias:+.3g} {MEASURES[row.measure].unit}",
                _text(row.sd, ".3g"),
                _text(row.icc, ".3f"),
                f"{100 * row.inside:.0f} %",
                row.limited_by,
            )
            for row in rows
        ],
    )


def _text(value: float | None, how: str) -> str:
    return "–" if value is None else format(value, how)


def _plots(scores: PerceptionScores) -> list[tuple[str, Figure]]:
    return [
        ("instants", draw_instants(scores.clips)),
        ("agreement", draw_agreement(scores.clips)),
        ("coverage", draw_coverage(scores.measures)),
    ]


def _save(figure: Figure, path: Path) -> Path:
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=DPI // 2 * 2 * 0.8, facecolor="white", bbox_inches="tight")
    return path


def draw_instants(scores: Sequence[ClipScore]) -> Figure:
    """Draw which share of the stage instants is within how many frames, for each view and track."""
    figure = Figure(figsize=(6.4, 3.8))
    axes = plain_axes(figure, 1, 1, 1)
    for view, colour in _COLOURS.items():
        for track, style in _TRACK_STYLES.items():
            errors = RATE_HZ * np.sort(stage_errors(s for s in scores if s.view == view and s.track == track))
            if len(errors):
                share = 100 * np.arange(1, len(errors) + 1) / len(errors)
                axes.plot(
                    errors, share, color=colour, linestyle=style, linewidth=2, label=f"{view}, {TRACK_WORDS[track]}"
                )
    axes.set_xlim(0, 8)
    axes.set_ylim(0, 101)
    axes.set_xlabel("error of an instant (frames of 60 Hz)", color=INK)
    axes.set_ylabel("instants within (%)", color=INK)
    axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=4)
    return figure


def draw_agreement(scores: Sequence[ClipScore]) -> Figure:
    """Draw errors of peak speed and peak height against the truth (Bland and Altman), from the side with the plate."""
    figure = Figure(figsize=(8.4, 3.6))
    side = [s for s in scores if s.view == "side" and s.track == "plate"]
    for i, (name, words) in enumerate(
        (("bar_peak_velocity_m_s", "peak bar speed (m/s)"), ("bar_max_height_m", "peak bar height (m)")), 1
    ):
        axes = plain_axes(figure, 1, 2, i)
        pairs = pairs_of(side, name, source="plate")
        truth, error = np.array([p.truth for p in pairs]), np.array([p.value - p.truth for p in pairs])
        axes.plot(truth, error, "o", color=BLUE, markersize=4, alpha=0.6)
        if len(error) > 1:
            for level, style in (
                (error.mean(), "-"),
                (error.mean() - 1.96 * error.std(), ":"),
                (error.mean() + 1.96 * error.std(), ":"),
            ):
                axes.axhline(level, color=VERMILION, linestyle=style, linewidth=1.2)
        axes.axhline(0, color=SOFT, linewidth=0.8)
        axes.set_xlabel(f"true {words}", color=INK)
        axes.set_ylabel("measured − true", color=INK)
    figure.subplots_adjust(wspace=0.35)
    return figure


def draw_coverage(rows: Sequence[MeasureRow]) -> Figure:
    """Draw how often the 90 % interval of each measure held the truth, with the band that is wanted."""
    shown = [row for row in rows if row.n >= FEWEST_PAIRS]
    figure = Figure(figsize=(6.4, 0.9 + 0.24 * len(shown)))
    axes = plain_axes(figure, 1, 1, 1)
    axes.axvspan(100 * COVERAGE[0], 100 * COVERAGE[1], color=GREEN, alpha=0.15, linewidth=0)
    for i, row in enumerate(reversed(shown)):
        reach = 196 * float(np.sqrt(max(row.inside * (1 - row.inside), 1e-4) / row.n))
        axes.plot([100 * row.inside - reach, 100 * row.inside + reach], [i, i], color=SOFT, linewidth=1.4)
        axes.plot(100 * row.inside, i, "o", color=BLUE, markersize=5)
    axes.set_yticks(range(len(shown)), [f"{row.measure} ({row.source})" for row in reversed(shown)], fontsize=7)
    least = min((100 * row.inside for row in shown), default=60.0)
    axes.set_xlim(min(60.0, least - 5), 101)
    axes.set_xlabel("90 % intervals that hold the truth (%)", color=INK)
    return figure
