"""The school of coach-tiny: thousands of conversations about simulated lifts, with their key frames."""

import json
import multiprocessing
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from coach.domain.conversation import Example, Picture
from coach.domain.guidance import Language
from coach.session import judged
from coach.teacher import RulesTeacher
from corpus.examples import Scene, lift_example, varied
from corpus.knowledge.library import load_library
from finetune.data import TRAIN
from perception.simulator.motion import simulate_snatch
from perception.simulator.random_spec import random_spec
from perception.simulator.reports import PICTURED, report_of, write_simulated_keyframes
from perception.simulator.spec import FAULTS, Fault, LiftSpec
from perception.simulator.truth import truth_of

HELD_OUT_SEED = 1_000_000  # specs from this seed on are for scores and never for training
PICTURE_PX = 160
_LANGUAGES: tuple[tuple[Language, float], ...] = (("en", 0.55), ("zh-Hant", 0.3), ("zh-Hans", 0.15))
_FRONT_SHARE, _MISSED_SHARE, _CLEAN_SHARE = 0.15, 0.15, 0.2


def school_spec(number: int) -> LiftSpec:
    """Return one simulated lift: most from the side, a fault in four of five, some missed in front."""
    rng = np.random.default_rng([number, 41])
    fault: Fault | None = None if rng.random() < _CLEAN_SHARE else FAULTS[int(rng.integers(len(FAULTS)))]
    may_miss = fault in (None, "bar_forward_off_floor", "bar_swing_forward")
    missed = bool(may_miss and rng.random() < _MISSED_SHARE)
    return random_spec(number, fault=fault, missed=missed, view="front" if rng.random() < _FRONT_SHARE else "side")


def scene_examples(number: int, folder: Path, n_variants: int) -> list[Example]:
    """Return conversations about one simulated lift; its key frames are written into `folder`."""
    library = load_library()
    teacher = RulesTeacher(library)
    spec, rng = school_spec(number), np.random.default_rng([number, 43])
    names, shares = zip(*_LANGUAGES, strict=True)
    truth = truth_of(spec, simulate_snatch(spec), f"simulated-{number}.mp4")
    report = report_of(truth, 0)
    drawn = folder / f"{number:06d}"
    wanted = [name for name in PICTURED if report.lifts[0].instants.get(name) is not None]
    pictures = tuple(Picture(instant=name, path=drawn / f"{name}.jpg") for name in wanted)
    if not all(picture.path.exists() for picture in pictures):
        pictures = write_simulated_keyframes(spec, report.lifts[0].instants, drawn, PICTURE_PX)
    examples = []
    for i in range(n_variants):
        seed = number * 100 + i
        told = judged(varied(report_of(truth, i), library, seed), library)
        language: Language = names[int(rng.choice(len(names), p=shares))]
        scene = Scene(report=told, pictures=pictures, group=_group(number))
        examples.append(lift_example(scene, library, language, teacher, (), seed))
    return examples


def write_school(
    out: Path,
    n_lifts: int,
    n_variants: int,
    first: int = 0,
    workers: int = 1,
    split: str = TRAIN,
    on_progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write `<split>.jsonl` with its pictures and return the folder; a school that was begun is gone on with.

    Args:
        out: Folder; pictures in it are named relative to it.
        n_lifts: Simulated lifts, numbered from `first`.
        n_variants: Conversations about each, with other errors, faults and languages.
        first: Number of the first lift; below `HELD_OUT_SEED` for training.
        workers: Processes.
        split: Name of the file.
        on_progress: Called with (done, total) lifts.
    """
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{split}.jsonl"
    done = _done(path, n_variants)
    jobs = [(n, out / "pictures", n_variants) for n in range(first, first + n_lifts) if _group(n) not in done]
    with path.open("a", encoding="utf-8") as file:
        for i, examples in enumerate(_made(jobs, workers), start=1):
            file.write("".join(example_line(example, out) for example in examples))
            file.flush()
            if on_progress:
                on_progress(n_lifts - len(jobs) + i, n_lifts)
    return out


def _group(number: int) -> str:
    return f"simulated-{number}"


def _done(path: Path, n_variants: int) -> set[str]:
    """Return the groups that are whole; what an interruption left of another is taken away."""
    if not path.exists():
        return set()
    lines = [line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("}\n")]
    groups = [json.loads(line)["group"] for line in lines]
    whole = {group for group in groups if groups.count(group) >= n_variants}
    path.write_text("".join(x for x, group in zip(lines, groups, strict=True) if group in whole), encoding="utf-8")
    return whole


def example_line(example: Example, out: Path) -> str:
    """Return an example as a line of JSON, its pictures relative to `out`."""
    record = json.loads(example.model_dump_json())
    for turn in record["turns"]:
        for picture in turn["pictures"]:
            picture["path"] = str(Path(picture["path"]).relative_to(out))
    return json.dumps(record, ensure_ascii=False) + "\n"


def _made(jobs: list[tuple[int, Path, int]], workers: int) -> Iterator[list[Example]]:
    if workers == 1:
        yield from map(_make, jobs)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(_make, jobs, chunksize=4)


def _make(job: tuple[int, Path, int]) -> list[Example]:
    return scene_examples(*job)
