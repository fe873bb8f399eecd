"""Arrays that grow on disk while something long is computed, and that the next process continues after a kill."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from steamdino.storage.atomic import replacing, sync_folder

EVERY = 10.0
"""Seconds between two moments at which what was appended is flushed to disk: what a kill can cost."""

_STATE = "state.json"
_CHUNK = 1 << 20


class ResumableArrays:
    """One-dimensional arrays in files of a folder of their own, which are only ever appended to.

    A context manager. However its block ends, what was appended is kept for the next one with the same key. Only one
    process at a time may use the folder.

    Attributes:
        done: how much of the work the arrays hold, as the last `append` counted it; 0 at first.
    """

    def __init__(self, folder: Path, key: str, kinds: Mapping[str, DTypeLike]) -> None:
        """Name the arrays.

        Args:
            folder: made if it does not exist.
            key: tells what is computed, from what. What the folder holds under another key is deleted.
            kinds: names and types of the arrays.
        """
        self._folder = folder
        self._key = key
        self._kinds = {name: np.dtype(kind) for name, kind in kinds.items()}
        self._files: dict[str, IO[bytes]] = {}
        self._digests: dict[str, Any] = {}
        self.done = 0

    def __enter__(self) -> Self:
        state = self._state()
        if state is None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
            self._digests = {name: hashlib.sha256() for name in self._kinds}
        else:
            self.done = state["done"]
        for name in self._kinds:
            file = self._path(name).open("ab")
            file.truncate(state["files"][name]["bytes"] if state else 0)
            file.seek(0, os.SEEK_END)
            self._files[name] = file
        self._saved_at = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                self._save()
        finally:
            for file in self._files.values():
                file.close()

    def append(self, done: int, *arrays: NDArray[Any]) -> None:
        """Append an array to each file, in the order in which they were named, and count what is done with them."""
        for (name, dtype), array in zip(self._kinds.items(), arrays, strict=True):
            data = np.ascontiguousarray(array, dtype).tobytes()
            self._files[name].write(data)
            self._digests[name].update(data)
        self.done = done
        if time.monotonic() - self._saved_at >= EVERY:
            self._save()

    def read(self) -> list[NDArray[Any]]:
        """Map the arrays as far as they are appended, read-only, in the order in which they were named."""
        found: list[NDArray[Any]] = []
        for name, dtype in self._kinds.items():
            self._files[name].flush()
            empty = not self._path(name).stat().st_size
            found.append(
                np.empty(0, dtype) if empty else np.memmap(self._path(name), dtype, "r").view(np.ndarray)
            )
        return found

    def _save(self) -> None:
        facts = {}
        for name, file in self._files.items():
            file.flush()
            os.fsync(file.fileno())
            facts[name] = {"bytes": file.tell(), "sha256": self._digests[name].hexdigest()}
        with replacing(self._folder / _STATE) as file:
            file.write(json.dumps({"key": self._key, "done": self.done, "files": facts}).encode())
        for folder in (self._folder.parent, self._folder.parent.parent):  # they may be new, too
            sync_folder(folder)
        self._saved_at = time.monotonic()

    def _state(self) -> dict[str, Any] | None:
        """What was saved; None if it is of something else, or not as it was written."""
        try:
            state: dict[str, Any] = json.loads((self._folder / _STATE).read_bytes())
            if state["key"] != self._key or state["files"].keys() != self._kinds.keys():
                return None
            for name, facts in state["files"].items():
                self._digests[name] = digest = _digest(self._path(name), facts["bytes"])
                if digest.hexdigest() != facts["sha256"]:
                    return None
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return state

    def _path(self, name: str) -> Path:
        return self._folder / name


def _digest(path: Path, size: int) -> Any:
    """The hash of the first bytes of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while size and (chunk := file.read(min(size, _CHUNK))):
            digest.update(chunk)
            size -= len(chunk)
    return digest
