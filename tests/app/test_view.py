"""What the page says about a lift: escaped, grouped, and with the time to jump to."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from coach.app import view
from coach.app.figures import draw_figures
from coach.app.state import App
from coach.domain.errors import InputError
from coach.domain.measures import MEASURES
from tests.coach.made_up_lifts import LIBRARY, guide, make_lift, make_report


@pytest.fixture
def top(app: App, add_lift: Callable[..., str]) -> str:
    return view.render_top(app.analysed(add_lift(), "me"), app.library)


def test_the_guidance_stands_on_the_page_with_its_cue_and_its_evidence(top: str) -> None:
    assert "What went well" in top
    assert "Bar swings forward after hip contact" in top
    assert re.search(r'class="jump chip" data-time="[\d.]+"><b>19(?:\.0)? cm</b> forward loop', top)


def test_every_frame_that_the_coach_names_can_be_clicked(top: str) -> None:
    named = re.findall(r"frame \d+", re.sub(r"<button[^>]*>frame \d+</button>", "", top))

    assert named == []
    assert re.search(r'<button type="button" class="jump word" data-time="[\d.]+">frame \d+</button>', top)


def test_a_hostile_file_name_is_text_on_the_page(app: App, add_lift: Callable[..., str]) -> None:
    analysed = app.analysed(add_lift(), "me")
    title = "<img src=x onerror=alert(1)>\x1b[31m.mp4"
    hostile = view.render_top(
        type(analysed)(
            analysed.stored.model_copy(update={"title": title}), analysed.folder, analysed.report, analysed.guidances
        ),
        app.library,
    )

    assert "<img src=x" not in hostile
    assert "\x1b" not in hostile
    assert "&lt;img src=x" in hostile


def test_every_measure_belongs_to_a_group() -> None:
    groups = {view._group(measure) for measure in MEASURES}

    assert groups == {name for name, _ in view.GROUPS}


def test_what_was_not_measured_stands_there_with_its_reason(app: App, add_lift: Callable[..., str]) -> None:
    analysed = app.analysed(add_lift(), "me")
    lift = make_lift({"bar_drop_m": None}, not_measured={"bar_drop_m": "the catch was hidden"})
    changed = type(analysed)(analysed.stored, analysed.folder, make_report(lift), analysed.guidances)

    html = view.render_measures(changed, LIBRARY)

    assert re.search(r"<dt>drop to the catch</dt>\s*<dd>the catch was hidden</dd>", html)


def test_a_blind_text_does_not_say_who_wrote_it() -> None:
    lift = make_lift({"bar_forward_loop_m": 0.19})
    report = make_report(lift)

    html = view.render_guidance(guide(lift), report, report.lifts[0], LIBRARY)

    assert "Written by" not in html
    assert "rules" not in html


def test_the_plots_leave_out_what_was_not_seen(app: App, add_lift: Callable[..., str]) -> None:
    analysed = app.analysed(add_lift(), "me")
    lift = analysed.report.lifts[0]

    figures = draw_figures(analysed.folder, lift, seen_from_side=True)
    from_the_front = draw_figures(analysed.folder, lift, seen_from_side=False)

    assert figures.over_time is not None
    assert figures.path is not None
    assert from_the_front.path is None
    words = {annotation.text for annotation in figures.over_time.layout.annotations}
    assert {"peak speed", "max height", "catch"} <= words


def test_an_empty_clip_is_refused_before_it_waits(app: App, tmp_path: Path) -> None:
    from coach.app.state import Options

    clip = tmp_path / "empty.mp4"
    clip.write_bytes(b"")

    with pytest.raises(InputError, match="0 bytes"):
        app.take_clip("me", clip, Options())
    assert app.lifts("me") == []
