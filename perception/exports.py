"""Files for other programs: tracks.parquet and tracks.csv, and pose.trc and angles.mot as OpenSim reads them."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from coach.domain.lift import Report
from perception.kinematics import joint_angles, world_forward_up_right
from perception.pose import KEYPOINTS, Floats, PoseTrack
from perception.scene import known_instants
from perception.tracks import BarTrack, Tracks

SCHEMA_VERSION = 1


def write_exports(report: Report, tracks: Tracks, out_dir: Path) -> list[Path]:
    """Write `tracks.parquet`, `tracks.csv`, `pose.trc` and `angles.mot` into an existing folder; return their paths."""
    writers = {
        "tracks.parquet": write_tracks,
        "tracks.csv": write_tracks_csv,
        "pose.trc": write_trc,
        "angles.mot": write_mot,
    }
    for name, write in writers.items():
        write(out_dir / name, tracks, report)
    return [out_dir / name for name in writers]


def write_tracks(path: Path, tracks: Tracks, report: Report) -> None:
    """Write one row per decoded frame: the bar, the plate, the hands and every keypoint; null where not seen.

    Column names end in their unit. `<keypoint>_x_px` runs right and `_y_px` down in the upright picture;
    `<keypoint>_x_m`, `_y_m` and `_z_m` are right, down and away from the camera about the hip centre. `bar_x_m` is
    forward from lift-off and `bar_y_m` up from the bar's rest height. The metadata of the file name the schema
    version, the clip's SHA-256, where the bar comes from, and the estimator.
    """
    pq.write_table(_table(tracks, report), path, compression="zstd")


def write_tracks_csv(path: Path, tracks: Tracks, report: Report) -> None:
    """Write the columns of `tracks.parquet` as text with one line of names; empty where not seen, no metadata."""
    table = _table(tracks, report)
    with path.open("wb") as file:
        file.write((",".join(table.column_names) + "\n").encode("ascii"))  # pyarrow would put the names in quotes
        pyarrow.csv.write_csv(table, file, pyarrow.csv.WriteOptions(include_header=False, quoting_style="none"))


def _table(tracks: Tracks, report: Report) -> pa.Table:
    pose, bar = tracks.pose, tracks.bar
    columns: dict[str, pa.Array] = {
        "frame": pa.array(np.arange(len(bar.times_s), dtype=np.int32)),
        "time_s": pa.array(bar.times_s),
        "lift": pa.array(_lift_numbers(report, len(bar.times_s)), type=pa.int16()),
    }
    columns |= {name: _column(values) for name, values in (_bar_columns(bar) | _pose_columns(pose)).items()}
    metadata = {
        "schema_version": str(SCHEMA_VERSION),
        "clip_sha256": report.clip.sha256,
        "bar_source": bar.source,
        "scale_method": report.scale.method,
        "pose_estimator": report.pose.estimator,
    }
    return pa.table(columns).replace_schema_metadata(metadata)


def _column(values: Floats) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _lift_numbers(report: Report, n_frames: int) -> list[int | None]:
    """Return for each frame the number of the lift whose instants enclose it."""
    numbers: list[int | None] = [None] * n_frames
    for lift in report.lifts:
        frames = [instant.frame for instant in known_instants(lift).values()]
        for i in range(min(frames, default=0), min(max(frames, default=-1) + 1, n_frames)):
            numbers[i] = lift.number
    return numbers


def _bar_columns(bar: BarTrack) -> dict[str, Floats]:
    centre = bar.centre_px
    return {
        "bar_x_m": bar.x_m,
        "bar_y_m": bar.y_m,
        "bar_x_px": centre[:, 0],
        "bar_y_px": centre[:, 1],
        "bar_velocity_x_m_s": bar.velocity_x_m_s,
        "bar_velocity_y_m_s": bar.velocity_y_m_s,
        "bar_speed_m_s": bar.speed_m_s,
        "bar_force_n": bar.force_n,
        "plate_x_px": bar.plate_px[:, 0],
        "plate_y_px": bar.plate_px[:, 1],
        "plate_radius_px": bar.plate_radius_px,
        "plate_confidence": bar.plate_confidence,
        "bar_end_x_px": bar.end_px[:, 0],
        "bar_end_y_px": bar.end_px[:, 1],
        "hands_x_px": bar.hands_px[:, 0],
        "hands_y_px": bar.hands_px[:, 1],
    }


def _pose_columns(pose: PoseTrack) -> dict[str, Floats]:
    columns: dict[str, Floats] = {}
    for k, name in enumerate(KEYPOINTS):
        columns |= {f"{name}_{axis}_px": pose.points_px[:, k, i] for i, axis in enumerate("xy")}
        columns |= {f"{name}_{axis}_m": pose.world_m[:, k, i] for i, axis in enumerate("xyz")}
        columns[f"{name}_visibility"] = pose.visibility[:, k]
    return columns


def write_trc(path: Path, tracks: Tracks, report: Report) -> None:
    """Write the 3D keypoints as OpenSim markers: metres about the hip centre, X forward, Y up, Z to the right.

    Where the facing is unknown, X is the right of the picture. A marker that was not seen is NaN: OpenSim takes that
    for missing, while it refuses a row whose last cell is blank. The rate in the header is the mean rate; the times are
    those of the frames.
    """
    times = tracks.pose.times_s
    points = world_forward_up_right(tracks.pose, report.camera)
    rate = f"{_rate_hz(times):.6f}"
    names = [_camel(name) for name in KEYPOINTS]
    axes = [f"{axis}{k}" for k in range(1, len(names) + 1) for axis in "XYZ"]
    header = (
        f"PathFileType\t4\t(X/Y/Z)\t{path.name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{len(times)}\t{len(names)}\tm\t{rate}\t1\t{len(times)}",
        "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t",
        "\t\t" + "\t".join(axes),
        "",
    )
    rows = [_trc_row(i, times[i], points[i].reshape(-1)) for i in range(len(times))]
    path.write_text("\n".join((*header, *rows)) + "\n", encoding="ascii", newline="\n")


def _trc_row(i: int, time_s: float, values: npt.NDArray[np.float64]) -> str:
    cells = ("NaN" if np.isnan(value) else f"{value:.6f}" for value in values)
    return f"{i + 1}\t{time_s:.6f}\t" + "\t".join(cells)


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def write_mot(path: Path, tracks: Tracks, report: Report) -> None:
    """Write knee, hip, elbow and trunk angles in degrees as an OpenSim motion file.

    The angles are those of `joint_angles`, 180 for a straight limb, not the coordinates of an OpenSim model: the
    columns carry names of their own so that no model takes them for its joints. OpenSim's older reader stops at the
    first missing number, so joints that were rarely seen have no column and frames with a gap have no row.
    """
    angles = _well_seen(joint_angles(tracks.pose, report.camera))
    table = np.column_stack([tracks.pose.times_s, *angles.values()])
    table = table[np.isfinite(table).all(axis=1)]
    header = (
        "Angles",
        "version=1",
        f"nRows={len(table)}",
        f"nColumns={1 + len(angles)}",
        "inDegrees=yes",
        "",
        "A straight limb is 180 degrees; the trunk is 90 when upright and more when it leans back.",
        "endheader",
        "\t".join(("time", *(f"{name}_angle" for name in angles))),
    )
    rows = ["\t".join(f"{value:.6f}" for value in row) for row in table]
    path.write_text("\n".join((*header, *rows)) + "\n", encoding="ascii", newline="\n")


def _well_seen(angles: dict[str, Floats]) -> dict[str, Floats]:
    """Return the angles seen at least half as often as the one seen most; all of them when none was seen."""
    counts = {name: int(np.isfinite(values).sum()) for name, values in angles.items()}
    return {name: values for name, values in angles.items() if 2 * counts[name] >= max(counts.values())}


def _rate_hz(times_s: Floats) -> float:
    return float((len(times_s) - 1) / (times_s[-1] - times_s[0])) if len(times_s) > 1 else 1.0
