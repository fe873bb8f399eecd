"""A gallery with a past, which tests would otherwise have to wait for."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from steamdino.pipeline import add, build


def backdate(gallery: Path, days: int) -> None:
    """Pretend that everything that was recorded happened some days earlier."""
    with closing(sqlite3.connect(gallery / "gallery.sqlite")) as db, db:
        for table, column in (
            ("games", "added_at"),
            ("games", "gone_at"),
            ("absences", "gone_at"),
            ("absences", "back_at"),
            ("banner_changes", "at"),
            ("catalogue", "recorded_from"),
        ):
            db.execute(
                f"UPDATE {table} SET {column} = strftime('%Y-%m-%dT%H:%M:%S+00:00', {column}, ?)"
                f" WHERE {column} IS NOT NULL",
                (f"-{days} days",),
            )


def table(folder: Path, ids: str) -> Path:
    """Write a table of games whose names need escaping."""
    path = folder / "games.csv"
    rows = "".join(f"{key},Game <{key}>,{key}.jpg,{'Odd' if key in 'ax' else 'Even'}\n" for key in ids)
    path.write_text("id,name,path,tags\n" + rows, encoding="utf-8")
    return path


_MADE: dict[date, TemporaryDirectory[str]] = {}
"""What `changed_gallery` copies; a night makes it a day older than its tests expect."""


def changed_gallery(folder: Path, paint: Callable[..., Path]) -> Path:
    """Make a gallery in which x is new, a has a new banner, and f left, the day before yesterday.

    The old picture of a is kept. b had another banner on the day before, whose old picture is not.
    """
    today = datetime.now(UTC).date()
    if today not in _MADE:
        made = TemporaryDirectory(prefix="steamdino-history-")
        _change(Path(made.name), paint)
        _MADE[today] = made
    shutil.copytree(_MADE[today].name, folder, dirs_exist_ok=True)
    return folder / "g"


def _change(folder: Path, paint: Callable[..., Path]) -> None:
    covers, gallery = folder / "covers", folder / "g"
    for number, key in enumerate("abcdef"):
        paint(covers / f"{key}.jpg", number)
    add(gallery, table(covers, "abcdef"), copy=True)
    build(gallery)
    backdate(gallery, 30)
    paint(covers / "b.jpg", 66)
    add(gallery, covers / "games.csv")
    build(gallery)
    backdate(gallery, 1)
    paint(covers / "a.jpg", 77)
    paint(covers / "x.jpg", 3, quality=50)
    add(gallery, table(covers, "abcdex"), keep_old=True)
    build(gallery)
    backdate(gallery, 2)
