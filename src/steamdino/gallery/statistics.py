"""Counts of what a gallery holds: the figures behind `steam-dino info`."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from steamdino.gallery import layout


@dataclass(frozen=True, slots=True)
class SourceStatistics:
    """One source: how many games it has, how many have a banner or are missing, and how many could not be used.

    A store's location is its address.
    """

    name: str
    kind: str
    location: Path | str
    steam: bool
    games: int
    banners: int
    gone: int
    problems: int
    scanned_at: str | None


@dataclass(frozen=True, slots=True)
class RecipeStatistics:
    """One recipe: its vectors by precision, and how many present banners have no vector yet.

    `size` is the disk space that the recipe takes: bytes of its stored vectors and of its snapshots.
    """

    name: str
    hash: str
    model: str
    dim: int
    vectors: dict[str, int]
    pending: int
    size: int


@dataclass(frozen=True, slots=True)
class GalleryStatistics:
    """Counts for the whole gallery.

    Attributes:
        revision: the catalogue's revision; a snapshot made at another one is stale.
        sizes: bytes on disk of the database, the copied banners and the snapshots.
    """

    root: Path
    revision: int
    sources: tuple[SourceStatistics, ...]
    recipes: tuple[RecipeStatistics, ...]
    sizes: dict[str, int]


def report(connection: sqlite3.Connection, root: Path) -> GalleryStatistics:
    """Count what the gallery at `root` holds."""
    sources = connection.execute(
        "SELECT name, kind, location, steam,"
        " (SELECT count(*) FROM games g WHERE g.source_id = s.source_id AND gone_at IS NULL),"
        " (SELECT count(*) FROM games g JOIN banners USING (game_id)"
        "   WHERE g.source_id = s.source_id AND gone_at IS NULL AND banners.kind = 'vertical'),"
        " (SELECT count(*) FROM games g WHERE g.source_id = s.source_id AND gone_at IS NOT NULL),"
        " (SELECT count(*) FROM problems p WHERE p.source_id = s.source_id), scanned_at"
        " FROM sources s ORDER BY source_id"
    )
    recipes = connection.execute(
        "SELECT recipe_id, name, hash, json_extract(json, '$.model'), json_extract(json, '$.dim'),"
        " (SELECT count(DISTINCT sha256) FROM banners JOIN games USING (game_id) WHERE gone_at IS NULL"
        "   AND banners.kind = 'vertical'"
        "   AND NOT EXISTS (SELECT 1 FROM vectors v WHERE v.recipe_id = r.recipe_id AND v.sha256 = banners.sha256)"
        "   AND NOT EXISTS (SELECT 1 FROM problems p WHERE p.sha256 = banners.sha256))"
        " FROM recipes r ORDER BY recipe_id"
    ).fetchall()
    return GalleryStatistics(
        root=root,
        revision=connection.execute("SELECT revision FROM catalogue").fetchone()[0],
        sources=tuple(
            SourceStatistics(
                name,
                kind,
                place if kind == "store" else layout.source_location(place, root),
                bool(steam),
                *rest,
            )
            for name, kind, place, steam, *rest in sources
        ),
        recipes=tuple(
            RecipeStatistics(
                name,
                hash_,
                model,
                dim,
                dict(
                    connection.execute(
                        "SELECT precision, count(*) FROM vectors WHERE recipe_id = ? GROUP BY precision",
                        (key,),
                    )
                ),
                pending,
                stored_size(connection, key) + snapshots_size(root, hash_),
            )
            for key, name, hash_, model, dim, pending in recipes
        ),
        sizes={
            "database": sum(_size(path) for path in root.glob(f"{layout.DATABASE}*")),
            "copied banners": _size(root / layout.BANNERS),
            "snapshots": _size(root / layout.SNAPSHOTS),
        },
    )


def stored_size(connection: sqlite3.Connection, recipe_key: int) -> int:
    """Return the bytes of a recipe's vectors in the database."""
    # All have the length of the first one, and reading all would take seconds in a large gallery.
    sql = (
        "SELECT count(*) * coalesce("
        " (SELECT length(vector) + length(sha256) FROM vectors WHERE recipe_id = :recipe LIMIT 1), 0)"
        " FROM vectors WHERE recipe_id = :recipe"
    )
    return int(connection.execute(sql, {"recipe": recipe_key}).fetchone()[0])


def snapshots_size(root: Path, recipe_hash: str) -> int:
    """Return the bytes of a recipe's snapshots for all kinds of banner; vectors that two of them share count once."""
    files: dict[tuple[int, int], int] = {}
    for kind in layout.KINDS:
        for path in layout.snapshots_of(root, recipe_hash, kind).glob("*/*"):
            with suppress(FileNotFoundError):  # a snapshot may be swapped at this moment
                status = path.lstat()
                files[status.st_dev, status.st_ino] = status.st_size
    return sum(files.values())


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(_size(child) for child in path.iterdir())
    try:
        return path.lstat().st_size
    except FileNotFoundError:  # a snapshot may be swapped at this moment
        return 0
