"""What lies where in a gallery's folder, and how a path in it is written down so that the folder can be moved.

::

    gallery/
      gallery.sqlite    sources, games, banners, problems, recipes, vectors
      banners/          copied pictures: <first two hex digits>/<sha256>.<suffix>
      snapshots/        <recipe's hash>/<n>/: what searches read; <recipe's hash>.<kind>/ for other kinds of banner
      writer.lock       held by the one process that may write
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from steamdino.wellformed import content_path

DATABASE = "gallery.sqlite"
BANNERS = "banners"
SNAPSHOTS = "snapshots"
LOCK = "writer.lock"


VERTICAL = "vertical"
KINDS = (VERTICAL, "header", "hero")
"""Kinds of banner that a game may have."""


def snapshots_of(root: Path, recipe_hash: str, kind: str = VERTICAL) -> Path:
    """The folder of a recipe's snapshots for a kind of banner."""
    return root / SNAPSHOTS / (recipe_hash if kind == VERTICAL else f"{recipe_hash}.{kind}")


def copy_path(sha256: str, suffix: str) -> PurePosixPath:
    """Where a copied picture lies, relative to the gallery: named by its content, so copying twice is harmless."""
    return BANNERS / content_path(sha256, suffix.lower())


def absolute(path: Path) -> Path:
    """The path from the root, without "..", its links as they are: a link may be what the user means.

    Links are followed up to the last ".." only, since that is the parent of what a link leads to.
    """
    parts = path.absolute().parts
    if ".." not in parts:
        return Path(*parts)
    rest = len(parts) - parts[::-1].index("..")
    return Path(os.path.realpath(Path(*parts[:rest])), *parts[rest:])


def portable(path: Path, root: Path) -> str:
    """Writes a path down: relative to the gallery if it lies beside or below it, else absolute; with slashes.

    What lies beside a gallery is likely to move together with it (a project's folder, a memory stick). What lies beside
    a link to a gallery does not: from the gallery itself, ".." leads elsewhere.
    """
    path, root = absolute(path), absolute(root)
    if path.is_relative_to(root if root.is_symlink() else root.parent):
        return Path(os.path.relpath(path, root)).as_posix()
    return path.as_posix()


def located(written: str, root: str) -> Path:
    """The absolute path of what `portable` wrote down; `root` is absolute. Strings, since each match asks for it."""
    return Path(os.path.normpath(os.path.join(root, written)))  # noqa: PTH118
