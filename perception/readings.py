"""What the curve of the bar says of one lift, kind by kind: values before their intervals."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from coach.domain.lift import InstantName, View
from coach.domain.measures import MEASURES
from perception.bar import BarCurve
from perception.force import bar_force, effort, impulse_check
from perception.gates import why_not_from_here, why_not_level, why_not_that_body
from perception.instants import STEP_S, STILL_M_S, LiftTimes
from perception.pose import Floats
from perception.scale import Scale
from perception.timebase import TimeBase
from perception.view import Look

KNEE_RISE = 0.152  # of stature, from the rest of a 450 mm plate's centre to the knee; source: knee 0.285, Winter 2009
KNEE_RISE_SD_M = 0.02  # m, bodies differ
KNEE_SD_S = 0.04  # s, moment of the knee's turning points
EDGE_SD_FRAMES = 0.4  # frames, moment of an edge of a phase, where force still acts
PAUSE_SD_S = 0.008  # s, how long the bar stands in the dip; from simulated lifts
TOP_SD_S = 0.03  # s, when a bar that comes to rest has reached the top
PULLS: tuple[tuple[str, InstantName, InstantName], ...] = (
    ("first_pull", "lift_off", "end_first_pull"),
    ("second_pull", "power_position", "peak_velocity"),
)
SHORTEST_EFFORT_S = 0.05  # s, in less nothing is worked
TRANSITION_SHARE = 0.02  # smallest dip of speed that is a transition, of the first-pull speed


@dataclass(frozen=True, slots=True)
class Reading:
    """A value before its interval.

    Attributes:
        time_s: When it was read; None when it belongs to no moment.
        lever_m: Travel in height over which a camera roll spoils it.
        own_sd: What the definition itself leaves open, in the unit of the value.
    """

    value: float
    time_s: float | None = None
    lever_m: float = 0.0
    own_sd: float = 0.0


@dataclass(frozen=True, slots=True)
class Context:
    """What measures of one lift depend on besides the curves.

    Attributes:
        bar_mass_kg: None when not told.
        look: Where the camera stands.
        roll_sd_deg: How well it is known whether the camera is level.
        spoiled: Why nothing that depends on places in the picture may be said; None where it may.
        clock: What the clip's clock is worth; None where nothing was asked of it.
    """

    scale: Scale
    look: Look
    stature_m: float
    bar_mass_kg: float | None
    frame_rate_hz: float
    roll_sd_deg: float = 0.35
    spoiled: str | None = None
    clock: TimeBase | None = None

    @property
    def view(self) -> View:
        """Where the camera stands, by name."""
        return self.look.view

    def why_not(self, name: str) -> str | None:
        """Return why a measure may not be taken from this clip at all: view, tilt, motion or clock; None where it may."""
        info = MEASURES[name]
        if self.view not in info.views and self.view != "unknown":
            return f"cannot be judged from the {self.view}; film from the {info.views[0]}"
        clock = None if self.clock is None else self.clock.why_not(info.unit)
        spoiled = self.spoiled if info.unit not in ("s", "1") else None
        told = why_not_that_body(name, self.scale.body_off)
        return spoiled or clock or why_not_from_here(name, self.look) or why_not_level(name, self.roll_sd_deg) or told


def read_bar(curve: BarCurve, lift: LiftTimes, context: Context) -> dict[str, Reading]:
    """Return every measure that the bar curve holds, by id; what does not exist in this lift is absent."""
    if lift.kind == "squat":
        return _read_squat(curve, lift, context)
    if lift.kind == "jerk":
        return _read_jerk(curve, lift, context)
    if lift.kind == "deadlift":
        return _read_deadlift(curve, lift, context)
    return _read_pull(curve, lift, context)


def beginning(lift: LiftTimes) -> float:
    """Return when the bar first moves in this lift, in seconds."""
    return min(lift.times_s.values())


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """The bar from the beginning of a lift, on the fine grid: N times, height above rest, forward, upward speed."""

    t: Floats
    y: Floats
    x: Floats
    v: Floats

    def at(self, time_s: float) -> tuple[float, float, float]:
        """Return height, forward and upward speed at a time."""
        y, x, v = (float(np.interp(time_s, self.t, z)) for z in (self.y, self.x, self.v))
        return y, x, v


def _path(curve: BarCurve, lift: LiftTimes, end_s: float) -> _Path:
    t = np.arange(beginning(lift), end_s + STEP_S / 2, STEP_S)
    x = curve.x.value(t)
    return _Path(t, curve.y.value(t) - lift.rest_m, x - x[0], curve.y.rate(t))


def _read_pull(curve: BarCurve, lift: LiftTimes, context: Context) -> dict[str, Reading]:
    at = lift.times_s
    path = _path(curve, lift, at.get("catch", at["max_height"]))
    out = _read_top(path, at)
    if "lift_off" in at:
        out |= _read_first_pull(path, at, context, has_catch="catch" in at)
    if "catch" in at:
        out |= _read_catch(path, at)
        out |= _read_rearward(path, at)
    return out | _read_effort(curve, beginning(lift), at["peak_velocity"], context) | _read_phases(curve, at, context)


def _read_top(path: _Path, at: Mapping[InstantName, float]) -> dict[str, Reading]:
    """Return speed and height at the top; heights are over the start, so without one there are none."""
    peak, top = at["peak_velocity"], at["max_height"]
    out = {"bar_peak_velocity_m_s": Reading(path.at(peak)[2], peak)}
    if "start" in at:
        out["bar_max_height_m"] = Reading(path.at(top)[0], top)
        out["time_start_to_peak_s"] = Reading(peak - at["start"], peak)
    return out


def _read_jerk(curve: BarCurve, lift: LiftTimes, context: Context) -> dict[str, Reading]:
    at = lift.times_s
    path = _path(curve, lift, at.get("catch", at["max_height"]))
    out = _read_top(path, at)
    if "dip_start" in at and "dip_bottom" in at:
        out |= _read_dip(path, at)
        pause_s = _pause_s(path, at)
        out["dip_pause_s"] = Reading(pause_s, at["dip_bottom"], own_sd=PAUSE_SD_S)
        bottom, drive = path.at(at["dip_bottom"]), path.at(at["peak_velocity"])
        start = path.at(at["dip_start"])
        out["drive_time_s"] = Reading(at["peak_velocity"] - at["dip_bottom"], at["peak_velocity"])
        out["bar_forward_dip_m"] = Reading(bottom[1] - start[1], at["dip_bottom"], abs(bottom[0] - start[0]))
        out["bar_forward_drive_m"] = Reading(drive[1] - bottom[1], at["peak_velocity"], abs(drive[0] - bottom[0]))
        out |= _read_effort(curve, at["dip_bottom"], at["peak_velocity"], context)
    if "catch" in at:
        out |= _read_catch(path, at)
    return out


def _read_dip(path: _Path, at: Mapping[InstantName, float]) -> dict[str, Reading]:
    start, bottom = at["dip_start"], at["dip_bottom"]
    down = (path.t >= start) & (path.t <= bottom)
    fastest = int(np.argmin(np.where(down, path.v, np.inf)))
    return {
        "dip_depth_m": Reading(path.at(start)[0] - path.at(bottom)[0], bottom),
        "dip_peak_velocity_m_s": Reading(float(-path.v[fastest]), float(path.t[fastest])),
    }


def _pause_s(path: _Path, at: Mapping[InstantName, float]) -> float:
    """Return how long the bar is slower than STILL_M_S between its fastest way down and its fastest way up, in s."""
    down = (path.t >= at["dip_start"]) & (path.t <= at["dip_bottom"])
    fastest_s = float(path.t[np.argmin(np.where(down, path.v, np.inf))])
    turning = (path.t >= fastest_s) & (path.t <= at["peak_velocity"])
    return float((np.abs(path.v[turning]) < STILL_M_S).sum()) * STEP_S


def _read_squat(curve: BarCurve, lift: LiftTimes, context: Context) -> dict[str, Reading]:
    at = lift.times_s
    path = _path(curve, lift, at["max_height"])
    out = _read_top(path, at)
    out.pop("bar_max_height_m", None)
    if "dip_start" in at and "dip_bottom" in at:
        out |= _read_dip(path, at)
    if "dip_bottom" in at:
        out |= _read_rise(path, at["dip_bottom"], at["max_height"])
        out |= _read_effort(curve, at["dip_bottom"], at["max_height"], context)
    return out


def _read_deadlift(curve: BarCurve, lift: LiftTimes, context: Context) -> dict[str, Reading]:
    at = lift.times_s
    path = _path(curve, lift, at["max_height"])
    off_floor = _read_off_floor(path, at, context) if "lift_off" in at else {}
    if "start" not in at:
        return _read_top(path, at)
    begin, top = beginning(lift), at["max_height"]
    return _read_top(path, at) | off_floor | _read_rise(path, begin, top) | _read_effort(curve, begin, top, context)


def _read_rise(path: _Path, low_s: float, top_s: float) -> dict[str, Reading]:
    """Return the rise and its mean speed; when a slow bar has arrived is known to TOP_SD_S only."""
    rise, span_s = path.at(top_s)[0] - path.at(low_s)[0], top_s - low_s
    mean = rise / span_s
    return {
        "bar_rise_m": Reading(rise, top_s),
        "bar_mean_velocity_m_s": Reading(mean, top_s, own_sd=mean * TOP_SD_S / span_s),
    }


def _read_first_pull(
    path: _Path, at: Mapping[InstantName, float], context: Context, *, has_catch: bool
) -> dict[str, Reading]:
    t, y, x, v = path.t, path.y, path.x, path.v
    out = _read_off_floor(path, at, context)
    middle = max(at.get("power_position", at["peak_velocity"]), float(t[0]))
    before = t <= middle
    back = int(np.argmin(x[before]))
    out["bar_toward_first_pull_m"] = Reading(float(-x[back]), float(t[back]), float(y[back]))
    if has_catch:
        after = np.flatnonzero(t >= middle)
        front = int(after[np.argmax(x[after])])
        out["bar_forward_loop_m"] = Reading(float(x[front] - x[back]), float(t[front]), float(y[front] - y[back]))
    dip = _transition(t, v, at["peak_velocity"])
    if dip is not None:
        first, low = dip
        out["bar_first_pull_peak_velocity_m_s"] = Reading(float(v[first]), float(t[first]))
        out["transition_velocity_loss_ratio"] = Reading(float((v[first] - v[low]) / v[first]), float(t[low]))
    return out


def _read_off_floor(path: _Path, at: Mapping[InstantName, float], context: Context) -> dict[str, Reading]:
    pull = path.t <= max(at["peak_velocity"], at["max_height"])
    knee_m = KNEE_RISE * context.stature_m
    above = np.flatnonzero(pull & (path.y >= knee_m))
    if not len(above):
        return {}
    k = int(above[0])
    around = np.abs(path.y[:k] - knee_m) <= KNEE_RISE_SD_M
    own_sd = float(np.ptp(path.x[:k][around])) / 2 if around.any() else 0.0
    return {"bar_forward_off_floor_m": Reading(float(path.x[k]), float(path.t[k]), knee_m, own_sd)}


def _transition(t: Floats, v: Floats, peak_s: float) -> tuple[int, int] | None:
    """Return the indices of the first-pull peak and of the dip after it, or None when speed only rises."""
    last = int(np.searchsorted(t, peak_s))
    before = v[:last]
    tops = np.flatnonzero((before[1:-1] >= before[:-2]) & (before[1:-1] > before[2:])) + 1
    best: tuple[int, int] | None = None
    for top in tops:
        if v[top] < 0.3 * v[min(last, len(v) - 1)]:
            continue
        low = int(top + np.argmin(v[top:last]))
        if v[top] - v[low] > TRANSITION_SHARE * v[top] and (best is None or v[top] - v[low] > v[best[0]] - v[best[1]]):
            best = (int(top), low)
    return best


def _read_catch(path: _Path, at: Mapping[InstantName, float]) -> dict[str, Reading]:
    apex, catch = path.at(at["max_height"])[0], path.at(at["catch"])[0]
    height = {"bar_catch_height_m": Reading(catch, at["catch"])} if "start" in at else {}
    return height | {
        "bar_drop_m": Reading(max(apex - catch, 0.0), at["catch"]),
        "time_peak_to_catch_s": Reading(at["catch"] - at["peak_velocity"], at["catch"]),
    }


def _read_rearward(path: _Path, at: Mapping[InstantName, float]) -> dict[str, Reading]:
    late = np.flatnonzero(path.t >= at["peak_velocity"])
    front = int(late[np.argmax(path.x[late])])
    back_m, lever_m = float(path.x[front] - path.x[-1]), float(abs(path.y[front] - path.y[-1]))
    return {"bar_rearward_to_catch_m": Reading(back_m, at["catch"], lever_m)}


def _read_effort(curve: BarCurve, start_s: float, end_s: float, context: Context) -> dict[str, Reading]:
    """Return work, power, mean and peak force and impulse on the bar between two times.

    An edge is known to a fraction of a frame, a lift-off better than that; what acts there goes into the error.
    """
    if end_s - start_s < SHORTEST_EFFORT_S:
        return {}
    out = {"impulse_check_ratio": Reading(impulse_check(curve, curve_times(curve, context), start_s, end_s), end_s)}
    mass = context.bar_mass_kg
    if mass is None:
        return out
    whole = effort(curve, start_s, end_s, mass)
    edges = np.array([start_s, end_s])
    power_w = np.abs(bar_force(curve, edges, mass) * curve.y.rate(edges))
    span_s, edge_s = end_s - start_s, EDGE_SD_FRAMES / context.frame_rate_hz
    out["bar_work_j"] = Reading(whole.work_j, end_s, own_sd=float(np.linalg.norm(power_w)) * edge_s)
    slack_w = float(np.linalg.norm(power_w - whole.mean_power_w))
    out["bar_mean_power_w"] = Reading(whole.mean_power_w, end_s, own_sd=slack_w * edge_s / span_s)
    out["bar_mean_force_n"] = Reading(whole.mean_force_n, end_s)
    out["bar_impulse_n_s"] = Reading(whole.impulse_n_s, end_s)
    t = np.arange(start_s, end_s, STEP_S)
    force = bar_force(curve, t, mass)
    peak = int(np.argmax(force))
    out["bar_peak_force_n"] = Reading(float(force[peak]), float(t[peak]))
    return out


def _read_phases(curve: BarCurve, at: Mapping[InstantName, float], context: Context) -> dict[str, Reading]:
    out: dict[str, Reading] = {}
    for name, first, last in PULLS:
        if context.bar_mass_kg is not None and first in at and last in at and at[last] - at[first] > 0.03:
            out |= _read_phase(curve, name, at[first], at[last], context.bar_mass_kg)
    return out


def _read_phase(curve: BarCurve, name: str, start_s: float, end_s: float, mass_kg: float) -> dict[str, Reading]:
    """Return mean force and impulse of one phase; where the knee turns is known to KNEE_SD_S only."""
    part = effort(curve, start_s, end_s, mass_kg)
    edges = bar_force(curve, np.array([start_s, end_s]), mass_kg)
    knee = float(edges[1] if name == "first_pull" else edges[0])
    return {
        f"bar_mean_force_{name}_n": Reading(
            part.mean_force_n, end_s, own_sd=abs(knee - part.mean_force_n) * KNEE_SD_S / (end_s - start_s)
        ),
        f"bar_impulse_{name}_n_s": Reading(part.impulse_n_s, end_s, own_sd=knee * KNEE_SD_S),
    }


def curve_times(curve: BarCurve, context: Context) -> Floats:
    """Return frame times over the curve at the clip's nominal rate."""
    return np.arange(curve.y.start_s, curve.y.end_s, 1 / context.frame_rate_hz)
