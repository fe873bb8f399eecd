"""Pictures on web servers: requested from public servers only, at a low rate, and again if that may help.

==========================  ==============================================================================
200                         the picture
429, 5xx, no answer, slow   requested again, up to `TRIES` times, after growing pauses or as Retry-After says
any other status            an error of that picture
`FAILURES` errors in a row  The server is given up: its other pictures are errors at once.
==========================  ==============================================================================
"""

from __future__ import annotations

import hashlib
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from steamdino.errors import BusyError, PictureError
from steamdino.storage.location import Content, PictureStatus
from steamdino.storage.picture_limits import picture_limits

if TYPE_CHECKING:
    from steamdino.net.public_fetch import PublicReply

RATE = 10.0
"""Requests a second to one server."""

CONNECTIONS = 6
"""Requests to one server at the same time."""

SECONDS = 30.0
"""For one request and its answer."""

TRIES = 4
PAUSE = 1.0
"""Seconds before the second try; doubled for each further one."""

LONGEST_PAUSE = 60.0
"""Seconds; a server that asks to wait longer is given up for this picture."""

FAILURES = 20
"""Pictures that fail for reasons that may pass, one after the other, before a server is given up."""

Request = Callable[[str, str], "PublicReply"]
"""Sends a request of a method to an address, and may raise `FetchError`."""


class WebServers:
    """How pictures are requested from web servers. Threads may share it."""

    def __init__(self, rate: float = RATE, request: Request | None = None) -> None:
        """Remember the limits; nothing is requested.

        Args:
            rate: requests a second to each server; 0 for no limit.
            request: sends one request; None for requests to public servers by https.
        """
        self._rate = rate
        self._request = request or self._public
        self._servers: dict[str, _Server] = {}
        self._adding = threading.Lock()

    def send(self, method: str, address: str) -> PublicReply:
        """Request an address, and wait for a turn before.

        Raises:
            PictureError: there is no answer of 200; the text does not name the address.
        """
        from steamdino.net.public_fetch import FetchError

        server = self._server(urlsplit(address).netloc.lower())
        reason, pause = "", PAUSE
        for attempt in range(TRIES):
            if server.failures >= FAILURES:
                raise PictureError(
                    f"its server failed {FAILURES} times in a row and is not asked again in this run"
                )
            if attempt:
                time.sleep(pause)
                pause *= 2
            with server.connections, server.pace:
                try:
                    reply = self._request(method, address)
                except FetchError as error:
                    reason = f"its address {error.reason}"
                    if not error.passing:
                        break
                    continue
                except BusyError:
                    reason = "its address cannot be looked up, as too many others are"
                    continue
            if reply.status == 200:
                server.failures = 0
                return reply
            reason = _answer(reply.status)
            if reply.status != 429 and reply.status < 500:
                server.failures = 0
                break
            asked = reply.headers.get("retry-after", "")
            if asked.isdecimal():
                if int(asked) > LONGEST_PAUSE:
                    reason += f" and asks to wait {int(asked):,} s"
                    break
                server.pace.hold(int(asked))
        else:
            server.failures += 1
        raise PictureError(reason)

    def _server(self, name: str) -> _Server:
        with self._adding:
            return self._servers.setdefault(name, _Server(self._rate))

    def _public(self, method: str, address: str) -> PublicReply:
        from steamdino.net.public_fetch import PORTS, request_public

        return request_public(
            address,
            method=method,
            largest=picture_limits().file,
            seconds=SECONDS,
            ports=(PORTS["https"],),
            context=self._context,
        )

    @cached_property
    def _context(self) -> ssl.SSLContext:
        from steamdino.net.certificates import trusted

        return trusted()


class _Server:
    def __init__(self, rate: float) -> None:
        from steamdino.net.rate_limit import RateLimiter

        self.connections = threading.BoundedSemaphore(CONNECTIONS)
        self.pace = RateLimiter(rate)
        self.failures = 0


@cache
def _usual() -> WebServers:
    return WebServers()


@dataclass(frozen=True, slots=True)
class WebPicture:
    """A picture on a web server.

    Attributes:
        address: begins with ``https://``.
        servers: how it is requested.
    """

    address: str
    servers: WebServers = field(default_factory=_usual, compare=False, repr=False)

    @property
    def path(self) -> None:
        """None: it is not in a local file."""

    @property
    def name(self) -> str:
        """The last part of the address's path."""
        return urlsplit(self.address).path.rpartition("/")[2]

    def status(self) -> PictureStatus:
        """Ask for the size and the mark, without the picture.

        Raises:
            PictureError: the server does not say, or there is no such picture.
        """
        headers = self.servers.send("HEAD", self.address).headers
        size, mark = headers.get("content-length", ""), _validator(headers)
        if not (size.isdecimal() and mark):
            raise PictureError("its server does not say which version it has")
        return PictureStatus(int(size), 0, _number(mark))

    def read(self) -> Content:
        """Download the picture.

        Raises:
            PictureError: it is missing, empty or too large, or its server cannot be reached or is not public.
        """
        reply = self.servers.send("GET", self.address)
        if not reply.body:
            raise PictureError("its server sends nothing")
        return Content(reply.body, 0, _number(_validator(reply.headers)))


def _validator(headers: Mapping[str, str]) -> str:
    """What changes with the content: the ETag, weak or not, or the time of the last modification; empty for neither."""
    return headers.get("etag", "").removeprefix("W/") or headers.get("last-modified", "")


def _number(mark: str) -> int:
    return int.from_bytes(hashlib.sha256(mark.encode()).digest()[:7], "big")


def _answer(status: int) -> str:
    meaning = {
        401: "refuses access",
        403: "refuses access",
        404: "has no such picture",
        410: "has no such picture",
    }
    return f"its server {meaning.get(status, 'answers with an error')} ({status})"
