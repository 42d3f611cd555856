"""Scores perception: simulated lifts with exact truth, and labelled real clips where they are at hand."""

import csv
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from pydantic import Field

from coach.domain.base import Record
from coach.domain.errors import CoachError, SetupError
from coach.domain.guidance import Guidance
from coach.domain.lift import InstantName, Lift, Report
from coach.domain.settings import AnalysisSettings
from coach.faults import judge
from coach.guidance import write_guidance
from coach.writer import WRITERS
from corpus.knowledge.library import load_library
from perception.simulator.dataset import write_dataset
from perception.simulator.truth import Truth, read_truth
from perception.summarise import analyse_clip

STAGES: tuple[InstantName, ...] = ("start", "peak_velocity", "max_height", "catch")
COUNT_RATE_HZ = 30.0  # errors of instants are given in frames of this rate, whatever the clip's own
OnProgress = Callable[[str, int, int], None]


class Pair(Record):
    """One measured value beside its truth."""

    value: float
    low: float
    high: float
    truth: float

    @property
    def is_inside(self) -> bool:
        """Whether the 90 % interval holds the truth."""
        return self.low <= self.truth <= self.high


class LiftScore(Record):
    """How one simulated lift was measured; `problem` is the message when it could not be."""

    name: str
    frame_rate_hz: float
    fault: str | None
    truth_outcome: str
    problem: str | None = None
    n_lifts: int = 0
    outcome: str = ""
    view_and_facing_right: bool = False
    instant_errors_s: dict[str, float | None] = Field(default_factory=dict)
    instant_inside: dict[str, bool] = Field(default_factory=dict)
    measures: dict[str, Pair] = Field(default_factory=dict)
    findings: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()


class Row(Record):
    """One line of the table: what, how many, the numbers, the bar to reach, and whether it was reached."""

    what: str
    n: int
    result: str
    bar: str = ""
    reached: bool | None = None


class PerceptionScores(Record):
    """All scores of one run."""

    rows: tuple[Row, ...]
    lifts: tuple[LiftScore, ...]


def run(
    data: Path,
    *,
    n: int = 60,
    seed: int = 0,
    workers: int = 2,
    clips: Path | None = None,
    on_progress: OnProgress | None = None,
) -> PerceptionScores:
    """Simulate lifts into a folder (or go on with those already there), analyse them and compare with the truth.

    Args:
        data: Folder of simulated lifts; finished ones are kept and used again.
        n: Number of lifts, one in five without a fault, some missed.
        seed: Of the first lift.
        workers: Processes.
        clips: Folder with real clips and their `labels.csv`; None to leave them out.
        on_progress: Called with stage, done and total.

    Raises:
        SetupError: The simulator is not installed.
        InputError: `data` cannot be used.
    """
    folders = write_dataset(
        data,
        n=n,
        seed=seed,
        fault="mixed",
        view="side",
        workers=workers,
        on_progress=on_progress and (lambda done, total: on_progress("simulate", done, total)),
    )
    scores = list(_score_all(folders, workers, on_progress))
    rows = [*simulated_rows(scores)]
    if clips is not None:
        rows = [*real_rows(clips), *rows]
    return PerceptionScores(rows=tuple(rows), lifts=tuple(scores))


def _score_all(folders: Sequence[Path], workers: int, on_progress: OnProgress | None) -> Iterable[LiftScore]:
    if workers == 1:
        results: Iterable[LiftScore] = map(score_lift, folders)
        yield from _counted(results, len(folders), on_progress)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from _counted(pool.map(score_lift, folders), len(folders), on_progress)


def _counted(results: Iterable[LiftScore], total: int, on_progress: OnProgress | None) -> Iterable[LiftScore]:
    for done, score in enumerate(results, 1):
        if on_progress:
            on_progress("analyse", done, total)
        yield score


def score_lift(folder: Path) -> LiftScore:
    """Return how one simulated lift was measured."""
    truth = read_truth(folder / "truth.json")
    blank = LiftScore(
        name=folder.name,
        frame_rate_hz=truth.frame_rate_hz,
        fault=truth.fault,
        truth_outcome=truth.outcome,
    )
    try:
        report = analyse_clip(folder / "lift.mp4", _settings(truth)).report
    except SetupError:
        raise
    except CoachError as problem:
        return blank.model_copy(update={"problem": str(problem)})
    return _compare(blank, report, truth)


def _settings(truth: Truth) -> AnalysisSettings:
    return AnalysisSettings(
        bar_mass_kg=truth.bar_mass_kg, body_mass_kg=truth.lifter.mass_kg, height_m=truth.lifter.height_m
    )


def _compare(blank: LiftScore, report: Report, truth: Truth) -> LiftScore:
    peak_s = truth.instants["peak_velocity"]
    lift = min(report.lifts, key=lambda one: _distance(one, peak_s.time_s if peak_s else 0.0))
    findings, guidance = _advise(report, lift)
    pairs = {
        name: Pair(value=m.value, low=m.low, high=m.high, truth=truth.measures[name])
        for name, m in lift.measures.items()
        if truth.measures.get(name) is not None
    }
    errors: dict[str, float | None] = {}
    inside: dict[str, bool] = {}
    for name in (*STAGES, "lift_off", "end_first_pull", "power_position", "recovered"):
        true, found = truth.instants.get(name), lift.instants.get(name)
        if true is None:
            continue
        errors[name] = None if found is None else found.time_s - true.time_s
        if found is not None:
            inside[name] = abs(found.time_s - true.time_s) <= 1.645 * found.sd_s
    return blank.model_copy(
        update={
            "n_lifts": len(report.lifts),
            "outcome": lift.outcome,
            "view_and_facing_right": (report.camera.view, report.camera.facing) == (truth.view, truth.facing),
            "instant_errors_s": errors,
            "instant_inside": inside,
            "measures": pairs,
            "findings": findings,
            "priorities": tuple(p.fault for p in guidance.priorities),
        }
    )


def _distance(lift: Lift, time_s: float) -> float:
    peak = lift.instants.get("peak_velocity")
    return abs(peak.time_s - time_s) if peak else float("inf")


def _advise(report: Report, lift: Lift) -> tuple[tuple[str, ...], Guidance]:
    library = load_library()
    found = judge(lift, report.camera, library)
    judged = lift.model_copy(update={"findings": found})
    guidance = write_guidance(report, judged, library, WRITERS.load("rules"), "en")
    return tuple(f.fault for f in found), guidance


def simulated_rows(scores: Sequence[LiftScore]) -> list[Row]:
    """Return the table of simulated lifts."""
    done = [s for s in scores if s.problem is None]
    rows = [
        Row(what="lifts analysed", n=len(scores), result=f"{len(done)}", bar="all", reached=len(done) == len(scores)),
        _share("one lift in the clip", [s.n_lifts == 1 for s in done]),
        _share("outcome right", [s.outcome == s.truth_outcome for s in done]),
        _share("view and facing right", [s.view_and_facing_right for s in done]),
    ]
    rows += [_instant_row(name, scores) for name in STAGES]
    rows.append(_all_instants_row(scores))
    rows += [_instant_row(name, scores) for name in ("lift_off", "end_first_pull", "power_position", "recovered")]
    names = sorted({name for s in done for name in s.measures})
    rows += [_measure_row(name, [s.measures[name] for s in done if name in s.measures]) for name in names]
    rows.append(_coverage_row([p for s in done for p in s.measures.values()]))
    rows += _fault_rows(scores)
    return rows


def _share(what: str, flags: Sequence[bool], bar: float | None = None) -> Row:
    share = float(np.mean(flags)) if flags else float("nan")
    return Row(
        what=what,
        n=len(flags),
        result=f"{100 * share:.0f} %",
        bar="" if bar is None else f">= {100 * bar:.0f} %",
        reached=None if bar is None else share >= bar,
    )


def _percent(flags: Sequence[bool]) -> int:
    return round(100 * sum(flags) / len(flags)) if flags else 0


def _errors_frames(scores: Sequence[LiftScore], names: Iterable[str]) -> list[float]:
    """Return absolute errors in frames of 30 Hz; an instant that was not found counts as a second."""
    out = []
    for score in scores:
        for name in names:
            if score.problem is not None:
                out.append(COUNT_RATE_HZ)
            elif name in score.instant_errors_s:
                error = score.instant_errors_s[name]
                out.append(COUNT_RATE_HZ if error is None else abs(error) * COUNT_RATE_HZ)
    return out


def _instant_row(name: str, scores: Sequence[LiftScore]) -> Row:
    errors = _errors_frames(scores, [name])
    missing = sum(e >= COUNT_RATE_HZ for e in errors)
    inside = [s.instant_inside[name] for s in scores if name in s.instant_inside]
    bias = [e for s in scores if (e := s.instant_errors_s.get(name)) is not None]
    result = (
        f"median {np.median(errors):.2f}, 95th {np.percentile(errors, 95):.2f} frames at 30/s, "
        f"bias {1000 * np.mean(bias or [0]):+.0f} ms, inside {_percent(inside)} %, missing {missing}"
        if errors
        else "-"
    )
    return Row(what=f"instant {name}", n=len(errors), result=result)


def _all_instants_row(scores: Sequence[LiftScore]) -> Row:
    errors = _errors_frames(scores, STAGES)
    median, high = float(np.median(errors)), float(np.percentile(errors, 95))
    return Row(
        what="four stage instants",
        n=len(errors),
        result=f"median {median:.2f}, 95th {high:.2f} frames at 30/s",
        bar="median <= 1, 95th <= 3",
        reached=median <= 1 and high <= 3,
    )


def _measure_row(name: str, pairs: Sequence[Pair]) -> Row:
    error = np.array([p.value - p.truth for p in pairs])
    inside = float(np.mean([p.is_inside for p in pairs]))
    bias, sd = float(np.mean(error)), float(np.std(error))
    result = f"bias {bias:+.3g}, SD {sd:.3g}, inside {100 * inside:.0f} %"
    if name == "bar_peak_velocity_m_s":
        bar = "|bias| <= 0.03 m/s, 80-97 % inside"
        return Row(
            what=name, n=len(pairs), result=result, bar=bar, reached=abs(bias) <= 0.03 and 0.80 <= inside <= 0.97
        )
    return Row(what=name, n=len(pairs), result=result)


def _coverage_row(pairs: Sequence[Pair]) -> Row:
    inside = float(np.mean([p.is_inside for p in pairs])) if pairs else float("nan")
    return Row(
        what="90 % intervals, all measures",
        n=len(pairs),
        result=f"{100 * inside:.0f} % hold the truth",
        bar="80-97 %",
        reached=0.80 <= inside <= 0.97,
    )


def _fault_rows(scores: Sequence[LiftScore]) -> list[Row]:
    caught = [s for s in scores if s.truth_outcome == "caught"]
    faulty = [s for s in caught if s.fault is not None]
    clean = [s for s in caught if s.fault is None]
    rows = [_share("right fault among the two priorities", [s.fault in s.priorities for s in faulty], 0.80)]
    for fault in sorted({s.fault for s in faulty if s.fault}):
        rows.append(_share(f"  {fault}", [fault in s.priorities for s in faulty if s.fault == fault]))
    rows.append(_share("silent on clean lifts", [s.problem is None and len(s.priorities) == 0 for s in clean], 0.90))
    return rows


def real_rows(clips: Path) -> list[Row]:
    """Return the table of labelled real clips in a folder with `labels.csv`.

    Raises:
        SetupError: The folder has no labels.
    """
    labels = clips / "labels.csv"
    if not labels.is_file():
        raise SetupError(f"{clips} holds no labels.csv; give the folder of labelled clips")
    with labels.open(encoding="utf-8", newline="") as file:
        wanted = [row for row in csv.DictReader(file) if row["start_frame"] and row["view"] == "side"]
    return [row for label in wanted for row in _real_clip_rows(clips, label)]


def _real_clip_rows(clips: Path, label: dict[str, str]) -> list[Row]:
    name = label["file"]
    try:
        report = analyse_clip(clips / name, AnalysisSettings()).report
    except CoachError as problem:
        return [Row(what=name, n=1, result=str(problem), reached=False)]
    lift = report.lifts[int(label["number"]) - 1]
    tolerances = [int(v) for v in label["tolerance_frames"].split(";")]
    rows = [
        Row(
            what=f"{name}: lifts, outcome, view, facing",
            n=1,
            result=f"{len(report.lifts)}, {lift.outcome}, {report.camera.view}, {report.camera.facing}",
            bar=f"1, {label['outcome']}, {label['view']}, {label['facing']}",
            reached=(len(report.lifts), lift.outcome, report.camera.view, report.camera.facing)
            == (1, label["outcome"], label["view"], label["facing"]),
        )
    ]
    for stage, tolerance in zip(STAGES, tolerances, strict=True):
        wanted, found = int(label[f"{stage}_frame"]), lift.instants.get(stage)
        rows.append(
            Row(
                what=f"{name}: {stage}",
                n=1,
                result="-" if found is None else f"frame {found.frame}",
                bar=f"{wanted} ± {tolerance}",
                reached=found is not None and abs(found.frame - wanted) <= tolerance,
            )
        )
    for column, measure in (("peak_velocity_m_s", "bar_peak_velocity_m_s"), ("max_height_m", "bar_max_height_m")):
        rows.append(_real_measure_row(name, lift, float(label[column]), measure))
    return rows


def _real_measure_row(name: str, lift: Lift, wanted: float, measure: str) -> Row:
    found = lift.measures.get(measure)
    if found is None:
        return Row(what=f"{name}: {measure}", n=1, result=lift.not_measured[measure], reached=False)
    return Row(
        what=f"{name}: {measure}",
        n=1,
        result=f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f}) {found.unit}",
        bar=f"{wanted:.2f} ± 10 %, inside",
        reached=abs(found.value / wanted - 1) <= 0.10 and found.low <= wanted <= found.high,
    )
