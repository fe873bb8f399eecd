"""ETags: the same as long as an answer is, for whoever has it already."""

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

SUFFIXES = ("py", "jinja", "css", "js", "svg", "toml")
"""Of files of the package that decide what an answer looks like."""


def mark(
    settings: Settings, web: WebSettings, pictures: Mapping[str, str], package: Traversable | None = None
) -> str:
    """Names all that decides an answer besides the snapshots: the program, its settings, addresses of pictures.

    Args:
        settings: of the program.
        web: of the server.
        pictures: the address of each game's picture, where it is not on this server.
        package: the program's files; without it, those that run.
    """
    digest = hashlib.sha256(__version__.encode())
    for name, data in _files(package or resources.files("steamdino"), ""):
        digest.update(f"\0{name}\0{len(data)}\0".encode() + data)
    shown = {
        "precision": settings.inference_precision,
        "web": asdict(web),
        "pictures": dict(pictures),
        "drawing": version_of(""),  # part of the addresses of banners
    }
    digest.update(json.dumps(shown, sort_keys=True).encode())
    return digest.hexdigest()[:16]


def is_known(tag: str, header: str) -> bool:
    """Whether an If-None-Match header names a tag, weak or not (RFC 9110, 13.1.2)."""
    return tag.removeprefix("W/") in [one.strip().removeprefix("W/") for one in header.split(",")]


def _files(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for child in sorted(folder.iterdir(), key=lambda one: one.name):
        place = f"{path}/{child.name}"
        if child.is_dir():
            yield from _files(child, place)
        elif child.name.rpartition(".")[2] in SUFFIXES:
            yield place, child.read_bytes()
