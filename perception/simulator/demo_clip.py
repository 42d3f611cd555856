"""The shipped simulated snatch, and how it was made; finding it needs no mujoco."""

from pathlib import Path

from perception.simulator.random_spec import random_spec
from perception.simulator.spec import LiftSpec

DEMO_FOLDER = Path(__file__).parent / "demo"
DEMO_SEED = 0


def demo_clip() -> Path:
    """Return the shipped clip, a side view of a snatch whose bar swings forward; `truth.json` lies beside it."""
    return DEMO_FOLDER / "snatch.mp4"


def demo_spec() -> LiftSpec:
    """Return what the shipped clip shows."""
    spec = random_spec(DEMO_SEED, fault="bar_swing_forward")
    times = {"setup_s": 0.7, "bottom_s": 0.25, "recovery_s": 1.3, "hold_s": 1.1, "tail_s": 0.9}
    video = {"width_px": 640, "height_px": 480, "rate": "30", "exposure_s": 1 / 200, "crf": 24, "noise_levels": 1.0}
    return spec.model_copy(
        update={
            "snatch": spec.snatch.model_copy(update=times),
            "video": spec.video.model_copy(update=video),
        }
    )
