"""What stands around the lifter: floor, platform, wall, discs on a rack, a second bar, a bystander, lights."""

from dataclasses import dataclass, replace

import numpy as np

from perception.pose import Floats, Image
from perception.simulator.body import Body, Posture, body_of, place
from perception.simulator.camera import Camera
from perception.simulator.mannequin import disc, loaded_bar, person
from perception.simulator.shapes import Shape, axes_along, cylinder
from perception.simulator.spec import COLOURS, BarSpec, Clothes, LifterSpec, LiftSpec, LookSpec, Rgb, Sex

TEXTURE_PX = 512


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """Solids that do not move, pictures of wall and floor, and where the wall stands."""

    shapes: list[Shape]
    wall: Image
    floor: Image
    platform: Image
    wall_away_m: float


def _stripes(rng: np.random.Generator, base: Floats, other: Floats) -> Floats:
    n = int(rng.integers(3, 14))
    lines = np.arange(TEXTURE_PX) * n // TEXTURE_PX % 2
    picture = np.where(lines[:, None, None] == 1, other, base) * np.ones((1, TEXTURE_PX, 1))
    return np.asarray(picture if rng.random() < 0.5 else picture.transpose(1, 0, 2))


def _bricks(base: Floats, other: Floats) -> Floats:
    y, x = np.mgrid[:TEXTURE_PX, :TEXTURE_PX]
    row = y // 32
    joint = (y % 32 < 3) | ((x + row % 2 * 32) % 64 < 3)
    return np.where(joint[..., None], other, base)


def _posters(rng: np.random.Generator, base: Floats) -> Floats:
    """Return rectangles and rings on a plain wall: things that look like discs to a careless eye."""
    picture = np.ones((TEXTURE_PX, TEXTURE_PX, 3)) * base
    y, x = np.mgrid[:TEXTURE_PX, :TEXTURE_PX]
    for _ in range(int(rng.integers(3, 9))):
        cx, cy = rng.uniform(0, TEXTURE_PX, 2)
        w, h = rng.uniform(12, 70, 2)
        colour = rng.uniform(0.1, 0.9, 3)
        is_square = rng.random() < 0.6
        picture[(abs(x - cx) < w) & (abs(y - cy) < h) if is_square else np.hypot(x - cx, y - cy) < w / 2] = colour
    return picture


def wall_picture(look: LookSpec, rng: np.random.Generator) -> Image:
    """Return (512, 512, 3): the wall's pattern with a little grain."""
    base, other = np.array(look.wall), np.array(look.wall_second)
    plain = np.ones((TEXTURE_PX, TEXTURE_PX, 3))
    if look.wall_pattern == "stripes":
        picture = _stripes(rng, base, other)
    elif look.wall_pattern == "gradient":
        mix = np.linspace(0, 1, TEXTURE_PX)[:, None, None]
        picture = plain * (base * (1 - mix) + other * mix)
    elif look.wall_pattern == "bricks":
        picture = _bricks(base, other)
    elif look.wall_pattern == "posters":
        picture = _posters(rng, base)
    else:
        picture = plain * base
    return _grained(picture, rng, 0.02)


def _grained(picture: Floats, rng: np.random.Generator, sd: float) -> Image:
    grain = rng.normal(0, sd, picture.shape[:2])[..., None]
    return np.asarray(np.clip((picture + grain) * 255, 0, 255), dtype=np.uint8)


def _planks(colour: Rgb, rng: np.random.Generator) -> Image:
    tone = np.repeat(rng.normal(1, 0.06, 16), TEXTURE_PX // 16)
    picture = np.array(colour) * tone[:, None, None] * np.ones((1, TEXTURE_PX, 1))
    return _grained(picture, rng, 0.02)


class Room:
    """Places things by how far right and how far behind the lifter they are, as the camera sees it."""

    def __init__(self, camera: Camera) -> None:
        """Take level directions from a camera, however it is tilted."""
        level = camera.forward * np.array([1.0, 0.0, 1.0])
        self.away = level / np.linalg.norm(level) if camera.forward[1] else camera.forward
        self.right = np.cross(self.away, np.array([0.0, 1.0, 0.0]))
        self.toward = -self.away

    def at(self, right_m: float, away_m: float, up_m: float) -> Floats:
        """Return the place, right of the lifter, behind and up from the floor."""
        return np.asarray(self.right * right_m + self.away * away_m + np.array([0.0, up_m, 0.0]))


def _rack(room: Room, rng: np.random.Generator, wall_away_m: float) -> list[Shape]:
    """Return discs hung on two posts before the wall, facing the camera."""
    right = float(rng.choice([-1, 1]) * rng.uniform(0.9, 2.2))
    parts = []
    for row in range(int(rng.integers(1, 4))):
        for column in range(2):
            centre = room.at(right + column * 0.55, wall_away_m - 0.15, 0.3 + 0.5 * row)
            size = float(rng.choice([0.45, 0.45, 0.35, 0.23]))
            colour = COLOURS[int(rng.integers(len(COLOURS)))]
            parts.append(disc(centre, room.toward, size, 0.06, colour, float(rng.uniform(0, 6))))
    for column in range(2):
        post = room.at(right + column * 0.55, wall_away_m - 0.06, 0.75)
        parts.append(cylinder(post, np.array([0.0, 1.0, 0.0]), 0.03, 0.75, (0.15, 0.15, 0.16)))
    return parts


def turned_shape(shape: Shape, heading_rad: float, offset: Floats) -> Shape:
    """Return the shape turned about the vertical and then moved."""
    c, s = np.cos(heading_rad), np.sin(heading_rad)
    turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    return replace(shape, centre_m=turn @ shape.centre_m + offset, axes=turn @ shape.axes)


def _second_bar(room: Room, rng: np.random.Generator, wall_away_m: float) -> list[Shape]:
    colour = COLOURS[int(rng.integers(len(COLOURS)))]
    bar = BarSpec(mass_kg=60, disc_widths_m=(0.06,), disc_diameters_m=(0.45,), disc_colours=(colour,))
    spot = room.at(float(rng.uniform(-2, 2)), float(rng.uniform(1.5, wall_away_m - 0.6)), 0.225)
    heading = float(rng.uniform(-0.5, 0.5))
    return [turned_shape(s, heading, spot) for s in loaded_bar(np.zeros(3), bar, 0.7)]


def standing(body: Body) -> Floats:
    """Return (K, 3): a person at ease, arms hanging."""
    h = body.height_m
    leg = float(body.leg_m(172.0)) * 0.995
    one, zero = np.ones(1), np.zeros(1)
    hip = np.array([[0.01, body.ankle_height_m + leg]])
    posture = Posture(hip, 89.0 * one, zero, 0.0, 0.075 * h * one, zero, 12.0 * one)
    neck = hip[0] + np.array([0.01, body.trunk_m])
    hands = {
        side: np.array([[neck[0] + 0.06 * h, neck[1] - 0.93 * body.arm_m, sign * (body.shoulder_half_m + 0.05 * h)]])
        for side, sign in (("left", -1), ("right", 1))
    }
    return np.asarray(place(body, posture, hands, np.array([[-0.9, 0.0, 0.3]]))[0])


def _bystander(room: Room, rng: np.random.Generator, wall_away_m: float) -> list[Shape]:
    sex: Sex = "female" if rng.random() < 0.5 else "male"
    body = body_of(LifterSpec(height_m=float(rng.uniform(1.55, 1.85)), mass_kg=70, sex=sex))
    shirt, shorts, hair = (random_colour(rng) for _ in range(3))
    clothes = Clothes(
        skin=(0.78, 0.58, 0.47),
        hair=hair,
        shirt=shirt,
        shorts=shorts,
        shoes=(0.9, 0.9, 0.9),
        sleeves=True,
        long_legs=True,
        has_belt=False,
        has_knee_sleeves=False,
    )
    side = float(rng.choice([-1, 1]) * rng.uniform(0.9, 1.7))
    spot = room.at(side, float(rng.uniform(1.2, wall_away_m - 0.3)), 0.0)
    heading = float(rng.uniform(0, 2 * np.pi))
    return [turned_shape(s, heading, spot) for s in person(standing(body), body, 1.0, clothes)]


def random_colour(rng: np.random.Generator) -> Rgb:
    """Return any colour but the brightest."""
    red, green, blue = rng.uniform(0.05, 0.85, 3)
    return float(red), float(green), float(blue)


def wall_away_m(look: LookSpec) -> float:
    """Return how far behind the lifter the wall stands."""
    return float(np.random.default_rng([look.seed, 7]).uniform(2.4, 4.0))


def surroundings_of(spec: LiftSpec, camera: Camera) -> Surroundings:
    """Return everything around the lifter; the same spec gives the same room."""
    look = spec.look
    rng = np.random.default_rng([look.seed, 7])
    room = Room(camera)
    wall_away = float(rng.uniform(2.4, 4.0))  # as `wall_away_m`
    shapes: list[Shape] = []
    if look.has_rack:
        shapes += _rack(room, rng, wall_away)
    if look.has_second_bar:
        shapes += _second_bar(room, rng, wall_away)
    if look.has_bystander:
        shapes += _bystander(room, rng, wall_away)
    skirting = Shape(
        "box",
        room.at(0, wall_away - 0.02, 0.06),
        axes_along(room.toward, np.array([0.0, 1.0, 0.0])),
        (8.0, 0.06, 0.02),
        (0.2, 0.2, 0.2),
    )
    floor = _grained(np.ones((TEXTURE_PX, TEXTURE_PX, 3)) * np.array(look.floor), rng, 0.03)
    return Surroundings([*shapes, skirting], wall_picture(look, rng), floor, _planks(look.platform, rng), wall_away)
