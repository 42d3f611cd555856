"""The writer that needs no model: composes guidance from findings, cues and drills of the library."""

from collections.abc import Sequence

from coach.coverage import MIN_JUDGED, Coverage, cover, coverage_text
from coach.domain.conversation import Picture
from coach.domain.guidance import Language, Priority
from coach.domain.lift import CameraFacts, Finding, Lift, Report
from coach.domain.measures import Measure
from coach.faults import CLEARLY, clearly_good, may_cue
from coach.reasons import grouped_not_measured
from coach.wording import directed_text, measure_text
from coach.writer import Draft
from corpus.knowledge.library import Fault, Library, Phrases

MAX_PRIORITIES = 2
_FACTS = ("bar_peak_velocity_m_s", "bar_max_height_m")  # what may stand first when nothing is clearly good
_FORWARD_FAULTS = ("bar_swing_forward", "bar_forward_off_floor")


def create() -> "RulesWriter":
    """Return the rules writer."""
    return RulesWriter()


class RulesWriter:
    """Good, observation, consequence, cue, drill, next film: in this order, one priority, two at most."""

    name = "rules"

    def write(
        self,
        report: Report,
        lift: Lift | None,
        library: Library,
        language: Language,
        history: Sequence[Lift] = (),
        pictures: Sequence[Picture] = (),  # noqa: ARG002
    ) -> Draft:
        """Return a draft about one lift, or about how to film when there is none."""
        words = library.texts[language]
        if lift is None:
            return _nothing(words, language, words.say("no_lift"), (words.say("no_lift_unmeasured"),))
        unmeasured = grouped_not_measured(lift, library, language)
        if lift.outcome == "no_attempt":
            return _nothing(words, language, words.say("no_attempt"), unmeasured)
        if not lift.measures:
            return _nothing(words, language, words.say("nothing_measured"), unmeasured)
        covered = cover(lift, report.camera, library, language, history)
        cued = [f for f in lift.findings if may_cue(f, lift, library, history)][:MAX_PRIORITIES]
        return Draft(
            language=language,
            writer=self.name,
            strength=_opening(report, lift, library, language, history, None if cued else covered),
            priorities=tuple(_priority(f, lift, library, language) for f in cued),
            next_film=_next_film(lift, report.camera, cued, library, language, covered),
            safety=_safety(cued, library, language),
            not_measured=(*coverage_text(covered, library, language), *unmeasured),
        )


def _nothing(words: Phrases, language: Language, opening: str, unmeasured: tuple[str, ...]) -> Draft:
    return Draft(
        language=language,
        writer=RulesWriter.name,
        strength=opening,
        next_film=_joined(words.say("film_side"), words.say("film_how"), language=language),
        safety=words.say("safety"),
        not_measured=unmeasured,
    )


def _joined(*parts: str, language: Language) -> str:
    return (" " if language == "en" else "").join(part for part in parts if part)


def _frame(measure: Measure, words: Phrases) -> str:
    return "" if measure.frame is None else words.say("strength_frame", frame=measure.frame)


def _fact(key: str, name: str, lift: Lift, library: Library, language: Language, **extra: str) -> str:
    """Return a phrase that quotes one measure."""
    words, measure = library.texts[language], lift.measures[name]
    return words.say(
        key,
        name=_capital(library.measures[name].texts[language].name)
        if key == "strength"
        else _name(name, library, language),
        number=directed_text(name, measure, library.measures[name].axis, language),
        frame=_frame(measure, words),
        **extra,
    )


def _name(name: str, library: Library, language: Language) -> str:
    return library.measures[name].texts[language].name


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _opening(
    report: Report,
    lift: Lift,
    library: Library,
    language: Language,
    history: Sequence[Lift],
    covered: Coverage | None,
) -> str:
    """Return what was good, what became of the lift, and how far its technique could be judged without a priority."""
    words = library.texts[language]
    parts = [_strength(report, lift, library, language, history), _outcome(lift, library, language)]
    if covered is not None:
        parts.append(words.say(_verdict_key(lift, covered)))
    return _joined(*parts, language=language)


def _verdict_key(lift: Lift, covered: Coverage) -> str:
    if covered.n_judged < MIN_JUDGED:
        return "few_measures"
    return "only_watch" if lift.findings else "all_clear"


def _strength(report: Report, lift: Lift, library: Library, language: Language, history: Sequence[Lift]) -> str:
    shown = {name for finding in lift.findings for name in finding.measures}
    for fault in clearly_good(lift, report.camera, library, history):
        if fault.measures[0] not in shown:
            return _fact("strength", fault.measures[0], lift, library, language, text=fault.texts[language].strength)
    for name in _FACTS:
        measure = lift.measures.get(name)
        if measure is not None and measure.high - measure.low <= 0.2 * abs(measure.value):
            return _fact("strength_fact", name, lift, library, language)
    return library.texts[language].say("strength_none")


def _outcome(lift: Lift, library: Library, language: Language) -> str:
    """Return what became of a lift that was not made, with the direction of the miss as far as it was measured."""
    words = library.texts[language]
    if lift.outcome == "caught_then_lost":
        return words.say("lost")
    if lift.outcome != "not_caught" or lift.lift in ("pull", "squat", "deadlift"):
        return ""
    away = lift.measures.get("bar_to_foot_catch_m")
    if away is not None and abs(away.value) > 2 * away.sd:
        key, mirrored = ("miss_front", False) if away.value > 0 else ("miss_behind", True)
        number = measure_text("bar_to_foot_catch_m", away, language, mirrored)
        name = _name("bar_to_foot_catch_m", library, language)
        return words.say(key, name=name, number=number, frame=_frame(away, words))
    for fault in (f.fault for f in lift.findings if f.fault in _FORWARD_FAULTS):
        return _fact("miss_path", library.faults[fault].measures[0], lift, library, language)
    return words.say("miss_unknown")


def _priority(finding: Finding, lift: Lift, library: Library, language: Language) -> Priority:
    fault = library.faults[finding.fault]
    text, name = fault.texts[language], fault.measures[0]
    return Priority(
        fault=fault.id,
        observation=observation(finding, lift, library, language),
        consequence=text.consequence,
        cue=text.cues[0],
        drill=text.drill_for(lift.lift).line(language),
        evidence=finding.measures,
        sources=fault.sources,
        at_frame=lift.measures[name].frame,
    )


def observation(finding: Finding, lift: Lift, library: Library, language: Language) -> str:
    """Return what was seen: value, interval and frame, and how sure it is."""
    words, fault = library.texts[language], library.faults[finding.fault]
    measure = lift.measures[fault.measures[0]]
    text = fault.texts[language].observation.format(number=_number(fault, measure, language))
    seen = (
        words.say("without_frame", text=text)
        if measure.frame is None
        else words.say("with_frame", text=text, frame=measure.frame)
    )
    sure = (
        "judgement" if fault.confidence == "low" else "sure_clear" if finding.confidence >= CLEARLY else "sure_likely"
    )
    return _joined(seen, words.say(sure), language=language)


def _number(fault: Fault, measure: Measure, language: Language) -> str:
    """Return the number of a fault; a distance backward or between the hands is told without its sign."""
    is_backward = fault.direction == "below" and fault.threshold.watch < 0 and fault.reference == "absolute"
    is_either_way = fault.direction == "outside_abs" and measure.value < 0
    return measure_text(fault.measures[0], measure, language, mirrored=is_backward or is_either_way)


def _next_film(
    lift: Lift, camera: CameraFacts, cued: Sequence[Finding], library: Library, language: Language, covered: Coverage
) -> str:
    """Return how to film next: as before only where most of what can be measured was judged."""
    words = library.texts[language]
    watched = cued or lift.findings[:1]
    if not watched:
        if camera.view == "side" and 2 * covered.n_judged >= covered.n_measurable:
            return words.say("film_keep")
        return _joined(words.say("film_side"), words.say("film_how"), language=language)
    needs_side = any("side" in library.faults[f.fault].needs_view for f in watched)
    names = words.say("name_separator").join(_name(f.measures[0], library, language) for f in watched)
    return _joined(
        words.say("film_side" if needs_side else "film_front"),
        words.say("film_check" if cued else "film_watch", names=names),
        language=language,
    )


def _safety(cued: Sequence[Finding], library: Library, language: Language) -> str:
    own = [library.faults[f.fault].texts[language].safety for f in cued]
    return _joined(*own, library.texts[language].say("safety"), language=language)
