"""Searching by one's own picture on an exported site, in Firefox."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest
from tests.fakes.firefox import FIREFOX, HOW, FirefoxPage, firefox_page
from tests.fakes.static_host import StaticHost
from tests.present.web.browsing import AXE

from steamdino import Snapshot

pytestmark = pytest.mark.slow

TILES = "document.querySelectorAll('#answers .grid .tile').length"


@pytest.mark.browser
def test_a_picture_is_searched_for_also_without_a_connection(
    firefox: FirefoxPage, host: StaticHost, draft: Path, snapshot: Snapshot
) -> None:
    firefox.resize(360, 740)
    firefox.goto(host.address + "#/picture")
    firefox.wait("document.querySelector('#file')")
    firefox.wait("navigator.serviceWorker.ready.then((one) => one.active.state === 'activated')")
    firefox.choose_file("#file", draft)
    firefox.wait("document.querySelector('#answers button')")
    assert "The first search loads" in firefox.evaluate("document.querySelector('#answers').textContent")
    firefox.evaluate("document.querySelector('#answers button').click()")
    firefox.wait(TILES)
    expected = [" ".join(match.name.split()) for match in snapshot.similar(draft, 10)]
    names = "[...document.querySelectorAll('#answers .name')].map((one) => one.innerText)"
    assert firefox.evaluate(names)[:10] == expected
    assert firefox.evaluate("document.documentElement.scrollWidth <= innerWidth")
    _check_with_axe(firefox)

    host.stop()
    firefox.goto(host.address + "?again#/picture")
    firefox.wait("document.querySelector('#file')")
    firefox.choose_file("#file", draft)
    firefox.wait(TILES)
    assert firefox.evaluate(names)[:10] == expected
    asked = [url for url in firefox.requests if url.startswith("http")]
    assert asked
    assert not [url for url in asked if not url.startswith(host.address)]
    assert firefox.complaints == []


@pytest.mark.browser
def test_a_browser_that_hides_pixels_from_pages_is_told_so(
    host: StaticHost, draft: Path, tmp_path: Path
) -> None:
    if FIREFOX is None:
        pytest.skip(HOW)
    with firefox_page(tmp_path, {"privacy.resistFingerprinting": True}) as firefox:
        firefox.goto(host.address + "#/picture")
        firefox.wait("document.querySelector('#file')")
        firefox.choose_file("#file", draft)
        firefox.wait("document.querySelector('#answers button')")
        firefox.evaluate("document.querySelector('#answers button').click()")
        firefox.wait("document.querySelector('#answers .error')")
        told = firefox.evaluate("document.querySelector('#answers .error').textContent")
        assert "protects against fingerprinting" in told


def _check_with_axe(firefox: FirefoxPage) -> None:
    script = resources.files("axe_playwright_python") / "axe.min.js"
    firefox.run(script.read_text("utf-8"))
    found = firefox.evaluate(f"axe.run(document, {json.dumps(AXE)}).then((found) => found.violations)")
    assert found == []
