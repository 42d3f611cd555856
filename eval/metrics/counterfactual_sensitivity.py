"""Whether what is said follows the measures that matter, and only those."""

from coach.quantities import find_quantities, normalised
from coach.writer import Draft
from eval.cases import Case
from eval.counterfactuals import Variant
from eval.metric import Output


def create() -> "CounterfactualSensitivity":
    """Return the metric."""
    return CounterfactualSensitivity()


class CounterfactualSensitivity:
    """Variants of the lift that the text follows / variants.

    `crossed`, a measure moved across a threshold: the priorities must be those that are to be expected then, and
    others than before. `shifted`, moved visibly on the same side: the fault stays, and the numbers of its observation
    change. `irrelevant`, a measure that judges nothing: priorities and the numbers in their observations stay. A
    variant that the writer failed on counts as not followed. None when the case has no variants.
    """

    name = "counterfactual_sensitivity"
    is_higher_better = True

    def score(self, case: Case, output: Output) -> float | None:
        """Return the share, 0 to 1."""
        pairs = list(zip(case.variants, output.variants, strict=False))
        if not pairs:
            return None
        return sum(_follows(variant, output.said, then) for variant, then in pairs) / len(case.variants)


def _follows(variant: Variant, before: Draft, after: Draft | None) -> bool:
    if after is None:
        return False
    said, then = _observed(before), _observed(after)
    if variant.kind == "crossed":
        return set(then) == set(variant.expected) and set(then) != set(said)
    if variant.kind == "irrelevant":
        return said == then
    fault = variant.expected[0]
    return fault in said and fault in then and said[fault] != then[fault]


def _observed(said: Draft) -> dict[str, tuple[tuple[float, ...], ...]]:
    """Return the numbers in the observation of each fault; frames are left out, since they do not move."""
    return {
        p.fault: tuple(q.numbers for q in find_quantities(normalised(p.observation)) if q.dimension != "frame")
        for p in said.priorities
    }
