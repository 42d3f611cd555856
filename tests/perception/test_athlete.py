"""Who lifts, where the hands are, and how large the body appears."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perception.athlete import body_length_px, choose_athlete, hands_midpoint_px, near_side, stature_px
from perception.pose import INDEX, KEYPOINTS, Person, PoseTrack

Figure = Callable[..., PoseTrack]
Persons = Callable[..., list[Person]]
N = 40


def lifter(figure: Figure, n: int = N, **more: object) -> PoseTrack:
    """A body whose arms go from hanging to overhead."""
    return figure(n, knee_deg=150, hip_deg=140, trunk_deg=80, arm_deg=np.linspace(-90, 90, n), **more)


def spectator(figure: Figure, n: int = N, arm_deg: object = -90.0, **more: object) -> PoseTrack:
    return figure(n, knee_deg=175, hip_deg=175, trunk_deg=90, arm_deg=arm_deg, ankle_px=(120.0, 420.0), **more)


def together(*tracks: list[Person]) -> list[list[Person]]:
    return [list(frame) for frame in zip(*tracks, strict=True)]


@pytest.mark.parametrize("lifter_first", [True, False])
def test_the_person_who_lifts_is_chosen_over_a_larger_spectator(
    figure: Figure, persons: Persons, lifter_first: bool
) -> None:
    lifting, watching = lifter(figure), spectator(figure, px_per_m=180.0)
    pair = [persons(lifting, 4), persons(watching, 9)]

    chosen = choose_athlete(lifting.times_s, together(*(pair if lifter_first else pair[::-1])))

    assert chosen.points_px == pytest.approx(lifting.points_px)
    assert chosen.visibility == pytest.approx(lifting.visibility)


def test_who_squats_with_the_bar_on_the_back_is_chosen_over_who_stands_by(figure: Figure, persons: Persons) -> None:
    bend = np.concatenate([np.linspace(175, 70, N // 2), np.linspace(70, 175, N - N // 2)])
    squatting, watching = figure(N, knee_deg=bend, hip_deg=bend, trunk_deg=80, arm_deg=60.0), spectator(figure)

    chosen = choose_athlete(squatting.times_s, together(persons(watching, 9), persons(squatting, 4)))

    assert chosen.points_px == pytest.approx(squatting.points_px)


def test_a_tenth_of_the_frames_standing_are_enough_for_the_stature(figure: Figure) -> None:
    track = figure(60, knee_deg=178, hip_deg=178, trunk_deg=90, arm_deg=-90.0)
    foreshortened = track.points_px.copy()
    foreshortened[:50, :, 1] = 420.0 + 0.7 * (foreshortened[:50, :, 1] - 420.0)
    seen = PoseTrack(track.times_s.copy(), foreshortened, track.world_m.copy(), track.visibility.copy())

    assert stature_px(seen) == pytest.approx(stature_px(track), rel=0.02)


def test_a_passer_by_who_waves_for_a_moment_is_not_the_lifter(figure: Figure, persons: Persons) -> None:
    lifting = lifter(figure)
    people = together(persons(lifting, 1))
    for i, person in enumerate(persons(lifter(figure, 5, ankle_px=(100.0, 420.0)), 2)):
        people[i].append(person)

    assert choose_athlete(lifting.times_s, people).points_px == pytest.approx(lifting.points_px)


def test_a_tracker_that_renames_the_lifter_is_bridged(figure: Figure, persons: Persons) -> None:
    lifting, watching = lifter(figure), spectator(figure)
    renamed = [*persons(lifting, 1)[:25], *persons(lifting, 7)[25:]]

    chosen = choose_athlete(lifting.times_s, together(renamed, persons(watching, 2)))

    assert chosen.points_px == pytest.approx(lifting.points_px)


def test_a_spectator_does_not_fill_the_gaps_of_the_lifter(figure: Figure, persons: Persons) -> None:
    lifting, watching = lifter(figure), spectator(figure)
    people = together(persons(lifting, 1), persons(watching, 2))
    for i in range(18, 24):
        people[i] = people[i][1:]

    chosen = choose_athlete(lifting.times_s, people)

    assert np.isnan(chosen.points_px[18:24]).all()
    assert (chosen.visibility[18:24] == 0).all()
    assert chosen.points_px[24:] == pytest.approx(lifting.points_px[24:])


def test_who_is_at_the_disc_while_it_rests_lifts_it_although_only_a_bystander_is_seen_while_it_moves(
    figure: Figure, persons: Persons
) -> None:
    """A plate hides its lifter from an estimator as soon as he moves."""
    lifting, watching = lifter(figure), spectator(figure)
    disc = hands_midpoint_px(lifting.points_px, lifting.visibility) + np.array([5.0, 0.0])
    disc[:16] = disc[15]
    people = together(persons(lifting, 1), persons(watching, 2))
    people = [frame if i < 16 else frame[1:] for i, frame in enumerate(people)]

    chosen = choose_athlete(lifting.times_s, people, disc)

    assert chosen.points_px[:16] == pytest.approx(lifting.points_px[:16])
    assert np.isnan(chosen.points_px[16:]).all()


@pytest.mark.parametrize("with_lifter", [True, False])
def test_who_stands_behind_the_disc_from_the_front_does_not_lift_it(
    figure: Figure, persons: Persons, with_lifter: bool
) -> None:
    """The bar's end is a body's width from the lifter's hands, and goes up and down with them."""
    arms = -90.0 if with_lifter else np.linspace(-90, -40, N)
    lifting, watching = lifter(figure), spectator(figure, arm_deg=arms)
    hands = hands_midpoint_px(lifting.points_px, lifting.visibility)
    theirs = hands_midpoint_px(watching.points_px, watching.visibility)
    height = hands[:, 1] if with_lifter else hands[::-1, 1]
    disc = np.stack([theirs[:, 0] + 5.0, height], axis=1)

    chosen = choose_athlete(lifting.times_s, together(persons(watching, 9), persons(lifting, 4)), disc)

    assert chosen.points_px == pytest.approx(lifting.points_px if with_lifter else watching.points_px)


@pytest.mark.parametrize("seen_for", [slice(0, 3), slice(0, N)], ids=["a moment", "long"])
def test_a_tiny_or_short_lived_find_that_jumps_about_is_nobody(
    figure: Figure, persons: Persons, seen_for: slice
) -> None:
    bend = np.concatenate([np.linspace(175, 110, N // 2), np.linspace(110, 175, N - N // 2)])
    lifting = figure(N, knee_deg=bend, hip_deg=bend, trunk_deg=85, arm_deg=60.0)
    size = 180.0 if seen_for.stop < N else 25.0
    jumping = figure(
        N, knee_deg=150, hip_deg=140, trunk_deg=80, arm_deg=np.where(np.arange(N) % 2, 90, -90), px_per_m=size
    )
    frames = [[one] for one in persons(lifting, 4)]
    for i, stray in list(enumerate(persons(jumping, 9)))[seen_for]:
        frames[i].append(stray)

    assert choose_athlete(lifting.times_s, frames).points_px == pytest.approx(lifting.points_px)


@pytest.mark.parametrize("bystander_moves", [False, True])
def test_who_does_not_move_the_hands_lifts_no_disc_that_seems_to_move_near_them(
    figure: Figure, persons: Persons, bystander_moves: bool
) -> None:
    """A disc that is none, seen about a bystander while the lifter farther away lifts a bar from the front."""
    lifting = lifter(figure)
    arms = np.linspace(-90, -40, N) if bystander_moves else -90.0
    beside = spectator(figure, arm_deg=arms)
    hands = (beside.point_px("left_hand") + beside.point_px("right_hand")) / 2
    disc = np.stack([hands[:, 0], hands[:, 1] + np.linspace(-50, 50, N)], axis=1)

    chosen = choose_athlete(lifting.times_s, together(persons(lifting, 4), persons(beside, 9)), disc)

    expected = beside if bystander_moves else lifting
    assert chosen.points_px == pytest.approx(expected.points_px)


def test_frames_without_anybody_are_empty(figure: Figure) -> None:
    track = choose_athlete(np.arange(5) / 30, [[] for _ in range(5)])

    assert np.isnan(track.points_px).all()
    assert track.points_px.shape == (5, len(KEYPOINTS), 2)
    assert np.isnan(stature_px(track))


@given(factor=st.floats(0.3, 4), knee=st.floats(40, 178), hip=st.floats(40, 178))
@settings(max_examples=20, deadline=None)
def test_stature_does_not_change_with_posture_and_grows_with_the_picture(
    figure: Figure, factor: float, knee: float, hip: float
) -> None:
    standing = stature_px(figure(knee_deg=178, hip_deg=178, trunk_deg=90))

    assert stature_px(figure(knee_deg=knee, hip_deg=hip, px_per_m=100.0 * factor)) == pytest.approx(factor * standing)


def test_stature_is_that_of_the_body(figure: Figure) -> None:
    """Ankle-knee-hip-shoulder is 0.78 of stature: Winter 2009, fig. 4.1; here 1.333 m stand for 1.71 m."""
    assert stature_px(figure(px_per_m=200.0)) == pytest.approx(1.333 / 0.78 * 200, rel=0.001)
    assert body_length_px(figure(px_per_m=200.0).points_px) == pytest.approx(np.full(12, 266.6))


def test_the_longer_side_tells_the_length_and_a_hidden_side_does_not_hurt(figure: Figure) -> None:
    points = figure().points_px.copy()
    points[:, INDEX["right_knee"]] = np.nan

    assert body_length_px(points) == pytest.approx(body_length_px(figure().points_px))


@pytest.mark.parametrize(
    ("left", "right", "expected"), [(0.9, 0.9, 5.0), (0.9, 0.1, 0.0), (0.05, 0.8, 10.0), (0.2, 0.1, 5.0)]
)
def test_a_hand_hidden_behind_the_plate_does_not_count(left: float, right: float, expected: float) -> None:
    points, visibility = np.zeros((1, len(KEYPOINTS), 2)), np.zeros((1, len(KEYPOINTS)))
    points[0, INDEX["right_hand"]] = 10.0
    visibility[0, INDEX["left_wrist"]], visibility[0, INDEX["right_wrist"]] = left, right

    assert hands_midpoint_px(points, visibility)[0] == pytest.approx([expected, expected])


def test_the_near_side_is_the_one_seen_better(figure: Figure) -> None:
    track = figure()
    swapped = track.visibility.copy()
    swapped[:, [INDEX[f"left_{p}"] for p in ("shoulder", "hip", "knee", "ankle")]] = 0.4

    assert near_side(track) == "left"
    assert near_side(PoseTrack(track.times_s, track.points_px.copy(), track.world_m.copy(), swapped)) == "right"
