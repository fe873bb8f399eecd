from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_the_demo_draws_builds_finds_and_writes_a_page(
    run: Run, demo: tuple[Path, subprocess.CompletedProcess[str]]
) -> None:
    folder, done = demo
    assert done.returncode == 0, done.stderr
    assert "games are ready" in done.stderr
    assert done.stdout.count("Similar to ") == 2
    page = (folder / "demo/alike.html").read_text("utf-8")
    assert page.count("<section>") == 12
    assert page.count("data:image/jpeg;base64,") >= 12 * 11 - 2
    *_, last = done.stdout.splitlines()
    assert last.startswith("Next: steam-dino similar ")
    again = run(*last.removeprefix("Next: steam-dino ").split(), "-k", 3, cwd=folder)
    assert again.returncode == 0
    assert len(again.stdout.splitlines()) == 5
