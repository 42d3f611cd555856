"""The exported data set: it opens, holds only what may be passed on, and no split knows anything of another."""

import json
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.domain.errors import InputError
from coach.domain.passage import Document, Passage, Tags
from corpus.duplicates import find_near_duplicates
from corpus.export import SPLITS, Card, export, grouped, split_of, write_dataset
from corpus.starter import open_starter

TEXT = "Keep the bar close to the legs on the way up and wait with the arms until the hips have opened, number {}."


def find_none(_texts: Any) -> list[tuple[int, int, float]]:
    return []


def _rows(folder: Path) -> dict[str, list[dict[str, Any]]]:
    return {
        path.stem: [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in sorted((folder / "data").glob("*.jsonl"))
    }


def _head(folder: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1]))


@pytest.fixture
def club(make_document: Any) -> tuple[list[Passage], dict[str, Document]]:
    """Return 40 documents of 3 passages; some share an athlete, some copy a passage, exactly or nearly."""
    passages: list[Passage] = []
    documents: dict[str, Document] = {}
    for i in range(40):
        texts = [f"{i} {word} {i * 7919}: what only this document says about it" for word in ("hips", "knees", "feet")]
        if i % 10 == 3:
            texts[0] = TEXT.format("one")
        if i % 10 == 7:
            texts[1] = TEXT.format("two" if i < 20 else "too").upper()
        document, own = make_document(f"notes {i}", *texts, status="accepted", athlete=f"athlete-{i % 25}")
        documents[document.id] = document
        passages += own
    return passages, documents


def test_no_split_shares_a_document_an_athlete_or_a_text_with_another(club: Any, tmp_path: Path) -> None:
    passages, documents = club

    exported = export(passages, documents, tmp_path / "out")

    rows = _rows(tmp_path / "out")
    assert set(rows) == set(SPLITS)
    assert sum(len(own) for own in rows.values()) == len(passages) == sum(exported.n_rows.values())
    for key in ("document", "athlete", "text", "group"):
        for one, other in combinations(rows.values(), 2):
            assert {row[key] for row in one}.isdisjoint({row[key] for row in other}), key
    texts = [(row["text"], split) for split, own in rows.items() for row in own]
    near = find_near_duplicates([text for text, _ in texts])
    assert near
    assert [pair for pair in near if texts[pair[0]][1] != texts[pair[1]][1]] == []


def test_the_leak_test_would_notice_a_leak(club: Any) -> None:
    """Grouped by document alone, the same corpus does leak: the test above is not empty."""
    passages, _ = club
    split = {passage.id: split_of(f"document {passage.document_id}") for passage in passages}
    by_athlete = defaultdict(set)
    for passage in passages:
        by_athlete[passage.athlete].add(split[passage.id])

    assert any(len(splits) > 1 for splits in by_athlete.values())


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(0, 20)), max_size=40))
def test_groups_are_connected_components_whatever_the_order(drawn: list[tuple[int, int, int]]) -> None:
    passages = [
        Passage(
            id=f"{i}",
            document_id=f"d{document}",
            text=f"text {words}",
            sha256="0",
            language="en",
            place="",
            athlete=f"a{athlete}" if athlete < 6 else None,
        )
        for i, (document, athlete, words) in enumerate(drawn)
    ]
    groups = grouped(passages, find_none)

    assert groups == grouped(passages[::-1], find_none)
    for one, other in combinations(passages, 2):
        shared = one.document_id == other.document_id or one.text == other.text
        if shared or (one.athlete is not None and one.athlete == other.athlete):
            assert groups[one.id] == groups[other.id]


def test_documents_that_share_nothing_are_groups_of_their_own(make_document: Any) -> None:
    passages = [p for i in range(30) for p in make_document(f"n{i}", f"only here {i}")[1]]
    groups = grouped(passages, find_none)

    assert len(set(groups.values())) == 30
    assert {split_of(group) for group in groups.values()} == set(SPLITS)


def test_records_that_read_alike_do_not_join_their_athletes(make_document: Any) -> None:
    record = {"tags": Tags(kind="record")}
    first = make_document("one", "2025-03-01 snatch 60 kg 3 × 2 made", athlete="a", **record)[1]
    other = make_document("two", "2025-03-02 snatch 60 kg 3 × 2 made", athlete="b", **record)[1]

    groups = grouped([*first, *other])

    assert len(set(groups.values())) == 2


def test_the_same_corpus_gives_the_same_bytes_in_any_order(club: Any, tmp_path: Path) -> None:
    passages, documents = club

    first = export(passages, documents, tmp_path / "one")
    again = export(passages[::-1], documents, tmp_path / "two")

    assert first.content_sha256 == again.content_sha256
    for path in (tmp_path / "one" / "data").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / "data" / path.name).read_bytes()

    changed = [passages[0].model_copy(update={"text": "Other words."}), *passages[1:]]
    assert export(changed, documents, tmp_path / "three").content_sha256 != first.content_sha256


def test_only_accepted_passages_with_a_licence_go_out_and_the_card_says_what_stayed(
    make_document: Any, tmp_path: Path
) -> None:
    kept, one = make_document("kept", "May go.", "May go too.", status="accepted")
    bare, two = make_document("bare", "Nobody said I may.", "Nor I.", licence=None, status="accepted")
    new, three = make_document("new", "Nobody looked at me.")
    gone, four = make_document("gone", "Wrong.", status="rejected")
    documents = {document.id: document for document in (kept, bare, new, gone)}

    exported = export([*one, *two, *three, *four], documents, tmp_path, find_none)

    assert {row["text"] for own in _rows(tmp_path).values() for row in own} == {"May go.", "May go too."}
    assert exported.left_out == {"not accepted yet": 1, "rejected": 1, "without a licence": 2}
    assert exported.without_licence == ("Bare (2)",)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "| without a licence | 2 |" in card
    assert "Nobody said" not in card


def test_the_card_tells_languages_licences_counts_and_the_hash(club: Any, tmp_path: Path) -> None:
    passages, documents = club

    exported = export(passages, documents, tmp_path)

    head = _head(tmp_path)
    assert (head["language"], head["license"]) == (["en"], ["cc-by-4.0"])
    assert head["content_sha256"] == exported.content_sha256
    assert head["rows"] == exported.n_rows == {split: len(own) for split, own in sorted(
        _rows(tmp_path).items(), key=lambda item: SPLITS.index(item[0])
    )}  # fmt: skip
    assert [f["split"] for f in head["configs"][0]["data_files"]] == list(SPLITS)


def test_a_corpus_with_nothing_to_pass_on_says_what_to_do(make_document: Any, tmp_path: Path) -> None:
    document, passages = make_document("new", "Nobody looked at me.")

    with pytest.raises(InputError, match=r"1 not accepted yet.*coach corpus review accept"):
        export(passages, {document.id: document}, tmp_path / "out", find_none)
    with pytest.raises(InputError, match="the corpus is empty"):
        export([], {}, tmp_path / "out", find_none)
    assert not (tmp_path / "out").exists()


def _load(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(folder.parent / "cache"))
    datasets = pytest.importorskip("datasets", reason="pip install 'liftcoach[finetune]'")
    datasets.disable_progress_bars()
    return datasets.load_dataset(str(folder), cache_dir=str(folder.parent / "cache"))


@pytest.mark.filterwarnings("ignore")  # of the library's own
def test_the_data_set_opens_with_datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    starter = open_starter()
    exported = export(starter.passages(), starter.documents(), tmp_path / "out")

    loaded = _load(tmp_path / "out", monkeypatch)

    assert {split: loaded[split].num_rows for split in loaded} == {s: n for s, n in exported.n_rows.items() if n}
    assert {row["text"] for split in loaded for row in loaded[split]} == {p.text for p in starter.passages()}


@pytest.mark.filterwarnings("ignore")  # of the library's own
def test_rows_open_although_a_split_has_only_empty_lists_and_another_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = Card(title="Conversations", summary="Made up.", how_split="By hand.", languages=("en", "zh-Hant"))
    turns = [{"role": "user", "text": "槓?", "pictures": []}]
    said = [{"role": "user", "text": "x", "pictures": [{"path": "a.jpg", "x": 1}]}]
    rows: Any = {"train": [{"turns": turns, "n": 1, "w": []}], "test": [{"turns": said, "n": 1.5, "w": ["v"]}]}
    write_dataset(tmp_path / "out", rows | {"validation": []}, card)

    loaded = _load(tmp_path / "out", monkeypatch)

    assert list(loaded) == ["train", "test"]
    assert loaded["train"][0] == {"turns": turns, "n": 1.0, "w": []}
    assert loaded["test"][0]["turns"] == said
