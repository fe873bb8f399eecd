"""Queries with their matches on one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from steamdino.present.display_text import closeness
from steamdino.present.export.html_page import render, write_page
from steamdino.records import Matches


def write_sheet(path: Path, answers: Sequence[Matches], *, title: str) -> None:
    """Write the page.

    Args:
        path: the file; see `storage.output`.
        answers: one section each.
        title: the page's heading.

    Raises:
        OutputError: the file cannot be written.
    """
    write_page(path, TEMPLATE, option="-o", title=title, answers=answers, closeness=closeness)


def sheet_page(answers: Sequence[Matches], *, title: str) -> str:
    """The same page as a text."""
    return render(TEMPLATE, title=title, answers=answers, closeness=closeness)


TEMPLATE = "sheet.html.jinja"
