"""Folders that look like models and adapters: right in form, a few bytes in size."""

import json
from pathlib import Path
from typing import Any

from serving.adapters import served_name


def write_tensors(path: Path, *names: str, value: int = 0) -> None:
    """Write a safetensors file of one-byte tensors."""
    header = {name: {"dtype": "U8", "shape": [1], "data_offsets": [i, i + 1]} for i, name in enumerate(names)}
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes([value] * len(names)))


def make_model(folder: Path, value: int = 0) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer.json").write_text("{}")
    write_tensors(folder / "model.safetensors", "model.embed_tokens.weight", value=value)
    return folder


def make_adapter(folder: Path, base_sha256: str, *tensors: str, **settings: Any) -> Path:
    folder.mkdir(parents=True)
    names = tensors or ("base_model.model.model.language_model.layers.0.self_attn.q_proj.lora_A.weight",)
    write_tensors(folder / "adapter_model.safetensors", *names)
    (folder / "adapter_config.json").write_text(
        json.dumps({"r": 16, "peft_type": "LORA", "base_model_name_or_path": "/x"} | settings)
    )
    card = {"base": "coach-tiny", "base_sha256": base_sha256, "data_sha256": "0" * 64}
    (folder / "card.json").write_text(json.dumps(card))
    return folder


def hashed(folder: Path) -> Path:
    """Rename an adapter's folder to its name and hash."""
    return folder.rename(folder.with_name(served_name(folder.name, folder)))
