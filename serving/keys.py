"""The key between the server and its clients: a file that only this user can read."""

import os
import secrets
from pathlib import Path

from coach.domain.errors import SetupError


def key_path() -> Path:
    """Return where the key lies: in the folder of what the user keeps, `LIFTCOACH_DATA` or the platform's."""
    if named := os.environ.get("LIFTCOACH_DATA"):
        return Path(named).expanduser() / "serving.key"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "liftcoach" / "serving.key"


def read_key(path: Path | None = None) -> str | None:
    """Return the key in a file; None when there is no such file.

    Raises:
        SetupError: The file is there but cannot be read.
    """
    place = path or key_path()
    try:
        return place.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise SetupError(f"the key {place} cannot be read ({problem.strerror}): set LIFTCOACH_API_KEY") from problem


def make_key(path: Path | None = None) -> str:
    """Return the key in a file; a file that is not there is made with a new random key, readable by this user alone.

    Raises:
        SetupError: The file cannot be read or written.
    """
    place = path or key_path()
    if (known := read_key(place)) is not None:
        return known
    key = secrets.token_urlsafe(32)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key + "\n")
    except FileExistsError:
        return make_key(path)
    except OSError as problem:
        raise SetupError(f"the key {place} cannot be written ({problem.strerror}): set LIFTCOACH_API_KEY") from problem
    return key
