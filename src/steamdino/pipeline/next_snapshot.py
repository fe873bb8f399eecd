"""Writes a gallery's next snapshot."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from steamdino.gallery import Gallery
from steamdino.gallery.layout import VERTICAL
from steamdino.index.index_registry import AUTO
from steamdino.index.neighbour_lists import DEFAULT
from steamdino.index.snapshot_writer import write
from steamdino.recipe import Recipe
from steamdino.records import Progress


def write_snapshot(
    gallery: Gallery,
    recipe: Recipe,
    *,
    kind: str = VERTICAL,
    anew: bool,
    index: str = AUTO,
    neighbours: int = DEFAULT,
    progress: Progress | None = None,
) -> Path:
    """Write the next snapshot of a recipe that is stored in the gallery.

    Args:
        gallery: open for writing.
        recipe: one that `Vectors.put_recipe` has stored.
        kind: of banner.
        anew: reuse nothing of the newest one (it may be damaged).
        index: the kind of search index, or `index_registry.AUTO`.
        neighbours: how many neighbours of each game to store; 0 for none.
        progress: called with (done, games whose neighbours are searched).

    Returns:
        the new snapshot's folder.
    """
    key = gallery.vectors.put_recipe(recipe)
    return write(
        gallery.snapshots_of(recipe.hash, kind),
        recipe,
        gallery.games.revision,
        gallery.vectors.rows(key, kind),
        gallery.vectors.absent(key, kind),
        partial(gallery.vectors.read, key),
        gallery.vectors.precisions(key),
        whitening=gallery.vectors.whitening(key),
        anew=anew,
        kind=kind,
        index=index,
        neighbours=neighbours,
        progress=progress,
    )
