"""The school of coach-tiny: resumable, the same for the same numbers, and far from the lifts it is scored on."""

from pathlib import Path

import pytest

from coach.domain.errors import SetupError
from finetune.data import read_examples
from finetune.tiny_data import HELD_OUT_SEED, school_spec, write_school
from perception.simulator.render import load_mujoco


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        load_mujoco()
    except SetupError as problem:
        pytest.skip(f"nothing can be drawn on this machine: {problem}")
    return write_school(tmp_path_factory.mktemp("school"), n_lifts=2, n_variants=2)


def test_a_school_is_a_dataset_of_conversations_with_pictures(school: Path) -> None:
    examples = read_examples(school)

    assert len(examples) == 4
    assert {len(e.turns[1].pictures) for e in examples} <= {3, 4}
    assert all(e.turns[-1].role == "assistant" for e in examples)


def test_a_school_that_was_stopped_in_the_middle_of_a_line_is_gone_on_with(school: Path, tmp_path: Path) -> None:
    whole = (school / "train.jsonl").read_text(encoding="utf-8")
    lines = whole.splitlines(keepends=True)
    (tmp_path / "train.jsonl").write_text("".join(lines[:2]) + lines[2][:50], encoding="utf-8")

    write_school(tmp_path, n_lifts=2, n_variants=2)

    again = (tmp_path / "train.jsonl").read_text(encoding="utf-8")
    assert again == whole


def test_the_lifts_it_learns_from_are_the_same_every_time_and_none_is_scored() -> None:
    assert school_spec(5) == school_spec(5)
    assert school_spec(5) != school_spec(6)
    assert school_spec(5).seed < HELD_OUT_SEED
