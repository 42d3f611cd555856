"""Which discs are taken for the bar's."""

import numpy as np

from perception.plate import PlateTrack
from perception.shot import goes_with_hands, is_lifted

TIMES_S = np.arange(90) / 30
UP_PX = 100 * np.clip(TIMES_S - 1, 0, 1)  # held up at the end


def heights(down_px: np.ndarray) -> np.ndarray:
    return np.stack([np.full(90, 100.0), 300 - down_px], axis=1)


def plate(rise_px: np.ndarray) -> PlateTrack:
    return PlateTrack(TIMES_S.copy(), heights(rise_px), np.ones(90), 30.0, 0.1, -0.3)


def test_a_disc_that_rises_with_the_hands_is_the_bars() -> None:
    noise = np.random.default_rng(0).normal(scale=4, size=90)

    assert goes_with_hands(plate(UP_PX), heights(UP_PX + noise))


def test_a_bar_that_is_dropped_from_raised_hands_is_still_theirs() -> None:
    dropped = np.where(TIMES_S > 2.3, 0.0, UP_PX)

    assert goes_with_hands(plate(dropped), heights(UP_PX))


def test_a_disc_that_is_lifted_while_the_hands_rest_is_not_the_bars() -> None:
    resting = np.random.default_rng(1).normal(scale=4, size=90)

    assert not goes_with_hands(plate(UP_PX), heights(resting))


def test_a_disc_on_a_rack_does_not_rise_with_the_hands() -> None:
    jitter = np.random.default_rng(2).normal(scale=1, size=90)

    assert not goes_with_hands(plate(jitter), heights(UP_PX))


def test_two_discs_on_a_rack_seen_in_turns_are_not_one_that_is_lifted() -> None:
    jumps = np.where((TIMES_S % 2) < 1, 0.0, 100.0)

    assert is_lifted(plate(UP_PX), 30.0)
    assert not is_lifted(plate(jumps), 30.0)
