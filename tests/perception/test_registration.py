"""The background followed: pictures warped by known motions, with somebody large moving in front; real clips."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perception.camera_track import CameraTrack, move_points
from perception.pose import INDEX, Floats, Image
from perception.registration import BackgroundWatch, Box, boxes_about
from perception.simulator.demo_clip import demo_clip
from perception.video import open_clip, read_frames
from tests.perception.conftest import person_holding

WIDTH, HEIGHT = 640, 480
SPOTS = np.array([[160.0, 120.0], [480.0, 120.0], [320.0, 240.0], [160.0, 360.0], [480.0, 360.0]])


def room(seed: int = 0, size: tuple[int, int] = (1400, 1100)) -> Image:
    """Return a wall of soft and sharp things, larger than the picture."""
    random = np.random.default_rng(seed)
    soft = cv2.GaussianBlur(random.normal(size=(size[1], size[0])).astype(np.float32), (0, 0), 12)
    wall = np.clip(120 + 30 * soft / soft.std(), 0, 255).astype(np.uint8)
    for _ in range(260):
        x, y = (int(v) for v in random.integers(0, size))
        w, h = (int(v) for v in random.integers(8, 60, 2))
        cv2.rectangle(wall, (x, y), (x + w, y + h), int(random.integers(20, 235)), -1)
    return np.asarray(cv2.GaussianBlur(wall, (0, 0), 1.0), dtype=np.uint8)


def motion(scale: float = 1.0, turn_deg: float = 0.0, shift: Sequence[float] = (0.0, 0.0)) -> Floats:
    """Return the matrix from the wall's middle to a picture that is turned, scaled and shifted."""
    c, s = scale * np.cos(np.radians(turn_deg)), scale * np.sin(np.radians(turn_deg))
    about = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    there, back = np.eye(3), np.eye(3)
    there[:2, 2], back[:2, 2] = (319.5 + shift[0], 239.5 + shift[1]), (-700.0, -550.0)
    return np.asarray(there @ about @ back)


def turned_camera(pan_deg: float, tilt_deg: float, focal_px: float = 770.0) -> Floats:
    """Return the matrix from the wall's middle to what a camera sees that is turned, not carried."""
    lens = np.array([[focal_px, 0, 319.5], [0, focal_px, 239.5], [0, 0, 1.0]])
    turn = cv2.Rodrigues(np.radians([0.0, pan_deg, 0.0]))[0] @ cv2.Rodrigues(np.radians([tilt_deg, 0.0, 0.0]))[0]
    return np.asarray(lens @ turn @ np.linalg.inv(lens) @ motion())


def film(
    motions: Sequence[Floats], *, foreground: bool = True, noise: float = 2.0, seed: int = 0
) -> list[tuple[Image, list[Box]]]:
    """Return pictures of the room, a third of each covered by somebody patterned who moves, and boxes about them."""
    wall, cloth, random = room(seed), room(seed + 100, (300, 400)), np.random.default_rng(seed)
    out = []
    for i, matrix in enumerate(motions):
        grey = cv2.warpPerspective(wall, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
        x, y = round(200 + 60 * np.sin(i / 6)), round(60 + 50 * np.sin(i / 4))
        boxes: list[Box] = []
        if foreground:
            grey[y : y + 360, x : x + 260] = cloth[:360, :260]
            boxes = [(x - 8.0, y - 8.0, x + 268.0, y + 368.0)]
        noisy = np.clip(grey + random.normal(scale=noise, size=grey.shape), 0, 255).astype(np.uint8)
        out.append((np.ascontiguousarray(np.repeat(noisy[..., None], 3, axis=2)), boxes))
    return out


def followed(frames: Sequence[tuple[Image, list[Box]]], *, boxes: bool = True) -> CameraTrack:
    watch = BackgroundWatch()
    for image, about in frames:
        watch.observe(image, about if boxes else ())
    return watch.track()


def errors_px(track: CameraTrack, motions: Sequence[Floats]) -> Floats:
    """Return how far each frame's spots land from where they belong in the first frame."""
    out = []
    for i, matrix in enumerate(motions):
        truth = move_points(motions[0] @ np.linalg.inv(matrix), SPOTS)
        out.append(np.linalg.norm(track.to_reference(SPOTS, i) - truth, axis=1).max())
    return np.array(out)


@pytest.mark.parametrize("boxes", [True, False])
def test_a_shaking_camera_is_followed_to_a_fifth_of_a_pixel_past_a_large_moving_foreground(boxes: bool) -> None:
    random = np.random.default_rng(1)
    shake = np.cumsum(random.normal(scale=3.0, size=(50, 2)), axis=0) * 0.7
    motions = [motion(1.0, float(random.normal(scale=0.3)), s) for s in shake]

    track = followed(film(motions), boxes=boxes)

    assert track.is_moving
    assert np.quantile(errors_px(track, motions), 0.95) < (0.25 if boxes else 0.5)
    if boxes:
        assert np.nanmedian(track.residual_px) < 0.5


def test_a_slow_pan_and_back_does_not_drift() -> None:
    motions = [motion(shift=(230 * np.sin(np.pi * i / 60), 20 * np.sin(i / 9))) for i in range(61)]

    error = errors_px(followed(film(motions)), motions)

    assert error.max() < 0.8
    assert error[-1] < 0.2


def test_a_zoom_is_followed_and_told() -> None:
    motions = [motion(1.0 + 0.5 * i / 50) for i in range(51)]

    track = followed(film(motions))

    assert np.quantile(errors_px(track, motions), 0.95) < 0.6
    assert track.similarity(50)[0] == pytest.approx(1 / 1.5, abs=0.003)


def test_a_camera_that_turns_on_its_tripod_keeps_straight_what_is_straight() -> None:
    motions = [turned_camera(6 * np.sin(np.pi * i / 50), 2 * np.sin(i / 8)) for i in range(51)]

    track = followed(film(motions))

    assert np.quantile(errors_px(track, motions), 0.95) < 1.2
    assert track.why_spoiled(0, 51) is None


def test_a_turn_of_the_camera_about_its_axis_is_told_with_its_sign() -> None:
    motions = [motion(turn_deg=0.1 * i) for i in range(41)]

    track = followed(film(motions))

    assert track.similarity(40)[1] == pytest.approx(-4.0, abs=0.05)


@pytest.mark.parametrize("boxes", [True, False])
def test_a_still_camera_comes_out_as_exactly_the_identity(boxes: bool) -> None:
    track = followed(film([motion()] * 40, noise=5.0), boxes=boxes)

    assert not track.is_moving
    assert np.array_equal(track.matrices, np.broadcast_to(np.eye(3), (40, 3, 3)))
    assert np.array_equal(track.steady(np.tile(SPOTS, (40, 1, 1))), np.tile(SPOTS, (40, 1, 1)))
    assert track.why_spoiled(0, 40) is None


def test_a_floor_that_trembles_when_the_bar_lands_does_not_make_the_camera_move() -> None:
    motions = [motion(shift=(0.0, 4.0 * np.sin(i) if 50 <= i < 52 else 0.0)) for i in range(60)]

    assert not followed(film(motions)).is_moving


def test_a_camera_carried_past_things_near_and_far_is_refused() -> None:
    near, far = room(5), room(6)
    frames: list[tuple[Image, list[Box]]] = []
    for i in range(40):
        picture = cv2.warpPerspective(far, motion(shift=(2.0 * i, 0)), (WIDTH, HEIGHT))
        over = cv2.warpPerspective(near, motion(shift=(5.0 * i, 0)), (WIDTH, HEIGHT))
        picture[HEIGHT // 2 :] = over[HEIGHT // 2 :]
        frames.append((np.repeat(picture[..., None], 3, axis=2), []))

    why = followed(frames).why_spoiled(0, 40)

    assert why is not None
    assert why.startswith("the camera moved and the background could not be followed")


def test_a_whip_of_the_camera_is_refused() -> None:
    motions = [motion(shift=(0.0 if i < 20 else 90.0 * (i - 20), 0.0)) for i in range(24)]
    frames = [
        (np.ascontiguousarray(cv2.blur(p, (61, 1))) if i >= 20 else p, b) for i, (p, b) in enumerate(film(motions))
    ]

    why = followed(frames).why_spoiled(12, 24)

    assert why is not None


def test_each_scene_has_a_reference_of_its_own() -> None:
    watch = BackgroundWatch()
    for image, boxes in film([motion(shift=(2.0 * i, 0)) for i in range(20)]):
        watch.observe(image, boxes)
    for i, (image, boxes) in enumerate(film([motion()] * 20, seed=7)):
        watch.observe(image, boxes, is_cut=i == 0)

    track = watch.track()

    assert track.scene_starts == (0, 20)
    assert track.scene_moves == (True, False)
    assert np.array_equal(track.to_reference(SPOTS, 25), SPOTS)


def test_a_blank_wall_is_taken_for_a_still_camera() -> None:
    blank = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)

    track = followed([(blank, [])] * 20)

    assert not track.is_moving
    assert np.isnan(track.residual_of(0, 20))


@given(
    scale=st.floats(0.7, 1.4),
    turn=st.floats(-0.2, 0.2),
    keystone=st.floats(-1e-4, 1e-4),
    shift=st.floats(-200, 200),
)
@settings(max_examples=50, deadline=None)
def test_to_the_reference_and_back_is_where_one_was(scale: float, turn: float, keystone: float, shift: float) -> None:
    c, s = scale * np.cos(turn), scale * np.sin(turn)
    matrix = np.array([[c, -s, shift], [s, c, -shift / 2], [keystone, keystone / 2, 1.0]])
    track = CameraTrack(matrix[None], np.zeros(1), np.zeros(1), np.full(1, 99.0), (0,), (True,), (WIDTH, HEIGHT))

    assert track.from_reference(track.to_reference(SPOTS, 0), 0) == pytest.approx(SPOTS, abs=1e-6)
    if keystone == 0:
        assert track.scales_at(SPOTS[:1]) == pytest.approx([scale])


def test_boxes_lie_about_people_and_as_far_as_a_plate_reaches() -> None:
    person = person_holding((300.0, 200.0))

    boxes = boxes_about([person])

    inside = [all(b[0] <= x <= b[2] and b[1] <= y <= b[3] for x, y in person.points_px) for b in boxes]
    assert any(inside)
    assert any(b[0] < 275 and b[2] > 325 for b in boxes)


def test_boxes_about_hands_reach_farther_across_than_up_and_down() -> None:
    """From in front the plates lie far out to both sides of the hands, and are 0.225 m high over the bar and under it."""
    person = person_holding((300.0, 200.0), px_per_m=100.0)
    hands = [person.points_px[INDEX[name]] for name in ("left_hand", "right_hand")]

    boxes = boxes_about([person])

    for x, y in hands:
        mine = [b for b in boxes if (b[0] + b[2]) / 2 == pytest.approx(x) and (b[1] + b[3]) / 2 == pytest.approx(y)]
        assert mine
        across, down = x - mine[0][0], y - mine[0][1]
        assert across > 2 * down
        assert across > 60.0
        assert down > 22.5


def test_a_hand_that_is_not_seen_has_no_box() -> None:
    person = person_holding((300.0, 200.0))
    points = person.points_px.copy()
    points[INDEX["left_hand"]] = np.nan

    boxes = boxes_about([replace(person, points_px=points)])

    assert len(boxes) == 2


@pytest.mark.parametrize("crop_px", [0, 160])
def test_the_demo_is_still_when_cropped_and_when_looped(crop_px: int) -> None:
    frames = [np.ascontiguousarray(f.image[crop_px:]) for f in read_frames(open_clip(demo_clip()))][::2]

    assert not followed([(f, []) for f in [*frames, *frames]]).is_moving


def test_a_real_clip_from_a_tripod_is_still(real_clips: Path) -> None:
    watch = BackgroundWatch()
    for frame in read_frames(open_clip(real_clips / "snatch_side_480p.mp4")):
        watch.observe(frame.image)
    track = watch.track()

    assert not track.is_moving
    assert track.residual_of(0, len(track.matrices)) < 0.5
