"""`steam-dino map` as a whole process, and its page in a browser."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from PIL import Image

from steamdino import Snapshot
from steamdino.analysis.map_grid import grid
from steamdino.features.recipe_parser import named
from steamdino.gallery.vectors import Row
from steamdino.index.snapshot_writer import write
from steamdino.present.cli.main import _exit_code
from steamdino.present.export import atlas, finished_tiles, map_page, map_tiles, map_writer
from steamdino.present.export.mosaic import thumbnail
from steamdino.present.export.scaled_pictures import banner_place
from steamdino.records import Game
from steamdino.sample import FictionalGame

Command = Callable[..., tuple[int, str, str]]
Run = Callable[..., "CompletedProcess[str]"]
OpenPage = Callable[..., Any]
Store = tuple[Path, tuple[FictionalGame, ...]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("map") / "map"


@pytest.fixture(scope="module")
def drawn(built: Path, folder: Path) -> atlas.Atlas:
    snapshot = Snapshot.open(built)
    return map_writer.write_map(
        snapshot,
        snapshot.rows(),
        png=folder.with_suffix(".png"),
        folder=folder,
        title="<i>All</i>",
        threads=2,
    )


def games_of(drawn: atlas.Atlas) -> dict[tuple[int, int], Game]:
    return drawn.games(0, 0, *drawn.shape)


def test_every_banner_is_on_the_picture_in_its_cell(drawn: atlas.Atlas, folder: Path) -> None:
    with Image.open(folder.with_suffix(".png")) as opened:
        sheet = np.asarray(opened.convert("RGB"), np.float32)
    assert sheet.shape == (drawn.size[1], drawn.size[0], 3)
    for (row, column), game in games_of(drawn).items():
        image = thumbnail(game.picture, map_tiles.BANNER)
        assert image is not None
        x = column * atlas.CELL[0] + (atlas.CELL[0] - image.width) // 2
        y = row * atlas.CELL[1] + (atlas.CELL[1] - image.height) // 2
        assert (sheet[y : y + image.height, x : x + image.width] == np.asarray(image)).all(), game.id


def test_each_scale_shows_the_whole_map(drawn: atlas.Atlas, folder: Path) -> None:
    assert drawn.levels > 2
    with Image.open(folder.with_suffix(".png")) as opened:
        whole = opened.convert("RGB")
    for level in range(drawn.levels):
        width, height = drawn.scaled(level)
        shown = Image.new("RGB", (width, height))
        for path in (folder / "tiles" / str(level)).rglob("*.jpg"):
            column, row = int(path.stem), int(path.parent.name)
            with Image.open(path) as tile:
                assert tile.size == (atlas.TILE, atlas.TILE)
                shown.paste(tile, (column * atlas.TILE, row * atlas.TILE))
        expected = whole.resize((width, height), Image.Resampling.BOX)
        difference = np.abs(np.asarray(shown, np.float32) - np.asarray(expected, np.float32)).mean()
        assert difference < 10, level  # JPEG's; elsewhere in the map it is 40 or more


@pytest.mark.slow
def test_the_same_gallery_gives_the_same_map_and_an_old_one_is_replaced(
    run: Run, built: Path, tmp_path: Path
) -> None:
    arguments = ("map", "-g", built, "--tag", "horror", "-o", tmp_path / "m.png", "--html", tmp_path / "m")
    pages = []
    for _ in range(2):
        done = run(*arguments)
        assert done.returncode == 0, done.stderr
        pages.append([path.read_bytes() for path in sorted(tmp_path.rglob("*.*"))])
    assert pages[0] == pages[1]
    assert "m.png: 30 games" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m", "m.png"]


def test_a_folder_of_something_else_is_left_alone(run: Run, built: Path, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine", "utf-8")
    for arguments, told in (
        (("--html", tmp_path), "holds other files than a map"),
        (("-o", tmp_path / "m.jpg"), "does not end in .png"),
    ):
        done = run("map", "-g", built, *arguments)
        assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    assert (tmp_path / "index.html").read_text("utf-8") == "mine"
    nothing = run("map", "-g", built, "--min-reviews", "99999999", "-o", tmp_path / "m.png")
    assert (nothing.returncode, "no game is left" in nothing.stderr) == (1, True)


@pytest.mark.browser
def test_the_page_finds_games_and_shows_them(
    folder: Path, drawn: atlas.Atlas, open_page: OpenPage, fictional_store: Store
) -> None:
    page = open_page(folder / "index.html")
    until(page, "[...tiles.values()].some((image) => image.naturalWidth)")
    assert page.title() == "<i>All</i>"
    search, found = page.get_by_role("combobox"), page.locator("#found li")
    search.fill("neonoi")
    found.first.wait_for()
    assert found.all_inner_texts() == ["Neonoir"]
    search.press("ArrowDown")
    assert found.first.get_attribute("aria-selected") == "true"
    search.press("Enter")
    page.locator("#label").get_by_text("Neonoir", exact=True).wait_for()
    (row, column), game = next((cell, game) for cell, game in games_of(drawn).items() if game.id == "neonoir")
    middle = ((column + 0.5) * atlas.CELL[0], (row + 0.5) * atlas.CELL[1])
    assert page.evaluate("[view.x, view.y]") == pytest.approx(middle)
    # What is drawn in the middle is that banner.
    until(page, "[...tiles.values()].every((image) => image.complete)")
    page.wait_for_timeout(200)
    box = page.locator("canvas").bounding_box()
    shot = page.screenshot(clip=box, path=folder.parent / "shot.png")
    assert shot
    with Image.open(folder.parent / "shot.png") as opened:
        scale = page.evaluate("view.scale")
        half = (20 * scale, 30 * scale)
        middle = (opened.width / 2, opened.height / 2)
        region = (middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1])
        seen = opened.convert("RGB").crop(tuple(map(round, region))).resize((40, 60))
    banner = thumbnail(game.picture, map_tiles.BANNER)
    assert banner is not None
    expected = banner.crop((10, 15, 50, 75))
    assert np.abs(np.asarray(seen, np.float32) - np.asarray(expected, np.float32)).mean() < 14

    # Names of strangers are text; accents and case do not matter; an id finds its game.
    search.fill("<SCRIPT>")
    found.first.wait_for()
    assert '<script>alert("x")</script>' in found.all_inner_texts()
    search.fill("neonoir")
    search.press("Escape")
    assert page.locator("#found").is_hidden()

    # A click on a banner without a page of its own shows it as large as it gets; keys and buttons move and zoom.
    page.locator("canvas").click()
    until(page, "view.scale === LARGEST")
    page.locator("#label").get_by_text("Neonoir", exact=True).wait_for()
    for _ in range(3):
        page.get_by_role("button", name="Zoom out").click()
    before = page.evaluate("[view.x, view.scale]")
    page.locator("canvas").press("ArrowRight")
    page.get_by_role("button", name="Zoom in").click()
    after = page.evaluate("[view.x, view.scale]")
    assert after[0] > before[0] and after[1] > before[1]
    page.get_by_role("button", name="All").click()
    assert page.evaluate("view.scale") < 1
    page.mouse.move(600, 500)
    page.mouse.wheel(0, -300)
    until(page, "view.scale > smallest() * 1.5")
    page.mouse.down()
    page.mouse.move(500, 500)
    page.mouse.up()
    assert page.complaints == []


def until(page: Any, condition: str) -> None:
    """Wait for a condition; Playwright's own way evaluates a text in the page, which its policy forbids."""
    for _ in range(500):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(20)
    raise AssertionError(condition)


def seen_in_the_middle(page: Any, folder: Path) -> Image.Image:
    """What the screen shows of the banner in the middle of the map."""
    until(page, "[...pictures.values(), ...tiles.values()].every((image) => image.complete)")
    page.wait_for_timeout(200)
    box = page.locator("canvas").bounding_box()
    page.screenshot(clip=box, path=folder / "seen.png")
    scale = page.evaluate("view.scale")
    half, middle = (30 * scale, 45 * scale), (box["width"] / 2, box["height"] / 2)
    region = (middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1])
    with Image.open(folder / "seen.png") as opened:
        return opened.convert("RGB").crop(tuple(map(round, region)))


@pytest.mark.browser
def test_a_banner_is_sharp_at_full_zoom(folder: Path, drawn: atlas.Atlas, open_page: OpenPage) -> None:
    page = open_page(Path(f"{folder / 'index.html'}"))
    page.evaluate("location.hash = '#/game/neonoir/5'")
    until(page, "view.scale === 5 && pictures.size > 0")
    seen = seen_in_the_middle(page, folder.parent)
    game = drawn.snapshot.game("neonoir")
    with Image.open(folder / banner_place(game.sha256)) as opened:
        expected = opened.convert("RGB").resize(seen.size)
    blurred = thumbnail(game.picture, map_tiles.BANNER)
    assert blurred is not None

    def difference(one: Image.Image) -> float:
        pixels = [np.asarray(side, np.float32)[20:-20, 20:-20] for side in (seen, one)]
        return float(np.abs(pixels[0] - pixels[1]).mean())

    assert difference(expected) < 6
    assert difference(blurred.resize(seen.size)) > 2 * difference(expected)
    assert page.complaints == []


@pytest.mark.slow
@pytest.mark.browser
def test_the_address_leads_to_what_the_map_shows(
    folder: Path, drawn: atlas.Atlas, open_page: OpenPage
) -> None:
    page = open_page(folder / "index.html")
    page.wait_for_timeout(500)
    assert "#" not in page.url
    page.get_by_role("combobox").fill("neonoir")
    page.locator("#found li").first.click()
    until(page, "location.hash === '#/game/neonoir/1.6'")
    page.get_by_role("combobox").fill("hollow avenue")
    page.locator("#found li").first.click()
    until(page, "location.hash === '#/game/hollow-avenue/1.6'")
    page.go_back()
    page.locator("#label").get_by_text("Neonoir", exact=True).wait_for()
    page.locator("canvas").press("0")
    until(page, "location.hash.startsWith('#/game/neonoir/0')")

    places = {game.id: cell for cell, game in games_of(drawn).items()}
    row, column = places["hollow-avenue"]
    for hash_, x, y in (
        ("#/game/hollow-avenue/2", column + 0.5, row + 0.5),
        ("#/at/3.5,2.25/2", 3.5, 2.25),
    ):
        other = open_page(folder / "index.html")
        other.evaluate(f"location.hash = {hash_!r}")
        other.reload()
        until(other, "view.scale === 2")
        expected = (x * atlas.CELL[0], y * atlas.CELL[1])
        assert other.evaluate("[view.x, view.y]") == pytest.approx(expected)
        other.wait_for_timeout(500)
        assert other.url.endswith(hash_)
    for wrong in ("#/game/no%20such%2/2", "#/at/x,/2", "#/at/1,2,3/", "#/at/99999,-5/1e9", "#x"):
        other = open_page(folder / "index.html")
        other.evaluate(f"location.hash = {wrong!r}")
        other.reload()
        other.wait_for_timeout(100)
        assert other.evaluate("isFinite(view.x + view.y + view.scale)"), wrong
        assert other.complaints == [], wrong


@pytest.mark.browser
def test_a_click_opens_the_games_page_and_a_finger_chooses_first(tmp_path: Path, open_page: OpenPage) -> None:
    rows = [
        Row(str(n), f"Game {n}", "x", f"https://store.example/{n}", "", str(n) * 64, "{}") for n in range(3)
    ]
    recipe = replace(named("bundled"), dim=4)
    snapshot = Snapshot.open(
        write(tmp_path / "snapshots" / "x", recipe, 1, rows, [], np.eye(3, 4, dtype=np.float32), {})
    )
    map_writer.write_map(snapshot, np.arange(3), png=None, folder=tmp_path / "m", title="Few")
    page = open_page(tmp_path / "m" / "index.html")
    page.evaluate("globalThis.opened = []; window.open = (...given) => { opened.push(given); }; 0")
    page.evaluate("location.hash = '#/game/1/3'")
    page.locator("#label a").wait_for()
    page.locator("canvas").click()
    until(page, "opened.length === 1")
    assert page.evaluate("opened[0]") == ["https://store.example/1", "_blank", "noopener,noreferrer"]
    page.locator("canvas").press("Enter")
    until(page, "opened.length === 2")
    page.evaluate("choose(-1)")
    tap = """(kind) => { const box = canvas.getBoundingClientRect();
      canvas.setPointerCapture = () => {};
      for (const name of ["pointerdown", "pointerup"]) canvas.dispatchEvent(new PointerEvent(name, {
        pointerId: 1, pointerType: kind, clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 })); }"""
    page.evaluate(tap, "touch")
    page.locator("#label a").wait_for()
    page.wait_for_timeout(100)
    assert page.evaluate("opened.length") == 2
    page.evaluate(tap, "touch")
    until(page, "opened.length === 3")
    # Where banners are too small to tell apart, a click comes closer.
    page.evaluate("Object.assign(view, { scale: 0.2 }); smallest = () => 0.1; choose(-1)")
    page.locator("canvas").click()
    until(page, "view.scale === 1.6")
    assert page.evaluate("opened.length") == 3


@pytest.mark.slow
def test_pictures_are_left_out_if_asked(tmp_path: Path, built: Path, run: Run) -> None:
    folder = tmp_path / "m"
    done = run("map", "-g", built, "--tag", "horror", "--html", folder, "--pictures", "none")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["data", "index.html", "tiles"]
    done = run("map", "-g", built, "--tag", "horror", "--html", folder, "--pictures", "steam")
    assert (done.returncode, "--pictures is 'steam'; it must be copy or none" in done.stderr) == (2, True)


@pytest.mark.browser
def test_a_game_with_a_page_is_linked(tmp_path: Path, open_page: OpenPage) -> None:
    rows = [
        Row(str(n), f"Game {n}", "x", f"https://store.example/{n}", "", str(n) * 64, "{}") for n in range(3)
    ]
    recipe = replace(named("bundled"), dim=4)
    snapshot = Snapshot.open(
        write(tmp_path / "snapshots" / "x", recipe, 1, rows, [], np.eye(3, 4, dtype=np.float32), {})
    )
    map_writer.write_map(snapshot, np.arange(3), png=None, folder=tmp_path / "m", title="Few")
    page = open_page(tmp_path / "m" / "index.html", width=400, height=700)
    page.get_by_role("combobox").fill("Game 1")
    page.locator("#found li").first.click()
    link = page.locator("#label a")
    assert link.get_attribute("href") == "https://store.example/1"
    assert link.inner_text() == "Game 1"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.complaints == []


def made_up(folder: Path, count: int) -> Path:
    """A gallery's folder with a snapshot of games without pictures."""
    recipe = replace(named("bundled"), dim=8)
    rows = [Row(f"{n:05}", f"Game {n}", "x", None, "", f"{n:064x}", "{}") for n in range(count)]
    vectors = np.random.default_rng(0).standard_normal((count, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    write(folder / "snapshots" / recipe.hash, recipe, 1, rows, [], vectors, {})
    return folder


@pytest.fixture
def steam_dino(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the command line in this process, where numbers can be made small: code, output, messages."""

    def command(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["steam-dino", *map(str, arguments)])
        code = _exit_code()
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


def test_few_games_are_drawn_as_one_picture_by_default_and_many_as_tiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steam_dino: Command
) -> None:
    monkeypatch.chdir(tmp_path)
    gallery = made_up(tmp_path / "gallery", 15)
    assert steam_dino("map", "-g", gallery) == (0, "map.png: 15 games, 320x288 pixels\n", "")
    before = Path("map.png").read_bytes()
    code, _, told = steam_dino("map", "-g", gallery)
    assert (code, told) == (
        1,
        "steam-dino: map.png exists; replace it with -o map.png, or name another file\n",
    )
    assert Path("map.png").read_bytes() == before

    monkeypatch.setattr(sys.modules["steamdino.present.cli.map"], "MANY", 14)
    code, out, told = steam_dino("map", "-g", gallery)
    assert (code, out) == (0, "map/index.html: 15 games\n")
    assert told == "15 games are too many for one picture, so a page is written; -o FILE writes a PNG\n"
    assert sorted(path.name for path in Path("map").iterdir()) == ["data", "index.html", "tiles"]
    Path("map/index.html").write_text("mine", "utf-8")
    code, _, told = steam_dino("map", "-g", gallery)
    assert (code, "holds other files than a map" in told) == (2, True)
    assert steam_dino("map", "-g", gallery, "-o", "asked.png")[0] == 0
    assert Path("asked.png").read_bytes() == before


def test_a_picture_of_many_games_has_a_bounded_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steam_dino: Command
) -> None:
    monkeypatch.setattr(atlas, "LARGEST", 50_000)
    for module in (atlas, map_tiles, finished_tiles):
        monkeypatch.setattr(module, "TILE", 64)
    monkeypatch.setattr(finished_tiles, "_SIZE", (64, 64))
    gallery = made_up(tmp_path / "gallery", 15)
    code, out, _ = steam_dino("map", "-g", gallery, "-o", tmp_path / "m.png")
    assert (code, out) == (0, f"{tmp_path / 'm.png'}: 15 games, 160x144 pixels\n")
    with Image.open(tmp_path / "m.png") as picture:
        assert picture.size == (160, 144)


def test_no_folder_of_a_map_has_many_files(tmp_path: Path) -> None:
    snapshot = Snapshot.open(made_up(tmp_path / "gallery", 900))
    cells, shape = grid(np.random.default_rng(0).standard_normal((900, 2)))
    drawn = atlas.Atlas(snapshot, np.arange(900), cells, shape)
    map_tiles.draw_map(drawn, tmp_path, png=False, folder=tmp_path / "map")
    map_page.write_map_page(drawn, tmp_path / "map", tmp_path / "names.sqlite", "x")
    files = [path for path in (tmp_path / "map").rglob("*") if path.is_file()]
    most = max(Counter(path.parent for path in files).values())
    assert len(files) > 40
    # A row of the finest tiles is the largest: as many as the square root of the number of tiles.
    assert most == max(drawn.scaled(drawn.levels - 1)) // atlas.TILE + 1
    assert (tmp_path / "map" / "index.html").stat().st_size < 30_000


def test_the_data_of_a_page_have_each_game_in_its_cell(drawn: atlas.Atlas, folder: Path) -> None:
    found = {}
    for path in (folder / "data" / "cells").rglob("*.js"):
        row, column = int(path.parent.name), int(path.stem)
        place = f'loaded("cells/{row}/{column}",'
        text = path.read_text("utf-8")
        assert text.startswith(place) and text.endswith(");\n")
        for number, entry in enumerate(json.loads(text[len(place) : -3])):
            if entry:
                inner = divmod(number, map_page.SIDE)
                found[row * map_page.SIDE + inner[0], column * map_page.SIDE + inner[1]] = entry
    expected = {
        cell: [game.name, game.id, game.url or "", banner_place(game.sha256)]
        for cell, game in games_of(drawn).items()
    }
    assert found == expected
    assert len(found) == 476
