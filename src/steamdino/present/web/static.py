"""Style sheet, scripts and icon, each under a name that changes with its content."""

from __future__ import annotations

from functools import cache
from importlib import resources

from fastapi import APIRouter
from fastapi.responses import Response

from steamdino.errors import QueryError
from steamdino.present.content_names import by_content

TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
KEPT = "public, max-age=31536000, immutable"
"""A year, the longest that makes sense: another content has another name."""

router = APIRouter(include_in_schema=False)


@cache
def _files() -> dict[str, tuple[str, bytes]]:
    """The name that each file is served under, and its content, by its name in the package."""
    folder = resources.files("steamdino.present.web") / "static"
    contents = {file.name: file.read_bytes() for file in folder.iterdir() if _suffix(file.name) in TYPES}
    return {name: (by_content(name, data), data) for name, data in contents.items()}


@cache
def _served() -> dict[str, tuple[str, bytes]]:
    return {served: (TYPES[_suffix(name)], data) for name, (served, data) in _files().items()}


def address(name: str) -> str:
    """Where a static file is served, by its name in the package."""
    return f"/static/{_files()[name][0]}"


@router.get("/static/{name}")
async def static(name: str) -> Response:
    """A static file; there is none under the name of another content."""
    if name not in _served():
        raise QueryError(f"there is no {name[:80]!r}")
    kind, data = _served()[name]
    return Response(data, media_type=kind, headers={"cache-control": KEPT})


def _suffix(name: str) -> str:
    return name.rpartition(".")[2]
