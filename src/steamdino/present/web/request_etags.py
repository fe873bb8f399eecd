"""The ETag of an answer, computed from the request alone, before anything else is."""

from __future__ import annotations

import hashlib

from starlette.types import Scope

from steamdino.present.web.legacy_pages import TURNS

CHANGING = frozenset(
    (
        "/healthz",
        "/readyz",
        "/metrics",
        "/random",
        "/api/v1/games/random",
        "/api/v1/similar",
        "/duplicates",
        "/curator",
        "/api/v1/duplicates",
        "/changes",
        "/changes.atom",
        "/api/v1/changes",
        *(f"/{kind}{turn}{end}" for kind in ("render", "store") for turn in TURNS for end in ("", "/")),
    )
)
"""Paths whose answers depend on more than the snapshot: on chance, on another server, on a person's decisions, or on
the gallery's database (answers about changes have ETags of their own)."""
PICTURES = ("/banners/", "/static/", "/changes/pictures/")
"""What the paths of banners and static files begin with. Their answers set their own Cache-Control."""
PRIVATE = ("/picture/",)
"""What the paths of pages begin with that depend on a cookie. They set their own Cache-Control as well."""
READS = ("GET", "HEAD")


def tag_of_request(scope: Scope, path: str, version: str) -> str | None:
    """Return the ETag of the answer to a request; None if the answer may differ each time.

    It also depends on the host and on the path below which the server is reached, since links lead there.

    Args:
        scope: the request.
        path: its path, as the server's routes name it.
        version: names what is served now.
    """
    if scope["method"] not in READS or path in CHANGING or path.startswith((*PICTURES, *PRIVATE)):
        return None
    place = f"{scope.get('scheme', '')}://{header(scope, b'host', '')}".encode("latin-1")
    digest = hashlib.sha256(place + scope["raw_path"] + b"?" + scope["query_string"]).hexdigest()[:16]
    return f'W/"{version}-{digest}"'


def header(scope: Scope, name: bytes, default: str) -> str:
    """Return a request's header, the first one if there are several."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), default)
