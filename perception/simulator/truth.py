"""The exact truth of a simulated lift: bar, keypoints, instants and measures, as `truth.json` holds them."""

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ValidationError

from coach.domain.base import Record
from coach.domain.errors import DataError, InputError
from coach.domain.lift import PULL_INSTANTS, Facing, InstantName, LiftName, Outcome, View
from perception.pose import INDEX, KEYPOINTS, Floats
from perception.simulator.bar_path import GRAVITY_M_S2, BarState
from perception.simulator.body import angle_deg
from perception.simulator.camera import facing, project_each
from perception.simulator.film_truth import Line, TrueBar, TrueCamera, lines, true_bar, true_camera
from perception.simulator.filming import Film, clip_times
from perception.simulator.motion import SnatchMotion
from perception.simulator.spec import Fault, LifterSpec, LiftSpec

DENSE_HZ = 1000  # Hz, the noise-free track on which instants are found


class TrueInstant(Record):
    """An instant: seconds after the first frame, and the nearest frame."""

    time_s: float
    frame: int


class TrueAngles(Record):
    """Joint angles at an instant as seen exactly from the side: 180 = straight; trunk from horizontal, 90 = upright."""

    knee_deg: float
    hip_deg: float
    trunk_deg: float
    elbow_deg: float


class Truth(Record):
    """Everything known about one simulated clip.

    `frame_rate_hz`, `times_s` and the times of instants are the file's; `true_rate_hz` is how many frames were taken in
    a second of the lift (None: as many), and more than the file's in slow motion. Measures, speeds and forces are true.

    `keypoints_m` is (T, K, 3) in the axes of the bar (x forward from the bar at lift-off, y up from the bar's rest
    height, z to the lifter's right); `keypoints_px` is (T, K, 2).
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
    bar: TrueBar
    keypoint_names: tuple[str, ...] = KEYPOINTS
    keypoints_m: list[list[tuple[float, float, float]]]
    keypoints_px: list[list[tuple[float, float]]]


def frame_times(spec: LiftSpec, motion: SnatchMotion) -> Floats:
    """Return (T,), the time of every frame in seconds after lift-off; the clip starts `setup_s` before."""
    duration_s = spec.snatch.setup_s + motion.end_s
    return clip_times(spec, duration_s) / spec.video.slow_factor - spec.snatch.setup_s


def _first(hits: np.ndarray[tuple[int], np.dtype[np.bool_]], start: int) -> int | None:
    """Return the first true index from `start` on."""
    found = np.flatnonzero(hits[start:])
    return int(found[0]) + start if len(found) else None


def _run_before(below: np.ndarray[tuple[int], np.dtype[np.bool_]], last: int, length: int) -> int:
    """Return the index after the last run of at least `length` true values before `last`; 0 if there is none."""
    run = 0
    for i in range(last, -1, -1):
        run = run + 1 if below[i] else 0
        if run >= length:
            return i + length
    return 0


def find_instants(times_s: Floats, state: BarState, knee_deg: Floats) -> dict[InstantName, float | None]:
    """Return the time of each instant of one snatch on a dense track without noise.

    Lift-off: the bar leaves its rest. Peak velocity: largest upward speed in the lift's one rise. Start: walking back
    from there, the end of the last 40 ms in which the speed was below a tenth of the peak. Maximum height: the vertical
    speed falls through zero. Catch: having fallen faster than 0.15 m/s, the bar is slower than 0.10 m/s again; none
    when it fell faster than 2.6 m/s. End of first pull and power position: first maximum of the knee angle and the
    minimum after it. Recovered: the bar is above its apex and slower than 0.05 m/s for half a second.
    """
    y, v = state.position_m[:, 1], state.velocity_m_s[:, 1]
    speed = np.linalg.norm(state.velocity_m_s, axis=1)
    lift_off = (_first(y > 0, 0) or 1) - 1
    fall = _first((v < 0) & (y > 0.3), lift_off)
    if fall is None:
        raise ValueError("the bar never comes down")
    peak = lift_off + int(np.argmax(v[lift_off:fall]))
    start = _run_before(speed < 0.1 * v[peak], peak, 40 * DENSE_HZ // 1000)
    end_first = _first(np.diff(knee_deg) <= 0, lift_off + DENSE_HZ // 10)
    power = end_first + int(np.argmin(knee_deg[end_first:peak])) if end_first is not None and end_first < peak else None
    catch = recovered = None
    quick = _first(v < -0.15, fall)
    slow = _first(v > -0.10, quick) if quick is not None else None
    if quick is not None and slow is not None and v[quick:slow].min() > -2.6:
        catch = slow
        still = np.convolve((speed < 0.05) & (y > y[fall]), np.ones(DENSE_HZ // 2), "full")[DENSE_HZ // 2 - 1 :]
        recovered = _first(still > DENSE_HZ // 2 - 0.5, catch)
    found = (lift_off, start, end_first, power, peak, fall, catch, recovered)
    return {n: None if i is None else float(times_s[i]) for n, i in zip(PULL_INSTANTS, found, strict=True)}


class _Dense:
    """The noise-free lift at 1 kHz with its instants as indices, and the measures computed from it."""

    def __init__(self, motion: SnatchMotion) -> None:
        spec = motion.spec
        n = int((spec.snatch.setup_s + motion.end_s) * DENSE_HZ)
        self.times_s = np.arange(n) / DENSE_HZ - spec.snatch.setup_s
        self.state = motion.bar(self.times_s)
        self.points = motion.keypoints(self.times_s)
        self.mass_kg = spec.bar.mass_kg
        self.knee_rise_m = motion.knee_rise_m
        self.knee_deg = self.angle("hip", "knee", "ankle")
        self.instants = find_instants(self.times_s, self.state, self.knee_deg)
        self.at = {k: round((t - float(self.times_s[0])) * DENSE_HZ) for k, t in self.instants.items() if t is not None}
        self.x, self.y = self.state.position_m.T
        self.v = self.state.velocity_m_s[:, 1]
        rise = self.points[:, INDEX["left_shoulder"]] - self.points[:, INDEX["left_hip"]]
        self.trunk_deg = np.rad2deg(np.arctan2(rise[:, 1], rise[:, 0]))

    def angle(self, a: str, b: str, c: str) -> Floats:
        """Return (N,), the angle at `b` of the left side, as seen exactly from the side."""
        return angle_deg(*(self.points[:, INDEX[f"left_{name}"], :2] for name in (a, b, c)))

    def angles(self, name: InstantName) -> TrueAngles:
        i = self.at[name]
        return TrueAngles(
            knee_deg=round(float(self.knee_deg[i]), 2),
            hip_deg=round(float(self.angle("shoulder", "hip", "knee")[i]), 2),
            trunk_deg=round(float(self.trunk_deg[i]), 2),
            elbow_deg=round(float(self.angle("shoulder", "elbow", "hand")[i]), 2),
        )

    def middle_foot_m(self, i: int) -> float:
        return float((self.points[i, INDEX["left_heel"], 0] + self.points[i, INDEX["left_toe"], 0]) / 2)

    def _impulse(self, start: int, end: int) -> float:
        duration_s = (end - start) / DENSE_HZ
        return self.mass_kg * float(self.v[end] - self.v[start] + GRAVITY_M_S2 * duration_s)

    def speed_measures(self) -> dict[str, float]:
        lo, first, pp, peak = (self.at[k] for k in ("lift_off", "end_first_pull", "power_position", "peak_velocity"))
        slopes = np.diff(self.v[lo : peak + 1])
        turning = np.flatnonzero(slopes <= 1e-9)
        before = lo + int(turning[turning > 50][0]) if np.any(turning > 50) else first
        dip = float(self.v[before : peak + 1].min())
        mean_first, mean_second = self._impulse(lo, first), self._impulse(pp, peak)
        work = self.mass_kg * float(GRAVITY_M_S2 * (self.y[peak] - self.y[lo]) + self.v[peak] ** 2 / 2)
        whole = self._impulse(lo, peak)
        pull_s = (peak - lo) / DENSE_HZ
        force = self.mass_kg * (GRAVITY_M_S2 + self.state.acceleration_m_s2[lo : peak + 1, 1])
        return {
            "bar_peak_velocity_m_s": float(self.v[peak]),
            "bar_first_pull_peak_velocity_m_s": float(self.v[before]),
            "transition_velocity_loss_ratio": max(0.0, 1 - dip / float(self.v[before])),
            "time_start_to_peak_s": (peak - self.at["start"]) / DENSE_HZ,
            "bar_work_j": work,
            "bar_mean_power_w": work / pull_s,
            "bar_impulse_n_s": whole,
            "bar_mean_force_n": whole / pull_s,
            "bar_impulse_first_pull_n_s": mean_first,
            "bar_mean_force_first_pull_n": mean_first * DENSE_HZ / (first - lo),
            "bar_impulse_second_pull_n_s": mean_second,
            "bar_mean_force_second_pull_n": mean_second * DENSE_HZ / (peak - pp),
            "bar_peak_force_n": float(force.max()),
            "free_fall_gravity_m_s2": GRAVITY_M_S2,
        }

    def path_measures(self) -> dict[str, float]:
        lo, pp, peak, top = (self.at[k] for k in ("lift_off", "power_position", "peak_velocity", "max_height"))
        knee = lo + int(np.argmax(self.y[lo:] >= self.knee_rise_m))
        back = float(self.x[lo : pp + 1].min())
        end = self.at.get("catch", top)
        measures = {
            "bar_max_height_m": float(self.y[top]),
            "bar_forward_off_floor_m": float(self.x[knee] - self.x[lo]),
            "bar_toward_first_pull_m": float(self.x[lo]) - back,
            "bar_forward_loop_m": float(self.x[pp : end + 1].max()) - back,
        }
        if "catch" in self.at:
            measures |= {
                "bar_catch_height_m": float(self.y[end]),
                "bar_drop_m": float(self.y[top] - self.y[end]),
                "bar_rearward_to_catch_m": float(self.x[peak : end + 1].max() - self.x[end]),
                "bar_to_foot_catch_m": float(self.x[end]) - self.middle_foot_m(end),
                "time_peak_to_catch_s": (end - peak) / DENSE_HZ,
                "foot_jump_m": self.middle_foot_m(end) - self.middle_foot_m(lo),
            }
        return measures

    def body_measures(self) -> dict[str, float]:
        lo, pp, peak = (self.at[k] for k in ("lift_off", "power_position", "peak_velocity"))
        knee = lo + int(np.argmax(self.y[lo:] >= self.knee_rise_m))
        near = slice(peak - 80 * DENSE_HZ // 1000, peak + 80 * DENSE_HZ // 1000 + 1)
        measures = {
            "knee_angle_start_deg": float(self.knee_deg[lo]),
            "hip_angle_peak_deg": float(self.angle("shoulder", "hip", "knee")[near].max()),
            "trunk_angle_start_deg": float(self.trunk_deg[lo]),
            "trunk_angle_loss_first_pull_deg": float(self.trunk_deg[lo] - self.trunk_deg[lo : knee + 1].min()),
            "trunk_angle_peak_deg": float(self.trunk_deg[peak]),
            "elbow_bend_pull_deg": float(180 - self.angle("shoulder", "elbow", "hand")[lo : pp + 1].min()),
        }
        if "catch" in self.at:
            i = self.at["catch"]
            wrists = self.points[i, INDEX["right_wrist"], 1] - self.points[i, INDEX["left_wrist"], 1]
            measures |= {"knee_angle_catch_deg": float(self.knee_deg[i]), "left_right_wrist_height_m": float(wrists)}
        return measures


def truth_of(spec: LiftSpec, motion: SnatchMotion, file_name: str) -> Truth:
    """Return the truth of a clip of `motion` filmed as `spec` says."""
    times = frame_times(spec, motion)
    film, slow = Film(spec, motion, times), spec.video.slow_factor
    cameras = [film.camera(i) for i in range(len(times))]
    points, state, dense = motion.keypoints(times), motion.bar(times), _Dense(motion)
    rest = spec.bar.plate_diameter_m / 2
    instants: dict[InstantName, TrueInstant | None] = {}
    for name, time_s in dense.instants.items():
        nearest = int(np.argmin(abs(times - time_s))) if time_s is not None else 0
        instants[name] = (
            None if time_s is None else TrueInstant(time_s=round((time_s - times[0]) * slow, 4), frame=nearest)
        )
    measures = {**dense.speed_measures(), **dense.path_measures(), **dense.body_measures()}
    return Truth(
        seed=spec.seed,
        lift=spec.lift,
        fault=spec.snatch.fault,
        outcome=spec.snatch.outcome,
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
        instants=instants,
        measures={k: round(v, 5) + 0.0 for k, v in measures.items()},
        angles={name: dense.angles(name) for name in dense.at},
        bar=true_bar(spec, film, cameras, state),
        keypoints_m=(np.round(points - np.array([0.0, rest, 0.0]), 4) + 0.0).tolist(),
        keypoints_px=(np.round(project_each(cameras, points), 1) + 0.0).tolist(),
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
