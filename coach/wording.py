"""How a measure is written for a person: units a lifter knows, an interval beside every number, the right script."""

import math
import re
import unicodedata
from dataclasses import dataclass

from coach.domain.guidance import Language
from coach.domain.lift import Instant
from coach.domain.measures import MEASURES, Measure

_UNITS: dict[str, tuple[str, str, str]] = {  # shown unit: en, zh-Hant, zh-Hans
    "cm": ("cm", "公分", "厘米"),
    "m": ("m", "公尺", "米"),
    "m/s": ("m/s", "公尺/秒", "米/秒"),
    "s": ("s", "秒", "秒"),
    "deg": ("°", "度", "度"),
    "%": ("%", "%", "%"),
    "J": ("J", "焦耳", "焦耳"),
    "W": ("W", "瓦", "瓦"),
    "N": ("N", "牛頓", "牛"),
    "N s": ("N s", "牛頓秒", "牛秒"),
    "m/s2": ("m/s²", "公尺/秒²", "米/秒²"),
    "1": ("", "", ""),
}
_COLUMN: dict[Language, int] = {"en": 0, "zh-Hant": 1, "zh-Hans": 2}
_DIRECTIONS = {  # words for a positive and for a negative value
    "fore_aft": (("forward", "往前", "往前"), ("back", "往後", "往后")),
    "height": (("with the right higher", "右邊較高", "右边较高"), ("with the left higher", "左邊較高", "左边较高")),
}
_SHARES = frozenset(
    {"transition_velocity_loss_ratio", "dip_depth_stature_ratio"}
)  # ratios a lifter reads as a percentage
# Characters that Big5 holds (as rare ones, or as other words) and that are Simplified forms in running text.
_SIMPLIFIED_IN_BIG5 = frozenset(
    "万与价优体党凄圣复宁岭庄异怀怜惊扰据机极构柜栖气泞洁洒洼涂淀离种篱网羡肮胜腊苹茧蚕蜡蝎触赶适后么杠杆里"
)
_KNOWN_LETTERS = frozenset({"LATIN", "GREEK", "MICRO", "MASCULINE", "FEMININE", "FULLWIDTH", "CJK"})
_TRADITIONAL_IN_GB2312 = frozenset("後")  # in GB 2312 as a rare surname


@dataclass(frozen=True, slots=True)
class Shown:
    """A measure in the unit it is shown in."""

    value: float
    low: float
    high: float
    unit: str
    decimals: int

    def mirrored(self) -> "Shown":
        """Return the same measure counted the other way, for `behind` instead of `in front`."""
        return Shown(-self.value, -self.high, -self.low, self.unit, self.decimals)


def shown(measure_id: str, measure: Measure) -> Shown:
    """Return a measure in the unit and with the decimals that suit a lifter and its interval.

    Lengths below 1 m are in cm; a decimal is shown only where the interval is narrow enough to deserve it.
    """
    unit, decimals, factor = measure.unit, MEASURES[measure_id].decimals, 1.0
    if unit == "m" and max(abs(measure.low), abs(measure.high)) < 1:
        unit, factor = "cm", 100.0
        decimals = 1 if decimals >= 3 and measure.high - measure.low < 0.015 else 0
    elif unit == "m":
        decimals = min(decimals, 2)
    elif measure_id in _SHARES:
        unit, factor, decimals = "%", 100.0, 0
    return Shown(measure.value * factor, measure.low * factor, measure.high * factor, unit, decimals)


def unit_word(unit: str, language: Language) -> str:
    """Return the unit as it is written in a language."""
    return _UNITS[unit][_COLUMN[language]]


def number_text(number: Shown, language: Language) -> str:
    """Return value, unit and 90 % interval, such as `16 cm (14–18 cm)`."""
    unit = unit_word(number.unit, language)
    ending = f" {unit}" if unit and unit not in ("%", "°") else unit
    value, low, high = (_fixed(x, number.decimals) for x in (number.value, number.low, number.high))
    dash = "–" if number.low >= 0 else " to " if language == "en" else " 到 "
    opening, closing = (" (", ")") if language == "en" else ("（", "）")
    return f"{value}{ending}{opening}{low}{dash}{high}{ending}{closing}"


def measure_text(measure_id: str, measure: Measure, language: Language, mirrored: bool = False) -> str:
    """Return a measure as a person reads it, with its interval."""
    number = shown(measure_id, measure)
    return number_text(number.mirrored() if mirrored else number, language)


def directed_text(measure_id: str, measure: Measure, axis: str | None, language: Language) -> str:
    """Return a measure like `measure_text`, with a word instead of a sign where it is clear which way it points."""
    if axis is None or measure.low < 0 < measure.high:
        return measure_text(measure_id, measure, language)
    is_minus = measure.value < 0
    word = _DIRECTIONS[axis][is_minus][_COLUMN[language]]
    return f"{measure_text(measure_id, measure, language, mirrored=is_minus)}{' ' if language == 'en' else ''}{word}"


def instant_time_text(instant: Instant, language: Language) -> str:
    """Return the time of an instant in seconds with its 90 % interval."""
    reach = 1.645 * instant.sd_s
    number = Shown(instant.time_s, max(0.0, instant.time_s - reach), instant.time_s + reach, "s", 2)
    return number_text(number, language)


def _fixed(x: float, decimals: int) -> str:
    """Return `x` with fixed decimals, never `-0`; halves away from zero, as people round."""
    scale = 10.0**decimals
    rounded = math.copysign(math.floor(abs(x) * scale + 0.5) / scale, x)
    return f"{rounded + 0.0:.{decimals}f}".replace("-", "−") if rounded else f"{0:.{decimals}f}"


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, each with the mark that ends it; decimals stay whole."""
    parts = re.split(r"(?<=[。！？])|(?<=[.!?])\s+|\n+", text)
    return [part.strip() for part in parts if part and part.strip()]


def has_right_script(text: str, language: Language) -> bool:
    """Return whether every Chinese character belongs to the script of the language.

    Traditional text may hold no character that GB 2312 knows and Big5 does not; Simplified text only those of GB 2312;
    English text none at all.
    """
    han = [c for c in text if "\u3400" <= c <= "\u9fff" or "\uf900" <= c <= "\ufaff"]
    if language == "en":
        return not han
    if language == "zh-Hans":
        return all(_encodes(c, "gb2312") and c not in _TRADITIONAL_IN_GB2312 for c in han)
    return all(c not in _SIMPLIFIED_IN_BIG5 and (_encodes(c, "big5") or not _encodes(c, "gb2312")) for c in han)


def is_in_language(text: str, language: Language) -> bool:
    """Return whether a sentence is written in the script of its language, and not mostly in another one.

    Latin letters may stand in any text (a name, a unit); Chinese that holds more Latin words than characters is none.
    French passes as English: this tells scripts apart, not languages.
    """
    if not has_right_script(text, language) or any(_is_foreign(c) for c in text):
        return False
    if language == "en":
        return True
    n_han = sum("\u3400" <= c <= "\u9fff" for c in text)
    return len(re.findall(r"[A-Za-z]{2,}", text)) <= max(2, n_han)


def _is_foreign(character: str) -> bool:
    """Return whether a character is a letter of neither Latin, Greek nor Chinese."""
    if character.isascii() or not character.isalpha():
        return False
    return unicodedata.name(character, "").split(" ")[0] not in _KNOWN_LETTERS


def _encodes(character: str, codec: str) -> bool:
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True
