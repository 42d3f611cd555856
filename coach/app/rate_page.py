"""The Rate page: two guidances for the same lift beside its video, without a word of who wrote which."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from coach.app import view
from coach.app.person import notice_html, problem_html, who
from coach.app.rating import make_pairs, shown_pair
from coach.app.state import App
from coach.domain.errors import CoachError
from coach.store import Choice, Pair

VERDICTS: tuple[tuple[str, str], ...] = (
    ("A is better", "a"),
    ("B is better", "b"),
    ("Equally good", "tie"),
    ("Both are wrong", "both_wrong"),
)
_INTRO = (
    "<h1>Which guidance would you give?</h1><p class='muted'>Two texts about the same lift; who wrote which is hidden "
    "and their order is drawn by chance. Judge what is true in the video and what would help the athlete.</p>"
)


def make_rate_page(app: App, pages: gr.Blocks) -> None:
    """Lay out the page and connect it; call it inside its route."""
    page = _RatePage(app)
    pair_id = gr.State("")
    skipped = gr.State([])
    gr.HTML(_INTRO)
    count = gr.HTML(elem_id="count")
    pair = gr.HTML(elem_id="pair")
    with gr.Column(visible=False, elem_classes="verdict card") as verdict:
        reason = gr.Textbox(label="Why? (optional)", lines=2, max_length=2000, elem_id="reason")
        with gr.Row(elem_classes="verdicts"):
            buttons = [gr.Button(words, elem_id=f"vote-{key}", min_width=130) for words, key in VERDICTS]
            skip = gr.Button("Skip", elem_id="skip", min_width=90, scale=0)
    with gr.Row(elem_classes="tools"):
        make = gr.Button("Compare the rules and the language model on my lifts", elem_id="make-pairs", min_width=200)
        gr.HTML('<p>Your votes: <a href="/votes.csv" download>CSV</a> · <a href="/votes.jsonl" download>JSONL</a></p>')
    told = gr.HTML(elem_id="told")

    outputs = [pair_id, pair, verdict, reason, count]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    pages.load(page.next, [skipped], outputs, **quiet)
    for button, (_, key) in zip(buttons, VERDICTS, strict=True):
        button.click(page.voter(key), [pair_id, reason, skipped], outputs, **quiet)
    skip.click(page.skip, [pair_id, skipped], [skipped, *outputs], **quiet)
    making = make.click(page.make, None, [told], show_progress="minimal", api_visibility="private")
    making.then(page.next, [skipped], outputs, **quiet)


class _RatePage:
    """What happens on the page; every handler asks who it is."""

    def __init__(self, app: App) -> None:
        self._app = app

    def next(self, skipped: Sequence[str], request: gr.Request) -> tuple[Any, ...]:
        """Show the next pair that this person has not judged."""
        rater = who(request)
        judged, n = self._app.store.count_pairs(rater)
        pair = self._app.store.next_pair(rater, skipped)
        if pair is None:
            return "", _nothing_left(n, len(skipped)), gr.Column(visible=False), "", ""
        try:
            html = self._render(pair)
        except CoachError as problem:
            return pair.id, problem_html(problem), gr.Column(visible=False), "", ""
        return pair.id, html, gr.Column(visible=True), "", f"<p class='muted'>Pair {judged + 1} of {n}</p>"

    def _render(self, pair: Pair) -> str:
        report, lift, guidances = shown_pair(self._app, pair)
        sides = [
            (letter, view.render_guidance(said, report, lift, self._app.library))
            for letter, said in zip("AB", guidances, strict=True)
        ]
        return view.render_pair(report, f"/media/{pair.lift_id}/annotated.mp4", sides)

    def voter(self, key: str) -> Any:
        """Return the handler of one verdict."""

        def vote(pair_id: str, reason: str, skipped: Sequence[str], request: gr.Request) -> tuple[Any, ...]:
            try:
                pair = self._app.store.pair(pair_id, who(request))
                self._app.store.vote(pair_id, who(request), _choice(key, pair), reason.strip())
            except CoachError as problem:
                raise gr.Error(str(problem), print_exception=False) from problem
            return self.next(skipped, request)

        return vote

    def skip(self, pair_id: str, skipped: list[str], request: gr.Request) -> tuple[Any, ...]:
        """Leave a pair for later."""
        skipped = [*skipped, pair_id]
        return skipped, *self.next(skipped, request)

    def make(self, request: gr.Request) -> str:
        """Have the rules and the language model write about every lift of this person."""
        if not self._app.models():
            return problem_html("no language model answers: start one with `coach serve` and try again")
        try:
            n_new = make_pairs(self._app, who(request), "rules", "vlm")
        except CoachError as problem:
            return problem_html(problem)
        return notice_html(f"{n_new} new pairs" if n_new != 1 else "1 new pair")


def _choice(key: str, pair: Pair) -> Choice:
    """Return a verdict about A and B as one about the first and the second guidance."""
    if key == "a":
        return "second" if pair.is_swapped else "first"
    if key == "b":
        return "first" if pair.is_swapped else "second"
    return "tie" if key == "tie" else "both_wrong"


def _nothing_left(n: int, n_skipped: int) -> str:
    if n_skipped:
        words = "Only skipped pairs are left: load the page again to see them."
    elif n:
        words = "All pairs are rated. Thank you!"
    else:
        words = "There is nothing to rate yet. Make pairs from your lifts below, or start the app with --pairs FILE."
    return f"<section class='card'><p>{words}</p></section>"
