"""A small base model and a small dataset, made once."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from coach.domain.conversation import Example, Picture, Turn


def write_examples(folder: Path, split: str, n: int, seed: int = 0, n_pictures: int = 2) -> tuple[Example, ...]:
    """Write a split of made-up conversations with pictures of many sizes."""
    rng = np.random.default_rng([seed, n])
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    examples = []
    for i in range(n):
        pictures = []
        for j in range(n_pictures):
            path = Path("pictures") / f"{split}-{i}-{j}.png"
            size = (*rng.integers(60, 200, 2), 3)
            Image.fromarray(rng.integers(0, 256, size, dtype=np.uint8)).save(folder / path)
            pictures.append(Picture(instant="catch", path=path))
        drop = f"{rng.integers(5, 30)} cm"
        turns = [
            Turn(role="system", text="You are a coach."),
            Turn(role="user", text=f"The bar drops by {drop}. " * int(rng.integers(1, 6)), pictures=tuple(pictures)),
            Turn(role="assistant", text=f"The bar drops by {drop}: meet it higher."),
            Turn(role="user", text="How much?"),
            Turn(role="assistant", text=f"By {drop}, 槓鈴."),
        ]
        examples.append(Example(id=f"{split}-{i}", turns=tuple(turns), group=f"athlete-{i}", language="en"))
    lines = (example.model_dump_json() for example in examples)
    (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tuple(examples)


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_examples(folder, "train", 24)
    write_examples(folder, "validation", 4, seed=1)
    return folder


@pytest.fixture(scope="session")
def base_dir(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    """Return the folder of a random model that is smaller still than coach-tiny."""
    pytest.importorskip("torch", reason="fine-tuning lives in an environment of its own: make test-serving")
    import torch

    from finetune.tiny import build, save, tiny_config, train_tokenizer

    torch.manual_seed(0)
    torch.set_num_threads(1)
    tokenizer = train_tokenizer([(data_dir / "train.jsonl").read_text(encoding="utf-8")], vocab_size=512)
    model, processor = build(tokenizer, tiny_config(tokenizer, width=128, n_layers=2, vision_width=64))
    folder = tmp_path_factory.mktemp("base")
    save(model, processor, folder)
    return folder
