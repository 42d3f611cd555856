"""Labelled real clips: instants, kinds, what must be declined, and the path of the bar's end."""

import csv
from pathlib import Path

import numpy as np

from coach.domain.errors import CoachError, SetupError
from coach.domain.lift import InstantName, Lift, View
from coach.domain.settings import AnalysisSettings
from eval.accuracy import Row
from perception.summarise import Analysis, analyse_clip, follow_bar_end

STAGES: tuple[InstantName, ...] = ("start", "peak_velocity", "max_height", "catch")
BEYOND_TOLERANCE: dict[View, int] = {"side": 1, "front": 2, "rear": 2}  # frames more than the label's own tolerance
BAR_END_PX = 2.5  # px, mean distance from the bar's end as it was annotated by hand


def real_rows(clips: Path) -> list[Row]:
    """Return the table of labelled real clips in a folder with `labels.csv`.

    Raises:
        SetupError: The folder has no labels.
    """
    labels = clips / "labels.csv"
    if not labels.is_file():
        raise SetupError(f"{clips} holds no labels.csv; give the folder of labelled clips")
    with labels.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row for name in dict.fromkeys(r["file"] for r in rows) for row in _clip_rows(clips / name, rows)]


def _clip_rows(path: Path, labels: list[dict[str, str]]) -> list[Row]:
    mine = [label for label in labels if label["file"] == path.name]
    try:
        analysis = follow_bar_end(analyse_clip(path, AnalysisSettings()))
    except CoachError as problem:
        return [Row(what=path.name, n=1, result=str(problem), reached=False)]
    report = analysis.report
    shown = [label for label in mine if not _is_hidden(label)]
    wanted = ", ".join(f"{label['lift']} {label['outcome']}" for label in shown)
    found = ", ".join(f"{lift.lift} {lift.outcome}" for lift in report.lifts)
    seen = (report.camera.view, report.camera.facing)
    facing = mine[0]["facing"] or seen[1]
    rows = [
        Row(what=f"{path.name}: lifts", n=1, result=found, bar=wanted, reached=found == wanted),
        Row(
            what=f"{path.name}: view and facing",
            n=1,
            result=", ".join(seen),
            bar=f"{mine[0]['view']}, {facing}",
            reached=seen == (mine[0]["view"], facing),
        ),
    ]
    for label, lift in zip(shown, report.lifts, strict=False):
        rows += _lift_rows(path.name, label, lift)
    rows += [_declined_row(path.name, label, analysis) for label in mine if _is_hidden(label)]
    annotated = path.with_name(f"{path.stem}_bar_px.txt")
    return [*rows, _bar_end_row(path.name, analysis, annotated)] if annotated.is_file() else rows


def _is_hidden(label: dict[str, str]) -> bool:
    """Return whether a lift of the clip cannot be measured because its pull or drive was not filmed."""
    return label["lift"] != "squat" and not label["start_frame"]


def _lift_rows(name: str, label: dict[str, str], lift: Lift) -> list[Row]:
    rows = []
    tolerances = [int(v) for v in label["tolerance_frames"].split(";")] if label["start_frame"] else []
    beyond = BEYOND_TOLERANCE[label["view"]]  # type: ignore[index]
    for stage, tolerance in zip(STAGES, tolerances, strict=False):
        wanted, found = int(label[f"{stage}_frame"]), lift.instants.get(stage)
        rows.append(
            Row(
                what=f"{name}: {stage}",
                n=1,
                result="-" if found is None else f"frame {found.frame}",
                bar=f"{wanted} ± {tolerance} + {beyond}",
                reached=found is not None and abs(found.frame - wanted) <= tolerance + beyond,
            )
        )
    for column, measure in (
        ("peak_velocity_m_s", "bar_peak_velocity_m_s"),
        ("max_height_m", "bar_max_height_m"),
        ("drop_m", "bar_drop_m"),
    ):
        if label[column]:
            rows.append(_measure_row(name, lift, float(label[column]), measure))
    return rows


def _measure_row(name: str, lift: Lift, wanted: float, measure: str) -> Row:
    """Return how a measure compares with a label that is itself good to a tenth."""
    found = lift.measures.get(measure)
    if found is None:
        return Row(what=f"{name}: {measure}", n=1, result=lift.not_measured.get(measure, "-"))
    return Row(
        what=f"{name}: {measure}",
        n=1,
        result=f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f}) {found.unit}",
        bar=f"{wanted:.2f} ± 10 %",
        reached=abs(found.value - wanted) <= max(0.10 * wanted, 0.02),
    )


def _declined_row(name: str, label: dict[str, str], analysis: Analysis) -> Row:
    """Return whether a lift that was not filmed is left out, with the reason among the warnings."""
    kind, report = label["lift"], analysis.report
    said = [text for text in report.warnings if kind in text]
    return Row(
        what=f"{name}: {kind} declined",
        n=1,
        result=said[0] if said else "no reason given",
        bar="declined with the reason",
        reached=bool(said) and all(lift.lift != kind for lift in report.lifts),
    )


def _bar_end_row(name: str, analysis: Analysis, annotated: Path) -> Row:
    wanted = np.loadtxt(annotated, delimiter=",")
    end, plate = analysis.tracks.bar.end_px, analysis.tracks.bar.plate_px
    n = min(len(wanted), len(end))
    away = np.linalg.norm(end[:n] - wanted[:n], axis=1)
    seen = np.isfinite(away)
    mean = float(np.mean(away[seen])) if seen.any() else float("inf")
    shifted = plate[:n] - wanted[:n]
    shifted = shifted[np.isfinite(shifted).all(axis=1)]
    centre = float(np.mean(np.linalg.norm(shifted - shifted.mean(axis=0), axis=1))) if len(shifted) else float("nan")
    return Row(
        what=f"{name}: end of the bar",
        n=n,
        result=f"mean {mean:.1f} px in {int(seen.sum())} frames; plate centre less its mean offset {centre:.1f} px",
        bar=f"<= {BAR_END_PX} px",
        reached=mean <= BAR_END_PX and float(seen.mean()) >= 0.9,
    )
