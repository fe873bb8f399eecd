"""`steam-dino explain` as a whole process."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from PIL import Image

from steamdino import Snapshot

Run = Callable[..., "CompletedProcess[str]"]


@pytest.mark.slow
def test_two_games_are_explained_by_a_table_a_picture_and_json(run: Run, built: Path, tmp_path: Path) -> None:
    expected = next(m for m in Snapshot.open(built).similar("neonoir", 20) if m.id == "hollow-avenue")
    done = run("explain", "neonoir", "hollow aven", "-g", built, "-o", tmp_path / "why.png")
    assert done.returncode == 0, done.stderr
    head, table, *rows = done.stdout.splitlines()
    assert head.startswith(f"Neonoir and Hollow Avenue: {expected.similarity:.3f}, closer than ")
    assert table.startswith("adds to the similarity")
    percents = [int(word) for row in rows for word in re.findall(r"-?\d+(?= %)", row)]
    assert len(percents) == 18
    assert sum(percents) == pytest.approx(200, abs=9)  # each is rounded
    with Image.open(tmp_path / "why.png") as sheet:
        assert sheet.format == "PNG"
        assert len(sheet.convert("RGB").getcolors(1 << 24) or ()) > 5000
    found = json.loads(run("explain", "neonoir", "hollow-avenue", "-g", built, "--format", "json").stdout)
    assert found["similarity"] == pytest.approx(expected.similarity, abs=1e-4)
    assert found["percentile"] == pytest.approx(expected.percentile, abs=0.01)
    assert [picture["name"] for picture in found["pictures"]] == ["Neonoir", "Hollow Avenue"]
    assert sum(found["pictures"][0]["regions"].values()) == pytest.approx(found["similarity"], abs=1e-4)
    assert len(found["pairs"]) > 3


def test_two_files_need_no_gallery(run: Run, paint: Callable[..., Path], tmp_path: Path) -> None:
    one, two = paint(tmp_path / "a.png", 1), paint(tmp_path / "b.png", 2)
    done = run("explain", one, two, "-g", tmp_path / "none", "--pictures")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("a.png and b.png: ")
    assert "alike" in done.stdout
    assert "▀" in done.stdout


@pytest.mark.slow
def test_what_cannot_be_explained_is_told_in_one_line(run: Run, built: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n, cut")
    for arguments, code, told in (
        (("neonoir", "no such game at all"), 1, "no game matches"),
        (("neonoir", broken), 1, "broken.png"),
        (("neonoir", "hollow-avenue", "--format", "xml"), 2, "--format is 'xml'"),
        (("neonoir", "hollow-avenue", "-o", tmp_path / "a.jpg"), 2, "does not end in .png"),
    ):
        done = run("explain", *arguments, "-g", built)
        assert done.returncode == code, done.stderr
        assert told in done.stderr
        assert done.stderr.count("\n") == 1
    nowhere = run("explain", "neonoir", "hollow-avenue", "-g", tmp_path / "none")
    assert (nowhere.returncode, nowhere.stderr.count("\n")) == (1, 1)
    assert "there is no gallery" in nowhere.stderr


@pytest.mark.slow
def test_a_damaged_snapshot_is_not_taken_for_none(run: Run, gallery_with_pictures: Path) -> None:
    """With files, the recipe would silently be another one; a check would say that nothing is built."""
    (snapshot,) = gallery_with_pictures.glob("snapshots/*/*")
    vectors = snapshot / "vectors.npy"
    vectors.write_bytes(vectors.read_bytes()[:-4])
    store = gallery_with_pictures.parent / "store/banners"
    pictures = sorted(store.rglob("*.jpg"))[:2]
    for command in (("explain", *pictures), ("check",)):
        done = run(*command, "-g", gallery_with_pictures)
        assert done.returncode == 1
        assert "build the snapshot again" in done.stderr.splitlines()[-1]
