from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="fine-tuning lives in an environment of its own: make test-serving")

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from finetune.tiny import SPECIAL_TOKENS, build, save, tiny_config, train_tokenizer

TEXTS = (
    "The bar swings forward by 12.5 cm. Keep the bar close, 槓鈴貼近身體.",
    '{"strength": "A fast pull of 1.93 m/s", "cue": "meet the bar with the hips"}',
    *(f"The bar drops {n} cm before the catch, and peaks at {n / 40:.2f} m/s." for n in range(40)),
)
QUESTION = [
    {"role": "system", "content": [{"type": "text", "text": "You are a coach."}]},
    {"role": "user", "content": [{"type": "image"}, {"type": "image"}, {"type": "text", "text": "What now? 12.5"}]},
]
ANSWERS = [{"role": "assistant", "content": [{"type": "text", "text": "Keep the bar close.\n"}]}]
FOLLOW_UP = [
    {"role": "user", "content": "Why?"},
    {"role": "assistant", "content": "It swings forward by 12 cm"},
]


@pytest.fixture(scope="module")
def tiny() -> tuple[Any, Any]:
    torch.manual_seed(0)
    return build(train_tokenizer(TEXTS, vocab_size=512))


def _pictures() -> list[Image.Image]:
    return [Image.new("RGB", (200, 120), "teal"), Image.new("RGB", (90, 160), "orange")]


def _inputs(processor: Any, messages: Any, **options: Any) -> Any:
    text = processor.apply_chat_template(messages, tokenize=False, **options)
    return processor(text=[text], images=_pictures(), return_tensors="pt")


def test_digits_are_single_tokens_and_text_comes_back_as_it_was(tiny: tuple[Any, Any]) -> None:
    tokenizer = tiny[1].tokenizer

    assert tokenizer.tokenize("12.50") == ["1", "2", ".", "5", "0"]
    for text in (*TEXTS, "não visto: 抓舉 🏋️ \t x  y\r\n"):
        assert tokenizer.decode(tokenizer(text).input_ids) == text


def test_special_tokens_are_single_and_known_to_the_configuration(tiny: tuple[Any, Any]) -> None:
    model, processor = tiny
    ids = processor.tokenizer.convert_tokens_to_ids(list(SPECIAL_TOKENS))

    assert ids == list(range(len(SPECIAL_TOKENS)))
    assert processor.tokenizer("".join(SPECIAL_TOKENS)).input_ids == ids
    assert model.config.image_token_id == ids[6]
    assert model.config.text_config.vocab_size >= len(processor.tokenizer)


def test_pictures_become_their_own_number_of_tokens_before_the_text(tiny: tuple[Any, Any]) -> None:
    _, processor = tiny
    inputs = _inputs(processor, QUESTION, add_generation_prompt=True)

    n_tokens = inputs.image_grid_thw.prod(-1).sum().item() // 4
    text = processor.tokenizer.decode(inputs.input_ids[0])
    assert text.count("<|image_pad|>") == n_tokens
    assert text.index("What now?") > text.rindex("<|vision_end|>")
    assert (inputs.image_grid_thw.prod(-1) * 256 <= 128 * 128).all()


def test_the_assistant_mask_covers_exactly_the_answers(tiny: tuple[Any, Any]) -> None:
    tokenizer = tiny[1].tokenizer
    told = tokenizer.apply_chat_template(
        QUESTION + ANSWERS + FOLLOW_UP, return_dict=True, return_assistant_tokens_mask=True
    )

    learnt = [token for token, mask in zip(told["input_ids"], told["assistant_masks"], strict=True) if mask]
    assert tokenizer.decode(learnt) == "Keep the bar close.\n<|im_end|>It swings forward by 12 cm<|im_end|>"


def test_a_conversation_starts_with_the_prompt_that_is_served(tiny: tuple[Any, Any]) -> None:
    _, processor = tiny
    asked = processor.apply_chat_template(QUESTION, tokenize=False, add_generation_prompt=True)
    told = processor.apply_chat_template(QUESTION + ANSWERS, tokenize=False)

    assert told == asked + "Keep the bar close.\n<|im_end|>\n"


def test_a_saved_model_loads_again_and_says_the_same(tiny: tuple[Any, Any], tmp_path: Path) -> None:
    model, processor = tiny
    save(model, processor, tmp_path, dtype=torch.float32)
    model_again = AutoModelForImageTextToText.from_pretrained(tmp_path)
    processor_again = AutoProcessor.from_pretrained(tmp_path)
    before, after = (
        _inputs(a_processor, QUESTION, add_generation_prompt=True) for a_processor in (processor, processor_again)
    )

    assert type(model_again) is type(model)
    assert processor_again.tokenizer.tokenize("12.50") == ["1", "2", ".", "5", "0"]
    for name in before:
        assert torch.equal(before[name], after[name]), name
    said, said_again = (a_model.eval().generate(**before, max_new_tokens=8) for a_model in (model, model_again))
    assert torch.equal(said, said_again)


def test_the_full_size_fits_in_the_box(tiny: tuple[Any, Any], tmp_path: Path) -> None:
    _, processor = tiny
    config = tiny_config(processor.tokenizer)
    config.text_config.vocab_size = 4096
    model, _ = build(processor.tokenizer, config)
    save(model, processor, tmp_path)

    n_bytes = sum(path.stat().st_size for path in tmp_path.rglob("*"))
    assert n_bytes <= 20e6
    assert model.dtype == torch.float32
