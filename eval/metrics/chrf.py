"""How close a text comes to what a coach wrote, in characters."""

from eval.cases import Case
from eval.metric import Output, whole_text


def create() -> "Chrf":
    """Return the metric.

    Raises:
        ModuleNotFoundError: sacrebleu is not installed.
    """
    return Chrf()


class Chrf:
    """chrF2 of the whole text against the reference of the case, 0 to 1; None without a reference.

    F-score, recall counted twice, of runs of one to six characters without spaces, so that Chinese needs no words cut.

    Source: Popović, "chrF: character n-gram F-score for automatic MT evaluation", WMT 2015; sacrebleu's defaults.
    """

    name = "chrf"
    is_higher_better = True

    def __init__(self) -> None:
        """Load sacrebleu."""
        from sacrebleu.metrics.chrf import CHRF

        self._chrf = CHRF()

    def score(self, case: Case, output: Output) -> float | None:
        """Return the score, 0 to 1."""
        if not case.reference:
            return None
        return self.of(whole_text(output.said), case.reference)

    def of(self, text: str, reference: str) -> float:
        """Return how close a text comes to a reference, 0 to 1."""
        return float(self._chrf.sentence_score(text, [reference]).score) / 100
