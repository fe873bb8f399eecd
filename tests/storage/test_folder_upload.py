"""Folders in object storage: an upload replaces an older one, nothing else, and says when it is whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.object_storage import ObjectStorage

from steamdino.errors import NetworkError, UsageError
from steamdino.storage import object_files
from steamdino.storage.folder_upload import SUCCESS, check, upload

RECORD = "_record.json"


@pytest.fixture
def name(bucket: str) -> str:
    return bucket.removeprefix("s3://")


def folder_of(path: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    record = json.dumps({"files": {name: len(data) for name, data in files.items()}})
    (path / RECORD).write_text(record, "utf-8")
    return path


MANY = {f"part-{number}": b"%d" % number for number in range(4)} | {"data/deep/x": b"deep"}
FEW = {"part-0": b"new", "part-9": b"nine"}


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("prefix", ["", "/games", "/a/b"])
def test_an_upload_replaces_the_older_one_and_nothing_beside_it(
    object_storage: ObjectStorage, bucket: str, name: str, tmp_path: Path, prefix: str
) -> None:
    beside = {} if not prefix else {"gamesbeside/part-1": b"-", "a/c/part-1": b"-", "part-1": b"-"}
    for key, data in beside.items():
        object_storage.put(name, key, data)
    address = f"{bucket}{prefix}"
    for number, files in enumerate((MANY, FEW, MANY)):
        folder = folder_of(tmp_path / str(number), files)
        upload(folder, address, RECORD)
        record = (folder / RECORD).read_bytes()
        below = files | {RECORD: record, SUCCESS: b""}
        assert object_storage.content(name) == beside | {
            f"{prefix}/{key}".lstrip("/"): data for key, data in below.items()
        }


@pytest.mark.slow
def test_other_peoples_objects_are_refused_and_stay(
    object_storage: ObjectStorage, bucket: str, name: str, tmp_path: Path
) -> None:
    address, folder = f"{bucket}/games", folder_of(tmp_path / "few", FEW)
    for key, data in (("games/photo.jpg", b"-"), ("games/" + RECORD, b"[1]"), ("games/" + SUCCESS, b"")):
        object_storage.put(name, key, data)
        before = object_storage.content(name)
        for attempt in (lambda: check(address, RECORD), lambda: upload(folder, address, RECORD)):
            with pytest.raises(UsageError, match=r"holds other objects .* such as photo.jpg; remove them"):
                attempt()
        assert object_storage.content(name) == before
    object_storage.delete(name, "games/photo.jpg")
    upload(folder, address, RECORD)  # a record that names no files is nobody's
    object_storage.put(name, "games/mine.parquet", b"-")
    with pytest.raises(UsageError, match=r"such as mine.parquet"):
        upload(folder, address, RECORD)
    assert object_storage.content(name)["games/mine.parquet"] == b"-"


@pytest.mark.slow
def test_an_upload_that_stops_anywhere_is_never_taken_for_whole_and_the_next_one_completes_it(
    object_storage: ObjectStorage, bucket: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{bucket}/games"
    many, few = folder_of(tmp_path / "many", MANY), folder_of(tmp_path / "few", FEW)
    whole = [
        {f"games/{key}": data for key, data in files.items()}
        | {f"games/{RECORD}": (folder / RECORD).read_bytes(), f"games/{SUCCESS}": b""}
        for folder, files in ((many, MANY), (few, FEW))
    ]
    originals = {function: getattr(object_files, function) for function in ("write", "remove")}
    stops = 0
    while True:
        upload(many, address, RECORD)
        assert object_storage.content(name) == whole[0]
        calls = 0

        def counting(function: str, last: int) -> Callable[..., Any]:
            def call(*arguments: Any) -> Any:
                nonlocal calls
                calls += 1
                if calls > last:
                    raise NetworkError("the connection is lost")
                return originals[function](*arguments)

            return call

        for function in originals:
            monkeypatch.setattr(object_files, function, counting(function, stops))
        try:
            upload(few, address, RECORD)
            break
        except NetworkError:
            left = object_storage.content(name)
            assert (f"games/{SUCCESS}" in left) == (left == whole[0])
        finally:
            for function, original in originals.items():
                monkeypatch.setattr(object_files, function, original)
        upload(few, address, RECORD)
        assert object_storage.content(name) == whole[1]
        stops += 1
    assert stops == 2 + 1 + len(FEW) + 1
    assert object_storage.content(name) == whole[1]
