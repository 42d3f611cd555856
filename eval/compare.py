"""Runs of scores side by side: what each writer scores, which differences are real, and the worst cases with their texts."""

from collections.abc import Sequence
from pathlib import Path

from coach.domain.base import Record
from coach.domain.errors import InputError
from coach.domain.words import printable
from eval.cases import Case, read_cases
from eval.guidance import (
    STAGES,
    Row,
    RunSettings,
    Stage,
    Summary,
    read_rows,
    read_settings,
    summarise,
)
from eval.intervals import Interval, difference_interval

N_WORST = 6
MIN_LOSS = 0.01  # of the mean of a case's metrics, below which nothing is worth showing


class Run(Record):
    """One folder of scores; `name` is unique among those compared."""

    name: str
    settings: RunSettings
    summary: Summary
    rows: dict[str, Row]


class Difference(Record):
    """One metric of a run minus that of the first run, over the cases that both can tell."""

    metric: str
    stage: Stage
    run: str
    interval: Interval


class WorstCase(Record):
    """A case in which one run lies furthest below the best of the others."""

    case: Case
    run: str
    loss: float
    rows: dict[str, Row]


class Comparison(Record):
    """Everything the page shows."""

    runs: tuple[Run, ...]
    n_cases: int
    metrics: tuple[str, ...]
    differences: tuple[Difference, ...]
    worst: tuple[WorstCase, ...]

    def difference(self, metric: str, stage: Stage, run: str) -> Interval | None:
        """Return the difference of one run to the first, or None where no pair of cases tells."""
        wanted = (metric, stage, run)
        return next((d.interval for d in self.differences if (d.metric, d.stage, d.run) == wanted), None)


def compare(folders: Sequence[Path]) -> Comparison:
    """Return two or more runs over the same cases, the first of them the one to compare with.

    Raises:
        InputError: Fewer than two folders, one without scores, one that is not finished, or other cases in one.
        DataError: A file in them is damaged.
    """
    if len(folders) < 2:
        raise InputError("a comparison needs two folders of scores or more: make them with `coach eval guidance`")
    cases = read_cases(folders[0] / "cases.jsonl")
    for folder in folders[1:]:
        if _facts(read_cases(folder / "cases.jsonl")) != _facts(cases):
            raise InputError(
                f"{printable(folder)} has other cases than {printable(folders[0])}: score both with the same --data, --n and --seed"
            )
    runs = tuple(_read_run(folder, name, cases) for folder, name in zip(folders, _names(folders), strict=True))
    metrics = tuple(dict.fromkeys(s.metric for run in runs for s in run.summary.scores))
    return Comparison(
        runs=runs,
        n_cases=len(cases),
        metrics=metrics,
        differences=tuple(_differences(runs, metrics)),
        worst=tuple(_worst(runs, cases)),
    )


def _facts(cases: Sequence[Case]) -> list[Case]:
    """Return cases without the places of their pictures, which differ from folder to folder."""
    return [case.model_copy(update={"pictures": ()}) for case in cases]


def _names(folders: Sequence[Path]) -> list[str]:
    """Return the last part of every path, with its number where two are alike."""
    last = [printable(folder.resolve().name) for folder in folders]
    return [name if last.count(name) == 1 else f"{name} ({i})" for i, name in enumerate(last, start=1)]


def _read_run(folder: Path, name: str, cases: Sequence[Case]) -> Run:
    settings, rows = read_settings(folder), {row.case: row for row in read_rows(folder)}
    missing = [case.id for case in cases if case.id not in rows]
    if missing:
        raise InputError(
            f"{printable(folder)} is not finished ({len(missing)} of {len(cases)} cases missing): run the same command again"
        )
    return Run(name=name, settings=settings, summary=summarise(settings, list(rows.values())), rows=rows)


def _differences(runs: Sequence[Run], metrics: Sequence[str]) -> list[Difference]:
    found = []
    first = runs[0]
    for run in runs[1:]:
        for stage in STAGES:
            for metric in metrics:
                pairs = [
                    (a, b)
                    for case in first.rows
                    if (a := getattr(first.rows[case], stage).get(metric)) is not None
                    and (b := getattr(run.rows[case], stage).get(metric)) is not None
                ]
                interval = difference_interval([a for a, _ in pairs], [b for _, b in pairs])
                if interval is not None:
                    found.append(Difference(metric=metric, stage=stage, run=run.name, interval=interval))
    return found


def _mean(row: Row) -> float:
    values = [value for value in row.written.values() if value is not None]
    return sum(values) / len(values) if values else 0.0


def _worst(runs: Sequence[Run], cases: Sequence[Case]) -> list[WorstCase]:
    """Return the cases with the largest gap between a run and the best other one, each case once."""
    worst = []
    for case in cases:
        means = {run.name: _mean(run.rows[case.id]) for run in runs}
        lowest = min(means, key=means.__getitem__)
        loss = max(means.values()) - means[lowest]
        if loss >= MIN_LOSS:
            rows = {run.name: run.rows[case.id] for run in runs}
            worst.append(WorstCase(case=case, run=lowest, loss=loss, rows=rows))
    return sorted(worst, key=lambda w: -w.loss)[:N_WORST]
