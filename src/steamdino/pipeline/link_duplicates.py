"""Replaces files by hard links to the identical file that is kept."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from steamdino.pipeline.removable_files import RemovableFile, Skipped
from steamdino.storage.atomic import sync_folder
from steamdino.storage.moved_files import file_sha256

LINK = ".steam-dino-link"
"""Ends the name of a link that has not replaced its file yet."""


def linkable_files(files: Iterable[RemovableFile]) -> tuple[list[RemovableFile], list[Skipped]]:
    """Divide files into those that a hard link can replace, and the others."""
    can, skipped = [], []
    for one in files:
        reason = ""
        if not one.is_identical or one.kept is None:
            reason = "the picture to keep is not a file with the same bytes"
        elif one.kept.is_symlink():
            reason = "the picture to keep is a link"
        elif one.path.stat().st_dev != one.kept.stat().st_dev:
            reason = "the picture to keep is on another file system"
        if reason:
            skipped.append(Skipped(one.game_id, str(one.path), reason))
        else:
            can.append(one)
    return can, skipped


def link_file(one: RemovableFile) -> str:
    """Replace a file by a hard link to the one that is kept. Whenever this is cut off, both names have the content.

    Returns:
        why it was not replaced; empty if it was.
    """
    if one.kept is None or not file_sha256(one.path) == file_sha256(one.kept) == one.sha256:
        return "it has changed since it was added"
    link = one.path.with_name(one.path.name + LINK)
    try:
        link.unlink(missing_ok=True)  # of a run that was cut off
        if one.path.samefile(one.kept):  # a name that replaces another one of the same file would stay itself
            return ""
        os.link(one.kept, link)
        link.replace(one.path)
        sync_folder(one.path.parent)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def saved_bytes(files: Iterable[RemovableFile]) -> int:
    """Return how many bytes files take."""
    return sum(_size(one.path) for one in files)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
