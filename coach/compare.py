"""Two analysed lifts side by side: what differs by more than the error of measuring, and what cannot be told."""

import base64
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from coach.domain.base import Record
from coach.domain.errors import InputError
from coach.domain.lift import InstantName, Lift, LiftName, Outcome, Report
from coach.domain.measures import MEASURES, Measure
from coach.domain.words import INSTANT_WORDS, LIFT_WORDS, OUTCOME_WORDS, measure_name
from coach.wording import Shown, shown, unit_word
from perception.alignment import Aligned, align, departures, read_curves

Z95 = 1.96  # SDs of a 95 % interval
CHECKS = frozenset({"free_fall_gravity_m_s2", "impulse_check_ratio"})  # of the measuring itself, not of the lift
CURVES: tuple[tuple[str, int, str], ...] = (  # what is told, column of the aligned curves, measure whose error it has
    ("bar speed", 2, "bar_peak_velocity_m_s"),
    ("bar height", 1, "bar_max_height_m"),
    ("forward travel", 0, "bar_forward_loop_m"),
)


class Side(Record):
    """One of the two lifts; `folder` is that of its analysis as it was given."""

    folder: str
    file_name: str
    number: int
    lift: LiftName
    outcome: Outcome


class Difference(Record):
    """A measure in both lifts.

    `difference` is second minus first, `low` and `high` bound its 90 % interval. `smallest_real` is the smallest real
    difference: one below it happens by errors of measuring alone in one of twenty comparisons.
    """

    measure: str
    unit: str
    first: Measure
    second: Measure
    difference: float
    low: float
    high: float
    smallest_real: float
    is_change: bool


class CurveChange(Record):
    """A stretch in which the bar moved differently: after which instant, when in the first lift, by how much."""

    curve: str
    unit: str
    after: InstantName
    start_s: float
    end_s: float
    largest: float
    smallest_real: float


class Comparison(Record):
    """Two lifts compared; `not_compared` says for each measure of the catalogue why it is missing."""

    schema_version: Literal[1] = 1
    first: Side
    second: Side
    differences: tuple[Difference, ...]
    curve_changes: tuple[CurveChange, ...]
    aligned_at: tuple[InstantName, ...]
    not_compared: dict[str, str]
    warnings: tuple[str, ...] = ()


def compare(
    first: tuple[Path, Report], second: tuple[Path, Report], numbers: tuple[int | None, int | None] = (None, None)
) -> tuple[Comparison, Aligned]:
    """Return what differs between two lifts, and their bars on one clock.

    Errors of the two measurements are taken as independent; two clips from one tripod share some of them, so the
    smallest real difference is rather too large than too small.

    Args:
        first: Folder and report of one analysis.
        second: Of the other; differences are second minus first.
        numbers: Which lift of each clip, from 1; None for the first of a kind that both hold.

    Raises:
        InputError: No such lift, or the two are different kinds.
        DataError: The curves cannot be read or laid over each other.

    Source: Weir 2005, J Strength Cond Res 19:231-240 (minimal difference, 1.96 times the SD of a difference).
    """
    one, other = _choose(first[1], second[1], numbers)
    if one.lift != other.lift:
        raise InputError(
            f"a {one.lift} and a {other.lift} cannot be compared: choose lifts of one kind with --first and --second"
        )
    aligned = align(read_curves(first[0], one), one, read_curves(second[0], other), other)
    names = [name for name in MEASURES if name in one.measures and name in other.measures and name not in CHECKS]
    differences = tuple(difference(name, one.measures[name], other.measures[name]) for name in names)
    return Comparison(
        first=_side(first, one),
        second=_side(second, other),
        differences=differences,
        curve_changes=tuple(_curve_changes(aligned, differences)),
        aligned_at=aligned.anchors,
        not_compared=_why_not(one, other),
        warnings=tuple(_warnings(first[1], second[1])),
    ), aligned


def _choose(first: Report, second: Report, numbers: tuple[int | None, int | None]) -> tuple[Lift, Lift]:
    sides = [
        [lift for lift in report.lifts if number in (None, lift.number)]
        for report, number in zip((first, second), numbers, strict=True)
    ]
    for lifts, report, number in zip(sides, (first, second), numbers, strict=True):
        if not lifts:
            raise InputError(f"{report.clip.file_name} has no lift {number}: it holds {len(report.lifts)}")
    pairs = [(one, other) for one in sides[0] for other in sides[1] if one.lift == other.lift]
    return pairs[0] if pairs else (sides[0][0], sides[1][0])


def _side(of: tuple[Path, Report], lift: Lift) -> Side:
    return Side(
        folder=str(of[0]), file_name=of[1].clip.file_name, number=lift.number, lift=lift.lift, outcome=lift.outcome
    )


def difference(name: str, first: Measure, second: Measure) -> Difference:
    """Return how a measure differs, with the interval of the difference and the smallest real one."""
    sd, apart = math.hypot(first.sd, second.sd), second.value - first.value
    return Difference(
        measure=name,
        unit=first.unit,
        first=first,
        second=second,
        difference=apart,
        low=apart - 1.645 * sd,
        high=apart + 1.645 * sd,
        smallest_real=Z95 * sd,
        is_change=abs(apart) > Z95 * sd,
    )


def _curve_changes(aligned: Aligned, differences: Sequence[Difference]) -> list[CurveChange]:
    errors = {d.measure: d.smallest_real for d in differences}
    return [
        CurveChange(
            curve=words,
            unit=MEASURES[measure].unit,
            after=found.after,
            start_s=round(found.start_s, 3),
            end_s=round(found.end_s, 3),
            largest=found.largest,
            smallest_real=errors[measure],
        )
        for words, column, measure in CURVES
        if measure in errors
        for found in departures(aligned, column, errors[measure])
    ]


def _why_not(first: Lift, second: Lift) -> dict[str, str]:
    reasons = {}
    for name in MEASURES:
        missing = [
            f"{which} lift: {lift.not_measured.get(name, 'not measured')}"
            for which, lift in (("first", first), ("second", second))
            if name not in lift.measures
        ]
        if missing and name not in CHECKS:
            reasons[name] = "; ".join(missing)
    return reasons


def _warnings(first: Report, second: Report) -> list[str]:
    out = []
    if first.camera.view != second.camera.view:
        out.append(f"one clip is filmed from the {first.camera.view}, the other from the {second.camera.view}")
    if first.scale.method != second.scale.method:
        out.append(f"the scale comes from the {first.scale.method} in one and the {second.scale.method} in the other")
    if first.pose.weights_sha256 != second.pose.weights_sha256:
        out.append("the poses come from different estimators: angles may differ by that alone")
    return out


def difference_text(found: Difference) -> tuple[str, str, str, str, str]:
    """Return name, first, second, difference with interval, and smallest real difference as a person reads them."""
    apart = shown(found.measure, _as_measure(found))
    least = found.smallest_real * (100.0 if apart.unit in ("cm", "%") else 1.0)
    one, other = shown(found.measure, found.first), shown(found.measure, found.second)
    low, high = (_signed(value, apart) for value in (apart.low, apart.high))
    return (
        measure_name(found.measure),
        _with_unit(f"{one.value:.{one.decimals}f}", one),
        _with_unit(f"{other.value:.{other.decimals}f}", other),
        f"{_with_unit(_signed(apart.value, apart), apart)} ({low} to {high})",
        _with_unit(f"{least:.{apart.decimals}f}", apart),
    )


def _signed(value: float, like: Shown) -> str:
    return f"{round(value, like.decimals) + 0.0:+.{like.decimals}f}"


def _with_unit(number: str, like: Shown) -> str:
    unit = unit_word(like.unit, "en")
    return number + ("" if unit in ("", "°", "%") else " ") + unit


def _as_measure(found: Difference) -> Measure:
    return Measure(value=found.difference, unit=found.unit, low=found.low, high=found.high, source=found.first.source)


def curve_change_text(found: CurveChange) -> str:
    """Return a stretch as a sentence."""
    return (
        f"{found.curve.capitalize()} after {INSTANT_WORDS[found.after]}: up to {found.largest:+.2f} {found.unit} between "
        f"{found.start_s:.2f} and {found.end_s:.2f} s (more than {found.smallest_real:.2f} {found.unit}, the error of measuring)"
    )


def write_page(found: Comparison, plots: Sequence[tuple[Path, str]], out_dir: Path) -> Path:
    """Write `compare.html`, one file with everything in it, and return its path.

    Args:
        found: The comparison.
        plots: Paths of pictures and what each shows.
        out_dir: An existing folder.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(loader=PackageLoader("coach", "templates"), autoescape=True, undefined=StrictUndefined)
    style = environment.get_template("report.css").render()
    page = environment.get_template("compare.html.j2").render(style=style, **_page(found, plots))
    path = out_dir / "compare.html"
    path.write_text(page, encoding="utf-8")
    return path


def _page(found: Comparison, plots: Sequence[tuple[Path, str]]) -> dict[str, Any]:
    rows = [(d.is_change, *difference_text(d)) for d in found.differences]
    return {
        "title": f"{LIFT_WORDS[found.first.lift]}: two lifts compared",
        "sides": [
            (which, f"{side.file_name}, lift {side.number}: {OUTCOME_WORDS[side.outcome]}")
            for which, side in (("First", found.first), ("Second", found.second))
        ],
        "changes": [row[1:] for row in rows if row[0]],
        "same": [row[1:] for row in rows if not row[0]],
        "curves": [curve_change_text(c) for c in found.curve_changes],
        "missing": [(measure_name(name), reason) for name, reason in found.not_compared.items()],
        "warnings": found.warnings,
        "plots": [
            (f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}", caption)
            for path, caption in plots
        ],
    }
