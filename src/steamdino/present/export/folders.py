"""Folders with a page in them that are there whole or not at all, and replace none but their own kind."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from steamdino.errors import UsageError

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
def replacing_folder(folder: Path, kind: str) -> Iterator[Path]:
    """An empty folder that takes another's place when the block ends; if it raises, nothing changes.

    Raises:
        UsageError: the old one holds something else.
        OSError: it cannot be written.
    """
    check_folder(folder, kind)
    parent = folder.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))
    try:
        yield work
        work.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        work.rename(folder)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
