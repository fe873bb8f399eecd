"""A snapshot: an immutable folder that answers searches, written beside the old one and swapped in by a rename.

::

    snapshots/<recipe's hash>/<n>/
      manifest.json   format, recipe, revision, the files' sizes and sha256
      vectors.npy     float32, (games, dim), rows of length 1, ordered by id
      games.sqlite    games (row, id, name, ...), absent (games without a vector, with the reason), trigrams

      whitening.npz   only where one was learned on the gallery: pictures that are asked about need it

The highest number is the one to read. Readers open files and keep them open, so that a snapshot that is pruned
meanwhile still serves them.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import NoSnapshotError, SnapshotError
from steamdino.gallery import layout
from steamdino.index import facets, names
from steamdino.index.distribution import Distribution
from steamdino.recipe import Recipe
from steamdino.records import Filter, Game
from steamdino.storage.location import Location
from steamdino.wellformed import is_sha256, names_a_path, shown

FORMAT = 1
MANIFEST, VECTORS, GAMES = "manifest.json", "vectors.npy", "games.sqlite"
WHITENING = "whitening.npz"

UNKNOWN_REASON = "its picture could not be read"
"""In the place of a reason that names a path of the machine on which an older program built the snapshot."""
_PAGE = 1000
"""Rows that are read at a time where all are wanted."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot says of itself.

    Attributes:
        recipe: whose space its vectors live in.
        revision: of the gallery's catalogue when it was made.
        content: sha256 over the rows' sha256s; equal contents share one vectors file.
        games: how many rows.
        created_at: ISO 8601, UTC, with microseconds.
        precisions: how many vectors were made in each.
        files: name -> {"bytes": ..., "sha256": ...}.
        similarity: how its cosines are distributed; None where there is no pair, or if an older program wrote it.
        kind: of banner.
    """

    recipe: Recipe
    revision: int
    content: str
    games: int
    created_at: str
    precisions: dict[str, int]
    files: dict[str, dict[str, Any]]
    similarity: Distribution | None = None
    kind: str = layout.VERTICAL

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Reads a snapshot's manifest.

        Raises:
            FileNotFoundError: there is none.
            SnapshotError: it is damaged, or of a newer format.
        """
        path = folder / MANIFEST
        try:
            record = json.loads(path.read_text("utf-8"))
            if record["format"] > FORMAT:
                raise SnapshotError(
                    f"{path}: its format is {record['format']}; upgrade steam-dino to read it"
                )
            recipe, similarity = record["recipe"], record.get("similarity")
            return cls(
                recipe=Recipe.from_json(json.dumps(recipe["identity"]), recipe["name"]),
                similarity=Distribution.from_record(similarity) if similarity else None,
                kind=record.get("kind", layout.VERTICAL),
                **{key: record[key] for key in cls.__slots__ if key not in ("recipe", "similarity", "kind")},
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SnapshotError(
                f"{path} is damaged ({error}); build the snapshot again with: steam-dino build"
            ) from None

    def write(self, folder: Path) -> None:
        """Writes it into a folder."""
        record: dict[str, Any] = {key: getattr(self, key) for key in self.__slots__}
        record["similarity"] = self.similarity.record if self.similarity else None
        record["recipe"] = {
            "name": self.recipe.name,
            "hash": self.recipe.hash,
            "identity": json.loads(self.recipe.json),
        }
        text = json.dumps({"format": FORMAT, **record}, indent=2, ensure_ascii=False)
        (folder / MANIFEST).write_text(text + "\n", "utf-8")


class SnapshotReader:
    """An open snapshot. Threads may share it.

    Its one connection to SQLite stays open, since the files may be pruned meanwhile, and serves one thread at a time.
    (Two threads that begin the same statement at the same moment could otherwise get each other's rows: Python keeps
    prepared statements, and lets go of its own lock between filling one in and running it.)

    Attributes:
        folder: where it lies.
        manifest: what it says of itself.
        vectors: float32, shape (games, dim), unit rows; mapped, not read.
    """

    def __init__(self, folder: Path) -> None:
        """Opens a snapshot's folder.

        Raises:
            FileNotFoundError: it was pruned meanwhile.
            SnapshotError: it is damaged.
        """
        self.folder = folder
        self.manifest = Manifest.read(folder)
        for name, facts in self.manifest.files.items():
            size = (folder / name).stat().st_size
            if size != facts["bytes"]:
                raise SnapshotError(
                    f"{folder / name} has {size:,} bytes and should have {facts['bytes']:,};"
                    " build the snapshot again with: steam-dino build --rebuild"
                )
        try:
            vectors = np.load(folder / VECTORS, mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            raise SnapshotError(
                f"{folder / VECTORS} is damaged ({error}); run: steam-dino build --rebuild"
            ) from None
        # A plain view: each operation on a memmap pays for its subclass.
        self.vectors: NDArray[np.float32] = vectors.view(np.ndarray)
        address = f"{(folder / GAMES).absolute().as_uri()}?mode=ro&immutable=1"
        self._db = sqlite3.connect(address, uri=True, check_same_thread=False)
        self._using = threading.Lock()
        gallery = layout.absolute(folder).parents[2]  # if it still lies in one
        if gallery.is_symlink():
            beside = "SELECT picture FROM games WHERE picture GLOB '../*' LIMIT 1"
            gallery = layout.base(gallery, [place for (place,) in self._query(beside)])
        self._root = str(gallery)

    @property
    def whitening(self) -> Path | None:
        """The file of the whitening that was learned on the gallery; None if the recipe has none of that kind."""
        return self.folder / WHITENING if WHITENING in self.manifest.files else None

    @cached_property
    def ids(self) -> list[str]:
        """The id of each row."""
        return [key for (key,) in self._query("SELECT id FROM games ORDER BY row")]

    @cached_property
    def sha256s(self) -> list[str]:
        """Of each row's picture.

        Raises:
            SnapshotError: one of them is none.
        """
        return [self._checked(content) for (content,) in self._query("SELECT sha256 FROM games ORDER BY row")]

    def row(self, game_id: str) -> int | None:
        """The row of an id; None if it has none."""
        found = self._query("SELECT row FROM games WHERE id = ?", game_id)
        return int(found[0][0]) if found else None

    def games(self, rows: list[int]) -> list[Game]:
        """The games of rows, in their order.

        Raises:
            SnapshotError: the sha256 of a picture is none; files are named by it.
        """
        found = {
            row: Game(
                game_id,
                name,
                source,
                url,
                location.path if (location := self._location(picture)) else None,
                self._checked(sha256),
                _read(columns),
                location,
            )
            for row, game_id, name, source, url, picture, sha256, columns in self._query(
                # One parameter however many rows there are: SQLite allows 32,766 of them.
                "SELECT row, id, name, source, url, picture, sha256, columns FROM games"
                " WHERE row IN (SELECT value FROM json_each(?))",
                json.dumps(rows),
            )
        }
        return [found[row] for row in rows]

    def every_row(self) -> Iterator[dict[str, Any]]:
        """What is known of each row, without its picture's place: id, name, source, url, sha256, columns (JSON)."""
        for start in range(0, self.manifest.games, _PAGE):
            for game_id, name, source, url, sha256, columns in self._query(
                "SELECT id, name, source, url, sha256, columns FROM games WHERE row >= ? ORDER BY row LIMIT ?",
                start,
                _PAGE,
            ):
                yield {
                    "id": game_id,
                    "name": name,
                    "source": source,
                    "url": url,
                    "sha256": sha256,
                    "columns": columns,
                }

    def every_absent(self) -> Iterator[dict[str, Any]]:
        """Each game that has no vector, and why."""
        for game_id, name, reason in self._query("SELECT id, name, reason FROM absent ORDER BY id"):
            yield {"id": game_id, "name": name, "reason": reason_without_path(reason)}

    def allowed(self, wanted: Filter) -> NDArray[np.bool_] | None:
        """The rows that a filter lets through: bool, shape (games,); None for all of them.

        Raises:
            SnapshotError: the snapshot is of an older program, which noted nothing to filter by.
        """
        with self._using:
            return facets.allowed(self._db, wanted, self.manifest.games)

    def undated(self, wanted: Filter) -> int:
        """How many games a filter leaves out only because no date of release could be read. After `allowed`."""
        with self._using:
            return facets.undated(self._db, wanted, self.manifest.games)

    @property
    def dated(self) -> int | None:
        """How many games have a date of release that could be read; None if an older program built the snapshot."""
        with self._using:
            return facets.dated(self._db)

    def tags(self) -> list[str]:
        """The tags that games have, the most frequent first, lower case."""
        return list(self._tags)

    @cached_property
    def _tags(self) -> list[str]:
        with self._using:
            return facets.tags(self._db)

    def absent(self, text: str) -> tuple[str, str] | None:
        """Name and reason of a game that is known and has no vector, by its id or name; None if there is none."""
        found: list[tuple[str, str]] = self._query(
            "SELECT name, reason FROM absent WHERE id = ? OR folded = ? ORDER BY id != ? LIMIT 1",
            text,
            names.fold(text),
            text,
        )
        return (found[0][0], reason_without_path(found[0][1])) if found else None

    def named(self, query: str, limit: int = 10) -> list[int]:
        """The rows whose names fit what was typed, best first."""
        with self._using:
            return names.find(self._db, query, limit)

    def suggested(self, query: str, limit: int = 10) -> list[int]:
        """The rows whose names fit what is being typed, best first."""
        with self._using:
            return names.suggest(self._db, query, limit)

    def named_exactly(self, query: str, limit: int = 10) -> list[int]:
        """The rows whose name is what was typed."""
        with self._using:
            return names.find_exact(self._db, query, limit)

    def _query(self, sql: str, *parameters: object) -> list[Any]:
        with self._using:
            return self._db.execute(sql, parameters).fetchall()

    def _location(self, written: str | None) -> Location | None:
        return layout.location(written, self._root) if written else None

    def _checked(self, sha256: str) -> str:
        if not is_sha256(sha256):
            raise SnapshotError(
                f"{self.folder / GAMES} is damaged: {shown(sha256)} is not a sha256; build the snapshot again with:"
                " steam-dino build --rebuild"
            )
        return sha256


def reason_without_path(reason: str) -> str:
    """Why a game has no vector, without a word about the machine that it was found out on."""
    return UNKNOWN_REASON if names_a_path(reason) else reason


def newest(folder: Path) -> Path | None:
    """The newest snapshot in a recipe's folder; None if there is none."""
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
) -> SnapshotReader:
    """Opens a snapshot's folder, or the newest snapshot of a gallery.

    Args:
        path: a gallery or one snapshot.
        recipe: the name or hash of a recipe; None for the one built last.
        kind: of banner, of a gallery.
        accept: which recipes may answer; where none is accepted, the one built last does.

    Raises:
        SnapshotError: there is none, or it is damaged.
    """
    # Between being chosen and being opened a snapshot may be pruned; then there is a newer one.
    for _ in range(_TRIES):
        folder = path if (path / MANIFEST).is_file() else _choose(path, recipe, kind, accept)
        try:
            return SnapshotReader(folder)
        except (FileNotFoundError, sqlite3.OperationalError) as error:
            missing = error
    raise SnapshotError(f"the snapshot {folder} lacks a file ({missing}); run: steam-dino build --rebuild")


_TRIES = 50


def newest_of_each(gallery: Path, kind: str = layout.VERTICAL) -> dict[Path, Manifest]:
    """The newest snapshot of each recipe of a gallery, for a kind of banner: its folder and its manifest."""
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


def answering(gallery: Path, kind: str = layout.VERTICAL) -> dict[str, tuple[Path, Manifest]]:
    """The snapshot that answers for each recipe's name: its folder and its manifest.

    Several recipes may have one name, since an upgrade of the model's weights makes another recipe of it: the one
    that was built last answers, and the others are superseded. The first of the dict is the one that answers where no
    recipe is named: it was built last of all. Whoever chooses a snapshot of a gallery asks here.
    """
    return _answering(newest_of_each(gallery, kind))


def _answering(latest: dict[Path, Manifest]) -> dict[str, tuple[Path, Manifest]]:
    found: dict[str, tuple[Path, Manifest]] = {}
    for folder, manifest in sorted(latest.items(), key=lambda one: (one[1].created_at, one[0]), reverse=True):
        found.setdefault(manifest.recipe.name, (folder, manifest))
    return found


def _choose(gallery: Path, recipe: str | None, kind: str, accept: Callable[[Recipe], bool]) -> Path:
    latest = newest_of_each(gallery, kind)
    if not latest:
        if (gallery / layout.DATABASE).is_file():
            raise NoSnapshotError(
                f"the gallery {gallery} has no snapshot yet; run: steam-dino build -g {gallery}"
                + ("" if kind == layout.VERTICAL else f" --kind {kind}")
            )
        raise NoSnapshotError(
            f"there is no gallery in {gallery}; make one with: steam-dino add PICTURES -g {gallery}"
        )
    answers = _answering(latest)
    if recipe is not None:
        by_hash = [folder for folder, manifest in latest.items() if manifest.recipe.hash == recipe]
        fitting = [answers[recipe][0]] if recipe in answers else by_hash
        if not fitting:
            built = ", ".join(sorted(answers))
            raise NoSnapshotError(f"no snapshot under the recipe {recipe!r} in {gallery}; built are: {built}")
        return fitting[0]
    return next(
        (folder for folder, manifest in answers.values() if accept(manifest.recipe)),
        next(iter(answers.values()))[0],
    )


def _read(columns: str) -> dict[str, Any]:
    """A game's columns; most have none, and each match asks."""
    return {} if columns == "{}" else json.loads(columns)
