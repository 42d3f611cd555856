"""The score table says what the scores hold, and a bad score does not reach its bar."""

from pathlib import Path

import pytest

from coach.domain.errors import SetupError
from eval.perception import STAGES, LiftScore, Pair, Row, real_rows, simulated_rows


def score(name: str = "0000", *, fault: str | None = None, said: tuple[str, ...] = (), **changes: object) -> LiftScore:
    """Return the score of a lift that was measured without any error."""
    base = LiftScore(
        name=name,
        frame_rate_hz=30.0,
        fault=fault,
        truth_outcome="caught",
        n_lifts=1,
        outcome="caught",
        view_and_facing_right=True,
        instant_errors_s=dict.fromkeys(STAGES, 0.0),
        instant_inside=dict.fromkeys(STAGES, True),
        measures={"bar_peak_velocity_m_s": Pair(value=1.8, low=1.7, high=1.9, truth=1.8)},
        priorities=said,
    )
    return base.model_copy(update=changes)


def row(scores: list[LiftScore], what: str) -> Row:
    return next(r for r in simulated_rows(scores) if r.what == what)


def test_lifts_without_error_reach_the_bar_of_the_instants() -> None:
    assert row([score(), score()], "four stage instants").reached is True


def test_a_missing_instant_counts_as_a_second() -> None:
    lost = score(instant_errors_s={**dict.fromkeys(STAGES, 0.0), "catch": None})

    assert row([lost], "four stage instants").reached is False
    assert "missing 1" in row([lost], "instant catch").result


def test_a_clip_that_was_refused_counts_against_every_instant() -> None:
    refused = score(problem="no lift found", instant_errors_s={}, measures={})

    assert row([refused], "lifts analysed").reached is False
    assert row([refused, score()], "four stage instants").reached is False


def test_intervals_that_always_hold_the_truth_are_too_wide() -> None:
    assert row([score()] * 50, "bar_peak_velocity_m_s").reached is False
    assert row([score()] * 50, "90 % intervals, all measures").reached is False


def test_intervals_that_hold_nine_of_ten_truths_are_right() -> None:
    missed = Pair(value=1.8, low=1.79, high=1.81, truth=1.82)
    scores = [score()] * 9 + [score(measures={"bar_peak_velocity_m_s": missed})]

    assert row(scores, "bar_peak_velocity_m_s").reached is True
    assert "bias -0.002" in row(scores, "bar_peak_velocity_m_s").result


def test_a_speed_that_is_always_high_does_not_reach_the_bar() -> None:
    high = Pair(value=1.84, low=1.75, high=1.93, truth=1.80)

    assert row([score(measures={"bar_peak_velocity_m_s": high})] * 9, "bar_peak_velocity_m_s").reached is False


def test_the_named_fault_must_be_the_one_that_was_made() -> None:
    right = score(fault="drop_large_snatch", said=("drop_large_snatch",))
    wrong = score(fault="drop_large_snatch", said=("bar_swing_forward",))

    assert row([right] * 4 + [wrong], "right fault among the two priorities").reached is True
    assert row([right] * 3 + [wrong], "right fault among the two priorities").reached is False


def test_a_word_about_a_clean_lift_breaks_the_silence() -> None:
    assert row([score()] * 9 + [score(said=("hips_shoot",))], "silent on clean lifts").reached is True
    assert row([score()] * 8 + [score(said=("hips_shoot",))] * 2, "silent on clean lifts").reached is False


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"labels\.csv"):
        real_rows(tmp_path)
