"""Adapters: the hash that names one, the card that says what it was trained on, and what may not be served."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from coach.domain.base import Record
from coach.domain.errors import SetupError

CARD = "card.json"
WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
HASH_DIGITS = 12
_TOWERS = ("visual.", "vision_tower.", "vision_model.", "multi_modal_projector.")
_WHOLE_BYTES = 256 << 20  # a file up to this size is hashed whole
_BLOCK_BYTES, _N_BLOCKS = 1 << 20, 64  # of a larger file, this much at even distances


class AdapterCard(BaseModel):
    """What an adapter says of itself in `card.json`: the model it was trained on, and whatever else is told."""

    model_config = ConfigDict(frozen=True, extra="allow")

    base: str
    base_sha256: str
    recipe: dict[str, Any] | None = None

    @property
    def max_pixels(self) -> int | None:
        """Return the most pixels of a picture in its training; None when that was the model's own limit."""
        return (self.recipe or {}).get("max_pixels")


class Adapter(Record):
    """A checked adapter; `name` is what it is served under: its own name, @ and the first digits of its hash."""

    name: str
    path: Path
    rank: int
    has_tower_weights: bool


def adapter_hash(folder: Path) -> str:
    """Return the SHA-256 of what an adapter computes: its weights and its configuration, whatever the folder is called.

    Raises:
        SetupError: The folder holds no adapter.
    """
    digest = hashlib.sha256()
    settings = json.dumps(_settings(folder), sort_keys=True, separators=(",", ":"))
    digest.update(settings.encode())
    digest.update(_file_digest(_need(folder, WEIGHTS)))
    return digest.hexdigest()


def model_hash(folder: Path) -> str:
    """Return a SHA-256 that tells models apart: of all weights and the tokenizer, in the order of their names.

    Of a file over 256 MB, 64 pieces of 1 MB at even distances and its length are taken, so that eight gigabytes cost
    no minute at every start.

    Raises:
        SetupError: The folder holds no safetensors.
    """
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise SetupError(f"{folder} holds no model (no .safetensors): name a folder in the Hugging Face format")
    digest = hashlib.sha256()
    for path in [*weights, folder / "tokenizer.json"]:
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + _file_digest(path))
    return digest.hexdigest()


def served_name(name: str, folder: Path) -> str:
    """Return `name@hash` for an adapter's folder, so that a changed adapter never meets old caches."""
    return f"{name}@{adapter_hash(folder)[:HASH_DIGITS]}"


def read_card(folder: Path) -> AdapterCard:
    """Return the card of an adapter.

    Raises:
        SetupError: There is none, or it does not name the model that the adapter was trained on.
    """
    path = _need(folder, CARD)
    try:
        return AdapterCard.model_validate_json(path.read_bytes())
    except ValidationError as problem:
        raise SetupError(f"{path} does not say which model the adapter was trained on: train it again") from problem


def check_adapter(name: str, folder: Path, base: Path, *, base_sha256: str, allows_towers: bool) -> Adapter:
    """Return an adapter that fits the served model.

    Args:
        name: Its own name, without hash.
        folder: With `adapter_model.safetensors`, `adapter_config.json` and `card.json`.
        base: Folder of the served model, for messages.
        base_sha256: Of the served model, from `model_hash`.
        allows_towers: Whether the server applies adapters to the vision tower; without it they are silently ignored.

    Raises:
        SetupError: The adapter is incomplete, changed, for another model, or would be served in part only.
    """
    served = served_name(name, folder)
    wanted = re.fullmatch(rf".+@([0-9a-f]{{{HASH_DIGITS}}})", folder.name)
    if wanted and not served.endswith(wanted[1]):
        raise SetupError(f"{folder} was changed: its content is {served}; fetch or train the adapter again")
    card = read_card(folder)
    if card.base_sha256 != base_sha256:
        raise SetupError(
            f"the adapter {served} was trained on {card.base} ({card.base_sha256[:HASH_DIGITS]}), but {base.name} "
            f"({base_sha256[:HASH_DIGITS]}) is served: serve its own model, or train it again on this one"
        )
    has_tower_weights = any(part in key for key in _tensor_names(folder / WEIGHTS) for part in _TOWERS)
    if has_tower_weights and not allows_towers:
        raise SetupError(
            f"the adapter {served} changes the vision tower, which the server would silently leave out: "
            "set tower_adapters = true in serving.toml"
        )
    return Adapter(name=served, path=folder, rank=_rank(folder), has_tower_weights=has_tower_weights)


def _rank(folder: Path) -> int:
    settings = _settings(folder)
    ranks = [settings.get("r"), *(settings.get("rank_pattern") or {}).values()]
    if not all(isinstance(rank, int) and rank > 0 for rank in ranks):
        raise SetupError(f"{folder / CONFIG} names no rank (`r`): is it a LoRA adapter?")
    return max(int(rank) for rank in ranks)


def _settings(folder: Path) -> dict[str, Any]:
    """Return the configuration without the place of the base model, which differs from machine to machine."""
    path = _need(folder, CONFIG)
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise SetupError(f"{path} is not JSON ({problem}): fetch or train the adapter again") from problem
    if not isinstance(settings, dict):
        raise SetupError(f"{path} is no adapter's configuration: fetch or train the adapter again")
    return {key: value for key, value in settings.items() if key != "base_model_name_or_path"}


def _need(folder: Path, file_name: str) -> Path:
    path = folder / file_name
    if not path.is_file():
        raise SetupError(f"{folder} holds no adapter ({file_name} is missing): train one with `coach finetune run`")
    return path


def _tensor_names(path: Path) -> list[str]:
    """Return the names of the tensors in a safetensors file, read from its header."""
    with path.open("rb") as file:
        try:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(size, path.stat().st_size)))
        except ValueError as problem:
            raise SetupError(f"{path} is damaged ({problem}): fetch or train the adapter again") from problem
    return [name for name in header if name != "__metadata__"]


def _file_digest(path: Path) -> bytes:
    n_bytes = path.stat().st_size
    with path.open("rb") as file:
        if n_bytes <= _WHOLE_BYTES:
            return hashlib.file_digest(file, "sha256").digest()
        digest = hashlib.sha256(str(n_bytes).encode())
        for i in range(_N_BLOCKS):
            file.seek(i * (n_bytes - _BLOCK_BYTES) // (_N_BLOCKS - 1))
            digest.update(file.read(_BLOCK_BYTES))
        return digest.digest()
