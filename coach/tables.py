"""The tables of the app: lifts, chats, messages, feedback, pairs of guidance and the votes on them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from coach.database import NAMING


def _now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """Where the tables of the app are known."""

    metadata = MetaData(naming_convention=NAMING)


class LiftRow(Base):
    """One clip that was given to the app; `id` cannot be guessed and names the folder of its files."""

    __tablename__ = "app_lifts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(80), index=True)
    title: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(12))
    message: Mapped[str] = mapped_column(Text, default="")
    is_shared: Mapped[bool] = mapped_column(default=False)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=_now)


class ChatRow(Base):
    """The conversation of one person about one lift."""

    __tablename__ = "app_chats"
    __table_args__ = (UniqueConstraint("lift_id", "owner", name="uq_app_chats_lift_owner"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    lift_id: Mapped[str] = mapped_column(ForeignKey("app_lifts.id", ondelete="CASCADE"))
    owner: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=_now)


class MessageRow(Base):
    """One version of what stands at one place of a conversation; rows are only ever added.

    The last version of a place counts. One that was taken back has the role `withdrawn`.
    """

    __tablename__ = "app_messages"
    __table_args__ = (UniqueConstraint("chat_id", "place", "version", name="uq_app_messages_place"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey("app_chats.id", ondelete="CASCADE"))
    place: Mapped[int]
    version: Mapped[int]
    role: Mapped[str] = mapped_column(String(12))
    text: Mapped[str] = mapped_column(Text)
    evidence: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=_now)


class FeedbackRow(Base):
    """What a person thought of an answer; the last one counts."""

    __tablename__ = "app_feedback"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("app_messages.id", ondelete="CASCADE"), index=True)
    value: Mapped[str] = mapped_column(String(12))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=_now)


class PairRow(Base):
    """Two guidances about the same lift; `is_swapped` says that the second is shown as A."""

    __tablename__ = "app_pairs"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(80), index=True)
    lift_id: Mapped[str | None] = mapped_column(ForeignKey("app_lifts.id", ondelete="CASCADE"))
    first: Mapped[dict[str, Any]] = mapped_column(JSON)
    second: Mapped[dict[str, Any]] = mapped_column(JSON)
    first_name: Mapped[str] = mapped_column(String(120))
    second_name: Mapped[str] = mapped_column(String(120))
    is_swapped: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=_now)


class VoteRow(Base):
    """One judgement of a pair; the last one of a rater counts."""

    __tablename__ = "app_votes"

    id: Mapped[int] = mapped_column(primary_key=True)
    pair_id: Mapped[str] = mapped_column(ForeignKey("app_pairs.id", ondelete="CASCADE"), index=True)
    rater: Mapped[str] = mapped_column(String(80))
    choice: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=_now)
