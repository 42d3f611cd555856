"""Free flights of a dropped bar: what happens between its bounces, when nobody holds it."""

from itertools import pairwise

import numpy as np

from perception.pose import Floats

IMPACT_SHARE = 0.25  # of the fastest fall: a change of speed from one sample to the next that is a hit on the floor
DROP_SHARE = 0.35  # of all the travel after the lift: what falls less has been put down
LEAST_SAMPLES = 5
LEAST_S = 0.10
PARABOLA_SHARE = 0.06  # of an arc's height: how far samples may lie off a parabola
NEAR_FLOOR = 0.08  # of an arc's height; samples below may be blurred by the hit


def find_bounces(times_s: Floats, height: Floats, after_s: float) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Return the frames of each flight between bounces after a drop, without those on the floor.

    Args:
        times_s: (T,).
        height: (T,), up, in any unit; NaN where not seen.
        after_s: Where the lift itself ended.
    """
    frames = np.flatnonzero(np.isfinite(height) & (times_s > after_s))
    if len(frames) < 2 * LEAST_SAMPLES:
        return []
    t, y = times_s[frames], height[frames]
    speed = np.diff(y) / np.diff(t)
    fastest, travel = -float(np.min(speed)), float(np.ptp(y))
    turns = (speed[:-1] < 0) & (speed[1:] > 0) & (speed[1:] - speed[:-1] > IMPACT_SHARE * fastest)
    hits = [int(h) for h in np.flatnonzero(turns) + 1 if float(np.max(y[:h])) - float(y[h]) > DROP_SHARE * travel]
    out = []
    for first, stop in pairwise([*hits, len(t)]):
        arc = np.arange(first + 1, stop)
        if len(arc) < LEAST_SAMPLES:
            continue
        top = int(arc[np.argmax(y[arc])])
        floor = max(float(y[first]), float(np.min(y[top:stop])))
        flying = arc[y[arc] > floor + NEAR_FLOOR * (float(y[top]) - floor)]
        if len(flying) >= LEAST_SAMPLES and t[flying[-1]] - t[flying[0]] >= LEAST_S and _flies(t[flying], y[flying]):
            out.append(frames[flying])
    return out


def _flies(t: Floats, y: Floats) -> bool:
    """Return whether an arc bends down like a thrown thing; a bar that rolls or is lost does not."""
    curve = np.polyfit(t - t[0], y, 2)
    off = float(np.sqrt(np.mean((y - np.polyval(curve, t - t[0])) ** 2)))
    return bool(curve[0] < 0 and off < PARABOLA_SHARE * float(np.ptp(y)))
