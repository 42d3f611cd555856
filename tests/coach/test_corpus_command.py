"""`coach corpus`: a coach's path from a file to a data set, and what is said when something is wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coach.commands.corpus import SHOWN_PROBLEMS
from corpus.store import Store, open_store

Coach = Callable[..., Any]
NOTES = """# My notes

## Wait with the arms
Keep the arms long until the hips have opened. If the zebra elbows bend too soon, the bar swings away from the body.

## 槓要貼身
提鈴的時候槓要貼著腿往上，手臂像繩子一樣放長，等到髖打開以後才轉肘。如果太早彎手，槓就會往前跑，接鈴也會靠前。
"""


@pytest.fixture(autouse=True)
def own_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFTCOACH_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("LIFTCOACH_DATABASE", raising=False)
    monkeypatch.delenv("LIFTCOACH_REVIEWER", raising=False)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes.md"
    path.write_text(NOTES, encoding="utf-8")
    return path


def _store() -> Store:
    return open_store()


def test_a_text_goes_from_a_file_to_a_data_set(coach: Coach, notes: Path, tmp_path: Path) -> None:
    added = coach("corpus", "add", notes, "--licence", "CC-BY-4.0")
    assert added.code == 0
    assert "2 passages wait for a decision" in added.err

    listed = coach("corpus", "review")
    first, second = _store().passages()
    assert f"{first.id}  proposed, version 1" in listed.out
    assert coach("corpus", "search", "zebra elbows", "--no-starter").out == ""

    tags = "lifts: snatch; faults: early_arm_bend; kind: cue"
    accepted = coach("corpus", "review", "accept", first.id, "--reviewer", "Mei", "--note", "clear", "--tags", tags)
    edited = coach("corpus", "review", "edit", second.id, "--reviewer", "Ken", "--text", "槓貼著腿。")
    assert accepted.out == f"{first.id} is accepted, version 2\n"
    assert edited.code == 0

    shown = coach("corpus", "review", "show", second.id)
    assert "Ken: edit" in shown.out
    assert "after:  槓貼著腿。" in shown.out
    found = coach("corpus", "search", "杠贴腿", "--no-starter")
    assert "My notes, 槓要貼身 (CC-BY-4.0)" in found.out

    exported = coach("corpus", "export", "--out", tmp_path / "set", "--no-starter")
    assert exported.code == 0
    rows = [json.loads(x) for x in (tmp_path / "set" / "data" / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {row["text"] for row in rows} == {first.text, "槓貼著腿。"}
    assert {tuple(row["faults"]) for row in rows} == {("early_arm_bend",), ()}
    assert "CC-BY-4.0" in (tmp_path / "set" / "README.md").read_text(encoding="utf-8")


def test_adding_twice_adds_nothing(coach: Coach, notes: Path) -> None:
    first = json.loads(coach("corpus", "add", notes, "--json").out)
    again = json.loads(coach("corpus", "add", notes, "--json").out)

    assert [(a["n_new"], a["n_known"]) for a in (*first, *again)] == [(2, 0), (0, 2)]
    assert _store().count() == 2


def test_a_copy_is_marked_in_the_list(coach: Coach, notes: Path) -> None:
    copy = notes.with_name("copy.md")
    copy.write_text(NOTES.replace("too soon", "early"), encoding="utf-8")

    (_, second) = json.loads(coach("corpus", "add", notes, copy, "--json").out)
    listed = coach("corpus", "review")

    assert (len(second["exact_duplicates"]), len(second["near_duplicates"])) == (1, 1)
    assert "repeats" in listed.out
    assert "(100%)" in listed.out


def test_a_folder_is_read_and_a_file_that_cannot_be_does_not_hold_the_others_back(coach: Coach, notes: Path) -> None:
    (notes.parent / "broken.pdf").write_bytes(b"x")
    (notes.parent / ".hidden.md").write_text(NOTES)

    ended = coach("corpus", "add", notes.parent)

    assert ended.code == 1
    assert "Not added: broken.pdf" in ended.err
    assert _store().count() == 2


def test_bad_rows_are_named_by_place_and_the_rest_is_there(coach: Coach, tmp_path: Path) -> None:
    rows = [f"2025-03-{i % 28 + 1:02d},Ann,snatch,{'many' if i % 3 == 0 else 60 + i},3,2,made" for i in range(90)]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(("date,athlete,exercise,load,sets,reps,result", *rows)), encoding="utf-8")

    ended = coach("corpus", "add", path, "--licence", "CC0-1.0")

    assert ended.code == 0
    assert ended.err.count("log.csv, ") == SHOWN_PROBLEMS
    assert f"{30 - SHOWN_PROBLEMS} more like these; --json lists all" in ended.err
    assert _store().count() == 60
    assert not any("Ann" in (p.athlete or "") + p.text for p in _store().passages())


def test_without_a_licence_a_text_is_kept_but_never_exported(coach: Coach, notes: Path, tmp_path: Path) -> None:
    coach("corpus", "add", notes)
    for passage in _store().passages():
        coach("corpus", "review", "accept", passage.id, "--reviewer", "Mei")

    refused = coach("corpus", "export", "--out", tmp_path / "set", "--no-starter")
    with_starter = coach("corpus", "export", "--out", tmp_path / "set")

    assert refused.code == 1
    assert "2 without a licence" in refused.err
    assert with_starter.code == 0
    assert "without a licence: My notes (2)" in with_starter.err
    assert "zebra" not in "".join(p.read_text(encoding="utf-8") for p in (tmp_path / "set" / "data").iterdir())

    again = coach("corpus", "export", "--out", tmp_path / "set")
    assert again.code == 1
    assert "--overwrite" in again.err


def test_a_decision_about_an_old_version_is_refused(coach: Coach, notes: Path) -> None:
    coach("corpus", "add", notes)
    passage = _store().passages()[0]
    coach("corpus", "review", "accept", passage.id, "--reviewer", "Mei", "--version", 1)

    late = coach("corpus", "review", "reject", passage.id, "--reviewer", "Ken", "--version", 1)

    assert late.code == 1
    assert "look at it again" in late.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("review", "accept", "nope", "--reviewer", "Mei"), "there is no passage 'nope'"),
        (("review", "show", "nope"), "there is no passage 'nope'"),
        (("add", "/nowhere/at/all.md"), "no file /nowhere/at/all.md"),
    ],
)
def test_what_is_not_there_is_said(coach: Coach, arguments: tuple[str, ...], said: str) -> None:
    ended = coach("corpus", *arguments)

    assert ended.code == 1
    assert said in ended.err


def test_wrong_tags_say_which_there_are(coach: Coach, notes: Path) -> None:
    coach("corpus", "add", notes)
    passage = _store().passages()[0]

    ended = coach("corpus", "review", "edit", passage.id, "--reviewer", "Mei", "--tags", "kind: joke")

    assert ended.code == 1
    assert "'cue'" in ended.err
    assert _store().get(passage.id).version == 1


def test_a_new_corpus_can_be_searched_for_what_comes_with_the_coach(coach: Coach) -> None:
    (best, *_) = json.loads(coach("corpus", "search", "how deep is the jerk dip", "--language", "en", "--json").out)

    assert best["licence"] == "Apache-2.0"
    assert best["citation"].startswith("The jerk › ")
    assert coach("corpus", "search", 'AND OR ("').code == 0


def test_the_numbers_are_told_for_people_and_for_machines(coach: Coach, notes: Path) -> None:
    coach("corpus", "add", notes)
    coach("corpus", "review", "accept", _store().passages()[0].id, "--reviewer", "Mei")

    numbers = json.loads(coach("corpus", "stats", "--json").out)
    for_people = coach("corpus", "stats").out

    assert (numbers["own"]["n_documents"], numbers["own"]["n_passages"]) == (1, 2)
    assert numbers["own"]["statuses"] == {"en": {"accepted": 1}, "zh-Hant": {"proposed": 1}}
    assert (numbers["own"]["n_without_licence"], numbers["own"]["n_exportable"]) == (2, 0)
    assert numbers["own"]["reviewers"] == {"Mei": 1}
    assert numbers["starter"]["n_exportable"] == numbers["starter"]["n_passages"]
    assert "Mei: 1 decisions" in for_people


def test_a_text_cannot_speak_to_the_terminal(coach: Coach, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(
        "Stay over the bar until it passes the knee. \x1b[2J\x1b]0;owned\x07 Then wait for the hips to open."
    )
    coach("corpus", "add", path)
    passage = _store().passages()[0]

    shown = coach("corpus", "review", "show", passage.id)
    listed = coach("corpus", "review")

    assert "\x1b" not in shown.out + listed.out
