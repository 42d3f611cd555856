"""The tables say what the scores hold, and a bad score does not reach its bar."""

from pathlib import Path

import numpy as np
import pytest

from coach.domain.errors import InputError, SetupError
from coach.domain.lift import View
from eval.accuracy import Row, all_rows, errors_of, measure_rows, stage_errors
from eval.accuracy_page import BEGIN, END, write_accuracy
from eval.calibration import FOLDS, calibrate, cross_calibrated
from eval.clip_scores import PULLED, ClipScore, LiftScore, Pair
from eval.perception import PerceptionScores
from eval.real_clips import real_rows
from perception.measures import Calibration, calibration_key

SPEED = "bar_peak_velocity_m_s"


def pair(error: float, half: float = 0.05, truth: float = 1.8, source: str = "plate") -> Pair:
    value = truth + error
    return Pair(value=value, low=value - half, high=value + half, truth=truth, source=source, limited_by="noise")


def lift(**changes: object) -> LiftScore:
    """Return the score of a snatch that was measured without any error."""
    return LiftScore(
        lift="snatch",
        true_outcome="caught",
        kind="snatch",
        outcome="caught",
        instant_errors_s=dict.fromkeys(PULLED, 0.0),
        instant_inside=dict.fromkeys(PULLED, True),
        measures={SPEED: pair(0.0)},
    ).model_copy(update=changes)


def clip(*lifts: LiftScore, name: str = "0000", **changes: object) -> ClipScore:
    lifts = lifts or (lift(),)
    return ClipScore(
        name=name,
        track="plate",
        view="side",
        frame_rate_hz=30.0,
        n_found=sum(one.kind is not None for one in lifts),
        view_and_facing_right=True,
        lifts=lifts,
    ).model_copy(update=changes)


def row(scores: list[ClipScore], what: str) -> Row:
    return next(r for r in all_rows(scores) if r.what == what)


def test_lifts_without_error_reach_the_bar_of_the_instants() -> None:
    assert row([clip(), clip()], "stage instants, side, with plate").reached is True


def test_a_missing_instant_counts_as_a_second() -> None:
    lost = clip(lift(instant_errors_s={**dict.fromkeys(PULLED, 0.0), "catch": None}))

    assert stage_errors([lost]) == [0.0, 0.0, 0.0, 1.0]
    assert "not found 1" in row([lost], "stage instants, side, with plate").result


def test_a_clip_that_was_refused_counts_against_everything() -> None:
    refused = clip(lift(kind=None, outcome=None, instant_errors_s={}, measures={}), problem="no lift found")

    assert row([refused], "number and kinds of lifts right").reached is False
    assert row([refused], "outcome right, of each lift").reached is False
    assert row([refused, clip()], "stage instants, side, with plate").reached is False


def test_a_lift_too_many_is_a_wrong_count() -> None:
    assert row([clip(n_found=2)], "number and kinds of lifts right").reached is False


def test_a_clean_taken_for_a_snatch_is_a_wrong_kind() -> None:
    assert row([clip(lift(lift="clean"))], "number and kinds of lifts right").reached is False


def test_intervals_that_hold_nine_of_ten_truths_are_right_and_others_are_not() -> None:
    right = [clip(lift(measures={SPEED: pair(0.06 if i % 10 == 0 else 0.0)})) for i in range(40)]

    assert row(right, "90 % intervals").reached is True
    assert row([clip()] * 40, "90 % intervals").reached is False


@pytest.mark.parametrize(("error", "reached"), [(0.015, True), (0.03, False), (-0.03, False)])
def test_a_speed_that_is_always_off_does_not_reach_its_bar(error: float, reached: bool) -> None:
    truths = np.linspace(1.2, 2.1, 20)
    scores = [clip(lift(measures={SPEED: pair(error, truth=float(t))})) for t in truths]

    assert row(scores, "bar peak velocity, side, plate").reached is reached


def test_agreement_is_that_of_the_textbook_example() -> None:
    """Shrout & Fleiss 1979, table 2, judges 1 and 4 of six targets: ICC(A,1) by hand from the mean squares."""
    a, b = np.array([9.0, 6, 8, 7, 10, 6]), np.array([8.0, 2, 6, 6, 9, 7])
    rows = 2 * np.sum(((a + b) / 2 - np.mean([a, b])) ** 2) / 5
    columns = 6 * np.sum((np.array([a.mean(), b.mean()]) - np.mean([a, b])) ** 2)
    rest = (np.sum((np.stack([a, b]) - np.mean([a, b])) ** 2) - 5 * rows - columns) / 5
    expected = (rows - rest) / (rows + rest + 2 * (columns - rest) / 6)

    pairs = [Pair(value=x, low=x, high=x, truth=y) for x, y in zip(a, b, strict=True)]

    assert errors_of(pairs)[2] == pytest.approx(expected)
    assert errors_of(pairs)[0] == pytest.approx(float(np.mean(a - b)))


def test_the_hands_alone_have_rows_of_their_own() -> None:
    scores = [clip(), clip(lift(instant_errors_s=dict.fromkeys(PULLED, 0.2)), track="hands")]

    assert row(scores, "stage instants, side, with plate").reached is True
    assert row(scores, "stage instants, side, hands alone").reached is False


def test_a_bar_without_plates_is_scored_apart_from_one_with_plates() -> None:
    scores = [clip(), clip(lift(kind="clean", instant_errors_s=dict.fromkeys(PULLED, 0.2)), track="bare")]

    assert row(scores, "stage instants, side, with plate").reached is True
    assert row(scores, "stage instants, side, bare bar").reached is False
    assert row(scores, "number and kinds of lifts right").reached is True
    assert row(scores, "bare bar: number and kinds of lifts right").result == "0.0 %"


def test_calibration_makes_intervals_hold_nine_of_ten_new_errors() -> None:
    rng = np.random.default_rng(5)
    some, others = (
        [clip(lift(measures={SPEED: pair(float(e), half=0.02)})) for e in rng.normal(0, 0.05, 400)] for _ in range(2)
    )

    factor = calibrate(some, Calibration(made_with="", factors={}), "a test").factor(f"{SPEED}/plate")

    held = [abs(p.value - p.truth) <= 0.02 * factor for s in others for p in s.lifts[0].measures.values()]
    assert np.mean(held) == pytest.approx(0.9, abs=0.04)


@pytest.mark.parametrize("view", ["front", "rear", "oblique"])
def test_a_bar_seen_from_elsewhere_is_calibrated_by_itself_and_does_not_widen_side_views(view: View) -> None:
    rng = np.random.default_rng(7)
    from_side, other = (
        [clip(lift(measures={SPEED: pair(float(e), 0.02)}), seen_view=seen) for e in rng.normal(0, sd, 200)]
        for seen, sd in (("side", 0.02), (view, 0.2))
    )

    both = calibrate([*from_side, *other], Calibration(made_with="", factors={}), "")
    alone = calibrate(from_side, Calibration(made_with="", factors={}), "")

    assert both.factor(calibration_key(SPEED, "plate", "side")) == alone.factor(calibration_key(SPEED, "plate", "side"))
    assert both.factor(calibration_key(SPEED, "plate", view)) > 2 * both.factor(f"{SPEED}/plate")
    assert alone.factor(calibration_key(SPEED, "plate", view)) == alone.factor(f"{SPEED}/plate")


def test_cross_calibration_judges_each_clip_by_factors_of_the_others() -> None:
    rng = np.random.default_rng(11)
    errors = [*rng.normal(0, 0.05, 199), 10.0]
    none = Calibration(made_with="", factors={})
    scores = [clip(lift(measures={SPEED: pair(float(e), 0.02)}), name=f"{i:04d}") for i, e in enumerate(errors)]

    crossed = cross_calibrated(scores, none)

    own = {i for i in range(200) if i % FOLDS == 199 % FOLDS}
    others = calibrate([score for i, score in enumerate(scores) if i not in own], none, "")
    last = crossed[-1].lifts[0].measures[SPEED]
    assert last.high - last.value == pytest.approx(0.02 * others.factor(f"{SPEED}/plate"))
    assert np.mean([c.lifts[0].measures[SPEED].is_inside for c in crossed]) == pytest.approx(0.9, abs=0.03)


def test_calibrating_calibrated_intervals_changes_nothing() -> None:
    errors = np.random.default_rng(6).normal(0, 0.05, 99)
    first = calibrate(
        [clip(lift(measures={SPEED: pair(float(e), 0.02)})) for e in errors], Calibration(made_with="", factors={}), ""
    )
    half = 0.02 * first.factor(f"{SPEED}/plate")

    again = calibrate([clip(lift(measures={SPEED: pair(float(e), half)})) for e in errors], first, "")

    assert again.factor(f"{SPEED}/plate") == pytest.approx(first.factor(f"{SPEED}/plate"), rel=0.01)


def test_the_page_keeps_what_stands_around_its_tables(tmp_path: Path) -> None:
    scores = [clip(lift(measures={SPEED: pair(0.001 * i)})) for i in range(40)]
    whole = PerceptionScores(rows=tuple(all_rows(scores)), measures=tuple(measure_rows(scores)), clips=tuple(scores))
    page = tmp_path / "accuracy.md"
    page.write_text(f"before\n{BEGIN}\nyesterday\n{END}\nafter\n")

    written = write_accuracy(whole, page, "coach eval perception")

    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "yesterday" not in text
    assert SPEED in text
    assert all(path.stat().st_size > 1000 for path in written[1:])


def test_a_page_without_marks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs a line"):
        write_accuracy(PerceptionScores(rows=(), measures=(), clips=()), tmp_path / "no.md", "")


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"labels\.csv"):
        real_rows(tmp_path)
