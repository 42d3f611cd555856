"""A file read in a process of its own: a hostile one costs this process nothing but a message."""

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

from coach.domain.base import Record
from coach.domain.errors import CoachError, InputError, SetupError
from coach.domain.words import printable
from corpus.source import READERS, Parsed

logger = logging.getLogger(__name__)

_CHILD = "from corpus.parsing import main; raise SystemExit(main())"
_REFUSED, _LACKING, _TOO_BIG = 3, 4, 5  # exit codes of the child: the file, this machine, the memory


class Limits(Record):
    """What reading one file may use of this machine."""

    file_bytes: int = 50 * 1024**2
    memory_bytes: int = 2 * 1024**3
    cpu_s: int = 60
    time_s: float = 120.0


class Order(Record):
    """What the child is to read; paths travel as hexadecimal, because a file name need not be text."""

    path_hex: str
    reader: str
    salt_hex: str
    limits: Limits


def parse_apart(path: Path, reader: str, salt: bytes, limits: Limits) -> Parsed:
    """Return what a reader finds in a file, read in a new process with limits on memory, processor and time.

    Raises:
        InputError: The file cannot be used, needs more than the limits, or crashes its reader.
        SetupError: The reader needs a package that is not installed.
    """
    order = Order(path_hex=os.fsencode(path).hex(), reader=reader, salt_hex=salt.hex(), limits=limits)
    root = str(Path(__file__).resolve().parents[1])
    environment = {**os.environ, "PYTHONPATH": root, "OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"}
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    with child:
        try:
            out, err = child.communicate(order.model_dump_json().encode(), timeout=limits.time_s)
        except subprocess.TimeoutExpired as problem:
            raise InputError(
                f"{printable(path.name)} took more than {limits.time_s:g} s to read: split it, or save it again"
            ) from problem
        finally:
            child.kill()
    if child.returncode == 0:
        return Parsed.model_validate_json(out)
    raise _failure(path, child.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"), limits)


def _failure(path: Path, code: int, out: str, err: str, limits: Limits) -> CoachError:
    name = printable(path.name)
    if code == _REFUSED:
        return InputError(f"{name} {out.strip()}")
    if code == _LACKING:
        return SetupError(out.strip())
    if code == _TOO_BIG or "MemoryError" in err or "memory allocation" in err:
        return InputError(
            f"{name} needs more than {limits.memory_bytes / 1024**2:.0f} MB of memory to read: split it into parts"
        )
    if code == -signal.SIGXCPU:
        return InputError(f"{name} took more than {limits.cpu_s} s of computing to read: split it, or save it again")
    logger.warning("reading %s ended with %d: %s", name, code, err.strip())
    last = printable(err.strip().split("\n")[-1][:200])
    return InputError(f"{name} seems to be damaged: its reader broke off ({last or code}); open it and save it again")


def main() -> int:
    """Read what stdin orders and write what was found to stdout; messages leave out the name of the file."""
    order = Order.model_validate_json(sys.stdin.buffer.read())
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print goes to stderr
    _limit(order.limits)
    code = 0
    try:
        reader = READERS.load(order.reader)
        path = Path(os.fsdecode(bytes.fromhex(order.path_hex)))
        said = reader.read(path, bytes.fromhex(order.salt_hex)).model_dump_json()
    except InputError as problem:
        said, code = str(problem), _REFUSED
    except SetupError as problem:
        said, code = str(problem), _LACKING
    except MemoryError:
        said, code = "", _TOO_BIG
    with answer:
        answer.write(said)
    return code


def _limit(limits: Limits) -> None:
    import resource

    for kind, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_FSIZE, 1024**2),
        (resource.RLIMIT_CORE, 0),
    ):
        allowed = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most if allowed == resource.RLIM_INFINITY else min(most, allowed), allowed))
