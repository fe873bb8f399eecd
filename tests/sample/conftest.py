"""The drawn store's folder alone, for tests that do not need its truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from steamdino.sample import FictionalGame


@pytest.fixture(scope="session")
def drawn_store(fictional_store: tuple[Path, tuple[FictionalGame, ...]]) -> Path:
    return fictional_store[0]
