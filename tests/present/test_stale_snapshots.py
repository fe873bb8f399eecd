"""`info` tells the command that brings each stale snapshot up to date, and that command does."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def draw(path: Path, seed: int) -> None:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 4, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((60, 90)).save(path)


def stale(told: str) -> list[str]:
    return [" ".join(one.split()) for one in re.findall(r"stale.*; run: (steam-dino build[^\n]*)", told)]


@pytest.mark.slow
def test_each_stale_snapshot_has_a_command_that_mends_it(run: Run, tmp_path: Path) -> None:
    covers, gallery = tmp_path / "covers", tmp_path / "my gallery"
    covers.mkdir()
    for n in range(4):
        draw(covers / f"{n}.png", n)
    wide = {"COLUMNS": "400"}
    run("add", covers, "-g", gallery)
    for flags in ((), ("--transform", "fit"), ("--pooling", "simple"), ("--size", "96x144")):
        assert run("build", "-g", gallery, *flags).returncode == 0
    assert stale(run("info", "-g", gallery, env=environ(wide)).stdout) == []

    draw(covers / "new.png", 9)
    run("add", covers, "-g", gallery)
    for left in (4, 3, 2, 1):
        commands = stale(run("info", "-g", gallery, env=environ(wide)).stdout)
        assert len(commands) == left
        words = shlex.split(commands[-1])[1:]
        assert run(*words).returncode == 0
    assert stale(run("info", "-g", gallery, env=environ(wide)).stdout) == []


def test_the_command_names_no_more_than_it_must(run: Run, tmp_path: Path) -> None:
    covers = Path("covers")
    covers.mkdir()
    draw(covers / "a.png", 1)
    run("add", covers)
    run("build")
    draw(covers / "b.png", 2)
    run("add", covers)
    assert stale(run("info").stdout) == ["steam-dino build"]


def environ(more: dict[str, str]) -> dict[str, str]:
    import os

    return {**os.environ, **more}
