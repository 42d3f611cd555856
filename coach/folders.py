"""Output folders that appear whole or not at all, and names that are safe to give them."""

import errno
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from coach.domain.errors import InputError, SetupError
from coach.domain.words import printable

_CANNOT_WRITE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENAMETOOLONG)
_PARTIAL = re.compile(r"\.(?:.*\.)?partial-(?P<pid>\d+)")


def default_out(clip_path: Path) -> Path:
    """Return the folder that a clip's analysis goes to when nobody says: `./<name>-lift`.

    Letters and digits of any script, `-`, `_` and inner dots stay; everything else becomes `_`, so a name cannot
    leave the working folder, hide, or break a line.
    """
    safe = re.sub(r"[^\w.-]+", "_", clip_path.stem.encode("utf-8", "replace").decode()).strip("._-")
    while len(safe.encode()) > 180:
        safe = safe[:-1]
    return Path(f"{safe or 'clip'}-lift")


def _contents(folder: Path) -> list[Path]:
    return [entry for entry in folder.iterdir() if not _PARTIAL.fullmatch(entry.name)]


def check_out(out_dir: Path, ours: Callable[[Path], bool], overwrite: bool) -> None:
    """Raise unless `out_dir` is new, empty, or may be replaced.

    Args:
        out_dir: The folder to be written.
        ours: Tells whether an entry of the folder is one that this kind of run writes; a folder that holds anything
            else is never replaced.
        overwrite: Whether the user said that an earlier result may go.

    Raises:
        InputError: The folder holds something, and it was not said or is not safe to replace it.
    """
    shown = printable(out_dir)
    try:
        in_the_way = [place for place in (out_dir, *out_dir.parents) if place.exists() and not place.is_dir()]
        is_new = not out_dir.exists()
    except OSError as problem:
        raise InputError(f"{shown} cannot be a folder: {problem.strerror}; name another one with --out") from problem
    if in_the_way:
        raise InputError(
            f"{printable(in_the_way[0])} is a file, and the results need a folder: name another one with --out"
        )
    if is_new:
        return
    contents = _contents(out_dir)
    foreign = sorted(printable(entry.name) for entry in contents if not ours(entry))
    if foreign:
        raise InputError(f"{shown} holds other files ({foreign[0]}): name a new or empty folder with --out")
    if contents and not overwrite:
        raise InputError(
            f"{shown} holds earlier results: name another folder with --out, or replace it with --overwrite"
        )


@contextmanager
def whole_folder(out_dir: Path) -> Iterator[Path]:
    """Yield a hidden working folder that becomes `out_dir` when the block ends well, and vanishes when it does not.

    A new `out_dir` appears by one rename. In an existing one, its entries make way for the new ones at the end; the
    folder itself stays, because it may be a mount point.

    Raises:
        SetupError: The disk is full, or the place cannot be written.
    """
    out_dir = out_dir.resolve()
    missing_parents = [parent for parent in out_dir.parents if not parent.exists()]
    work_dir = _work_dir(out_dir)
    try:
        out_dir.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(out_dir)
        try:
            work_dir.mkdir()
            yield work_dir
            _publish(work_dir, out_dir)
        finally:
            shutil.rmtree(work_dir, ignore_errors=True)
    except OSError as problem:
        _remove_empty(missing_parents)
        if problem.errno not in _CANNOT_WRITE:
            raise
        raise SetupError(
            f"cannot write {printable(out_dir)}: {os.strerror(problem.errno or 0)}; "
            "free some space or name another folder with --out"
        ) from problem
    except BaseException:
        _remove_empty(missing_parents)
        raise


def _work_dir(out_dir: Path) -> Path:
    if out_dir.exists():
        return out_dir / f".partial-{os.getpid()}"
    return out_dir.with_name(f".{out_dir.name[:150]}.partial-{os.getpid()}")


def _publish(work_dir: Path, out_dir: Path) -> None:
    if work_dir.parent != out_dir:
        work_dir.rename(out_dir)
        return
    old_dir = work_dir / ".old"
    old_dir.mkdir()
    for entry in _contents(out_dir):
        entry.rename(old_dir / entry.name)
    for entry in work_dir.iterdir():
        if entry != old_dir:
            entry.rename(out_dir / entry.name)


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _remove_abandoned(out_dir: Path) -> None:
    """Remove the working folders of earlier runs to the same place that were killed before they could."""
    beside = out_dir.parent.glob(".*.partial-*") if not out_dir.exists() else out_dir.glob(".partial-*")
    for folder in beside:
        found = _PARTIAL.fullmatch(folder.name)
        same = out_dir.exists() or folder.name.startswith(f".{out_dir.name[:150]}.partial-")
        if found and same and not _is_running(int(found["pid"])):
            shutil.rmtree(folder, ignore_errors=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
