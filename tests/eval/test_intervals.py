"""Bootstrap intervals hold what they should, and say nothing where there is nothing to say."""

import numpy as np
import pytest

from eval.intervals import difference_interval, mean_interval


def test_an_interval_of_a_mean_agrees_with_the_normal_one_on_normal_data() -> None:
    values = np.random.default_rng(1).normal(0.5, 0.1, 200).tolist()

    found = mean_interval(values)

    assert found is not None
    assert found.mean == pytest.approx(np.mean(values))
    reach = 1.96 * np.std(values, ddof=1) / np.sqrt(200)
    assert found.high - found.mean == pytest.approx(reach, rel=0.15)
    assert found.mean - found.low == pytest.approx(reach, rel=0.15)


def test_the_same_values_give_the_same_interval() -> None:
    assert mean_interval([0.1, 0.5, 0.9]) == mean_interval([0.1, 0.5, 0.9])


def test_all_right_is_not_surely_always_right() -> None:
    few, many = mean_interval([1.0] * 5), mean_interval([1.0] * 100)

    assert few is not None
    assert many is not None
    assert few.high == many.high == 1
    assert few.low == pytest.approx(0.566, abs=0.001)  # Wilson, 5 of 5
    assert many.low == pytest.approx(0.963, abs=0.001)  # Wilson, 100 of 100
    assert mean_interval([0.0] * 5).high == pytest.approx(0.434, abs=0.001)  # type: ignore[union-attr]


def test_pairs_see_a_small_difference_that_spread_would_hide() -> None:
    a = np.random.default_rng(2).uniform(0, 1, 60)
    paired = difference_interval(a.tolist(), (a + np.random.default_rng(3).normal(0.03, 0.02, 60)).tolist())

    assert paired is not None
    assert paired.is_real
    assert paired.mean == pytest.approx(0.03, abs=0.01)


def test_no_difference_is_not_real_and_few_pairs_prove_nothing() -> None:
    noise = np.random.default_rng(4).normal(0, 0.1, 50).tolist()

    assert not difference_interval([0.0] * 50, noise).is_real  # type: ignore[union-attr]
    assert not difference_interval([0.0] * 5, [1.0] * 5).is_real  # type: ignore[union-attr]
    assert difference_interval([0.0] * 6, [1.0] * 6).is_real  # type: ignore[union-attr]


def test_nothing_has_no_interval_and_unequal_pairs_are_a_mistake() -> None:
    assert mean_interval([]) is None
    assert difference_interval([], []) is None
    with pytest.raises(ValueError, match="zip"):
        difference_interval([1.0], [1.0, 2.0])
