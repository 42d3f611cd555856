"""What a user may say about a clip before it is analysed."""

from coach.domain.base import Record
from coach.domain.errors import InputError
from coach.domain.lift import LiftName

PLATE_DIAMETER_M = 0.450  # m, IWF competition disc, TCRR

_LIMITS = {
    "bar_mass_kg": (5.0, 300.0, "the mass of bar, plates and collars"),
    "body_mass_kg": (25.0, 250.0, "the athlete's body mass"),
    "height_m": (1.2, 2.3, "the athlete's standing height"),
    "plate_diameter_m": (0.15, 0.60, "the diameter of the largest plate"),
    "frame_rate_hz": (5.0, 2000.0, "the true recording rate"),
}


class AnalysisSettings(Record):
    """The options of one analysis; None means not told. `markers` is the file of the estimator `trc`."""

    bar_mass_kg: float | None = None
    body_mass_kg: float | None = None
    height_m: float | None = None
    plate_diameter_m: float = PLATE_DIAMETER_M
    frame_rate_hz: float | None = None
    lift: LiftName | None = None
    pose: str = "blazepose"
    markers: str | None = None

    def checked(self) -> "AnalysisSettings":
        """Return these settings if every number is physically plausible.

        Raises:
            InputError: A number lies outside what a lifter, bar or camera can have.
        """
        for name, (low, high, what) in _LIMITS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                unit = name.rsplit("_", 1)[1]
                raise InputError(
                    f"{what} cannot be {value:g} {unit}: give a number from {low:g} to {high:g} {unit}, or leave it out"
                )
        return self
