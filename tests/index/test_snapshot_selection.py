"""Which snapshot answers: one rule for the library, the command line and the server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from steamdino import Snapshot
from steamdino.errors import NoSnapshotError, SnapshotError
from steamdino.features.recipe_parser import named
from steamdino.gallery import Gallery, layout
from steamdino.gallery.vectors import Row
from steamdino.index.snapshot_selection import newest_by_name, open_newest
from steamdino.index.snapshot_writer import write
from steamdino.present.cli.main import app_of
from steamdino.present.web.snapshot_registry import SnapshotRegistry
from steamdino.recipe import Recipe
from steamdino.settings import Settings, WebSettings

BUNDLED = replace(named("bundled"), dim=4)
OLD, NEW = sorted(
    (replace(BUNDLED, weights=f"{n:064x}") for n in (1, 2)), key=lambda recipe: recipe.hash, reverse=True
)
"""Two recipes of one name, as an upgrade leaves them; the folder of the newer one sorts first."""
OTHER = replace(BUNDLED, pooling=named("bundled/patches").pooling, name="bundled/patches")


def _build(gallery: Path, recipe: Recipe, game: str) -> Path:
    vectors = list(np.random.default_rng(0).standard_normal((1, 4)).astype(np.float32))
    with Gallery.write(gallery, "test", create=True) as opened, opened.transaction():
        opened.vectors.put_recipe(recipe)
    row = Row(game, game, "source", None, "../a.jpg", "0" * 64, "{}")
    return write(gallery / "snapshots" / recipe.hash, recipe, 1, [row], [], vectors, {})


def _build_kind(gallery: Path, recipe: Recipe, game: str, kind: str) -> Path:
    vectors = list(np.random.default_rng(0).standard_normal((1, 4)).astype(np.float32))
    row = Row(game, game, "source", None, "../a.jpg", "0" * 64, "{}")
    folder = layout.snapshots_of(gallery, recipe.hash, kind)
    return write(folder, recipe, 1, [row], [], vectors, {}, kind=kind)


def _printed(*arguments: object) -> str:
    """What a command prints, without a process of its own for each."""
    done = CliRunner().invoke(app_of([]), [str(one) for one in arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def agreed(tmp_path: Path) -> Callable[[str | None], str]:
    """The hash of the recipe that answers for a name (None: where none is named), on which all must agree."""

    running: list[SnapshotRegistry] = []

    def agreed(name: str | None) -> str:
        if not running:
            running.append(SnapshotRegistry(Settings(gallery=tmp_path), WebSettings()))
        running[0].refresh()  # one that was started before the last build
        named = () if name is None else ("--recipe", name)
        library = Snapshot.open(tmp_path, name)
        served = SnapshotRegistry(Settings(gallery=tmp_path), WebSettings())
        edition = served.edition(name)
        (game,) = library.ids
        info = json.loads(_printed("info", "-g", tmp_path, "--json"))["snapshots"]
        answers = [
            one["hash"]
            for one in info
            if (one["recipe"] == name and not one["superseded"]) or (name is None and one["default"])
        ]
        # The only game is that of the snapshot that answers.
        assert (
            json.loads(_printed("similar", game, *named, "-g", tmp_path, "--format", "json"))["query"]["id"]
            == game
        )
        assert [library.recipe.hash] == [edition.snapshot.recipe.hash] == answers
        assert running[0].edition(name).snapshot.ids == edition.snapshot.ids == library.ids
        assert running[0].version == served.version
        assert running[0].recipes == served.recipes == list(newest_by_name(tmp_path))
        first = (
            next(iter(newest_by_name(tmp_path).values())) if name is None else newest_by_name(tmp_path)[name]
        )
        assert first[1].recipe.hash == library.recipe.hash
        return library.recipe.hash

    return agreed


def test_of_two_recipes_with_one_name_the_one_built_last_answers_everywhere(
    tmp_path: Path, agreed: Callable[[str | None], str]
) -> None:
    assert (OLD.name, OLD.hash > NEW.hash) == (NEW.name, True)
    _build(tmp_path, OLD, "old")
    assert agreed("bundled") == agreed(None) == OLD.hash
    _build(tmp_path, NEW, "new")
    assert agreed("bundled") == agreed(None) == NEW.hash
    _build(tmp_path, OLD, "old-again")  # then that one was built last
    assert agreed("bundled") == agreed(None) == OLD.hash
    # A hash means what it says, superseded or not.
    assert open_newest(tmp_path, NEW.hash).ids == ["new"]
    assert open_newest(tmp_path, OLD.hash).ids == ["old-again"]


def test_another_name_answers_by_default_when_it_was_built_last_and_for_itself_in_any_case(
    tmp_path: Path, agreed: Callable[[str | None], str]
) -> None:
    _build(tmp_path, OLD, "old")
    _build(tmp_path, OTHER, "other")
    _build(tmp_path, NEW, "new")
    assert list(newest_by_name(tmp_path)) == ["bundled", "bundled/patches"]
    assert (agreed(None), agreed("bundled"), agreed("bundled/patches")) == (NEW.hash, NEW.hash, OTHER.hash)
    _build(tmp_path, OTHER, "other-again")
    assert list(newest_by_name(tmp_path)) == ["bundled/patches", "bundled"]
    assert (agreed(None), agreed("bundled")) == (OTHER.hash, NEW.hash)


def test_of_recipes_that_are_accepted_the_one_built_last_answers_else_the_last_of_all(tmp_path: Path) -> None:
    for recipe, game in ((OLD, "old"), (NEW, "new"), (OTHER, "other")):
        _build(tmp_path, recipe, game)
    assert open_newest(tmp_path, accept=lambda recipe: recipe.name == "bundled").ids == ["new"]
    assert open_newest(tmp_path, accept=lambda recipe: False).ids == ["other"]
    # What is superseded is not asked, whether or not it would be accepted.
    assert open_newest(tmp_path, accept=lambda recipe: recipe.hash == OLD.hash).ids == ["other"]


def test_each_kind_of_banner_has_snapshots_of_its_own(tmp_path: Path) -> None:
    _build(tmp_path, OLD, "vertical")
    _build_kind(tmp_path, OLD, "header", "header")
    _build_kind(tmp_path, OTHER, "header-other", "header")
    assert open_newest(tmp_path).ids == open_newest(tmp_path, OLD.name).ids == ["vertical"]
    assert open_newest(tmp_path, kind="header").ids == ["header-other"]
    assert open_newest(tmp_path, OLD.name, kind="header").ids == ["header"]
    assert open_newest(tmp_path, OLD.hash, kind="header").ids == ["header"]
    assert list(newest_by_name(tmp_path)) == [OLD.name]
    assert list(newest_by_name(tmp_path, "header")) == [OTHER.name, OLD.name]
    with pytest.raises(
        NoSnapshotError,
        match=f"has no snapshot of hero banners yet; run: steam-dino build -g {tmp_path} --kind hero",
    ):
        open_newest(tmp_path, kind="hero")


def test_without_a_snapshot_the_message_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NoSnapshotError) as caught:
        open_newest(tmp_path)
    assert str(caught.value) == (
        f"there is no gallery in {tmp_path}; make one with: steam-dino add PICTURES -g {tmp_path}"
    )
    with Gallery.write(tmp_path, "test", create=True):
        pass
    with pytest.raises(NoSnapshotError) as caught:
        open_newest(tmp_path)
    assert str(caught.value) == (
        f"the gallery {tmp_path} has no snapshot yet; run: steam-dino build -g {tmp_path}"
    )


def test_a_recipe_whose_folder_holds_no_snapshot_hides_no_other(tmp_path: Path) -> None:
    """A killed writer may have left it so."""
    (tmp_path / "snapshots" / ("0" * 16) / "new-abc").mkdir(parents=True)
    _build(tmp_path, OLD, "old")
    (tmp_path / "snapshots" / ("z" * 16)).mkdir()
    assert open_newest(tmp_path).ids == ["old"]


def test_of_snapshots_built_at_the_same_moment_the_later_folder_answers(tmp_path: Path) -> None:
    for recipe in (OLD, NEW):
        manifest = _build(tmp_path, recipe, recipe.hash) / "manifest.json"
        record = json.loads(manifest.read_text())
        manifest.write_text(json.dumps({**record, "created_at": "2025-05-17T12:00:00+00:00"}))
    assert open_newest(tmp_path).ids == open_newest(tmp_path, OLD.name).ids == [max(OLD.hash, NEW.hash)]


def test_the_error_names_the_file_that_a_snapshot_lacks(tmp_path: Path) -> None:
    folder = _build(tmp_path, OLD, "old")
    (folder / "games.sqlite").unlink()
    with pytest.raises(SnapshotError) as caught:
        open_newest(tmp_path)
    assert str(caught.value).startswith(f"the snapshot {folder} lacks a file (")
    assert "games.sqlite" in str(caught.value)


def test_info_says_in_words_which_snapshot_answers(tmp_path: Path) -> None:
    _build(tmp_path, OLD, "old")
    assert "answers" not in _printed("info", "-g", tmp_path)
    _build(tmp_path, NEW, "new")
    shown = _printed("info", "-g", tmp_path)
    assert f"superseded ({OLD.hash}): a later build answers for that recipe" in shown
    assert shown.count("it answers where no recipe is named") == 1


def test_requests_find_an_edition_at_every_moment_of_a_swap(tmp_path: Path) -> None:
    _build(tmp_path, OLD, "0")
    _build(tmp_path, OTHER, "0")
    served, stop = SnapshotRegistry(Settings(gallery=tmp_path), WebSettings()), threading.Event()

    def ask(_: int) -> set[str]:
        names = set()
        while not stop.wait(0.001):
            names.add(served.edition().snapshot.recipe.name)
            for name in served.recipes:
                assert served.edition(name).snapshot.recipe.name == name
        return names

    with ThreadPoolExecutor(3) as pool:
        asking = pool.map(ask, range(3))
        try:
            for number in range(10):
                _build(tmp_path, OLD if number % 2 else OTHER, str(number))
                served.refresh()
        finally:
            stop.set()
        assert set().union(*asking) == {"bundled", "bundled/patches"}


def test_an_edition_whose_snapshot_is_still_the_newest_is_kept(tmp_path: Path) -> None:
    _build(tmp_path, OLD, "old")
    served = SnapshotRegistry(Settings(gallery=tmp_path), WebSettings())
    edition, version = served.edition(), served.version
    served.refresh()
    assert (served.edition(), served.version) == (edition, version)
    _build(tmp_path, OTHER, "other")
    served.refresh()
    assert served.edition("bundled") is edition
    assert served.edition().snapshot.ids == ["other"]
    assert served.version != version


def test_a_newer_snapshot_that_is_damaged_leaves_all_as_it_was(tmp_path: Path) -> None:
    _build(tmp_path, OLD, "old")
    served = SnapshotRegistry(Settings(gallery=tmp_path), WebSettings())
    before = served.version
    damaged = _build(tmp_path, OLD, "new")
    whole = (damaged / "vectors.npy").read_bytes()
    (damaged / "vectors.npy").unlink()  # it may be a hard link to that of the older one
    (damaged / "vectors.npy").write_bytes(whole[:-1])
    _build(tmp_path, OTHER, "other")
    for _ in range(2):
        with pytest.raises(SnapshotError, match="should have"):
            served.refresh()
        assert (served.version, served.edition().snapshot.ids) == (before, ["old"])
    (damaged / "vectors.npy").write_bytes(whole)
    served.refresh()
    assert served.edition("bundled").snapshot.ids == ["new"]
    assert served.edition().snapshot.ids == ["other"]
