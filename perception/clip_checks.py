"""Checks of a file before any decoder sees it, and what to say about a file that is not a video."""

import stat
from pathlib import Path

from coach.domain.errors import InputError
from coach.domain.words import printable


def safe_name(path: Path, max_length: int | None = None) -> str:
    """Return the name of a file as plain text on one line, its middle left out when it is too long."""
    text = printable(path.name or path)
    if max_length is None or len(text) <= max_length:
        return text
    return f"{text[: max_length // 2]}…{text[-max_length // 2 :]}"


def check_file(path: Path, name: str, max_bytes: int) -> None:
    """Refuse what is no file with something in it, or is too large.

    Raises:
        InputError: With the reason and what to do.
    """
    try:
        info = path.stat()
    except (OSError, ValueError) as problem:
        reason = "no such file" if isinstance(problem, FileNotFoundError) else f"cannot be opened ({problem})"
        raise InputError(f"{name}: {reason}; check the path") from problem
    if stat.S_ISDIR(info.st_mode):
        raise InputError(f"{name} is a folder; give one video file, the clip of one lift")
    if not stat.S_ISREG(info.st_mode):
        raise InputError(f"{name} is not a regular file; save the clip to a file first")
    if info.st_size == 0:
        raise InputError(f"{name} is empty (0 bytes); copy it from the camera again")
    if info.st_size > max_bytes:
        size, most = info.st_size / 1024**3, max_bytes / 1024**3
        raise InputError(f"{name} is {size:.3g} GiB, the limit is {most:.3g} GiB; cut it to the lift")


def why_not_a_video(path: Path) -> str:
    """Look at the first bytes of a file that did not open and say what it seems to be, and what to do."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as problem:
        return f"cannot be read ({problem.strerror}); check its permissions"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"#EXTM3U", b"ffconcat", b"[playlist]", b"<?xml", b"<smil", b"<MPD", b"<asx")):
        return "is a playlist, not a video; give the video file itself"
    if head.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")) or head[8:12] == b"WEBP":
        return "is a picture, not a video; give a clip of the whole lift"
    if head.startswith((b"ID3", b"fLaC", b"\xff\xfb")) or head[8:12] == b"WAVE":
        return "holds only sound; give a clip with the picture of the lift"
    if head[4:8] == b"ftyp" or b"moov" in head or b"mdat" in head:
        return "is cut off or damaged (its index is missing); copy it from the camera again"
    if b"\0" not in head and _is_text(head):
        return "is a text file, not a video"
    return "is not a video that can be read; use MP4, MOV, MKV, WebM or AVI"


def _is_text(head: bytes) -> bool:
    try:
        head[: len(head) - 3].decode("utf-8")
    except UnicodeDecodeError as problem:
        return problem.start >= len(head) - 6 and len(head) > 16
    return True


def is_still_picture(path: Path) -> bool:
    """Tell whether the file is a HEIF or AVIF picture, which opens like an MP4."""
    with path.open("rb") as file:
        head = file.read(12)
    return head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"avif")
