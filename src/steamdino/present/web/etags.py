"""ETags: an answer's tag stays the same as long as the answer does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib import resources
from importlib.resources.abc import Traversable

from steamdino import __version__
from steamdino.present.web.redraw import version_of
from steamdino.settings import Settings, WebSettings
from steamdino.settings.values import CURATOR_TOKEN

SUFFIXES = ("py", "jinja", "css", "js", "svg", "toml", "json")
"""Suffixes of the package's files that determine an answer."""
NOT_SHOWN = (
    "host",
    "port",
    "workers",
    "refresh",
    "requests_per_minute",
    "pictures_per_minute",
    "origins",
    "root_path",
    "trusted_proxies",
    CURATOR_TOKEN,
)
"""Settings that change no answer, or only by way of the request, so that servers behind one name agree on ETags. The
secret is one of them: an ETag is public, and whoever knows all else could try tokens against it."""


def mark(
    settings: Settings, web: WebSettings, pictures: Mapping[str, str], package: Traversable | None = None
) -> str:
    """Return a digest of what else determines answers besides the snapshots: program, settings, picture addresses.

    Args:
        settings: the program's settings.
        web: the server's settings.
        pictures: the address of each game's picture that is not on this server.
        package: the program's files; by default those of the running program.
    """
    digest = hashlib.sha256(__version__.encode())
    for name, data in _files(package or resources.files("steamdino"), ""):
        digest.update(f"\0{name}\0{len(data)}\0".encode() + data)
    shown = {
        "precision": settings.inference_precision,
        "web": {name: value for name, value in asdict(web).items() if name not in NOT_SHOWN},
        "pictures": dict(pictures),
        "drawing": version_of(""),  # part of the addresses of banners
    }
    digest.update(json.dumps(shown, sort_keys=True).encode())
    return digest.hexdigest()[:16]


def is_known(tag: str, header: str) -> bool:
    """Return whether an If-None-Match header contains a tag, weak or not (RFC 9110, 13.1.2)."""
    return tag.removeprefix("W/") in [one.strip().removeprefix("W/") for one in header.split(",")]


def _files(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for child in sorted(folder.iterdir(), key=lambda one: one.name):
        place = f"{path}/{child.name}"
        if child.is_dir():
            yield from _files(child, place)
        elif child.name.rpartition(".")[2] in SUFFIXES:
            yield place, child.read_bytes()
