"""The guard by itself, around a small app: every limit at its exact boundary, every header and every count."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from steamdino.errors import BusyError, GalleryError, QueryError, SteamDinoError
from steamdino.present.web.error_responses import UNANSWERED, status_and_detail
from steamdino.present.web.limits import ENVELOPE, LONGEST_URL, Limits
from steamdino.present.web.metrics import BUCKETS, Metrics
from steamdino.present.web.middleware import Middleware, security_headers
from steamdino.settings import WebSettings

App = Callable[[Any, Any, Any], Awaitable[None]]


class Answer:
    """What came of a request."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        start = messages[0]
        self.status: int = start["status"]
        self.headers = {name.decode(): value.decode() for name, value in start["headers"]}
        self.body = b"".join(message.get("body", b"") for message in messages[1:])


async def plain(scope: Any, receive: Any, send: Any) -> None:
    await PlainTextResponse("here")(scope, receive, send)


async def reading(scope: Any, receive: Any, send: Any) -> None:
    """Reads all of a body, as FastAPI does, and says how much it was."""
    from starlette.exceptions import HTTPException

    size = 0
    try:
        while True:
            message = await receive()
            size += len(message["body"])
            if not message.get("more_body"):
                break
    except HTTPException as error:
        await PlainTextResponse(error.detail, error.status_code)(scope, receive, send)
        return
    await PlainTextResponse(str(size))(scope, receive, send)


def guarded(
    app: App = plain, *, version: str = "v1", metrics: Metrics | None = None, **web: Any
) -> Middleware:
    settings = WebSettings(**{"requests_per_minute": 0.0, **web})
    return Middleware(Limits(app, web=settings, version=lambda: version), metrics=metrics or Metrics())


def ask(
    guard: Middleware,
    path: str = "/x",
    *,
    method: str = "GET",
    query: bytes = b"",
    headers: dict[str, str] | None = None,
    body: tuple[bytes, ...] = (b"",),
    client: str = "1.2.3.4",
    **scope: Any,
) -> Answer:
    sent: list[dict[str, Any]] = []
    parts = list(body)

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    asked = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
        "client": (client, 1),
        **scope,
    }
    asyncio.run(guard(asked, receive, send))  # type: ignore[arg-type]
    return Answer(sent)


def test_the_longest_address_is_answered_and_one_that_is_longer_by_a_letter_is_not() -> None:
    guard = guarded()
    for path, query in (
        ("/" + "x" * (LONGEST_URL - 1), 0),
        ("/xxx", LONGEST_URL - 4),
        ("/", LONGEST_URL - 1),
    ):
        assert ask(guard, path, query=b"q" * query).status == 200
        longer = ask(guard, path, query=b"q" * (query + 1))
        assert longer.status == 414
        assert b"the address is too long" in longer.body
    assert LONGEST_URL == 8192


def test_a_body_of_just_the_size_is_taken_and_one_byte_more_is_not() -> None:
    guard = guarded(reading, largest_upload=1000)
    most = 1000 + ENVELOPE
    assert (most, ENVELOPE) == (66_536, 65_536)
    for length in (0, 1, most):
        got = ask(guard, method="POST", headers={"content-length": str(length)}, body=(b"x" * length,))
        assert (got.status, got.body) == (200, str(length).encode())
    for text in (str(most + 1), "9" * 400, "-1", "1.5", "", "x", "+1", "\u00b2"):
        got = ask(guard, method="POST", headers={"content-length": text})
        assert (got.status, b"a picture may have at most 1,000 bytes; send a smaller one" in got.body) == (
            413,
            True,
        ), text


def test_a_body_without_a_length_is_counted_as_it_comes() -> None:
    guard = guarded(reading, largest_upload=1000)
    most = 1000 + ENVELOPE
    halves = (b"x" * (most // 2), b"x" * (most // 2))
    assert ask(guard, method="POST", body=halves).body == str(most).encode()
    over = ask(guard, method="POST", body=(*halves, b"x"))
    assert (over.status, over.body) == (413, b"a picture may have at most 1,000 bytes; send a smaller one")
    # One that says less than it sends is counted all the same.
    lied = ask(guard, method="POST", headers={"content-length": "5"}, body=(*halves, b"x"))
    assert lied.status == 413


def test_what_takes_longer_than_it_may_is_a_503_and_what_has_begun_breaks_off() -> None:
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(20)

    metrics = Metrics()
    got = ask(guarded(slow, seconds=0.1, metrics=metrics))
    assert (got.status, b"it took longer than 0.1 s; request less" in got.body) == (503, True)
    assert got.headers["cache-control"] == "no-store"
    assert _count(metrics, status="503") == 1

    async def begun(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(20)

    with pytest.raises(TimeoutError):
        ask(guarded(begun, seconds=0.1, metrics=metrics))
    assert _count(metrics, status="200") == 1


def test_what_fails_is_a_500_with_everything_that_an_answer_has(caplog: pytest.LogCaptureFixture) -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("/secret/place")

    metrics = Metrics()
    with caplog.at_level(logging.INFO, "steamdino.web"):
        got = ask(guarded(fails, metrics=metrics))
    assert (got.status, b"something went wrong on this server" in got.body) == (500, True)
    assert b"secret" not in got.body
    assert got.headers["x-content-type-options"] == "nosniff"
    assert (got.headers["cache-control"], "etag" in got.headers) == ("no-store", False)
    assert _count(metrics, status="500") == 1
    assert [record.getMessage() for record in caplog.records] == ["unforeseen", "request"]
    assert "/secret/place" in str(caplog.records[0].exc_info)


def _count(metrics: Metrics, **labels: str) -> float:
    found = {"method": "GET", "route": "none", "status": "200", **labels}
    return metrics.registry.get_sample_value("steamdino_requests_total", found) or 0.0


def test_each_request_is_counted_once_by_method_route_and_status(caplog: pytest.LogCaptureFixture) -> None:
    class Route:
        path = "/games/{id}"

    metrics = Metrics()
    guard = guarded(metrics=metrics)
    with caplog.at_level(logging.INFO, "steamdino.web"):
        ask(guard, "/games/7" + "x" * 300, route=Route())
        ask(guard, "/none", method="POST")
        for method in ("BREW", "get", "X" * 100):
            ask(guard, method=method)
        ask(guard, "/" + "x" * LONGEST_URL)
    assert _count(metrics, route="/games/{id}") == 1
    assert _count(metrics, method="POST") == 1
    assert _count(metrics, method="other") == 3  # so that nobody fills the memory with invented ones
    assert _count(metrics, status="414") == 1
    value = metrics.registry.get_sample_value
    assert value("steamdino_request_seconds_count", {"route": "none"}) == 5
    assert value("steamdino_request_seconds_count", {"route": "/games/{id}"}) == 1
    assert 0 < (value("steamdino_request_seconds_sum", {"route": "none"}) or 0) < 5
    for bucket in BUCKETS:
        assert (
            value("steamdino_request_seconds_bucket", {"route": "none", "le": str(float(bucket))}) is not None
        )
    facts: list[dict[str, Any]] = [record.facts for record in caplog.records]  # type: ignore[attr-defined]
    assert len(facts) == 6
    assert facts[0] == {
        "method": "GET",
        "route": "/games/{id}",
        "path": "/games/7" + "x" * 192,
        "status": 200,
        "ms": facts[0]["ms"],
        "stages": {},
    }
    assert 0 <= facts[0]["ms"] < 5000


def test_stages_are_timed_told_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    from steamdino.present.web.timing import stage

    async def staged(scope: Any, receive: Any, send: Any) -> None:
        for name in ("search", "answer", "search"):
            with stage(name):
                await asyncio.sleep(0.02)
        await plain(scope, receive, send)

    metrics = Metrics()
    with caplog.at_level(logging.INFO, "steamdino.web"):
        got = ask(guarded(staged, metrics=metrics))
    timing = dict(part.split(";dur=") for part in got.headers["server-timing"].split(", "))
    assert list(timing) == ["search", "answer"]
    assert 40 <= float(timing["search"]) < 2000 and 20 <= float(timing["answer"]) < 2000
    stages = caplog.records[0].facts["stages"]  # type: ignore[attr-defined]
    assert stages["search"] == pytest.approx(float(timing["search"]), abs=0.1)
    value = metrics.registry.get_sample_value
    assert value("steamdino_stage_seconds_count", {"stage": "search"}) == 1
    assert value("steamdino_stage_seconds_sum", {"stage": "search"}) == pytest.approx(
        stages["search"] / 1000, abs=1e-3
    )


def test_a_tag_is_that_of_the_address_the_method_and_what_is_served() -> None:
    def tag(guard: Middleware, *arguments: Any, **options: Any) -> str | None:
        return ask(guard, *arguments, **options).headers.get("etag")

    first = guarded()
    assert tag(first, "/x") == tag(guarded(), "/x") == tag(first, "/x", headers={"accept": "text/html"})
    assert re.fullmatch(r'W/"v1-[0-9a-f]{16}"', tag(first, "/x") or "")
    assert tag(first, "/x", method="HEAD") == tag(first, "/x")
    assert tag(first, "/x", method="POST") is None
    others = [
        tag(first, "/y"),
        tag(first, "/x", query=b"a=1"),
        tag(first, "/x", query=b"a=2"),
        tag(guarded(version="v2"), "/x"),
    ]
    assert len({tag(first, "/x"), *others}) == 5

    # A tag is answered before anything is computed.
    async def never(scope: Any, receive: Any, send: Any) -> None:
        pytest.fail("it was asked")

    got = ask(guarded(never), headers={"if-none-match": tag(first, "/x") or ""})
    assert (got.status, got.body, got.headers["etag"]) == (304, b"", tag(first, "/x"))
    assert got.headers["x-frame-options"] == "DENY"


def test_what_an_answer_says_of_itself_is_not_written_over() -> None:
    async def own(scope: Any, receive: Any, send: Any) -> None:
        headers = {"etag": '"own"', "cache-control": "public", "referrer-policy": "origin"}
        await PlainTextResponse("here", headers=headers)(scope, receive, send)

    got = ask(guarded(own))
    assert (got.headers["etag"], got.headers["cache-control"], got.headers["referrer-policy"]) == (
        '"own"',
        "public",
        "origin",
    )


def test_the_security_headers_allow_nothing_that_is_not_ours() -> None:
    headers = security_headers(("https://a.example", "https://b.example"))
    rules = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert rules == {
        "default-src": "'none'",
        "img-src": "'self' data: https://a.example https://b.example",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert {name: value for name, value in headers.items() if name != "content-security-policy"} == {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
    }
    got = ask(Middleware(plain, metrics=Metrics(), picture_hosts=("https://a.example",)))
    assert set(headers) <= set(got.headers)
    assert "img-src 'self' data: https://a.example;" in got.headers["content-security-policy"]


def test_who_asks_too_often_is_told_the_seconds_rounded_up() -> None:
    guard = guarded(requests_per_minute=40.0)  # one more after each 1.5 s
    assert {ask(guard).status for _ in range(40)} == {200}
    refused = ask(guard)
    assert (refused.status, refused.headers["retry-after"]) == (429, "2")
    assert b"more than 40 requests per minute came from this address; try again in 2 s" in refused.body
    assert ask(guard, client="5.6.7.8").status == 200
    refused_first = ask(guard, "/" + "x" * LONGEST_URL)
    assert refused_first.status == 429
    nobody = guarded(requests_per_minute=1.0)
    assert [ask(nobody, client="").status, ask(nobody, client="").status] == [200, 429]


def test_a_connection_that_is_no_request_passes() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(guarded(app)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (QueryError("no game fits"), (404, "no game fits", {})),
        (BusyError("busy", 7), (503, "busy", {"retry-after": "7"})),
        (GalleryError("/srv/gallery is damaged"), (503, UNANSWERED, {})),
        (SteamDinoError("/srv"), (503, UNANSWERED, {})),
    ],
)
def test_what_concerns_the_server_is_told_to_its_log_alone(
    error: SteamDinoError, expected: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "steamdino.web"):
        assert status_and_detail(error) == expected
    logged = [record.facts["error"] for record in caplog.records]  # type: ignore[attr-defined]
    assert logged == ([str(error)] if expected[1] == UNANSWERED else [])
