"""Scores perception: simulated lifts with exact truth, and labelled real clips where they are at hand."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from coach.domain.base import Record
from eval.accuracy import MeasureRow, Row, all_rows, measure_rows
from eval.calibration import calibrate, cross_calibrated, recalibrated
from eval.clip_scores import ClipScore, Track, score_clip
from eval.real_clips import real_rows
from perception.measures import CALIBRATION, Calibration
from perception.simulator.dataset import write_dataset
from perception.simulator.lift_plan import LiftChoice
from perception.simulator.spec import Filming, View

OnProgress = Callable[[str, int, int], None]
_Job = tuple[Path, tuple[Track, ...], str]
SCORE_NAME = "scores.json"
BARE_FOLDER = "bare"
ONLY_DRAWN = "words overlay scene chart drawing plots exports alignment comparison_plots tracks"
"""Modules that show what was measured; a change of them changes no score."""


class ClipScores(Record):
    """The scores of one clip, as they lie beside it, and the factors on intervals that they were made with."""

    version: str
    calibration: Calibration
    scores: tuple[ClipScore, ...]


class PerceptionScores(Record):
    """All scores of one run; `calibration` are the factors that its clips ask for, where that was wanted."""

    rows: tuple[Row, ...]
    measures: tuple[MeasureRow, ...]
    clips: tuple[ClipScore, ...]
    calibration: Calibration | None = None


def run(
    data: Path,
    *,
    n: int = 60,
    skip: int = 0,
    seeds: Sequence[int] = (0,),
    workers: int = 2,
    lift: LiftChoice = "mixed",
    view: View | Literal["mixed"] = "mixed",
    bare: int = 0,
    clips: Path | None = None,
    calibrated_by: str | None = None,
    on_progress: OnProgress | None = None,
) -> PerceptionScores:
    """Simulate lifts into a folder (or go on with those already there), analyse them and compare with the truth.

    Scores lie beside their clips and are used again as long as the code that made them is the same.

    Args:
        data: Folder of simulated lifts; finished ones are kept and used again.
        n: Number of clips of each set.
        skip: How many of them, from the first, are left out: those that intervals were calibrated on.
        seeds: Of the sets; several sets lie in folders of their own in `data`, named after their seeds.
        workers: Processes.
        lift: One kind of lift, or "mixed" for all in turn.
        view: Where the camera stands, or "mixed".
        bare: Number of clips more in each set, of the same lifts with a bar without plates.
        clips: Folder with real clips and their `labels.csv`; None to leave them out.
        calibrated_by: To make factors for intervals from these clips: the words that say with what. Intervals are then
            judged by cross-calibration, each clip with the factors that the others ask for.
        on_progress: Called with stage, done and total.

    Raises:
        SetupError: The simulator is not installed.
        InputError: `data` cannot be used.
    """

    def drawn(folder: Path, seed: int, number: int, filming: Filming) -> list[Path]:
        return write_dataset(
            folder,
            n=number,
            seed=seed,
            lift=lift,
            fault="mixed",
            view=view,
            filming=filming,
            workers=workers,
            on_progress=on_progress and (lambda done, total: on_progress("simulate", done, total)),
        )

    version = _version()
    jobs: list[_Job] = []
    for seed in seeds:
        folder = data if len(seeds) == 1 else data / str(seed)
        jobs += [(one, ("plate", "hands"), version) for one in drawn(folder, seed, n, Filming())[skip:]]
        if bare:
            bars = drawn(folder / BARE_FOLDER, seed, bare, Filming(is_bare=True))
            jobs += [(one, ("bare",), version) for one in bars]
    scores = [score for part in _score_all(jobs, workers, on_progress) for score in part]
    calibration = None
    if calibrated_by is not None:
        calibration = calibrate(scores, CALIBRATION, calibrated_by)
        scores = cross_calibrated(scores, CALIBRATION)
    real = [] if clips is None else real_rows(clips)
    with_plate = [score for score in scores if score.track == "plate"]
    return PerceptionScores(
        rows=(*real, *all_rows(scores)),
        measures=tuple(measure_rows(with_plate)),
        clips=tuple(scores),
        calibration=calibration,
    )


def _score_all(jobs: Sequence[_Job], workers: int, on_progress: OnProgress | None) -> Iterable[Sequence[ClipScore]]:
    if workers == 1:
        yield from _counted(map(_scores_of, jobs), len(jobs), on_progress)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from _counted(pool.map(_scores_of, jobs), len(jobs), on_progress)


def _counted(
    results: Iterable[Sequence[ClipScore]], total: int, on_progress: OnProgress | None
) -> Iterable[Sequence[ClipScore]]:
    for done, score in enumerate(results, 1):
        if on_progress:
            on_progress("analyse", done, total)
        yield score


def _scores_of(job: _Job) -> Sequence[ClipScore]:
    folder, tracks, version = job
    path = folder / SCORE_NAME
    if path.is_file():
        try:
            known = ClipScores.model_validate_json(path.read_bytes())
        except ValidationError:
            known = None  # of an older program
        if known is not None and known.version == version:
            return [recalibrated(score, known.calibration, CALIBRATION) for score in known.scores]
    try:
        scores = score_clip(folder, tracks=tracks)
    except Exception as error:
        error.add_note(f"while scoring {folder}")
        raise
    path.write_text(
        ClipScores(version=version, calibration=CALIBRATION, scores=tuple(scores)).model_dump_json(), encoding="utf-8"
    )
    return scores


def _version() -> str:
    """Return a hash of what a measurement depends on but for the calibration, which is applied to finished scores."""
    root, digest = Path(__file__).parents[1], hashlib.sha256()
    drawn = set(ONLY_DRAWN.split())
    for part in ("perception", "coach/domain", "coach/faults.py", "coach/guidance.py", "corpus/knowledge"):
        for path in sorted((root / part).rglob("*")) or [root / part]:
            if path.suffix in (".py", ".yaml", ".csv") and "simulator" not in path.parts and path.stem not in drawn:
                digest.update(path.read_bytes())
    return digest.hexdigest()
