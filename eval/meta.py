"""Scores the check itself: planted errors that it must take out, and true sentences that it must leave alone."""

from collections import Counter
from collections.abc import Callable

from coach.domain.base import Record
from coach.domain.guidance import Language
from corpus.knowledge.library import load_library
from eval.cases import simulated_cases
from eval.paraphrases import is_left_alone, true_sentences
from eval.planted import check_planted, correct, is_caught, plantings

META_SEED = 3_000_000  # simulated lifts that neither train nor score a writer
BAR = 0.95
MAX_SHOWN = 5
_LANGUAGES: tuple[Language, ...] = ("en", "zh-Hant", "en", "zh-Hans", "zh-Hant")


class Kind(Record):
    """One kind of error, or the true sentences of one language: how many, how many were treated rightly."""

    name: str
    n: int
    right: int
    wrong: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Return the share that was treated rightly."""
        return self.right / self.n


class MetaScores(Record):
    """How well the check tells wrong from right; `n_forms` counts the different true sentences before numbers go in."""

    n_lifts: int
    planted: tuple[Kind, ...]
    left_alone: tuple[Kind, ...]
    n_forms: int

    @property
    def caught_share(self) -> float:
        """Return the share of all planted errors that were caught."""
        return sum(k.right for k in self.planted) / sum(k.n for k in self.planted)

    @property
    def left_share(self) -> float:
        """Return the share of all true sentences that were left alone."""
        return sum(k.right for k in self.left_alone) / sum(k.n for k in self.left_alone)


def run(n: int = 40, seed: int = META_SEED, on_progress: Callable[[str, int, int], None] | None = None) -> MetaScores:
    """Plant errors in correct guidance of simulated lifts, and say true things about them in other words.

    Args:
        n: Simulated lifts.
        seed: Of the first one.
        on_progress: Called with stage, done and total.

    Raises:
        SetupError: The simulator is not installed.
    """
    library = load_library()
    planted, true = _Tally(), _Tally()
    cases = simulated_cases(n, library, seed, on_progress=on_progress and (lambda d, t: on_progress("lifts", d, t)))
    for i, plain in enumerate(cases):
        case = plain.model_copy(update={"language": _LANGUAGES[i % len(_LANGUAGES)]})
        for error in plantings(case, library, seed + i):
            planted.count(error.kind, is_caught(error, case, library), error.sentence)
        own = check_planted(correct(case, library), case, library)
        true.count("the rules' own guidance", not own.check.removed, "; ".join(own.check.removed))
        told = plain.model_copy(update={"language": "en" if i % 2 else "zh-Hant"})
        for paraphrase, sentence in true_sentences(told, library):
            true.count(told.language, is_left_alone(sentence, told, library), sentence)
            true.forms.add(paraphrase.text)
        if on_progress:
            on_progress("check", i + 1, n)
    return MetaScores(n_lifts=n, planted=planted.kinds(), left_alone=true.kinds(), n_forms=len(true.forms))


class _Tally:
    """Counts by kind, with examples of what went wrong."""

    def __init__(self) -> None:
        self.n: Counter[str] = Counter()
        self.right: Counter[str] = Counter()
        self.wrong: dict[str, dict[str, None]] = {}
        self.forms: set[str] = set()

    def count(self, kind: str, is_right: bool, sentence: str) -> None:
        self.n[kind] += 1
        self.right[kind] += is_right
        if not is_right:
            self.wrong.setdefault(kind, {})[sentence] = None

    def kinds(self) -> tuple[Kind, ...]:
        return tuple(
            Kind(name=kind, n=self.n[kind], right=self.right[kind], wrong=tuple(self.wrong.get(kind, ()))[:MAX_SHOWN])
            for kind in self.n
        )
