"""What trusted proxies say about a request: the client's address, the scheme, the host, and the path they add.

Nobody else is believed: these headers decide whose limit a request counts for, and where links lead.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from steamdino.settings import is_root_path

EVERYBODY = "*"
_PREFIX = "forwarded_prefix"
_HOST = re.compile(rb"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")


def forwarded_prefix(scope: Scope) -> str:
    """Return the path that a trusted proxy has put before this server's paths; empty without one."""
    return str(scope.get(_PREFIX, ""))


class TrustedProxies:
    """ASGI middleware that applies X-Forwarded-For, -Proto, -Host and -Prefix, if they come from a trusted proxy."""

    def __init__(self, app: ASGIApp, *, trusted: tuple[IPv4Network | IPv6Network, ...] | str) -> None:
        """Wrap an app.

        Args:
            app: the app that answers.
            trusted: the networks of the proxies, or `EVERYBODY`.
        """
        names = trusted if isinstance(trusted, str) else [str(network) for network in trusted]
        # It sets the client's address and the scheme.
        self._app: ASGIApp = ProxyHeadersMiddleware(app, names)  # type: ignore[assignment, arg-type]
        self._trusted = trusted
        self._trusts = lru_cache(4096)(self._compute_trust)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and self._trusts((scope.get("client") or ("",))[0]):
            scope = {**scope, _PREFIX: _prefix(scope), "headers": _with_host(scope["headers"])}
        await self._app(scope, receive, send)

    def _compute_trust(self, client: str) -> bool:
        if isinstance(self._trusted, str):
            return True
        try:
            address = ip_address(client)
        except ValueError:
            return False
        return any(address in network for network in self._trusted)


def _prefix(scope: Scope) -> str:
    # The nearest proxy's is the last. What is no path, such as "//evil.example", would lead links elsewhere.
    given = _last(scope["headers"], b"x-forwarded-prefix").decode("latin-1").rstrip("/")
    return given if given and is_root_path(given) else ""


def _with_host(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    host = _last(headers, b"x-forwarded-host")
    if not _HOST.fullmatch(host):
        return headers
    return [(b"host", host), *(pair for pair in headers if pair[0] != b"host")]


def _last(headers: list[tuple[bytes, bytes]], name: bytes) -> bytes:
    return next((value.strip() for key, value in reversed(headers) if key == name), b"")
