"""The segment table against the knowledge sheet, and the body's centre of mass."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.pose import INDEX, KEYPOINTS, Floats
from perception.segments import SEGMENTS, Sex, body_com, com_sd_m, com_weights
from perception.simulator.body import body_of
from perception.simulator.spec import LifterSpec

TABLE = Path(__file__).parents[2] / "corpus" / "knowledge" / "de_leva.csv"
ROWS = {"trunk": "trunk_alt_midshoulder", "shank": "shank_alt_ajc"}
SEXES: tuple[Sex, ...] = ("female", "male", "unknown")


@pytest.mark.parametrize("sex", ["female", "male"])
def test_the_table_is_that_of_the_knowledge_sheet(sex: Sex) -> None:
    rows = {row["segment"]: row for row in csv.DictReader(TABLE.read_text().splitlines()) if row["sex"] == sex}
    for segment in SEGMENTS:
        row = rows[ROWS.get(segment.name, segment.name)]
        assert segment.mass(sex) == float(row["mass_fraction"])
        assert segment.gyration(sex) == float(row["rg_frac_mediolateral_axis"])
        assert segment.n_sides == int(row["count_in_body"])
        if segment.name != "head":
            assert segment.com(sex) == float(row["com_fraction_from_proximal"])


@pytest.mark.parametrize("sex", SEXES)
def test_masses_and_weights_add_up_to_the_whole_body(sex: Sex) -> None:
    assert sum(s.mass(sex) * s.n_sides for s in SEGMENTS) == pytest.approx(1.0, abs=2e-4)
    assert com_weights(sex).sum() == pytest.approx(1.0)
    assert com_weights(sex).min() >= 0


def standing(sex: Sex) -> Floats:
    """Return (1, K, 3), a body that stands upright with hanging arms, from de Leva's own lengths."""
    b = body_of(
        LifterSpec(
            height_m=1.741, mass_kg=73.0, sex="female" if sex == "female" else "male", leg_factor=1.0, arm_factor=1.0
        )
    )
    ankle, knee = 0.068, 0.068 + b.shank_m
    hip = knee + b.thigh_m
    shoulder = hip + b.trunk_m
    elbow = shoulder - b.upper_arm_m
    wrist = elbow - b.forearm_m
    up = {"toe": 0, "heel": 0, "ankle": ankle, "knee": knee, "hip": hip, "shoulder": shoulder}
    up |= {"elbow": elbow, "wrist": wrist, "hand": wrist - b.hand_m, "ear": shoulder + 0.115 * 1.741}
    points = np.zeros((1, len(KEYPOINTS), 3))
    for name, i in INDEX.items():
        points[0, i, 1] = up.get(name.split("_")[-1], 0.0)
    return points


@pytest.mark.parametrize("sex", SEXES)
def test_standing_upright_the_centre_of_mass_is_at_55_to_58_percent_of_stature(sex: Sex) -> None:
    """Women 0.55, men 0.57 of stature; Winter 2009, fig. 4.1 and de Leva 1996 within 2 %."""
    assert 0.545 < body_com(standing(sex), sex)[0, 1] / 1.741 < 0.60


@given(st.floats(-3, 3), st.floats(0.2, 4))
def test_the_centre_of_mass_moves_and_grows_with_the_body(shift: float, factor: float) -> None:
    points = standing("male")
    assert body_com(factor * points + shift, "male") == pytest.approx(factor * body_com(points, "male") + shift)


def test_unknown_sex_and_build_leave_one_or_two_centimetres_open() -> None:
    assert 0.003 < com_sd_m(standing("male"))[0, 1] < 0.04
