"""Training conversations as a dataset of messages and pictures, every one measured before training starts."""

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError
from pydantic import ValidationError

from coach.domain.conversation import Example, Turn
from coach.domain.errors import DataError, InputError

TRAIN, VALIDATION = "train", "validation"


@dataclass(frozen=True, slots=True)
class Measured:
    """Examples that fit, their lengths in tokens, and what was left out, one line each."""

    examples: tuple[Example, ...]
    n_tokens: tuple[int, ...]
    left_out: tuple[str, ...]


def read_examples(folder: Path, split: str = TRAIN) -> tuple[Example, ...]:
    """Return the examples of a split; the paths of their pictures become absolute.

    Args:
        folder: Holds `<split>.jsonl`, one `Example` a line, and the pictures.
        split: Name of the file.

    Raises:
        InputError: There is no such file.
        DataError: A line is no example, ends with no answer, or a picture of it is missing; the line is named.
    """
    path = folder / f"{split}.jsonl"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as problem:
        raise InputError(
            f"no examples in {path} ({problem.strerror}): make them with `coach corpus examples`"
        ) from problem
    root = folder.resolve()
    examples = tuple(_read_line(line, f"{path}:{i}", root) for i, line in enumerate(lines, 1) if line.strip())
    if not examples:
        raise DataError(f"{path} is empty: make examples with `coach corpus examples`")
    return examples


def _read_line(line: str, place: str, root: Path) -> Example:
    try:
        example = Example.model_validate_json(line)
    except ValidationError as problem:
        first = problem.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{place}: `{field}`: {first['msg']}") from problem
    if not example.turns or example.turns[-1].role != "assistant":
        raise DataError(f"{place}: the example {example.id} does not end with an answer")
    return example.model_copy(update={"turns": tuple(_found(turn, root, place) for turn in example.turns)})


def _found(turn: Turn, root: Path, place: str) -> Turn:
    pictures = []
    for picture in turn.pictures:
        path = (root / picture.path).resolve()
        if not path.is_relative_to(root):
            raise DataError(f"{place}: the picture {picture.path} lies outside of the dataset's folder")
        if not path.is_file():
            raise DataError(f"{place}: the picture {picture.path} is missing")
        pictures.append(picture.model_copy(update={"path": path}))
    return turn.model_copy(update={"pictures": tuple(pictures)})


def data_hash(examples: Sequence[Example], folder: Path) -> str:
    """Return the SHA-256 of what is learnt: every turn and the bytes of every picture, in order."""
    digest = hashlib.sha256()
    root = folder.resolve()
    for example in examples:
        paths = [picture.path for turn in example.turns for picture in turn.pictures]
        # The folder's own place must not count: a copy of the data is the same data.
        digest.update(example.model_dump_json().replace(f"{root}/", "").encode())
        for path in paths:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def messages(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """Return turns as chat messages: a placeholder for each picture, then the text."""
    return [
        {
            "role": turn.role,
            "content": [
                *({"type": "image", "text": None} for _ in turn.pictures),
                {"type": "text", "text": turn.text},
            ],
        }
        for turn in turns
    ]


def measure(
    examples: Sequence[Example],
    processor: Any,
    max_tokens: int,
    *,
    leave_out_long: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> Measured:
    """Return the examples with their lengths, after tokenising every one as training will.

    Nothing is ever cut, because a cut could take tokens of a picture away and leave its pixels.

    Args:
        examples: What is to be learnt.
        processor: Of the base model, its budget of pixels set.
        max_tokens: Most tokens of an example, those of its pictures included.
        leave_out_long: Leave out what is longer, and list it, instead of failing.
        on_progress: Called with the number of examples done and the total.

    Raises:
        DataError: An example is too long, holds a special token in its text, or a picture of it cannot be read; or
            nothing is left.
    """
    kept: list[Example] = []
    lengths: list[int] = []
    left_out: list[str] = []
    special = set(processor.tokenizer.all_special_tokens)
    for i, example in enumerate(examples, 1):
        _check_texts(example, special)
        n = count_tokens(example.turns, processor, example.id)
        if n <= max_tokens:
            kept.append(example)
            lengths.append(n)
        else:
            left_out.append(f"{example.id}: {n} tokens, and at most {max_tokens} fit")
        if on_progress is not None:
            on_progress(i, len(examples))
    if left_out and not leave_out_long:
        more = f" and {len(left_out) - 1} more" if len(left_out) > 1 else ""
        raise DataError(
            f"too long: {left_out[0]}{more}. Raise max_tokens, show fewer or smaller pictures, "
            "or leave long examples out with --leave-out-long"
        )
    if not kept:
        raise DataError(f"every example is longer than {max_tokens} tokens: raise max_tokens")
    return Measured(tuple(kept), tuple(lengths), tuple(left_out))


def _check_texts(example: Example, special: set[str]) -> None:
    for turn, token in itertools.product(example.turns, special):
        if token in turn.text:
            raise DataError(f"{example.id}: a text holds the special token {token}, which would act as one: remove it")


def count_tokens(turns: Sequence[Turn], processor: Any, name: str = "conversation") -> int:
    """Return the number of tokens of a conversation, those of its pictures included; no picture is decoded.

    Raises:
        DataError: A picture cannot be read.
    """
    # The template, and no `processor.apply_chat_template`, which would look for the pictures themselves.
    text = processor.tokenizer.apply_chat_template(
        messages(turns), chat_template=processor.chat_template, tokenize=False
    )
    n_text = len(processor.tokenizer(text, add_special_tokens=False).input_ids)
    sizes = [_size_px(picture.path, name) for turn in turns for picture in turn.pictures]
    if not sizes:
        return n_text
    n_each: list[int] = processor._get_num_multimodal_tokens(image_sizes=sizes).num_image_tokens
    return n_text - len(sizes) + sum(n_each)


def _size_px(path: Path, name: str) -> tuple[int, int]:
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as problem:
        raise DataError(f"{name}: the picture {path} cannot be read: {problem}") from problem


def make_dataset(examples: Sequence[Example]) -> Any:
    """Return a `datasets.Dataset` with the columns `messages` and `images`; pictures are decoded when they are used."""
    import datasets

    part = {"type": datasets.Value("string"), "text": datasets.Value("string")}
    features = datasets.Features(
        {
            "messages": [{"role": datasets.Value("string"), "content": [part]}],
            "images": datasets.List(datasets.Image()),
        }
    )
    return datasets.Dataset.from_list(list(_rows(examples)), features=features)


def _rows(examples: Sequence[Example]) -> Iterator[dict[str, Any]]:
    for example in examples:
        paths = [str(picture.path) for turn in example.turns for picture in turn.pictures]
        yield {"messages": messages(example.turns), "images": paths}
