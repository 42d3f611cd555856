"""Whether an athlete can do something with the guidance at the next attempt."""

import re

from coach.check import MAX_PRIORITIES
from coach.domain.guidance import Priority
from corpus.knowledge.library import is_short
from eval.cases import Case
from eval.metric import Output, library

_BODY = re.compile(
    r"\b(?:knees?|hips?|elbows?|shoulders?|backs?|spine|arms?|legs?|wrists?|ankles?|chest|core|abs|glutes?|quads?|hamstrings?|"
    r"lats?|traps?|calves|muscles?|triceps|biceps|torso|trunk)\b|膝|髖|髋|臀|肘|肩|背部|脊|手臂|手腕|踝|胸(?!前)|核心|肌|軀幹|躯干",
    re.I,
)
_PLACES = re.compile(  # "bring it back", "until the knee": where the bar goes, not what the body does
    r"\b(?:bring|pull|sweep|push|drive|move|come|go|it|bar|stay|sit)\s+(?:\w+\s+)?back\b|"
    r"\b(?:until|past|over|to|reach\w*|pass\w*)\s+(?:the\s+|your\s+)?(?:knees?|hips?)\b|[過过到]膝",
    re.I,
)


def create() -> "Actionability":
    """Return the metric."""
    return Actionability()


class Actionability:
    """Mean of three marks over the priorities, halved when there are more than two.

    The cue has eight words or fewer (sixteen Chinese characters); it points outside the body (it names no joint, muscle
    or limb); the drill is one of those that belong to the fault. 0 when there is something to change and no priority;
    None when there is nothing to change and nothing is said.
    """

    name = "actionability"
    is_higher_better = True

    def score(self, case: Case, output: Output) -> float | None:
        """Return the mean, 0 to 1."""
        priorities = output.said.priorities
        if not priorities:
            return 0.0 if case.expected else None
        marks = [mark for p in priorities for mark in _marks(p, case)]
        return sum(marks) / len(marks) * (1.0 if len(priorities) <= MAX_PRIORITIES else 0.5)


def _marks(priority: Priority, case: Case) -> tuple[bool, bool, bool]:
    fault = library().faults.get(priority.fault)
    names = [drill.name for drill in fault.texts[case.language].drills] if fault else []
    return (
        bool(priority.cue) and is_short(priority.cue, case.language),
        bool(priority.cue) and is_external(priority.cue),
        any(name in priority.drill for name in names),
    )


def is_external(cue: str) -> bool:
    """Return whether a cue points at the bar, the floor or the room rather than at the body."""
    return _BODY.search(_PLACES.sub(" ", cue)) is None
