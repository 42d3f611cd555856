"""Cameras all round the lifter, still and moving, their cuts, the times of frames, and the bar that bends."""

import numpy as np
import pytest

from perception.pose import INDEX
from perception.simulator.bar_path import GRAVITY_M_S2, BarState
from perception.simulator.camera import UP, angles_deg, azimuth_deg, camera_at, camera_of
from perception.simulator.dataset import frames_of, plan_dataset
from perception.simulator.filming import Film
from perception.simulator.random_filming import HANDLINGS, TIMINGS, timed
from perception.simulator.random_spec import OBLIQUE_DEG, random_camera, random_lifter, random_spec
from perception.simulator.simulation import simulate
from perception.simulator.spec import VIEWS, BarSpec, Filming, LiftSpec, MovementSpec, VideoSpec
from perception.simulator.truth import Truth, frame_times, truth_of
from perception.simulator.whip import discs_offset_m

VIDEO = VideoSpec(width_px=640, height_px=480, rate="30", exposure_s=0.001, noise_levels=0, gain=1, gamma=1, crf=23)


def truth(spec: LiftSpec) -> Truth:
    return truth_of(spec, simulate(spec), "lift.mp4")


def still_bar(times_s: np.ndarray, height_m: np.ndarray | float) -> BarState:
    """Return the hands' bar at a height that changes only in one step."""
    position = np.column_stack([np.zeros_like(times_s), np.broadcast_to(height_m, times_s.shape)])
    return BarState(position, np.zeros_like(position), np.zeros_like(position))


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_shows_the_lifter_from_where_it_says(view):
    for seed in range(3):
        t = truth(random_spec(seed, view=view))
        names = {name: t.keypoints_px[0][i][0] for name, i in INDEX.items()}
        left_of_right = names["left_shoulder"] < names["right_shoulder"]
        wide = abs(names["left_shoulder"] - names["right_shoulder"])
        ahead = names["nose"] - (names["left_ear"] + names["right_ear"]) / 2
        if view in ("front", "rear"):
            assert left_of_right == (view == "rear")
            assert t.facing == {"front": "camera", "rear": "away"}[view]
            assert abs(ahead) < 0.2 * wide
        else:
            assert t.facing == random_spec(seed, view=view).camera.athlete_side
            assert (ahead > 0) == (t.facing == "right")


def test_oblique_cameras_stand_well_off_the_side_and_the_front_on_both_sides():
    azimuths = [azimuth_deg(random_spec(seed, view="oblique").camera) for seed in range(60)]
    assert min(azimuths) < -115
    assert max(azimuths) > 115
    for azimuth in azimuths:
        off_side = abs(abs(azimuth) - 90)
        assert OBLIQUE_DEG[0] <= off_side <= OBLIQUE_DEG[1]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("height_m", [1.45, 2.0])
@pytest.mark.parametrize("lift", ["snatch", "jerk"])
def test_short_and_tall_lifters_and_the_bar_overhead_are_in_the_picture(view, height_m, lift):
    for seed in range(8):
        rng = np.random.default_rng(seed)
        spec = random_camera(rng, view, height_m, VIDEO, lift)
        camera = camera_of(spec, VIDEO)
        ends = np.array([[0.05, (1.22 if lift == "jerk" else 1.14) * height_m, z] for z in (-1.1, 1.1)])
        reach = (-0.6, 0.7) if lift == "jerk" else (-0.1, 0.25)
        feet = np.array([[x, 0.0, z] for x in reach for z in (-0.3, 0.3)])
        pixels = camera.project(np.vstack([ends, feet]))
        assert pixels.min() > 0
        assert np.all(pixels < [VIDEO.width_px, VIDEO.height_px])


@pytest.mark.parametrize("filming", [Filming(is_tilted=True), Filming(handling="mixed")], ids=["tilted", "moving"])
def test_tilted_and_moving_cameras_keep_the_lifter_in_the_picture_until_the_bar_is_let_go(filming):
    for spec in plan_dataset(n=16, seed=5, fault="mixed", view="mixed", filming=filming):
        motion = simulate(spec)
        t = truth_of(spec, motion, "lift.mp4")
        held = np.array(t.times_s) < motion.release_s - motion.start_s
        for points in (np.array(t.keypoints_px)[held].reshape(-1, 2), np.array(t.bar.left_end_px)[held]):
            assert points.min() > 0, spec.camera
            assert np.all(points < [t.width_px, t.height_px]), spec.camera


def test_a_camera_turned_clockwise_sees_upright_things_lean_to_the_left():
    camera = random_spec(1).camera.model_copy(update={"roll_deg": 3.0, "pitch_deg": -5.0})
    seen = camera_of(camera, VIDEO)
    middle = seen.position_m + 3 * seen.forward
    foot, head = seen.project(np.array([middle, middle + 0.3 * UP]))
    assert head[1] < foot[1]
    assert np.rad2deg(np.arctan2(foot[0] - head[0], foot[1] - head[1])) == pytest.approx(3.0, abs=0.3)
    assert angles_deg(seen) == pytest.approx((azimuth_deg(camera), -5.0, 3.0), abs=1e-6)


def test_hand_shake_has_the_stated_size_and_is_slow_enough_to_be_one():
    move = MovementSpec(seed=4, shake_deg=0.3, shake_m=0.005)
    spec = random_spec(1).camera.model_copy(update={"movement": move, "pitch_deg": 0.0})
    times = np.arange(0, 60, 1 / 60)
    cameras = [camera_at(spec, VIDEO, float(t)) for t in times]
    pitch = np.array([angles_deg(c)[1] for c in cameras])
    assert pitch.std() == pytest.approx(0.3, rel=0.25)
    assert np.array([c.position_m for c in cameras]).std(axis=0) == pytest.approx([0.005] * 3, rel=0.3)
    power = np.abs(np.fft.rfft(pitch - pitch.mean())) ** 2
    assert power[np.fft.rfftfreq(len(times), 1 / 60) > 6].sum() < 1e-3 * power.sum()


def test_each_way_of_handling_moves_what_it_should():
    specs = plan_dataset(n=4, seed=6, filming=Filming(handling="mixed"))
    for spec, handling in zip(specs, HANDLINGS, strict=True):
        film = truth(spec).camera.film
        drift = {
            "pan": np.ptp(film.heading_deg),
            "zoom": 100 * np.ptp(np.log(film.focal_px)),
            "follow": np.ptp(film.pitch_deg),
        }
        assert handling == "shake" or max(drift, key=drift.__getitem__) == handling
        assert np.std(film.roll_deg) > (0.05 if handling == "shake" else -1)


def test_the_truth_of_a_moving_camera_projects_what_it_says():
    """Marks and hands seen through place, angles and focal length of the truth are where the truth has them."""
    (spec,) = plan_dataset(n=1, seed=6, view="oblique", filming=Filming(is_tilted=True, handling="shake"))
    t, film = truth(spec), Film(spec, simulate(spec), frame_times(spec, simulate(spec)))
    assert t.camera.is_moving
    assert film.camera(5) is not film.camera(5)
    for frame in (0, len(t.times_s) // 2, len(t.times_s) - 1):
        camera = film.camera(frame)
        assert camera.position_m == pytest.approx(t.camera.film.position_m[frame], abs=1e-4)
        assert camera.focal_px == pytest.approx(t.camera.film.focal_px[frame], abs=1e-2)
        hand = np.array(t.keypoints_m[frame][INDEX["left_hand"]]) + t.bar_rest_height_m * UP
        assert camera.project(hand) == pytest.approx(t.keypoints_px[frame][INDEX["left_hand"]], abs=0.2)
    marks = np.array(t.camera.film.marks_px)
    assert np.ptp(marks, axis=0).min() > 0.5


def test_a_still_camera_is_one_camera_and_has_no_film_in_the_truth():
    t = truth(random_spec(2))
    assert not t.camera.is_moving
    assert t.camera.cuts == ()
    assert t.camera.film is None


def test_a_cut_goes_to_another_camera_and_back():
    (spec,) = plan_dataset(n=1, seed=3, filming=Filming(has_cut=True))
    t = truth(spec)
    start, end = t.camera.cuts
    shots = t.camera.film.shot
    assert set(shots[:start]) == {0} == set(shots[end:])
    assert set(shots[start:end]) == {1}
    jump = np.linalg.norm(np.array(t.keypoints_px[start]) - np.array(t.keypoints_px[start - 1]), axis=1)
    assert jump.max() > 30
    assert t.camera.film.marks_px[start] is None


def test_slow_motion_has_the_files_times_and_the_true_speeds():
    spec = random_spec(4)
    spec = spec.model_copy(update={"video": spec.video.model_copy(update={"rate": "30"})})
    slow = spec.model_copy(update={"video": spec.video.model_copy(update={"timing": "slow", "slow_factor": 4.0})})
    a, b = truth(spec), truth(slow)
    assert (b.frame_rate_hz, b.true_rate_hz, a.true_rate_hz) == (30.0, 120.0, 30.0)
    assert b.measures == a.measures
    assert b.instants["catch"].time_s == pytest.approx(4 * a.instants["catch"].time_s, abs=1e-3)
    assert abs(b.times_s[b.instants["catch"].frame] - b.instants["catch"].time_s) <= 0.5 / 30 + 1e-3
    rise = np.gradient(np.array(b.bar.y_m), np.array(b.times_s))
    fastest = rise[b.instants["peak_velocity"].frame]
    assert 4 * fastest == pytest.approx(b.measures["bar_peak_velocity_m_s"], rel=0.02)


@pytest.mark.parametrize("timing", ["jittered", "dropped"])
def test_uneven_times_increase_and_the_bar_is_where_it_is_at_them(timing):
    even = random_spec(4)
    video = timed(np.random.default_rng(0), even.video, timing)
    a, b = truth(even), truth(even.model_copy(update={"video": video}))
    steps = np.diff(b.times_s)
    assert b.is_variable_rate
    assert not a.is_variable_rate
    assert steps.min() > 0
    assert steps.std() * b.frame_rate_hz > 0.05
    assert np.interp(b.times_s, a.times_s, a.bar.y_m) == pytest.approx(b.bar.y_m, abs=0.02)
    assert (len(b.times_s) < 0.97 * len(a.times_s)) == (timing == "dropped")


def test_a_held_bar_sags_as_stated_and_swings_at_the_rate_that_follows():
    bar = BarSpec(mass_kg=120, disc_widths_m=(0.06,), disc_diameters_m=(0.45,), disc_colours=((1, 0, 0),), sag_m=0.01)
    times = np.arange(0, 6, 0.001)
    offset = discs_offset_m(bar, times, still_bar(times, np.where(times > 1, 0.5, 0.0)))
    assert np.all(offset[times < 1] == 0)
    assert offset[-1] == pytest.approx(-0.01, abs=1e-4)
    swing = offset[(times > 1) & (times < 2)] + 0.01
    crossings = np.flatnonzero(np.diff(np.sign(swing)) != 0)
    period_s = 2 * float(np.mean(np.diff(crossings))) * 0.001
    assert period_s == pytest.approx(2 * np.pi * np.sqrt(bar.sag_m / GRAVITY_M_S2), rel=0.03)


def test_a_bending_bar_moves_the_discs_and_leaves_the_hands():
    spec = random_spec(4)
    bent = spec.model_copy(update={"bar": spec.bar.model_copy(update={"sag_m": 0.01})})
    a, b = truth(spec), truth(bent)
    assert (a.bar.y_m, a.measures, a.instants) == (b.bar.y_m, b.measures, b.instants)
    assert a.bar.plate_y_m == pytest.approx(a.bar.y_m, abs=1e-5)
    lag = np.array(b.bar.plate_y_m) - np.array(b.bar.y_m)
    assert -0.05 < lag.min() < -0.012
    assert min(b.bar.plate_y_m) > -1e-4
    low = int(np.argmin(lag))
    drawn = (b.bar.plate_px[low][1] - a.bar.plate_px[low][1]) * b.camera.m_per_px
    assert drawn == pytest.approx(-lag[low], rel=0.15)


def test_busy_scenes_have_discs_of_many_kinds_and_wishes_take_turns():
    wish = Filming(is_busy=True, timing="mixed")
    specs = plan_dataset(n=40, seed=8, fault="mixed", view="mixed", filming=wish)
    assert [s.video.timing for s in specs[:4]] == list(TIMINGS)
    diameters = {round(s.bar.plate_diameter_m, 2) for s in specs}
    assert 0.45 in diameters
    assert len([d for d in diameters if 0.34 < d < 0.41]) > 2
    assert {s.look.passer for s in specs} == {"none", "behind", "in_front"}
    assert {s.camera.view for s in specs} == set(VIEWS)
    for spec in specs:
        simulate(spec)


def test_a_bare_bar_shows_no_discs_and_weighs_20_kg():
    loaded, bare = (plan_dataset(n=1, seed=3, filming=f)[0] for f in (Filming(), Filming(is_bare=True)))

    pictures = [next(frames_of(spec)).astype(int) for spec in (loaded, bare)]

    assert (bare.snatch, bare.camera, bare.look) == (loaded.snatch, loaded.camera, loaded.look)
    assert truth(bare).bar_mass_kg == 20.0
    x, y = truth(bare).bar.plate_px[0]
    hidden = np.abs(pictures[0] - pictures[1]).max(axis=2) > 20
    radius = round(loaded.bar.plate_diameter_m / 2 / truth(loaded).camera.m_per_px)
    about = hidden[round(y) - radius : round(y) + radius, round(x) - radius : round(x) + radius]
    assert about.mean() > 0.4
    assert hidden.sum() < 3 * np.pi * radius**2


def test_a_set_with_a_wish_has_the_lifts_of_the_set_without():
    plain, wished = (plan_dataset(n=3, seed=2, filming=f) for f in (Filming(), Filming(handling="shake")))
    assert [s.snatch for s in plain] == [s.snatch for s in wished]
    assert [s.lifter for s in plain] == [s.lifter for s in wished]
    assert plain == [random_spec(s.seed) for s in plain]
    assert random_lifter(np.random.default_rng(0)) == random_lifter(np.random.default_rng(0))
