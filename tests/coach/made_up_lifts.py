"""Lifts made from a dict of measures, for the tests of the coach."""

from collections.abc import Mapping

from coach.coverage import coverage_lines
from coach.domain.guidance import Guidance, Language
from coach.domain.lift import (
    CameraFacts,
    ClipFacts,
    Instant,
    InstantName,
    Lift,
    LiftName,
    Outcome,
    PoseFacts,
    Report,
    ScaleFacts,
    View,
)
from coach.domain.measures import MEASURES, Measure
from coach.faults import judge
from coach.guidance import write_guidance
from coach.writer import WRITERS
from corpus.knowledge.library import load_library

LIBRARY = load_library()
RULES = WRITERS.load("rules")
CLEAN: dict[str, float] = {
    "bar_peak_velocity_m_s": 1.85,
    "bar_max_height_m": 1.10,
    "bar_catch_height_m": 0.98,
    "bar_drop_m": 0.12,
    "bar_forward_off_floor_m": -0.03,
    "bar_toward_first_pull_m": 0.05,
    "bar_forward_loop_m": 0.05,
    "bar_rearward_to_catch_m": 0.07,
    "bar_to_foot_catch_m": 0.01,
    "bar_first_pull_peak_velocity_m_s": 1.05,
    "transition_velocity_loss_ratio": 0.02,
    "time_start_to_peak_s": 0.85,
    "time_peak_to_catch_s": 0.50,
    "hip_angle_peak_deg": 178.0,
    "trunk_angle_start_deg": 36.0,
    "trunk_angle_loss_first_pull_deg": 2.0,
    "trunk_angle_peak_deg": 98.0,
    "elbow_bend_pull_deg": 5.0,
    "foot_jump_m": -0.02,
}
"""A snatch with nothing to change, seen from the side."""

FRONT: dict[str, float] = {"bar_peak_velocity_m_s": 1.85, "bar_max_height_m": 1.10, "left_right_wrist_height_m": 0.01}
"""A snatch with nothing to change, seen from the front."""

JERK: dict[str, float] = {
    "bar_peak_velocity_m_s": 1.60,
    "bar_max_height_m": 0.32,
    "bar_to_foot_catch_m": 0.01,
    "dip_depth_m": 0.17,
    "dip_depth_stature_ratio": 0.10,
    "dip_pause_s": 0.02,
    "drive_time_s": 0.19,
    "bar_forward_dip_m": 0.001,
    "bar_forward_drive_m": -0.002,
}
"""A jerk with nothing to change, seen from the side."""

EXACT = {"dip_depth_stature_ratio": 0.003, "bar_forward_dip_m": 0.0035}
"""SDs of measures that come more exactly than others of their unit."""

SD = {"m": 0.005, "deg": 2.0, "s": 0.015, "m/s": 0.02, "1": 0.012, "N": 20.0, "W": 20.0, "J": 10.0, "N s": 3.0}
FAULTY: dict[str, float] = {
    "start_hips_high": 8.0,
    "bar_forward_off_floor": 0.045,
    "hips_shoot": 20.0,
    "early_arm_bend": 40.0,
    "transition_velocity_loss": 0.30,
    "incomplete_extension": 145.0,
    "layback_excess": 126.0,
    "bar_swing_forward": 0.19,
    "late_pull_under": 0.95,
    "jump_forward": 0.09,
    "jump_back": -0.24,
    "drop_large_snatch": 0.36,
    "catch_forward": 0.15,
    "catch_behind": -0.16,
    "net_rearward_missing": -0.02,
    "uneven_lockout": 0.12,
    "dip_forward": 0.05,
    "dip_deep": 0.17,
    "dip_shallow": 0.03,
    "dip_pause": 0.25,
    "drive_forward": 0.09,
}
"""A value of its measure that shows each fault beyond doubt."""


def make_measure(name: str, value: float, frame: int | None = None, sd: float | None = None) -> Measure:
    unit = MEASURES[name].unit
    reach = 1.645 * (EXACT.get(name, SD.get(unit, 0.1)) if sd is None else sd)
    return Measure(value=value, unit=unit, low=value - reach, high=value + reach, source="plate", frame=frame)


def make_lift(
    measures: Mapping[str, float | None] | None = None,
    *,
    base: Mapping[str, float] = CLEAN,
    lift: LiftName = "snatch",
    outcome: Outcome = "caught",
    number: int = 1,
    first_frame: int = 40,
    sd: Mapping[str, float] | None = None,
    not_measured: Mapping[str, str] | None = None,
) -> Lift:
    """Return a lift whose every measure has a frame of its own; None takes a measure out."""
    values = {**base, **(measures or {})}
    made = {
        name: make_measure(name, value, first_frame + 3 * i, (sd or {}).get(name))
        for i, (name, value) in enumerate(values.items())
        if value is not None
    }
    instants: dict[InstantName, Instant | None] = {
        "start": Instant(frame=first_frame - 10, time_s=1.1, sd_s=0.01),
        "peak_velocity": Instant(frame=first_frame + 1, time_s=2.1, sd_s=0.01),
        "max_height": Instant(frame=first_frame + 8, time_s=2.35, sd_s=0.01),
        "catch": Instant(frame=first_frame + 17, time_s=2.7, sd_s=0.01) if outcome.startswith("caught") else None,
    }
    return Lift(
        lift=lift,
        number=number,
        outcome=outcome,
        instants=instants,
        measures=made,
        not_measured=dict(not_measured or {}),
    )


def make_camera(view: View = "side") -> CameraFacts:
    return CameraFacts(view=view, facing="left", is_moving=False)


def make_report(*lifts: Lift, view: View = "side") -> Report:
    """Return a report whose lifts hold their findings."""
    camera = make_camera(view)
    return Report(
        clip=ClipFacts(
            file_name="snatch.mp4",
            sha256="0" * 64,
            width_px=640,
            height_px=480,
            rotation_deg=0,
            n_frames=200,
            duration_s=6.7,
            frame_rate_hz=30.0,
            is_variable_rate=False,
        ),
        pose=PoseFacts(estimator="blazepose", weights_sha256="0" * 64, n_frames_with_athlete=200),
        scale=ScaleFacts(m_per_px=0.005, method="plate", relative_sd=0.01),
        camera=camera,
        lifts=tuple(lift.model_copy(update={"findings": judge(lift, camera, LIBRARY)}) for lift in lifts),
    )


def guide(lift: Lift, view: View = "side", language: Language = "en") -> Guidance:
    """Return what the rules writer says about one lift."""
    report = make_report(lift, view=view)
    return write_guidance(report, report.lifts[0], LIBRARY, RULES, language)


def faulty_lift(fault: str) -> Lift:
    """Return a lift that shows one fault, beyond doubt, in a view that can show it."""
    record = LIBRARY.faults[fault]
    base, lift = _base(fault)
    return make_lift({record.measures[0]: FAULTY[fault]}, base=base, lift=lift)


def _base(fault: str) -> tuple[Mapping[str, float], LiftName]:
    """Return clean measures in the view of a fault, and of which lift."""
    record = LIBRARY.faults[fault]
    if "snatch" not in record.lifts:
        return JERK, "jerk"
    return (CLEAN if "side" in record.needs_view else FRONT), "snatch"


def view_of(fault: str) -> View:
    return LIBRARY.faults[fault].needs_view[0]


def clean_lift(fault: str) -> Lift:
    """Return a clean lift in the view of a fault."""
    base, lift = _base(fault)
    return make_lift(base=base, lift=lift)


def counts_of(lift: Lift, view: View = "side", language: Language = "en") -> tuple[str, ...]:
    """Return what is said of how much could be judged in a lift."""
    return coverage_lines(lift, make_camera(view), LIBRARY, language)


def all_text(guidance: Guidance) -> str:
    """Return everything an athlete reads."""
    priorities = (f"{p.observation} {p.consequence} {p.cue}. {p.drill}." for p in guidance.priorities)
    parts = (guidance.strength, *priorities, guidance.next_film, guidance.safety, *guidance.not_measured)
    return " ".join(parts)
