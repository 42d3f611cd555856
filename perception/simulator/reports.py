"""Reports of simulated lifts without a clip: true measures with the errors that an analysis would make.

Thousands of lifts for examples and cases in minutes: nothing is rendered but, when wanted, a few key frames.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image as Pictures

from coach.domain.conversation import Picture
from coach.domain.lift import CameraFacts, ClipFacts, Instant, InstantName, Lift, PoseFacts, Report, ScaleFacts
from coach.domain.measures import MEASURES, Measure, Source
from perception.simulator.camera import camera_of
from perception.simulator.mannequin import lifter_and_bar
from perception.simulator.render import Stage
from perception.simulator.simulation import Motion, simulate
from perception.simulator.spec import LiftSpec
from perception.simulator.surroundings import surroundings_of
from perception.simulator.truth import Truth, frame_times, truth_of

PICTURED: tuple[InstantName, ...] = ("start", "peak_velocity", "max_height", "catch")
_JPEG_QUALITY = 88
_SD = {  # smallest and largest SD of a measure's error by unit, as analyses of simulated clips report them
    "m": (0.003, 0.012),
    "m/s": (0.018, 0.05),
    "m/s2": (0.1, 0.4),
    "s": (0.01, 0.02),
    "deg": (4.0, 9.0),
    "1": (0.008, 0.02),
    "J": (10.0, 30.0),
    "W": (15.0, 60.0),
    "N": (5.0, 60.0),
    "N s": (6.0, 20.0),
}
_PLATE_SD_M = (0.002, 0.006)  # of distances that one plate shows against itself
_PLATE_WORDS = ("forward", "toward", "rearward", "drop", "dip_depth")
_GROUPS: tuple[tuple[float, str, str], ...] = (  # how often, why, and what an analysis does not measure
    (0.35, "no clear transition between first and second pull was seen", "first_pull transition second_pull"),
    (0.35, "the joints were hidden or did not fit a body at this moment", "knee_angle_start trunk_angle"),
    (0.2, "the joints were hidden or did not fit a body at this moment", "hip_angle knee_angle_catch foot_jump"),
    (0.4, "the hands were hidden and do not agree with the plate", "bar_to_foot"),
    (0.15, "no bar mass was given: --bar-mass", "work power force impulse"),
)
_NOT_TOLD = "the mass of the body was not told (--body-mass)"
_ALWAYS = {
    **{name: _NOT_TOLD for name in MEASURES if name.startswith(("ground_force", "body_work", "system_"))},
    "elbow_bend_pull_deg": "from the side a wide grip hides how far the arms bend, and one camera cannot tell",
}
_AT: dict[str, InstantName] = {  # the frame of a measure is that of this instant
    "bar_peak_velocity_m_s": "peak_velocity",
    "bar_max_height_m": "max_height",
    "bar_forward_off_floor_m": "end_first_pull",
    "bar_toward_first_pull_m": "end_first_pull",
    "bar_first_pull_peak_velocity_m_s": "end_first_pull",
    "transition_velocity_loss_ratio": "power_position",
    "bar_forward_loop_m": "max_height",
    "knee_angle_start_deg": "start",
    "trunk_angle_start_deg": "start",
    "trunk_angle_loss_first_pull_deg": "end_first_pull",
}


def simulated_report(spec: LiftSpec, seed: int) -> Report:
    """Return what an analysis of a simulated lift might report: truth plus errors that its intervals admit.

    Args:
        spec: The lift.
        seed: Of the errors and of what is not measured; the same seed gives the same report.
    """
    return report_of(truth_of(spec, simulate(spec), f"simulated-{spec.seed}.mp4"), seed)


def report_of(truth: Truth, seed: int) -> Report:
    """Return a report with errors drawn from `seed` about one truth."""
    rng = np.random.default_rng([truth.seed % 2**31, seed, 5])
    instants = {name: _instant(at.time_s, truth, rng) if at else None for name, at in truth.instants.items()}
    measures, missing = _measures(truth, instants, rng)
    lift = Lift(
        lift=truth.lift,
        number=1,
        outcome=truth.outcome,
        instants=instants,
        measures=measures,
        not_measured=missing,
    )
    return Report(
        clip=ClipFacts(
            file_name=truth.file_name,
            sha256="0" * 64,
            width_px=truth.width_px,
            height_px=truth.height_px,
            rotation_deg=0,
            n_frames=len(truth.times_s),
            duration_s=round(len(truth.times_s) / truth.frame_rate_hz, 3),
            frame_rate_hz=truth.frame_rate_hz,
            is_variable_rate=truth.is_variable_rate,
        ),
        pose=PoseFacts(estimator="simulated", weights_sha256="0" * 64, n_frames_with_athlete=len(truth.times_s)),
        scale=ScaleFacts(m_per_px=truth.camera.m_per_px, method="plate", relative_sd=0.01),
        camera=CameraFacts(
            view=truth.view, facing=truth.facing, is_moving=truth.camera.is_moving, cuts=truth.camera.cuts
        ),
        lifts=(lift,),
    )


def _instant(time_s: float, truth: Truth, rng: np.random.Generator) -> Instant:
    sd_s = float(rng.uniform(0.1, 0.5)) / truth.frame_rate_hz
    seen_s = max(time_s + float(rng.normal(0, sd_s)), 0.0)
    return Instant(frame=round(seen_s * truth.frame_rate_hz), time_s=round(seen_s, 4), sd_s=round(sd_s, 5))


def _measures(
    truth: Truth, instants: Mapping[InstantName, Instant | None], rng: np.random.Generator
) -> tuple[dict[str, Measure], dict[str, str]]:
    reasons = dict(_ALWAYS)
    for share, reason, words in _GROUPS:
        if rng.random() < share:
            reasons |= {name: reason for name in MEASURES if any(word in name for word in words.split())}
    if truth.frame_rate_hz < 50:
        reasons["bar_peak_force_n"] = (
            f"a peak force needs 50 frames a second or more, this clip has {truth.frame_rate_hz:.0f}"
        )
    measures: dict[str, Measure] = {}
    missing: dict[str, str] = {}
    for name, info in MEASURES.items():
        if not info.belongs_to(truth.lift):
            continue
        low, high = _PLATE_SD_M if any(word in name for word in _PLATE_WORDS) else _SD[info.unit]
        sd = float(rng.uniform(low, high))  # drawn for every measure, so that one gap moves no other number
        error = float(rng.normal(0, sd))
        if truth.view not in info.views:
            missing[name] = f"cannot be judged from the {truth.view}; film from the {info.views[0]}"
        elif name in reasons:
            missing[name] = reasons[name]
        elif name not in truth.measures:
            missing[name] = "the bar was not caught" if "catch" in name or "drop" in name else "could not be read"
        else:
            measures[name] = _measure(name, truth.measures[name] + error, sd, truth, instants)
    return measures, missing


def _measure(
    name: str, value: float, sd: float, truth: Truth, instants: Mapping[InstantName, Instant | None]
) -> Measure:
    at = instants.get(
        _AT.get(name, "catch" if "catch" in name or name in ("bar_drop_m", "foot_jump_m") else "peak_velocity")
    )
    source: Source = "body" if MEASURES[name].unit == "deg" or name == "foot_jump_m" else "plate"
    if truth.view in ("front", "rear"):
        source = "hands"
    reach = 1.645 * sd
    return Measure(
        value=round(value, 5),
        unit=MEASURES[name].unit,
        low=round(value - reach, 5),
        high=round(value + reach, 5),
        source=source,
        frame=None if at is None or name == "free_fall_gravity_m_s2" else at.frame,
    )


def write_simulated_keyframes(
    spec: LiftSpec, instants: Mapping[InstantName, Instant | None], folder: Path, size_px: int = 256
) -> tuple[Picture, ...]:
    """Draw the key frames of a simulated lift as square JPEGs about lifter and bar, in the order of time.

    Raises:
        SetupError: mujoco or a way to draw without a screen is missing.
    """
    wanted = [(name, at) for name in PICTURED if (at := instants.get(name)) is not None]
    folder.mkdir(parents=True, exist_ok=True)
    images = _drawn(spec, [at.time_s for _, at in wanted], size_px)
    pictures = []
    for (name, _), image in zip(wanted, images, strict=True):
        path = folder / f"{name}.jpg"
        image.save(path, quality=_JPEG_QUALITY)
        pictures.append(Picture(instant=name, path=path))
    return tuple(pictures)


def _drawn(spec: LiftSpec, times_s: Sequence[float], size_px: int) -> list[Pictures.Image]:
    motion: Motion = simulate(spec)
    height = 2 * size_px  # of the whole picture; the square in it is then made half as large, which smooths edges
    width = 2 * round(height * spec.video.width_px / spec.video.height_px / 2)
    lens = spec.camera.model_copy(update={"focal_px": spec.camera.focal_px * height / spec.video.height_px})
    camera = camera_of(lens, spec.video.model_copy(update={"width_px": width, "height_px": height}))
    girth = float(np.sqrt(spec.lifter.mass_kg / spec.lifter.height_m**2 / 23.0))
    times = float(frame_times(spec, motion)[0]) + np.array(times_s) / spec.video.slow_factor
    points, state = motion.keypoints(times), motion.bar(times)
    scenes = [lifter_and_bar(points, state, i, motion.body, girth, spec.look, spec.bar) for i in range(len(times))]
    images = []
    with Stage(camera, surroundings_of(spec, camera), spec.look.light, scenes[0] if scenes else ()) as stage:
        for scene in scenes:
            picture = stage.draw(scene)
            image = Pictures.fromarray(np.asarray(picture, dtype=np.uint8))
            side = min(image.size)
            left, top = (image.width - side) // 2, (image.height - side) // 2
            images.append(image.crop((left, top, left + side, top + side)).resize((size_px, size_px)))
    return images
