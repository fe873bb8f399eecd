"""Vectors with their games as Parquet files of a bounded size: ``part-00000.parquet`` and so on."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import MissingExtraError
from steamdino.present.export.vectors import game_table
from steamdino.present.export.vectors.vector_format import VectorFormat
from steamdino.records import Progress

if TYPE_CHECKING:
    from steamdino.search import Snapshot


class ParquetParts(VectorFormat):
    """Writes Parquet, one row group in each file."""

    name = "Parquet"

    def check(self) -> None:
        """See `VectorFormat.check`."""
        if find_spec("pyarrow") is None:
            raise MissingExtraError("Parquet", "parquet")

    def write(
        self, folder: Path, snapshot: Snapshot, rows: NDArray[np.intp], part: int, progress: Progress
    ) -> None:
        """See `VectorFormat.write`."""
        from pyarrow import parquet

        done = 0
        for number, table in enumerate(game_table.parts(snapshot, rows, part)):
            path = folder / f"part-{number:05}.parquet"
            parquet.write_table(table, path, row_group_size=len(table), compression="zstd")
            done += len(table)
            progress(done, len(rows))
