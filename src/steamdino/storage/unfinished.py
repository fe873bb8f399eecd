"""A folder for unfinished work beside an output, so that an interrupted or killed command can continue.

::

    <parent>/
      map                  the output
      .unfinished-map/     exists while a command writes the output, and after it was interrupted or killed
        key                what the work is of; other work is discarded
        lock               held by the command that writes
        ...                whatever the command keeps there
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from steamdino.errors import OutputError

PREFIX = ".unfinished-"
"""Of the folder's name."""

LONGEST = 100
"""Characters of the output's name in the folder's name, since file systems limit it."""

_KEY, _LOCK = "key", "lock"


def unfinished_folder(target: Path) -> Path:
    """Return the folder for the unfinished work of an output; it need not exist."""
    return target.with_name(PREFIX + target.name[:LONGEST])


@contextmanager
def unfinished(target: Path, key: str, name: Path) -> Iterator[Path]:
    """Yield a folder that survives a kill or Ctrl-C, and is removed when the block ends in any other way.

    Args:
        target: the output that the work is for, with no links left to follow; its folder must exist.
        key: describes everything that the work depends on. Work with another key is discarded.
        name: the output as the user named it, for error messages.

    Raises:
        OutputError: another process is writing the same output.
        OSError: the folder cannot be written.
    """
    from filelock import FileLock, Timeout  # imported here: searches do not need it

    folder = unfinished_folder(target)
    digest = hashlib.sha256(f"{target.name}\n{key}".encode()).hexdigest()
    while True:
        folder.mkdir(exist_ok=True)
        lock = FileLock(folder / _LOCK, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise OutputError(
                f"{name} is being written by another process; try again when that has finished"
            ) from None
        except FileNotFoundError:  # the process before has just finished and removed the folder
            continue
        if (folder / _LOCK).exists():
            break
        lock.release()
    keep = False
    try:
        written = folder / _KEY
        if not written.is_file() or written.read_text("utf-8") != digest:
            _empty(folder)
            written.write_text(digest, "utf-8")
        yield folder
    except KeyboardInterrupt:
        keep = True
        raise
    finally:
        if not keep:
            _empty(folder)
        lock.release()
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _empty(folder: Path) -> None:
    """Remove everything but the lock, the key first: what is left without a key is discarded."""
    (folder / _KEY).unlink(missing_ok=True)
    for child in folder.iterdir():
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child, ignore_errors=True)
        elif child.name != _LOCK:
            child.unlink(missing_ok=True)
