"""A snapshot's database of games that have names and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from steamdino.gallery.vectors import Row
from steamdino.index.games_writer import write_games


@contextmanager
def named_games(folder: Path, names: Iterable[str]) -> Iterator[sqlite3.Connection]:
    """Open a database of games with these names, whose ids are numbers."""
    path = folder / "games.sqlite"
    listed = [(f"{number:06}", name) for number, name in enumerate(names)]
    write_games(path, (Row(one, name, "made", None, f"{one}.png", one, "{}") for one, name in listed), ())
    with closing(sqlite3.connect(path)) as db:
        yield db
