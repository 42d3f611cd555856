"""Teaches coach-tiny from nothing: one resumable run over the conversations of its school.

The schedule is warm-up, a long constant rate, then a straight line to zero: copying from the prompt is learnt late and
suddenly, so the rate must stay high for long.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from coach.domain.conversation import Example
from coach.domain.errors import DataError
from finetune.data import TRAIN, VALIDATION, read_examples
from finetune.tiny import IMAGE, MAX_PIXELS, MAX_TOKENS, MERGE, PATCH_PX, build, save, tiny_config, train_tokenizer

STARTER_TEXTS = Path(__file__).resolve().parents[1] / "corpus" / "starter_texts"

logger = logging.getLogger(__name__)

TOKENS_PER_PICTURE = MAX_PIXELS // (PATCH_PX * MERGE) ** 2
_START, _END = "<|im_start|>", "<|im_end|>"
_IGNORED = -100
N_HELD_OUT = 32  # conversations whose loss is logged at every checkpoint


@dataclass(frozen=True, slots=True)
class School:
    """How coach-tiny is taught.

    Attributes:
        n_steps: Optimiser steps of the whole run.
        tokens_per_step: Tokens of one step, padding included.
        learning_rate: Of the constant part.
        warmup_steps: Steps of rising rate.
        decay_share: Last share of the run, in which the rate falls to zero.
        seed: Of weights and order.
        save_steps: Steps between checkpoints.
            n_layers: Of the language model.
        n_threads: Threads of torch.
        bf16: Whether to multiply in bfloat16, which is faster on processors that can.
        compiled: Whether to compile the layers, which takes two minutes and needs a C++ compiler.
    """

    n_steps: int = 1250
    tokens_per_step: int = 8_000
    learning_rate: float = 1e-3
    warmup_steps: int = 80
    decay_share: float = 0.25
    seed: int = 0
    save_steps: int = 50
    n_layers: int = 4
    n_threads: int = 2
    bf16: bool = True
    compiled: bool = False

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        left = (self.n_steps - step) / max(1.0, self.decay_share * self.n_steps)
        return self.learning_rate * min(1.0, left)


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """One conversation as tokens: `is_taught` marks those that the model must say; `pictures` are files in order."""

    ids: NDArray[np.int32]
    is_taught: NDArray[np.bool_]
    pictures: tuple[Path, ...]


def plain_text(example: Example) -> str:
    """Return a conversation as the chat template writes it, with a token for every patch of its pictures."""
    parts = []
    for turn in example.turns:
        seen = f"<|vision_start|>{IMAGE * TOKENS_PER_PICTURE}<|vision_end|>" * len(turn.pictures)
        parts.append(f"{_START}{turn.role}\n{seen}{turn.text}{_END}\n")
    return "".join(parts)


def lesson_of(example: Example, tokenizer: Any) -> Lesson:
    """Return the tokens of a conversation.

    Raises:
        DataError: It is longer than the model can read; cutting it could cut a picture.
    """
    text = plain_text(example)
    encoded = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False)
    if len(encoded["input_ids"]) > MAX_TOKENS:
        raise DataError(
            f"example {example.id} has {len(encoded['input_ids'])} tokens; at most {MAX_TOKENS} can be read"
        )
    is_said = np.zeros(len(text) + 1, dtype=bool)
    at = 0
    opening = f"{_START}assistant\n"
    while (begin := text.find(opening, at)) >= 0:
        at = text.index(_END, begin) + len(_END)
        is_said[begin + len(opening) : at] = True
    starts = np.array([start for start, _ in encoded["offset_mapping"]])
    pictures = tuple(picture.path for turn in example.turns for picture in turn.pictures)
    return Lesson(np.array(encoded["input_ids"], dtype=np.int32), is_said[starts], pictures)


def patches_of(path: Path) -> NDArray[np.float32]:
    """Return a picture as the rows of patches that the image processor of coach-tiny makes, (64, 1536).

    Rows run over blocks of 2 × 2 patches; a row holds channel, time (the picture twice), height, width.
    """
    side = round(MAX_PIXELS**0.5)
    with Image.open(path) as image:
        small = image.convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
    n = side // PATCH_PX // MERGE
    pixels = np.asarray(small, dtype=np.float32) / 127.5 - 1.0
    blocks = pixels.reshape(n, MERGE, PATCH_PX, n, MERGE, PATCH_PX, 3).transpose(0, 3, 1, 4, 6, 2, 5)
    twice = np.repeat(blocks[:, :, :, :, :, None], 2, axis=5)
    return np.ascontiguousarray(twice.reshape(n * n * MERGE**2, -1))


def batches(lessons: Sequence[Lesson], school: School, first_step: int) -> Iterator[list[Lesson]]:
    """Yield the batches of every step from `first_step` on: lessons of like length, in an order given by the seed."""
    step = epoch = 0
    while True:
        rng = np.random.default_rng([school.seed, epoch])
        order = sorted(rng.permutation(len(lessons)), key=lambda i: len(lessons[i].ids) // 64)
        filled: list[list[Lesson]] = [[]]
        for i in order:
            longest = max([len(x.ids) for x in filled[-1]] + [len(lessons[i].ids)])
            if longest * (len(filled[-1]) + 1) > school.tokens_per_step and filled[-1]:
                filled.append([])
            filled[-1].append(lessons[i])
        for k in rng.permutation(len(filled)):
            if step >= first_step:
                yield filled[k]
            step += 1
        epoch += 1


def tensors_of(batch: Sequence[Lesson], image_id: int, pad_id: int) -> dict[str, Tensor]:
    """Return padded inputs for the model, and `labels` that are -100 wherever nothing is taught."""
    width = max(len(lesson.ids) for lesson in batch)
    ids = np.full((len(batch), width), pad_id, dtype=np.int64)
    mask = np.zeros((len(batch), width), dtype=np.int64)
    labels = np.full((len(batch), width), _IGNORED, dtype=np.int64)
    for i, lesson in enumerate(batch):
        n = len(lesson.ids)
        ids[i, :n], mask[i, :n] = lesson.ids, 1
        labels[i, :n] = np.where(lesson.is_taught, lesson.ids, _IGNORED)
    made = {"input_ids": ids, "attention_mask": mask, "labels": labels, "mm_token_type_ids": (ids == image_id) * 1}
    tensors = {name: torch.from_numpy(value) for name, value in made.items()}
    paths = [path for lesson in batch for path in lesson.pictures]
    if paths:
        side = round(MAX_PIXELS**0.5) // PATCH_PX
        tensors["pixel_values"] = torch.from_numpy(np.concatenate([patches_of(path) for path in paths]))
        tensors["image_grid_thw"] = torch.tensor([[1, side, side]] * len(paths))
    return tensors


def loss_of(model: Any, tensors: dict[str, Tensor]) -> tuple[Tensor, int]:
    """Return the summed cross-entropy of the taught tokens, and their number; logits are made for these alone."""
    inputs = {name: value for name, value in tensors.items() if name != "labels"}
    hidden = model.model(**inputs).last_hidden_state[:, :-1]
    labels = tensors["labels"][:, 1:]
    taught = labels != _IGNORED
    logits = model.lm_head(hidden[taught]).float()
    return torch.nn.functional.cross_entropy(logits, labels[taught], reduction="sum"), int(taught.sum())


def teach(
    data: Path,
    out: Path,
    school: School,
    on_step: Callable[[int, int, float], None] | None = None,
) -> Path:
    """Train coach-tiny from random weights, going on from the last checkpoint in `out`; return the model's folder.

    Args:
        data: Folder of the school: `train.jsonl`, and `validation.jsonl` for a loss on lifts it does not learn from.
        out: Folder of the run: `school.json`, `log.jsonl`, `checkpoint.pt`, `model/`.
        school: How to train; a run is gone on with under the same.
        on_step: Called with (steps done, steps in all, loss per taught token).

    Raises:
        DataError: `out` holds a run of another school, or an example is too long.
    """
    torch.set_num_threads(school.n_threads)
    out.mkdir(parents=True, exist_ok=True)
    _claim(out, school)
    examples = read_examples(data, TRAIN)
    tokenizer = _tokenizer(examples, out)
    lessons = [lesson_of(example, tokenizer) for example in examples]
    held = read_examples(data, VALIDATION)[:N_HELD_OUT] if (data / f"{VALIDATION}.jsonl").exists() else ()
    unseen = [lesson_of(example, tokenizer) for example in held]
    torch.manual_seed(school.seed)
    model, processor = build(tokenizer, tiny_config(tokenizer, n_layers=school.n_layers))
    if school.compiled:
        for layer in model.model.language_model.layers:
            layer.compile(dynamic=True)
    grouped = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": 0.05},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(grouped, lr=school.learning_rate, betas=(0.9, 0.95))
    done = _restore(out, model, optimizer)
    image_id, pad_id = tokenizer.convert_tokens_to_ids(IMAGE), tokenizer.pad_token_id
    started, n_tokens = time.monotonic(), 0
    for step, batch in enumerate(batches(lessons, school, done), start=done):
        if step >= school.n_steps:
            break
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=school.bf16):
            loss = _step(model, optimizer, tensors_of(batch, image_id, pad_id), school.rate(step))
        n_tokens += sum(len(lesson.ids) for lesson in batch)
        record = {
            "step": step + 1,
            "loss": round(loss, 5),
            "tokens_per_s": round(n_tokens / (time.monotonic() - started)),
        }
        if (step + 1) % school.save_steps == 0 or step + 1 == school.n_steps:
            if unseen:
                record["held_out_loss"] = round(_held_out_loss(model, unseen, image_id, pad_id), 5)
            _keep(out, model, optimizer, step + 1)
            save(model, processor, out / "model")
        with (out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        if on_step:
            on_step(step + 1, school.n_steps, loss)
    save(model, processor, out / "model")
    return out / "model"


def _step(model: Any, optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], rate: float) -> float:
    model.train()
    for group in optimizer.param_groups:
        group["lr"] = rate
    total, n = loss_of(model, tensors)
    loss = total / max(n, 1)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


def _held_out_loss(model: Any, held: Sequence[Lesson], image_id: int, pad_id: int) -> float:
    model.eval()
    with torch.no_grad():
        sums = [loss_of(model, tensors_of(held[i : i + 8], image_id, pad_id)) for i in range(0, len(held), 8)]
    return float(sum(total for total, _ in sums)) / max(sum(n for _, n in sums), 1)


def _claim(out: Path, school: School) -> None:
    path = out / "school.json"
    wanted = asdict(school)
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != wanted:
        raise DataError(f"{path} is of another run: give a new --out, or the same settings to go on with it")
    path.write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")


def _tokenizer(examples: Sequence[Example], out: Path) -> Any:
    """Return the run's tokenizer, learnt once from what the model will read and write."""
    from transformers import PreTrainedTokenizerFast

    folder = out / "tokenizer"
    if not folder.exists():
        said = (turn.text for example in examples for turn in example.turns)
        noted = (path.read_text(encoding="utf-8") for path in sorted(STARTER_TEXTS.rglob("*.md")))
        train_tokenizer(chain(said, noted)).save_pretrained(folder)
    return PreTrainedTokenizerFast.from_pretrained(folder)


def _keep(out: Path, model: Any, optimizer: torch.optim.Optimizer, step: int) -> None:
    """Write a checkpoint beside the last one and put it in its place."""
    unfinished = out / "checkpoint.pt.unfinished"
    torch.save({"step": step, "model": model.state_dict(), "optimizer": optimizer.state_dict()}, unfinished)
    unfinished.replace(out / "checkpoint.pt")


def _restore(out: Path, model: Any, optimizer: torch.optim.Optimizer) -> int:
    path = out / "checkpoint.pt"
    if not path.exists():
        return 0
    kept = torch.load(path, weights_only=True)
    model.load_state_dict(kept["model"])
    optimizer.load_state_dict(kept["optimizer"])
    logger.info("going on after step %d", kept["step"])
    return int(kept["step"])
