"""Folders that take long to make, so that all processes that run the tests share them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def shared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first of the processes that run the tests makes, and all of them read."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    root = factory.getbasetemp().parent if worker else factory.getbasetemp()
    folder = root / "shared" / name
    with FileLock(root / f"{name}.lock"):
        if not folder.exists():
            unfinished = folder.with_name(f".{name}")
            shutil.rmtree(unfinished, ignore_errors=True)  # of a process that failed to make it
            unfinished.mkdir(parents=True)
            make(unfinished)
            unfinished.rename(folder)
    return folder
