"""Compressed texts: the same content in each coding, and headers that caches can rely on."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
import httpx2 as httpx
import pytest
import zstandard

from steamdino.present.web import static
from steamdino.present.web.compression import LEAST, Compression

DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}
TEXTS = ("/games/neonoir", "/api/v1/games?k=50", "/openapi.json", "/metrics")


def raw(web: httpx.Client, path: str, coding: str, method: str = "GET", **headers: str) -> tuple[Any, bytes]:
    """Return the headers and the bytes of an answer as they were sent."""
    with web.stream(method, path, headers={"accept-encoding": coding, **headers}) as got:
        return got, b"".join(got.iter_raw())


@pytest.mark.parametrize("coding", DECODERS)
@pytest.mark.parametrize("path", [*TEXTS, static.address(static.APP), static.address("site.css")])
def test_a_text_has_the_same_content_in_each_coding(web: httpx.Client, path: str, coding: str) -> None:
    web.get(path)  # so that there are metrics of something
    plain, content = raw(web, path, "identity")
    got, data = raw(web, path, coding)
    assert "content-encoding" not in plain.headers
    assert got.headers["content-encoding"] == coding
    assert int(got.headers["content-length"]) == len(data)
    if path != "/metrics":
        assert DECODERS[coding](data) == content
        assert int(plain.headers["content-length"]) == len(content)
    assert len(data) < 0.6 * len(content)
    for one in (plain, got):
        assert "accept-encoding" in one.headers["vary"].lower()
    assert got.headers.get("etag") == plain.headers.get("etag")  # weak, or none


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip;q=0, br;q=0.5", "br"),
        ("gzip;q=0", None),
        ("deflate", None),
        ("*", "zstd"),
        ("", None),
    ],
)
def test_the_best_coding_that_is_accepted_is_used(web: httpx.Client, accept: str, coding: str | None) -> None:
    got, _ = raw(web, "/games/neonoir", accept)
    assert got.headers.get("content-encoding") == coding


def test_pictures_and_short_texts_are_sent_as_they_are(web: httpx.Client) -> None:
    picture = web.get("/api/v1/games/neonoir").json()["picture"]
    for path in (picture, "/healthz", "/robots.txt", "/api/v1/games/none"):
        got, data = raw(web, path, "gzip, br, zstd")
        assert "content-encoding" not in got.headers, path
        assert int(got.headers["content-length"]) == len(data)
    got, _ = raw(web, picture, "gzip, br, zstd")
    assert got.headers["etag"].startswith('"')  # a strong one: its bytes are the same for everybody
    assert "accept-encoding" not in got.headers.get("vary", "").lower()


def test_what_is_known_in_one_coding_is_known_in_all(web: httpx.Client) -> None:
    first, _ = raw(web, "/games/neonoir", "br")
    for accept in ("br", "gzip", "identity"):
        got, data = raw(web, "/games/neonoir", accept, **{"if-none-match": first.headers["etag"]})
        assert (got.status_code, data) == (304, b"")
        assert "accept-encoding" in got.headers["vary"].lower()
        assert "content-encoding" not in got.headers and "content-length" not in got.headers


def test_head_has_the_headers_that_get_has(web: httpx.Client) -> None:
    for path in ("/games/neonoir", "/openapi.json", "/healthz", "/nothing"):
        for accept in ("identity", "gzip", "br", "zstd"):
            got, _ = raw(web, path, accept)
            head, data = raw(web, path, accept, "HEAD")
            assert data == b""
            for name in ("content-length", "content-encoding", "vary", "etag"):
                assert head.headers.get(name) == got.headers.get(name), (path, accept, name)


def test_a_range_of_bytes_is_answered_with_the_whole(web: httpx.Client) -> None:
    """A server may do so. Ranges of what is compressed anew each time would not fit together."""
    got, data = raw(web, "/games/neonoir", "gzip", range="bytes=0-99")
    assert (got.status_code, "content-range" in got.headers) == (200, False)
    assert gzip.decompress(data).startswith(b"<!DOCTYPE html>")


def answered(
    status: int, headers: dict[str, str], parts: list[bytes], accept: str
) -> tuple[dict[str, str], bytes]:
    """Return what the middleware makes of an answer in parts."""
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        for place, part in enumerate(parts):
            await send({"type": "http.response.body", "body": part, "more_body": place + 1 < len(parts)})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "headers": [(b"accept-encoding", accept.encode())]}
    with pytest.raises(StopIteration):
        Compression(app)(scope, None, send).send(None)  # type: ignore[arg-type]
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return found, b"".join(one["body"] for one in sent[1:])


@pytest.mark.parametrize("coding", DECODERS)
def test_a_strong_tag_becomes_weak_where_the_bytes_become_others(coding: str) -> None:
    headers = {"content-type": "text/css", "etag": '"abc"'}
    changed, data = answered(200, headers, [b"x" * LEAST], coding)
    same, _ = answered(200, headers, [b"x" * (LEAST - 1)], coding)
    plain, _ = answered(200, headers, [b"x" * LEAST], "identity")
    assert (changed["etag"], same["etag"], plain["etag"]) == ('W/"abc"', '"abc"', '"abc"')
    assert DECODERS[coding](data) == b"x" * LEAST


@pytest.mark.parametrize("coding", DECODERS)
def test_a_text_that_is_sent_in_parts_is_compressed_in_parts(coding: str) -> None:
    headers, data = answered(
        200, {"content-type": "text/plain"}, [b"one ", b"", b"two ", b"three" * 500], coding
    )
    assert headers["content-encoding"] == coding
    assert "content-length" not in headers
    assert DECODERS[coding](data) == b"one two " + b"three" * 500


def test_a_part_of_a_file_and_what_is_compressed_already_stay_as_they_are() -> None:
    part = {"content-type": "text/plain", "content-range": "bytes 0-1999/5000"}
    assert answered(206, part, [b"x" * 2000], "gzip") == (part, b"x" * 2000)
    packed = {"content-type": "text/plain", "content-encoding": "br", "etag": 'W/"a"'}
    assert answered(200, packed, [b"x" * 2000], "gzip") == (packed, b"x" * 2000)


def test_long_errors_are_compressed_too(built: Path, serve: Callable[..., Any]) -> None:
    got, data = raw(serve(built).client, "/nothing", "gzip", accept="text/html")
    assert (got.status_code, got.headers["content-encoding"]) == (404, "gzip")
    assert b"Not found" in gzip.decompress(data)
