"""Tables of accuracy from the scores of simulated clips."""

from collections.abc import Iterable, Sequence

import numpy as np

from coach.domain.base import Record
from eval.clip_scores import PULLED, STAGES, ClipScore, Pair, Track

RATE_HZ = 60.0  # Hz, errors of instants are given in frames of this rate, whatever the clip's own
NOT_FOUND_S = 1.0  # s, what an instant that was not found counts
STAGE_BARS = {"side": (0.5, 2.0), "front": (1.0, 3.0), "rear": (1.0, 3.0)}  # frames: median, 95th percentile
TRACK_WORDS: dict[Track, str] = {"plate": "with plate", "hands": "hands alone", "bare": "bare bar"}
COVERAGE = (0.87, 0.93)  # share of truths that 90 % intervals should hold
PHASES = ("pull", "first_pull", "transition", "second_pull")  # whose mean force on the floor is scored
FEWEST_PAIRS = 30  # below this a coverage says too little to be judged


class Row(Record):
    """One line of a table: what, how many, the numbers, the bar to reach, and whether it was reached."""

    what: str
    n: int
    result: str
    bar: str = ""
    reached: bool | None = None


class MeasureRow(Record):
    """Errors of one measure from one source over all lifts that have it; None where too few tell."""

    measure: str
    source: str
    n: int
    bias: float
    sd: float | None
    icc: float | None
    inside: float
    limited_by: str


def all_rows(scores: Sequence[ClipScore]) -> list[Row]:
    """Return the summary: finding lifts, instants per view and track, measures with a bar, faults."""
    with_plate, bare = ([s for s in scores if s.track == track] for track in ("plate", "bare"))
    return [
        *_finding_rows(with_plate),
        *(
            [_share("bare bar: number and kinds of lifts right", [s.count_and_kinds_right for s in bare])]
            if bare
            else []
        ),
        *(row for view in _views(scores) for track in TRACK_WORDS for row in _instant_rows(scores, view, track)),
        *_bar_rows(with_plate),
        *_force_rows(with_plate),
        _coverage_row(with_plate),
        *_fault_rows(with_plate),
    ]


def _views(scores: Sequence[ClipScore]) -> list[str]:
    order = ("side", "front", "rear", "oblique")
    return sorted({s.view for s in scores}, key=order.index)


def _share(what: str, flags: Sequence[bool], bar: float | None = None) -> Row:
    share = float(np.mean(flags)) if flags else float("nan")
    return Row(
        what=what,
        n=len(flags),
        result=f"{100 * share:.1f} %" if flags else "-",
        bar="" if bar is None else f">= {100 * bar:.0f} %",
        reached=None if bar is None else share >= bar,
    )


def _finding_rows(scores: Sequence[ClipScore]) -> list[Row]:
    lifts = [(s, lift) for s in scores for lift in s.lifts]
    rows = [
        _share("clips measured", [s.problem is None for s in scores]),
        _share("number and kinds of lifts right", [s.count_and_kinds_right for s in scores], 0.97),
        _share("outcome right, of each lift", [lift.outcome == lift.true_outcome for _, lift in lifts], 0.97),
        _share("view and facing right", [s.view_and_facing_right for s in scores]),
    ]
    rows += [
        _share(f"  number and kinds right, {view}", [s.count_and_kinds_right for s in scores if s.view == view])
        for view in _views(scores)
    ]
    return rows + [
        _share(f"  kind right, {kind}", [lift.kind == kind for _, lift in lifts if lift.lift == kind])
        for kind in sorted({lift.lift for _, lift in lifts})
    ]


def stage_errors(scores: Iterable[ClipScore], kind: str | None = None) -> list[float]:
    """Return the errors of the stage instants in seconds, without sign; one that was not found counts NOT_FOUND_S.

    Instants of a lift that was declined or missed altogether count as not found. `kind` takes one kind of lift only.
    """
    out = []
    for lift in (lift for score in scores for lift in score.lifts if kind in (None, lift.lift)):
        for name in STAGES.get(lift.lift, PULLED):
            if lift.kind is None:
                out.append(NOT_FOUND_S)
            elif name in lift.instant_errors_s:
                error = lift.instant_errors_s[name]
                out.append(NOT_FOUND_S if error is None else abs(error))
    return out


def _instant_rows(scores: Sequence[ClipScore], view: str, track: Track) -> list[Row]:
    some = [s for s in scores if s.view == view and s.track == track]
    if not some:
        return []
    whole = _instant_row(f"stage instants, {view}, {TRACK_WORDS[track]}", stage_errors(some), STAGE_BARS.get(view))
    kinds = sorted({lift.lift for s in some for lift in s.lifts})
    return [
        whole,
        *(_instant_row(f"  {kind}", stage_errors(some, kind)) for kind in kinds),
    ]


def _instant_row(what: str, errors_s: Sequence[float], bar: tuple[float, float] | None = None) -> Row:
    if not errors_s:
        return Row(what=what, n=0, result="-")
    frames = RATE_HZ * np.array(errors_s)
    median, high = float(np.median(frames)), float(np.percentile(frames, 95))
    missing = int(np.sum(np.array(errors_s) >= NOT_FOUND_S))
    return Row(
        what=what,
        n=len(errors_s),
        result=f"median {median:.2f}, 95th {high:.2f} frames of 60 Hz, not found {missing}",
        bar="" if bar is None else f"median <= {bar[0]}, 95th <= {bar[1]}",
        reached=None if bar is None else median <= bar[0] and high <= bar[1],
    )


def pairs_of(scores: Iterable[ClipScore], name: str, *, source: str | None = None) -> list[Pair]:
    """Return every measured value of a measure beside its truth."""
    return [
        lift.measures[name]
        for score in scores
        for lift in score.lifts
        if name in lift.measures and source in (None, lift.measures[name].source)
    ]


def errors_of(pairs: Sequence[Pair]) -> tuple[float, float, float]:
    """Return bias, SD and agreement ICC(A,1) of measured values against their truths.

    Source: McGraw & Wong 1996, Psychol Methods 1:30-46, two-way model, absolute agreement, single measure.
    """
    value, truth = np.array([p.value for p in pairs]), np.array([p.truth for p in pairs])
    error = value - truth
    table = np.stack([value, truth], axis=1)
    n = len(table)
    if n < 3:
        return float(error.mean()) if n else float("nan"), float("nan"), float("nan")
    grand, rows, columns = table.mean(), table.mean(axis=1), table.mean(axis=0)
    between_rows = 2 * float(np.sum((rows - grand) ** 2)) / (n - 1)
    between_columns = n * float(np.sum((columns - grand) ** 2))
    rest = float(np.sum((table - rows[:, None] - columns + grand) ** 2)) / (n - 1)
    whole = between_rows + rest + 2 * (between_columns - rest) / n
    icc = (between_rows - rest) / whole if whole > 0 else float("nan")
    return float(error.mean()), float(error.std(ddof=1)), float(icc)


def _bar_rows(scores: Sequence[ClipScore]) -> list[Row]:
    side = [s for s in scores if s.view == "side"]
    out = []
    speed = pairs_of(side, "bar_peak_velocity_m_s", source="plate")
    if speed:
        bias, sd, icc = errors_of(speed)
        out.append(
            Row(
                what="bar peak velocity, side, plate",
                n=len(speed),
                result=f"bias {bias:+.3f} m/s, SD {sd:.3f} m/s, ICC {icc:.4f}",
                bar="|bias| <= 0.02, SD <= 0.04, ICC >= 0.99",
                reached=abs(bias) <= 0.02 and sd <= 0.04 and icc >= 0.99,
            )
        )
    height = pairs_of(side, "bar_max_height_m", source="plate")
    if height:
        bias, sd, _ = errors_of(height)
        out.append(
            Row(
                what="max height, side, plate",
                n=len(height),
                result=f"bias {1000 * bias:+.0f} mm, SD {1000 * sd:.1f} mm",
                bar="SD <= 10 mm",
                reached=sd <= 0.010,
            )
        )
    return out


def _force_rows(scores: Sequence[ClipScore]) -> list[Row]:
    out = []
    for words, names, bar in (
        ("ground force, means of pull and phases", tuple(f"ground_force_mean_{p}_n" for p in PHASES), 0.05),
        ("ground force, peak", ("ground_force_peak_n",), 0.12),
    ):
        pairs = [pair for name in names for pair in pairs_of(scores, name)]
        if pairs:
            off = np.array([p.value / p.truth - 1 for p in pairs])
            share = float(np.mean(np.abs(off) <= bar))
            out.append(
                Row(
                    what=words,
                    n=len(pairs),
                    result=f"bias {100 * off.mean():+.1f} %, SD {100 * off.std():.1f} %, {100 * share:.0f} % of lifts within",
                    bar=f"within {100 * bar:.0f} %",
                    reached=share >= 0.9,
                )
            )
    return out


def measure_rows(scores: Sequence[ClipScore]) -> list[MeasureRow]:
    """Return errors and coverage of every measure, for each source."""
    found = sorted({(name, p.source) for s in scores for lift in s.lifts for name, p in lift.measures.items()})
    rows = []
    for name, source in found:
        pairs = pairs_of(scores, name, source=source)
        bias, sd, icc = errors_of(pairs)
        limits = [p.limited_by or "" for p in pairs]
        rows.append(
            MeasureRow(
                measure=name,
                source=source,
                n=len(pairs),
                bias=bias,
                sd=_known(sd),
                icc=_known(icc),
                inside=float(np.mean([p.is_inside for p in pairs])),
                limited_by=max(set(limits), key=limits.count),
            )
        )
    return rows


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _coverage_row(scores: Sequence[ClipScore]) -> Row:
    rows = [row for row in measure_rows(scores) if row.n >= FEWEST_PAIRS]
    good = [row for row in rows if COVERAGE[0] <= row.inside <= COVERAGE[1]]
    pairs = [p for s in scores for lift in s.lifts for p in lift.measures.values()]
    inside = float(np.mean([p.is_inside for p in pairs])) if pairs else float("nan")
    return Row(
        what="90 % intervals",
        n=len(pairs),
        result=f"{100 * inside:.1f} % hold the truth; {len(good)} of {len(rows)} measures within 87 to 93 %",
        bar="87 to 93 % for each measure",
        reached=len(good) == len(rows) and bool(rows),
    )


def _fault_rows(scores: Sequence[ClipScore]) -> list[Row]:
    lifts = [lift for s in scores if s.view == "side" and s.problem is None for lift in s.lifts]
    caught = [lift for lift in lifts if lift.true_outcome == "caught" and lift.lift in ("snatch", "clean", "jerk")]
    faulty = [lift for lift in caught if lift.fault is not None]
    rows = [_share("fault made is among the two priorities, side", [f.fault in f.priorities for f in faulty])]
    rows += [
        _share(f"  {fault}", [fault in f.priorities for f in faulty if f.fault == fault])
        for fault in sorted({f.fault for f in faulty if f.fault})
    ]
    return [*rows, _share("silent on lifts without a fault, side", [not c.priorities for c in caught if not c.fault])]
