"""Games and sources leave, and what nobody uses gives its disk space back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from steamdino.errors import UsageError
from steamdino.gallery import Gallery
from steamdino.gallery.layout import BANNERS, KINDS
from steamdino.index.writer import prune as prune_snapshots
from steamdino.index.writer import remove_all, remove_leftovers
from steamdino.recipe import Recipe


@dataclass(frozen=True, slots=True)
class PruneSummary:
    """What a pruning came to.

    Attributes:
        games: that had gone, deleted because it was asked for.
        vectors: of pictures that no game shows, and of the recipes that were named.
        copies: pictures in the gallery's own folder that no game uses.
        freed: bytes on disk.
    """

    games: int
    vectors: int
    copies: int
    freed: int


def remove(gallery: str | Path, game_ids: Iterable[str] = (), *, source: str | None = None) -> int:
    """Deletes games, or a whole source with all its games, from a gallery; pictures outside it are never touched.

    All or nothing: an unknown id or name changes nothing. A game of Steam that is removed by its id stays away until
    `sync` is asked for it by its appID; a source that is removed comes back when it is added or synced again.

    Args:
        gallery: its folder.
        game_ids: the games' ids.
        source: a source's name.

    Returns:
        how many games were deleted.

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
                opened.steam.clear()
            removed += count
        opened.steam.remove(appids)
        if unknown := opened.games.remove(ids):
            raise UsageError(
                f"there is no game {unknown[0]!r}; nothing was removed. Ids are shown by: similar"
            )
        return removed + len(ids)


def prune(gallery: str | Path, *, gone: bool = False, recipes: Iterable[str] = ()) -> PruneSummary:
    """Deletes what nobody uses: vectors and copies of pictures that no game shows, old snapshots, leftovers of kills.

    Args:
        gallery: its folder.
        gone: delete also the games that their sources no longer have.
        recipes: names or hashes of recipes to delete as well, with their vectors and snapshots.

    Raises:
        UsageError: there is no recipe of a name, or several that only their hashes tell apart; nothing is deleted.
    """
    with Gallery.write(gallery, "prune") as opened:
        doomed = _named(opened.vectors.recipes(), list(recipes))
        before = sum(opened.report().sizes.values())
        # Snapshots first: killed here, the same command still knows the recipe and goes on.
        for recipe, kind in product(doomed, KINDS):
            if (folder := opened.snapshots_of(recipe.hash, kind)).is_dir():
                remove_all(folder)
        with opened.transaction():
            games = opened.games.remove_gone() if gone else 0
            vectors = sum(map(opened.vectors.drop_recipe, doomed))
            vectors += opened.vectors.drop_unused()
        # Copies go only after the rows that named them are gone for good.
        used = opened.games.copies()
        files = [path for path in (opened.root / BANNERS).glob("*/*") if path.is_file()]
        unused = [path for path in files if path not in used]
        for path in unused:
            path.unlink()
        for folder in opened.snapshots.glob("*/"):
            remove_leftovers(folder)
            prune_snapshots(folder, kept=1)
        opened.compact()
        after = sum(opened.report().sizes.values())
        return PruneSummary(games, vectors, len(unused), before - after)


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
