from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from steamdino.errors import SnapshotError
from steamdino.features.recipe_parser import named
from steamdino.gallery.vectors import Absent, Row
from steamdino.index.manifest import Manifest
from steamdino.index.snapshot_reader import UNKNOWN_REASON, SnapshotReader
from steamdino.index.snapshot_removal import KEPT, prune
from steamdino.index.snapshot_selection import newest, open_newest
from steamdino.index.snapshot_writer import write
from steamdino.records import Filter

RECIPE = replace(named("bundled"), dim=4)
SHA = [f"{n:064x}" for n in range(10)]


def _row(game_id: str, sha256: str = SHA[0], name: str = "") -> Row:
    return Row(game_id, name or game_id, "source", None, "../a.jpg", sha256, '{"year": 1999}')


def _vectors(count: int) -> list[np.ndarray]:
    return list(np.random.default_rng(0).standard_normal((count, 4)).astype(np.float32))


def _write(folder: Path, rows: list[Row], revision: int = 1) -> Path:
    return write(folder, RECIPE, revision, rows, [], _vectors(len(rows)), {"f32": len(rows)})


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    folder = tmp_path / "g" / "snapshots" / RECIPE.hash
    rows = [_row("a", SHA[0], "Älpha"), _row("b", SHA[1], "Beta")]
    absent = [Absent("c", "Gamma", "it has no banner")]
    path = write(folder, RECIPE, 7, rows, absent, _vectors(2), {"f32": 2})
    reader = SnapshotReader(path)
    assert path == folder / "1"
    assert (reader.manifest.recipe, reader.manifest.revision, reader.manifest.games) == (RECIPE, 7, 2)
    assert reader.ids == ["a", "b"]
    assert reader.vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(reader.vectors, axis=1), 1, atol=1e-6)
    assert not reader.vectors.flags.writeable
    (game,) = reader.games([1])
    assert (game.id, game.name, game.columns, game.picture) == (
        "b",
        "Beta",
        {"year": 1999},
        tmp_path / "a.jpg",
    )
    assert reader.absent("gamma") == reader.absent("c") == ("Gamma", "it has no banner")
    assert reader.absent("a") is None


def test_the_newest_is_read_and_only_the_last_few_are_kept(tmp_path: Path) -> None:
    for revision in range(1, 6):
        _write(tmp_path, [_row(str(revision))], revision)
    assert sorted(child.name for child in tmp_path.iterdir()) == ["4", "5"]
    assert len(list(tmp_path.iterdir())) == KEPT
    latest = newest(tmp_path)
    assert latest == tmp_path / "5"
    assert Manifest.read(latest).revision == 5


def test_a_pruned_snapshot_still_serves_those_who_hold_it(tmp_path: Path) -> None:
    reader = SnapshotReader(_write(tmp_path, [_row("old")]))
    for revision in range(2, 6):
        _write(tmp_path, [_row("new", SHA[revision])], revision)
    assert not reader.folder.exists()
    assert reader.ids == ["old"]
    assert reader.vectors.sum() != 0


def test_equal_pictures_share_one_vectors_file_and_others_do_not(tmp_path: Path) -> None:
    first = _write(tmp_path, [_row("a", SHA[0], "Old name")])
    written = (first / "vectors.npy").stat().st_mtime_ns
    second = _write(tmp_path, [_row("a", SHA[0], "New name")], 2)
    assert (first / "vectors.npy").samefile(second / "vectors.npy")
    assert (second / "vectors.npy").stat().st_mtime_ns == written
    assert SnapshotReader(second).games([0])[0].name == "New name"
    third = _write(tmp_path, [_row("a", SHA[1], "New name")], 3)
    assert not (second / "vectors.npy").samefile(third / "vectors.npy")
    fourth = write(tmp_path, RECIPE, 4, [_row("a", SHA[1])], [], _vectors(1), {}, anew=True)
    assert not (third / "vectors.npy").samefile(fourth / "vectors.npy")


def test_a_snapshot_after_a_damaged_one_has_vectors_of_its_own(tmp_path: Path) -> None:
    first = _write(tmp_path, [_row("a")])
    (first / "manifest.json").write_text("{")
    second = _write(tmp_path, [_row("a")], 2)
    assert not (first / "vectors.npy").samefile(second / "vectors.npy")
    assert SnapshotReader(second).vectors.shape == (1, 4)


def test_names_are_found_up_to_the_limit_that_is_asked_for(tmp_path: Path) -> None:
    rows = [_row(f"{n:02}", SHA[0], "Rain") for n in range(12)]
    reader = SnapshotReader(_write(tmp_path, rows))
    for search in (reader.named, reader.named_exactly, reader.suggested):
        assert search("Rain") == list(range(10))
        assert search("Rain", 3) == [0, 1, 2]
        assert search("Rain", 12) == list(range(12))


def test_suggestions_are_looked_for_among_the_rows_of_a_mask_alone(tmp_path: Path) -> None:
    reader = SnapshotReader(_write(tmp_path, [_row(f"{n:03}", SHA[0], "Rain") for n in range(300)]))
    mask = np.zeros(300, np.bool_)
    mask[299] = True
    assert reader.suggested("rain", 10, mask) == reader.suggested("rian", 10, mask) == [299]


def test_half_a_character_names_no_game(tmp_path: Path) -> None:
    reader = SnapshotReader(_write(tmp_path, [_row("a", SHA[0], "Rain")]))
    assert reader.row("\ud800") is None
    assert reader.absent("\ud800") is None
    assert reader.named_exactly("\ud800") == reader.suggested("\ud800") == []


def test_a_filter_is_applied_to_the_rows_of_the_snapshot(tmp_path: Path) -> None:
    columns = ('{"free":true,"released":"2020"}', '{"free":true}', '{"adult":true}', "{}")
    rows = [Row(str(n), str(n), "source", None, "../a.jpg", SHA[0], one) for n, one in enumerate(columns)]
    reader = SnapshotReader(_write(tmp_path, rows))
    for wanted, expected in (
        (Filter(), [True, True, False, True]),
        (Filter(free=True), [True, True, False, False]),
        (Filter(released_from="2020"), [True, False, False, False]),
    ):
        allowed = reader.allowed(wanted)
        assert allowed is not None
        assert allowed.tolist() == expected
    assert reader.allowed(Filter(adult=True)) is None
    assert reader.undated(Filter(released_from="2020")) == 2
    assert reader.undated(Filter(free=True)) == 0
    assert reader.dated == 1


def test_an_absent_game_is_found_by_its_id_before_one_of_that_name(tmp_path: Path) -> None:
    absent = [Absent("1", "Gamma", "the first reason"), Absent("gamma", "1", "the second reason")]
    reader = SnapshotReader(write(tmp_path, RECIPE, 1, [_row("x")], absent, _vectors(1), {}))
    assert reader.absent("gamma") == ("1", "the second reason")
    assert reader.absent("1") == reader.absent("GAMMA") == ("Gamma", "the first reason")
    assert [one["id"] for one in reader.every_absent()] == ["1", "gamma"]


def test_what_a_killed_writer_left_is_removed_and_never_read(tmp_path: Path) -> None:
    (tmp_path / "new-abc").mkdir()
    (tmp_path / "new-abc" / "vectors.npy").write_bytes(b"half")
    assert newest(tmp_path) is None
    _write(tmp_path, [_row("a")])
    assert [child.name for child in tmp_path.iterdir()] == ["1"]


def test_a_failing_writer_leaves_the_old_snapshot_and_nothing_else(tmp_path: Path) -> None:
    _write(tmp_path, [_row("a")])
    with pytest.raises(Exception, match="stored vector has 3 numbers"):
        write(tmp_path, RECIPE, 2, [_row("b", SHA[1])], [], [np.ones(3, np.float32)], {})
    assert [child.name for child in tmp_path.iterdir()] == ["1"]


def test_a_truncated_file_is_refused_by_name(tmp_path: Path) -> None:
    for name in ("vectors.npy", "games.sqlite"):
        path = _write(tmp_path / name, [_row("a"), _row("b", SHA[1])])
        data = (path / name).read_bytes()
        (path / name).write_bytes(data[:-5])
        with pytest.raises(SnapshotError, match=f"{name} has .* and should have .*--rebuild"):
            SnapshotReader(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1}', '{"format": "x"}'])
def test_a_damaged_manifest_is_refused(tmp_path: Path, text: str) -> None:
    path = _write(tmp_path, [_row("a")])
    (path / "manifest.json").write_text(text)
    with pytest.raises(SnapshotError, match="manifest.json is damaged"):
        SnapshotReader(path)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path, [_row("a")])
    record = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps({**record, "format": 99}))
    with pytest.raises(SnapshotError, match="its format is 99; upgrade"):
        SnapshotReader(path)


def test_a_snapshot_is_chosen_by_the_recipes_name_or_hash_else_the_last_built(tmp_path: Path) -> None:
    other = named("bundled", mode="fit", pooling="simple")
    other = replace(other, dim=4)
    _write(tmp_path / "snapshots" / RECIPE.hash, [_row("a")])
    write(tmp_path / "snapshots" / other.hash, other, 1, [_row("a")], [], _vectors(1), {})
    assert open_newest(tmp_path).manifest.recipe == other
    assert open_newest(tmp_path, "bundled").manifest.recipe == RECIPE
    assert open_newest(tmp_path, RECIPE.hash).manifest.recipe == RECIPE
    assert open_newest(tmp_path / "snapshots" / RECIPE.hash / "1").manifest.recipe == RECIPE
    with pytest.raises(
        SnapshotError, match="no snapshot under the recipe 'x'.*built are: bundled, bundled/simple/fit"
    ):
        open_newest(tmp_path, "x")


def test_a_digest_that_is_none_is_never_handed_out(tmp_path: Path) -> None:
    # Files are named by it: with ".." in it, one would lie elsewhere.
    for digest in ("../" * 21 + "x", "A" * 64, ""):
        reader = SnapshotReader(_write(tmp_path, [_row("a", digest)]))
        for ask in (lambda reader=reader: reader.games([0]), lambda reader=reader: reader.sha256s):
            with pytest.raises(
                SnapshotError, match=r"games.sqlite is damaged: .* is not a sha256; .*--rebuild"
            ):
                ask()


def test_a_reason_of_an_older_program_says_no_path(tmp_path: Path) -> None:
    absent = [
        Absent("x", "X", "/home/anna/x.jpg: the file does not exist"),
        Absent("y", "Y", "it has no banner"),
    ]
    reader = SnapshotReader(write(tmp_path, RECIPE, 1, [_row("a")], absent, _vectors(1), {}))
    assert reader.absent("x") == ("X", UNKNOWN_REASON)
    assert reader.absent("y") == ("Y", "it has no banner")
    assert [one["reason"] for one in reader.every_absent()] == [UNKNOWN_REASON, "it has no banner"]


def test_pruning_twice_is_pruning_once(tmp_path: Path) -> None:
    _write(tmp_path, [_row("a")])
    prune(tmp_path)
    prune(tmp_path)
    assert [child.name for child in tmp_path.iterdir()] == ["1"]
