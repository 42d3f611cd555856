"""A writer drafts what the coach says about one lift; a draft becomes guidance only through the check."""

from collections.abc import Sequence
from typing import Protocol

from coach.domain.backends import Backends
from coach.domain.base import Record
from coach.domain.guidance import Language, Priority
from coach.domain.lift import Lift, Report
from corpus.knowledge.library import Library


class Draft(Record):
    """Unchecked guidance: the fields of `Guidance` before the check."""

    language: Language
    writer: str
    model: str | None = None
    adapter: str | None = None
    strength: str
    priorities: tuple[Priority, ...] = ()
    next_film: str
    safety: str
    not_measured: tuple[str, ...] = ()


class Writer(Protocol):
    """Writes drafts from what was measured."""

    name: str

    def write(
        self, report: Report, lift: Lift | None, library: Library, language: Language, history: Sequence[Lift] = ()
    ) -> Draft:
        """Return a draft about one lift of the report, whose findings stand in `lift`; None when no lift was found."""
        ...


WRITERS: Backends[Writer] = Backends("coach.writers", "writer")
