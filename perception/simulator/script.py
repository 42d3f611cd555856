"""The score of a clip: where the bar goes, what holds it, how the trunk leans and where the feet step, over time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy.interpolate import CubicHermiteSpline

from coach.domain.lift import LiftName
from perception.pose import Floats
from perception.simulator.bar_path import Knots
from perception.simulator.body import HEEL_SHARE, Body, bend, body_of
from perception.simulator.spec import LiftSpec
from perception.simulator.technique import Fault

SLEEVE_START_M = 0.655  # m, half of the 1.310 m between the sleeves of an IWF bar, TCRR
STRAIGHT_DEG = 177.0  # deg, a hanging or locked arm; a fully straight one has no defined elbow direction
TURN_OUT_DEG = 24.0  # toes and knees out, judged by eye
HANG_BELOW_HIP = 0.018  # of stature; a snatch grip hangs the bar just below the hip crease
CLEAN_GRIP_AHEAD = 0.045  # of stature, hands outside the shoulder joints, judged from films
SQUAT_GRIP = 0.10  # of stature, the same for a bar on the back
NARROW, WIDE = 0.095, 0.135  # of stature, half the distance between the ankles in pull and catch
_FRONT_RACK = (0.045, 0.022)  # of stature, bar ahead of and above the shoulder joints, trunk upright
_BACK_RACK = (-0.036, 0.026)  # of stature, bar on the back

Hold = Literal["below", "rack", "back", "over"]
Grip = Literal["snatch", "clean", "squat"]
Row = tuple[float, float, float]
Direction = tuple[float, float, float]
SlopeRow = tuple[float, float, float | Callable[["Held"], float]]


@dataclass(frozen=True, slots=True)
class LiftPlan:
    """One lift of a clip as it was meant: what the truth is computed from.

    Attributes:
        begin_s, until_s: The time that belongs to the lift.
        leaves_floor: Begins with the bar at rest on floor or blocks.
        has_first_pull: Begins below the knee.
        release_s: When the bar is let go, if this lift ends so.
        knee_rise_m: Height of the knee at lift-off over the bar's rest; None to take it from the body.
    """

    kind: LiftName
    variant: str
    fault: Fault | None
    fault_strength: float
    begin_s: float
    until_s: float
    leaves_floor: bool
    has_first_pull: bool
    release_s: float | None = None
    knee_rise_m: float | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """What a slope that depends on the bar may ask: bar (T, 2) above the floor, and shoulders ahead of it (T,)."""

    bar: Callable[[Floats], Floats]
    shoulder: Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Frame:
    """Lengths that do not change in this clip, in metres."""

    body: Body
    rest_m: float
    grip_m: float
    rack_m: tuple[float, float]

    def reach_m(self, elbow_deg: Floats | float) -> Floats:
        """Return the sagittal distance from shoulder to bar at an elbow angle."""
        b = self.body
        lower = b.forearm_m + b.hand_m
        arm2 = b.upper_arm_m**2 + lower**2 - 2 * b.upper_arm_m * lower * np.cos(np.deg2rad(elbow_deg))
        return np.asarray(np.sqrt(arm2 - (self.grip_m - b.shoulder_half_m) ** 2))

    def offset(self, hold: Hold, trunk_deg: Floats, ahead_m: Floats, elbow_deg: Floats) -> Floats:
        """Return (T, 2), mid-shoulder from the bar: above it, below it, or with the bar on the shoulders."""
        if hold in ("rack", "back"):
            lean = np.deg2rad(trunk_deg - 90)
            x, y = self.rack_m
            return -np.stack([x * np.cos(lean) - y * np.sin(lean), x * np.sin(lean) + y * np.cos(lean)], axis=-1)
        up = np.sqrt(self.reach_m(elbow_deg) ** 2 - ahead_m**2)
        return np.stack(np.broadcast_arrays(ahead_m, up if hold == "below" else -up), axis=-1)

    def foot_middle_m(self, turn_out_deg: float = TURN_OUT_DEG) -> float:
        """Return mid-foot ahead of the ankle with the foot flat."""
        return float((0.5 - HEEL_SHARE) * self.body.foot_m * np.cos(np.deg2rad(turn_out_deg)))

    def leg_m(self, knee_deg: float, half_stance_m: float) -> float:
        """Return the sagittal hip-ankle distance at a knee angle and half stance."""
        return float(np.sqrt(self.body.leg_m(knee_deg) ** 2 - (half_stance_m - self.body.hip_half_m) ** 2))

    def toes_up(self, heel_deg: float, turn_out_deg: float = TURN_OUT_DEG) -> tuple[float, float]:
        """Return how far the ankle moves forward and up when the foot pitches about its toe by `heel_deg`."""
        pitch = np.deg2rad(heel_deg)
        long, high = self.body.foot_m - self.body.heel_behind_m, self.body.ankle_height_m
        along = (long - (long * np.cos(pitch) - high * np.sin(pitch))) * np.cos(np.deg2rad(turn_out_deg))
        return float(along), float(long * np.sin(pitch) + high * np.cos(pitch) - high)


def frame_of(spec: LiftSpec, grip: Grip) -> Frame:
    """Return the lengths of this lifter with this grip."""
    body = body_of(spec.lifter)
    h, rack = body.height_m, _BACK_RACK if grip == "squat" else _FRONT_RACK
    hands = body.shoulder_half_m + (SQUAT_GRIP if grip == "squat" else CLEAN_GRIP_AHEAD) * h
    if grip == "snatch":
        reach = body.trunk_m + HANG_BELOW_HIP * h
        hands = min(body.shoulder_half_m + float(np.sqrt((body.arm_m * 0.9995) ** 2 - reach**2)), SLEEVE_START_M - 0.05)
    return Frame(body, spec.bar.plate_diameter_m / 2, hands, (rack[0] * h, rack[1] * h))


def go(rows: list[Row] | list[SlopeRow], start_s: float, end_s: float, value: float) -> None:
    """Let a curve rest until `start_s` and be at `value` at `end_s`."""
    if rows[-1][0] < start_s - 1e-9:
        rows.append((start_s, rows[-1][1], 0.0))
    rows.append((end_s, value, 0.0))


@dataclass(slots=True)
class FootScript:
    """One foot: rows of where its ankle is (forward, aside), heel pitch, turn-out; and the hops between."""

    x: list[Row]
    z: list[Row]
    heel: list[Row]
    out: list[Row]
    hops: list[tuple[float, float, float]] = field(default_factory=list)

    def step(self, start_s: float, end_s: float, hop_m: float = 0.03, **to: float) -> None:
        """Move to new values of x, z, heel or out between two times, off the floor by `hop_m` in the middle."""
        for name, value in to.items():
            go(getattr(self, name), start_s, end_s, value)
        if hop_m:
            self.hops.append((start_s, end_s, hop_m))


@dataclass(frozen=True, slots=True)
class Pass:
    """A posture that the body goes through while the hands change from one hold to another.

    `shoulder_m` (2,) from the floor with its velocity and acceleration; None keeps them where the last hold had them.
    """

    time_s: float
    shoulder_m: tuple[float, float] | None
    velocity_m_s: tuple[float, float] = (0.0, 0.0)
    acceleration_m_s2: tuple[float, float] = (0.0, 0.0)


@dataclass(slots=True)
class Script:
    """Rows and knots that grow as the movements of a clip are written down, in the order of time.

    Times in seconds after the first lift-off, dip or descent; bar forward from its place then and up from its rest.

    Attributes:
        base_m: Height of the bar before the first knot.
        floor_m: What a dropped bar lands on: 0, or the height of blocks.
        holds: What connects body and bar, from when to when; between two the arms change smoothly.
        face: (time, forward offset of the shoulders), through which a bar passes in front of face or chest.
        pole: Where the right elbow points, changing from one direction to the next between two times.
        hands_x, hands_y: Hands from the bar, before they take it.
        marks: Times as constructed, one dict per lift.
    """

    frame: Frame
    base_m: float
    x: list[Row]
    trunk: list[SlopeRow]
    ahead: list[Row]
    elbow: list[Row]
    pole: list[tuple[float, float, Direction]]
    feet: dict[str, FootScript]
    wrist: list[Row] = field(default_factory=lambda: [(-9.0, 0.0, 0.0)])
    floor_m: float = 0.0
    restitution: float = 0.4
    knots: Knots = field(default_factory=lambda: Knots([(0.0, 0.0, 0.0)]))
    holds: list[tuple[float, float, Hold]] = field(default_factory=list)
    passes: list[Pass] = field(default_factory=list)
    face: list[tuple[float, float]] = field(default_factory=list)
    hands_x: list[Row] = field(default_factory=lambda: [(0.0, 0.0, 0.0)])
    hands_y: list[Row] = field(default_factory=lambda: [(0.0, 0.0, 0.0)])
    marks: list[dict[str, float]] = field(default_factory=list)
    plans: list[LiftPlan] = field(default_factory=list)
    rests: list[tuple[float, float]] = field(default_factory=list)
    gripped_s: float = -9.0
    start_s: float = -1.0
    release_s: float | None = None
    end_s: float = 0.0

    @property
    def now_s(self) -> float:
        """Return the time of the last knot."""
        return self.knots.rows[-1][0]

    @property
    def bar_m(self) -> float:
        """Return the height of the bar at the last knot."""
        return self.base_m + (self.knots.height() if len(self.knots.rows) > 1 else 0.0)

    def heights(self, times_s: Floats) -> Floats:
        """Return (T,), the bar above its rest by the knots so far."""
        speed = self._speed()
        whole = speed.antiderivative()
        inside = np.clip(times_s, speed.x[0], speed.x[-1])
        return np.asarray(self.base_m + whole(inside) - whole(speed.x[0]))

    def speeds(self, times_s: Floats) -> Floats:
        """Return (T,), the vertical speed of the bar by the knots so far."""
        return np.asarray(self._speed()(times_s))

    def _speed(self) -> CubicHermiteSpline:
        return CubicHermiteSpline(*np.array(self.knots.rows).T)

    @property
    def mark(self) -> dict[str, float]:
        """Return the marks of the lift being written."""
        return self.marks[-1]

    def wait(self, for_s: float) -> float:
        """Keep the bar at rest."""
        return self.knots.add(for_s, 0.0, 0.0) if for_s > 0 else self.now_s

    def rise(self, to_m: float, in_s: float, peak_at: float = 0.5) -> float:
        """Move the bar from rest to rest at another height."""
        speed = 2 * (to_m - self.bar_m) / in_s
        self.knots.add(peak_at * in_s, speed, 0.0)
        return self.knots.add((1 - peak_at) * in_s, 0.0, 0.0)

    def hold(self, kind: Hold, until_s: float) -> None:
        """Let the last hold go on until `until_s`, or begin one of this kind now."""
        if self.holds and self.holds[-1][2] == kind:
            self.holds[-1] = (self.holds[-1][0], until_s, kind)
        else:
            self.holds.append((self.now_s, until_s, kind))

    def ankle_m(self) -> float:
        """Return where the ankles are by the last step, in the middle between left and right."""
        return float(np.mean([foot.x[-1][1] for foot in self.feet.values()]))

    def half_stance_m(self) -> float:
        """Return half the distance between the ankles by the last step."""
        return self.feet["right"].z[-1][1]

    def middle_foot_m(self) -> float:
        """Return mid-foot by the last step."""
        return self.ankle_m() + self.frame.foot_middle_m()

    def knee_rise_m(self) -> float:
        """Return the height of the knees over the bar's rest in the posture in which the clip begins."""
        f, trunk = self.frame, self.trunk[0][1]
        offset = f.offset("below", np.array(trunk), np.array(self.ahead[0][1]), np.array(STRAIGHT_DEG))
        angle = np.deg2rad(trunk)
        hip = np.array([0.0, f.rest_m]) + offset - f.body.trunk_m * np.array([np.cos(angle), np.sin(angle)])
        out = np.deg2rad(TURN_OUT_DEG)
        joint = np.array([[hip[0], hip[1], f.body.hip_half_m]])
        ankle = np.array([[self.ankle_m(), f.body.ankle_height_m, self.half_stance_m()]])
        pole = np.array([[np.cos(out), 0.0, np.sin(out)]])
        return float(bend(joint, ankle, f.body.thigh_m, f.body.shank_m, pole)[0, 1] - f.rest_m)

    def posture(
        self,
        hold: Hold,
        knee_deg: float,
        trunk_deg: float,
        bar_x_m: float,
        ahead_m: float = 0.0,
        elbow_deg: float = STRAIGHT_DEG,
        heel_deg: float = 0.0,
        landed: tuple[float, float] | None = None,
    ) -> float:
        """Return how high above its rest the bar is when it is held so.

        The feet are where the last step put them, or have `landed` (ankle forward, half stance).
        """
        ankle, half_stance = landed or (self.ankle_m(), self.half_stance_m())
        f = self.frame
        offset = f.offset(hold, np.array(trunk_deg), np.array(ahead_m), np.array(elbow_deg))
        trunk = np.deg2rad(trunk_deg)
        along, up = f.toes_up(heel_deg)
        back = bar_x_m + offset[0] - f.body.trunk_m * np.cos(trunk) - (ankle + along)
        leg = f.leg_m(knee_deg, half_stance)
        if abs(back) >= leg:
            raise ValueError(f"hips {back:.2f} m from the ankles are out of reach of the legs")
        hip = f.body.ankle_height_m + up + np.sqrt(leg**2 - back**2)
        return float(hip + f.body.trunk_m * np.sin(trunk) - offset[1] - f.rest_m)


def new_script(frame: Frame, base_m: float, bar_to_ankle_m: float, half_stance_m: float, trunk_deg: float) -> Script:
    """Return a script that begins with the bar at rest at `base_m` and both feet behind it."""

    def foot() -> FootScript:
        return FootScript(
            x=[(-9.0, -bar_to_ankle_m, 0.0)],
            z=[(-9.0, half_stance_m, 0.0)],
            heel=[(-9.0, 0.0, 0.0)],
            out=[(-9.0, TURN_OUT_DEG, 0.0)],
        )

    return Script(
        frame=frame,
        base_m=base_m,
        x=[(-9.0, 0.0, 0.0)],
        trunk=[(-9.0, trunk_deg, 0.0)],
        ahead=[(-9.0, 0.0, 0.0)],
        elbow=[(-9.0, STRAIGHT_DEG, 0.0)],
        pole=[],
        feet={"left": foot(), "right": foot()},
    )
