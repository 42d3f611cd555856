"""Examples for an adapter: what coaches wrote and simulated lifts, split by document and by lift."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from coach.domain.conversation import Example
from coach.domain.errors import InputError
from coach.domain.passage import Passage
from coach.session import judged
from coach.teacher import RulesTeacher
from corpus.examples import Scene, passage_examples
from corpus.knowledge.library import load_library
from finetune.data import TRAIN, VALIDATION
from finetune.tiny_data import HELD_OUT_SEED, PICTURE_PX, example_line, scene_examples, school_spec
from perception.simulator.reports import simulated_report, write_simulated_keyframes

TEST = "test"
FIRST_LIFT = HELD_OUT_SEED - 50_000  # lifts that coach-tiny has not seen, and that no score uses
_SHARES = {TEST: 0.15, VALIDATION: 0.1}
N_SCENES = 24  # lifts that passages are talked about with


def write_lessons(
    out: Path,
    passages: Sequence[Passage],
    *,
    n_lifts: int = 60,
    n_askings: int = 2,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, int]:
    """Write `train.jsonl`, `validation.jsonl`, `test.jsonl` and pictures; return how many examples each has.

    Two conversations about the same document or the same lift are never in different files.

    Args:
        out: New or empty folder.
        passages: Accepted passages; those without a licence teach nothing.
        n_lifts: Simulated lifts that are talked about without a passage.
        n_askings: How many times each passage is asked about, in other words and beside another lift.
        seed: Of questions and splits.
        on_progress: Called with (done, total) lifts drawn.

    Raises:
        InputError: The folder holds something, or no passage may be learnt from.
    """
    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out} is not empty: name a new folder with --out")
    out.mkdir(parents=True, exist_ok=True)
    total = N_SCENES + n_lifts
    scenes: list[Scene] = []
    for i in range(N_SCENES):
        scenes.append(_scene(FIRST_LIFT + i, out))
        if on_progress:
            on_progress(i + 1, total)
    teacher = RulesTeacher(load_library())
    examples = [e for k in range(n_askings) for e in _asked(scenes, passages, teacher, seed + k)]
    if not examples:
        raise InputError("no accepted passage with a licence passes the check: `coach corpus stats` says what there is")
    for i in range(n_lifts):
        examples += scene_examples(FIRST_LIFT + N_SCENES + i, out / "pictures", 1)
        if on_progress:
            on_progress(N_SCENES + i + 1, total)
    splits = split_groups(examples)
    for split in (TRAIN, VALIDATION, TEST):
        lines = [example_line(e, out) for e in examples if splits[e.group] == split]
        (out / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
    counts = Counter(splits[e.group] for e in examples)
    (out / "groups.json").write_text(json.dumps(splits, indent=1) + "\n", encoding="utf-8")
    return dict(counts)


def _scene(number: int, out: Path) -> Scene:
    spec = school_spec(number)
    report = judged(simulated_report(spec, 0), load_library())
    folder = out / "pictures" / f"{number:06d}"
    pictures = write_simulated_keyframes(spec, report.lifts[0].instants, folder, PICTURE_PX)
    return Scene(report=report, pictures=pictures, group=f"simulated-{number}")


def _asked(scenes: Sequence[Scene], passages: Sequence[Passage], teacher: RulesTeacher, seed: int) -> list[Example]:
    turned = [*scenes[seed % len(scenes) :], *scenes[: seed % len(scenes)]]
    made = passage_examples(turned, passages, teacher, seed)
    return [example.model_copy(update={"id": f"{example.id}-{seed}"}) for example in made]


def split_groups(examples: Sequence[Example]) -> dict[str, str]:
    """Return the split of every group: whole groups in the order of their hashes, until a split has its share."""
    sizes = Counter(example.group for example in examples)
    kinds = {e.group: bool(e.passages) for e in examples}
    splits = dict.fromkeys(sizes, TRAIN)
    for kind in (True, False):  # documents and lifts apart, so that every split has both
        groups = sorted((g for g in sizes if kinds[g] == kind), key=lambda g: hashlib.sha256(g.encode()).hexdigest())
        n, taken = sum(sizes[g] for g in groups), 0
        limits = [(TEST, _SHARES[TEST]), (VALIDATION, _SHARES[TEST] + _SHARES[VALIDATION])]
        for group in groups:
            split = next((name for name, limit in limits if taken < limit * n), TRAIN)
            splits[group] = split
            taken += sizes[group]
    return splits
