"""What the coach says about one lift: what `guidance.json` holds."""

from typing import Literal

from coach.domain.base import Record

Language = Literal["en", "zh-Hant", "zh-Hans"]


class Priority(Record):
    """One thing to work on; `evidence` are measure ids, `sources` ids of the fault library's sources."""

    fault: str
    observation: str
    consequence: str
    cue: str
    drill: str
    evidence: tuple[str, ...]
    sources: tuple[str, ...]
    at_frame: int | None


class Check(Record):
    """What the check of the text found: numbers in it, those supported, sentences removed."""

    numbers_found: int
    numbers_supported: int
    removed: tuple[str, ...] = ()


class Guidance(Record):
    """Checked guidance: a measured strength first, one priority, two at most."""

    schema_version: Literal[1] = 1
    language: Language
    writer: str
    model: str | None = None
    adapter: str | None = None
    strength: str
    priorities: tuple[Priority, ...]
    next_film: str
    safety: str
    not_measured: tuple[str, ...]
    check: Check
