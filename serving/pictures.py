"""Pictures as a server takes them: data URIs, made smaller when a budget of pixels says so."""

import base64
import io
from functools import lru_cache
from pathlib import Path

from coach.domain.errors import InputError

_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png"}
_QUALITY = 92  # JPEG quality of a picture that was made smaller


def data_uri(path: Path, max_pixels: int | None = None) -> str:
    """Return a picture as a data URI: the bytes of the file, or a smaller JPEG.

    A JPEG or PNG file within the budget goes as it is, so that the server sees the very pixels that training saw.

    Args:
        path: A picture file.
        max_pixels: Most pixels (width × height); None for no limit.

    Raises:
        InputError: The file is missing or no picture.
    """
    try:
        changed = path.stat().st_mtime_ns
    except OSError as problem:
        raise InputError(f"the picture {path} cannot be read ({problem.strerror}): analyse the lift again") from problem
    return _data_uri(path, changed, max_pixels)


@lru_cache(maxsize=64)
def _data_uri(path: Path, _changed: int, max_pixels: int | None) -> str:
    from PIL import Image, UnidentifiedImageError

    data = path.read_bytes()
    try:
        with Image.open(io.BytesIO(data)) as image:
            kind = _TYPES.get(image.format or "")
            n_pixels = image.width * image.height
            if kind is None or (max_pixels is not None and n_pixels > max_pixels):
                scale = min(1.0, (max_pixels / n_pixels) ** 0.5) if max_pixels is not None else 1.0
                size = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
                buffer = io.BytesIO()
                image.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=_QUALITY)
                kind, data = "image/jpeg", buffer.getvalue()
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as problem:
        raise InputError(f"{path} is no picture that can be read ({problem}): analyse the lift again") from problem
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
