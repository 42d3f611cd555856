"""Forces of lifter and bar on the floor, and work on both, from how their centres of mass move."""

from dataclasses import dataclass

import numpy as np

from perception.force import GRAVITY_M_S2
from perception.pose import Floats, check_shape, freeze


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """Lifter and bar over a lift, on an even grid of times; x forward, y up, metres and seconds.

    Attributes:
        times_s: (T,), even steps.
        com_m, com_m_s, com_m_s2: (T, 2), the body's centre of mass, its velocity and acceleration.
        bar_m, bar_m_s, bar_m_s2: (T, 2), the same of the bar.
        body_mass_kg, bar_mass_kg: More than 0.
    """

    times_s: Floats
    com_m: Floats
    com_m_s: Floats
    com_m_s2: Floats
    bar_m: Floats
    bar_m_s: Floats
    bar_m_s2: Floats
    body_mass_kg: float
    bar_mass_kg: float

    def __post_init__(self) -> None:
        arrays = (self.com_m, self.com_m_s, self.com_m_s2, self.bar_m, self.bar_m_s, self.bar_m_s2)
        for array in arrays:
            check_shape("motion", array, (len(self.times_s), 2))
        if self.body_mass_kg <= 0 or self.bar_mass_kg <= 0:
            raise ValueError(f"masses must be positive, got {self.body_mass_kg} and {self.bar_mass_kg} kg")
        freeze(self.times_s, *arrays)

    @property
    def weight_n(self) -> float:
        """Weight of lifter and bar."""
        return (self.body_mass_kg + self.bar_mass_kg) * GRAVITY_M_S2


def rates(times_s: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Return first and second derivative of values (T, D) on an even grid, by central differences."""
    speed = np.gradient(values, times_s, axis=0)
    inner = (values[2:] - 2 * values[1:-1] + values[:-2]) / (times_s[1] - times_s[0]) ** 2
    return speed, np.concatenate([inner[:1], inner, inner[-1:]])


def moving_system(times_s: Floats, com_m: Floats, bar_m: Floats, body_mass_kg: float, bar_mass_kg: float) -> System:
    """Return the system of two smooth paths (T, 2) on an even grid; the summed centre of mass is differentiated once."""
    com_speed, com_acceleration = rates(times_s, com_m)
    bar_speed, bar_acceleration = rates(times_s, bar_m)
    return System(
        times_s=times_s.copy(),
        com_m=com_m.copy(),
        com_m_s=com_speed,
        com_m_s2=com_acceleration,
        bar_m=bar_m.copy(),
        bar_m_s=bar_speed,
        bar_m_s2=bar_acceleration,
        body_mass_kg=body_mass_kg,
        bar_mass_kg=bar_mass_kg,
    )


def ground_force(system: System) -> Floats:
    """Return (T, 2), the force of the floor on lifter and bar, forward and up, in newtons.

    F = m_body (g + a_com) + m_bar (g + a_bar). While the bar rests on the floor this is what feet and plates carry
    together: only after lift-off is it the force under the feet.

    Source: Newton's second law for both bodies; biomechanics sheet 3.1, level B.
    """
    gravity = np.array([0.0, GRAVITY_M_S2])
    body = system.body_mass_kg * (gravity + system.com_m_s2)
    return np.asarray(body + system.bar_mass_kg * (gravity + system.bar_m_s2))


@dataclass(frozen=True, slots=True)
class PhaseForce:
    """Force of the floor in one phase, from momentum alone.

    Attributes:
        mean_force_n: Vertical.
        impulse_n_s: Its product with the time.
        weight_ratio: Mean over the weight of lifter and bar.
    """

    mean_force_n: float
    impulse_n_s: float
    weight_ratio: float


def phase_force(system: System, start_s: float, end_s: float) -> PhaseForce:
    """Return the mean vertical force between two times: what momentum gained, plus weight.

    F = sum m (dv / dt + g), so it needs speeds at the two ends and no acceleration.

    Raises:
        ValueError: `end_s` is not after `start_s`.
    """
    if end_s <= start_s:
        raise ValueError(f"a phase must last, got {start_s} to {end_s} s")
    at = np.array([start_s, end_s])
    body, bar = (np.interp(at, system.times_s, v[:, 1]) for v in (system.com_m_s, system.bar_m_s))
    gained = system.body_mass_kg * (body[1] - body[0]) + system.bar_mass_kg * (bar[1] - bar[0])
    span = end_s - start_s
    impulse = float(gained) + system.weight_n * span
    return PhaseForce(impulse / span, impulse, impulse / span / system.weight_n)


def system_work(system: System, start_s: float, end_s: float) -> tuple[float, float]:
    """Return what the energy of body and bar grew by between two times, in joules: of the body, and of the bar.

    E = m (g y + v^2 / 2) of each centre of mass. Limbs that move about the body's centre, and muscles that work against
    each other, are left out, so it is a floor of the work done.
    """
    at = np.array([start_s, end_s])

    def energy(mass: float, place: Floats, speed: Floats) -> float:
        y, vx, vy = (np.interp(at, system.times_s, z) for z in (place[:, 1], speed[:, 0], speed[:, 1]))
        total = mass * (GRAVITY_M_S2 * y + (vx**2 + vy**2) / 2)
        return float(total[1] - total[0])

    body = energy(system.body_mass_kg, system.com_m, system.com_m_s)
    return body, energy(system.bar_mass_kg, system.bar_m, system.bar_m_s)


def impulse_ratio(system: System, start_s: float, end_s: float) -> float:
    """Return the force curve's integral over the momentum and weight it must explain; 1 when they agree."""
    inside = (system.times_s >= start_s) & (system.times_s <= end_s)
    t = system.times_s[inside]
    integral = float(np.trapezoid(ground_force(system)[inside, 1], t))
    return integral / phase_force(system, float(t[0]), float(t[-1])).impulse_n_s
