"""Limits on requests: how many, how large, how long; and the short answer to a client that has the current one."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from steamdino.present.web.deadline import within
from steamdino.present.web.error_responses import answer, unforeseen
from steamdino.present.web.etags import is_known
from steamdino.present.web.rate_limit import Limiter, LocalLimiter, SharedLimiter, Verdict
from steamdino.present.web.request_etags import PICTURES, header, tag_of_request
from steamdino.present.web.root_path import own_path
from steamdino.settings import WebSettings

LONGEST_URL = 8192
ENVELOPE = 64 << 10
"""Bytes of a request's body around an uploaded picture."""
LIMITS = "limits.sqlite"
"""The file in which all processes of the server count requests together."""


class Budget:
    """One of the rate limits, with its name."""

    def __init__(self, name: str, per_minute: float, file: Path | None) -> None:
        self._name = name
        self._per_minute = per_minute
        self._limiter: Limiter | None = None
        if per_minute:
            self._limiter = SharedLimiter(file, name, per_minute) if file else LocalLimiter(per_minute)

    def count(self, address: str) -> Verdict | None:
        """Count a request; None without a limit."""
        return self._limiter.count(address) if self._limiter else None

    def excess(self, verdict: Verdict) -> str:
        """Return why a request is refused, and what to do."""
        what = f"more than {self._per_minute:,g} {self._name} per minute"
        return f"{what} came from this address; try again in {math.ceil(verdict.wait)} s"

    def headers(self, verdict: Verdict) -> list[tuple[bytes, bytes]]:
        """Return what tells a client how much is left (the IETF's draft of RateLimit header fields)."""
        policy = f'"{self._name}";q={self._per_minute:g};w=60'
        left = f'"{self._name}";r={verdict.left};t={math.ceil(verdict.full)}'
        return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]


class Limits:
    """ASGI middleware that refuses what is too much, and sets the ETags of all other answers."""

    def __init__(
        self, app: ASGIApp, *, web: WebSettings, version: Callable[[], str], shared: Path | None = None
    ) -> None:
        """Wrap an app.

        Args:
            app: the app that answers.
            web: the server's settings, with the limits.
            version: names what is served now; answers stay the same as long as it does.
            shared: a folder in which all processes of the server count together; None for a single process.
        """
        self._app = app
        self._web = web
        self._version = version
        file = shared and shared / LIMITS
        self._requests = Budget("requests", web.requests_per_minute, file)
        self._pictures = Budget("pictures", web.pictures_per_minute, file)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = own_path(scope)
        tag = tag_of_request(scope, path, self._version())
        budget = self._pictures if path.startswith(PICTURES) else self._requests
        verdict = budget.count((scope.get("client") or ("",))[0])

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"] = [*message["headers"]]
                own = {name for name, _ in headers}
                if tag and message["status"] in (200, 304):
                    added = [(b"etag", tag.encode("latin-1")), (b"cache-control", b"no-cache")]
                    headers += [pair for pair in added if pair[0] not in own]
                if verdict:
                    headers += budget.headers(verdict)
            await send(message)

        if verdict and verdict.wait:
            headers = {"retry-after": str(math.ceil(verdict.wait))}
            refused: Response | None = answer(Request(scope), 429, budget.excess(verdict), headers)
        else:
            refused = self._refusal(scope, tag)
        await (refused(scope, receive, sending) if refused else self._answer(scope, receive, sending))

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
            request = Request(scope)
            if not isinstance(error, TimeoutError):
                # Starlette's own handler runs outside this middleware: without security headers or a log line.
                await unforeseen(request, error)(scope, receive, send)
                return
            detail = f"it took longer than {self._web.seconds:g} s; request less"
            await answer(request, 503, detail)(scope, receive, send)

    @property
    def _too_large(self) -> str:
        return f"a picture may have at most {self._web.largest_upload:,} bytes; send a smaller one"

    def _refusal(self, scope: Scope, tag: str | None) -> Response | None:
        request = Request(scope)
        length = header(scope, b"content-length", "0")
        if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_URL:
            return answer(request, 414, "the address is too long; send fewer or shorter parameters")
        if not length.isdecimal() or int(length) > self._web.largest_upload + ENVELOPE:
            return answer(request, 413, self._too_large)
        if tag and is_known(tag, header(scope, b"if-none-match", "")):
            return answer(request, 304, "", {"etag": tag})
        return None
