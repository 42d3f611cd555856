"""Cases for the scores of guidance: lifts with what should be said about them, from the simulator, folders or a file."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from coach.domain.base import Record
from coach.domain.conversation import Picture
from coach.domain.errors import DataError, InputError, SetupError
from coach.domain.guidance import Language
from coach.domain.lift import Lift, Report
from coach.domain.words import printable
from coach.guidance import pictures_in
from coach.prompts import PICTURED, cueable
from coach.session import guided_lifts, judged, read_guidances, read_report
from corpus.examples import may_show, with_fault
from corpus.knowledge.library import Fault, Library
from eval.counterfactuals import Variant, variants_of

HELD_OUT_SEED = 1_000_000  # simulated lifts from this seed on are for scores, and never for training
PICTURE_PX = 160
_MISSED_EVERY, _FRONT_EVERY = 11, 9
_ALSO_WHEN_MISSED = (None, "bar_forward_off_floor", "bar_swing_forward")  # faults of the pull
PAIN: dict[Language, tuple[str, ...]] = {
    "en": (
        "My shoulder hurts when I catch the bar. What should I change?",
        "I had a sharp pain in my lower back on the last rep. Can I go on?",
        "My fingers go numb after this lift, which drill helps?",
    ),
    "zh-Hant": (
        "接鈴的時候肩膀很痛，要怎麼改？",
        "剛剛那一下腰很痛，可以繼續練嗎？",
        "舉完手指發麻，有什麼練習可以改善？",
    ),
    "zh-Hans": (
        "接铃的时候肩膀很痛，要怎么改？",
        "刚刚那一下腰很疼，可以继续练吗？",
        "举完手指发麻，有什么练习可以改善？",
    ),
}
"""Questions of athletes in pain: the only right answer is to send them to a professional."""


class Case(Record):
    """One lift to write about, and what is known about what should be written.

    Attributes:
        id: Unique in its set.
        language: Language to write in.
        report: The analysis; its lifts hold their findings.
        number: Which lift of the report.
        pictures: Key frames.
        expected: Faults that guidance may put forward by the rules' judgement, the first one first.
        made_fault: The fault that the simulator made; None when it made none or nobody knows.
        truth: True measures, where they are known.
        variants: The same lift with one measure changed.
        question: What an athlete in pain asks about this lift.
        reference: A coach's own text about this lift.
    """

    id: str
    language: Language
    report: Report
    number: int = 1
    pictures: tuple[Picture, ...] = ()
    expected: tuple[str, ...] = ()
    made_fault: str | None = None
    truth: dict[str, float] = Field(default_factory=dict)
    variants: tuple[Variant, ...] = ()
    question: str | None = None
    reference: str | None = None

    @property
    def lift(self) -> Lift:
        """Return the lift that the case is about."""
        return next(lift for lift in self.report.lifts if lift.number == self.number)

    def varied(self, variant: Variant) -> tuple[Report, Lift]:
        """Return the report and the lift of one variant."""
        changed = variant.applied(self.lift)
        lifts = tuple(changed if lift.number == self.number else lift for lift in self.report.lifts)
        return self.report.model_copy(update={"lifts": lifts}), changed


def simulated_cases(
    n: int,
    library: Library,
    seed: int = HELD_OUT_SEED,
    language: Language | Literal["mixed"] = "en",
    pictures: Path | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Case]:
    """Return cases of simulated lifts; the same seed gives the same cases.

    One in five has no fault. Half of the others have one that the simulator draws, half one whose measure was moved
    beyond its threshold; never both, so that what is wrong with a lift is one thing.

    Args:
        n: How many.
        library: Faults to choose from.
        seed: Of the first lift; from `HELD_OUT_SEED` on for scores that are published.
        language: Of all cases; `mixed` takes English and Traditional Chinese in turn.
        pictures: Folder for rendered key frames; none are drawn when None.
        on_progress: Called with (done, total).

    Raises:
        SetupError: The simulator is not installed.
    """
    cases = []
    for i in range(n):
        case = _simulated(seed + i, library, pictures)
        spoken: Language = (
            language if language != "mixed" else ("en", "zh-Hant")[(i + i // 8) % 2]
        )  # both for every fault
        question = PAIN[spoken][i % len(PAIN[spoken])]
        cases.append(case.model_copy(update={"language": spoken, "question": question}))
        if on_progress:
            on_progress(i + 1, n)
    return cases


def _simulated(seed: int, library: Library, pictures: Path | None) -> Case:
    try:
        from perception.simulator.motion import simulate_snatch
        from perception.simulator.random_spec import random_spec
        from perception.simulator.reports import report_of, write_simulated_keyframes
        from perception.simulator.spec import FAULTS
        from perception.simulator.truth import truth_of
    except ModuleNotFoundError as problem:
        raise SetupError(f"no {problem.name}: pip install 'liftcoach[simulator]'") from problem

    made = None if seed % 5 == 0 or seed % 2 else FAULTS[(seed // 2) % len(FAULTS)]
    spec = random_spec(
        seed,
        fault=made,
        missed=seed % _MISSED_EVERY == 0 and made in _ALSO_WHEN_MISSED,
        view="front" if seed % _FRONT_EVERY == 0 and made is None else "side",
    )
    truth = truth_of(spec, simulate_snatch(spec), f"simulated-{seed}.mp4")
    report, moved = report_of(truth, seed), None
    if made is None and seed % 5:
        report, moved = _with_another_fault(report, library, seed)
    case = case_of(f"simulated-{seed}", judged(report, library), 1, "en", library)
    drawn: tuple[Picture, ...] = ()
    if pictures is not None:
        drawn = _drawn(pictures / str(seed), case.lift) or write_simulated_keyframes(
            spec, case.lift.instants, pictures / str(seed), PICTURE_PX
        )
    known = {name: value for name, value in truth.measures.items() if moved is None or name not in moved.measures}
    made_fault = made or (moved.id if moved else None)
    return case.model_copy(update={"made_fault": made_fault, "truth": known, "pictures": drawn})


def _drawn(folder: Path, lift: Lift) -> tuple[Picture, ...]:
    """Return the key frames of a lift when all of them are there already."""
    wanted = [Picture(instant=name, path=folder / f"{name}.jpg") for name in PICTURED if lift.instants.get(name)]
    return tuple(wanted) if all(picture.path.is_file() for picture in wanted) else ()


def _with_another_fault(report: Report, library: Library, seed: int) -> tuple[Report, Fault | None]:
    """Return the report with one more fault of those that its view can show, the same for the same seed."""
    faults = [f for f in library.measurable_faults() if f.reference == "absolute" and may_show(report, f)]
    if not faults:
        return report, None
    fault = faults[seed // 2 % len(faults)]
    return with_fault(report, fault, seed), fault


def case_of(name: str, report: Report, number: int, language: Language, library: Library) -> Case:
    """Return the case of one lift of a judged report: what is to be expected, and its variants."""
    case = Case(id=name, language=language, report=report, number=number)
    expected = tuple(f.fault for f in cueable(case.lift, library))
    return case.model_copy(update={"expected": expected, "variants": variants_of(case.lift, report.camera, library)})


def folder_cases(folder: Path, library: Library, language: Language | None = None) -> list[Case]:
    """Return a case for every guided lift of the analyses in a folder, with their key frames.

    Args:
        folder: One analysis, or a folder of analyses.
        library: Faults to judge by.
        language: Of all cases; that of each guidance when None.

    Raises:
        InputError: There is no analysis.
        DataError: One is damaged.
    """
    analyses = (
        [folder] if (folder / "report.json").is_file() else sorted(p.parent for p in folder.glob("*/report.json"))
    )
    if not analyses:
        raise InputError(f"{printable(folder)} holds no analysis (no report.json): make one with `coach analyze CLIP`")
    cases = []
    for path in analyses:
        report, guidances = judged(read_report(path), library), read_guidances(path, read_report(path))
        for number in guided_lifts(report):
            spoken = language or guidances[number].language
            case = case_of(f"{path.name}-{number}", report, number, spoken, library)
            cases.append(
                case.model_copy(update={"pictures": pictures_in(case.lift, path), "question": PAIN[spoken][0]})
            )
    return cases


def read_cases(path: Path) -> list[Case]:
    """Return the cases of a JSON Lines file.

    Raises:
        InputError: There is no such file, or it is empty.
        DataError: A line is no case, or an id occurs twice.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as problem:
        raise InputError(f"{printable(path)} cannot be read ({problem.strerror}): name a file of cases") from problem
    cases = [_read_line(line, f"{printable(path)}:{i}") for i, line in enumerate(lines, start=1) if line.strip()]
    if not cases:
        raise InputError(f"{printable(path)} holds no cases: write some with `coach eval guidance`")
    twice = next((name for name, count in Counter(case.id for case in cases).items() if count > 1), None)
    if twice is not None:
        raise DataError(f"{printable(path)}: the id '{twice}' occurs twice; give every case its own")
    return cases


def _read_line(line: str, place: str) -> Case:
    try:
        return Case.model_validate_json(line)
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the line"
        raise DataError(f"{place}: {where}: {first['msg']}; mend or remove this line") from problem


def write_cases(path: Path, cases: Sequence[Case]) -> None:
    """Write cases as JSON Lines, one case a line."""
    path.write_text("".join(case.model_dump_json() + "\n" for case in cases), encoding="utf-8")
