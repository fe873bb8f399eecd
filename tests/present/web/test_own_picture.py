"""A picture of one's own on the page, in a real browser and without one."""

from __future__ import annotations

import base64
import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.present.web.browsing import GIVE, check_looks, shown, tiles, wait

from steamdino import Snapshot
from steamdino.present.web.picture_cookie import COOKIE, OwnPicture, read, written
from steamdino.present.web.upload_store import MOST, SIZE, UploadStore
from steamdino.records import Crop, Filter

SHOWN = 24
PLAIN = {"accept": "text/html"}


@pytest.fixture(scope="module")
def snapshot(built: Path) -> Snapshot:
    return Snapshot.open(built)


@pytest.fixture
def draft(snapshot: Snapshot, tmp_path: Path) -> Path:
    """A picture that no game has."""
    banner = snapshot.game("neonoir").picture
    assert banner is not None
    with Image.open(banner) as image:
        image.crop((20, 30, 280, 420)).save(tmp_path / "draft.png")
    return tmp_path / "draft.png"


def _send(client: httpx.Client, picture: bytes, name: str = "draft.png", **fields: Any) -> httpx.Response:
    client.cookies.clear()
    return client.post("/picture", files={"picture": (name, picture)}, data=fields, headers=PLAIN)


def _cookie_of(response: httpx.Response) -> str:
    value: str = response.headers["set-cookie"].partition("=")[2].partition(";")[0]
    return value


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "path"), [("drop", "/games/neonoir"), ("paste", "/duplicates")])
def test_a_picture_is_dropped_or_pasted_on_any_page(
    browse: Callable[..., Any], draft: Path, snapshot: Snapshot, path: str, kind: str
) -> None:
    page = browse(path)
    page.evaluate(GIVE, [kind, list(draft.read_bytes())])
    page.wait_for_url("**/picture/*")
    assert page.locator("h1").inner_text() == "mine.png"
    assert shown(page) == tiles(snapshot, snapshot.similar(draft, SHOWN))


@pytest.mark.slow
def test_the_result_pages_filters_explains_and_survives_going_back_and_reloading(
    browse: Callable[..., Any], draft: Path, snapshot: Snapshot
) -> None:
    page = browse("/picture")
    page.locator("#file").set_input_files(draft)
    wait(page, "document.querySelector('.preview').naturalWidth === 260")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/picture/*")
    own = page.url
    matches = snapshot.similar(draft, 2 * SHOWN)
    expected, further = tiles(snapshot, snapshot.similar(draft, SHOWN)), tiles(snapshot, matches, SHOWN)
    assert shown(page) == expected
    page.get_by_role("link", name="Next", exact=True).click()
    page.wait_for_url("**offset=24**")
    assert shown(page) == further
    page.go_back()
    wait(page, f"document.querySelector('.name').textContent === {json.dumps(expected[0])}")
    page.locator(".grid .go").first.click()
    page.wait_for_url("**/games/**")
    page.go_back()
    page.wait_for_url(own)
    wait(page, f"document.querySelector('.name').textContent === {json.dumps(expected[0])}")
    assert shown(page) == expected
    page.reload()
    assert shown(page) == expected
    page.get_by_role("link", name=f"Why? {expected[1]}", exact=True).click()
    page.wait_for_url("**/why**")
    assert page.locator("table tbody tr").count() == 9
    page.get_by_role("link", name="draft.png", exact=True).click()
    page.wait_for_url(own)
    page.get_by_text("Filters and mirroring").click()
    page.get_by_label("Tag", exact=True).fill("Noir")
    page.get_by_label("mirror the query").check()
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**tag=Noir**")
    names = shown(page)
    assert set(names) <= {one.name for one in snapshot.games(snapshot.rows(Filter(tags=("Noir",))))}
    assert len(names) > 3
    assert "mirrored" in page.locator(".query").inner_text()


@pytest.mark.slow
def test_why_says_the_number_of_the_tile_and_shows_what_was_compared(
    browse: Callable[..., Any], draft: Path
) -> None:
    page = browse("/picture")
    page.locator("#file").set_input_files(draft)
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/picture/*")
    own = page.url
    for turned in ("", "?crop=0,0,1,0.5&mirror=1"):
        page.goto(own + turned)
        numbers = page.locator(".grid > .tile > .told strong").all_inner_texts()
        for place in (0, -1):
            tile = page.locator(".grid > .tile").nth(place)
            is_alike = not tile.evaluate("(tile) => tile.parentElement.matches('.end ~ .grid')")
            tile.locator("> .links").get_by_role("link", name="Why?").click()
            page.wait_for_url("**/why**")
            assert f"Similarity {numbers[place]}" in page.locator("main").inner_text()
            heading = page.get_by_role("heading", level=1).inner_text()
            assert (
                heading.startswith("Why ") == is_alike and heading.endswith("do not look alike") != is_alike
            )
            wait(page, "[...document.querySelectorAll('.sides img')].every((i) => i.naturalWidth > 200)")
            page.go_back()
            page.wait_for_url(own + turned)
    page.goto(f"{own}?plus=neonoir")
    assert page.get_by_role("link", name="Why?").count() == 0  # the picture alone would not explain a mixture


@pytest.mark.slow
def test_chips_and_minima_filter_the_games_that_look_like_it(
    browse: Callable[..., Any], draft: Path, snapshot: Snapshot
) -> None:
    page = browse("/picture")
    page.locator("#file").set_input_files(draft)
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/picture/*")
    chip = page.locator('.facets a[href*="tag="]').first
    tag = chip.inner_text().rsplit(maxsplit=1)[0]
    chip.click()
    page.wait_for_url("**tag=**")
    only = Filter(tags=(tag,))
    every = snapshot.similar(draft, SHOWN, only=only)
    assert shown(page) == tiles(snapshot, every)
    count = 1 + int(np.argmax(-np.diff(every.similarities[1:9]))) + 1  # the widest gap, beyond any rounding
    least = (every[count - 1].similarity + every[count].similarity) / 2
    page.get_by_label("Minimum similarity").fill(f"{least:.4f}")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**min_similarity=0**")
    assert shown(page) == tiles(snapshot, snapshot.similar(draft, count, only=only))
    assert page.get_by_role("link", name="Remove filter: similarity from").count() == 1
    check_looks(page)


@pytest.mark.slow
def test_two_pictures_keep_pages_of_their_own(
    browse: Callable[..., Any], draft: Path, snapshot: Snapshot, tmp_path: Path
) -> None:
    page = browse("/picture")
    addresses = []
    with Image.open(draft) as image:
        image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(tmp_path / "other.png")
    for file in (draft, tmp_path / "other.png"):
        page.goto(re.sub("/picture.*", "/picture", page.url))
        page.locator("#file").set_input_files(file)
        page.get_by_role("button", name="Send").click()
        page.wait_for_url("**/picture/*")
        addresses.append(page.url)
    for file, address in zip((draft, tmp_path / "other.png"), addresses, strict=True):
        page.goto(address)
        assert page.locator("h1").inner_text() == file.name
        assert shown(page) == tiles(snapshot, snapshot.similar(file, SHOWN))
    assert page.context.cookies(addresses[0]) != page.context.cookies(addresses[1])
    assert page.evaluate("document.cookie") == ""


@pytest.mark.slow
def test_an_error_is_said_where_the_picture_is_and_can_be_tried_again(
    browse: Callable[..., Any], draft: Path
) -> None:
    failed = "Failed to load resource: "
    page = browse(
        "/games/neonoir",
        expected=(
            f"{failed}the server responded with a status of 422 (Unprocessable Entity)",
            f"{failed}the server responded with a status of 422 (Unprocessable Content)",
            f"{failed}net::ERR_FAILED",
        ),
    )
    page.evaluate(GIVE, ["drop", list(b"no picture")])
    box = page.get_by_role("dialog", name="Your picture")
    box.get_by_role("alert").wait_for()
    assert "not a picture" in box.get_by_role("alert").inner_text()
    assert not box.get_by_role("progressbar").is_visible()
    check_looks(page)
    box.get_by_role("button", name="Cancel").press("Enter")
    assert not box.is_visible()
    page.route("**/picture", lambda route: route.abort())
    page.evaluate(GIVE, ["paste", list(draft.read_bytes())])
    box.get_by_role("alert").wait_for()
    assert "Check the connection" in box.get_by_role("alert").inner_text()
    page.unroute("**/picture")
    assert page.evaluate("document.activeElement.textContent") == "Try again"
    page.keyboard.press("Enter")
    page.wait_for_url("**/picture/*")
    assert shown(page)[0] == "Neonoir"


@pytest.mark.slow
def test_while_a_picture_travels_the_page_says_so(browse: Callable[..., Any], draft: Path) -> None:
    page = browse("/")
    held: list[Any] = []
    page.route("**/picture", lambda route: held.append(route))
    page.evaluate(GIVE, ["drop", list(draft.read_bytes())])
    box = page.get_by_role("dialog", name="Your picture")
    box.wait_for()
    wait(page, "document.querySelector('#sending img').naturalWidth === 260")
    assert box.get_by_role("status").inner_text() in ("Sending…", "Searching…")
    assert box.get_by_role("progressbar").is_visible()
    check_looks(page)
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    page.wait_for_url("**/picture/*")
    page.go_back()
    wait(page, "!document.getElementById('sending')?.open")


def test_a_file_that_is_no_picture_is_refused_before_it_is_sent(browse: Callable[..., Any]) -> None:
    page = browse("/")
    page.evaluate(GIVE.replace("image/png", "text/plain"), ["drop", list(b"text")])
    assert "not a picture" in page.get_by_role("alert").inner_text()
    assert not page.get_by_role("button", name="Try again").is_visible()


@pytest.mark.slow
def test_it_works_without_a_script(
    browse: Callable[..., Any], draft: Path, snapshot: Snapshot, tmp_path: Path
) -> None:
    refused = "Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)"
    page = browse(
        "/picture", expected=(refused, refused.replace("Entity", "Content")), java_script_enabled=False
    )
    (tmp_path / "text.png").write_text("no picture")
    page.locator("#file").set_input_files(tmp_path / "text.png")
    page.get_by_label("audit it").check()
    page.get_by_label("Also compare it with").fill("Noir")
    page.get_by_role("button", name="Send").click()
    assert "not a picture" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("audit it").is_checked()
    assert page.get_by_label("Also compare it with").input_value() == "Noir"
    page.get_by_label("find similar").check()
    page.locator("#file").set_input_files(draft)
    page.get_by_text("Only a part of it").click()
    for label, value in (("left", "0"), ("top", "0.5"), ("width", "1"), ("height", "0.5")):
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/picture/*crop=*")
    names = page.locator(".grid .name").all_inner_texts()
    assert names[0] == snapshot.similar(draft, 1, crop=Crop(0, 0.5, 1, 0.5))[0].name
    page.get_by_role("link", name="Remove part of").click()
    matches = snapshot.similar(draft, 2 * SHOWN)
    expected, further = tiles(snapshot, snapshot.similar(draft, SHOWN)), tiles(snapshot, matches, SHOWN)
    assert page.locator(".grid .name").all_inner_texts() == expected
    page.get_by_role("link", name="Next", exact=True).click()
    assert page.locator(".grid .name").all_inner_texts() == further
    page.go_back()
    page.reload()
    assert page.locator(".grid .name").all_inner_texts() == expected


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1440])
def test_its_pages_fit_the_screen_and_axe_finds_no_fault(
    browse: Callable[..., Any], draft: Path, width: int
) -> None:
    page = browse("/picture", viewport={"width": width, "height": 800})
    page.get_by_text("Only a part of it").click()
    page.locator("#file").set_input_files(draft)
    check_looks(page)
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/picture/*")
    page.get_by_text("Search by a part of it").click()
    page.get_by_text("Filters and mirroring").click()
    shown(page)
    check_looks(page)
    page.get_by_role("link", name="Why?").first.click()
    page.wait_for_url("**/why**")
    check_looks(page)


@pytest.mark.slow
def test_a_picture_is_private_to_the_browser_that_sent_it(
    serve: Callable[..., Any], built: Path, draft: Path
) -> None:
    running = serve(built)
    client = running.client
    other, sent = (_send(client, draft.read_bytes()) for _ in range(2))
    assert sent.status_code == 303
    place = sent.headers["location"]
    cookie = sent.headers["set-cookie"]
    assert f"Path={place}" in cookie
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Secure" not in cookie
    assert len(cookie.partition(";")[0]) <= 4096
    audited = _send(client, draft.read_bytes(), do="audit")
    asked = dict.fromkeys((place, f"{place}/preview", f"{place}/why?b=neonoir"), sent)
    for path, sent in (*asked.items(), (audited.headers["location"], audited)):
        mine = {"cookie": f"{COOKIE}={_cookie_of(sent)}"}
        found = httpx.get(timeout=30, url=running.address + path, headers={**PLAIN, **mine})
        assert found.status_code == 200, path
        assert found.headers["cache-control"].startswith("private")
        assert "cookie" in found.headers["vary"].lower()
        assert "etag" not in found.headers
        assert httpx.get(timeout=30, url=running.address + path, headers=PLAIN).status_code == 404
        stranger = {"cookie": f"{COOKIE}={_cookie_of(other)}"}
        assert (
            httpx.get(timeout=30, url=running.address + path, headers={**PLAIN, **stranger}).status_code
            == 404
        )


@pytest.mark.slow
def test_another_server_goes_on_with_the_vector_in_the_cookie(
    serve: Callable[..., Any], built: Path, gallery_with_pictures: Path, draft: Path
) -> None:
    """Two servers that share no folder, as on two machines."""
    first, second = serve(built), serve(gallery_with_pictures)
    sent = _send(first.client, draft.read_bytes())
    place, cookie = sent.headers["location"], {"cookie": f"{COOKIE}={_cookie_of(sent)}", **PLAIN}
    pages = [httpx.get(timeout=30, url=one.address + place, headers=cookie) for one in (first, second)]
    names = [re.findall('class="name"[^>]*>([^<]+)<', one.text) for one in pages]
    assert names[0] == names[1]
    assert len(names[0]) > 10
    assert "preview" in pages[0].text
    assert "preview" not in pages[1].text
    assert "no longer on this server" in pages[1].text
    for path in ("?mirror=1", "?crop=0,0,1,0.5", "/why?b=neonoir"):
        assert httpx.get(timeout=30, url=first.address + place + path, headers=cookie).status_code == 200
        gone = httpx.get(timeout=30, url=second.address + place + path, headers=cookie)
        assert gone.status_code == 404
        assert "Send it again" in gone.text or "send it again" in gone.text


@pytest.mark.slow
def test_an_audit_survives_reloading_and_going_back_and_leads_to_all_matches(
    browse: Callable[..., Any], draft: Path, snapshot: Snapshot
) -> None:
    page = browse("/picture")
    page.locator("#file").set_input_files(draft)
    page.get_by_label("audit it").check()
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/picture/*/audit")
    told, own = page.locator(".verdict").inner_text(), page.url
    page.reload()
    assert page.locator(".verdict").inner_text() == told
    page.locator(".grid .go").first.click()
    page.wait_for_url("**/games/**")
    page.go_back()
    page.wait_for_url(own)
    assert page.locator(".verdict").inner_text() == told
    page.get_by_role("link", name="All of them, with filters").click()
    page.wait_for_url("**/picture/*")
    assert shown(page) == tiles(snapshot, snapshot.similar(draft, SHOWN))


@pytest.mark.slow
def test_an_audit_is_gone_when_its_time_is_up(
    serve: Callable[..., Any], built: Path, draft: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    client = serve(built).client
    sent = _send(client, draft.read_bytes(), do="audit")
    mine = {"cookie": f"{COOKIE}={_cookie_of(sent)}", **PLAIN}
    assert "draft.png" in client.get(sent.headers["location"], headers=mine).text
    (kept,) = tmp_path.glob("steamdino-uploads*/*.html")
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.unlink()
    gone = client.get(sent.headers["location"], headers=mine)
    assert gone.status_code == 404
    assert "the audit is no longer on this server; send the picture again" in gone.text.lower()


@pytest.mark.slow
def test_a_server_that_keeps_nothing_says_so_and_still_pages(
    serve: Callable[..., Any], built: Path, draft: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    client = serve(built, keep_uploads=0.0).client
    assert "The picture is not stored." in client.get("/picture").text
    sent = _send(client, draft.read_bytes())
    mine = {"cookie": f"{COOKIE}={_cookie_of(sent)}"}
    found = client.get(sent.headers["location"] + "?offset=24", headers={**PLAIN, **mine})
    assert found.status_code == 200
    assert found.text.count('class="tile"') > 10
    audited = _send(client, draft.read_bytes(), do="audit")
    assert audited.status_code == 200
    assert "It shows what the banner of Neonoir shows" in audited.text
    assert "set-cookie" not in audited.headers
    assert not list(tmp_path.glob("steamdino-uploads*"))


def test_kept_pictures_are_small_nameless_and_deleted_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = UploadStore(tmp_path / "gallery", 100)
    image = Image.effect_noise((2000, 1500), 80).convert("RGB")
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    image.info["exif"] = exif.tobytes()
    store.put(b"secret", image)
    kept = store.find(b"secret")
    assert kept is not None and b"secret" not in bytes(kept)
    assert kept.parent.stat().st_mode & 0o777 == 0o700 and kept.stat().st_mode & 0o777 == 0o600
    assert b"where I live" not in kept.read_bytes()
    with Image.open(kept) as found:
        assert found.size[0] <= SIZE[0] and found.size[1] <= SIZE[1]
    assert store.find(b"other") is None
    assert UploadStore(tmp_path / "another gallery", 100).find(b"secret") is None
    os.utime(kept, (time.time() - 101,) * 2)
    assert store.find(b"secret") is None
    assert kept.exists()
    store.watch()
    deadline = time.monotonic() + 10
    while kept.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    store.close()


def test_the_oldest_of_too_many_pictures_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = UploadStore(tmp_path, 100)
    store.put(b"0", Image.new("RGB", (9, 9)))
    first = store.find(b"0")
    assert first is not None
    now = time.time()
    for number in range(MOST):
        path = first.parent / f"{number}.jpg"
        path.write_bytes(b"")
        os.utime(path, (now - 50 + number / MOST,) * 2)
    store.sweep()
    left = {path.name for path in first.parent.iterdir()}
    assert len(left) == MOST and first.name in left and "0.jpg" not in left


def test_a_folder_of_somebody_elses_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from steamdino.errors import OutputError

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = UploadStore(tmp_path, 100)
    store._folder.mkdir(mode=0o755)
    store._folder.chmod(0o755)
    with pytest.raises(OutputError, match="others can read it"):
        store.put(b"0", Image.new("RGB", (9, 9)))
    store._folder.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    store._folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError):
        store.put(b"0", Image.new("RGB", (9, 9)))
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize(("dim", "tolerance"), [(512, 1e-6), (1400, 1e-6), (2700, 1e-3)])
def test_a_vector_survives_the_cookie(dim: int, tolerance: float) -> None:
    vector = np.random.default_rng(0).standard_normal(dim).astype(np.float32)
    vector /= np.linalg.norm(vector)
    own = OwnPicture(b"s" * 16, "naïve 龍.png", "ab" * 32, "0123456789ab", vector)
    value = written(own)
    assert len(f"{COOKIE}={value}") <= 4096
    found = read(value)
    assert found is not None and found.vector is not None
    assert (found.secret, found.name, found.sha256, found.recipe) == (
        own.secret,
        own.name,
        own.sha256,
        own.recipe,
    )
    assert float(found.vector @ vector) > 1 - tolerance
    longest = written(OwnPicture(b"s" * 16, "龍" * 80, "ab" * 32, "0123456789ab", np.ones(6144, np.float32)))
    found = read(longest)
    assert found is not None and found.vector is None


forged = st.binary(max_size=300).map(lambda raw: base64.urlsafe_b64encode(b"\1" + raw).decode())


@given(st.text(max_size=300) | forged)
def test_any_cookie_is_a_picture_or_none(value: str) -> None:
    found = read(value)
    if found is not None and found.vector is not None:
        assert float(np.linalg.norm(found.vector)) == pytest.approx(1, abs=1e-3)


def test_a_cookie_of_another_size_is_no_fault_of_the_server(server: Any, snapshot: Snapshot) -> None:
    for recipe in ("0123456789ab", snapshot.recipe.hash):
        own = OwnPicture(b"s" * 16, "x.png", "ab" * 32, recipe, np.ones(7, np.float32))
        headers = {"cookie": f"{COOKIE}={written(own)}", **PLAIN}
        assert (
            httpx.get(timeout=30, url=f"{server.address}/picture/{own.id}", headers=headers).status_code
            == 404
        )
