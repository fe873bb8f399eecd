"""`steam-dino audit` as a whole process."""

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


@pytest.fixture
def drafts(built: Path, tmp_path: Path) -> tuple[Path, Path]:
    picture = Snapshot.open(built).game("neonoir").picture
    assert picture is not None
    crop, white = tmp_path / "crop <b>.png", tmp_path / "white.png"
    with Image.open(picture) as image:
        image.crop((20, 30, 280, 420)).save(crop)
    Image.new("RGB", (300, 450), (250, 250, 250)).save(white)
    return crop, white


@pytest.mark.slow
def test_drafts_are_compared_side_by_side_and_each_is_told(
    run: Run, built: Path, drafts: tuple[Path, Path], tmp_path: Path
) -> None:
    done = run("audit", *drafts, "-g", built, "--tag", "Horror", "--html", tmp_path / "a.html", "-k", 4)
    assert done.returncode == 0, done.stderr
    head, crop, white, *rest = done.stdout.splitlines()
    assert head.split() == ["draft", "closest", "similarity", "unusual", "unusual,", "Horror", "flaws"]
    assert re.match(r"crop <b>\.png +Neonoir +0\.\d{3} +\d+ % +\d+ % +odd-size", crop)
    assert re.match(r"white\.png .* blank", white)
    text = "\n".join(rest)
    assert "It shows what the banner of Neonoir shows: 0." in text
    assert len(re.findall(r"More unusual than \d+ % of ", text)) == 4
    assert "games tagged Horror" in text

    page = (tmp_path / "a.html").read_text("utf-8")
    assert page.count('<img src="data:image/jpeg') == 2 + 2 + 8 + 4 + 4
    assert "crop &lt;b&gt;.png" in page
    assert "<script" not in page and "crop <b>" not in page


@pytest.mark.slow
def test_json_says_the_same(run: Run, built: Path, drafts: tuple[Path, Path]) -> None:
    found = json.loads(run("audit", drafts[0], "-g", built, "--format", "json").stdout)
    (draft,) = found["drafts"]
    assert draft["matches"][0]["id"] == "neonoir"
    assert draft["taken"] is True
    # Whoever sits at this machine gets the paths of pictures, the draft's as it was typed.
    assert draft["picture"] == str(drafts[0])
    assert draft["matches"][0]["picture"] == str(Snapshot.open(built).game("neonoir").picture)
    assert draft["verdict"].startswith("It shows what the banner of Neonoir shows")
    assert draft["standings"][0]["tag"] is None
    assert draft["standings"][0]["closest"]["id"] == "neonoir"
    assert [flaw["flaw"] for flaw in draft["flaws"]] == ["odd-size"]
    assert draft["why"]["similarity"] == pytest.approx(draft["matches"][0]["similarity"], abs=1e-3)
    own = json.loads(run("audit", drafts[0], "-g", built, "--without", "neonoir", "--format", "json").stdout)[
        "drafts"
    ][0]
    assert own["matches"][0]["id"] == draft["matches"][1]["id"]


@pytest.mark.slow
def test_a_packed_snapshot_is_enough(
    run: Run, built: Path, drafts: tuple[Path, Path], tmp_path: Path
) -> None:
    assert run("pack", "-o", tmp_path / "store.pack", "-g", built).returncode == 0
    done = run("audit", drafts[0], "--snapshot", tmp_path / "store.pack", "--html", tmp_path / "a.html")
    assert done.returncode == 0, done.stderr
    assert "It shows what the banner of Neonoir shows" in done.stdout


@pytest.mark.slow
def test_what_makes_no_sense_is_refused(
    run: Run, built: Path, drafts: tuple[Path, Path], tmp_path: Path
) -> None:
    for arguments, code, told in (
        ((tmp_path / "none.png",), 1, "none.png"),
        ((drafts[0], "--tag", "Horor"), 1, "did you mean: horror"),
        ((drafts[0], "--format", "xml"), 2, "--format is 'xml'"),
        ((drafts[0], "-k", 0), 2, "k is 0"),
        ((drafts[0], "--html", tmp_path), 1, "cannot be written"),
    ):
        done = run("audit", *arguments, "-g", built)
        assert (done.returncode, told in done.stderr) == (code, True), done.stderr
        assert done.stderr.count("\n") == 1


def test_a_damaged_gallery_is_not_taken_for_a_lone_snapshot(
    run: Run, gallery: Path, drafts: tuple[Path, Path]
) -> None:
    (gallery / "gallery.sqlite").write_bytes(b"this is no database" * 100)
    done = run("audit", drafts[0], "-g", gallery)
    assert done.returncode == 1
    assert "restore it from a backup" in done.stderr
    (snapshot,) = gallery.glob("snapshots/*/*")
    assert run("audit", drafts[0], "-g", snapshot).returncode == 0
