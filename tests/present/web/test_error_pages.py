"""What a person sees when something goes wrong, and what a program gets instead."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from PIL import Image

from steamdino.errors import BusyError
from steamdino.present.web import error_page, error_responses, pages
from steamdino.present.web.error_page import in_words
from steamdino.present.web.served_snapshot import ServedSnapshot

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("TEXT/HTML;q=0.9, */*", True),
        ("text/html;q=0.9, application/json;q=0.8", True),
        ("application/json, text/html;q=0.5", False),
        ("application/problem+json, text/html;q=0.9", False),
        ("text/html;q=0", False),
        ("text/html;q=x", False),
        ("application/json", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_html_is_for_those_who_prefer_it(web: httpx.Client, accept: str, is_page: bool) -> None:
    got = web.get("/nothing", headers={"accept": accept})
    kind = "text/html; charset=utf-8" if is_page else "application/problem+json"
    assert (got.status_code, got.headers["content-type"]) == (404, kind)
    assert (
        web.get("/api/v1/none", headers={"accept": accept}).json()["status"] == 404
    )  # the API is for programs


def test_each_status_has_a_page_with_its_reason_and_a_way_back(
    built: Path, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = serve(built, largest_upload=1000).client
    client.headers["accept"] = BROWSER
    limited = serve(built, requests_per_minute=1.0).client
    limited.headers["accept"] = BROWSER

    def busy(*_: Any, **__: Any) -> None:
        raise BusyError("this server is busy", 120)

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("/secret")

    limited.get("/healthz")
    answers = {
        429: limited.get("/games/neonoir?mirror=1"),
        400: client.get("/text?q=x"),
        404: client.get("/games/none"),
        405: client.delete("/picture"),
        413: client.post("/picture", files={"picture": b"x" * 100_000}),
        414: client.get("/", params={"q": "x" * 9000}),
        422: client.get("/games/neonoir?offset=-1"),
    }
    monkeypatch.setattr(ServedSnapshot, "similar", busy)
    answers[503] = client.get("/games/neonoir")
    monkeypatch.setattr(ServedSnapshot, "similar", broken)
    answers[500] = client.get("/games/neonoir")
    for status, got in answers.items():
        assert got.status_code == status
        assert got.headers["content-type"] == "text/html; charset=utf-8"
        assert got.headers.get("cache-control") == ("no-store" if got.request.method == "GET" else None)
        assert f"<h1>{error_page.HEADINGS.get(status, error_page.OTHER)}</h1>" in got.text
        assert 'href="/"' in got.text and "secret" not in got.text
    again = ' href="/games/neonoir?mirror=1" hx-boost="false">Try again</a>'
    assert again in answers[429].text
    assert "<p>More than 1 requests per minute came from this address.</p>" in answers[429].text
    assert f"You can try again in {answers[429].headers['retry-after']} seconds." in answers[429].text
    assert "You can try again in 2 minutes." in answers[503].text
    assert answers[503].headers["retry-after"] == "120"
    assert 'href="/games/neonoir" hx-boost="false">Try again</a>' in answers[500].text
    # What was sent cannot be asked for again.
    assert '<a href="/picture">Choose another picture</a>' in answers[413].text
    nothing = client.post("/picture", data={"address": ""})
    assert nothing.status_code == 422 and "No picture was sent; choose one." in nothing.text
    gone = client.get("/picture/0123456789abcdef0123")
    assert gone.status_code == 404 and '<a href="/picture">Choose another picture</a>' in gone.text
    for status in (400, 404, 405, 413, 414, 422):
        assert "Try again</a>" not in answers[status].text


def test_what_htmx_asks_for_is_answered_with_what_it_puts_in_the_page(
    built: Path, serve: Callable[..., Any]
) -> None:
    client = serve(built, requests_per_minute=1.0).client
    client.get("/healthz")
    part = client.get("/suggest?q=neo", headers={"hx-request": "true", "accept": "*/*"})
    assert part.status_code == 429
    assert part.text.strip().startswith("<p") and "<html" not in part.text
    assert f"Too many requests; you can try again in {part.headers['retry-after']} seconds." in part.text
    whole = client.get("/games/neonoir", headers={"hx-request": "true", "hx-boosted": "true"})
    assert (whole.status_code, "<h1>Too many requests</h1>" in whole.text) == (429, True)


def test_head_has_the_headers_of_an_error_and_no_body(built: Path, serve: Callable[..., Any]) -> None:
    client = serve(built, requests_per_minute=1.0).client
    client.get("/healthz")
    head, got = (client.request(method, "/", headers={"accept": BROWSER}) for method in ("HEAD", "GET"))
    assert (head.status_code, head.content) == (429, b"")
    for name in ("content-type", "content-length", "content-encoding"):
        assert head.headers.get(name) == got.headers.get(name)
    assert "retry-after" in head.headers


def test_an_error_is_told_even_if_its_page_fails(
    built: Path, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("the template is damaged")

    client = serve(built).client
    monkeypatch.setattr(error_page, "page", fails)
    got = client.get("/nothing", headers={"accept": "text/html"})
    assert (got.status_code, got.json()["title"]) == (404, "Not Found")
    assert pages.page is not fails and error_responses.LOG is not None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (2, "2 seconds"), (89, "89 seconds"), (90, "2 minutes"), (121, "3 minutes")],
)
def test_a_time_is_told_in_words(seconds: int, words: str) -> None:
    assert in_words(seconds) == words


def test_pictures_and_pages_have_budgets_of_their_own(built: Path, serve: Callable[..., Any]) -> None:
    client = serve(built, requests_per_minute=2.0, pictures_per_minute=3.0).client
    page = client.get("/games/neonoir")
    assert page.headers["ratelimit-policy"] == '"requests";q=2;w=60'
    assert page.headers["ratelimit"] == '"requests";r=1;t=30'
    pictures = [client.get(path).status_code for path in ["/banners/150/neonoir", "/static/none"] * 2]
    assert pictures == [200, 404, 200, 429]
    picture = client.get("/banners/150/neonoir")
    assert picture.headers["ratelimit-policy"] == '"pictures";q=3;w=60'
    assert [client.get("/healthz").status_code for _ in range(2)] == [200, 429]
    unlimited = serve(built).client.get("/healthz")
    assert "ratelimit" not in unlimited.headers


@pytest.mark.slow
def test_a_page_of_thirty_requests_costs_one(built: Path, serve: Callable[..., Any], browser: Any) -> None:
    running = serve(built, requests_per_minute=5.0, pictures_per_minute=18000.0)
    page = browser.new_page()
    asked: list[int] = []
    page.on("response", lambda got: asked.append(got.status))
    for path in ("/", "/games/neonoir", "/unique"):
        page.goto(running.address + path)
        page.evaluate("[...document.images].forEach((image) => { image.loading = 'eager'; })")
        page.wait_for_load_state("networkidle")
    page.close()
    assert len(asked) > 50
    assert set(asked) == {200}


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("with_script", [True, False])
def test_a_person_who_sends_too_large_a_picture_sees_why_and_goes_on(
    built: Path, serve: Callable[..., Any], browser: Any, tmp_path: Path, with_script: bool
) -> None:
    running = serve(built, largest_upload=2 << 20)
    noise = io.BytesIO()
    Image.effect_noise((2200, 2200), 90).save(noise, "PNG")
    large = tmp_path / "large.png"
    large.write_bytes(noise.getvalue())
    assert 4 << 20 < large.stat().st_size < 8 << 20
    context = browser.new_context(java_script_enabled=with_script)
    page = context.new_page()
    page.goto(f"{running.address}/picture")
    page.get_by_label("Choose a picture").set_input_files(large)
    page.get_by_role("button", name="Send").click()
    if with_script:
        page.get_by_role("alert").filter(has_text="at most 2,097,152 bytes").wait_for()
        page.get_by_role("button", name="Cancel").click()
    else:
        page.get_by_role("heading", name="The picture is too large").wait_for()
        assert "at most 2,097,152 bytes" in page.inner_text("main")
        page.get_by_role("link", name="Choose another picture").click()
    page.get_by_role("heading", name="A picture of your own").wait_for()
    context.close()


def test_a_link_to_what_is_missing_shows_the_error(
    built: Path, serve: Callable[..., Any], browser: Any
) -> None:
    """With htmx, which by itself would show nothing."""
    running = serve(built)
    page = browser.new_page()
    page.goto(running.address)
    page.evaluate(
        "() => { const link = document.createElement('a'); link.href = '/games/none'; link.textContent = 'gone';"
        " document.querySelector('main').prepend(link); htmx.process(link); }"
    )
    page.get_by_role("link", name="gone", exact=True).click()
    page.get_by_role("heading", name="Not found").wait_for()
    assert page.url == f"{running.address}/games/none"
    page.get_by_role("link", name="Start again at the first page").click()
    page.get_by_role("heading", name="Which game banners look alike?").wait_for()
    page.close()


@pytest.mark.slow
def test_a_limit_that_is_hit_while_typing_is_told_in_the_list(
    built: Path, serve: Callable[..., Any], browser: Any
) -> None:
    running = serve(built, requests_per_minute=1.0)  # which the page costs
    page = browser.new_page()
    page.goto(running.address)
    box = page.get_by_role("combobox", name="Find a game")
    box.press_sequentially("neo", delay=400)
    page.get_by_role("status").filter(has_text="The search failed: too many requests").wait_for()
    assert "try again in" in page.locator("#found-status").inner_text()
    assert page.locator("#found > *").count() == 0
    box.press("ArrowDown")  # there is nothing to choose
    assert box.get_attribute("aria-activedescendant") is None
    page.close()
