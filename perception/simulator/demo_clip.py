"""The shipped simulated snatch, and how it was made; finding it needs no mujoco."""

from pathlib import Path

import numpy as np

from perception.simulator.random_spec import random_camera, random_spec
from perception.simulator.spec import LiftSpec, VideoSpec

DEMO_FOLDER = Path(__file__).parent / "demo"
DEMO_SEED = 10
_VIDEO = VideoSpec(
    width_px=854, height_px=480, rate="30", exposure_s=1 / 250, noise_levels=1.0, gain=1.1, gamma=0.9, crf=21
)
_TIMES = {"setup_s": 0.7, "reaches_down": False, "bottom_s": 0.25, "recovery_s": 1.3, "hold_s": 1.1, "tail_s": 0.9}


def demo_clip() -> Path:
    """Return the shipped clip, a side view of a snatch whose bar swings forward; `truth.json` lies beside it."""
    return DEMO_FOLDER / "snatch.mp4"


def demo_spec() -> LiftSpec:
    """Return what the shipped clip shows: `write_lift(demo_spec(), folder, "snatch.mp4")` draws it again."""
    spec = random_spec(DEMO_SEED, fault="bar_swing_forward")
    camera = random_camera(np.random.default_rng(DEMO_SEED), "side", spec.lifter.height_m, _VIDEO)
    if spec.snatch is None:
        raise ValueError("the shipped clip is a plain snatch")
    snatch = spec.snatch.model_copy(update=_TIMES)
    return spec.model_copy(update={"snatch": snatch, "video": _VIDEO, "camera": camera})
