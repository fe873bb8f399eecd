"""Uploads below one address, which send nothing that is there already."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import IO

from steamdino.storage import object_files


class Upload:
    """Objects below an address. Threads may share it.

    Attributes:
        sent: bytes that were uploaded.
        shown: keys of all that was put, whether it was there before or not.
    """

    def __init__(self, address: str, present: Mapping[str, int]) -> None:
        """Prepare.

        Args:
            address: of the prefix.
            present: the sizes of what is there, by key; a key there of the same size is not uploaded again.
        """
        self._address, self._present = address, present
        self._lock = threading.Lock()
        self.sent = 0
        self.shown: set[str] = set()

    def has(self, key: str) -> bool:
        """Whether an object is there; it counts as put then."""
        if key not in self._present and key not in self.shown:
            return False
        with self._lock:
            self.shown.add(key)
        return True

    def put(
        self,
        key: str,
        content: bytes | IO[bytes],
        size: int,
        progress: Callable[[int], object] = lambda _: None,
    ) -> None:
        """Upload an object that never changes, unless it is there.

        Args:
            key: after the address.
            content: the bytes, or an open file.
            size: bytes of it.
            progress: called with the bytes of each part of a file, and with those of what is there already.

        Raises:
            NetworkError: the store refuses or does not answer.
        """
        again = self._present.get(key) != size
        if again:
            object_files.write(f"{self._address}/{key}", content, progress)
        else:
            progress(size)
        with self._lock:
            self.sent += size if again else 0
            self.shown.add(key)

    def replace(self, key: str, content: bytes) -> None:
        """Upload an object in place of the one that may be there.

        Raises:
            NetworkError: the store refuses or does not answer.
        """
        object_files.write(f"{self._address}/{key}", content)
