"""Each route of heroku-flask-api, with its parameters, and without its defects."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import pytest
from PIL import Image
from tests.fakes.steam import Store as Steam
from tests.fakes.steam import serving

import steamdino
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

    assert ask("/index", index=index) == str(index)
    assert ask("/id", index=index) == appid
    assert ask("/name", index=index) == name
    app = ask("/app", index=index)
    assert list(app) == FIELDS
    assert (app["index"], app["id"], app["name"]) == (index, appid, name)
    assert app["steam_store_url"] == f"https://store.steampowered.com/app/{appid}/"
    assert app["steamdb_url"] == f"https://steamdb.info/app/{appid}/"
    assert "/assets/" in app["steam_illustration_url"]
    assert app["query_url"] == f"/render/{appid}"
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
    every = ask("/matches", index=index)
    assert every[0] == index and len(every) == len(allowed)
    for n in (-1, -7, 1000, 5000):
        assert ask("/matches", index=index, n=n) == every
        assert ask("/similar_apps_from_id", id=appid, n=n)[0] == app
    assert ask("/matches", index=index, n=0) == []
    assert ask("/matches", index=index, n=1) == [index]


def test_a_negative_number_stands_for_a_hundred_games_and_the_query_is_the_first(
    web: httpx.Client, built: Path
) -> None:
    snapshot = Snapshot.open(built)
    expected = ["neonoir", *snapshot.similar("neonoir", 99).ids]
    for n in ("-1", "-2"):
        apps = web.get("/similar_apps_from_id", params={"id": "neonoir", "n": n}).json()
        assert [app["id"] for app in apps] == expected
        assert web.get(f"/render/neonoir/{n}").text.count('class="tile"') == 100
    assert len(web.get("/similar_apps_from_id?id=neonoir&n=150").json()) == 150
    assert web.get("/render/neonoir/150").text.count('class="tile"') == 100


def test_a_page_is_mirrored_and_flipped_by_its_address_or_by_parameters(web: httpx.Client) -> None:
    def names(address: str) -> list[str]:
        return re.findall(r'<span class="name"[^>]*>(.*?)</span>', web.get(address).text)

    plain = names("/render/neonoir/12")
    for suffix, params in (("_x", "mirror=1"), ("_y", "flip=1"), ("_xy", "mirror=1&flip=1")):
        assert names(f"/render{suffix}/neonoir/12") == names(f"/render/neonoir/12?{params}") != plain
        assert (
            names(f"/store{suffix}/neonoir")
            == names(f"/store/neonoir?{params}")
            == names(f"/store{suffix}/neonoir/11")
        )
    assert names("/render/neonoir/12?mirror=0") == plain


Named = Callable[[dict[str, str]], httpx.Client]


@pytest.fixture
def named(tmp_path: Path, serve: Callable[..., Any]) -> Named:
    """Serves games of the given names, by id."""

    def named(names: dict[str, str]) -> httpx.Client:
        for seed, key in enumerate(names):
            coarse = np.random.default_rng(seed).integers(0, 256, (6, 4, 3), dtype=np.uint8)
            Image.fromarray(coarse).resize((60, 90)).save(tmp_path / f"{key}.png")
        rows = "".join(f"{key},{name},{key}.png\n" for key, name in names.items())
        (tmp_path / "t.csv").write_text(f"id,name,path\n{rows}")
        steamdino.add(tmp_path / "g", tmp_path / "t.csv")
        steamdino.build(tmp_path / "g")
        client: httpx.Client = serve(tmp_path / "g").client
        return client

    return named


def test_a_name_is_not_taken_for_an_id(named: Named) -> None:
    client = named({"1954": "Ten", "20": "1954"})
    assert client.get("/id_from_name?name=1954").json() == 20
    assert client.get("/app_from_name?name=1954").json()["name"] == "1954"


def test_of_games_with_the_same_name_the_one_with_the_lowest_index_answers(named: Named) -> None:
    client = named({"100": "Twin", "9": "Twin", "5": "twin"})
    assert client.get("/id_from_name?name=Twin").json() == 9
    assert client.get("/index_from_name?name=Twin").json() == 1
    assert client.get("/id_from_name?name=twin").json() == 5
    assert client.get("/id_from_name?name=TWIN").json() == 5


def test_ids_are_numbers_if_all_of_them_are(named: Named) -> None:
    client = named({"100": "A", "9": "B", "x": "C"})
    assert [client.get(f"/id?index={index}").json() for index in range(3)] == ["100", "9", "x"]
    assert client.get("/similar_apps_from_id?id=9").json()[0]["id"] == "9"


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
