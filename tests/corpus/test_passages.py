"""Passages: their length, their borders, and where they say they stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coach.domain.passage import Tags
from corpus.passages import cut, sentences
from corpus.source import Block


def words(n: int, start: str = "Word") -> str:
    """Return a sentence of `n` words."""
    return " ".join([start, *["word"] * (n - 1)]) + "."


def block(text: str, place: str = "page 1", joins: bool = True) -> Block:
    return Block(place=place, text=text, joins=joins)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Pull. Then hold! Why? Because.", ["Pull.", "Then hold!", "Why?", "Because."]),
        ("It fell 1.85 m, e.g. Then it stopped.", ["It fell 1.85 m, e.g. Then it stopped."]),
        ("Ask Dr. Lee, or J. Kim. They know.", ["Ask Dr. Lee, or J. Kim.", "They know."]),
        ('He said "Pull." Then he left.', ['He said "Pull."', "Then he left."]),
        ("腿先伸直。「拉！」他說。再蹲？", ["腿先伸直。", "「拉！」", "他說。", "再蹲？"]),
        ("no mark at all", ["no mark at all"]),
    ],
)
def test_sentences_end_at_their_marks_and_nowhere_else(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts


def test_paragraphs_are_gathered_until_a_passage_is_long_enough() -> None:
    text = "\n".join([words(30), words(30), words(50), words(45)])

    assert [piece.text.count("ord") for piece in cut([block(text)])] == [60, 50, 45]


def test_a_long_paragraph_is_cut_between_sentences_and_its_end_is_not_too_short() -> None:
    pieces = cut([block(" ".join([words(50)] * 4 + [words(25)]))])

    assert [len(piece.text.split()) for piece in pieces] == [150, 75]
    assert all(piece.text.endswith(".") for piece in pieces)


def test_chinese_is_measured_in_characters() -> None:
    sentence = "抓舉時槓鈴要貼近身體，肩膀在槓鈴前面，腿先伸直。"
    pieces = cut([block(sentence * 40)])

    assert all(60 <= len(piece.text) <= 400 for piece in pieces)
    assert "".join(piece.text for piece in pieces) == sentence * 40


def test_a_section_is_never_joined_with_another_and_keeps_its_tags() -> None:
    tags = Tags(lifts=("snatch",), kind="cue")
    blocks = [Block(place="Cues › Laces", text=words(9), tags=tags), block(words(60), "Drills", joins=False)]

    pieces = cut(blocks)

    assert [(piece.place, piece.block.tags.kind) for piece in pieces] == [
        ("Cues › Laces", "cue"),
        ("Drills", "explanation"),
    ]


def test_a_passage_over_a_page_break_names_both_pages() -> None:
    (piece,) = cut([block(words(30), "page 1"), block(words(30), "page 2")])

    assert piece.place == "page 1 – page 2"


def test_a_record_is_a_passage_as_it_stands() -> None:
    record = Block(place="row 2", text="2025-03-01: snatch, 60 kg. Remark: good. Better.", is_whole=True)

    assert [piece.text for piece in cut([record, record])] == [record.text] * 2


def test_a_text_without_marks_is_cut_where_a_passage_is_full() -> None:
    assert [len(piece.text.split()) for piece in cut([block("word " * 500)])] == [220, 220, 60]


def test_data_in_a_text_makes_no_endless_passage() -> None:
    assert max(len(piece.text) for piece in cut([block("A1" * 50_000)])) <= 220 * 201


@given(st.lists(st.integers(1, 60), min_size=1, max_size=40))
def test_cutting_loses_and_adds_no_word(lengths: list[int]) -> None:
    text = " ".join(words(n) for n in lengths)
    pieces = cut([block(text)])

    assert " ".join(piece.text for piece in pieces) == text
    assert all(len(piece.text.split()) <= 220 for piece in pieces)
    assert len(pieces) == 1 or all(len(piece.text.split()) >= 40 for piece in pieces)
