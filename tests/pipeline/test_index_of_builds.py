"""The search index that a build writes: chosen, kept, changed, measured, and never half there."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import Paint, Run

from steamdino import Snapshot, add, build
from steamdino.errors import SnapshotError, UsageError
from steamdino.index import index_registry
from steamdino.index.manifest import VECTORS, Manifest
from steamdino.index.neighbour_lists import FILES, NEAREST
from steamdino.index.quantised import QuantisedIndex
from steamdino.index.quantised_rows import CODES, ROWS
from steamdino.pipeline import examine


@pytest.fixture
def small(tmp_path: Path, paint: Paint) -> Path:
    for n in range(12):
        paint(tmp_path / f"pictures/{n:02}.png", n % 10)  # two are copies
    add(tmp_path / "g", tmp_path / "pictures")
    build(tmp_path / "g", index="quantised")
    return tmp_path / "g"


def _newest(gallery: Path) -> Path:
    return max((gallery / "snapshots").glob("*/[0-9]*"), key=lambda folder: int(folder.name))


def test_a_build_with_nothing_to_do_keeps_the_index(small: Path) -> None:
    assert not build(small, index="quantised").swapped
    assert sorted(path.name for path in _newest(small).iterdir()) == sorted(
        ["games.sqlite", "manifest.json", VECTORS, CODES, ROWS, *FILES, NEAREST]
    )


def test_another_index_is_a_new_snapshot_of_the_same_vectors(small: Path) -> None:
    before = (_newest(small) / VECTORS).stat().st_ino
    summary = build(small)
    assert (summary.swapped, summary.index, summary.encoded) == (True, "exact", 0)
    assert (summary.snapshot / VECTORS).stat().st_ino == before
    assert not (summary.snapshot / CODES).exists()
    assert not build(small).swapped


def test_a_refused_index_is_not_built_again_and_again(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_registry, "MANY_GAMES", 10)
    monkeypatch.setattr(QuantisedIndex, "recall", lambda self: 0.9)
    assert build(small, rebuild=True).index == "exact"
    assert not build(small).swapped


def test_an_unknown_index_is_refused_before_anything_is_encoded(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the index is 'fast'"):
        build(tmp_path, index="fast")


def test_searches_find_the_same_with_and_without_the_index(small: Path) -> None:
    fast, exact = Snapshot.open(small), Snapshot.open(small, exact=True)
    assert (fast.index.name, exact.index.name) == ("quantised", "exact")
    for key in fast.ids:
        assert fast.similar(key, 11).ids == exact.similar(key, 11).ids


def test_a_packed_snapshot_leaves_its_index_behind_and_gets_a_new_one(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = tmp_path / "p.steamdino"
    Snapshot.open(small).pack(pack)
    assert Snapshot.open(pack).index.name == "exact"
    monkeypatch.setattr(index_registry, "MANY_GAMES", 12)
    assert Snapshot.open(pack).index.name == "quantised"
    assert Snapshot.open(pack, exact=True).index.name == "exact"


def test_the_doctor_measures_the_index(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert examine(small) == []
    (finding,) = examine(small, deep=True)
    assert (
        finding.text
        == "the search index of bundled finds 100.00 % of the ten nearest neighbours (12 searches)"
    )
    assert finding.harmless
    monkeypatch.setattr(QuantisedIndex, "recall", lambda self, k=10, **_: 0.9)
    (finding,) = examine(small, deep=True)
    assert "finds 90.00 %" in finding.text
    assert not finding.harmless
    assert "--index exact" in finding.remedy


@pytest.mark.parametrize("name", [CODES, ROWS])
def test_a_damaged_index_is_found_and_written_again(small: Path, name: str) -> None:
    file = _newest(small) / name
    file.write_bytes(bytes(file.stat().st_size))
    if name == ROWS:  # the codes are read when a search needs them
        with pytest.raises(SnapshotError, match=r"is damaged .*; run: steam-dino build --rebuild"):
            Snapshot.open(small)
    (finding,) = examine(small, repair=True, index="quantised")
    assert (f"{name} is not what was written" in finding.text, finding.fixed) == (True, True)
    assert Snapshot.open(small).index.name == "quantised"


def test_a_build_that_is_killed_while_it_saves_the_index_leaves_the_old_snapshot(small: Path) -> None:
    killed_between_the_files = """
import os, signal, sys
import numpy as np
from steamdino.pipeline import build
np.savez = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
build(sys.argv[1], index="quantised", rebuild=True)
"""
    before = _newest(small)
    done = subprocess.run(
        [sys.executable, "-c", killed_between_the_files, str(small)], check=False, timeout=120
    )
    assert done.returncode == -signal.SIGKILL
    assert list(small.glob("snapshots/*/new-*/" + CODES))
    assert _newest(small) == before
    assert Snapshot.open(small).index.name == "quantised"
    build(small, index="quantised", rebuild=True)
    assert not list(small.glob("snapshots/*/new-*"))
    assert Manifest.read(_newest(small)).recall == 1.0


@pytest.mark.slow
def test_the_commands_choose_show_and_bypass_the_index(small: Path, run: Run, tmp_path: Path) -> None:
    assert (
        "Search index: quantised, finds 100.00 % of the ten nearest neighbours"
        in run("info", "-g", small).stdout
    )
    (made,) = json.loads(run("info", "-g", small, "--json").stdout)["snapshots"]
    assert (made["index"], made["recall"]) == ("quantised", 1.0)
    deep = run("doctor", "-g", small, "--deep")
    assert (deep.returncode, deep.stdout.count("finds 100.00 %")) == (0, 1)
    file = _newest(small) / ROWS
    file.write_bytes(bytes(file.stat().st_size))  # so that only exact searches succeed
    assert (
        run("similar", "00", "-g", small).returncode == 0
    )  # a single search does not wait for the index to open
    for command in (
        ("unique", "-n", "3"),
        ("export", "json", "00"),
        ("export", "npy", "-o", tmp_path / "npy"),
        ("export", "html", "00", "-o", tmp_path / "page.html"),
    ):
        failed = run(*command, "-g", small)
        assert (failed.returncode, "is damaged" in failed.stderr) == (1, True), failed.stderr
        done = run(*command, "-g", small, "--exact")
        assert done.returncode == 0, done.stderr
    assert run("build", "-g", small, "--index", "fast").returncode == 2
    done = run("build", "-g", small, "--index", "exact")
    assert done.returncode == 0
    assert "Search index: exact\n" in run("info", "-g", small).stdout
