"""The corpus as a data set: JSON lines in three splits that share nothing, and a card that says what is in them.

What belongs together stays together: passages of one document, of one athlete, with equal words or nearly equal ones,
and whatever hangs together through several of these. The split of such a group hangs on its name alone, so a passage
does not wander from `test` to `train` when the corpus grows, unless it comes to belong to another group.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import Field

from coach.domain.base import Record
from coach.domain.errors import InputError
from coach.domain.passage import Document, Passage, Split
from corpus.duplicates import same_key
from corpus.store import FindNear, find_near

SPLITS: tuple[Split, ...] = get_args(Split)
_SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}  # of groups
_README = "README.md"

Row = Mapping[str, Any]


class Card(Record):
    """What a data set says of itself; `left_out` are reasons with the number of passages."""

    title: str
    summary: str
    how_split: str
    languages: tuple[str, ...] = ()
    licences: Mapping[str, int] = Field(default_factory=dict)
    left_out: Mapping[str, int] = Field(default_factory=dict)
    sources: tuple[str, ...] = ()


class Exported(Record):
    """What was written: rows by split, what was left out and why, and the hash of the rows."""

    n_rows: dict[Split, int]
    n_groups: int
    left_out: dict[str, int]
    without_licence: tuple[str, ...]
    content_sha256: str


def export(
    passages: Iterable[Passage], documents: Mapping[str, Document], folder: Path, find_near: FindNear = find_near
) -> Exported:
    """Write the passages that were accepted and have a licence as a data set that `datasets.load_dataset` opens.

    Args:
        passages: Of any status.
        documents: Their documents by id.
        folder: Where to write; it exists or its parent does.
        find_near: Tells which texts say nearly the same.

    Raises:
        InputError: No passage is left to be written.
    """
    everything = list(passages)
    accepted = [passage for passage in everything if passage.status == "accepted"]
    kept = [passage for passage in accepted if passage.licence]
    bare = Counter(documents[p.document_id].title for p in accepted if not p.licence)
    left_out = {
        "not accepted yet": sum(passage.status == "proposed" for passage in everything),
        "rejected": sum(passage.status == "rejected" for passage in everything),
        "without a licence": sum(bare.values()),
    }
    left_out = {reason: n for reason, n in left_out.items() if n}
    if not kept:
        why = "; ".join(f"{n} {reason}" for reason, n in left_out.items()) or "the corpus is empty"
        raise InputError(
            f"no passage can be exported ({why}): accept some with `coach corpus review accept ID`, and give their "
            "documents a licence with `coach corpus add FILE --licence NAME`"
        )
    groups = grouped(kept, find_near)
    splits = {group: split_of(group) for group in set(groups.values())}
    if "train" not in splits.values():  # a handful of texts is there to learn from
        splits = dict.fromkeys(splits, "train")
    rows: dict[Split, list[Row]] = {split: [] for split in SPLITS}
    for passage in kept:
        group = groups[passage.id]
        rows[splits[group]].append(_row(passage, documents[passage.document_id], group))
    used = {passage.document_id for passage in kept}
    card = Card(
        title="Coaching texts on Olympic weightlifting",
        summary="Passages that coaches accepted, each with its source, licence and tags.",
        how_split="Passages of one document or one athlete, and passages that say the same or nearly the same, are "
        "always in one split; the split of such a group hangs on a hash of its name.",
        languages=tuple(sorted({passage.language for passage in kept})),
        licences=dict(Counter(str(passage.licence) for passage in kept).most_common()),
        left_out=left_out,
        sources=tuple(sorted({_cited(document) for name, document in documents.items() if name in used})),
    )
    digest = write_dataset(folder, rows, card)
    return Exported(
        n_rows={split: len(rows[split]) for split in SPLITS},
        n_groups=len(splits),
        left_out=left_out,
        without_licence=tuple(f"{title} ({n})" for title, n in sorted(bare.items())),
        content_sha256=digest,
    )


def grouped(passages: Sequence[Passage], find_near: FindNear = find_near) -> dict[str, str]:
    """Return the name of the group of each passage by its id; what is in two groups can go to two splits.

    Training records of two athletes may read nearly the same without being copied, so only equal words join records.
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = name = parent[parent[name]]
        return name

    def join(first: str, second: str) -> None:
        low, high = sorted((root(first), root(second)))
        parent[high] = low

    for passage in passages:
        name = f"document {passage.document_id}"
        join(name, f"words {same_key(passage.text)}")
        if passage.athlete:
            join(name, f"athlete {passage.athlete}")
    told = [passage for passage in passages if passage.tags.kind != "record"]
    for i, j, _ in find_near([passage.text for passage in told]):
        join(f"document {told[i].document_id}", f"document {told[j].document_id}")
    return {passage.id: root(f"document {passage.document_id}") for passage in passages}


def split_of(group: str) -> Split:
    """Return the split of a group: eight of ten are for training."""
    place = int(sha256(group.encode()).hexdigest()[:12], 16) / 16**12
    for split in SPLITS:
        place -= _SHARES[split]
        if place < 0:
            return split
    return SPLITS[-1]


def write_dataset(folder: Path, rows_by_split: Mapping[Split, Sequence[Row]], card: Card) -> str:
    """Write rows as `data/<split>.jsonl` with a card, and return the SHA-256 of the sorted rows.

    A split without rows gets no file, because such a file could not be opened.

    Args:
        folder: Made when it is not there.
        rows_by_split: Rows that JSON can hold, all with the same keys.
        card: What to say of them.
    """
    lines = {
        split: sorted(json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows)
        for split, rows in rows_by_split.items()
        if rows
    }
    (folder / "data").mkdir(parents=True, exist_ok=True)
    digest = sha256()
    for split, written in sorted(lines.items()):
        text = "".join(f"{line}\n" for line in written)
        (folder / "data" / f"{split}.jsonl").write_text(text, encoding="utf-8", newline="\n")
        digest.update(f"{split}\n{text}".encode())
    n_rows = {split: len(lines[split]) for split in SPLITS if split in lines}
    everything = [row for rows in rows_by_split.values() for row in rows]
    features = _feature(everything)["struct"] if everything else []
    (folder / _README).write_text(_card_text(card, n_rows, features, digest.hexdigest()), encoding="utf-8")
    return digest.hexdigest()


def _row(passage: Passage, document: Document, group: str) -> Row:
    return {
        "id": passage.id,
        "text": passage.text,
        "language": passage.language,
        "lifts": list(passage.tags.lifts),
        "phases": list(passage.tags.phases),
        "faults": list(passage.tags.faults),
        "kind": passage.tags.kind,
        "document": document.id,
        "title": document.title,
        "place": passage.place,
        "licence": passage.licence,
        "athlete": passage.athlete or "",
        "group": group,
        "sha256": passage.sha256,
    }


def _cited(document: Document) -> str:
    return f"{document.title} ({document.licence or 'licence by passage'}){f', {document.url}' if document.url else ''}"


def _feature(values: Sequence[Any]) -> dict[str, Any]:
    """Return the type of values in the words of `datasets`; without it, a split whose lists are all empty would clash."""
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, Mapping) for value in known):
        names = dict.fromkeys(name for value in known for name in value)
        return {"struct": [{"name": n} | _feature([value.get(n) for value in known]) for n in names]}
    if known and all(isinstance(value, list | tuple) for value in known):
        inner = _feature([item for value in known for item in value])
        return {"list": inner.get("struct") or inner.get("dtype") or inner}
    for kind, dtype in ((bool, "bool"), (int, "int64"), (int | float, "float64")):
        if known and all(isinstance(value, kind) for value in known):
            return {"dtype": dtype}
    return {"dtype": "string"}


def _card_text(card: Card, n_rows: Mapping[Split, int], features: Sequence[Any], digest: str) -> str:
    """Return the card: a YAML head that the data set's readers understand, and a page for people."""
    head = {
        "pretty_name": card.title,
        "language": sorted({language.split("-")[0] for language in card.languages if language != "other"}),
        "license": [licence.lower() for licence in card.licences],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": f"data/{split}.jsonl"} for split in n_rows],
            }
        ],
        "dataset_info": {"features": list(features)},
        "rows": dict(n_rows),
        "content_sha256": digest,
    }
    sections = [
        f"---\n{yaml.safe_dump(head, allow_unicode=True, sort_keys=False)}---",
        f"# {card.title}",
        card.summary,
        _table("split", n_rows),
        f"## How it was split\n\n{card.how_split}",
        f"## Licences\n\n{_table('licence', card.licences)}",
        f"Languages: {', '.join(card.languages)}." if card.languages else "",
        f"## Left out\n\n{_table('why', card.left_out)}" if card.left_out else "",
        "## Sources\n\n" + "\n".join(f"- {source}" for source in card.sources) if card.sources else "",
        f"SHA-256 of the rows: `{digest}`",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _table(name: str, counts: Mapping[Any, int]) -> str:
    rows = "\n".join(f"| {key} | {n} |" for key, n in counts.items())
    return f"| {name} | rows |\n|---|---|\n{rows}"
