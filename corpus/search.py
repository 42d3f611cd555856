"""Search over the corpus and the starter texts, in English and Chinese at once, with the source of every hit."""

import sqlite3
from collections.abc import Collection, Sequence
from threading import Lock
from typing import Protocol
from weakref import WeakKeyDictionary

from coach.domain.base import Record
from coach.domain.passage import Document, Passage, PassageStatus, TextLanguage
from corpus.languages import has_chinese
from corpus.terms import asked_faults, asked_words, notions, words

MAX_ASKED = 2000  # characters of a question that are read
MAX_WORDS = 120  # words of a question that are looked for
_WEIGHTS = (2.0, 1.0, 2.0, 0.5)  # of place, text, notions and faults
_FAULT_BOOST = 2.0  # of a passage tagged with a fault that was asked for, times how surely it was
_LANGUAGE_BOOST = 1.5  # of a passage in the language of the question


class Source(Protocol):
    """What can be searched: the store, the starter texts, or both."""

    def stamp(self) -> tuple[int, ...]:
        """Return numbers that differ whenever the texts do."""
        ...

    def documents(self) -> dict[str, Document]:
        """Return the documents by id."""
        ...

    def passages(self) -> tuple[Passage, ...]:
        """Return all passages."""
        ...


class Hit(Record):
    """A passage that answers a question; a higher score answers it better, only compared within one search."""

    passage: Passage
    document: Document
    score: float

    @property
    def citation(self) -> str:
        """Return where the passage stands and whose it is, such as `Turnover › Late elbows (Apache-2.0)`."""
        place, title = self.passage.place, self.document.title
        where = place if place.startswith(title) else f"{title}, {place}"
        return f"{where} ({self.passage.licence or 'no licence'})"


class Together:
    """Several sources as one; a passage that several hold is found once."""

    def __init__(self, *sources: Source) -> None:
        """Remember the sources; the first one that holds a passage counts."""
        self.sources = sources

    def stamp(self) -> tuple[int, ...]:
        """Return numbers that differ whenever a text does."""
        return tuple(number for source in self.sources for number in source.stamp())

    def documents(self) -> dict[str, Document]:
        """Return the documents of all sources by id."""
        return {name: document for source in reversed(self.sources) for name, document in source.documents().items()}

    def passages(self) -> tuple[Passage, ...]:
        """Return the passages of all sources."""
        first: dict[str, Passage] = {}
        for source in self.sources:
            for passage in source.passages():
                first.setdefault(passage.id, passage)
        return tuple(first.values())


def search(
    source: Source,
    query: str,
    *,
    language: TextLanguage | None = None,
    faults: Sequence[str] = (),
    limit: int = 5,
    statuses: Collection[PassageStatus] = frozenset[PassageStatus]({"accepted"}),
) -> list[Hit]:
    """Return the passages that answer a question best, the best first.

    A question in one language finds passages in the others through the names of what it speaks of.

    Args:
        source: Where to look.
        query: Any text; nothing in it is taken for syntax.
        language: Only passages in it; either Chinese script reads the other. None finds all, the question's own first.
        faults: Ids of faults; passages about them come first, and are found even when no word agrees.
        limit: Number of hits at most.
        statuses: Only passages that stand so.
    """
    return _index(source).find(query[:MAX_ASKED], language, tuple(faults), limit, frozenset(statuses))


_indices: WeakKeyDictionary[Source, "_Index"] = WeakKeyDictionary()
_lock = Lock()


def _index(source: Source) -> "_Index":
    with _lock:
        index = _indices.setdefault(source, _Index())
        index.update(source)
        return index


class _Index:
    """Full-text index in memory, of texts that were cut into words before; follows its source."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.execute(
            "CREATE VIRTUAL TABLE texts USING fts5(place, text, notions, faults, tokenize=\"unicode61 tokenchars '_'\")"
        )
        self._stamp: tuple[int, ...] | None = None
        self._numbers: dict[str, int] = {}
        self._passages: dict[int, Passage] = {}
        self._documents: dict[str, Document] = {}
        self._lock = Lock()

    def update(self, source: Source) -> None:
        """Take in what changed since the last search."""
        stamp = source.stamp()
        if stamp == self._stamp:
            return
        with self._lock:
            passages = {passage.id: passage for passage in source.passages()}
            for held in list(self._passages.values()):
                if passages.get(held.id) != held:
                    self._remove(held.id)
            for passage in passages.values():
                if passage.id not in self._numbers:
                    self._add(passage)
            self._documents = source.documents()
            self._stamp = stamp

    def _add(self, passage: Passage) -> None:
        about = (*passage.tags.lifts, *passage.tags.phases, passage.tags.kind)
        spoken = (*notions(passage.place), *notions(f"{passage.text}\n{', '.join(about).replace('_', ' ')}"))
        tagged = [f"fault_{fault}" for fault in passage.tags.faults]
        values = (" ".join(found) for found in (words(passage.place), words(passage.text), sorted(spoken), tagged))
        number = self._database.execute("INSERT INTO texts VALUES (?, ?, ?, ?)", tuple(values)).lastrowid
        assert number is not None
        self._numbers[passage.id] = number
        self._passages[number] = passage

    def _remove(self, passage_id: str) -> None:
        number = self._numbers.pop(passage_id)
        del self._passages[number]
        self._database.execute("DELETE FROM texts WHERE rowid = ?", (number,))

    def find(
        self,
        query: str,
        language: TextLanguage | None,
        faults: tuple[str, ...],
        limit: int,
        statuses: frozenset[PassageStatus],
    ) -> list[Hit]:
        """Return the best passages."""
        asked = asked_faults(query) | dict.fromkeys(faults, 1.0)
        wanted = dict.fromkeys((*(f"fault_{fault}" for fault in asked), *sorted(notions(query)), *asked_words(query)))
        expression = " OR ".join('"{}"'.format(word.replace('"', "")) for word in list(wanted)[:MAX_WORDS])
        if not expression:
            return []
        with self._lock:
            rows = self._database.execute(
                "SELECT rowid, -bm25(texts, ?, ?, ?, ?) FROM texts WHERE texts MATCH ?", (*_WEIGHTS, expression)
            ).fetchall()
            found = [(self._passages[number], score) for number, score in rows]
            documents = self._documents
        own = "zh" if has_chinese(query) else "en"
        ranked = []
        for passage, score in found:
            if passage.status not in statuses or (language is not None and passage.language[:2] != language[:2]):
                continue
            score *= 1 + _FAULT_BOOST * max((asked.get(fault, 0.0) for fault in passage.tags.faults), default=0.0)
            score *= _LANGUAGE_BOOST if query and passage.language.startswith(own) else 1.0
            ranked.append((score, passage))
        ranked.sort(key=lambda pair: (-pair[0], pair[1].id))
        return [Hit(passage=p, document=documents[p.document_id], score=score) for score, p in ranked[:limit]]
