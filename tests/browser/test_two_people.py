"""Two people with accounts in two browser sessions: neither sees what is the other's by guessing ids."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coach.app.accounts import add_user
from coach.store import open_store
from tests.app.conftest import write_analysis
from tests.browser.conftest import Served, Visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, browser: "Browser") -> Iterator[tuple[Served, str]]:
    """Return an app with accounts, and the id of a lift that is Ann's."""
    folder: Path = tmp_path_factory.mktemp("shared")
    for name in ("ann", "bob"):
        add_user(folder / "accounts.json", name, f"{name} lifts heavy")
    store = open_store(f"sqlite:///{folder / 'liftcoach.db'}")
    lift = store.add_lift("ann", "private.mp4", {})
    write_analysis(folder / "lifts" / lift.id / "analysis")
    store.set_status(lift.id, "done")
    store.say(lift.id, "ann", "user", "my private question")
    store.close()
    app = Served(folder, folder / "accounts.json")
    app.start()
    yield app, lift.id
    app.stop()


def _log_in(page: "Page", name: str, password: str | None = None) -> None:
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", password or f"{name} lifts heavy")
    page.click("button")


def test_ann_sees_her_lift_and_bob_cannot_by_its_id(shared: tuple[Served, str], visit: Callable[..., Visit]) -> None:
    app, lift = shared
    ann, bob = visit(f"{app.address}/?lift={lift}").page, visit(app.address).page
    for page, name in ((ann, "ann"), (bob, "bob")):
        assert page.url.endswith("/login")
        _log_in(page, name)
        page.wait_for_selector("#lifts input")

    ann.goto(f"{app.address}/?lift={lift}")
    ann.wait_for_selector("#lift .cue")
    ann.wait_for_selector("#chat .user.message")
    bob.goto(f"{app.address}/?lift={lift}")
    bob.wait_for_selector("#lifts input")

    assert "my private question" in ann.inner_text("#chat")
    assert lift not in bob.content()
    assert "private" not in bob.inner_text("body")
    for name in ("annotated.mp4", "report.json"):
        assert bob.request.get(f"{app.address}/media/{lift}/{name}").status == 404
        assert ann.request.get(f"{app.address}/media/{lift}/{name}").status == 200


def test_a_wrong_password_opens_nothing(shared: tuple[Served, str], visit: Callable[..., Visit]) -> None:
    page = visit(shared[0].address).page
    _log_in(page, "ann", "bob lifts heavy")

    assert "do not match" in page.inner_text("[role=alert]")
    assert page.request.get(f"{shared[0].address}/config").status == 401
