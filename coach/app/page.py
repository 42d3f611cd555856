"""The pages under one roof: Lift with the chat beside it, Corpus, Rate."""

import gradio as gr

from coach.app.corpus_page import make_corpus_page
from coach.app.lift_page import make_lift_page
from coach.app.rate_page import make_rate_page
from coach.app.state import App


def make_pages(app: App) -> gr.Blocks:
    """Return the pages of the app, not yet served."""
    with gr.Blocks(title="Liftcoach", analytics_enabled=False, fill_width=True, delete_cache=(3600, 86400)) as pages:
        gr.Navbar(main_page_name="Lift")
        make_lift_page(app, pages)
    with pages.route("Corpus", "/corpus"):
        gr.Navbar(main_page_name="Lift")
        make_corpus_page(app, pages)
    with pages.route("Rate", "/rate"):
        gr.Navbar(main_page_name="Lift")
        make_rate_page(app, pages)
    pages.queue(default_concurrency_limit=8, max_size=200, api_open=False)
    return pages
