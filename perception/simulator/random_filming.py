"""Random tilts, moving cameras, cuts, times of frames and busy scenes, on top of a lift that is drawn already."""

from typing import get_args

import numpy as np

from perception.simulator.camera import PAN_S, camera_of
from perception.simulator.random_spec import Rng, random_camera, widest_focal_px
from perception.simulator.spec import (
    COLOURS,
    VIEWS,
    BarSpec,
    CameraSpec,
    CutSpec,
    Face,
    Filming,
    Handling,
    LiftSpec,
    LookSpec,
    MovementSpec,
    Rgb,
    Timing,
    VideoSpec,
)
from perception.simulator.whip import SAG_M_KG

HANDLINGS: tuple[Handling, ...] = get_args(Handling)
TIMINGS: tuple[Timing, ...] = get_args(Timing)
FULL_M = 0.45  # m, discs of this diameter reach the height that the rules ask for, IWF TCRR
ROOM_TO_MOVE = 0.84  # of the focal length that just holds the lift, for a camera that moves
EMPTY_BAR_KG = 20.0  # kg, of the bar for men
DARK_PLATES: tuple[Rgb, ...] = ((0.05, 0.05, 0.055), (0.09, 0.09, 0.1), (0.03, 0.03, 0.03))


def filmed(spec: LiftSpec, filming: Filming, number: int, rng: Rng) -> LiftSpec:
    """Return the lift, filmed as asked.

    Args:
        spec: A lift filmed by a still, level camera.
        filming: What is asked for.
        number: Of the clip in its set: "mixed" wishes take turns by it.
        rng: Of everything else.
    """
    if filming == Filming():
        return spec
    camera, video, height_m = spec.camera, spec.video, spec.lifter.height_m
    timing = TIMINGS[number % len(TIMINGS)] if filming.timing == "mixed" else filming.timing
    video = timed(rng, video, timing)
    if filming.is_tilted:
        camera = tilted(rng, camera, video, height_m)
    handling = HANDLINGS[number % len(HANDLINGS)] if filming.handling == "mixed" else filming.handling
    if handling:
        camera = moved(rng, camera, video, height_m, handling)
    changes: dict[str, object] = {"camera": camera, "video": video}
    if filming.has_cut:
        changes["cuts"] = (random_cut(rng, camera, video, height_m),)
    if filming.is_busy:
        changes |= {"bar": random_plates(rng, spec.bar), "look": busy(rng, spec.look)}
    if filming.is_bare:
        none: dict[str, object] = {"disc_widths_m": (), "disc_diameters_m": (), "disc_colours": (), "sag_m": 0.0}
        changes["bar"] = spec.bar.model_copy(update={"mass_kg": EMPTY_BAR_KG, **none})
    return spec.model_copy(update=changes)


def timed(rng: Rng, video: VideoSpec, timing: Timing) -> VideoSpec:
    """Return the video with this timing; slow motion is recorded at 60, 120 or 240 and stored at 30 or 25."""
    changes: dict[str, object] = {"timing": timing}
    if timing == "slow":
        factor = float(rng.choice([2.0, 4.0, 8.0], p=[0.3, 0.5, 0.2]))
        shutter_s = min(video.exposure_s, 0.5 / (30 * factor))
        changes |= {"slow_factor": factor, "rate": str(rng.choice(["30", "25"])), "exposure_s": shutter_s}
    return video.model_copy(update=changes)


def tilted(rng: Rng, camera: CameraSpec, video: VideoSpec, height_m: float) -> CameraSpec:
    """Return the camera higher or lower, looking down or up at the lifter, and up to 3 degrees off level."""
    height, distance = float(rng.uniform(0.3, 2.1)), camera.distance_m
    looks_at_m = 0.6 * height_m + float(rng.uniform(-0.1, 0.1))
    pitch = float(np.rad2deg(np.arctan2(looks_at_m - height, distance)))
    turned = camera.model_copy(
        update={"height_m": height, "pitch_deg": pitch, "roll_deg": float(rng.uniform(-3.0, 3.0))}
    )
    return turned.model_copy(
        update={"focal_px": float(rng.uniform(0.9, 0.98)) * widest_focal_px(turned, video, height_m)}
    )


def moved(rng: Rng, camera: CameraSpec, video: VideoSpec, height_m: float, handling: Handling) -> CameraSpec:
    """Return the camera held in the hand, panning, zooming or following the bar; the last three tremble as well."""
    focal = min(camera.focal_px, ROOM_TO_MOVE * widest_focal_px(camera, video, height_m))
    strong = handling == "shake"
    move: dict[str, float] = {
        "shake_deg": float(rng.uniform(0.1, 0.45) if strong else rng.uniform(0.0, 0.12)),
        "shake_m": float(rng.uniform(0.002, 0.012) if strong else 0.0),
    }
    if handling == "pan":
        half_m = camera.distance_m * video.width_px / 2 / focal  # of what is seen at the lifter
        spare_deg = np.rad2deg(
            np.arctan2(max(half_m - (0.8 if camera.view == "side" else 1.2), 0.1), camera.distance_m)
        )
        move["pan_deg_s"] = float(rng.choice([-1, 1]) * rng.uniform(0.5, 1.0) * min(spare_deg / PAN_S[1], 2.5))
    if handling == "zoom":
        ratio = float(rng.choice([rng.uniform(0.7, 0.88), rng.uniform(1.12, 1.4)]))
        move["zoom_ratio"], focal = ratio, focal / max(1.0, ratio)
    if handling == "follow":
        move["follow_ratio"] = float(rng.uniform(0.25, 0.6))
    movement = MovementSpec(seed=int(rng.integers(2**31)), **move)
    return camera.model_copy(update={"focal_px": focal, "movement": movement})


def random_cut(rng: Rng, camera: CameraSpec, video: VideoSpec, height_m: float) -> CutSpec:
    """Return some frames of a close-up from the same place or of a camera elsewhere."""
    start, lasts = float(rng.uniform(0.08, 0.8)), float(rng.uniform(0.07, 0.3))
    if rng.random() < 0.5:
        still = camera_of(camera, video)
        up_m = float(rng.uniform(0.5, 0.85)) * height_m - camera.height_m
        pitch = np.rad2deg(np.arctan2(up_m, camera.distance_m))
        changes = {"focal_px": still.focal_px * float(rng.uniform(1.8, 2.6)), "pitch_deg": float(pitch)}
        other = camera.model_copy(update=changes | {"movement": MovementSpec()})
    else:
        views = [view for view in VIEWS if view != camera.view]
        other = random_camera(rng, views[int(rng.integers(len(views)))], height_m, video)
    return CutSpec(start_ratio=start, end_ratio=min(start + lasts, 0.99), camera=other)


def random_plates(rng: Rng, bar: BarSpec) -> BarSpec:
    """Return the bar with bumpers, thin iron discs of 0.35 to 0.40 m or light technique discs, and a sag."""
    kind = str(rng.choice(["bumper", "iron", "technique"], p=[0.6, 0.25, 0.15]))
    faces: tuple[Face, ...] = ("plain", "lettered", "holes", "spokes")
    sag_m = min(bar.mass_kg * SAG_M_KG * float(rng.uniform(0.6, 1.6)), 0.015)
    changes: dict[str, object] = {
        "faces": faces[int(rng.integers(4))],
        "shine": float(rng.uniform(0.05, 0.95)),
        "sag_m": sag_m,
    }
    is_full = [d >= bar.plate_diameter_m for d in bar.disc_diameters_m]
    if kind == "iron":
        size = float(rng.uniform(0.35, 0.40))
        changes |= {
            "plate_diameter_m": size,
            "disc_diameters_m": tuple(size if f else d for f, d in zip(is_full, bar.disc_diameters_m, strict=True)),
            "disc_widths_m": tuple(float(rng.uniform(0.022, 0.035)) if f else 0.02 for f in is_full),
            "disc_colours": tuple(DARK_PLATES[int(rng.integers(3))] for _ in is_full),
            "faces": str(rng.choice(["holes", "spokes", "lettered"])),
        }
    if kind == "technique":
        pale = COLOURS[int(rng.choice([3, 4, 5]))]
        changes |= {"disc_widths_m": (0.03,), "disc_diameters_m": (FULL_M,), "disc_colours": (pale,)}
    return BarSpec.model_validate(bar.model_dump() | changes)


def busy(rng: Rng, look: LookSpec) -> LookSpec:
    """Return the scene with people who walk or lift, and in a quarter of cases a dark room."""
    passers = ("none", "behind", "in_front")
    changes: dict[str, object] = {
        "passer": passers[int(rng.choice(3, p=[0.45, 0.4, 0.15]))],
        "has_second_lifter": bool(rng.random() < 0.3),
    }
    if rng.random() < 0.25:
        dark = {name: tuple(0.4 * c for c in getattr(look, name)) for name in ("wall", "wall_second", "floor")}
        changes |= dark | {"light": float(rng.uniform(0.5, 0.8))}
    return look.model_copy(update=changes)
