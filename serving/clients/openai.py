"""The OpenAI protocol, as vLLM and most other servers speak it, through the official client."""

import json
import logging
import os
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2
import openai
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from coach.domain.conversation import Turn
from coach.domain.errors import ServiceError
from serving.client import Reply
from serving.keys import read_key
from serving.pictures import data_uri

logger = logging.getLogger(__name__)

DEFAULT_URL = "http://127.0.0.1:8102/v1"
CONNECT_TIMEOUT_S = 5.0  # s until a server that is up has taken the connection
TOKEN_TIMEOUT_S = 60.0  # s between two pieces of a stream; the first waits for the pictures to be read
FIRST_PAUSE_S = 0.5  # s before the second try, doubled each time
LONGEST_PAUSE_S = 20.0  # s, the longest that a person is kept waiting for a busy server
SEED = 0
_MORE_HEAT = 0.4  # temperature of the second try after an answer that breaks the schema; greedy would repeat it
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TOO_LONG = ("context length", "context_length_exceeded", "maximum model length")

T = TypeVar("T")


def create(
    base_url: str | None = None,
    api_key: str | None = None,
    model: str | None = None,
    timeout_s: float = 180.0,
    max_retries: int = 2,
    max_pixels: int | None = None,
    token_timeout_s: float = TOKEN_TIMEOUT_S,
) -> "OpenAIClient":
    """Return a client.

    Args:
        base_url: Address up to `/v1`; `$LIFTCOACH_SERVER`, else the one `coach serve` listens on.
        api_key: `$LIFTCOACH_API_KEY`, else the key that `coach serve` has written for this user.
        model: Served name; the server's last adapter, else its base model, when left out.
        timeout_s: For one answer as a whole, with all tries.
        max_retries: Further tries after 429, 5xx or a lost connection.
        max_pixels: Larger pictures are made smaller.
        token_timeout_s: Between two pieces of a stream.
    """
    url = base_url or os.environ.get("LIFTCOACH_SERVER") or DEFAULT_URL
    own_key = read_key() if _is_here(url) else None  # the key of this machine's server is for no other
    key = api_key or os.environ.get("LIFTCOACH_API_KEY") or own_key or "none"
    return OpenAIClient(url, key, model, timeout_s, max_retries, max_pixels, token_timeout_s)


class OpenAIClient:
    """Speaks to one server; safe to share between threads."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        model: str | None,
        timeout_s: float,
        max_retries: int,
        max_pixels: int | None,
        token_timeout_s: float,
    ) -> None:
        """Remember the options; nothing is sent yet."""
        self.base_url = base_url
        self._model = model
        self._found: str | None = None
        self._timeout_s = timeout_s
        self._max_retries = max_retries
        self._max_pixels = max_pixels
        self._token_timeout_s = token_timeout_s
        # A proxy of the environment cannot reach this machine's own server.
        http = openai.DefaultHttpxClient(trust_env=not _is_here(base_url))
        weakref.finalize(self, http.close)
        self._client = openai.OpenAI(base_url=base_url, api_key=api_key, max_retries=0, http_client=http)

    @property
    def name(self) -> str:
        """Return the name of the model that answers when none is given; the server is asked once."""
        if self._model is not None:
            return self._model
        if self._found is None:
            served = self.models()
            self._found = next((name for name in reversed(served) if "@" in name), served[0])
        return self._found

    def models(self) -> tuple[str, ...]:
        """Return the names that are served: the base model first, then its adapters."""
        with self._told():
            listed = self._retried(
                lambda left_s: self._client.models.with_raw_response.list(timeout=self._limits(left_s))
            )
            names = tuple(model.id for model in _Models.model_validate_json(listed.content).data)
        if not names:
            raise ServiceError(f"{self.base_url} serves no model: start it again with `coach serve`")
        return names

    def complete(
        self,
        turns: Sequence[Turn],
        *,
        schema: dict[str, Any] | None = None,
        max_tokens: int = 700,
        model: str | None = None,
    ) -> Reply:
        """Return the whole answer; with a schema it is asked for a second time when it does not follow it."""
        deadline = time.monotonic() + self._timeout_s
        reply = self._complete(turns, schema, max_tokens, model, 0.0, deadline)
        if schema is None or (flaw := find_flaw(reply, schema)) is None:
            return reply
        logger.info("%s: %s; asking once more", reply.model, flaw)
        reply = self._complete(turns, schema, max_tokens, model, _MORE_HEAT, deadline)
        if (flaw := find_flaw(reply, schema)) is not None:
            raise ServiceError(f"{reply.model} at {self.base_url} gave an answer of the wrong form twice: {flaw}")
        return reply

    def stream(self, turns: Sequence[Turn], *, max_tokens: int = 400, model: str | None = None) -> Iterator[str]:
        """Yield the answer piece by piece; problems are raised while iterating."""
        deadline = time.monotonic() + self._timeout_s
        wanted = model or self.name
        with self._told(wanted):
            pieces = self._fitted(turns, lambda kept: self._open_stream(kept, wanted, max_tokens, deadline))
            finished = False
            with pieces:
                for piece in pieces:
                    for choice in piece.choices or ():
                        finished = finished or choice.finish_reason is not None
                        if choice.delta.content:
                            yield choice.delta.content
                    if time.monotonic() > deadline:
                        raise ServiceError(f"{self.base_url} took more than {self._timeout_s:.0f} s for one answer")
            if not finished:
                raise ServiceError(f"{self.base_url} broke off in the middle of an answer: ask again")

    def _open_stream(self, turns: Sequence[Turn], model: str, max_tokens: int, deadline: float) -> Any:
        body = self._body(turns, model, max_tokens, 0.0)
        return self._retried(
            lambda left_s: self._client.chat.completions.create(
                **body, stream=True, timeout=self._limits(min(left_s, self._token_timeout_s))
            ),
            deadline,
        )

    def _complete(
        self,
        turns: Sequence[Turn],
        schema: dict[str, Any] | None,
        max_tokens: int,
        model: str | None,
        temperature: float,
        deadline: float,
    ) -> Reply:
        wanted = model or self.name

        def send(kept: Sequence[Turn]) -> Any:
            body = self._body(kept, wanted, max_tokens, temperature, schema)
            raw = self._client.chat.completions.with_raw_response
            return self._retried(lambda left_s: raw.create(**body, timeout=self._limits(left_s)), deadline)

        with self._told(wanted):
            said = _Completion.model_validate_json(self._fitted(turns, send).content)
        choice = said.choices[0]
        return Reply(
            text=choice.message.content or "",
            finish_reason=choice.finish_reason or "",
            prompt_tokens=said.usage.prompt_tokens,
            completion_tokens=said.usage.completion_tokens,
            model=said.model,
        )

    def _body(
        self,
        turns: Sequence[Turn],
        model: str,
        max_tokens: int,
        temperature: float,
        schema: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": model,
            "messages": [self._message(turn) for turn in turns],
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": SEED,
        }
        if schema is not None:
            named = {"name": "reply", "schema": schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        return body

    def _message(self, turn: Turn) -> dict[str, Any]:
        if not turn.pictures:
            return {"role": turn.role, "content": turn.text}
        uris = [data_uri(picture.path, self._max_pixels) for picture in turn.pictures]
        parts: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": uri}} for uri in uris]
        return {"role": turn.role, "content": [*parts, {"type": "text", "text": turn.text}]}

    def _limits(self, read_s: float) -> openai.Timeout:
        return openai.Timeout(read_s, connect=min(CONNECT_TIMEOUT_S, read_s))

    def _fitted(self, turns: Sequence[Turn], send: Callable[[Sequence[Turn]], T]) -> T:
        """Send the turns; leave out the oldest question and answer for as long as they are too long for the model."""
        while True:
            try:
                return send(turns)
            except openai.BadRequestError as problem:
                shorter = without_oldest(turns)
                if not _is_too_long(problem) or shorter is None:
                    raise
                logger.info("%s: the talk is too long; its oldest question is left out", self.base_url)
                turns = shorter

    def _retried(self, send: Callable[[float], T], deadline: float | None = None) -> T:
        """Send until it works: busy and failing servers and lost connections are tried again after a pause."""
        end = deadline if deadline is not None else time.monotonic() + self._timeout_s
        for tries in range(self._max_retries + 1):
            try:
                return send(max(end - time.monotonic(), 0.1))
            except openai.APIError as problem:
                pause_s = _pause(problem, tries)
                is_last = tries == self._max_retries or pause_s > LONGEST_PAUSE_S or time.monotonic() + pause_s > end
                if is_last or not _may_work_later(problem):
                    raise
                logger.info("%s: %s; trying again in %.1f s", self.base_url, problem, pause_s)
                time.sleep(pause_s)
        raise AssertionError("unreachable")

    @contextmanager
    def _told(self, model: str | None = None) -> Iterator[None]:
        """Turn every way a server can fail into a ServiceError that says what to do."""
        try:
            yield
        except openai.NotFoundError as problem:
            raise ServiceError(self._not_found(model)) from problem
        except openai.APITimeoutError as problem:
            raise ServiceError(
                f"{self.base_url} did not answer in time; is the server overloaded? Try again"
            ) from problem
        except openai.APIConnectionError as problem:
            cause = problem.__cause__ or problem
            if isinstance(cause, httpx2.ConnectError):
                flaw = f"cannot be reached ({cause}); is `coach serve` running?"
            else:
                flaw = f"broke off in the middle of an answer ({cause}); is `coach serve` still running? Then ask again"
            raise ServiceError(f"{self.base_url} {flaw}") from problem
        except openai.APIStatusError as problem:
            raise ServiceError(f"{self.base_url} {_status_text(problem)}") from problem
        except (openai.APIError, json.JSONDecodeError, ValidationError) as problem:
            flaw = " ".join(str(problem).split())[:200]
            raise ServiceError(
                f"{self.base_url} gave an answer that cannot be understood ({flaw}); is it a server for language models?"
            ) from problem

    def _not_found(self, model: str | None) -> str:
        if model is None:
            return f"{self.base_url} knows no list of models; does the address end with /v1?"
        self._found = None  # the server was started again with other adapters
        served = ", ".join(self.models())
        return f"{self.base_url} does not serve '{model}'; choose from {served}"


def _is_here(url: str) -> bool:
    return urlsplit(url).hostname in _LOOPBACK


class _Loose(BaseModel):
    """What a server sends: only the fields that are needed, whatever else is there."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Model(_Loose):
    id: str


class _Models(_Loose):
    data: tuple[_Model, ...]


class _Message(_Loose):
    content: str | None = None


class _Choice(_Loose):
    message: _Message
    finish_reason: str | None = None


class _Usage(_Loose):
    prompt_tokens: int
    completion_tokens: int


class _Completion(_Loose):
    model: str
    choices: tuple[_Choice, ...] = Field(min_length=1)
    usage: _Usage


def find_flaw(reply: Reply, schema: dict[str, Any]) -> str | None:
    """Return what is wrong with an answer that should be JSON with the required keys of a schema; None if nothing."""
    cut = f" (cut off after {reply.completion_tokens} tokens)" if reply.finish_reason == "length" else ""
    try:
        said = json.loads(reply.text)
    except json.JSONDecodeError as problem:
        return f"not JSON{cut}: {problem}"
    if schema.get("type") == "object" and not isinstance(said, dict):
        return f"an object is wanted, got {reply.text[:40]!r}"
    missing = [key for key in schema.get("required", ()) if key not in said]
    return f"no {', '.join(missing)}{cut}" if missing else None


def without_oldest(turns: Sequence[Turn]) -> tuple[Turn, ...] | None:
    """Return the turns without their oldest follow-up question and its answer; None when there is none to leave out.

    The system's turn, the first user's turn (the lift) with its answer, and the last question always stay.
    """
    users = [i for i, turn in enumerate(turns) if turn.role == "user"]
    if len(users) < 3:
        return None
    return (*turns[: users[1]], *turns[users[2] :])


def _is_too_long(problem: openai.APIStatusError) -> bool:
    return any(words in str(problem) for words in _TOO_LONG)


def _may_work_later(problem: openai.APIError) -> bool:
    if isinstance(problem, openai.APITimeoutError):
        return False  # the time for this answer is over
    if isinstance(problem, openai.APIStatusError):
        return problem.status_code == 429 or problem.status_code >= 500
    return isinstance(problem, openai.APIConnectionError)


def _pause(problem: openai.APIError, tries: int) -> float:
    """Return the seconds to wait before the next try: what the server asks for, or twice as long each time."""
    response = getattr(problem, "response", None)
    asked = response.headers.get("retry-after", "") if response is not None else ""
    if asked.isdigit():
        return float(asked)
    return float(min(FIRST_PAUSE_S * 2**tries, LONGEST_PAUSE_S))


def _status_text(problem: openai.APIStatusError) -> str:
    said = " ".join(problem.message.split()).removeprefix(f"Error code: {problem.status_code} - ")[:300]
    match problem.status_code:
        case 401 | 403:
            return "refuses the key: set LIFTCOACH_API_KEY to the key the server was started with"
        case 429:
            return f"is too busy (429): ask again in {problem.response.headers.get('retry-after', '30')} s"
        case 400 if _is_too_long(problem):
            return f"cannot take a talk this long: raise max_model_len in serving.toml or show fewer pictures ({said})"
        case code if code >= 500:
            return f"failed ({code}: {said}): ask again; the server's log says more"
        case code:
            return f"refused the request ({code}: {said})"
