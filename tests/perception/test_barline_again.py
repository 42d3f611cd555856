"""The bar found again, in drawn frames that the track misses, by what its plates look like elsewhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from perception.barline import BarEnds, BarEndWatch, no_ends
from perception.barline_again import AFTER_S, LOOK_BACK_S, WORTH_READING, find_again, frames_to_read
from perception.barline_track import BarLineTrack, track_bar_line
from perception.pose import Image
from tests.perception.made_up_front import FrontView

N, RATE_HZ = 44, 25.0
LOST = list(range(18, 28))
SHARE = np.clip((np.arange(N) - 14) / 16, 0, 1)
BAR_PX = 250.0 - 110.0 * (3 * SHARE**2 - 2 * SHARE**3)  # still, up in half a second, still


@dataclass(frozen=True, eq=False)
class Watched:
    """Every frame of a bar that is lifted, and the pairs that were seen in it."""

    views: list[FrontView]
    ends: list[BarEnds]

    def track(self, frames: Sequence[int | None]) -> BarLineTrack:
        """Return the track through some of the frames in any order; None is a frame in which nothing is seen."""
        ends = [no_ends() if i is None else self.ends[i] for i in frames]
        hands = np.array([(np.nan, np.nan) if i is None else self.views[i].middle_px for i in frames])
        return track_bar_line(np.arange(len(frames)) / RATE_HZ, ends, hands)

    def off_px(self, track: BarLineTrack, i: int) -> float:
        return float(np.abs(track.end_px[i] - self.views[i].ends_px + 0.5).max())


@pytest.fixture(scope="module")
def watched() -> Watched:
    watch = BarEndWatch()
    views = [FrontView(middle_px=(210.0, float(y)), tilt_px=8.0) for y in BAR_PX]
    return Watched(views, [watch.observe(view.image(), [view.person()]) for view in views])


@pytest.fixture(scope="module")
def gap(watched: Watched) -> BarLineTrack:
    """The track that has not seen the bar in the middle of its way up."""
    return watched.track([None if i in LOST else i for i in range(N)])


def found_of_lost(track: BarLineTrack) -> list[int]:
    return [i for i in LOST if np.isfinite(track.end_px[i]).all()]


def without_bar(view: FrontView) -> Image:
    return replace(view, middle_px=(210.0, -200.0)).image()


def test_a_bar_is_found_again_to_a_pixel_in_frames_that_the_track_misses(watched: Watched, gap: BarLineTrack) -> None:
    again = find_again(gap, [(i, watched.views[i].image()) for i in LOST])

    assert found_of_lost(gap) == []
    assert max(watched.off_px(again, i) for i in LOST) < 1.0
    assert (again.confidence[LOST] > 0.5).all()


def test_frames_that_are_not_read_again_stay_as_they_are(watched: Watched, gap: BarLineTrack) -> None:
    read = LOST[:4]
    others = [i for i in range(N) if i not in read]

    again = find_again(gap, [(i, watched.views[i].image()) for i in read])

    assert np.array_equal(again.end_px[others], gap.end_px[others], equal_nan=True)
    assert np.array_equal(again.confidence[others], gap.confidence[others])


@pytest.mark.parametrize("blur_px", [3, 6])
def test_a_bar_blurred_by_its_motion_is_found_again(watched: Watched, gap: BarLineTrack, blur_px: int) -> None:
    blurred = [(i, replace(watched.views[i], blur_px=blur_px).image()) for i in LOST]

    again = find_again(gap, blurred)

    assert max(watched.off_px(again, i) for i in LOST) < 1.0


@pytest.mark.parametrize(
    "drawn",
    [
        pytest.param(without_bar, id="a wall"),
        pytest.param(lambda view: replace(view, hidden=(-1,)).image(), id="hidden at the left"),
        pytest.param(lambda view: replace(view, hidden=(1,)).image(), id="hidden at the right"),
        pytest.param(lambda view: replace(view, colour=(30, 50, 170)).image(), id="blue"),
        pytest.param(lambda view: replace(view, colour=(220, 200, 40)).image(), id="yellow"),
    ],
)
def test_what_is_not_plainly_the_bar_stays_unseen(
    watched: Watched, gap: BarLineTrack, drawn: Callable[[FrontView], Image]
) -> None:
    again = find_again(gap, [(i, drawn(watched.views[i])) for i in LOST])

    assert found_of_lost(again) == []
    assert (again.confidence[LOST] == 0).all()


def test_of_two_bars_that_look_the_same_none_is_taken(watched: Watched, gap: BarLineTrack) -> None:
    pictures = []
    for i in LOST[4:]:
        y = float(BAR_PX[i])
        upper, lower = (replace(watched.views[i], middle_px=(210.0, at)).image() for at in (y, y + 72.0))
        pictures.append((i, np.concatenate([upper[: round(y) + 36], lower[round(y) + 36 :]])))

    again = find_again(gap, pictures)

    assert found_of_lost(again) == []


def test_a_single_frame_that_shows_the_bar_elsewhere_is_left_out(watched: Watched, gap: BarLineTrack) -> None:
    views = [replace(watched.views[i], middle_px=(210.0, BAR_PX[i] - 40.0 * (i == 22))) for i in LOST]

    again = find_again(gap, [(i, view.image()) for i, view in zip(LOST, views, strict=True)])

    assert np.isnan(again.end_px[22]).all()
    assert again.confidence[22] == 0
    assert found_of_lost(again) == [i for i in LOST if i != 22]


def test_without_a_look_at_both_plates_nothing_is_read_or_found(watched: Watched, gap: BarLineTrack) -> None:
    unlearnt = replace(gap, looks=(gap.looks[0], None))

    again = find_again(unlearnt, [(i, watched.views[i].image()) for i in LOST])

    assert not frames_to_read(unlearnt).any()
    assert np.array_equal(again.end_px, unlearnt.end_px, equal_nan=True)


def test_a_bar_that_was_never_seen_is_not_looked_for(watched: Watched, gap: BarLineTrack) -> None:
    never = replace(gap, end_px=np.full((N, 2, 2), np.nan))

    again = find_again(never, [(i, watched.views[i].image()) for i in LOST])

    assert not frames_to_read(never).any()
    assert np.isnan(again.end_px).all()


@pytest.mark.parametrize("n_lost", [WORTH_READING - 1, WORTH_READING])
def test_few_missing_frames_are_not_worth_reading_again(watched: Watched, n_lost: int) -> None:
    lost = range(20, 20 + n_lost)

    wanted = frames_to_read(watched.track([None if i in lost else i for i in range(N)]))

    assert list(np.flatnonzero(wanted)) == (list(lost) if n_lost >= WORTH_READING else [])


def test_frames_long_after_the_bar_was_last_up_are_left_out(watched: Watched) -> None:
    lowered = range(29, 9, -1)
    track = watched.track([*range(N), *lowered, *[None] * 60])
    y = track.centre_px[:, 1]

    wanted = np.flatnonzero(frames_to_read(track)) / RATE_HZ

    up_s = np.flatnonzero(y < np.nanmin(y) + 18.0)[-1] / RATE_HZ
    assert wanted[0] == pytest.approx((N + len(lowered)) / RATE_HZ)
    assert wanted[-1] == pytest.approx(up_s + AFTER_S, abs=1.5 / RATE_HZ)


def test_frames_long_before_the_bar_was_first_seen_are_left_out(watched: Watched) -> None:
    n_before = 100

    wanted = np.flatnonzero(frames_to_read(watched.track([*[None] * n_before, *range(N)]))) / RATE_HZ

    assert wanted[0] == pytest.approx(n_before / RATE_HZ - LOOK_BACK_S, abs=1.5 / RATE_HZ)
    assert wanted[-1] == pytest.approx((n_before - 1) / RATE_HZ)
