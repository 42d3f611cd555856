"""Readings of a made-up lift against its truth, and the intervals about them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.domain.measures import MEASURES, Measure
from perception.bar import PLATE_CUTOFF_HZ, BarCurve, BarSamples, fit_curve
from perception.instants import LiftTimes
from perception.kinematics import ANGLE_SD_DEG, measure_angles
from perception.lifts import find_lifts
from perception.measures import (
    CALIBRATION,
    Z90,
    Spread,
    angle_measures,
    bar_measures,
    local_noise,
    make_measure,
    spread_by_noise,
)
from perception.pose import PoseTrack
from perception.readings import Context, Reading, read_bar
from perception.scale import Scale
from perception.view import Look

if TYPE_CHECKING:
    from tests.perception.conftest import MadeUpBar

Figure = Callable[..., PoseTrack]
SCALE = Scale(0.005, 0.01, 0.005, 0.04, "plate")
NO_SCALE = Scale(*[float("nan")] * 4, "none")
SIDE, FRONT = Look("side", "right", 0.0, 1.0), Look("front", "camera", 90.0, 5.0)
CONTEXT = Context(SCALE, SIDE, 1.70, 80.0, 60.0)
GRAVITY_M_S2 = 9.81
STEP_S = 0.0005


def swayed(path: "MadeUpBar") -> "MadeUpBar":
    """Return the lift with a bar path: 5 cm toward the lifter, 9 cm forward from there, 6 cm back to the catch."""
    t = path.times_s
    forward = np.zeros(len(t))
    lift_off, peak, apex = (path.marks[name] for name in ("lift_off", "peak_velocity", "max_height"))
    moves = (
        (lift_off + 0.15, lift_off + 0.52, -0.05),
        (peak - 0.12, apex - 0.15, 0.09),
        (apex - 0.14, apex + 0.22, -0.06),
    )
    for start, end, metres in moves:
        inside = (t >= start) & (t < end)
        forward[inside] += metres * 2 / (end - start) * np.sin(np.pi * (t[inside] - start) / (end - start)) ** 2
    return replace(path, forward=forward)


@dataclass(frozen=True)
class Analysed:
    samples: BarSamples
    curve: BarCurve
    lift: LiftTimes

    def measured(self, context: Context = CONTEXT, source: str = "plate") -> tuple[dict[str, Measure], dict[str, str]]:
        spread = spread_by_noise(self.samples, self.curve, self.lift, context)
        readings = read_bar(self.curve, self.lift, context)
        return bar_measures(readings, spread, context, source, self.samples.times_s)


def analyse(path: "MadeUpBar", rate_hz: float = 60.0, **noise: float) -> Analysed:
    t, x, y = path.sampled(rate_hz, **noise)
    samples = BarSamples(t, x, y, np.ones(len(t)), "plate", PLATE_CUTOFF_HZ, 0.25)
    curve = fit_curve(samples, 0, len(t))
    (lift,) = find_lifts(curve, None, 1.70)
    off = path.marks["lift_off"]
    phases = {"end_first_pull": off + 0.44, "power_position": off + 0.54}
    return Analysed(samples, curve, replace(lift, times_s=lift.times_s | phases))


@pytest.fixture(scope="module")
def path(snatch: "MadeUpBar") -> "MadeUpBar":
    return swayed(snatch)


@pytest.fixture(scope="module")
def clear(path: "MadeUpBar") -> Analysed:
    return analyse(path, noise_m=0.0005)


@pytest.fixture(scope="module")
def measured(clear: Analysed) -> dict[str, Measure]:
    return clear.measured()[0]


def truth_of(path: "MadeUpBar") -> dict[str, float]:
    """Return what the construction says, for 80 kg, read from the exact path."""
    at = path.truth() | {"lift_off": path.marks["lift_off"]}
    height = {name: float(np.interp(s, path.times_s, path.y)) for name, s in at.items()}
    span_s = at["peak_velocity"] - at["lift_off"]
    forward_m_s = float(np.interp(at["peak_velocity"], path.times_s, path.forward))
    work = 80 * (GRAVITY_M_S2 * height["peak_velocity"] + 0.5 * (1.8**2 + forward_m_s**2))
    impulse = 80 * (1.8 + GRAVITY_M_S2 * span_s)
    return {
        "bar_peak_velocity_m_s": 1.8,
        "bar_max_height_m": height["max_height"],
        "bar_catch_height_m": height["catch"],
        "bar_drop_m": height["max_height"] - height["catch"],
        "bar_toward_first_pull_m": 0.05,
        "bar_forward_loop_m": 0.09,
        "bar_rearward_to_catch_m": 0.06,
        "time_start_to_peak_s": at["peak_velocity"] - at["start"],
        "time_peak_to_catch_s": at["catch"] - at["peak_velocity"],
        "bar_work_j": work,
        "bar_mean_power_w": work / span_s,
        "bar_mean_force_n": impulse / span_s,
        "bar_impulse_n_s": impulse,
        "impulse_check_ratio": 1.0,
    }


TOLERANCES = {
    "bar_peak_velocity_m_s": 0.03,
    "bar_work_j": 15,
    "bar_mean_power_w": 40,
    "bar_mean_force_n": 25,
    "bar_impulse_n_s": 25,
    "impulse_check_ratio": 0.01,
}


@pytest.mark.parametrize("rate_hz", [30.0, 60.0, 120.0])
def test_readings_are_those_the_lift_was_built_with_at_any_frame_rate(path: "MadeUpBar", rate_hz: float) -> None:
    seen = analyse(path, rate_hz)

    readings = read_bar(seen.curve, seen.lift, replace(CONTEXT, frame_rate_hz=rate_hz))

    for name, value in truth_of(path).items():
        unit = MEASURES[name].unit
        usual = {"m": 0.008, "s": 0.02}.get(unit, 0.0)
        assert readings[name].value == pytest.approx(value, abs=TOLERANCES.get(name, usual)), name


def test_every_reading_is_in_the_catalogue_with_its_unit(measured: dict[str, Measure]) -> None:
    assert set(measured) <= set(MEASURES)
    assert len(measured) > 15
    for name, measure in measured.items():
        assert measure.unit == MEASURES[name].unit, name
        assert measure.low <= measure.value <= measure.high, name
        assert measure.source == "plate"


def test_a_bar_that_is_fastest_as_it_comes_into_view_has_no_transition(clear: Analysed) -> None:
    at = clear.lift.times_s
    early = replace(clear.lift, times_s=at | {"peak_velocity": at["lift_off"] + 0.001})

    assert "transition_velocity_loss_ratio" not in read_bar(clear.curve, early, CONTEXT)


def test_a_transition_is_read_where_speed_dips_and_absent_where_it_only_rises(
    bar: "MadeUpBar", clear: Analysed
) -> None:
    off_s = 0.1
    dipping = bar.then(
        (0.08, 0.1), (0.25, 1.2), (0.14, 1.0), (0.18, 1.8), (0.16, 0.9), (0.14, 0.0), (0.13, -0.8), (0.13, 0)
    )
    marked = replace(dipping.rest(0.3), marks={"lift_off": 1.0 + off_s})
    dip = analyse(marked)
    readings = read_bar(dip.curve, dip.lift, CONTEXT)

    assert readings["bar_first_pull_peak_velocity_m_s"].value == pytest.approx(1.2, abs=0.05)
    assert readings["transition_velocity_loss_ratio"].value == pytest.approx(1 / 6, abs=0.05)

    rising = bar.then((0.1, 0.1), (0.6, 1.8), (0.3, 0.0), (0.13, -0.8), (0.13, 0.0)).rest(0.3)
    smooth_rise = analyse(replace(rising, marks={"lift_off": 1.0}))
    assert "transition_velocity_loss_ratio" not in read_bar(smooth_rise.curve, smooth_rise.lift, CONTEXT)


def test_a_lift_without_catch_has_no_measures_of_the_catch(bar: "MadeUpBar") -> None:
    missed = analyse(bar.pull(drop_m=0).fall())

    readings = read_bar(missed.curve, missed.lift, CONTEXT)

    assert "bar_peak_velocity_m_s" in readings
    assert not {"bar_drop_m", "bar_catch_height_m", "time_peak_to_catch_s", "bar_rearward_to_catch_m"} & set(readings)


def test_without_a_mass_there_is_no_work_or_force_but_the_impulse_check(clear: Analysed) -> None:
    readings = read_bar(clear.curve, clear.lift, replace(CONTEXT, bar_mass_kg=None))

    assert "impulse_check_ratio" in readings
    assert not [name for name in readings if MEASURES[name].unit in ("N", "N s", "J", "W")]


def test_work_force_and_power_grow_with_the_mass_and_nothing_else_does(clear: Analysed) -> None:
    light, heavy = (read_bar(clear.curve, clear.lift, replace(CONTEXT, bar_mass_kg=kg)) for kg in (50.0, 100.0))

    for name, reading in heavy.items():
        factor = 2.0 if MEASURES[name].unit in ("N", "N s", "J", "W") else 1.0
        assert reading.value == pytest.approx(factor * light[name].value), name


def test_the_nine_of_ten_intervals_hold_the_truth(path: "MadeUpBar") -> None:
    truth = truth_of(path)
    held: list[bool] = []
    for seed in range(12):
        found = analyse(path, noise_m=0.002, seed=seed).measured()[0]
        held += [found[name].low <= value <= found[name].high for name, value in truth.items() if name in found]

    assert len(held) > 100
    assert np.mean(held) > 0.85


def test_smoothing_is_taken_out_of_the_peak_speed(path: "MadeUpBar") -> None:
    seen = [analyse(path, noise_m=0.001, seed=seed) for seed in range(4)]
    raw = np.mean([read_bar(s.curve, s.lift, CONTEXT)["bar_peak_velocity_m_s"].value for s in seen])
    corrected = np.mean([s.measured()[0]["bar_peak_velocity_m_s"].value for s in seen])

    assert abs(corrected - 1.8) < abs(raw - 1.8)
    assert corrected == pytest.approx(1.8, abs=0.02)


def test_intervals_widen_with_noise(path: "MadeUpBar", measured: dict[str, Measure]) -> None:
    noisy = analyse(path, noise_m=0.004, seed=1).measured()[0]

    for name in ("bar_peak_velocity_m_s", "bar_forward_loop_m", "bar_drop_m", "time_start_to_peak_s"):
        assert noisy[name].sd > 1.15 * measured[name].sd, name


def fixed(sd: float, shift: float = 0.0) -> Spread:
    return Spread(dict.fromkeys(MEASURES, sd), dict.fromkeys(MEASURES, shift), {})


def one(name: str, reading: Reading, spread: Spread, context: Context = CONTEXT) -> Measure:
    measures, reasons = bar_measures({name: reading}, spread, context, "plate", np.arange(100) / 60)
    assert reasons == {}
    return measures[name]


@given(relative=st.floats(0.0, 0.2))
@settings(max_examples=20, deadline=None)
def test_lengths_and_speeds_widen_in_proportion_to_the_error_of_the_scale(relative: float) -> None:
    context = replace(CONTEXT, scale=replace(SCALE, bar_relative_sd=relative))

    height = one("bar_max_height_m", Reading(1.2), fixed(0.01), context)
    time = one("time_peak_to_catch_s", Reading(0.5), fixed(0.01), context)

    factor = CALIBRATION.factor("bar_max_height_m/plate")
    assert height.sd == pytest.approx(factor * np.sqrt(0.01**2 + (1.2 * relative) ** 2 + 0.002**2), rel=1e-6)
    assert time.sd == one("time_peak_to_catch_s", Reading(0.5), fixed(0.01)).sd


def test_forward_travel_widens_with_the_rise_over_which_a_tilted_camera_spoils_it() -> None:
    name = "bar_forward_loop_m"

    assert one(name, Reading(0.05, lever_m=1.0), fixed(0.002)).sd > 2 * one(name, Reading(0.05), fixed(0.002)).sd


def test_half_of_the_bias_stays_in_the_interval() -> None:
    biased = one("bar_max_height_m", Reading(1.0), fixed(0.01, shift=0.06))

    assert biased.value == 1.0
    assert biased.sd > 0.03 * CALIBRATION.factor("bar_max_height_m/plate")
    assert one("bar_peak_velocity_m_s", Reading(1.7), fixed(0.01, shift=-0.05)).value == pytest.approx(1.75)


def test_without_a_scale_only_times_and_ratios_are_given_and_the_rest_says_why(clear: Analysed) -> None:
    measures, reasons = clear.measured(replace(CONTEXT, scale=NO_SCALE))

    assert {MEASURES[name].unit for name in measures} == {"s", "1"}
    assert "no scale" in reasons["bar_peak_velocity_m_s"]
    assert not set(measures) & set(reasons)


def test_from_the_front_forward_travel_is_not_judged_and_heights_are(clear: Analysed) -> None:
    measures, reasons = clear.measured(replace(CONTEXT, look=FRONT))

    assert "cannot be judged from the front" in reasons["bar_forward_loop_m"]
    assert {"bar_peak_velocity_m_s", "bar_max_height_m", "bar_drop_m"} <= set(measures)


def test_a_peak_force_needs_plate_frame_rate_and_a_steady_track(clear: Analysed, path: "MadeUpBar") -> None:
    name = "bar_peak_force_n"

    assert name in clear.measured()[0]
    assert "plate" in clear.measured(source="hands")[1][name]
    slow = analyse(path, 30.0, noise_m=0.0005)
    assert "30" in slow.measured(replace(CONTEXT, frame_rate_hz=30.0))[1][name]
    shaky = analyse(path, noise_m=0.012, seed=2)
    assert "unsteady" in shaky.measured()[1][name]


def test_what_the_noise_leaves_nothing_of_is_absent_with_a_reason() -> None:
    measures, reasons = bar_measures(
        {"bar_drop_m": Reading(0.1), "bar_max_height_m": Reading(1.0)},
        Spread({"bar_drop_m": 0.2}, {"bar_drop_m": 0.0}, {}),
        CONTEXT,
        "plate",
        np.arange(10) / 60,
    )

    assert measures == {}
    assert set(reasons) == {"bar_drop_m", "bar_max_height_m"}
    assert all("unsteady" in reason for reason in reasons.values())


def test_the_same_clip_gives_the_same_intervals_every_time(clear: Analysed, measured: dict[str, Measure]) -> None:
    assert clear.measured()[0] == measured


def test_the_noise_is_that_of_the_lift_and_not_of_the_drop(path: "MadeUpBar") -> None:
    seen = analyse(path, noise_m=0.002, seed=3)
    rough = seen.samples.y_m.copy()
    late = seen.samples.times_s > path.marks["stands"]
    rough[late] += np.random.default_rng(0).normal(scale=0.02, size=late.sum())

    x, y = local_noise(replace(seen.samples, y_m=rough), seen.curve, path.marks["lift_off"], path.marks["bottom"])

    assert (x, y) == (pytest.approx(0.002, rel=0.25), pytest.approx(0.002, rel=0.25))


def test_instants_have_a_spread_too(path: "MadeUpBar") -> None:
    seen = analyse(path, noise_m=0.002)

    spread = spread_by_noise(seen.samples, seen.curve, seen.lift, CONTEXT)

    for name in ("start", "peak_velocity", "max_height", "catch"):
        assert 0 <= spread.instant_sd_s[name] < 0.03, name


@given(value=st.floats(-5, 5), sd=st.floats(0, 2), time_s=st.floats(0, 1))
def test_a_measure_holds_its_value_and_names_the_nearest_frame(value: float, sd: float, time_s: float) -> None:
    times = np.arange(31) / 30

    measure = make_measure("bar_forward_loop_m", value, {"noise": sd}, "plate", time_s, times)

    assert measure.high - measure.low == pytest.approx(
        2 * Z90 * CALIBRATION.factor("bar_forward_loop_m/plate") * sd, abs=1e-9
    )
    assert measure.frame is not None
    assert abs(times[measure.frame] - time_s) <= 1 / 60 + 1e-9


def test_a_height_or_speed_is_never_said_to_be_below_nothing() -> None:
    drop = make_measure("bar_drop_m", 0.02, {"noise": 0.03}, "plate", None, np.arange(3.0))

    assert (drop.low, drop.frame) == (0.0, None)
    assert drop.high == pytest.approx(0.02 + Z90 * CALIBRATION.factor("bar_drop_m/plate") * 0.03)


def test_an_interval_says_which_error_is_the_largest() -> None:
    measure = make_measure("bar_drop_m", 0.1, {"noise": 0.003, "scale": 0.004}, "plate", None, np.arange(3.0))

    assert measure.limited_by == "scale"
    assert measure.sd == pytest.approx(CALIBRATION.factor("bar_drop_m/plate") * 0.005)


LIFT = LiftTimes(
    {
        "lift_off": 0.1,
        "start": 0.15,
        "end_first_pull": 0.3,
        "power_position": 0.4,
        "peak_velocity": 0.5,
        "max_height": 0.7,
        "catch": 0.9,
    },
    "caught",
    0.0,
    1.0,
    True,
)
FRAMES_S = np.arange(40) / 30


def test_angles_are_read_at_their_instants(figure: Figure) -> None:
    knee = np.interp(FRAMES_S, [0.1, 0.5, 0.9], [90.0, 150.0, 60.0])
    trunk = np.interp(FRAMES_S, [0.1, 0.3, 0.5], [40.0, 35.0, 95.0])
    angles = measure_angles(figure(40, knee_deg=knee, trunk_deg=trunk, hip_deg=120.0, elbow_deg=170.0), 1.0)

    measures, reasons = angle_measures(angles, LIFT, CONTEXT, FRAMES_S)

    assert reasons == {}
    expected = {
        "knee_angle_start_deg": 90,
        "knee_angle_catch_deg": 60,
        "trunk_angle_start_deg": 40,
        "trunk_angle_loss_first_pull_deg": 5,
        "trunk_angle_peak_deg": 95,
        "hip_angle_peak_deg": 120,
    }
    assert {name: m.value for name, m in measures.items()} == {n: pytest.approx(v, abs=7) for n, v in expected.items()}
    factor = CALIBRATION.factor("knee_angle_catch_deg/body")
    assert measures["knee_angle_catch_deg"].sd == pytest.approx(factor * ANGLE_SD_DEG)
    assert measures["knee_angle_catch_deg"].frame == 27
    assert {m.source for m in measures.values()} == {"body"}
    assert set(measures) <= set(MEASURES)


def test_angles_are_not_judged_from_the_front_nor_from_hidden_joints(figure: Figure) -> None:
    track = figure(40)
    front = angle_measures(measure_angles(track, 1.0), LIFT, replace(CONTEXT, look=FRONT), FRAMES_S)
    hidden_points = track.points_px.copy()
    hidden_points[:8] = np.nan
    hidden_track = PoseTrack(track.times_s, hidden_points, track.world_m.copy(), track.visibility.copy())
    hidden = angle_measures(measure_angles(hidden_track, 1.0), LIFT, CONTEXT, FRAMES_S)

    assert front[0] == {}
    assert set(front[1].values()) == {"cannot be judged from the front; film from the side"}
    assert "hidden" in hidden[1]["knee_angle_start_deg"]
    assert "knee_angle_catch_deg" in hidden[0]


def test_a_trunk_upright_or_upside_down_over_a_bar_on_the_floor_is_not_said(figure: Figure) -> None:
    trunk = np.interp(FRAMES_S, [0.1, 0.3, 0.5], [86.0, -70.0, 95.0])
    angles = measure_angles(figure(40, knee_deg=90.0, trunk_deg=trunk, hip_deg=120.0, elbow_deg=170.0), 1.0)

    measures, reasons = angle_measures(angles, LIFT, CONTEXT, FRAMES_S)

    assert {"trunk_angle_start_deg", "trunk_angle_loss_first_pull_deg"} == set(reasons)
    assert "trunk_angle_peak_deg" in measures


def test_a_missed_lift_has_no_knee_angle_at_the_catch(figure: Figure) -> None:
    times = {name: s for name, s in LIFT.times_s.items() if name != "catch"}

    measures, reasons = angle_measures(measure_angles(figure(40), 1.0), replace(LIFT, times_s=times), CONTEXT, FRAMES_S)

    assert "knee_angle_catch_deg" not in measures
    assert "knee_angle_catch_deg" not in reasons
