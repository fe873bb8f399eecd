"""Each route of heroku-flask-api, with its parameters, and without its defects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from tests.fakes.steam import Store as Steam
from tests.fakes.steam import serving

from steamdino import Snapshot

Run = Callable[..., Any]
FIELDS = ["index", "id", "name", "steam_store_url", "steam_illustration_url", "steamdb_url", "query_url"]


@pytest.fixture
def steam(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: Run, serve: Callable[..., Any]
) -> tuple[httpx.Client, Snapshot]:
    """A gallery of Steam's, served."""
    with serving(Steam.of(30)) as running:
        for name, value in (
            ("STEAMDINO_STEAM_API_URL", running.address),
            ("STEAMDINO_STEAM_ASSETS_URL", f"{running.address}/assets"),
            ("STEAMDINO_STEAM_RATE", "0"),
            ("STEAMDINO_STEAM_BANNER_RATE", "0"),
        ):
            monkeypatch.setenv(name, value)
        assert run("sync", "-g", tmp_path / "g").returncode == 0
        assert run("build", "-g", tmp_path / "g").returncode == 0
        return serve(tmp_path / "g", pictures="steam").client, Snapshot.open(tmp_path / "g")


def test_each_route_answers_as_the_original_did(steam: tuple[httpx.Client, Snapshot]) -> None:
    client, snapshot = steam
    ids = sorted(map(int, snapshot.ids))
    allowed = [int(game.id) for game in snapshot.games(snapshot.rows())]
    appid = allowed[3]
    index, name = ids.index(appid), snapshot.game(appid).name

    def ask(address: str, **params: Any) -> Any:
        got = client.get(address, params=params)
        assert got.status_code == 200, got.text
        return got.json()

    assert ask("/index", index=index) == index
    assert ask("/id", index=index) == appid
    assert ask("/name", index=index) == name
    app = ask("/app", index=index)
    assert list(app) == FIELDS
    assert (app["index"], app["id"], app["name"]) == (index, appid, name)
    assert app["steam_store_url"].startswith(f"https://store.steampowered.com/app/{appid}")
    assert app["steamdb_url"] == f"https://steamdb.info/app/{appid}/"
    assert "/assets/" in app["steam_illustration_url"]
    assert app["query_url"].endswith(f"/render/{appid}")
    assert client.get(app["query_url"]).status_code == 200
    assert ask("/index_from_id", id=appid) == ask("/index_from_name", name=name) == index
    assert ask("/name_from_id", id=appid) == name
    assert ask("/id_from_name", name=name) == appid
    assert ask("/app_from_id", id=appid) == ask("/app_from_name", name=name) == app

    for params in (
        {},
        {"mirror": 1},
        {"flip": 1},
        {"mirror": "true", "flip": "true"},
        {"mirror": 0, "flip": 0},
    ):
        turned = {key: str(value) in ("1", "true") for key, value in params.items()}
        expected = [appid, *map(int, snapshot.similar(appid, 4, **turned).ids)]
        for address, query in (
            ("/similar_apps", {"index": index}),
            ("/similar_apps_from_id", {"id": appid}),
            ("/similar_apps_from_name", {"name": name}),
        ):
            apps = ask(address, **query, n=5, **params)
            assert [one["id"] for one in apps] == expected, (address, params)
            assert all(list(one) == FIELDS for one in apps)
        assert [ids[one] for one in ask("/matches", index=index, n=5, **params)] == expected
    assert len(ask("/matches", index=index)) == len(ask("/matches", index=index, n=-1)) == len(allowed)
    assert ask("/matches", index=index, n=0) == []
    assert ask("/matches", index=index, n=1) == [index]


def test_what_was_a_crash_is_a_404(web: httpx.Client) -> None:
    for address in (
        "/id?index=99999",
        "/similar_apps_from_id?id=1",
        "/app_from_name?name=no such game at all",
        "/matches?index=476",
    ):
        assert web.get(address).status_code == 404, address
    assert web.get("/matches?index=-1").status_code == 422
    assert web.get("/similar_apps?index=1&n=x").status_code == 422


def test_pages_link_each_game_to_steam_and_steamdb(steam: tuple[httpx.Client, Snapshot]) -> None:
    client, snapshot = steam
    game = snapshot.games(snapshot.rows())[0]
    page = client.get(f"/games/{game.id}", headers={"accept": "text/html"}).text
    assert f'href="https://steamdb.info/app/{game.id}/"' in page
    assert f'href="{game.url}"' in page
    store = client.get(f"/store_x/{game.id}/3").text
    assert store.count('href="https://store.steampowered.com/app/') == 3
