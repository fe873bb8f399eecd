"""The sizes that `steam-dino info` states."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from steamdino.features.recipe_parser import named
from steamdino.gallery import Gallery, layout
from steamdino.gallery.statistics import snapshots_size


def test_the_snapshots_of_every_kind_count_and_a_file_that_two_of_them_share_counts_once(
    tmp_path: Path,
) -> None:
    for size, kind in enumerate(layout.KINDS, 1):
        folder = layout.snapshots_of(tmp_path, "hash", kind)
        for number in ("1", "2"):
            (folder / number).mkdir(parents=True)
            (folder / number / "games.sqlite").write_bytes(bytes(10 * size))
        (folder / "1" / "vectors.npy").write_bytes(bytes(1000 * size))
        os.link(folder / "1" / "vectors.npy", folder / "2" / "vectors.npy")
    other = layout.snapshots_of(tmp_path, "other") / "1"
    other.mkdir(parents=True)
    (other / "vectors.npy").write_bytes(bytes(5))
    assert snapshots_size(tmp_path, "hash") == 2 * (10 + 20 + 30) + (1000 + 2000 + 3000)
    assert snapshots_size(tmp_path, "other") == 5
    assert snapshots_size(tmp_path, "unknown") == 0


def test_a_recipe_takes_the_bytes_of_its_vectors_and_of_its_snapshots(tmp_path: Path) -> None:
    recipe = named("bundled")
    with Gallery.write(tmp_path / "g", "test", create=True) as gallery:
        with gallery.transaction():
            key = gallery.vectors.put_recipe(recipe)
            gallery.vectors.put(key, "f32", ["a" * 64], np.ones((1, recipe.dim), np.float32))
        (statistics,) = gallery.report().recipes
        assert (
            statistics.size == 2 * recipe.dim + 64
        )  # a number of float16 takes two bytes, a digest 64 letters
        folder = gallery.snapshots_of(recipe.hash, "hero") / "1"
        folder.mkdir(parents=True)
        (folder / "vectors.npy").write_bytes(bytes(100))
        report = gallery.report()
    assert report.recipes[0].size == statistics.size + 100
    assert (report.sizes["snapshots"], report.sizes["copied banners"]) == (100, 0)
