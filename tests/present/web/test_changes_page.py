"""What changed, as a page in a real browser, as JSON and as a feed."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID
from xml.etree import ElementTree as ET

import httpx2 as httpx
import pytest
from PIL import Image
from tests.fakes.history import changed_gallery, table

from steamdino import Snapshot
from steamdino.gallery import Gallery
from steamdino.pipeline import add, build, prune

Paint = Callable[..., Path]
Serve = Callable[..., Any]
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def gallery(tmp_path: Path, paint: Paint) -> Path:
    return changed_gallery(tmp_path, paint)


@pytest.fixture
def running(gallery: Path, serve: Serve) -> Any:
    return serve(gallery)


@pytest.fixture
def open_at(browser: Any, running: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page of the server; it must complain of nothing."""
    contexts, complaints = [], []

    def open_at(path: str, **options: Any) -> Any:
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(running.address + path)
        page.evaluate("[...document.images].forEach((image) => { image.loading = 'eager'; })")
        page.wait_for_load_state("networkidle")
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert complaints == []


def _day(ago: int) -> str:
    return (datetime.now(UTC).date() - timedelta(days=ago)).isoformat()


def _widths(page: Any) -> list[int]:
    found: list[int] = page.evaluate("[...document.querySelectorAll('main img')].map((i) => i.naturalWidth)")
    return found


@pytest.mark.parametrize("width", [360, 1440])
def test_the_page_shows_banners_before_and_after_side_by_side(
    open_at: Callable[..., Any], width: int
) -> None:
    page = open_at("/changes", viewport={"width": width, "height": 900})
    assert page.locator("main h3").all_inner_texts() == ["New games", "New banners", "Left", "New banners"]
    assert page.locator("main h4").all_inner_texts() == ["Game <x>", "Game <a>", "Game <b>"]
    captions = page.locator("figcaption").all_inner_texts()
    assert captions == ["new", "closest before", "before", "after", "before", "after"]
    assert len(_widths(page)) == 6 and all(_widths(page))
    assert page.locator(".none").all_inner_texts() == ["not kept"]
    assert page.evaluate("document.documentElement.scrollWidth") == width
    before, after = (page.locator("figure img").nth(place).bounding_box() for place in (2, 3))
    assert before["y"] == after["y"] and before["x"] + before["width"] <= after["x"]


def test_the_page_works_without_scripts_and_leads_on(open_at: Callable[..., Any]) -> None:
    page = open_at("/", java_script_enabled=False)
    page.get_by_role("link", name="Changes").click()
    assert page.locator("h1").inner_text() == "What changed"
    page.get_by_role("link", name="Left 1").click()
    assert page.locator("main .name").all_inner_texts() == ["Game <f>"]
    page.locator("summary").click()
    page.locator("input[name=since]").fill("60d")
    page.get_by_role("button", name="Show").click()
    assert parse_qs(urlsplit(page.url).query) == {"what": ["left"], "since": ["60d"]}
    assert f"{_day(33)}: 6 games were imported from games.csv." in page.locator("main").inner_text()


def test_the_page_is_accessible(open_at: Callable[..., Any]) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_at("/changes?since=60d", bypass_csp=True)
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found] == []


def test_a_period_without_changes_leads_to_the_last_one(open_at: Callable[..., Any]) -> None:
    page = open_at("/changes?since=1d")
    page.locator("main p a", has_text="20").click()
    assert page.locator("main h3").first.inner_text() == "New games"


def test_the_api_has_what_the_page_has(running: Any, gallery: Path) -> None:
    got = running.client.get("/api/v1/changes", params={"since": "60d", "k": 3}).json()
    assert (got["since"], got["until"], got["total"]) == (_day(60), _day(0), 4)
    assert got["counts"] == {"new": 1, "art": 2, "left": 1, "back": 0}
    assert got["imports"] == [{"day": _day(33), "source": "games.csv", "games": 6, "what": "new"}]
    new, art, left = got["changes"]
    expected = {one.id: one for one in Snapshot.open(gallery).similar("x", 5)}["d"]
    assert new["closest"]["id"] == "d"
    assert new["closest"]["similarity"] == pytest.approx(expected.similarity, abs=1e-5)
    assert (left["what"], left["gone"]) == ("left", True)
    for address in (art["before"]["picture"], art["after"]["picture"], left["game"]["picture"]):
        picture = running.client.get(address)
        assert picture.headers["cache-control"].endswith("immutable")
        assert Image.open(io.BytesIO(picture.content)).format == "JPEG"
        again = running.client.get(address, headers={"if-none-match": picture.headers["etag"]})
        assert again.status_code == 304
    rest = running.client.get(got["next"]).json()
    assert ([one["game"]["id"] for one in rest["changes"]], rest["next"]) == (["b"], None)
    assert rest["changes"][0]["before"]["picture"] is None
    tagged = running.client.get("/api/v1/changes", params={"tag": "odd", "what": "art"}).json()
    assert [one["game"]["id"] for one in tagged["changes"]] == ["a"]


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/api/v1/changes?since=then", 400, "since is 'then'; write a date like"),
        ("/api/v1/changes?what=newer", 400, "there is no kind of change 'newer'"),
        ("/api/v1/changes?tag=od", 404, "no game has the tag 'od'"),
        ("/api/v1/changes?k=0", 422, "k: "),
        ("/changes/pictures/300/" + "0" * 64, 404, "no picture of"),
        ("/changes/pictures/300/..%2f..%2fetc", 404, ""),
        ("/changes/pictures/301/" + "0" * 64, 404, "there is no width 301"),
    ],
)
def test_what_cannot_be_answered_is_a_problem_with_its_reason(
    running: Any, path: str, status: int, detail: str
) -> None:
    got = running.client.get(path)
    assert (got.status_code, got.headers["content-type"]) == (status, "application/problem+json")
    assert detail in got.json()["detail"]


PATHS = ("/changes", "/changes.atom", "/api/v1/changes", "/changes?since=60d")


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_is_sent_again_only_after_something_changed(
    running: Any, gallery: Path, paint: Paint, path: str
) -> None:
    web: httpx.Client = running.client
    first = web.get(path)
    assert (first.status_code, first.headers["cache-control"]) == (200, "no-cache")
    tag = first.headers["etag"]
    same = web.get(path, headers={"if-none-match": tag})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    # No build: the gallery's database changes, and the snapshot does not.
    paint(gallery.parent / "covers" / "c.jpg", 99)
    add(gallery, table(gallery.parent / "covers", "abcdex"))
    changed = web.get(path, headers={"if-none-match": tag})
    assert (changed.status_code, "Game &lt;c&gt;" in changed.text or "Game <c>" in changed.text) == (
        200,
        True,
    )
    prune(gallery, forget_before="9999-01-01")
    assert web.get(path, headers={"if-none-match": changed.headers["etag"]}).status_code == 200


def _feed(web: httpx.Client, query: str = "") -> ET.Element:
    got = web.get(f"/changes.atom{query}")
    assert got.headers["content-type"] == "application/atom+xml"
    return ET.fromstring(got.text)  # noqa: S314 (our own server's)


def _text(element: ET.Element, tag: str) -> str:
    (found,) = element.findall(ATOM + tag)  # each of the required elements exactly once
    assert found.text
    return found.text


def test_the_feed_has_what_rfc_4287_requires(running: Any) -> None:
    root = _feed(running.client)
    assert root.tag == f"{ATOM}feed"
    entries = root.findall(f"{ATOM}entry")
    assert len(entries) == 2
    ids = [_text(one, "id") for one in (root, *entries)]
    assert len(set(ids)) == 3
    assert all(UUID(one.removeprefix("urn:uuid:")).urn == one for one in ids)
    times = [datetime.fromisoformat(_text(one, "updated")) for one in (root, *entries)]
    assert all(one.tzinfo for one in times) and times[0] >= times[1] > times[2]
    assert _text(root, "title") and [_text(one, "title") for one in entries] == [
        f"{_day(2)}: 1 new game, 1 new banner, 1 left",
        f"{_day(3)}: New banner: Game <b>",
    ]
    (author,) = root.findall(f"{ATOM}author")
    assert _text(author, "name")
    links = {one.get("rel"): one.get("href") for one in root.findall(f"{ATOM}link")}
    assert links == {
        "self": f"{running.address}/changes.atom",
        "alternate": f"{running.address}/changes",
    }
    for entry in entries:
        (link,) = entry.findall(f"{ATOM}link")
        assert link.get("rel") == "alternate"
        page = running.client.get(link.get("href"))
        assert page.status_code == 200
        (content,) = entry.findall(f"{ATOM}content")
        assert content.get("type") == "html"


def test_the_content_of_an_entry_is_html_with_pictures_and_no_markup_of_a_name(
    running: Any, browser: Any
) -> None:
    entry = _feed(running.client).find(f"{ATOM}entry")
    assert entry is not None
    page = browser.new_page()
    page.set_content(_text(entry, "content"))
    page.wait_for_load_state("networkidle")
    assert page.locator("a").all_inner_texts() == ["Game <x>", "Game <a>"]  # the game that left has no page
    assert page.locator("img").count() == 5
    assert all(page.evaluate("[...document.images].map((i) => i.naturalWidth)"))
    page.close()


def test_ids_of_the_feed_stay_and_filters_make_another_feed(
    running: Any, gallery: Path, serve: Serve
) -> None:
    def ids(web: httpx.Client, query: str = "") -> list[str]:
        return [one.text or "" for one in _feed(web, query).iter(f"{ATOM}id")]

    every = ids(running.client)
    assert ids(serve(gallery).client) == every  # another process, and another port
    tagged = ids(running.client, "?tag=odd")
    assert len(tagged) == 2 and not {*tagged} & {*every}
    assert ids(running.client, "?tag=odd&what=") == tagged
    add(gallery, table(gallery.parent / "covers", "abcdefx"))
    assert [one for one in ids(running.client) if one in every] == every


def test_the_feed_knows_when_it_was_last_modified(running: Any) -> None:
    got = running.client.get("/changes.atom")
    modified = got.headers["last-modified"]
    assert parsedate_to_datetime(modified) <= datetime.now(UTC)
    for since, status in ((modified, 304), ("Thu, 01 Jan 2026 00:00:00 GMT", 200), ("nonsense", 200)):
        assert running.client.get("/changes.atom", headers={"if-modified-since": since}).status_code == status


def test_names_that_xml_does_not_allow_leave_the_feed_well_formed(
    gallery: Path, running: Any, paint: Paint
) -> None:
    covers = gallery.parent / "covers"
    paint(covers / "y.jpg", 55)
    path = table(covers, "abcdexy")
    path.write_text(path.read_text().replace("Game <y>", "]]> & \uffff\x0b<script>"), encoding="utf-8")
    add(gallery, path)
    build(gallery)
    (entry, *_) = _feed(running.client).findall(f"{ATOM}entry")
    assert _text(entry, "title").endswith("New game: ]]> & � <script>")
    assert "&lt;script&gt;" in _text(entry, "content")


def test_each_page_names_the_feed(running: Any, gallery: Path) -> None:
    link = '<link rel="alternate" type="application/atom+xml" title="What changed" href="/changes.atom">'
    assert link in running.client.get("/").text
    assert 'href="/changes.atom?tag=odd"' in running.client.get("/changes?tag=odd&since=60d").text


def test_a_server_without_a_gallery_says_why_it_has_no_changes(gallery: Path, serve: Serve) -> None:
    pack = gallery.parent / "store.steamdino"
    Snapshot.open(gallery).pack(pack)
    web = serve(pack).client
    for path in ("/changes", "/changes.atom", "/api/v1/changes", "/changes/pictures/300/" + "0" * 64):
        got = web.get(path)
        assert got.status_code == 503
        assert "this server serves a snapshot without its gallery" in got.json()["detail"]
    assert "/changes" not in web.get("/").text


def test_a_snapshots_own_folder_has_no_changes_either(gallery: Path, serve: Serve, tmp_path: Path) -> None:
    (gallery / "gallery.sqlite").rename(tmp_path / "away.sqlite")
    got = serve(gallery).client.get("/api/v1/changes")
    assert (got.status_code, "without its gallery" in got.json()["detail"]) == (503, True)


def test_a_slow_list_of_changes_does_not_hold_up_other_requests(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from steamdino.analysis.changes import Changes

    page, entered, released = Changes.page, threading.Event(), threading.Event()

    def slowly(self: Changes, offset: int, k: int) -> Any:
        entered.set()
        assert released.wait(20)
        return page(self, offset, k)

    monkeypatch.setattr(Changes, "page", slowly)
    answers: list[int] = []
    thread = threading.Thread(
        target=lambda: answers.append(httpx.get(f"{running.address}/changes", timeout=30).status_code)
    )
    thread.start()
    assert entered.wait(10)
    for path in ("/api/v1/games/a", "/api/v1/games/a/similar", "/healthz"):
        assert running.client.get(path).status_code == 200
    assert answers == []
    released.set()
    thread.join()
    assert answers == [200]


def test_reading_while_a_writer_records_shows_a_whole_transaction(running: Any, gallery: Path) -> None:
    with Gallery.write(gallery, "test") as writer, writer.transaction():
        writer.games.mark_gone(["b", "c"])
        assert running.client.get("/api/v1/changes").json()["counts"]["left"] == 1
    assert running.client.get("/api/v1/changes").json()["counts"]["left"] == 3
