"""A file becomes a document and its passages: read apart, cleaned, cut, masked, with what went wrong beside them."""

import hashlib
from collections import Counter
from pathlib import Path

from coach.domain.base import Record
from coach.domain.errors import InputError, SetupError
from coach.domain.passage import Document, Passage, TextLanguage
from coach.domain.words import printable
from corpus.duplicates import text_sha256
from corpus.languages import detect_language
from corpus.masking import installation_salt, mask
from corpus.parsing import Limits, parse_apart
from corpus.passages import cut
from corpus.source import READERS, Parsed, Problem
from corpus.suspicion import suspicions

_HEAD = 1024  # bytes that tell a format
_KNOWN_OTHERS = (
    (
        b"\xd0\xcf\x11\xe0",
        "is an Excel or Word file that is protected by a password or of the old kind (.xls, .doc): "
        "save it without a password as .xlsx or PDF",
    ),
    (b"{\\rtf", "is an RTF file: save it as text (.txt) or PDF"),
    (b"\x89PNG", "is a picture: type the passages you need"),
    (b"\xff\xd8\xff", "is a picture: type the passages you need"),
)


class ReadDocument(Record):
    """What became of one file.

    Attributes:
        document: The file.
        passages: In reading order, no two alike.
        problems: What could not be used and why, by place; the rest of the file is there all the same.
        warnings: Passages that are kept but that a reviewer must see, by place.
        masked: How many names, contacts and identity numbers were taken out, by kind.
    """

    document: Document
    passages: tuple[Passage, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    masked: dict[str, int]


def read_document(
    path: Path,
    *,
    licence: str | None = None,
    language: TextLanguage | None = None,
    salt: bytes | None = None,
    limits: Limits | None = None,
) -> ReadDocument:
    """Return the passages of a file, without names and contacts.

    The content decides the format before the name of the file does; a process of its own reads it.

    Args:
        path: Markdown, text, PDF, CSV or XLSX.
        licence: Licence of the text; a file's own (Markdown) stands when this is left out. Without any, passages are
            kept but never exported.
        language: Language of the text; found out, for each passage, when left out.
        salt: Secret that pseudonyms are made with; this installation's when left out.
        limits: What reading may use of this machine.

    Raises:
        InputError: The file cannot be used: wrong format, encrypted, scanned, damaged, too large, empty.
        SetupError: A package is missing, or the data folder cannot be written.
    """
    limits = limits or Limits()
    name = printable(path.name)
    data_sha256, head = _looked_at(path, limits)
    parsed = parse_apart(path, _choose(path, head), salt or _salt(), limits)
    whole_text = "\n".join(block.text for block in parsed.blocks)
    found = language or parsed.language or detect_language(whole_text)
    document = Document(
        id=data_sha256[:16],
        title=mask(" ".join((parsed.title or printable(path.stem)).split())[:300], parsed.names).text,
        file_name=mask(name, parsed.names).text,
        sha256=data_sha256,
        language=found,
        licence=licence or parsed.licence,
        url=parsed.url,
    )
    read = _passages(document, parsed, language or parsed.language)
    if not read.passages and not parsed.problems:
        raise InputError(f"{name} holds no text")
    return read


def _looked_at(path: Path, limits: Limits) -> tuple[str, bytes]:
    """Return the SHA-256 and the first bytes of a file."""
    name = printable(path)
    try:
        if not path.is_file():
            raise InputError(f"no file {name}" if not path.exists() else f"{name} is not a file")
        n_bytes = path.stat().st_size
        if n_bytes == 0:
            raise InputError(f"{name} is empty")
        if n_bytes > limits.file_bytes:
            raise InputError(
                f"{name} has {n_bytes / 1024**2:.1f} MB, more than {limits.file_bytes / 1024**2:.1f} MB: split it"
            )
        with path.open("rb") as file:
            head = file.read(_HEAD)
            file.seek(0)
            return hashlib.file_digest(file, "sha256").hexdigest(), head
    except OSError as problem:
        raise InputError(f"cannot read {name}: {problem.strerror}") from problem


def _choose(path: Path, head: bytes) -> str:
    """Return the reader for a file: by how it begins, else by its suffix."""
    readers = {name: READERS.load(name) for name in READERS.names()}
    name, suffix = printable(path.name), path.suffix.lower()
    begins = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for key, reader in readers.items():
        if reader.magic and begins.startswith(reader.magic):
            return key
    for magic, said in _KNOWN_OTHERS:
        if begins.startswith(magic):
            raise InputError(f"{name} {said}")
    for key, reader in readers.items():
        if suffix in reader.suffixes:
            if reader.magic:
                raise InputError(f"{name} is called {suffix} but is none inside: it is damaged or has a wrong name")
            return key
    formats = ", ".join(reader.label for reader in readers.values())
    raise InputError(f"{name} is in no format that can be read: use {formats}")


def _salt() -> bytes:
    from coach.database import data_folder

    folder = data_folder()
    try:
        return installation_salt(folder)
    except OSError as problem:
        raise SetupError(
            f"cannot keep the key of pseudonyms in {printable(folder)}: {problem.strerror}; "
            "name another folder in LIFTCOACH_DATA"
        ) from problem


def _passages(document: Document, parsed: Parsed, language: TextLanguage | None) -> ReadDocument:
    passages: dict[str, Passage] = {}
    warnings = list(parsed.warnings)
    masked: Counter[str] = Counter()
    for piece in cut(parsed.blocks):
        text, place = mask(piece.text, parsed.names), mask(piece.place, parsed.names)
        key = text_sha256(f"{document.id}\n{text.text}")[:16]
        if key in passages:
            continue
        passages[key] = Passage(
            id=key,
            document_id=document.id,
            text=text.text,
            sha256=text_sha256(text.text),
            language=language or piece.block.language or detect_language(text.text, document.language),
            place=place.text,
            tags=piece.block.tags,
            licence=document.licence,
            athlete=piece.block.athlete,
        )
        warnings += [Problem(place=piece.place, message=said) for said in suspicions(text.text)]
        masked.update(text.counts)
    return ReadDocument(
        document=document,
        passages=tuple(passages.values()),
        problems=parsed.problems,
        warnings=tuple(warnings),
        masked=dict(masked),
    )
