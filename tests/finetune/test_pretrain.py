"""Training coach-tiny from nothing: the same tokens as its processor, and a run that goes on where it stopped."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="fine-tuning lives in an environment of its own: make test-serving")

import torch
from PIL import Image

from coach.domain.conversation import Example, Picture, Turn
from coach.domain.errors import DataError
from finetune.pretrain import School, batches, lesson_of, loss_of, patches_of, teach, tensors_of
from finetune.tiny import IMAGE, build, tiny_config, train_tokenizer

pytestmark = pytest.mark.filterwarnings("ignore")
SCHOOL = School(n_steps=6, tokens_per_step=900, warmup_steps=2, save_steps=2, n_layers=2, n_threads=1, bf16=False)


def _school(folder: Path, n: int) -> Path:
    rng = np.random.default_rng(n)
    lines = []
    for i in range(n):
        path = folder / f"{i}.png"
        Image.fromarray(rng.integers(0, 256, (90, 90, 3), dtype=np.uint8)).save(path)
        turns = (
            Turn(role="system", text="Say only what was measured."),
            Turn(role="user", text=f"bar_drop_m 0.{i}", pictures=(Picture(instant="catch", path=Path(path.name)),)),
            Turn(role="assistant", text="It dropped {bar_drop_m}."),
            Turn(role="user", text="Why?" * (i % 5 + 1)),
            Turn(role="assistant", text="槓鈴 {bar_drop_m}"),
        )
        lines.append(Example(id=str(i), turns=turns, group=str(i), language="en").model_dump_json())
    (folder / "train.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _losses(out: Path) -> list[float]:
    lines = (out / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["loss"] for line in lines]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    path = tmp_path_factory.mktemp("picture") / "a.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)).save(path)
    return Example(
        id="one",
        turns=(
            Turn(role="system", text="You are a coach."),
            Turn(role="user", text="bar_drop_m 0.12", pictures=(Picture(instant="catch", path=path),)),
            Turn(role="assistant", text="It dropped {bar_drop_m}."),
        ),
        group="one",
        language="en",
    )


def _by_processor(processor: Any, example: Example) -> Any:
    talk = [
        {
            "role": turn.role,
            "content": [{"type": "image", "image": Image.open(p.path)} for p in turn.pictures]
            + [{"type": "text", "text": turn.text}],
        }
        for turn in example.turns
    ]
    return processor.apply_chat_template(
        talk, tokenize=True, return_dict=True, return_tensors="pt", return_assistant_tokens_mask=True
    )


def test_a_lesson_holds_the_tokens_pixels_and_answers_that_the_processor_makes(example: Example) -> None:
    tokenizer = train_tokenizer([turn.text for turn in example.turns], vocab_size=400)
    _, processor = build(tokenizer, tiny_config(tokenizer, width=64, n_layers=1, vision_width=64))
    lesson = lesson_of(example, tokenizer)
    tensors = tensors_of([lesson], tokenizer.convert_tokens_to_ids(IMAGE), tokenizer.pad_token_id)

    wanted = _by_processor(processor, example)

    assert torch.equal(tensors["input_ids"], wanted["input_ids"])
    assert torch.equal(tensors["image_grid_thw"], wanted["image_grid_thw"])
    assert float((tensors["pixel_values"] - wanted["pixel_values"]).abs().max()) < 0.02
    assert lesson.is_taught.tolist() == [bool(x) for x in np.asarray(wanted["assistant_masks"]).ravel()]


def test_the_loss_is_that_of_the_model_itself(example: Example) -> None:
    torch.manual_seed(0)
    tokenizer = train_tokenizer([turn.text for turn in example.turns], vocab_size=400)
    model, _ = build(tokenizer, tiny_config(tokenizer, width=64, n_layers=1, vision_width=64))
    tensors = tensors_of([lesson_of(example, tokenizer)], tokenizer.convert_tokens_to_ids(IMAGE), 0)

    total, n = loss_of(model, tensors)

    assert float(total.detach()) / n == pytest.approx(float(model(**tensors).loss), rel=1e-5)


def test_a_run_that_was_stopped_goes_on_with_the_same_losses(tmp_path: Path) -> None:
    data = _school(tmp_path, 12)
    teach(data, tmp_path / "whole", SCHOOL)

    def stop(done: int, total: int, loss: float) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        teach(data, tmp_path / "stopped", SCHOOL, on_step=stop)
    teach(data, tmp_path / "stopped", SCHOOL)

    whole, stopped = _losses(tmp_path / "whole"), _losses(tmp_path / "stopped")
    assert len(whole) == SCHOOL.n_steps
    assert stopped == [*whole[:3], *whole[2:]]  # the step after the last checkpoint was done again
    assert (tmp_path / "stopped" / "model" / "model.safetensors").exists()


def test_a_run_cannot_be_gone_on_with_under_other_settings(tmp_path: Path) -> None:
    data = _school(tmp_path, 4)
    teach(data, tmp_path / "run", replace(SCHOOL, n_steps=1))

    with pytest.raises(DataError, match="another run"):
        teach(data, tmp_path / "run", replace(SCHOOL, n_steps=1, seed=5))


def test_an_example_that_is_too_long_is_named_before_anything_is_learnt(example: Example) -> None:
    tokenizer = train_tokenizer(["a"], vocab_size=300)
    long = example.model_copy(update={"turns": (*example.turns, Turn(role="assistant", text="xyz " * 3000))})

    with pytest.raises(DataError, match="example one has"):
        lesson_of(long, tokenizer)


def test_every_lesson_comes_once_an_epoch_and_no_step_is_too_large(example: Example) -> None:
    tokenizer = train_tokenizer(["a"], vocab_size=300)
    short = lesson_of(example, tokenizer)
    lessons = [replace(short, ids=np.tile(short.ids, k % 3 + 1)) for k in range(10)]
    school = replace(SCHOOL, tokens_per_step=4 * len(short.ids))
    found: list[int] = []
    for batch in batches(lessons, school, 0):
        assert len(batch) == 1 or len(batch) * max(len(x.ids) for x in batch) <= school.tokens_per_step
        found += [id(lesson) for lesson in batch]
        if len(found) >= len(lessons):
            break

    assert sorted(found) == sorted(id(lesson) for lesson in lessons)


def test_the_rate_rises_stays_and_falls_to_zero() -> None:
    school = School(n_steps=100, warmup_steps=10, decay_share=0.25)

    assert school.rate(0) == pytest.approx(school.learning_rate / 10)
    assert school.rate(50) == school.learning_rate
    assert school.rate(99) == pytest.approx(school.learning_rate * 0.04)


def test_a_grey_picture_gives_patches_of_nothing(tmp_path: Path) -> None:
    Image.new("RGB", (200, 100), (128, 128, 128)).save(tmp_path / "grey.png")

    patches = patches_of(tmp_path / "grey.png")

    assert patches.shape == (64, 1536)
    assert np.abs(patches).max() < 0.01
