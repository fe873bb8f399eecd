"""A library that was moved keeps its ids, vectors and decisions; it is recognised by what is in its pictures."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from steamdino import Snapshot, add, build
from steamdino.errors import SourceError, UsageError
from steamdino.gallery import Gallery
from steamdino.gallery.curation import Decision
from steamdino.gallery.relocation import _moved
from steamdino.pipeline.doctor import examine

Run = Callable[..., "subprocess.CompletedProcess[str]"]

NAMES = ["a", "b/c", "b/d", "e f", "ü"]


def library(root: Path, names: list[str] = NAMES, seed: int = 0) -> Path:
    for n, name in enumerate(names):
        path = root / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = np.random.default_rng(seed + n).integers(0, 256, (6, 4, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((60, 90)).save(path)
    return root


def moved(old: Path, new: Path) -> Path:
    new.parent.mkdir(parents=True, exist_ok=True)
    return shutil.move(old, new)


def state(gallery: Path) -> dict[str, Any]:
    with Gallery.open(gallery) as opened:
        places = {one.game_id: (one.location.address, one.sha256) for one in opened.banners.known()}
        return {"places": places, "games": opened.games.count(), "sources": len(opened.report().sources)}


def test_a_moved_folder_keeps_its_ids_vectors_and_decisions_and_no_picture_is_encoded_again(
    tmp_path: Path,
) -> None:
    old = library(tmp_path / "old" / "covers")
    add(tmp_path / "g", old)
    build(tmp_path / "g")
    with Gallery.write(tmp_path / "g", "test") as opened, opened.transaction():
        opened.curation.decide([Decision("a", "b/c", "different")])
    before = Snapshot.open(tmp_path / "g")

    new = moved(old, tmp_path / "elsewhere" / "pictures")
    summary = add(tmp_path / "g", new, moved_from=str(old))
    assert (summary.new, summary.changed, summary.unchanged, summary.gone) == (0, 0, len(NAMES), 0)
    built = build(tmp_path / "g")
    assert built.encoded == 0
    after = Snapshot.open(tmp_path / "g")
    assert after.ids == before.ids
    assert np.array_equal(after.vectors, before.vectors)
    for game in after.games(range(len(after))):
        assert game.location is not None
        assert game.location.read().sha256 == game.sha256
    with Gallery.open(tmp_path / "g") as opened:
        assert len(list(opened.curation.decisions())) == 1
    assert [one.text for one in examine(tmp_path / "g") if not one.harmless] == []


def test_what_changed_while_it_was_moved_is_found(tmp_path: Path) -> None:
    old = library(tmp_path / "old")
    add(tmp_path / "g", old)
    new = moved(old, tmp_path / "new")
    library(new, ["a"], seed=50)
    library(new, ["z"], seed=60)
    (new / "e f.png").unlink()
    summary = add(tmp_path / "g", new, moved_from="old")  # its name in the gallery
    assert (summary.new, summary.changed, summary.unchanged, summary.gone) == (1, 1, 3, 1)


def test_copies_in_the_gallery_stay_where_they_are(tmp_path: Path) -> None:
    old = library(tmp_path / "old")
    add(tmp_path / "g", old, copy=True)
    copies = state(tmp_path / "g")["places"]
    new = moved(old, tmp_path / "new")
    assert add(tmp_path / "g", new, moved_from=str(old)).unchanged == len(NAMES)
    assert state(tmp_path / "g")["places"] == copies


@pytest.mark.parametrize("form", ["table", "archive"])
def test_a_moved_table_or_archive_is_the_same_source(form: str, tmp_path: Path) -> None:
    old = library(tmp_path / "old")
    if form == "table":
        rows = [{"id": name, "name": name, "path": f"{name}.png"} for name in NAMES]
        (old / "games.jsonl").write_text("\n".join(map(json.dumps, rows)))
        name = "games.jsonl"
    else:
        with zipfile.ZipFile(old / "games.zip", "w") as packed:
            for one in NAMES:
                packed.write(old / f"{one}.png", f"{one}.png")
        name = "games.zip"
    add(tmp_path / "g", old / name)
    new = moved(old, tmp_path / "new")
    summary = add(tmp_path / "g", new / name, moved_from=str(old / name))
    assert (summary.new, summary.changed, summary.unchanged, summary.gone) == (0, 0, len(NAMES), 0)
    assert state(tmp_path / "g")["sources"] == 1


def test_pictures_that_moved_to_object_storage_are_the_same_games(tmp_path: Path, bucket: str) -> None:
    from steamdino.storage import object_files

    old = library(tmp_path / "old")
    add(tmp_path / "g", old)
    build(tmp_path / "g")
    for name in NAMES:
        object_files.write(f"{bucket}/covers/{name}.png", (old / f"{name}.png").read_bytes())
    shutil.rmtree(old)
    summary = add(tmp_path / "g", f"{bucket}/covers", moved_from=str(old))
    assert (summary.new, summary.changed, summary.gone, summary.problems) == (0, 0, 0, ())
    assert build(tmp_path / "g").encoded == 0
    for game in (found := Snapshot.open(tmp_path / "g")).games(range(len(found))):
        assert game.location is not None
        assert game.location.read().sha256 == game.sha256


@pytest.mark.parametrize(
    ("now", "added"),
    [
        ("new", "new"),  # the same ids, which belong to the source at the old place
        ("new/covers", "new"),  # other ids, which would double the gallery
        ("new", "new/b"),
    ],
)
def test_a_moved_library_is_recognised_and_the_command_that_is_told_works(
    now: str, added: str, tmp_path: Path, run: Run
) -> None:
    old = library(tmp_path / "my old covers")
    assert run("add", old, "-g", tmp_path / "g").returncode == 0
    before = state(tmp_path / "g")
    new = moved(old, tmp_path / now)
    told = run("add", tmp_path / added, "-g", tmp_path / "g")
    assert (told.returncode, told.stdout, told.stderr.count("\n")) == (1, "", 1)
    assert (
        f"most of these pictures were added from {old}, where they are no more; nothing was changed"
        in told.stderr
    )
    assert state(tmp_path / "g") == before
    words = shlex.split(told.stderr.partition("run: ")[2].partition(" . ")[0])
    assert words == ["steam-dino", "add", str(new), "--moved-from", str(old)]
    done = run(*words[1:], "-g", tmp_path / "g")
    assert done.stdout.startswith("my old covers: 0 new, 0 changed, 5 unchanged, 0 missing")
    assert state(tmp_path / "g")["games"] == len(NAMES)


def test_copies_of_pictures_that_are_still_there_are_games_of_their_own(tmp_path: Path, run: Run) -> None:
    old = library(tmp_path / "old")
    add(tmp_path / "g", old)
    shutil.copytree(old, tmp_path / "copies")
    assert "5 new" in run("add", tmp_path / "copies", "--prefix", "copy/", "-g", tmp_path / "g").stdout
    shutil.rmtree(old)
    shutil.copytree(tmp_path / "copies", tmp_path / "third" / "inner")
    refused = run("add", tmp_path / "third", "-g", tmp_path / "g")
    assert refused.returncode == 1
    assert "5 new" in run("add", tmp_path / "third", "--not-moved", "-g", tmp_path / "g").stdout


def test_a_wrong_place_changes_nothing(tmp_path: Path) -> None:
    old = library(tmp_path / "old")
    add(tmp_path / "g", old)
    library(tmp_path / "other", ["x", "y", "z"], seed=90)
    before = state(tmp_path / "g")
    with pytest.raises(SourceError, match="has 0 of the 5 games that it had, so nothing was changed"):
        add(tmp_path / "g", tmp_path / "other", moved_from=str(old))
    assert state(tmp_path / "g") == before
    assert add(tmp_path / "g", old).unchanged == len(NAMES)


def test_what_cannot_be_moved_is_told(tmp_path: Path) -> None:
    old, other = library(tmp_path / "old"), library(tmp_path / "other", ["x"], seed=7)
    add(tmp_path / "g", old)
    add(tmp_path / "g", other)
    (tmp_path / "t.csv").write_text("id,name,path\n1,One,old/a.png\n")
    for new, source, told in (
        (other, str(old), r"is the source 'other' already; first run: steam-dino remove --source other"),
        (old, str(old), r"is the source 'old' already; run: steam-dino add"),
        (
            tmp_path / "t.csv",
            str(old),
            r"the source 'old' is of the kind folder, and .*t.csv of the kind table",
        ),
    ):
        with pytest.raises(UsageError, match=told):
            add(tmp_path / "g", new, moved_from=source)
    library(tmp_path / "new")
    with pytest.raises(
        UsageError, match=r"no source was added from nowhere; there are: old \(.*\), other \("
    ):
        add(tmp_path / "g", tmp_path / "new", moved_from="nowhere")


part = st.text("abc", min_size=1, max_size=3)
path = st.lists(part, min_size=1, max_size=4).map(lambda parts: Path("/", *parts))


@given(path, path, st.lists(part, min_size=1, max_size=3), path)
@settings(max_examples=200)
def test_only_what_was_below_the_old_place_moves_and_moving_back_restores_it(
    old: Path, new: Path, inner: list[str], root: Path
) -> None:
    from steamdino.gallery import layout

    written = layout.portable(old.joinpath(*inner), root)
    there = _moved(written, old, new, root)
    assert layout.located(there, str(root)) == new.joinpath(*inner)
    assert _moved(there, new, old, root) == written
    beside = layout.portable(old.with_name(f"{old.name}x").joinpath(*inner), root)
    assert _moved(beside, old, new, root) == beside
    assert _moved("s3://bucket/a.png", old, new, root) == "s3://bucket/a.png"
    assert _moved(_moved(written, old, "s3://b/x", root), "s3://b/x", old, root) == written
