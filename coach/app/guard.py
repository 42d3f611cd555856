"""What stands before every route: who is asking, from where, and the headers that keep a page to itself."""

from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coach.app.accounts import SESSION_S
from coach.app.state import ME, OWNER_KEY, App

COOKIE = "liftcoach"
OPEN_PATHS = frozenset({"/healthz", "/metrics", "/login", "/static/app.css"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
MAX_FORM_BYTES = 4096
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # Gradio's page starts with inline scripts
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "frame-ancestors 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "object-src 'none'",
    )
)
HEADERS = (
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
)


class Guard:
    """Refuses requests from other sites and of people who are not logged in; tells the routes who is asking."""

    def __init__(self, app: ASGIApp, state: App, *, is_local: bool) -> None:
        """Guard an app; when it is local, only this machine's own names are answered, so no site can be pointed at it."""
        self._app = app
        self._state = state
        self._is_local = is_local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or pass on one request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = {name.lower() for name, _ in message["headers"]}
                added = [(n.encode(), v.encode()) for n, v in HEADERS if n.encode() not in known]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        refusal = self._refusal(connection)
        if refusal is not None:
            await refusal(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)

    def _refusal(self, connection: HTTPConnection) -> Response | None:
        scope: dict[str, Any] = dict(connection.scope)
        host = connection.headers.get("host", "")
        if self._is_local and _name(host) not in LOOPBACK:
            return Response("open this page at http://127.0.0.1", HTTPStatus.MISDIRECTED_REQUEST)
        origin = connection.headers.get("origin")
        if scope.get("method") not in ("GET", "HEAD") and origin and urlsplit(origin).netloc != host:
            return Response("this comes from another site", HTTPStatus.FORBIDDEN)
        path = scope["path"]
        if self._state.accounts is None:
            connection.scope[OWNER_KEY] = ME
            return None
        owner = self._state.sessions.name(connection.cookies.get(COOKIE))
        if owner is None and path not in OPEN_PATHS:
            if "text/html" in connection.headers.get("accept", ""):
                return RedirectResponse("/login", HTTPStatus.SEE_OTHER)
            return Response("log in first", HTTPStatus.UNAUTHORIZED)
        connection.scope[OWNER_KEY] = owner or ""
        return None


def _name(host: str) -> str:
    return urlsplit(f"//{host}").hostname or ""


def login_routes(app: App) -> APIRouter:
    """Return the routes to log in and out."""
    router = APIRouter()
    page = Environment(loader=PackageLoader("coach.app", "templates"), autoescape=True).get_template("login.html.j2")

    def show(problem: str = "", status: int = 200) -> HTMLResponse:
        return HTMLResponse(page.render(problem=problem), status)

    @router.get("/login", include_in_schema=False)
    def login_page() -> HTMLResponse:
        return show()

    @router.post("/login", include_in_schema=False)
    async def login(request: Request) -> Response:
        if app.accounts is None:
            return RedirectResponse("/", HTTPStatus.SEE_OTHER)
        name, password = await _form(request)
        address = f"address {request.client.host if request.client else ''}"
        wait_s = app.brake.wait_s(f"name {name}", address)
        if wait_s > 0:
            return show(f"Too many tries: wait {wait_s / 60:.0f} min and try again.", HTTPStatus.TOO_MANY_REQUESTS)
        app.brake.failed(f"name {name}", address)  # counted before the slow look, so that tries side by side count too
        if not await run_in_threadpool(app.accounts.is_right, name, password):
            return show("Name and password do not match.", HTTPStatus.UNAUTHORIZED)
        app.brake.forget(f"name {name}", address)
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        answer.set_cookie(
            COOKIE,
            app.sessions.open(name),
            max_age=int(SESSION_S),
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer

    @router.post("/logout", include_in_schema=False)
    def logout(request: Request) -> Response:
        app.sessions.close(request.cookies.get(COOKIE))
        answer = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
        answer.delete_cookie(COOKIE)
        return answer

    return router


async def _form(request: Request) -> tuple[str, str]:
    """Return name and password of a posted form; both are empty when the form is too large."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_FORM_BYTES:
            return "", ""
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return fields.get("name", [""])[0], fields.get("password", [""])[0]
