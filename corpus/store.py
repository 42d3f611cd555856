"""The corpus: documents and passages that coaches brought, what was decided about each, and by whom.

A passage is changed by a decision only, and every decision stays: `history` tells how a text came to be what it is.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import Literal, get_args

from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.orm import Session

from coach.database import lock, open_engine, transaction, upgrade
from coach.domain.base import Record
from coach.domain.errors import DataError, InputError
from coach.domain.passage import Document, Passage, PassageStatus, Tags
from corpus.tables import DocumentRow, DuplicateRow, PassageRow, ReviewRow

Decision = Literal["accept", "edit", "reject"]
FindNear = Callable[[Sequence[str]], list[tuple[int, int, float]]]
"""Returns pairs (i, j, similarity) of texts that say nearly the same, i < j."""

_STATUS: dict[Decision, PassageStatus] = {"accept": "accepted", "edit": "accepted", "reject": "rejected"}
_MANY = 500  # values in one question to the database


class Review(Record):
    """One decision about a passage, with what stood there before and after; `version` is the passage's own after it."""

    passage_id: str
    reviewer: str
    decided_at: datetime
    decision: Decision
    note: str
    version: int
    text_before: str
    text_after: str
    tags_before: Tags
    tags_after: Tags


class Duplicate(Record):
    """Two passages that say the same; `similarity` is 1 when every letter agrees."""

    passage_id: str
    other_id: str
    similarity: float


class Added(Record):
    """What adding a document did: passages that were new, that were there, and the new ones that repeat another."""

    document: Document
    n_new: int = 0
    n_known: int = 0
    exact_duplicates: tuple[Duplicate, ...] = ()
    near_duplicates: tuple[Duplicate, ...] = ()


def find_near(texts: Sequence[str]) -> list[tuple[int, int, float]]:
    """Return pairs of texts that say nearly the same."""
    from corpus.duplicates import find_near_duplicates

    return find_near_duplicates(texts)


def open_store(url: str | None = None) -> "Store":
    """Return the corpus of a database, brought up to date; the file in the data folder when no address is given.

    Raises:
        CoachError: The database is damaged, newer than this program, or out of reach.
    """
    engine = open_engine(url)
    upgrade(engine, "corpus")
    return Store(engine)


class Store:
    """The corpus in a database; may be used from several threads and by several programs at once."""

    def __init__(self, engine: Engine) -> None:
        """Remember the database; it has the tables already."""
        self.engine = engine

    def add(self, document: Document, passages: Iterable[Passage], find_near: FindNear = find_near) -> Added:
        """Add a document with its passages, all or nothing; what is there already stays as it is.

        A licence given later is filled in where there was none. Passages that repeat others are added and marked.
        Training records are never compared for being nearly the same, because most of them are.

        Args:
            document: Where the passages come from.
            passages: Of this document.
            find_near: Tells which texts say nearly the same.
        """
        offered = {passage.id: passage for passage in passages}
        if any(passage.document_id != document.id for passage in offered.values()):
            raise ValueError("every passage must come from the document it is added with")
        near = self._near(offered, find_near)
        with transaction(self.engine) as session:
            lock(session.connection(), "corpus add")
            known = set(session.scalars(select(PassageRow.id).where(PassageRow.document_id == document.id)))
            new = [passage for passage in offered.values() if passage.id not in known]
            stored = _add_document(session, document) if new or known else document
            exact = _exact(session, new)
            _add_passages(session, new)
            marked = {(d.passage_id, d.other_id): d for d in (*near, *exact) if d.passage_id not in known}
            if marked:
                session.execute(insert(DuplicateRow), [d.model_dump() for d in marked.values()])
        return Added(
            document=stored,
            n_new=len(new),
            n_known=len(offered) - len(new),
            exact_duplicates=tuple(d for d in marked.values() if d.similarity == 1),
            near_duplicates=tuple(d for d in marked.values() if d.similarity < 1),
        )

    def _near(self, offered: dict[str, Passage], find_near: FindNear) -> list[Duplicate]:
        """Return, for each passage that is not here yet, the one that it resembles most."""
        wanted = select(PassageRow.id, PassageRow.text, PassageRow.tags).order_by(PassageRow.number)
        with transaction(self.engine, is_reading=True) as session:
            here = {row.id: row.text for row in session.execute(wanted) if row.tags["kind"] != "record"}
        texts = here | {p.id: p.text for p in offered.values() if p.tags.kind != "record"}
        ids = list(texts)
        if len(ids) == len(here):
            return []
        best: dict[str, Duplicate] = {}
        for i, j, similarity in find_near(list(texts.values())):
            first, second = ids[min(i, j)], ids[max(i, j)]
            held = best.get(second)
            if texts[first] != texts[second] and (held is None or held.similarity < similarity):
                best[second] = Duplicate(passage_id=second, other_id=first, similarity=min(similarity, 0.999))
        return [duplicate for duplicate in best.values() if duplicate.passage_id not in here]

    def documents(self) -> dict[str, Document]:
        """Return the documents by id, in the order they came."""
        with transaction(self.engine, is_reading=True) as session:
            rows = session.scalars(select(DocumentRow).order_by(DocumentRow.added_at, DocumentRow.id))
            return {row.id: _document(row) for row in rows}

    def count(self, status: PassageStatus | None = None) -> int:
        """Return how many passages there are, of one status when given."""
        wanted = select(func.count()).select_from(PassageRow)
        with transaction(self.engine, is_reading=True) as session:
            return session.scalar(wanted if status is None else wanted.where(PassageRow.status == status)) or 0

    def passages(
        self, status: PassageStatus | None = None, limit: int | None = None, offset: int = 0
    ) -> tuple[Passage, ...]:
        """Return passages in the order they came, of one status when given."""
        wanted = select(PassageRow).order_by(PassageRow.number).limit(limit).offset(offset)
        with transaction(self.engine, is_reading=True) as session:
            rows = session.scalars(wanted if status is None else wanted.where(PassageRow.status == status))
            return tuple(_passage(row) for row in rows)

    def get(self, passage_id: str) -> Passage:
        """Return a passage as it stands now.

        Raises:
            InputError: There is none.
        """
        with transaction(self.engine, is_reading=True) as session:
            return _passage(_row(session, passage_id))

    def review(
        self,
        passage_id: str,
        reviewer: str,
        decision: Decision,
        note: str = "",
        *,
        text: str | None = None,
        tags: Tags | None = None,
        expected_version: int,
    ) -> Passage:
        """Remember a decision and return the passage after it, one version higher; an edit accepts its own words.

        Args:
            passage_id: Which passage.
            reviewer: Name of the coach.
            decision: `accept`, `edit` or `reject`.
            note: Why, for others.
            text: The new words of an edit.
            tags: New tags; kept when left out.
            expected_version: The version that the coach looked at.

        Raises:
            DataError: Somebody decided in the meantime; nothing was changed.
            InputError: There is no such passage, or something is missing.
        """
        reviewer, text = reviewer.strip(), None if text is None else _storable(text).strip()
        _check(reviewer, decision, text, tags)
        with transaction(self.engine) as session:
            row = _row(session, passage_id, is_locked=True)
            if row.version != expected_version:
                raise DataError(
                    f"passage {passage_id} was changed by somebody else in the meantime (you looked at version "
                    f"{expected_version}, it is at {row.version}): look at it again, then decide"
                )
            before = _passage(row)
            if text is not None:
                row.text, row.sha256 = text, sha256(text.encode()).hexdigest()
            row.tags = (tags or before.tags).model_dump(mode="json")
            row.status, row.version = _STATUS[decision], expected_version + 1
            after = _passage(row)
            session.add(
                ReviewRow(
                    passage_id=passage_id,
                    reviewer=reviewer,
                    decision=decision,
                    note=_storable(note).strip(),
                    version=after.version,
                    text_before=before.text,
                    text_after=after.text,
                    tags_before=before.tags.model_dump(mode="json"),
                    tags_after=after.tags.model_dump(mode="json"),
                )
            )
        return after

    def history(self, passage_id: str) -> tuple[Review, ...]:
        """Return the decisions about a passage, oldest first.

        Raises:
            InputError: There is no such passage.
        """
        wanted = select(ReviewRow).where(ReviewRow.passage_id == passage_id).order_by(ReviewRow.version)
        with transaction(self.engine, is_reading=True) as session:
            _row(session, passage_id)
            return tuple(_review(row) for row in session.scalars(wanted))

    def reviewers(self) -> dict[str, int]:
        """Return how many decisions each reviewer made, the busiest first."""
        n = func.count()
        wanted = select(ReviewRow.reviewer, n).group_by(ReviewRow.reviewer).order_by(n.desc(), ReviewRow.reviewer)
        with transaction(self.engine, is_reading=True) as session:
            return {row.reviewer: row[1] for row in session.execute(wanted)}

    def duplicates(self) -> tuple[Duplicate, ...]:
        """Return the passages that were marked as repeating an earlier one."""
        wanted = select(DuplicateRow).order_by(DuplicateRow.passage_id, DuplicateRow.other_id)
        with transaction(self.engine, is_reading=True) as session:
            return tuple(
                Duplicate(passage_id=row.passage_id, other_id=row.other_id, similarity=row.similarity)
                for row in session.scalars(wanted)
            )

    def stamp(self) -> tuple[int, ...]:
        """Return numbers that differ whenever something was added or decided."""
        questions = (
            select(func.count()).select_from(PassageRow),
            select(func.coalesce(func.max(ReviewRow.id), 0)),
            select(func.count(DocumentRow.licence)),
        )
        with transaction(self.engine, is_reading=True) as session:
            return tuple(session.scalar(question) or 0 for question in questions)


def _check(reviewer: str, decision: Decision, text: str | None, tags: Tags | None) -> None:
    if not reviewer:
        raise InputError("a decision needs the name of the coach who made it")
    if decision not in get_args(Decision):
        raise InputError(f"no decision '{decision}'; choose from {', '.join(get_args(Decision))}")
    if decision == "edit" and text is None and tags is None:
        raise InputError("an edit needs new words or new tags; `accept` keeps a passage as it is")
    if decision != "edit" and text is not None:
        raise InputError(f"{decision} keeps the words; decide `edit` to change them")
    if text == "":
        raise InputError("an edit cannot leave a passage without words; `reject` takes it out")


def _add_document(session: Session, document: Document) -> Document:
    """Add a document unless it is there, and return it as it stands; a licence that was missing is filled in."""
    row = session.get(DocumentRow, document.id)
    if row is None:
        values = {name: _storable(x) if isinstance(x, str) else x for name, x in document.model_dump().items()}
        row = DocumentRow(**values)
        session.add(row)
        session.flush()
    elif row.licence is None and document.licence is not None:
        row.licence = document.licence
        session.execute(
            update(PassageRow)
            .where(PassageRow.document_id == document.id, PassageRow.licence.is_(None))
            .values(licence=document.licence)
        )
    return _document(row)


def _add_passages(session: Session, passages: Sequence[Passage]) -> None:
    if not passages:
        return
    first = (session.scalar(select(func.max(PassageRow.number))) or 0) + 1
    rows = [
        passage.model_dump(mode="json")
        | {"number": number, "text": _storable(passage.text), "place": _storable(passage.place)}
        for number, passage in enumerate(passages, start=first)
    ]
    session.execute(insert(PassageRow), rows)


def _exact(session: Session, new: Sequence[Passage]) -> list[Duplicate]:
    """Return each new passage whose words are those of an earlier one, here or among the new."""
    first: dict[str, str] = {}
    for part in _parts({passage.sha256 for passage in new}):
        wanted = select(PassageRow.sha256, PassageRow.id).where(PassageRow.sha256.in_(part))
        for digest, passage_id in session.execute(wanted.order_by(PassageRow.number)):
            first.setdefault(digest, passage_id)
    found = []
    for passage in new:
        other = first.setdefault(passage.sha256, passage.id)
        if other != passage.id:
            found.append(Duplicate(passage_id=passage.id, other_id=other, similarity=1))
    return found


def _parts(values: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(values)
    while part := list(islice(remaining, _MANY)):
        yield part


def _storable(text: str) -> str:
    """Return text without the one character that PostgreSQL cannot keep."""
    return text.replace("\x00", "")


def _row(session: Session, passage_id: str, *, is_locked: bool = False) -> PassageRow:
    row = session.get(PassageRow, passage_id, with_for_update=is_locked)
    if row is None:
        raise InputError(f"there is no passage '{passage_id}' in the corpus; `coach corpus review` lists them")
    return row


def _document(row: DocumentRow) -> Document:
    return Document.model_validate({name: getattr(row, name) for name in Document.model_fields})


def _passage(row: PassageRow) -> Passage:
    return Passage.model_validate({name: getattr(row, name) for name in Passage.model_fields})


def _review(row: ReviewRow) -> Review:
    values = {name: getattr(row, name) for name in Review.model_fields}
    if row.decided_at.tzinfo is None:  # SQLite keeps no time zone
        values["decided_at"] = row.decided_at.replace(tzinfo=UTC)
    return Review.model_validate(values)
