"""Moves files without overwriting any, so that a move that was cut off can be finished or taken back."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from steamdino.storage.atomic import make_folder, sync_file, sync_folder

PART = ".steam-dino-part"
"""Ends the name of a copy that is not complete."""

_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
"""Error codes for a link to another file system, or on one that has no hard links."""


@dataclass(frozen=True, slots=True)
class Move:
    """A file and where it goes.

    Attributes:
        source, target: absolute paths.
        sha256: of the file's content.
    """

    source: Path
    target: Path
    sha256: str

    @property
    def back(self) -> Move:
        """The move that takes this one back."""
        return Move(self.target, self.source, self.sha256)


def file_sha256(path: Path) -> str | None:
    """Return a file's SHA-256; None if there is none, or it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def move(one: Move) -> str:
    """Move a file, or finish moving it. Whenever this is cut off, the file is at its source, its target or both.

    Returns:
        why it was not moved; empty if it was, now or before.
    """
    source, target = one.source, one.target
    if not os.path.lexists(source):
        return "" if file_sha256(target) == one.sha256 else "it is not there any more"
    if source.is_symlink() or file_sha256(source) != one.sha256:
        return "it has changed since it was added"
    if os.path.lexists(target) and file_sha256(target) != one.sha256:
        return f"{target} exists already"
    try:
        make_folder(target.parent)
        if not os.path.lexists(target):
            _link_or_copy(source, target, one.sha256)
        sync_folder(target.parent)
        source.unlink()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _link_or_copy(source: Path, target: Path, sha256: str) -> None:
    """Give a file a second name, or copy it to another file system with its times.

    Raises:
        OSError: this is not possible, or the target exists.
    """
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        part = target.with_name(target.name + PART)
        shutil.copy2(source, part)
        if file_sha256(part) != sha256:
            part.unlink()
            raise OSError(errno.EIO, "it changed while it was copied") from None
        sync_file(part)
        part.replace(target)
