"""Downloads one banner from a server and checks that it can be decoded."""

from __future__ import annotations

import time
from dataclasses import dataclass

from steamdino.banners.decode import decode
from steamdino.errors import BlockedError, NetworkError, PictureError, ReplyError
from steamdino.net.client import Client, Reply, TransientError
from steamdino.storage.location import Content

LARGEST = 16 << 20
"""Bytes; Steam's own banners have 50 to 100 KB."""

BROKEN_TRIES = 3
"""Downloads of a picture that cannot be decoded before it counts as broken on the server."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A picture that can be decoded, and its ETag (empty if it came without one)."""

    content: Content
    etag: str


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The server still has the picture that the ETag names."""


@dataclass(frozen=True, slots=True)
class NotFound:
    """The server has no such picture."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """The server gave something that cannot be used as a picture, or nothing after all tries.

    Attributes:
        reason: why.
        passing: whether it may succeed later.
    """

    reason: str
    passing: bool = False


Outcome = Fetched | Unchanged | NotFound | Unusable


def fetch(client: Client, url: str, etag: str = "") -> Outcome:
    """Download a picture. Its size is limited, it is decoded once, and an incomplete one is downloaded again.

    Args:
        client: allowed to contact the host.
        url: where it is.
        etag: of the picture that is stored already, for a conditional request. Empty to download it in any case.

    Raises:
        BlockedError: the server refuses this client.
    """
    broken = 0

    def read(reply: Reply) -> Outcome:
        nonlocal broken
        if reply.status == 304 and etag:
            return Unchanged()
        if reply.status in (404, 410):
            return NotFound()
        if reply.status != 200:
            return Unusable(f"the server answered {reply.status}")
        try:
            decode(reply.body)
        except PictureError as error:
            broken += 1
            if broken < BROKEN_TRIES:
                raise ReplyError(str(error)) from None
            return Unusable(f"the server's picture is of no use: {error}", passing=True)
        return Fetched(Content(reply.body, time.time_ns()), reply.headers.get("etag", ""))

    headers = {"If-None-Match": etag} if etag else {}
    try:
        return client.get(url, largest=LARGEST, headers=headers, read=read)
    except BlockedError:
        raise
    except NetworkError as error:
        return Unusable(str(error), passing=isinstance(error, TransientError))
