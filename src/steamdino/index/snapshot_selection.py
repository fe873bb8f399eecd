"""Chooses among the snapshots of a gallery, and opens one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from steamdino.errors import NoSnapshotError, SnapshotError
from steamdino.gallery import layout
from steamdino.index import name_index
from steamdino.index.manifest import GAMES, MANIFEST, Manifest
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.recipe import Recipe

_TRIES = 50
"""A snapshot may be pruned between being chosen and being opened. Then there is a newer one to choose."""


def newest(folder: Path) -> Path | None:
    """Find the newest snapshot in a recipe's folder; None if there is none."""
    numbers = (
        [int(child.name) for child in folder.iterdir() if child.name.isdigit()] if folder.is_dir() else []
    )
    return folder / str(max(numbers)) if numbers else None


def open_newest(
    path: Path,
    recipe: str | None = None,
    *,
    kind: str = layout.VERTICAL,
    accept: Callable[[Recipe], bool] = lambda _: True,
    exact: bool = False,
) -> SnapshotReader:
    """Open the newest snapshot of a gallery, or the snapshot in a folder.

    Args:
        path: a gallery's folder, or one snapshot's.
        recipe: the name or hash of a recipe; None for the one that was built last.
        kind: of banner. It does not matter for a snapshot's folder.
        accept: decides which recipes are preferred if `recipe` is None: of those that it accepts, the one that was
            built last is opened. If it accepts none, the one that was built last of all is.
        exact: compare all rows, whatever index and lists of neighbours the snapshot has.

    Raises:
        UsageError: there is no such kind of banner.
        SnapshotError: there is none, or it is damaged.
    """
    for _ in range(_TRIES):
        folder = path if (path / MANIFEST).is_file() else _choose(path, recipe, kind, accept)
        try:
            return SnapshotReader(folder, exact=exact)
        except (FileNotFoundError, sqlite3.OperationalError) as error:
            missing = error
    raise SnapshotError(f"the snapshot {folder} lacks a file ({missing}); run: steam-dino build --rebuild")


def newest_of_each(gallery: Path, kind: str = layout.VERTICAL) -> dict[Path, Manifest]:
    """Find the newest snapshot of each recipe of a gallery for a kind of banner: its folder and its manifest."""
    latest: dict[Path, Manifest] = {}
    for folder in sorted(gallery.joinpath(layout.SNAPSHOTS).glob("*/")):
        for _ in range(_TRIES):
            candidate = newest(folder)
            if candidate is None:
                break
            try:
                latest[candidate] = Manifest.read(candidate)
                break
            except FileNotFoundError:  # pruned this very moment
                continue
    return {folder: manifest for folder, manifest in latest.items() if manifest.kind == kind}


def newest_by_name(gallery: Path, kind: str = layout.VERTICAL) -> dict[str, tuple[Path, Manifest]]:
    """Find the snapshot that is current for each recipe name: its folder and its manifest.

    Several recipes may share a name, since upgrading a model's weights makes a new recipe. The one that was built last
    is current and supersedes the others. The first entry was built last of all; it is the default if no recipe is
    named. Every choice among the snapshots of a gallery is made with this function.
    """
    return _by_name(newest_of_each(gallery, kind))


def has_current_names(snapshot: Path) -> bool:
    """Return whether names can be found in a snapshot as this program does it. Older programs wrote other tables."""
    try:
        with closing(sqlite3.connect(f"{(snapshot / GAMES).absolute().as_uri()}?mode=ro", uri=True)) as db:
            return name_index.is_current(db)
    except sqlite3.DatabaseError:  # missing or damaged
        return False


def _by_name(latest: dict[Path, Manifest]) -> dict[str, tuple[Path, Manifest]]:
    found: dict[str, tuple[Path, Manifest]] = {}
    for folder, manifest in sorted(latest.items(), key=lambda one: (one[1].created_at, one[0]), reverse=True):
        found.setdefault(manifest.recipe.name, (folder, manifest))
    return found


def _choose(gallery: Path, recipe: str | None, kind: str, accept: Callable[[Recipe], bool]) -> Path:
    layout.check_kind(kind)
    latest = newest_of_each(gallery, kind)
    if not latest:
        if (gallery / layout.DATABASE).is_file():
            raise NoSnapshotError(
                f"the gallery {gallery} has no snapshot yet; run: steam-dino build -g {gallery}"
                if kind == layout.VERTICAL
                else f"the gallery {gallery} has no snapshot of {kind} banners yet;"
                f" run: steam-dino build -g {gallery} --kind {kind}"
            )
        raise NoSnapshotError(
            f"there is no gallery in {gallery}; make one with: steam-dino add PICTURES -g {gallery}"
        )
    current = _by_name(latest)
    if recipe is not None:
        by_hash = [folder for folder, manifest in latest.items() if manifest.recipe.hash == recipe]
        fitting = [current[recipe][0]] if recipe in current else by_hash
        if not fitting:
            built = ", ".join(sorted(current))
            raise NoSnapshotError(f"no snapshot under the recipe {recipe!r} in {gallery}; built are: {built}")
        return fitting[0]
    return next(
        (folder for folder, manifest in current.values() if accept(manifest.recipe)),
        next(iter(current.values()))[0],
    )
