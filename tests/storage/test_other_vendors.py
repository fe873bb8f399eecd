"""Azure's and Google's object storage, as Azurite and fake-gcs-server have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.buckets import banner, bucket_name
from tests.fakes.emulators import AZURITE, HOW, KEY, Emulator, fake_gcs, running
from tests.fakes.steam import Store, picture, serving
from tests.pipeline.sync.test_sync import pictures, settings_for

from steamdino import Snapshot, add, build
from steamdino.errors import NetworkError, SourceError
from steamdino.pipeline import examine
from steamdino.pipeline.sync import SyncRequest, sync
from steamdino.storage import object_client
from steamdino.storage.object_files import described, download
from steamdino.storage.object_store import StoredObject, listed

pytest.importorskip("obstore", reason="needs the extra objects")


@pytest.fixture(scope="module", params=["az", "gs"])
def vendor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    if not (AZURITE.exists() if request.param == "az" else fake_gcs()):
        pytest.skip(HOW)
    with running(request.param, tmp_path_factory.mktemp("emulator")) as started:
        yield started


@pytest.fixture
def address(vendor: Emulator, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    for name, value in vendor.environment.items():
        monkeypatch.setenv(name, value)
    object_client.client.cache_clear()
    vendor.bucket(bucket_name(request))
    return f"{vendor.scheme}://{bucket_name(request)}"


def put(vendor: Emulator, address: str, key: str, data: bytes) -> None:
    vendor.put(address.partition("://")[2], key, data)


@pytest.mark.slow
def test_pictures_are_added_built_and_seen_to_change(
    vendor: Emulator, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(5):
        put(vendor, address, f"covers/deep/{n}.png", banner(n))
    assert add(tmp_path / "g", f"{address}/covers").new == 5
    assert build(tmp_path / "g").games == 5
    assert len(Snapshot.open(tmp_path / "g").similar("deep/3", 4)) == 4
    assert examine(tmp_path / "g", deep=True) == []
    reads: list[str] = []
    read = StoredObject.read
    monkeypatch.setattr(StoredObject, "read", lambda self: (reads.append(self.name), read(self))[1])
    assert add(tmp_path / "g", f"{address}/covers").unchanged == 5
    assert reads == []
    put(vendor, address, "covers/deep/1.png", banner(9))
    vendor.delete(address.partition("://")[2], "covers/deep/4.png")
    summary = add(tmp_path / "g", f"{address}/covers")
    assert (summary.changed, summary.unchanged, summary.gone, reads) == (1, 3, 1, ["1.png"])


def test_a_listing_and_an_answer_give_one_mark(vendor: Emulator, address: str) -> None:
    put(vendor, address, "a.png", banner(1))
    (place,) = listed(address)
    content = place.read()
    assert place.listed == StoredObject(place.address).status()
    assert (content.data, content.ctime_ns) == (banner(1), place.status().ctime_ns)


def test_tables_and_archives_are_read_from_there(vendor: Emulator, address: str, tmp_path: Path) -> None:
    put(vendor, address, "lists/games.csv", b"id,path\n1,a.png\n2,b.png\n")
    put(vendor, address, "lists/a.png", banner(1))
    summary = add(tmp_path / "g", f"{address}/lists/games.csv")
    assert (summary.new, summary.without_banner) == (2, 1)
    assert [one.reason for one in summary.problems] == ["the object does not exist"]
    put(vendor, address, "large", bytes(range(256)) * 300)
    total, version = described(f"{address}/large")
    download(f"{address}/large", tmp_path / "large", total, version=version)
    assert (tmp_path / "large").read_bytes() == bytes(range(256)) * 300


@pytest.mark.parametrize("vendor", ["az"], indirect=True)  # fake-gcs-server does not take what obstore writes
def test_steam_s_banners_are_kept_there(vendor: Emulator, address: str, tmp_path: Path) -> None:
    with serving(Store.of(5)) as store:
        steam = settings_for(store, pictures=f"{address}/banners")
        assert sync(tmp_path / "g", SyncRequest(), steam).counts["fetched"] == 5
        assert pictures(tmp_path / "g") == {appid: picture(appid, 0) for appid in store.games}
        assert len(list(listed(f"{address}/banners"))) == 5


def test_an_object_that_does_not_exist_is_told_so(vendor: Emulator, address: str, tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="/x.zip cannot be read: the object does not exist$"):
        add(tmp_path / "g", f"{address}/x.zip")


@pytest.mark.parametrize("vendor", ["az"], indirect=True)  # fake-gcs-server answers 500
def test_a_container_that_does_not_exist_is_told_in_azure_s_words(vendor: Emulator, address: str) -> None:
    with pytest.raises(
        SourceError, match="^az://no-such cannot be listed: the container does not exist$"
    ) as caught:
        list(listed("az://no-such"))
    assert KEY not in str(caught.value)
