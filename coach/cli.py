"""The `coach` command: options in, results to stdout, everything else to stderr."""

import json
import logging
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from coach.commands import app as app_command
from coach.commands import compare as compare_command
from coach.commands import corpus as corpus_command
from coach.commands import evaluate as evaluate_command
from coach.commands import finetune as finetune_command
from coach.commands import serve as serve_command
from coach.commands.terminal import complain, print_table, progress, stop_signals
from coach.domain.errors import CoachError, SetupError
from coach.domain.guidance import Language
from coach.domain.lift import LiftName
from coach.domain.settings import PLATE_DIAMETER_M
from coach.domain.words import printable
from coach.folders import default_out
from perception.simulator.spec import Filming, Handling, Timing, View
from perception.simulator.technique import Fault, LiftKind

if TYPE_CHECKING:
    from coach.session import AnalysisResult

app = typer.Typer(
    help="The AI coach for Olympic weightlifting: a video in, measured facts and grounded guidance out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
models_app = typer.Typer(help="Model weights: where from, licence, SHA-256.", no_args_is_help=True)
app.add_typer(models_app, name="models")
app.add_typer(app_command.app, name="app")
app.add_typer(corpus_command.app, name="corpus")
app.add_typer(evaluate_command.app, name="eval")
app.add_typer(finetune_command.app, name="finetune")
app.command("serve")(serve_command.serve)
app.command("compare")(compare_command.compare)
SERVER_HELP = (
    "--writer vlm asks a server that speaks the OpenAI protocol, such as `coach serve`: LIFTCOACH_SERVER is its address "
    "(http://127.0.0.1:8102/v1), LIFTCOACH_API_KEY its key, LIFTCOACH_MODEL the model or adapter to ask for. When it "
    "gives nothing that holds, the rules write, and the report says so."
)


LanguageOption = Annotated[Language, typer.Option("--language", help="Language of the guidance.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace earlier results in the output folder.")]
WriterOption = Annotated[
    str,
    typer.Option("--writer", metavar="NAME", help="Who writes: rules, or vlm for the model of a server (see below)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def main() -> None:
    """Run the command line: exit 0 when all went well, 1 on an error the user can act on, 2 on wrong usage."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    stop_signals.clear()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _stop)
    try:
        app()
    except BaseException as problem:
        if stop_signals:
            complain("Stopped.")
            sys.exit(128 + stop_signals[0])
        if isinstance(problem, CoachError):
            complain(f"Error: {printable(str(problem))}")
            sys.exit(1)
        raise


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    """Interrupt the program, so that half-written folders are removed; remember it.

    An interrupt that falls into an import or a callback of C code comes out as another error or is lost, so `main` and
    the progress look at what is remembered.
    """
    stop_signals.append(number)
    raise KeyboardInterrupt


def _show_version(wanted: bool) -> None:
    if wanted:
        from coach.session import package_version

        print(f"coach {package_version()}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Hold the options that stand before a command."""


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.")] = Path("demo-lift"),
    language: LanguageOption = "en",
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Analyse the simulated snatch that comes with the coach: no network, no GPU."""
    from coach import session

    with progress() as on_progress:
        result = session.demo(out, overwrite=overwrite, language=language, on_progress=on_progress)
    _show(result, as_json)


@app.command(epilog=SERVER_HELP)
def analyze(
    clip: Annotated[
        Path,
        typer.Argument(
            metavar="CLIP", help="The video of the lift, or markers in a .trc or .c3d file.", show_default=False
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the results; ./<name of the clip>-lift when left out.")
    ] = None,
    bar_mass: Annotated[float | None, typer.Option("--bar-mass", metavar="KG", help="Bar, plates and collars.")] = None,
    body_mass: Annotated[float | None, typer.Option("--body-mass", metavar="KG", help="The athlete.")] = None,
    height: Annotated[float | None, typer.Option("--height", metavar="M", help="The athlete, standing.")] = None,
    plate_diameter: Annotated[
        float, typer.Option("--plate-diameter", metavar="M", help="The largest plate.")
    ] = PLATE_DIAMETER_M,
    fps: Annotated[
        float | None, typer.Option("--fps", metavar="F", help="True recording rate, for slow-motion files.")
    ] = None,
    lift: Annotated[LiftName | None, typer.Option("--lift", help="Which lift it is; found out when left out.")] = None,
    pose: Annotated[str, typer.Option("--pose", metavar="NAME", help="Pose estimator.")] = "blazepose",
    markers: Annotated[
        Path | None,
        typer.Option("--markers", metavar="FILE", help="With --pose trc: the .trc or .c3d file; else beside the clip."),
    ] = None,
    writer: WriterOption = "rules",
    language: LanguageOption = "en",
    with_video: Annotated[bool, typer.Option("--video/--no-video", help="Draw the annotated video.")] = True,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure the lift in a video and say what to work on."""
    from coach import session

    settings = session.make_settings(
        bar_mass_kg=bar_mass,
        body_mass_kg=body_mass,
        height_m=height,
        plate_diameter_m=plate_diameter,
        frame_rate_hz=fps,
        lift=lift,
        pose="trc" if markers else pose,
        markers=str(markers) if markers else None,
    )
    with progress() as on_progress:
        result = session.analyse(
            clip,
            out or default_out(clip),
            settings,
            writer=writer,
            language=language,
            overwrite=overwrite,
            with_video=with_video,
            on_progress=on_progress,
        )
    _show(result, as_json)
    for notice in result.notices:
        complain(f"Note: {printable(notice)}")


def _show(result: "AnalysisResult", as_json: bool) -> None:
    """Print the report for people or for machines on stdout, and on stderr where everything lies."""
    if as_json:
        print((result.out_dir / "report.json").read_text(encoding="utf-8"), end="")
    else:
        from coach.report import print_report

        print_report(result.report, result.guidances)
    complain(f"Written to {printable(result.out_dir)}:")
    for path in result.paths:
        complain(f"  {printable(path)}")
    complain(f"Open {printable(result.out_dir / 'report.html')} in a browser.")


@app.command(epilog=SERVER_HELP)
def ask(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of an analysis.", show_default=False)],
    question: Annotated[str, typer.Argument(help='The question, such as "why did the bar swing forward?"')],
    language: Annotated[
        Language | None, typer.Option("--language", help="Language of the answer; the guidance's own when left out.")
    ] = None,
    number: Annotated[int | None, typer.Option("--number", help="Which lift of the clip, from 1.")] = None,
    writer: WriterOption = "rules",
    as_json: JsonOption = False,
) -> None:
    """Answer a question about an analysed lift from what was measured in it."""
    from coach import session

    with session.ask_stream(folder, question, language, number, writer=writer) as stream:
        for piece in stream:
            if not as_json:
                print(piece, end="", flush=True)
    print(stream.answer.model_dump_json(indent=2) if as_json else "")
    if stream.answer.notice:
        complain(f"Note: {printable(stream.answer.notice)}")


@app.command()
def simulate(
    out: Annotated[Path, typer.Option("--out", help="Folder for the lifts; a set that was begun is gone on with.")],
    n: Annotated[int, typer.Option("--n", min=1, max=100_000, help="Number of lifts.")] = 10,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same lifts.")] = 0,
    lift: Annotated[Literal[LiftKind, "mixed"], typer.Option("--lift", help="Which lift, or all in turn.")] = "snatch",
    fault: Annotated[
        Literal[Fault, "mixed"] | None, typer.Option("--fault", help="A fault of all lifts, or each in turn.")
    ] = None,
    view: Annotated[Literal[View, "mixed"], typer.Option("--view", help="Where the camera stands.")] = "side",
    handling: Annotated[
        Literal[Handling, "mixed"] | None, typer.Option("--handling", help="How the camera moves; as a rule it stands.")
    ] = None,
    timing: Annotated[
        Literal[Timing, "mixed"], typer.Option("--timing", help="Slow motion, or frames at uneven times.")
    ] = "true",
    tilted: Annotated[bool, typer.Option("--tilted", help="Cameras that roll and look up or down.")] = False,
    cut: Annotated[bool, typer.Option("--cut", help="A second camera for a part of each clip.")] = False,
    busy: Annotated[
        bool, typer.Option("--busy", help="People around the lifter, plates of many kinds, bars that bend.")
    ] = False,
    bare: Annotated[bool, typer.Option("--bare", help="A bar without plates.")] = False,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes.")] = 1,
) -> None:
    """Draw simulated lifts, with the exact truth beside each clip."""
    from coach import session

    filming = Filming(is_tilted=tilted, handling=handling, has_cut=cut, timing=timing, is_busy=busy, is_bare=bare)
    wanted = session.Simulation(seed=seed, lift=lift, fault=fault, view=view, filming=filming)
    with progress() as on_progress:
        folders = session.simulate(out, wanted, n, workers=workers, on_progress=on_progress)
    for folder in folders:
        print(printable(folder))


@models_app.command("list")
def list_models(as_json: JsonOption = False) -> None:
    """List the weights and models that can be fetched, and those that are here."""
    from coach.hub import list_models
    from perception.weights import list_weights

    statuses, models = list_weights(), list_models()
    if as_json:
        rows = [
            {
                **asdict(s.weight),
                "name": s.name,
                "path": str(s.path),
                "is_present": s.is_present,
                "sha256": s.sha256,
                "sha256_is_recorded_here": s.weight.sha256 is None and s.sha256 is not None,
            }
            for s in statuses
        ]
        rows += [{**asdict(s.model), "path": str(s.path), "is_present": s.source is not None} for s in models]
        print(json.dumps(rows, indent=2))
        return
    print_table(
        ("fetch", "what", "MB", "licence", "SHA-256", "here"),
        [
            *(
                (
                    s.weight.bundle,
                    s.weight.file_name,
                    f"{s.weight.n_bytes / 1e6:.1f}" if s.weight.sha256 else f"about {s.weight.n_bytes / 1e6:.0f}",
                    s.weight.licence,
                    s.how_checked,
                    "yes" if s.is_present else "no",
                )
                for s in statuses
            ),
            *(
                (
                    s.fetch_name,
                    f"{s.model.repository}, for {s.model.use}",
                    f"about {s.model.about_gb * 1e3:.0f}",
                    s.model.licence,
                    "the hub's, of each file",
                    "no" if s.source is None else "yes",
                )
                for s in models
            ),
        ],
    )


@models_app.command("fetch")
def fetch_model(
    name: Annotated[str, typer.Argument(help="A name from the first column of `coach models list`.")],
) -> None:
    """Fetch weights or a model once into the cache and check every SHA-256; a broken download is gone on with."""
    from coach import hub
    from perception import weights

    with progress() as on_progress:
        if name in hub.MODELS or name in hub.BUNDLES:
            paths = []
            for model in (hub.MODELS[each] for each in hub.BUNDLES.get(name, (name,))):
                complain(f"{model.repository}, licence {model.licence}")
                paths.append(hub.fetch(model.name, lambda done, total: on_progress("bytes", done, total)))
        elif name in weights.names():
            paths = weights.fetch(name, lambda done, total: on_progress("bytes", done, total))
        else:
            raise SetupError(
                f"no weights or model '{name}'; choose from {', '.join([*weights.names(), *hub.MODELS, *hub.BUNDLES])}"
            )
    for path in paths:
        print(path)


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Say what is installed, what is missing, and what to type for it."""
    from coach.doctor import examine, is_working

    examinations = examine()
    works = is_working(examinations)
    if as_json:
        print(json.dumps({"is_working": works, "examinations": [e.model_dump() for e in examinations]}, indent=2))
    else:
        for e in examinations:
            mark = "ok" if e.is_well else "MISSING" if e.is_core else "optional"
            print(f"{mark:<9}{e.name:<35}{e.found}")
            if e.remedy:
                print(f"{'':<44}type: {e.remedy}")
        print("The coach works here." if works else "The coach cannot work yet: type what stands beside MISSING.")
    if not works:
        raise typer.Exit(1)
