"""The conversation beside a lift: streamed answers, stop, retry, undo, edit, thumbs; everything said is stored."""

import re
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import gradio as gr

from coach import session
from coach.app.person import who
from coach.app.state import Analysed, App, options_from
from coach.app.view import FRAME, frame_times
from coach.domain.errors import CoachError, InputError
from coach.domain.guidance import Language
from coach.domain.measures import MEASURES
from coach.report import frame_time_s, show_measure
from coach.store import Message

MAX_QUESTION = 1000  # characters
MAX_LINKS = 3  # places in the video named under one answer
FEEDBACK = ("Like", "Dislike", "Wrong number", "Not clear")
SUGGESTIONS: dict[Language, tuple[str, str, str]] = {
    "en": ("What should I practise next?", "What did I do well?", "How sure are you about that?"),
    "zh-Hant": ("我接下來該練什麼?", "我哪裡做得好?", "這個有多準?"),
    "zh-Hans": ("我接下来该练什么?", "我哪里做得好?", "这个有多准?"),
}
_THINKING = "…"
_HINT = (
    "**Ask about this lift.** Answers rest on what was measured in it. "
    "For pain or an injury, ask a doctor or physiotherapist."
)


class ChatPanel(NamedTuple):
    """The parts of the panel that the page fills when a lift is shown."""

    chatbot: gr.Chatbot
    box: gr.Textbox
    suggestions: tuple[gr.Button, gr.Button, gr.Button]


class ChatView(NamedTuple):
    """What the panel shows for one lift."""

    messages: list[dict[str, Any]]
    feedback: list[str | None]
    suggestions: tuple[str, ...]


def chat_view(app: App, analysed: Analysed, owner: str) -> ChatView:
    """Return the stored conversation about a lift as the panel shows it."""
    said = app.store.messages(analysed.stored.id, owner)
    language: Language = next((g.language for g in analysed.guidances.values()), "en")
    return ChatView(
        [_bubble(message, analysed) for message in said],
        [message.feedback for message in said if message.role == "assistant"],
        SUGGESTIONS[language],
    )


def make_chat_panel(app: App, lift_id: gr.State) -> ChatPanel:
    """Lay out the panel and connect it; call it inside the column where it belongs."""
    chatbot = gr.Chatbot(
        elem_id="chat",
        label="Chat about this lift",
        show_label=False,
        placeholder=_HINT,
        editable="user",
        feedback_options=FEEDBACK,
        buttons=["copy"],
        layout="bubble",
        height=None,
        group_consecutive_messages=False,
        allow_tags=False,
        latex_delimiters=[],
    )
    with gr.Row(elem_classes="suggestions"):
        first, second, third = (gr.Button(text, size="sm", min_width=80) for text in SUGGESTIONS["en"])
    suggestions = (first, second, third)
    with gr.Row(elem_classes="ask"):
        box = gr.Textbox(
            placeholder="Ask about this lift …",
            show_label=False,
            label="Your question",
            container=False,
            max_length=MAX_QUESTION,
            scale=5,
            elem_id="question",
        )
        send = gr.Button("Ask", variant="primary", min_width=70, scale=1, elem_id="send")
        stop = gr.Button("Stop", min_width=70, scale=1, visible=False, elem_id="stop")
    _connect(_Conversation(app), ChatPanel(chatbot, box, suggestions), lift_id, send, stop)
    return ChatPanel(chatbot, box, suggestions)


def _connect(talk: "_Conversation", panel: ChatPanel, lift_id: gr.State, send: gr.Button, stop: gr.Button) -> None:
    chatbot, box = panel.chatbot, panel.box
    outputs = [chatbot, box, send, stop]
    common: dict[str, Any] = {
        "outputs": outputs,
        "show_progress": "minimal",
        "concurrency_limit": 8,
        "api_visibility": "private",
    }
    events = [
        gr.on([box.submit, send.click], talk.ask, [box, lift_id], **common),
        *(button.click(talk.ask, [button, lift_id], **common) for button in panel.suggestions),
        chatbot.retry(talk.retry, [lift_id], **common),
        chatbot.edit(talk.edit, [lift_id], **common),
    ]
    stop.click(talk.stopped, [chatbot], outputs, cancels=events, show_progress="hidden", api_visibility="private")
    chatbot.undo(talk.undo, [lift_id], [chatbot, box], show_progress="hidden", api_visibility="private")
    chatbot.clear(talk.clear, [lift_id], None, show_progress="hidden", api_visibility="private")
    chatbot.like(talk.like, [lift_id], None, show_progress="hidden", api_visibility="private")


class _Conversation:
    """What happens when a person asks, retries, edits, takes back or judges; every handler asks who it is."""

    def __init__(self, app: App) -> None:
        self._app = app

    def ask(self, question: str, lift_id: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Store a question and stream its answer."""
        question = question.strip()
        if not question:
            yield (gr.skip(), gr.skip(), gr.skip(), gr.skip())
            return
        yield from self._answer(lift_id, request, question, place=None)

    def retry(self, lift_id: str, request: gr.Request, event: gr.RetryData) -> Iterator[tuple[Any, ...]]:
        """Answer the question again that stands at or before the bubble."""
        said = self._messages(lift_id, request)
        place = _place(event.index)
        asked = [m for m in said if m.role == "user" and m.place <= place]
        if asked:
            yield from self._answer(lift_id, request, asked[-1].text, place=asked[-1].place)

    def edit(self, lift_id: str, request: gr.Request, event: gr.EditData) -> Iterator[tuple[Any, ...]]:
        """Put a new question in the place of an old one; what came after it is taken back."""
        yield from self._answer(lift_id, request, str(event.value).strip(), place=_place(event.index))

    def undo(self, lift_id: str, request: gr.Request, event: gr.UndoData) -> tuple[Any, ...]:
        """Take a question and its answer back; the question returns to the box."""
        said = self._messages(lift_id, request)
        asked = [m for m in said if m.role == "user" and m.place <= _place(event.index)]
        if not asked:
            return gr.skip(), gr.skip()
        self._app.store.take_back(lift_id, who(request), asked[-1].place)
        return self._bubbles(lift_id, request), asked[-1].text

    def clear(self, lift_id: str, request: gr.Request) -> None:
        """Take the whole conversation back."""
        if self._messages(lift_id, request):
            self._app.store.take_back(lift_id, who(request), 0)

    def like(self, lift_id: str, request: gr.Request, event: gr.LikeData) -> None:
        """Remember a thumb or another opinion about an answer."""
        value = event.liked if isinstance(event.liked, str) else FEEDBACK[0] if event.liked else FEEDBACK[1]
        try:
            self._app.store.add_feedback(lift_id, who(request), _place(event.index), value)
        except InputError as problem:
            raise gr.Error(str(problem), print_exception=False) from problem

    def stopped(self, shown: list[dict[str, Any]]) -> tuple[Any, ...]:
        """Leave what was said before a stop; the bubble goes in which nothing was said yet."""
        if shown and _THINKING in str(shown[-1]["content"]):
            shown = shown[:-1]
        return shown, gr.skip(), gr.Button(visible=True), gr.Button(visible=False)

    def _messages(self, lift_id: str, request: gr.Request) -> list[Message]:
        try:
            return self._app.store.messages(lift_id, who(request))
        except InputError as problem:
            raise gr.Error(str(problem), print_exception=False) from problem

    def _bubbles(self, lift_id: str, request: gr.Request) -> list[dict[str, Any]]:
        analysed = self._app.analysed(lift_id, who(request))
        return [_bubble(message, analysed) for message in self._messages(lift_id, request)]

    def _answer(self, lift_id: str, request: gr.Request, question: str, place: int | None) -> Iterator[tuple[Any, ...]]:
        """Store the question, stream the answer, and store what was said of it, even when it is stopped."""
        owner, began = who(request), time.monotonic()
        try:
            if len(question) > MAX_QUESTION:
                raise InputError(f"the question has {len(question)} characters: take {MAX_QUESTION} or fewer")
            analysed = self._app.analysed(lift_id, owner)
            asked = self._app.store.say(lift_id, owner, "user", question, place=place)
        except CoachError as problem:
            raise gr.Error(str(problem), print_exception=False) from problem
        before = self._app.store.messages(lift_id, owner)
        bubbles = [_bubble(message, analysed) for message in before]
        yield (
            [*bubbles, {"role": "assistant", "content": _THINKING}],
            "",
            gr.Button(visible=False),
            gr.Button(visible=True),
        )
        outcome, text = "stopped", ""
        evidence: tuple[str, ...] = ()
        try:
            for text, evidence in _said(analysed, question, before[: asked.place]):  # noqa: B007
                yield [*bubbles, {"role": "assistant", "content": text}], gr.skip(), gr.skip(), gr.skip()
            outcome = "answered"
        except CoachError as problem:
            outcome, text = "failed", f"I could not answer: {problem}"
        finally:
            now = self._app.store.messages(lift_id, owner)
            if text and now and now[-1].id == asked.id:  # nothing came in between
                self._app.store.say(lift_id, owner, "assistant", text, evidence)
            self._app.meters.answer_ended(outcome, time.monotonic() - began)
        yield self._bubbles(lift_id, request), gr.skip(), gr.Button(visible=True), gr.Button(visible=False)


def _said(analysed: Analysed, question: str, before: Sequence[Message]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the checked answer as it grows, with the measures it rests on."""
    writer = options_from(analysed.stored.settings).writer
    history = [
        (asked.text, said.text) for asked, said in pairwise(before) if asked.role == "user" and said.role == "assistant"
    ]
    text = ""
    with session.ask_stream(analysed.folder, question, writer=writer, history=history) as stream:
        for piece in stream:
            text += piece
            yield text, stream.answer.evidence
        if stream.answer.notice:
            yield f"{stream.answer.text}\n\n*{stream.answer.notice}*", stream.answer.evidence


def _place(index: Any) -> int:
    return int(index[0] if isinstance(index, (list, tuple)) else index)


def _bubble(message: Message, analysed: Analysed) -> dict[str, Any]:
    """Return a message as the chatbot shows it: under an answer stand the places in the video that it rests on."""
    if message.role == "user":
        return {"role": "user", "content": message.text}
    links = _links(message.evidence, analysed)
    return {"role": "assistant", "content": _with_links(message.text, analysed) + (f"\n\n{links}" if links else "")}


def _with_links(text: str, analysed: Analysed) -> str:
    """Return an answer in which every frame that is named leads to its place in the video."""
    if not analysed.report.lifts:
        return text
    times = frame_times(analysed.report, analysed.report.lifts[0])

    def link(match: re.Match[str]) -> str:
        time_s = times.get(int(match[1] or match[2]))
        return match[0] if time_s is None else f"[{match[0]}](#t={time_s:.3f})"

    return FRAME.sub(link, text)


def _links(evidence: Sequence[str], analysed: Analysed) -> str:
    links: dict[str, str] = {}
    for lift in analysed.report.lifts:
        for key in evidence:
            measure = lift.measures.get(key)
            if measure is None or measure.frame is None or key not in MEASURES:
                continue
            time_s = frame_time_s(analysed.report, lift, measure.frame)
            shown = show_measure(key, measure)
            links.setdefault(key, f"[▶ {shown.name} {shown.with_unit}](#t={time_s:.3f})")
    return " · ".join(list(links.values())[:MAX_LINKS])
