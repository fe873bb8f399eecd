"""Matches as one Parquet table with a row for each; needs the extra `parquet`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING, Any

from steamdino.present.export.writers.csv_table import COLUMNS
from steamdino.present.export.writers.writer import Context, Writer

if TYPE_CHECKING:
    from steamdino.present.export.answer import Answer
    from steamdino.records import Game


class ParquetTable(Writer):
    """Writes Parquet: texts as dictionaries, rank as int32, similarity as float32, percentile as float64."""

    name = "parquet"
    suffix = ".parquet"
    binary = True

    def check(self) -> None:
        """Check in advance whether Parquet can be written.

        Raises:
            MissingExtraError: pyarrow is not installed.
        """
        from importlib.util import find_spec

        from steamdino.errors import MissingExtraError

        if find_spec("pyarrow") is None:
            raise MissingExtraError("Parquet", "parquet")

    def write(self, answers: Iterable[Answer], file: IO[bytes], context: Context) -> None:
        """Write the table as one file.

        Raises:
            MissingExtraError: pyarrow is not installed.
        """
        self.check()
        import numpy as np
        import pyarrow as pa
        from pyarrow import parquet

        # A text is stored once and named by its place, which saves most of the time as well as of the space.
        places: dict[str, int] = {}
        games: list[Game] = []

        def place(game: Game) -> int:
            if game.id not in places:
                places[game.id] = len(games)
                games.append(game)
            return places[game.id]

        named: list[tuple[int | None, str]] = []
        sizes: list[int] = []
        found: tuple[list[Any], ...] = ([], [], [], [], [])
        for answer in answers:
            query = answer.query.game
            named.append((place(query), query.name) if query else (None, answer.query.text))
            sizes.append(len(answer.games))
            batch: tuple[Iterable[Any], ...] = (
                range(1, len(answer.games) + 1),
                map(place, answer.games),
                answer.similarities,
                answer.percentiles,
                answer.identical,
            )
            for column, values in zip(found, batch, strict=True):
                column.extend(values)
        ranks, matches, similarities, percentiles, identical = found
        rows = pa.array(matches, pa.int32())
        queries = pa.array(np.repeat(np.arange(len(named), dtype=np.int32), sizes))

        def texts(indices: Any, values: Sequence[str | None]) -> Any:
            encoded = pa.array(values, pa.string()).dictionary_encode()
            return pa.DictionaryArray.from_arrays(encoded.indices.take(indices), encoded.dictionary)

        ids = [game.id for game in games]
        owners = pa.array([owner for owner, _ in named], pa.int32()).take(queries)
        columns = [
            texts(owners, ids),
            texts(queries, [name for _, name in named]),
            pa.array(ranks, pa.int32()),
            texts(rows, ids),
            texts(rows, [game.name for game in games]),
            pa.array(similarities, pa.float32()),
            pa.array(percentiles, pa.float64()),
            pa.array(identical, pa.bool_()),
            texts(rows, [game.source for game in games]),
            texts(rows, [game.url or "" for game in games]),
        ]
        parquet.write_table(pa.table(columns, names=list(COLUMNS)), file)
