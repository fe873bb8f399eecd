"""What pages say of themselves to search engines and to programs that draw cards."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from PIL import Image

import steamdino
from steamdino import Snapshot


class Head(HTMLParser):
    """Reads the meta elements and the canonical address."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attributes}
        if tag == "meta" and "content" in values:
            self.found[values.get("name") or values.get("property", "")] = values["content"]
        if tag == "link" and values["rel"] == "canonical":
            self.found["canonical"] = values["href"]


def head(web: httpx.Client, path: str) -> dict[str, str]:
    got = web.get(path)
    assert got.status_code == 200
    return Head(got.text).found


def test_a_games_card_shows_its_banner(web: httpx.Client, server: Any, built: Path) -> None:
    found = head(web, "/games/neonoir?mirror=1&offset=24")
    assert found["canonical"] == found["og:url"] == f"{server.address}/games/neonoir"
    assert found["og:title"] == "Neonoir"
    assert found["twitter:card"] == "summary"
    assert found["og:image"].startswith(f"{server.address}/banners/600/neonoir?v=")
    got = web.get(found["og:image"], headers={"accept": "*/*"})
    with Image.open(io.BytesIO(got.content)) as image:
        assert (image.format, image.size) == ("JPEG", (300, 450))
    names = [match.name for match in Snapshot.open(built).similar("neonoir", 3)]
    assert head(web, "/games/neonoir")["description"].endswith(f"{', '.join(names)}, and more.")
    assert "robots" not in found


def test_names_of_strangers_are_text_in_a_card(web: httpx.Client) -> None:
    found = head(web, "/games/hostile-script")
    assert found["og:title"] == '<script>alert("x")</script>'


def test_the_home_page_is_described(web: httpx.Client, server: Any) -> None:
    found = head(web, "/")
    assert found["canonical"] == f"{server.address}/"
    assert "476 game banners" in found["description"]


@pytest.mark.parametrize("column", ["adult", "delisted"])
def test_a_hidden_game_has_no_picture_on_its_card(
    tmp_path: Path, paint: Callable[..., Path], serve: Callable[..., Any], column: str
) -> None:
    with (tmp_path / "games.jsonl").open("w") as table:
        for number, more in enumerate([{column: True}, {}, {}]):
            paint(tmp_path / f"{number}.png", number)
            table.write(json.dumps({"id": f"g{number}", "name": "x", "path": f"{number}.png", **more}) + "\n")
    steamdino.add(tmp_path / "g", tmp_path / "games.jsonl")
    steamdino.build(tmp_path / "g")
    web = serve(tmp_path / "g").client
    hidden, plain = head(web, "/games/g0"), head(web, "/games/g1")
    assert "og:image" not in hidden
    assert hidden["robots"] == "noindex"
    assert "og:image" in plain
    assert "robots" not in plain
