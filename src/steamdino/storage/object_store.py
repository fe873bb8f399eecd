"""Pictures in object storage: Amazon's S3 and what speaks its language, Google's and Microsoft's.

Who may read them, and where, comes from each vendor's usual environment variables, such as ``AWS_ACCESS_KEY_ID`` and
``AWS_ENDPOINT_URL``. They are read by obstore when a bucket is first used, and are neither stored nor shown.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from steamdino.errors import MissingExtraError, PictureError, SourceError
from steamdino.storage import location
from steamdino.storage.location import Content, PictureStatus

TRIES = 3
"""How often an object is read whose transfer breaks off. obstore itself repeats requests that get no answer, or one
that says to slow down."""

PAUSE = 0.2
"""Seconds before the second try; doubled for the third."""

RETRIES = 6
"""How often obstore repeats such a request."""

_NAMES = {"s3": "bucket", "gs": "bucket", "az": "container"}
_STATUS = re.compile(r"status code: (\d{3})")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A picture in object storage.

    Attributes:
        address: such as ``s3://bucket/covers/portal.jpg``; the key is not quoted.
        listed: its status as a listing gave it, which saves a request for each picture.
    """

    address: str
    listed: PictureStatus | None = field(default=None, compare=False)

    @property
    def path(self) -> None:
        """None: it is not in a local file."""

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.address.rpartition("/")[2]

    def status(self) -> PictureStatus:
        """Return what the listing said, or ask the store.

        Raises:
            PictureError: there is no such object, or the store refuses or does not answer.
        """
        if self.listed is not None:
            return self.listed
        obstore, store, key = self._opened()
        try:
            return _status(obstore.head(store, key))
        except Exception as error:
            raise PictureError(_reason(error)) from None  # its types differ from store to store

    def read(self) -> Content:
        """Read the object.

        Raises:
            PictureError: it is missing, empty or too large, or the store refuses or does not answer.
        """
        obstore, store, key = self._opened()
        for attempt in range(TRIES):
            try:
                result = obstore.get(store, key)
                status = _status(result.meta)
                if status.size > location.LARGEST_FILE:
                    raise PictureError(
                        f"it has {status.size:,} bytes; at most {location.LARGEST_FILE:,} are read"
                    )
                data = bytes(result.bytes())
            except PictureError:
                raise
            except Exception as error:
                if isinstance(error, OSError) or attempt + 1 == TRIES:
                    raise PictureError(_reason(error)) from None
                time.sleep(PAUSE * 2**attempt)
                continue
            if not data:
                raise PictureError("the object is empty")
            if len(data) == status.size:
                return Content(data, status.mtime_ns, status.ctime_ns)
        raise PictureError("the object changes while it is read, or its transfer breaks off")

    def _opened(self) -> tuple[Any, Any, str]:
        root, key = split(self.address)
        return _library(), _store(root), key


def split(address: str) -> tuple[str, str]:
    """Return the bucket's address and the key: ("s3://bucket", "covers/portal.jpg")."""
    scheme, _, rest = address.partition("://")
    bucket, _, key = rest.partition("/")
    return f"{scheme}://{bucket}", key


def listed(address: str) -> Iterator[StoredObject]:
    """List the objects below a prefix, in the order of their keys.

    Args:
        address: of a bucket or of a prefix in it, which means what a folder means.

    Raises:
        SourceError: the bucket does not exist, or the store refuses or does not answer.
    """
    root, prefix = split(address)
    obstore = _library()
    try:
        for page in obstore.list(_store(root), prefix=prefix.strip("/") or None):
            for meta in page:
                yield StoredObject(f"{root}/{meta['path']}", _status(meta))
    except Exception as error:
        kind = _NAMES[root.partition("://")[0]]
        raise SourceError(
            f"{address} cannot be listed: {_reason(error, f'the {kind} does not exist')}"
        ) from None


def _status(meta: Any) -> PictureStatus:
    """The size, and a mark of the ETag, which follows the content; of the time where a store gives no ETag."""
    mark = str(meta["e_tag"] or meta["last_modified"]).encode()
    return PictureStatus(meta["size"], 0, int.from_bytes(hashlib.sha256(mark).digest()[:7], "big"))


def _reason(error: Exception, missing: str = "the object does not exist") -> str:
    """What went wrong, without the address and without what a store's own text may repeat of a request."""
    name = type(error).__name__
    if name == "InvalidPathError" or isinstance(error, ValueError):  # of one key, for which all others suffer
        return (
            f"a key has an empty part, or one of dots: {str(error).partition(chr(10))[0]}; rename that object"
        )
    found = _STATUS.search(str(error))
    status = found[1] if found else ""
    if isinstance(error, FileNotFoundError) or status == "404":
        return missing
    if (
        isinstance(error, PermissionError)
        or status in ("401", "403")
        or "Permission" in name
        or "Unauth" in name
    ):
        return "the object store refuses access; check the credentials in the environment"
    if status:
        return f"the object store answered {status}"
    return "the object store does not answer; check the endpoint in the environment"


@cache
def _store(root: str) -> Any:
    """Connect to a bucket, once for a process; threads share it."""
    _library()
    from obstore.store import from_url

    endpoints = (
        os.environ.get(name, "") for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    )
    plain = any(endpoint.startswith("http://") for endpoint in endpoints)
    options: dict[str, Any] = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=60)}
    if plain:  # an endpoint that is named so is meant so
        options["allow_http"] = True
    retries: Any = {"max_retries": RETRIES, "retry_timeout": timedelta(seconds=60)}
    try:
        return from_url(root, client_options=options, retry_config=retries)  # type: ignore[call-overload]
    except Exception as error:
        raise SourceError(f"{root} cannot be opened: {str(error).partition(chr(10))[0]}") from None


def _library() -> Any:
    try:
        import obstore
    except ImportError:
        raise MissingExtraError("reading from object storage", "objects") from None
    return obstore
