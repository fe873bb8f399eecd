"""Moves the files of removable pictures to a folder, and back.

A journal in that folder names each file before it is moved. After a crash, the next run finishes what the journal
names; `move_back` takes it back. The games of moved files count as missing, as if their source had been added again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from steamdino.errors import UsageError
from steamdino.gallery import Gallery
from steamdino.gallery.layout import absolute, owner_of
from steamdino.pipeline.removable_files import RemovableFile
from steamdino.storage.atomic import make_folder, replacing, sync_folder
from steamdino.storage.moved_files import Move, move

JOURNAL = "moved-by-steam-dino.jsonl"
"""Name of the journal, in the folder that the files are moved to."""

Report = Callable[[Move, str], None]
"""Called with each move, and why it was not made; that is empty if it was."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What was done.

    Attributes:
        moved: files that are where they were to be moved to.
        failed: files that were not moved.
        games: games that are missing from the gallery now, or present again.
    """

    moved: int
    failed: int
    games: int


def planned_moves(files: Sequence[RemovableFile], folder: Path) -> list[Move]:
    """Return where files go: as below their source, in a folder of its name if there are several sources.

    Raises:
        UsageError: a file is there already, or two would go to one place; nothing was moved.
    """
    folder = absolute(folder)
    several = len({one.folder for one in files}) > 1
    moves: dict[Path, Move] = {}
    for one in files:
        below = one.path.relative_to(one.folder)
        target = folder / one.source / below if several else folder / below
        if target in moves or target.exists() or target.is_symlink():
            raise UsageError(f"{target} exists already, so nothing was moved; name another folder")
        moves[target] = Move(one.path, target, one.sha256)
    return list(moves.values())


def check_folder(gallery: Gallery, folder: Path) -> None:
    """Check that files may be moved to a folder.

    Raises:
        UsageError: it is a file, a gallery has it, or it lies in a source, whose next `add` would find the files there.
    """
    folder = absolute(folder)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder")
    if owner_of(folder / JOURNAL) or folder.is_relative_to(gallery.root):
        raise UsageError(f"{folder} belongs to the gallery; name a folder elsewhere")
    for source in gallery.games.folders():
        if folder.resolve().is_relative_to(source.resolve()):
            raise UsageError(
                f"{folder} lies in the source {source}, which would be searched for pictures again"
            )


def unfinished(folder: Path) -> list[Move]:
    """Return the moves that a folder's journal names; empty without one.

    Raises:
        UsageError: the journal cannot be read.
    """
    journal = absolute(folder) / JOURNAL
    try:
        lines = journal.read_text("utf-8").splitlines()
        records = [json.loads(line) for line in lines if line]
        return [Move(Path(one["from"]), Path(one["to"]), one["sha256"]) for one in records]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{journal} cannot be read ({error}); nothing was moved") from None


def move_files(gallery: str | Path, moves: Sequence[Move], folder: Path, report: Report) -> Moved:
    """Move files to a folder, and finish what its journal names.

    Args:
        gallery: its folder.
        moves: as `planned_moves` returns them.
        folder: where to.
        report: called with each move.

    Raises:
        UsageError: see `check_folder`.
        GalleryError: the gallery cannot be written to.
    """
    folder = absolute(folder)
    with Gallery.write(gallery, "duplicates") as opened:
        check_folder(opened, folder)
        every = [*unfinished(folder), *moves]
        make_folder(folder)
        _write(folder, every)
        done = _moved(every, report)
        _write(folder, done)
        with opened.transaction():
            games = [key for one in done for key in opened.banners.added_from(one.source)]
            opened.games.mark_gone(games)
    return Moved(len(done), len(every) - len(done), len(games))


def move_back(gallery: str | Path, folder: Path, report: Report) -> Moved:
    """Move all files back that the journal of a folder names, and delete the journal when none is left.

    Takes and raises the same as `move_files`.
    """
    folder = absolute(folder)
    with Gallery.write(gallery, "duplicates") as opened:
        every = unfinished(folder)
        if not every:
            raise UsageError(f"{folder} has no files that were moved there; there is no {JOURNAL} in it")
        done = _moved([one.back for one in every], report)
        with opened.transaction():
            games = [key for one in done for key in opened.banners.added_from(one.target)]
            opened.games.mark_present(games)
        places = {one.target for one in done}
        _write(folder, [one for one in every if one.source not in places])
    return Moved(len(done), len(every) - len(done), len(games))


def _moved(moves: Iterable[Move], report: Report) -> list[Move]:
    done = []
    for one in moves:
        reason = move(one)
        report(one, reason)
        if not reason:
            done.append(one)
    return done


def _write(folder: Path, moves: Sequence[Move]) -> None:
    """Replace a folder's journal, durably; delete it if there is nothing to name."""
    journal = folder / JOURNAL
    if not moves:
        journal.unlink(missing_ok=True)
        sync_folder(folder)
        return
    with replacing(journal) as file:
        for one in moves:
            record = {"from": str(one.source), "to": str(one.target), "sha256": one.sha256}
            file.write(json.dumps(record).encode() + b"\n")
