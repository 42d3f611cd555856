"""How one simulated clip was measured: every lift of it beside its truth, with plates and without."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from coach.domain.base import Record
from coach.domain.errors import CoachError, SetupError
from coach.domain.guidance import Guidance
from coach.domain.lift import InstantName, Lift, LiftName, Outcome, Report, View
from coach.domain.measures import Source
from coach.domain.settings import AnalysisSettings
from coach.faults import judge
from coach.guidance import write_guidance
from coach.writer import WRITERS
from corpus.knowledge.library import load_library
from perception.simulator.truth import TrueLift, Truth, read_truth
from perception.summarise import measure_watched
from perception.watch import watch_clip

Track = Literal["plate", "hands", "bare"]
"""Plates as they come, the same clip as if its plates could not be seen, and a clip of a bar without plates."""
SAME_LIFT_S = 0.6  # s, lifts whose peak speeds are farther apart are not the same lift
PULLED: tuple[InstantName, ...] = ("start", "peak_velocity", "max_height", "catch")
STAGES: dict[LiftName, tuple[InstantName, ...]] = {
    "squat": ("dip_start", "dip_bottom", "peak_velocity", "max_height"),
    "deadlift": ("start", "peak_velocity", "max_height"),
    "jerk": ("dip_bottom", "peak_velocity", "max_height", "catch"),
}
"""The instants that are scored; those of `PULLED` for every other lift."""


class Pair(Record):
    """One measured value beside its truth."""

    value: float
    low: float
    high: float
    truth: float
    source: Source = "plate"
    limited_by: str | None = None

    @property
    def is_inside(self) -> bool:
        """Whether the 90 % interval holds the truth."""
        return self.low <= self.truth <= self.high


class LiftScore(Record):
    """One true lift and what was found of it; without `kind` it was not found."""

    lift: LiftName
    variant: str = ""
    fault: str | None = None
    true_outcome: Outcome
    kind: LiftName | None = None
    outcome: Outcome | None = None
    instant_errors_s: dict[str, float | None] = Field(default_factory=dict)
    instant_inside: dict[str, bool] = Field(default_factory=dict)
    measures: dict[str, Pair] = Field(default_factory=dict)
    priorities: tuple[str, ...] = ()


class ClipScore(Record):
    """One clip, followed by one track; `problem` is the message when nothing could be measured."""

    name: str
    track: Track
    view: View
    seen_view: View | None = None
    frame_rate_hz: float
    n_found: int = 0
    view_and_facing_right: bool = False
    problem: str | None = None
    warnings: tuple[str, ...] = ()
    lifts: tuple[LiftScore, ...]

    @property
    def count_and_kinds_right(self) -> bool:
        """Whether exactly the true lifts were found, each as what it is."""
        return self.n_found == len(self.lifts) and all(lift.kind == lift.lift for lift in self.lifts)

    @property
    def outcomes_right(self) -> bool:
        """Whether every lift was found and ended as it was said to."""
        return all(lift.outcome == lift.true_outcome for lift in self.lifts)


def score_clip(folder: Path, *, tracks: Sequence[Track] = ("plate", "hands")) -> list[ClipScore]:
    """Return how one simulated clip was measured, once for each of the tracks.

    Args:
        folder: With `lift.mp4` and `truth.json`.
        tracks: "hands" measures as if the plate could not be seen; "bare" is for clips that show none.
    """
    truth = read_truth(folder / "truth.json")
    settings = AnalysisSettings(
        bar_mass_kg=truth.bar_mass_kg,
        body_mass_kg=truth.lifter.mass_kg,
        height_m=truth.lifter.height_m,
        plate_diameter_m=truth.plate_diameter_m,
    )
    blank = {
        track: ClipScore(
            name=folder.name,
            track=track,
            view=truth.view,
            frame_rate_hz=truth.frame_rate_hz,
            lifts=tuple(_not_found(lift) for lift in truth.lifts),
        )
        for track in tracks
    }
    try:
        clip, watched = watch_clip(folder / truth.file_name, settings, None)
    except SetupError:
        raise
    except CoachError as problem:
        return [score.model_copy(update={"problem": str(problem)}) for score in blank.values()]
    scores = []
    for track, score in blank.items():
        try:
            report = measure_watched(clip, watched, settings, use_plate=track != "hands").report
        except CoachError as problem:
            scores.append(score.model_copy(update={"problem": str(problem)}))
        else:
            scores.append(_compare(score, report, truth, advises=track != "hands"))
    return scores


def _not_found(true: TrueLift) -> LiftScore:
    return LiftScore(lift=true.lift, variant=true.variant, fault=true.fault, true_outcome=true.outcome)


def _compare(score: ClipScore, report: Report, truth: Truth, *, advises: bool) -> ClipScore:
    matched = _match(truth.lifts, report.lifts)
    lifts = [
        blank if found is None else _compare_lift(blank, true, found, report if advises else None)
        for blank, true, found in zip(score.lifts, truth.lifts, matched, strict=True)
    ]
    return score.model_copy(
        update={
            "seen_view": report.camera.view,
            "n_found": len(report.lifts),
            "view_and_facing_right": (report.camera.view, report.camera.facing) == (truth.view, truth.facing),
            "warnings": report.warnings,
            "lifts": tuple(lifts),
        }
    )


def _match(true: Sequence[TrueLift], found: Sequence[Lift]) -> list[Lift | None]:
    """Return for each true lift the found one whose peak speed is nearest in time, each at most once."""
    left = list(found)
    out: list[Lift | None] = []
    for lift in true:
        peak = lift.instants["peak_velocity"]
        near = min(left, key=lambda one: _apart_s(one, peak.time_s if peak else 0.0), default=None)
        if near is None or peak is None or _apart_s(near, peak.time_s) > SAME_LIFT_S:
            out.append(None)
            continue
        left.remove(near)
        out.append(near)
    return out


def _apart_s(lift: Lift, time_s: float) -> float:
    peak = lift.instants.get("peak_velocity")
    return abs(peak.time_s - time_s) if peak else float("inf")


def _compare_lift(blank: LiftScore, true: TrueLift, found: Lift, report: Report | None) -> LiftScore:
    errors: dict[str, float | None] = {}
    inside: dict[str, bool] = {}
    for name, moment in true.instants.items():
        if moment is None:
            continue
        seen = found.instants.get(name)
        errors[name] = None if seen is None else seen.time_s - moment.time_s
        if seen is not None:
            inside[name] = abs(seen.time_s - moment.time_s) <= 1.645 * seen.sd_s
    return blank.model_copy(
        update={
            "kind": found.lift,
            "outcome": found.outcome,
            "instant_errors_s": errors,
            "instant_inside": inside,
            "measures": _pairs(true.measures, found) if found.lift == true.lift else {},
            "priorities": () if report is None else tuple(p.fault for p in _advise(report, found).priorities),
        }
    )


def _pairs(true: Mapping[str, float], found: Lift) -> dict[str, Pair]:
    return {
        name: Pair(value=m.value, low=m.low, high=m.high, truth=true[name], source=m.source, limited_by=m.limited_by)
        for name, m in found.measures.items()
        if name in true
    }


def _advise(report: Report, lift: Lift) -> Guidance:
    library = load_library()
    judged = lift.model_copy(update={"findings": judge(lift, report.camera, library)})
    return write_guidance(report, judged, library, WRITERS.load("rules"), "en")
