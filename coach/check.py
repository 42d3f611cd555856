"""The check of every text before an athlete sees it: numbers, units, faults and claims that the measures do not support."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from coach.claims import forbidden_claim, is_denied
from coach.domain.base import Record
from coach.domain.guidance import Check, Guidance, Language, Priority
from coach.domain.lift import Finding, Instant, Lift
from coach.domain.measures import MEASURES, Measure
from coach.patterns import Hit, verbatim, word_index
from coach.quantities import Quantity, find_quantities, has_loose_number, normalised
from coach.wording import is_in_language, sentences
from coach.writer import Draft
from corpus.knowledge.library import Fault, FaultText, Library, is_short

MAX_PRIORITIES = 2
_DIMENSIONS = {
    "m": "length",
    "m/s": "speed",
    "m/s2": "acceleration",
    "s": "time",
    "deg": "angle",
    "1": "fraction",
    "J": "energy",
    "W": "power",
    "N": "force",
    "N s": "impulse",
}
_UNFIT = re.compile(r"[{}<>]|://|\bwww\.|\]\(")  # a quote that was not filled, markup, or a link
_STATED_NOT = re.compile(  # a denial of what happened, not advice such as `do not let the bar swing`
    r"\b(?:did not|didn't|was not|wasn't|were not|weren't|has not|hasn't|no|never|without)\W+(?:\w+\W+){0,4}$|(?:沒有|没有|並未|并未)\w{0,4}$",
    re.I,
)
_UNMEASURED = re.compile(
    r"\b(?:(?:was|were|is|are|been)? ?(?:not|never)(?: been)? measured|unmeasured|(?:could not|cannot) be (?:measured|read|judged))\b"
    r"|(?:沒有|没有|無法|无法|不能)(?:量到|測量|测量|量測|判斷|判断)|量不到",
    re.I,
)
_BACKWARD = re.compile(r"\b(?:behind|back|backward\w*|rearward\w*)\b|後|后|往回", re.I)
_WORD_AFTER = re.compile(
    r"[)\s]*(?:(?:往|向)?[後后前]|(?:behind|back\w*|rearward\w*|forward\w*|in front|ahead)\b)", re.I
)
_FORWARD = re.compile(r"\b(?:front|forward\w*|ahead)\b|前", re.I)
_RIGHT = re.compile(r"\bright\b[^,;]*\bhigher\b|\bleft\b[^,;]*\blower\b|右[^，；]*高|左[^，；]*低", re.I)
_LEFT = re.compile(r"\bleft\b[^,;]*\bhigher\b|\bright\b[^,;]*\blower\b|左[^，；]*高|右[^，；]*低", re.I)


class CheckedText(Record):
    """A text after the check; `removed` holds the sentences that did not pass."""

    text: str
    numbers_found: int
    numbers_supported: int
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What a sentence may rest on.

    Attributes:
        lift: Where numbers come from.
        library: Words of measures and faults.
        faults: Ids of the faults that were found and may be named.
        evidence: Measure ids that the numbers must belong to, or None for any that the sentence names.
        trusted: Texts that pass as they stand, word for word.
        language: Script the text must be in, or None for any.
    """

    lift: Lift
    library: Library
    faults: frozenset[str]
    evidence: frozenset[str] | None
    trusted: re.Pattern[str]
    language: Language | None


def check_text(
    text: str,
    lift: Lift,
    library: Library,
    findings: Sequence[Finding] | None = None,
    evidence: Collection[str] | None = None,
    trusted: Collection[str] = (),
    language: Language | None = None,
) -> CheckedText:
    """Return the text without the sentences that the lift does not support.

    A number passes when it equals, as rounded on the page, the value of the measure that its sentence names; a range
    must equal that measure's interval, a frame its frame. Masked first: `trusted` texts word for word. Markup, links and
    quotes of measures that were not filled never pass.

    Args:
        text: Any text.
        lift: Where numbers must come from.
        library: Words of measures and faults.
        findings: Faults that may be named; the lift's own findings when None.
        evidence: Measure ids that numbers must belong to; any that the sentence names when None.
        trusted: Library texts that may hold numbers of their own, such as drills.
        language: Script the text must be in; any when None.
    """
    found = lift.findings if findings is None else findings
    context = Context(
        lift=lift,
        library=library,
        faults=frozenset(f.fault for f in found),
        evidence=None if evidence is None else frozenset(evidence),
        trusted=verbatim(normalised(t) for t in trusted),
        language=language,
    )
    return check_sentences(text, context)


def check_sentences(text: str, context: Context) -> CheckedText:
    """Return the text without the sentences that `context` does not support."""
    kept: list[str] = []
    removed: list[str] = []
    n_found = n_supported = 0
    for sentence in sentences(text):
        found, supported, refused = _check_sentence(sentence, context)
        n_found, n_supported = n_found + found, n_supported + supported
        (removed if refused else kept).append(sentence)
    glue = " " if context.language in (None, "en") else ""
    return CheckedText(
        text=glue.join(kept), numbers_found=n_found, numbers_supported=n_supported, removed=tuple(removed)
    )


def _check_sentence(sentence: str, context: Context) -> tuple[int, int, bool]:
    """Return how many numbers the sentence holds, how many are supported, and whether it must go."""
    plain = normalised(sentence)
    masked = _masked(plain, context)
    trusted = sum(len(q.numbers) for q in find_quantities(plain)) - sum(len(q.numbers) for q in find_quantities(masked))
    quantities = find_quantities(masked)
    hits = word_index(context.library).measures.find(masked)
    instants = word_index(context.library).instants.find(masked)
    words = _blanked(masked, hits)
    supported = [
        q for i, q in enumerate(quantities) if _is_supported(q, quantities[:i], words, hits, instants, context)
    ]
    n_found = max(trusted, 0) + sum(len(q.numbers) for q in quantities)
    n_supported = max(trusted, 0) + sum(len(q.numbers) for q in supported)
    refused = (
        len(supported) < len(quantities)
        or has_loose_number(masked, quantities, bool(hits))
        or forbidden_claim(masked) is not None
        or _names_absent_fault(masked, context)
        or _denies_what_is_so(plain, masked, hits, context)
        or _UNFIT.search(sentence) is not None
        or (context.language is not None and not is_in_language(sentence, context.language))
    )
    return n_found, n_supported, refused


def _masked(text: str, context: Context) -> str:
    """Return the text with every trusted text in it blanked, if it stands alone and is whole."""
    for pattern in (context.trusted, word_index(context.library).standing):
        text = pattern.sub(lambda m: " " * len(m.group()), text)
    return text


def _nearest(hits: Sequence[Hit], quantity: Quantity) -> Hit | None:
    """Return the hit that a number belongs to: the last one before it, else the first after it."""
    before = [h for h in hits if h.end <= quantity.start]
    if before:
        return before[-1]
    return next((h for h in hits if h.start >= quantity.end), None)


def _blanked(text: str, hits: Sequence[Hit]) -> str:
    """Return the text without the names of measures, so that `forward loop` does not count as a direction."""
    for hit in hits:
        text = text[: hit.start] + " " * (hit.end - hit.start) + text[hit.end :]
    return text


def _is_supported(
    quantity: Quantity,
    before: Sequence[Quantity],
    text: str,
    hits: Sequence[Hit],
    instants: Sequence[Hit],
    context: Context,
) -> bool:
    if quantity.dimension == "lift":
        return quantity.numbers == (float(context.lift.number),)
    told = [q for q in before if q.dimension != "frame"]
    follows = quantity.dimension == "frame" and bool(told)  # "16 cm, frame 62": the frame of those 16 cm
    hit = _nearest(hits, told[-1] if follows else quantity)
    claimed = _claimed(hit, context)
    if quantity.dimension == "frame":
        return _is_frame(quantity, claimed, hit, _nearest(instants, quantity), context)
    if any(_matches(quantity, name, text, context) for name in claimed):
        return True
    moment = _nearest(instants, quantity)
    if quantity.dimension != "time" or context.evidence is not None or moment is None:
        return False
    if hit is not None and _distance(hit, quantity) < _distance(moment, quantity):
        return False
    found = [context.lift.instants.get(name) for name in moment.ids]  # type: ignore[call-overload]
    return any(_is_time_of(quantity, instant) for instant in found if instant is not None)


def _claimed(hit: Hit | None, context: Context) -> set[str]:
    """Return the measured ids that a number may stand for."""
    named = set(hit.ids) if hit is not None else None
    if context.evidence is not None:
        ids = set(context.evidence) if named is None else named & context.evidence
    elif named is not None:
        ids = named
    else:
        ids = set()
    return {name for name in ids if name in context.lift.measures}


def _distance(hit: Hit, quantity: Quantity) -> int:
    return quantity.start - hit.end if hit.end <= quantity.start else 1000 + hit.start - quantity.end


def _is_frame(
    quantity: Quantity, claimed: Collection[str], hit: Hit | None, moment: Hit | None, context: Context
) -> bool:
    frames = {context.lift.measures[name].frame for name in claimed}
    named = moment is not None and (hit is None or _distance(moment, quantity) <= _distance(hit, quantity))
    if context.evidence is None and moment is not None and named:
        found = [context.lift.instants.get(name) for name in moment.ids]  # type: ignore[call-overload]
        frames |= {instant.frame for instant in found if instant is not None}
    return quantity.kind == "value" and any(f is not None and quantity.numbers[0] == f for f in frames)


def _is_time_of(quantity: Quantity, instant: Instant) -> bool:
    reach = 1.645 * instant.sd_s
    value, low, high = instant.time_s, max(0.0, instant.time_s - reach), instant.time_s + reach
    return _equals(quantity, value, low, high, 0.005)


def _matches(quantity: Quantity, name: str, text: str, context: Context) -> bool:
    """Return whether a quantity says what this measure says, sign included."""
    measure = context.lift.measures[name]
    if quantity.dimension != _DIMENSIONS[measure.unit]:
        bare_ratio = quantity.dimension == "bare" and measure.unit == "1" and context.evidence is None
        if not bare_ratio:
            return False
    tolerance = max((measure.high - measure.low) / 2, _display_step(name, measure))
    for sign in _signs(name, measure, text, quantity, context.library):
        low, high = sorted((sign * measure.low, sign * measure.high))
        if _equals(quantity, sign * measure.value, low, high, tolerance):
            return True
    return False


def _display_step(name: str, measure: Measure) -> float:
    """Return half of the last digit that a page shows of a measure: a centimetre for lengths, its decimals else."""
    return 0.005 if measure.unit in ("m", "1") else 0.5 * 10.0 ** -MEASURES[name].decimals


def _signs(name: str, measure: Measure, text: str, quantity: Quantity, library: Library) -> tuple[int, ...]:
    """Return which way round a signed measure may be quoted: by the word after the number, else those of the sentence."""
    axis = library.measures[name].axis
    if axis is None:
        return (1,)
    plus, minus = (_FORWARD, _BACKWARD) if axis == "fore_aft" else (_RIGHT, _LEFT)
    after = _WORD_AFTER.match(text, quantity.end) if axis == "fore_aft" else None
    said = after.group() if after else text
    says_plus, says_minus = bool(plus.search(said)), bool(minus.search(said))
    if axis == "height":
        agrees = says_plus == says_minus or says_plus == (measure.value >= 0)
        return ((1,) if measure.value >= 0 else (1, -1)) if agrees else ()
    if says_minus and not says_plus:
        return (-1,)
    return (1,) if not says_minus else ((1,) if measure.value >= 0 else (-1,))


def _equals(quantity: Quantity, value: float, low: float, high: float, tolerance: float) -> bool:
    """Return whether the numbers, as rounded on the page, are these; a range is the interval, a lone number the value."""
    wanted = {
        "value": (value,),
        "range": (low, high),
        "spread": (value, (high - low) / 2),
        "at_least": (low,),
        "at_most": (high,),
    }[quantity.kind]
    pairs = zip(quantity.numbers, quantity.half_steps, wanted, strict=True)
    return all(
        abs(x - want) <= half * (1 + 1e-9) + 1e-9 and abs(x - want) <= tolerance + 1e-9 for x, half, want in pairs
    )


def _names_absent_fault(text: str, context: Context) -> bool:
    """Return whether the text claims a fault that was not found."""
    hits = word_index(context.library).faults.find(text)
    return any(not hit.ids & context.faults and not is_denied(text[: hit.start]) for hit in hits)


def _denies_what_is_so(plain: str, masked: str, hits: Sequence[Hit], context: Context) -> bool:
    """Return whether the text denies a fault that was found, praises its opposite, or calls a measure not measured."""
    found = [text for name in context.faults for text in context.library.faults[name].texts.values()]
    said = plain.lower()
    if any(normalised(part).lower() in said for text in found for part in (text.absence, text.strength) if part):
        return True
    if any(hit.ids & context.faults and _STATED_NOT.search(masked[: hit.start]) for hit in _faults(masked, context)):
        return True
    named = {name for hit in hits for name in hit.ids}
    measured = set(context.lift.measures) - set(context.lift.not_measured)
    return bool(named) and named <= measured and _UNMEASURED.search(masked) is not None


def _faults(masked: str, context: Context) -> Sequence[Hit]:
    return word_index(context.library).faults.find(masked)


def check_guidance(
    draft: Draft, lift: Lift, findings: Sequence[Finding], library: Library, counts: Collection[str] = ()
) -> Guidance:
    """Return the draft as guidance that holds only what the measures support.

    Cue, drill and consequence fall back to the library's own; an observation that does not pass takes its priority
    with it; whatever was taken out stands in `check.removed`.

    Args:
        draft: What a writer wrote.
        lift: Where numbers must come from.
        findings: Faults that may be named.
        library: Words of measures and faults.
        counts: What `coverage_lines` says of this lift: it passes word for word in `not_measured`, and the numbers in it
            are no measures, so they are not counted.
    """
    tally = _Tally(lift, findings, library, draft.language)
    strength = tally.text(draft.strength, draft.strength_evidence or None)
    priorities = [p for p in (tally.priority(p) for p in draft.priorities[:MAX_PRIORITIES]) if p is not None]
    for extra in draft.priorities[MAX_PRIORITIES:]:
        tally.remove(extra)
    reasons = tuple(lift.not_measured.values())
    unmeasured = [t if t in counts else tally.text(t, trusted=reasons) for t in draft.not_measured]
    next_film = tally.text(draft.next_film)
    safety = tally.text(draft.safety, trusted=[f.texts[draft.language].safety for f in tally.faults()])
    return Guidance(
        language=draft.language,
        writer=draft.writer,
        model=draft.model,
        adapter=draft.adapter,
        strength=strength,
        priorities=tuple(priorities),
        next_film=next_film,
        safety=safety or library.texts[draft.language].say("safety"),
        not_measured=tuple(text for text in unmeasured if text),
        check=Check(numbers_found=tally.found, numbers_supported=tally.supported, removed=tuple(tally.removed)),
    )


class _Tally:
    """Counts what the check of one guidance found."""

    def __init__(self, lift: Lift, findings: Sequence[Finding], library: Library, language: Language) -> None:
        self.lift, self.findings, self.library, self.language = lift, findings, library, language
        self.found = 0
        self.supported = 0
        self.removed: list[str] = []

    def faults(self) -> list[Fault]:
        return [self.library.faults[f.fault] for f in self.findings]

    def text(self, text: str, evidence: Collection[str] | None = None, trusted: Collection[str] = ()) -> str:
        checked = check_text(
            text, self.lift, self.library, self.findings, evidence=evidence, trusted=trusted, language=self.language
        )
        self.found += checked.numbers_found
        self.supported += checked.numbers_supported
        self.removed.extend(checked.removed)
        return checked.text

    def remove(self, priority: Priority) -> None:
        """Take a whole priority out; its numbers count as found, not as supported."""
        parts = (priority.observation, priority.consequence, priority.cue, priority.drill)
        self.found += sum(len(q.numbers) for part in parts for q in find_quantities(normalised(part)))
        self.removed.extend(part for part in parts if part)

    def priority(self, draft: Priority) -> Priority | None:
        finding = next((f for f in self.findings if f.fault == draft.fault), None)
        evidence = tuple(name for name in draft.evidence if finding and name in finding.measures)
        evidence = tuple(name for name in evidence if name in self.lift.measures)
        if finding is None or not evidence:
            self.remove(draft)
            return None
        fault = self.library.faults[draft.fault]
        words = fault.texts[self.language]
        observation = self.text(draft.observation, evidence)
        consequence = self.text(draft.consequence, evidence, (words.consequence,)) or words.consequence
        cue, drill = self._cue(draft.cue, words, evidence), self._drill(draft.drill, words, evidence)
        if not find_quantities(normalised(observation)):  # an observation without its number is an opinion
            self.removed.extend([observation] if observation else [])
            return None
        frames = [self.lift.measures[name].frame for name in evidence]
        return Priority(
            fault=draft.fault,
            observation=observation,
            consequence=consequence,
            cue=cue,
            drill=drill,
            evidence=evidence,
            sources=tuple(s for s in draft.sources if s in fault.sources),
            at_frame=draft.at_frame if draft.at_frame in frames else frames[0],
        )

    def _cue(self, cue: str, words: FaultText, evidence: Collection[str]) -> str:
        checked = self.text(cue, evidence, words.cues)
        if checked and is_short(checked, self.language):
            return checked
        if checked:
            self.removed.append(cue)
        return words.cues[0]

    def _drill(self, drill: str, words: FaultText, evidence: Collection[str]) -> str:
        lines = tuple(d.line(self.language) for d in words.drills)
        return self.text(drill, evidence, lines) or words.drill_for(self.lift.lift).line(self.language)
