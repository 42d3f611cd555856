"""What a model wrote, as plain sentences: without Markdown or control characters, cut at whole sentences."""

import re
from collections.abc import Iterable, Iterator

from coach.domain.lift import Lift
from coach.wording import sentences

MAX_SENTENCE_CHARACTERS = 600
MAX_READ_CHARACTERS = 6000  # of one answer, whatever the server was asked for

_MARKER = re.compile(r"^[^\S\n]*(?:[-*•>]|#{1,6}|\d{1,2}[.)、])[^\S\n]+", re.M)  # of a list, a heading or a quotation
_EMPHASIS = re.compile(r"(?<!\d)\*+|\*+(?!\d)|_{2,}|`+|~{2,}")
_END = re.compile(r"[。！？]+|[.!?]+[\"')\]”]*(?=\s)|\n+")
_ENDED = re.compile(r"[.!?。！？][\"')\]”」』]*$")
_QUOTED = re.compile(r"\{\s*-?\s*(\w+)")


def plain_text(text: str) -> str:
    """Return a text on one line, without Markdown and without characters that cannot be seen."""
    bare = _EMPHASIS.sub("", _MARKER.sub("", text))
    seen = "".join(" " if c.isspace() else c for c in bare if c.isspace() or c.isprintable())
    return " ".join(seen.split())


def shortened(text: str, limit: int) -> str:
    """Return as many whole sentences of a text as fit into `limit` characters."""
    if len(text) <= limit:
        return text
    kept = ""
    for sentence in sentences(text):
        longer = f"{kept} {sentence}".strip()
        if len(longer) > limit:
            break
        kept = longer
    return kept


def whole_sentences(pieces: Iterable[str]) -> Iterator[str]:
    """Yield the sentences of a text that comes in pieces, each as soon as it is whole.

    A sentence that the text breaks off in is left out, unless it is the only one; a text without end is not read on.
    """
    rest, n_read, n_whole = "", 0, 0
    for piece in pieces:
        n_read += len(piece)
        *whole, rest = _split(_MARKER.sub("", rest + piece))
        n_whole += len(whole)
        yield from whole
        if len(rest) > MAX_SENTENCE_CHARACTERS or n_read > MAX_READ_CHARACTERS:
            return
    if rest.strip() and (not n_whole or _ENDED.search(rest.strip())):
        yield rest.strip()


def _split(text: str) -> list[str]:
    """Return the whole sentences of a text, and what is left; nothing ends inside a quote of a measure."""
    parts, start = [], 0
    for match in _END.finditer(text):
        part = text[start : match.end()]
        if part.rfind("{") > part.rfind("}"):
            continue
        if part.strip():
            parts.append(part.strip())
        start = match.end()
    return [*parts, text[start:]]


def quoted_measures(text: str, lift: Lift) -> tuple[str, ...]:
    """Return the ids of the measures that a text quotes, in order; none when it quotes an instant as well.

    An empty result lets the check go by the words of the text.
    """
    names = dict.fromkeys(_QUOTED.findall(text))
    if any(name in lift.instants for name in names):
        return ()
    return tuple(name for name in names if name in lift.measures)
