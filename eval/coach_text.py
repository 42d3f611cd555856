"""How close models come to what coaches wrote: chrF of answers to held-out conversations, models side by side."""

from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from coach.domain.base import Record
from coach.domain.conversation import Example
from coach.domain.errors import CoachError, DataError, InputError, SetupError
from coach.domain.words import printable
from eval.intervals import Interval, difference_interval, mean_interval
from eval.metric import METRICS
from eval.metrics.chrf import Chrf
from serving.client import ChatClient

MAX_ANSWER_TOKENS = 500


class Answered(Record):
    """One held-out conversation: the coach's last turn, and each model's with its chrF; a failure is empty and 0."""

    example: str
    reference: str
    answers: dict[str, str]
    chrf: dict[str, float]
    failures: dict[str, str]


class TextScores(Record):
    """The chrF of every model, and its difference to the first one."""

    n: int
    scores: dict[str, Interval]
    differences: dict[str, Interval]


def read_examples(path: Path) -> list[Example]:
    """Return the conversations of a JSON Lines file, or of `test.jsonl` in a folder; pictures lie relative to it.

    Raises:
        InputError: There is no such file, or it holds none.
        DataError: A line is no conversation, or does not end with an answer.
    """
    file = next((f for f in (path / "test.jsonl", path / "data" / "test.jsonl") if f.is_file()), path)
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as problem:
        raise InputError(f"{printable(file)} cannot be read ({problem.strerror}): name a file of examples") from problem
    examples = []
    for i, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            example = Example.model_validate_json(line)
        except ValidationError as problem:
            raise DataError(f"{printable(file)}:{i}: no conversation ({problem.error_count()} problems)") from problem
        if not example.turns or example.turns[-1].role != "assistant":
            raise DataError(f"{printable(file)}:{i}: the last turn must be the coach's answer")
        examples.append(_placed(example, file.parent))
    if not examples:
        raise InputError(f"{printable(file)} holds no conversations: export some with `coach corpus export`")
    return examples


def _placed(example: Example, folder: Path) -> Example:
    turns = tuple(
        turn.model_copy(
            update={"pictures": tuple(p.model_copy(update={"path": folder / p.path}) for p in turn.pictures)}
        )
        for turn in example.turns
    )
    return example.model_copy(update={"turns": turns})


def answer_all(
    examples: Sequence[Example],
    client: ChatClient,
    models: Sequence[str],
    out: Path,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Answered]:
    """Let every model give the last answer of every conversation; what `out` holds already is kept.

    Args:
        examples: Conversations whose last turn is the coach's.
        client: Speaks to the server of the models.
        models: Served names, the one to compare with first.
        out: JSON Lines, one row a conversation.
        on_progress: Called with (done, total).

    Raises:
        DataError: `out` is damaged.
    """
    done = {row.example: row for row in _read(out)} if out.exists() else {}
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("a", encoding="utf-8") as file:
        for example in examples:
            if example.id not in done or set(done[example.id].answers) != set(models):
                done[example.id] = _answered(example, client, models)
                file.write(done[example.id].model_dump_json() + "\n")
                file.flush()
            if on_progress:
                on_progress(len(done), len(examples))
    return [done[example.id] for example in examples]


def _read(path: Path) -> list[Answered]:
    try:
        return [Answered.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except ValidationError as problem:
        raise DataError(f"{printable(path)} is damaged: remove it and run again") from problem


def _answered(example: Example, client: ChatClient, models: Sequence[str]) -> Answered:
    reference = example.turns[-1].text
    answers: dict[str, str] = {}
    failures: dict[str, str] = {}
    for model in models:
        try:
            answers[model] = client.complete(example.turns[:-1], max_tokens=MAX_ANSWER_TOKENS, model=model).text
        except SetupError:
            raise
        except CoachError as problem:
            answers[model], failures[model] = "", str(problem)
    metric = _chrf()
    scores = {model: round(metric.of(text, reference), 5) for model, text in answers.items()}
    return Answered(example=example.id, reference=reference, answers=answers, chrf=scores, failures=failures)


def score_texts(rows: Sequence[Answered], models: Sequence[str]) -> TextScores:
    """Return the mean chrF of every model, and how far the others lie from the first, pair by pair."""
    first = [row.chrf[models[0]] for row in rows]
    scores = {model: mean_interval([row.chrf[model] for row in rows]) for model in models}
    differences = {model: difference_interval(first, [row.chrf[model] for row in rows]) for model in models[1:]}
    return TextScores(
        n=len(rows),
        scores={model: i for model, i in scores.items() if i is not None},
        differences={model: i for model, i in differences.items() if i is not None},
    )


def _chrf() -> Chrf:
    metric = METRICS.load("chrf")
    if not isinstance(metric, Chrf):
        raise ValueError("eval/metrics/chrf.py makes no Chrf")
    return metric
