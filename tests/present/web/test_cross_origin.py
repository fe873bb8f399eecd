"""What pages of other origins may do, and what they are told when something goes wrong."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from steamdino.errors import BusyError
from steamdino.present.web.snapshot_registry import SnapshotRegistry

WIKI = "https://wiki.example"
EXPOSED = {"etag", "link", "ratelimit", "ratelimit-policy", "retry-after"}


def _allowed(got: Any) -> str | None:
    if "access-control-allow-origin" in got.headers:
        assert {
            one.strip().lower() for one in got.headers["access-control-expose-headers"].split(",")
        } == EXPOSED
    return got.headers.get("access-control-allow-origin")


def test_every_answer_may_be_read_errors_included(
    built: Path, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = serve(built, origins=WIKI, requests_per_minute=1.0).client
    answers = [limited.get("/api/v1/info", headers={"origin": WIKI}) for _ in range(2)]
    client = serve(built, origins=WIKI, largest_upload=1000).client
    client.headers["origin"] = WIKI
    tag = client.get("/api/v1/info").headers["etag"]

    def busy(*_: Any, **__: Any) -> None:
        raise BusyError("busy", 7)

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError

    answers += [
        client.get("/api/v1/info"),
        client.get("/api/v1/info", headers={"if-none-match": tag}),
        client.get("/api/v1/games/none"),
        client.get("/api/v1/games?k=0"),
        client.get("/api/v1/games?recipe=none"),
        client.get("/nothing"),
        client.post("/api/v1/similar", files={"picture": b"x" * 100_000}),
        client.get("/api/v1/games", params={"q": "x" * 9000}),
        client.delete("/api/v1/info"),
    ]
    monkeypatch.setattr(SnapshotRegistry, "edition", busy)
    answers.append(client.get("/api/v1/games/neonoir"))
    monkeypatch.setattr(SnapshotRegistry, "edition", broken)
    answers.append(client.get("/api/v1/games/neonoir"))
    assert [got.status_code for got in answers] == [
        200, 429, 200, 304, 404, 422, 400, 404, 413, 414, 405, 503, 500,
    ]  # fmt: skip
    assert {_allowed(got) for got in answers} == {WIKI}
    assert {"Origin" in got.headers["vary"] for got in answers} == {True}
    for got in answers:
        assert got.headers["x-content-type-options"] == "nosniff"


def test_only_named_origins_may_read_and_all_may_if_all_are_named(
    built: Path, serve: Callable[..., Any]
) -> None:
    named, every = (serve(built, origins=one).client for one in (f"{WIKI} https://two.example", "*"))
    assert (
        _allowed(named.get("/api/v1/info", headers={"origin": "https://two.example"}))
        == "https://two.example"
    )
    assert _allowed(named.get("/api/v1/info", headers={"origin": "https://evil.example"})) is None
    assert "Origin" in named.get("/api/v1/info").headers["vary"]
    assert _allowed(every.get("/api/v1/info", headers={"origin": "https://evil.example"})) == "*"
    assert (
        "access-control-allow-credentials" not in every.get("/api/v1/info", headers={"origin": WIKI}).headers
    )


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", "if-none-match", 200),
        ("GET", "if-modified-since, cache-control", 200),
        ("POST", "content-type, x-requested-with", 200),
        ("HEAD", "", 200),
        ("DELETE", "", 400),
        ("GET", "x-secret", 400),
    ],
)
def test_a_preflight_allows_what_the_api_takes(
    built: Path, serve: Callable[..., Any], method: str, headers: str, status: int
) -> None:
    client = serve(built, origins=WIKI, requests_per_minute=1.0).client
    asks = {"origin": WIKI, "access-control-request-method": method}
    if headers:
        asks["access-control-request-headers"] = headers
    got = [client.options("/api/v1/similar", headers=asks) for _ in range(3)]
    assert {one.status_code for one in got} == {status}  # it counts for no limit


class _OtherSite(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>wiki</title>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def wiki() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _OtherSite)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}"  # another origin than 127.0.0.1
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_a_page_of_another_origin_revalidates_uploads_and_reads_why_it_was_refused(
    browser: Any, built: Path, serve: Callable[..., Any], wiki: str
) -> None:
    from PIL import Image

    running = serve(built, origins=wiki, requests_per_minute=4.0)
    page = browser.new_page()
    page.goto(wiki)
    address = f"{running.address}/api/v1"
    first = page.evaluate(
        "async (a) => { const r = await fetch(a, {cache: 'no-store'}); return [r.status, r.headers.get('etag')]; }",
        f"{address}/games/neonoir",
    )
    assert first[0] == 200 and first[1].startswith('W/"')
    again = page.evaluate(
        "async ([a, t]) => { const r = await fetch(a, {cache: 'no-store', headers: {'If-None-Match': t}});"
        " return r.status; }",
        [f"{address}/games/neonoir", first[1]],
    )
    assert again == 304
    picture = io.BytesIO()
    Image.new("RGB", (60, 90), "red").save(picture, "PNG")
    sent = page.evaluate(
        """([a, data]) => new Promise((done) => {
            const body = new FormData();
            body.append("picture", new Blob([new Uint8Array(data)]), "x.png");
            const request = new XMLHttpRequest();
            request.upload.onprogress = () => {};  // which makes a preflight necessary
            request.onloadend = () => done([request.status, JSON.parse(request.responseText).matches.length]);
            request.open("POST", a);
            request.send(body);
        })""",
        [f"{address}/similar?k=3", list(picture.getvalue())],
    )
    assert sent == [200, 3]
    refused = page.evaluate(
        """async (a) => {
            await fetch(a, {cache: "no-store"});
            const r = await fetch(a, {cache: "no-store"});
            const left = r.headers.get("ratelimit");
            return [r.status, r.headers.get("retry-after"), left, (await r.json()).title];
        }""",
        f"{address}/info",
    )
    page.close()
    assert refused[0] == 429 and 1 <= int(refused[1]) <= 15
    assert refused[2].startswith('"requests";r=0;t=')
    assert refused[3] == "Too Many Requests"
