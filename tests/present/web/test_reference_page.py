"""The reference of the API, in a real browser: complete, readable, and from this server alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx2 as httpx
import pytest

from steamdino.present.web.api_reference import Kind, kind_of, reference
from steamdino.present.web.problem_kinds import KINDS

pytestmark = pytest.mark.browser


@pytest.fixture
def open_docs(browser: Any, server: Any) -> Iterator[Callable[..., Any]]:
    """Opens the page; it must complain of nothing and ask no other server."""
    contexts, complaints, asked = [], [], []

    def open_docs(**options: Any) -> Any:
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{server.address}/docs")
        page.wait_for_load_state("networkidle")
        return page

    yield open_docs
    for context in contexts:
        context.close()
    assert complaints == []
    assert all(address.startswith(server.address) for address in asked)


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("width", [360, 768, 1440, 2560])
def test_the_page_shows_every_operation_without_scripts(
    open_docs: Callable[..., Any], web: httpx.Client, server: Any, width: int
) -> None:
    page = open_docs(viewport={"width": width, "height": 900}, java_script_enabled=False)
    document = web.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            shown = page.locator(f"article#{operation['operationId']}")
            text = shown.inner_text()
            assert f"{method.upper()} {path}" in text
            for parameter in operation.get("parameters", ()):
                assert parameter["name"] in text
            assert "curl " in text and server.address in text
    for kind in KINDS:
        assert kind.type in page.locator(f"#problem-{kind.name}").inner_text()
    for name in document["components"]["schemas"]:
        assert name.endswith("Body") or page.locator(f"#schema-{name}").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.slow
def test_its_links_lead_to_what_they_name(open_docs: Callable[..., Any]) -> None:
    page = open_docs()
    inner = page.evaluate("[...document.querySelectorAll('main a[href^=\"#\"]')].map((a) => a.hash.slice(1))")
    assert len(inner) > 60
    assert page.evaluate("(ids) => ids.filter((id) => !document.getElementById(id))", inner) == []
    page.goto(page.url.removesuffix("/docs") + "/")
    page.get_by_role("link", name="API").click()
    page.wait_for_url("**/docs")
    assert page.locator("h1").inner_text() == "API"
    assert page.evaluate("getComputedStyle(document.querySelector('.docs')).display") == "grid"


def test_an_example_can_be_typed_as_it_stands(open_docs: Callable[..., Any], web: httpx.Client) -> None:
    page = open_docs()
    command = page.locator("article#similarGames pre").first.inner_text()
    address = command.removeprefix("curl '").removesuffix("'")
    answer = web.get(address)
    assert answer.status_code == 200
    page.locator("article#similarGames summary").click()
    shown = page.locator("article#similarGames details pre").inner_text()
    assert all(f'"{match["id"]}"' in shown for match in answer.json()["matches"])


@pytest.mark.slow
def test_the_page_is_accessible(open_docs: Callable[..., Any]) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_docs(bypass_csp=True)
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:120]) for one in found] == []


def test_types_are_told_in_words() -> None:
    for schema, expected in (
        ({"type": "string"}, Kind("string")),
        (
            {"anyOf": [{"type": "number", "minimum": -1, "maximum": 1}, {"type": "null"}]},
            Kind("number from -1 to 1 or null"),
        ),
        ({"anyOf": [{"$ref": "#/components/schemas/Game"}, {"type": "null"}]}, Kind("", "Game", " or null")),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Game"}}, Kind("list of ", "Game")),
        ({"enum": ["a", "b"], "type": "string"}, Kind('"a" | "b"')),
        ({"type": "object", "additionalProperties": {"type": "number"}}, Kind("object of number")),
        ({"type": "string", "format": "binary"}, Kind("bytes")),
        ({"type": "integer", "minimum": 1}, Kind("integer from 1")),
    ):
        assert kind_of(schema) == expected, schema


@pytest.mark.slow
def test_the_reference_is_that_of_the_document(server: Any) -> None:
    document = server.app.openapi()
    found = reference(document, "http://127.0.0.1:8000")
    names = [one.name for group in found.groups for one in group.operations]
    assert sorted(names) == sorted(
        operation["operationId"] for methods in document["paths"].values() for operation in methods.values()
    )
