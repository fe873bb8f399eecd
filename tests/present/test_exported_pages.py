"""The pages that commands write, in both themes: they follow the reader's preference, and axe finds no fault."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from tests.present.web.browsing import check_looks

from steamdino import Snapshot

pytestmark = pytest.mark.slow

Run = Callable[..., "CompletedProcess[str]"]
COMMANDS = {
    "matches": ("export", "html", "neonoir", "-o", "matches.html"),
    "unique": ("unique", "-n", "5", "--html", "unique.html"),
    "audit": ("audit", "draft.jpg", "--html", "audit.html"),
    "flaws": ("check", "--html", "flaws.html"),
    "changes": ("changes", "--format", "html", "-o", "changes.html"),
    "duplicates": ("duplicates", "--html", "duplicates"),
    "map": ("map", "--html", "map"),
}


@pytest.fixture(scope="module")
def folder(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    picture = Snapshot.open(built).game("neonoir").picture
    assert picture is not None
    (folder / "draft.jpg").write_bytes(picture.read_bytes())
    return folder


def _brightness(page: Any, selector: str) -> float:
    """How bright the ground of an element is, from 0 to 255."""
    found = page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).backgroundColor")
    return sum(map(float, re.findall(r"[0-9.]+", found)[:3])) / 3


@pytest.mark.parametrize("name", COMMANDS)
def test_a_written_page_has_both_themes_and_axe_finds_no_fault(
    name: str, run: Run, built: Path, folder: Path, browser: Any
) -> None:
    done = run(*COMMANDS[name], "-g", built, cwd=folder)
    assert done.returncode in (0, 1), done.stderr  # check finds something
    path = folder / name / "index.html"
    if not path.exists():
        path = folder / f"{name}.html"
    grounds = {}
    for scheme, width in (("light", 1440), ("dark", 360)):
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page = context.new_page()
        page.goto(path.as_uri())
        page.wait_for_load_state("networkidle")
        check_looks(page)
        grounds[scheme] = _brightness(page, "body")
        context.close()
    assert grounds["light"] > 200 > 60 > grounds["dark"]
