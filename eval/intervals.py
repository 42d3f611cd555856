"""Bootstrap intervals of means and of paired differences."""

import math
import warnings
from collections.abc import Sequence

import numpy as np
from scipy.stats import bootstrap, norm

from coach.domain.base import Record

LEVEL = 0.95
RESAMPLES = 2000
MIN_PAIRS = 6  # with fewer, even a sign test on pairs that all agree stays above 5 %
_SEED = 20261


class Interval(Record):
    """A mean with its 95 % interval over `n` cases."""

    n: int
    mean: float
    low: float
    high: float

    @property
    def is_real(self) -> bool:
        """Return whether a difference is more than chance: its interval leaves out zero, over enough pairs."""
        return self.n >= MIN_PAIRS and (self.low > 0 or self.high < 0)


def mean_interval(values: Sequence[float]) -> Interval | None:
    """Return the mean with its bootstrap interval (BCa; cases are drawn with replacement), None without values.

    Where all values are 0, or all are 1, the interval is Wilson's: resampling cannot see what did not happen yet.

    Source: Efron 1987, "Better bootstrap confidence intervals"; Wilson 1927.
    """
    if not values:
        return None
    mean = float(np.mean(values))
    if min(values) == max(values):
        low, high = _wilson(mean, len(values)) if mean in (0.0, 1.0) else (mean, mean)
        return Interval(n=len(values), mean=mean, low=low, high=high)
    return _bootstrapped(values, mean)


def difference_interval(a: Sequence[float], b: Sequence[float]) -> Interval | None:
    """Return the mean of b - a over pairs with its bootstrap interval, None without pairs.

    Raises:
        ValueError: `a` and `b` are not equally long.
    """
    differences = [y - x for x, y in zip(a, b, strict=True)]
    if not differences:
        return None
    mean = float(np.mean(differences))
    if min(differences) == max(differences):
        return Interval(n=len(differences), mean=mean, low=mean, high=mean)
    return _bootstrapped(differences, mean)


def _bootstrapped(values: Sequence[float], mean: float) -> Interval:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # BCa warns where it cannot be had; the percentile interval stands in then
        for method in ("BCa", "percentile"):
            found = bootstrap(
                (np.asarray(values, dtype=float),),
                np.mean,
                n_resamples=RESAMPLES,
                confidence_level=LEVEL,
                method=method,
                rng=np.random.default_rng(_SEED),
            ).confidence_interval
            low, high = float(found.low), float(found.high)
            if math.isfinite(low) and math.isfinite(high):
                break
    return Interval(n=len(values), mean=mean, low=low, high=high)


def _wilson(share: float, n: int) -> tuple[float, float]:
    z2 = float(norm.ppf(0.5 + LEVEL / 2)) ** 2
    other = z2 / (n + z2)
    return (1 - other, 1.0) if share == 1 else (0.0, other)
