"""The bar bends: discs on springy sleeves lag behind the hands."""

import numpy as np

from perception.pose import Floats
from perception.simulator.bar_path import GRAVITY_M_S2, BarState
from perception.simulator.spec import BarSpec

STEP_S = 0.001  # s, of the integration; the quickest bar here swings in 0.07 s
DAMPING = 0.06  # of critical; loaded bars are seen to swing several times after the catch
SAG_M_KG = (
    5e-5  # m/kg, sag of a held bar per mass on it: a 28 mm steel beam, hands 0.42 m, discs 0.75 m from its middle
)


def discs_offset_m(bar: BarSpec, times_s: Floats, state: BarState) -> Floats:
    """Return (T,), how far the middle of the discs is above (+) or below (-) the hands' bar.

    A damped oscillator relative to the hands, d'' + 2 z w d' + w^2 d = -(g + a), with w^2 = g / sag and `a` the upward
    acceleration of the hands' bar; nothing pulls while the bar rests on the floor, and discs do not sink into it.

    Args:
        bar: Its `sag_m`; 0 for a bar that does not bend.
        times_s: (T,), even and no more than a few milliseconds apart.
        state: The hands' bar at these times.
    """
    offset = np.zeros(len(times_s))
    if bar.sag_m == 0.0:
        return offset
    rate = np.sqrt(GRAVITY_M_S2 / bar.sag_m)
    height, acceleration = state.position_m[:, 1], state.acceleration_m_s2[:, 1]
    on_floor = (height < 1e-4) & (np.abs(state.velocity_m_s[:, 1]) < 1e-3)
    pull = np.where(on_floor, 0.0, GRAVITY_M_S2 + acceleration).tolist()
    lowest = (-np.maximum(height, 0.0)).tolist()
    d, v = 0.0 if on_floor[0] else -bar.sag_m, 0.0
    for i in range(1, len(times_s)):
        step_s = float(times_s[i] - times_s[i - 1])
        v += step_s * (-pull[i] - 2 * DAMPING * rate * v - rate * rate * d)
        d += step_s * v
        if d < lowest[i]:
            d, v = lowest[i], max(v, 0.0)
        offset[i] = d
    return offset
