"""Lists are read to their end by their links, also while snapshots are swapped: nothing twice, nothing missing."""

from __future__ import annotations

import io
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.fakes.history import changed_gallery, table

from steamdino.features.recipe_parser import named
from steamdino.gallery.vectors import Row
from steamdino.index.snapshot_writer import write
from steamdino.pipeline import add, build
from steamdino.present.web import snapshot_registry

Paint = Callable[..., Path]
Serve = Callable[..., Any]
QUERY, DIM = "g000", 16
LISTS = {
    "/api/v1/games": "games",
    "/api/v1/games?q=game": "games",
    "/api/v1/games?tag=odd": "games",
    f"/api/v1/games/{QUERY}/similar": "matches",
    f"/api/v1/games/{QUERY}/similar?tag=odd&min_similarity=-0.5": "matches",
    "/api/v1/unique": "games",
}


class Store:
    """A gallery whose snapshots are written at once, from random vectors, without pictures or a model."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._recipe = replace(named("bundled"), dim=DIM)
        self._builds = 0

    def build(self, ids: set[int]) -> None:
        """Writes the next snapshot: the games, and new vectors for all of them, so that every ranking changes."""
        self._builds += 1
        rows = [
            Row(
                f"g{n:03}",
                f"Game {n}",
                "made up",
                None,
                "",
                f"{1000 * self._builds + n:064x}",
                '{"tags": ["odd"]}' if n % 2 else "{}",
            )
            for n in sorted(ids | {0})
        ]
        vectors = np.random.default_rng(self._builds).standard_normal((len(rows), DIM)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        folder = self.folder / "snapshots" / self._recipe.hash
        write(folder, self._recipe, self._builds, rows, [], vectors, {"f32": len(rows)}, neighbours=20)


class Reader:
    """Reads a list by its links."""

    def __init__(self, client: httpx.Client, address: str, k: int) -> None:
        self._client, self._key = client, LISTS[address]
        self.next: str | None = f"{address}{'&' if '?' in address else '?'}k={k}"
        self.ids: list[str] = []

    def step(self) -> httpx.Response:
        """Reads the next page."""
        assert self.next is not None
        response = self._client.get(self.next)
        if response.status_code == 200:
            page = response.json()
            self.ids += [one["id"] for one in page[self._key]]
            self.next = page["next"]
            if self.next is None:
                assert "link" not in response.headers
            else:
                assert response.links["next"]["url"] == self.next
        return response

    def rest(self) -> list[str]:
        """Reads all pages that are left."""
        while self.next is not None:
            assert self.step().status_code == 200
        return self.ids


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path)
    made.build(set(range(40)))
    return made


@pytest.fixture
def running(store: Store, serve: Serve) -> Any:
    return serve(store.folder, refresh=3600)


def _whole(client: httpx.Client, address: str) -> list[str]:
    page = client.get(address, params={**httpx.URL(address).params, "k": 100}).json()
    assert page["next"] is None
    return [one["id"] for one in page[LISTS[address]]]


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize("k", [1, 7, 40])
def test_the_links_of_a_list_lead_through_all_of_it(running: Any, address: str, k: int) -> None:
    whole = _whole(running.client, address)
    assert len(whole) == len(set(whole)) > 9
    assert Reader(running.client, address, k).rest() == whole


@pytest.mark.parametrize("address", LISTS)
def test_a_list_goes_on_as_it_was_after_a_swap(running: Any, store: Store, address: str) -> None:
    before = _whole(running.client, address)
    reader = Reader(running.client, address, 4)
    reader.step()
    store.build(set(range(20, 70)))
    running.app.state.served.refresh()
    after = _whole(running.client, address)
    assert after != before
    assert reader.rest() == before
    assert Reader(running.client, address, 4).rest() == after


@pytest.mark.slow
@settings(max_examples=25)
@given(dice=st.randoms(use_true_random=False), steps=st.lists(st.booleans(), min_size=2, max_size=30))
def test_whenever_snapshots_are_swapped_nothing_is_read_twice_or_missed(
    swapped: tuple[Any, Store], dice: random.Random, steps: list[bool]
) -> None:
    running, store = swapped
    store.build(set(range(40)))  # every example begins with the same games
    running.app.state.served.refresh()
    readers: list[tuple[Reader, list[str], int]] = []
    swaps, gone, finished = 0, 0, 0
    for reads in steps:
        if reads and readers:
            reader, expected, since = dice.choice(readers)
            response = reader.step()
            if response.status_code == 410:
                assert swaps - since > 1, "the edition before is still open"
                assert response.json()["detail"].startswith("the list has changed")
                gone += 1
            else:
                assert response.status_code == 200
                assert reader.ids == expected[: len(reader.ids)]
            if response.status_code == 410 or reader.next is None:
                finished += reader.ids == expected
                readers = [one for one in readers if one[0] is not reader]
        elif dice.random() < 0.6:
            address = dice.choice(list(LISTS))
            readers.append(
                (
                    Reader(running.client, address, dice.randint(1, 15)),
                    _whole(running.client, address),
                    swaps,
                )
            )
            readers[-1][0].step()
            if readers[-1][0].next is None:
                readers.pop()
        else:
            store.build(set(dice.sample(range(90), dice.randint(25, 60))))
            running.app.state.served.refresh()
            swaps += 1
    for reader, expected, since in readers:
        if swaps - since <= 1:
            assert reader.rest() == expected
        else:
            assert reader.step().status_code == 410


@pytest.fixture(scope="module")
def swapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Store]]:
    from tests.present.web.conftest import Running

    store = Store(tmp_path_factory.mktemp("store"))
    store.build(set(range(40)))
    running = Running(store.folder, refresh=3600)
    yield running, store
    running.close()


def test_a_link_is_gone_after_two_builds_after_a_while_and_with_its_files(
    running: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = running.app.state.served

    def started() -> Reader:
        reader = Reader(running.client, "/api/v1/games", 5)
        assert reader.step().status_code == 200
        return reader

    reader = started()
    for _ in range(2):
        store.build(set(range(30)))
        registry.refresh()
    gone = reader.step()
    assert gone.status_code == 410
    assert gone.headers["content-type"] == "application/problem+json"
    assert gone.json()["detail"].endswith("start again without `edition` and `offset`")
    reader = started()
    folder = registry.edition().folder
    store.build(set(range(31)))
    registry.refresh()
    assert reader.step().status_code == 200
    shutil.rmtree(folder)
    assert reader.step().status_code == 410
    monkeypatch.setattr(snapshot_registry, "OPEN", 0.0)
    reader = started()
    store.build(set(range(32)))
    registry.refresh()
    assert reader.step().status_code == 410
    assert running.client.get("/api/v1/games?edition=none").status_code == 410


def test_an_edition_that_another_process_served_first_is_looked_for(store: Store, serve: Serve) -> None:
    ahead, behind = (serve(store.folder, refresh=3600) for _ in range(2))
    store.build(set(range(50)))
    ahead.app.state.served.refresh()
    page = ahead.client.get("/api/v1/games?k=5").json()
    assert page["edition"] != behind.client.get("/api/v1/games?k=5").json()["edition"]
    following = behind.client.get(page["next"])
    assert following.status_code == 200
    assert following.json() == ahead.client.get(page["next"]).json()


def test_a_link_keeps_what_was_asked_for_and_stays_below_the_servers_path(running: Any) -> None:
    from tests.fakes.asgi import answer_of

    page = running.client.get(f"/api/v1/games/{QUERY}/similar?k=3&tag=odd&min_similarity=-1&offset=3").json()
    edition = page["edition"]
    expected = f"/api/v1/games/{QUERY}/similar?k=3&tag=odd&min_similarity=-1&offset=6&edition={edition}"
    assert page["next"] == expected
    for path in ("/api/v1/games", "/store/api/v1/games"):  # with and without the proxy's part
        got = answer_of(running.app, f"{path}?k=3", root_path="/store")
        assert got.json()["next"] == f"/store/api/v1/games?k=3&offset=3&edition={edition}"


def test_an_edition_belongs_to_its_recipe(running: Any) -> None:
    edition = running.client.get("/api/v1/info").json()["recipes"][0]["edition"]
    assert running.client.get(f"/api/v1/games?edition={edition}&recipe=bundled").status_code == 200
    got = running.client.get(f"/api/v1/games?edition={edition}&recipe=other")
    assert (got.status_code, "of the recipe 'bundled', not of 'other'" in got.json()["detail"]) == (400, True)


def test_a_search_ends_where_offsets_do(running: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from steamdino.present.web import paging

    monkeypatch.setattr(paging, "DEEPEST", 10)
    assert len(Reader(running.client, f"/api/v1/games/{QUERY}/similar", 4).rest()) == 12
    assert len(Reader(running.client, "/api/v1/games", 4).rest()) == 40


def test_an_uploaded_pictures_list_goes_on_with_the_same_picture(web: httpx.Client) -> None:
    file = io.BytesIO()
    Image.effect_noise((60, 90), 90).save(file, "PNG")
    picture = {"picture": file.getvalue()}
    whole = web.post("/api/v1/similar?k=30", files=picture).json()["matches"]
    found: list[Any] = []
    address = "/api/v1/similar?k=13&min_percentile=1"
    while len(found) < 30:
        page = web.post(address, files=picture)
        found += page.json()["matches"]
        address = page.json()["next"]
        assert page.links["next"]["url"] == address
    # A match is the copy of an earlier one of its page, so that depends on where pages begin.
    assert [{**one, "copy_of": None} for one in found[:30]] == [{**one, "copy_of": None} for one in whole]


def test_the_lists_of_duplicates_and_changes_are_read_by_links_too(web: httpx.Client) -> None:
    read: list[list[Any]] = []
    for k in (100, 7):
        found: list[Any] = []
        address: str | None = f"/api/v1/duplicates?k={k}"
        while address is not None:
            page = web.get(address).json()
            found, address = found + page["groups"], page["next"]
        assert page["total"] == len(found) > 3
        read.append(found)
    assert read[0] == read[1]
    other = f"{page['edition'].partition('.')[0]}.0000000000000000"
    assert web.get(f"/api/v1/duplicates?edition={other}").status_code == 410


def test_a_list_of_changes_is_gone_once_something_else_has_changed(
    tmp_path: Path, paint: Paint, serve: Serve
) -> None:
    gallery = changed_gallery(tmp_path, paint)
    client = serve(gallery).client
    whole = client.get("/api/v1/changes?since=60d&k=100").json()
    found: list[Any] = []
    address: str | None = "/api/v1/changes?since=60d&k=1"
    while address is not None:
        page = client.get(address)
        found, address = found + page.json()["changes"], page.json()["next"]
        assert (page.links["next"]["url"] if "link" in page.headers else None) == address
    assert found == whole["changes"] and len(found) == 4
    first = client.get("/api/v1/changes?since=60d&k=1").json()
    paint(tmp_path / "covers" / "y.jpg", 9)
    add(gallery, table(tmp_path / "covers", "abcdexy"))
    assert client.get(first["next"]).status_code == 410
    # A build alone does not end the list.
    first = client.get("/api/v1/changes?since=60d&k=1").json()
    build(gallery)
    assert client.get(first["next"]).status_code == 200
