"""The motion of bar and body that a script asks for: exactly held, twice differentiable, bones of constant length."""

from collections.abc import Callable

import numpy as np
from scipy.interpolate import BPoly, CubicHermiteSpline

from perception.pose import Floats
from perception.simulator.bar_path import GRAVITY_M_S2, BarState, Flight, flights_after
from perception.simulator.body import SIDES, Foot, Posture, assemble, feet
from perception.simulator.curves import KeyCurve, step
from perception.simulator.script import FootScript, Held, Hold, LiftPlan, Pass, Script

_H = 1e-4  # s, step of the differences by which curves are joined
STAND_KNEE_DEG, STAND_TRUNK_DEG = 172.0, 88.0  # deg, at ease after the lift
_SLACK_M = 0.005  # m, by which a leg stays short of straight
_MOST_HOP_M = 0.08  # m, feet leave the floor by no more at full extension
_HOP_S = 0.13  # s, half the time of such a hop
_LEAVE_S = 1.1  # s, from letting go until the lifter stands at ease

Curve = Callable[[Floats], Floats]


def _derivatives(curve: Curve, time_s: float) -> Floats:
    """Return (3, D): value, first and second derivative of a (T, D) curve."""
    a, b, c = curve(time_s + _H * np.arange(-1.0, 2.0))
    return np.stack([b, (c - a) / (2 * _H), (a - 2 * b + c) / _H**2])


def _up(trunk_deg: Floats) -> Floats:
    angle = np.deg2rad(trunk_deg)
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _turning_up(trunk_deg: float, rate: float, second: float) -> Floats:
    """Return (3, 2): the direction of the trunk with its first and second derivatives."""
    angle, turn, gain = np.deg2rad([trunk_deg, rate, second])
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    return np.stack([along, turn * across, gain * across - turn**2 * along])


class _Ground:
    """Both feet over time."""

    def __init__(self, script: Script) -> None:
        self.body = script.frame.body
        self._curves = {side: self._of(foot) for side, foot in script.feet.items()}

    @staticmethod
    def _of(foot: FootScript) -> tuple[dict[str, KeyCurve], list[tuple[float, float, float]]]:
        return {name: KeyCurve(list(getattr(foot, name))) for name in ("x", "z", "heel", "out")}, foot.hops

    def foot(self, side: str, sign: int, times_s: Floats) -> Foot:
        """Return one foot."""
        curves, hops = self._curves[side]
        hop = np.zeros(len(times_s))
        for start_s, end_s, high_m in hops:
            share = step(times_s, start_s, end_s)
            hop += high_m * 64 * (share * (1 - share)) ** 3
        out = curves["out"](times_s)
        posture = Posture(
            hip_m=np.zeros((len(times_s), 2)),
            trunk_deg=out,
            heel_deg=curves["heel"](times_s),
            ankle_x_m=curves["x"](times_s),
            stance_m=curves["z"](times_s),
            hop_m=hop,
            turn_out_deg=out,
        )
        return Foot(*feet(self.body, posture, sign), out)


class LiftMotion:
    """One clip as functions of time, in seconds after its first lift-off, dip or descent.

    Lengths in metres; x forward from the bar at that time, y up from the floor, z to the lifter's right.
    """

    def __init__(self, script: Script) -> None:
        """Lay all curves.

        Raises:
            ValueError: Times that do not rise.
        """
        self.script, self.frame, self.body = script, script.frame, script.frame.body
        self.start_s, self.end_s, self.marks = script.start_s, script.end_s, script.marks
        t, v, a = np.array(script.knots.rows).T
        self._speed = CubicHermiteSpline(t, v, a)
        self._height = self._speed.antiderivative()
        self._x = KeyCurve(script.x)
        self._ahead, self._elbow = KeyCurve(script.ahead), KeyCurve(script.elbow)
        self._wrist = KeyCurve(script.wrist)
        self._hands = KeyCurve(script.hands_x), KeyCurve(script.hands_y)
        held = Held(self.hands, self._ahead)
        self._trunk = KeyCurve([(t, value, s(held) if callable(s) else s) for t, value, s in script.trunk])
        self._ground = _Ground(script)
        self._turns = self._passages()
        self.flights = self._flights()
        self._leaving = self._leave() if script.release_s is not None else None
        for mark in script.marks:
            if "peak_s" in mark and "apex_s" in mark:
                self._leave_floor(mark["peak_s"] - 0.1, mark["apex_s"] + 0.1)

    @property
    def lifts(self) -> tuple[LiftPlan, ...]:
        """Return the lifts of the clip as they were meant."""
        return tuple(self.script.plans)

    @property
    def release_s(self) -> float | None:
        """Return when the hands let go of the bar; None when they never do."""
        return self.script.release_s

    @property
    def rests(self) -> list[tuple[float, float]]:
        """Return (landing, lift-off) of each time that the bar rests on floor or blocks before it is let go."""
        return self.script.rests

    @property
    def gripped_s(self) -> float:
        """Return when the hands have come to the bar for good."""
        return self.script.gripped_s

    def _held_state(self, times_s: Floats) -> tuple[Floats, Floats, Floats]:
        """Return position, velocity and acceleration (T, 2) of a bar that is never let go."""
        low, high = self._speed.x[0], self._speed.x[-1]
        t, moves = np.clip(times_s, low, high), (times_s > low) & (times_s < high)
        y = self.script.base_m + self._height(t) - self._height(low)
        rows = [np.stack([self._x(times_s), y], axis=-1)]
        for order, vertical in ((1, self._speed), (2, self._speed.derivative())):
            rows.append(np.stack([self._x(times_s, order), np.where(moves, vertical(t), 0.0)], axis=-1))
        return rows[0], rows[1], rows[2]

    def hands(self, times_s: Floats) -> Floats:
        """Return (T, 2), the middle between the hands above the floor, until they let go."""
        off = np.stack([self._hands[0](times_s), self._hands[1](times_s)], axis=-1)
        return np.asarray(self._held_state(times_s)[0] + off + np.array([0.0, self.frame.rest_m]))

    def _offset_of(self, hold: Hold) -> Curve:
        def offset(times_s: Floats) -> Floats:
            return self.frame.offset(hold, self._trunk(times_s), self._ahead(times_s), self._elbow(times_s))

        return offset

    def _passages(self) -> list[tuple[float, BPoly, BPoly]]:
        """Return (end, x, y) of the shoulders from the hands for each change of hold, and for the letting go."""
        s, turns = self.script, []
        for i, (_, start_s, kind) in enumerate(s.holds):
            following = s.holds[i + 1] if i + 1 < len(s.holds) else None
            end_s = following[0] if following else s.release_s
            if end_s is None or end_s <= start_s + 1e-6:
                continue
            before = self._offset_of(kind)
            rows = [(start_s, _derivatives(before, start_s))]
            rows += [(p.time_s, self._passed(p, rows[0], start_s)) for p in s.passes if start_s < p.time_s <= end_s]
            if following:
                rows.append((end_s, _derivatives(self._offset_of(following[2]), end_s)))
            else:
                rows += self._down(s.release_s or end_s)
            turns.append((start_s, *self._through(rows)))
        return turns

    def _passed(self, key: Pass, before: tuple[float, Floats], start_s: float) -> Floats:
        hands = self._hands_row(key.time_s)
        here = key.shoulder_m
        if here is None:
            at = before[1][0] + self.hands(np.array([start_s]))[0] + np.array([-0.02, -0.01])
            here = (float(at[0]), float(at[1]))
        return np.array([here, key.velocity_m_s, key.acceleration_m_s2]) - hands

    def _hands_row(self, time_s: float) -> Floats:
        """Return (3, 2): place above the floor, velocity and acceleration of the hands that hold the bar."""
        state = np.stack([r[0] for r in self._held_state(np.array([min(time_s, self._speed.x[-1] - 1e-9)]))])
        state[0, 1] += self.frame.rest_m
        return state

    def _down(self, release_s: float) -> list[tuple[float, Floats]]:
        """Return the shoulders from the hands as the free arms come down in front to the sides."""
        arm, still = self.body.arm_m, np.zeros((2, 2))
        front = np.vstack([[-0.72 * arm, 0.05 * arm], [0.9, 0.9], [0.0, 0.0]])
        side = np.vstack([[-0.1 * arm, 0.93 * arm], still])
        return [(release_s + 0.4, front), (release_s + _LEAVE_S, side)]

    def _through(self, rows: list[tuple[float, Floats]]) -> tuple[BPoly, BPoly]:
        """Return the curves through rows of derivatives; x also passes the places in front of the face."""
        y = BPoly.from_derivatives([t for t, _ in rows], [r[:, 1] for _, r in rows])
        x_rows = [(t, r[:, 0]) for t, r in rows]
        for t, ahead in self.script.face:
            if rows[0][0] < t < rows[-1][0]:
                x_rows.append((t, np.array([ahead, 0.0, self._curvature(t, ahead, x_rows)])))
        x_rows.sort(key=lambda row: row[0])
        return BPoly.from_derivatives([t for t, _ in x_rows], [r for _, r in x_rows]), y

    @staticmethod
    def _curvature(time_s: float, value: float, rows: list[tuple[float, Floats]]) -> float:
        """Return the curvature of a turning point between the rows around it."""
        before = max((r for r in rows if r[0] < time_s), key=lambda r: r[0])
        after = min((r for r in rows if r[0] > time_s), key=lambda r: r[0])
        pulls = [6 * (float(r[1][0]) - value) / (r[0] - time_s) ** 2 for r in (before, after)]
        return float(min(pulls)) if min(pulls) > 0 else 0.0

    def shoulders_from_hands(self, times_s: Floats) -> Floats:
        """Return (T, 2)."""
        first = self.script.holds[0][2]
        result = self._offset_of(first)(times_s)
        events: list[tuple[float, Curve]] = [(start, self._offset_of(kind)) for start, _, kind in self.script.holds[1:]]
        for start_s, x, y in self._turns:
            end = float(y.x[-1])

            def turn(t: Floats, x: BPoly = x, y: BPoly = y, end: float = end) -> Floats:
                inside = np.minimum(t, end)
                return np.stack([x(inside), y(inside)], axis=-1)

            events.append((start_s, turn))
        for start_s, curve in sorted(events, key=lambda e: e[0]):
            now = times_s >= start_s
            result[now] = curve(times_s[now])
        return np.asarray(result)

    def _flights(self) -> list[Flight]:
        release = self.script.release_s
        if release is None:
            return []
        position, velocity, _ = (r[0] for r in self._held_state(np.array([release - 1e-9])))
        first = Flight(release, position[0], position[1] - self.script.floor_m, velocity[0], velocity[1])
        return flights_after(first, self.script.restitution)

    def _hip_held(self, times_s: Floats) -> Floats:
        shoulder = self.hands(times_s) + self.shoulders_from_hands(times_s)
        return np.asarray(shoulder - self.body.trunk_m * _up(self._trunk(times_s)))

    def _leave(self) -> BPoly:
        """Return the hips (T, 2) from the letting go until the lifter stands at ease."""
        release = self.script.release_s
        assert release is not None
        turn = self._turns[-1]
        offset = np.stack([[curve(release, nu=order) for curve in turn[1:]] for order in range(3)])
        lean = [float(self._trunk(np.array([release]), order)[0]) for order in range(3)]
        before = self._hands_row(release) + offset - self.body.trunk_m * _turning_up(*lean)
        end_s = release + _LEAVE_S
        ankles = [self._ground.foot(side, sign, np.array([end_s])).ankle[0] for side, sign in SIDES]
        x = float(np.mean([a[0] for a in ankles])) + 0.015
        legs = []
        for (_, sign), ankle in zip(SIDES, ankles, strict=True):
            aside = sign * ankle[2] - self.body.hip_half_m
            legs.append(ankle[1] + np.sqrt(self.body.leg_m(STAND_KNEE_DEG) ** 2 - aside**2 - (x - ankle[0]) ** 2))
        stand = np.array([[x, min(legs)], [0.0, 0.0], [0.0, 0.0]])
        return BPoly.from_derivatives([release, end_s], [before, stand])

    def _leave_floor(self, start_s: float, end_s: float) -> None:
        """Let the feet hop as high as the stretched legs ask for between two times.

        Raises:
            ValueError: That is more than a lifter's feet leave the floor.
        """
        times = np.arange(start_s, end_s, 0.002)
        for _ in range(16):
            excess = np.max([self._overstretch(side, sign, times) for side, sign in SIDES], axis=0)
            worst = int(np.argmax(excess))
            if excess[worst] < -_SLACK_M:
                return
            if excess[worst] > _MOST_HOP_M:
                break
            for foot in self.script.feet.values():
                foot.hops.append((times[worst] - _HOP_S, times[worst] + _HOP_S, float(excess[worst]) + 2 * _SLACK_M))
        raise ValueError(f"the legs are {excess[worst]:.3f} m too short at {times[worst]:.2f} s")

    def _overstretch(self, side: str, sign: int, times_s: Floats) -> Floats:
        """Return (T,), by how much the leg on one side is too short."""
        joint = np.column_stack([self.hip(times_s), np.full(len(times_s), sign * self.body.hip_half_m)])
        leg = np.linalg.norm(joint - self._ground.foot(side, sign, times_s).ankle, axis=1)
        return np.asarray(leg - self.body.thigh_m - self.body.shank_m)

    def hip(self, times_s: Floats) -> Floats:
        """Return (T, 2), the middle of the hips above the floor."""
        release = self.script.release_s
        if release is None or self._leaving is None:
            return self._hip_held(times_s)
        held = times_s < release
        hip = np.empty((len(times_s), 2))
        hip[held] = self._hip_held(times_s[held])
        hip[~held] = self._leaving(np.minimum(times_s[~held], self._leaving.x[-1]))
        return hip

    def keypoints(self, times_s: Floats) -> Floats:
        """Return (T, K, 3) joints of the body, names as in `perception.pose.KEYPOINTS`."""
        trunk = self._trunk(times_s)
        hip = self.hip(times_s)
        hand = hip + self.body.trunk_m * _up(trunk) - self.shoulders_from_hands(times_s)
        aside = np.full(len(times_s), self.frame.grip_m)
        if self.script.release_s is not None:
            side_m = self.body.shoulder_half_m + 0.03 * self.body.height_m
            aside += (side_m - aside) * step(times_s, self.script.release_s, self.script.release_s + _LEAVE_S)
        hands = {side: np.column_stack([hand, sign * aside]) for side, sign in SIDES}
        ground = {side: self._ground.foot(side, sign, times_s) for side, sign in SIDES}
        return assemble(self.body, hip, trunk, ground, hands, self._pole(times_s), self._wrist(times_s))

    def _pole(self, times_s: Floats) -> Floats:
        pole = np.tile(np.array(self.script.pole[0][2]), (len(times_s), 1))
        for start_s, end_s, direction in self.script.pole[1:]:
            share = step(times_s, start_s, end_s)[:, None]
            pole = pole * (1 - share) + np.array(direction) * share
        return pole

    def bar(self, times_s: Floats) -> BarState:
        """Return the bar, forward from its first place and up from its rest height on the floor."""
        position, velocity, acceleration = self._held_state(times_s)
        for flight in self.flights:
            free = times_s > flight.start_s
            dt = times_s[free] - flight.start_s
            g = 0.0 if flight is self.flights[-1] else GRAVITY_M_S2
            height = self.script.floor_m + flight.y_m + flight.vy_m_s * dt - g * dt**2 / 2
            position[free] = np.stack([flight.x_m + flight.vx_m_s * dt, height], axis=-1)
            velocity[free] = np.stack([np.full_like(dt, flight.vx_m_s), flight.vy_m_s - g * dt], axis=-1)
            acceleration[free] = (0.0, -g)
        return BarState(position, velocity, acceleration)
