"""The exported files as the programs read them that people open them with: OpenSim, pandas, and our own reader."""

import dataclasses

import numpy as np
import pytest

from perception.exports import write_exports
from perception.kinematics import joint_angles, world_forward_up_right
from perception.marker_files import read_markers
from perception.pose import INDEX, KEYPOINTS, PoseTrack
from tests.perception.made_up_lift import make_report, make_tracks


def tracks_with_gaps():
    """A lift in which the first and the last marker, and all of them for two frames, were not seen for a while."""
    tracks = make_tracks(mass_kg=80.0)
    world, points = tracks.pose.world_m.copy(), tracks.pose.points_px.copy()
    world[5:9, 0] = world[7:12, -1] = world[20:22] = np.nan
    points[20:22] = np.nan
    pose = PoseTrack(tracks.pose.times_s, points, world, tracks.pose.visibility)
    return dataclasses.replace(tracks, pose=pose)


def tracks_without_a_body():
    tracks = make_tracks(has_scale=False)
    nothing = (np.full_like(tracks.pose.points_px, np.nan), np.full_like(tracks.pose.world_m, np.nan))
    pose = PoseTrack(tracks.pose.times_s, *nothing, np.zeros_like(tracks.pose.visibility))
    return dataclasses.replace(tracks, pose=pose)


MADE = {"whole": make_tracks, "gaps": tracks_with_gaps, "no body": tracks_without_a_body}


@pytest.fixture(params=MADE, scope="module")
def exported(request, tmp_path_factory):
    folder, tracks, report = tmp_path_factory.mktemp("out"), MADE[request.param](), make_report()
    write_exports(report, tracks, folder)
    return folder, tracks, report


@pytest.fixture(scope="module")
def opensim():
    """OpenSim, without what it says on the terminal and what it logs into the folder."""
    opensim = pytest.importorskip("opensim", reason="OpenSim is not installed: pip install opensim")
    opensim.Logger.removeFileSink()
    opensim.Logger.setLevelString("Error")
    return opensim


def test_opensim_reads_the_markers(opensim, exported):
    folder, tracks, report = exported
    table = opensim.TimeSeriesTableVec3(str(folder / "pose.trc"))
    names = [name.title().replace("_", "") for name in KEYPOINTS]
    assert list(table.getColumnLabels()) == names
    assert table.getTableMetaDataString("Units") == "m"
    assert np.allclose(list(table.getIndependentColumn()), tracks.pose.times_s, atol=1e-6)
    want = world_forward_up_right(tracks.pose, report.camera)
    got = np.array([[table.getRowAtIndex(i)[k].to_numpy() for k in range(len(names))] for i in range(0, 40, 1)])
    assert np.allclose(got, want[:40], atol=2e-6, equal_nan=True)


def test_the_older_reader_of_opensim_takes_the_markers_too(opensim, exported):
    folder, tracks, _ = exported
    data = opensim.MarkerData(str(folder / "pose.trc"))
    assert (data.getNumFrames(), data.getNumMarkers()) == (len(tracks.pose.times_s), len(KEYPOINTS))
    assert data.getUnits().getLabel() == "meters"


def test_opensim_reads_the_angles(opensim, exported):
    folder, tracks, report = exported
    angles = joint_angles(tracks.pose, report.camera)
    table = opensim.TimeSeriesTable(str(folder / "angles.mot"))
    storage = opensim.Storage(str(folder / "angles.mot"))
    assert storage.isInDegrees()
    assert table.getTableMetaDataString("inDegrees") == "yes"
    assert storage.getSize() == table.getNumRows()
    times = np.array(list(table.getIndependentColumn()))
    for label in table.getColumnLabels():
        got = table.getDependentColumn(label).to_numpy()
        frames = [int(np.argmin(np.abs(tracks.pose.times_s - t))) for t in times]
        assert np.allclose(got, angles[label.removesuffix("_angle")][frames], atol=1e-5)


def test_pandas_reads_the_same_from_parquet_and_csv(exported):
    pandas = pytest.importorskip("pandas")
    folder, tracks, _ = exported
    parquet, csv = pandas.read_parquet(folder / "tracks.parquet"), pandas.read_csv(folder / "tracks.csv")
    assert list(parquet.columns) == list(csv.columns)
    assert len(csv) == len(tracks.bar.times_s)
    for name in parquet.columns:
        one, other = (table[name].to_numpy(float) for table in (parquet, csv))
        assert np.array_equal(one, other, equal_nan=True), name
    assert np.allclose(csv["left_knee_x_px"], tracks.pose.points_px[:, INDEX["left_knee"], 0], equal_nan=True)


def test_the_csv_has_one_line_of_plain_names_and_empty_cells(exported):
    folder = exported[0]
    lines = (folder / "tracks.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("frame,time_s,lift,bar_x_m,bar_y_m,")
    assert len({line.count(",") for line in lines}) == 1
    assert not any(word in line for line in lines[1:] for word in ("nan", "null", "NaN", '"'))


def test_our_own_reader_takes_the_markers_back(exported):
    folder, tracks, report = exported
    trial = read_markers(folder / "pose.trc")
    assert trial.times_s == pytest.approx(tracks.pose.times_s, abs=1e-6)
    want = world_forward_up_right(tracks.pose, report.camera)
    assert np.allclose(trial.points_m, want, atol=1e-6, equal_nan=True)
