"""A lift as the page shows it: guidance, instants, key frames and measures as HTML with the times to jump to."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from coach.app.state import Analysed
from coach.app.worker import Progress
from coach.coverage import Judged, judged_on_page
from coach.domain.guidance import Guidance, Priority
from coach.domain.lift import Lift, Report
from coach.domain.measures import MEASURES
from coach.domain.passage import Document, Passage
from coach.domain.words import INSTANT_WORDS, OUTCOME_WORDS, SOURCE_WORDS, instant_words, plain, precision_word
from coach.report import (
    CLEAR,
    ShownMeasure,
    frame_time_s,
    lift_name,
    missing_by_reason,
    one_line,
    show_measure,
    sureness,
)
from coach.store import StoredLift
from corpus.knowledge.library import Library
from corpus.search import Hit
from corpus.store import Review

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("The bar", ("bar_", "transition_", "dip_")),
    ("Timing", ("time_", "drive_time_")),
    ("The body", ("knee_", "hip_", "trunk_", "elbow_", "foot_", "left_right_")),
    ("Work and force", ()),
    ("Is it plausible?", ("free_fall_", "impulse_check")),
)
"""Measures by the beginning of their id; the group with no beginning takes those of newton, joule and watt."""

_FORCE_UNITS = frozenset({"N", "J", "W", "N s"})


class Evidence(NamedTuple):
    """A measure behind a claim, and when it is to be seen."""

    shown: ShownMeasure
    time_s: float | None


class Card(NamedTuple):
    """A priority with what is known about it."""

    priority: Priority
    rank: str
    title: str
    sureness: str
    is_clear: bool
    evidence: list[Evidence]
    time_s: float | None


class Row(NamedTuple):
    """One measure in the table."""

    shown: ShownMeasure
    meaning: str
    source: str
    precision: str
    time_s: float | None


class Frame(NamedTuple):
    """A key frame."""

    words: str
    time_s: float
    address: str


class LiftView(NamedTuple):
    """One lift of a clip."""

    name: str
    outcome: str
    guidance: Guidance | None
    by: str
    judged: Judged | None
    cards: list[Card]
    times: dict[int, float]
    instants: list[tuple[str, float]]
    frames: list[Frame]
    groups: list[tuple[str, list[Row]]]
    missing: list[tuple[str, list[str]]]


FRAME = re.compile(r"\bframe (\d+)\b|第 (\d+) (?:影格|帧)")
"""A frame named in a text, as the coach writes it."""


def _with_jumps(text: str, times: Mapping[int, float]) -> Markup:
    """Return text in which every frame that is named can be clicked; `times` are the seconds of frames."""

    def button(match: re.Match[str]) -> str:
        time_s = times.get(int(match[1] or match[2]))
        if time_s is None:
            return match[0]
        return f'<button type="button" class="jump word" data-time="{time_s:.3f}">{match[0]}</button>'

    return Markup(FRAME.sub(button, str(escape(one_line(text)))))


_pages = Environment(
    loader=PackageLoader("coach.app", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=lambda value: one_line(value) if type(value) is str else value,
)
_pages.filters["jumps"] = _with_jumps


def render_top(analysed: Analysed, library: Library) -> str:
    """Return the video with its instants, the guidance and the key frames as HTML."""
    stored, report = analysed.stored, analysed.report
    address = f"/media/{stored.id}"
    return _pages.get_template("lift.html.j2").render(
        stored=stored,
        report=report,
        lifts=_lifts(analysed, library),
        video=f"{address}/annotated.mp4" if (analysed.folder / "annotated.mp4").is_file() else None,
        address=address,
    )


def render_measures(analysed: Analysed, library: Library) -> str:
    """Return the measures with their intervals, what was not measured and why, and warnings as HTML."""
    return _pages.get_template("measures.html.j2").render(
        report=analysed.report, lifts=_lifts(analysed, library), address=f"/media/{analysed.stored.id}"
    )


def render_failed(stored: StoredLift, has_clip: bool) -> str:
    """Return why a clip could not be analysed, what to do, and the clip itself, as HTML."""
    return _pages.get_template("failed.html.j2").render(
        stored=stored, clip=f"/media/{stored.id}/clip" if has_clip else None
    )


def render_guidance(guidance: Guidance, report: Report, lift: Lift, library: Library) -> str:
    """Return one guidance without any word of who wrote it, for a blind comparison, as HTML."""
    return _pages.get_template("guidance.html.j2").render(
        guidance=guidance,
        cards=_cards(report, lift, guidance, library),
        times=frame_times(report, lift),
        is_blind=True,
        judged=None,
        has_video=True,
        by="",
    )


def _lifts(analysed: Analysed, library: Library) -> list[LiftView]:
    report, several = analysed.report, len(analysed.report.lifts) > 1
    return [
        LiftView(
            name=lift_name(lift, several),
            outcome=OUTCOME_WORDS[lift.outcome],
            guidance=(said := analysed.guidances.get(lift.number)),
            by=" · ".join(part for part in (said.writer, said.model, said.adapter) if part) if said else "",
            judged=judged_on_page(lift, report.camera, library, said.language) if said else None,
            cards=_cards(report, lift, said, library) if said else [],
            times=frame_times(report, lift),
            instants=[(instant_words(n, lift.lift), i.time_s) for n in INSTANT_WORDS if (i := lift.instants.get(n))],
            frames=[
                Frame(
                    instant_words(k.instant, lift.lift),
                    frame_time_s(report, lift, k.frame),
                    f"/media/{analysed.stored.id}/{k.path}",
                )
                for k in lift.keyframes
            ],
            groups=_groups(report, lift),
            missing=missing_by_reason(lift),
        )
        for lift in report.lifts
    ]


def frame_times(report: Report, lift: Lift) -> dict[int, float]:
    """Return the seconds of every frame of the clip, by its number, counted from the nearest instant."""
    return {frame: frame_time_s(report, lift, frame) for frame in range(report.clip.n_frames)}


def _cards(report: Report, lift: Lift, guidance: Guidance, library: Library) -> list[Card]:
    findings = {finding.fault: finding for finding in lift.findings}
    cards = []
    for i, priority in enumerate(guidance.priorities):
        finding = findings.get(priority.fault)
        fault = library.faults.get(priority.fault)
        name = fault.texts[guidance.language].name if fault else plain(priority.fault)
        cards.append(
            Card(
                priority=priority,
                rank="Work on this first" if i == 0 else "Then this",
                title=name[:1].upper() + name[1:],
                sureness=sureness(finding),
                is_clear=finding is not None and finding.level == "fault" and finding.confidence >= CLEAR,
                evidence=[
                    Evidence(show_measure(key, lift.measures[key]), _time_of(report, lift, key))
                    for key in priority.evidence
                    if key in lift.measures and key in MEASURES
                ],
                time_s=None if priority.at_frame is None else frame_time_s(report, lift, priority.at_frame),
            )
        )
    return cards


def _groups(report: Report, lift: Lift) -> list[tuple[str, list[Row]]]:
    grouped: dict[str, list[Row]] = {name: [] for name, _ in GROUPS}
    for key in MEASURES:
        if key not in lift.measures:
            continue
        measure = lift.measures[key]
        grouped[_group(key)].append(
            Row(
                shown=show_measure(key, measure),
                meaning=MEASURES[key].meaning,
                source=SOURCE_WORDS[measure.source],
                precision=precision_word(measure),
                time_s=_time_of(report, lift, key),
            )
        )
    return [(name, rows) for name, rows in grouped.items() if rows]


def _group(measure_id: str) -> str:
    if MEASURES[measure_id].unit in _FORCE_UNITS:
        return "Work and force"
    return next(name for name, starts in reversed(GROUPS) if measure_id.startswith(starts) and starts)


def _time_of(report: Report, lift: Lift, measure_id: str) -> float | None:
    frame = lift.measures[measure_id].frame
    return None if frame is None else frame_time_s(report, lift, frame)


def render_progress(stored: StoredLift, progress: Progress) -> str:
    """Return how an analysis stands as HTML."""
    return _pages.get_template("progress.html.j2").render(title=stored.title, progress=progress)


def render_pair(report: Report, video: str, sides: Sequence[tuple[str, str]]) -> str:
    """Return a video with two rendered guidances beside each other as HTML."""
    return _pages.get_template("pair.html.j2").render(report=report, video=video, sides=sides)


def render_passage(passage: Passage, document: Document, history: Sequence[Review]) -> str:
    """Return where a passage comes from and what was decided about it before, as HTML."""
    return _pages.get_template("passage.html.j2").render(passage=passage, document=document, history=history)


def render_hits(hits: Sequence[Hit]) -> str:
    """Return passages that were found, each with its citation, as HTML."""
    return _pages.get_template("hits.html.j2").render(hits=hits)
