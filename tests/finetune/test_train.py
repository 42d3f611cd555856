import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="fine-tuning lives in an environment of its own: make test-serving")

import torch
from safetensors.torch import load_file

from coach.domain.errors import DataError, InputError, SetupError
from finetune.data import make_dataset, measure, read_examples
from finetune.recipe import Recipe, read_recipe
from finetune.train import Trained, arguments, load_base, load_processor, lora_config, make_trainer, train
from finetune.trainer import LengthSampler, checkpoints, newest_checkpoint, read_log
from serving.adapters import adapter_hash, check_adapter, model_hash

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


def _changes(data_dir: Path, base_dir: Path, **more: Any) -> dict[str, Any]:
    sizes = {"steps": 9, "warmup_steps": 2, "save_steps": 4, "eval_steps": 4, "batch_size": 4}
    return {"base": str(base_dir), "data": str(data_dir), "lora.dropout": 0.1, **sizes, **more}


@pytest.fixture(scope="module")
def recipe(data_dir: Path, base_dir: Path) -> Recipe:
    return read_recipe("coach-tiny", _changes(data_dir, base_dir))


@pytest.fixture(scope="module")
def whole(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trained]:
    """Return the folder of a run without a stop, and what it left."""
    out_dir = tmp_path_factory.mktemp("whole") / "run"
    return out_dir, train(recipe, out_dir)


def _numbers(folder: Path) -> list[tuple[float, ...]]:
    told = ("step", "loss", "grad_norm", "learning_rate", "eval_loss")
    return [tuple(line[key] for key in told if key in line) for line in read_log(folder / "log.jsonl")]


def test_a_run_killed_in_the_middle_goes_on_with_the_same_losses(
    recipe: Recipe, data_dir: Path, base_dir: Path, whole: tuple[Path, Trained], tmp_path: Path
) -> None:
    """`kill -9` after step 7 of 9; the last checkpoint is of step 4, in the middle of the first epoch of 6."""
    out_dir = tmp_path / "run"
    code = f"""
import os, signal, torch
from pathlib import Path
from finetune.recipe import read_recipe
from finetune.train import train
torch.set_num_threads(1)
def kill(stage, done, total):
    if stage == "training" and done == 7:
        os.kill(os.getpid(), signal.SIGKILL)
train(read_recipe("coach-tiny", {_changes(data_dir, base_dir)!r}), Path({str(out_dir)!r}), on_progress=kill)
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, env=os.environ | {"PYTHONPATH": "."})
    assert ended.returncode == -signal.SIGKILL
    assert newest_checkpoint(out_dir / "checkpoints") == out_dir / "checkpoints" / "checkpoint-4"
    assert not list(out_dir.glob("*@*"))

    trained = train(recipe, out_dir, resume=True)

    assert _numbers(out_dir) == _numbers(whole[0])
    assert [line["step"] for line in read_log(out_dir / "log.jsonl") if "loss" in line] == list(range(1, 10))
    assert trained.adapter_path.name == whole[1].adapter_path.name


def test_a_finished_run_is_not_trained_any_further(recipe: Recipe, whole: tuple[Path, Trained], tmp_path: Path) -> None:
    """A kill between the last checkpoint and the adapter; the rate is constant, so that one more step would show."""
    steady = recipe.model_copy(update={"schedule": "constant", "steps": 4})
    first = train(steady, tmp_path / "run")
    shutil.rmtree(first.adapter_path)
    again = train(steady, tmp_path / "run", resume=True)

    assert (again.steps, again.eval_loss) == (4, first.eval_loss)
    assert again.adapter_path == first.adapter_path


def test_the_adapter_is_named_by_its_content_and_may_be_served_with_its_base(
    whole: tuple[Path, Trained], base_dir: Path
) -> None:
    path = whole[1].adapter_path
    adapter = check_adapter("coach-tiny", path, base_dir, base_sha256=model_hash(base_dir), allows_towers=False)

    assert path.name == adapter.name == f"coach-tiny@{adapter_hash(path)[:12]}"
    assert (adapter.rank, adapter.has_tower_weights) == (16, False)
    assert str(base_dir.parent) not in (path / "adapter_config.json").read_text()
    with pytest.raises(SetupError, match="trained on"):
        check_adapter("coach-tiny", path, base_dir, base_sha256="0" * 64, allows_towers=False)


def test_the_run_folder_says_what_was_done(whole: tuple[Path, Trained], recipe: Recipe) -> None:
    out_dir, trained = whole
    run = json.loads((out_dir / "run.json").read_text())
    card = (trained.adapter_path / "README.md").read_text()

    assert read_recipe(str(out_dir / "recipe.toml")) == recipe
    assert run["data_sha256"] in card
    assert run["base_sha256"] in card
    assert f"{trained.eval_loss:.4f} on 4 examples" in card
    assert (out_dir / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in checkpoints(out_dir / "checkpoints")] == ["checkpoint-8", "checkpoint-9"]


def test_the_loss_falls_and_only_the_language_model_has_learnt(whole: tuple[Path, Trained]) -> None:
    out_dir, trained = whole
    losses = [line["loss"] for line in read_log(out_dir / "log.jsonl") if "loss" in line]
    names = load_file(trained.adapter_path / "adapter_model.safetensors")

    assert losses[-1] < losses[0] - 0.3
    assert len(names) == 2 * 7 * 2
    assert all(".language_model.layers." in name for name in names)


def test_the_eye_learns_only_when_asked_for(data_dir: Path, base_dir: Path) -> None:
    from peft import get_peft_model

    changed = read_recipe("coach-tiny", _changes(data_dir, base_dir, **{"lora.train_vision": True}))
    model = get_peft_model(load_base(base_dir, "float32"), lora_config(changed))
    learning = [name for name, weights in model.named_parameters() if weights.requires_grad]

    assert any(".visual.blocks." in name for name in learning)
    assert not any("patch_embed" in name for name in learning)
    assert any(".language_model." in name for name in learning)
    assert all("lora_" in name for name in learning)


def _collator(processor: Any) -> Callable[[list[dict[str, Any]]], dict[str, Any]]:
    """Return the reference: eight lines that pad, and keep the loss to the answers by their marks in the text."""

    def collate(rows: list[dict[str, Any]]) -> dict[str, Any]:
        texts = [processor.apply_chat_template(row["messages"], tokenize=False) for row in rows]
        batch = processor(text=texts, images=[row["images"] for row in rows], padding=True, return_tensors="pt")
        start, end, newline = processor.tokenizer.convert_tokens_to_ids(["<|im_start|>", "<|im_end|>", "Ċ"])
        assistant = processor.tokenizer("assistant").input_ids
        batch["labels"] = torch.full_like(batch["input_ids"], -100)
        for ids, labels in zip(batch["input_ids"].tolist(), batch["labels"], strict=True):
            for i in (i for i, token in enumerate(ids) if token == start):
                begin = i + 1 + len(assistant)
                if ids[i + 1 : begin] == assistant and ids[begin] == newline:
                    stop = ids.index(end, begin) + 1
                    labels[begin + 1 : stop] = torch.tensor(ids[begin + 1 : stop])
        return dict(batch)

    return collate


def test_losses_equal_those_of_a_plain_trainer(recipe: Recipe, data_dir: Path, base_dir: Path, tmp_path: Path) -> None:
    import transformers
    from peft import get_peft_model

    changes = {"lora.dropout": 0.0, "steps": 6}
    recipe = read_recipe("coach-tiny", _changes(data_dir, base_dir, **changes))
    processor = load_processor(base_dir, None)
    measured = measure(read_examples(data_dir), processor, 4096)
    ours = make_trainer(recipe, base_dir, processor, measured, None, tmp_path)
    ours.train()

    class Plain(transformers.Trainer):
        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            return LengthSampler(measured.n_tokens, 4, recipe.seed)

    arguments_again = arguments(recipe, tmp_path / "plain", evaluates=False)
    arguments_again.remove_unused_columns = False
    torch.manual_seed(recipe.seed)
    transformers.set_seed(recipe.seed)
    plain = Plain(
        model=get_peft_model(load_base(base_dir, "float32"), lora_config(recipe)),
        args=arguments_again,
        train_dataset=make_dataset(measured.examples),
        data_collator=_collator(processor),
    )
    plain.train()

    losses, reference = (
        [line["loss"] for line in trainer.state.log_history if "loss" in line] for trainer in (ours, plain)
    )
    assert len(losses) == 6
    assert losses == pytest.approx(reference, abs=1e-5)


def test_a_full_disk_leaves_the_last_checkpoint_to_go_on_from(
    recipe: Recipe, whole: tuple[Path, Trained], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_dir, save = tmp_path / "run", torch.save

    def full(what: Any, path: Any, *rest: Any, **options: Any) -> None:
        if "checkpoint-8" in str(path):
            raise OSError(errno.ENOSPC, "No space left on device")
        save(what, path, *rest, **options)

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(SetupError, match=r"disk is full: .* step 8 .*checkpoint-4 is whole.*--resume"):
        train(recipe, out_dir)
    assert [path.name for path in (out_dir / "checkpoints").iterdir()] == ["checkpoint-4"]
    monkeypatch.undo()

    assert train(recipe, out_dir, resume=True).adapter_path.name == whole[1].adapter_path.name
    assert _numbers(out_dir) == _numbers(whole[0])


def test_what_breaks_off_a_checkpoint_for_another_reason_is_not_called_a_full_disk(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: Any, **_options: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(torch, "save", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        train(recipe, tmp_path / "run")


def test_another_recipe_or_other_data_cannot_go_on_with_a_run(
    recipe: Recipe, whole: tuple[Path, Trained], data_dir: Path, base_dir: Path, tmp_path: Path
) -> None:
    run_dir = shutil.copytree(whole[0], tmp_path / "run")
    other = read_recipe("coach-tiny", _changes(data_dir, base_dir, **{"lora.r": 8}))
    with pytest.raises(InputError, match=r"another recipe \(lora\.r differ\)"):
        train(other, run_dir, resume=True)
    with pytest.raises(InputError, match="holds something"):
        train(recipe, run_dir)
    with pytest.raises(InputError, match="no run to go on with"):
        train(recipe, tmp_path / "nothing", resume=True)
    told = json.loads((run_dir / "run.json").read_text())
    (run_dir / "run.json").write_text(json.dumps(told | {"data_sha256": "0" * 64}))
    with pytest.raises(InputError, match=r"data_sha256 changed"):
        train(recipe, run_dir, resume=True)


def test_a_recipe_without_data_or_base_says_what_to_do(recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--data"):
        train(recipe.model_copy(update={"data": None}), tmp_path / "run")
    with pytest.raises(SetupError, match="'no-such-model' is not on this machine"):
        train(recipe.model_copy(update={"base": "no-such-model"}), tmp_path / "run")
    with pytest.raises(DataError, match="at most 50 fit"):
        train(recipe.model_copy(update={"max_tokens": 50}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_loss_that_is_no_number_stops_the_run(recipe: Recipe, tmp_path: Path) -> None:
    wild = recipe.model_copy(update={"learning_rate": 1e30, "warmup_steps": 0})

    with pytest.raises(DataError, match=r"the loss is nan at step \d+: lower learning_rate"):
        train(wild, tmp_path / "run")


def test_batches_hold_like_lengths_in_an_order_that_the_epoch_decides() -> None:
    n_tokens = torch.randint(50, 900, (400,), generator=torch.Generator().manual_seed(1)).tolist()
    sampler, again = LengthSampler(n_tokens, 8, seed=3), LengthSampler(n_tokens, 8, seed=3)
    first = list(sampler)
    sampler.set_epoch(1)
    second = list(sampler)
    again.set_epoch(1)

    def padded(order: list[int]) -> int:
        return sum(8 * max(n_tokens[i] for i in order[at : at + 8]) for at in range(0, 400, 8))

    assert sorted(first) == sorted(second) == list(range(400))
    assert list(again) == second != first
    assert padded(first) < 1.1 * sum(n_tokens) < padded(list(range(400)))
