"""Compiled routes, with FastAPI alone as the oracle: same answers, whatever is asked."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import httpx2 as httpx
import pytest
from fastapi import APIRouter, Body, Cookie, Depends, FastAPI, Header, Query, Response, Security
from fastapi.routing import APIRoute
from hypothesis import given, settings
from hypothesis import strategies as st

from steamdino.present.web.app import create_app
from steamdino.present.web.compiled_routes import CompiledRoutes
from steamdino.settings import Settings, WebSettings

App = Callable[[Any, Any, Any], Awaitable[None]]
SLOW = ("/api/v1/explain", "/why", "/unique", "/duplicates", "/api/v1/unique", "/api/v1/duplicates", "/")
"""Paths whose answers take seconds to compute, and have tests of their own."""
NAMES = (
    "q",
    "k",
    "offset",
    "recipe",
    "tag",
    "released",
    "early_access",
    "upcoming",
    "min_reviews",
    "free",
    "adult",
)
MORE_NAMES = (
    "delisted",
    "mirror",
    "crop",
    "plus",
    "minus",
    "beside",
    "index",
    "n",
    "id",
    "name",
    "v",
    "since",
    "what",
    "url",
    "none",
)
VALUES = (
    "",
    "1",
    "0",
    "true",
    "no",
    "-1",
    "3",
    "101",
    "x",
    "neo",
    "neonoir",
    "bundled",
    "Action",
    "2020..",
    "7d",
    "0,0,1,0.5",
)
PARTS = (
    "",
    "mixture",
    "api",
    "v1",
    "games",
    "random",
    "similar",
    "neonoir",
    "none",
    "banners",
    "150",
    "banner",
    "render_x",
)
MORE_PARTS = (
    "3",
    "static",
    "index",
    "id",
    "healthz",
    "suggest",
    "picture",
    "%2F",
    "%20",
    "é",
    "metrics",
    "robots.txt",
)


def ask(app: App, target: str, method: str = "GET") -> tuple[int, dict[str, str], bytes, str]:
    """Return the status, the headers, the body and the route of an answer."""
    path, _, query = target.partition("?")
    raw = quote(path, safe="/%").encode()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": httpx.URL(f"http://x{raw.decode()}").path,
        "raw_path": raw,
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", b"x")],
        "client": ("1.2.3.4", 5),
        "server": ("x", 80),
    }
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    random.seed(0)  # for the routes that choose a game
    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    headers.pop("server-timing", None)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], headers, body, getattr(scope.get("route"), "path", "none")


@pytest.fixture(scope="module")
def apps(built: Path) -> tuple[FastAPI, FastAPI]:
    """The app, and the same app with FastAPI alone."""
    web = WebSettings(requests_per_minute=0.0, pictures_per_minute=0.0)
    made, plain = (create_app(Settings(gallery=built), web) for _ in range(2))
    plain.user_middleware = [one for one in plain.user_middleware if one.cls is not CompiledRoutes]
    assert len(plain.user_middleware) == len(made.user_middleware) - 1
    return made, plain


def own_routes(app: FastAPI) -> list[APIRoute]:
    (found,) = [one.kwargs["routes"] for one in app.user_middleware if one.cls is CompiledRoutes]
    return found  # type: ignore[return-value]


def test_fastapi_answers_no_get_request_that_fits_its_route(
    apps: tuple[FastAPI, FastAPI], monkeypatch: pytest.MonkeyPatch
) -> None:
    passed: list[str] = []

    async def passed_on(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope["path"])

    compiled = CompiledRoutes(passed_on, routes=own_routes(apps[0]))
    gets = [route for route in own_routes(apps[0]) if "GET" in (route.methods or ())]
    assert len(gets) > 60
    for route in gets:
        path = route.path.replace("{width}", "150").replace("{sha256}", "0" * 64).replace("{n}", "2")
        path = (
            path.replace("{game_id:path}", "no/such").replace("{game_id}", "none").replace("{name}", "none")
        )
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": b"",
            "headers": [],
            "app": apps[0],
        }
        if path not in SLOW and not {"q", "a", "b", "url", "id", "name"} & required(route):
            found: list[Any] = []
            asyncio.run(compiled(scope, None, collecting(found)))  # type: ignore[arg-type]
            assert found, path
    assert passed == []


def required(route: APIRoute) -> set[str]:
    return {one.alias for one in route.dependant.query_params if one.field_info.is_required()}


def collecting(found: list[Any]) -> Any:
    async def send(message: Any) -> None:
        found.append(message)

    return send


paths = st.lists(st.sampled_from(PARTS + MORE_PARTS), min_size=1, max_size=5).map(
    lambda parts: "/" + "/".join(parts)
)
known = st.sampled_from(
    (
        "/api/v1/games",
        "/api/v1/games/neonoir",
        "/api/v1/games/neonoir/similar",
        "/games/neonoir",
        "/suggest",
        "/id",
        "/similar_apps_from_id",
        "/render/neonoir/3",
        "/banners/150/neonoir",
        "/changes",
        "/api/v1/changes",
        "/changes.atom",
        "/api/v1/similar",
        "/api/v1/text",
        "/text",
    )
)
queries = st.lists(
    st.tuples(st.sampled_from(NAMES + MORE_NAMES), st.sampled_from(VALUES) | st.text(max_size=5)), max_size=4
).map(lambda pairs: urlencode(pairs, errors="replace"))


@pytest.mark.slow
@given(path=known | paths, query=queries, method=st.sampled_from(("GET", "GET", "GET", "POST", "PUT", "get")))
@settings(max_examples=250, deadline=None)
def test_every_answer_is_the_one_that_fastapi_gives(
    apps: tuple[FastAPI, FastAPI], path: str, query: str, method: str
) -> None:
    if path in SLOW or path == "/metrics":
        return
    target = f"{path}?{query}" if query else path
    got, expected = (ask(app, target, method) for app in apps)
    assert got == expected


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("k=0", "k: "),
        ("k=101", "k: "),
        ("k=x&offset=-1", "k: "),
        ("offset=2147483649", "offset: "),
        ("q=" + "x" * 501, "q: "),
        ("free=perhaps", "free: "),
        ("recipe=none&k=3", "the recipe 'none' is not served"),
        ("tag=none", "no game has the tag 'none'"),
        ("released=then", "the release date is 'then'"),
    ],
)
def test_an_invalid_parameter_is_the_same_error(
    apps: tuple[FastAPI, FastAPI], query: str, detail: str
) -> None:
    got, expected = (ask(app, f"/api/v1/games?{query}") for app in apps)
    assert got == expected
    assert got[0] in (400, 404, 422, 503)
    assert detail in got[2].decode()


def test_the_document_of_the_api_is_that_of_fastapi(apps: tuple[FastAPI, FastAPI]) -> None:
    made, plain = (ask(app, "/openapi.json") for app in apps)
    assert made == plain
    assert b"/api/v1/games/{game_id}/similar" in made[2]


def test_head_is_answered_like_get_without_the_body(server: Any) -> None:
    for target in (
        "/",
        "/games/neonoir",
        "/suggest?q=neo",
        "/api/v1/games/neonoir/similar?k=3",
        "/api/v1/games?q=neo",
        "/api/v1/games?k=0",  # invalid
        "/api/v1/games/none",  # missing
        "/none",
        "/healthz",
        "/robots.txt",
        "/changes.atom",
        "/openapi.json",
        "/banners/150/neonoir",
        "/index",
    ):
        got, head = (server.client.request(method, target) for method in ("GET", "HEAD"))
        assert (head.status_code, head.content) == (got.status_code, b""), target
        ignored = ("server-timing", "date")
        assert {k: v for k, v in head.headers.items() if k not in ignored} == {
            k: v for k, v in got.headers.items() if k not in ignored
        }, target
        got, head = (ask(server.app, target, method) for method in ("GET", "HEAD"))
        if target not in ("/none", "/openapi.json"):  # there the server removes the body
            assert head == (got[0], got[1], b"", got[3]), target
    known = server.client.head("/api/v1/games").headers["etag"]
    assert server.client.head("/api/v1/games", headers={"if-none-match": known}).status_code == 304
    assert server.client.head("/api/v1/audit").status_code == 405  # there is no GET either
    assert 'method="HEAD",route="/api/v1/games",status="200"' in server.client.get("/metrics").text


async def plain_dependency(x: int = 1) -> int:
    return x


async def generated() -> Any:
    yield 1


def in_a_thread() -> int:
    return 1


async def with_body(x: Annotated[str, Body()] = "") -> Response:
    return Response("answer")


async def with_header(x: Annotated[str, Header()] = "") -> Response:
    return Response("answer")


async def with_cookie(x: Annotated[str, Cookie()] = "") -> Response:
    return Response("answer")


async def with_security(x: Annotated[int, Security(plain_dependency)]) -> Response:
    return Response("answer")


async def with_generator(x: Annotated[int, Depends(generated)]) -> Response:
    return Response("answer")


async def with_old_default(x: int = Query(1)) -> Response:
    return Response("answer")


async def with_record() -> dict[str, str]:
    return {"by": "answer"}


async def with_dependency(x: Annotated[int, Depends(plain_dependency)]) -> Response:
    return Response("answer" * x)


def in_two_threads(x: Annotated[int, Depends(in_a_thread)]) -> Response:
    return Response("answer" * x)


async def with_plain_query(x: int, y: str = "1") -> Response:
    return Response("answer" * x * int(y))


@pytest.mark.parametrize(
    ("function", "compiled"),
    [
        (with_body, False),
        (with_header, False),
        (with_cookie, False),
        (with_security, False),
        (with_generator, False),
        (with_old_default, False),
        (with_record, False),
        (with_dependency, True),
        (in_two_threads, True),
        (with_plain_query, True),
    ],
)
def test_what_only_fastapi_can_do_is_left_to_it(function: Any, compiled: bool) -> None:
    router, passed = APIRouter(), []
    router.get("/x")(function)
    app = FastAPI()
    app.include_router(router)

    async def passed_on(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope["path"])
        await app(scope, receive, send)

    routes = [one for one in router.routes if isinstance(one, APIRoute)]
    status, _, body, _ = ask(CompiledRoutes(passed_on, routes=routes), "/x?x=1")
    assert (status, b"answer" in body) == (200, True)
    assert passed == ([] if compiled else ["/x"])


def test_the_first_of_several_routes_that_fit_a_path_answers() -> None:
    router = APIRouter()

    def add(path: str) -> None:
        async def answer() -> Response:
            return Response(path)

        router.get(path)(answer)

    for path in ("/a/x", "/a/{name}", "/a/y", "/a/{rest:path}", "/b/{rest:path}", "/b/x", "/b/x/y"):
        add(path)
    app = FastAPI()
    app.include_router(router)
    plain = FastAPI()
    plain.include_router(router)
    app.add_middleware(CompiledRoutes, routes=[one for one in router.routes if isinstance(one, APIRoute)])
    for path in ("/a/x", "/a/y", "/a/z", "/a/x/y", "/a", "/a/", "/b/x", "/b/x/y", "/b/", "/c", "/"):
        assert ask(app, path) == ask(plain, path), path
    assert ask(app, "/a/y")[2] == b"/a/{name}"
