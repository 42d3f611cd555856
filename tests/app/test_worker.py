"""The queue: one analysis at a time in a process of its own, ended when it hangs, and its outcome told plainly."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from coach.app.analysis import Limits, Order
from coach.app.worker import BROKE_DOWN, STOPPED, TOO_LONG, Progress, Worker
from coach.domain.settings import AnalysisSettings
from coach.store import Store

DONE = "import sys; sys.stdin.readline(); print('{\"is_done\": true}')"
HANGS = 'import sys, time; sys.stdin.readline(); print(\'{"stage": "pose", "done": 1, "total": 2}\', flush=True); time.sleep(60)'
MakeWorker = Callable[..., Worker]


@pytest.fixture
def make_worker(store: Store) -> "object":
    workers: list[Worker] = []

    def make(script: str, **limits: float) -> Worker:
        workers.append(Worker(store, Limits(**limits), command=(sys.executable, "-c", script)))  # type: ignore[arg-type]
        return workers[-1]

    yield make
    for worker in workers:
        worker.close()


def _order(store: Store, tmp_path: Path) -> Order:
    lift = store.add_lift("me", "a.mp4", {})
    return Order(lift_id=lift.id, clip_path=tmp_path / "a.mp4", out_dir=tmp_path / lift.id, settings=AnalysisSettings())


def _wait(worker: Worker, order: Order, until: Callable[[Progress], bool]) -> Progress:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        now = worker.progress(order.lift_id, "me")
        if until(now):
            return now
        with worker._changed:
            worker._changed.wait(0.05)
    raise AssertionError(f"still {now}")


def _ended(now: Progress) -> bool:
    return now.status not in ("waiting", "running")


def test_an_analysis_that_is_done_is_stored_as_done(make_worker: MakeWorker, store: Store, tmp_path: Path) -> None:
    worker, order = make_worker(DONE), _order(store, tmp_path)

    worker.submit(order)

    assert _wait(worker, order, _ended).status == "done"
    assert store.lift(order.lift_id, "me").status == "done"


def test_a_problem_is_told_in_its_own_words(make_worker: MakeWorker, store: Store, tmp_path: Path) -> None:
    worker = make_worker('import sys; sys.stdin.readline(); print(\'{"problem": "film from the side"}\'); sys.exit(1)')
    order = _order(store, tmp_path)

    worker.submit(order)

    assert _wait(worker, order, _ended) == Progress("failed", "film from the side")


@pytest.mark.parametrize("script", ["import os; os.abort()", "raise SystemExit(3)", "import sys; sys.stdin.close()"])
def test_an_analysis_that_breaks_down_does_not_stop_the_queue(
    script: str, make_worker: MakeWorker, store: Store, tmp_path: Path
) -> None:
    worker = make_worker(script)
    orders = [_order(store, tmp_path), _order(store, tmp_path)]

    for order in orders:
        worker.submit(order)

    for order in orders:
        assert _wait(worker, order, _ended) == Progress("failed", BROKE_DOWN)


def test_progress_moves_and_the_others_are_told_their_place(
    make_worker: MakeWorker, store: Store, tmp_path: Path
) -> None:
    worker = make_worker(HANGS)
    first, second, third = (_order(store, tmp_path) for _ in range(3))
    for order in (first, second, third):
        worker.submit(order)

    now = _wait(worker, first, lambda p: p.share > 0)

    assert (now.status, now.stage) == ("running", "Finding the lifter")
    assert 0.2 < now.share < 0.5
    assert worker.progress(second.lift_id, "me").position == 1
    assert worker.progress(third.lift_id, "me").position == 2


def test_cancelling_ends_what_runs_and_takes_out_what_waits(
    make_worker: MakeWorker, store: Store, tmp_path: Path
) -> None:
    worker = make_worker(HANGS)
    first, second = _order(store, tmp_path), _order(store, tmp_path)
    worker.submit(first)
    worker.submit(second)
    _wait(worker, first, lambda p: p.share > 0)

    worker.cancel(second.lift_id)
    worker.cancel(first.lift_id)

    assert _wait(worker, first, _ended).status == "cancelled"
    assert worker.progress(second.lift_id, "me").status == "cancelled"
    assert not worker.cancel(first.lift_id)


def test_an_analysis_that_hangs_is_killed_with_its_children(
    make_worker: MakeWorker, store: Store, tmp_path: Path
) -> None:
    pid_path = tmp_path / "pid"
    script = (
        "import subprocess, sys, time; sys.stdin.readline();"
        f"p = subprocess.Popen(['sleep', '60']); open({str(pid_path)!r}, 'w').write(str(p.pid)); time.sleep(60)"
    )
    worker, order = make_worker(script, time_s=2.0), _order(store, tmp_path)

    worker.submit(order)

    assert _wait(worker, order, _ended) == Progress("failed", TOO_LONG)
    assert not _is_alive(int(pid_path.read_text()))


def _is_alive(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return False
        if state == "Z":  # killed; whoever is its parent in this machine has not asked for it yet
            return False
        os.sched_yield()
    return True


def test_closing_the_app_says_so_to_who_was_waiting(make_worker: MakeWorker, store: Store, tmp_path: Path) -> None:
    worker = make_worker(HANGS)
    orders = [_order(store, tmp_path), _order(store, tmp_path)]
    for order in orders:
        worker.submit(order)
    _wait(worker, orders[0], lambda p: p.share > 0)

    worker.close()

    assert [store.lift(order.lift_id, "me").message for order in orders] == [STOPPED, STOPPED]


def test_the_real_process_refuses_what_is_no_video_in_plain_words(store: Store, tmp_path: Path) -> None:
    worker, order = Worker(store), _order(store, tmp_path)
    (tmp_path / "a.mp4").write_text("This is a training diary, not a video.\n" * 100)

    worker.submit(order)
    now = _wait(worker, order, _ended)
    worker.close()

    assert now.status == "failed"
    assert "not a video" in now.message or "no video" in now.message
    assert not order.out_dir.exists()
