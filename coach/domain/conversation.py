"""What is said to a language model: turns of text and pictures, as prompts, training examples and servers share them."""

from pathlib import Path
from typing import Literal

from coach.domain.base import Record
from coach.domain.lift import InstantName

Role = Literal["system", "user", "assistant"]


class Picture(Record):
    """A key frame that goes with a turn; `path` is a JPEG or PNG file."""

    instant: InstantName
    path: Path


class Turn(Record):
    """One turn of a conversation; its pictures stand before its text."""

    role: Role
    text: str
    pictures: tuple[Picture, ...] = ()


class Example(Record):
    """One training conversation: ends with an assistant's turn, and every assistant's turn is to be learnt.

    `group` is what a split must not cut: the athlete or the source document. `passages` are the ids it rests on.
    """

    id: str
    turns: tuple[Turn, ...]
    group: str
    language: str
    passages: tuple[str, ...] = ()
