"""Two lifts side by side: only what exceeds the error of measuring is a change."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coach.compare import Comparison, compare, curve_change_text, difference, difference_text, write_page
from coach.domain.errors import DataError, InputError
from coach.domain.lift import Lift, Report
from coach.domain.measures import Measure
from coach.domain.words import measure_name
from perception.alignment import STEPS, align, departures, read_curves
from perception.comparison_plots import write_comparison_plots
from perception.simulator.random_spec import random_spec
from perception.simulator.reports import simulated_report

RATE_HZ = 60.0


def measure(value: float, sd: float, unit: str = "m/s") -> Measure:
    return Measure(value=value, unit=unit, low=value - 1.645 * sd, high=value + 1.645 * sd, source="plate")


@pytest.fixture(scope="module")
def report() -> Report:
    return simulated_report(random_spec(7), 1)


def write_tracks(folder: Path, lift: Lift, *, faster: float = 1.0, shift_s: float = 0.0) -> Path:
    """Write a made-up bar about the instants of a lift: a smooth rise whose speed can be scaled."""
    folder.mkdir()
    times = np.arange(0, 8, 1 / RATE_HZ)
    peak = lift.instants["peak_velocity"]
    assert peak is not None
    v = faster * 1.8 * np.exp(-(((times - shift_s - peak.time_s) / 0.25) ** 2))
    y = np.cumsum(v) / RATE_HZ
    table = {"time_s": times, "bar_x_m": 0.02 * np.sin(times), "bar_y_m": y, "bar_velocity_y_m_s": v}
    pq.write_table(pa.table(table), folder / "tracks.parquet")
    return folder


def test_a_difference_counts_only_beyond_1_96_of_its_sd() -> None:
    """Two SDs of 0.03 make one of 0.0424; 1.96 of it is 0.0832."""
    inside, beyond = (difference("bar_peak_velocity_m_s", measure(1.8, 0.03), measure(v, 0.03)) for v in (1.88, 1.89))

    assert inside.smallest_real == pytest.approx(1.96 * 0.03 * np.sqrt(2))
    assert not inside.is_change
    assert beyond.is_change
    assert beyond.low == pytest.approx(0.09 - 1.645 * 0.03 * np.sqrt(2))


def test_errors_alone_make_a_change_of_one_in_twenty_equal_lifts() -> None:
    rng = np.random.default_rng(3)
    pairs = rng.normal(1.8, 0.03, (4000, 2))
    changes = [difference("bar_peak_velocity_m_s", measure(a, 0.03), measure(b, 0.03)).is_change for a, b in pairs]

    assert np.mean(changes) == pytest.approx(0.05, abs=0.012)


def test_a_lift_does_not_differ_from_itself(report: Report, tmp_path: Path) -> None:
    folder = write_tracks(tmp_path / "a", report.lifts[0])

    found, aligned = compare((folder, report), (folder, report))

    assert not any(d.is_change for d in found.differences)
    assert found.curve_changes == ()
    assert np.all(aligned.difference == 0)


def test_every_measure_is_compared_or_says_why_not(report: Report, tmp_path: Path) -> None:
    folder = write_tracks(tmp_path / "a", report.lifts[0])
    less = report.lifts[0].model_copy(
        update={"measures": {}, "not_measured": {"bar_drop_m": "the bar was lost"}, "lift": "snatch"}
    )

    found, _ = compare((folder, report), (folder, report.model_copy(update={"lifts": (less,)})))

    assert found.differences == ()
    assert "second lift: the bar was lost" in found.not_compared["bar_drop_m"]


def test_a_faster_bar_is_told_by_its_curve_and_a_later_start_of_the_film_is_not(report: Report, tmp_path: Path) -> None:
    lift = report.lifts[0]
    late = {n: at and at.model_copy(update={"time_s": at.time_s + 0.5}) for n, at in lift.instants.items()}
    later = report.model_copy(update={"lifts": (lift.model_copy(update={"instants": late}),)})
    here = write_tracks(tmp_path / "a", lift)

    same, _ = compare((here, report), (write_tracks(tmp_path / "b", lift, shift_s=0.5), later))
    faster, _ = compare((here, report), (write_tracks(tmp_path / "c", lift, faster=1.2), report))

    assert same.curve_changes == ()
    change = next(c for c in faster.curve_changes if c.curve == "bar speed")
    assert change.largest == pytest.approx(0.36, abs=0.02)
    assert "Bar speed after" in curve_change_text(change)


def test_lifts_of_different_kinds_and_lifts_that_are_not_there_are_refused(report: Report, tmp_path: Path) -> None:
    folder = write_tracks(tmp_path / "a", report.lifts[0])
    clean = report.model_copy(update={"lifts": (report.lifts[0].model_copy(update={"lift": "clean"}),)})

    with pytest.raises(InputError, match="a snatch and a clean cannot be compared"):
        compare((folder, report), (folder, clean))
    with pytest.raises(InputError, match="has no lift 4: it holds 1"):
        compare((folder, report), (folder, report), (4, None))


def test_a_folder_without_tracks_or_with_a_damaged_file_says_what_to_do(report: Report, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="coach analyze"):
        read_curves(tmp_path, report.lifts[0])
    (tmp_path / "tracks.parquet").write_bytes(b"no parquet")
    with pytest.raises(DataError, match="analyse the clip again"):
        read_curves(tmp_path, report.lifts[0])


def test_anchors_lie_on_the_instants_of_both_lifts(report: Report, tmp_path: Path) -> None:
    lift = report.lifts[0]
    curves = read_curves(write_tracks(tmp_path / "a", lift), lift)

    aligned = align(curves, lift, curves, lift)

    for i, name in enumerate(aligned.anchors):
        first, at = lift.instants[aligned.anchors[0]], lift.instants[name]
        assert first is not None
        assert at is not None
        assert aligned.first_s[i * STEPS] == pytest.approx(at.time_s - first.time_s)
    assert departures(aligned, 2, 0.01) == []


def test_the_page_holds_numbers_plots_and_nothing_from_outside(report: Report, tmp_path: Path) -> None:
    folder = write_tracks(tmp_path / "a", report.lifts[0])
    found, aligned = compare((folder, report), (folder, report))
    plots = write_comparison_plots(aligned, 0.05, tmp_path, shows_paths=True)

    page = write_page(found, plots, tmp_path).read_text(encoding="utf-8")

    assert len(plots) == 2
    assert page.count("data:image/png;base64,") == 2
    assert "http" not in page.replace("http-equiv", "")
    assert measure_name(found.differences[0].measure) in page
    assert Comparison.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize(
    ("name", "unit", "one", "other", "expected"),
    [
        (
            "bar_peak_velocity_m_s",
            "m/s",
            1.80,
            1.70,
            ("1.80 m/s", "1.70 m/s", "-0.10 m/s (-0.12 to -0.08)", "0.03 m/s"),
        ),
        ("bar_max_height_m", "m", 1.10, 1.10, ("1.10 m", "1.10 m", "+0 cm (-2 to +2)", "3 cm")),
    ],
)
def test_differences_read_as_a_person_writes_them(
    name: str, unit: str, one: float, other: float, expected: tuple[str, ...]
) -> None:
    texts = difference_text(difference(name, measure(one, 0.01, unit), measure(other, 0.01, unit)))

    assert texts[1:] == expected
