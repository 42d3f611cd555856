"""Measures: numbers with unit, 90 % interval, source and frame, and the catalogue of their ids."""

from typing import Literal, Self

from pydantic import model_validator

from coach.domain.base import Record

Source = Literal["plate", "hands", "body"]
Limit = Literal["noise", "smoothing", "scale", "camera", "definition", "frame rate", "pose", "masses"]
"""What an interval is wide for: jitter of the track, peaks taken away by smoothing, pixels to metres, tilt, turn or motion
of the camera, what the definition leaves open, frames too few, joints of one view, parts of the body weighed by tables."""


class Measure(Record):
    """One measured number; `low` and `high` bound its 90 % interval, `limited_by` is the largest part of its error."""

    value: float
    unit: str
    low: float
    high: float
    source: Source
    frame: int | None = None
    limited_by: Limit | None = None

    @model_validator(mode="after")
    def _interval_holds_value(self) -> Self:
        if not self.low <= self.value <= self.high:
            raise ValueError(f"interval [{self.low}, {self.high}] does not hold the value {self.value}")
        return self

    @property
    def sd(self) -> float:
        """Standard deviation that the 90 % interval stands for (normal, so half width / 1.645)."""
        return (self.high - self.low) / 2 / 1.645


class MeasureInfo(Record):
    """What a measure id means."""

    id: str
    unit: str
    decimals: int
    name: str
    meaning: str
    views: tuple[str, ...]
    lifts: tuple[str, ...]

    def belongs_to(self, lift: str) -> bool:
        """Return whether this measure exists in a kind of lift; an unknown one is a missed lift from the floor."""
        return ("snatch" if lift == "unknown" else lift) in self.lifts


def _info(
    id: str, unit: str, decimals: int, name: str, meaning: str, views: str = "side", lifts: str = "snatch clean pull"
) -> MeasureInfo:
    return MeasureInfo(
        id=id,
        unit=unit,
        decimals=decimals,
        name=name,
        meaning=meaning,
        views=tuple(views.split()),
        lifts=tuple(lifts.split()),
    )


_ANY = "side front rear oblique"
_ALL = "snatch clean jerk pull squat deadlift"
_CAUGHT = "snatch clean jerk"
_FLOOR = "snatch clean pull deadlift"
# fmt: off
MEASURES: dict[str, MeasureInfo] = {
    m.id: m
    for m in (
        _info("bar_peak_velocity_m_s", "m/s", 2, "peak bar speed", "largest upward speed of the bar", _ANY, lifts=_ALL),
        _info("bar_max_height_m", "m", 2, "peak bar height", "height of the apex above the bar's rest height", _ANY, lifts="snatch clean jerk pull deadlift"),
        _info("bar_catch_height_m", "m", 2, "catch height", "height of the catch above the bar's rest height", _ANY, lifts=_CAUGHT),
        _info("bar_drop_m", "m", 2, "drop to the catch", "fall of the bar from the apex to the catch", _ANY, lifts=_CAUGHT),
        _info("bar_forward_off_floor_m", "m", 3, "drift off the floor", "forward (+) drift from lift-off to knee height", lifts=_FLOOR),
        _info("bar_toward_first_pull_m", "m", 3, "sweep toward the body", "how far the bar came toward the lifter in the first pull"),
        _info("bar_forward_loop_m", "m", 3, "forward loop", "most forward after the power position minus most rearward before it", lifts="snatch clean"),
        _info("bar_rearward_to_catch_m", "m", 3, "return to the catch", "rearward travel from the most forward point to the catch", lifts="snatch clean"),
        _info("bar_to_foot_catch_m", "m", 2, "bar over the foot at the catch", "bar minus mid-foot at the catch, forward (+)", lifts=_CAUGHT),
        _info("bar_first_pull_peak_velocity_m_s", "m/s", 2, "first-pull speed", "largest upward speed before the transition", _ANY),
        _info("transition_velocity_loss_ratio", "1", 2, "speed lost in the transition", "share of the first-pull speed lost before the second pull", _ANY),
        _info("time_start_to_peak_s", "s", 2, "pull time", "from the start to peak bar speed", _ANY, lifts=_ALL),
        _info("time_peak_to_catch_s", "s", 2, "time under the bar", "from peak bar speed to the catch", _ANY, lifts=_CAUGHT),
        _info("bar_mean_velocity_m_s", "m/s", 2, "mean bar speed", "rise of the bar over its time, squat and deadlift", _ANY, lifts="squat deadlift"),
        _info("bar_rise_m", "m", 2, "rise of the bar", "from the lowest to the highest point, squat and deadlift", _ANY, lifts="squat deadlift"),
        _info("dip_depth_m", "m", 2, "depth of the dip", "how far the bar sinks before it is driven up, jerk and squat", _ANY, lifts="jerk squat"),
        _info("dip_depth_stature_ratio", "1", 3, "depth of the dip over height", "depth of the dip as a share of the athlete's height, as told", _ANY, lifts="jerk"),
        _info("dip_peak_velocity_m_s", "m/s", 2, "speed of the dip", "largest downward speed of the bar on the way down", _ANY, lifts="jerk squat"),
        _info("dip_pause_s", "s", 2, "stop in the dip", "how long the bar is slower than 0.10 m/s between the way down and the way up", _ANY, lifts="jerk"),
        _info("drive_time_s", "s", 2, "drive time", "from the bottom of the dip to peak bar speed", _ANY, lifts="jerk"),
        _info("bar_forward_dip_m", "m", 3, "drift in the dip", "forward (+) drift from the start to the bottom of the dip", lifts="jerk"),
        _info("bar_forward_drive_m", "m", 3, "drift in the drive", "forward (+) drift from the bottom of the dip to peak speed", lifts="jerk"),
        _info("bar_work_j", "J", 0, "work on the bar", "energy given to the bar from lift-off to peak speed", _ANY, lifts=_ALL),
        _info("bar_mean_power_w", "W", 0, "mean power on the bar", "work on the bar over its time", _ANY, lifts=_ALL),
        _info("bar_mean_force_n", "N", 0, "mean force on the bar", "impulse on the bar over its time, lift-off to peak speed", _ANY, lifts=_ALL),
        _info("bar_impulse_n_s", "N s", 0, "impulse on the bar", "impulse on the bar, lift-off to peak speed", _ANY, lifts=_ALL),
        _info("bar_mean_force_first_pull_n", "N", 0, "mean force, first pull", "impulse over time, lift-off to end of first pull", _ANY),
        _info("bar_impulse_first_pull_n_s", "N s", 0, "impulse, first pull", "impulse on the bar, lift-off to end of first pull", _ANY),
        _info("bar_mean_force_second_pull_n", "N", 0, "mean force, second pull", "impulse over time, power position to peak speed", _ANY),
        _info("bar_impulse_second_pull_n_s", "N s", 0, "impulse, second pull", "impulse on the bar, power position to peak speed", _ANY),
        _info("bar_peak_force_n", "N", 0, "peak force on the bar", "largest vertical force on the bar before peak speed", _ANY, lifts=_ALL),
        _info("ground_force_mean_pull_n", "N", 0, "mean ground force", "mean vertical force of lifter and bar on the floor, lift-off to peak speed", lifts=_FLOOR),
        _info("ground_force_mean_first_pull_n", "N", 0, "mean ground force, first pull", "mean vertical force on the floor, lift-off to end of first pull", lifts=_FLOOR),
        _info("ground_force_mean_transition_n", "N", 0, "mean ground force, transition", "mean vertical force on the floor, end of first pull to power position", lifts=_FLOOR),
        _info("ground_force_mean_second_pull_n", "N", 0, "mean ground force, second pull", "mean vertical force on the floor, power position to peak speed", lifts=_FLOOR),
        _info("ground_force_peak_n", "N", 0, "peak ground force", "largest vertical force of lifter and bar on the floor", lifts=_ALL),
        _info("body_work_j", "J", 0, "work on the body", "energy the body's own centre of mass gained from lift-off to peak speed", lifts=_FLOOR),
        _info("system_work_j", "J", 0, "work on body and bar", "energy that body and bar gained from lift-off to peak speed", lifts=_FLOOR),
        _info("system_mean_power_w", "W", 0, "mean power on body and bar", "work on body and bar over its time", lifts=_FLOOR),
        _info("knee_angle_start_deg", "deg", 0, "knee angle at the start", "hip-knee-ankle, 180 = straight", lifts=_FLOOR),
        _info("knee_angle_catch_deg", "deg", 0, "knee angle at the catch", "hip-knee-ankle, 180 = straight", lifts=_CAUGHT),
        _info("knee_angle_bottom_deg", "deg", 0, "knee angle at the bottom", "hip-knee-ankle at the bottom of the dip or the squat, 180 = straight", lifts="jerk squat"),
        _info("hip_angle_peak_deg", "deg", 0, "hip angle at peak speed", "largest shoulder-hip-knee angle within 0.08 s of peak speed"),
        _info("trunk_angle_start_deg", "deg", 0, "back angle at the start", "hip-shoulder line from horizontal, 90 = upright", lifts=_FLOOR),
        _info("trunk_angle_loss_first_pull_deg", "deg", 0, "back angle lost in the first pull", "start angle minus the smallest up to knee height", lifts=_FLOOR),
        _info("trunk_angle_peak_deg", "deg", 0, "back angle at peak speed", "hip-shoulder line from horizontal, over 90 = lean back"),
        _info("elbow_bend_pull_deg", "deg", 0, "arm bend before the power position", "largest 180 minus elbow angle before the power position"),
        _info("foot_jump_m", "m", 2, "foot jump", "mid-foot at the catch minus at the start, forward (+)", lifts="snatch clean"),
        _info("left_right_wrist_height_m", "m", 2, "left-right wrist height", "right minus left wrist height at the catch", "front rear", lifts=_CAUGHT),
        _info("bar_tilt_catch_deg", "deg", 1, "tilt of the bar at the catch", "right end higher (+) than the left", "front rear", lifts=_CAUGHT),
        _info("free_fall_gravity_m_s2", "m/s2", 1, "free-fall check", "acceleration of the dropped bar; 9.81 when scale and time are right", _ANY, lifts=_ALL),
        _info("impulse_check_ratio", "1", 2, "impulse check", "integral of the force curve over m (v + g t); 1 when they agree", _ANY, lifts=_ALL),
    )
}
# fmt: on
