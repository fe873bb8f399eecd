"""Finding a game in a browser: where likeness ends, filters, facts, pages of results, and suggestions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2 as httpx
import numpy as np
import pytest
from PIL import Image
from tests.present.web.browsing import check_looks, shown, wait
from tests.present.web.conftest import Running

import steamdino
from steamdino import Snapshot
from steamdino.pipeline import build
from steamdino.records import Filter

SHOWN = 24
WIDTHS = pytest.mark.parametrize("width", [360, 1440])
FAILED = (
    "Failed to load resource: the server responded with a status of 503 (Service Unavailable)",
    "Response Status Error Code 503 from /suggest, [object HTMLDivElement]",
)


def _viewport(width: int) -> dict[str, Any]:
    return {"viewport": {"width": width, "height": 800}}


def _query(page: Any) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(page.url).query)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of 60 games with facts, of which three have one picture and two have one name."""
    folder = tmp_path_factory.mktemp("store")
    rows = []
    for number in range(60):
        coarse = np.random.default_rng(number).integers(0, 256, (6, 4, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((120, 180), Image.Resampling.BICUBIC)
        picture.save(folder / f"{number}.png")
        rows.append(
            {
                "id": str(number),
                "name": f"Painted {number:02}",
                "path": f"{number}.png",
                "tags": ["Odd" if number % 2 else "Even", "Painted"],
                "released": str(2000 + number % 3),
                "reviews": 1000 * number,
                "positive_percent": 90,
                "price_cents": 999,
            }
        )
    for number, name in ((1, "Prey"), (2, "Prey")):
        rows[number]["name"] = name
    rows[3]["name"] = "A name so long that no tile has room for all of it, however wide the screen may be"
    for copy in (4, 5):  # of the banner of 6, encoded again
        with Image.open(folder / "6.png") as picture:
            picture.convert("RGB").save(folder / f"{copy}.jpg", quality=60 + copy)
        rows[copy]["path"] = f"{copy}.jpg"
    (folder / "games.jsonl").write_text("\n".join(map(json.dumps, rows)))
    steamdino.add(folder / "gallery", folder / "games.jsonl")
    build(folder / "gallery")
    return folder / "gallery"


@pytest.fixture(scope="module")
def painted(store: Path) -> Iterator[str]:
    """The address of that gallery, served."""
    running = Running(store)
    yield running.address
    running.close()


@pytest.mark.quick_cases(1)
@WIDTHS
def test_matches_that_are_no_closer_than_chance_are_set_apart(
    browse: Callable[..., Any], built: Path, width: int
) -> None:
    matches = Snapshot.open(built).similar("frostline", SHOWN)
    assert matches.chance is not None
    alike = [one for one in matches if one.similarity >= matches.chance]
    assert 3 < len(alike) < SHOWN
    page = browse("/games/frostline", **_viewport(width))
    grids = page.locator(".answers .grid")
    assert grids.count() == 2
    assert page.get_by_role("heading", name="These no longer look alike").count() == 1
    numbers = [
        [float(text) for text in grids.nth(place).locator(".told strong").all_text_contents()]
        for place in (0, 1)
    ]
    assert max(numbers[1]) < matches.chance <= min(numbers[0])
    # Near-copies lie in the tile of what they are copies of, and open with the keyboard.
    assert grids.nth(0).locator(".told strong").count() == len(alike)
    copies = grids.nth(0).locator("details.copies").first
    assert not copies.locator("li").first.is_visible()
    copies.locator("summary").focus()
    page.keyboard.press("Enter")
    assert copies.locator("li").first.is_visible()
    count = copies.locator("li").count()
    assert copies.locator("summary").inner_text().startswith(f"{count} near-cop")
    check_looks(page)


def test_the_api_says_where_likeness_ends_and_what_is_a_copy(web: httpx.Client, built: Path) -> None:
    snapshot = Snapshot.open(built)
    got = web.get("/api/v1/games/frostline/similar?k=30").json()
    alike = [one["looks_alike"] for one in got["matches"]]
    assert alike == [one["similarity"] >= got["chance"] for one in got["matches"]]
    assert alike == sorted(alike, reverse=True) and len(set(alike)) == 2
    rank = {one["id"]: one["rank"] for one in got["matches"]}
    copies = [one for one in got["matches"] if one["copy_of"]]
    assert copies
    for one in copies:
        assert rank[one["copy_of"]] < one["rank"]
        assert snapshot.similarity(one["id"], one["copy_of"]) > 0.75


@pytest.mark.slow
@WIDTHS
def test_why_shows_the_number_of_the_tile_with_its_recipe_and_turns(
    browse: Callable[..., Any], width: int
) -> None:
    page = browse("/games/neonoir?mirror=1&recipe=bundled&tag=noir", **_viewport(width))
    assert (
        page.locator(".query .mirrored img")
        .evaluate("e => getComputedStyle(e).transform")
        .startswith("matrix(-1")
    )
    tile = page.locator(".grid .tile").first
    number = tile.locator(".told strong").inner_text()
    name = tile.locator(".name").inner_text()
    unmirrored = browse("/games/neonoir?tag=noir").locator(".grid .told strong").first.inner_text()
    assert number != unmirrored
    tile.get_by_role("link", name="Why?").click()
    page.wait_for_url("**/why**")
    assert {("mirror", "1"), ("recipe", "bundled"), ("tag", "noir")} <= set(_query(page))
    assert page.locator("main p strong").first.inner_text() == number
    assert page.locator(".sides.large .mirrored").count() == 1
    for side in page.locator(".sides").all():  # both pictures beside each other, on any screen
        left, right = (figure.bounding_box() for figure in side.locator("figure").all())
        assert left["y"] == right["y"] and left["x"] + left["width"] <= right["x"]
        assert right["x"] + right["width"] <= width
    check_looks(page)
    page.get_by_role("heading", level=1).get_by_role("link", name=name).click()
    page.wait_for_url("**/games/**")
    assert set(_query(page)) == {("recipe", "bundled"), ("tag", "noir")}
    page.go_back()
    page.get_by_role("link", name="Back to the games").click()
    page.wait_for_url("**/games/neonoir**")
    assert set(_query(page)) == {("mirror", "1"), ("recipe", "bundled"), ("tag", "noir")}


@pytest.mark.slow
def test_why_claims_no_match_where_there_is_none(browse: Callable[..., Any], built: Path) -> None:
    matches = Snapshot.open(built).similar("neonoir", 400)
    last = matches[-1]
    assert matches.chance is not None and last.similarity < matches.chance / 2
    page = browse(f"/why?a=neonoir&b={last.id}", **_viewport(360))
    heading = page.get_by_role("heading", level=1).inner_text()
    assert heading == f"Neonoir and {last.name} do not look alike"
    assert page.get_by_text("The same in both").count() == 0
    assert page.get_by_text("Where they are least unlike").count() == 1
    assert f"{last.similarity:.3f}" in page.locator("main").inner_text()
    check_looks(page)


LISTS = ("/", "/?q=a", "/games/neonoir", "/unique", "/duplicates")


@pytest.mark.quick_cases(1)
@WIDTHS
@pytest.mark.parametrize("path", LISTS)
def test_chips_add_and_remove_filters_on_each_list(
    browse: Callable[..., Any], built: Path, path: str, width: int
) -> None:
    page = browse(path, **_viewport(width))
    chip = page.locator('.facets a[href*="tag="]').first
    tag, count = chip.inner_text().rsplit(maxsplit=1)
    only = Filter(tags=(tag,))
    assert int(count.replace(",", "")) == len(Snapshot.open(built).rows(only))
    chip.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**tag=**")
    assert set(parse_qsl(urlsplit(path).query)) | {("tag", tag)} == set(_query(page))
    snapshot = Snapshot.open(built)
    allowed = {snapshot.ids[row] for row in snapshot.rows(only)}
    ids = [
        link.get_attribute("href").split("?")[0].rsplit("/", 1)[1] for link in page.locator("ol .go").all()
    ]
    assert set(ids) <= allowed or path == "/duplicates"  # which shows all games of a group
    assert set(ids) & allowed
    assert all("tag=" in link.get_attribute("href") for link in page.locator("ol .go").all())
    check_looks(page)
    page.get_by_role("link", name=f"Remove filter: {tag}").click()
    page.wait_for_url(lambda url: "tag=" not in url)
    assert set(_query(page)) == set(parse_qsl(urlsplit(path).query))


@pytest.mark.slow
def test_a_mistyped_filter_is_a_hint_beside_its_field(browse: Callable[..., Any]) -> None:
    page = browse("/games/neonoir?tag=Noirr&released=soon", **_viewport(360))
    assert page.get_by_role("heading", level=1).inner_text() == "Neonoir"
    assert len(shown(page)) > 3
    field = page.get_by_label("Tag", exact=True)
    assert field.input_value() == "Noirr"
    hint = page.locator(f"#{field.get_attribute('aria-describedby')}")
    assert hint.is_visible() and "No game here has the tag “Noirr”" in hint.inner_text()
    assert "“soon” is not understood" in page.locator("#hint-released").inner_text()
    check_looks(page)
    hint.get_by_role("link", name="noir", exact=True).click()
    page.wait_for_url("**tag=noir**")
    assert page.locator("#hint-tag").count() == 0
    assert page.get_by_role("link", name="Remove filter: noir").count() == 1


def test_matches_have_a_least_similarity_and_percentile(browse: Callable[..., Any], built: Path) -> None:
    matches = Snapshot.open(built).similar("frostline", 200)
    page = browse("/games/frostline")
    page.get_by_text("Filters and mirroring").click()
    page.get_by_label("Minimum similarity").fill("0.6")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**min_similarity=0.6**")
    found = [float(text) for text in page.locator(".answers .told strong").all_text_contents()]
    expected = [one.similarity for one in matches if one.similarity >= 0.5995]
    assert 3 < len(expected) < SHOWN
    assert sorted(found, reverse=True) == pytest.approx(expected, abs=0.0006)
    page.get_by_role("link", name="Remove filter: similarity from 0.6").click()
    page.wait_for_url(lambda url: "min_similarity" not in url)
    page = browse("/games/frostline?min_percentile=99.5&min_similarity=high")
    expected = [one.similarity for one in matches if (one.percentile or 0) >= 99.5]
    assert 3 < len(expected) < SHOWN
    assert page.locator(".answers .told strong").count() == len(expected)
    assert "“high” is not a number" in page.locator("#hint-min_similarity").inner_text()


def test_no_text_of_a_filter_makes_an_error_page(web: httpx.Client) -> None:
    names = (
        *("tag", "released", "early_access", "upcoming", "min_reviews", "free", "adult"),
        *("min_similarity", "min_percentile"),
    )
    for path in ("/", "/games/neonoir", "/unique", "/browse", "/changes", "/duplicates"):
        for text in ("nonsense", "-1", "%00", "<b>", "9" * 30, "é..", "x" * 200):
            got = web.get(path, params=dict.fromkeys(names, text), headers={"accept": "text/html"})
            assert got.status_code == 200, (path, text)
            assert "<b>" not in got.text


@pytest.mark.slow
@WIDTHS
def test_tags_and_years_are_browsed(browse: Callable[..., Any], built: Path, width: int) -> None:
    snapshot = Snapshot.open(built)
    page = browse("/", **_viewport(width))
    page.get_by_role("link", name="All tags and years").click()
    page.wait_for_url("**/browse**")
    tags = snapshot.counts(Filter()).tags
    cloud = page.get_by_role("region", name="Tags").get_by_role("listitem")
    assert cloud.all_inner_texts() == [f"{tag} {tags[tag]}" for tag in sorted(tags)]
    assert page.get_by_role("region", name="Years").get_by_role("listitem").count() > 5
    check_looks(page)
    page.get_by_role("link", name=f"noir {tags['noir']}", exact=True).click()
    page.wait_for_url("**tag=noir**")
    assert page.get_by_role("heading", level=1).inner_text() == f"{tags['noir']} games"


def test_only_what_the_gallery_has_can_be_filtered_by(browse: Callable[..., Any], painted: str) -> None:
    page = browse("/games/neonoir")  # the fictional store knows tags and years
    page.get_by_text("Filters and mirroring").click()
    labels = page.locator(".query .filters label").all_inner_texts()
    assert [label.split("\n")[0].strip() for label in labels] == [
        "Tag",
        "Released",
        "Minimum similarity",
        "Minimum percentile",
        "mirror the query",
        "flip the query",
    ]
    page = browse("/games/7", address=painted)
    page.get_by_text("Filters and mirroring").click()
    assert page.get_by_label("Minimum reviews").is_visible()
    assert page.get_by_label("Upcoming games").count() == 0


@pytest.mark.slow
@WIDTHS
def test_facts_are_shown_on_focus_and_on_the_page(
    browse: Callable[..., Any], painted: str, width: int
) -> None:
    page = browse("/games/7", address=painted, **_viewport(width))
    known = page.locator(".query .known").inner_text()
    for fact in ("Released 2001", "Odd, Painted", "7,000 reviews, 90 % positive", "9.99"):
        assert fact in " ".join(known.split())
    tile = page.locator(".grid .tile").first
    facts = tile.locator(".facts")
    assert not facts.is_visible()
    page.keyboard.press("Tab")
    tile.locator(".go").focus()
    wait(page, "getComputedStyle(document.querySelector('.grid .tile .facts')).opacity === '1'")
    assert facts.is_visible() and "9.99" in facts.inner_text()
    if width > 1000:
        page.mouse.move(0, 0)
        page.locator(".grid .tile .go").nth(1).hover()
        assert page.locator(".grid .tile .facts").nth(1).is_visible()
    check_looks(page)


@pytest.mark.slow
def test_namesakes_are_told_apart_and_long_names_have_a_tooltip(
    browse: Callable[..., Any], painted: str
) -> None:
    page = browse("/?q=prey", address=painted)
    assert page.locator(".grid .when").all_inner_texts() == ["2001, id 1", "2002, id 2"]
    assert page.locator(".grid .name").all_inner_texts() == ["Prey", "Prey"]
    page = browse("/?q=A+name+so", address=painted, java_script_enabled=False)
    assert (
        page.get_by_role("heading", level=1).inner_text().startswith("A name so long")
    )  # the only one: its page
    page = browse("/?tag=odd&released=2000", address=painted)
    name = page.locator(".name", has_text="A name so long")
    assert name.get_attribute("title") == name.inner_text()
    assert name.evaluate("e => e.scrollHeight > e.clientHeight")  # it is cut


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("scripts", [True, False])
@WIDTHS
def test_pages_of_results_tell_where_they_are(
    browse: Callable[..., Any], painted: str, scripts: bool, width: int
) -> None:
    page = browse("/?q=painted", address=painted, java_script_enabled=scripts, **_viewport(width))
    names = page.locator(".grid .name").all_inner_texts()
    assert len(names) == SHOWN
    place = page.locator("nav.pages .place")
    assert place.inner_text() == "1 to 24 of 57"
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**offset=24**")
    assert place.inner_text() == "25 to 48 of 57"
    names += page.locator(".grid .name").all_inner_texts()
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**offset=48**")
    assert place.inner_text() == "49 to 57 of 57"
    assert page.get_by_role("link", name="Next").count() == 0
    names += page.locator(".grid .name").all_inner_texts()
    assert len(names) == len(set(names)) == 57
    page.get_by_role("link", name="Previous").click()
    page.wait_for_url("**offset=24**")
    page.get_by_role("link", name="Previous").click()
    page.wait_for_url(lambda url: "offset" not in url)
    assert page.locator(".grid .name").first.inner_text() == names[0]


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("scripts", [True, False])
def test_going_back_keeps_the_place(browse: Callable[..., Any], painted: str, scripts: bool) -> None:
    page = browse("/?tag=painted&offset=24", address=painted, java_script_enabled=scripts, **_viewport(360))
    tile = page.locator(".grid .go").nth(20)
    tile.scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    before = page.evaluate("scrollY")
    assert before > 1000
    tile.click()
    page.wait_for_url("**/games/**")
    page.wait_for_load_state("networkidle")
    page.go_back()
    page.wait_for_url("**offset=24**")
    wait(page, f"Math.abs(scrollY - {before}) < 40")


@pytest.mark.slow
def test_suggestions_are_links_that_act_on_click_and_are_announced(browse: Callable[..., Any]) -> None:
    page = browse("/", has_touch=True, **_viewport(360))
    box = page.get_by_role("combobox", name="Find a game")
    box.press_sequentially("a")
    option = page.get_by_role("option").first
    option.wait_for()
    status = page.locator("#found-status")
    assert status.inner_text() == "8 games found, and more. Use the arrow keys to choose."
    assert status.get_attribute("role") == "status"
    href = option.get_attribute("href")
    assert re.fullmatch(r"/games/.+", href)
    # A touch that scrolls presses and moves, and ends without a click.
    place = option.bounding_box()
    touch = page.context.new_cdp_session(page)
    points = [{"x": place["x"] + 20, "y": place["y"] + 20 - moved} for moved in (0, 15, 60)]
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [points[0]]})
    for point in points[1:]:
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(300)
    assert urlsplit(page.url).path == "/"
    check_looks(page)
    option.tap()
    page.wait_for_url(f"**{href}")
    box.press_sequentially("a")
    page.get_by_role("option", name="All games named like").click()
    page.wait_for_url("**/?q=a")


def test_suggestions_are_chosen_with_the_keyboard_alone(browse: Callable[..., Any]) -> None:
    page = browse("/")
    box = page.get_by_role("combobox", name="Find a game")
    box.press_sequentially("neo")
    page.get_by_role("option").first.wait_for()
    box.press("ArrowUp")  # the last
    chosen = page.locator('#found [aria-selected="true"]')
    assert box.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    box.press("Escape")
    assert box.get_attribute("aria-expanded") == "false"
    assert page.locator("#found").is_hidden()
    box.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Search"


def test_a_search_that_fails_says_so_while_typing(browse: Callable[..., Any]) -> None:
    page = browse("/", expected=FAILED)
    box = page.get_by_role("combobox", name="Find a game")
    box.press_sequentially("zzzqqq")
    status = page.locator("#found-status")
    wait(page, "document.getElementById('found-status').textContent !== ''")
    assert status.inner_text() == "No game is named like this." and status.is_visible()
    page.route("**/suggest**", lambda route: route.fulfill(status=503, body="no"))
    box.fill("neo")
    wait(page, "document.getElementById('found-status').textContent.startsWith('The search failed')")
    assert status.is_visible()
    assert page.get_by_role("option").count() == 0
    page.unroute("**/suggest**")
    box.press_sequentially("n")
    page.get_by_role("option").first.wait_for()
    assert not status.is_visible() or status.bounding_box()["width"] <= 1


@pytest.mark.slow
def test_all_of_finding_works_without_a_script(browse: Callable[..., Any], painted: str) -> None:
    page = browse("/games/6", address=painted, java_script_enabled=False, **_viewport(360))
    page.locator("details.copies summary").first.click()
    copy = page.locator("details.copies li a").first
    assert copy.inner_text() in ("Painted 04", "Painted 05")
    page.locator('.facets a[href*="tag=odd"]').click()
    assert page.get_by_role("link", name="Remove filter: odd").count() == 1
    page.locator(".grid .go").first.click()
    assert "tag=odd" in page.url
    page.get_by_label("Another tag").fill("even")
    page.get_by_role("button", name="Show").click()
    assert page.get_by_text("No game passes these filters.").is_visible()
    page.get_by_role("link", name="Remove all filters").click()
    assert page.locator(".grid .tile").count() > 5
