"""Pairs of hashes that differ in few bits, against comparing each with each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from steamdino.index import bit_counts, hash_pairs
from steamdino.index.bit_counts import differing_bits
from steamdino.index.hash_pairs import SURE

MOST = 40


def flipped(hashes: NDArray[np.uint8], row: int, bits: NDArray[np.intp]) -> NDArray[np.uint8]:
    changed = np.unpackbits(hashes[row])
    changed[bits] ^= 1
    return np.packbits(changed)


def each_with_each(hashes: NDArray[np.uint8], most: int) -> dict[tuple[int, int], int]:
    unpacked = np.unpackbits(hashes, axis=1)
    found = {}
    for first in range(len(hashes)):
        for second in range(first + 1, len(hashes)):
            if (bits := int((unpacked[first] != unpacked[second]).sum())) <= most:
                found[first, second] = bits
    return found


def found_in(hashes: NDArray[np.uint8], most: int = MOST) -> dict[tuple[int, int], int]:
    first, second, bits = hash_pairs.hash_pairs(hashes, most)
    pairs = list(zip(first.tolist(), second.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    return dict(zip(pairs, bits.tolist(), strict=True))


@st.composite
def galleries(draw: st.DrawFn) -> NDArray[np.uint8]:
    """Some hashes, and copies of them in which up to 50 bits differ: next to each other, or anywhere."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    hashes = rng.integers(0, 256, (draw(st.integers(1, 6)), 32), dtype=np.uint8)
    for _ in range(draw(st.integers(0, 30))):
        bits = draw(st.integers(0, 50))
        places = (
            draw(st.integers(0, 255)) + np.arange(bits)
            if draw(st.booleans())
            else rng.choice(256, bits, replace=False)
        )
        hashes = np.vstack((hashes, flipped(hashes, int(rng.integers(len(hashes))), places % 256)))
    return hashes[rng.permutation(len(hashes))]


@pytest.mark.slow
@given(galleries(), st.integers(0, 50))
def test_all_pairs_that_differ_in_few_bits_are_found(hashes: NDArray[np.uint8], most: int) -> None:
    found, expected = found_in(hashes, most), each_with_each(hashes, most)
    assert found.items() <= expected.items()
    assert {pair for pair, bits in expected.items() if bits <= SURE} <= found.keys()


@pytest.mark.slow
@given(galleries())
def test_many_merges_find_the_same(hashes: NDArray[np.uint8]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hash_pairs, "MERGED", 3)
        patch.setattr(hash_pairs, "COMPARED", 2)
        few = found_in(hashes)
    assert few == found_in(hashes)


def test_the_worst_place_of_the_bits_loses_no_pair() -> None:
    """One bit of each part but two: any other bits leave more parts equal."""
    first = np.random.default_rng(1).integers(0, 256, (1, 32), dtype=np.uint8)
    for start in range(hash_pairs.PARTS):
        bits = (start + np.arange(SURE)) % hash_pairs.PARTS
        assert found_in(np.vstack((first, flipped(first, 0, bits)))) == {(0, 1): SURE}


def test_of_pairs_that_differ_in_a_ninth_of_the_bits_most_are_found() -> None:
    rng = np.random.default_rng(2)
    hashes = rng.integers(0, 256, (1000, 32), dtype=np.uint8)
    copies = np.stack([flipped(hashes, row, rng.choice(256, 28, replace=False)) for row in range(1000)])
    found = found_in(np.vstack((hashes, copies)))
    assert sum((row, row + 1000) in found for row in range(1000)) >= 880
    assert set(found.values()) == {28}


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_hashes_have_few_pairs(count: int) -> None:
    assert found_in(np.zeros((count, 32), np.uint8)) == ({(0, 1): 0} if count == 2 else {})


def test_a_crowd_is_left_out_and_the_others_are_found() -> None:
    rng = np.random.default_rng(3)
    few = rng.integers(0, 256, (1, 32), dtype=np.uint8)
    crowd = np.zeros((hash_pairs.CROWD + 1, 32), np.uint8)
    assert found_in(np.vstack((crowd, few, few))) == {(len(crowd), len(crowd) + 1): 0}
    assert len(found_in(crowd[1:])) == hash_pairs.CROWD * (hash_pairs.CROWD - 1) // 2


@pytest.mark.parametrize("has_count", [False, True])
def test_bits_are_counted_with_and_without_numpys_own_count(
    monkeypatch: pytest.MonkeyPatch, has_count: bool
) -> None:
    if has_count and not hasattr(np, "bitwise_count"):
        pytest.skip("NumPy counts bits from 2.0 on")
    monkeypatch.setattr(bit_counts, "_HAS_COUNT", has_count)
    rng = np.random.default_rng(4)
    first, second = rng.integers(0, 256, (2, 50, 32), dtype=np.uint8)
    expected = (np.unpackbits(first, axis=1) != np.unpackbits(second, axis=1)).sum(axis=1)
    assert differing_bits(first, second).tolist() == expected.tolist()
