"""The map: its grid for any points, its layout against the fictional store's truth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino import Snapshot
from steamdino.analysis.map import layout
from steamdino.analysis.map_grid import grid
from steamdino.records import Progress
from steamdino.sample import FictionalGame

Store = tuple[Path, tuple[FictionalGame, ...]]


@pytest.fixture(scope="module")
def snapshot(built: Path) -> Snapshot:
    return Snapshot.open(built)


@pytest.fixture(scope="module")
def points(snapshot: Snapshot) -> np.ndarray:
    return layout(snapshot.index)


@given(st.integers(0, 400), st.integers(0, 10**6), st.booleans())
def test_each_point_gets_a_cell_of_its_own(count: int, seed: int, few_places: bool) -> None:
    rng = np.random.default_rng(seed)
    places = rng.integers(0, 3, (count, 2)) if few_places else rng.standard_normal((count, 2))
    cells, (rows, columns) = grid(places.astype(np.float64))
    assert len({tuple(cell) for cell in cells.tolist()}) == count
    assert (cells >= 0).all() and (cells < (rows, columns)).all()
    assert rows * columns >= count
    assert rows * columns < count + 2 * columns + 2


@given(st.integers(1, 9), st.integers(0, 10**6))
def test_points_that_lie_on_the_grid_stay_there(half: int, seed: int) -> None:
    rows, columns = 2 * half, 3 * half  # a full grid as wide as high
    order = np.random.default_rng(seed).permutation(rows * columns)
    places = np.stack(np.divmod(order, columns), axis=1)
    cells, shape = grid(places[:, ::-1].astype(np.float64))
    assert shape == (rows, columns)
    assert cells.tolist() == places.tolist()


@pytest.mark.slow
def test_the_layout_is_the_same_each_time(snapshot: Snapshot, points: np.ndarray) -> None:
    seen: dict[str, list[tuple[int, int]]] = {}

    @contextmanager
    def stage(description: str, unit: str) -> Iterator[Progress]:
        yield lambda done, total: seen.setdefault(f"{description} {unit}", []).append((done, total))

    again = layout(snapshot.index, stage=stage)
    assert again.tobytes() == points.tobytes()
    assert {what: told[-1] for what, told in seen.items()} == {
        "Comparing games": (476, 476),
        "Arranging steps": (750, 750),
    }


def test_franchises_sit_together(snapshot: Snapshot, points: np.ndarray, fictional_store: Store) -> None:
    _, games = fictional_store
    series = {game.id: game.franchise for game in games}
    theme = {game.id: game.theme for game in games}
    cells, _ = grid(points)
    beside = np.abs(cells[:, np.newaxis] - cells).max(axis=2) <= 1
    np.fill_diagonal(beside, False)
    own = [row for row, key in enumerate(snapshot.ids) if series[key]]
    names = np.array([series[key] for key in snapshot.ids])
    with_sibling = np.mean([(names[beside[row]] == names[row]).any() for row in own])
    assert len(own) > 150
    assert with_sibling > 0.75, f"{with_sibling:.2f}; in a shuffled map 0.04"
    themes = np.array([theme[key] for key in snapshot.ids])
    alike = (themes[:, np.newaxis] == themes)[beside].mean()
    assert alike > 0.6, f"{alike:.2f} of the cells around are of the same theme; in a shuffled map 0.06"


@pytest.mark.parametrize("count", [0, 1, 2, 3, 15, 16, 40])
def test_few_games_have_a_map_too(snapshot: Snapshot, count: int) -> None:
    places = layout(snapshot.index.subset(np.arange(count)))
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()
    assert places.tobytes() == layout(snapshot.index.subset(np.arange(count))).tobytes()
