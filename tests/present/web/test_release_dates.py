"""Releases on the page and in the filters of a server, over real HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

import steamdino

GAMES: list[dict[str, object]] = [
    {"id": "query", "released": "2020-05-17", "early_access_since": "2019-12-31"},
    {"id": "year", "released": "2027", "coming_soon": True},
    {"id": "quarter", "released": "2027-Q4", "coming_soon": True},
    {"id": "message", "coming_soon": True, "release_message": "<b>Soon\u202e</b>"},
    {"id": "bare"},
]


@pytest.fixture
def gallery(tmp_path: Path, paint: Callable[..., Path]) -> Path:
    lines = [
        json.dumps({**game, "path": paint(tmp_path / f"{n}.png", n).name}) for n, game in enumerate(GAMES)
    ]
    (tmp_path / "games.jsonl").write_text("\n".join(lines))
    steamdino.add(tmp_path / "g", tmp_path / "games.jsonl")
    steamdino.build(tmp_path / "g")
    return tmp_path / "g"


def test_a_page_shows_a_release_and_filters_by_it(gallery: Path, serve: Callable[..., Any]) -> None:
    web = serve(gallery).client

    def shown(game: str) -> str:
        return unescape(" ".join(web.get(f"/games/{game}").text.split()))

    assert ">Released 17 May 2020, in early access from 31 Dec 2019<" in shown("query")
    assert ">Coming 2027<" in shown("year")
    assert ">Coming Q4 2027<" in shown("quarter")
    assert "<b>Soon" not in web.get("/games/message").text
    assert "<b>Soon\ufffd</b>" in shown("message")
    assert "Released 1" not in shown("bare").partition('class="grid"')[0]

    for asked, expected in (
        ({"upcoming": "1"}, {"year", "quarter", "message"}),
        ({"upcoming": "0"}, {"bare"}),
        ({"upcoming": ""}, {"year", "quarter", "message", "bare"}),
        ({"upcoming": "true", "released": "2027-11"}, {"year", "quarter"}),
        ({"released": "2027-q1"}, {"year"}),
        ({"early_access": "2019"}, set()),
    ):
        found = web.get("/api/v1/games/query/similar", params=asked).json()
        assert {match["id"] for match in found["matches"]} == expected, asked
        page = web.get("/games/query", params=asked)
        assert set(re.findall(r'class="go" href="/games/(\w+)[?"]', page.text)) == expected, asked
    kept = web.get("/games/query", params={"upcoming": "0", "early_access": "2019..2020-Q1"}).text
    assert '<option value="0" selected>' in kept
    assert 'value="2019..2020-Q1"' in kept
    assert "<details open>" in kept
    assert "<details>" in web.get("/games/query", params={"upcoming": ""}).text
    assert web.get("/api/v1/games/query/similar", params={"early_access": "soon"}).status_code == 400
    assert web.get("/api/v1/games/query/similar", params={"upcoming": "x"}).status_code == 422
