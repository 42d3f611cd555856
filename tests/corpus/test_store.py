"""The corpus store on SQLite and on a real PostgreSQL: nothing comes in half, nothing decided is lost."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError, IntegrityError

from coach.domain.errors import DataError, InputError
from coach.domain.passage import Tags
from corpus.store import Added, Duplicate, Store, open_store

Add = Callable[..., Added]
N_REVIEWERS, N_PASSAGES = 8, 100


def test_what_was_added_is_found_as_it_was(store: Store, make_document: Any) -> None:
    document, passages = make_document(
        "pulls", "Stay over the bar.", "慢慢拉過膝。", language="zh-Hant", athlete="athlete-7"
    )

    added = store.add(document, passages, find_near=lambda texts: [])

    assert (added.n_new, added.n_known) == (2, 0)
    assert store.documents() == {document.id: document}
    assert store.passages() == passages
    assert [store.get(p.id) for p in passages] == list(passages)
    assert (store.count(), store.count("accepted")) == (2, 0)


def test_the_same_document_twice_adds_nothing(store: Store, add_document: Add) -> None:
    first = add_document(store, "pulls", "Stay over the bar.", "Wait for the hip.")
    before = store.stamp()

    again = add_document(store, "pulls", "Stay over the bar.", "Wait for the hip.")

    assert (first.n_new, again.n_new, again.n_known) == (2, 0, 2)
    assert again.exact_duplicates == again.near_duplicates == ()
    assert store.stamp() == before


def test_adding_again_leaves_what_a_coach_decided(store: Store, add_document: Add) -> None:
    add_document(store, "pulls", "Stay over the bar.")
    passage = store.passages()[0]
    store.review(passage.id, "Mei", "edit", text="Stay over it.", expected_version=1)

    add_document(store, "pulls", "Stay over the bar.")

    assert store.get(passage.id).text == "Stay over it."


def test_a_licence_that_comes_later_is_filled_in_and_one_that_is_there_stays(store: Store, add_document: Add) -> None:
    add_document(store, "pulls", "Stay over the bar.", licence=None)
    assert store.passages()[0].licence is None

    add_document(store, "pulls", "Stay over the bar.", licence="CC0-1.0")
    kept = add_document(store, "pulls", "Stay over the bar.", licence="MIT")

    assert kept.document.licence == "CC0-1.0"
    assert store.passages()[0].licence == "CC0-1.0"


def test_equal_passages_of_two_documents_are_kept_and_marked(store: Store, add_document: Add) -> None:
    add_document(store, "one", "Stay over the bar.")
    second = add_document(store, "two", "Stay over the bar.", "Wait.")
    one, two, _ = store.passages()

    assert second.n_new == 2
    assert second.exact_duplicates == (Duplicate(passage_id=two.id, other_id=one.id, similarity=1),)
    assert store.duplicates() == second.exact_duplicates


def test_passages_that_are_nearly_equal_are_kept_and_marked_with_the_nearest(store: Store, make_document: Any) -> None:
    store.add(*make_document("one", "Stay over the bar.", "Stay over it."), find_near=lambda texts: [])
    document, passages = make_document("two", "Stay over that bar.")

    added = store.add(document, passages, find_near=lambda texts: [(0, 1, 0.85), (0, 2, 0.9), (1, 2, 0.82)])

    assert added.near_duplicates == (
        Duplicate(passage_id=passages[0].id, other_id=store.passages()[0].id, similarity=0.9),
    )
    assert store.duplicates() == added.near_duplicates


def test_training_records_are_not_compared(store: Store, make_document: Any) -> None:
    compared: list[str] = []

    def look(texts: Any) -> list[tuple[int, int, float]]:
        compared.extend(texts)
        return []

    store.add(*make_document("log", "Snatch 60 kg 3 × 2", "Snatch 60 kg 3 × 3", tags=Tags(kind="record")), look)

    assert compared == []
    assert store.count() == 2


def test_a_document_comes_whole_or_not_at_all(store: Store, make_document: Any) -> None:
    document, passages = make_document("pulls", "Stay over the bar.", "Wait for the hip.")
    other, same_ids = make_document("copy", "Another.", id=passages[1].id)
    store.add(document, passages, find_near=lambda texts: [])

    with pytest.raises(IntegrityError):
        store.add(other, same_ids, find_near=lambda texts: [])

    assert list(store.documents()) == [document.id]
    assert store.count() == 2


def test_a_decision_changes_the_passage_and_stays_in_its_history(store: Store, add_document: Add) -> None:
    add_document(store, "pulls", "Stay over teh bar.")
    passage = store.passages()[0]
    tags = Tags(lifts=("snatch", "clean"), phases=("second_pull",), faults=("early_hip_open",), kind="cue")

    edited = store.review(
        passage.id, " Mei ", "edit", "a slip", text="Stay over the bar.", tags=tags, expected_version=1
    )
    rejected = store.review(passage.id, "Ken", "reject", "we have it", expected_version=2)

    assert (edited.text, edited.tags, edited.status, edited.version) == ("Stay over the bar.", tags, "accepted", 2)
    assert (rejected.text, rejected.status, rejected.version) == ("Stay over the bar.", "rejected", 3)
    assert store.get(passage.id) == rejected
    first, second = store.history(passage.id)
    assert (first.reviewer, first.decision, first.note, first.version) == ("Mei", "edit", "a slip", 2)
    assert (first.text_before, first.text_after) == ("Stay over teh bar.", "Stay over the bar.")
    assert (first.tags_before, first.tags_after) == (passage.tags, tags)
    assert (second.reviewer, second.decision, second.text_before) == ("Ken", "reject", "Stay over the bar.")
    offset = first.decided_at.utcoffset()
    assert offset is not None
    assert offset.total_seconds() == 0
    assert first.decided_at <= second.decided_at
    assert store.reviewers() == {"Ken": 1, "Mei": 1}


def test_a_decision_about_an_old_version_is_refused_and_says_to_look_again(store: Store, add_document: Add) -> None:
    add_document(store, "pulls", "Stay over the bar.")
    passage = store.passages()[0]
    store.review(passage.id, "Mei", "accept", expected_version=1)

    with pytest.raises(DataError, match="look at it again"):
        store.review(passage.id, "Ken", "reject", expected_version=1)

    assert store.get(passage.id).status == "accepted"
    assert len(store.history(passage.id)) == 1


@pytest.mark.parametrize(
    ("decision", "more", "said"),
    [
        ("accept", {"reviewer": "  "}, "name of the coach"),
        ("burn", {}, "choose from accept, edit, reject"),
        ("edit", {}, "needs new words"),
        ("edit", {"text": " \x00 "}, "without words"),
        ("accept", {"text": "Other words."}, "decide `edit`"),
        ("accept", {"passage_id": "nowhere"}, "there is no passage 'nowhere'"),
    ],
)
def test_a_decision_that_cannot_be_is_refused(
    store: Store, add_document: Add, decision: Any, more: dict[str, str], said: str
) -> None:
    add_document(store, "pulls", "Stay over the bar.")
    asked = {"passage_id": store.passages()[0].id, "reviewer": "Mei"} | more

    with pytest.raises(InputError, match=said):
        store.review(decision=decision, expected_version=1, **asked)  # type: ignore[arg-type]

    assert store.passages()[0].version == 1


@pytest.mark.parametrize("change", ["UPDATE corpus_reviews SET reviewer = 'Somebody'", "DELETE FROM corpus_reviews"])
def test_nobody_can_change_or_remove_a_decision(store: Store, add_document: Add, change: str) -> None:
    add_document(store, "pulls", "Stay over the bar.")
    passage = store.passages()[0]
    store.review(passage.id, "Mei", "accept", expected_version=1)

    with pytest.raises(DatabaseError, match="only ever added"), _begun(store.engine) as connection:
        connection.execute(text(change))

    assert [review.reviewer for review in store.history(passage.id)] == ["Mei"]


def _begun(engine: Engine) -> Any:
    return engine.begin()


def test_eight_coaches_who_decide_at_once_lose_nothing(store: Store, add_document: Add, database_url: str) -> None:
    """Each decides about every passage, in another order; who comes too late looks again and decides again."""
    add_document(store, "pulls", *(f"Text {i}" for i in range(N_PASSAGES)))
    ids = [passage.id for passage in store.passages()]
    start = threading.Barrier(N_REVIEWERS)

    def decide(number: int) -> None:
        own = open_store(database_url)
        start.wait()
        for i in range(N_PASSAGES):
            passage_id = ids[(i * 7 + number % 2) % N_PASSAGES]  # few passages apart, so that they do meet
            while True:
                seen = own.get(passage_id)
                try:
                    own.review(
                        passage_id,
                        f"coach {number}",
                        "edit",
                        text=f"{seen.text} {number}",
                        expected_version=seen.version,
                    )
                    break
                except DataError:
                    continue
        own.engine.dispose()

    with ThreadPoolExecutor(N_REVIEWERS) as pool:
        list(pool.map(decide, range(N_REVIEWERS)))

    histories = {passage_id: store.history(passage_id) for passage_id in ids}
    assert Counter(r.reviewer for h in histories.values() for r in h) == {f"coach {i}": 100 for i in range(8)}
    for passage in store.passages():
        reviews = histories[passage.id]
        assert [r.version for r in reviews] == list(range(2, N_REVIEWERS + 2))
        assert all(a.text_after == b.text_before for a, b in pairwise(reviews))
        assert (passage.text, passage.version) == (reviews[-1].text_after, N_REVIEWERS + 1)


def test_two_who_add_the_same_document_at_once_add_it_once(store: Store, make_document: Any, database_url: str) -> None:
    document, passages = make_document("pulls", *(f"Text {i}" for i in range(50)))
    start = threading.Barrier(4)

    def add(_number: int) -> int:
        own = open_store(database_url)
        start.wait()
        n_new = own.add(document, passages, find_near=lambda texts: []).n_new
        own.engine.dispose()
        return n_new

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(add, range(4))) == [0, 0, 0, 50]
    assert store.count() == 50
