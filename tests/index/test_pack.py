from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino import Snapshot
from steamdino.errors import OutputError, SnapshotError


@pytest.fixture(scope="module")
def packed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pack") / "store.steamdino"
    Snapshot.open(built).pack(path)
    return path


def test_a_packed_snapshot_answers_as_the_original(packed: Path, built: Path) -> None:
    original, copy = Snapshot.open(built), Snapshot.open(packed)
    assert copy.ids == original.ids
    assert copy.recipe == original.recipe
    assert copy.recipe.name == "bundled"
    np.testing.assert_allclose(copy.vectors, original.vectors, atol=1e-7)
    for game_id in (original.ids[0], "1984", "stromkeep"):
        theirs, ours = original.similar(game_id), copy.similar(game_id)
        assert ours.ids == theirs.ids
        assert [m.game.columns for m in ours] == [m.game.columns for m in theirs]
        assert [m.identical for m in ours] == [m.identical for m in theirs]


def test_it_tells_nothing_about_the_machine_it_comes_from(packed: Path, built: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    for part in (str(built), "banners/", str(Path.home())):
        assert part.encode() not in content
    assert Snapshot.open(packed).game(Snapshot.open(packed).ids[0]).picture is None


def test_a_game_without_a_vector_still_says_why(packed: Path) -> None:
    with pytest.raises(Exception, match="cannot be compared"):
        Snapshot.open(packed).similar(next(iter(_absent(packed))))


def _absent(packed: Path) -> list[str]:
    with zipfile.ZipFile(packed) as archive:
        return [json.loads(line)["name"] for line in archive.read("absent.jsonl").splitlines()]


def _changed(packed: Path, target: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.namelist():
            data = old.read(member)
            new.writestr(member, change(data) if member == name else data)
    return target


def _row(**change: object) -> Callable[[bytes], bytes]:
    def edit(data: bytes) -> bytes:
        first, *rest = data.splitlines()
        return b"\n".join([json.dumps({**json.loads(first), **change}).encode(), *rest]) + b"\n"

    return edit


def _pickled(_: bytes) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([print], dtype=object), allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("games.jsonl", _row(id="line\nbreak")),
        ("games.jsonl", _row(id="")),
        ("games.jsonl", _row(id=7)),
        ("games.jsonl", _row(name=None)),
        ("games.jsonl", _row(url="javascript:alert(1)")),
        ("games.jsonl", _row(columns="[]")),
        ("games.jsonl", _row(columns="{")),
        ("games.jsonl", _row(more="x")),
        ("games.jsonl", lambda data: data[:-1]),
        ("games.jsonl", lambda data: data + data.splitlines()[0] + b"\n"),
        ("games.jsonl", lambda data: b'{"id": "' + b"x" * (5 << 20) + b'"}\n'),
        ("vectors.npy", _pickled),
        ("vectors.npy", lambda data: data[:-7]),
        ("vectors.npy", lambda data: data[:-4] + b"\xff\xff\xff\xff"),
        ("vectors.npy", lambda data: data[:-400] + b"\0" * 400),
        ("manifest.json", lambda _: b"{}"),
        ("manifest.json", lambda _: b"[]"),
        ("manifest.json", lambda data: data.replace(b'"dim": 512', b'"dim": 1000000000')),
        ("manifest.json", lambda data: data.replace(b'"format": 1', b'"format": 99')),
        ("absent.jsonl", lambda _: b"null\n"),
    ],
)
def test_a_strangers_file_is_checked(
    name: str, change: Callable[[bytes], bytes], packed: Path, tmp_path: Path
) -> None:
    path = _changed(packed, tmp_path / "bad.steamdino", name, change)
    with pytest.raises(SnapshotError) as caught:
        Snapshot.open(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_what_is_no_pack_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.steamdino"
    for data in (b"", b"PK", b"not a zip" * 100):
        path.write_bytes(data)
        with pytest.raises(SnapshotError, match="not a packed snapshot"):
            Snapshot.open(path)


@given(place=st.integers(0, 10**9), change=st.binary(min_size=1, max_size=40))
def test_damaged_bytes_are_refused_or_do_no_harm(
    place: int, change: bytes, packed: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = bytearray(packed.read_bytes())
    place %= len(data)
    data[place : place + len(change)] = change
    path = tmp_path_factory.mktemp("p") / "x.steamdino"
    path.write_bytes(data)
    try:
        snapshot = Snapshot.open(path)
    except SnapshotError:
        return
    assert len(snapshot.similar(snapshot.ids[0])) == 10


@pytest.mark.slow
def test_nothing_is_left_in_the_temporary_folder(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gc
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    snapshot = Snapshot.open(packed)
    assert list(tmp_path.iterdir())
    del snapshot
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_a_pack_that_cannot_be_written_leaves_nothing(built: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        Snapshot.open(built).pack(tmp_path / "file" / "x.steamdino")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
