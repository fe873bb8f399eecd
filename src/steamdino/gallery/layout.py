"""The layout of a gallery's folder, and how paths in it are stored so that the folder can be moved.

::

    gallery/
      gallery.sqlite    sources, games, banners and earlier ones, problems, recipes, vectors
      banners/          copied pictures: <first two hex digits>/<sha256>.<suffix>
      snapshots/        <recipe's hash>/<n>/: what searches read; <recipe's hash>.<kind>/ for other kinds of banner
      writer.lock       held by the one process that may write
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from steamdino.errors import NoGalleryError, UsageError
from steamdino.storage.location import LocalFile, Location, is_address, of_address
from steamdino.wellformed import content_path

DATABASE = "gallery.sqlite"
BANNERS = "banners"
SNAPSHOTS = "snapshots"
LOCK = "writer.lock"


VERTICAL = "vertical"
KINDS = (VERTICAL, "header", "hero")
"""Kinds of banner that a game may have."""


def check_kind(kind: str) -> None:
    """Raise an error for a kind of banner that does not exist.

    Raises:
        UsageError: it does not exist.
    """
    if kind not in KINDS:
        raise UsageError(f"there is no kind of banner {kind!r}; there are: {', '.join(KINDS)}")


def no_gallery(root: Path) -> NoGalleryError:
    """Return the error for a path that is not a gallery."""
    if root.is_file():
        return NoGalleryError(
            f"{root} is a file, not the folder of a gallery; search a packed snapshot with: steam-dino similar QUERY"
            f" --snapshot {root}"
        )
    return NoGalleryError(f"there is no gallery in {root}; make one with: steam-dino add PICTURES -g {root}")


def snapshots_of(root: Path, recipe_hash: str, kind: str = VERTICAL) -> Path:
    """Return the folder of a recipe's snapshots for a kind of banner."""
    return root / SNAPSHOTS / (recipe_hash if kind == VERTICAL else f"{recipe_hash}.{kind}")


def copy_path(sha256: str, suffix: str) -> PurePosixPath:
    """Return a copied picture's path in the gallery: named by its content, so copying twice is harmless."""
    return BANNERS / content_path(sha256, suffix.lower())


def absolute(path: Path) -> Path:
    """Return an absolute path without ".."; keep its links, since the user may mean the link.

    Links are followed up to the last ".." only, because ".." is the parent of a link's target.
    """
    parts = path.absolute().parts
    if ".." not in parts:
        return Path(*parts)
    rest = len(parts) - parts[::-1].index("..")
    return Path(os.path.realpath(Path(*parts[:rest])), *parts[rest:])


def owner_of(path: Path) -> Path | None:
    """Return the gallery that holds a file or folder among its copies or snapshots; None if none does."""
    for parent in path.parents:
        if path.relative_to(parent).parts[0] in (BANNERS, SNAPSHOTS) and (parent / DATABASE).is_file():
            return parent
    return None


def base(root: Path, written: Iterable[str]) -> Path:
    """Return the folder to which the paths stored in the gallery at `root` are relative.

    This is the gallery's own folder, also when a link elsewhere leads to it. If the gallery was moved away from its
    pictures and a link was left in its place, it is the link's folder.

    Args:
        root: the absolute path that the gallery was opened by.
        written: some paths that `portable` wrote.
    """
    if not root.is_symlink():
        return root
    real = Path(os.path.realpath(root))
    beside = [one for one in written if one.startswith("..")]
    for folder in (real, root):
        if any(located(one, str(folder)).exists() for one in beside):
            return folder
    return real


def portable(path: Path, root: Path) -> str:
    """Return a path as it is stored: relative to the gallery if it is beside or below it, else absolute; with slashes.

    Files beside a gallery are likely to move together with it (a project's folder, a memory stick). Files beside a link
    to a gallery are not: seen from the gallery itself, ".." leads elsewhere.
    """
    path, root = absolute(path), absolute(root)
    if path.is_relative_to(root if root.is_symlink() else root.parent):
        return Path(os.path.relpath(path, root)).as_posix()
    return path.as_posix()


def stored(location: Location, root: Path) -> str:
    """Return a picture's location as it is stored: a path as `portable` writes it, or an address."""
    return location.address if location.path is None else portable(location.path, root)


def source_location(written: str, root: Path) -> Path | str:
    """Where a source is, as `portable` wrote it down: an absolute path, or an address of object storage."""
    return written if is_address(written) else located(written, str(root))


def located(written: str, root: str) -> Path:
    """Return the absolute path for one that `portable` wrote. It works on strings, since it runs for every match."""
    return Path(os.path.normpath(os.path.join(root, written)))  # noqa: PTH118


def location(written: str, root: str) -> Location:
    """Where a picture of a gallery is stored.

    Args:
        written: a path that `portable` wrote down, an address of a scheme in `storage.location.SCHEMES`, or one of a
            picture on a web server, of which the gallery has a copy.
        root: the gallery's folder, absolute.
    """
    if written.startswith("https://"):
        from steamdino.net.web_picture import WebPicture  # searches never come here

        return WebPicture(written)
    return of_address(written) or LocalFile(located(written, root))
