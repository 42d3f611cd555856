import numpy as np
import pytest

from perception.following import REMEMBER_FRAMES, Follower, Found, box_about, overlap
from perception.keypoint_sets import COCO_17, HALPE_26, HAND_OVER_FOREARM, to_canonical
from perception.pose import INDEX, KEYPOINTS
from tests.perception.figures import halpe_standing


def person(x: float, y: float = 50.0, size: float = 200.0, score: float = 0.9) -> Found:
    """Somebody standing with the middle of the box at x and its top at y."""
    points = halpe_standing() * (0.5 * size, size) + (x - 0.25 * size, y)
    return Found(*to_canonical(points, np.full(26, score), HALPE_26), score)


def ids(people) -> list[int]:
    return [one.person_id for one in people]


def test_somebody_who_moves_a_little_keeps_the_id():
    follower = Follower(3)
    seen = [ids(follower.follow([person(100.0 + 5 * i)])) for i in range(30)]
    assert seen == [[0]] * 30


def test_two_people_keep_their_ids_whatever_their_order():
    follower = Follower(3)
    follower.follow([person(100.0), person(400.0, size=180.0)])
    assert ids(follower.follow([person(402.0, size=180.0), person(101.0)])) == [0, 1]


def test_a_squat_that_halves_the_box_keeps_the_id():
    follower = Follower(3)
    follower.follow([person(100.0)])
    low = person(100.0)
    points = low.points_px.copy()
    points[:, 1] = 250.0 - 0.45 * (250.0 - points[:, 1])
    assert ids(follower.follow([Found(points, low.visibility, 0.9)])) == [0]


def test_who_comes_back_to_the_same_place_soon_keeps_the_id_and_later_gets_a_new_one():
    follower = Follower(3)
    follower.follow([person(100.0)])
    for _ in range(REMEMBER_FRAMES - 1):
        assert follower.follow([]) == []
    assert ids(follower.follow([person(100.0)])) == [0]
    for _ in range(REMEMBER_FRAMES + 1):
        follower.follow([])
    assert ids(follower.follow([person(100.0)])) == [1]


def test_no_id_is_used_again_after_a_reset():
    follower = Follower(3)
    follower.follow([person(100.0)])
    follower.reset()
    assert ids(follower.follow([person(100.0)])) == [1]


def test_two_finds_of_one_body_are_one_person_and_only_the_largest_are_kept():
    follower = Follower(2)
    people = follower.follow([person(100.0), person(102.0), person(400.0, size=150.0), person(700.0, size=100.0)])
    assert len(people) == 2
    assert [round(float(np.ptp(one.points_px[:, 1]))) for one in people] == [166, 124]


def test_nobody_can_be_followed_without_room_for_one():
    with pytest.raises(ValueError, match="max_people"):
        Follower(0)


def test_overlap_of_boxes():
    one = np.array([0.0, 0.0, 10.0, 10.0])
    assert overlap(one, one) == pytest.approx(1.0)
    assert overlap(one, one + 20) == 0.0
    assert overlap(one, np.array([5.0, 0.0, 15.0, 10.0])) == pytest.approx(1 / 3)
    assert overlap(one, np.full(4, np.nan)) == 0.0


def test_the_box_leaves_out_what_is_not_seen():
    points, visibility = np.full((len(KEYPOINTS), 2), np.nan), np.zeros(len(KEYPOINTS))
    assert np.isnan(box_about(points, visibility)).all()
    points[:3], visibility[:2] = [(0, 0), (10, 20), (500, 500)], 1.0
    assert box_about(points, visibility) == pytest.approx([-2, -2, 12, 22])


def test_a_straight_arm_goes_on_into_the_hand():
    points, visibility = to_canonical(halpe_standing() * 100, np.full(26, 0.8), HALPE_26)
    elbow, wrist, hand = (points[INDEX[f"left_{part}"]] for part in ("elbow", "wrist", "hand"))
    assert hand - wrist == pytest.approx(HAND_OVER_FOREARM * (wrist - elbow))
    assert visibility[INDEX["left_hand"]] == pytest.approx(0.4)
    assert visibility[INDEX["left_wrist"]] == pytest.approx(0.8)


def test_what_a_set_does_not_have_is_unknown_and_scores_are_bounded():
    points, visibility = to_canonical(halpe_standing()[:17] * 100, np.linspace(-0.5, 1.5, 17), COCO_17)
    missing = [INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("heel", "toe")]
    assert np.isnan(points[missing]).all()
    assert (visibility[missing] == 0).all()
    assert visibility.min() == 0.0
    assert visibility.max() == 1.0


def test_every_canonical_keypoint_but_the_hand_is_in_halpe_26():
    assert set(KEYPOINTS) - set(HALPE_26) == {"left_hand", "right_hand"}
    assert len(set(HALPE_26.values())) == len(HALPE_26)
