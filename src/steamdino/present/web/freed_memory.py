"""Settings of the C library for a process that answers from many threads and runs for weeks."""

from __future__ import annotations

import ctypes
import os
import sys

ARENAS = 2
"""Heaps that the threads share. glibc makes up to 8 for each core, and each keeps what its threads needed at most."""

LARGE = 1 << 20
"""Bytes from which memory is asked of the system, and returned to it when it is freed. Left alone, glibc raises this to
32 MB, so that one large request leaves gaps in a heap for ever."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_VARIABLES = ("MALLOC_", "GLIBC_TUNABLES")


def return_freed_memory() -> None:
    """Make glibc keep little of the memory that was freed.

    It changes nothing if the environment sets glibc's allocator, or without glibc. Call it before threads start.
    """
    if sys.platform != "linux" or any(name.startswith(_VARIABLES) for name in os.environ):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return
    for setting, value in ((_ARENA_MAX, ARENAS), (_MMAP_THRESHOLD, LARGE), (_TRIM_THRESHOLD, LARGE)):
        mallopt(setting, value)
