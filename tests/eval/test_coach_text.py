"""Answers to held-out conversations are compared with the coach's own, pair by pair."""

from pathlib import Path
from typing import Any

import pytest

from coach.domain.conversation import Example, Turn
from coach.domain.errors import DataError, InputError, ServiceError
from eval.coach_text import answer_all, read_examples, score_texts
from serving.client import Reply

REFERENCE = "The bar swings away from you when the hips push it. Zip it up your shirt, number {0}."
EXAMPLES = [
    Example(
        id=f"passage-{i}",
        turns=(Turn(role="user", text="Why does the bar swing?"), Turn(role="assistant", text=REFERENCE.format(i))),
        group=str(i),
        language="en",
    )
    for i in range(8)
]


class Client:
    """Answers well as `adapter`, badly as `base`, and not at all as `broken`."""

    name = "base"

    def __init__(self) -> None:
        self.asked = 0

    def complete(self, turns: Any, *, schema: Any = None, max_tokens: int = 700, model: str | None = None) -> Reply:
        self.asked += 1
        assert turns[-1].role == "user"
        if model == "broken":
            raise ServiceError("the server did not answer; is `coach serve` up?")
        text = "The bar swings away when the hips push it. Zip it up." if model == "adapter" else "I am a model."
        return Reply(text=text, finish_reason="stop", prompt_tokens=1, completion_tokens=1, model=str(model))

    def stream(self, turns: Any, *, max_tokens: int = 400, model: str | None = None) -> Any:
        raise NotImplementedError

    def models(self) -> tuple[str, ...]:
        return ("base", "adapter")


def test_the_adapter_that_writes_like_the_coach_is_really_better(tmp_path: Path) -> None:
    rows = answer_all(EXAMPLES, Client(), ["base", "adapter"], tmp_path / "answers.jsonl")
    scores = score_texts(rows, ["base", "adapter"])

    assert scores.n == 8
    assert scores.differences["adapter"].is_real
    assert scores.differences["adapter"].mean > 0.3
    assert scores.scores["base"].mean < scores.scores["adapter"].mean < 1


def test_a_failure_is_an_empty_answer_that_counts_zero(tmp_path: Path) -> None:
    rows = answer_all(EXAMPLES[:1], Client(), ["base", "broken"], tmp_path / "answers.jsonl")

    assert rows[0].chrf["broken"] == 0
    assert "coach serve" in rows[0].failures["broken"]


def test_answers_that_are_there_are_not_asked_for_again(tmp_path: Path) -> None:
    answer_all(EXAMPLES[:3], Client(), ["base"], tmp_path / "answers.jsonl")
    client = Client()

    assert len(answer_all(EXAMPLES[:4], client, ["base"], tmp_path / "answers.jsonl")) == 4
    assert client.asked == 1


def test_examples_must_be_there_and_end_with_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "test.jsonl"
    with pytest.raises(InputError, match="cannot be read"):
        read_examples(path)
    path.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="no conversations"):
        read_examples(tmp_path)
    path.write_text(EXAMPLES[0].model_dump_json() + "\nnonsense\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"test\.jsonl:2"):
        read_examples(tmp_path)
    open_end = EXAMPLES[0].model_copy(update={"turns": EXAMPLES[0].turns[:1]})
    path.write_text(open_end.model_dump_json(), encoding="utf-8")
    with pytest.raises(DataError, match="coach's answer"):
        read_examples(tmp_path)


def test_damaged_answers_are_named(tmp_path: Path) -> None:
    (tmp_path / "answers.jsonl").write_text("{}\n", encoding="utf-8")

    with pytest.raises(DataError, match="damaged"):
        answer_all(EXAMPLES, Client(), ["base"], tmp_path / "answers.jsonl")
