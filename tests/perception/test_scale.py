"""Metres per pixel: from the plate, from the height, or not at all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.domain.settings import AnalysisSettings
from perception.plate import PlateTrack
from perception.scale import PLATE_SIZE_SD, find_scale, line_scale


def plate(radius_px: float, sd_px: float = 0.3) -> PlateTrack:
    return PlateTrack(np.arange(3) / 30, np.full((3, 2), 50.0), np.ones(3), radius_px, sd_px, 0.0)


NO_PLATE = plate(float("nan"), float("nan"))


def test_a_disc_of_450_mm_gives_the_scale() -> None:
    scale = find_scale(plate(45.0), 340.0, AnalysisSettings(), "side")

    assert scale.method == "plate"
    assert scale.bar_m_per_px == pytest.approx(0.005)
    assert scale.bar_relative_sd == pytest.approx(np.hypot(0.3 / 45, PLATE_SIZE_SD))


def test_the_body_is_farther_away_than_the_near_plate() -> None:
    scale = find_scale(plate(45.0), 340.0, AnalysisSettings(), "side")

    assert 1.05 < scale.body_m_per_px / scale.bar_m_per_px < 1.25


def test_height_and_plate_together_scale_the_body_when_the_plate_scales_the_bar() -> None:
    scale = find_scale(plate(45.0), 310.0, AnalysisSettings(height_m=1.70), "side")
    alone = find_scale(plate(45.0), 310.0, AnalysisSettings(), "side")

    assert scale.method == "plate"
    assert scale.bar_m_per_px == pytest.approx(0.005)
    assert 1.70 / 310 < scale.body_m_per_px < alone.body_m_per_px
    assert scale.body_relative_sd < alone.body_relative_sd


def test_a_body_that_adds_up_to_far_less_than_its_height_does_not_scale_itself() -> None:
    half_hidden = find_scale(plate(45.0), 200.0, AnalysisSettings(height_m=1.70), "side")

    untold = find_scale(plate(45.0), 200.0, AnalysisSettings(), "side")
    assert half_hidden.body_m_per_px == untold.body_m_per_px
    assert half_hidden.body_off == pytest.approx(untold.body_m_per_px * 200.0 / 1.70 - 1)
    assert untold.body_off == 0
    assert find_scale(plate(45.0), 310.0, AnalysisSettings(height_m=1.70), "side").body_off == 0


@pytest.mark.parametrize("view", ["front", "rear"])
def test_a_disc_seen_edge_on_does_not_count(view: str) -> None:
    assert find_scale(plate(45.0), 340.0, AnalysisSettings(), view).method == "none"
    assert find_scale(plate(45.0), 340.0, AnalysisSettings(height_m=1.7), view).method == "height"


def test_without_a_plate_the_height_gives_a_less_sure_scale() -> None:
    by_height = find_scale(NO_PLATE, 340.0, AnalysisSettings(height_m=1.70), "side")

    assert by_height.method == "height"
    assert by_height.bar_m_per_px == pytest.approx(0.005)
    assert by_height.bar_relative_sd > find_scale(plate(45.0), 340.0, AnalysisSettings(), "side").bar_relative_sd


@pytest.mark.parametrize(("stature_px", "height_m"), [(340.0, None), (float("nan"), 1.70), (float("nan"), None)])
def test_with_neither_there_is_no_scale(stature_px: float, height_m: float | None) -> None:
    scale = find_scale(NO_PLATE, stature_px, AnalysisSettings(height_m=height_m), "side")

    assert not scale.is_known
    facts = scale.facts()
    assert (facts.method, facts.m_per_px, facts.relative_sd) == ("none", None, None)


def test_a_known_scale_is_reported_as_it_is() -> None:
    scale = find_scale(plate(45.0), 340.0, AnalysisSettings(), "side")

    facts = scale.facts()

    assert (facts.method, facts.m_per_px, facts.relative_sd) == ("plate", scale.bar_m_per_px, scale.bar_relative_sd)


@given(factor=st.floats(0.2, 5), diameter_m=st.floats(0.2, 0.5), radius_px=st.floats(10, 200))
@settings(max_examples=30, deadline=None)
def test_the_scale_goes_with_the_plate_and_against_the_picture(
    factor: float, diameter_m: float, radius_px: float
) -> None:
    told = AnalysisSettings(plate_diameter_m=diameter_m)
    here = find_scale(plate(radius_px), 340.0, told, "side")
    there = find_scale(plate(factor * radius_px, factor * 0.3), factor * 340.0, told, "side")

    assert here.bar_m_per_px * 2 * radius_px == pytest.approx(diameter_m)
    assert there.bar_m_per_px == pytest.approx(here.bar_m_per_px / factor)
    assert there.bar_relative_sd == pytest.approx(here.bar_relative_sd)


def test_from_askew_a_height_that_was_told_wins_over_plates_that_are_not_edge_on() -> None:
    told = AnalysisSettings(height_m=1.70)
    near, far = (0.0052, 0.01), (0.0068, 0.01)

    assert line_scale(far, 340.0, told, "oblique").bar_m_per_px == pytest.approx(0.005)
    assert line_scale(near, 340.0, told, "oblique").bar_m_per_px == pytest.approx(0.0052)
    assert line_scale(far, 340.0, told, "front").bar_m_per_px == pytest.approx(0.0068)
    assert (
        line_scale(near, 340.0, told, "oblique").bar_relative_sd
        > line_scale(near, 340.0, told, "front").bar_relative_sd
    )
