import numpy as np
import pyarrow.parquet as pq
import pytest

from perception.exports import write_exports, write_mot, write_tracks, write_trc
from perception.kinematics import joint_angles, world_forward_up_right
from perception.pose import INDEX, KEYPOINTS, PoseTrack
from tests.perception.made_up_lift import make_report, make_tracks


def read_trc(path):
    """Read a TRC file as strictly as OpenSim does; return header, markers, times and (T, K, 3) with NaN for blanks."""
    lines = path.read_text(encoding="ascii").split("\n")
    first = lines[0].split("\t")
    assert first[:3] == ["PathFileType", "4", "(X/Y/Z)"]
    header = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
    labels = lines[3].split("\t")
    assert labels[:2] == ["Frame#", "Time"]
    assert lines[5] == ""
    markers = labels[2::3]
    assert all(not label for i, label in enumerate(labels[2:]) if i % 3)
    axes = [f"{axis}{k + 1}" for k in range(len(markers)) for axis in "XYZ"]
    assert lines[4].split("\t") == ["", "", *axes]
    rows = [line.split("\t") for line in lines[6:-1]]
    assert lines[-1] == ""
    assert [int(row[0]) for row in rows] == list(range(1, len(rows) + 1))
    assert {len(row) for row in rows} == {2 + 3 * len(markers)}
    values = np.array([[float(cell) if cell else np.nan for cell in row[1:]] for row in rows])
    assert int(header["NumFrames"]) == len(rows)
    assert int(header["NumMarkers"]) == len(markers)
    return header, markers, values[:, 0], values[:, 1:].reshape(len(rows), len(markers), 3)


def read_mot(path):
    """Read a motion file as strictly as OpenSim does; return header, column names and the table."""
    head, body = path.read_text(encoding="ascii").split("endheader\n")
    header = dict(line.split("=") for line in head.split("\n") if "=" in line)
    lines = body.rstrip("\n").split("\n")
    table = np.array([[float(cell) for cell in line.split("\t")] for line in lines[1:]])
    assert table.shape == (int(header["nRows"]), int(header["nColumns"]))
    return header, lines[0].split("\t"), table


def with_facing(facing, view="side"):
    report = make_report()
    camera = report.camera.model_copy(update={"facing": facing, "view": view})
    return report.model_copy(update={"camera": camera})


def test_the_four_files_are_written(tmp_path):
    paths = write_exports(make_report(), make_tracks(), tmp_path)
    assert [path.name for path in paths] == ["tracks.parquet", "tracks.csv", "pose.trc", "angles.mot"]
    assert all(path.stat().st_size > 0 for path in paths)


def test_tracks_come_back_from_parquet_as_they_were(tmp_path):
    report, tracks = make_report(), make_tracks(mass_kg=80.0)
    write_tracks(tmp_path / "tracks.parquet", tracks, report)
    table = pq.read_table(tmp_path / "tracks.parquet")
    assert table.num_rows == 228
    for name, values in (
        ("time_s", tracks.bar.times_s),
        ("bar_y_m", tracks.bar.y_m),
        ("bar_speed_m_s", tracks.bar.speed_m_s),
        ("bar_force_n", tracks.bar.force_n),
        ("plate_x_px", tracks.bar.plate_px[:, 0]),
        ("hands_y_px", tracks.bar.hands_px[:, 1]),
        ("left_knee_x_px", tracks.pose.point_px("left_knee")[:, 0]),
    ):
        assert np.allclose(table[name].to_numpy(zero_copy_only=False), values, equal_nan=True), name
    for keypoint in KEYPOINTS:
        assert {f"{keypoint}_x_px", f"{keypoint}_y_px", f"{keypoint}_visibility"} <= set(table.column_names)


def test_the_metadata_of_the_tracks_name_schema_and_clip(tmp_path):
    write_tracks(tmp_path / "tracks.parquet", make_tracks(), make_report())
    metadata = pq.read_schema(tmp_path / "tracks.parquet").metadata
    assert metadata[b"schema_version"] == b"1"
    assert metadata[b"clip_sha256"] == b"5d" * 32
    assert metadata[b"bar_source"] == b"plate"


def test_what_was_not_seen_is_null_and_never_nan(tmp_path):
    write_tracks(tmp_path / "tracks.parquet", make_tracks(has_scale=False), make_report(has_scale=False))
    table = pq.read_table(tmp_path / "tracks.parquet")
    assert table["bar_y_m"].null_count == table["bar_force_n"].null_count == table.num_rows
    assert table["plate_x_px"].null_count == 0


def test_only_frames_inside_a_lift_carry_its_number(tmp_path):
    report = make_report(number=3)
    write_tracks(tmp_path / "tracks.parquet", make_tracks(), report)
    numbers = pq.read_table(tmp_path / "tracks.parquet")["lift"].to_pylist()
    first, last = report.lifts[0].instants["lift_off"].frame, report.lifts[0].instants["recovered"].frame
    assert set(numbers[first : last + 1]) == {3}
    assert set(numbers[:first] + numbers[last + 1 :]) == {None}


def test_markers_come_back_from_the_trc_file(tmp_path):
    report, tracks = make_report(), make_tracks()
    write_trc(tmp_path / "pose.trc", tracks, report)
    header, markers, times, points = read_trc(tmp_path / "pose.trc")
    assert header["Units"] == "m"
    assert float(header["DataRate"]) == pytest.approx(29.97, abs=1e-3)
    assert len(markers) == len(set(markers)) == len(KEYPOINTS)
    assert np.allclose(times, tracks.pose.times_s, atol=1e-6)
    assert np.allclose(points, world_forward_up_right(tracks.pose, report.camera), atol=1e-6)


def test_a_marker_that_was_not_seen_is_nan_in_the_trc_file(tmp_path):
    tracks = make_tracks()
    world = tracks.pose.world_m.copy()
    world[10, INDEX["nose"]] = np.nan
    pose = PoseTrack(tracks.pose.times_s, tracks.pose.points_px, world, tracks.pose.visibility)
    write_trc(tmp_path / "pose.trc", type(tracks)(pose=pose, bar=tracks.bar), make_report())
    _, markers, _, points = read_trc(tmp_path / "pose.trc")
    assert np.isnan(points[10, markers.index("Nose")]).all()
    assert np.isfinite(points[11]).all()


@pytest.mark.parametrize("facing", ["left", "right", "camera", "away", "unknown"])
def test_the_axes_of_the_markers_are_right_handed_for_every_facing(facing):
    tracks = make_tracks()
    world = np.zeros_like(tracks.pose.world_m)
    world[:, :3] = np.eye(3)
    pose = PoseTrack(tracks.pose.times_s, tracks.pose.points_px, world, tracks.pose.visibility)
    turned = world_forward_up_right(pose, with_facing(facing).camera)[0, :3]
    assert np.linalg.det(turned) == pytest.approx(1.0)


def test_the_head_is_up_and_the_bar_side_is_forward_when_facing_left():
    points = world_forward_up_right(make_tracks().pose, make_report().camera)
    assert points[0, INDEX["nose"], 1] > points[0, INDEX["left_ankle"], 1]
    assert points[0, INDEX["nose"], 0] > 0


def test_angles_come_back_from_the_mot_file(tmp_path):
    report, tracks = make_report(), make_tracks()
    write_mot(tmp_path / "angles.mot", tracks, report)
    header, names, table = read_mot(tmp_path / "angles.mot")
    assert header["inDegrees"] == "yes"
    assert names[0] == "time"
    angles = joint_angles(tracks.pose, report.camera)
    assert names[1:] == ["left_knee_angle", "left_hip_angle", "left_elbow_angle", "trunk_angle"]
    assert len(table) > 100
    for i, time_s in enumerate(table[:, 0]):
        frame = int(np.argmin(np.abs(tracks.pose.times_s - time_s)))
        want = [angles[name.removesuffix("_angle")][frame] for name in names[1:]]
        assert np.allclose(table[i, 1:], want, atol=1e-5)


def test_frames_in_which_a_joint_was_not_seen_have_no_row_in_the_mot_file(tmp_path):
    tracks = make_tracks()
    points = tracks.pose.points_px.copy()
    points[20:60] = np.nan
    pose = PoseTrack(tracks.pose.times_s, points, tracks.pose.world_m, tracks.pose.visibility)
    write_mot(tmp_path / "angles.mot", type(tracks)(pose=pose, bar=tracks.bar), make_report())
    _, _, table = read_mot(tmp_path / "angles.mot")
    assert np.isfinite(table).all()
    assert not ((table[:, 0] > 25 / 29.97) & (table[:, 0] < 55 / 29.97)).any()


def test_a_clip_without_a_body_gives_a_mot_file_without_rows(tmp_path):
    tracks = make_tracks()
    pose = PoseTrack(
        tracks.pose.times_s,
        np.full_like(tracks.pose.points_px, np.nan),
        np.full_like(tracks.pose.world_m, np.nan),
        np.zeros_like(tracks.pose.visibility),
    )
    write_mot(tmp_path / "angles.mot", type(tracks)(pose=pose, bar=tracks.bar), make_report())
    header = (tmp_path / "angles.mot").read_text()
    assert "nRows=0" in header
    assert header.endswith("trunk_angle\n")


def test_a_side_view_gives_angles_of_the_near_side_only():
    angles = joint_angles(make_tracks().pose, make_report().camera)
    assert np.isfinite(angles["left_knee"]).any()
    assert np.isnan(angles["right_knee"]).all()


def test_a_standing_body_has_straight_joints_and_an_upright_trunk():
    times = np.arange(10) / 30
    world = np.zeros((10, len(KEYPOINTS), 3))
    for part, height in (
        ("shoulder", 0.5),
        ("elbow", 0.2),
        ("wrist", -0.05),
        ("hip", 0.0),
        ("knee", -0.4),
        ("ankle", -0.8),
    ):
        for side, x in (("left", 0.15), ("right", -0.15)):
            world[:, INDEX[f"{side}_{part}"]] = (x, -height, 0.0)
    pose = PoseTrack(times, np.zeros((10, len(KEYPOINTS), 2)), world, np.ones((10, len(KEYPOINTS))))
    angles = joint_angles(pose, with_facing("camera", "front").camera)
    for name, values in angles.items():
        assert np.allclose(values, 90 if name == "trunk" else 180), name


def test_an_angle_at_a_joint_that_was_guessed_is_left_out():
    tracks = make_tracks()
    visibility = tracks.pose.visibility.copy()
    visibility[:, INDEX["left_ankle"]] = 0.1
    pose = PoseTrack(tracks.pose.times_s, tracks.pose.points_px, tracks.pose.world_m, visibility)
    angles = joint_angles(pose, with_facing("camera", "front").camera)
    assert np.isnan(angles["left_knee"]).all()
    assert np.isfinite(angles["left_hip"]).any()


def test_a_bent_knee_of_ninety_degrees_is_ninety():
    world = np.zeros((3, len(KEYPOINTS), 3))
    world[:, INDEX["left_hip"]] = (0, 0, -0.4)
    world[:, INDEX["left_knee"]] = (0, 0, 0)
    world[:, INDEX["left_ankle"]] = (0, 0.4, 0)
    pose = PoseTrack(np.arange(3) / 30, np.zeros((3, len(KEYPOINTS), 2)), world, np.ones((3, len(KEYPOINTS))))
    assert np.allclose(joint_angles(pose, with_facing("camera", "front").camera)["left_knee"], 90)
