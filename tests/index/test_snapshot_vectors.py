"""A snapshot's vectors are copied from the one before, for the games whose pictures are the same."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from steamdino.errors import GalleryError
from steamdino.features.recipe_parser import named
from steamdino.gallery.vectors import Row
from steamdino.index import snapshot_vectors
from steamdino.index.snapshot_writer import write

RECIPE = replace(named("bundled"), dim=4)


def sha256_of(picture: int) -> str:
    return hashlib.sha256(str(picture).encode()).hexdigest()


class Stored:
    """Vectors by pictures, which records what is read."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, sha256s: Iterable[str]) -> Iterator[NDArray[np.float32]]:
        for sha256 in sha256s:
            self.read.append(sha256)
            seed = int(sha256[:8], 16)
            yield np.random.default_rng(seed).normal(size=4).astype(np.float32)


def written(folder: Path, games: Mapping[str, int], stored: Stored, *, anew: bool = False) -> Path:
    rows = (Row(key, key, "source", None, "", sha256_of(shown), "{}") for key, shown in sorted(games.items()))
    return write(folder, RECIPE, 1, rows, iter(()), stored, {}, anew=anew)


GAMES = st.dictionaries(st.sampled_from(["10", "2", "30", "4", "é", "日本", "Z", "a"]), st.integers(0, 5))


@pytest.mark.slow
@example([{"a": 1}, {"Z": 2, "a": 1}])  # a new row before the first one that is copied
@settings(max_examples=40)
@given(st.lists(GAMES, min_size=2, max_size=5))
def test_any_sequence_of_changes_gives_the_vectors_of_a_build_from_nothing(
    steps: list[dict[str, int]],
) -> None:
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshot_vectors, "COPIED", 2)
        before: dict[str, int] = {}
        for games in steps:
            stored = Stored()
            made = written(Path(place) / "one", games, stored)
            new = [sha256_of(shown) for key, shown in sorted(games.items()) if before.get(key) != shown]
            shown = [[pictures[key] for key in sorted(pictures)] for pictures in (before, games)]
            assert stored.read == (
                [] if shown[0] == shown[1] else new
            )  # the file is linked, whatever the ids
            anew = written(Path(place) / "other", games, Stored(), anew=True)
            assert (made / "vectors.npy").read_bytes() == (anew / "vectors.npy").read_bytes()
            before = games


@pytest.mark.parametrize("name", ["vectors.npy", "games.sqlite", "manifest.json"])
def test_nothing_is_copied_from_a_damaged_snapshot(tmp_path: Path, name: str) -> None:
    first = written(tmp_path, {"a": 1, "b": 2}, Stored())
    content = bytearray((first / name).read_bytes())
    content[len(content) // 2 if name.endswith("json") else -8] ^= 128
    (first / name).write_bytes(content)
    stored = Stored()
    second = written(tmp_path, {"a": 1, "b": 2, "c": 3}, stored)
    assert stored.read == [sha256_of(1), sha256_of(2), sha256_of(3)]
    expected = np.stack(list(Stored()(stored.read)))
    np.testing.assert_allclose(
        np.load(second / "vectors.npy"), expected / np.linalg.norm(expected, axis=1, keepdims=True), rtol=1e-6
    )


def test_vectors_that_are_missing_or_too_short_are_errors(tmp_path: Path) -> None:
    rows = [Row(key, key, "source", None, "", sha256_of(1), "{}") for key in ("a", "b")]
    for vectors, reason in (
        ([np.ones(4)], "1 stored vectors are missing"),
        ([np.ones(3)] * 2, "3 numbers, not 4"),
    ):
        with pytest.raises(GalleryError, match=reason):
            write(tmp_path, RECIPE, 1, rows, [], [one.astype(np.float32) for one in vectors], {})
    assert list(tmp_path.iterdir()) == []
