"""Writes outputs in several attempts: Ctrl-C and a kill leave the work for the next one."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from steamdino.errors import OutputError
from steamdino.storage.atomic import make_folder, replace_folder
from steamdino.storage.output import followed, is_stream, refusal
from steamdino.storage.unfinished import unfinished


@contextmanager
def continuing(path: Path, key: str, option: str = "-o") -> Iterator[Path]:
    """Yield a folder for the unfinished work of an output, which is still there after Ctrl-C or a kill.

    A stream has no place to keep it; its work is in a temporary folder and is lost.

    Args:
        path: the output, a file or a folder; see `storage.output`.
        key: everything that the work depends on; see `storage.unfinished.unfinished`.
        option: the option that the user gave it with, for the error message.

    Raises:
        OutputError: it cannot be written, or another process is writing it.
    """
    try:
        if is_stream(path):
            import tempfile

            with tempfile.TemporaryDirectory() as temporary:
                yield Path(temporary)
            return
        target = followed(path)
        make_folder(target.parent)
        with unfinished(target, key, path) as folder:
            yield folder
    except BrokenPipeError:
        raise
    except OSError as error:
        raise refusal(path, error.strerror or str(error), option) from None


@contextmanager
def continuing_folder(folder: Path, key: str, option: str = "-o") -> Iterator[tuple[Path, Path]]:
    """Write a folder in several attempts: like `writing_folder`, but Ctrl-C and a kill leave the work for the next.

    Args:
        folder: as the user gave it.
        key: everything that the work depends on.
        option: the option that the user gave it with, for the error message.

    Yields:
        the new folder, with what an earlier attempt wrote into it, and a folder for what only the work needs.

    Raises:
        OutputError: it cannot be written, or another process is writing it.
    """
    with continuing(folder, key, option) as kept:
        work = kept / "output"
        try:
            work.mkdir(exist_ok=True)
            yield work, kept
            target = followed(folder)
            if target.exists():
                work.chmod(stat.S_IMODE(target.stat().st_mode))
            replace_folder(work, target)
        except OSError as error:
            reason = error.strerror or str(error)
            raise OutputError(
                f"{folder} cannot be written: {reason}; name another folder with {option}"
            ) from None
