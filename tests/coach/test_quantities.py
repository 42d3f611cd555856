"""Amounts that are no readable number: they are noticed, and everyday words are left alone."""

import pytest

from coach.check import check_text
from tests.coach.made_up_lifts import LIBRARY, faulty_lift, make_report

LIFT = make_report(faulty_lift("bar_swing_forward")).lifts[0]


@pytest.mark.parametrize(
    "said",
    [
        "The peak bar speed was nine.",
        "Peak bar speed: nine!",
        "The bar moved really fast, at nine",
        "The bar moved at IX m/s.",
        "The bar speed is MMXX m/s.",
        "The peak bar speed was n-i-n-e m/s.",
        "Speed ~ nine-ish metres/second",
        "Metres per second.",
        "The bar was twice as fast.",
        "Double the speed of before.",
        "速度九。",
        "槓鈴速度是九。",
        "槓鈴速度玖公尺每秒。",
        "每秒玖公尺。",
    ],
)
def test_an_amount_that_cannot_be_read_as_a_number_does_not_pass(said: str) -> None:
    assert check_text(said, LIFT, LIBRARY).text == ""


@pytest.mark.parametrize(
    "said",
    [
        "There is one thing to work on.",
        "Keep both hands on the bar and stand on two feet.",
        "First the legs, then the arms.",
        "This is the first of three lifts in the clip, and the best one.",
        "The speed was good, and the catch was even better.",
        "Wait half a breath before you pull.",
        "Empty bar, four sets of three.",
        "The bar rests above the back half of the skull.",
        "槓鈴離地時很近，這是一個好的開始。",
        "第二段提鈴時保持耐心。",
    ],
)
def test_everyday_words_pass(said: str) -> None:
    assert check_text(said, LIFT, LIBRARY).removed == ()
