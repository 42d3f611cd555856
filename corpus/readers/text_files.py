"""Plain text in the encodings that coaches' files come in."""

from pathlib import Path

from corpus.cleaning import hidden_text, normalised, paragraphs
from corpus.decoding import decoded
from corpus.source import Block, Parsed


def create() -> "TextReader":
    """Return the reader of plain text."""
    return TextReader()


class TextReader:
    """One block a paragraph, counted from 1."""

    label = "text (.txt)"
    suffixes = (".txt", ".text")
    magic = None

    def read(self, path: Path, salt: bytes) -> Parsed:  # noqa: ARG002
        """Return the paragraphs of a text."""
        text = decoded(path.read_bytes())
        found = enumerate(paragraphs(normalised(text)), 1)
        blocks = tuple(Block(place=f"paragraph {i}", text=paragraph, joins=True) for i, paragraph in found)
        return Parsed(blocks=blocks, warnings=hidden_text(text))
