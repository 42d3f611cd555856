"""Whether a clip's clock is true: slow motion and wrong frame rates, from gravity and from how fast a lift can be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from perception.flights import find_bounces
from perception.pose import Floats

Verdict = Literal["fine", "slow_motion", "fast", "unsure"]
EvidenceKind = Literal["fall", "bounce", "rise", "pull"]

GRAVITY_M_S2 = 9.81  # m/s2
FALL_FINE_M_S2 = (9.3, 10.3)  # m/s2, what a free fall gives when scale and clock are right
GUIDED_FALL_SD = 0.04  # of gravity: hands slow a falling bar
GUIDED_FALL_LOW = 0.75  # of gravity, down to which hands may slow it
RISE_SHARE = (
    0.70  # of gravity: mean slowing from peak speed to apex, because the lifter still pulls; 17 clips 0.56-0.85
)
RISE_SHARE_SD = 0.12
HARDEST_RISE = 1.0  # of gravity: nothing pushes a bar down
USUAL_PULL_S = 0.85  # s, lift-off to peak speed; source: 0.6 to 1.2 in competition
PULL_SD = 0.22  # of its logarithm; 0.25 s and 2.2 s are then 4 SDs away
BOUNCE_SD = 0.03  # of gravity
LEAST_ARC_M = 0.03  # m, lower bounces tell nothing
Z90 = 1.645
FINE_WITHIN = 0.12  # of the logarithm of the factor
LARGEST_LOG_SD = 0.25  # of the factor's logarithm, above which a clock is not known to be fine
SLOW_ABOVE, FAST_BELOW = 1.15, 0.87  # of the factor, for the near end of its interval
FACTORS_TRIED = (2.0, 2.8, 4.0, 5.6, 8.0, 11.0, 0.5)  # slow motion of phones is 2, 4 and 8 times
NO_LIFT_AS_IS = "at its own speed nothing in it is fast enough for a lift"
SAME_PICTURE = 0.15  # of the usual change from frame to frame: what changes less is a copy of the frame before
AROUND = 6  # frames on either side that tell the usual change
STILL_LEVEL = 0.15  # grey levels of usual change below which nothing moves and nothing can be told
LEAST_COPIES_SHARE = 0.05  # of all frames; fewer are chance
REGULAR = 0.8  # share of the gaps between copies that must be alike

TIMED_UNITS = ("m/s", "s", "m/s2", "N", "N s", "J", "W")
"""Units of what a wrong clock spoils; heights and angles stay."""


@dataclass(frozen=True, slots=True)
class ClockEvidence:
    """One thing that tells the clock.

    Attributes:
        kind: What was looked at.
        factor: Clip seconds for each true second: 4 in slow motion of a quarter of the speed.
        log_sd: SD of its logarithm.
        text: In words, with the number.
    """

    kind: EvidenceKind
    factor: float
    log_sd: float
    text: str


@dataclass(frozen=True, slots=True)
class TimeBase:
    """What the clock of a clip is worth.

    Attributes:
        verdict: "unsure" when something contradicts it but cannot be proved, or nothing tells.
        factor: Clip seconds for each true second; NaN when nothing tells.
        low, high: Its 90 % interval.
        evidence: What told.
        warning: For the report; None when there is nothing to say.
    """

    verdict: Verdict
    factor: float
    low: float
    high: float
    evidence: tuple[ClockEvidence, ...]
    warning: str | None

    def why_not(self, unit: str) -> str | None:
        """Return why nothing in this unit may be said; None where it may."""
        if self.verdict not in ("slow_motion", "fast") or unit not in TIMED_UNITS:
            return None
        how = "slower" if self.verdict == "slow_motion" else "faster"
        return f"the clip seems to run {how} than life, by about {_times(self.factor)}; give the true rate with --fps"


@dataclass(frozen=True, slots=True)
class PullTimes:
    """Of one lift in clip seconds and metres: lift-off, peak speed, apex, and the peak speed.

    Attributes:
        lift_off_s: None for a lift that did not begin at rest on the floor.
        is_explosive: False for squats and deadlifts, which may be slow.
    """

    lift_off_s: float | None
    peak_s: float
    apex_s: float
    peak_m_s: float
    is_explosive: bool = True


def check_time_base(
    pulls: Sequence[PullTimes],
    fall: tuple[float, float] | None,
    bounces: Sequence[tuple[float, float]],
    scale_relative_sd: float,
    told_rate_hz: float | None = None,
) -> TimeBase:
    """Return whether the clock is true.

    In slow motion by k speeds look k times, accelerations k^2 times smaller. A dropped bar must fall with gravity; a bar
    that nobody holds after its bounce as well; a bar slows down after its peak speed by 0.7 of gravity, never by more
    than all of it; a pull from the floor takes 0.6 to 1.2 s.

    Args:
        pulls: Of each lift.
        fall: Acceleration of the dropped bar down and its SD, in m/s2, the scale's share left out.
        bounces: The same of bounces.
        scale_relative_sd: Of metres per pixel; larger than 0.1 when the scale is a guess.
        told_rate_hz: What the user told with --fps; only changes the words.
    """
    told = [e for e in (_from_rise(p, scale_relative_sd) for p in pulls) if e is not None]
    told += [e for e in (_from_pull(p) for p in pulls) if e is not None]
    if fall is not None:
        told.append(_from_fall("fall", *fall, scale_relative_sd))
    told += [_from_fall("bounce", *b, scale_relative_sd) for b in bounces]
    if not told:
        return TimeBase("unsure", float("nan"), float("nan"), float("nan"), (), None)
    log, sd = _combine(told)
    factor, low, high = (float(np.exp(log + z * sd)) for z in (0.0, -Z90, Z90))
    verdict = _judge(log, sd, told)
    return TimeBase(verdict, factor, low, high, tuple(told), _warn(verdict, factor, told, told_rate_hz))


def search_factor(pulls_at: Callable[[float], Sequence[PullTimes]], scale_relative_sd: float) -> TimeBase | None:
    """Look for lifts at other speeds where none is found at the clip's own; None where there is none at any.

    In slow motion no bar is fast enough to be pulled. So the clock is turned faster until what moves looks most like a
    lift.

    Args:
        pulls_at: Finds the lifts with all times divided by a factor, and returns them in those true seconds.
        scale_relative_sd: As in `check_time_base`.
    """
    best: tuple[float, float, TimeBase] | None = None
    for factor in FACTORS_TRIED:
        pulls = pulls_at(factor)
        if not pulls:
            continue
        rest = check_time_base(pulls, None, (), scale_relative_sd)
        off = abs(float(np.log(rest.factor)))
        if rest.verdict == "fine" and (best is None or off < best[0]):
            best = (off, factor, rest)
    if best is None:
        return None
    _, factor, rest = best
    low, high = min(rest.low, 0.8) * factor, max(rest.high, 1.25) * factor
    verdict: Verdict = "slow_motion" if factor > 1 else "fast"
    warning = _warn(verdict, factor * rest.factor, (ClockEvidence("pull", factor, 0.1, NO_LIFT_AS_IS),), None)
    return TimeBase(verdict, factor * rest.factor, low, high, rest.evidence, warning)


def _combine(told: Sequence[ClockEvidence]) -> tuple[float, float]:
    """Return the mean logarithm of the factor and its SD, widened where the evidence contradicts itself.

    Several lifts of one kind err together, so each kind counts once.
    """
    rows = []
    for kind in dict.fromkeys(e.kind for e in told):
        group = [e for e in told if e.kind == kind]
        rows.append((float(np.median(np.log([e.factor for e in group]))), min(e.log_sd for e in group)))
    log, sd = np.array(rows).T
    weight = sd**-2.0
    mean = float(np.average(log, weights=weight))
    own = float(weight.sum() ** -0.5)
    if len(rows) > 1:
        off = float(np.sqrt(np.average((log - mean) ** 2, weights=weight) * len(rows) / (len(rows) - 1)))
        own = max(own, off / float(np.sqrt(len(rows))))
    return mean, own


def _judge(log: float, sd: float, told: Sequence[ClockEvidence]) -> Verdict:
    """Return the verdict: gravity alone can prove a wrong clock, a slow pull or rise only both together."""
    low, high = (float(np.exp(log + z * sd)) for z in (-Z90, Z90))
    by_kind = {e.kind: e.factor for e in told}
    has_gravity = bool({"fall", "bounce"} & by_kind.keys())
    if low > SLOW_ABOVE and (has_gravity or (len(by_kind) > 1 and min(by_kind.values()) > SLOW_ABOVE)):
        return "slow_motion"
    if high < FAST_BELOW and (has_gravity or (len(by_kind) > 1 and max(by_kind.values()) < FAST_BELOW)):
        return "fast"
    is_one = low <= 1 <= high or abs(log) < FINE_WITHIN
    return "fine" if is_one and sd < LARGEST_LOG_SD else "unsure"


def _warn(verdict: Verdict, factor: float, told: Sequence[ClockEvidence], told_rate_hz: float | None) -> str | None:
    if verdict == "fine":
        return None
    texts = dict.fromkeys(e.text for e in told if abs(float(np.log(e.factor))) > e.log_sd)
    seen = "; ".join(texts) or told[0].text
    rate = "" if told_rate_hz is None else f" with --fps {told_rate_hz:g}"
    if verdict == "unsure":
        return f"the clip's clock{rate} may be wrong: {seen}; times and speeds are less sure"
    how = "slower" if verdict == "slow_motion" else "faster"
    do = "give the true recording rate with --fps" if told_rate_hz is None else "check that rate"
    return (
        f"the clip{rate} seems to run {how} than life, by about {_times(factor)}: {seen}; "
        f"times, speeds and forces are not given, {do}"
    )


def _times(factor: float) -> str:
    ratio = max(factor, 1 / factor)
    return f"{ratio:.1f} times"


def _from_rise(pull: PullTimes, scale_relative_sd: float) -> ClockEvidence | None:
    """Return what the slowing from peak speed to apex tells: 0.7 of gravity in true time."""
    span = pull.apex_s - pull.peak_s
    if not pull.is_explosive or span <= 0 or pull.peak_m_s <= 0:
        return None
    share = pull.peak_m_s / span / GRAVITY_M_S2
    sd = float(np.hypot(RISE_SHARE_SD / RISE_SHARE, scale_relative_sd)) / 2
    text = f"after its peak speed the bar slows by {share:.2f} of gravity, which should be about {RISE_SHARE:g}"
    if share > HARDEST_RISE:
        text = f"after its peak speed the bar slows by {share:.2f} of gravity, which nothing can do"
    return ClockEvidence("rise", float(np.sqrt(RISE_SHARE / share)), sd, text)


def _from_pull(pull: PullTimes) -> ClockEvidence | None:
    """Return what the time from lift-off to peak speed tells."""
    if not pull.is_explosive or pull.lift_off_s is None or pull.peak_s <= pull.lift_off_s:
        return None
    span = pull.peak_s - pull.lift_off_s
    return ClockEvidence("pull", span / USUAL_PULL_S, PULL_SD, f"the pull takes {span:.2f} s")


def _from_fall(kind: EvidenceKind, value: float, sd: float, scale_relative_sd: float) -> ClockEvidence:
    """Return what a fall or a bounce tells; one a little too slow may have been guided by hands."""
    share = max(value, 0.01) / GRAVITY_M_S2
    own = GUIDED_FALL_SD if kind == "fall" else BOUNCE_SD
    factor = float(share**-0.5)
    relative = float(np.linalg.norm([sd / max(value, 0.1), scale_relative_sd, own]))
    if kind == "fall" and GUIDED_FALL_LOW <= share < FALL_FINE_M_S2[0] / GRAVITY_M_S2:
        factor, relative = float(factor**0.5), float(np.hypot(relative, 1 - share))
    what = "the dropped bar falls" if kind == "fall" else "between bounces the bar falls"
    return ClockEvidence(kind, factor, relative / 2, f"{what} with {value:.1f} m/s² instead of 9.8")


def bounce_gravity(times_s: Floats, height_m: Floats, after_s: float) -> list[tuple[float, float]]:
    """Return the acceleration down of each flight between bounces and its SD, in m/s2, without the scale's share.

    After a drop nobody holds the bar, so unlike the fall itself a bounce cannot be slowed by hands.

    Args:
        times_s: (T,).
        height_m: (T,), raw, up; NaN where not seen.
        after_s: Where the lift itself ended.
    """
    out = []
    for part in find_bounces(times_s, height_m, after_s):
        t, y = times_s[part], height_m[part]
        if float(np.ptp(y)) < LEAST_ARC_M:
            continue
        coefficients, covariance = np.polyfit(t - t[0], y, 2, cov="unscaled")
        off = y - np.polyval(coefficients, t - t[0])
        noise = float(np.sqrt(np.sum(off**2) / max(len(t) - 3, 1)))
        out.append((float(-2 * coefficients[0]), 2 * max(noise, 0.001) * float(np.sqrt(covariance[0, 0]))))
    return out


@dataclass(frozen=True, slots=True)
class Copies:
    """Frames that repeat the one before.

    Attributes:
        n_copies: How many.
        every: One copy in so many frames; None when they come irregularly.
        warning: For the report.
    """

    n_copies: int
    every: float | None
    warning: str | None


def find_copies(changes: Floats, frame_rate_hz: float) -> Copies:
    """Return the copies among frames, from how much each differs from the one before.

    A clip converted to a higher rate repeats frames at regular intervals: every fifth from 24 to 30 a second. Its
    times are then wrong by up to a frame.

    Args:
        changes: (T,), mean absolute grey difference to the frame before; NaN for the first.
        frame_rate_hz: Of the clip.
    """
    n = len(changes)
    usual = _usual_around(changes)
    alike = (changes < SAME_PICTURE * usual) & (usual > STILL_LEVEL)
    beside = np.concatenate([[False], alike, [False]])
    copies = np.flatnonzero(alike & ~beside[:-2] & ~beside[2:])  # several in a row are a pause
    if len(copies) < LEAST_COPIES_SHARE * n:
        return Copies(len(copies), None, None)
    gaps = np.diff(copies)
    alike_gaps = gaps[np.abs(gaps - np.median(gaps)) <= 1]
    if len(alike_gaps) < REGULAR * len(gaps):
        return Copies(len(copies), None, f"{len(copies)} of {n} frames repeat the one before: times are less sure")
    every = float(np.mean(alike_gaps))
    true_hz = frame_rate_hz * (1 - 1 / every)
    return Copies(
        len(copies),
        every,
        f"one frame in {every:.0f} repeats the one before: the clip was converted from about {true_hz:.0f} to "
        f"{frame_rate_hz:.0f} frames a second, and its times are less sure",
    )


def _usual_around(changes: Floats) -> Floats:
    """Return the usual change about each frame: of its larger half, since up to half of the frames may be copies."""
    around = np.sort(sliding_window_view(np.pad(changes, AROUND, constant_values=np.nan), 2 * AROUND + 1), axis=1)
    place = 0.75 * np.maximum(np.isfinite(around).sum(axis=1) - 1, 0)  # NaN is sorted to the end
    low, rows = place.astype(int), np.arange(len(changes))
    below, above = around[rows, low], around[rows, np.ceil(place).astype(int)]
    return np.asarray(np.nan_to_num(below + (place - low) * (above - below)))
