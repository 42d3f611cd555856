"""Who may use the app: a file of names and scrypt hashes, sessions in memory, and a limit on wrong passwords."""

import hashlib
import hmac
import json
import os
import re
import secrets
import threading
import time
from base64 import b64decode, b64encode
from collections import defaultdict, deque
from collections.abc import Callable
from pathlib import Path

from coach.domain.errors import DataError, InputError
from coach.domain.words import printable

_N, _R, _P = 2**15, 8, 1  # scrypt cost: 32 MiB and about 0.1 s a guess, RFC 7914
_MAX_MEMORY = 64 * 1024 * 1024  # bytes
MIN_PASSWORD = 10  # characters
SESSION_S = 12 * 3600.0  # s a login lasts
MAX_FAILURES = 5  # wrong passwords in `WINDOW_S`, by name and by address
WINDOW_S = 300.0  # s
_NAME = re.compile(r"[\w.@-]{1,80}")


class Accounts:
    """Names and password hashes of one file: `{"name": "scrypt$salt$hash", …}`."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            InputError: There is no such file.
            DataError: It is no file of accounts, or holds none.
        """
        self.path = path
        self._hashes = _read(path)
        if not self._hashes:
            raise DataError(f"{printable(path)} holds no account: make one with `coach app add-user NAME`")
        self._nobody = hash_password(secrets.token_urlsafe(12))

    def is_right(self, name: str, password: str) -> bool:
        """Return whether the password is that of the name; takes as long for a name that is not there."""
        known = self._hashes.get(name)
        matches = _matches(password, known or self._nobody)
        return matches and known is not None


def _read(path: Path) -> dict[str, str]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as problem:
        raise InputError(
            f"{printable(path)}: no such file; make it with `coach app add-user NAME --accounts FILE`"
        ) from problem
    except (OSError, ValueError) as problem:
        raise DataError(f"{printable(path)} is no file of accounts ({problem})") from problem
    if not isinstance(known, dict) or not all(isinstance(v, str) and v.startswith("scrypt$") for v in known.values()):
        raise DataError(f"{printable(path)} is no file of accounts: expected names with their scrypt hashes")
    return known


def add_user(path: Path, name: str, password: str) -> None:
    """Add a name to a file of accounts, or give it a new password; only the owner of the file can read it.

    Raises:
        InputError: The name or the password cannot be used.
        DataError: The file is no file of accounts.
    """
    if not _NAME.fullmatch(name):
        raise InputError("a name has 1 to 80 letters, digits or . _ @ -: choose another one")
    if len(password) < MIN_PASSWORD:
        raise InputError(f"the password has {len(password)} characters: take {MIN_PASSWORD} or more")
    known = _read(path) if path.exists() else {}
    text = json.dumps(known | {name: hash_password(password)}, indent=2, ensure_ascii=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    scratch.replace(path)


def hash_password(password: str) -> str:
    """Return a salted scrypt hash as text."""
    salt = secrets.token_bytes(16)
    return f"scrypt${b64encode(salt).decode()}${b64encode(_scrypt(password, salt)).decode()}"


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "replace"), salt=salt, n=_N, r=_R, p=_P, maxmem=_MAX_MEMORY)


def _matches(password: str, known: str) -> bool:
    try:
        _, salt, expected = known.split("$")
        return hmac.compare_digest(_scrypt(password, b64decode(salt)), b64decode(expected))
    except ValueError:
        return False


class Sessions:
    """Who is logged in; lost when the app stops, so that a stolen cookie dies with it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with nobody logged in."""
        self._clock = clock
        self._names: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def open(self, name: str) -> str:
        """Return a new token for a name."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            now = self._clock()
            self._names = {t: (n, until) for t, (n, until) in self._names.items() if until > now}
            self._names[token] = (name, now + SESSION_S)
        return token

    def name(self, token: str | None) -> str | None:
        """Return who a token belongs to; None when it is unknown or too old."""
        with self._lock:
            name, until = self._names.get(token or "", (None, 0.0))
            return name if until > self._clock() else None

    def close(self, token: str | None) -> None:
        """Forget a token."""
        with self._lock:
            self._names.pop(token or "", None)


class Brake:
    """Counts wrong passwords by name and by address, and says how long to wait after too many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start without any failure."""
        self._clock = clock
        self._failures: dict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def wait_s(self, *keys: str) -> float:
        """Return how long these keys have to wait until the next try; 0 when they may try now."""
        with self._lock:
            now = self._clock()
            waits = [0.0]
            for key in keys:
                failures = self._failures.get(key, deque())
                while failures and failures[0] <= now - WINDOW_S:
                    failures.popleft()
                if len(failures) >= MAX_FAILURES:
                    waits.append(failures[0] + WINDOW_S - now)
            return max(waits)

    def failed(self, *keys: str) -> None:
        """Count a wrong password for each key."""
        with self._lock:
            now = self._clock()
            for key in [k for k, times in self._failures.items() if not times or times[-1] <= now - WINDOW_S]:
                del self._failures[key]
            for key in keys:
                self._failures[key].append(now)

    def forget(self, *keys: str) -> None:
        """Take the last failure of each key back, because the password was right."""
        with self._lock:
            for key in keys:
                if self._failures.get(key):
                    self._failures[key].pop()
