"""Models from a Hugging Face hub: which are known, where they lie, and how they are fetched, resumed and checked."""

import hashlib
import http.client
import json
import logging
import os
import shutil
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from coach.domain.base import Record
from coach.domain.errors import ServiceError, SetupError

logger = logging.getLogger(__name__)

OnProgress = Callable[[int, int], None]

SOURCE = "source.json"
CHUNK_BYTES = 1 << 20
TIMEOUT_S = 20.0  # s without a byte before a connection counts as lost
_WANTED = (".json", ".safetensors", ".txt", ".jinja", ".model", "LICENSE")  # data only: no pickles, no code


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model that the coach can use; `about_gb` is its size in 10⁹ bytes, `use` the command that takes it."""

    name: str
    repository: str
    licence: str
    about_gb: float
    use: str = "coach serve"


MODELS: dict[str, HubModel] = {
    model.name: model
    for model in (
        HubModel("qwen3-vl-2b", "Qwen/Qwen3-VL-2B-Instruct", "Apache-2.0", 4.3),
        HubModel("qwen3-vl-4b", "Qwen/Qwen3-VL-4B-Instruct", "Apache-2.0", 8.9),
        HubModel("qwen3.5-4b", "Qwen/Qwen3.5-4B", "Apache-2.0", 9.3),
        HubModel("vitpose-base", "usyd-community/vitpose-base-simple", "Apache-2.0", 0.36, "--pose vitpose"),
        HubModel("rtdetr-r50", "PekingU/rtdetr_r50vd_coco_o365", "Apache-2.0", 0.17, "--pose vitpose"),
    )
}
BUNDLES: dict[str, tuple[str, ...]] = {"vitpose": ("vitpose-base", "rtdetr-r50")}
"""Models that are needed together, by the name that fetches all of them."""


class Source(Record):
    """Written beside a model once it is complete: where it came from, and the hash of each file."""

    repository: str
    commit: str
    licence: str
    files: dict[str, str]


class _Lfs(BaseModel):
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int


class _File(BaseModel):
    """A file as the hub lists it; large ones have a SHA-256, small ones git's own SHA-1."""

    model_config = ConfigDict(extra="ignore")

    rfilename: str
    size: int
    blobId: str = Field(pattern="^[0-9a-f]{40}$")  # noqa: N815 - the hub's own name
    lfs: _Lfs | None = None

    @property
    def digest(self) -> str:
        return self.lfs.sha256 if self.lfs else self.blobId

    def is_wanted(self) -> bool:
        path = PurePosixPath(self.rfilename)
        is_inside = not path.is_absolute() and ".." not in path.parts and "\\" not in self.rfilename
        return is_inside and path.parts[0] != "original" and self.rfilename.endswith(_WANTED)

    def is_right(self, path: Path) -> bool:
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        digest = hashlib.sha256() if self.lfs else hashlib.sha1(f"blob {self.size}\0".encode())
        with path.open("rb") as file:
            while piece := file.read(CHUNK_BYTES):
                digest.update(piece)
        return digest.hexdigest() == self.digest


class _Card(BaseModel):
    license: str | None = None


class _Listing(BaseModel):
    model_config = ConfigDict(extra="ignore")

    sha: str = Field(pattern="^[0-9a-f]{40}$")
    siblings: tuple[_File, ...]
    cardData: _Card | None = None  # noqa: N815 - the hub's own name


def models_folder() -> Path:
    """Return the folder that fetched models lie in."""
    return cache_root() / "models"


def cache_root() -> Path:
    """Return the folder for what can be fetched again: `$LIFTCOACH_CACHE`, or one in the user's cache of this platform."""
    chosen = os.environ.get("LIFTCOACH_CACHE")
    return Path(chosen) if chosen else _user_cache() / "liftcoach"


def _user_cache() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    variable = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    chosen = os.environ.get(variable)
    return Path(chosen) if chosen else Path.home() / ".cache"


def find_source(name: str) -> Source | None:
    """Return where a fetched model came from; None when it is not here, or not whole."""
    folder = models_folder() / name
    try:
        source = Source.model_validate_json((folder / SOURCE).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    return source if all((folder / file).is_file() for file in source.files) else None


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A known model, and its source once it is here."""

    model: HubModel
    path: Path
    source: Source | None

    @property
    def fetch_name(self) -> str:
        """Return what to fetch it by: the bundle it belongs to, else its own name."""
        return next((name for name, models in BUNDLES.items() if self.model.name in models), self.model.name)


def list_models() -> list[ModelStatus]:
    """Return every known model, whether it is here or not."""
    return [ModelStatus(model, models_folder() / name, find_source(name)) for name, model in MODELS.items()]


def fetch(name: str, on_progress: OnProgress | None = None) -> Path:
    """Bring a model into the cache and return its folder; what a broken download left is gone on with.

    The hub is `$HF_ENDPOINT`, else https://huggingface.co. Every file is checked: the large ones against the SHA-256
    that the hub keeps of them, the small ones against git's hash.

    Args:
        name: A name of `MODELS`.
        on_progress: Called with bytes done and bytes in all.

    Raises:
        SetupError: No such model, no room on the disk, or the cache cannot be written.
        ServiceError: The hub cannot be reached, or a file is not what it should be.
    """
    if name not in MODELS:
        raise SetupError(f"no model '{name}'; choose from {', '.join(MODELS)}")
    folder = models_folder() / name
    if find_source(name) is not None:
        return folder
    model = MODELS[name]
    listing = _list_files(model)
    files = [file for file in listing.siblings if file.is_wanted()]
    if not any(file.rfilename.endswith(".safetensors") for file in files):
        raise ServiceError(f"{_endpoint()}/{model.repository} holds no safetensors: is HF_ENDPOINT right?")
    _make_room(folder, sum(file.size for file in files))
    total, done = sum(file.size for file in files), 0
    for file in files:
        _fetch_file(model, listing.sha, file, folder, _counting_from(done, total, on_progress))
        done += file.size
    licence = (listing.cardData.license if listing.cardData else None) or model.licence
    source = Source(
        repository=model.repository,
        commit=listing.sha,
        licence=licence,
        files={file.rfilename: file.digest for file in files},
    )
    (folder / SOURCE).write_text(source.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return folder


def _counting_from(before: int, total: int, on_progress: OnProgress | None) -> Callable[[int], None]:
    """Return what reports the bytes of one file as part of the whole."""
    return lambda done: on_progress(before + done, total) if on_progress is not None else None


def _endpoint() -> str:
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def _list_files(model: HubModel) -> _Listing:
    address = f"{_endpoint()}/api/models/{model.repository}?blobs=true"
    try:
        with urllib.request.urlopen(_request(address), timeout=TIMEOUT_S) as reply:
            return _Listing.model_validate_json(reply.read())
    except (ValidationError, json.JSONDecodeError) as problem:
        raise ServiceError(f"{address} is no list of a hub's files: is HF_ENDPOINT right?") from problem
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise ServiceError(
            f"{address} cannot be reached ({problem}): check the network, or set HF_ENDPOINT to a mirror"
        ) from problem


def _request(address: str, begin: int = 0) -> urllib.request.Request:
    headers = {"User-Agent": "liftcoach", "Accept-Encoding": "identity"}
    if begin:
        headers["Range"] = f"bytes={begin}-"
    return urllib.request.Request(address, headers=headers)


def _make_room(folder: Path, n_bytes: int) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise SetupError(f"cannot write to the cache {folder} ({problem}): set LIFTCOACH_CACHE") from problem
    here = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    free = shutil.disk_usage(folder).free
    if free < n_bytes - here:
        raise SetupError(
            f"{folder} has room for {free / 1e9:.1f} GB, {(n_bytes - here) / 1e9:.1f} GB are needed: "
            "free some, or set LIFTCOACH_CACHE to another disk"
        )


def _fetch_file(model: HubModel, commit: str, file: _File, folder: Path, on_bytes: Callable[[int], None]) -> None:
    """Fetch one file; a connection that breaks is taken up again for as long as bytes keep coming."""
    path = folder / file.rfilename
    if file.is_right(path):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{file.digest[:12]}.part")
    address = f"{_endpoint()}/{model.repository}/resolve/{commit}/{urllib.parse.quote(file.rfilename)}"
    while (begin := _size(partial)) < file.size or not partial.exists():
        problem = _download(address, partial, begin, file.size, on_bytes)
        if problem is not None:
            logger.info("%s: %s", address, problem)
            if _size(partial) <= begin:
                raise ServiceError(f"{address}: {problem}. Type the same again to go on from {begin / 1e6:.0f} MB")
    if not file.is_right(partial):
        partial.unlink()
        raise ServiceError(f"{address} is not what the hub says it is (wrong hash); it was removed: fetch it again")
    partial.replace(path)
    on_bytes(file.size)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _download(address: str, partial: Path, begin: int, n_bytes: int, on_bytes: Callable[[int], None]) -> str | None:
    """Append to a partial file; return what went wrong, or None when the connection ended well."""
    try:
        with urllib.request.urlopen(_request(address, begin), timeout=TIMEOUT_S) as reply:
            is_rest = reply.status == http.client.PARTIAL_CONTENT
            done = begin if is_rest else 0
            with partial.open("ab" if is_rest else "wb") as file:
                # One byte more than expected is enough to know that this is another file.
                while done <= n_bytes and (piece := reply.read(CHUNK_BYTES)):
                    file.write(piece)
                    done += len(piece)
                    on_bytes(min(done, n_bytes))
    except urllib.error.HTTPError as problem:
        problem.close()
        return str(problem)
    except (OSError, http.client.HTTPException, ValueError) as problem:
        return str(problem) or type(problem).__name__
    return None if done >= n_bytes else f"{done} of {n_bytes} bytes came"
