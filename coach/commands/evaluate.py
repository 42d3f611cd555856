"""`coach eval`: how good the measures are, how good the guidance is, and how well the check tells wrong from right."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from coach.commands.terminal import OnProgress, complain, print_table, progress
from coach.domain.words import printable
from perception.simulator.spec import View
from perception.simulator.technique import LiftKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eval.accuracy import MeasureRow, Row
    from eval.cases import Case
    from eval.guidance import Summary
    from eval.intervals import Interval
    from eval.meta import MetaScores
    from eval.perception import PerceptionScores

app = typer.Typer(help="Scores: how good the measures and the guidance are.", no_args_is_help=True)

CaseLanguage = Literal["en", "zh-Hant", "zh-Hans", "mixed"]
HELD_OUT_SEED = 1_000_000  # as eval.cases says; read here without its imports
META_SEED = 3_000_000  # as eval.meta says

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
BaseUrlOption = Annotated[
    str | None, typer.Option("--base-url", metavar="URL", help="Server of the model, up to /v1; that of coach serve.")
]


@app.command()
def perception(
    data: Annotated[
        Path, typer.Option("--data", help="Folder for the simulated lifts; finished ones are used again.")
    ] = Path("out/eval-perception"),
    n: Annotated[int, typer.Option("--n", min=1, help="Number of simulated clips.")] = 60,
    skip: Annotated[
        int,
        typer.Option("--skip", min=0, help="Clips at the beginning that are left out: intervals were made on them."),
    ] = 0,
    bare: Annotated[
        int, typer.Option("--bare", min=0, help="Number of clips more with a bar without plates, of the same lifts.")
    ] = 0,
    seeds: Annotated[
        list[int] | None, typer.Option("--seed", help="Of the set, 0 by default; several for several sets of n clips.")
    ] = None,
    lift: Annotated[
        Literal[LiftKind, "mixed"], typer.Option("--lift", help="Which lift; mixed for every kind in turn.")
    ] = "mixed",
    view: Annotated[
        Literal[View, "mixed"], typer.Option("--view", help="Where the camera stands; mixed for all in turn.")
    ] = "mixed",
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes.")] = 2,
    clips: Annotated[
        Path | None, typer.Option("--clips", help="Folder of real clips with their labels.csv; none when left out.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--page", help="Write tables and plots between the marks of this Markdown file.")
    ] = None,
    calibrate: Annotated[
        Path | None,
        typer.Option(
            "--calibrate",
            help="Write the factors that make 90 % intervals hold 90 % into this file; "
            "intervals in the table are then judged on clips their factors were not made with.",
        ),
    ] = None,
    plates: Annotated[
        Path | None,
        typer.Option("--plates", help="Folder of pictures with their boxes.csv: score finding plates there alone."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="With --plates: draw the failures there.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare measures with the truth of simulated lifts and the labels of real clips, or plates with boxes."""
    from eval.perception import run
    from eval.plates import run as run_plates

    if plates is not None:
        with progress() as on_progress:
            found = run_plates(plates, out, lambda done, total: on_progress("pictures", done, total))
        if as_json:
            print(found.model_dump_json(indent=2))
        else:
            _print_rows(found.rows)
        return
    chosen = seeds or [0]
    of_sets = " ".join(f"--seed {seed}" for seed in chosen)
    how = f"coach eval perception --n {n} --skip {skip} --bare {bare} {of_sets} --lift {lift} --view {view}"
    with progress() as on_progress:
        scores = run(
            data,
            n=n,
            skip=skip,
            seeds=chosen,
            lift=lift,
            view=view,
            bare=bare,
            workers=workers,
            clips=clips,
            calibrated_by=None if calibrate is None else how,
            on_progress=on_progress,
        )
    _keep(scores, how, page, calibrate)
    if as_json:
        print(scores.model_dump_json(indent=2))
        return
    _print_rows(scores.rows)
    print_table(
        ("measure", "source", "n", "bias", "SD", "ICC", "inside 90 %", "mostly limited by"),
        ((m.measure, m.source, str(m.n), *_numbers(m), f"{m.inside:.0%}", m.limited_by) for m in scores.measures),
    )


def _keep(scores: "PerceptionScores", how: str, page: Path | None, calibration: Path | None) -> None:
    """Write the scores into a page, and the factors they ask for into a file, where that is wanted."""
    from eval.accuracy_page import write_accuracy

    written = [] if page is None else write_accuracy(scores, page, how)
    if calibration is not None and scores.calibration is not None:
        calibration.write_text(scores.calibration.model_dump_json(indent=1) + "\n", encoding="utf-8")
        written.append(calibration)
    for path in written:
        complain(f"Written to {printable(path)}")


def _print_rows(rows: "Sequence[Row]") -> None:
    words = {True: "yes", False: "NO", None: ""}
    print_table(
        ("what", "n", "result", "bar to reach", "reached"),
        ((row.what, str(row.n), row.result, row.bar, words[row.reached]) for row in rows),
    )


def _numbers(row: "MeasureRow") -> tuple[str, str, str]:
    sd, icc = (("-" if value is None else format(value, how)) for value, how in ((row.sd, ".3g"), (row.icc, ".3f")))
    return f"{row.bias:+.3g}", sd, icc


@app.command()
def guidance(
    out: Annotated[Path, typer.Option("--out", help="Folder of the scores; a run that was stopped is gone on with.")],
    writer: Annotated[
        str, typer.Option("--writer", metavar="NAME", help="Who writes: rules, vlm, or bad (generic, invented).")
    ] = "rules",
    data: Annotated[
        Path | None,
        typer.Option("--data", help="A folder of analyses, or a JSONL file of cases; simulated lifts when left out."),
    ] = None,
    n: Annotated[int, typer.Option("--n", min=1, help="Number of simulated lifts.")] = 100,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Of the first simulated lift; from 1000000 on they never train.")
    ] = HELD_OUT_SEED,
    language: Annotated[
        CaseLanguage | None,
        typer.Option("--language", help="Of the guidance; mixed: English and Traditional Chinese in turn."),
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(
            "--pictures", metavar="DIR", help="Draw key frames of simulated lifts there, for writers that look."
        ),
    ] = None,
    with_variants: Annotated[
        bool,
        typer.Option(
            "--variants/--no-variants", help="Write about changed measures as well: up to three times more work."
        ),
    ] = True,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Served name of the model or adapter, for vlm.")
    ] = None,
    base_url: BaseUrlOption = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Cases at a time, where a server writes.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Let a writer write about lifts it has never seen, and score what it wrote and what is shown of it."""
    from eval.guidance import RunSettings, load_writer, run

    author = load_writer(writer, model, base_url)
    with progress() as on_progress:
        cases = _cases(data, n, seed, language, pictures, on_progress)
        if not with_variants:
            cases = [case.model_copy(update={"variants": ()}) for case in cases]
        settings = RunSettings(writer=writer, model=model, data=_named(data, n, seed, language, with_variants))
        summary = run(out, cases, author, settings, workers=workers, on_progress=on_progress)
    if as_json:
        print(summary.model_dump_json(indent=2))
        return
    _show(summary)
    complain(
        f"Written to {printable(out)}. Side by side with another run: coach eval compare DIR DIR --out report.html"
    )


def _named(data: Path | None, n: int, seed: int, language: str | None, with_variants: bool) -> str:
    source = str(data.resolve()) if data else f"simulated: {n} lifts from seed {seed}, {language or 'en'}"
    return source if with_variants else f"{source}, without variants"


def _cases(
    data: Path | None,
    n: int,
    seed: int,
    language: CaseLanguage | None,
    pictures: Path | None,
    on_progress: OnProgress,
) -> "list[Case]":
    from corpus.knowledge.library import load_library
    from eval.cases import folder_cases, read_cases, simulated_cases

    if data is None:
        return simulated_cases(
            n, load_library(), seed, language or "en", pictures, lambda done, total: on_progress("lifts", done, total)
        )
    if data.is_dir():
        return folder_cases(data, load_library(), None if language == "mixed" else language)
    return read_cases(data)


def _show(summary: "Summary") -> None:
    names = list(dict.fromkeys(score.metric for score in summary.scores))
    print_table(
        ("metric", "as written", "n", "as shown", "n"),
        (
            (name.replace("_", " "), *_cells(summary.score(name, "written")), *_cells(summary.score(name, "shown")))
            for name in names
        ),
    )
    print(f"{summary.numbers_supported} of {summary.numbers_found} numbers supported, as written")
    print(f"{summary.n_failed} of {summary.n_cases} cases failed; the rules stepped in for {summary.n_fell_back}")
    for failure in summary.failures[:3]:
        print(f"  {printable(failure)}")


def _cells(interval: "Interval | None") -> tuple[str, str]:
    return ("-", "0") if interval is None else (_written(interval), str(interval.n))


def _written(interval: "Interval", signed: bool = False) -> str:
    form = "{:+.3f} ({:+.3f} to {:+.3f})" if signed else "{:.3f} ({:.3f} to {:.3f})"
    return form.format(interval.mean, interval.low, interval.high)


@app.command()
def compare(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR_A DIR_B…", help="Folders of coach eval guidance.", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The page.")] = Path("report.html"),
    as_json: JsonOption = False,
) -> None:
    """Put runs side by side, say which differences are real, and write a page with the worst cases."""
    from eval.compare import compare as compared
    from eval.page import write_page

    comparison = compared(folders)
    write_page(comparison, out)
    if as_json:
        print(comparison.model_dump_json(include={"n_cases", "metrics", "differences"}, indent=2))
    else:
        first = comparison.runs[0].name
        print_table(
            ("metric", "", f"minus {first}", "difference (95 %)", "n", "real"),
            (
                (
                    d.metric.replace("_", " "),
                    d.stage,
                    d.run,
                    _written(d.interval, signed=True),
                    str(d.interval.n),
                    "yes" if d.interval.is_real else "",
                )
                for d in comparison.differences
            ),
        )
    complain(f"Open {printable(out)} in a browser.")


@app.command()
def text(
    data: Annotated[
        Path, typer.Option("--data", help="Held-out conversations: a JSONL file, or the folder of an export.")
    ],
    models: Annotated[
        list[str],
        typer.Option("--model", metavar="NAME", help="Served name; give it again for each, the one to beat first."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Answers with their chrF, JSONL; gone on with.")],
    base_url: BaseUrlOption = None,
    n: Annotated[int | None, typer.Option("--n", min=1, help="Only the first conversations.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Let models give the last answer of held-out conversations, and compare it with what the coach wrote (chrF)."""
    from eval.coach_text import answer_all, read_examples, score_texts
    from serving.client import CLIENTS

    examples = read_examples(data)[:n]
    client = CLIENTS.load("openai", base_url=base_url, model=models[0])
    with progress() as on_progress:
        rows = answer_all(examples, client, models, out, lambda done, total: on_progress("answers", done, total))
    scores = score_texts(rows, models)
    if as_json:
        print(scores.model_dump_json(indent=2))
        return
    print_table(
        ("model", "chrF", f"minus {models[0]}", "n", "real", "failed"),
        (
            (
                model,
                _written(scores.scores[model]),
                _written(scores.differences[model], signed=True) if model in scores.differences else "",
                str(scores.n),
                "yes" if model in scores.differences and scores.differences[model].is_real else "",
                str(sum(model in row.failures for row in rows)),
            )
            for model in models
        ),
    )


@app.command()
def meta(
    n: Annotated[int, typer.Option("--n", min=1, help="Number of simulated lifts.")] = 40,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the first lift.")] = META_SEED,
    as_json: JsonOption = False,
) -> None:
    """Plant errors in correct guidance and say true things in other words: does the check tell them apart?"""
    from eval.meta import run

    with progress() as on_progress:
        scores = run(n, seed, on_progress)
    if as_json:
        print(scores.model_dump_json(indent=2))
    else:
        _show_meta(scores)


def _show_meta(scores: "MetaScores") -> None:
    print_table(
        ("planted error", "n", "caught", "share", "missed, such as"),
        (
            (k.name, str(k.n), str(k.right), f"{100 * k.share:.0f} %", k.wrong[0] if k.wrong else "")
            for k in scores.planted
        ),
    )
    print_table(
        ("true sentences", "n", "left alone", "share", "taken out, such as"),
        (
            (k.name, str(k.n), str(k.right), f"{100 * k.share:.0f} %", k.wrong[0] if k.wrong else "")
            for k in scores.left_alone
        ),
    )
    n_planted, n_true = (sum(k.n for k in kinds) for kinds in (scores.planted, scores.left_alone))
    print(f"planted errors caught: {100 * scores.caught_share:.1f} % of {n_planted} (bar 95 %)")
    print(f"true sentences left alone: {100 * scores.left_share:.1f} % of {n_true}, {scores.n_forms} forms (bar 95 %)")
