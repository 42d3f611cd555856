"""A server on this machine that speaks the OpenAI protocol, and fails in whatever way a test wants."""

import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Answer = Callable[["Handler"], None]


def completion(text: str, finish_reason: str = "stop") -> dict[str, Any]:
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "coach-tiny",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14},
    }


def says(text: str, finish_reason: str = "stop") -> Answer:
    return lambda handler: handler.send_json(200, completion(text, finish_reason))


def fails(status: int, message: str = "it failed", **headers: str) -> Answer:
    error = {"error": {"message": message, "type": "Error", "code": status}}
    return lambda handler: handler.send_json(status, error, headers)


def sends(body: bytes, kind: str = "application/json") -> Answer:
    return lambda handler: handler.send_body(200, body, kind)


def streams(*pieces: str, end: str = "stop", hang: bool = False) -> Answer:
    """Stream pieces; `end` is `stop`, `cut` (the connection breaks), `error` (an error event) or `garbage`."""

    def answer(handler: "Handler") -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for piece in pieces:
            handler.send_event({"index": 0, "delta": {"content": piece}, "finish_reason": None})
        if hang:
            handler.wait_for_the_end()
        elif end == "stop":
            handler.send_event({"index": 0, "delta": {}, "finish_reason": "stop"})
            handler.send_chunk(b"data: [DONE]\n\n")
            handler.send_chunk(b"")
        elif end == "error":
            handler.send_chunk(b'data: {"error": {"message": "engine died", "code": 500}}\n\n')
            handler.send_chunk(b"")
        elif end == "garbage":
            handler.send_chunk(b"data: {nonsense\n\n")
            handler.send_chunk(b"")
        elif end == "quiet":
            handler.send_chunk(b"")
        else:
            handler.break_off()

    return answer


def hangs(handler: "Handler") -> None:
    handler.wait_for_the_end()


def breaks_off(handler: "Handler") -> None:
    handler.break_off()


@dataclass
class Played:
    """The answers still to give, and the requests that came."""

    url: str
    answers: list[Answer]
    served: list[str] = field(default_factory=lambda: ["coach-tiny", "coach@0123456789ab"])
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    client_left: threading.Event = field(default_factory=threading.Event)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    played: Played

    def do_GET(self) -> None:
        self.played.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.send_json(
            200, {"object": "list", "data": [{"id": name, "object": "model"} for name in self.played.served]}
        )

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.played.requests.append(json.loads(body))
        self.played.headers.append({name.lower(): value for name, value in self.headers.items()})
        answers = self.played.answers
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)

    def send_json(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self.send_body(status, json.dumps(body).encode(), "application/json", headers)

    def send_body(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def send_event(self, choice: dict[str, Any]) -> None:
        event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        self.send_chunk(f"data: {json.dumps(event)}\n\n".encode())

    def send_chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def break_off(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def wait_for_the_end(self) -> None:
        """Say nothing more until the client goes away or the test ends."""
        self.connection.settimeout(0.02)
        while not self.played.stopped.is_set():
            try:
                if self.connection.recv(1) == b"":
                    self.played.client_left.set()
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                self.played.client_left.set()
                break
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def misbehaving(*answers: Answer) -> Iterator[Played]:
    """Run a server that gives these answers in turn, the last one for ever."""
    played = Played("", list(answers) or [says("hello")])
    handler = type("PlayedHandler", (Handler,), {"played": played})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        played.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield played
        finally:
            played.stopped.set()
            server.shutdown()
            thread.join()
