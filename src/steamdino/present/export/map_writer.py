"""Writes a map: its layout, its tiles and its page, or one PNG; a killed command can continue."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steamdino import __version__
from steamdino.analysis import map as analysis
from steamdino.analysis.map_grid import grid
from steamdino.analysis.progress_stages import Stage, unseen
from steamdino.present.export.atlas import Atlas
from steamdino.present.export.map_page import KIND, write_map_page
from steamdino.present.export.map_tiles import draw_map
from steamdino.present.export.mosaic import write_png
from steamdino.present.export.output_folders import replacing_folder
from steamdino.present.export.scaled_pictures import ScaledPictures, earlier
from steamdino.search import Snapshot
from steamdino.storage.continued_output import continuing


def write_map(
    snapshot: Snapshot,
    rows: NDArray[np.intp],
    *,
    png: Path | None,
    folder: Path | None,
    title: str,
    pictures: bool = True,
    threads: int = 1,
    stage: Stage = unseen,
) -> Atlas:
    """Arrange games and draw them. After Ctrl-C or a kill, the same call continues, and ends with the same map.

    Args:
        snapshot: that has the games.
        rows: which to draw, rising; at least one.
        png: the file to write; None for none.
        folder: to write tiles and their page to, replacing an older map; None for none.
        title: the page's heading.
        pictures: whether the page gets a picture of each game, to be sharp at full zoom: about 25 KB a game.
        threads: banners decoded at the same time.
        stage: shows what is done.

    Returns:
        what was drawn.

    Raises:
        UsageError: the folder has other content than a map.
        OutputError: something cannot be written, or another process is writing the map.
        MissingExtraError: openTSNE is not installed.
    """
    with _work(png, folder, _key(snapshot, rows, png=png is not None, folder=folder is not None)) as (
        output,
        kept,
    ):
        points = analysis.layout(snapshot.index, rows, kept=kept, stage=stage)
        atlas = Atlas(snapshot, rows, *grid(points))
        with stage("Drawing", "banners") as progress:
            sheet = draw_map(
                atlas, kept, png=png is not None, folder=output, threads=threads, progress=progress
            )
        if output:
            with stage("Writing", "games") as progress:
                scaled = ScaledPictures(output, folder and earlier(folder), threads) if pictures else None
                write_map_page(
                    atlas, output, kept / "names.sqlite", title, pictures=scaled, progress=progress
                )
        if png and sheet:
            write_png(png, sheet)
        return atlas


@contextmanager
def _work(png: Path | None, folder: Path | None, key: str) -> Iterator[tuple[Path | None, Path]]:
    """The folder to write, if one is asked for, and one for the state of the work."""
    if folder:
        with replacing_folder(folder, KIND, key, "--html") as places:
            yield places
    elif png:
        with continuing(png, key) as kept:
            yield None, kept


def _key(snapshot: Snapshot, rows: NDArray[np.intp], *, png: bool, folder: bool) -> str:
    """Everything that the layout and the tiles depend on."""
    facts = {
        "files": snapshot.manifest.files,
        "rows": hashlib.sha256(rows.astype(np.int64).tobytes()).hexdigest(),
        "versions": [__version__, analysis.version(), np.__version__],
        "outputs": [png, folder],
    }
    return json.dumps(facts, sort_keys=True)
