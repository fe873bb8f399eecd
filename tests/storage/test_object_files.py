"""Objects are downloaded in parts, each tried again by itself."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fakes.buckets import SECRET, put
from tests.fakes.object_storage import Faults, ObjectStorage, faulty

from steamdino.errors import NetworkError
from steamdino.storage import object_client, object_files
from steamdino.storage.object_files import described, download


def fetch(address: str, path: Path) -> None:
    total, version = described(address)
    download(address, path, total, version=version)


def through(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setattr(object_client, "PAUSE", 0.0)
    object_client.client.cache_clear()


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(data=st.binary(max_size=64), part=st.integers(1, 20))
def test_a_file_has_the_bytes_of_its_object_whatever_the_parts(
    storage: ObjectStorage,
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    data: bytes,
    part: int,
) -> None:
    monkeypatch.setattr(object_files, "RANGE", part)
    put(storage, address, "x", data)
    seen: list[int] = []
    total, version = described(f"{address}/x")
    download(f"{address}/x", tmp_path / "x", total, seen.append, version=version)
    assert (tmp_path / "x").read_bytes() == data
    assert (len(seen), sum(seen)) == (-(-len(data) // part), total)


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("own", [0, 6], ids=["obstore repeats nothing", "obstore repeats"])
@pytest.mark.parametrize("fault", ["slow down", "reset", "truncate"])
def test_a_part_whose_transfer_breaks_off_is_read_again(
    storage: ObjectStorage,
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    own: int,
) -> None:
    monkeypatch.setattr(object_client, "RETRIES", own)
    data = bytes(range(256)) * 100
    put(storage, address, "x", data)
    monkeypatch.setattr(object_files, "RANGE", 5000)
    with faulty(storage, faults := Faults(dict.fromkeys((1, 3, 6), fault))) as url:
        through(url, monkeypatch)
        fetch(f"{address}/x", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == data
    assert faults.requests == 1 + 6 + 3


def test_a_part_that_is_too_short_is_read_again(
    storage: ObjectStorage, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import obstore

    put(storage, address, "x", b"picture")
    get = obstore.get
    asked: list[object] = []

    def short(*arguments: Any, **options: Any) -> Any:
        asked.append(arguments)
        found = get(*arguments, **options)
        return SimpleNamespace(bytes=lambda: b"pic") if len(asked) == 1 else found

    monkeypatch.setattr(obstore, "get", short)
    fetch(f"{address}/x", tmp_path / "x")
    assert ((tmp_path / "x").read_bytes(), len(asked)) == (b"picture", 2)


def test_an_object_that_changes_meanwhile_is_not_mixed_of_two_versions(
    storage: ObjectStorage, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import obstore

    put(storage, address, "x", bytes(100))
    monkeypatch.setattr(object_files, "RANGE", 10)
    get = obstore.get
    asked: list[object] = []

    def change(*arguments: Any, **options: Any) -> Any:
        asked.append(arguments)
        if len(asked) == 4:
            put(storage, address, "x", b"\1" * 100)
        return get(*arguments, **options)

    monkeypatch.setattr(obstore, "get", change)
    with pytest.raises(NetworkError, match=f"^{address}/x cannot be read: it changed meanwhile; run"):
        fetch(f"{address}/x", tmp_path / "x")


@pytest.mark.slow
def test_an_error_names_the_object_and_the_reason_and_no_secret(
    storage: ObjectStorage, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(storage, address, "x", bytes(100))
    with pytest.raises(NetworkError, match=f"^{address}/y cannot be read: the object does not exist$"):
        fetch(f"{address}/y", tmp_path / "y")
    with faulty(storage, Faults(dict.fromkeys(range(1, 1000), "truncate"))) as url:
        through(url, monkeypatch)
        with pytest.raises(NetworkError, match=f"^{address}/x cannot be read: ") as caught:
            fetch(f"{address}/x", tmp_path / "x")
    assert SECRET not in str(caught.value)
