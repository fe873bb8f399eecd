"""A gallery in object storage: what is published is what is found, whole, and refused by name where it is damaged."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.fakes.object_storage import Faults, ObjectStorage, faulty
from tests.fakes.snapshots import clustered, gallery_of

from steamdino import Snapshot
from steamdino.errors import NetworkError, NoGalleryError, NoSnapshotError, SnapshotError, UsageError
from steamdino.features.recipe_parser import named
from steamdino.gallery.vectors import Absent, Row
from steamdino.index.published_cache import PublishedCache, published_urls
from steamdino.index.published_gallery import CONTENTS, UNUSED, PublishedGallery, is_own
from steamdino.index.snapshot_removal import prune
from steamdino.index.snapshot_writer import write
from steamdino.pipeline.publish import publish
from steamdino.pipeline.unused_objects import remove_unused
from steamdino.records import Game
from steamdino.storage import object_client, object_files


def objects(address: str) -> dict[str, bytes]:
    return {key: object_files.read(f"{address}/{key}") or b"" for key, _ in object_files.sizes(address)}


def image_file(game: Game) -> Path:
    assert game.location is not None
    assert game.location.path is not None
    return game.location.path


def elsewhere(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """From now on this is a machine without a local copy."""
    monkeypatch.setenv("STEAMDINO_CACHE", str(folder))


@pytest.mark.slow
def test_the_games_and_pictures_that_are_found_are_those_of_the_gallery(
    built: Path, bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copytree(built.parent, tmp_path / "a folder of mine")
    gallery = tmp_path / "a folder of mine" / "gallery"
    summary = publish(gallery, f"{bucket}/store")
    expected = Snapshot.open(gallery)
    assert (summary.games, summary.lacking) == (len(expected), 0)

    found = Snapshot.open(f"{bucket}/store")
    assert found.ids == expected.ids
    assert np.array_equal(found.vectors, expected.vectors)
    assert found.recipe == expected.recipe
    for game_id in expected.ids[::20]:
        assert [(m.game.id, m.similarity) for m in found.similar(game_id)] == [
            (m.game.id, m.similarity) for m in expected.similar(game_id)
        ]
    for game in found.games(range(len(found))):
        assert game.location is not None
        assert game.location.read().sha256 == game.sha256
    assert not any(b"a folder of mine" in data for data in objects(f"{bucket}/store").values())


@pytest.mark.slow
def test_what_is_there_is_not_uploaded_again(built: Path, bucket: str, tmp_path: Path) -> None:
    sent = publish(built, bucket).sent
    before = objects(bucket)
    assert sent == sum(len(data) for key, data in before.items() if key != CONTENTS)
    assert publish(built, bucket).sent == 0
    assert objects(bucket) == before
    assert publish(built, bucket, anew=True).sent == sent
    assert objects(bucket) == before


def test_pictures_in_object_storage_stay_where_they_are_and_others_can_stay_at_home(
    built: Path, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from steamdino import add, build

    picture = image_file(Snapshot.open(built).game("neonoir"))
    object_files.write(f"{bucket}/covers/stored.png", picture.read_bytes())
    shutil.copy(picture, tmp_path / "mine.png")
    tmp_path.joinpath("t.jsonl").write_text(
        json.dumps({"id": "a", "name": "A", "path": f"{bucket}/covers/stored.png"})
        + "\n"
        + json.dumps({"id": "b", "name": "B", "path": "mine.png"})
    )
    assert add(tmp_path / "g", tmp_path / "t.jsonl").problems == ()
    build(tmp_path / "g")
    publish(tmp_path / "g", f"{bucket}/store", pictures=False)
    a, b = Snapshot.open(f"{bucket}/store").games([0, 1])
    assert a.location is not None
    assert a.location.address == f"{bucket}/covers/stored.png"
    assert b.location is None
    assert not [key for key in objects(f"{bucket}/store") if key.startswith("banners/")]


def test_a_picture_that_changed_after_the_build_is_not_published_as_the_one_before(
    tmp_path: Path, bucket: str, fictional_store: tuple[Path, Any]
) -> None:
    from steamdino import add, build

    pictures = sorted(fictional_store[0].glob("**/*.jpg"))[:3]
    tmp_path.joinpath("covers").mkdir()
    for picture in pictures:
        shutil.copy(picture, tmp_path / "covers")
    add(tmp_path / "g", tmp_path / "covers")
    build(tmp_path / "g")
    tmp_path.joinpath("covers", pictures[0].name).write_bytes(pictures[1].read_bytes())
    tmp_path.joinpath("covers", pictures[2].name).unlink()
    assert publish(tmp_path / "g", bucket).lacking == 2
    keys = [key for key in objects(bucket) if key.startswith("banners/")]
    assert keys == [f"banners/{(d := hashlib.sha256(pictures[1].read_bytes()).hexdigest())[:2]}/{d}.jpg"]


def test_reasons_that_name_a_path_of_this_machine_are_not_published(tmp_path: Path, bucket: str) -> None:
    vectors = clustered(2)
    rows = [Row(f"g{n}", "G", "s", None, "/home/someone/x.jpg", f"{n:064x}", "{}") for n in range(2)]
    recipe = replace(named("bundled"), dim=8)
    absent = [Absent("lost", "Lost", "/home/someone/lost.jpg: it is empty")]
    write(tmp_path / "g" / "snapshots" / recipe.hash, recipe, 1, rows, absent, vectors, {"f32": 2})
    publish(tmp_path / "g", bucket)
    assert not any(b"someone" in data for data in objects(bucket).values())


def test_urls_of_steams_pictures_are_published_with_the_snapshots(tmp_path: Path, bucket: str) -> None:
    gallery = gallery_of(tmp_path / "g", "one")
    urls = {"vertical": {"730": "https://shared.example.com/730.jpg"}, "hero": {}}
    for given in (urls, {"vertical": {"10": "https://shared.example.com/10.jpg"}}, {}):
        publish(gallery, bucket, urls=given)
        cache = PublishedCache(bucket)
        cache.update()
        assert published_urls(cache.folder, "vertical") == given.get("vertical", {})
        assert published_urls(cache.folder, "hero") == {}


def damaged(data: bytes) -> bytes:
    return data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize(
    ("harm", "told"),
    [(damaged, "is damaged"), (lambda data: data[:-1], "should"), (lambda data: None, "is missing")],
    ids=["one bit is wrong", "cut off", "missing"],
)
def test_an_object_that_is_damaged_is_refused_by_name_and_what_was_there_before_stays(
    harm: Callable[[bytes], bytes | None],
    told: str,
    tmp_path: Path,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gallery = gallery_of(tmp_path / "g", "before")
    publish(gallery, bucket)
    elsewhere(monkeypatch, tmp_path / "old")
    Snapshot.open(bucket)
    before = objects(bucket)
    publish(gallery_of(gallery, "after", 30), bucket)
    new = {key: data for key, data in objects(bucket).items() if before.get(key) != data}
    assert {key.rpartition("/")[2] for key in new} >= {
        "manifest.json",
        "vectors.npy",
        "games.sqlite",
        CONTENTS,
    }

    for number, (key, data) in enumerate(new.items()):
        if key in (CONTENTS, UNUSED):
            continue
        spoilt = harm(data)
        if spoilt is None:
            object_files.remove(bucket, [key])
        else:
            object_files.write(f"{bucket}/{key}", spoilt)
        shutil.copytree(tmp_path / "old", tmp_path / f"old {number}")
        for folder, is_empty in ((f"old {number}", False), (f"new {number}", True)):
            elsewhere(monkeypatch, tmp_path / folder)
            with pytest.raises(SnapshotError) as error:
                Snapshot.open(bucket)
            assert str(error.value).startswith(f"{bucket}/{key} ")
            assert told in str(error.value) or "is damaged" in str(error.value)
            assert "publish --anew" in str(error.value)
            assert PublishedCache(bucket).is_empty == is_empty
        elsewhere(monkeypatch, tmp_path / f"old {number}")
        assert Snapshot.open(PublishedCache(bucket).folder).games([0])[0].name == "before"
        object_files.write(f"{bucket}/{key}", data)
        assert Snapshot.open(bucket).games([0])[0].name == "after"


def test_publishing_anew_mends_what_is_damaged(
    tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = gallery_of(tmp_path / "g", "one")
    publish(gallery, bucket)
    key = next(key for key in objects(bucket) if key.endswith("vectors.npy"))
    object_files.write(f"{bucket}/{key}", damaged(object_files.read(f"{bucket}/{key}") or b""))
    with pytest.raises(SnapshotError, match="vectors.npy is damaged"):
        Snapshot.open(bucket)
    publish(gallery, bucket, anew=True)
    assert len(Snapshot.open(bucket)) == 20


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": 1, "snapshots": [{"home": "../../x", "manifest": "' + "0" * 64 + '"}], "urls": {}}',
        '{"format": 1, "snapshots": [{"home": "0123456789ab", "manifest": "../../x"}], "urls": {}}',
        '{"format": 1, "snapshots": [{"home": 3, "manifest": null}], "urls": {}}',
        '{"format": 1, "snapshots": [], "urls": {"../x": "' + "0" * 64 + '"}}',
        '{"format": 1, "snapshots": [], "urls": {"hero": "../x"}}',
        '{"format": "1", "snapshots": [], "urls": {}}',
    ],
)
def test_contents_that_are_not_ours_are_refused_and_nothing_is_written(
    text: str, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(monkeypatch, tmp_path / "cache")
    object_files.write(f"{bucket}/{CONTENTS}", text.encode())
    with pytest.raises(SnapshotError, match=f"{bucket}/{CONTENTS} is damaged"):
        Snapshot.open(bucket)
    assert not (tmp_path / "cache").exists()


def test_a_manifest_that_names_a_file_elsewhere_is_refused(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(gallery_of(tmp_path / "g", "one"), bucket)
    (one,) = PublishedGallery.from_json(object_files.read(f"{bucket}/{CONTENTS}") or b"", "").snapshots
    manifest = json.loads(object_files.read(f"{bucket}/{one.folder}/manifest.json") or b"")
    manifest["files"]["../../../../vectors.npy"] = manifest["files"]["vectors.npy"]
    data = json.dumps(manifest).encode()
    hostile = replace(one, manifest=hashlib.sha256(data).hexdigest())
    object_files.write(f"{bucket}/{hostile.folder}/manifest.json", data)
    object_files.write(f"{bucket}/{CONTENTS}", PublishedGallery((hostile,), {}).to_json())
    elsewhere(monkeypatch, tmp_path / "cache")
    with pytest.raises(SnapshotError, match="manifest.json is damaged"):
        Snapshot.open(bucket)
    assert not list(tmp_path.glob("cache/**/*.npy"))


def test_a_newer_format_says_what_to_do(bucket: str) -> None:
    object_files.write(f"{bucket}/{CONTENTS}", b'{"format": 2}')
    with pytest.raises(SnapshotError, match=r"published.json: its format is 2; upgrade steam-dino"):
        Snapshot.open(bucket)


def test_what_cannot_be_published_or_found_is_told(tmp_path: Path, bucket: str) -> None:
    gallery = gallery_of(tmp_path / "g", "one")
    with pytest.raises(UsageError, match="'bucket/store' is not an address of object storage"):
        publish(gallery, "bucket/store")
    with pytest.raises(NoSnapshotError, match="there is no gallery in"):
        publish(tmp_path / "none", bucket)
    with pytest.raises(NetworkError, match=r"s3://nobodys-bucket/x cannot be listed: it does not exist"):
        publish(gallery, "s3://nobodys-bucket/x")
    with pytest.raises(NoGalleryError, match=f"nothing is published at {bucket}/x; publish a gallery with"):
        Snapshot.open(f"{bucket}/x/")
    object_files.write(f"{bucket}/covers/a.jpg", b"mine")
    with pytest.raises(
        UsageError, match=r"holds other objects, such as covers/a.jpg; name a prefix of its own"
    ):
        publish(gallery, bucket)
    assert objects(bucket) == {"covers/a.jpg": b"mine"}


def test_a_prefix_that_begins_alike_is_another_gallery(tmp_path: Path, bucket: str) -> None:
    publish(gallery_of(tmp_path / "a", "one"), f"{bucket}/store")
    publish(gallery_of(tmp_path / "b", "two", 30), f"{bucket}/store-2", grace=timedelta(0))
    publish(gallery_of(tmp_path / "a", "three", 25), f"{bucket}/store", grace=timedelta(0))
    names = [Snapshot.open(f"{bucket}/{key}").games([0])[0].name for key in ("store", "store-2")]
    assert names == ["three", "two"]


def test_recipes_that_are_published_no_more_are_forgotten_and_what_is_open_stays_open(
    tmp_path: Path, bucket: str
) -> None:
    gallery = gallery_of(tmp_path / "g", "one")
    gallery_of(gallery, "other", recipe="an-experiment")
    publish(gallery, bucket)
    experiment = Snapshot.open(bucket, "an-experiment")
    shutil.rmtree(experiment_folder := gallery / "snapshots" / experiment.recipe.hash)
    assert not experiment_folder.exists()
    publish(gallery, bucket)
    assert Snapshot.open(bucket).recipe.name == "bundled"
    with pytest.raises(
        NoSnapshotError, match=r"no snapshot under the recipe 'an-experiment'.*built are: bundled"
    ):
        Snapshot.open(bucket, "an-experiment")
    assert experiment.games([0])[0].name == "other"


def test_an_older_snapshot_can_be_published_again(tmp_path: Path, bucket: str) -> None:
    old = gallery_of(tmp_path / "g", "old")
    shutil.copytree(old, tmp_path / "kept")
    publish(gallery_of(old, "new", 25), bucket)
    assert Snapshot.open(bucket).games([0])[0].name == "new"
    publish(tmp_path / "kept", bucket)
    assert Snapshot.open(bucket).games([0])[0].name == "old"


NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def test_what_is_shown_no_more_goes_when_its_grace_is_over_and_nothing_else_does(bucket: str) -> None:
    snapshot, picture = f"snapshots/{'a' * 12}/{'0' * 16}/vectors.npy", f"banners/ab/{'ab' * 32}.jpg"
    others = ["covers/a.jpg", "banners/mine.jpg", "snapshots/notes.txt", CONTENTS, f"x/{picture}"]
    for key in (snapshot, picture, *others):
        object_files.write(f"{bucket}/{key}", b"x")
    grace = timedelta(hours=2)

    def sweep(hours: float, *shown: str) -> int:
        present = [key for key, _ in object_files.sizes(bucket)]
        return remove_unused(bucket, present, shown, grace, NOW + timedelta(hours=hours))

    assert sweep(0, snapshot) == 0
    assert sweep(1, picture) == 0  # the picture is shown again, and the snapshot since now no more
    assert sweep(2.5) == 0
    assert sweep(3) == 1
    assert snapshot not in objects(bucket)
    assert sweep(4.4) == 0
    assert sweep(4.5) == 1
    assert {*objects(bucket)} == {*others, UNUSED}
    assert json.loads(objects(bucket)[UNUSED]) == {}


def test_damaged_notes_of_what_is_unused_begin_the_grace_anew(bucket: str) -> None:
    picture = f"banners/ab/{'ab' * 32}.jpg"
    object_files.write(f"{bucket}/{picture}", b"x")
    for notes in (b"", b"[]", b'{"%s": 3}' % picture.encode(), b'{"%s": "never"}' % picture.encode()):
        object_files.write(f"{bucket}/{UNUSED}", notes)
        assert remove_unused(bucket, [picture], (), timedelta(hours=1), NOW) == 0
    assert remove_unused(bucket, [picture], (), timedelta(hours=1), NOW + timedelta(hours=1)) == 1


def test_a_download_that_ends_early_is_continued(
    tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(gallery_of(tmp_path / "g", "one"), bucket)
    fetched: list[str] = []
    download = object_files.download

    def interrupted(address: str, *rest: Any) -> None:
        fetched.append(address.rpartition("/")[2])
        download(address, *rest)
        if len(fetched) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(object_files, "download", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Snapshot.open(bucket)
    assert PublishedCache(bucket).is_empty
    assert len(Snapshot.open(bucket)) == 20
    assert len(fetched) == len(set(fetched))


def test_two_processes_download_a_snapshot_once(
    tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    publish(gallery_of(tmp_path / "g", "one"), bucket)
    download, fetched = object_files.download, []

    def counted(address: str, *rest: Any) -> None:
        fetched.append(address)
        download(address, *rest)

    monkeypatch.setattr(object_files, "download", counted)
    with ThreadPoolExecutor(4) as pool:  # file locks of one process exclude each other as those of several do
        assert [len(one) for one in pool.map(lambda _: Snapshot.open(bucket), range(4))] == [20] * 4
    assert len(fetched) == len(set(fetched))


@pytest.mark.slow
def test_a_store_that_slows_down_resets_and_truncates_costs_time_only(
    tmp_path: Path, bucket: str, object_storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(gallery_of(tmp_path / "g", "one", 3000), bucket)
    monkeypatch.setattr(object_files, "RANGE", 20_000)
    monkeypatch.setattr(object_client, "PAUSE", 0.0)
    kinds = ("slow down", "reset", "truncate")
    faults = Faults({n: kinds[n // 4 % 3] for n in range(0, 200, 4)})
    with faulty(object_storage, faults) as url:
        for name, value in object_storage.environment(url).items():
            monkeypatch.setenv(name, value)
        object_client.client.cache_clear()
        found = Snapshot.open(bucket)
    assert len(found) == 3000
    assert faults.requests > 20
    assert np.array_equal(found.vectors, Snapshot.open(tmp_path / "g").vectors)


class Publishing(RuleBasedStateMachine):
    """A gallery changes, is published and is killed while it is; a reader sees whole publications, the last one."""

    @initialize()
    def begin(self) -> None:
        from obstore.store import MemoryStore

        self.folder = TemporaryDirectory()
        self.gallery = Path(self.folder.name, "g")
        self.store = MemoryStore()
        self.patches = [
            mock.patch.object(object_files, "client", lambda _: self.store),
            mock.patch.dict("os.environ", {"STEAMDINO_CACHE": self.folder.name + "/cache"}),
        ]
        for patch in self.patches:
            patch.start()
        self.versions = 0
        self.shown: str | None = None
        self.change(12)

    @rule(games=st.integers(1, 20))
    def change(self, games: int) -> None:
        self.versions += 1
        gallery_of(self.gallery, f"version {self.versions}", games, seed=self.versions)
        for home in self.gallery.glob("snapshots/*"):
            prune(home)

    @rule(grace=st.sampled_from([0, 1]), anew=st.booleans())
    def publish(self, grace: int, anew: bool) -> None:
        publish(self.gallery, "s3://memory/store", grace=timedelta(days=grace), anew=anew)
        self.shown = f"version {self.versions}"

    @rule(writes=st.integers(0, 6))
    def publish_and_be_killed(self, writes: int) -> None:
        left = iter(range(writes))
        write = object_files.write

        def some(address: str, *rest: Any) -> None:
            if next(left, None) is None:
                raise KeyboardInterrupt
            write(address, *rest)
            if address.endswith(CONTENTS):
                self.shown = f"version {self.versions}"

        with mock.patch.object(object_files, "write", some), suppress(KeyboardInterrupt):
            publish(self.gallery, "s3://memory/store", grace=timedelta(0))

    def published(self) -> PublishedGallery:
        return PublishedGallery.from_json(object_files.read(f"s3://memory/store/{CONTENTS}") or b"", CONTENTS)

    @rule()
    def move_to_another_machine(self) -> None:
        shutil.rmtree(self.folder.name + "/cache", ignore_errors=True)

    @invariant()
    def a_reader_sees_the_last_publication(self) -> None:
        if not hasattr(self, "shown"):
            return
        if self.shown is None:
            with pytest.raises(NoGalleryError):
                Snapshot.open("s3://memory/store")
            return
        snapshot = Snapshot.open("s3://memory/store")
        assert {game.name for game in snapshot.games(range(len(snapshot)))} == {self.shown}
        assert len(snapshot.vectors) == len(snapshot)
        keys = {key for key, _ in object_files.sizes("s3://memory/store")}
        assert all(is_own(key) or key in (CONTENTS, UNUSED) for key in keys)
        assert {f"{one.folder}/manifest.json" for one in self.published().snapshots} <= keys

    def teardown(self) -> None:
        for patch in getattr(self, "patches", ()):
            patch.stop()
        if hasattr(self, "folder"):
            self.folder.cleanup()


@pytest.fixture(scope="module", autouse=True)
def _library() -> Iterator[None]:
    pytest.importorskip("obstore", reason="needs the extra objects")
    yield


TestPublishing = pytest.mark.slow(Publishing.TestCase)
TestPublishing.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
