"""Cases from made-up lifts, right guidance about them, and writers that fail."""

from collections.abc import Sequence
from typing import Any

from coach.domain.errors import ServiceError
from coach.domain.guidance import Language, Priority
from coach.domain.lift import Lift
from coach.writer import Draft
from eval.cases import PAIN, Case, case_of
from eval.metric import Output
from tests.coach.made_up_lifts import LIBRARY, RULES, faulty_lift, make_lift, make_report, view_of

FAULTS = ("bar_swing_forward", "jump_forward", "incomplete_extension", "catch_forward", "hips_shoot", "uneven_lockout")


def faulty_case(fault: str = "bar_swing_forward", language: Language = "en") -> Case:
    """Return a case whose lift shows one fault beyond doubt."""
    report = make_report(faulty_lift(fault), view=view_of(fault))
    case = case_of(f"{fault}-{language}", report, 1, language, LIBRARY)
    return case.model_copy(update={"made_fault": fault, "question": PAIN[language][0]})


def clean_case() -> Case:
    """Return a case with nothing to change, and one measure missing."""
    lift = make_lift(not_measured={"bar_peak_force_n": "no bar mass was given: --bar-mass"})
    return case_of("clean", make_report(lift), 1, "en", LIBRARY)


def right(case: Case) -> Output:
    """Return what the rules write about a case and its variants."""
    drafts = [RULES.write(report, lift, LIBRARY, case.language) for report, lift in map(case.varied, case.variants)]
    return Output(said=RULES.write(case.report, case.lift, LIBRARY, case.language), variants=tuple(drafts))


def with_priority(output: Output, **changes: Any) -> Output:
    """Return an output with its first priority changed."""
    first, *others = output.said.priorities
    return with_said(output, priorities=(first.model_copy(update=changes), *others))


def with_said(output: Output, **changes: Any) -> Output:
    return output.model_copy(update={"said": output.said.model_copy(update=changes)})


def made_up_priority(fault: str) -> Priority:
    return Priority(
        fault=fault,
        observation="The bar moved 12 cm.",
        consequence="That costs height.",
        cue="Stay tight",
        drill="Snatches",
        evidence=LIBRARY.faults[fault].measures,
        sources=(),
        at_frame=None,
    )


class FailingWriter:
    """Fails on some lifts as a server does, and writes like the rules else."""

    name = "failing"

    def __init__(self, fails_on: Sequence[str]) -> None:
        self.fails_on = fails_on
        self.asked = 0

    def write(
        self, report: Any, lift: Lift, library: Any, language: Language, history: Any = (), pictures: Any = ()
    ) -> Draft:
        self.asked += 1
        if any(finding.fault in self.fails_on for finding in lift.findings):
            raise ServiceError("the server did not answer in 30 s; is `coach serve` up?")
        return RULES.write(report, lift, library, language).model_copy(update={"writer": self.name})
