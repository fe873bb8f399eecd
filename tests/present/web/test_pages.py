"""The page in a real browser, on the fictional store."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from PIL import Image
from tests.present.web.browsing import GIVE, shown, tiles, wait

import steamdino
from steamdino import Snapshot
from steamdino.pipeline import build

SHOWN = 24


def test_a_name_is_found_by_typing_and_keys_and_matches_lead_on_and_back(
    browse: Callable[..., Any], built: Path
) -> None:
    snapshot = Snapshot.open(built)
    page = browse("/")
    assert len(shown(page)) == SHOWN
    box = page.get_by_role("combobox", name="Find a game")
    box.press_sequentially("neonior")  # with a typo
    page.locator("#found [role=option]").first.wait_for()
    assert box.get_attribute("aria-expanded") == "true"
    box.press("ArrowDown")
    assert page.locator('#found [aria-selected="true"] span').first.inner_text() == "Neonoir"
    box.press("Enter")
    page.wait_for_url("**/games/neonoir")
    expected = snapshot.similar("neonoir", SHOWN)
    assert shown(page) == tiles(snapshot, expected)
    assert page.locator(".told strong").first.inner_text() == f"{expected[0].similarity:.3f}"
    page.locator(".grid .go").first.click()
    page.wait_for_url(f"**/games/{expected[0].id}")
    page.get_by_role("heading", name=expected[0].name, exact=True).wait_for()
    assert shown(page)[0] == snapshot.similar(expected[0].id, 1)[0].name
    page.go_back()
    page.get_by_role("heading", name="Neonoir", exact=True).wait_for()
    assert page.url.endswith("/games/neonoir")
    assert shown(page) == tiles(snapshot, expected)
    page.get_by_role("link", name="Next", exact=True).click()
    page.wait_for_url("**offset=24**")
    assert shown(page) == tiles(snapshot, snapshot.similar("neonoir", 2 * SHOWN), SHOWN)


@pytest.mark.slow
def test_filters_and_turns_are_in_the_address(browse: Callable[..., Any], built: Path) -> None:
    page = browse("/games/neonoir")
    page.get_by_text("Filters and mirroring").click()
    page.get_by_label("Tag", exact=True).fill("Noir")
    page.get_by_role("textbox", name="Released").fill("2012..")
    page.get_by_label("mirror the query").check()
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**tag=Noir**")
    only = steamdino.records.Filter(tags=("Noir",), released_from="2012")
    snapshot = Snapshot.open(built)
    expected = snapshot.similar("neonoir", SHOWN, mirror=True, only=only)
    assert len(expected) > 3
    assert shown(page) == tiles(snapshot, expected)
    assert "mirrored" in page.locator(".query").inner_text()
    again = browse(page.url.split("/", 3)[3].join(("/", "")))
    assert shown(again) == tiles(snapshot, expected)
    assert again.get_by_role("textbox", name="Released").input_value() == "2012.."


@pytest.mark.slow
def test_a_picture_is_chosen_dropped_or_pasted(
    browse: Callable[..., Any], built: Path, tmp_path: Path
) -> None:
    picture = Snapshot.open(built).game("neonoir").picture
    assert picture is not None
    crop = tmp_path / "crop.png"
    with Image.open(picture) as image:
        image.crop((20, 30, 280, 420)).save(crop)
    page = browse("/picture")
    page.locator("#file").set_input_files(crop)
    page.get_by_role("button", name="Send").click()
    page.get_by_role("heading", name="crop.png").wait_for()
    assert shown(page)[0] == "Neonoir"

    for kind in ("drop", "paste"):
        page = browse("/picture")
        page.evaluate(GIVE, [kind, list(crop.read_bytes())])
        page.get_by_role("heading", name="mine.png").wait_for()
        assert shown(page)[0] == "Neonoir", kind


@pytest.mark.slow
def test_a_draft_is_audited(browse: Callable[..., Any], built: Path) -> None:
    picture = Snapshot.open(built).game("neonoir").picture
    page = browse("/picture")
    page.locator("#file").set_input_files(picture)
    page.get_by_label("audit it").check()
    page.get_by_label("Also compare it with").fill("Horror")
    page.get_by_role("button", name="Send").click()
    page.locator(".verdict").wait_for()
    assert page.locator(".verdict").inner_text() == "This very file is the banner of Neonoir."
    assert page.locator("progress").count() == 2
    assert "games tagged Horror" in page.locator(".answers").inner_text()
    assert page.locator(".why img").count() == 4
    assert shown(page)[0] == "Neonoir"


def test_why_two_match_is_drawn_and_told(browse: Callable[..., Any]) -> None:
    page = browse("/games/neonoir")
    page.get_by_role("link", name="Why? Hollow Avenue").click()
    page.wait_for_url("**/why**")
    assert page.locator("table tbody tr").count() == 9
    wait(page, "[...document.querySelectorAll('.sides img')].every((i) => i.naturalWidth > 200)")
    assert page.locator(".sides img").count() == 8
    assert re.search(r"1 in [0-9,]+ pairs", page.locator("main").inner_text())


@pytest.mark.slow
def test_unique_duplicates_and_a_surprise(browse: Callable[..., Any], built: Path) -> None:
    page = browse("/")
    page.get_by_role("link", name="Unique").click()
    page.wait_for_url("**/unique")
    expected = steamdino.unique(Snapshot.open(built), SHOWN)
    assert shown(page) == [" ".join(one.game.name.split()) for one in expected]
    page.get_by_role("link", name="Duplicates").click()
    page.wait_for_url("**/duplicates")
    assert "Jamberry Supporter Pack" in shown(page, ".pair figure")
    assert page.get_by_text("keep this one").count() > 3
    page.get_by_role("link", name="Surprise me").click()
    page.wait_for_url("**/games/**")
    assert len(shown(page)) > 10


@pytest.mark.slow
def test_two_recipes_are_shown_side_by_side(
    browse: Callable[..., Any], gallery_with_pictures: Path, serve: Callable[..., Any]
) -> None:
    build(gallery_with_pictures, "bundled/patches/raw")
    address = serve(gallery_with_pictures).address
    page = browse("/games/neonoir?recipe=bundled&beside=bundled%2Fpatches", address=address)
    page.wait_for_load_state("networkidle")
    names = [section.locator(".name").all_inner_texts() for section in page.locator(".two section").all()]
    for recipe, found in zip(("bundled", "bundled/patches"), names, strict=True):
        snapshot = Snapshot.open(gallery_with_pictures, recipe)
        matches = snapshot.similar("neonoir", SHOWN)
        assert found == tiles(snapshot, matches)


def test_all_of_it_works_without_a_script(browse: Callable[..., Any], built: Path, tmp_path: Path) -> None:
    page = browse("/", java_script_enabled=False)
    page.get_by_role("combobox", name="Find a game").fill("neonoir")
    page.get_by_role("button", name="Search").click()
    assert page.locator("h1").inner_text() == "Neonoir"
    snapshot = Snapshot.open(built)
    assert page.locator(".grid .name").all_inner_texts() == tiles(
        snapshot, snapshot.similar("neonoir", SHOWN)
    )
    page.locator(".grid .go").first.click()
    assert page.locator("h1").inner_text() == "Hollow Avenue"
    page.get_by_role("link", name="Picture").click()
    page.locator("#file").set_input_files(Snapshot.open(built).game("neonoir").picture)
    page.get_by_role("button", name="Send").click()
    assert page.locator(".grid .name").first.inner_text() == "Neonoir"


@pytest.mark.slow
def test_names_of_strangers_are_text(browse: Callable[..., Any]) -> None:
    page = browse("/games/hostile-script")
    assert page.locator("h1").inner_text() == '<script>alert("x")</script>'
    assert len(shown(page)) > 10
    missing = "Failed to load resource: the server responded with a status of 404 (Not Found)"
    page = browse('/games/<img src=x onerror=alert(1)>"', expected=(missing,))
    assert "Not found" in page.locator("h1").inner_text()


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("width", [360, 768, 1600])
@pytest.mark.parametrize("path", ["/", "/games/neonoir", "/unique", "/duplicates", "/picture"])
def test_pages_fit_the_screen_and_axe_finds_no_fault(
    browse: Callable[..., Any], path: str, width: int
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = browse(path, viewport={"width": width, "height": 800})
    if path != "/picture":
        tiles_of = ".pair figure" if path == "/duplicates" else ".grid .tile"
        assert len(shown(page, tiles_of)) >= (10 if path.startswith("/games/") else SHOWN)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}})
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.slow
def test_axe_finds_no_fault_in_what_is_open(browse: Callable[..., Any], built: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = browse("/games/neonoir?tag=Noir")
    page.get_by_role("combobox", name="Find a game").press_sequentially("ne")
    page.locator("#found [role=option]").first.wait_for()
    assert len(shown(page)) > 3
    assert Axe().run(page).violations_count == 0, Axe().run(page).generate_report()
    page = browse("/why?a=neonoir&b=hollow-avenue")
    assert Axe().run(page).violations_count == 0, Axe().run(page).generate_report()


def test_the_originals_pages_answer_with_pictures_that_lead_on_or_to_steam(
    web: httpx.Client, built: Path
) -> None:
    snapshot = Snapshot.open(built)
    for suffix, turns in (
        ("", {}),
        ("_x", {"mirror": True}),
        ("_y", {"flip": True}),
        ("_xy", {"mirror": True, "flip": True}),
    ):
        for kind in ("render", "store"):
            got = web.get(f"/{kind}{suffix}/neonoir/4")
            assert got.status_code == 200
            names = [match.name for match in snapshot.similar("neonoir", 3, **turns)]
            places = [got.text.find(f">{name}</span>") for name in ["Neonoir", *names]]
            assert -1 not in places and places == sorted(places)
            assert f'href="/{kind}{suffix}/neonoir/4"' in got.text  # the games are not Steam's
            assert web.get(f"/{kind}{suffix}/neonoir").text.count('class="tile"') == 11
            anyone = web.get(f"/{kind}{suffix}")
            assert anyone.status_code == 303
            assert anyone.headers["location"].startswith(f"/{kind}{suffix}/")
    assert web.get("/render/none").status_code == 404
    with Image.open(io.BytesIO(web.get("/banners/300/neonoir").content)) as image:
        assert image.size == (300, 450)
