from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from steamdino.sample import FictionalGame

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Store = tuple[Path, tuple[FictionalGame, ...]]


@pytest.fixture(scope="module")
def sheet(built: Path, fictional_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from steamdino import Snapshot
    from steamdino.present.export.sheet import write_sheet

    path = tmp_path_factory.mktemp("sheet") / "alike.html"
    hostile = next(game for game in fictional_store[1] if "<script>" in game.name)
    copy = next(game for game in fictional_store[1] if game.defect == "exact")
    snapshot = Snapshot.open(built)
    write_sheet(path, [snapshot.similar(game.id) for game in (hostile, copy)], title="<b>Alike</b>")
    return path


@pytest.fixture
def page(sheet: Path, open_page: Callable[..., Any]) -> Any:
    return open_page(sheet)


def test_the_page_shows_each_query_with_its_matches_and_their_pictures(page: Any) -> None:
    assert page.locator("section").count() == 2
    assert page.locator("section").first.locator("li").count() == 10
    pictures = page.locator("img")
    assert pictures.count() == 22
    assert pictures.evaluate_all("all => all.every(i => i.complete && i.naturalWidth > 100)")
    assert page.locator(".identical").all_inner_texts() == ["identical picture"]
    assert page.complaints == []


@pytest.mark.browser
def test_a_hostile_name_is_text_and_runs_nothing(page: Any) -> None:
    assert page.locator("h1").inner_text() == "<b>Alike</b>"
    assert page.locator("h2").first.inner_text().startswith("<script>")
    assert page.locator("script").count() == 0
    assert page.complaints == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 768, 1600])
def test_the_page_fits_the_screen(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    lefts = (
        page.locator("section")
        .first.locator("li")
        .evaluate_all("all => all.map(i => i.getBoundingClientRect().left)")
    )
    assert len(set(lefts)) == {360: 2, 768: 3, 1600: 5}[width]


def test_the_command_writes_the_page_and_an_old_one_survives_a_failure(
    run: Run, built: Path, fictional_store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "sub" / "alike.html"
    first, second = (game for game in fictional_store[1][:2])
    done = run("export", "html", first.id, second.name, "-o", path, "-g", built, "-k", 3)
    assert done.stdout == f"{path}: 2 queries with up to 3 matches each\n"
    text = path.read_text("utf-8")
    assert text.count("<li>") == 6
    assert run("export", "html", "zzzzqqqq", "-o", path, "-g", built).returncode == 1
    assert path.read_text("utf-8") == text
    assert [child.name for child in path.parent.iterdir()] == ["alike.html"]
