"""Pictures that differ in their suffix alone: each has an id of its own, which stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino import Snapshot, add, build
from steamdino.catalogue.picture_ids import settled
from steamdino.records import Entry, Problem
from steamdino.storage.location import LocalFile, Location

Paint = Callable[..., Path]


def _ids(gallery: Path) -> dict[str, str]:
    """The files by id."""
    build(gallery)
    snapshot = Snapshot.open(gallery)
    return {game.id: game.picture.name for game in snapshot.games(range(len(snapshot))) if game.picture}


def test_the_suffix_joins_the_id_where_two_pictures_would_have_the_same(tmp_path: Path, paint: Paint) -> None:
    for n, name in enumerate(["a/cover.jpg", "a/cover.png", "a/other.png", "b/cover.webp"]):
        paint(tmp_path / "f" / name, n)
    assert (add(tmp_path / "g", tmp_path / "f").new, add(tmp_path / "g", tmp_path / "f").unchanged) == (4, 4)
    assert _ids(tmp_path / "g") == {
        "a/cover": "cover.jpg",
        "a/cover.png": "cover.png",
        "a/other": "other.png",
        "b/cover": "cover.webp",
    }


def test_an_id_that_was_given_stays_whatever_appears_or_vanishes(tmp_path: Path, paint: Paint) -> None:
    folder, gallery = tmp_path / "f", tmp_path / "g"
    paint(folder / "cover.png", 1)
    add(gallery, folder)
    paint(folder / "cover.jpg", 2)  # comes first in the folder
    summary = add(gallery, folder)
    assert (summary.new, summary.unchanged, summary.gone) == (1, 1, 0)
    assert _ids(gallery) == {"cover": "cover.png", "cover.jpg": "cover.jpg"}
    (folder / "cover.png").unlink()
    assert add(gallery, folder, allow_missing=True).gone == 1
    assert _ids(gallery) == {"cover.jpg": "cover.jpg"}
    paint(folder / "cover.webp", 3)
    add(gallery, folder)
    assert _ids(gallery) == {"cover.jpg": "cover.jpg", "cover": "cover.webp"}


def test_a_picture_that_is_replaced_by_one_of_another_kind_keeps_its_id(tmp_path: Path, paint: Paint) -> None:
    folder, gallery = tmp_path / "f", tmp_path / "g"
    for n in range(3):
        paint(folder / f"{n}.png", n)
    add(gallery, folder)
    (folder / "1.png").unlink()
    paint(folder / "1.jpg", 1)
    summary = add(gallery, folder)
    assert (summary.changed, summary.unchanged, summary.new, summary.gone) == (1, 2, 0, 0)


def test_an_id_that_is_another_pictures_whole_name_is_a_problem(tmp_path: Path, paint: Paint) -> None:
    for n, name in enumerate(["cover.jpg", "cover.png", "cover.png.jpg"]):
        paint(tmp_path / "f" / name, n)
    (problem,) = add(tmp_path / "g", tmp_path / "f").problems
    assert (problem.where, problem.reason) == (
        "cover.png.jpg",
        "its id 'cover.png' is already used by cover.png; rename one",
    )


@pytest.mark.parametrize("steam", [False, True])
def test_appids_get_no_suffix(tmp_path: Path, paint: Paint, steam: bool) -> None:
    for n, name in enumerate(["400.jpg", "400.png"]):
        paint(tmp_path / "f" / name, n)
    summary = add(tmp_path / "g", tmp_path / "f", steam=steam)
    assert (summary.new, len(summary.problems)) == ((1, 1) if steam else (2, 0))


NAMES = st.sampled_from(
    [f"{stem}{suffix}" for stem in ("a", "b", "a.png") for suffix in (".jpg", ".png", ".webp")]
)


@given(st.lists(st.frozensets(NAMES, min_size=1), min_size=1, max_size=6))
def test_ids_are_unique_and_stay_over_any_sequence_of_scans(scans: list[frozenset[str]]) -> None:
    known: dict[str, Location | None] = {}
    for names in scans:
        entries = [Entry(name.rpartition(".")[0], "", LocalFile(Path(name)), name) for name in sorted(names)]
        with_suffix = {key: place for key, place in known.items() if key.endswith((".jpg", ".png", ".webp"))}
        found = settled(entries, with_suffix, lambda ids: {key: known[key] for key in ids if key in known})  # noqa: B023
        given_now = {one.id: one.location for one in found if isinstance(one, Entry)}
        assert len(found) == len(entries)
        assert len(given_now) == sum(isinstance(one, Entry) for one in found)
        refused = {one.where for one in found if isinstance(one, Problem)}
        for key, place in given_now.items():
            before = [old for old, where in known.items() if where == place]
            assert not before or key in before or refused
        known |= given_now
