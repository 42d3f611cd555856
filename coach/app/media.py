"""The files of a lift for its owner: video, key frames, plots and report, by an id that cannot be guessed."""

import re
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse

from coach.app.state import App
from coach.domain.errors import InputError

_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".avi": "video/x-msvideo",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".html": "text/html",
    ".json": "application/json",
}
_FILE = re.compile(r"annotated\.mp4|report\.html|report\.json|guidance(?:-\d+)?\.json|(?:keyframes|plots)/[\w.-]+")


def media_routes(app: App) -> APIRouter:
    """Return the routes `/media/<lift>/<file>`; what belongs to somebody else is not found."""
    router = APIRouter()

    @router.get("/media/{lift_id}/{name:path}", include_in_schema=False)
    def media(request: Request, lift_id: str, name: str) -> FileResponse:
        try:
            app.store.lift(lift_id, app.owner_of(request))
        except InputError as problem:
            raise HTTPException(404, "not found") from problem
        path = _file(app.folders(lift_id).analysis, name)
        if name == "clip":
            path = app.clip_path(lift_id)
        if path is None or not path.is_file() or path.suffix.lower() not in _TYPES:
            raise HTTPException(404, "not found")
        headers = {"Cache-Control": "private, max-age=3600", "Content-Disposition": "inline"}
        return FileResponse(path, media_type=_TYPES[path.suffix.lower()], headers=headers)

    return router


def _file(folder: Path, name: str) -> Path | None:
    """Return a file of an analysis by its name, or None when an analysis has no such file."""
    if not _FILE.fullmatch(name) or ".." in name:
        return None
    path = (folder / name).resolve()
    return path if path.is_relative_to(folder.resolve()) else None
