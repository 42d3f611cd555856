"""Roll from falls and from straight edges, on made-up falls and drawn rooms whose tilt is known."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perception.pose import Floats, Image
from perception.roll import LineWatch, RollEvidence, SeenLines, estimate_roll, level, plumb_fall
from tests.perception.conftest import MadeUpBar

SIZE = (640, 480)
PX_PER_M = 250.0


def dropped_px(
    snatch: MadeUpBar, roll_deg: float, drift_m_s: float = 0.0, noise_px: float = 0.3
) -> tuple[Floats, Floats]:
    """Return times and pixels of a lift whose bar is dropped, in the picture of a camera turned clockwise."""
    t, x, y = snatch.sampled(30.0)
    x = x + drift_m_s * np.maximum(t - snatch.marks["let_go"], 0)
    upright = np.stack([320 + PX_PER_M * x, 440 - PX_PER_M * y], axis=1)
    noise = np.random.default_rng(0).normal(scale=noise_px, size=upright.shape)
    return t, level(upright, -roll_deg, SIZE) + noise


def room(roll_deg: float, pitch_deg: float = 0.0, seed: int = 0) -> Image:
    """Return a wall with door frames, shelves and beams at all angles, through a camera turned clockwise."""
    random = np.random.default_rng(seed)
    wall = np.full((900, 1100), 150, np.uint8)
    for _ in range(26):
        x, y = (int(v) for v in random.integers(0, [1000, 800]))
        w, h = (int(v) for v in random.integers(20, 180, 2))
        cv2.rectangle(wall, (x, y), (x + w, y + h), int(random.integers(30, 230)), -1)
    for _ in range(12):
        a, b = random.integers(0, 900, (2, 2))
        cv2.line(wall, tuple(int(v) for v in a), tuple(int(v) for v in b), 60, 3)
    lens = np.array([[770.0, 0, 319.5], [0, 770.0, 239.5], [0, 0, 1.0]])
    there = np.array([[1.0, 0, -230.5], [0, 1.0, -210.5], [0, 0, 1.0]])
    pitch = cv2.Rodrigues(np.radians([pitch_deg, 0.0, 0.0]))[0]
    roll = cv2.Rodrigues(np.radians([0.0, 0.0, -roll_deg]))[0]
    seen = cv2.warpPerspective(wall, lens @ roll @ pitch @ np.linalg.inv(lens) @ there, SIZE, flags=cv2.INTER_LINEAR)
    noisy = np.clip(seen + random.normal(scale=2, size=seen.shape), 0, 255).astype(np.uint8)
    return np.repeat(noisy[..., None], 3, axis=2)


def lines_of(image: Image) -> tuple[SeenLines, ...]:
    watch = LineWatch()
    watch.observe(image, 0.0, 0)
    return watch.seen()


@pytest.mark.parametrize("roll_deg", [-3.0, -0.5, 0.0, 2.0])
@pytest.mark.parametrize("drift_m_s", [0.0, 0.6])
def test_a_dropped_bar_shows_plumb_however_it_drifts(snatch: MadeUpBar, roll_deg: float, drift_m_s: float) -> None:
    t, px = dropped_px(snatch, roll_deg, drift_m_s)

    found = plumb_fall(t, px, snatch.marks["stands"])

    assert found is not None
    assert found.roll_deg == pytest.approx(roll_deg, abs=2 * found.sd_deg)
    assert found.sd_deg < 0.5


def test_a_bar_put_down_by_hand_says_nothing_of_plumb(bar: MadeUpBar) -> None:
    held = bar.pull().rest(0.15).stand_up().rest(0.5).then((0.8, -0.9), (0.8, 0.0), forward=0.2).rest(0.5)
    t, x, y = held.sampled(30.0)
    px = np.stack([320 + PX_PER_M * x, 440 - PX_PER_M * y], axis=1)

    found = plumb_fall(t, px + np.random.default_rng(0).normal(scale=0.3, size=px.shape), held.marks["stands"])

    assert found is None or found.sd_deg > 0.45


@pytest.mark.parametrize("roll_deg", [-2.5, 0.0, 1.2])
@pytest.mark.parametrize("pitch_deg", [0.0, 8.0])
def test_a_room_shows_the_roll_within_half_a_degree(roll_deg: float, pitch_deg: float) -> None:
    found = estimate_roll(lines_of(room(roll_deg, pitch_deg)), None, SIZE)

    assert found.is_known
    assert found.roll_deg == pytest.approx(roll_deg, abs=0.4)
    assert found.sd_deg < 0.5


def test_a_picture_without_straight_edges_leaves_the_roll_unknown() -> None:
    noise = np.random.default_rng(0).normal(size=(480, 640)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 15)
    grey = np.clip(120 + 30 * soft / soft.std(), 0, 255).astype(np.uint8)

    found = estimate_roll(lines_of(np.repeat(grey[..., None], 3, axis=2)), None, SIZE)

    assert not found.is_known
    assert (found.roll_deg, found.sd_deg) == (0.0, 0.35)


def test_edges_of_people_do_not_count() -> None:
    watch = LineWatch()
    watch.observe(room(0.0), 0.0, 0, [(-10.0, -10.0, 700.0, 500.0)])

    assert len(watch.seen()[0].ends_px) == 0


def test_evidence_that_is_apart_makes_the_surest_less_sure() -> None:
    lines = lines_of(room(2.0))
    alone = RollEvidence("fall", -1.0, 0.2)

    found = estimate_roll(lines, None, SIZE, alone)

    assert found.roll_deg == pytest.approx(-1.0)
    assert found.sd_deg > 0.5


def test_of_a_long_clip_few_pictures_are_kept() -> None:
    watch, picture = LineWatch(), np.zeros((48, 64, 3), np.uint8)
    for i in range(4000):
        watch.observe(picture, i / 10, i)

    assert len(watch.seen()) <= 32
    assert watch.seen()[-1].frame > 3000


@given(roll=st.floats(-10, 10), x=st.floats(0, 640), y=st.floats(0, 480))
@settings(max_examples=50, deadline=None)
def test_level_turns_back_and_keeps_distances(roll: float, x: float, y: float) -> None:
    points = np.array([[x, y], [100.0, 50.0]])
    there = level(points, roll, SIZE)

    assert level(there, -roll, SIZE) == pytest.approx(points, abs=1e-9)
    assert np.linalg.norm(there[0] - there[1]) == pytest.approx(np.linalg.norm(points[0] - points[1]), abs=1e-9)
