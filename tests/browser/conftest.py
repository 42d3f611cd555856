"""The real app in a process of its own, and the real browser; both only where Chromium is installed."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coach.app.server import Config

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SIZES = {"desktop": {"width": 1366, "height": 768}, "phone": {"width": 390, "height": 844}}
PATIENCE_MS = 900_000  # ms; an analysis takes half a minute on a free machine, and more beside other work


@dataclass
class Served:
    """An app that runs in a process of its own and can be started again on the same data."""

    folder: Path
    accounts: Path | None = None
    with_demo: bool = False
    address: str = ""
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start the app and wait until it answers."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        code = (
            "import sys; from pathlib import Path; from coach.app.server import Config, run;"
            "run(Config.model_validate_json(sys.argv[1]))"
        )
        config = Config(port=port, folder=self.folder, accounts=self.accounts, with_demo=self.with_demo)
        log = (self.folder / "server.log").open("ab")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LIFTCOACH_DATABASE")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, config.model_dump_json()],
            env=environment | {"LIFTCOACH_DATA": str(self.folder), "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.address}/healthz", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)
        raise AssertionError((self.folder / "server.log").read_text())

    def stop(self) -> None:
        """Stop the app as Ctrl+C does, then by force."""
        if self.process is None:
            return
        os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None


@dataclass
class Visit:
    """One page in one browser session, and every request it made to somewhere else."""

    page: "Page"
    context: "BrowserContext"
    elsewhere: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Return a real browser, or skip."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium fonts-noto-cjk")
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install 'liftcoach[dev]'")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, browser: "Browser") -> Iterator[Served]:
    """Return the app of one person, without the demo, so that a clip need not wait for it."""
    app = Served(tmp_path_factory.mktemp("data"))
    app.start()
    yield app
    app.stop()


@pytest.fixture
def visit(browser: "Browser") -> Iterator[Callable[..., Visit]]:
    """Return a function that opens a page of an app in a fresh browser session."""
    contexts: list[Any] = []

    def open_page(address: str, size: str = "desktop", **options: Any) -> Visit:
        context = browser.new_context(
            viewport=SIZES[size], is_mobile=size == "phone", has_touch=size == "phone", **options
        )
        context.set_default_timeout(90_000)
        contexts.append(context)
        visit = Visit(context.new_page(), context)
        here = address.split("/", 3)[2]

        def note(request: Any) -> None:
            if request.url.split(":", 1)[0] not in ("data", "blob") and request.url.split("/", 3)[2] != here:
                visit.elsewhere.append(request.url)

        context.on("request", note)
        visit.page.on("pageerror", lambda problem: visit.problems.append(str(problem)))
        visit.page.goto(address)
        return visit

    yield open_page
    for context in contexts:
        context.close()
