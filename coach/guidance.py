"""From a lift with findings to guidance: a writer drafts, the check decides what may be said."""

from collections.abc import Sequence

from coach.check import check_guidance
from coach.domain.guidance import Guidance, Language
from coach.domain.lift import Lift, Report
from coach.writer import Writer
from corpus.knowledge.library import Library

_NO_LIFT = Lift(lift="unknown", number=0, outcome="no_attempt", instants={}, measures={}, not_measured={})


def write_guidance(
    report: Report,
    lift: Lift | None,
    library: Library,
    writer: Writer,
    language: Language,
    history: Sequence[Lift] = (),
) -> Guidance:
    """Return checked guidance about one lift; nothing that a writer says reaches an athlete unchecked.

    Args:
        report: The whole analysis.
        lift: The lift to speak about, with its findings; None when the clip holds none.
        library: Fault texts and phrases.
        writer: Who drafts.
        language: Language of the guidance.
        history: Earlier lifts of the same lifter, oldest first.
    """
    draft = writer.write(report, lift, library, language, history)
    known = lift or _NO_LIFT
    return check_guidance(draft, known, known.findings, library)
