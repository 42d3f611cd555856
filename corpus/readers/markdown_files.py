"""Markdown: sections under their headings, with title, licence and tags where the file gives them."""

import re
from pathlib import Path
from typing import Any, get_args

import yaml

from coach.domain.lift import LiftName
from coach.domain.passage import PassageKind, Tags, TextLanguage
from corpus.cleaning import hidden_text, normalised, paragraphs
from corpus.decoding import decoded
from corpus.source import Block, Parsed, Problem

_FRONT = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)\n", re.DOTALL)
_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*\s*")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_UNDERLINE = re.compile(r"\s*(=+|-{3,})\s*")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAGS = re.compile(r"<!--\s*((?:(?:lifts|phases|faults|kind):[^;]*;?\s*)+)-->")
_MARKUP = (
    (re.compile(r"!\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"\[([^\]]+)\]\([^)]*\)"), r"\1"),
    (re.compile(r"\[\^?[^\]]+\]:.*"), ""),
    (re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<![\w*])([*_])(?=\S)(.+?)(?<=\S)\1(?![\w*])"), r"\2"),
    (re.compile(r"(?<!`)`([^`\n]+)`"), r"\1"),
    (re.compile(r"^\s{0,3}>\s?", re.MULTILINE), ""),
    (re.compile(r"</?[a-zA-Z][^<>\n]*>"), ""),
    (re.compile(r"^[ |:-]*\|[ |:-]*$", re.MULTILINE), ""),
)


def create() -> "MarkdownReader":
    """Return the reader of Markdown."""
    return MarkdownReader()


class MarkdownReader:
    """One block a section; its place is the path of headings that leads to it."""

    label = "Markdown (.md)"
    suffixes = (".md", ".markdown")
    magic = None

    def read(self, path: Path, salt: bytes) -> Parsed:  # noqa: ARG002
        """Return the sections of a file.

        A front matter may give `title`, `language`, `licence` and `url`; a comment such as
        `<!-- lifts: snatch; phases: turnover; faults: late_elbows; kind: cue -->` tags the section it stands in.
        Other comments, links' addresses and the marks of emphasis are left out; code stays as it is.
        """
        raw = decoded(path.read_bytes())
        text = normalised(raw)
        front, problems = _front(text)
        text = _FRONT.sub("", text, count=1)
        title, sections = _sections(text)
        blocks = []
        for place, body in sections:
            tags, unknown = _tags(body)
            problems += [Problem(place=place, message=said) for said in unknown]
            plain = "\n".join(paragraphs(_plain(body)))
            if plain:
                blocks.append(Block(place=place, text=plain, tags=tags))
        language = front.get("language")
        if language is not None and language not in get_args(TextLanguage):
            known = ", ".join(get_args(TextLanguage))
            problems.append(Problem(place="front matter", message=f"no language “{language}”: write one of {known}"))
            language = None
        return Parsed(
            title=_said(front, "title") or title,
            language=language,
            licence=_said(front, "licence") or _said(front, "license"),
            url=_said(front, "url"),
            blocks=tuple(blocks),
            problems=tuple(problems),
            warnings=hidden_text(raw),
        )


def _front(text: str) -> tuple[dict[str, Any], list[Problem]]:
    found = _FRONT.match(text)
    if found is None:
        return {}, []
    try:
        front = yaml.safe_load(found[1])
    except yaml.YAMLError:
        front = None
    if not isinstance(front, dict):
        return {}, [Problem(place="front matter", message="is not YAML: write lines like `licence: CC-BY-4.0`")]
    return front, []


def _said(front: dict[str, Any], key: str) -> str | None:
    return str(front[key]).strip() or None if front.get(key) is not None else None


def _sections(text: str) -> tuple[str | None, list[tuple[str, str]]]:
    """Return the title and the text under each heading; a title over the whole file is no part of the paths."""
    trail: list[str] = []
    title: str | None = None
    sections: list[tuple[str, list[str]]] = [("beginning", [])]
    is_code = False
    lines = text.split("\n")
    for i, line in enumerate(lines):
        is_code ^= _FENCE.match(line) is not None
        found = None if is_code else _HEADING.fullmatch(line)
        depth, name = (len(found[1]), found[2]) if found else _underlined(lines, i, is_code)
        if not depth:
            sections[-1][1].append(line)
            continue
        name = _plain(name).strip()
        trail = [*trail[: depth - 1], *[""] * (depth - 1 - len(trail)), name]
        if depth == 1 and title is None:
            title, trail = name, [""]
        sections.append((" › ".join(part for part in trail if part) or "beginning", []))
    return title, [(place, "\n".join(body)) for place, body in sections]


def _underlined(lines: list[str], i: int, is_code: bool) -> tuple[int, str]:
    """Return depth and name of a heading that the next line underlines; 0 when this is none."""
    if is_code or not lines[i].strip() or i + 1 == len(lines):
        return 0, ""
    below = _UNDERLINE.fullmatch(lines[i + 1])
    if below is None or (i and lines[i - 1].strip()):
        return 0, ""
    return (1 if below[1][0] == "=" else 2), lines[i]


def _tags(body: str) -> tuple[Tags, list[str]]:
    """Return the tags of a section and what is wrong with them."""
    found = _TAGS.search(body)
    if found is None:
        return Tags(), []
    named = dict(part.split(":", 1) for part in found[1].split(";") if ":" in part)
    listed = {key.strip(): tuple(v.strip() for v in values.split(",") if v.strip()) for key, values in named.items()}
    kind = (listed.get("kind") or ("explanation",))[0]
    unknown = [f"no lift “{name}”" for name in listed.get("lifts", ()) if name not in get_args(LiftName)]
    if kind not in get_args(PassageKind):
        unknown.append(f"no kind “{kind}”: write one of {', '.join(get_args(PassageKind))}")
        kind = "explanation"
    lifts = tuple(name for name in listed.get("lifts", ()) if name in get_args(LiftName))
    tags = {"lifts": lifts, "phases": listed.get("phases", ()), "faults": listed.get("faults", ()), "kind": kind}
    return Tags.model_validate(tags), unknown


def _plain(text: str) -> str:
    """Return text without the marks that only a browser shows; fenced code keeps them."""
    text = _COMMENT.sub("", text)
    parts = re.split(r"^\s*(?:```|~~~).*$", text, flags=re.MULTILINE)
    for i in range(0, len(parts), 2):
        for mark, instead in _MARKUP:
            parts[i] = mark.sub(instead, parts[i])
    return "\n".join(parts)
