"""The moment at the hip through the first pull as a share of its own peak, with a band, or the reason why not."""

from dataclasses import dataclass

import numpy as np

from perception.ground_force import LONGEST_GAP_S, MIN_TRUSTED, FloorForces, Loads, system_of, trusted
from perception.moments import joint_moments, residual_ratio
from perception.pose import Floats, check_shape, freeze
from perception.segments import Sex
from perception.skeleton import PLACES
from perception.world import PLACE_SD_M

LARGEST_RESIDUAL = 0.20  # of the moment at L5/S1; biomechanics sheet 3.3, and see docs/accuracy.md
BAND_FACTOR = 1.3  # on the SD of the draws; on simulated lifts it holds the truth nine times in ten
LOOSEST = 1.5  # of the SD of a keypoint that is seen, above which it was guessed
STEP_S = 0.01  # s, between the points of the trend
NO_PHASE = "no clear end of the first pull was seen"
POSE_LOST = "the pose was lost in the first pull"
HIDDEN = "hips or shoulders were hidden in the first pull"
CONTRADICTS = "the pose contradicts itself in the first pull: the floor would have to push outside the feet"
Z90 = 1.645  # half width of a 90 % interval in SD


@dataclass(frozen=True, slots=True, eq=False)
class HipTrend:
    """Net moment of both hips together from lift-off to the end of the first pull; positive straightens the hips.

    Attributes:
        times_s: (T,), of the clip.
        share: (T,), moment over its own largest value in these times; no unit.
        low, high: (T,), 90 % band about it.
        residual_ratio: Of the check at L5/S1, below LARGEST_RESIDUAL.
    """

    times_s: Floats
    share: Floats
    low: Floats
    high: Floats
    residual_ratio: float

    def __post_init__(self) -> None:
        for name in ("share", "low", "high"):
            check_shape(name, getattr(self, name), (len(self.times_s),))
        freeze(self.times_s, self.share, self.low, self.high)


def hip_trend(floor: FloorForces) -> HipTrend | str:
    """Return the trend of one lift, or why there is none.

    Only the first pull: later the joints move faster than the pose of one camera follows, and no simulated lift can
    tell how wrong the curve is. No newton metres: joint centres and segment tables leave their level open by a third and
    more (biomechanics sheet 3.1, level C), their shape less.

    Args:
        floor: The forces of the lift; its draws give the band.
    """
    loads = floor.loads
    if loads is None:
        return floor.reason
    at = loads.lift.times_s
    if "end_first_pull" not in at:
        return NO_PHASE
    start_s, end_s = at["lift_off"], at["end_first_pull"]
    if trusted(loads.seen, start_s, end_s)[1] > LONGEST_GAP_S["phase"]:
        return POSE_LOST
    if _seen_share(loads, start_s, end_s) < MIN_TRUSTED:
        return HIDDEN
    system = system_of(loads)
    moments = joint_moments(system, loads.motion.states(system.times_s), loads.motion.bones)
    apart = residual_ratio(moments, start_s, end_s)
    if not apart < LARGEST_RESIDUAL:
        return CONTRADICTS
    t = np.arange(start_s, end_s + STEP_S / 2, STEP_S)
    middle = np.interp(t, moments.times_s, moments.hip_nm)
    peak = float(np.max(np.abs(middle)))
    drawn = np.array([_hip_nm(draw.loads, draw.sex, t) for draw in floor.draws])
    error = np.hypot(BAND_FACTOR * np.std(drawn, axis=0, ddof=1), 0.5 * (np.mean(drawn, axis=0) - middle))
    reach = Z90 * error / peak
    return HipTrend(t, middle / peak, middle / peak - reach, middle / peak + reach, apart)


def _seen_share(loads: Loads, start_s: float, end_s: float) -> float:
    """Return the share of frames between two times in which hips and shoulders were seen, not guessed behind a plate."""
    inside = (loads.seen.times_s >= start_s) & (loads.seen.times_s <= end_s)
    sd = {name: loads.seen.sd_m[inside, PLACES.index(name)] for name in ("hip", "shoulder")}
    seen = np.all([sd[name] <= LOOSEST * PLACE_SD_M[name] for name in sd], axis=0)
    return float(np.mean(seen)) if len(seen) else 0.0


def _hip_nm(loads: Loads, sex: Sex, times_s: Floats) -> Floats:
    system = system_of(loads, sex)
    moments = joint_moments(system, loads.motion.states(system.times_s), loads.motion.bones, sex)
    return np.interp(times_s, moments.times_s, moments.hip_nm)
