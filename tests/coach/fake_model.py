"""A language model that says what a test wants, and remembers what it was asked."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from coach.domain.conversation import Turn
from coach.domain.guidance import Guidance, Language
from coach.domain.lift import Lift
from coach.domain.passage import Passage
from coach.prompts import WrittenDraft
from coach.writers.vlm import VlmWriter, as_written, create
from serving.client import Reply
from tests.coach.made_up_lifts import LIBRARY, guide

ADAPTER = "coach@0123456789ab"


class FakeClient:
    """Gives its replies and streams one after the other; an exception among them is raised."""

    def __init__(
        self,
        replies: Iterable[str | Exception] = (),
        streams: Iterable[Iterable[str | Exception]] = (),
        name: str = ADAPTER,
    ) -> None:
        self.name = name
        self.replies, self.streams = list(replies), list(streams)
        self.asked: list[tuple[Turn, ...]] = []
        self.schemas: list[dict[str, Any] | None] = []
        self.models_asked: list[str | None] = []
        self.n_closed = 0

    def models(self) -> tuple[str, ...]:
        return ("coach-tiny", ADAPTER)

    def complete(
        self,
        turns: Sequence[Turn],
        *,
        schema: dict[str, Any] | None = None,
        max_tokens: int = 700,
        model: str | None = None,
    ) -> Reply:
        self.asked.append(tuple(turns))
        self.schemas.append(schema)
        self.models_asked.append(model)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        name = model or self.name
        return Reply(text=reply, finish_reason="stop", prompt_tokens=1, completion_tokens=1, model=name)

    def stream(self, turns: Sequence[Turn], *, max_tokens: int = 400, model: str | None = None) -> Iterator[str]:
        self.asked.append(tuple(turns))
        self.models_asked.append(model)
        try:
            for piece in self.streams.pop(0):
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.n_closed += 1


def no_passages(query: str, language: Language, faults: Sequence[str], limit: int) -> tuple[Passage, ...]:
    """Find nothing."""
    return ()


def writer_of(
    *replies: str | Exception, streams: Iterable[Iterable[str | Exception]] = ()
) -> tuple[VlmWriter, FakeClient]:
    """Return a writer whose model gives these replies, and the client that was asked."""
    client = FakeClient(replies, streams)
    return create(client, find=no_passages), client


def rules_as_written(lift: Lift, language: Language = "en", **changes: Any) -> str:
    """Return what a perfect model would write about a judged lift, with some fields changed."""
    said: Guidance = guide(lift, "side", language)
    written = WrittenDraft.model_validate_json(as_written(said, lift, LIBRARY))
    first = {key: changes.pop(key) for key in ("observation", "consequence", "cue", "drill", "fault") if key in changes}
    if first:
        changes["priorities"] = (written.priorities[0].model_copy(update=first), *written.priorities[1:])
    return written.model_copy(update=changes).model_dump_json()
