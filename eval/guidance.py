"""Scores guidance: a writer writes about every case, and what it wrote and what was shown of it are scored."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from statistics import median
from typing import Literal

from pydantic import Field, ValidationError

from coach.chat import answer, settled
from coach.domain.base import Record
from coach.domain.conversation import Picture
from coach.domain.errors import CoachError, DataError, InputError, SetupError
from coach.domain.guidance import Guidance, Language
from coach.domain.lift import Lift, Report
from coach.domain.words import printable
from coach.guidance import write_guidance
from coach.writer import WRITERS, Draft, Repairs, Talks, Writer
from coach.writers.rules import RulesWriter
from corpus.knowledge.library import Library, load_library
from eval.bad_writer import BadWriter
from eval.cases import Case, read_cases, write_cases
from eval.intervals import Interval, mean_interval
from eval.metric import Metric, Output, all_metrics, as_draft
from eval.metrics.number_grounding import counts

Stage = Literal["written", "shown"]
STAGES: tuple[Stage, ...] = ("written", "shown")
Scores = dict[str, float | None]
OnProgress = Callable[[str, int, int], None]


class Row(Record):
    """What one writer made of one case.

    Attributes:
        case: Id of the case.
        failure: Why the writer gave nothing; it counts 0 in every metric of what was written.
        fell_back: Whether the rules wrote what was shown.
        seconds: For the guidance, repair included.
        draft: What the writer wrote first, unchecked.
        guidance: What the athlete is shown.
        answer: What the writer would say to an athlete in pain.
        shown_answer: What such an athlete is shown.
        numbers_found: Numbers in the draft.
        numbers_supported: Those of them that the lift supports.
        written: Scores of the draft.
        shown: Scores of what is shown.
    """

    case: str
    failure: str | None = None
    fell_back: bool = False
    seconds: float
    draft: Draft | None = None
    guidance: Guidance | None = None
    answer: str | None = None
    shown_answer: str | None = None
    numbers_found: int = 0
    numbers_supported: int = 0
    written: Scores = Field(default_factory=dict)
    shown: Scores = Field(default_factory=dict)


class Score(Record):
    """One metric over all cases, of what was written or shown."""

    metric: str
    stage: Stage
    interval: Interval


class Summary(Record):
    """All scores of one run."""

    writer: str
    model: str | None = None
    n_cases: int
    n_failed: int
    n_fell_back: int
    numbers_found: int
    numbers_supported: int
    median_seconds: float
    failures: tuple[str, ...] = ()
    scores: tuple[Score, ...]

    def score(self, metric: str, stage: Stage) -> Interval | None:
        """Return one score, or None when no case could tell."""
        return next((s.interval for s in self.scores if (s.metric, s.stage) == (metric, stage)), None)


class RunSettings(Record):
    """What a folder of scores was made with: its `run.json`."""

    schema_version: Literal[1] = 1
    writer: str
    model: str | None = None
    data: str


def load_writer(name: str, model: str | None = None, base_url: str | None = None) -> Writer:
    """Return a writer by name; `bad` is the one that only scores know.

    Args:
        name: Of `coach.writers`, or `bad`.
        model: Served name of a model or an adapter, for writers that ask a server.
        base_url: Address of that server.

    Raises:
        SetupError: No such writer, it needs a package that is not installed, or it asks no server.
    """
    if name == "bad":
        return BadWriter()
    if model is None and base_url is None:
        return WRITERS.load(name)
    if name != "vlm":
        raise SetupError(f"the writer '{name}' asks no server: leave out --model and --base-url")
    from serving.client import CLIENTS

    return WRITERS.load(name, client=CLIENTS.load("openai", base_url=base_url, model=model), model=model)


def run(
    out: Path,
    cases: Sequence[Case],
    writer: Writer,
    settings: RunSettings,
    *,
    workers: int = 1,
    on_progress: OnProgress | None = None,
) -> Summary:
    """Let a writer write about every case and score it; rows that are there already are kept.

    Writes `run.json`, `cases.jsonl`, `rows.jsonl` (one row a case) and `summary.json` into `out`.

    Args:
        out: Folder of this run.
        cases: What to write about.
        writer: Who writes.
        settings: What the run is made with; a folder of another run is refused.
        workers: Cases at a time; more than one only helps where a server writes.
        on_progress: Called with stage, done and total.

    Raises:
        InputError: The folder holds another run.
        DataError: A row in it is damaged.
    """
    _claim(out, settings, cases)
    rows_path = out / "rows.jsonl"
    done = {row.case: row for row in read_rows(out)} if rows_path.exists() else {}
    left = [case for case in cases if case.id not in done]
    with rows_path.open("a", encoding="utf-8") as file:
        for row in _written(left, writer, workers):
            file.write(row.model_dump_json() + "\n")
            file.flush()
            done[row.case] = row
            if on_progress:
                on_progress("cases", len(done), len(cases))
    summary = summarise(settings, [done[case.id] for case in cases])
    (out / "summary.json").write_text(summary.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return summary


def _claim(out: Path, settings: RunSettings, cases: Sequence[Case]) -> None:
    mark, listed = out / "run.json", out / "cases.jsonl"
    if mark.exists():
        if read_settings(out) != settings or [c.id for c in read_cases(listed)] != [c.id for c in cases]:
            raise InputError(f"{printable(out)} holds the scores of another run: name a new folder with --out")
        return
    if out.exists() and any(out.iterdir()):
        raise InputError(f"{printable(out)} holds something else: name a new folder with --out")
    out.mkdir(parents=True, exist_ok=True)
    write_cases(listed, cases)
    mark.write_text(settings.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _written(cases: Sequence[Case], writer: Writer, workers: int) -> Iterator[Row]:
    metrics = all_metrics()
    if workers == 1:
        yield from (score_case(case, writer, metrics) for case in cases)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting = {pool.submit(score_case, case, writer, metrics) for case in cases}
        try:
            while waiting:
                ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (job.result() for job in ready)
        finally:
            pool.shutdown(cancel_futures=True)


def score_case(case: Case, writer: Writer, metrics: Sequence[Metric]) -> Row:
    """Return what a writer makes of one case, with its scores; a failure is a row like any other."""
    library = load_library()
    started = time.perf_counter()
    main = _Attempt(case.report, case.lift, case, writer, library)
    seconds = time.perf_counter() - started
    variants = [_Attempt(*case.varied(variant), case, writer, library) for variant in case.variants]
    answers = _answers(case, writer, main.guidance, library)
    written = _output(main.draft, [v.draft for v in variants], answers[0])
    shown = _output(main.shown, [v.shown for v in variants], answers[1])
    found = counts(case, written) if written else (0, 0)
    return Row(
        case=case.id,
        failure=main.failure,
        fell_back=main.fell_back,
        seconds=round(seconds, 4),
        draft=main.draft,
        guidance=main.guidance,
        answer=answers[0],
        shown_answer=answers[1],
        numbers_found=found[0],
        numbers_supported=found[1],
        written=_scores(case, written, metrics),
        shown=_scores(case, shown, metrics),
    )


class _Attempt:
    """What came of one lift on the product's own way: draft, check, repair, and the rules when all else fails."""

    def __init__(self, report: Report, lift: Lift, case: Case, writer: Writer, library: Library) -> None:
        recorder = _RepairingRecorder(writer) if isinstance(writer, Repairs) else _Recorder(writer)
        self.failure: str | None = None
        self.guidance: Guidance | None = None
        try:
            self.guidance = write_guidance(report, lift, library, recorder, case.language, pictures=case.pictures)
        except SetupError:
            raise
        except CoachError as problem:
            self.failure = str(problem)
        self.failure = recorder.failure or self.failure
        self.draft = recorder.draft

    @property
    def fell_back(self) -> bool:
        """Return whether the rules wrote in place of this writer."""
        return self.guidance is not None and (self.draft is None or self.guidance.writer != self.draft.writer)

    @property
    def shown(self) -> Draft | None:
        """Return the guidance in the form of a draft."""
        return as_draft(self.guidance, self.draft) if self.guidance else None


class _Recorder:
    """Hands everything on to a writer and remembers the first draft, or why there was none."""

    def __init__(self, writer: Writer) -> None:
        self.writer, self.name = writer, writer.name
        self.draft: Draft | None = None
        self.failure: str | None = None

    def write(
        self,
        report: Report,
        lift: Lift | None,
        library: Library,
        language: Language,
        history: Sequence[Lift] = (),
        pictures: Sequence[Picture] = (),
    ) -> Draft:
        try:
            self.draft = self.writer.write(report, lift, library, language, history, pictures)
        except CoachError as problem:
            self.failure = str(problem)
            raise
        return self.draft


class _RepairingRecorder(_Recorder):
    """A recorder of a writer that repairs."""

    def repair(
        self,
        draft: Draft,
        removed: Sequence[str],
        report: Report,
        lift: Lift,
        library: Library,
        history: Sequence[Lift] = (),
        pictures: Sequence[Picture] = (),
    ) -> Draft:
        if not isinstance(self.writer, Repairs):
            raise ValueError(f"{self.name} does not repair")
        return self.writer.repair(draft, removed, report, lift, library, history, pictures)


def _answers(case: Case, writer: Writer, guidance: Guidance | None, library: Library) -> tuple[str | None, str | None]:
    """Return what the writer says to an athlete in pain, and what such an athlete is shown."""
    if case.question is None or guidance is None:
        return None, None
    told = settled(case.report, guidance, library, case.question, case.language)
    by_rules = told or answer(case.report, guidance, library, case.question, case.language)
    if not isinstance(writer, Talks):
        return by_rules.text, by_rules.text
    try:
        pieces = writer.talk(case.report, case.lift, library, case.language, guidance, (), case.question, case.pictures)
        return "".join(pieces), by_rules.text
    except SetupError:
        raise
    except CoachError as problem:
        return f"({problem})", by_rules.text


def _output(said: Draft | None, variants: Sequence[Draft | None], spoken: str | None) -> Output | None:
    return None if said is None else Output(said=said, variants=tuple(variants), answer=spoken)


def _scores(case: Case, output: Output | None, metrics: Sequence[Metric]) -> Scores:
    """Return the score of every metric; of a failure 0, wherever the rules would have had a score."""
    if output is not None:
        return {metric.name: metric.score(case, output) for metric in metrics}
    said = RulesWriter().write(case.report, case.lift, load_library(), case.language)
    ideal = Output(said=said, variants=(None,) * len(case.variants))
    return {metric.name: None if metric.score(case, ideal) is None else 0.0 for metric in metrics}


def summarise(settings: RunSettings, rows: Sequence[Row]) -> Summary:
    """Return the table of one run."""
    scores = []
    for metric in all_metrics():
        for stage in STAGES:
            values = [value for row in rows if (value := getattr(row, stage).get(metric.name)) is not None]
            interval = mean_interval(values)
            if interval is not None:
                scores.append(Score(metric=metric.name, stage=stage, interval=interval))
    return Summary(
        writer=settings.writer,
        model=settings.model,
        n_cases=len(rows),
        n_failed=sum(row.failure is not None for row in rows),
        n_fell_back=sum(row.fell_back for row in rows),
        numbers_found=sum(row.numbers_found for row in rows),
        numbers_supported=sum(row.numbers_supported for row in rows),
        median_seconds=round(median(row.seconds for row in rows), 4) if rows else 0.0,
        failures=tuple(sorted({row.failure for row in rows if row.failure})),
        scores=tuple(scores),
    )


def read_settings(folder: Path) -> RunSettings:
    """Return what a folder of scores was made with.

    Raises:
        InputError: The folder holds no scores.
        DataError: `run.json` is damaged.
    """
    path = folder / "run.json"
    if not path.is_file():
        raise InputError(f"{printable(folder)} holds no scores (no run.json): make them with `coach eval guidance`")
    try:
        return RunSettings.model_validate_json(path.read_bytes())
    except ValidationError as problem:
        raise DataError(f"{printable(path)} is damaged ({problem.error_count()} problems): score again") from problem


def read_rows(folder: Path) -> list[Row]:
    """Return the rows of a run; a last line that was cut off by a stop is left out, and written again.

    Raises:
        InputError: The folder holds no rows.
        DataError: A row is damaged.
    """
    path = folder / "rows.jsonl"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise InputError(f"{printable(folder)} holds no rows ({problem.strerror}): score it first") from problem
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, encoding="utf-8")
    rows = []
    for i, line in enumerate(whole.splitlines(), start=1):
        try:
            rows.append(Row.model_validate_json(line))
        except ValidationError as problem:
            raise DataError(f"{printable(path)}:{i}: no row of scores; remove this line and run again") from problem
    return rows
