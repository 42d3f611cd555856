"""Languages and scripts of texts, long and short."""

import pytest

from corpus.languages import chinese_script, detect_language, to_simplified


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Drag the bar toward the knot of your laces, then straight up.", "en"),
        ("抓舉時槓鈴要貼近身體", "zh-Hant"),
        ("抓举时杠铃要贴近身体", "zh-Hans"),
        ("抓舉 snatch 的第一段提鈴 first pull 要慢", "zh-Hant"),
        ("La barre doit rester près du corps pendant le premier tirage.", "other"),
        ("これは重量挙げのスナッチの説明です。", "other"),
        ("Snatch (抓舉): the bar goes overhead in one movement, with a wide grip.", "en"),
    ],
)
def test_the_language_of_a_text_is_found(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_a_text_that_is_too_short_or_shared_by_both_scripts_follows_its_document() -> None:
    assert detect_language("3 × 2, 100 kg", fallback="zh-Hans") == "zh-Hans"
    assert detect_language("大力上拉", fallback="zh-Hans") == "zh-Hans"
    assert detect_language("大力上拉", fallback="en") == "zh-Hant"
    assert chinese_script("大力上拉") is None


def test_traditional_is_folded_and_everything_else_stays() -> None:
    assert to_simplified("槓鈴 bar 貼近 1.85 m/s²") == "杠铃 bar 贴近 1.85 m/s²"
