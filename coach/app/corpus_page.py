"""The Corpus page: passages that wait for a coach's decision, search with citations, and new documents."""

from pathlib import Path
from typing import Any

import gradio as gr

from coach.app import view
from coach.app.person import notice_html, problem_html, who
from coach.app.state import App
from coach.domain.errors import CoachError, InputError
from coach.domain.passage import Passage
from corpus.reader import ReadDocument, read_document
from corpus.search import search
from corpus.store import Added

LICENCES = ["", "CC-BY-4.0", "CC-BY-SA-4.0", "CC0-1.0", "Apache-2.0", "own"]
_TYPES = [".md", ".txt", ".pdf", ".csv", ".xlsx"]
_INTRO = (
    "<h1>What the coach learns from</h1><p class='muted'>Nothing is used before a coach has accepted it. "
    "Every decision is kept with the name of who made it.</p>"
)
MAX_SHOWN_PROBLEMS = 8


def make_corpus_page(app: App, pages: gr.Blocks) -> None:
    """Lay out the page and connect it; call it inside its route."""
    page = _CorpusPage(app)
    passage_id, version, skipped = gr.State(""), gr.State(0), gr.State(0)
    gr.HTML(_INTRO)
    with gr.Row(elem_classes="curate", equal_height=False):
        with gr.Column(min_width=300, elem_id="review"):
            gr.HTML("<h2>To be reviewed</h2>")
            about = gr.HTML(elem_id="passage")
            with gr.Column(visible=False, elem_classes="decide") as decide:
                text = gr.Textbox(label="Passage", lines=6, max_lines=20, max_length=8000, elem_id="passage-text")
                note = gr.Textbox(label="Note for other coaches", max_length=1000, elem_id="note")
                reviewer = gr.Textbox(
                    label="Your name", max_length=80, elem_id="reviewer", visible=app.accounts is None
                )
                with gr.Row(elem_classes="verdicts"):
                    accept = gr.Button("Accept", variant="primary", elem_id="accept", min_width=90)
                    edit = gr.Button("Accept my edit", elem_id="edit", min_width=120)
                    reject = gr.Button("Reject", elem_id="reject", min_width=90)
                    skip = gr.Button("Later", elem_id="later", min_width=80)
            told = gr.HTML(elem_id="review-told")
            gr.HTML("<h2>Add a document</h2>")
            file = gr.File(label="Markdown, text, PDF, CSV or XLSX", file_types=_TYPES, height=130, elem_id="document")
            licence = gr.Dropdown(LICENCES, value="", label="Licence of the text", allow_custom_value=True)
            add = gr.Button("Read it", elem_id="add-document")
            added = gr.HTML(elem_id="added")
        with gr.Column(min_width=300):
            gr.HTML("<h2>Search</h2>")
            query = gr.Textbox(
                placeholder="late elbows, 槓鈴往前跑 …",
                label="Search",
                show_label=False,
                container=False,
                elem_id="query",
            )
            hits = gr.HTML(elem_id="hits")

    shown = [passage_id, version, about, decide, text, note, told]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    pages.load(page.first, [skipped], [reviewer, *shown], **quiet)
    for button, decision in ((accept, "accept"), (edit, "edit"), (reject, "reject")):
        inputs = [passage_id, version, text, note, reviewer, skipped]
        button.click(page.decider(decision), inputs, shown, **quiet)
    skip.click(page.later, [skipped], [skipped, *shown], **quiet)
    query.submit(page.search, [query], [hits], **quiet)
    reading = add.click(page.add, [file, licence], [file, added], show_progress="minimal", api_visibility="private")
    reading.then(page.next, [skipped], shown, **quiet)


class _CorpusPage:
    """What happens on the page; the texts belong to all coaches, a decision to the one who made it."""

    def __init__(self, app: App) -> None:
        self._app = app

    def first(self, skipped: int, request: gr.Request) -> tuple[Any, ...]:
        """Show the first passage, and the name of who is logged in."""
        name = who(request) if self._app.accounts is not None else ""
        return name, *self.next(skipped, request)

    def next(self, skipped: int, request: gr.Request, told: str = "") -> tuple[Any, ...]:
        """Show the next passage that waits, after those that were left for later."""
        who(request)
        n = self._app.texts.count("proposed")
        if n == 0:
            return "", 0, "<p class='card'>Nothing waits for a decision.</p>", gr.Column(visible=False), "", "", told
        passage = self._app.texts.passages("proposed", limit=1, offset=skipped % n)[0]
        html = f"<p class='muted'>{n} {'waits' if n == 1 else 'wait'}</p>" + self._render(passage)
        return passage.id, passage.version, html, gr.Column(visible=True), passage.text, "", told

    def _render(self, passage: Passage) -> str:
        document = self._app.texts.documents()[passage.document_id]
        return view.render_passage(passage, document, self._app.texts.history(passage.id))

    def decider(self, decision: str) -> Any:
        """Return the handler of one decision."""

        def decide(
            passage_id: str, version: int, text: str, note: str, reviewer: str, skipped: int, request: gr.Request
        ) -> tuple[Any, ...]:
            name = who(request) if self._app.accounts is not None else reviewer
            words = {"edit": text}.get(decision)
            try:
                self._app.texts.review(
                    passage_id,
                    name,
                    decision,  # type: ignore[arg-type]
                    note,
                    text=words,
                    expected_version=version,
                )
            except InputError as problem:
                return (*(gr.skip() for _ in range(6)), problem_html(problem))
            except CoachError as problem:
                return self.next(skipped, request, problem_html(problem))
            return self.next(skipped, request)

        return decide

    def later(self, skipped: int, request: gr.Request) -> tuple[Any, ...]:
        """Leave a passage for later."""
        return skipped + 1, *self.next(skipped + 1, request)

    def search(self, query: str, request: gr.Request) -> str:
        """Show the accepted passages that answer a question, the shipped ones among them."""
        who(request)
        if not query.strip():
            return ""
        try:
            return view.render_hits(search(self._app.all_texts, query))
        except CoachError as problem:
            return problem_html(problem)

    def add(self, file: str | None, licence: str | None, request: gr.Request) -> tuple[Any, ...]:
        """Read a document into the queue and say what became of it."""
        who(request)
        if not file:
            return gr.skip(), problem_html("choose a document first")
        path = Path(file)
        try:
            read = read_document(path, licence=(licence or "").strip() or None)
            added = self._app.texts.add(read.document, read.passages)
        except CoachError as problem:
            return None, problem_html(problem)
        finally:
            path.unlink(missing_ok=True)
        return None, _told(read, added)


def _told(read: ReadDocument, added: Added) -> str:
    parts = [f"{added.n_new} new {'passage' if added.n_new == 1 else 'passages'}"]
    if added.n_known:
        parts.append(f"{added.n_known} known already")
    if added.exact_duplicates or added.near_duplicates:
        parts.append(f"{len(added.exact_duplicates) + len(added.near_duplicates)} much like others")
    if masked := sum(read.masked.values()):
        parts.append(f"{masked} names or contacts masked")
    problems = [f"{p.place}: {p.message}" for p in (*read.problems, *read.warnings)]
    rest = len(problems) - MAX_SHOWN_PROBLEMS
    shown = problems[:MAX_SHOWN_PROBLEMS] + ([f"… and {rest} more"] if rest > 0 else [])
    return notice_html(f"{read.document.title}: {', '.join(parts)}.") + "".join(problem_html(one) for one in shown)
