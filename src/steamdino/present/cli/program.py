"""What a report of a fault has to say about the program: its version, how it was installed, and what is missing."""

from __future__ import annotations

import platform
import sys
from dataclasses import asdict
from typing import Any

from steamdino.installation import extra_command, extras, installation
from steamdino.version import __version__


def as_record() -> dict[str, Any]:
    """The same as `as_lines`, for JSON."""
    known = extras()
    return {
        "version": __version__,
        "installed": asdict(installation()),
        "python": platform.python_version(),
        "extras": [name for name, needed in known.items() if not needed],
        "missing_extras": {name: extra_command(name) for name, needed in known.items() if needed},
    }


def as_lines() -> list[str]:
    """Lines to print, of which the first is the name and the version alone."""
    known = extras()
    there = [name for name, needed in known.items() if not needed]
    missing = [name for name, needed in known.items() if needed]
    lines = [
        f"steam-dino {__version__}",
        f"Installed from: {installation()}",
        f"Python {platform.python_version()}: {sys.executable}",
        f"Extras: {', '.join(there) or 'none'}",
    ]
    if missing:
        lines.append(
            f"Missing extras: {', '.join(missing)}; to install one, run: {extra_command(missing[0])}"
        )
    return lines
