"""Each field of a packed snapshot with one thing wrong, and what the writer repairs so that a reader takes it."""

from __future__ import annotations

import json
import sqlite3
import struct
import time
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fakes import packs

from steamdino import Snapshot
from steamdino.errors import QueryError, SnapshotError
from steamdino.index import pack_schema as schema
from steamdino.index.pack import pack
from steamdino.index.pack_fields import LARGEST_COLUMNS
from steamdino.index.snapshot_reader import UNKNOWN_REASON, SnapshotReader

Members = dict[str, bytes]


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> Members:
    return packs.valid(tmp_path_factory.mktemp("valid"))


def _opened(members: Members, folder: Path) -> Snapshot:
    return Snapshot.open(packs.zipped(folder / "stranger.steamdino", members))


def _refused(members: Members, folder: Path) -> str:
    with pytest.raises(SnapshotError) as caught:
        _opened(members, folder)
    told = str(caught.value)
    assert told.startswith((f"{folder / 'stranger.steamdino'} ", f"{folder / 'stranger.steamdino'}:"))
    assert "\n" not in told
    assert len(told) < len(str(folder)) + 700
    return told


def _line(members: Members, member: str, /, **change: Any) -> Members:
    """Changes fields of the first line; a value of `...` removes the field."""
    lines = members[member].splitlines()
    record = {**json.loads(lines[0]), **change}
    lines[0] = json.dumps({key: value for key, value in record.items() if value is not ...}).encode()
    return {**members, member: b"\n".join(lines) + b"\n"}


def _head(members: Members, change: Callable[[dict[str, Any]], Any]) -> Members:
    head = json.loads(members["manifest.json"])
    change(head)
    return {**members, "manifest.json": json.dumps(head).encode()}


def test_the_valid_pack_opens(valid: Members, tmp_path: Path) -> None:
    snapshot = _opened(valid, tmp_path)
    assert snapshot.ids == ["10", "20", "30", "40", "50"]
    assert snapshot.game(30).name == "Game №3: Éclair　3"
    assert snapshot.game(30).url == "https://store.steampowered.com/app/30"
    head = json.loads(valid["manifest.json"])
    assert snapshot.manifest.created_at == head["created_at"]
    assert snapshot.manifest.precisions == {"f32": packs.GAMES}
    assert snapshot.whitening is not None
    assert snapshot.whitening.read_bytes() == packs.projection()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"id": ""}, "id is ''"),
        ({"id": 7}, "id is 7"),
        ({"id": None}, "id is None"),
        ({"id": ...}, "id is missing"),
        ({"id": " 10"}, "white space"),
        ({"id": "x" * 501}, "1 to 500 characters"),
        ({"id": "1\u202e0"}, "control character"),
        ({"name": "a\nb"}, "name is 'a"),
        ({"name": "a\u2028b"}, "name is 'a"),
        ({"name": "a\u202eb"}, "name is 'a"),
        ({"name": "\ud800"}, "lone surrogate"),
        ({"name": "a\0"}, "a NUL"),
        ({"name": "x" * 1001}, "0 to 1,000 characters"),
        ({"name": ["x"]}, "name is"),
        ({"source": "x" * 301}, "source is"),
        ({"source": None}, "source is None"),
        ({"url": "http://a.example/"}, "url is 'http"),
        ({"url": "javascript:alert(1)"}, "url is 'javascript"),
        ({"url": "https://"}, "url is"),
        ({"url": "https://127.0.0.1/"}, "url is"),
        ({"url": "https://a.example/\" x='"}, "url is"),
        ({"url": ""}, "url is ''"),
        ({"sha256": "../" * 21 + "x"}, "sha256 is"),
        ({"sha256": "A" * 64}, "sha256 is"),
        ({"sha256": ""}, "sha256 is"),
        ({"sha256": None}, "sha256 is None"),
        ({"picture": "/etc/hostname"}, "a packed snapshot names no files"),
        ({"picture": " "}, "a packed snapshot names no files"),
        ({"more": 1}, "the field 'more' is unknown"),
        ({"columns": {}}, "columns is"),
        ({"columns": "[]"}, "it must be an object"),
        ({"columns": "{"}, "columns it is not JSON"),
        ({"columns": '{"a":NaN}'}, "NaN is not a JSON number"),
        ({"columns": '{"a":1e999}'}, "too large a number"),
        ({"columns": '{"reviews":' + "9" * 5000 + "}"}, "digits"),
        ({"columns": '{"a":1,"a":2}'}, "is repeated"),
        ({"columns": '{"a":"\\ud800"}'}, "lone surrogate"),
        ({"columns": '{"a":' + "[" * 99 + "]" * 99 + "}"}, "nested"),
        ({"columns": '{"a":"' + "x" * LARGEST_COLUMNS + '"}'}, "at most 262,144 bytes"),
    ],
    ids=lambda value: None if isinstance(value, str) else str(value)[:40],
)
def test_a_games_fields_are_checked(
    change: dict[str, Any], told: str, valid: Members, tmp_path: Path
) -> None:
    assert told in _refused(_line(valid, schema.GAMES, **change), tmp_path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"id": "x" * 501}, "id is"),
        ({"name": None}, "name is None"),
        ({"reason": "a\nb"}, "reason is"),
        ({"reason": "x" * 1001}, "reason is"),
        ({"reason": ...}, "reason is missing"),
        ({"picture": ""}, "the field 'picture'"),
        ({"id": "10"}, "is in games.jsonl and in absent.jsonl"),
    ],
    ids=lambda value: None if isinstance(value, str) else str(value)[:40],
)
def test_an_absent_games_fields_are_checked(
    change: dict[str, Any], told: str, valid: Members, tmp_path: Path
) -> None:
    assert told in _refused(_line(valid, schema.ABSENT, **change), tmp_path)


def _set(*way: str, to: Any) -> Callable[[dict[str, Any]], Any]:
    def change(head: dict[str, Any]) -> None:
        for key in way[:-1]:
            head = head[key]
        head[way[-1]] = to

    return change


IDENTITY = ("recipe", "identity")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_set("format", to=99), "its format is 99; upgrade steam-dino"),
        (_set("format", to=10**40), "upgrade steam-dino"),
        (_set("format", to=0), "format is 0"),
        (_set("format", to="2"), "format is '2'"),
        (_set("format", to=True), "format is True"),
        (_set("games", to=4), "vectors.npy has the shape"),
        (_set("games", to=-1), "games is -1"),
        (_set("games", to=10**40), "games is"),
        (_set("games", to=5.0), "games is 5.0"),
        (_set("created_at", to="yesterday"), "created_at is 'yesterday'"),
        (_set("created_at", to="2025-02-30T00:00:00+00:00"), "created_at day is out of range"),
        (_set("created_at", to="2025-05-17T12:00:00"), "created_at is"),
        (_set("precisions", to={"../x": 1}), "precisions has the key '../x'"),
        (_set("precisions", to={"f32": -1}), "precisions is -1"),
        (_set("precisions", to={str(n): n for n in range(9)}), "precisions is"),
        (_set("precisions", to=[]), "precisions is []"),
        (_set("kind", to="header"), "the field 'kind' is unknown"),
        (lambda head: head.pop("games"), "games is missing"),
        (_set("recipe", to=[]), "recipe it is [], not an object"),
        (_set("recipe", "name", to="a\nb"), "recipe name is"),
        (_set("recipe", "name", to="x" * 201), "recipe name is"),
        (_set("recipe", "more", to=1), "the field 'more' is unknown"),
        (_set(*IDENTITY, to=None), "this is not a recipe"),
        (_set(*IDENTITY, "dim", to=65537), "dim is 65537; it must be a whole number from 1 to 65,536"),
        (_set(*IDENTITY, "dim", to=10**40), "dim is 1000"),
        (_set(*IDENTITY, "dim", to=0), "dim is 0"),
        (_set(*IDENTITY, "dim", to=[1]), "dim is [1]"),
        (_set(*IDENTITY, "dim", to=17), "vectors.npy has the shape"),
        (_set(*IDENTITY, "model", to=["x"]), "model is ['x']"),
        (_set(*IDENTITY, "model", to="x" * 201), "has the model"),
        (_set(*IDENTITY, "weights", to="../x"), "weights is '../x'"),
        (_set(*IDENTITY, "projection", to=7), "projection is 7"),
        (_set(*IDENTITY, "projection", to=None), "whitening.npz is not the file"),
        (_set(*IDENTITY, "transform", "width", to=10**40), "transform.width is"),
        (
            lambda head: head["recipe"]["identity"]["transform"].update(width=1024, height=1025),
            "at most 1,048,576 pixels",
        ),
        (_set(*IDENTITY, "transform", "mean", to=[1, 2, 3]), "transform.mean is"),
        (_set(*IDENTITY, "transform", "std", to=None), "this is not a recipe"),
        (_set(*IDENTITY, "pooling", to={"kind": "x" * 10**4}), "pooling.kind is"),
        (_set(*IDENTITY, "more\nlines" * 1000, to=1), "this is not a recipe"),
        (_set(*IDENTITY, "name", to="x"), "this is not a recipe"),
    ],
)
def test_the_manifest_is_checked(
    change: Callable[[dict[str, Any]], Any], told: str, valid: Members, tmp_path: Path
) -> None:
    assert told in _refused(_head(valid, change), tmp_path)


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("manifest.json", b"", "not JSON"),
        ("manifest.json", b"[" * 60000, "nested"),
        ("manifest.json", b" " * (1 << 16) + b"{}", "more than 65,536 bytes"),
        ("manifest.json", b'{"games": 5, "games": 5}', "is repeated"),
        ("games.jsonl", b"", "games.jsonl has 0 games, and manifest.json says 5"),
        ("games.jsonl", b"null\n", "line 1: it is None, not an object"),
        ("games.jsonl", b"\xff\n", "line 1: it is not UTF-8"),
        ("games.jsonl", b'{"id": "' + b"x" * schema.LARGEST_LINE + b'"}\n', "more than 786,432 bytes"),
        ("vectors.npy", packs.header("<f4", (2**36, packs.DIM)), "vectors.npy has the shape"),
        ("vectors.npy", packs.header("<f4", (packs.GAMES, packs.DIM)), "has 128 bytes, and should have 448"),
        ("vectors.npy", packs.array(np.array([None]), allow_pickle=True), "no pickles"),
        ("vectors.npy", packs.array(np.ones((packs.GAMES, packs.DIM), np.float32)), "not of length 1"),
        (
            "vectors.npy",
            packs.array(np.full((packs.GAMES, packs.DIM), np.nan, np.float32)),
            "not of length 1",
        ),
        ("vectors.npy", packs.array(np.full((packs.GAMES, packs.DIM), 3e38, np.float32)), "not of length 1"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_each_member_is_checked(name: str, data: bytes, told: str, valid: Members, tmp_path: Path) -> None:
    assert told in _refused({**valid, name: data}, tmp_path)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (packs.arrays(mean=np.zeros(16)), "it has no projection.npy"),
        (packs.arrays(mean=np.zeros(16), projection=np.zeros((15, 16))), "should have (16, 16)"),
        (packs.arrays(mean=np.zeros(15), projection=np.zeros((15, 16))), "makes 16 numbers of 15"),
        (packs.arrays(mean=np.zeros((16, 1)), projection=np.zeros((16, 16))), "should have (None,)"),
        (packs.arrays(mean=np.array([None]), projection=np.zeros((16, 16))), "no pickles"),
        (packs.arrays(mean=np.zeros(16, int), projection=np.zeros((16, 16))), "only arrays of floats"),
        (packs.arrays(mean=np.full(16, np.nan), projection=np.zeros((16, 16))), "numbers beyond 1e+12"),
        (packs.arrays(mean=np.zeros(16), projection=np.full((16, 16), 1e30)), "numbers beyond 1e+12"),
        (
            packs.arrays(mean=np.zeros(70000), projection=np.zeros((70000, 16), np.float16)),
            "16 numbers of 70,000",
        ),
        (
            packs.arrays(mean=np.zeros(16), projection=np.zeros((16, 16)), more=np.zeros(1)),
            "its directory lists 3",
        ),
        (b"", "does not end like a zip"),
    ],
)
def test_the_whitening_is_checked(data: bytes, told: str, valid: Members, tmp_path: Path) -> None:
    assert told in _refused(packs.with_whitening(valid, data), tmp_path)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize("name", packs.STORED)
def test_what_is_large_must_be_stored(name: str, method: int, valid: Members, tmp_path: Path) -> None:
    path = packs.zipped(tmp_path / "x.steamdino", valid, {name: method})
    with pytest.raises(SnapshotError, match=f"{name} is compressed by a method that is not allowed there"):
        Snapshot.open(path)


def test_games_must_come_in_order_and_once(valid: Members, tmp_path: Path) -> None:
    lines = valid["games.jsonl"].splitlines(keepends=True)
    for order in ([1, 0, 2, 3, 4], [0, 0, 2, 3, 4]):
        told = _refused({**valid, "games.jsonl": b"".join(lines[n] for n in order)}, tmp_path)
        assert "does not follow" in told


def test_a_game_that_names_a_file_of_this_machine_is_refused(valid: Members, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"x")
    for place in (str(tmp_path / "secret.png"), "../secret.png", None):
        told = _refused(_line(valid, "games.jsonl", picture=place), tmp_path)
        assert "a packed snapshot names no files" in told
    snapshot = _opened(valid, tmp_path)
    assert all(game.picture is None for game in snapshot.games(range(5)))


def test_a_reason_with_a_path_is_replaced_when_it_is_read(valid: Members, tmp_path: Path) -> None:
    for reason in ("/home/anna/x.jpg: the file does not exist", "C:\\Users\\Anna\\x.jpg: it is a folder"):
        snapshot = _opened(_line(valid, schema.ABSENT, reason=reason), tmp_path)
        with pytest.raises(QueryError, match=f"'Gone' cannot be compared: {UNKNOWN_REASON}$"):
            snapshot.similar("Gone")


# The writer


@pytest.fixture
def reader(tmp_path: Path) -> SnapshotReader:
    return packs.snapshot(tmp_path / "snapshots" / "x")


def _edited(reader: SnapshotReader, statement: str, *values: object) -> SnapshotReader:
    """The snapshot as an older program, or a gallery's owner, could have made it."""
    with closing(sqlite3.connect(reader.folder / "games.sqlite", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = OFF")
        db.execute(statement, values)
    manifest = json.loads((reader.folder / "manifest.json").read_text())
    manifest["files"]["games.sqlite"]["bytes"] = (reader.folder / "games.sqlite").stat().st_size
    (reader.folder / "manifest.json").write_text(json.dumps(manifest))
    return SnapshotReader(reader.folder)


def _nested(depth: int) -> list[object]:
    """A list in so many others, whose innermost holds null."""
    value: list[object] = [None]
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("column", "value", "becomes"),
    [
        ("name", "a\nb\u202ec", "a\ufffdb\ufffdc"),
        ("name", "x" * 5000, "x" * 1000),
        ("source", "x" * 400, "x" * 300),
        ("url", "javascript:alert(1)", None),
        ("columns", '{"a":[NaN,Infinity,-Infinity,1]}', {"a": [None, None, None, 1]}),
        ("columns", '{"a":[1e999,' + "9" * 400 + ",2]}", {"a": [None, None, 2]}),
        ("columns", '{"a\\u0000":"b\\u0000c\\ud800"}', {"a": "bc"}),
        ("columns", '{"a":1,"a":2}', {"a": 2}),
        ("columns", '{"a":' + "[" * 40 + "]" * 40 + ',"b":1}', {"a": _nested(30), "b": 1}),
    ],
)
def test_what_can_be_repaired_is_and_then_opens(
    column: str, value: str, becomes: object, reader: SnapshotReader, tmp_path: Path
) -> None:
    edited = _edited(reader, f"UPDATE games SET {column} = ? WHERE row = 2", value)
    pack(edited, tmp_path / "x.steamdino")
    assert getattr(Snapshot.open(tmp_path / "x.steamdino").game(30), column) == becomes


@pytest.mark.parametrize(
    ("statement", "value", "told"),
    [
        ("UPDATE games SET id = ? WHERE row = 2", "3\u202e0", "the game '3.*': id is"),
        (
            "UPDATE games SET columns = ? WHERE row = 2",
            '{"a":"' + "x" * (1 << 18) + '"}',
            "the game '30': columns is",
        ),
        ("UPDATE absent SET id = ? WHERE id = '80'", "8\n0", "the game '8.n0': id is"),
    ],
)
def test_what_cannot_is_said_before_anything_is_written(
    statement: str, value: str, told: str, reader: SnapshotReader, tmp_path: Path
) -> None:
    target = tmp_path / "x.steamdino"
    target.write_bytes(b"old")
    with pytest.raises(SnapshotError, match=f"cannot be packed: {told}"):
        pack(_edited(reader, statement, value), target)
    assert target.read_bytes() == b"old"


def test_lines_are_utf8_without_spaces_and_acceptable_columns_stay_as_they_are() -> None:
    game = {
        "id": "a", "name": "Köln", "source": "covers", "url": None, "picture": "../a.jpg", "sha256": "0" * 64,
    }  # fmt: skip
    for columns, expected in (
        ('{"ort": "Köln", "n": 1E5}', '{"ort": "Köln", "n": 1E5}'),
        ('{"ort": "Köln", "n": NaN}', '{"ort":"Köln","n":null}'),
    ):
        (line,) = schema.write_games([{**game, "columns": columns}])
        written = json.dumps(expected, ensure_ascii=False)
        assert line.decode() == (
            '{"id":"a","name":"Köln","source":"covers","url":null,"picture":"",'
            f'"sha256":"{"0" * 64}","columns":{written}}}\n'
        )
    (line,) = schema.write_absent([{"id": "b", "name": "Ü", "reason": "it has no banner"}])
    assert line.decode() == '{"id":"b","name":"Ü","reason":"it has no banner"}\n'


def test_what_is_text_is_deflated_up_to_the_ratio_that_a_reader_takes(
    reader: SnapshotReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def packed() -> dict[str, zipfile.ZipInfo]:
        pack(reader, tmp_path / "x.steamdino")
        with zipfile.ZipFile(tmp_path / "x.steamdino") as archive:
            return {member.filename: member for member in archive.infolist()}

    def deflated() -> set[str]:
        return {name for name, one in packed().items() if one.compress_type == zipfile.ZIP_DEFLATED}

    texts = {"manifest.json", "games.jsonl", "absent.jsonl"}
    assert deflated() == texts
    size = sum(one.file_size for name, one in packed().items() if name in texts)
    monkeypatch.setattr(schema, "SWELLING", 0)
    monkeypatch.setattr(schema, "HARMLESS", size)
    assert deflated() == texts
    monkeypatch.setattr(schema, "HARMLESS", size - 1)
    assert deflated() == set()
    monkeypatch.setattr(schema, "SWELLING", size)  # times the bytes of the vectors
    assert deflated() == texts


def test_only_the_vectors_have_room_for_a_size_of_64_bits(reader: SnapshotReader, tmp_path: Path) -> None:
    """A zip must know before a member is written; all other members are far smaller than 4 GB."""
    pack(reader, tmp_path / "x.steamdino")
    data = (tmp_path / "x.steamdino").read_bytes()
    with zipfile.ZipFile(tmp_path / "x.steamdino") as archive:
        roomy = {one.filename for one in archive.infolist() if _has_long_sizes(data, one.header_offset)}
        assert {one.create_system for one in archive.infolist()} == {3}  # Unix, whose permissions they have
    assert roomy == {"vectors.npy"}


def _has_long_sizes(data: bytes, start: int) -> bool:
    """Whether the extra fields of a member's header are those of sizes of 64 bits, whose number is 1."""
    name, extra = struct.unpack_from("<HH", data, start + 26)
    return data[start + 30 + name :][:2] == b"\x01\x00" if extra else False


def test_reasons_with_paths_stay_behind(reader: SnapshotReader, tmp_path: Path) -> None:
    reason = "/home/anna/covers/x.jpg: the file does not exist"
    edited = _edited(reader, "UPDATE absent SET reason = ? WHERE id = '80'", reason)
    assert edited.absent("80") == ("Lost", UNKNOWN_REASON)
    pack(edited, tmp_path / "x.steamdino")
    with zipfile.ZipFile(tmp_path / "x.steamdino") as archive:
        lines = [json.loads(line) for line in archive.read("absent.jsonl").splitlines()]
    assert [line["reason"] for line in lines] == ["it has no banner", UNKNOWN_REASON]


def test_packs_of_one_snapshot_are_equal_whenever_and_wherever_they_are_made(
    reader: SnapshotReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack(reader, tmp_path / "a")
    monkeypatch.setattr(time, "time", lambda: 2e9)
    (reader.folder / "vectors.npy").touch()
    (reader.folder / "vectors.npy").chmod(0o600)
    pack(reader, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with zipfile.ZipFile(tmp_path / "a") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {member.external_attr >> 16 for member in archive.infolist()} == {0o644}


def test_a_pack_that_was_opened_is_packed_again_into_the_same(valid: Members, tmp_path: Path) -> None:
    snapshot = _opened(valid, tmp_path)
    snapshot.pack(tmp_path / "again")
    with zipfile.ZipFile(tmp_path / "again") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == valid


def test_much_text_beside_few_vectors_is_stored_so_that_a_reader_takes_it(
    reader: SnapshotReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "HARMLESS", 100)
    monkeypatch.setattr(schema, "SWELLING", 1)
    pack(reader, tmp_path / "x.steamdino")
    with zipfile.ZipFile(tmp_path / "x.steamdino") as archive:
        assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_STORED}
    assert len(Snapshot.open(tmp_path / "x.steamdino")) == packs.GAMES


def test_a_pack_of_no_games_opens(valid: Members, tmp_path: Path) -> None:
    empty = _head(valid, _set("games", to=0))
    empty |= {"games.jsonl": b"", "vectors.npy": packs.array(np.empty((0, packs.DIM), np.float32))}
    assert len(_opened(empty, tmp_path)) == 0
