"""Pictures in object storage: added, encoded and searched like files; faults of the store cost nothing but time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.buckets import SECRET, banner, put
from tests.fakes.object_storage import Faults, ObjectStorage, faulty

from steamdino import Snapshot, add, build
from steamdino.errors import PictureError, SourceError, UsageError
from steamdino.pipeline.doctor import examine
from steamdino.storage import object_client, picture_limits
from steamdino.storage.object_store import StoredObject, listed
from steamdino.storage.picture_limits import PictureLimits


def test_the_bytes_and_their_mark_are_those_that_were_put(storage: ObjectStorage, address: str) -> None:
    put(storage, address, "a/cover.jpg", b"picture")
    place = StoredObject(f"{address}/a/cover.jpg")
    content, status = place.read(), place.status()
    assert (content.data, place.name, place.path) == (b"picture", "cover.jpg", None)
    assert (status.size, status.mtime_ns, status.ctime_ns) == (7, content.mtime_ns, content.ctime_ns)
    assert [one.listed for one in listed(address)] == [status]
    assert place.status() == status
    put(storage, address, "a/cover.jpg", b"another")
    assert place.status() != status


def test_what_is_missing_empty_or_too_large_is_a_picture_error_without_the_place(
    storage: ObjectStorage, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_limits, "_limits", PictureLimits(file=1000))
    put(storage, address, "empty", b"")
    put(storage, address, "larger", bytes(1001))
    put(storage, address, "largest", bytes(1000))
    assert len(StoredObject(f"{address}/largest").read().data) == 1000
    attempts = [
        (StoredObject(f"{address}/nowhere").read, "does not exist"),
        (StoredObject(f"{address}/nowhere").status, "does not exist"),
        (StoredObject(f"{address}/empty").read, "is empty"),
        (StoredObject(f"{address}/larger").read, "it has 1,001 bytes; at most 1,000 are read"),
    ]
    for attempt, reason in attempts:
        with pytest.raises(PictureError, match=reason) as caught:
            attempt()
        assert address not in str(caught.value)


ODD = ["a b.jpg", "ü é.jpg", "100%25.jpg", "100%.jpg", "q?x#y&z+1.jpg", "東京.jpg", "~t'(1)!*.jpg", "{x}.jpg"]


def test_keys_are_taken_as_they_are(storage: ObjectStorage, address: str) -> None:
    for key in ODD:
        put(storage, address, key, key.encode())
    found = {place.address: place.read().data.decode() for place in listed(address)}
    assert found == {f"{address}/{key}": key for key in ODD}


@pytest.mark.slow
def test_a_prefix_is_added_built_and_searched_like_a_folder(
    storage: ObjectStorage, address: str, tmp_path: Path
) -> None:
    pictures = {f"covers/{'deep/' * (n % 2)}{n}.png": banner(n) for n in range(6)}
    others = {
        "covers/notes.txt": b"-",
        "covers/.hidden/a.png": b"-",
        "covers/Thumbs.db": b"-",
        "covers/x.nef": b"-",
    }
    for key, data in (pictures | others | {"coversbeside/7.png": banner(7)}).items():
        put(storage, address, key, data)
    summary = add(tmp_path / "s3", f"{address}/covers/")
    assert (summary.new, summary.problems, summary.source) == (6, (), "covers")
    assert (dict(summary.skipped.junk), summary.skipped.unread.total()) == ({"Thumbs.db": 1}, 1)
    assert add(tmp_path / "s3", f"{address}/covers").unchanged == 6
    for key, data in pictures.items():
        file = tmp_path / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    add(tmp_path / "files", tmp_path / "covers")
    matches = []
    for gallery in ("s3", "files"):
        assert build(tmp_path / gallery).games == 6
        snapshot = Snapshot.open(tmp_path / gallery)
        matches.append([(one.id, one.similarity) for one in snapshot.similar("deep/3", 5)])
    assert matches[0] == matches[1]
    assert Snapshot.open(tmp_path / "s3").similar("deep/3", 2, mirror=True)  # the object is read and encoded
    assert examine(tmp_path / "s3", deep=True) == []


@pytest.mark.slow
def test_pages_explanations_and_maps_show_the_pictures_of_objects(
    storage: ObjectStorage, address: str, tmp_path: Path, run: Callable[..., Any]
) -> None:
    for n in range(12):
        put(storage, address, f"{n}.png", banner(n % 11))  # the last one is a copy
    gallery = tmp_path / "g"
    add(gallery, address)
    build(gallery)
    for command in (
        ("export", "html", "3", "-o", tmp_path / "matches.html"),
        ("duplicates", "--html", tmp_path / "duplicates"),
        ("check", "--html", tmp_path / "flaws.html"),
        ("export", "site", "-o", tmp_path / "site"),
        ("unique", "--html", tmp_path / "unique.html"),
        ("explain", "3", "4", "-o", tmp_path / "why.png"),
    ):
        done = run(*command, "-g", gallery)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "matches.html").read_text("utf-8").count('<img src="data:image/') == 11
    assert (tmp_path / "flaws.html").read_text("utf-8").count('<img src="data:image/') >= 1
    assert (tmp_path / "unique.html").read_text("utf-8").count('<img src="data:image/') >= 12
    assert len(list((tmp_path / "site").rglob("*.jpg"))) == 11
    assert len(list((tmp_path / "duplicates").rglob("*.jpg"))) == 1


def test_what_changes_or_vanishes_is_seen_by_its_etag(
    storage: ObjectStorage, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(5):
        put(storage, address, f"{n}.png", banner(n))
    add(tmp_path / "g", address)
    reads: list[str] = []
    read = StoredObject.read
    monkeypatch.setattr(StoredObject, "read", lambda self: (reads.append(self.address), read(self))[1])
    put(storage, address, "1.png", banner(9))
    put(storage, address, "2.png", banner(2))  # the same content, later
    storage.delete(address.removeprefix("s3://"), "4.png")
    summary = add(tmp_path / "g", address)
    assert (summary.changed, summary.unchanged, summary.gone) == (1, 3, 1)
    assert reads == [f"{address}/1.png"]


def test_what_is_unchanged_is_asked_for_once_and_not_read(
    storage: ObjectStorage, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = ["id,path"]
    for n in range(3):
        put(storage, address, f"{n}.png", banner(n))
        rows.append(f"{n},{address}/{n}.png")
    _write(tmp_path / "games.csv", "\n".join(rows).encode())
    add(tmp_path / "listed", address, copy=True)
    add(tmp_path / "named", tmp_path / "games.csv")
    with faulty(storage, faults := Faults()) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        object_client.client.cache_clear()
        assert add(tmp_path / "listed", address, copy=True).unchanged == 3
        assert faults.requests == 1
        assert add(tmp_path / "named", tmp_path / "games.csv").unchanged == 3
        assert faults.requests == 1 + 3


def test_copies_of_objects_stay_when_the_bucket_is_gone(
    storage: ObjectStorage, address: str, tmp_path: Path
) -> None:
    put(storage, address, "a.png", banner(1))
    put(storage, address, "b.png", banner(2))
    add(tmp_path / "g", address, copy=True)
    for name in "ab":
        storage.delete(address.removeprefix("s3://"), f"{name}.png")
    assert build(tmp_path / "g").games == 2


def test_patterns_hold_in_a_bucket_as_in_a_folder(
    storage: ObjectStorage, address: str, tmp_path: Path
) -> None:
    keys = ["a.png", "old/b.png", "old/keep/c.png", "raw/d.png", "raw/e.png", "x/raw/f.png"]
    for n, key in enumerate(keys):
        for target in (
            lambda d, k=key: put(storage, address, k, d),
            lambda d, k=key: _write(tmp_path / "f" / k, d),
        ):
            target(banner(n))
    for key, text in {".steamdinoignore": "/raw/*\n!/raw/e.png\n", "old/.steamdinoignore": "b.png\n"}.items():
        put(storage, address, key, text.encode())
        _write(tmp_path / "f" / key, text.encode())
    ids = []
    for source in (address, tmp_path / "f"):
        gallery = tmp_path / f"g{len(ids)}"
        add(gallery, source, exclude=["keep/"])
        build(gallery)
        ids.append(
            sorted(game.id for game in Snapshot.open(gallery).games(range(len(Snapshot.open(gallery)))))
        )
    assert ids[0] == ids[1] == ["a", "raw/e", "x/raw/f"]


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["slow down", "reset", "truncate"])
def test_transient_faults_of_the_store_change_nothing(
    storage: ObjectStorage, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    for n in range(8):
        put(storage, address, f"{n}.png", banner(n))
    faults = Faults(dict.fromkeys((0, 2, 5, 9, 14), fault), delay=0.01)
    if fault == "truncate":
        faults.planned.pop(0)  # obstore parses a listing as a whole; what is cut there is an error at once
    with faulty(storage, faults) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        object_client.client.cache_clear()
        summary = add(tmp_path / "g", address)
        assert (summary.new, summary.problems) == (8, ())
        assert build(tmp_path / "g").games == 8
    assert faults.requests > 20


@pytest.mark.slow
def test_a_store_that_keeps_breaking_off_is_a_problem_of_each_picture(
    storage: ObjectStorage, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(storage, address, "a.png", banner(1))
    monkeypatch.setattr(object_client, "PAUSE", 0.0)
    with faulty(storage, Faults(dict.fromkeys(range(1, 1000), "truncate"))) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        object_client.client.cache_clear()
        (problem,) = add(tmp_path / "g", address).problems
    assert "the object store does not answer" in problem.reason or "breaks off" in problem.reason


def test_errors_name_the_bucket_and_no_secret(
    storage: ObjectStorage, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(storage, address, "a//b.png", banner(1))
    attempts: list[tuple[str, type[Exception], str]] = [
        (
            "s3://there-is-no-such-bucket",
            SourceError,
            "^s3://there-is-no-such-bucket cannot be listed: the bucket does",
        ),
        (f"{address}/nothing", UsageError, "there is nothing below .*/nothing; name a bucket or a prefix"),
        (address, SourceError, 'a key has an empty part, or one of dots: .*"a//b.png".*; rename that object'),
    ]
    for source, error, told in attempts:
        with pytest.raises(error, match=told) as caught:
            add(tmp_path / "g", source)
        assert SECRET not in str(caught.value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(object_client, "RETRIES", 0)
    object_client.client.cache_clear()
    with pytest.raises(SourceError, match="the object store does not answer; check the endpoint") as caught:
        add(tmp_path / "g", address)
    assert SECRET not in str(caught.value)
    assert not (tmp_path / "g").exists()


def test_the_command_line_adds_a_prefix_and_shows_its_address(
    storage: ObjectStorage, address: str, tmp_path: Path, run: Callable[..., Any]
) -> None:
    for n in range(3):
        put(storage, address, f"covers/{n}.png", banner(n))
    added = run("add", f"{address}/covers", "-g", tmp_path / "g")
    assert (added.returncode, added.stdout.split(",")[0]) == (0, "covers: 3 new")
    info = json.loads(run("info", "-g", tmp_path / "g", "--json").stdout)
    assert [(one["kind"], one["location"]) for one in info["sources"]] == [("objects", f"{address}/covers")]
    assert SECRET.encode() not in b"".join(
        path.read_bytes() for path in (tmp_path / "g").iterdir() if path.is_file()
    )
