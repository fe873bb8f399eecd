"""A snapshot's search index is the one that its manifest names; a new kind is one class and one line."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pytest

from steamdino import Snapshot
from steamdino.errors import GalleryError, SnapshotError, UsageError
from steamdino.features.recipe_parser import named
from steamdino.gallery.vectors import Row
from steamdino.index import index_registry
from steamdino.index.exact import ExactIndex
from steamdino.index.manifest import MANIFEST, Manifest
from steamdino.index.quantised import QuantisedIndex
from steamdino.index.quantised_rows import CODES, ROWS
from steamdino.index.snapshot_writer import write
from steamdino.index.vector_index import Neighbours
from steamdino.installation import library_command

RECIPE = replace(named("bundled"), dim=8)


class RoundedIndex(ExactIndex):
    """Ranks by vectors that are rounded to eight bits, and re-ranks the best candidates exactly."""

    name: ClassVar[str] = "rounded"
    FILE = "rounded.npy"

    def __init__(self, vectors: np.ndarray, rounded: np.ndarray) -> None:
        super().__init__(vectors)
        self._rounded = rounded

    @classmethod
    def build(cls, vectors: np.ndarray) -> Self:
        return cls(vectors, (vectors * 127).round().astype(np.int8))

    @classmethod
    def open(cls, folder: Path, vectors: np.ndarray) -> Self:
        return cls(vectors, np.load(folder / cls.FILE))

    def save(self, folder: Path) -> Sequence[str]:
        np.save(folder / self.FILE, self._rounded)
        return (self.FILE,)

    def nearest(self, query: np.ndarray, k: int, **options: Any) -> Neighbours:
        rough = ExactIndex(self._rounded.astype(np.float32) / 127).nearest(query, 4 * k, **options)
        among = np.zeros(len(self), np.bool_)
        among[rough.rows] = True
        return super().nearest(query, k, among=among)


@pytest.fixture
def no_turbovec(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hides the library, as if it were not installed."""
    monkeypatch.setitem(sys.modules, "turbovec", None)
    monkeypatch.setattr(index_registry, "find_spec", lambda name: None)


def _write(folder: Path, index: str = index_registry.AUTO) -> Path:
    vectors = list(np.random.default_rng(0).normal(size=(200, 8)).astype(np.float32))
    rows = [Row(f"{n:03}", f"Game {n}", "s", None, "", f"{n:064x}", "{}") for n in range(200)]
    return write(folder, RECIPE, 1, rows, [], vectors, {"f32": 200}, index=index)


def test_an_exact_snapshot_has_no_further_files_and_names_no_index(tmp_path: Path) -> None:
    folder = _write(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["games.sqlite", "manifest.json", "vectors.npy"]
    assert "index" not in json.loads((folder / MANIFEST).read_text("utf-8"))
    assert Manifest.read(folder).index == "exact"
    assert type(Snapshot.open(folder).index) is ExactIndex


def test_another_kind_is_written_listed_and_searched_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = Snapshot.open(_write(tmp_path / "exact"))
    monkeypatch.setitem(index_registry.INDEXES, RoundedIndex.name, RoundedIndex)
    folder = _write(tmp_path / "rounded", "rounded")
    manifest = Manifest.read(folder)
    assert manifest.index == "rounded"
    assert manifest.files[RoundedIndex.FILE]["bytes"] == (folder / RoundedIndex.FILE).stat().st_size
    snapshot = Snapshot.open(folder)
    assert type(snapshot.index) is RoundedIndex
    for key in ("000", "077", "199"):
        assert snapshot.similar(key, 5).ids == exact.similar(key, 5).ids
    # An exact snapshot beside it is still opened as what it is.
    assert type(Snapshot.open(tmp_path / "exact" / "1").index) is ExactIndex


def test_a_damaged_index_is_reported_with_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(index_registry.INDEXES, RoundedIndex.name, RoundedIndex)
    folder = _write(tmp_path, "rounded")
    file = folder / RoundedIndex.FILE
    file.write_bytes(b"x" * file.stat().st_size)
    with pytest.raises(SnapshotError, match=r"the search index in .* is damaged .*build --rebuild"):
        Snapshot.open(folder)


def test_an_index_that_this_version_does_not_know_is_reported(tmp_path: Path) -> None:
    folder = _write(tmp_path)
    record = json.loads((folder / MANIFEST).read_text("utf-8"))
    (folder / MANIFEST).write_text(json.dumps({**record, "index": "from the future"}), "utf-8")
    with pytest.raises(SnapshotError, match="'from the future', and this version knows: exact, quantised"):
        Snapshot.open(folder)


def test_the_number_of_games_decides_unless_a_kind_is_named() -> None:
    most = index_registry.MANY_GAMES
    assert index_registry.kind_for("auto", most - 1, 512) == "exact"
    assert index_registry.kind_for("auto", most, 63) == "exact"
    assert index_registry.kind_for("auto", most, 64) == "quantised"
    assert index_registry.kind_for("quantised", 1, 1) == "quantised"
    assert index_registry.kind_for("exact", most, 512) == "exact"
    with pytest.raises(UsageError, match="the index is 'fast'; it must be one of: auto, exact, quantised"):
        index_registry.kind_for("fast", 1, 1)


def test_many_games_get_an_index_whose_recall_stands_in_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_registry, "MANY_GAMES", 200)
    monkeypatch.setattr(index_registry, "LEAST_DIM", 8)
    manifest = Manifest.read(_write(tmp_path))
    assert (manifest.index, manifest.recall) == ("quantised", 1.0)
    assert {CODES, ROWS} < set(manifest.files)


def test_an_index_that_misses_neighbours_is_refused_unless_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_registry, "MANY_GAMES", 200)
    monkeypatch.setattr(index_registry, "LEAST_DIM", 8)
    monkeypatch.setattr(QuantisedIndex, "recall", lambda self: 0.998)
    folder = _write(tmp_path / "auto")
    manifest = Manifest.read(folder)
    assert (manifest.index, manifest.recall) == ("exact", 0.998)
    assert not (folder / CODES).exists()
    assert Manifest.read(_write(tmp_path / "named", "quantised")).index == "quantised"


def test_an_index_that_needs_a_missing_library_is_not_built(tmp_path: Path, no_turbovec: None) -> None:
    assert index_registry.kind_for("auto", 10**6, 512) == "exact"
    with pytest.raises(
        GalleryError,
        match=re.escape(
            f"'quantised' needs turbovec; run: {library_command('turbovec')}, or build with: --index exact"
        ),
    ):
        _write(tmp_path, "quantised")
    assert list(tmp_path.iterdir()) == []


def test_a_snapshot_whose_library_is_missing_is_searched_exactly(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = _write(tmp_path, "quantised")
    whole = Snapshot.open(folder)
    request.getfixturevalue("no_turbovec")
    snapshot = Snapshot.open(folder)
    assert (type(whole.index), whole.without) == (QuantisedIndex, None)
    assert (type(snapshot.index), snapshot.without) == (ExactIndex, "turbovec")
    assert snapshot.similar("077", 5).ids == whole.similar("077", 5).ids


def test_exact_searches_do_not_open_the_index(tmp_path: Path) -> None:
    folder = _write(tmp_path, "quantised")
    size = (folder / ROWS).stat().st_size
    (folder / ROWS).write_bytes(bytes(size))
    assert type(Snapshot.open(folder, exact=True).index) is ExactIndex
    with pytest.raises(SnapshotError, match=r"the search index in .* is damaged .*build --rebuild"):
        Snapshot.open(folder)
