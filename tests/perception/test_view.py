"""View, facing and yaw on constructed poses and plates, and on real clips; gates and oblique paths."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.domain.measures import MEASURES
from perception.gates import (
    HORIZONTAL,
    JOINT_ANGLES,
    LEFT_RIGHT,
    rectify,
    why_not_from_here,
    why_not_level,
    why_not_that_body,
)
from perception.plate import PlateTrack
from perception.pose import INDEX, Floats, PoseTrack
from perception.view import Look, estimate_facing, estimate_look, near_side, view_at

Figure = Callable[..., PoseTrack]
HALVES_M = {"shoulder": 0.2, "hip": 0.125}


def with_world(track: PoseTrack, turn_deg: float, noise_deg: float = 0.0) -> PoseTrack:
    """Return the pose with a 3D left-right axis turned by `turn_deg`: 0 faces right, 90 the camera, 180 left."""
    world = np.zeros(track.world_m.shape)
    noise = np.random.default_rng(0).normal(scale=noise_deg or 1e-9, size=len(world))
    turn = np.radians(turn_deg + noise)
    axis = np.stack([np.sin(turn), np.zeros(len(turn)), np.cos(turn)], axis=1)
    for part, half in HALVES_M.items():
        world[:, INDEX[f"left_{part}"]], world[:, INDEX[f"right_{part}"]] = half * axis, -half * axis
    return replace(track, world_m=world)


def disc(track: PoseTrack, yaw_deg: float) -> PlateTrack:
    n = len(track.times_s)
    centre: Floats = np.full((n, 2), 100.0)
    return PlateTrack(track.times_s.copy(), centre, np.ones(n), 60.0, 0.2, float(np.cos(np.radians(yaw_deg))) - 1)


@pytest.mark.parametrize("turn_deg", range(0, 360, 30))
def test_pose_in_the_picture_and_in_3d_give_the_yaw_within_its_error(figure: Figure, turn_deg: int) -> None:
    found = estimate_look(with_world(figure(trunk_deg=80, yaw_deg=turn_deg), turn_deg, 10.0))
    turn = np.radians(turn_deg)
    truth = float(np.degrees(np.arctan2(np.sin(turn), abs(np.cos(turn)))))

    assert found.yaw_deg == pytest.approx(truth, abs=2 * found.yaw_sd_deg)
    assert abs(found.yaw_deg - truth) < 14


@pytest.mark.parametrize("yaw_deg", [14.0, 20.0, 35.0])
def test_the_ellipse_of_the_plate_makes_the_yaw_surer_and_the_pose_its_sign(figure: Figure, yaw_deg: float) -> None:
    for sign in (1, -1):
        track = with_world(figure(trunk_deg=80, yaw_deg=sign * yaw_deg), sign * yaw_deg, 10.0)

        alone, both = estimate_look(track), estimate_look(track, disc(track, yaw_deg))

        assert both.yaw_sd_deg < alone.yaw_sd_deg
        assert both.yaw_deg == pytest.approx(sign * yaw_deg, abs=4)


def test_something_round_that_is_no_plate_does_not_make_a_front_view_a_side_view(figure: Figure) -> None:
    track = with_world(figure(trunk_deg=80, yaw_deg=90), 90, 5.0)

    assert estimate_look(track, disc(track, 0.0)).view == "front"


def test_some_frames_turned_around_do_not_flip_the_facing(figure: Figure) -> None:
    here, there = with_world(figure(n_frames=30, yaw_deg=0), 0), with_world(figure(n_frames=30, yaw_deg=180), 180)
    turned = np.arange(30) % 3 == 0
    mixed = PoseTrack(
        here.times_s.copy(),
        np.where(turned[:, None, None], there.points_px, here.points_px),
        np.where(turned[:, None, None], there.world_m, here.world_m),
        here.visibility.copy(),
    )

    found = estimate_look(mixed)

    assert (found.view, found.facing) == ("side", "right")


def test_crouching_does_not_change_the_view(figure: Figure) -> None:
    leans = np.linspace(20, 95, 40)

    assert estimate_look(figure(n_frames=40, trunk_deg=leans, yaw_deg=180)).view == "side"
    assert estimate_look(figure(n_frames=40, trunk_deg=leans, yaw_deg=90)).view == "front"


def test_names_of_views_follow_the_yaw() -> None:
    assert [view_at(y) for y in (-90, -40, -10, 0, 24, 45, 80)] == [
        *("rear", "oblique", "side", "side", "side", "oblique", "front")
    ]


def test_facing_is_unknown_where_the_view_is(figure: Figure) -> None:
    assert estimate_facing(figure(), "unknown") == "unknown"


@given(yaw=st.floats(-50, 50))
@settings(max_examples=40, deadline=None)
def test_rectifying_undoes_what_the_yaw_squeezes(yaw: float) -> None:
    found = rectify(yaw, 5.0)

    assert 0.2 * np.cos(np.radians(yaw)) * found.factor == pytest.approx(0.2)
    assert rectify(-yaw, 5.0).relative_sd == pytest.approx(found.relative_sd)


def test_an_oblique_path_is_less_sure_than_a_square_one() -> None:
    square, askew = rectify(0.0, 5.0), rectify(30.0, 5.0)

    assert square.factor == 1.0
    assert askew.relative_sd > 5 * square.relative_sd
    assert askew.leak_sd_m > 4 * square.leak_sd_m


def test_rectifying_from_the_front_is_refused() -> None:
    with pytest.raises(ValueError, match="does not show"):
        rectify(80.0, 5.0)


@pytest.mark.parametrize(
    ("yaw_deg", "horizontal", "angles", "left_right"),
    [
        (0, True, True, False),
        (14, True, True, False),
        (20, False, True, False),
        (-20, False, True, False),
        (40, False, False, False),
        (85, False, False, True),
        (-85, False, False, True),
    ],
)
def test_each_measure_is_gated_by_the_view_it_needs(
    yaw_deg: float, horizontal: bool, angles: bool, left_right: bool
) -> None:
    look = Look(view_at(yaw_deg), "unknown", yaw_deg, 3.0)

    def may(names: tuple[str, ...]) -> set[bool]:
        return {why_not_from_here(name, look) is None for name in names}

    assert may(HORIZONTAL) == {horizontal}
    assert may(JOINT_ANGLES) == {angles}
    assert may(LEFT_RIGHT) == {left_right}
    assert may(("bar_peak_velocity_m_s", "bar_max_height_m", "time_start_to_peak_s")) == {True}


def test_the_gates_name_measures_that_exist() -> None:
    assert {*HORIZONTAL, *JOINT_ANGLES, *LEFT_RIGHT} <= MEASURES.keys()


def test_a_tilt_nobody_knows_spoils_forward_travel_only() -> None:
    assert why_not_level("bar_forward_loop_m", 0.9) is not None
    assert why_not_level("bar_forward_loop_m", 0.35) is None
    assert why_not_level("bar_peak_velocity_m_s", 0.9) is None


def test_a_body_that_is_too_short_gives_no_joint_angles_and_everything_else() -> None:
    assert "31 % shorter" in (why_not_that_body("knee_angle_catch_deg", -0.31) or "")
    assert "18 % taller" in (why_not_that_body("trunk_angle_start_deg", 0.18) or "")
    assert why_not_that_body("knee_angle_catch_deg", 0.0) is None
    assert why_not_that_body("bar_peak_velocity_m_s", -0.31) is None


@pytest.mark.parametrize(
    ("yaw_deg", "facing", "side"),
    [(40, "right", -1.0), (-40, "right", 1.0), (40, "left", 1.0), (-40, "left", -1.0), (10, "right", 0.0)],
)
def test_the_near_plate_is_behind_who_faces_the_camera_a_little(
    yaw_deg: float, facing: Literal["left", "right"], side: float
) -> None:
    assert near_side(Look(view_at(yaw_deg), facing, yaw_deg, 5.0)) == side


def test_a_narrow_plate_makes_a_view_oblique(figure: Figure) -> None:
    track = with_world(figure(trunk_deg=80, yaw_deg=15), 15, 10.0)

    found = estimate_look(track, disc(track, 45.0))

    assert found.view == "oblique"
