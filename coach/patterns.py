"""The words of the library as compiled patterns: measures, instants, faults, and sentences that pass as they stand."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from coach.quantities import normalised
from coach.wording import sentences
from corpus.knowledge.library import Library

MIN_STANDING_CHARACTERS = 12  # shorter phrases could stand inside a made-up sentence by chance


@dataclass(frozen=True, slots=True)
class Hit:
    """Words in a text, and the ids they name."""

    start: int
    end: int
    ids: frozenset[str]


class Words:
    """Words and the ids they name, found longest first and whole."""

    def __init__(self, words: dict[str, set[str]]) -> None:
        """Compile the words; Latin words only match whole."""
        self._ids = {word: frozenset(ids) for word, ids in words.items()}
        self._pattern = any_of(self._ids, "(?<![a-z])", "(?![a-z])", re.I)

    def find(self, text: str) -> list[Hit]:
        """Return the hits in a normalised text, in order, without overlap."""
        return [Hit(m.start(), m.end(), self._ids[m.group().lower()]) for m in self._pattern.finditer(text)]


@dataclass(frozen=True, slots=True)
class WordIndex:
    """The patterns of one library; `standing` are its whole sentences that are no templates."""

    measures: Words
    instants: Words
    faults: Words
    standing: re.Pattern[str]


class _Same:
    """A library as a dictionary key: the very same object."""

    def __init__(self, library: Library) -> None:
        self.library = library

    def __hash__(self) -> int:
        return id(self.library)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.library is self.library


def word_index(library: Library) -> WordIndex:
    """Return the patterns of a library, compiled once."""
    return _index(_Same(library))


def verbatim(texts: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern for texts that stand alone and whole: no digit may be added to either end."""
    bare = {text.rstrip(".。 ") for text in texts}
    before, after = r"(?<![0-9A-Za-z])(?<![0-9][.,])", r"(?![0-9A-Za-z%])(?![.,:/–-]?[0-9])"
    return any_of({text for text in bare if text}, before, after)


def any_of(words: Iterable[str], before: str, after: str, flags: int = 0) -> re.Pattern[str]:
    """Return a pattern for any of the words, the longest first; one that never matches when there are none."""
    ordered = sorted(words, key=len, reverse=True)
    return re.compile(rf"{before}(?:{'|'.join(map(re.escape, ordered))}){after}" if ordered else r"(?!)", flags)


@lru_cache(maxsize=4)
def _index(same: _Same) -> WordIndex:
    library = same.library
    measures: dict[str, set[str]] = {}
    for name, record in library.measures.items():
        _add(measures, name, (word for text in record.texts.values() for word in text.words))
    instants: dict[str, set[str]] = {}
    for group in library.texts.values():
        for instant, text in group.instants.items():
            _add(instants, instant, text.words)
    faults: dict[str, set[str]] = {}
    for fault in library.faults.values():
        _add(faults, fault.id, (word for text in fault.texts.values() for word in (text.name, *text.aliases)))
    phrases = [p for group in library.texts.values() for p in group.phrases.values() if "{" not in p]
    whole = [p for p in phrases if len(p) >= MIN_STANDING_CHARACTERS]
    standing = verbatim(normalised(part) for text in whole for part in (text, *sentences(text)))
    return WordIndex(Words(measures), Words(instants), Words(faults), standing)


def _add(words: dict[str, set[str]], name: str, new: Iterable[str]) -> None:
    for word in new:
        words.setdefault(normalised(word).lower(), set()).add(name)
