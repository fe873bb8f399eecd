"""Vectors and pending pictures are read in pages, so that memory does not grow with their number."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from steamdino.errors import GalleryError
from steamdino.features.recipe_parser import named
from steamdino.gallery import Gallery, vectors
from steamdino.records import Banner, Entry
from steamdino.storage.location import LocalFile

RECIPE = named("bundled")
GAMES = 23
SHA = [hashlib.sha256(str(number % 19).encode()).hexdigest() for number in range(GAMES)]
"""Of each game's picture; some show the same."""


def some(count: int) -> np.ndarray:
    found = np.random.default_rng(count).normal(size=(count, RECIPE.dim)).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


@pytest.fixture
def gallery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gallery]:
    monkeypatch.setattr(vectors, "PAGE", 3)
    with Gallery.write(tmp_path / "g", "test", create=True) as opened:
        with opened.transaction():
            source = opened.games.put_source("folder", tmp_path, steam=False)
            for number, sha256 in enumerate(SHA):
                place = LocalFile(tmp_path / f"{number}.png")
                opened.games.put_game(source, Entry(f"game {number:02}", f"Game {number}", place, {}, ""))
                banner = Banner(place, 1, 1, 1, sha256, 30, 45, "RGB", "PNG")
                opened.banners.put(f"game {number:02}", banner, place)
            opened.vectors.put_recipe(RECIPE)
        yield opened


def test_pending_pictures_come_in_order_and_once_although_vectors_are_stored_meanwhile(
    gallery: Gallery,
) -> None:
    key = gallery.vectors.put_recipe(RECIPE)
    assert gallery.vectors.count_pending(key) == len(set(SHA))
    seen = []
    for one in gallery.vectors.pending(key):
        seen.append(one.sha256)
        assert sorted(one.game_ids) == [f"game {n:02}" for n in range(GAMES) if SHA[n] == one.sha256]
        assert len(one.locations) == len(one.game_ids)
        if len(seen) % 2:  # every other one stays without a vector
            with gallery.transaction():
                gallery.vectors.put(key, "f32", [one.sha256], some(1))
    assert seen == sorted(set(SHA))
    left = [one.sha256 for one in gallery.vectors.pending(key)]
    assert left == seen[1::2]
    assert gallery.vectors.count_pending(key) == len(left)


def test_what_a_recipe_lacks_comes_in_order_and_once_although_it_is_stored_meanwhile(
    gallery: Gallery,
) -> None:
    whitened = named("bundled/raw")
    with gallery.transaction():
        base, key = gallery.vectors.put_recipe(RECIPE), gallery.vectors.put_recipe(whitened)
        gallery.vectors.put(base, "f32", sorted(set(SHA)), some(len(set(SHA))))
        gallery.vectors.put(key, "f32", [sorted(set(SHA))[4]], some(1))
    assert len(list(islice(gallery.vectors.lacking(key, base), 99))) == len(set(SHA)) - 1
    seen = []
    for sha256, precision, vector in gallery.vectors.lacking(key, base):
        seen.append(sha256)
        with gallery.transaction():
            gallery.vectors.put(key, precision, [sha256], vector[np.newaxis])
    assert seen == [one for one in sorted(set(SHA)) if one != sorted(set(SHA))[4]]
    assert list(gallery.vectors.lacking(key, base)) == []


def test_vectors_are_read_in_the_order_that_is_asked_for(gallery: Gallery) -> None:
    different = sorted(set(SHA))
    made = some(len(different))
    with gallery.transaction():
        key = gallery.vectors.put_recipe(RECIPE)
        gallery.vectors.put(key, "f32", different, made)
    read = np.stack(list(gallery.vectors.read(key, iter(SHA))))
    np.testing.assert_array_equal(read, made.astype(np.float16)[[different.index(one) for one in SHA]])
    assert list(gallery.vectors.shown(key)) == different
    assert gallery.vectors.count_shown(key) == len(different)
    with pytest.raises(GalleryError, match=f"{'0' * 64} is missing"):
        list(gallery.vectors.read(key, [SHA[0], "0" * 64]))


@pytest.mark.parametrize("dim", [384, 512, 1536])
def test_a_vector_takes_little_more_room_than_its_numbers(dim: int, tmp_path: Path) -> None:
    recipe = replace(RECIPE, dim=dim)
    count = 1_000
    sha256s = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(count)]
    with Gallery.write(tmp_path / "sized", "test", create=True) as opened:
        with opened.transaction():
            key = opened.vectors.put_recipe(recipe)
        opened.compact()
        before = opened.report().sizes["database"]
        rows = np.random.default_rng(0).normal(size=(count, dim)).astype(np.float32)
        with opened.transaction():
            opened.vectors.put(key, "f32", sha256s, rows / np.linalg.norm(rows, axis=1, keepdims=True))
        opened.compact()
        (stored,) = [one for one in opened.report().recipes if one.dim == dim]
        grown = opened.report().sizes["database"] - before
    assert stored.vectors == {"f32": count}
    assert stored.size == count * (2 * dim + 64)  # float16, and the sha256
    assert grown < 1.6 * stored.size
