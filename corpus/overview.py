"""What is in the corpus, in numbers: by language and status, by kind, fault and licence, and what still needs a coach."""

from collections import Counter
from collections.abc import Iterable, Mapping

from pydantic import Field

from coach.domain.base import Record
from coach.domain.passage import Passage, PassageStatus
from corpus.knowledge.library import load_library
from corpus.search import Source
from corpus.store import Store


class Overview(Record):
    """Counts of passages, unless they say otherwise."""

    n_documents: int
    n_passages: int
    statuses: Mapping[str, Mapping[PassageStatus, int]]
    """By language, then status."""
    kinds: Mapping[str, int]
    licences: Mapping[str, int]
    n_without_licence: int
    n_exportable: int
    n_exact_duplicates: int = 0
    n_near_duplicates: int = 0
    reviewers: Mapping[str, int] = Field(default_factory=dict)
    """Decisions of each coach."""
    faults: Mapping[str, int]
    faults_without_passage: tuple[str, ...]


def overview(source: Source) -> Overview:
    """Return the numbers of a store, of the starter texts, or of both."""
    passages = source.passages()
    faults = _counted(fault for passage in passages for fault in passage.tags.faults)
    told = {fault for p in passages if p.status == "accepted" for fault in p.tags.faults}
    numbers = Overview(
        n_documents=len(source.documents()),
        n_passages=len(passages),
        statuses=_by_language(passages),
        kinds=_counted(passage.tags.kind for passage in passages),
        licences=_counted(passage.licence for passage in passages if passage.licence),
        n_without_licence=sum(not passage.licence for passage in passages),
        n_exportable=sum(passage.status == "accepted" and bool(passage.licence) for passage in passages),
        faults=faults,
        faults_without_passage=tuple(fault for fault in load_library().faults if fault not in told),
    )
    if not isinstance(source, Store):
        return numbers
    marked = source.duplicates()
    return numbers.model_copy(
        update={
            "n_exact_duplicates": sum(duplicate.similarity == 1 for duplicate in marked),
            "n_near_duplicates": sum(duplicate.similarity < 1 for duplicate in marked),
            "reviewers": source.reviewers(),
        }
    )


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())


def _by_language(passages: Iterable[Passage]) -> dict[str, dict[PassageStatus, int]]:
    counts: dict[str, Counter[PassageStatus]] = {}
    for passage in passages:
        counts.setdefault(passage.language, Counter())[passage.status] += 1
    return {language: dict(count) for language, count in sorted(counts.items())}
