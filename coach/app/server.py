"""The server: the pages of the app on FastAPI, `/healthz`, `/metrics`, the files of a lift, and who may come in."""

import os
import tempfile
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from coach.app.accounts import Accounts
from coach.app.analysis import Limits
from coach.app.guard import LOOPBACK, Guard, login_routes
from coach.app.media import media_routes
from coach.app.meters import Meters
from coach.app.rating import read_pairs
from coach.app.state import MAX_UPLOAD_BYTES, App
from coach.app.worker import Worker
from coach.domain.base import Record
from coach.domain.errors import SetupError
from coach.store import open_store
from corpus.store import open_store as open_texts

STATIC = Path(__file__).parent


class Config(Record):
    """How the app is started."""

    host: str = "127.0.0.1"
    port: int = 7860
    accounts: Path | None = None
    folder: Path
    pairs: Path | None = None
    database: str | None = None
    with_demo: bool = True
    limits: Limits = Limits()

    @property
    def is_local(self) -> bool:
        """Return whether only this machine can reach the app."""
        return self.host in LOOPBACK

    @property
    def address(self) -> str:
        """Return what to type into a browser."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def make_state(config: Config) -> App:
    """Return what the pages and routes share: database, queue and folders, all ready.

    Raises:
        SetupError: The app would be open to everybody, or the database or the folder cannot be used.
    """
    if not config.is_local and config.accounts is None:
        raise SetupError(
            f"on {config.host} other machines can reach the app: name a file of accounts with --accounts "
            "(make one with `coach app add-user NAME`), or leave --host out"
        )
    accounts = Accounts(config.accounts) if config.accounts is not None else None
    try:
        (config.folder / "lifts").mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise SetupError(
            f"cannot write {config.folder}: {problem.strerror}; name another folder in LIFTCOACH_DATA"
        ) from problem
    store = open_store(config.database)
    meters = Meters()
    worker = Worker(store, config.limits, on_end=meters.analysis_ended)
    meters.watch_queue(lambda: worker.n_waiting)
    app = App(
        folder=config.folder,
        store=store,
        texts=open_texts(config.database),
        worker=worker,
        meters=meters,
        accounts=accounts,
        ask_models=_models,
    )
    if config.pairs is not None:
        read_pairs(app, config.pairs)
    return app


def make_server(config: Config, state: App | None = None) -> Any:
    """Return the ASGI app.

    Raises:
        SetupError: The app would be open to everybody, or the database or the folder cannot be used.
    """
    _keep_gradio_at_home(config.folder)
    import gradio as gr
    from fastapi import FastAPI, Response

    from coach.app.page import make_pages

    app = state or make_state(config)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if config.with_demo:
            app.begin()
        yield
        app.worker.close()

    server = FastAPI(title="Liftcoach", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)

    @server.get("/healthz", include_in_schema=False)
    def healthz() -> dict[str, str]:
        return {"status": "ready"}

    @server.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        return Response(app.meters.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    server.include_router(media_routes(app))
    server.include_router(login_routes(app))
    pages = make_pages(app)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it does not draw on a server, which nobody asked for
        gr.mount_gradio_app(
            server,
            pages,
            path="/",
            auth_dependency=app.owner_of,
            theme=_theme(),
            css_paths=[STATIC / "app.css"],
            head=f"<script>{(STATIC / 'app.js').read_text(encoding='utf-8')}</script>",
            max_file_size=MAX_UPLOAD_BYTES,
            footer_links=[],
            run_history=False,
            show_error=False,
            ssr_mode=False,
            enable_monitoring=False,
        )
    pages.has_launched = True  # without it, a mounted app hands out any file of this machine that a visitor names
    server.add_middleware(Guard, state=app, is_local=config.is_local)
    return server


def _models() -> tuple[str, ...]:
    """Return the models that the server of the language model offers.

    Raises:
        CoachError: No server answers.
    """
    from serving.client import CLIENTS

    return CLIENTS.load("openai", timeout_s=2.0, max_retries=0).models()


def _keep_gradio_at_home(folder: Path) -> None:
    """Tell Gradio, before it is imported, to call nobody and to keep uploads in our folder."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ["GRADIO_TEMP_DIR"] = str(folder / "uploads") if folder.is_dir() else tempfile.gettempdir()


def _theme() -> Any:
    import gradio as gr

    fonts = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Noto Sans CJK TC", "sans-serif"]
    return gr.themes.Base(
        primary_hue="blue", neutral_hue="slate", font=fonts, font_mono=["ui-monospace", "Menlo", "monospace"]
    )


def run(config: Config, on_open: Callable[[], None] | None = None) -> None:
    """Serve the app until it is stopped; `on_open` is called when it answers.

    Raises:
        SetupError: The port is taken, or the app cannot be started as asked.
    """
    import uvicorn

    class _Server(uvicorn.Server):
        async def startup(self, sockets: list[Any] | None = None) -> None:
            await super().startup(sockets)
            if self.started and on_open is not None:
                on_open()

    _check_port(config.host, config.port)
    server = make_server(config)
    settings = uvicorn.Config(
        server, host=config.host, port=config.port, log_level="warning", timeout_graceful_shutdown=3
    )
    _Server(settings).run()


def _check_port(host: str, port: int) -> None:
    import socket

    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            raise SetupError(
                f"{host}:{port} cannot be used ({problem.strerror}): stop what listens there, or choose another --port"
            ) from problem
