"""A text cut into passages: long enough to mean something alone, short enough to quote, never inside a sentence."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from corpus.languages import is_chinese
from corpus.source import Block

_WORDS = (40, 220)  # words of a passage in a language with spaces
_CHARACTERS = (60, 400)  # characters of a passage in Chinese
_LONG = 200  # characters from which a word is none, such as data in a text
_ABBREVIATIONS = r"(?:\b(?:e\.g|i\.e|cf|vs|etc|approx|ca|no|fig|figs|vol|pp?|dr|mr|mrs|ms|prof|st|jr|al|[A-Z])\.)"
_END = re.compile(r"[。！？]+[」』”’）)\]]*|[.!?]+['\"”’)\]]*(?=\s+[\"'“‘(\[]?[A-ZÀ-Þ0-9\u3400-\u9fff])")


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage to be: a piece of a text, where it stands, and the first block it comes from."""

    place: str
    text: str
    block: Block


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence, or a line that is none; `opens` tells that a paragraph begins with it."""

    place: str
    text: str
    size: int
    opens: bool


def cut(blocks: Sequence[Block]) -> list[Piece]:
    """Return passages of 40–220 words, or of 60–400 characters in Chinese, cut between sentences.

    A paragraph begins a new passage once the one before is long enough. A section with less than that stays short
    rather than borrow from another; a "sentence" longer than a whole passage (a table, a text without marks) is cut
    where it is full. Neighbouring blocks that join are cut as one text; a whole block is a passage as it stands.
    """
    pieces = []
    for run in _runs(blocks):
        if run[0].is_whole:
            pieces.append(Piece(run[0].place, run[0].text, run[0]))
            continue
        counts_characters = is_chinese("\n".join(block.text for block in run))
        low, high = _CHARACTERS if counts_characters else _WORDS
        units = [unit for block in run for unit in _units(block, counts_characters, high)]
        pieces += [_piece(group, run[0]) for group in _packed(units, low, high)]
    return pieces


def _size(text: str, counts_characters: bool) -> int:
    return len(re.sub(r"\s", "", text)) if counts_characters else len(text.split())


def sentences(text: str) -> list[str]:
    """Return the sentences of a paragraph, each with its marks; abbreviations and decimals end none."""
    found: list[str] = []
    for part in _split(text):
        if found and re.search(_ABBREVIATIONS + r"$", found[-1], re.IGNORECASE):
            found[-1] += " " + part
        else:
            found.append(part)
    return found


def _split(text: str) -> Iterator[str]:
    ends = [0, *(found.end() for found in _END.finditer(text)), len(text)]
    parts = (text[start:end].strip() for start, end in pairwise(ends))
    return (part for part in parts if part)


def _runs(blocks: Sequence[Block]) -> list[list[Block]]:
    runs: list[list[Block]] = []
    for block in blocks:
        if runs and block.joins and runs[-1][-1].joins:
            runs[-1].append(block)
        else:
            runs.append([block])
    return runs


def _units(block: Block, counts_characters: bool, high: int) -> Iterator[_Unit]:
    for line in block.text.split("\n"):
        if not re.search(r"\w", line):
            continue
        parts = [part for sentence in sentences(line) for part in _shortened(sentence, counts_characters, high)]
        for i, part in enumerate(parts):
            yield _Unit(block.place, part, _size(part, counts_characters), opens=i == 0)


def _shortened(sentence: str, counts_characters: bool, high: int) -> list[str]:
    if counts_characters:
        return [sentence[i : i + high] for i in range(0, len(sentence), high)]
    words = [part for word in sentence.split() for part in (word[i : i + _LONG] for i in range(0, len(word), _LONG))]
    return [" ".join(words[i : i + high]) for i in range(0, len(words), high)]


def _packed(units: Sequence[_Unit], low: int, high: int) -> list[list[_Unit]]:
    groups: list[list[_Unit]] = []
    n = 0
    for unit in units:
        if not groups or n + unit.size > high or (unit.opens and n >= low):
            groups.append([])
            n = 0
        groups[-1].append(unit)
        n += unit.size
    return _with_long_end(groups, low, high)


def _with_long_end(groups: list[list[_Unit]], low: int, high: int) -> list[list[_Unit]]:
    """Return groups whose last is not too short, where the one before can spare something."""
    if len(groups) < 2:
        return groups
    *others, before, last = groups
    if _total(last) < low and _total(before) + _total(last) <= high:
        return [*others, before + last]
    while _total(last) < low and len(before) > 1 and _total(before) - before[-1].size >= low:
        before, last = before[:-1], [before[-1], *last]
    return [*others, before, last]


def _total(group: Sequence[_Unit]) -> int:
    return sum(unit.size for unit in group)


def _piece(group: Sequence[_Unit], block: Block) -> Piece:
    first, last = group[0].place, group[-1].place
    text = group[0].text
    for unit in group[1:]:
        text += ("\n" if unit.opens else "" if text[-1] > "\u2fff" else " ") + unit.text
    return Piece(first if first == last else f"{first} – {last}", text, block)
