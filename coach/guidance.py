"""From a lift with findings to guidance: a writer drafts, the check decides what may be said, a model may repair once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from coach.check import check_guidance
from coach.coverage import coverage_lines
from coach.domain.conversation import Picture
from coach.domain.errors import ServiceError
from coach.domain.guidance import Guidance, Language
from coach.domain.lift import Lift, Report
from coach.prompts import cueable, pictures_of
from coach.writer import Draft, Repairs, Writer
from coach.writers.rules import RulesWriter
from corpus.knowledge.library import Library

_NO_LIFT = Lift(lift="unknown", number=0, outcome="no_attempt", instants={}, measures={}, not_measured={})


def write_guidance(
    report: Report,
    lift: Lift | None,
    library: Library,
    writer: Writer,
    language: Language,
    history: Sequence[Lift] = (),
    pictures: Sequence[Picture] = (),
    tell: Callable[[str], None] | None = None,
) -> Guidance:
    """Return checked guidance about one lift; nothing that a writer says reaches an athlete unchecked.

    A writer that can repair is asked once more when something did not pass. When its server fails, or what is left is
    not enough, the rules write instead: `writer` in the guidance says so, and so does `tell`.

    Args:
        report: The whole analysis.
        lift: The lift to speak about, with its findings; None when the clip holds none.
        library: Fault texts and phrases.
        writer: Who drafts.
        language: Language of the guidance.
        history: Earlier lifts of the same lifter, oldest first.
        pictures: Key frames of the lift, for writers that look.
        tell: Called with a sentence for the athlete when the rules had to step in.
    """
    job = _Job(report, lift or _NO_LIFT, library, language, history, pictures)
    about = f"lift {lift.number}" if lift else "this clip"
    try:
        draft = writer.write(report, lift, library, language, history, pictures)
        guidance: Guidance | None = job.checked(draft)
        if lift is not None and isinstance(writer, Repairs) and guidance is not None:
            guidance = _held(job, writer, draft, guidance)
        trouble = "what the model wrote does not hold, even after a second try"
    except ServiceError as problem:
        guidance, trouble = None, str(problem)
    if guidance is not None:
        return guidance
    if tell is not None:
        tell(f"the guidance about {about} comes from the rules writer: {trouble}")
    return job.checked(RulesWriter().write(report, lift, library, language, history))


@dataclass(frozen=True, slots=True)
class _Job:
    """Everything guidance about one lift rests on."""

    report: Report
    lift: Lift
    library: Library
    language: Language
    history: Sequence[Lift]
    pictures: Sequence[Picture]

    def checked(self, draft: Draft) -> Guidance:
        counts = coverage_lines(self.lift, self.report.camera, self.library, self.language, self.history)
        return check_guidance(draft, self.lift, self.lift.findings, self.library, counts)

    def lacking(self, guidance: Guidance) -> list[str]:
        """Return what guidance must say and does not."""
        told = {p.fault for p in guidance.priorities}
        missing = [f.fault for f in cueable(self.lift, self.library, self.history) if f.fault not in told]
        lacks = [f"priorities without {fault}" for fault in missing]
        return lacks if guidance.strength else [*lacks, "no strength"]

    def is_enough(self, guidance: Guidance) -> bool:
        """Return whether guidance may stand: nothing that matters is missing, and no number was made up."""
        check = guidance.check
        return not self.lacking(guidance) and check.numbers_found == check.numbers_supported


def _held(job: _Job, writer: Repairs, draft: Draft, first: Guidance) -> Guidance | None:
    """Return the guidance of a model after one repair where it is needed; None when neither is enough."""
    wrong = [*first.check.removed, *job.lacking(first)]
    if not wrong:
        return first
    try:
        again = writer.repair(draft, wrong, job.report, job.lift, job.library, job.history, job.pictures)
    except ServiceError:
        if job.is_enough(first):
            return first
        raise
    enough = [g for g in (job.checked(again), first) if job.is_enough(g)]
    return min(enough, key=lambda g: len(g.check.removed), default=None)


def pictures_in(lift: Lift, folder: Path) -> tuple[Picture, ...]:
    """Return the key frames of an analysed lift that a model is shown; only files that lie in the folder."""
    inside = folder.resolve()
    return tuple(p for p in pictures_of(lift, folder) if p.path.is_file() and p.path.resolve().is_relative_to(inside))
