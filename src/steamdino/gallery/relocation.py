"""Moves a source to where its folder, table, archive or bucket lies now, with the places of its pictures."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from steamdino.errors import UsageError
from steamdino.gallery import layout
from steamdino.gallery.revision import bump
from steamdino.storage.location import is_address

BATCH = 10_000
"""Banners that are in memory at a time."""

_SINGLE = ("table", "archive")
"""Kinds of sources that are one file; the others hold pictures directly."""


def move_source(db: sqlite3.Connection, root: Path, old: str, new: str | Path, kind: str) -> None:
    """Write down that a source has moved. Its games keep their ids, and so all that is known of them.

    Args:
        db: of the gallery.
        root: the gallery's folder, absolute.
        old: where the source was, or its name in the gallery. Nothing needs to be there any more.
        new: where it is: an absolute path, or an address in object storage.
        kind: of what is there: "folder", "table", "archive" or "objects".

    Raises:
        UsageError: there is no such source, it has another kind, or `new` is a source already.
    """
    sources = {
        name: (key, was, layout.source_location(location, root))
        for key, name, was, location in db.execute(
            "SELECT source_id, name, kind, location FROM sources WHERE kind != 'store' ORDER BY source_id"
        )
    }
    place = old.rstrip("/") if is_address(old) else layout.absolute(Path(old))
    name = next((one for one, (_, _, location) in sources.items() if location == place), old)
    if name not in sources:
        known = ", ".join(f"{one} ({location})" for one, (_, _, location) in sources.items()) or "none"
        raise UsageError(f"no source was added from {old}; there are: {known}")
    key, was, before = sources[name]
    if other := next((one for one, (_, _, location) in sources.items() if location == new), None):
        advice = "run: steam-dino add" if other == name else f"first run: steam-dino remove --source {other}"
        raise UsageError(f"{new} is the source {other!r} already; {advice}")
    if kind != was and (kind in _SINGLE or was in _SINGLE):
        raise UsageError(
            f"the source {name!r} is of the kind {was}, and {new} of the kind {kind}; name what moved"
        )
    db.execute(
        "UPDATE sources SET location = ?, kind = ? WHERE source_id = ?",
        (new if isinstance(new, str) else layout.portable(new, root), kind, key),
    )
    # A table names pictures beside it.
    tops = (_parent(before), _parent(new)) if kind == "table" else (before, new)
    _move_banners(db, root, key, *tops)
    bump(db)


def _move_banners(
    db: sqlite3.Connection, root: Path, key: int, before: str | Path, after: str | Path
) -> None:
    last = ("", "")
    while rows := db.execute(
        "SELECT game_id, banners.kind, path, origin FROM banners JOIN games USING (game_id)"
        " WHERE source_id = ? AND (game_id, banners.kind) > (?, ?) ORDER BY game_id, banners.kind LIMIT ?",
        (key, *last, BATCH),
    ).fetchall():
        changes = []
        for game_id, kind, path, origin in rows:
            moved = _moved(origin, before, after, root)
            # A picture that was not copied is where it came from.
            changes.append((moved if path == origin else path, moved, game_id, kind))
        db.executemany("UPDATE banners SET path = ?, origin = ? WHERE game_id = ? AND kind = ?", changes)
        last = rows[-1][:2]


def _moved(written: str, before: str | Path, after: str | Path, root: Path) -> str:
    """The place of a picture that was below one folder or prefix, below another."""
    place = layout.source_location(written, root)
    if isinstance(place, str) or isinstance(before, str):
        inner = str(place).removeprefix(f"{before}/") if str(place).startswith(f"{before}/") else None
    elif place == before:
        inner = ""
    else:
        inner = place.relative_to(before).as_posix() if place.is_relative_to(before) else None
    if inner is None:
        return written
    if isinstance(after, str):
        return f"{after}/{inner}".rstrip("/")
    return layout.portable(after / inner, root)


def _parent(place: str | Path) -> str | Path:
    return place.parent if isinstance(place, Path) else place.rpartition("/")[0]
