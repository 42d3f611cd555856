"""How many of the faults that a text claims were found."""

from eval.cases import Case
from eval.metric import Output, faults_claimed


def create() -> "FaultPrecision":
    """Return the metric."""
    return FaultPrecision()


class FaultPrecision:
    """Claimed faults that were found in the lift / claimed faults.

    Claimed is the fault of every priority, and every fault that strength or observation names without denying it.
    1 when none is claimed: nothing wrong was said.
    """

    name = "fault_precision"
    is_higher_better = True

    def score(self, case: Case, output: Output) -> float | None:
        """Return the share, 0 to 1."""
        claimed = faults_claimed(output.said)
        found = {f.fault for f in case.lift.findings}
        return len(claimed & found) / len(claimed) if claimed else 1.0
