"""All matches as one long table, a line for each: CSV, and Parquet with its extra."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import numpy as np

from steamdino.analysis.neighbourhood import Neighbourhood
from steamdino.errors import MissingExtraError
from steamdino.present.display_text import inert
from steamdino.storage.output import writing

COLUMNS = ("query_id", "query_name", "rank", "id", "name", "similarity", "percentile")


def check_parquet() -> None:
    """Finds out before the work whether Parquet can be written.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        raise MissingExtraError("Parquet", "parquet")


def write_csv(file: IO[str], table: Neighbourhood) -> None:
    """Writes CSV with a header (RFC 4180); texts that a spreadsheet would run get an apostrophe in front."""
    games = table.snapshot.games(np.arange(len(table.snapshot)))
    texts = [(inert(game.id), inert(game.name)) for game in games]
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for query, rows, cosines in table:
        percentiles = ["" if p is None else f"{p:.5f}" for p in _percentiles(table, cosines)]
        writer.writerows(
            (*texts[query], rank, *texts[row], f"{cosine:.6f}", percentile)
            for rank, (row, cosine, percentile) in enumerate(zip(rows, cosines, percentiles, strict=True), 1)
        )


def write_parquet(path: Path, table: Neighbourhood) -> None:
    """Writes Parquet: ids and names as dictionaries, similarity as float32, percentile as float64.

    Raises:
        MissingExtraError: pyarrow is not installed.
        OutputError: the file cannot be written.
    """
    check_parquet()
    import pyarrow as pa
    from pyarrow import parquet

    games = table.snapshot.games(np.arange(len(table.snapshot)))
    names = {"id": pa.array([game.id for game in games]), "name": pa.array([game.name for game in games])}

    def column(key: str, rows: Any) -> Any:
        return pa.DictionaryArray.from_arrays(pa.array(rows, pa.int32()), names[key])

    found = table.rows >= 0
    queries = np.repeat(table.queries, found.sum(axis=1))
    ranks = np.broadcast_to(np.arange(1, found.shape[1] + 1, dtype=np.int32), found.shape)[found]
    rows, cosines = table.rows[found], table.cosines[found]
    columns = [
        column("id", queries),
        column("name", queries),
        pa.array(ranks),
        column("id", rows),
        column("name", rows),
        pa.array(cosines),
        pa.array(list(_percentiles(table, cosines)), pa.float64()),
    ]
    with writing(path) as file:
        parquet.write_table(pa.table(columns, names=list(COLUMNS)), file)


def _percentiles(table: Neighbourhood, cosines: Any) -> Iterator[float | None]:
    known = table.snapshot.manifest.similarity
    return iter([None] * len(cosines) if known is None else known.percentiles(np.asarray(cosines)))
