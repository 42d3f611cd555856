"""The facts of one clip: what `report.json` holds."""

from typing import Literal, get_args

from pydantic import Field

from coach.domain.base import Record
from coach.domain.measures import Measure

View = Literal["side", "front", "rear", "oblique", "unknown"]
Facing = Literal["left", "right", "camera", "away", "unknown"]
LiftName = Literal["snatch", "clean", "jerk", "pull", "squat", "deadlift", "unknown"]
Outcome = Literal["caught", "caught_no_drop", "not_caught", "caught_then_lost", "no_attempt"]
InstantName = Literal[
    "dip_start",
    "dip_bottom",
    "lift_off",
    "start",
    "end_first_pull",
    "power_position",
    "peak_velocity",
    "max_height",
    "catch",
    "recovered",
]
INSTANTS: tuple[InstantName, ...] = get_args(InstantName)
"""All instants in the order of time."""

PULL_INSTANTS: tuple[InstantName, ...] = INSTANTS[INSTANTS.index("lift_off") :]
"""The instants of a lift that begins on the floor, in the order of time."""


class ClipFacts(Record):
    """The video file as decoded; times are container timestamps minus the first."""

    file_name: str
    sha256: str
    width_px: int
    height_px: int
    rotation_deg: int
    n_frames: int
    duration_s: float
    frame_rate_hz: float
    is_variable_rate: bool


class PoseFacts(Record):
    """Which estimator ran, and in how many frames the athlete was found."""

    estimator: str
    weights_sha256: str
    n_frames_with_athlete: int


class ScaleFacts(Record):
    """Pixels to metres at the bar; `relative_sd` is the SD of m_per_px over m_per_px."""

    m_per_px: float | None
    method: Literal["plate", "height", "given", "none"]
    relative_sd: float | None


class CameraFacts(Record):
    """Where the camera stands; `cuts` are the first frames after each cut.

    `yaw_deg` is how far off the square side view (90 from straight ahead, -90 from behind), `roll_deg` how the camera is
    turned clockwise; measures take both into account. `residual_px` is how badly the background of a moving camera was
    followed. None where not known.
    """

    view: View
    facing: Facing
    is_moving: bool
    cuts: tuple[int, ...] = ()
    yaw_deg: float | None = None
    roll_deg: float | None = None
    residual_px: float | None = None


class Instant(Record):
    """A moment of the lift: decoded frame from 0, container time, and SD of the time."""

    frame: int
    time_s: float
    sd_s: float


class Finding(Record):
    """A fault that the measures show."""

    fault: str
    level: Literal["watch", "fault"]
    measures: tuple[str, ...]
    confidence: float = Field(ge=0, le=1)


class Keyframe(Record):
    """A picture of one instant; `path` is relative to the folder of the analysis."""

    instant: InstantName
    frame: int
    path: str


class Lift(Record):
    """One lift of a clip: instants, measures, what was not measured and why, and findings."""

    lift: LiftName
    number: int
    outcome: Outcome
    instants: dict[InstantName, Instant | None]
    measures: dict[str, Measure]
    not_measured: dict[str, str]
    findings: tuple[Finding, ...] = ()
    keyframes: tuple[Keyframe, ...] = ()


class Report(Record):
    """Everything measured in one clip."""

    schema_version: Literal[1] = 1
    clip: ClipFacts
    pose: PoseFacts
    scale: ScaleFacts
    camera: CameraFacts
    lifts: tuple[Lift, ...]
    warnings: tuple[str, ...] = ()
