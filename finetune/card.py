"""What is written beside an adapter: its card for machines and people, and the curves of its training."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coach.domain.base import Record
from finetune.recipe import Recipe, as_toml


class Run(Record):
    """What a training run was made of, written into its folder before the first step."""

    base: str
    base_sha256: str
    data_sha256: str
    n_examples: int
    n_validation: int
    n_tokens: int
    left_out: tuple[str, ...]
    versions: dict[str, str]


def write_card(folder: Path, name: str, recipe: Recipe, run: Run, log: Sequence[Mapping[str, Any]]) -> None:
    """Write `card.json` (what serving checks) and `README.md` (what people read) into an adapter's folder."""
    told = {**run.model_dump(mode="json", exclude={"left_out"}), "eval_loss": last(log, "eval_loss")}
    # Names, and no places on this machine.
    recipe = recipe.model_copy(update={"data": None, "base": run.base})
    told["recipe"] = recipe.model_dump(mode="json", exclude_none=True)
    (folder / "card.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(_readme(name, recipe, run, log), encoding="utf-8")


def last(log: Sequence[Mapping[str, Any]], key: str) -> float | None:
    """Return the last value of a key in a log."""
    return next((line[key] for line in reversed(log) if key in line), None)


def _readme(name: str, recipe: Recipe, run: Run, log: Sequence[Mapping[str, Any]]) -> str:
    loss, eval_loss = last(log, "loss"), last(log, "eval_loss")
    shown = f"{eval_loss:.4f} on {run.n_validation} examples" if eval_loss is not None else "not measured"
    vision = "and the vision tower (the server must be told)" if recipe.lora.train_vision else "only"
    steps = max((line["step"] for line in log), default=0)
    return f"""---
base_model: {run.base}
library_name: peft
license: {recipe.base_licence.lower()}
tags: [lora, vision, weightlifting]
---
# {name}

A LoRA adapter that makes {run.base} write as a weightlifting coach, from measures and key frames of one lift.

| | |
|---|---|
| base | {run.base}, SHA-256 {run.base_sha256} |
| data | {run.n_examples} conversations, {run.n_tokens} tokens, SHA-256 {run.data_sha256} |
| trained | {steps} steps; rank {recipe.lora.r}, linear layers of the language model {vision} |
| loss | {f"{loss:.4f}" if loss is not None else "not measured"} at the last step |
| evaluation loss | {shown} |
| licence | {recipe.base_licence}, as the base; the texts it learnt from keep their own |
| versions | {", ".join(f"{package} {version}" for package, version in run.versions.items())} |

## Intended use
Guidance and answers inside Liftcoach, which gives it the measures of a lift and checks every number and claim in what
it writes before anybody reads it. Its numbers are quotes of those measures.

## Limits
It measures nothing itself. Without the check its text must not reach an athlete. It is no doctor, no referee, and knows
no lift but the one in the prompt. A loss says how well it imitates its examples, not that the guidance helps:
`coach eval` scores that. It fits the base above alone, and pictures of at most
{recipe.max_pixels or "the base's own number of"} pixels; `coach finetune parity` shows whether a server runs it as it was trained.

## Recipe
```toml
{as_toml(recipe).strip()}
```
"""


def draw_curves(log: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the loss of every step, the evaluation loss and the learning rate as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    for key, label, style in (("loss", "training", "-"), ("eval_loss", "evaluation", "o-")):
        points = [(line["step"], line[key]) for line in log if key in line]
        if points:
            above.plot(*zip(*points, strict=True), style, label=label, linewidth=1, markersize=4)
    above.set(ylabel="loss per token (nats)")
    above.legend()
    rates = [(line["step"], line["learning_rate"]) for line in log if "learning_rate" in line]
    if rates:
        below.plot(*zip(*rates, strict=True), linewidth=1)
    below.set(xlabel="step", ylabel="learning rate")
    figure.savefig(path, dpi=120)
