"""The lifter's motion around the path of the bar: feet on the floor, hands on the bar, bones of constant length."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BPoly

from perception.pose import INDEX, Floats
from perception.simulator.bar_path import BarPath, BarState, Heights
from perception.simulator.body import Body, Posture, body_of, feet, place
from perception.simulator.curves import ExtremesCurve, smooth_through, step
from perception.simulator.script import LiftPlan
from perception.simulator.spec import LiftSpec, SnatchSpec
from perception.simulator.technique import Fault

STRAIGHT = 0.9995  # of the arm; a fully straight arm has no defined elbow direction
OVERHEAD = 0.998  # of the arm when locked overhead
SLEEVE_START_M = 0.655  # m, half of the 1.310 m between the sleeves of an IWF bar, TCRR
HEEL_UP_DEG = 22.0  # pitch of the foot at full extension, judged from films
TURN_OUT_DEG = 24.0  # toes and knees out, judged by eye
EXTENDED = [167.0, -2.0, 95.0]  # knee, hip from above the ankle, trunk from horizontal; degrees, judged from films
STANDING_KNEE_DEG = 173.0  # at the end of the recovery, judged from films
STANDING_TRUNK_DEG = 89.0  # from horizontal, with the bar overhead
STANDING_AHEAD_M = 0.02  # m, shoulders ahead of the bar overhead
TRUNK_OPENS_DEG = 3.0  # from lift-off to the end of the first pull, judged from films
POWER_TRUNK_DEG = 64.0  # trunk from horizontal at the power position, judged from films
_SIDES = (("left", -1), ("right", 1))
HANG_BELOW_HIP = 0.018  # of stature; a snatch grip hangs the bar just below the hip crease


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where things stand that do not change in this lift."""

    body: Body
    rest_m: float
    ankle_x_m: float
    grip_m: float
    reach_m: float
    narrow_m: float
    wide_m: float

    @property
    def middle_foot_m(self) -> float:
        """Mid-foot, forward of the bar at lift-off."""
        length = self.body.foot_m * np.cos(np.deg2rad(TURN_OUT_DEG))
        return float(self.ankle_x_m + (0.5 - self.body.heel_behind_m / self.body.foot_m) * length)

    def leg_m(self, knee_deg: Floats | float, half_stance_m: Floats | float) -> Floats:
        """Return the sagittal hip-ankle distance at a knee angle and half stance."""
        aside = np.asarray(half_stance_m) - self.body.hip_half_m
        return np.asarray(np.sqrt(self.body.leg_m(knee_deg) ** 2 - aside**2))


def _technique(spec: LiftSpec) -> SnatchSpec:
    if spec.snatch is None:
        raise ValueError("this is no plain snatch: use simulate")
    return spec.snatch


_RANGES: dict[Fault, tuple[str, float, float]] = {
    "bar_forward_off_floor": ("off_floor_m", 0.034, 0.06),
    "bar_swing_forward": ("loop_m", 0.165, 0.215),
    "drop_large_snatch": ("drop_m", 0.30, 0.33),
    "net_rearward_missing": ("rearward_m", 0.003, 0.0),
}
"""What each fault of the plain snatch moves, and from where to where: strength 0 and 1."""


def snatch_fault_strength(technique: SnatchSpec) -> float:
    """Return 0 to 1, how strong the fault of a plain snatch is; 0 without one."""
    if technique.fault is None:
        return 0.0
    name, weak, strong = _RANGES[technique.fault]
    return float(np.clip((getattr(technique, name) - weak) / (strong - weak), 0, 1))


def _frame(spec: LiftSpec) -> _Frame:
    body = body_of(spec.lifter)
    reach = body.trunk_m + HANG_BELOW_HIP * body.height_m
    arm = body.arm_m * STRAIGHT
    grip = min(body.shoulder_half_m + float(np.sqrt(arm**2 - reach**2)), SLEEVE_START_M - 0.05)
    reach = float(np.sqrt(arm**2 - (grip - body.shoulder_half_m) ** 2))
    return _Frame(
        body=body,
        rest_m=spec.bar.plate_diameter_m / 2,
        ankle_x_m=-_technique(spec).bar_to_ankle_m,
        grip_m=grip,
        reach_m=reach,
        narrow_m=0.095 * body.height_m,
        wide_m=0.135 * body.height_m,
    )


class _Pull:
    """Set-up to the second pull: straight arms, so trunk angle and shoulder place fix the hips and the knees follow.

    The trunk turns so that the knee angle is stationary at the end of the first pull and at the power position.
    """

    def __init__(self, spec: LiftSpec, frame: _Frame) -> None:
        self.frame, self.spec = frame, _technique(spec)

    def bar_height(self, bar_x_m: float, ahead_m: float, knee_deg: float, trunk_deg: float) -> float:
        """Return how high above the floor straight arms hold the bar with these angles."""
        f, trunk = self.frame, np.deg2rad(trunk_deg)
        back = bar_x_m + ahead_m - f.body.trunk_m * np.cos(trunk) - f.ankle_x_m
        hip = f.body.ankle_height_m + np.sqrt(f.leg_m(knee_deg, f.narrow_m) ** 2 - back**2)
        return float(hip + f.body.trunk_m * np.sin(trunk) - np.sqrt(f.reach_m**2 - ahead_m**2))

    def hip(self, hands: Floats, ahead_m: Floats, trunk_deg: Floats) -> Floats:
        """Return (T, 2); `hands` is (T, 2), `ahead_m` how far the shoulders are ahead of them."""
        angle = np.deg2rad(trunk_deg)
        shoulder = hands + np.stack([ahead_m, np.sqrt(self.frame.reach_m**2 - ahead_m**2)], axis=-1)
        return np.asarray(shoulder - self.frame.body.trunk_m * np.stack([np.cos(angle), np.sin(angle)], axis=-1))

    def plan(self, path: BarPath) -> None:
        """Lay trunk angle and shoulder place over the phases of the bar's path."""
        self.path, s, t = path, self.spec, path.times
        self.join_s = t.power_s + 0.3 * (t.peak_s - t.power_s)
        end_s = t.peak_s + 0.015
        self.ahead = ExtremesCurve([0.0, t.end_first_pull_s, t.power_s, end_s], [s.shoulder_ahead_m, 0.04, 0.0, -0.06])
        first = s.start_trunk_deg
        rows = [
            (0.0, first, 0.0),
            (0.72 * t.end_first_pull_s, first + 0.5, 0.0),
            (
                t.end_first_pull_s,
                first + TRUNK_OPENS_DEG,
                self._still_knee_rate(t.end_first_pull_s, first + TRUNK_OPENS_DEG),
            ),
            (t.power_s, POWER_TRUNK_DEG, self._still_knee_rate(t.power_s, POWER_TRUNK_DEG)),
            (end_s, EXTENDED[2], 0.0),
        ]
        self.trunk = smooth_through(rows)

    def _still_knee_rate(self, time_s: float, trunk_deg: float) -> float:
        """Return the trunk's angular speed, in deg/s, that leaves the knee angle unchanged at `time_s`."""
        h, f = 1e-4, self.frame
        times = time_s + np.array([-h, 0.0, h])
        hip = self.hip(
            self.path.state(times).position_m + np.array([0.0, f.rest_m]), self.ahead(times), np.full(3, trunk_deg)
        )
        leg = hip[1] - np.array([f.ankle_x_m, f.body.ankle_height_m])
        angle = np.deg2rad(trunk_deg)
        turning = f.body.trunk_m * np.array([-np.sin(angle), np.cos(angle)])
        return float(np.rad2deg(leg @ (hip[2] - hip[0]) / (2 * h) / (leg @ turning)))

    def settle(self, times_s: Floats) -> tuple[Floats, Floats]:
        """Return (T, 2) of the hands from the bar, and the (T,) extra trunk angle, before lift-off."""
        sway = 1.0 * np.sin(2 * np.pi * 0.45 * times_s) * (1 - step(times_s, -0.4, -0.03))
        offset = np.zeros((len(times_s), 2))
        if self.spec.reaches_down:
            high = 1 - step(times_s, 0.15 - self.spec.setup_s, 0.8 - self.spec.setup_s)
            offset = np.stack([-0.05 * high, 0.22 * high], axis=-1)
            sway = sway + 12 * high
        return offset, sway

    def posture(self, times_s: Floats) -> tuple[Floats, Floats]:
        """Return hip (T, 2) and trunk angle (T,)."""
        offset, sway = self.settle(times_s)
        hands = self.path.state(times_s).position_m + np.array([0.0, self.frame.rest_m]) + offset
        trunk = self.trunk(np.maximum(times_s, 0.0)) + sway
        return self.hip(hands, self.ahead(times_s), trunk), trunk


class _Overhead:
    """From the locked arms in the catch until the bar is let go: shoulders hang from the bar."""

    def __init__(self, frame: _Frame, path: BarPath, catch_trunk_deg: float) -> None:
        t = path.times
        self.frame, self.path = frame, path
        self.reach_m = float(
            np.sqrt((frame.body.arm_m * OVERHEAD) ** 2 - (frame.grip_m - frame.body.shoulder_half_m) ** 2)
        )
        self.trunk = ExtremesCurve(
            [t.catch_s, t.rise_s + 0.1, t.standing_s], [catch_trunk_deg, catch_trunk_deg, STANDING_TRUNK_DEG]
        )
        self.ahead = ExtremesCurve([t.rise_s, t.standing_s], [0.035, STANDING_AHEAD_M])

    def posture(self, times_s: Floats) -> tuple[Floats, Floats]:
        """Return hip (T, 2) and trunk angle (T,); while the bar is pushed forward the shoulders stay where they are."""
        t = self.path.times
        bar = self.path.state(np.minimum(times_s, t.release_s)).position_m + np.array([0.0, self.frame.rest_m])
        pushed = bar[:, 0] - self.path.state(np.array([t.lower_s])).position_m[0, 0]
        trunk, ahead = self.trunk(times_s), self.ahead(times_s) - np.where(times_s > t.lower_s, pushed, 0.0)
        shoulder = bar + np.stack([ahead, -np.sqrt(self.reach_m**2 - ahead**2)], axis=-1)
        angle = np.deg2rad(trunk)
        return shoulder - np.stack([np.cos(angle), np.sin(angle)], axis=-1) * self.frame.body.trunk_m, trunk


def _ends(curve: Callable[[Floats], Floats], time_s: float, side: int) -> Floats:
    """Return (3, N): the values of a (T, N) curve, first and second derivatives, from one side of `time_s`."""
    h = 1e-3
    a, b, c = curve(time_s + side * h * np.arange(3.0))
    return np.stack([a, side * (4 * b - 3 * a - c) / (2 * h), (a - 2 * b + c) / h**2])


class SnatchMotion:
    """One snatch as functions of time, in seconds after lift-off.

    Lengths in metres; x forward from the bar at lift-off, y up from the floor, z to the lifter's right.
    """

    def __init__(self, spec: LiftSpec) -> None:
        """Construct bar and body.

        Raises:
            ValueError: The lifter's proportions cannot make this lift.
        """
        self.spec, self.technique = spec, _technique(spec)
        s = self.technique
        self.frame = f = _frame(spec)
        self.body = f.body
        self._pull = _Pull(spec, f)
        start = np.array([[0.0, f.rest_m]]), np.array([s.shoulder_ahead_m]), np.array([s.start_trunk_deg])
        self.knee_rise_m = self._knee_height(self._pull.hip(*start)[0], s.start_trunk_deg) - f.rest_m
        standing = self._standing_hip()
        extended = self._extended()
        catch = s.catch_height_ratio * f.body.height_m
        overhead = float(
            np.sqrt((f.body.arm_m * OVERHEAD) ** 2 - (f.grip_m - f.body.shoulder_half_m) ** 2 - STANDING_AHEAD_M**2)
        )
        heights = Heights(
            end_first_pull_m=self._pull.bar_height(
                -0.6 * s.toward_m, 0.04, s.end_pull_knee_deg, s.start_trunk_deg + TRUNK_OPENS_DEG
            )
            - f.rest_m,
            power_m=self._pull.bar_height(-s.toward_m, 0.0, s.power_knee_deg, POWER_TRUNK_DEG) - f.rest_m,
            peak_m=extended[1]
            + f.body.trunk_m * np.sin(np.deg2rad(extended[2]))
            - s.arm_stretch_ratio * f.reach_m
            - f.rest_m,
            catch_m=catch - f.rest_m,
            standing_m=standing[1] + f.body.trunk_m * np.sin(np.deg2rad(STANDING_TRUNK_DEG)) + overhead - f.rest_m,
        )
        self.path = BarPath(s, heights, self.knee_rise_m, f.middle_foot_m)
        self.times = self.path.times
        self._pull.plan(self.path)
        self._join()

    def _knee_height(self, hip: Floats, trunk_deg: float) -> float:
        posture = self._posture(np.array([-self.technique.setup_s]), hip[None], np.array([trunk_deg]), still=True)
        hands = {side: np.array([[0.0, self.frame.rest_m, sign * self.frame.grip_m]]) for side, sign in _SIDES}
        return float(place(self.body, posture, hands, np.array([[-0.8, 0.5, 0.4]]))[0, INDEX["left_knee"], 1])

    def _standing_hip(self) -> Floats:
        """Return hip (2,) standing with the bar overhead."""
        f = self.frame
        leg = float(f.leg_m(STANDING_KNEE_DEG, f.wide_m))
        x = f.middle_foot_m + STANDING_AHEAD_M - f.body.trunk_m * np.cos(np.deg2rad(STANDING_TRUNK_DEG))
        return np.array([x, f.body.ankle_height_m + np.sqrt(leg**2 - (x - f.ankle_x_m) ** 2)])

    def _extended(self) -> list[float]:
        """Return hip x, y and trunk angle of full extension, on the toes."""
        f, one = self.frame, np.ones(1)
        heel, narrow = HEEL_UP_DEG * one, f.narrow_m * one
        toes = Posture(np.zeros((1, 2)), one, heel, f.ankle_x_m, narrow, 0 * one, TURN_OUT_DEG * one)
        ankle = feet(self.body, toes, 1)[0][0, :2]
        leg, lean = float(f.leg_m(EXTENDED[0], f.narrow_m)), np.deg2rad(EXTENDED[1])
        return [ankle[0] + leg * np.sin(lean), ankle[1] + leg * np.cos(lean), EXTENDED[2]]

    def _polar(self, posture: Callable[[Floats], tuple[Floats, Floats]]) -> Callable[[Floats], Floats]:
        """Return a posture as (T, 3): knee angle, direction of the hip from the ankle (0 = above it), trunk angle."""

        def polar(times_s: Floats) -> Floats:
            hip, trunk = posture(times_s)
            leg = hip - self.ankles(times_s)
            aside = self._stance(times_s) - self.body.hip_half_m
            knee = self.body.knee_deg(np.sqrt(np.sum(leg**2, axis=-1) + aside**2))
            return np.column_stack([knee, np.rad2deg(np.arctan2(leg[:, 0], leg[:, 1])), trunk])

        return polar

    def _from_polar(self, times_s: Floats, rows: Floats) -> tuple[Floats, Floats]:
        """Return hip (T, 2) and trunk angle (T,) from what `_polar` returned."""
        leg = self.frame.leg_m(rows[:, 0], self._stance(times_s))
        direction = np.deg2rad(rows[:, 1])
        hip = self.ankles(times_s) + leg[:, None] * np.column_stack([np.sin(direction), np.cos(direction)])
        return hip, rows[:, 2]

    def _join(self) -> None:
        """Lay the body's way from the pull to the locked arms or, in a miss, back to standing; then after the release."""
        t, join = self.times, self._pull.join_s
        zero = [0.0, 0.0, 0.0]
        before = _ends(self._polar(self._pull.posture), join, -1)
        rows = [before, np.array([EXTENDED, zero, [-9000.0, 0.0, -600.0]])]
        times = [join, t.peak_s + 0.015]
        stand = np.array([[STANDING_KNEE_DEG, 1.0, 88.0], zero, zero])
        if self.technique.outcome == "caught":
            self._overhead = _Overhead(self.frame, self.path, self._catch_trunk())
            self.lock_s = t.apex_s + 0.35 * (t.catch_s - t.apex_s)
            overhead = self._polar(self._overhead.posture)
            self._under = BPoly.from_derivatives([*times, self.lock_s], [*rows, _ends(overhead, self.lock_s, 1)])
            end = _ends(overhead, t.release_s, -1)
            self._leave = BPoly.from_derivatives(
                [t.release_s, t.release_s + 0.7], [end, stand - [[4, 4, 2], zero, zero]]
            )
        else:
            self.lock_s = t.release_s + 1.3
            squat = np.array([[88.0, -16.0, 70.0], zero, [2000.0, 0.0, 0.0]])
            self._under = BPoly.from_derivatives([*times, t.release_s + 0.15, self.lock_s], [*rows, squat, stand])
            self._leave = self._under

    def _catch_trunk(self) -> float:
        """Return the trunk angle in the catch that puts the knees near 40 degrees, or as near as the body can."""
        best = []
        time = np.array([self.times.catch_s])
        stance = self._stance(time)[0]
        for trunk_deg in np.linspace(50, 72, 45):
            hip, _ = _Overhead(self.frame, self.path, float(trunk_deg)).posture(time)
            leg = np.hypot(np.linalg.norm(hip[0] - self.ankles(time)[0]), stance - self.body.hip_half_m)
            best.append((abs(float(self.body.knee_deg(leg)) - 41), float(trunk_deg)))
        return min(best)[1]

    def _heel_deg(self, times_s: Floats) -> Floats:
        peak = self.times.peak_s
        return HEEL_UP_DEG * (step(times_s, self._pull.join_s, peak + 0.02) - step(times_s, peak + 0.05, peak + 0.2))

    def _jump(self, times_s: Floats) -> Floats:
        """Return 0 to 1, how far the feet have come from the narrow to the wide stance."""
        return step(times_s, self.times.peak_s + 0.04, self.times.apex_s - 0.01)

    def _stance(self, times_s: Floats) -> Floats:
        f = self.frame
        return np.asarray(f.narrow_m + (f.wide_m - f.narrow_m) * self._jump(times_s))

    def _posture(self, times_s: Floats, hip: Floats, trunk_deg: Floats, still: bool = False) -> Posture:
        if still:
            zero = np.zeros_like(times_s)
            return Posture(
                hip, trunk_deg, zero, self.frame.ankle_x_m, zero + self.frame.narrow_m, zero, zero + TURN_OUT_DEG
            )
        jump = self._jump(times_s)
        return Posture(
            hip_m=hip,
            trunk_deg=trunk_deg,
            heel_deg=self._heel_deg(times_s),
            ankle_x_m=self.frame.ankle_x_m,
            stance_m=self._stance(times_s),
            hop_m=0.03 * 64 * (jump * (1 - jump)) ** 3,
            turn_out_deg=np.full_like(times_s, TURN_OUT_DEG),
        )

    def ankles(self, times_s: Floats) -> Floats:
        """Return (T, 2), the ankles in the sagittal plane."""
        empty = np.zeros((len(times_s), 2))
        return feet(self.body, self._posture(times_s, empty, empty[:, 0]), 1)[0][:, :2]

    def posture(self, times_s: Floats) -> Posture:
        """Return hips, trunk and feet at `times_s`."""
        hip, trunk = np.empty((len(times_s), 2)), np.empty(len(times_s))
        caught = self.technique.outcome == "caught"
        pull = times_s < self._pull.join_s
        under = ~pull & (times_s < self.lock_s)
        late = times_s >= (self.times.release_s if caught else self.lock_s)
        overhead = ~(pull | under | late)
        hip[pull], trunk[pull] = self._pull.posture(times_s[pull])
        if caught:
            hip[overhead], trunk[overhead] = self._overhead.posture(times_s[overhead])
        for chosen, curve in ((under, self._under), (late, self._leave)):
            now = times_s[chosen]
            hip[chosen], trunk[chosen] = self._from_polar(now, curve(np.minimum(now, curve.x[-1])))
        hip[under] = self._within_reach(times_s[under], hip[under], trunk[under])
        return self._posture(times_s, hip, trunk)

    def _within_reach(self, times_s: Floats, hip: Floats, trunk_deg: Floats) -> Floats:
        """Return the hips, moved by the little that the straight arms would be too short while the bar is held."""
        angle = np.deg2rad(trunk_deg)
        shoulder = hip + self.body.trunk_m * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        bar = self.path.state(times_s).position_m + np.array([0.0, self.frame.rest_m])
        apart = bar - shoulder
        distance = np.linalg.norm(apart, axis=-1)
        held = times_s <= self.times.release_s
        excess = np.where(held, np.maximum(distance - self.frame.reach_m, 0.0), 0.0)
        return np.asarray(hip + apart * (excess / distance)[:, None])

    def _hands(self, times_s: Floats, posture: Posture) -> dict[str, Floats]:
        """Return (T, 3) knuckles: on the bar until the release, then down to the sides."""
        release, f = self.times.release_s, self.frame
        held = self.path.state(np.minimum(times_s, release)).position_m + np.array([0.0, f.rest_m])
        held = held + self._pull.settle(np.minimum(times_s, 0.0))[0]
        angle = np.deg2rad(posture.trunk_deg)
        neck = posture.hip_m + np.stack([np.cos(angle), np.sin(angle)], axis=-1) * self.body.trunk_m
        hands = {}
        for side, sign in _SIDES:
            hand = np.column_stack([held, np.full(len(held), sign * f.grip_m)])
            hands[side] = self._let_go(
                times_s - release,
                hand,
                np.column_stack([neck, np.full(len(neck), sign * self.body.shoulder_half_m)]),
                sign,
            )
        return hands

    def _let_go(self, after_s: Floats, hand: Floats, shoulder: Floats, sign: int) -> Floats:
        """Return (T, 3) of a hand that leaves the bar's last place in an arc in front of the shoulder."""
        away, down = step(after_s, 0.0, 0.5)[:, None], step(after_s, 0.3, 1.05)[:, None]
        held = hand - shoulder
        held_m = np.linalg.norm(held, axis=-1, keepdims=True)
        front, side = np.array([0.85, -0.1, sign * 0.5]), np.array([0.1, -0.98, sign * 0.15])
        turned = held / held_m * (1 - away) + front * away * (1 - down) + side * down
        turned = turned / np.linalg.norm(turned, axis=-1, keepdims=True)
        arm_m = self.body.arm_m
        length_m = np.minimum(held_m, STRAIGHT * arm_m) * (1 - away) + (0.85 + 0.1 * down) * arm_m * away
        return np.where(after_s[:, None] > 0, shoulder + turned * length_m, hand)

    def keypoints(self, times_s: Floats) -> Floats:
        """Return (T, K, 3) joints of the body, names as in `perception.pose.KEYPOINTS`."""
        posture = self.posture(times_s)
        turned = step(times_s, self.times.peak_s - 0.02, self.times.apex_s + 0.1)
        pole = np.stack([np.full_like(turned, -0.75), 0.55 - 1.1 * turned, np.full_like(turned, 0.45)], axis=-1)
        return place(self.body, posture, self._hands(times_s, posture), pole)

    def bar(self, times_s: Floats) -> BarState:
        """Return the bar, forward from its place at lift-off and up from its rest height."""
        return self.path.state(times_s)

    @property
    def start_s(self) -> float:
        """Return when the clip starts."""
        return -self.technique.setup_s

    @property
    def release_s(self) -> float:
        """Return when the hands let go of the bar."""
        return self.times.release_s

    @property
    def rests(self) -> list[tuple[float, float]]:
        """Return (landing, lift-off) of each rest of the bar on the floor before it is let go."""
        return [(self.start_s - 1.0, 0.0)]

    @property
    def gripped_s(self) -> float:
        """Return when the hands have come to the bar."""
        return 0.8 - self.technique.setup_s if self.technique.reaches_down else self.start_s

    @property
    def lifts(self) -> tuple[LiftPlan, ...]:
        """Return the one lift of the clip."""
        s = self.technique
        return (
            LiftPlan(
                kind="snatch",
                variant="full",
                fault=s.fault,
                fault_strength=snatch_fault_strength(s),
                begin_s=self.start_s,
                until_s=self.end_s,
                leaves_floor=True,
                has_first_pull=True,
                release_s=self.times.release_s,
                knee_rise_m=self.knee_rise_m,
            ),
        )

    @property
    def end_s(self) -> float:
        """Return when the clip ends: after the bar has come to rest, or `tail_s` after the release."""
        return self.times.release_s + self.technique.tail_s


def simulate_snatch(spec: LiftSpec) -> SnatchMotion:
    """Return the motion of bar and body for `spec`.

    Raises:
        ValueError: The lifter's proportions cannot make this lift.
    """
    return SnatchMotion(spec)
