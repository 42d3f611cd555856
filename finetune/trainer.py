"""TRL's trainer with batches of like lengths, checkpoints that are whole or not there, and a log of every step."""

import errno
import json
import math
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import TrainerCallback, TrainerState
from trl import SFTTrainer

from coach.domain.errors import DataError, SetupError

_BATCHES_TO_SORT = 20  # batches that are drawn together and sorted by length; fewer mix better, more pad less
_LITTLE_BYTES = 1 << 20  # a disk with less room is full
_CHECKPOINT = re.compile(r"checkpoint-(\d+)")


class LengthSampler(torch.utils.data.Sampler[int]):  # type: ignore[misc] # untyped
    """Draws every example once an epoch, neighbours of like length; the order follows from seed and epoch alone."""

    def __init__(self, n_tokens: Sequence[int], batch_size: int, seed: int) -> None:
        """Remember the lengths.

        Args:
            n_tokens: Length of each example.
            batch_size: Examples that are padded to one length.
            seed: Of the order.
        """
        self._n_tokens = n_tokens
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = 0

    def __len__(self) -> int:
        return len(self._n_tokens)

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch; called by the trainer, also when it goes on with one."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + self._epoch)
        order = torch.randperm(len(self), generator=generator).tolist()
        size, pool = self._batch_size, self._batch_size * _BATCHES_TO_SORT
        pools = [order[i : i + pool] for i in range(0, len(order), pool)]
        drawn = [i for each in pools for i in sorted(each, key=self._n_tokens.__getitem__)]
        batches = [drawn[i : i + size] for i in range(0, len(drawn), size)]
        last = batches.pop() if len(batches[-1]) < size else []
        for i in torch.randperm(len(batches), generator=generator).tolist():
            yield from batches[i]
        yield from last


class Trainer(SFTTrainer):  # type: ignore[misc] # untyped
    """TRL's trainer for pictures and text. `checkpoints_dir` holds whole checkpoints only."""

    def __init__(
        self, *, checkpoints_dir: Path, keep: int, n_tokens: Sequence[int] | None = None, **options: Any
    ) -> None:
        """Set up the training.

        Args:
            checkpoints_dir: Folder of the checkpoints.
            keep: Number of checkpoints kept, the newest.
            n_tokens: Length of each example, for batches of like lengths; None for batches at random.
            **options: Of `SFTTrainer`.
        """
        self._checkpoints_dir = checkpoints_dir
        self._keep = keep
        self._n_tokens = n_tokens
        super().__init__(**options)

    def load_finished(self, checkpoint: Path) -> bool:
        """Load a checkpoint that is the end of its run; return whether it was. `train` would take one more step."""
        state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
        if state.global_step < state.max_steps:
            return False
        self._load_from_checkpoint(str(checkpoint))
        self.state = state
        return True

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        if self._n_tokens is None:
            return super()._get_train_sampler(train_dataset)
        return LengthSampler(self._n_tokens, self.args.per_device_train_batch_size, self.args.seed)

    def create_model_card(self, *_args: Any, **_options: Any) -> None:
        """Write no card beside a checkpoint: the adapter has one of its own."""

    def _get_output_dir(self, trial: Any) -> str:
        del trial
        return str(self._checkpoints_dir / ".partial")

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        partial = Path(self._get_output_dir(trial))
        shutil.rmtree(partial, ignore_errors=True)
        try:
            super()._save_checkpoint(model, trial)
            name = f"checkpoint-{self.state.global_step}"
            shutil.rmtree(self._checkpoints_dir / name, ignore_errors=True)
            (partial / name).rename(self._checkpoints_dir / name)
        except (OSError, RuntimeError, SafetensorError) as problem:
            if not _is_full(problem, self._checkpoints_dir):
                raise
            last = newest_checkpoint(self._checkpoints_dir)
            kept = f"{last.name} is whole" if last else "there was none before it"
            raise SetupError(
                f"the disk is full: the checkpoint of step {self.state.global_step} could not be written to "
                f"{self._checkpoints_dir} ({kept}). Free some space, then go on with --resume"
            ) from problem
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        for old in checkpoints(self._checkpoints_dir)[: -self._keep]:
            shutil.rmtree(old)


def _is_full(problem: Exception, folder: Path) -> bool:
    codes = (errno.ENOSPC, errno.EDQUOT)
    told = "No space left" in str(problem) or "Disk quota exceeded" in str(problem)
    # torch says only that a write failed; the partial checkpoint is still there and fills the disk.
    return getattr(problem, "errno", None) in codes or told or shutil.disk_usage(folder).free < _LITTLE_BYTES


def checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder, oldest first."""
    found = [path for path in folder.glob("checkpoint-*") if _CHECKPOINT.fullmatch(path.name)]
    return sorted(found, key=step_of)


def newest_checkpoint(folder: Path) -> Path | None:
    """Return the checkpoint to go on from; None when there is none."""
    found = checkpoints(folder)
    return found[-1] if found else None


def step_of(checkpoint: Path) -> int:
    """Return after how many optimiser steps a checkpoint was written."""
    found = _CHECKPOINT.fullmatch(checkpoint.name)
    if found is None:
        raise ValueError(f"no checkpoint: {checkpoint}")
    return int(found[1])


class StepLog(TrainerCallback):  # type: ignore[misc] # untyped
    """Writes one JSON line a step into `log.jsonl`, and tells how far the training is."""

    def __init__(self, path: Path, from_step: int, on_step: Callable[[int, int], None]) -> None:
        """Open the log; lines after `from_step` come from a run that went on without a checkpoint, and go.

        Args:
            path: The log.
            from_step: Step of the checkpoint that is gone on from; 0 for a new run.
            on_step: Called with the steps done and the total.
        """
        self._path = path
        self._on_step = on_step
        kept = [line for line in read_log(path) if line["step"] <= from_step]
        path.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")

    def on_train_begin(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
        """Tell where the training starts."""
        self._on_step(state.global_step, state.max_steps)

    def on_step_end(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
        """Tell how far the training is."""
        self._on_step(state.global_step, state.max_steps)

    def on_log(self, _args: Any, state: Any, _control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """Write a line.

        Raises:
            DataError: The loss is no number any more.
        """
        told = logs or {}
        if "loss" not in told and "eval_loss" not in told:
            return
        line = {"step": state.global_step, **told, "unix_s": round(time.time(), 3)}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        loss = told["loss"] if "loss" in told else told["eval_loss"]
        if not math.isfinite(loss):
            raise DataError(f"the loss is {loss} at step {state.global_step}: lower learning_rate and train again")


def read_log(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a log; a line that a crash cut off is left out."""
    if not path.is_file():
        return []
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:
            break
    return lines
