"""People around the lifter who move: somebody who walks through the picture, and a second lifter at the back."""

from collections.abc import Callable

import numpy as np

from perception.pose import INDEX, Floats
from perception.simulator.body import Body, bend, body_of
from perception.simulator.camera import Camera
from perception.simulator.mannequin import lifter_and_bar, person
from perception.simulator.random_spec import random_spec
from perception.simulator.shapes import Shape
from perception.simulator.simulation import simulate
from perception.simulator.spec import Clothes, LifterSpec, LiftSpec
from perception.simulator.surroundings import Room, random_colour, standing, turned_shape

WALK_M_S = (0.7, 1.3)  # m/s
STEP_PER_HEIGHT = 0.42  # step length over stature at that speed; judged from films
_Moving = Callable[[float], list[Shape]]


def walking(body: Body, phase: float) -> Floats:
    """Return (K, 3): a person in the middle of a walk; `phase` in radians, two steps in 2 pi, on the spot."""
    points = standing(body)
    half_m = STEP_PER_HEIGHT * body.height_m / 2
    upper = [INDEX[n] for n in INDEX if not any(part in n for part in ("knee", "ankle", "heel", "toe"))]
    points[upper, 1] -= half_m**2 / (body.thigh_m + body.shank_m) * 0.55
    for side, sign in (("left", 1.0), ("right", -1.0)):
        swing, lift = sign * np.sin(phase), max(0.0, sign * np.cos(phase))
        for part in ("ankle", "heel", "toe"):
            points[INDEX[f"{side}_{part}"]] += np.array([half_m * swing, 0.09 * lift, 0.0])
        _bend(points, body, (f"{side}_hip", f"{side}_knee", f"{side}_ankle"), 1.0)
        points[INDEX[f"{side}_hand"], 0] -= 0.6 * half_m * swing
        points[INDEX[f"{side}_hand"], 1] += 0.05
        _bend(points, body, (f"{side}_shoulder", f"{side}_elbow", f"{side}_hand"), -1.0)
        elbow, hand = points[INDEX[f"{side}_elbow"]], points[INDEX[f"{side}_hand"]]
        points[INDEX[f"{side}_wrist"]] = elbow + (hand - elbow) * body.forearm_m / (body.forearm_m + body.hand_m)
    return points


def _bend(points: Floats, body: Body, names: tuple[str, str, str], forward: float) -> None:
    """Put the middle joint of a limb where its bones allow, the end nearer if they are too short."""
    a, b, c = (INDEX[name] for name in names)
    is_leg = "hip" in names[0]
    first, second = (body.thigh_m, body.shank_m) if is_leg else (body.upper_arm_m, body.forearm_m + body.hand_m)
    reach = float(np.linalg.norm(points[c] - points[a]))
    longest = 0.999 * (first + second)
    if reach > longest:
        points[c] = points[a] + (points[c] - points[a]) * longest / reach
    points[b] = bend(points[None, a], points[None, c], first, second, np.array([[forward, 0.0, 0.0]]))[0]


def _passer(spec: LiftSpec, room: Room) -> _Moving:
    """Return somebody who walks across the picture once, behind the lifter or between the camera and the discs."""
    rng = np.random.default_rng([spec.look.seed, 19])
    body = body_of(LifterSpec(height_m=float(rng.uniform(1.6, 1.9)), mass_kg=75, sex="male"))
    clothes = Clothes(
        skin=(0.7, 0.5, 0.4),
        hair=(0.1, 0.08, 0.07),
        shirt=random_colour(rng),
        shorts=random_colour(rng),
        shoes=(0.2, 0.2, 0.2),
        sleeves=True,
        long_legs=bool(rng.random() < 0.6),
        has_belt=False,
        has_knee_sleeves=False,
    )
    away_m = float(rng.uniform(1.0, 2.0) if spec.look.passer == "behind" else -rng.uniform(1.4, 1.9))
    way, speed, crosses_s = float(rng.choice([-1, 1])), float(rng.uniform(*WALK_M_S)), float(rng.uniform(-0.5, 4.0))
    direction = room.right * way
    heading = float(np.arctan2(-direction[2], direction[0]))
    rate = np.pi * speed / (STEP_PER_HEIGHT * body.height_m)

    def at(time_s: float) -> list[Shape]:
        right_m = way * speed * (time_s - crosses_s)
        if abs(right_m) > 4.0:
            return []
        figure = person(walking(body, rate * time_s), body, 1.0, clothes)
        return [turned_shape(s, heading, room.at(right_m, away_m, 0.0)) for s in figure]

    return at


def _second_lifter(spec: LiftSpec, room: Room) -> _Moving:
    """Return another lifter who snatches at the back, a little before or after."""
    rng = np.random.default_rng([spec.look.seed, 23])
    other = random_spec(int(rng.integers(2**31)))
    motion = simulate(other)
    later_s, heading = float(rng.uniform(-1.5, 2.5)), float(rng.uniform(-np.pi, np.pi))
    spot = room.at(float(rng.choice([-1, 1]) * rng.uniform(1.0, 1.8)), float(rng.uniform(1.6, 2.2)), 0.0)

    def at(time_s: float) -> list[Shape]:
        now = np.array([np.clip(time_s - later_s, motion.start_s, motion.end_s)])
        parts = lifter_and_bar(motion.keypoints(now), motion.bar(now), 0, motion.body, 1.0, other.look, other.bar)
        return [turned_shape(s, heading, spot) for s in parts]

    return at


def moving_people(spec: LiftSpec, camera: Camera) -> _Moving:
    """Return what draws the people who move, besides the lifter, at a time in seconds after lift-off."""
    room = Room(camera)
    groups: list[_Moving] = []
    if spec.look.passer != "none":
        groups.append(_passer(spec, room))
    if spec.look.has_second_lifter:
        groups.append(_second_lifter(spec, room))

    def at(time_s: float) -> list[Shape]:
        return [shape for group in groups for shape in group(time_s)]

    return at
