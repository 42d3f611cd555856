"""The same lift with one measure changed: what is said must follow what matters, and nothing else."""

from typing import Literal

from coach.domain.base import Record
from coach.domain.lift import CameraFacts, Finding, Lift
from coach.domain.measures import MEASURES, Measure
from coach.faults import judge
from coach.prompts import cueable
from corpus.knowledge.library import Fault, Library

Kind = Literal["crossed", "shifted", "irrelevant"]
_UNJUDGED = ("bar_work_j", "bar_mean_power_w", "time_start_to_peak_s", "knee_angle_start_deg", "bar_catch_height_m")
_VISIBLE = 0.25  # share of itself by which a measure is moved so that anybody sees it
_NARROW = 0.3  # SD of a measure moved across a threshold, of the distance it is moved beyond


class Variant(Record):
    """One measure of a lift changed, and what should be said then.

    `crossed`: moved across the threshold of a fault, so that other faults are to be named. `shifted`: moved visibly
    on the same side, so that its number changes and the faults do not. `irrelevant`: a measure that judges nothing.
    """

    kind: Kind
    measure: str
    moved: Measure
    findings: tuple[Finding, ...]
    expected: tuple[str, ...]

    def applied(self, lift: Lift) -> Lift:
        """Return the lift with the measure changed and the findings that follow."""
        measures = {**lift.measures, self.measure: self.moved}
        return lift.model_copy(update={"measures": measures, "findings": self.findings})


def variants_of(lift: Lift, camera: CameraFacts, library: Library) -> tuple[Variant, ...]:
    """Return up to three variants of a judged lift, one of each kind.

    Args:
        lift: The lift with its findings.
        camera: Where the camera stood.
        library: Thresholds of the faults.
    """
    expected = tuple(f.fault for f in cueable(lift, library))
    made: list[Variant | None] = []
    if expected:
        fault = library.faults[expected[0]]
        made += [
            _variant("crossed", lift, camera, library, fault.measures[0], _inside(fault, lift)),
            _variant("shifted", lift, camera, library, fault.measures[0], _further(fault, lift)),
        ]
    else:
        made.append(_newly_faulty(lift, camera, library))
    made.append(_irrelevant(lift, camera, library))
    return tuple(v for v in made if v is not None)


def _variant(
    kind: Kind, lift: Lift, camera: CameraFacts, library: Library, name: str, moved: Measure
) -> Variant | None:
    """Return the variant, or None when the judgement does not follow as its kind says."""
    changed = lift.model_copy(update={"measures": {**lift.measures, name: moved}})
    findings = judge(changed, camera, library)
    before = tuple(f.fault for f in cueable(lift, library))
    after = tuple(f.fault for f in cueable(changed.model_copy(update={"findings": findings}), library))
    if (kind == "crossed") == (set(before) == set(after)):
        return None
    return Variant(kind=kind, measure=name, moved=moved, findings=findings, expected=after)


def _moved(measure: Measure, value: float, sd: float) -> Measure:
    reach = 1.645 * sd
    value = round(value, 5)
    return measure.model_copy(update={"value": value, "low": round(value - reach, 5), "high": round(value + reach, 5)})


def _outward(fault: Fault, measure: Measure) -> float:
    if fault.direction == "outside_abs":
        return 1.0 if measure.value >= 0 else -1.0
    return -1.0 if fault.direction == "below" else 1.0


def _inside(fault: Fault, lift: Lift) -> Measure:
    """Return the fault's measure on the good side of its threshold, as far as the threshold is from being a fault."""
    measure = lift.measures[fault.measures[0]]
    away = abs(fault.threshold.fault - fault.threshold.watch) + 3 * measure.sd
    if fault.direction == "outside_abs":
        return _moved(measure, 0.0, measure.sd)
    return _moved(measure, fault.threshold.watch - _outward(fault, measure) * away, measure.sd)


def _further(fault: Fault, lift: Lift) -> Measure:
    measure = lift.measures[fault.measures[0]]
    step = max(_VISIBLE * abs(measure.value), 10.0 ** (1 - MEASURES[fault.measures[0]].decimals), 3 * measure.sd)
    return _moved(measure, measure.value + _outward(fault, measure) * step, measure.sd)


def _newly_faulty(lift: Lift, camera: CameraFacts, library: Library) -> Variant | None:
    """Return the lift with the first measured fault that it can show."""
    for fault in library.measurable_faults():
        name = fault.measures[0]
        measure = lift.measures.get(name)
        if measure is None or fault.reference != "absolute":
            continue
        away = abs(fault.threshold.fault - fault.threshold.watch)
        value = fault.threshold.fault + _outward(fault, measure) * away
        sd = min(measure.sd, _NARROW * away, fault.max_measurement_sd or measure.sd)
        variant = _variant("crossed", lift, camera, library, name, _moved(measure, value, sd))
        if variant is not None:
            return variant
    return None


def _irrelevant(lift: Lift, camera: CameraFacts, library: Library) -> Variant | None:
    for name in _UNJUDGED:
        measure = lift.measures.get(name)
        if measure is not None:
            moved = _moved(measure, measure.value * (1 + _VISIBLE), measure.sd)
            return _variant("irrelevant", lift, camera, library, name, moved)
    return None
