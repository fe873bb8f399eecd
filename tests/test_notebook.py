"""The notebook runs from top to bottom, and shows pictures."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "match_steam_banners.ipynb"


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The code cells, after the whole notebook has run in an empty folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the kernel's libraries warn each other of
        from nbclient import NotebookClient

        notebook = nbformat.read(NOTEBOOK, 4)
        folder = {"metadata": {"path": str(tmp_path_factory.mktemp("notebook"))}}
        NotebookClient(notebook, kernel_name="python3", timeout=120, resources=folder).execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _outputs(cells: list[Any], code: str) -> dict[str, str]:
    """What the one cell with a piece of code gives, by MIME type."""
    (cell,) = (cell for cell in cells if code in cell.source)
    found: dict[str, str] = {}
    for output in cell.outputs:
        found |= output.get("data", {"text/plain": output.get("text", "")})
    return found


def test_matches_and_unique_games_show_their_banners(cells: list[Any]) -> None:
    for code, banners, told in (
        ('similar("rainproof", k=10)', 11, "Rainproof: After Hours"),
        ("mirror=True", 6, "Rainproof Artbook"),
        ("similar(mine", 6, "Neonoir"),
        ("unique(snapshot, 12)", 12, "Wide Mesa"),
        ("diverse(snapshot, 12)", 12, "Nothing Here Yet"),
    ):
        page = _outputs(cells, code)["text/html"]
        assert page.count('<img src="data:image/jpeg') == banners, code
        assert told in page
        assert "<script>" not in page


def test_an_explanation_and_the_plot_are_pictures(cells: list[Any]) -> None:
    for code in ("Explainer(", "axes.hist("):
        assert len(_outputs(cells, code)["image/png"]) > 10_000


def test_the_plain_results_are_printed(cells: list[Any]) -> None:
    assert "479 games drawn, 476 of them ready" in _outputs(cells, "draw_store(")["text/plain"]
    printed = _outputs(cells, 'similar("stormkeep"')["text/plain"].splitlines()
    assert [line.split()[0] for line in printed] == ["1", "2", "3", "4", "5"]
    audit = _outputs(cells, "Auditor(")["text/plain"]
    assert re.search(
        r"^Cyberpunk: more unusual than \d+ % of 30, closest is Neonoir with 0\.\d+$", audit, re.M
    )


def test_it_is_kept_without_outputs_and_opens_in_colab() -> None:
    notebook = nbformat.read(NOTEBOOK, 4)
    nbformat.validate(notebook)
    assert all(
        not cell.outputs and not cell.execution_count for cell in notebook.cells if cell.cell_type == "code"
    )
    assert f"/blob/main/notebooks/{NOTEBOOK.name}" in notebook.cells[0].source
    assert "colab-badge.svg" in notebook.cells[0].source
