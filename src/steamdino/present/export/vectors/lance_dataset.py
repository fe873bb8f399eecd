"""Vectors with their games as one version of a Lance dataset, the format of LanceDB; needs the extra `lance`."""

from __future__ import annotations

import errno
import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import MissingExtraError
from steamdino.present.export.vectors import game_table
from steamdino.present.export.vectors.vector_format import VectorFormat
from steamdino.records import Progress

if TYPE_CHECKING:
    from steamdino.search import Snapshot


class LanceDataset(VectorFormat):
    """Writes a Lance dataset, one fragment in each file of data."""

    name = "Lance"

    def check(self) -> None:
        """See `VectorFormat.check`."""
        if find_spec("lance") is None:
            raise MissingExtraError("Lance", "lance")

    def write(
        self, folder: Path, snapshot: Snapshot, rows: NDArray[np.intp], part: int, progress: Progress
    ) -> None:
        """See `VectorFormat.write`."""
        import lance
        from lance.fragment import write_fragments

        # Lance could read all games from an iterator. It would call that in a thread of its own, which may still run
        # when the program ends after Ctrl-C, and crash it.
        fragments: list[Any] = []
        done = 0
        try:
            for table in game_table.parts(snapshot, rows, part):
                fragments += write_fragments(table, folder, mode="create", max_rows_per_file=part)
                done += len(table)
                progress(done, len(rows))
            operation = lance.LanceOperation.Overwrite(game_table.schema(snapshot), fragments)
            lance.LanceDataset.commit(folder, operation)
        except OSError as error:
            raise _plain(error) from None


def _plain(error: OSError) -> OSError:
    """Return Lance's error without the line of its source that raised it."""
    found = re.search(r"\(os error (\d+)\)", str(error))
    number = int(found[1]) if found else errno.EIO
    return OSError(number, os.strerror(number))
