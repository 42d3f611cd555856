"""The texts that come with the coach: written in our own words, read from Markdown files once per process.

A file starts with `title`, `language` and `licence` between two lines `---`; every passage is a heading `## Title`, an
optional line `<!-- lifts: snatch; phases: turnover; faults: late_pull_under; kind: cue -->`, and its words.
"""

import re
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from coach.domain.base import Record
from coach.domain.errors import DataError, InputError
from coach.domain.passage import Document, Passage, Tags
from corpus.knowledge.library import load_library

FOLDER = Path(__file__).parent / "starter_texts"
_HEAD = ("title", "language", "licence")
_TAGS = re.compile(r"<!--\s*(.*?)\s*-->")


class Starter(Record):
    """The shipped texts, all accepted; can be searched like a store."""

    texts: dict[str, Document]
    all_passages: tuple[Passage, ...]

    def documents(self) -> dict[str, Document]:
        """Return the documents by id."""
        return self.texts

    def passages(self) -> tuple[Passage, ...]:
        """Return all passages in the order of their files."""
        return self.all_passages

    def stamp(self) -> tuple[int, ...]:
        """Return what never differs, because the texts do not change while the program runs."""
        return (len(self.all_passages),)

    def __hash__(self) -> int:
        return id(self)


@cache
def open_starter() -> Starter:
    """Return the shipped texts, ready to be searched.

    Raises:
        DataError: A file is wrong; the message names file and line.
    """
    return read_starter(FOLDER)


def read_starter(folder: Path) -> Starter:
    """Return the texts of `folder/<language>/*.md`.

    Raises:
        DataError: A file is wrong; the message names file and line.
    """
    read = [read_text(path) for path in sorted(folder.glob("*/*.md"))]
    if not read:
        raise DataError(f"there are no texts in {folder}: reinstall the package")
    passages = tuple(passage for _, passages in read for passage in passages)
    return Starter(texts={document.id: document for document, _ in read}, all_passages=passages)


def read_text(path: Path) -> tuple[Document, tuple[Passage, ...]]:
    """Return one file as a document and its passages.

    Raises:
        DataError: The file is wrong; the message names file and line.
    """
    raw = path.read_bytes()
    name = f"{path.parent.name}/{path.name}"
    try:
        lines = raw.decode("utf-8").splitlines()
    except UnicodeDecodeError as problem:
        raise DataError(f"{name}: not UTF-8 at byte {problem.start}: save it as UTF-8") from problem
    head, first = _head(lines, name)
    digest = sha256(raw).hexdigest()
    try:
        document = Document(id=digest[:16], file_name=f"starter_texts/{name}", sha256=digest, **head)
    except ValidationError as problem:
        error = problem.errors()[0]
        raise DataError(f"{name}:1: `{error['loc'][0]}`: {error['msg']}, got {error['input']!r}") from problem
    starts = [i for i in range(first, len(lines)) if lines[i].startswith("## ")]
    if not starts or any(line.strip() for line in lines[first : starts[0]]):
        raise DataError(f"{name}:{first + 1}: expected `## Title of the passage` here")
    ends = [*starts[1:], len(lines)]
    return document, tuple(
        _passage(document, name, start, lines[start:end]) for start, end in zip(starts, ends, strict=True)
    )


def _head(lines: list[str], name: str) -> tuple[dict[str, Any], int]:
    """Return what stands between the two lines `---`, and where the rest begins."""
    if not lines or lines[0] != "---" or "---" not in lines[1:]:
        raise DataError(f"{name}:1: expected {', '.join(_HEAD)} between two lines ---")
    end = lines.index("---", 1)
    try:
        head = yaml.safe_load("\n".join(lines[1:end]))
    except yaml.YAMLError as problem:
        line = (
            problem.problem_mark.line + 2 if isinstance(problem, yaml.MarkedYAMLError) and problem.problem_mark else 1
        )
        raise DataError(f"{name}:{line}: not valid YAML; put a title with a colon between quotes") from problem
    if not isinstance(head, dict) or set(head) != set(_HEAD):
        raise DataError(f"{name}:2: expected {', '.join(_HEAD)}, and nothing else, between the lines ---")
    return head, end + 1


def _passage(document: Document, name: str, start: int, lines: list[str]) -> Passage:
    title, rest, line = lines[0].removeprefix("## ").strip(), lines[1:], start + 1
    tags = Tags()
    if rest and rest[0].startswith("<!--"):
        try:
            tags = read_tags(rest[0])
        except InputError as problem:
            raise DataError(f"{name}:{line + 1}: {problem}") from problem
        rest = rest[1:]
    text = "\n".join(rest).strip()
    if not title or not text:
        raise DataError(f"{name}:{line}: a passage needs a title and words under it")
    return Passage(
        id=sha256(f"{document.file_name}\n{title}\n{text}".encode()).hexdigest()[:16],
        document_id=document.id,
        text=text,
        sha256=sha256(text.encode()).hexdigest(),
        language=document.language,
        place=f"{document.title} › {title}",
        tags=tags,
        licence=document.licence,
        status="accepted",
    )


def read_tags(text: str) -> Tags:
    """Return tags written as `lifts: snatch, clean; phases: turnover; faults: late_pull_under; kind: cue`.

    Raises:
        InputError: A name is unknown; the message says which there are.
    """
    comment = _TAGS.fullmatch(text.strip())
    values: dict[str, Any] = {}
    for part in (comment[1] if comment else text).split(";"):
        name, colon, listed = (piece.strip() for piece in part.partition(":"))
        if not part.strip():
            continue
        if not colon or name not in Tags.model_fields:
            raise InputError(f"`{part.strip()}` is no tag: write lifts: …; phases: …; faults: …; kind: …")
        values[name] = listed if name == "kind" else tuple(x.strip() for x in listed.split(",") if x.strip())
    try:
        tags = Tags.model_validate(values)
    except ValidationError as problem:
        error = problem.errors()[0]
        raise InputError(f"`{error['loc'][0]}`: {error['msg']}, got {error['input']!r}") from problem
    unknown = [fault for fault in tags.faults if fault not in load_library().faults]
    if unknown:
        raise InputError(f"`faults`: no fault '{unknown[0]}' in faults.yaml")
    return tags
