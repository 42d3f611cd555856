"""Correct guidance with one error planted in it: the check must take every one of them out."""

import re
from collections.abc import Callable, Iterator
from random import Random

from coach.check import check_guidance
from coach.coverage import coverage_lines
from coach.domain.base import Record
from coach.domain.errors import SetupError
from coach.domain.guidance import Guidance, Language, Priority
from coach.domain.lift import Finding, Lift
from coach.patterns import word_index
from coach.quantities import normalised
from coach.wording import Shown, is_in_language, number_text, sentences, shown, unit_word
from coach.writer import Draft
from coach.writers.rules import RulesWriter, observation
from corpus.knowledge.library import FaultText, Library
from eval.cases import Case
from eval.metric import whole_text
from eval.untrue_claims import CLAIMS, FOREIGN, GENERIC, NUMBERS_OF_NOTHING

_OTHER_UNITS = {  # in which another unit a reader might be told the same number
    "cm": ("m", "mm", "inches", "°"),
    "m": ("cm", "mm", "feet", "s"),
    "m/s": ("m", "km/h", "cm/s"),
    "s": ("ms", "minutes", "m"),
    "deg": ("%", "cm", "radians"),
    "%": ("°", "cm", "m/s"),
    "J": ("W", "kJ"),
    "W": ("J", "kW"),
    "N": ("kN", "kg", "W"),
    "N s": ("N", "J"),
}
_UNIT_WORDS_ZH = {
    "m": "公尺",
    "cm": "公分",
    "mm": "毫米",
    "inches": "吋",
    "feet": "呎",
    "°": "度",
    "s": "秒",
    "ms": "毫秒",
}
_UNIT_WORDS_ZH |= {
    "minutes": "分鐘",
    "radians": "弧度",
    "km/h": "公里/小時",
    "cm/s": "公分/秒",
    "m/s": "公尺/秒",
    "kg": "公斤",
}
_TURNED = {  # words of direction and their opposite
    "forward": "back",
    "in front of": "behind",
    "behind": "in front of",
    "back": "forward",
    "往前": "往後",
    "往後": "往前",
    "往后": "往前",
    "前方": "後方",
    "後方": "前方",
    "后方": "前方",
}
_DIRECTED = ("bar_forward_off_floor_m", "bar_to_foot_catch_m", "foot_jump_m", "left_right_wrist_height_m")


class Planted(Record):
    """Guidance with one error in it, and the sentence that holds the error."""

    kind: str
    draft: Draft
    sentence: str


class Told(Record):
    """One number as guidance tells it: the measure, how it is written, the sentence, and the priority or strength."""

    measure: str
    written: str
    sentence: str
    priority: int | None


def correct(case: Case, library: Library) -> Draft:
    """Return guidance about a case without an error."""
    return RulesWriter().write(case.report, case.lift, library, case.language)


def check_planted(draft: Draft, case: Case, library: Library) -> Guidance:
    """Return what the check leaves of guidance about a case, knowing how many faults could be judged in it."""
    counts = coverage_lines(case.lift, case.report.camera, library, draft.language)
    return check_guidance(draft, case.lift, case.lift.findings, library, counts)


def is_caught(planted: Planted, case: Case, library: Library) -> bool:
    """Return whether the check leaves nothing of the planted sentence."""
    guidance = check_planted(planted.draft, case, library)
    left = whole_text(Draft.model_validate(guidance.model_dump(include=_SAID) | {"writer": "checked"}))
    return planted.sentence not in left


_SAID = {"language", "strength", "priorities", "next_film", "safety", "not_measured"}


def plantings(case: Case, library: Library, seed: int) -> Iterator[Planted]:
    """Yield correct guidance about a case with one error planted, each time another one.

    Args:
        case: The lift.
        library: Faults, phrases and words.
        seed: Of the choices; the same seed plants the same errors.
    """
    draft, dice = correct(case, library), Random(seed)
    for told in _told(draft, case.lift):
        for kind, twist in _TWISTS.items():
            twisted = twist(told, case, dice)
            if twisted is not None and twisted != told.sentence:
                yield Planted(kind=kind, draft=_with(draft, told, twisted), sentence=twisted)
    yield from _absent_faults(draft, case, library, dice)
    yield from _claims(draft, case, dice)
    yield from _opinions(draft, case, dice)
    yield from _foreign(draft, case, dice)


def _told(draft: Draft, lift: Lift) -> list[Told]:
    """Return the numbers that strength and observations tell."""
    parts = [(None, draft.strength), *((i, p.observation) for i, p in enumerate(draft.priorities))]
    found = []
    for place, text in parts:
        for sentence in sentences(text):
            for name, measure in lift.measures.items():
                number = shown(name, measure)
                forms = {number_text(n, draft.language) for n in (number, number.mirrored())}
                written = next((form for form in forms if re.search(rf"(?<![\d.−]){re.escape(form)}", sentence)), None)
                if written is not None:
                    found.append(Told(measure=name, written=written, sentence=sentence, priority=place))
                    break
    return found


def _with(draft: Draft, told: Told, twisted: str) -> Draft:
    if told.priority is None:
        return draft.model_copy(update={"strength": draft.strength.replace(told.sentence, twisted)})
    old = draft.priorities[told.priority]
    new = old.model_copy(update={"observation": old.observation.replace(told.sentence, twisted)})
    return _with_priority(draft, told.priority, new)


def _with_priority(draft: Draft, place: int, priority: Priority) -> Draft:
    priorities = (*draft.priorities[:place], priority, *draft.priorities[place + 1 :])
    return draft.model_copy(update={"priorities": priorities})


def _number(told: Told, case: Case) -> Shown:
    number = shown(told.measure, case.lift.measures[told.measure])
    is_straight = told.written == number_text(number, case.language)
    return number if is_straight else number.mirrored()


def _rewritten(told: Told, case: Case, number: Shown) -> str:
    return told.sentence.replace(told.written, number_text(number, case.language))


def _step(number: Shown) -> float:
    return float(10.0**-number.decimals)


def _wrong_number(told: Told, case: Case, dice: Random) -> str:
    number = _number(told, case)
    value = dice.choice(
        (
            number.value * 10,
            number.value * 1.25 + 3 * _step(number),
            number.value * 0.75 - 3 * _step(number),
            number.value + 2 * _step(number),
            number.value - 2 * _step(number),
        )
    )
    return _rewritten(told, case, Shown(value, number.low, number.high, number.unit, number.decimals))


def _all_wrong(told: Told, case: Case, dice: Random) -> str:
    """Return value and interval moved together, as an invented measurement looks."""
    number = _number(told, case)
    by = dice.choice((-1, 1)) * ((number.high - number.low) + 3 * _step(number))
    return _rewritten(
        told, case, Shown(number.value + by, number.low + by, number.high + by, number.unit, number.decimals)
    )


def _wider(told: Told, case: Case, dice: Random) -> str:
    return _stretched(told, case, dice.uniform(1.5, 3.0))


def _narrower(told: Told, case: Case, dice: Random) -> str | None:
    number = _number(told, case)
    if number.high - number.low < 4 * _step(number):
        return None  # nothing narrower can be written with these decimals
    return _stretched(told, case, dice.uniform(0.1, 0.4))


def _stretched(told: Told, case: Case, by: float) -> str:
    number = _number(told, case)
    reach = max(by * (number.high - number.low) / 2, by * _step(number))
    return _rewritten(
        told, case, Shown(number.value, number.value - reach, number.value + reach, number.unit, number.decimals)
    )


def _wrong_unit(told: Told, case: Case, dice: Random) -> str | None:
    number = _number(told, case)
    unit = unit_word(number.unit, case.language)
    others = _OTHER_UNITS.get(number.unit)
    if not unit or others is None:
        return None
    other = dice.choice(others)
    if case.language != "en":
        other = _UNIT_WORDS_ZH.get(other, other)
    spaced = re.sub(rf"\s*{re.escape(unit)}", f" {other}", told.written)
    return told.sentence.replace(told.written, spaced)


def _wrong_sign(told: Told, case: Case, dice: Random) -> str:  # noqa: ARG001
    """Return the sentence with a minus before its value and interval."""
    return _rewritten(told, case, _number(told, case).mirrored())


def _wrong_direction(told: Told, case: Case, dice: Random) -> str | None:  # noqa: ARG001
    if told.measure not in _DIRECTED:
        return None
    before, after = told.sentence.split(told.written, 1)
    words = sorted(_TURNED, key=len, reverse=True)
    pattern = re.compile("|".join(rf"\b{w}\b" if w.isascii() else w for w in words))
    for part, place in ((after, 1), (before, 0)):
        match = pattern.search(part)
        if match:
            turned = part[: match.start()] + _TURNED[match.group()] + part[match.end() :]
            return (before + told.written + turned) if place else (turned + told.written + after)
    return None


def _other_measure(told: Told, case: Case, dice: Random) -> str | None:
    own = _number(told, case)
    alike = [
        number
        for name, measure in case.lift.measures.items()
        if name != told.measure
        and (number := shown(name, measure)).unit == own.unit
        and abs(number.value - own.value) > 2 * _step(own)
    ]
    return _rewritten(told, case, dice.choice(alike)) if alike else None


def _invented_frame(told: Told, case: Case, dice: Random) -> str | None:
    frame = case.lift.measures[told.measure].frame
    if frame is None or str(frame) not in told.sentence.replace(told.written, ""):
        return None
    before, after = told.sentence.split(told.written, 1)
    other = frame + dice.choice((-9, -4, 3, 7, 40))
    return before + told.written + re.sub(rf"(?<!\d){frame}(?!\d)", str(other), after)


_TWISTS: dict[str, Callable[[Told, Case, Random], str | None]] = {
    "wrong number": _wrong_number,
    "number and interval moved": _all_wrong,
    "wrong unit": _wrong_unit,
    "wrong sign": _wrong_sign,
    "wrong direction": _wrong_direction,
    "number of another measure": _other_measure,
    "interval widened": _wider,
    "interval narrowed": _narrower,
    "invented frame": _invented_frame,
}


def _absent_faults(draft: Draft, case: Case, library: Library, dice: Random) -> Iterator[Planted]:
    """Yield faults that were not found: as a priority with a true number, and named in passing."""
    found = {f.fault for f in case.lift.findings}
    absent = [f for f in library.measurable_faults() if f.id not in found]
    measured = [f for f in absent if f.measures[0] in case.lift.measures]
    if measured:
        fault = dice.choice(measured)
        priority = _untrue_priority(fault.id, case, library)
        planted = draft.model_copy(update={"priorities": (priority, *draft.priorities[:1])})
        yield Planted(kind="fault not found, as a priority", draft=planted, sentence=priority.observation)
    named = word_index(library).faults
    spoken = [f for f in absent if not any(h.ids & found for h in named.find(normalised(_name(f.texts, case))))]
    sentence = _NAMED[case.language].format(_name(dice.choice(spoken).texts, case))
    for part in ("strength", "next_film"):
        planted = draft.model_copy(update={part: f"{getattr(draft, part)} {sentence}"})
        yield Planted(kind="fault not found, named", draft=planted, sentence=sentence)


_NAMED: dict[Language, str] = {
    "en": "The next thing to fix is this: {}.",
    "zh-Hant": "接下來要改的是{}。",
    "zh-Hans": "接下来要改的是{}。",
}


def _name(texts: dict[Language, FaultText], case: Case) -> str:
    return texts[case.language].name


def _untrue_priority(fault: str, case: Case, library: Library) -> Priority:
    record = library.faults[fault]
    text = record.texts[case.language]
    finding = Finding(fault=fault, level="fault", measures=record.measures, confidence=0.97)
    return Priority(
        fault=fault,
        observation=observation(finding, case.lift, library, case.language),
        consequence=text.consequence,
        cue=text.cues[0],
        drill=text.drill_for(case.lift.lift).line(case.language),
        evidence=record.measures,
        sources=record.sources,
        at_frame=case.lift.measures[record.measures[0]].frame,
    )


def _claims(draft: Draft, case: Case, dice: Random) -> Iterator[Planted]:
    """Yield claims that no video supports, one of each kind, at the end of one of the free texts."""
    script = "en" if case.language == "en" else "zh"
    for kind, texts in CLAIMS[script].items():
        sentence = _in_script(dice.choice(texts), case.language)
        yield _appended(kind, draft, sentence, dice)
    numbers = NUMBERS_OF_NOTHING[script]
    yield _appended("number of nothing measured", draft, _in_script(dice.choice(numbers), case.language), dice)


def _appended(kind: str, draft: Draft, sentence: str, dice: Random) -> Planted:
    glue = " " if draft.language == "en" else ""
    places = ["strength", "next_film", "safety", *(["consequence", "observation"] if draft.priorities else [])]
    place = dice.choice(places)
    if place in ("consequence", "observation"):
        old = draft.priorities[0]
        new = old.model_copy(update={place: glue.join((getattr(old, place), sentence))})
        return Planted(kind=kind, draft=_with_priority(draft, 0, new), sentence=sentence)
    planted = draft.model_copy(update={place: glue.join((getattr(draft, place), sentence))})
    return Planted(kind=kind, draft=planted, sentence=sentence)


def _opinions(draft: Draft, case: Case, dice: Random) -> Iterator[Planted]:
    """Yield generic advice in place of what was seen, and in place of a short cue."""
    if not draft.priorities:
        return
    observations, cues = GENERIC["en" if case.language == "en" else "zh"]
    old = draft.priorities[0]
    for part, texts in (("observation", observations), ("cue", cues)):
        sentence = _in_script(dice.choice(texts), case.language)
        planted = _with_priority(draft, 0, old.model_copy(update={part: sentence}))
        yield Planted(kind="generic advice", draft=planted, sentence=sentence)


def _foreign(draft: Draft, case: Case, dice: Random) -> Iterator[Planted]:
    """Yield a sentence in a script that the guidance is not written in."""
    for sentence in FOREIGN:
        if not is_in_language(sentence, case.language):
            yield _appended("wrong language", draft, sentence, dice)


def _in_script(text: str, language: Language) -> str:
    """Return a Traditional sentence in the script of a language."""
    if language != "zh-Hans":
        return text
    try:
        from opencc import OpenCC
    except ModuleNotFoundError as problem:
        raise SetupError("no opencc, which writes Simplified Chinese: pip install 'liftcoach[corpus]'") from problem
    return str(OpenCC("t2s").convert(text))
