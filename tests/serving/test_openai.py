"""The client against a server on this machine that fails in every way a server can."""

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from PIL import Image

from coach.domain.conversation import Picture, Turn
from coach.domain.errors import InputError, ServiceError
from serving.client import CLIENTS, ChatClient
from serving.clients import openai as client_module
from serving.keys import make_key
from tests.serving.misbehaving import Played, breaks_off, fails, hangs, misbehaving, says, sends, streams

SCHEMA = {"type": "object", "properties": {"cue": {"type": "string"}}, "required": ["cue"]}
TALK = (Turn(role="system", text="rules"), Turn(role="user", text="the lift"))
LONG_TALK = (
    *TALK,
    Turn(role="assistant", text="guidance"),
    *(Turn(role=role, text=f"{role} {n}") for n in (1, 2) for role in ("user", "assistant")),  # type: ignore[arg-type]
    Turn(role="user", text="last"),
)
TOO_LONG = (
    "This model's maximum context length is 2048 tokens. However, your prompt contains at least 2049 input tokens"
)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """No test waits; the pauses that would have been made are noted."""
    made: list[float] = []
    monkeypatch.setattr(client_module.time, "sleep", made.append)
    return made


@pytest.fixture
def server() -> Iterator[Played]:
    with misbehaving() as played:
        yield played


def connect(played: Played, **options: object) -> ChatClient:
    return CLIENTS.load("openai", **{"base_url": played.url, "api_key": "key", "model": "coach-tiny", **options})


def texts(request: dict[str, list[dict[str, object]]]) -> list[object]:
    return [message["content"] for message in request["messages"]]


def test_an_answer_comes_with_its_tokens_and_is_asked_for_greedily(server: Played) -> None:
    reply = connect(server).complete(TALK, max_tokens=5)

    assert (reply.text, reply.finish_reason, reply.prompt_tokens, reply.completion_tokens) == ("hello", "stop", 11, 3)
    sent = server.requests[0]
    assert (sent["temperature"], sent["seed"], sent["max_tokens"]) == (0.0, 0, 5)
    assert sent["messages"] == [{"role": "system", "content": "rules"}, {"role": "user", "content": "the lift"}]
    assert server.headers[-1]["authorization"] == "Bearer key"


def test_the_last_adapter_answers_when_no_model_is_named(server: Played) -> None:
    client = connect(server, model=None)

    assert client.name == "coach@0123456789ab"
    client.complete(TALK)
    assert server.requests[0]["model"] == "coach@0123456789ab"


def test_the_base_model_answers_where_there_is_no_adapter(server: Played) -> None:
    server.served = ["coach-tiny"]

    assert connect(server, model=None).name == "coach-tiny"


def test_pictures_go_as_the_bytes_of_their_files_before_the_text(server: Played, tmp_path: Path) -> None:
    path = draw(tmp_path / "catch.jpg", (40, 30))
    connect(server).complete([Turn(role="user", text="look", pictures=(Picture(instant="catch", path=path),))])

    picture, text = server.requests[0]["messages"][0]["content"]
    assert picture["image_url"]["url"] == "data:image/jpeg;base64," + base64.b64encode(path.read_bytes()).decode()
    assert text == {"type": "text", "text": "look"}


def test_a_picture_over_the_budget_is_made_smaller(server: Played, tmp_path: Path) -> None:
    path = draw(tmp_path / "catch.png", (400, 100))
    turn = Turn(role="user", text="look", pictures=(Picture(instant="catch", path=path),))
    connect(server, max_pixels=10_000).complete([turn])

    uri = server.requests[0]["messages"][0]["content"][0]["image_url"]["url"]
    with Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))) as sent:
        assert (sent.format, sent.size) == ("JPEG", (200, 50))


@pytest.mark.parametrize("content", [None, b"no picture"])
def test_a_picture_that_is_missing_or_broken_is_named(server: Played, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "catch.jpg"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(InputError, match=r"catch\.jpg"):
        connect(server).complete([Turn(role="user", text="?", pictures=(Picture(instant="catch", path=path),))])


def draw(path: Path, size: tuple[int, int]) -> Path:
    Image.new("RGB", size, (20, 60, 90)).save(path)
    return path


def test_a_busy_server_is_asked_again_after_the_time_it_wants(server: Played, pauses: list[float]) -> None:
    server.answers = [fails(429, Retry_After="7"), fails(503), says("at last")]

    assert connect(server).complete(TALK).text == "at last"
    assert pauses == [7.0, 1.0]


def test_a_server_that_wants_more_time_than_a_person_waits_is_not_waited_for(
    server: Played, pauses: list[float]
) -> None:
    server.answers = [fails(429, Retry_After="3600")]

    with pytest.raises(ServiceError, match="ask again in 3600 s"):
        connect(server).complete(TALK)
    assert pauses == []


def test_a_lost_connection_is_tried_again(server: Played) -> None:
    server.answers = [breaks_off, says("back")]

    assert connect(server).complete(TALK).text == "back"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (fails(429), r"too busy \(429\): ask again in"),
        (fails(500, "engine died"), r"failed \(500: .*engine died.*the server's log"),
        (fails(401), "refuses the key: set LIFTCOACH_API_KEY"),
        (fails(400, "At most 4 images may be provided"), "refused the request .*At most 4 images"),
        (fails(404), "does not serve 'coach-tiny'; choose from coach-tiny, coach@0123456789ab"),
        (sends(b'{"choices": ['), "cannot be understood"),
        (sends(b"<html>hello</html>", "text/html"), "cannot be understood.*language models"),
        (sends(b'{"model": "m", "choices": [], "usage": {}}'), "cannot be understood"),
        (breaks_off, "broke off .*is `coach serve` still running"),
    ],
)
def test_every_failure_says_what_to_do(server: Played, answer: object, reason: str) -> None:
    server.answers = [answer]  # type: ignore[list-item]

    with pytest.raises(ServiceError, match=reason):
        connect(server).complete(TALK)


def test_failures_that_cannot_pass_are_not_tried_again(server: Played) -> None:
    server.answers = [fails(401), says("never")]

    with pytest.raises(ServiceError):
        connect(server).complete(TALK)
    assert len(server.requests) == 1


def test_a_server_that_is_not_there_is_told(server: Played) -> None:
    client = connect(server, base_url="http://127.0.0.1:9/v1", model=None)

    with pytest.raises(ServiceError, match=r"Connection refused.*is `coach serve` running"):
        client.models()
    with pytest.raises(ServiceError, match="is `coach serve` running"):
        client.complete(TALK)


def test_a_socket_that_hangs_ends_after_the_time_limit_and_is_not_tried_again(server: Played) -> None:
    server.answers = [hangs]

    with pytest.raises(ServiceError, match="did not answer in time"):
        connect(server, timeout_s=0.2).complete(TALK)
    assert len(server.requests) == 1


def test_a_server_that_knows_no_models_is_told(server: Played) -> None:
    server.served = []

    with pytest.raises(ServiceError, match="serves no model"):
        connect(server).models()


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    server: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    assert connect(server).models() == ("coach-tiny", "coach@0123456789ab")


def test_the_key_of_this_machine_is_found_by_itself_and_shown_to_no_other(
    server: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFTCOACH_DATA", str(tmp_path))
    monkeypatch.delenv("LIFTCOACH_API_KEY", raising=False)
    key = make_key()

    connect(server, api_key=None).models()

    assert server.headers[-1]["authorization"] == f"Bearer {key}"
    other = CLIENTS.load("openai", base_url="https://models.example/v1")
    assert other._client.api_key == "none"  # type: ignore[attr-defined]


def test_the_schema_is_sent_and_the_answer_is_json(server: Played) -> None:
    server.answers = [says('{"cue": "up"}')]

    reply = connect(server).complete(TALK, schema=SCHEMA)

    assert json.loads(reply.text) == {"cue": "up"}
    assert server.requests[0]["response_format"]["json_schema"]["schema"] == SCHEMA


@pytest.mark.parametrize("flawed", ["no json", "[]", '{"drill": "x"}'])
def test_an_answer_that_breaks_the_schema_is_asked_for_once_more(server: Played, flawed: str) -> None:
    server.answers = [says(flawed), says('{"cue": "up"}')]

    assert connect(server).complete(TALK, schema=SCHEMA).text == '{"cue": "up"}'
    assert [request["temperature"] > 0 for request in server.requests] == [False, True]


def test_an_answer_that_breaks_the_schema_twice_is_told(server: Played) -> None:
    server.answers = [says('{"cue": "u', "length")]

    with pytest.raises(ServiceError, match=r"wrong form twice: not JSON \(cut off after 3 tokens\)"):
        connect(server).complete(TALK, schema=SCHEMA)
    assert len(server.requests) == 2


def test_a_talk_that_is_too_long_loses_its_oldest_questions_but_never_the_lift(server: Played) -> None:
    server.answers = [fails(400, TOO_LONG), fails(400, TOO_LONG), says("short enough")]

    assert connect(server).complete(LONG_TALK).text == "short enough"
    assert [texts(request)[:3] for request in server.requests] == [["rules", "the lift", "guidance"]] * 3
    assert [texts(request)[3:] for request in server.requests] == [
        ["user 1", "assistant 1", "user 2", "assistant 2", "last"],
        ["user 2", "assistant 2", "last"],
        ["last"],
    ]


def test_a_lift_that_alone_is_too_long_is_told(server: Played) -> None:
    server.answers = [fails(400, TOO_LONG)]

    with pytest.raises(ServiceError, match="raise max_model_len"):
        connect(server).complete(LONG_TALK)
    assert len(server.requests) == 3


def test_a_stream_comes_in_pieces(server: Played) -> None:
    server.answers = [streams("The ", "bar ", "rose.")]

    assert list(connect(server).stream(TALK)) == ["The ", "bar ", "rose."]


def test_a_stream_that_is_too_long_loses_its_oldest_question_too(server: Played) -> None:
    server.answers = [fails(400, TOO_LONG), streams("ok")]

    assert list(connect(server).stream(LONG_TALK)) == ["ok"]
    assert "user 1" not in texts(server.requests[1])


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("cut", "broke off in the middle"),
        ("quiet", "broke off in the middle"),
        ("error", "engine died"),
        ("garbage", "cannot be understood"),
    ],
)
def test_a_stream_that_breaks_gives_what_came_and_then_says_so(server: Played, end: str, reason: str) -> None:
    server.answers = [streams("The ", end=end)]
    pieces = connect(server).stream(TALK)

    assert next(pieces) == "The "
    with pytest.raises(ServiceError, match=reason):
        next(pieces)


def test_a_stream_that_falls_silent_is_given_up(server: Played) -> None:
    server.answers = [streams("The ", hang=True)]
    pieces = connect(server, token_timeout_s=0.2).stream(TALK)

    assert next(pieces) == "The "
    with pytest.raises(ServiceError, match="did not answer in time"):
        next(pieces)


def test_a_stream_that_never_ends_is_given_up(server: Played) -> None:
    server.answers = [streams(*["word "] * 50, hang=True)]
    pieces = connect(server, timeout_s=1.0).stream(TALK)

    assert next(pieces) == "word "
    Event().wait(1.1)
    with pytest.raises(ServiceError, match="took more than 1 s"):
        next(pieces)


def test_closing_a_stream_ends_the_request(server: Played) -> None:
    server.answers = [streams("The ", hang=True)]
    pieces = connect(server).stream(TALK)
    next(pieces)

    pieces.close()  # type: ignore[attr-defined]

    assert server.client_left.wait(5)


@pytest.mark.parametrize(("status", "reason"), [(401, "refuses the key"), (404, "choose from"), (500, "failed")])
def test_a_stream_that_cannot_begin_says_why(server: Played, status: int, reason: str) -> None:
    server.answers = [fails(status)]

    with pytest.raises(ServiceError, match=reason):
        next(connect(server).stream(TALK))
