"""`steam-dino map` as a whole process, and its page in a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from PIL import Image

from steamdino import Snapshot
from steamdino.analysis.map import grid, layout
from steamdino.present.export import map_tiles
from steamdino.present.export.mosaic import thumbnail
from steamdino.sample import FictionalGame

Run = Callable[..., "CompletedProcess[str]"]
OpenPage = Callable[..., Any]
Store = tuple[Path, tuple[FictionalGame, ...]]


@pytest.fixture(scope="module")
def drawn(built: Path) -> map_tiles.Atlas:
    snapshot = Snapshot.open(built)
    return map_tiles.Atlas(snapshot.games(snapshot.rows()), *grid(layout(snapshot.index)))


@pytest.fixture(scope="module")
def folder(drawn: map_tiles.Atlas, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("map") / "map"
    map_tiles.write_map(drawn, png=folder.with_suffix(".png"), folder=folder, title="<i>All</i>", threads=2)
    return folder


def test_every_banner_is_on_the_picture_in_its_cell(drawn: map_tiles.Atlas, folder: Path) -> None:
    with Image.open(folder.with_suffix(".png")) as opened:
        sheet = np.asarray(opened.convert("RGB"), np.float32)
    assert sheet.shape == (drawn.size[1], drawn.size[0], 3)
    for game, (row, column) in zip(drawn.games, drawn.cells, strict=True):
        image = thumbnail(game.picture, map_tiles.BANNER)
        assert image is not None
        x = column * map_tiles.CELL[0] + (map_tiles.CELL[0] - image.width) // 2
        y = row * map_tiles.CELL[1] + (map_tiles.CELL[1] - image.height) // 2
        assert (sheet[y : y + image.height, x : x + image.width] == np.asarray(image)).all(), game.id


def test_each_scale_shows_the_whole_map(drawn: map_tiles.Atlas, folder: Path) -> None:
    assert drawn.levels > 2
    with Image.open(folder.with_suffix(".png")) as opened:
        whole = opened.convert("RGB")
    for level in range(drawn.levels):
        width, height = drawn.scaled(level)
        shown = Image.new("RGB", (width, height))
        for path in (folder / "tiles" / str(level)).iterdir():
            column, row = map(int, path.stem.split("-"))
            with Image.open(path) as tile:
                assert tile.size == (map_tiles.TILE, map_tiles.TILE)
                shown.paste(tile, (column * map_tiles.TILE, row * map_tiles.TILE))
        expected = whole.resize((width, height), Image.Resampling.BOX)
        difference = np.abs(np.asarray(shown, np.float32) - np.asarray(expected, np.float32)).mean()
        assert difference < 10, level  # JPEG's; elsewhere in the map it is 40 or more


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
        ((), "nothing to write"),
    ):
        done = run("map", "-g", built, *arguments)
        assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    assert (tmp_path / "index.html").read_text("utf-8") == "mine"
    nothing = run("map", "-g", built, "--min-reviews", "99999999", "-o", tmp_path / "m.png")
    assert (nothing.returncode, "no game is left" in nothing.stderr) == (1, True)


@pytest.mark.browser
def test_the_page_finds_games_and_shows_them(
    folder: Path, drawn: map_tiles.Atlas, open_page: OpenPage, fictional_store: Store
) -> None:
    page = open_page(folder / "index.html")
    page.wait_for_function("[...tiles.values()].some((image) => image.naturalWidth)")
    assert page.title() == "<i>All</i>"
    search, found = page.get_by_role("combobox"), page.locator("#found li")
    search.fill("neonoi")
    assert found.all_inner_texts() == ["Neonoir"]
    search.press("ArrowDown")
    assert found.first.get_attribute("aria-selected") == "true"
    search.press("Enter")
    assert page.locator("#label").inner_text().startswith("Neonoir")
    number = next(n for n, game in enumerate(drawn.games) if game.id == "neonoir")
    row, column = drawn.cells[number]
    middle = ((column + 0.5) * map_tiles.CELL[0], (row + 0.5) * map_tiles.CELL[1])
    assert page.evaluate("[view.x, view.y]") == pytest.approx(middle)
    # What is drawn in the middle is that banner.
    page.wait_for_function("[...tiles.values()].every((image) => image.complete)")
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
    banner = thumbnail(drawn.games[number].picture, map_tiles.BANNER)
    assert banner is not None
    expected = banner.crop((10, 15, 50, 75))
    assert np.abs(np.asarray(seen, np.float32) - np.asarray(expected, np.float32)).mean() < 14

    # Names of strangers are text; accents and case do not matter; an id finds its game.
    search.fill("<SCRIPT>")
    assert '<script>alert("x")</script>' in found.all_inner_texts()
    search.fill("neonoir")
    search.press("Escape")
    assert page.locator("#found").is_hidden()

    # A click on a banner tells which it is; keys and buttons move and zoom.
    page.locator("canvas").click()
    assert page.locator("#label").inner_text().startswith("Neonoir")
    before = page.evaluate("[view.x, view.scale]")
    page.locator("canvas").press("ArrowRight")
    page.get_by_role("button", name="Zoom in").click()
    after = page.evaluate("[view.x, view.scale]")
    assert after[0] > before[0] and after[1] > before[1]
    page.get_by_role("button", name="All").click()
    assert page.evaluate("view.scale") < 1
    page.mouse.move(600, 500)
    page.mouse.wheel(0, -300)
    page.wait_for_function("view.scale > smallest() * 1.5")
    page.mouse.down()
    page.mouse.move(500, 500)
    page.mouse.up()
    assert page.complaints == []


@pytest.mark.browser
def test_a_game_with_a_page_is_linked(tmp_path: Path, drawn: map_tiles.Atlas, open_page: OpenPage) -> None:
    from dataclasses import replace

    games = [replace(game, url=f"https://store.example/{n}") for n, game in enumerate(drawn.games[:3])]
    few = map_tiles.Atlas(games, *grid(np.arange(6.0).reshape(3, 2)))
    map_tiles.write_map(few, png=None, folder=tmp_path / "m", title="Few")
    page = open_page(tmp_path / "m" / "index.html", width=400, height=700)
    page.get_by_role("combobox").fill(games[1].name)
    page.locator("#found li").first.click()
    link = page.locator("#label a")
    assert link.get_attribute("href") == "https://store.example/1"
    assert link.inner_text() == games[1].name
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.complaints == []
