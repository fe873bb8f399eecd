"""Writes snapshots into a temporary folder and moves them into place by one rename."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from steamdino.gallery.layout import VERTICAL
from steamdino.gallery.vectors import Absent, Row
from steamdino.index import index_registry
from steamdino.index.games_writer import write_games
from steamdino.index.manifest import GAMES, VECTORS, WHITENING, Manifest, facts_of
from steamdino.index.neighbour_writer import remove_work, write_neighbours
from steamdino.index.older_snapshot import OlderSnapshot
from steamdino.index.similarity_distribution import Distribution, distribution
from steamdino.index.snapshot_removal import PREFIX, prune, remove_leftovers
from steamdino.index.snapshot_selection import newest
from steamdino.index.snapshot_vectors import VectorsOf, write_vectors
from steamdino.recipe import Recipe
from steamdino.records import Progress
from steamdino.storage.atomic import make_folder, new_folder, replace_folder


def write(
    folder: Path,
    recipe: Recipe,
    revision: int,
    rows: Iterable[Row],
    absent: Iterable[Absent],
    vectors: Iterable[NDArray[np.float32]] | VectorsOf,
    precisions: dict[str, int],
    *,
    kind: str = VERTICAL,
    whitening: bytes | None = None,
    anew: bool = False,
    index: str = index_registry.AUTO,
    neighbours: int = 0,
    progress: Progress | None = None,
) -> Path:
    """Write the next snapshot into a recipe's folder and remove the oldest ones.

    If the newest snapshot has the same pictures in the same rows, its vectors are reused through a hard link. Otherwise
    those of the games that it has with the same pictures are copied from it. Games and vectors are consumed one by one.

    Args:
        folder: of all snapshots of the recipe. Only one process at a time may write to it.
        recipe: the recipe under which the vectors were computed.
        revision: of the gallery's catalogue.
        rows: the games, rising by id, in the order of the vectors.
        absent: games without a vector.
        vectors: float32, shape (dim,), one for each row; or a function that reads those of given pictures, which is
            asked only for what the newest snapshot does not have.
        precisions: how many vectors were computed in each inference precision.
        kind: of banner.
        whitening: content of the whitening file, if the recipe names one that is not a file of the model.
        anew: reuse nothing of the newest snapshot, which may be damaged.
        index: the kind of search index to build, or `index_registry.AUTO`.
        neighbours: how many neighbours of each game to store; 0 for none.
        progress: called with (done, games whose neighbours are searched).

    Returns:
        the new snapshot's folder.

    Raises:
        GalleryError: a vector is missing or has the wrong length, or the index cannot be built.
    """
    with Draft(folder, anew=anew) as draft:
        draft.write_games(rows, absent)
        similarity = None
        if draft.older is not None and _reuse_vectors(draft.older, draft):
            similarity = draft.older.manifest.similarity
        else:
            with closing(sqlite3.connect(draft.folder / GAMES)) as db:
                write_vectors(draft.folder / VECTORS, db, vectors, recipe.dim, draft.older)
        if whitening is not None:
            (draft.folder / WHITENING).write_bytes(whitening)
        target = draft.commit(
            recipe,
            revision=revision,
            precisions=precisions,
            kind=kind,
            similarity=similarity,
            index=index,
            neighbours=neighbours,
            progress=progress,
        )
    prune(folder)
    return target


class Draft:
    """A snapshot that is being written, in a temporary folder beside the older ones.

    A context manager. The caller writes `VECTORS` and, if there is one, `WHITENING` into `folder`, calls `write_games`,
    and then `commit`, which renames the folder into place. Without `commit` nothing is left behind. Games are consumed
    one by one, so memory does not grow with their number.

    Attributes:
        folder: the temporary folder.
        older: the newest snapshot beside it, whose parts may be reused; None if there is none, or its manifest is
            damaged, or nothing shall be reused.
    """

    def __init__(self, home: Path, *, durable: bool = True, anew: bool = False) -> None:
        """Prepare a draft.

        Args:
            home: the folder of all snapshots of the recipe. Only one process at a time may write to it.
            durable: whether the snapshot must survive a power cut.
            anew: reuse nothing of the newest snapshot, which may be damaged.
        """
        self._home = home
        self._durable = durable
        self._anew = anew

    def __enter__(self) -> Self:
        make_folder(self._home) if self._durable else self._home.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self._home)
        self._newest = newest(self._home)
        self.older = None if self._anew else OlderSnapshot.of(self._newest)
        self.folder = new_folder(self._home, PREFIX)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)  # no longer there after `commit`

    def write_games(self, rows: Iterable[Row], absent: Iterable[Absent]) -> None:
        """Write the games in the order of the vectors, and the games without a vector.

        Those that the older snapshot has just so are copied from it.
        """
        write_games(self.folder / GAMES, rows, absent, self.older)

    @cached_property
    def content(self) -> str:
        """The sha256 of the games' sha256s, joined by line breaks. The games must be written."""
        digest = hashlib.sha256()
        with closing(sqlite3.connect(self.folder / GAMES)) as db:
            for number, sha256 in enumerate(_sha256s(db)):
                digest.update(f"\n{sha256}".encode() if number else sha256.encode())
        return digest.hexdigest()

    def commit(
        self,
        recipe: Recipe,
        *,
        revision: int,
        precisions: dict[str, int],
        kind: str = VERTICAL,
        similarity: Distribution | None = None,
        created_at: str | None = None,
        index: str = index_registry.AUTO,
        neighbours: int = 0,
        progress: Progress | None = None,
    ) -> Path:
        """Build the search index and the lists of neighbours, write the manifest and rename the folder into place.

        An interrupt or a kill while neighbours are searched keeps those that were found for the next draft of the same
        vectors, in a folder beside the snapshots.

        Args:
            recipe: the recipe under which the vectors were computed.
            revision: of the gallery's catalogue.
            precisions: how many vectors were computed in each inference precision.
            kind: of banner.
            similarity: the distribution of the cosines; None to compute it.
            created_at: ISO 8601, UTC; None for now.
            index: the kind of search index to build, or `index_registry.AUTO`.
            neighbours: how many neighbours of each game to store; 0 for none.
            progress: called with (done, games whose neighbours are searched).

        Returns:
            the snapshot's folder.

        Raises:
            GalleryError: the index cannot be built.
        """
        vectors = np.load(self.folder / VECTORS, mmap_mode="r").view(np.ndarray)
        if similarity is None:
            with closing(sqlite3.connect(self.folder / GAMES)) as db:
                similarity = distribution(vectors, _sha256s(db))
        games = len(vectors)
        more_files: tuple[str, ...] = ()
        # Neither needs the other, and each has parts that take one core.
        with ThreadPoolExecutor(1) as threads:
            indexing = threads.submit(_write_index, index, vectors, self.folder)
            files = {VECTORS: facts_of(self.folder / VECTORS)}
            if neighbours:
                more_files += write_neighbours(
                    self.folder,
                    vectors,
                    str(files[VECTORS]["sha256"]),
                    neighbours,
                    home=self._home,
                    older=self.older,
                    progress=partial(_report, indexing, progress),
                )
            name, recall, index_files = indexing.result()
        more_files += index_files
        del vectors, indexing  # Windows renames no folder with an open file in it
        files |= {
            name: facts_of(self.folder / name)
            for name in (GAMES, WHITENING, *more_files)
            if (self.folder / name).is_file()
        }
        Manifest(
            recipe=recipe,
            revision=revision,
            content=self.content,
            games=games,
            created_at=created_at or datetime.now(UTC).isoformat(timespec="microseconds"),
            precisions=precisions,
            files=files,
            similarity=similarity,
            kind=kind,
            index=name,
            recall=recall,
            neighbours=neighbours,
        ).write(self.folder)
        target = self._home / str(1 if self._newest is None else int(self._newest.name) + 1)
        if self._durable:
            replace_folder(self.folder, target)
        else:
            self.folder.rename(target)
        remove_work(self._home)
        return target


def _write_index(
    kind: str, vectors: NDArray[np.float32], folder: Path
) -> tuple[str, float | None, tuple[str, ...]]:
    """Build and save a search index; return its kind, its recall and its files."""
    built = index_registry.build(kind, vectors)
    return built.made.name, built.recall, tuple(built.made.save(folder))


def _report(indexing: Future[Any], progress: Progress | None, done: int, total: int) -> None:
    """Report progress, and an index that cannot be built at once, rather than after an hour."""
    if indexing.done():
        indexing.result()
    if progress:
        progress(done, total)


def _reuse_vectors(older: OlderSnapshot, draft: Draft) -> bool:
    source = older.folder / VECTORS
    try:
        as_long = source.stat().st_size == older.manifest.files[VECTORS]["bytes"]
        if older.manifest.content != draft.content or not as_long:
            return False
        os.link(source, draft.folder / VECTORS)
    except (OSError, KeyError):  # no hard links here, or the old snapshot is damaged
        return False
    return True


def _sha256s(db: sqlite3.Connection) -> Iterator[str]:
    return (sha256 for (sha256,) in db.execute("SELECT sha256 FROM games ORDER BY row"))
