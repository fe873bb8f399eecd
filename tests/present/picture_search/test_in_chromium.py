"""Searching by one's own picture on an exported site, in Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.static_host import StaticHost, static_host
from tests.present.conftest import CHROMIUM
from tests.present.picture_search.conftest import POLICY
from tests.present.web.browsing import GIVE, check_looks, wait

from steamdino import Snapshot
from steamdino.analysis.audit import Auditor
from steamdino.present.display_text import rarity
from steamdino.present.export.audit_report import unusual, verdict
from steamdino.present.export.html_page import with_digest
from steamdino.records import Crop, Filter, Matches

pytestmark = pytest.mark.browser

MATCHES = 24
FIRST_PAGE = 300_000
PROGRAM, VECTORS = 6_000_000, 8_000_000
"""Bytes at most: of the program, and of the vectors of 30,000 games."""


Open = Callable[..., Any]


@pytest.fixture
def visit(browser: Any, host: StaticHost) -> Iterator[Open]:
    """Opens a page of the site in a browser without a past; it may complain of nothing and ask nobody else."""
    contexts, complaints = [], []

    def visit(place: str = "", *, context: Any = None, **options: Any) -> Any:
        if context is None:
            context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
            context.on(
                "request",
                lambda request: (
                    request.url.startswith((host.address, "blob:")) or complaints.append(request.url)
                ),
            )
            contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(host.address + place)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


def _check_matches(page: Any, matches: Matches) -> None:
    """The page shows these matches, up to swaps of those that are equally similar to three digits."""
    page.locator("#answers:not([aria-busy]) .grid .tile").first.wait_for()
    names = [" ".join(name.split()) for name in page.locator("#answers .name").all_inner_texts()]
    expected = [" ".join(match.name.split()) for match in matches]
    assert len(names) == len(expected)
    assert names[0] == expected[0]
    assert len(set(names[:10]) & set(expected[:10])) >= 9
    numbers = [float(one) for one in page.locator("#answers .told strong").all_inner_texts()]
    assert numbers == pytest.approx(matches.similarities.tolist(), abs=0.0016)


def _load(page: Any, draft: Path) -> None:
    page.locator("#file").set_input_files(draft)
    page.get_by_role("button", name="Load and search").click()
    page.locator("#answers .grid .tile").first.wait_for()


def _kept(page: Any) -> None:
    """Waits until the service worker has the site."""
    wait(page, "navigator.serviceWorker.ready.then((one) => one.active.state === 'activated')")


def test_the_first_page_loads_nothing_of_the_search(visit: Open, host: StaticHost, site: Path) -> None:
    page = visit()
    page.locator(".grid .tile").first.wait_for()
    _kept(page)
    page.wait_for_load_state("networkidle")
    asked = {path.removeprefix("/some/path/").partition("#")[0] for path in host.asked}
    assert not [path for path in asked if "search" in path]
    bare = [path for path in asked if not path.startswith("banners/")]
    assert sum((site / (path or "index.html")).stat().st_size for path in bare) < FIRST_PAGE


def test_a_picture_is_searched_for_as_the_command_line_does(
    visit: Open, draft: Path, snapshot: Snapshot, host: StaticHost
) -> None:
    page = visit("#/picture")
    page.get_by_text("nothing is uploaded").wait_for()
    told = page.get_by_text("The first search loads").inner_text()
    whole, program, games = (float(number) for number in re.findall(r"([\d.]+) MB", told))
    assert whole == pytest.approx(program + games, abs=0.11)
    assert 1e6 * program < PROGRAM
    before = len(host.asked)
    page.locator("#file").set_input_files(draft)
    button = page.get_by_role("button", name="Load and search")
    button.wait_for()
    assert not [path for path in host.asked[before:] if path.endswith(".bin")]
    button.click()
    _check_matches(page, snapshot.similar(draft, MATCHES))

    audit = Auditor(snapshot)(draft, MATCHES)
    assert page.locator(".verdict").inner_text() == verdict(audit)
    assert page.locator("#answers p:has(progress)").inner_text() == unusual(audit.standings[0])
    first = audit.matches[0]
    words = f"{first.similarity:.3f} {rarity(first.percentile or 0)}"
    assert page.locator("#answers .told").first.inner_text() == words
    assert not [path for path in host.asked if "draft" in path]

    page.get_by_label("mirror it").check()
    page.get_by_text("your picture, mirrored").wait_for()
    _check_matches(page, snapshot.similar(draft, MATCHES, mirror=True))
    page.get_by_label("mirror it").uncheck()

    tag = snapshot.counts(Filter()).tags
    most = next(iter(tag))
    page.get_by_label("Compare it with").select_option(label=f"{most} ({tag[most]:,})")
    page.get_by_role("heading", name=f"Banners tagged {most} that look like it").wait_for()
    _check_matches(page, snapshot.similar(draft, MATCHES, only=Filter(tags=(most,))))
    among = Auditor(snapshot, tags=[most])(draft, MATCHES).standings[1]
    assert page.locator("#answers p:has(progress)").nth(1).inner_text() == unusual(among)

    page.locator("#answers .go").first.click()
    page.get_by_text("Banners that look like it", exact=True).wait_for()
    page.go_back()
    page.get_by_role("heading", name="draft.png").wait_for()
    _check_matches(page, snapshot.similar(draft, MATCHES, only=Filter(tags=(most,))))


@pytest.mark.slow
def test_a_part_is_chosen_and_searched_for_by_keyboard_alone(
    visit: Open, draft: Path, snapshot: Snapshot
) -> None:
    page = visit("#/picture", viewport={"width": 360, "height": 740})
    page.locator("#file").set_input_files(draft)
    page.get_by_role("button", name="Load and search").focus()
    page.keyboard.press("Enter")
    _check_matches(page, snapshot.similar(draft, MATCHES))
    page.get_by_text("Search by a part of it").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "crop"
    for key in ("ArrowRight", "ArrowDown", "Shift+ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.get_by_text("your picture, a part of it").wait_for()
    crop = Crop(0.25, 0.3, 0.5, 0.55, pixels=False)
    _check_matches(page, snapshot.similar(draft, MATCHES, crop=crop))
    check_looks(page)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted_on_any_page(visit: Open, draft: Path, kind: str) -> None:
    page = visit("#/unique")
    page.locator(".grid .tile").first.wait_for()
    page.evaluate(GIVE, [kind, list(draft.read_bytes())])
    page.get_by_role("heading", name="mine.png").wait_for()
    page.get_by_role("button", name="Load and search").wait_for()


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 360)])
def test_every_state_fits_the_screen_and_axe_finds_no_fault(
    visit: Open, draft: Path, tmp_path: Path, scheme: str, width: int
) -> None:
    page = visit("#/picture", color_scheme=scheme, viewport={"width": width, "height": 800})
    page.locator("#file").wait_for()
    check_looks(page)
    page.locator("#file").set_input_files(draft)
    button = page.get_by_role("button", name="Load and search")
    button.wait_for()
    check_looks(page)
    button.click()
    page.locator("#answers .grid .tile").first.wait_for()
    page.get_by_text("Search by a part of it").click()
    check_looks(page)
    page.get_by_role("link", name="Another picture").click()
    (tmp_path / "no picture.png").write_text("text")
    page.locator("#file").set_input_files(tmp_path / "no picture.png")
    page.get_by_text("cannot read that file as a picture").wait_for()
    check_looks(page)


@pytest.mark.slow
def test_loading_shows_progress_and_can_be_cancelled_and_taken_up_again(visit: Open, draft: Path) -> None:
    page = visit("#/picture")
    held: list[Any] = []
    page.context.route("**/program.*.bin", lambda route: held.append(route))
    page.locator("#file").set_input_files(draft)
    page.get_by_role("button", name="Load and search").click()
    page.get_by_text(re.compile(r"^Loading: [\d.]+ MB of [\d.]+ MB$")).wait_for()
    bar = page.get_by_role("progressbar", name="Loaded")
    assert 0 < float(bar.get_attribute("value")) < float(bar.get_attribute("max"))
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Load and search").wait_for()
    page.context.unroute_all(behavior="ignoreErrors")
    page.get_by_role("button", name="Load and search").click()
    page.locator("#answers .grid .tile").first.wait_for()


@pytest.mark.slow
def test_after_the_first_search_it_works_without_a_connection_until_that_is_switched_off(
    visit: Open, draft: Path, snapshot: Snapshot, host: StaticHost
) -> None:
    page = visit("#/picture")
    _kept(page)
    _load(page, draft)
    wait(page, "caches.match(document.documentElement.dataset.search).then(Boolean)")
    context = page.context
    page.close()
    asked = len(host.asked)
    page = visit("#/picture", context=context)
    page.get_by_text("in this browser already").wait_for()
    page.locator("#file").set_input_files(draft)
    _check_matches(page, snapshot.similar(draft, MATCHES))
    # Banners that the first visit had not shown yet are loaded.
    again = {path.rpartition("/")[2] for path in host.asked[asked:] if not path.endswith(".jpg")}
    assert again <= {"", "home.json", "sw.js"}
    page.close()

    host.stop()
    page = visit("index.html#/picture", context=context)
    page.locator("#file").set_input_files(draft)
    _check_matches(page, snapshot.similar(draft, MATCHES))
    page.get_by_role("link", name="Another picture").click()
    page.get_by_role("button", name="Stop keeping it").click()
    page.get_by_role("button", name="Keep it for use offline").wait_for()
    assert page.evaluate("caches.keys()") == []
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0


@pytest.mark.slow
def test_a_new_export_replaces_the_kept_site_and_loads_only_what_changed(
    browser: Any, site: Path, tmp_path: Path, draft: Path
) -> None:
    import shutil

    copy = shutil.copytree(site, tmp_path / "site", copy_function=shutil.copyfile)
    with static_host(copy, "/", POLICY) as host:
        context = browser.new_context()
        page = context.new_page()
        page.goto(host.address + "#/picture")
        _kept(page)
        _load(page, draft)
        version = page.evaluate("document.documentElement.dataset.version")
        for name in ("index.html", "sw.js"):
            text = (copy / name).read_text("utf-8").replace(version, "0" * 12)
            (copy / name).write_text(text, "utf-8")
        asked = len(host.asked)
        page.goto(host.address)
        wait(page, "caches.keys().then((all) => all.length === 1 && all[0].endsWith('000000000000'))")
        page.goto(host.address + "#/picture")
        page.reload()
        page.get_by_text("in this browser already").wait_for()
        assert not [path for path in host.asked[asked:] if path.endswith(".bin")]
        context.close()


@pytest.mark.slow
def test_a_site_exported_without_it_is_not_shown_the_kept_one(
    browser: Any, site: Path, tmp_path: Path
) -> None:
    import shutil

    copy = shutil.copytree(site, tmp_path / "site", copy_function=shutil.copyfile)
    with static_host(copy) as host:
        context = browser.new_context()
        page = context.new_page()
        page.goto(host.address)
        _kept(page)
        page.reload()
        text = (copy / "index.html").read_text("utf-8")
        text = re.sub(r' data-search="[^"]*"', "", text)
        plain, digest = with_digest((files("steamdino.present.export") / "site.js").read_text("utf-8"))
        text = re.sub(
            r'src="app[^"]*" defer integrity="[^"]*"', f'src="a.js" defer integrity="sha256-{digest}"', text
        )
        (copy / "a.js").write_text(plain, "utf-8")
        (copy / "index.html").write_text(text, "utf-8")
        (copy / "sw.js").unlink()
        page.reload()
        wait(page, "caches.keys().then((all) => all.length === 0)")
        assert page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0
        context.close()


@pytest.mark.parametrize("way", ["no WebAssembly", "no SIMD"])
def test_a_browser_that_cannot_do_it_is_told_so_in_a_sentence(
    host: StaticHost, browser: Any, way: str
) -> None:
    sentence = "This browser cannot search by a picture: it lacks WebAssembly with SIMD"
    if way == "no SIMD":  # no switch turns it off any more
        page = browser.new_page()
        page.add_init_script("WebAssembly.validate = () => false;")
        page.goto(host.address + "#/picture")
        page.get_by_text(sentence).wait_for()
        page.close()
        return
    import subprocess

    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--js-flags=--jitless", "--dump-dom"]
    command += ["--virtual-time-budget=5000", host.address + "#/picture"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert sentence in done.stdout
