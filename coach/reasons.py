"""Why something was not measured, in the language of the athlete."""

import re

from coach.domain.guidance import Language
from coach.domain.lift import Lift
from coach.domain.measures import MEASURES
from corpus.knowledge.library import Library

_CATEGORIES = (  # what a reason is about, by the words that perception uses for it; the first match wins
    ("mass", r"\bmass\b"),
    ("height", r"height of the athlete was not told"),
    ("rate", r"frame rate|frames (?:per|a) second|\bfps\b"),
    ("version", r"this version"),
    ("no_fall", r"dropped freely"),
    ("cut", r"\bcuts?\b|replay"),
    ("camera", r"camera (?:is )?mov|moving camera|pans?\b"),
    ("view", r"\bviews?\b|from the side|from the front|oblique|yaw"),
    ("scale", r"\bscale\b|px per m|pixels per met"),
    ("catch", r"not caught|no catch|\bcatch\b|no descent|no drop"),
    ("instant", r"no clear transition"),
    ("body", r"hides the (?:hip|knee|ankle|foot|feet|shoulder|elbow|wrist|hand|leg|body)|were hidden"),
    ("bar", r"\bbar\b|\bplates?\b|\bhands?\b|\btrack"),
    ("body", r"\bpose\b|visib|athlete|joint|keypoint|hip|knee|ankle|foot|feet|shoulder|elbow|wrist|occlu|hidden"),
    ("instant", r"instant|transition|start|power position|peak|lift-off|apex"),
)


def reason_text(reason: str, library: Library, language: Language) -> str:
    """Return a reason of perception as it is said to the athlete: as it stands in English, by its kind else."""
    if language == "en":
        return reason.rstrip(". ")
    lowered = reason.lower()
    kind = next((name for name, pattern in _CATEGORIES if re.search(pattern, lowered)), "other")
    return library.texts[language].say(f"cat_{kind}")


def grouped_not_measured(lift: Lift, library: Library, language: Language) -> tuple[str, ...]:
    """Return one sentence per reason, with the measures that it took."""
    words = library.texts[language]
    groups: dict[str, list[str]] = {}
    for name in sorted(lift.not_measured, key=list(MEASURES).index if set(lift.not_measured) <= set(MEASURES) else str):
        if name in library.measures:
            reason = reason_text(lift.not_measured[name], library, language)
            groups.setdefault(reason, []).append(library.measures[name].texts[language].name)
    separator = words.say("name_separator")
    return tuple(words.say("unmeasured", reason=r, names=separator.join(names)) for r, names in groups.items())
