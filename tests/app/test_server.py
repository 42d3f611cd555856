"""The routes: who may come in, what is handed out, and that a page hands out nothing else of this machine."""

import gc
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from coach.app.accounts import MAX_FAILURES, Accounts, add_user
from coach.app.server import Config, make_server, make_state
from coach.app.state import App
from coach.domain.errors import SetupError
from tests.app.conftest import app_in, lift_adder

HERE = "http://127.0.0.1:7860"


pytestmark = [
    # Gradio makes an event loop for its locks and never closes it.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed"),
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting'"),  # in Gradio's statistics of errors
]


@contextmanager
def _served(app: App) -> Iterator[TestClient]:
    server = make_server(Config(folder=app.folder, with_demo=False), app)
    with TestClient(server, base_url=HERE, follow_redirects=False) as client:
        yield client
    del server
    gc.collect()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Return one app for all tests here: building the pages takes a second."""
    folder = tmp_path_factory.mktemp("app")
    with app_in(folder) as app:
        yield app


@pytest.fixture(scope="module")
def client(app: App) -> Iterator[TestClient]:
    with _served(app) as client:
        yield client


@pytest.fixture(scope="module")
def behind_login(app: App, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    path = tmp_path_factory.mktemp("accounts") / "accounts.json"
    for name in ("ann", "bob"):
        add_user(path, name, f"{name} lifts heavy")
    with _served(replace(app, accounts=Accounts(path))) as client:
        yield client


@pytest.fixture
def guarded(behind_login: TestClient) -> TestClient:
    behind_login.cookies.clear()
    return behind_login


@pytest.fixture
def add_lift(app: App) -> Callable[..., str]:
    return lift_adder(app)


def _log_in(client: TestClient, name: str) -> None:
    client.cookies.clear()
    answer = client.post("/login", data={"name": name, "password": f"{name} lifts heavy"})
    assert answer.status_code == 303, answer.text


def _call(client: TestClient, data: list[Any], fn_index: int, session: str = "s1") -> str:
    """Call a handler of the pages as a browser does, and return everything it was told."""
    body = {"data": data, "fn_index": fn_index, "session_hash": session}
    joined = client.post("/gradio_api/queue/join", json=body)
    if joined.status_code != 200:
        return joined.text
    return client.get("/gradio_api/queue/data", params={"session_hash": session}).text


def test_the_app_says_that_it_is_ready(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ready"}


def test_the_metrics_are_prometheus_text(client: TestClient, app: App) -> None:
    app.meters.answer_ended("answered", 0.5)

    text = client.get("/metrics").text

    assert 'liftcoach_answers_total{outcome="answered"} 1.0' in text
    assert re.search(r"^liftcoach_analyses_waiting 0\.0$", text, re.M)


@pytest.mark.parametrize("path", ["/", "/rate", "/corpus"])
def test_every_page_opens(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 200
    assert "Liftcoach" in answer.text


def test_a_page_is_told_to_talk_to_nobody_else(client: TestClient) -> None:
    headers = client.get("/").headers

    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"fonts\.googleapis|cdnjs|huggingface\.co", client.get("/").text)


def test_a_posted_path_gets_no_file_of_this_machine(client: TestClient, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret of this machine")
    trick = {"path": str(secret), "meta": {"_type": "gradio.FileData"}}
    passwd = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    handlers = client.get("/config").json()["dependencies"]
    with_files = [handler["id"] for handler in handlers if len(handler["inputs"]) in (2, 6)]
    assert with_files

    for fn_index in with_files:
        for posted in (trick, passwd):
            answer = _call(client, [posted] * 6, fn_index)
            assert "the secret of this machine" not in answer
            assert "root:" not in answer
    cached = [path for path in tmp_path.rglob("*") if path.is_file() and path != secret]
    assert not any(b"the secret of this machine" in p.read_bytes() or b"root:x:0" in p.read_bytes() for p in cached)
    for path in (secret, Path("/etc/passwd")):
        assert client.get(f"/gradio_api/file={path}").status_code in (403, 404)


def test_a_mounted_page_counts_as_launched_or_its_path_checks_are_off(client: TestClient) -> None:
    import gradio as gr

    mounted = [route.app for route in client.app.routes if isinstance(getattr(route, "app", None), gr.routes.App)]

    assert [one.get_blocks().has_launched for one in mounted] == [True]


def test_a_lift_gives_its_video_in_pieces_and_nothing_beside_its_files(
    client: TestClient, add_lift: Callable[..., str], app: App
) -> None:
    lift = add_lift()
    (app.folder / "accounts.json").write_text("{}")

    piece = client.get(f"/media/{lift}/annotated.mp4", headers={"Range": "bytes=10-19"})

    assert (piece.status_code, piece.content, piece.headers["content-type"]) == (206, b"0123456789", "video/mp4")
    for name in ("tracks.parquet", "../../../accounts.json", "..%2f..%2f..%2faccounts.json", "settings.json", ""):
        assert client.get(f"/media/{lift}/{name}").status_code == 404, name
    assert client.get("/media/../media/x/annotated.mp4").status_code == 404


def test_without_accounts_this_machine_alone_is_answered(client: TestClient, app: App) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 421
    assert client.post("/logout", headers={"Origin": "http://evil.example"}).status_code == 403
    for host in ("localhost:7860", "[::1]:7860"):
        assert client.get("/healthz", headers={"Host": host}).status_code == 200


def test_other_machines_are_let_in_only_with_accounts(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="--accounts"):
        make_state(Config(folder=tmp_path, host="0.0.0.0"))


def test_nothing_is_shown_to_who_is_not_logged_in(guarded: TestClient, add_lift: Callable[..., str]) -> None:
    lift = add_lift("ann")

    assert guarded.get("/", headers={"Accept": "text/html"}).headers["location"] == "/login"
    for path in ("/config", f"/media/{lift}/annotated.mp4", "/votes.csv", "/gradio_api/info", "/gradio_api/file=x"):
        assert guarded.get(path).status_code == 401, path
    for path in ("/gradio_api/run/predict", "/gradio_api/upload", "/gradio_api/queue/join"):
        assert guarded.post(path).status_code == 401, path
    assert guarded.get("/healthz").status_code == 200


def test_a_person_sees_their_own_lift_and_nobody_elses(guarded: TestClient, add_lift: Callable[..., str]) -> None:
    lift = add_lift("ann")

    _log_in(guarded, "ann")
    assert guarded.get(f"/media/{lift}/annotated.mp4").status_code == 200
    _log_in(guarded, "bob")
    assert guarded.get(f"/media/{lift}/annotated.mp4").status_code == 404
    assert guarded.get(f"/media/{lift}/report.json").status_code == 404


def test_no_handler_of_the_pages_tells_a_person_about_anothers_lift(
    guarded: TestClient, add_lift: Callable[..., str], app: App
) -> None:
    lift = add_lift("ann")
    app.store.say(lift, "ann", "user", "my private question")
    _log_in(guarded, "ann")
    handlers = guarded.get("/config").json()["dependencies"]
    loading = next(h["id"] for h in handlers if any(event == "load" for _, event in h["targets"]))
    assert lift in _call(guarded, [], loading, "of ann")  # so these calls do reach the handlers
    _log_in(guarded, "bob")

    for handler in handlers:
        answer = _call(guarded, [lift] * len(handler["inputs"]), handler["id"], "of bob")
        assert "my private question" not in answer
        assert f"/media/{lift}" not in answer

    assert [m.text for m in app.store.messages(lift, "ann")] == ["my private question"]
    assert app.store.lift(lift, "ann").status == "done"


def test_after_logging_out_the_cookie_opens_nothing(guarded: TestClient) -> None:
    _log_in(guarded, "ann")
    cookies = dict(guarded.cookies)
    guarded.post("/logout")
    guarded.cookies.update(cookies)

    assert guarded.get("/config").status_code == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(guarded: TestClient) -> None:
    answer = guarded.post("/login", data={"name": "ann", "password": "ann lifts heavy"})

    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_a_huge_login_form_is_not_read(guarded: TestClient) -> None:
    assert guarded.post("/login", data={"name": "ann", "password": "x" * 100_000}).status_code == 401


def test_wrong_passwords_are_slowed_down_even_before_a_right_one(guarded: TestClient, app: App) -> None:
    app.brake._failures.clear()
    for _ in range(MAX_FAILURES):
        assert guarded.post("/login", data={"name": "ann", "password": "guess"}).status_code == 401

    answer = guarded.post("/login", data={"name": "ann", "password": "ann lifts heavy"})

    assert answer.status_code == 429
    assert "wait 5 min" in answer.text
