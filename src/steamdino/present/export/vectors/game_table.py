"""The table of an export of vectors: one row for each game. Needs pyarrow.

======================================  =============================  =============================================
column                                  type                           what it holds
======================================  =============================  =============================================
id, name, source                        string                         as in `records.Game`
url                                     string or null                 the game's page
sha256                                  string                         of the banner's bytes
tags, genres, developers, publishers    list<string>                   as `index.columns` reads them, each once
released_first, released_last           date32 or null                 the days between which it was released
early_access_first, early_access_last   date32 or null                 the same for the start of early access
reviews                                 int64                          0 if unknown
free, upcoming, adult, delisted         bool                           false if unknown
price_cents                             int64 or null                  0 for a free game
columns                                 string                         all that the source knew: a JSON object
vector                                  fixed_size_list<float32, dim>  of length 1
======================================  =============================  =============================================
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import SnapshotError
from steamdino.index import columns as read
from steamdino.periods import days
from steamdino.records import HIDDEN_COLUMNS, Game

if TYPE_CHECKING:
    from steamdino.search import Snapshot

BLOCK = 1024
"""Games that are read at a time: their texts take more memory as Python's objects than in a table."""

SIMILARITY = "vectors have length 1; the inner product of two is their cosine similarity"

UNIT = 1e-3
"""How much a length may differ from 1."""


def facts(snapshot: Snapshot) -> dict[str, str | int]:
    """What a reader of the vectors must know; it is written into the files."""
    return {
        "recipe": snapshot.recipe.name,
        "recipe_hash": snapshot.recipe.hash,
        "kind": snapshot.manifest.kind,
        "dim": snapshot.vectors.shape[1],
        "similarity": SIMILARITY,
    }


def schema(snapshot: Snapshot) -> Any:
    """Return the table's schema, as pyarrow's."""
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "texts": pa.list_(pa.string()),
        "date": pa.date32(),
        "number": pa.int64(),
        "flag": pa.bool_(),
    }
    fields = [pa.field(one.name, types[one.type]) for one in COLUMNS]
    fields.append(pa.field("vector", pa.list_(pa.float32(), snapshot.vectors.shape[1])))
    return pa.schema(fields, metadata={key: str(fact) for key, fact in facts(snapshot).items()})


def parts(snapshot: Snapshot, rows: NDArray[np.intp], part: int) -> Iterator[Any]:
    """Yield the games of rows in their order, as pyarrow's tables with at most `part` games each.

    Raises:
        SnapshotError: a vector does not have length 1.
    """
    import pyarrow as pa

    shape = schema(snapshot)
    for start in range(0, len(rows), part):
        some = rows[start : start + part]
        blocks = (some[first : first + BLOCK] for first in range(0, len(some), BLOCK))
        yield pa.Table.from_batches((_batch(snapshot, block, shape) for block in blocks), shape)


def _batch(snapshot: Snapshot, rows: NDArray[np.intp], shape: Any) -> Any:
    import pyarrow as pa

    games, vectors = snapshot.games(rows), snapshot.vectors[rows]
    _check(games, vectors)
    arrays = [pa.array([one.value(game) for game in games], shape.field(one.name).type) for one in COLUMNS]
    arrays.append(pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1]))
    return pa.record_batch(arrays, schema=shape)


def _check(games: list[Game], vectors: NDArray[np.float32]) -> None:
    """Refuse zeros and NaN, which other programs drop or give any rank."""
    lengths = np.linalg.norm(vectors, axis=1)
    wrong = np.flatnonzero(~(np.abs(lengths - 1) <= UNIT))
    if len(wrong):
        raise SnapshotError(
            f"the vector of {games[wrong[0]].id!r} has length {lengths[wrong[0]]:.3g} instead of 1;"
            " run: steam-dino build --rebuild"
        )


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    type: str
    value: Callable[[Game], Any]


def _texts(reader: Callable[[Mapping[str, Any]], Iterable[str]], game: Game) -> list[str]:
    # A list that is JSON in a table's cell may hold lone surrogates, which are no text for Arrow.
    return list(dict.fromkeys(text.encode(errors="replace").decode() for text in reader(game.columns)))


def _day(reader: Callable[[Mapping[str, Any]], str | None], end: int, game: Game) -> date | None:
    period = reader(game.columns)
    return None if period is None else days(period)[end]


def _json(game: Game) -> str:
    return json.dumps(game.columns, ensure_ascii=False, separators=(",", ":"))


COLUMNS = (
    _Column("id", "text", lambda game: game.id),
    _Column("name", "text", lambda game: game.name),
    _Column("source", "text", lambda game: game.source),
    _Column("url", "text", lambda game: game.url),
    _Column("sha256", "text", lambda game: game.sha256),
    _Column("tags", "texts", partial(_texts, read.tags)),
    _Column("genres", "texts", partial(_texts, read.genres)),
    _Column("developers", "texts", partial(_texts, read.developers)),
    _Column("publishers", "texts", partial(_texts, read.publishers)),
    _Column("released_first", "date", partial(_day, read.released, 0)),
    _Column("released_last", "date", partial(_day, read.released, 1)),
    _Column("early_access_first", "date", partial(_day, read.early_access, 0)),
    _Column("early_access_last", "date", partial(_day, read.early_access, 1)),
    _Column("reviews", "number", lambda game: read.reviews(game.columns)),
    _Column("free", "flag", lambda game: read.is_free(game.columns)),
    _Column("upcoming", "flag", lambda game: read.is_upcoming(game.columns)),
    *(
        _Column(name, "flag", lambda game, name=name: read.is_hidden(game.columns, name))  # type: ignore[misc]
        for name in HIDDEN_COLUMNS
    ),
    _Column("price_cents", "number", lambda game: read.price_cents(game.columns)),
    _Column("columns", "text", _json),
)
"""All columns but the vector."""
