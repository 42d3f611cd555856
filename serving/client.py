"""What every client of a language model's server can do, and the folder the clients live in."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from coach.domain.backends import Backends
from coach.domain.base import Record
from coach.domain.conversation import Turn


class Reply(Record):
    """One whole answer; `finish_reason` is `stop`, or `length` when it was cut off. Tokens as the server counted them."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    model: str


class ChatClient(Protocol):
    """Speaks to one server; all methods raise ServiceError with what to do when it gives nothing usable."""

    @property
    def name(self) -> str:
        """Return the name of the model that answers when none is given."""
        ...

    def complete(
        self,
        turns: Sequence[Turn],
        *,
        schema: dict[str, Any] | None = None,
        max_tokens: int = 700,
        model: str | None = None,
    ) -> Reply:
        """Return the whole answer to the last turn.

        Args:
            turns: The conversation; the first user's turn holds the lift and is never left out.
            schema: JSON schema that the answer must follow; its text is JSON with the required keys then.
            max_tokens: Most tokens of the answer.
            model: Served name of a model or an adapter; the client's own when left out.
        """
        ...

    def stream(self, turns: Sequence[Turn], *, max_tokens: int = 400, model: str | None = None) -> Iterator[str]:
        """Yield the answer piece by piece; closing the iterator ends the request, and the server stops writing."""
        ...

    def models(self) -> tuple[str, ...]:
        """Return the names that are served: the base model first, then its adapters."""
        ...


CLIENTS: Backends[ChatClient] = Backends("serving.clients", "client", extra="vlm")
