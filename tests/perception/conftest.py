"""Made-up motion with known truth: bars, stick figures and pictures of plates, for the tests of perception."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from perception.bar import BarCurve
from perception.pose import INDEX, KEYPOINTS, Floats, Image, Person, PoseTrack
from perception.smoothing import SmoothTrack, smooth

STEP_S = 0.0005
GRAVITY_M_S2 = 9.81
NO_TIME = np.zeros(0)


@dataclass(frozen=True, eq=False)
class MadeUpBar:
    """The exact path of a bar on a fine grid: velocities up and forward, and the moments that were built in."""

    up: Floats = field(default_factory=lambda: NO_TIME)
    forward: Floats = field(default_factory=lambda: NO_TIME)
    marks: dict[str, float] = field(default_factory=dict)
    floor_m: float = 0.0

    @property
    def times_s(self) -> Floats:
        return np.arange(len(self.up)) * STEP_S

    @property
    def y(self) -> Floats:
        return self.floor_m + np.cumsum(self.up) * STEP_S

    @property
    def x(self) -> Floats:
        return np.cumsum(self.forward) * STEP_S

    def then(self, *keys: tuple[float, float], forward: float = 0.0) -> "MadeUpBar":
        """Go on smoothly through (seconds from the last key, upward speed); `forward` is the top forward speed."""
        n_before = len(self.up)
        at = np.concatenate([[0.0], np.cumsum([k[0] for k in keys])])
        speeds = [float(self.up[-1]) if n_before else 0.0, *(k[1] for k in keys)]
        t = np.arange(round(at[-1] / STEP_S)) * STEP_S
        sway = forward * np.sin(np.pi * t / at[-1]) ** 2
        return MadeUpBar(
            np.concatenate([self.up, PchipInterpolator(at, speeds)(t)]),
            np.concatenate([self.forward, sway]),
            self.marks,
            self.floor_m,
        )

    def mark(self, name: str) -> "MadeUpBar":
        return MadeUpBar(self.up, self.forward, self.marks | {name: len(self.up) * STEP_S}, self.floor_m)

    def rest(self, seconds: float) -> "MadeUpBar":
        return self.then((seconds, 0.0))

    def pull(self, peak_m_s: float = 1.8, drop_m: float = 0.12) -> "MadeUpBar":
        """Pull with a plateau in the transition, about 1.05 m high at 1.8 m/s, then drop by `drop_m` from the apex.

        The speeds are rounded over 25 ms, because no force on a bar begins or ends at once.
        """
        at_s = np.array([-0.2, 0.0, 0.06, 0.14, 0.32, 0.44, 0.54, 0.72, 0.88, 1.02, 1.15, 1.28, 1.5])
        shares = [0.0, 0.0, 0.03, 0.20, 0.68, 0.80, 0.79, 1.0, 0.5, 0.0, -0.4 if drop_m else 0.0, 0.0, 0.0]
        t = np.arange(-0.2, 1.5, STEP_S)
        up = gaussian_filter1d(PchipInterpolator(at_s, shares)(t), 0.025 / STEP_S)[(t > -0.1) & (t < 1.38)]
        up *= peak_m_s / up.max()
        falling = up < 0
        up[falling] *= drop_m / max(-float(up[falling].sum()) * STEP_S, 1e-9)
        peak = int(up.argmax())
        apex = peak + int(np.flatnonzero(up[peak:] < 0.002)[0])
        here = len(self.up)
        marks = {"lift_off": here + 0.1 / STEP_S, "peak_velocity": here + peak, "max_height": here + apex}
        return MadeUpBar(
            np.concatenate([self.up, up]),
            np.concatenate([self.forward, np.zeros(len(up))]),
            self.marks | {name: float(i) * STEP_S for name, i in marks.items()},
            self.floor_m,
        ).mark("bottom" if drop_m else "turned")

    def stand_up(self, rise_m: float = 0.7) -> "MadeUpBar":
        unit = PchipInterpolator([0, 0.5, 1.2], [0, 1, 0]).integrate(0, 1.2)
        return self.then((0.5, rise_m / float(unit)), (0.7, 0.0)).mark("stands")

    def fall(self, restitution: float = 0.45, n_bounces: int = 2) -> "MadeUpBar":
        """Fall freely to the floor and bounce."""
        height, speed, pieces = float(self.y[-1] - self.floor_m), 0.0, []
        for _ in range(n_bounces + 1):
            flight_s = (speed + np.sqrt(speed**2 + 2 * GRAVITY_M_S2 * height)) / GRAVITY_M_S2
            t = np.arange(round(flight_s / STEP_S)) * STEP_S
            pieces.append(speed - GRAVITY_M_S2 * t)
            speed, height = restitution * (GRAVITY_M_S2 * flight_s - speed), 0.0
        up = np.concatenate([self.up, *pieces])
        forward = np.concatenate([self.forward, np.zeros(len(up) - len(self.up))])
        return MadeUpBar(up, forward, self.mark("let_go").marks, self.floor_m).then((0.02, 0.0)).rest(0.5)

    def sampled(self, rate_hz: float, *, noise_m: float = 0.0, seed: int = 0) -> tuple[Floats, Floats, Floats]:
        """Return times, x and y as a camera sees them."""
        t = np.arange(0, self.times_s[-1], 1 / rate_hz)
        noise = np.random.default_rng(seed).normal(scale=noise_m or 1e-12, size=(2, len(t)))
        return t, np.interp(t, self.times_s, self.x) + noise[0], np.interp(t, self.times_s, self.y) + noise[1]

    def curve(self, rate_hz: float = 60.0, cutoff_hz: float = 7.0, **noise: float) -> BarCurve:
        t, x, y = self.sampled(rate_hz, **noise)
        return BarCurve(smooth(t, x, cutoff_hz), smooth(t, y, cutoff_hz))

    def truth(self) -> dict[str, float]:
        """Return the instants by the definitions of the field, read from the exact velocities of the first lift."""
        t, speed = self.times_s, np.hypot(self.up, self.forward)
        peak = round(self.marks["peak_velocity"] / STEP_S)
        slow = np.flatnonzero(speed[:peak] < 0.1 * self.up[peak - 1])
        out = {
            "start": float(t[slow[-1] + 1]),
            "peak_velocity": float(t[peak]),
            "max_height": self.marks["max_height"],
        }
        if "bottom" in self.marks:
            fast = np.flatnonzero((self.up < -0.15) & (t > self.marks["max_height"]))[0]
            out["catch"] = float(t[fast + np.flatnonzero(self.up[fast:] >= -0.10)[0]])
        return out


@pytest.fixture(scope="session")
def bar() -> MadeUpBar:
    """A bar that lies still for a second; build the lift on it."""
    return MadeUpBar().rest(1.0)


@pytest.fixture(scope="session")
def snatch(bar: MadeUpBar) -> MadeUpBar:
    """A snatch: rest, pull to 1.8 m/s, drop of 0.12 m, recovery above the apex, hold, free fall, bounces."""
    return bar.pull().rest(0.15).stand_up().rest(0.8).fall()


def exact_track(times_s: Floats, values: Floats) -> SmoothTrack:
    """Return the track through the values with next to no smoothing."""
    return smooth(times_s, values, cutoff_hz=0.45 / float(np.median(np.diff(times_s))))


LENGTHS_M = {"shank": 0.42, "thigh": 0.42, "trunk": 0.493, "upper_arm": 0.28, "forearm": 0.27, "hand": 0.08}


def _arm(deg: float) -> Floats:
    return np.array([np.cos(np.radians(deg)), np.sin(np.radians(deg))])


def _joints_m(knee_deg: float, hip_deg: float, trunk_deg: float, elbow_deg: float, arm_deg: float) -> dict[str, Floats]:
    """Return joints of one side in metres, x forward and y up, the ankle at the origin."""
    trunk, thigh = _arm(trunk_deg), _arm(trunk_deg - hip_deg)
    shank = _arm(trunk_deg - hip_deg + 180 + knee_deg)
    knee = -LENGTHS_M["shank"] * shank
    hip = knee - LENGTHS_M["thigh"] * thigh
    shoulder = hip + LENGTHS_M["trunk"] * trunk
    elbow = shoulder + LENGTHS_M["upper_arm"] * _arm(arm_deg)
    fore = _arm(arm_deg + 180 - elbow_deg)
    wrist = elbow + LENGTHS_M["forearm"] * fore
    return {
        "ankle": np.zeros(2),
        "heel": np.array([-0.05, -0.07]),
        "toe": np.array([0.20, -0.07]),
        "knee": knee,
        "hip": hip,
        "shoulder": shoulder,
        "elbow": elbow,
        "wrist": wrist,
        "hand": wrist + LENGTHS_M["hand"] * fore,
        "ear": shoulder + 0.22 * trunk,
    }


def stick_figure(
    n_frames: int = 12,
    *,
    knee_deg: float | Sequence[float] = 100.0,
    hip_deg: float | Sequence[float] = 60.0,
    trunk_deg: float | Sequence[float] = 40.0,
    elbow_deg: float | Sequence[float] = 180.0,
    arm_deg: float | Sequence[float] = -90.0,
    yaw_deg: float = 0.0,
    px_per_m: float = 100.0,
    ankle_px: tuple[float, float] = (320.0, 400.0),
    rate_hz: float = 30.0,
) -> PoseTrack:
    """Return the track of a body with the given joint angles, single or one for each frame.

    At yaw 0 the athlete faces the right of the picture, at 90 the camera, at 180 the left, at 270 away. The left
    visibility is the higher one.
    """
    angles = np.broadcast_arrays(np.zeros(n_frames), knee_deg, hip_deg, trunk_deg, elbow_deg, arm_deg)[1:]
    points = np.zeros((n_frames, len(KEYPOINTS), 2))
    turn = np.radians(yaw_deg)
    halves = {"hip": 0.125, "shoulder": 0.20, "ear": 0.07}
    for i, row in enumerate(zip(*angles, strict=True)):
        joints = _joints_m(*(float(a) for a in row))
        for part, (ahead, up) in joints.items():
            for side, sign in (("left", 1), ("right", -1)):
                across = ahead * np.cos(turn) + sign * halves.get(part, 0.16) * np.sin(turn)
                points[i, INDEX[f"{side}_{part}"]] = across, up
        ahead, up = joints["ear"] + np.array([0.11, 0.0])
        points[i, INDEX["nose"]] = ahead * np.cos(turn), up
    points = np.array(ankle_px) + points * np.array([px_per_m, -px_per_m])
    visibility = np.array([0.9 if "right" in name else 0.98 for name in KEYPOINTS])
    return PoseTrack(
        np.arange(n_frames) / rate_hz,
        points,
        np.full((n_frames, len(KEYPOINTS), 3), np.nan),
        np.tile(visibility, (n_frames, 1)),
    )


@pytest.fixture(scope="session")
def figure() -> Callable[..., PoseTrack]:
    return stick_figure


def persons_of(track: PoseTrack, person_id: int = 0) -> list[Person]:
    """Return the same body as an estimator would give it, frame by frame."""
    return [
        Person(p.copy(), w.copy(), v.copy(), 0.9, person_id)
        for p, w, v in zip(track.points_px, track.world_m, track.visibility, strict=True)
    ]


@pytest.fixture(scope="session")
def persons() -> Callable[..., list[Person]]:
    return persons_of


FINER = 4


@dataclass(frozen=True)
class Canvas:
    """A picture drawn four times finer than it is returned, so that places are exact to a hundredth of a pixel."""

    fine: Image

    @classmethod
    def textured(cls, width: int = 320, height: int = 240, seed: int = 0, contrast: float = 25.0) -> "Canvas":
        noise = np.random.default_rng(seed).normal(size=(height, width, 3)).astype(np.float32)
        soft = cv2.GaussianBlur(noise, (0, 0), 6.0)
        grey = np.clip(120 + contrast / float(soft.std()) * soft, 0, 255).astype(np.uint8)
        return cls(np.asarray(cv2.resize(grey, None, fx=FINER, fy=FINER, interpolation=cv2.INTER_CUBIC)))

    def disc(
        self,
        centre_px: Sequence[float],
        radius_px: float,
        colour: tuple[int, int, int] = (200, 40, 40),
        rings: Sequence[tuple[float, tuple[int, int, int]]] = (),
        squeeze: float = 1.0,
    ) -> "Canvas":
        """Draw a disc; rings are (share of the radius, colour) inside it; `squeeze` narrows it sideways."""
        fine = self.fine.copy()
        for share, paint in ((1.0, colour), *rings):
            middle = [round(16 * (FINER * (c + 0.5) - 0.5)) for c in centre_px]
            axes = [round(16 * (FINER * share * radius_px * s - 0.5)) for s in (squeeze, 1.0)]
            cv2.ellipse(fine, middle, axes, 0, 0, 360, paint, -1, cv2.LINE_AA, shift=4)
        return Canvas(fine)

    def box(self, left: int, top: int, right: int, bottom: int, colour: tuple[int, int, int]) -> "Canvas":
        fine = self.fine.copy()
        fine[FINER * top : FINER * bottom, FINER * left : FINER * right] = colour
        return Canvas(fine)

    def image(self) -> Image:
        height, width = self.fine.shape[0] // FINER, self.fine.shape[1] // FINER
        return np.asarray(cv2.resize(self.fine, (width, height), interpolation=cv2.INTER_AREA))


@pytest.fixture(scope="session")
def wall() -> Canvas:
    """A softly textured wall."""
    return Canvas.textured()


def person_holding(hands_px: Sequence[float], px_per_m: float = 100.0, person_id: int = 0) -> Person:
    """Return somebody whose hands meet at a point."""
    (person,) = persons_of(stick_figure(1, px_per_m=px_per_m), person_id)
    hands = (person.points_px[INDEX["left_hand"]] + person.points_px[INDEX["right_hand"]]) / 2
    moved = person.points_px + (np.array(hands_px) - hands)
    return Person(moved, person.world_m.copy(), person.visibility.copy(), 0.9, person_id)


@pytest.fixture(scope="session")
def holding() -> Callable[..., Person]:
    return person_holding
