"""The Lift page: load a clip, follow its analysis, see the video, guidance, plots and measures, and talk about it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from coach.app import view
from coach.app.chat_panel import chat_view, make_chat_panel
from coach.app.figures import Figures, draw_figures
from coach.app.person import problem_html, who
from coach.app.state import App, Options
from coach.domain.errors import CoachError, InputError
from coach.session import make_settings
from coach.store import StoredLift

LANGUAGES = [("English", "en"), ("繁體中文", "zh-Hant"), ("简体中文", "zh-Hans")]
POLL_S = 0.4  # s between two looks at a running analysis
_MARKS = {"waiting": " · waiting", "running": " · being analysed", "failed": " · failed", "cancelled": " · cancelled"}


class _Parts(NamedTuple):
    """What is filled when a lift is shown: the components, and in the same order what the handler yields for them."""

    progress: Any
    cancel: Any
    top: Any
    over_time: Any
    path: Any
    measures: Any
    remove: Any
    talk: Any
    chatbot: Any
    suggestion_1: Any
    suggestion_2: Any
    suggestion_3: Any
    picker: Any


class _Form(NamedTuple):
    """The form for a new clip."""

    panel: gr.Column
    file: gr.File
    bar_mass: gr.Textbox
    body_mass: gr.Textbox
    height: gr.Textbox
    language: gr.Dropdown
    writer: gr.Dropdown
    problem: gr.HTML
    go: gr.Button


def make_lift_page(app: App, pages: gr.Blocks) -> None:
    """Lay out the page and connect it; call it inside the Blocks of the pages."""
    lift_id = gr.State("")
    with gr.Row(elem_classes="choose"):
        picker = gr.Dropdown(
            [], label="Your lifts", show_label=False, container=False, filterable=False, elem_id="lifts", scale=4
        )
        new = gr.Button("＋ New lift", variant="primary", min_width=130, scale=0, elem_id="new")
    form = _make_form()
    with gr.Row(elem_classes="work", equal_height=False):
        with gr.Column(min_width=300, elem_classes="see"):
            progress = gr.HTML(elem_id="progress", visible=False)
            cancel = gr.Button("Cancel this analysis", visible=False, size="sm", elem_id="cancel")
            top = gr.HTML(elem_id="lift")
        with gr.Column(min_width=300, visible=False, elem_classes="talk") as talk:
            gr.HTML("<h2>Ask the coach</h2>")
            chat = make_chat_panel(app, lift_id)
        with gr.Column(min_width=300, elem_classes="more"):
            over_time = gr.Plot(visible=False, show_label=False, elem_id="over-time", elem_classes="plot")
            path = gr.Plot(visible=False, show_label=False, elem_id="path", elem_classes="plot")
            measures = gr.HTML(elem_id="measures")
            remove = gr.Button("Remove this lift", visible=False, size="sm", elem_id="remove")
    parts = _Parts(
        progress, cancel, top, over_time, path, measures, remove, talk, chat.chatbot, *chat.suggestions, picker
    )
    _connect(_LiftPage(app), pages, lift_id, parts, form, new)


def _make_form() -> _Form:
    with gr.Column(visible=False, elem_classes="new-lift", elem_id="new-lift") as panel:
        gr.HTML(
            "<h2>A new lift</h2><p class='muted'>One whole lift, filmed from the side at hip height, lifter and bar in "
            "the picture all the time. The clip stays on this machine.</p>"
        )
        file = gr.File(label="Video of the lift", file_types=["video"], height=150, elem_id="clip-file")
        with gr.Row():
            bar_mass = gr.Textbox(label="Bar with plates (kg)", placeholder="unknown", max_length=8, min_width=140)
            body_mass = gr.Textbox(label="Body mass (kg)", placeholder="unknown", max_length=8, min_width=140)
            height = gr.Textbox(label="Height (m)", placeholder="unknown", max_length=8, min_width=140)
            language = gr.Dropdown(LANGUAGES, value="en", label="Language", filterable=False, min_width=140)
            writer = gr.Dropdown(
                [("The rules", "rules")], value="rules", label="Written by", filterable=False, min_width=140
            )
        problem = gr.HTML(elem_id="form-problem")
        go = gr.Button("Analyse", variant="primary", elem_id="analyse")
    return _Form(panel, file, bar_mass, body_mass, height, language, writer, problem, go)


def _connect(
    page: "_LiftPage",
    pages: gr.Blocks,
    lift_id: gr.State,
    parts: _Parts,
    form: _Form,
    new: gr.Button,
) -> None:
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    shown = lift_id.change(page.show, [lift_id], list(parts), concurrency_limit=None, **quiet)
    pages.load(page.open, None, [lift_id, parts.picker], **quiet)
    parts.picker.input(page.pick, [parts.picker], [lift_id, form.panel], cancels=[shown], **quiet)
    new.click(page.offer_form, None, [form.panel, form.writer, form.problem], **quiet)
    form.go.click(
        page.take,
        [form.file, form.bar_mass, form.body_mass, form.height, form.language, form.writer],
        [lift_id, form.panel, form.file, form.problem],
        cancels=[shown],
        show_progress="minimal",
        api_visibility="private",
    )
    parts.cancel.click(page.cancel, [lift_id], None, **quiet)
    parts.remove.click(page.remove, [lift_id], [lift_id], js=_CONFIRM, **quiet)


_CONFIRM = "(id) => confirm('Remove this lift with its video and everything said about it?') ? id : ''"


class _LiftPage:
    """What happens on the page; every handler asks who it is and whether the lift is theirs."""

    def __init__(self, app: App) -> None:
        self._app = app

    def open(self, request: gr.Request) -> tuple[Any, ...]:
        """Choose the lift of the address, or the newest one."""
        owner = who(request)
        lifts = self._app.lifts(owner)
        wanted = dict(request.query_params).get("lift", "")
        chosen = next((lift.id for lift in lifts if lift.id == wanted), lifts[0].id if lifts else "")
        return chosen, gr.Dropdown(_choices(lifts), value=chosen or None)

    def pick(self, chosen: str | None) -> tuple[Any, ...]:
        """Go to a lift of the list."""
        return chosen or "", gr.Column(visible=False)

    def offer_form(self) -> tuple[Any, ...]:
        """Open the form with the writers there are now."""
        writers = [("The rules", "rules")]
        if self._app.models():
            writers.append(("The language model", "vlm"))
        return gr.Column(visible=True), gr.Dropdown(writers, value="rules"), ""

    def take(
        self,
        file: str | None,
        bar_mass: str,
        body_mass: str,
        height: str,
        language: str,
        writer: str,
        request: gr.Request,
    ) -> tuple[Any, ...]:
        """Take a clip into the queue, or say in the form what is wrong."""
        try:
            if not file:
                raise InputError("choose a video first")
            told = {"bar_mass_kg": bar_mass, "body_mass_kg": body_mass, "height_m": height}
            settings = make_settings(**{name: text.strip().replace(",", ".") or None for name, text in told.items()})
            options = Options.model_validate({"settings": settings, "writer": writer, "language": language})
            stored = self._app.take_clip(who(request), Path(file), options)
        except CoachError as problem:
            return gr.skip(), gr.skip(), gr.skip(), problem_html(problem)
        return stored.id, gr.Column(visible=False), None, ""

    def cancel(self, lift_id: str, request: gr.Request) -> None:
        """Stop the analysis of a lift."""
        try:
            self._app.store.lift(lift_id, who(request))
        except CoachError as problem:
            raise gr.Error(str(problem), print_exception=False) from problem
        self._app.worker.cancel(lift_id)

    def remove(self, lift_id: str, request: gr.Request) -> Any:
        """Forget a lift and go to another one."""
        if not lift_id:
            return gr.skip()
        owner = who(request)
        try:
            self._app.remove(lift_id, owner)
        except CoachError as problem:
            raise gr.Error(str(problem), print_exception=False) from problem
        lifts = self._app.lifts(owner)
        return lifts[0].id if lifts else ""

    async def show(self, lift_id: str, request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
        """Follow the analysis of a lift, then show it."""
        owner = who(request)
        if not lift_id:
            yield self._nothing(owner, "", _WELCOME)
            return
        try:
            async for told in self._follow(lift_id, owner):
                yield told
            yield await asyncio.to_thread(self._result, lift_id, owner)
        except CoachError as problem:
            yield self._nothing(owner, lift_id, problem_html(problem))

    async def _follow(self, lift_id: str, owner: str) -> AsyncIterator[tuple[Any, ...]]:
        last = None
        while True:
            now = self._app.worker.progress(lift_id, owner)
            if now.status not in ("waiting", "running"):
                return
            if last is None or now != last:
                text = view.render_progress(self._app.store.lift(lift_id, owner), now)
                if last is None:
                    yield self._nothing(owner, lift_id, text, can_cancel=True)
                else:
                    yield (gr.HTML(text), *(gr.skip() for _ in _Parts._fields[1:]))
            last = now
            await asyncio.sleep(POLL_S)

    def _nothing(self, owner: str, lift_id: str, text: str, *, can_cancel: bool = False) -> tuple[Any, ...]:
        """Return an empty page with a text where the progress stands."""
        empty = _Parts(
            progress=gr.HTML(text, visible=True),
            cancel=gr.Button(visible=can_cancel),
            top="",
            over_time=gr.Plot(visible=False),
            path=gr.Plot(visible=False),
            measures="",
            remove=gr.Button(visible=False),
            talk=gr.Column(visible=False),
            chatbot=[],
            suggestion_1=gr.skip(),
            suggestion_2=gr.skip(),
            suggestion_3=gr.skip(),
            picker=self._picker(owner, lift_id),
        )
        return tuple(empty)

    def _result(self, lift_id: str, owner: str) -> tuple[Any, ...]:
        stored = self._app.store.lift(lift_id, owner)
        if stored.status != "done":
            has_clip = self._app.clip_path(lift_id) is not None
            parts = self._nothing(owner, lift_id, view.render_failed(stored, has_clip))
            return tuple(_Parts(*parts)._replace(remove=gr.Button(visible=stored.owner == owner)))
        analysed = self._app.analysed(lift_id, owner)
        figures = Figures(None, None)
        if analysed.report.lifts:
            from_side = analysed.report.camera.view in ("side", "oblique")
            figures = draw_figures(analysed.folder, analysed.report.lifts[0], seen_from_side=from_side)
        chat = chat_view(self._app, analysed, owner)
        shown = _Parts(
            progress=gr.HTML(visible=False),
            cancel=gr.Button(visible=False),
            top=view.render_top(analysed, self._app.library),
            over_time=gr.Plot(figures.over_time, visible=figures.over_time is not None),
            path=gr.Plot(figures.path, visible=figures.path is not None),
            measures=view.render_measures(analysed, self._app.library),
            remove=gr.Button(visible=stored.owner == owner),
            talk=gr.Column(visible=bool(analysed.guidances)),
            chatbot=gr.Chatbot(chat.messages, feedback_value=chat.feedback),
            suggestion_1=gr.Button(chat.suggestions[0]),
            suggestion_2=gr.Button(chat.suggestions[1]),
            suggestion_3=gr.Button(chat.suggestions[2]),
            picker=self._picker(owner, lift_id),
        )
        return tuple(shown)

    def _picker(self, owner: str, lift_id: str) -> Any:
        return gr.Dropdown(_choices(self._app.lifts(owner)), value=lift_id or None)


_WELCOME = "<section class='card'><h1>Welcome</h1><p>Load the video of a lift with “New lift”.</p></section>"


def _choices(lifts: list[StoredLift]) -> list[tuple[str, str]]:
    return [
        (
            f"{lift.title}{'' if lift.is_shared else f' · {lift.created_at.astimezone():%d %b %H:%M}'}{_MARKS.get(lift.status, '')}",
            lift.id,
        )
        for lift in lifts
    ]
