"""Whether the fault that the simulator made is among the priorities."""

from eval.cases import Case
from eval.metric import Output, library


def create() -> "MadeFaultHit":
    """Return the metric."""
    return MadeFaultHit()


class MadeFaultHit:
    """1 when a priority names the fault that was made in the lift, whatever the rules judge.

    None when nobody knows what was made, or its measure is missing, so that no writer could know.
    """

    name = "made_fault_hit"
    is_higher_better = True

    def score(self, case: Case, output: Output) -> float | None:
        """Return 1 or 0."""
        if case.made_fault is None or library().faults[case.made_fault].measures[0] not in case.lift.measures:
            return None
        return float(case.made_fault in {p.fault for p in output.said.priorities})
