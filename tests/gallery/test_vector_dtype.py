from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from steamdino.errors import GalleryError
from steamdino.features.recipe_parser import named
from steamdino.gallery import Gallery
from steamdino.gallery.vector_dtype import FLOAT16, NEW, dtype_named


def test_a_vector_comes_back_rounded_and_takes_the_bytes_that_it_should() -> None:
    vectors = np.random.default_rng(0).standard_normal((3, 7)).astype(np.float32)
    stored = FLOAT16.to_bytes(vectors)
    assert [len(row) for row in stored] == [FLOAT16.size(7)] * 3 == [14] * 3
    assert stored[0] == vectors[0].astype("<f2").tobytes()
    back = np.stack([FLOAT16.from_bytes(row) for row in stored])
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, vectors.astype(np.float16))


def test_the_database_names_the_kind_of_number_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    recipe = named("bundled")
    vector = np.full((1, recipe.dim), recipe.dim**-0.5, np.float32)
    with Gallery.write(tmp_path / "g", "test", create=True) as gallery:
        with gallery.transaction():
            key = gallery.vectors.put_recipe(recipe)
            gallery.vectors.put(key, "f32", ["a" * 64], vector)
        assert gallery.vectors.damaged() == []
        (read,) = gallery.vectors.read(key, ["a" * 64])
        np.testing.assert_allclose(read, vector[0], atol=1e-4)
    connection = sqlite3.connect(tmp_path / "g/gallery.sqlite")
    assert connection.execute("SELECT dtype FROM recipes").fetchall() == [(NEW.name,)] == [("float16",)]
    connection.execute("UPDATE recipes SET dtype = 'posit8'")
    connection.commit()
    connection.close()
    with Gallery.open(tmp_path / "g") as gallery, pytest.raises(GalleryError, match="'posit8'.*upgrade"):
        list(gallery.vectors.read(key, ["a" * 64]))


def test_a_vector_of_another_length_is_damaged(tmp_path: Path) -> None:
    recipe = named("bundled")
    with Gallery.write(tmp_path / "g", "test", create=True) as gallery:
        with gallery.transaction():
            key = gallery.vectors.put_recipe(recipe)
            for sha256, dim in (("a" * 64, recipe.dim), ("b" * 64, recipe.dim - 1)):
                gallery.vectors.put(key, "f32", [sha256], np.ones((1, dim), np.float32))
        assert gallery.vectors.damaged() == [(key, "b" * 64)]


def test_every_kind_is_found_by_its_name() -> None:
    assert dtype_named("float16") is FLOAT16
