"""Parts of pictures and mixtures of games on the page, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from tests.present.web.browsing import check_looks, shown, tap, tiles, until_it_has_an_effect, wait

from steamdino import Snapshot
from steamdino.records import Filter
from steamdino.search.crop_parser import crop_of

SHOWN = 24


@pytest.fixture(scope="module")
def snapshot(built: Path) -> Snapshot:
    return Snapshot.open(built)


def _fields(page: Any) -> list[str]:
    return [field.input_value() for field in page.locator(".four input").all()]


def _found(page: Any, snapshot: Snapshot) -> None:
    """The page shows what a search by the fields' part finds."""
    crop = crop_of(",".join(_fields(page)))
    assert crop is not None
    assert shown(page) == tiles(snapshot, snapshot.similar("neonoir", SHOWN, crop=crop))


@pytest.mark.slow
def test_a_part_is_drawn_with_the_mouse(browse: Callable[..., Any], snapshot: Snapshot) -> None:
    page = browse("/games/neonoir", viewport={"width": 1440, "height": 900})
    page.get_by_text("Search by a part of it").click()
    crop = page.locator(".crop")
    crop.scroll_into_view_if_needed()
    wait(page, "document.querySelector('.crop img').naturalWidth > 0")
    box = crop.bounding_box()
    x, y, width, height = (box[key] for key in ("x", "y", "width", "height"))
    page.mouse.move(x + 0.75 * width, y + 0.6 * height)
    page.mouse.down()
    page.mouse.move(x + 0.5 * width, y + 0.4 * height)
    page.mouse.move(x + 0.25 * width, y - 30)  # beyond the edge
    page.mouse.up()
    assert [float(one) for one in _fields(page)] == pytest.approx([0.25, 0, 0.5, 0.6], abs=0.01)
    rectangle = page.locator(".crop rect").bounding_box()
    assert rectangle["width"] == pytest.approx(width / 2, abs=4)
    page.get_by_role("button", name="Search by this part").click()
    page.wait_for_url("**crop=**")
    _found(page, snapshot)
    page.get_by_role("link", name="Remove part of").click()
    page.wait_for_url("**/games/neonoir")
    assert shown(page) == tiles(snapshot, snapshot.similar("neonoir", SHOWN))


def _drag_a_finger(page: Any, *places: float) -> None:
    """Drags a finger over the picture until the page has told which part it is.

    Chromium cancels a touch to which a page on a busy machine has not responded in time.
    """
    box = page.locator(".crop").bounding_box()
    points = [{"x": box["x"] + one * box["width"], "y": box["y"] + one * box["height"]} for one in places]
    touch = page.context.new_cdp_session(page)

    def send(kind: str, *touched: dict[str, float]) -> None:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(touched)})

    def drag() -> None:
        send("touchStart", points[0])
        for point in points[1:]:
            send("touchMove", point)
        send("touchEnd")

    told = page.locator('.part [role="status"]')
    until_it_has_an_effect(page, drag, lambda: told.inner_text() != "")


@pytest.mark.slow
def test_a_part_is_drawn_with_a_finger(browse: Callable[..., Any], snapshot: Snapshot) -> None:
    page = browse("/games/neonoir", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    tap(page.get_by_text("Search by a part of it"), page.locator(".crop").is_visible)
    page.locator(".crop").scroll_into_view_if_needed()
    wait(page, "document.querySelector('.crop img').naturalWidth > 0")
    before = page.evaluate("scrollY")
    _drag_a_finger(page, 0.2, 0.5, 0.8)
    assert [float(one) for one in _fields(page)] == pytest.approx([0.2, 0.2, 0.6, 0.6], abs=0.02)
    assert page.evaluate("scrollY") == before
    check_looks(page)
    tap(page.get_by_role("button", name="Search by this part"), lambda: "crop=" in page.url)
    _found(page, snapshot)


@pytest.mark.slow
def test_a_part_is_drawn_with_keys(browse: Callable[..., Any], snapshot: Snapshot) -> None:
    page = browse("/games/neonoir", viewport={"width": 1440, "height": 900})
    page.get_by_text("Search by a part of it").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert "arrow keys" in page.evaluate("document.activeElement.getAttribute('aria-label')")
    for key in ("ArrowDown", "ArrowUp", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    assert _fields(page) == ["0.2", "0.15", "0.55", "0.55"]
    assert (
        page.locator('.part [role="status"]').inner_text() == "left 20 %, top 15 %, width 55 %, height 55 %"
    )
    check_looks(page)
    page.keyboard.press("Enter")
    page.wait_for_url("**crop=**")
    _found(page, snapshot)


@pytest.mark.slow
def test_a_part_needs_no_script(browse: Callable[..., Any], snapshot: Snapshot) -> None:
    page = browse("/games/neonoir?tag=Noir", java_script_enabled=False)
    page.get_by_text("Search by a part of it").click()
    for label, value in (("left", "0"), ("top", "0"), ("width", "1"), ("height", "0.5")):
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Search by this part").click()
    expected = snapshot.similar("neonoir", SHOWN, crop=crop_of("0,0,1,0.5"), only=Filter(tags=("Noir",)))
    assert page.locator(".grid .name").all_inner_texts() == tiles(snapshot, expected)
    assert page.locator(".crop rect").get_attribute("height") == "0.5"
    page.get_by_role("link", name="Remove filter: Noir").click()
    expected = snapshot.similar("neonoir", SHOWN, crop=crop_of("0,0,1,0.5"))
    assert page.locator(".grid .name").all_inner_texts() == tiles(snapshot, expected)


def test_a_part_that_is_none_is_explained(web: httpx.Client) -> None:
    for crop, status in (("2,2,1,1", 400), ("a,b,c,d", 400), ("0,0,0.001,1", 400), ("0.1", 400), ("", 200)):
        for path in ("/games/neonoir", "/api/v1/games/neonoir/similar"):
            got = web.get(path, params={"crop": crop}, headers={"accept": "text/html"})
            assert got.status_code == status, (path, crop)
            assert status == 200 or "crop" in got.text
    four = web.get("/games/neonoir", params=[("crop", one) for one in ("0", "0", "1", "0.5")])
    one = web.get("/games/neonoir", params={"crop": "0,0,1,0.5"})
    assert four.status_code == one.status_code == 200
    assert four.text.count('class="tile"') == one.text.count('class="tile"') > 10


def test_the_api_takes_parts_and_mixtures(web: httpx.Client, snapshot: Snapshot) -> None:
    picture = snapshot.game("neonoir").picture
    assert picture is not None
    options = {"crop": "0,0,1,0.5", "plus": ["2*hollow-avenue"], "minus": ["quiet-orbit"], "k": 5}
    expected = snapshot.similar(
        "neonoir", 5, crop=crop_of("0,0,1,0.5"), plus=["2*hollow-avenue"], minus=["quiet-orbit"]
    )
    found = web.get("/api/v1/games/neonoir/similar", params=options).json()
    assert [match["id"] for match in found["matches"]] == expected.ids
    assert found["query"]["crop"] == "0,0,1,0.5"
    assert [(part["weight"], part["game"]["id"]) for part in found["query"]["parts"]] == [
        (2.0, "hollow-avenue"),
        (-1.0, "quiet-orbit"),
    ]
    sent = web.post("/api/v1/similar", params=options, files={"picture": picture.read_bytes()}).json()
    ids = [match["id"] for match in sent["matches"]]
    assert [one for one in ids if one != "neonoir"] == expected.ids[: len(ids) - ids.count("neonoir")]
    assert web.get("/api/v1/games/neonoir/similar", params={"plus": str(picture)}).status_code == 404
    assert web.get("/mixture", params={"plus": str(picture)}).status_code == 404


def test_parts_and_mixtures_have_minima_and_next_pages(web: httpx.Client, snapshot: Snapshot) -> None:
    options: dict[str, Any] = {"crop": "0,0,1,0.5", "plus": ["2*hollow-avenue"], "minus": ["quiet-orbit"]}
    every = snapshot.similar(
        "neonoir", 7, crop=crop_of(options["crop"]), plus=options["plus"], minus=options["minus"]
    )
    least = (every[4].similarity + every[5].similarity) / 2
    found: list[str] = []
    link = "/api/v1/games/neonoir/similar"
    params = {**options, "k": 3, "min_similarity": least}
    while link:
        record = web.get(link, params=params if not found else None).json()
        found += [match["id"] for match in record["matches"]]
        link = record["next"]
    assert found == every.ids[:5]
    text = web.get(
        "/mixture", params={"plus": "neonoir", "min_similarity": f"{every[0].similarity:.3f}"}
    ).text
    assert "similarity from" in text
    alone = snapshot.mixture(["neonoir"], k=50, min_similarity=0.4)
    assert 0 < len(alone) < 50 and min(alone.similarities) >= 0.3995
    assert alone.ids == snapshot.similar("neonoir", 50, min_similarity=0.4).ids


@pytest.mark.slow
@pytest.mark.parametrize("crop", ["", "0,0,1,0.5"])
def test_why_says_the_number_of_the_tile_also_for_a_part(
    browse: Callable[..., Any], snapshot: Snapshot, crop: str
) -> None:
    page = browse(f"/games/neonoir?mirror=1&crop={crop}")
    match = snapshot.similar("neonoir", 1, mirror=True, crop=crop_of(crop))[0]
    assert page.locator(".told strong").first.inner_text() == f"{match.similarity:.3f}"
    page.get_by_role("link", name=f"Why? {match.name}", exact=True).click()
    page.wait_for_url("**/why**")
    assert f"Similarity {match.similarity:.3f}" in page.locator("main").inner_text()
    assert ("a part of it" in page.locator("figcaption").first.inner_text()) == bool(crop)
    check_looks(page)
    page.get_by_role("link", name="Back to the games that look like Neonoir").click()
    page.wait_for_url("**/games/neonoir**")
    assert page.get_by_label("mirror the query").is_checked()
    assert page.get_by_text("part of 100 %").count() == bool(crop)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/mixture?plus=neonoir&minus=quiet-orbit", "/games/neonoir?crop=0,0,1,0.5"])
def test_chips_filter_altered_queries(browse: Callable[..., Any], snapshot: Snapshot, path: str) -> None:
    page = browse(path)
    chip = page.locator('.facets a[href*="tag="]').first
    tag = chip.inner_text().rsplit(maxsplit=1)[0]
    chip.click()
    page.wait_for_url("**tag=**")
    only = Filter(tags=(tag,))
    expected = (
        snapshot.mixture(["neonoir"], ["quiet-orbit"], SHOWN, only=only)
        if "mixture" in path
        else snapshot.similar("neonoir", SHOWN, crop=crop_of("0,0,1,0.5"), only=only)
    )
    assert shown(page) == tiles(snapshot, expected)
    assert page.locator(".alterations li").count() == (2 if "mixture" in path else 1)
    page.get_by_role("link", name=f"Remove filter: {tag}").click()
    page.wait_for_url(lambda url: "tag=" not in url)
    assert page.locator(".alterations li").count() == (2 if "mixture" in path else 1)


def test_a_mixture_that_nothing_passes_can_still_be_changed(web: httpx.Client) -> None:
    text = web.get("/mixture?plus=neonoir&min_similarity=1").text
    assert "No game passes these filters." in text
    assert "Remove Neonoir" in text and "similarity from 1" in text


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1440])
def test_games_are_added_and_taken_away_from_any_tile(
    browse: Callable[..., Any], snapshot: Snapshot, width: int
) -> None:
    page = browse("/games/neonoir?tag=Noir", viewport={"width": width, "height": 900})
    only = Filter(tags=("Noir",))
    first, second = (match.game for match in snapshot.similar("neonoir", 2, only=only))
    page.get_by_role("link", name=f"+ add {first.name} to the mixture").click()
    page.wait_for_url("**/mixture**")
    matches = snapshot.mixture(["neonoir", first.id], (), SHOWN, only=only)
    assert shown(page) == tiles(snapshot, matches)
    page.get_by_role("link", name=f"take {matches[0].name} away").click()
    page.wait_for_url("**minus=**")
    matches = snapshot.mixture(["neonoir", first.id], [matches[0].id], SHOWN, only=only)
    assert shown(page) == tiles(snapshot, matches)
    assert page.locator(".alterations li").count() == 3
    check_looks(page)
    shared = browse(page.url.split("/", 3)[3].join(("/", "")), viewport={"width": width, "height": 900})
    assert shown(shared) == tiles(snapshot, matches)
    page.get_by_role("link", name=f"More weight for {first.name}").click()
    page.wait_for_url("**plus=2*")
    assert f"2 × {first.name}" in page.locator(".alterations").inner_text()
    page.get_by_role("link", name=f"Less weight for {first.name}").or_(
        page.get_by_role("link", name=f"Less weight for 2 × {first.name}")
    ).click()
    wait(page, "!document.querySelector('.alterations').textContent.includes('×')")
    page.get_by_role("link", name="Remove Neonoir").click()
    wait(page, "document.querySelectorAll('.alterations li').length === 2")
    page.get_by_label("Add a game").fill(second.name)
    page.get_by_role("button", name="Mix").click()
    wait(page, "document.querySelectorAll('.alterations li').length === 3")
    assert second.name in page.locator(".alterations").inner_text()


@pytest.mark.slow
def test_a_mixture_starts_anywhere_without_a_script(browse: Callable[..., Any], snapshot: Snapshot) -> None:
    page = browse("/", java_script_enabled=False)
    name = page.locator(".tile .name").first.inner_text()
    page.locator(".tile .mix").first.click()
    assert len(page.locator(".grid .name").all_inner_texts()) > 10
    assert page.locator(".alterations a").first.inner_text() == name
    page.get_by_role("link", name=f"Remove {name}").click()
    assert page.locator(".alterations li").count() == 0
    page.get_by_label("Add a game").fill("neonoir")
    page.get_by_role("button", name="Mix").click()
    names = page.locator(".grid .name").all_inner_texts()
    assert names == tiles(snapshot, snapshot.similar("neonoir", SHOWN))
    page.get_by_role("link", name="Next", exact=True).click()
    names = page.locator(".grid .name").all_inner_texts()
    assert names == tiles(snapshot, snapshot.similar("neonoir", 2 * SHOWN), SHOWN)


def test_a_mixture_has_at_most_eight_parts_of_a_kind(web: httpx.Client, snapshot: Snapshot) -> None:
    ids = snapshot.ids
    full = web.get("/mixture", params=[("plus", one) for one in ids[:8]])
    assert full.status_code == 200
    assert 'title="Add to the mixture"' not in full.text
    assert 'title="Take away from the mixture"' in full.text
    assert web.get("/mixture", params=[("plus", one) for one in ids[:9]]).status_code == 422
    assert web.get("/mixture", params={"plus": ids[0], "minus": ids[0]}).status_code == 400
    assert web.get("/mixture").status_code == 200
