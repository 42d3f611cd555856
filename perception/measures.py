"""Measures of one lift from the bar curve and the athlete's angles, each with a 90 % interval."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from coach.domain.lift import InstantName, View
from coach.domain.measures import MEASURES, Measure, Source
from perception.bar import BarCurve, BarSamples, fit_curve
from perception.force import bar_force, effort, impulse_check
from perception.instants import STEP_S, LiftTimes
from perception.kinematics import ANGLE_SD_DEG, Angles
from perception.lifts import relocate
from perception.pose import Floats
from perception.scale import Scale
from perception.smoothing import residual_gain

Z90 = 1.645  # half width of a 90 % normal interval over its SD
N_DRAWS = 16  # repeats of the whole bar analysis with fresh noise
CORRECTED = {
    "bar_peak_velocity_m_s",
    "bar_first_pull_peak_velocity_m_s",
    "bar_peak_force_n",
}  # smoothing and noise shift peaks
LARGEST_CORRECTION = 0.04  # of the value: a larger shift means that the track is bad, not that the peak is lower
KNEE_RISE = 0.152  # of stature, from the rest of a 450 mm plate's centre to the knee; source: knee 0.285, Winter 2009
KNEE_RISE_SD_M = 0.02  # m, bodies differ
KNEE_SD_S = 0.04  # s, moment of the knee's turning points
PEAK_SD_FRAMES = 0.4  # frames, moment of peak speed, where speed is flat but energy still grows
PULLS: tuple[tuple[str, InstantName, InstantName], ...] = (
    ("first_pull", "lift_off", "end_first_pull"),
    ("second_pull", "power_position", "peak_velocity"),
)
EDGE_SD_S = 0.015  # s, when a lift-off or a knee's turning point is, beyond what noise explains
ROLL_SD_RAD = 0.006  # rad, a phone on a tripod; a tilted camera turns height into forward travel
TRANSITION_SHARE = 0.02  # smallest dip of speed that is a transition, of the first-pull speed
MIN_RATE_PEAK_FORCE_HZ = 48.0  # Hz, below this acceleration peaks are cut off
LARGEST_FORCE_SD = 0.12  # of the bar's weight, above this a peak force says nothing
LARGEST_SD = {"m/s": 0.15, "m": 0.05, "s": 0.12}  # noise above this leaves nothing worth saying


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
    """

    scale: Scale
    view: View
    stature_m: float
    bar_mass_kg: float | None
    frame_rate_hz: float


def read_bar(curve: BarCurve, lift: LiftTimes, context: Context) -> dict[str, Reading]:
    """Return every measure that the bar curve holds, by id; what does not exist in this lift is absent."""
    at = lift.times_s
    end = at.get("catch", at["max_height"])
    t = np.arange(at["lift_off"], end + STEP_S / 2, STEP_S)
    y, x, v = curve.y.value(t) - lift.rest_m, curve.x.value(t), curve.y.rate(t)
    x = x - x[0]
    out = {
        "bar_peak_velocity_m_s": Reading(float(np.interp(at["peak_velocity"], t, v)), at["peak_velocity"]),
        "bar_max_height_m": Reading(float(np.interp(at["max_height"], t, y)), at["max_height"]),
        "time_start_to_peak_s": Reading(at["peak_velocity"] - at["start"], at["peak_velocity"]),
    }
    out |= _read_first_pull(t, y, x, v, at, context)
    if "catch" in at:
        out |= _read_catch(t, y, x, at)
    out |= _read_effort(curve, at, context)
    return out


def _read_first_pull(
    t: Floats, y: Floats, x: Floats, v: Floats, at: Mapping[InstantName, float], context: Context
) -> dict[str, Reading]:
    out: dict[str, Reading] = {}
    pull = t <= at["peak_velocity"]
    knee_m = KNEE_RISE * context.stature_m
    above = np.flatnonzero(pull & (y >= knee_m))
    if len(above):
        k = int(above[0])
        around = np.abs(y[pull] - knee_m) <= KNEE_RISE_SD_M
        own_sd = float(np.ptp(x[pull][around])) / 2 if around.any() else 0.0
        out["bar_forward_off_floor_m"] = Reading(float(x[k]), float(t[k]), knee_m, own_sd)
    middle = max(at.get("power_position", at["peak_velocity"]), float(t[0]))
    before = t <= middle
    back = int(np.argmin(x[before]))
    out["bar_toward_first_pull_m"] = Reading(float(-x[back]), float(t[back]), float(y[back]))
    if "catch" in at:
        after = np.flatnonzero(t >= middle)
        front = int(after[np.argmax(x[after])])
        out["bar_forward_loop_m"] = Reading(float(x[front] - x[back]), float(t[front]), float(y[front] - y[back]))
    dip = _transition(t, v, at["peak_velocity"])
    if dip is not None:
        first, low = dip
        out["bar_first_pull_peak_velocity_m_s"] = Reading(float(v[first]), float(t[first]))
        out["transition_velocity_loss_ratio"] = Reading(float((v[first] - v[low]) / v[first]), float(t[low]))
    return out


def _transition(t: Floats, v: Floats, peak_s: float) -> tuple[int, int] | None:
    """Return the indices of the first-pull peak and of the dip after it, or None when speed only rises."""
    last = int(np.searchsorted(t, peak_s))
    inner = v[1 : last - 1]
    tops = np.flatnonzero((inner >= v[: last - 2]) & (inner > v[2:last])) + 1
    best: tuple[int, int] | None = None
    for top in tops:
        if v[top] < 0.3 * v[min(last, len(v) - 1)]:
            continue
        low = int(top + np.argmin(v[top:last]))
        if v[top] - v[low] > TRANSITION_SHARE * v[top] and (best is None or v[top] - v[low] > v[best[0]] - v[best[1]]):
            best = (int(top), low)
    return best


def _read_catch(t: Floats, y: Floats, x: Floats, at: Mapping[InstantName, float]) -> dict[str, Reading]:
    apex, catch = (float(np.interp(at[name], t, y)) for name in ("max_height", "catch"))
    late = np.flatnonzero(t >= at["peak_velocity"])
    front = int(late[np.argmax(x[late])])
    return {
        "bar_catch_height_m": Reading(catch, at["catch"]),
        "bar_drop_m": Reading(max(apex - catch, 0.0), at["catch"]),
        "bar_rearward_to_catch_m": Reading(float(x[front] - x[-1]), at["catch"], float(abs(y[front] - y[-1]))),
        "time_peak_to_catch_s": Reading(at["catch"] - at["peak_velocity"], at["catch"]),
    }


def _read_effort(curve: BarCurve, at: Mapping[InstantName, float], context: Context) -> dict[str, Reading]:
    out = {
        "impulse_check_ratio": Reading(
            impulse_check(curve, curve_times(curve, context), at["lift_off"], at["peak_velocity"]), at["peak_velocity"]
        )
    }
    mass = context.bar_mass_kg
    if mass is None:
        return out
    whole = effort(curve, at["lift_off"], at["peak_velocity"], mass)
    power_w = 9.81 * mass * float(curve.y.rate(np.array([at["peak_velocity"]]))[0])  # at peak speed force is the weight
    span_s, edge_s = at["peak_velocity"] - at["lift_off"], PEAK_SD_FRAMES / context.frame_rate_hz
    out["bar_work_j"] = Reading(whole.work_j, at["peak_velocity"], own_sd=power_w * edge_s)
    out["bar_mean_power_w"] = Reading(
        whole.mean_power_w, at["peak_velocity"], own_sd=abs(power_w - whole.mean_power_w) * edge_s / span_s
    )
    out["bar_mean_force_n"] = Reading(whole.mean_force_n, at["peak_velocity"])
    out["bar_impulse_n_s"] = Reading(whole.impulse_n_s, at["peak_velocity"])
    for name, first, last in PULLS:
        if first in at and last in at and at[last] - at[first] > 0.03:
            out |= _read_phase(curve, name, at[first], at[last], mass)
    t = np.arange(at["lift_off"], at["peak_velocity"], STEP_S)
    force = bar_force(curve, t, mass)
    peak = int(np.argmax(force))
    out["bar_peak_force_n"] = Reading(float(force[peak]), float(t[peak]))
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


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """What noise does to a lift: SD and shift of each reading and SD of each instant."""

    sd: dict[str, float]
    shift: dict[str, float]
    instant_sd_s: dict[InstantName, float]


def local_noise(samples: BarSamples, curve: BarCurve, start_s: float, end_s: float) -> tuple[float, float]:
    """Return the SD of a raw x and y sample about the curve between two times, in metres."""
    inside = (samples.times_s >= start_s) & (samples.times_s <= end_s) & np.isfinite(samples.y_m)
    t = samples.times_s[inside]
    if len(t) < 4:
        return curve.x.noise_sd, curve.y.noise_sd
    gain = residual_gain(samples.cutoff_hz, 1 / float(np.median(np.diff(t))))
    residuals = (samples.x_m[inside] - curve.x.value(t), samples.y_m[inside] - curve.y.value(t))
    x, y = (_spread_without_strays(r, samples.weights[inside]) / float(np.sqrt(gain)) for r in residuals)
    return x, y


def _spread_without_strays(residual: Floats, weights: Floats) -> float:
    """Return the weighted root mean square of residuals, strays beyond four robust SDs cut down to that.

    The curve hardly follows strays, so noise of their size all over would make it seem worse than it is.
    """
    limit = 4 * 1.4826 * float(np.median(np.abs(residual))) + 1e-9
    return float(np.sqrt(np.average(np.clip(residual, -limit, limit) ** 2, weights=weights)))


def spread_by_noise(
    samples: BarSamples, curve: BarCurve, lift: LiftTimes, context: Context, *, seed: int = 0
) -> Spread:
    """Repeat the bar analysis with fresh noise on the smooth curve (a parametric bootstrap).

    Noise of the size seen in this lift is added to the curve at the frames where the bar was seen; smoothing, instants
    and readings are done again. The mean shift is what smoothing and noise do to a reading (its bias).
    """
    first, last = lift.times_s["lift_off"] - 0.8, lift.times_s.get("catch", lift.times_s["max_height"]) + 0.5
    window = (samples.times_s >= first) & (samples.times_s <= last)
    t = samples.times_s[window]
    noise_x, noise_y = local_noise(samples, curve, lift.times_s["lift_off"], last)
    random = np.random.default_rng(seed)
    readings: list[dict[str, float]] = []
    instants: list[dict[InstantName, float]] = []
    for _ in range(N_DRAWS):
        jitter = random.normal(size=(2, len(t))) / np.sqrt(np.maximum(samples.weights[window], 0.02))
        x = np.where(np.isfinite(samples.x_m[window]), curve.x.value(t) + noise_x * jitter[0], np.nan)
        y = np.where(np.isfinite(samples.y_m[window]), curve.y.value(t) + noise_y * jitter[1], np.nan)
        drawn = replace(samples, times_s=t, x_m=x, y_m=y, weights=samples.weights[window])
        again = fit_curve(drawn, 0, len(t), robust=False)
        found = relocate(again, lift, context.stature_m)
        if found is not None:
            instants.append(found.times_s)
            readings.append({k: r.value for k, r in read_bar(again, found, context).items()})
    return _summarise(readings, instants, {k: r.value for k, r in read_bar(curve, lift, context).items()})


def _summarise(
    readings: list[dict[str, float]], instants: list[dict[InstantName, float]], base: dict[str, float]
) -> Spread:
    sd: dict[str, float] = {}
    shift: dict[str, float] = {}
    for name, value in base.items():
        drawn = np.array([r[name] for r in readings if name in r])
        if len(drawn) >= N_DRAWS // 2:
            sd[name], shift[name] = float(np.std(drawn, ddof=1)), float(np.mean(drawn) - value)
    names = {name for drawn in instants for name in drawn}
    spread = {n: np.array([d[n] for d in instants if n in d]) for n in names}
    return Spread(sd, shift, {n: float(np.std(z, ddof=1)) for n, z in spread.items() if len(z) > 2})


def bar_measures(
    readings: Mapping[str, Reading], spread: Spread, context: Context, source: Source, times_s: Floats
) -> tuple[dict[str, Measure], dict[str, str]]:
    """Return measures with intervals, and reasons for what was read but may not be said.

    The SD adds noise, half the bias that smoothing leaves, scale (in proportion to lengths, speeds, forces above
    weight) and camera roll (horizontal travel over a rise).
    """
    measures: dict[str, Measure] = {}
    reasons: dict[str, str] = {}
    for name, reading in readings.items():
        reason = _why_not(name, spread, context, source)
        if reason is not None:
            reasons[name] = reason
            continue
        shift = spread.shift[name]
        most = LARGEST_CORRECTION * abs(reading.value)
        value = reading.value - (float(np.clip(shift, -most, most)) if name in CORRECTED else 0.0)
        sd = float(
            np.sqrt(
                spread.sd[name] ** 2
                + (0.5 * shift) ** 2
                + (_scale_power(name) * context.scale.bar_relative_sd * value if context.scale.is_known else 0.0) ** 2
                + (ROLL_SD_RAD * reading.lever_m) ** 2
                + reading.own_sd**2
                + _floor_sd(name, context) ** 2
            )
        )
        measures[name] = make_measure(name, value, sd, source, reading.time_s, times_s)
    return measures, reasons


def _why_not(name: str, spread: Spread, context: Context, source: Source) -> str | None:
    info = MEASURES[name]
    if context.view not in info.views and context.view != "unknown":
        return f"cannot be judged from the {context.view}; film from the {info.views[0]}"
    if not context.scale.is_known and info.unit not in ("s", "1"):
        return "no scale: neither a plate seen from the side nor the athlete's height (--height) was there"
    if name not in spread.sd or spread.sd[name] > LARGEST_SD.get(info.unit, np.inf):
        return "the bar was lost or too unsteady at this moment"
    if name == "bar_peak_force_n":
        return _why_no_peak_force(spread, context, source)
    return None


def _why_no_peak_force(spread: Spread, context: Context, source: Source) -> str | None:
    if source != "plate":
        return "a peak force needs the plate; the hands alone are too unsteady"
    if context.frame_rate_hz < MIN_RATE_PEAK_FORCE_HZ:
        return f"a peak force needs 50 frames a second or more, this clip has {context.frame_rate_hz:.0f}"
    weight = 9.81 * (context.bar_mass_kg or 1.0)
    if spread.sd["bar_peak_force_n"] > LARGEST_FORCE_SD * weight:
        return "the bar track is too unsteady for a peak force"
    return None


def _scale_power(name: str) -> float:
    """Return how strongly a relative scale error enters a measure."""
    unit = MEASURES[name].unit
    if unit in ("m", "m/s", "J", "W"):
        return 1.0
    return 0.3 if unit in ("N", "N s") else 0.0  # weight does not depend on scale, the rest above it does


def _floor_sd(name: str, context: Context) -> float:
    """Return what no analysis of this clip can beat: half a frame for times, a millimetre or two for places."""
    unit = MEASURES[name].unit
    if unit == "s":
        return 0.29 / context.frame_rate_hz
    if unit == "N s":
        return EDGE_SD_S * 9.81 * (context.bar_mass_kg or 0.0)
    return {"m": 0.002, "m/s": 0.008, "1": 0.01}.get(unit, 0.0)


def angle_measures(
    angles: Angles, lift: LiftTimes, context: Context, times_s: Floats
) -> tuple[dict[str, Measure], dict[str, str]]:
    """Return joint angles at the instants, from the side only.

    Their SD is 8 degrees times a factor found on simulated lifts: hips read too open at full extension, knees too bent
    behind the plate.
    """
    at = lift.times_s

    def value(track: Floats, time_s: float) -> float:
        return float(track[np.argmin(np.abs(angles.times_s - time_s))])

    def extreme(track: Floats, start_s: float, end_s: float, pick: str) -> tuple[float, float]:
        inside = (angles.times_s >= start_s) & (angles.times_s <= end_s) & np.isfinite(track)
        if not inside.any():
            return float("nan"), start_s
        i = int(np.argmax(track[inside]) if pick == "max" else np.argmin(track[inside]))
        return float(track[inside][i]), float(angles.times_s[inside][i])

    peak = at["peak_velocity"]
    hip, hip_s = extreme(angles.hip_deg, peak - 0.08, peak + 0.08, "max")
    low, low_s = extreme(angles.trunk_deg, at["lift_off"], at.get("end_first_pull", peak - 0.25), "min")
    trunk_start = value(angles.trunk_deg, at["lift_off"])
    rows = {
        "knee_angle_start_deg": (value(angles.knee_deg, at["lift_off"]), at["lift_off"], 1.5),
        "trunk_angle_start_deg": (trunk_start, at["lift_off"], 1.0),
        "trunk_angle_loss_first_pull_deg": (trunk_start - low, low_s, 1.0),
        "trunk_angle_peak_deg": (value(angles.trunk_deg, peak), peak, 1.0),
        "hip_angle_peak_deg": (hip, hip_s, 1.8),
    }
    if "catch" in at:
        rows["knee_angle_catch_deg"] = (value(angles.knee_deg, at["catch"]), at["catch"], 1.0)
    measures, reasons = {}, {}
    for name, (number, time_s, factor) in rows.items():
        if context.view != "side":
            reasons[name] = f"cannot be judged from the {context.view}; film from the side"
        elif not np.isfinite(number):
            reasons[name] = "the joints were hidden or did not fit a body at this moment"
        else:
            measures[name] = make_measure(name, number, factor * ANGLE_SD_DEG, "body", time_s, times_s)
    return measures, reasons


def make_measure(name: str, value: float, sd: float, source: Source, time_s: float | None, times_s: Floats) -> Measure:
    """Return a measure with its 90 % interval and the frame nearest to its time."""
    frame = None if time_s is None else int(np.argmin(np.abs(times_s - time_s)))
    half = Z90 * sd
    low = value - half
    if MEASURES[name].unit in ("m/s", "s", "J", "W") or name in (
        "bar_max_height_m",
        "bar_drop_m",
        "bar_catch_height_m",
    ):
        low = max(low, min(0.0, value))
    return Measure(value=value, unit=MEASURES[name].unit, low=low, high=value + half, source=source, frame=frame)
