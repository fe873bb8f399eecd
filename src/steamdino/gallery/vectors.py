"""Recipes, the vectors made under them, and the rows of which a snapshot is made."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from steamdino.appids import store_page_of
from steamdino.errors import GalleryError
from steamdino.gallery import layout, vector_dtype
from steamdino.gallery.clock import now
from steamdino.gallery.vector_dtype import VectorDtype
from steamdino.recipe import Recipe
from steamdino.storage.location import Location

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PAGE = 1000
"""Pictures that are read from the database at a time."""

_PENDING = (
    "FROM banners JOIN games USING (game_id) WHERE gone_at IS NULL AND banners.kind = ?"
    " AND NOT EXISTS (SELECT 1 FROM vectors WHERE recipe_id = ? AND vectors.sha256 = banners.sha256)"
    " AND NOT EXISTS (SELECT 1 FROM problems WHERE problems.sha256 = banners.sha256)"
)
# The pictures without a vector. Two lists in order are merged, which reads less than looking up each picture.
_LACKING = (
    "(SELECT sha256 FROM banners INDEXED BY banners_by_content WHERE kind = :kind"
    " EXCEPT SELECT sha256 FROM vectors WHERE recipe_id = :recipe ORDER BY 1)"
)
_ROWS = (
    "FROM games JOIN banners USING (game_id) JOIN sources USING (source_id)"  # noqa: S608
    " WHERE gone_at IS NULL AND banners.kind = :kind"
    "  AND NOT EXISTS (SELECT 1 FROM exclusions WHERE exclusions.game_id = games.game_id)"
    f"  AND banners.sha256 NOT IN {_LACKING}"
)
_UNUSED = (
    "sha256 NOT IN (SELECT sha256 FROM banners)"
    " AND sha256 NOT IN (SELECT old_sha256 FROM banner_changes WHERE old_sha256 IS NOT NULL)"
)


@dataclass(frozen=True, slots=True)
class Pending:
    """A picture that has no vector yet.

    Attributes:
        sha256: its content.
        locations: where it is stored; the places hold the same content.
        game_ids: the games that show it.
    """

    sha256: str
    locations: tuple[Location, ...]
    game_ids: tuple[str, ...]


class Row(NamedTuple):
    """One game of a snapshot, as it is written there (its picture's path as `layout.portable` wrote it)."""

    id: str
    name: str
    source: str
    url: str | None
    picture: str
    sha256: str
    columns: str


@dataclass(frozen=True, slots=True)
class Absent:
    """A game that cannot be in a snapshot, and why."""

    id: str
    name: str
    reason: str


class Vectors:
    """The encoder's side of the database. Every method that writes must be called inside `Gallery.transaction`."""

    def __init__(self, connection: sqlite3.Connection, root: Path) -> None:
        self._db = connection
        self._root = root

    def recipe_key(self, recipe: Recipe) -> int | None:
        """The recipe's key in this gallery; None if nothing was ever encoded under it."""
        row = self._db.execute("SELECT recipe_id FROM recipes WHERE hash = ?", (recipe.hash,)).fetchone()
        return None if row is None else int(row[0])

    def put_recipe(self, recipe: Recipe, whitening: bytes | None = None) -> int:
        """Finds or stores the recipe, with the whitening's file if one was learned; returns its key."""
        self._db.execute(
            "INSERT INTO recipes (hash, name, json, whitening, created_at, dtype) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (hash) DO UPDATE SET name = excluded.name",
            (recipe.hash, recipe.name, recipe.json, whitening, now(), vector_dtype.NEW.name),
        )
        key = self.recipe_key(recipe)
        if key is None:
            raise GalleryError(f"the recipe {recipe.name} could not be stored")
        return key

    def whitening(self, key: int) -> bytes | None:
        """The file of the whitening that was learned here for a recipe; None if it has none of that kind."""
        found = self._db.execute("SELECT whitening FROM recipes WHERE recipe_id = ?", (key,)).fetchone()
        return None if found is None else found[0]

    def recipes(self) -> list[Recipe]:
        """All recipes that this gallery has vectors for, oldest first."""
        rows = self._db.execute("SELECT json, name FROM recipes ORDER BY recipe_id")
        return [Recipe.from_json(text, name) for text, name in rows]

    def pending(self, key: int | None, kind: str = "vertical") -> Iterator[Pending]:
        """The pictures of a kind of present games that have no vector under a recipe and were not found undecodable.

        Ordered by sha256, so that a run that was killed and continued does the rest in the same order. Vectors and
        problems may be stored while this is read: it is read in pages, and no picture comes twice.
        """
        last = ""
        while page := self._db.execute(
            f"SELECT sha256, json_group_array(path), json_group_array(game_id) {_PENDING} AND sha256 > ?"
            " GROUP BY sha256 ORDER BY sha256 LIMIT ?",
            (kind, key if key is not None else -1, last, PAGE),
        ).fetchall():
            for sha256, paths, game_ids in page:
                yield Pending(
                    sha256,
                    tuple(layout.location(path, str(self._root)) for path in json.loads(paths)),
                    tuple(json.loads(game_ids)),
                )
            last = page[-1][0]

    def count_pending(self, key: int | None, kind: str = "vertical") -> int:
        """Count what `pending` yields."""
        sql = (
            "SELECT count(DISTINCT sha256) FROM banners JOIN games USING (game_id) WHERE gone_at IS NULL"  # noqa: S608
            f" AND kind = :kind AND sha256 IN {_LACKING}"
            " AND NOT EXISTS (SELECT 1 FROM problems WHERE problems.sha256 = banners.sha256)"
        )
        return int(
            self._db.execute(sql, {"kind": kind, "recipe": key if key is not None else -1}).fetchone()[0]
        )

    def put(self, key: int, precision: str, sha256s: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Store vectors in the recipe's kind of number.

        Args:
            key: of the recipe.
            precision: the inference precision that they were made in.
            sha256s: of the pictures.
            vectors: float32, shape (len(sha256s), dim), rows of length 1.
        """
        stored = self._dtype(key).to_bytes(vectors)
        self._db.executemany(
            "INSERT OR REPLACE INTO vectors (sha256, recipe_id, precision, vector) VALUES (?, ?, ?, ?)",
            [(sha256, key, precision, row) for sha256, row in zip(sha256s, stored, strict=True)],
        )

    def lacking(self, key: int, base: int) -> Iterator[tuple[str, str, NDArray[np.float32]]]:
        """The vectors that are stored under the recipe `base` and not yet under the recipe `key`.

        Vectors may be stored while this is read.

        Yields:
            (sha256, inference precision, vector), by sha256; the vector is float32, shape (dim,).
        """
        dtype = self._dtype(base)
        last = ""
        while page := self._db.execute(
            "SELECT sha256, precision, vector FROM vectors AS known WHERE recipe_id = ? AND sha256 > ? AND NOT EXISTS"
            " (SELECT 1 FROM vectors WHERE recipe_id = ? AND sha256 = known.sha256) ORDER BY sha256 LIMIT ?",
            (base, last, key, PAGE),
        ).fetchall():
            for sha256, precision, vector in page:
                yield sha256, precision, dtype.from_bytes(vector)
            last = page[-1][0]

    def rows(self, key: int, kind: str = "vertical") -> Iterator[Row]:
        """What a snapshot of a recipe and a kind of banner shows, by id, however it came about."""
        rows = self._db.execute(
            f"SELECT game_id, games.name, sources.name, steam, path, sha256, columns {_ROWS} ORDER BY game_id",
            {"kind": kind, "recipe": key},
        )
        for game_id, name, source, steam, path, sha256, columns in rows:
            url = store_page_of(game_id, steam=bool(steam))
            yield Row(game_id, name, source, url, path, sha256, columns)

    def shown(self, key: int, kind: str = "vertical") -> Iterator[str]:
        """The different pictures in `rows`, by sha256."""
        for (sha256,) in self._db.execute(
            f"SELECT DISTINCT sha256 {_ROWS} ORDER BY sha256", {"kind": kind, "recipe": key}
        ):
            yield sha256

    def count_shown(self, key: int, kind: str = "vertical") -> int:
        """Count what `shown` yields."""
        return int(
            self._db.execute(
                f"SELECT count(DISTINCT sha256) {_ROWS}", {"kind": kind, "recipe": key}
            ).fetchone()[0]
        )

    def absent(self, key: int, kind: str = "vertical") -> Iterator[Absent]:
        """The games that are not in `rows`, each with the reason."""
        rows = self._db.execute(
            "SELECT games.game_id, games.name, gone_at, exclusions.reason, banners.path, coalesce("  # noqa: S608
            "  (SELECT reason FROM problems WHERE problems.game_id = games.game_id LIMIT 1),"
            "  (SELECT reason FROM problems WHERE problems.sha256 = banners.sha256 LIMIT 1))"
            " FROM games LEFT JOIN banners ON banners.game_id = games.game_id AND banners.kind = :kind"
            " LEFT JOIN exclusions ON exclusions.game_id = games.game_id"
            " WHERE gone_at IS NOT NULL OR exclusions.reason IS NOT NULL OR banners.sha256 IS NULL"
            f"  OR banners.sha256 IN {_LACKING}"
            " ORDER BY games.game_id",
            {"kind": kind, "recipe": key},
        )
        for game_id, name, gone, excluded, path, reason in rows:
            yield Absent(game_id, name, _why(gone, excluded, path, reason))

    def read(self, key: int, sha256s: Iterable[str]) -> Iterator[NDArray[np.float32]]:
        """The stored vectors of pictures, in the given order: float32, shape (dim,)."""
        remaining = iter(sha256s)
        while page := list(islice(remaining, PAGE)):
            found = self.stored(key, page)
            for sha256 in page:
                if sha256 not in found:
                    raise GalleryError(
                        f"the vector of the picture {sha256} is missing; run the same command again"
                    )
                yield found[sha256]

    def _dtype(self, key: int) -> VectorDtype:
        """The kind of number that a recipe's vectors are stored in."""
        (name,) = self._db.execute("SELECT dtype FROM recipes WHERE recipe_id = ?", (key,)).fetchone()
        return vector_dtype.dtype_named(name)

    def drop_recipe(self, recipe: Recipe) -> int:
        """Deletes a recipe with its vectors and its whitening; returns how many vectors there were."""
        key = self.recipe_key(recipe)
        count = self._db.execute("SELECT count(*) FROM vectors WHERE recipe_id = ?", (key,)).fetchone()[0]
        self._db.execute("DELETE FROM recipes WHERE recipe_id = ?", (key,))
        return int(count)

    def stored(self, key: int, sha256s: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """The vectors of those of the given pictures that have one, by sha256: float32, shape (dim,)."""
        dtype = self._dtype(key)
        rows = self._db.execute(
            "SELECT sha256, vector FROM vectors WHERE recipe_id = ? AND sha256 IN (SELECT value FROM json_each(?))",
            (key, json.dumps(list(sha256s))),
        )
        return {sha256: dtype.from_bytes(vector) for sha256, vector in rows}

    def drop_unused(self) -> int:
        """Deletes the vectors of pictures that no game shows or is known to have shown; returns how many they were."""
        return self._db.execute(f"DELETE FROM vectors WHERE {_UNUSED}").rowcount  # noqa: S608

    def damaged(self) -> list[tuple[int, str]]:
        """The vectors that do not have their recipe's length: (recipe's key, sha256)."""
        found: list[tuple[int, str]] = []
        for key, dim in self._db.execute(
            "SELECT recipe_id, json_extract(json, '$.dim') FROM recipes"
        ).fetchall():
            found += self._db.execute(
                "SELECT recipe_id, sha256 FROM vectors WHERE recipe_id = ? AND length(vector) != ?",
                (key, self._dtype(key).size(dim)),
            )
        return found

    def unused(self) -> int:
        """How many vectors belong to pictures that no game shows or is known to have shown."""
        sql = f"SELECT count(*) FROM vectors WHERE {_UNUSED}"  # noqa: S608
        return int(self._db.execute(sql).fetchone()[0])

    def drop(self, vectors: Iterable[tuple[int, str]]) -> None:
        """Deletes vectors, given as (recipe's key, sha256); the next build makes them again."""
        self._db.executemany("DELETE FROM vectors WHERE recipe_id = ? AND sha256 = ?", list(vectors))

    def precisions(self, key: int) -> dict[str, int]:
        """How many vectors of a recipe were made in each inference precision."""
        return dict(
            self._db.execute(
                "SELECT precision, count(*) FROM vectors WHERE recipe_id = ? GROUP BY precision", (key,)
            )
        )


def _why(gone: Any, excluded: Any, path: Any, reason: str | None) -> str:
    if gone:
        return f"it was no longer found when its source was last added ({gone})"
    if excluded:
        return f"it is excluded ({excluded}); steam-dino check --restore takes it back"
    if reason:
        return reason
    return "it has no banner" if path is None else "its banner is not encoded yet; run: steam-dino build"
