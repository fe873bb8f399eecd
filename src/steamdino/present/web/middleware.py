"""Middleware for every request: limits, security headers, ETags, a log line and metrics."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPMethod, HTTPStatus

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from steamdino.present.web.deadline import within
from steamdino.present.web.error_responses import problem, unforeseen
from steamdino.present.web.etags import is_known
from steamdino.present.web.legacy_pages import TURNS
from steamdino.present.web.timing import collecting
from steamdino.settings import WebSettings

LOG = logging.getLogger("steamdino.web")

LONGEST_URL = 8192
ADDRESSES = 10_000
"""Maximum number of client addresses whose requests are counted."""
ENVELOPE = 64 << 10
"""Bytes of a request's body around an uploaded picture."""
CHANGING = frozenset(
    (
        "/healthz",
        "/readyz",
        "/metrics",
        "/random",
        "/api/v1/games/random",
        "/api/v1/similar",
        "/duplicates",
        "/curator",
        "/api/v1/duplicates",
        "/changes",
        "/changes.atom",
        "/api/v1/changes",
        *(f"/{kind}{turn}{end}" for kind in ("render", "store") for turn in TURNS for end in ("", "/")),
    )
)
"""Paths whose answers depend on more than the snapshot: on chance, on another server, on a person's decisions, or on
the gallery's database (answers about changes have ETags of their own)."""
OWN = ("/banners/", "/static/", "/changes/pictures/", "/picture/")
"""Prefixes of paths whose answers set their own Cache-Control."""
READS = ("GET", "HEAD")
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Limiter:
    """A rate limit per client address: a token bucket that holds at most the requests of one minute.

    Used by one thread, the event loop's.
    """

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Count a request; return 0, or the seconds after which the address may send another."""
        if not self._per_minute:
            return 0.0
        now = self._clock()
        left, since = self._buckets.pop(address, (self._per_minute, now))
        left = min(self._per_minute, left + (now - since) * self._per_minute / 60)
        allowed = left >= 1
        self._buckets[address] = (left - 1 if allowed else left, now)
        if len(self._buckets) > ADDRESSES:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - left) * 60 / self._per_minute


class Metrics:
    """Counters and timers of requests, for Prometheus. Threads may share it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("steamdino_requests", "Requests.", labels, registry=self.registry)
        self.seconds = Histogram(
            "steamdino_request_seconds",
            "Time to answer.",
            ("route",),
            registry=self.registry,
            buckets=BUCKETS,
        )
        self.stages = Histogram(
            "steamdino_stage_seconds", "Time of a stage.", ("stage",), registry=self.registry, buckets=BUCKETS
        )
        # Looking up a series by its labels takes as long as updating it. There are as many series as label values.
        self._requests = cache(self.requests.labels)
        self._seconds = cache(self.seconds.labels)
        self._stages = cache(self.stages.labels)

    def count(
        self, method: str, route: str, status: int, seconds: float, stages: Mapping[str, float]
    ) -> None:
        """Count a request, and observe its time and that of its stages, in seconds."""
        # Clients can invent methods, and each would add a time series for ever.
        self._requests(method if method in HTTPMethod.__members__ else "other", route, status).inc()
        self._seconds(route).observe(seconds)
        for name, value in stages.items():
            self._stages(name).observe(value)


class Middleware:
    """ASGI middleware that applies limits, headers, ETags, logging and metrics to every request."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        web: WebSettings,
        metrics: Metrics,
        version: Callable[[], str],
        picture_hosts: tuple[str, ...] = (),
    ) -> None:
        """Wrap an app.

        Args:
            app: the app that answers.
            web: the server's settings, with the limits.
            metrics: the counters to update.
            version: names what is served now; answers stay the same as long as it does.
            picture_hosts: servers that pages may load pictures from.
        """
        self._app = app
        self._web = web
        self._metrics = metrics
        self._version = version
        self._limiter = Limiter(web.requests_per_minute)
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
        tag = self._tag(scope)

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._completed(
                    [*message["headers"]], tag, status, scope["method"], stages
                )
            await send(message)

        with collecting() as stages:
            try:
                answer = self._refusal(scope, tag)
                if answer is not None:
                    await answer(scope, receive, sending)
                else:
                    await self._answer(scope, receive, sending)
            finally:
                self._count(scope, status, time.perf_counter() - started, stages)

    def _completed(
        self,
        headers: list[tuple[bytes, bytes]],
        tag: str | None,
        status: int,
        method: str,
        stages: Mapping[str, float],
    ) -> list[tuple[bytes, bytes]]:
        """Return the headers of an answer with those that it lacks; it keeps its own."""
        own = {name for name, _ in headers}
        added = self._headers
        if tag and status in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED):
            added = [*added, (b"etag", tag.encode("latin-1")), (b"cache-control", b"no-cache")]
        elif method in READS:  # errors as well: a missing game may exist tomorrow
            added = [*added, (b"cache-control", b"no-store")]
        timing = ", ".join(f"{name};dur={1000 * seconds:.1f}" for name, seconds in stages.items())
        headers += [pair for pair in added if pair[0] not in own]
        headers.append((b"server-timing", timing.encode("latin-1")))
        return headers

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun, most, got = False, self._web.largest_upload + ENVELOPE, 0

        async def receiving() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > most:
                raise HTTPException(
                    413, self._too_large
                )  # an exception that FastAPI passes on while it reads a body
            return message

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            async with asyncio.timeout(self._web.seconds):
                with within(self._web.seconds):
                    await self._app(scope, receiving, sending)
        except Exception as error:
            if begun:
                raise
            if not isinstance(error, TimeoutError):
                # Starlette's own handler runs outside this middleware: without security headers or a log line.
                await unforeseen(Request(scope), error)(scope, receive, send)
                return
            await problem(503, f"it took longer than {self._web.seconds:g} s; request less")(
                scope, receive, send
            )

    @property
    def _too_large(self) -> str:
        return f"a picture may have at most {self._web.largest_upload:,} bytes; send a smaller one"

    def _refusal(self, scope: Scope, tag: str | None) -> ASGIApp | None:
        length = _header(scope, b"content-length", "0")
        client = scope.get("client")
        wait = self._limiter.wait(client[0] if client else "")
        if wait:
            seconds = str(math.ceil(wait))
            return problem(429, f"too many requests; try again in {seconds} s", {"retry-after": seconds})
        if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_URL:
            return problem(414, "the address is too long; send fewer or shorter parameters")
        if not length.isdecimal() or int(length) > self._web.largest_upload + ENVELOPE:
            return problem(413, self._too_large)
        if tag and is_known(tag, _header(scope, b"if-none-match", "")):
            return problem(304, "", {"etag": tag})
        return None

    def _tag(self, scope: Scope) -> str | None:
        """Return the ETag of the answer to a request; None if the answer may differ each time."""
        path = scope["path"]
        if scope["method"] not in READS or path in CHANGING or path.startswith(OWN):
            return None
        asked = scope["raw_path"] + b"?" + scope["query_string"]
        digest = hashlib.sha256(asked).hexdigest()[:16]
        return f'W/"{self._version()}-{digest}"'

    def _count(self, scope: Scope, status: int, seconds: float, stages: dict[str, float]) -> None:
        route = getattr(scope.get("route"), "path", "none")
        self._metrics.count(scope["method"], route, status, seconds, stages)
        if LOG.isEnabledFor(logging.INFO):
            facts = {
                "method": scope["method"],
                "route": route,
                "path": scope["path"][:200],
                "status": status,
                "ms": round(1000 * seconds, 2),
                "stages": {name: round(1000 * value, 2) for name, value in stages.items()},
            }
            LOG.info("request", extra={"facts": facts})


def _header(scope: Scope, name: bytes, default: str) -> str:
    """Return a request's header, the first one if there are several."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), default)


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
