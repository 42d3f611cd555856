import numpy as np
import pytest

from coach.domain.errors import InputError, SetupError
from coach.domain.settings import AnalysisSettings
from perception.marker_clip import find_marker_file, open_markers
from perception.marker_files import read_markers, read_pixel_markers, unit_of
from perception.marker_names import Markers, find_keypoints, hip_joints
from perception.marker_pose import to_pose
from perception.pose import INDEX, KEYPOINTS, POSES
from perception.simulator.demo_clip import demo_clip
from perception.summarise import analyse_clip
from perception.video import read_frames
from tests.perception.marker_makers import (
    as_halpe,
    as_plug_in_gait,
    demo_markers,
    demo_truth,
    write_c3d_file,
    write_trc_file,
)

TIMES, LIFT = demo_markers()


def side_view_m(pose) -> np.ndarray:
    """Return (T, K, 2), forward and up in metres from the middle of the ankles in the first frame."""
    points = pose.pose.points_px * (pose.m_per_px, -pose.m_per_px)
    ankles = points[0, [INDEX["left_ankle"], INDEX["right_ankle"]]].mean(axis=0)
    return points - ankles


def same_place(pose, names, atol=1e-4) -> None:
    """Assert that keypoints lie where the lift has them, seen from the side."""
    origin = (LIFT["left_ankle"][0] + LIFT["right_ankle"][0]) / 2
    for name in names:
        want = (LIFT[name] - origin)[:, :2]
        assert np.allclose(side_view_m(pose)[:, INDEX[name]], want, atol=atol), name


@pytest.mark.parametrize(("unit", "factor"), [("m", 1.0), ("mm", 1000.0), ("cm", 100.0)])
def test_a_trc_file_comes_back_in_metres(tmp_path, unit, factor):
    path = write_trc_file(tmp_path / "a.trc", TIMES + 3.0, {k: v * factor for k, v in LIFT.items()}, unit)
    trial = read_markers(path)
    assert trial.names == tuple(LIFT)
    assert trial.rate_hz == pytest.approx(30.0, abs=0.01)
    assert trial.times_s == pytest.approx(TIMES, abs=1e-6)
    assert np.allclose(trial.points_m, np.stack(list(LIFT.values()), axis=1), atol=1e-6)


def test_our_own_export_has_an_empty_line_after_the_header_and_other_systems_end_lines_otherwise(tmp_path):
    path = write_trc_file(tmp_path / "a.trc", TIMES, LIFT, newline="\r\n")
    lines = path.read_text(encoding="utf-8").split("\n")
    (tmp_path / "b.trc").write_text("\n".join([*lines[:5], "", *lines[5:]]), encoding="utf-8")
    assert np.array_equal(read_markers(path).points_m, read_markers(tmp_path / "b.trc").points_m)


def test_markers_that_were_not_seen_are_nan_whether_blank_or_zero(tmp_path):
    lift = {name: values.copy() for name, values in LIFT.items()}
    lift["bar_right"][5] = np.nan
    lift["nose"][6] = 0.0
    trial = read_markers(write_trc_file(tmp_path / "a.trc", TIMES, lift))
    assert np.isnan(trial.points_m[5, trial.names.index("bar_right")]).all()
    assert np.isnan(trial.points_m[6, trial.names.index("nose")]).all()
    assert np.isnan(trial.points_m).sum() == 6


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x00\xff\xfe", "not text"),
        (b"hello\n", "does not begin with PathFileType"),
        (b"PathFileType\t4\n\n\n\n\n\n", "names no markers"),
        (b"PathFileType\t4\nUnits\nm\nFrame#\tTime\tA\n\tX1\n1\t0\t1\t2\t3\n", r"1 frame\(s\)"),
        (b"PathFileType\t4\nUnits\nm\nFrame#\tTime\tA\n\tX1\n1\t0\t1\t2\t3\n2\t0\t1\t2\t3\n", "do not increase"),
        (b"PathFileType\t4\nUnits\nfoot\nFrame#\tTime\tA\n\tX1\n1\t0\t1\t2\t3\n2\t1\t1\t2\t3\n", "unit 'foot'"),
    ],
)
def test_a_bad_trc_file_is_told(tmp_path, content, reason):
    (tmp_path / "bad.trc").write_bytes(content)
    with pytest.raises(InputError, match=reason):
        read_markers(tmp_path / "bad.trc")


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("1,2")
    with pytest.raises(InputError, match=r"ends in \.trc or \.c3d"):
        read_markers(tmp_path / "a.csv")
    with pytest.raises(InputError, match="no such file"):
        read_markers(tmp_path / "none.trc")


@pytest.mark.parametrize("unit", ["mm", "m"])
def test_a_c3d_file_comes_back_in_metres(tmp_path, unit):
    pytest.importorskip("ezc3d")
    lift = {name: values.copy() for name, values in LIFT.items()}
    lift["bar_right"][5] = np.nan
    trial = read_markers(write_c3d_file(tmp_path / "a.c3d", 30.0, lift, unit))
    assert trial.names == tuple(lift)
    assert trial.rate_hz == pytest.approx(30.0)
    assert np.allclose(trial.points_m, np.stack(list(lift.values()), axis=1), atol=1e-5, equal_nan=True)


def test_a_file_that_only_ends_like_c3d_is_told(tmp_path):
    pytest.importorskip("ezc3d")
    (tmp_path / "a.c3d").write_bytes(b"not motion" * 100)
    with pytest.raises(InputError, match="no C3D file"):
        read_markers(tmp_path / "a.c3d")


def test_without_ezc3d_the_extra_to_install_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ezc3d", None)
    (tmp_path / "a.c3d").write_bytes(b"x")
    with pytest.raises(SetupError, match=r"pip install 'liftcoach\[trc\]'"):
        read_markers(tmp_path / "a.c3d")


def test_a_lift_under_our_own_names_is_seen_from_the_side_where_it_is(tmp_path):
    pose = to_pose(read_markers(write_trc_file(tmp_path / "a.trc", TIMES, LIFT)), tmp_path / "a.trc")
    same_place(pose, KEYPOINTS)
    assert pose.warnings == ()
    assert pose.pose.visibility.min() == 1.0
    inside = (pose.pose.points_px > 0) & (pose.pose.points_px < (pose.width_px, pose.height_px))
    assert inside.all()


@pytest.mark.parametrize(
    "turn",
    [
        np.eye(3),
        np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]]),
        np.array([[0, 0, -1], [-1, 0, 0], [0, 1, 0]]),
        np.array([[-1, 0, 0], [0, 1, 0], [0, 0, -1]]),
    ],
    ids=["y up", "z up", "z up, the other way", "turned round"],
)
def test_the_axes_of_the_file_do_not_matter(tmp_path, turn):
    assert np.linalg.det(turn) == pytest.approx(1)
    lift = {name: values @ turn.T + (1.0, 2.0, 3.0) for name, values in LIFT.items()}
    same_place(to_pose(read_markers(write_trc_file(tmp_path / "a.trc", TIMES, lift)), tmp_path / "a.trc"), KEYPOINTS)


def test_names_of_pose_programs_are_known_and_hands_are_drawn_out_of_forearms(tmp_path):
    pose = to_pose(read_markers(write_trc_file(tmp_path / "a.trc", TIMES, as_halpe(LIFT))), tmp_path / "a.trc")
    same_place(pose, [name for name in KEYPOINTS if not name.endswith(("ear", "hand"))])
    same_place(pose, ["left_hand", "right_hand"], atol=0.05)
    assert (pose.pose.visibility[:, INDEX["left_hand"]] == 0.5).all()
    assert (pose.pose.visibility[:, INDEX["left_ear"]] == 0).all()
    assert pose.bar_px is None
    assert any("the hands are taken" in warning for warning in pose.warnings)


def test_plug_in_gait_is_known_and_hips_come_from_the_spines_of_the_pelvis(tmp_path):
    path = write_trc_file(tmp_path / "a.trc", TIMES, {k: 1000 * v for k, v in as_plug_in_gait(LIFT).items()}, "mm")
    pose = to_pose(read_markers(path), path)
    same_place(
        pose, [f"{s}_{p}" for s in ("left", "right") for p in ("shoulder", "elbow", "wrist", "knee", "ankle", "toe")]
    )
    hips = [INDEX["left_hip"], INDEX["right_hip"]]
    origin = (LIFT["left_ankle"][0] + LIFT["right_ankle"][0]) / 2
    want = ((LIFT["left_hip"] + LIFT["right_hip"]) / 2 - origin)[:, :2]
    assert np.allclose(side_view_m(pose)[:, hips].mean(axis=1), want, atol=1e-3)


def test_the_hip_joint_of_a_standing_pelvis_by_hand():
    """Harrington 2007: with 240 mm between the spines and 150 mm of depth, 45.9 mm back, 82.9 mm down, 86.5 mm aside."""
    spines = {"LASI": (0, 0, -0.12), "RASI": (0, 0, 0.12), "LPSI": (-0.15, 0, -0.05), "RPSI": (-0.15, 0, 0.05)}
    markers = Markers(tuple(spines), np.array([list(spines.values())]))
    joints = hip_joints(markers)
    assert joints["right"][0] == pytest.approx((-0.0459, -0.0829, 0.0865))
    assert joints["left"][0] == pytest.approx((-0.0459, -0.0829, -0.0865))


@pytest.mark.parametrize(
    ("names", "keypoint"),
    [
        (("r_lelbow_study", "r_melbow_study"), "right_elbow"),
        (("R.Knee.Lateral", "R.Knee.Medial"), "right_knee"),
        (("L.Acromion",), "left_shoulder"),
        (("RLFC", "RMFC"), "right_knee"),
        (("L_calc_study",), "left_heel"),
        (("subject 1:RTOE",), "right_toe"),
        (("RBigToe",), "right_toe"),
        (("LFIN",), "left_hand"),
        (("LeftWrist",), "left_wrist"),
    ],
)
def test_names_of_many_marker_sets(names, keypoint):
    values = np.arange(3.0 * len(names)).reshape(1, len(names), 3)
    points, visibility = find_keypoints(Markers(names, values))
    assert points[0, INDEX[keypoint]] == pytest.approx(values[0].mean(axis=0))
    assert visibility[0, INDEX[keypoint]] == 1.0


def test_what_is_missing_is_named(tmp_path):
    lift = {name: values for name, values in LIFT.items() if name != "left_knee"}
    path = write_trc_file(tmp_path / "a.trc", TIMES, lift)
    with pytest.raises(InputError, match="no markers for left_knee; it has nose"):
        to_pose(read_markers(path), path)


def test_without_feet_and_width_nobody_can_tell_forward(tmp_path):
    flat = {n: v * (1, 1, 0) for n, v in LIFT.items() if not n.endswith(("heel", "toe"))}
    path = write_trc_file(tmp_path / "a.trc", TIMES, flat)
    with pytest.raises(InputError, match="which way the lifter faces"):
        to_pose(read_markers(path), path)


def test_markers_about_the_hips_are_put_on_the_floor_and_said_so(tmp_path):
    hips = (LIFT["left_hip"] + LIFT["right_hip"]) / 2
    path = write_trc_file(tmp_path / "a.trc", TIMES, {name: values - hips for name, values in LIFT.items()})
    pose = to_pose(read_markers(path), path)
    assert any("about the hips" in warning for warning in pose.warnings)
    feet = pose.pose.points_px[:, [INDEX["left_heel"], INDEX["left_toe"]], 1].max(axis=1)
    assert np.ptp(feet) * pose.m_per_px < 0.01


def test_a_lift_known_from_markers_is_measured_as_it_was(tmp_path):
    """Instants within a fifth of a frame, speeds and lengths within 1 % of the simulated lift."""
    path = write_trc_file(tmp_path / "lift.trc", TIMES, LIFT)
    analysis = analyse_clip(path, AnalysisSettings(bar_mass_kg=90.0))
    truth, (lift,) = demo_truth(), analysis.report.lifts
    assert lift.lift == "snatch"
    assert lift.outcome == "caught"
    for name in ("peak_velocity", "max_height", "catch"):
        assert lift.instants[name].time_s == pytest.approx(truth["instants"][name]["time_s"], abs=0.007)
    for name in ("bar_peak_velocity_m_s", "bar_max_height_m", "bar_drop_m", "bar_forward_loop_m"):
        assert lift.measures[name].value == pytest.approx(truth["measures"][name], rel=0.02)
        assert lift.measures[name].low < truth["measures"][name] < lift.measures[name].high
    assert analysis.report.scale.method == "given"
    assert analysis.report.pose.estimator == "trc"
    assert analysis.report.pose.weights_sha256 == analysis.report.clip.sha256
    assert (analysis.report.camera.view, analysis.report.camera.facing) == ("side", "right")
    assert any("pictures are drawn" in warning for warning in analysis.report.warnings)
    assert [frame.time_s for frame in read_frames(analysis.clip)] == pytest.approx(list(TIMES), abs=1e-6)


def test_without_markers_on_the_bar_the_hands_are_measured(tmp_path):
    analysis = analyse_clip(write_trc_file(tmp_path / "lift.trc", TIMES, as_halpe(LIFT)), AnalysisSettings())
    (lift,) = analysis.report.lifts
    speed = lift.measures["bar_peak_velocity_m_s"]
    assert speed.source == "hands"
    assert speed.value == pytest.approx(demo_truth()["measures"]["bar_peak_velocity_m_s"], abs=0.08)


def test_markers_in_metres_take_the_place_of_a_video_and_say_so(tmp_path):
    path = write_trc_file(tmp_path / "lift.trc", TIMES, LIFT)
    analysis = analyse_clip(demo_clip(), AnalysisSettings(pose="trc", markers=str(path)))
    assert analysis.clip.path == path
    assert any("snatch.mp4 was not looked at" in warning for warning in analysis.report.warnings)


def pixel_file(path, n=None, unit="px"):
    truth = demo_truth()
    points = np.array(truth["keypoints_px"])
    points = np.concatenate([points, np.ones((*points.shape[:2], 1))], axis=2)[:n]
    markers = {name: points[:, i] for i, name in enumerate(truth["keypoint_names"])}
    return write_trc_file(path, np.array(truth["times_s"])[:n], as_halpe(markers), unit)


@pytest.mark.parametrize("unit", ["px", "m"])
def test_pixels_are_known_by_their_unit_or_because_nobody_is_that_tall(tmp_path, unit):
    """Sports2D 0.8.34 writes "m" into the header of its files of pixels."""
    path = pixel_file(tmp_path / "lift_px_person00.trc", unit=unit)
    assert unit_of(path) == "px"
    assert read_pixel_markers(path).points_px.shape == (len(TIMES), 17, 2)


def test_a_file_in_pixels_is_an_estimator_for_its_clip(tmp_path):
    path = pixel_file(tmp_path / "px.trc", n=40)
    assert unit_of(path) == "px"
    assert open_markers(demo_clip(), AnalysisSettings(pose="trc", markers=str(path))) is None
    estimator = POSES.load("trc", markers=path, rate_hz=30.0)
    image, truth = np.zeros((480, 854, 3), np.uint8), np.array(demo_truth()["keypoints_px"])
    for i in range(50):
        people = estimator.estimate(image)
        assert len(people) == (i < 40)
        if people:
            assert people[0].points_px[INDEX["left_knee"]] == pytest.approx(truth[i, INDEX["left_knee"]], abs=1e-3)
            assert np.isnan(people[0].world_m).all()


def test_the_two_kinds_of_files_are_not_mixed_up(tmp_path):
    pixels, metres = pixel_file(tmp_path / "px.trc"), write_trc_file(tmp_path / "m.trc", TIMES, LIFT)
    with pytest.raises(InputError, match="in pixels of a clip: coach analyze CLIP --pose trc"):
        read_markers(pixels)
    with pytest.raises(InputError, match="does not say where the camera"):
        read_pixel_markers(metres)
    with pytest.raises(SetupError, match="--markers FILE"):
        POSES.load("trc")


def test_which_file_is_meant(tmp_path):
    clip = tmp_path / "lift.mp4"
    assert find_marker_file(clip, AnalysisSettings()) is None
    assert find_marker_file(clip, AnalysisSettings(pose="trc")) is None
    (tmp_path / "lift.trc").write_text("x")
    assert find_marker_file(clip, AnalysisSettings(pose="trc")) == tmp_path / "lift.trc"
    assert find_marker_file(clip, AnalysisSettings(pose="trc", markers="other.c3d")).name == "other.c3d"
    assert find_marker_file(tmp_path / "a.C3D", AnalysisSettings()) == tmp_path / "a.C3D"
