"""Answers to follow-up questions from what was measured, without a model; every answer passes the check."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from coach.check import check_text
from coach.claims import needs_referral
from coach.coverage import MIN_JUDGED, cover, coverage_sentences
from coach.domain.base import Record
from coach.domain.guidance import Check, Guidance, Language
from coach.domain.lift import Finding, InstantName, Lift, Report
from coach.faults import explain_silence
from coach.quantities import normalised
from coach.questions import (
    BEYOND,
    COMPARE,
    FILM,
    FIX,
    GOOD,
    HOW_SURE,
    LIFT_NAMES,
    LOAD,
    ORDINALS,
    PHASES,
    REFEREE,
    UNMEASURED,
    WHICH_LIFTS,
    WHY_OR_WHETHER,
    instant_asked,
    longest_match,
    measures_asked,
)
from coach.reasons import reason_text
from coach.wording import directed_text, instant_time_text, measure_text
from coach.writers.rules import observation
from corpus.knowledge.library import Fault, Library, Phrases

_SETTLED = (  # what a writer is not asked about, and the phrase that answers it; the first match wins
    (REFEREE, "chat_referee"),
    (BEYOND, "chat_beyond"),
    (LOAD, "chat_load"),
    (COMPARE, "chat_compare"),
)
MAX_FACTS = 4  # numbers in one answer about a phase; more cannot be kept in mind


class Answer(Record):
    """One answer: its text, the measures and sources it rests on, and what the check found.

    `writer` says who wrote it, and `notice` what the athlete should know about that: a model that could not be asked,
    or an answer that broke off.
    """

    text: str
    evidence: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    writer: str = "rules"
    notice: str = ""
    check: Check


@dataclass(frozen=True, slots=True)
class _Said:
    """An answer before the check; `trusted` are library texts in it."""

    text: str
    evidence: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Talk:
    """Everything an answer may rest on."""

    report: Report
    guidance: Guidance
    lift: Lift
    library: Library
    language: Language

    @property
    def words(self) -> Phrases:
        return self.library.texts[self.language]

    def join(self, *parts: str) -> str:
        return (" " if self.language == "en" else "").join(part for part in parts if part)


def answer(report: Report, guidance: Guidance, library: Library, question: str, language: Language) -> Answer:
    """Return an answer that rests on the measures of the report only.

    Pain, numbness, dizziness, pregnancy or surgery in the question gives a referral and nothing else. Nothing of the
    question is repeated, so no number or instruction in it can reach the answer.

    Args:
        report: The analysis, with findings in its lifts.
        guidance: What was said about the lift.
        library: Fault texts and phrases.
        question: What the athlete asks, in English or Chinese.
        language: Language of the answer.
    """
    told = settled(report, guidance, library, question, language)
    if told is not None:
        return told
    asked = _plainly(question)
    lift, is_named = lift_asked(report, guidance, library, question)
    talk = _Talk(report, guidance, lift or report.lifts[0], library, language)
    return _introduced(_answer(talk, asked), talk, is_named)


def settled(report: Report, guidance: Guidance, library: Library, question: str, language: Language) -> Answer | None:
    """Return the answer to a question that no writer may answer otherwise, or None.

    Pain and the like, a clip without such a lift, the referees' decision, loads, comparisons, and what no camera sees.
    """
    asked, words = _plainly(question), library.texts[language]
    if needs_referral(asked):
        return _plain(words.say("referral"))
    if not report.lifts:
        return _plain(words.say("chat_no_lift"))
    lift, is_named = lift_asked(report, guidance, library, question)
    if lift is None:
        return _plain(words.say("chat_no_such_lift"))
    key = next((key for pattern, key in _SETTLED if pattern.search(asked)), None)
    if key is None:
        return None
    return _introduced(_Said(words.say(key)), _Talk(report, guidance, lift, library, language), is_named)


def _plainly(question: str) -> str:
    return normalised(question).replace("’", "'")


def introduction(report: Report, lift: Lift, library: Library, language: Language, is_named: bool) -> str:
    """Return `Lift 2: ` where an answer must say which lift it is about."""
    said = is_named or len(report.lifts) > 1
    return library.texts[language].say("chat_lift", number=lift.number) if said else ""


def _introduced(said: _Said, talk: _Talk, is_named: bool) -> Answer:
    intro = introduction(talk.report, talk.lift, talk.library, talk.language, is_named)
    return _checked(_Said(intro + said.text, said.evidence, said.sources, said.trusted), talk)


def _plain(text: str) -> Answer:
    return Answer(text=text, check=Check(numbers_found=0, numbers_supported=0))


def _checked(said: _Said, talk: _Talk) -> Answer:
    checked = check_text(said.text, talk.lift, talk.library, trusted=said.trusted, language=talk.language)
    return Answer(
        text=checked.text or talk.words.say("chat_help"),
        evidence=said.evidence,
        sources=said.sources,
        check=Check(
            numbers_found=checked.numbers_found,
            numbers_supported=checked.numbers_supported,
            removed=checked.removed,
        ),
    )


def lift_asked(report: Report, guidance: Guidance, library: Library, question: str) -> tuple[Lift | None, bool]:
    """Return the lift a question is about, None when it names one that is not there, and whether it names one."""
    asked = _plainly(question)
    match = re.search(
        r"\b(?:lift|rep|attempt)\s*(?:no\.?|number|#)?\s*(\d+|one|two|three|four)\b|\b(first|second|third|fourth|fifth|\d+(?:st|nd|rd|th)) (?:lift|rep|attempt)\b|"
        r"第\s*(\d+|[一二三四五])\s*(?:次|下|把|舉|举|個動作|个动作)",
        asked,
        re.I,
    )
    if match:
        written = next(group for group in match.groups() if group).lower()
        number = ORDINALS.get(written) or int(re.sub(r"\D", "", written))
        return next((lift for lift in report.lifts if lift.number == number), None), True
    name = next((n for n, p in LIFT_NAMES if re.search(p, asked, re.I)), None)
    named = [lift for lift in report.lifts if lift.lift == name]
    if len(report.lifts) > 1 and named:
        return named[0], True
    return _main_lift(report, guidance, library), False


def _main_lift(report: Report, guidance: Guidance, library: Library) -> Lift:
    """Return the lift that the guidance speaks about: the one that supports its words, else the first attempt."""
    if len(report.lifts) == 1:
        return report.lifts[0]
    texts = (guidance.strength, *(p.observation for p in guidance.priorities))
    found = [
        lift for lift in report.lifts if {p.fault for p in guidance.priorities} <= {f.fault for f in lift.findings}
    ]
    spoken = [lift for lift in found if not any(check_text(text, lift, library).removed for text in texts)]
    tried = [lift for lift in report.lifts if lift.outcome != "no_attempt"]
    return (spoken or found or tried or list(report.lifts))[0]


def _answer(talk: _Talk, asked: str) -> _Said:
    if UNMEASURED.search(asked):
        return _about_unmeasured(talk)
    measures = measures_asked(talk.library, asked)
    fault = _fault_asked(talk, asked)
    if HOW_SURE.search(asked):
        return _about_certainty(talk, measures or ((fault.measures[0],) if fault and fault.measures else ()))
    if fault is not None and (WHY_OR_WHETHER.search(asked) or FIX.search(asked) or not measures):
        return _about_fault(talk, fault)
    return _about_the_rest(talk, asked, measures)


def _about_the_rest(talk: _Talk, asked: str, measures: tuple[str, ...]) -> _Said:
    moment = instant_asked(talk.library, asked)
    if moment and (
        not measures or re.search(r"\bwhen\b|\bframe\b|何時|何时|什麼時候|什么时候|哪一|第幾|第几|影格|帧", asked, re.I)
    ):
        return _about_instant(talk, moment)
    if FILM.search(asked):
        return _Said(talk.join(talk.words.say("film_side"), talk.words.say("film_how")))
    if WHICH_LIFTS.search(asked):
        return _about_outcome(talk)
    phase = next((ids for _, pattern, ids in PHASES if pattern.search(asked)), None)
    if measures and not (phase and FIX.search(asked)):
        return _joined([_about_measure(talk, name) for name in measures[:MAX_FACTS]], talk)
    if phase is not None and not FIX.search(asked):
        return _about_phase(talk, phase)
    if FIX.search(asked):
        return _about_priority(talk)
    return _about_all(talk) if GOOD.search(asked) else _Said(talk.words.say("chat_help"))


def _joined(parts: Sequence[_Said], talk: _Talk) -> _Said:
    return _Said(
        talk.join(*(p.text for p in parts)),
        tuple(dict.fromkeys(e for p in parts for e in p.evidence)),
        tuple(dict.fromkeys(s for p in parts for s in p.sources)),
        tuple(t for p in parts for t in p.trusted),
    )


def _fault_asked(talk: _Talk, asked: str) -> Fault | None:
    """Return the fault a question is about: the longest words win, then what was found, then what can be measured."""
    best: tuple[int, bool, bool, Fault] | None = None
    found = {f.fault for f in talk.lift.findings}
    for fault in talk.library.faults.values():
        length = max((longest_match(text, asked) for text in fault.texts.values()), default=0)
        key = (length, fault.id in found, fault.is_measurable, fault)
        if length and (best is None or key[:3] > best[:3]):
            best = key
    return best[3] if best else None


def _quoted(talk: _Talk, name: str) -> dict[str, str]:
    """Return name, number and frame of a measure, for a phrase."""
    measure = talk.lift.measures[name]
    record = talk.library.measures[name]
    return {
        "name": record.texts[talk.language].name,
        "number": directed_text(name, measure, record.axis, talk.language),
        "frame": "" if measure.frame is None else talk.words.say("strength_frame", frame=measure.frame),
    }


def _reason(talk: _Talk, name: str) -> str:
    reason = talk.lift.not_measured.get(name)
    return reason_text(reason, talk.library, talk.language) if reason else talk.words.say("cat_other")


def _about_measure(talk: _Talk, name: str) -> _Said:
    record = talk.library.measures[name].texts[talk.language]
    if name not in talk.lift.measures:
        reason = _reason(talk, name)
        return _Said(_sentence(talk.words.say("chat_unmeasured", name=record.name, reason=reason)), trusted=(reason,))
    text = talk.words.say("chat_measure", **_quoted(talk, name), meaning=record.meaning)
    return _Said(_sentence(text.replace(record.name, _capital(record.name), 1)), (name,))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sentence(text: str) -> str:
    return _capital(text)


def _about_certainty(talk: _Talk, names: tuple[str, ...]) -> _Said:
    known = [name for name in names if name in talk.lift.measures]
    if not known:
        return _about_measure(talk, names[0]) if names else _Said(talk.words.say("chat_how_general"))
    name = known[0]
    measure, record = talk.lift.measures[name], talk.library.measures[name].texts[talk.language]
    text = talk.words.say(
        "chat_how",
        name=_capital(record.name),
        number=measure_text(name, measure, talk.language),
        source=talk.words.say(f"source_{measure.source}"),
        meaning=record.meaning,
    )
    return _Said(talk.join(text, talk.words.say("interval")), (name,))


def _about_fault(talk: _Talk, fault: Fault) -> _Said:
    finding = next((f for f in talk.lift.findings if f.fault == fault.id), None)
    if finding is not None:
        return _about_finding(talk, fault, finding)
    text, name = fault.texts[talk.language], fault.measures[0] if fault.measures else None
    if name is None or name not in talk.lift.measures:
        why = _silence(talk, fault)
        return _Said(talk.words.say("chat_unmeasured", name=text.name, reason=why), trusted=(why, text.name))
    reason = _silence(talk, fault)
    if reason in (talk.words.say("reason_inside"), talk.words.say("reason_own")):
        return _Said(talk.words.say("chat_no", text=text.absence, **_quoted(talk, name)), (name,), fault.sources)
    if reason == talk.words.say("reason_unsure"):
        return _Said(talk.words.say("chat_unclear", **_quoted(talk, name)), (name,), fault.sources)
    quoted = talk.words.say("chat_unjudged", name=text.name, reason=reason)
    return _joined([_Said(quoted, trusted=(text.name,)), _about_measure(talk, name)], talk)


def _silence(talk: _Talk, fault: Fault) -> str:
    reasons = explain_silence(talk.lift, talk.report.camera, talk.library, language=talk.language)
    return reasons.get(fault.id, talk.words.say("reason_own"))


def _about_finding(talk: _Talk, fault: Fault, finding: Finding) -> _Said:
    """Return observation, consequence, possible causes, cue and drill; only the first three where no cue is due."""
    text, words = fault.texts[talk.language], talk.words
    causes = words.say("list_separator").join(text.causes)
    parts = [
        observation(finding, talk.lift, talk.library, talk.language),
        text.consequence,
        words.say("possible_causes", causes=causes),
    ]
    cued = next((p for p in talk.guidance.priorities if p.fault == fault.id), None)
    same = cued is not None and talk.guidance.language == talk.language
    drill = cued.drill if cued and same else text.drill_for(talk.lift.lift).line(talk.language)
    if cued or finding.level == "fault":
        parts += [words.say("cue", cue=cued.cue if cued and same else text.cues[0]), words.say("drill", drill=drill)]
    else:
        parts.append(words.say("chat_watch"))
    drills = tuple(d.line(talk.language) for d in text.drills)
    trusted = (text.consequence, causes, *text.cues, *drills)
    return _Said(talk.join(*parts), finding.measures, fault.sources, trusted)


def _about_instant(talk: _Talk, name: InstantName) -> _Said:
    label, instant = talk.words.instants[name].name, talk.lift.instants.get(name)
    if instant is None:
        return _Said(_sentence(talk.words.say("chat_instant_missing", name=label)))
    time = instant_time_text(instant, talk.language)
    return _Said(_sentence(talk.words.say("chat_instant", name=label, frame=instant.frame, time=time)))


def _about_phase(talk: _Talk, ids: Sequence[str]) -> _Said:
    known = [name for name in ids if name in talk.lift.measures][:MAX_FACTS]
    if not known:
        key = "chat_not_caught" if talk.lift.outcome == "not_caught" else "chat_phase_none"
        return _Said(talk.words.say(key))
    facts = [_quoted(talk, name) for name in known]
    listed = talk.words.say("list_separator").join(f"{f['name']} {f['number']}{f['frame']}" for f in facts)
    found = [f for f in talk.lift.findings if set(f.measures) & set(known)]
    parts = [_Said(talk.words.say("chat_phase", facts=listed), tuple(known))]
    parts += [_about_finding(talk, talk.library.faults[f.fault], f) for f in found[:1]]
    return _joined(parts, talk)


def _about_priority(talk: _Talk) -> _Said:
    if talk.guidance.priorities and talk.lift == _main_lift(talk.report, talk.guidance, talk.library):
        first = talk.guidance.priorities[0].fault
        finding = next((f for f in talk.lift.findings if f.fault == first), None)
    else:
        finding = next((f for f in talk.lift.findings if f.level == "fault"), None)
    if finding is None:
        return _open(talk, "chat_nothing_to_fix" if not talk.lift.findings else "only_watch")
    return _about_finding(talk, talk.library.faults[finding.fault], finding)


def _about_all(talk: _Talk) -> _Said:
    """Return what the guidance says, shortened: the good part and the first priority."""
    if talk.guidance.language != talk.language or talk.lift != _main_lift(talk.report, talk.guidance, talk.library):
        return _about_priority(talk)
    first = talk.guidance.priorities[:1]
    parts = [_Said(talk.guidance.strength)]
    for p in first:
        lines = tuple(d.line(talk.language) for d in talk.library.faults[p.fault].texts[talk.language].drills)
        said = talk.join(
            p.observation, p.consequence, talk.words.say("cue", cue=p.cue), talk.words.say("drill", drill=p.drill)
        )
        parts.append(_Said(said, p.evidence, p.sources, (*lines, p.cue, p.consequence)))
    return _joined(parts, talk)


def _about_outcome(talk: _Talk) -> _Said:
    words = talk.words
    outcomes = words.say("list_separator").join(
        f"{words.lifts[lift.lift]} {words.outcomes[lift.outcome]}" for lift in talk.report.lifts
    )
    return _Said(words.say("chat_lifts", count=_count(len(talk.report.lifts), talk.language), outcomes=outcomes))


def _count(n: int, language: Language) -> str:
    """Return a count of lifts in words, so that it is no measured number."""
    english = ("no lift", "one lift", "two lifts", "three lifts", "four lifts", "five lifts")
    chinese = ("零次動作", "一次動作", "兩次動作", "三次動作", "四次動作", "五次動作")
    if language == "en":
        return english[n] if n < len(english) else "several lifts"
    counted = chinese[n] if n < len(chinese) else "好幾次動作"
    return counted if language == "zh-Hant" else counted.replace("動", "动").replace("兩", "两").replace("幾", "几")


def _about_unmeasured(talk: _Talk) -> _Said:
    said = talk.guidance.not_measured if talk.guidance.language == talk.language else ()
    if not said:
        return _open(talk, "chat_nothing_to_fix")
    return _Said(talk.join(*said), trusted=(*talk.lift.not_measured.values(), *_counts(talk)))


def _open(talk: _Talk, key: str) -> _Said:
    """Return a phrase for a lift without a priority, and how many faults could be judged at all."""
    counts = _counts(talk)
    covered = cover(talk.lift, talk.report.camera, talk.library, talk.language)
    verdict = key if covered.n_judged >= MIN_JUDGED else "few_measures"
    return _Said(talk.join(talk.words.say(verdict), *counts), trusted=counts)


def _counts(talk: _Talk) -> tuple[str, ...]:
    return coverage_sentences(talk.lift, talk.report.camera, talk.library, talk.language)
