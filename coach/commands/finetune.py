"""`coach finetune`: train an adapter, and prove that serving it equals training it."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coach.domain.errors import SetupError
from coach.domain.words import printable

if TYPE_CHECKING:
    from finetune.parity import Parity

app = typer.Typer(help="Train an adapter from an export of the corpus, and prove it is served.", no_args_is_help=True)

OnProgress = Callable[[str, int, int], None]
DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Folder of examples, from `coach corpus examples`.")
]
BaseOption = Annotated[
    str | None, typer.Option("--base", metavar="MODEL", help="Name or folder of the base model; else the recipe's.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]

_SECONDS_BETWEEN_LINES = 15.0  # s, where no bar can be drawn


@app.command()
def run(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE",
            help="A TOML file, or a name: coach-tiny, qwen3-vl-2b, qwen3-vl-4b, qwen3.5-4b.",
            show_default=False,
        ),
    ],
    data: DataOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder of the run; ./out/<name of the recipe>.")
    ] = None,
    base: BaseOption = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Steps in all, instead of epochs.")] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Replace one field of the recipe, such as lora.r=8."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    leave_out_long: Annotated[
        bool, typer.Option("--leave-out-long", help="Leave out examples that are too long, and list them.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train an adapter; a run that was stopped goes on with --resume as if nothing had been."""
    from finetune.recipe import read_changes, read_recipe

    flags = {"data": str(data.resolve()) if data else None, "base": base, "steps": steps}
    changes = {**read_changes(change or []), **{field: value for field, value in flags.items() if value is not None}}
    resolved = read_recipe(recipe, changes)
    out_dir = out or Path("out") / resolved.name
    with _needs_training_packages(), _progress() as on_progress:
        from finetune.train import train

        trained = train(resolved, out_dir, resume=resume, leave_out_long=leave_out_long, on_progress=on_progress)
    for line in trained.left_out:
        _complain(f"Left out: {printable(line)}")
    if as_json:
        import json
        from dataclasses import asdict

        print(json.dumps(asdict(trained), default=str, indent=2))
        return
    shown = f"evaluation loss {trained.eval_loss:.4f}" if trained.eval_loss is not None else "no validation examples"
    _complain(f"{trained.steps} steps, {shown}. Curves: {printable(out_dir / 'curves.png')}")
    print(printable(trained.adapter_path))
    _complain("Serve it: add it to `adapters` in serving.toml, then `coach serve` and `coach finetune parity`.")


@app.command()
def tiny(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the school and of the run.")] = Path(
        "out/tiny"
    ),
    lifts: Annotated[int, typer.Option("--lifts", min=1, help="Simulated lifts to learn from.")] = 600,
    variants: Annotated[int, typer.Option("--variants", min=1, help="Conversations about each.")] = 10,
    steps: Annotated[
        int, typer.Option("--steps", min=1, help="Steps in all; a run is gone on with under the same.")
    ] = 1000,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that draw, threads that train.")] = 2,
    compiled: Annotated[
        bool, typer.Option("--compile", help="Compile the layers: a third faster, needs a C++ compiler.")
    ] = False,
) -> None:
    """Teach coach-tiny from nothing; type the same again after a stop, and it goes on."""
    with _needs_training_packages(), _progress() as on_progress:
        from finetune.pretrain import School, teach
        from finetune.tiny_data import HELD_OUT_SEED, write_school

        def drawn(done: int, total: int) -> None:
            on_progress("simulated lifts", done, total)

        school = out / "school"
        write_school(school, lifts, variants, workers=workers, on_progress=drawn)
        write_school(school, 40, 1, first=HELD_OUT_SEED - 2000, workers=workers, split="validation")
        plan = School(n_steps=steps, n_threads=workers, compiled=compiled)
        model = teach(school, out / "run", plan, lambda done, total, _loss: on_progress("steps", done, total))
    print(printable(model))
    _complain("Serve it: name the folder as `model` in serving.toml, then `coach serve`.")


@app.command()
def parity(
    adapter: Annotated[Path, typer.Argument(metavar="ADAPTER", help="Folder of the adapter.", show_default=False)],
    server: Annotated[
        str, typer.Option("--server", metavar="URL", help="The running server.")
    ] = "http://127.0.0.1:8102/v1",
    data: DataOption = None,
    base: BaseOption = None,
    n: Annotated[int, typer.Option("--n", min=1, help="Number of examples with pictures.")] = 20,
    split: Annotated[str, typer.Option("--split", help="Which examples.")] = "validation",
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1, help="Most tokens of an answer.")] = 48,
    with_vision: Annotated[
        bool,
        typer.Option("--with-vision", help="The adapter changes the vision tower, and the server was told of it."),
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="File for the whole report (JSON).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare training's answers with the server's: exit 0 when all are equal, 1 when one is not."""
    if data is None:
        raise SetupError("no examples to compare on: name the folder of an export with --data")
    with _needs_training_packages(), _progress() as on_progress:
        from finetune.parity import compare

        found = compare(
            adapter,
            server,
            data,
            base=base,
            n=n,
            split=split,
            max_tokens=max_tokens,
            with_vision=with_vision,
            on_progress=on_progress,
        )
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(found.model_dump_json(indent=2) + "\n", encoding="utf-8")
    if as_json:
        print(found.model_dump_json(indent=2))
    else:
        _show(found)
    if not found.is_equal:
        raise typer.Exit(1)


def _show(found: "Parity") -> None:
    print(f"{'example':<40}{'prompt tokens':>15}{'served':>8}  {'text':<10}{'largest difference':>20}")
    for row in found.rows:
        apart = "" if row.max_difference is None else f"{row.max_difference:.1e}"
        same = "equal" if row.is_same_text and row.is_same_prompt else "DIFFERS"
        print(
            f"{printable(row.id)[:39]:<40}{row.prompt_tokens:>15}{row.served_prompt_tokens:>8}  {same:<10}{apart:>20}"
        )
    largest = "none" if found.max_difference is None else f"{found.max_difference:.1e}"
    verdict = "Serving equals training" if found.is_equal else "SERVING IS NOT WHAT WAS TRAINED"
    print(
        f"{verdict}: {found.n_equal} of {found.n} equal; largest difference of a log-probability {largest} "
        f"(bar {found.tolerance:.0e}). {found.adapter} at {found.server}"
    )


@contextmanager
def _needs_training_packages() -> Iterator[None]:
    """Say what to install when a package that only training needs is missing."""
    try:
        yield
    except ModuleNotFoundError as problem:
        raise SetupError(
            f"training needs the package '{problem.name}', which is not here: make setup-serving, then call "
            ".venv-vllm/bin/coach"
        ) from problem


@contextmanager
def _progress() -> Iterator[OnProgress]:
    """Draw a bar with the time left on stderr; where that is no terminal, write a line now and then."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description:>18}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    tasks: dict[str, Any] = {}
    started: dict[str, tuple[float, int]] = {}
    told = 0.0
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:

        def on_progress(stage: str, done: int, total: int) -> None:
            nonlocal told
            now = time.monotonic()
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=None)
                started[stage] = (now, done)
            bars.update(tasks[stage], completed=done, total=total or None)
            if not console.is_terminal and (now - told > _SECONDS_BETWEEN_LINES or done == total):
                told = now
                _complain(f"{stage} {done}/{total}{_time_left(now, *started[stage], done, total)}")

        yield on_progress


def _time_left(now: float, since: float, from_done: int, done: int, total: int) -> str:
    if done <= from_done or done >= total:
        return ""
    seconds = (now - since) / (done - from_done) * (total - done)
    return f" · {seconds / 60:.0f} min left" if seconds >= 90 else f" · {seconds:.0f} s left"


def _complain(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
