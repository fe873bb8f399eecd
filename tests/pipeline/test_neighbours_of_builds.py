"""The neighbours that a build stores: added, patched, shown, checked, bypassed, and never half there."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.conftest import Paint, Run

from steamdino import Snapshot, add, build
from steamdino.errors import SnapshotError, UsageError
from steamdino.index import all_neighbours, neighbour_writer
from steamdino.index.listed_index import ListedIndex
from steamdino.index.manifest import MANIFEST, VECTORS, Manifest
from steamdino.index.neighbour_lists import COSINES, FILES, LEADING, NEAREST, ROWS
from steamdino.index.neighbour_writer import WORK
from steamdino.index.vector_index import Neighbours
from steamdino.pipeline import examine

GAMES = 24


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("neighbours")
    (folder / "pictures").mkdir()
    for n in range(GAMES):
        coarse = np.random.default_rng(n % 20).integers(0, 256, (6, 4, 3), np.uint8)  # four are copies
        Image.fromarray(coarse).resize((60, 90)).save(folder / f"pictures/{n:02}.png")
    add(folder / "g", folder / "pictures")
    build(folder / "g", neighbours=5)
    return folder


@pytest.fixture
def gallery(built: Path, tmp_path: Path) -> Path:
    shutil.copytree(built, tmp_path / "copy")
    return tmp_path / "copy/g"


def newest(gallery: Path) -> Path:
    return max((gallery / "snapshots").glob("*/[0-9]*"), key=lambda folder: int(folder.name))


def check(gallery: Path, k: int) -> None:
    """Checks the stored neighbours against a full sort of cosines in double precision."""
    folder = newest(gallery)
    vectors = np.load(folder / VECTORS).astype(np.float64)
    rows, cosines = np.load(folder / ROWS), np.load(folder / COSINES)
    table = vectors @ vectors.T
    np.fill_diagonal(table, -9)
    k = min(k, len(vectors) - 1)
    for row, scores in enumerate(table):
        np.testing.assert_allclose(cosines[row, :k], np.sort(scores)[::-1][:k], atol=2e-6)
        np.testing.assert_allclose(cosines[row, :k], scores[rows[row, :k]], atol=2e-6)
    nearest = np.load(folder / NEAREST)
    np.testing.assert_array_equal(nearest["row"], rows[:, :LEADING])
    np.testing.assert_array_equal(nearest["cosine"], cosines[:, :LEADING])


def lists_of(gallery: Path) -> list[bytes]:
    return [(newest(gallery) / name).read_bytes() for name in FILES]


def test_a_build_stores_the_neighbours_that_it_is_asked_for(gallery: Path) -> None:
    assert not build(gallery, neighbours=5).swapped
    assert Manifest.read(newest(gallery)).neighbours == Snapshot.open(gallery).index.listed == 5
    check(gallery, 5)


def test_an_unchanged_build_adds_changes_and_removes_neighbours(gallery: Path) -> None:
    before = (newest(gallery) / VECTORS).stat().st_ino
    for wanted in (0, 100, 3, 12):
        summary = build(gallery, neighbours=wanted)
        assert (summary.swapped, summary.encoded) == (True, 0)
        assert (summary.snapshot / VECTORS).stat().st_ino == before
        assert Snapshot.open(gallery).index.listed == wanted
        assert not build(gallery, neighbours=wanted).swapped
        if wanted:
            check(gallery, wanted)


def test_a_snapshot_of_an_older_program_still_opens_and_gets_neighbours(gallery: Path) -> None:
    build(gallery, neighbours=0)
    assert "neighbours" not in json.loads((newest(gallery) / MANIFEST).read_text())
    assert Snapshot.open(gallery).index.listed == 0
    assert build(gallery).swapped
    assert Snapshot.open(gallery).index.listed == 100
    check(gallery, 100)


def test_lists_of_an_older_program_answer_alike_and_get_their_file_of_nearest_neighbours(
    gallery: Path, paint: Paint
) -> None:
    index = Snapshot.open(gallery).index
    for k in (1, LEADING, LEADING + 1):
        found = index.neighbours(k)
        np.testing.assert_array_equal(found.rows, np.load(newest(gallery) / ROWS)[:, :k])
        np.testing.assert_array_equal(found.cosines, np.load(newest(gallery) / COSINES)[:, :k])
    written = index.neighbours(1)
    manifest = newest(gallery) / MANIFEST
    facts = json.loads(manifest.read_text())
    del facts["files"][NEAREST]
    manifest.write_text(json.dumps(facts))
    (newest(gallery) / NEAREST).unlink()
    again = Snapshot.open(gallery).index.neighbours(1)
    np.testing.assert_array_equal(again.rows, written.rows)
    np.testing.assert_array_equal(again.cosines, written.cosines)
    assert examine(gallery) == []
    paint(gallery.parent / "pictures/99.png", 99)
    add(gallery, gallery.parent / "pictures")
    build(gallery, neighbours=5)
    check(gallery, 5)


def test_games_that_are_added_changed_and_removed_are_patched(gallery: Path, paint: Paint) -> None:
    pictures = gallery.parent / "pictures"
    paint(pictures / "00.png", 50)  # changed
    paint(pictures / "11b.png", 51)  # new, between others
    (pictures / "07.png").unlink()
    add(gallery, pictures)
    searched: list[int] = []
    summary = build(gallery, neighbours=5, listing=lambda _, total: searched.append(total))
    assert summary.games == GAMES
    check(gallery, 5)
    assert max(searched) < GAMES
    patched = [np.load(newest(gallery) / name)[:, :5].tobytes() for name in FILES]
    build(gallery, neighbours=5, rebuild=True, listing=lambda _, total: searched.append(total))
    assert searched[-1] == GAMES
    assert patched == [np.load(newest(gallery) / name)[:, :5].tobytes() for name in FILES]


def test_unchanged_vectors_share_the_files_of_their_neighbours(gallery: Path) -> None:
    before = [(newest(gallery) / name).stat().st_ino for name in FILES]
    build(gallery, neighbours=5, index="quantised")
    assert [(newest(gallery) / name).stat().st_ino for name in FILES] == before
    build(gallery, neighbours=5, index="quantised", rebuild=True)
    assert [(newest(gallery) / name).stat().st_ino for name in FILES] != before


def test_damaged_lists_are_not_patched_but_found_anew(gallery: Path, paint: Paint) -> None:
    rows = np.load(newest(gallery) / ROWS)
    np.save(newest(gallery) / ROWS, rows[:, ::-1])
    paint(gallery.parent / "pictures/99.png", 99)
    add(gallery, gallery.parent / "pictures")
    build(gallery, neighbours=5)
    check(gallery, 5)


def test_searches_ask_the_lists_unless_they_shall_be_exact(
    gallery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steamdino.index.exact.ExactIndex.neighbours", None)  # nobody may search
    snapshot = Snapshot.open(gallery)
    assert snapshot.index.neighbours(5).rows.shape == (GAMES, 5)
    among = np.ones(GAMES, np.bool_)
    among[:2] = False
    found = snapshot.index.neighbours(2, among=among)
    assert (found.rows >= 2).all()
    assert len(snapshot.index.close_pairs(0.999).first) >= 4  # the copies
    part = snapshot.index.subset(np.arange(1, GAMES))
    assert part.listed == 4
    assert part.neighbours(4).rows.shape == (GAMES - 1, 4)
    exact = Snapshot.open(gallery, exact=True)
    assert not isinstance(exact.index, ListedIndex)
    assert exact.index.listed == 0


def test_the_doctor_compares_lists_with_exact_searches(gallery: Path) -> None:
    assert examine(gallery, deep=True) == []
    folder = newest(gallery)
    rows = np.load(folder / ROWS)
    rows[3, :2] = rows[3, [1, 0]]
    np.save(folder / ROWS, rows)
    record = json.loads((folder / MANIFEST).read_text())
    record["files"][ROWS] = _facts(folder / ROWS)
    (folder / MANIFEST).write_text(json.dumps(record))
    (finding,) = examine(gallery, deep=True)
    assert f"of {GAMES} stored lists of neighbours of bundled, 1 differ" in finding.text
    assert not finding.harmless
    build(gallery, neighbours=5, rebuild=True)
    assert examine(gallery, deep=True) == []


def _facts(path: Path) -> dict[str, object]:
    content = path.read_bytes()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


@pytest.mark.parametrize("name", [*FILES, NEAREST])
@pytest.mark.parametrize("damage", ["zeros", "shorter", "missing"])
def test_damaged_neighbours_are_found_and_repaired(gallery: Path, name: str, damage: str) -> None:
    file = newest(gallery) / name
    whole = lists_of(gallery)
    content = file.read_bytes()
    file.unlink()
    if damage != "missing":
        file.write_bytes(bytes(len(content)) if damage == "zeros" else content[:-4])
    with pytest.raises(
        SnapshotError, match=r"run: steam-dino build --rebuild|with: steam-dino build --rebuild"
    ):
        Snapshot.open(gallery)
    (finding,) = examine(gallery, repair=True, neighbours=5)
    assert finding.fixed
    assert name in finding.text
    assert lists_of(gallery) == whole
    check(gallery, 5)
    assert examine(gallery) == []


def test_an_impossible_number_of_neighbours_is_refused_before_anything_is_encoded(
    tmp_path: Path, run: Run
) -> None:
    for number in (-1, 1001):
        with pytest.raises(
            UsageError, match=f"the number of neighbours is {number}; it must be from 0 to 1,000"
        ):
            build(tmp_path / "g", neighbours=number)
        assert run("build", "-g", tmp_path / "g", "--neighbours", number).returncode == 2


def test_the_commands_store_show_and_check_neighbours(gallery: Path, run: Run) -> None:
    assert "Stored neighbours: 5 of each game" in run("info", "-g", gallery).stdout
    done = run("build", "-g", gallery, "--neighbours", "0")
    assert done.returncode == 0, done.stderr
    assert "Stored neighbours: none" in run("info", "-g", gallery).stdout
    (gallery.parent / "steamdino.toml").write_text("neighbours = 7\n")
    assert run("build", "-g", gallery, cwd=gallery.parent).returncode == 0
    (made,) = json.loads(run("info", "-g", gallery, "--json").stdout)["snapshots"]
    assert made["neighbours"] == 7
    assert run("doctor", "-g", gallery, "--deep").stdout == "No problems found.\n"


def test_a_packed_snapshot_leaves_its_neighbours_behind(gallery: Path, tmp_path: Path) -> None:
    Snapshot.open(gallery).pack(tmp_path / "p.steamdino")
    assert Snapshot.open(tmp_path / "p.steamdino").index.listed == 0


SLOWLY = """
import json, os, signal, sys, time
from steamdino.index import all_neighbours, neighbour_patching, resumable_arrays
from steamdino.pipeline import build
all_neighbours.QUERIES = all_neighbours.RANKED = 1
neighbour_patching.AT_ONCE = neighbour_patching.PAYS = 1
resumable_arrays.EVERY = 0
gallery, log = sys.argv[1:]
def listing(done, total):
    with open(log, "a") as file:
        file.write(f"{done} {total}\\n")
    time.sleep(0.02)
build(gallery, neighbours=5, listing=listing)
"""
"""A build that finds the neighbours of one game after the other, and records which ones."""


def killed_until_done(gallery: Path, log: Path) -> int:
    """Kills a slow build in each of its stages until it ends by itself; returns the kills."""
    dice = np.random.default_rng(0)
    kills = 0
    before = sorted(gallery.glob("snapshots/*/[0-9]*"))
    while True:
        log.write_text("")
        kept = _kept(gallery)
        with subprocess.Popen([sys.executable, "-c", SLOWLY, str(gallery), str(log)]) as child:
            while child.poll() is None and log.read_text().count("\n") < 4 + dice.integers(4):
                pass
            child.kill()
        seen = [line.split() for line in log.read_text().splitlines()]
        if kept and seen:  # it went on where the one before it was killed
            assert int(seen[0][0]) == kept + 1
        if child.returncode == 0:
            return kills
        kills += 1
        assert sorted(gallery.glob("snapshots/*/[0-9]*")) == before
        assert examine(gallery) == []
        assert _kept(gallery) >= kept


def _kept(gallery: Path) -> int:
    """How much of the work the next build need not do."""
    states = [json.loads(path.read_bytes()) for path in gallery.glob(f"snapshots/*/{WORK}/*/state.json")]
    return sum(state["done"] for state in states)


@pytest.mark.slow
def test_a_build_that_is_killed_while_it_finds_neighbours_goes_on_and_ends_as_an_undisturbed_one(
    gallery: Path, tmp_path: Path, paint: Paint
) -> None:
    shutil.rmtree(gallery / "snapshots")
    assert killed_until_done(gallery, tmp_path / "log") >= 3
    check(gallery, 5)
    assert not list(gallery.glob(f"snapshots/*/{WORK}"))
    for n in range(6):
        paint(gallery.parent / f"pictures/1{n}b.png", 60 + n)
    add(gallery, gallery.parent / "pictures")
    undisturbed = shutil.copytree(gallery, gallery.parent / "undisturbed")
    old = newest(gallery)
    assert killed_until_done(gallery, tmp_path / "log") >= 2
    assert newest(gallery) != old
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("steamdino.index.neighbour_patching.PAYS", 1)
        build(undisturbed, neighbours=5)
    for name in (*FILES, VECTORS):
        assert (newest(gallery) / name).read_bytes() == (newest(undisturbed) / name).read_bytes()
    assert not list(gallery.glob(f"snapshots/*/{WORK}"))


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize(
    "moment",
    [
        "snapshot_writer.write_neighbours",
        "neighbour_writer.find",
        "neighbour_writer.NeighbourLists.flush",
        "snapshot_writer.Manifest.write",
        "snapshot_writer.replace_folder",
        "snapshot_writer.remove_work",
        "snapshot_writer.prune",
    ],
)
def test_a_kill_at_any_moment_leaves_a_whole_snapshot_and_the_next_build_ends_alike(
    moment: str, gallery: Path, paint: Paint
) -> None:
    paint(gallery.parent / "pictures/98.png", 98)
    add(gallery, gallery.parent / "pictures")
    undisturbed = gallery.parent / "undisturbed"
    shutil.copytree(gallery, undisturbed)
    build(undisturbed, neighbours=5)
    place, name = f"steamdino.index.{moment}".rsplit(".", 1)
    killed = f"""
import os, pkgutil, signal, sys
from steamdino.pipeline import build
setattr(pkgutil.resolve_name({place!r}), {name!r}, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
build(sys.argv[1], neighbours=5)
"""
    done = subprocess.run([sys.executable, "-c", killed, str(gallery)], check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert examine(gallery) == []
    folder = newest(gallery)
    games = Manifest.read(folder).games
    assert games == (GAMES + 1 if moment.endswith(("remove_work", "prune")) else GAMES)
    check(gallery, 5)
    build(gallery, neighbours=5)
    assert lists_of(gallery) == lists_of(undisturbed)
    assert not [*gallery.glob("snapshots/*/new-*"), *gallery.glob(f"snapshots/*/{WORK}")]


def test_what_is_left_of_other_vectors_or_damaged_is_not_continued(
    gallery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = lists_of(gallery)
    home = newest(gallery).parent
    real = neighbour_writer.find

    def interrupted(*arguments: object) -> object:
        for count, (part, found) in enumerate(real(*arguments)):  # type: ignore[arg-type]
            if count == 3:
                raise KeyboardInterrupt
            yield part, found

    def half_done(neighbours: int) -> Path:
        with monkeypatch.context() as patch:
            patch.setattr(all_neighbours, "QUERIES", 1)
            patch.setattr(all_neighbours, "RANKED", 1)
            patch.setattr(neighbour_writer, "find", interrupted)
            with pytest.raises(KeyboardInterrupt):
                build(gallery, neighbours=neighbours, rebuild=True)
        assert json.loads((home / WORK / "found/state.json").read_bytes())["done"] == 3
        return home / WORK / "found"

    def searched() -> int:
        calls: list[int] = []
        with monkeypatch.context() as patch:
            patch.setattr(all_neighbours, "QUERIES", 1)
            patch.setattr(all_neighbours, "RANKED", 1)
            build(gallery, neighbours=5, rebuild=True, listing=lambda done, _: calls.append(done))
        assert lists_of(gallery) == whole
        return len(calls)

    half_done(5)
    assert searched() == GAMES - 3
    half_done(6)
    assert searched() == GAMES
    file = half_done(5) / "rows"
    file.write_bytes(bytes(file.stat().st_size))
    assert searched() == GAMES
    file = half_done(5) / "rows"
    with file.open("ab") as more:
        more.write(b"what a kill left behind the last count")
    assert searched() == GAMES - 3


def test_an_interrupt_says_that_the_next_build_goes_on(gallery: Path) -> None:
    command = """
import sys, time
from steamdino.index import all_neighbours, neighbour_writer
from steamdino.present.cli.main import run
all_neighbours.QUERIES = all_neighbours.RANKED = 1
real = neighbour_writer.find
def find(*arguments):
    for found in real(*arguments):
        yield found
        print("found", flush=True)
        time.sleep(0.3)
neighbour_writer.find = find
sys.argv = ["steam-dino", "build", "--rebuild", "--neighbours", "5", "-g", sys.argv[1]]
run()
"""
    with subprocess.Popen(
        [sys.executable, "-c", command, str(gallery)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout
        for _ in range(3):
            assert child.stdout.readline() == "found\n"
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=60)
    kept = _kept(gallery)
    assert kept >= 3
    said = f"Stopped. The neighbours of {kept} of {GAMES} games are found and kept; run the same command to continue."
    assert errors.splitlines()[-1] == said
    assert child.returncode == 130
    assert examine(gallery) == []
    searched: list[int] = []
    build(gallery, neighbours=5, rebuild=True, listing=lambda done, _: searched.append(done))
    assert min(searched) > kept
    check(gallery, 5)


def test_lists_of_a_snapshot_are_neighbours_as_the_index_finds_them(gallery: Path) -> None:
    listed, exact = Snapshot.open(gallery).index, Snapshot.open(gallery, exact=True).index
    for k in (1, 5, GAMES - 1):
        ours, true = listed.neighbours(k), exact.neighbours(k)
        assert isinstance(ours, Neighbours)
        np.testing.assert_allclose(ours.cosines, true.cosines, atol=2e-6)
