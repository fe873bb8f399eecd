"""Banners of Steam that are kept in object storage: the gallery holds their addresses only."""

from __future__ import annotations

import hashlib
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.buckets import SECRET
from tests.fakes.object_storage import Faults, ObjectStorage, faulty
from tests.fakes.steam import Store, picture, serving
from tests.pipeline.sync.sync_processes import commits, start
from tests.pipeline.sync.test_lost import ALL
from tests.pipeline.sync.test_sync import outcomes, pictures, settings_for

from steamdino import Snapshot
from steamdino.errors import OutputError, SourceError
from steamdino.gallery import Gallery
from steamdino.pipeline import build, examine, prune
from steamdino.pipeline.sync import SyncRequest, SyncSummary, estimate, fetch_one, sync
from steamdino.storage import object_client
from steamdino.storage.object_store import listed

Run = Callable[..., SyncSummary]


@pytest.fixture
def store() -> Iterator[Store]:
    with serving(Store.of(5)) as running:
        yield running


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    return tmp_path / "g"


@pytest.fixture
def run(store: Store, storage: ObjectStorage, address: str, gallery: Path) -> Run:
    def runs(wanted: SyncRequest | None = None, **changes: Any) -> SyncSummary:
        steam = settings_for(store, **{"pictures": f"{address}/banners", **changes})
        return sync(gallery, wanted or SyncRequest(), steam)

    return runs


def of_store(store: Store) -> dict[int, bytes]:
    return {appid: picture(appid, game.art) for appid, game in store.games.items() if not game.fate}


def named(address: str, data: bytes) -> str:
    sha256 = hashlib.sha256(data).hexdigest()
    return f"{address}/banners/{sha256[:2]}/{sha256}.jpg"


def stored(address: str) -> set[str]:
    return {place.address for place in listed(address)}


def count_writes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    import obstore

    written: list[str] = []
    put = obstore.put
    monkeypatch.setattr(
        obstore,
        "put",
        lambda store, key, *rest, **options: (written.append(key), put(store, key, *rest, **options)),
    )
    return written


def test_downloads_are_kept_below_the_prefix_and_named_by_their_content(
    run: Run, store: Store, gallery: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = count_writes(monkeypatch)
    summary = run()
    assert (summary.counts["fetched"], outcomes(gallery)) == (5, ALL)
    assert pictures(gallery) == of_store(store)
    assert stored(address) == {named(address, data) for data in of_store(store).values()}
    with Gallery.open(gallery) as opened:
        assert {one.location.address for one in opened.banners.known()} == stored(address)
    assert not list(gallery.glob("banners/**/*"))
    assert len(written) == 5
    summary = run(SyncRequest(full=True))
    assert (summary.counts["fetched"], summary.counts["lost"], len(written)) == (0, 0, 5)


def test_such_a_gallery_is_built_searched_examined_and_pruned(
    run: Run, store: Store, gallery: Path, address: str
) -> None:
    run()
    assert build(gallery).games == 5
    assert len(Snapshot.open(gallery).similar("10", 4)) == 4
    assert Snapshot.open(gallery).similar("10", 2, mirror=True)  # the object is read and encoded
    assert examine(gallery, deep=True) == []
    before = stored(address)
    assert prune(gallery, gone=True).copies == 0
    assert stored(address) == before


def test_what_another_gallery_has_stored_is_not_written_again(
    run: Run, store: Store, gallery: Path, address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run()
    written = count_writes(monkeypatch)
    steam = settings_for(store, pictures=f"{address}/banners")
    assert sync(tmp_path / "other", SyncRequest(), steam).counts["fetched"] == 5
    assert written == []
    assert pictures(tmp_path / "other") == pictures(gallery)


def test_an_object_that_is_cut_off_or_lost_comes_back(
    run: Run, store: Store, gallery: Path, address: str, storage: ObjectStorage
) -> None:
    run()
    first, second, *_ = sorted(stored(address))
    bucket, key = first.removeprefix("s3://").split("/", 1)
    storage.delete(bucket, key)
    storage.put(bucket, second.removeprefix("s3://").split("/", 1)[1], b"cut")
    (missing, changed) = sorted(examine(gallery), key=lambda one: one.text[-20:])
    assert {missing.remedy, changed.remedy} == {
        "run: steam-dino sync",
        "run with --repair, then: steam-dino sync",
    }
    assert estimate(gallery, SyncRequest(), settings_for(store)).pictures == 2
    summary = run()
    assert (summary.counts["lost"], summary.counts["fetched"]) == (2, 2)
    assert pictures(gallery) == of_store(store)
    assert examine(gallery, deep=True) == []


def test_a_new_picture_leaves_the_old_one_in_the_bucket_for_the_record_of_changes(
    run: Run, store: Store, gallery: Path, address: str, storage: ObjectStorage
) -> None:
    run()
    old = named(address, picture(10, 0))
    store.games[10].art += 1
    store.games[10].modified = store.games[10].stamp = 1_900_000_000
    run(SyncRequest(keep_old=True))
    assert pictures(gallery) == of_store(store)
    prune(gallery)
    with Gallery.open(gallery) as opened:
        assert {place.address for place in opened.history.kept()} == {old}
    assert len(stored(address)) == 6
    assert examine(gallery) == []
    bucket, key = old.removeprefix("s3://").split("/", 1)
    storage.delete(bucket, key)
    assert [one.text for one in examine(gallery)] == ["1 pictures of earlier banners are missing"]


def test_a_doctor_that_cannot_see_the_bucket_says_so_and_forgets_nothing(
    run: Run, store: Store, gallery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    store.games[10].art += 1
    store.games[10].modified = store.games[10].stamp = 1_900_000_000
    run(SyncRequest(keep_old=True))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(object_client, "RETRIES", 0)
    object_client.client.cache_clear()
    findings = [one for one in examine(gallery, repair=True) if not one.harmless]
    assert [one.text.partition(": s3://")[0] for one in findings] == [
        "pictures cannot be checked",
        "pictures of earlier banners cannot be checked",
    ]
    assert outcomes(gallery) == ALL
    with Gallery.open(gallery) as opened:
        assert len(opened.history.kept()) == 1


def test_both_places_of_pictures_go_together(run: Run, store: Store, gallery: Path, address: str) -> None:
    run(SyncRequest(appids=(10, 20)), pictures="")
    run()
    with Gallery.open(gallery) as opened:
        far = {one.game_id: one.location.path is None for one in opened.banners.known()}
    assert far == {"10": False, "20": False, "30": True, "40": True, "50": True}
    assert pictures(gallery) == of_store(store)
    assert run(SyncRequest(full=True)).counts["lost"] == 0


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("own", [0, 6], ids=["obstore repeats nothing", "obstore repeats"])
@pytest.mark.parametrize("fault", ["slow down", "reset"])
def test_transient_faults_of_the_store_lose_no_picture(
    run: Run,
    store: Store,
    gallery: Path,
    storage: ObjectStorage,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    own: int,
) -> None:
    monkeypatch.setattr(object_client, "RETRIES", own)
    faults = Faults(dict.fromkeys((2, 4, 5, 8), fault))
    with faulty(storage, faults) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        object_client.client.cache_clear()
        assert run().counts["fetched"] == 5
    assert faults.requests >= 1 + 2 * 5  # all faults happened
    monkeypatch.setenv("AWS_ENDPOINT_URL", storage.url)
    object_client.client.cache_clear()
    assert pictures(gallery) == of_store(store)


def test_a_bucket_that_does_not_exist_is_told_before_steam_is_asked(run: Run, store: Store) -> None:
    with pytest.raises(
        SourceError, match="^s3://no-such-bucket/x cannot be listed: the bucket does not exist$"
    ):
        run(pictures="s3://no-such-bucket/x")
    assert store.log == []


def test_a_failure_to_write_ends_the_run_at_once_and_the_next_one_continues(
    run: Run, store: Store, gallery: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import obstore

    put = obstore.put

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("403: the key a-secret-key may not")

    monkeypatch.setattr(obstore, "put", refuse)
    with pytest.raises(OutputError) as caught:
        run(connections=1)
    assert str(caught.value).startswith(f"{address}/banners/")
    assert str(caught.value).endswith(
        ".jpg cannot be written: the object store refuses access; check the credentials in the environment;"
        " what was fetched before is kept"
    )
    assert SECRET not in str(caught.value)
    assert store.counts()["picture"] <= 2  # the one, and one that was asked for meanwhile
    monkeypatch.setattr(obstore, "put", put)
    assert run().counts["fetched"] == 5
    assert pictures(gallery) == of_store(store)


def test_one_banner_is_fetched_as_a_file_although_it_is_stored_elsewhere(
    run: Run, store: Store, gallery: Path, address: str
) -> None:
    steam = settings_for(store, pictures=f"{address}/banners")
    path = fetch_one(gallery, 10, steam, "vertical")
    assert path.read_bytes() == picture(10, 0)
    assert pictures(gallery) == {10: picture(10, 0)}
    with Gallery.open(gallery) as opened:
        assert [one.location.path for one in opened.banners.known()] == [None]
    assert prune(gallery).copies == 1
    assert not path.exists()


@pytest.mark.slow
def test_a_sync_to_a_bucket_that_is_killed_again_and_again_ends_as_an_undisturbed_one(
    gallery: Path, storage: ObjectStorage, address: str
) -> None:
    dice, kills = random.Random(5), 0
    with serving(Store.of(150, seed=2)) as store, faulty(storage, Faults(delay=0.02)) as url:
        storage_environment = {"AWS_ENDPOINT_URL": url}
        while True:
            process = start(gallery, store, "--pictures", f"{address}/banners", environ=storage_environment)
            before = commits(gallery)
            if kills < 4:
                while process.poll() is None and commits(gallery) <= before + (302 if not kills else 5):
                    time.sleep(0.01)
                time.sleep(dice.uniform(0, 0.2))
                process.send_signal(signal.SIGKILL)
            _, complaint = process.communicate(timeout=120)
            assert "Traceback" not in complaint
            if process.returncode == 0:
                break
            assert process.returncode == -signal.SIGKILL, complaint
            kills += 1
        assert kills == 4
        sent = sum(request.what == "picture" and request.answer == "ok" for request in store.log)
        assert sent <= 150 + kills * 6
        assert pictures(gallery) == of_store(store)
    assert {place.address for place in listed(address)} == {
        named(address, data) for data in of_store(store).values()
    }
    assert examine(gallery, deep=True) == []


@pytest.mark.slow
def test_the_command_takes_the_address_from_a_flag_and_from_the_settings(
    gallery: Path, store: Store, storage: ObjectStorage, address: str, tmp_path: Path
) -> None:
    def finished(*flags: str, **environ: str) -> tuple[int, str]:
        process = start(gallery, store, *flags, environ=environ)
        _, complaint = process.communicate(timeout=60)
        return process.returncode, complaint

    assert finished("10", "--pictures", f"{address}/a/") == (0, "")
    assert finished("20", STEAMDINO_STEAM_PICTURES=f"{address}/b") == (0, "")
    assert sorted(place.removeprefix(address)[:3] for place in stored(address)) == ["/a/", "/b/"]
    code, complaint = finished("--pictures", "banners")
    assert (code, complaint.count("\n")) == (2, 1)
    assert "--pictures is 'banners'; it must be an address like s3://bucket/banners, or empty" in complaint
    code, complaint = finished("--pictures", f"s3://key:{SECRET}@bucket/banners")
    assert (code, SECRET in complaint) == (2, False)
    code, complaint = finished("30", "--pictures", "s3://no-such-bucket/x")
    assert (code, complaint) == (
        1,
        "steam-dino: s3://no-such-bucket/x cannot be listed: the bucket does not exist\n",
    )
