"""How much wider or narrower each measure's interval must be, so that it holds the truth in 90 % of simulated lifts."""

from collections.abc import Sequence

import numpy as np

from coach.domain.lift import View
from eval.clip_scores import ClipScore, Pair
from perception.measures import Calibration, calibration_key, is_never_negative

LEVEL = 0.90
FOLDS = 10  # parts into which clips are dealt out for cross-calibration
FEWEST = 10  # lifts, below this nothing holds nine of ten and a measure keeps the factor 1
BOUNDS = (0.6, 5.0)
"""Of a factor: drawn plates are easier than real ones, so no interval is made much narrower than its error model says."""


def calibrate(scores: Sequence[ClipScore], known: Calibration, made_with: str) -> Calibration:
    """Return the factors on the SD of each measure and source.

    The factor is the 90 % quantile of |error| over half width, times the factor the intervals had: split conformal
    prediction with the interval's own width as the scale of the error. Of clips that were measured a second time by the
    hands alone only what the hands say is taken.

    Args:
        scores: Of lifts that are used for nothing else.
        known: The factors that were in force when they were made.
        made_with: What they were made with, for the record.

    Source: Lei et al. 2018, J Am Stat Assoc 113:1094-1111, section 5.2 (locally weighted conformal inference).
    """
    pairs: dict[str, list[Pair]] = {}
    for score in scores:
        for name, pair in (item for lift in score.lifts for item in lift.measures.items()):
            if score.track == "plate" or pair.source == "hands":
                pairs.setdefault(calibration_key(name, pair.source, score.seen_view), []).append(pair)
    factors = {}
    for key, some in sorted(pairs.items()):
        if len(some) >= FEWEST:
            factors[key] = round(float(np.clip(known.factor(key) * _quantile(some), *BOUNDS)), 3)
    return Calibration(made_with=made_with, factors=factors)


def cross_calibrated(scores: Sequence[ClipScore], known: Calibration) -> list[ClipScore]:
    """Return scores with the intervals of factors that were made without their own clips.

    The clips are dealt out into FOLDS parts; those of each part get the factors that all other parts ask for. So every
    lift is judged by intervals that were calibrated on other lifts, and all of them count.

    Args:
        scores: Of all clips, with plate and without.
        known: The factors that were in force when they were made.
    """
    names = sorted({score.name for score in scores})
    part = {name: i % FOLDS for i, name in enumerate(names)}
    factors = {i: calibrate([s for s in scores if part[s.name] != i], known, "") for i in set(part.values())}
    return [recalibrated(score, known, factors[part[score.name]]) for score in scores]


def _quantile(pairs: Sequence[Pair]) -> float:
    """Return the quantile of errors over half widths that a new one stays below with LEVEL."""
    ratios = np.sort([abs(p.value - p.truth) / max(_half_width(p), 1e-9) for p in pairs])
    rank = min(int(np.ceil((len(ratios) + 1) * LEVEL)), len(ratios))
    return float(ratios[rank - 1])


def _half_width(pair: Pair) -> float:
    return max(pair.high - pair.value, pair.value - pair.low)


def recalibrated(score: ClipScore, then: Calibration, now: Calibration) -> ClipScore:
    """Return a score with the intervals that the factors of now would have given."""
    if then == now:
        return score
    lifts = [
        lift.model_copy(
            update={"measures": {n: _rescaled(n, p, score.seen_view, then, now) for n, p in lift.measures.items()}}
        )
        for lift in score.lifts
    ]
    return score.model_copy(update={"lifts": tuple(lifts)})


def _rescaled(name: str, pair: Pair, view: View | None, then: Calibration, now: Calibration) -> Pair:
    key = calibration_key(name, pair.source, view)
    half = _half_width(pair) * now.factor(key) / then.factor(key)
    low = pair.value - half
    if is_never_negative(name):
        low = max(low, min(0.0, pair.value))
    return pair.model_copy(update={"low": low, "high": pair.value + half})
