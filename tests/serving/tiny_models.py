"""A random model of coach-tiny's architecture and random adapters: for the real server, where no trained one is."""

import json
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model

from coach.prompts import SYSTEM
from finetune.tiny import build, save, tiny_config, train_tokenizer
from serving.adapters import AdapterCard, model_hash

LANGUAGE_LAYERS = r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"


def make_tiny_model(folder: Path, seed: int = 0) -> Path:
    """Write a model with random weights, and a random adapter for its language layers in `<folder>-adapter`."""
    torch.manual_seed(seed)
    tokenizer = train_tokenizer([SYSTEM, json.dumps({"cue": "up", "strength": "fast"})] * 2, vocab_size=512)
    model, processor = build(tokenizer, tiny_config(tokenizer, width=128, n_layers=2, vision_width=64))
    save(model, processor, folder)
    settings = LoraConfig(r=8, lora_alpha=64, target_modules=LANGUAGE_LAYERS, init_lora_weights=False)
    adapter = folder.with_name(f"{folder.name}-adapter")
    get_peft_model(model, settings).save_pretrained(adapter)
    card = AdapterCard(base=folder.name, base_sha256=model_hash(folder))
    (adapter / "card.json").write_text(card.model_dump_json(indent=2))
    return folder
