"""Removes games and sources, and frees the disk space of what nothing uses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from steamdino.errors import UsageError
from steamdino.gallery import Gallery
from steamdino.gallery.layout import BANNERS, KINDS
from steamdino.index.snapshot_removal import prune as prune_snapshots
from steamdino.index.snapshot_removal import remove_all, remove_leftovers
from steamdino.recipe import Recipe
from steamdino.storage.location import LocalFile


@dataclass(frozen=True, slots=True)
class PruneSummary:
    """What `prune` deleted.

    Attributes:
        games: number of missing games, deleted on request.
        changes: number of recorded changes that were forgotten on request.
        vectors: number of vectors of pictures that no game shows or is known to have shown, and of the recipes that
            were named.
        copies: number of pictures in the gallery's own folder that no game used.
        freed: bytes on disk.
    """

    games: int
    changes: int
    vectors: int
    copies: int
    freed: int


def remove(gallery: str | Path, game_ids: Iterable[str] = (), *, source: str | None = None) -> int:
    """Delete games, or a whole source with all its games, from a gallery; pictures outside it are never touched.

    All or nothing: an unknown id or name changes nothing. A game from Steam that is removed by its id stays removed
    until `sync` is called with its appID; a source that is removed comes back when it is added or synced again. What
    was recorded of a game's changes is deleted with it.

    Args:
        gallery: its folder.
        game_ids: the games' ids.
        source: a source's name.

    Returns:
        the number of deleted games.

    Raises:
        UsageError: an id or the source does not exist, or neither was given.
    """
    ids = list(dict.fromkeys(game_ids))
    if not ids and source is None:
        raise UsageError("nothing to remove; name ids, or a source with --source")
    with Gallery.write(gallery, "remove") as opened, opened.transaction():
        removed = 0
        appids = [int(key) for key in opened.games.from_stores(ids)]
        if source is not None:
            found = opened.games.remove_source(source)
            if found is None:
                known = ", ".join(s.name for s in opened.report().sources) or "none"
                raise UsageError(f"there is no source {source!r}; there are: {known}")
            kind, count = found
            if kind == "store":
                opened.steam_apps.clear()
            removed += count
        opened.steam_apps.remove(appids)
        if unknown := opened.games.remove(ids):
            raise UsageError(
                f"there is no game {unknown[0]!r}; nothing was removed. To find an id, run: steam-dino similar NAME"
            )
        return removed + len(ids)


def prune(
    gallery: str | Path,
    *,
    gone: bool = False,
    recipes: Iterable[str] = (),
    forget_before: str | None = None,
) -> PruneSummary:
    """Delete what nothing uses: vectors and copies of pictures that no game shows, old snapshots, leftovers of kills.

    Vectors of earlier banners, and their pictures where they are kept, are used by the record of changes.

    Args:
        gallery: its folder.
        gone: also delete the games that their sources no longer have, with what was recorded of them.
        recipes: names or hashes of recipes to delete, too, with their vectors and snapshots.
        forget_before: also delete the recorded changes before this day in UTC, YYYY-MM-DD.

    Raises:
        UsageError: no recipe has a given name, or several have it; nothing is deleted.
    """
    with Gallery.write(gallery, "prune") as opened:
        doomed = _named(opened.vectors.recipes(), list(recipes))
        before = sum(opened.report().sizes.values())
        # Snapshots first: if killed here, the same command still knows the recipe and continues.
        for recipe, kind in product(doomed, KINDS):
            if (folder := opened.snapshots_of(recipe.hash, kind)).is_dir():
                remove_all(folder)
        with opened.transaction():
            games = opened.games.remove_gone() if gone else 0
            changes = opened.history.forget(forget_before) if forget_before else 0
            vectors = sum(map(opened.vectors.drop_recipe, doomed))
            vectors += opened.vectors.drop_unused()
        # Copies are deleted only after the rows that named them are.
        used = opened.banners.copies() | opened.history.kept()
        files = [path for path in (opened.root / BANNERS).glob("*/*") if path.is_file()]
        unused = [path for path in files if LocalFile(path) not in used]
        for path in unused:
            path.unlink()
        for folder in opened.snapshots.glob("*/"):
            remove_leftovers(folder)
            prune_snapshots(folder, kept=1)
        opened.compact()
        after = sum(opened.report().sizes.values())
        return PruneSummary(games, changes, vectors, len(unused), before - after)


def _named(known: list[Recipe], names: list[str]) -> list[Recipe]:
    """The recipes that names or hashes mean, each once."""
    found: dict[str, Recipe] = {}
    for name in names:
        fitting = [recipe for recipe in known if name in (recipe.name, recipe.hash)]
        if not fitting:
            there = ", ".join(f"{recipe.name} ({recipe.hash})" for recipe in known) or "none"
            raise UsageError(f"there is no recipe {name!r}; there are: {there}")
        if len(fitting) > 1:
            hashes = ", ".join(recipe.hash for recipe in fitting)
            raise UsageError(
                f"{len(fitting)} recipes are called {name!r}, oldest first: {hashes}; name one by its hash (`info` says"
                " which one answers)"
            )
        found[fitting[0].hash] = fitting[0]
    return list(found.values())
