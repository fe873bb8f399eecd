"""`steam-dino unique` as a whole process."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from PIL import Image

from steamdino import Snapshot
from steamdino.analysis.unique import unique
from steamdino.pipeline.duplicate_search import duplicate_ids

Run = Callable[..., "CompletedProcess[str]"]


def test_unique_games_come_as_a_table_json_csv_ids_a_page_and_a_sheet(
    run: Run, built: Path, tmp_path: Path
) -> None:
    expected = [one.game.id for one in unique(Snapshot.open(built), 12)]
    done = run("unique", "-g", built, "-n", 12, "--html", tmp_path / "u.html", "--sheet", tmp_path / "u.png")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 2 + 12
    assert all(f"({game_id})" in line for game_id, line in zip(expected, lines[2:], strict=True))
    page = (tmp_path / "u.html").read_text("utf-8")
    assert page.count('<img src="data:image/jpeg') == 24
    assert "<script" not in page
    with Image.open(tmp_path / "u.png") as sheet:
        assert sheet.width > sheet.height > 225

    listed = json.loads(run("unique", "-g", built, "-n", 12, "--format", "json").stdout)
    assert listed["kind"] == "unique"
    assert [game["id"] for game in listed["games"]] == expected
    rows = list(csv.DictReader(io.StringIO(run("unique", "-g", built, "-n", 12, "--format", "csv").stdout)))
    assert [row["id"] for row in rows] == expected
    assert [float(row["closest similarity"]) for row in rows] == [
        game["closest"]["similarity"] for game in listed["games"]
    ]
    assert run("unique", "-g", built, "-n", 12, "--format", "ids").stdout.split() == expected


def test_without_a_number_there_are_250_or_all_below_a_limit(run: Run, built: Path) -> None:
    assert len(run("unique", "-g", built, "--format", "ids").stdout.split()) == 250
    below = run("unique", "-g", built, "--below", "0.6", "--format", "ids").stdout.split()
    assert below == [one.game.id for one in unique(Snapshot.open(built), None, below=0.6)]
    nothing = run("unique", "-g", built, "--below", "-0.9")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "No game is below this similarity" in nothing.stderr
    filtered = run("unique", "-g", built, "--released", "1900")
    assert (filtered.returncode, filtered.stdout, filtered.stderr) == (0, "", "No game passes the filters.\n")


def test_copies_count_as_one_game_when_it_is_asked_for(run: Run, gallery_with_pictures: Path) -> None:
    arguments = ("unique", "-g", gallery_with_pictures, "-n", 1000, "--format", "ids")
    every = run(*arguments).stdout.split()
    fewer = run(*arguments, "--ignore-duplicates").stdout.split()
    assert set(every) - set(fewer) == duplicate_ids(gallery_with_pictures)
    assert set(fewer) <= set(every)


def test_a_diverse_set_is_said_to_be_another_thing(run: Run, built: Path, tmp_path: Path) -> None:
    done = run("unique", "-g", built, "--diverse", "-n", 5, "--html", tmp_path / "d.html")
    assert done.stdout.startswith("Games that differ from each other\n")
    assert "its games need not be unique" in (tmp_path / "d.html").read_text("utf-8")
    assert (
        json.loads(run("unique", "-g", built, "--diverse", "-n", 5, "--format", "json").stdout)["kind"]
        == "diverse"
    )


def test_what_makes_no_sense_is_refused(run: Run, built: Path, tmp_path: Path) -> None:
    for arguments, told in (
        (("-n", 0), "-n is 0"),
        (("--below", 7), "--below is 7.0"),
        (("--diverse", "-k", 2), "--diverse does not average neighbours"),
        (("--format", "xml"), "--format is 'xml'"),
        (("--sheet", tmp_path / "u.jpg"), "does not end in .png"),
    ):
        done = run("unique", "-g", built, *arguments)
        assert done.returncode == 2
        assert told in done.stderr
        assert done.stderr.count("\n") == 1
