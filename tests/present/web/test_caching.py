"""How long browsers may keep an answer: as long as the snapshot, the program and its settings are the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from steamdino.present.web import etags, redraw, static
from steamdino.present.web.app import create_app
from steamdino.present.web.etags import is_known, mark
from steamdino.present.web.request_etags import tag_of_request
from steamdino.settings import Settings, WebSettings

KEPT = (
    "/",
    "/api/v1/games/neonoir/similar",
    "/api/v1/info",
    "/games/neonoir",
    "/render/neonoir",
    "/openapi.json",
)
CHANGING = (
    "/duplicates",
    "/api/v1/duplicates",
    "/random",
    "/api/v1/games/random",
    "/render",
    "/render/",
    "/render_x",
    "/render_y/",
    "/store",
    "/store_xy/",
    "/healthz",
    "/readyz",
    "/metrics",
)


@pytest.mark.parametrize("path", KEPT)
def test_what_stays_the_same_is_asked_for_again_and_not_sent_again(web: httpx.Client, path: str) -> None:
    first = web.get(path)
    assert (first.status_code, first.headers["cache-control"]) == (200, "no-cache")
    again = web.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (again.headers["etag"], again.headers["cache-control"]) == (first.headers["etag"], "no-cache")
    for other in ('"other"', "*other*", first.headers["etag"][:-2] + '"'):
        assert web.get(path, headers={"if-none-match": other}).status_code == 200


@pytest.mark.parametrize("path", CHANGING)
def test_what_is_another_each_time_is_never_kept(web: httpx.Client, path: str) -> None:
    tag = web.get("/").headers["etag"]
    got = web.get(path, headers={"if-none-match": f'{tag}, W/"x"'})
    assert got.status_code in (200, 303)
    assert "etag" not in got.headers and "last-modified" not in got.headers and "expires" not in got.headers
    assert got.headers["cache-control"] == "no-store"


def test_no_tag_that_a_random_page_could_have_is_believed() -> None:
    """Whatever would be made of their addresses: no answer by chance may be taken for an old one."""

    def tag(path: str, method: str = "GET") -> str | None:
        scope = {"method": method, "raw_path": path.encode(), "query_string": b"", "headers": []}
        return tag_of_request(scope, path, "v1")

    for path in (*CHANGING, "/api/v1/similar"):
        assert tag(path) is None
    # A game whose id begins like one of them is a game.
    assert tag("/api/v1/games/random-racer") is not None
    assert tag("/api/v1/games/random-racer", "POST") is None


def test_what_another_server_was_asked_for_is_never_kept(built: Path, serve: Callable[..., Any]) -> None:
    pictures = [(built.parent / "store/banners" / name).read_bytes() for name in ("neon/neonoir.jpg",)]
    running = serve(built, fetch=lambda url: pictures[0])
    got = running.client.get("/api/v1/similar", params={"url": "https://x.example/a.png"})
    assert got.status_code == 200
    assert "etag" not in got.headers
    assert got.headers["cache-control"] == "no-store"


def test_errors_and_what_is_sent_are_not_kept(web: httpx.Client) -> None:
    tag = web.get("/").headers["etag"]
    for path, status in (
        ("/api/v1/games/none", 404),
        ("/games/none", 404),
        ("/nothing", 404),
        ("/text?q=x", 400),
    ):
        got = web.get(path, headers={"if-none-match": tag})
        assert (got.status_code, got.headers["cache-control"]) == (status, "no-store"), path
        assert "etag" not in got.headers
    sent = web.post("/picture", data={"address": ""})
    assert "etag" not in sent.headers
    assert "cache-control" not in sent.headers  # browsers go back to it without sending the picture again


def _tag_of(gallery: Path, *, settings: dict[str, Any] | None = None, **web: Any) -> str:
    """The ETag of the first page of a server that is started with these settings."""
    import asyncio

    app = create_app(Settings(**{"gallery": gallery, **(settings or {})}), WebSettings(**web))
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": "/robots.txt",
        "raw_path": b"/robots.txt", "query_string": b"", "headers": [], "scheme": "http", "root_path": "",
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    return dict(sent[0]["headers"])[b"etag"].decode()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the program's files, in the place of those that run."""
    copy = tmp_path / "steamdino"
    with resources.as_file(resources.files("steamdino")) as files:
        shutil.copytree(files, copy, ignore=shutil.ignore_patterns("__pycache__", "weights"))
    monkeypatch.setattr(etags.resources, "files", lambda name: copy)
    yield copy


def test_the_same_program_over_the_same_gallery_has_the_same_tags(built: Path, package: Path) -> None:
    """So that several processes, and one that was restarted, agree."""
    assert _tag_of(built) == _tag_of(built)


@pytest.mark.parametrize(
    "file",
    ["present/web/templates/base.html.jinja", "present/web/static/site.css", "present/web/static/own.js",
     "present/web/pages.py", "search/snapshot.py", "features/models.toml"],
)  # fmt: skip
def test_a_tag_changes_with_each_file_of_the_program(built: Path, package: Path, file: str) -> None:
    before = _tag_of(built)
    text = (package / file).read_text("utf-8")
    (package / file).write_text(text.replace("e", "a", 1), "utf-8")  # of the same length
    assert _tag_of(built) != before


def test_a_tag_changes_with_a_file_that_is_renamed(built: Path, package: Path) -> None:
    before = _tag_of(built)
    (package / "present/web/static/own.js").rename(package / "present/web/static/other.js")
    assert _tag_of(built) != before


def test_a_tag_changes_with_the_version_and_with_settings(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {_tag_of(built)}
    changes: list[dict[str, Any]] = [
        {"pictures": "steam"},
        {"fetch_urls": "yes"},
        {"largest_upload": 1000},
        {"seconds": 9.0},
        {"settings": {"inference_precision": "auto"}},
    ]
    seen |= {_tag_of(built, **change) for change in changes}
    monkeypatch.setattr(etags, "__version__", "99.0")
    seen.add(_tag_of(built))
    monkeypatch.setattr(redraw, "QUALITY", 60)
    seen.add(_tag_of(built))
    assert len(seen) == 3 + len(changes)


def test_a_tag_changes_with_the_addresses_of_pictures() -> None:
    settings, web = Settings(), WebSettings()
    marks = {
        mark(settings, web, pictures)
        for pictures in (
            {},
            {"1": "https://a.example/1.jpg"},
            {"1": "https://a.example/1.jpg?t=2"},
            {"2": "x"},
        )
    }
    assert len(marks) == 4
    one, other = {"1": "a", "2": "b"}, {"2": "b", "1": "a"}
    assert mark(settings, web, one) == mark(settings, web, other)


def test_after_an_upgrade_an_old_tag_gets_the_new_page(
    built: Path, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = serve(built).client
    old = before.get("/games/neonoir")
    monkeypatch.setattr(etags, "__version__", "99.0")
    after = serve(built).client
    new = after.get("/games/neonoir", headers={"if-none-match": old.headers["etag"]})
    assert new.status_code == 200
    assert new.text == old.text.replace(
        str(before.base_url), str(after.base_url)
    )  # the page names its address
    assert new.headers["etag"] != old.headers["etag"]


def test_a_header_names_a_tag_among_others_weak_or_not() -> None:
    for header in ('W/"a"', '"a"', '"b", W/"a"', 'W/"b","a"', ' "a" '):
        assert is_known('W/"a"', header) and is_known('"a"', header), header
    for header in ("", "a", '"b"', 'W/"aa"', 'w/"a"', "W/", "*"):
        assert not is_known('W/"a"', header), header


def test_static_files_are_kept_for_a_year_under_names_of_their_content(web: httpx.Client) -> None:
    page = web.get("/").text
    for name, kind in (
        ("site.css", "text/css; charset=utf-8"),
        ("theme.js", "text/javascript; charset=utf-8"),
        ("app.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ):
        address = static.address(name)
        assert f'"{address}"' in page
        got = web.get(address)
        folder = resources.files("steamdino.present.web") / "static"
        parts = {static.APP: static.SCRIPTS, "site.css": ("palette.css", "site.css")}.get(name, (name,))
        content = (b"\n" if name == static.APP else b"").join((folder / one).read_bytes() for one in parts)
        assert (got.status_code, got.content, got.headers["content-type"]) == (200, content, kind)
        assert got.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "etag" not in got.headers  # nobody asks again
        stem, digest, suffix = address.removeprefix("/static/").rsplit(".", 2)
        assert len(digest) == 12
        for wrong in (
            name,
            f"{stem}.{'0' * 12}.{suffix}",
            f"{stem}.{digest}.svgz",
            f"x{stem}.{digest}.{suffix}",
        ):
            missing = web.get(f"/static/{wrong}")
            assert (missing.status_code, missing.headers["cache-control"]) == (404, "no-store"), wrong
    assert page.count("/static/") == 4
    for path in ("/static/", "/static/..%2fpages.py", "/static/../pages.py", "/static/%00"):
        assert web.get(path).status_code == 404, path


def test_a_banner_is_kept_where_its_address_names_what_is_drawn(web: httpx.Client) -> None:
    address = web.get("/api/v1/games/neonoir").json()["picture"]
    got = web.get(address)
    assert got.headers["cache-control"] == "public, max-age=604800, immutable"
    for other in (address.split("?")[0], address[:-1] + "!", address + "0"):
        plain = web.get(other)
        # Without it, another picture may be there tomorrow.
        assert (plain.status_code, plain.headers["cache-control"]) == (200, "public, no-cache"), other
        assert (plain.content, plain.headers["etag"]) == (got.content, got.headers["etag"])
    for known in (got.headers["etag"], f'"x", {got.headers["etag"]}'):
        again = web.get(address, headers={"if-none-match": known})
        assert (again.status_code, again.content) == (304, b"")
    assert web.get(address, headers={"if-none-match": '"x"'}).status_code == 200
    smaller = web.get(address.replace("/300/", "/150/"))
    assert smaller.headers["etag"] != got.headers["etag"]


@pytest.mark.parametrize("change", [("QUALITY", 60), ("__version__", "99.0")])
def test_a_banner_is_sent_anew_when_it_is_drawn_in_another_way(
    web: httpx.Client, monkeypatch: pytest.MonkeyPatch, change: tuple[str, Any]
) -> None:
    before = web.get(web.get("/api/v1/games/neonoir").json()["picture"])
    monkeypatch.setattr(redraw, *change)
    address = web.get("/api/v1/games/neonoir").json()["picture"]
    assert address not in str(before.url)
    after = web.get(address, headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.headers["etag"] != before.headers["etag"]
    assert (after.content != before.content) == (change[0] == "QUALITY")
