"""What a reader makes of a file before it is cut, masked and counted, and the list of readers."""

from pathlib import Path
from typing import Protocol

from coach.domain.backends import Backends
from coach.domain.base import Record
from coach.domain.passage import Tags, TextLanguage


class Problem(Record):
    """What is wrong, or worth a second look, at one place of a file."""

    place: str
    message: str


class Block(Record):
    """A stretch of a file as its reader found it.

    Attributes:
        place: Where it stands for a person, such as `page 3`.
        text: Paragraphs, separated by newlines.
        joins: Whether it may share a passage with the blocks beside it.
        is_whole: Whether it is a passage as it stands, such as a training record.
        language: Its language, where the reader knows.
        athlete: Pseudonym of whom it is about.
    """

    place: str
    text: str
    tags: Tags = Tags()
    joins: bool = False
    is_whole: bool = False
    language: TextLanguage | None = None
    athlete: str | None = None


class Parsed(Record):
    """What a reader found in a file; `names` are people to be masked and are stored nowhere."""

    title: str | None = None
    language: TextLanguage | None = None
    licence: str | None = None
    url: str | None = None
    blocks: tuple[Block, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    names: tuple[str, ...] = ()


class Reader(Protocol):
    """Reads one format; made cheaply, whatever is heavy happens in `read`."""

    label: str
    suffixes: tuple[str, ...]
    magic: bytes | None

    def read(self, path: Path, salt: bytes) -> Parsed:
        """Return what stands in a file, trusting it with nothing.

        Args:
            path: The file; its content begins with `magic`, where there is one.
            salt: Secret of this installation that pseudonyms are made with.

        Raises:
            InputError: The file cannot be used.
        """
        ...


READERS: Backends[Reader] = Backends("corpus.readers", "reader", extra="corpus")
