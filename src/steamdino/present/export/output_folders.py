"""Folders with a page in them that are there whole or not at all, and replace none but their own kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from steamdino.errors import UsageError
from steamdino.storage.output import writing_folder

PAGE = "index.html"


def check_folder(folder: Path, kind: str) -> None:
    """Finds out before the work whether a folder may be replaced.

    Args:
        folder: to be written.
        kind: what its page says of itself (``data-page="..."``).

    Raises:
        UsageError: it holds something else.
    """
    if not folder.exists():
        return
    page = folder / PAGE if folder.is_dir() else folder
    own = page.is_file() and f'data-page="{kind}"' in page.read_text("utf-8", "replace")[:4000]
    if not folder.is_dir() or (any(folder.iterdir()) and not own):
        raise UsageError(f"{folder} holds something else than a {kind}; name a new folder")


@contextmanager
def replacing_folder(folder: Path, kind: str, option: str = "-o") -> Iterator[Path]:
    """An empty folder that takes another's place when the block ends; if it raises, nothing changes.

    Args:
        folder: to be written.
        kind: of page that it gets, and that the old one must have.
        option: by which the user named it, for the error.

    Raises:
        UsageError: the old one holds something else.
        OutputError: it cannot be written.
    """
    check_folder(folder, kind)
    with writing_folder(folder, option) as work:
        yield work
