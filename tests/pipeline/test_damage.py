"""A full disk, folders that may not be written to: one line each, and nothing harmed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import steamdino
from steamdino.pipeline import add, build, examine

resource = pytest.importorskip("resource", reason="this system has no limits of that kind")

Paint = Callable[..., Path]
PICTURES = 300
SMALL = "bundled/64x64"  # of the model's input: a fifth of the work, and the same code


@pytest.fixture
def covers(tmp_path: Path, paint: Paint) -> Path:
    for n in range(PICTURES):
        paint(tmp_path / f"covers/{n:03}.png", n, size=(16, 24))
    return tmp_path / "covers"


def _limited(limit: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs the command with a limit on the size of any file: what a full disk looks like from inside."""

    def limit_files() -> None:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [sys.executable, "-m", "steamdino", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, preexec_fn=limit_files, check=False)


def _unprivileged(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs the command as somebody to whom permissions apply.

    Root keeps its id, since its interpreter may lie where nobody else may read, and loses what lets it pass them by.
    """
    command = [sys.executable, "-m", "steamdino", *map(str, arguments)]
    if os.getuid() == 0:
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", *command]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    line = done.stderr.splitlines()[-1]
    assert line.startswith("steam-dino: ")
    return line


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("limit", [30_000, 60_000, 100_000])
def test_a_full_disk_while_adding_loses_nothing(limit: int, covers: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "g"
    line = _one_line(_limited(limit, "add", covers, "-g", gallery))
    assert "free some space" in line
    assert add(gallery, covers).problems == ()
    assert build(gallery, SMALL).games == PICTURES
    assert examine(gallery, deep=True) == []


@pytest.mark.slow
@pytest.mark.parametrize("limit", [150_000, 250_000])
def test_a_full_disk_while_building_loses_nothing(limit: int, covers: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "g"
    add(gallery, covers)
    line = _one_line(_limited(limit, "build", "--recipe", SMALL, "-g", gallery))
    assert "free some space" in line or "File too large" in line
    assert build(gallery, SMALL).games == PICTURES
    assert examine(gallery, deep=True) == []
    undisturbed = tmp_path / "undisturbed"
    add(undisturbed, covers)
    build(undisturbed, SMALL)
    ours, theirs = (steamdino.Snapshot.open(path) for path in (gallery, undisturbed))
    assert ours.ids == theirs.ids
    assert (ours.vectors == theirs.vectors).all()


@pytest.mark.slow
def test_a_read_only_gallery_answers_and_refuses_to_be_written(covers: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "g"
    add(gallery, covers)
    build(gallery, SMALL)
    for path in [gallery, *gallery.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert _unprivileged("similar", "000", "-g", gallery, "--format", "ids").stdout.count("\n") == 10
        assert "up to date" in _unprivileged("info", "-g", gallery).stdout
        assert _unprivileged("doctor", "-g", gallery).stdout == "No problems found.\n"
        for command in (["add", covers], ["build"], ["prune"], ["remove", "000"]):
            assert "writable" in _one_line(_unprivileged(*command, "-g", gallery))
        assert "cannot be made into a gallery" in _one_line(
            _unprivileged("add", covers, "-g", gallery / "sub")
        )
    finally:
        for path in [gallery, *(p for p in gallery.rglob("*") if p.is_dir())]:
            path.chmod(0o755)
    assert examine(gallery) == []
