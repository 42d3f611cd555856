"""What the commands draw: progress on stderr, tables on stdout."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

OnProgress = Callable[[str, int, int], None]
stop_signals: list[int] = []
"""Signals that asked the program to stop: an interrupt may be lost in C code, so progress looks here as well."""


@contextmanager
def progress() -> Iterator[OnProgress]:
    """Draw a bar per stage on stderr while it is a terminal; say nothing otherwise."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description:>10}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:

        def on_progress(stage: str, done: int, total: int) -> None:
            if stop_signals:
                raise KeyboardInterrupt
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=None)
            bars.update(tasks[stage], completed=done, total=total or None)

        yield on_progress


def print_table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Print a table on stdout; in a pipe, no line is cut."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        console = Console(width=1000)
    table = Table(*header, box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(cell, overflow="fold") for cell in row))
    console.print(table)


def complain(text: str) -> None:
    """Print a line on stderr."""
    print(text, file=sys.stderr, flush=True)
