"""A real vLLM on this processor, started once; what the unit tests play, it does."""

import json
import os
import signal

import pytest
from PIL import Image

from coach.domain.conversation import Picture, Turn
from coach.domain.errors import ServiceError, SetupError
from serving.client import CLIENTS, ChatClient
from serving.server import Server
from tests.serving.conftest import API_KEY, Started, alive

pytestmark = pytest.mark.serving

SCHEMA = {
    "type": "object",
    "properties": {
        "fault": {"type": "string", "enum": ["bar_drop", "forward_jump"]},
        "cue": {"type": "string", "minLength": 1, "maxLength": 20},
    },
    "required": ["fault", "cue"],
    "additionalProperties": False,
}


@pytest.fixture(scope="session")
def talk(tmp_path_factory: pytest.TempPathFactory) -> tuple[Turn, ...]:
    """A question about four pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    pictures = []
    for name in ("start", "peak_velocity", "max_height", "catch"):
        path = folder / f"{name}.jpg"
        Image.effect_noise((320, 240), 60 + 10 * len(pictures)).convert("RGB").save(path)
        pictures.append(Picture(instant=name, path=path))
    return (
        Turn(role="system", text="You are a coach."),
        Turn(role="user", text="Look at the lift.", pictures=tuple(pictures)),
    )


def connect(started: Started, **options: object) -> ChatClient:
    return CLIENTS.load("openai", **{"base_url": started.server.base_url, "api_key": API_KEY, **options})


def test_it_serves_the_base_and_the_adapter_under_its_hash(real_server: Started) -> None:
    client = connect(real_server)

    assert client.models() == (real_server.base, real_server.adapter)
    assert client.name == real_server.adapter
    assert real_server.adapter.rpartition("@")[2].isalnum()


def test_pictures_are_seen_and_the_adapter_changes_the_answer(real_server: Started, talk: tuple[Turn, ...]) -> None:
    client = connect(real_server)
    blind = tuple(turn.model_copy(update={"pictures": ()}) for turn in talk)

    with_pictures = client.complete(talk, max_tokens=12)
    without = client.complete(blind, max_tokens=12)
    base = client.complete(talk, max_tokens=12, model=real_server.base)

    assert with_pictures.prompt_tokens > without.prompt_tokens + 4 * 4
    assert with_pictures.model == real_server.adapter
    assert base.prompt_tokens == with_pictures.prompt_tokens
    assert base.text != with_pictures.text


def test_the_same_question_gets_the_same_answer_whole_and_in_pieces(
    real_server: Started, talk: tuple[Turn, ...]
) -> None:
    client = connect(real_server)

    whole = client.complete(talk, max_tokens=12).text

    assert "".join(client.stream(talk, max_tokens=12)) == whole


@pytest.mark.parametrize("which", ["base", "adapter"])
def test_json_follows_the_schema_whatever_the_model_is(
    real_server: Started, talk: tuple[Turn, ...], which: str
) -> None:
    reply = connect(real_server).complete(talk, schema=SCHEMA, max_tokens=120, model=getattr(real_server, which))

    said = json.loads(reply.text)
    assert said["fault"] in ("bar_drop", "forward_jump")
    assert 1 <= len(said["cue"]) <= 20


def test_a_fifth_picture_is_refused_with_a_reason(real_server: Started, talk: tuple[Turn, ...]) -> None:
    many = talk[1].model_copy(update={"pictures": (*talk[1].pictures, talk[1].pictures[0])})

    with pytest.raises(ServiceError, match="At most 4 image"):
        connect(real_server).complete([many])


def test_a_long_talk_loses_its_oldest_questions(real_server: Started, talk: tuple[Turn, ...]) -> None:
    limit = real_server.server.config.max_model_len
    old = (Turn(role="user", text="0 " * limit), Turn(role="assistant", text="old"))
    last = (Turn(role="assistant", text="said"), *old, Turn(role="user", text="Why?"))

    reply = connect(real_server).complete((*talk, *last), max_tokens=4)

    assert reply.prompt_tokens < limit


def test_a_wrong_key_and_an_unknown_adapter_are_told(real_server: Started, talk: tuple[Turn, ...]) -> None:
    with pytest.raises(ServiceError, match="refuses the key"):
        connect(real_server, api_key="wrong").models()
    with pytest.raises(ServiceError, match=f"does not serve 'coach@0'; choose from {real_server.base}"):
        connect(real_server).complete(talk, model="coach@0")


def test_the_key_is_not_seen_in_the_list_of_processes_or_the_log(real_server: Started) -> None:
    assert API_KEY not in " ".join(real_server.server.launch.command)
    assert API_KEY not in real_server.server.log_path.read_text(encoding="utf-8", errors="replace")


def test_a_second_server_on_the_same_port_is_refused(real_server: Started) -> None:
    with pytest.raises(SetupError, match="is `coach serve` running already"):
        Server(real_server.server.config).start()

    assert real_server.server.is_healthy()


def test_a_killed_server_is_told_in_the_middle_of_an_answer_and_can_be_started_again(
    real_server: Started, talk: tuple[Turn, ...]
) -> None:
    server = real_server.server
    pieces = connect(real_server, model=real_server.base).stream(talk, max_tokens=1000)
    next(pieces)

    os.killpg(group_of(server), signal.SIGKILL)

    with pytest.raises(ServiceError, match="broke off"):
        list(pieces)
    with pytest.raises(ServiceError, match="is `coach serve` running"):
        connect(real_server).complete(talk)
    with pytest.raises(ServiceError, match="vLLM ended by itself"):
        server.wait()
    server.stop()
    server.start()
    assert connect(real_server).models() == (real_server.base, real_server.adapter)


def test_stopping_leaves_no_process_behind(real_server: Started) -> None:
    server = real_server.server
    group = group_of(server)

    server.stop()

    assert alive(group) == []
    assert not server.is_healthy()


def group_of(server: Server) -> int:
    assert server._process is not None
    return os.getpgid(server._process.pid)
