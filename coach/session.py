"""The use cases, wired once: analyse a clip into a folder, ask about an analysed lift, simulate lifts."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from pydantic import ValidationError

from coach.domain.base import Record
from coach.domain.errors import DataError, InputError, SetupError
from coach.domain.guidance import Guidance, Language
from coach.domain.lift import Report
from coach.domain.settings import AnalysisSettings
from coach.domain.words import printable
from coach.folders import check_out, whole_folder
from perception.simulator.spec import Filming, View
from perception.simulator.technique import Fault, LiftKind

if TYPE_CHECKING:
    from coach.chat import Answer
    from coach.compare import Comparison
    from coach.talk import AnswerStream
    from coach.writer import Writer
    from corpus.knowledge.library import Library

OnProgress = Callable[[str, int, int], None]
SEE_WARNINGS = "see the warnings in report.json"
R = TypeVar("R", bound=Record)

_FILES = frozenset(
    (
        "report.json",
        "guidance.json",
        "settings.json",
        "annotated.mp4",
        "report.html",
        "tracks.parquet",
        "tracks.csv",
        "pose.trc",
        "angles.mot",
        "keyframes",
        "plots",
    )
)


_FURTHER_GUIDANCE = re.compile(r"guidance-\d+\.json")


class Run(Record):
    """How an analysis was made: what `settings.json` holds beside its results."""

    schema_version: Literal[1] = 1
    liftcoach_version: str
    settings: AnalysisSettings
    writer: str
    language: Language
    with_video: bool
    is_demo: bool


@dataclass(frozen=True, slots=True)
class AnalysisResult:
    """What one analysis gave.

    Attributes:
        report: What was measured.
        guidances: The guidance of each lift that has some, by lift number.
        out_dir: The folder that holds everything.
        paths: The files in it, sorted.
        notices: Where the rules had to write instead of the model, and why; warnings of the report as well.
    """

    report: Report
    guidances: dict[int, Guidance]
    out_dir: Path
    paths: tuple[Path, ...]
    notices: tuple[str, ...] = ()


def is_of_analysis(entry: Path) -> bool:
    """Return whether an entry of a folder is one that an analysis writes, by its name."""
    return entry.name in _FILES or _FURTHER_GUIDANCE.fullmatch(entry.name) is not None


def guided_lifts(report: Report) -> list[int]:
    """Return the numbers of the lifts that get guidance: those with measures, or the first when none has any."""
    measured = [lift.number for lift in report.lifts if lift.measures]
    return measured or [lift.number for lift in report.lifts[:1]]


def guidance_files(numbers: list[int]) -> dict[int, str]:
    """Return the file of each guided lift: `guidance.json` for the first, `guidance-<number>.json` for the others."""
    return {n: "guidance.json" if i == 0 else f"guidance-{n}.json" for i, n in enumerate(sorted(numbers))}


def package_version() -> str:
    """Return the installed version of Liftcoach."""
    try:
        return version("liftcoach")
    except PackageNotFoundError:
        return "0+unknown"


def make_settings(**options: object) -> AnalysisSettings:
    """Return checked settings from loose options.

    Raises:
        InputError: An option is not a number, not finite, or not plausible.
    """
    try:
        settings = AnalysisSettings.model_validate(options)
    except ValidationError as problem:
        first = problem.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{name} cannot be {first['input']}: {first['msg']}; give another value or leave it out"
        ) from problem
    return settings.checked()


def analyse(
    clip_path: Path,
    out_dir: Path,
    settings: AnalysisSettings,
    *,
    writer: str = "rules",
    language: Language = "en",
    overwrite: bool = False,
    with_video: bool = True,
    is_demo: bool = False,
    on_progress: OnProgress | None = None,
) -> AnalysisResult:
    """Analyse one clip into a folder that appears whole or not at all.

    Args:
        clip_path: The video.
        out_dir: New or empty folder, or an earlier analysis when `overwrite`.
        settings: What the user says about clip and athlete.
        writer: Who writes the guidance, a name of `coach.writers`.
        language: Language of the guidance.
        overwrite: Whether an earlier analysis in `out_dir` may be replaced.
        with_video: Whether to draw the annotated video, which takes the longest.
        is_demo: Marks the folder as the demo's, so that the next demo may replace it.
        on_progress: Called with (stage, done, total).

    Raises:
        InputError: The clip, the settings or the output folder cannot be used.
        SetupError: This machine lacks the writer, the pose estimator, its weights or disk space.
    """
    from coach.writer import WRITERS

    settings = settings.checked()
    check_out(out_dir, is_of_analysis, overwrite)
    author = WRITERS.load(writer)
    run = Run(
        liftcoach_version=package_version(),
        settings=settings,
        writer=writer,
        language=language,
        with_video=with_video,
        is_demo=is_demo,
    )
    with whole_folder(out_dir) as work_dir:
        report, guidances, notices = _analyse_into(work_dir, clip_path, run, author, on_progress or _no_progress)
    paths = tuple(sorted(path for path in out_dir.rglob("*") if path.is_file()))
    return AnalysisResult(report=report, guidances=guidances, out_dir=out_dir, paths=paths, notices=notices)


def _analyse_into(
    work_dir: Path, clip_path: Path, run: Run, author: "Writer", on_progress: OnProgress
) -> tuple[Report, dict[int, Guidance], tuple[str, ...]]:
    from coach.report import write_html
    from corpus.knowledge.library import load_library
    from perception.exports import write_exports
    from perception.overlay import write_keyframes, write_pictures
    from perception.plots import plots_left_out, write_plots
    from perception.summarise import analyse_clip, follow_bar_end

    library = load_library()
    analysis = follow_bar_end(analyse_clip(clip_path, run.settings, on_progress), on_progress)
    report = judged(analysis.report, library)
    if run.with_video:
        report = write_pictures(analysis.clip, report, analysis.tracks, work_dir, on_progress)
    else:
        report = write_keyframes(analysis.clip, report, analysis.tracks, work_dir)
    guidances, notices = guide(report, library, author, run.language, work_dir, on_progress)
    report = report.model_copy(update={"warnings": (*report.warnings, *notices)})
    on_progress("report", 0, 3)
    plots = write_plots(report, analysis.tracks, work_dir)
    on_progress("report", 1, 3)
    write_exports(report, analysis.tracks, work_dir)
    _write_record(work_dir / "settings.json", run)
    _write_record(work_dir / "report.json", report)
    for number, name in guidance_files(list(guidances)).items():
        _write_record(work_dir / name, guidances[number])
    on_progress("report", 2, 3)
    write_html(report, guidances, work_dir, plots=plots, left_out=plots_left_out(report, analysis.tracks))
    on_progress("report", 3, 3)
    return report, guidances, notices


def judged(report: Report, library: "Library") -> Report:
    """Return the report with the findings of every lift."""
    from coach.faults import judge

    lifts = tuple(
        lift.model_copy(update={"findings": judge(lift, report.camera, library, ())}) for lift in report.lifts
    )
    return report.model_copy(update={"lifts": lifts})


def guide(
    report: Report,
    library: "Library",
    author: "Writer",
    language: Language,
    folder: Path,
    on_progress: OnProgress | None = None,
) -> tuple[dict[int, Guidance], tuple[str, ...]]:
    """Return the checked guidance of each guided lift by lift number, and where the rules had to step in.

    Args:
        report: What was measured, with findings and key frames.
        library: Fault texts and phrases.
        author: Who writes.
        language: Language of the guidance.
        folder: Where the key frames lie.
        on_progress: Called with ("guidance", lifts done, lifts in all).
    """
    from coach.guidance import pictures_in, write_guidance

    numbers, tell = guided_lifts(report), on_progress or _no_progress
    lifts = [lift for lift in report.lifts if lift.number in numbers]
    guidances: dict[int, Guidance] = {}
    notices: list[str] = []
    for lift in lifts:
        tell("guidance", len(guidances), len(lifts))
        pictures = pictures_in(lift, folder)
        guidances[lift.number] = write_guidance(
            report, lift, library, author, language, pictures=pictures, tell=notices.append
        )
    tell("guidance", len(lifts), len(lifts))
    return guidances, tuple(notices)


def demo(
    out_dir: Path, *, overwrite: bool = False, language: Language = "en", on_progress: OnProgress | None = None
) -> AnalysisResult:
    """Analyse the shipped simulated snatch; an earlier demo's folder is replaced.

    Raises:
        InputError: The folder holds something that is not a demo's.
        SetupError: The pose weights are not there.
    """
    from perception.simulator.demo_clip import demo_clip, demo_spec

    spec = demo_spec()
    settings = AnalysisSettings(
        bar_mass_kg=round(spec.bar.mass_kg, 1),
        body_mass_kg=round(spec.lifter.mass_kg, 1),
        height_m=round(spec.lifter.height_m, 2),
    )
    return analyse(
        demo_clip(),
        out_dir,
        settings,
        language=language,
        overwrite=overwrite or _is_demo(out_dir),
        is_demo=True,
        on_progress=on_progress,
    )


class Simulation(Record):
    """Which set of simulated lifts a folder holds: what its `simulation.json` says."""

    schema_version: Literal[1] = 1
    seed: int = 0
    lift: LiftKind | Literal["mixed"] = "snatch"
    fault: Fault | Literal["mixed"] | None = None
    view: View | Literal["mixed"] = "side"
    filming: Filming = Filming()


def simulate(
    out_dir: Path, simulation: Simulation, n: int, *, workers: int = 1, on_progress: OnProgress | None = None
) -> list[Path]:
    """Write simulated lifts with their truth, and return their folders; a set that was begun is gone on with.

    Raises:
        InputError: The folder holds anything but the same set.
        SetupError: The simulator is not installed, or this machine cannot draw.
    """
    try:
        from perception.simulator.dataset import write_dataset
    except ModuleNotFoundError as problem:
        raise SetupError(f"no {problem.name}: pip install 'liftcoach[simulator]'") from problem
    _claim(out_dir, simulation)
    tell = on_progress or _no_progress
    return write_dataset(
        out_dir,
        n=n,
        seed=simulation.seed,
        lift=simulation.lift,
        fault=simulation.fault,
        view=simulation.view,
        filming=simulation.filming,
        workers=workers,
        on_progress=lambda done, total: tell("lifts", done, total),
    )


def _claim(out_dir: Path, simulation: Simulation) -> None:
    """Mark a new or empty folder as that of one set of simulated lifts, or see that it is already."""
    check_out(out_dir, lambda entry: entry.name == "simulation.json" or entry.name[:4].isdigit(), overwrite=True)
    mark = out_dir / "simulation.json"
    if mark.exists():
        if _read_record(mark, Simulation) != simulation:
            raise InputError(f"{printable(out_dir)} holds another set of simulated lifts: name a new folder with --out")
        return
    check_out(out_dir, lambda _: False, overwrite=False)
    out_dir.mkdir(parents=True, exist_ok=True)
    _write_record(mark, simulation)


def ask(
    out_dir: Path,
    question: str,
    language: Language | None = None,
    lift_number: int | None = None,
    *,
    writer: "str | Writer" = "rules",
    history: Sequence[tuple[str, str]] = (),
) -> "Answer":
    """Answer a question about an analysed lift from what was measured in it; arguments as in `ask_stream`."""
    stream = ask_stream(out_dir, question, language, lift_number, writer=writer, history=history)
    for _ in stream:
        pass
    return stream.answer


def ask_stream(
    out_dir: Path,
    question: str,
    language: Language | None = None,
    lift_number: int | None = None,
    *,
    writer: "str | Writer" = "rules",
    history: Sequence[tuple[str, str]] = (),
) -> "AnswerStream":
    """Return the answer to a question about an analysed lift, to be read while it is written.

    Args:
        out_dir: Folder of an analysis.
        question: What the athlete wants to know.
        language: Language of the answer; the guidance's own when None.
        lift_number: Which lift of the clip; the first guided one when None.
        writer: Who answers: a name of `coach.writers`, or a writer.
        history: Earlier questions and answers, oldest first.

    Raises:
        InputError: The folder is no analysis, the question is empty, or there is no such lift.
        DataError: `report.json` or the guidance is damaged.
        SetupError: There is no such writer, or it needs a package that is not installed.
    """
    if not question.strip():
        raise InputError('the question is empty: write it in quotes, such as "why did the bar swing forward?"')
    report = read_report(out_dir)
    guidances = read_guidances(out_dir, report)
    if not guidances:
        raise InputError(f"no lift was found in this clip, so there is nothing to ask about: {SEE_WARNINGS}")
    number = min(guidances) if lift_number is None else lift_number
    if number not in guidances:
        raise InputError(f"no lift {number} with measures in this clip; choose from {', '.join(map(str, guidances))}")
    from coach.talk import Talk, answer_stream
    from coach.writer import WRITERS
    from corpus.knowledge.library import load_library

    if lift_number is not None:
        report = report.model_copy(update={"lifts": tuple(lift for lift in report.lifts if lift.number == number)})
    talk = Talk(
        report=report,
        guidances=guidances,
        number=number,
        folder=out_dir,
        library=load_library(),
        language=language or guidances[number].language,
        history=history,
    )
    return answer_stream(talk, question, WRITERS.load(writer) if isinstance(writer, str) else writer)


def compare_lifts(
    first: Path,
    second: Path,
    numbers: tuple[int | None, int | None] = (None, None),
    *,
    out: Path | None = None,
    overwrite: bool = False,
) -> "Comparison":
    """Return what differs between lifts of two analyses; with `out`, write a page, its plots and the JSON there.

    Args:
        first: Folder of an analysis.
        second: Folder of another; differences are second minus first.
        numbers: Which lift of each, from 1; None for the first kind of lift that both hold.
        out: New or empty folder, or an earlier comparison when `overwrite`.
        overwrite: Whether an earlier comparison may be replaced.

    Raises:
        InputError: A folder is no analysis, or the lifts cannot be compared.
        DataError: A report or its tracks are damaged.
    """
    from coach.compare import compare, write_page
    from perception.comparison_plots import write_comparison_plots

    if out is not None:
        check_out(out, lambda entry: entry.name.startswith("compare"), overwrite)
    reports = (read_report(first), read_report(second))
    found, aligned = compare((first, reports[0]), (second, reports[1]), numbers)
    if out is not None:
        errors = {d.measure: d.smallest_real for d in found.differences}
        from_the_side = all(report.camera.view == "side" for report in reports)
        with whole_folder(out) as folder:
            plots = write_comparison_plots(
                aligned, errors.get("bar_peak_velocity_m_s"), folder, shows_paths=from_the_side
            )
            write_page(found, plots, folder)
            _write_record(folder / "compare.json", found)
    return found


def read_report(out_dir: Path) -> Report:
    """Return the report of an analysed clip.

    Raises:
        InputError: The folder is no analysis.
        DataError: The report is damaged.
    """
    if not (out_dir / "report.json").is_file():
        raise InputError(
            f"{printable(out_dir)} holds no analysis (no report.json): make one with `coach analyze CLIP --out DIR`"
        )
    return _read_record(out_dir / "report.json", Report)


def read_guidances(out_dir: Path, report: Report) -> dict[int, Guidance]:
    """Return the guidance of each guided lift of an analysed clip, by lift number.

    Raises:
        DataError: A guidance file is gone or damaged.
    """
    files = guidance_files(guided_lifts(report))
    return {number: _read_record(out_dir / name, Guidance) for number, name in files.items()}


def _write_record(path: Path, record: Record) -> None:
    path.write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _read_record(path: Path, kind: type[R]) -> R:
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as problem:
        raise DataError(f"{printable(path)} cannot be read ({problem.strerror}); analyse the clip again") from problem
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise DataError(
            f"{printable(path)}: {place}: {first['msg']}; the file is damaged, analyse the clip again"
        ) from problem


def _is_demo(out_dir: Path) -> bool:
    if not (out_dir / "settings.json").is_file():
        return False
    try:
        return _read_record(out_dir / "settings.json", Run).is_demo
    except DataError:
        return False


def _no_progress(stage: str, done: int, total: int) -> None:
    """Say nothing."""
