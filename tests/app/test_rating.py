"""Blind pairs: read from a file once, shown in either order, and the votes as files."""

import json
from pathlib import Path

import pytest

from coach.app.rate_page import _choice
from coach.app.rating import read_pairs, shown_pair, votes_csv, votes_jsonl
from coach.app.state import App
from coach.domain.errors import DataError, InputError
from tests.app.conftest import write_analysis
from tests.coach.made_up_lifts import guide, make_lift


@pytest.fixture
def pairs_path(tmp_path: Path) -> Path:
    write_analysis(tmp_path / "lift")
    said = guide(make_lift({"bar_forward_loop_m": 0.19}))
    lines = [
        {
            "id": f"p{n}",
            "folder": "lift",
            "first": said.model_dump(mode="json"),
            "second": said.model_copy(update={"strength": "Well done."}).model_dump(mode="json"),
            "first_name": "rules",
            "second_name": "generic",
        }
        for n in range(20)
    ]
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def test_pairs_are_read_once_and_their_lift_is_in_nobodys_list(app: App, pairs_path: Path) -> None:
    assert read_pairs(app, pairs_path) == 20
    assert read_pairs(app, pairs_path) == 0
    assert app.lifts("me") == []
    assert len(app.store.lifts("me")) == 1


def test_what_stands_on_the_left_counts_for_who_wrote_it(app: App, pairs_path: Path) -> None:
    read_pairs(app, pairs_path)

    for n in range(20):
        pair = app.store.pair(f"p{n}", "me")
        _, _, (a, b) = shown_pair(app, pair)
        better = "a" if a.strength != "Well done." else "b"
        assert {a.strength, b.strength} > {"Well done."}
        app.store.vote(pair.id, "me", _choice(better, pair), "")

    assert {vote.choice for vote in app.store.votes("me")} == {"first"}
    assert {vote.shown_as_a for vote in app.store.votes("me")} == {"first", "second"}


def test_votes_are_exported_as_csv_and_json_lines(app: App, pairs_path: Path) -> None:
    read_pairs(app, pairs_path)
    app.store.vote("p3", "me", "both_wrong", 'says "fast", is not\nat all')

    line = json.loads(votes_jsonl(app.store.votes()))

    assert (line["pair"], line["first"], line["second"], line["choice"]) == ("p3", "rules", "generic", "both_wrong")
    assert votes_csv(app.store.votes()).startswith(
        "pair,lift_id,first,second,shown_as_a,choice,reason,rater,voted_at\n"
    )


@pytest.mark.parametrize("line", ["{", "{}", '{"id": "x", "folder": "lift"}'])
def test_a_line_that_is_no_pair_is_named(app: App, tmp_path: Path, line: str) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n" + line)

    with pytest.raises(DataError, match=r"pairs\.jsonl:2"):
        read_pairs(app, path)


def test_a_file_that_is_not_there_is_named(app: App, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl"):
        read_pairs(app, tmp_path / "none.jsonl")
