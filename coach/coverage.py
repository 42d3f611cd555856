"""How much of the technique could be judged in one lift: what was found, what was fine, and why the rest stays open."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from coach.domain.guidance import Language
from coach.domain.lift import CameraFacts, Lift
from coach.faults import decide
from coach.reasons import reason_text
from coach.wording import sentences
from corpus.knowledge.library import Fault, Library

MIN_JUDGED = 3  # faults that could be judged before "none was found" says anything
_FINE = ("inside", "own")


class Judged(NamedTuple):
    """How much of the technique could be judged, in the language of the guidance."""

    title: str
    lines: tuple[str, ...]
    details: str
    groups: list[tuple[str, list[str]]]


@dataclass(frozen=True, slots=True)
class Coverage:
    """The faults that a kind of lift can show from where the camera stood, by what became of them; ids in order.

    Attributes:
        found: Those that the measures show, whether spoken of or only watched.
        fine: Those that were measured and lie inside their limits, or inside the lifter's own spread.
        open: Reason, in the language of the athlete, and the faults that could not be judged for it; last those that
            no measure of this version tells.
        elsewhere: Those that show from another view only; in none of the counts.
        n_measurable: How many of those that show from this view this version can measure.
    """

    found: tuple[str, ...]
    fine: tuple[str, ...]
    open: tuple[tuple[str, tuple[str, ...]], ...]
    elsewhere: tuple[str, ...]
    n_measurable: int

    @property
    def n_judged(self) -> int:
        """Return how many faults could be judged."""
        return len(self.found) + len(self.fine)

    @property
    def n_faults(self) -> int:
        """Return how many faults this kind of lift can show from this view."""
        return self.n_judged + sum(len(faults) for _, faults in self.open)


def cover(
    lift: Lift, camera: CameraFacts, library: Library, language: Language, history: Sequence[Lift] = ()
) -> Coverage:
    """Return what became of every fault of this kind of lift; nothing for a kind that is not known.

    A value too close to its limit to call, or with an interval too wide, counts as not judged.

    Args:
        lift: The lift; its own `findings` are not read.
        camera: Where the camera stood.
        library: The fault library.
        language: Language of the reasons.
        history: Earlier lifts of the same lifter, oldest first.
    """
    found: list[str] = []
    fine: list[str] = []
    opened: dict[str, list[str]] = {}
    own = [fault for fault in library.faults.values() if lift.lift in fault.lifts]
    seen = [fault for fault in own if camera.view in fault.needs_view]
    for fault in sorted(seen, key=lambda fault: not fault.is_measurable):
        verdict = decide(lift, camera, fault, history)
        if verdict.finding is not None:
            found.append(fault.id)
        elif verdict.reason in _FINE:
            fine.append(fault.id)
        else:
            opened.setdefault(_reason(verdict.reason, fault, lift, library, language), []).append(fault.id)
    return Coverage(
        found=tuple(found),
        fine=tuple(fine),
        open=tuple((reason, tuple(faults)) for reason, faults in opened.items()),
        elsewhere=tuple(fault.id for fault in own if fault not in seen),
        n_measurable=sum(fault.is_measurable for fault in seen),
    )


def _reason(code: str, fault: Fault, lift: Lift, library: Library, language: Language) -> str:
    if not fault.is_measurable:
        return library.texts[language].say("reason_not_measurable")
    told = lift.not_measured.get(fault.measures[0]) if code == "missing" else None
    return reason_text(told, library, language) if told else library.texts[language].say(f"reason_{code}")


def coverage_text(coverage: Coverage, library: Library, language: Language) -> tuple[str, ...]:
    """Return how many faults could be judged and found, and what could not be judged and why; empty without faults."""
    if not coverage.n_faults:
        return ()
    words, n_found = library.texts[language], len(coverage.found)
    key = "judged_zero" if not coverage.n_judged else "judged_some" if n_found else "judged_none"
    counts = words.say(key, judged=coverage.n_judged, total=coverage.n_faults, found=n_found)
    groups = [words.say("open_group", count=len(faults), reason=why) for why, faults in coverage.open]
    if not groups:
        return (counts,)
    return counts, words.say("open", groups=words.say("group_separator").join(groups))


def coverage_lines(
    lift: Lift, camera: CameraFacts, library: Library, language: Language, history: Sequence[Lift] = ()
) -> tuple[str, ...]:
    """Return `coverage_text` of a lift."""
    return coverage_text(cover(lift, camera, library, language, history), library, language)


def coverage_sentences(
    lift: Lift, camera: CameraFacts, library: Library, language: Language, history: Sequence[Lift] = ()
) -> tuple[str, ...]:
    """Return the sentences of `coverage_lines`: the counts in them are no measures, so the check is told to trust them."""
    return tuple(s for line in coverage_lines(lift, camera, library, language, history) for s in sentences(line))


def judged_on_page(lift: Lift, camera: CameraFacts, library: Library, language: Language) -> Judged | None:
    """Return which faults were found, judged and not found, or not judged and why; None for an unknown kind of lift.

    Args:
        lift: The lift.
        camera: Where the camera stood.
        library: The fault library.
        language: In which faults and reasons are named.
    """
    words, covered = library.texts[language], cover(lift, camera, library, language)
    if not covered.n_faults:
        return None
    opened = [(f"{words.say('page_open')}: {reason}", faults) for reason, faults in covered.open]
    elsewhere = f"{words.say('page_open')}: {words.say('page_elsewhere')}"
    groups = [
        (words.say("page_found"), covered.found),
        (words.say("page_fine"), covered.fine),
        *opened,
        (elsewhere, covered.elsewhere),
    ]
    named = [(why, [library.faults[name].texts[language].name for name in faults]) for why, faults in groups if faults]
    return Judged(words.say("page_judged"), coverage_text(covered, library, language), words.say("page_each"), named)
