"""What the app remembers: lifts, conversations, feedback, pairs of guidance and votes, in one database.

Nothing said is overwritten: an edit is a new version, taking back is a version too. Every question names the owner,
and what belongs to somebody else is answered like what does not exist.
"""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Engine, and_, func, or_, select
from sqlalchemy.orm import Session

from coach.database import open_engine, transaction, upgrade
from coach.domain.base import Record
from coach.domain.errors import InputError
from coach.tables import ChatRow, FeedbackRow, LiftRow, MessageRow, PairRow, VoteRow

Status = Literal["waiting", "running", "done", "failed", "cancelled"]
Role = Literal["user", "assistant"]
Choice = Literal["first", "second", "tie", "both_wrong"]
EVERYBODY = ""
"""Owner of what everybody may see, such as the demo lift."""

UNFINISHED: tuple[Status, ...] = ("waiting", "running")


class StoredLift(Record):
    """One clip that was given to the app."""

    id: str
    owner: str
    title: str
    status: Status
    message: str
    is_shared: bool
    settings: dict[str, Any]
    created_at: datetime


class Message(Record):
    """What stands at one place of a conversation now; `feedback` is what the person thought of it."""

    id: int
    place: int
    role: Role
    text: str
    evidence: tuple[str, ...] = ()
    feedback: str | None = None


class Pair(Record):
    """Two guidances about one lift; A is the first unless `is_swapped`."""

    id: str
    lift_id: str | None
    first: dict[str, Any]
    second: dict[str, Any]
    first_name: str
    second_name: str
    is_swapped: bool

    @property
    def shown(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the guidances as A and B."""
        return (self.second, self.first) if self.is_swapped else (self.first, self.second)


class Vote(Record):
    """The last judgement of one rater about one pair: one line of the export."""

    pair: str
    lift_id: str | None
    first: str
    second: str
    shown_as_a: Literal["first", "second"]
    choice: Choice
    reason: str
    rater: str
    voted_at: datetime


def open_store(url: str | None = None) -> "Store":
    """Return the store of a database, brought up to date; the file in the data folder when no address is given.

    Raises:
        DataError: The file is damaged.
        ServiceError: The database does not answer.
        SetupError: The place cannot be written, or the database was written by a newer version.
    """
    engine = open_engine(url)
    upgrade(engine, "coach")
    return Store(engine)


class Store:
    """The database of the app; may be used from several threads."""

    def __init__(self, engine: Engine) -> None:
        """Remember the database; it has the tables already."""
        self._engine = engine

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    # Lifts

    def add_lift(self, owner: str, title: str, settings: dict[str, Any], *, is_shared: bool = False) -> StoredLift:
        """Remember a clip that waits for its analysis, under an id that cannot be guessed."""
        row = LiftRow(
            id=secrets.token_urlsafe(18),
            owner=owner,
            title=title[:200],
            status="waiting",
            message="",
            is_shared=is_shared,
            settings=settings,
        )
        with transaction(self._engine) as session:
            session.add(row)
            session.flush()
            return _lift(row)

    def lift(self, lift_id: str, owner: str) -> StoredLift:
        """Return a lift that this person may see.

        Raises:
            InputError: There is none; a lift of somebody else gives the same words.
        """
        with transaction(self._engine, is_reading=True) as session:
            return _lift(_visible(session, lift_id, owner))

    def lifts(self, owner: str) -> list[StoredLift]:
        """Return the lifts that this person may see, newest first, what is shared last."""
        wanted = select(LiftRow).where(or_(LiftRow.owner == owner, LiftRow.is_shared))
        with transaction(self._engine, is_reading=True) as session:
            rows = session.scalars(wanted.order_by(LiftRow.is_shared, LiftRow.created_at.desc()))
            return [_lift(row) for row in rows]

    def set_status(self, lift_id: str, status: Status, message: str = "") -> None:
        """Say how the analysis of a lift stands; `message` is for the person."""
        with transaction(self._engine) as session:
            row = session.get(LiftRow, lift_id)
            if row is not None:
                row.status, row.message = status, message

    def end_unfinished(self, message: str) -> list[StoredLift]:
        """Mark the analyses that an earlier run of the app left unfinished as failed, and return them."""
        with transaction(self._engine) as session:
            rows = session.scalars(select(LiftRow).where(LiftRow.status.in_(UNFINISHED))).all()
            for row in rows:
                row.status, row.message = "failed", message
            return [_lift(row) for row in rows]

    def remove_lift(self, lift_id: str, owner: str) -> None:
        """Forget a lift of this person with everything said about it.

        Raises:
            InputError: This person has no such lift; what is shared cannot be removed.
        """
        with transaction(self._engine) as session:
            row = _visible(session, lift_id, owner)
            if row.owner != owner:
                raise InputError(f"{row.title} is shared by everybody and stays")
            session.delete(row)

    # Conversations

    def messages(self, lift_id: str, owner: str) -> list[Message]:
        """Return the conversation of this person about a lift as it stands now.

        Raises:
            InputError: There is no such lift.
        """
        with transaction(self._engine, is_reading=True) as session:
            _visible(session, lift_id, owner)
            return _messages(session, lift_id, owner)

    def say(
        self, lift_id: str, owner: str, role: Role, text: str, evidence: Sequence[str] = (), place: int | None = None
    ) -> Message:
        """Add to a conversation: at its end, or as a new version at `place`, which takes back what came after it.

        Raises:
            InputError: There is no such lift, or no such place.
        """
        with transaction(self._engine) as session:
            _visible(session, lift_id, owner)
            chat = _chat(session, lift_id, owner)
            here = _messages(session, lift_id, owner)
            at = len(here) if place is None else place
            if not 0 <= at <= len(here):
                raise InputError(f"the conversation has no place {at}: load the page again")
            for later in here[at + 1 :]:
                _add_version(session, chat.id, later.place, "withdrawn", "", ())
            row = _add_version(session, chat.id, at, role, text, evidence)
            session.flush()
            return Message(id=row.id, place=at, role=role, text=text, evidence=tuple(evidence))

    def take_back(self, lift_id: str, owner: str, place: int) -> None:
        """Take back what stands at `place` and everything after it.

        Raises:
            InputError: There is no such lift.
        """
        with transaction(self._engine) as session:
            _visible(session, lift_id, owner)
            chat = _chat(session, lift_id, owner)
            for message in _messages(session, lift_id, owner):
                if message.place >= place:
                    _add_version(session, chat.id, message.place, "withdrawn", "", ())

    def add_feedback(self, lift_id: str, owner: str, place: int, value: str) -> None:
        """Remember what a person thought of the answer at `place`; an empty value takes an opinion back.

        Raises:
            InputError: There is no such lift, or no answer at this place.
        """
        with transaction(self._engine) as session:
            _visible(session, lift_id, owner)
            here = _messages(session, lift_id, owner)
            if not 0 <= place < len(here) or here[place].role != "assistant":
                raise InputError("there is no answer at this place: load the page again")
            session.add(FeedbackRow(message_id=here[place].id, value=value))

    # Blind pairs

    def add_pair(
        self,
        pair_id: str,
        owner: str,
        lift_id: str | None,
        first: tuple[str, dict[str, Any]],
        second: tuple[str, dict[str, Any]],
    ) -> bool:
        """Remember a pair as (name, guidance) twice, its order drawn by chance; return False when it is known."""
        with transaction(self._engine) as session:
            if session.get(PairRow, pair_id) is not None:
                return False
            session.add(
                PairRow(
                    id=pair_id,
                    owner=owner,
                    lift_id=lift_id,
                    first=first[1],
                    second=second[1],
                    first_name=first[0],
                    second_name=second[0],
                    is_swapped=secrets.randbelow(2) == 1,
                )
            )
            return True

    def next_pair(self, rater: str, skipped: Sequence[str] = ()) -> Pair | None:
        """Return a pair that this person may see and has not judged, the oldest first; None when all are judged."""
        judged = select(VoteRow.pair_id).where(VoteRow.rater == rater)
        wanted = (
            select(PairRow)
            .where(PairRow.owner.in_((rater, EVERYBODY)), PairRow.id.not_in(judged), PairRow.id.not_in(skipped))
            .order_by(PairRow.created_at, PairRow.id)
            .limit(1)
        )
        with transaction(self._engine, is_reading=True) as session:
            row = session.scalars(wanted).first()
            return None if row is None else _pair(row)

    def pair(self, pair_id: str, rater: str) -> Pair:
        """Return a pair that this person may see.

        Raises:
            InputError: There is none.
        """
        with transaction(self._engine, is_reading=True) as session:
            row = session.get(PairRow, pair_id)
            if row is None or row.owner not in (rater, EVERYBODY):
                raise InputError("this pair is not there any more: load the page again")
            return _pair(row)

    def count_pairs(self, rater: str) -> tuple[int, int]:
        """Return how many pairs this person has judged, and how many there are for them."""
        visible = PairRow.owner.in_((rater, EVERYBODY))
        with transaction(self._engine, is_reading=True) as session:
            n = session.scalar(select(func.count()).select_from(PairRow).where(visible)) or 0
            judged = select(func.count(func.distinct(VoteRow.pair_id))).join(PairRow, PairRow.id == VoteRow.pair_id)
            n_judged = session.scalar(judged.where(VoteRow.rater == rater, visible)) or 0
        return n_judged, n

    def vote(self, pair_id: str, rater: str, choice: Choice, reason: str) -> None:
        """Remember a judgement.

        Raises:
            InputError: There is no such pair for this person.
        """
        self.pair(pair_id, rater)
        with transaction(self._engine) as session:
            session.add(VoteRow(pair_id=pair_id, rater=rater, choice=choice, reason=reason[:2000]))

    def votes(self, rater: str | None = None) -> list[Vote]:
        """Return the last judgement of each rater about each pair, oldest first; of one rater when named."""
        last = select(func.max(VoteRow.id)).group_by(VoteRow.pair_id, VoteRow.rater)
        wanted = select(VoteRow, PairRow).join(PairRow, PairRow.id == VoteRow.pair_id).where(VoteRow.id.in_(last))
        if rater is not None:
            wanted = wanted.where(VoteRow.rater == rater)
        with transaction(self._engine, is_reading=True) as session:
            return [_vote(vote, pair) for vote, pair in session.execute(wanted.order_by(VoteRow.id))]


def _visible(session: Session, lift_id: str, owner: str) -> LiftRow:
    row = session.get(LiftRow, lift_id)
    if row is None or not (row.is_shared or row.owner == owner):
        raise InputError("there is no such lift: choose one from your list, or load a clip")
    return row


def _chat(session: Session, lift_id: str, owner: str) -> ChatRow:
    row = session.scalars(select(ChatRow).where(ChatRow.lift_id == lift_id, ChatRow.owner == owner)).first()
    if row is None:
        row = ChatRow(lift_id=lift_id, owner=owner)
        session.add(row)
        session.flush()
    return row


def _messages(session: Session, lift_id: str, owner: str) -> list[Message]:
    last = (
        select(MessageRow.chat_id, MessageRow.place, func.max(MessageRow.version).label("version"))
        .join(ChatRow, ChatRow.id == MessageRow.chat_id)
        .where(ChatRow.lift_id == lift_id, ChatRow.owner == owner)
        .group_by(MessageRow.chat_id, MessageRow.place)
        .subquery()
    )
    is_last = and_(
        MessageRow.chat_id == last.c.chat_id,
        MessageRow.place == last.c.place,
        MessageRow.version == last.c.version,
    )
    rows = session.scalars(
        select(MessageRow).join(last, is_last).where(MessageRow.role != "withdrawn").order_by(MessageRow.place)
    ).all()
    opinions = select(FeedbackRow).where(FeedbackRow.message_id.in_([row.id for row in rows]))
    said = {opinion.message_id: opinion.value for opinion in session.scalars(opinions.order_by(FeedbackRow.id))}
    return [
        Message.model_validate(
            {
                "id": row.id,
                "place": row.place,
                "role": row.role,
                "text": row.text,
                "evidence": tuple(row.evidence),
                "feedback": said.get(row.id) or None,
            }
        )
        for row in rows
    ]


def _add_version(
    session: Session, chat_id: int, place: int, role: str, text: str, evidence: Sequence[str]
) -> MessageRow:
    known = select(func.max(MessageRow.version)).where(MessageRow.chat_id == chat_id, MessageRow.place == place)
    version = (session.scalar(known) or 0) + 1
    row = MessageRow(chat_id=chat_id, place=place, version=version, role=role, text=text, evidence=list(evidence))
    session.add(row)
    return row


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _lift(row: LiftRow) -> StoredLift:
    fields = {name: getattr(row, name) for name in StoredLift.model_fields}
    return StoredLift.model_validate(fields | {"created_at": _utc(row.created_at)})


def _pair(row: PairRow) -> Pair:
    return Pair.model_validate({name: getattr(row, name) for name in Pair.model_fields})


def _vote(vote: VoteRow, pair: PairRow) -> Vote:
    return Vote.model_validate(
        {
            "pair": pair.id,
            "lift_id": pair.lift_id,
            "first": pair.first_name,
            "second": pair.second_name,
            "shown_as_a": "second" if pair.is_swapped else "first",
            "choice": vote.choice,
            "reason": vote.reason,
            "rater": vote.rater,
            "voted_at": _utc(vote.created_at),
        }
    )
