"""Measures quoted by id: a writer says `{bar_drop_m}`, and the number, its unit and its interval come from the lift.

{bar_drop_m}           18 cm (15–21 cm)      value and 90 % interval
{-bar_to_foot_catch_m} 4 cm (3–5 cm)         counted the other way: for `behind`, `to the left`
{bar_drop_m.directed}  4 cm (3–5 cm) back    with a word for the sign, where the measure has one
{bar_drop_m.frame}     62                    the frame it belongs to
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from coach.domain.guidance import Language
from coach.domain.lift import Lift
from coach.wording import directed_text, instant_time_text, measure_text
from corpus.knowledge.library import Library

_QUOTE = re.compile(r"\{\s*(-?)\s*([^{}\s.]*)\s*(?:\.\s*(\w+))?\s*\}")


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with its quotes filled in.

    Attributes:
        text: The text; a quote that cannot be filled stays as it was written, so that no check lets it pass.
        n_quotes: How many quotes stood in it.
        unknown: Those that name nothing that was measured, as written.
    """

    text: str
    n_quotes: int
    unknown: tuple[str, ...]


def fill(text: str, lift: Lift, library: Library, language: Language) -> Filled:
    """Return the text with every quote of a measure replaced by what was measured."""
    unknown: list[str] = []
    n_quotes = 0

    def told(match: re.Match[str]) -> str:
        nonlocal n_quotes
        n_quotes += 1
        words = _quoted(match, lift, library, language)
        if words is None:
            unknown.append(match.group())
            return match.group()
        return words

    return Filled(text=_QUOTE.sub(told, text), n_quotes=n_quotes, unknown=tuple(unknown))


def _quoted(match: re.Match[str], lift: Lift, library: Library, language: Language) -> str | None:
    minus, name, part = match.groups()
    instant = lift.instants.get(name)  # type: ignore[arg-type]
    if instant is not None and not minus:
        return {"frame": str(instant.frame), "time": instant_time_text(instant, language)}.get(part)
    measure = lift.measures.get(name)
    if measure is None:
        return None
    if part is None:
        return measure_text(name, measure, language, mirrored=bool(minus))
    if part == "frame" and not minus and measure.frame is not None:
        return str(measure.frame)
    if part == "directed" and not minus:
        return directed_text(name, measure, library.measures[name].axis, language)
    return None


def has_open_quote(text: str) -> bool:
    """Return whether the text ends inside a quote, as a stream may."""
    return text.rfind("{") > text.rfind("}")


def quote(text: str, lift: Lift, library: Library, language: Language, first: Sequence[str] = ()) -> str:
    """Return the text with measured numbers turned back into quotes: the inverse of `fill`.

    Args:
        text: A text whose numbers are written as `fill` writes them.
        lift: Where the numbers come from.
        library: Words of the measures.
        language: Language of the text.
        first: Ids to look for first, where two measures read alike.
    """
    names = [*(n for n in first if n in lift.measures), *(n for n in lift.measures if n not in first)]
    for name in names:
        measure = lift.measures[name]
        forms = {
            f"{{{name}.directed}}": directed_text(name, measure, library.measures[name].axis, language),
            f"{{{name}}}": measure_text(name, measure, language),
            f"{{-{name}}}": measure_text(name, measure, language, mirrored=True),
        }
        if forms[f"{{{name}.directed}}"] == forms[f"{{{name}}}"]:
            del forms[f"{{{name}.directed}}"]
        for written, shown in sorted(forms.items(), key=lambda form: -len(form[1])):
            text = re.sub(rf"(?<![\d.−-]){re.escape(shown)}", written, text)
    for instant, at in lift.instants.items():
        if at is not None:
            shown = re.escape(instant_time_text(at, language))
            found = re.search(rf"(?<!\d){at.frame}(?!\d)([^{{}}]{{0,20}}?){shown}", text)
            if found:
                said = f"{{{instant}.frame}}{found[1]}{{{instant}.time}}"
                text = text[: found.start()] + said + text[found.end() :]
    return _quote_frames(text, lift)


def _quote_frames(text: str, lift: Lift) -> str:
    """Return the text with the frame that follows a quote turned into a quote of the same measure."""
    pattern = re.compile(r"(\{-?(\w+)(?:\.directed)?\}[^{}.。]*?)(?<!\d)(\d+)(?!\d)")

    def told(match: re.Match[str]) -> str:
        measure = lift.measures.get(match[2])
        if measure is None or str(measure.frame) != match[3]:
            return match.group()
        return f"{match[1]}{{{match[2]}.frame}}"

    return pattern.sub(told, text)
