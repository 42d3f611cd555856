"""Measures: numbers with unit, 90 % interval, source and frame, and the catalogue of their ids."""

from typing import Literal, Self

from pydantic import model_validator

from coach.domain.base import Record

Source = Literal["plate", "hands", "body"]


class Measure(Record):
    """One measured number; `low` and `high` bound its 90 % interval."""

    value: float
    unit: str
    low: float
    high: float
    source: Source
    frame: int | None = None

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


def _info(id: str, unit: str, decimals: int, name: str, meaning: str, views: str = "side") -> MeasureInfo:
    return MeasureInfo(id=id, unit=unit, decimals=decimals, name=name, meaning=meaning, views=tuple(views.split()))


_ANY = "side front rear oblique"
# fmt: off
MEASURES: dict[str, MeasureInfo] = {
    m.id: m
    for m in (
        _info("bar_peak_velocity_m_s", "m/s", 2, "peak bar speed", "largest upward speed of the bar", _ANY),
        _info("bar_max_height_m", "m", 2, "peak bar height", "height of the apex above the bar's rest height", _ANY),
        _info("bar_catch_height_m", "m", 2, "catch height", "height of the catch above the bar's rest height", _ANY),
        _info("bar_drop_m", "m", 2, "drop to the catch", "fall of the bar from the apex to the catch", _ANY),
        _info("bar_forward_off_floor_m", "m", 3, "drift off the floor", "forward (+) drift from lift-off to knee height"),
        _info("bar_toward_first_pull_m", "m", 3, "sweep toward the body", "how far the bar came toward the lifter in the first pull"),
        _info("bar_forward_loop_m", "m", 3, "forward loop", "most forward after the power position minus most rearward before it"),
        _info("bar_rearward_to_catch_m", "m", 3, "return to the catch", "rearward travel from the most forward point to the catch"),
        _info("bar_to_foot_catch_m", "m", 2, "bar over the foot at the catch", "bar minus mid-foot at the catch, forward (+)"),
        _info("bar_first_pull_peak_velocity_m_s", "m/s", 2, "first-pull speed", "largest upward speed before the transition", _ANY),
        _info("transition_velocity_loss_ratio", "1", 2, "speed lost in the transition", "share of the first-pull speed lost before the second pull", _ANY),
        _info("time_start_to_peak_s", "s", 2, "pull time", "from the start to peak bar speed", _ANY),
        _info("time_peak_to_catch_s", "s", 2, "time under the bar", "from peak bar speed to the catch", _ANY),
        _info("bar_work_j", "J", 0, "work on the bar", "energy given to the bar from lift-off to peak speed", _ANY),
        _info("bar_mean_power_w", "W", 0, "mean power on the bar", "work on the bar over its time", _ANY),
        _info("bar_mean_force_n", "N", 0, "mean force on the bar", "impulse on the bar over its time, lift-off to peak speed", _ANY),
        _info("bar_impulse_n_s", "N s", 0, "impulse on the bar", "impulse on the bar, lift-off to peak speed", _ANY),
        _info("bar_mean_force_first_pull_n", "N", 0, "mean force, first pull", "impulse over time, lift-off to end of first pull", _ANY),
        _info("bar_impulse_first_pull_n_s", "N s", 0, "impulse, first pull", "impulse on the bar, lift-off to end of first pull", _ANY),
        _info("bar_mean_force_second_pull_n", "N", 0, "mean force, second pull", "impulse over time, power position to peak speed", _ANY),
        _info("bar_impulse_second_pull_n_s", "N s", 0, "impulse, second pull", "impulse on the bar, power position to peak speed", _ANY),
        _info("bar_peak_force_n", "N", 0, "peak force on the bar", "largest vertical force on the bar before peak speed", _ANY),
        _info("ground_force_mean_pull_n", "N", 0, "mean ground force", "mean vertical force of lifter and bar on the floor, lift-off to peak speed"),
        _info("ground_force_mean_first_pull_n", "N", 0, "mean ground force, first pull", "mean vertical force on the floor, lift-off to end of first pull"),
        _info("ground_force_mean_transition_n", "N", 0, "mean ground force, transition", "mean vertical force on the floor, end of first pull to power position"),
        _info("ground_force_mean_second_pull_n", "N", 0, "mean ground force, second pull", "mean vertical force on the floor, power position to peak speed"),
        _info("ground_force_peak_n", "N", 0, "peak ground force", "largest vertical force of lifter and bar on the floor"),
        _info("body_work_j", "J", 0, "work on the body", "energy the body's own centre of mass gained from lift-off to peak speed"),
        _info("system_work_j", "J", 0, "work on body and bar", "energy that body and bar gained from lift-off to peak speed"),
        _info("system_mean_power_w", "W", 0, "mean power on body and bar", "work on body and bar over its time"),
        _info("knee_angle_start_deg", "deg", 0, "knee angle at the start", "hip-knee-ankle, 180 = straight"),
        _info("knee_angle_catch_deg", "deg", 0, "knee angle at the catch", "hip-knee-ankle, 180 = straight"),
        _info("hip_angle_peak_deg", "deg", 0, "hip angle at peak speed", "largest shoulder-hip-knee angle within 0.08 s of peak speed"),
        _info("trunk_angle_start_deg", "deg", 0, "back angle at the start", "hip-shoulder line from horizontal, 90 = upright"),
        _info("trunk_angle_loss_first_pull_deg", "deg", 0, "back angle lost in the first pull", "start angle minus the smallest up to knee height"),
        _info("trunk_angle_peak_deg", "deg", 0, "back angle at peak speed", "hip-shoulder line from horizontal, over 90 = lean back"),
        _info("elbow_bend_pull_deg", "deg", 0, "arm bend before the power position", "largest 180 minus elbow angle before the power position"),
        _info("foot_jump_m", "m", 2, "foot jump", "mid-foot at the catch minus at the start, forward (+)"),
        _info("left_right_wrist_height_m", "m", 2, "left-right wrist height", "right minus left wrist height at the catch", "front rear"),
        _info("free_fall_gravity_m_s2", "m/s2", 1, "free-fall check", "acceleration of the dropped bar; 9.81 when scale and time are right", _ANY),
        _info("impulse_check_ratio", "1", 2, "impulse check", "integral of the force curve over m (v + g t); 1 when they agree", _ANY),
    )
}
# fmt: on
