"""Random lifters, techniques, cameras and surroundings; the same seed gives the same lift."""

import numpy as np

from coach.domain.lift import Outcome
from perception.simulator.camera import camera_of
from perception.simulator.random_moves import random_moves
from perception.simulator.spec import (
    COLOURS,
    FAULTS,
    RATES,
    BarSpec,
    CameraSpec,
    LifterSpec,
    LiftSpec,
    LookSpec,
    Pattern,
    Rgb,
    SnatchSpec,
    VideoSpec,
    View,
)
from perception.simulator.technique import Fault, LiftKind, check_fault

_VIEW_NUMBERS: dict[View, int] = {"side": 0, "front": 1, "rear": 2, "oblique": 3}
OBLIQUE_DEG = (25.0, 65.0)  # off the side; as far off the front or rear at least

Rng = np.random.Generator


def _between(rng: Rng, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def random_lifter(rng: Rng, low_m: float = 1.50, high_m: float = 1.95) -> LifterSpec:
    """Return a lifter of a stature between two, with a plausible mass."""
    height = _between(rng, low_m, high_m)
    return LifterSpec(
        height_m=height,
        mass_kg=_between(rng, 22.0, 29.0) * height**2,
        sex="female" if rng.random() < 0.4 else "male",
        leg_factor=_between(rng, 0.985, 1.015),
        arm_factor=_between(rng, 0.985, 1.015),
    )


def random_snatch(rng: Rng, lifter: LifterSpec, fault: Fault | None, missed: bool) -> SnatchSpec:
    """Return a technique with this fault and no other, of random strength.

    A clean lift keeps a margin to every threshold of the fault library; a faulty one is beyond its own.
    """
    toward, loop = _between(rng, 0.026, 0.05), _between(rng, 0.042, 0.075)
    ankle = _between(rng, 0.09, 0.108)
    middle_foot = 0.0365 * lifter.height_m - ankle
    drop, catch = _between(rng, 0.095, 0.16), _between(rng, 0.685, 0.71)
    stretch, turnover = _between(rng, 0.87, 0.92), _between(rng, 0.82, 0.94)
    off_floor, setup = 0.0, _between(rng, 0.6, 1.5)
    if fault == "bar_forward_off_floor":
        off_floor, toward = _between(rng, 0.034, 0.06), _between(rng, -0.005, 0.015)
    if fault == "bar_swing_forward":
        loop = _between(rng, 0.165, 0.215)
    if fault == "drop_large_snatch":
        drop, catch, turnover = _between(rng, 0.30, 0.33), _between(rng, 0.655, 0.665), 0.94
        stretch = _between(rng, 0.70, 0.75)
    rearward = min(max(loop - toward - middle_foot + _between(rng, -0.015, 0.015), 0.047), 0.2)
    if fault == "net_rearward_missing":
        loop, rearward = toward + middle_foot + _between(rng, 0.03, 0.045), _between(rng, 0.0, 0.003)
    return SnatchSpec(
        outcome="not_caught" if missed else "caught",
        fault=fault,
        first_pull_speed_m_s=_between(rng, 0.95, 1.15),
        transition_loss_ratio=_between(rng, 0.0, 0.06),
        turnover_ratio=turnover,
        off_floor_m=off_floor,
        toward_m=toward,
        loop_m=loop,
        rearward_m=rearward,
        drop_m=drop,
        catch_height_ratio=catch - (0.012 if lifter.sex == "female" else 0.0),
        arm_stretch_ratio=stretch,
        start_trunk_deg=_between(rng, 29, 34),
        shoulder_ahead_m=_between(rng, 0.015, 0.04),
        end_pull_knee_deg=_between(rng, 145, 151),
        power_knee_deg=_between(rng, 127, 134),
        bar_to_ankle_m=ankle,
        release_after_apex_s=_between(rng, 0.14, 0.22),
        miss_speed_m_s=_between(rng, 0.5, 0.9),
        setup_s=setup,
        reaches_down=setup > 1.1 and rng.random() < 0.5,
        bottom_s=_between(rng, 0.2, 0.6),
        recovery_s=_between(rng, 1.3, 1.9),
        hold_s=_between(rng, 1.15, 1.6),
        tail_s=_between(rng, 1.2, 1.8),
        restitution=_between(rng, 0.3, 0.5),
    )


def random_bar(rng: Rng, body_mass_kg: float) -> BarSpec:
    """Return a loaded bar of 0.6 to 1.3 body masses; full-sized discs inside, smaller ones outside."""
    mass = max(30.0, 2.5 * round(_between(rng, 0.6, 1.3) * body_mass_kg / 2.5))
    n_full = int(rng.integers(1, 4))
    palette = COLOURS if rng.random() < 0.7 else (COLOURS[4], COLOURS[4], (0.13, 0.13, 0.14))
    chosen = [palette[int(rng.integers(len(palette)))] for _ in range(n_full)]
    widths, diameters = [_between(rng, 0.035, 0.065) for _ in range(n_full)], [0.45] * n_full
    for diameter in (0.23, 0.16)[: int(rng.integers(0, 3))]:
        widths.append(0.02)
        diameters.append(diameter)
        chosen.append(COLOURS[int(rng.integers(len(COLOURS)))])
    return BarSpec(
        mass_kg=mass, disc_widths_m=tuple(widths), disc_diameters_m=tuple(diameters), disc_colours=tuple(chosen)
    )


def random_video(rng: Rng) -> VideoSpec:
    """Return resolution, frame rate, exposure, noise and compression."""
    sizes = ((640, 480), (854, 480), (960, 540), (1280, 720), (480, 854))
    width, height = sizes[int(rng.choice(5, p=[0.32, 0.24, 0.2, 0.1, 0.14]))]
    return VideoSpec(
        width_px=width,
        height_px=height,
        rate=list(RATES)[int(rng.choice(5, p=[0.2, 0.2, 0.25, 0.15, 0.2]))],
        exposure_s=float(np.exp(rng.uniform(np.log(1 / 1000), np.log(1 / 60)))),
        noise_levels=_between(rng, 0.5, 4.0),
        gain=_between(rng, 0.85, 1.12),
        gamma=_between(rng, 0.85, 1.18),
        crf=int(rng.integers(20, 29)),
    )


def random_camera(rng: Rng, view: View, height_m: float, video: VideoSpec, lift: LiftKind = "snatch") -> CameraSpec:
    """Return a level camera 4 to 8 m away whose picture holds floor and overhead bar with a little room.

    A bar is higher, and feet are further apart, in a jerk than in a snatch: other lifts get the wider picture.
    """
    distance, height = _between(rng, 4.0, 8.0), _between(rng, 0.85, 1.25)
    nearest = distance - (0.8 if view == "side" else 0.45)
    top = 1.14 * height_m + 0.24
    reach = max(top - height, height + 0.1)
    fills = _between(rng, 0.88, 0.98)
    by_height = fills * video.height_px / 2 / reach
    by_width = video.width_px / (2.3 if view == "side" else 2.75)
    camera = CameraSpec(
        view=view,
        athlete_side="left" if rng.random() < 0.5 else "right",
        distance_m=distance,
        height_m=height,
        yaw_deg=_between(rng, -4.0, 4.0),
        focal_px=min(by_height, by_width) * nearest,
        aim_x_m=_between(rng, -0.05, 0.15) if view == "side" else 0.0,
    )
    if view in ("side", "front") and lift == "snatch":
        return camera
    if view == "oblique":
        yaw = float(rng.choice([-1, 1])) * _between(rng, *OBLIQUE_DEG)
        camera = camera.model_copy(update={"yaw_deg": yaw})
    focal = fills * widest_focal_px(camera, video, height_m)
    return camera.model_copy(update={"focal_px": min(focal, camera.focal_px) if view == "side" else focal})


def widest_focal_px(camera: CameraSpec, video: VideoSpec, height_m: float) -> float:
    """Return the longest focal length at which body, bar overhead and a split all stay in the picture of a camera.

    For any lift and direction; the bar is taken as high as in a jerk, the feet as far apart as in a split.
    """
    top = 1.22 * height_m + 0.24
    boxes = ((-0.4, 0.45, 1.12, top), (-0.7, 0.75, 0.45, 0.75 * height_m))
    corners = [
        (x, y, z) for back, front, aside, up in boxes for x in (back, front) for y in (0, up) for z in (-aside, aside)
    ]
    seen = camera_of(camera.model_copy(update={"focal_px": 1.0}), video).project(np.array(corners))
    half = np.array([video.width_px, video.height_px]) / 2
    return float(np.min(half / np.maximum(np.abs(seen - half), 1e-9)))


def _colour(rng: Rng, low: float, high: float) -> Rgb:
    r, g, b = (float(v) for v in rng.uniform(low, high, 3))
    return r, g, b


def _muted(rng: Rng, low: float, high: float) -> Rgb:
    """Return a colour as walls and floors have it: grey with a tint."""
    grey, tint = _between(rng, low, high), rng.uniform(-0.1, 0.1, 3)
    r, g, b = (float(np.clip(grey + t, 0.03, 0.97)) for t in tint)
    return r, g, b


def random_look(rng: Rng, seed: int) -> LookSpec:
    """Return colours of skin, clothes and room, and what stands around."""
    tone = _between(rng, 0.0, 1.0)
    skin = (0.36 + 0.52 * tone, 0.23 + 0.47 * tone, 0.16 + 0.44 * tone)
    shirt = _colour(rng, 0.05, 0.92)
    singlet = rng.random() < 0.4
    patterns: tuple[Pattern, ...] = ("flat", "stripes", "gradient", "bricks", "posters")
    wood = _between(rng, 0.6, 1.1)
    return LookSpec(
        seed=seed,
        skin=skin,
        hair=((0.06, 0.05, 0.04), (0.25, 0.15, 0.08), (0.7, 0.55, 0.3), (0.45, 0.43, 0.42))[int(rng.integers(4))],
        shirt=shirt,
        shorts=shirt if singlet else _colour(rng, 0.03, 0.7),
        shoes=_colour(rng, 0.05, 0.95),
        sleeves=bool(rng.random() < 0.6),
        long_legs=bool(rng.random() < 0.25) and not singlet,
        has_belt=bool(rng.random() < 0.4),
        has_knee_sleeves=bool(rng.random() < 0.5),
        wall=_muted(rng, 0.35, 0.9),
        wall_second=_muted(rng, 0.2, 0.9),
        wall_pattern=patterns[int(rng.integers(5))],
        floor=_muted(rng, 0.2, 0.55),
        platform=(0.62 * wood, 0.45 * wood, 0.28 * wood),
        has_rack=bool(rng.random() < 0.4),
        has_second_bar=bool(rng.random() < 0.3),
        has_bystander=bool(rng.random() < 0.3),
        light=_between(rng, 0.9, 1.2),
    )


def random_spec(
    seed: int,
    *,
    fault: Fault | None = None,
    missed: bool = False,
    view: View = "side",
    lift: LiftKind = "snatch",
    variant: str = "",
    outcome: Outcome | None = None,
    missed_behind: bool = False,
    reps: int | None = None,
    strength: float | None = None,
) -> LiftSpec:
    """Return one clip, drawn from `seed`.

    Args:
        seed: The same seed and arguments give the same lift, to the last pixel.
        fault: The one fault the lift has, or None for a clean lift.
        missed: The bar is lost in front instead of caught; short for outcome "not_caught".
        view: Where the camera stands.
        lift: Which lift.
        variant: Words of "full", "power", "split", "hang", "block"; of a pull, "snatch" or "clean" last.
        outcome: Of the last lift; None for a lift that is made, in a power lift with or without a drop.
        missed_behind: A bar that is not kept falls behind the lifter.
        reps: Repetitions of pull, squat and deadlift; None draws one to three.
        strength: Of the fault, 0 just beyond its threshold to 1; None draws it.

    Raises:
        ValueError: A fault, variant or outcome that this lift cannot have.
    """
    wanted = outcome or ("not_caught" if missed else None)
    is_plain = lift == "snatch" and not variant and wanted in (None, "caught", "not_caught") and not missed_behind
    if is_plain and strength is None and (fault is None or fault in FAULTS):
        check_fault(lift, variant, fault, wanted or "caught")
        return _plain_snatch(seed, fault, wanted == "not_caught", view)
    return _moved(seed, lift, variant, fault, strength, wanted, missed_behind, reps, view)


def _plain_snatch(seed: int, fault: Fault | None, missed: bool, view: View) -> LiftSpec:
    number = FAULTS.index(fault) + 1 if fault else 0
    rng = np.random.default_rng([seed, number, int(missed), _VIEW_NUMBERS[view]])
    lifter = random_lifter(rng)
    video = random_video(rng)
    return LiftSpec(
        seed=seed,
        lift="snatch",
        lifter=lifter,
        snatch=random_snatch(rng, lifter, fault, missed),
        bar=random_bar(rng, lifter.mass_kg),
        camera=random_camera(rng, view, lifter.height_m, video),
        video=video,
        look=random_look(rng, seed),
    )


_HIGHER = {
    "jerk": 1.06,
    "clean_and_jerk": 1.06,
}  # how much taller the lifter counts for a bar in a narrow grip overhead


def _moved(
    seed: int,
    lift: LiftKind,
    variant: str,
    fault: Fault | None,
    strength: float | None,
    outcome: Outcome | None,
    is_behind: bool,
    reps: int | None,
    view: View,
) -> LiftSpec:
    asked = f"{lift}/{variant}/{fault}/{strength}/{outcome}/{is_behind}/{reps}/{view}"
    rng = np.random.default_rng([seed, *asked.encode()])
    lifter, video = random_lifter(rng, 1.45, 2.00), random_video(rng)
    if outcome is None and "power" in variant.split() and lift in ("snatch", "clean") and rng.random() < 0.35:
        outcome = "caught_no_drop"
    moves = random_moves(
        rng,
        lift,
        variant=variant,
        fault=fault,
        strength=strength,
        outcome=outcome,
        is_behind=is_behind,
        reps=reps,
    )
    return LiftSpec(
        seed=seed,
        lift=lift,
        lifter=lifter,
        moves=moves,
        bar=random_bar(rng, lifter.mass_kg),
        camera=random_camera(rng, view, lifter.height_m * _HIGHER.get(lift, 1.0), video),
        video=video,
        look=random_look(rng, seed),
    )
