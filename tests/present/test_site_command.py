"""`steam-dino export site`, served by a plain file server and opened in a browser."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from PIL import Image

from steamdino import Snapshot, unique
from steamdino.appids import store_page
from steamdino.features.recipe_parser import named
from steamdino.gallery.vectors import Row
from steamdino.index.snapshot_writer import write
from steamdino.present.export import name_pages, scaled_pictures
from steamdino.present.export import site as export_site
from steamdino.present.export.banner_urls import SteamPictures
from steamdino.present.export.mosaic import thumbnail
from steamdino.present.export.site import NEAREST, SHARD
from steamdino.records import Filter, Progress
from steamdino.storage.unfinished import unfinished_folder

Run = Callable[..., "CompletedProcess[str]"]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A plain file server that keeps what it was asked for."""

    asked: list[tuple[str, int]]

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        type(self).asked.append((self.path, int(code)))


@pytest.fixture(scope="module")
def folder(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("site") / "site"
    command = [
        sys.executable,
        "-m",
        "steamdino",
        "export",
        "site",
        "-o",
        str(folder),
        "-g",
        str(built),
        "--title",
        "<b>All</b>",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == f"{folder / 'index.html'}: 476 games\n"
    return folder


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """A plain file server: its address, and what it was asked for."""
    handler = type("Handler", (Quiet,), {"asked": []})
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", handler.asked
    server.shutdown()
    server.server_close()


@pytest.fixture
def site(folder: Path) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    with served(folder) as reached:
        yield reached


def test_the_files_hold_each_game_with_its_matches(folder: Path, built: Path) -> None:
    snapshot = Snapshot.open(built)
    ids: list[str] = []
    for shard in range(-(-len(snapshot) // SHARD)):
        for game_id, _, picture, _, _ in json.loads(
            (folder / f"data/games/0/{shard}.json").read_text("utf-8")
        ):
            assert (folder / picture).is_file()
            ids.append(game_id)
    assert ids == snapshot.ids
    found = json.loads((folder / f"data/games/0/{ids.index('neonoir') // SHARD}.json").read_text("utf-8"))
    near = next(game[4] for game in found if game[0] == "neonoir")
    expected = snapshot.similar("neonoir", NEAREST)
    assert [match[0] for match in near] == expected.ids
    assert [match[3] for match in near] == pytest.approx(expected.similarities.tolist(), abs=6e-4)
    with Image.open(next((folder / "banners").rglob("*.jpg"))) as image:
        assert image.size[0] <= 300


def test_the_page_names_its_style_and_script_by_their_content(folder: Path) -> None:
    """A browser that kept those of an older site would refuse the script, or show the page in another style."""
    page = (folder / "index.html").read_text("utf-8")
    named = re.findall(r'(?:href|src)="((?:site|app|theme)\.[0-9a-f]{12}\.(?:css|js))"', page)
    assert [name.split(".")[0] for name in named] == ["theme", "site", "app"]
    for name in named:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest().startswith(name.split(".")[1])
    assert {path.name for path in folder.iterdir()} == {*named, "index.html", "icon.svg", "data", "banners"}


@pytest.mark.browser
def test_games_are_found_by_name_and_lead_on_and_back(
    site: tuple[str, list[tuple[str, int]]], built: Path, browser: Any
) -> None:
    address, asked = site
    snapshot = Snapshot.open(built)
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    page.locator(".grid .tile").first.wait_for()
    assert page.locator(".grid .tile").count() == 24
    data = [path for path, _ in asked if path.startswith("/data/")]
    assert data == ["/data/home.json"]

    box = page.get_by_role("combobox")
    box.press_sequentially("wet prec")
    page.locator("#found li").first.wait_for()
    assert page.locator("#found li").all_inner_texts() == ["The Wet Precinct"]
    box.press("ArrowDown")
    box.press("Enter")
    page.get_by_role("heading", name="The Wet Precinct", exact=True).wait_for()
    expected = snapshot.similar("the-wet-precinct", NEAREST)
    assert page.locator(".answers .name").all_inner_texts() == [match.name for match in expected]
    page.locator(".answers .go").first.click()
    page.get_by_role("heading", name=expected[0].name, exact=True).wait_for()
    page.go_back()
    page.get_by_role("heading", name="The Wet Precinct", exact=True).wait_for()

    page.get_by_role("link", name="Unique").click()
    page.get_by_role("heading", name="Games whose banners look like no other's").wait_for()
    shown = page.locator(".grid .name").all_inner_texts()
    assert shown == [" ".join(one.game.name.split()) for one in unique(snapshot, 250)]
    page.get_by_role("link", name="Surprise me").click()
    page.get_by_text("Banners that look like it").wait_for()
    assert page.locator(".answers .tile").count() == NEAREST

    box.fill("<script>")
    page.wait_for_timeout(200)
    box.fill("script")
    page.locator("#found li").first.wait_for()
    assert '<script>alert("x")</script>' in page.locator("#found li").all_inner_texts()
    assert page.title().endswith("<b>All</b>")
    assert {code for _, code in asked} <= {200, 304, 404}
    assert not [text for text in complaints if "404" not in text]
    page.close()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1400])
def test_the_site_fits_the_screen_and_axe_finds_no_fault(
    site: tuple[str, list[tuple[str, int]]], browser: Any, width: int
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(viewport={"width": width, "height": 800})
    for place in ("", "#/game/neonoir", "#/unique"):
        page.goto(site[0] + place)
        page.reload()
        page.locator(".grid .tile").first.wait_for()
        assert page.locator(".grid .tile").count() >= NEAREST
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    page.close()


@pytest.mark.browser
def test_names_are_found_despite_a_typo(site: tuple[str, list[tuple[str, int]]], browser: Any) -> None:
    page = browser.new_page()
    page.goto(site[0])
    box = page.get_by_role("combobox")
    for typed, expected in (
        ("neonior", "Neonoir"),
        ("holow avenue", "Hollow Avenue"),
        ("wet presinct", "The Wet Precinct"),
    ):
        box.fill("")
        page.locator("#found").wait_for(state="hidden")
        box.fill(typed)
        page.locator("#found li").first.wait_for()
        assert expected in page.locator("#found li").all_inner_texts()
    page.close()


@pytest.mark.slow
@pytest.mark.browser
def test_a_shared_link_leads_to_the_same_game_after_the_next_export(tmp_path: Path, browser: Any) -> None:
    export(tmp_path / "site", made_up(tmp_path / "before", 70))
    after = made_up(tmp_path / "after", 70, without=(0, 6, 29))

    def shown(hash_: str) -> str:
        page.goto("about:blank")
        page.goto(address + hash_)
        page.locator("main h1").wait_for()
        return str(page.locator("main h1").inner_text())

    page = browser.new_page()
    page.route("https://pictures.example/**", lambda route: route.abort())
    with served(tmp_path / "site") as (address, _):
        page.goto(address)
        page.locator('.grid a[href="#/game/240"]').first.wait_for()
        names = {key: shown(f"#/game/{key}") for key in ("10", "240", "690")}
        assert names == {"10": "The Game 0", "240": "The Game 23", "690": "The Game 68"}
        export(tmp_path / "site", after)
        for key, name in (("240", names["240"]), ("690", names["690"]), ("10", "There is no such game")):
            assert shown(f"#/game/{key}") == name
        assert shown("#/game/%E0%A4%A") == "There is no such game"  # a link that was cut
    page.close()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("height", [500, 900])
def test_going_back_leads_to_the_place_that_was_left(
    site: tuple[str, list[tuple[str, int]]], browser: Any, height: int
) -> None:
    page = browser.new_page(viewport={"width": 700, "height": height})
    page.goto(site[0] + "#/unique")
    page.locator(".grid .tile").nth(200).scroll_into_view_if_needed()
    tile = page.locator(".grid .tile").nth(200).locator("a")
    name, y = tile.inner_text(), page.evaluate("scrollY")
    assert y > 3000
    tile.click()
    page.get_by_role("heading", name="Banners that look like it").wait_for()
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("document.activeElement.tagName") == "H1"
    page.mouse.wheel(0, 300)
    page.wait_for_timeout(300)
    page.go_back()
    page.get_by_role("heading", name="Games whose banners look like no other's").wait_for()
    assert page.evaluate("scrollY") == pytest.approx(y, abs=2)
    assert page.evaluate("document.activeElement.innerText") == name
    page.go_forward()
    page.get_by_role("heading", name="Banners that look like it").wait_for()
    assert page.evaluate("scrollY") == pytest.approx(300, abs=2)
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert "#/game/" in page.url
    page.close()


@pytest.mark.slow
@pytest.mark.browser
def test_opened_from_a_disk_it_says_what_to_do(folder: Path, browser: Any) -> None:
    page = browser.new_page()
    page.goto((folder / "index.html").as_uri())
    hint = page.get_by_text("python -m http.server")
    hint.first.wait_for()
    assert "Nothing to see?" in page.locator("main").inner_text() or page.locator("h1").is_visible()
    page.close()


@pytest.mark.quick_cases(1)
@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_site_has_both_themes(site: tuple[str, list[tuple[str, int]]], browser: Any, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(color_scheme=scheme)
    page.goto(site[0])
    page.locator(".grid .tile").first.wait_for()
    assert not page.locator(".late").count()
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    assert before == {"light": "rgb(244, 246, 249)", "dark": "rgb(18, 22, 29)"}[scheme]
    page.locator("#theme").click()
    other = page.evaluate(ground)
    assert other != before
    page.reload()
    page.locator(".grid .tile").first.wait_for()
    assert page.evaluate(ground) == other
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.close()


def test_another_folder_is_left_alone(run: Run, built: Path, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine", "utf-8")
    done = run("export", "site", "-o", tmp_path, "-g", built)
    assert (done.returncode, "holds other files than a site" in done.stderr) == (2, True)
    assert (tmp_path / "index.html").read_text("utf-8") == "mine"
    assert run("export", "site", "-o", tmp_path / "x", "-g", built, "--pictures", "no").returncode == 2


def made_up(folder: Path, count: int, without: tuple[int, ...] = ()) -> Snapshot:
    """Games whose names begin alike, with pictures at addresses."""
    rows = [
        Row(f"{10 * n + 10}", f"The Game {n}", "steam", store_page(f"{10 * n + 10}"), "", f"{n:064x}", "{}")
        for n in range(count)
        if n not in without
    ]
    vectors = np.random.default_rng(0).standard_normal((len(rows), 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    recipe = replace(named("bundled"), dim=8)
    return Snapshot.open(write(folder / "snapshots" / "x", recipe, 1, rows, [], vectors, {}))


def export(folder: Path, snapshot: Snapshot) -> None:
    online = SteamPictures(
        {key: f"https://pictures.example/{key}/library_600x900.jpg" for key in snapshot.ids}
    )
    export_site.write_site(
        folder,
        snapshot,
        home=snapshot.games(range(24)),
        lonely=unique(snapshot, 250),
        online=online,
        title="x",
    )


def test_no_folder_of_a_site_has_many_files_and_no_file_is_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (export_site, name_pages):
        monkeypatch.setattr(module, "FOLDER", 4)
    monkeypatch.setattr(name_pages, "PAGE", 2000)
    monkeypatch.setattr(export_site, "SHARD", 8)
    monkeypatch.setattr(export_site, "BLOCK", 32)
    export(tmp_path / "site", made_up(tmp_path / "gallery", 300))
    data = tmp_path / "site" / "data"
    for folder in (data / "games", data / "names" / "pages", data / "names" / "best"):
        inner = Counter(path.parent for path in folder.rglob("*.json"))
        assert max(inner.values()) <= 4
    assert len(list((data / "games").rglob("*.json"))) == 38
    ids = [
        game[0]
        for shard in range(38)
        for game in json.loads((data / f"games/{shard // 4}/{shard}.json").read_text("utf-8"))
    ]
    assert ids == [f"{10 * n + 10}" for n in range(300)]


@pytest.mark.slow
@pytest.mark.browser
def test_the_first_page_of_many_games_is_small(tmp_path: Path, browser: Any) -> None:
    export(tmp_path / "site", made_up(tmp_path / "gallery", 5000))
    with served(tmp_path / "site") as (address, _):
        page = browser.new_page()
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        sizes: list[float] = []
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        page.route("https://pictures.example/**", lambda route: route.abort())
        page.goto(address)
        page.locator(".grid .tile").first.wait_for()
        page.wait_for_load_state("networkidle")
        assert len(sizes) >= 4  # the page, its style, its script and the games to begin with
        assert sum(sizes) < 60_000
        # All names begin with "The Game", so this list is too long to load.
        page.get_by_role("combobox").fill("the game")
        page.locator("#found li").first.wait_for()
        assert page.locator("#found li").count() == 10
        page.get_by_role("combobox").fill("the game 4321")
        # The page's policy refuses the script by which Playwright would poll.
        page.locator("#found li").nth(1).wait_for(state="detached")
        assert page.locator("#found li").all_inner_texts() == ["The Game 4321"]
        assert sum(sizes) < 400_000
        page.close()


def test_a_second_export_takes_the_pictures_of_the_first(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(folder: Path) -> None:
        snapshot = Snapshot.open(built)
        export_site.write_site(
            folder, snapshot, home=[], lonely=unique(snapshot, 3), online=SteamPictures(), title="x"
        )

    write(tmp_path / "site")
    first = {path: path.read_bytes() for path in (tmp_path / "site" / "banners").rglob("*.jpg")}
    broken, *_ = first
    broken.write_bytes(broken.read_bytes()[:100])
    scaled = []

    def counting(*arguments: Any) -> Any:
        scaled.append(arguments)
        return thumbnail(*arguments)

    monkeypatch.setattr(scaled_pictures, "thumbnail", counting)
    write(tmp_path / "site")
    assert {
        path: path.read_bytes() for path in (tmp_path / "site" / "banners").rglob("*") if path.is_file()
    } == first
    assert len(scaled) == 1

    # A site whose pictures were scaled in another way has none to take.
    page = tmp_path / "site" / "index.html"
    page.write_text(page.read_text("utf-8").replace("300x450-82", "200x300-82"), "utf-8")
    write(tmp_path / "site")
    assert len(scaled) == 1 + len(first)


@pytest.mark.slow
def test_nothing_of_an_interrupted_site_of_other_games_is_left(built: Path, tmp_path: Path) -> None:
    snapshot = Snapshot.open(built)

    def write(name: str, **options: Any) -> None:
        empty = unique(snapshot, 1)
        export_site.write_site(
            tmp_path / name, snapshot, home=[], lonely=empty, online=SteamPictures(), title="x", **options
        )

    @contextmanager
    def stopping(description: str, unit: str) -> Iterator[Progress]:
        if description == "Writing":
            raise KeyboardInterrupt
        yield lambda done, total: None

    with pytest.raises(KeyboardInterrupt):
        write("site", stage=stopping)
    assert not (tmp_path / "site").exists()
    unfinished = unfinished_folder(tmp_path / "site") / "output" / "banners"
    assert len(list(unfinished.rglob("*.jpg"))) > 400
    horror = Filter(tags=("horror",))
    write("site", only=horror)
    write("other", only=horror)
    made, expected = (
        {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in tmp_path.joinpath(name).rglob("*.*")
        }
        for name in ("site", "other")
    )
    assert made == expected
    assert sum(path.suffix == ".jpg" for path in made) <= 30
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "site"]
