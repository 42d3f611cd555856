"""What `coach serve` serves and how: `serving.toml`, one file for a laptop's processor and for GPUs."""

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from coach.domain.base import Record
from coach.domain.errors import DataError, SetupError
from coach.hub import models_folder
from serving.adapters import HASH_DIGITS, Adapter, AdapterCard, check_adapter, model_hash, read_card

HERE = Path(__file__).resolve().parent
SHIPPED_MODELS = HERE / "models"
SHIPPED_ADAPTERS = SHIPPED_MODELS / "adapters"
DEFAULT_CONFIG = HERE / "serving.toml"


class ServingConfig(Record):
    """The fields of `serving.toml`; a path counts from the folder of that file.

    `model` is a folder, a model in the box, or one that `coach models fetch` has brought. `adapters` maps names to
    folders; left out, those in the box that were trained on the model are served. A picture larger than `max_pixels` is
    made smaller by the server; left out, the model's own limit holds. `compiled` starts minutes later and then answers
    faster: for GPUs.
    """

    folder: Path = HERE
    model: str = "coach-tiny"
    adapters: dict[str, Path] | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8102, ge=1, le=65535)
    api_key_file: Path | None = None
    vllm: Path | None = None
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "float32"
    max_model_len: int = Field(default=4096, ge=256)
    max_num_seqs: int = Field(default=32, ge=1)
    cpu_kv_cache_gb: int = Field(default=1, ge=1)
    gpu_memory_utilization: float | None = Field(default=None, gt=0, le=1)
    tensor_parallel_size: int = Field(default=1, ge=1)
    prefix_caching: bool = True
    compiled: bool = False
    max_images: int = Field(default=4, ge=0)
    min_pixels: int | None = Field(default=None, ge=1024)
    max_pixels: int | None = Field(default=None, ge=1024)
    max_lora_rank: Literal[8, 16, 32, 64, 128, 256] = 32
    tower_adapters: bool = False
    structured_outputs: Literal["guidance", "xgrammar"] = "guidance"
    chat_template_kwargs: dict[str, Any] = Field(default_factory=dict)
    start_timeout_s: float = Field(default=600.0, gt=0)
    extra_args: tuple[str, ...] = ()

    @field_validator("adapters")
    @classmethod
    def _plain_names(cls, adapters: dict[str, Path] | None) -> dict[str, Path] | None:
        for name in adapters or {}:
            if not name.replace("-", "").replace("_", "").isalnum():
                raise ValueError(f"the adapter's name {name!r} may hold letters, digits, - and _ only")
        return adapters

    @property
    def base_url(self) -> str:
        """Return the address that clients are given."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/v1"

    def model_path(self) -> Path:
        """Return the folder of the model.

        Raises:
            SetupError: It is not on this machine.
        """
        places = (self.folder / self.model, SHIPPED_MODELS / self.model, models_folder() / self.model)
        for place in places:
            if (place / "config.json").is_file():
                return place.resolve()
        raise SetupError(
            f"the model '{self.model}' is not on this machine: name the folder of one in serving.toml, or see "
            "`coach models list` and fetch it"
        )

    def checked_adapters(self) -> tuple[Adapter, ...]:
        """Return the adapters that are served, checked against the model.

        Raises:
            SetupError: One is missing, was trained on another model, or could be served in part only.
        """
        base = self.model_path()
        base_sha256 = model_hash(base)
        found = shipped_adapters(base_sha256) if self.adapters is None else self._named_adapters()
        adapters = tuple(
            check_adapter(name, path, base, base_sha256=base_sha256, allows_towers=self.tower_adapters)
            for name, path in found.items()
        )
        for adapter in adapters:
            self._check_limits(adapter)
        return adapters

    def _check_limits(self, adapter: Adapter) -> None:
        """See that the server runs an adapter the way it was trained."""
        if adapter.rank > self.max_lora_rank:
            raise SetupError(f"the adapter {adapter.name} has rank {adapter.rank}: set max_lora_rank in serving.toml")
        card = read_card(adapter.path)
        if card.recipe is not None and card.max_pixels != self.max_pixels:
            trained, wanted = ("the model's own number of", "leave max_pixels out of")
            if card.max_pixels is not None:
                trained, wanted = (f"at most {card.max_pixels}", f"set max_pixels = {card.max_pixels} in")
            raise SetupError(
                f"the adapter {adapter.name} was trained on pictures of {trained} pixels: {wanted} serving.toml"
            )

    def _named_adapters(self) -> dict[str, Path]:
        return {name: self._adapter_folder(path) for name, path in (self.adapters or {}).items()}

    def _adapter_folder(self, path: Path) -> Path:
        """Return the folder itself, or the only one whose name is this and a hash."""
        place = self.folder / path
        if place.is_dir():
            return place
        hashed = sorted(place.parent.glob(f"{place.name}@{'?' * HASH_DIGITS}"))
        if len(hashed) == 1:
            return hashed[0]
        told = f"choose one of {', '.join(p.name for p in hashed)}" if hashed else "train one with `coach finetune run`"
        raise SetupError(f"there is no adapter {place}: {told}")


def shipped_adapters(base_sha256: str, folder: Path = SHIPPED_ADAPTERS) -> dict[str, Path]:
    """Return the adapters in the box that were trained on a model, by name, the newest first name last."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob(f"*@{'?' * HASH_DIGITS}")):
        card: AdapterCard = read_card(path)
        if card.base_sha256 == base_sha256:
            found[path.name.split("@")[0]] = path
    return found


def read_config(path: Path = DEFAULT_CONFIG) -> ServingConfig:
    """Return the checked content of a `serving.toml`.

    Raises:
        SetupError: There is no such file.
        DataError: It is no TOML, or a field is unknown or out of range.
    """
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise SetupError(f"{path} cannot be read ({problem.strerror}): name a serving.toml with --config") from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise DataError(f"{path} is no TOML: {problem}") from problem
    try:
        return ServingConfig(**{"folder": path.resolve().parent, **fields})
    except ValidationError as problem:
        raise DataError(f"{path}: {_told(problem)}") from problem


def _told(problem: ValidationError) -> str:
    flaws = []
    for error in problem.errors():
        name = ".".join(str(part) for part in error["loc"])
        if error["type"] == "extra_forbidden":
            flaws.append(f"there is no field '{name}'; choose from {', '.join(sorted(ServingConfig.model_fields))}")
        else:
            flaws.append(f"`{name}`: {error['msg']}, got {error['input']!r}")
    return "; ".join(flaws)
