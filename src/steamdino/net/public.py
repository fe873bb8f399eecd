"""Fetches what strangers name by address, from public servers only.

A stranger's address could lead into the network that this machine stands in: to a neighbour, to itself, to a cloud's
metadata. So a name is resolved once, each address that it has must be a public one, and the connection goes to the very
address that was looked at: a name that points elsewhere a moment later (rebinding) changes nothing. Redirects are
followed by hand, each through the same check.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from urllib.parse import urljoin, urlsplit

import httpcore2 as httpcore

from steamdino.errors import NetworkError

PORTS = {"http": 80, "https": 443}
REDIRECTS = 3
AGENT = "steam-dino (visual search for game banners)"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]
Allow = Callable[[Address], bool]

_TRANSLATED = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16")))
"""Addresses that carry one of version 4 inside: NAT64, Teredo, 6to4."""


def is_public(address: Address) -> bool:
    """Whether anybody on the internet may have an address."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if any(address in network for network in _TRANSLATED):
            return False
    return address.is_global and not address.is_multicast


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
    """
    deadline = time.monotonic() + seconds
    backend = _Backend(resolve, allow)
    with httpcore.ConnectionPool(ssl_context=ssl.create_default_context(), network_backend=backend) as pool:
        for _ in range(REDIRECTS + 1):
            _check(url, set(ports))
            try:
                status, location, data = _once(pool, url, largest, deadline)
            except (
                httpcore.NetworkError,
                httpcore.TimeoutException,
                httpcore.ProtocolError,
                OSError,
            ) as error:
                raise NetworkError(f"{_shown(url)} cannot be reached ({type(error).__name__})") from None
            if status not in (301, 302, 303, 307, 308):
                if status != 200:
                    raise NetworkError(f"{_shown(url)} answers {status}; name the address of a picture")
                return data
            url = urljoin(url, location)
    raise NetworkError(f"{_shown(url)} is redirected again and again")


class _Backend(httpcore.SyncBackend):
    """Connects to an address of a name that it has looked at."""

    def __init__(self, resolve: Resolve, allow: Allow) -> None:
        super().__init__()
        self._resolve = resolve
        self._allow = allow

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = self._resolve(host, port)
        except OSError:
            raise NetworkError(f"there is no server {host!r}") from None
        if not found or not all(self._allow(ipaddress.ip_address(one.split("%")[0])) for one in found):
            raise NetworkError(f"{host!r} is not a public server, and is not asked")
        return super().connect_tcp(found[0], port, timeout, local_address, socket_options)


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


def _once(pool: httpcore.ConnectionPool, url: str, largest: int, deadline: float) -> tuple[int, str, bytes]:
    left = max(deadline - time.monotonic(), 0.01)
    waits = dict.fromkeys(("connect", "read", "write", "pool"), left)
    headers = [(b"User-Agent", AGENT.encode()), (b"Accept", b"image/*")]
    with pool.stream("GET", url, headers=headers, extensions={"timeout": waits}) as reply:
        location = next((value for name, value in reply.headers if name.lower() == b"location"), b"")
        if reply.status != 200:
            return reply.status, location.decode("latin-1"), b""
        data = bytearray()
        for part in reply.iter_stream():
            data += part
            if len(data) > largest:
                raise NetworkError(f"{_shown(url)} has more than {largest:,} bytes; name a smaller picture")
            if time.monotonic() > deadline:
                raise NetworkError(f"{_shown(url)} takes too long")
        return reply.status, "", bytes(data)


def _shown(url: str) -> str:
    return repr(url[:100])
