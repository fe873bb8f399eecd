"""Output folders with a page: written atomically, and replacing only folders of their own kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from steamdino.errors import UsageError
from steamdino.storage.output import writing_folder

PAGE = "index.html"


def check_folder(folder: Path, kind: str) -> None:
    """Check in advance whether a folder may be replaced.

    Args:
        folder: to be written.
        kind: the marker in its page (``data-page="..."``).

    Raises:
        UsageError: it has other content.
    """
    if not folder.exists():
        return
    page = folder / PAGE if folder.is_dir() else folder
    own = page.is_file() and f'data-page="{kind}"' in page.read_text("utf-8", "replace")[:4000]
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; name a new folder")
    if any(folder.iterdir()) and not own:
        raise UsageError(f"{folder} holds other files than a {kind}; name a new folder")


@contextmanager
def replacing_folder(folder: Path, kind: str, option: str = "-o") -> Iterator[Path]:
    """Yield an empty folder that replaces another when the block ends; if the block raises, nothing changes.

    Args:
        folder: to be written.
        kind: of page that it gets, and that the old one must have.
        option: that named it, for error messages.

    Raises:
        UsageError: the old one holds something else.
        OutputError: it cannot be written.
    """
    check_folder(folder, kind)
    with writing_folder(folder, option) as work:
        yield work
