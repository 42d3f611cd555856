"""A hub on this machine with one small model; no test leaves it."""

import contextlib
import hashlib
import http.server
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from coach import hub
from coach.domain.errors import ServiceError, SetupError
from coach.hub import fetch, find_source, models_folder

COMMIT = "c" * 40
FILES = {
    "config.json": b"{}",
    "model.safetensors": bytes(range(256)) * 3000,
    "sub/tokenizer.json": b'{"a": 1}',
    "evil.bin": b"a pickle",
    "modeling.py": b"code",
}


@dataclass
class Hub:
    url: str = ""
    files: dict[str, bytes] = field(default_factory=lambda: dict(FILES))
    breaks_after: list[int] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    license: str | None = "apache-2.0"
    knows_ranges: bool = True


def listing(served: Hub) -> dict[str, object]:
    siblings = []
    for name, data in FILES.items():
        entry: dict[str, object] = {"rfilename": name, "size": len(data)}
        entry["blobId"] = hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()
        if name.endswith(".safetensors"):
            entry["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
        siblings.append(entry)
    siblings.append({"rfilename": "../outside.json", "size": 1, "blobId": "0" * 40})
    return {"sha": COMMIT, "siblings": siblings, "cardData": {"license": served.license}, "tags": []}


class Answers(http.server.BaseHTTPRequestHandler):
    served: Hub

    def do_GET(self) -> None:
        self.served.asked.append((self.path, self.headers["Range"]))
        if self.path.startswith("/api/models/Qwen/Qwen3-VL-2B-Instruct?blobs=true"):
            return self.send(200, json.dumps(listing(self.served)).encode())
        found = re.fullmatch(rf"/Qwen/Qwen3-VL-2B-Instruct/resolve/{COMMIT}/(.+)", self.path)
        if found:  # as the hub does: to another address, for which the range must be asked for again
            self.send_response(302)
            self.send_header("Location", f"/blob/{found[1]}")
            return self.end_headers()
        data = self.served.files.get(self.path.removeprefix("/blob/"))
        if data is None:
            return self.send_error(404)
        begin = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
        if begin and self.served.knows_ranges:
            return self.send(206, data[int(begin[1]) :])
        return self.send(200, data)

    def send(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        is_weights = len(data) > 1000 and self.served.breaks_after
        with contextlib.suppress(ConnectionError):  # the client may have seen enough
            self.wfile.write(data[: self.served.breaks_after.pop(0)] if is_weights else data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    known = Hub()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("A", (Answers,), {"served": known})) as running:
        known.url = f"http://127.0.0.1:{running.server_address[1]}"
        monkeypatch.setenv("HF_ENDPOINT", known.url + "/")
        monkeypatch.setenv("LIFTCOACH_CACHE", str(tmp_path / "cache"))
        for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(proxy, raising=False)
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield known
        running.shutdown()
        thread.join()


def brought(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_model_comes_whole_with_its_source_and_without_code_or_pickles(served: Hub) -> None:
    assert find_source("qwen3-vl-2b") is None
    seen: list[tuple[int, int]] = []

    folder = fetch("qwen3-vl-2b", lambda done, total: seen.append((done, total)))

    files = brought(folder)
    assert set(files) == {"config.json", "model.safetensors", "sub/tokenizer.json", "source.json"}
    assert all(files[name] == FILES[name] for name in set(files) - {"source.json"})
    total = sum(len(FILES[name]) for name in set(files) - {"source.json"})
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    source = find_source("qwen3-vl-2b")
    assert source is not None
    assert (source.repository, source.commit, source.licence) == ("Qwen/Qwen3-VL-2B-Instruct", COMMIT, "apache-2.0")


def test_a_model_that_is_here_is_not_fetched_again(served: Hub) -> None:
    fetch("qwen3-vl-2b")
    served.asked.clear()
    fetch("qwen3-vl-2b")
    assert served.asked == []


def test_a_connection_that_breaks_is_taken_up_where_it_broke(served: Hub) -> None:
    served.breaks_after = [100_000, 200_000]

    assert brought(fetch("qwen3-vl-2b"))["model.safetensors"] == FILES["model.safetensors"]
    ranges = [asked for path, asked in served.asked if path == "/blob/model.safetensors"]
    assert ranges == [None, "bytes=100000-", "bytes=300000-"]


def test_a_download_that_failed_is_gone_on_with_the_next_time(served: Hub) -> None:
    served.breaks_after = [100_000, 0]
    with pytest.raises(ServiceError, match=r"100000 of 768000 bytes.*Type the same again to go on from 0 MB"):
        fetch("qwen3-vl-2b")
    assert find_source("qwen3-vl-2b") is None
    served.asked.clear()

    fetch("qwen3-vl-2b")

    assert ("/blob/model.safetensors", "bytes=100000-") in served.asked
    assert not [path for path, _ in served.asked if "config.json" in path]


def test_a_server_without_ranges_gives_the_whole_file_again(served: Hub) -> None:
    served.knows_ranges = False
    served.breaks_after = [100_000]

    assert brought(fetch("qwen3-vl-2b"))["model.safetensors"] == FILES["model.safetensors"]


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_file_with_another_content_is_refused_and_removed(served: Hub, name: str) -> None:
    served.files[name] = FILES[name][::-1]

    with pytest.raises(ServiceError, match=rf"{name} is not what the hub says"):
        fetch("qwen3-vl-2b")
    assert not list(models_folder().rglob(f"*{name}*"))


def test_a_longer_file_is_refused(served: Hub) -> None:
    served.files["model.safetensors"] *= 2

    with pytest.raises(ServiceError, match="not what the hub says"):
        fetch("qwen3-vl-2b")


def test_a_missing_file_is_told(served: Hub) -> None:
    del served.files["config.json"]

    with pytest.raises(ServiceError, match=r"config\.json: HTTP Error 404"):
        fetch("qwen3-vl-2b")


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(SetupError, match=r"choose from qwen3-vl-2b, qwen3-vl-4b, qwen3\.5-4b"):
        fetch("qwen")


def test_a_hub_that_is_not_there_or_is_none_says_what_to_set(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ServiceError, match="HF_ENDPOINT"):
        fetch("qwen3-vl-4b")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ServiceError, match=r"cannot be reached.*HF_ENDPOINT to a mirror"):
        fetch("qwen3-vl-2b")


def test_too_little_room_is_told_before_anything_comes(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))

    with pytest.raises(SetupError, match="room for"):
        fetch("qwen3-vl-2b")
