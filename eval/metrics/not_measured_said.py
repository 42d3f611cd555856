"""Whether a text says what was not measured."""

from coach.patterns import word_index
from coach.quantities import normalised
from eval.cases import Case
from eval.metric import Output, library


def create() -> "NotMeasuredSaid":
    """Return the metric."""
    return NotMeasuredSaid()


class NotMeasuredSaid:
    """Measures that are missing and are named under "not measured" / measures that are missing.

    A measure that was measured and is called not measured counts against it: it is one more to be right about.
    None when everything was measured.
    """

    name = "not_measured_said"
    is_higher_better = True

    def score(self, case: Case, output: Output) -> float | None:
        """Return the share, 0 to 1."""
        missing = set(case.lift.not_measured) & set(library().measures)
        if not missing:
            return None
        index = word_index(library()).measures
        told = [hit.ids for text in output.said.not_measured for hit in index.find(normalised(text))]
        named = {name for ids in told for name in ids}
        wrong = [ids for ids in told if not ids & missing and ids & set(case.lift.measures)]
        return len(missing & named) / (len(missing) + len(wrong))
