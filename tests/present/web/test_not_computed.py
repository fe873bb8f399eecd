"""No request compares all games of a large gallery: the answer names the command that computes what it needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fakes.snapshots import ListedRows
from steamdino import Snapshot
from steamdino.analysis.unique import unique
from steamdino.errors import NotComputedError
from steamdino.index import pack
from steamdino.index.exact import ExactIndex
from steamdino.present.web import served_lists
from steamdino.records import Filter

PATHS = ("unique", "duplicates")


@pytest.fixture
def large(built: Path, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The fictional store, served without lists, as if it were too large to compare all of its games."""
    monkeypatch.setattr(served_lists, "PAIRS", 10_000)
    running = serve(built)
    reader = running.app.state.served.edition().snapshot._reader
    reader.index = ExactIndex(reader.vectors)
    return running


def _list(running: Any, listed: int) -> ListedRows:
    reader = running.app.state.served.edition().snapshot._reader
    reader.index = ListedRows(reader.vectors, listed)
    return reader.index  # type: ignore[no-any-return]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("query", ["", "?offset=100", "?tag=Horror"])
def test_the_api_names_the_command(large: Any, path: str, query: str) -> None:
    found = large.client.get(f"/api/v1/{path}{query}")
    assert found.status_code == 503
    assert found.headers["content-type"] == "application/problem+json"
    assert "retry-after" not in found.headers  # to try again would not help
    detail = found.json()["detail"]
    assert "games are not listed yet" in detail and detail.endswith("run: steam-dino build")
    assert "\n" not in detail


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("path", PATHS)
def test_a_person_sees_the_command_and_a_way_back(large: Any, browser: Any, path: str) -> None:
    page = browser.new_page()
    answer = page.goto(f"{large.address}/{path}")
    assert answer.status == 503
    assert page.locator("h1").inner_text() == "Not available now"
    assert "run: steam-dino build" in page.locator("main").inner_text()
    page.get_by_role("link", name="Start again").click()
    page.locator(".grid .tile").first.wait_for()
    page.close()


def test_listed_neighbours_are_enough_for_all_pages(large: Any, built: Path) -> None:
    index = _list(large, 60)
    snapshot = Snapshot.open(built)
    expected = [(one.game.id, one.rank) for one in unique(snapshot, None)]
    found = large.client.get("/api/v1/unique?k=100&offset=50").json()
    assert [(game["id"], game["rank"]) for game in found["games"]] == expected[50:150]
    assert found["total"] == len(expected)
    tagged = {game.id for game in snapshot.games(snapshot.rows(Filter(tags=("Horror",))))}
    found = large.client.get("/api/v1/unique?k=100&tag=Horror").json()
    assert [(game["id"], game["rank"]) for game in found["games"]] == [
        one for one in expected if one[0] in tagged
    ][:100]
    assert found["total"] == len(tagged)
    assert large.client.get("/unique").status_code == 200
    assert index.searched == 0


def test_duplicates_need_lists_that_are_long_enough(
    large: Any, serve: Callable[..., Any], built: Path
) -> None:
    _list(large, 3)
    found = large.client.get("/api/v1/duplicates")
    assert found.status_code == 503
    assert found.json()["detail"].endswith("run: steam-dino duplicates")
    _list(large, 200)
    assert large.client.get("/api/v1/duplicates").json()["total"] > 5


@pytest.mark.slow
def test_audits_compare_fewer_games_and_load_their_model_once(
    large: Any, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = large.app.state.served.edition()
    asked: list[int] = []
    index = edition.snapshot.index
    monkeypatch.setattr(
        type(index),
        "neighbours",
        lambda self, k, *, rows, **more: asked.append(len(rows)) or np.full((2, len(rows), k), 0.5),
    )
    picture = edition.snapshot.game("neonoir").picture
    assert picture is not None
    for tags in ([], ["Horror"], ["Horror"]):
        answer = large.client.post(
            "/api/v1/audit", params={"tag": tags}, files={"picture": ("x.png", picture.read_bytes())}
        )
        assert answer.status_code == 200
        assert [one["tag"] for one in answer.json()["standings"]] == [None, *tags]
    assert len(asked) == 2  # once for all games, once for the tag
    assert asked[0] == 10_000 // len(edition.snapshot)
    assert edition._explainer() is edition._auditor()._explainer
    unknown = large.client.post(
        "/api/v1/audit", params={"tag": "horor"}, files={"picture": ("x.png", picture.read_bytes())}
    )
    assert unknown.status_code == 404


def test_pictures_that_were_not_compared_yet_name_the_command_and_no_folder(
    built: Path, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(gallery: Path, *_: Any, **__: Any) -> None:
        raise NotComputedError(f"9 pictures have to be decoded; run: steam-dino check -g {gallery}")

    monkeypatch.setattr(served_lists, "find_duplicates", refuse)
    found = serve(built).client.get("/api/v1/duplicates")
    assert (found.status_code, found.json()["detail"]) == (
        503,
        "not all pictures that look alike were compared yet; run: steam-dino check",
    )


def test_of_a_pack_the_answer_names_a_command_that_takes_packs(
    built: Path, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Snapshot.open(built).pack(tmp_path / "store.steamdino")
    monkeypatch.setattr(pack, "LISTED", 10)
    running = serve(tmp_path / "store.steamdino")
    assert running.client.get("/api/v1/unique?adult=1").status_code == 200  # it is small
    monkeypatch.setattr(served_lists, "PAIRS", 10_000)
    found = running.client.get("/api/v1/unique")
    assert found.status_code == 503
    assert found.json()["detail"].endswith("run: steam-dino unique --snapshot FILE")


def test_the_neighbours_of_a_served_pack_are_listed_when_it_is_opened(
    built: Path, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Snapshot.open(built).pack(tmp_path / "store.steamdino")
    assert Snapshot.open(tmp_path / "store.steamdino").index.listed == 0
    running = serve(tmp_path / "store.steamdino")
    monkeypatch.setattr(served_lists, "PAIRS", 0)
    assert running.client.get("/api/v1/unique").json()["total"] == len(Snapshot.open(built).rows())
