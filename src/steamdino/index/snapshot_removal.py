"""Removes old snapshots, and what killed writers left behind."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from steamdino.index.neighbour_writer import remove_work
from steamdino.storage.atomic import sync_folder

PREFIX = "new-"
"""What the name of a snapshot begins with that is being written or removed."""

KEPT = 2
"""Snapshots of a recipe to keep: the newest, and the one before it for readers that have just chosen that."""


def prune(folder: Path, kept: int = KEPT) -> None:
    """Remove all but the newest snapshots of a recipe. What a reader holds open on Windows is removed next time."""
    numbers = sorted((int(child.name) for child in folder.iterdir() if child.name.isdigit()), reverse=True)
    for number in numbers[kept:]:
        with suppress(OSError):
            # Renamed first, so that no reader chooses a snapshot that is half removed.
            doomed = (folder / str(number)).rename(folder / f"{PREFIX}{number}")
            sync_folder(folder)
            shutil.rmtree(doomed)


def remove_all(folder: Path) -> None:
    """Remove a recipe's folder with all its snapshots. Readers that have one open keep it."""
    prune(folder, kept=0)
    remove_leftovers(folder)
    remove_work(folder)
    with suppress(OSError):  # a reader holds a file open on Windows, or somebody else put one there
        folder.rmdir()


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed writer left in a recipe's folder. Only the process that may write there may call this."""
    for leftover in folder.glob(f"{PREFIX}*"):
        shutil.rmtree(leftover, ignore_errors=True)
