"""Guidance and answers through a real server on this machine that speaks the OpenAI protocol."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from coach import session
from coach.domain.guidance import Guidance
from coach.domain.lift import Keyframe, Report
from coach.writer import WRITERS, Writer
from tests.coach.fake_model import no_passages, rules_as_written
from tests.coach.made_up_lifts import LIBRARY, all_text, faulty_lift, guide, make_report
from tests.serving.misbehaving import Answer, Played, breaks_off, fails, hangs, misbehaving, says, sends, streams

if TYPE_CHECKING:
    from tests.conftest import Ended

Coach = Callable[..., "Ended"]
FRAME = Keyframe(instant="catch", frame=57, path="keyframes/lift1-catch.jpg")
OUTSIDE = Keyframe(instant="start", frame=30, path="../secret.jpg")
LIFT = faulty_lift("bar_swing_forward").model_copy(update={"keyframes": (OUTSIDE, FRAME)})
REPORT = make_report(LIFT)
RULES_SAY = guide(LIFT)
WHY = "why did the bar swing forward?"
LOOP = "The bar looped {bar_forward_loop_m} forward."
SHOWN = "The bar looped 19 cm (18–20 cm) forward."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of an analysed lift with a key frame; its report also names a file outside."""
    folder = tmp_path / "lift"
    (folder / "keyframes").mkdir(parents=True)
    for path in (folder / FRAME.path, tmp_path / "secret.jpg"):
        Image.new("RGB", (32, 32), "grey").save(path)
    (folder / "report.json").write_text(REPORT.model_dump_json())
    (folder / "guidance.json").write_text(RULES_SAY.model_dump_json())
    return folder


def writer_at(played: Played, **options: object) -> Writer:
    from serving.client import CLIENTS

    client = CLIENTS.load("openai", base_url=played.url, max_retries=0, **options)
    return WRITERS.load("vlm", client=client, find=no_passages)


def guided(folder: Path, writer: Writer, report: Report = REPORT) -> tuple[Guidance, tuple[str, ...]]:
    guidances, notices = session.guide(report, LIBRARY, writer, "en", folder)
    return guidances[1], notices


def test_what_the_model_says_becomes_guidance_and_its_adapter_is_named(folder: Path) -> None:
    with misbehaving(says(rules_as_written(REPORT.lifts[0]))) as played:
        guidance, notices = guided(folder, writer_at(played))

    assert guidance.model_copy(update={"writer": "rules", "model": None}) == RULES_SAY
    assert (guidance.writer, guidance.model, notices) == ("vlm", "coach-tiny", ())
    (request,) = played.requests
    assert request["model"] == "coach@0123456789ab"
    assert request["response_format"]["type"] == "json_schema"
    pictures = [part for part in request["messages"][1]["content"] if part["type"] == "image_url"]
    assert len(pictures) == 1  # the key frame in the folder, not the file outside


def test_a_draft_that_lies_is_repaired_over_the_same_server(folder: Path) -> None:
    lie = rules_as_written(REPORT.lifts[0], strength="The bar moved at 9 m/s.")
    with misbehaving(says(lie), says(rules_as_written(REPORT.lifts[0]))) as played:
        guidance, _ = guided(folder, writer_at(played))

    assert guidance.writer == "vlm"
    assert "9 m/s" not in all_text(guidance)
    assert "- The bar moved at 9 m/s." in played.requests[1]["messages"][-1]["content"]


FAILURES: dict[str, tuple[Answer, str]] = {
    "wrong key": (fails(401), "refuses the key"),
    "too many requests": (fails(429), "too busy"),
    "a failing engine": (fails(500), "failed (500"),
    "an unknown adapter": (fails(404), "does not serve"),
    "malformed JSON twice": (says('{"strength": "a'), "wrong form twice"),
    "other JSON": (
        says('{"strength": 1, "priorities": [], "next_film": "", "safety": ""}'),
        "gave no guidance that can be read",
    ),
    "no protocol": (sends(b"<html>hello</html>", "text/html"), "cannot be understood"),
    "a lost connection": (breaks_off, "broke off"),
    "a hung socket": (hangs, "did not answer in time"),
    "a lie, twice": (says(rules_as_written(REPORT.lifts[0], strength="The bar moved at 9 m/s.")), "does not hold"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_however_the_server_fails_the_rules_write_and_the_reason_is_told(folder: Path, failure: str) -> None:
    answer, reason = FAILURES[failure]
    with misbehaving(answer) as played:
        guidance, (notice,) = guided(folder, writer_at(played, timeout_s=0.3 if answer is hangs else 10.0))

    assert guidance == RULES_SAY
    assert notice.startswith("the guidance about lift 1 comes from the rules writer: ")
    assert reason in notice


@pytest.fixture
def ask(folder: Path, coach: Coach, monkeypatch: pytest.MonkeyPatch) -> Callable[..., "Ended"]:
    """Return a function that asks through the command line."""

    def run(played: Played, question: str = WHY, *options: str) -> "Ended":
        monkeypatch.setenv("LIFTCOACH_SERVER", played.url)
        monkeypatch.setenv("LIFTCOACH_API_KEY", "secret")
        return coach("ask", folder, question, "--writer", "vlm", *options)

    return run


def test_the_command_shows_what_holds_and_asks_with_the_key(ask: Callable[..., "Ended"]) -> None:
    with misbehaving(streams("The bar loo", "ped {bar_forward_loop_m} forward. ", "It moved at 9 m/s.")) as played:
        ended = ask(played)

    assert (ended.code, ended.out, ended.err) == (0, f"{SHOWN}\n", "")
    assert played.headers[-1]["authorization"] == "Bearer secret"


def test_the_command_says_that_an_answer_broke_off(ask: Callable[..., "Ended"]) -> None:
    with misbehaving(streams(f"{LOOP} ", "Keep it", end="cut")) as played:
        ended = ask(played)

    assert (ended.code, ended.out) == (0, f"{SHOWN}\n")
    assert ended.err.startswith("Note: The answer breaks off here: http://127.0.0.1")


@pytest.mark.parametrize("answer", [fails(401), streams("The bar moved at 9 m/s."), streams(end="error"), streams()])
def test_the_command_answers_by_the_rules_when_the_model_does_not(ask: Callable[..., "Ended"], answer: Answer) -> None:
    with misbehaving(answer) as played:
        ended = ask(played, WHY, "--json")

    said = json.loads(ended.out)
    assert said["writer"] == "rules"
    assert "looped 19 cm (18–20 cm) forward" in said["text"]
    assert said["notice"]
    assert ended.err == f"Note: {said['notice']}\n"


def test_a_question_about_pain_reaches_no_server(ask: Callable[..., "Ended"]) -> None:
    with misbehaving(streams("Train through it.")) as played:
        ended = ask(played, "my knee hurts, what now?")

    assert ended.out == LIBRARY.texts["en"].say("referral") + "\n"
    assert played.requests == []


def test_an_answer_that_is_closed_ends_the_request(folder: Path) -> None:
    with misbehaving(streams(f"{LOOP} ", hang=True)) as played:
        with session.ask_stream(folder, WHY, writer=writer_at(played)) as stream:
            assert next(stream) == SHOWN
        assert played.client_left.wait(5)

    assert stream.answer.text == SHOWN


def test_earlier_questions_go_with_the_new_one(folder: Path) -> None:
    with misbehaving(streams(LOOP)) as played:
        said = session.ask(folder, WHY, writer=writer_at(played), history=[("how fast?", "1.85 m/s")])

    assert said.writer == "vlm"
    roles = [message["role"] for message in played.requests[0]["messages"]]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]
