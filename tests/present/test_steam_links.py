"""Games link to Steam if their source was added as one of appIDs, not by its name or the look of an id."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

import steamdino
from steamdino import Snapshot
from steamdino.analysis.unique import unique
from steamdino.gallery import Gallery
from steamdino.present.export import map_writer, markup, match_records
from steamdino.present.export.answer import Answer
from steamdino.present.export.banner_urls import SteamPictures
from steamdino.present.export.game_links import game_links
from steamdino.present.export.site import write_site
from steamdino.present.export.writers.writer import Context
from steamdino.present.export.writers.writer_registry import WRITERS
from steamdino.present.notebook import matches_html, unique_html
from steamdino.present.web.app import create_app
from steamdino.records import Game
from steamdino.settings import Settings, WebSettings

PLAIN, STEAM = ("10", "20", "30"), ("440", "570", "730")
"""The ids of sources without and with the flag. All of them look like appIDs."""
STORE, STEAMDB = "https://store.steampowered.com/app/", "https://steamdb.info/app/"


def picture(seed: int) -> bytes:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 4, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize((60, 90)).save(file, "PNG")
    return file.getvalue()


def folder(path: Path, game_id: str) -> Path:
    path.mkdir(parents=True)
    (path / f"{game_id}.png").write_bytes(picture(int(game_id)))
    return path


def table(path: Path, game_id: str) -> Path:
    folder(path, game_id)
    (path / "games.csv").write_text(f"id,name,path\n{game_id},Game {game_id},{game_id}.png\n")
    return path / "games.csv"


def archive(path: Path, game_id: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        member = tarfile.TarInfo(f"{game_id}.png")
        member.size = len(picture(int(game_id)))
        tar.addfile(member, io.BytesIO(picture(int(game_id))))
    return path


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of a folder, a table and an archive without the flag, and of the same three with it."""
    root = tmp_path_factory.mktemp("mixed")
    for source, steam in (
        (folder(root / "plain/steam", "10"), False),  # what the store's source is usually called
        (table(root / "plain/table", "20"), False),
        (archive(root / "plain/steam.tar", "30"), False),
        (folder(root / "flagged/covers", "440"), True),
        (table(root / "flagged/table", "570"), True),
        (archive(root / "flagged/banners.tar", "730"), True),
    ):
        summary = steamdino.add(root / "g", source, steam=steam)
        assert (summary.new, summary.problems) == (1, ())
    steamdino.build(root / "g")
    return root / "g"


@pytest.fixture(scope="module")
def pack(mixed: Path) -> Path:
    path = mixed.parent / "mixed.steamdino"
    Snapshot.open(mixed).pack(path)
    return path


@pytest.fixture(params=["gallery", "pack"])
def place(request: pytest.FixtureRequest, mixed: Path, pack: Path) -> Path:
    return mixed if request.param == "gallery" else pack


@pytest.fixture
def client(place: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(gallery=place), WebSettings(requests_per_minute=0.0))) as client:
        yield client


def check(texts: dict[str, Any], *, steamdb: bool = False) -> None:
    """Of texts by the id of the only game that each is about, those of Steam's games link there, and no others."""
    for game_id, text in texts.items():
        assert (f"{STORE}{game_id}" in str(text)) == (game_id in STEAM), (game_id, text)
        assert (f"{STEAMDB}{game_id}/" in str(text)) == (steamdb and game_id in STEAM), (game_id, text)


def test_the_api_links_by_the_flag(client: TestClient) -> None:
    found = client.get("/api/v1/games").json()["games"]
    assert sorted(game["id"] for game in found) == sorted(PLAIN + STEAM)
    check({game["id"]: game for game in found}, steamdb=True)
    assert all((game["url"] is None) == (game["steamdb_url"] is None) for game in found)
    matches = client.get("/api/v1/games/10/similar").json()["matches"]
    check({game["id"]: game for game in matches}, steamdb=True)


def test_the_pages_link_by_the_flag(client: TestClient) -> None:
    for game_id in PLAIN + STEAM:
        page = client.get(f"/games/{game_id}").text
        for other in PLAIN + STEAM:  # the game itself and its matches
            check({other: page}, steamdb=True)


def test_the_legacy_routes_link_by_the_flag(client: TestClient) -> None:
    check({key: client.get("/app_from_id", params={"id": key}).json() for key in PLAIN + STEAM}, steamdb=True)
    assert client.get("/app_from_id?id=10").json()["steam_store_url"] is None
    page = client.get("/store/10").text
    check(dict.fromkeys(PLAIN + STEAM, page))
    assert 'href="/store/10/11"' in page  # a page of its own instead of a dead link


def test_exports_link_by_the_flag(place: Path, tmp_path: Path) -> None:
    snapshot = Snapshot.open(place)
    games = {game.id: game for game in snapshot.games(range(len(snapshot)))}
    assert {key for key, game in games.items() if game.from_steam} == set(STEAM)
    context = Context(snapshot, place, "vertical", tmp_path)
    found = snapshot.similar("10")
    for name in ("csv", "md", "bbcode", "html"):
        text = io.StringIO()
        WRITERS[name].write([Answer.of(found)], text, context)
        check(dict.fromkeys(found.ids, text.getvalue()))
    for other in match_records.as_record(found)["matches"]:
        check({other["id"]: other})
    check(dict.fromkeys(found.ids, matches_html(found)))
    check(dict.fromkeys(games, unique_html(unique(snapshot, None))))

    write_site(
        tmp_path / "site",
        snapshot,
        home=[],
        lonely=unique(snapshot, 3),
        online=SteamPictures(),
        title="x",
    )
    shard = json.loads((tmp_path / "site/data/games/0/0.json").read_text())
    check({entry[0]: entry[3] for entry in shard}, steamdb=True)

    map_writer.write_map(snapshot, np.arange(len(games)), png=None, folder=tmp_path / "map", title="x")
    (block,) = (tmp_path / "map/data/cells").rglob("*.js")
    listed = json.loads(block.read_text("utf-8").removeprefix('loaded("cells/0/0",').removesuffix(");\n"))
    check({entry[1]: entry for entry in listed if entry})


def test_another_gallerys_urls_are_not_taken_for_pictures_of_a_game_with_the_same_id(pack: Path) -> None:
    online = SteamPictures({key: f"https://shared.steamstatic.com/{key}.jpg" for key in PLAIN + STEAM})
    snapshot = Snapshot.open(pack)
    links = markup.PictureLinks(online, pack.parent)
    for game in snapshot.games(range(len(snapshot))):
        assert (online.of(game) is not None) == (links.of(game) is not None) == (game.id in STEAM)
    assert online.hosts == ["https://shared.steamstatic.com"]


def test_a_source_that_gets_or_loses_the_flag_changes_the_links(tmp_path: Path) -> None:
    covers = folder(tmp_path / "covers", "730")
    (covers / "draft.png").write_bytes(picture(1))
    for steam in (False, True, False):
        steamdino.add(tmp_path / "g", covers, steam=steam)
        steamdino.build(tmp_path / "g")
        snapshot = Snapshot.open(tmp_path / "g")
        assert snapshot.game("730").from_steam is steam
        # This id is no appID. With the flag it is reported as a problem, and the game has no page in the store.
        assert snapshot.game("draft").url is None


def test_an_address_in_a_strangers_pack_is_not_called_steam() -> None:
    def game(game_id: str, url: str | None) -> Game:
        return Game(game_id, "A game", "steam", url, None, "0" * 64, {})

    assert game_links(game("730", None)) == []
    assert game_links(game("730", f"{STORE}730")) == [
        ("Steam", f"{STORE}730"),
        ("SteamDB", f"{STEAMDB}730/"),
    ]
    for other in (
        game("730", f"{STORE}440"),
        game("730", "https://example.org/730"),
        game("x", f"{STORE}x"),
        game("٣", f"{STORE}٣"),
    ):
        assert game_links(other) == [("Page", other.url)]
        assert other.steamdb_url is None


def test_urls_of_banners_are_those_of_games_with_appids(tmp_path: Path) -> None:
    covers = folder(tmp_path / "covers", "730")
    for steam in (True, False):
        steamdino.add(tmp_path / "g", covers, steam=steam)
        with Gallery.write(tmp_path / "g", "test") as opened:
            with opened.transaction():
                opened.steam_apps.put_listed([(730, "Counter-Strike 2", None)], 1)
                opened.steam_assets.put_candidates(730, "vertical", [("library_capsule", "a.jpg", "t=1")])
            assert bool(list(opened.steam_assets.addresses("vertical"))) is steam
