"""The store of the app: what is said stays, edits are versions, and nobody sees what is another's."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from coach.database import open_engine, upgrade
from coach.domain.errors import InputError
from coach.store import EVERYBODY, Store, open_store
from coach.tables import Base


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'app.db'}")
    yield opened
    opened.close()


@pytest.fixture
def lift(store: Store) -> str:
    return store.add_lift("ann", "snatch.mp4", {"writer": "rules"}).id


def _texts(store: Store, lift: str, owner: str = "ann") -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in store.messages(lift, owner)]


def _talk(store: Store, lift: str) -> None:
    for role, text in (("user", "why?"), ("assistant", "because"), ("user", "and then?"), ("assistant", "rest")):
        store.say(lift, "ann", role, text, ("bar_drop_m",) if role == "assistant" else ())  # type: ignore[arg-type]


def test_the_migrations_make_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'app.db'}")
    upgrade(engine, "coach")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_object": lambda thing, name, kind, *_: kind != "table" or name.startswith("app_")},
        )
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_what_was_stored_is_there_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'app.db'}"
    first = open_store(url)
    lift = first.add_lift("ann", "抓舉.mp4", {"language": "zh-Hant"})
    first.set_status(lift.id, "done")
    _talk(first, lift.id)
    first.close()

    again = open_store(url)

    assert again.lift(lift.id, "ann").title == "抓舉.mp4"
    assert again.lift(lift.id, "ann").settings == {"language": "zh-Hant"}
    assert _texts(again, lift.id)[1] == ("assistant", "because")
    assert again.messages(lift.id, "ann")[1].evidence == ("bar_drop_m",)
    again.close()


def test_a_lift_of_somebody_else_is_answered_like_one_that_does_not_exist(store: Store, lift: str) -> None:
    with pytest.raises(InputError) as of_another:
        store.lift(lift, "bob")
    with pytest.raises(InputError) as of_nobody:
        store.lift("x" * 24, "bob")

    assert str(of_another.value) == str(of_nobody.value)
    assert store.lifts("bob") == []


@pytest.mark.parametrize("deed", ["say", "messages", "take_back", "add_feedback", "remove_lift"])
def test_nobody_reads_or_changes_a_conversation_about_anothers_lift(store: Store, lift: str, deed: str) -> None:
    _talk(store, lift)
    arguments = {
        "say": (lift, "bob", "user", "hello"),
        "messages": (lift, "bob"),
        "take_back": (lift, "bob", 0),
        "add_feedback": (lift, "bob", 1, "Like"),
        "remove_lift": (lift, "bob"),
    }[deed]

    with pytest.raises(InputError, match="no such lift"):
        getattr(store, deed)(*arguments)
    assert len(_texts(store, lift)) == 4


def test_a_shared_lift_is_seen_by_all_but_each_has_a_conversation_of_their_own(store: Store) -> None:
    demo = store.add_lift(EVERYBODY, "Example", {}, is_shared=True).id

    store.say(demo, "ann", "user", "why?")

    assert [lift.id for lift in store.lifts("bob")] == [demo]
    assert store.messages(demo, "bob") == []
    with pytest.raises(InputError, match="stays"):
        store.remove_lift(demo, "bob")


def test_an_edit_takes_back_what_came_after_it_and_loses_nothing(store: Store, lift: str) -> None:
    _talk(store, lift)

    store.say(lift, "ann", "user", "why really?", place=0)

    assert _texts(store, lift) == [("user", "why really?")]
    with store._engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT text FROM app_messages").scalars().all()
    assert {"why?", "because", "and then?", "rest", "why really?"} <= set(rows)


def test_a_conversation_goes_on_after_an_undo(store: Store, lift: str) -> None:
    _talk(store, lift)

    store.take_back(lift, "ann", 2)
    store.say(lift, "ann", "user", "how high?")

    assert [text for _, text in _texts(store, lift)] == ["why?", "because", "how high?"]


def test_a_message_cannot_be_put_where_no_conversation_is(store: Store, lift: str) -> None:
    with pytest.raises(InputError, match="no place 3"):
        store.say(lift, "ann", "user", "why?", place=3)


def test_the_last_opinion_about_an_answer_counts_and_a_new_answer_has_none(store: Store, lift: str) -> None:
    _talk(store, lift)

    store.add_feedback(lift, "ann", 1, "Like")
    store.add_feedback(lift, "ann", 1, "Wrong number")
    assert store.messages(lift, "ann")[1].feedback == "Wrong number"

    store.say(lift, "ann", "assistant", "because of the hips", place=1)
    assert store.messages(lift, "ann")[1].feedback is None


def test_a_question_takes_no_opinion(store: Store, lift: str) -> None:
    _talk(store, lift)

    with pytest.raises(InputError, match="no answer"):
        store.add_feedback(lift, "ann", 0, "Like")


def test_what_an_earlier_run_left_unfinished_is_marked(store: Store, lift: str) -> None:
    done = store.add_lift("ann", "b.mp4", {}).id
    store.set_status(done, "done")

    store.end_unfinished("the app was stopped")

    assert store.lift(lift, "ann").status == "failed"
    assert store.lift(done, "ann").status == "done"


def test_a_removed_lift_leaves_nothing_behind(store: Store, lift: str) -> None:
    _talk(store, lift)
    store.add_feedback(lift, "ann", 1, "Like")
    store.add_pair("p", "ann", lift, ("rules", {}), ("vlm", {}))
    store.vote("p", "ann", "tie", "")

    store.remove_lift(lift, "ann")

    with store._engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table.name}").scalar() == 0, table.name


def test_both_orders_of_a_pair_occur_and_a_known_pair_is_not_added_again(store: Store, lift: str) -> None:
    for n in range(40):
        assert store.add_pair(str(n), "ann", lift, ("rules", {"n": 1}), ("vlm", {"n": 2}))
    assert not store.add_pair("3", "ann", lift, ("rules", {}), ("vlm", {}))

    pairs = [store.pair(str(n), "ann") for n in range(40)]

    assert {pair.is_swapped for pair in pairs} == {True, False}
    assert all(pair.shown[0]["n"] == (2 if pair.is_swapped else 1) for pair in pairs)


def test_pairs_are_judged_one_after_the_other_until_none_is_left(store: Store, lift: str) -> None:
    for name in ("p1", "p2"):
        store.add_pair(name, EVERYBODY, lift, ("rules", {}), ("vlm", {}))
    store.add_pair("of ann", "ann", lift, ("rules", {}), ("vlm", {}))

    seen = []
    while (pair := store.next_pair("bob")) is not None:
        store.vote(pair.id, "bob", "second", "truer")
        seen.append(pair.id)

    assert seen == ["p1", "p2"]
    assert store.count_pairs("bob") == (2, 2)
    assert store.count_pairs("ann") == (0, 3)
    with pytest.raises(InputError):
        store.vote("of ann", "bob", "tie", "")


def test_the_last_vote_of_a_rater_counts(store: Store, lift: str) -> None:
    store.add_pair("p", EVERYBODY, lift, ("rules", {}), ("vlm tiny", {}))
    store.vote("p", "ann", "first", "")
    store.vote("p", "bob", "tie", "")
    store.vote("p", "ann", "second", "on second thought")

    votes = {vote.rater: vote for vote in store.votes()}

    assert len(votes) == 2
    assert (votes["ann"].choice, votes["ann"].reason, votes["ann"].second) == (
        "second",
        "on second thought",
        "vlm tiny",
    )


def test_messages_written_side_by_side_are_all_kept(store: Store, lift: str) -> None:
    def say(n: int) -> None:
        for i in range(10):
            store.say(lift, "ann", "user", f"{n} {i}")

    threads = [threading.Thread(target=say, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({text for _, text in _texts(store, lift)}) == 40
