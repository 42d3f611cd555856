"""Proves that a server runs an adapter as it was trained: the same tokens, and the same probabilities of them."""

import json
import math
import os
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from coach.domain.base import Record
from coach.domain.conversation import Example, Turn
from coach.domain.errors import DataError, InputError, ServiceError, SetupError
from finetune.data import VALIDATION, messages, read_examples
from finetune.train import base_path, load_base, load_processor, quiet
from serving.adapters import check_adapter, model_hash, read_card
from serving.keys import read_key
from serving.pictures import data_uri

OnProgress = Callable[[str, int, int], None]

TOLERANCE = 1e-4  # nats, the largest difference of a log-probability; float32 on one machine stays below 1e-5
N_EXAMPLES = 20
MAX_TOKENS = 48
_TIMEOUT_S = 300.0


class Answer(Record):
    """A greedy answer: what was read, what was written, and the log-probability of each written token."""

    prompt_ids: tuple[int, ...]
    ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    text: str


class Row(Record):
    """One example: whether server and training agree, and how far they are apart.

    `max_difference` is over the tokens that both wrote alike; None when already the first differs.
    """

    id: str
    prompt_tokens: int
    served_prompt_tokens: int
    is_same_prompt: bool
    is_same_text: bool
    max_difference: float | None
    text: str
    served_text: str


class Parity(Record):
    """The comparison of one adapter with one server."""

    adapter: str
    base: str
    base_sha256: str
    server: str
    tolerance: float
    n: int
    n_equal: int
    max_difference: float | None
    is_equal: bool
    rows: tuple[Row, ...]


def compare(
    adapter_dir: Path,
    server: str,
    data: Path,
    *,
    base: str | None = None,
    n: int = N_EXAMPLES,
    split: str = VALIDATION,
    max_tokens: int = MAX_TOKENS,
    with_vision: bool = False,
    api_key: str | None = None,
    on_progress: OnProgress | None = None,
) -> Parity:
    """Return how the answers of a running server differ from those of transformers and peft.

    Args:
        adapter_dir: The adapter, as `coach finetune run` has written it; served under the name of its folder.
        server: Address of the server, with or without `/v1`.
        data: Folder of examples; those with pictures are asked, up to their first answer.
        base: Folder or name of the base model; the one the adapter's card names when left out.
        n: Number of examples.
        split: Which examples.
        max_tokens: Most tokens of an answer.
        with_vision: Compare an adapter that changes the vision tower; a server leaves that part out silently unless
            it was told of it.
        api_key: The server's key; `$LIFTCOACH_API_KEY`, else that of `coach serve`, when left out.
        on_progress: Called with a stage, the examples done and the total.

    Raises:
        SetupError: The adapter is not whole, belongs to another base, or changes the vision tower unasked.
        ServiceError: The server does not answer, or does not serve the adapter.
        InputError: Too few examples with pictures.
    """
    card = read_card(adapter_dir)
    base_dir = base_path(base or card.base)
    name = adapter_dir.resolve().name.split("@")[0]
    base_sha256 = model_hash(base_dir)
    adapter = check_adapter(name, adapter_dir, base_dir, base_sha256=base_sha256, allows_towers=True)
    if adapter.has_tower_weights and not with_vision:
        raise SetupError(
            f"{adapter.name} changes the vision tower, and a server leaves that part out silently: set "
            "tower_adapters = true in serving.toml, then compare again with --with-vision"
        )
    examples = _with_pictures(read_examples(data, split), n, data)
    rows = []
    with closing(Served(server, adapter.name, api_key)) as served:
        trained = Reference(base_dir, adapter_dir, _max_pixels(adapter_dir))
        for i, example in enumerate(examples, 1):
            turns = opening(example)
            rows.append(difference(example.id, trained.answer(turns, max_tokens), served.answer(turns, max_tokens)))
            if on_progress is not None:
                on_progress("comparing", i, len(examples))
    return summarise(rows, adapter.name, card.base, base_sha256, served.url)


def _with_pictures(examples: Sequence[Example], n: int, data: Path) -> list[Example]:
    found = [example for example in examples if any(turn.pictures for turn in opening(example))]
    if len(found) < n:
        raise InputError(f"{data} has {len(found)} examples with pictures, {n} are wanted: lower --n, or export more")
    return found[:n]


def opening(example: Example) -> tuple[Turn, ...]:
    """Return the turns before the first answer."""
    first = next(i for i, turn in enumerate(example.turns) if turn.role == "assistant")
    return example.turns[:first]


def _max_pixels(adapter_dir: Path) -> int | None:
    told = json.loads((adapter_dir / "card.json").read_text(encoding="utf-8"))
    pixels: int | None = told.get("recipe", {}).get("max_pixels")
    return pixels


def difference(name: str, trained: Answer, served: Answer) -> Row:
    """Return how two answers to the same turns differ."""
    pairs = zip(trained.ids, served.ids, strict=False)
    n_alike = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(trained.ids), len(served.ids)))
    apart = [abs(a - b) for a, b in zip(trained.logprobs[:n_alike], served.logprobs[:n_alike], strict=True)]
    return Row(
        id=name,
        prompt_tokens=len(trained.prompt_ids),
        served_prompt_tokens=len(served.prompt_ids),
        is_same_prompt=trained.prompt_ids == served.prompt_ids,
        is_same_text=trained.ids == served.ids and _whole(trained.text) == _whole(served.text),
        max_difference=max(apart) if apart else None,
        text=trained.text,
        served_text=served.text,
    )


def _whole(text: str) -> str:
    """Return a text without the broken character that its last tokens may have begun; a server does not send it."""
    return text.rstrip("\N{REPLACEMENT CHARACTER}")


def summarise(
    rows: Sequence[Row], adapter: str, base: str, base_sha256: str, server: str, tolerance: float = TOLERANCE
) -> Parity:
    """Return the verdict: equal when every prompt, every text and every log-probability is."""
    apart = [row.max_difference for row in rows if row.max_difference is not None]
    n_equal = sum(row.is_same_prompt and row.is_same_text for row in rows)
    return Parity(
        adapter=adapter,
        base=base,
        base_sha256=base_sha256,
        server=server,
        tolerance=tolerance,
        n=len(rows),
        n_equal=n_equal,
        max_difference=max(apart) if apart else None,
        is_equal=bool(rows) and n_equal == len(rows) and len(apart) == len(rows) and max(apart) <= tolerance,
        rows=tuple(rows),
    )


class Reference:
    """The adapter as it was trained: transformers and peft, in float32."""

    def __init__(self, base: Path, adapter: Path, max_pixels: int | None) -> None:
        """Load base and adapter."""
        from peft import PeftModel

        quiet()
        self._processor = load_processor(base, max_pixels)
        self._model = PeftModel.from_pretrained(load_base(base, "float32"), str(adapter)).eval()

    def answer(self, turns: Sequence[Turn], max_tokens: int) -> Answer:
        """Return the greedy answer."""
        import torch
        from PIL import Image

        tokenizer = self._processor.tokenizer
        text = tokenizer.apply_chat_template(
            messages(turns),
            chat_template=self._processor.chat_template,
            tokenize=False,
            add_generation_prompt=True,
        )
        pictures = [Image.open(picture.path).convert("RGB") for turn in turns for picture in turn.pictures]
        inputs = self._processor(text=[text], images=pictures or None, add_special_tokens=False, return_tensors="pt")
        with torch.inference_mode():
            made = self._model.generate(
                **inputs.to(self._model.device),
                max_new_tokens=max_tokens,
                do_sample=False,
                output_logits=True,
                return_dict_in_generate=True,
            )
        prompt = inputs["input_ids"][0].tolist()
        ids = made.sequences[0].tolist()[len(prompt) :]
        chosen = (torch.log_softmax(logits[0].float(), -1)[i] for logits, i in zip(made.logits, ids, strict=True))
        return Answer(
            prompt_ids=tuple(prompt),
            ids=tuple(ids),
            logprobs=tuple(float(value) for value in chosen),
            text=tokenizer.decode(ids, skip_special_tokens=True),
        )


class Served:
    """The adapter as a vLLM server runs it."""

    def __init__(self, server: str, model: str, api_key: str | None = None) -> None:
        """Ask whether the server has the adapter.

        Raises:
            ServiceError: It does not answer, or serves other names.
        """
        import openai

        self.url = server.rstrip("/") if server.rstrip("/").endswith("/v1") else f"{server.rstrip('/')}/v1"
        self._model = model
        key = api_key or os.environ.get("LIFTCOACH_API_KEY") or read_key() or "none"
        # A proxy of the environment cannot reach this machine's own server.
        is_here = urlsplit(self.url).hostname in ("127.0.0.1", "localhost", "::1")
        http = openai.DefaultHttpxClient(trust_env=not is_here)
        self._client = openai.OpenAI(
            base_url=self.url, api_key=key, max_retries=1, timeout=_TIMEOUT_S, http_client=http
        )
        names = self._told(lambda: [served.id for served in self._client.models.list()])
        if model not in names:
            self.close()
            raise ServiceError(
                f"{self.url} does not serve {model}, only {', '.join(names)}: add it to `adapters` in serving.toml "
                "and start `coach serve` again"
            )

    def close(self) -> None:
        """Close the connections to the server."""
        self._client.close()

    def _told(self, ask: Callable[[], Any]) -> Any:
        import openai

        try:
            return ask()
        except openai.APIError as problem:
            self.close()
            raise ServiceError(
                f"{self.url} gave no answer ({problem}): is `coach serve` running, and is LIFTCOACH_API_KEY its key?"
            ) from problem

    def answer(self, turns: Sequence[Turn], max_tokens: int) -> Answer:
        """Return the greedy answer.

        Raises:
            ServiceError: The server gives no token ids or log-probabilities.
        """
        reply = self._told(
            lambda: self._client.chat.completions.create(
                model=self._model,
                messages=[_message(turn) for turn in turns],  # type: ignore[misc] # plain dictionaries
                max_tokens=max_tokens,
                temperature=0,
                logprobs=True,
                extra_body={"return_token_ids": True},
            )
        ).model_dump()
        choice = reply["choices"][0]
        ids, told = choice.get("token_ids"), (choice["logprobs"] or {}).get("content")
        if ids is None or reply.get("prompt_token_ids") is None or told is None or len(told) != len(ids):
            raise ServiceError(f"{self.url} gives no token ids and log-probabilities: is it vLLM 0.32 or newer?")
        logprobs = [token["logprob"] for token in told]
        if not all(math.isfinite(value) for value in logprobs):
            raise DataError(f"{self.url} gave a log-probability that is no number")
        return Answer(
            prompt_ids=tuple(reply["prompt_token_ids"]),
            ids=tuple(ids),
            logprobs=tuple(logprobs),
            text=choice["message"]["content"] or "",
        )


def _message(turn: Turn) -> dict[str, Any]:
    if not turn.pictures:
        return {"role": turn.role, "content": turn.text}
    pictures = [{"type": "image_url", "image_url": {"url": data_uri(picture.path)}} for picture in turn.pictures]
    return {"role": turn.role, "content": [*pictures, {"type": "text", "text": turn.text}]}
