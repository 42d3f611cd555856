"""Which faults the measures of a lift show, how surely, and why the others stay silent."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from coach.domain.guidance import Language
from coach.domain.lift import CameraFacts, Finding, Lift, Outcome
from coach.domain.measures import Measure
from coach.reasons import reason_text
from corpus.knowledge.library import Fault, Library

LIKELY = 0.8  # probability from which a value counts as beyond a threshold, a judgement
CLEARLY = 0.95  # the same for records of low confidence, for measures coarser than a record asks for, and for praise
MAX_LOW_CONFIDENCE = 0.6  # confidence given to a finding that rests on a record of low confidence
MIN_OWN_LIFTS = 3  # made lifts before a lifter's own spread means anything
EXPLAINED = 0.5  # how much a fault counts when its usual cause was found too
CAUGHT: tuple[Outcome, ...] = ("caught", "caught_no_drop", "caught_then_lost")
MADE: tuple[Outcome, ...] = ("caught", "caught_no_drop")

_SEVERITY = {"high": 3.0, "moderate": 2.0, "low": 1.0, "info": 0.3}
_EARLY = {  # earlier faults cause later ones
    "start": 1.0,
    "jerk_dip": 1.0,
    "first_pull": 0.95,
    "pull": 0.95,
    "jerk_drive": 0.9,
    "transition": 0.85,
    "second_pull": 0.8,
    "whole_lift": 0.8,
    "turnover": 0.65,
    "catch": 0.5,
    "jerk_catch": 0.5,
    "recovery": 0.4,
    "post": 0.3,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided about one fault: a finding, or the code of the reason for silence."""

    finding: Finding | None
    reason: str


def judge(lift: Lift, camera: CameraFacts, library: Library, history: Sequence[Lift] = ()) -> tuple[Finding, ...]:
    """Return the faults that the measures show, the one to work on first at the front.

    A value counts when it lies beyond a threshold with probability 0.8 under a normal with the measure's SD; so a
    value must clear max(threshold, 2 SD, the lifter's own spread). `watch` is an observation; see `may_cue` for
    when it is spoken. A record of low confidence never gives level `fault`: it stays `watch`, confidence at most 0.6.

    Args:
        lift: The lift; its own `findings` are not read.
        camera: Where the camera stood.
        library: The fault library.
        history: Earlier lifts of the same lifter, same exercise, similar load, oldest first; only made ones count
            for the lifter's own spread.
    """
    verdicts = [decide(lift, camera, fault, history) for fault in library.faults.values()]
    return _ranked([v.finding for v in verdicts if v.finding is not None], library)


def explain_silence(
    lift: Lift,
    camera: CameraFacts,
    library: Library,
    history: Sequence[Lift] = (),
    language: Language = "en",
) -> dict[str, str]:
    """Return, for every fault that was not found, why nothing is said about it."""
    say = library.texts[language].say
    reasons = {}
    for name, fault in library.faults.items():
        verdict = decide(lift, camera, fault, history)
        if verdict.finding is not None:
            continue
        told = lift.not_measured.get(fault.measures[0]) if verdict.reason == "missing" else None
        reasons[name] = reason_text(told, library, language) if told else say(f"reason_{verdict.reason}")
    return reasons


def may_cue(finding: Finding, lift: Lift, library: Library, history: Sequence[Lift] = ()) -> bool:
    """Return whether a finding may become a priority.

    True for level `fault`; for `watch` seen in two of the last three lifts of the history; and for a record of low
    confidence whose value lies clearly beyond its fault threshold (then worded as a coaching judgement).
    """
    fault = library.faults[finding.fault]
    if finding.level == "fault" or _repeats(fault, lift, history):
        return True
    measure = lift.measures.get(fault.measures[0])
    if fault.confidence != "low" or measure is None:
        return False
    shift, sd = _offset(fault, measure, _own(fault, lift, history))
    return _share_beyond(fault, fault.threshold.fault, measure.value - shift, sd) >= CLEARLY


def clearly_good(lift: Lift, camera: CameraFacts, library: Library, history: Sequence[Lift] = ()) -> tuple[Fault, ...]:
    """Return the faults that were measured and are clearly absent, the most important first."""
    good = []
    for fault in library.measurable_faults():
        measure = lift.measures.get(fault.measures[0])
        own = _own(fault, lift, history)
        if measure is None or fault.confidence == "low" or _gate(lift, camera, fault, own) is not None:
            continue
        shift, sd = _offset(fault, measure, own)
        if _share_beyond(fault, fault.threshold.watch, measure.value - shift, sd) <= 1 - CLEARLY:
            good.append(fault)
    return tuple(sorted(good, key=lambda fault: -_weight(fault)))


def decide(lift: Lift, camera: CameraFacts, fault: Fault, history: Sequence[Lift] = ()) -> Verdict:
    """Return what the measures of a lift say about one fault; the code of a silence ends a key of the phrases."""
    own = _own(fault, lift, history)
    reason = _gate(lift, camera, fault, own)
    if reason is not None:
        return Verdict(None, reason)
    measure = lift.measures[fault.measures[0]]
    shift, sd = _offset(fault, measure, own)
    confidence = _share_beyond(fault, fault.threshold.watch, measure.value - shift, sd)
    if confidence < LIKELY:
        return Verdict(None, "inside" if confidence <= 0.5 else "unsure")
    if _is_within_error(fault, measure.value - shift, sd):
        return Verdict(None, "unsure")
    if len(own) >= MIN_OWN_LIFTS and _is_usual(fault, measure.value, own):
        return Verdict(None, "own")
    return Verdict(_finding(fault, measure.value - shift, sd, confidence), "")


def _gate(lift: Lift, camera: CameraFacts, fault: Fault, own: Sequence[float]) -> str | None:
    """Return why this fault cannot be judged in this lift, or None."""
    if lift.lift == "unknown":
        return "unknown_lift"
    if lift.lift not in fault.lifts:
        return "lift"
    if camera.view not in fault.needs_view:
        return "view"
    if lift.outcome == "no_attempt":
        return "no_attempt"
    if fault.needs_catch and lift.outcome not in CAUGHT:
        return "outcome"
    if not fault.measures:
        return "not_measurable"
    measure = lift.measures.get(fault.measures[0])
    if measure is None:
        return "missing"
    is_coarse = fault.max_measurement_sd is not None and measure.sd > fault.max_measurement_sd
    if is_coarse and not _is_plain(fault, measure, own):
        return "sd"
    if fault.reference == "own" and len(own) < MIN_OWN_LIFTS:
        return "no_history"
    return None


def _is_plain(fault: Fault, measure: Measure, own: Sequence[float]) -> bool:
    """Return whether a value lies so far beyond the fault threshold that even a coarse measurement shows it.

    Only what the plate tells: errors of a pose are at times far larger than their SD.
    """
    if measure.source != "plate":
        return False
    shift, sd = _offset(fault, measure, own)
    return _share_beyond(fault, fault.threshold.fault, measure.value - shift, sd) >= CLEARLY


def _finding(fault: Fault, value: float, sd: float, confidence: float) -> Finding:
    is_low = fault.confidence == "low"
    is_fault = _share_beyond(fault, fault.threshold.fault, value, sd) >= LIKELY
    return Finding(
        fault=fault.id,
        level="fault" if is_fault and not is_low else "watch",
        measures=fault.measures,
        confidence=round(min(confidence, MAX_LOW_CONFIDENCE) if is_low else confidence, 3),
    )


def _own(fault: Fault, lift: Lift, history: Sequence[Lift]) -> list[float]:
    """Return the values of the fault's measure in the lifter's own made lifts."""
    if not fault.measures:
        return []
    made = [h for h in history if h.lift == lift.lift and h.outcome in MADE]
    return [h.measures[fault.measures[0]].value for h in made if fault.measures[0] in h.measures]


def _offset(fault: Fault, measure: Measure, own: Sequence[float]) -> tuple[float, float]:
    """Return what to subtract from the value before it meets the thresholds, and the SD of the difference."""
    if fault.reference == "absolute" or len(own) < MIN_OWN_LIFTS:
        return 0.0, measure.sd
    return fmean(own), math.hypot(measure.sd, stdev(own) / math.sqrt(len(own)))


def _share_beyond(fault: Fault, threshold: float, value: float, sd: float) -> float:
    """Return the probability that the true value lies beyond the threshold, in the fault's direction."""
    if fault.direction == "below":
        return normal_share_above(-threshold, -value, sd)
    above = normal_share_above(threshold, value, sd)
    return above if fault.direction == "above" else above + normal_share_above(threshold, -value, sd)


def normal_share_above(threshold: float, mean: float, sd: float) -> float:
    """Return the probability that a normal variable lies above a threshold; a step when `sd` is 0."""
    if sd <= 0:
        return 1.0 if mean > threshold else 0.0
    return 0.5 * math.erfc((threshold - mean) / (sd * math.sqrt(2)))


def _is_within_error(fault: Fault, value: float, sd: float) -> bool:
    """Return whether a departure from zero is no larger than twice its own error.

    Only where zero is the ideal (a drift, a jump, a drop): there a value can pass a threshold of 2 cm by error alone.
    """
    away = {"above": fault.threshold.watch >= 0, "below": fault.threshold.watch <= 0, "outside_abs": True}
    return away[fault.direction] and abs(value) <= 2 * sd


def _is_usual(fault: Fault, value: float, own: Sequence[float]) -> bool:
    """Return whether a value lies inside, or on the good side of, the lifter's own spread of two SDs."""
    mean, reach = fmean(own), 2 * stdev(own) * math.sqrt(1 + 1 / len(own))
    if fault.direction == "below":
        return value >= mean - reach
    return value <= mean + reach if fault.direction == "above" else abs(value - mean) <= reach


def _repeats(fault: Fault, lift: Lift, history: Sequence[Lift]) -> bool:
    """Return whether two of the last three lifts lay beyond the watch threshold as well."""
    if not fault.measures or fault.reference == "own":
        return False
    recent = [h.measures.get(fault.measures[0]) for h in history if h.lift == lift.lift][-3:]
    beyond = [m for m in recent if m and _share_beyond(fault, fault.threshold.watch, m.value, m.sd) >= LIKELY]
    return len(beyond) >= 2


def _weight(fault: Fault) -> float:
    return _SEVERITY[fault.severity] * max(_EARLY[phase] for phase in fault.phase.split("/"))


def _ranked(findings: Sequence[Finding], library: Library) -> tuple[Finding, ...]:
    """Return findings by severity x confidence x earliness; what another finding explains counts half.

    Level `fault` comes before `watch`, whatever the product.
    """
    found = {f.fault for f in findings}
    explained = {effect for name in found for effect in _effects(name, library)}

    def order(f: Finding) -> tuple[bool, float]:
        score = _weight(library.faults[f.fault]) * f.confidence * (EXPLAINED if f.fault in explained else 1.0)
        return f.level != "fault", -score

    return tuple(sorted(findings, key=order))


def _effects(name: str, library: Library) -> set[str]:
    """Return every fault that this one tends to cause, near or far."""
    seen: set[str] = set()
    queue = list(library.faults[name].leads_to)
    while queue:
        effect = queue.pop()
        if effect not in seen and effect != name:
            seen.add(effect)
            queue.extend(library.faults[effect].leads_to)
    return seen
