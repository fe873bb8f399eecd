"""Files and links that are named by what a snapshot holds stay where they belong, whatever it holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from steamdino import Snapshot, unique
from steamdino.analysis.evaluation.collection import Collection
from steamdino.analysis.evaluation.descriptors import Descriptor
from steamdino.analysis.neighbourhood import Neighbourhood
from steamdino.errors import SnapshotError
from steamdino.features.recipe_parser import named
from steamdino.gallery.layout import copy_path
from steamdino.gallery.vectors import Row
from steamdino.index.exact import ExactIndex
from steamdino.index.snapshot_writer import write
from steamdino.present.export import ranking_comparison
from steamdino.present.export.banner_urls import SteamPictures
from steamdino.present.export.legacy_export import write_arrays
from steamdino.present.export.site import write_site
from steamdino.recipe import SRGB
from steamdino.records import Game


def _snapshot(folder: Path, *, digest: str, recipe: str = "bundled") -> Snapshot:
    """Of a folder, as a stranger could have made it, with pictures that are there."""
    from PIL import Image

    rows = []
    for number in range(3):
        picture = folder / f"{number}.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (60, 90), (number, 0, 0)).save(picture)
        content = digest if number == 1 else str(number) * 64
        rows.append(Row(str(number), f"Game {number}", "x", None, str(picture), content, "{}"))
    vectors = np.eye(3, 4, dtype=np.float32)
    path = write(
        folder / "snapshots" / "x", replace(named(recipe), dim=4, name=recipe), 1, rows, [], vectors, {}
    )
    return Snapshot.open(path)


def test_a_site_writes_nothing_beside_its_folder(tmp_path: Path) -> None:
    snapshot = _snapshot(tmp_path / "stranger", digest="../" * 3 + "x" * 55)
    out = tmp_path / "a" / "b" / "c" / "site"
    out.parent.mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SnapshotError, match="is not a sha256"):
        write_site(
            out,
            snapshot,
            home=[],
            lonely=unique(snapshot, 3),
            online=SteamPictures(),
            title="x",
        )
    assert sorted(tmp_path.rglob("*")) == before


def test_a_sites_pictures_are_named_by_their_content(tmp_path: Path) -> None:
    snapshot = _snapshot(tmp_path / "own", digest="ab" * 32)
    out = tmp_path / "site"
    write_site(
        out,
        snapshot,
        home=[],
        lonely=unique(snapshot, 3),
        online=SteamPictures(),
        title="x",
    )
    found = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.jpg"))
    assert found == sorted(f"banners/{one[:2]}/{one[:20]}.jpg" for one in ("ab" * 32, "0" * 64, "2" * 64))


def test_arrays_are_named_by_a_recipe_whatever_it_is_called(tmp_path: Path) -> None:
    snapshot = _snapshot(tmp_path / "own", digest="ab" * 32)
    manifest = snapshot._reader.manifest
    snapshot._reader.manifest = replace(manifest, recipe=replace(manifest.recipe, name="../../" + "x" * 500))
    written = write_arrays(tmp_path / "out", Neighbourhood.of(snapshot, 2))
    assert all(path.parent == tmp_path / "out" for path in written)


def test_a_copy_is_named_by_a_digest_only() -> None:
    assert copy_path("ab" * 32, ".JPG").as_posix() == f"banners/ab/{'ab' * 32}.jpg"
    assert copy_path("ab" * 32, "./../x").as_posix() == f"banners/ab/{'ab' * 32}"
    with pytest.raises(ValueError, match="not a sha256"):
        copy_path("../" * 20, ".jpg")


def test_a_link_in_a_ranking_ends_where_it_should() -> None:
    games = tuple(
        Game(str(n), f"Game {n}", "x", "https://a.example/)[x](https://b.example", None, "0" * 64, {})
        for n in range(3)
    )
    vectors = np.eye(3, dtype=np.float32)
    descriptor = Descriptor(
        name="one",
        baseline=True,
        index=ExactIndex(vectors),
        load=lambda _: lambda _: vectors,
        batch=1,
        decoded=None,
        colours=SRGB,
        vector_bytes=12,
        model_bytes=0,
    )
    collection = Collection(games, np.zeros((3, 32), np.uint8), (descriptor,), ())
    text = "\n".join(ranking_comparison.lists(collection, ["0"]))
    assert "](https://a.example/%29%5Bx%5D%28https://b.example)" in text
