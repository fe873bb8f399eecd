"""The formats of matches: what each writer must do, and that all commands write the same."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pandas as pd
import pytest

from steamdino import Snapshot
from steamdino.analysis.neighbourhood import Neighbourhood
from steamdino.errors import UsageError
from steamdino.present.cli.export_commands import OWN
from steamdino.present.cli.match_output import FORMATS
from steamdino.present.export.answer import Answer, answers_of
from steamdino.present.export.writers.writer import Context, Writer
from steamdino.present.export.writers.writer_registry import WRITERS
from steamdino.records import Matches

Run = Callable[..., "CompletedProcess[str]"]
QUERIES = ("neonoir", "hollow-avenue")
COLUMNS = [
    *("query_id", "query_name", "rank", "id", "name"),
    *("similarity", "percentile", "identical", "source", "url"),
]

each = pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)


@pytest.fixture(scope="module")
def snapshot(built: Path) -> Snapshot:
    return Snapshot.open(built)


@pytest.fixture(scope="module")
def answers(snapshot: Snapshot) -> list[Matches]:
    return [snapshot.similar(query, 3) for query in QUERIES]


@pytest.fixture
def context(snapshot: Snapshot, built: Path, tmp_path: Path) -> Context:
    return Context(snapshot, built, "vertical", tmp_path)


def _written(writer: Writer, answers: list[Matches], context: Context) -> str | bytes:
    file: io.BytesIO | io.StringIO = io.BytesIO() if writer.binary else io.StringIO(newline="")
    writer.check()
    writer.write(map(Answer.of, answers), file, context)
    return file.getvalue()


@each
def test_a_writer_writes_as_many_queries_as_it_says(
    writer: Writer, answers: list[Matches], context: Context
) -> None:
    one = _written(writer, answers[:1], context)
    assert one
    if writer.takes_several:
        both = _written(writer, answers, context)
        assert len(both) > len(one)
        assert writer.help or writer.name in OWN, "its command explains itself"
    else:
        with pytest.raises(ValueError, match="too many values"):
            _written(writer, answers, context)
    assert writer.suffix.startswith(".")


@each
def test_a_picture_may_be_the_query_unless_the_format_needs_its_id(
    writer: Writer, snapshot: Snapshot, context: Context
) -> None:
    picture = snapshot.game(QUERIES[0]).picture
    assert picture is not None
    found = [snapshot.similar(picture, 3)]
    if writer.name == "legacy-json":
        with pytest.raises(UsageError, match="is not a game, so it has no id"):
            _written(writer, found, context)
    else:
        assert _written(writer, found, context)


@pytest.mark.parametrize("name", ["csv", "md", "bbcode", "legacy-json"])
def test_similar_and_export_write_the_same(name: str, run: Run, built: Path, tmp_path: Path) -> None:
    command = WRITERS[name].command or name
    arguments = (QUERIES[0], "-k", 4, "-g", built)
    exported = run("export", command, *arguments, cwd=tmp_path)
    printed = run("similar", *arguments, "--format", name, cwd=tmp_path)
    assert (exported.returncode, exported.stderr) == (0, "")
    assert printed.stdout == exported.stdout != ""


def test_similar_and_export_write_the_same_page(run: Run, built: Path, tmp_path: Path) -> None:
    printed = run("similar", QUERIES[0], "-k", 2, "-g", built, "--format", "html")
    run("export", "html", QUERIES[0], "-k", 2, "-g", built, "-o", tmp_path / "a.html")
    assert printed.stdout == (tmp_path / "a.html").read_text("utf-8")


def test_the_table_has_the_facts_of_each_match(answers: list[Matches], context: Context) -> None:
    text = _written(WRITERS["csv"], answers, context)
    assert isinstance(text, str)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == COLUMNS
    for row, (matches, match) in zip(rows, [(a, m) for a in answers for m in a], strict=True):
        assert matches.query.game is not None
        assert (row["query_id"], row["query_name"]) == (matches.query.game.id, matches.query.game.name)
        assert (row["rank"], row["id"], row["name"]) == (str(match.rank), match.id, match.name)
        assert (row["identical"], row["source"]) == (str(match.identical).lower(), match.game.source)
        assert row["url"] == (match.game.url or "")
        assert float(row["similarity"]) == pytest.approx(match.similarity, abs=1e-6)
    packed = _written(WRITERS["parquet"], answers, context)
    assert isinstance(packed, bytes)
    table = pd.read_parquet(io.BytesIO(packed))
    assert list(table.columns) == COLUMNS
    for column in ("query_id", "query_name", "id", "name", "source"):
        plain = [value.removeprefix("'") for value in table[column].astype(str)]
        assert plain == [row[column].removeprefix("'") for row in rows]
    assert table["identical"].tolist() == [row["identical"] == "true" for row in rows]


def test_a_neighbourhood_holds_what_searches_find(snapshot: Snapshot) -> None:
    rows = [row for query in (*QUERIES, *snapshot.ids[:20]) if (row := snapshot.row(query)) is not None]
    found = [answer.matches for answer in answers_of(Neighbourhood.of(snapshot, 5, rows))]
    assert len(found) == 22
    for matches in found:
        assert matches.query.game is not None
        expected = snapshot.similar(matches.query.game.id, 5)
        assert (matches.query, matches.recipe) == (expected.query, expected.recipe)
        assert [(m.rank, m.id, m.identical, m.game) for m in matches] == [
            (m.rank, m.id, m.identical, m.game) for m in expected
        ]
        assert matches.similarities == pytest.approx(expected.similarities, abs=1e-6)
        assert [m.percentile for m in matches] == pytest.approx([m.percentile for m in expected], abs=1e-3)


def test_the_formats_of_similar_are_the_registered_texts(run: Run, built: Path) -> None:
    assert set(FORMATS) == {"table"} | {name for name, writer in WRITERS.items() if not writer.binary}
    done = run("similar", QUERIES[0], "-k", 1, "-g", built, "--format", "legacy-json")
    (own, other), *more = json.loads(done.stdout).values()
    assert (own, more) == (QUERIES[0], [])
    assert other == Snapshot.open(built).similar(QUERIES[0], 1).ids[0]


def test_a_page_without_any_picture_is_reported(run: Run, built: Path, tmp_path: Path) -> None:
    told = "This snapshot knows no pictures, so only names are shown.\n"
    assert run("pack", "-g", built, "-o", tmp_path / "a.steamdino").returncode == 0
    packed = run("similar", QUERIES[0], "--snapshot", tmp_path / "a.steamdino", "--format", "html")
    assert (packed.returncode, packed.stderr) == (0, told)
    assert run("similar", QUERIES[0], "-g", built, "--format", "html").stderr == ""
