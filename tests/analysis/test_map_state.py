"""A layout that was interrupted, at any place, ends as an undisturbed one does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from steamdino.analysis import map as analysis
from steamdino.analysis.map_axes import main_axes
from steamdino.analysis.map_state import NEIGHBOURS, STATE
from steamdino.index.exact import ExactIndex
from steamdino.index.vector_index import Neighbours
from steamdino.records import Progress


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer iterations, and a state every few of them."""
    monkeypatch.setattr(analysis, "EARLY", 30)
    monkeypatch.setattr(analysis, "LATE", 50)
    monkeypatch.setattr(analysis, "STEP", 10)
    monkeypatch.setattr(analysis, "REPORT", 5)
    monkeypatch.setattr(analysis, "BLOCK", 50)


class CountingIndex(ExactIndex):
    """Counts the rows whose neighbours were asked for."""

    asked = 0

    def neighbours(self, k: int, *, rows: NDArray[np.intp] | None = None, **rest: Any) -> Neighbours:
        assert rows is not None
        type(self).asked += len(rows)
        return super().neighbours(k, rows=rows, **rest)


def vectors(count: int = 220, dim: int = 24) -> NDArray[np.float32]:
    rng = np.random.default_rng(7)
    made = rng.standard_normal((12, dim))[rng.integers(0, 12, count)] + 0.5 * rng.standard_normal(
        (count, dim)
    )
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def stopping(what: str, at: int) -> tuple[Callable[..., Any], list[int]]:
    """A stage that is interrupted, as by Ctrl-C, when so much is done; and what was reported until then."""
    told: list[int] = []

    @contextmanager
    def stage(description: str, unit: str) -> Iterator[Progress]:
        def report(done: int, total: int) -> None:
            if description == what:
                told.append(done)
                if done >= at:
                    raise KeyboardInterrupt

        yield report

    return stage, told


@pytest.mark.parametrize("large", [20_000, 100])
@pytest.mark.parametrize("at", [5, 20, 35, 65])
def test_a_layout_that_was_stopped_continues_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: int, at: int
) -> None:
    monkeypatch.setattr(analysis, "LARGE", large)
    index, rows = ExactIndex(vectors()), np.arange(3, 217)
    undisturbed = analysis.layout(index, rows)
    stage, _ = stopping("Arranging", at)
    with pytest.raises(KeyboardInterrupt):
        analysis.layout(index, rows, kept=tmp_path, stage=stage)
    stage, told = stopping("Arranging", 10**9)
    continued = analysis.layout(index, rows, kept=tmp_path, stage=stage)
    assert told[0] == at // 10 * 10 - 10 * (at % 10 == 0) + 5  # after the last state that was kept
    assert continued.tobytes() == undisturbed.tobytes()
    again = analysis.layout(index, rows, kept=tmp_path)
    assert again.tobytes() == undisturbed.tobytes()


def test_neighbours_that_were_found_are_not_searched_again(tmp_path: Path) -> None:
    index, rows = CountingIndex(vectors()), np.arange(220)
    undisturbed = analysis.layout(index, rows)
    stage, _ = stopping("Comparing", 100)
    with pytest.raises(KeyboardInterrupt):
        analysis.layout(index, rows, kept=tmp_path, stage=stage)
    CountingIndex.asked = 0
    assert analysis.layout(index, rows, kept=tmp_path).tobytes() == undisturbed.tobytes()
    assert CountingIndex.asked == 120


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def blank(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def cut_in_zeros(path: Path) -> None:
    data = path.read_bytes()
    half = len(data) // 2
    path.write_bytes(data[:half] + bytes(len(data) - half))


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("harm", [cut, blank, cut_in_zeros])
@pytest.mark.parametrize("names", [(NEIGHBOURS,), (STATE,), (NEIGHBOURS, STATE)])
def test_a_state_that_a_power_cut_damaged_is_computed_again(
    tmp_path: Path, harm: Callable[[Path], None], names: tuple[str, ...]
) -> None:
    index, rows = ExactIndex(vectors()), np.arange(220)
    undisturbed = analysis.layout(index, rows)
    stage, _ = stopping("Arranging", 35)
    with pytest.raises(KeyboardInterrupt):
        analysis.layout(index, rows, kept=tmp_path, stage=stage)
    for name in names:
        harm(tmp_path / name)
    assert analysis.layout(index, rows, kept=tmp_path).tobytes() == undisturbed.tobytes()


@pytest.mark.parametrize("rows", [np.arange(5, 215), np.arange(0, 220, 3)])
def test_some_rows_are_arranged_as_if_there_were_no_others(rows: NDArray[np.intp]) -> None:
    made = vectors()
    some = analysis.layout(ExactIndex(made), rows)
    assert some.tobytes() == analysis.layout(ExactIndex(made[rows])).tobytes()


def test_equal_games_are_arranged_too() -> None:
    made = np.tile(vectors(1), (40, 1))
    assert np.isfinite(analysis.layout(ExactIndex(made))).all()


def test_main_axes_are_those_of_a_singular_value_decomposition() -> None:
    made = vectors(5000, 16)
    centred = made.astype(np.float64) - made.mean(axis=0, dtype=np.float64)
    left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    expected = np.abs((left * lengths)[:, :2])
    assert np.abs(main_axes(made, np.arange(5000))) == pytest.approx(expected, abs=1e-9)
