"""What a training run is made of: one TOML file, single fields of which the command line may replace."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from coach.domain.base import Record
from coach.domain.errors import InputError

RECIPES_DIR = Path(__file__).with_name("recipes")


class Lora(Record):
    """The adapter: which linear layers it changes, and how strongly.

    `targets` are names of linear layers of the language model. With `train_vision` those of the eye's blocks in
    `vision_targets` are changed too; a server ignores that part silently unless it was told of it, so it is off.
    """

    r: int = Field(16, ge=1, le=256)
    alpha: int = Field(32, ge=1)
    dropout: float = Field(0.0, ge=0, lt=1)
    targets: tuple[str, ...] = Field(min_length=1)
    train_vision: bool = False
    vision_targets: tuple[str, ...] = Field(("qkv", "proj", "linear_fc1", "linear_fc2"), min_length=1)


class Recipe(Record):
    """A training run. Nothing about it is decided elsewhere.

    `base` is a name of a shipped model, a folder, or a name on the hub. `data` is a folder of examples. `max_tokens`
    is a check and never a cut: an example that is longer stops the run before it starts. `max_pixels` is the most a
    picture may have (width × height), None for what the base was made for; the server must be given the same.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    base: str
    base_licence: str
    data: Path | None = None
    lora: Lora
    learning_rate: float = Field(gt=0)
    schedule: Literal["constant", "constant_with_warmup", "cosine", "linear"] = "cosine"
    warmup_steps: int = Field(0, ge=0)
    weight_decay: float = Field(0.0, ge=0)
    batch_size: int = Field(ge=1)
    accumulation: int = Field(1, ge=1)
    epochs: float = Field(1.0, gt=0)
    steps: int | None = Field(None, ge=1)
    seed: int = Field(0, ge=0)
    eval_steps: int = Field(50, ge=1)
    save_steps: int = Field(50, ge=1)
    keep: int = Field(2, ge=2)
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    gradient_checkpointing: bool = True
    group_by_length: bool = True
    max_tokens: int = Field(4096, ge=1)
    max_pixels: int | None = Field(None, ge=1024)

    @model_validator(mode="after")
    def _steps_fit(self) -> "Recipe":
        if self.steps is not None and self.warmup_steps >= self.steps:
            raise ValueError(f"warmup_steps must be below steps, got {self.warmup_steps} of {self.steps}")
        return self


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with the coach."""
    return sorted(path.stem for path in RECIPES_DIR.glob("*.toml"))


def read_recipe(source: str, changes: Mapping[str, Any] | None = None) -> Recipe:
    """Return the recipe in a file or of a name, with single fields replaced.

    Args:
        source: A path of a TOML file, or a name out of `recipe_names()`.
        changes: New values by dotted field name, such as `{"lora.r": 8}`.

    Raises:
        InputError: There is no such recipe, or a field of it is wrong.
    """
    path = Path(source) if source.endswith(".toml") else RECIPES_DIR / f"{source}.toml"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        names = ", ".join(recipe_names())
        raise InputError(
            f"no recipe {source} ({problem.strerror}): name a TOML file, or choose from {names}"
        ) from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise InputError(f"{path} is no TOML: {problem}") from problem
    if values.get("data") is not None and not Path(values["data"]).is_absolute():
        values["data"] = path.parent / values["data"]
    for field, value in (changes or {}).items():
        _replace(values, field, value)
    try:
        return Recipe.model_validate(values)
    except ValidationError as problem:
        raise InputError(f"{path}: {'; '.join(_complaints(problem))}") from problem


def read_changes(texts: Sequence[str]) -> dict[str, Any]:
    """Return what `field=value` texts replace; a value is written as in TOML, quotes may be left out.

    Raises:
        InputError: A text is not of this form.
    """
    changes: dict[str, Any] = {}
    for text in texts:
        field, equals, value = text.partition("=")
        if not equals or not field.strip():
            raise InputError(f"'{text}' replaces nothing: write FIELD=VALUE, such as lora.r=8")
        try:
            changes[field.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            changes[field.strip()] = value.strip()
    return changes


def as_toml(recipe: Recipe) -> str:
    """Return a recipe as the text of a TOML file that `read_recipe` reads back unchanged."""
    values = recipe.model_dump(mode="json", exclude_none=True)
    lora = values.pop("lora")
    lines = [*_lines(values), "", "[lora]", *_lines(lora)]
    return "\n".join(lines) + "\n"


def differences(one: Recipe, other: Recipe) -> list[str]:
    """Return the dotted names of the fields in which two recipes differ."""
    ours, theirs = one.model_dump(mode="json"), other.model_dump(mode="json")
    lora, their_lora = ours.pop("lora"), theirs.pop("lora")
    changed = [field for field in ours if ours[field] != theirs[field]]
    return changed + [f"lora.{field}" for field in lora if lora[field] != their_lora[field]]


def _lines(values: Mapping[str, Any]) -> Iterator[str]:
    # Strings, numbers, booleans and lists of strings are written the same way in JSON and in TOML.
    return (f"{field} = {json.dumps(value, ensure_ascii=False)}" for field, value in values.items())


def _replace(values: dict[str, Any], field: str, value: Any) -> None:
    *tables, last = field.split(".")
    for table in tables:
        inner = values.setdefault(table, {})
        if not isinstance(inner, dict):
            raise InputError(f"no field '{field}' in a recipe: '{table}' has no fields of its own")
        values = inner
    values[last] = value


def _complaints(problem: ValidationError) -> Iterator[str]:
    for error in problem.errors():
        field = ".".join(str(part) for part in error["loc"]) or "recipe"
        what = error["msg"].removeprefix("Value error, ")
        got = "" if error["type"] in ("missing", "value_error") else f", got {error['input']!r}"
        yield f"`{field}`: {what}{got}"
