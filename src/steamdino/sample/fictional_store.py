"""The fictional store: its games as ground truth, and its banners and catalogue on disk."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

from steamdino.sample.files import banner_bytes
from steamdino.sample.game import FictionalGame
from steamdino.sample.truth import jobs
from steamdino.storage.atomic import make_folder, replacing, sync_tree

CATALOGUE = "catalogue.csv"
COLUMNS = ("id", "name", "path", "theme", "franchise", "developer", "year", "tags", "duplicate_of", "defect")


def fictional_games() -> tuple[FictionalGame, ...]:
    """Return every game of the store in the catalogue's order, without drawing; always the same."""
    return tuple(job.game for job in jobs())


def draw_store(
    folder: Path, *, progress: Callable[[int, int], None] | None = None
) -> tuple[FictionalGame, ...]:
    """Draw every banner under `folder`/banners and writes `folder`/catalogue.csv; return the games.

    The catalogue is UTF-8 with the columns id, name, path, theme, franchise, developer, year, tags (joined
    with ";"), duplicate_of and defect; a path is relative to `folder`, and empty for a game without a banner.
    Files that exist are overwritten; the catalogue comes last, in one step, when they are on disk. `progress` is called
    with (done, total) after each game. Raises OSError when `folder` cannot be written to.
    """
    work = jobs()
    for done, job in enumerate(work, start=1):
        if job.game.file:
            path = folder / job.game.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(banner_bytes(job))
        if progress is not None:
            progress(done, len(work))
    make_folder(folder)
    sync_tree(folder)
    games = fictional_games()
    _write_catalogue(folder, games)
    return games


def _write_catalogue(folder: Path, games: tuple[FictionalGame, ...]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for game in games:
        writer.writerow(
            (
                game.id,
                game.name,
                game.file,
                game.theme,
                game.franchise,
                game.developer,
                game.year,
                ";".join(game.tags),
                game.duplicate_of,
                game.defect,
            )
        )
    # A reader sees the old catalogue or the whole new one, never half of it.
    with replacing(folder / CATALOGUE) as file:
        file.write(text.getvalue().encode())
