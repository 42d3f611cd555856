"""Whether the first thing to work on is the right one."""

from eval.cases import Case
from eval.metric import Output


def create() -> "PriorityHit":
    """Return the metric."""
    return PriorityHit()


class PriorityHit:
    """1 when the first priority is the first fault by the rules' judgement; for a clean lift, when there is none."""

    name = "priority_hit"
    is_higher_better = True

    def score(self, case: Case, output: Output) -> float | None:
        """Return 1 or 0."""
        first = [p.fault for p in output.said.priorities][:1]
        return float(first == list(case.expected[:1]))
