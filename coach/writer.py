"""A writer drafts what the coach says about one lift; a draft becomes guidance only through the check."""

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from coach.domain.backends import Backends
from coach.domain.base import Record
from coach.domain.conversation import Picture
from coach.domain.guidance import Guidance, Language, Priority
from coach.domain.lift import Lift, Report
from corpus.knowledge.library import Library


class Draft(Record):
    """Unchecked guidance: the fields of `Guidance` before the check.

    `strength_evidence` are the measures that the strength quotes by id; without any, its words must name them.
    `written` is what a model wrote, word for word: a repair goes on from it.
    """

    language: Language
    writer: str
    model: str | None = None
    adapter: str | None = None
    strength: str
    strength_evidence: tuple[str, ...] = ()
    priorities: tuple[Priority, ...] = ()
    next_film: str
    safety: str
    not_measured: tuple[str, ...] = ()
    written: str = ""


class Writer(Protocol):
    """Writes drafts from what was measured."""

    name: str

    def write(
        self,
        report: Report,
        lift: Lift | None,
        library: Library,
        language: Language,
        history: Sequence[Lift] = (),
        pictures: Sequence[Picture] = (),
    ) -> Draft:
        """Return a draft about one lift of the report, whose findings stand in `lift`; None when no lift was found.

        Args:
            report: The analysis.
            lift: The lift to speak about.
            library: Fault texts and phrases.
            language: Language of the draft.
            history: Earlier lifts of the same lifter, oldest first.
            pictures: Key frames of the lift, for writers that look.

        Raises:
            ServiceError: A server that this writer needs gave nothing usable.
        """
        ...


@runtime_checkable
class Repairs(Protocol):
    """A writer that writes again when something did not pass the check."""

    def repair(
        self,
        draft: Draft,
        removed: Sequence[str],
        report: Report,
        lift: Lift,
        library: Library,
        history: Sequence[Lift] = (),
        pictures: Sequence[Picture] = (),
    ) -> Draft:
        """Return another draft, written with the knowledge of what did not hold in this one.

        Raises:
            ServiceError: The server gave nothing usable.
        """
        ...


@runtime_checkable
class Talks(Protocol):
    """A writer that answers questions as well."""

    name: str

    def talk(
        self,
        report: Report,
        lift: Lift,
        library: Library,
        language: Language,
        said: Guidance,
        history: Sequence[tuple[str, str]],
        question: str,
        pictures: Sequence[Picture] = (),
    ) -> Iterator[str]:
        """Yield an unchecked answer in pieces, measures quoted by id; closing the iterator ends the request.

        Args:
            report: The analysis.
            lift: The lift that is asked about.
            library: Names of measures and faults.
            language: Language of the answer.
            said: The guidance about this lift.
            history: Earlier questions and answers, oldest first.
            question: What the athlete asks.
            pictures: Key frames of the lift.

        Raises:
            ServiceError: The server gave nothing usable, or broke off.
        """
        ...


WRITERS: Backends[Writer] = Backends("coach.writers", "writer")
