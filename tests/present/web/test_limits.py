"""What a server refuses, and what it tells about itself."""

from __future__ import annotations

import io
import json
import logging
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from PIL import Image

from steamdino.present.web.app import JsonLines

QUERY = "neonoir"


def _bomb() -> bytes:
    """A PNG that says it is 50,000 pixels square."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _truncated() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((300, 450), 90).save(file, "JPEG")
    return file.getvalue()[:5000]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (_bomb(), 422),
        (_truncated(), 422),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', 422),
        (b"<html><body>hello</body></html>", 422),
        (b"", 422),
        (b"\0" * (11 << 20), 413),
    ],
    ids=["bomb", "truncated", "svg", "html", "empty", "large"],
)
def test_what_is_no_picture_is_refused_in_one_line(web: httpx.Client, data: bytes, status: int) -> None:
    for address in ("/api/v1/similar", "/api/v1/audit"):
        got = web.post(address, files={"picture": ("../../etc/x.png", data)})
        assert got.status_code == status
        assert got.headers["content-type"] == "application/problem+json"
        assert "steamdino-" not in got.text and "Traceback" not in got.text


def test_a_large_body_without_a_length_is_cut_off(web: httpx.Client) -> None:
    def endless() -> Any:
        yield b'--b\r\nContent-Disposition: form-data; name="picture"; filename="x"\r\n\r\n'
        for _ in range(200):
            yield b"\0" * (1 << 20)

    try:
        got = web.post(
            "/api/v1/similar", content=endless(), headers={"content-type": "multipart/form-data; boundary=b"}
        )
        assert got.status_code == 413
    except httpx.TransportError:
        pass  # the server has hung up on us, which is as good
    assert web.get("/healthz").text == "ok\n"


def test_no_path_leads_out_and_no_header_is_injected(web: httpx.Client) -> None:
    for address in (
        "/banners/300/../../etc/passwd",
        "/banners/300/..%2f..%2fetc%2fpasswd",
        "/api/v1/games/%2fetc%2fpasswd",
        "/api/v1/explain?a=/etc/passwd&b=/etc/hosts",
    ):
        got = web.get(address)
        assert got.status_code == 404, address
        assert "root:" not in got.text
    # Whether a file is there makes no difference.
    there, not_there = (
        web.get("/id_from_name", params={"name": name}).json()
        for name in ("/proc/self/mounts", "/proc/self/mountz")
    )
    assert there["detail"].replace("mounts", "") == not_there["detail"].replace("mountz", "")
    got = web.get("/api/v1/games/x%0d%0aset-cookie:%20a=b")
    assert got.status_code == 404
    assert "set-cookie" not in got.headers


def test_every_answer_carries_the_security_headers(web: httpx.Client) -> None:
    for address in ("/api/v1/info", "/api/v1/games/none", "/robots.txt", f"/banners/150/{QUERY}", "/nothing"):
        headers = web.get(address).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_an_address_that_asks_too_often_is_told_to_wait(built: Path, serve: Callable[..., Any]) -> None:
    client = serve(built, requests_per_minute=5.0).client
    assert [client.get("/healthz").status_code for _ in range(7)] == [200] * 5 + [429] * 2
    refused = client.get("/api/v1/info")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 12


def test_a_request_that_takes_too_long_is_ended(built: Path, serve: Callable[..., Any]) -> None:
    client = serve(built, seconds=0.1).client
    file = io.BytesIO()
    Image.effect_noise((2000, 3000), 90).save(file, "PNG")
    got = client.post("/api/v1/audit", files={"picture": file.getvalue()})
    assert got.status_code == 503
    assert "took longer than 0.1 s" in got.json()["detail"]


def test_other_sites_may_use_the_api_only_where_they_are_named(
    built: Path, serve: Callable[..., Any]
) -> None:
    asks = {"origin": "https://wiki.example"}
    assert "access-control-allow-origin" not in serve(built).client.get("/api/v1/info", headers=asks).headers
    named = serve(built, origins="https://wiki.example https://other.example").client
    assert (
        named.get("/api/v1/info", headers=asks).headers["access-control-allow-origin"]
        == "https://wiki.example"
    )


def test_requests_are_counted_timed_and_logged_with_their_stages(
    web: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "steamdino.web"):
        got = web.get(f"/api/v1/games/{QUERY}/similar", params={"k": 2})
        deadline = time.monotonic() + 5  # the line is written when the answer is on its way already
        while not (lines := [one for one in caplog.records if "similar" in str(getattr(one, "facts", ""))]):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert {part.split(";")[0] for part in got.headers["server-timing"].split(", ")} == {"search", "answer"}
    line = lines[-1]
    fact = json.loads(JsonLines().format(line))
    assert (fact["event"], fact["status"], fact["route"]) == (
        "request",
        200,
        "/api/v1/games/{game_id:path}/similar",
    )
    assert fact["stages"]["search"] > 0
    metrics = web.get("/metrics").text
    assert (
        'steamdino_requests_total{method="GET",route="/api/v1/games/{game_id:path}/similar",status="200"}'
        in metrics
    )
    assert 'steamdino_stage_seconds_count{stage="search"}' in metrics
    assert web.get("/readyz").text == "ready\n"
    assert "Disallow: /api/" in web.get("/robots.txt").text
