"""The truth of simulated lifts: instants, measures and which thresholds they cross."""

import numpy as np
import pytest

from coach.domain.errors import DataError, InputError
from coach.domain.lift import PULL_INSTANTS
from coach.domain.measures import MEASURES
from perception.pose import KEYPOINTS
from perception.simulator.bar_path import GRAVITY_M_S2
from perception.simulator.camera import camera_of
from perception.simulator.dataset import plan_dataset
from perception.simulator.motion import simulate_snatch
from perception.simulator.random_spec import random_spec
from perception.simulator.spec import FAULTS, RATES, LiftSpec
from perception.simulator.surroundings import surroundings_of
from perception.simulator.truth import Truth, read_truth, truth_of

SPECS = plan_dataset(n=40, seed=17, fault="mixed")

FAULT_BEYOND: dict[str, tuple[str, float, float]] = {
    "bar_forward_off_floor": ("bar_forward_off_floor_m", 0.02, 1),
    "bar_swing_forward": ("bar_forward_loop_m", 0.14, 1),
    "drop_large_snatch": ("bar_drop_m", 0.28, 1),
    "net_rearward_missing": ("bar_rearward_to_catch_m", 0.01, -1),
}
"""Measure, threshold of the level `fault`, and the sense: +1 above, -1 below."""

CLEAN_INSIDE: dict[str, tuple[float, float]] = {
    "bar_forward_off_floor_m": (-1.0, 0.0),
    "bar_forward_loop_m": (0.0, 0.10),
    "bar_drop_m": (0.0, 0.20),
    "bar_rearward_to_catch_m": (0.03, 1.0),
    "transition_velocity_loss_ratio": (-1.0, 0.10),
    "time_peak_to_catch_s": (0.0, 0.70),
    "bar_to_foot_catch_m": (-0.06, 0.06),
    "foot_jump_m": (-0.10, 0.02),
    "trunk_angle_start_deg": (22, 90),
    "trunk_angle_loss_first_pull_deg": (-5, 8),
    "trunk_angle_peak_deg": (60, 110),
    "hip_angle_peak_deg": (165, 200),
    "elbow_bend_pull_deg": (0, 15),
}
"""What the fault library lets pass without a word, by measure."""


def truth(spec: LiftSpec) -> Truth:
    return truth_of(spec, simulate_snatch(spec), "lift.mp4")


@pytest.fixture(scope="module")
def truths() -> list[Truth]:
    return [truth(s) for s in SPECS]


def test_a_clean_lift_is_inside_every_threshold_of_a_warning(truths):
    clean = [t for t in truths if t.fault is None]
    assert len(clean) == 8
    for t in clean:
        for name, (low, high) in CLEAN_INSIDE.items():
            if name in t.measures:
                assert low < t.measures[name] < high, (t.seed, name)


def test_a_clean_lift_keeps_clear_of_the_four_simulated_faults(truths):
    for t in truths:
        if t.fault is None and t.outcome == "caught":
            assert t.measures["bar_forward_off_floor_m"] < -0.015
            assert t.measures["bar_forward_loop_m"] < 0.085
            assert t.measures["bar_drop_m"] < 0.17
            assert t.measures["bar_rearward_to_catch_m"] > 0.04


def test_a_faulty_lift_is_clearly_beyond_its_own_threshold_and_no_other(truths):
    for t in truths:
        if t.fault is None:
            continue
        for fault, (name, threshold, sense) in FAULT_BEYOND.items():
            if name not in t.measures:
                assert t.outcome == "not_caught"
                continue
            beyond = sense * (t.measures[name] - threshold)
            assert beyond > 0.006 if fault == t.fault else beyond < -0.01, (t.seed, t.fault, name)


def test_a_faulty_lift_breaks_no_other_threshold_of_the_library(truths):
    for t in truths:
        own = FAULT_BEYOND[t.fault][0] if t.fault else None
        for name, (low, high) in CLEAN_INSIDE.items():
            if name in t.measures and name != own:
                assert low < t.measures[name] < high, (t.seed, t.fault, name)


def test_faults_come_in_different_strengths(truths):
    for fault, (name, _, _) in FAULT_BEYOND.items():
        values = [t.measures[name] for t in truths if t.fault == fault and name in t.measures]
        assert np.ptp(values) > 0.001


def test_instants_follow_each_other(truths):
    for t in truths:
        times = [t.instants[name].time_s for name in PULL_INSTANTS if t.instants[name] is not None]
        assert np.all(np.diff(times) > 0), t.seed
        assert times[-1] < t.times_s[-1]


def test_a_missed_lift_has_no_catch_and_no_recovery(truths):
    missed = [t for t in truths if t.outcome == "not_caught"]
    assert missed
    for t in missed:
        assert t.instants["catch"] is None
        assert t.instants["recovered"] is None
        assert "bar_drop_m" not in t.measures
        assert min(t.bar.velocity_y_m_s) < -2.6


def test_instants_are_where_the_path_was_built_to_have_them():
    for spec in SPECS:
        motion = simulate_snatch(spec)
        found, setup = truth_of(spec, motion, "lift.mp4").instants, spec.snatch.setup_s
        for name, built, within in (
            ("lift_off", 0.0, 0.005),
            ("end_first_pull", motion.times.end_first_pull_s, 0.015),
            ("power_position", motion.times.power_s, 0.015),
            ("peak_velocity", motion.times.peak_s, 0.002),
            ("max_height", motion.times.apex_s, 0.002),
        ):
            assert found[name].time_s - setup == pytest.approx(built, abs=within), (spec.seed, name)
        if spec.snatch.outcome == "caught":
            assert 0 < motion.times.catch_s - (found["catch"].time_s - setup) < 0.025


def test_frames_are_the_nearest_to_the_instants(truths):
    for t in truths:
        for instant in t.instants.values():
            if instant is not None:
                assert abs(t.times_s[instant.frame] - instant.time_s) <= 0.5 / t.frame_rate_hz + 1e-3


@pytest.mark.parametrize("rate", list(RATES))
def test_instants_and_measures_do_not_depend_on_the_frame_rate(rate):
    spec = random_spec(4)
    other = spec.model_copy(update={"video": spec.video.model_copy(update={"rate": rate})})
    a, b = truth(spec), truth(other)
    assert a.measures == b.measures
    assert {k: v and v.time_s for k, v in a.instants.items()} == {k: v and v.time_s for k, v in b.instants.items()}
    assert b.frame_rate_hz == pytest.approx(float(RATES[rate]))
    assert np.diff(b.times_s) == pytest.approx(1 / b.frame_rate_hz, abs=2e-6)


def test_work_impulse_and_force_agree_with_mechanics(truths):
    for t in truths:
        m, mass = t.measures, t.bar_mass_kg
        pull_s = t.instants["peak_velocity"].time_s - t.instants["lift_off"].time_s
        assert m["bar_impulse_n_s"] == pytest.approx(
            mass * (m["bar_peak_velocity_m_s"] + GRAVITY_M_S2 * pull_s), rel=1e-3
        )
        assert m["bar_mean_force_n"] == pytest.approx(m["bar_impulse_n_s"] / pull_s, rel=1e-3)
        assert m["bar_mean_power_w"] == pytest.approx(m["bar_work_j"] / pull_s, rel=1e-3)
        assert m["bar_peak_force_n"] > m["bar_mean_force_n"] > mass * GRAVITY_M_S2


def test_force_per_frame_is_the_weight_at_rest_and_nothing_in_free_fall(truths):
    t = next(t for t in truths if t.outcome == "not_caught")
    assert t.bar.force_n[0] == pytest.approx(t.bar_mass_kg * GRAVITY_M_S2, abs=0.1)
    fastest = int(np.argmin(t.bar.velocity_y_m_s))
    assert t.bar.force_n[fastest] == pytest.approx(0, abs=0.1)


def test_every_true_measure_is_in_the_catalogue(truths):
    for t in truths:
        assert set(t.measures) <= set(MEASURES)


def test_plate_pixels_times_scale_give_the_height_of_the_bar(truths):
    """The camera is square to the plane of the bar but for its yaw, so heights scale exactly."""
    for t in truths:
        y = np.array([p[1] for p in t.bar.plate_px])
        radius = np.array(t.bar.plate_radius_px)
        rise_m = (y[0] - y) * t.camera.m_per_px
        apex = t.instants["max_height"].frame
        assert rise_m[apex] == pytest.approx(t.bar.y_m[apex], abs=0.03)
        assert radius[0] * t.camera.m_per_px == pytest.approx(t.plate_diameter_m / 2, rel=2e-3)


def test_lifter_and_overhead_bar_stay_in_the_picture(truths):
    for t in truths:
        pixels = np.array(t.keypoints_px)
        assert pixels[..., 0].min() > 0
        assert pixels[..., 0].max() < t.width_px
        assert pixels[..., 1].min() > 0
        assert pixels[..., 1].max() < t.height_px
        tops = [p[1] - r for p, r in zip(t.bar.plate_px, t.bar.plate_radius_px, strict=True)]
        assert min(tops) > 0


def test_the_athlete_faces_the_side_that_the_camera_stands_on(truths):
    for t in truths:
        nose = t.keypoints_px[0][KEYPOINTS.index("nose")][0]
        hip = t.keypoints_px[0][KEYPOINTS.index("left_hip")][0]
        assert (nose < hip) == (t.facing == "left")


def test_from_in_front_the_athletes_left_is_at_the_right_of_the_picture():
    t = truth(random_spec(8, view="front"))
    names = dict(zip(KEYPOINTS, t.keypoints_px[0], strict=True))
    assert (t.view, t.facing) == ("front", "camera")
    assert names["left_hand"][0] > names["right_hand"][0]


def test_every_room_can_be_built():
    for seed in range(60):
        spec = random_spec(seed)
        look = spec.look.model_copy(update={"has_rack": True, "has_second_bar": True, "has_bystander": True})
        spec = spec.model_copy(update={"look": look})
        around = surroundings_of(spec, camera_of(spec.camera, spec.video))
        assert len(around.shapes) > 60
        assert all(np.isfinite(shape.centre_m).all() for shape in around.shapes)


def test_the_same_seed_gives_the_same_truth_and_another_seed_another():
    assert truth(random_spec(9)) == truth(random_spec(9))
    assert truth(random_spec(9)).measures != truth(random_spec(10)).measures


def test_a_longer_set_starts_with_the_shorter_one():
    assert plan_dataset(n=3, seed=2, fault="mixed") == plan_dataset(n=9, seed=2, fault="mixed")[:3]


@pytest.mark.parametrize("fault", FAULTS[2:])
def test_a_missed_lift_cannot_have_a_fault_of_the_catch(fault):
    with pytest.raises(ValueError, match="missed"):
        random_spec(1, fault=fault, missed=True)


def test_truth_survives_a_round_trip_through_a_file(tmp_path):
    t = truth(random_spec(5, fault="bar_swing_forward"))
    path = tmp_path / "truth.json"
    path.write_text(t.model_dump_json(), encoding="utf-8")
    assert read_truth(path) == t


def test_reading_a_missing_or_broken_truth_says_what_is_wrong(tmp_path):
    with pytest.raises(InputError, match="no file"):
        read_truth(tmp_path / "truth.json")
    (tmp_path / "truth.json").write_text('{"schema_version": 2}', encoding="utf-8")
    with pytest.raises(DataError, match=r"truth\.json"):
        read_truth(tmp_path / "truth.json")
