"""Quantised vectors: what they propose is ranked exactly, and nothing that is nearer is missed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_index_contract import few_values, unit_rows

from steamdino.errors import SnapshotError
from steamdino.index import quantised_rows
from steamdino.index.distinct_rows import DistinctRows
from steamdino.index.exact import ExactIndex
from steamdino.index.mean_split import MeanSplit, padded
from steamdino.index.quantised import DEEP, Examination, QuantisedIndex
from steamdino.index.quantised_rows import CODES, ROWS, QuantisedRows

Vectors = np.ndarray


class EagerIndex(QuantisedIndex):
    """Trusts the quantised vectors as early as it may, however few rows there are."""

    EXAMINED: ClassVar[Mapping[int, Examination]] = {
        bits: usual._replace(first=17, most=10**6) for bits, usual in QuantisedIndex.EXAMINED.items()
    }
    WIDEST: ClassVar[int] = 1
    WHOLE: ClassVar[int] = 0


def clustered(count: int, dim: int, seed: int = 0) -> Vectors:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(max(2, count // 50), dim))[rng.integers(0, max(2, count // 50), count)]
    return unit(rows + 1.2 * rng.normal(size=(count, dim)))


def unit(rows: Vectors) -> Vectors:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def with_blanks() -> Vectors:
    rows = clustered(6000, 64)
    rows[np.random.default_rng(1).permutation(6000)[:2000]] = rows[0]
    return rows


def with_near_copies() -> Vectors:
    rows = clustered(6000, 64)
    rows[1000:3000] = unit(rows[1000] + 0.004 * np.random.default_rng(1).normal(size=(2000, 64)))
    return rows


HOSTILE: dict[str, Callable[[], Vectors]] = {
    "blanks": with_blanks,
    "near copies": with_near_copies,
    "cosines near one": lambda: unit(clustered(6000, 64) + 10 * unit_rows(1, 64, 9)),
    "no clusters": lambda: unit_rows(6000, 64, 0),
    "an odd dimension": lambda: clustered(6000, 67),
    "few dimensions": lambda: unit_rows(6000, 5, 0),
}


def missed(index: QuantisedIndex, k: int, among: np.ndarray | None = None) -> int:
    """Counts the neighbours of 100 rows that an exact search finds and this one does not, by cosine."""
    rows = np.random.default_rng(3).permutation(len(index))[:100]
    found = index.neighbours(k, rows=rows, among=among)
    true = ExactIndex(index.vectors).neighbours(k, rows=rows, among=among)
    assert found.rows.shape == true.rows.shape
    return int((found.cosines < true.cosines[:, -1:] - 2e-6).sum())


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_no_neighbour_is_missed_in_hostile_data(make: Callable[[], Vectors]) -> None:
    index = EagerIndex.build(make())
    for k in (1, 10, 100):
        assert missed(index, k) == 0
    for share in (0.01, 0.1, 0.9):
        assert missed(index, 10, np.random.default_rng(4).random(len(index)) < share) == 0


@pytest.fixture
def two_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexes get the codes that they have from half a million vectors on."""
    monkeypatch.setattr(quantised_rows, "MANY_VECTORS", 1)


@pytest.mark.quick_cases(1)
@pytest.mark.usefixtures("two_bits")
@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_two_bits_miss_one_neighbour_in_a_thousand_at_most(make: Callable[[], Vectors]) -> None:
    index = EagerIndex.build(make())
    assert index._rows.bits == 2
    for k in (1, 10, 100):
        assert missed(index, k) <= 100 * k / 1000
    for share in (0.01, 0.1, 0.9):
        assert missed(index, 10, np.random.default_rng(4).random(len(index)) < share) <= 1


@pytest.mark.usefixtures("two_bits")
@pytest.mark.parametrize("copies", [0, 5000])
def test_two_bits_miss_one_neighbour_in_a_thousand_at_most_where_the_library_first_selects_by_one(
    copies: int,
) -> None:
    rows = clustered(40_000, 64)
    rows[:copies] = unit(rows[0] + 0.004 * np.random.default_rng(1).normal(size=(copies, 64)))
    index = type("WideIndex", (QuantisedIndex,), {"WIDEST": 48}).build(rows)
    assert missed(index, 10) <= 1


@pytest.mark.usefixtures("two_bits")
def test_two_bits_take_half_as_much_memory_and_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = clustered(4000, 256)
    sizes = {}
    for bits, many in ((2, 4000), (4, 4001)):
        monkeypatch.setattr(quantised_rows, "MANY_VECTORS", many)
        folder = tmp_path / str(bits)
        folder.mkdir()
        EagerIndex.build(vectors).save(folder)
        sizes[bits] = (folder / CODES).stat().st_size
        opened = EagerIndex.open(folder, vectors)
        assert opened._rows.bits == bits
        assert missed(opened, 10) == 0
    assert sizes[2] < 0.6 * sizes[4]
    (tmp_path / "2" / CODES).write_bytes((tmp_path / "4" / CODES).read_bytes())
    with pytest.raises(SnapshotError, match="it is of other vectors"):
        EagerIndex.open(tmp_path / "2", vectors).nearest(vectors[0], 3)


@pytest.mark.parametrize(
    ("bits", "k", "possible", "counts"),
    [
        (4, 10, 10**6, [84, 504]),
        (4, 1, 10**6, [48, 288, 1728]),
        (4, 10, 83, []),
        (2, 10, 10**6, [200, 2400, 4800]),
        (2, 100, 10**6, [560, 4800]),
        (2, 100, 3906, [560, 3906]),
        (2, 100, 560, [560]),
        (2, 100, 559, []),
    ],
)
def test_candidates_become_more_until_all_rows_are_compared(
    bits: int, k: int, possible: int, counts: list[int]
) -> None:
    assert list(QuantisedIndex.EXAMINED[bits].counts(k, possible)) == counts


@pytest.mark.usefixtures("two_bits")
@pytest.mark.parametrize(("count", "proposed"), [(24, 24), (25, 72), (71, 72), (72, 72), (2000, 1000)])
def test_more_vectors_are_proposed_where_the_library_is_slow_with_fewer(count: int, proposed: int) -> None:
    rows = QuantisedRows.build(clustered(3000, 64))
    allowed = np.arange(3000) < 1000
    assert rows.propose(clustered(3000, 64)[:2], count, allowed).numbers.shape == (2, proposed)


def test_an_index_that_names_no_bits_has_four(tmp_path: Path) -> None:
    index = EagerIndex.build(clustered(2000, 64))
    index.save(tmp_path)
    with np.load(tmp_path / ROWS) as stored:
        arrays = dict(stored)
    del arrays["bits"]
    np.savez(tmp_path / ROWS, **arrays)
    assert missed(EagerIndex.open(tmp_path, index.vectors), 10) == 0
    np.savez(tmp_path / ROWS, **arrays, bits=3)
    with pytest.raises(ValueError, match="codes of 3 bits"):
        EagerIndex.open(tmp_path, index.vectors)


def test_a_thousand_matches_are_found() -> None:
    assert missed(EagerIndex.build(clustered(6000, 64)), 1000) == 0


@given(st.data())
def test_the_order_is_that_of_an_exact_search_with_equal_rows_masks_and_exclusions(
    data: st.DataObject,
) -> None:
    count, seed = data.draw(st.integers(1, 600)), data.draw(st.integers(0, 10**6))
    index = EagerIndex.build(few_values(count, data.draw(st.integers(1, 4)), seed))
    rng = np.random.default_rng(seed)
    share = data.draw(st.sampled_from([None, 0.02, 0.5]))
    among = None if share is None else rng.random(count) < share
    exclude = rng.permutation(count)[: data.draw(st.sampled_from([0, 1, 40]))].tolist()
    k = data.draw(st.integers(1, count + 1))
    found = index.nearest(index.vectors[0], k, exclude=exclude, among=among)
    true = ExactIndex(index.vectors).nearest(index.vectors[0], k, exclude=exclude, among=among)
    assert found.rows.tolist() == true.rows.tolist()
    assert found.cosines.tolist() == true.cosines.tolist()


def test_a_query_takes_more_candidates_where_the_first_ones_are_not_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index = EagerIndex.build(with_near_copies())
    asked = []
    propose = QuantisedRows.propose

    def watched(self: QuantisedRows, queries: Vectors, count: int, mask: np.ndarray | None) -> object:
        asked.append(count)
        return propose(self, queries, count, mask)

    monkeypatch.setattr(QuantisedRows, "propose", watched)
    index.nearest(index.vectors[0], 10, exclude=[0])
    assert asked == [57]
    index.nearest(index.vectors[1500], 10, exclude=[1500])
    assert asked[1:3] == [57, 342]


def test_identical_rows_are_indexed_once() -> None:
    index = QuantisedIndex.build(np.repeat(unit_rows(50, 16, 0), 3, axis=0))
    assert len(index) == 150
    assert len(index._rows.distinct) == 50
    assert index.nearest(index.vectors[4], 4, exclude=[4]).rows[:2].tolist() == [3, 5]


def test_vectors_with_a_number_that_is_not_finite_are_refused() -> None:
    rows = unit_rows(30, 8, 0)
    for value in (np.nan, np.inf):
        rows[7, 3] = value
        with pytest.raises(ValueError, match="not finite"):
            QuantisedIndex.build(rows)


def test_threads_share_an_index() -> None:
    index = EagerIndex.build(clustered(4000, 64))
    true = [index.nearest(index.vectors[row], 10, exclude=[row]).rows.tolist() for row in range(40)]
    found: dict[int, list[int]] = {}

    def search(first: int) -> None:
        for row in range(first, 40, 4):
            found[row] = index.nearest(index.vectors[row], 10, exclude=[row]).rows.tolist()

    threads = [threading.Thread(target=search, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[row] for row in range(40)] == true


@pytest.mark.parametrize("name", [CODES, ROWS])
@pytest.mark.parametrize("damage", ["empty", "cut", "zeros", "other"])
def test_a_damaged_file_is_refused(tmp_path: Path, name: str, damage: str) -> None:
    index = QuantisedIndex.build(few_values(300, 3, 0))
    index.save(tmp_path)
    file = tmp_path / name
    content = file.read_bytes()
    if damage == "other":
        (tmp_path / "other").mkdir()
        QuantisedIndex.build(unit_rows(290, 3, 0)).save(tmp_path / "other")
        content = (tmp_path / "other" / name).read_bytes()
    else:
        content = {"empty": b"", "cut": content[: len(content) // 2], "zeros": bytes(len(content))}[damage]
    file.write_bytes(content)
    if name == ROWS:
        with pytest.raises(ValueError):
            QuantisedIndex.open(tmp_path, index.vectors)
        return
    opened = EagerIndex.open(tmp_path, index.vectors)
    for _ in range(2):
        with pytest.raises(
            SnapshotError, match=r"is damaged \(quantised\.tv: .+\); run: steam-dino build --rebuild"
        ):
            opened.nearest(index.vectors[0], 3)


def test_the_codes_are_read_at_the_first_search_by_one_of_many_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = EagerIndex.build(clustered(2000, 64))
    index.save(tmp_path)
    reads: list[str] = []
    library = quantised_rows._library

    def watched() -> object:
        reads.append(threading.current_thread().name)
        time.sleep(0.05)
        return library()

    monkeypatch.setattr(quantised_rows, "_library", watched)
    opened = EagerIndex.open(tmp_path, index.vectors)
    assert reads == []
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda row: opened.nearest(index.vectors[row], 5).rows.tolist(), range(8)))
    assert len(reads) == 1
    assert found == [index.nearest(index.vectors[row], 5).rows.tolist() for row in range(8)]


def test_a_snapshot_that_is_pruned_before_its_first_search_is_searched_exactly(tmp_path: Path) -> None:
    index = EagerIndex.build(clustered(2000, 64))
    index.save(tmp_path)
    opened = EagerIndex.open(tmp_path, index.vectors)
    (tmp_path / CODES).unlink()
    assert (
        opened.nearest(index.vectors[7], 5).rows.tolist() == index.nearest(index.vectors[7], 5).rows.tolist()
    )
    with pytest.raises(FileNotFoundError):
        EagerIndex.open(tmp_path, index.vectors)


def test_equal_vectors_give_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        QuantisedIndex.build(clustered(500, 16)).save(tmp_path / name)
    assert (tmp_path / "a" / CODES).read_bytes() == (tmp_path / "b" / CODES).read_bytes()


@given(st.integers(0, 60), st.integers(1, 9), st.integers(0, 10**6))
def test_every_row_belongs_to_one_distinct_vector(count: int, dim: int, seed: int) -> None:
    vectors = np.random.default_rng(seed).integers(0, 2, (count, dim)).astype(np.float32)
    distinct = DistinctRows.of(vectors)
    distinct.check(count)
    assert len(distinct) == len(np.unique(vectors, axis=0)) if count else len(distinct) == 0
    rows, places = distinct.rows(np.arange(len(distinct)))
    assert sorted(rows.tolist()) == list(range(count))
    assert (vectors[rows] == vectors[distinct.first[places]]).all()
    among = np.random.default_rng(seed).random(count) < 0.3
    allowed = {vectors[row].tobytes() for row in np.flatnonzero(among)}
    assert [vectors[row].tobytes() in allowed for row in distinct.first] == distinct.allowed(among).tolist()


@given(st.integers(1, 40), st.integers(1, 70), st.floats(0, 20), st.integers(0, 10**6))
def test_turned_vectors_keep_their_dot_products(count: int, dim: int, common: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = unit(rng.normal(size=(count, dim)) + common * rng.normal(size=dim) + 1e-3)
    queries = unit(rng.normal(size=(3, dim)))
    split = MeanSplit.of(lambda: [vectors], dim)
    turned, lacking = split.queries(queries)
    assert turned.shape == (3, padded(dim))
    np.testing.assert_allclose(
        turned @ split.vectors(vectors).T + lacking[:, None], queries @ vectors.T, atol=2e-5
    )


def test_vectors_that_point_in_one_direction_become_short() -> None:
    vectors = unit(clustered(2000, 64) + 10 * unit_rows(1, 64, 9))
    split = MeanSplit.of(lambda: [vectors], 64)
    assert np.linalg.norm(split.vectors(vectors), axis=1).max() < 0.2
    assert np.linalg.norm(split.queries(vectors)[0], axis=1).max() < 0.2


def test_many_neighbours_of_many_rows_are_found_without_estimates(monkeypatch: pytest.MonkeyPatch) -> None:
    index = EagerIndex.build(clustered(2000, 64))

    def refused(*_: object) -> object:
        raise AssertionError

    monkeypatch.setattr(QuantisedRows, "propose", refused)
    mine, theirs = index.neighbours(DEEP), ExactIndex(index.vectors).neighbours(DEEP)
    assert mine.rows.tobytes() == theirs.rows.tobytes()
    assert mine.cosines.tobytes() == theirs.cosines.tobytes()


@pytest.mark.parametrize("k", [10, DEEP])
def test_the_cosines_of_all_answers_are_equal_to_the_last_bit(k: int) -> None:
    index = EagerIndex.build(clustered(2000, 64))
    exact = ExactIndex(index.vectors)
    found = index.neighbours(k)
    assert found.cosines.tobytes() == exact.neighbours(k).cosines.tobytes()
    for row in (0, 77, 1999):
        for kind in (index, exact):
            nearest = kind.nearest(index.vectors[row], k, exclude=[row])
            assert nearest.rows.tolist() == found.rows[row].tolist()
            assert nearest.cosines.tobytes() == found.cosines[row].tobytes()
        assert index.similarity(int(found.rows[row, 0]), row) == found.cosines[row, 0]
