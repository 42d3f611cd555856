"""The files of a person: video, key frames and report of a lift by an id that cannot be guessed, and their votes."""

import re
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, Response

from coach.app.rating import votes_csv, votes_jsonl
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
    """Return the routes `/media/<lift>/<file>` and those of a person's votes; what is somebody else's is not found."""
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

    @router.get("/votes.csv", include_in_schema=False)
    def votes_as_csv(request: Request) -> Response:
        return Response(votes_csv(app.store.votes(app.owner_of(request))), media_type="text/csv; charset=utf-8")

    @router.get("/votes.jsonl", include_in_schema=False)
    def votes_as_jsonl(request: Request) -> Response:
        return Response(votes_jsonl(app.store.votes(app.owner_of(request))), media_type="application/x-ndjson")

    return router


def _file(folder: Path, name: str) -> Path | None:
    """Return a file of an analysis by its name, or None when an analysis has no such file."""
    if not _FILE.fullmatch(name) or ".." in name:
        return None
    path = (folder / name).resolve()
    return path if path.is_relative_to(folder.resolve()) else None
