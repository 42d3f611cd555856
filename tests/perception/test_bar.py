"""Plate and hands become one bar in metres."""

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perception.bar import HANDS_CUTOFF_HZ, PLATE_CUTOFF_HZ, BarSamples, fit_curve, sample_bar, stretches
from perception.plate import PlateTrack
from perception.scale import Scale

if TYPE_CHECKING:
    from tests.perception.conftest import MadeUpBar

PX_PER_M = 200.0
SCALE = Scale(1 / PX_PER_M, 0.01, 1 / PX_PER_M, 0.04, "plate")


def plate_at(times_s: np.ndarray, centre_px: np.ndarray, flattening: float = 0.0) -> PlateTrack:
    seen = np.isfinite(centre_px[:, 0]).astype(float)
    return PlateTrack(times_s.copy(), centre_px.copy(), seen, 45.0, 0.2, flattening)


def no_plate(times_s: np.ndarray) -> PlateTrack:
    n = len(times_s)
    return PlateTrack(times_s.copy(), np.full((n, 2), np.nan), np.zeros(n), float("nan"), float("nan"), 0.0)


def pixels(path: "MadeUpBar", rate_hz: float = 60.0, **noise: float) -> tuple[np.ndarray, np.ndarray]:
    t, x, y = path.sampled(rate_hz, **noise)
    return t, np.stack([300 + PX_PER_M * x, 400 - PX_PER_M * y], axis=1)


def samples_of(t: np.ndarray, centre: np.ndarray, hands: np.ndarray | None = None, **more: object) -> BarSamples:
    at_hands = centre + np.array([3.0, -2.0]) if hands is None else hands
    return sample_bar(t, plate_at(t, centre), at_hands, SCALE, 1.0, use_plate=True, **more)


def test_the_plate_gives_metres_up_and_forward(snatch: "MadeUpBar") -> None:
    t, centre = pixels(snatch)
    samples = samples_of(t, centre)

    assert (samples.source, samples.cutoff_hz) == ("plate", PLATE_CUTOFF_HZ)
    kept = np.isfinite(samples.y_m)
    assert kept.mean() > 0.95
    assert (samples.y_m - samples.y_m[0])[kept] == pytest.approx(snatch.sampled(60.0)[2][kept], abs=1e-9)


@pytest.mark.parametrize("use_plate", [True, False])
def test_without_a_plate_or_against_it_the_hands_are_the_bar(snatch: "MadeUpBar", use_plate: bool) -> None:
    t, hands = pixels(snatch)
    plate = no_plate(t) if use_plate else plate_at(t, hands + 50)

    samples = sample_bar(t, plate, hands, SCALE, 1.0, use_plate=use_plate)

    assert (samples.source, samples.cutoff_hz) == ("hands", HANDS_CUTOFF_HZ)
    kept = np.isfinite(samples.y_m)
    assert samples.y_m[kept] == pytest.approx(-hands[kept, 1] / PX_PER_M)
    assert set(samples.weights) == {1.0}


@given(width=st.floats(300, 2000))
@settings(max_examples=10, deadline=None)
def test_facing_left_is_facing_right_in_a_mirror(bar: "MadeUpBar", width: float) -> None:
    path = bar.then((0.5, 0.8), (0.5, 0.0), forward=0.3)
    t, centre = pixels(path)
    mirrored = np.array([width, 0.0]) + centre * np.array([-1.0, 1.0])
    right = samples_of(t, centre)
    left = sample_bar(t, plate_at(t, mirrored), mirrored + np.array([-3.0, -2.0]), SCALE, -1.0, use_plate=True)

    assert left.x_m - left.x_m[0] == pytest.approx(right.x_m - right.x_m[0], abs=1e-9)
    assert left.y_m == pytest.approx(right.y_m, abs=1e-9)


@given(factor=st.floats(0.2, 5))
@settings(max_examples=10, deadline=None)
def test_metres_do_not_depend_on_the_size_of_the_picture(bar: "MadeUpBar", factor: float) -> None:
    t, centre = pixels(bar.then((0.5, 0.8), (0.5, 0.0), forward=0.3))
    scale = Scale(1 / PX_PER_M / factor, 0.01, 1 / PX_PER_M / factor, 0.04, "plate")

    large = sample_bar(t, plate_at(t, factor * centre), factor * centre, scale, 1.0, use_plate=True)

    assert large.x_m == pytest.approx(samples_of(t, centre).x_m, abs=1e-9)
    assert large.y_m == pytest.approx(samples_of(t, centre).y_m, abs=1e-9)


def test_a_disc_turned_from_the_camera_shows_its_forward_travel_shortened(bar: "MadeUpBar") -> None:
    t, centre = pixels(bar.then((0.5, 0.8), (0.5, 0.0), forward=0.3))
    squeezed = centre * np.array([0.9, 1.0])

    turned = sample_bar(t, plate_at(t, squeezed, flattening=-0.1), squeezed, SCALE, 1.0, use_plate=True)

    assert turned.x_m == pytest.approx(samples_of(t, centre).x_m, abs=1e-9)


def test_a_disc_that_jumps_away_for_a_frame_is_left_out(snatch: "MadeUpBar") -> None:
    t, centre = pixels(snatch)
    centre[90] += (0, 30.0)  # 15 cm

    samples = samples_of(t, centre, hands=np.full_like(centre, np.nan))

    assert np.isnan(samples.y_m[90])
    assert np.isfinite(samples.y_m[80:90]).all()


def test_the_hands_carry_the_bar_over_a_short_gap_without_a_step(snatch: "MadeUpBar") -> None:
    t, centre = pixels(snatch)
    hands = centre + np.array([12.0, -30.0])
    hidden = centre.copy()
    hidden[95:107] = np.nan  # 0.2 s around peak speed

    samples = samples_of(t, hidden, hands)

    assert samples.y_m[95:107] == pytest.approx((-centre[95:107, 1]) / PX_PER_M, abs=1e-6)
    assert samples.weights[95:107].max() < 0.1
    assert samples.weights[90] == 1.0


def test_a_long_gap_is_not_bridged_and_breaks_the_track(snatch: "MadeUpBar") -> None:
    t, centre = pixels(snatch)
    hidden = centre.copy()
    hidden[95:125] = np.nan  # 0.5 s

    samples = samples_of(t, hidden, centre + np.array([12.0, -30.0]))

    assert np.isnan(samples.y_m[95:125]).all()
    parts = stretches(samples)
    assert [(a < 95, b > 125) for a, b in parts] == [(True, False), (False, True)]
    assert all(np.isfinite(samples.y_m[[a, b - 1]]).all() for a, b in parts)


def test_a_glimpse_of_the_bar_is_no_stretch() -> None:
    t = np.arange(60) / 60
    seen = np.where(np.arange(60) < 12, 0.5, np.nan)

    assert stretches(BarSamples(t, seen, seen, np.ones(60), "plate", 7.0, 0.25)) == []


def test_the_peak_speed_of_a_snatch_survives_smoothing(snatch: "MadeUpBar") -> None:
    for rate_hz, tolerance in ((25.0, 0.02), (30.0, 0.02), (60.0, 0.015)):
        t, centre = pixels(snatch, rate_hz)
        curve = fit_curve(samples_of(t, centre), 0, len(t))
        at = np.arange(1.5, 1.95, 0.002)

        assert np.max(curve.y.rate(at)) == pytest.approx(1.8, abs=tolerance), rate_hz


def test_stray_frames_move_a_robust_curve_less(snatch: "MadeUpBar") -> None:
    t, centre = pixels(snatch, noise_m=0.001)
    t, centre = t[:140], centre[:140]
    strayed = centre.copy()
    strayed[70:130:9, 1] += 4.0  # 2 cm, too little for the outlier rejection
    samples = samples_of(t, strayed)
    clean = fit_curve(samples_of(t, centre), 0, 140).y.value(t)

    off = {robust: fit_curve(samples, 0, 140, robust=robust).y.value(t) - clean for robust in (True, False)}

    assert np.std(off[True]) < 0.5 * np.std(off[False])
