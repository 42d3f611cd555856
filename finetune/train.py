"""Trains a LoRA adapter: a recipe and a folder of examples in, a run folder with the named adapter out."""

import importlib.metadata
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coach.domain.errors import InputError, SetupError
from coach.hub import models_folder
from finetune.card import Run, draw_curves, last, write_card
from finetune.data import TRAIN, VALIDATION, Measured, data_hash, make_dataset, measure, read_examples
from finetune.recipe import Recipe, as_toml, differences, read_recipe
from serving.adapters import model_hash, served_name
from serving.config import SHIPPED_MODELS

OnProgress = Callable[[str, int, int], None]

_PACKAGES = ("torch", "transformers", "peft", "trl", "datasets", "accelerate")
_LANGUAGE, _VISION = (
    r"(?!.*\bvisual\b).*",
    r".*\bvisual\.blocks\..*",
)  # the patch embedding is a convolution, which a server would leave out


def _silent(_stage: str, _done: int, _total: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run left: the adapter's folder, called `name@hash`, and its last losses."""

    adapter_path: Path
    steps: int
    loss: float | None
    eval_loss: float | None
    left_out: tuple[str, ...]


def base_path(base: str) -> Path:
    """Return the folder of a base model: a folder itself, a model in the box, or a fetched one.

    Raises:
        SetupError: It is not on this machine.
    """
    for place in (Path(base), SHIPPED_MODELS / base, models_folder() / base):
        if (place / "config.json").is_file():
            return place.resolve()
    raise SetupError(
        f"the base model '{base}' is not on this machine: name its folder with --base, or see `coach models list`"
    )


def train(
    recipe: Recipe,
    out_dir: Path,
    *,
    resume: bool = False,
    leave_out_long: bool = False,
    on_progress: OnProgress = _silent,
) -> Trained:
    """Train an adapter and write the run folder.

    The folder holds `recipe.toml` (resolved), `run.json` (hashes, versions), `log.jsonl`, `curves.png`, `checkpoints/`
    and the adapter.

    Args:
        recipe: What to train, on which data.
        out_dir: New or empty, or the folder of the run to go on with.
        resume: Go on from the newest checkpoint of `out_dir`; the losses are those of a run without a stop.
        leave_out_long: Leave out examples that are longer than the recipe's `max_tokens` instead of failing.
        on_progress: Called with a stage and how far it is.

    Raises:
        InputError: No data, or the folder holds another run.
        DataError: An example cannot be learnt from, or the loss is no number any more.
        SetupError: The base is not here, or the disk is full.
    """
    if recipe.data is None:
        raise InputError("no data: name the folder of an export with --data, made by `coach corpus examples`")
    _check_out(out_dir, recipe, resume)
    folder = base_path(recipe.base)
    quiet()
    processor = load_processor(folder, recipe.max_pixels)
    limit = min(recipe.max_tokens, _most_tokens(folder))

    def read(split: str) -> Measured:
        examples = read_examples(recipe.data or Path(), split)
        return measure(
            examples,
            processor,
            limit,
            leave_out_long=leave_out_long,
            on_progress=lambda done, total: on_progress(f"reading {split}", done, total),
        )

    measured = read(TRAIN)
    validation = read(VALIDATION) if (recipe.data / f"{VALIDATION}.jsonl").is_file() else None
    run = _describe(recipe, folder, measured, validation)
    _begin(out_dir, recipe, run, resume)
    trainer = make_trainer(recipe, folder, processor, measured, validation, out_dir, on_progress, resume=resume)
    return _train(trainer, recipe, run, out_dir)


def _check_out(out_dir: Path, recipe: Recipe, resume: bool) -> None:
    if not resume:
        if out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir())):
            raise InputError(f"{out_dir} holds something: go on with it by --resume, or name a new folder with --out")
        return
    if not (out_dir / "recipe.toml").is_file():
        raise InputError(f"{out_dir} holds no run to go on with: leave out --resume, or name its folder with --out")
    changed = differences(read_recipe(str(out_dir / "recipe.toml")), _resolved(recipe))
    if changed:
        raise InputError(f"{out_dir} was begun with another recipe ({', '.join(changed)} differ): start a new run")


def _resolved(recipe: Recipe) -> Recipe:
    return recipe.model_copy(update={"data": recipe.data.resolve() if recipe.data else None})


def _describe(recipe: Recipe, base: Path, measured: Measured, validation: Measured | None) -> Run:
    every = measured.examples + (validation.examples if validation else ())
    return Run(
        base=recipe.base if not Path(recipe.base).exists() else base.name,
        base_sha256=model_hash(base),
        data_sha256=data_hash(every, recipe.data or Path()),
        n_examples=len(measured.examples),
        n_validation=len(validation.examples) if validation else 0,
        n_tokens=sum(measured.n_tokens),
        left_out=measured.left_out + (validation.left_out if validation else ()),
        versions={package: importlib.metadata.version(package) for package in _PACKAGES},
    )


def _begin(out_dir: Path, recipe: Recipe, run: Run, resume: bool) -> None:
    path = out_dir / "run.json"
    if resume:
        before = Run.model_validate_json(path.read_bytes())
        changed = [name for name in type(run).model_fields if getattr(before, name) != getattr(run, name)]
        if changed:
            raise InputError(f"{out_dir} cannot be gone on with ({', '.join(changed)} changed): start a new run")
        return
    (out_dir / "checkpoints").mkdir(parents=True, exist_ok=True)
    path.write_text(run.model_dump_json(indent=2) + "\n", encoding="utf-8")
    # Written last: a folder with a recipe is a run that can be gone on with.
    (out_dir / "recipe.toml").write_text(as_toml(_resolved(recipe)), encoding="utf-8")


def quiet() -> None:
    """Silence the bars and warnings of the training packages; the progress of the coach tells enough."""
    import datasets
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    datasets.disable_progress_bars()


def load_processor(base: Path, max_pixels: int | None) -> Any:
    """Return the processor of a base model, with at most `max_pixels` a picture."""
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(base)
    if max_pixels is not None:
        size = processor.image_processor.size
        processor.image_processor.size = {
            "shortest_edge": min(size["shortest_edge"], max_pixels),
            "longest_edge": max_pixels,
        }
    return processor


def load_base(base: Path, precision: str) -> Any:
    """Return a base model in `float32` or `bfloat16`, on a GPU where there is one."""
    import torch
    from transformers import AutoModelForImageTextToText

    device = "cuda" if torch.cuda.is_available() else "cpu"
    return AutoModelForImageTextToText.from_pretrained(base, dtype=getattr(torch, precision)).to(device)


def _most_tokens(base: Path) -> int:
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    return int(config.get("text_config", config)["max_position_embeddings"])


def lora_config(recipe: Recipe) -> Any:
    """Return the adapter's configuration: linear layers of the language model, of the eye only when asked for."""
    from peft import LoraConfig

    layers = f"{_LANGUAGE}\\.({'|'.join(recipe.lora.targets)})"
    if recipe.lora.train_vision:
        layers = f"({layers}|{_VISION}\\.({'|'.join(recipe.lora.vision_targets)}))"
    return LoraConfig(
        r=recipe.lora.r,
        lora_alpha=recipe.lora.alpha,
        lora_dropout=recipe.lora.dropout,
        target_modules=layers,
        task_type="CAUSAL_LM",
    )


def make_trainer(
    recipe: Recipe,
    base: Path,
    processor: Any,
    measured: Measured,
    validation: Measured | None,
    out_dir: Path,
    on_progress: OnProgress = _silent,
    *,
    resume: bool = False,
) -> Any:
    """Return the trainer of a recipe, ready to train; its checkpoints go below `out_dir`."""
    from transformers import PrinterCallback

    from finetune.trainer import StepLog, Trainer, newest_checkpoint, step_of

    folder = out_dir / "checkpoints"
    newest = newest_checkpoint(folder) if resume else None
    from_step = step_of(newest) if newest else 0
    log = StepLog(out_dir / "log.jsonl", from_step, lambda done, total: on_progress("training", done, total))
    trainer = Trainer(
        checkpoints_dir=folder,
        keep=recipe.keep,
        n_tokens=measured.n_tokens if recipe.group_by_length else None,
        model=load_base(base, recipe.precision),
        args=arguments(recipe, folder, evaluates=validation is not None),
        train_dataset=make_dataset(measured.examples),
        eval_dataset=make_dataset(validation.examples) if validation else None,
        processing_class=processor,
        peft_config=lora_config(recipe),
        callbacks=[log],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def arguments(recipe: Recipe, folder: Path, *, evaluates: bool) -> Any:
    """Return TRL's arguments for a recipe; nothing is ever cut, packed or reported elsewhere."""
    import torch
    from trl import SFTConfig

    return SFTConfig(
        output_dir=str(folder),
        max_length=None,
        assistant_only_loss=True,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.schedule,
        warmup_steps=recipe.warmup_steps,
        weight_decay=recipe.weight_decay,
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=recipe.batch_size,
        gradient_accumulation_steps=recipe.accumulation,
        num_train_epochs=recipe.epochs,
        max_steps=recipe.steps or -1,
        seed=recipe.seed,
        data_seed=recipe.seed,
        bf16=recipe.precision == "bfloat16",
        gradient_checkpointing=recipe.gradient_checkpointing,
        use_cpu=not torch.cuda.is_available(),
        eval_strategy="steps" if evaluates else "no",
        eval_steps=recipe.eval_steps,
        save_steps=recipe.save_steps,
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to="none",
        dataloader_pin_memory=torch.cuda.is_available(),
    )


def _train(trainer: Any, recipe: Recipe, run: Run, out_dir: Path) -> Trained:
    from finetune.trainer import newest_checkpoint, read_log

    newest = newest_checkpoint(out_dir / "checkpoints")
    if newest is None or not trainer.load_finished(newest):
        trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    log = read_log(out_dir / "log.jsonl")
    if run.n_validation and last(log[-1:], "eval_loss") is None:
        trainer.evaluate()
        log = read_log(out_dir / "log.jsonl")
    draw_curves(log, out_dir / "curves.png")
    return Trained(
        adapter_path=save_adapter(trainer.model, recipe, run, log, out_dir),
        steps=trainer.state.global_step,
        loss=last(log, "loss"),
        eval_loss=last(log, "eval_loss"),
        left_out=run.left_out,
    )


def save_adapter(model: Any, recipe: Recipe, run: Run, log: list[dict[str, Any]], out_dir: Path) -> Path:
    """Write an adapter with its card as `name@hash` into `out_dir`, and return its folder.

    The hash is of what the adapter computes, so that the same weights have the same name on every machine.
    """
    partial = out_dir / ".partial-adapter"
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial, save_embedding_layers=False)
    config_path = partial / "adapter_config.json"
    # The name of the base, and no place on this machine.
    config = json.loads(config_path.read_text(encoding="utf-8")) | {"base_model_name_or_path": run.base}
    config_path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    name = served_name(recipe.name, partial)
    write_card(partial, name, recipe, run, log)
    path = out_dir / name
    shutil.rmtree(path, ignore_errors=True)
    partial.rename(path)
    return path
