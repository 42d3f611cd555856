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
        scene = Scene(report=told, pictures=pictures, group=f"simulated-{number}")
        examples.append(lift_example(scene, library, language, teacher, (), seed))
    return examples


def write_school(
    out: Path,
    n_lifts: int,
    n_variants: int,
    first: int = 0,
    workers: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write `examples.jsonl` with its pictures; a school that was begun is gone on with.

    Args:
        out: Folder; pictures in it are named relative to it.
        n_lifts: Simulated lifts, numbered from `first`.
        n_variants: Conversations about each, with other errors, faults and languages.
        first: Number of the first lift; below `HELD_OUT_SEED` for training.
        workers: Processes.
        on_progress: Called with (done, total) lifts.
    """
    out.mkdir(parents=True, exist_ok=True)
    path = out / "examples.jsonl"
    done = _done(path)
    jobs = [(n, out / "pictures", n_variants) for n in range(first, first + n_lifts) if n not in done]
    with path.open("a", encoding="utf-8") as file:
        for i, (number, examples) in enumerate(_made(jobs, workers), start=1):
            lines = [_line(number, example, out) for example in examples]
            file.write("".join(lines))
            file.flush()
            if on_progress:
                on_progress(n_lifts - len(jobs) + i, n_lifts)
    return path


def _done(path: Path) -> set[int]:
    """Return the numbers of the lifts that are there; a line cut short by an interruption is taken away."""
    if not path.exists():
        return set()
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("}\n")]
    if len(whole) < len(lines):
        path.write_text("".join(whole), encoding="utf-8")
    return {json.loads(line)["number"] for line in whole}


def _line(number: int, example: Example, out: Path) -> str:
    record = {"number": number, **json.loads(example.model_dump_json())}
    for turn in record["turns"]:
        for picture in turn["pictures"]:
            picture["path"] = str(Path(picture["path"]).relative_to(out))
    return json.dumps(record, ensure_ascii=False) + "\n"


def _made(jobs: list[tuple[int, Path, int]], workers: int) -> Iterator[tuple[int, list[Example]]]:
    if workers == 1:
        yield from map(_make, jobs)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(_make, jobs, chunksize=4)


def _make(job: tuple[int, Path, int]) -> tuple[int, list[Example]]:
    number, folder, n_variants = job
    return number, scene_examples(number, folder, n_variants)


def read_examples(path: Path) -> list[Example]:
    """Return the examples of a JSONL file; the paths of their pictures are made absolute."""
    examples = []
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        record.pop("number", None)
        for turn in record["turns"]:
            for picture in turn["pictures"]:
                picture["path"] = str(path.parent / picture["path"])
        examples.append(Example.model_validate(record))
    return examples
