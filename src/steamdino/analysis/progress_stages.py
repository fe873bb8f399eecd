"""The stages of long work, each with its own progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from steamdino.records import Progress

Stage = Callable[[str, str], AbstractContextManager[Progress]]
"""Opens the progress of one stage: called with what is done ("Drawing") and of what ("banners"), one at a time."""


@contextmanager
def unseen(description: str, unit: str) -> Iterator[Progress]:
    """Show nothing."""
    yield lambda done, total: None
