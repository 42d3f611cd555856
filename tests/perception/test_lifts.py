"""Which rises are lifts and of what kind, on made-up bars and bodies seen with noise; real clips through their arrays."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from perception.body_signals import BodySignals, measure_body, plane_rise
from perception.instants import LiftTimes, read_motion
from perception.lifts import declined_stretches, find_lifts, relocate, without_bounces
from perception.outcome import miss_direction
from perception.places import PLATE_OVER_ANKLE, Places
from perception.pose import INDEX
from tests.perception import made_up_kinds as made
from tests.perception.made_up_kinds import (
    BENT_M,
    HANDS_25,
    HANDS_30,
    PLATE_30,
    PLATE_60,
    RACK_M,
    SQUAT_M,
    STANDING_M,
    STATURE_M,
    MadeUpLift,
    Seen,
    observe,
)

SEEN = [PLATE_60, PLATE_30, HANDS_30, HANDS_25]
NAMES = ["plate60", "plate30", "hands30", "hands25"]


def lifts_of(lift: MadeUpLift, seen: Seen = PLATE_60, seed: int = 0, **more: object) -> list[LiftTimes]:
    gap = more.pop("gap_s", None)
    return [
        found
        for curve, body in observe(lift, seen, seed, gap)
        for found in find_lifts(curve, body, STATURE_M, more.get("wanted"))
    ]


def words(lifts: list[LiftTimes]) -> list[tuple[str, str]]:
    return [(lift.kind, lift.outcome) for lift in lifts]


def from_rack() -> MadeUpLift:
    return made.begin(RACK_M, STANDING_M)


KINDS: dict[str, tuple[Callable[[], MadeUpLift], list[tuple[str, str]]]] = {
    "snatch": (lambda: made.drop(made.snatch()), [("snatch", "caught")]),
    "clean": (lambda: made.drop(made.clean()), [("clean", "caught")]),
    "clean and jerk": (lambda: made.drop(made.jerk(made.clean())), [("clean", "caught"), ("jerk", "caught")]),
    "jerk": (lambda: made.drop(made.jerk(from_rack())), [("jerk", "caught")]),
    "pull": (made.high_pull, [("pull", "not_caught")]),
    "squats": (lambda: made.squat(made.squat(from_rack())), [("squat", "caught")] * 2),
    "overhead squat": (lambda: made.squat(made.begin(1.65, STANDING_M)), [("squat", "caught")]),
    "deadlift": (lambda: made.let_down(made.deadlift(), 0.5), [("deadlift", "caught")]),
    "missed snatch": (lambda: made.lost_at_the_top(), [("snatch", "not_caught")]),
}


@pytest.mark.parametrize("seen", SEEN, ids=NAMES)
@pytest.mark.parametrize("name", list(KINDS))
def test_every_kind_is_recognised_with_its_outcome_and_nothing_else_counts(name: str, seen: Seen) -> None:
    make, expected = KINDS[name]
    lift = make()

    right = [words(lifts_of(lift, seen, seed)) == expected for seed in range(6)]

    assert sum(right) >= 6 if seen.rate_hz == 60 else sum(right) >= 5


def test_hands_that_leave_the_bar_after_a_deadlift_make_no_lift_of_their_own() -> None:
    """Of six looks most; noise of the hands that is slow can look like a bar that still rises."""
    stood = made.rest(made.deadlift(), 0.6)
    empty = made.rest(made.rise(stood, 0.55, 0.45, STANDING_M), 0.5)

    right = [words(lifts_of(empty, HANDS_30, seed)) == [("deadlift", "caught")] for seed in range(6)]

    assert sum(right) >= 4


def test_a_jerk_has_its_own_instants_in_order_and_starts_in_the_dip() -> None:
    path = made.drop(made.jerk(from_rack()))
    (lift,) = lifts_of(path)
    at, marks = lift.times_s, path.bar.marks

    assert "lift_off" not in at
    order = ("dip_start", "start", "dip_bottom", "peak_velocity", "max_height", "catch", "recovered")
    assert [at[name] for name in order] == sorted(at[name] for name in order)
    assert at["dip_start"] == pytest.approx(marks["dip_start"], abs=0.045)
    assert at["dip_bottom"] == pytest.approx(marks["dip_bottom"], abs=0.015)
    assert at["peak_velocity"] == pytest.approx(marks["jerk_peak_velocity"], abs=0.03)
    assert at["max_height"] == pytest.approx(marks["jerk_max_height"], abs=0.02)


@pytest.mark.parametrize(
    ("peak_m_s", "lowered_m", "lowered_s", "driven_m", "driven_s"),
    [(1.642, 0.109, 1.365, 0.449, 0.558), (1.684, 0.161, 1.397, 0.498, 0.570), (1.664, 0.204, 1.421, 0.399, 0.505)],
)
def test_a_dip_that_follows_a_pull_at_once_takes_nothing_from_its_top(
    peak_m_s: float, lowered_m: float, lowered_s: float, driven_m: float, driven_s: float
) -> None:
    dipped = (STANDING_M[0] - 0.1, STANDING_M[1] - 0.1)
    lowered = made.rise(made.pull(made.begin(), peak_m_s, 0.0, STANDING_M), -lowered_m, lowered_s, dipped)

    lifts = lifts_of(made.rest(made.rise(lowered, driven_m, driven_s, STANDING_M), 0.8))

    assert lifts[0].times_s["max_height"] == pytest.approx(lowered.bar.marks["max_height"], abs=0.05)


@pytest.mark.parametrize("seed", range(3))
def test_a_jerk_without_a_wait_has_the_bottom_of_its_dip_where_the_bar_is_lowest(seed: int) -> None:
    path = made.jerk(from_rack())

    (lift,) = lifts_of(path, Seen(noise_m=0.001), seed)

    assert lift.times_s["dip_bottom"] == pytest.approx(path.bar.marks["dip_bottom"], abs=0.01)


def test_a_lifter_who_waits_in_the_dip_starts_after_the_wait() -> None:
    dipped = made.rise(from_rack(), -0.17, 0.4, (STANDING_M[0] - 0.17, STANDING_M[1] - 0.17))
    waited = replace(made.rest(dipped, 0.3), bar=dipped.bar.rest(0.3))
    driven = replace(waited, bar=waited.bar.then((0.14, 1.3), (0.08, 1.6), (0.26, 0.0)).rest(1.0)).stands(STANDING_M)

    (lift,) = lifts_of(driven)

    assert lift.kind == "jerk"
    assert lift.times_s["start"] > lift.times_s["dip_bottom"]


@pytest.mark.parametrize("peak_m_s", [1.0, 1.1])
def test_a_bar_that_rises_too_little_for_the_shoulders_is_no_clean_whatever_they_seem_to_be(peak_m_s: float) -> None:
    """Shoulders hidden behind a plate are guessed at the bar."""
    turns_m = made.lowest(made.pull(made.begin(), peak_m_s, 0.08, STANDING_M))
    up = made.rest(made.pull(made.begin(), peak_m_s, 0.08, (turns_m + 0.05, 0.62)), 0.4)
    path = made.rest(made.let_down(up, turns_m, 0.8), 0.6)

    found = [words(lifts_of(path, seed=seed)) for seed in range(3)]

    assert float(np.max(path.bar.y)) < 0.40 * STATURE_M
    assert found == [[("pull", "not_caught")]] * 3


@pytest.mark.parametrize("metres", [0.02, 0.08])
def test_re_racking_is_no_jerk(metres: float) -> None:
    standing = made.clean()
    up = made.rise(made.rise(standing, -0.02, 0.2, STANDING_M), metres + 0.02, 0.25, STANDING_M)

    assert words(lifts_of(made.drop(made.rest(up, 0.8)))) == [("clean", "caught")]


def test_the_recovery_of_a_clean_is_neither_a_jerk_nor_a_squat() -> None:
    under = made.pull(made.begin(), 1.4, 0.25, made.SQUAT_M)
    quick = made.rest(made.rise(made.rest(under, 0.9), RACK_M - made.lowest(under), 0.75, STANDING_M), 0.8)

    assert words(lifts_of(quick)) == [("clean", "caught")]


def test_a_bar_lowered_to_the_shoulders_under_control_is_no_lift() -> None:
    jerked = made.jerk(from_rack())
    lowered = made.let_down(jerked, made.lowest(jerked) - RACK_M + 0.1, 0.7, STANDING_M)
    soaked = made.rest(made.rise(lowered, 0.1, 0.4, STANDING_M), 1.0)

    assert words(lifts_of(soaked)) == [("jerk", "caught")]


def test_hands_that_stand_up_without_the_bar_after_a_lift_are_no_deadlift() -> None:
    done = made.let_down(made.rest(made.snatch(), 0.3), 1.6, 0.9)
    empty = made.rest(made.rise(made.rest(done, 0.6), 0.5, 0.8, STANDING_M), 0.8)

    assert words(lifts_of(empty, HANDS_30)) == [("snatch", "caught")]


def test_touch_and_go_deadlifts_are_counted_and_are_no_squats() -> None:
    again = made.deadlift(made.let_down(made.deadlift(), 0.5, 1.0))

    lifts = lifts_of(again)

    assert [lift.kind for lift in lifts] == ["deadlift", "deadlift"]


def test_a_hang_clean_has_no_lift_off_and_a_block_clean_lies_still() -> None:
    hanging = made.let_down(made.begin(0.50, STANDING_M), 0.25, 0.8, (0.85, 0.50))
    (hang,) = lifts_of(made.drop(made.clean(hanging)))
    (block,) = lifts_of(made.drop(made.clean(made.begin(0.27, (0.85, 0.50)))))

    assert (hang.kind, block.kind) == ("clean", "clean")
    assert "lift_off" not in hang.times_s
    assert "lift_off" not in block.times_s
    assert hang.variant.startswith("hang")
    assert block.variant.startswith("block")


def test_split_and_power_jerks_are_told_apart() -> None:
    split, power = (lifts_of(made.jerk(from_rack(), split=is_split))[0] for is_split in (True, False))

    assert (split.variant, power.variant) == ("split", "power")


def test_a_squat_that_is_never_stood_up_is_not_caught() -> None:
    down = made.rise(from_rack(), -0.55, 1.5, (STANDING_M[0] - 0.55, STANDING_M[1] - 0.47))
    half = made.rise(down, 0.2, 0.9, (STANDING_M[0] - 0.35, STANDING_M[1] - 0.3))
    stuck = made.rest(made.rise(half, -0.25, 0.8, (STANDING_M[0] - 0.6, STANDING_M[1] - 0.5)), 1.0)

    assert words(lifts_of(stuck)) == [("squat", "not_caught")]


@pytest.mark.parametrize(("forward_m_s", "expected"), [(0.9, "front"), (-0.9, "behind")])
def test_a_missed_bar_goes_to_the_front_or_behind(forward_m_s: float, expected: str) -> None:
    path = made.lost_at_the_top(forward_m_s)
    ((curve, body),) = observe(path)
    (lift,) = find_lifts(curve, body, STATURE_M)

    assert miss_direction(curve, lift, body) == expected
    assert miss_direction(curve, lift, None) == expected


def test_a_caught_lift_has_no_direction_of_a_miss() -> None:
    ((curve, body),) = observe(made.drop(made.snatch()))
    (lift,) = find_lifts(curve, body, STATURE_M)

    assert miss_direction(curve, lift, body) is None


def test_a_plate_lost_in_the_turnover_does_not_turn_a_catch_into_a_silent_miss() -> None:
    path = made.drop(made.snatch())
    apex_s = path.bar.marks["max_height"]

    lift = lifts_of(path, gap_s=(apex_s + 0.05, apex_s + 0.9))[0]

    assert (lift.kind, lift.outcome) == ("snatch", "caught")
    assert "catch" not in lift.times_s
    assert "hands alone" in lift.note


def test_a_lift_that_the_user_names_follows_the_rules_of_that_name() -> None:
    deadlifted = lifts_of(made.high_pull(), wanted="deadlift")
    jerked = lifts_of(made.drop(made.jerk(made.clean())), wanted="jerk")

    assert [lift.kind for lift in deadlifted] == ["deadlift"]
    assert "catch" not in deadlifted[0].times_s
    assert [lift.kind for lift in jerked] == ["clean", "jerk"]
    assert lifts_of(made.squat(from_rack()), wanted="snatch") == []


def test_a_bar_overhead_right_after_a_cut_is_declined_with_the_reason() -> None:
    held = made.rest(
        made.rise(made.begin(1.55, (STANDING_M[0] - 0.2, STANDING_M[1] - 0.2), 0.8), 0.08, 1.0, STANDING_M), 1
    )
    ((curve, body),) = observe(held)

    assert find_lifts(curve, body, STATURE_M) == []
    ((start_s, _, reason),) = declined_stretches(curve, body, STATURE_M, [], cut_frame=155, last_kind="clean")

    assert start_s == pytest.approx(0.0, abs=0.01)
    assert reason == (
        "the bar is overhead right after the cut at frame 155: "
        "the jerk's dip and drive were not filmed, so it cannot be measured"
    )


def test_a_rise_that_the_clip_cuts_off_is_declined_and_a_whole_lift_is_not() -> None:
    whole = made.drop(made.snatch())
    peak_s = whole.bar.marks["peak_velocity"]
    n = round((peak_s - 0.03) / made.STEP_S)
    short = replace(whole, bar=replace(whole.bar, up=whole.bar.up[:n], forward=whole.bar.forward[:n]))

    for path, n_declined in ((short, 1), (whole, 0)):
        ((curve, body),) = observe(path)
        lifts = find_lifts(curve, body, STATURE_M)
        assert len(declined_stretches(curve, body, STATURE_M, lifts)) == n_declined


@pytest.mark.parametrize(("after_s", "n_lifts"), [(0.6, 1), (2.0, 2)])
def test_a_rise_right_after_the_bar_was_let_fall_is_a_bounce_also_on_a_curve_of_its_own(
    after_s: float, n_lifts: int
) -> None:
    ((curve, body),) = observe(made.drop(made.snatch()))
    ((other, standing),) = observe(made.high_pull())
    (snatch,), (pull,) = find_lifts(curve, body, STATURE_M), find_lifts(other, standing, STATURE_M)
    t = np.linspace(curve.y.start_s, curve.y.end_s, 500)
    shift_s = float(t[np.argmin(curve.y.rate(t))]) + after_s - min(pull.times_s.values())
    later = replace(pull, times_s={name: time_s + shift_s for name, time_s in pull.times_s.items()})

    assert len(without_bounces([(curve, snatch), (other, later)], [curve])) == n_lifts


@pytest.mark.parametrize("name", ["snatch", "clean", "jerk", "squats", "deadlift"])
def test_the_same_lift_is_found_again_on_the_same_curve_and_near_it_on_another(name: str) -> None:
    path = KINDS[name][0]()
    ((curve, body),) = observe(path)
    ((other, _),) = observe(path, seed=1)

    for lift in find_lifts(curve, body, STATURE_M):
        same, near = relocate(curve, lift, STATURE_M), relocate(other, lift, STATURE_M)
        assert same is not None
        assert near is not None
        assert set(same.times_s) == set(lift.times_s)
        for instant, time_s in lift.times_s.items():
            flat = 0.03 if instant == "peak_velocity" and name == "squats" else 0.006
            assert same.times_s[instant] == pytest.approx(time_s, abs=flat), instant
        for instant in ("start", "peak_velocity"):
            assert near.times_s[instant] == pytest.approx(lift.times_s[instant], abs=0.10), instant


def test_a_curve_on_which_the_lift_is_not_there_gives_none() -> None:
    ((curve, body),) = observe(made.drop(made.snatch()))
    (lift,) = find_lifts(curve, body, STATURE_M)
    ((still, _),) = observe(made.begin(rest_s=6.0))

    assert relocate(still, lift, STATURE_M) is None


def test_heights_of_the_body_come_in_the_axis_of_the_bar_although_the_plate_is_nearer(figure: Callable) -> None:
    """A plate 13 % nearer to the camera than the body: the hands tell where the bar is on the body."""
    n = 90
    knees = np.interp(np.arange(n), [0, 30, 60, 89], [100, 100, 170, 170])
    track = figure(n, knee_deg=knees, hip_deg=np.where(knees > 0, knees, 0), trunk_deg=70, arm_deg=90)
    hands = (track.point_px("left_hand") + track.point_px("right_hand")) / 2
    body_scale, bar_scale, horizon_px = 0.01, 0.0088, 300.0
    bar_px = horizon_px + (hands[:, 1] - horizon_px) * body_scale / bar_scale
    samples = made.BarSamples(
        track.times_s, hands[:, 0] * bar_scale, -bar_px * bar_scale, np.ones(n), "plate", 7.0, 0.25
    )

    body = measure_body(track, hands, samples, body_scale, 1.0)

    assert isinstance(body, BodySignals)
    assert np.nanmax(np.abs(body.hands_y_m - samples.y_m)) < 0.01
    over = samples.y_m - body.shoulder_y_m
    assert over[-1] == pytest.approx(0.63, abs=0.03)


@pytest.mark.parametrize(
    ("yaw_deg", "grip_m"), [(0.0, np.nan), (90.0, 0.5), (-90.0, 0.5), (60.0, 0.5 / np.sin(np.pi / 3))]
)
def test_the_grip_is_how_far_the_wrists_are_apart_and_not_seen_from_the_side(
    figure: Callable, yaw_deg: float, grip_m: float
) -> None:
    track = figure(30, knee_deg=170, hip_deg=170, trunk_deg=80, arm_deg=-90)
    points = track.points_px.copy()
    points[:, INDEX["left_wrist"], 0] = points[:, INDEX["right_wrist"], 0] + 50
    hands = (track.point_px("left_hand") + track.point_px("right_hand")) / 2
    samples = made.BarSamples(track.times_s, hands[:, 0] * 0.01, -hands[:, 1] * 0.01, np.ones(30), "plate", 7.0, 0.25)

    body = measure_body(replace(track, points_px=points), hands, samples, 0.01, 1.0, yaw_deg=yaw_deg)

    assert body.grip_m[15] == pytest.approx(grip_m, abs=1e-3, nan_ok=True)


@pytest.mark.parametrize("hands_off_px", [0.0, 60.0])
def test_where_the_camera_looks_ties_bar_and_body_together_whatever_the_hands_say(
    figure: Callable, hands_off_px: float
) -> None:
    """A camera that looks level: what is at its own height is in the middle row, of the near plate and of the body."""
    n, body_scale, bar_scale, middle_row_px = 90, 0.01, 0.0088, 300.0
    knees = np.interp(np.arange(n), [0, 30, 60, 89], [100, 100, 170, 170])
    track = figure(n, knee_deg=knees, hip_deg=knees, trunk_deg=70, arm_deg=90)
    hands = (track.point_px("left_hand") + track.point_px("right_hand")) / 2
    bar_px = middle_row_px + (hands[:, 1] - middle_row_px) * body_scale / bar_scale
    samples = made.BarSamples(
        track.times_s, hands[:, 0] * bar_scale, -bar_px * bar_scale, np.ones(n), "plate", 7.0, 0.25
    )
    rise = plane_rise(bar_scale, body_scale, middle_row_px)

    body = measure_body(track, hands + np.array([0.0, hands_off_px]), samples, body_scale, 1.0, rise)

    over = samples.y_m - body.shoulder_y_m
    assert over[-1] == pytest.approx(0.63, abs=0.03)


def test_a_second_squat_needs_no_sight_of_the_body() -> None:
    squats = KINDS["squats"][0]()
    ((curve, body),) = observe(squats)
    first, second = find_lifts(curve, body, STATURE_M)[:2]
    blind = {
        name: np.where(body.times_s > first.end_s, np.nan, getattr(body, name))
        for name in ("shoulder_y_m", "hip_y_m", "knee_y_m", "head_y_m")
    }

    found = find_lifts(curve, replace(body, **blind), STATURE_M)

    assert [lift.kind for lift in found][:2] == ["squat", "squat"]
    assert found[1].times_s["dip_bottom"] == pytest.approx(second.times_s["dip_bottom"], abs=0.01)


def test_a_first_squat_whose_bottom_hides_the_body_is_told_by_the_second() -> None:
    squats = KINDS["squats"][0]()
    ((curve, body),) = observe(squats)
    first = find_lifts(curve, body, STATURE_M)[0]
    sunk = np.where(
        np.abs(body.times_s - first.times_s["dip_bottom"]) < 0.3, body.shoulder_y_m - 0.5, body.shoulder_y_m
    )

    found = find_lifts(curve, replace(body, shoulder_y_m=sunk), STATURE_M)

    assert [lift.kind for lift in found][:2] == ["squat", "squat"]
    assert found[0].times_s["dip_bottom"] == pytest.approx(first.times_s["dip_bottom"], abs=0.01)


@pytest.mark.parametrize(("seconds", "n_lifts"), [((1.5, 1.4), 1), ((0.3, 0.5), 0)])
def test_a_slow_way_straight_down_from_the_shoulders_and_back_is_a_squat_whatever_the_body_does(
    seconds: tuple[float, float], n_lifts: int
) -> None:
    down_s, up_s = seconds
    ((curve, body),) = observe(made.squat(made.rest(from_rack(), 0.2), down_s=down_s, up_s=up_s))
    still = {name: np.full_like(body.times_s, float(getattr(body, name)[5])) for name in ("shoulder_y_m", "hip_y_m")}

    found = find_lifts(curve, replace(body, **still), STATURE_M)

    assert [lift.kind for lift in found] == ["squat"] * n_lifts


def test_a_bar_at_the_hip_is_not_driven_from_the_shoulders_wherever_they_seem_to_be() -> None:
    hanging = made.let_down(made.begin(0.50, STANDING_M), 0.25, 0.8, (0.85, 0.50))
    ((curve, body),) = observe(made.clean(hanging))
    start_s = find_lifts(curve, body, STATURE_M)[0].times_s["start"]
    folded = curve.y.value(np.clip(body.times_s, curve.y.start_s, curve.y.end_s)) - 0.05
    shoulders = np.where(body.times_s < start_s + 0.3, folded, body.shoulder_y_m)

    found = find_lifts(curve, replace(body, shoulder_y_m=shoulders), STATURE_M)

    assert "jerk" not in [lift.kind for lift in found]


def test_a_bar_no_higher_than_shoulders_is_driven_from_them_although_a_plate_hides_how_high_they_are() -> None:
    ((curve, body),) = observe(made.drop(made.jerk(from_rack())))
    low = replace(body, shoulder_y_m=body.shoulder_y_m - 0.16 * STATURE_M)

    assert Places(read_motion(curve), low, STATURE_M).of(0.5) == "overhead"
    assert [lift.kind for lift in find_lifts(curve, low, STATURE_M)] == ["jerk"]


def test_a_clean_whose_start_was_not_seen_is_no_snatch_for_the_floor_is_where_the_feet_are() -> None:
    lift = made.clean()
    ((curve, body),) = observe(lift)
    start_s = find_lifts(curve, body, STATURE_M)[0].times_s["start"]

    *_, (late, body) = observe(lift, gap_s=(start_s - 0.5, start_s + 0.1))
    (found,) = find_lifts(late, body, STATURE_M)

    assert "start" not in found.times_s
    assert (found.kind, found.outcome) == ("clean", "caught")
    assert found.rest_m == pytest.approx(0.0, abs=0.06)


def test_a_bar_at_the_knees_is_not_on_the_shoulders_whatever_they_seem_to_be() -> None:
    ((curve, body),) = observe(made.begin(posture=BENT_M, rest_s=2.0))
    height = float(curve.y.value(np.array([1.0]))[0])
    misplaced = replace(body, shoulder_y_m=np.full_like(body.times_s, height))

    def place_when_the_floor_is(under: float) -> str:
        ankles = np.full_like(body.times_s, height - (under + PLATE_OVER_ANKLE) * STATURE_M)
        return Places(read_motion(curve), replace(misplaced, ankle_y_m=ankles), STATURE_M).of(1.0)

    assert place_when_the_floor_is(0.22) == "hang"
    assert place_when_the_floor_is(0.40) == "shoulders"


@pytest.mark.parametrize(("hips_m", "place"), [(0.20, "floor"), (0.55, "hang")])
def test_a_bar_that_seems_to_float_lies_on_the_floor_where_the_hips_are_as_low_as_over_the_floor(
    hips_m: float, place: str
) -> None:
    """From behind the bar is farther away than the feet, and looks higher."""
    ((curve, body),) = observe(made.begin(posture=(BENT_M[0], hips_m), rest_s=2.0))
    height = float(curve.y.value(np.array([1.0]))[0])
    under = np.full_like(body.times_s, height - (0.11 + PLATE_OVER_ANKLE) * STATURE_M)
    lowered = replace(body, ankle_y_m=under, hip_y_m=body.hip_y_m - 0.11 * STATURE_M)

    assert Places(read_motion(curve), lowered, STATURE_M).of(1.0) == place


@pytest.mark.parametrize(("grip", "kind"), [(0.29, "clean"), (np.nan, "snatch"), (0.54, "snatch")])
@pytest.mark.parametrize("caught", [False, True])
def test_the_grip_tells_a_high_clean_from_a_snatch(grip: float, kind: str, caught: bool) -> None:
    """A power clean that is pulled as high as a snatch."""
    lift = made.snatch() if caught else made.lost_at_the_top()
    ((curve, body),) = observe(lift)
    apart = replace(body, grip_m=np.full_like(body.times_s, grip * STATURE_M))

    (found,) = find_lifts(curve, apart, STATURE_M)

    assert found.kind == ("snatch" if caught else kind)


def test_bent_over_a_bar_on_the_floor_the_lifter_does_not_hold_it_overhead() -> None:
    ((curve, body),) = observe(made.begin(posture=BENT_M, rest_s=2.0))

    assert find_lifts(curve, body, STATURE_M) == []
    assert declined_stretches(curve, body, STATURE_M, []) == []


@pytest.mark.parametrize(("peak_m_s", "n_lifts"), [(2.9, 1), (3.4, 0)])
def test_a_light_bar_may_be_faster_than_any_heavy_one_but_not_by_much(peak_m_s: float, n_lifts: int) -> None:
    path = made.rest(made.pull(made.begin(), peak_m_s, 0.12, SQUAT_M), 0.8)

    lifts = lifts_of(path)

    assert np.max(path.bar.up) == pytest.approx(peak_m_s)
    assert len(lifts) == n_lifts
