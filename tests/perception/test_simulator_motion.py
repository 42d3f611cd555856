"""The simulated body and bar obey bones, floor, hands and gravity."""

import numpy as np
import pytest

from perception.pose import BONES, INDEX
from perception.simulator.bar_path import GRAVITY_M_S2
from perception.simulator.dataset import plan_dataset
from perception.simulator.motion import SnatchMotion, simulate_snatch
from perception.simulator.spec import FAULTS, LiftSpec

SPECS = plan_dataset(n=25, seed=3, fault="mixed")


@pytest.fixture(params=SPECS, ids=lambda s: f"{s.seed}-{s.snatch.fault}-{s.snatch.outcome}")
def motion(request: pytest.FixtureRequest) -> SnatchMotion:
    spec: LiftSpec = request.param
    return simulate_snatch(spec)


def dense(motion: SnatchMotion, hz: float = 500) -> np.ndarray:
    return np.arange(-motion.spec.snatch.setup_s, motion.end_s, 1 / hz)


def test_the_set_holds_every_fault_and_missed_lifts():
    assert {s.snatch.fault for s in SPECS} == {None, *FAULTS}
    assert {s.snatch.outcome for s in SPECS} == {"caught", "not_caught"}


def test_bones_keep_their_length_to_a_micrometre(motion):
    points = motion.keypoints(dense(motion))
    for a, b in BONES:
        length = np.linalg.norm(points[:, INDEX[a]] - points[:, INDEX[b]], axis=1)
        assert np.ptp(length) < 1e-6, (a, b)


def test_bones_have_the_lengths_of_the_body(motion):
    points, body = motion.keypoints(np.array([0.0])), motion.body
    for a, b, length in (
        ("shoulder", "elbow", body.upper_arm_m),
        ("elbow", "wrist", body.forearm_m),
        ("wrist", "hand", body.hand_m),
        ("hip", "knee", body.thigh_m),
        ("knee", "ankle", body.shank_m),
        ("heel", "toe", body.foot_m),
    ):
        for side in ("left", "right"):
            found = np.linalg.norm(points[0, INDEX[f"{side}_{a}"]] - points[0, INDEX[f"{side}_{b}"]])
            assert found == pytest.approx(length, abs=1e-6)


def test_hands_stay_on_the_bar_until_it_is_let_go(motion):
    times = dense(motion)
    times = times[(times >= 0) & (times <= motion.times.release_s)]
    points, bar = motion.keypoints(times), motion.bar(times).position_m
    for side in ("left", "right"):
        hand = points[:, INDEX[f"{side}_hand"], :2] - np.array([0.0, motion.frame.rest_m])
        assert np.abs(hand - bar).max() < 1e-9


def test_hands_leave_the_bar_after_it_is_let_go(motion):
    late = np.array([motion.end_s])
    hand = motion.keypoints(late)[0, INDEX["left_hand"], :2] - np.array([0.0, motion.frame.rest_m])
    assert np.linalg.norm(hand - motion.bar(late).position_m[0]) > 0.3


def test_toes_stay_on_the_floor_but_for_the_jump_under_the_bar(motion):
    times, t = dense(motion), motion.times
    points = motion.keypoints(times)
    grounded = (times < t.peak_s) | (times > t.apex_s)
    for side in ("left", "right"):
        toe, heel = points[:, INDEX[f"{side}_toe"]], points[:, INDEX[f"{side}_heel"]]
        assert np.abs(toe[grounded, 1]).max() < 1e-9
        assert toe[:, 1].max() < 0.04
        assert heel[:, 1].min() > -1e-9
        assert np.abs(heel[times < t.power_s, 1]).max() < 1e-9


def test_feet_do_not_slide_forward(motion):
    toe = motion.keypoints(dense(motion))[:, INDEX["left_toe"]]
    assert np.ptp(toe[:, 0]) < 1e-9


def test_no_joint_jumps_from_one_moment_to_the_next(motion):
    points = motion.keypoints(dense(motion))
    speed = np.linalg.norm(np.diff(points, axis=0), axis=-1) * 500
    assert speed.max() < 9.0


def test_the_held_bar_never_falls_faster_than_gravity(motion):
    times = dense(motion)
    held = motion.bar(times[times <= motion.times.release_s]).acceleration_m_s2[:, 1]
    assert held.min() >= -GRAVITY_M_S2 - 1e-9


def test_the_dropped_bar_falls_with_gravity(motion):
    start = motion.times.release_s
    times = start + np.linspace(0.01, motion.path.flights[1].start_s - start - 0.01, 50)
    y = motion.bar(times).position_m[:, 1]
    assert 2 * np.polyfit(times - times[0], y, 2)[0] == pytest.approx(-GRAVITY_M_S2, abs=1e-6)


def test_every_bounce_keeps_the_stated_share_of_the_speed(motion):
    for flight in motion.path.flights[1:-1]:
        before = motion.bar(np.array([flight.start_s - 1e-7])).velocity_m_s[0, 1]
        after = motion.bar(np.array([flight.start_s + 1e-7])).velocity_m_s[0, 1]
        assert after / -before == pytest.approx(motion.spec.snatch.restitution, abs=1e-5)


def test_the_bar_never_sinks_into_the_floor(motion):
    assert motion.bar(dense(motion)).position_m[:, 1].min() > -1e-9


def test_velocity_and_acceleration_are_the_derivatives_of_the_path(motion):
    times = np.arange(0.0, motion.times.release_s, 1e-4)
    state = motion.bar(times)
    assert np.abs(np.gradient(state.position_m, times, axis=0) - state.velocity_m_s)[1:-1].max() < 2e-3
    assert np.abs(np.gradient(state.velocity_m_s, times, axis=0) - state.acceleration_m_s2)[1:-1].max() < 0.05


def test_force_on_the_held_bar_gives_its_momentum(motion):
    times = np.arange(0.0, motion.times.peak_s, 1e-4)
    state, mass = motion.bar(times), motion.spec.bar.mass_kg
    force = mass * (GRAVITY_M_S2 + state.acceleration_m_s2[:, 1])
    gained = np.trapezoid(force - mass * GRAVITY_M_S2, times)
    assert gained == pytest.approx(mass * state.velocity_m_s[-1, 1], rel=1e-4)


def test_speeds_and_heights_are_those_of_good_lifters(motion):
    """Peak speed 1.6-2.05 m/s and apex 0.65-0.80 of stature; a large drop needs a higher pull."""
    t, generous = motion.times, motion.spec.snatch.fault == "drop_large_snatch"
    speed = motion.bar(np.array([t.peak_s])).velocity_m_s[0, 1]
    apex = motion.bar(np.array([t.apex_s])).position_m[0, 1] + motion.frame.rest_m
    assert 1.55 < speed < (2.2 if generous else 2.12)
    assert 0.65 < apex / motion.body.height_m < (0.90 if generous else 0.805)


def test_the_lifter_stands_with_the_bar_above_its_apex():
    motion = simulate_snatch(next(s for s in SPECS if s.snatch.outcome == "caught"))
    y = motion.bar(np.array([motion.times.apex_s, motion.times.standing_s])).position_m[:, 1]
    assert y[1] > y[0] + 0.2


def test_left_and_right_mirror_each_other(motion):
    points = motion.keypoints(dense(motion, 50))
    for name, i in INDEX.items():
        if name.startswith("left_"):
            other = points[:, INDEX["right_" + name[5:]]] * np.array([1, 1, -1])
            assert np.abs(points[:, i] - other).max() < 1e-9


def test_positions_do_not_depend_on_which_other_times_are_asked_for(motion):
    few, many = np.linspace(-0.2, 3.0, 7), np.linspace(-0.2, 3.0, 61)
    assert np.allclose(motion.keypoints(few), motion.keypoints(many)[::10], atol=1e-12)


def test_before_lift_off_a_reaching_lifter_comes_down_to_the_bar():
    spec = SPECS[0].model_copy(
        update={"snatch": SPECS[0].snatch.model_copy(update={"reaches_down": True, "setup_s": 1.4})}
    )
    motion = simulate_snatch(spec)
    hand = motion.keypoints(np.array([-1.4, -0.3, 0.0]))[:, INDEX["left_hand"], 1] - motion.frame.rest_m
    assert hand[0] > 0.15
    assert abs(hand[1]) < 1e-9
    assert abs(hand[2]) < 1e-9
