"""Reads the lines of a text file that a user names."""

from __future__ import annotations

from pathlib import Path

from steamdino.errors import UsageError


def read_lines(path: Path, advice: str) -> list[str]:
    """Read the lines of a UTF-8 file, with or without a byte order mark.

    Args:
        path: the file.
        advice: what to do instead, the end of the error message.

    Raises:
        UsageError: it does not exist, cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text("utf-8-sig").splitlines()
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist; {advice}") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; {advice}") from None
    except ValueError:
        raise UsageError(f"{path} is not UTF-8 text; {advice}") from None
