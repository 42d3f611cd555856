"""Encodings: the ones that files come in, short tables included, and those that are refused."""

import codecs

import pytest

from coach.domain.errors import InputError
from corpus.decoding import decoded

TRADITIONAL = "抓舉時槓鈴要貼近身體，腿先伸直，再用髖部發力。"
SIMPLIFIED = "抓举时杠铃要贴近身体，腿先伸直，再用髋部发力。"


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("utf-8", TRADITIONAL),
        ("utf-8-sig", TRADITIONAL),
        ("utf-16", SIMPLIFIED),
        ("utf-16", "English only"),
        ("gb18030", SIMPLIFIED),
        ("gbk", f"{SIMPLIFIED}{TRADITIONAL}"),
        ("big5", TRADITIONAL),
        ("cp950", f"{TRADITIONAL}€"),
        ("ascii", "The bar stays close."),
    ],
)
def test_a_text_is_read_in_its_encoding(codec: str, text: str) -> None:
    assert decoded(text.encode(codec)) == text


def test_utf_16_is_read_in_both_orders_of_bytes() -> None:
    assert decoded(codecs.BOM_UTF16_BE + TRADITIONAL.encode("utf-16-be")) == TRADITIONAL
    assert decoded(codecs.BOM_UTF16_LE + TRADITIONAL.encode("utf-16-le")) == TRADITIONAL


@pytest.mark.parametrize(
    ("codec", "word"), [("gb18030", "抓举"), ("big5", "抓舉"), ("gb18030", "成功"), ("big5", "失敗")]
)
def test_one_word_in_a_table_is_enough_to_tell_gb_18030_from_big5(codec: str, word: str) -> None:
    table = f"date,exercise,load\n2025-03-01,{word},100\n"

    assert decoded(table.encode(codec)) == table


@pytest.mark.parametrize(
    "data",
    [
        "größer als 100 kg – naïve".encode("cp1252"),
        "Штанга идёт вверх".encode("cp1251"),
        "これはペンです、重量挙げのスナッチ".encode("shift_jis"),
        TRADITIONAL.encode("utf-16-le"),
        TRADITIONAL.encode("utf-8")[:-1] + b"\xff\xff",
        bytes(range(256)),
    ],
)
def test_any_other_encoding_is_refused_with_what_was_tried(data: bytes) -> None:
    with pytest.raises(InputError, match=r"UTF-8, UTF-16 .*, GB 18030, Big5.*save it as UTF-8"):
        decoded(data)


def test_a_file_that_breaks_its_own_mark_is_refused() -> None:
    with pytest.raises(InputError, match="begins like UTF-8 but byte"):
        decoded(codecs.BOM_UTF8 + b"abc\xff")
