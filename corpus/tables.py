"""The tables of the corpus: documents, passages, reviews that are only ever added, and passages that are alike."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Float, ForeignKey, Index, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from coach.database import NAMING


def _now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """Where the tables of the corpus are known."""

    metadata = MetaData(naming_convention=NAMING)


class DocumentRow(Base):
    """One source file."""

    __tablename__ = "corpus_documents"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    file_name: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    language: Mapped[str] = mapped_column(String(12))
    licence: Mapped[str | None] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=_now)


class PassageRow(Base):
    """A passage as it stands now; `number` keeps the order in which passages came."""

    __tablename__ = "corpus_passages"
    __table_args__ = (Index("ix_corpus_passages_status_number", "status", "number"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("corpus_documents.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    language: Mapped[str] = mapped_column(String(12))
    place: Mapped[str] = mapped_column(Text)
    tags: Mapped[dict[str, Any]] = mapped_column(JSON)
    licence: Mapped[str | None] = mapped_column(Text)
    athlete: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(12))
    version: Mapped[int]


class ReviewRow(Base):
    """What a coach decided about a passage; a trigger refuses every change of a row."""

    __tablename__ = "corpus_reviews"

    id: Mapped[int] = mapped_column(primary_key=True)
    passage_id: Mapped[str] = mapped_column(ForeignKey("corpus_passages.id"), index=True)
    reviewer: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=_now)
    decision: Mapped[str] = mapped_column(String(12))
    note: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    text_before: Mapped[str] = mapped_column(Text)
    text_after: Mapped[str] = mapped_column(Text)
    tags_before: Mapped[dict[str, Any]] = mapped_column(JSON)
    tags_after: Mapped[dict[str, Any]] = mapped_column(JSON)


class DuplicateRow(Base):
    """A passage that says the same as an earlier one, or nearly; `similarity` is 1 when every letter agrees."""

    __tablename__ = "corpus_duplicates"

    passage_id: Mapped[str] = mapped_column(ForeignKey("corpus_passages.id"), primary_key=True)
    other_id: Mapped[str] = mapped_column(ForeignKey("corpus_passages.id"), primary_key=True, index=True)
    similarity: Mapped[float] = mapped_column(Float)
