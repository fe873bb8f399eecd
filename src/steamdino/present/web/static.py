"""Style sheet, scripts and icon, each served under a name that changes with its content."""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter
from fastapi.responses import Response

from steamdino.errors import QueryError
from steamdino.present.content_names import by_content
from steamdino.present.style_sheets import PALETTE, SHARED, SITE, site_sheet

TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
SCRIPTS = ("htmx.min.js", "suggestions.js", "place.js", "own.js", "part.js", "navigation.js")
"""Scripts that each page loads, as one file: `APP`. The theme's is apart, since it runs before anything is drawn."""
APP = "app.js"
KEPT = "public, max-age=31536000, immutable"
"""One year, the usual maximum: a file with other content has another name."""

router = APIRouter(include_in_schema=False)


@cache
def _files() -> dict[str, tuple[str, bytes]]:
    """Return the served name and the content of each file, by its name in the package."""
    contents = {file.name: file.read_bytes() for file in SHARED.iterdir() if _suffix(file.name) in TYPES}
    contents[APP] = b"\n".join([contents.pop(name) for name in SCRIPTS])
    del contents[PALETTE]
    contents[SITE] = site_sheet().encode()
    return {name: (by_content(name, data), data) for name, data in contents.items()}


@cache
def _served() -> dict[str, tuple[str, bytes]]:
    return {served: (TYPES[_suffix(name)], data) for name, (served, data) in _files().items()}


def address(name: str) -> str:
    """Return the path of a static file, given its name in the package."""
    return f"/static/{_files()[name][0]}"


@router.get("/static/{name}")
async def static(name: str) -> Response:
    """Return a static file; a name with another content's digest is a 404."""
    if name not in _served():
        raise QueryError(f"there is no {name[:80]!r}")
    kind, data = _served()[name]
    return Response(data, media_type=kind, headers={"cache-control": KEPT})


def _suffix(name: str) -> str:
    return name.rpartition(".")[2]
