"""The truth of each lift of a clip: instants by rules on a dense track without noise, and the measures there."""

import numpy as np

from coach.domain.base import Record
from coach.domain.lift import INSTANTS, PULL_INSTANTS, InstantName, LiftName, Outcome
from perception.pose import INDEX, Floats
from perception.simulator.bar_path import GRAVITY_M_S2, BarState
from perception.simulator.body import angle_deg
from perception.simulator.dynamics import centre_of_mass, ground_force, held_share
from perception.simulator.script import LiftPlan
from perception.simulator.simulation import Motion
from perception.simulator.spec import LiftSpec
from perception.simulator.technique import Fault

ARRIVED_M_S = 0.01  # m/s, slower than this at the end of its lift the bar has come to its highest place
DENSE_HZ = 1000  # Hz, the noise-free track on which instants are found
NO_DROP_M = 0.015  # m, a smaller fall from the apex is no drop; source: biomechanics.md 1.4
STILL_M_S, FALL_M_S, FREE_FALL_M_S = -0.10, -0.15, -2.6  # m/s; source: biomechanics.md 1.4
_Hits = np.ndarray[tuple[int], np.dtype[np.bool_]]


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


class TrueLift(Record):
    """One lift of a clip.

    `variant` is "full", "power" or "split" by the catch, with "hang" or "block" before it by the start; "" elsewhere.
    A squat or deadlift that was stood up is "caught", a pull always "not_caught".
    """

    lift: LiftName
    variant: str
    fault: Fault | None
    fault_strength: float
    outcome: Outcome
    instants: dict[InstantName, TrueInstant | None]
    measures: dict[str, float]
    angles: dict[InstantName, TrueAngles]


def _first(hits: _Hits, start: int) -> int | None:
    """Return the first true index from `start` on."""
    found = np.flatnonzero(hits[start:])
    return int(found[0]) + start if len(found) else None


def _run_before(below: _Hits, last: int, length: int) -> int:
    """Return the index after the last run of at least `length` true values before `last`; 0 if there is none."""
    run = 0
    for i in range(last, -1, -1):
        run = run + 1 if below[i] else 0
        if run >= length:
            return i + length
    return 0


class Dense:
    """The whole clip at 1 kHz without noise: bar, body, centre of mass and ground force."""

    def __init__(self, spec: LiftSpec, motion: Motion) -> None:
        """Evaluate `motion`."""
        n = int((motion.end_s - motion.start_s) * DENSE_HZ)
        self.times_s = np.arange(n) / DENSE_HZ + motion.start_s
        self.state: BarState = motion.bar(self.times_s)
        self.points = motion.keypoints(self.times_s)
        self.stature_m = spec.lifter.height_m
        self.bar_kg, self.body_kg = spec.bar.mass_kg, spec.lifter.mass_kg
        self.rest_m = spec.bar.plate_diameter_m / 2
        self.x, self.y = self.state.position_m.T
        self.v, self.speed = self.state.velocity_m_s[:, 1], np.linalg.norm(self.state.velocity_m_s, axis=1)
        self.knee_deg = self.angle("hip", "knee", "ankle")
        rise = self.points[:, INDEX["left_shoulder"]] - self.points[:, INDEX["left_hip"]]
        self.trunk_deg = np.rad2deg(np.arctan2(rise[:, 1], rise[:, 0]))
        self.com_m = centre_of_mass(self.points, spec.lifter.sex)
        share = held_share(self.times_s, motion.rests, motion.release_s)
        hands = self.bar_kg * (GRAVITY_M_S2 + self.state.acceleration_m_s2[:, 1]) * share
        self.ground_n = ground_force(self.com_m[:, 1], 1 / DENSE_HZ, self.body_kg, hands)

    def angle(self, a: str, b: str, c: str) -> Floats:
        """Return (N,), the angle at `b` of the left side, as seen exactly from the side."""
        return angle_deg(*(self.points[:, INDEX[f"left_{name}"], :2] for name in (a, b, c)))

    def index(self, time_s: float) -> int:
        """Return the sample nearest to a time, inside the clip."""
        return int(np.clip(round((time_s - float(self.times_s[0])) * DENSE_HZ), 0, len(self.times_s) - 1))

    def at(self, time_s: Floats, values: Floats) -> Floats:
        """Return `values` (N,) at other times."""
        return np.interp(time_s, self.times_s, values)

    def angles(self, i: int) -> TrueAngles:
        """Return the joint angles of one sample."""
        return TrueAngles(
            knee_deg=round(float(self.knee_deg[i]), 2),
            hip_deg=round(float(self.angle("shoulder", "hip", "knee")[i]), 2),
            trunk_deg=round(float(self.trunk_deg[i]), 2),
            elbow_deg=round(float(self.angle("shoulder", "elbow", "hand")[i]), 2),
        )

    def middle_foot_m(self, i: int) -> float:
        """Return the middle between both feet, forward."""
        parts = [self.points[i, INDEX[f"{s}_{p}"], 0] for s in ("left", "right") for p in ("heel", "toe")]
        return float(np.mean(parts))


def find_instants(dense: Dense, plan: LiftPlan) -> dict[InstantName, int]:
    """Return the sample of each instant of one lift; an instant that does not exist is absent.

    Peak velocity: largest upward speed in the lift's one rise. Start: walking back from there, the end of the last 40 ms
    (jerk: 80 ms) in which the speed was below a tenth of the peak; in the squat the first sample of the ascent above it.
    Maximum height: the vertical speed falls through zero. The dip, or the descent of the squat, begins with the first
    movement down and ends at the lowest place.
    """
    begin, until = dense.index(plan.begin_s), dense.index(plan.until_s)
    v = dense.v[: until + 1]
    at: dict[InstantName, int] = {}
    if plan.kind in ("jerk", "squat"):
        at["dip_start"] = max((_first(v < -1e-6, begin) or begin) - 1, 0)
        rising = _first(v > 1e-6, at["dip_start"] + 2) or until
        at["dip_bottom"] = at["dip_start"] + int(np.argmin(dense.y[at["dip_start"] : rising + 1]))
        from_here = rising
    else:
        from_here = begin
        if plan.leaves_floor:
            at["lift_off"] = max((_first(dense.y > dense.y[begin] + 1e-12, begin) or 1) - 1, 0)
            from_here = at["lift_off"]
    fall = _first((v <= 1e-6) & (dense.y[: until + 1] > dense.y[from_here] + 0.03), from_here + 2)
    if fall is None and v[until] < ARRIVED_M_S:
        fall = until
    if fall is None:
        raise ValueError("the bar never comes to its highest place")
    at["max_height"] = fall
    at["peak_velocity"] = peak = from_here + int(np.argmax(v[from_here:fall]))
    slow, quiet = dense.speed < 0.1 * v[peak], (80 if plan.kind == "jerk" else 40) * DENSE_HZ // 1000
    if plan.kind == "squat":
        at["start"] = _first(~slow, at["dip_bottom"]) or peak
    else:
        at["start"] = max(_run_before(slow, peak, quiet), 0)
    if plan.kind in ("snatch", "clean", "pull"):
        at |= _knee_instants(dense, plan, from_here, peak)
    if plan.kind in ("snatch", "clean", "jerk"):
        at |= _catch_instants(dense, plan, fall, until)
    return {name: at[name] for name in INSTANTS if name in at}


def _knee_instants(dense: Dense, plan: LiftPlan, begin: int, peak: int) -> dict[InstantName, int]:
    """End of the first pull and power position: first maximum of the knee angle and the minimum after it."""
    if not plan.has_first_pull:
        return {"power_position": begin + int(np.argmin(dense.knee_deg[begin:peak]))}
    end = _first(np.diff(dense.knee_deg) <= 0, begin + DENSE_HZ // 10)
    if end is None or end >= peak:
        return {}
    return {"end_first_pull": end, "power_position": end + int(np.argmin(dense.knee_deg[end:peak]))}


def _catch_instants(dense: Dense, plan: LiftPlan, fall: int, until: int) -> dict[InstantName, int]:
    """Catch and recovery.

    Catch: having fallen faster than 0.15 m/s, the bar is slower than 0.10 m/s again; the highest place when it falls by
    less than 15 mm before it rises or rests; none when it fell faster than 2.6 m/s first. Recovered: the bar is higher
    than there, or in a clean or jerk as high as standing, and slower than 0.05 m/s for half a second.
    """
    v, y = dense.v[: until + 1], dense.y[: until + 1]
    held_until = until if plan.release_s is None else min(until, dense.index(plan.release_s))
    catch = None
    quick = _first(v < FALL_M_S, fall)
    slow = _first(v > STILL_M_S, quick) if quick is not None else None
    if quick is None or (y[fall] - y[fall:quick].min() < NO_DROP_M and quick - fall > 0.25 * DENSE_HZ):
        catch = fall
    elif slow is not None and v[quick:slow].min() > FREE_FALL_M_S and slow <= held_until:
        catch = slow
    if catch is None:
        return {}
    at: dict[InstantName, int] = {"catch": catch}
    half = DENSE_HZ // 2
    is_up = (y > max(y[fall], y[catch]) + 0.02) & (dense.speed[: until + 1] < 0.05)
    still = np.convolve(is_up, np.ones(half), "full")[half - 1 :][: until + 1]
    recovered = _first(still > half - 0.5, catch)
    if recovered is not None:
        at["recovered"] = recovered
    return at


def find_outcome(dense: Dense, plan: LiftPlan, at: dict[InstantName, int]) -> Outcome:
    """Return how the lift ended, by its instants."""
    if plan.kind in ("squat", "deadlift"):
        return "caught"
    if "catch" not in at:
        return "not_caught"
    if "recovered" not in at:
        return "caught_then_lost"
    return "caught_no_drop" if dense.y[at["max_height"]] - dense.y[at["catch"]] < NO_DROP_M else "caught"


class _Measures:
    """The measures of one lift from its dense track and instants."""

    def __init__(self, dense: Dense, plan: LiftPlan, at: dict[InstantName, int]) -> None:
        self.d, self.plan, self.at = dense, plan, at
        self.low = at.get("lift_off", at.get("dip_bottom", at["start"]))
        self.rest_m = float(dense.y[at.get("dip_start", dense.index(plan.begin_s))])
        self.peak, self.top = at["peak_velocity"], at["max_height"]
        knee_m = plan.knee_rise_m
        if knee_m is None:
            knee_m = float(dense.points[self.low, INDEX["left_knee"], 1]) - dense.rest_m
        self.knee = self.low + int(np.argmax(dense.y[self.low :] >= knee_m))

    def all(self) -> dict[str, float]:
        """Return what makes sense for this kind of lift."""
        is_slow = self.plan.kind in ("squat", "deadlift")
        found = self.speeds() | self.forces(self.low, self.top if is_slow else self.peak)
        if "lift_off" in self.at:
            found |= self.start()
        if "end_first_pull" in self.at and "power_position" in self.at:
            found |= self.first_pull()
        if self.plan.kind in ("snatch", "clean", "pull"):
            found |= self.extension()
        if self.plan.kind in ("jerk", "squat"):
            found |= self.dip()
        if is_slow:
            rise = float(self.d.y[self.top] - self.d.y[self.low])
            found |= {"bar_rise_m": rise, "bar_mean_velocity_m_s": rise * DENSE_HZ / (self.top - self.low)}
        if "catch" in self.at:
            found |= self.catch()
        if self.plan.release_s is not None:
            found["free_fall_gravity_m_s2"] = GRAVITY_M_S2
        return found

    def speeds(self) -> dict[str, float]:
        found = {
            "bar_peak_velocity_m_s": float(self.d.v[self.peak]),
            "bar_max_height_m": float(self.d.y[self.top]) - self.rest_m,
            "time_start_to_peak_s": (self.peak - self.at["start"]) / DENSE_HZ,
        }
        last = self.top if self.plan.kind in ("squat", "deadlift") else self.peak
        first = self.at.get("dip_start", self.low) if self.plan.kind == "squat" else self.low
        found["ground_force_peak_n"] = float(self.d.ground_n[first : last + 1].max())
        return found

    def _impulse(self, start: int, end: int) -> float:
        duration_s = (end - start) / DENSE_HZ
        return self.d.bar_kg * float(self.d.v[end] - self.d.v[start] + GRAVITY_M_S2 * duration_s)

    def forces(self, low: int, peak: int) -> dict[str, float]:
        d, pull_s = self.d, (peak - low) / DENSE_HZ
        work = d.bar_kg * float(GRAVITY_M_S2 * (d.y[peak] - d.y[low]) + (d.speed[peak] ** 2 - d.speed[low] ** 2) / 2)
        force = d.bar_kg * (GRAVITY_M_S2 + d.state.acceleration_m_s2[low : peak + 1, 1])
        return {
            "bar_work_j": work,
            "bar_mean_power_w": work / pull_s,
            "bar_impulse_n_s": self._impulse(low, peak),
            "bar_mean_force_n": self._impulse(low, peak) / pull_s,
            "bar_peak_force_n": float(force.max()),
        }

    def start(self) -> dict[str, float]:
        lo = self.low
        return {
            "knee_angle_start_deg": float(self.d.knee_deg[lo]),
            "trunk_angle_start_deg": float(self.d.trunk_deg[lo]),
            "trunk_angle_loss_first_pull_deg": float(
                self.d.trunk_deg[lo] - self.d.trunk_deg[lo : max(self.knee, lo) + 1].min()
            ),
            "bar_forward_off_floor_m": float(self.d.x[self.knee] - self.d.x[lo]),
            **self.ground(),
        }

    def ground(self) -> dict[str, float]:
        """Return what the whole body does from lift-off to peak speed."""
        d, lo, peak = self.d, self.low, self.peak
        velocity = np.gradient(d.com_m, 1 / DENSE_HZ, axis=0)
        kinetic = 0.5 * float(np.sum(velocity[peak] ** 2) - np.sum(velocity[lo] ** 2))
        body = d.body_kg * (GRAVITY_M_S2 * float(d.com_m[peak, 1] - d.com_m[lo, 1]) + kinetic)
        whole = body + self.forces(lo, peak)["bar_work_j"]
        return {
            "ground_force_mean_pull_n": float(d.ground_n[lo : peak + 1].mean()),
            "body_work_j": body,
            "system_work_j": whole,
            "system_mean_power_w": whole * DENSE_HZ / (peak - lo),
        }

    def first_pull(self) -> dict[str, float]:
        d, lo, peak = self.d, self.low, self.peak
        first, pp = self.at["end_first_pull"], self.at["power_position"]
        turning = np.flatnonzero(np.diff(d.v[lo : peak + 1]) <= 1e-9)
        before = lo + int(turning[turning > 50][0]) if np.any(turning > 50) else first
        dip = float(d.v[before : peak + 1].min())
        back = float(d.x[lo : pp + 1].min())
        return {
            "bar_first_pull_peak_velocity_m_s": float(d.v[before]),
            "transition_velocity_loss_ratio": max(0.0, 1 - dip / float(d.v[before])),
            "bar_toward_first_pull_m": float(d.x[lo]) - back,
            "bar_impulse_first_pull_n_s": self._impulse(lo, first),
            "bar_mean_force_first_pull_n": self._impulse(lo, first) * DENSE_HZ / (first - lo),
            "bar_impulse_second_pull_n_s": self._impulse(pp, peak),
            "bar_mean_force_second_pull_n": self._impulse(pp, peak) * DENSE_HZ / (peak - pp),
            "ground_force_mean_first_pull_n": float(d.ground_n[lo : first + 1].mean()),
            "ground_force_mean_transition_n": float(d.ground_n[first : pp + 1].mean()),
            "ground_force_mean_second_pull_n": float(d.ground_n[pp : peak + 1].mean()),
        }

    def extension(self) -> dict[str, float]:
        d, lo, peak, near = self.d, self.low, self.peak, 80 * DENSE_HZ // 1000
        pp = self.at.get("power_position", peak)
        back = float(d.x[lo : pp + 1].min())
        end = self.at.get("catch", self.top)
        hips = d.angle("shoulder", "hip", "knee")[peak - near : peak + near + 1]
        return {
            "hip_angle_peak_deg": float(hips.max()),
            "trunk_angle_peak_deg": float(d.trunk_deg[peak]),
            "elbow_bend_pull_deg": float(180 - d.angle("shoulder", "elbow", "hand")[lo : pp + 1].min()),
            "bar_forward_loop_m": float(d.x[pp : end + 1].max()) - back,
        }

    def dip(self) -> dict[str, float]:
        start, bottom = self.at["dip_start"], self.at["dip_bottom"]
        found = {
            "dip_depth_m": float(self.d.y[start] - self.d.y[bottom]),
            "dip_peak_velocity_m_s": float(-self.d.v[start : bottom + 1].min()),
            "drive_time_s": (self.peak - bottom) / DENSE_HZ,
            "knee_angle_bottom_deg": float(self.d.knee_deg[bottom]),
        }
        if self.plan.kind == "jerk":
            fastest = start + int(np.argmin(self.d.v[start : bottom + 1]))
            found["dip_pause_s"] = float((np.abs(self.d.v[fastest : self.peak]) < -STILL_M_S).sum()) / DENSE_HZ
            found["dip_depth_stature_ratio"] = found["dip_depth_m"] / self.d.stature_m
            found["bar_forward_dip_m"] = float(self.d.x[bottom] - self.d.x[start])
            found["bar_forward_drive_m"] = float(self.d.x[self.peak] - self.d.x[bottom])
        return found

    def catch(self) -> dict[str, float]:
        d, i, peak = self.d, self.at["catch"], self.peak
        wrists = d.points[i, INDEX["right_wrist"], 1] - d.points[i, INDEX["left_wrist"], 1]
        found = {
            "bar_catch_height_m": float(d.y[i]) - self.rest_m,
            "bar_drop_m": float(d.y[self.top] - d.y[i]),
            "bar_rearward_to_catch_m": float(d.x[peak : i + 1].max() - d.x[i]),
            "bar_to_foot_catch_m": float(d.x[i]) - d.middle_foot_m(i),
            "time_peak_to_catch_s": (i - peak) / DENSE_HZ,
            "knee_angle_catch_deg": float(d.knee_deg[i]),
            "left_right_wrist_height_m": float(wrists),
            "bar_tilt_catch_deg": 0.0,
        }
        if self.plan.kind != "jerk":
            found["foot_jump_m"] = d.middle_foot_m(i) - d.middle_foot_m(self.low)
        return found


def true_lift(dense: Dense, plan: LiftPlan, frames_s: Floats, slow_factor: float) -> TrueLift:
    """Return the truth of one lift.

    Args:
        dense: The whole clip.
        plan: The lift as it was meant.
        frames_s: (T,), times of the frames.
        slow_factor: How much slower than the lift the clip runs.
    """
    at = find_instants(dense, plan)
    outcome = "not_caught" if plan.kind == "pull" else find_outcome(dense, plan, at)
    if plan.kind == "jerk" and outcome == "caught_no_drop":
        outcome = "caught"
    names = PULL_INSTANTS if plan.kind in ("snatch", "clean", "pull", "deadlift") else INSTANTS
    instants: dict[InstantName, TrueInstant | None] = {}
    for name in names:
        time_s = float(dense.times_s[at[name]]) if name in at else None
        nearest = int(np.argmin(abs(frames_s - time_s))) if time_s is not None else 0
        since = round((time_s - float(frames_s[0])) * slow_factor, 4) if time_s is not None else 0.0
        instants[name] = None if time_s is None else TrueInstant(time_s=since, frame=nearest)
    return TrueLift(
        lift=plan.kind,
        variant=plan.variant,
        fault=plan.fault,
        fault_strength=round(plan.fault_strength, 4),
        outcome=outcome,
        instants=instants,
        measures={k: round(v, 5) + 0.0 for k, v in _Measures(dense, plan, at).all().items()},
        angles={name: dense.angles(i) for name, i in at.items()},
    )
