"""A snapshot's search index is the one that its manifest names; a new kind is one class and one line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pytest

from steamdino import Snapshot
from steamdino.errors import SnapshotError
from steamdino.features.recipe_parser import named
from steamdino.gallery.vectors import Row
from steamdino.index import index_registry
from steamdino.index.exact import ExactIndex
from steamdino.index.manifest import MANIFEST, Manifest
from steamdino.index.snapshot_writer import write
from steamdino.index.vector_index import Neighbours

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


def _write(folder: Path) -> Path:
    vectors = list(np.random.default_rng(0).normal(size=(200, 8)).astype(np.float32))
    rows = [Row(f"{n:03}", f"Game {n}", "s", None, "", f"{n:064x}", "{}") for n in range(200)]
    return write(folder, RECIPE, 1, rows, [], vectors, {"f32": 200})


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
    monkeypatch.setattr(index_registry, "DEFAULT", RoundedIndex.name)
    folder = _write(tmp_path / "rounded")
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
    monkeypatch.setattr(index_registry, "DEFAULT", RoundedIndex.name)
    folder = _write(tmp_path)
    file = folder / RoundedIndex.FILE
    file.write_bytes(b"x" * file.stat().st_size)
    with pytest.raises(SnapshotError, match=r"the search index in .* is damaged .*build --rebuild"):
        Snapshot.open(folder)


def test_an_index_that_this_version_does_not_know_is_reported(tmp_path: Path) -> None:
    folder = _write(tmp_path)
    record = json.loads((folder / MANIFEST).read_text("utf-8"))
    (folder / MANIFEST).write_text(json.dumps({**record, "index": "from the future"}), "utf-8")
    with pytest.raises(SnapshotError, match="'from the future', and this version knows: exact"):
        Snapshot.open(folder)
