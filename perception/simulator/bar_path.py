"""The path of the bar: a pull, a turnover no faster than gravity, a catch or a miss, and a fall with bounces."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BPoly, CubicHermiteSpline

from perception.pose import Floats
from perception.simulator.curves import ExtremesCurve
from perception.simulator.spec import SnatchSpec

GRAVITY_M_S2 = 9.80665  # m/s2, standard gravity, CGPM 1901
LOWER_S = 0.24  # s, from the end of the hold until a lifted bar is let go; judged by eye
_TURN = 0.7  # mean over largest acceleration in the turnover and the fall that follows


@dataclass(frozen=True, slots=True)
class Heights:
    """Heights of the bar above its rest, in metres, that the body allows."""

    end_first_pull_m: float
    power_m: float
    peak_m: float
    catch_m: float
    standing_m: float


@dataclass(frozen=True, slots=True)
class Times:
    """Times in seconds after lift-off at which the phases change, as constructed.

    `release_s` is when the hands let go; `catch_s`, `rise_s` and `standing_s` are NaN for a missed lift.
    """

    end_first_pull_s: float
    dip_s: float
    power_s: float
    peak_s: float
    apex_s: float
    catch_s: float
    rise_s: float
    standing_s: float
    lower_s: float
    release_s: float


@dataclass(frozen=True, slots=True)
class BarState:
    """Position, velocity and acceleration of the bar centre, each (T, 2): forward and up, metres from its rest."""

    position_m: Floats
    velocity_m_s: Floats
    acceleration_m_s2: Floats


@dataclass(frozen=True, slots=True)
class Knots:
    """Knots of the vertical speed: time, speed, acceleration."""

    rows: list[tuple[float, float, float]]

    def add(self, after_s: float, speed: float, acceleration: float) -> float:
        """Append a knot `after_s` later than the last; return its time."""
        time_s = self.rows[-1][0] + after_s
        self.rows.append((time_s, speed, acceleration))
        return time_s

    def height(self) -> float:
        """Return the height gained up to the last knot."""
        t, v, a = np.array(self.rows).T
        whole = CubicHermiteSpline(t, v, a).antiderivative()
        return float(whole(t[-1]) - whole(t[0]))


def _pull(spec: SnatchSpec, heights: Heights) -> tuple[Knots, dict[str, float]]:
    """Lay the speed from lift-off to the apex: first pull, dip of the transition, second pull, turnover."""
    v1, g = spec.first_pull_speed_m_s, GRAVITY_M_S2
    vd = v1 * (1 - spec.transition_loss_ratio)
    knots = Knots([(0.0, 0.0, 0.0)])
    first_s = heights.end_first_pull_m / (0.5792 * v1)
    knots.add(0.4 * first_s, 0.5 * v1, 1.75 * v1 / first_s)
    marks = {"end_first_pull_s": knots.add(0.6 * first_s, v1, 0.0)}
    transition_s = (heights.power_m - heights.end_first_pull_m) / (0.5 * (v1 + vd) * 1.03)
    marks["dip_s"] = knots.add(0.55 * transition_s, vd, 0.0)
    marks["power_s"] = marks["end_first_pull_s"] + transition_s
    fall = spec.turnover_ratio * g
    rise_m = heights.catch_m + spec.drop_m - heights.peak_m
    v2 = float(np.sqrt(rise_m * fall / 0.884))
    marks["peak_s"] = knots.add(2 * (heights.peak_m - knots.height()) / (vd + v2), v2, 0.0)
    marks["apex_s"] = knots.add(v2 / (_TURN * fall), 0.0, -fall)
    return knots, marks


def _catch(spec: SnatchSpec, heights: Heights, knots: Knots, marks: dict[str, float]) -> None:
    """Add fall, stop with a small rebound, stand in the squat, recovery, hold and the push forward."""
    fall = spec.turnover_ratio * GRAVITY_M_S2
    share = 1.2 if spec.drop_m < 0.22 else 0.65
    fast_s = float(np.sqrt(spec.drop_m / (fall * (0.4333 + 0.4433 * share))))
    speed, brake_s = _TURN * fall * fast_s, share * fast_s
    knots.add(fast_s, -speed, 0.0)
    stop = 1.6 * speed / brake_s
    marks["catch_s"] = knots.add(brake_s, 0.0, stop)
    rebound = min(0.08, 0.1 * speed)
    knots.add(rebound / (0.45 * stop), rebound, 0.0)
    knots.add(0.15, 0.0, 0.0)
    marks["rise_s"] = knots.add(spec.bottom_s, 0.0, 0.0)
    rise_m = heights.standing_m - knots.height()
    knots.add(0.45 * spec.recovery_s, 2 * rise_m / spec.recovery_s, 0.0)
    marks["standing_s"] = knots.add(0.55 * spec.recovery_s, 0.0, 0.0)
    marks["lower_s"] = knots.add(spec.hold_s, 0.0, 0.0)
    marks["release_s"] = knots.add(LOWER_S, -GRAVITY_M_S2 * LOWER_S / 2, -GRAVITY_M_S2)


def _miss(spec: SnatchSpec, knots: Knots, marks: dict[str, float]) -> None:
    """Add the short fall until the hands let go, with the acceleration reaching exactly -g."""
    fall, after = spec.turnover_ratio * GRAVITY_M_S2, spec.release_after_apex_s
    marks["release_s"] = knots.add(after, -(fall + GRAVITY_M_S2) / 2 * after, -GRAVITY_M_S2)
    marks |= {"catch_s": np.nan, "rise_s": np.nan, "standing_s": np.nan, "lower_s": marks["release_s"]}


@dataclass(frozen=True, slots=True)
class Flight:
    """One parabola of the dropped bar: where and how fast it starts."""

    start_s: float
    x_m: float
    y_m: float
    vx_m_s: float
    vy_m_s: float


def flights_after(first: Flight, restitution: float) -> list[Flight]:
    """Return the fall and every bounce; the last flight, at rest on the floor, has zero speed."""
    flights = [first]
    while True:
        f = flights[-1]
        down = np.sqrt(f.vy_m_s**2 + 2 * GRAVITY_M_S2 * max(f.y_m, 0.0))
        lasts_s = (f.vy_m_s + down) / GRAVITY_M_S2
        up, vx = restitution * down, 0.6 * f.vx_m_s
        landed = Flight(f.start_s + lasts_s, f.x_m + f.vx_m_s * lasts_s, 0.0, vx, up)
        if up < 0.15:
            return [*flights, Flight(landed.start_s, landed.x_m, 0.0, 0.0, 0.0)]
        flights.append(landed)


class BarPath:
    """The bar over all time; before lift-off it rests, after release it falls freely and bounces."""

    def __init__(self, spec: SnatchSpec, heights: Heights, knee_rise_m: float, middle_foot_m: float) -> None:
        """Construct the path.

        Args:
            spec: How the lift is made.
            heights: What the body allows.
            knee_rise_m: How far the bar rises to reach the height of the knee at lift-off.
            middle_foot_m: Mid-foot relative to the bar at lift-off, forward.
        """
        knots, marks = _pull(spec, heights)
        if spec.outcome == "caught":
            _catch(spec, heights, knots, marks)
        else:
            _miss(spec, knots, marks)
        self.times = Times(**{name: float(value) for name, value in marks.items()})
        t, v, a = np.array(knots.rows).T
        self._speed = CubicHermiteSpline(t, v, a)
        self._height = self._speed.antiderivative()
        self._x_held, self._x_push = self._forward(spec, knee_rise_m, middle_foot_m)
        end = self.times.release_s
        x_end, vx_end = float(self._x_push(end)), float(self._x_push(end, nu=1))
        first = Flight(end, x_end, float(self._height(end)), vx_end, float(self._speed(end)))
        self.flights = flights_after(first, spec.restitution)

    def _forward(self, spec: SnatchSpec, knee_rise_m: float, middle_foot_m: float) -> tuple[ExtremesCurve, BPoly]:
        """Return the horizontal path while lifted, and while pushed forward before the release."""
        t = self.times
        back_s = t.end_first_pull_s + 0.6 * (t.power_s - t.end_first_pull_s)
        front_s = t.peak_s + 0.45 * (t.apex_s - t.peak_s)
        times, values = [0.0], [0.0]
        if spec.off_floor_m > 0:
            rising = np.linspace(0, t.power_s, 2001)
            times.append(float(np.interp(knee_rise_m, self._height(rising), rising)))
            values.append(spec.off_floor_m)
        front_m = spec.loop_m - spec.toward_m
        times += [back_s, front_s]
        values += [-spec.toward_m, front_m]
        speed = spec.miss_speed_m_s
        if spec.outcome == "caught":
            times += [t.catch_s, t.rise_s + 0.7 * spec.recovery_s]
            values += [front_m - spec.rearward_m, middle_foot_m]
            start_s, speed = t.lower_s, 0.75
        else:
            start_s = front_s
        last = values[-1]
        push_m = 0.5 * speed * (t.release_s - start_s)
        push = BPoly.from_derivatives([start_s, t.release_s], [[last, 0.0, 0.0], [last + push_m, speed, 0.0]])
        return ExtremesCurve(times, values), push

    @property
    def rest_s(self) -> float:
        """Return when the dropped bar has come to rest."""
        return self.flights[-1].start_s

    def _held(self, times_s: Floats) -> tuple[Floats, Floats, Floats]:
        """Return position, velocity, acceleration (T, 2) while the bar rests or is held."""
        start_s = float(self._x_push.x[0])
        t = np.clip(times_s, 0.0, self.times.release_s)
        lifted = times_s > 0
        pushed = np.maximum(t, start_s)
        rows = []
        for order, vertical in ((0, self._height), (1, self._speed), (2, self._speed.derivative())):
            x = np.where(t < start_s, self._x_held(t, order), self._x_push(pushed, nu=order))
            rows.append(np.stack([x, np.where(lifted, vertical(t), 0.0)], axis=-1))
        return rows[0], rows[1], rows[2]

    def state(self, times_s: Floats) -> BarState:
        """Return the bar at `times_s`, seconds after lift-off."""
        position, velocity, acceleration = self._held(times_s)
        for flight in self.flights:
            free = times_s > flight.start_s
            dt = times_s[free] - flight.start_s
            g = 0.0 if flight is self.flights[-1] else GRAVITY_M_S2
            position[free] = np.stack(
                [flight.x_m + flight.vx_m_s * dt, flight.y_m + flight.vy_m_s * dt - g * dt**2 / 2], axis=-1
            )
            velocity[free] = np.stack([np.full_like(dt, flight.vx_m_s), flight.vy_m_s - g * dt], axis=-1)
            acceleration[free] = (0.0, -g)
        return BarState(position, velocity, acceleration)
