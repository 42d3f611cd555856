"""The queue of analyses: one at a time, each in a process of its own that is killed when it takes too long."""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from coach.app.analysis import Limits, Line, Order
from coach.domain.errors import CoachError
from coach.store import Status, Store

logger = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "coach.app.analysis")
MAX_WAITING = 20  # analyses in the queue before new ones are refused
STAGE_SHARES = {"pose": 0.62, "bar": 0.10, "pictures": 0.24, "report": 0.04}
"""Rough share of the time of each stage, measured on the demo clip; stages not named here do not move the bar."""
STAGE_WORDS = {
    "pose": "Finding the lifter",
    "bar": "Following the bar",
    "pictures": "Drawing the video",
    "report": "Writing the report",
}
BROKE_DOWN = "the analysis broke down on this clip: cut it to the lift alone, or save it again as MP4, and try again"
TOO_LONG = "the analysis took longer than allowed: cut the clip to the lift alone and try again"
STOPPED = "the app was stopped before the analysis was done: load the clip again"


@dataclass(frozen=True, slots=True)
class Progress:
    """How an analysis stands: its status, place in the queue (0 when running), and the share done."""

    status: Status
    message: str = ""
    position: int = 0
    stage: str = ""
    share: float = 0.0


@dataclass(slots=True)
class _Job:
    order: Order
    line: Line = field(default_factory=Line)
    share: float = 0.0
    is_cancelled: bool = False
    process: "subprocess.Popen[str] | None" = None


class Worker:
    """Runs orders one after the other in the background."""

    def __init__(
        self,
        store: Store,
        limits: Limits | None = None,
        on_end: Callable[[Status, float], None] | None = None,
        command: Sequence[str] = COMMAND,
    ) -> None:
        """Start with an empty queue.

        Args:
            store: Where the outcome of each analysis is kept.
            limits: What one analysis may use.
            on_end: Told the outcome and the seconds of each analysis.
            command: What is run for each analysis; speaks as `coach.app.analysis` does.
        """
        self._command = tuple(command)
        self._store = store
        self._limits = limits or Limits()
        self._on_end = on_end or (lambda _status, _time_s: None)
        self._queue: deque[_Job] = deque()
        self._current: _Job | None = None
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="analyses", daemon=True)
        self._thread.start()

    @property
    def n_waiting(self) -> int:
        """Number of analyses that wait for the one that runs."""
        return len(self._queue)

    def submit(self, order: Order) -> None:
        """Put an order at the end of the queue."""
        with self._changed:
            self._queue.append(_Job(order))
            self._changed.notify_all()

    def cancel(self, lift_id: str) -> bool:
        """Stop an analysis, or take it out of the queue; return whether there was one."""
        with self._changed:
            for job in list(self._queue):
                if job.order.lift_id == lift_id:
                    self._queue.remove(job)
                    self._end(job, "cancelled", "cancelled before it began")
                    return True
            job_now = self._current
            if job_now is None or job_now.order.lift_id != lift_id:
                return False
            job_now.is_cancelled = True
            _kill(job_now.process)
            return True

    def progress(self, lift_id: str, owner: str) -> Progress:
        """Return how an analysis stands now.

        Raises:
            InputError: This person has no such lift.
        """
        stored = self._store.lift(lift_id, owner)
        with self._changed:
            job = self._current
            if job is not None and job.order.lift_id == lift_id:
                return Progress("running", stage=STAGE_WORDS.get(job.line.stage, ""), share=job.share)
            for i, waiting in enumerate(self._queue):
                if waiting.order.lift_id == lift_id:
                    return Progress("waiting", position=i + 1)
        return Progress(stored.status, stored.message)

    def close(self) -> None:
        """Stop what runs and end; what waited is marked as stopped."""
        with self._changed:
            self._is_closed = True
            while self._queue:
                self._end(self._queue.popleft(), "failed", STOPPED)
            if self._current is not None:
                _kill(self._current.process)
            self._changed.notify_all()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._queue and not self._is_closed:
                    self._changed.wait()
                if self._is_closed:
                    return
                job = self._current = self._queue.popleft()
            began = time.monotonic()
            try:
                self._store.set_status(job.order.lift_id, "running")
                status, message = self._analyse(job)
            except (OSError, CoachError) as problem:
                status, message = "failed", f"this machine could not run the analysis ({problem}); try again"
            with self._changed:
                self._end(job, status, message)
                self._current = None
            self._on_end(status, time.monotonic() - began)

    def _end(self, job: _Job, status: Status, message: str) -> None:
        if status != "done" and job.order.clip_path is not None:
            shutil.rmtree(job.order.out_dir, ignore_errors=True)
        self._store.set_status(job.order.lift_id, status, message)
        self._changed.notify_all()

    def _analyse(self, job: _Job) -> tuple[Status, str]:
        """Run one order in a process group of its own; nothing of it is left when this returns."""
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        is_late = threading.Event()
        complaints: deque[str] = deque(maxlen=40)

        def end_late() -> None:
            is_late.set()
            _kill(process)

        timer = threading.Timer(self._limits.time_s, end_late)
        listener = threading.Thread(target=lambda: complaints.extend(process.stderr or ()), daemon=True)
        timer.start()
        listener.start()
        try:
            with self._changed:
                job.process = process
            outcome = self._follow(job, process)
        finally:
            timer.cancel()
            _kill(process)
            process.wait()
            listener.join(timeout=5)
            for pipe in (process.stdin, process.stdout, process.stderr):
                _close(pipe)
        return self._outcome(job, outcome, is_late.is_set(), "".join(complaints))

    def _follow(self, job: _Job, process: "subprocess.Popen[str]") -> Line | None:
        """Return the last line of an analysis; its stdin stays open, so that it ends when this app does."""
        assert process.stdin is not None
        assert process.stdout is not None
        order = {"order": job.order.model_dump(mode="json"), "limits": self._limits.model_dump()}
        try:
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            return None
        if job.is_cancelled:
            return None
        for text in process.stdout:
            line = Line.model_validate_json(text)
            if line.is_done or line.problem is not None:
                return line
            with self._changed:
                job.line, job.share = line, max(job.share, _share(line))
                self._changed.notify_all()
        return None

    def _outcome(self, job: _Job, line: Line | None, is_late: bool, complaints: str) -> tuple[Status, str]:
        if job.is_cancelled:
            return "cancelled", "cancelled"
        if line is not None and line.is_done:
            return "done", ""
        if line is not None and line.problem is not None:
            return "failed", line.problem
        if self._is_closed:
            return "failed", STOPPED
        if is_late:
            return "failed", TOO_LONG
        logger.error("the analysis of lift %s broke down:\n%s", job.order.lift_id, complaints)
        return "failed", BROKE_DOWN


def _share(line: Line) -> float:
    """Return the share of the whole analysis that is done, from 0 to 1."""
    names = list(STAGE_SHARES)
    if line.stage not in names:
        return 0.0
    before = sum(STAGE_SHARES[name] for name in names[: names.index(line.stage)])
    return before + STAGE_SHARES[line.stage] * min(line.done / max(line.total, 1), 1.0)


def _kill(process: "subprocess.Popen[str] | None") -> None:
    """Kill an analysis with everything it started."""
    if process is None or process.returncode is not None:
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _close(pipe: object) -> None:
    try:
        pipe.close()  # type: ignore[attr-defined]
    except BrokenPipeError:
        return
