"""Plain words for people: instants, lifts, outcomes, sources, and measures in the unit a person would use."""

from coach.domain.base import Record
from coach.domain.lift import InstantName, LiftName, Outcome
from coach.domain.measures import MEASURES, Measure, Source

INSTANT_WORDS: dict[InstantName, str] = {
    "dip_start": "start of the dip",
    "dip_bottom": "bottom of the dip",
    "lift_off": "lift-off",
    "start": "start",
    "end_first_pull": "end of first pull",
    "power_position": "power position",
    "peak_velocity": "peak speed",
    "max_height": "max height",
    "catch": "catch",
    "recovered": "recovered",
}

LIFT_WORDS: dict[LiftName, str] = {
    "snatch": "Snatch",
    "clean": "Clean",
    "jerk": "Jerk",
    "pull": "Pull",
    "squat": "Squat",
    "deadlift": "Deadlift",
    "unknown": "Lift",
}

OUTCOME_WORDS: dict[Outcome, str] = {
    "caught": "caught",
    "caught_no_drop": "caught without a drop",
    "not_caught": "not caught",
    "caught_then_lost": "caught, then lost",
    "no_attempt": "bar stayed below the knee",
}

SOURCE_WORDS: dict[Source, str] = {"plate": "plate", "hands": "hands", "body": "body pose"}

PLOT_WORDS: dict[str, str] = {
    "bar_path": "Bar path from the side, coloured by speed",
    "height_velocity": "Height and upward velocity of the bar",
    "force": "Vertical force on the bar",
    "joint_angles": "Joint angles of the side nearer the camera",
}
"""What each plot of a lift shows; the files are `plots/lift<number>-<name>.png`."""

_UNIT_WORDS = {"m/s2": "m/s²", "N s": "N·s", "deg": "°", "1": ""}

_ABSOLUTE_SD = {"m": (0.004, 0.015), "s": (0.015, 0.04), "deg": (2.5, 6.0), "m/s": (0.03, 0.10), "1": (0.008, 0.03)}
"""SD up to which a value near zero still counts as precise or fair, by unit."""

_RELATIVE_SD = (0.03, 0.10)
"""SD over value up to which a measure counts as precise or fair."""


class ShownMeasure(Record):
    """One measure as text; the three numbers share one unit and one number of decimals."""

    name: str
    value: str
    low: str
    high: str
    unit: str

    @property
    def with_unit(self) -> str:
        """Return value and unit, such as `13 cm`."""
        return self.value + ("" if self.unit in ("", "°") else " ") + self.unit

    @property
    def interval(self) -> str:
        """Return the 90 % interval without unit, such as `11 to 15`."""
        return f"{self.low} to {self.high}"


def measure_name(measure_id: str) -> str:
    """Return what a measure is called, or its id with spaces when the catalogue does not know it."""
    return MEASURES[measure_id].name if measure_id in MEASURES else plain(measure_id)


def plain(identifier: str) -> str:
    """Return an identifier as words: underscores become spaces."""
    return identifier.replace("_", " ").strip()


def show_measure(measure_id: str, measure: Measure) -> ShownMeasure:
    """Return a measure as text, lengths below 1 m in centimetres, with the decimals of the catalogue."""
    decimals = MEASURES[measure_id].decimals if measure_id in MEASURES else 2
    factor, unit = 1.0, _UNIT_WORDS.get(measure.unit, measure.unit)
    if measure.unit == "m" and max(abs(measure.low), abs(measure.value), abs(measure.high)) < 1:
        factor, unit, decimals = 100.0, "cm", max(decimals - 2, 0)
    elif measure_id.endswith("_loss_ratio"):
        factor, unit, decimals = 100.0, "%", max(decimals - 2, 0)
    return ShownMeasure(
        name=measure_name(measure_id),
        value=_number(measure.value * factor, decimals),
        low=_number(measure.low * factor, decimals),
        high=_number(measure.high * factor, decimals),
        unit=unit,
    )


def _number(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def precision_word(measure: Measure) -> str:
    """Return `precise`, `fair` or `rough`: how wide the 90 % interval is for such a measure."""
    absolute = _ABSOLUTE_SD.get(measure.unit, (0.0, 0.0))
    for word, sd, share in zip(("precise", "fair"), absolute, _RELATIVE_SD, strict=True):
        if measure.sd <= max(sd, share * abs(measure.value)):
            return word
    return "rough"
