"""Simulated lifts of every kind: bodies stay whole, bars obey gravity, faults move what they are about."""

from typing import Any

import numpy as np
import pytest

from coach.domain.lift import INSTANTS
from perception.pose import BONES, INDEX
from perception.simulator.bar_path import GRAVITY_M_S2
from perception.simulator.dataset import plan_dataset
from perception.simulator.lift_plan import ROUND
from perception.simulator.motion import simulate_snatch
from perception.simulator.random_spec import random_spec
from perception.simulator.simulation import Motion, simulate
from perception.simulator.spec import LiftSpec
from perception.simulator.technique import CATCH_FAULTS, FAULTS_OF, JERK_FAULTS
from perception.simulator.true_lift import Dense, TrueLift, find_instants, true_lift
from perception.simulator.truth import frame_times, truth_of

KINDS: list[dict[str, Any]] = [
    *({"lift": lift, "variant": variant} for lift, variant in sorted(set(ROUND))),
    {"lift": "snatch", "variant": "block power", "outcome": "caught_no_drop"},
    {"lift": "clean", "variant": "power", "outcome": "caught_no_drop"},
    {"lift": "snatch", "variant": "full", "outcome": "not_caught"},
    {"lift": "snatch", "outcome": "not_caught", "missed_behind": True},
    {"lift": "snatch", "outcome": "caught_then_lost", "missed_behind": True},
    {"lift": "clean", "outcome": "not_caught"},
    {"lift": "clean", "outcome": "caught_then_lost"},
    {"lift": "jerk", "outcome": "not_caught"},
    {"lift": "jerk", "outcome": "not_caught", "missed_behind": True},
    {"lift": "clean_and_jerk", "outcome": "caught_then_lost"},
]
RNG_SEED = 5


def name_of(kind: dict[str, Any]) -> str:
    return "-".join(str(v) for v in kind.values() if v)


@pytest.fixture(scope="module", params=KINDS, ids=name_of)
def case(request: pytest.FixtureRequest) -> tuple[LiftSpec, Motion, Dense, list[TrueLift]]:
    return made(random_spec(RNG_SEED, **request.param))


def made(spec: LiftSpec) -> tuple[LiftSpec, Motion, Dense, list[TrueLift]]:
    motion = simulate(spec)
    dense = Dense(spec, motion)
    return spec, motion, dense, [true_lift(dense, plan, frame_times(spec, motion), 1.0) for plan in motion.lifts]


def held(motion: Motion, dense: Dense) -> np.ndarray:
    return dense.times_s < (np.inf if motion.release_s is None else motion.release_s - 0.002)


def test_bones_keep_their_length_to_a_micrometre(case):
    _, _, dense, _ = case
    for a, b in BONES:
        length = np.linalg.norm(dense.points[:, INDEX[a]] - dense.points[:, INDEX[b]], axis=1)
        assert np.ptp(length) < 1e-6, (a, b)


def test_hands_are_on_the_bar_while_it_is_held(case):
    _, motion, dense, _ = case
    now = held(motion, dense) & (dense.times_s >= motion.gripped_s)
    for side in ("left", "right"):
        hand = dense.points[now, INDEX[f"{side}_hand"], :2] - np.array([0.0, dense.rest_m])
        assert np.abs(hand - dense.state.position_m[now]).max() < 1e-6


def test_feet_stand_on_the_floor_and_leave_it_only_for_a_step_or_a_hop(case):
    _, _, dense, _ = case
    for side in ("left", "right"):
        toe, heel = dense.points[:, INDEX[f"{side}_toe"]], dense.points[:, INDEX[f"{side}_heel"]]
        assert toe[:, 1].min() > -1e-9
        assert heel[:, 1].min() > -1e-9
        assert toe[:, 1].max() < 0.16
        on_floor = (toe[1:, 1] < 1e-9) & (toe[:-1, 1] < 1e-9)
        assert np.abs(np.diff(toe[:, [0, 2]], axis=0)[on_floor]).max() < 1e-4


def test_no_joint_moves_faster_than_a_lifters(case):
    _, _, dense, _ = case
    assert np.abs(np.diff(dense.points, axis=0)).max() * 1000 < 10.0


def test_a_held_bar_never_falls_faster_than_gravity_and_a_dropped_one_does_not_sink(case):
    _, motion, dense, _ = case
    assert dense.state.acceleration_m_s2[held(motion, dense), 1].min() >= -GRAVITY_M_S2 - 1e-9
    assert dense.y.min() > -1e-9


def test_velocity_and_acceleration_are_the_derivatives_of_the_path(case):
    _, motion, dense, _ = case
    now = held(motion, dense)
    position, velocity = dense.state.position_m[now], dense.state.velocity_m_s[now]
    assert np.abs(np.gradient(position, 1e-3, axis=0) - velocity)[2:-2].max() < 5e-3
    assert np.abs(np.gradient(velocity, 1e-3, axis=0) - dense.state.acceleration_m_s2[now])[2:-2].max() < 1.0


def test_ground_force_is_that_of_a_body_on_a_floor(case):
    """Weight at rest, no pull of the floor beyond what smooth curves leave, and no more than three and a half weights."""
    spec, motion, dense, _ = case
    weight = (spec.lifter.mass_kg + spec.bar.mass_kg) * GRAVITY_M_S2
    force = dense.ground_n[2:-2] / weight
    assert force[held(motion, dense)[2:-2]].min() > -0.7
    assert force.max() < 3.5
    begins = spec.lift not in ("jerk", "squat") and "hang" not in (spec.moves.variant if spec.moves else "")
    carried = spec.lifter.mass_kg if begins else spec.lifter.mass_kg + spec.bar.mass_kg
    start = int(np.argmax(dense.times_s > dense.times_s[0] + 0.02))
    if spec.moves is None or spec.moves.setup == "still":
        assert dense.ground_n[start] == pytest.approx(carried * GRAVITY_M_S2, rel=2e-3)


def test_instants_follow_each_other_and_outcomes_are_the_wanted_ones(case):
    spec, _, _, lifts = case
    order = {name: i for i, name in enumerate(INSTANTS)}
    for lift in lifts:
        found = [(order[n], at.time_s) for n, at in lift.instants.items() if at and n != "start"]
        assert np.all(np.diff([time for _, time in sorted(found)]) >= 0), lift.instants
    if spec.moves is not None:
        assert lifts[-1].outcome == spec.moves.outcome
        assert all(lift.outcome == "caught" for lift in lifts[:-1] if lift.lift in ("clean", "squat", "deadlift"))


def test_lifts_have_the_places_that_their_kind_has(case):
    """Apex of pulls below 0.55 of stature, of snatches and cleans inside wide bands; a jerk begins at the shoulders."""
    spec, _, dense, lifts = case
    for lift in lifts:
        top = round(lift.instants["max_height"].time_s * 1000)
        apex = (dense.y[top] + dense.rest_m) / spec.lifter.height_m
        low, high = {
            "pull": (0.40, 0.55),
            "snatch": (0.70, 1.12),
            "clean": (0.52, 0.85),
            "jerk": (0.98, 1.22),
            "squat": (0.78, 0.92),
            "deadlift": (0.38, 0.55),
        }[lift.lift]
        assert low < apex < high


def test_a_clean_and_jerk_is_two_lifts_with_their_own_instants():
    _, motion, dense, (clean, jerk) = made(random_spec(3, lift="clean_and_jerk"))
    assert (clean.lift, jerk.lift, clean.variant, jerk.variant) == ("clean", "jerk", "full", "split")
    assert jerk.instants["lift_off"] is None
    assert clean.instants["recovered"].time_s + 0.5 < jerk.instants["dip_start"].time_s
    start, bottom = jerk.instants["dip_start"].time_s, jerk.instants["dip_bottom"].time_s
    assert start < jerk.instants["start"].time_s < bottom + 0.1
    between = (dense.times_s > motion.lifts[0].begin_s + 4) & (dense.times_s < motion.lifts[1].begin_s)
    settled = np.ptp(dense.y[between & (dense.times_s > motion.lifts[1].begin_s - 1.4)])
    assert 0.015 < settled < 0.08


def test_the_split_has_a_front_and_a_rear_foot():
    spec, _, dense, (jerk,) = made(random_spec(4, lift="jerk", variant="split"))
    catch = round(jerk.instants["catch"].time_s * 1000)
    front, rear = (dense.points[catch, INDEX[f"{side}_ankle"]] for side in ("left", "right"))
    assert (front[0] - rear[0]) / spec.lifter.height_m > 0.4
    assert dense.points[catch, INDEX["right_heel"], 1] > 0.1
    assert dense.points[catch, INDEX["left_heel"], 1] == pytest.approx(0, abs=1e-6)


def test_repetitions_are_lifts_of_their_own_and_touch_and_go_has_no_rest():
    spec = random_spec(6, lift="deadlift", reps=3)
    spec = spec.model_copy(update={"moves": spec.moves.model_copy(update={"rest_s": 0.0, "lowered": True})})
    _, motion, dense, lifts = made(spec)
    assert [lift.lift for lift in lifts] == ["deadlift"] * 3
    between = (dense.times_s > 0.3) & (dense.times_s < motion.lifts[-1].begin_s + 0.3)
    assert (dense.y[between] < 1e-6).sum() < 2 * 50, "the bar rests for 50 ms at most, twice"


@pytest.mark.parametrize("setup", ["reach", "roll", "regrip"])
def test_what_happens_at_the_bar_before_the_lift_is_no_lift(setup):
    spec = random_spec(8, lift="clean")
    moves = spec.moves.model_copy(update={"setup": setup, "setup_s": 1.6})
    _, _, dense, lifts = made(spec.model_copy(update={"moves": moves}))
    assert len(lifts) == 1
    assert lifts[0].instants["lift_off"].time_s == pytest.approx(1.6, abs=2e-3)
    assert dense.y[dense.times_s < 0].max() == 0.0
    moved = dense.points[dense.times_s < 0][:, INDEX["left_hand"]]
    assert np.ptp(moved, axis=0).max() > 0.04


def test_the_way_the_bar_falls_is_the_wanted_one():
    for lift in ("snatch", "jerk"):
        for behind in (False, True):
            _, motion, dense, _ = made(random_spec(9, lift=lift, outcome="not_caught", missed_behind=behind))
            landed = dense.x[-1] - dense.points[dense.index(motion.release_s), INDEX["left_ankle"], 0]
            assert (landed < -0.2) == behind
            assert (landed > 0.2) != behind


BEYOND: dict[str, tuple[str, float, int]] = {
    "bar_forward_off_floor": ("bar_forward_off_floor_m", 0.02, 1),
    "bar_swing_forward": ("bar_forward_loop_m", 0.14, 1),
    "drop_large_snatch": ("bar_drop_m", 0.28, 1),
    "net_rearward_missing": ("bar_rearward_to_catch_m", 0.01, -1),
    "hips_shoot": ("trunk_angle_loss_first_pull_deg", 14, 1),
    "early_arm_bend": ("elbow_bend_pull_deg", 30, 1),
    "transition_velocity_loss": ("transition_velocity_loss_ratio", 0.2, 1),
    "incomplete_extension": ("hip_angle_peak_deg", 155, -1),
    "layback_excess": ("trunk_angle_peak_deg", 118, 1),
    "jump_forward": ("foot_jump_m", 0.06, 1),
    "jump_back": ("foot_jump_m", -0.18, -1),
    "catch_forward": ("bar_to_foot_catch_m", 0.1, 1),
    "catch_behind": ("bar_to_foot_catch_m", -0.1, -1),
    "dip_forward": ("bar_forward_dip_m", 0.03, 1),
    "drive_forward": ("bar_forward_drive_m", 0.05, 1),
}
"""Measure, threshold of the level `fault`, and the sense: +1 above, -1 below."""

BROUGHT_ALONG = {
    "jump_forward": ("net_rearward_missing",),
    "catch_forward": ("net_rearward_missing",),
}
"""A bar that is caught further forward cannot have come back as well."""

FAULTY = [(lift, fault) for lift in ("snatch", "clean", "jerk") for fault in FAULTS_OF[lift]]


def faulty(lift: str, fault: str, strength: float, seed: int = 7) -> tuple[LiftSpec, Motion, Dense, TrueLift]:
    plain = fault in ("drop_large_snatch", "net_rearward_missing")
    given = {} if plain else {"variant": "" if lift == "jerk" else "full", "strength": strength}
    spec, motion, dense, lifts = made(random_spec(seed, lift=lift, fault=fault, **given))
    return spec, motion, dense, lifts[0]


def moved_quantity(
    fault: str, spec: LiftSpec, motion: Motion, dense: Dense, lift: TrueLift
) -> tuple[float, float, int]:
    """Return what the fault library compares, its threshold and the sense."""
    if fault in BEYOND:
        name, threshold, sense = BEYOND[fault]
        return lift.measures[name], threshold, sense
    at = find_instants(dense, motion.lifts[0])
    if fault in ("dip_deep", "dip_shallow"):
        depth = lift.measures["dip_depth_stature_ratio"]
        return (depth, 0.15, 1) if fault == "dip_deep" else (depth, 0.05, -1)
    if fault == "dip_pause":
        return lift.measures["dip_pause_s"], 0.15, 1
    catch = at["catch"]
    if fault == "trunk_collapse":
        return float(dense.trunk_deg[catch]), 50.0, -1
    if fault == "split_short":
        ankles = dense.points[catch, INDEX["left_ankle"], 0] - dense.points[catch, INDEX["right_ankle"], 0]
        return float(ankles) / spec.lifter.height_m, 0.28, -1
    elbow = space_angle_deg(dense, "left")
    if fault == "press_out":
        return float(elbow[catch : catch + 900].max() - elbow[catch]), 15.0, 1
    assert fault == "soft_elbows"
    return float(elbow[catch + 200 : at["recovered"]].min()), 165.0, -1


def space_angle_deg(dense: Dense, side: str) -> np.ndarray:
    """Return the elbow angle in space; seen from the side a wide grip hides it."""
    shoulder, elbow, wrist = (dense.points[:, INDEX[f"{side}_{n}"]] for n in ("shoulder", "elbow", "wrist"))
    u, w = shoulder - elbow, wrist - elbow
    cosine = np.sum(u * w, axis=1) / np.linalg.norm(u, axis=1) / np.linalg.norm(w, axis=1)
    return np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))


@pytest.mark.parametrize(("lift", "fault"), FAULTY, ids=lambda v: str(v))
def test_a_fault_moves_its_own_quantity_beyond_its_threshold_the_more_the_stronger_it_is(lift, fault):
    values = []
    for strength in (0.0, 1.0):
        case = faulty(lift, fault, strength)
        value, threshold, sense = moved_quantity(fault, *case)
        assert sense * (value - threshold) > 0, (strength, value)
        for other, (name, limit, other_sense) in BEYOND.items():
            if (
                name in case[3].measures
                and other in FAULTS_OF[lift]
                and other not in (fault, *BROUGHT_ALONG.get(fault, ()))
            ):
                assert other_sense * (case[3].measures[name] - limit) < 0, (other, strength)
        values.append(sense * value)
        assert case[3].fault == fault
    if fault not in ("drop_large_snatch", "net_rearward_missing"):
        assert values[1] > values[0]


def test_there_are_at_least_twelve_faults():
    assert len({fault for faults in FAULTS_OF.values() for fault in faults}) >= 12


def test_in_a_clean_and_jerk_a_fault_belongs_to_one_of_the_two():
    for fault in ("hips_shoot", "dip_deep"):
        _, _, _, (clean, jerk) = made(random_spec(2, lift="clean_and_jerk", fault=fault))
        owner, other = (jerk, clean) if fault in JERK_FAULTS else (clean, jerk)
        assert owner.fault == fault
        assert 0 <= owner.fault_strength <= 1
        assert other.fault is None


@pytest.mark.parametrize(
    "given",
    [
        {"lift": "squat", "fault": "dip_deep"},
        {"lift": "snatch", "fault": "dip_deep"},
        {"lift": "clean", "variant": "hang", "fault": "hips_shoot"},
        {"lift": "jerk", "variant": "power", "fault": "split_short"},
        {"lift": "clean", "outcome": "not_caught", "missed_behind": True},
        {"lift": "pull", "outcome": "caught"},
        {"lift": "squat", "outcome": "not_caught"},
        {"lift": "clean", "outcome": "caught_no_drop"},
        {"lift": "jerk", "variant": "hang"},
        {"lift": "snatch", "reps": 3, "variant": "power"},
        *({"lift": "jerk", "fault": fault, "outcome": "not_caught"} for fault in CATCH_FAULTS if fault in JERK_FAULTS),
    ],
    ids=name_of,
)
def test_what_a_lift_cannot_have_is_refused(given):
    with pytest.raises(ValueError, match=r"cannot|choose|always|never|only|one|no "):
        random_spec(1, **given)


def test_the_same_seed_gives_the_same_lift_and_another_seed_another():
    for lift in ("clean", "jerk", "squat"):
        assert random_spec(1, lift=lift) == random_spec(1, lift=lift)
        assert random_spec(1, lift=lift).moves != random_spec(2, lift=lift).moves


def test_a_mixed_set_holds_every_kind_and_begins_with_the_shorter_one():
    specs = plan_dataset(n=60, seed=4, lift="mixed", fault="mixed", view="mixed")
    assert {s.lift for s in specs} == {lift for lift, _ in ROUND}
    assert plan_dataset(n=7, seed=4, lift="mixed", fault="mixed", view="mixed") == specs[:7]
    assert {s.camera.view for s in specs} == {"side", "front", "rear", "oblique"}
    assert len({s.moves.fault for s in specs if s.moves}) > 8
    assert {s.moves.outcome for s in specs if s.moves} >= {"caught", "not_caught", "caught_no_drop"}


def test_bodies_are_from_very_short_to_very_tall():
    heights = [random_spec(i, lift="squat").lifter.height_m for i in range(60)]
    assert min(heights) < 1.5
    assert max(heights) > 1.95


def test_the_truth_of_a_clip_names_every_lift_and_keeps_the_first_at_the_top():
    spec = random_spec(3, lift="clean_and_jerk")
    truth = truth_of(spec, simulate(spec), "lift.mp4")
    n = len(truth.times_s)
    assert (truth.lift, len(truth.lifts)) == ("clean", 2)
    assert truth.instants == truth.lifts[0].instants
    assert len(truth.com_m) == len(truth.ground_force_n) == len(truth.hands_on_bar) == n
    assert truth.hands_on_bar[0]
    assert not truth.hands_on_bar[-1]
    assert truth.ground_force_n[-1] == pytest.approx(spec.lifter.mass_kg * GRAVITY_M_S2, rel=0.02)


def test_the_plain_snatch_is_still_made_as_before():
    spec = random_spec(7, fault="bar_swing_forward")
    assert spec.snatch is not None
    times = np.linspace(-0.3, 3.0, 50)
    assert np.array_equal(simulate(spec).keypoints(times), simulate_snatch(spec).keypoints(times))
    assert simulate(spec).lifts[0].fault_strength > 0


def test_a_wrist_bends_back_only_as_far_as_the_arm_reaches() -> None:
    plan = plan_dataset(n=233, seed=2030, lift="mixed", fault="mixed", view="mixed")
    spec = plan[232]  # an arm that is 5 mm short in the turnover of a hang power clean

    points = np.array(truth_of(spec, simulate(spec), "lift.mp4").keypoints_m)

    assert np.isfinite(points).all()
