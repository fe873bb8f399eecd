"""Checks whether a JPEG file is whole, without decoding it."""

from __future__ import annotations

import os
from pathlib import Path

_START, _END = b"\xff\xd8", b"\xff\xd9"


def is_whole_jpeg(path: Path) -> bool:
    """Return whether a file begins and ends as a JPEG does. A power cut may leave a file without its content."""
    try:
        with path.open("rb") as file:
            start = file.read(len(_START))
            file.seek(-len(_END), os.SEEK_END)
            return start == _START and file.read() == _END
    except OSError:  # it is missing, or it is empty
        return False
