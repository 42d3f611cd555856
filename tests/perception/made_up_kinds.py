"""Bar and body of every kind of lift with exact truth, and how a camera would have seen them; no pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from perception.bar import BarCurve, BarSamples, fit_curve, stretches
from perception.body_signals import BodySignals
from perception.pose import Floats
from tests.perception.conftest import STEP_S, MadeUpBar

STATURE_M = 1.70
ANKLE_M = -0.15  # under the bar on the floor
STANDING_M = (1.176, 0.683)  # shoulders and hips standing
BENT_M = (0.50, 0.20)  # over a bar on the floor
SQUAT_M = (0.62, 0.10)
RACK_M = 1.17  # bar on the shoulders, standing


@dataclass(frozen=True, eq=False)
class MadeUpLift:
    """A bar and the heights of shoulders and hips at some moments, (seconds, shoulders, hips)."""

    bar: MadeUpBar
    body: tuple[tuple[float, float, float], ...] = ()
    split_s: tuple[float, float] = (0.0, 0.0)

    @property
    def end_s(self) -> float:
        return float(len(self.bar.up) * STEP_S)

    def stands(self, shoulders_hips: tuple[float, float], after_s: float = 0.0) -> "MadeUpLift":
        """Pin the body at the present moment."""
        return replace(self, body=(*self.body, (self.end_s + after_s, *shoulders_hips)))

    def moves(self, bar: MadeUpBar) -> "MadeUpLift":
        return replace(self, bar=bar)

    def truth(self, names: Sequence[str] = ()) -> dict[str, float]:
        return {name: s for name, s in self.bar.marks.items() if not names or name in names}


def begin(height_m: float = 0.0, posture: tuple[float, float] = BENT_M, rest_s: float = 1.2) -> MadeUpLift:
    bar = MadeUpBar(floor_m=height_m).rest(rest_s)
    return MadeUpLift(bar).stands(posture, -rest_s).stands(posture)


def lowest(m: MadeUpLift) -> float:
    return float(m.bar.y[-1])


def pull(m: MadeUpLift, peak_m_s: float, drop_m: float, under: tuple[float, float]) -> MadeUpLift:
    """Pull; arms are straight at first, the body on its toes at peak speed and at `under` where the bar turns."""
    bar = m.bar.pull(peak_m_s, drop_m)
    moved = replace(m, bar=bar)
    peak_s, end_s = bar.marks["peak_velocity"], moved.end_s
    tall = (STANDING_M[0] + 0.06, STANDING_M[1] + 0.06)
    _, shoulders, hips = m.body[-1]
    up_m = np.interp([m.end_s, peak_s], bar.times_s, bar.y)
    half_s = float(np.interp(up_m.mean(), bar.y[: round(peak_s / STEP_S)], bar.times_s[: round(peak_s / STEP_S)]))
    straight = (half_s, shoulders + float(up_m.mean() - up_m[0]), (hips + tall[1]) / 2)
    return replace(moved, body=(*m.body, straight, (peak_s, *tall), (end_s - 0.1, *under), (end_s, *under)))


def rise(m: MadeUpLift, metres: float, seconds: float, posture: tuple[float, float]) -> MadeUpLift:
    """Move the bar by some metres, up or down, like a half sine, and the body to a posture."""
    t = np.arange(round(seconds / STEP_S)) * STEP_S
    up = metres * np.pi / (2 * seconds) * np.sin(np.pi * t / seconds)
    up = gaussian_filter1d(np.concatenate([np.zeros(100), up, np.zeros(100)]), 0.02 / STEP_S)
    bar = MadeUpBar(
        np.concatenate([m.bar.up, up]),
        np.concatenate([m.bar.forward, np.zeros(len(up))]),
        m.bar.marks,
        m.bar.floor_m,
    )
    pinned = m.stands((m.body[-1][1], m.body[-1][2]))
    return replace(pinned, bar=bar).stands(posture)


def rest(m: MadeUpLift, seconds: float) -> MadeUpLift:
    pinned = m.stands((m.body[-1][1], m.body[-1][2]))
    return replace(pinned, bar=m.bar.rest(seconds)).stands((m.body[-1][1], m.body[-1][2]))


def drop(m: MadeUpLift) -> MadeUpLift:
    pinned = m.stands(STANDING_M)
    return replace(pinned, bar=m.bar.fall()).stands(STANDING_M)


def snatch(m: MadeUpLift | None = None) -> MadeUpLift:
    under = pull(m or begin(), 1.8, 0.12, SQUAT_M)
    return rest(rise(rest(under, 0.2), 1.64 - lowest(under), 1.3, STANDING_M), 0.8)


def clean(m: MadeUpLift | None = None) -> MadeUpLift:
    under = pull(m or begin(), 1.4, 0.25, SQUAT_M)
    return rest(rise(rest(under, 0.2), RACK_M - lowest(under), 1.4, STANDING_M), 0.8)


def jerk(m: MadeUpLift, *, drive_m_s: float = 1.6, drop_m: float = 0.03, split: bool = True) -> MadeUpLift:
    """Dip, drive, catch and recovery of a bar that lies on the shoulders."""
    dip_s = m.end_s
    dipped = (STANDING_M[0] - 0.16, STANDING_M[1] - 0.16)
    keys = (0.18, -0.75), (0.14, 0.0), (0.15, drive_m_s * 0.8), (0.08, drive_m_s), (0.24, 0.0)
    fall = ((0.09, -0.3), (0.09, 0.0)) if drop_m else ((0.18, 0.0),)
    bar = replace(m.bar, marks=m.bar.marks | {"dip_start": dip_s}).then(*keys, *fall)
    up = bar.up.copy()
    here = len(m.bar.up)
    up[here:] = gaussian_filter1d(up[here:], 0.012 / STEP_S)
    bar = MadeUpBar(up, bar.forward, bar.marks, bar.floor_m)
    after = up[here:]
    bottom = here + int(np.flatnonzero(after[200:] >= 0)[0]) + 200
    peak = here + int(np.argmax(after))
    apex = peak + int(np.flatnonzero(up[peak:] <= 0.001)[0])
    bar = replace(
        bar,
        marks=bar.marks
        | {"dip_bottom": bottom * STEP_S, "jerk_peak_velocity": peak * STEP_S, "jerk_max_height": apex * STEP_S},
    )
    low = (STANDING_M[0] - 0.20, STANDING_M[1] - 0.20)
    body = (*m.body, (dip_s, *STANDING_M), (bottom * STEP_S, *dipped), (peak * STEP_S, *STANDING_M))
    caught = MadeUpLift(bar, (*body, (apex * STEP_S, *low)), (apex * STEP_S - 0.1, apex * STEP_S + 1.0))
    caught = caught.stands(low)
    if not split:
        caught = replace(caught, split_s=(0.0, 0.0))
    return rest(rise(rest(caught, 0.6), 0.06, 0.8, STANDING_M), 0.8)


def squat(m: MadeUpLift, depth_m: float = 0.55, down_s: float = 1.5, up_s: float = 1.4) -> MadeUpLift:
    """Down and up again with a bar that stays on the body."""
    low = (STANDING_M[0] - depth_m, STANDING_M[1] - 0.85 * depth_m)
    start_s = m.end_s
    down = rise(m, -depth_m, down_s, low)
    up = rise(down, depth_m, up_s, STANDING_M)
    return rest(replace(up, bar=replace(up.bar, marks=up.bar.marks | {"squat_start": start_s})), 0.8)


def deadlift(m: MadeUpLift | None = None, seconds: float = 1.6) -> MadeUpLift:
    return rest(rise(m or begin(), 0.50, seconds, STANDING_M), 0.8)


def high_pull(m: MadeUpLift | None = None) -> MadeUpLift:
    """A clean pull: full extension, the bar flies up on straight arms and comes down with them."""
    start = m or begin()
    up = pull(start, 1.2, 0.08, (STANDING_M[0] - 0.04, STANDING_M[1] - 0.05))
    return rest(rise(up, -lowest(up), 0.8, BENT_M), 0.6)


def lost_at_the_top(forward_m_s: float = 0.0, peak_m_s: float = 1.75) -> MadeUpLift:
    """A snatch that is let go at its highest place and falls in front (positive) or behind."""
    up = pull(begin(), peak_m_s, 0.12, SQUAT_M)
    apex = round(up.bar.marks["max_height"] / STEP_S)
    bar = MadeUpBar(up.bar.up[:apex], up.bar.forward[:apex], up.bar.marks, up.bar.floor_m).fall()
    drift = bar.forward.copy()
    drift[apex - 300 :] = forward_m_s
    bar = MadeUpBar(bar.up, drift, bar.marks, bar.floor_m)
    return (
        replace(up, bar=bar, body=up.body[:-2])
        .stands(SQUAT_M, apex * STEP_S + 0.2 - bar.times_s[-1])
        .stands(STANDING_M)
    )


def let_down(m: MadeUpLift, metres: float, seconds: float = 1.2, posture: tuple[float, float] = BENT_M) -> MadeUpLift:
    """Lower the bar under control."""
    return rise(m, -metres, seconds, posture)


@dataclass(frozen=True)
class Seen:
    """How a bar and a body are seen: frame rate, SD of the bar in metres, whether its noise hangs together."""

    rate_hz: float = 60.0
    noise_m: float = 0.003
    is_hands: bool = False
    body_noise_m: float = 0.012
    offset_m: float = 0.02


PLATE_60 = Seen()
PLATE_30 = Seen(30.0, 0.004)
HANDS_30 = Seen(30.0, 0.009, is_hands=True)
HANDS_25 = Seen(25.0, 0.009, is_hands=True)


def noise(n: int, seen: Seen, random: np.random.Generator, sd_m: float, hangs_together: bool) -> Floats:
    white = random.normal(size=n)
    if hangs_together:
        white = gaussian_filter1d(white, 0.05 * seen.rate_hz)
        white /= max(float(np.std(white)), 1e-9)
    return sd_m * white


def observe(
    lift: MadeUpLift, seen: Seen = PLATE_60, seed: int = 0, gap_s: tuple[float, float] | None = None
) -> list[tuple[BarCurve, BodySignals]]:
    """Return the curves and the body as they would come from a clip, one for each unbroken stretch."""
    random = np.random.default_rng(seed)
    t = np.arange(0, lift.end_s, 1 / seen.rate_hz)
    t = t[t < lift.bar.times_s[-1]]
    x, y = np.interp(t, lift.bar.times_s, lift.bar.x), np.interp(t, lift.bar.times_s, lift.bar.y)
    x, y = (z + noise(len(t), seen, random, seen.noise_m, seen.is_hands) for z in (x, y))
    if gap_s is not None:
        lost = (t > gap_s[0]) & (t < gap_s[1])
        x, y = np.where(lost, np.nan, x), np.where(lost, np.nan, y)
    samples = BarSamples(
        t,
        x,
        y,
        np.ones(len(t)),
        "hands" if seen.is_hands else "plate",
        4.5 if seen.is_hands else 7.0,
        0.15 if seen.is_hands else 0.25,
    )
    body = seen_body(lift, t, seen, random)
    return [(fit_curve(samples, a, b), body) for a, b in stretches(samples)]


def seen_body(lift: MadeUpLift, t: Floats, seen: Seen, random: np.random.Generator) -> BodySignals:
    keys = sorted({round(k[0], 4): k for k in lift.body}.values())
    times = np.array([k[0] for k in keys])
    shoulder, hip = (PchipInterpolator(times, [k[i] for k in keys])(np.clip(t, times[0], times[-1])) for i in (1, 2))

    def shaken(z: Floats) -> Floats:
        offset = random.normal(scale=seen.offset_m)
        return z + offset + noise(len(t), seen, random, seen.body_noise_m, True)

    bend = np.clip((STANDING_M[1] - hip) / 0.6, 0, 1)
    knee = 0.268 - 0.10 * bend
    split = np.where((t > lift.split_s[0]) & (t < lift.split_s[1]), 0.75, 0.0)
    y = np.interp(t, lift.bar.times_s, lift.bar.y)
    flat = np.zeros(len(t))
    return BodySignals(
        times_s=t,
        head_y_m=shaken(shoulder + 0.25),
        shoulder_y_m=shaken(shoulder),
        hip_y_m=shaken(hip),
        knee_y_m=shaken(knee),
        ankle_y_m=shaken(ANKLE_M + flat),
        hands_y_m=shaken(y),
        left_ankle_x_m=shaken(split / 2),
        right_ankle_x_m=shaken(-split / 2),
        foot_x_m=shaken(flat - 0.05),
        ankle_step_m=np.abs(shaken(flat)) * 0.5,
        trunk_m=shaken(flat + 0.49),
        grip_m=np.full(len(t), np.nan),
        hands_are_the_bar=seen.is_hands,
    )
