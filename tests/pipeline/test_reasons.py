"""No reason why something could not be used says where it lay: reasons go into snapshots, which are given away."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from steamdino import Snapshot, add, build
from steamdino.errors import QueryError
from steamdino.gallery import Gallery
from steamdino.training.data import collect
from steamdino.wellformed import names_a_path

Paint = Callable[..., Path]


@pytest.fixture
def troubled(tmp_path: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gallery in which every kind of thing went wrong after its pictures had been added, and before."""
    place = tmp_path / "anna" / "covers"
    for number, name in enumerate(("good", "gone", "changed", "folder", "cut", "linked", "empty")):
        paint(place / "first" / f"{name}.png", number)
    table = place / "table.csv"
    rows = [
        "id,name,path",
        f"outside,Outside,{paint(tmp_path / 'elsewhere' / 'x.png', 20)}",
        "relative,Relative,../../elsewhere/x.png",
        f"late,Late,{paint(place / 'second' / 'late.png', 21)}",
        f"never,Never,{place / 'second' / 'never.png'}",
    ]
    table.write_text("\n".join(rows) + "\n")
    scandir = os.scandir

    def refusing(path: Any) -> Any:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    (place / "first" / "inner" / "locked").mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refusing)
        add(tmp_path / "gallery", place / "first")
    add(tmp_path / "gallery", table)
    (place / "first" / "gone.png").unlink()
    (place / "second" / "late.png").unlink()
    paint(place / "first" / "changed.png", 50)
    (place / "first" / "folder.png").unlink()
    (place / "first" / "folder.png").mkdir()
    data = (place / "first" / "cut.png").read_bytes()
    (place / "first" / "cut.png").write_bytes(data[:200])
    (place / "first" / "linked.png").unlink()
    (place / "first" / "linked.png").symlink_to(tmp_path / "nowhere.png")
    (place / "first" / "empty.png").write_bytes(b"")
    build(tmp_path / "gallery")
    return tmp_path / "gallery"


def test_problems_say_why_and_no_place_on_this_machine(troubled: Path) -> None:
    with Gallery.open(troubled) as opened:
        found = [problem for _, _, problem in opened.problems.known()]
    assert {problem.id for problem in found} >= {
        "outside",
        "gone",
        "changed",
        "folder",
        "linked",
        "empty",
        "late",
    }
    told = json.dumps([(problem.where, problem.reason) for problem in found])
    assert str(troubled.parent) not in told
    assert not [
        problem for problem in found if names_a_path(problem.reason) or Path(problem.where).is_absolute()
    ]
    assert [problem.where for problem in found if "cannot be listed" in problem.reason] == ["inner/locked"]
    reasons = {problem.id: problem.reason for problem in found}
    assert reasons["gone"] == "its picture cannot be read: the file does not exist"
    assert reasons["changed"] == "its picture has changed since it was added; add its source again"
    assert reasons["outside"] == "its path leads outside the table's folder; allow that with --allow-outside"


def test_neither_a_search_nor_a_pack_says_where_pictures_lay(troubled: Path, tmp_path: Path) -> None:
    snapshot = Snapshot.open(troubled)
    for key in ("gone", "changed", "folder", "linked", "empty", "late"):
        with pytest.raises(QueryError) as caught:
            snapshot.similar(key)
        assert str(tmp_path) not in str(caught.value)
    snapshot.pack(tmp_path / "x.steamdino")
    with zipfile.ZipFile(tmp_path / "x.steamdino") as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    for part in (str(tmp_path), "anna", "covers"):
        assert part.encode() not in content


def test_training_says_no_more(troubled: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    pictures = collect(troubled, tmp_path / "run", (48, 32), fewest=1)
    assert pictures.problems
    assert not [problem for problem in pictures.problems if str(tmp_path) in problem.reason]
