"""Discs voted for by their edges, and rims read along rays, on drawn pictures with exact truth."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perception import discs as under_test
from perception.disc_votes import MAX_DISCS, vote_discs
from perception.discs import (
    LEFT_FRAMES,
    N_PEAKS,
    N_RAYS,
    PATIENCE,
    SEARCH_RADII,
    SQUARE,
    STRETCHES,
    DiscWatch,
    no_discs,
    read_rim,
    turned,
)
from perception.pose import Person

if TYPE_CHECKING:
    from tests.perception.conftest import Canvas

Holding = Callable[..., Person]
COLOURS = {
    "red": (200, 40, 40),
    "blue": (30, 50, 180),
    "yellow": (220, 200, 40),
    "green": (30, 130, 60),
    "white": (240, 240, 240),
    "black": (20, 20, 20),
}
HUB = ((0.3, (150, 150, 150)),)


def searched(image: np.ndarray, about: tuple[float, float], radius_px: float) -> np.ndarray:
    return vote_discs(image, np.array(about), 3.2 * radius_px, radius_px, SEARCH_RADII)


@pytest.mark.parametrize("colour", COLOURS)
def test_a_disc_of_any_colour_is_the_best_found(wall: "Canvas", colour: str) -> None:
    image = wall.disc((163.3, 118.7), 26.0, COLOURS[colour], HUB).image()

    x, y, radius, score, _ = searched(image, (150, 130), 25.0)[0]

    assert (x, y) == (pytest.approx(163.3, abs=1.6), pytest.approx(118.7, abs=1.6))
    assert radius == pytest.approx(26.0, rel=0.12)
    assert score > 0.8


@pytest.mark.parametrize("radius_px", [10.0, 25.0, 60.0])
def test_small_and_large_discs_are_found(wall: "Canvas", radius_px: float) -> None:
    image = wall.disc((160.0, 120.0), radius_px, COLOURS["blue"], HUB).image()

    rows = searched(image, (165, 115), 1.15 * radius_px)

    assert np.linalg.norm(rows[0, :2] - (160, 120)) < 0.1 * radius_px
    assert rows[0, 2] == pytest.approx(radius_px, rel=0.12)


def test_two_discs_are_both_candidates_and_best_comes_first(wall: "Canvas") -> None:
    image = wall.disc((130, 120), 25, COLOURS["red"]).disc((200, 120), 25, COLOURS["black"]).image()

    rows = searched(image, (165, 120), 25.0)

    found = {round(x, -1) for x in rows[:, 0]}
    assert {130.0, 200.0} <= found
    assert list(rows[:, 3]) == sorted(rows[:, 3], reverse=True)
    assert len(rows) <= MAX_DISCS


def test_a_wall_without_a_disc_scores_low(wall: "Canvas") -> None:
    disc = searched(wall.disc((160, 120), 25, COLOURS["red"]).image(), (160, 120), 25.0)[0, 3]
    rows = searched(wall.image(), (160, 120), 25.0)

    assert rows[:, 3].max(initial=0) < 0.75 * disc


def test_straight_edges_are_no_disc(wall: "Canvas") -> None:
    square = searched(wall.box(135, 95, 185, 145, (200, 40, 40)).image(), (160, 120), 25.0)
    disc = searched(wall.disc((160, 120), 25, COLOURS["red"]).image(), (160, 120), 25.0)

    assert square[:, 3].max(initial=0) < 0.75 * disc[0, 3]


@pytest.mark.parametrize(("about", "radius_px"), [((-300.0, 50.0), 25.0), ((160.0, 120.0), 4.0)])
def test_outside_the_picture_or_too_small_there_is_nothing(
    wall: "Canvas", about: tuple[float, float], radius_px: float
) -> None:
    assert searched(wall.image(), about, radius_px).shape == (0, 5)


def test_a_picture_of_one_colour_has_no_discs() -> None:
    assert len(searched(np.full((240, 320, 3), 90, np.uint8), (160, 120), 25.0)) == 0


@given(flip=st.sampled_from([0, 1]), x=st.floats(120, 200), y=st.floats(90, 150))
@settings(max_examples=8, deadline=None)
def test_a_mirrored_picture_has_the_mirrored_disc(wall: "Canvas", flip: int, x: float, y: float) -> None:
    image = wall.disc((x, y), 25, COLOURS["green"], HUB).image()
    size = np.array([319.0, 239.0])
    about = np.array([160.0, 120.0])
    mirrored_about = about.copy()
    mirrored_about[1 - flip] = size[1 - flip] - about[1 - flip]

    here = searched(image, tuple(about), 25.0)[0]
    there = searched(np.ascontiguousarray(np.flip(image, axis=flip)), tuple(mirrored_about), 25.0)[0]

    there[1 - flip] = size[1 - flip] - there[1 - flip]
    assert here[:2] == pytest.approx(there[:2], abs=2.5)


@pytest.mark.parametrize("radius_px", [16.0, 27.5, 70.0])
def test_the_rim_is_read_to_a_tenth_of_a_pixel_or_two(wall: "Canvas", radius_px: float) -> None:
    image = wall.disc((160.25, 120.6), radius_px, COLOURS["black"]).image()

    rim, strength = read_rim(image, np.array([160.25, 120.6]), radius_px)

    assert rim.shape == strength.shape == (N_RAYS, N_PEAKS)
    strongest = rim[:, 0]
    assert np.nanmedian(strongest) == pytest.approx(radius_px, abs=max(0.1, 0.004 * radius_px))
    assert np.nanmean(np.abs(strongest - radius_px) < 0.02 * radius_px) > 0.9


def test_an_inner_ring_is_a_second_edge_on_the_rays(wall: "Canvas") -> None:
    image = wall.disc((160, 120), 30, COLOURS["red"], ((0.8, (20, 20, 20)),)).image()

    rim, _ = read_rim(image, np.array([160.0, 120.0]), 30.0)

    for radius in (24.0, 30.0):
        assert np.mean(np.nanmin(np.abs(rim - radius), axis=1) < 0.6) > 0.9, radius


def test_rays_that_leave_the_picture_have_no_edges(wall: "Canvas") -> None:
    image = wall.disc((5, 120), 30, COLOURS["white"]).image()

    rim, strength = read_rim(image, np.array([5.0, 120.0]), 30.0)

    to_the_left = slice(N_RAYS // 2 - 4, N_RAYS // 2 + 5)
    assert np.isnan(rim[to_the_left]).all()
    assert (strength[to_the_left] == 0).all()
    assert rim[0, 0] == pytest.approx(30, abs=0.3)
    far, _ = read_rim(image, np.array([-500.0, 120.0]), 30.0)
    assert np.isnan(far).all()


def test_the_disc_in_somebodys_hands_is_found_and_followed(wall: "Canvas", holding: Holding) -> None:
    watch, off = DiscWatch(), []
    for i in range(20):
        centre = np.array([150 + 1.3 * i, 190 - 5.0 * i])
        discs = watch.observe(wall.disc(centre, 25, COLOURS["red"], HUB).image(), [holding(centre + np.array([5, -8]))])
        off.append(float(np.linalg.norm(discs.centre_px[0] - centre)))

    assert max(off) < 2.5


def test_discs_far_from_everybodys_hands_are_not_looked_for(wall: "Canvas", holding: Holding) -> None:
    image = wall.disc((60, 60), 25, COLOURS["red"]).image()

    found = DiscWatch().observe(image, [holding((240, 190))])

    assert len(found.score) == 0 or np.min(np.linalg.norm(found.centre_px - (60, 60), axis=1)) > 50


def test_each_of_two_lifters_keeps_the_own_disc(wall: "Canvas", holding: Holding) -> None:
    watch = DiscWatch()
    for i in range(15):
        places = [np.array([80.0, 190 - 5 * i]), np.array([240.0, 120.0])]
        image = wall.disc(places[0], 25, COLOURS["red"]).disc(places[1], 25, COLOURS["blue"]).image()
        discs = watch.observe(image, [holding(p, person_id=k) for k, p in enumerate(places)])

        for place in places:
            assert np.min(np.linalg.norm(discs.centre_px - place, axis=1)) < 2.5


def test_without_anybody_there_are_no_discs(wall: "Canvas") -> None:
    found = DiscWatch().observe(wall.disc((160, 120), 25, COLOURS["red"]).image(), [])

    assert found.centre_px.shape == no_discs().centre_px.shape == (0, 2)
    assert found.rim_px.shape == (0, N_RAYS, N_PEAKS)


def test_after_a_cut_the_search_begins_anew(wall: "Canvas", holding: Holding) -> None:
    watch = DiscWatch()
    for _ in range(3):
        watch.observe(wall.disc((80, 80), 25, COLOURS["red"]).image(), [holding((80, 80))])
    watch.reset()

    discs = watch.observe(wall.disc((230, 150), 25, COLOURS["red"]).image(), [holding((230, 150))])

    assert np.linalg.norm(discs.centre_px[0] - (230, 150)) < 2


@pytest.mark.parametrize("stretch", STRETCHES[1:])
def test_a_disc_that_is_turned_is_found_in_a_stretched_picture(wall: "Canvas", stretch: float) -> None:
    image = wall.disc((163.3, 118.7), 26.0, COLOURS["red"], HUB, 1 / stretch).image()

    row = vote_discs(image, np.array([150.0, 130.0]), 80.0, 25.0, SEARCH_RADII, stretch)[0]

    assert row[:2] == pytest.approx((163.3, 118.7), abs=1.6)
    assert row[2] == pytest.approx(26.0, rel=0.12)
    assert row[3] > 0.8
    assert row[4] == stretch


def test_the_rim_of_an_ellipse_is_as_far_on_every_ray_of_the_stretched_picture(wall: "Canvas") -> None:
    image = wall.disc((160.25, 120.6), 40.0, COLOURS["black"], (), 0.5).image()

    rim, _ = read_rim(image, np.array([160.25, 120.6]), 40.0, 2.0)

    assert np.nanmedian(rim[:, 0]) == pytest.approx(40.0, abs=0.2)
    assert np.nanmean(np.abs(rim[:, 0] - 40.0) < 1.0) > 0.9


@pytest.mark.parametrize("yaw_deg", [30.0, 45.0, 55.0])
def test_the_near_plate_of_a_turned_bar_is_followed_and_not_the_far_one(
    wall: "Canvas", holding: Holding, yaw_deg: float
) -> None:
    """The far plate is as clear, and a sixth smaller."""
    watch, squeeze, arm = DiscWatch(), float(np.cos(np.radians(yaw_deg))), 72.0 * float(np.sin(np.radians(yaw_deg)))
    off, shapes = [], []
    for i in range(16):
        hands = np.array([160.0, 190 - 6.0 * i])
        near, far = hands - np.array([arm, 0.0]), hands + np.array([arm, 0.0])
        canvas = wall.disc(far, 21, COLOURS["red"], HUB, squeeze).disc(near, 25, COLOURS["red"], HUB, squeeze)
        found = watch.observe(canvas.image(), [holding(hands)], {0: turned(yaw_deg + 6, -1.0)})
        off.append(np.linalg.norm(found.centre_px - near, axis=1).min())
        shapes.append(1 / found.stretch[np.argmin(np.linalg.norm(found.centre_px - near, axis=1))])

    assert max(off) < 2.5
    assert np.median(shapes) == pytest.approx(squeeze, abs=0.1)


def test_a_round_disc_is_found_whatever_turn_the_body_shows(wall: "Canvas", holding: Holding) -> None:
    image = wall.disc((160, 120), 25, COLOURS["red"], HUB).image()

    found = DiscWatch().observe(image, [holding((160, 112))], {0: turned(50.0, 1.0)})

    assert found.centre_px[0] == pytest.approx((160, 120), abs=1.6)
    assert found.stretch[0] == 1.0


def test_what_is_looked_for_lies_about_the_turn_of_the_body() -> None:
    assert SQUARE.stretches == (1.0,)
    assert turned(10.0, 1.0).stretches == STRETCHES[:2]
    assert turned(89.0, 1.0).stretches == (1.0, *STRETCHES[2:])
    assert turned(45.0, -1.0).away == -turned(45.0, 1.0).away < -1.5


def test_after_many_searches_in_vain_few_are_made(
    wall: "Canvas", holding: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, searched_at = [0], []

    def nothing(*_: object) -> np.ndarray:
        searched_at.append(frame[0])
        return np.zeros((0, 5))

    monkeypatch.setattr(under_test, "_search", nothing)
    watch, image, person = DiscWatch(), wall.image(), holding((160, 120))
    for frame[0] in range(60):
        watch.observe(image, [person], {0: turned(45.0, 1.0)})

    assert searched_at[:PATIENCE] == list(range(PATIENCE))
    assert len(searched_at) < PATIENCE + 12


def test_a_clear_disc_is_not_lost_when_the_hands_are_mistaken_for_a_while(wall: "Canvas", holding: Holding) -> None:
    image, watch = wall.disc((90, 70), 25, COLOURS["red"], HUB).image(), DiscWatch()

    for i in range(40):
        found = watch.observe(image, [holding((95, 65) if i < 10 else (240, 200))])

        assert found.centre_px[0] == pytest.approx((90, 70), abs=1.6), i


def test_the_plate_of_somebody_who_is_not_seen_any_more_is_followed_on(wall: "Canvas", holding: Holding) -> None:
    watch, off = DiscWatch(), []
    for i in range(30):
        centre = np.array([150 + 1.3 * i, 200 - 4.0 * i])
        people = [holding(centre + np.array([5, -8]))] if i < 10 else []
        discs = watch.observe(wall.disc(centre, 25, COLOURS["red"], HUB).image(), people)
        off.append(np.linalg.norm(discs.centre_px - centre, axis=1).min(initial=np.inf))

    assert max(off[10:]) < 1.0


def test_the_plate_of_somebody_who_does_not_come_back_is_given_up(wall: "Canvas", holding: Holding) -> None:
    watch, image = DiscWatch(), wall.disc((160, 120), 25, COLOURS["red"], HUB).image()

    def seen_alone(n_frames: int) -> list[bool]:
        watch.observe(image, [holding((160, 120))])
        return [len(watch.observe(image, []).score) > 0 for _ in range(n_frames)]

    for_a_while, for_long = seen_alone(LEFT_FRAMES), seen_alone(LEFT_FRAMES + 5)

    assert all(for_a_while)
    assert all(for_long[:LEFT_FRAMES])
    assert not any(for_long[LEFT_FRAMES:])


def test_the_plate_of_somebody_lost_is_given_up_at_once_when_another_one_holds_it(
    wall: "Canvas", holding: Holding
) -> None:
    watch, image = DiscWatch(), wall.disc((160, 120), 25, COLOURS["red"], HUB).image()
    for _ in range(5):
        watch.observe(image, [holding((160, 120), person_id=0)])

    numbers = [len(watch.observe(image, [holding((160, 120), person_id=1)]).score) for _ in range(4)]
    alone = watch.observe(image, [])

    assert numbers == [1] * 4
    assert len(alone.score) == 1


def test_two_plates_are_followed_on_when_only_one_of_their_holders_is_lost(wall: "Canvas", holding: Holding) -> None:
    watch, places = DiscWatch(), [np.array([80.0, 120.0]), np.array([240.0, 120.0])]
    image = wall.disc(places[0], 25, COLOURS["red"], HUB).disc(places[1], 25, COLOURS["blue"], HUB).image()
    people = [holding(place, person_id=k) for k, place in enumerate(places)]
    for _ in range(3):
        watch.observe(image, people)

    for _ in range(10):
        found = watch.observe(image, people[1:])

        for place in places:
            assert np.linalg.norm(found.centre_px - place, axis=1).min() < 1.6


def test_after_a_cut_plates_of_those_lost_are_forgotten(wall: "Canvas", holding: Holding) -> None:
    watch, image = DiscWatch(), wall.disc((160, 120), 25, COLOURS["red"], HUB).image()
    watch.observe(image, [holding((160, 120))])
    watch.observe(image, [])

    watch.reset()

    assert len(watch.observe(image, []).score) == 0
