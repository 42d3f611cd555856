"""Measures of the force on the floor and of whole-body work, each with a 90 % interval or the reason why not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from coach.domain.lift import InstantName, LiftName
from coach.domain.measures import Limit, Measure
from perception.bar import BarCurve, BarSamples, fit_curve
from perception.dynamics import System, ground_force, moving_system, phase_force, system_work
from perception.instants import LiftTimes
from perception.measures import EDGE_SD_S, MIN_RATE_PEAK_FORCE_HZ, local_noise, make_measure
from perception.plate import PlateTrack
from perception.pose import Floats, PoseTrack
from perception.readings import EDGE_SD_FRAMES, Context, Reading
from perception.sagittal import USUAL_SECOND_PULL_S, SideView, bar_m, solve_lift
from perception.segments import Sex
from perception.skeleton import PLACES, chain_com
from perception.world import Motion, Observed, solve

GRID_S = 0.002  # s, on which paths are differentiated; the splines behind them are smooth over 30 ms
N_DRAWS = 12  # repeats of the solution with fresh errors
DRAW_ROUNDS = 3  # of Gauss-Newton, starting at the solution
ERRORS_LAST_S = 0.10  # s, keypoint errors of neighbouring frames are alike; from simulated lifts
OFFSET_SHARE = 0.6  # of a keypoint's SD that stays constant over the lift
MOVING_SHARE = 0.8  # of a keypoint's SD that moves
BONE_SD = 0.04  # relative, length of a bone after the clip was used
PEAK_LOSS, PEAK_LOSS_SD = 0.20, 0.15  # of what the peak has above the weight, taken by smoothing; from simulated lifts
SHARP: tuple[LiftName, ...] = ("snatch", "clean", "unknown")  # lifts whose peak is so short that smoothing takes of it
MIN_TRUSTED = 0.7  # of frames from lift-off to peak speed whose keypoints are a body
FASTEST_COM_M_S = 4.0  # m/s, the centre of mass of a lifter stays below 2
LONGEST_GAP_S = {"peak": 0.09, "phase": 0.16, "work": 0.16}  # s, without such frames
LARGEST_SD = {"peak": 0.073, "phase": 0.03, "work": 0.12}
"""Of the value: a force is said where its 90 % interval is within 12 % (peak) or 5 % (mean of a phase)."""
PHASES: tuple[tuple[str, InstantName, InstantName], ...] = (
    ("pull", "lift_off", "peak_velocity"),
    ("first_pull", "lift_off", "end_first_pull"),
    ("transition", "end_first_pull", "power_position"),
    ("second_pull", "power_position", "peak_velocity"),
)
IDS = (
    *(f"ground_force_mean_{name}_n" for name, _, _ in PHASES),
    "ground_force_peak_n",
    "body_work_j",
    "system_work_j",
    "system_mean_power_w",
)
LEAST_FORCE = -0.1  # of the weight; force below it cannot be, smoothing aside
SHORT = {"ground_force_peak_n", "ground_force_mean_transition_n", "ground_force_mean_second_pull_n"}
PEAK_WINDOW_S = 0.08  # s, within which peak speed is looked for again
PHASE_SD_S = 0.03  # s, turning points of the solved knee; from simulated lifts
MODEL_SD = 0.01  # relative, straight arms, a rigid trunk, smoothing that is not told by the draws
NO_FLOOR = "force on the floor is measured where the bar starts from the floor"
NO_DRIVE = "the joints tell the speed of the body in dip and drive too badly for a force on the floor"
_SHORTEST_PHASE_S = 0.05  # s, a shorter one is three frames


@dataclass(frozen=True, slots=True, eq=False)
class Loads:
    """One solved lift with its masses: all that forces are read from."""

    seen: Observed
    motion: Motion
    curve: BarCurve
    samples: BarSamples
    lift: LiftTimes
    view: SideView
    body_mass_kg: float
    bar_mass_kg: float


def system_of(loads: Loads, sex: Sex = "unknown") -> System:
    """Return body and bar on an even grid from just before lift-off to just after peak speed."""
    at = loads.lift.times_s
    t = np.arange(at["lift_off"] - 0.05, at["peak_velocity"] + 0.05, GRID_S)
    bar = bar_m(loads.curve, loads.lift, loads.view, np.clip(t, loads.curve.y.start_s, loads.curve.y.end_s))
    com = chain_com(loads.motion.places_m(t), bar, loads.motion.bones, sex)
    return moving_system(t, com, bar, loads.body_mass_kg, loads.bar_mass_kg)


def read_ground(system: System, at: Mapping[InstantName, float]) -> dict[str, Reading]:
    """Return mean forces of the phases, peak force, work and mean power of the pull, by measure id."""
    out: dict[str, Reading] = {}
    for name, first, last in PHASES:
        if first in at and last in at and at[last] - at[first] >= _SHORTEST_PHASE_S:
            mean = phase_force(system, at[first], at[last]).mean_force_n
            out[f"ground_force_mean_{name}_n"] = Reading(mean, at[last])
    start, end = at["lift_off"], at["peak_velocity"]
    inside = (system.times_s >= start) & (system.times_s <= end)
    force = ground_force(system)[inside, 1]
    peak = int(np.argmax(force))
    out["ground_force_peak_n"] = Reading(float(force[peak]), float(system.times_s[inside][peak]))
    body, bar = system_work(system, start, end)
    out["body_work_j"] = Reading(body, end)
    out["system_work_j"] = Reading(body + bar, end)
    out["system_mean_power_w"] = Reading((body + bar) / (end - start), end)
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """A lift seen again with fresh errors: its loads, the instants found anew, and the sex its masses are taken for."""

    loads: Loads
    times_s: dict[InstantName, float]
    sex: Sex


def see_again(loads: Loads, context: Context, seed: int = 0) -> tuple[Draw, ...]:
    """Return the lift as N_DRAWS other looks at it would give it.

    Errors of keypoints (constant and moving), of the bar, of body scale and bone lengths, of the instants, and of the
    segment table (either sex) are drawn together.
    """
    random = np.random.default_rng(seed)
    at = loads.lift.times_s
    noise = local_noise(loads.samples, loads.curve, at["lift_off"], at["peak_velocity"] + 0.2)
    draws = []
    for i in range(N_DRAWS):
        again = _seen_again(loads, context, noise, random)
        moved = _moved_instants(at, again.curve, context.frame_rate_hz, random)
        draws.append(Draw(again, moved, "female" if i % 2 else "male"))
    return tuple(draws)


def spread(loads: Loads, draws: Sequence[Draw]) -> tuple[dict[str, float], dict[str, float]]:
    """Return SD and mean shift of each reading over the draws; the shift is what smoothing and noise do."""
    base = read_ground(system_of(loads), loads.lift.times_s)
    drawn: dict[str, list[float]] = {name: [] for name in base}
    for draw in draws:
        for name, reading in read_ground(system_of(draw.loads, draw.sex), draw.times_s).items():
            if name in drawn:
                drawn[name].append(reading.value)
    sd = {n: float(np.std(z, ddof=1)) if len(z) > len(draws) // 2 else float("inf") for n, z in drawn.items()}
    shift = {n: float(np.mean(z)) - base[n].value if z else 0.0 for n, z in drawn.items()}
    return sd, shift


def _moved_instants(
    at: Mapping[InstantName, float], curve: BarCurve, rate_hz: float, random: np.random.Generator
) -> dict[InstantName, float]:
    """Return the instants as another look would give them: peak speed from the bar seen again, knees by their SD."""
    t = np.arange(at["peak_velocity"] - PEAK_WINDOW_S, at["peak_velocity"] + PEAK_WINDOW_S, GRID_S)
    peak_s = float(t[np.nanargmax(curve.y.rate(t))])
    sd: dict[InstantName, float] = {
        "lift_off": EDGE_SD_S,
        "end_first_pull": PHASE_SD_S,
        "power_position": PHASE_SD_S,
        "peak_velocity": EDGE_SD_FRAMES / rate_hz,
    }
    middle = {**at, "peak_velocity": peak_s}
    return {name: time_s + sd.get(name, 0.0) * float(random.normal()) for name, time_s in middle.items()}


def _seen_again(loads: Loads, context: Context, noise: tuple[float, float], random: np.random.Generator) -> Loads:
    """Return the lift seen with fresh errors about the solution, and solved again."""
    seen, truth = loads.seen, loads.motion.places_m(loads.seen.times_s)
    scale = 1 + context.scale.body_relative_sd * float(random.normal())
    anchor = np.array([np.nanmedian(truth[:, 0, 0]), 0.0])
    places = anchor + scale * (truth - anchor) + _errors(seen, random)
    places[~np.isfinite(seen.places_m)] = np.nan
    lengths = ("shank_m", "thigh_m", "trunk_m", "head_m")
    bones = replace(
        loads.motion.bones, **{n: getattr(loads.motion.bones, n) * (1 + BONE_SD * random.normal()) for n in lengths}
    )
    curve = _bar_again(loads, noise, random)
    drawn = replace(seen, places_m=places, bar_m=bar_m(curve, loads.lift, loads.view, seen.times_s))
    return replace(loads, motion=solve(drawn, bones, loads.motion, DRAW_ROUNDS), curve=curve)


def _errors(seen: Observed, random: np.random.Generator) -> Floats:
    """Return (T, 7, 2) metres: for each place a constant and a wandering error of the size it is trusted to."""
    t, k = len(seen.times_s), len(PLACES)
    keep = np.exp(-np.diff(seen.times_s) / ERRORS_LAST_S)
    moving = random.normal(size=(t, k, 2))
    for i, r in enumerate(keep):
        moving[i + 1] = r * moving[i] + np.sqrt(1 - r * r) * moving[i + 1]
    sd = np.minimum(seen.sd_m, 0.3)[..., None]
    constant = random.normal(size=(1, k, 2)) * np.median(sd, axis=0, keepdims=True)
    return np.asarray(OFFSET_SHARE * constant + MOVING_SHARE * sd * moving)


def _bar_again(loads: Loads, noise: tuple[float, float], random: np.random.Generator) -> BarCurve:
    samples, t = loads.samples, loads.samples.times_s
    inside = (t >= loads.curve.y.start_s) & (t <= loads.curve.y.end_s)
    jitter = random.normal(size=(2, int(inside.sum()))) / np.sqrt(np.maximum(samples.weights[inside], 0.02))
    x = np.where(np.isfinite(samples.x_m[inside]), loads.curve.x.value(t[inside]) + noise[0] * jitter[0], np.nan)
    y = np.where(np.isfinite(samples.y_m[inside]), loads.curve.y.value(t[inside]) + noise[1] * jitter[1], np.nan)
    drawn = replace(samples, times_s=t[inside], x_m=x, y_m=y, weights=samples.weights[inside])
    return fit_curve(drawn, 0, int(inside.sum()), robust=False)


@dataclass(frozen=True, slots=True, eq=False)
class FloorForces:
    """What one lift says about forces on the floor.

    Attributes:
        measures, reasons: By id; each of IDS is in one of them.
        loads: The solved lift; None when nothing may be said of its forces.
        draws: The same lift seen again, for intervals; empty then.
        reason: Why nothing may be said, else empty.
    """

    measures: dict[str, Measure]
    reasons: dict[str, str]
    loads: Loads | None
    draws: tuple[Draw, ...]
    reason: str


def forces_on_floor(
    pose: PoseTrack,
    plate: PlateTrack,
    samples: BarSamples,
    curve: BarCurve,
    lift: LiftTimes,
    view: SideView,
    context: Context,
    body_mass_kg: float | None,
    times_s: Floats,
) -> FloorForces:
    """Return the measures of one lift from the floor, from its tracks.

    Args:
        pose: The lifter, without a camera cut.
        plate: The near plate on the same frames.
        samples: The bar before smoothing, and `curve` after.
        curve: One smooth stretch that holds the lift.
        lift: Its instants; phases of the pull are looked for anew.
        view: How pixels become metres.
        context: Scale, camera view, bar mass and frame rate.
        body_mass_kg: None when not told.
        times_s: Of all frames of the clip, which measures count.
    """
    reason = _why_no_solution(samples, context, body_mass_kg)
    if reason is None and "lift_off" not in lift.times_s:
        reason = NO_DRIVE if lift.kind == "jerk" else NO_FLOOR
    if reason is None and body_mass_kg is not None and context.bar_mass_kg is not None:
        try:
            seen, motion, found = solve_lift(pose, plate, curve, lift, view)
        except ValueError:  # fewer than 8 frames of this lift have a pose and a bar
            reason = "the pose was seen in too few frames of the pull"
        else:
            loads = Loads(seen, motion, curve, samples, found, view, body_mass_kg, context.bar_mass_kg)
            reason = why_not(loads, context)
            if reason is None:
                draws = see_again(loads, context)
                return FloorForces(*ground_measures(loads, context, times_s, draws), loads, draws, "")
    return FloorForces({}, dict.fromkeys(IDS, reason or ""), None, (), reason or "")


def _why_no_solution(samples: BarSamples, context: Context, body_mass_kg: float | None) -> str | None:
    if context.view != "side":
        return f"cannot be judged from the {context.view}; film from the side"
    if context.bar_mass_kg is None:
        return "the mass of the bar was not told (--bar-mass)"
    if body_mass_kg is None:
        return "the mass of the body was not told (--body-mass)"
    if not context.scale.is_known:
        return "no scale: neither a plate seen from the side nor the athlete's height (--height) was there"
    if samples.source != "plate":
        return "the force on the floor needs the plate; the hands alone are too unsteady"
    return None


def ground_measures(
    loads: Loads, context: Context, times_s: Floats, draws: Sequence[Draw]
) -> tuple[dict[str, Measure], dict[str, str]]:
    """Return measures with intervals, and reasons for those that may not be said.

    Args:
        loads: One solved lift of which forces may be said, see `why_not`.
        context: Scale, view, masses and frame rate.
        times_s: Of the clip's frames.
        draws: The lift seen again.
    """
    system = system_of(loads)
    readings = read_ground(system, loads.lift.times_s)
    pulls = _pulls_the_floor(system, loads.lift.times_s)
    sd, shift = spread(loads, draws)
    measures: dict[str, Measure] = {}
    reasons: dict[str, str] = {}
    for name, reading in readings.items():
        is_peak = name == "ground_force_peak_n"
        loss = PEAK_LOSS if loads.lift.kind in SHARP else 0.0
        value = _peak(reading.value, system.weight_n, sd[name], loss) if is_peak else reading.value
        errors: dict[Limit, float] = {
            "pose": sd[name],
            "smoothing": PEAK_LOSS_SD * abs(value - system.weight_n) if is_peak else 0.5 * abs(shift[name]),
            "definition": 0.0 if is_peak else MODEL_SD * value,
        }
        total = float(np.linalg.norm(list(errors.values())))
        reason = _why_not_this(name, value, total, loads, context)
        if reason is None and pulls and name in SHORT:
            reason = "the pose contradicts itself in the pull: the floor would have to pull the lifter down"
        if reason is not None:
            reasons[name] = reason
            continue
        measures[name] = make_measure(name, value, errors, "body", reading.time_s, times_s)
    missing = "no clear transition between first and second pull was seen"
    return measures, reasons | {name: missing for name in IDS if name not in readings}


def _peak(highest_n: float, weight_n: float, sd_n: float, loss: float) -> float:
    """Return the peak behind the highest force of a smoothed, noisy curve.

    The highest of noisy values is about one SD too high, and smoothing takes a share of what rises above the weight:
    of the short peak of a second pull, not of the long one of a deadlift or a slow pull.
    """
    return weight_n + (highest_n - sd_n - weight_n) / (1 - loss)


def _pulls_the_floor(system: System, at: Mapping[InstantName, float]) -> bool:
    """Return whether the floor would have to hold the lifter down while the bar is pulled, which no floor does."""
    inside = (system.times_s >= at["lift_off"]) & (system.times_s <= at["peak_velocity"])
    return bool(np.min(ground_force(system)[inside, 1]) < LEAST_FORCE * system.weight_n)


def why_not(loads: Loads, context: Context) -> str | None:
    """Return why no force on the floor can be given for this lift, or None."""
    reason = _why_no_solution(loads.samples, context, loads.body_mass_kg)
    if reason is not None:
        return reason
    share, gap_s = trusted(loads.seen, *_window_s("", loads.lift.times_s))
    if share < MIN_TRUSTED or gap_s > 2 * LONGEST_GAP_S["phase"]:
        return "the pose did not fit a body through the pull"
    if float(np.max(np.abs(system_of(loads).com_m_s))) > FASTEST_COM_M_S:
        return "the pose jumps in the pull, faster than a body can move"
    return None


def trusted(seen: Observed, start_s: float, end_s: float) -> tuple[float, float]:
    """Return the share of frames between two times that show a body, and the longest time there without one."""
    inside = (seen.times_s >= start_s) & (seen.times_s <= end_s)
    good = inside & np.isfinite(seen.places_m).all(axis=(1, 2))
    if not good.any():
        return 0.0, float("inf")
    edges = np.concatenate([[start_s], seen.times_s[good], [end_s]])
    return float(good.sum() / inside.sum()), float(np.max(np.diff(edges)))


def _window_s(name: str, at: Mapping[InstantName, float]) -> tuple[float, float]:
    """Return the time that a measure is read from."""
    if name == "ground_force_peak_n":
        return at.get("power_position", at["peak_velocity"] - USUAL_SECOND_PULL_S), at["peak_velocity"]
    for phase, first, last in PHASES:
        if name == f"ground_force_mean_{phase}_n":
            return at[first], at[last]
    return at["lift_off"], at["peak_velocity"]


def _why_not_this(name: str, value: float, sd: float, loads: Loads, context: Context) -> str | None:
    kind = "peak" if name == "ground_force_peak_n" else "phase" if name.startswith("ground_force_mean") else "work"
    if kind == "peak" and context.frame_rate_hz < MIN_RATE_PEAK_FORCE_HZ:
        return f"a peak force needs 50 frames a second or more, this clip has {context.frame_rate_hz:.0f}"
    if trusted(loads.seen, *_window_s(name, loads.lift.times_s))[1] > LONGEST_GAP_S[kind]:
        return "the pose was lost in this part of the pull"
    if not sd < LARGEST_SD[kind] * abs(value):
        return "the pose is too unsteady at this moment"
    return None
