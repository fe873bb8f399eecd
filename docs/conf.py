"""Sphinx: Markdown by MyST, the Python reference from docstrings."""

from __future__ import annotations

import steamdino

project = "steam-dino"
author = "the steam-dino authors"
version = release = steamdino.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
suppress_warnings = ["myst.xref_missing"]  # links to files of the repository outside docs/
autodoc_typehints = "description"
autodoc_member_order = "bysource"
html_theme = "furo"
html_title = "steam-dino"
exclude_patterns = ["_build"]
