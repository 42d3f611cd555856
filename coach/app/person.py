"""Small things that every page needs: who is asking, and a sentence when something cannot be done."""

from html import escape

import gradio as gr

from coach.domain.errors import CoachError


def who(request: gr.Request) -> str:
    """Return the owner of what a person may see, as the guard found out.

    Raises:
        gr.Error: Nobody is logged in any more.
    """
    name = request.username
    if not name:
        raise gr.Error("You are not logged in any more: load the page again.", print_exception=False)
    return str(name)


def problem_html(problem: CoachError | str) -> str:
    """Return a problem as a sentence on the page."""
    text = str(problem)
    return f'<p class="problem" role="alert">{escape(text[:1].upper() + text[1:])}</p>' if text else ""


def notice_html(text: str) -> str:
    """Return something that went well as a sentence on the page."""
    return f'<p class="notice" role="status">{escape(text)}</p>'
