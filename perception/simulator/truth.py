"""The exact truth of a simulated lift: bar, keypoints, instants and measures, as `truth.json` holds them."""

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ValidationError

from coach.domain.base import Record
from coach.domain.errors import DataError, InputError
from coach.domain.lift import Facing, InstantName, LiftName, Outcome, View
from perception.pose import KEYPOINTS, Floats
from perception.simulator.camera import facing, project_each
from perception.simulator.film_truth import Line, TrueBar, TrueCamera, lines, true_bar, true_camera
from perception.simulator.filming import Film, clip_times
from perception.simulator.simulation import Motion
from perception.simulator.spec import LifterSpec, LiftSpec
from perception.simulator.technique import Fault
from perception.simulator.true_lift import Dense, TrueAngles, TrueInstant, true_lift
from perception.simulator.true_lift import TrueLift as TrueLift


class Truth(Record):
    """Everything known about one simulated clip.

    `frame_rate_hz`, `times_s` and the times of instants are the file's; `true_rate_hz` is how many frames were taken in
    a second of the lift (None: as many), and more than the file's in slow motion. Measures, speeds and forces are true.

    `lift`, `fault`, `outcome`, `instants`, `measures` and `angles` are those of the first of `lifts`.

    `keypoints_m` is (T, K, 3) in the axes of the bar (x forward from the bar at lift-off, y up from the bar's rest
    height, z to the lifter's right); `keypoints_px` is (T, K, 2). `com_m` (T, 2) is the centre of mass of the body
    alone, forward and up in the same axes. `ground_force_n` (T,) is the vertical force of the floor under the feet: body
    and what the hands carry. `hands_on_bar` (T,) is true from the grip until the bar is let go.
    """

    schema_version: Literal[1] = 1
    seed: int
    lift: LiftName
    fault: Fault | None
    outcome: Outcome
    view: View
    facing: Facing
    file_name: str
    width_px: int
    height_px: int
    frame_rate_hz: float
    times_s: Line
    true_rate_hz: float | None = None
    is_variable_rate: bool = False
    lifter: LifterSpec
    bar_mass_kg: float
    plate_diameter_m: float
    bar_rest_height_m: float
    camera: TrueCamera
    instants: dict[InstantName, TrueInstant | None]
    measures: dict[str, float]
    angles: dict[InstantName, TrueAngles]
    lifts: tuple[TrueLift, ...] = ()
    bar: TrueBar
    keypoint_names: tuple[str, ...] = KEYPOINTS
    keypoints_m: list[list[tuple[float, float, float]]]
    keypoints_px: list[list[tuple[float, float]]]
    com_m: tuple[tuple[float, float], ...] = ()
    ground_force_n: tuple[float, ...] = ()
    hands_on_bar: tuple[bool, ...] = ()


def frame_times(spec: LiftSpec, motion: Motion) -> Floats:
    """Return (T,), the time of every frame in seconds after the first lift-off; the clip starts before."""
    return clip_times(spec, motion.end_s - motion.start_s) / spec.video.slow_factor + motion.start_s


def truth_of(spec: LiftSpec, motion: Motion, file_name: str) -> Truth:
    """Return the truth of a clip of `motion` filmed as `spec` says."""
    times = frame_times(spec, motion)
    film, slow = Film(spec, motion, times), spec.video.slow_factor
    cameras = [film.camera(i) for i in range(len(times))]
    points, state, dense = motion.keypoints(times), motion.bar(times), Dense(spec, motion)
    rest = spec.bar.plate_diameter_m / 2
    lifts = tuple(true_lift(dense, plan, times, slow) for plan in motion.lifts)
    first = lifts[0]
    com = np.column_stack([dense.at(times, axis) for axis in dense.com_m.T]) - np.array([0.0, rest])
    release = np.inf if motion.release_s is None else motion.release_s
    return Truth(
        seed=spec.seed,
        lift=first.lift,
        fault=first.fault,
        outcome=first.outcome,
        view=spec.camera.view,
        facing=facing(spec.camera),
        file_name=file_name,
        width_px=spec.video.width_px,
        height_px=spec.video.height_px,
        frame_rate_hz=float(spec.video.frame_rate_hz),
        times_s=lines((times - times[0]) * slow, 6),
        true_rate_hz=float(spec.video.frame_rate_hz) * slow,
        is_variable_rate=spec.video.timing in ("jittered", "dropped"),
        lifter=spec.lifter,
        bar_mass_kg=spec.bar.mass_kg,
        plate_diameter_m=spec.bar.plate_diameter_m,
        bar_rest_height_m=rest,
        camera=true_camera(spec, film, cameras),
        instants=first.instants,
        measures={k: v for k, v in first.measures.items() if not k.startswith("ground_force")},
        angles=first.angles,
        lifts=lifts,
        bar=true_bar(spec, film, cameras, state),
        keypoints_m=(np.round(points - np.array([0.0, rest, 0.0]), 4) + 0.0).tolist(),
        keypoints_px=(np.round(project_each(cameras, points), 1) + 0.0).tolist(),
        com_m=tuple((x, y) for x, y in (np.round(com, 5) + 0.0).tolist()),
        ground_force_n=tuple(lines(dense.at(times, dense.ground_n), 1)),
        hands_on_bar=tuple(bool(on) for on in (times >= motion.gripped_s) & (times < release)),
    )


def read_truth(path: Path) -> Truth:
    """Read a `truth.json`.

    Raises:
        InputError: There is no such file.
        DataError: It is not a truth of this schema.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as problem:
        raise InputError(f"no file {path}: make simulated lifts with `coach simulate`") from problem
    try:
        return Truth.model_validate_json(text)
    except ValidationError as problem:
        raise DataError(f"{path}: not a truth of a simulated lift ({problem.error_count()} problems)") from problem
