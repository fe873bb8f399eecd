"""Kills a real process again and again; the same command must end as one undisturbed run does."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests import forks

import steamdino
from steamdino.pipeline import add, examine

LINKED = 2_000  # files for `add`: links to few pictures, since it reads each but decodes none
PAINTED = 1_100  # different pictures for `build`
KILLS = 3  # of each; after a commit of the process that is killed and before the end
SOAK = 100  # the same in the long run
SMALL = ["--size", "64x64"]  # of the model's input: a fifth of the work, and the same code


def _paint(path: Path, seed: int) -> Path:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 4, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((16, 24)).save(path)
    return path


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kill") / "covers"
    folder.mkdir()
    pictures = [_paint(folder.parent / f"{seed}.png", seed) for seed in range(5)]
    for n in range(LINKED):
        os.link(pictures[n % 5], folder / f"{n:05}.png")
    return folder


@pytest.fixture(scope="module")
def painted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kill") / "covers"
    folder.mkdir()
    for n in range(PAINTED):
        _paint(folder / f"{n:05}.png", n)
    return folder


def _start(*command: object) -> forks.Command:
    return forks.start(*command, stdout=subprocess.DEVNULL)


def _rows(gallery: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(f"{(gallery / 'gallery.sqlite').as_uri()}?mode=ro", uri=True)
    try:
        return connection.execute(query).fetchall()
    except sqlite3.OperationalError:  # it is only just being made
        return []
    finally:
        connection.close()


def _count(gallery: Path, table: str) -> int:
    if not (gallery / "gallery.sqlite").exists():
        return 0
    rows = _rows(gallery, f"SELECT count(*) FROM {table}")
    return int(str(rows[0][0])) if rows else 0


def _kill_until_done(gallery: Path, table: str, total: int, command: list[object], most: int = KILLS) -> int:
    """Starts a command and kills it after its first commit, until it ends by itself or was killed so often.

    Returns how often. The run after the last kill is left to end.

    After each kill the doctor must be content.
    """
    dice = random.Random(str(gallery))
    kills = 0
    while True:
        before = _count(gallery, table)
        with _start(*command, "-g", gallery) as child:
            if kills < most:
                while child.poll() is None and _count(gallery, table) == before:
                    time.sleep(0.001)
                time.sleep(dice.random() * 0.05)
                child.kill()
            child.communicate()
        if child.returncode == 0:
            return kills
        assert child.returncode == -signal.SIGKILL
        assert examine(gallery) == []
        kills += before < _count(gallery, table) < total


def test_a_killed_add_goes_on_and_ends_as_an_undisturbed_one(linked: Path, tmp_path: Path) -> None:
    add(tmp_path / "undisturbed", linked)
    assert _kill_until_done(tmp_path / "g", "games", LINKED, ["add", linked]) == KILLS
    content = "SELECT game_id, name, columns, gone_at, sha256, size FROM games JOIN banners USING (game_id)"
    rows = _rows(tmp_path / "g", content)
    assert len(rows) == LINKED
    assert rows == _rows(tmp_path / "undisturbed", content)


@pytest.mark.slow
def test_a_killed_build_goes_on_and_ends_as_an_undisturbed_one(painted: Path, tmp_path: Path) -> None:
    for name in ("g", "undisturbed"):
        add(tmp_path / name, painted)
    assert _kill_until_done(tmp_path / "g", "vectors", PAINTED, ["build", *SMALL]) == KILLS
    with _start("build", *SMALL, "-g", tmp_path / "undisturbed") as child:
        child.communicate()
    killed, undisturbed = (steamdino.Snapshot.open(tmp_path / name) for name in ("g", "undisturbed"))
    assert len(killed) == PAINTED
    assert killed.ids == undisturbed.ids
    assert (killed.vectors == undisturbed.vectors).all()


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_end_comes_soon_and_says_what_is_kept(
    end: signal.Signals, painted: Path, tmp_path: Path
) -> None:
    gallery = tmp_path / "g"
    add(gallery, painted)
    with _start("build", *SMALL, "-g", gallery) as child:
        while _count(gallery, "vectors") == 0:
            assert child.poll() is None
            time.sleep(0.001)
        child.send_signal(end)
        _, errors = child.communicate(timeout=120)
    kept = _count(gallery, "vectors")
    assert 0 < kept < PAINTED
    told = f"Stopped. {kept:,} of {PAINTED:,} banners are encoded and kept; run the same command to continue."
    assert errors.splitlines()[-1] == told
    assert child.returncode == 130
    with _start("build", *SMALL, "-g", gallery) as child:
        child.communicate()
    assert _count(gallery, "vectors") == PAINTED


@pytest.mark.slow
def test_a_polite_end_of_adding_says_that_what_was_added_is_kept(linked: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "g"
    with _start("add", linked, "-g", gallery) as child:
        while _count(gallery, "games") == 0:
            assert child.poll() is None
            time.sleep(0.001)
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=120)
    assert 0 < _count(gallery, "games") < LINKED
    assert (
        errors.splitlines()[-1] == "Stopped. Games added so far are kept; run the same command to continue."
    )
    assert child.returncode == 130
    assert add(gallery, linked).new > 0
    assert _count(gallery, "games") == LINKED


@pytest.mark.soak
def test_a_hundred_kills_change_nothing(linked: Path, painted: Path, tmp_path: Path) -> None:
    kills = {"games": 0, "vectors": 0}
    with _start("add", painted, "-g", tmp_path / "undisturbed") as child:
        child.communicate()
    with _start("build", *SMALL, "-g", tmp_path / "undisturbed") as child:
        child.communicate()
    undisturbed = steamdino.Snapshot.open(tmp_path / "undisturbed")
    for attempt in range(50):
        if min(kills.values()) >= SOAK // 2:
            return
        kills["games"] += _kill_until_done(tmp_path / f"a{attempt}", "games", LINKED, ["add", linked], SOAK)
        gallery = tmp_path / f"b{attempt}"
        add(gallery, painted)
        kills["vectors"] += _kill_until_done(gallery, "vectors", PAINTED, ["build", *SMALL], SOAK)
        killed = steamdino.Snapshot.open(gallery)
        assert killed.ids == undisturbed.ids
        assert (killed.vectors == undisturbed.vectors).all()
    pytest.fail(f"only {kills} kills")
