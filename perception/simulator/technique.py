"""How a simulated lift is made when it is more than a plain snatch: pull, catch, jerk, squat and deadlift in numbers."""

from typing import Literal

from pydantic import Field

from coach.domain.base import Record
from coach.domain.lift import Outcome

LiftKind = Literal["snatch", "clean", "jerk", "clean_and_jerk", "pull", "squat", "deadlift"]
MoveFault = Literal[
    "bar_forward_off_floor",
    "bar_swing_forward",
    "hips_shoot",
    "start_hips_high",
    "early_arm_bend",
    "transition_velocity_loss",
    "incomplete_extension",
    "layback_excess",
    "jump_forward",
    "jump_back",
    "catch_forward",
    "catch_behind",
    "press_out",
    "soft_elbows",
    "trunk_collapse",
    "early_drop",
    "dip_forward",
    "dip_deep",
    "dip_shallow",
    "dip_pause",
    "drive_forward",
    "split_short",
]
Setup = Literal["still", "reach", "roll", "regrip"]
Start = Literal["floor", "hang", "blocks"]


class PullSpec(Record):
    """A pull from floor, hang or blocks to full extension; lengths in the axes of the bar track.

    Attributes:
        first_pull_speed_m_s: Peak upward speed before the transition; from hang and blocks there is no first pull.
        transition_loss_ratio: Share of it lost in the transition.
        peak_speed_m_s: Largest upward speed of a pull without a catch; with one it follows from the catch.
        turnover_ratio: Largest downward acceleration after peak speed, over g.
        off_floor_m: Forward (+) or rearward (-) place of the bar at knee height.
        toward_m: How far the bar is behind its start at its most rearward.
        loop_m: Forward travel after that.
        trunk_loss_deg: How far the trunk tips forward until the bar is at the knee.
        elbow_deg: Elbow angle from the knee to the power position, 180 = straight.
        extended_knee_deg, extended_trunk_deg: At full extension; the trunk from horizontal, over 90 = lean back.
        stop_s: Time in which the shoulders slow down at full extension.
    """

    start: Start = "floor"
    first_pull_speed_m_s: float = 1.0
    transition_loss_ratio: float = 0.02
    peak_speed_m_s: float = 1.2
    turnover_ratio: float = 0.86
    off_floor_m: float = 0.0
    toward_m: float = 0.035
    loop_m: float = 0.055
    start_trunk_deg: float = 32.0
    trunk_loss_deg: float = 0.0
    shoulder_ahead_m: float = 0.03
    end_pull_knee_deg: float = 148.0
    power_knee_deg: float = 131.0
    elbow_deg: float = 177.0
    extended_knee_deg: float = 163.0
    extended_trunk_deg: float = 95.0
    stop_s: float = 0.12


class CatchSpec(Record):
    """A catch in the squat, or half squat, and the recovery from it.

    Attributes:
        knee_deg, trunk_deg: Posture at the lowest point; the trunk from horizontal.
        drop_m: Fall from the apex to the catch; 0 lets the bar stop without coming down.
        bar_to_foot_m: Bar ahead of mid-foot at the catch.
        foot_jump_m: Forward (+) travel of the feet in the turnover.
        elbow_deg: Elbow angle at the catch overhead; from then on pressed to straight when `pressed_out`.
    """

    knee_deg: float
    trunk_deg: float
    drop_m: float
    bar_to_foot_m: float = 0.0
    foot_jump_m: float = 0.0
    elbow_deg: float = 175.0
    pressed_out: bool = False
    bottom_s: float = 0.35
    recovery_s: float = 1.5


class JerkSpec(Record):
    """Dip, drive, and a catch in the split or the half squat.

    Attributes:
        dip_ratio: Depth of the dip over stature.
        dip_s: From the first movement down to the largest downward speed.
        pause_s: Standing still at the bottom of the dip.
        dip_forward_m, drive_forward_m: Forward travel of the bar in dip and drive.
        turnover_ratio: Largest downward acceleration after peak speed, over g.
        split_ratio: Distance between the ankles in the split over stature; 0 is a power jerk.
        front_knee_deg: Front knee in the split, or both knees in the power jerk.
        rerack_m: How far the bar moves on the shoulders before the dip.
    """

    dip_ratio: float = 0.1
    dip_s: float = 0.28
    pause_s: float = 0.0
    dip_forward_m: float = 0.0
    drive_forward_m: float = 0.0
    turnover_ratio: float = 0.62
    split_ratio: float = 0.5
    front_knee_deg: float = 104.0
    drop_m: float = 0.03
    bar_to_foot_m: float = 0.0
    elbow_deg: float = 175.0
    pressed_out: bool = False
    rerack_m: float = 0.04
    bottom_s: float = 0.5
    recovery_s: float = 1.5


class SquatSpec(Record):
    """A back squat: posture at the bottom, and times of descent, bottom and ascent."""

    knee_deg: float = 68.0
    trunk_deg: float = 56.0
    descent_s: float = 1.5
    bottom_s: float = 0.0
    ascent_s: float = 1.3


class DeadliftSpec(Record):
    """A deadlift: the trunk at lift-off, and times of the rise, the stand and the way down."""

    start_trunk_deg: float = 36.0
    rise_s: float = 1.5
    stand_s: float = 0.6
    lower_s: float = 1.4


class Moves(Record):
    """All that the lifter does in one clip; which parts are there depends on the lift.

    Attributes:
        variant: What kind of the lift: "power", "hang", "blocks", "split", "snatch_pull", …; "" for the plain one.
        fault_strength: 0 just beyond the threshold of the level `fault`, 1 far beyond; 0 without a fault.
        outcome: Of the last lift of the clip; in the clean & jerk the clean before it is caught.
        missed_behind: A lost bar falls behind the lifter instead of in front.
        reps: How often a lift without a catch is repeated; `rest_s` between them, 0 is touch and go.
        setup: What happens before the first lift.
        bar_to_ankle_m: Bar ahead of the ankle at lift-off.
        lowered: The bar is put down, not dropped.
    """

    variant: str = ""
    fault: MoveFault | None = None
    fault_strength: float = Field(default=0.0, ge=0, le=1)
    outcome: Outcome = "caught"
    missed_behind: bool = False
    reps: int = Field(default=1, ge=1, le=5)
    rest_s: float = 0.0
    setup: Setup = "still"
    setup_s: float = 1.0
    bar_to_ankle_m: float = 0.1
    block_m: float = 0.0
    lowered: bool = False
    hold_s: float = 1.3
    tail_s: float = 1.4
    restitution: float = 0.4
    pull: PullSpec | None = None
    catch: CatchSpec | None = None
    jerk: JerkSpec | None = None
    squat: SquatSpec | None = None
    deadlift: DeadliftSpec | None = None
