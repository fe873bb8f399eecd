"""An answer for a name near the one that was asked for says so, and a program can tell."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

GUESS = "Using Neonoir (neonoir), since no game has the name or id 'Neonoirr'\n"


@pytest.mark.parametrize("form", ["json", "csv", "bbcode"])
def test_an_export_answers_for_the_nearest_name_and_tells_by_a_note_and_its_exit_code(
    form: str, run: Run, built: Path
) -> None:
    right, guessed = (run("export", form, name, "-g", built) for name in ("Neonoir", "Neonoirr"))
    assert (right.returncode, right.stderr) == (0, "")
    assert (guessed.returncode, guessed.stderr) == (3, GUESS)
    assert guessed.stdout == right.stdout


def test_a_page_tells_too_after_it_was_written(run: Run, built: Path, tmp_path: Path) -> None:
    done = run("export", "html", "Neonoirr", "neonoir", "-g", built, "-o", tmp_path / "page.html")
    assert (done.returncode, done.stderr) == (3, GUESS)
    assert (tmp_path / "page.html").exists()


@pytest.mark.parametrize("form", ["json", "html"])
def test_exact_names_refuse_before_anything_is_written(
    form: str, run: Run, built: Path, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    refused = run("export", form, "neonoir", "Neonoirr", "--exact-names", "-g", built, "-o", made)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert (
        refused.stderr
        == "steam-dino: no game has the name or id 'Neonoirr'; the nearest is Neonoir (neonoir)\n"
    )
    assert not made.exists()
    assert run("export", form, "neonoir", "NEONOIR", "--exact-names", "-g", built, "-o", made).returncode == 0


def test_a_search_in_a_format_for_programs_has_the_note_and_still_succeeds(run: Run, built: Path) -> None:
    done = run("similar", "Neonoirr", "--format", "json", "-g", built)
    assert (done.returncode, done.stderr) == (0, GUESS)
    assert json.loads(done.stdout)["query"]["id"] == "neonoir"
