"""The page's themes, header, focus and signs of waiting, in Chromium."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image

WIDTHS = (360, 768, 1440, 2560)
GROUND = "getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(244, 246, 249)", "rgb(18, 22, 29)"
SLOW = {"offline": False, "latency": 562, "downloadThroughput": 180_000, "uploadThroughput": 84_375}
"""What Chromium's developer tools call Slow 3G and Fast 3G lie on both sides of this."""

Browse = Callable[..., Any]


@pytest.fixture
def browse(browser: Any, server: Any) -> Iterator[Browse]:
    """Opens a page of the server, which must complain of nothing."""
    contexts = []
    complaints: list[str] = []

    def browse(path: str, *, expected: tuple[str, ...] = (), **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: any(one in m.text for one in expected) or complaints.append(m.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(server.address + path)
        return page

    yield browse
    for context in contexts:
        context.close()
    assert complaints == []


def until(page: Any, condition: str) -> None:
    """Wait for a condition; Playwright's own way evaluates a text in the page, which its policy forbids."""
    for _ in range(500):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(20)
    raise AssertionError(condition)


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.innerText"))


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        # Each width and each theme; what a theme changes does not depend on the width.
        *((360, "light"), (768, "dark"), (1440, "light"), (2560, "dark")),
        *(
            pytest.param(width, scheme, marks=pytest.mark.soak)
            for width, scheme in ((360, "dark"), (768, "light"), (1440, "dark"), (2560, "light"))
        ),
    ],
)
def test_pages_of_both_themes_fit_the_screen_and_axe_finds_no_fault(
    browse: Browse, server: Any, width: int, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = browse("/", viewport={"width": width, "height": 800}, color_scheme=scheme)
    for path in ("/", "/games/neonoir?tag=Noir", "/picture", "/why?a=neonoir&b=hollow-avenue", "/changes"):
        page.goto(server.address + path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate(GROUND) == (LIGHT if scheme == "light" else DARK)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        found = Axe().run(page)
        assert found.violations_count == 0, (path, found.generate_report())


@pytest.mark.quick_cases(1)
@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "first", "other"), [("light", LIGHT, DARK), ("dark", DARK, LIGHT)])
def test_the_theme_follows_the_system_until_it_is_switched_and_the_choice_is_kept(
    browse: Browse, scheme: str, first: str, other: str
) -> None:
    page = browse("/", color_scheme=scheme)
    assert page.evaluate(GROUND) == first
    page.get_by_role("button", name="Switch between light and dark").press("Enter")
    assert page.evaluate(GROUND) == other
    page.get_by_role("link", name="Unique").click()
    page.wait_for_url("**/unique")
    assert page.evaluate(GROUND) == other
    tab = page.context.new_page()
    tab.goto(page.url)
    assert tab.evaluate(GROUND) == other
    tab.locator("#theme").click()
    assert tab.evaluate(GROUND) == first
    until(page, f"{GROUND} === {first!r}")  # another tab follows
    # What the system prefers is no choice of one's own, and changes with it.
    page.emulate_media(color_scheme="dark" if scheme == "light" else "light")
    assert page.evaluate(GROUND) == other


@pytest.mark.browser
def test_the_chosen_theme_is_there_before_anything_is_drawn(browse: Browse) -> None:
    page = browse("/", color_scheme="dark")
    page.locator("#theme").click()
    page.add_init_script(
        """new MutationObserver((_, observer) => {
          if (!document.body) return;
          globalThis.atBody = document.documentElement.dataset.theme;
          observer.disconnect();
        }).observe(document, { childList: true, subtree: true });"""
    )
    page.reload()
    assert page.evaluate("[atBody, document.querySelector('meta[data-theme=light]').media]") == [
        "light",
        "all",
    ]


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "ground"), [("light", LIGHT), ("dark", DARK)])
def test_without_scripts_the_theme_follows_the_system_and_there_is_no_switch(
    browser: Any, server: Any, scheme: str, ground: str
) -> None:
    context = browser.new_context(java_script_enabled=False, color_scheme=scheme)
    page = context.new_page()
    page.goto(server.address)
    assert not page.locator("#theme").is_visible()
    shot = page.screenshot(clip={"x": 2, "y": 300, "width": 1, "height": 1})
    with Image.open(io.BytesIO(shot)) as image:
        assert f"rgb{image.convert('RGB').getpixel((0, 0))}" == ground
    context.close()


@pytest.mark.browser
def test_the_header_leaves_a_phone_its_screen(browse: Browse) -> None:
    page = browse("/", viewport={"width": 360, "height": 740})
    header = page.locator("header")
    assert header.bounding_box()["height"] <= 100
    page.evaluate("scrollTo(0, 600)")
    assert header.bounding_box()["y"] + header.bounding_box()["height"] <= 0
    for link in page.locator("header a, header button, header input").all():
        if link.is_visible():
            link.focus()
            box = link.bounding_box()
            assert box["x"] >= -1 and box["x"] + box["width"] <= 361, link.inner_text()
            assert box["y"] >= 0


@pytest.mark.browser
def test_all_is_reached_at_400_percent_of_1280_by_1024(browse: Browse) -> None:
    page = browse("/games/neonoir", viewport={"width": 320, "height": 256})
    assert page.evaluate("document.documentElement.scrollWidth <= 320")
    assert page.locator("header").evaluate("one => getComputedStyle(one).position") == "static"
    for _ in range(25):
        page.keyboard.press("Tab")
        visible = page.evaluate(
            """(() => {
              const now = document.activeElement;
              const box = now.getBoundingClientRect();
              const at = document.elementFromPoint(Math.max(box.left, 0) + 3, Math.max(box.top, 0) + 3);
              return now.matches(".hidden, .skip") || now.contains(at) || at?.contains(now);
            })()"""
        )
        assert visible, focused(page)


@pytest.mark.quick_cases(1)
@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
def test_header_content_and_footer_begin_on_one_line(browse: Browse, width: int) -> None:
    page = browse("/games/neonoir", viewport={"width": width, "height": 900})
    left = [page.locator(part).first.bounding_box()["x"] for part in (".logo", ".query .frame", "footer p")]
    assert max(left) - min(left) <= 1
    assert page.locator(".grid .tile").last.bounding_box()["x"] < width
    assert page.evaluate("getComputedStyle(document.body).backgroundImage") == "none"


@pytest.mark.browser
def test_the_focus_goes_to_the_new_page_and_back_to_where_it_was(browse: Browse) -> None:
    page = browse("/")
    tile = page.locator(".grid .go").nth(5)
    name = tile.locator(".name").inner_text()
    tile.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/games/**")
    until(page, f"document.activeElement.tagName === 'H1' && document.activeElement.innerText === {name!r}")
    page.go_back()
    until(page, "document.activeElement.matches('.grid .go')")
    assert focused(page).splitlines()[0] == name
    assert page.locator(".grid .go").nth(5).evaluate("one => one === document.activeElement")


@pytest.mark.browser
def test_the_focus_stays_on_the_control_that_was_used(browse: Browse) -> None:
    page = browse("/games/neonoir?tag=Noir")
    button = page.get_by_role("button", name="Show")
    page.get_by_label("Minimum similarity").fill("-1")
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**min_similarity=-1**")
    until(page, "document.activeElement.innerText === 'Show'")
    link = page.get_by_role("link", name="Unique")
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/unique")
    until(page, "document.activeElement.innerText === 'Unique'")
    box = page.get_by_role("combobox", name="Find a game")
    box.press_sequentially("neon")
    page.locator("#found a").first.wait_for()
    assert focused(page) == "q"


@pytest.mark.slow
@pytest.mark.browser
def test_on_a_slow_network_the_page_shows_that_it_waits(browse: Browse) -> None:
    page = browse("/")
    page.wait_for_load_state("networkidle")
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", SLOW)
    page.get_by_role("link", name="Unique").click()
    until(page, "document.getElementById('main').getAttribute('aria-busy') === 'true'")
    until(page, "document.getElementById('busy').innerText === 'Loading…'")
    assert page.evaluate("getComputedStyle(document.body, '::before').animationName") == "wait"
    page.wait_for_url("**/unique")
    until(page, "!document.getElementById('main').hasAttribute('aria-busy')")
    assert page.evaluate("getComputedStyle(document.body, '::before').content") == "none"
    assert page.locator("#busy").inner_text() == ""


@pytest.mark.slow
@pytest.mark.browser
def test_a_page_that_does_not_come_is_reported_and_can_be_asked_for_again(browse: Browse) -> None:
    page = browse("/", expected=("ERR_INTERNET_DISCONNECTED", "htmx:"))
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.get_by_role("link", name="Unique").click()
    page.get_by_text("There is no answer").wait_for()
    assert not page.evaluate("document.getElementById('main').hasAttribute('aria-busy')")
    assert page.evaluate("document.querySelector('.waiting')") is None
    page.context.set_offline(False)
    page.get_by_role("link", name="Unique").click()
    page.wait_for_url("**/unique")
    until(page, "document.getElementById('busy').innerText === ''")


@pytest.mark.browser
def test_an_error_that_a_link_leads_to_is_a_page(browse: Browse) -> None:
    page = browse("/", expected=("404",))
    page.locator("main").evaluate(
        """(main) => {
          main.insertAdjacentHTML("afterbegin", '<a href="/games/none">a game that left</a>');
          htmx.process(main);
        }"""
    )
    page.get_by_role("link", name="a game that left").click()
    page.get_by_role("heading", name="Not found").wait_for()
    assert page.url.endswith("/games/none")


@pytest.mark.quick_cases(1)
@pytest.mark.browser
@pytest.mark.parametrize(("density", "tile", "query"), [(1, 200, 300), (2, 300, 600), (3, 300, 600)])
def test_a_browser_loads_pictures_at_the_width_that_its_screen_needs(
    browse: Browse, density: int, tile: int, query: int
) -> None:
    page = browse("/games/neonoir", device_scale_factor=density)
    page.wait_for_load_state("networkidle")
    chosen = "(one) => one.currentSrc.split('/')[4]"
    assert page.locator(".query .frame img").evaluate(chosen) == str(query)
    assert page.locator(".grid img").first.evaluate(chosen) == str(tile)
    with page.expect_response("**/banners/**") as got:
        page.reload()
    assert got.value.headers["content-type"] == "image/webp"
