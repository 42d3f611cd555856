"""Reports of simulated lifts without a clip."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from coach.domain.errors import SetupError
from coach.domain.measures import MEASURES
from perception.simulator.motion import simulate_snatch
from perception.simulator.random_spec import random_spec
from perception.simulator.render import load_mujoco
from perception.simulator.reports import PICTURED, report_of, simulated_report, write_simulated_keyframes
from perception.simulator.truth import truth_of

SPEC = random_spec(7, fault="bar_swing_forward")
TRUTH = truth_of(SPEC, simulate_snatch(SPEC), "lift.mp4")


def test_the_same_seed_gives_the_same_report_and_another_gives_other_numbers() -> None:
    assert simulated_report(SPEC, 1) == simulated_report(SPEC, 1)
    assert report_of(TRUTH, 1).lifts[0].measures != report_of(TRUTH, 2).lifts[0].measures


def test_every_measure_is_measured_or_has_a_reason() -> None:
    lift = report_of(TRUTH, 3).lifts[0]

    assert set(lift.measures) | set(lift.not_measured) == {
        name for name, info in MEASURES.items() if info.belongs_to(lift.lift)
    }
    assert set(lift.measures) & set(lift.not_measured) == set()
    assert all(lift.not_measured.values())


def test_nine_intervals_in_ten_hold_the_truth() -> None:
    inside = [
        m.low <= TRUTH.measures[name] <= m.high
        for seed in range(60)
        for name, m in report_of(TRUTH, seed).lifts[0].measures.items()
    ]

    assert 0.87 < np.mean(inside) < 0.93


def test_a_front_view_measures_only_what_it_can_see() -> None:
    lift = simulated_report(random_spec(7, view="front"), 0).lifts[0]

    assert all("front" in MEASURES[name].views for name in lift.measures)
    assert lift.not_measured["bar_forward_loop_m"].startswith("cannot be judged from the front")


def test_a_lift_that_was_not_caught_has_no_measure_of_a_catch() -> None:
    lift = simulated_report(random_spec(7, missed=True), 0).lifts[0]

    assert lift.outcome == "not_caught"
    assert "bar_drop_m" not in lift.measures


def test_key_frames_show_different_moments(tmp_path: Path) -> None:
    try:
        load_mujoco()
    except SetupError as problem:
        pytest.skip(f"nothing can be drawn on this machine: {problem}")
    report = report_of(TRUTH, 0)

    pictures = write_simulated_keyframes(SPEC, report.lifts[0].instants, tmp_path, size_px=96)

    assert tuple(p.instant for p in pictures) == PICTURED
    images = [np.asarray(Image.open(p.path), dtype=float) for p in pictures]
    assert {image.shape for image in images} == {(96, 96, 3)}
    assert all(np.abs(a - b).mean() > 1.0 for a, b in pairwise(images))
