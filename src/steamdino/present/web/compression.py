"""Compression of texts: zstd, brotli or gzip, whichever a client accepts."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette_compress import CompressMiddleware, add_compress_type

LEAST = 1024
"""Bytes from which a text is compressed. Below, most of an answer is its headers."""

add_compress_type("application/problem+json")


class Compression:
    """ASGI middleware that compresses texts, and answers HEAD with the headers that GET would have.

    An answer has the same content in each coding, but not the same bytes, so a strong ETag becomes a weak one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = CompressMiddleware(app, minimum_size=LEAST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        asked = {**scope, "method": "GET"} if head else scope

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                _mark(MutableHeaders(raw=message["headers"]), message["status"])
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(asked, receive, sending)
        finally:
            if "route" in asked:
                scope["route"] = asked["route"]  # for the middleware that counts requests


def _mark(headers: MutableHeaders, status: int) -> None:
    tag = headers.get("etag", "")
    if headers.get("content-encoding") and tag and not tag.startswith("W/"):
        headers["etag"] = f"W/{tag}"
    if status == 304:  # it has what the answer with a body would have (RFC 9110, 15.4.5)
        headers.add_vary_header("Accept-Encoding")
