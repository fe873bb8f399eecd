"""Examines a gallery: finds what is wrong, says how to fix it, and repairs what is safe to repair."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from steamdino.errors import SnapshotError, SourceError
from steamdino.gallery import Gallery
from steamdino.gallery.layout import KINDS
from steamdino.index.exact import ExactIndex
from steamdino.index.index_registry import AUTO, LEAST_RECALL
from steamdino.index.listed_index import ListedIndex
from steamdino.index.manifest import Manifest
from steamdino.index.neighbour_lists import DEFAULT
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.index.snapshot_removal import remove_leftovers
from steamdino.index.snapshot_selection import newest
from steamdino.installation import library_command
from steamdino.pipeline import altered_pictures
from steamdino.pipeline.altered_pictures import State, altered
from steamdino.pipeline.next_snapshot import write_snapshot
from steamdino.pipeline.picture_store import stored_beside
from steamdino.recipe import Recipe
from steamdino.records import Progress
from steamdino.storage.atomic import sync_folder

SHOWN = 5  # ids in a finding

UNSEEN = "set the credentials and the endpoint of the object storage, or try again later"

ASKED = 1_000
"""Searches by which an index is compared with exact ones."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, or could be better.

    Attributes:
        text: what is wrong.
        remedy: what to do about it.
        fixed: whether it was fixed just now.
        harmless: whether nothing is wrong, and something could be better.
    """

    text: str
    remedy: str
    fixed: bool = False
    harmless: bool = False


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the snapshots have that a repair writes, besides vectors and games."""

    index: str
    neighbours: int


def examine(
    gallery: str | Path,
    *,
    repair: bool = False,
    deep: bool = False,
    index: str = AUTO,
    neighbours: int = DEFAULT,
    progress: Progress | None = None,
) -> list[Finding]:
    """Examine a gallery: the database, the pictures, the vectors, the snapshots.

    A repair never loses data. It writes damaged snapshots again from the stored vectors, drops vectors of the wrong
    length (the next build computes them again), reads pictures again that were replaced, copies pictures again whose
    copy is lost, and marks lost pictures of Steam for the next `sync`. What a killed writer left behind is not damage:
    the next build or prune removes it.

    Args:
        gallery: its folder.
        repair: fix what is safe to fix.
        deep: read every picture and compare its sha256, not just its size and time; and compare `ASKED` searches of
            every index, and `ASKED` lists of neighbours, with exact ones.
        index: the kind of search index of the snapshots that a repair writes, or `index_registry.AUTO`.
        neighbours: how many neighbours of each game the snapshots have that a repair writes.
        progress: called with (pictures done, total).

    Raises:
        GalleryError: it cannot be opened.
    """
    kept = _Kept(index, neighbours)
    if repair:
        with Gallery.write(gallery, "doctor") as opened:
            return list(_findings(opened, repair=True, deep=deep, kept=kept, progress=progress))
    with Gallery.open(gallery) as opened:
        return list(_findings(opened, repair=False, deep=deep, kept=kept, progress=progress))


def _findings(
    gallery: Gallery, *, repair: bool, deep: bool, kept: _Kept, progress: Progress | None
) -> Iterator[Finding]:
    complaints = gallery.complaints()
    if complaints:
        yield Finding(
            f"the database is damaged: {complaints[0]}",
            "restore gallery.sqlite from a backup, or move it away and add the pictures again",
        )
        return  # nothing in it can be relied on
    yield from _pictures(gallery, repair, deep, progress)
    yield from _earlier_pictures(gallery, repair)
    yield from _vectors(gallery, repair)
    for recipe, kind in product(gallery.vectors.recipes(), KINDS):
        yield from _snapshots(gallery, recipe, kind, repair, kept)
        if deep:
            yield from _searches(gallery, recipe, kind)


def _pictures(gallery: Gallery, repair: bool, deep: bool, progress: Progress | None) -> Iterator[Finding]:
    found: defaultdict[tuple[State, bool, bool], list[str]] = defaultdict(list)
    try:
        for one in altered(gallery, deep=deep, progress=progress):
            fixed = repair and altered_pictures.repair(gallery, one)
            found[one.state, one.from_steam, fixed].append(one.banner.game_id)
    except SourceError as error:  # what cannot be seen is not lost
        yield Finding(f"pictures cannot be checked: {error}", UNSEEN)
    for (state, from_steam, fixed), game_ids in found.items():
        text = "are missing" if state is State.MISSING else "are not what they were"
        yield Finding(
            f"{len(game_ids):,} pictures {text}: {_some(game_ids)}",
            _REMEDIES[state, from_steam] if not (repair and from_steam) else "run: steam-dino sync",
            fixed=fixed,
        )


_REMEDIES = {
    (State.MISSING, False): "put them back, or add their source again; searches by id still work",
    (State.CHANGED, False): "add their source again or run with --repair, then build",
    (State.MISSING, True): "run: steam-dino sync",
    (State.CHANGED, True): "run with --repair, then: steam-dino sync",
}
"""By what is wrong and whether the pictures came from Steam."""


def _earlier_pictures(gallery: Gallery, repair: bool) -> Iterator[Finding]:
    """Pictures of earlier banners are named by their content, and nobody else writes them."""
    kept = gallery.history.kept()
    try:
        stored = stored_beside(place.address for place in kept if place.path is None)
    except SourceError as error:
        yield Finding(f"pictures of earlier banners cannot be checked: {error}", UNSEEN)
        return
    missing = [
        place
        for place in sorted(kept, key=lambda one: one.address)
        if not (place.path.is_file() if place.path else place.address in stored)
    ]
    if missing:
        if repair:
            with gallery.transaction():
                gallery.history.lose(missing)
        yield Finding(
            f"{len(missing):,} pictures of earlier banners are missing",
            "put them back from a backup, or run with --repair: their changes are then shown without them",
            fixed=repair,
        )


def _vectors(gallery: Gallery, repair: bool) -> Iterator[Finding]:
    damaged = gallery.vectors.damaged()
    if damaged:
        if repair:
            with gallery.transaction():
                gallery.vectors.drop(damaged)
        yield Finding(
            f"{len(damaged):,} stored vectors have the wrong length",
            "run: steam-dino build" if repair else "drop them with --repair, then run: steam-dino build",
            fixed=repair,
        )

    if unused := gallery.vectors.unused():
        yield Finding(
            f"{unused:,} stored vectors belong to pictures that no game shows",
            "nothing is wrong; to free their space, run: steam-dino prune",
            harmless=True,
        )


def _snapshots(gallery: Gallery, recipe: Recipe, kind: str, repair: bool, kept: _Kept) -> Iterator[Finding]:
    folder = gallery.snapshots_of(recipe.hash, kind)
    numbers = sorted(int(child.name) for child in folder.glob("[0-9]*") if child.name.isdigit())
    damaged = [(number, fault) for number in numbers if (fault := _fault(folder / str(number)))]
    if not damaged:
        return
    if repair:
        write_snapshot(gallery, recipe, kind=kind, anew=True, index=kept.index, neighbours=kept.neighbours)
        for number, _ in damaged:
            # Readers no longer choose it, since a higher number exists. It is renamed before it is removed, so that
            # nobody opens half of it.
            if (folder / str(number)).exists():
                (folder / str(number)).rename(folder / f"new-{number}")
        sync_folder(folder)
        remove_leftovers(folder)
    for number, fault in damaged:
        yield Finding(
            f"snapshot {number} of {recipe.name} is damaged: {fault}",
            "write it again from the stored vectors with --repair",
            fixed=repair,
        )


def _searches(gallery: Gallery, recipe: Recipe, kind: str) -> Iterator[Finding]:
    """Compare the newest snapshot's index and lists of neighbours with exact searches, unless it is damaged."""
    folder = newest(gallery.snapshots_of(recipe.hash, kind))
    if folder is None or _fault(folder):
        return
    reader = SnapshotReader(folder)
    if reader.without:
        yield Finding(
            f"the search index of {recipe.name} needs {reader.without}, so all games are compared",
            f"for faster searches, run: {library_command(reader.without)}",
            harmless=True,
        )
    elif reader.index.name != ExactIndex.name:
        recall = reader.index.recall(asked=ASKED)
        enough = recall >= LEAST_RECALL
        yield Finding(
            f"the search index of {recipe.name} finds {100 * recall:.2f} % of the ten nearest neighbours"
            f" ({min(ASKED, len(reader.index)):,} searches)",
            "nothing is wrong" if enough else "run: steam-dino build --rebuild --index exact",
            harmless=enough,
        )
    if isinstance(reader.index, ListedIndex) and (wrong := reader.index.wrong_lists(ASKED)):
        yield Finding(
            f"of {min(ASKED, len(reader.index)):,} stored lists of neighbours of {recipe.name}, {wrong:,} differ from"
            " exact searches",
            "run: steam-dino build --rebuild",
        )


def _fault(folder: Path) -> str | None:
    try:
        manifest = Manifest.read(folder)
        for name in manifest.files:
            if not manifest.describes(name, folder):
                return f"{name} is not what was written"
        reader = SnapshotReader(folder)  # opens its index, too
        if reader.vectors.shape != (manifest.games, manifest.recipe.dim):
            return f"vectors.npy has the shape {reader.vectors.shape}"
    except OSError as error:
        return f"{Path(str(error.filename)).name} cannot be read: {error.strerror}"
    except SnapshotError as error:
        return str(error)
    return None


def _some(game_ids: list[str]) -> str:
    return ", ".join(game_ids[:SHOWN]) + (", ..." if len(game_ids) > SHOWN else "")
