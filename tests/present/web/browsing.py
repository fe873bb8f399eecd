"""What tests of pages in a browser look at."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from steamdino import Snapshot
from steamdino.records import Match, Matches

AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}

GIVE = """async ([kind, bytes]) => {
    const held = new DataTransfer();
    held.items.add(new File([new Uint8Array(bytes)], "mine.png", { type: "image/png" }));
    const Event = kind === "paste" ? ClipboardEvent : DragEvent;
    const given = kind === "paste" ? { clipboardData: held } : { dataTransfer: held };
    document.body.dispatchEvent(new Event(kind, { bubbles: true, cancelable: true, ...given }));
}"""
"""Drops or pastes a picture, as the page's script sees it."""


def wait(page: Any, condition: str) -> None:
    """Waits for a condition; Playwright's own way would evaluate a text in the page, which its policy forbids."""
    deadline = time.monotonic() + 10
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(20)


def tap(target: Any, done: Callable[[], bool]) -> None:
    """Taps until it has the effect that is waited for.

    On a busy machine a tap can last so long that Chromium takes it for a long press, which is no click.
    """
    until_it_has_an_effect(target.page, target.tap, done)


def until_it_has_an_effect(page: Any, act: Callable[[], object], done: Callable[[], bool]) -> None:
    """Does something on a page again and again until it has the effect that is waited for."""
    for _ in range(5):
        act()
        deadline = time.monotonic() + 4
        while time.monotonic() < deadline:
            if done():
                return
            page.wait_for_timeout(50)
    raise AssertionError("it has no effect")


def shown(page: Any, tiles: str = ".grid .tile") -> list[str]:
    """The names of the games on a page, in tiles of a kind, whose pictures must be there."""
    page.wait_for_load_state("networkidle")
    page.evaluate("[...document.images].forEach((image) => { image.loading = 'eager'; })")
    wait(page, "[...document.images].every((i) => i.complete && i.naturalWidth > 0)")
    names: list[str] = page.locator(f"{tiles} .name").all_inner_texts()
    assert len(names) == page.locator(tiles).count()
    return names


def tiles(snapshot: Snapshot, matches: Matches, start: int = 0) -> list[str]:
    """The names on the tiles of a page of matches: near-copies of a match are in its tile."""
    usual = snapshot.manifest.similarity.usual["pairs"]
    heads: list[Match] = []
    for match in matches[start:]:
        for head in heads:
            same_side = (match.similarity < matches.chance) == (head.similarity < matches.chance)
            cosine = snapshot.similarity(match.id, head.id)
            if same_side and (cosine - usual) / (1 - usual) >= 0.72:
                break
        else:
            heads.append(match)
    return [" ".join(head.name.split()) for head in heads]


def check_looks(page: Any) -> None:
    """A page fits its screen, and axe finds no fault in it."""
    from axe_playwright_python.sync_playwright import Axe

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page, options=AXE)
    assert found.violations_count == 0, found.generate_report()
