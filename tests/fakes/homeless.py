"""Runs ``steam-dino`` as a user that the machine has no entry for, as in many a container::

env -u HOME python -m tests.fakes.homeless similar 730
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

STRANGER = 54_321
"""A user whom the machine has no entry for."""

ROOT = Path(__file__).parents[2]
BARE = {
    "PATH": os.environ.get("PATH", ""),
    "PYTHONPATH": os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), str(ROOT)]),
}
"""An environment that knows no home."""


def unknown(user: int) -> NoReturn:
    """What `pwd.getpwuid` does for a user without an entry."""
    raise KeyError(f"getpwuid(): uid not found: {user}")


def homeless(*arguments: object, environ: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs the command line as this user, but without an entry, and with nothing else in the environment."""
    return started([sys.executable, "-m", "tests.fakes.homeless", *map(str, arguments)], environ, cwd)


def started(command: list[str], environ: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command with a bare environment."""
    return subprocess.run(
        command, cwd=cwd, env=BARE | environ, capture_output=True, text=True, timeout=120, check=False
    )


def stranger() -> list[str]:
    """What starts a command as another user who may read everything; nothing where this user cannot do that."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return []
    ids = [f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups"]
    # The interpreter may be root's alone.
    reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    for more in (reading, []):
        command = ["setpriv", *ids, *more]
        code = "import numpy, sqlite3, steamdino.present.cli.main"
        done = subprocess.run(
            [*command, sys.executable, "-c", code], env=BARE, capture_output=True, check=False
        )
        if done.returncode == 0:
            return command
    return []


@contextmanager
def readable_folder() -> Iterator[Path]:
    """A folder that every user may read, unlike those that pytest makes."""
    with tempfile.TemporaryDirectory(prefix="steamdino-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


if __name__ == "__main__":
    import pwd

    pwd.getpwuid = unknown
    from steamdino.present.cli.main import run

    run()
