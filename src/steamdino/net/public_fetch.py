"""Fetches what strangers name by address, from public servers only.

A stranger's address could lead into the network that this machine stands in: to a neighbour, to itself, to a cloud's
metadata. So a name is resolved once, each address that it has must be a public one, and the connection goes to the very
address that was looked at: a name that points elsewhere a moment later (rebinding) changes nothing. Redirects are
followed by hand, each through the same check.

One deadline holds for all of it: looking up names, connecting, encryption, sending, headers and bodies, redirects. A
timeout for each read alone would let a server that sends a byte now and then hold a connection for ever.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from urllib.parse import urljoin, urlsplit

import httpcore2 as httpcore

from steamdino.errors import BusyError, NetworkError
from steamdino.net.addresses import Address, is_public

PORTS = {"http": 80, "https": 443}
REDIRECTS = 3
AGENT = "steam-dino (visual search for game banners)"

LOOKUPS = 16
"""Names that one process looks up at the same time. No look-up can be broken off: one that nobody waits for any more
goes on in its thread until the system gives up."""

Resolve = Callable[[str, int], list[str]]
Allow = Callable[[Address], bool]

_lookups = threading.BoundedSemaphore(LOOKUPS)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def fetch_public(
    url: str,
    *,
    largest: int,
    seconds: float,
    resolve: Resolve = resolve,
    allow: Allow = is_public,
    ports: Iterable[int] = tuple(PORTS.values()),
) -> bytes:
    """Fetches an address.

    Args:
        url: http or https, without a user in it.
        largest: bytes at most.
        seconds: that all of it may take.
        resolve: finds the addresses of a name.
        allow: which of them may be connected to.
        ports: that may be connected to.

    Raises:
        NetworkError: it must not be asked, cannot be reached, does not answer 200, or sends too much or too slowly.
        BusyError: too many names are being looked up.
    """
    deadline = _Deadline(seconds)
    backend = _Backend(resolve, allow, deadline)
    with httpcore.ConnectionPool(ssl_context=ssl.create_default_context(), network_backend=backend) as pool:
        for _ in range(REDIRECTS + 1):
            _check(url, set(ports))
            try:
                status, location, data = _once(pool, url, largest)
            except _LateError:
                raise NetworkError(
                    f"{_shown(url)} takes too long; it was given up after {seconds:g} s"
                ) from None
            except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ValueError) as error:
                # A ValueError is about a name that IDNA cannot encode, or an address of it that is none.
                raise NetworkError(f"{_shown(url)} cannot be reached ({type(error).__name__})") from None
            if status not in (301, 302, 303, 307, 308):
                if status != 200:
                    raise NetworkError(f"{_shown(url)} answers {status}; name the address of a picture")
                return data
            try:
                url = urljoin(url, location)
            except ValueError:
                raise NetworkError(f"{_shown(url)} is redirected to what is no address") from None
    raise NetworkError(f"{_shown(url)} is redirected again and again")


class _LateError(Exception):
    """The time is up."""


class _Deadline:
    """The moment at which all of an exchange must be over."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds that are left.

        Raises:
            _LateError: there are none.
        """
        seconds = self._until - time.monotonic()
        if seconds <= 0:
            raise _LateError
        return seconds


class _Backend(httpcore.SyncBackend):
    """Connects to an address of a name that it has looked at, until a deadline."""

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
            raise NetworkError(f"there is no server {host!r}") from None
        if not found or not all(self._allow(ipaddress.ip_address(one.split("%")[0])) for one in found):
            raise NetworkError(f"{host!r} is not a public server, and is not asked")
        with _late(self._deadline) as left:
            stream = super().connect_tcp(found[0], port, left, local_address, socket_options)
        return _Stream(stream, self._deadline)

    def _looked_up(self, host: str, port: int) -> list[str]:
        """The addresses of a name, found in a thread of its own: a look-up cannot be broken off, only left alone."""
        if not _lookups.acquire(blocking=False):
            raise BusyError("this server is busy with looking up other names; ask again in 5 s", 5)
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
    """A connection that ends at a deadline, however little is read or written at a time."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Reads what is there."""
        with _late(self._deadline) as left:
            return self._stream.read(max_bytes, left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Writes all of it."""
        with _late(self._deadline) as left:
            self._stream.write(buffer, left)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Encrypts it. Python's timeout is for the handshake as a whole, not for each of its reads."""
        with _late(self._deadline) as left:
            return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def close(self) -> None:
        """Closes it."""
        self._stream.close()

    def get_extra_info(self, info: str) -> object:
        """What is known of it."""
        return self._stream.get_extra_info(info)


@contextmanager
def _late(deadline: _Deadline) -> Iterator[float]:
    """The seconds that are left for one step; a step that takes them all comes too late."""
    try:
        yield deadline.left()
    except httpcore.TimeoutException:
        raise _LateError from None


def _check(url: str, ports: set[int]) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        raise NetworkError(f"{_shown(url)} is no address") from None
    if parts.scheme not in PORTS or not parts.hostname or parts.username is not None:
        raise NetworkError(
            f"{_shown(url)} is no address of a picture; it must begin with http:// or https://"
        )
    if port not in ports:
        raise NetworkError(f"{_shown(url)} names the port {port}, which is not asked")
    if not url.isascii() or any(letter <= " " for letter in url):
        raise NetworkError(f"{_shown(url)} has letters that no address has; encode them")


def _once(pool: httpcore.ConnectionPool, url: str, largest: int) -> tuple[int, str, bytes]:
    headers = [(b"User-Agent", AGENT.encode()), (b"Accept", b"image/*")]
    with pool.stream("GET", url, headers=headers) as reply:
        location = next((value for name, value in reply.headers if name.lower() == b"location"), b"")
        if reply.status != 200:
            return reply.status, location.decode("latin-1"), b""
        data = bytearray()
        for part in reply.iter_stream():
            data += part
            if len(data) > largest:
                raise NetworkError(f"{_shown(url)} has more than {largest:,} bytes; name a smaller picture")
        return reply.status, "", bytes(data)


def _shown(url: str) -> str:
    return repr(url[:100])
