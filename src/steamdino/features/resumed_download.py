"""Downloads a file in a way that goes on where an earlier process stopped, however it ended.

huggingface_hub starts a download anew in each call, and leaves what a killed process had received. Here the bytes are
written to a file named after the content, as they arrive, and the rest is asked for with a range request::

    <cache>/downloads/
      <hash of the content's name>.part    what has arrived
      <the same>.lock                      held by the process that downloads it
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from steamdino.errors import ModelError
from steamdino.features.model_directory import needed_models_folder
from steamdino.records import Progress

TRIES = 4
"""Requests in one call; between them are waits of `WAIT`, twice and four times that."""

WAIT = 0.25
"""Seconds."""

ABANDONED = 7 * 24 * 3600
"""Seconds after which what an interrupted download left is removed."""

TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
"""Status codes of a server that may answer the next request."""


@contextmanager
def held(content: str, where: str) -> Iterator[Path]:
    """Yield the file for some content, which no other process downloads meanwhile; it need not exist.

    Args:
        content: names the content: what has another name has other bytes.
        where: of the file on the hub, for the error.

    Raises:
        ModelError: another process is downloading it, or the cache folder is unknown.
        OSError: the cache folder cannot be written.
    """
    from filelock import FileLock, Timeout  # imported here: searches do not need it

    folder = needed_models_folder().parent / "downloads"
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{hashlib.sha256(content.encode()).hexdigest()[:32]}.part"
    _sweep(folder)
    try:
        with FileLock(part.with_suffix(".lock"), timeout=0):
            try:
                yield part
            finally:
                if not part.exists() or not part.stat().st_size:
                    discard(part)
    except Timeout:
        raise ModelError(
            f"{where} is being downloaded by another process; try again when that has finished"
        ) from None


def discard(part: Path) -> None:
    """Remove what has arrived and its lock, and the folder if nothing else is in it."""
    part.unlink(missing_ok=True)
    with suppress(OSError):  # on Windows, a lock that another process holds
        part.with_suffix(".lock").unlink()
    with suppress(OSError):  # not empty
        part.parent.rmdir()


def complete(
    part: Path,
    size: int | None,
    request: Callable[[Mapping[str, str]], Any],
    raise_for_status: Callable[[Any], object],
    lost: tuple[type[Exception], ...],
    progress: Progress,
) -> None:
    """Download the rest of a file.

    Args:
        part: what has arrived; it is appended to.
        size: bytes of the whole; None if the server does not say.
        request: makes a GET request with the given headers, as a context manager whose response has `status_code`,
            `headers` and `iter_raw()`, as httpx's have.
        raise_for_status: raises an error for a response of status 400 or more.
        lost: the errors of a connection that was lost or stalls; the request is repeated.
        progress: called with (bytes done, total bytes); the total is 0 if it is unknown.

    Raises:
        OSError: the file cannot be written.
        Exception: what `request` and `raise_for_status` raise, once all tries are used up.
    """
    if size is not None and part.exists() and part.stat().st_size > size:
        part.unlink()
    for tries_left in reversed(range(TRIES)):
        try:
            if _receive(part, size, request, raise_for_status, progress, final=not tries_left):
                return
        except lost:
            if not tries_left:
                raise
        time.sleep(WAIT * 2 ** (TRIES - 1 - tries_left))


def _receive(
    part: Path,
    size: int | None,
    request: Callable[[Mapping[str, str]], Any],
    raise_for_status: Callable[[Any], object],
    progress: Progress,
    *,
    final: bool,
) -> bool:
    """Send one request for what is missing; return whether the file is complete."""
    start = part.stat().st_size if part.exists() else 0
    if start == size and start:
        progress(start, start)
        return True
    with request({"Range": f"bytes={start}-"} if start else {}) as response:
        if response.status_code in TRANSIENT and not final:
            return False
        if response.status_code == 416:  # nothing is missing, or the file is another one
            part.unlink()
            return False
        if response.status_code >= 400:
            response.read()
            raise_for_status(response)
        sent_from = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
        resumed = response.status_code == 206 and sent_from == str(start)
        with part.open("ab" if resumed else "wb", buffering=0) as file:
            done = start if resumed else 0
            for chunk in response.iter_raw():
                file.write(chunk)
                done += len(chunk)
                progress(done, size or 0)
    return size is None or done == size


def _sweep(folder: Path) -> None:
    """Remove what interrupted downloads left that nobody has gone on with."""
    for path in folder.iterdir():
        with suppress(OSError):  # another process removes it, too
            if path.stat().st_mtime < time.time() - ABANDONED:
                path.unlink()
