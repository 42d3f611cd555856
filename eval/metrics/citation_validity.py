"""Whether the sources that a text cites exist and belong to what it says."""

from eval.cases import Case
from eval.metric import Output, library


def create() -> "CitationValidity":
    """Return the metric."""
    return CitationValidity()


class CitationValidity:
    """Cited sources that exist in the library and stand in the record of their priority's fault / cited sources.

    A priority that cites nothing counts as one wrong source. None without priorities.
    """

    name = "citation_validity"
    is_higher_better = True

    def score(self, case: Case, output: Output) -> float | None:  # noqa: ARG002
        """Return the share, 0 to 1."""
        marks: list[bool] = []
        for priority in output.said.priorities:
            fault = library().faults.get(priority.fault)
            own = set(fault.sources) & set(library().sources) if fault else set()
            marks += [source in own for source in priority.sources] or [False]
        return sum(marks) / len(marks) if marks else None
