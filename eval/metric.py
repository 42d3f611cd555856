"""What a metric of guidance is, and the texts it looks at."""

from typing import Protocol

from coach.check import check_guidance
from coach.claims import is_denied
from coach.coverage import coverage_lines
from coach.domain.backends import Backends
from coach.domain.base import Record
from coach.domain.guidance import Guidance
from coach.patterns import word_index
from coach.quantities import normalised
from coach.wording import sentences
from coach.writer import Draft
from corpus.knowledge.library import Library, load_library
from eval.cases import Case


class Output(Record):
    """What was written about one case, or what is left of it after the check.

    Attributes:
        said: The guidance; as written, or as shown to the athlete.
        variants: What was said about each variant of the case; None where the writer failed.
        answer: The answer to the question of an athlete in pain.
    """

    said: Draft
    variants: tuple[Draft | None, ...] = ()
    answer: str | None = None


class Metric(Protocol):
    """Scores what was written about one case, without a model."""

    name: str
    is_higher_better: bool

    def score(self, case: Case, output: Output) -> float | None:
        """Return the score, or None when this case cannot tell."""
        ...


METRICS: Backends[Metric] = Backends("eval.metrics", "metric", extra="eval")


def all_metrics() -> tuple[Metric, ...]:
    """Return every metric, by name."""
    return tuple(METRICS.load(name) for name in METRICS.names())


def library() -> Library:
    """Return the library that ships with the package: what metrics judge by."""
    return load_library()


def as_draft(guidance: Guidance, written: Draft | None) -> Draft:
    """Return checked guidance in the form of a draft, so that both are scored alike."""
    return Draft(
        language=guidance.language,
        writer=guidance.writer,
        model=guidance.model,
        adapter=guidance.adapter,
        strength=guidance.strength,
        strength_evidence=written.strength_evidence if written and written.writer == guidance.writer else (),
        priorities=guidance.priorities,
        next_film=guidance.next_film,
        safety=guidance.safety,
        not_measured=guidance.not_measured,
    )


def texts_of(said: Draft) -> tuple[str, ...]:
    """Return everything that an athlete would read, part by part."""
    told = [part for p in said.priorities for part in (p.observation, p.consequence, p.cue, p.drill)]
    parts = (said.strength, *told, said.next_film, said.safety, *said.not_measured)
    return tuple(part for part in parts if part)


def whole_text(said: Draft) -> str:
    """Return everything that an athlete would read, one part a line."""
    return "\n".join(texts_of(said))


def faults_claimed(said: Draft) -> set[str]:
    """Return the faults that a text claims: its priorities, and those it names without denying them."""
    claimed = {p.fault for p in said.priorities}
    index = word_index(library()).faults
    for text in (said.strength, *(p.observation for p in said.priorities)):
        for sentence in map(normalised, sentences(text)):
            named = [hit for hit in index.find(sentence) if not is_denied(sentence[: hit.start])]
            claimed |= {next(iter(sorted(hit.ids))) for hit in named if not hit.ids & claimed}
    return claimed


def checked(case: Case, said: Draft) -> Guidance:
    """Return what the check leaves of a text about a case."""
    counts = coverage_lines(case.lift, case.report.camera, library(), said.language)
    return check_guidance(said, case.lift, case.lift.findings, library(), counts)
