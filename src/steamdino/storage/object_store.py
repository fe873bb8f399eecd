"""Pictures in object storage."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from steamdino.errors import PictureError, SourceError
from steamdino.storage import object_client
from steamdino.storage.location import Content, PictureStatus, check_file_size
from steamdino.storage.object_client import client, library, reason, split, tried

_NAMES = {"s3": "bucket", "gs": "bucket", "az": "container"}


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
            raise PictureError(reason(error)) from None  # its types differ from store to store

    def read(self) -> Content:
        """Read the object.

        Raises:
            PictureError: it is missing, empty or too large, or the store refuses or does not answer.
        """
        obstore, store, key = self._opened()
        for attempt in range(object_client.TRIES):
            try:
                result = obstore.get(store, key)
                status = _status(result.meta)
                check_file_size(status.size)
                data = bytes(result.bytes())
            except PictureError:
                raise
            except Exception as error:
                if isinstance(error, OSError) or attempt + 1 == object_client.TRIES:
                    raise PictureError(reason(error)) from None
                time.sleep(object_client.PAUSE * 2**attempt)
                continue
            if not data:
                raise PictureError("the object is empty")
            if len(data) == status.size:
                return Content(data, status.mtime_ns, status.ctime_ns)
        raise PictureError("the object changes while it is read, or its transfer breaks off")

    def _opened(self) -> tuple[Any, Any, str]:
        root, key = split(self.address)
        return library(), client(root), key


def write(place: StoredObject, data: bytes) -> None:
    """Write an object; whoever reads it sees the old content or the new one, never a part.

    Raises:
        PictureError: the store refuses or does not answer.
    """
    root, key = split(place.address)
    obstore, store = library(), client(root)
    try:
        tried(lambda: obstore.put(store, key, data, use_multipart=False))
    except Exception as error:
        raise PictureError(reason(error, f"the {kind_of(root)} does not exist")) from None


def kind_of(root: str) -> str:
    """What a vendor calls what its objects are in: "bucket" or "container"."""
    return _NAMES[root.partition("://")[0]]


def listed(address: str) -> Iterator[StoredObject]:
    """List the objects below a prefix, in the order of their keys.

    Args:
        address: of a bucket or of a prefix in it, which means what a folder means.

    Raises:
        SourceError: the bucket does not exist, or the store refuses or does not answer.
    """
    root, prefix = split(address)
    obstore, store = library(), client(root)
    try:
        for page in obstore.list(store, prefix=prefix.strip("/") or None):
            for meta in page:
                yield StoredObject(f"{root}/{meta['path']}", _status(meta))
    except Exception as error:
        missing = f"the {kind_of(root)} does not exist"
        raise SourceError(f"{address} cannot be listed: {reason(error, missing)}") from None


def _status(meta: Any) -> PictureStatus:
    """The size, and a mark of the ETag, which follows the content; of the time where a store gives no ETag.

    Listings of Azure give the ETag without the quotes that it has elsewhere
    (`findings/obstore-etags-of-azure-listings.sh`).
    """
    mark = str(meta["e_tag"] or meta["last_modified"]).strip('"').encode()
    return PictureStatus(meta["size"], 0, int.from_bytes(hashlib.sha256(mark).digest()[:7], "big"))
