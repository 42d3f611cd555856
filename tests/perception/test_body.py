"""What the body adds: phases by the knee, feet and wrists."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from coach.domain.measures import MEASURES
from perception.body import place_measures, pull_phases
from perception.instants import LiftTimes
from perception.kinematics import Angles
from perception.pose import INDEX, PoseTrack
from perception.readings import Context
from perception.scale import Scale
from perception.view import Look

Figure = Callable[..., PoseTrack]
STATURE_M = 1.70
M_PER_PX = 0.01
ANKLE_PX = (320.0, 400.0)
LOOKS: dict[str, Look] = {
    "side": Look("side", "right", 0.0, 1.0),
    "front": Look("front", "camera", 90.0, 5.0),
    "rear": Look("rear", "away", -90.0, 5.0),
    "oblique": Look("oblique", "right", 45.0, 5.0),
}
CONTEXT = Context(Scale(M_PER_PX, 0.01, M_PER_PX, 0.04, "plate"), LOOKS["side"], STATURE_M, None, 30.0)
LIFT = LiftTimes({"lift_off": 0.2, "peak_velocity": 0.6, "max_height": 0.8, "catch": 1.0}, "caught", 0.0, 1.2, True)
MISSED = LiftTimes({"lift_off": 0.2, "peak_velocity": 0.6, "max_height": 0.8}, "not_caught", 0.0, 1.2, True)
PULL = {"lift_off": 0.0, "peak_velocity": 0.8}


def knees(*keys: tuple[float, float]) -> Angles:
    t = np.arange(31) / 30
    knee = np.interp(t, [k[0] for k in keys], [k[1] for k in keys])
    rest = np.full(31, np.nan)
    return Angles(t, knee, rest, rest, rest)


def bar_at(height_m: float, n: int = 40) -> np.ndarray:
    """Return a bar at a height over the ankles, in pixels."""
    return np.tile([ANKLE_PX[0] + 15.0, ANKLE_PX[1] - height_m / M_PER_PX], (n, 1))


def test_the_first_pull_ends_where_the_knee_is_straightest_before_it_bends_again() -> None:
    phases = pull_phases(knees((0.0, 90), (0.4, 145), (0.6, 125), (0.8, 165), (1.0, 150)), PULL)

    assert phases == {"end_first_pull": pytest.approx(0.4, abs=0.02), "power_position": pytest.approx(0.6, abs=0.02)}


@pytest.mark.parametrize("rebend_deg", [0.0, 2.0])
def test_a_knee_that_does_not_bend_again_tells_no_phases(rebend_deg: float) -> None:
    assert pull_phases(knees((0.0, 90), (0.4, 145), (0.6, 145 - rebend_deg), (0.8, 165)), PULL) == {}


def test_a_knee_that_bends_only_in_the_turnover_tells_no_phases() -> None:
    assert pull_phases(knees((0.0, 90), (0.8, 165), (1.0, 80)), PULL) == {}


def test_hidden_knees_tell_no_phases() -> None:
    hidden = knees((0.0, 90), (1.0, 100))

    assert pull_phases(replace(hidden, knee_deg=np.full(31, np.nan)), PULL) == {}


def with_points(track: PoseTrack, points: np.ndarray) -> PoseTrack:
    return PoseTrack(track.times_s, points, track.world_m.copy(), track.visibility.copy())


def jumped(figure: Figure, forward_m: float, yaw_deg: float = 0.0) -> PoseTrack:
    """Return a body whose feet jump forward in the middle of the lift."""
    track = figure(40, yaw_deg=yaw_deg)
    points = track.points_px.copy()
    points[20:, :, 0] += (1 if yaw_deg == 0 else -1) * forward_m / M_PER_PX
    return with_points(track, points)


def places(track: PoseTrack, hands: np.ndarray, context: Context = CONTEXT, forward: float = 1.0, **more: bool):
    told = {"hands_agree": True} | more
    return place_measures(track, hands, LIFT, context, forward, **told)


@pytest.mark.parametrize("left", [False, True])
def test_feet_that_jump_forward_and_a_bar_over_them_are_measured_facing_either_way(figure: Figure, left: bool) -> None:
    track = jumped(figure, 0.08, 180.0 if left else 0.0)
    foot = np.mean([track.point_px(f"{s}_{p}")[:, 0] for s in ("left", "right") for p in ("heel", "toe")], axis=0)
    sign = -1.0 if left else 1.0
    hands = np.stack([foot + sign * 3.0, np.full(40, 230.0)], axis=1)

    measures, reasons = places(track, hands, forward=sign)

    assert measures["foot_jump_m"].value == pytest.approx(0.08)
    assert measures["bar_to_foot_catch_m"].value == pytest.approx(0.03)
    assert set(reasons) == {"left_right_wrist_height_m"}
    assert "film from the front" in reasons["left_right_wrist_height_m"]
    assert set(measures) <= set(MEASURES)


@pytest.mark.parametrize(("view", "yaw_deg"), [("front", 90.0), ("rear", 270.0)])
def test_the_height_of_the_wrists_is_read_from_front_and_rear(figure: Figure, view: str, yaw_deg: float) -> None:
    track = figure(40, yaw_deg=yaw_deg)
    points = track.points_px.copy()
    points[:, INDEX["right_wrist"], 1] -= 6.0  # higher in the picture

    measures, reasons = places(with_points(track, points), bar_at(1.0), replace(CONTEXT, look=LOOKS[view]))

    assert measures["left_right_wrist_height_m"].value == pytest.approx(0.06)
    assert set(reasons) == {"bar_to_foot_catch_m", "foot_jump_m"}


def test_places_that_cannot_be_measured_say_why(figure: Figure) -> None:
    track, hands = figure(40), bar_at(1.0)
    unknown = replace(CONTEXT, scale=Scale(*[float("nan")] * 4, "none"))

    assert places(track, hands, replace(CONTEXT, spoiled="the camera moved"))[1]["foot_jump_m"] == "the camera moved"
    assert "hands" in places(track, hands, hands_agree=False)[1]["bar_to_foot_catch_m"]
    assert "no scale" in places(track, hands, unknown)[1]["foot_jump_m"]
    missed = place_measures(track, hands, MISSED, CONTEXT, 1.0, hands_agree=True)
    assert missed[1]["foot_jump_m"] == "the lift was not caught"
    blind = with_points(track, np.full(track.points_px.shape, np.nan))
    assert places(blind, hands)[0] == {}
    assert "hidden" in places(blind, hands)[1]["foot_jump_m"]


def test_every_place_is_either_measured_or_explained(figure: Figure) -> None:
    for view in ("side", "front", "rear", "oblique"):
        measures, reasons = places(figure(40), bar_at(1.0), replace(CONTEXT, look=LOOKS[view]))

        assert set(measures) | set(reasons) == {"bar_to_foot_catch_m", "foot_jump_m", "left_right_wrist_height_m"}
        assert not set(measures) & set(reasons)
