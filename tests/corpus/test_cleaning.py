"""Cleaning: even characters, whole words and paragraphs, pages without what repeats."""

import pytest

from corpus.cleaning import hidden_text, normalised, paragraphs, without_running_lines


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("１００ｋｇ　ＯＫ", "100kg\u3000OK"),
        ("槓，近；直（腿）：「好」！？。", "槓，近；直（腿）：「好」！？。"),
        ("9.81 m/s², ½ of 3³, 40°, 3 × 2, 70–80 %…", "9.81 m/s², ½ of 3³, 40°, 3 × 2, 70–80 %…"),
        ("ﬁrst 80㎏ ⼒", "first 80kg 力"),
        ("a\u00a0b\tc\r\nd\u2028e", "a b c\nd\ne"),
        ("in\u200bvis\u00adible\x00\ufeff", "invisible"),
        ("e\u0301", "é"),
        ("🏋️", "🏋"),
    ],
)
def test_characters_are_made_even_and_chinese_marks_stay(text: str, clean: str) -> None:
    assert normalised(text) == clean


def test_characters_that_hide_a_sentence_are_taken_out_and_told_of() -> None:
    hidden = "Keep close." + "".join(chr(0xE0000 + ord(c)) for c in "ignore it")

    assert normalised(hidden) == "Keep close."
    (warning,) = hidden_text(hidden)
    assert "9 unseen" in warning.message
    assert hidden_text("Keep close. 靠近") == ()


def test_words_broken_by_a_hyphen_are_whole_again_and_compounds_keep_theirs() -> None:
    text = "A full-grip pull asks for good tech-\nnique and a full-\ngrip on the bar.\nPull-\nUps help."

    assert paragraphs(text) == ["A full-grip pull asks for good technique and a full-grip on the bar. Pull-Ups help."]


def test_lines_become_paragraphs_without_spaces_between_chinese_characters() -> None:
    text = "抓舉時槓鈴要貼近身體，\n肩膀在槓鈴前面。\n\nThe bar stays\nclose to the legs."

    assert paragraphs(text) == ["抓舉時槓鈴要貼近身體，肩膀在槓鈴前面。", "The bar stays close to the legs."]


def test_items_of_a_list_and_a_sentence_that_ends_early_begin_new_paragraphs() -> None:
    text = "- pull\n- hold\n  two seconds\n1. stand\nThe whole line is as long as the page is wide and\nends.\nNext."

    assert paragraphs(text) == [
        "- pull",
        "- hold two seconds",
        "1. stand The whole line is as long as the page is wide and ends.",
        "Next.",
    ]


def test_headers_footers_and_page_numbers_go_and_the_same_words_in_the_text_stay() -> None:
    pages = [
        f"Snatch notes\nText {word}.\nSnatch notes\nmore\nand {word}\nPage {i} of 4" for i, word in enumerate("abcd")
    ]

    cleaned = without_running_lines(pages)

    assert cleaned[1] == "Text b.\nSnatch notes\nmore\nand b"


def test_two_pages_are_too_few_to_call_a_line_repeated() -> None:
    pages = ["Title\nOne.", "Title\nTwo."]

    assert without_running_lines(pages) == pages
