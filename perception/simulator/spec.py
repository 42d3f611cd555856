"""What is simulated: lifter, technique, camera, surroundings and video of one lift."""

from fractions import Fraction
from typing import Literal

from pydantic import Field

from coach.domain.base import Record
from coach.domain.settings import PLATE_DIAMETER_M
from perception.simulator.technique import LiftKind, Moves

Rgb = tuple[float, float, float]
Fault = Literal["bar_forward_off_floor", "bar_swing_forward", "drop_large_snatch", "net_rearward_missing"]
Pattern = Literal["flat", "stripes", "gradient", "bricks", "posters"]
View = Literal["side", "front"]
Sex = Literal["female", "male"]
FAULTS: tuple[Fault, ...] = (
    "bar_forward_off_floor",
    "bar_swing_forward",
    "drop_large_snatch",
    "net_rearward_missing",
)
RATES: dict[str, Fraction] = {
    "25": Fraction(25),
    "29.97": Fraction(30000, 1001),
    "30": Fraction(30),
    "50": Fraction(50),
    "60": Fraction(60),
}
"""Frame rates a phone or camera records at, by the name people give them."""

COLOURS: tuple[Rgb, ...] = (
    (0.72, 0.06, 0.08),
    (0.08, 0.18, 0.62),
    (0.86, 0.72, 0.08),
    (0.08, 0.45, 0.2),
    (0.07, 0.07, 0.08),
    (0.75, 0.75, 0.73),
)
"""Discs: the competition colours of 25, 20, 15 and 10 kg (IWF TCRR), black, and pale grey."""


class LifterSpec(Record):
    """The lifter: stature, mass and how the limbs deviate from the average of that sex."""

    height_m: float = Field(ge=1.3, le=2.2)
    mass_kg: float = Field(ge=30, le=200)
    sex: Sex
    leg_factor: float = Field(default=1.0, ge=0.9, le=1.1)
    arm_factor: float = Field(default=1.0, ge=0.9, le=1.1)


class SnatchSpec(Record):
    """How the snatch is made; lengths in the axes of the bar track.

    Attributes:
        first_pull_speed_m_s: Peak upward speed before the transition.
        transition_loss_ratio: Share of it lost in the transition.
        turnover_ratio: Largest downward acceleration after peak speed, over g.
        off_floor_m: Forward (+) or rearward (-) place of the bar at knee height.
        toward_m: How far the bar is behind its start at its most rearward.
        loop_m: Forward travel after that.
        rearward_m: Travel back from the most forward point to the catch.
        drop_m: Fall from the apex to the catch.
        catch_height_ratio: Height of the bar above the floor at the catch over stature.
        arm_stretch_ratio: Height of the shoulders over the bar at peak speed, over that with straight arms.
        start_trunk_deg: Trunk angle from horizontal at lift-off.
        shoulder_ahead_m: Shoulders ahead of the bar at lift-off.
        end_pull_knee_deg, power_knee_deg: Knee angle at the end of the first pull and at the power position.
        bar_to_ankle_m: Bar ahead of the ankle at lift-off.
        release_after_apex_s: When a missed bar is let go.
        miss_speed_m_s: Forward speed of a missed bar when let go.
    """

    outcome: Literal["caught", "not_caught"] = "caught"
    fault: Fault | None = None
    first_pull_speed_m_s: float
    transition_loss_ratio: float
    turnover_ratio: float
    off_floor_m: float
    toward_m: float
    loop_m: float
    rearward_m: float
    drop_m: float
    catch_height_ratio: float
    arm_stretch_ratio: float
    start_trunk_deg: float
    shoulder_ahead_m: float
    end_pull_knee_deg: float
    power_knee_deg: float
    bar_to_ankle_m: float
    release_after_apex_s: float = 0.2
    miss_speed_m_s: float = 0.5
    setup_s: float
    reaches_down: bool
    bottom_s: float
    recovery_s: float
    hold_s: float
    tail_s: float
    restitution: float


class BarSpec(Record):
    """The bar: mass of everything on it, and the discs from the inside out on each side."""

    mass_kg: float
    plate_diameter_m: float = PLATE_DIAMETER_M
    disc_widths_m: tuple[float, ...]
    disc_diameters_m: tuple[float, ...]
    disc_colours: tuple[Rgb, ...]


class CameraSpec(Record):
    """A level pinhole camera; `yaw_deg` is how far off square, `aim_x_m` the point of the floor it looks over."""

    view: View
    athlete_side: Literal["left", "right"]
    distance_m: float
    height_m: float
    yaw_deg: float
    focal_px: float
    aim_x_m: float


class VideoSpec(Record):
    """What the camera makes of it."""

    width_px: int
    height_px: int
    rate: str
    exposure_s: float
    noise_levels: float
    gain: float
    gamma: float
    crf: int

    @property
    def frame_rate_hz(self) -> Fraction:
        """Return the exact frame rate."""
        return RATES[self.rate]


class Clothes(Record):
    """Colours of one person."""

    skin: Rgb
    hair: Rgb
    shirt: Rgb
    shorts: Rgb
    shoes: Rgb
    sleeves: bool
    long_legs: bool
    has_belt: bool
    has_knee_sleeves: bool


class LookSpec(Clothes):
    """The lifter's colours and things around; all further detail follows from `seed`."""

    seed: int
    wall: Rgb
    wall_second: Rgb
    wall_pattern: Pattern
    floor: Rgb
    platform: Rgb
    has_rack: bool
    has_second_bar: bool
    has_bystander: bool
    light: float


class LiftSpec(Record):
    """Everything about one simulated lift."""

    seed: int
    lift: LiftKind = "snatch"
    lifter: LifterSpec
    snatch: SnatchSpec | None = None
    moves: Moves | None = None
    bar: BarSpec
    camera: CameraSpec
    video: VideoSpec
    look: LookSpec
