"""The server sets up glibc's allocator, unless its operator did."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is Linux's")
def test_the_environment_decides_if_it_sets_the_allocator() -> None:
    def arenas(**more: str) -> str:
        code = (
            "import ctypes; from steamdino.present.web import freed_memory as m; called = [];"
            "ctypes.CDLL = lambda _: type('C', (), {'mallopt': staticmethod(lambda *a: called.append(a))});"
            "m.return_freed_memory(); print(called)"
        )
        environment = {key: value for key, value in os.environ.items() if not key.startswith("MALLOC_")}
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, env={**environment, **more}, capture_output=True, text=True, check=True
        ).stdout.strip()

    assert arenas() == "[(-8, 2), (-3, 1048576), (-1, 1048576)]"
    assert arenas(MALLOC_ARENA_MAX="4") == "[]"
    assert arenas(GLIBC_TUNABLES="glibc.malloc.arena_max=4") == "[]"
