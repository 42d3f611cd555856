"""Texts the coach learns from: documents, the passages in them, and what coaches said of a passage."""

from typing import Literal

from coach.domain.base import Record
from coach.domain.lift import LiftName

TextLanguage = Literal["en", "zh-Hant", "zh-Hans", "other"]
PassageKind = Literal["explanation", "cue", "drill", "programming", "safety", "record", "other"]
PassageStatus = Literal["proposed", "accepted", "rejected"]
Split = Literal["train", "validation", "test"]


class Tags(Record):
    """What a passage is about; `faults` are ids of the fault library."""

    lifts: tuple[LiftName, ...] = ()
    phases: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    kind: PassageKind = "explanation"


class Document(Record):
    """One source file; `id` is the first 16 digits of its SHA-256. A document without a licence is never exported."""

    id: str
    title: str
    file_name: str
    sha256: str
    language: TextLanguage
    licence: str | None = None
    url: str | None = None


class Passage(Record):
    """A piece of a document that stands on its own.

    `id` is stable: the same text of the same document always has the same. `place` says where it stands for a person
    ("page 3", "sheet 2025, row 14", "Turnover › Late elbows"). `athlete` is a pseudonym, never a name. `version`
    is 1 at first and rises with every decision about it.
    """

    id: str
    document_id: str
    text: str
    sha256: str
    language: TextLanguage
    place: str
    tags: Tags = Tags()
    licence: str | None = None
    athlete: str | None = None
    status: PassageStatus = "proposed"
    version: int = 1
