"""Poses and discs taken to a still and level camera."""

from collections.abc import Callable

import numpy as np
import pytest

from perception.camera_track import CameraTrack
from perception.discs import N_PEAKS, N_RAYS, Discs
from perception.pose import Floats, PoseTrack
from perception.roll import level
from perception.steady import SteadyDiscs, level_plate, level_pose, steady_pose
from tests.perception.test_view import disc

Figure = Callable[..., PoseTrack]
SIZE = (640, 480)


def camera(matrices: list[Floats], *, moves: bool = True) -> CameraTrack:
    n = len(matrices)
    return CameraTrack(np.array(matrices), np.zeros(n), np.zeros(n), np.full(n, 90.0), (0,), (moves,), SIZE)


def zoomed(factor: float, x: float = 0.0) -> Floats:
    return np.array([[factor, 0.0, x], [0.0, factor, 0.0], [0.0, 0.0, 1.0]])


def one_disc(x: float, radius: float) -> Discs:
    return Discs(
        np.array([[x, 100.0]]),
        np.array([radius]),
        np.array([0.9]),
        np.ones(1),
        np.full((1, N_RAYS, N_PEAKS), radius, np.float32),
        np.full((1, N_RAYS, N_PEAKS), 50, np.uint8),
    )


def test_a_disc_in_a_zoom_keeps_its_place_and_size() -> None:
    frames = [one_disc(200.0, 40.0), one_disc(400.0, 80.0)]

    still = SteadyDiscs(frames, camera([np.eye(3), zoomed(0.5)]), 0)

    assert still[1].centre_px == pytest.approx(np.array([[200.0, 50.0]]))
    assert still[1].radius_px == pytest.approx([40.0])
    assert still[1].rim_px == pytest.approx(np.full((1, N_RAYS, N_PEAKS), 40.0))


def test_of_a_frame_that_could_not_be_followed_nothing_is_left() -> None:
    lost = camera([np.eye(3), np.full((3, 3), np.nan)])

    assert len(SteadyDiscs([one_disc(200.0, 40.0)] * 2, lost, 0)[1].centre_px) == 0


def test_a_still_camera_changes_nothing(figure: Figure) -> None:
    still = camera([np.eye(3)] * 12, moves=False)
    track, frames = figure(), [one_disc(200.0, 40.0)]

    assert np.array_equal(steady_pose(track, still, 0).points_px, track.points_px)
    assert np.array_equal(SteadyDiscs(frames, still, 3)[0].rim_px, frames[0].rim_px)


def test_what_is_steadied_comes_back_to_its_frame(figure: Figure) -> None:
    track = figure()
    moving = camera([zoomed(1 + 0.02 * i, 3.0 * i) for i in range(12)])

    assert moving.to_frames(steady_pose(track, moving, 0).points_px) == pytest.approx(track.points_px)


def test_pose_and_plate_are_levelled_alike(figure: Figure) -> None:
    track = figure()
    plate = disc(track, 0.0)

    assert level_pose(track, 2.0, SIZE).points_px == pytest.approx(level(track.points_px, 2.0, SIZE))
    assert level_plate(plate, 2.0, SIZE).centre_px == pytest.approx(level(plate.centre_px, 2.0, SIZE))
