"""The path below which a proxy offers this server, and the addresses that follow from it.

Every path in a response begins with `base`: in templates as ``{{ base }}/games/730``, in Python by `below`.
"""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from steamdino.present.web.proxies import forwarded_prefix


def base(request: Request) -> str:
    """Return the path below which this server is reached: "" or, for example, "/games"."""
    return str(request.scope.get("root_path", ""))


def below(request: Request, path: str) -> str:
    """Return the path at which clients reach one of this server's paths. Cookies take ``below(request, "/")``."""
    return base(request) + path


def origin(request: Request) -> str:
    """Return what an absolute address begins with, such as "https://example.org"."""
    return f"{request.url.scheme}://{request.url.netloc}"


def own_path(scope: Scope) -> str:
    """Return a request's path as this server's routes name it."""
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


class RootPath:
    """ASGI middleware that finds out below which path this server is reached, whether or not the proxy strips it.

    Afterwards ``root_path`` is that path, and ``path`` and ``raw_path`` begin with it, as ASGI wants it.
    """

    def __init__(self, app: ASGIApp, *, root_path: str, routes: Iterable[Route]) -> None:
        """Wrap an app.

        Args:
            app: the app that answers.
            root_path: where it is reached; empty to believe the X-Forwarded-Prefix of trusted proxies.
            routes: all routes of the app.
        """
        self._app = app
        self._root_path = root_path
        self._patterns = [route.path_regex for route in routes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        prefix = self._root_path or forwarded_prefix(scope)
        if scope["type"] == "http" and prefix:
            path, raw = scope["path"], scope.get("raw_path") or scope["path"].encode()
            if self._is_whole(path, prefix):
                path, raw = path[len(prefix) :] or "/", raw[len(prefix) :] or b"/"
            scope = {
                **scope,
                "root_path": prefix,
                "path": prefix + path,
                "raw_path": prefix.encode() + raw,
            }
        await self._app(scope, receive, send)

    def _is_whole(self, path: str, prefix: str) -> bool:
        """Return whether a path still has the prefix.

        It may also have been stripped and be one of this server's that begin in the same way: "/games/730" below
        "/games". Then it has the prefix only if the rest is a path of this server.
        """
        if path != prefix and not path.startswith(f"{prefix}/"):
            return False
        rest = path[len(prefix) :] or "/"
        return self._has(rest) or not self._has(path)

    def _has(self, path: str) -> bool:
        return any(pattern.match(path) for pattern in self._patterns)
