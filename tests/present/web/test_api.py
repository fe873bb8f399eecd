"""The API over real HTTP, against what a search says."""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import pytest
from PIL import Image

import steamdino
from steamdino import Snapshot
from steamdino.pipeline.duplicate_search import duplicates
from steamdino.records import Filter

QUERY = "neonoir"


@pytest.fixture(scope="module")
def snapshot(built: Path) -> Snapshot:
    return Snapshot.open(built)


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def crop(snapshot: Snapshot) -> bytes:
    picture = snapshot.game(QUERY).picture
    assert picture is not None
    with Image.open(picture) as image:
        return _png(image.crop((20, 30, 280, 420)))


def test_similar_games_are_those_of_a_search_page_by_page(web: httpx.Client, snapshot: Snapshot) -> None:
    expected = snapshot.similar(QUERY, 12)
    first = web.get(f"/api/v1/games/{QUERY}/similar", params={"k": 8}).json()
    second = web.get(f"/api/v1/games/{QUERY}/similar", params={"k": 4, "offset": 8}).json()
    matches = first["matches"] + second["matches"]
    assert [match["id"] for match in matches] == expected.ids
    assert [match["rank"] for match in matches] == list(range(1, 13))
    np.testing.assert_allclose([match["similarity"] for match in matches], expected.similarities, atol=1e-6)
    assert first["query"]["game"]["name"] == "Neonoir"
    last = web.get(f"/api/v1/games/{QUERY}/similar", params={"k": 100, "offset": 400}).json()
    assert (len(last["matches"]), last["next"]) == (len(snapshot) - 1 - 400, None)


def test_turns_and_filters_are_minded(web: httpx.Client, snapshot: Snapshot) -> None:
    mirrored = web.get(f"/api/v1/games/{QUERY}/similar", params={"mirror": 1, "k": 20}).json()
    assert [match["id"] for match in mirrored["matches"]] == snapshot.similar(QUERY, 20, mirror=True).ids
    plain = web.get(f"/api/v1/games/{QUERY}/similar", params={"mirror": 0, "k": 20}).json()
    assert [match["id"] for match in plain["matches"]] == snapshot.similar(QUERY, 20).ids
    only = Filter(tags=("noir",), released_from="2012")
    found = web.get(
        f"/api/v1/games/{QUERY}/similar", params={"tag": "Noir", "released": "2012..", "min_reviews": ""}
    )
    assert found.status_code == 422  # a number that is none
    found = web.get(f"/api/v1/games/{QUERY}/similar", params={"tag": ["Noir", ""], "released": "2012.."})
    assert [match["id"] for match in found.json()["matches"]] == snapshot.similar(QUERY, only=only).ids


def test_names_are_suggested_with_typos_forgiven(web: httpx.Client, snapshot: Snapshot) -> None:
    for typed, expected in (
        ("neon", "neonoir"),
        ("NEONOIR", "neonoir"),
        ("neonior", "neonoir"),
        ("wet prec", "the-wet-precinct"),
    ):
        found = web.get("/api/v1/games", params={"q": typed}).json()["games"]
        assert expected in [game["id"] for game in found], typed
    every = web.get("/api/v1/games", params={"k": 100, "offset": 400}).json()
    assert every["total"] == len(snapshot)
    assert [game["id"] for game in every["games"]] == snapshot.ids[400:]


def test_a_picture_that_is_sent_is_a_query_and_a_draft(web: httpx.Client, crop: bytes) -> None:
    found = web.post("/api/v1/similar", files={"picture": ("x.png", crop)}, params={"k": 3}).json()
    turns = {"mirror": False, "flip": False, "crop": None, "parts": []}
    assert found["query"] == {"text": "", "kind": "picture", "game": None, **turns}
    assert found["matches"][0]["id"] == QUERY
    audit = web.post("/api/v1/audit", files={"picture": ("x.png", crop)}, params={"tag": "Horror"}).json()
    assert audit["verdict"].startswith("It shows what the banner of Neonoir shows")
    assert [one["tag"] for one in audit["standings"]] == [None, "Horror"]
    assert "steamdino-" not in str(audit)  # the folder in which it was looked at


def test_lists_and_explanations_are_those_of_the_commands(web: httpx.Client, snapshot: Snapshot) -> None:
    lonely = web.get("/api/v1/unique", params={"k": 5}).json()
    assert [game["id"] for game in lonely["games"]] == [one.game.id for one in steamdino.unique(snapshot, 5)]
    assert lonely["total"] == len(snapshot)
    groups = web.get("/api/v1/duplicates", params={"k": 100}).json()["groups"]
    assert {"jamberry", "jamberry-supporter-pack"} in [
        {game["id"] for game in group["games"]} for group in groups
    ]
    why = web.get("/api/v1/explain", params={"a": QUERY, "b": "hollow-avenue"}).json()
    mirrored = web.get("/api/v1/explain", params={"a": QUERY, "b": "hollow-avenue", "mirror": 1}).json()
    found = web.get(f"/api/v1/games/{QUERY}/similar", params={"k": 100, "mirror": 1}).json()["matches"]
    of_list = {match["id"]: match["similarity"] for match in found}["hollow-avenue"]
    assert mirrored["similarity"] == pytest.approx(of_list, abs=1e-4) != why["similarity"]
    assert sum(why["pictures"][0]["regions"].values()) == pytest.approx(why["similarity"], abs=1e-4)
    info = web.get("/api/v1/info").json()
    assert (info["games"], info["default"]) == (len(snapshot), "bundled")
    ids = {web.get("/api/v1/games/random").json()["id"] for _ in range(8)}
    assert len(ids) > 3 and ids <= set(snapshot.ids)


@pytest.mark.slow
def test_groups_of_duplicates_are_narrowed_down_by_tier_game_and_filter(
    web: httpx.Client, built: Path
) -> None:
    def groups(**asked: str) -> list[Any]:
        found = web.get("/api/v1/duplicates", params={"k": 100, **asked}).json()
        assert found["total"] == len(found["groups"]) or found["next"]
        return list(found["groups"])

    every = web.get("/api/v1/duplicates", params={"k": 100}).json()
    by_tier = [groups(tier=tier) for tier in ("identical", "re-encoded", "near")]
    assert all(by_tier) and list(chain(*by_tier))[: len(every["groups"])] == every["groups"]
    of_one = groups(game="jamberry")
    assert of_one
    assert of_one == [one for one in chain(*by_tier) if "jamberry" in {game["id"] for game in one["games"]}]
    found = {one.game_id: one for group in duplicates(built) for one in group.members}
    for game in chain(*(group["games"] for group in of_one)):
        assert (game["width"], game["height"]) == (found[game["id"]].width, found[game["id"]].height)
    tagged = groups(tag="noir")
    noir = {game["id"] for game in web.get("/api/v1/games", params={"tag": "noir", "k": 100}).json()["games"]}
    assert tagged and all(noir & {game["id"] for game in group["games"]} for group in tagged)
    assert web.get("/api/v1/duplicates", params={"tier": "same"}).status_code == 422


def test_banners_are_drawn_anew_in_three_widths(web: httpx.Client) -> None:
    game = web.get(f"/api/v1/games/{QUERY}").json()
    got = web.get(game["picture"])
    assert got.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(got.content)) as image:
        assert image.size == (300, 450)
    assert "immutable" in got.headers["cache-control"]
    again = web.get(game["picture"], headers={"if-none-match": got.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert web.get(f"/banners/123/{QUERY}").status_code == 404


def test_an_answer_that_has_not_changed_is_not_sent_again(web: httpx.Client) -> None:
    address = f"/api/v1/games/{QUERY}/similar?k=3"
    first = web.get(address)
    again = web.get(address, headers={"if-none-match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    other = web.get(f"/api/v1/games/{QUERY}/similar?k=4", headers={"if-none-match": first.headers["etag"]})
    assert other.status_code == 200
    assert "etag" not in web.get("/api/v1/games/random").headers


def test_errors_are_problems_with_one_line(web: httpx.Client) -> None:
    for address, status, told in (
        ("/api/v1/games/no-such-game/similar", 404, "no game matches"),
        (f"/api/v1/games/{QUERY}/similar?tag=noirr", 404, "did you mean: noir"),
        (f"/api/v1/games/{QUERY}/similar?k=0", 422, "k: '0' should be greater than or equal to 1"),
        (f"/api/v1/games/{QUERY}/similar?k=101", 422, "k: "),
        (f"/api/v1/games/{QUERY}/similar?released=soon", 400, "the release date"),
        (f"/api/v1/games/{QUERY}/similar?recipe=other", 400, "is not served; choose from: bundled"),
        ("/api/v1/text?q=cat", 400, "has no text model"),
        (f"/api/v1/games/{'x' * 10_000}", 414, "too long"),
        (f"/api/v1/games/{'x' * 1_000}", 422, "game_id"),
        ("/api/v1/nothing", 404, "Not Found"),
    ):
        got = web.get(address)
        assert got.status_code == status, address
        assert got.headers["content-type"] == "application/problem+json"
        problem = got.json()
        assert (problem["status"], told in problem["detail"]) == (status, True), problem
        assert "Traceback" not in got.text


def test_a_newer_snapshot_is_picked_up_without_a_restart(
    gallery_with_pictures: Path, serve: Callable[..., Any]
) -> None:
    running = serve(gallery_with_pictures)
    before = running.client.get(f"/api/v1/games/{QUERY}")
    assert running.client.get("/api/v1/games/brand-new").status_code == 404
    folder = gallery_with_pictures.parent / "more"
    folder.mkdir()
    shutil.copy(gallery_with_pictures.parent / "store/banners/neon/neonoir.jpg", folder / "brand-new.jpg")
    steamdino.add(gallery_with_pictures, folder)
    steamdino.build(gallery_with_pictures)
    deadline = time.monotonic() + 10
    while running.client.get("/api/v1/games/brand-new").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    after = running.client.get(f"/api/v1/games/{QUERY}", headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    matches = running.client.get(f"/api/v1/games/{QUERY}/similar").json()["matches"]
    assert matches[0]["id"] == "brand-new" and matches[0]["identical"]


def test_a_packed_snapshot_is_served_without_its_pictures(
    built: Path, tmp_path: Path, serve: Callable[..., Any], crop: bytes
) -> None:
    Snapshot.open(built).pack(tmp_path / "store.pack")
    client = serve(tmp_path / "store.pack").client
    assert client.get(f"/api/v1/games/{QUERY}/similar?k=2").json()["matches"][0]["picture"] is None
    assert client.post("/api/v1/similar", files={"picture": crop}).json()["matches"][0]["id"] == QUERY
    for address, status in (("/api/v1/duplicates", 503), (f"/banners/300/{QUERY}", 404)):
        assert client.get(address).status_code == status


@pytest.mark.slow
def test_a_picture_is_fetched_by_its_address_only_where_that_is_switched_on(
    web: httpx.Client, built: Path, crop: bytes, serve: Callable[..., Any]
) -> None:
    asked = {"url": "http://127.0.0.1/x.png", "k": 1}
    off = web.get("/api/v1/similar", params=asked)
    assert (off.status_code, "switched off" in off.json()["detail"]) == (400, True)
    on = serve(built, fetch_urls=True).client
    refused = on.get("/api/v1/similar", params=asked)
    assert (refused.status_code, "not a public server" in refused.json()["detail"]) == (422, True)
    assert 'name="address"' in on.get("/picture").text
    assert 'name="address"' not in web.get("/picture").text
    # What is fetched is a query like any other; there is no public server here to fetch it from.
    fetching = serve(built, fetch=lambda url: crop).client
    assert fetching.get("/api/v1/similar", params=asked).json()["matches"][0]["id"] == QUERY
    page = fetching.post(
        "/picture",
        data={"address": "https://x.example/mine.png"},
        headers={"accept": "text/html"},
        follow_redirects=True,
    )
    assert "mine.png" in page.text and "Neonoir" in page.text
    nothing = fetching.post("/picture", data={"address": ""})
    assert nothing.status_code == 422
