"""Copies whose vectors differ are found by their hashes and miniatures."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from steamdino.analysis.duplicate_detection import NO_TIER, TIERS, DuplicatePairs, find_pairs, mirrored
from steamdino.analysis.evaluation.baselines import difference_hash
from steamdino.analysis.hashed_pairs import hashed_pairs, keep_alike
from steamdino.banners.miniature import COLOURS, LENGTH
from steamdino.index.exact import ExactIndex
from steamdino.index.hash_pairs import PARTS

RE_ENCODED, NEAR = TIERS.index("re-encoded"), TIERS.index("near")


def apart(count: int) -> ExactIndex:
    """Vectors of which any two have a cosine of 0.4."""
    vectors = np.sqrt(0.6) * np.eye(count, count + 1, dtype=np.float32)
    vectors[:, count] = np.sqrt(0.4)
    return ExactIndex(vectors.astype(np.float32))


def hashes_apart(*bits: int) -> NDArray[np.uint8]:
    """A hash, and others that differ from it in so many bits."""
    first = np.random.default_rng(0).integers(0, 2, 256, dtype=np.uint8)
    places = np.argsort(
        np.arange(256) % PARTS, kind="stable"
    )  # in few parts of the index, which finds all of them
    others = [first ^ np.isin(np.arange(256), places[:count]) for count in bits]
    return np.packbits(np.stack([first, *others]), axis=1)


def tiers_of(pairs: DuplicatePairs) -> dict[tuple[int, int], int]:
    rows = zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)
    return {pair: tier for pair, tier in zip(rows, pairs.tiers.tolist(), strict=True) if tier != NO_TIER}


def found(
    hashes: NDArray[np.uint8],
    *,
    index: ExactIndex | None = None,
    pictures: Iterable[str] | None = None,
    known: Iterable[bool] | None = None,
    tiers: Iterable[str] = ("re-encoded", "near"),
) -> dict[tuple[int, int], int]:
    count = len(hashes)
    return tiers_of(
        hashed_pairs(
            index or apart(count),
            pictures or map(str, range(count)),
            0.0,
            hashes,
            np.ones(count, np.bool_) if known is None else np.array([*known]),
            tiers=tiers,
        )
    )


def test_the_number_of_bits_decides_the_tier() -> None:
    hashes = hashes_apart(18, 19, 36, 41)
    assert {pair: tier for pair, tier in found(hashes).items() if pair[0] == 0} == {
        (0, 1): RE_ENCODED,
        (0, 2): NEAR,
        (0, 3): NEAR,
    }


def test_the_more_bits_differ_the_more_alike_the_vectors_must_be() -> None:
    """Of some 128 bits in which unrelated hashes differ, 12 are trusted."""
    hashes = hashes_apart(10, 20, 30)
    for cosine, count in ((-0.05, 0), (0.0, 1), (0.08, 2), (0.16, 3)):
        vectors = np.zeros((4, 4), np.float32)
        vectors[0, 0] = 1
        for row in (1, 2, 3):
            vectors[row, 0], vectors[row, row] = cosine, np.sqrt(1 - cosine**2)
        assert sum(pair[0] == 0 for pair in found(hashes, index=ExactIndex(vectors))) == count


def test_only_the_tiers_that_are_wanted_are_found() -> None:
    assert found(hashes_apart(18), tiers=("near",)) == {}
    assert found(hashes_apart(19), tiers=("identical", "re-encoded")) == {}


def test_pairs_that_the_vectors_find_are_not_found_again() -> None:
    vectors = np.array([[1, 0], [0.6, 0.8], [0, 1]], np.float32)
    assert found(hashes_apart(3, 5), index=ExactIndex(vectors)) == {(0, 2): RE_ENCODED}


def test_rows_without_a_hash_and_further_rows_of_a_picture_are_in_no_pair() -> None:
    hashes = hashes_apart(0, 0, 0)
    assert found(hashes, pictures=["a", "a", "b", "c"], known=[True, True, True, False]) == {
        (0, 2): RE_ENCODED
    }


def test_only_pairs_that_are_alike_in_grey_are_kept() -> None:
    greys = np.random.default_rng(1).integers(0, 200, 384)
    greys = np.stack([greys, greys // 2 + 60, greys[::-1], np.full(384, 90), greys])
    table = np.zeros((5, LENGTH), np.uint8)
    table[:, 0] = 1, 1, 1, 1, 7  # frames
    table[:, 4 : 4 + 2 * COLOURS] = np.tile(np.repeat(greys, 3, axis=1), 2)
    first, second = np.array([(0, 1), (0, 2), (0, 3), (0, 4), (1, 2)]).T
    pairs = DuplicatePairs(first, second, np.full(5, NEAR, np.uint8))
    keep_alike(pairs, 5, lambda rows: (table[rows], np.ones(len(rows), np.bool_)))
    assert tiers_of(pairs) == {(0, 1): NEAR}  # neither mirrored, nor blank, nor animated
    keep_alike(pairs, 5, lambda rows: (table[rows], rows != 1))
    assert tiers_of(pairs) == {}


def test_a_hash_is_mirrored_like_its_picture() -> None:
    picture = Image.new("RGB", (160, 240), "navy")
    draw = ImageDraw.Draw(picture)
    for step in range(40):  # no two neighbours are equal
        draw.rectangle((step * 4, 0, step * 4 + 3, 240), fill=(step * 37 % 251,) * 3)
    expected = difference_hash(ImageOps.mirror(picture))
    made = mirrored(difference_hash(picture)[None])[0]
    assert np.unpackbits(made ^ expected).sum() <= 16
    assert np.array_equal(mirrored(mirrored(made[None]))[0], made)


def test_vectors_that_are_not_certain_need_hashes_that_agree_roughly() -> None:
    """Rows 1 and 2 are as similar to row 0 as small pictures are to each other, row 3 is more similar."""
    vectors = np.eye(4, 5, dtype=np.float32)
    for row, cosine in ((1, 0.7), (2, 0.7), (3, 0.8)):
        vectors[row] = 0
        vectors[row, 0], vectors[row, row] = cosine, np.sqrt(1 - cosine**2)
    hashes = hashes_apart(80, 100, 128)

    def tiers(made: NDArray[np.uint8], known: NDArray[np.bool_]) -> dict[tuple[int, int], int]:
        (_, pairs) = find_pairs(ExactIndex(vectors), "abcd", 0.0, lambda rows: (made[rows], known[rows]))
        return {pair: tier for pair, tier in tiers_of(pairs).items() if pair[0] == 0}

    every = np.ones(4, np.bool_)
    assert tiers(hashes, every) == {(0, 1): NEAR, (0, 3): NEAR}
    assert tiers(hashes, every & [True, True, False, True]) == {(0, 1): NEAR, (0, 2): NEAR, (0, 3): NEAR}
    hashes[2] = mirrored(hashes[:1])[0]
    assert tiers(hashes, every) == {(0, 1): NEAR, (0, 2): NEAR, (0, 3): NEAR}


def test_hashes_of_plain_pictures_agree_only_if_their_few_ones_do() -> None:
    """Two small logos differ in few bits, since nearly all bits of both are zeros."""
    vectors = np.array([[1, 0], [0.6, 0.8], [0.6, -0.8]], np.float32)
    bits = np.zeros((3, 256), np.uint8)
    bits[0, 100:130] = bits[1, 103:133] = bits[2, 150:180] = 1
    hashes = np.packbits(bits, axis=1)
    _, pairs = find_pairs(ExactIndex(vectors), "abc", 0.0, lambda rows: (hashes[rows], rows >= 0))
    assert tiers_of(pairs) == {(0, 1): RE_ENCODED}
