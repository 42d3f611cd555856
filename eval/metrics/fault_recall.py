"""How many of the faults that should be worked on are put forward."""

from eval.cases import Case
from eval.metric import Output


def create() -> "FaultRecall":
    """Return the metric."""
    return FaultRecall()


class FaultRecall:
    """Faults that may be put forward by the rules' judgement and are a priority / all that may be; two at most.

    None for a lift with nothing to change.
    """

    name = "fault_recall"
    is_higher_better = True

    def score(self, case: Case, output: Output) -> float | None:
        """Return the share, 0 to 1."""
        wanted = set(case.expected)
        return len(wanted & {p.fault for p in output.said.priorities}) / len(wanted) if wanted else None
