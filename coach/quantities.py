"""Numbers with their units in running text, in English and Chinese, digits and number words."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

Kind = Literal["value", "range", "spread", "at_least", "at_most"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number, or two that belong together, as written.

    Attributes:
        start, end: Where it stands in the normalised text.
        kind: `value`; `range` (low, high); `spread` (value, half width); `at_least`, `at_most`.
        numbers: One or two numbers, in the SI unit of the dimension.
        half_steps: Half of the last shown digit of each number, in the same unit.
        dimension: Such as `length`, `frame`; `bare` without a unit, `unknown` with one that no measure has.
        factor: SI units in one of the written unit.
    """

    start: int
    end: int
    kind: Kind
    numbers: tuple[float, ...]
    half_steps: tuple[float, ...]
    dimension: str
    factor: float = 1.0


_SPEED_WORDS = r"(?:met(?:er|re)s?|m)\s*(?:per|a)\s*(?:second|sec|s)\b"
_UNITS: tuple[tuple[str, str, float], ...] = (  # pattern, dimension, SI units in one of it; the longest match wins
    (r"m\s*/\s*s\s*(?:\^?2|/\s*s)|m\s?s\^?-2|" + _SPEED_WORDS + r"\s*(?:squared|per second)", "acceleration", 1),
    (r"(?:公尺|米)(?:/秒|每秒)(?:平方|2|\^2|每秒)|(?:公尺|米)/秒2", "acceleration", 1),
    (r"cm\s*/\s*s|(?:centimet(?:er|re)s?|cm) per second|(?:公分|厘米)(?:/秒|每秒)", "speed", 0.01),
    (r"mm\s*/\s*s", "speed", 0.001),
    (r"km\s*/\s*h|kph|(?:公里|千米)/(?:小時|小时|時|时)", "speed", 1 / 3.6),
    (r"(?-i:m)\s*/\s*s|M/S|(?-i:m)\s?s\^?-1|" + _SPEED_WORDS + r"|(?:公尺|米)(?:/秒|每秒)", "speed", 1),
    (r"mm|millimet(?:er|re)s?|公釐|公厘|毫米", "length", 0.001),
    (r"cm|centimet(?:er|re)s?|公分|厘米|釐米", "length", 0.01),
    (r"km|kilomet(?:er|re)s?|公里|千米", "length", 1000),
    (r"(?-i:m)|met(?:er|re)s?|公尺|米", "length", 1),
    (r"inch(?:es)?|英寸|英吋|吋|\"", "length", 0.0254),
    (r"ft|英尺|英呎|呎", "length", 0.3048),
    (r"°\s*[CF]|(?:degrees? )?(?:celsius|fahrenheit)", "unknown", 1),
    (r"°|deg(?:ree)?s?|度", "angle", 1),
    (r"rad(?:ian)?s?|弧度", "unknown", 1),
    (r"msecs?|(?-i:ms)|milliseconds?|毫秒", "time", 0.001),
    (r"(?-i:s)|secs?|seconds?(?!\s+pull)|秒(?:鐘|钟)?", "time", 1),
    (r"minutes?|mins?|分鐘|分钟", "time", 60),
    (r"%|percent|per cent|pct", "fraction", 0.01),
    (r"(?<!完)成(?!功|績|绩|為|为|果)", "fraction", 0.1),
    (r"kW|kilowatts?|千瓦", "power", 1000),
    (r"(?-i:W)|watts?|瓦特?", "power", 1),
    (r"(?-i:N)\s?[·*]?\s?(?-i:s)|newton[ -]?seconds?|牛(?:頓|顿)?[·‧]?秒", "impulse", 1),
    (r"k?(?-i:N)\s?[·*]?\s?(?-i:m)|newton[ -]?met(?:er|re)s?|牛(?:頓|顿)?(?:米|公尺)", "unknown", 1),
    (r"kN|kilonewtons?|千牛(?:頓|顿)?", "force", 1000),
    (r"(?-i:N)|newtons?|牛(?:頓|顿)?", "force", 1),
    (r"kJ|kilojoules?|千焦耳?", "energy", 1000),
    (r"(?-i:J)|joules?|焦耳?", "energy", 1),
    (r"kgs?|kilo(?:gram)?(?:me)?s?|公斤|千克|lbs?|pounds?|磅|斤", "mass", 1),
    (r"hz|hertz|fps|赫茲|赫兹|bpm", "unknown", 1),
    (r"times|fold|倍|(?-i:[gG])(?!\w)", "unknown", 1),
    (r"frames?|影格|帧|幀|格", "frame_count", 1),
    (r"years?|歲|岁|年", "unknown", 1),
)
_NO_MORE = r"(?![A-Za-z0-9^²³/])(?!\s?[·*]\s?[A-Za-z])(?!\s*(?:per|a)\s+(?:kg|kilo|second|lift|rep|frame))(?!\s*每)"
_UNIT_PATTERNS = [(re.compile(rf"[\s-]?\s*(?:{p}){_NO_MORE}", re.I), d, f) for p, d, f in _UNITS]

_EN = {
    word: value
    for value, words in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
    for word in (words,)
}
_EN |= {w: 10 * (i + 2) for i, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split())}
_EN_SCALES = {"hundred": 100, "thousand": 1000, "dozen": 12}
_EN_PARTS = {"half": 0.5, "quarter": 0.25, "quarters": 0.25, "third": 1 / 3, "thirds": 1 / 3}
_EN_WORD = rf"(?:{'|'.join((*_EN, *_EN_SCALES, *_EN_PARTS))})"
_EN_NUMBER = rf"\b(?:a\s+)?{_EN_WORD}(?:[\s-]+(?:(?:and|point|a|of|an|oh)[\s-]+)*{_EN_WORD})*\b(?:\s+(?:of\s+)?an?\b)?"
_ZH_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "兩": 2, "两": 2}
_ZH_SCALES = {"十": 10, "百": 100, "千": 1000, "萬": 10000, "万": 10000}
_ZH_CHARACTERS = "".join((*_ZH_DIGITS, *_ZH_SCALES))
_ZH_NUMBER = rf"[{_ZH_CHARACTERS}](?:[{_ZH_CHARACTERS}]|[點点](?=[{_ZH_CHARACTERS}]))*半?|半"
_DIGITS = r"\d+(?:[.,]\d+)*|(?<!\d)\.\d+"
_NUMBER = re.compile(rf"(?P<digits>{_DIGITS})|(?P<en>{_EN_NUMBER})|(?P<zh>{_ZH_NUMBER})", re.I)
_RANGE = re.compile(r"\s*(?P<word>-|–|—|~|〜|to|through|and|至|到|和|與|与)\s*(?P<sign>-|minus\s+|負|负)?\s*", re.I)
_SPREAD = re.compile(r"\s*,?\s*(?:±|\+\s*/\s*-|\+-|plus or minus|give or take|正負|正负|上下)\s*", re.I)
_MINUS = re.compile(r"(?:(?<![\w)%°.])-|minus\s+|negative\s+|負|负)\s*$", re.I)
_SAME_UNIT = re.compile(  # between a value and its interval that leaves the unit out
    r"\s*,?\s*[(\[]?\s*(?:(?:interval|range|between|from|區間|区间|範圍|范围|介於|介于)[\s:：]*)?", re.I
)
_LEVEL = re.compile(
    r"90\s*(?:%|percent|per cent)\s*(?:的\s*)?(?=(?:confidence |credible )?(?:interval|range)|(?:信賴|置信)?[區区][間间])",
    re.I,
)
_BETWEEN = re.compile(r"(?:between|from|介於|介于|在|從|从)\s*[-\w.,%°]*\s*$", re.I)
_FRAME_BEFORE = re.compile(r"(?:\bframes?|影格|帧|幀)\s*(?:no\.?|number|#|第|編號|编号)?\s*$", re.I)
_FRAME_AFTER = re.compile(r"(?:st|nd|rd|th)?\s*(?:frame|影格|帧|幀|格)(?!s)", re.I)
_LIFT_BEFORE = re.compile(r"\blift\s*(?:no\.?|number|#)?\s*$", re.I)
_AT_LEAST = re.compile(r"(?:at least|no less than|more than|over|above|至少|不少於|不少于|超過|超过)\s*$", re.I)
_AT_MOST = re.compile(
    r"(?:at most|no more than|(?<!add )(?<!adds )(?<!added )up to|less than|under|below|最多|不超過|不超过|不到|少於|少于)\s*$",
    re.I,
)

_SPEED_UNIT = re.compile(
    r"(?<![\w/])k?m\s*/\s*[sh](?![\w])|\b(?:kilo|centi)?met(?:er|re)s?\s*(?:/|per|an?)\s*(?:second|sec|s|hour|h)\b|"
    r"(?:公尺|米|公里|千米)\s*(?:/|每)\s*(?:秒|小時|小时|時|时)|每(?:秒|小時|小时)(?!\s*(?:(?:大?[約约])?\s*\d|影格|幀|帧|格))",
    re.I,
)
_COUNTED = rf"(?:{'|'.join(w for w in (*_EN, *_EN_SCALES) if w not in ('one', 'zero'))})"
_LOOSE = re.compile(  # a number that ends a clause, or a multiple: claims about amounts without a unit
    rf"(?<!set of )(?<!sets of )\b{_COUNTED}(?:-?ish)?\s*(?:[.,;:!?]|$)|"
    r"\bhalf as\b|\b(?:twice|doubled?|tripled?)\s+(?:as|the|of|your|that)\b|"
    rf"(?:[是為为達达到有:]|速度|高度)\s*[{_ZH_CHARACTERS}壹貳贰參叁肆伍陸陆柒捌玖]+\s*(?:[。，；！？.,;!?]|$)|"
    r"[壹貳贰參叁肆伍陸陆柒捌玖]\s*(?:公|米|厘|度|秒)",
    re.I,
)
_LOOSE_BESIDE_NAME = re.compile(rf"\b{_COUNTED}\b", re.I)


def has_loose_number(text: str, quantities: Sequence[Quantity], names_measure: bool) -> bool:
    """Return whether a text speaks of an amount that `find_quantities` cannot read.

    A unit of speed without a number before it (`IX m/s`), a number in words without a unit, or a multiple.

    Args:
        text: A normalised text.
        quantities: What was found in it.
        names_measure: Whether the text names a measure; then any number in words counts.
    """

    def is_free(match: re.Match[str]) -> bool:
        return not any(q.start < match.end() and match.start() < q.end for q in quantities)

    patterns = (_SPEED_UNIT, _LOOSE, *((_LOOSE_BESIDE_NAME,) if names_measure else ()))
    return any(is_free(match) for pattern in patterns for match in pattern.finditer(text))


@lru_cache(maxsize=8192)  # the texts of the library come again and again
def normalised(text: str) -> str:
    """Return the text with one form for every digit, sign, space and width; invisible characters removed."""
    text = text.replace("º", "°").replace("²", "2").replace("³", "3")
    text = unicodedata.normalize("NFKC", text)
    text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    text = "".join(str(unicodedata.digit(c)) if unicodedata.category(c) == "Nd" else c for c in text)
    return text.translate(str.maketrans("−‐‑‒∕⁄⋅", "---–//·"))


def find_quantities(text: str) -> list[Quantity]:
    """Return every number of a normalised text; number words only where a unit follows."""
    found: list[Quantity] = []
    text = _LEVEL.sub(lambda level: " " * len(level.group()), text)  # every interval here is a 90 % interval
    raw = list(_tokens(text))
    i = 0
    while i < len(raw):
        pair = _pair(text, raw[i], raw[i + 1]) if i + 1 < len(raw) else None
        told = pair or _single(text, raw[i])
        found.append(_in_unit_of(found[-1], told, text) if found else told)
        i += 2 if pair else 1
    return found


def _in_unit_of(before: Quantity, told: Quantity, text: str) -> Quantity:
    """Return a range without a unit that follows a value at once, such as `1.77 m/s (1.70–1.84)`, in the value's unit."""
    is_bare = told.kind == "range" and told.dimension == "bare" and before.kind == "value"
    if (
        not is_bare
        or before.dimension in ("bare", "frame", "lift")
        or not _SAME_UNIT.fullmatch(text[before.end : told.start])
    ):
        return told
    return _scaled_like(told, before)


def _tokens(text: str) -> Iterator[Quantity]:
    position = 0
    while match := _NUMBER.search(text, position):
        position = match.end()
        token = _token(text, match)
        if token is not None:
            position = token.end
            yield token


def _token(text: str, match: re.Match[str]) -> Quantity | None:
    """Return the number at a match with its unit, or None for a number word that counts nothing measured."""
    value, half_step = _parse(match)
    unit, dimension, factor = _unit_at(text, match.end())
    start, end = match.start(), match.end() + unit
    before, after = text[:start], text[end:]
    if match["digits"] is None and dimension == "bare":
        named = _frame_like(before, after)
        if named is None and not before.rstrip().endswith("百分之"):
            return None
    if before.rstrip().endswith("百分之"):
        dimension, factor = "fraction", 0.01
    if dimension == "length" and re.search(r"每秒\s*(?:約|约)?\s*$", before):
        dimension = "speed"
    if dimension in ("frame_count", "bare", "unknown"):
        named = _frame_like(before, text[match.end() :])
        if named:
            dimension, factor = named, 1.0
    if dimension != "bare" and (half := re.match(r"半(?![蹲場场])", after)):
        value, half_step, end = value + 0.5, 0.05, end + half.end()
    return Quantity(start, end, "value", (value * factor,), (half_step * factor,), dimension, factor)


def _frame_like(before: str, after: str) -> str | None:
    if _FRAME_BEFORE.search(before) and not re.search(r"(?:per|every|a|每)\s*(?:frame|影格|帧)\s*$", before, re.I):
        return "frame"
    if _FRAME_AFTER.match(after) and (before.rstrip().endswith("第") or re.match(r"st|nd|rd|th", after)):
        return "frame"
    if _LIFT_BEFORE.search(before) or (before.rstrip().endswith("第") and re.match(r"\s*(?:次|舉|举|把)", after)):
        return "lift"
    return None


def _unit_at(text: str, position: int) -> tuple[int, str, float]:
    """Return length, dimension and factor of the longest unit at a position; `bare` when there is none."""
    best = (0, "bare", 1.0)
    for pattern, dimension, factor in _UNIT_PATTERNS:
        match = pattern.match(text, position)
        if match and match.end() - position > best[0]:
            best = (match.end() - position, dimension, factor)
    if best[0] == 0 and re.match(r"[A-Za-z/^²³]", text[position : position + 1]):
        return 0, "unknown", 1.0
    return best


def _parse(match: re.Match[str]) -> tuple[float, float]:
    """Return value and half of the last digit; NaN for digits that are no number."""
    if match["digits"]:
        return _parse_digits(match["digits"])
    return _parse_english(match["en"].lower()) if match["en"] else _parse_chinese(match["zh"])


def _parse_digits(written: str) -> tuple[float, float]:
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", written):
        written = written.replace(",", "")
    elif re.fullmatch(r"\d+,\d+", written):
        written = written.replace(",", ".")
    try:
        value = float(written)
    except ValueError:
        return float("nan"), 0.0
    return value, 0.5 * 10.0 ** -len(written.partition(".")[2])


def _parse_english(written: str) -> tuple[float, float]:
    whole, _, decimals = written.partition("point")
    if decimals:
        digits = "".join(str(_EN.get(word, "")) for word in re.findall(r"[a-z]+", decimals.replace("oh", "zero")))
        return _parse_digits(f"{int(_english_integer(whole))}.{digits or '0'}")
    return _english_integer(written), 0.05 if any(p in written for p in _EN_PARTS) else 0.5


def _english_integer(written: str) -> float:
    total, current = 0.0, 0.0
    words = [w for w in re.findall(r"[a-z]+", written) if w not in ("and", "of", "an")]
    for i, word in enumerate(words):
        if word in _EN:
            current += _EN[word]
        elif word in _EN_SCALES:
            current = max(current, 1) * _EN_SCALES[word]
            if word == "thousand":
                total, current = total + current, 0.0
        elif word in _EN_PARTS:
            multiplies = current > 0 and words[i - 1] != "a"
            current = current * _EN_PARTS[word] if multiplies else current + _EN_PARTS[word]
    return total + current


def _parse_chinese(written: str) -> tuple[float, float]:
    if written == "半":
        return 0.5, 0.05
    half = 0.5 if written.endswith("半") else 0.0
    whole, _, decimals = written.rstrip("半").replace("点", "點").partition("點")
    if decimals:
        digits = "".join(str(_ZH_DIGITS.get(c, "")) for c in decimals)
        return _parse_digits(f"{int(_chinese_integer(whole))}.{digits or '0'}")
    return _chinese_integer(whole) + half, 0.05 if half else 0.5


def _chinese_integer(written: str) -> float:
    if not any(c in _ZH_SCALES for c in written):
        return float("".join(str(_ZH_DIGITS[c]) for c in written) or 0)
    total, section, digit = 0.0, 0.0, 0.0
    for c in written:
        if c in _ZH_DIGITS:
            digit = _ZH_DIGITS[c]
        elif _ZH_SCALES[c] == 10000:
            total, section, digit = total + (section + digit) * 10000, 0.0, 0.0
        else:
            section, digit = section + (digit or 1) * _ZH_SCALES[c], 0.0
    return total + section + digit


def _single(text: str, token: Quantity) -> Quantity:
    before = text[: token.start]
    if _MINUS.search(before) and not re.search(r"\d\s*-\s*$", before):
        token = replace(token, numbers=(-token.numbers[0],))
    if _AT_LEAST.search(before):
        return replace(token, kind="at_least")
    return replace(token, kind="at_most") if _AT_MOST.search(before) else token


def _pair(text: str, first: Quantity, second: Quantity) -> Quantity | None:
    """Return two numbers as one range or spread when what stands between them says so."""
    gap = text[first.end : second.start]
    alike = first.dimension == second.dimension or first.dimension in ("bare", "lift")
    spread, between = _SPREAD.fullmatch(gap), _RANGE.fullmatch(gap)
    if not alike or not (spread or between):
        return None
    low = _single(text, _scaled_like(first, second))
    high = second.numbers[0]
    if between:
        if between["word"].lower() in ("and", "和", "與", "与") and not _BETWEEN.search(text[: first.start]):
            return None
        high = -high if between["sign"] else high
    return replace(
        second,
        start=first.start,
        kind="spread" if spread else "range",
        numbers=(low.numbers[0], high),
        half_steps=(low.half_steps[0], second.half_steps[0]),
    )


def _scaled_like(first: Quantity, second: Quantity) -> Quantity:
    """Return the numbers of the first in the unit that only the second one carries."""
    if first.dimension == second.dimension:
        return first
    return replace(
        first,
        numbers=tuple(x * second.factor for x in first.numbers),
        half_steps=tuple(x * second.factor for x in first.half_steps),
        dimension=second.dimension,
    )
