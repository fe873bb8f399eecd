"""Sphinx: Markdown by MyST, the Python reference from docstrings."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import steamdino

ROOT = Path(__file__).parents[1]
REPOSITORY = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]["Repository"]

project = "steam-dino"
author = "the steam-dino authors"
version = release = steamdino.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
autodoc_typehints = "description"
autodoc_member_order = "bysource"
html_theme = "furo"
html_theme_options = {"source_repository": REPOSITORY, "source_branch": "main", "source_directory": "docs/"}
html_title = "steam-dino"
exclude_patterns = ["_build"]


def link_to_repository(app: Any, page: str, source: list[str]) -> None:
    """Let links to files outside of this folder lead to the repository, where the page itself is on its own."""
    folder = ROOT / "docs" / os.path.dirname(page)  # noqa: PTH120

    def address(link: re.Match[str]) -> str:
        target = Path(os.path.normpath(folder / link[1]))
        inside = target.is_relative_to(ROOT / "docs") or not target.exists()
        return link[0] if inside else f"]({REPOSITORY}/blob/main/{target.relative_to(ROOT).as_posix()}"

    source[0] = re.sub(r"\]\((\.\.?/[^)#\s]+)", address, source[0])


def setup(app: Any) -> None:
    """Register it."""
    app.connect("source-read", link_to_repository)
