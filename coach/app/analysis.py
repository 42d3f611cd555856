"""One analysis in a process of its own, with limits: an order on stdin, progress and outcome as JSON lines on stdout."""

import json
import os
import sys
import threading
import time
from pathlib import Path

from coach.domain.base import Record
from coach.domain.errors import CoachError
from coach.domain.guidance import Language
from coach.domain.settings import AnalysisSettings

TELL_EVERY_S = 0.2  # s between two lines of progress of one stage


class Order(Record):
    """What is to be analysed; without a clip it is the shipped demo."""

    lift_id: str
    clip_path: Path | None
    out_dir: Path
    settings: AnalysisSettings
    writer: str = "rules"
    language: Language = "en"


class Limits(Record):
    """What one analysis may use of this machine."""

    memory_bytes: int = 8 * 1024**3
    cpu_s: int = 1800
    file_bytes: int = 1024**3
    time_s: float = 1200.0


class Line(Record):
    """One line on stdout: progress, or with `problem` or `is_done` the outcome."""

    stage: str = ""
    done: int = 0
    total: int = 0
    problem: str | None = None
    is_done: bool = False


def main() -> int:
    """Analyse what the first line of stdin orders; end at once when stdin closes, because then the app is gone."""
    tell = _Teller()
    first = json.loads(sys.stdin.readline())
    order, limits = Order.model_validate(first["order"]), Limits.model_validate(first["limits"])
    _limit(limits)
    threading.Thread(target=_end_with_the_app, daemon=True).start()
    try:
        _analyse(order, tell)
    except CoachError as problem:
        tell(Line(problem=str(problem)))
        return 1
    except MemoryError:
        tell(Line(problem="this clip needs more memory than an analysis may use: cut it to the lift, or film in 1080p"))
        return 1
    tell(Line(is_done=True))
    return 0


def _analyse(order: Order, tell: "_Teller") -> None:
    from coach import session

    last: dict[str, float] = {}

    def on_progress(stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if done >= total or now - last.get(stage, 0.0) >= TELL_EVERY_S:
            last[stage] = now
            tell(Line(stage=stage, done=done, total=total))

    if order.clip_path is None:
        session.demo(order.out_dir, overwrite=True, language=order.language, on_progress=on_progress)
        return
    session.analyse(
        order.clip_path,
        order.out_dir,
        order.settings,
        writer=order.writer,
        language=order.language,
        overwrite=True,
        on_progress=on_progress,
    )


def _limit(limits: Limits) -> None:
    import resource

    for kind, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        allowed = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most if allowed == resource.RLIM_INFINITY else min(most, allowed), allowed))


def _end_with_the_app() -> None:
    sys.stdin.read()
    os._exit(1)


class _Teller:
    """Writes lines to the stdout this process began with; whatever else prints goes to stderr."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def __call__(self, line: Line) -> None:
        self._out.write(line.model_dump_json() + "\n")
        self._out.flush()


if __name__ == "__main__":
    sys.exit(main())
