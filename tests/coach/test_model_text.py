"""What a model wrote becomes plain sentences, whole ones only."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coach.model_text import (
    MAX_READ_CHARACTERS,
    MAX_SENTENCE_CHARACTERS,
    plain_text,
    quoted_measures,
    shortened,
    whole_sentences,
)
from tests.coach.made_up_lifts import make_lift


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("**Good** _pull_", "Good _pull_"),
        ("# Title\n\n1. First.\n2) Second.\n- Third.\n> Fourth.", "Title First. Second. Third. Fourth."),
        ("`{bar_drop_m}` ~~and~~", "{bar_drop_m} and"),
        ("a\x1b[31mb\x00c\u202ed\u200be", "a[31mbcde"),
        ("\u3000一、\t二", "一、 二"),
        ("**3*5** and *9* m/s", "3*5 and 9 m/s"),
        ("-5 cm, 3 × 5, 1.85 m/s", "-5 cm, 3 × 5, 1.85 m/s"),
        ("", ""),
    ],
)
def test_markdown_and_what_cannot_be_seen_goes(written: str, plain: str) -> None:
    assert plain_text(written) == plain


def test_a_text_is_cut_after_a_whole_sentence() -> None:
    assert shortened("One. Two. Three.", 10) == "One. Two."
    assert shortened("One. Two. Three.", 16) == "One. Two. Three."
    assert shortened("A sentence without an end", 10) == ""


def in_pieces(text: str, size: int = 3) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("It rose 1.10 m (1.09–1.11 m). Then it fell.", ["It rose 1.10 m (1.09–1.11 m).", "Then it fell."]),
        ("槓鈴很近。接鈴很穩！好嗎？", ["槓鈴很近。", "接鈴很穩！", "好嗎？"]),
        ("It fell {bar_drop_m}. At {bar_drop_m.frame} it stopped.", None),
        ("- First point\n- Second point\n", ["First point", "Second point"]),
        ("1. First point.\n2. Second point.", ["First point.", "Second point."]),
        ("Done. And then the bar wa", ["Done."]),
        ("Only half a sent", ["Only half a sent"]),
        ('He said "close." Then he left.', ['He said "close."', "Then he left."]),
        ("", []),
        ("\n \n", []),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_sentences_come_out_whole_however_they_come_in(text: str, expected: list[str] | None, size: int) -> None:
    wanted = ["It fell {bar_drop_m}.", "At {bar_drop_m.frame} it stopped."] if expected is None else expected

    assert list(whole_sentences(in_pieces(text, size))) == wanted


@given(st.text(max_size=200), st.integers(1, 50))
def test_sentences_are_the_same_for_any_pieces(text: str, size: int) -> None:
    whole = list(whole_sentences([text]))
    pieces = list(whole_sentences(in_pieces(text, size)))

    assert "".join("".join(pieces).split()) == "".join("".join(whole).split())


def test_a_sentence_comes_out_before_the_next_one_is_read() -> None:
    read: list[str] = []

    def pieces() -> itertools.chain[str]:
        return itertools.chain.from_iterable((read.append(p) or p,) for p in ["One. ", "Two. ", "Three."])  # type: ignore[func-returns-value]

    assert next(whole_sentences(pieces())) == "One."
    assert read == ["One. "]


def test_a_text_without_end_is_not_read_on() -> None:
    assert list(whole_sentences(itertools.repeat("x" * 100))) == []
    told = list(whole_sentences(itertools.repeat("One more. ")))
    assert len(told) <= MAX_READ_CHARACTERS // len("One more. ") + 1
    assert MAX_SENTENCE_CHARACTERS < MAX_READ_CHARACTERS


def test_the_measures_a_text_quotes_are_known_unless_it_quotes_an_instant() -> None:
    lift = make_lift()

    assert quoted_measures("{bar_drop_m} and {-bar_to_foot_catch_m} at {bar_drop_m.frame}", lift) == (
        "bar_drop_m",
        "bar_to_foot_catch_m",
    )
    assert quoted_measures("{bar_drop_m} at {catch.time}", lift) == ()
    assert quoted_measures("{knee_angle_catch_deg} {nonsense}", lift) == ()
