"""The files of a site that searches by pictures."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from steamdino import Snapshot
from steamdino.errors import UsageError
from steamdino.gallery.vectors import Row
from steamdino.index.snapshot_writer import write
from steamdino.present.export.picture_search import coded_vectors as coded
from steamdino.present.export.picture_search.network_files import check_recipe
from steamdino.recipe import Pooling


def _unit(seed: int, rows: int, dim: int) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).standard_normal((rows, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _decoded(levels: bytes, rest: bytes, rows: int, dim: int, step: float) -> NDArray[np.float64]:
    """What a browser makes of them, written anew."""
    whole = np.frombuffer(gzip.decompress(levels), np.int8).reshape(dim, rows).T
    parts = np.frombuffer(rest, np.uint8).reshape(rows, dim)
    return step * (whole + (parts + 0.5) / 256 - 0.5)


@given(st.integers(0, 99), st.integers(1, 70), st.sampled_from([1, 2, 7, 64, 512]))
def test_levels_and_rest_give_each_coordinate_to_a_512th_of_a_step(seed: int, rows: int, dim: int) -> None:
    vectors, step = _unit(seed, rows, dim), coded.step_of(dim)
    found = _decoded(coded.shard(vectors, step), coded.rest(vectors, step), rows, dim, step)
    assert np.abs(found - vectors).max() <= step / 512 * 1.01


def test_thirty_thousand_games_take_less_than_eight_megabytes() -> None:
    """For vectors as random as they can be; those of a whitening vary a little from coordinate to coordinate."""
    vectors = _unit(0, 2 * coded.ROWS, 512)
    step = coded.step_of(512)
    sizes = [len(coded.shard(vectors[start : start + coded.ROWS], step)) for start in (0, coded.ROWS)]
    assert sum(sizes) * 30_000 / len(vectors) < 8e6
    assert coded.shard(vectors[:9], step) == coded.shard(vectors[:9].copy(), step)


def test_every_file_has_the_size_and_the_digest_that_it_is_named_with(site: Path) -> None:
    page = (site / "index.html").read_text("utf-8")
    place = re.search(r'data-search="([^"]+)"', page)
    assert place
    facts: dict[str, Any] = json.loads((site / place[1]).read_text("utf-8"))
    files = [facts[name] for name in ("runtime", "wasm", "network", "whitening", "games")]
    for file in [*files, *facts["vectors"]]:
        data = (site / file["path"]).read_bytes()
        assert len(data) == file["bytes"]
        assert hashlib.sha256(data).hexdigest()[:12] == file["path"].split(".")[-2]
    assert sum(file["rows"] for file in facts["vectors"]) == facts["rows"] == 476
    assert sum(facts[name]["bytes"] for name in ("runtime", "wasm", "network", "whitening")) < 6e6
    for text in page, (site / "sw.js").read_text("utf-8"):
        for name in re.findall(r"(?:app|worker|site|theme)\.[0-9a-f]{12}\.(?:js|css)", text):
            assert (site / name).is_file()
    assert "unsafe-eval" not in page.replace("wasm-unsafe-eval", "")
    licences = (site / "data" / "search" / "licences.txt").read_text("utf-8")
    assert "Copyright (c) Microsoft Corporation" in licences
    assert "ML Illustrated" in licences


def test_the_vectors_of_the_site_are_those_of_the_snapshot(site: Path, built: Path) -> None:
    snapshot = Snapshot.open(built)
    (manifest,) = (site / "data" / "search").glob("search.*.json")
    facts = json.loads(manifest.read_text("utf-8"))
    games = json.loads(gzip.decompress((site / facts["games"]["path"]).read_bytes()))
    assert games["ids"] == snapshot.ids
    for name, digits in zip(games["names"], games["pictures"], strict=True):
        assert digits == "" or (site / "banners" / digits[:2] / f"{digits}.jpg").is_file(), name
    (shard,) = facts["vectors"]
    rests = b"".join(
        (site / facts["rest"]["path"].format(folder=0, number=number)).read_bytes()
        for number in range(-(-len(snapshot) // coded.REST_ROWS))
    )
    levels = (site / shard["path"]).read_bytes()
    found = _decoded(levels, rests, len(snapshot), snapshot.recipe.dim, facts["step"])
    assert np.abs(found - snapshot.vectors).max() <= facts["step"] / 512 * 1.01


def test_recipes_that_browsers_do_not_compute_are_refused(built: Path, tmp_path: Path) -> None:
    recipe = Snapshot.open(built).recipe
    check_recipe(Snapshot.open(built))
    for n, other in enumerate(
        (
            replace(recipe, model="dino-vits16"),
            replace(recipe, pooling=Pooling("simple")),
            replace(recipe, projection=None),
            replace(recipe, transform=replace(recipe.transform, mode="fit")),
        )
    ):
        rows = [Row("10", "Game", "steam", "", "", f"{1:064x}", "{}")]
        place = write(tmp_path / "snapshots" / str(n), other, 1, rows, [], _unit(0, 1, recipe.dim), {})
        with pytest.raises(UsageError, match="--picture-search needs the network in this package"):
            check_recipe(Snapshot.open(place))
