"""Frames read again for a plate whose size and way are known, from a still and from a moving camera."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from perception.camera_track import CameraTrack
from perception.discs import no_discs
from perception.plate import PlateTrack
from perception.plate_again import badly_seen, look_again
from perception.pose import Image
from perception.video import open_clip

if TYPE_CHECKING:
    from tests.perception.conftest import Canvas

N, RADIUS_PX, SIZE = 40, 25.0, (320, 240)
TIMES_S = np.arange(N) / 30
PATH = np.stack([np.full(N, 150.0), 190 - 90 * (1 - np.cos(np.pi * np.arange(N) / N)) / 2], axis=1)
LOST = range(14, 24)


def write(path: Path, pictures: Sequence[Image]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", 30, options={"crf": "15"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def seen_outside_of(lost: range) -> PlateTrack:
    centre, share = PATH.copy(), np.full(N, 0.9)
    centre[list(lost)], share[list(lost)] = np.nan, 0.0
    return PlateTrack(TIMES_S.copy(), centre, share, RADIUS_PX, 0.1, 0.0)


def panned(px_per_frame: float) -> CameraTrack:
    """A camera that shows things `px_per_frame` farther right with every frame."""
    back = np.tile(np.eye(3), (N, 1, 1))
    back[:, 0, 2] = -px_per_frame * np.arange(N)
    none = np.zeros(N)
    return CameraTrack(back, none, none.copy(), np.full(N, 90.0), (0,), (px_per_frame != 0,), SIZE)


@pytest.mark.parametrize("px_per_frame", [0.0, 2.0])
def test_the_plate_is_found_in_the_frames_that_lacked_it(tmp_path: Path, wall: "Canvas", px_per_frame: float) -> None:
    pictures = [wall.disc(PATH[i] + (px_per_frame * i, 0.0), RADIUS_PX).image() for i in range(N)]
    clip, plate = open_clip(write(tmp_path / "lift.mp4", pictures)), seen_outside_of(LOST)
    wanted = badly_seen(plate)

    again = look_again(clip, panned(px_per_frame), 0, [no_discs()] * N, plate, wanted)

    assert wanted == list(LOST)
    best = [np.linalg.norm(again[i].centre_px - PATH[i], axis=1).min() for i in wanted]
    assert max(best) < 0.1 * RADIUS_PX
    assert not any(len(again[i].score) for i in range(N) if i not in LOST)


def test_a_place_is_read_without_votes_where_the_plate_must_be(tmp_path: Path, wall: "Canvas") -> None:
    """Clearer discs beside a pale one get the votes; it is measured there all the same."""
    crowd = (
        wall.disc((60, 60), 24, (20, 20, 20)).disc((250, 70), 24, (240, 240, 240)).disc((255, 180), 25, (20, 20, 20))
    )
    pictures = [crowd.disc(PATH[i], RADIUS_PX, (135, 120, 120)).image() for i in range(N)]
    plate = seen_outside_of(LOST)

    again = look_again(
        open_clip(write(tmp_path / "lift.mp4", pictures)), panned(0), 0, [no_discs()] * N, plate, [*LOST]
    )

    for i in LOST:
        unvoted = again[i].only(again[i].score == 0)
        assert np.linalg.norm(unvoted.centre_px - PATH[i], axis=1).min() < 0.15 * RADIUS_PX
        assert np.isfinite(unvoted.rim_px).any(axis=(1, 2)).all()


def test_short_gaps_and_a_plate_seen_all_the_time_need_no_second_reading() -> None:
    assert badly_seen(seen_outside_of(range(14, 16))) == []
    assert badly_seen(seen_outside_of(range(0))) == []


def test_frames_that_show_much_less_of_the_rim_than_the_others_are_read_again() -> None:
    plate = seen_outside_of(range(0))
    share = plate.confidence.copy()
    share[list(LOST)] = 0.55

    assert badly_seen(PlateTrack(TIMES_S.copy(), PATH.copy(), share, RADIUS_PX, 0.1, 0.0)) == list(LOST)
