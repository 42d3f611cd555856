"""Joint angles of stick figures built with known angles."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.domain.lift import CameraFacts
from perception.kinematics import fits_a_body, joint_angle_deg, joint_angles, measure_angles
from perception.pose import INDEX, PoseTrack

Figure = Callable[..., PoseTrack]
ANGLES = ("knee_deg", "hip_deg", "trunk_deg", "elbow_deg")


def one(*point: float) -> np.ndarray:
    return np.array([point], dtype=float)


def test_a_straight_limb_is_180_and_a_right_angle_is_90() -> None:
    assert joint_angle_deg(one(0, 2), one(0, 1), one(0, 0))[0] == pytest.approx(180)
    assert joint_angle_deg(one(0, 1), one(0, 0), one(3, 0))[0] == pytest.approx(90)
    assert joint_angle_deg(one(0, 1), one(0, 0), one(0, 5))[0] == pytest.approx(0)


def test_a_limb_without_length_has_no_angle() -> None:
    assert np.isnan(joint_angle_deg(one(1, 1), one(1, 1), one(3, 0))[0])


def test_an_angle_in_space_is_that_in_its_plane() -> None:
    spin = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    flat = [np.array([[x, y, 0.0]]) for x, y in ((0.3, 1.0), (0.0, 0.0), (1.0, -0.2))]

    assert joint_angle_deg(*(p @ spin for p in flat)) == pytest.approx(joint_angle_deg(*(p[:, :2] for p in flat)))


@given(
    points=st.lists(st.floats(-10, 10), min_size=6, max_size=6),
    turn=st.floats(0, 6.28),
    factor=st.floats(0.1, 100),
    shift=st.floats(-500, 500),
)
@settings(max_examples=50, deadline=None)
def test_an_angle_does_not_depend_on_place_size_rotation_or_mirror(
    points: list[float], turn: float, factor: float, shift: float
) -> None:
    a, b, c = np.array(points).reshape(3, 1, 2)
    if min(np.linalg.norm(a - b), np.linalg.norm(c - b)) < 0.1:
        return
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = [factor * p @ spin * np.array([-1.0, 1.0]) + shift for p in (a, b, c)]

    assert joint_angle_deg(*moved)[0] == pytest.approx(joint_angle_deg(a, b, c)[0], abs=1e-3)
    assert joint_angle_deg(c, b, a)[0] == pytest.approx(joint_angle_deg(a, b, c)[0])


@given(
    knee=st.floats(40, 178),
    hip=st.floats(40, 178),
    trunk=st.floats(15, 105),
    elbow=st.floats(60, 178),
    left=st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_the_angles_a_figure_was_built_with_come_back_facing_either_way(
    figure: Figure, knee: float, hip: float, trunk: float, elbow: float, left: bool
) -> None:
    track = figure(knee_deg=knee, hip_deg=hip, trunk_deg=trunk, elbow_deg=elbow, yaw_deg=180.0 if left else 0.0)

    angles = measure_angles(track, forward=-1.0 if left else 1.0)

    for name, built in zip(ANGLES, (knee, hip, trunk, elbow), strict=True):
        assert getattr(angles, name) == pytest.approx(np.full(12, built), abs=0.01), name


def test_leaning_back_is_over_90_and_bending_forward_under_it(figure: Figure) -> None:
    upright, back, forward = (
        measure_angles(figure(trunk_deg=lean, hip_deg=170, knee_deg=170), 1.0).trunk_deg[0] for lean in (90, 102, 35)
    )

    assert (upright, back, forward) == (pytest.approx(90), pytest.approx(102), pytest.approx(35))


def test_the_side_nearer_to_the_camera_is_measured(figure: Figure) -> None:
    track = figure(knee_deg=120.0)
    spoiled = track.points_px.copy()
    spoiled[:, INDEX["right_knee"]] += (40.0, 25.0)  # the far knee, guessed

    near = measure_angles(PoseTrack(track.times_s, spoiled, track.world_m.copy(), track.visibility.copy()), 1.0)

    assert near.knee_deg == pytest.approx(np.full(12, 120.0), abs=0.01)


def test_frames_whose_limbs_do_not_fit_a_body_are_not_measured(figure: Figure) -> None:
    track = figure(40, knee_deg=120.0)
    spoiled = track.points_px.copy()
    spoiled[15:25, INDEX["left_knee"]] = spoiled[15:25, INDEX["left_hip"]] + (5.0, 5.0)  # a knee put on the plate

    angles = measure_angles(PoseTrack(track.times_s, spoiled, track.world_m.copy(), track.visibility.copy()), 1.0)

    assert np.isnan(angles.knee_deg[18:22]).all()
    assert angles.knee_deg[:12] == pytest.approx(np.full(12, 120.0), abs=0.5)
    assert angles.knee_deg[28:] == pytest.approx(np.full(12, 120.0), abs=0.5)


def test_a_long_clip_takes_little_memory(figure: Figure) -> None:
    track = figure(20_000, knee_deg=120.0)

    tracemalloc.start()
    angles = measure_angles(track, 1.0)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert np.isfinite(angles.knee_deg).all()
    assert peak_bytes < 1000 * len(track.times_s)


def test_a_body_fits_itself_at_any_size_and_frames_without_pose_do_not(figure: Figure) -> None:
    parts = ("shoulder", "hip", "knee", "ankle")
    for px_per_m in (40.0, 400.0):
        points = [figure(px_per_m=px_per_m).point_px(f"left_{part}").copy() for part in parts]
        points[0][3] = np.nan

        fits = fits_a_body(*points)

        assert fits.sum() == 11
        assert not fits[3]


def test_nobody_has_no_angles(figure: Figure) -> None:
    track = figure()
    nobody = PoseTrack(
        track.times_s, np.full(track.points_px.shape, np.nan), track.world_m.copy(), np.zeros(track.visibility.shape)
    )

    angles = measure_angles(nobody, 1.0)

    assert all(np.isnan(getattr(angles, name)).all() for name in ANGLES)


def test_pictures_show_the_angles_that_are_measured_and_do_not_smooth_over_a_cut(figure: Figure) -> None:
    before, after = figure(40, knee_deg=100.0), figure(30, knee_deg=160.0)
    whole = PoseTrack(
        np.arange(70) / 30,
        *(
            np.concatenate([getattr(part, name) for part in (before, after)])
            for name in ("points_px", "world_m", "visibility")
        ),
    )
    camera = CameraFacts(view="side", facing="right", is_moving=False, cuts=(40,))

    shown = joint_angles(whole, camera)["left_knee"]

    assert shown == pytest.approx(np.repeat([100.0, 160.0], [40, 30]), abs=0.01)
    assert np.array_equal(shown[:40], measure_angles(before, 1.0).knee_deg)


def test_jitter_of_single_frames_is_smoothed_and_the_knee_bend_is_kept(figure: Figure) -> None:
    n, rate_hz = 90, 60.0
    t = np.arange(n) / rate_hz
    knee = 130 + 20 * np.sin(2 * np.pi * 1.2 * t)  # a re-bend of 40 degrees in 0.4 s
    clean = figure(n, knee_deg=knee, hip_deg=90, trunk_deg=45, rate_hz=rate_hz, px_per_m=200.0)
    jitter = np.random.default_rng(1).normal(scale=2.0, size=clean.points_px.shape)
    noisy = PoseTrack(t, clean.points_px + jitter, clean.world_m.copy(), clean.visibility.copy())

    measured = measure_angles(noisy, 1.0).knee_deg
    raw = joint_angle_deg(*(noisy.point_px(f"left_{part}") for part in ("hip", "knee", "ankle")))

    inside = slice(10, -10)
    assert np.std((measured - knee)[inside]) < 0.7 * np.std((raw - knee)[inside])
    assert np.ptp(measured[inside]) == pytest.approx(40, abs=4)
