"""One entry for every simulated lift: `simulate(spec)` gives its motion, whatever the lift."""

from typing import Protocol

from perception.pose import Floats
from perception.simulator.bar_path import BarState
from perception.simulator.body import Body
from perception.simulator.compose import simulate_moves
from perception.simulator.motion import simulate_snatch
from perception.simulator.script import LiftPlan
from perception.simulator.spec import LiftSpec


class Motion(Protocol):
    """Bar and body of one clip as functions of time, in seconds after the first lift-off, dip or descent."""

    @property
    def body(self) -> Body:
        """Return the lifter's bones."""
        ...

    @property
    def start_s(self) -> float:
        """Return when the clip starts."""
        ...

    @property
    def end_s(self) -> float:
        """Return when the clip ends."""
        ...

    @property
    def lifts(self) -> tuple[LiftPlan, ...]:
        """Return the lifts of the clip as they were meant."""
        ...

    @property
    def release_s(self) -> float | None:
        """Return when the hands let go of the bar; None when they never do."""
        ...

    @property
    def rests(self) -> list[tuple[float, float]]:
        """Return (landing, lift-off) of each time that the bar rests on floor or blocks before it is let go."""
        ...

    @property
    def gripped_s(self) -> float:
        """Return when the hands have come to the bar for good."""
        ...

    def bar(self, times_s: Floats) -> BarState:
        """Return the bar, forward from its first place and up from its rest height on the floor."""
        ...

    def keypoints(self, times_s: Floats) -> Floats:
        """Return (T, K, 3) joints of the body; x as the bar's, y up from the floor, z to the lifter's right."""
        ...


def simulate(spec: LiftSpec) -> Motion:
    """Return the motion of bar and body for `spec`.

    Raises:
        ValueError: The lifter's proportions cannot make this lift.
    """
    return simulate_snatch(spec) if spec.snatch is not None else simulate_moves(spec)
