"""`--min-similarity` and `--min-percentile` of every command that prints matches."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from steamdino import Snapshot

Run = Callable[..., Any]
QUERY = "neonoir"


@pytest.fixture(scope="module")
def snapshot(built: Path) -> Snapshot:
    return Snapshot.open(built)


def test_similar_ends_where_the_minimum_is_reached(run: Run, built: Path, snapshot: Snapshot) -> None:
    whole = snapshot.similar(QUERY, 40)
    for option, value in (
        ("--min-similarity", round(whole[6].similarity, 6)),
        ("--min-percentile", round(whole[6].percentile or 0, 5)),
    ):
        done = run("similar", QUERY, "-g", built, "-k", 40, option, value, "--format", "ids")
        assert (done.returncode, done.stdout.split()) == (0, whole.ids[:7]), done.stderr
    picture = snapshot.game(QUERY).picture
    done = run("similar", picture, "-g", built, "-k", 40, "--min-similarity", 0.9999, "--format", "ids")
    assert done.stdout.split() == [QUERY]
    mixture = snapshot.similar(QUERY, 40, plus=["hollow-avenue"])
    least = mixture[4].similarity
    arguments = ("--plus", "hollow-avenue", "--min-similarity", least, "--format", "ids")
    assert run("similar", QUERY, "-g", built, "-k", 40, *arguments).stdout.split() == mixture.ids[:5]


def test_it_says_which_minimum_nothing_reaches(run: Run, built: Path) -> None:
    done = run("similar", QUERY, "-g", built, "--min-similarity", 1, "--min-percentile", 99.5)
    assert done.returncode == 0
    assert "No match has at least a similarity of 1 and a percentile of 99.5." in done.stderr


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--min-similarity", "2", "the minimum similarity is 2; it must be from -1 to 1"),
        ("--min-similarity", "nan", "the minimum similarity is nan; it must be from -1 to 1"),
        ("--min-percentile", "101", "the minimum percentile is 101; it must be from 0 to 100"),
    ],
)
def test_a_minimum_out_of_range_is_a_usage_error(
    run: Run, built: Path, tmp_path: Path, option: str, value: str, told: str
) -> None:
    for command in (
        ("similar", QUERY),
        ("text", "a cat"),
        ("export", "csv", QUERY),
        ("export", "html", QUERY, "-o", tmp_path / "page.html"),
        ("export", "sheet", QUERY, "-o", tmp_path / "sheet.png"),
    ):
        done = run(*command, "-g", built, option, value)
        assert (done.returncode, done.stdout) == (2, ""), command
        assert told in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_exports_hold_only_what_reaches_it(run: Run, built: Path, tmp_path: Path, snapshot: Snapshot) -> None:
    queries = [QUERY, "hollow-avenue"]
    least = snapshot.similar(QUERY, 4)[3].similarity
    expected = {query: snapshot.similar(query, 30, min_similarity=least).ids for query in queries}
    assert all(len(ids) < 30 for ids in expected.values())
    done = run("export", "csv", *queries, "-g", built, "-k", 30, "--min-similarity", least)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {query: [row["id"] for row in rows if row["query_id"] == query] for query in queries} == expected
    done = run("export", "json", *queries, "-g", built, "-k", 30, "--min-similarity", least)
    assert all(other in json.dumps(json.loads(done.stdout)) for other in expected[QUERY])
    page = tmp_path / "page.html"
    run("export", "html", QUERY, "-g", built, "-k", 30, "--min-similarity", least, "-o", page)
    assert page.read_text("utf-8").count("<img") == 1 + len(expected[QUERY])
    heights = {}
    for value in (-1, least):
        sheet = tmp_path / f"{value}.png"
        run("export", "sheet", QUERY, "-g", built, "-k", 15, "--min-similarity", value, "-o", sheet)
        with Image.open(sheet) as image:
            heights[value] = image.height
    assert heights[least] < heights[-1]
