"""Kills `steam-dino map` and `export site`; the same command must end as one undisturbed run does."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import forks

from steamdino import Snapshot
from steamdino.errors import OutputError
from steamdino.present.export import atlas, finished_tiles, map_tiles, map_writer
from steamdino.records import Progress
from steamdino.storage.unfinished import unfinished_folder

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def content(*folders: Path) -> dict[str, bytes]:
    """What lies in folders and files, by name."""
    found = {}
    for folder in folders:
        paths = folder.rglob("*") if folder.is_dir() else [folder]
        found |= {str(path.relative_to(folder.parent)): path.read_bytes() for path in paths if path.is_file()}
    return found


def stop_when(
    command: list[object], reached: Callable[[], bool], by: signal.Signals = signal.SIGKILL
) -> tuple[int, str]:
    """Start a command, and stop it when something is reached; it must not end before.

    Returns its exit code and its messages.
    """
    process = forks.start(*command, stdout=subprocess.DEVNULL)
    while not reached():
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.002)
    os.kill(process.pid, by)
    _, told = process.communicate()
    return process.returncode, told


@pytest.mark.slow
def test_a_map_that_was_killed_in_the_layout_and_in_the_tiles_ends_as_an_undisturbed_one(
    run: Run, built: Path, tmp_path: Path
) -> None:
    def command(folder: Path) -> list[object]:
        return ["map", "-g", built, "-o", folder / "m.png", "--html", folder / "m"]

    killed, whole = tmp_path / "killed", tmp_path / "whole"
    kept = unfinished_folder(killed / "m")
    stop_when(command(killed), (kept / "layout.npz").exists)
    state = np.load(kept / "layout.npz")["done"]
    assert state < 750
    tiles = kept / "output" / "tiles"
    for least, by in ((1, signal.SIGINT), (4, signal.SIGKILL)):
        code, told = stop_when(
            command(killed), lambda least=least: len(list(tiles.rglob("*.jpg"))) >= least, by
        )
        assert not (killed / "m").exists()
        assert np.load(kept / "layout.npz")["done"] == 750
        if by == signal.SIGINT:
            kept_too = "Stopped. What is arranged and drawn is kept; run the same command to continue.\n"
            assert (code, told) == (130, kept_too)
    done = run(*command(killed))
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in killed.iterdir()) == ["m", "m.png"]
    assert run(*command(whole)).returncode == 0
    assert content(killed / "m", killed / "m.png") == content(whole / "m", whole / "m.png")


@pytest.mark.slow
def test_a_site_that_was_killed_keeps_its_pictures_and_ends_as_an_undisturbed_one(
    run: Run, built: Path, tmp_path: Path
) -> None:
    command = ["export", "site", "-g", built, "-o"]
    banners = unfinished_folder(tmp_path / "killed") / "output" / "banners"
    stop_when([*command, tmp_path / "killed"], lambda: len(list(banners.rglob("*.jpg"))) > 20)
    kept = {path: path.stat().st_mtime_ns for path in banners.rglob("*.jpg")}
    assert run(*command, tmp_path / "killed").returncode == 0
    for path, written in kept.items():
        final = tmp_path / "killed" / path.relative_to(banners.parent)
        assert final.stat().st_mtime_ns == written
    assert run(*command, tmp_path / "whole").returncode == 0
    made, expected = (
        {name.split("/", 1)[1]: data for name, data in content(tmp_path / name).items()}
        for name in ("killed", "whole")
    )
    assert made == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed", "whole"]


@pytest.fixture
def few(built: Path) -> tuple[Snapshot, np.ndarray]:
    """Fewer games than need t-SNE, in more than one tile."""
    snapshot = Snapshot.open(built)
    return snapshot, snapshot.rows()[:15]


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (atlas, map_tiles, finished_tiles):
        monkeypatch.setattr(module, "TILE", 64)
    monkeypatch.setattr(finished_tiles, "_SIZE", (64, 64))


class Stopping:
    """A stage that is interrupted when so many banners are drawn; and what was reported."""

    def __init__(self, at: float = float("inf")) -> None:
        self.at, self.told = at, list[int]()

    @contextmanager
    def __call__(self, description: str, unit: str) -> Iterator[Progress]:
        def report(done: int, total: int) -> None:
            if description == "Drawing":
                self.told.append(done)
                if done >= self.at:
                    raise KeyboardInterrupt

        yield report


@pytest.mark.quick_cases(1)
@pytest.mark.usefixtures("small_tiles")
@pytest.mark.parametrize("largest", [10**8, 12_000])
@pytest.mark.parametrize("outputs", ["png", "folder", "both"])
def test_drawing_that_was_stopped_after_each_banner_ends_as_an_undisturbed_one(
    few: tuple[Snapshot, np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    largest: int,
    outputs: str,
) -> None:
    monkeypatch.setattr(atlas, "LARGEST", largest)

    def write(folder: Path, stage: Any) -> None:
        folder.mkdir(exist_ok=True)
        places = {
            "png": folder / "m.png" if outputs != "folder" else None,
            "folder": folder / "m" if outputs != "png" else None,
        }
        map_writer.write_map(*few, title="x", stage=stage, **places)

    write(tmp_path / "whole", Stopping())
    for at in (1, 6, 11):
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path / "stopped", Stopping(at))
    last = Stopping()
    write(tmp_path / "stopped", last)
    made, expected = (content(*sorted((tmp_path / name).iterdir())) for name in ("stopped", "whole"))
    assert made == expected
    if largest == 10**8 or outputs == "folder":
        assert last.told[0] > 1  # finished tiles were not drawn again


@pytest.mark.quick_cases(1)
@pytest.mark.usefixtures("small_tiles")
@pytest.mark.parametrize("harm", ["cut", "zeros", "missing"])
@pytest.mark.parametrize("what", ["output/tiles", "tiles"])
def test_tiles_that_a_power_cut_took_are_drawn_again(
    few: tuple[Snapshot, np.ndarray], tmp_path: Path, what: str, harm: str
) -> None:
    write = {"png": tmp_path / "m.png", "folder": tmp_path / "m", "title": "x"}
    map_writer.write_map(*few, **write)
    expected = content(tmp_path / "m", tmp_path / "m.png")
    with pytest.raises(KeyboardInterrupt):
        map_writer.write_map(*few, **write, stage=Stopping(12))
    for path in [path for path in (unfinished_folder(tmp_path / "m") / what).rglob("*") if path.is_file()][
        ::2
    ]:
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2] + bytes(len(data) // 2 if harm == "zeros" else 0))
        if harm == "missing":
            path.unlink()
    map_writer.write_map(*few, **write)
    assert content(tmp_path / "m", tmp_path / "m.png") == expected


@pytest.mark.usefixtures("small_tiles")
def test_unfinished_work_of_other_games_is_discarded(
    few: tuple[Snapshot, np.ndarray], tmp_path: Path
) -> None:
    snapshot, rows = few
    with pytest.raises(KeyboardInterrupt):
        map_writer.write_map(*few, png=None, folder=tmp_path / "m", title="x", stage=Stopping(12))
    map_writer.write_map(snapshot, rows[:7], png=None, folder=tmp_path / "m", title="x")
    map_writer.write_map(snapshot, rows[:7], png=None, folder=tmp_path / "n", title="x")
    made, expected = (list(content(tmp_path / name).values()) for name in ("m", "n"))
    assert made == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m", "n"]


def test_two_processes_do_not_write_the_same_map(few: tuple[Snapshot, np.ndarray], tmp_path: Path) -> None:
    @contextmanager
    def meanwhile(description: str, unit: str) -> Iterator[Progress]:
        with pytest.raises(OutputError, match="is being written by another process"):
            map_writer.write_map(*few, png=None, folder=tmp_path / "m", title="x")
        yield lambda done, total: None

    map_writer.write_map(*few, png=None, folder=tmp_path / "m", title="x", stage=meanwhile)
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
