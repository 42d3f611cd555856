"""Measures of one lift from the bar curve and the athlete's angles, each with a 90 % interval."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from coach.domain.base import Record
from coach.domain.lift import InstantName, View
from coach.domain.measures import MEASURES, Limit, Measure, Source
from perception.bar import BarCurve, BarSamples, fit_curve
from perception.gates import HORIZONTAL, rectify
from perception.instants import LiftTimes
from perception.kinematics import ANGLE_SD_DEG, Angles
from perception.lifts import relocate
from perception.pose import Floats
from perception.readings import Context, Reading, beginning, read_bar
from perception.smoothing import MIN_SAMPLES, residual_gain

Z90 = 1.645  # half width of a 90 % normal interval over its SD
N_DRAWS = 16  # repeats of the whole bar analysis with fresh noise
CORRECTED = {
    "bar_peak_velocity_m_s",
    "bar_first_pull_peak_velocity_m_s",
    "bar_peak_force_n",
}  # smoothing and noise shift peaks
LARGEST_CORRECTION = 0.04  # of the value: a larger shift means that the track is bad, not that the peak is lower
EDGE_SD_S = 0.015  # s, when a lift-off or a knee's turning point is, beyond what noise explains
MIN_RATE_PEAK_FORCE_HZ = 48.0  # Hz, below this acceleration peaks are cut off
LARGEST_FORCE_SD = 0.12  # of the bar's weight, above this a peak force says nothing
POSSIBLE_DEG = {"trunk_angle_start_deg": (0.0, 75.0), "trunk_angle_loss_first_pull_deg": (-1.0, 60.0)}
"""Where a lifter with the hands on a bar on the floor can be; what lies beyond is a body that was not found."""
UNSTEADY = "the bar was lost or too unsteady at this moment"
NEVER_NEGATIVE = frozenset(("bar_max_height_m", "bar_drop_m", "bar_catch_height_m", "bar_rise_m", "dip_depth_m"))
LARGEST_SD = {"m/s": 0.15, "m": 0.05, "s": 0.12}  # noise above this leaves nothing worth saying


class Calibration(Record):
    """Factors on the SD of measures, with which 90 % intervals held the truth in 90 % of simulated lifts.

    By `id/source`, and for a bar seen from the front or rear and from askew by `id/source/front` and `id/source/oblique`:
    each has a scale of its own, which fails in its own way.
    """

    made_with: str
    factors: dict[str, float]

    def factor(self, key: str) -> float:
        """Return the factor by a `calibration_key`; that of side views where the view has none of its own, else 1."""
        return self.factors.get(key, self.factors.get("/".join(key.split("/")[:2]), 1.0))


def calibration_key(name: str, source: Source, view: View | None) -> str:
    """Return by what a measure is calibrated: its id, its source, and where the bar was seen from."""
    if source == "body" or view in (None, "side"):
        return f"{name}/{source}"
    return f"{name}/{source}/{'oblique' if view == 'oblique' else 'front'}"


CALIBRATION = Calibration.model_validate_json((Path(__file__).parent / "calibration.json").read_bytes())


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
    begin = beginning(lift)
    first, last = begin - 0.8, lift.times_s.get("catch", lift.times_s["max_height"]) + 0.5
    window = (samples.times_s >= first) & (samples.times_s <= last)
    t = samples.times_s[window]
    noise_x, noise_y = local_noise(samples, curve, begin, last)
    random = np.random.default_rng(seed)
    readings: list[dict[str, float]] = []
    instants: list[dict[InstantName, float]] = []
    for _ in range(N_DRAWS):
        jitter = random.normal(size=(2, len(t))) / np.sqrt(np.maximum(samples.weights[window], 0.02))
        x = np.where(np.isfinite(samples.x_m[window]), curve.x.value(t) + noise_x * jitter[0], np.nan)
        y = np.where(np.isfinite(samples.y_m[window]), curve.y.value(t) + noise_y * jitter[1], np.nan)
        if np.isfinite(x).sum() < MIN_SAMPLES:
            break  # hardly seen here: nothing is known of the noise, so nothing of the lift is measured
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

    The SD adds, as independent errors: noise, half the bias that smoothing leaves, scale (in proportion to lengths,
    speeds, forces above weight), camera roll (horizontal travel over a rise), what the definition leaves open and what
    no clip of this rate can beat. The largest of them is what the interval is said to be limited by.
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
        errors: dict[Limit, float] = {
            "noise": spread.sd[name],
            "smoothing": 0.5 * abs(shift),
            "scale": _scale_power(name) * context.scale.bar_relative_sd * abs(value) if context.scale.is_known else 0.0,
            "camera": _camera_sd(name, reading, context),
            "definition": reading.own_sd,
            "frame rate": _floor_sd(name, context),
        }
        if not np.isfinite([value, *errors.values()]).all():
            reasons[name] = UNSTEADY
            continue
        measures[name] = make_measure(name, value, errors, source, reading.time_s, times_s, context.view)
    return measures, reasons


def _why_not(name: str, spread: Spread, context: Context, source: Source) -> str | None:
    info = MEASURES[name]
    reason = context.why_not(name)
    if reason is not None:
        return reason
    if not context.scale.is_known and info.unit not in ("s", "1"):
        return "no scale: neither a plate seen from the side nor the athlete's height (--height) was there"
    if name not in spread.sd or spread.sd[name] > LARGEST_SD.get(info.unit, np.inf):
        return UNSTEADY
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


def _camera_sd(name: str, reading: Reading, context: Context) -> float:
    """Return what tilt and turn of the camera add to a measure of forward travel; heights and times stay as they are."""
    if name not in HORIZONTAL:
        return 0.0
    turn = rectify(context.look.yaw_deg, context.look.yaw_sd_deg) if context.view == "side" else None
    tilt_m = float(np.radians(context.roll_sd_deg)) * reading.lever_m
    if turn is None:
        return tilt_m
    return float(np.linalg.norm([tilt_m, turn.relative_sd * reading.value, turn.leak_sd_m]))


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
    measures, reasons = {}, {}
    for name, (number, time_s, factor) in _read_angles(angles, lift).items():
        if (reason := context.why_not(name)) is not None:
            reasons[name] = reason
        elif not np.isfinite(number) or not _is_possible(name, number):
            reasons[name] = "the joints were hidden or did not fit a body at this moment"
        else:
            measures[name] = make_measure(name, number, {"pose": factor * ANGLE_SD_DEG}, "body", time_s, times_s)
    return measures, reasons


def _is_possible(name: str, angle_deg: float) -> bool:
    low, high = POSSIBLE_DEG.get(name, (-np.inf, np.inf))
    return bool(low <= angle_deg <= high)


def _read_angles(angles: Angles, lift: LiftTimes) -> dict[str, tuple[float, float, float]]:
    """Return value in degrees, time and factor on ANGLE_SD_DEG of every angle that this kind of lift has."""
    at = lift.times_s

    def value(track: Floats, time_s: float) -> float:
        return float(track[np.argmin(np.abs(angles.times_s - time_s))])

    def extreme(track: Floats, start_s: float, end_s: float, pick: str) -> tuple[float, float]:
        inside = (angles.times_s >= start_s) & (angles.times_s <= end_s) & np.isfinite(track)
        if not inside.any():
            return float("nan"), start_s
        i = int(np.argmax(track[inside]) if pick == "max" else np.argmin(track[inside]))
        return float(track[inside][i]), float(angles.times_s[inside][i])

    rows: dict[str, tuple[float, float, float]] = {}
    peak = at["peak_velocity"]
    if "dip_bottom" in at:
        rows["knee_angle_bottom_deg"] = (value(angles.knee_deg, at["dip_bottom"]), at["dip_bottom"], 1.5)
    elif "lift_off" in at:
        low, low_s = extreme(angles.trunk_deg, at["lift_off"], at.get("end_first_pull", peak - 0.25), "min")
        trunk_start = value(angles.trunk_deg, at["lift_off"])
        rows["knee_angle_start_deg"] = (value(angles.knee_deg, at["lift_off"]), at["lift_off"], 1.5)
        rows["trunk_angle_start_deg"] = (trunk_start, at["lift_off"], 1.0)
        rows["trunk_angle_loss_first_pull_deg"] = (trunk_start - low, low_s, 1.0)
    if "dip_bottom" not in at:
        hip, hip_s = extreme(angles.hip_deg, peak - 0.08, peak + 0.08, "max")
        rows["trunk_angle_peak_deg"] = (value(angles.trunk_deg, peak), peak, 1.0)
        rows["hip_angle_peak_deg"] = (hip, hip_s, 1.8)
    if "catch" in at:
        rows["knee_angle_catch_deg"] = (value(angles.knee_deg, at["catch"]), at["catch"], 1.0)
    return rows


def is_never_negative(name: str) -> bool:
    """Return whether a measure is of a kind that an interval may not take below zero."""
    return MEASURES[name].unit in ("m/s", "s", "J", "W") or name in NEVER_NEGATIVE


def make_measure(
    name: str,
    value: float,
    errors: Mapping[Limit, float],
    source: Source,
    time_s: float | None,
    times_s: Floats,
    view: View | None = None,
) -> Measure:
    """Return a measure with its 90 % interval, what limits it, and the frame nearest to its time.

    Args:
        name: Its id.
        value: In its unit.
        errors: SD of each independent error, in the same unit.
        source: What it was measured on.
        time_s: When it was read; None when it belongs to no moment.
        times_s: (T,), of the frames.
        view: Where the camera stands; None for what does not depend on it.
    """
    frame = None if time_s is None else int(np.argmin(np.abs(times_s - time_s)))
    limited_by = max(errors.items(), key=lambda part: part[1])[0]
    half = Z90 * CALIBRATION.factor(calibration_key(name, source, view)) * float(np.linalg.norm(list(errors.values())))
    low = value - half
    if is_never_negative(name):
        low = max(low, min(0.0, value))
    return Measure(
        value=value,
        unit=MEASURES[name].unit,
        low=low,
        high=value + half,
        source=source,
        frame=frame,
        limited_by=limited_by,
    )
