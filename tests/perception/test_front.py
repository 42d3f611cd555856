"""The bar from the front over time: its ends to parts of a pixel, its scale, its tilt, and when it is refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coach.domain.settings import AnalysisSettings
from perception.athlete import hands_midpoint_px
from perception.bar import fit_curve, stretches
from perception.barline import BarEndWatch
from perception.barline_track import BarLineTrack, track_bar_line
from perception.front import bar_tilt_at, front_scale, is_better_than_hands, sample_bar_line, scale_disagreement
from perception.lifts import find_lifts
from perception.pose import Floats
from perception.video import open_clip, read_frames
from tests.perception.made_up_front import HEIGHT_PX, PX_PER_M, FrontView

N = 44
TIMES_S = np.arange(N) / 25.0
RISE_PX = 110.0


def heights_px() -> Floats:
    """Return the height of the bar in the picture: still, up in half a second, still."""
    share = np.clip((np.arange(N) - 14) / 16, 0, 1)
    return np.asarray(250.0 - RISE_PX * (3 * share**2 - 2 * share**3))


def tracked(change: Callable[[FrontView, int], FrontView]) -> tuple[BarLineTrack, Floats, list[FrontView]]:
    """Return the track, the hands and the truth of a clip drawn frame by frame."""
    watch, ends, hands, views = BarEndWatch(), [], [], []
    for i, y in enumerate(heights_px()):
        view = change(FrontView(middle_px=(210.0, float(y))), i)
        person = view.person()
        ends.append(watch.observe(view.image(), [person]))
        hands.append(hands_midpoint_px(person.points_px[None], person.visibility[None])[0])
        views.append(view)
    return track_bar_line(TIMES_S, ends, np.stack(hands)), np.stack(hands), views


@pytest.fixture(scope="module")
def plain() -> tuple[BarLineTrack, Floats, list[FrontView]]:
    return tracked(lambda view, i: replace(view, has_shadow=i < 14))


def off_px(track: BarLineTrack, views: list[FrontView]) -> Floats:
    return np.asarray(track.end_px - np.stack([view.ends_px for view in views]) + 0.5)


def test_both_ends_are_followed_to_half_a_pixel(plain: tuple[BarLineTrack, Floats, list[FrontView]]) -> None:
    track, _, views = plain

    off = off_px(track, views)

    assert np.isfinite(off).all()
    assert np.abs(off[..., 1]).max() < 0.6
    assert np.abs(off[..., 0]).max() < 0.8


def test_a_shadow_under_the_resting_plates_does_not_move_them(
    plain: tuple[BarLineTrack, Floats, list[FrontView]],
) -> None:
    track, _, views = plain

    off = off_px(track, views)[..., 1]

    assert off[:13].mean() == pytest.approx(off[32:].mean(), abs=0.4)


def test_the_scale_is_that_of_the_plates_and_their_distance_agrees(
    plain: tuple[BarLineTrack, Floats, list[FrontView]],
) -> None:
    track, _, _ = plain

    m_per_px, relative_sd = front_scale(track, AnalysisSettings())

    assert m_per_px == pytest.approx(1 / PX_PER_M, rel=0.015)
    assert 0.01 <= relative_sd < 0.02
    assert abs(scale_disagreement(track, AnalysisSettings())) < 0.05


def test_outer_plates_of_several_are_the_bar_too_and_their_height_is_the_scale() -> None:
    track, _, views = tracked(lambda view, _: replace(view, out_m=0.10))

    m_per_px, relative_sd = front_scale(track, AnalysisSettings())

    assert np.abs(off_px(track, views)).max() < 0.8
    assert m_per_px == pytest.approx(1 / PX_PER_M, rel=0.015)
    assert relative_sd < 0.025


def test_plates_too_close_for_a_bar_give_the_scale_by_their_distance_unless_it_is_turned(
    plain: tuple[BarLineTrack, Floats, list[FrontView]],
) -> None:
    track, _, _ = plain
    high = replace(track, height_px=1.1 * track.height_px)

    m_per_px, relative_sd = front_scale(high, AnalysisSettings())
    turned, _ = front_scale(high, AnalysisSettings(), is_turned=True)

    assert m_per_px == pytest.approx(1 / PX_PER_M, rel=0.05)
    assert relative_sd > 0.03
    assert turned == pytest.approx(1 / PX_PER_M / 1.1, rel=0.02)


def test_samples_rise_as_far_as_the_bar_does(plain: tuple[BarLineTrack, Floats, list[FrontView]]) -> None:
    track, hands, _ = plain

    samples = sample_bar_line(track, hands, 1 / PX_PER_M)

    assert samples.source == "plate"
    assert samples.y_m[-1] - samples.y_m[0] == pytest.approx(RISE_PX / PX_PER_M, abs=0.004)
    assert is_better_than_hands(track, hands)


@pytest.mark.parametrize(("lost_s", "n_known"), [(0.4, 1), (0.6, 0)])
def test_the_hands_carry_the_bar_on_while_it_is_not_seen(
    plain: tuple[BarLineTrack, Floats, list[FrontView]], lost_s: float, n_known: int
) -> None:
    track, hands, _ = plain
    middle_s = float(track.times_s[len(track.times_s) // 2])
    lost = np.abs(track.times_s - middle_s) < lost_s / 2
    seen = track.end_px.copy()
    seen[lost] = np.nan

    samples = sample_bar_line(replace(track, end_px=seen), hands, 1 / PX_PER_M)
    whole = sample_bar_line(track, hands, 1 / PX_PER_M)

    assert bool(np.isfinite(samples.y_m[lost]).all()) == bool(n_known)
    if n_known:
        assert samples.y_m[lost] == pytest.approx(whole.y_m[lost], abs=0.02)
        assert samples.weights[lost].max() < 0.1 * samples.weights[~lost].min()


def test_a_hidden_end_is_absent_and_the_other_carries_the_middle() -> None:
    track, _, views = tracked(lambda view, i: replace(view, hidden=(1,)) if 20 <= i < 26 else view)

    assert np.isnan(track.end_px[21:25, 1]).all()
    assert np.abs(track.centre_px[21:25, 1] - [view.middle_px[1] - 0.5 for view in views[21:25]]).max() < 1.0
    assert track.confidence[21:25].max() < 0.5 < track.confidence[:14].min()


@pytest.mark.parametrize(("colour", "off_px"), [((30, 50, 170), 35.0), ((170, 172, 175), -35.0)])
def test_a_pair_of_another_colour_that_is_taken_for_a_while_is_not_in_the_track(
    colour: tuple[int, int, int], off_px: float
) -> None:
    wrong = slice(34, None)
    watch, elsewhere, ends, views = BarEndWatch(), BarEndWatch(), [], []
    for i, y in enumerate(heights_px()):
        view = FrontView(middle_px=(210.0, float(y)))
        other = replace(view, middle_px=(210.0, float(y) + off_px), colour=colour)
        is_wrong = i >= wrong.start
        ends.append((elsewhere if is_wrong else watch).observe((other if is_wrong else view).image(), [view.person()]))
        views.append(view)

    track = track_bar_line(TIMES_S, ends, np.array([view.middle_px for view in views]))

    assert all(len(found.score) for found in ends[wrong])
    assert np.isnan(track.end_px[wrong]).all()
    assert (track.confidence[wrong] == 0).all()
    assert np.isfinite(track.end_px[: wrong.start]).all()


@pytest.mark.parametrize("tilt_px", [-9.0, 6.0])
def test_the_tilt_of_the_bar_is_measured_with_its_error(tilt_px: float) -> None:
    track, _, views = tracked(lambda view, i: replace(view, tilt_px=tilt_px))

    tilt_deg, sd_deg = bar_tilt_at(track, 1.0) or (np.nan, np.nan)

    left, right = views[25].ends_px
    assert tilt_deg == pytest.approx(-np.degrees(np.arctan2(right[1] - left[1], right[0] - left[0])), abs=2 * sd_deg)
    assert 0 < sd_deg < 0.6


def test_hands_elsewhere_mean_that_the_pair_is_not_held(plain: tuple[BarLineTrack, Floats, list[FrontView]]) -> None:
    watch, ends = BarEndWatch(), []
    for y in heights_px():
        view = FrontView(middle_px=(210.0, float(y)))
        ends.append(watch.observe(view.image(), [view.person()]))

    track = track_bar_line(TIMES_S, ends, plain[1] + (2 * HEIGHT_PX, 0.0))

    assert not track.is_found
    assert np.isnan(front_scale(track, AnalysisSettings())).all()


def test_a_pair_lost_in_the_pull_leaves_the_bar_to_the_hands(
    plain: tuple[BarLineTrack, Floats, list[FrontView]],
) -> None:
    track, hands, _ = plain
    gone = track.end_px.copy()
    gone[18:] = np.nan

    assert not is_better_than_hands(replace(track, end_px=gone), hands)


@pytest.mark.parametrize(("lost", "is_better"), [((20, 27), False), ((34, 41), True)])
def test_a_bar_that_is_lost_while_the_hands_go_up_fastest_is_left_to_them(
    plain: tuple[BarLineTrack, Floats, list[FrontView]], lost: tuple[int, int], is_better: bool
) -> None:
    """Seven frames without a pair, in the middle of the pull or with the bar at rest."""
    track, hands, _ = plain
    gone = track.end_px.copy()
    gone[slice(*lost)] = np.nan

    assert is_better_than_hands(replace(track, end_px=gone), hands) == is_better


def test_a_bar_plainly_lifted_is_believed_though_the_hands_go_on_up(
    plain: tuple[BarLineTrack, Floats, list[FrontView]],
) -> None:
    track, hands, _ = plain
    far = hands.copy()
    far[-6:, 1] -= 6 * HEIGHT_PX

    assert np.ptp(track.centre_px[:, 1]) < 0.6 * np.ptp(far[:, 1])
    assert is_better_than_hands(track, far)


def test_the_tilt_is_absent_where_an_end_is_hidden(plain: tuple[BarLineTrack, Floats, list[FrontView]]) -> None:
    gone = plain[0].end_px.copy()
    gone[20:30, 0] = np.nan

    assert bar_tilt_at(replace(plain[0], end_px=gone), 1.0) is None


def test_a_real_clean_from_the_front_has_its_instants_within_two_frames(real_clips: Path) -> None:
    watch, ends, times_s, middles = BarEndWatch(), [], [], [np.array([325.0, 280.0])]
    for frame in read_frames(open_clip(real_clips / "clean_and_jerk_front_cut.mp4"), end_s=105.5 / 25.0):
        holder = FrontView(middle_px=(float(middles[-1][0]), float(middles[-1][1]))).person()
        found = watch.observe(frame.image, [holder])
        middles.append(found.end_px[0].mean(axis=0))
        ends.append(found)
        times_s.append(frame.time_s)
    track = track_bar_line(np.array(times_s), ends, np.stack(middles[1:]))
    m_per_px, _ = front_scale(track, AnalysisSettings())
    samples = sample_bar_line(track, np.stack(middles[1:]), m_per_px)
    curve = fit_curve(samples, *stretches(samples)[0])

    lift = find_lifts(curve, None, 1.70)[0]

    label = {"start": 20, "peak_velocity": 44, "max_height": 49, "catch": 60}
    assert {name: 25.0 * lift.times_s[name] for name in label} == pytest.approx(label, abs=2.0)
    assert float(curve.y.rate(np.array([lift.times_s["peak_velocity"]]))[0]) == pytest.approx(1.58, rel=0.12)
    assert float(curve.y.value(np.array([lift.times_s["max_height"]]))[0]) - lift.rest_m == pytest.approx(0.90, rel=0.1)
    assert 1 / m_per_px == pytest.approx(130, rel=0.1)
