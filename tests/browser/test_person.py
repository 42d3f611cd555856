"""A person's path in a real browser: load a clip, read the guidance, ask, judge, come back after a restart."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perception.simulator.demo_clip import demo_clip
from tests.browser.conftest import PATIENCE_MS, Served, Visit

QUESTIONS = ("How fast was the bar?", "Why did the bar swing forward?", "What should I practise next?")
ANSWERS = (r"1\.8\d m/s", r"shirt|hips", r"Drill|wall")
_ANSWERED = """n => {
  const said = [...document.querySelectorAll('#chat .bot.message')].map(one => one.innerText.trim());
  return said.length >= n && !['', '…', 'Loading content'].includes(said.at(-1)) && document.querySelector('#send')?.offsetParent;
}"""
Open = Callable[..., Visit]


@pytest.fixture(scope="module")
def uploaded(served: Served, browser: Any) -> str:
    """Load the shipped clip through the form, follow it to its guidance, and return the address of the lift."""
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(120_000)
    page.goto(served.address)
    page.click("#new")
    page.set_input_files("#clip-file input[type=file]", demo_clip())
    page.get_by_label("Bar with plates (kg)").fill("60")
    page.wait_for_selector("#clip-file .file-preview, #clip-file table")
    page.click("#analyse")
    page.wait_for_selector("#progress .progress")
    page.wait_for_selector("#lift .cue", timeout=PATIENCE_MS)
    video = page.get_attribute("#clip", "src")
    page.close()
    lift = re.fullmatch(r"/media/([\w-]+)/annotated\.mp4", video)
    assert lift is not None
    return f"{served.address}/?lift={lift[1]}"


def _ask(page: Any, question: str, n_answers: int) -> str:
    box = page.locator("#question textarea, #question input").first
    box.fill(question)
    box.press("Enter")
    page.wait_for_function(_ANSWERED, arg=n_answers)
    return str(page.locator("#chat .bot.message").last.inner_text())


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_upload_guidance_questions_thumbs_restart_history(
    size: str, uploaded: str, served: Served, visit: Open
) -> None:
    lift = uploaded.split("/", 3)[3]
    first = visit(f"{served.address}/{lift}", size)
    page = first.page
    page.wait_for_selector("#lift .cue")
    assert "Zip the bar up your shirt" in page.inner_text("#lift")
    page.wait_for_selector("#measures li")
    assert "not measured, and why" in page.inner_text("#measures").lower()
    page.wait_for_selector("#over-time .js-plotly-plot .trace")
    had = page.locator("#chat .bot.message").count()
    for n, (question, answer) in enumerate(zip(QUESTIONS, ANSWERS, strict=True)):
        assert re.search(answer, _ask(page, question, had + n + 1)), question
    page.locator("#chat [title=Like]").last.click()
    page.wait_for_selector("#chat [title=Liked]", state="attached")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    assert first.elsewhere == []
    assert first.problems == []

    served.stop()
    served.start()

    again = visit(f"{served.address}/{lift}", size).page
    again.wait_for_selector("#chat .bot.message")
    asked = again.locator("#chat .user.message").all_inner_texts()
    assert tuple(text.strip() for text in asked[-3:]) == QUESTIONS
    assert again.locator("#chat [title=Liked]").count() >= 1


def test_a_claim_a_key_frame_and_an_answer_lead_to_their_place_in_the_video(
    uploaded: str, served: Served, visit: Open
) -> None:
    page = visit(f"{served.address}/{uploaded.split('/', 3)[3]}").page
    page.wait_for_selector("#lift .cue")
    page.wait_for_function("document.getElementById('clip').readyState >= 1")

    for selector in (".chip.main", ".picture >> nth=3", ".instants .jump >> nth=2", "#measures li.jump >> nth=0"):
        target = page.locator(selector).first
        target.click()
        wanted = float(target.get_attribute("data-time"))
        page.wait_for_function("t => Math.abs(document.getElementById('clip').currentTime - t) < 0.05", arg=wanted)
        assert page.evaluate("document.getElementById('clip').currentTime") == pytest.approx(wanted, abs=0.05)


def test_the_demo_lift_is_analysed_and_shown_at_the_first_start(browser: Any, visit: Open, tmp_path: Path) -> None:
    app = Served(tmp_path, with_demo=True)
    app.start()
    try:
        seen = visit(app.address)
        seen.page.wait_for_selector("#progress .progress")
        assert "simulated snatch" in seen.page.inner_text("#progress")
        seen.page.wait_for_selector("#lift .cue", timeout=PATIENCE_MS)
    finally:
        app.stop()
    assert seen.page.locator("#remove").is_hidden()
    assert seen.elsewhere == []


def _hand_in(page: Any, name: str, content: bytes) -> None:
    page.click("#new")
    page.set_input_files("#clip-file input[type=file]", {"name": name, "mimeType": "video/mp4", "buffer": content})
    page.wait_for_selector("#clip-file .file-preview, #clip-file table")
    page.click("#analyse")


def test_a_clip_that_breaks_off_is_shown_as_far_as_it_goes_and_the_page_says_so(served: Served, visit: Open) -> None:
    page = visit(served.address).page
    whole = demo_clip().read_bytes()
    _hand_in(page, "half.mp4", whole[: len(whole) // 2])

    page.get_by_text("frames could be decoded").first.wait_for(timeout=PATIENCE_MS)

    assert "half.mp4" in page.inner_text("body")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.mp4", b"", "empty|0 bytes"),
        ("<img src=x onerror=alert(1)>.mp4", b"not a video at all " * 50, "not a video|no video"),
    ],
)
def test_a_bad_clip_is_refused_plainly_and_the_page_stays_usable(
    name: str, content: bytes, says: str, served: Served, visit: Open
) -> None:
    seen = visit(served.address)
    page = seen.page
    _hand_in(page, name, content)
    page.wait_for_function(
        "() => document.querySelector('#form-problem [role=alert], #progress [role=alert]')", timeout=PATIENCE_MS
    )
    told = page.locator("#form-problem [role=alert], #progress [role=alert]").first.inner_text()

    assert re.search(says, told, re.I), told
    assert "Traceback" not in told
    assert seen.problems == []
    page.wait_for_function("() => document.querySelector('#new').offsetParent")
    page.click("#new")
    page.wait_for_selector("#analyse")


def test_an_analysis_can_be_cancelled(served: Served, visit: Open) -> None:
    page = visit(served.address).page
    page.click("#new")
    page.set_input_files("#clip-file input[type=file]", demo_clip())
    page.wait_for_selector("#clip-file .file-preview, #clip-file table")
    page.click("#analyse")
    page.wait_for_selector("#cancel")
    page.click("#cancel")

    page.wait_for_selector("#progress .failed", timeout=PATIENCE_MS)
    assert "Cancelled" in page.inner_text("#progress")


def test_an_edited_question_gets_a_new_answer_and_undo_gives_the_question_back(
    uploaded: str, served: Served, visit: Open
) -> None:
    page = visit(f"{served.address}/{uploaded.split('/', 3)[3]}").page
    page.wait_for_selector("#lift .cue")
    n = page.locator("#chat .bot.message").count()
    assert re.search(r"1\.8\d m/s", _ask(page, QUESTIONS[0], n + 1))

    page.locator("#chat [title=Edit]").last.click()
    page.locator("#chat textarea").last.fill("How high did the bar go?")
    page.locator("#chat [title=Submit]").last.click()
    page.wait_for_function(
        "() => [...document.querySelectorAll('#chat .bot.message')].at(-1).innerText.includes('1.0')"
    )
    assert page.locator("#chat .bot.message").count() == n + 1

    page.locator("#chat [title=Undo]").last.click()
    page.wait_for_function("n => document.querySelectorAll('#chat .bot.message').length == n", arg=n)
    assert page.locator("#question textarea, #question input").first.input_value() == "How high did the bar go?"
