"""Middleware for every request: security headers, a log line and metrics."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from steamdino.present.web.metrics import Metrics
from steamdino.present.web.request_etags import READS
from steamdino.present.web.root_path import own_path
from steamdino.present.web.timing import collecting

LOG = logging.getLogger("steamdino.web")


class Middleware:
    """ASGI middleware that adds headers to every answer, and logs and counts it."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, picture_hosts: tuple[str, ...] = ()) -> None:
        """Wrap an app.

        Args:
            app: the app that answers.
            metrics: the counters to update.
            picture_hosts: servers that pages may load pictures from.
        """
        self._app = app
        self._metrics = metrics
        self._headers = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in security_headers(picture_hosts).items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._completed([*message["headers"]], scope["method"], stages)
            await send(message)

        with collecting() as stages:
            try:
                await self._app(scope, receive, sending)
            finally:
                self._count(scope, status, time.perf_counter() - started, stages)

    def _completed(
        self, headers: list[tuple[bytes, bytes]], method: str, stages: Mapping[str, float]
    ) -> list[tuple[bytes, bytes]]:
        """Return the headers of an answer with those that it lacks; it keeps its own."""
        own = {name for name, _ in headers}
        added = self._headers
        if method in READS:  # errors as well: a missing game may exist tomorrow
            added = [*added, (b"cache-control", b"no-store")]
        timing = ", ".join(f"{name};dur={1000 * seconds:.1f}" for name, seconds in stages.items())
        headers += [pair for pair in added if pair[0] not in own]
        headers.append((b"server-timing", timing.encode("latin-1")))
        return headers

    def _count(self, scope: Scope, status: int, seconds: float, stages: dict[str, float]) -> None:
        route = getattr(scope.get("route"), "path", "none")
        self._metrics.count(scope["method"], route, status, seconds, stages)
        if LOG.isEnabledFor(logging.INFO):
            facts = {
                "method": scope["method"],
                "route": route,
                "path": own_path(scope)[:200],
                "status": status,
                "ms": round(1000 * seconds, 2),
                "stages": {name: round(1000 * value, 2) for name, value in stages.items()},
            }
            LOG.info("request", extra={"facts": facts})


def security_headers(picture_hosts: tuple[str, ...]) -> dict[str, str]:
    """Return the headers that stop browsers from running or loading anything from elsewhere."""
    pictures = " ".join(("'self'", "data:", *picture_hosts))
    return {
        "content-security-policy": (
            f"default-src 'none'; img-src {pictures}; script-src 'self'; style-src 'self'; connect-src 'self';"
            " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
    }
