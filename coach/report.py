"""The report for people: report.html, one file with everything in it, and the same for the terminal."""

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from coach.coverage import Judged, judged_on_page
from coach.domain.guidance import Guidance, Priority
from coach.domain.lift import Finding, Lift, Report
from coach.domain.measures import MEASURES, Measure
from coach.domain.words import (
    INSTANT_WORDS,
    LIFT_WORDS,
    LIMIT_WORDS,
    OUTCOME_WORDS,
    PLOT_WORDS,
    SOURCE_WORDS,
    instant_words,
    measure_name,
    plain,
    precision_word,
)
from coach.wording import shown, unit_word
from corpus.knowledge.library import load_library

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

EMBED_LIMIT_BYTES = 25_000_000  # bytes of video that a mail and a phone still take as one page
CLEAR = 0.8  # confidence from which a fault may be coloured
LIKELY = 0.5  # confidence from which a finding is called likely

_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".mp4": "video/mp4"}


class Picture(NamedTuple):
    """A key frame on the page."""

    words: str
    time_s: float
    data: str


class Plot(NamedTuple):
    """A plot on the page."""

    caption: str
    data: str


class Jump(NamedTuple):
    """An instant one can jump to."""

    words: str
    time_s: float


class ShownMeasure(NamedTuple):
    """One measure as text; the three numbers share one unit and one number of decimals."""

    name: str
    value: str
    low: str
    high: str
    unit: str

    @property
    def with_unit(self) -> str:
        """Return value and unit, such as `13 cm`."""
        return self.value + ("" if self.unit in ("", "°") else " ") + self.unit

    @property
    def interval(self) -> str:
        """Return the 90 % interval without unit, such as `11 to 15`."""
        return f"{self.low} to {self.high}"


class Card(NamedTuple):
    """A priority with what is known about it."""

    priority: Priority
    rank: str
    title: str
    sureness: str
    is_clear: bool
    evidence: list[ShownMeasure]
    time_s: float | None


class Row(NamedTuple):
    """A line of the table of measures."""

    shown: ShownMeasure
    meaning: str
    source: str
    precision: str
    limit: str


class LiftOnPage(NamedTuple):
    """One lift as the page shows it."""

    name: str
    guidance: Guidance | None
    judged: Judged | None
    cards: list[Card]
    instants: list[Jump]
    keyframes: list[Picture]
    rows: list[Row]
    missing: list[tuple[str, list[str]]]


class Page(NamedTuple):
    """Everything the template shows."""

    title: str
    subtitle: str
    lifts: list[LiftOnPage]
    video: str | None
    video_is_linked: bool
    frame_rate_hz: float
    plots: list[Plot]
    left_out: list[str]
    warnings: list[str]
    facts: list[tuple[str, str]]
    safety: list[str]


def write_html(
    report: Report,
    guidance: Mapping[int, Guidance],
    out_dir: Path,
    *,
    plots: Sequence[tuple[str, str]] | None = None,
    left_out: Sequence[str] = (),
    video: str = "annotated.mp4",
    embed_limit_bytes: int = EMBED_LIMIT_BYTES,
) -> Path:
    """Write `report.html`, which needs no other file and no network, and return its path.

    Args:
        report: What was measured; its key frames are read from `out_dir`.
        guidance: What the coach says, by lift number; a lift may have none.
        out_dir: The folder of the analysis.
        plots: (path relative to `out_dir`, caption) of each plot; None takes those in `plots/`.
        left_out: Why a plot that one may look for is not there, a sentence each.
        video: Path of the annotated video relative to `out_dir`; left out when there is no such file.
        embed_limit_bytes: A larger video is not put into the page but read from the file beside it.
    """
    address, is_linked = _video_address(out_dir, video, embed_limit_bytes)
    page = Page(
        title=_title(report),
        subtitle=f"{report.clip.file_name} · {report.clip.duration_s:.1f} s · seen from: {report.camera.view}",
        lifts=[_lift_on_page(report, lift, guidance.get(lift.number), out_dir) for lift in report.lifts],
        video=address,
        video_is_linked=is_linked,
        frame_rate_hz=report.clip.frame_rate_hz,
        plots=_plots(report, out_dir, plots),
        left_out=list(left_out),
        warnings=list(report.warnings),
        facts=_facts(report, guidance),
        safety=list(dict.fromkeys(g.safety for g in guidance.values() if g.safety)),
    )
    path = out_dir / "report.html"
    path.write_text(_render(page), encoding="utf-8", newline="\n")
    return path


def _render(page: Page) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    loader = PackageLoader("coach", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, finalize=_printable
    )
    style = loader.get_source(environment, "report.css")[0]
    script = loader.get_source(environment, "report.js")[0]
    several = len(page.lifts) > 1

    def about(lift: LiftOnPage) -> str:
        return f": {lift.name}" if several else ""

    return environment.get_template("report.html.j2").render(
        page=page,
        about=about,
        policy=_policy(style, script, page.video_is_linked),
        style=Markup(style),
        script=Markup(script),
    )


def _printable(value: object) -> object:
    """Return a value of the template without control characters; our own style and script stay as they are."""
    if type(value) is not str or value.startswith("data:"):
        return value
    return one_line(value)


def _policy(style: str, script: str, video_is_linked: bool) -> str:
    """Return a policy that allows this page's own style and script by their hashes, and no request to any server."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src 'sha256-{_hash(style)}'",
            f"script-src 'sha256-{_hash(script)}'",
            "img-src data:",
            "media-src data: blob:" + (" 'self' file:" if video_is_linked else ""),
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def one_line(text: str) -> str:
    """Return text without control characters, so that no file name can move a cursor or break a line."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _data_address(path: Path) -> str:
    return f"data:{_TYPES[path.suffix.lower()]};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def _file_inside(out_dir: Path, relative: str) -> Path | None:
    """Return a picture or video of the analysis, or None when it is not there or lies elsewhere."""
    path = (out_dir / relative).resolve()
    if path.suffix.lower() not in _TYPES or not path.is_relative_to(out_dir.resolve()) or not path.is_file():
        return None
    return path


def _video_address(out_dir: Path, video: str, limit_bytes: int) -> tuple[str | None, bool]:
    path = _file_inside(out_dir, video)
    if path is None:
        return None, False
    if path.stat().st_size > limit_bytes:
        return video, True
    return _data_address(path), False


def _plots(report: Report, out_dir: Path, plots: Sequence[tuple[str, str]] | None) -> list[Plot]:
    if plots is None:
        several = len(report.lifts) > 1
        plots = [
            (f"plots/lift{lift.number}-{name}.png", (f"{lift_name(lift, several)}: " if several else "") + words)
            for lift in report.lifts
            for name, words in PLOT_WORDS.items()
        ]
    found = ((caption, _file_inside(out_dir, path)) for path, caption in plots)
    return [Plot(caption, _data_address(path)) for caption, path in found if path is not None]


def _title(report: Report) -> str:
    if not report.lifts:
        return "No lift found"
    several = len(report.lifts) > 1
    return " · ".join(f"{lift_name(lift, several)}, {OUTCOME_WORDS[lift.outcome]}" for lift in report.lifts)


def lift_name(lift: Lift, with_number: bool) -> str:
    """Return what a lift is called, such as `Snatch` or `Snatch 2`."""
    return LIFT_WORDS[lift.lift] + (f" {lift.number}" if with_number else "")


def _lift_on_page(report: Report, lift: Lift, guidance: Guidance | None, out_dir: Path) -> LiftOnPage:
    pictures = ((k, _file_inside(out_dir, k.path)) for k in lift.keyframes)
    return LiftOnPage(
        name=lift_name(lift, len(report.lifts) > 1),
        guidance=guidance,
        judged=judged_on_page(lift, report.camera, load_library(), guidance.language) if guidance is not None else None,
        cards=_cards(report, lift, guidance) if guidance is not None else [],
        instants=[Jump(instant_words(n, lift.lift), i.time_s) for n in INSTANT_WORDS if (i := lift.instants.get(n))],
        keyframes=[
            Picture(instant_words(k.instant, lift.lift), frame_time_s(report, lift, k.frame), _data_address(path))
            for k, path in pictures
            if path is not None
        ],
        rows=table_rows(lift),
        missing=missing_by_reason(lift),
    )


def _cards(report: Report, lift: Lift, guidance: Guidance) -> list[Card]:
    findings = {finding.fault: finding for finding in lift.findings}
    cards = []
    for i, priority in enumerate(guidance.priorities):
        finding = findings.get(priority.fault)
        cards.append(
            Card(
                priority=priority,
                rank="Work on this first" if i == 0 else "Then this",
                title=plain(priority.fault).capitalize(),
                sureness=sureness(finding),
                is_clear=finding is not None and finding.level == "fault" and finding.confidence >= CLEAR,
                evidence=[
                    show_measure(key, lift.measures[key])
                    for key in priority.evidence
                    if key in lift.measures and key in MEASURES
                ],
                time_s=None if priority.at_frame is None else frame_time_s(report, lift, priority.at_frame),
            )
        )
    return cards


def show_measure(key: str, measure: Measure) -> ShownMeasure:
    """Return a measure as text, in the unit and with the decimals in which the guidance gives it."""
    number = shown(key, measure)
    value, low, high = (_number(x, number.decimals) for x in (number.value, number.low, number.high))
    return ShownMeasure(measure_name(key), value, low, high, unit_word(number.unit, "en"))


def _number(value: float, decimals: int) -> str:
    """Return a number with halves rounded away from zero, as people do, and never `-0`."""
    rounded = math.floor(abs(value) * 10**decimals + 0.5) / 10**decimals
    return ("−" if value < 0 and rounded > 0 else "") + f"{rounded:.{decimals}f}"


def sureness(finding: Finding | None) -> str:
    """Return how sure a finding is, in words; empty without a finding."""
    if finding is None:
        return ""
    if finding.confidence >= CLEAR:
        return "clearly seen"
    return "likely" if finding.confidence >= LIKELY else "worth another look"


def frame_time_s(report: Report, lift: Lift, frame: int) -> float:
    """Return the time of a frame, counted from the nearest instant because a clip's rate may vary."""
    known = [instant for instant in lift.instants.values() if instant is not None]
    rate = max(report.clip.frame_rate_hz, 1e-6)
    if not known:
        return frame / rate
    nearest = min(known, key=lambda instant: abs(instant.frame - frame))
    return max(nearest.time_s + (frame - nearest.frame) / rate, 0.0)


def table_rows(lift: Lift) -> list[Row]:
    """Return the measures of a lift as lines of a table, in the order of the catalogue."""
    order = [key for key in MEASURES if key in lift.measures]
    return [
        Row(
            shown=show_measure(key, lift.measures[key]),
            meaning=MEASURES[key].meaning,
            source=SOURCE_WORDS[lift.measures[key].source],
            precision=precision_word(lift.measures[key]),
            limit=LIMIT_WORDS.get(lift.measures[key].limited_by, ""),
        )
        for key in order
    ]


def missing_by_reason(lift: Lift) -> list[tuple[str, list[str]]]:
    """Return (reason, names of the measures) of what was not measured, those that share a reason together."""
    grouped: dict[str, list[str]] = {}
    for key, reason in lift.not_measured.items():
        grouped.setdefault(one_line(reason), []).append(measure_name(key))
    return list(grouped.items())


def _facts(report: Report, guidance: Mapping[int, Guidance]) -> list[tuple[str, str]]:
    clip, camera, pose = report.clip, report.camera, report.pose
    rate = f"{clip.frame_rate_hz:.2f} frames per second" + (", varying" if clip.is_variable_rate else "")
    writers = ", ".join(dict.fromkeys(_writer(g) for g in guidance.values()))
    numbers = sum(g.check.numbers_found for g in guidance.values())
    supported = sum(g.check.numbers_supported for g in guidance.values())
    removed = sum(len(g.check.removed) for g in guidance.values())
    facts = [
        ("Scale", _scale(report)),
        ("Camera", f"{camera.view} view, lifter faces {camera.facing}, {'moving' if camera.is_moving else 'still'}"),
        ("Cuts in the clip", ", ".join(f"frame {cut}" for cut in camera.cuts) or "none"),
        ("Pose", f"{pose.estimator}, athlete found in {pose.n_frames_with_athlete} of {clip.n_frames} frames"),
        ("Weights, SHA-256", pose.weights_sha256),
        ("Clip", f"{clip.width_px} × {clip.height_px} px, {rate}, {clip.n_frames} frames"),
        ("Clip, SHA-256", clip.sha256),
    ]
    if guidance:
        facts.append(("Guidance by", writers))
        facts.append(
            ("Numbers in the guidance", f"{supported} of {numbers} match a measure; {removed} sentences removed")
        )
    return facts


def _writer(guidance: Guidance) -> str:
    return " / ".join(part for part in (guidance.writer, guidance.model, guidance.adapter) if part)


def _scale(report: Report) -> str:
    scale = report.scale
    words = {
        "plate": "from the diameter of the plate",
        "height": "from the height of the athlete",
        "given": "as given",
        "none": "none: lengths and speeds were not measured",
    }[scale.method]
    if scale.m_per_px is None:
        return words
    sd = "" if scale.relative_sd is None else f", standard deviation {100 * scale.relative_sd:.1f} %"
    return f"{words}, {1 / scale.m_per_px:.0f} px per m{sd}"


def print_report(report: Report, guidance: Mapping[int, Guidance], console: "Console | None" = None) -> None:
    """Print guidance, measures, what was not measured and warnings for a person to read."""
    from rich.console import Console, Group
    from rich.padding import Padding
    from rich.text import Text

    console = console or Console()
    if not report.lifts:
        console.print(Text("No lift was found in this clip.", style="bold"))
    several = len(report.lifts) > 1
    for lift in report.lifts:
        said = guidance.get(lift.number)
        if said is not None:
            judged = judged_on_page(lift, report.camera, load_library(), said.language)
            console.print(_guidance_panel(lift, said, several, judged))
        console.print(_measures_table(lift, several))
        for reason, names in missing_by_reason(lift):
            line = Text.assemble(("not measured ", "dim"), "; ".join(names), (f" ({reason})", "dim"))
            console.print(Padding(line, (0, 1)))
    notes = [Text(f"! {one_line(warning)}", style="yellow") for warning in report.warnings]
    safety = dict.fromkeys(g.safety for g in guidance.values() if g.safety)
    if notes or safety:
        console.print(Padding(Group(*notes, *(Text(one_line(text), style="dim") for text in safety)), (1, 1, 0, 1)))


def _guidance_panel(lift: Lift, guidance: Guidance, several: bool, judged: Judged | None) -> "RenderableType":
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    findings = {finding.fault: finding for finding in lift.findings}
    parts: list[Any] = [Text.assemble(("Good  ", "bold green"), one_line(guidance.strength))]
    for i, priority in enumerate(guidance.priorities):
        heading = f"\n{i + 1}. {one_line(plain(priority.fault).capitalize())}"
        parts += [
            Text.assemble((heading, "bold"), (f"  {sureness(findings.get(priority.fault))}", "dim")),
            Text(one_line(priority.observation)),
            Text(one_line(priority.consequence)),
            Text.assemble("\n   ", (f" {one_line(priority.cue)} ", "bold reverse"), "\n"),
            Text.assemble(("Drill  ", "bold"), one_line(priority.drill)),
        ]
    if judged is not None:
        parts.append(Text("\n" + " ".join(map(one_line, judged.lines)), style="dim"))
    if guidance.next_film:
        parts.append(Text.assemble(("\nNext film  ", "bold"), one_line(guidance.next_film)))
    title = Text(f"{lift_name(lift, several)}, {OUTCOME_WORDS[lift.outcome]}", style="bold")
    return Panel(Group(*parts), title=title, title_align="left", padding=(1, 2))


def _measures_table(lift: Lift, several: bool) -> "RenderableType":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    if several:
        table.title = Text(lift_name(lift, several))
    table.add_column("measure")
    table.add_column("value", justify="right")
    table.add_column("90 % interval", justify="right")
    table.add_column("from")
    table.add_column("how exact")
    table.add_column("mostly limited by")
    for row in table_rows(lift):
        shown = row.shown
        table.add_row(
            shown.name, Text(shown.with_unit, style="bold"), shown.interval, row.source, row.precision, row.limit
        )
    return table
