"""A server that a real nginx offers below a path."""

from __future__ import annotations

import ast
import io
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET

import httpx2 as httpx
import pytest
from PIL import Image
from starlette.routing import Route
from tests.fakes.history import changed_gallery
from tests.fakes.nginx import nginx_before

from steamdino.present.web.root_path import RootPath

STRIPPED, WITH_HEADER = "proxy_pass http://steam_dino/;", "proxy_set_header X-Forwarded-Prefix /games;"
WAYS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "stripped, with the header": ({}, {}),
    "stripped, with a setting": ({WITH_HEADER: ""}, {"root_path": "/games"}),
    "whole, with the header": ({STRIPPED: "proxy_pass http://steam_dino;"}, {}),
    "whole, with a setting": (
        {WITH_HEADER: "", STRIPPED: "proxy_pass http://steam_dino;"},
        {"root_path": "/games", "trusted_proxies": "none"},
    ),
}
SEEDS = ("/", "/changes?since=90d", "/changes.atom", "/render/a", "/store_x/a/3", "/nothing", "/openapi.json")
MORE_SEEDS = (
    "/games/a?mirror=1",
    "/api/v1/games",
    "/api/v1/games/a/similar",
    "/api/v1/unique",
    "/api/v1/duplicates",
    "/api/v1/changes?since=90d",
    "/games/a?crop=0,0,1,0.5",
    "/mixture?plus=a&minus=b",
    "/curator",
    "/similar_apps_from_id?id=a",
    "/suggest?q=g",
    "/?q=game",
    "/?q=Game%20<a>",
    "/robots.txt",
    "/render",
    "/random",
    "/duplicates",
)
MOST = {"/why": 2, "/mixture": 8}
"""Pages of a kind that are asked for at most. Explanations take half a second each, and differ in names only. A
mixture leads to others."""
LINKS = {"href", "src", "action", "formaction", "hx-get", "hx-post", "data-href", "poster"}


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory, paint: Callable[..., Path]) -> Path:
    return changed_gallery(tmp_path_factory.mktemp("changed"), paint)


class Links(HTMLParser):
    """The addresses in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in LINKS and value:
                self.found.append(value)
            elif name == "srcset" and value:
                self.found += [one.split()[0] for one in value.split(",")]


def links_in(got: httpx.Response) -> list[str]:
    """Return everything in an answer that leads anywhere."""
    kind = got.headers.get("content-type", "")
    if "location" in got.headers:
        return [got.headers["location"]]
    if kind.startswith("text/html"):
        return Links(got.text).found
    if kind.startswith("application/atom+xml"):
        root = ET.fromstring(got.text)  # noqa: S314 (our own)
        contents = [one.text or "" for one in root.iter("{http://www.w3.org/2005/Atom}content")]
        linked = [one.get("href", "") for one in root.iter("{http://www.w3.org/2005/Atom}link")]
        return [*linked, *(link for text in contents for link in Links(text).found)]
    if kind.startswith("application/json") and "openapi" not in str(got.url):
        return list(_addresses(got.json()))
    if got.url.path.endswith("robots.txt"):
        return re.findall(r"Disallow: (\S+)", got.text)
    return []


def _addresses(record: Any) -> Iterator[str]:
    values = record.values() if isinstance(record, dict) else record if isinstance(record, list) else ()
    for value in values:
        if isinstance(value, str) and value.startswith(("/", "http://127.0.0.1")):
            yield value
        yield from _addresses(value)


def crawled(address: str, *, follow: bool) -> dict[str, httpx.Response]:
    """Ask for the seeds, and for whatever is linked if links are followed; all links must stay below the path."""
    base = f"{address}/games"
    waiting = [base + seed for seed in (*SEEDS, *MORE_SEEDS)]
    seen: dict[str, httpx.Response] = {}
    asked: Counter[str] = Counter()
    with httpx.Client(timeout=60, headers={"accept": "text/html, application/json;q=0.5"}) as client:
        while waiting:
            url = waiting.pop().split("#")[0]
            path = urlsplit(url).path.removeprefix("/games")
            if url in seen or asked[path] >= MOST.get(path, math.inf):
                continue
            asked[path] += 1
            seen[url] = got = client.get(url)
            for link in links_in(got):
                target = urlsplit(urljoin(url, link))
                if target.scheme == "data" or target.hostname != "127.0.0.1":
                    continue
                assert target.netloc == urlsplit(address).netloc, (url, link)
                assert target.path.startswith("/games/"), (url, link)
                if follow and not url.endswith("robots.txt"):
                    waiting.append(target.geturl())
    wrong = {url: got.status_code for url, got in seen.items() if got.status_code not in (200, 303)}
    assert wrong == {f"{base}/nothing": 404}
    return {url.removeprefix(base): got for url, got in seen.items()}


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("way", WAYS)
def test_no_link_of_any_page_leads_out_of_the_path(
    changed: Path, serve: Callable[..., Any], tmp_path: Path, way: str
) -> None:
    changes, settings = WAYS[way]
    running = serve(changed, **settings)
    with nginx_before(tmp_path / "nginx", running.address, changes=changes) as address:
        follow = way == next(iter(WAYS))
        seen = crawled(address, follow=follow)
        if follow:  # it has been everywhere
            paths = {re.sub(r"[0-9a-f]{12,}", "*", url.partition("?")[0]) for url in seen}
            assert {f"/games/{key}" for key in "abcdex"} <= paths
            assert {
                "/why",
                "/mixture",
                "/picture",
                "/unique",
                "/changes/pictures/300/*",
                "/static/site.*.css",
            } <= paths
            kinds = {got.headers.get("content-type", "").split(";")[0] for got in seen.values()}
            assert {"image/jpeg", "text/css", "text/javascript", "image/svg+xml"} <= kinds
        assert seen["/openapi.json"].json()["servers"] == [{"url": "/games"}]
        assert "Disallow: /games/api/" in seen["/robots.txt"].text
        assert httpx.get(f"{address}/games/metrics", timeout=60).status_code == 404
        sent = httpx.post(
            f"{address}/games/picture", data={"address": ""}, headers={"accept": "text/html"}, timeout=60
        )
        assert (sent.status_code, "/games/picture" in links_in(sent)) == (422, True)
        assert all(link.startswith(("/games/", "#")) for link in links_in(sent))


@pytest.mark.slow
def test_own_pictures_and_curators_keep_their_cookies_below_the_path(
    changed: Path, serve: Callable[..., Any], tmp_path: Path
) -> None:
    token = "correct-horse-battery-staple"  # noqa: S105 (of this test)
    file = io.BytesIO()
    Image.effect_noise((60, 90), 90).save(file, "PNG")
    running = serve(changed, curator_token=token)
    with nginx_before(tmp_path / "nginx", running.address) as address, httpx.Client(timeout=30) as client:
        client.headers["accept"] = "text/html"
        sent = client.post(f"{address}/games/picture", files={"picture": ("mine.png", file.getvalue())})
        place = sent.headers["location"]
        assert re.fullmatch("/games/picture/[0-9a-f]{20}", place)
        assert f"Path={place};" in sent.headers["set-cookie"]
        for path in (place, f"{place}?crop=0,0,1,0.5", f"{place}/preview", f"{place}/why?b=a"):
            assert client.get(address + path).status_code == 200, path
        assert all(link.startswith(("/games/", "#")) for link in links_in(client.get(address + place)))
        opened = client.post(f"{address}/games/curator", data={"token": token})
        assert opened.headers["location"] == "/games/duplicates"
        assert "Path=/games/;" in opened.headers["set-cookie"]
        page = client.get(f"{address}/games/duplicates?tag=x&tier=near")
        assert "You are the curator" in page.text
        key = re.search('name="key" value="([0-9a-f]{64})"', page.text)
        assert key is not None
        form = {
            "first": "a",
            "second": "b",
            "verdict": "different",
            "key": key[1],
            "again": "tag=x&tier=near",
        }
        done = client.post(f"{address}/games/duplicates/decide", data=form)
        assert (done.status_code, done.headers["location"]) == (303, "/games/duplicates?tag=x&tier=near")
        left = client.post(f"{address}/games/curator/leave", data={"key": key[1]})
        assert left.headers["location"] == "/games/duplicates"
        assert "You are the curator" not in client.get(f"{address}/games/duplicates").text


@pytest.mark.slow
def test_a_page_works_below_a_path_in_a_browser(
    browser: Any, changed: Path, serve: Callable[..., Any], tmp_path: Path
) -> None:
    complaints: list[str] = []
    with nginx_before(tmp_path / "nginx", serve(changed).address) as address:
        context = browser.new_context()
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda one: one.url.startswith((f"{address}/games/", "data:")) or complaints.append(one.url),
        )
        page.goto(f"{address}/games/")
        page.get_by_role("combobox", name="Find a game").press_sequentially("game <b")
        page.locator("#found [role=option]").first.wait_for()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{address}/games/games/b")
        page.get_by_role("heading", name="Game <b>", exact=True).wait_for()
        page.locator(".grid .go").first.click()
        page.wait_for_url(re.compile(r"/games/games/[acdex]$"))
        page.get_by_role("link", name="Picture", exact=True).click()
        page.wait_for_url(f"{address}/games/picture")
        assert page.get_by_role("link", name="Picture", exact=True).get_attribute("aria-current") == "page"
        context.close()
    assert complaints == []


def _scope_after(prefix: str, path: str, routes: tuple[str, ...]) -> dict[str, Any]:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    async def never() -> None: ...

    made = RootPath(app, root_path=prefix, routes=[Route(one, never) for one in routes])
    scope = {"type": "http", "path": path, "raw_path": path.encode(), "root_path": ""}
    with pytest.raises(StopIteration):  # asyncio has no loop to spare where Playwright runs
        made(scope, None, None).send(None)  # type: ignore[arg-type]
    return seen[0]  # type: ignore[no-any-return]


ROUTES = ("/", "/unique", "/games/{game_id:path}", "/banners/{width}/{game_id:path}")


@pytest.mark.parametrize(
    ("prefix", "path", "own"),
    [
        ("/dino", "/", "/"),
        ("/dino", "/dino", "/"),
        ("/dino", "/dino/", "/"),
        ("/dino", "/dino/unique", "/unique"),
        ("/dino", "/unique", "/unique"),
        ("/dino", "/dinosaurs", "/dinosaurs"),
        ("/dino", "/dino/none", "/none"),
        ("/a/b", "/a/b/games/7", "/games/7"),
        ("/a/b", "/a/games/7", "/a/games/7"),
        # A prefix that is a folder of this server as well.
        ("/games", "/games", "/"),
        ("/games", "/games/", "/"),
        ("/games", "/games/730", "/games/730"),
        ("/games", "/games/games/730", "/games/730"),
        ("/games", "/games/unique", "/unique"),
        ("/games", "/unique", "/unique"),
        ("/games", "/games/banners/300/7", "/banners/300/7"),
        ("/banners", "/banners/300/7", "/banners/300/7"),
        ("/banners", "/banners/banners/300/7", "/banners/300/7"),
    ],
)
def test_a_path_is_the_same_whether_or_not_the_proxy_strips_it(prefix: str, path: str, own: str) -> None:
    scope = _scope_after(prefix, path, ROUTES)
    assert (scope["root_path"], scope["path"], scope["raw_path"]) == (
        prefix,
        prefix + own,
        (prefix + own).encode(),
    )


def test_without_a_prefix_nothing_is_changed() -> None:
    assert _scope_after("", "/games/7", ROUTES)["root_path"] == ""


TAG = re.compile(r"<[a-z][^>]*>", re.DOTALL)
ATTRIBUTE = re.compile(r"""\b(?:href|src|action|formaction|poster|srcset|hx-[a-z-]+|data-[a-z-]+)=["']/""")
EXPRESSION = re.compile(r"\{[{%].*?[}%]\}", re.DOTALL)
IN_EXPRESSION = re.compile(r"""(?<!== )(?<!base ~ )(?<!below\()["']/\w""")
IN_SCRIPT = re.compile(r"""["'`]/[A-Za-z$]""")
SCRIPTS_OF_OTHERS = ("htmx.min.js",)


def absolute_paths(name: str, text: str) -> list[str]:
    """Return the places of a template or a script that lead to the same path wherever the server is reached."""
    if name.endswith(".js"):
        return IN_SCRIPT.findall(re.sub(r"(?m)^\s*//.*$", "", text))
    inside = [found for one in EXPRESSION.findall(text) for found in IN_EXPRESSION.findall(one)]
    return ATTRIBUTE.findall(text) + inside


def test_no_template_and_no_script_leads_to_a_path_without_its_base() -> None:
    package = resources.files("steamdino.present.web")
    files = [*(package / "templates").iterdir(), *(package / "static").iterdir()]
    found = {
        file.name: absolute_paths(file.name, file.read_text("utf-8"))
        for file in files
        if file.name.endswith((".jinja", ".js")) and file.name not in SCRIPTS_OF_OTHERS
    }
    assert len(found) > 15
    assert {name: places for name, places in found.items() if places} == {}, "write {{ base }}/path instead"
    for name, text in (
        ("x.jinja", '<a href="/games/7">'),
        ("x.jinja", "<form action='/'>"),
        ("x.jinja", '<a href="{{ "/games/" ~ quote(id) }}">'),
        ("x.jinja", '<input hx-get="/suggest">'),
        ("x.js", 'fetch("/suggest?q=")'),
        ("x.js", "open(`/games/${id}`)"),
    ):
        assert absolute_paths(name, text), text


def test_no_redirect_leads_to_a_path_without_its_base() -> None:
    """A text that begins with a slash is no address here; `below` makes it one."""
    wrong = []
    for file in Path(str(resources.files("steamdino.present.web"))).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "RedirectResponse":
                first = node.args[0]
                text = first.values[0] if isinstance(first, ast.JoinedStr) else first
                if isinstance(text, ast.Constant):
                    wrong.append(f"{file.name}:{node.lineno}")
    assert wrong == []


def test_json_names_pictures_below_the_path(changed: Path, serve: Callable[..., Any]) -> None:
    client = serve(changed, root_path="/art").client
    game = client.get("/api/v1/games/a").json()
    assert game["picture"].startswith("/art/banners/300/a?v=")
    assert client.get(game["picture"]).headers["content-type"] == "image/jpeg"
    app = client.get("/app_from_id", params={"id": "a"}).json()
    assert app["steam_illustration_url"] == f"{client.base_url}".rstrip("/") + game["picture"]
    assert app["query_url"] == "/art/render/a"
    tags = {client.get(path).headers["etag"] for path in ("/games/a", "/art/games/a")}
    assert len(tags) == 1
    assert serve(changed).client.get("/games/a").headers["etag"] not in tags
    document = client.get("/art/openapi.json")
    assert json.loads(document.text)["servers"] == [{"url": "/art"}]
