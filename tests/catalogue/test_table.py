from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.catalogue.ids import refusal
from steamdino.catalogue.table import Columns
from steamdino.catalogue.table import read as read_table
from steamdino.errors import SourceError, UsageError
from steamdino.records import Entry, Problem
from steamdino.storage.location import LocalFile


def read(path: Path, columns: Columns | None = None, **options: Any) -> Iterator[Entry | Problem]:
    """Reads a table, of games without pictures if it does not mention a column of paths."""
    if columns is None and path.is_file() and b"path" not in path.read_bytes():
        columns = Columns(path=None)
    return read_table(path, columns, **options)


def _table(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_all_formats_give_the_same_entries(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    rows = [
        {"id": "1", "name": "One, two", "path": "a.jpg", "year": "1999"},
        {"id": "x/2", "name": 'Say "hi"', "path": "", "year": ""},
    ]
    comma = io.StringIO()
    writer = csv.DictWriter(comma, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    tab = io.StringIO()
    writer = csv.DictWriter(tab, rows[0], delimiter="\t")
    writer.writeheader()
    writer.writerows(rows)
    tables = [
        _table(tmp_path, "t.csv", comma.getvalue()),
        _table(tmp_path, "t.tsv", tab.getvalue()),
        _table(tmp_path, "t.jsonl", "\n".join(map(json.dumps, rows))),
        tmp_path / "t.parquet",
    ]
    parquet.write_table(pa.Table.from_pylist(rows), tables[-1])
    expected = [
        ("1", "One, two", tmp_path / "a.jpg", {"year": "1999"}),
        ("x/2", 'Say "hi"', None, {"year": ""}),
    ]
    for one in tables:
        entries = [found for found in read(one) if isinstance(found, Entry)]
        assert [
            (e.id, e.name, e.location and e.location.path, dict(e.columns)) for e in entries
        ] == expected, one


def test_columns_are_mapped_by_name(tmp_path: Path) -> None:
    table = _table(tmp_path, "t.jsonl", '{"file": "a.jpg", "title": "A", "year": 1999}')
    (entry,) = read(table, Columns("file", "title", "file"))
    assert entry == Entry("a.jpg", "A", LocalFile(tmp_path / "a.jpg"), "line 1", {"year": 1999})


def test_a_number_is_an_id_also_as_pandas_writes_it(tmp_path: Path) -> None:
    table = _table(tmp_path, "t.jsonl", '{"id": 730}\n{"id": 10.0}')
    assert [entry.id for entry in read(table) if isinstance(entry, Entry)] == ["730", "10"]


def test_a_malformed_row_names_its_line_and_the_rest_is_read(tmp_path: Path) -> None:
    text = 'id,name,path\n1,"two\nlines",\n2,short\n3,ok,\n3,again,\n,empty,\n4,"bad"quote,\n5,ok,\n'
    found = list(read(_table(tmp_path, "t.csv", text)))
    assert [(e.id, e.where) for e in found if isinstance(e, Entry)] == [
        ("1", "line 2"),
        ("3", "line 5"),
        ("5", "line 9"),
    ]
    problems = {p.where: p.reason for p in found if isinstance(p, Problem)}
    assert problems["line 4"] == "it has 2 fields, expected 3 as in the header"
    assert problems["line 6"] == "the id '3' is already used by line 5"
    assert problems["line 7"] == "the id is empty"
    assert "cannot be parsed" in problems["line 8"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[1]", "holds a list, not an object"),
        ("3", "holds a number, not an object"),
        ('"x"', "holds a text, not an object"),
        ("true", "holds a boolean, not an object"),
        ("null", "holds null, not an object"),
        ('{"id": null}', "not an id"),
        ('{"id": true}', "not an id"),
        ('{"id": 1.5}', "not an id"),
        ('{"id": {"a": 1}}', "not an id"),
        ('{"name": "no id"}', "has no 'id'"),
        ('{"id": "a", "path": 3}', "not a path"),
        ('{"id": "a", "path": "x\\u0000.jpg"}', "NUL"),
        ('{"id": "a\\ud800"}', "surrogate"),
        ('{"id": "a", "x": "\\udfff"}', "surrogate"),
        ('{"id": "a", "x": "\\ud800"}', "surrogate"),
        (json.dumps({"id": "a", "name": "n" * 1001}), "1,001 characters"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_json_lines_of_other_types_are_problems(tmp_path: Path, line: str, reason: str) -> None:
    good, bad, last = read(_table(tmp_path, "t.jsonl", f'{{"id": "good"}}\n{line}\n{{"id": "last"}}\n'))
    assert isinstance(good, Entry)
    assert isinstance(last, Entry)
    assert isinstance(bad, Problem)
    assert bad.where == "line 2"
    assert reason in bad.reason


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"id": "first"}, "the id 'first' is already used by line 1"),
        ({"id": "a", "name": "n" * 1001}, "the name has 1,001 characters; at most 1,000 are allowed"),
        ({"id": "a", "path": 3}, "the column 'path' holds 3, which is not a path"),
        ({"id": "a", "path": "x\0.jpg"}, "its path contains a NUL byte"),
        (
            {"id": "a", "path": "../a.jpg"},
            "its path leads outside the table's folder; allow that with --allow-outside",
        ),
    ],
)
def test_a_problem_names_the_line_and_the_game(tmp_path: Path, row: dict[str, Any], reason: str) -> None:
    lines = [{"id": "first"}, row, {"id": "last"}]
    first, problem, last = read(_table(tmp_path, "t.jsonl", "\n".join(map(json.dumps, lines))))
    assert (first.id, last.id) == ("first", "last")
    assert problem == Problem("line 2", reason, row["id"])


def test_a_name_is_the_cells_text_or_else_the_id(tmp_path: Path) -> None:
    lines = [
        {"id": "1", "name": None},
        {"id": "2", "name": "  "},
        {"id": "3"},
        {"id": "4", "name": " a  b\n"},
    ]
    lines += [{"id": "5", "name": 7}, {"id": "6", "name": "n" * 1000}]
    table = _table(tmp_path, "t.jsonl", "\n".join(map(json.dumps, lines)))
    names = [entry.name for entry in read(table) if isinstance(entry, Entry)]
    assert names == ["1", "2", "3", "a b", "7", "n" * 1000]


def test_numbers_that_json_lacks_become_null(tmp_path: Path) -> None:
    (entry,) = read(
        _table(tmp_path, "t.jsonl", '{"id": 1, "a": NaN, "b": Infinity, "c": 1.5, "d": -Infinity}')
    )
    assert isinstance(entry, Entry)
    assert entry.columns == {"a": None, "b": None, "c": 1.5, "d": None}


def test_empty_lines_are_skipped_and_counted(tmp_path: Path) -> None:
    for name, text in (("t.csv", "id\n1\n\n2\n"), ("t.jsonl", '{"id": 1}\n\n \n{"id": 2}\n')):
        entries = [entry for entry in read(_table(tmp_path, name, text)) if isinstance(entry, Entry)]
        assert [entry.id for entry in entries] == ["1", "2"]
        assert entries[1].where == "line 4"


def test_rows_of_parquet_are_counted_from_one(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    rows = [{"id": "a", "day": date(2012, 8, 21)}, {"id": None, "day": None}]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    good, bad = read(tmp_path / "t.parquet")
    assert (good.where, bad.where) == ("row 1", "row 2")
    assert isinstance(good, Entry)
    assert good.columns == {"day": "2012-08-21"}


def test_byte_order_marks_line_ends_and_long_fields_are_read(tmp_path: Path) -> None:
    long = "x" * 1_000_000
    table = _table(tmp_path, "t.csv", b"\xef\xbb\xbfid,name,path,note\r\n1,One,,%s\r\n" % long.encode())
    (entry,) = read(table)
    assert isinstance(entry, Entry)
    assert (entry.id, entry.columns["note"]) == ("1", long)
    (entry,) = read(_table(tmp_path, "t.jsonl", b'\xef\xbb\xbf{"id": "1"}\r\n'))
    assert isinstance(entry, Entry)


def test_line_ends_inside_a_quoted_field_stay_as_they_are(tmp_path: Path) -> None:
    (entry,) = read(_table(tmp_path, "t.csv", b'id,note\r\n1,"one\r\ntwo\rthree\nfour"\r\n'))
    assert isinstance(entry, Entry)
    assert entry.columns == {"note": "one\r\ntwo\rthree\nfour"}


def test_a_row_that_is_not_utf8_is_a_problem(tmp_path: Path) -> None:
    for name, text in (
        ("t.csv", "id,name\n1,caf#\n2,é\n".encode().replace(b"#", b"\xe9")),
        ("t.jsonl", b'{"id": "\xe9"}\n{"id": "2"}\n'),
    ):
        bad, good = read(_table(tmp_path, name, text))
        assert isinstance(bad, Problem)
        assert "not UTF-8" in bad.reason
        assert isinstance(good, Entry)


@pytest.mark.parametrize("written", ["../outside.jpg", "/etc/passwd", "a/../../b.jpg"])
def test_a_path_outside_the_tables_folder_needs_permission(tmp_path: Path, written: str) -> None:
    table = _table(tmp_path, "t.jsonl", json.dumps({"id": "a", "path": written}))
    (problem,) = read(table)
    assert isinstance(problem, Problem)
    assert "--allow-outside" in problem.reason
    (entry,) = read(table, outside=True)
    assert isinstance(entry, Entry)


def test_a_link_out_of_the_tables_folder_needs_permission_too(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "link.jpg").symlink_to(tmp_path / "outer.jpg")
    table = _table(tmp_path / "inner", "t.jsonl", '{"id": "a", "path": "link.jpg"}')
    assert isinstance(next(iter(read(table))), Problem)


def test_a_table_without_the_id_column_is_refused(tmp_path: Path) -> None:
    for name, text in (("t.csv", "appid,name\n1,One\n"), ("t.jsonl", '{"appid": 1}\n'), ("e.csv", "")):
        with pytest.raises(SourceError, match="has no (column 'id'|header line)"):
            list(read(_table(tmp_path, name, text)))
    with pytest.raises(SourceError, match="its columns are appid, name. Name the right one with --id"):
        list(read(_table(tmp_path, "t.csv", "appid,name\n1,One\n")))
    with pytest.raises(SourceError, match="has no header line; begin it with .* such as id,name,path"):
        list(read(_table(tmp_path, "e.csv", "")))
    with pytest.raises(SourceError, match="'x' twice"):
        list(read(_table(tmp_path, "t.csv", "id,x,x\n1,2,3\n")))


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_the_error_names_the_table_that_lacks_a_column(name: str, tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    table = _table(tmp_path, name, "appid\n1\n" if name == "t.csv" else '{"appid": 1}\n')
    if name == "t.parquet":
        parquet.write_table(pa.table({"appid": [1]}), table)
    with pytest.raises(SourceError) as caught:
        list(read(table))
    expected = f"{table} has no column 'id'; its columns are appid. Name the right one with --id"
    assert str(caught.value) == expected


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_a_column_that_was_asked_for_and_is_missing_is_an_error(name: str, tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    rows = '{"id": 1}\n{"id": 2, "title": "Two"}\n' if name == "t.jsonl" else "id,title\n1,\n2,Two\n"
    table = _table(tmp_path, name, rows)
    if name == "t.parquet":
        parquet.write_table(pa.table({"id": [1, 2], "title": [None, "Two"]}), table)
    assert [entry.name for entry in read(table, Columns(name="title", path=None))] == ["1", "Two"]
    for flag, columns in (("--name", Columns(name="titel", path=None)), ("--path", Columns(path="file"))):
        with pytest.raises(SourceError) as caught:
            list(read(table, columns))
        wrong = "titel" if flag == "--name" else "file"
        assert str(caught.value) == (
            f"{table} has no column {wrong!r}; its columns are id, title. Name the right one with {flag}"
            + (", or add games without pictures with --no-pictures" if flag == "--path" else "")
        )


def test_a_file_that_is_not_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a table or an archive; tables end in .csv"):
        list(read(_table(tmp_path, "t.txt", "id\n1\n")))
    with pytest.raises(UsageError, match="is not a file"):
        list(read(tmp_path / "t.csv"))
    with pytest.raises(SourceError, match="Parquet"):
        list(read(_table(tmp_path, "t.parquet", "id\n1\n")))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(rows=st.lists(st.dictionaries(st.sampled_from(["id", "name", "path", "x"]), json_values)))
def test_any_json_lines_are_read_to_the_end_row_for_row(
    rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    table = _table(tmp_path_factory.mktemp("t"), "t.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    try:
        found = list(read(table))
    except SourceError:
        assert "id" not in rows[0] or not any({"id", "path"} <= row.keys() for row in rows)
        return
    assert [f.where for f in found] == [f"line {n}" for n in range(1, len(rows) + 1)]
    ids = [f.id for f in found if isinstance(f, Entry)]
    assert len(set(ids)) == len(ids)


cells = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=20)


@given(rows=st.lists(st.tuples(cells, cells, cells), min_size=1))
def test_any_csv_that_python_writes_is_read_back_cell_for_cell(
    rows: list[tuple[str, str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["id", "name", "x"])
    writer.writerows(rows)
    found = list(read(_table(tmp_path_factory.mktemp("t"), "t.csv", text.getvalue()), Columns(path=None)))
    assert len(found) == len(rows)
    seen: set[str] = set()
    for (game_id, _, x), result in zip(rows, found, strict=True):
        if refusal(game_id) is None and game_id not in seen:
            assert isinstance(result, Entry)
            assert (result.id, result.columns["x"]) == (game_id, x)
            seen.add(game_id)
        else:
            assert isinstance(result, Problem)


def test_nan_and_infinity_become_null_at_any_depth(tmp_path: Path) -> None:
    text = '{"id": "1", "a": NaN, "b": [Infinity, {"c": [-Infinity, 1.5]}]}\n'
    (entry,) = read(_table(tmp_path, "t.jsonl", text))
    assert isinstance(entry, Entry)
    assert entry.columns == {"a": None, "b": [None, {"c": [None, 1.5]}]}


@given(data=st.binary(max_size=300))
def test_arbitrary_bytes_raise_only_our_own_error(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("t")
    for name in ("t.csv", "t.tsv", "t.jsonl", "t.parquet"):
        for start in (b"", b"id,name,path\n", b'{"id": "1"}\n'):
            with suppress(SourceError):
                list(read(_table(folder, name, start + data)))


def test_a_path_that_cannot_be_followed_affects_only_its_own_row(tmp_path: Path) -> None:
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "t.csv").write_text(f"id,path\na,loop.jpg\nb,{'x' * 5000}.jpg\nc,c.jpg\n")
    loop, long, fine = read(tmp_path / "t.csv", Columns())
    for found in (loop, long):
        # Python 3.13 leaves a loop for whoever opens the file.
        assert isinstance(found, Entry) or "its path cannot be followed" in found.reason
    assert [(found.where, found.id) for found in (loop, long)] == [("line 2", "a"), ("line 3", "b")]
    assert isinstance(fine, Entry)


def test_a_path_that_no_system_can_open_is_a_problem_of_its_game(tmp_path: Path) -> None:
    from steamdino.pipeline import add

    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "t.csv").write_text(f"id,path\na,loop.jpg\nb,{'x' * 5000}.jpg\n")
    for outside in (False, True):
        summary = add(tmp_path / f"g{outside}", tmp_path / "t.csv", outside=outside)
        assert sorted(str(problem.id) for problem in summary.problems) == ["a", "b"]
