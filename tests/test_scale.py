"""The benchmark of scale judges what it measured, and the pages show what it wrote."""

from __future__ import annotations

import importlib
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("scale_row")


@pytest.fixture
def search(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("scale_search")


def test_a_target_is_missed_by_a_figure_on_the_wrong_side_and_by_none(rows: ModuleType) -> None:
    def row(target: object, *, more: bool = False) -> object:
        return rows.Row("a", "A", "s", lambda made: 0.0, target, more=more)

    seven, three = rows.Target(times=7), rows.Target(limit=3)
    for target, more, before, now, met in (
        (seven, True, 100.0, 700.0, True),
        (seven, True, 100.0, 699.0, False),
        (seven, False, 70.0, 10.0, True),
        (seven, False, 69.0, 10.0, False),
        (seven, False, None, 10.0, False),
        (three, False, None, 3.0, True),
        (three, False, None, 3.1, False),
        (three, True, None, 3.0, True),
        (three, True, None, 2.9, False),
        (three, False, 1.0, None, False),
        (None, False, 1.0, 2.0, None),
    ):
        assert row(target, more=more).met(before, now, compared=True) is met, (target, more, before, now)
    assert row(seven).met(None, 1.0, compared=False) is None


@pytest.mark.parametrize("block", [7, 1000])
def test_the_oracle_counts_true_neighbours_once(
    search: ModuleType, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "BLOCK", block)
    vectors = np.random.default_rng(0).standard_normal((60, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[50:] = vectors[0]  # equally near, so equally right
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    own = np.arange(60)
    true = np.argsort(-cosines, axis=1)[:, :5]
    assert search.recall(vectors, vectors, own, true) == 1.0
    assert search.recall(vectors, vectors[:1], own[:1], np.array([[50, 51, 52, 58, 59]])) == 1.0
    assert search.recall(vectors, vectors[:1], own[:1], np.array([[50, 50, 50, 50, 50]])) == 0.2
    worst = np.argsort(cosines, axis=1)[:, 1:6]
    assert search.recall(vectors, vectors, own, worst) == 0.0


@pytest.mark.slow
def test_the_benchmark_of_scale_measures_a_gallery_that_it_makes_itself(tmp_path: Path) -> None:
    names = tmp_path / "names"
    names.mkdir()
    (names / "app_names.json").write_text(json.dumps([f"Ember {letter} Hollow" for letter in "abcdefgh"]))
    command = [sys.executable, str(BENCHMARKS / "scale.py"), "--games", "150", "--picture", "16x24"]
    command += ["--names", str(names), "--json", str(tmp_path / "figures.json")]
    for row in ("recall-100", "memory-build", "recall-covers"):
        command += ["--only", row]
    done = subprocess.run(
        command,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert (tmp_path / "figures.json").exists(), done.stderr
    record = json.loads((tmp_path / "figures.json").read_text())
    figures = {row["row"]: row for row in record["rows"]}
    assert list(figures) == ["recall-100", "memory-build", "memory-build-seconds"]
    assert not any(row["failed"] for row in figures.values())
    assert figures["recall-100"]["now"] == 1.0
    assert 10 < figures["memory-build"]["now"] < 1000
    assert done.returncode == int(any(row["met"] is False for row in figures.values()))
    assert "real covers: skipped" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figures.json", "names"]


def test_what_the_benchmarks_measured_is_on_the_pages() -> None:
    generate = runpy.run_path(str(ROOT / "docs/scale.py"))
    for path, parts in generate["PAGES"].items():
        assert path.read_text("utf-8") == generate["page"](path, parts), "run: python docs/scale.py"


def test_figures_become_tables_with_the_growth_of_each_cost() -> None:
    generate = runpy.run_path(str(ROOT / "docs/scale.py"))
    steps = [{"games": 100, "a s": 1.0, "b ms": 5, "recall": 1.0}, {"games": 10_000, "a s": 100.0, "b ms": 5}]
    assert [generate["growth"](steps, key) for key in ("a s", "b ms", "recall")] == ["10.0", "1.00", ""]
    assert [generate["number"](one) for one in (0, 0.0123, 1.5, 12.34, 1234.5, None, "exact")] == [
        *("0", "0.0123", "1.50", "12.3", "1,234", "-", "exact")
    ]
    row = {"title": "A", "unit": "ms", "before": None, "now": 5.0, "ratio": None, "target": "at most 25 ms"}
    facts = {"games": 1000, "dim": 8, "date": "2026-11-27", "machine": "2 cores"}
    record = {**facts, "rows": [{**row, "met": True, "failed": {"before": "503 after 30 s"}}]}
    assert "| A | 503 after 30 s | 5.00 ms | - | at most 25 ms | reached |" in generate["rows"](record)
