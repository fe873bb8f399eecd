"""Fetches one banner from a server and makes sure that it is one."""

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
"""Times that a picture which cannot be decoded is fetched, before it is taken for broken on the server."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A picture that decodes, and the ETag that came with it (empty if none did)."""

    content: Content
    etag: str


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The server says that the picture is what the ETag names."""


@dataclass(frozen=True, slots=True)
class NotFound:
    """The server has no such picture."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """There is something, and no picture that can be used, or nothing after all tries.

    Attributes:
        reason: why.
        passing: it may go away by itself.
    """

    reason: str
    passing: bool = False


Outcome = Fetched | Unchanged | NotFound | Unusable


def fetch(client: Client, url: str, etag: str = "") -> Outcome:
    """Fetches a picture: its bytes are limited, it is decoded once, and what breaks off is fetched again.

    Args:
        client: that may ask its host.
        url: where it is.
        etag: of what is here already; asked for with a conditional request. Empty to fetch it whatever it is.

    Raises:
        BlockedError: the server refuses us.
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
