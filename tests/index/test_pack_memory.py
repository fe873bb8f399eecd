"""How much memory opening a pack takes: three times the file at most, and nothing for what it only claims.

Each is opened in a process of its own, which says by how much its largest size has grown. That is Linux's VmHWM and not
getrusage's ru_maxrss, which a process inherits from the one that started it: under a large pytest, nothing would grow.
"""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fakes import packs

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux says how much memory a process took"
)

GAMES, DIM = 12_000, 512
CONSTANT = 40 << 20
"""Bytes that libraries, SQLite's caches and one line of text may take, however small the file is."""

OPEN = r"""
import re, sys
import numpy
from pathlib import Path
import steamdino.index.pack
from steamdino import Snapshot
from steamdino.errors import SnapshotError

def largest():
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) << 10

numpy.ones((64, 64), numpy.float32) @ numpy.ones((64, 64), numpy.float32)  # libraries' own buffers
before = largest()
if sys.argv[2:]:
    bytearray(int(sys.argv[2]))
try:
    said = f"{len(Snapshot.open(Path(sys.argv[1])))} games"
except SnapshotError as error:
    said = str(error)
print(largest() - before)
print(said)
"""


def _opened(path: Path, *more: int) -> tuple[int, str]:
    """By how many bytes the process has grown, and what it said; `more` bytes are taken for the test's own sake."""
    command = [sys.executable, "-c", OPEN, str(path), *map(str, more)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    grown, said = done.stdout.splitlines()
    return int(grown), said


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(packs.valid(tmp_path_factory.mktemp("valid"))["manifest.json"])
    found["recipe"]["identity"]["projection"] = None
    return found


def _manifest(head: dict[str, Any], games: int, dim: int) -> bytes:
    identity = {**head["recipe"]["identity"], "dim": dim}
    return json.dumps({**head, "games": games, "recipe": {**head["recipe"], "identity": identity}}).encode()


def _game(number: int, columns: str = '{"tags":["Indie"]}', digest: str | None = None) -> bytes:
    record = {
        "id": f"{number:07}",
        "name": f"Game {number}",
        "source": "steam",
        "url": None,
        "picture": "",
        "sha256": digest or hashlib.sha256(str(number).encode()).hexdigest(),
        "columns": columns,
    }
    return json.dumps(record).encode() + b"\n"


def _vectors(games: int, dim: int) -> bytes:
    vectors = np.random.default_rng(0).standard_normal((games, dim)).astype(np.float32)
    return packs.array(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def test_the_measure_sees_what_a_process_takes(tmp_path: Path) -> None:
    assert _opened(tmp_path, 200 << 20)[0] >= 190 << 20
    assert _opened(tmp_path)[0] < 20 << 20


@pytest.mark.slow
def test_a_large_pack_takes_less_than_three_times_its_size(head: dict[str, Any], tmp_path: Path) -> None:
    path = packs.zipped(
        tmp_path / "x.steamdino",
        {
            "manifest.json": _manifest(head, GAMES, DIM),
            "vectors.npy": _vectors(GAMES, DIM),
            "games.jsonl": b"".join(map(_game, range(GAMES))),
            "absent.jsonl": b"",
        },
    )
    grown, said = _opened(path)
    assert said == f"{GAMES} games"
    assert grown <= 3 * path.stat().st_size


def _short_vectors(head: dict[str, Any]) -> dict[str, bytes]:
    games = 60_000
    return {
        "manifest.json": _manifest(head, games, 1),
        "vectors.npy": packs.array(np.ones((games, 1), np.float32)),
        "games.jsonl": b"".join(_game(number, "{}", "0" * 64) for number in range(games)),
        "absent.jsonl": b"",
    }


def _many_absent(head: dict[str, Any]) -> dict[str, bytes]:
    line = '{{"id":"x{:07}","name":"","reason":"no"}}\n'
    return {
        "manifest.json": _manifest(head, 1, 1),
        "vectors.npy": packs.array(np.ones((1, 1), np.float32)),
        "games.jsonl": _game(1),
        "absent.jsonl": "".join(line.format(number) for number in range(100_000)).encode(),
    }


def _many_values(head: dict[str, Any]) -> dict[str, bytes]:
    columns = '{"a":[' + ",".join(["[]"] * 80_000) + '],"tags":"' + "a," * 5000 + '"}'
    return {
        "manifest.json": _manifest(head, 3, 1),
        "vectors.npy": packs.array(np.ones((3, 1), np.float32)),
        "games.jsonl": b"".join(_game(number, columns) for number in range(3)),
        "absent.jsonl": b"",
    }


@pytest.mark.slow
@pytest.mark.parametrize("make", [_short_vectors, _many_absent, _many_values])
def test_text_that_deflates_well_takes_no_memory(
    make: Callable[[dict[str, Any]], dict[str, bytes]], head: dict[str, Any], tmp_path: Path
) -> None:
    path = packs.zipped(tmp_path / "x.steamdino", make(head))
    assert path.stat().st_size < 1 << 20
    grown, said = _opened(path)
    assert said.endswith(" games")
    assert grown < CONSTANT


PROMISED = 1 << 33
"""Bytes: what no test machine would give without being noticed."""


def _deflated_vectors(head: dict[str, Any], path: Path) -> None:
    games, dim = 5000, 4096
    vectors = np.zeros((games, dim), np.float32)
    vectors[:, 0] = 1
    members = {
        "manifest.json": _manifest(head, games, dim),
        "vectors.npy": packs.array(vectors),
        "games.jsonl": b"".join(map(_game, range(games))),
        "absent.jsonl": b"",
    }
    packs.zipped(path, members, {"vectors.npy": zipfile.ZIP_DEFLATED})


def _promised_vectors(head: dict[str, Any], path: Path) -> None:
    games = PROMISED // 4 // 512
    members = {"manifest.json": _manifest(head, games, 512), "vectors.npy": packs.header("<f4", (games, 512))}
    packs.zipped(path, {**members, "games.jsonl": b"", "absent.jsonl": b""})


def _promised_size(head: dict[str, Any], path: Path) -> None:
    _promised_vectors(head, path)
    data = bytearray(path.read_bytes())
    at = data.index(b"vectors.npy", data.index(b"PK\x01\x02")) - 46
    struct.pack_into("<2I", data, at + 20, 0xFFFFFFF0, 0xFFFFFFF0)
    path.write_bytes(data)


def _huge_directory(head: dict[str, Any], path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(30_000):
            archive.writestr(zipfile.ZipInfo(str(number)), b"")


def _bomb(head: dict[str, Any], path: Path) -> None:
    members = {
        "manifest.json": _manifest(head, 1, 1),
        "vectors.npy": packs.array(np.ones((1, 1), np.float32)),
    }
    packs.zipped(path, {**members, "games.jsonl": bytes(64 << 20), "absent.jsonl": b""})


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize(
    "make", [_deflated_vectors, _promised_vectors, _promised_size, _huge_directory, _bomb]
)
def test_a_small_file_that_promises_gigabytes_is_refused_with_flat_memory(
    make: Callable[[dict[str, Any], Path], None], head: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "x.steamdino"
    make(head, path)
    assert path.stat().st_size < 4 << 20
    grown, said = _opened(path)
    assert "not a packed snapshot" in said
    assert grown < CONSTANT // 4
