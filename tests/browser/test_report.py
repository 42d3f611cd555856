"""The report on a phone: every value and interval can be read whole."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from perception.simulator.demo_clip import demo_clip

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

CUT_OFF = """[...document.querySelectorAll("tbody tr")].flatMap(row =>
    [...row.children].filter(cell => {
        const words = document.createRange();
        words.selectNodeContents(cell);
        return words.getBoundingClientRect().right > row.getBoundingClientRect().right + 1;
    }).map(cell => cell.innerText))"""


def test_no_number_of_the_report_is_cut_off_on_a_phone(
    coach: Callable, visit: "Callable[..., Visit]", tmp_path: Path
) -> None:
    assert coach("analyze", demo_clip(), "--out", tmp_path / "out", "--no-video").code == 0

    page = visit((tmp_path / "out" / "report.html").as_uri(), "phone").page
    page.wait_for_selector("tbody td.value")

    assert page.evaluate(CUT_OFF) == []
    assert page.locator("tbody th").first.bounding_box()["width"] > page.viewport_size["width"] / 3
