"""The page of a comparison: one HTML file with its plots inside, that needs no network."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from coach.wording import sentences
from eval.compare import Comparison, Run, WorstCase
from eval.guidance import STAGES, Stage
from eval.intervals import Interval
from eval.metric import METRICS, texts_of

_STAGE_NAMES: dict[Stage, str] = {"written": "As written", "shown": "As shown to the athlete"}
_LANE_PX, _GAP_PX = 16, 14
_MARGIN = 2.0  # per cent of the width, left and right of the scale


def write_page(comparison: Comparison, out: Path) -> None:
    """Write the page of a comparison.

    Args:
        comparison: What to show.
        out: The HTML file; folders above it are made.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("eval", "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    html = environment.get_template("compare.html.j2").render(page=_page(comparison))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(html, encoding="utf-8")


def _page(comparison: Comparison) -> dict[str, Any]:
    runs = comparison.runs
    return {
        "title": "Guidance, side by side",
        "n_cases": comparison.n_cases,
        "runs": [_run(run, i) for i, run in enumerate(runs)],
        "first": runs[0].name,
        "stages": [
            {
                "name": _STAGE_NAMES[stage],
                "scores": _scores(comparison, stage),
                "verdicts": [_verdict(comparison, stage, run.name) for run in runs[1:]],
                "differences": _differences(comparison, stage),
            }
            for stage in STAGES
        ],
        "worst": [_worst(case, [run.name for run in runs]) for case in comparison.worst],
    }


def _run(run: Run, place: int) -> dict[str, Any]:
    s = run.summary
    return {
        "name": run.name,
        "place": place,
        "writer": s.writer + (f" · {s.model}" if s.model else ""),
        "failed": f"{s.n_failed} of {s.n_cases}",
        "fell_back": f"{s.n_fell_back} of {s.n_cases}",
        "numbers": f"{s.numbers_supported} of {s.numbers_found}",
        "seconds": f"{s.median_seconds:.2f}",
        "failures": s.failures,
    }


def meaning(metric: str) -> str:
    """Return what a metric asks, in one sentence."""
    module = type(METRICS.load(metric)).__module__
    return (sys.modules[module].__doc__ or "").strip()


def _scores(comparison: Comparison, stage: Stage) -> list[dict[str, Any]]:
    """Return a row per metric: a lane of dots with intervals, and the numbers."""
    rows = []
    for metric in comparison.metrics:
        intervals = [run.summary.score(metric, stage) for run in comparison.runs]
        if any(intervals):
            rows.append(
                {
                    "metric": metric.replace("_", " "),
                    "meaning": meaning(metric),
                    "plot": _lanes(intervals, 0.0, 1.0),
                    "numbers": [None if i is None else _numbers(i) for i in intervals],
                }
            )
    return rows


def _differences(comparison: Comparison, stage: Stage) -> list[dict[str, Any]]:
    rows = []
    others = [run.name for run in comparison.runs[1:]]
    for metric in comparison.metrics:
        intervals = [comparison.difference(metric, stage, name) for name in others]
        if any(intervals):
            rows.append(
                {
                    "metric": metric.replace("_", " "),
                    "plot": _lanes(intervals, -1.0, 1.0, first_colour=1),
                    "numbers": [
                        None if i is None else {**_numbers(i, signed=True), "is_real": i.is_real} for i in intervals
                    ],
                }
            )
    return rows


def _numbers(interval: Interval, signed: bool = False) -> dict[str, Any]:
    form = "{:+.2f}" if signed else "{:.2f}"
    low, high = form.format(interval.low), form.format(interval.high)
    return {
        "mean": form.format(interval.mean).replace("-", "−"),
        "interval": f"{low} to {high}".replace("-", "−"),
        "n": interval.n,
    }


def _verdict(comparison: Comparison, stage: Stage, run: str) -> dict[str, Any]:
    groups: dict[str, list[str]] = {"better": [], "worse": [], "open": []}
    for metric in comparison.metrics:
        interval = comparison.difference(metric, stage, run)
        if interval is None:
            continue
        is_up = METRICS.load(metric).is_higher_better
        kind = "open" if not interval.is_real else "better" if (interval.mean > 0) == is_up else "worse"
        groups[kind].append(metric.replace("_", " "))
    return {"run": run, **{kind: ", ".join(names) for kind, names in groups.items()}}


def _lanes(intervals: Sequence[Interval | None], low: float, high: float, first_colour: int = 0) -> Markup:
    """Return an SVG with a lane per interval: a line from low to high, a dot at the mean."""
    height = _LANE_PX * len(intervals) + _GAP_PX

    def x(value: float) -> str:
        inside = min(max(value, low), high)
        return f"{_MARGIN + (inside - low) / (high - low) * (100 - 2 * _MARGIN):.2f}%"

    drawn = []
    for i in range(5):
        tick = low + (high - low) * i / 4
        kind = "grid zero" if tick == 0 else "grid"
        drawn.append(f'<line class="{kind}" x1="{x(tick)}" x2="{x(tick)}" y1="0" y2="{height}"/>')
    for i, interval in enumerate(intervals):
        if interval is None:
            continue
        y = _GAP_PX / 2 + _LANE_PX * (i + 0.5)
        colour = f"run{(i + first_colour) % 6}"
        drawn.append(
            f'<g class="{colour}"><line class="bar" x1="{x(interval.low)}" x2="{x(interval.high)}" y1="{y}" y2="{y}"/>'
            f'<circle cx="{x(interval.mean)}" cy="{y}" r="5"/></g>'
        )
    return Markup(f'<svg height="{height}" role="img" aria-hidden="true">{"".join(drawn)}</svg>')


def _worst(worst: WorstCase, names: Sequence[str]) -> dict[str, Any]:
    case = worst.case
    expected = ", ".join(fault.replace("_", " ") for fault in case.expected) or "nothing to change"
    unseen = case.made_fault if case.made_fault not in case.expected else None
    made = f" (the simulator made {unseen.replace('_', ' ')})" if unseen else ""
    return {
        "id": case.id,
        "language": case.language,
        "expected": expected + made,
        "run": worst.run,
        "loss": f"{worst.loss:.2f}",
        "columns": [_column(worst, name, i) for i, name in enumerate(names)],
    }


def _column(worst: WorstCase, name: str, place: int) -> dict[str, Any]:
    row = worst.rows[name]
    marks = [
        f"{metric.replace('_', ' ')} {value:.2f}"
        for metric, value in row.written.items()
        if value is not None and value < 1
    ]
    if row.draft is None:
        return {
            "name": name,
            "place": place,
            "text": [],
            "failure": row.failure or "nothing was written",
            "marks": marks,
        }
    removed = set(row.guidance.check.removed) if row.guidance else set()
    return {
        "name": name,
        "place": place,
        "text": [_marked(text, removed) for text in texts_of(row.draft)],
        "failure": "",
        "marks": marks,
    }


def _marked(text: str, removed: set[str]) -> Markup:
    """Return a text whose sentences that the check took out are struck through."""
    parts = [
        Markup("<del>{}</del>").format(sentence) if sentence in removed or text in removed else escape(sentence)
        for sentence in sentences(text)
    ]
    return Markup(" ").join(parts)
