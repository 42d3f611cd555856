"""The smoothing spline against the filter it stands for; outliers; runs and gaps."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfiltfilt

from perception.smoothing import (
    MIN_SAMPLES,
    SmoothTrack,
    reject_outliers,
    residual_gain,
    runs,
    smooth,
    split_at_gaps,
)

WINDOW = {"half_window_s": 0.13, "threshold": 5.0, "floor": 0.006}


def waves(rate_hz: float, seconds: float = 4.0) -> tuple[np.ndarray, np.ndarray]:
    t = np.arange(0, seconds, 1 / rate_hz)
    return t, np.sin(2 * np.pi * 0.7 * t) + 0.3 * np.cos(2 * np.pi * 1.9 * t)


def middle_amplitude(track: SmoothTrack, t: np.ndarray, frequency_hz: float) -> float:
    """Return the amplitude of one frequency, over whole periods far from the ends."""
    inside = (t >= 1.0) & (t < 3.0)
    turn = np.exp(-2j * np.pi * frequency_hz * t[inside])
    return float(2 * abs(np.mean(track.value(t)[inside] * turn)))


@pytest.mark.parametrize("rate_hz", [50.0, 120.0])
@pytest.mark.parametrize("cutoff_hz", [4.0, 7.0])
def test_the_gain_at_the_cutoff_is_one_half(rate_hz: float, cutoff_hz: float) -> None:
    t = np.arange(0, 4, 1 / rate_hz)

    track = smooth(t, np.cos(2 * np.pi * cutoff_hz * t), cutoff_hz)

    assert middle_amplitude(track, t, cutoff_hz) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("share", [0.4, 0.7, 1.5, 2.0])
def test_the_gain_falls_with_the_fourth_power_like_a_two_pass_butterworth(share: float) -> None:
    """Gain 1 / (1 + (f/fc)^4): Craven and Wahba 1979."""
    t = np.arange(0, 4, 1 / 120)

    track = smooth(t, np.cos(2 * np.pi * 7 * share * t), 7.0)

    assert middle_amplitude(track, t, 7 * share) == pytest.approx(1 / (1 + share**4), abs=0.02)


def test_even_samples_come_out_as_from_scipys_butterworth_run_forth_and_back() -> None:
    t, clean = waves(120.0)
    noisy = clean + np.random.default_rng(3).normal(scale=0.02, size=len(t))
    filtered = sosfiltfilt(butter(2, 6.0, fs=120.0, output="sos"), noisy)  # -3 dB a pass is 1/2 in both

    inside = (t > 0.5) & (t < 3.5)
    difference = smooth(t, noisy, 6.0).value(t) - filtered

    assert np.sqrt(np.mean(difference[inside] ** 2)) < 0.15 * 0.02
    assert np.max(np.abs(filtered - noisy)[inside]) > 0.02


@pytest.mark.parametrize(("rate_hz", "cutoff_hz", "sd"), [(30.0, 4.0, 0.010), (60.0, 7.0, 0.003), (120.0, 7.0, 0.001)])
def test_the_noise_is_told_from_the_residuals_within_a_tenth(rate_hz: float, cutoff_hz: float, sd: float) -> None:
    t = np.arange(0, 20, 1 / rate_hz)
    found = [
        smooth(t, 0.5 * np.sin(t) + np.random.default_rng(seed).normal(scale=sd, size=len(t)), cutoff_hz).noise_sd
        for seed in range(5)
    ]

    assert np.mean(found) == pytest.approx(sd, rel=0.10)


@given(slope=st.floats(-5, 5), offset=st.floats(-100, 100), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_a_straight_line_passes_unchanged_at_uneven_times(slope: float, offset: float, seed: int) -> None:
    t = np.cumsum(np.random.default_rng(seed).uniform(0.005, 0.05, size=60))

    track = smooth(t, offset + slope * t, 5.0)

    assert track.value(t) == pytest.approx(offset + slope * t, abs=1e-6)
    assert track.rate(t) == pytest.approx(np.full(60, slope), abs=1e-5)


@given(factor=st.floats(0.01, 1000), shift=st.floats(-50, 50), delay_s=st.floats(-100, 100))
@settings(max_examples=25, deadline=None)
def test_smoothing_commutes_with_units_places_and_time(factor: float, shift: float, delay_s: float) -> None:
    t, z = waves(60.0, 2.0)
    z = z + np.random.default_rng(0).normal(scale=0.01, size=len(t))

    plain, other = smooth(t, z, 6.0), smooth(t + delay_s, shift + factor * z, 6.0)

    assert other.value(t + delay_s) == pytest.approx(shift + factor * plain.value(t), abs=1e-6 * (factor + 1))
    assert other.rate(t + delay_s) == pytest.approx(factor * plain.rate(t), abs=1e-5 * (factor + 1))
    assert other.noise_sd == pytest.approx(factor * plain.noise_sd, rel=1e-4)


def test_the_curve_does_not_depend_on_the_frame_rate() -> None:
    at = np.linspace(0.5, 3.5, 50)
    speeds = [smooth(*waves(rate_hz), 6.0).rate(at) for rate_hz in (30.0, 59.94, 120.0)]

    assert speeds[0] == pytest.approx(speeds[2], abs=0.02)
    assert speeds[1] == pytest.approx(speeds[2], abs=0.02)


def test_missing_samples_are_bridged_and_outside_the_track_nothing_is_said() -> None:
    t, z = waves(60.0)
    holed = z.copy()
    holed[:10] = holed[100:104] = np.nan

    track = smooth(t, holed, 7.0)

    assert track.value(t[100:104]) == pytest.approx(z[100:104], abs=0.02)
    assert np.isnan(track.value(np.array([t[9], t[-1] + 0.01]))).all()
    assert np.isfinite(track.second_rate(t[10:])).all()


def test_a_light_sample_pulls_the_curve_less() -> None:
    t, z = waves(60.0)
    off, light = z.copy(), np.ones(len(t))
    off[120] += 0.1
    light[120] = 0.02

    heavy_error = abs(smooth(t, off, 7.0).value(t)[120] - smooth(t, z, 7.0).value(t)[120])
    light_error = abs(smooth(t, off, 7.0, light).value(t)[120] - smooth(t, z, 7.0, light).value(t)[120])

    assert light_error < 0.1 * heavy_error


def test_too_few_samples_are_refused() -> None:
    t = np.arange(20) / 30
    z = np.where(np.arange(20) < MIN_SAMPLES - 1, t, np.nan)

    with pytest.raises(ValueError, match="needs 8 samples, got 7"):
        smooth(t, z, 5.0)


def test_the_residual_keeps_nearly_all_noise_when_the_cutoff_is_low() -> None:
    assert residual_gain(0.5, 120.0) == pytest.approx(1.0, abs=0.03)
    assert residual_gain(7.0, 120.0) > residual_gain(7.0, 60.0) > residual_gain(7.0, 30.0)


@given(size=st.floats(0.3, 2.0), sign=st.sampled_from([-1, 1]), frame=st.integers(12, 100))
@settings(max_examples=25, deadline=None)
def test_a_jump_of_one_frame_is_rejected_and_nothing_else(size: float, sign: int, frame: int) -> None:
    t = np.arange(120) / 60
    spiked = 0.5 * np.sin(2 * np.pi * 0.8 * t)
    spiked[frame] += sign * size

    kept = np.isfinite(reject_outliers(t, spiked, **WINDOW))

    assert list(np.flatnonzero(~kept)) == [frame]


@pytest.mark.parametrize("rate_hz", [25.0, 30.0, 60.0, 120.0])
def test_the_peaks_of_fast_movement_are_kept(rate_hz: float) -> None:
    t = np.arange(0, 3, 1 / rate_hz)
    swing = 0.5 * np.sin(2 * np.pi * 0.8 * t)  # 2.5 m/s and 12.6 m/s2, more than a snatch

    assert np.isfinite(reject_outliers(t, swing, **WINDOW)).all()


def test_a_row_goes_when_one_of_its_coordinates_is_an_outlier() -> None:
    t, z = waves(60.0, 2.0)
    points = np.stack([z, -z], axis=1)
    points[50, 1] += 1

    out = reject_outliers(t, points, **WINDOW)

    assert np.isnan(out[50]).all()
    assert np.isfinite(np.delete(out, 50, axis=0)).all()
    assert np.isfinite(points).all()


@given(mask=st.lists(st.booleans(), max_size=40))
def test_runs_hold_every_true_sample_once(mask: list[bool]) -> None:
    found = runs(np.array(mask, dtype=bool))

    assert [i for a, b in found for i in range(a, b)] == [i for i, yes in enumerate(mask) if yes]
    assert all(b < c for (_, b), (c, _) in pairwise(found))


def test_a_track_is_split_only_where_the_gap_is_longer_than_allowed() -> None:
    t = np.arange(30) / 10
    seen = np.ones(30, bool)
    seen[5:7] = seen[15:19] = seen[29] = False

    assert split_at_gaps(t, seen, 0.35) == [(0, 15), (19, 29)]
    assert split_at_gaps(t, seen, 0.25) == [(0, 5), (7, 15), (19, 29)]
    assert split_at_gaps(t, np.zeros(30, bool), 0.35) == []
