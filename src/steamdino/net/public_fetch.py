"""Fetch addresses that users supply, from public servers only (protection against SSRF).

A user's address could lead into the network of this machine: to a neighbour, to the machine itself, to a cloud's
metadata service. So a host name is resolved once, all of its addresses must be public, and the connection goes to the
very address that was checked. DNS rebinding, a name that resolves differently a moment later, has no effect. Redirects
are followed by hand, each with the same check.

One deadline covers everything: name look-ups, connecting, the TLS handshake, sending, headers, bodies and redirects.
With a timeout per read only, a server that sends a byte now and then could hold a connection for ever.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from urllib.parse import urljoin, urlsplit

import httpcore2 as httpcore

from steamdino.errors import BusyError, NetworkError
from steamdino.net.addresses import Address, is_public
from steamdino.net.certificates import refusal, trusted

PORTS = {"http": 80, "https": 443}
REDIRECTS = 3
AGENT = "steam-dino (visual search for game banners)"

LOOKUPS = 16
"""Maximum number of simultaneous name look-ups in a process. A look-up cannot be cancelled: after a timeout it
continues in its thread until the system gives up."""

CHUNK = 4096
"""Bytes that are sent at a time."""

Resolve = Callable[[str, int], list[str]]
Allow = Callable[[Address], bool]

_lookups = threading.BoundedSemaphore(LOOKUPS)


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host name."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class FetchError(NetworkError):
    """An address is not allowed, cannot be reached, or does not answer as it should.

    Attributes:
        reason: what the message says of the address, without naming it, such as "takes too long".
        passing: whether it may succeed later.
    """

    def __init__(self, message: str, reason: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.reason, self.passing = reason, passing


@dataclass(frozen=True, slots=True)
class PublicReply:
    """A server's response that is no redirect: the status, headers by lower-case name, and the body of a 200."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def fetch_public(
    url: str,
    *,
    largest: int,
    seconds: float,
    resolve: Resolve = resolve,
    allow: Allow = is_public,
    ports: Iterable[int] = tuple(PORTS.values()),
) -> bytes:
    """Fetch an address and return its body.

    Args:
        url, largest, seconds, resolve, allow, ports: as for `request_public`.

    Raises:
        NetworkError: it is not allowed, cannot be reached, does not answer 200, or sends too much or too slowly.
        BusyError: too many name look-ups are in progress.
    """
    reply = request_public(url, largest=largest, seconds=seconds, resolve=resolve, allow=allow, ports=ports)
    if reply.status != 200:
        raise _of(url, f"answers {reply.status}; name the address of a picture")
    return reply.body


def request_public(
    url: str,
    *,
    method: str = "GET",
    largest: int,
    seconds: float,
    resolve: Resolve = resolve,
    allow: Allow = is_public,
    ports: Iterable[int] = tuple(PORTS.values()),
    context: ssl.SSLContext | None = None,
) -> PublicReply:
    """Request an address, following redirects.

    Args:
        url: an http or https address without user information.
        method: "GET" or "HEAD".
        largest: maximum size of the body in bytes.
        seconds: maximum time for the whole exchange.
        resolve: returns the addresses of a host name.
        allow: returns whether an address may be connected to.
        ports: allowed ports.
        context: the certificates to trust, for callers with many requests; None to read them.

    Raises:
        FetchError: it is not allowed, cannot be reached, or sends too much or too slowly.
        BusyError: too many name look-ups are in progress.
    """
    deadline = _Deadline(seconds)
    backend = _Backend(resolve, allow, deadline)
    with httpcore.ConnectionPool(ssl_context=context or trusted(), network_backend=backend) as pool:
        for _ in range(REDIRECTS + 1):
            _check(url, set(ports))
            try:
                reply = _once(pool, method, url, largest)
            except _LateError:
                raise _of(
                    url, f"takes too long; the fetch was stopped after {seconds:g} s", passing=True
                ) from None
            except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ValueError) as error:
                if reason := refusal(error):
                    raise _of(url, f"cannot be reached: its certificate was refused ({reason})") from None
                # A ValueError means a name that IDNA cannot encode, or an invalid address in its DNS records.
                raise _of(url, f"cannot be reached ({type(error).__name__})", passing=True) from None
            if reply.status not in (301, 302, 303, 307, 308):
                return reply
            try:
                url = urljoin(url, reply.headers.get("location", ""))
            except ValueError:
                raise _of(url, "redirects to an invalid address") from None
    raise _of(url, "redirects too many times")


class _LateError(Exception):
    """The deadline has passed."""


class _Deadline:
    """The moment by which an exchange must be finished."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def left(self) -> float:
        """Return the remaining seconds.

        Raises:
            _LateError: no time is left.
        """
        seconds = self._until - time.monotonic()
        if seconds <= 0:
            raise _LateError
        return seconds


class _Backend(httpcore.SyncBackend):
    """A network backend that connects to checked addresses only, until a deadline."""

    def __init__(self, resolve: Resolve, allow: Allow, deadline: _Deadline) -> None:
        super().__init__()
        self._resolve = resolve
        self._allow = allow
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = self._looked_up(host, port)
        except OSError:
            raise FetchError(f"there is no server {host!r}", "leads to no server", passing=True) from None
        if not found or not all(self._allow(ipaddress.ip_address(one.split("%")[0])) for one in found):
            raise FetchError(
                f"{host!r} is not a public server; nothing was requested from it",
                "leads to no public server; nothing was requested",
            )
        with _late(self._deadline) as left:
            stream = super().connect_tcp(found[0], port, left, local_address, socket_options)
        return _Stream(stream, self._deadline)

    def _looked_up(self, host: str, port: int) -> list[str]:
        """Return the addresses of a name, resolved in a thread of its own, since a look-up cannot be cancelled."""
        if not _lookups.acquire(blocking=False):
            raise BusyError("too many name look-ups are in progress on this server; try again in 5 s", 5)
        answers: SimpleQueue[list[str] | Exception] = SimpleQueue()

        def look_up() -> None:
            try:
                answers.put(self._resolve(host, port))
            except Exception as error:
                answers.put(error)
            finally:
                _lookups.release()

        threading.Thread(target=look_up, name="look up", daemon=True).start()
        try:
            found = answers.get(timeout=self._deadline.left())
        except Empty:
            raise _LateError from None
        if isinstance(found, Exception):
            raise found
        return found


class _Stream(httpcore.NetworkStream):
    """A connection that ends at a deadline, however little each read or write transfers."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has arrived."""
        with _late(self._deadline) as left:
            return self._stream.read(max_bytes, left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write the whole buffer."""
        rest = memoryview(buffer)
        while rest:
            # The timeout holds for each call of `send`, of which a server that reads little by little needs many.
            with _late(self._deadline) as left:
                self._stream.write(bytes(rest[:CHUNK]), left)
            rest = rest[CHUNK:]

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Start TLS. Python's timeout applies to the handshake as a whole, not to each of its reads."""
        with _late(self._deadline) as left:
            return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def get_extra_info(self, info: str) -> object:
        """Return information about the connection."""
        return self._stream.get_extra_info(info)


@contextmanager
def _late(deadline: _Deadline) -> Iterator[float]:
    """Yield the seconds that are left for one step; raise `_LateError` if the step uses them up."""
    try:
        yield deadline.left()
    except httpcore.TimeoutException:
        raise _LateError from None


def _check(url: str, ports: set[int]) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        raise _of(url, "is not a valid address") from None
    if parts.scheme not in PORTS or not parts.hostname or parts.username is not None:
        raise _of(url, "is not the address of a picture; it must begin with http:// or https://")
    if port not in ports:
        raise _of(url, f"uses port {port}, which is not allowed")
    if not url.isascii() or any(letter <= " " for letter in url):
        raise _of(url, "contains characters that are not allowed in an address; encode them")


def _once(pool: httpcore.ConnectionPool, method: str, url: str, largest: int) -> PublicReply:
    headers = [(b"User-Agent", AGENT.encode()), (b"Accept", b"image/*")]
    with pool.stream(method, url, headers=headers) as reply:
        answered = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in reply.headers}
        data = bytearray()
        for part in reply.iter_stream() if reply.status == 200 else ():
            data += part
            if len(data) > largest:
                raise _of(url, f"has more than {largest:,} bytes; name a smaller picture")
        return PublicReply(reply.status, answered, bytes(data))


def _of(url: str, reason: str, *, passing: bool = False) -> FetchError:
    return FetchError(f"{_shown(url)} {reason}", reason, passing=passing)


def _shown(url: str) -> str:
    return repr(url[:100])
