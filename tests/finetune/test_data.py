import shutil
from pathlib import Path
from typing import Any

import pytest

from coach.domain.conversation import Example, Turn
from coach.domain.errors import DataError, InputError
from finetune.data import count_tokens, data_hash, make_dataset, measure, messages, read_examples


@pytest.fixture(scope="session")
def processor(base_dir: Path) -> Any:
    from transformers import AutoProcessor

    return AutoProcessor.from_pretrained(base_dir)


def _copy(data_dir: Path, tmp_path: Path) -> Path:
    return shutil.copytree(data_dir, tmp_path / "copy")


def _replace(folder: Path, old: str, new: str) -> None:
    path = folder / "train.jsonl"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_pictures_are_found_beside_the_examples(data_dir: Path) -> None:
    examples = read_examples(data_dir)

    assert len(examples) == 24
    assert all(picture.path.is_file() for example in examples for turn in example.turns for picture in turn.pictures)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"role":"system"', '"role":"robot"', r"train\.jsonl:1: `turns\.0\.role`"),
        ('"group":"athlete-1"', '"team":"athlete-1"', r"train\.jsonl:2: `group`"),
        ("pictures/train-3-1.png", "pictures/gone.png", r"train\.jsonl:4: the picture pictures/gone\.png is missing"),
        ("pictures/train-3-1.png", "../../secret.png", r"train\.jsonl:4: .* lies outside"),
        ("pictures/train-3-1.png", "/etc/passwd", r"train\.jsonl:4: .* lies outside"),
    ],
)
def test_a_bad_example_is_named_by_its_line(data_dir: Path, tmp_path: Path, old: str, new: str, says: str) -> None:
    folder = _copy(data_dir, tmp_path)
    _replace(folder, old, new)

    with pytest.raises(DataError, match=says):
        read_examples(folder)


def test_an_example_without_an_answer_at_its_end_is_refused(tmp_path: Path) -> None:
    example = Example(id="x", turns=(Turn(role="user", text="Why?"),), group="a", language="en")
    (tmp_path / "train.jsonl").write_text(example.model_dump_json())

    with pytest.raises(DataError, match="x does not end with an answer"):
        read_examples(tmp_path)
    with pytest.raises(InputError, match="coach corpus examples"):
        read_examples(tmp_path, "validation")


def test_the_hash_knows_texts_and_pixels_but_not_the_place(data_dir: Path, tmp_path: Path) -> None:
    folder = _copy(data_dir, tmp_path)
    before = data_hash(read_examples(data_dir), data_dir)

    assert data_hash(read_examples(folder), folder) == before
    picture = folder / "pictures" / "train-0-0.png"
    kept = picture.read_bytes()
    shutil.copy(folder / "pictures" / "train-1-0.png", picture)
    assert data_hash(read_examples(folder), folder) != before
    picture.write_bytes(kept)
    _replace(folder, "meet it higher", "meet it lower")
    assert data_hash(read_examples(folder), folder) != before


def test_tokens_are_counted_as_training_will_see_them(data_dir: Path, processor: Any) -> None:
    """Pictures of 28 sizes, without decoding one; the dataset's own rows through the processor are the reference."""
    examples = read_examples(data_dir)
    rows = make_dataset(examples)

    for example, row in zip(examples, rows, strict=True):
        text = processor.apply_chat_template(row["messages"], tokenize=False)
        inputs = processor(text=[text], images=row["images"], add_special_tokens=False)
        assert count_tokens(example.turns, processor) == len(inputs["input_ids"][0])


def test_an_example_that_is_too_long_is_named_before_training(data_dir: Path, processor: Any) -> None:
    examples = read_examples(data_dir)
    lengths = measure(examples, processor, 10_000).n_tokens
    longest, limit = examples[lengths.index(max(lengths))], max(lengths) - 1

    with pytest.raises(DataError, match=rf"too long: {longest.id}: {limit + 1} tokens, and at most {limit} fit"):
        measure(examples, processor, limit)


def test_long_examples_are_listed_and_left_out_when_asked_for(data_dir: Path, processor: Any) -> None:
    examples = read_examples(data_dir)
    lengths = measure(examples, processor, 10_000).n_tokens
    limit = sorted(lengths)[11]
    left = measure(examples, processor, limit, leave_out_long=True)

    assert len(left.examples) + len(left.left_out) == 24
    assert max(left.n_tokens) <= limit
    with pytest.raises(DataError, match="every example is longer"):
        measure(examples, processor, 10, leave_out_long=True)


def test_a_text_cannot_pass_for_a_turn_or_a_picture(data_dir: Path, processor: Any) -> None:
    example = read_examples(data_dir)[0]
    for token in ("<|im_end|>", "<|image_pad|>"):
        turn = Turn(role="user", text=f"Ignore this. {token}")
        with pytest.raises(DataError, match="special token"):
            measure([example.model_copy(update={"turns": (turn, *example.turns)})], processor, 4096)


def test_a_broken_picture_is_named(data_dir: Path, processor: Any, tmp_path: Path) -> None:
    folder = _copy(data_dir, tmp_path)
    (folder / "pictures" / "train-0-0.png").write_bytes(b"no picture")

    with pytest.raises(DataError, match=r"train-0: the picture .*train-0-0\.png cannot be read"):
        measure(read_examples(folder), processor, 4096)


def test_pictures_stand_before_the_text_of_their_turn(data_dir: Path) -> None:
    parts = messages(read_examples(data_dir)[0].turns)[1]["content"]

    assert [part["type"] for part in parts] == ["image", "image", "text"]
