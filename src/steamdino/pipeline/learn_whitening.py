"""Learns a whitening on a gallery's own vectors, and whitens them with it."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from itertools import islice

import numpy as np

from steamdino.features.recipe_parser import Spec
from steamdino.features.whitening import Whitening
from steamdino.gallery import Gallery
from steamdino.gallery.layout import VERTICAL
from steamdino.recipe import Recipe

COMMIT_EVERY = 4096
"""Vectors between two commits."""


def known(gallery: Gallery, spec: Spec, base: Recipe) -> Recipe | None:
    """The recipe whose whitening this gallery learned last for a spec; None if it never learned one."""
    found = [
        recipe
        for recipe in gallery.vectors.recipes()
        if recipe.name == spec.label and replace(recipe, projection=None, dim=base.dim) == base
    ]
    return found[-1] if found else None


def learn(gallery: Gallery, spec: Spec, base: Recipe, kind: str = VERTICAL) -> Recipe:
    """Learn a whitening on the vectors of all banners that games show, and store it with its recipe.

    Args:
        gallery: open for writing; holds the vectors under `base`.
        spec: says how the whitened recipe is called and how many dimensions it may keep.
        base: the recipe without the whitening.
        kind: of banner.

    Raises:
        UsageError: there are too few vectors.
    """
    key = gallery.vectors.recipe_key(base)
    count = gallery.vectors.count_shown(key, kind) if key is not None else 0
    with tempfile.TemporaryFile() as file:  # all vectors at once, but not in memory
        if key is not None:
            for vector in gallery.vectors.read(key, gallery.vectors.shown(key, kind)):
                file.write(vector.tobytes())
        file.flush()
        vectors = np.empty((0, base.dim), np.float32)
        if count:
            vectors = np.memmap(file, np.float32, "r", shape=(count, base.dim)).view(np.ndarray)
        whitening = Whitening.learn(vectors, spec.whiten or None)
        del vectors
    data = whitening.to_bytes()
    projection = hashlib.sha256(data).hexdigest()
    recipe = replace(base, projection=projection, dim=whitening.dim, name=spec.label)
    with gallery.transaction():
        gallery.vectors.put_recipe(recipe, data)
    return recipe


def apply(gallery: Gallery, base: Recipe, recipe: Recipe) -> int:
    """Whiten the vectors under `base` of pictures that have none under `recipe` yet; returns how many there were."""
    key, from_key = gallery.vectors.recipe_key(recipe), gallery.vectors.recipe_key(base)
    data = gallery.vectors.whitening(key) if key is not None else None
    if key is None or from_key is None or data is None:
        return 0
    whitening = Whitening.from_bytes(data)
    waiting = gallery.vectors.lacking(key, from_key)
    done = 0
    while some := list(islice(waiting, COMMIT_EVERY)):
        whitened = whitening(np.stack([vector for _, _, vector in some]))
        with gallery.transaction():
            for (sha256, precision, _), row in zip(some, whitened, strict=True):
                gallery.vectors.put(key, precision, [sha256], row[np.newaxis])
        done += len(some)
    return done
