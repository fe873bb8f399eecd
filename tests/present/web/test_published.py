"""Servers of a published gallery, which keep nothing but a copy of it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from tests.fakes.nginx import nginx_before
from tests.fakes.object_storage import ObjectStorage
from tests.fakes.published_servers import Visitors, server
from tests.fakes.snapshots import gallery_of
from tests.present.web.conftest import Running

from steamdino import Snapshot
from steamdino.pipeline.publish import publish
from steamdino.storage import object_client, object_files

pytest.importorskip("obstore", reason="needs the extra objects")


def until(done: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_two_servers_behind_nginx_show_each_publication_whole_while_200_requests_a_second_arrive(
    bucket: str, tmp_path: Path
) -> None:
    gallery, versions = gallery_of(tmp_path / "g", "version 0"), 4
    publish(gallery, bucket)
    visitors = Visitors()
    round_robin = {"hash $remote_addr consistent;": ""}
    with (
        server(bucket, tmp_path / "one", 0.5) as one,
        server(bucket, tmp_path / "two", 0.5) as two,
        nginx_before(tmp_path / "nginx", one, two, changes=round_robin) as front,
        visitors.at(f"{front}/games", 200),
    ):
        for version in range(1, versions + 1):
            time.sleep(1)
            publish(
                gallery_of(gallery, f"version {version}", 20 + version, seed=version),
                bucket,
                grace=timedelta(0),
            )
            for url in (one, two):
                until(
                    lambda url=url, now=f"version {version}": (
                        now in httpx.get(f"{url}/api/v1/games/g001", timeout=60).text
                    )
                )  # type: ignore[misc]
    assert visitors.wrong == []
    assert visitors.seen.keys() == {f"version {number}" for number in range(versions + 1)}
    assert visitors.seen.total() > 500


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        one.__dict__["facts"]["error"] for one in caplog.records if one.getMessage() == "published gallery"
    ]


@pytest.fixture
def published(built: Path, bucket: str) -> Iterator[tuple[str, httpx.Client]]:
    """The fictional store, published and served."""
    publish(built, bucket)
    running = Running(bucket)
    yield bucket, running.client
    running.close()


def test_pages_show_the_pictures_that_were_published(
    published: tuple[str, httpx.Client], built: Path
) -> None:
    _, client = published
    page = client.get("/games/neonoir")
    assert page.status_code == 200
    assert "Hollow Avenue" in page.text
    pictures = re.findall(r'<img[^>]* src="([^"]+)"', page.text)
    assert len(pictures) > 10
    for address in pictures:
        picture = client.get(address)
        assert picture.status_code == 200, address
        assert picture.headers["content-type"].startswith("image/")
    for route in ("/", "/unique", "/why?a=neonoir&b=hollow-avenue"):
        assert client.get(route).status_code == 200, route


def test_what_is_in_the_gallerys_database_is_not_served_and_says_why(
    published: tuple[str, httpx.Client],
) -> None:
    _, client = published
    answer = client.get("/api/v1/changes")
    assert answer.status_code == 503
    assert "serves a snapshot without its gallery" in answer.json()["detail"]


def test_a_server_stays_in_service_when_the_store_is_away_or_damaged_and_says_so_once(
    bucket: str,
    tmp_path: Path,
    object_storage: ObjectStorage,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    gallery = gallery_of(tmp_path / "g", "version 1")
    publish(gallery, bucket)
    running = Running(bucket)
    try:
        name = lambda: running.client.get("/api/v1/games/g001").json()["name"]  # noqa: E731
        assert name() == "version 1"
        object_files.write(f"{bucket}/published.json", b"{}")
        until(lambda: complaints(caplog))
        time.sleep(0.5)
        assert name() == "version 1"
        assert len(found := complaints(caplog)) == 1
        assert "published.json is damaged" in found[0]
        publish(gallery_of(gallery, "version 2", 25), bucket)
        until(lambda: name() == "version 2")
    finally:
        running.close()

    monkeypatch.setattr(object_client, "RETRIES", 0)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    object_client.client.cache_clear()
    without_store = Running(bucket)  # a server that is started again meanwhile
    try:
        assert without_store.client.get("/api/v1/games/g001").json()["name"] == "version 2"
    finally:
        without_store.close()


def test_steams_own_pictures_are_linked_if_their_urls_were_published(bucket: str, tmp_path: Path) -> None:
    gallery = gallery_of(tmp_path / "g", "version 1")
    publish(gallery, bucket, urls={"vertical": {"g001": "https://shared.example.com/1.jpg"}})
    running = Running(bucket, pictures="steam")
    try:
        policy = running.client.get("/games/g001").headers["content-security-policy"]
        assert "https://shared.example.com" in policy
    finally:
        running.close()


def test_a_snapshot_that_is_opened_by_its_address_is_that_of_the_server(
    published: tuple[str, httpx.Client],
) -> None:
    address, client = published
    expected = [match.game.id for match in Snapshot.open(address).similar("neonoir", 5)]
    answer = client.get("/api/v1/games/neonoir/similar", params={"k": 5}).json()
    assert [match["id"] for match in answer["matches"]] == expected
