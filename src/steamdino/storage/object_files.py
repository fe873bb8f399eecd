"""Whole files in object storage: listed, read, written, downloaded in ranges, and removed.

Every error names the object and what is wrong, without credentials.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

from steamdino.errors import NetworkError
from steamdino.storage.object_client import client, has_changed, library, reason, split, tried

RANGE = 8 << 20
"""Bytes that are asked for at a time; each range has tries of its own."""

READERS = 8
"""Ranges that are read at the same time."""

REMOVED = 1000
"""Objects that are removed with one request: what S3 takes at most."""


def sizes(address: str) -> Iterator[tuple[str, int]]:
    """List what is below a prefix, in the order of the keys: each key after the prefix and its "/", and its bytes.

    Raises:
        NetworkError: the bucket does not exist, or the store refuses or does not answer.
    """
    root, prefix = split(address)
    prefix = prefix.strip("/")
    obstore, store = library(), client(root)
    try:
        for page in obstore.list(store, prefix=prefix or None):
            for meta in page:
                yield meta["path"].removeprefix(prefix).lstrip("/"), meta["size"]
    except Exception as error:  # its types differ from store to store
        raise NetworkError(f"{address} cannot be listed: {reason(error, 'it does not exist')}") from None


def size(address: str) -> int | None:
    """Return the bytes of an object; None if there is none.

    Raises:
        NetworkError: the store refuses or does not answer.
    """
    root, key = split(address)
    obstore, store = library(), client(root)
    try:
        return int(obstore.head(store, key)["size"])
    except FileNotFoundError:
        return None
    except Exception as error:
        raise _cannot("read", address, error) from None


def described(address: str) -> tuple[int, str]:
    """Return the bytes of an object and its ETag, which is empty if it does not tell versions apart.

    Raises:
        NetworkError: there is no such object, or the store refuses or does not answer.
    """
    root, key = split(address)
    obstore, store = library(), client(root)
    try:
        meta = tried(lambda: obstore.head(store, key))
    except Exception as error:
        raise _cannot("read", address, error) from None
    tag = meta["e_tag"] or ""
    return int(meta["size"]), "" if tag.startswith("W/") else tag


def read(address: str) -> bytes | None:
    """Return the bytes of a small object; None if there is none.

    Raises:
        NetworkError: the store refuses or does not answer.
    """
    root, key = split(address)
    obstore, store = library(), client(root)
    try:
        data: bytes = tried(lambda: bytes(obstore.get(store, key).bytes()))
    except FileNotFoundError:
        return None
    except Exception as error:
        raise _cannot("read", address, error) from None
    return data


def write(address: str, content: bytes | IO[bytes], progress: Callable[[int], object] | None = None) -> None:
    """Write an object, which appears when all of its bytes are there. Large files are sent in parts.

    Args:
        address: the object's.
        content: the bytes, or a file that is open for reading, which is read from its start.
        progress: called with the bytes of each part of a file that is being sent.

    Raises:
        NetworkError: the store refuses or does not answer.
    """
    root, key = split(address)
    obstore, store = library(), client(root)
    try:
        obstore.put(store, key, content if isinstance(content, bytes) else _Read(content, progress))
    except Exception as error:
        raise _cannot("written", address, error) from None


class _Read:
    """A file of which each read is reported."""

    def __init__(self, file: IO[bytes], progress: Callable[[int], object] | None) -> None:
        self._file, self._progress = file, progress
        file.seek(0)
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        if self._progress:
            self._progress(len(data))
        return data


def download(
    address: str,
    path: Path,
    total: int,
    progress: Callable[[int], object] | None = None,
    *,
    version: str = "",
) -> None:
    """Download an object into a file, in ranges.

    Args:
        address: the object's.
        path: the file; one that is there is replaced.
        total: bytes of the object.
        progress: called with the bytes of each range that was written.
        version: the ETag that it must still have, as `described` returns it; empty for any.

    Raises:
        NetworkError: the object is missing, shorter or of another version, or the store refuses or does not answer.
        OSError: the file cannot be written.
    """
    root, key = split(address)
    obstore, store = library(), client(root)

    def fetch(start: int) -> int:
        length = min(RANGE, total - start)
        try:
            options = {"range": (start, start + length), **({"if_match": version} if version else {})}
            data = tried(lambda: _whole(obstore.get(store, key, options=options).bytes(), length))
        except Exception as error:
            raise _cannot("read", address, error) from None
        with path.open("r+b") as file:
            file.seek(start)
            file.write(data)
        return length

    path.write_bytes(b"")
    with ThreadPoolExecutor(READERS) as pool:
        try:
            for length in pool.map(fetch, range(0, total, RANGE)):
                if progress:
                    progress(length)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def remove(address: str, keys: Sequence[str]) -> None:
    """Remove objects below a prefix, given by their keys after it; what is not there is none of them.

    Raises:
        NetworkError: the store refuses or does not answer.
    """
    root, prefix = split(address)
    obstore, store = library(), client(root)
    for start in range(0, len(keys), REMOVED):
        some = [f"{prefix}/{key}".lstrip("/") for key in keys[start : start + REMOVED]]
        try:
            obstore.delete(store, some)
        except FileNotFoundError:
            continue
        except Exception as error:
            raise NetworkError(f"objects below {address} cannot be removed: {reason(error)}") from None


def summed(progress: Callable[[int, int], object] | None, total: int) -> Callable[[int], None]:
    """Return what adds up the bytes of parts.

    Args:
        progress: called with (bytes so far, `total`) after each part.
        total: bytes of all parts.
    """
    done = 0

    def add(more: int) -> None:
        nonlocal done
        done += more
        if progress:
            progress(done, total)

    return add


class _BrokenOffError(Exception):
    """A transfer ended before its end."""


def _whole(data: Any, length: int) -> Any:
    if len(data) != length:
        raise _BrokenOffError
    return data


def _cannot(done: str, address: str, error: Exception) -> NetworkError:
    if has_changed(error):
        why = "it changed meanwhile; run the same command again"
    else:
        why = "its transfer breaks off" if isinstance(error, _BrokenOffError) else reason(error)
    return NetworkError(f"{address} cannot be {done}: {why}")
