"""Read a table of games: CSV, TSV, JSON lines or Parquet, with the columns id, name, path and any others."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from steamdino.catalogue.folder import printable
from steamdino.catalogue.ids import refusal
from steamdino.catalogue.source_file import SourceFile
from steamdino.catalogue.table_pictures import TableFolder, folder_of, picture
from steamdino.catalogue.text_table import Dialect, opened, rows_of
from steamdino.errors import MissingExtraError, PictureError, SourceError, UsageError
from steamdino.net.web_picture import WebServers
from steamdino.records import Entry, Problem
from steamdino.wellformed import shown

FORMATS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
USUAL_DELIMITERS = {"csv": ",", "tsv": "\t"}
LONGEST_NAME = 1000


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the table's columns; `path` is None if the table names no pictures, and no game has a banner."""

    id: str = "id"
    name: str = "name"
    path: str | None = "path"


Line = tuple[str, Mapping[str, Any] | str]
"""A place ("line 12") with its cells by column, or with the reason why it cannot be used."""


def is_table(path: PurePath) -> bool:
    """Return whether a file has the suffix of a table."""
    return path.suffix.lower() in FORMATS


def read(
    path: Path | SourceFile,
    columns: Columns | None = None,
    *,
    outside: bool = False,
    prefix: str = "",
    dialect: Dialect | None = None,
    web: WebServers | None = None,
) -> Iterator[Entry | Problem]:
    """Read a table row by row.

    Args:
        path: the table. Its pictures' paths are relative to its folder, or to its prefix in object storage.
        columns: the names of the table's columns.
        outside: allow pictures outside the table's folder (a table from a stranger could name any file).
        prefix: put before each id.
        dialect: how a CSV or TSV file is written, if that is known.
        web: how pictures on web servers are requested.

    Yields:
        an Entry for each game, a Problem with its line for each row that cannot be used.

    Raises:
        UsageError: there is no such file, or it does not have the suffix of a table.
        SourceError: it cannot be read at all, or lacks one of the columns; it need not have the usual one of names.
        MissingExtraError: it is Parquet, and pyarrow is not installed.
    """
    columns = columns or Columns()
    table = path if isinstance(path, SourceFile) else SourceFile(path)
    if not table.path.is_file():
        raise UsageError(f"{table} is not a file; name a table or a folder of pictures")
    if not is_table(table.path):
        raise UsageError(f"{table} is not a table or an archive; tables end in {', '.join(sorted(FORMATS))}")
    kind = FORMATS[table.path.suffix.lower()]
    if kind in USUAL_DELIMITERS:
        lines = _separated(table, columns, USUAL_DELIMITERS[kind], dialect or Dialect())
    elif dialect not in (None, Dialect()):
        raise UsageError(f"{table} is neither CSV nor TSV; leave out --delimiter and --encoding")
    else:
        lines = _jsonl(table, columns) if kind == "jsonl" else _parquet(table, columns)
    folder, web = folder_of(table, outside=outside), web or WebServers()
    taken: dict[str, str] = {}
    for where, cells in lines:
        if isinstance(cells, str):
            yield Problem(where, cells)
            continue
        found = _entry(where, cells, columns, folder, prefix, web)
        if isinstance(found, Entry):
            if found.id in taken:
                found = Problem(where, f"the id {found.id!r} is already used by {taken[found.id]}", found.id)
            else:
                taken[found.id] = where
        yield found


def _entry(
    where: str,
    cells: Mapping[str, Any],
    columns: Columns,
    folder: TableFolder,
    prefix: str,
    web: WebServers,
) -> Entry | Problem:
    raw_id = cells.get(columns.id)
    if isinstance(raw_id, float) and raw_id.is_integer():
        raw_id = int(raw_id)  # pandas writes a column of integers with gaps as floats
    if not isinstance(raw_id, str | int) or isinstance(raw_id, bool):
        return Problem(where, f"the column {columns.id!r} holds {raw_id!r}, which is not an id")
    game_id = prefix + str(raw_id)
    if reason := refusal(game_id):
        # A row without an id could belong to any game; an invalid id never belonged to one.
        return Problem(where, reason, printable(game_id) or None)
    name = cells.get(columns.name)
    name = game_id if name is None or str(name).strip() == "" else " ".join(str(name).split())
    if len(name) > LONGEST_NAME:
        return Problem(
            where, f"the name has {len(name):,} characters; at most {LONGEST_NAME:,} are allowed", game_id
        )
    written = None if columns.path is None else cells.get(columns.path)
    if written is not None and not isinstance(written, str):
        return Problem(
            where, f"the column {columns.path!r} holds {shown(written)}, which is not a path", game_id
        )
    try:
        location = picture(folder, written, web) if written else None
    except PictureError as error:
        return Problem(where, str(error), game_id)
    rest = {
        key: _cell(value)
        for key, value in cells.items()
        if key not in (columns.id, columns.name, columns.path)
    }
    return Entry(game_id, name, location, where, rest)


def _cell(value: Any) -> Any:
    # JSON has no NaN and no infinity, and strict parsers could not read the stored row.
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [_cell(one) for one in value]
    if isinstance(value, dict):
        return {key: _cell(one) for key, one in value.items()}
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _separated(table: SourceFile, columns: Columns, usual: str, dialect: Dialect) -> Iterator[Line]:
    with opened(table.path, dialect) as file:
        try:
            header, rows = rows_of(file, table, columns.id, dialect, usual)
            _require(table, columns, header)
            # A quoted field may span several lines, so a row is named by its first line.
            while True:
                where = f"line {rows.line}"
                try:
                    row = next(rows.reader, None)
                except csv.Error as error:
                    yield where, f"it cannot be parsed: {error}"
                    continue
                if row is None:
                    return
                if not row:
                    continue
                if len(row) != len(header):
                    yield where, f"it has {len(row)} fields, expected {len(header)} as in the header"
                elif any(_is_broken(cell) for cell in row):
                    named = file.encoding.upper().removesuffix("-SIG")
                    yield where, f"it is not {named}; save the table as UTF-8, or pass --encoding"
                else:
                    yield where, dict(zip(header, row, strict=True))
        except UnicodeError:
            raise SourceError(
                f"{table} cannot be read as {file.encoding}; name its encoding with --encoding"
            ) from None


def _jsonl(table: SourceFile, columns: Columns) -> Iterator[Line]:
    seen_any = False
    names: dict[str, None] = {}  # an object may lack a column that others have
    with table.path.open("rb") as file:
        for number, line in enumerate(file, 1):
            where = f"line {number}"
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if not line.strip():
                continue
            try:
                record = json.loads(line.decode("utf-8"))
            except UnicodeDecodeError:
                yield where, "it is not UTF-8; save the table as UTF-8"
                continue
            except (ValueError, RecursionError) as error:
                yield where, f"it is not JSON: {error}"
                continue
            if not isinstance(record, dict):
                yield where, f"it holds {_kind(record)}, not an object"
                continue
            if columns.id not in record:
                if not seen_any:
                    _require(table, columns, list(record))
                yield where, f"it has no {columns.id!r}"
                continue
            if _has_surrogate(line, record):
                yield where, "it contains a lone surrogate (half a character)"
                continue
            seen_any = True
            names |= dict.fromkeys(record)
            yield where, record
    if names:
        _require(table, columns, list(names))


def _parquet(table: SourceFile, columns: Columns) -> Iterator[Line]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise MissingExtraError("Reading Parquet", "parquet") from None
    try:
        file = parquet.ParquetFile(table.path)
        _require(table, columns, file.schema_arrow.names)
        number = 0
        for batch in file.iter_batches():
            for record in batch.to_pylist():
                number += 1
                yield f"row {number}", record
    except (ArrowException, OSError) as error:
        raise SourceError(f"{table} is not a readable Parquet file: {str(error).splitlines()[0]}") from None


def _require(table: SourceFile, columns: Columns, header: list[str]) -> None:
    # Without the usual column of names, a game is named by its id. Another one was asked for.
    missing = [
        (flag, name)
        for flag, name in (("--id", columns.id), ("--name", columns.name), ("--path", columns.path))
        if name is not None and name not in header and (flag, name) != ("--name", Columns().name)
    ]
    if not missing:
        if len(set(header)) == len(header):
            return
        twice = sorted({name for name in header if header.count(name) > 1})
        raise SourceError(f"{table}: the header names {twice[0]!r} twice; rename one of the columns")
    if not header:
        raise SourceError(
            f"{table} has no header line; begin it with the names of its columns, such as id,name,path"
        )
    shown = ", ".join(name[:40] for name in header[:20])
    flag, name = missing[0]
    without = ", or add games without pictures with --no-pictures" if flag == "--path" else ""
    raise SourceError(
        f"{table} has no column {name!r}; its columns are {shown}. Name the right one with {flag}{without}"
    )


def _is_broken(text: str) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in text)


def _has_surrogate(line: bytes, record: dict[str, Any]) -> bool:
    return b"\\u" in line and _is_broken(json.dumps(record, ensure_ascii=False))


def _kind(value: object) -> str:
    return {list: "a list", str: "a text", bool: "a boolean", type(None): "null"}.get(type(value), "a number")
