"""Output folders with a page: written atomically, and replacing only folders of their own kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from steamdino.errors import UsageError
from steamdino.storage.continued_output import continuing_folder

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
def replacing_folder(folder: Path, kind: str, key: str, option: str = "-o") -> Iterator[tuple[Path, Path]]:
    """Yield a folder that replaces another when the block ends, and one for what only the work needs.

    After Ctrl-C or a kill both are there again for the next call with the same key. If the block raises anything else,
    nothing changes and nothing is left.

    Args:
        folder: to be written.
        kind: of page that it gets, and that the old one must have.
        key: everything that unfinished work depends on.
        option: that named it, for error messages.

    Raises:
        UsageError: the old one holds something else.
        OutputError: it cannot be written, or another process is writing it.
    """
    check_folder(folder, kind)
    with continuing_folder(folder, key, option) as places:
        yield places
