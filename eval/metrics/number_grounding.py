"""How many of the numbers in a text are supported by the lift."""

import re

from eval.cases import Case
from eval.metric import Output, checked, whole_text

_OPEN_QUOTE = re.compile(r"\{[^{}]*\}")  # a quote that named nothing measured


def create() -> "NumberGrounding":
    """Return the metric."""
    return NumberGrounding()


class NumberGrounding:
    """Supported numbers / numbers found, as the check counts them; a quote that could not be filled is a number too.

    A number is supported when it is the value, the interval or the frame of the measure its sentence names, in the
    right unit, sign and rounding, or stands in a sentence of the library word for word. None when there is no number.
    """

    name = "number_grounding"
    is_higher_better = True

    def score(self, case: Case, output: Output) -> float | None:
        """Return the share, 0 to 1."""
        found, supported = counts(case, output)
        return supported / found if found else None


def counts(case: Case, output: Output) -> tuple[int, int]:
    """Return how many numbers a text holds, and how many of them are supported."""
    check = checked(case, output.said).check
    return check.numbers_found + len(_OPEN_QUOTE.findall(whole_text(output.said))), check.numbers_supported
