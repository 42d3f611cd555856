"""Tokens a second of our training against TRL's plain script: same model, data and settings, in turns. One JSON line.

.venv-vllm/bin/python benchmarks/bench_training.py [--data DIR] [--base MODEL] [--rounds N] [--threads N]
"""

import argparse
import importlib.util
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.setting import commit, machine
from coach.domain.conversation import Example, Picture, Turn
from finetune.data import Measured, make_dataset, measure, read_examples
from finetune.recipe import Recipe, read_recipe


def main() -> None:
    options = parse()
    if importlib.util.find_spec("trl") is None:
        print("training is measured in its own environment: .venv-vllm/bin/python benchmarks/bench_training.py")
        sys.exit(0)
    import torch

    from finetune.train import base_path, load_processor

    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        data = options.data or make_data(folder / "data")
        base = base_path(options.base) if options.base else make_base(folder / "base", data)
        changes = {"base": str(base), "data": str(data), "epochs": 1.0, "warmup_steps": 1, "save_steps": 1_000_000}
        recipe = read_recipe("coach-tiny", changes)
        processor = load_processor(base, None)
        measured = measure(read_examples(data)[: options.n], processor, recipe.max_tokens)
        seconds: dict[str, list[tuple[float, float]]] = {"ours": [], "plain": []}
        for i in range(options.rounds):
            names = ("ours", "plain") if i % 2 else ("plain", "ours")
            for name in names:
                train = {"ours": train_ours, "plain": train_plain}[name]
                seconds[name].append(train(recipe, base, processor, measured, folder / f"{name}-{i}"))
    print(json.dumps(result(seconds, measured, options.rounds)))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--base")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--n", type=int, default=48, help="examples")
    return parser.parse_args()


def result(seconds: dict[str, list[tuple[float, float]]], measured: Measured, rounds: int) -> dict[str, Any]:
    n_tokens = sum(measured.n_tokens)
    speeds = {name: [n_tokens / wall for wall, _ in each] for name, each in seconds.items()}
    pairs = list(zip(seconds["ours"], seconds["plain"], strict=True))
    ratios = [plain / ours for (ours, _), (plain, _) in pairs]
    cpu_ratios = [plain / ours for (_, ours), (_, plain) in pairs]
    return {
        "name": "training",
        "n": rounds,
        "median_tokens_s": round(statistics.median(speeds["ours"])),
        "p95_tokens_s": round(float(np.percentile(speeds["ours"], 5))),
        "plain_tokens_s": round(statistics.median(speeds["plain"])),
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        # On a processor that others use too, the time it was given says more than the clock on the wall.
        "cpu_ratio": round(statistics.median(cpu_ratios), 3),
        "cpu_ratios": [round(ratio, 3) for ratio in cpu_ratios],
        "bar": 1.0,
        "examples": len(measured.examples),
        "tokens": n_tokens,
        "machine": machine(),
        "commit": commit(),
    }


def train_ours(recipe: Recipe, base: Path, processor: Any, measured: Measured, out_dir: Path) -> tuple[float, float]:
    """Return the seconds (wall, processor) of one epoch as `coach finetune run` trains it, its log and last checkpoint included."""
    from finetune.train import make_trainer

    (out_dir / "checkpoints").mkdir(parents=True)
    return timed(make_trainer(recipe, base, processor, measured, None, out_dir))


def train_plain(recipe: Recipe, base: Path, processor: Any, measured: Measured, out_dir: Path) -> tuple[float, float]:
    """Return the seconds (wall, processor) of one epoch of TRL's own trainer with the same settings."""
    from trl import SFTTrainer

    from finetune.train import arguments, load_base, lora_config

    trainer = SFTTrainer(
        model=load_base(base, recipe.precision),
        args=arguments(recipe, out_dir, evaluates=False),
        train_dataset=make_dataset(measured.examples),
        processing_class=processor,
        peft_config=lora_config(recipe),
    )
    trainer.pop_callback(next(type(c) for c in trainer.callback_handler.callbacks if "Printer" in type(c).__name__))
    return timed(trainer)


def timed(trainer: Any) -> tuple[float, float]:
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    trainer.train()
    return time.perf_counter() - wall_s, time.process_time() - cpu_s


def make_data(folder: Path, n: int = 48) -> Path:
    """Write conversations of many lengths, two pictures each, as an export has them."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    examples = []
    for i in range(n):
        pictures = []
        for j in range(2):
            path = Path(f"{i}-{j}.jpg")
            Image.fromarray(rng.integers(0, 256, (160, 120, 3), dtype=np.uint8)).save(folder / path)
            pictures.append(Picture(instant="catch", path=path))
        facts = " ".join(f"bar_drop_m {rng.integers(5, 30)} cm;" for _ in range(int(rng.integers(10, 60))))
        turns = [Turn(role="system", text="You are a coach."), Turn(role="user", text=facts, pictures=tuple(pictures))]
        for k in range(int(rng.integers(1, 5))):
            turns += [Turn(role="user", text=f"Question {k}?")] if k else []
            turns += [Turn(role="assistant", text="The bar drops; meet it higher. " * int(rng.integers(1, 5)))]
        examples.append(Example(id=str(i), turns=tuple(turns), group=str(i), language="en"))
    (folder / "train.jsonl").write_text("\n".join(example.model_dump_json() for example in examples))
    return folder


def make_base(folder: Path, data: Path) -> Path:
    """Write a random model of coach-tiny's size."""
    import torch

    from finetune.tiny import build, save, tiny_config, train_tokenizer

    torch.manual_seed(0)
    tokenizer = train_tokenizer([(data / "train.jsonl").read_text()])
    config = tiny_config(tokenizer)
    config.text_config.vocab_size = 4096
    save(*build(tokenizer, config), folder)
    return folder


if __name__ == "__main__":
    main()
