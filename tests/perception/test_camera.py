"""Cuts and camera motion on made-up frames; view and facing on constructed poses."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perception.camera import FrameWatch, estimate_facing, estimate_view
from perception.pose import Image, PoseTrack

if TYPE_CHECKING:
    from tests.perception.conftest import Canvas

Figure = Callable[..., PoseTrack]


def textured(seed: int, level: float = 120.0, size: tuple[int, int] = (480, 320)) -> Image:
    """A scene with large soft shapes and sharp corners."""
    random = np.random.default_rng(seed)
    soft = cv2.GaussianBlur(random.normal(size=(size[1], size[0], 3)).astype(np.float32), (0, 0), 25)
    picture = np.clip(level + 35 * soft / soft.std(), 0, 255).astype(np.uint8)
    for _ in range(40):
        x, y = (int(v) for v in random.integers(0, [size[0], size[1]]))
        colour = tuple(int(v) for v in random.integers(0, 255, 3))
        cv2.rectangle(picture, (x, y), (x + 25, y + 18), colour, -1)
    return picture


def person_at(scene: Image, x: float, y: float = 160.0) -> Image:
    picture = scene.copy()
    cv2.ellipse(picture, (round(x), round(y)), (30, 90), 0, 0, 360, (30, 30, 60), -1, cv2.LINE_AA)
    cv2.circle(picture, (round(x) + 20, round(y) + 30), 28, (200, 30, 30), -1, cv2.LINE_AA)
    return picture


def watched(frames: Iterable[Image], rate_hz: float = 30.0) -> FrameWatch:
    watch = FrameWatch()
    for i, frame in enumerate(frames):
        watch.observe(frame, i / rate_hz)
    return watch


def test_a_cut_is_found_at_the_first_frame_of_the_new_scene() -> None:
    one, two = textured(1), textured(2)
    watch = FrameWatch()

    said = [watch.observe(person_at(one if i < 20 else two, 200 + i), i / 30) for i in range(40)]

    assert watch.cuts == [20]
    assert np.flatnonzero(said).tolist() == [20]


def test_a_cut_between_black_bars_is_found() -> None:
    """A clip from a phone in a picture of television: the bars are the same before and after."""
    scenes = [np.pad(textured(seed), ((0, 0), (300, 300), (0, 0)), constant_values=16) for seed in (1, 2)]

    assert watched([scenes[0]] * 10 + [scenes[1]] * 10).cuts == [10]


def test_two_cuts_to_and_fro_are_both_found() -> None:
    one, two = textured(1), textured(2)

    assert watched([one] * 10 + [two] * 10 + [one] * 10).cuts == [10, 20]


def test_a_close_up_of_the_same_room_is_a_scene_of_its_own() -> None:
    wide = person_at(textured(1), 240)
    close = np.asarray(cv2.resize(wide[60:187, 150:340], (480, 320)), dtype=np.uint8)

    watch = watched([wide] * 20 + [close] * 20 + [wide] * 20)

    assert watch.cuts == [20, 40]
    assert watch.track().scene_starts == (0, 20, 40)
    assert not watch.is_moving


def test_a_fast_movement_is_no_cut() -> None:
    scene = textured(1)

    assert watched(person_at(scene, 240, 160 + 100 * np.sin(i * 0.9)) for i in range(30)).cuts == []


@pytest.mark.parametrize("n_frames", [1, 2])
def test_a_flash_is_no_cut(n_frames: int) -> None:
    scene = textured(1)
    bright = np.clip(scene.astype(int) + 70, 0, 255).astype(np.uint8)

    assert watched([scene] * 10 + [bright] * n_frames + [scene] * 10).cuts == []


def test_a_flash_does_not_move_the_camera() -> None:
    scene = textured(1)
    bright = np.clip(scene.astype(int) + 70, 0, 255).astype(np.uint8)

    assert not watched([scene] * 20 + [bright] * 2 + [scene] * 20).is_moving


def test_light_that_slowly_changes_is_no_cut() -> None:
    scene = textured(1).astype(int)

    assert watched(np.clip(scene + i, 0, 255).astype(np.uint8) for i in range(60)).cuts == []


def test_a_still_camera_on_a_moving_person_is_still() -> None:
    scene = textured(3)

    watch = watched(person_at(scene, 150 + 3 * i, 160 + 40 * np.sin(i / 4)) for i in range(60))

    assert not watch.is_moving
    assert watch.cuts == []


def test_noise_of_the_sensor_does_not_move_the_camera() -> None:
    scene, random = textured(3), np.random.default_rng(0)

    assert not watched(
        np.clip(scene + random.normal(scale=4, size=scene.shape), 0, 255).astype(np.uint8) for _ in range(60)
    ).is_moving


@pytest.mark.parametrize("px_per_frame", [0.5, 2.0])
def test_a_pan_is_a_moving_camera_and_no_cut(px_per_frame: float) -> None:
    scene = textured(4, size=(720, 320))

    watch = watched(person_at(scene[:, round(i * px_per_frame) :][:, :480].copy(), 240) for i in range(60))

    assert watch.is_moving
    assert watch.cuts == []


def test_a_camera_held_in_the_hand_is_moving() -> None:
    scene, random = textured(5, size=(720, 480)), np.random.default_rng(2)
    steps = np.clip(np.rint(random.normal(scale=6, size=(90, 2))), -40, 40).astype(int) + 60

    assert watched(scene[y : y + 320, x : x + 480].copy() for x, y in steps).is_moving


def test_a_cut_is_no_motion_of_the_camera() -> None:
    one, two = textured(1), textured(2)

    assert not watched([one] * 40 + [two] * 40).is_moving


@pytest.mark.parametrize(
    ("yaw_deg", "view", "facing"),
    [
        (0.0, "side", "right"),
        (12.0, "side", "right"),
        (168.0, "side", "left"),
        (180.0, "side", "left"),
        (90.0, "front", "camera"),
        (80.0, "front", "camera"),
        (270.0, "rear", "away"),
        (-100.0, "rear", "away"),
    ],
)
def test_view_and_facing_follow_the_turn_of_the_body(figure: Figure, yaw_deg: float, view: str, facing: str) -> None:
    track = figure(yaw_deg=yaw_deg)

    found = estimate_view(track)

    assert (found, estimate_facing(track, found)) == (view, facing)


def test_between_side_and_front_lies_oblique(figure: Figure) -> None:
    views = [estimate_view(figure(yaw_deg=yaw)) for yaw in range(0, 91, 5)]

    assert views == sorted(views, key=["side", "oblique", "front"].index)
    assert set(views) == {"side", "oblique", "front"}


@given(yaw=st.floats(0, 360), factor=st.floats(0.3, 5), lean=st.floats(30, 100))
@settings(max_examples=40, deadline=None)
def test_a_mirror_swaps_left_and_right_and_size_changes_nothing(
    figure: Figure, yaw: float, factor: float, lean: float
) -> None:
    swap = {"left": "right", "right": "left"}
    here, there = figure(trunk_deg=lean, yaw_deg=yaw), figure(trunk_deg=lean, yaw_deg=180 - yaw, px_per_m=100 * factor)
    view, mirrored = estimate_view(here), estimate_view(there)

    assert mirrored == view
    facing = estimate_facing(here, view)
    assert estimate_facing(there, view) == swap.get(facing, facing)


def test_nobody_gives_no_view(figure: Figure) -> None:
    track = figure()
    nobody = PoseTrack(
        track.times_s, np.full(track.points_px.shape, np.nan), track.world_m.copy(), track.visibility.copy()
    )

    assert estimate_view(nobody) == "unknown"
    assert estimate_facing(nobody, "unknown") == "unknown"


def test_a_textured_wall_alone_is_a_still_camera(wall: "Canvas") -> None:
    assert not watched([wall.image()] * 45).is_moving


def test_the_change_from_frame_to_frame_is_kept(wall: "Canvas") -> None:
    watch = watched([textured(1), textured(1), textured(2)])

    assert np.isnan(watch.changes[0])
    assert watch.changes[1] == 0
    assert watch.changes[2] > 5
