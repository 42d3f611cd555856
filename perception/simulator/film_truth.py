"""The bar and the camera of a simulated lift in every frame, as `truth.json` holds them."""

from collections.abc import Sequence

import numpy as np

from coach.domain.base import Record
from perception.pose import Floats
from perception.simulator.bar_path import GRAVITY_M_S2, BarState
from perception.simulator.camera import Camera, angles_deg, azimuth_deg, project_each
from perception.simulator.filming import Film
from perception.simulator.mannequin import SLEEVE_END_M, bend_m, plate_face_m
from perception.simulator.spec import LiftSpec, LookSpec
from perception.simulator.surroundings import Room, wall_away_m

Line = list[float]
Pixels = tuple[tuple[float, float], ...]


class TrueBar(Record):
    """The bar in every frame: forward from lift-off and up from its rest, and the force that its motion needs.

    `x_m` to `force_n` are those of the hands' bar; `force_n` is m (g + a): the weight at rest, nothing in free fall;
    the blows of the bounces are left out. `plate_y_m` is the height of the discs, which differs when the bar bends.
    `plate_px` and `plate_radius_px` (half the height of its picture) are of the outer face of the near plate, the left
    one from in front and behind; `left_end_px` and `right_end_px` of the athlete's left and right ends of the bar.
    """

    x_m: Line
    y_m: Line
    velocity_x_m_s: Line
    velocity_y_m_s: Line
    force_n: Line
    plate_px: list[tuple[float, float]]
    plate_radius_px: Line
    plate_y_m: tuple[float, ...] = ()
    left_end_px: Pixels = ()
    right_end_px: Pixels = ()


class TrueFilm(Record):
    """A camera that moves or is cut, in every frame.

    Attributes:
        shot: 0 for the camera of the clip, 1 and more for that of a cut.
        heading_deg: Where the camera stands around the athlete by the way it looks, as `azimuth_deg`.
        pitch_deg, roll_deg: As in `TrueCamera`.
        focal_px: Focal length.
        position_m: Place, in the axes of the keypoints but up from the floor.
        marks_px: Where four points of the wall and two of the floor are seen; all None while another camera films.
    """

    shot: list[int]
    heading_deg: Line
    pitch_deg: Line
    roll_deg: Line
    focal_px: Line
    position_m: list[tuple[float, float, float]]
    marks_px: list[list[tuple[float, float]] | None]


class TrueCamera(Record):
    """Where the camera stood before it moved; `m_per_px` holds at the outer face of the near plate at rest.

    `azimuth_deg` is 0 in front of the athlete, 90 at the right, -90 at the left and 180 behind. `pitch_deg` is above 0
    for a look up, `roll_deg` for a camera turned clockwise as its holder sees it: the picture then leans to the left.
    `cuts` are the first frames after a cut; `film` is there when the camera moves or is cut.
    """

    distance_m: float
    height_m: float
    yaw_deg: float
    focal_px: float
    m_per_px: float
    exposure_s: float
    azimuth_deg: float | None = None
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    is_moving: bool = False
    cuts: tuple[int, ...] = ()
    film: TrueFilm | None = None


def lines(values: Floats, decimals: int) -> Line:
    """Return rounded numbers; none of them is -0."""
    return [float(v) for v in np.round(values, decimals) + 0.0]


def _outer_m(spec: LiftSpec, state: BarState, offset_m: Floats, out_m: float, sign: float) -> Floats:
    """Return (T, 3), a point `out_m` along the bent bar to the athlete's left (-1) or right (+1), up from the floor."""
    x, y = state.position_m.T
    height = y + spec.bar.plate_diameter_m / 2 + np.array([float(bend_m(spec.bar, d, out_m)) for d in offset_m])
    return np.column_stack([x, height, np.full(len(x), sign * out_m)])


def _near_plate(spec: LiftSpec, cameras: Sequence[Camera], state: BarState, offset_m: Floats) -> tuple[Floats, Floats]:
    """Return centre (T, 2) and radius (T,) in pixels of the outer disc nearer to the camera; from in front, the left."""
    sign = 1.0 if spec.camera.view in ("side", "oblique") and spec.camera.athlete_side == "right" else -1.0
    centre = _outer_m(spec, state, offset_m, plate_face_m(spec.bar), sign)
    size = [c.focal_px * spec.bar.plate_diameter_m / 2 / c.depth_m(p) for c, p in zip(cameras, centre, strict=True)]
    return project_each(cameras, centre), np.array(size)


def _pairs(points: Floats) -> list[tuple[float, float]]:
    return [(a, b) for a, b in np.round(points, 2).tolist()]


def true_bar(spec: LiftSpec, film: Film, cameras: Sequence[Camera], state: BarState) -> TrueBar:
    """Return the bar; `cameras` are those of the frames, `state` the hands' bar in them."""
    offset = film.offsets_m(film.times_s)
    plate, radius = _near_plate(spec, cameras, state, offset)
    ends = [project_each(cameras, _outer_m(spec, state, offset, SLEEVE_END_M, sign)) for sign in (-1.0, 1.0)]
    return TrueBar(
        x_m=lines(state.position_m[:, 0], 5),
        y_m=lines(state.position_m[:, 1], 5),
        velocity_x_m_s=lines(state.velocity_m_s[:, 0], 4),
        velocity_y_m_s=lines(state.velocity_m_s[:, 1], 4),
        force_n=lines(spec.bar.mass_kg * (GRAVITY_M_S2 + state.acceleration_m_s2[:, 1]), 1),
        plate_px=_pairs(plate),
        plate_radius_px=lines(radius, 3),
        plate_y_m=tuple(lines(state.position_m[:, 1] + offset, 5)),
        left_end_px=tuple(_pairs(ends[0])),
        right_end_px=tuple(_pairs(ends[1])),
    )


WALL_MARKS_M = ((-1.2, 0.4), (1.2, 0.4), (-1.2, 1.9), (1.2, 1.9))  # m, right of the lifter and up, on the wall
FLOOR_MARKS_M = ((-0.9, 0.8), (0.9, 0.8))  # m, right of the lifter and behind, on the floor


def marks_m(look: LookSpec, camera: Camera) -> Floats:
    """Return (6, 3), points of the room of a camera whose pixels tell how the background moves."""
    room, away = Room(camera), wall_away_m(look)
    return np.array([room.at(r, away, u) for r, u in WALL_MARKS_M] + [room.at(r, a, 0.0) for r, a in FLOOR_MARKS_M])


def _true_film(film: Film, cameras: Sequence[Camera]) -> TrueFilm:
    marks = marks_m(film.spec.look, film.still_camera(0))
    angles = np.array([angles_deg(camera) for camera in cameras])
    return TrueFilm(
        shot=film.shots.tolist(),
        heading_deg=lines(angles[:, 0], 4),
        pitch_deg=lines(angles[:, 1], 4),
        roll_deg=lines(angles[:, 2], 4),
        focal_px=lines(np.array([camera.focal_px for camera in cameras]), 3),
        position_m=[(x, y, z) for x, y, z in (np.round([c.position_m for c in cameras], 5) + 0.0).tolist()],
        marks_px=[
            _pairs(camera.project(marks)) if shot == 0 else None
            for camera, shot in zip(cameras, film.shots.tolist(), strict=True)
        ],
    )


def true_camera(spec: LiftSpec, film: Film, cameras: Sequence[Camera]) -> TrueCamera:
    """Return where the camera stood, and how it moved if it did; `cameras` are those of the frames."""
    rest = BarState(np.zeros((1, 2)), np.zeros((1, 2)), np.zeros((1, 2)))
    _, radius = _near_plate(spec, [film.still_camera(0)], rest, np.zeros(1))
    return TrueCamera(
        distance_m=spec.camera.distance_m,
        height_m=spec.camera.height_m,
        yaw_deg=spec.camera.yaw_deg,
        focal_px=spec.camera.focal_px,
        m_per_px=spec.bar.plate_diameter_m / 2 / float(radius[0]),
        exposure_s=spec.video.exposure_s,
        azimuth_deg=azimuth_deg(spec.camera),
        pitch_deg=spec.camera.pitch_deg,
        roll_deg=spec.camera.roll_deg,
        is_moving=film.is_moving,
        cuts=film.cuts,
        film=_true_film(film, cameras) if film.is_moving or film.cuts else None,
    )
