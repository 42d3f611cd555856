"""What is simulated: lifter, technique, camera, surroundings and video of one lift."""

from fractions import Fraction
from typing import Literal

from pydantic import Field

from coach.domain.base import Record
from coach.domain.settings import PLATE_DIAMETER_M
from perception.simulator.technique import Fault as Fault
from perception.simulator.technique import LiftKind, Moves

Rgb = tuple[float, float, float]
Pattern = Literal["flat", "stripes", "gradient", "bricks", "posters"]
View = Literal["side", "front", "rear", "oblique"]
VIEWS: tuple[View, ...] = ("side", "front", "rear", "oblique")
Face = Literal["plain", "lettered", "holes", "spokes"]
Timing = Literal["true", "slow", "jittered", "dropped"]
Handling = Literal["shake", "pan", "zoom", "follow"]
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
    """The bar: mass of everything on it, and the discs from the inside out on each side.

    Attributes:
        plate_diameter_m: Of the largest discs; the bar rests at half of it.
        faces: What the outer faces show.
        sag_m: How far the sleeves hang below the hands when the bar is held still; 0 for a bar that does not bend.
        shine: Of the discs, 0 to 1.
    """

    mass_kg: float
    plate_diameter_m: float = PLATE_DIAMETER_M
    disc_widths_m: tuple[float, ...]
    disc_diameters_m: tuple[float, ...]
    disc_colours: tuple[Rgb, ...]
    faces: Face = "lettered"
    sag_m: float = Field(default=0.0, ge=0, le=0.03)
    shine: float = Field(default=0.3, ge=0, le=1)


class MovementSpec(Record):
    """How the camera moves while it films; all zero for a tripod.

    Attributes:
        seed: Of the shake.
        shake_deg: SD of the direction of a hand-held camera, about each of its axes.
        shake_m: SD of its place, along each axis.
        pan_deg_s: Steady turn to the camera's right.
        zoom_ratio: Focal length at the end over that at the start.
        follow_ratio: Share of the bar's way up that the camera tilts after, a little late.
    """

    seed: int = 0
    shake_deg: float = 0.0
    shake_m: float = 0.0
    pan_deg_s: float = 0.0
    zoom_ratio: float = Field(default=1.0, gt=0)
    follow_ratio: float = 0.0


class CameraSpec(Record):
    """A pinhole camera.

    Attributes:
        view: Where it stands; "oblique" is between the side and the front or rear.
        athlete_side: The side of the athlete that it stands on; without meaning from straight ahead and behind.
        yaw_deg: How far it stands off square, clockwise as seen from above: from the middle of the side for "side"
            and "oblique", from straight ahead for "front", from straight behind for "rear".
        aim_x_m: The point of the floor that it looks over.
        pitch_deg: Looks up (+) or down (-).
        roll_deg: Turned clockwise (+) as its holder sees it, so that the picture leans to the left.
        movement: How it moves.
    """

    view: View
    athlete_side: Literal["left", "right"]
    distance_m: float
    height_m: float
    yaw_deg: float
    focal_px: float
    aim_x_m: float
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    movement: MovementSpec = MovementSpec()


class CutSpec(Record):
    """Frames of a second camera, as shares of the clip."""

    start_ratio: float = Field(gt=0, lt=1)
    end_ratio: float = Field(gt=0, le=1)
    camera: CameraSpec


class VideoSpec(Record):
    """What the camera makes of it.

    Attributes:
        rate: Frame rate that the file states.
        timing: "slow" and "true" have even times; "jittered" and "dropped" are of variable rate, with exact times.
        slow_factor: The file runs this many times slower than the lift; 4 for 120 frames a second stored as 30.
    """

    width_px: int
    height_px: int
    rate: str
    exposure_s: float
    noise_levels: float
    gain: float
    gamma: float
    crf: int
    timing: Timing = "true"
    slow_factor: float = Field(default=1.0, gt=0)

    @property
    def frame_rate_hz(self) -> Fraction:
        """Return the frame rate that the file states."""
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
    """The lifter's colours and things around; all further detail follows from `seed`.

    `passer` is somebody who walks through the picture behind the lifter or in front of the plates.
    """

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
    passer: Literal["none", "behind", "in_front"] = "none"
    has_second_lifter: bool = False


class Filming(Record):
    """What is asked of the filming of a set of clips; by default a still, level camera and true times.

    Attributes:
        is_tilted: Roll up to 3 degrees; the camera up to a metre higher or lower, looking down or up.
        handling: How the camera moves; "mixed" for each in turn.
        has_cut: A second camera for a part of the clip.
        timing: Times of the frames; "mixed" for each in turn.
        is_busy: People who walk or lift around the lifter, plates of many kinds, a bar that bends, bad light.
        is_bare: A bar of 20 kg without plates, at rest as high as if it had them.
    """

    is_tilted: bool = False
    handling: Handling | Literal["mixed"] | None = None
    has_cut: bool = False
    timing: Timing | Literal["mixed"] = "true"
    is_busy: bool = False
    is_bare: bool = False


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
    cuts: tuple[CutSpec, ...] = ()
