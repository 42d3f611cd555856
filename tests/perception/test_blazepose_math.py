"""The arithmetic around the BlazePose networks, against its definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.blazepose_math import (
    Change,
    Landmarks,
    Roi,
    crop,
    decode_detections,
    decode_landmarks,
    ease,
    letterbox,
    make_anchors,
    next_roi,
    refine,
    roi_from_points,
    sigmoid,
    to_keypoints,
)
from perception.pose import INDEX, KEYPOINTS

rois = st.builds(
    Roi,
    st.floats(-50, 500),
    st.floats(-50, 500),
    st.floats(20, 800),
    st.floats(-3.1, 3.1),
)


def test_the_detector_has_2254_anchors_on_its_grids() -> None:
    anchors = make_anchors()
    assert anchors.shape == (2254, 2)
    assert anchors[0] == pytest.approx([4 / 224, 4 / 224])
    assert anchors[2] == pytest.approx([12 / 224, 4 / 224])
    assert anchors[1568] == pytest.approx([8 / 224, 8 / 224])
    assert np.all(anchors[1960:1966] == pytest.approx(16 / 224))
    assert anchors[-1] == pytest.approx([208 / 224, 208 / 224])


@pytest.mark.parametrize(("height", "width"), [(480, 640), (1920, 1080), (100, 100), (3, 400)])
def test_letterbox_keeps_the_shape_and_maps_back(height: int, width: int) -> None:
    image = np.full((height, width, 3), 255, np.uint8)
    inputs, back = letterbox(image)
    assert inputs.shape == (1, 224, 224, 3)
    assert (inputs.min(), inputs.max()) == (-1 if height != width else 1, 1)
    rows, columns = np.nonzero(inputs[0, :, :, 0] > 0)
    low = back @ [columns.min(), rows.min(), 1]
    high = back @ [columns.max() + 1, rows.max() + 1, 1]
    assert low == pytest.approx([0, 0], abs=max(height, width) / 224)
    assert high == pytest.approx([width, height], abs=max(height, width) / 224)


def test_detections_of_one_person_merge_by_score_and_the_rest_stay() -> None:
    anchors = np.array([[0.5, 0.5], [0.5, 0.5], [0.1, 0.1], [0.9, 0.9]])
    boxes = np.zeros((4, 12), np.float32)
    boxes[:, 2:4] = 40
    boxes[1, 0] = 4
    rows, scores = decode_detections(boxes, np.array([3.0, 3.0, 1.0, -1.0], np.float32), anchors)
    assert scores == pytest.approx([0.9526, 0.7311], abs=1e-4)
    assert rows[0, :4] == pytest.approx([94, 92, 134, 132])
    assert rows[1, 4:6] == pytest.approx([22.4, 22.4])


def test_no_detection_gives_no_rows() -> None:
    rows, scores = decode_detections(np.zeros((2, 12), np.float32), np.full(2, -9, np.float32), np.zeros((2, 2)))
    assert rows.shape == (0, 12)
    assert scores.shape == (0,)


def test_a_person_standing_upright_has_a_region_that_is_not_turned() -> None:
    roi = roi_from_points(np.array([100.0, 200.0]), np.array([100.0, 120.0]))
    assert (roi.x_px, roi.y_px, roi.size_px) == (100, 200, 200)
    assert roi.angle_rad == pytest.approx(0)
    assert roi_from_points(np.zeros(2), np.array([50.0, 0.0])).angle_rad == pytest.approx(np.pi / 2)


@given(roi=rois)
def test_a_point_seen_in_the_crop_comes_back_to_its_place(roi: Roi) -> None:
    """The middle of the crop is the middle of the region; its top middle lies along the region's up."""
    raw = np.zeros((39, 5), np.float32)
    raw[0, :2], raw[1, :2] = (128, 128), (128, 0)
    seen = decode_landmarks(raw.ravel(), 1.0, np.full((64, 64, 39), -9, np.float32), np.zeros(117, np.float32), roi)
    up = np.array([np.sin(roi.angle_rad), -np.cos(roi.angle_rad)])
    assert seen.points_px[0] == pytest.approx([roi.x_px, roi.y_px], abs=1e-6)
    assert seen.points_px[1] == pytest.approx(np.array([roi.x_px, roi.y_px]) + up * roi.size_px / 2, abs=1e-6)


@given(roi=rois)
def test_the_next_region_of_points_on_its_own_axes_is_itself(roi: Roi) -> None:
    up = np.array([np.sin(roi.angle_rad), -np.cos(roi.angle_rad)])
    points = np.zeros((39, 2))
    points[33] = roi.x_px, roi.y_px
    points[34] = points[33] + up * roi.size_px / 2.5
    again = next_roi(Landmarks(points, np.zeros((39, 3)), np.zeros(39), 1.0))
    assert (again.x_px, again.y_px, again.size_px) == pytest.approx((roi.x_px, roi.y_px, roi.size_px), abs=1e-6)
    assert np.cos(again.angle_rad - roi.angle_rad) == pytest.approx(1)


def test_the_crop_is_the_region_and_repeats_the_edge_outside() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, 100:] = 255
    inside = crop(image, Roi(100, 50, 64, 0.0))
    assert inside.shape == (1, 256, 256, 3)
    assert inside[0, :, :120].max() == 0
    assert inside[0, :, 136:].min() == 1
    assert crop(image, Roi(500, 50, 64, 0.0)).min() == 1
    quarter = crop(image, Roi(100, 50, 64, np.pi / 2))
    assert quarter[0, :120].min() == 1
    assert quarter[0, 136:].max() == 0


def test_world_points_turn_with_the_region() -> None:
    raw, maps = np.zeros(195, np.float32), np.full((64, 64, 39), -9, np.float32)
    world = np.zeros((39, 3), np.float32)
    world[0] = 0, -1, 0.5
    seen = decode_landmarks(raw, 1.0, maps, world.ravel(), Roi(0, 0, 100, np.pi / 2))
    assert seen.world_m[0] == pytest.approx([1, 0, 0.5], abs=1e-6)


def test_a_point_moves_to_the_centre_of_its_heat_map_peak() -> None:
    maps = np.full((64, 64, 39), -20, np.float32)
    maps[30, 33, 0] = 4
    maps[30, 34, 0] = 4
    maps[30, 60, 1] = 4
    maps[30, 33, 2] = -0.1
    points = np.full((39, 2), 32.5 / 64)
    refined = refine(points, maps)
    assert refined[0] == pytest.approx([33.5 / 64, 30 / 64], abs=1e-6)
    assert refined[1] == pytest.approx(points[1])
    assert refined[2] == pytest.approx(points[2])


def test_points_outside_the_crop_stay_where_they_are() -> None:
    points = np.full((39, 2), 1.4)
    points[0], points[1] = (-0.2, 0.5), (0.999, 0.001)
    refined = refine(points, np.full((64, 64, 39), 9, np.float32))
    assert refined[2:] == pytest.approx(points[2:])
    assert refined[0] == pytest.approx(points[0])
    assert np.all((refined[1] > 0) & (refined[1] < 1))


def test_sigmoid_does_not_overflow() -> None:
    assert sigmoid(np.array([-1e4, 0, 1e4])) == pytest.approx([0, 0.5, 1])


def test_a_hand_is_the_middle_of_two_knuckles_and_left_stays_left() -> None:
    values = to_keypoints(np.arange(39.0))
    assert values.shape == (len(KEYPOINTS),)
    picked = {name: values[INDEX[name]] for name in ("nose", "left_wrist", "right_wrist", "left_hand", "right_toe")}
    assert picked == {"nose": 0, "left_wrist": 15, "right_wrist": 16, "left_hand": 18, "right_toe": 32}


def test_regions_of_one_place_are_near_and_of_neighbours_are_not() -> None:
    one = Roi(100, 100, 200, 0)
    assert one.distance(one) == 0
    assert one.distance(Roi(200, 100, 200, 0)) == pytest.approx(0.5)
    assert one.distance(Roi(100, 100, 50, 1)) == 0


@given(old=rois, new=rois)
def test_easing_goes_part_of_the_way_and_all_of_a_long_one(old: Roi, new: Roi) -> None:
    eased, change = ease(old, new), Change.between(old, new)
    left = Change.between(eased, new)
    assert abs(left.log_size) <= 0.8 * abs(change.log_size) + 1e-9
    assert abs(left.angle_rad) <= 0.8 * abs(change.angle_rad) + 1e-9
    if abs(change.log_size) >= 0.15:
        assert eased.size_px == pytest.approx(new.size_px)
    if change.distance >= 0.03:
        assert (eased.x_px, eased.y_px) == pytest.approx((new.x_px, new.y_px))


def test_easing_trails_a_steady_motion_by_a_small_part_of_the_region() -> None:
    roi = Roi(0, 0, 100, 0)
    for i in range(1, 200):
        target = Roi(2.0 * i, 0, 100, 0)  # a hip at 1.5 m/s filmed at 30 fps
        roi = ease(roi, target)
    assert 0 <= target.x_px - roi.x_px < 3


def test_a_turn_is_taken_the_short_way_round() -> None:
    change = Change.between(Roi(0, 0, 10, 3.1), Roi(0, 0, 10, -3.1))
    assert change.angle_rad == pytest.approx(2 * np.pi - 6.2)
    assert change.within(Change(0.1, 0.1, 0.1))
    assert not change.within(Change(0.1, 0.1, 0.05))
