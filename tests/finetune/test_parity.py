import base64
import io
import json
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="fine-tuning lives in an environment of its own: make test-serving")

import torch
from PIL import Image

from coach.domain.conversation import Picture, Turn
from coach.domain.errors import InputError, ServiceError, SetupError
from finetune.parity import Answer, Reference, compare, difference, summarise
from finetune.recipe import read_recipe
from finetune.train import load_base, lora_config
from serving.adapters import model_hash, served_name
from serving.config import ServingConfig
from serving.server import Server

N = 4


def _random_adapter(base_dir: Path, folder: Path, name: str, seed: int = 0, *, vision: bool = False) -> Path:
    """Write an adapter with random weights in both of its matrices, so that leaving it out shows."""
    from peft import get_peft_model

    torch.manual_seed(seed)
    config = lora_config(read_recipe("coach-tiny", {"lora.train_vision": vision}))
    config.init_lora_weights = False
    get_peft_model(load_base(base_dir, "float32"), config).save_pretrained(
        folder / "partial", save_embedding_layers=False
    )
    card = {"base": str(base_dir), "base_sha256": model_hash(base_dir)}
    (folder / "partial" / "card.json").write_text(json.dumps(card))
    return (folder / "partial").rename(folder / served_name(name, folder / "partial"))


@pytest.fixture(scope="module")
def adapters(base_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("adapters")
    return {
        "coach": _random_adapter(base_dir, folder, "coach"),
        "other": _random_adapter(base_dir, folder, "other", seed=1),
        "seeing": _random_adapter(base_dir, folder, "seeing", vision=True),
    }


class _Stub:
    """A server that answers with transformers from what it is sent; `spoil` changes its replies."""

    def __init__(self, base_dir: Path, adapters: dict[str, Path], folder: Path) -> None:
        self.models = {path.name: Reference(base_dir, path, None) for path in adapters.values()}
        self.spoil: Callable[[dict[str, Any]], None] = lambda reply: None
        self.folder = folder
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_arguments: Any) -> None: ...

            def do_GET(self) -> None:
                self._send({"object": "list", "data": [{"id": name, "object": "model"} for name in stub.models]})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._send(stub.reply(body))

            def _send(self, told: dict[str, Any]) -> None:
                data = json.dumps(told).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def reply(self, body: dict[str, Any]) -> dict[str, Any]:
        assert (body["temperature"], body["logprobs"], body["return_token_ids"]) == (0, True, True)
        turns = [self._turn(message) for message in body["messages"]]
        answer = self.models[body["model"]].answer(turns, body["max_tokens"])
        tokens = [{"token": "", "bytes": [], "logprob": value, "top_logprobs": []} for value in answer.logprobs]
        message = {"role": "assistant", "content": answer.text}
        choice = {"index": 0, "finish_reason": "length", "message": message, "token_ids": list(answer.ids)}
        reply = {
            "id": "x",
            "object": "chat.completion",
            "created": 0,
            "model": body["model"],
            "prompt_token_ids": list(answer.prompt_ids),
            "choices": [{**choice, "logprobs": {"content": tokens}}],
        }
        self.spoil(reply)
        return reply

    def _turn(self, message: dict[str, Any]) -> Turn:
        parts = message["content"]
        if isinstance(parts, str):
            return Turn(role=message["role"], text=parts)
        pictures = []
        for part in parts[:-1]:
            data = base64.b64decode(part["image_url"]["url"].split(",")[1])
            path = self.folder / f"{len(list(self.folder.iterdir()))}.png"
            Image.open(io.BytesIO(data)).save(path)
            pictures.append(Picture(instant="catch", path=path))
        return Turn(role=message["role"], text=parts[-1]["text"], pictures=tuple(pictures))


@pytest.fixture(scope="module")
def running(base_dir: Path, adapters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Stub]:
    stub = _Stub(base_dir, adapters, tmp_path_factory.mktemp("received"))
    thread = threading.Thread(target=stub.server.serve_forever)
    thread.start()
    yield stub
    stub.server.shutdown()
    stub.server.server_close()
    thread.join()


@pytest.fixture
def stub(running: _Stub) -> Iterator[_Stub]:
    yield running
    running.spoil = lambda reply: None


def _answer(*ids: int, logprobs: tuple[float, ...] | None = None, prompt: tuple[int, ...] = (1, 2)) -> Answer:
    return Answer(prompt_ids=prompt, ids=ids, logprobs=logprobs or (-1.0,) * len(ids), text=str(ids))


def test_a_server_that_runs_the_adapter_equals_its_training(
    stub: _Stub, adapters: dict[str, Path], data_dir: Path
) -> None:
    found = compare(adapters["coach"], stub.url, data_dir, n=N, max_tokens=8, api_key="K")

    assert found.is_equal
    assert (found.n, found.n_equal, found.adapter) == (N, N, adapters["coach"].name)
    assert found.max_difference is not None
    assert found.max_difference < 1e-6
    assert all(row.prompt_tokens == row.served_prompt_tokens > 30 for row in found.rows)


def _shift(reply: dict[str, Any]) -> None:
    reply["choices"][0]["logprobs"]["content"][3]["logprob"] += 2e-4


def _cut_picture(reply: dict[str, Any]) -> None:
    reply["prompt_token_ids"].pop(9)


def _other_word(reply: dict[str, Any]) -> None:
    reply["choices"][0]["token_ids"][5] = 9


@pytest.mark.parametrize(("spoil", "n_equal"), [(_shift, N), (_cut_picture, 0), (_other_word, 0)])
def test_a_server_that_differs_a_little_is_found_out(
    stub: _Stub, adapters: dict[str, Path], data_dir: Path, spoil: Callable[[dict[str, Any]], None], n_equal: int
) -> None:
    stub.spoil = spoil
    found = compare(adapters["coach"], stub.url, data_dir, n=N, max_tokens=8, api_key="K")

    assert not found.is_equal
    assert found.n_equal == n_equal


def test_a_server_that_runs_another_adapter_under_this_name_is_found_out(
    stub: _Stub, adapters: dict[str, Path], data_dir: Path
) -> None:
    kept = stub.models[adapters["coach"].name]
    stub.models[adapters["coach"].name] = stub.models[adapters["other"].name]
    found = compare(adapters["coach"], stub.url, data_dir, n=N, max_tokens=8, api_key="K")
    stub.models[adapters["coach"].name] = kept

    assert not found.is_equal


def test_an_adapter_of_the_vision_tower_is_refused_unless_asked_for(
    stub: _Stub, adapters: dict[str, Path], data_dir: Path
) -> None:
    with pytest.raises(SetupError, match=r"changes the vision tower.*--with-vision"):
        compare(adapters["seeing"], stub.url, data_dir, n=N, api_key="K")
    assert compare(adapters["seeing"], stub.url, data_dir, n=1, max_tokens=4, with_vision=True, api_key="K").is_equal


def test_an_adapter_that_is_not_served_or_not_whole_is_refused(
    stub: _Stub, adapters: dict[str, Path], data_dir: Path, base_dir: Path, tmp_path: Path
) -> None:
    unserved = _random_adapter(base_dir, tmp_path, "new", seed=5)
    with pytest.raises(ServiceError, match=rf"does not serve {unserved.name}, only coach@"):
        compare(unserved, stub.url, data_dir, n=N, api_key="K")
    with pytest.raises(ServiceError, match="gave no answer"):
        compare(unserved, "http://127.0.0.1:9", data_dir, n=N, api_key="K")
    with pytest.raises(InputError, match="4 examples with pictures, 5 are wanted"):
        compare(unserved, stub.url, data_dir, n=5, api_key="K")
    card = json.loads((unserved / "card.json").read_text())
    (unserved / "card.json").write_text(json.dumps(card | {"base_sha256": "0" * 64}))
    with pytest.raises(SetupError, match="was trained on"):
        compare(unserved, stub.url, data_dir, n=N, api_key="K")


def test_differences_count_up_to_the_first_other_token() -> None:
    row = difference("x", _answer(5, 6, 7), _answer(5, 6, 8, logprobs=(-1.0, -1.5, -9.0)))

    assert (row.is_same_text, row.is_same_prompt, row.max_difference) == (False, True, 0.5)
    assert difference("x", _answer(5), _answer(6)).max_difference is None
    assert not difference("x", _answer(5, 6), _answer(5)).is_same_text


def test_a_character_cut_off_at_the_end_is_no_difference_but_one_in_the_middle_is() -> None:
    """vLLM holds back the bytes of a character that is not whole; transformers shows them as U+FFFD."""
    whole = _answer(5, 6).model_copy(update={"text": "the bar"})

    def same(text: str) -> bool:
        return difference("x", whole.model_copy(update={"text": text}), whole).is_same_text

    assert same("the bar\ufffd\ufffd")
    assert not same("the b\ufffdar")
    assert not same("the bar ")


def test_nothing_compared_is_not_equal() -> None:
    assert not summarise([], "a", "b", "c", "d").is_equal
    assert not summarise([difference("x", _answer(5), _answer(6))], "a", "b", "c", "d").is_equal
    assert summarise([difference("x", _answer(5), _answer(5))], "a", "b", "c", "d").is_equal


@pytest.mark.serving
@pytest.mark.skipif(not (Path(sys.prefix) / "bin" / "vllm").exists(), reason="no vLLM here: make test-serving")
def test_vllm_serves_what_was_trained_and_ignores_no_tower(
    base_dir: Path, adapters: dict[str, Path], data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real server: an adapter of the language model, one of the vision tower, and one under a wrong name."""
    monkeypatch.setenv("LIFTCOACH_DATA", str(tmp_path))
    config = ServingConfig(
        model=str(base_dir),
        adapters={name: adapters[name] for name in ("coach", "seeing")},
        port=8193,
        max_model_len=1024,
        max_num_seqs=4,
        tower_adapters=True,
    )
    with Server(config) as server:
        for name in ("coach", "seeing"):
            found = compare(adapters[name], server.base_url, data_dir, n=N, max_tokens=16, with_vision=name == "seeing")
            assert found.is_equal, found
